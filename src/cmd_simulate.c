#include <string.h>

#include "command.h"
#include "simulate.h"

typedef struct {
    retc_simulate_options simulate;
    const char *preset, *config, *explain, *calibrate, *adaptation, *spikes;
    size_t cells;
    double rate, pixel, gain_control;
    int print_config;
    retc_common common;
} options;

static const retc_usage usage = {
    "simulate", "play stimuli to a simulated retina",
    "A retina whose truth is known: photoreceptors, mosaics of bipolar cells, narrow and wide amacrine cells that inhibit "
    "ganglion "
    "cells and bipolar terminals, and ganglion cells of several types on mosaics. The spikes of a frame depend on the frames "
    "before it (lag 1). The test stimulus is shown --repeats times.\n\n"
    "All parameters stand in one text file with units and sources: --print-config writes it, --config reads it; what it leaves "
    "out is taken from the preset. Presets:\n\n"
    "  tiny              four cells and about a dozen interneurons, for movies of about 12 x 12 pixels\n"
    "  salamander-like   twenty cells of five types and some hundred interneurons, for about 50 x 50 pixels\n\n"
    "The recording holds the signals of all interneurons, the wiring, the filters, the receptive fields on mean grey and the "
    "true "
    "firing rates; and for the parts that --truth names, how much every interneuron contributed to every cell over time, and "
    "what "
    "silencing it does. Stimuli come from \"retcodec stimulus\"; give test and train stimulus different seeds.",
    "retcodec simulate --train noise.h5 --cells 4 -o recording.h5"};

static void
say_summary(const options *o, const retc_simulate_summary *summary) {
    retc_say(&o->common, "%s: %zu train and %zu test frames at %.4g Hz, %zu cells, %zu bipolar and %zu amacrine cells\n",
             o->common.output, summary->frames[RETC_TRAIN], summary->frames[RETC_TEST], 1 / summary->frame_interval,
             summary->cells, summary->bipolars, summary->amacrines);
    retc_say(&o->common, "mean rates (Hz):");
    for (size_t cell = 0; cell < summary->cells; ++cell)
        retc_say(&o->common, " %.1f", summary->rate[cell]);
    retc_say(&o->common, "\n");
    if (summary->levels)
        retc_say(&o->common, "contributions: %zu steps; with half of them they differ by up to %.2g of the largest response\n",
                 summary->levels, summary->difference);
    if (summary->difference > RETC_EXPLAIN_TOLERANCE)
        retc_say(&o->common, "warning: that is more than %g\n", RETC_EXPLAIN_TOLERANCE);
    if (summary->test_is_train)
        retc_say(&o->common, "warning: the test stimulus begins like the train stimulus; make it with another --seed\n");
}

static size_t
find(const char *const *names, const char *name) {
    size_t i = 0;
    while (strcmp(names[i], name) != 0)
        ++i;
    return i;
}

/* The preset, then the file, then the options. */
static int
configure(options *o) {
    static const char *const parts[] = {"none", "test", "all"}, *const calibrations[] = {"stimulus", "noise"},
                             *const processes[] = {"poisson", "refractory", "gamma"}, *const adaptations[] = {"no", "yes"};
    int status = RETC_OK;
    retc_circuit_options *circuit = &o->simulate.circuit;
    RETC_TRY(retc_circuit_preset(o->preset, circuit));
    if (o->config)
        RETC_TRY(retc_circuit_config_read(o->config, circuit));
    if (o->cells)
        retc_circuit_set_cells(circuit, o->cells);
    if (o->rate > 0)
        circuit->rate = o->rate;
    if (o->pixel > 0)
        circuit->pixel = o->pixel;
    if (o->calibrate)
        circuit->calibration = find(calibrations, o->calibrate);
    if (o->adaptation)
        circuit->photoreceptor.adaptation = find(adaptations, o->adaptation);
    if (o->gain_control >= 0)
        circuit->gain_strength = o->gain_control;
    if (o->spikes)
        circuit->spikes = find(processes, o->spikes);
    circuit->seed = o->common.seed;
    o->simulate.explain = (retc_explain)find(parts, o->explain);
    o->simulate.threads = o->common.threads;
    RETC_TRY(retc_circuit_config_check(circuit));

done:
    return status;
}

/* Writing the configuration needs neither stimulus nor output. */
static int
asks_for_config(int argc, char **argv) {
    for (int i = 1; i < argc; ++i)
        if (!strcmp(argv[i], "--print-config"))
            return 1;
    return 0;
}

static int
run(options *o, const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_recording_writer *writer = NULL;
    retc_simulate_summary summary = {0};
    const retc_progress *progress = retc_meter_start("simulate", o->common.quiet);
    RETC_TRY(retc_simulate(&o->simulate, o->common.output, o->common.force, progress, &writer, &summary));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(retc_recording_writer_file(writer), &o->common, provenance));
    say_summary(o, &summary);

done:
    retc_meter_stop();
    retc_simulate_summary_free(&summary);
    retc_recording_writer_free(writer);
    return status < 0 ? status : RETC_OK;
}

int
retc_cmd_simulate(int argc, char **argv) {
    options o = {.simulate = {.repeats = 30}, .preset = "tiny", .explain = "test", .gain_control = -1, .common = {.seed = 1}};
    int required = asks_for_config(argc, argv) ? 0 : RETC_OPTION_REQUIRED;
    const retc_option table[] = {
        {"train", 0, RETC_OPTION_INPUT, required, &o.simulate.train, 0, 0, NULL, "stimulus file of the train part"},
        {"test", 0, RETC_OPTION_INPUT, 0, &o.simulate.test, 0, 0, NULL, "stimulus file of the test part"},
        {"no-movie", 0, RETC_OPTION_FLAG, 0, &o.simulate.no_movie, 0, 0, NULL,
         "store the recipes of the stimuli in place of their frames; they must have been made with --recipe"},
        {"repeats", 0, RETC_OPTION_SIZE, 0, &o.simulate.repeats, 1, 10000, NULL, "times that the test stimulus is shown"},
        {"preset", 0, RETC_OPTION_CHOICE, 0, &o.preset, 0, 0, "tiny|salamander-like", "circuit to start from"},
        {"config", 0, RETC_OPTION_INPUT, 0, &o.config, 0, 0, NULL, "file of parameters that differ from the preset"},
        {"print-config", 0, RETC_OPTION_FLAG, 0, &o.print_config, 0, 0, NULL,
         "write the configuration with all its parameters to standard output, and do nothing else"},
        {"cells", 0, RETC_OPTION_SIZE, 0, &o.cells, 0, 999, NULL,
         "ganglion cells in all, dealt out over the types that the configuration has; 0: as many as it has"},
        {"pixel", 0, RETC_OPTION_DOUBLE, 0, &o.pixel, 0, 1e4, "um", "side of a pixel on the retina; 0: as configured"},
        {"rate", 0, RETC_OPTION_DOUBLE, 0, &o.rate, 0, 1000, "Hz", "mean firing rate over cells; 0: as configured"},
        {"calibrate", 0, RETC_OPTION_CHOICE, 0, &o.calibrate, 0, 0, "stimulus|noise",
         "set gains and rates on the train stimulus, or on noise, which makes the same retina whatever it sees; without it as "
         "configured"},
        {"adaptation", 0, RETC_OPTION_CHOICE, 0, &o.adaptation, 0, 0, "no|yes",
         "whether photoreceptors adapt to luminance; without it as configured"},
        {"gain-control", 0, RETC_OPTION_DOUBLE, 0, &o.gain_control, -1, 100, NULL,
         "strength of contrast gain control, per standard deviation of a ganglion cell's input; -1: as configured"},
        {"spikes", 0, RETC_OPTION_CHOICE, 0, &o.spikes, 0, 0, "poisson|refractory|gamma",
         "how spikes are drawn; without it as configured"},
        {"truth", 0, RETC_OPTION_CHOICE, 0, &o.explain, 0, 0, "none|test|all",
         "parts for which true contributions and knock-outs are computed"},
        {"output", 'o', RETC_OPTION_OUTPUT, required, &o.common.output, 0, 0, NULL, "recording to write"},
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(configure(&o));
    if (o.print_config)
        retc_circuit_config_print(stdout, &o.simulate.circuit);
    else
        RETC_TRY(run(&o, provenance));

done:
    retc_command_end(table, provenance);
    return status;
}
