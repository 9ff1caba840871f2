#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "command.h"
#include "run_config.h"

static const retc_usage usage = {
    .command = "run",
    .summary = "run a whole analysis from a configuration file",
    .description =
        "Every section of the file is a stage, named by a command and, where a command occurs twice, a label; its keys are "
        "the command's options by their long names, those that are otherwise given bare included.  Stages run in the order "
        "of the file.\n\n"
        "A value @stage or @stage:label is the output of an earlier stage.  Any other value is expanded as a shell would: "
        "quotes, ~, $NAME, * and ?; several words make a list, which may go on in lines that start with a blank.  File names "
        "are relative to the current folder.  What follows # or ; after a blank is a comment.  The section [run] may set "
        "output (the folder of all results), seed and "
        "threads.\n\n"
        "  [run]\n"
        "  output = results/demo\n"
        "  [import]\n"
        "  kind = text\n"
        "  spikes = data/cell*.txt\n"
        "  [fit:ln]\n"
        "  recording = @import\n"
        "  model = ln\n\n"
        "A stage whose output was made by this version from the same inputs and options is not run again, so a run that "
        "was stopped goes on where it was.  After a stage that fails no other is run.",
    .example = "retcodec run demo.ini --dry-run",
};

typedef struct {
    const char *config, *output, *seed, *threads;
    int force, dry_run, quiet;
} options;

/* One stage ready to run. */
typedef struct {
    const retc_command *command;
    char *output;
    char **argument; /* (n + 1), ends with NULL */
    size_t n;
} prepared;

static int
append_argument(prepared *ready, char *argument) {
    char **longer = NULL;
    if (!argument || RETC_ALLOC(longer, ready->n + 2) < 0) {
        retc_free(argument);
        return RETC_ENOMEM;
    }
    if (ready->n > 0)
        memcpy(longer, ready->argument, ready->n * sizeof *longer);
    retc_free(ready->argument);
    ready->argument = longer;
    ready->argument[ready->n++] = argument;
    return RETC_OK;
}

static void
free_prepared(prepared *stages, size_t n) {
    for (size_t i = 0; stages && i < n; ++i) {
        for (size_t k = 0; k < stages[i].n; ++k)
            retc_free(stages[i].argument[k]);
        retc_free(stages[i].argument);
        retc_free(stages[i].output);
    }
    retc_free(stages);
}

/* The command of a section; commands that write no file cannot be stages. */
static int
find_command(const retc_run_config *config, const retc_run_stage *stage, const retc_command **command) {
    static const char *const no_stages[] = {"run", "info", "help"};
    const char *names[64];
    size_t n = 0;
    for (const retc_command *known = retc_commands; known->name && n < sizeof names / sizeof *names; ++known) {
        int is_stage = 1;
        for (size_t i = 0; i < sizeof no_stages / sizeof *no_stages; ++i)
            is_stage &= strcmp(known->name, no_stages[i]) != 0;
        if (is_stage && !strcmp(known->name, stage->command)) {
            *command = known;
            return RETC_OK;
        }
        if (is_stage)
            names[n++] = known->name;
    }
    const char *nearest = retc_nearest_name(stage->command, names, n);
    if (nearest)
        return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [%s]: there is no stage \"%s\"; did you mean \"%s\"?", config->path, stage->line,
                         stage->name, stage->command, nearest);
    return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [%s]: there is no stage \"%s\"", config->path, stage->line, stage->name,
                     stage->command);
}

/* The output of the stage that "@name" refers to (borrowed), which must stand before stage `at`. */
static int
resolve(const retc_run_config *config, const prepared *stages, size_t at, const char *name, const char **path) {
    const char *names[64];
    size_t n = 0;
    for (size_t i = 0; i < config->n; ++i) {
        if (!strcmp(config->stage[i].name, name)) {
            if (i >= at)
                return RETC_FAIL(RETC_EUSAGE, "@%s is no earlier stage; stages run in the order of the file", name);
            *path = stages[i].output;
            return RETC_OK;
        }
        if (i < at && n < sizeof names / sizeof *names)
            names[n++] = config->stage[i].name;
    }
    const char *nearest = retc_nearest_name(name, names, n);
    return RETC_FAIL(RETC_EUSAGE, "@%s: there is no such stage%s%s%s", name, nearest ? "; did you mean @" : "",
                     nearest ? nearest : "", nearest ? "?" : "");
}

static int
add_settings(const retc_run_config *config, prepared *stages, size_t at) {
    const retc_run_stage *stage = &config->stage[at];
    int status = RETC_OK;
    for (size_t i = 0; i < stage->n; ++i) {
        const retc_run_setting *setting = &stage->setting[i];
        for (size_t w = 0; w < setting->n; ++w) {
            const char *value = setting->word[w];
            if (value[0] == '@') {
                status = resolve(config, stages, at, value + 1, &value);
                if (status < 0)
                    return retc_error_prefix(status, "%s:%zu: [%s] %s", config->path, setting->line, stage->name, setting->key);
            }
            RETC_TRY(append_argument(&stages[at], retc_strf("--%s=%s", setting->key, value)));
        }
    }
done:
    return status;
}

/* The one word of a key in [run], or the command line's. */
static int
run_setting(const retc_run_config *config, const char *key, const char **value) {
    const retc_run_setting *setting = retc_run_setting_find(&config->run, key);
    if (!setting || *value)
        return RETC_OK;
    if (setting->n != 1)
        return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [run] %s has %zu words, expected one", config->path, setting->line, key,
                         setting->n);
    *value = setting->word[0];
    return RETC_OK;
}

static int
read_run_section(const retc_run_config *config, options *asked) {
    static const char *const keys[] = {"output", "seed", "threads"};
    const char **values[] = {&asked->output, &asked->seed, &asked->threads};
    int status = RETC_OK;
    for (size_t i = 0; i < config->run.n; ++i) {
        int known = 0;
        for (size_t k = 0; k < 3; ++k)
            known |= !strcmp(config->run.setting[i].key, keys[k]);
        if (!known)
            return RETC_FAIL(RETC_EUSAGE, "%s:%zu: [run] has no key \"%s\"; it has output, seed and threads", config->path,
                             config->run.setting[i].line, config->run.setting[i].key);
    }
    for (size_t k = 0; k < 3; ++k)
        RETC_TRY(run_setting(config, keys[k], values[k]));
done:
    return status;
}

/* DIR/stage[-label].h5, or .png for a figure, unless the section says otherwise. */
static int
choose_output(const retc_run_config *config, size_t at, const char *folder, prepared *stages) {
    const retc_run_stage *stage = &config->stage[at];
    const retc_run_setting *own = retc_run_setting_find(stage, "output");
    prepared *ready = &stages[at];
    int status = RETC_OK;
    if (own)
        ready->output = retc_strdup(own->word[0]);
    else
        ready->output = retc_strf("%s/%s%s%s%s", folder, stage->command, stage->label ? "-" : "",
                                  stage->label ? stage->label : "", strcmp(stage->command, "figure") ? ".h5" : ".png");
    RETC_TRY(RETC_GOT(ready->output));
    for (size_t i = 0; i < at; ++i)
        if (!strcmp(stages[i].output, ready->output))
            RETC_TRY(RETC_FAIL(RETC_EUSAGE, "%s:%zu: [%s] writes %s, which [%s] writes already", config->path, stage->line,
                               stage->name, ready->output, config->stage[i].name));
    if (!own)
        RETC_TRY(append_argument(ready, retc_strf("--output=%s", ready->output)));
done:
    return status;
}

static int
prepare_stage(const retc_run_config *config, const options *asked, size_t at, prepared *stages, const char **planned) {
    const retc_run_stage *stage = &config->stage[at];
    prepared *ready = &stages[at];
    int status = RETC_OK;
    RETC_TRY(find_command(config, stage, &ready->command));
    RETC_TRY(append_argument(ready, retc_strdup(stage->command)));
    RETC_TRY(add_settings(config, stages, at));
    RETC_TRY(choose_output(config, at, asked->output, stages));
    if (asked->seed && !retc_run_setting_find(stage, "seed"))
        RETC_TRY(append_argument(ready, retc_strf("--seed=%s", asked->seed)));
    if (asked->threads && !retc_run_setting_find(stage, "threads"))
        RETC_TRY(append_argument(ready, retc_strf("--threads=%s", asked->threads)));
    if (asked->quiet)
        RETC_TRY(append_argument(ready, retc_strdup("--quiet")));
    RETC_TRY(append_argument(ready, retc_strdup("--force")));
    if (!asked->force)
        RETC_TRY(append_argument(ready, retc_strdup("--if-changed")));
    /* A mistake in the last section should not show only after hours. */
    status = retc_command_check(ready->command, (int)ready->n, ready->argument, asked->dry_run ? NULL : planned);
    planned[at] = ready->output;
    if (status < 0)
        status = retc_error_prefix(status, "%s:%zu: [%s]", config->path, stage->line, stage->name);
done:
    return status;
}

static int
make_folders(const char *path) {
    int status = RETC_OK;
    char *part = retc_strdup(path);
    RETC_TRY(RETC_GOT(part));
    for (char *slash = part; slash;) {
        slash = strchr(slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            RETC_TRY(RETC_FAIL(RETC_EIO, "%s: cannot be made: %s", part, strerror(errno)));
        if (slash)
            *slash = '/';
    }
done:
    retc_free(part);
    return status;
}

static double
seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int
run_stages(const retc_run_config *config, const retc_common *common, prepared *stages) {
    int not_converged = 0;
    for (size_t i = 0; i < config->n; ++i) {
        double start = seconds_now();
        retc_say(common, "[%zu/%zu] %s -> %s\n", i + 1, config->n, config->stage[i].name, stages[i].output);
        fflush(stdout);
        int status = stages[i].command->run((int)stages[i].n, stages[i].argument);
        retc_meter_stop();
        if (status < 0)
            return retc_error_prefix(status, "%s: [%s]", config->path, config->stage[i].name);
        not_converged |= status == RETC_NOT_CONVERGED;
        retc_say(common, "      %.1f s%s\n", seconds_now() - start, status == RETC_NOT_CONVERGED ? ", did not converge" : "");
    }
    return not_converged ? RETC_NOT_CONVERGED : RETC_OK;
}

static int
print_stages(const retc_run_config *config, const prepared *stages) {
    for (size_t i = 0; i < config->n; ++i) {
        char *line = retc_command_line((int)stages[i].n, stages[i].argument);
        if (!line)
            return RETC_ENOMEM;
        puts(line);
        retc_free(line);
    }
    return RETC_OK;
}

/* "results/<name of the configuration>": where a run lands when nothing else is said. */
static char *
default_folder(const char *config) {
    const char *slash = strrchr(config, '/'), *stem = slash ? slash + 1 : config, *dot = strrchr(stem, '.');
    return retc_strf("results/%.*s", dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem), stem);
}

static int
run(options *asked) {
    retc_common common = {.quiet = asked->quiet};
    prepared *stages = NULL;
    const char **planned = NULL; /* outputs of the stages so far, borrowed */
    char *folder = NULL;
    retc_run_config *config = NULL;
    int status = retc_run_config_read(asked->config, &config);
    if (status < 0)
        return status;
    RETC_TRY(read_run_section(config, asked));
    if (!asked->output) {
        folder = default_folder(asked->config);
        RETC_TRY(RETC_GOT(folder));
        asked->output = folder;
    }
    RETC_TRY(RETC_ALLOC(stages, config->n));
    RETC_TRY(RETC_ALLOC(planned, config->n + 1));
    for (size_t i = 0; i < config->n; ++i)
        RETC_TRY(prepare_stage(config, asked, i, stages, planned));
    if (asked->dry_run) {
        RETC_TRY(print_stages(config, stages));
    } else {
        RETC_TRY(make_folders(asked->output));
        RETC_TRY(run_stages(config, &common, stages));
    }
done:
    free_prepared(stages, config->n);
    retc_free(planned);
    retc_run_config_free(config);
    retc_free(folder);
    return status;
}

int
retc_cmd_run(int argc, char **argv) {
    options asked = {0};
    int status = RETC_OK;
    const retc_option table[] = {
        {"config", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &asked.config, 0, 0, NULL,
         "configuration file"},
        {"output", 'o', RETC_OPTION_OUTPUT, 0, &asked.output, 0, 0, NULL,
         "folder of the results; without it that of [run], else results/ and the name of the configuration"},
        {"dry-run", 'n', RETC_OPTION_FLAG, 0, &asked.dry_run, 0, 0, NULL,
         "check the configuration and print the commands only"},
        {"force", 'f', RETC_OPTION_FLAG, 0, &asked.force, 0, 0, NULL, "run every stage, even when its output is up to date"},
        {"seed", 0, RETC_OPTION_TEXT, 0, &asked.seed, 0, 0, NULL, "seed of all stages, instead of that of [run]"},
        {"threads", 0, RETC_OPTION_TEXT, 0, &asked.threads, 0, 0, NULL, "threads of all stages, instead of those of [run]"},
        {"quiet", 'q', RETC_OPTION_FLAG, 0, &asked.quiet, 0, 0, NULL, "no progress and no summary"},
        RETC_OPTIONS_END,
    };
    RETC_TRY(retc_options_parse(&usage, table, argc, argv));
    if (status > 0)
        return RETC_OK;
    RETC_TRY(run(&asked));
done:
    return status;
}
