/* The configuration file of a run: INI sections are stages in order, keys are option names of the stage's command.
 *
 *   [run]                     output = folder, seed, threads: for all stages
 *   [fit:ln]                  the command "fit", labelled "ln"
 *   recording = @import       the output of an earlier stage
 *   model = ln                anything else is expanded like a shell word: quotes, ~, $NAME, * and ?; a list is words
 *   network = $HERE/a.network $HERE is the folder of the configuration
 */
#ifndef RETC_RUN_CONFIG_H
#define RETC_RUN_CONFIG_H

#include "error.h"

typedef struct {
    char *key;
    char **word; /* (n) expanded */
    size_t n;
    size_t line;
} retc_run_setting;

typedef struct {
    char *name;    /* "fit:ln" */
    char *command; /* "fit" */
    char *label;   /* "ln", NULL for none */
    size_t line;
    retc_run_setting *setting;
    size_t n;
} retc_run_stage;

typedef struct {
    char *path;
    retc_run_stage run, sweep; /* the sections [run] and [sweep]; their names are NULL where they are missing */
    retc_run_stage *stage;
    size_t n;
} retc_run_config;

/* Sets the variable HERE of the environment.  Read a configuration into `*config` (retc_run_config_free); reasons name file, line, section and key. */
int retc_run_config_read(const char *path, retc_run_config **config) RETC_USED;
void retc_run_config_free(retc_run_config *config);

/* The setting of a key, or NULL. */
const retc_run_setting *retc_run_setting_find(const retc_run_stage *stage, const char *key);

#endif
