/* Scores of a prediction against the responses of a recording, one cell at a time. */
#include <math.h>

#include "predict.h"

/* The counts of one cell in the frames that are scored, (repeats,T); `all` is room for a whole part. */
static int
read_repeats(const retc_prediction *p, retc_recording *recording, size_t j, size_t repeats, float *all, float *counts) {
    size_t frames = retc_recording_frames(recording, RETC_TEST);
    int status = retc_recording_repeat_counts(recording, j, all);
    for (size_t r = 0; r < repeats && status >= 0; ++r)
        for (size_t t = 0; t < p->T; ++t)
            counts[r * p->T + t] = all[r * frames + p->frame[t]];
    return status;
}

/* Where there are no repeats, the prediction has what was measured. */
static void
take_measured(const retc_prediction *p, size_t j, double dt, float *counts) {
    for (size_t t = 0; t < p->T; ++t)
        counts[t] = (float)((double)p->measured[j * p->T + t] * dt);
}

int
retc_prediction_score(const retc_prediction *p, retc_recording *recording, retc_part part, const retc_score_options *options,
                      const retc_progress *progress, retc_prediction_scores *result) {
    int status = RETC_OK;
    size_t repeats = part == RETC_TEST ? retc_recording_repeats(recording) : 0, rows = repeats > 0 ? repeats : 1;
    double dt = retc_recording_frame_interval(recording);
    float *all = NULL, *counts = NULL;
    retc_scorer *scorer = NULL;
    *result = (retc_prediction_scores){.N = p->N, .repeats = repeats};
    RETC_TRY(RETC_ALLOC(result->cell, p->N * RETC_SCORES));
    RETC_TRY(RETC_ALLOC(counts, rows * p->T));
    RETC_TRY(RETC_ALLOC(all, rows * retc_recording_frames(recording, part)));
    RETC_TRY(RETC_GOT(scorer = retc_scorer_alloc(rows, options)));
    result->draws = retc_scorer_draws(scorer);
    for (size_t j = 0; j < p->N; ++j) {
        if (repeats > 0)
            RETC_TRY(read_repeats(p, recording, j, repeats, all, counts));
        else
            take_measured(p, j, dt, counts);
        retc_score *score = result->cell + j * RETC_SCORES;
        RETC_TRY(retc_scorer_add(scorer, p->rate + j * p->T, dt, counts, p->T, score));
        retc_progress_report(progress, j + 1, p->N, "scores");
    }
    RETC_TRY(retc_scorer_mean(scorer, result->mean));
    /* A mean over repeats that are not there is no trial. */
    if (part == RETC_TEST && repeats == 0) {
        for (size_t j = 0; j < p->N; ++j)
            result->cell[j * RETC_SCORES + RETC_SCORE_TRIAL_DEVIANCE].value = (double)NAN;
        result->mean[RETC_SCORE_TRIAL_DEVIANCE].value = (double)NAN;
    }
done:
    if (status < 0)
        retc_prediction_scores_clear(result);
    retc_scorer_free(scorer);
    retc_free(all);
    retc_free(counts);
    return status;
}

void
retc_prediction_scores_clear(retc_prediction_scores *scores) {
    retc_free(scores->cell);
    *scores = (retc_prediction_scores){0};
}
