#include <math.h>

#include "command.h"
#include "recording_arguments.h"
#include "sta.h"

typedef struct {
    const char *kind, *recording;
    retc_sta_options sta;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "rf", "receptive fields as averages: what came before spikes",
    "rf sta: the spike-triggered average of every cell on the train part, of the stimulus normalised by its mean and "
    "standard deviation, oldest frame first; only windows inside one stretch of continuous time count.  The level is "
    "what chance reaches anywhere in the average with probability alpha: it comes from averages after circular shifts of "
    "the responses.  Behind the average, scaled to unit length, stands the static nonlinearity: the mean rate in equally "
    "populated bins.",
    "retcodec rf sta recording.h5 --history 40 --lag 1 -o rf.h5"};

static void
say_cells(const options *o, const retc_sta *sta, const retc_recording *recording) {
    retc_say(&o->common, "%-16s %9s %4s %12s %9s %9s %s\n", "cell", "spikes", "sign", "latency (ms)", "peak", "level",
             "significant");
    for (size_t n = 0; n < sta->revcorr.N; ++n) {
        double peak = retc_sta_peak_value(sta, n);
        retc_say(&o->common, "%-16s %9.0f %4s %12.1f %9.4f %9.4f %s\n", retc_recording_cell_name(recording, n),
                 sta->revcorr.spikes[n],
                 peak > 0   ? "ON"
                 : peak < 0 ? "OFF"
                            : "-",
                 retc_sta_latency(sta, n) * 1e3, peak, sta->level[n],
                 isnan(sta->level[n])           ? "-"
                 : retc_sta_significant(sta, n) ? "yes"
                                                : "no");
    }
}

static int
rf_sta(int argc, char **argv) {
    options o = {.sta = retc_sta_options_default(), .open = RETC_RECORDING_DEFAULT, .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "sta",
         "kind of receptive field"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"history", 0, RETC_OPTION_SIZE, 0, &o.sta.history, 1, 1e6, "frames", "length of the average"},
        {"lag", 0, RETC_OPTION_SIZE, 0, &o.sta.lag, 0, 1e6, "frames",
         "frames between the newest frame and the response; 0: the response falls in the newest frame"},
        {"shuffles", 0, RETC_OPTION_SIZE, 0, &o.sta.shuffles, 0, 1e6, NULL, "shifts for the chance level; 0: no level"},
        {"alpha", 0, RETC_OPTION_DOUBLE, 0, &o.sta.alpha, 1e-6, 0.5, NULL,
         "chance that a cell without receptive field exceeds its level anywhere"},
        {"bins", 0, RETC_OPTION_SIZE, 0, &o.sta.bins, 1, 1e5, NULL, "bins of the nonlinearity"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "file of receptive fields to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_h5 *file = NULL;
    retc_sta sta = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.sta.seed = o.common.seed;
    o.sta.threads = o.common.threads;
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    RETC_TRY(retc_sta_estimate(recording, &o.sta, retc_meter_start("sta", o.common.quiet), &sta));
    retc_meter_stop();
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_sta_write(&sta, recording, file));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    say_cells(&o, &sta, recording);
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_sta_clear(&sta);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}

int
retc_cmd_rf(int argc, char **argv) {
    static const retc_command_kind kinds[] = {{"sta", rf_sta}, {"irf", retc_cmd_rf_irf}, {NULL, NULL}};
    return retc_command_run_kind(kinds, "kind of receptive field", argc, argv);
}
