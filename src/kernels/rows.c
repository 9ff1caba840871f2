#include "rows.h"

#include "gather_versions.h"

void
retc_row_affine(const float *x, float scale, float shift, size_t n, float *out) {
    retc_kernel_rows()->affine(x, scale, shift, n, out);
}

void
retc_row_relu(const float *x, size_t n, float *out) {
    retc_kernel_rows()->relu(x, n, out);
}

void
retc_row_rectify(size_t n, float *x) {
    retc_kernel_rows()->rectify(n, x);
}

void
retc_row_relu_backward(const float *x, const float *g, size_t n, float *gin) {
    retc_kernel_rows()->relu_backward(x, g, n, gin);
}

void
retc_row_relu_secant(const float *x, const float *x0, const float *g, size_t n, float *gin) {
    retc_kernel_rows()->relu_secant(x, x0, g, n, gin);
}

void
retc_row_add(const float *x, size_t n, float *sum) {
    retc_kernel_rows()->add(x, n, sum);
}

void
retc_row_step(const float *g, const float *x, const float *x0, size_t n, float *sum) {
    retc_kernel_rows()->step(g, x, x0, n, sum);
}

void
retc_row_step_trapezium(const float *g, const float *g0, const float *x, const float *x0, size_t n, float *sum) {
    retc_kernel_rows()->step_trapezium(g, g0, x, x0, n, sum);
}

void
retc_row_extrapolate(const float *coarse, size_t n, float *fine, float *square, float *peak) {
    retc_kernel_rows()->extrapolate(coarse, n, fine, square, peak);
}

void
retc_row_normed_backward(const float *x, float scale, float mean_g, float mean, float slope, size_t n, float *g) {
    retc_kernel_rows()->normed_backward(x, scale, mean_g, mean, slope, n, g);
}

void
retc_row_sums(const float *x, const float *y, double shift, size_t n, double *a, double *b) {
    retc_kernel_rows()->sums(x, y, shift, n, a, b);
}

void
retc_row_pool(size_t K, const double *weight, const size_t *source, const double *x, size_t stride, size_t n, double *out) {
    retc_kernel_rows()->pool(K, weight, source, x, stride, n, out);
}

void
retc_row_spectra(size_t K, const float *w, const float *z, size_t n, float *out) {
    retc_kernel_rows()->spectra(K, w, z, n, out);
}
