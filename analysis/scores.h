/* Scores of predicted rates against repeated responses: what a model explains, what a perfect one could, and how much of either
 * depends on which repeats were recorded. */
#ifndef RETC_SCORES_H
#define RETC_SCORES_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Let x[r][t] be the counts of R repeats, Y[t] their mean, y the mean of Y over the T frames, and p[t] > 0 the predicted count.
 *
 *   r     Pearson's correlation of p and Y
 *   EV    1 - mean (p - Y)^2 / var Y                          explained variance
 *   dev   1 - D(Y,p) / D(Y,y),  D(Y,q) = 2R sum_t [Y log(Y/q) - Y + q]          Poisson deviance explained, by the mean
 *   trial 1 - sum_r D(x_r,p) / sum_r D(x_r,y), D with R = 1                     the same, of single trials
 *   bits  sum_t [Y log2(p/y) - (p - y)/ln 2] / sum_t Y        information of a spike, against the constant rate y
 *
 * A rate that never varies explains 0 by each but r.  Predictions below half a spike in all frames of all repeats, 1/(2 R T),
 * count as that: the data tell it from 0 by nothing, yet one spike at a rate of 0 would cost an infinite deviance.
 *
 * Ceilings: what the expected response m[t] would score on these repeats.  With C[r][s] the covariance of repeats over time,
 * own and cross its means over r = s and r != s (reliability.h), var Y = own/R + (1 - 1/R) cross, of which cross is signal:
 *   r     sqrt(cross / var Y)     (Schoppe et al. 2016, eqs. 1, 3-5)
 *   EV    cross / var Y           so that EV over its ceiling is the fraction of explainable variance explained
 * By deviance and bits, m gains sum_t [m log m] - T y log y over the constant rate, per repeat.  The mean over repeats knows
 * its own noise: h(Y) = Y log Y is too large for m log m by h''(m) s2/(2R), s2 the variance of a repeat; the mean of all but
 * one repeat, Y_r, by the same over R - 1.  Both tell s2 and what is left without it, whatever the noise is (Quenouille 1956):
 *   m log m = h(Y) - (R - 1) (mean_r h(Y_r) - h(Y))  + terms of order 1/R^2
 *   dev   sum_t [m log m - y log y] / sum_t [Y log Y - y log y]    and so on with the other denominators.
 * In frames with few spikes, R m < 5, what is left adds up to between -0.08 and 0.25 per frame in R m log m, where h(Y) alone
 * is off by 0.5 in most frames (check_scores.c).
 *
 * A score over its ceiling ("normalised") is the same for dev, trial and bits, as only the denominators differ. */
typedef enum {
    RETC_SCORE_R,
    RETC_SCORE_EV,
    RETC_SCORE_DEVIANCE,
    RETC_SCORE_TRIAL_DEVIANCE,
    RETC_SCORE_BITS,
    RETC_SCORE_R_CEILING, /* ceilings in the order of the scores */
    RETC_SCORE_EV_CEILING,
    RETC_SCORE_DEVIANCE_CEILING,
    RETC_SCORE_TRIAL_DEVIANCE_CEILING,
    RETC_SCORE_BITS_CEILING,
    RETC_SCORE_R_NORMAL, /* score / ceiling */
    RETC_SCORE_EV_NORMAL,
    RETC_SCORE_DEVIANCE_NORMAL,
    RETC_SCORES
} retc_score_kind;

/* "pearson", "explained_variance", ..., and the unit, "" for none. */
extern const char *const retc_score_names[RETC_SCORES];
extern const char *const retc_score_units[RETC_SCORES];

/* A score and its intervals: 0 of 68 %, 1 of 95 %.  NaN where undefined. */
typedef struct {
    double value, low[2], high[2];
} retc_score;

typedef struct {
    size_t draws; /* of repeats with replacement, for the intervals; 0: none */
    uint64_t seed;
    size_t threads;
} retc_score_options;

/* 1000 draws, seed 1. */
retc_score_options retc_score_default(void);

/* Scoring the cells of one recording.  All are scored on the same draws of repeats, so that the mean over cells has an interval
 * that knows what the cells share from repeat to repeat.
 *
 * Intervals are bias-corrected and accelerated (BCa, Efron 1987) percentiles over draws of whole repeats, which keeps what
 * repeats have in common over time, as drift.  Noise enters the scores of a draw as it would with R repeats of their own: a
 * repeat that is drawn twice is never compared with itself (as in reliability.h; h(Y) of a draw is taken to second order about
 * that of all repeats).  Intervals are of the repeats, not of the choice of the stimulus.  Fewer than RETC_LEAST_REPEATS
 * repeats give none. */
typedef struct retc_scorer retc_scorer;

/* For responses of R repeats; R = 1, a response without repeats, has no ceilings and no intervals.  NULL when out of memory. */
retc_scorer *retc_scorer_alloc(size_t R, const retc_score_options *options);
void retc_scorer_free(retc_scorer *scorer);

/* Draws that intervals stand on; 0: there are none. */
size_t retc_scorer_draws(const retc_scorer *scorer);

/* Score one cell: rate (T) Hz, frames of dt s, counts (R,T).  NaN: r and EV of a prediction or response that never varies, all
 * of a silent cell, and ceilings where repeats show nothing reproducible.  The result does not depend on threads. */
int retc_scorer_add(retc_scorer *scorer, const float *rate, double dt, const float *counts, size_t T,
                    retc_score score[RETC_SCORES]) RETC_USED;

/* Mean over the cells added so far, of each score over those for which it is a number. */
int retc_scorer_mean(const retc_scorer *scorer, retc_score score[RETC_SCORES]) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
