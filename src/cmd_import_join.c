#include "cmd_import.h"
#include "import_join.h"

static const retc_usage usage = {
    "import", "join recordings of the same cells",
    "import join: recordings follow each other in one file, each in stretches of continuous time of its own.  Cells are "
    "matched "
    "by their names; those that are not in all recordings are left out, and that is said.  Where all test movies are the same, "
    "their repeats are put together; else the test parts follow each other, and must have as many repeats.",
    "retcodec import join morning.h5 evening.h5 -o day.h5"};

int
retc_cmd_import_join(int argc, char **argv) {
    const char *kind = "join";
    retc_text_list recordings = {0};
    retc_common common = {.seed = 1};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &kind, 0, 0, "join", "kind of files"},
        {"recordings", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &recordings, 0, 0, NULL,
         "two or more recordings, in order"},
        RETC_COMMON_OUTPUT(common, "recording to write"),
        RETC_COMMON_OPTIONS(common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording_writer *writer = NULL;
    char *lines = NULL;
    int status = retc_command_begin(&usage, table, &common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(retc_import_join(recordings.text, recordings.n, common.output, common.force,
                              retc_meter_start("join", common.quiet), &writer, &lines));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(retc_recording_writer_file(writer), &common, provenance));
    retc_say(&common, "%s", lines);

done:
    retc_meter_stop();
    retc_free(lines);
    retc_recording_writer_free(writer);
    retc_command_end(table, provenance);
    return status < 0 ? status : RETC_OK;
}
