/* Strict readers of text files: one number per line, and `key = value` parameters.
 *
 * Lines end with LF, CRLF or a lone CR.  Blank lines and lines that start with '#' are skipped, and so is a byte order
 * mark.  Every error names the file and, where there is one, the line. */
#ifndef RETC_TEXT_H
#define RETC_TEXT_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t n;
    double *value; /* (n), all finite */
    size_t *line;  /* (n) line of each value in the file, from 1 */
    char *header;  /* text of a first line that names the column, NULL when there is none */
} retc_text_column;

/* Read a file of one number per line.  The first line that is neither blank nor a comment may be a header: text that does
 * not start like a number.  Anything else that is not one finite number is an error.  Release with retc_text_column_free
 * (after a failure as well as after success). */
int retc_text_read_column(const char *path, retc_text_column *column) RETC_USED;
void retc_text_column_free(retc_text_column *column);

/* Look up a whole number in a file of `key = value` lines; lines without '=' are skipped.  1: found, 0: no such key (then
 * `*value` is left alone), negative: the file cannot be read, the key is there twice, or its value is no whole number. */
int retc_text_read_size(const char *path, const char *key, size_t *value) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
