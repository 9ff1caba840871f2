/* Contributions of all units: as many steps as needed, baselines, places. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "contribute.h"
#include "fixtures.h"
#include "model_file.h"
#include "rng.h"
#include "stream.h"
#include "testing.h"

enum { FRAMES = 130, DEPTH = 6, SIDE = 9, N = 4, CUTS = 3 };

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

/* Everything that contributions of a part give, over T samples. */
typedef struct {
    const retc_network *network;
    size_t T, cuts, cut[16], *steps;
    float *map[16]; /* (T,units) */
    double *residual[16], *error[16], *target, *target_zero;
} all;

static int
collect(void *context, const retc_contribution *b) {
    all *a = context;
    ck_assert_uint_le(b->sample + b->n, a->T);
    for (size_t k = 0; k < a->cuts; ++k) {
        size_t units = retc_layer_units(&a->network->layer[a->cut[k]]);
        for (size_t t = 0; t < b->n; ++t)
            for (size_t u = 0; u < units; ++u)
                a->map[k][(b->sample + t) * units + u] = b->map[k][u * b->map_ld + t];
        memcpy(a->residual[k] + b->sample, b->residual[k], b->n * sizeof(double));
        if (b->error)
            memcpy(a->error[k] + b->sample, b->error[k], b->n * sizeof(double));
    }
    memcpy(a->steps + b->sample, b->steps, b->n * sizeof *b->steps);
    memcpy(a->target + b->sample, b->target, b->n * sizeof(double));
    memcpy(a->target_zero + b->sample, b->target_zero, b->n * sizeof(double));
    return RETC_OK;
}

static all
contribute(const retc_network *network, retc_recording *recording, const retc_target *target,
           const retc_contribute_options *options) {
    all a = {.network = network};
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(recording, RETC_TEST, network->L, network->lag, &spans, &n));
    for (size_t s = 0; s < n; ++s)
        a.T += spans[s].count;
    retc_free(spans);
    a.cuts = retc_contribute_cuts(network, options->place, a.cut);
    for (size_t k = 0; k < a.cuts; ++k) {
        a.map[k] = retc_calloc(a.T * retc_layer_units(&network->layer[a.cut[k]]), sizeof(float));
        a.residual[k] = retc_calloc(a.T, sizeof(double));
        a.error[k] = retc_calloc(a.T, sizeof(double));
    }
    a.steps = retc_calloc(a.T, sizeof(size_t));
    a.target = retc_calloc(a.T, sizeof(double));
    a.target_zero = retc_calloc(a.T, sizeof(double));
    ck_ok(retc_contribute(network, recording, RETC_TEST, target, options, collect, &a, NULL));
    return a;
}

static void
clear(all *a) {
    for (size_t k = 0; k < a->cuts; ++k)
        retc_free(a->map[k]), retc_free(a->residual[k]), retc_free(a->error[k]);
    retc_free(a->steps), retc_free(a->target), retc_free(a->target_zero);
}

static double
norm_of_difference(const float *x, const float *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += ((double)x[i] - (double)(y ? y[i] : 0)) * ((double)x[i] - (double)(y ? y[i] : 0));
    return sqrt(sum);
}

/* Relative distance of sample t's contributions from those of `truth`, the largest of all cuts. */
static double
distance(const all *a, const all *truth, size_t t, double floor) {
    double worst = 0;
    for (size_t k = 0; k < a->cuts; ++k) {
        size_t units = retc_layer_units(&a->network->layer[a->cut[k]]);
        const float *x = a->map[k] + t * units, *y = truth->map[k] + t * units;
        worst = fmax(worst, norm_of_difference(x, y, units) / fmax(norm_of_difference(y, NULL, units), floor));
    }
    return worst;
}

/* A sum of contributions rounds like a sum of `units` floats of which the gradients, sums over the layers above, carry some ten
 * roundings themselves; contributions of both signs cancel, so that the scale is the sum of their sizes. */
static void
assert_complete(const all *a, const char *what) {
    for (size_t k = 0; k < a->cuts; ++k) {
        size_t units = retc_layer_units(&a->network->layer[a->cut[k]]);
        for (size_t t = 0; t < a->T; ++t) {
            double size = fabs(a->target[t]) + fabs(a->target_zero[t]);
            for (size_t u = 0; u < units; ++u)
                size += fabs((double)a->map[k][t * units + u]);
            ck_assert_msg(fabs(a->residual[k][t]) <= 1e-5 * size, "%s, cut %zu, sample %zu: residual %g of %g", what, k, t,
                          a->residual[k][t], size);
        }
    }
}

/* ---- targets --------------------------------------------------------------------------------------------------------- */

/* Cell, sum, surprisal. */
static void
make_target(retc_target *target, int which) {
    static const double mean[N] = {0.5, 1, 0.2, 0.7};
    double precision[N * N];
    for (size_t i = 0; i < N * N; ++i)
        precision[i] = i % (N + 1) ? 0.1 : 1;
    if (which == 2)
        ck_ok(retc_target_init_given(target, N, mean, precision));
    else
        ck_ok(retc_target_init(target, which ? RETC_TARGET_SUM : RETC_TARGET_CELL, N, 1));
}

/* ---- as many steps as needed ----------------------------------------------------------------------------------------- */

/* The estimate knows two sums only: where both step over the same kink it is too small.  That must be rare, and never gross. */
START_TEST(refined_samples_agree_with_very_many_steps) {
    static const double tolerances[] = {3e-2, 1e-2, 1e-3};
    retc_recording *recording = make_recording("refined.h5");
    retc_network *network = retc_fixture_network(3 + (uint64_t)_i / 3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    make_target(&target, _i % 3);
    retc_contribute_options fixed = {.steps = 4096, .block = 64, .threads = 2};
    all truth = contribute(network, recording, &target, &fixed);
    for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; ++i) {
        retc_contribute_options options = retc_contribute_default();
        options.tolerance = tolerances[i];
        all a = contribute(network, recording, &target, &options);
        double steps = 0, worst = 0;
        size_t beyond = 0;
        for (size_t t = 0; t < a.T; ++t) {
            double error = distance(&a, &truth, t, options.floor);
            worst = fmax(worst, error);
            beyond += error > options.tolerance;
            steps += (double)a.steps[t] / (double)a.T;
            for (size_t k = 0; k < a.cuts; ++k)
                ck_assert_double_le(a.error[k][t], options.tolerance);
        }
        printf("network %d, target %s, tolerance %g: %.1f steps, worst error %.2e, %zu of %zu beyond\n", _i / 3,
               retc_target_name(&target), options.tolerance, steps, worst, beyond, a.T);
        ck_assert_uint_le(beyond, a.T / 20);
        ck_assert_double_le(worst, 10 * options.tolerance);
        assert_complete(&a, "refined");
        clear(&a);
    }
    clear(&truth);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(samples_that_need_too_many_steps_are_marked) {
    retc_recording *recording = make_recording("marked.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    make_target(&target, 1);
    retc_contribute_options options = retc_contribute_default();
    options.tolerance = 1e-5, options.most_steps = 16;
    all a = contribute(network, recording, &target, &options);
    size_t marked = 0;
    for (size_t t = 0; t < a.T; ++t) {
        ck_assert_uint_le(a.steps[t], 16);
        marked += a.error[0][t] > options.tolerance;
    }
    ck_assert_uint_gt(marked, a.T / 2);
    assert_complete(&a, "marked");
    clear(&a);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(refined_samples_do_not_depend_on_blocks_or_threads) {
    retc_recording *recording = make_recording("blocks.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    make_target(&target, 2);
    retc_contribute_options options = retc_contribute_default();
    options.threads = 1;
    all one = contribute(network, recording, &target, &options);
    static const size_t blocks[] = {17, 64, 200};
    for (size_t i = 0; i < 3; ++i) {
        options.block = blocks[i], options.threads = 1 + i;
        all other = contribute(network, recording, &target, &options);
        for (size_t k = 0; k < one.cuts; ++k) {
            size_t units = retc_layer_units(&network->layer[one.cut[k]]);
            ck_assert_mem_eq(one.map[k], other.map[k], one.T * units * sizeof(float));
            ck_assert_mem_eq(one.error[k], other.error[k], one.T * sizeof(double));
        }
        ck_assert_mem_eq(one.steps, other.steps, one.T * sizeof(size_t));
        clear(&other);
    }
    clear(&one);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- baselines ------------------------------------------------------------------------------------------------------- */

static void
make_baseline(int which, const retc_network *network, retc_recording *recording, retc_baseline *baseline) {
    float frame[SIDE * SIDE];
    switch (which) {
    case 0:
        *baseline = retc_baseline_grey();
        break;
    case 1:
        ck_ok(retc_baseline_init_mean(baseline, network, recording));
        break;
    case 2:
        ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 7, 1, frame));
        ck_ok(retc_baseline_init_frame(baseline, network, frame));
        break;
    case 3:
        ck_ok(retc_baseline_init_blur(baseline, network, 1.5));
        break;
    default:
        ck_ok(retc_baseline_init_windows(baseline, network, recording, 5, 1));
    }
}

/* From every baseline and at every place the contributions are the change of the target. */
START_TEST(contributions_are_complete_from_every_baseline) {
    retc_recording *recording = make_recording("baselines.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_baseline baseline;
    retc_target target;
    make_target(&target, 2);
    make_baseline(_i / 3, network, recording, &baseline);
    for (size_t steps = 0; steps < 4; steps += 3) {
        retc_contribute_options options = retc_contribute_default();
        options.place = (retc_contribute_place)(_i % 3), options.baseline = &baseline, options.steps = steps;
        all a = contribute(network, recording, &target, &options);
        assert_complete(&a, "baseline");
        for (size_t t = 1; t < a.T; ++t) /* the target changes, or completeness would say nothing */
            ck_assert(a.target[t] != a.target_zero[t]);
        clear(&a);
    }
    retc_baseline_clear(&baseline);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A linear network: unit u of conv0 contributes (gradient of the readout by u) W_u * (x - x0), whatever the steps.  Checked
 * through a difference: contributions from x0 are those from grey less what x0's own window contributes from grey. */
START_TEST(baselines_of_linear_networks_subtract) {
    retc_recording *recording = make_recording("linear.h5");
    retc_network *network = retc_network_alloc("linear", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, 3, 4, 5, 1, 0));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    retc_baseline baseline;
    retc_target target;
    make_target(&target, 0);
    make_baseline(4, network, recording, &baseline);
    size_t units = retc_layer_units(&network->layer[0]);
    retc_contribute_options options = {.steps = 3, .block = 32, .threads = 1}, from_grey = options;
    options.baseline = &baseline;
    all a = contribute(network, recording, &target, &options), grey = contribute(network, recording, &target, &from_grey);
    float *base = retc_calloc(units, sizeof *base), *expected = retc_calloc(units, sizeof *expected);
    const float *readout = retc_network_values(network, network->layer[1].weight) + units; /* of cell 1 */
    const float *bias = retc_network_values(network, network->layer[0].bias);
    for (size_t b = 0; b < baseline.n; ++b) {
        ck_ok(retc_baseline_convolve(&baseline, network, b, base));
        for (size_t u = 0; u < units; ++u)
            expected[u] -= readout[u] * (base[u] - bias[u / (network->layer[0].h * network->layer[0].w)]) / (float)baseline.n;
    }
    for (size_t t = 0; t < a.T; ++t)
        for (size_t u = 0; u < units; ++u) {
            float sum = grey.map[0][t * units + u] + expected[u];
            /* Sums of DEPTH x 4 x 5 products, and differences of numbers of their size. */
            ck_assert_double_le(fabs((double)(a.map[0][t * units + u] - sum)), 1e-4);
        }
    clear(&a), clear(&grey);
    retc_free(base), retc_free(expected);
    retc_baseline_clear(&baseline);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A movie without structure in space is its own blurred version: nothing contributes. */
START_TEST(blurring_leaves_uniform_frames_alone) {
    float *noise = retc_fixture_movie(9, FRAMES, 1, 1), *movie = retc_calloc(FRAMES * SIDE * SIDE, sizeof *movie);
    float *counts = retc_calloc(N * FRAMES, sizeof *counts);
    for (size_t i = 0; i < FRAMES * SIDE * SIDE; ++i)
        movie[i] = noise[i / (SIDE * SIDE)];
    const char *path = retc_test_path("uniform.h5");
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_baseline baseline;
    retc_target target;
    make_target(&target, 1);
    make_baseline(3, network, recording, &baseline);
    retc_contribute_options options = {.steps = 2, .block = 32, .threads = 1}, from_grey = options;
    options.baseline = &baseline;
    all a = contribute(network, recording, &target, &options), grey = contribute(network, recording, &target, &from_grey);
    for (size_t k = 0; k < a.cuts; ++k) {
        size_t n = a.T * retc_layer_units(&network->layer[a.cut[k]]);
        ck_assert_double_le(norm_of_difference(a.map[k], NULL, n), 1e-5 * norm_of_difference(grey.map[k], NULL, n));
    }
    clear(&a), clear(&grey);
    retc_free(noise), retc_free(movie), retc_free(counts);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(impossible_requests_are_refused) {
    retc_recording *recording = make_recording("refused.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    retc_baseline baseline;
    make_target(&target, 1);
    retc_contribute_options options = retc_contribute_default();
    options.rule = RETC_TRAPEZIUM;
    ck_fails(retc_contribute(network, recording, RETC_TEST, &target, &options, collect, NULL, NULL), "trapezia");
    options.rule = RETC_SECANT, options.tolerance = 0;
    ck_fails(retc_contribute(network, recording, RETC_TEST, &target, &options, collect, NULL, NULL), "tolerance");
    ck_fails(retc_baseline_init_blur(&baseline, network, 0), "width");
    float frame[SIDE * SIDE] = {0, 0, NAN};
    ck_fails(retc_baseline_init_frame(&baseline, network, frame), "row 0, column 2");
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static Suite *
contribute_suite(void) {
    Suite *suite = suite_create("contribute");
    TCase *tcase = tcase_create("steps");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, refined_samples_agree_with_very_many_steps, 0, 9);
    tcase_add_test(tcase, samples_that_need_too_many_steps_are_marked);
    tcase_add_test(tcase, refined_samples_do_not_depend_on_blocks_or_threads);
    tcase_add_loop_test(tcase, contributions_are_complete_from_every_baseline, 0, 15);
    tcase_add_test(tcase, baselines_of_linear_networks_subtract);
    tcase_add_test(tcase, blurring_leaves_uniform_frames_alone);
    tcase_add_test(tcase, impossible_requests_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(contribute_suite(), NULL);
}
