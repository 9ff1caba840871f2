#include "predict_spikes.h"

#include <string.h>

#include "stats.h"

/* A run of response frames without a gap, where trials begin. */
typedef struct {
    size_t first, T;     /* place in the prediction; frames */
    float *drive, *rate; /* (N,T) */
} run;

static void
copy_rows(const float *from, size_t from_ld, size_t N, size_t n, float *to, size_t to_ld) {
    for (size_t j = 0; j < N; ++j)
        memcpy(to + j * to_ld, from + j * from_ld, n * sizeof *to);
}

static size_t
run_end(const retc_prediction *p, size_t first) {
    size_t t = first + 1;
    while (t < p->T && p->frame[t] == p->frame[t - 1] + 1)
        ++t;
    return t;
}

/* Counts of all trials of a part, (trials,N,T): its repeats, else what it holds once. */
static int
read_trials(retc_recording *recording, retc_part part, size_t *trials, float **counts) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording), T = retc_recording_frames(recording, part);
    size_t R = part == RETC_TEST ? retc_recording_repeats(recording) : 1;
    float *repeats = NULL;
    if (R == 0)
        return RETC_FAIL(RETC_EINVAL, "%s: the test part has no single repeats, whose spikes a model could be given",
                         retc_recording_path(recording));
    *trials = R;
    RETC_TRY(RETC_ALLOC(*counts, R * N * T));
    if (part == RETC_TRAIN) {
        RETC_TRY(retc_recording_counts(recording, part, 0, T, *counts));
        goto done;
    }
    RETC_TRY(RETC_ALLOC(repeats, R * T));
    for (size_t j = 0; j < N; ++j) {
        RETC_TRY(retc_recording_repeat_counts(recording, j, repeats));
        for (size_t r = 0; r < R; ++r)
            memcpy(*counts + (r * N + j) * T, repeats + r * T, T * sizeof **counts);
    }
done:
    retc_free(repeats);
    return status;
}

/* Rates of one run given the spikes of every trial; windows of the model are whole, so `before` frames are there. */
static int
condition_run(const retc_spike_filters *spikes, const retc_prediction *p, run *r, size_t before, size_t trials,
              const float *counts, size_t frames, retc_glm_trials *report) {
    int status = RETC_OK;
    size_t N = p->N, T = r->T, start = p->frame[r->first] - before;
    double *sum = NULL;
    float *trial = NULL;
    RETC_TRY(RETC_ALLOC(sum, N * T));
    RETC_TRY(RETC_ALLOC(trial, N * (before + T)));
    for (size_t i = 0; i < trials; ++i) {
        copy_rows(counts + i * N * frames + start, frames, N, before + T, trial, before + T);
        retc_glm_condition(spikes, T, r->drive, before, trial, sum, report);
    }
    for (size_t k = 0; k < N * T; ++k)
        r->rate[k] = (float)(sum[k] / (double)trials);
done:
    retc_free(sum), retc_free(trial);
    return status;
}

static void
score(retc_prediction *p) {
    for (size_t j = 0; j < p->N; ++j) {
        p->pearson[j] = retc_pearson(p->rate + j * p->T, p->measured + j * p->T, p->T);
        p->explained_variance[j] = retc_explained_variance(p->rate + j * p->T, p->measured + j * p->T, p->T);
    }
}

int
retc_predict_spikes(const retc_network *network, const retc_spike_filters *spikes, retc_recording *recording, retc_part part,
                    const retc_spike_prediction *options, retc_prediction *p, retc_glm_trials *report) {
    int status = RETC_OK;
    size_t frames = retc_recording_frames(recording, part), seen = network->L - 1 + network->lag, trials = 0;
    size_t before = spikes->taps < seen ? spikes->taps : seen, limited = 0;
    float *counts = NULL;
    run r = {0};
    *report = (retc_glm_trials){0};
    if (spikes->taps == 0)
        return RETC_OK;
    if (options->recorded)
        RETC_TRY(read_trials(recording, part, &trials, &counts));
    RETC_TRY(RETC_ALLOC(r.drive, p->N * p->T));
    RETC_TRY(RETC_ALLOC(r.rate, p->N * p->T));
    for (; r.first < p->T; r.first += r.T) {
        r.T = run_end(p, r.first) - r.first;
        *report = (retc_glm_trials){0};
        copy_rows(p->rate + r.first, p->T, p->N, r.T, r.drive, r.T);
        if (options->recorded)
            RETC_TRY(condition_run(spikes, p, &r, before, trials, counts, frames, report));
        else
            RETC_TRY(retc_glm_simulate(spikes, r.T, r.drive, retc_recording_frame_interval(recording), options->trials,
                                       options->seed, options->threads, r.rate, report));
        copy_rows(r.rate, r.T, p->N, r.T, p->rate + r.first, p->T);
        limited += report->limited;
    }
    report->limited = limited;
    report->limited_share = (double)limited / ((double)report->trials * (double)p->N * (double)p->T);
    score(p);
done:
    retc_free(counts), retc_free(r.drive), retc_free(r.rate);
    return status;
}

int
retc_predict_spikes_of(const char *model, const retc_network *network, retc_recording *recording, retc_part part,
                       const retc_spike_prediction *options, retc_prediction *prediction, retc_glm_trials *report) {
    int status = RETC_OK;
    retc_spike_filters spikes = {0};
    retc_h5 *file = retc_h5_open(model);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_spike_filters_read(file, network->N, &spikes));
    RETC_TRY(retc_predict_spikes(network, &spikes, recording, part, options, prediction, report));
done:
    retc_spike_filters_clear(&spikes);
    retc_h5_close(file);
    return status;
}
