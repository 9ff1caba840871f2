/* How fast a receptive field changes: the autocorrelation of a sequence of fields F_t, kept as separations (separate.h),
 *
 *   C[tau] = (<F_t, F_t+tau> - |M|^2) / (<F_t, F_t> - |M|^2),   <.,.> summed over frames and pixels,
 *
 * averaged over all pairs that lie in one stretch of continuous time, M the mean field: 1 at lag 0, about 0 where the field has
 * forgotten what it was.  With F = sum_j s_j u_j v_j' an inner product takes rank^2 of time courses and maps, not one of whole
 * fields.  The correlation time is the lag at which C first falls to 1/e, on a straight line between samples. */
#ifndef RETC_IRF_CHANGE_H
#define RETC_IRF_CHANGE_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_irf_change retc_irf_change;

/* Fields of L frames by P pixels with `rank` terms, lags 0 ... lags samples.  NULL with a recorded reason. */
retc_irf_change *retc_irf_change_alloc(size_t L, size_t P, size_t rank, size_t lags);
void retc_irf_change_free(retc_irf_change *change);

/* The next field, of u (rank,L), s (rank), v (rank,P); `continues` 0: it does not follow the last one. */
void retc_irf_change_add(retc_irf_change *change, const float *u, const float *s, const float *v, int continues);

/* C (lags+1), NaN where there is no pair or nothing varies; and the correlation time in samples, NaN when C does not fall to
 * 1/e within the lags. */
void retc_irf_change_result(const retc_irf_change *change, double *autocorrelation, double *correlation_time);

#ifdef __cplusplus
}
#endif

#endif
