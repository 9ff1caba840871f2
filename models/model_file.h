/* Model files: the checkpoint layout of FORMATS 4.3, which PyTorch users can load, with what it lacks (lag, cell names,
 * knots of LN nonlinearities) under names of our own. */
#ifndef RETC_MODEL_FILE_H
#define RETC_MODEL_FILE_H

#include "h5.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write the network into a file being made. */
int retc_network_write(const retc_network *network, retc_h5 *file) RETC_USED;

/* Read a network: layers from `layers_json`, tensors from /state_dict.  NULL with a recorded reason that names the layer or
 * tensor: missing, of another shape, not finite, of an unknown class. */
retc_network *retc_network_read(retc_h5 *file);

/* Open `path` and read. */
retc_network *retc_network_open(const char *path);

#ifdef __cplusplus
}
#endif

#endif
