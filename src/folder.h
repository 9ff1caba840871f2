/* Folders as lists of files. */
#ifndef RETC_FOLDER_H
#define RETC_FOLDER_H

#include "error.h"

/* 1 when `path` is a folder, else 0. */
int retc_is_folder(const char *path);

/* The files of a folder, with its path before their names, sorted by bytes; hidden ones (".name") and folders in it are left
 * out.  `*files` is one block (retc_free) of `*n` pointers and their text. */
int retc_folder_files(const char *path, char ***files, size_t *n) RETC_USED;

#endif
