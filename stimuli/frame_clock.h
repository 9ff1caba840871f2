/* The clock of a stimulus: onsets of its frames, in seconds. */
#ifndef RETC_FRAME_CLOCK_H
#define RETC_FRAME_CLOCK_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Index of the first onset that is not finite or not later than the one before; n when there is none. */
size_t retc_clock_disorder(const double *onset, size_t n);

/* Median of the n-1 intervals between n onsets (lower and upper median averaged); RETC_EINVAL when n < 2. */
int retc_clock_median_interval(const double *onset, size_t n, double *median) RETC_USED;

/* Frames whose interval to the next onset differs from `median` by more than `tolerance` * median.  Their number is
 * returned; the first `room` indices go into `where`. */
size_t retc_clock_irregular(const double *onset, size_t n, double median, double tolerance, size_t *where, size_t room);

/* First frames of the stretches of continuous time must begin with 0 and ascend below `frames`: index of the first that
 * does not, `blocks` when there is none (0 when there is no stretch at all). */
size_t retc_clock_block_disorder(const int64_t *start, size_t blocks, size_t frames);

#ifdef __cplusplus
}
#endif

#endif
