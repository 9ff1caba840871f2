/* Cross-correlation of two long series by FFT, block by block.
 *
 * A series of n frames is cut into blocks of P frames.  Block b correlates the responses of P - max_lag frames with the P
 * stimulus frames that end with them, so that lags 0 ... max_lag never leave a block; the blocks' spectra add up before the
 * one inverse transform.  With c_b, s_b the block's series (c_b zero in its first max_lag frames, s_b zero outside 0 ... n-1)
 *
 *     out[k] = sum_b sum_i c_b[i] s_b[(i - k) mod P]          k = 0 ... P-1
 *
 * which for k <= max_lag is sum_t c[t] s[t-k], and for larger k is the same with the responses shifted circularly within
 * every block: the null distribution of a correlogram for the price of none. */
#ifndef RETC_XCORR_H
#define RETC_XCORR_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_xcorr retc_xcorr;

/* Plan for series of length `n` (at least 1) and lags up to max_lag.  Short series are one block of at least n + max_lag
 * frames.  Not thread-safe.  NULL with a recorded reason. */
retc_xcorr *retc_xcorr_alloc(size_t n, size_t max_lag);
void retc_xcorr_free(retc_xcorr *plan);

/* A second workspace, for another thread, that reads the response series set in `plan`, which must outlive it.  Its own
 * slots cannot be set. */
retc_xcorr *retc_xcorr_share(const retc_xcorr *plan);

/* Length P of a block: the number of lags that retc_xcorr_correlate gives. */
size_t retc_xcorr_length(const retc_xcorr *plan);

/* Keep the transform of c (n) as response series number `slot`; slots grow as needed. */
int retc_xcorr_set(retc_xcorr *plan, size_t slot, const double *c) RETC_USED;

/* Transform the stimulus series s (n) once ... */
void retc_xcorr_stimulus(retc_xcorr *plan, const double *s);

/* ... and correlate it with a slot that was set: out (P) as above. */
void retc_xcorr_correlate(retc_xcorr *plan, size_t slot, double *out);

/* The definition in plain loops: out[k], k = 0 ... lags-1 (lags <= P). */
void retc_xcorr_reference(const retc_xcorr *plan, const double *c, const double *s, size_t lags, double *out);

#ifdef __cplusplus
}
#endif

#endif
