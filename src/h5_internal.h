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

#endif
