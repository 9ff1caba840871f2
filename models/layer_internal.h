/* Parts of layers' passes.  Internal: not installed. */
#ifndef RETC_LAYER_INTERNAL_H
#define RETC_LAYER_INTERNAL_H

#include "tape.h"

/* Pools of layer l: arguments as of retc_layer_forward and retc_layer_backward. */
void retc_pool_forward(const retc_tape *tape, size_t l, const float *in, size_t n, float *out);
void retc_pool_backward(const retc_tape *tape, size_t l, const float *in, const float *in0, const float *g, size_t n,
                        float *gin);

#endif
