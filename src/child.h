/* Other programs whose output is read through a pipe. */
#ifndef RETC_CHILD_H
#define RETC_CHILD_H

#include <stdio.h>

#include "error.h"

typedef struct retc_child retc_child;

/* Start argv[0], looked for in PATH, with these arguments (ends with NULL) and an empty standard input: no shell is between,
 * and no name needs quotes.  NULL with a recorded reason: it is not installed, say. */
retc_child *retc_child_start(const char *const *argv);

/* What it writes to its standard output; borrowed. */
FILE *retc_child_output(retc_child *child);

/* Close its output and wait for its end.  Fails with its last line on standard error when it did not succeed. */
int retc_child_finish(retc_child *child) RETC_USED;

/* After it finished well: its last line on standard error, what it complained of none the less, as a fresh string (retc_free);
 * NULL: nothing. */
char *retc_child_complaint(retc_child *child);

/* Free; one that still runs is ended first.  NULL is fine. */
void retc_child_free(retc_child *child);

#endif
