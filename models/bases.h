/* Bases for filters over time: raised cosines in logarithmic time (Pillow et al. 2008, doi 10.1038/nature07140, Methods). */
#ifndef RETC_BASES_H
#define RETC_BASES_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* basis (n,taps): b_i(k) = cos(clip(a log(1 + k) - i pi/2, -pi, pi)) / 2 + 1/2 at tap k = 0 ... taps-1, with a such that the
 * peaks run from tap 0 to tap taps-1.  Where n is not less than the taps, as many rows as taps are written, each a single
 * tap; `*written` is the number of rows. */
void retc_raised_cosines(size_t n, size_t taps, double *basis, size_t *written);

/* Make the rows of basis (n,taps) orthonormal (modified Gram-Schmidt, twice); fails where they depend on each other. */
int retc_orthonormalise(size_t n, size_t taps, double *basis) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
