/* What every subcommand shares: the table of commands, and the steps before and after the work. */
#ifndef RETC_COMMAND_H
#define RETC_COMMAND_H

#include <stdio.h>

#include "h5.h"
#include "options.h"
#include "progress.h"
#include "provenance.h"

typedef struct {
    const char *name, *group, *summary;
    int (*run)(int argc, char **argv); /* RETC_OK, 1 (nothing to do), RETC_NOT_CONVERGED, or negative with a reason */
} retc_command;

enum { RETC_NOT_CONVERGED = 3 }; /* ran to its end, but the result is not what was asked for: exit code 3 */

/* Ends with an entry whose name is NULL. */
extern const retc_command retc_commands[];

const retc_command *retc_command_find(const char *name);

/* The commands by group, one line each. */
void retc_commands_list(FILE *out);

/* Parse the command line, digest the inputs, and look whether there is anything to do.  RETC_OK: work, then free
 * `*provenance`.  Anything else is to be returned: 1 when help was printed or the output is up to date, RETC_NOT_CONVERGED
 * when the output is up to date and its root attribute `converged` is 0, negative for a failure.  Refuses an output that
 * exists unless --force. */
int retc_command_begin(const retc_usage *usage, const retc_option *table, const retc_common *common, int argc, char **argv,
                       retc_provenance **provenance) RETC_USED;

/* Read a command line as `command` would, look whether its input files are there, and go no further: RETC_OK, or a failure with
 * the reason.  `files` (ends with NULL) will be there by then; when it is NULL no file is looked for.  Only for commands that
 * start with retc_command_begin. */
int retc_command_check(const retc_command *command, int argc, char **argv, const char *const *files) RETC_USED;

/* One kind of a command that has several, as rf sta and rf irf: a command of its own with its own table of options, whose first
 * entry is --kind. */
typedef struct {
    const char *name;
    int (*run)(int argc, char **argv);
} retc_command_kind;

/* Run the kind that the command line names, bare, as --kind=KIND or as --kind KIND.  Where help is asked for without one, all
 * explain themselves.  `kinds` ends with an entry whose name is NULL; `what` completes "which ..., sta or irf?". */
int retc_command_run_kind(const retc_command_kind *kinds, const char *what, int argc, char **argv) RETC_USED;

/* "retcodec fit recording.h5 ...", quoted for a shell; retc_free.  NULL when out of memory. */
char *retc_command_line(int argc, char **argv);

/* Commit a written HDF5 output with its provenance. */
int retc_command_finish(retc_h5 *file, const retc_common *common, const retc_provenance *provenance) RETC_USED;

/* Free what retc_command_begin made. */
void retc_command_end(const retc_option *table, retc_provenance *provenance);

/* Remove the files that are half written: safe in a signal handler. */
void retc_command_remove_temporaries(void);

/* A progress meter on stderr: "label 45 % note, 0:12 left"; NULL when quiet or stderr is no terminal.  One at a time. */
const retc_progress *retc_meter_start(const char *label, int quiet);
void retc_meter_stop(void);

/* printf to stdout unless quiet. */
void retc_say(const retc_common *common, const char *format, ...) RETC_PRINTF(2, 3);

int retc_cmd_import(int argc, char **argv);
int retc_cmd_import_interneurons(int argc, char **argv);
int retc_cmd_import_matlab(int argc, char **argv);
int retc_cmd_import_join(int argc, char **argv);
int retc_cmd_import_text(int argc, char **argv);
int retc_cmd_import_nwb(int argc, char **argv);
int retc_cmd_import_open_retina(int argc, char **argv);
int retc_cmd_stimulus(int argc, char **argv);
int retc_cmd_simulate(int argc, char **argv);
int retc_cmd_export(int argc, char **argv);
int retc_cmd_quality(int argc, char **argv);
int retc_cmd_convert(int argc, char **argv);
int retc_cmd_fit(int argc, char **argv);
int retc_cmd_predict(int argc, char **argv);
int retc_cmd_contribute(int argc, char **argv);
int retc_cmd_modes(int argc, char **argv);
int retc_cmd_protocol(int argc, char **argv);
int retc_cmd_rf(int argc, char **argv);
int retc_cmd_rf_irf(int argc, char **argv);
int retc_cmd_figure(int argc, char **argv);
int retc_cmd_run(int argc, char **argv);
int retc_cmd_sweep(int argc, char **argv);
int retc_cmd_info(int argc, char **argv);
int retc_cmd_help(int argc, char **argv);

#endif
