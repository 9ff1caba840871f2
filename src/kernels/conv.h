/* Valid convolution (cross-correlation, stride 1) over maps of time series, and its two adjoints.
 *
 *   out[k][y][x][t] = bias[k] + sum_{c,p,q} w[k][c][p][q] in[c][y+p][x+q][t]                      over maps, in (C,h,w,ld)
 *   out[k][y][x][t] = bias[k] + sum_{c,p,q} w[k][c][p][q] in[y+p][x+q][t+c]                       over a window of time, in
 * (h,w,ld)
 *
 * In the second form channel c is the frame c of a window that starts at t: the movie itself is the input and no window is
 * ever built.  k < K, y < oh = h-kh+1, x < ow = w-kw+1; rows of time are `ld` floats apart. */
#ifndef RETC_CONV_H
#define RETC_CONV_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t C, h, w;   /* input channels and map; with `window`, C frames of history */
    size_t K, kh, kw; /* output channels and kernel */
    int window;       /* nonzero: channels are successive frames of the same pixels */
} retc_conv_shape;

typedef struct {
    retc_conv_shape shape;
    size_t oh, ow, in_ld, out_ld, J; /* J = C kh kw */
    size_t *offset;                  /* (J) of the input elements of output (0,0) */
} retc_conv;

/* in_ld >= n (+ C - 1 with `window`) for the largest n that will be run, out_ld >= n. */
int retc_conv_init(retc_conv *conv, const retc_conv_shape *shape, size_t in_ld, size_t out_ld) RETC_USED;
void retc_conv_free(retc_conv *conv);

/* w (K,C,kh,kw), bias (K) or NULL, n time steps. */
void retc_conv_forward(const retc_conv *conv, const float *w, const float *bias, const float *in, size_t n, float *out);

/* dw (K,C,kh,kw) += and db (K, or NULL) +=, from g = d target / d out. */
void retc_conv_backward_weights(const retc_conv *conv, const float *g, const float *in, size_t n, float *dw, float *db);

/* The bias alone; nothing to do when db is NULL. */
void retc_conv_backward_bias(const retc_conv *conv, const float *g, size_t n, float *db);

/* din (C,h,w,din_ld) = d target / d in; with `window` the gradient of each window by itself, din[c][y][x][t] belonging to
 * frame c of window t.  `packed` (K C kh kw floats) and `offset` (K kh kw) are scratch. */
void retc_conv_backward_input(const retc_conv *conv, const float *w, const float *g, size_t n, float *din, size_t din_ld,
                              float *packed, size_t *offset);

/* The same where only one output position of each channel is used: `position` (K,2) row, column.  `out` and `g` are laid out as
 * whole maps, of which only these K rows of time are written or read.  Not with `window`. */
void retc_conv_forward_at(const retc_conv *conv, const size_t *position, const float *w, const float *bias, const float *in,
                          size_t n, float *out);
void retc_conv_backward_weights_at(const retc_conv *conv, const size_t *position, const float *g, const float *in, size_t n,
                                   float *dw, float *db);
void retc_conv_backward_input_at(const retc_conv *conv, const size_t *position, const float *w, const float *g, size_t n,
                                 float *din, size_t din_ld);

/* The definitions: plain loops in double over packed arrays (ld = n; with `window` the input's ld = n + C - 1). */
void retc_conv_forward_reference(const retc_conv_shape *shape, const double *w, const double *bias, const double *in, size_t n,
                                 double *out);
void retc_conv_backward_weights_reference(const retc_conv_shape *shape, const double *g, const double *in, size_t n, double *dw,
                                          double *db);
void retc_conv_backward_input_reference(const retc_conv_shape *shape, const double *w, const double *g, size_t n, double *din);

/* ... and of one position per channel; here `out` and `g` are (K,n). */
void retc_conv_forward_at_reference(const retc_conv_shape *shape, const size_t *position, const double *w, const double *bias,
                                    const double *in, size_t n, double *out);
void retc_conv_backward_weights_at_reference(const retc_conv_shape *shape, const size_t *position, const double *g,
                                             const double *in, size_t n, double *dw, double *db);
void retc_conv_backward_input_at_reference(const retc_conv_shape *shape, const size_t *position, const double *w,
                                           const double *g, size_t n, double *din);

#ifdef __cplusplus
}
#endif

#endif
