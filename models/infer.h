/* The layers of a checkpoint that does not list them, from the names and ranks of its tensors (FORMATS 4.1).
 *
 * Parameters are called sequential.<number>.<tensor>.  A tensor of rank 4 is a convolution, of rank 2 a dense readout, running
 * statistics are a batch norm; modules without tensors (ReLU, softplus, flattening) leave gaps in the numbers, and where they
 * stand follows from the class of the model.  Internal: not installed. */
#ifndef RETC_INFER_H
#define RETC_INFER_H

#include <jansson.h>

#include "h5.h"

/* The list as layers_json would hold it, `*layers` (json_decref).  `model_type` is one of VaryModel, BNCNN, LinearStackedBNCNN
 * and RetinotopicModel; `hyps` may say bnaftrelu, abs_bias, softplus and centers.  Fails naming the tensor or number that does
 * not fit. */
int retc_infer_layers(retc_h5 *file, const char *model_type, const json_t *hyps, json_t **layers) RETC_USED;

#endif
