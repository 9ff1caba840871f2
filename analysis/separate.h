/* Separation of a receptive field into space and time: f (L,P) = sum_j s_j u_j v_j', the first terms of the singular value
 * decomposition, each a time course u_j (L) times a map v_j (P), s_j falling.
 *
 * L is small against P: u_j are eigenvectors of the Gram matrix f f' (L,L), and v_j = f' u_j / s_j.  The Gram matrix is summed
 * in float, so that s_j is known to about 1e-6 s_1^2 / s_j at worst. */
#ifndef RETC_SEPARATE_H
#define RETC_SEPARATE_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One factor +1 or -1 for all terms of a field (bscope: the correlation of v_1 with the frame that holds the largest |f| is
 * positive; pyret: the sum of f' u_1 over pixels is). */
typedef enum { RETC_SIGN_BSCOPE, RETC_SIGN_PYRET } retc_sign_rule;

typedef struct {
    size_t L, P, rank; /* frames, pixels, terms; rank <= L, P */
    size_t outside;    /* further pixels of the frame, on which the field is 0 */
    int subtract_mean; /* separate f - mean(f) instead, mean over all L (P + outside) values, as both libraries do */
    retc_sign_rule sign;
} retc_separate_options;

/* One separation; what it points to belongs to the caller. */
typedef struct {
    float *u, *s, *v; /* (rank,L), (rank), (rank,P); all 0 for terms beyond those that the field has */
    double mean;      /* that was subtracted, else 0 */
    double norm;      /* |f| over all its values, after subtraction */
    double error;     /* |f - sum_j s_j u_j v_j'| / |f|, 0 where |f| is; below 5e-4 it is rounding */
} retc_separation;

typedef struct retc_separator retc_separator;

/* Fails when there are fewer frames or pixels than terms, or no terms.  One per thread. */
retc_separator *retc_separator_alloc(const retc_separate_options *options);
void retc_separator_free(retc_separator *separator);

/* Separate f (L,P). */
int retc_separate(retc_separator *separator, const float *f, retc_separation *result) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
