/* Contributions: how much each model interneuron drove a target at each moment (CODEC; Melander et al., ICLR 2026).
 *
 * Integrated gradients at a hidden layer: along the straight path x(alpha) = alpha x from the mean grey (normalised stimulus 0)
 * to the stimulus, unit u with activation a_u and target t contributes
 *
 *     c_u = integral over the path of (dt/da_u) da_u,         sum_u c_u = t(x) - t(0)  at every layer ("completeness").
 *
 * Both methods cut the path into equal steps.  The trapezium (as published, 20 steps) averages dt/da at both ends of a step,
 * which misses across ReLU kinks.  The secant method differentiates every nonlinearity and the target by its secant over the
 * step; the products of secants telescope, so that completeness holds to rounding with any number of steps, while the
 * contributions converge to the same integral.  Activations are the outputs of the convolutions, before batch norm and ReLU.
 *
 * conv0 is linear, so along the path its output is alpha (W * x) + b: the convolution is done once. */
#ifndef RETC_CONTRIBUTE_H
#define RETC_CONTRIBUTE_H

#include "network.h"
#include "progress.h"
#include "recording.h"
#include "target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_SECANT, RETC_TRAPEZIUM } retc_contribution_method;

typedef struct {
    retc_contribution_method method;
    size_t steps;   /* >= 1 */
    size_t block;   /* response frames per block */
    size_t threads; /* 0: all processors */
} retc_contribute_options;

/* What one block gives; arrays are borrowed until the receiver returns.  `cut` counts the convolutions, C_k are its channels.
 */
typedef struct {
    size_t t0, n, sample;             /* response frames t0 ... t0+n-1, samples sample ... */
    const float *const *contribution; /* per cut (n,2 C_k): per channel the sums of negative, then of positive units */
    const float *const *activation;   /* per cut (n,2 C_k): the same of the activations at the stimulus */
    const float *const *gradient;     /* per cut (n,2 C_k): the same of dt/da at the stimulus */
    const double *const *residual;    /* per cut (n): sum of contributions - (t(x) - t(0)) */
    const float *rate;                /* (n,N) Hz */
    const double *target;             /* (n) t(x) */
    double target_zero;               /* t(0) */
} retc_contribution;

typedef int retc_contribution_receiver(void *context, const retc_contribution *block);

/* secant, 20 steps, blocks of 64 frames, all processors. */
retc_contribute_options retc_contribute_default(void);

/* Contributions of all units to `target` at every response frame of a part, block by block in order.  Memory is bounded by
 * the block. */
int retc_contribute(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                    const retc_contribute_options *options, retc_contribution_receiver *receive, void *context,
                    const retc_progress *progress) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
