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

/* Make a folder that will become `target`, and whose files will have some of the names `names` (ends with NULL; kept).  A
 * folder `target` that is there is refused unless `force`, and if it holds anything else than such files.  One at a time; it is
 * remembered until retc_temporary_keep_folder or retc_temporary_remove_folder.  Its path (retc_free), or NULL with a recorded
 * reason. */
char *retc_temporary_folder(const char *target, const char *const *names, int force);

/* Rename the folder to `target`; one of that name, of which `force` allows it, is gone then. */
int retc_temporary_keep_folder(const char *target, int force) RETC_USED;

/* Remove the folder if it is there. */
void retc_temporary_remove_folder(void);

/* Remove all that are remembered: safe in a signal handler. */
void retc_temporary_remove_all(void);

#endif
