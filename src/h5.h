/* One layer over HDF5: open, read slabs, create atomically, write slabs, strings and attributes.
 *
 * All element types are converted between file and memory.  A file being written lives under a temporary name
 * beside its target and takes the target's name only in retc_h5_commit, so a killed program or a full disk leaves the
 * target as it was.  Not thread-safe: call from one thread. */
#ifndef RETC_H5_H
#define RETC_H5_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define RETC_H5_MAX_RANK 6

typedef struct retc_h5 retc_h5;

typedef enum { RETC_H5_FLOAT, RETC_H5_DOUBLE, RETC_H5_INT64, RETC_H5_UINT8 } retc_h5_type; /* f4, f8, i8, u1 */

/* Open `path` for reading.  NULL with a recorded reason: missing, not HDF5, truncated; or so damaged that the HDF5 library
 * itself would crash or never end: a child process looks at the file first (guard.h). */
retc_h5 *retc_h5_open(const char *path);

/* Start a new file that will become `path`.  Fails when `path` exists and `force` is 0, or its folder cannot be written. */
retc_h5 *retc_h5_create(const char *path, int force);

/* Finish a created file: flush, close, sync to disk, rename.  Without `force` a file that appeared at `path` meanwhile is not
 * replaced.  The handle stays to be closed.  On failure the target is untouched and the temporary file is gone after
 * retc_h5_close. */
int retc_h5_commit(retc_h5 *file) RETC_USED;

/* Close; a created file that was not committed is removed.  NULL is fine. */
void retc_h5_close(retc_h5 *file);

/* The name given to open or create (borrowed). */
const char *retc_h5_path(const retc_h5 *file);

/* 1 when an object of this name exists, else 0. */
int retc_h5_has(retc_h5 *file, const char *name);

/* From now on names that begin with the group `from` mean those below the group `to` of a file that is read: one of several
 * sets of the same tensors stands in for the first.  NULL, NULL ends it. */
int retc_h5_stand_in(retc_h5 *file, const char *from, const char *to);

/* Rank and shape of a dataset; fails when it is missing.  `shape` has room for RETC_H5_MAX_RANK. */
int retc_h5_shape(retc_h5 *file, const char *name, int *rank, size_t *shape) RETC_USED;

/* As retc_h5_shape, but the rank must be `rank`, and each `expect[d]` other than 0 must match: the message says what was
 * found and what was expected.  `shape` (NULL allowed) receives what was found. */
int retc_h5_expect(retc_h5 *file, const char *name, int rank, const size_t *expect, size_t *shape) RETC_USED;

/* 1 when the dataset's elements are stored as 8-bit unsigned integers, else 0. */
int retc_h5_is_uint8(retc_h5 *file, const char *name);

/* How the elements of a dataset are stored: "f4", "i8", "u1", "text", or "other". */
const char *retc_h5_stored_type(retc_h5 *file, const char *name);

/* Read the slab start[d] ... start[d]+count[d]-1 into `out` (C order).  start NULL: from 0; count NULL: everything. */
int retc_h5_read(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count,
                 void *out) RETC_USED;

/* Read a whole dataset of rank `rank` into fresh memory (retc_free); `shape` receives its shape. */
int retc_h5_read_new(retc_h5 *file, const char *name, retc_h5_type type, int rank, size_t *shape, void **out) RETC_USED;

/* Names of the members of a group, sorted: `*names` is one block (retc_free) of `*n` pointers and their text. */
int retc_h5_members(retc_h5 *file, const char *group, char ***names, size_t *n) RETC_USED;

/* Attribute or scalar string dataset as a fresh string (retc_free); any of the three string storages of FORMATS 1.
 * `object` "/" is the root.  RETC_EFORMAT when missing. */
int retc_h5_get_text(retc_h5 *file, const char *object, const char *attribute, char **text) RETC_USED;

/* Files of this program say in the root attribute "kind" what they are.  Fails when a file says another kind; one that says
 * nothing, as files of other programs, passes. */
int retc_h5_expect_kind(retc_h5 *file, const char *kind) RETC_USED;
int retc_h5_read_text(retc_h5 *file, const char *name, char **text) RETC_USED;

/* A one-dimensional string dataset: one block (retc_free) as in retc_h5_members. */
int retc_h5_read_texts(retc_h5 *file, const char *name, char ***texts, size_t *n) RETC_USED;

/* Scalar numeric attribute; 1 when read, 0 when absent (then `*value` is left alone), negative on failure. */
int retc_h5_get_number(retc_h5 *file, const char *object, const char *attribute, double *value) RETC_USED;

/* Number of attributes of an object, and the i-th as text ("name" and printable value; both retc_free). */
int retc_h5_attribute_count(retc_h5 *file, const char *object, size_t *n) RETC_USED;
int retc_h5_attribute_text(retc_h5 *file, const char *object, size_t i, char **name, char **value) RETC_USED;

/* Make a dataset (and the groups above it).  `chunk` NULL: contiguous; else chunked, shuffled (not bytes), gzip level 1.  Slabs
 * that begin and end with a chunk are written and read several times faster than others. */
int retc_h5_make(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *shape,
                 const size_t *chunk) RETC_USED;

/* Make a dataset whose first axis starts at 0 and grows; its other axes are those of `chunk`.  retc_h5_grow sets the length of
 * the first axis. */
int retc_h5_make_growing(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *chunk) RETC_USED;
int retc_h5_grow(retc_h5 *file, const char *name, size_t n) RETC_USED;

/* Write a slab of a made dataset. */
int retc_h5_write(retc_h5 *file, const char *name, retc_h5_type type, const size_t *start, const size_t *count,
                  const void *data) RETC_USED;

/* Make and write a whole dataset; rank 0 is a scalar.  Large ones (over 64 kB) are chunked and compressed. */
int retc_h5_put(retc_h5 *file, const char *name, retc_h5_type type, int rank, const size_t *shape, const void *data) RETC_USED;

/* Scalar string dataset, array of strings of fixed length (null-padded ASCII), array of strings, attributes (variable-length;
 * a scalar dataset is marked ASCII when it is, all else UTF-8). */
int retc_h5_put_text(retc_h5 *file, const char *name, const char *text) RETC_USED;
int retc_h5_put_fixed_texts(retc_h5 *file, const char *name, size_t n, size_t length, const char *const *texts) RETC_USED;
int retc_h5_put_texts(retc_h5 *file, const char *name, size_t n, const char *const *texts) RETC_USED;
int retc_h5_set_text(retc_h5 *file, const char *object, const char *attribute, const char *text) RETC_USED;
int retc_h5_set_number(retc_h5 *file, const char *object, const char *attribute, double value) RETC_USED;
int retc_h5_set_int(retc_h5 *file, const char *object, const char *attribute, int64_t value) RETC_USED;

/* Visit every object below the root in name order: `visit(context, name, is_dataset)`; a negative return stops.  `visit` must
 * not read or write datasets: HDF5 keeps its lock meanwhile, for which the threads that unpack chunks would wait for ever. */
int retc_h5_visit(retc_h5 *file, int (*visit)(void *context, const char *name, int is_dataset), void *context) RETC_USED;

/* The file that was opened last, "" when none was: safe in a signal handler. */
const char *retc_h5_latest(void);

/* Remove the temporary files of all files now being written: safe in a signal handler. */
void retc_h5_remove_temporaries(void);

#ifdef __cplusplus
}
#endif

#endif
