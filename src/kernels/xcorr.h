/* Cross-correlation of two long series by FFT. */
#ifndef RETC_XCORR_H
#define RETC_XCORR_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_xcorr retc_xcorr;

/* Plan for series of length `n`, padded with zeros to at least `n + max_lag` so that lags up to max_lag do not wrap. */
retc_xcorr *retc_xcorr_alloc(size_t n, size_t max_lag);
void retc_xcorr_free(retc_xcorr *plan);

/* Padded length P. */
size_t retc_xcorr_length(const retc_xcorr *plan);

/* Keep the transform of c (n) as response series number `slot`; slots grow as needed. */
int retc_xcorr_set(retc_xcorr *plan, size_t slot, const double *c) RETC_USED;

/* Transform the stimulus series s (n) once ... */
void retc_xcorr_stimulus(retc_xcorr *plan, const double *s);

/* ... and correlate it with a slot: out[k] = sum_t c[t] s[t-k], k = 0 ... P-1, circular in the padded length P. */
void retc_xcorr_correlate(retc_xcorr *plan, size_t slot, double *out);

#ifdef __cplusplus
}
#endif

#endif
