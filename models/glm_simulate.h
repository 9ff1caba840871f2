/* Rates of a generalised linear model whose cells see spikes, their own and others'. */
#ifndef RETC_GLM_SIMULATE_H
#define RETC_GLM_SIMULATE_H

#include <stdint.h>

#include "glm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* No rate is let beyond this, Hz, nor beyond the limit of its cell: with excitation among cells a model can run away. */
extern const double retc_glm_fastest;

typedef struct {
    size_t trials, limited; /* trials simulated or given; rates that were cut at their limit, over all trials */
    double limited_share;   /* of all rates */
} retc_glm_trials;

/* Mean rate over `trials` simulated trials.  drive (N,T) Hz: rates that the stimulus alone gives, in frames first ... first+T-1
 * of a stretch; before the first frame there are no spikes.  rate (N,T) Hz: the mean over trials of the rates given the spikes
 * of the trial, which varies less than the mean of the spikes.  Trial i draws from the stream (seed, spikes, i). */
int retc_glm_simulate(const retc_spike_filters *spikes, size_t T, const float *drive, double dt, size_t trials, uint64_t seed,
                      size_t threads, float *rate, retc_glm_trials *report) RETC_USED;

/* The rate given recorded spikes of one trial, added to sum (N,T): counts (N,before+T), of which `before` frames lie before the
 * first rate. */
void retc_glm_condition(const retc_spike_filters *spikes, size_t T, const float *drive, size_t before, const float *counts,
                        double *sum, retc_glm_trials *report);

#ifdef __cplusplus
}
#endif

#endif
