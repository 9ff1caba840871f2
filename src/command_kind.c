/* Commands of several kinds, each with options of its own: rf sta and rf irf, import text and import nwb. */
#include <string.h>

#include "command.h"

/* "sta, irf or mode" */
static void
list_kinds(char *text, size_t size, const retc_command_kind *kinds) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; kinds[k].name && used < size; ++k)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 k == 0              ? ""
                                 : kinds[k + 1].name ? ", "
                                                     : " or ",
                                 kinds[k].name);
}

static int
explain_all(const retc_command_kind *kinds, int argc, char **argv) {
    int status = RETC_OK;
    for (size_t k = 0; kinds[k].name && status >= 0; ++k) {
        if (k > 0)
            putchar('\n');
        status = kinds[k].run(argc, argv);
    }
    return status;
}

int
retc_command_run_kind(const retc_command_kind *kinds, const char *what, int argc, char **argv) {
    char list[256];
    int helped = 0;
    for (int i = 1; i < argc; ++i) {
        const char *word = strncmp(argv[i], "--kind=", 7) == 0 ? argv[i] + 7 : argv[i];
        for (size_t k = 0; kinds[k].name; ++k)
            if (strcmp(word, kinds[k].name) == 0)
                return kinds[k].run(argc, argv);
        helped |= strncmp(word, "--help", 6) == 0 || strcmp(word, "-h") == 0;
    }
    if (helped)
        return explain_all(kinds, argc, argv);
    list_kinds(list, sizeof list, kinds);
    return RETC_FAIL(RETC_EUSAGE, "which %s, %s? (retcodec help %s)", what, list, argv[0]);
}
