#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "contribute_arguments.h"
#include "contribute_baseline_arguments.h"
#include "contribute_file.h"
#include "contribute_output_arguments.h"
#include "layer_statistics.h"
#include "model_file.h"

typedef struct {
    const char *model, *recording, *part, *place;
    retc_target_arguments target;
    retc_method_arguments method;
    retc_baseline_arguments baseline;
    retc_contribute_options contribute;
    retc_output_arguments beside;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "contribute", "how much every model interneuron drove the cells, moment by moment",
    "Integrated gradients at the output of every convolution: the share of the target that each unit causes, from a "
    "baseline (mean grey, unless --baseline says otherwise) to the stimulus.  Per channel, the sums of negative and of "
    "positive contributions are written, with "
    "activations and gradients, in the layout of the CODEC scripts, and per sample the completeness residual: how far "
    "the contributions miss the change of the target.\n\n"
    "\"secant\" is complete to rounding with any number of steps, and takes as many as every sample needs, where on the way "
    "it needs them, until the contributions of all units, not only their sum, are within --tolerance of their limit by the "
    "estimate that the file holds per sample; --steps fixes their number.  \"trapezium\", 20 steps, is the published "
    "method.  What a residual addition carries past a layer belongs to that layer's sum: it is counted in, and written as "
    "/completeness/bypass, one column per addition.\n\n" RETC_TARGET_HELP RETC_METHOD_HELP RETC_BASELINE_HELP
    "Exit code 3 says that some samples did not reach the tolerance in --most-steps; they keep their best.",
    "retcodec contribute model.h5 recording.h5 --target surprisal -o contributions.h5"};

static void
say_completeness(const options *o, const retc_network *network, const retc_target *target, const retc_completeness *c) {
    size_t k = 0;
    int adaptive = retc_contribute_refines(&o->contribute);
    if (target->still > 0)
        retc_say(
            &o->common,
            "the covariance of the rates cannot be inverted: %zu of %zu directions do not vary and got the mean variance\n",
            target->still, target->N);
    retc_say(&o->common, "target %s, %s, ", retc_target_name(target), o->method.name);
    if (o->contribute.attribution.method == RETC_METHOD_PATH)
        retc_say(&o->common, "%s%.3g steps, ", adaptive ? "on average " : "", c->mean_steps);
    retc_say(&o->common, "%zu samples\n", c->samples);
    retc_say(&o->common, "%-8s %10s %22s %20s %18s\n", "layer", "channels", "residual (rms, rel.)", "residual (largest)",
             adaptive ? "error (largest)" : "");
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].cut[0]) {
            retc_say(&o->common, "%-8s %10zu %22.2e %20.2e", network->layer[l].cut, network->layer[l].C, c->relative[k],
                     c->worst[k]);
            if (adaptive)
                retc_say(&o->common, " %18.2e", c->error[k]);
            retc_say(&o->common, "\n");
            ++k;
        }
    for (k = 0; k < c->cuts; ++k)
        if (c->bypass[k] > 0)
            retc_say(&o->common,
                     "residual additions carry %.3g of the change of the target (rms) past conv%zu, which are counted in; "
                     "/completeness/bypass has them\n",
                     c->bypass[k], k);
    if (c->unconverged)
        retc_say(&o->common,
                 "%zu of %zu samples did not reach the tolerance of %g in %zu steps; /completeness/error says which\n",
                 c->unconverged, c->samples, o->contribute.tolerance, o->contribute.most_steps);
}

/* A correlation, or "-" where there is none; `text` (16) is borrowed. */
static const char *
say_correlation(double r, char *text) {
    if (isfinite(r))
        snprintf(text, 16, "%.3f", r);
    else
        snprintf(text, 16, "-");
    return text;
}

/* Cells whose responses tell nothing about the model. */
static int
say_silent_cells(const options *o, const retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    double *mean = NULL;
    RETC_TRY(RETC_ALLOC(mean, network->N));
    RETC_TRY(retc_h5_read(file, "/metadata/mean_responses_per_cell", RETC_H5_DOUBLE, NULL, NULL, mean));
    for (size_t j = 0; j < network->N; ++j)
        if (mean[j] == 0)
            retc_say(&o->common, "%s has no responses in the %s part: how good the model of it is cannot be said\n",
                     network->cell_name[j], o->part);
done:
    retc_free(mean);
    return status;
}

/* What the layers look like; in brackets, their activations. */
static int
say_statistics(const options *o, const retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    retc_layer_statistics s = {0};
    char text[2][16];
    retc_say(&o->common, "%-8s %16s %20s %22s %10s %10s\n", "layer", "sparsity", "columns that share", "dimensions (90 %)",
             "r -/+", "r act.");
    for (size_t l = 0; l < network->layers; ++l) {
        if (!network->layer[l].cut[0])
            continue;
        RETC_TRY(retc_layer_statistics_read(file, network->layer[l].cut, &s));
        retc_say(&o->common, "%-8s     %.3f (%.3f)   %5.1f (%5.1f) of %3zu     %5zu (%3zu) of %3zu %10s %10s\n",
                 network->layer[l].cut, s.contribution.hoyer, s.activation.hoyer, s.contribution.participation_ratio,
                 s.activation.participation_ratio, 2 * s.C, s.contribution.dimension, s.activation.dimension, 2 * s.C,
                 say_correlation(s.mean_opposition, text[0]), say_correlation(s.mean_agreement, text[1]));
        retc_layer_statistics_clear(&s);
    }
    retc_say(&o->common, "brackets: activations; r -/+: of negative and positive contributions of a channel, r act.: of its "
                         "contribution and activation; means over channels\n");
done:
    retc_layer_statistics_clear(&s);
    return status;
}

/* What can be read in the file. */
static int
say_results(const options *o, const retc_network *network) {
    int status = RETC_OK;
    retc_h5 *file = NULL;
    if (o->common.quiet)
        return RETC_OK;
    RETC_TRY(RETC_GOT(file = retc_h5_open(o->common.output)));
    RETC_TRY(say_silent_cells(o, network, file));
    RETC_TRY(say_statistics(o, network, file));
done:
    retc_h5_close(file);
    return status;
}

static void
set_contribute(options *o) {
    o->contribute.threads = o->common.threads;
    retc_method_arguments_set(&o->method, o->common.seed, &o->contribute);
    o->contribute.place = strcmp(o->place, "norm") == 0           ? RETC_AT_NORM
                          : strcmp(o->place, "nonlinearity") == 0 ? RETC_AT_NONLINEARITY
                                                                  : RETC_AT_CONVOLUTION;
}

/* Everything but the command line. */
static int
run(options *o, const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    retc_target target = {0};
    retc_baseline baseline = retc_baseline_grey();
    retc_completeness completeness;
    size_t beside = 0; /* samples of paths and input attributions that did not reach the tolerance */
    retc_h5 *file = NULL;
    retc_part part = strcmp(o->part, "test") == 0 ? RETC_TEST : RETC_TRAIN;
    RETC_TRY(RETC_GOT(network = retc_network_open(o->model)));
    RETC_TRY(retc_recording_arguments_open(&o->open, &o->common, o->recording, &recording));
    const retc_progress *progress = retc_meter_start("contribute", o->common.quiet);
    RETC_TRY(retc_baseline_arguments_make(&o->baseline, &o->open, network, recording, part, o->common.seed, &baseline));
    o->contribute.baseline = &baseline;
    RETC_TRY(retc_target_arguments_make(&o->target, network, recording, o->common.threads, progress, &target));
    RETC_TRY(retc_output_arguments_take(&o->beside, &o->contribute, network, recording, progress));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o->common.output, o->common.force)));
    RETC_TRY(retc_contribute_write(network, recording, part, &target, &o->contribute, &o->beside.reductions, o->recording, file,
                                   progress, &completeness));
    RETC_TRY(retc_output_arguments_write(&o->beside, network, recording, part, &target, file, progress, &beside));
    retc_meter_stop();
    RETC_TRY(retc_h5_set_text(file, "/", "baseline", o->baseline.name));
    RETC_TRY(retc_command_finish(file, &o->common, provenance));
    say_completeness(o, network, &target, &completeness);
    RETC_TRY(say_results(o, network));
    if (beside)
        retc_say(&o->common, "%zu samples of paths or input attributions did not reach the tolerance of %g in %zu steps\n",
                 beside, o->contribute.tolerance, o->contribute.most_steps);
    if (completeness.unconverged || beside)
        status = RETC_NOT_CONVERGED;
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_target_clear(&target);
    retc_baseline_clear(&baseline);
    retc_output_arguments_clear(&o->beside);
    retc_network_free(network);
    retc_recording_close(recording);
    return status;
}

int
retc_cmd_contribute(int argc, char **argv) {
    options o = {.part = "test",
                 .place = "convolution",
                 .target = retc_target_arguments_default(),
                 .method = RETC_METHOD_DEFAULT,
                 .baseline = RETC_BASELINE_DEFAULT,
                 .contribute = retc_contribute_default(),
                 .beside = retc_output_arguments_default(),
                 .open = RETC_RECORDING_DEFAULT,
                 .common = {.seed = 1}};
    const retc_option table[] = {
        {"model", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.model, 0, 0, NULL, "model file"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        RETC_TARGET_ARGUMENTS(o.target),
        {"part", 0, RETC_OPTION_CHOICE, 0, &o.part, 0, 0, "test|train", "part of the recording that is explained"},
        RETC_METHOD_ARGUMENTS(o.method, o.contribute),
        {"at", 0, RETC_OPTION_CHOICE, 0, &o.place, 0, 0, "convolution|norm|nonlinearity",
         "contributions of the outputs of the convolutions, or of the batch norms or nonlinearities that follow them"},
        RETC_BASELINE_ARGUMENTS(o.baseline),
        RETC_REDUCTION_ARGUMENTS(o.beside),
        RETC_PATHS_ARGUMENTS(o.beside),
        RETC_INPUT_ARGUMENTS(o.beside),
        {"block", 0, RETC_OPTION_SIZE, RETC_OPTION_NO_EFFECT, &o.contribute.block, 1, 65536, "frames",
         "frames in memory per thread"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "contributions to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status == RETC_OK) {
        set_contribute(&o);
        status = run(&o, provenance);
    }
    retc_command_end(table, provenance);
    return status;
}
