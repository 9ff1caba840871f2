#include "text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "options.h"

/* How much of a wrong line an error message quotes. */
#define QUOTED 40

/* A text file in memory, cut into lines one after the other. */
typedef struct {
    const char *path;
    char *text, *end, *next;
    size_t line; /* number of the line handed out last, from 1 */
} text_lines;

static int
read_bytes(const char *path, char **bytes, size_t *n) {
    int status = RETC_OK;
    struct stat info;
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    if (fstat(fileno(file), &info) != 0 || !S_ISREG(info.st_mode)) {
        status = RETC_FAIL(RETC_EIO, "%s: is not a plain file", path);
        goto done;
    }
    *n = (size_t)info.st_size;
    RETC_TRY(RETC_ALLOC(text, *n + 1));
    if (fread(text, 1, *n, file) != *n)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be read to its end", path);

done:
    fclose(file);
    if (status < 0) {
        retc_free(text);
        text = NULL;
    }
    *bytes = text;
    return status;
}

static int
lines_open(text_lines *lines, const char *path) {
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    size_t n = 0;
    *lines = (text_lines){.path = path};
    int status = read_bytes(path, &lines->text, &n);
    if (status < 0)
        return status;
    if (memchr(lines->text, 0, n))
        return RETC_FAIL(RETC_EFORMAT, "%s: is not a text file (it holds zero bytes)", path);
    lines->end = lines->text + n;
    lines->next = lines->text + (strncmp(lines->text, byte_order_mark, 3) == 0 ? 3 : 0);
    return RETC_OK;
}

/* The next line that is neither blank nor a comment, without surrounding blanks; NULL at the end of the file. */
static char *
lines_next(text_lines *lines) {
    while (lines->next < lines->end) {
        char *line = lines->next, *stop = line + strcspn(line, "\r\n");
        lines->next = stop[0] == '\r' && stop[1] == '\n' ? stop + 2 : stop + 1;
        ++lines->line;
        line += strspn(line, " \t");
        while (stop > line && (stop[-1] == ' ' || stop[-1] == '\t'))
            --stop;
        *stop = '\0';
        if (*line && *line != '#')
            return line;
    }
    return NULL;
}

static int
not_a_number(const text_lines *lines, const char *line) {
    char *rest;
    double value = strtod(line, &rest);
    if (rest != line && *rest == '\0' && !isfinite(value))
        return RETC_FAIL(RETC_EFORMAT, "%s: line %zu: \"%.*s\" is not a finite number", lines->path, lines->line, QUOTED, line);
    return RETC_FAIL(RETC_EFORMAT, "%s: line %zu: \"%.*s\" is not a number", lines->path, lines->line, QUOTED, line);
}

/* A mangled first number must not pass as a header: it would shift all that follows by one line. */
static int
looks_like_header(const char *line) {
    char *rest;
    strtod(line, &rest);
    return rest == line && !strchr("+-.0123456789", *line);
}

static size_t
count_lines(const text_lines *lines) {
    size_t n = 1;
    for (const char *p = lines->next; p < lines->end; ++p)
        n += *p == '\n' || *p == '\r';
    return n;
}

int
retc_text_read_column(const char *path, retc_text_column *column) {
    int status = RETC_OK;
    text_lines lines;
    *column = (retc_text_column){0};
    RETC_TRY(lines_open(&lines, path));
    size_t room = count_lines(&lines);
    RETC_TRY(RETC_ALLOC(column->value, room));
    RETC_TRY(RETC_ALLOC(column->line, room));
    for (char *line; (line = lines_next(&lines));) {
        if (retc_parse_double(line, &column->value[column->n]) == RETC_OK) {
            column->line[column->n++] = lines.line;
        } else if (column->n == 0 && !column->header && looks_like_header(line)) {
            RETC_TRY(RETC_GOT(column->header = retc_strdup(line)));
        } else {
            RETC_TRY(not_a_number(&lines, line));
        }
    }

done:
    retc_free(lines.text);
    return status;
}

void
retc_text_column_free(retc_text_column *column) {
    retc_free(column->value);
    retc_free(column->line);
    retc_free(column->header);
    *column = (retc_text_column){0};
}

/* 1 when `line` is `key = value`; cuts it there and sets `*value` to the text of the value. */
static int
split_assignment(char *line, const char *key, char **value) {
    char *equals = strchr(line, '=');
    if (!equals)
        return 0;
    char *stop = equals;
    while (stop > line && (stop[-1] == ' ' || stop[-1] == '\t'))
        --stop;
    *stop = '\0';
    *value = equals + 1 + strspn(equals + 1, " \t");
    return strcmp(line, key) == 0;
}

int
retc_text_read_size(const char *path, const char *key, size_t *value) {
    int status = RETC_OK, found = 0;
    text_lines lines;
    char *text;
    RETC_TRY(lines_open(&lines, path));
    for (char *line; (line = lines_next(&lines));) {
        if (!split_assignment(line, key, &text))
            continue;
        if (found) {
            status = RETC_FAIL(RETC_EFORMAT, "%s: line %zu: a second \"%s\"", path, lines.line, key);
            goto done;
        }
        if (retc_parse_size(text, value) != RETC_OK) {
            status = RETC_FAIL(RETC_EFORMAT, "%s: line %zu: %s is \"%.*s\", expected a whole number", path, lines.line, key,
                               QUOTED, text);
            goto done;
        }
        found = 1;
    }

done:
    retc_free(lines.text);
    return status < 0 ? status : found;
}
