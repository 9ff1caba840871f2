/* What the two halves of the HDF5 layer share. */
#ifndef RETC_H5_INTERNAL_H
#define RETC_H5_INTERNAL_H

#include <hdf5.h>

#include "h5.h"

enum { OPEN_DATASETS = 16 };

/* A dataset stays open while its file is, so that its chunk cache serves neighbouring slabs. */
typedef struct {
    char *name;
    hid_t id;
} open_dataset;

struct retc_h5 {
    hid_t id;
    char *path, *temporary; /* temporary: NULL when read, or after commit */
    int force;              /* may replace a file of that path */
    open_dataset dataset[OPEN_DATASETS];
    size_t next; /* slot that is given up when all are taken */
};

/* Failures of HDF5 itself at an object, with its reason. */
int retc_h5_fail_read(const retc_h5 *file, const char *name);
int retc_h5_fail_write(const retc_h5 *file, const char *name);

/* The identifier of a dataset (borrowed), opened when it is not yet. */
int retc_h5_dataset(retc_h5 *file, const char *name, hid_t *id);

/* Where strings are read from. */
typedef struct {
    hid_t id; /* dataset or attribute */
    int is_attribute;
} retc_h5_text_source;

/* All strings of a dataset or attribute as one block (retc_free), as in retc_h5_members. */
int retc_h5_read_strings(const retc_h5 *file, const char *name, retc_h5_text_source source, char ***texts, size_t *n);

/* One block (retc_free): n pointers, then the texts of such lengths that they point to.  NULL when out of memory. */
char **retc_h5_text_block(size_t n, char *const *texts, const size_t *lengths);

#endif
