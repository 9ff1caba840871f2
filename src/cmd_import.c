#include "command.h"

/* Each format has a command and options of its own. */
int
retc_cmd_import(int argc, char **argv) {
    static const retc_command_kind formats[] = {
        {"matlab", retc_cmd_import_matlab},
        {"text", retc_cmd_import_text},
        {NULL, NULL},
    };
    return retc_command_run_kind(formats, "format", argc, argv);
}
