/* Input attributions: how much each pixel of each frame of the stimulus window drove a target (integrated gradients at the
 * stimulus itself; Sundararajan, Taly & Yan 2017).
 *
 * Along the straight path from x0 to x the gradient at the stimulus is the transpose of conv0 on the gradient g at conv0's
 * output, and conv0 is linear: with secant steps (path.h)
 *
 *     G = mean of g over the path,     A_i = (W' G)_i (x_i - x0_i),     sum_i A_i = G . W (x - x0) = t(x) - t(x0),
 *
 * so that W' is applied once, whatever the number of steps. */
#ifndef RETC_INPUT_H
#define RETC_INPUT_H

#include "baseline.h"
#include "h5.h"
#include "refine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    retc_refine_options refine;    /* number of secant steps; the tolerance is that of contributions to conv0's output */
    size_t every;                  /* take one run of samples of so many (retc_path_takes) */
    const retc_baseline *baseline; /* NULL: mean grey; the mean over several */
    size_t block, threads;
} retc_input_options;

/* What one block gives; borrowed until the receiver returns. */
typedef struct {
    size_t n;                 /* samples that were taken of the block */
    const size_t *sample;     /* (n) their numbers */
    const float *attribution; /* (L,H,W,ld) oldest frame first, in units of the target */
    size_t ld;
    const double *residual; /* (n) sum of attributions - (t(x) - t(x0)) */
    const double *error;    /* (n) estimated, relative (refine.h); 0 with fixed steps */
    const size_t *steps;    /* (n) */
} retc_input_block;

typedef int retc_input_receiver(void *context, const retc_input_block *block);

/* As many steps as needed, every sample, mean grey, blocks of 16, all processors. */
retc_input_options retc_input_default(void);

/* Attributions to `target` block by block in order; memory is bounded by the block. */
int retc_input(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
               const retc_input_options *options, retc_input_receiver *receive, void *context,
               const retc_progress *progress) RETC_USED;

/* Pixels that can matter to a target: rows row ... row+rows-1, likewise columns.  The receptive field of the cell, where the
 * target is one cell and the readout takes one position for each; else the whole frame. */
typedef struct {
    size_t row, rows, column, columns;
} retc_input_box;
int retc_input_find_box(const retc_network *network, const retc_target *target, retc_input_box *box) RETC_USED;

/* Attributions of S samples, streamed into a file:
 *
 *   /input/map (S,h,w) f4, /input/course (S,L) f4          summed over the history, over pixels; oldest frame first
 *   /input/attribution (S,L,h,w) f4                        with `full`
 *   /input/sample (S) i8, /input/residual (S) f8           which samples; sum - (t(x) - t(x0))
 *   /input/error (S) f8, /input/steps (S) i8               with as many steps as needed
 *   attributes of /input/map: row, column (of its corner in the frame), every, and steps (fixed) or tolerance, floor,
 * most_steps, unconverged
 *
 * The number of samples above the tolerance is added to *unconverged. */
int retc_input_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                     const retc_input_options *options, int full, retc_h5 *file, const retc_progress *progress,
                     size_t *unconverged) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
