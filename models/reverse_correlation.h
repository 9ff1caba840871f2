/* Reverse correlation: spike-triggered averages of all cells of a recording, what chance would give, and the static
 * nonlinearity behind a filter.
 *
 * Response frame t belongs to the window of L frames t-lag-L+1 ... t-lag.  Only windows inside one stretch of continuous time
 * count.  Filters are stored oldest frame first: element k of the window is frame t-lag-L+1+k, so that element L-1 is `lag`
 * frames before the response. */
#ifndef RETC_REVERSE_CORRELATION_H
#define RETC_REVERSE_CORRELATION_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    retc_part part;
    size_t history; /* L, frames; at least 1 */
    size_t lag;     /* frames between the newest frame of a window and its response */
    size_t shifts;  /* circular shifts for the chance level, 0: none */
    uint64_t seed;  /* of the shifts */
    size_t threads; /* 0: all processors; no effect on the result */
} retc_revcorr_options;

typedef struct {
    size_t N, L, H, W;
    size_t lag;
    double mean, std; /* normalisation of the stimulus, of the train part: s = (S - mean) / std */
    size_t windows;   /* response frames with a whole window */
    float *sta;       /* (N,L,H,W) dimensionless: sum_t c[t] s[t-lag-L+1+k] / sum_t c[t]; 0 without spikes */
    double *spikes;   /* (N) sum_t c[t] over the windows */
    size_t shifts;
    double *shift_max; /* (N,shifts) max over k, y, x of |STA| with the counts shifted in time; NULL when shifts is 0 */
} retc_revcorr;

/* Estimate the STA of every cell.  The stimulus is read once per group of pixels and each pixel is correlated with all
 * cells by FFT; shifted STAs are read off the same correlogram (see xcorr.h), with shifts of at least L frames drawn from
 * `seed`, the same for all cells and pixels.  `result` is filled (retc_revcorr_clear); nothing is left in it on failure.
 * Fails when no window is whole, or when the recording is too short for shifts. */
int retc_revcorr_estimate(retc_recording *recording, const retc_revcorr_options *options, const retc_progress *progress,
                          retc_revcorr *result) RETC_USED;

/* Free what an estimate holds and set it to zero. */
void retc_revcorr_clear(retc_revcorr *result);

/* STAs divided by their norms, (N,L,H,W); a cell without spikes keeps zeros. */
void retc_revcorr_unit_filters(const retc_revcorr *estimate, float *filters);

/* Number of windows of a part, as all functions here count them. */
int retc_revcorr_windows(retc_recording *recording, const retc_revcorr_options *options, size_t *windows) RETC_USED;

/* Counts per frame of all cells at the windows, in order: c (N,windows). */
int retc_revcorr_counts(retc_recording *recording, const retc_revcorr_options *options, float *c) RETC_USED;

/* Generator signals: g[n][i] = filters[n] . (window i - mean) / std, filters (n_filters,L,H,W), g (n_filters,windows).
 * The movie is streamed in blocks of time. */
int retc_revcorr_generator(retc_recording *recording, const retc_revcorr_options *options, double mean, double std,
                           size_t n_filters, const float *filters, const retc_progress *progress, float *g) RETC_USED;

/* Static nonlinearity of every cell behind its unit-norm STA: g = window . sta/|sta|, cut into `bins` equally populated
 * bins (retc_equal_bins).  x (N,bins) mean g, y (N,bins) mean rate in Hz, NaN after the first `used[n]` of a row.  A cell
 * without spikes has used = 0. */
int retc_revcorr_nonlinearity(retc_recording *recording, const retc_revcorr_options *options, const retc_revcorr *estimate,
                              size_t bins, const retc_progress *progress, double *x, double *y, size_t *used) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
