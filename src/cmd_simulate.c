#include "command.h"
#include "simulate.h"

typedef struct {
    retc_simulate_options simulate;
    retc_common common;
} options;

static const retc_usage usage = {
    "simulate", "play stimuli to a simulated retina",
    "A small retina whose truth is known: every ganglion cell, ON or OFF, pools rectified bipolar units and is inhibited "
    "by a slower, broader amacrine unit; its spikes are Poisson. The spikes of a frame depend on the frames before it "
    "(lag 1), up to 250 ms back. The test stimulus is shown --repeats times.\n\n"
    "The recording holds the signals of all interneurons, how they are wired, their filters, and the true firing rates. "
    "Stimuli come from \"retcodec stimulus\"; give test and train stimulus different seeds.",
    "retcodec simulate --train noise.h5 --cells 4 -o recording.h5"};

static void
say_summary(const options *o, const retc_simulate_summary *summary) {
    retc_say(&o->common, "%s: %zu train and %zu test frames at %.4g Hz, %zu cells, %zu interneurons\n", o->common.output,
             summary->frames[RETC_TRAIN], summary->frames[RETC_TEST], 1 / summary->frame_interval, summary->cells,
             summary->units);
    retc_say(&o->common, "mean rates (Hz):");
    for (size_t cell = 0; cell < summary->cells; ++cell)
        retc_say(&o->common, " %.1f", summary->rate[cell]);
    retc_say(&o->common, "\n");
    if (summary->test_is_train)
        retc_say(&o->common, "warning: the test stimulus begins like the train stimulus; make it with another --seed\n");
}

int
retc_cmd_simulate(int argc, char **argv) {
    options o = {.simulate = {.repeats = 30}, .common = {.seed = 1}};
    retc_circuit_default(&o.simulate.circuit);
    const retc_option table[] = {
        {"train", 0, RETC_OPTION_INPUT, RETC_OPTION_REQUIRED, &o.simulate.train, 0, 0, NULL,
         "stimulus file of the train part"},
        {"test", 0, RETC_OPTION_INPUT, 0, &o.simulate.test, 0, 0, NULL, "stimulus file of the test part"},
        {"no-movie", 0, RETC_OPTION_FLAG, 0, &o.simulate.no_movie, 0, 0, NULL,
         "store the recipes of the stimuli in place of their frames; they must have been made with --recipe"},
        {"repeats", 0, RETC_OPTION_SIZE, 0, &o.simulate.repeats, 1, 10000, NULL, "times that the test stimulus is shown"},
        {"cells", 0, RETC_OPTION_SIZE, 0, &o.simulate.circuit.cells, 1, 999, NULL, "ganglion cells"},
        {"bipolars", 0, RETC_OPTION_SIZE, 0, &o.simulate.circuit.bipolars, 1, 99, NULL, "bipolar units of each cell"},
        {"spacing", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.spacing, 0, 1e4, "pixels",
         "distance of neighbouring bipolar units"},
        {"center", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.center_sigma, 0.1, 1e3, "pixels",
         "sigma of a bipolar centre"},
        {"surround", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.surround_sigma, 0.1, 1e3, "pixels",
         "sigma of a bipolar surround, larger than the centre"},
        {"surround-weight", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.surround_weight, 0, 1, NULL,
         "volume of the surround over that of the centre"},
        {"amacrine", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.amacrine_sigma, 0.1, 1e3, "pixels",
         "sigma of an amacrine unit"},
        {"inhibition", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.inhibition, 0, 100, NULL,
         "weight of the amacrine unit over the sum of the bipolar ones; 0: no inhibition"},
        {"rate", 0, RETC_OPTION_DOUBLE, 0, &o.simulate.circuit.rate, 0.01, 1000, "Hz",
         "mean firing rate; single cells lie within a third of it"},
        RETC_COMMON_OUTPUT(o.common, "recording to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording_writer *writer = NULL;
    retc_simulate_summary summary = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.simulate.circuit.seed = o.common.seed;
    const retc_progress *progress = retc_meter_start("simulate", o.common.quiet);
    RETC_TRY(retc_simulate(&o.simulate, o.common.output, o.common.force, progress, &writer, &summary));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(retc_recording_writer_file(writer), &o.common, provenance));
    say_summary(&o, &summary);

done:
    retc_meter_stop();
    retc_simulate_summary_free(&summary);
    retc_recording_writer_free(writer);
    retc_command_end(table, provenance);
    return status < 0 ? status : RETC_OK;
}
