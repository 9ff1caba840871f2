#include "run_stages.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int
append_argument(retc_run_ready *ready, char *argument) {
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

void
retc_run_ready_free(retc_run_ready *ready, size_t n) {
    for (size_t i = 0; ready && i < n; ++i) {
        for (size_t k = 0; k < ready[i].n; ++k)
            retc_free(ready[i].argument[k]);
        retc_free(ready[i].argument);
        retc_free(ready[i].output);
    }
    retc_free(ready);
}

/* The command of a section; commands that write no file cannot be stages. */
static int
find_command(const retc_run_config *config, const retc_run_stage *stage, const retc_command **command) {
    static const char *const no_stages[] = {"run", "sweep", "info", "help"};
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
resolve(const retc_run_config *config, const retc_run_ready *stages, size_t at, const char *name, const char **path) {
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
add_settings(const retc_run_config *config, retc_run_ready *stages, size_t at) {
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

int
retc_run_read_choices(const retc_run_config *config, retc_run_choices *choices) {
    static const char *const keys[] = {"output", "seed", "threads"};
    const char **values[] = {&choices->output, &choices->seed, &choices->threads};
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
choose_output(const retc_run_config *config, size_t at, const char *folder, retc_run_ready *stages) {
    const retc_run_stage *stage = &config->stage[at];
    const retc_run_setting *own = retc_run_setting_find(stage, "output");
    retc_run_ready *ready = &stages[at];
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

int
retc_run_prepare(const retc_run_config *config, const retc_run_choices *choices, const char *folder, size_t at,
                 retc_run_ready *stages, const char **planned) {
    const retc_run_stage *stage = &config->stage[at];
    retc_run_ready *ready = &stages[at];
    int status = RETC_OK;
    RETC_TRY(find_command(config, stage, &ready->command));
    RETC_TRY(append_argument(ready, retc_strdup(stage->command)));
    RETC_TRY(add_settings(config, stages, at));
    RETC_TRY(choose_output(config, at, folder, stages));
    if (choices->seed && !retc_run_setting_find(stage, "seed"))
        RETC_TRY(append_argument(ready, retc_strf("--seed=%s", choices->seed)));
    if (choices->threads && !retc_run_setting_find(stage, "threads"))
        RETC_TRY(append_argument(ready, retc_strf("--threads=%s", choices->threads)));
    if (choices->quiet)
        RETC_TRY(append_argument(ready, retc_strdup("--quiet")));
    RETC_TRY(append_argument(ready, retc_strdup("--force")));
    if (!choices->force)
        RETC_TRY(append_argument(ready, retc_strdup("--if-changed")));
    status = retc_command_check(ready->command, (int)ready->n, ready->argument, choices->dry_run ? NULL : planned);
    planned[at] = ready->output;
    if (status < 0)
        status = retc_error_prefix(status, "%s:%zu: [%s]", config->path, stage->line, stage->name);
done:
    return status;
}

int
retc_run_make_folders(const char *path) {
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

int
retc_run_print(const retc_run_ready *ready) {
    char *line = retc_command_line((int)ready->n, ready->argument);
    if (!line)
        return RETC_ENOMEM;
    puts(line);
    retc_free(line);
    return RETC_OK;
}

static double
seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int
retc_run_stage_run(const retc_run_ready *ready, double *seconds) {
    double start = seconds_now();
    int status = ready->command->run((int)ready->n, ready->argument);
    retc_meter_stop();
    *seconds = seconds_now() - start;
    return status;
}

char *
retc_run_default_folder(const char *config) {
    const char *slash = strrchr(config, '/'), *stem = slash ? slash + 1 : config, *dot = strrchr(stem, '.');
    return retc_strf("results/%.*s", dot && dot > stem ? (int)(dot - stem) : (int)strlen(stem), stem);
}
