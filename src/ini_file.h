/* Reading of INI files, line by line: [sections] and "key = value" settings with comments after " ;" or " #".
 *
 * A "#" within a pair of quotes, " or ', begins no comment.  Where the handler takes it, a value goes on in lines that start
 * with a blank.
 *
 * inih splits the lines; what it does not do is done here: sections without keys are seen, several may have one name, every
 * reason starts with "path:line", and files that are no text are refused. */
#ifndef RETC_INI_FILE_H
#define RETC_INI_FILE_H

#include <stdio.h>

#include "error.h"

typedef struct {
    /* A [section] starts.  Negative: the reason, without file and line. */
    int (*section)(void *context, const char *name, size_t line);
    /* A setting of the section that was started last; `value` has lost its comment and the blanks around it. */
    int (*setting)(void *context, const char *key, const char *value, size_t line);
    /* A further line of that setting's value; NULL: values have one line. */
    int (*more)(void *context, const char *value, size_t line);
} retc_ini_handler;

/* Pass on all that the file `path` holds, or what the stream `in` gives, which is called `path` in reasons.  Fails where the
 * handler does, and where a line is neither, stands before the first section, or is too long: RETC_EINVAL or RETC_EFORMAT. */
int retc_ini_read(const char *path, const retc_ini_handler *handler, void *context) RETC_USED;
int retc_ini_read_stream(FILE *in, const char *path, const retc_ini_handler *handler, void *context) RETC_USED;

#endif
