/* The highest rates of cells of a GLM: chosen by likelihood, kept in files, and what holds simulated trials. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"
#include "glm.h"
#include "glm_simulate.h"
#include "regression.h"
#include "rng.h"
#include "testing.h"

enum { T = 30000, L = 3, N = 2 };
static const double DT = 0.01, HIGHEST[N] = {80, 1e9};

/* Two cells that one pixel drives; the first one cannot fire faster than HIGHEST, the second one can. */
static retc_recording *
make_recording(void) {
    float *movie = retc_fixture_movie(41, T, 1, 1), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(42, RETC_STREAM_SPIKES, 0);
    for (size_t j = 0; j < N; ++j)
        for (size_t t = L; t < T; ++t) {
            double g = 1.2 * (double)movie[t - 1] - 0.6 * (double)movie[t - 2];
            counts[j * T + t] = (float)gsl_ran_poisson(rng, DT * fmin(20 * exp(g), HIGHEST[j]));
        }
    gsl_rng_free(rng);
    const char *path = retc_test_path("limited.h5");
    ck_ok(retc_fixture_recording(path, T, 1, 1, movie, N, counts, 0, NULL, 1, DT));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

/* Against the likelihood at every limit of a fine grid, in plain loops, with the model that generated the counts. */
START_TEST(limits_have_the_largest_likelihood) {
    retc_recording *recording = make_recording();
    retc_design design = {.family = RETC_FAMILY_POISSON, .history = L, .lag = 1, .threads = 1};
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_design_spans(recording, &design, &spans, &n));
    retc_regression *regression = retc_regression_alloc(recording, &design, spans, n);
    ck_assert_msg(regression != NULL, "%s", retc_error_message());
    double mean, std, theta[N * (L + 1)] = {0}, value[N], gradient[N * (L + 1)], ridge[N] = {0};
    ck_ok(retc_recording_stimulus_norm(recording, &mean, &std));
    for (size_t j = 0; j < N; ++j) {
        double *p = theta + j * (L + 1);
        p[L - 1] = 1.2 * std, p[L - 2] = -0.6 * std, p[L] = log(20 * DT) + 0.6 * mean;
    }
    ck_ok(retc_regression_evaluate(regression, ridge, theta, value, gradient)); /* sets the drives */
    float *movie = retc_calloc(T, sizeof *movie), *counts = retc_calloc(N * T, sizeof *counts);
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, T, movie));
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, T, counts));
    for (size_t j = 0; j < N; ++j) {
        double limit, best = -HUGE_VAL, at = 0;
        ck_ok(retc_regression_limit(regression, j, &limit));
        for (double kappa = 0.1; kappa < 8; kappa *= 1.005) {
            double sum = 0;
            for (size_t t = L; t < T; ++t) {
                double m = fmin(20 * DT * exp(1.2 * (double)movie[t - 1] - 0.6 * (double)movie[t - 2]), kappa);
                sum += (double)counts[j * T + t] * log(m) - m;
            }
            if (sum > best)
                best = sum, at = kappa;
        }
        printf("cell %zu: limit %.3f, grid %.3f, planted %.3f\n", j, limit, at, HIGHEST[j] * DT);
        if (j == 0) {
            ck_assert_double_le(fabs(log(limit / at)), 0.01); /* two steps of the grid */
            /* Some 2400 frames of 0.8 spikes are above the planted one: its mean is known within 2 %. */
            ck_assert_double_le(fabs(limit / (HIGHEST[j] * DT) - 1), 0.08);
        } else {
            ck_assert_double_gt(limit, 3); /* no evidence of one: the few highest rates of all */
        }
    }
    retc_free(movie), retc_free(counts), retc_free(spans);
    retc_regression_free(regression);
    retc_recording_close(recording);
}
END_TEST

START_TEST(limits_are_fitted_and_survive_the_file) {
    retc_recording *recording = make_recording();
    retc_glm_options options = retc_glm_default();
    options.history = L, options.time_bases = 0, options.spike_history = 4, options.spike_bases = 2, options.ridge.ridge = 1e-3;
    retc_spike_filters spikes, read;
    retc_glm_report report;
    retc_network *network = retc_glm_fit(recording, &options, NULL, &spikes, &report);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert_ptr_nonnull(spikes.limit);
    ck_assert_double_gt(spikes.limit[0], 0.7 * HIGHEST[0]);
    ck_assert_double_lt(spikes.limit[0], 1.3 * HIGHEST[0]);
    const char *path = retc_test_path("limit.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_glm_write(&spikes, &report, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    ck_ok(retc_spike_filters_read(file, N, &read));
    ck_assert_mem_eq(read.limit, spikes.limit, N * sizeof(double));
    retc_h5_close(file);
    retc_spike_filters_clear(&spikes), retc_spike_filters_clear(&read), retc_glm_report_clear(&report);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A cell that excites itself would fire without end; at its limit it does not. */
START_TEST(limits_hold_simulated_trials) {
    enum { FRAMES = 200 };
    double basis[1] = {1}, history[1] = {3}, limit[1] = {60};
    const retc_spike_filters spikes = {.N = 1, .taps = 1, .bases = 1, .basis = basis, .history = history, .limit = limit};
    float drive[FRAMES], rate[FRAMES], given[FRAMES];
    double sum[FRAMES] = {0};
    retc_glm_trials report;
    for (size_t t = 0; t < FRAMES; ++t)
        drive[t] = 40, given[t] = (float)(t % 2);
    ck_ok(retc_glm_simulate(&spikes, FRAMES, drive, 0.01, 20, 5, 1, rate, &report));
    ck_assert_uint_gt(report.limited, 0);
    for (size_t t = 0; t < FRAMES; ++t)
        ck_assert(rate[t] <= 60 && rate[t] >= 40);
    report = (retc_glm_trials){0};
    retc_glm_condition(&spikes, FRAMES - 1, drive, 1, given, sum, &report);
    for (size_t t = 0; t + 1 < FRAMES; ++t)
        ck_assert_double_eq_tol(sum[t], given[t] > 0 ? 60 : 40, 1e-12);
    ck_assert_uint_eq(report.limited, FRAMES / 2 - 1);
}
END_TEST

static Suite *
limit_suite(void) {
    Suite *suite = suite_create("glm limits");
    TCase *tcase = tcase_create("limits");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, limits_have_the_largest_likelihood);
    tcase_add_test(tcase, limits_are_fitted_and_survive_the_file);
    tcase_add_test(tcase, limits_hold_simulated_trials);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(limit_suite(), NULL);
}
