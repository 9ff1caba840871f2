/* MATLAB files: v5 (what save writes by default, through matio) and v7.3 (HDF5 with a user block, through the HDF5 layer).
 *
 * A variable is called by its name, a field of a structure by "a.b".  What it holds is a list of arrays of numbers: one for an
 * array, one per cell of a cell array, one per element of a structure array for its field, in MATLAB's order ("linear index").
 * Arrays have the axes that MATLAB shows; the first runs fastest in memory.
 *
 * A v5 file is checked from end to end, compressed parts included, before matio may read it, as matio trusts what it reads.  A
 * v5 variable is held in memory as a whole once it was found (the format ends at 4 GB); of v7.3 files only what is asked for is
 * read. */
#ifndef RETC_MAT_H
#define RETC_MAT_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RETC_MAT_MAX_RANK 6

typedef struct retc_mat retc_mat;

typedef struct {
    char *name; /* "SpTimes(3).sp", for messages */
    int rank;   /* at least 2, as in MATLAB */
    size_t shape[RETC_MAT_MAX_RANK];
    size_t n;          /* number of values, 0 for an empty array */
    const void *place; /* where the values are; the reader's own */
} retc_mat_array;

typedef struct {
    retc_mat_array *array; /* (n) */
    size_t n;
    int is_list; /* a cell array or a field of a structure array, also when it holds one array */
} retc_mat_arrays;

/* Open and check `path`.  NULL with a recorded reason. */
retc_mat *retc_mat_open(const char *path);
void retc_mat_close(retc_mat *mat);

const char *retc_mat_path(const retc_mat *mat);
const char *retc_mat_version(const retc_mat *mat); /* "v5" or "v7.3" */

/* Names of the variables (borrowed), (n). */
char *const *retc_mat_names(const retc_mat *mat, size_t *n);

/* 1 when there is a variable of this name (what stands before the first '.'), else 0. */
int retc_mat_has(const retc_mat *mat, const char *name);

/* What a name holds; release with retc_mat_arrays_clear, before the file is closed.  Refused are names that are not there (the
 * message lists what is), and what is not numbers: text, sparse arrays, complex numbers, objects. */
int retc_mat_find(retc_mat *mat, const char *name, retc_mat_arrays *found) RETC_USED;
void retc_mat_arrays_clear(retc_mat_arrays *arrays);

/* Values of a box of an array, first index fastest: start[d] ... start[d]+count[d]-1 of each axis; both NULL: all. */
int retc_mat_read(retc_mat *mat, const retc_mat_array *array, const size_t *start, const size_t *count, double *out) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
