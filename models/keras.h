/* Models in Keras' weight files: of Keras 2, and of those before 1.0 (FORMATS 4.2).
 *
 * Only chains of layers with channels first, valid convolutions of stride 1 and the classes that a network here has.  Kernels
 * of Keras 2 are cross-correlations stored (rows, columns, in, out); those before 1.0 are true convolutions stored
 * (out, in, rows, columns), whose axes are flipped.  Dense weights are (in, out). */
#ifndef RETC_KERAS_H
#define RETC_KERAS_H

#include "h5.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 1 when the file holds weights as Keras writes them, else 0. */
int retc_keras_is(retc_h5 *file);

/* The network of such a file.  Its layers are in the file, or in `architecture`, a JSON file (NULL: architecture.json beside
 * it).  Keras keeps no normalisation: mean 0 and standard deviation 1.  NULL with a reason that names layer and weight. */
retc_network *retc_keras_read(retc_h5 *file, const char *architecture);

#ifdef __cplusplus
}
#endif

#endif
