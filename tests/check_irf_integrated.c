/* Integrated receptive fields against PyTorch's autograd, where they have closed forms, and in the compact layout. */
#include <math.h>
#include <string.h>

#include "fixtures.h"
#include "irf.h"
#include "irf_compact.h"
#include "published.h"
#include "testing.h"

/* Of one cell, samples asked for one after the other: integrated IRFs, and the terms of mean gradients and of IRFs added up
 * again; on whole frames. */
typedef struct {
    size_t L, H, W, samples;
    float *ig, *gradient, *irf; /* (samples,L,H,W) */
} fields;

static void
add_terms(const fields *f, const retc_irf_cell *cell, const retc_irf_terms *terms, size_t t, float *out) {
    const retc_patch *p = &cell->patch;
    size_t P = p->h * p->w, k = cell->rank;
    for (size_t l = 0; l < f->L; ++l)
        for (size_t i = 0; i < P; ++i) {
            double sum = terms->mean[t];
            for (size_t j = 0; j < k; ++j)
                sum += (double)terms->s[t * k + j] * (double)terms->u[(t * k + j) * f->L + l] *
                       (double)terms->v[(t * k + j) * P + i];
            out[(l * f->H + p->row + i / p->w) * f->W + p->column + i % p->w] = (float)sum;
        }
}

static int
take(void *context, const retc_irf_block *b) {
    fields *f = context;
    const retc_irf_cell *cell = &b->cell[0];
    const retc_patch *p = &cell->patch;
    size_t size = f->L * f->H * f->W, P = p->h * p->w;
    for (size_t t = 0; t < b->n; ++t) {
        size_t at = (b->sample + t) * size;
        for (size_t l = 0; l < f->L; ++l)
            for (size_t i = 0; i < P; ++i)
                f->ig[at + (l * f->H + p->row + i / p->w) * f->W + p->column + i % p->w] = cell->ig[(t * f->L + l) * P + i];
        add_terms(f, cell, &cell->ig_terms, t, f->gradient + at);
        add_terms(f, cell, &cell->terms, t, f->irf + at);
    }
    return RETC_OK;
}

static fields
compute(const retc_network *network, retc_recording *recording, const retc_irf_options *options) {
    fields f = {.L = network->L, .H = network->H, .W = network->W};
    ck_ok(retc_irf_samples(network, recording, RETC_TEST, options, &f.samples));
    size_t n = f.samples * f.L * f.H * f.W;
    f.ig = retc_calloc(n, sizeof(float)), f.gradient = retc_calloc(n, sizeof(float)), f.irf = retc_calloc(n, sizeof(float));
    ck_ok(retc_irf(network, recording, RETC_TEST, options, take, &f, NULL));
    return f;
}

static void
clear(fields *f) {
    retc_free(f->ig), retc_free(f->gradient), retc_free(f->irf);
}

static double
norm(const float *x, const float *less, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += pow((double)x[i] - (less ? (double)less[i] : 0), 2);
    return sqrt(sum);
}

/* ---- PyTorch --------------------------------------------------------------------------------------------------------- */

typedef struct {
    published g;
    retc_h5 *file;
    size_t size, windows;
    void *window;             /* (windows) i8 */
    float *trapezium, *limit; /* (U,windows,L,H,W) */
    float *movie;             /* (T,H,W) normalised as the golden says */
} integrated;

static int
open_integrated(integrated *in) {
    const char *path = retc_test_golden("integrated_irf.h5");
    published_case tiny = {"tiny_wn.h5", 0};
    size_t shape[5];
    void *trapezium = NULL, *limit = NULL, *movie = NULL;
    *in = (integrated){0};
    if (!path || !published_open(&tiny, &in->g))
        return 0;
    in->file = retc_h5_open(path);
    ck_assert_ptr_nonnull(in->file);
    ck_ok(retc_h5_read_new(in->file, "/window", RETC_H5_INT64, 1, &in->windows, &in->window));
    ck_ok(retc_h5_read_new(in->file, "/trapezium", RETC_H5_FLOAT, 5, shape, &trapezium));
    ck_ok(retc_h5_read_new(in->file, "/limit", RETC_H5_FLOAT, 5, shape, &limit));
    ck_ok(retc_h5_read_new(in->g.file, "/stimulus", RETC_H5_FLOAT, 3, shape, &movie));
    in->trapezium = trapezium, in->limit = limit, in->movie = movie;
    in->size = in->g.network->L * in->g.network->H * in->g.network->W;
    for (size_t i = 0; i < in->g.T * in->size / in->g.network->L; ++i)
        in->movie[i] = (in->movie[i] - (float)in->g.network->stimulus_mean) / (float)in->g.network->stimulus_std;
    return 1;
}

static void
close_integrated(integrated *in) {
    retc_free(in->window), retc_free(in->trapezium), retc_free(in->limit), retc_free(in->movie);
    retc_h5_close(in->file);
    published_close(&in->g);
}

/* Relative to its norm, the error of the mean gradient of cell `unit`, and of its product with the stimulus, from those of the
 * golden; the largest over windows. */
static void
compare(const integrated *in, size_t unit, const retc_irf_options *options, const float *expected, double *product,
        double *gradient) {
    fields f = compute(in->g.network, in->g.recording, options);
    float *times = retc_calloc(in->size, sizeof *times);
    *product = *gradient = 0;
    for (size_t k = 0; k < in->windows; ++k) {
        size_t window = (size_t)((const int64_t *)in->window)[k];
        const float *e = expected + (unit * in->windows + k) * in->size;
        const float *x = in->movie + window * in->size / in->g.network->L;
        for (size_t i = 0; i < in->size; ++i)
            times[i] = e[i] * x[i];
        ck_assert_double_gt(norm(e, NULL, in->size), 0);
        *gradient = fmax(*gradient, norm(f.gradient + window * in->size, e, in->size) / norm(e, NULL, in->size));
        *product = fmax(*product, norm(f.ig + window * in->size, times, in->size) / norm(times, NULL, in->size));
    }
    retc_free(times);
    clear(&f);
}

/* Trapezia of 20 steps by PyTorch in double.  Rates go down to 1e-6, where a rounding of the softplus' argument, 6e-8 of about
 * 15, is 1e-6 of its slope, and there are three layers of such sums.  All terms of the separation are kept: they are the field. */
START_TEST(trapezia_equal_autograd) {
    integrated in;
    if (!open_integrated(&in))
        retc_skip("integrated_irf.h5 is not there");
    const size_t cell = (size_t)_i;
    retc_irf_options options = {.cell = &cell, .cells = 1, .threads = 1, .rank = 8, .ig_steps = 20, .ig_rule = RETC_TRAPEZIUM};
    double product, gradient;
    compare(&in, cell, &options, in.trapezium, &product, &gradient);
    ck_assert_msg(product <= 2e-5, "%g", product);
    ck_assert_msg(gradient <= 2e-5, "%g", gradient);
    close_integrated(&in);
}
END_TEST

/* Secants go to the limit, as the square of the step between kinks and at least as the step across them: with 8 times the
 * steps at least 4 times nearer.  The golden's limit has steps of 1/4096, whose kinks are off by 1/8192 of the path each. */
START_TEST(secants_go_to_the_limit) {
    integrated in;
    if (!open_integrated(&in))
        retc_skip("integrated_irf.h5 is not there");
    const size_t cell = (size_t)_i;
    double product[2], gradient[2];
    for (int fine = 0; fine < 2; ++fine) {
        retc_irf_options options = {.cell = &cell, .cells = 1, .threads = 1, .rank = 8, .ig_steps = fine ? 160 : 20};
        compare(&in, cell, &options, in.limit, &product[fine], &gradient[fine]);
    }
    ck_assert_msg(product[1] <= 1e-3 && gradient[1] <= 1e-3, "%g, %g", product[1], gradient[1]);
    ck_assert_msg(4 * product[1] <= product[0], "%g, with 20 steps %g", product[1], product[0]);
    close_integrated(&in);
}
END_TEST

/* ---- closed forms ---------------------------------------------------------------------------------------------------- */

enum { FRAMES = 40, DEPTH = 6, SIDE = 7, SIZE = DEPTH * SIDE * SIDE };

static retc_recording *
make_recording(const char *name, float **movie) {
    float counts[2 * FRAMES] = {0};
    const char *path = retc_test_path(name);
    *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, *movie, 2, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

/* LN, or linear without the softplus: one filter over the window for each of two cells. */
static retc_network *
ln_network(int linear) {
    retc_network *network = retc_network_alloc("ln", DEPTH, SIDE, SIDE, 2);
    ck_ok(retc_network_add_conv(network, 2, 0, 0, 1, 0));
    if (!linear)
        ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    retc_network_values(network, network->layer[0].bias)[1] = 0.7f;
    network->stimulus_mean = 0.2, network->stimulus_std = 1.6;
    return network;
}

static double
softplus(double z) {
    return log1p(exp(z));
}

static double
slope(double z) {
    return 1 / (1 + exp(-z));
}

/* Mean over the path of the slope of the nonlinearity, from b to b + z: exact, or by trapezia. */
static double
mean_slope(double b, double z, size_t trapezia) {
    double sum = 0;
    if (!trapezia)
        return (softplus(b + z) - softplus(b)) / z;
    for (size_t i = 0; i < trapezia; ++i)
        sum += (slope(b + z * (double)i / (double)trapezia) + slope(b + z * (double)(i + 1) / (double)trapezia)) / 2;
    return sum / (double)trapezia;
}

static const struct {
    size_t steps;
    retc_path_rule rule;
} paths[] = {{1, RETC_SECANT}, {2, RETC_SECANT}, {9, RETC_SECANT}, {1, RETC_TRAPEZIUM}, {5, RETC_TRAPEZIUM}};
enum { PATHS = 5 };

/* The mean gradient of an LN model is its filter times the mean slope; that of a linear model the filter itself.  Arguments of
 * the softplus are sums of 294 products, off by some 1e-6. */
START_TEST(filters_are_found) {
    int linear = _i / PATHS;
    size_t steps = paths[_i % PATHS].steps;
    retc_path_rule rule = paths[_i % PATHS].rule;
    float *movie, times[SIZE], expected[SIZE];
    retc_recording *recording = make_recording("ln.h5", &movie);
    retc_network *network = ln_network(linear);
    static const size_t cell = 1;
    const float *w = retc_network_values(network, network->layer[0].weight) + SIZE;
    retc_irf_options options = {.cell = &cell, .cells = 1, .threads = 2, .rank = DEPTH, .ig_steps = steps, .ig_rule = rule};
    fields f = compute(network, recording, &options);
    ck_assert_uint_eq(f.samples, FRAMES - DEPTH);
    for (size_t t = 0; t < f.samples; ++t) {
        double z = 0, change = 0, b = (double)retc_network_values(network, network->layer[0].bias)[1];
        for (size_t i = 0; i < SIZE; ++i) {
            times[i] = w[i] * (movie[t * SIDE * SIDE + i] - 0.2f) / 1.6f;
            z += (double)times[i];
        }
        double mean = linear ? 1 : mean_slope(b, z, rule == RETC_TRAPEZIUM ? steps : 0);
        for (size_t i = 0; i < SIZE; ++i) {
            times[i] *= (float)mean, expected[i] = w[i] * (float)mean;
            change += (double)f.ig[t * SIZE + i];
        }
        ck_assert_double_le(norm(f.ig + t * SIZE, times, SIZE), 1e-5 * norm(times, NULL, SIZE));
        ck_assert_double_le(norm(f.gradient + t * SIZE, expected, SIZE), 1e-5 * norm(expected, NULL, SIZE));
        if (linear)
            ck_assert_double_le(norm(f.irf + t * SIZE, f.gradient + t * SIZE, SIZE), 1e-5 * norm(expected, NULL, SIZE));
        else if (rule == RETC_SECANT)
            ck_assert_double_eq_tol(change, softplus(b + z) - softplus(b), 1e-5 * (fabs(z) + 1));
    }
    clear(&f), retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static retc_h5 *
write_file(const retc_network *network, retc_recording *recording, int layout, const char *name) {
    static const size_t cells[2] = {1, 0};
    retc_irf_options options = {.cell = cells, .cells = 2, .threads = 2, .rank = 3, .ig_steps = 4};
    retc_irf_file file = retc_irf_file_default();
    const char *path = retc_test_path(name);
    file.layout = layout;
    retc_h5 *out = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(out);
    ck_ok(retc_irf_write(network, recording, RETC_TEST, &options, &file, out, NULL));
    ck_ok(retc_h5_commit(out));
    retc_h5_close(out);
    out = retc_h5_open(path);
    ck_assert_ptr_nonnull(out);
    return out;
}

/* Each layout has integrated IRFs in its own way, and their means. */
START_TEST(layouts_hold_what_they_say) {
    float *movie;
    retc_recording *recording = make_recording("layouts.h5", &movie);
    retc_network *network = retc_fixture_network(22, DEPTH, SIDE, SIDE, 2, 0);
    for (int layout = RETC_IRF_FULL; layout <= (RETC_IRF_FULL | RETC_IRF_COMPACT); ++layout) {
        retc_h5 *file = write_file(network, recording, layout, "layout.h5");
        retc_irf_reader reader;
        for (size_t cell = 0; cell < 2; ++cell) {
            static const char *const all[2] = {"/cell_0/ig_irf_all", "/cell_1/ig_irf_all"};
            static const char *const compact[2] = {"/cell_0/ig_compact/v", "/cell_1/ig_compact/v"};
            static const char *const mean[2] = {"/cell_0/ig_irf_mean", "/cell_1/ig_irf_mean"};
            ck_assert_int_eq(retc_h5_has(file, all[cell]), (layout & RETC_IRF_FULL) != 0);
            ck_assert_int_eq(retc_h5_has(file, compact[cell]), (layout & RETC_IRF_COMPACT) != 0);
            ck_assert(retc_h5_has(file, mean[cell]));
        }
        if (layout == RETC_IRF_FULL)
            ck_fails(retc_irf_reader_open_integrated(file, "/cell_0", &reader), "ig_compact");
        else
            ck_ok(retc_irf_reader_open_integrated(file, "/cell_0", &reader));
        retc_irf_reader_close(&reader);
        retc_h5_close(file);
    }
    retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* What the compact layout keeps of the filter of an LN model is off by what it says. */
START_TEST(compact_gradients_are_as_said) {
    float *movie, stored[SIZE], expected[SIZE], error[FRAMES];
    retc_recording *recording = make_recording("compact.h5", &movie);
    retc_network *network = ln_network(0);
    retc_h5 *file = write_file(network, recording, RETC_IRF_COMPACT, "compact-irf.h5");
    const float *w = retc_network_values(network, network->layer[0].weight);
    double b = (double)retc_network_values(network, network->layer[0].bias)[0];
    retc_irf_reader reader;
    ck_ok(retc_irf_reader_open_integrated(file, "/cell_0", &reader));
    ck_assert(reader.T == FRAMES - DEPTH && reader.rank == 3 && reader.compact);
    ck_ok(retc_h5_read(file, "/cell_0/ig_compact/error", RETC_H5_FLOAT, NULL, NULL, error));
    for (size_t t = 0; t < reader.T; ++t) {
        double z = 0;
        for (size_t i = 0; i < SIZE; ++i)
            z += (double)(w[i] * (movie[t * SIDE * SIDE + i] - 0.2f) / 1.6f);
        for (size_t i = 0; i < SIZE; ++i)
            expected[i] = w[i] * (float)mean_slope(b, z, 0);
        ck_ok(retc_irf_read(&reader, t, stored));
        ck_assert_double_eq_tol(norm(stored, expected, SIZE) / norm(expected, NULL, SIZE), (double)error[t], 1e-3);
        ck_assert_double_gt((double)error[t], 0.02);
    }
    retc_irf_reader_close(&reader);
    retc_h5_close(file);
    retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("integrated receptive fields");
    TCase *tcase = tcase_create("fields");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, trapezia_equal_autograd, 0, 3);
    tcase_add_loop_test(tcase, secants_go_to_the_limit, 0, 3);
    tcase_add_loop_test(tcase, filters_are_found, 0, 2 * PATHS);
    tcase_add_test(tcase, layouts_hold_what_they_say);
    tcase_add_test(tcase, compact_gradients_are_as_said);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
