/* Input attributions: complete, equal to the mean gradient times the stimulus as computed without any of the short cuts, closed
 * for linear networks, and cut to what a cell sees. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"
#include "input.h"
#include "stream.h"
#include "testing.h"

enum { FRAMES = 70, DEPTH = 6, SIDE = 9, N = 4, SIZE = DEPTH * SIDE * SIDE };

static retc_recording *
make_recording(const char *name, float **movie_out) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), *counts = retc_calloc(N * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(counts);
    if (movie_out)
        *movie_out = movie;
    else
        retc_free(movie);
    return recording;
}

/* Attributions of all samples, window by window. */
typedef struct {
    float x[FRAMES][SIZE];
    double residual[FRAMES], error[FRAMES];
    size_t sample[FRAMES], steps[FRAMES], n;
} all;

static int
collect(void *context, const retc_input_block *b) {
    all *a = context;
    for (size_t t = 0; t < b->n; ++t, ++a->n) {
        a->sample[a->n] = b->sample[t];
        a->residual[a->n] = b->residual[t], a->error[a->n] = b->error[t], a->steps[a->n] = b->steps[t];
        for (size_t i = 0; i < SIZE; ++i)
            a->x[a->n][i] = b->attribution[i * b->ld + t];
    }
    return RETC_OK;
}

static all *
attribute(const retc_network *network, retc_recording *recording, const retc_target *target,
          const retc_input_options *options) {
    all *a = retc_calloc(1, sizeof *a);
    ck_ok(retc_input(network, recording, RETC_TEST, target, options, collect, a, NULL));
    return a;
}

static double
size_of(const float *x) {
    double sum = 0;
    for (size_t i = 0; i < SIZE; ++i)
        sum += fabs((double)x[i]);
    return sum;
}

static void
make_target(retc_target *target, int which) {
    static const double mean[N] = {0.5, 1, 0.2, 0.7};
    double precision[N * N];
    for (size_t i = 0; i < N * N; ++i)
        precision[i] = i % (N + 1) ? 0.1 : 1;
    if (which == 0)
        ck_ok(retc_target_init(target, RETC_TARGET_CELL, N, 1));
    else if (which == 1)
        ck_ok(retc_target_init(target, RETC_TARGET_SUM, N, 0));
    else
        ck_ok(retc_target_init_given(target, N, mean, precision));
}

/* With any number of steps, from grey, from windows and from the blurred stimulus.  A sum of SIZE floats, each a sum over the
 * kernel and the layers above: 1e-5 of the sizes that cancel is some hundred roundings. */
START_TEST(attributions_are_complete) {
    retc_recording *recording = make_recording("complete.h5", NULL);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_baseline baseline = retc_baseline_grey();
    retc_target target;
    make_target(&target, _i % 3);
    if (_i / 3 == 1)
        ck_ok(retc_baseline_init_windows(&baseline, network, recording, 3, 1));
    if (_i / 3 == 2)
        ck_ok(retc_baseline_init_blur(&baseline, network, 1));
    for (size_t steps = 1; steps <= 4; steps += 3) {
        retc_input_options options = retc_input_default();
        options.refine.steps = steps, options.baseline = _i / 3 ? &baseline : NULL;
        all *a = attribute(network, recording, &target, &options);
        ck_assert_uint_eq(a->n, FRAMES - DEPTH);
        for (size_t t = 0; t < a->n; ++t) {
            ck_assert_double_gt(size_of(a->x[t]), 0);
            ck_assert_double_le(fabs(a->residual[t]), 1e-5 * (size_of(a->x[t]) + 1));
        }
        retc_free(a);
    }
    retc_baseline_clear(&baseline);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* The definition, by the middles of `steps` pieces of the path: gradient at alpha x, of every frame's window, times x. */
static void
by_definition(const retc_network *network, const float *movie, size_t cell, size_t steps, all *a) {
    size_t n = FRAMES - DEPTH, last = network->layers - 1;
    retc_tape *tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, NULL);
    ck_assert_ptr_nonnull(tape);
    ck_ok(retc_tape_add_window_gradient(tape));
    float *scaled = retc_calloc(FRAMES * SIDE * SIDE, sizeof *scaled);
    float mean = (float)network->stimulus_mean, deviation = (float)network->stimulus_std;
    for (size_t step = 0; step < steps; ++step) {
        float alpha = ((float)step + 0.5f) / (float)steps;
        for (size_t i = 0; i < FRAMES * SIDE * SIDE; ++i)
            scaled[i] = mean + alpha * (movie[i] - mean);
        retc_tape_load(tape, scaled, n);
        retc_tape_forward(tape, 0, network->layers, n);
        memset(tape->grad[last], 0, network->N * tape->ld * sizeof(float));
        for (size_t t = 0; t < n; ++t)
            tape->grad[last][cell * tape->ld + t] = 1;
        retc_tape_backward(tape, last, 0, n);
        retc_tape_backward_window(tape, n);
        for (size_t t = 0; t < n; ++t)
            for (size_t i = 0; i < SIZE; ++i) {
                size_t k = i / (SIDE * SIDE), p = i % (SIDE * SIDE);
                float x = (movie[(t + k) * SIDE * SIDE + p] - mean) / deviation;
                a->x[t][i] += tape->window_grad[i * tape->ld + t] * x / (float)steps;
            }
    }
    retc_free(scaled);
    retc_tape_free(tape);
}

START_TEST(attributions_are_mean_gradients_times_the_stimulus) {
    float *movie;
    retc_recording *recording = make_recording("definition.h5", &movie);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    make_target(&target, 0);
    all *expected = retc_calloc(1, sizeof *expected);
    by_definition(network, movie, 1, 512, expected);
    retc_input_options options = retc_input_default();
    double error[2] = {0};
    for (int fine = 0; fine < 2; ++fine) {
        options.refine.steps = fine ? 128 : 8;
        all *a = attribute(network, recording, &target, &options);
        for (size_t t = 0; t < a->n; ++t) {
            double difference = 0, norm = 0;
            for (size_t i = 0; i < SIZE; ++i) {
                double d = (double)a->x[t][i] - (double)expected->x[t][i];
                difference += d * d, norm += (double)expected->x[t][i] * (double)expected->x[t][i];
            }
            error[fine] = fmax(error[fine], sqrt(difference / norm));
        }
        retc_free(a);
    }
    /* Middles of 512 pieces place the kinks of ReLUs with an error of 1/1024 of the path each; secants of 128 steps are as
     * exact. The step of a gradient at a kink is a part of the whole gradient, of which there are many. */
    ck_assert_msg(error[1] < 5e-3, "%g, with 8 steps %g", error[1], error[0]);
    ck_assert_double_lt(error[1], error[0]);
    retc_free(expected), retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* With as many steps as needed they are those of very many, as far as the estimate says: that is of contributions to conv0's
 * output, which its kernels bring down to pixels, where errors and attributions are spread alike but not the same.  Where too
 * few steps are allowed, that is said. */
START_TEST(refined_attributions_agree_with_very_many_steps) {
    retc_recording *recording = make_recording("refined.h5", NULL);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    make_target(&target, 2);
    retc_input_options options = retc_input_default(), few = options, fixed = options;
    fixed.refine.steps = 1024, few.refine.most_steps = RETC_REFINE_LEAST, few.refine.tolerance = 1e-4;
    all *a = attribute(network, recording, &target, &options), *truth = attribute(network, recording, &target, &fixed);
    all *marked = attribute(network, recording, &target, &few);
    size_t beyond = 0, marks = 0;
    for (size_t t = 0; t < a->n; ++t) {
        double difference = 0, norm = 0;
        for (size_t i = 0; i < SIZE; ++i) {
            double d = (double)a->x[t][i] - (double)truth->x[t][i];
            difference += d * d, norm += (double)truth->x[t][i] * (double)truth->x[t][i];
        }
        ck_assert_double_le(a->error[t], options.refine.tolerance);
        ck_assert_uint_ge(a->steps[t], RETC_REFINE_LEAST);
        ck_assert(truth->error[t] == 0 && truth->steps[t] == 1024);
        ck_assert_double_le(fabs(a->residual[t]), 1e-5 * (size_of(a->x[t]) + 1));
        ck_assert_uint_eq(marked->steps[t], RETC_REFINE_LEAST);
        beyond += sqrt(difference) > options.refine.tolerance * sqrt(norm);
        marks += marked->error[t] > few.refine.tolerance;
    }
    ck_assert_uint_le(beyond, a->n / 20);
    ck_assert_uint_gt(marks, a->n / 2);
    retc_free(a), retc_free(truth), retc_free(marked);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A linear network: kernel times stimulus, whatever the steps; and only every third run of samples when asked for. */
START_TEST(attributions_of_linear_networks_are_filters_times_stimulus) {
    float *movie;
    retc_recording *recording = make_recording("linear.h5", &movie);
    retc_network *network = retc_network_alloc("linear", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    network->stimulus_mean = 0.3, network->stimulus_std = 2;
    retc_target target;
    make_target(&target, 0);
    retc_input_options options = retc_input_default();
    options.every = 3, options.refine.steps = 2;
    all *a = attribute(network, recording, &target, &options);
    const float *w = retc_network_values(network, network->layer[0].weight) + SIZE;
    ck_assert_uint_eq(a->n, 16 + 16); /* 0 ... 15, 48 ... 63 */
    for (size_t t = 0; t < a->n; ++t) {
        ck_assert_uint_eq(a->sample[t], t < 16 ? t : 48 + t - 16);
        for (size_t i = 0; i < SIZE; ++i) {
            float x = (movie[a->sample[t] * SIDE * SIDE + i] - 0.3f) / 2;
            ck_assert_double_le(fabs((double)(a->x[t][i] - w[i] * x)), 1e-5 * fabs((double)w[i])); /* |x| < 5, some roundings */
        }
    }
    retc_free(a), retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A readout of one position per cell: pixels that the cell does not see are left out, and had no share.  The file holds sums.
 */
START_TEST(files_are_cut_to_what_a_cell_sees) {
    retc_recording *recording = make_recording("cut.h5", NULL);
    retc_network *network = retc_network_alloc("grab", DEPTH, SIDE, SIDE, N);
    static const size_t position[2 * N] = {0, 0, 2, 3, 4, 4, 1, 2};
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_conv(network, N, 3, 3, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_add_grab(network, position));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    retc_target target;
    make_target(&target, 0); /* cell 1: rows 2 ... 6, columns 3 ... 7 */
    retc_input_box box;
    ck_ok(retc_input_find_box(network, &target, &box));
    ck_assert(box.row == 2 && box.rows == 5 && box.column == 3 && box.columns == 5);
    retc_input_options options = retc_input_default();
    options.block = 7, options.threads = 2;
    all *a = attribute(network, recording, &target, &options);
    retc_h5 *file = retc_h5_create(retc_test_path("input.h5"), 1);
    size_t unconverged = 0;
    ck_ok(retc_input_write(network, recording, RETC_TEST, &target, &options, 1, file, NULL, &unconverged));
    ck_assert_uint_eq(unconverged, 0);
    size_t T = FRAMES - DEPTH;
    void *full = NULL, *map = NULL, *course = NULL;
    size_t shape[4];
    ck_assert(retc_h5_has(file, "/input/error") && retc_h5_has(file, "/input/steps"));
    ck_ok(retc_h5_read_new(file, "/input/attribution", RETC_H5_FLOAT, 4, shape, &full));
    ck_assert(shape[0] == T && shape[1] == DEPTH && shape[2] == 5 && shape[3] == 5);
    ck_ok(retc_h5_read_new(file, "/input/map", RETC_H5_FLOAT, 3, shape, &map));
    ck_ok(retc_h5_read_new(file, "/input/course", RETC_H5_FLOAT, 2, shape, &course));
    for (size_t t = 0; t < T; ++t) {
        double total = 0, kept = 0, maps = 0, courses = 0, tolerance = 1e-5 * size_of(a->x[t]);
        for (size_t i = 0; i < SIZE; ++i) {
            size_t k = i / (SIDE * SIDE), y = i / SIDE % SIDE, x = i % SIDE;
            int inside = y >= 2 && y < 7 && x >= 3 && x < 8;
            total += (double)a->x[t][i];
            if (!inside)
                ck_assert(a->x[t][i] == 0);
            else
                ck_assert(((float *)full)[((t * DEPTH + k) * 5 + y - 2) * 5 + x - 3] == a->x[t][i]);
        }
        for (size_t i = 0; i < 25; ++i)
            maps += (double)((float *)map)[t * 25 + i];
        for (size_t k = 0; k < DEPTH; ++k)
            courses += (double)((float *)course)[t * DEPTH + k];
        for (size_t i = 0; i < 25 * DEPTH; ++i)
            kept += (double)((float *)full)[t * 25 * DEPTH + i];
        ck_assert_double_le(fabs(kept - total), tolerance);
        ck_assert_double_le(fabs(maps - total), tolerance);
        ck_assert_double_le(fabs(courses - total), tolerance);
    }
    retc_free(full), retc_free(map), retc_free(course), retc_free(a);
    retc_h5_close(file);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(impossible_requests_are_refused) {
    retc_recording *recording = make_recording("refused.h5", NULL);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    make_target(&target, 1);
    retc_input_options options = retc_input_default();
    options.refine.tolerance = 0;
    ck_fails(retc_input(network, recording, RETC_TEST, &target, &options, collect, NULL, NULL), "tolerance above 0");
    options = retc_input_default(), options.every = 0;
    ck_fails(retc_input(network, recording, RETC_TEST, &target, &options, collect, NULL, NULL), "at least one");
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("input");
    TCase *tcase = tcase_create("attributions");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, attributions_are_complete, 0, 9);
    tcase_add_test(tcase, attributions_are_mean_gradients_times_the_stimulus);
    tcase_add_test(tcase, refined_attributions_agree_with_very_many_steps);
    tcase_add_test(tcase, attributions_of_linear_networks_are_filters_times_stimulus);
    tcase_add_test(tcase, files_are_cut_to_what_a_cell_sees);
    tcase_add_test(tcase, impossible_requests_are_refused);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
