#include "cmd_import.h"
#include "import_nwb.h"

typedef struct {
    const char *kind;
    retc_import_nwb_options import;
    retc_common common;
} options;

static const retc_usage usage = {
    "import", "make a recording from an NWB 2 file",
    "import nwb: spike times from the table of units, the movie from the series of pictures that were presented (ImageSeries, "
    "OpticalSeries, or an IndexSeries of pictures), both found by their type wherever they stand, also behind links. A "
    "spike belongs to the frame that is on the screen. All other columns of the units are kept under cells/ in the "
    "recording.\n\n"
    "NWB stores pictures column by column (axes txy), but many files hold rows first (tyx): look at what is printed. Grey "
    "levels become 0 ... 255; RGB is averaged.\n\n"
    "--test makes a repeated test part of rows of the tables of intervals (trials, epochs): of the table of that name, of the "
    "rows with that word in a column of text, of the rows where COLUMN holds VALUE (COLUMN=VALUE), or, with --test repeated, "
    "of "
    "all trials that show what another trial shows. Rows that show the same frames become repeats. Without it the last part of "
    "the movie is the test part.\n\n"
    "Frames in invalid_times are left out. What was found, and what is odd about it, is printed.",
    "retcodec import nwb session.nwb --axes tyx --where quality=good --test repeated -o recording.h5"};

int
retc_cmd_import_nwb(int argc, char **argv) {
    options o = {.import = {.axes = "txy", .grey = "auto", .test_fraction = 0.1, .pause = 5}, .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "nwb", "kind of files"},
        {"file", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.import.file, 0, 0, NULL, "NWB file"},
        {"axes", 0, RETC_OPTION_CHOICE, 0, &o.import.axes, 0, 0, "txy|tyx",
         "axes of stored pictures: t frame, x column, y row"},
        {"test", 0, RETC_OPTION_TEXT, 0, &o.import.test, 0, 0, NULL,
         "rows of intervals that are the test part: a table, a word, COLUMN=VALUE, or repeated"},
        {"test-fraction", 0, RETC_OPTION_DOUBLE, 0, &o.import.test_fraction, 0, 0.9, NULL,
         "without --test: last part of the movie that becomes the test part"},
        {"cells", 0, RETC_OPTION_TEXT, 0, &o.import.cells, 0, 0, NULL, "ids of units, 0,3,7-9; all unless given"},
        {"where", 0, RETC_OPTION_TEXT, 0, &o.import.where, 0, 0, NULL, "conditions on units, COLUMN=VALUE,...; all must hold"},
        {"names", 0, RETC_OPTION_TEXT, 0, &o.import.names, 0, 0, NULL,
         "column that names the cells; \"unit\" and the id unless given"},
        {"units", 0, RETC_OPTION_TEXT, 0, &o.import.units, 0, 0, NULL, "table of units, where there are several"},
        {"stimulus", 0, RETC_OPTION_TEXT, 0, &o.import.stimulus, 0, 0, NULL,
         "series of pictures, NAME,...; all that were presented unless given"},
        {"grey", 0, RETC_OPTION_TEXT, 0, &o.import.grey, 0, 0, NULL,
         "stored values of black and white, BLACK:WHITE; auto goes by their range"},
        {"pause", 0, RETC_OPTION_DOUBLE, 0, &o.import.pause, 0, 1e9, "intervals",
         "a frame that would last longer is followed by a pause; 0: none is"},
        {"keep-invalid", 0, RETC_OPTION_FLAG, 0, &o.import.keep_invalid, 0, 0, NULL, "keep frames in invalid_times"},
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
    RETC_TRY(retc_import_nwb(&o.import, o.common.output, o.common.force, retc_meter_start("import", o.common.quiet), &writer,
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
