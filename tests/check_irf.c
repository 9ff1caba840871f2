/* Receptive fields: separation, how fast they change, how they are stored.  What they look like: check_irf_shape.c. */
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_sort_vector.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "conv.h"
#include "eigen.h"
#include "fftadjoint.h"
#include "fixtures.h"
#include "irf.h"
#include "irf_change.h"
#include "irf_compact.h"
#include "testing.h"
#include "window.h"

static float *
noise(uint64_t seed, size_t n) {
    float *x = retc_fixture_movie(seed, n, 1, 1);
    ck_assert_ptr_nonnull(x);
    return x;
}

/* ---- eigenvectors ---------------------------------------------------------------------------------------------------- */

/* n x n of a given rank: sums of products of random vectors; rank 0 is zero, rank > n the unit matrix. */
static const struct {
    size_t n, rank, k;
} matrices[] = {{1, 1, 1}, {2, 1, 2}, {3, 3, 1}, {7, 2, 4}, {15, 0, 3}, {15, 99, 3}, {40, 40, 2}, {40, 60, 4}, {64, 8, 10}};
enum { MATRICES = 9 };

START_TEST(eigenvectors_are_those_of_gsl) {
    size_t n = matrices[_i].n, k = matrices[_i].k, rank = matrices[_i].rank;
    double G[64 * 64] = {0}, copy[64 * 64], value[10], vector[10 * 64];
    float *x = noise(_i + 1, 64 * 64);
    for (size_t r = 0; r < rank && rank <= n; ++r)
        for (size_t i = 0; i < n; ++i)
            for (size_t j = 0; j < n; ++j)
                G[i * n + j] += (double)x[r * n + i] * (double)x[r * n + j];
    for (size_t i = 0; i < n && rank > n; ++i)
        G[i * n + i] = 1;
    memcpy(copy, G, sizeof G);
    gsl_matrix_view view = gsl_matrix_view_array(copy, n, n);
    gsl_eigen_symm_workspace *work = gsl_eigen_symm_alloc(n);
    gsl_vector *all = gsl_vector_alloc(n);
    gsl_eigen_symm(&view.matrix, all, work);
    gsl_sort_vector(all);
    retc_eigen *eigen = retc_eigen_alloc(n, k);
    ck_assert_ptr_nonnull(eigen);
    retc_eigen_top(eigen, G, value, vector);
    double size = fmax(fabs(gsl_vector_get(all, n - 1)), 1e-300);
    for (size_t a = 0; a < k; ++a) {
        ck_assert_msg(fabs(value[a] - gsl_vector_get(all, n - 1 - a)) <= 1e-13 * size, "%zu: %g", a, value[a]);
        for (size_t i = 0; i < n; ++i) {
            double product = -value[a] * vector[a * n + i];
            for (size_t j = 0; j < n; ++j)
                product += G[i * n + j] * vector[a * n + j];
            ck_assert_msg(fabs(product) <= 1e-12 * size, "residual of %zu: %g of %g", a, product, size);
        }
        for (size_t b = 0; b <= a; ++b) {
            double product = 0;
            for (size_t i = 0; i < n; ++i)
                product += vector[a * n + i] * vector[b * n + i];
            ck_assert_msg(fabs(product - (a == b)) <= 1e-12, "%zu and %zu: %g", a, b, product);
        }
    }
    retc_eigen_free(eigen), retc_free(x);
    gsl_vector_free(all), gsl_eigen_symm_free(work);
}
END_TEST

/* ---- gradients on a patch -------------------------------------------------------------------------------------------- */

static const retc_conv_shape shapes[] = {
    {3, 9, 8, 2, 4, 3, 1}, {1, 1, 1, 1, 1, 1, 1}, {5, 11, 13, 3, 1, 13, 1}, {4, 20, 20, 2, 7, 7, 1}, {2, 5, 17, 1, 5, 17, 1}};
enum { SHAPES = 5, WINDOWS = 19 };

/* Transforms err in proportion to their size (Higham, Accuracy and Stability, 24.1): three of them here, of log2(points) stages
 * each, and sums of K products; no output exceeds sum_k |w_k| |g_k|. */
START_TEST(transforms_give_the_adjoint) {
    const retc_conv_shape *s = &shapes[_i];
    size_t oh = s->h - s->kh + 1, ow = s->w - s->kw + 1, maps = s->K * oh * ow, weights = s->K * s->C * s->kh * s->kw;
    size_t size = s->C * s->h * s->w;
    float *w = noise(3, weights), *g = noise(4, maps * WINDOWS), *out = retc_calloc(size * WINDOWS, sizeof *out),
          *parts = retc_calloc(size * WINDOWS, sizeof *parts);
    double *w2 = retc_calloc(weights, sizeof *w2), *g2 = retc_calloc(maps * WINDOWS, sizeof *g2),
           *expected = retc_calloc(size * WINDOWS, sizeof *expected), norm = 0, norm_g = 0;
    for (size_t i = 0; i < weights; ++i)
        w2[i] = (double)w[i], norm += w2[i] * w2[i];
    for (size_t i = 0; i < maps * WINDOWS; ++i)
        g2[i] = (double)g[i], norm_g += g2[i] * g2[i] / WINDOWS;
    retc_conv_backward_input_reference(s, w2, g2, WINDOWS, expected);
    retc_fftadjoint *plan = retc_fftadjoint_alloc(s);
    ck_assert_ptr_nonnull(plan);
    retc_fftadjoint_work *work = retc_fftadjoint_work_alloc(plan);
    ck_assert_ptr_nonnull(work);
    retc_fftadjoint_set_weights(plan, work, w);
    retc_fftadjoint_run(plan, work, g, oh * ow * WINDOWS, ow * WINDOWS, WINDOWS, WINDOWS, out);
    double bound = 3 * log2((double)(2 * s->h * s->w + 2)) * 6e-8 * sqrt(norm * norm_g) * 4;
    for (size_t t = 0; t < WINDOWS; ++t)
        for (size_t i = 0; i < size; ++i)
            ck_assert_msg(fabs((double)out[t * size + i] - expected[i * WINDOWS + t]) <= bound, "window %zu, %zu: %g for %g", t,
                          i, (double)out[t * size + i], expected[i * WINDOWS + t]);
    for (size_t t = 0; t < WINDOWS; t += 6)
        retc_fftadjoint_run(plan, work, g + t, oh * ow * WINDOWS, ow * WINDOWS, WINDOWS, t + 6 < WINDOWS ? 6 : WINDOWS - t,
                            parts + t * size);
    ck_assert_mem_eq(out, parts, size * WINDOWS * sizeof *out);
    retc_fftadjoint_work_free(work), retc_fftadjoint_free(plan);
    retc_free(w), retc_free(g), retc_free(out), retc_free(parts), retc_free(w2), retc_free(g2), retc_free(expected);
}
END_TEST

/* conv, ReLU, conv, residual addition, conv, pool, a place of the last map: kinds of layers that move or widen what is seen. */
static retc_network *
branched_network(void) {
    static const size_t position[4] = {1, 0, 2, 3};
    retc_network *network = retc_network_alloc("test", 3, 20, 22, 2);
    ck_assert_ptr_nonnull(network);
    ck_ok(retc_network_add_conv(network, 2, 5, 3, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_TANH));
    ck_ok(retc_network_add_conv(network, 2, 3, 3, 1, 0));
    ck_ok(retc_network_add_residual(network, 0));
    ck_ok(retc_network_add_pool(network, RETC_LAYER_AVGPOOL, 2, 3));
    ck_ok(retc_network_add_conv(network, 2, 2, 2, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_add_grab(network, position));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    return network;
}

START_TEST(patches_hold_what_cells_see) {
    enum { n = 6 };
    retc_network *network = branched_network();
    size_t L = network->L, H = network->H, W = network->W, last = network->layers - 1;
    static const size_t cells[2] = {0, 1};
    float *frames = noise(7, (n + L - 1) * H * W);
    retc_tape *tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, NULL);
    ck_assert_ptr_nonnull(tape);
    ck_ok(retc_tape_add_window_gradient(tape));
    retc_window *window = retc_window_alloc(network, cells, 2, n, 1);
    ck_assert_ptr_nonnull(window);
    retc_tape_load(tape, frames, n);
    retc_tape_forward(tape, 0, network->layers, n);
    for (size_t i = 0; i < 2; ++i) {
        const retc_patch *p = retc_window_patch(window, i);
        float *out = retc_calloc(n * L * p->h * p->w, sizeof *out);
        memset(tape->grad[last], 0, 2 * tape->ld * sizeof(float));
        for (size_t t = 0; t < n; ++t)
            tape->grad[last][i * tape->ld + t] = 1;
        retc_tape_backward(tape, last, 0, n);
        retc_tape_backward_window(tape, n);
        retc_window_gradient(window, 0, i, tape->grad[0], n, out);
        int edge[4] = {0}; /* something is seen in the first and last row and column: the patch is no larger than need be */
        for (size_t k = 0; k < L * H * W; ++k)
            for (size_t t = 0; t < n; ++t) {
                size_t y = k / W % H - p->row, x = k % W - p->column; /* huge when before the patch */
                float g = tape->window_grad[k * tape->ld + t];
                int inside = y < p->h && x < p->w;
                float found = inside ? out[((t * L + k / (H * W)) * p->h + y) * p->w + x] : 0;
                ck_assert_msg(fabsf(found - g) <= 1e-6f, "cell %zu, element %zu: %g, expected %g", i, k, (double)found,
                              (double)g);
                if (inside && fabsf(g) > 1e-5f)
                    edge[0] |= y == 0, edge[1] |= y == p->h - 1, edge[2] |= x == 0, edge[3] |= x == p->w - 1;
            }
        ck_assert_msg(edge[0] && edge[1] && edge[2] && edge[3], "cell %zu: the patch is too large", i);
        retc_free(out);
    }
    retc_window_free(window), retc_tape_free(tape), retc_network_free(network), retc_free(frames);
}
END_TEST

/* ---- change ---------------------------------------------------------------------------------------------------------- */

/* F_t = cos(w t) A + sin(w t) B with A, B orthonormal has autocorrelation cos(w tau), and reaches 1/e at acos(1/e)/w but for
 * the straight lines between samples: less than w^2/8.  Over whole periods its mean is 0. */
START_TEST(a_turning_field_is_timed) {
    enum { PERIOD = 40, T = 10 * PERIOD, LAGS = 12 };
    const float u[6] = {1, 0, 0, 0, 0.6f, 0.8f}, v[8] = {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, -0.5f, 0.5f, -0.5f};
    double w = 2 * M_PI / PERIOD, autocorrelation[LAGS + 1], time;
    retc_irf_change *change = retc_irf_change_alloc(3, 4, 2, LAGS);
    ck_assert_ptr_nonnull(change);
    for (int t = 0; t < T; ++t) /* with a gap, over which no pair counts */
        retc_irf_change_add(change, u, ((const float[]){(float)cos(w * t), (float)sin(w * t)}), v, t > 0 && t != 3 * PERIOD);
    retc_irf_change_result(change, autocorrelation, &time);
    for (int lag = 0; lag <= LAGS; ++lag)
        ck_assert_double_eq_tol(autocorrelation[lag], cos(w * lag), 1e-5);
    ck_assert_double_eq_tol(time, acos(exp(-1)) / w, w * w / 8 / w * 1.2);
    retc_irf_change_free(change);
}
END_TEST

START_TEST(a_constant_field_does_not_change) {
    const float u[2] = {0.6f, 0.8f}, v[1] = {1}, s[1] = {3};
    double autocorrelation[3], time;
    retc_irf_change *change = retc_irf_change_alloc(2, 1, 1, 2);
    for (int t = 0; t < 9; ++t)
        retc_irf_change_add(change, u, s, v, t > 0);
    retc_irf_change_result(change, autocorrelation, &time);
    ck_assert(isnan(autocorrelation[0]) && isnan(autocorrelation[2]) && isnan(time));
    retc_irf_change_free(change);
}
END_TEST

/* ---- rounding -------------------------------------------------------------------------------------------------------- */

/* Errors of rounding are even: their root mean square is a step over the root of 12, here to the 3 in 100 that 1600 numbers
 * leave; where the largest value sets the step, it is what it is.  Either way the error that is said is that which is made. */
START_TEST(rounding_is_as_said) {
    enum { P = 800, RANK = 2 };
    float *v = noise(11, RANK * P), s[RANK] = {3, 1}, step[RANK];
    unsigned char code[RANK * P];
    for (size_t j = 0; j < RANK; ++j) {
        double norm = 0;
        v[j * P + 7] = _i ? 500.0f : 2.5f; /* a peak, or none */
        for (size_t p = 0; p < P; ++p)
            norm += (double)v[j * P + p] * (double)v[j * P + p];
        for (size_t p = 0; p < P; ++p)
            v[j * P + p] = (float)((double)v[j * P + p] / sqrt(norm));
    }
    double norm = sqrt(10), sum = 0, said = retc_irf_round(RANK, P, s, v, norm, 0.3, 0.04, code, step);
    for (size_t j = 0; j < RANK; ++j)
        for (size_t p = 0; p < P; ++p)
            sum += pow((double)s[j] * ((double)step[j] * ((double)code[j * P + p] - 128) - (double)v[j * P + p]), 2);
    ck_assert_double_eq_tol(said, sqrt(0.09 + sum / 10), 1e-6);
    if (_i == 0)
        ck_assert_double_eq_tol(sqrt(sum / 10), 0.04, 0.03 * 0.04);
    retc_free(v);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------------------------------- */

enum { MOVIE = 60, SIDE = 11, HISTORY = 5 };

typedef struct {
    retc_network *network;
    retc_recording *recording;
} model;

/* The convolutional model of two cells, and a recording in two stretches. */
static model
open_model(void) {
    const char *path = retc_test_path("recording.h5");
    float *movie = noise(21, MOVIE * SIDE * SIDE), *counts = retc_calloc(2 * MOVIE, sizeof *counts);
    for (size_t i = 0; i < 2 * MOVIE; i += 3)
        counts[i] = 1;
    ck_ok(retc_fixture_recording(path, MOVIE, SIDE, SIDE, movie, 2, counts, 0, NULL, 2, 0.02));
    retc_free(movie), retc_free(counts);
    model m = {retc_fixture_network(22, HISTORY, SIDE, SIDE, 2, 0), retc_recording_open(path, 0)};
    ck_assert_ptr_nonnull(m.network);
    ck_assert_ptr_nonnull(m.recording);
    return m;
}

static void
close_model(model *m) {
    retc_network_free(m->network);
    retc_recording_close(m->recording);
}

/* A file of IRFs of the train part, open for reading. */
static retc_h5 *
irf_file(const model *m, const char *name, int layout, const retc_irf_options *options) {
    const char *path = retc_test_path(name);
    retc_irf_file file = retc_irf_file_default();
    file.layout = layout;
    file.lags = 4;
    file.pixel_size = 30;
    retc_h5 *out = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(out);
    ck_ok(retc_irf_write(m->network, m->recording, RETC_TRAIN, options, &file, out, NULL));
    ck_ok(retc_h5_commit(out));
    retc_h5_close(out);
    out = retc_h5_open(path);
    ck_assert_ptr_nonnull(out);
    return out;
}

/* Samples of two stretches of 30 frames, without their first 5 frames: 25 each, 50 altogether. */
START_TEST(samples_are_chosen) {
    static const size_t cell = 1;
    model m = open_model();
    retc_irf_options options = {.cell = &cell, .cells = 1, .threads = 2};
    retc_h5 *all = irf_file(&m, "all.h5", RETC_IRF_FULL, &options);
    options.first = 4, options.samples = 40, options.every = 3;
    retc_h5 *some = irf_file(&m, "some.h5", RETC_IRF_FULL, &options);
    retc_irf_reader a, b;
    ck_ok(retc_irf_reader_open(all, "/cell_1", &a));
    ck_ok(retc_irf_reader_open(some, "/cell_1", &b));
    ck_assert_uint_eq(a.T, 50);
    ck_assert_uint_eq(b.T, 14);
    float x[HISTORY * SIDE * SIDE], y[HISTORY * SIDE * SIDE];
    double time[50], chosen[14];
    ck_ok(retc_h5_read(all, "/metadata/time", RETC_H5_DOUBLE, NULL, NULL, time));
    ck_ok(retc_h5_read(some, "/metadata/time", RETC_H5_DOUBLE, NULL, NULL, chosen));
    for (size_t t = 0; t < b.T; ++t) {
        ck_assert_double_eq(chosen[t], time[4 + 3 * t]);
        ck_ok(retc_irf_read(&a, 4 + 3 * t, x));
        ck_ok(retc_irf_read(&b, t, y));
        ck_close_float("IRF", y, x, HISTORY * SIDE * SIDE, 0, 1e-6); /* windows are transformed in other pairs */
    }
    retc_irf_reader_close(&a), retc_irf_reader_close(&b);
    retc_h5_close(all), retc_h5_close(some);
    close_model(&m);
}
END_TEST

/* The compact layout is off by what it says. */
START_TEST(compact_errors_are_as_said) {
    static const size_t cells[2] = {1, 0};
    model m = open_model();
    retc_irf_options options = {.cell = cells, .cells = 2, .threads = 1, .rank = 3, .subtract_mean = _i};
    retc_h5 *full = irf_file(&m, "full.h5", RETC_IRF_FULL, &options),
            *compact = irf_file(&m, "compact.h5", RETC_IRF_COMPACT, &options);
    retc_irf_reader a, b;
    float x[HISTORY * SIDE * SIDE], y[HISTORY * SIDE * SIDE], error[50], center[50][2], micrometres[50][2];
    ck_ok(retc_irf_reader_open(full, "/cell_0", &a));
    ck_ok(retc_irf_reader_open(compact, "/cell_0", &b));
    ck_assert(!a.compact && b.compact && b.rank == 3);
    ck_ok(retc_h5_read(compact, "/cell_0/compact/error", RETC_H5_FLOAT, NULL, NULL, error));
    ck_ok(retc_h5_read(compact, "/cell_0/shape/center", RETC_H5_FLOAT, NULL, NULL, center));
    ck_ok(retc_h5_read(compact, "/cell_0/shape/center_um", RETC_H5_FLOAT, NULL, NULL, micrometres));
    for (size_t t = 0; t < a.T; ++t) {
        double off = 0, mean = 0, squares = 0, n = HISTORY * SIDE * SIDE;
        ck_ok(retc_irf_read(&a, t, x));
        ck_ok(retc_irf_read(&b, t, y));
        for (size_t i = 0; i < HISTORY * SIDE * SIDE; ++i) {
            off += pow((double)x[i] - (double)y[i], 2);
            squares += (double)x[i] * (double)x[i];
            mean += (double)x[i] / n;
        }
        double separated = squares - (_i ? n * mean * mean : 0);
        ck_assert_double_eq_tol(sqrt(off / separated), (double)error[t], 1e-3);
        ck_assert_double_eq_tol((double)micrometres[t][0], 30 * ((double)center[t][1] - 5), 1e-3);
        ck_assert_double_eq_tol((double)micrometres[t][1], 30 * (5 - (double)center[t][0]), 1e-3);
    }
    retc_irf_reader_close(&a), retc_irf_reader_close(&b);
    retc_h5_close(full), retc_h5_close(compact);
    close_model(&m);
}
END_TEST

START_TEST(wrong_requests_are_refused) {
    static const size_t cells[1] = {2}, cell = 0;
    model m = open_model();
    retc_irf_file file = retc_irf_file_default();
    retc_h5 *out = retc_h5_create(retc_test_path("refused.h5"), 1);
    retc_irf_options options = {.cell = cells, .cells = 1, .threads = 1};
    ck_fails(retc_irf_write(m.network, m.recording, RETC_TRAIN, &options, &file, out, NULL),
             "cell 2 is asked for, the model has cells 0 to 1");
    options = (retc_irf_options){.cell = &cell, .cells = 1, .threads = 1, .first = 50};
    ck_fails(retc_irf_write(m.network, m.recording, RETC_TRAIN, &options, &file, out, NULL),
             "sample 50 is asked for, there are 50");
    options = (retc_irf_options){.cell = &cell, .cells = 1, .threads = 1, .rank = HISTORY + 1};
    ck_fails(retc_irf_write(m.network, m.recording, RETC_TRAIN, &options, &file, out, NULL), "a rank of 6 is asked for");
    m.network->value[m.network->param[m.network->layer[0].weight].offset] = NAN;
    options.rank = 1;
    ck_fails(retc_irf_write(m.network, m.recording, RETC_TRAIN, &options, &file, out, NULL),
             "a receptive field is not finite: the model's parameters are damaged or too large");
    retc_h5_close(out);
    close_model(&m);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("irf");
    TCase *tcase = tcase_create("receptive fields");
    tcase_add_loop_test(tcase, eigenvectors_are_those_of_gsl, 0, MATRICES);
    tcase_add_loop_test(tcase, transforms_give_the_adjoint, 0, SHAPES);
    tcase_add_test(tcase, patches_hold_what_cells_see);
    tcase_add_test(tcase, a_turning_field_is_timed);
    tcase_add_test(tcase, a_constant_field_does_not_change);
    tcase_add_loop_test(tcase, rounding_is_as_said, 0, 2);
    tcase_add_test(tcase, samples_are_chosen);
    tcase_add_loop_test(tcase, compact_errors_are_as_said, 0, 2);
    tcase_add_test(tcase, wrong_requests_are_refused);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
