#include "run_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

#include "ini_file.h"

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

typedef struct {
    retc_run_config *config;
    retc_run_stage *section; /* the one being read */
} parsing;

/* An array of `n` elements that has room for one more. */
static int
grow(void **array, size_t n, size_t size) {
    char *longer = retc_calloc(n + 1, size);
    if (!longer)
        return RETC_ENOMEM;
    if (n > 0)
        memcpy(longer, *array, n * size);
    retc_free(*array);
    *array = longer;
    return RETC_OK;
}

static void
free_stage(retc_run_stage *stage) {
    for (size_t i = 0; i < stage->n; ++i) {
        for (size_t w = 0; w < stage->setting[i].n; ++w)
            retc_free(stage->setting[i].word[w]);
        retc_free(stage->setting[i].word);
        retc_free(stage->setting[i].key);
    }
    retc_free(stage->setting);
    retc_free(stage->name);
    retc_free(stage->command);
    retc_free(stage->label);
}

void
retc_run_config_free(retc_run_config *config) {
    if (!config)
        return;
    for (size_t i = 0; i < config->n; ++i)
        free_stage(&config->stage[i]);
    free_stage(&config->run);
    free_stage(&config->sweep);
    retc_free(config->stage);
    retc_free(config->path);
    retc_free(config);
}

const retc_run_setting *
retc_run_setting_find(const retc_run_stage *stage, const char *key) {
    for (size_t i = 0; i < stage->n; ++i)
        if (!strcmp(stage->setting[i].key, key))
            return &stage->setting[i];
    return NULL;
}

/* The name of the first variable in `value` that is not set, outside single quotes; 0 when all are. */
static int
find_undefined(const char *value, char *name, size_t size) {
    int quoted = 0;
    for (; *value; ++value) {
        if (*value == '\\' && value[1] && !quoted) {
            ++value;
            continue;
        }
        quoted ^= *value == '\'';
        if (*value != '$' || quoted)
            continue;
        const char *start = value + 1 + (value[1] == '{');
        size_t length = 0;
        while (isalnum((unsigned char)start[length]) || start[length] == '_')
            ++length;
        snprintf(name, size, "%.*s", (int)length, start);
        if (length > 0 && !getenv(name))
            return 1;
    }
    return 0;
}

static int
explain_expansion(int code, const char *value) {
    char name[64];
    switch (code) {
    case WRDE_BADVAL:
        if (find_undefined(value, name, sizeof name))
            return RETC_FAIL(RETC_EUSAGE, "the environment has no variable $%s", name);
        return RETC_FAIL(RETC_EUSAGE, "\"%s\" names a variable that the environment does not have", value);
    case WRDE_BADCHAR:
        return RETC_FAIL(RETC_EUSAGE, "\"%s\" holds one of | & ; < > ( ) { }; put the word in quotes", value);
    case WRDE_CMDSUB:
        return RETC_FAIL(RETC_EUSAGE, "\"%s\" asks to run a command, which a configuration may not", value);
    case WRDE_NOSPACE:
        return RETC_FAIL(RETC_ENOMEM, "out of memory");
    default:
        return RETC_FAIL(RETC_EUSAGE, "\"%s\" has a quote or a brace that is not closed", value);
    }
}

/* Append the words of `value` to the setting. */
static int
add_words(retc_run_setting *setting, const char *value) {
    wordexp_t words = {0};
    int status = RETC_OK, code = wordexp(value, &words, WRDE_NOCMD | WRDE_UNDEF);
    if (code != 0)
        return explain_expansion(code, value);
    if (words.we_wordc == 0)
        RETC_TRY(RETC_FAIL(RETC_EUSAGE, "has no value"));
    for (size_t i = 0; i < words.we_wordc; ++i) {
        void *array = setting->word;
        RETC_TRY(grow(&array, setting->n, sizeof *setting->word));
        setting->word = array;
        setting->word[setting->n] = retc_strdup(words.we_wordv[i]);
        RETC_TRY(RETC_GOT(setting->word[setting->n]));
        setting->n += 1;
    }
done:
    wordfree(&words);
    return status;
}

static int
add_setting(void *context, const char *key, const char *value, size_t line) {
    parsing *state = context;
    retc_run_stage *stage = state->section;
    void *array = stage->setting;
    int status = RETC_OK;
    if (retc_run_setting_find(stage, key))
        return RETC_FAIL(RETC_EUSAGE, "is given twice; a list goes on one line, or on following lines that start with a blank");
    RETC_TRY(grow(&array, stage->n, sizeof *stage->setting));
    stage->setting = array;
    stage->setting[stage->n].line = line;
    stage->setting[stage->n].key = retc_strdup(key);
    RETC_TRY(RETC_GOT(stage->setting[stage->n].key));
    stage->n += 1;
    RETC_TRY(add_words(&stage->setting[stage->n - 1], value));
done:
    return status;
}

static int
add_line(void *context, const char *value, size_t line) {
    retc_run_stage *stage = ((parsing *)context)->section;
    (void)line;
    return add_words(&stage->setting[stage->n - 1], value);
}

/* Name a section's parts: "fit:ln" is the command "fit" with the label "ln". */
static int
name_section(retc_run_stage *stage, const char *name) {
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    if (length == 0 || strspn(name, name_characters) != length ||
        (colon && (colon[1] == '\0' || colon[1 + strspn(colon + 1, name_characters)] != '\0')))
        return RETC_FAIL(RETC_EUSAGE, "[%s] should be [command] or [command:label], of letters, digits, _, . and -", name);
    stage->name = retc_strdup(name);
    stage->command = retc_strf("%.*s", (int)length, name);
    stage->label = colon ? retc_strdup(colon + 1) : NULL;
    return stage->name && stage->command && (stage->label || !colon) ? RETC_OK : RETC_ENOMEM;
}

static int
begin_section(void *context, const char *name, size_t line) {
    parsing *state = context;
    retc_run_config *config = state->config;
    int status = RETC_OK;
    retc_run_stage *own = !strcmp(name, "run") ? &config->run : !strcmp(name, "sweep") ? &config->sweep : NULL;
    if (own && own->name)
        return RETC_FAIL(RETC_EUSAGE, "[%s] stands twice", name);
    for (size_t i = 0; i < config->n; ++i)
        if (!strcmp(config->stage[i].name, name))
            return RETC_FAIL(RETC_EUSAGE, "[%s] stands twice; tell them apart by labels, as in [%s%s]", name, name,
                             config->stage[i].label ? "2" : ":second");
    if (!own) {
        void *array = config->stage;
        RETC_TRY(grow(&array, config->n, sizeof *config->stage));
        config->stage = array;
        config->n += 1;
    }
    state->section = own ? own : &config->stage[config->n - 1];
    state->section->line = line;
    RETC_TRY(name_section(state->section, name));
done:
    return status;
}

/* Words are expanded by the C library, which knows the variables of the environment only. */
static int
name_folder(const char *path) {
    const char *slash = strrchr(path, '/');
    char *folder = retc_strf("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    int status = !folder ? RETC_ENOMEM : setenv("HERE", slash == path ? "/" : folder, 1) ? RETC_ENOMEM : RETC_OK;
    retc_free(folder);
    return status;
}

int
retc_run_config_read(const char *path, retc_run_config **config) {
    static const retc_ini_handler handler = {begin_section, add_setting, add_line};
    parsing state = {0};
    int status = RETC_OK;
    RETC_TRY(name_folder(path));
    state.config = retc_calloc(1, sizeof *state.config);
    RETC_TRY(RETC_GOT(state.config));
    state.config->path = retc_strdup(path);
    RETC_TRY(RETC_GOT(state.config->path));
    status = retc_ini_read(path, &handler, &state);
    if (status == RETC_EINVAL) /* a configuration is a long command line */
        status = RETC_EUSAGE;
    RETC_TRY(status);
    if (state.config->n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no stage, such as [fit]", path));
done:
    if (status < 0) {
        retc_run_config_free(state.config);
        state.config = NULL;
    }
    *config = state.config;
    return status;
}
