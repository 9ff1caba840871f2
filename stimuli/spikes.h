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

/* Number of the n ascending spikes before `time`. */
size_t retc_spikes_before(const double *spike, size_t n, double time);

/* counts[i] (frames) = number of the n ascending spikes in [onset[i], end[i]), where end[i] <= onset[i+1]. */
void retc_spikes_count(const double *spike, size_t n, const double *onset, const double *end, size_t frames, float *counts);

#ifdef __cplusplus
}
#endif

#endif
