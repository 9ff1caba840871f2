/* Contributions as a file in the layout of the CODEC scripts (FORMATS 5.1), with what it lacks under names of our own:
 *
 *   /completeness/residual/convK (T) f8
 *   /completeness/error/convK (T) f8 where steps are as many as needed
 *   /completeness/bypass/convK (T,bypasses) f4 where residual additions carry something past the layer (paths only): what each
 *       contributes, which the residual counts in; its attribute "passes" lists them, "sequential.1 to sequential.6"
 *   /completeness/steps (T) i8 of paths, /completeness/{target,target_zero} (T) f8
 *   /standard_errors/convK (T,C) f4 of the sums over channels, of Shapley values
 *   /metadata/time (T) f8 s, /metadata/frame (T) i8, /metadata/cell_names (N), /metadata/mean_responses_per_cell (N) f8 Hz,
 *       /metadata/target_weights (N) f8 of cells and linear
 *   root attributes kind = "contributions", target, target_cell, target_k, softmax, directions_without_variance (of the rates,
 *       where there are any; target.h), method, place, baseline, steps (fixed) or tolerance, floor, most_steps; noise,
 *       noise_samples; cam_sums; knocked_out; orders; converged; frame_interval
 *
 * Groups and attributes carry the target's name (retc_target_name): surprisal_contributions, topk_contributions. */
#ifndef RETC_CONTRIBUTE_FILE_H
#define RETC_CONTRIBUTE_FILE_H

#include "contribute.h"
#include "h5.h"
#include "reduction.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far the contributions of all samples miss completeness at each cut. */
typedef struct {
    size_t cuts, samples;
    double worst[16];    /* max_t |residual| */
    double relative[16]; /* sqrt(mean residual^2) / sqrt(mean (t(x) - t(x0))^2) */
    double bypass[16];   /* the same of all that residual additions carry past the cut, rather than of the residual */
    double error[16];    /* max_t estimated error of a sample's contributions, relative (contribute.h) */
    double mean_steps;
    size_t unconverged; /* samples above the tolerance */
} retc_completeness;

/* Compute contributions over a part and stream them into `file`, with what else is asked for (reduction.h; NULL: nothing) and
 * the statistics of every layer (layer_statistics.h).  `dataset` names the recording. */
int retc_contribute_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                          const retc_contribute_options *options, const retc_reduction_options *reductions, const char *dataset,
                          retc_h5 *file, const retc_progress *progress, retc_completeness *completeness) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
