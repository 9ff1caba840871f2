/* Convolution over maps of time series (conv.h, without `window`) by Fourier transforms over space, and both its adjoints.
 *
 * Every time step is transformed by itself; an element of a transform is a vector of consecutive time steps, so that
 * butterflies and products are plain vector operations with broadcast factors, and a time step gives the same bits wherever it
 * stands in a block.  Valid outputs of a circular convolution are those of the linear one: maps are padded with zeros only up
 * to the next size with factors 2, 3 and 5.  The cost does not depend on the size of the kernel. */
#ifndef RETC_MAPCONV_H
#define RETC_MAPCONV_H

#include "conv.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_mapconv retc_mapconv;
typedef struct retc_mapconv_work retc_mapconv_work;

/* A plan; rows of time are in_ld and out_ld apart as in retc_conv_init.  NULL with a recorded reason. */
retc_mapconv *retc_mapconv_alloc(const retc_conv_shape *shape, size_t in_ld, size_t out_ld);
void retc_mapconv_free(retc_mapconv *plan);

/* Whether transforms are expected to beat the direct form: a question of the shape alone, not of the length of blocks. */
int retc_mapconv_pays(const retc_conv_shape *shape);

/* What a thread needs beside the plan; `gradients` nonzero: for the gradient of the weights too. */
retc_mapconv_work *retc_mapconv_work_alloc(const retc_mapconv *plan, int gradients);
void retc_mapconv_work_free(retc_mapconv_work *work);

/* Take over weights w (K,C,kh,kw).  No other call may run on the plan meanwhile; `work` is scratch. */
void retc_mapconv_set_weights(retc_mapconv *plan, retc_mapconv_work *work, const float *w);

/* out (K,oh,ow,out_ld) from in (C,h,w,in_ld), n time steps; bias (K) or NULL. */
void retc_mapconv_forward(const retc_mapconv *plan, retc_mapconv_work *work, const float *bias, const float *in, size_t n,
                          float *out);

/* din (C,h,w,din_ld) = d target / d in, from g = d target / d out (K,oh,ow,out_ld). */
void retc_mapconv_backward_input(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, size_t n, float *din,
                                 size_t din_ld);

/* dw (K,C,kh,kw) += from g and the input that the forward pass had. */
void retc_mapconv_backward_weights(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, const float *in, size_t n,
                                   float *dw);

/* Points of the transforms of one map, padding included. */
size_t retc_mapconv_points(const retc_mapconv *plan);

#ifdef __cplusplus
}
#endif

#endif
