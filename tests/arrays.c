#include "arrays.h"

#include <math.h>

#include "error.h"
#include "testing.h"

float *
retc_deviates(gsl_rng *rng, size_t n) {
    float *x = retc_calloc(n, sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < n; ++i)
        x[i] = (float)gsl_ran_gaussian(rng, 1);
    return x;
}

double *
retc_packed(const float *x, size_t rows, size_t n, size_t ld) {
    double *y = retc_calloc(rows * n, sizeof *y);
    ck_assert_ptr_nonnull(y);
    for (size_t i = 0; i < rows * n; ++i)
        y[i] = (double)x[i / n * ld + i % n];
    return y;
}

retc_norms
retc_norms_of(const double *x, size_t n, size_t step) {
    retc_norms sum = {0, 0};
    for (size_t i = 0; i < n; ++i) {
        sum.one += fabs(x[i * step]);
        sum.two += x[i * step] * x[i * step];
    }
    sum.two = sqrt(sum.two);
    return sum;
}
