/* Spikes of a given rate, frame by frame, from three processes.
 *
 *   poisson      counts of a frame are Poisson with mean rate * interval
 *   refractory   after a spike come a dead time `absolute` and an exponential one of mean `relative`, then an exponential wait
 * of rate q = r / (1 - r (absolute + relative)): intervals of a constant rate have the mean 1 / r exactly, and none is shorter
 * than `absolute`.  Where r (absolute + relative) exceeds 0.9 it counts as 0.9.  (In the spirit of Berry & Meister 1998, whose
 * recovery function is not of this form.) gamma        every order-th event of a Poisson process of rate order * r, beginning
 * at any of them: the mean count m of a frame is exact, its variance is m / order + E[f (1 - f)], f = (events mod order) /
 * order */
#ifndef RETC_SPIKE_TRAIN_H
#define RETC_SPIKE_TRAIN_H

#include <gsl/gsl_rng.h>

#include "circuit_config.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    retc_spike_process process;
    double absolute, relative; /* s */
    size_t order;
} retc_spike_options;

/* What lasts from frame to frame. */
typedef struct {
    int stage;     /* of refractory: waiting, dead, or recovering */
    double left;   /* of the stage: s, or of an exponential variable of mean 1 */
    size_t events; /* of gamma: since the last spike */
} retc_spike_train;

retc_spike_options retc_spike_options_of(const retc_circuit_options *options);

void retc_spike_train_start(retc_spike_train *train, const retc_spike_options *options, gsl_rng *rng);

/* Number of spikes in a frame of `interval` s at `rate` spikes/s.  Of the refractory process, `time` (NULL, or room for `most`)
 * receives when they are, in s from the start of the frame. */
size_t retc_spike_train_frame(retc_spike_train *train, const retc_spike_options *options, double rate, double interval,
                              gsl_rng *rng, double *time, size_t most);

#ifdef __cplusplus
}
#endif

#endif
