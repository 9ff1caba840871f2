#include <math.h>

#include "command.h"
#include "protocol_index.h"
#include "recording_arguments.h"

typedef struct {
    const char *recording;
    retc_recording_arguments open;
    retc_protocol_response_options response;
    double bin, history; /* ms, s */
    retc_common common;
} options;

static const retc_usage usage = {"protocol", "what cells answer to a protocol, and the indices that classify them",
                                 "Averages responses over the trials of each condition of a protocol (retcodec stimulus "
                                 "flashes, moving-bar, ...) and computes "
                                 "the indices that the literature classifies cells by, as far as the conditions allow:\n\n"
                                 "  f2_f1                 frequency doubling to reversing gratings (Hochstein & Shapley 1976)\n"
                                 "  f1_f0                 modulation by gratings\n"
                                 "  direction_index, orientation_index, preferred_direction\n"
                                 "  object_motion_index   differential against global motion (Olveczky et al. 2003)\n"
                                 "  anticipation          flash latency less lag behind a moving bar (Berry et al. 1999)\n"
                                 "  gain_ratio, filter_speedup, rate_decay\n"
                                 "                        contrast adaptation (Baccus & Meister 2002)\n"
                                 "  on_off_index, surround_suppression, reversal_index, omission_index, approach_index\n\n"
                                 "The trials are those that a simulated retina's recording holds, or come from a text table "
                                 "(--trials): a line with the names "
                                 "of its columns, onset and duration (s, on the clock of the spike times) and parameters such "
                                 "as direction or contrast, then a "
                                 "line per trial.  \"retcodec figure protocol\" draws the result.",
                                 "retcodec protocol recording.h5 -o responses.h5"};

/* A line per cell: the indices in their order. */
static void
say_indices(const options *o, const retc_protocol_response *r, const retc_protocol_index *indices, size_t n) {
    const char *protocol = r->trials.protocol[0] ? r->trials.protocol : "protocol";
    retc_say(&o->common, "%s: %s, %zu trials of %zu conditions, %zu cells\n", o->common.output, protocol, r->trials.trials,
             r->trials.conditions, r->cells);
    for (size_t j = 0; j < r->cells && n > 0; ++j) {
        retc_say(&o->common, "%-10s%s%s", r->name[j], r->type ? "  " : "", r->type ? r->type[j] : "");
        for (size_t i = 0; i < n; ++i) {
            if (isfinite(indices[i].value[j]))
                retc_say(&o->common, "  %s %.3g%s%s", indices[i].name, indices[i].value[j], indices[i].unit[0] ? " " : "",
                         indices[i].unit);
            else
                retc_say(&o->common, "  %s -", indices[i].name);
        }
        retc_say(&o->common, "\n");
    }
}

static int
run(options *o, const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_recording *recording = NULL;
    retc_protocol_response response = {0};
    retc_protocol_index *indices = NULL;
    size_t n = 0;
    retc_h5 *file = NULL;
    o->response.bin = o->bin / 1000;
    RETC_TRY(retc_recording_arguments_open(&o->open, &o->common, o->recording, &recording));
    RETC_TRY(retc_protocol_response_compute(recording, &o->response, retc_meter_start("protocol", o->common.quiet), &response));
    retc_meter_stop();
    RETC_TRY(retc_protocol_indices(&response, &indices, &n));
    RETC_TRY(retc_protocol_adaptation(recording, &o->response, o->history, &response, &indices, &n));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o->common.output, o->common.force)));
    RETC_TRY(retc_protocol_write(&response, indices, n, file));
    RETC_TRY(retc_command_finish(file, &o->common, provenance));
    say_indices(o, &response, indices, n);

done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_protocol_indices_free(indices, n);
    retc_protocol_response_free(&response);
    retc_recording_close(recording);
    return status;
}

int
retc_cmd_protocol(int argc, char **argv) {
    options o = {.open = RETC_RECORDING_DEFAULT, .history = 0.4, .common = {.seed = 1}};
    retc_protocol_response_default(&o.response);
    const retc_option table[] = {
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording of responses to a protocol"},
        {"trials", 0, RETC_OPTION_INPUT, 0, &o.response.trials, 0, 0, NULL,
         "text table of trials, in place of those in the recording"},
        {"protocol", 0, RETC_OPTION_TEXT, 0, &o.response.protocol, 0, 0, NULL,
         "name of the protocol, in place of the one in the recording"},
        {"part", 0, RETC_OPTION_CHOICE, 0, &o.response.part, 0, 0, "auto|train|test",
         "of the recording; auto: test if it has trials, else train"},
        {"bin", 0, RETC_OPTION_DOUBLE, 0, &o.bin, 0, 1e6, "ms", "of mean responses, to whole frames; 0: one frame"},
        {"before", 0, RETC_OPTION_DOUBLE, 0, &o.response.before, 0, 1e4, "s", "shown before each trial, as far as it is grey"},
        {"after", 0, RETC_OPTION_DOUBLE, 0, &o.response.after, 0, 1e4, "s", "shown after each trial, as far as it is grey"},
        {"history", 0, RETC_OPTION_DOUBLE, 0, &o.history, 1e-3, 100, "s", "length of the filters of contrast adaptation"},
        {"truth", 0, RETC_OPTION_FLAG, 0, &o.response.truth, 0, 0, NULL,
         "use the true rates of a simulated retina in place of its spikes"},
        RETC_RECORDING_CELLS(o.open),
        RETC_COMMON_OUTPUT(o.common, "responses to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status == RETC_OK)
        status = run(&o, provenance);
    retc_command_end(table, provenance);
    return status;
}
