/* Temporary files of the program that are no HDF5 files: each becomes its target by a rename, or is gone. */
#ifndef RETC_TEMPORARY_H
#define RETC_TEMPORARY_H

#include "error.h"

/* A name beside `target` for a file that will become it; retc_free.  It is remembered until retc_temporary_keep or
 * retc_temporary_remove.  NULL with a recorded reason. */
char *retc_temporary_name(const char *target);

/* Rename the temporary file to `target`; unless `force`, not when there is one already. */
int retc_temporary_keep(const char *name, const char *target, int force) RETC_USED;

/* Remove the temporary file if it is there; NULL is fine. */
void retc_temporary_remove(const char *name);

/* Remove all that are remembered: safe in a signal handler. */
void retc_temporary_remove_all(void);

#endif
