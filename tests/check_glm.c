/* The generalised linear model: its likelihood, its solver, planted filters, and trials simulated from it. */
#include <gsl/gsl_multimin.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bases.h"
#include "fixtures.h"
#include "glm.h"
#include "glm_simulate.h"
#include "predict_spikes.h"
#include "rng.h"
#include "testing.h"

/* ---- bases ----------------------------------------------------------------------------------------------------------- */

START_TEST(raised_cosines_are_their_formula) {
    double basis[30 * 30];
    size_t n;
    retc_raised_cosines(5, 30, basis, &n);
    ck_assert_uint_eq(n, 5);
    double a = 4 * M_PI_2 / log(30.0);
    for (size_t i = 0; i < 5; ++i)
        for (size_t k = 0; k < 30; ++k) {
            double phase = fmax(-M_PI, fmin(M_PI, a * log(1.0 + (double)k) - (double)i * M_PI_2));
            ck_assert_double_eq_tol(basis[i * 30 + k], (cos(phase) + 1) / 2, 1e-14);
        }
    retc_raised_cosines(40, 30, basis, &n);
    ck_assert_uint_eq(n, 30);
    double small[9];
    retc_raised_cosines(5, 3, small, &n);
    ck_assert_uint_eq(n, 3);
    for (size_t i = 0; i < 9; ++i)
        ck_assert_double_eq(small[i], i % 4 ? 0.0 : 1.0);
}
END_TEST

START_TEST(orthonormal_rows_span_the_same) {
    double basis[5 * 30], product[25], identity[25] = {0};
    size_t n;
    retc_raised_cosines(5, 30, basis, &n);
    ck_ok(retc_orthonormalise(5, 30, basis));
    for (size_t i = 0; i < 25; ++i) {
        product[i] = 0, identity[i] = i % 6 ? 0 : 1;
        for (size_t k = 0; k < 30; ++k)
            product[i] += basis[i / 5 * 30 + k] * basis[i % 5 * 30 + k];
    }
    ck_close_double("rows", product, identity, 25, 1e-14, 0);
    double same[6] = {1, 2, 3, 2, 4, 6};
    ck_fails(retc_orthonormalise(2, 3, same), "depend on each other");
}
END_TEST

/* ---- a small model with everything in it ----------------------------------------------------------------------------- */

enum { L = 4, H = 4, W = 3, AREA = H * W, N = 3, TAPS = 6, SPIKE_BASES = 2, TIME_BASES = 3, ROWS = 2, COLUMNS = 3 };

typedef struct {
    retc_recording *recording;
    retc_design design;
    retc_regression *regression;
    double basis[TIME_BASES * L], spike_basis[SPIKE_BASES * TAPS];
    size_t corner[2 * N], P, T, n_spans;
    retc_span *spans;
    float *movie, *counts;
    double mean, std;
} small;

static void
small_open(small *s, size_t T) {
    gsl_rng *rng = retc_rng_alloc(8, RETC_STREAM_SPIKES, 0);
    size_t n;
    s->T = T, s->movie = retc_fixture_movie(7, T, H, W), s->counts = retc_calloc(N * T, sizeof(float));
    for (size_t i = 0; i < N * T; ++i)
        s->counts[i] = (float)gsl_ran_poisson(rng, 0.3 + 0.2 * (double)(s->movie[i % T * AREA] > 0));
    gsl_rng_free(rng);
    ck_ok(retc_fixture_recording(retc_test_path("small.h5"), T, H, W, s->movie, N, s->counts, 0, NULL, 2, 0.02));
    s->recording = retc_recording_open(retc_test_path("small.h5"), 0);
    ck_assert_msg(s->recording != NULL, "%s", retc_error_message());
    ck_ok(retc_recording_stimulus_norm(s->recording, &s->mean, &s->std));
    retc_raised_cosines(TIME_BASES, L, s->basis, &n);
    ck_ok(retc_orthonormalise(TIME_BASES, L, s->basis));
    retc_raised_cosines(SPIKE_BASES, TAPS, s->spike_basis, &n);
    for (size_t j = 0; j < N; ++j)
        s->corner[2 * j] = j, s->corner[2 * j + 1] = 0;
    s->design = (retc_design){.family = RETC_FAMILY_POISSON,
                              .history = L,
                              .lag = 1,
                              .bases = TIME_BASES,
                              .basis = s->basis,
                              .rows = ROWS,
                              .columns = COLUMNS,
                              .corner = s->corner,
                              .taps = TAPS,
                              .spike_bases = SPIKE_BASES,
                              .spike_basis = s->spike_basis,
                              .coupling = 1,
                              .smoothness = 0.7,
                              .spike_ridge = 0.05,
                              .threads = 2};
    ck_ok(retc_design_spans(s->recording, &s->design, &s->spans, &s->n_spans));
    ck_assert_uint_eq(s->spans[0].first, TAPS); /* spikes reach further back than the stimulus */
    s->regression = retc_regression_alloc(s->recording, &s->design, s->spans, s->n_spans);
    ck_assert_msg(s->regression != NULL, "%s", retc_error_message());
    s->P = retc_regression_parameters(s->regression);
    ck_assert_uint_eq(s->P, TIME_BASES * ROWS * COLUMNS + N * SPIKE_BASES + 1);
}

static void
small_close(small *s) {
    retc_regression_free(s->regression);
    retc_recording_close(s->recording);
    retc_free(s->spans), retc_free(s->movie), retc_free(s->counts);
}

/* The drive of cell j in frame t by the formula of regression.h. */
static double
drive(const small *s, const double *theta, size_t j, size_t t) {
    double g = theta[s->P - 1];
    const double *a = theta + TIME_BASES * ROWS * COLUMNS;
    for (size_t b = 0; b < TIME_BASES; ++b)
        for (size_t p = 0; p < ROWS * COLUMNS; ++p)
            for (size_t k = 0; k < L; ++k) {
                size_t pixel = (s->corner[2 * j] + p / COLUMNS) * W + p % COLUMNS;
                g += theta[b * ROWS * COLUMNS + p] * s->basis[b * L + k] *
                     ((double)s->movie[(t - L + k) * AREA + pixel] - s->mean) / s->std;
            }
    for (size_t m = 0; m < N; ++m) { /* own filter first, then the others in order */
        size_t i = m == 0 ? j : m <= j ? m - 1 : m;
        for (size_t b = 0; b < SPIKE_BASES; ++b)
            for (size_t k = 0; k < TAPS; ++k)
                g += a[m * SPIKE_BASES + b] * s->spike_basis[b * TAPS + k] * (double)s->counts[i * s->T + t - 1 - k];
    }
    return g;
}

/* What is minimised, in plain loops and double. */
static double
objective(const small *s, const double *theta, size_t j, double ridge) {
    double sum = 0, penalty = 0, w[L][ROWS][COLUMNS] = {{{0}}};
    size_t windows = 0;
    for (size_t i = 0; i < s->n_spans; windows += s->spans[i++].count)
        for (size_t t = s->spans[i].first; t < s->spans[i].first + s->spans[i].count; ++t) {
            double g = drive(s, theta, j, t);
            sum += exp(g) - (double)s->counts[j * s->T + t] * g;
        }
    for (size_t k = 0; k < L; ++k)
        for (size_t y = 0; y < ROWS; ++y)
            for (size_t x = 0; x < COLUMNS; ++x)
                for (size_t b = 0; b < TIME_BASES; ++b)
                    w[k][y][x] += theta[(b * ROWS + y) * COLUMNS + x] * s->basis[b * L + k];
    for (size_t k = 0; k < L; ++k)
        for (size_t y = 0; y < ROWS; ++y)
            for (size_t x = 0; x < COLUMNS; ++x) {
                penalty += ridge * w[k][y][x] * w[k][y][x];
                penalty += k + 1 < L ? ridge * 0.7 * pow(w[k + 1][y][x] - w[k][y][x], 2) : 0;
                penalty += y + 1 < ROWS ? ridge * 0.7 * pow(w[k][y + 1][x] - w[k][y][x], 2) : 0;
                penalty += x + 1 < COLUMNS ? ridge * 0.7 * pow(w[k][y][x + 1] - w[k][y][x], 2) : 0;
            }
    for (size_t i = 0; i < N * SPIKE_BASES; ++i)
        penalty += 0.05 * pow(theta[TIME_BASES * ROWS * COLUMNS + i], 2);
    return sum / (double)windows + penalty / 2;
}

START_TEST(likelihood_gradient_equals_finite_differences) {
    small s = {0};
    small_open(&s, 700);
    const double ridge[N] = {0.3, 0.1, 0.7};
    double *theta = retc_calloc(N * s.P, sizeof *theta), *gradient = retc_calloc(N * s.P, sizeof *gradient);
    double *slope = retc_calloc(N * s.P, sizeof *slope), value[N];
    gsl_rng *rng = retc_rng_alloc(9, RETC_STREAM_WEIGHTS, 0);
    for (size_t i = 0; i < N * s.P; ++i)
        theta[i] = gsl_ran_gaussian(rng, 0.2);
    gsl_rng_free(rng);
    ck_ok(retc_regression_evaluate(s.regression, ridge, theta, value, gradient));
    for (size_t j = 0; j < N; ++j) {
        double expected = objective(&s, theta + j * s.P, j, ridge[j]);
        ck_assert_msg(fabs(value[j] - expected) < 1e-6 * fabs(expected), "value %.9g, expected %.9g", value[j], expected);
        for (size_t i = 0; i < s.P; ++i) {
            double *x = &theta[j * s.P + i], centre = *x, side[2];
            for (int k = 0; k < 2; ++k) {
                *x = centre + (k ? 1e-5 : -1e-5);
                side[k] = objective(&s, theta + j * s.P, j, ridge[j]);
            }
            *x = centre;
            slope[j * s.P + i] = (side[1] - side[0]) / 2e-5;
        }
    }
    /* float sums over blocks of 256 frames: some 1e-6 of the largest */
    ck_close_double("gradient", gradient, slope, N * s.P, 1e-7, 1e-5);
    retc_free(theta), retc_free(gradient), retc_free(slope);
    small_close(&s);
}
END_TEST

/* ---- the solver beside another one ----------------------------------------------------------------------------------- */

typedef struct {
    const small *s;
    size_t j;
    double ridge;
} other_problem;

static double
other_value(const gsl_vector *x, void *context) {
    const other_problem *o = context;
    return objective(o->s, x->data, o->j, o->ridge);
}

static void
other_gradient(const gsl_vector *x, void *context, gsl_vector *g) {
    const other_problem *o = context;
    double *theta = retc_calloc(o->s->P, sizeof *theta);
    memcpy(theta, x->data, o->s->P * sizeof *theta);
    for (size_t i = 0; i < o->s->P; ++i) {
        double centre = theta[i];
        theta[i] = centre + 1e-5;
        double up = objective(o->s, theta, o->j, o->ridge);
        theta[i] = centre - 1e-5;
        gsl_vector_set(g, i, (up - objective(o->s, theta, o->j, o->ridge)) / 2e-5);
        theta[i] = centre;
    }
    retc_free(theta);
}

static void
other_both(const gsl_vector *x, void *context, double *value, gsl_vector *g) {
    *value = other_value(x, context);
    other_gradient(x, context, g);
}

/* BFGS of GSL on differences of the plain objective, from zero. */
static void
minimise_otherwise(const small *s, size_t j, double ridge, double *theta) {
    other_problem problem = {s, j, ridge};
    gsl_multimin_function_fdf f = {other_value, other_gradient, other_both, s->P, &problem};
    gsl_multimin_fdfminimizer *m = gsl_multimin_fdfminimizer_alloc(gsl_multimin_fdfminimizer_vector_bfgs2, s->P);
    gsl_vector *start = gsl_vector_calloc(s->P);
    gsl_multimin_fdfminimizer_set(m, &f, start, 0.1, 0.1);
    for (int i = 0; i < 200 && gsl_multimin_fdfminimizer_iterate(m) == 0; ++i)
        if (gsl_multimin_test_gradient(m->gradient, 1e-6) == 0)
            break;
    memcpy(theta, m->x->data, s->P * sizeof *theta);
    gsl_vector_free(start);
    gsl_multimin_fdfminimizer_free(m);
}

START_TEST(minimum_is_that_of_another_solver) {
    small s = {0};
    small_open(&s, 400);
    const double ridge[N] = {0.05, 0.1, 0.02};
    const retc_newton_options options = {.tolerance = 1e-6, .most_steps = 30, .most_products = 200};
    retc_newton_report report;
    double *theta = retc_calloc(N * s.P, sizeof *theta), *other = retc_calloc(s.P, sizeof *other);
    retc_regression_start(s.regression, theta);
    ck_ok(retc_regression_fit(s.regression, ridge, &options, theta, &report));
    ck_assert_msg(report.converged, "gradients %g %g %g after %zu steps", report.gradient[0], report.gradient[1],
                  report.gradient[2], report.steps);
    ck_assert_uint_le(report.steps, 10); /* Newton: few steps */
    minimise_otherwise(&s, 1, ridge[1], other);
    /* Gradients of 1e-6 over the least curvature, 0.05, on either side. */
    ck_close_double("minimum", theta + s.P, other, s.P, 5e-5, 1e-5);
    retc_free(theta), retc_free(other), retc_free(report.gradient);
    small_close(&s);
}
END_TEST

/* ---- planted models -------------------------------------------------------------------------------------------------- */

enum { PLANTED_T = 40000, PLANTED_L = 8, PLANTED_TAPS = 12, PLANTED_N = 2 };

/* Stimulus filter (PLANTED_L,2,2), spike filters with refractoriness and rebound, one cell exciting, one inhibiting. */
static double
planted_stimulus(size_t j, size_t k, size_t p) {
    double ago = (double)(PLANTED_L - 1 - k);
    return (j ? -0.5 : 0.6) * exp(-ago / 2) * cos(ago / 1.5) * (p == j ? 1 : 0.3);
}

static double
planted_spikes(size_t j, size_t i, size_t k) {
    if (i == j)
        return -2.5 * exp(-(double)k / 1.2) + 0.4 * exp(-pow((double)k - 5, 2) / 6);
    return (j ? 0.3 : -0.6) * exp(-(double)k / 2);
}

static retc_recording *
planted_glm(const char *name) {
    enum { T = PLANTED_T };
    float *movie = retc_fixture_movie(21, T, 2, 2), *counts = retc_calloc(PLANTED_N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(22, RETC_STREAM_SPIKES, 0);
    for (size_t t = 0; t < T; ++t)
        for (size_t j = 0; j < PLANTED_N; ++j) {
            double g = -1.2;
            for (size_t k = 0; k < PLANTED_L && t >= PLANTED_L; ++k)
                for (size_t p = 0; p < 4; ++p)
                    g += planted_stimulus(j, k, p) * (double)movie[(t - PLANTED_L + k) * 4 + p];
            for (size_t i = 0; i < PLANTED_N; ++i)
                for (size_t k = 0; k < PLANTED_TAPS && k < t; ++k)
                    g += planted_spikes(j, i, k) * (double)counts[i * T + t - 1 - k];
            counts[j * T + t] = (float)gsl_ran_poisson(rng, exp(g));
        }
    gsl_rng_free(rng);
    ck_ok(retc_fixture_recording(retc_test_path(name), T, 2, 2, movie, PLANTED_N, counts, 0, NULL, 1, 0.01));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(retc_test_path(name), 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static double
cosine(const double *a, const double *b, size_t n) {
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; ++i)
        aa += a[i] * a[i], bb += b[i] * b[i], ab += a[i] * b[i];
    return ab / sqrt(aa * bb);
}

static retc_glm_options
planted_options(void) {
    retc_glm_options options = retc_glm_default();
    options.history = PLANTED_L, options.time_bases = 0, options.spike_history = PLANTED_TAPS, options.spike_bases = 8;
    options.coupling = 1;
    return options;
}

START_TEST(planted_models_are_recovered) {
    retc_recording *recording = planted_glm("planted.h5");
    retc_glm_options options = planted_options();
    retc_spike_filters spikes;
    retc_glm_report report;
    retc_network *network = retc_glm_fit(recording, &options, NULL, &spikes, &report);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert(report.solver.converged);
    const float *w = retc_network_values_const(network, network->layer[0].weight);
    for (size_t j = 0; j < PLANTED_N; ++j) {
        double found[PLANTED_L * 4], planted[PLANTED_L * 4];
        ck_assert_msg(report.solver.gradient[j] <= options.ridge.newton.tolerance, "gradient %g", report.solver.gradient[j]);
        for (size_t i = 0; i < PLANTED_L * 4; ++i)
            found[i] = (double)w[j * PLANTED_L * 4 + i], planted[i] = planted_stimulus(j, i / 4, i % 4);
        ck_assert_msg(cosine(found, planted, PLANTED_L * 4) > 0.99, "stimulus filter of %zu: %g", j,
                      cosine(found, planted, PLANTED_L * 4));
        for (size_t i = 0; i < PLANTED_N; ++i) {
            const double *filter =
                i == j ? spikes.history + j * PLANTED_TAPS : spikes.coupling + (j * PLANTED_N + i) * PLANTED_TAPS;
            for (size_t k = 0; k < PLANTED_TAPS; ++k)
                planted[k] = planted_spikes(j, i, k);
            ck_assert_msg(cosine(filter, planted, PLANTED_TAPS) > 0.95, "spike filter to %zu from %zu: %g", j, i,
                          cosine(filter, planted, PLANTED_TAPS));
        }
        double bias = (double)retc_network_values_const(network, network->layer[0].bias)[j];
        /* 10 000 spikes fix the level within 0.01, and what filters leave unexplained moves it a few times that. */
        ck_assert_msg(fabs(bias + 1.2) < 0.06, "bias %g", bias);
    }
    retc_network_free(network);
    retc_spike_filters_clear(&spikes), retc_glm_report_clear(&report);
    retc_recording_close(recording);
}
END_TEST

/* A neighbourhood of one pixel is the one where the planted filter is largest; the others stay 0. */
START_TEST(neighbourhoods_lie_around_the_peak) {
    retc_recording *recording = planted_glm("near.h5");
    retc_glm_options options = planted_options();
    retc_spike_filters spikes;
    retc_glm_report report;
    options.neighbourhood = 1, options.coupling = 0, options.spike_history = 0, options.ridge.ridge = 0.01;
    retc_network *network = retc_glm_fit(recording, &options, NULL, &spikes, &report);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(report.parameters, PLANTED_L + 1);
    ck_assert_uint_eq(spikes.taps, 0);
    const float *w = retc_network_values_const(network, network->layer[0].weight);
    for (size_t i = 0; i < PLANTED_N * PLANTED_L * 4; ++i)
        ck_assert_int_eq(w[i] != 0, i % 4 == i / (PLANTED_L * 4)); /* pixel j of cell j */
    retc_network_free(network);
    retc_glm_report_clear(&report);
    retc_recording_close(recording);
}
END_TEST

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

/* One cell, one tap h: Poisson counts c with mean m = rate dt give E[exp(h c)] = exp(m (e^h - 1)) in the next frame. */
START_TEST(simulated_rates_have_their_closed_form) {
    enum { T = 2, TRIALS = 40000 };
    double basis[1] = {1}, history[1] = {_i ? 0.3 : -1.5};
    retc_spike_filters spikes = {.N = 1, .taps = 1, .bases = 1, .basis = basis, .history = history};
    const float drive[T] = {50, 80};
    float one[T], three[T];
    retc_glm_trials report;
    ck_ok(retc_glm_simulate(&spikes, T, drive, 0.01, TRIALS, 5, 1, one, &report));
    ck_ok(retc_glm_simulate(&spikes, T, drive, 0.01, TRIALS, 5, 3, three, &report));
    ck_assert_int_eq(memcmp(one, three, sizeof one), 0);
    ck_assert_uint_eq(report.limited, 0);
    double m = 0.5, mean = 80 * exp(m * expm1(history[0])), square = 6400 * exp(m * expm1(2 * history[0]));
    double error = sqrt((square - mean * mean) / TRIALS);
    ck_assert_double_eq_tol((double)one[0], 50, 1e-4);
    ck_assert_msg(fabs((double)one[1] - mean) < 4 * error, "%g, expected %g within %g", (double)one[1], mean, 4 * error);
}
END_TEST

START_TEST(runaway_is_held_and_told) {
    enum { T = 200 };
    double basis[1] = {1}, history[1] = {3};
    retc_spike_filters spikes = {.N = 1, .taps = 1, .bases = 1, .basis = basis, .history = history};
    float drive[T], rate[T];
    retc_glm_trials report;
    for (size_t t = 0; t < T; ++t)
        drive[t] = 40;
    ck_ok(retc_glm_simulate(&spikes, T, drive, 0.01, 20, 5, 1, rate, &report));
    ck_assert_uint_gt(report.limited, 0);
    for (size_t t = 0; t < T; ++t)
        ck_assert(rate[t] <= 1000 && rate[t] >= 40);
    ck_assert_double_eq_tol(report.limited_share, (double)report.limited / (20 * T), 1e-12);
}
END_TEST

/* Two cells, two repeats, against the formula of glm.h. */
START_TEST(recorded_spikes_give_the_formula) {
    enum { T = 60, SEEN = 3 };
    double basis[4] = {1, 0, 0, 1}, history[4] = {-1, 0.3, -0.7, 0.1}, coupling[8] = {0, 0, 0.4, -0.2, 0.6, 0.2, 0, 0};
    retc_spike_filters spikes = {.N = 2, .taps = 2, .bases = 2, .basis = basis, .history = history, .coupling = coupling};
    float *movie = retc_fixture_movie(31, T, 1, 1), counts[2 * T], repeats[4 * T];
    gsl_rng *rng = retc_rng_alloc(32, RETC_STREAM_SPIKES, 0);
    for (size_t i = 0; i < 4 * T; ++i)
        repeats[i] = (float)gsl_ran_poisson(rng, 0.5);
    gsl_rng_free(rng);
    memcpy(counts, repeats, sizeof counts);
    ck_ok(retc_fixture_recording(retc_test_path("given.h5"), T, 1, 1, movie, 2, counts, 2, repeats, 1, 0.02));
    retc_recording *recording = retc_recording_open(retc_test_path("given.h5"), 0);
    retc_network *network = retc_network_alloc("glm", SEEN, 1, 1, 2);
    ck_ok(retc_network_add_conv(network, 2, 0, 0, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_EXP));
    ck_ok(retc_network_finish(network));
    network->stimulus_std = 1;
    for (size_t i = 0; i < network->values; ++i)
        network->value[i] = 0.1f * (float)(i + 1);
    retc_prediction plain, given;
    retc_spike_prediction options = {.recorded = 1, .trials = 1};
    retc_glm_trials report;
    ck_ok(retc_predict(network, recording, RETC_TEST, 1, NULL, &plain));
    ck_ok(retc_predict(network, recording, RETC_TEST, 1, NULL, &given));
    ck_ok(retc_predict_spikes(network, &spikes, recording, RETC_TEST, &options, &given, &report));
    ck_assert_uint_eq(report.trials, 2);
    for (size_t j = 0; j < 2; ++j)
        for (size_t i = 0; i < given.T; ++i) {
            double sum = 0;
            for (size_t r = 0; r < 2; ++r) {
                double g = 0;
                for (size_t k = 0; k < 2; ++k) {
                    size_t t = given.frame[i] - 1 - k;
                    g += history[2 * j + k] * (double)repeats[(j * 2 + r) * T + t];
                    g += coupling[(j * 2 + 1 - j) * 2 + k] * (double)repeats[((1 - j) * 2 + r) * T + t];
                }
                sum += (double)plain.rate[j * plain.T + i] * exp(g) / 2;
            }
            ck_assert_double_eq_tol((double)given.rate[j * given.T + i], sum, 1e-5 * sum);
        }
    retc_prediction_clear(&plain), retc_prediction_clear(&given);
    retc_network_free(network), retc_free(movie);
    retc_recording_close(recording);
}
END_TEST

/* ---- files and refusals ---------------------------------------------------------------------------------------------- */

START_TEST(spike_filters_survive_the_file) {
    double basis[4] = {1, 0.5, 0, 1}, history[4] = {-1.25, 0.3, -0.7, 0.1}, coupling[8] = {0, 0, 0.4, -0.2, 0.6, 0.2, 0, 0};
    double ridge[2] = {0.1, 0.2}, gradient[2] = {1e-6, 2e-6};
    const retc_spike_filters spikes = {.N = 2, .taps = 2, .bases = 2, .basis = basis, .history = history, .coupling = coupling};
    const retc_glm_report report = {7, 100, ridge, 2, {3, 20, gradient, 1}};
    const char *path = retc_test_path("filters.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_glm_write(&spikes, &report, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_spike_filters read;
    file = retc_h5_open(path);
    ck_ok(retc_spike_filters_read(file, 2, &read));
    ck_assert(read.N == 2 && read.taps == 2 && read.bases == 2);
    ck_assert_mem_eq(read.history, history, sizeof history);
    ck_assert_mem_eq(read.coupling, coupling, sizeof coupling);
    ck_assert_mem_eq(read.basis, basis, sizeof basis);
    retc_spike_filters_clear(&read);
    ck_fails(retc_spike_filters_read(file, 3, &read), "expected (3,2)");
    retc_h5_close(file);
}
END_TEST

START_TEST(what_cannot_be_fitted_is_named) {
    small s = {0};
    small_open(&s, 60);
    retc_glm_options options = retc_glm_default();
    retc_spike_filters spikes;
    retc_glm_report report;
    options.history = L, options.ridge.ridge = 0;
    ck_assert_ptr_null(retc_glm_fit(s.recording, &options, NULL, &spikes, &report));
    ck_assert_msg(strstr(retc_error_message(), "cannot determine"), "%s", retc_error_message());
    options.ridge.ridge = 0.1, options.coupling = 1, options.spike_history = 0;
    ck_assert_ptr_null(retc_glm_fit(s.recording, &options, NULL, &spikes, &report));
    ck_assert_msg(strstr(retc_error_message(), "--spike-history"), "%s", retc_error_message());
    small_close(&s);

    float movie[80], counts[80] = {0};
    for (int i = 0; i < 80; ++i)
        movie[i] = (float)(i % 7);
    options.spike_history = 3;
    for (int spiking = 0; spiking < 2; ++spiking) {
        counts[40] = (float)spiking;
        options.coupling = spiking;
        ck_ok(retc_fixture_recording(retc_test_path("one.h5"), 80, 1, 1, movie, 1, counts, 0, NULL, 1, 0.01));
        retc_recording *recording = retc_recording_open(retc_test_path("one.h5"), 0);
        ck_assert_ptr_null(retc_glm_fit(recording, &options, NULL, &spikes, &report));
        const char *reason = spiking ? "there is one cell" : "no cell fires";
        ck_assert_msg(strstr(retc_error_message(), reason), "%s", retc_error_message());
        retc_recording_close(recording);
    }
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("glm");
    TCase *cases = tcase_create("glm");
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, raised_cosines_are_their_formula);
    tcase_add_test(cases, orthonormal_rows_span_the_same);
    tcase_add_test(cases, likelihood_gradient_equals_finite_differences);
    tcase_add_test(cases, minimum_is_that_of_another_solver);
    tcase_add_test(cases, planted_models_are_recovered);
    tcase_add_test(cases, neighbourhoods_lie_around_the_peak);
    tcase_add_loop_test(cases, simulated_rates_have_their_closed_form, 0, 2);
    tcase_add_test(cases, runaway_is_held_and_told);
    tcase_add_test(cases, recorded_spikes_give_the_formula);
    tcase_add_test(cases, spike_filters_survive_the_file);
    tcase_add_test(cases, what_cannot_be_fitted_is_named);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
