/* Arrays of NumPy in files of their own (.npy, format versions 1 to 3), read in slabs. */
#ifndef RETC_NPY_H
#define RETC_NPY_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_npy retc_npy;

/* Open an array of numbers in C order.  NULL with a recorded reason: no such file, another format, an order or a type of
 * elements that is not read (f4 f8 i1 i2 i4 u1 u2 u4 b1, little-endian), or a file of the wrong length. */
retc_npy *retc_npy_open(const char *path);
void retc_npy_close(retc_npy *npy);

/* Rank and shape (rank), borrowed; and whether the elements are stored as 8-bit unsigned integers. */
int retc_npy_rank(const retc_npy *npy);
const size_t *retc_npy_shape(const retc_npy *npy);
int retc_npy_is_bytes(const retc_npy *npy);

/* Elements first ... first+n-1 in C order. */
int retc_npy_read(retc_npy *npy, size_t first, size_t n, float *out) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
