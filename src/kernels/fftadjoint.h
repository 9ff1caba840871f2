/* The adjoint of a convolution over a window of time (conv.h, `window`) for its input, by Fourier transforms over space:
 *
 *   out[t][c][y][x] = sum_{k,p,q} w[k][c][p][q] g[k][y-p][x-q][t]         y < h, x < w
 *
 * Every window has a gradient of its own, so that nothing is shared over time.  Over space this is a plain convolution of K
 * maps that gives C of them, and a circular one over h x w pixels is the same.  Two windows are transformed as the real and
 * imaginary part of one.  Sums are those of transforms: errors are about one unit of rounding of the largest gradient, not of
 * each. */
#ifndef RETC_FFTADJOINT_H
#define RETC_FFTADJOINT_H

#include "conv.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_fftadjoint retc_fftadjoint;
typedef struct retc_fftadjoint_work retc_fftadjoint_work;

/* Call from one thread at a time, as FFTW plans like that.  NULL with a recorded reason. */
retc_fftadjoint *retc_fftadjoint_alloc(const retc_conv_shape *shape);
void retc_fftadjoint_free(retc_fftadjoint *plan);

/* Whether transforms are expected to beat the direct form. */
int retc_fftadjoint_pays(const retc_conv_shape *shape);

/* What a thread needs beside the plan. */
retc_fftadjoint_work *retc_fftadjoint_work_alloc(const retc_fftadjoint *plan);
void retc_fftadjoint_work_free(retc_fftadjoint_work *work);

/* Take over weights w (K,C,kh,kw).  No other call may run on the plan meanwhile; `work` is scratch. */
void retc_fftadjoint_set_weights(retc_fftadjoint *plan, retc_fftadjoint_work *work, const float *w);

/* out (n,C,h,w) from g: of map k the value at row y, column x of window t stands at g[k * plane + y * row + x * column + t].
 * `out` does not depend on how windows are cut into calls of an even number of them. */
void retc_fftadjoint_run(const retc_fftadjoint *plan, retc_fftadjoint_work *work, const float *g, size_t plane, size_t row,
                         size_t column, size_t n, float *out);

#ifdef __cplusplus
}
#endif

#endif
