#include "recording_arguments.h"

#include <string.h>

#include "command.h"

retc_recording_options
retc_recording_arguments_options(const retc_recording_arguments *arguments) {
    /* A budget of 0 bytes means the library's default. */
    return (retc_recording_options){.budget = arguments->memory ? arguments->memory << 20 : 1,
                                    .cells = arguments->cells,
                                    .experiment = arguments->experiment,
                                    .skip = arguments->skip,
                                    .blocks = arguments->blocks,
                                    .joined = strcmp(arguments->borders, "joined") == 0};
}

int
retc_recording_arguments_open(const retc_recording_arguments *arguments, const retc_common *common, const char *path,
                              retc_recording **recording) {
    const retc_recording_options options = retc_recording_arguments_options(arguments);
    *recording = retc_recording_open_with(path, &options);
    if (*recording)
        retc_say(common, "%s", retc_recording_notes(*recording));
    return RETC_GOT(*recording);
}
