/* Damage to files: to their bytes, and, of HDF5 files, to what they hold.  The same seed and number give the same damage. */
#ifndef RETC_MUTATE_H
#define RETC_MUTATE_H

#include <gsl/gsl_rng.h>
#include <stddef.h>

typedef struct {
    unsigned char *data; /* (size), room for twice that and 64 kB */
    size_t size;
} mutant;

/* Number of files that come from cutting a good one at every 64th byte. */
size_t mutate_cuts(size_t size);

/* Cut number `cut` of those. */
void mutate_cut(mutant *file, size_t cut);

/* A few changes of bytes: flipped, set to telling values, erased, put in, copied from elsewhere in the file. */
void mutate_bytes(mutant *file, gsl_rng *rng);

/* One change of a good HDF5 file by HDF5's own functions: an object that is gone, or of another shape, type or kind, values
 * without meaning, links in circles, attributes of another type. */
void mutate_objects(const char *path, gsl_rng *rng);

#endif
