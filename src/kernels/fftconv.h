/* Convolution over a window of time (conv.h, `window`) by Fourier transforms, and its adjoint for the weights.
 *
 * Valid outputs of a circular convolution are those of the linear one, so space needs no padding, and time is cut into segments
 * of P frames that give P - L + 1 outputs each (overlap-save).  Per output frame the cost does not depend on the size of the
 * kernel, and on the history only through L / P.  Transforms leave out what is known to be zero, and what nobody asks for.
 *
 * FFTW plans are made by rule (FFTW_ESTIMATE), not by measuring, so that the same input gives the same output on every run. */
#ifndef RETC_FFTCONV_H
#define RETC_FFTCONV_H

#include "conv.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_fftconv retc_fftconv;
typedef struct retc_fftconv_work retc_fftconv_work;

/* A plan for up to max_n time steps; rows of time are in_ld and out_ld apart as in retc_conv_init.  Call from one thread at a
 * time, as FFTW plans like that.  NULL with a recorded reason. */
retc_fftconv *retc_fftconv_alloc(const retc_conv_shape *shape, size_t in_ld, size_t out_ld, size_t max_n);
void retc_fftconv_free(retc_fftconv *plan);

/* Whether transforms are expected to beat the direct form for blocks of n time steps. */
int retc_fftconv_pays(const retc_conv_shape *shape, size_t n);

/* What a thread needs beside the plan. */
retc_fftconv_work *retc_fftconv_work_alloc(const retc_fftconv *plan);
void retc_fftconv_work_free(retc_fftconv_work *work);

/* The same for who runs forward passes on several blocks before the first gradient: the spectra of a block's movie, which the
 * gradient of the weights needs, stand in the caller's memory (retc_fftconv_input_size floats, from retc_calloc), named by
 * retc_fftconv_set_input before every pass. */
retc_fftconv_work *retc_fftconv_work_alloc_bare(const retc_fftconv *plan);
size_t retc_fftconv_input_size(const retc_fftconv *plan);
void retc_fftconv_set_input(retc_fftconv_work *work, float *spectra);

/* Take over weights w (K,L,kh,kw).  No other call may run on the plan meanwhile; `work` is scratch. */
void retc_fftconv_set_weights(retc_fftconv *plan, retc_fftconv_work *work, const float *w);

/* The same for channel k alone; other channels may be taken over meanwhile. */
void retc_fftconv_set_kernel(retc_fftconv *plan, retc_fftconv_work *work, const float *w, size_t k);

/* out (K,oh,ow,out_ld) from in (h,w,in_ld), n time steps; bias (K) or NULL. */
void retc_fftconv_forward(const retc_fftconv *plan, retc_fftconv_work *work, const float *bias, const float *in, size_t n,
                          float *out);

/* dw (K,L,kh,kw) += from g = d target / d out, after retc_fftconv_forward on the same input with the same `work`. */
void retc_fftconv_backward_weights(const retc_fftconv *plan, retc_fftconv_work *work, const float *g, size_t n, float *dw);

/* Points of one segment, over which transforms run: P h w. */
size_t retc_fftconv_points(const retc_fftconv *plan);

#ifdef __cplusplus
}
#endif

#endif
