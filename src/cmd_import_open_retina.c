#include "cmd_import.h"
#include "import_open_retina.h"

typedef struct {
    const char *kind;
    retc_import_open_retina_options import;
    retc_common common;
} options;

static const retc_usage usage = {
    "import", "make a recording from session files of open-retina",
    "import open-retina: one session file, or a folder of them (.h5, .hdf5) that show the same stimuli and become one "
    "recording of "
    "all their cells. Datasets responses_NAME are the responses (cells, frames) to stimulus NAME, whose movie (channels, "
    "frames, "
    "rows, columns) is stimulus_NAME in a session, or NAME.npy in the folder stimuli beside them.\n\n"
    "The files do not say which stimuli are for testing: --test names them. All others, in sorted order, are the train part. "
    "Nor do they say whether responses are spike counts or rates: look at what is printed.",
    "retcodec import open-retina session.h5 --test natural_test --frame-rate 30 --responses rates -o recording.h5"};

/* The session files belong to how the output was made, but a folder is no input file. */
static int
add_sessions(const char *path, retc_provenance *provenance) {
    int status = RETC_OK;
    char **files = NULL;
    size_t n = 0;
    RETC_TRY(retc_open_retina_sessions(path, &files, &n));
    for (size_t i = 0; i < n; ++i)
        RETC_TRY(retc_provenance_add_input(provenance, files[i]));

done:
    retc_free(files);
    return status;
}

int
retc_cmd_import_open_retina(int argc, char **argv) {
    options o = {.import = {.responses = "auto", .channel = "mean", .test_fraction = 0.1}, .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "open-retina",
         "kind of files"},
        {"sessions", 0, RETC_OPTION_TEXT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.import.path, 0, 0, NULL,
         "session file, or a folder of them"},
        {"test", 0, RETC_OPTION_TEXT, 0, &o.import.test, 0, 0, NULL, "stimuli of the test part, NAME,..."},
        {"test-fraction", 0, RETC_OPTION_DOUBLE, 0, &o.import.test_fraction, 0, 0.9, NULL,
         "without --test: last part of the frames that becomes the test part"},
        {"responses", 0, RETC_OPTION_CHOICE, 0, &o.import.responses, 0, 0, "auto|counts|rates",
         "spikes per frame, or spikes/s; auto: counts when all are whole numbers"},
        {"frame-rate", 0, RETC_OPTION_DOUBLE, 0, &o.import.frame_rate, 0, 1e6, "Hz", "0: as session_info/frame_interval says"},
        {"channel", 0, RETC_OPTION_TEXT, 0, &o.import.channel, 0, 0, NULL, "channel of the movies, from 0, or their mean"},
        {"stimuli", 0, RETC_OPTION_TEXT, 0, &o.import.stimuli, 0, 0, NULL,
         "folder of NAME.npy; stimuli beside the sessions unless given"},
        RETC_COMMON_OUTPUT(o.common, "recording to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(add_sessions(o.import.path, provenance));
    RETC_TRY(retc_import_open_retina(&o.import, o.common.output, o.common.force, retc_meter_start("import", o.common.quiet),
                                     &writer, &report));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(retc_recording_writer_file(writer), &o.common, provenance));
    RETC_TRY(retc_say_import(&o.common, &report));

done:
    retc_meter_stop();
    retc_import_report_free(&report);
    retc_recording_writer_free(writer);
    retc_command_end(table, provenance);
    return status < 0 ? status : RETC_OK;
}
