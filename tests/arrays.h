/* Arrays for tests of kernels: random ones, the same in double precision for references, and norms for bounds of rounding. */
#ifndef RETC_ARRAYS_H
#define RETC_ARRAYS_H

#include "rng.h"

#define RETC_UNIT_ROUNDOFF 5.9604644775390625e-8 /* 2^-24, float */

/* n normal deviates; retc_free. */
float *retc_deviates(gsl_rng *rng, size_t n);

/* Rows of `n` numbers, `ld` apart, as doubles without gaps; retc_free. */
double *retc_packed(const float *x, size_t rows, size_t n, size_t ld);

typedef struct {
    double one, two; /* sum of magnitudes, root of the sum of squares */
} retc_norms;

/* Of n numbers `step` apart. */
retc_norms retc_norms_of(const double *x, size_t n, size_t step);

#endif
