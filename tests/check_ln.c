/* The linear-nonlinear model: planted filters come back, under white and under correlated stimuli, and the solver solves the
 * equations that it says it solves. */
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fixtures.h"
#include "ln.h"
#include "predict.h"
#include "rng.h"
#include "testing.h"

enum { L = 6, H = 5, W = 4, AREA = H * W, J = L * AREA, N = 2 };

/* ---- planted cells --------------------------------------------------------------------------------------------------- */

/* A difference of two bumps in time times a bump in space, oldest frame first. */
static void
plant(size_t cell, double *w) {
    for (size_t k = 0; k < L; ++k)
        for (size_t p = 0; p < AREA; ++p) {
            double ago = (double)(L - 1 - k), y = (double)(p / W) - 1.5 - (double)cell, x = (double)(p % W) - 2 + (double)cell;
            w[k * AREA + p] = (exp(-ago * ago / 2) - 0.6 * exp(-(ago - 3) * (ago - 3) / 2)) * exp(-(x * x + y * y) / 2);
        }
}

/* Along time, rows and columns in turn x[i] = a x[i-1] + sqrt(1 - a^2) e[i]: unit variance, covariance a^(|dt|+|dy|+|dx|). */
static void
correlate(float *movie, size_t T, double a) {
    const size_t stride[3] = {AREA, W, 1}, length[3] = {T, H, W};
    for (int axis = 0; axis < 3; ++axis)
        for (size_t i = 0; i < T * AREA; ++i)
            if (i / stride[axis] % length[axis])
                movie[i] = (float)(a * (double)movie[i - stride[axis]] + sqrt(1 - a * a) * (double)movie[i]);
}

/* Filtered stimulus of every cell in frame t of the movie (lag 1), scaled so that it has about unit variance. */
static double
drive(const float *movie, const double *w, size_t t, double scale) {
    double sum = 0;
    for (size_t i = 0; i < J; ++i)
        sum += w[i] * (double)movie[(t - L) * AREA + i];
    return scale * sum;
}

static double
deviation(const float *movie, const double *w, size_t T) {
    double squares = 0;
    for (size_t t = L; t < T; ++t)
        squares += drive(movie, w, t, 1) * drive(movie, w, t, 1);
    return sqrt(squares / (double)(T - L));
}

static retc_recording *
planted_recording(const char *name, size_t T, double a) {
    float *movie = retc_fixture_movie(3, T, H, W), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(4, RETC_STREAM_SPIKES, 0);
    double w[J];
    correlate(movie, T, a);
    for (size_t n = 0; n < N; ++n) {
        plant(n, w);
        double scale = 1 / deviation(movie, w, T);
        for (size_t t = L; t < T; ++t)
            counts[n * T + t] = (float)gsl_ran_poisson(rng, log1p(exp(2 * drive(movie, w, t, scale) - 1)));
    }
    gsl_rng_free(rng);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, T, H, W, movie, N, counts, 0, NULL, 2, 0.02));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static double
cosine(const float *a, const double *b, size_t n) {
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; ++i)
        aa += (double)a[i] * (double)a[i], bb += b[i] * b[i], ab += (double)a[i] * b[i];
    return ab / sqrt(aa * bb);
}

static retc_network *
fit(retc_recording *recording, retc_ln_filter filter, size_t threads) {
    retc_ln_options options = retc_ln_default();
    retc_ln_report report;
    options.history = L, options.filter = filter, options.threads = threads;
    retc_network *network = retc_ln_fit_with(recording, &options, NULL, &report);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert(filter == RETC_LN_STA || report.solver.converged);
    retc_ln_report_clear(&report);
    return network;
}

/* Correlation of the worst cell's filter with the planted one. */
static double
recovered(const retc_network *network) {
    double w[J], least = 1;
    for (size_t n = 0; n < N; ++n) {
        plant(n, w);
        least = fmin(least, cosine(retc_network_values_const(network, network->layer[0].weight) + n * J, w, J));
    }
    return least;
}

START_TEST(planted_filters_are_recovered_under_white_noise) {
    retc_recording *recording = planted_recording("white.h5", 20000, 0);
    retc_network *ridge = fit(recording, RETC_LN_RIDGE, 0), *sta = fit(recording, RETC_LN_STA, 0);
    ck_assert_msg(recovered(ridge) > 0.98, "ridge %g", recovered(ridge));
    ck_assert_msg(recovered(ridge) > recovered(sta) - 0.002, "ridge %g, STA %g", recovered(ridge), recovered(sta));
    retc_network_free(ridge), retc_network_free(sta);
    retc_recording_close(recording);
}
END_TEST

/* Where the average is blurred by what the stimulus does by itself, the corrected filter is not. */
START_TEST(planted_filters_are_recovered_under_correlated_movies) {
    retc_recording *recording = planted_recording("correlated.h5", 40000, 0.7);
    retc_network *ridge = fit(recording, RETC_LN_RIDGE, 0), *sta = fit(recording, RETC_LN_STA, 0);
    retc_prediction by_ridge, by_sta;
    ck_assert_msg(recovered(ridge) > 0.98, "ridge %g", recovered(ridge));
    ck_assert_msg(recovered(sta) < 0.9, "STA %g", recovered(sta));
    ck_ok(retc_predict(ridge, recording, RETC_TEST, 0, NULL, &by_ridge));
    ck_ok(retc_predict(sta, recording, RETC_TEST, 0, NULL, &by_sta));
    for (size_t n = 0; n < N; ++n)
        ck_assert_msg(by_ridge.pearson[n] > by_sta.pearson[n], "cell %zu: ridge %g, STA %g", n, by_ridge.pearson[n],
                      by_sta.pearson[n]);
    retc_prediction_clear(&by_ridge), retc_prediction_clear(&by_sta);
    retc_network_free(ridge), retc_network_free(sta);
    retc_recording_close(recording);
}
END_TEST

START_TEST(filters_do_not_depend_on_the_number_of_threads) {
    retc_recording *recording = planted_recording("threads.h5", 3000, 0.6);
    retc_network *one = fit(recording, RETC_LN_RIDGE, 1), *three = fit(recording, RETC_LN_RIDGE, 3);
    ck_assert_int_eq(memcmp(one->value, three->value, one->values * sizeof(float)), 0);
    retc_network_free(one), retc_network_free(three);
    retc_recording_close(recording);
}
END_TEST

/* ---- the equations --------------------------------------------------------------------------------------------------- */

/* Normal equations of windows, pixels and bias in plain loops, with the penalty from its definition, solved by Cholesky. */
static void
solve_directly(retc_recording *recording, double ridge, double smoothness, size_t cell, double *solution) {
    enum { P = J + 1 };
    size_t T = retc_recording_frames(recording, RETC_TRAIN), n_spans, windows = 0;
    double mean, std, *A = retc_calloc(P * P, sizeof *A), *b = retc_calloc(P, sizeof *b), x[P];
    float *movie = retc_calloc(T * AREA, sizeof *movie), *counts = retc_calloc(N * T, sizeof *counts);
    retc_span *spans;
    ck_ok(retc_recording_stimulus_norm(recording, &mean, &std));
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, T, movie));
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, T, counts));
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, L, 1, &spans, &n_spans));
    for (size_t s = 0; s < n_spans; windows += spans[s++].count)
        for (size_t t = spans[s].first; t < spans[s].first + spans[s].count; ++t) {
            for (size_t i = 0; i < J; ++i)
                x[i] = ((double)movie[(t - L) * AREA + i] - mean) / std;
            x[J] = 1;
            for (size_t i = 0; i < P; ++i) {
                b[i] += x[i] * (double)counts[cell * T + t];
                for (size_t k = 0; k < P; ++k)
                    A[i * P + k] += x[i] * x[k];
            }
        }
    for (size_t i = 0; i < P; ++i) {
        b[i] /= (double)windows;
        for (size_t k = 0; k < P; ++k)
            A[i * P + k] /= (double)windows;
    }
    const size_t stride[3] = {AREA, W, 1}, length[3] = {L, H, W};
    for (size_t i = 0; i < J; ++i) {
        A[i * P + i] += ridge;
        for (int d = 0; d < 3; ++d)
            if (i / stride[d] % length[d] + 1 < length[d]) {
                size_t k = i + stride[d];
                A[i * P + i] += ridge * smoothness, A[k * P + k] += ridge * smoothness;
                A[i * P + k] -= ridge * smoothness, A[k * P + i] -= ridge * smoothness;
            }
    }
    gsl_matrix_view matrix = gsl_matrix_view_array(A, P, P);
    gsl_vector_view right = gsl_vector_view_array(b, P);
    ck_assert_int_eq(gsl_linalg_cholesky_decomp1(&matrix.matrix), 0);
    gsl_linalg_cholesky_svx(&matrix.matrix, &right.vector);
    memcpy(solution, b, P * sizeof *b);
    retc_free(A), retc_free(b), retc_free(movie), retc_free(counts), retc_free(spans);
}

START_TEST(solver_solves_the_normal_equations) {
    const double ridge = 0.237, smoothness = _i ? 1.7 : 0, ridges[N] = {ridge, ridge};
    retc_recording *recording = planted_recording("normal.h5", 900, 0.6);
    retc_design design = {.family = RETC_FAMILY_GAUSSIAN, .history = L, .lag = 1, .smoothness = smoothness, .threads = 2};
    retc_newton_options options = {.tolerance = 1e-6, .most_steps = 6, .most_products = 500};
    retc_newton_report report;
    retc_span *spans;
    size_t n_spans;
    ck_ok(retc_design_spans(recording, &design, &spans, &n_spans));
    retc_regression *regression = retc_regression_alloc(recording, &design, spans, n_spans);
    ck_assert_msg(regression != NULL, "%s", retc_error_message());
    size_t P = retc_regression_parameters(regression);
    ck_assert_uint_eq(P, J + 1);
    double *theta = retc_calloc(N * P, sizeof *theta), *expected = retc_calloc(P, sizeof *expected);
    retc_regression_start(regression, theta);
    ck_ok(retc_regression_fit(regression, ridges, &options, theta, &report));
    ck_assert_msg(report.converged, "gradient %g", report.gradient[0]);
    for (size_t n = 0; n < N; ++n) {
        solve_directly(recording, ridge, smoothness, n, expected);
        /* A gradient of 1e-6 times the mean count moves the solution by at most that over the least eigenvalue, `ridge`: 1e-5
         * of values near 0.5; sums in float add as much. */
        ck_close_double("solution", theta + n * P, expected, P, 0, 3e-5);
    }
    retc_free(theta), retc_free(expected), retc_free(report.gradient), retc_free(spans);
    retc_regression_free(regression);
    retc_recording_close(recording);
}
END_TEST

/* ---- what cannot be fitted ------------------------------------------------------------------------------------------- */

START_TEST(what_cannot_be_fitted_is_named) {
    retc_recording *recording = planted_recording("few.h5", 120, 0);
    retc_ln_options options = retc_ln_default();
    retc_ln_report report;
    options.history = L, options.ridge.ridge = 0;
    ck_assert_ptr_null(retc_ln_fit_with(recording, &options, NULL, &report)); /* 108 windows, 121 parameters */
    ck_assert_msg(strstr(retc_error_message(), "cannot determine"), "%s", retc_error_message());
    options.ridge.ridge = -1, options.ridge.validation = 0;
    ck_assert_ptr_null(retc_ln_fit_with(recording, &options, NULL, &report));
    ck_assert_msg(strstr(retc_error_message(), "held out"), "%s", retc_error_message());
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("ln");
    TCase *cases = tcase_create("recovery");
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, planted_filters_are_recovered_under_white_noise);
    tcase_add_test(cases, planted_filters_are_recovered_under_correlated_movies);
    tcase_add_test(cases, filters_do_not_depend_on_the_number_of_threads);
    tcase_add_loop_test(cases, solver_solves_the_normal_equations, 0, 2);
    tcase_add_test(cases, what_cannot_be_fitted_is_named);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
