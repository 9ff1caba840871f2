/* Contributions: how much each model interneuron drove a target at each moment (CODEC; Melander et al., ICLR 2026).
 *
 * Integrated gradients at a hidden layer: along the straight path x(alpha) = alpha x from the mean grey (normalised stimulus 0)
 * to the stimulus, unit u with activation a_u and target t contributes
 *
 *     c_u = integral over the path of (dt/da_u) da_u,         sum_u c_u = t(x) - t(0)  at every layer ("completeness").
 *
 * What residual additions carry past a layer is no unit of it; it has its own contributions, which belong to the sum (path.h).
 *
 * The path is cut into steps (path.h): a fixed number of them, by trapezia as published or by secants; or, the default, as many
 * secants as each sample needs, where it needs them, until the contributions of all units of every layer, not only their sum,
 * are within the tolerance by an estimate of their error (refine.h).
 *
 * Activations are the outputs of the convolutions, or what batch norm or the nonlinearity behind them makes of it.
 *
 * Other methods than paths (attribution.h) are delivered alike; their residual says how far they are from adding up. */
#ifndef RETC_CONTRIBUTE_H
#define RETC_CONTRIBUTE_H

#include "attribution.h"
#include "baseline.h"
#include "network.h"
#include "path.h"
#include "progress.h"
#include "recording.h"
#include "refine.h"
#include "target.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where contributions are taken: the output of every convolution, or of the batch norm or of the nonlinearity that follows it
 * before the next convolution; where there is none, of the last layer before it. */
typedef enum { RETC_AT_CONVOLUTION, RETC_AT_NORM, RETC_AT_NONLINEARITY } retc_contribute_place;

typedef struct {
    retc_attribution_options attribution; /* method RETC_METHOD_PATH: integrated gradients, by the following */
    retc_path_rule rule;
    size_t steps;      /* fixed number of steps; 0: as many as every sample needs, secants only */
    double tolerance;  /* of the contributions' norm */
    double floor;      /* norms below count as this; in units of the target */
    size_t most_steps; /* a sample that would need more keeps its best and is marked */
    retc_contribute_place place;
    const retc_baseline *baseline; /* NULL: mean grey */
    size_t block;                  /* response frames per block */
    size_t threads;                /* 0: all processors */
} retc_contribute_options;

/* What one block gives; arrays are borrowed until the receiver returns.  `cut` counts the convolutions, C_k are its channels.
 */
typedef struct {
    size_t t0, n, sample;               /* response frames t0 ... t0+n-1, samples sample ... */
    const float *const *contribution;   /* per cut (n,2 C_k): per channel the sums of negative, then of positive units */
    const float *const *activation;     /* per cut (n,2 C_k): the same of the activations at the stimulus */
    const float *const *gradient;       /* per cut (n,2 C_k): the same of dt/da at the stimulus */
    const double *const *residual;      /* per cut (n): sum of contributions, with bypasses, - (t(x) - t(x0)) */
    const double *const *error;         /* per cut (n), relative (refine.h); NULL with fixed steps, without path */
    const float *const *standard_error; /* per cut (n,C_k) of the sum over a channel, from the choice of orders; Shapley values
                                           only, else NULL */
    const size_t *steps;                /* (n) that were taken; 0 without path */
    const size_t *passes;               /* (n) forward or backward above the first convolution that they took, of all baselines;
                                           0 without path */
    const float *const *map;            /* per cut (retc_path_rows,map_ld): contributions of all units, C h w rows, then of
                                           what each residual addition carries past the layer; the latter 0 without path */
    size_t map_ld;
    const float *rate;         /* (n,N) Hz */
    const double *target;      /* (n) t(x) */
    const double *target_zero; /* (n) t(x0), mean over baselines */
} retc_contribution;

typedef int retc_contribution_receiver(void *context, const retc_contribution *block);

/* Secants, as many steps as needed for a tolerance of 1e-2 above a floor of 1e-3, 1024 at most, at convolutions, from mean
 * grey, in blocks of 64 frames, on all processors.  Should another method be set: 16 stimuli with noise of 0.2, 8 orders. */
retc_contribute_options retc_contribute_default(void);

/* Does every sample get as many steps as it needs? */
int retc_contribute_refines(const retc_contribute_options *options);

/* Number and accuracy of secant steps, for what is computed beside contributions (refine.h). */
retc_refine_options retc_contribute_steps(const retc_contribute_options *options);

/* Layers at which contributions are taken, one per convolution: `cut` has room for network->layers. */
size_t retc_contribute_cuts(const retc_network *network, retc_contribute_place place, size_t *cut);

/* Contributions of all units to `target` at every response frame of a part, block by block in order.  Memory is bounded by
 * the block. */
int retc_contribute(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                    const retc_contribute_options *options, retc_contribution_receiver *receive, void *context,
                    const retc_progress *progress) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
