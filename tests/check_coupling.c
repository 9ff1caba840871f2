/* Sparse coupling of a GLM: planted pairs of cells are found, and no others. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bases.h"
#include "coupling.h"
#include "fixtures.h"
#include "glm.h"
#include "rng.h"
#include "testing.h"

enum { T = 60000, L = 4, TAPS = 10, N = 5, PAIRS = 6 };
static const double DT = 0.01;

/* To a cell, from a cell, and how strongly. */
static const struct {
    size_t to, from;
    double strength;
} planted[PAIRS] = {{0, 1, 0.6}, {1, 0, -0.8}, {2, 4, 0.5}, {3, 2, -0.9}, {4, 3, 0.5}, {0, 3, -0.7}};

static double
planted_filter(size_t j, size_t i, size_t k) {
    if (i == j)
        return -2 * exp(-(double)k / 1.5);
    for (size_t p = 0; p < PAIRS; ++p)
        if (planted[p].to == j && planted[p].from == i)
            return planted[p].strength * exp(-(double)k / 2.5);
    return 0;
}

static int
is_planted(size_t j, size_t i) {
    return i != j && planted_filter(j, i, 0) != 0;
}

/* Cells of rates from 8 to 40 Hz on one pixel that drives all of them. */
static retc_recording *
make_recording(void) {
    float *movie = retc_fixture_movie(51, T, 1, 1), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(52, RETC_STREAM_SPIKES, 0);
    for (size_t t = L; t < T; ++t)
        for (size_t j = 0; j < N; ++j) {
            double g = log(DT * (8 + 8 * (double)j)) + (j % 2 ? -0.4 : 0.5) * (double)movie[t - 1] + 0.2 * (double)movie[t - 3];
            for (size_t i = 0; i < N; ++i)
                for (size_t k = 0; k < TAPS && k < t; ++k)
                    g += planted_filter(j, i, k) * (double)counts[i * T + t - 1 - k];
            counts[j * T + t] = (float)gsl_ran_poisson(rng, exp(g));
        }
    gsl_rng_free(rng);
    const char *path = retc_test_path("coupled.h5");
    ck_ok(retc_fixture_recording(path, T, 1, 1, movie, N, counts, 0, NULL, 1, DT));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static retc_glm_options
options_of(size_t threads) {
    retc_glm_options options = retc_glm_default();
    options.history = L, options.time_bases = 0, options.spike_history = TAPS, options.spike_bases = 5;
    options.coupling = options.sparse = 1, options.ridge.ridge = 1e-3, options.threads = threads;
    return options;
}

static double
cosine(const double *filter, size_t j, size_t i) {
    double aa = 0, bb = 0, ab = 0;
    for (size_t k = 0; k < TAPS; ++k) {
        double b = planted_filter(j, i, k);
        aa += filter[k] * filter[k], bb += b * b, ab += filter[k] * b;
    }
    return ab / sqrt(aa * bb);
}

/* Every planted pair with its filter; of the 14 others, which a fit of all pairs gives a filter too, hardly any. */
START_TEST(planted_pairs_are_recovered) {
    retc_recording *recording = make_recording();
    retc_glm_options options = options_of(2);
    retc_spike_filters spikes, again;
    retc_glm_report report, other;
    retc_network *network = retc_glm_fit(recording, &options, NULL, &spikes, &report);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert(report.solver.converged);
    size_t found = 0, wrong = 0;
    double worst = 1;
    for (size_t j = 0; j < N; ++j)
        for (size_t i = 0; i < N; ++i) {
            const double *filter = i == j ? spikes.history + j * TAPS : spikes.coupling + (j * N + i) * TAPS;
            int acts = 0;
            for (size_t k = 0; k < TAPS; ++k)
                acts |= filter[k] != 0;
            found += i != j && acts && is_planted(j, i);
            wrong += i != j && acts && !is_planted(j, i);
            if (i == j || is_planted(j, i))
                worst = fmin(worst, cosine(filter, j, i));
        }
    printf("%zu of %d pairs found, %zu others, cosine of filters at least %.3f\n", found, PAIRS, wrong, worst);
    ck_assert_uint_eq(found, PAIRS);
    ck_assert_uint_le(wrong, 1);
    ck_assert_uint_eq(report.pairs, found + wrong);
    ck_assert_double_gt(worst, 0.95);
    options.threads = 1;
    retc_network *same = retc_glm_fit(recording, &options, NULL, &again, &other);
    ck_assert_msg(same != NULL, "%s", retc_error_message());
    ck_assert_mem_eq(again.coupling, spikes.coupling, N * N * TAPS * sizeof(double));
    ck_assert_mem_eq(again.history, spikes.history, N * TAPS * sizeof(double));
    retc_network_free(network), retc_network_free(same);
    retc_spike_filters_clear(&spikes), retc_spike_filters_clear(&again);
    retc_glm_report_clear(&report), retc_glm_report_clear(&other);
    retc_recording_close(recording);
}
END_TEST

/* A design whose pairs are all left out is one without coupling: the same minimum, by the same solver's tolerance. */
START_TEST(pairs_left_out_are_not_there) {
    enum { B = 3, WITHOUT = L + B + 1, WITH = L + N * B + 1 };
    static const char none[N * N] = {0};
    retc_recording *recording = make_recording();
    double basis[B * TAPS], ridge[N], with[N * WITH], without[N * WITHOUT];
    size_t n, n_spans;
    retc_raised_cosines(B, TAPS, basis, &n);
    retc_design design = {.family = RETC_FAMILY_POISSON,
                          .history = L,
                          .lag = 1,
                          .taps = TAPS,
                          .spike_bases = B,
                          .spike_basis = basis,
                          .spike_ridge = 1e-3,
                          .threads = 2};
    retc_span *spans = NULL;
    for (size_t j = 0; j < N; ++j)
        ridge[j] = 1e-4;
    ck_ok(retc_design_spans(recording, &design, &spans, &n_spans));
    const retc_newton_options newton = {.tolerance = 1e-6, .most_steps = 30, .most_products = 200};
    for (int coupled = 0; coupled < 2; ++coupled) {
        retc_newton_report report;
        design.coupling = coupled, design.pairs = coupled ? none : NULL;
        retc_regression *regression = retc_regression_alloc(recording, &design, spans, n_spans);
        ck_assert_msg(regression != NULL, "%s", retc_error_message());
        ck_assert_uint_eq(retc_regression_parameters(regression), coupled ? WITH : WITHOUT);
        retc_regression_start(regression, coupled ? with : without);
        ck_ok(retc_regression_fit(regression, ridge, &newton, coupled ? with : without, &report));
        ck_assert(report.converged);
        retc_free(report.gradient);
        retc_regression_free(regression);
    }
    for (size_t j = 0; j < N; ++j) {
        for (size_t i = L + B; i + 1 < WITH; ++i)
            ck_assert(with[j * WITH + i] == 0);
        ck_close_double("filters", with + j * WITH, without + j * WITHOUT, L + B, 1e-4, 1e-4);
        ck_close_double("bias", with + (j + 1) * WITH - 1, without + (j + 1) * WITHOUT - 1, 1, 1e-4, 1e-4);
    }
    retc_free(spans);
    retc_recording_close(recording);
}
END_TEST

START_TEST(pieces_must_be_held_out) {
    retc_recording *recording = make_recording();
    retc_glm_options options = options_of(1);
    retc_spike_filters spikes;
    retc_glm_report report;
    options.ridge.validation = 0;
    ck_assert_ptr_null(retc_glm_fit(recording, &options, NULL, &spikes, &report));
    ck_assert_msg(strstr(retc_error_message(), "no frames are held out to choose the coupled cells by"), "%s",
                  retc_error_message());
    retc_recording_close(recording);
}
END_TEST

static Suite *
coupling_suite(void) {
    Suite *suite = suite_create("coupling");
    TCase *tcase = tcase_create("coupling");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, planted_pairs_are_recovered);
    tcase_add_test(tcase, pairs_left_out_are_not_there);
    tcase_add_test(tcase, pieces_must_be_held_out);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(coupling_suite(), NULL);
}
