#include "recording_arguments.h"

#include <string.h>

#include "command.h"

int
retc_recording_arguments_open(const retc_recording_arguments *arguments, const retc_common *common, const char *path,
                              retc_recording **recording) {
    /* A budget of 0 bytes means the library's default. */
    const size_t budget = arguments->memory ? arguments->memory << 20 : 1;
    const retc_recording_options options = {.budget = budget,
                                            .cells = arguments->cells,
                                            .experiment = arguments->experiment,
                                            .skip = arguments->skip,
                                            .blocks = arguments->blocks,
                                            .joined = strcmp(arguments->borders, "joined") == 0};
    *recording = retc_recording_open_with(path, &options);
    if (*recording)
        retc_say(common, "%s", retc_recording_notes(*recording));
    return RETC_GOT(*recording);
}
