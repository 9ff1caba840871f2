/* A recording: stimulus movie and responses of ganglion cells, a train part and a repeated test part (FORMATS 1).
 *
 * Opened, it is a handle from which slabs of time are read.  Up to the memory budget, counts are kept in memory, and movies
 * from their first use on, in their stored type (a byte movie takes a byte per pixel); what is larger is streamed, except the
 * means over repeats of the test part.  Not thread-safe.  Beside the datasets of the Stanford layout it reads these additions
 * of ours, all optional:
 *
 *   <part>/block_start (B)        i8  first frame of each stretch of continuous time (absent: as many equal blocks as the
 *                                     published data set of the file's folder is known to have, else one stretch)
 *   /cell_names (N)               strings
 *   /cells/<name> (N,...)         what else is known of every cell; of lists /cells/<name>_index (N) i8 has the ends
 *   /interneurons/<part>/signal   (I,T) f4  true signals of a simulated retina, /interneurons/names (I) strings
 *   <part>/onset (T), (R,T)       f8  onsets of the frames on the clock of the spike times, s (test: of every repeat)
 *   root attribute frame_interval f8  s, else the median of the differences of <part>/time
 */
#ifndef RETC_RECORDING_H
#define RETC_RECORDING_H

#include <stdint.h>

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_recording retc_recording;

typedef enum { RETC_TRAIN = 0, RETC_TEST = 1 } retc_part;

/* A stretch of consecutive response frames t = first ... first+count-1. */
typedef struct {
    size_t first, count;
} retc_span;

/* What of a recording is used; all zero: everything, as it is. */
typedef struct {
    size_t budget;          /* bytes of stimulus and counts kept in memory; 0: 2 GiB */
    const char *cells;      /* "all" or NULL; "good": the published list of the experiment; or names, rows from 0 and ranges of
                             * rows, parted by commas: "3,7-9,cell12" */
    const char *experiment; /* name of the published data set; NULL: that of the file's folder */
    size_t skip;            /* frames left out at the start of each block of the train part (the peers' nskip) */
    size_t blocks;          /* equal blocks of the train part; 0: as the file says, else as known of the experiment, else 1 */
    int joined;             /* windows run across the borders of blocks of the train part, as in the peers' programs */
} retc_recording_options;

/* Open and check a recording: datasets there, shapes agree, responses finite and not negative.  NULL with a recorded reason.
 *
 * The frames of the train part are those that `skip` leaves, in order: frame numbers count these, as `valid` does in loadexpt
 * of deep-retina (FORMATS 1).  Sample i of theirs, window i ... i+L-1 of `valid` and response i+L, is response frame i+L here
 * with lag 1, and joined, without a block more or less, the number of samples is theirs: frames - L.  Single repeats are the
 * counts test/repeats/cellNN or cell_<id> (in the order of the ids); without them firing_rate_{5,10,20}ms, the least smoothed
 * there is, times the frame interval. */
retc_recording *retc_recording_open_with(const char *path, const retc_recording_options *options);

/* The same of everything, with a budget. */
retc_recording *retc_recording_open(const char *path, size_t budget);
void retc_recording_close(retc_recording *recording);

/* What is odd about the file, or was assumed: lines of text, each with its end, "" when there is nothing (borrowed). */
const char *retc_recording_notes(const retc_recording *recording);

const char *retc_recording_path(const retc_recording *recording);
size_t retc_recording_height(const retc_recording *recording); /* H, pixels */
size_t retc_recording_width(const retc_recording *recording);  /* W, pixels */
size_t retc_recording_cells(const retc_recording *recording);  /* N */
const char *retc_recording_cell_name(const retc_recording *recording, size_t cell);
/* Published centre of a cell's receptive field in pixels: 1 when it is known, else 0. */
int retc_recording_center(const retc_recording *recording, size_t cell, size_t *row, size_t *column);
size_t retc_recording_frames(const retc_recording *recording, retc_part part); /* T; 0 when the part is absent */
double retc_recording_frame_interval(const retc_recording *recording);         /* s */
size_t retc_recording_repeats(const retc_recording *recording);                /* R of the test part, 0 when none */

/* Stimulus, time and response of a part may differ by up to two frames, then the shortest counts: frames by which the
 * longest exceeds it. */
size_t retc_recording_dropped(const retc_recording *recording, retc_part part);

/* How movies of all parts can be stored without loss: bytes, or 4-byte floating point numbers. */
retc_h5_type retc_recording_stimulus_type(const retc_recording *recording);

/* Stimulus frames t0 ... t0+n-1 as stored, (n,H,W).  A value that is not finite is an error that names the frame. */
int retc_recording_stimulus(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) RETC_USED;

/* Spike counts per frame of all cells, (N,n); in the test part the mean over repeats. */
int retc_recording_counts(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) RETC_USED;

/* Counts of one cell in every repeat of the test part, (R,T_test). */
int retc_recording_repeat_counts(retc_recording *recording, size_t cell, float *out) RETC_USED;

/* Start of every frame of a part, (T), in s on the clock of the part, which leaves out the gaps between stretches. */
int retc_recording_time(retc_recording *recording, retc_part part, double *time) RETC_USED;

/* First frame of each stretch of continuous time, (B), ascending from 0 (borrowed). */
const int64_t *retc_recording_stretches(const retc_recording *recording, retc_part part, size_t *stretches);

/* Number of spike times that the file holds of a cell; 1 when it holds them (there may be none), else 0.  They are on the raw clock of the recording, as
 * /<part>/onset is: onsets of frames 0 ... T-1 of a repeat (of the train part: repeat 0), (T), in s.  `*found` is 0 and nothing
 * is written when the file has no onsets of that part. */
int retc_recording_spikes(retc_recording *recording, size_t cell, size_t *n) RETC_USED;
int retc_recording_spike_times(retc_recording *recording, size_t cell, size_t first, size_t n, double *time) RETC_USED;
int retc_recording_onsets(retc_recording *recording, retc_part part, size_t repeat, double *onset, int *found) RETC_USED;

/* Scalar mean and population standard deviation (+ 1e-7, as the peers do) of the train stimulus, skipped frames included, in
 * double; it is an error when the stimulus never changes. */
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
