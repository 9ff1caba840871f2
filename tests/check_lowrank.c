/* Stimulus filters of low rank: planted ones are recovered from less data, and their minimum is one. */
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"
#include "glm.h"
#include "lowrank.h"
#include "regression.h"
#include "rng.h"
#include "testing.h"

enum { T = 15000, L = 8, H = 6, W = 5, AREA = H * W, N = 2, RANK = 2, P = L * AREA + 1 };
static const double DT = 0.02;

/* Centre and surround with courses of their own: rank 2. */
static double
planted(size_t j, size_t k, size_t p) {
    double ago = (double)(L - 1 - k), y = (double)(p / W) - 2.5 + (double)j, x = (double)(p % W) - 2, square = x * x + y * y;
    double fast = ago * exp(-ago / 1.2), slow = 0.35 * ago * exp(-ago / 2.2);
    return (j ? -0.35 : 0.35) * (fast * exp(-square / 1.5) - slow * exp(-square / 8));
}

static retc_recording *
make_recording(void) {
    float *movie = retc_fixture_movie(71, T, H, W), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(72, RETC_STREAM_SPIKES, 0);
    for (size_t j = 0; j < N; ++j)
        for (size_t t = L; t < T; ++t) {
            double g = log(0.3);
            for (size_t k = 0; k < L; ++k)
                for (size_t p = 0; p < AREA; ++p)
                    g += planted(j, k, p) * (double)movie[(t - L + k) * AREA + p];
            counts[j * T + t] = (float)gsl_ran_poisson(rng, exp(g));
        }
    gsl_rng_free(rng);
    const char *path = retc_test_path("lowrank.h5");
    ck_ok(retc_fixture_recording(path, T, H, W, movie, N, counts, 0, NULL, 1, DT));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static retc_regression *
make_regression(retc_recording *recording, size_t threads) {
    retc_design design = {.family = RETC_FAMILY_POISSON, .history = L, .lag = 1, .smoothness = 0.5, .threads = threads};
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_design_spans(recording, &design, &spans, &n));
    retc_regression *regression = retc_regression_alloc(recording, &design, spans, n);
    ck_assert_msg(regression != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(retc_regression_parameters(regression), P);
    retc_free(spans);
    return regression;
}

/* Singular values (L) of a filter, and its singular vectors: A = u diag(s) v'. */
static void
decompose(const double *theta, gsl_matrix *v, gsl_vector *s, gsl_matrix *u) {
    gsl_vector *work = gsl_vector_alloc(L);
    gsl_matrix_const_view A = gsl_matrix_const_view_array(theta, L, AREA);
    gsl_matrix_transpose_memcpy(v, &A.matrix); /* (AREA,L): GSL wants more rows than columns */
    gsl_linalg_SV_decomp(v, u, s, work);
    gsl_vector_free(work);
}

static double
cosine(const double *theta, size_t j) {
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < L * AREA; ++i) {
        double b = planted(j, i / AREA, i % AREA);
        aa += theta[i] * theta[i], bb += b * b, ab += theta[i] * b;
    }
    return ab / sqrt(aa * bb);
}

/* Length of a gradient G along the filters of the same rank: of U U'G + G V V' - U U'G V V', U and V from the filter. */
static double
tangent_length(const double *theta, const double *gradient) {
    gsl_matrix *v = gsl_matrix_alloc(AREA, L), *u = gsl_matrix_alloc(L, L);
    gsl_vector *s = gsl_vector_alloc(L);
    double rest[L * AREA], inside = 0;
    decompose(theta, v, s, u);
    memcpy(rest, gradient, sizeof rest); /* (1 - U U') G (1 - V V') is what is left */
    for (size_t k = 0; k < RANK; ++k) {
        for (size_t p = 0; p < AREA; ++p) {
            double along = 0;
            for (size_t a = 0; a < L; ++a)
                along += gsl_matrix_get(u, a, k) * rest[a * AREA + p];
            for (size_t a = 0; a < L; ++a)
                rest[a * AREA + p] -= along * gsl_matrix_get(u, a, k);
        }
        for (size_t a = 0; a < L; ++a) {
            double along = 0;
            for (size_t p = 0; p < AREA; ++p)
                along += gsl_matrix_get(v, p, k) * rest[a * AREA + p];
            for (size_t p = 0; p < AREA; ++p)
                rest[a * AREA + p] -= along * gsl_matrix_get(v, p, k);
        }
    }
    for (size_t i = 0; i < L * AREA; ++i)
        inside += (gradient[i] - rest[i]) * (gradient[i] - rest[i]);
    gsl_matrix_free(v), gsl_matrix_free(u), gsl_vector_free(s);
    return sqrt(inside);
}

/* From the full fit: of rank 2, nearer to what was planted, and no gradient along such filters is left. */
START_TEST(planted_filters_of_low_rank_are_recovered) {
    retc_recording *recording = make_recording();
    retc_regression *regression = make_regression(recording, 2);
    const retc_newton_options newton = {.tolerance = 1e-5, .most_steps = 50, .most_products = 300};
    const double ridge[N] = {1e-2, 1e-2};
    retc_newton_report report;
    double *theta = retc_calloc(N * P, sizeof *theta), *gradient = retc_calloc(N * P, sizeof *gradient), full[N], value[N];
    retc_regression_start(regression, theta);
    ck_ok(retc_regression_fit(regression, ridge, &newton, theta, &report));
    ck_assert(report.converged);
    retc_free(report.gradient);
    for (size_t j = 0; j < N; ++j)
        full[j] = cosine(theta + j * P, j);
    ck_assert(retc_lowrank_restricts(regression, RANK) && !retc_lowrank_restricts(regression, L));
    ck_ok(retc_lowrank_fit(regression, RANK, ridge, &newton, theta, &report));
    ck_assert_msg(report.converged, "gradients %g %g after %zu steps", report.gradient[0], report.gradient[1], report.steps);
    ck_ok(retc_regression_evaluate(regression, ridge, theta, value, gradient));
    for (size_t j = 0; j < N; ++j) {
        gsl_matrix *v = gsl_matrix_alloc(AREA, L), *u = gsl_matrix_alloc(L, L);
        gsl_vector *s = gsl_vector_alloc(L);
        decompose(theta + j * P, v, s, u);
        double mean = retc_regression_mean_counts(regression)[j], low = cosine(theta + j * P, j);
        printf("cell %zu: cosine %.3f of full rank, %.3f of rank %d, %zu steps and %zu products\n", j, full[j], low, RANK,
               report.steps, report.products);
        ck_assert_double_le(gsl_vector_get(s, RANK), 1e-7 * gsl_vector_get(s, 0));
        ck_assert_double_gt(low, full[j]);
        ck_assert_double_gt(low, 0.96);
        /* Along either factor and the bias: each turn ended within the tolerance. */
        ck_assert_double_le(tangent_length(theta + j * P, gradient + j * P), 3 * newton.tolerance * mean);
        ck_assert_double_le(fabs(gradient[(j + 1) * P - 1]), 3 * newton.tolerance * mean);
        gsl_matrix_free(v), gsl_matrix_free(u), gsl_vector_free(s);
    }
    retc_free(report.gradient), retc_free(theta), retc_free(gradient);
    retc_regression_free(regression);
    retc_recording_close(recording);
}
END_TEST

/* Through the model: filters in the network have the rank, on one thread as on two. */
START_TEST(models_have_filters_of_low_rank) {
    retc_recording *recording = make_recording();
    retc_glm_options options = retc_glm_default();
    options.history = L, options.time_bases = 5, options.spike_history = 5, options.spike_bases = 2, options.ridge.ridge = 1e-2;
    options.rank = 1;
    retc_network *network[2];
    for (size_t i = 0; i < 2; ++i) {
        retc_spike_filters spikes;
        retc_glm_report report;
        options.threads = i + 1;
        network[i] = retc_glm_fit(recording, &options, NULL, &spikes, &report);
        ck_assert_msg(network[i] != NULL, "%s", retc_error_message());
        ck_assert(report.solver.converged);
        retc_spike_filters_clear(&spikes), retc_glm_report_clear(&report);
    }
    ck_assert_mem_eq(network[0]->value, network[1]->value, network[0]->values * sizeof(float));
    for (size_t j = 0; j < N; ++j) {
        const float *w = retc_network_values(network[0], network[0]->layer[0].weight) + j * L * AREA;
        size_t at = 0;
        for (size_t i = 0; i < L * AREA; ++i)
            at = fabsf(w[i]) > fabsf(w[at]) ? i : at;
        for (size_t i = 0; i < L * AREA; ++i) { /* w[k,p] w[k0,p0] = w[k,p0] w[k0,p], to the rounding of floats */
            double left = (double)w[i] * (double)w[at];
            double right = (double)w[i / AREA * AREA + at % AREA] * (double)w[at / AREA * AREA + i % AREA];
            ck_assert_double_le(fabs(left - right), 1e-6 * (double)w[at] * (double)w[at]);
        }
    }
    retc_network_free(network[0]), retc_network_free(network[1]);
    retc_recording_close(recording);
}
END_TEST

static Suite *
lowrank_suite(void) {
    Suite *suite = suite_create("low rank");
    TCase *tcase = tcase_create("low rank");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, planted_filters_of_low_rank_are_recovered);
    tcase_add_test(tcase, models_have_filters_of_low_rank);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(lowrank_suite(), NULL);
}
