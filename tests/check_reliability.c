/* Reliability of repeated responses, against definitions written out, and against responses drawn from known rates. */
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "reliability.h"
#include "rng.h"
#include "stats.h"
#include "testing.h"

/* Rates that vary in time like those of a cell driven by noise: mostly low, sometimes high; mean counts of a frame. */
static void
make_rates(uint64_t seed, size_t T, double *rate) {
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_CIRCUIT, 0);
    for (size_t t = 0; t < T; ++t)
        rate[t] = 0.1 + exp(gsl_ran_gaussian(rng, 1)) * 0.8;
    gsl_rng_free(rng);
}

static void
draw_counts(gsl_rng *rng, const double *rate, size_t R, size_t T, float *x) {
    for (size_t i = 0; i < R * T; ++i)
        x[i] = (float)gsl_ran_poisson(rng, rate[i % T]);
}

static void
mean_over(const float *x, size_t R, size_t T, int (*member)(size_t r, size_t R), float *mean) {
    for (size_t t = 0; t < T; ++t) {
        double sum = 0, n = 0;
        for (size_t r = 0; r < R; ++r)
            if (member(r, R)) {
                sum += (double)x[r * T + t];
                n += 1;
            }
        mean[t] = (float)(sum / n);
    }
}

static int
is_even(size_t r, size_t R) {
    (void)R;
    return r % 2 == 0;
}

static int
is_odd(size_t r, size_t R) {
    return !is_even(r, R);
}

static int
is_first(size_t r, size_t R) {
    return r < R / 2;
}

static int
is_second(size_t r, size_t R) {
    return !is_first(r, R);
}

static int
is_any(size_t r, size_t R) {
    (void)r, (void)R;
    return 1;
}

/* Variance over repeats at every time (unbiased), its sum, and the sum of the means. */
static void
sums_over_time(const float *x, size_t R, size_t T, double *variance, double *mean) {
    *variance = *mean = 0;
    for (size_t t = 0; t < T; ++t) {
        double m = 0, squares = 0;
        for (size_t r = 0; r < R; ++r)
            m += (double)x[r * T + t] / (double)R;
        for (size_t r = 0; r < R; ++r)
            squares += ((double)x[r * T + t] - m) * ((double)x[r * T + t] - m);
        *variance += squares / (double)(R - 1);
        *mean += m;
    }
}

/* Halves are averaged in float here, whose rounding of means of a few counts is 1e-7; all else is exact but for rounding in
 * double. */
START_TEST(measures_are_what_they_are_defined_as) {
    enum { R = 9, T = 300 };
    double rate[T], value[RETC_MEASURES], variance, mean;
    float x[R * T], root[R * T], a[T], b[T], total[R];
    gsl_rng *rng = retc_rng_alloc(3, RETC_STREAM_SPIKES, 0);
    make_rates(1, T, rate);
    draw_counts(rng, rate, R, T, x);
    ck_ok(retc_reliability(x, R, T, 0, 1, 0, 1, value, NULL, NULL));
    ck_assert_double_eq_tol(value[RETC_CEILING], retc_noise_ceiling(x, R, T), 1e-12);
    mean_over(x, R, T, is_even, a);
    mean_over(x, R, T, is_odd, b);
    ck_assert_double_eq_tol(value[RETC_ODD_EVEN], retc_pearson(a, b, T), 1e-6);
    mean_over(x, R, T, is_first, a);
    mean_over(x, R, T, is_second, b);
    ck_assert_double_eq_tol(value[RETC_FIRST_SECOND], retc_pearson(a, b, T), 1e-6);
    ck_assert_double_eq_tol(value[RETC_RELIABILITY], 2 * value[RETC_SPLIT_HALF] / (1 + value[RETC_SPLIT_HALF]), 1e-14);
    ck_assert_double_eq_tol(value[RETC_SNR], value[RETC_SIGNAL_POWER] / value[RETC_NOISE_POWER], 1e-14);
    sums_over_time(x, R, T, &variance, &mean);
    ck_assert_double_eq_tol(value[RETC_FANO_FRAME], variance / mean, 1e-12);
    for (size_t r = 0; r < R; ++r) {
        double sum = 0;
        for (size_t t = 0; t < T; ++t)
            sum += (double)x[r * T + t];
        total[r] = (float)sum; /* whole numbers below 2^24 */
    }
    sums_over_time(total, R, 1, &variance, &mean);
    ck_assert_double_eq_tol(value[RETC_FANO_REPEAT], variance / mean, 1e-10);

    /* Pospisil & Bair's ceiling, written out on square roots. */
    for (size_t i = 0; i < R * T; ++i)
        root[i] = sqrtf(x[i]);
    sums_over_time(root, R, T, &variance, &mean);
    double v = 0, noise = variance / T / R * (T - 1) / T;
    mean_over(root, R, T, is_any, a);
    for (size_t t = 0; t < T; ++t)
        v += ((double)a[t] - mean / T) * ((double)a[t] - mean / T) / T;
    ck_assert_double_eq_tol(value[RETC_UNBIASED_CEILING], sqrt((v - noise) / v), 1e-6);
    ck_assert_double_eq_tol(value[RETC_UNBIASED_SNR], (v - noise) / (variance / T), 1e-6);
    gsl_rng_free(rng);
}
END_TEST

/* Means over `n` draws, and their standard errors. */
typedef struct {
    double n, sum, squares;
} average;

static void
average_add(average *a, double value) {
    a->n += 1, a->sum += value, a->squares += value * value;
}

static double
average_mean(const average *a) {
    return a->sum / a->n;
}

static double
average_error(const average *a) {
    double mean = average_mean(a);
    return sqrt((a->squares / a->n - mean * mean) / (a->n - 1));
}

/* 4 standard errors, which chance exceeds once in 16000, and an estimator's own bias. */
#define ck_average(a, truth, bias)                                                                                             \
    ck_assert_msg(fabs(average_mean(a) - (truth)) <= 4 * average_error(a) + (bias), "%s: mean %.5f +- %.5f, expected %.5f",    \
                  #a, average_mean(a), average_error(a), (truth))

/* The setting of figure 2 of Pospisil & Bair (2021): m = 362 stimuli, n = 4 repeats, variance 0.25, SNR 0.5.  There the naive
 * r^2 of a perfect model is 0.67 on average, the unbiased one 1.00.  Ratios of unbiased sums are biased by the order of their
 * squared relative error, sd 0.043 there: 0.002. */
START_TEST(unbiased_r2_of_normal_responses) {
    enum { T = 362, R = 4, DRAWS = 400 };
    double mu[T], truth = _i / 4.0;
    float p[T], x[R * T], mean[T];
    average naive = {0}, unbiased = {0};
    gsl_rng *rng = retc_rng_alloc(11, RETC_STREAM_NOISE, (uint64_t)_i);
    for (size_t t = 0; t < T; ++t) { /* two orthogonal courses of variance 0.125 = 0.5 * 0.25 */
        double angle = 2 * M_PI * (double)t / T;
        mu[t] = 2 + 0.5 * sin(angle);
        p[t] = (float)(3 * (sqrt(truth) * sin(angle) + sqrt(1 - truth) * cos(angle)));
    }
    for (int i = 0; i < DRAWS; ++i) {
        for (size_t k = 0; k < R * T; ++k)
            x[k] = (float)(mu[k % T] + gsl_ran_gaussian(rng, 0.5));
        mean_over(x, R, T, is_any, mean);
        double r = retc_pearson(p, mean, T);
        average_add(&naive, r * r);
        average_add(&unbiased, retc_unbiased_r2(p, x, R, T));
    }
    ck_average(&unbiased, truth, 0.002);
    /* The naive one falls short by d2 / (d2 + (m-1) s2 / n), but for chance correlations of 1/m. */
    ck_average(&naive, truth * 45.25 / (45.25 + 361 * 0.0625), 0.004);
    gsl_rng_free(rng);
}
END_TEST

/* Poisson counts as they are: the variance follows the mean, which a single variance for all times would get wrong. */
START_TEST(unbiased_r2_of_poisson_counts) {
    enum { T = 400, R = 6, DRAWS = 400 };
    double rate[T];
    float p[T], x[R * T], mean[T];
    average naive = {0}, unbiased = {0};
    gsl_rng *rng = retc_rng_alloc(12, RETC_STREAM_SPIKES, 0);
    make_rates(5, T, rate);
    for (size_t t = 0; t < T; ++t)
        p[t] = (float)rate[t];
    for (int i = 0; i < DRAWS; ++i) {
        draw_counts(rng, rate, R, T, x);
        mean_over(x, R, T, is_any, mean);
        double r = retc_pearson(p, mean, T);
        average_add(&naive, r * r);
        average_add(&unbiased, retc_unbiased_r2(p, x, R, T));
    }
    ck_average(&unbiased, 1.0, 0.002);
    ck_assert_double_lt(average_mean(&naive), 0.93);
    ck_assert(isnan(retc_unbiased_r2(p, x, 1, T)));
    memset(p, 0, sizeof p);
    ck_assert(isnan(retc_unbiased_r2(p, x, R, T)));
    gsl_rng_free(rng);
}
END_TEST

/* Mean and variance of the square root of a Poisson number. */
static void
root_moments(double rate, double *mean, double *variance) {
    *mean = 0;
    for (unsigned k = 0; k < 200; ++k)
        *mean += sqrt((double)k) * gsl_ran_poisson_pdf(k, rate);
    *variance = rate - *mean * *mean;
}

START_TEST(powers_and_ceilings_of_known_rates) {
    enum { T = 500, R = 10, DRAWS = 200 };
    double rate[T], value[RETC_MEASURES], e[T], mean_rate = 0, power = 0, mean_e = 0, var_e = 0, noise_e = 0;
    static float x[R * T];
    average signal = {0}, noise = {0}, ceiling = {0}, unbiased = {0}, snr = {0}, fano = {0}, fano_repeat = {0}, same = {0};
    gsl_rng *rng = retc_rng_alloc(13, RETC_STREAM_SPIKES, 0);
    make_rates(6, T, rate);
    for (size_t t = 0; t < T; ++t) {
        double v;
        root_moments(rate[t], &e[t], &v);
        mean_rate += rate[t] / T, mean_e += e[t] / T, noise_e += v / T;
    }
    for (size_t t = 0; t < T; ++t) {
        power += (rate[t] - mean_rate) * (rate[t] - mean_rate) / T;
        var_e += (e[t] - mean_e) * (e[t] - mean_e) / T;
    }
    for (int i = 0; i < DRAWS; ++i) {
        draw_counts(rng, rate, R, T, x);
        ck_ok(retc_reliability(x, R, T, 0, 1, 0, 1, value, NULL, NULL));
        average_add(&signal, value[RETC_SIGNAL_POWER]);
        average_add(&noise, value[RETC_NOISE_POWER]);
        average_add(&ceiling, value[RETC_CEILING] * value[RETC_CEILING]);
        average_add(&unbiased, value[RETC_UNBIASED_CEILING] * value[RETC_UNBIASED_CEILING]);
        average_add(&snr, value[RETC_UNBIASED_SNR]);
        average_add(&fano, value[RETC_FANO_FRAME]);
        average_add(&fano_repeat, value[RETC_FANO_REPEAT]);
        average_add(&same, value[RETC_SAME_RESPONSE]);
    }
    /* Sums over repeats and time are unbiased; ratios are biased by the order of 1/T. */
    ck_average(&signal, power, 0.0);
    ck_average(&noise, mean_rate * (T - 1) / T, 0.0);
    ck_average(&ceiling, power / (power + mean_rate * (T - 1) / T / R), 0.5 / T);
    ck_average(&unbiased, var_e / (var_e + noise_e * (T - 1) / T / R), 0.5 / T);
    ck_average(&snr, var_e / noise_e, 2.0 / T);
    ck_average(&fano, 1.0, 0.5 / T);
    ck_average(&fano_repeat, 1.0, 0.5 / T);
    ck_average(&same, 1.0, 2.0 / T);
    gsl_rng_free(rng);
}
END_TEST

/* The second half of the repeats follows other rates: without noise the halves correlate as the rates do. */
START_TEST(a_response_that_changes) {
    enum { T = 500, R = 12, DRAWS = 200 };
    double rate[T], other[T], value[RETC_MEASURES];
    static float x[R * T];
    float a[T], b[T];
    average same = {0}, raw = {0};
    gsl_rng *rng = retc_rng_alloc(14, RETC_STREAM_SPIKES, 0);
    make_rates(7, T, rate);
    for (size_t t = 0; t < T; ++t) {
        other[t] = 0.5 * rate[t] + 0.6 * rate[(t + T - 1) % T];
        a[t] = (float)rate[t], b[t] = (float)other[t];
    }
    double truth = retc_pearson(a, b, T);
    for (int i = 0; i < DRAWS; ++i) {
        draw_counts(rng, rate, R / 2, T, x);
        draw_counts(rng, other, R / 2, T, x + R / 2 * T);
        ck_ok(retc_reliability(x, R, T, 0, 1, 0, 1, value, NULL, NULL));
        average_add(&same, value[RETC_SAME_RESPONSE]);
        average_add(&raw, value[RETC_FIRST_SECOND]);
    }
    ck_average(&same, truth, 2.0 / T);
    ck_assert_double_lt(average_mean(&raw), truth - 0.03);
    gsl_rng_free(rng);
}
END_TEST

/* A resample compares a repeat with copies of itself nowhere: repeats that share nothing keep a signal power around 0.  Of 60
 * intervals of 95 % 57 should hold the truth; 50 or fewer would happen once in 1000 at a coverage of 92 %, which percentiles of
 * 20 repeats reach. */
START_TEST(intervals_hold_the_truth) {
    enum { T = 200, R = 20, SETS = 60 };
    double rate[T], value[RETC_MEASURES], low[RETC_MEASURES], high[RETC_MEASURES], middle = 0, power = 0, mean = 0;
    static float x[R * T];
    gsl_rng *rng = retc_rng_alloc(15, RETC_STREAM_SPIKES, 0);
    int silent = 0, driven = 0;
    for (size_t t = 0; t < T; ++t)
        rate[t] = 1;
    for (int i = 0; i < SETS; ++i) {
        draw_counts(rng, rate, R, T, x);
        ck_ok(retc_reliability(x, R, T, 200, 1, (size_t)i, 0, value, low, high));
        silent += low[RETC_SIGNAL_POWER] <= 0 && high[RETC_SIGNAL_POWER] >= 0;
        middle += (low[RETC_SIGNAL_POWER] + high[RETC_SIGNAL_POWER]) / 2 / SETS;
    }
    ck_assert_int_gt(silent, 50);
    ck_assert_double_lt(fabs(middle), 0.01); /* copies would add 1/R of the variance 1: 0.05 */
    make_rates(8, T, rate);
    for (size_t t = 0; t < T; ++t)
        mean += rate[t] / T;
    for (size_t t = 0; t < T; ++t)
        power += (rate[t] - mean) * (rate[t] - mean) / T;
    for (int i = 0; i < SETS; ++i) {
        draw_counts(rng, rate, R, T, x);
        ck_ok(retc_reliability(x, R, T, 200, 2, (size_t)i, 0, value, low, high));
        driven += low[RETC_SIGNAL_POWER] <= power && high[RETC_SIGNAL_POWER] >= power;
    }
    ck_assert_int_gt(driven, 50);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(intervals_depend_on_the_seed_only) {
    enum { T = 100, R = 6 };
    double rate[T], value[3][RETC_MEASURES], low[3][RETC_MEASURES], high[3][RETC_MEASURES];
    float x[R * T];
    gsl_rng *rng = retc_rng_alloc(16, RETC_STREAM_SPIKES, 0);
    make_rates(9, T, rate);
    draw_counts(rng, rate, R, T, x);
    for (int i = 0; i < 3; ++i)
        ck_ok(retc_reliability(x, R, T, 100, i < 2 ? 4 : 5, 2, i == 0 ? 1 : 3, value[i], low[i], high[i]));
    ck_assert_mem_eq(value[0], value[1], sizeof value[0]);
    ck_assert_mem_eq(low[0], low[1], sizeof low[0]);
    ck_assert_mem_eq(high[0], high[1], sizeof high[0]);
    ck_assert(low[2][RETC_SNR] != low[0][RETC_SNR]);
    for (int m = 0; m < RETC_MEASURES; ++m)
        ck_assert_msg(low[0][m] <= value[0][m] && value[0][m] <= high[0][m], "%s: %g is not in %g ... %g",
                      retc_measure_names[m], value[0][m], low[0][m], high[0][m]);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(what_is_not_defined) {
    enum { T = 50, R = 6 };
    double rate[T], value[RETC_MEASURES], low[RETC_MEASURES], high[RETC_MEASURES];
    float x[R * T] = {0};
    gsl_rng *rng = retc_rng_alloc(17, RETC_STREAM_SPIKES, 0);
    ck_ok(retc_reliability(x, R, T, 50, 1, 0, 1, value, low, high)); /* no spike */
    for (int m = 0; m < RETC_MEASURES; ++m)
        ck_assert_msg(m == RETC_SIGNAL_POWER || m == RETC_NOISE_POWER ? value[m] == 0 : isnan(value[m]), "%s is %g",
                      retc_measure_names[m], value[m]);
    make_rates(9, T, rate);
    draw_counts(rng, rate, R, T, x);
    ck_ok(retc_reliability(x, 1, T, 50, 1, 0, 1, value, low, high));
    ck_assert(isnan(value[RETC_CEILING]) && isnan(low[RETC_CEILING]) && isnan(value[RETC_FANO_FRAME]));
    ck_ok(retc_reliability(x, 4, T, 50, 1, 0, 1, value, low, high)); /* too few for intervals */
    ck_assert(isfinite(value[RETC_CEILING]) && isnan(low[RETC_CEILING]) && isnan(high[RETC_CEILING]));
    ck_ok(retc_reliability(x, 2, T, 50, 1, 0, 1, value, low, high)); /* halves of one repeat have no noise of their own */
    ck_assert(isfinite(value[RETC_ODD_EVEN]) && isnan(value[RETC_SAME_RESPONSE]));
    gsl_rng_free(rng);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("reliability");
    TCase *tcase = tcase_create("reliability");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, measures_are_what_they_are_defined_as);
    tcase_add_loop_test(tcase, unbiased_r2_of_normal_responses, 0, 5);
    tcase_add_test(tcase, unbiased_r2_of_poisson_counts);
    tcase_add_test(tcase, powers_and_ceilings_of_known_rates);
    tcase_add_test(tcase, a_response_that_changes);
    tcase_add_test(tcase, intervals_hold_the_truth);
    tcase_add_test(tcase, intervals_depend_on_the_seed_only);
    tcase_add_test(tcase, what_is_not_defined);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
