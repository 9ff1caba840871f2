#include "scores.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "parallel.h"
#include "reliability.h"
#include "rng.h"

/* Counts up to this many have their x log x in a table. */
enum { TABLE = 4096 };

/* Nats to bits. */
#define LN2 0.69314718055994530942

const char *const retc_score_names[RETC_SCORES] = {
    "pearson",
    "explained_variance",
    "deviance_explained",
    "trial_deviance_explained",
    "bits_per_spike",
    "noise_ceiling",
    "explained_variance_ceiling",
    "deviance_ceiling",
    "trial_deviance_ceiling",
    "bits_ceiling",
    "pearson_normalised",
    "explained_variance_normalised",
    "deviance_normalised",
};
const char *const retc_score_units[RETC_SCORES] = {"", "", "", "", "bits/spike", "", "", "", "", "bits/spike", "", "", ""};

retc_score_options
retc_score_default(void) {
    return (retc_score_options){.draws = 1000, .seed = 1};
}

/* Every score is evaluated under weights of the repeats: all once; all but one, for the acceleration; and the draws. */
struct retc_scorer {
    size_t R, draws, evaluations, threads;
    float *weight;       /* (evaluations,R) how often a repeat is drawn */
    double *sum, *terms; /* (evaluations,RETC_SCORES) over cells, and how many were numbers */
    double *xlogx;       /* (TABLE) */
};

/* Sums over time of h(m) and of h(Y), h(x) = x log x (scores.h). */
typedef struct {
    double expected, measured;
} saturated;

/* What the scores of one cell follow from: products of repeats and of the prediction, so that a draw costs no pass over time.
 */
typedef struct {
    const retc_scorer *scorer;
    size_t R, T;
    double prediction_mean, prediction_variance, prediction_sum;
    double *mean, *covariance, *with_prediction; /* (R) (R,R) (R) over time */
    double *with_log, *own;                      /* (R) sums over time of x log p and x log x */
    double *with_log_mean, *relative;            /* (R) (R,R) sums of x (log Y + 1) and of x_r x_s / Y */
    saturated all;                               /* with all repeats */
    double *value;                               /* (evaluations,RETC_SCORES) */
} cell;

retc_scorer *
retc_scorer_alloc(size_t R, const retc_score_options *options) {
    int status = RETC_OK;
    retc_scorer *scorer = NULL;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_ALLOC(scorer, 1));
    *scorer = (retc_scorer){.R = R, .threads = options->threads, .evaluations = 1};
    if (R >= RETC_LEAST_REPEATS && options->draws > 0)
        scorer->draws = options->draws, scorer->evaluations += R + options->draws;
    RETC_TRY(RETC_ALLOC(scorer->weight, scorer->evaluations * R));
    RETC_TRY(RETC_ALLOC(scorer->sum, scorer->evaluations * RETC_SCORES));
    RETC_TRY(RETC_ALLOC(scorer->terms, scorer->evaluations * RETC_SCORES));
    RETC_TRY(RETC_ALLOC(scorer->xlogx, TABLE));
    for (size_t i = 1; i < TABLE; ++i)
        scorer->xlogx[i] = (double)i * log((double)i);
    for (size_t r = 0; r < R; ++r)
        scorer->weight[r] = 1;
    for (size_t e = 1; scorer->draws && e <= R; ++e)
        for (size_t r = 0; r < R; ++r)
            scorer->weight[e * R + r] = r + 1 != e;
    for (size_t d = 0; d < scorer->draws; ++d) {
        float *weight = scorer->weight + (1 + R + d) * R;
        if (!rng)
            RETC_TRY(RETC_GOT(rng = retc_rng_alloc(options->seed, RETC_STREAM_BOOTSTRAP, 0)));
        retc_rng_seed(rng, options->seed, RETC_STREAM_BOOTSTRAP, d);
        for (size_t r = 0; r < R; ++r)
            weight[gsl_rng_uniform_int(rng, R)] += 1;
    }
done:
    if (rng)
        gsl_rng_free(rng);
    if (status < 0) {
        retc_scorer_free(scorer);
        scorer = NULL;
    }
    return scorer;
}

void
retc_scorer_free(retc_scorer *scorer) {
    if (!scorer)
        return;
    retc_free(scorer->weight);
    retc_free(scorer->sum);
    retc_free(scorer->terms);
    retc_free(scorer->xlogx);
    retc_free(scorer);
}

size_t
retc_scorer_draws(const retc_scorer *scorer) {
    return scorer->draws;
}

static double
xlogx(const retc_scorer *scorer, double x) {
    size_t i = x < TABLE ? (size_t)x : 0;
    return i > 0 && (double)i == x ? scorer->xlogx[i] : x > 0 ? x * log(x) : 0;
}

/* ---- sums over time -------------------------------------------------------------------------------------------------- */

static void
cell_clear(cell *c) {
    retc_free(c->mean);
    retc_free(c->covariance);
    retc_free(c->with_prediction);
    retc_free(c->with_log);
    retc_free(c->own);
    retc_free(c->with_log_mean);
    retc_free(c->relative);
    retc_free(c->value);
}

static int
cell_init(cell *c, const retc_scorer *scorer, size_t T) {
    int status = RETC_OK;
    size_t R = scorer->R;
    *c = (cell){.scorer = scorer, .R = R, .T = T, .all.expected = (double)NAN};
    RETC_TRY(RETC_ALLOC(c->mean, R));
    RETC_TRY(RETC_ALLOC(c->covariance, R * R));
    RETC_TRY(RETC_ALLOC(c->with_prediction, R));
    RETC_TRY(RETC_ALLOC(c->with_log, R));
    RETC_TRY(RETC_ALLOC(c->own, R));
    RETC_TRY(RETC_ALLOC(c->with_log_mean, R));
    RETC_TRY(RETC_ALLOC(c->relative, R * R));
    RETC_TRY(RETC_ALLOC(c->value, scorer->evaluations * RETC_SCORES));
done:
    return status;
}

static void
add_repeats(cell *c, const float *counts) {
    size_t R = c->R, T = c->T;
    for (size_t r = 0; r < R; ++r) {
        for (size_t t = 0; t < T; ++t) {
            double x = (double)counts[r * T + t];
            c->mean[r] += x;
            c->own[r] += xlogx(c->scorer, x);
        }
        c->mean[r] /= (double)T;
    }
    for (size_t r = 0; r < R; ++r)
        for (size_t s = 0; s <= r; ++s) {
            double sum = 0;
            for (size_t t = 0; t < T; ++t)
                sum += ((double)counts[r * T + t] - c->mean[r]) * ((double)counts[s * T + t] - c->mean[s]);
            c->covariance[r * R + s] = c->covariance[s * R + r] = sum / (double)T;
        }
}

static void
add_prediction(cell *c, const float *rate, double dt, const float *counts) {
    double mean_rate = 0, least = 0.5 / (double)(c->R * c->T);
    /* In Hz, as it was given: a constant is then found to be one. */
    for (size_t t = 0; t < c->T; ++t)
        mean_rate += (double)rate[t];
    mean_rate /= (double)c->T;
    c->prediction_mean = mean_rate * dt;
    for (size_t t = 0; t < c->T; ++t) {
        double deviation = ((double)rate[t] - mean_rate) * dt, p = fmax((double)rate[t] * dt, least), log_p = log(p);
        c->prediction_variance += deviation * deviation / (double)c->T;
        c->prediction_sum += p;
        for (size_t r = 0; r < c->R; ++r) {
            double x = (double)counts[r * c->T + t];
            c->with_prediction[r] += deviation * (x - c->mean[r]) / (double)c->T;
            c->with_log[r] += x * log_p;
        }
    }
}

/* h of the means over all repeats and over all but one, and what follows from them; frames without a spike add nothing. */
static void
add_saturated(cell *c, const float *counts) {
    size_t R = c->R, T = c->T;
    double n = (double)R, without = 0;
    for (size_t t = 0; t < T; ++t) {
        double sum = 0;
        for (size_t r = 0; r < R; ++r)
            sum += (double)counts[r * T + t];
        if (!(sum > 0))
            continue;
        c->all.measured += (xlogx(c->scorer, sum) - sum * log(n)) / n;
        for (size_t r = 0; r < R; ++r) {
            double x = (double)counts[r * T + t], rest = sum - x;
            c->with_log_mean[r] += x * (log(sum / n) + 1);
            without += R > 1 ? (xlogx(c->scorer, rest) - rest * log(n - 1)) / (n - 1) / n : 0;
            for (size_t s = 0; x > 0 && s < R; ++s)
                c->relative[r * R + s] += x * (double)counts[s * T + t] * n / sum;
        }
    }
    if (R > 1)
        c->all.expected = c->all.measured - (n - 1) * (without - c->all.measured);
}

/* ---- scores under weights of the repeats ------------------------------------------------------------------------------ */

/* Means of a matrix (R,R) over its diagonal and over the rest, under weights of rows and columns that add up to n. */
typedef struct {
    double own, cross;
} pairs;

static pairs
pairs_of(const double *matrix, const float *w, double n, size_t R) {
    double own = 0, cross = 0, squares = 0;
    for (size_t r = 0; r < R; ++r) {
        double row = 0, weight = (double)w[r];
        if (weight == 0)
            continue;
        for (size_t s = 0; s < R; ++s)
            row += s == r ? 0 : (double)w[s] * matrix[r * R + s];
        cross += weight * row;
        own += weight * matrix[r * R + r] / n;
        squares += weight * weight;
    }
    return (pairs){own, n * n - squares > 0 ? cross / (n * n - squares) : (double)NAN};
}

/* r and EV, of a mean over as many independent repeats as were drawn. */
static void
score_variance(const cell *c, const float *w, double n, double *score) {
    double mean = 0, with_prediction = 0;
    for (size_t r = 0; r < c->R; ++r) {
        mean += (double)w[r] * c->mean[r] / n;
        with_prediction += (double)w[r] * c->with_prediction[r] / n;
    }
    pairs power = pairs_of(c->covariance, w, n, c->R);
    double variance = c->R == 1 ? power.own : power.own / n + (1 - 1 / n) * power.cross, off = c->prediction_mean - mean;
    if (!(variance > 0))
        return;
    score[RETC_SCORE_EV] = (2 * with_prediction - c->prediction_variance - off * off) / variance;
    if (c->prediction_variance > 0)
        score[RETC_SCORE_R] = with_prediction / sqrt(c->prediction_variance * variance);
    if (power.cross > 0) {
        score[RETC_SCORE_EV_CEILING] = power.cross / variance;
        score[RETC_SCORE_R_CEILING] = sqrt(power.cross / variance);
    }
}

/* Sums over time of h(m) and of h of the mean of n independent repeats, under weights that differ from 1/R by d: to second
 * order about the mean Y of all,
 *   h(Y) + sum d_r x_r (log Y + 1) + 1/2 sum d_r d_s x_r x_s / Y.
 * What repeats that were drawn twice add to the last sum is v sum d^2, with v the excess of own over cross of x_r x_s / Y; it
 * goes, so that draws have the mean of what was measured.  What the noise adds to h(Y) moves with v. */
static saturated
saturate(const cell *c, const float *w, double n) {
    size_t R = c->R;
    saturated h = c->all;
    if (R == 1)
        return h;
    pairs all = pairs_of(c->relative, c->scorer->weight, (double)R, R), here = pairs_of(c->relative, w, n, R);
    double v = all.own - all.cross;
    for (size_t r = 0; r < R; ++r) {
        double d = (double)w[r] / n - 1 / (double)R, row = 0;
        for (size_t s = 0; s < R; ++s)
            row += ((double)w[s] / n - 1 / (double)R) * c->relative[r * R + s];
        h.measured += d * c->with_log_mean[r] + d * (row - d * v) / 2;
    }
    double noise = (double)R * (c->all.measured - c->all.expected) + (here.own - here.cross - v) / 2;
    h.expected = h.measured - noise / n;
    return h;
}

static void
score_deviance(const cell *c, const float *w, double n, double *score) {
    double T = (double)c->T, mean = 0, with_log = 0, own = 0;
    for (size_t r = 0; r < c->R; ++r) {
        mean += (double)w[r] * c->mean[r] / n;
        with_log += (double)w[r] * c->with_log[r] / n;
        own += (double)w[r] * c->own[r] / n;
    }
    if (!(mean > 0))
        return;
    saturated h = saturate(c, w, n);
    double constant = T * mean * log(mean), gain = with_log - c->prediction_sum + T * mean - constant;
    double perfect = h.expected - constant, by_mean = h.measured - constant, by_trial = own - constant;
    const double scale[3] = {by_mean, by_trial, T * mean * LN2};
    for (int k = 0; k < 3; ++k) {
        if (!(scale[k] > 0))
            continue;
        score[RETC_SCORE_DEVIANCE + k] = gain / scale[k];
        if (perfect > 0)
            score[RETC_SCORE_DEVIANCE_CEILING + k] = perfect / scale[k];
    }
}

static int
evaluate(void *context, size_t e) {
    cell *c = context;
    const float *w = c->scorer->weight + e * c->R;
    double *score = c->value + e * RETC_SCORES, n = 0;
    for (size_t k = 0; k < RETC_SCORES; ++k)
        score[k] = (double)NAN;
    for (size_t r = 0; r < c->R; ++r)
        n += (double)w[r];
    score_variance(c, w, n, score);
    score_deviance(c, w, n, score);
    score[RETC_SCORE_R_NORMAL] = score[RETC_SCORE_R] / score[RETC_SCORE_R_CEILING];
    score[RETC_SCORE_EV_NORMAL] = score[RETC_SCORE_EV] / score[RETC_SCORE_EV_CEILING];
    score[RETC_SCORE_DEVIANCE_NORMAL] = score[RETC_SCORE_DEVIANCE] / score[RETC_SCORE_DEVIANCE_CEILING];
    return RETC_OK;
}

/* ---- intervals ------------------------------------------------------------------------------------------------------- */

static int
compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Acceleration: skewness of the values without one repeat each; 0 when they do not differ. */
static double
acceleration(const double *value, size_t R) {
    double mean = 0, squares = 0, cubes = 0;
    for (size_t r = 0; r < R; ++r)
        mean += value[r * RETC_SCORES] / (double)R;
    for (size_t r = 0; r < R; ++r) {
        double d = mean - value[r * RETC_SCORES];
        squares += d * d;
        cubes += d * d * d;
    }
    return squares > 0 ? cubes / (6 * squares * sqrt(squares)) : 0;
}

static double
quantile(const double *sorted, size_t n, double probability) {
    double at = probability * (double)(n - 1);
    size_t i = (size_t)at;
    return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* Efron 1987, eqs. 2.3, 6.6: the percentiles that z standard deviations stand for.  Where the value lies outside all draws, or
 * is not a number without some repeat, plain percentiles. */
static double
bca(const double *sorted, size_t n, double bias, double a, double z) {
    double moved = bias + (bias + z) / (1 - a * (bias + z));
    int usable = isfinite(moved) && a * (bias + z) < 1;
    return quantile(sorted, n, gsl_cdf_ugaussian_P(usable ? moved : z));
}

/* The score k of `value` (evaluations,RETC_SCORES), and its intervals; `sorted` (draws). */
static void
set_score(const retc_scorer *scorer, const double *value, size_t k, double *sorted, retc_score *score) {
    static const double half_width[2] = {1, 1.959963984540054};
    const double *draws = value + (1 + scorer->R) * RETC_SCORES;
    size_t n = 0;
    double below = 0;
    *score = (retc_score){value[k], {(double)NAN, (double)NAN}, {(double)NAN, (double)NAN}};
    for (size_t d = 0; d < scorer->draws; ++d) {
        double drawn = draws[d * RETC_SCORES + k];
        if (!isfinite(drawn))
            continue;
        sorted[n++] = drawn;
        below += drawn < score->value ? 1 : drawn > score->value ? 0 : 0.5;
    }
    /* A score that most draws leave undefined has no interval. */
    if (n == 0 || 2 * n <= scorer->draws || !isfinite(score->value))
        return;
    qsort(sorted, n, sizeof *sorted, compare_doubles);
    double bias = gsl_cdf_ugaussian_Pinv(below / (double)n), a = acceleration(value + RETC_SCORES + k, scorer->R);
    for (int i = 0; i < 2; ++i) {
        score->low[i] = bca(sorted, n, bias, a, -half_width[i]);
        score->high[i] = bca(sorted, n, bias, a, half_width[i]);
    }
}

static int
set_scores(const retc_scorer *scorer, const double *value, retc_score *score) {
    double *sorted = NULL;
    int status = RETC_ALLOC(sorted, scorer->draws);
    for (size_t k = 0; k < RETC_SCORES && status >= 0; ++k)
        set_score(scorer, value, k, sorted, &score[k]);
    retc_free(sorted);
    return status;
}

int
retc_scorer_add(retc_scorer *scorer, const float *rate, double dt, const float *counts, size_t T,
                retc_score score[RETC_SCORES]) {
    int status = RETC_OK;
    cell c = {0};
    RETC_TRY(cell_init(&c, scorer, T));
    add_repeats(&c, counts);
    add_prediction(&c, rate, dt, counts);
    add_saturated(&c, counts);
    RETC_TRY(retc_parallel_for(scorer->evaluations, scorer->threads, evaluate, &c));
    RETC_TRY(set_scores(scorer, c.value, score));
    for (size_t i = 0; i < scorer->evaluations * RETC_SCORES; ++i)
        if (isfinite(c.value[i])) {
            scorer->sum[i] += c.value[i];
            scorer->terms[i] += 1;
        }
done:
    cell_clear(&c);
    return status;
}

int
retc_scorer_mean(const retc_scorer *scorer, retc_score score[RETC_SCORES]) {
    int status = RETC_OK;
    size_t n = scorer->evaluations * RETC_SCORES;
    double *value = NULL;
    RETC_TRY(RETC_ALLOC(value, n));
    for (size_t i = 0; i < n; ++i)
        value[i] = scorer->sum[i] / scorer->terms[i];
    RETC_TRY(set_scores(scorer, value, score));
done:
    retc_free(value);
    return status;
}
