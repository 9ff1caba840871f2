/* The hot kernels.  Time is innermost, so convolution over space, convolution over time, and dense layers are one
 * operation: a sum of weighted rows found through a table of offsets.
 *
 *   gather:  out[o*ldo + t] = bias[o] + sum_j w[o*ldw + j] * in[offset[j] + t]         t = 0 ... n-1, o = 0 ... O-1
 *   dots:    dw[o*ldw + j] += sum_{p,t} g[o*ldg + p*g_step + t] * in[offset[j] + p*in_step + t]     p = 0 ... places-1
 *
 * A convolution over space at output (y,x) has offset[(c,p,q)] = c*plane + (y+p)*row + (x+q)*ld; over time, channel c of
 * the window is the same pixel c frames later, offset = c.  The fast versions are chosen once, at run time, from what the
 * processor can do; the environment variable RETC_KERNEL = reference | generic | avx2 | avx512 forces one. */
#ifndef RETC_GATHER_H
#define RETC_GATHER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `bias` NULL: start from zero; `accumulate` nonzero: add to what `out` holds (and ignore bias). */
void retc_gather(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
                 const size_t *offset, float *out, size_t ldo, int accumulate);

void retc_dots(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step, const float *in,
               size_t in_step, const size_t *offset, float *dw, size_t ldw);

/* The definitions, in double, plain loops; the same arguments. */
void retc_gather_reference(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
                           const size_t *offset, double *out, size_t ldo, int accumulate);
void retc_dots_reference(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step,
                         const float *in, size_t in_step, const size_t *offset, double *dw, size_t ldw);

/* Name of the version in use: "avx512", "avx2", "generic" or "reference". */
const char *retc_kernel_name(void);

/* Choose a version by name; 0, or -1 when this processor or build does not have it.  For tests. */
int retc_kernel_choose(const char *name);

#ifdef __cplusplus
}
#endif

#endif
