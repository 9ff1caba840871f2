/* The stages of a configuration as command lines: what `retcodec run` and `retcodec sweep` share. */
#ifndef RETC_RUN_STAGES_H
#define RETC_RUN_STAGES_H

#include "command.h"
#include "run_config.h"

/* One stage ready to run. */
typedef struct {
    const retc_command *command;
    char *output;
    char **argument; /* (n + 1), ends with NULL */
    size_t n;
} retc_run_ready;

/* What holds for all stages; texts are borrowed, NULL where nothing is said. */
typedef struct {
    const char *output, *seed, *threads;
    int force, dry_run, quiet;
} retc_run_choices;

/* The options of "run" and "sweep", into `config` and `choices`; what is printed dry, and whose the seed is. */
#define RETC_RUN_OPTIONS(config, choices, printed, seeded)                                                                       \
    {"config", 0,    RETC_OPTION_INPUT,   RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &(config), 0,                           \
     0,        NULL, "configuration file"},                                                                                      \
        {"output",                                                                                                               \
         'o',                                                                                                                    \
         RETC_OPTION_OUTPUT,                                                                                                     \
         0,                                                                                                                      \
         &(choices).output,                                                                                                      \
         0,                                                                                                                      \
         0,                                                                                                                      \
         NULL,                                                                                                                   \
         "folder of the results; without it that of [run], else results/ and the name of the configuration"},                    \
        {"dry-run",                                                                                                              \
         'n',                                                                                                                    \
         RETC_OPTION_FLAG,                                                                                                       \
         0,                                                                                                                      \
         &(choices).dry_run,                                                                                                     \
         0,                                                                                                                      \
         0,                                                                                                                      \
         NULL,                                                                                                                   \
         "check the configuration and print the " printed " only"},                                                              \
        {"force",                                                                                                                \
         'f',                                                                                                                    \
         RETC_OPTION_FLAG,                                                                                                       \
         0,                                                                                                                      \
         &(choices).force,                                                                                                       \
         0,                                                                                                                      \
         0,                                                                                                                      \
         NULL,                                                                                                                   \
         "run every stage, even when its output is up to date"},                                                                 \
        {"seed", 0, RETC_OPTION_TEXT, 0, &(choices).seed, 0, 0, NULL, "seed of " seeded ", instead of that of [run]"},           \
        {"threads", 0, RETC_OPTION_TEXT, 0, &(choices).threads, 0, 0, NULL, "threads of all stages, instead of those of [run]"}, \
    {                                                                                                                            \
        "quiet", 'q', RETC_OPTION_FLAG, 0, &(choices).quiet, 0, 0, NULL, "no progress and no summary"                            \
    }

/* Take from [run] what the command line has not said. */
int retc_run_read_choices(const retc_run_config *config, retc_run_choices *choices) RETC_USED;

/* Make stage `at` ready, whose output goes into `folder` unless it names one: the stages before it must be.  Its command line
 * is checked, so that a mistake in the last section does not show only after hours.  `ready` and `planned` (zeroed) have room
 * for all stages and one more; free with retc_run_ready_free, also after failure. */
int retc_run_prepare(const retc_run_config *config, const retc_run_choices *choices, const char *folder, size_t at,
                     retc_run_ready *ready, const char **planned) RETC_USED;
void retc_run_ready_free(retc_run_ready *ready, size_t n);

/* Print the command line of a stage. */
int retc_run_print(const retc_run_ready *ready) RETC_USED;

/* Run a stage: the status of its command.  `seconds` is the wall time it took. */
int retc_run_stage_run(const retc_run_ready *ready, double *seconds) RETC_USED;

/* "results/<name of the configuration>", where a run lands when nothing else is said; retc_free. */
char *retc_run_default_folder(const char *config);

/* Make a folder and those above it. */
int retc_run_make_folders(const char *path) RETC_USED;

#endif
