/* What the readers of both versions share. */
#ifndef RETC_MAT_INTERNAL_H
#define RETC_MAT_INTERNAL_H

#include "h5.h"
#include "mat.h"

/* Structures and cells may hold each other; deeper than this they are refused. */
enum { RETC_MAT_DEPTH = 16, RETC_MAT_VISITS = 1 << 20 };

struct retc_mat {
    char *path;
    char **names; /* one block */
    size_t n;
    void *v5;      /* mat_t */
    retc_h5 *h5;   /* v7.3 */
    void **loaded; /* (n) matvar_t of the variables that were asked for */
    char **paths;  /* (n_paths) of v7.3 arrays that were handed out */
    size_t n_paths;
    size_t visited; /* objects of a v7.3 file: a cell may refer to the one that holds it */
};

/* A further array of a list; `name` is kept, also freed after a failure.  Its axes are still to be filled in. */
int retc_mat_add(retc_mat_arrays *found, char *name, retc_mat_array **array) RETC_USED;

/* Product of the axes of an array: fails when it overflows. */
int retc_mat_count(const retc_mat *mat, retc_mat_array *array) RETC_USED;

/* Number of variable `name` up to its first '.', n when there is none. */
size_t retc_mat_number(const retc_mat *mat, const char *name);

/* mat5_check.c: check a whole file, and list its variables in one block. */
int retc_mat5_check(const char *path, char ***names, size_t *n) RETC_USED;

/* mat5.c and mat73.c */
int retc_mat5_open(retc_mat *mat) RETC_USED;
void retc_mat5_close(retc_mat *mat);
int retc_mat5_find(retc_mat *mat, size_t number, const char *field, retc_mat_arrays *found) RETC_USED;
int retc_mat5_read(const retc_mat *mat, const retc_mat_array *array, const size_t *start, const size_t *count,
                   double *out) RETC_USED;
int retc_mat73_open(retc_mat *mat) RETC_USED;
void retc_mat73_close(retc_mat *mat);
int retc_mat73_find(retc_mat *mat, size_t number, const char *field, retc_mat_arrays *found) RETC_USED;
int retc_mat73_read(retc_mat *mat, const retc_mat_array *array, const size_t *start, const size_t *count,
                    double *out) RETC_USED;

#endif
