#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "contribute_arguments.h"
#include "contribute_file.h"
#include "input.h"
#include "layer_statistics.h"
#include "model_file.h"
#include "pairs.h"
#include "recording_arguments.h"

typedef struct {
    const char *model, *recording, *part, *place, *baseline, *reduce;
    size_t baselines, baseline_frame;
    double blur;
    retc_target_arguments target;
    retc_method_arguments method;
    retc_contribute_options contribute;
    retc_reduction_options reductions;
    int paths;
    retc_pairs_options pairs;
    const char *input;
    retc_input_options inputs;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "contribute", "how much every model interneuron drove the cells, moment by moment",
    "Integrated gradients at the output of every convolution: the share of the target that each unit causes, from mean "
    "grey to the stimulus.  Per channel, the sums of negative and of positive contributions are written, with "
    "activations and gradients, in the layout of the CODEC scripts, and per sample the completeness residual: how far "
    "the contributions miss the change of the target.\n\n"
    "\"secant\" is complete to rounding with any number of steps, and takes as many as every sample needs: steps are doubled "
    "until the contributions of all units, not only their sum, are within --tolerance of their limit by the estimate that "
    "the file holds per sample; --steps fixes their number.  \"trapezium\", 20 steps, is the published "
    "method.  What a residual addition carries past a layer belongs to that layer's sum: it is counted in, and written as "
    "/completeness/bypass, one column per addition.\n\n" RETC_TARGET_HELP RETC_METHOD_HELP
    "Exit code 3 says that some samples did not reach the tolerance in --most-steps; they keep their best.",
    "retcodec contribute model.h5 recording.h5 --target surprisal -o contributions.h5"};

static int
make_baseline(const options *o, const retc_network *network, retc_recording *recording, retc_baseline *baseline) {
    int status = RETC_OK;
    float *frame = NULL;
    if (strcmp(o->baseline, "mean") == 0) {
        RETC_TRY(retc_baseline_init_mean(baseline, network, recording));
    } else if (strcmp(o->baseline, "blur") == 0) {
        RETC_TRY(retc_baseline_init_blur(baseline, network, o->blur));
    } else if (strcmp(o->baseline, "windows") == 0) {
        RETC_TRY(retc_baseline_init_windows(baseline, network, recording, o->baselines, o->common.seed));
    } else if (strcmp(o->baseline, "frame") == 0) {
        size_t frames = retc_recording_frames(recording, RETC_TRAIN);
        if (o->baseline_frame >= frames)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "--baseline-frame %zu: the train part has frames 0 to %zu", o->baseline_frame,
                               frames - 1));
        RETC_TRY(RETC_ALLOC(frame, network->H * network->W));
        RETC_TRY(retc_recording_stimulus(recording, RETC_TRAIN, o->baseline_frame, 1, frame));
        RETC_TRY(retc_baseline_init_frame(baseline, network, frame));
    } else {
        *baseline = retc_baseline_grey();
    }
done:
    retc_free(frame);
    return status;
}

static void
say_completeness(const options *o, const retc_network *network, const retc_target *target, const retc_completeness *c) {
    size_t k = 0;
    int adaptive = retc_contribute_refines(&o->contribute);
    if (target->ridge > 0)
        retc_say(&o->common, "the covariance of the rates is singular: %.3g Hz^2 were added to its diagonal\n", target->ridge);
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

/* What the layers look like; in brackets, their activations. */
static int
say_statistics(const options *o, const retc_network *network) {
    int status = RETC_OK;
    retc_layer_statistics s = {0};
    char text[2][16];
    if (o->common.quiet)
        return RETC_OK;
    retc_h5 *file = retc_h5_open(o->common.output);
    RETC_TRY(file ? RETC_OK : RETC_EIO);
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
    retc_h5_close(file);
    return status;
}

/* Where cells are is only asked for when it matters: it may take a pass over the train part. */
static int
set_reductions(options *o, const retc_network *network, retc_recording *recording, const retc_progress *progress,
               double **centre) {
    int status = RETC_OK;
    if (!(o->reductions.kinds & RETC_REDUCE_NEIGHBOURHOOD))
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(*centre, 2 * network->N));
    RETC_TRY(retc_reduction_centres(network, recording, o->common.threads, progress, *centre));
    o->reductions.centre = *centre;
done:
    return status;
}

/* Which pixels of which frames drove the target. */
static int
write_input(options *o, const retc_network *network, retc_recording *recording, const retc_target *target, retc_h5 *file,
            const retc_progress *progress) {
    if (strcmp(o->input, "none") == 0)
        return RETC_OK;
    o->inputs.baseline = o->contribute.baseline;
    o->inputs.threads = o->common.threads;
    if (o->contribute.steps)
        o->inputs.steps = o->contribute.steps;
    return retc_input_write(network, recording, strcmp(o->part, "test") == 0 ? RETC_TEST : RETC_TRAIN, target, &o->inputs,
                            strcmp(o->input, "full") == 0, file, progress);
}

/* Which channels of the first convolution act through which of the second. */
static int
write_paths(options *o, const retc_network *network, retc_recording *recording, const retc_target *target, retc_h5 *file,
            const retc_progress *progress) {
    if (!o->paths)
        return RETC_OK;
    o->pairs.baseline = o->contribute.baseline;
    o->pairs.threads = o->common.threads;
    if (o->contribute.steps)
        o->pairs.steps = o->contribute.steps;
    return retc_pairs_write(network, recording, strcmp(o->part, "test") == 0 ? RETC_TEST : RETC_TRAIN, target, &o->pairs, file,
                            progress);
}

static void
set_contribute(options *o) {
    o->contribute.threads = o->common.threads;
    retc_method_arguments_set(&o->method, o->common.seed, &o->contribute);
    o->contribute.place = strcmp(o->place, "norm") == 0           ? RETC_AT_NORM
                          : strcmp(o->place, "nonlinearity") == 0 ? RETC_AT_NONLINEARITY
                                                                  : RETC_AT_CONVOLUTION;
}

int
retc_cmd_contribute(int argc, char **argv) {
    options o = {.target = retc_target_arguments_default(),
                 .part = "test",
                 .method = {.name = "secant"},
                 .place = "convolution",
                 .baseline = "grey",
                 .baselines = 10,
                 .blur = 5,
                 .contribute = retc_contribute_default(),
                 .reduce = "split",
                 .pairs = retc_pairs_default(),
                 .input = "none",
                 .inputs = retc_input_default(),
                 .reductions = {.patch = 4, .radius = 5},
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
        {"baseline", 0, RETC_OPTION_CHOICE, 0, &o.baseline, 0, 0, "grey|mean|frame|blur|windows",
         "what contributions are counted from: mean grey, the mean of every pixel, one frame, the blurred stimulus, or "
         "the mean over random windows (expected gradients)"},
        {"baseline-frame", 0, RETC_OPTION_SIZE, 0, &o.baseline_frame, 0, 1e12, NULL, "frame of the train part, from 0"},
        {"blur", 0, RETC_OPTION_DOUBLE, 0, &o.blur, 0.1, 1e4, "pixels", "standard deviation of the blur"},
        {"baselines", 0, RETC_OPTION_SIZE, 0, &o.baselines, 1, 1e4, NULL, "random windows of the train part"},
        {"reduce", 0, RETC_OPTION_TEXT, 0, &o.reduce, 0, 0, NULL,
         "what is written of every layer, one or more with commas between them: split (always there; sums of the negative "
         "and of the positive units of each channel), maps (all units), sum (one number per channel), patch (split, of "
         "patches of units), neighbourhood (split, of the units around every cell)"},
        {"patch", 0, RETC_OPTION_SIZE, 0, &o.reductions.patch, 1, 1e6, "units", "side of a patch"},
        {"radius", 0, RETC_OPTION_DOUBLE, 0, &o.reductions.radius, 0, 1e6, "pixels",
         "of a neighbourhood, between the middles of receptive fields"},
        {"paths", 0, RETC_OPTION_FLAG, 0, &o.paths, 0, 0, NULL,
         "also write which channels of the first convolution act through which channels of the second, on the target and on "
         "every cell: means over samples (secants, 16 steps unless --steps says otherwise)"},
        {"paths-every", 0, RETC_OPTION_SIZE, 0, &o.pairs.every, 1, 1e9, "runs",
         "take one run of 16 samples of so many for --paths"},
        {"input", 0, RETC_OPTION_CHOICE, 0, &o.input, 0, 0, "none|map|full",
         "also write how much every pixel drove the target: summed over the history and over pixels, or in full, every frame "
         "of "
         "every window, cut to what a target cell sees (secants, 16 steps unless --steps says otherwise)"},
        {"input-every", 0, RETC_OPTION_SIZE, 0, &o.inputs.every, 1, 1e9, "runs",
         "take one run of 16 samples of so many for --input"},
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
    retc_baseline baseline = retc_baseline_grey();
    double *centre = NULL;
    retc_completeness completeness;
    retc_h5 *file = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    set_contribute(&o);
    RETC_TRY(retc_reduction_parse(o.reduce, &o.reductions.kinds));
    RETC_TRY(RETC_GOT(network = retc_network_open(o.model)));
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    const retc_progress *progress = retc_meter_start("contribute", o.common.quiet);
    RETC_TRY(make_baseline(&o, network, recording, &baseline));
    o.contribute.baseline = &baseline;
    RETC_TRY(retc_target_arguments_make(&o.target, network, recording, o.common.threads, progress, &target));
    RETC_TRY(set_reductions(&o, network, recording, progress, &centre));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_contribute_write(network, recording, strcmp(o.part, "test") == 0 ? RETC_TEST : RETC_TRAIN, &target,
                                   &o.contribute, &o.reductions, o.recording, file, progress, &completeness));
    RETC_TRY(write_paths(&o, network, recording, &target, file, progress));
    RETC_TRY(write_input(&o, network, recording, &target, file, progress));
    retc_meter_stop();
    RETC_TRY(retc_h5_set_text(file, "/", "baseline", o.baseline));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    say_completeness(&o, network, &target, &completeness);
    RETC_TRY(say_statistics(&o, network));
    if (completeness.unconverged)
        status = RETC_NOT_CONVERGED;
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_target_clear(&target);
    retc_baseline_clear(&baseline);
    retc_free(centre);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}
