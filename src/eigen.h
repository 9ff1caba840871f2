/* The largest eigenvalues of a symmetric matrix, with their eigenvectors: by Lanczos' method with full orthogonalisation to a
 * tridiagonal matrix, by bisection of its Sturm sequence, and by inverse iteration (Golub & Van Loan, Matrix Computations, 8.4,
 * 10.1).  For a few vectors of many small matrices this is several times faster than a full decomposition. */
#ifndef RETC_EIGEN_H
#define RETC_EIGEN_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_eigen retc_eigen;

/* Room for the first k <= n of n x n; one per thread.  NULL with a recorded reason. */
retc_eigen *retc_eigen_alloc(size_t n, size_t k);
void retc_eigen_free(retc_eigen *eigen);

/* value (k), falling, and orthonormal vector (k,n) of the symmetric G (n,n), whose values must be finite.  Signs of vectors are
 * as they come; residuals |G v - value v| are a few units of rounding of the largest |value|. */
void retc_eigen_top(retc_eigen *eigen, const double *G, double *value, double *vector);

#ifdef __cplusplus
}
#endif

#endif
