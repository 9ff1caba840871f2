/* Spike times of one cell: what is odd about them, and how many fell in each frame. */
#ifndef RETC_SPIKES_H
#define RETC_SPIKES_H

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Index of the first spike earlier than the one before it, n when there is none.  Equal neighbours are in order. */
size_t retc_spikes_disorder(const double *spike, size_t n);

/* Number of intervals shorter than `limit` seconds; with limit 0 the pairs of equal times. */
size_t retc_spikes_brief(const double *spike, size_t n, double limit);

/* counts[i] (frames) = number of the n ascending spikes in [onset[i], onset[i+1]), where onset[frames] is `end`.
 * `before` and `after` receive the number of spikes before the first onset, and at or after the end. */
void retc_spikes_count(const double *spike, size_t n, const double *onset, size_t frames, double end, float *counts,
                       size_t *before, size_t *after);

#ifdef __cplusplus
}
#endif

#endif
