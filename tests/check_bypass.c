/* Contributions where residual additions carry part of the signal past a layer: with that part they add up. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "contribute_file.h"
#include "fixtures.h"
#include "testing.h"

enum { FRAMES = 90, DEPTH = 5, SIDE = 9, N = 3, CHANNELS = 3, CONVOLUTIONS = 4 };

static retc_recording *
make_recording(const char *name) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), *counts = retc_calloc(N * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(movie);
    retc_free(counts);
    return recording;
}

static void
add_nonlinearity(retc_network *network, int linear) {
    if (!linear)
        ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
}

/* conv0, ReLU, conv1, ReLU, + the first ReLU's output, conv2, + the output of conv1, dense readout, softplus.  So conv0 and the
 * readout see all, one addition goes past conv1, and one past conv2. */
static retc_network *
make_network(int linear) {
    retc_network *network = retc_network_alloc("residual", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, CHANNELS, 3, 3, 1, 0));
    add_nonlinearity(network, linear);
    size_t first = network->layers - 1;
    ck_ok(retc_network_add_conv(network, CHANNELS, 3, 3, 1, 0));
    size_t second = network->layers - 1;
    add_nonlinearity(network, linear);
    ck_ok(retc_network_add_residual(network, first));
    ck_ok(retc_network_add_conv(network, CHANNELS, 2, 2, 1, 0));
    ck_ok(retc_network_add_residual(network, second));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    if (!linear)
        ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 11));
    return network;
}

/* Per convolution and sample: sums of the units and of their sizes, and every bypass. */
typedef struct {
    const retc_network *network;
    size_t T, cut[16], cuts;
    double *units[16], *size[16], *bypass[16], *residual[16], *change;
} sums;

static int
collect(void *context, const retc_contribution *b) {
    sums *s = context;
    for (size_t k = 0; k < s->cuts; ++k) {
        size_t units = retc_layer_units(&s->network->layer[s->cut[k]]);
        for (size_t row = 0; row < retc_path_rows(s->network, s->cut[k]); ++row)
            for (size_t t = 0; t < b->n; ++t) {
                double c = (double)b->map[k][row * b->map_ld + t];
                (row < units ? s->units : s->bypass)[k][b->sample + t] += c;
                s->size[k][b->sample + t] += fabs(c);
            }
        memcpy(s->residual[k] + b->sample, b->residual[k], b->n * sizeof(double));
    }
    for (size_t t = 0; t < b->n; ++t)
        s->change[b->sample + t] = b->target[t] - b->target_zero[t];
    return RETC_OK;
}

static sums
contribute(const retc_network *network, retc_recording *recording, const retc_target *target,
           const retc_contribute_options *options) {
    sums s = {.network = network, .T = FRAMES - DEPTH};
    s.cuts = retc_contribute_cuts(network, options->place, s.cut);
    ck_assert_uint_eq(s.cuts, CONVOLUTIONS);
    for (size_t k = 0; k < s.cuts; ++k) {
        s.units[k] = retc_calloc(s.T, sizeof(double)), s.size[k] = retc_calloc(s.T, sizeof(double));
        s.bypass[k] = retc_calloc(s.T, sizeof(double)), s.residual[k] = retc_calloc(s.T, sizeof(double));
    }
    s.change = retc_calloc(s.T, sizeof(double));
    ck_ok(retc_contribute(network, recording, RETC_TEST, target, options, collect, &s, NULL));
    return s;
}

static void
clear(sums *s) {
    for (size_t k = 0; k < s->cuts; ++k)
        retc_free(s->units[k]), retc_free(s->size[k]), retc_free(s->bypass[k]), retc_free(s->residual[k]);
    retc_free(s->change);
}

static double
norm(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* ---- the table of layers --------------------------------------------------------------------------------------------- */

START_TEST(additions_that_go_past_a_layer_are_found) {
    retc_network *network = make_network(0);
    size_t at[16], cut[16], n = retc_network_cuts(network, cut);
    static const size_t expected[CONVOLUTIONS] = {0, 1, 1, 0}, layer[CONVOLUTIONS] = {0, 4, 6, 0};
    ck_assert_uint_eq(n, CONVOLUTIONS);
    for (size_t k = 0; k < n; ++k) {
        ck_assert_uint_eq(retc_network_bypasses(network, cut[k], at), expected[k]);
        ck_assert_uint_eq(retc_path_rows(network, cut[k]), retc_layer_units(&network->layer[cut[k]]) + expected[k]);
        if (expected[k])
            ck_assert_uint_eq(at[0], layer[k]);
    }
    ck_assert_uint_eq(retc_network_bypasses(network, 3, NULL), 2); /* the ReLU between both beginnings and both ends */
    retc_network_free(network);
}
END_TEST

/* ---- completeness ---------------------------------------------------------------------------------------------------- */

/* A sum of contributions rounds like a sum of floats of which the gradients carry some ten roundings themselves. */
static void
assert_complete(const sums *s, const char *what) {
    for (size_t k = 0; k < s->cuts; ++k)
        for (size_t t = 0; t < s->T; ++t) {
            double sum = s->units[k][t] + s->bypass[k][t], allowed = 1e-5 * (s->size[k][t] + fabs(s->change[t]));
            ck_assert_msg(fabs(sum - s->change[t]) <= allowed, "%s, cut %zu, sample %zu: %g, expected %g", what, k, t, sum,
                          s->change[t]);
            ck_assert_msg(fabs(sum - s->change[t] - s->residual[k][t]) <= allowed, "%s, cut %zu: residual %g", what, k,
                          s->residual[k][t]);
        }
}

/* As many steps as needed, three secants: complete at every place, for a cell and for the sum; without what goes past conv1 and
 * conv2 a good part would be missing. */
START_TEST(contributions_and_bypasses_add_up) {
    retc_recording *recording = make_recording("complete.h5");
    retc_network *network = make_network(0);
    retc_target target;
    ck_ok(retc_target_init(&target, _i % 2 ? RETC_TARGET_SUM : RETC_TARGET_CELL, N, 1));
    for (size_t steps = 0; steps < 4; steps += 3) {
        retc_contribute_options options = retc_contribute_default();
        options.place = (retc_contribute_place)(_i / 2), options.steps = steps, options.block = 32, options.threads = 2;
        sums s = contribute(network, recording, &target, &options);
        assert_complete(&s, "secants");
        for (size_t k = 0; k < s.cuts && options.place == RETC_AT_CONVOLUTION; ++k)
            if (k == 1 || k == 2)
                ck_assert_double_gt(norm(s.bypass[k], s.T), 0.05 * norm(s.change, s.T));
            else
                ck_assert(norm(s.bypass[k], s.T) == 0);
        clear(&s);
    }
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Trapezia miss the change of the target by their own error, which many steps make small, and not by what goes past. */
START_TEST(trapezia_take_bypasses_along) {
    retc_recording *recording = make_recording("trapezia.h5");
    retc_network *network = make_network(0);
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    retc_contribute_options options = {.rule = RETC_TRAPEZIUM, .steps = 400, .block = 64, .threads = 1}, secants = options;
    secants.rule = RETC_SECANT;
    sums s = contribute(network, recording, &target, &options), exact = contribute(network, recording, &target, &secants);
    for (size_t k = 0; k < s.cuts; ++k)
        for (size_t t = 0; t < s.T; ++t) {
            ck_assert_double_le(fabs(s.residual[k][t]), 0.01 * norm(s.change, s.T) / sqrt((double)s.T));
            ck_assert_double_le(fabs(s.bypass[k][t] - exact.bypass[k][t]), 0.01 * norm(s.change, s.T) / sqrt((double)s.T));
        }
    clear(&s), clear(&exact);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Where all is linear, what goes past conv1 does as much as the network without conv1 changes: its weights are set to 0, and so
 * is what the second addition takes from it. */
START_TEST(bypasses_of_linear_networks_are_those_without_the_layer) {
    retc_recording *recording = make_recording("linear.h5");
    retc_network *network = make_network(1), *without = make_network(1);
    size_t cut[16];
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_CELL, N, 2));
    ck_assert_uint_eq(retc_network_cuts(network, cut), CONVOLUTIONS);
    size_t emptied = cut[1 + (size_t)_i];
    const retc_param *weight = &without->param[without->layer[emptied].weight];
    memset(without->value + weight->offset, 0, weight->size * sizeof(float));
    retc_contribute_options options = {.steps = 1, .block = 64, .threads = 1};
    sums s = contribute(network, recording, &target, &options), rest = contribute(without, recording, &target, &options);
    double largest = 0;
    for (size_t t = 0; t < s.T; ++t) {
        size_t k = 1 + (size_t)_i;
        ck_assert_msg(fabs(s.bypass[k][t] - rest.change[t]) <= 1e-5 * s.size[k][t], "cut %zu, sample %zu: %g, expected %g", k,
                      t, s.bypass[k][t], rest.change[t]);
        largest = fmax(largest, fabs(rest.change[t]));
    }
    ck_assert_double_gt(largest, 0.01);
    clear(&s), clear(&rest);
    retc_network_free(network), retc_network_free(without);
    retc_recording_close(recording);
}
END_TEST

START_TEST(bypasses_do_not_depend_on_blocks_or_threads) {
    retc_recording *recording = make_recording("blocks.h5");
    retc_network *network = make_network(0);
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    retc_contribute_options options = retc_contribute_default();
    options.threads = 1;
    sums one = contribute(network, recording, &target, &options);
    options.threads = 2, options.block = 19;
    sums other = contribute(network, recording, &target, &options);
    for (size_t k = 0; k < one.cuts; ++k)
        ck_assert_mem_eq(one.bypass[k], other.bypass[k], one.T * sizeof(double));
    clear(&one), clear(&other);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- the file -------------------------------------------------------------------------------------------------------- */

/* From the numbers in the file alone: what is written of a layer's channels, and of what goes past it, is the change. */
START_TEST(files_hold_what_goes_past) {
    retc_recording *recording = make_recording("written.h5");
    retc_network *network = make_network(0);
    retc_target target;
    retc_completeness completeness;
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    retc_contribute_options options = retc_contribute_default();
    options.steps = 3;
    retc_h5 *file = retc_h5_create(retc_test_path("out.h5"), 1);
    ck_assert(file != NULL);
    ck_ok(
        retc_contribute_write(network, recording, RETC_TEST, &target, &options, NULL, "written.h5", file, NULL, &completeness));
    enum { T = FRAMES - DEPTH };
    double change[T], zero[T];
    float part[T * 2 * CHANNELS], bypass[T];
    char name[64], *passes = NULL;
    const size_t expected[2] = {T, 1};
    ck_ok(retc_h5_read(file, "/completeness/target", RETC_H5_DOUBLE, NULL, NULL, change));
    ck_ok(retc_h5_read(file, "/completeness/target_zero", RETC_H5_DOUBLE, NULL, NULL, zero));
    for (int k = 1; k < 3; ++k) {
        snprintf(name, sizeof name, "/completeness/bypass/conv%d", k);
        ck_ok(retc_h5_expect(file, name, 2, expected, NULL));
        ck_ok(retc_h5_read(file, name, RETC_H5_FLOAT, NULL, NULL, bypass));
        ck_ok(retc_h5_get_text(file, name, "passes", &passes));
        ck_assert_str_eq(passes, k == 1 ? "sequential.1 to sequential.4" : "sequential.2 to sequential.6");
        retc_free(passes);
        snprintf(name, sizeof name, "/sum_contributions/conv%d", k);
        ck_ok(retc_h5_read(file, name, RETC_H5_FLOAT, NULL, NULL, part));
        for (size_t t = 0; t < T; ++t) {
            double sum = (double)bypass[t], size = fabs(sum);
            for (size_t c = 0; c < 2 * CHANNELS; ++c)
                sum += (double)part[t * 2 * CHANNELS + c], size += fabs((double)part[t * 2 * CHANNELS + c]);
            ck_assert_double_le(fabs(sum - (change[t] - zero[t])), 1e-5 * size);
        }
        ck_assert_double_gt(completeness.bypass[k], 0.05);
    }
    ck_assert(!retc_h5_has(file, "/completeness/bypass/conv0") && !retc_h5_has(file, "/completeness/bypass/conv3"));
    ck_assert(completeness.bypass[0] == 0);
    retc_h5_close(file);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static Suite *
bypass_suite(void) {
    Suite *suite = suite_create("bypass");
    TCase *tcase = tcase_create("bypass");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, additions_that_go_past_a_layer_are_found);
    tcase_add_loop_test(tcase, contributions_and_bypasses_add_up, 0, 6);
    tcase_add_test(tcase, trapezia_take_bypasses_along);
    tcase_add_loop_test(tcase, bypasses_of_linear_networks_are_those_without_the_layer, 0, 2);
    tcase_add_test(tcase, bypasses_do_not_depend_on_blocks_or_threads);
    tcase_add_test(tcase, files_hold_what_goes_past);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(bypass_suite(), NULL);
}
