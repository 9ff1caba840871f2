#include <math.h>

#include "cmd_import.h"
#include "import_text.h"

typedef struct {
    const char *kind;
    retc_import_options import;
    retc_numbers levels;
    retc_text_list spikes;
    retc_common common;
} options;

static const retc_usage usage = {
    "import", "make a recording from text files",
    "import text: one number per line in every file. --frames has the time in seconds at which each frame came on, --stimulus "
    "the value that each frame showed on the whole screen, and every further file the spike times in seconds of one "
    "cell, which is named as its file. Blank lines, lines that begin with #, and one header line are skipped; anything "
    "else that is no number is an error.\n\n"
    "With --running and --frozen (or RunningFrames and FrozenFrames in --parameters) each trial is so many frames of "
    "fresh stimulus and then the same frozen ones again: fresh frames become the train part, frozen ones the repeated "
    "test part. Trials are used as long as they are complete and their frozen values are equal to the last digit.\n\n"
    "Steps of light whose times are known and whose levels repeat are frames too: give the levels of a cycle by --levels. "
    "\"retcodec protocol\" then aligns responses to a table of trials.\n\n"
    "What was found, and what is odd about it, is printed; nothing is repaired.",
    "retcodec import text --frames frametimes.txt --stimulus stimulus.txt --running 1800 --frozen 600 -o recording.h5 "
    "spikes_C1.txt spikes_C2.txt"};

int
retc_cmd_import_text(int argc, char **argv) {
    options o = {.kind = "text", .import = {.test_fraction = 0.1}, .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "text", "kind of files"},
        {"frames", 0, RETC_OPTION_INPUT, RETC_OPTION_REQUIRED, &o.import.frames, 0, 0, NULL, "frame times, s"},
        {"stimulus", 0, RETC_OPTION_INPUT, 0, &o.import.stimulus, 0, 0, NULL, "stimulus values, one per frame"},
        {"levels", 0, RETC_OPTION_NUMBERS, 0, &o.levels, -HUGE_VAL, HUGE_VAL, NULL,
         "without --stimulus: values of the first frames, which then repeat, as in 0.5,1,0.5,0"},
        {"parameters", 0, RETC_OPTION_INPUT, 0, &o.import.parameters, 0, 0, NULL,
         "file of key = value lines with RunningFrames and FrozenFrames"},
        {"running", 0, RETC_OPTION_SIZE, 0, &o.import.running, 0, 1e9, "frames",
         "fresh frames in each trial; 0: as --parameters says"},
        {"frozen", 0, RETC_OPTION_SIZE, 0, &o.import.frozen, 0, 1e9, "frames",
         "repeated frames in each trial; 0: as --parameters says, else no trials"},
        {"test-fraction", 0, RETC_OPTION_DOUBLE, 0, &o.import.test_fraction, 0, 0.9, NULL,
         "without trials: last part of the recording that becomes the test part"},
        {"keep-empty", 0, RETC_OPTION_FLAG, 0, &o.import.keep_empty, 0, 0, NULL, "keep cells without a spike in the stimulus"},
        {"spikes", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.spikes, 0, 0, NULL,
         "spike times, s; one file per cell"},
        RETC_COMMON_OUTPUT(o.common, "recording to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording_writer *writer = NULL;
    retc_import_text_report report = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.import.spikes = o.spikes.text;
    o.import.cells = o.spikes.n;
    o.import.level = o.levels.value;
    o.import.levels = o.levels.n;
    if (!o.import.stimulus == !o.levels.n)
        RETC_TRY(RETC_FAIL(RETC_EUSAGE, "give either --stimulus or --levels%s", o.levels.n ? ", not both" : ""));
    RETC_TRY(retc_import_text(&o.import, o.common.output, o.common.force, &writer, &report));
    RETC_TRY(retc_command_finish(retc_recording_writer_file(writer), &o.common, provenance));
    RETC_TRY(retc_say_import(&o.common, &report.found));

done:
    retc_import_text_report_free(&report);
    retc_recording_writer_free(writer);
    retc_command_end(table, provenance);
    return status < 0 ? status : RETC_OK;
}
