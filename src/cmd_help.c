#include <ctype.h>
#include <string.h>

#include "command.h"

static const retc_usage usage = {
    .command = "help",
    .summary = "explain a command, or list them all",
    .description = "Without a name, list the commands.  With one, say what the command does, what options it has and what "
                   "their defaults are; the same as retcodec COMMAND --help.",
    .example = "retcodec help info",
};

/* The manual page of the program as a whole. */
static void
print_manual(void) {
    const char *group = "";
    printf(".TH RETCODEC 1 \"\" \"%s\" \"User commands\"\n", retc_version());
    fputs(".SH NAME\nretcodec \\- which interneurons make a retinal ganglion cell respond, moment by moment\n"
          ".SH SYNOPSIS\n.B retcodec\n.I command\n[options]\n"
          ".SH DESCRIPTION\nFits convolutional models to recordings of retinal ganglion cells, computes how much every model "
          "interneuron contributed to every response, factorises these contributions into sparse modes, and shows how "
          "receptive fields change in time.\nFiles are HDF5.\n"
          ".SH COMMANDS\n",
          stdout);
    for (const retc_command *command = retc_commands; command->name; ++command) {
        if (strcmp(group, command->group) != 0)
            printf(".SS \"%s\"\n", command->group);
        group = command->group;
        printf(".TP\n.BR retcodec\\-%s (1)\n%s\n", command->name, command->summary);
    }
    fputs(".SH ENVIRONMENT\n.TP\n.B SOURCE_DATE_EPOCH\nseconds since 1970 that outputs carry as their time of making\n"
          ".TP\n.B RETC_SCRIPTS\nfolder of the gnuplot scripts that draw the figures\n"
          ".SH \"EXIT STATUS\"\n0 done, 1 failed, 2 wrong usage, 3 ran to its end but did not converge.\n",
          stdout);
}

static int
explain(const char *name, int as_manual) {
    char command_name[64], help[] = "--help", manual[] = "--help=man";
    const retc_command *command = retc_command_find(name);
    if (!command)
        return RETC_FAIL(RETC_EUSAGE, "there is no command \"%s\" (retcodec help lists them)", name);
    snprintf(command_name, sizeof command_name, "%s", name);
    char *arguments[] = {command_name, as_manual ? manual : help, NULL};
    return command->run(2, arguments);
}

int
retc_cmd_help(int argc, char **argv) {
    const char *name = NULL;
    int as_manual = 0, status = RETC_OK;
    const retc_option table[] = {
        {"command", 0, RETC_OPTION_TEXT, RETC_OPTION_POSITIONAL, &name, 0, 0, NULL, "name of a command"},
        {"man", 0, RETC_OPTION_FLAG, 0, &as_manual, 0, 0, NULL, "write a manual page (roff)"},
        RETC_OPTIONS_END,
    };
    RETC_TRY(retc_options_parse(&usage, table, argc, argv));
    if (status > 0)
        return RETC_OK;
    if (name)
        return explain(name, as_manual);
    if (as_manual)
        print_manual();
    else
        retc_commands_list(stdout);
done:
    return status;
}
