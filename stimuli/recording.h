/* A recording: stimulus movie and responses of ganglion cells, a train part and a repeated test part (FORMATS 1).
 *
 * Opened, it is a handle from which slabs of time are read.  Up to the memory budget, counts are kept in memory, and movies
 * from their first use on, in their stored type (a byte movie takes a byte per pixel); what is larger is streamed, except the
 * means over repeats of the test part.  Not thread-safe.  Beside the datasets of the Stanford layout it reads these additions
 * of ours, all optional:
 *
 *   <part>/block_start (B)        i8  first frame of each stretch of continuous time (absent: one stretch)
 *   /cell_names (N)               strings
 *   /interneurons/<part>/signal   (I,T) f4  true signals of a simulated retina, /interneurons/names (I) strings
 *   root attribute frame_interval f8  s, else the median of the differences of <part>/time
 */
#ifndef RETC_RECORDING_H
#define RETC_RECORDING_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_recording retc_recording;

typedef enum { RETC_TRAIN = 0, RETC_TEST = 1 } retc_part;

/* A stretch of consecutive response frames t = first ... first+count-1. */
typedef struct {
    size_t first, count;
} retc_span;

/* Open and check a recording: datasets there, shapes agree, responses finite and not negative.  `budget` is the number of
 * bytes of stimulus and counts kept in memory (0: the default, 2 GiB).  NULL with a recorded reason. */
retc_recording *retc_recording_open(const char *path, size_t budget);
void retc_recording_close(retc_recording *recording);

const char *retc_recording_path(const retc_recording *recording);
size_t retc_recording_height(const retc_recording *recording); /* H, pixels */
size_t retc_recording_width(const retc_recording *recording);  /* W, pixels */
size_t retc_recording_cells(const retc_recording *recording);  /* N */
const char *retc_recording_cell_name(const retc_recording *recording, size_t cell);
size_t retc_recording_frames(const retc_recording *recording, retc_part part); /* T; 0 when the part is absent */
double retc_recording_frame_interval(const retc_recording *recording);         /* s */
size_t retc_recording_repeats(const retc_recording *recording);                /* R of the test part, 0 when none */

/* Stimulus, time and response of a part may differ by up to two frames, then the shortest counts: frames by which the
 * longest exceeds it. */
size_t retc_recording_dropped(const retc_recording *recording, retc_part part);

/* Stimulus frames t0 ... t0+n-1 as stored, (n,H,W).  A value that is not finite is an error that names the frame. */
int retc_recording_stimulus(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) RETC_USED;

/* Spike counts per frame of all cells, (N,n); in the test part the mean over repeats. */
int retc_recording_counts(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) RETC_USED;

/* Counts of one cell in every repeat of the test part, (R,T_test). */
int retc_recording_repeat_counts(retc_recording *recording, size_t cell, float *out) RETC_USED;

/* Scalar mean and population standard deviation (+ 1e-7, as the peers do) of the train stimulus, in double; it is an error
 * when the stimulus never changes. */
int retc_recording_stimulus_norm(retc_recording *recording, double *mean, double *std) RETC_USED;

/* The response frames t that lie in one stretch of continuous time with their whole window (frames t-lag-L+1 ... t-lag),
 * in order: in each stretch all but the first L-1+lag frames.
 * `*spans` (retc_free) has `*n` entries; it is an error when there are none. */
int retc_recording_spans(retc_recording *recording, retc_part part, size_t history, size_t lag, retc_span **spans,
                         size_t *n) RETC_USED;

/* True interneuron signals of a simulated retina: number (0 when none), names, and frames t0 ... t0+n-1 as (I,n). */
size_t retc_recording_interneurons(const retc_recording *recording);
const char *retc_recording_interneuron_name(const retc_recording *recording, size_t i);
int retc_recording_interneuron_signals(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
