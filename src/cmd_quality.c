#include "command.h"
#include "quality.h"
#include "recording_arguments.h"

typedef struct {
    const char *recording;
    retc_recording_arguments open;
    retc_quality_options quality;
    retc_common common;
} options;

static const retc_usage usage = {
    "quality", "is a recording fit for models, and how good can they get?",
    "Looks at a recording and prints a report, which the output holds too: frame intervals, parts and stimulus; of every "
    "cell the rate, how many intervals between spikes are too short for one cell (where the file holds spike times), how its "
    "rate and the latency of its spike-triggered average drift, how reproducible its responses to the repeated test stimulus "
    "are, and the noise ceiling: the correlation that a perfect model would reach.  What is odd is said in sentences.\n\n"
    "split-half r: correlation of the mean responses in two random halves of the repeats; reliability: what it would be "
    "with all repeats (Spearman-Brown).  Odd against even repeats shows noise only, the first against the second half "
    "drift as well; \"same, without noise\" is the latter without the noise: below 1 the response itself has changed.  "
    "signal / noise: power of the response that is shared by all repeats over the power of what is not, in single frames "
    "(Sahani & Linden 2003).  noise ceiling: Schoppe et al. 2016; unbiased ceiling: Pospisil & Bair 2021, on square roots "
    "of counts.  Fano: variance over mean of the counts in frames and in whole repeats.",
    "retcodec quality recording.h5 -o quality.h5"};

static int
say_report(const options *o, const retc_quality *quality) {
    char *text = retc_quality_text(quality);
    if (text)
        retc_say(&o->common, "%s", text);
    retc_free(text);
    return RETC_GOT(text);
}

int
retc_cmd_quality(int argc, char **argv) {
    options o = {.quality = retc_quality_options_default(), .open = RETC_RECORDING_DEFAULT, .common = {.seed = 1}};
    const retc_option table[] = {
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"history", 0, RETC_OPTION_SIZE, 0, &o.quality.history, 1, 1e6, "frames",
         "how far back a response may depend on the stimulus: so many test frames less one are not scored"},
        {"resamples", 0, RETC_OPTION_SIZE, 0, &o.quality.resamples, 0, 1e6, NULL,
         "draws of repeats that intervals come from; 0: no intervals"},
        {"tolerance", 0, RETC_OPTION_DOUBLE, 0, &o.quality.tolerance, 1e-6, 1e6, NULL,
         "share of the median interval by which a frame may be off before it counts as irregular"},
        {"latency", 0, RETC_OPTION_FLAG, 0, &o.quality.latency, 0, 0, NULL,
         "follow the latency of spike-triggered averages; --latency=no saves the time they take"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "report to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_h5 *file = NULL;
    retc_quality quality = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.quality.seed = o.common.seed;
    o.quality.threads = o.common.threads;
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    RETC_TRY(retc_quality_examine(recording, &o.quality, retc_meter_start("quality", o.common.quiet), &quality));
    retc_meter_stop();
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_quality_write(&quality, file));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    RETC_TRY(say_report(&o, &quality));
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_quality_clear(&quality);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}
