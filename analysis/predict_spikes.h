/* Predictions of models whose cells see spikes (glm.h). */
#ifndef RETC_PREDICT_SPIKES_H
#define RETC_PREDICT_SPIKES_H

#include "glm_simulate.h"
#include "predict.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    int recorded;  /* rates given the recorded spikes of every trial, instead of simulated ones */
    size_t trials; /* simulated, at least 1 */
    uint64_t seed;
    size_t threads;
} retc_spike_prediction;

/* Replace the rates of a prediction, which the stimulus alone gives, by the means over trials in which the spikes act, and its
 * scores by theirs.  Nothing happens to a model without spike filters, report->trials is then 0. */
int retc_predict_spikes(const retc_network *network, const retc_spike_filters *spikes, retc_recording *recording,
                        retc_part part, const retc_spike_prediction *options, retc_prediction *prediction,
                        retc_glm_trials *report) RETC_USED;

/* The same with the spike filters of a model file. */
int retc_predict_spikes_of(const char *model, const retc_network *network, retc_recording *recording, retc_part part,
                           const retc_spike_prediction *options, retc_prediction *prediction,
                           retc_glm_trials *report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
