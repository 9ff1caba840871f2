/* Where the receptive fields of cells are: for readouts that take one position per cell. */
#ifndef RETC_CENTRES_H
#define RETC_CENTRES_H

#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Row and column of the cells' receptive fields, pixels: centre (N,2).  Of the spike-triggered average of the train part the
 * energy sum_k sta[k,y,x]^2 of every pixel is smoothed by a Gaussian of 1 pixel, edges mirrored, and its peak taken.  A cell
 * without spikes is put in the middle of the frame. */
int retc_centres_estimate(retc_recording *recording, size_t history, size_t lag, size_t threads, const retc_progress *progress,
                          int64_t *centre) RETC_USED;

/* The same from a text file of one line "row column" per cell, in the order of the N cells; blank lines and lines that start
 * with # are skipped, fractions rounded.  Reasons name file and line. */
int retc_centres_read(const char *path, size_t N, size_t H, size_t W, int64_t *centre) RETC_USED;

/* The peak (row, column) of one cell's average sta (L,H,W), as above. */
int retc_centre_of(const float *sta, size_t L, size_t H, size_t W, int64_t *centre) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
