#include "spike_train.h"

#include <gsl/gsl_randist.h>
#include <math.h>

enum { WAITING, DEAD, RECOVERING };

/* The largest share of time that refractoriness may take. */
#define MOST_DEAD 0.9

retc_spike_options
retc_spike_options_of(const retc_circuit_options *options) {
    return (retc_spike_options){(retc_spike_process)options->spikes, options->absolute / 1000, options->relative / 1000,
                                options->order};
}

void
retc_spike_train_start(retc_spike_train *train, const retc_spike_options *options, gsl_rng *rng) {
    *train = (retc_spike_train){.stage = WAITING};
    if (options->process == RETC_SPIKES_REFRACTORY)
        train->left = gsl_ran_exponential(rng, 1);
    if (options->process == RETC_SPIKES_GAMMA)
        train->events = gsl_rng_uniform_int(rng, (unsigned long)options->order);
}

/* The end of a stage: what comes next, and for how long. */
static void
next_stage(retc_spike_train *train, const retc_spike_options *options, gsl_rng *rng) {
    switch (train->stage) {
    case WAITING:
        train->stage = DEAD;
        train->left = options->absolute;
        break;
    case DEAD:
        train->stage = RECOVERING;
        train->left = options->relative > 0 ? gsl_ran_exponential(rng, options->relative) : 0;
        break;
    default:
        train->stage = WAITING;
        train->left = gsl_ran_exponential(rng, 1);
    }
}

static size_t
refractory_frame(retc_spike_train *train, const retc_spike_options *options, double rate, double interval, gsl_rng *rng,
                 double *time, size_t most) {
    double dead = fmin(rate * (options->absolute + options->relative), MOST_DEAD), q = rate / (1 - dead), now = 0;
    size_t count = 0;
    for (;;) {
        double speed = train->stage == WAITING ? q : 1, wait = train->left / speed;
        if (!(now + wait < interval)) {
            train->left -= speed * (interval - now);
            train->left = train->left > 0 ? train->left : 0;
            return count;
        }
        now += wait;
        if (train->stage == WAITING) {
            if (time && count < most)
                time[count] = now;
            ++count;
        }
        next_stage(train, options, rng);
    }
}

size_t
retc_spike_train_frame(retc_spike_train *train, const retc_spike_options *options, double rate, double interval, gsl_rng *rng,
                       double *time, size_t most) {
    if (options->process == RETC_SPIKES_REFRACTORY)
        return refractory_frame(train, options, rate, interval, rng, time, most);
    if (options->process == RETC_SPIKES_POISSON)
        return gsl_ran_poisson(rng, rate * interval);
    size_t events = train->events + gsl_ran_poisson(rng, rate * interval * (double)options->order);
    train->events = events % options->order;
    return events / options->order;
}
