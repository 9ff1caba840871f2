#include "glm_simulate.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "rng.h"

enum { GROUP = 8 }; /* trials side by side; sums do not depend on the number of threads */

const double retc_glm_fastest = 1000;

/* Logarithm of the gain of cell j in frame t, counts (N,ld) from frame 0 on. */
static double
log_gain(const retc_spike_filters *s, size_t j, const float *counts, size_t ld, size_t t) {
    size_t taps = s->taps < t ? s->taps : t;
    double sum = 0;
    for (size_t i = 0; i < s->N; ++i) {
        const double *filter = i == j ? s->history + j * s->taps : s->coupling ? s->coupling + (j * s->N + i) * s->taps : NULL;
        const float *count = counts + i * ld + t;
        for (size_t k = 0; filter && k < taps; ++k)
            sum += filter[k] * (double)count[-1 - (ptrdiff_t)k];
    }
    return sum;
}

static double
limited_rate(const retc_spike_filters *s, size_t j, double drive, double gain, size_t *limited) {
    double rate = drive * exp(gain), limit = s->limit ? s->limit[j] : retc_glm_fastest;
    if (!(rate > limit))
        return rate;
    ++*limited;
    return limit;
}

/* ---- simulated trials ------------------------------------------------------------------------------------------------ */

typedef struct {
    const retc_spike_filters *spikes;
    size_t T, first; /* frames; number of the group's first trial */
    const float *drive;
    double dt;
    uint64_t seed;
    float *counts; /* (GROUP,N,T) */
    double *rate;  /* (GROUP,N,T) */
    size_t limited[GROUP];
} trial_group;

static int
run_trial(void *context, size_t i) {
    trial_group *g = context;
    const retc_spike_filters *s = g->spikes;
    size_t T = g->T;
    float *counts = g->counts + i * s->N * T;
    double *rate = g->rate + i * s->N * T;
    gsl_rng *rng = retc_rng_alloc(g->seed, RETC_STREAM_SPIKES, g->first + i);
    if (!rng)
        return RETC_ENOMEM;
    g->limited[i] = 0;
    for (size_t t = 0; t < T; ++t)
        for (size_t j = 0; j < s->N; ++j) {
            double r = limited_rate(s, j, (double)g->drive[j * T + t], log_gain(s, j, counts, T, t), &g->limited[i]);
            rate[j * T + t] = r;
            counts[j * T + t] = (float)gsl_ran_poisson(rng, r * g->dt);
        }
    gsl_rng_free(rng);
    return RETC_OK;
}

int
retc_glm_simulate(const retc_spike_filters *s, size_t T, const float *drive, double dt, size_t trials, uint64_t seed,
                  size_t threads, float *rate, retc_glm_trials *report) {
    int status = RETC_OK;
    size_t all = s->N * T;
    trial_group g = {.spikes = s, .T = T, .drive = drive, .dt = dt, .seed = seed};
    double *sum = NULL;
    *report = (retc_glm_trials){.trials = trials};
    RETC_TRY(RETC_ALLOC(sum, all));
    RETC_TRY(RETC_ALLOC(g.counts, GROUP * all));
    RETC_TRY(RETC_ALLOC(g.rate, GROUP * all));
    for (g.first = 0; g.first < trials; g.first += GROUP) {
        size_t n = trials - g.first < GROUP ? trials - g.first : GROUP;
        RETC_TRY(retc_parallel_for(n, threads, run_trial, &g));
        for (size_t i = 0; i < n; ++i) {
            report->limited += g.limited[i];
            for (size_t k = 0; k < all; ++k)
                sum[k] += g.rate[i * all + k];
        }
    }
    report->limited_share = (double)report->limited / ((double)trials * (double)all);
    for (size_t k = 0; k < all; ++k)
        rate[k] = (float)(sum[k] / (double)trials);
done:
    retc_free(sum), retc_free(g.counts), retc_free(g.rate);
    return status;
}

/* ---- recorded trials ------------------------------------------------------------------------------------------------- */

void
retc_glm_condition(const retc_spike_filters *s, size_t T, const float *drive, size_t before, const float *counts, double *sum,
                   retc_glm_trials *report) {
    ++report->trials;
    for (size_t j = 0; j < s->N; ++j)
        for (size_t t = 0; t < T; ++t)
            sum[j * T + t] +=
                limited_rate(s, j, (double)drive[j * T + t], log_gain(s, j, counts, before + T, before + t), &report->limited);
    report->limited_share = (double)report->limited / ((double)report->trials * (double)s->N * (double)T);
}
