/* Stacked linear convolutions: their collapse against the goldens and against running the chain, and whole checkpoints. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_file.h"
#include "rng.h"
#include "stacked.h"
#include "tape.h"
#include "testing.h"

/* ---- goldens --------------------------------------------------------------------------------------------------------- */

static const char *const stacks[2] = {"sequential.0", "sequential.4"};

START_TEST(collapse_equals_the_golden) {
    const char *path = retc_test_shared("goldens/stacked_tiny.h5");
    if (!path)
        retc_skip("no stacked_tiny.h5");
    char name[96];
    size_t shape[4];
    void *weight = NULL, *bias = NULL;
    retc_kernel kernel;
    retc_h5 *file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    ck_assert(retc_stacked_is_there(file, stacks[_i]));
    ck_ok(retc_stacked_collapse(file, stacks[_i], 1e-5, &kernel));
    snprintf(name, sizeof name, "/expected/collapsed/state_dict/%s.weight", stacks[_i]);
    ck_ok(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 4, shape, &weight));
    ck_assert(shape[0] == kernel.K && shape[1] == kernel.C && shape[2] == kernel.h && shape[3] == kernel.w);
    /* The golden is in float: its largest sums have some 8 * 9 * 6 terms, u = 6e-8. */
    ck_close_double("weight", kernel.weight, weight, shape[0] * shape[1] * shape[2] * shape[3], 0, 1e-5);
    snprintf(name, sizeof name, "/expected/collapsed/state_dict/%s.bias", stacks[_i]);
    ck_ok(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, shape, &bias));
    ck_close_double("bias", kernel.bias, bias, shape[0], 0, 1e-5);
    retc_free(weight), retc_free(bias);
    retc_kernel_clear(&kernel);
    retc_h5_close(file);
}
END_TEST

/* The published architecture: 7 and 5 stacked 3x3 convolutions, |batch norm|, readout at one position per cell. */
START_TEST(checkpoint_equals_its_outputs) {
    const char *path = retc_test_shared("goldens/vary_checkpoint.h5");
    if (!path)
        retc_skip("no vary_checkpoint.h5");
    retc_network *network = retc_network_open(path);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    network->stimulus_mean = 0, network->stimulus_std = 1; /* the windows are normalised */
    retc_h5 *file = retc_h5_open(path);
    size_t shape[4], out[2], window;
    void *input = NULL, *expected = NULL;
    ck_ok(retc_h5_read_new(file, "/check/input", RETC_H5_FLOAT, 4, shape, &input));
    ck_ok(retc_h5_read_new(file, "/check/output_f64", RETC_H5_DOUBLE, 2, out, &expected));
    ck_assert(shape[1] == network->L && out[1] == network->N && shape[0] == out[0]);
    window = shape[1] * shape[2] * shape[3];
    retc_tape *tape = retc_tape_alloc(network, 1, 0, NULL);
    ck_assert_ptr_nonnull(tape);
    for (size_t b = 0; b < shape[0]; ++b) {
        double rate[64];
        retc_tape_load(tape, (const float *)input + b * window, 1);
        retc_tape_forward(tape, 0, network->layers, 1);
        for (size_t j = 0; j < network->N; ++j)
            rate[j] = (double)retc_tape_rate(tape, j)[0];
        ck_close_double("rate", rate, (const double *)expected + b * network->N, network->N, 2e-5, 0);
    }
    retc_free(input), retc_free(expected);
    retc_tape_free(tape);
    retc_network_free(network);
    retc_h5_close(file);
}
END_TEST

/* ---- made-up chains -------------------------------------------------------------------------------------------------- */

typedef struct {
    long number;
    size_t K, C, h, w;
    int bias, norm; /* with a bias; followed by a batch norm: 1 of torch-deep-retina, 2 of torch */
} link;

static const struct {
    size_t links;
    link link[3];
} chains[] = {
    {1, {{0, 3, 2, 3, 3, 1, 0}}},
    {3, {{0, 4, 3, 3, 3, 0, 0}, {2, 2, 4, 3, 3, 0, 0}, {10, 3, 2, 2, 1, 1, 0}}},
    {3, {{0, 4, 3, 3, 2, 1, 1}, {3, 5, 4, 1, 3, 1, 2}, {7, 3, 5, 3, 3, 1, 0}}},
    {2, {{1, 4, 1, 1, 1, 0, 1}, {5, 2, 4, 3, 3, 0, 0}}},
};
enum { CHAINS = sizeof chains / sizeof *chains, IN = 9 };

static double *
put(retc_h5 *file, gsl_rng *rng, long number, const char *tensor, int rank, const size_t *shape, double offset) {
    char name[96];
    size_t n = 1;
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    double *x = retc_calloc(n, sizeof *x);
    for (size_t i = 0; i < n; ++i)
        x[i] = offset + gsl_rng_uniform(rng) - 0.5;
    snprintf(name, sizeof name, "/state_dict/sequential.0.convs.%ld.%s", number, tensor);
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, rank, shape, x));
    return x;
}

/* Valid cross-correlation of maps (C,h,w) with the link's kernel, by definition; replaces the maps. */
static void
convolve(const link *l, const double *weight, const double *bias, double **maps, size_t *h, size_t *w) {
    size_t oh = *h - l->h + 1, ow = *w - l->w + 1;
    double *out = retc_calloc(l->K * oh * ow, sizeof *out);
    for (size_t i = 0; i < l->K * oh * ow; ++i) {
        size_t k = i / (oh * ow), y = i / ow % oh, x = i % ow;
        out[i] = bias ? bias[k] : 0;
        for (size_t j = 0; j < l->C * l->h * l->w; ++j) {
            size_t c = j / (l->h * l->w), p = j / l->w % l->h, q = j % l->w;
            out[i] += weight[k * l->C * l->h * l->w + j] * (*maps)[(c * *h + y + p) * *w + x + q];
        }
    }
    retc_free(*maps);
    *maps = out, *h = oh, *w = ow;
}

/* Write a link into the file and run the maps through it. */
static void
add_link(const link *l, retc_h5 *file, gsl_rng *rng, double **maps, size_t *h, size_t *w) {
    static const char *const names[3][4] = {
        {0}, {"running_mean", "running_var", "scale", "shift"}, {"running_mean", "running_var", "weight", "bias"}};
    double *weight = put(file, rng, l->number, "weight", 4, (size_t[]){l->K, l->C, l->h, l->w}, 0), *norm[4];
    double *bias = l->bias ? put(file, rng, l->number, "bias", 1, &l->K, 0) : NULL;
    convolve(l, weight, bias, maps, h, w);
    retc_free(weight), retc_free(bias);
    if (!l->norm)
        return;
    for (int i = 0; i < 4; ++i)
        norm[i] = put(file, rng, l->number + 1, names[l->norm][i], 1, &l->K, i == 1 ? 2 : 0);
    for (size_t i = 0; i < l->K * *h * *w; ++i) {
        size_t k = i / (*h * *w);
        double scale = l->norm == 1 ? fabs(norm[2][k]) : norm[2][k];
        (*maps)[i] = ((*maps)[i] - norm[0][k]) / sqrt(norm[1][k] + 1e-5) * scale + norm[3][k];
    }
    for (int i = 0; i < 4; ++i)
        retc_free(norm[i]);
}

/* One convolution with the collapsed kernel gives what the chain gives, to rounding. */
START_TEST(collapse_equals_the_chain) {
    gsl_rng *rng = retc_rng_alloc(5, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    size_t C = chains[_i].link[0].C, h = IN, w = IN, H = IN, W = IN;
    double *maps = retc_calloc(C * h * w, sizeof *maps), *once = retc_calloc(C * h * w, sizeof *once);
    for (size_t i = 0; i < C * h * w; ++i)
        maps[i] = once[i] = gsl_ran_gaussian(rng, 1);
    const char *path = retc_test_path("stack.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    for (size_t l = 0; l < chains[_i].links; ++l)
        add_link(&chains[_i].link[l], file, rng, &maps, &h, &w);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    retc_kernel kernel;
    ck_ok(retc_stacked_collapse(file, "sequential.0", 1e-5, &kernel));
    const link all = {0, kernel.K, kernel.C, kernel.h, kernel.w, 1, 0};
    convolve(&all, kernel.weight, kernel.bias, &once, &H, &W);
    ck_assert(h == H && w == W);
    ck_close_double("maps", once, maps, kernel.K * h * w, 0, 1e-12);
    retc_kernel_clear(&kernel);
    retc_h5_close(file);
    retc_free(maps), retc_free(once);
    gsl_rng_free(rng);
}
END_TEST

/* What is wrong with a stack is said with the name of the tensor. */
START_TEST(wrong_stacks_are_refused) {
    gsl_rng *rng = retc_rng_alloc(6, RETC_STREAM_WEIGHTS, 0);
    const char *path = retc_test_path("wrong.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    retc_kernel kernel;
    retc_free(put(file, rng, 0, "weight", 4, (size_t[]){2, 1, 3, 3}, 0));
    retc_free(put(file, rng, 2, "weight", 4, (size_t[]){2, 3, 3, 3}, 0));
    ck_ok(
        retc_h5_put(file, "/state_dict/sequential.1.convs.0.running_mean", RETC_H5_DOUBLE, 1, (size_t[]){2}, (double[]){0, 0}));
    ck_ok(retc_h5_put(file, "/state_dict/sequential.2.convs.0.weight", RETC_H5_DOUBLE, 4, (size_t[]){1, 1, 1, 1},
                      (double[]){(double)NAN}));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    ck_fails(retc_stacked_collapse(file, "sequential.0", 1e-5, &kernel),
             "sequential.0.convs.2.weight\" takes 3 channels, the one before gives 2");
    ck_fails(retc_stacked_collapse(file, "sequential.1", 1e-5, &kernel), "begins with a batch norm");
    ck_fails(retc_stacked_collapse(file, "sequential.2", 1e-5, &kernel), "not finite, at element 0");
    ck_fails(retc_stacked_collapse(file, "sequential.3", 1e-5, &kernel), "has no convolutions");
    ck_assert(!retc_stacked_is_there(file, "sequential.3"));
    retc_h5_close(file);
    gsl_rng_free(rng);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("stacked");
    TCase *goldens = tcase_create("goldens"), *made = tcase_create("made");
    tcase_set_timeout(goldens, 120);
    tcase_add_loop_test(goldens, collapse_equals_the_golden, 0, 2);
    tcase_add_test(goldens, checkpoint_equals_its_outputs);
    tcase_add_loop_test(made, collapse_equals_the_chain, 0, CHAINS);
    tcase_add_test(made, wrong_stacks_are_refused);
    suite_add_tcase(suite, goldens);
    suite_add_tcase(suite, made);
    return retc_test_main(suite, NULL);
}
