/* Scores of predictions, against definitions written out, and against responses drawn from known rates. */
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "h5.h"
#include "reliability.h"
#include "rng.h"
#include "scores.h"
#include "stats.h"
#include "testing.h"

/* Rates that vary in time like those of a cell driven by noise, Hz; frames of DT s. */
#define DT 0.02
static void
make_rates(uint64_t seed, size_t T, float *rate) {
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_CIRCUIT, 0);
    for (size_t t = 0; t < T; ++t)
        rate[t] = (float)((0.05 + exp(gsl_ran_gaussian(rng, 1)) * 0.6) / DT);
    gsl_rng_free(rng);
}

/* Poisson counts, or with `limit` > 0 binomial ones of `limit` chances: of a lower variance. */
static void
draw_counts(gsl_rng *rng, const float *rate, size_t R, size_t T, unsigned limit, float *x) {
    for (size_t i = 0; i < R * T; ++i) {
        double mean = (double)rate[i % T] * DT;
        x[i] = (float)(limit ? gsl_ran_binomial(rng, fmin(mean / limit, 1), limit) : gsl_ran_poisson(rng, mean));
    }
}

static void
score(const float *rate, const float *x, size_t R, size_t T, const retc_score_options *options, retc_score *result) {
    retc_scorer *scorer = retc_scorer_alloc(R, options);
    ck_assert_ptr_nonnull(scorer);
    ck_ok(retc_scorer_add(scorer, rate, DT, x, T, result));
    retc_scorer_free(scorer);
}

static const retc_score_options no_intervals = {.threads = 1};

static double
h(double x) {
    return x > 0 ? x * log(x) : 0;
}

/* A running mean with its standard error. */
typedef struct {
    double n, sum, squares;
} average;

static void
average_add(average *a, double x) {
    a->n += 1, a->sum += x, a->squares += x * x;
}

static double
average_mean(const average *a) {
    return a->sum / a->n;
}

static double
average_error(const average *a) {
    return sqrt((a->squares / a->n - average_mean(a) * average_mean(a)) / (a->n - 1));
}

/* Within four standard errors, beyond which one mean in 16 000 lies. */
#define ck_average(a, expected, bias)                                                                                          \
    ck_assert_msg(fabs(average_mean(a) - (expected)) <= 4 * average_error(a) + (bias), "%s: %g +- %g, expected %g", #a,        \
                  average_mean(a), average_error(a), (double)(expected))

/* ---- definitions ------------------------------------------------------------------------------------------------------ */

enum { DEF_R = 6, DEF_T = 80 };

static double
deviance(const float *y, const double *p, double R, size_t T) {
    double sum = 0;
    for (size_t t = 0; t < T; ++t)
        sum += 2 * R * ((y[t] > 0 ? (double)y[t] * log((double)y[t] / p[t]) : 0) - (double)y[t] + p[t]);
    return sum;
}

/* h summed over time of the mean over repeats, without repeat `leave` (DEF_R: of all). */
static double
sum_h(const float *x, size_t leave) {
    double all = 0;
    for (size_t t = 0; t < DEF_T; ++t) {
        double sum = 0;
        for (size_t r = 0; r < DEF_R; ++r)
            sum += r == leave ? 0 : (double)x[r * DEF_T + t];
        all += h(sum / (leave < DEF_R ? DEF_R - 1 : DEF_R));
    }
    return all;
}

START_TEST(scores_are_what_they_are_defined_as) {
    float rate[DEF_T], p[DEF_T], x[DEF_R * DEF_T], mean[DEF_T], hz[DEF_T];
    double q[DEF_T], constant[DEF_T], y = 0, trial[2] = {0, 0}, gain = 0, spikes = 0;
    retc_score s[RETC_SCORES];
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_SPIKES, 0);
    make_rates(1, DEF_T, rate);
    make_rates(2, DEF_T, p);
    draw_counts(rng, rate, DEF_R, DEF_T, 0, x);
    p[7] = 0; /* counts as half a spike in everything there is */
    for (size_t t = 0; t < DEF_T; ++t) {
        mean[t] = 0;
        for (size_t r = 0; r < DEF_R; ++r)
            mean[t] += x[r * DEF_T + t] / DEF_R;
        hz[t] = mean[t] / (float)DT;
        q[t] = fmax((double)p[t] * DT, 0.5 / (DEF_R * DEF_T));
        y += (double)mean[t] / DEF_T;
    }
    for (size_t t = 0; t < DEF_T; ++t) {
        constant[t] = y;
        gain += (double)mean[t] * log2(q[t] / y) - (q[t] - y) / log(2);
        spikes += (double)mean[t];
    }
    for (size_t r = 0; r < DEF_R; ++r) {
        trial[0] += deviance(x + r * DEF_T, q, 1, DEF_T);
        trial[1] += deviance(x + r * DEF_T, constant, 1, DEF_T);
    }
    score(p, x, DEF_R, DEF_T, &no_intervals, s);
    /* The definitions take the mean over repeats in single precision: 6e-8 of it. */
    const double tolerance = 1e-6;
    double by_mean = 1 - deviance(mean, q, DEF_R, DEF_T) / deviance(mean, constant, DEF_R, DEF_T);
    double ceiling = retc_noise_ceiling(x, DEF_R, DEF_T), without = 0, m = 0, all = sum_h(x, DEF_R);
    for (size_t r = 0; r < DEF_R; ++r)
        without += sum_h(x, r) / DEF_R;
    m = all - (DEF_R - 1) * (without - all) - DEF_T * h(y);
    const double expected[RETC_SCORES] = {
        retc_pearson(p, hz, DEF_T),
        retc_explained_variance(p, hz, DEF_T),
        by_mean,
        1 - trial[0] / trial[1],
        gain / spikes,
        ceiling,
        ceiling * ceiling,
        m / (all - DEF_T * h(y)),
        m / (trial[1] / 2 / DEF_R),
        m / spikes / log(2),
        retc_pearson(p, hz, DEF_T) / ceiling,
        retc_explained_variance(p, hz, DEF_T) / ceiling / ceiling,
        by_mean / (m / (all - DEF_T * h(y))),
    };
    for (int k = 0; k < RETC_SCORES; ++k) {
        ck_assert_msg(fabs(s[k].value - expected[k]) <= tolerance * fmax(1, fabs(expected[k])), "%s is %.9g, expected %.9g",
                      retc_score_names[k], s[k].value, expected[k]);
        ck_assert(isnan(s[k].low[0]) && isnan(s[k].high[1]));
    }
    /* What is left of what can be explained does not depend on the denominator. */
    for (int k = RETC_SCORE_DEVIANCE; k <= RETC_SCORE_BITS; ++k)
        ck_assert_double_eq_tol(s[k].value / s[RETC_SCORE_R_CEILING + k].value, s[RETC_SCORE_DEVIANCE_NORMAL].value, 1e-12);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(a_constant_rate_explains_nothing) {
    enum { R = 8, T = 300 };
    float rate[T], x[R * T], constant[T];
    double y = 0;
    retc_score s[RETC_SCORES];
    gsl_rng *rng = retc_rng_alloc(2, RETC_STREAM_SPIKES, 0);
    make_rates(3, T, rate);
    draw_counts(rng, rate, R, T, 0, x);
    for (size_t i = 0; i < R * T; ++i)
        y += (double)x[i] / (R * T);
    for (size_t t = 0; t < T; ++t)
        constant[t] = (float)(y / DT);
    score(constant, x, R, T, &no_intervals, s);
    ck_assert(isnan(s[RETC_SCORE_R].value));
    /* The constant is rounded to single precision, and each of these is at its largest there: errors enter squared. */
    for (int k = RETC_SCORE_EV; k <= RETC_SCORE_BITS; ++k)
        ck_assert_msg(fabs(s[k].value) < 1e-9, "%s is %g", retc_score_names[k], s[k].value);
    for (size_t t = 0; t < T; ++t)
        constant[t] *= 2; /* another one does harm */
    score(constant, x, R, T, &no_intervals, s);
    for (int k = RETC_SCORE_EV; k <= RETC_SCORE_BITS; ++k)
        ck_assert_double_lt(s[k].value, -0.01);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(what_is_not_defined) {
    enum { R = 6, T = 50 };
    float rate[T], x[R * T] = {0};
    retc_score s[RETC_SCORES];
    const retc_score_options options = {.draws = 50, .seed = 1, .threads = 1};
    gsl_rng *rng = retc_rng_alloc(3, RETC_STREAM_SPIKES, 0);
    make_rates(4, T, rate);
    score(rate, x, R, T, &options, s); /* no spike */
    for (int k = 0; k < RETC_SCORES; ++k)
        ck_assert_msg(isnan(s[k].value) && isnan(s[k].low[1]), "%s is %g", retc_score_names[k], s[k].value);
    draw_counts(rng, rate, R, T, 0, x);
    score(rate, x, 1, T, &options, s); /* one repeat: the mean is the trial */
    for (int k = 0; k < RETC_SCORES; ++k) {
        ck_assert_msg(isfinite(s[k].value) == (k < RETC_SCORE_R_CEILING), "%s is %g", retc_score_names[k], s[k].value);
        ck_assert(isnan(s[k].low[0]));
    }
    ck_assert_double_eq_tol(s[RETC_SCORE_DEVIANCE].value, s[RETC_SCORE_TRIAL_DEVIANCE].value, 1e-12);
    score(rate, x, RETC_LEAST_REPEATS - 1, T, &options, s); /* too few for intervals */
    for (int k = 0; k < RETC_SCORES; ++k)
        ck_assert(isfinite(s[k].value) && isnan(s[k].low[0]) && isnan(s[k].high[1]));
    gsl_rng_free(rng);
}
END_TEST

/* ---- ceilings --------------------------------------------------------------------------------------------------------- */

/* E h(S / n) for the sum S of n counts of mean m: of Poisson counts, or of binomial ones with `limit` chances each. */
static double
expected_h(double m, double n, unsigned limit) {
    double sum = 0;
    unsigned chances = limit * (unsigned)n, last = (unsigned)(n * m + 40 + 12 * sqrt(n * m));
    for (unsigned k = 1; k <= (limit && chances < last ? chances : last); ++k)
        sum += (limit ? gsl_ran_binomial_pdf(k, m / limit, chances) : gsl_ran_poisson_pdf(k, n * m)) * h(k / n);
    return sum;
}

/* The true rate, scored over and over: it reaches its ceilings on average, and the ceilings are what the rate would score, for
 * counts that vary as those of Poisson and less. */
START_TEST(the_true_rate_reaches_its_ceilings) {
    enum { T = 200, R = 10, DRAWS = 300 };
    const unsigned limit = _i ? 12 : 0;
    float rate[T];
    static float x[R * T];
    double power = 0, mean = 0, noise = 0, expected_m = 0, expected_gain = 0;
    average r = {0}, ev = {0}, off[3] = {{0}}, gain = {0}, perfect = {0};
    gsl_rng *rng = retc_rng_alloc(4, RETC_STREAM_SPIKES, (uint64_t)_i);
    make_rates(5, T, rate);
    for (size_t t = 0; t < T; ++t)
        mean += (double)rate[t] * DT / T;
    for (size_t t = 0; t < T; ++t) {
        double m = (double)rate[t] * DT;
        ck_assert_double_lt(m, 12);
        power += (m - mean) * (m - mean) / T;
        noise += (limit ? m * (1 - m / limit) : m) / T;
        expected_m += R * expected_h(m, R, limit) - (R - 1) * expected_h(m, R - 1, limit);
        expected_gain += h(m);
    }
    for (int i = 0; i < DRAWS; ++i) {
        retc_score s[RETC_SCORES];
        draw_counts(rng, rate, R, T, limit, x);
        score(rate, x, R, T, &no_intervals, s);
        double y = 0;
        for (size_t k = 0; k < R * T; ++k)
            y += (double)x[k] / (R * T);
        average_add(&r, s[RETC_SCORE_R_CEILING].value * s[RETC_SCORE_R_CEILING].value);
        average_add(&ev, s[RETC_SCORE_EV_CEILING].value);
        average_add(&perfect, s[RETC_SCORE_BITS_CEILING].value * T * y * log(2) + T * h(y));
        average_add(&gain, s[RETC_SCORE_BITS].value * T * y * log(2) + T * h(y) + T * (mean - y));
        for (int k = 0; k < 3; ++k)
            average_add(&off[k], s[RETC_SCORE_R_NORMAL + k].value - 1);
    }
    /* Ratios of sums over time are biased by the order of 1/T. */
    ck_average(&r, power / (power + noise * (T - 1) / T / R), 0.5 / T);
    ck_average(&ev, power / (power + noise * (T - 1) / T / R), 0.5 / T);
    ck_average(&perfect, expected_m, 0.0); /* exactly, what is left of order 1/R^2 included */
    ck_average(&gain, expected_gain, 0.0);
    /* What is left is within -0.08 and 0.25 of a frame's R m log m, of a gain that is counted in spikes. */
    ck_average(&off[0], 0.0, 1.0 / T);
    ck_average(&off[1], 0.0, 1.0 / T);
    ck_average(&off[2], 0.0, 0.25 * T / R / (expected_gain - T * h(mean)) + 1.0 / T);
    gsl_rng_free(rng);
}
END_TEST

/* What scores.h says is left of the noise, in R m log m of one frame. */
START_TEST(what_is_left_in_frames_of_few_spikes) {
    for (double R = 2; R <= 64; R *= 2)
        for (double spikes = 0.001; spikes < 200; spikes *= 1.3) {
            double m = spikes / R, left = R * (R * expected_h(m, R, 0) - (R - 1) * expected_h(m, R - 1, 0) - h(m));
            ck_assert_msg(left > -0.08 && left < 0.25, "%g spikes in %g repeats: %g", spikes, R, left);
            if (spikes > 5)
                ck_assert_msg(fabs(left) < 0.08, "%g spikes in %g repeats: %g", spikes, R, left);
        }
}
END_TEST

/* ---- intervals -------------------------------------------------------------------------------------------------------- */

/* Scores of a given prediction in new sets of repeats of known rates, whose expected values are known: of 100 intervals of 95 %
 * and of 68 % about 95 and 68 hold it.  20 repeats leave some 1 or 2 % to be missed; the binomial count of 100 at 93 % and 66 %
 * lies below 83 and 50, or above 100 and 81, less than once in 1000. */
START_TEST(intervals_hold_the_truth) {
    enum { T = 150, R = 20, SETS = 100, MANY = 2000 };
    float rate[T], p[T], x[R * T];
    average truth[RETC_SCORES] = {{0}};
    int held[RETC_SCORES][2] = {{0}};
    retc_score s[RETC_SCORES];
    retc_score_options options = {.draws = 400, .threads = 0};
    gsl_rng *rng = retc_rng_alloc(5, RETC_STREAM_SPIKES, 0);
    make_rates(6, T, rate);
    make_rates(7, T, p);
    for (size_t t = 0; t < T; ++t)
        p[t] = 0.7f * rate[t] + 0.3f * p[t];
    for (int i = 0; i < MANY; ++i) {
        draw_counts(rng, rate, R, T, 0, x);
        score(p, x, R, T, &no_intervals, s);
        for (int k = 0; k < RETC_SCORES; ++k)
            average_add(&truth[k], s[k].value);
    }
    for (int i = 0; i < SETS; ++i) {
        draw_counts(rng, rate, R, T, 0, x);
        options.seed = (uint64_t)i;
        score(p, x, R, T, &options, s);
        for (int k = 0; k < RETC_SCORES; ++k)
            for (int level = 0; level < 2; ++level)
                held[k][level] += s[k].low[level] <= average_mean(&truth[k]) && average_mean(&truth[k]) <= s[k].high[level];
    }
    for (int k = 0; k < RETC_SCORES; ++k) {
        ck_assert_msg(held[k][0] >= 50 && held[k][0] <= 81, "%s: %d of 100 in 68 %%", retc_score_names[k], held[k][0]);
        ck_assert_msg(held[k][1] >= 83, "%s: %d of 100 in 95 %%", retc_score_names[k], held[k][1]);
    }
    gsl_rng_free(rng);
}
END_TEST

START_TEST(intervals_depend_on_the_seed_only) {
    enum { T = 100, R = 6 };
    float rate[T], x[R * T];
    retc_score s[3][RETC_SCORES];
    gsl_rng *rng = retc_rng_alloc(6, RETC_STREAM_SPIKES, 0);
    make_rates(8, T, rate);
    draw_counts(rng, rate, R, T, 0, x);
    for (int i = 0; i < 3; ++i) {
        const retc_score_options options = {.draws = 100, .seed = i < 2 ? 4 : 5, .threads = i == 0 ? 1 : 3};
        score(rate, x, R, T, &options, s[i]);
    }
    ck_assert_mem_eq(s[0], s[1], sizeof s[0]);
    for (int k = 0; k < RETC_SCORES; ++k) {
        ck_assert(s[0][k].value == s[2][k].value && s[0][k].low[1] != s[2][k].low[1]);
        ck_assert_msg(s[0][k].low[1] <= s[0][k].low[0] && s[0][k].low[0] <= s[0][k].high[0] &&
                          s[0][k].high[0] <= s[0][k].high[1],
                      "%s: intervals are not nested", retc_score_names[k]);
    }
    gsl_rng_free(rng);
}
END_TEST

/* Two cells that were excited together from repeat to repeat: their mean varies as each of them, not less. */
START_TEST(the_mean_knows_what_cells_share) {
    enum { T = 200, R = 20 };
    float rate[T], x[2][R * T];
    retc_score s[3][RETC_SCORES], mean[RETC_SCORES];
    const retc_score_options options = {.draws = 300, .seed = 1, .threads = 0};
    gsl_rng *rng = retc_rng_alloc(7, RETC_STREAM_SPIKES, 0);
    retc_scorer *together = retc_scorer_alloc(R, &options), *apart = retc_scorer_alloc(R, &options);
    make_rates(9, T, rate);
    draw_counts(rng, rate, R, T, 0, x[0]);
    draw_counts(rng, rate, R, T, 0, x[1]);
    for (int i = 0; i < 2; ++i) {
        ck_ok(retc_scorer_add(together, rate, DT, x[0], T, s[0]));
        ck_ok(retc_scorer_add(apart, rate, DT, x[i], T, s[1 + i]));
    }
    ck_ok(retc_scorer_mean(together, mean));
    for (int k = 0; k < RETC_SCORES; ++k) {
        ck_assert_double_eq_tol(mean[k].value, s[0][k].value, 1e-14);
        ck_assert_double_eq_tol(mean[k].low[1], s[0][k].low[1], 1e-12);
    }
    ck_ok(retc_scorer_mean(apart, mean));
    ck_assert_double_eq_tol(mean[0].value, (s[1][0].value + s[2][0].value) / 2, 1e-14);
    /* Independent cells: narrower by a root of 2, which 300 draws of 20 repeats tell to 20 %. */
    double one = (s[1][0].high[0] - s[1][0].low[0] + s[2][0].high[0] - s[2][0].low[0]) / 2;
    ck_assert_double_lt(mean[0].high[0] - mean[0].low[0], 0.9 * one);
    ck_assert_double_gt(mean[0].high[0] - mean[0].low[0], 0.5 * one);
    retc_scorer_free(together), retc_scorer_free(apart);
    gsl_rng_free(rng);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("scores");
    TCase *tcase = tcase_create("scores");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, scores_are_what_they_are_defined_as);
    tcase_add_test(tcase, a_constant_rate_explains_nothing);
    tcase_add_test(tcase, what_is_not_defined);
    tcase_add_loop_test(tcase, the_true_rate_reaches_its_ceilings, 0, 2);
    tcase_add_test(tcase, what_is_left_in_frames_of_few_spikes);
    tcase_add_test(tcase, intervals_hold_the_truth);
    tcase_add_test(tcase, intervals_depend_on_the_seed_only);
    tcase_add_test(tcase, the_mean_knows_what_cells_share);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
