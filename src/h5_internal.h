/* What the parts of the HDF5 layer share. */
#ifndef RETC_H5_INTERNAL_H
#define RETC_H5_INTERNAL_H

#include <hdf5.h>

#include "h5.h"

/* Level 1: a movie of black and white pixels becomes 7 % larger than at level 4, in a third of the time; floats do not differ.
 */
enum { OPEN_DATASETS = 16, RETC_H5_GZIP_LEVEL = 1, RETC_H5_PIECE_BYTES = 1 << 20 };

/* How a dataset lies in its file. */
typedef struct {
    int rank;
    size_t shape[RETC_H5_MAX_RANK];
    int known; /* the elements are stored as `type`, in this machine's byte order */
    retc_h5_type type;
    size_t size; /* bytes of an element */
    size_t chunk[RETC_H5_MAX_RANK];
    size_t chunk_bytes;    /* of an unpacked chunk; 0: not in chunks, or through filters that are not known here */
    int shuffled, deflate; /* is shuffled first; place of deflate among the filters, -1: not packed */
    int direct;            /* known, and in chunks that this layer packs and unpacks by itself */
} retc_h5_storage;

/* Bytes that the chunks at work may take together; a chunk larger than that is left to HDF5. */
enum { RETC_H5_BENCH_BYTES = 1 << 26 };

/* A dataset stays open while its file is, so that its chunk cache serves neighbouring slabs. */
typedef struct {
    char *name;
    hid_t id;
    retc_h5_storage storage;
} retc_h5_open_dataset;

typedef struct retc_h5_bench retc_h5_bench; /* room in which chunks are packed and unpacked */

struct retc_h5 {
    hid_t id;
    char *path, *temporary; /* temporary: NULL when read, or after commit */
    char *stand_in[2];      /* a group, and the one that stands in for it; NULL for none */
    int force;              /* may replace a file of that path */
    retc_h5_open_dataset dataset[OPEN_DATASETS];
    size_t next; /* slot that is given up when all are taken */
    retc_h5_bench *bench;
    unsigned char *piece; /* room for RETC_H5_PIECE_BYTES of elements that are converted after they were read, or NULL */
};

/* Elements from[d] ... from[d]+n[d]-1 of every axis. */
typedef struct {
    size_t from[RETC_H5_MAX_RANK], n[RETC_H5_MAX_RANK];
} retc_h5_box;

/* A slab on its way between file and memory, where it lies packed. */
typedef struct {
    retc_h5 *file;
    const retc_h5_open_dataset *dataset;
    retc_h5_box slab;
    retc_h5_type type; /* of the elements in memory */
    void *data;
    int writing;
} retc_h5_transfer;

/* Look at all of a file in a child process; fails when HDF5 does not survive that. */
int retc_h5_survives(const char *path) RETC_USED;

/* What a name means while a group stands in for another: `name` itself, or `room` filled. */
enum { RETC_H5_NAME = 512 };
const char *retc_h5_real_name(const retc_h5 *file, const char *name, char room[RETC_H5_NAME]);

/* Failures of HDF5 itself at an object, with its reason. */
int retc_h5_fail_read(const retc_h5 *file, const char *name);
int retc_h5_fail_write(const retc_h5 *file, const char *name);

/* The identifier of a dataset (borrowed), opened when it is not yet; and with it how it is stored. */
int retc_h5_dataset(retc_h5 *file, const char *name, hid_t *id);
int retc_h5_open_slot(retc_h5 *file, const char *name, const retc_h5_open_dataset **dataset);

/* Keep a fresh dataset among the open ones. */
int retc_h5_keep_dataset(retc_h5 *file, const char *name, hid_t id);

hid_t retc_h5_memory_type(retc_h5_type type);
size_t retc_h5_type_size(retc_h5_type type);

/* Find out how a dataset is stored.  In a file that is read, fails when that contradicts itself. */
int retc_h5_storage_of(const retc_h5 *file, const char *name, hid_t id, retc_h5_storage *storage);

/* Move the part of the slab that HDF5's own functions can always move: any part. */
int retc_h5_move_plain(const retc_h5_transfer *transfer, const retc_h5_box *part);

/* The chunks that lie in the slab as a whole, as a box of elements; 0 when there are none, or this layer cannot pack them. */
int retc_h5_whole_chunks(const retc_h5_transfer *transfer, retc_h5_box *whole);

/* Move those chunks: packed or unpacked on several threads, while HDF5 is called from this one. */
int retc_h5_move_chunks(const retc_h5_transfer *transfer, const retc_h5_box *whole);

void retc_h5_bench_free(retc_h5_bench *bench);

/* Convert n elements between types, as HDF5 does (what does not fit becomes the nearest that does); NULL: there is none here.
 */
typedef void (*retc_h5_converter)(const void *in, void *out, size_t n);
retc_h5_converter retc_h5_find_converter(retc_h5_type from, retc_h5_type to);

/* HDF5's shuffle filter: first the first byte of each of n elements of `size` bytes, then the second of each, and so on. */
void retc_h5_shuffle(const unsigned char *in, unsigned char *out, size_t n, size_t size);
void retc_h5_unshuffle(const unsigned char *in, unsigned char *out, size_t n, size_t size);

/* An attribute, to be closed; negative, with nothing recorded, when it is missing. */
hid_t retc_h5_open_attribute(const retc_h5 *file, const char *object, const char *attribute);

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
