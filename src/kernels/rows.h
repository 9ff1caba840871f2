/* What layers do to a row of time, element by element, and sums over rows.  Plain loops that the compiler turns into vectors of
 * whatever instruction set was chosen (gather.h); results are the same to the last bit with all of them. */
#ifndef RETC_ROWS_H
#define RETC_ROWS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out = x scale + shift */
void retc_row_affine(const float *x, float scale, float shift, size_t n, float *out);

/* out = max(x, 0); a value that is not a number becomes 0 */
void retc_row_relu(const float *x, size_t n, float *out);

/* The same in place. */
void retc_row_rectify(size_t n, float *x);

/* gin = g where x > 0, else 0 */
void retc_row_relu_backward(const float *x, const float *g, size_t n, float *gin);

/* gin = g times the secant slope of max(.,0) between x0 and x: 0 or 1 on one side of the kink; across it the quotient, where
 * nothing cancels */
void retc_row_relu_secant(const float *x, const float *x0, const float *g, size_t n, float *gin);

/* sum += x */
void retc_row_add(const float *x, size_t n, float *sum);

/* sum += g (x - x0), and with two gradients sum += (g + g0)/2 (x - x0): one step of a path integral */
void retc_row_step(const float *g, const float *x, const float *x0, size_t n, float *sum);
void retc_row_step_trapezium(const float *g, const float *g0, const float *x, const float *x0, size_t n, float *sum);

/* With the sum `fine` of two steps and `coarse` of one over both, d = fine - coarse: fine += d/3, square += d^2, peak is at least
 * d^2 (Richardson 1911). */
void retc_row_extrapolate(const float *coarse, size_t n, float *fine, float *square, float *peak);

/* g = scale (g - mean_g - (x - mean) slope): backward pass of batch norm, in place */
void retc_row_normed_backward(const float *x, float scale, float mean_g, float mean, float slope, size_t n, float *g);

/* Sums over x and y, in double: *a += sum x, *b += sum x (y - shift).  Eight sums run side by side and are added up in pairs.
 */
void retc_row_sums(const float *x, const float *y, double shift, size_t n, double *a, double *b);

/* out (n) = sum over k < K of weight[k] x[source[k] stride ...], added up in the order of k.  n is a multiple of RETC_ROW_TILE.
 */
#define RETC_ROW_TILE ((size_t)32)
void retc_row_pool(size_t K, const double *weight, const size_t *source, const double *x, size_t stride, size_t n, double *out);

/* Sum over k < K of products of complex numbers, added up in the order of k: w and z (K,2,n) hold real, then imaginary parts,
 * out (n,2) has them side by side.  n is a multiple of RETC_ROW_TILE. */
void retc_row_spectra(size_t K, const float *w, const float *z, size_t n, float *out);

#ifdef __cplusplus
}
#endif

#endif
