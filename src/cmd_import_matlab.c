#include "cmd_import.h"
#include "import_matlab.h"

typedef struct {
    const char *kind;
    retc_import_matlab_options import;
    retc_text_list files;
    retc_common common;
} options;

static const retc_usage usage = {
    "import", "make a recording from MATLAB files",
    "import matlab: variables of one or several MAT files (v5, and v7.3 that save -v7.3 makes). Known conventions are found by "
    "the names of the variables; options name what is called otherwise. A variable in a structure is STRUCT.FIELD. Spike times "
    "are a vector, a cell array of vectors, or a field of a structure array (SpTimes.sp); counts are a matrix of frames and "
    "cells, in either order. Axes are given as MATLAB shows them: a movie that is size 50x60x1000 there, rows, columns and "
    "frames, has --axes yxt.\n\n"
    "What was found, what was assumed and what is odd about it is printed; nothing is repaired.",
    "retcodec import matlab cells.mat stimulus.mat --stimulus movie --axes yxt --spikes spikes --times onsets --tick 1000 -o "
    "recording.h5"};

int
retc_cmd_import_matlab(int argc, char **argv) {
    options o = {.kind = "matlab", .import = retc_import_matlab_default(), .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "matlab",
         "kind of files"},
        {"preset", 0, RETC_OPTION_CHOICE, 0, &o.import.preset, 0, 0, "auto|free|neu560|retina-invariance|stnmf|karamanlis",
         "convention of the variables; auto: by their names"},
        {"stimulus", 0, RETC_OPTION_TEXT, 0, &o.import.stimulus, 0, 0, NULL, "variable that holds the movie"},
        {"axes", 0, RETC_OPTION_TEXT, 0, &o.import.axes, 0, 0, NULL,
         "its axes: t time, y rows, x columns; without it t for a vector, tx for a matrix, else yxt"},
        {"spikes", 0, RETC_OPTION_TEXT, 0, &o.import.spikes, 0, 0, NULL, "variable of the spike times"},
        {"counts", 0, RETC_OPTION_TEXT, 0, &o.import.counts, 0, 0, NULL, "variable of spike counts per frame, instead"},
        {"count-axes", 0, RETC_OPTION_TEXT, 0, &o.import.count_axes, 0, 0, NULL,
         "its axes: tn or nt, n cells; without it as the lengths tell"},
        {"rates", 0, RETC_OPTION_FLAG, 0, &o.import.rates, 0, 0, NULL, "the counts are rates in Hz"},
        {"times", 0, RETC_OPTION_TEXT, 0, &o.import.times, 0, 0, NULL, "variable of the times at which frames came on"},
        {"interval", 0, RETC_OPTION_TEXT, 0, &o.import.interval, 0, 0, NULL,
         "time from frame to frame in s, instead: a number, or a variable"},
        {"tick", 0, RETC_OPTION_DOUBLE, 0, &o.import.tick, 0, 1e9, "Hz",
         "unit of spike and frame times: 1 for s, 1000 for ms; 0: as the convention has it, else 1"},
        {"test-fraction", 0, RETC_OPTION_DOUBLE, 0, &o.import.test_fraction, 0, 0.9, NULL,
         "last part of the recording that becomes the test part; not with karamanlis and stnmf"},
        {"keep-empty", 0, RETC_OPTION_FLAG, 0, &o.import.keep_empty, 0, 0, NULL, "keep cells without a spike in the stimulus"},
        {"screen-height", 0, RETC_OPTION_SIZE, 0, &o.import.screen_height, 1, 1e5, "pixels", "karamanlis: rows of the screen"},
        {"screen-width", 0, RETC_OPTION_SIZE, 0, &o.import.screen_width, 1, 1e5, "pixels", "karamanlis: columns of the screen"},
        {"reduce", 0, RETC_OPTION_SIZE, 0, &o.import.reduce, 1, 1e4, NULL,
         "karamanlis: a pixel of the movie is the mean of so many by so many of the screen"},
        {"files", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.files, 0, 0, NULL, "MAT files"},
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
    o.import.files = o.files.text;
    o.import.n_files = o.files.n;
    RETC_TRY(retc_import_matlab(&o.import, o.common.output, o.common.force, retc_meter_start("import", o.common.quiet), &writer,
                                &report));
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
