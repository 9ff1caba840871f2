#include <string.h>

#include "command.h"
#include "contribute_file.h"
#include "model_file.h"
#include "recording_arguments.h"

typedef struct {
    const char *model, *recording, *target, *part, *statistics, *method;
    size_t cell;
    retc_contribute_options contribute;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "contribute", "how much every model interneuron drove the cells, moment by moment",
    "Integrated gradients at the output of every convolution: the share of the target that each unit causes, from mean "
    "grey to the stimulus.  Per channel, the sums of negative and of positive contributions are written, with "
    "activations and gradients, in the layout of the CODEC scripts, and per sample the completeness residual: how far "
    "the contributions miss the change of the target.\n\n"
    "\"secant\" is complete to rounding with any number of steps; \"trapezium\" is the published method.",
    "retcodec contribute model.h5 recording.h5 --target surprisal -o contributions.h5"};

static int
make_target(const options *o, const retc_network *network, retc_recording *recording, const retc_progress *progress,
            retc_target *target) {
    if (strcmp(o->target, "cell") == 0)
        return retc_target_init(target, RETC_TARGET_CELL, network->N, o->cell);
    if (strcmp(o->target, "sum") == 0)
        return retc_target_init(target, RETC_TARGET_SUM, network->N, 0);
    return retc_target_init_surprisal(target, network, recording, strcmp(o->statistics, "train") == 0 ? RETC_TRAIN : RETC_TEST,
                                      o->common.threads, progress);
}

static void
say_completeness(const options *o, const retc_network *network, const retc_target *target, const retc_completeness *c) {
    size_t k = 0;
    if (target->ridge > 0)
        retc_say(&o->common, "the covariance of the rates is singular: %.3g Hz^2 were added to its diagonal\n", target->ridge);
    retc_say(&o->common, "target %s, %s, %zu steps, %zu samples\n", o->target, o->method, o->contribute.steps, c->samples);
    retc_say(&o->common, "%-8s %10s %22s %20s\n", "layer", "channels", "residual (rms, rel.)", "residual (largest)");
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].cut[0]) {
            retc_say(&o->common, "%-8s %10zu %22.2e %20.2e\n", network->layer[l].cut, network->layer[l].C, c->relative[k],
                     c->worst[k]);
            ++k;
        }
}

int
retc_cmd_contribute(int argc, char **argv) {
    options o = {.target = "surprisal",
                 .part = "test",
                 .statistics = "train",
                 .method = "secant",
                 .contribute = retc_contribute_default(),
                 .open = RETC_RECORDING_DEFAULT,
                 .common = {.seed = 1}};
    const retc_option table[] = {
        {"model", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.model, 0, 0, NULL, "model file"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"target", 't', RETC_OPTION_CHOICE, 0, &o.target, 0, 0, "surprisal|sum|cell", "what is explained"},
        {"cell", 0, RETC_OPTION_SIZE, 0, &o.cell, 0, 1e6, NULL, "cell of --target cell, counted from 0"},
        {"part", 0, RETC_OPTION_CHOICE, 0, &o.part, 0, 0, "test|train", "part of the recording that is explained"},
        {"statistics", 0, RETC_OPTION_CHOICE, 0, &o.statistics, 0, 0, "train|test",
         "part that gives surprisal its mean and covariance; test, as published"},
        {"method", 0, RETC_OPTION_CHOICE, 0, &o.method, 0, 0, "secant|trapezium", "how a step of the path is integrated"},
        {"steps", 0, RETC_OPTION_SIZE, 0, &o.contribute.steps, 1, 1e6, NULL, "steps from mean grey to the stimulus"},
        {"block", 0, RETC_OPTION_SIZE, RETC_OPTION_NO_EFFECT, &o.contribute.block, 1, 65536, "frames",
         "frames in memory per thread"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "contributions to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    retc_target target = {0};
    retc_completeness completeness;
    retc_h5 *file = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.contribute.threads = o.common.threads;
    o.contribute.method = strcmp(o.method, "secant") == 0 ? RETC_SECANT : RETC_TRAPEZIUM;
    RETC_TRY(RETC_GOT(network = retc_network_open(o.model)));
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    const retc_progress *progress = retc_meter_start("contribute", o.common.quiet);
    RETC_TRY(make_target(&o, network, recording, progress, &target));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_contribute_write(network, recording, strcmp(o.part, "test") == 0 ? RETC_TEST : RETC_TRAIN, &target,
                                   &o.contribute, o.recording, file, progress, &completeness));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    say_completeness(&o, network, &target, &completeness);
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}
