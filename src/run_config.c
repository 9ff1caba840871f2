#include "run_config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wordexp.h>

static const char name_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/* What reader and handler share while inih walks through a file. */
typedef struct {
    FILE *in;
    retc_run_config *config;
    retc_run_stage *section; /* the one being read, NULL before the first */
    size_t line;
    int continues; /* the line starts with a blank: it goes on with the value above */
    int status;    /* first failure; inih itself only knows "error in line N" */
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

/* inih ends a value at " ;"; people also write " #".  Quotes protect. */
static void
cut_comment(char *value) {
    char quote = '\0', before = ' ';
    for (; *value; before = *value++) {
        if (*value == '#' && !quote && isspace((unsigned char)before)) {
            *value = '\0';
            return;
        }
        if (*value == quote)
            quote = '\0';
        else if (!quote && (*value == '"' || *value == '\''))
            quote = *value;
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
add_setting(parsing *state, const char *key, const char *value) {
    retc_run_stage *stage = state->section;
    int status = RETC_OK;
    char *text = NULL;
    const retc_run_setting *before = retc_run_setting_find(stage, key);
    if (before && !(state->continues && before == &stage->setting[stage->n - 1]))
        return RETC_FAIL(RETC_EUSAGE, "is given twice; a list goes on one line, or on following lines that start with a blank");
    if (!before) {
        void *array = stage->setting;
        RETC_TRY(grow(&array, stage->n, sizeof *stage->setting));
        stage->setting = array;
        stage->setting[stage->n].line = state->line;
        stage->setting[stage->n].key = retc_strdup(key);
        RETC_TRY(RETC_GOT(stage->setting[stage->n].key));
        stage->n += 1;
    }
    RETC_TRY(RETC_GOT(text = retc_strdup(value)));
    cut_comment(text);
    RETC_TRY(add_words(&stage->setting[stage->n - 1], text));
done:
    retc_free(text);
    return status;
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
begin_section(parsing *state, const char *name) {
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
    state->section->line = state->line;
    RETC_TRY(name_section(state->section, name));
done:
    return status;
}

static void
note_failure(parsing *state, int code, const char *key) {
    const char *section = state->section && state->section->name ? state->section->name : NULL;
    if (state->status < 0)
        return;
    state->status = section && key ? retc_error_prefix(code, "%s:%zu: [%s] %s", state->config->path, state->line, section, key)
                                   : retc_error_prefix(code, "%s:%zu", state->config->path, state->line);
}

/* Sections are seen here and not in the handler, which is not called for a section without keys. */
static void
look_for_section(parsing *state, const char *line) {
    char name[128];
    if (!strncmp(line, "\xEF\xBB\xBF", 3))
        line += 3;
    state->continues = isspace((unsigned char)line[0]);
    if (line[0] != '[' || !strchr(line, ']'))
        return;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
    int code = begin_section(state, name);
    if (code < 0)
        note_failure(state, code, NULL);
}

/* Other files, such as results, hold characters that no text has. */
static int
is_text(const char *line) {
    for (; *line; ++line)
        if (iscntrl((unsigned char)*line) && !isspace((unsigned char)*line))
            return 0;
    return 1;
}

/* As fgets; counts lines, and lets none pass that inih would break in two. */
static char *
next_line(char *line, int size, void *stream) {
    parsing *state = stream;
    if (state->status < 0 || !fgets(line, size, state->in))
        return NULL;
    state->line += 1;
    if (!is_text(line)) {
        note_failure(state, RETC_FAIL(RETC_EFORMAT, "this is not a text file, a configuration was expected"), NULL);
        return NULL;
    }
    if (strlen(line) + 1 == (size_t)size && line[size - 2] != '\n' && !feof(state->in)) {
        note_failure(state,
                     RETC_FAIL(RETC_EFORMAT, "the line is longer than %d characters; go on in a line that starts with a blank",
                               size - 3),
                     NULL);
        return NULL;
    }
    look_for_section(state, line);
    return state->status < 0 ? NULL : line;
}

static int
take_setting(void *context, const char *section, const char *key, const char *value) {
    parsing *state = context;
    int code;
    if (state->status < 0)
        return 0;
    if (!state->section && section[0])
        code = RETC_FAIL(RETC_EUSAGE, "the line of [%s] should start with its bracket, not with a blank", section);
    else if (!state->section)
        code = RETC_FAIL(RETC_EUSAGE, "\"%s\" stands before the first [section]", key);
    else if (strcmp(section, state->section->name) != 0)
        code = RETC_FAIL(RETC_EUSAGE, "a [section] must start its line and have at most 49 characters");
    else
        code = add_setting(state, key, value);
    if (code < 0)
        note_failure(state, code, state->section ? key : NULL);
    return code >= 0;
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
    parsing state = {0};
    int status = RETC_OK;
    RETC_TRY(name_folder(path));
    state.config = retc_calloc(1, sizeof *state.config);
    RETC_TRY(RETC_GOT(state.config));
    state.config->path = retc_strdup(path);
    RETC_TRY(RETC_GOT(state.config->path));
    state.in = fopen(path, "r");
    if (!state.in)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
    int line = ini_parse_stream(next_line, &state, take_setting, &state);
    RETC_TRY(state.status);
    if (ferror(state.in))
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno)));
    if (line < 0)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "out of memory"));
    if (line > 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s:%d: neither [section] nor key = value", path, line));
    if (state.config->n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no stage, such as [fit]", path));
done:
    if (state.in)
        fclose(state.in);
    if (status < 0) {
        retc_run_config_free(state.config);
        state.config = NULL;
    }
    *config = state.config;
    return status;
}
