#include "ini_file.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

enum { LONGEST_SECTION = 49 }; /* of inih */

typedef struct {
    FILE *in;
    const char *path;
    const retc_ini_handler *handler;
    void *context;
    size_t line;
    int in_section, in_setting;
    int is_further; /* the line starts with a blank: it goes on with the setting above, if there is one in its section */
    char section[LONGEST_SECTION + 1];
    int status; /* first failure; inih itself only knows "error in line N" */
} reading;

static void
note_failure(reading *r, int code, const char *key) {
    if (r->status < 0)
        return;
    r->status = key && r->in_section ? retc_error_prefix(code, "%s:%zu: [%s] %s", r->path, r->line, r->section, key)
                                     : retc_error_prefix(code, "%s:%zu", r->path, r->line);
}

/* Sections are seen here and not in the handler of inih, which is not called for a section without keys. */
static void
look_for_section(reading *r, const char *line) {
    if (!strncmp(line, "\xEF\xBB\xBF", 3))
        line += 3;
    r->is_further = isspace((unsigned char)line[0]) && r->in_setting;
    if (line[0] != '[' || !strchr(line, ']'))
        return;
    size_t length = strcspn(line + 1, "]");
    if (length > LONGEST_SECTION) {
        note_failure(r, RETC_FAIL(RETC_EINVAL, "the name of the section has more than %d characters", LONGEST_SECTION), NULL);
        return;
    }
    snprintf(r->section, sizeof r->section, "%.*s", (int)length, line + 1);
    r->in_section = 1;
    r->in_setting = 0;
    int code = r->handler->section(r->context, r->section, r->line);
    if (code < 0)
        note_failure(r, code, NULL);
}

/* Other files, such as results, hold characters that no text has. */
static int
is_text(const char *line) {
    for (; *line; ++line)
        if (iscntrl((unsigned char)*line) && !isspace((unsigned char)*line))
            return 0;
    return 1;
}

/* As fgets; counts lines, and lets none pass that inih would break in two, except comments, which are cut. */
static char *
next_line(char *line, int size, void *stream) {
    reading *r = stream;
    if (r->status < 0 || !fgets(line, size, r->in))
        return NULL;
    r->line += 1;
    int is_cut = strlen(line) + 1 == (size_t)size && line[size - 2] != '\n' && !feof(r->in);
    if (!is_text(line))
        note_failure(r, RETC_FAIL(RETC_EFORMAT, "this is not a text file, a configuration was expected"), NULL);
    else if (is_cut && line[0] != '#')
        note_failure(r,
                     RETC_FAIL(RETC_EFORMAT, "the line is longer than %d characters%s", size - 2,
                               r->handler->more ? "; go on in a line that starts with a blank" : ""),
                     NULL);
    else
        look_for_section(r, line);
    if (is_cut)
        for (int c; (c = fgetc(r->in)) != EOF && c != '\n';)
            ;
    return r->status < 0 ? NULL : line;
}

/* inih ends a value at " ;"; people also write " #", and put in quotes what is none. */
static void
cut_comment(char *value) {
    for (char *c = value; *c; ++c) {
        char *closing = *c == '"' || *c == '\'' ? strchr(c + 1, *c) : NULL;
        if (closing)
            c = closing;
        else if (*c == '#' && (c == value || isspace((unsigned char)c[-1]))) {
            *c = '\0';
            break;
        }
    }
    for (size_t n = strlen(value); n > 0 && isspace((unsigned char)value[n - 1]); --n)
        value[n - 1] = '\0';
}

/* A value without its comment, to the handler. */
static int
pass_on(reading *r, const char *key, const char *value) {
    char *text = retc_strdup(value);
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(text));
    cut_comment(text);
    if (!r->is_further)
        status = r->handler->setting(r->context, key, text, r->line);
    else if (r->handler->more)
        status = r->handler->more(r->context, text, r->line);
    else
        status = RETC_FAIL(RETC_EINVAL, "has one line only; what follows it should not start with a blank");
    r->in_setting = 1;
done:
    retc_free(text);
    return status;
}

static int
take_setting(void *context, const char *section, const char *key, const char *value) {
    reading *r = context;
    int code;
    if (r->status < 0)
        return 0;
    if (!r->in_section && section[0] == '\0')
        code = RETC_FAIL(RETC_EINVAL, "\"%s\" stands before the first [section]", key);
    else if (strcmp(section, r->section) != 0)
        code = RETC_FAIL(RETC_EINVAL, "the line of [%s] should start with its bracket, not with a blank", section);
    else
        code = pass_on(r, key, value);
    if (code < 0)
        note_failure(r, code, strcmp(section, r->section) == 0 ? key : NULL);
    return code >= 0;
}

int
retc_ini_read_stream(FILE *in, const char *path, const retc_ini_handler *handler, void *context) {
    reading r = {.in = in, .path = path, .handler = handler, .context = context};
    int line = ini_parse_stream(next_line, &r, take_setting, &r);
    if (r.status < 0)
        return r.status;
    if (ferror(in))
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    if (line < 0)
        return RETC_FAIL(RETC_ENOMEM, "out of memory");
    return line > 0 ? RETC_FAIL(RETC_EFORMAT, "%s:%d: neither [section] nor key = value", path, line) : RETC_OK;
}

int
retc_ini_read(const char *path, const retc_ini_handler *handler, void *context) {
    FILE *in = fopen(path, "r");
    if (!in)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    int status = retc_ini_read_stream(in, path, handler, context);
    fclose(in);
    return status;
}
