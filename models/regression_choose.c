#include <math.h>
#include <stdio.h>
#include <string.h>

#include "regression_internal.h"
#include "split.h"

enum { STEPS_PER_DECADE = 2, LARGEST = 2, SMALLEST = -5, WORSE = 2 };

/* What is kept of the search of each cell. */
typedef struct {
    retc_regression *train, *held_out;
    double *theta, *best_theta;   /* (N,P) */
    double *ridge, *score, *best; /* (N) */
    double *chosen;               /* (N) relative */
    size_t *worse;                /* (N) penalties since the best one */
} search;

static void
scale_ridges(const retc_regression *r, const double *relative, double *ridge) {
    for (size_t j = 0; j < r->N; ++j)
        ridge[j] = relative[j] * retc_regression_weight(r, j);
}

static int
search_alloc(search *s, retc_recording *recording, const retc_design *design, const retc_split *split, double *chosen) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(s->train = retc_regression_alloc(recording, design, split->train, split->n_train)));
    RETC_TRY(RETC_GOT(s->held_out = retc_regression_alloc(recording, design, split->validation, split->n_validation)));
    size_t N = s->train->N, all = N * s->train->P;
    RETC_TRY(RETC_ALLOC(s->theta, all));
    RETC_TRY(RETC_ALLOC(s->best_theta, all));
    RETC_TRY(RETC_ALLOC(s->ridge, N));
    RETC_TRY(RETC_ALLOC(s->score, N));
    RETC_TRY(RETC_ALLOC(s->best, N));
    RETC_TRY(RETC_ALLOC(s->worse, N));
    s->chosen = chosen;
    retc_regression_start(s->train, s->theta);
    for (size_t j = 0; j < N; ++j)
        s->best[j] = -HUGE_VAL;
done:
    return status;
}

static void
search_free(search *s) {
    retc_regression_free(s->train);
    retc_regression_free(s->held_out);
    retc_free(s->theta), retc_free(s->best_theta), retc_free(s->ridge), retc_free(s->score), retc_free(s->best);
    retc_free(s->worse);
}

/* Fit with one penalty, from the fit with the one before, and keep what predicts best; 1 while any cell may still get better.
 */
static int
try_ridge(search *s, double relative, const retc_newton_options *newton, int *open) {
    int status = RETC_OK;
    retc_newton_report report = {0};
    size_t P = s->train->P;
    for (size_t j = 0; j < s->train->N; ++j)
        s->ridge[j] = relative;
    scale_ridges(s->train, s->ridge, s->ridge);
    RETC_TRY(retc_regression_fit(s->train, s->ridge, newton, s->theta, &report));
    RETC_TRY(retc_regression_score(s->held_out, s->theta, s->score));
    *open = 0;
    for (size_t j = 0; j < s->train->N; ++j) {
        ++s->worse[j];
        if (s->score[j] > s->best[j] && s->worse[j] <= WORSE) {
            s->best[j] = s->score[j];
            s->chosen[j] = relative;
            s->worse[j] = 0;
            memcpy(s->best_theta + j * P, s->theta + j * P, P * sizeof *s->theta);
        }
        *open |= s->worse[j] < WORSE && s->train->mean_count[j] > 0;
    }
done:
    retc_free(report.gradient);
    return status;
}

/* The penalty of each cell from held-out pieces; theta (N,P) is where the fit to everything begins. */
static int
search_ridges(retc_recording *recording, const retc_design *design, const retc_span *spans, size_t n_spans,
              const retc_ridge_options *options, const retc_progress *progress, double *chosen, double *theta) {
    int status = RETC_OK, open = 1;
    enum { MOST = (LARGEST - SMALLEST) * STEPS_PER_DECADE };
    retc_split split = {0};
    search s = {0};
    retc_newton_options coarse = options->newton;
    char note[64];
    size_t before = design->taps > design->history + design->lag ? design->taps : design->history + design->lag;
    coarse.tolerance = fmax(coarse.tolerance, 1e-3); /* enough to rank penalties */
    RETC_TRY(retc_split_make(spans, n_spans, options->validation, options->pieces, before, options->seed, &split));
    if (split.n_validation == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: no frames are held out to choose --ridge by; give it, or a larger --validation",
                           retc_recording_path(recording)));
    RETC_TRY(search_alloc(&s, recording, design, &split, chosen));
    for (int i = 0; i <= MOST && open; ++i) {
        double relative = pow(10, LARGEST - (double)i / STEPS_PER_DECADE);
        RETC_TRY(try_ridge(&s, relative, &coarse, &open));
        snprintf(note, sizeof note, "ridge %.2g", relative);
        retc_progress_report(progress, (size_t)i + 1, MOST + 2, note);
    }
    memcpy(theta, s.best_theta, s.train->N * s.train->P * sizeof *theta);
done:
    search_free(&s);
    retc_split_clear(&split);
    return status;
}

static int
check(const retc_regression *r, const retc_ridge_options *options) {
    double spikes = 0;
    for (size_t j = 0; j < r->N; ++j)
        spikes += r->mean_count[j];
    if (!(spikes > 0))
        return RETC_FAIL(RETC_EINVAL, "%s: no cell fires in the train part, there is nothing to fit",
                         retc_recording_path(r->recording));
    if (r->design.coupling && r->N < 2)
        return RETC_FAIL(RETC_EINVAL, "%s: there is one cell, which cannot be coupled to others; leave --coupling away",
                         retc_recording_path(r->recording));
    if (options->ridge == 0 && r->M < r->P)
        return RETC_FAIL(
            RETC_EINVAL,
            "%s: %zu frames cannot determine %zu parameters per cell without a penalty; let --ridge be larger than 0",
            retc_recording_path(r->recording), r->M, r->P);
    return RETC_OK;
}

int
retc_regression_choose(retc_recording *recording, const retc_design *design, const retc_ridge_options *options,
                       const retc_progress *progress, retc_regression **regression, double **theta, double *chosen,
                       retc_newton_report *report) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    double *ridge = NULL;
    size_t n = 0, N = retc_recording_cells(recording);
    *report = (retc_newton_report){0};
    *regression = NULL;
    RETC_TRY(RETC_ALLOC(ridge, N));
    RETC_TRY(retc_design_spans(recording, design, &spans, &n));
    RETC_TRY(RETC_GOT(*regression = retc_regression_alloc(recording, design, spans, n)));
    RETC_TRY(check(*regression, options));
    RETC_TRY(RETC_ALLOC(*theta, N * (*regression)->P));
    retc_regression_start(*regression, *theta);
    for (size_t j = 0; j < N; ++j)
        chosen[j] = options->ridge;
    if (options->ridge < 0)
        RETC_TRY(search_ridges(recording, design, spans, n, options, progress, chosen, *theta));
    scale_ridges(*regression, chosen, ridge);
    RETC_TRY(retc_regression_fit(*regression, ridge, &options->newton, *theta, report));
done:
    retc_free(ridge);
    retc_free(spans);
    return status;
}
