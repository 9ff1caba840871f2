#include "cmd_import.h"

int
retc_say_import(const retc_common *common, const retc_import_report *report) {
    char *text = retc_import_report_text(report);
    if (text)
        retc_say(common, "%s", text);
    retc_free(text);
    return RETC_GOT(text);
}

/* Each format has a command and options of its own. */
int
retc_cmd_import(int argc, char **argv) {
    static const retc_command_kind formats[] = {
        {"text", retc_cmd_import_text},
        {"matlab", retc_cmd_import_matlab},
        {"nwb", retc_cmd_import_nwb},
        {"open-retina", retc_cmd_import_open_retina},
        {"join", retc_cmd_import_join},
        {"interneurons", retc_cmd_import_interneurons},
        {NULL, NULL},
    };
    return retc_command_run_kind(formats, "format", argc, argv);
}
