/* Baselines: the stimulus that contributions are counted from.
 *
 * A baseline is a window of L frames (or several, over which contributions are averaged: expected gradients, Erion et al.
 * 2021), the same for all samples; or it moves with the sample: its own window after blurring in space, or the window of the
 * same frames of another movie. */
#ifndef RETC_BASELINE_H
#define RETC_BASELINE_H

#include <stdint.h>

#include "recording.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A movie in a file, open. */
typedef struct retc_baseline_movie retc_baseline_movie;

typedef struct {
    size_t n;      /* windows, at least 1 */
    float *window; /* (n,L,H,W) normalised, NULL: mean grey, all zero */
    double blur;   /* > 0: standard deviation of a Gaussian in pixels; each sample starts from its own blurred window */
    retc_baseline_movie *movie; /* not NULL: each sample starts from the window of the same frames of it */
} retc_baseline;

/* Mean grey: the normalised stimulus is 0. */
retc_baseline retc_baseline_grey(void);

/* Every pixel at its own mean over the train part. */
int retc_baseline_init_mean(retc_baseline *baseline, const retc_network *network, retc_recording *recording) RETC_USED;

/* One raw frame (H,W), standing still. */
int retc_baseline_init_frame(retc_baseline *baseline, const retc_network *network, const float *frame) RETC_USED;

/* n windows of the train part, drawn with `seed`, without replacement as long as there are enough. */
int retc_baseline_init_windows(retc_baseline *baseline, const retc_network *network, retc_recording *recording, size_t n,
                               uint64_t seed) RETC_USED;

/* The stimulus itself, blurred in space by a Gaussian that is cut off and normalised at the border of the movie. */
int retc_baseline_init_blur(retc_baseline *baseline, const retc_network *network, double sigma) RETC_USED;

/* Another movie in step with that of a part of `recording`: the sample of response frame t starts from frames t-lag-L+1 ...
 * t-lag of it, too, so that contributions tell what the one movie adds to the other.  `path` is a stimulus file with as many
 * frames as the part (a frame dropped from a recording may be there), or a recording, of which the same part counts, opened
 * with `options` (NULL: as it is).  A movie of one frame stands still. */
int retc_baseline_init_movie(retc_baseline *baseline, const retc_network *network, const retc_recording *recording,
                             retc_part part, const char *path, const retc_recording_options *options) RETC_USED;
void retc_baseline_movie_close(retc_baseline_movie *movie);

/* Where a stream finds the frames of such a movie; its `read` is NULL for other baselines. */
retc_stream_source retc_baseline_source(const retc_baseline *baseline);

/* Does every sample start from frames of its own? */
int retc_baseline_moves(const retc_baseline *baseline);

void retc_baseline_clear(retc_baseline *baseline);

/* Where paths start: the outputs of conv0, with its bias, for all windows, *starts (n,C0,h0,w0) (retc_free).  NULL where every
 * sample starts from frames of its own. */
int retc_baseline_starts(const retc_baseline *baseline, const retc_network *network, float **starts) RETC_USED;

/* The same for window i alone: out (C0,h0,w0). */
int retc_baseline_convolve(const retc_baseline *baseline, const retc_network *network, size_t i, float *out) RETC_USED;

/* Blur the n + L - 1 frames that the tape holds: out and scratch (H,W,tape->in_ld). */
void retc_baseline_blur(const retc_baseline *baseline, const retc_tape *tape, size_t n, float *scratch, float *out);

#ifdef __cplusplus
}
#endif

#endif
