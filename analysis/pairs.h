/* Paths of influence: which channel of the first convolution acts through which channel of the second on which target.
 *
 * In a secant step (path.h) the gradient at conv0 is a sum over the channels k of conv1: what passes back through channel k
 * alone.  With it in place of the whole gradient, unit u of conv0 contributes through channel k
 *
 *     p_uk = sum over steps of g_uk (a_u - a_u'),     sum_k p_uk = c_u,     sum_{u,k} p_uk = t(x) - t(x0),
 *
 * and, as conv1 is linear and all between is taken by secants, sum_u p_uk is what channel k of conv1 contributes.  The sum over
 * the units of channel c of conv0 is the pair (c,k). */
#ifndef RETC_PAIRS_H
#define RETC_PAIRS_H

#include "baseline.h"
#include "h5.h"
#include "refine.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    retc_refine_options refine;    /* number of secant steps; the tolerance is that of a target's pairs */
    size_t every;                  /* take one run of samples of so many (retc_path_takes) */
    const retc_baseline *baseline; /* NULL: mean grey; the mean over several */
    size_t block, threads;
} retc_pairs_options;

typedef struct {
    size_t C0, C1, targets, samples; /* samples: that were taken */
    double *mean;                    /* (targets,C0,C1) mean over samples of pairs' contributions, in units of the target */
    double *size;                    /* (targets,C0,C1) mean of their sizes */
    double *residual;                /* (targets) largest |sum of a sample's pairs - (t(x) - t(x0))| */
    double *error;                   /* (targets) largest estimated error of a sample's pairs, relative; 0 with fixed steps */
    double mean_steps;
    size_t unconverged; /* samples above the tolerance with some target */
} retc_pairs;

/* As many steps as needed, every sample, mean grey, blocks of 64, all processors. */
retc_pairs_options retc_pairs_default(void);

/* Pairs of several targets from one pass over a part; memory is bounded by the block.  Fails for networks with less than two
 * convolutions and where a residual addition goes past the second.  `result` is filled (retc_pairs_clear). */
int retc_pairs_compute(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                       size_t targets, const retc_pairs_options *options, const retc_progress *progress,
                       retc_pairs *result) RETC_USED;
void retc_pairs_clear(retc_pairs *pairs);

/* Pairs of a target and then of every cell by itself, written as
 *
 *   /pairs/{mean, size} (1+N,C0,C1) f8, /pairs/{residual, error} (1+N) f8, /pairs/target_names (1+N), /pairs/layer_names (2);
 *   attributes of /pairs/mean: samples, every, mean_steps, and steps (fixed) or tolerance, floor, most_steps, unconverged
 *
 * The number of samples above the tolerance is added to *unconverged. */
int retc_pairs_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                     const retc_pairs_options *options, retc_h5 *file, const retc_progress *progress,
                     size_t *unconverged) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
