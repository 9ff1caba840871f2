/* Baselines that are movies: what paths start from, what they add up to, in every method, and movies that do not fit. */
#include "baseline.h"

#include <math.h>
#include <string.h>

#include "collected.h"
#include "fixtures.h"
#include "input.h"
#include "pairs.h"
#include "stimulus_file.h"
#include "testing.h"

enum { FRAMES = 60, DEPTH = 5, SIDE = 8, N = 4, PIXELS = SIDE * SIDE, SIZE = DEPTH * PIXELS };

/* A recording that shows the movie of this seed. */
static retc_recording *
make_recording(const char *name, uint64_t seed) {
    float *movie = retc_fixture_movie(seed, FRAMES, SIDE, SIDE), *counts = retc_calloc(N * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(movie), retc_free(counts);
    return recording;
}

static int
copy_frames(void *context, size_t t0, size_t n, float *out) {
    memcpy(out, (const float *)context + t0 * PIXELS, n * PIXELS * sizeof *out);
    return RETC_OK;
}

/* The first `frames` frames of the same movie in a file of its own. */
static const char *
make_stimulus(const char *name, uint64_t seed, size_t frames) {
    float *movie = retc_fixture_movie(seed, FRAMES + 8, SIDE, SIDE);
    const char *path = retc_test_path(name);
    retc_h5 *file = retc_h5_create(path, 1);
    const retc_stimulus_layout layout = {frames, SIDE, SIDE, 0.01, RETC_H5_FLOAT};
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_stimulus_write(file, "noise", &layout, copy_frames, movie, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(movie);
    return path;
}

enum { SCENE = 4, OBJECT = 9 }; /* seeds of two movies */

typedef struct {
    retc_recording *scene, *other;
    retc_network *network;
    retc_target target;
    retc_baseline baseline;
} setting;

/* Explain the scene from the other movie, which comes as a stimulus file or in a recording. */
static setting
set_up(int as_recording, retc_network *network) {
    static const double mean[N] = {0.5, 1, 0.2, 0.7};
    double precision[N * N];
    for (size_t i = 0; i < N * N; ++i)
        precision[i] = i % (N + 1) ? 0.1 : 1;
    setting s = {make_recording("scene.h5", SCENE), make_recording("other.h5", OBJECT), network, {0}, {0}};
    ck_ok(retc_target_init_given(&s.target, N, mean, precision));
    const char *path = as_recording ? retc_test_path("other.h5") : make_stimulus("other-movie.h5", OBJECT, FRAMES);
    ck_ok(retc_baseline_init_movie(&s.baseline, s.network, s.scene, RETC_TEST, path, NULL));
    ck_assert(retc_baseline_moves(&s.baseline) && s.baseline.n == 1);
    return s;
}

static void
tear_down(setting *s) {
    retc_baseline_clear(&s->baseline);
    retc_target_clear(&s->target);
    retc_network_free(s->network);
    retc_recording_close(s->scene), retc_recording_close(s->other);
}

static retc_network *
linear_network(void) {
    retc_network *network = retc_network_alloc("linear", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, 3, 4, 3, 1, 0));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    return network;
}

static double
largest(const float *x, size_t n) {
    double most = 0;
    for (size_t i = 0; i < n; ++i)
        most = fmax(most, fabs((double)x[i]));
    return most;
}

/* ---- contributions --------------------------------------------------------------------------------------------------- */

/* The target at the start of a sample's path is that of the other movie at the same time, which running the model on that movie
 * gives; and contributions are complete.  Sums of some hundred floats: 1e-6 of the sizes that cancel. */
START_TEST(paths_start_from_the_same_frames) {
    setting s = set_up(_i % 2, retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0));
    s.network->lag = (size_t)(_i / 2);
    retc_contribute_options options = retc_contribute_default();
    options.threads = 2, options.block = 24;
    collected other = collect(s.network, s.other, &s.target, &options);
    options.baseline = &s.baseline;
    for (size_t steps = 0; steps < 4; steps += 3) {
        options.steps = steps;
        collected a = collect(s.network, s.scene, &s.target, &options);
        ck_assert_uint_eq(a.T, FRAMES - DEPTH + 1 - s.network->lag);
        ck_close_double("start", a.target_zero, other.target, a.T, 0, 1e-6);
        ck_assert(fabs(a.target_zero[0] - a.target_zero[1]) > 1e-3 * fabs(a.target_zero[0])); /* it moves */
        for (size_t k = 0; k < a.cuts; ++k)
            for (size_t t = 0; t < a.T; ++t) {
                double size = fabs(a.target[t]) + fabs(a.target_zero[t]);
                size_t units = retc_layer_units(&s.network->layer[a.cut[k]]);
                for (size_t u = 0; u < units; ++u)
                    size += fabs((double)a.map[k][t * units + u]);
                ck_assert_double_le(fabs(a.residual[k][t]), 1e-6 * size);
            }
        collected_clear(&a);
    }
    collected_clear(&other);
    tear_down(&s);
}
END_TEST

/* What the scene has in common with itself is everything. */
START_TEST(nothing_is_added_to_the_same_movie) {
    setting s = set_up(0, retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0));
    retc_baseline same;
    ck_ok(retc_baseline_init_movie(&same, s.network, s.scene, RETC_TEST, retc_test_path("scene.h5"), NULL));
    retc_contribute_options options = collect_by((retc_attribution_method[]){RETC_METHOD_PATH, RETC_METHOD_KNOCK_OUT}[_i]);
    collected grey = collect(s.network, s.scene, &s.target, &options);
    options.baseline = &same;
    collected a = collect(s.network, s.scene, &s.target, &options);
    for (size_t k = 0; k < a.cuts; ++k) {
        size_t n = a.T * retc_layer_units(&s.network->layer[a.cut[k]]);
        ck_assert_double_le(largest(a.map[k], n), 1e-5 * largest(grey.map[k], n));
        ck_assert_double_gt(largest(grey.map[k], n), 0);
    }
    collected_clear(&grey), collected_clear(&a);
    retc_baseline_clear(&same);
    tear_down(&s);
}
END_TEST

/* A linear network: contributions are those of the scene from grey less those of the other movie from grey. */
START_TEST(movies_of_linear_networks_subtract) {
    setting s = set_up(_i, linear_network());
    retc_target cell;
    ck_ok(retc_target_init(&cell, RETC_TARGET_CELL, N, 1));
    retc_contribute_options options = collect_by(RETC_METHOD_PATH);
    options.steps = 2;
    collected scene = collect(s.network, s.scene, &cell, &options), other = collect(s.network, s.other, &cell, &options);
    options.baseline = &s.baseline;
    collected a = collect(s.network, s.scene, &cell, &options);
    for (size_t k = 0; k < a.cuts; ++k) {
        size_t n = a.T * retc_layer_units(&s.network->layer[a.cut[k]]);
        for (size_t i = 0; i < n; ++i)
            scene.map[k][i] -= other.map[k][i];
        ck_close_float("difference", a.map[k], scene.map[k], n, 0, 1e-5);
    }
    collected_clear(&scene), collected_clear(&other), collected_clear(&a);
    tear_down(&s);
}
END_TEST

/* Shapley values add up from a movie too; and nothing depends on the number of threads. */
START_TEST(threads_do_not_matter) {
    setting s = set_up(_i, retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0));
    retc_contribute_options options = collect_by(_i ? RETC_METHOD_SHAPLEY : RETC_METHOD_PATH);
    options.baseline = &s.baseline, options.attribution.orders = 2;
    collected three, one;
    options.threads = 3;
    three = collect(s.network, s.scene, &s.target, &options);
    options.threads = 1;
    one = collect(s.network, s.scene, &s.target, &options);
    for (size_t k = 0; k < one.cuts; ++k) {
        size_t units = retc_layer_units(&s.network->layer[one.cut[k]]);
        ck_assert_mem_eq(one.map[k], three.map[k], one.T * units * sizeof(float));
        for (size_t t = 0; t < one.T; ++t)
            ck_assert_double_le(fabs(one.residual[k][t]), 1e-5 * (fabs(one.target[t]) + fabs(one.target_zero[t]) +
                                                                  (double)units * largest(one.map[k] + t * units, units)));
    }
    collected_clear(&one), collected_clear(&three);
    tear_down(&s);
}
END_TEST

/* One frame is a movie that stands still. */
START_TEST(a_movie_of_one_frame_stands_still) {
    retc_recording *recording = make_recording("scene.h5", SCENE);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    float *movie = retc_fixture_movie(OBJECT, FRAMES, SIDE, SIDE);
    retc_baseline still, frame;
    ck_ok(retc_baseline_init_movie(&still, network, recording, RETC_TEST, make_stimulus("one.h5", OBJECT, 1), NULL));
    ck_ok(retc_baseline_init_frame(&frame, network, movie));
    ck_assert(!retc_baseline_moves(&still));
    ck_assert_mem_eq(still.window, frame.window, SIZE * sizeof(float));
    retc_baseline_clear(&still), retc_baseline_clear(&frame);
    retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- pixels and paths ------------------------------------------------------------------------------------------------ */

typedef struct {
    float x[FRAMES][SIZE];
    double residual[FRAMES];
    size_t n;
} pixels;

static int
collect_pixels(void *context, const retc_input_block *b) {
    pixels *a = context;
    for (size_t t = 0; t < b->n; ++t, ++a->n) {
        a->residual[a->n] = b->residual[t];
        for (size_t i = 0; i < SIZE; ++i)
            a->x[a->n][i] = b->attribution[i * b->ld + t];
    }
    return RETC_OK;
}

/* Complete in any network; in a linear one the filter times what the scene has more than the other movie. */
START_TEST(pixels_get_what_they_add) {
    setting s = set_up(0, _i ? linear_network() : retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0));
    retc_target cell;
    ck_ok(retc_target_init(&cell, RETC_TARGET_CELL, N, 1));
    retc_input_options options = retc_input_default();
    options.every = 2, options.block = 24, options.threads = 2;
    pixels *a = retc_calloc(3, sizeof *a);
    ck_ok(retc_input(s.network, s.scene, RETC_TEST, &cell, &options, collect_pixels, &a[1], NULL));
    ck_ok(retc_input(s.network, s.other, RETC_TEST, &cell, &options, collect_pixels, &a[2], NULL));
    options.baseline = &s.baseline;
    ck_ok(retc_input(s.network, s.scene, RETC_TEST, &cell, &options, collect_pixels, &a[0], NULL));
    ck_assert_uint_eq(a->n, 16 + 16); /* 0 ... 15, 32 ... 47 of 55 */
    for (size_t t = 0; t < a->n; ++t) {
        double size = 0;
        for (size_t i = 0; i < SIZE; ++i) {
            size += fabs((double)a[0].x[t][i]);
            a[1].x[t][i] -= a[2].x[t][i];
        }
        ck_assert_double_gt(size, 0);
        ck_assert_double_le(fabs(a->residual[t]), 1e-5 * (size + 1));
        if (_i)
            ck_close_float("difference", a[0].x[t], a[1].x[t], SIZE, 0, 1e-5);
    }
    retc_free(a);
    tear_down(&s);
}
END_TEST

/* Pairs add up to the mean change of the target from one movie to the other. */
START_TEST(paths_through_two_layers_add_up) {
    setting s = set_up(1, retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0));
    retc_contribute_options options = collect_by(RETC_METHOD_PATH);
    options.baseline = &s.baseline;
    collected a = collect(s.network, s.scene, &s.target, &options);
    retc_pairs_options choice = retc_pairs_default();
    choice.baseline = &s.baseline, choice.refine.steps = 3;
    retc_pairs pairs;
    ck_ok(retc_pairs_compute(s.network, s.scene, RETC_TEST, &s.target, 1, &choice, NULL, &pairs));
    double sum = 0, size = 0, change = 0;
    for (size_t i = 0; i < pairs.C0 * pairs.C1; ++i)
        sum += pairs.mean[i], size += pairs.size[i];
    for (size_t t = 0; t < a.T; ++t)
        change += (a.target[t] - a.target_zero[t]) / (double)a.T;
    ck_assert_double_le(fabs(sum - change), 1e-5 * size);
    ck_assert_double_gt(fabs(change), 1e-3 * size);
    retc_pairs_clear(&pairs);
    collected_clear(&a);
    tear_down(&s);
}
END_TEST

/* ---- movies that do not fit ------------------------------------------------------------------------------------------ */

START_TEST(movies_that_do_not_fit_are_refused) {
    retc_recording *recording = make_recording("scene.h5", SCENE);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_network *larger = retc_fixture_network(3, DEPTH, SIDE + 1, SIDE, N, 0);
    retc_baseline baseline;
    const char *path = make_stimulus("movie.h5", OBJECT, FRAMES);
    ck_fails(retc_baseline_init_movie(&baseline, larger, recording, RETC_TEST, path, NULL),
             "movie.h5: the baseline movie has 8x8 pixels, the model was fitted to 9x8");
    for (size_t more = 0; more < 2; ++more) {
        path = make_stimulus("movie.h5", OBJECT, FRAMES - 1 + 2 * more);
        ck_fails(retc_baseline_init_movie(&baseline, network, recording, RETC_TEST, path, NULL),
                 more ? "movie.h5: the baseline movie has 61 frames, the test part of" : "has 59 frames, the test part of");
        retc_baseline_clear(&baseline);
    }
    ck_fails(retc_baseline_init_movie(&baseline, network, recording, RETC_TEST, retc_test_path("nowhere.h5"), NULL),
             "nowhere.h5");
    path = retc_test_path("empty.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_h5_set_text(file, "/", "kind", "stimulus"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_fails(retc_baseline_init_movie(&baseline, network, recording, RETC_TEST, path, NULL), "empty.h5: ");
    retc_network_free(network), retc_network_free(larger);
    retc_recording_close(recording);
}
END_TEST

static int
receive_nothing(void *context, const retc_contribution *block) {
    (void)context, (void)block;
    return RETC_OK;
}

/* A frame that is not a number is named when it is met, also by a movie of one frame. */
START_TEST(frames_that_are_not_finite_are_named) {
    retc_recording *recording = make_recording("scene.h5", SCENE);
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    float *movie = retc_fixture_movie(OBJECT, FRAMES, SIDE, SIDE);
    size_t frames = _i ? 1 : FRAMES, bad = _i ? 0 : 33;
    const retc_stimulus_layout layout = {frames, SIDE, SIDE, 0.01, RETC_H5_FLOAT};
    movie[bad * PIXELS + 5] = NAN;
    const char *path = retc_test_path("bad.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_stimulus_write(file, "noise", &layout, copy_frames, movie, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_baseline baseline;
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    int status = retc_baseline_init_movie(&baseline, network, recording, RETC_TEST, path, NULL);
    if (_i == 0) {
        ck_ok(status);
        retc_contribute_options options = collect_by(RETC_METHOD_PATH);
        options.baseline = &baseline;
        status = retc_contribute(network, recording, RETC_TEST, &target, &options, receive_nothing, NULL, NULL);
    }
    ck_fails(status, "bad.h5");
    ck_assert_msg(strstr(retc_error_message(), _i ? "frame 0" : "frame 33") != NULL, "%s", retc_error_message());
    retc_baseline_clear(&baseline);
    retc_free(movie);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("baseline");
    TCase *tcase = tcase_create("movies");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, paths_start_from_the_same_frames, 0, 4);
    tcase_add_loop_test(tcase, nothing_is_added_to_the_same_movie, 0, 2);
    tcase_add_loop_test(tcase, movies_of_linear_networks_subtract, 0, 2);
    tcase_add_loop_test(tcase, threads_do_not_matter, 0, 2);
    tcase_add_test(tcase, a_movie_of_one_frame_stands_still);
    tcase_add_loop_test(tcase, pixels_get_what_they_add, 0, 2);
    tcase_add_test(tcase, paths_through_two_layers_add_up);
    tcase_add_test(tcase, movies_that_do_not_fit_are_refused);
    tcase_add_loop_test(tcase, frames_that_are_not_finite_are_named, 0, 2);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
