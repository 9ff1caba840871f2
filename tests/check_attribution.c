/* Other methods than paths: against each other, closed forms, forward differences, formulas written down again. */
#include <math.h>
#include <string.h>

#include "collected.h"
#include "fixtures.h"
#include "testing.h"

enum { FRAMES = 60, DEPTH = 5, SIDE = 8, N = 4 };

static retc_recording *
make_recording(const char *name, const float *movie) {
    float *counts = retc_calloc(N * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(counts);
    return recording;
}

static retc_recording *
noise_recording(const char *name) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE);
    retc_recording *recording = make_recording(name, movie);
    retc_free(movie);
    return recording;
}

/* ---- closed forms ---------------------------------------------------------------------------------------------------- */

static retc_network *
linear_network(void) {
    retc_network *network = retc_network_alloc("linear", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_ok(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    ck_ok(retc_network_add_conv(network, 4, 2, 2, 1, 0));
    ck_ok(retc_network_add_pool(network, RETC_LAYER_AVGPOOL, 2, 2));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_add_scale(network, 7.5, 0.5));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    return network;
}

/* A rounding of every target in float, 6e-8, is what differences of targets carry at least; sums of some hundred products add
 * ten times as much. */
START_TEST(methods_agree_on_linear_networks) {
    retc_recording *recording = noise_recording("linear.h5");
    retc_network *network = linear_network();
    static const double weight[N] = {1, -1, 0.5, 2};
    retc_target target;
    ck_ok(retc_target_init_linear(&target, N, N, weight));
    retc_contribute_options options = collect_by(RETC_METHOD_PATH);
    options.steps = 1;
    collected path = collect(network, recording, &target, &options);
    options = collect_by(RETC_METHOD_KNOCK_OUT);
    collected knock = collect(network, recording, &target, &options);
    options.attribution.per_unit = 1;
    collected unit = collect(network, recording, &target, &options);
    options = collect_by(RETC_METHOD_SHAPLEY);
    options.attribution.orders = 2;
    collected shapley = collect(network, recording, &target, &options);
    for (size_t k = 0; k < path.cuts; ++k) {
        const retc_layer *layer = &network->layer[path.cut[k]];
        for (size_t t = 0; t < path.T; ++t) {
            double size = 0;
            for (size_t j = 0; j < N; ++j)
                size += fabs(weight[j]) * 7.5 * 4; /* rates of a few standard deviations, 7.5 Hz each */
            for (size_t c = 0; c < layer->C; ++c) {
                ck_assert_double_le(fabs(collected_channel(&knock, k, t, c) - collected_channel(&path, k, t, c)), 1e-6 * size);
                ck_assert_double_le(fabs(collected_channel(&shapley, k, t, c) - collected_channel(&path, k, t, c)),
                                    1e-6 * size);
                ck_assert_double_le((double)shapley.error[k][t * layer->C + c], 1e-6 * size);
            }
            for (size_t u = 0; u < retc_layer_units(layer); ++u) {
                size_t i = t * retc_layer_units(layer) + u;
                ck_assert_double_le(fabs((double)unit.map[k][i] - (double)path.map[k][i]), 1e-6 * size);
            }
        }
    }
    collected_clear(&path), collected_clear(&knock), collected_clear(&unit), collected_clear(&shapley);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* A copy in which channels of conv0 are where they are at mean grey: those whose bit is not set have no weights. */
static retc_network *
without_channels(const retc_network *network, unsigned set) {
    retc_network *copy = retc_network_copy(network);
    const retc_layer *conv = &copy->layer[0];
    size_t size = network->L * conv->kh * conv->kw;
    for (size_t c = 0; c < conv->C; ++c)
        if (!(set >> c & 1))
            memset(retc_network_values(copy, conv->weight) + c * size, 0, size * sizeof(float));
    return copy;
}

/* t of every subset of conv0's channels, (1 << C,T). */
static double *
subsets(const retc_network *network, retc_recording *recording, const retc_target *target, size_t T) {
    size_t C = network->layer[0].C;
    double *value = retc_calloc(T << C, sizeof *value);
    retc_contribute_options options = collect_by(RETC_METHOD_ACT_GRAD);
    for (unsigned set = 0; set < 1u << C; ++set) {
        retc_network *copy = without_channels(network, set);
        collected a = collect(copy, recording, target, &options);
        memcpy(value + set * T, a.target, T * sizeof *value);
        collected_clear(&a);
        retc_network_free(copy);
    }
    return value;
}

/* Shapley's formula: channel c gains |S|! (C - |S| - 1)! / C! of v(S + c) - v(S) over all S without it. */
static double
exact_shapley(const double *value, size_t T, size_t C, size_t t, size_t c) {
    static const double factorial[] = {1, 1, 2, 6, 24, 120};
    double sum = 0;
    for (unsigned set = 0; set < 1u << C; ++set) {
        size_t members = (size_t)__builtin_popcount(set);
        if (!(set >> c & 1))
            sum += factorial[members] * factorial[C - members - 1] / factorial[C] *
                   (value[(set | 1u << c) * T + t] - value[set * T + t]);
    }
    return sum;
}

static void
nonlinear_target(int which, retc_target *target) {
    static const double mean[N] = {0.5, 1, 0.2, 0.7};
    double precision[N * N];
    for (size_t i = 0; i < N * N; ++i)
        precision[i] = i % (N + 1) ? 0.1 : 1;
    if (which == 0)
        ck_ok(retc_target_init(target, RETC_TARGET_SUM, N, 0));
    else if (which == 1)
        ck_ok(retc_target_init_given(target, N, mean, precision));
    else
        ck_ok(retc_target_init(target, RETC_TARGET_TOP, N, 2));
}

START_TEST(channels_of_conv0_are_knocked_out_as_without_weights) {
    retc_recording *recording = noise_recording("knock.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    nonlinear_target(_i, &target);
    retc_contribute_options options = collect_by(RETC_METHOD_KNOCK_OUT);
    collected a = collect(network, recording, &target, &options);
    size_t C = network->layer[0].C, T = a.T;
    double *value = subsets(network, recording, &target, T);
    options = collect_by(RETC_METHOD_SHAPLEY);
    options.attribution.orders = 16;
    collected shapley = collect(network, recording, &target, &options);
    size_t beyond = 0;
    for (size_t t = 0; t < T; ++t)
        for (size_t c = 0; c < C; ++c) {
            double whole = value[((1u << C) - 1) * T + t], left = value[((1u << C) - 1 - (1u << c)) * T + t];
            double size = 1 + fabs(whole) + fabs(left), exact = exact_shapley(value, T, C, t, c);
            ck_assert_double_le(fabs(collected_channel(&a, 0, t, c) - (whole - left)), 1e-5 * size);
            double error = fabs(collected_channel(&shapley, 0, t, c) - exact);
            beyond += error > 3 * (double)shapley.error[0][t * C + c] + 1e-5 * size;
            ck_assert_double_le(error, 8 * (double)shapley.error[0][t * C + c] + 1e-5 * size);
        }
    /* Student's t with 15 degrees of freedom is beyond 3 in 0.9 % of all cases. */
    ck_assert_uint_le(beyond, T * C / 20);
    collected_clear(&a), collected_clear(&shapley);
    retc_free(value);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Of the readout only one cell depends on each channel: t is a sum of functions, and knock-outs are its terms. */
START_TEST(channels_of_the_readout_give_their_cells) {
    retc_recording *recording = noise_recording("readout.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    retc_contribute_options options = collect_by(_i ? RETC_METHOD_SHAPLEY : RETC_METHOD_KNOCK_OUT);
    options.attribution.orders = 2;
    nonlinear_target(0, &target);
    collected sum = collect(network, recording, &target, &options);
    for (size_t j = 0; j < N; ++j) {
        ck_ok(retc_target_init(&target, RETC_TARGET_CELL, N, j));
        collected cell = collect(network, recording, &target, &options);
        for (size_t t = 0; t < sum.T; ++t)
            ck_assert_double_le(fabs(collected_channel(&sum, 2, t, j) - (cell.target[t] - cell.target_zero[t])),
                                1e-6 * (1 + fabs(sum.target[t])));
        collected_clear(&cell);
    }
    collected_clear(&sum);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Shapley values add up at every cut, from every baseline. */
START_TEST(shapley_values_add_up) {
    retc_recording *recording = noise_recording("adds-up.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    retc_baseline baseline = retc_baseline_grey();
    nonlinear_target(_i % 3, &target);
    if (_i / 3 == 1)
        ck_ok(retc_baseline_init_windows(&baseline, network, recording, 3, 1));
    if (_i / 3 == 2)
        ck_ok(retc_baseline_init_blur(&baseline, network, 1.5));
    retc_contribute_options options = collect_by(RETC_METHOD_SHAPLEY);
    options.baseline = &baseline, options.attribution.orders = 3, options.place = (retc_contribute_place)(_i % 3);
    collected a = collect(network, recording, &target, &options);
    for (size_t k = 0; k < a.cuts; ++k)
        for (size_t t = 0; t < a.T; ++t) {
            double size = fabs(a.target[t]) + fabs(a.target_zero[t]);
            for (size_t c = 0; c < network->layer[a.cut[k]].C; ++c)
                size += fabs(collected_channel(&a, k, t, c));
            ck_assert_double_le(fabs(a.residual[k][t]), 1e-6 * size);
            ck_assert(a.target[t] != a.target_zero[t]);
        }
    collected_clear(&a);
    retc_baseline_clear(&baseline);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- noise ----------------------------------------------------------------------------------------------------------- */

/* The movie with the noise of one sample, as a recording. */
static retc_recording *
with_noise(const retc_network *network, const retc_attribution_options *options, size_t sample) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), noise[SIDE * SIDE];
    for (size_t f = 0; f < FRAMES; ++f) {
        memset(noise, 0, sizeof noise);
        retc_attribution_noise(options, sample, f, SIDE * SIDE, noise);
        for (size_t p = 0; p < SIDE * SIDE; ++p)
            movie[f * SIDE * SIDE + p] += (float)network->stimulus_std * noise[p];
    }
    retc_recording *recording = make_recording("with-noise.h5", movie);
    retc_free(movie);
    return recording;
}

static double
distance(const float *x, const float *y, size_t n) {
    double d = 0, norm = 0;
    for (size_t i = 0; i < n; ++i) {
        d += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        norm += (double)y[i] * (double)y[i];
    }
    return sqrt(d / norm);
}

START_TEST(smooth_grad_is_the_mean_over_noise) {
    retc_recording *recording = noise_recording("smooth.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    nonlinear_target(1, &target);
    retc_contribute_options options = collect_by(RETC_METHOD_SMOOTH_GRAD);
    options.attribution.samples = 3, options.attribution.seed = 7;
    collected a = collect(network, recording, &target, &options), mean;
    for (size_t s = 0; s < 3; ++s) {
        retc_recording *noisy = with_noise(network, &options.attribution, s);
        retc_contribute_options plain = collect_by(RETC_METHOD_ACT_GRAD);
        collected one = collect(network, noisy, &target, &plain);
        for (size_t k = 0; k < a.cuts; ++k)
            for (size_t i = 0; i < a.T * retc_layer_units(&network->layer[a.cut[k]]); ++i)
                one.map[k][i] = one.map[k][i] / 3 + (s ? mean.map[k][i] : 0);
        if (s)
            collected_clear(&mean);
        mean = one;
        retc_recording_close(noisy);
    }
    /* Noise of a pixel is rounded once more on its way through the raw movie. */
    for (size_t k = 0; k < a.cuts; ++k)
        ck_assert_double_le(distance(a.map[k], mean.map[k], a.T * retc_layer_units(&network->layer[a.cut[k]])), 1e-5);
    collected_clear(&a), collected_clear(&mean);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Gradients of the sum at conv1 for response frames from L on, with activations there, by a tape of their own. */
static void
run_tape(retc_network *network, retc_tape *tape, const float *movie, size_t n) {
    size_t last = network->layers - 1, layers[8];
    retc_network_cuts(network, layers);
    retc_tape_load(tape, movie, n);
    retc_tape_forward(tape, 0, network->layers, n);
    for (size_t i = 0; i < N * tape->ld; ++i)
        tape->grad[last][i] = 1;
    retc_tape_backward(tape, last, layers[1], n);
}

/* One sample, cut 1, by the formula: weights of channels (C). */
static void
reference_weights(const retc_layer *layer, int all, const double *moment[3], const double *activation, double *weight) {
    size_t map = layer->h * layer->w;
    for (size_t c = 0; c < layer->C; ++c) {
        double sum = 0;
        weight[c] = 0;
        for (size_t u = c * map; u < (c + 1) * map; ++u)
            sum += all ? activation[u] : fmax(activation[u], 0);
        for (size_t u = c * map; u < (c + 1) * map; ++u)
            weight[c] += moment[1][u] == 0 ? 0 : moment[1][u] / (2 * moment[1][u] + sum * moment[2][u]) * fmax(moment[0][u], 0);
    }
}

START_TEST(smooth_grad_cam_weighs_by_moments) {
    retc_recording *recording = noise_recording("cam.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    nonlinear_target(0, &target);
    retc_contribute_options options = collect_by(RETC_METHOD_SMOOTH_GRAD_CAM);
    options.attribution.samples = 5, options.attribution.signed_cam = _i;
    collected a = collect(network, recording, &target, &options);
    const retc_layer *layer = &network->layer[a.cut[1]];
    size_t units = retc_layer_units(layer), map = layer->h * layer->w, n = 20, t = 11;
    retc_tape *tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, NULL);
    double moment[3][512] = {{0}}, activation[512], weight[16];
    ck_assert_uint_le(units, 512);
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), *noisy = retc_calloc(FRAMES * SIDE * SIDE, sizeof *noisy);
    for (size_t s = 0; s < 5; ++s) {
        memset(noisy, 0, FRAMES * SIDE * SIDE * sizeof *noisy);
        for (size_t f = 0; f < FRAMES; ++f)
            retc_attribution_noise(&options.attribution, s, f, SIDE * SIDE, noisy + f * SIDE * SIDE);
        for (size_t i = 0; i < FRAMES * SIDE * SIDE; ++i)
            noisy[i] = movie[i] + (float)network->stimulus_std * noisy[i];
        run_tape(network, tape, noisy, n);
        for (size_t u = 0; u < units; ++u) {
            double g = (double)tape->grad[a.cut[1]][u * tape->ld + t];
            moment[0][u] += g / 5, moment[1][u] += g * g / 5, moment[2][u] += g * g * (_i ? g : fmax(g, 0)) / 5;
        }
    }
    run_tape(network, tape, movie, n);
    for (size_t u = 0; u < units; ++u)
        activation[u] = (double)tape->out[a.cut[1]][u * tape->ld + t];
    reference_weights(layer, _i, (const double *[3]){moment[0], moment[1], moment[2]}, activation, weight);
    for (size_t position = 0; position < map; ++position) {
        double sum = 0, size = 0;
        for (size_t c = 0; c < layer->C; ++c) {
            sum += weight[c] * activation[c * map + position];
            size += fabs(weight[c] * activation[c * map + position]);
        }
        for (size_t c = 0; c < layer->C; ++c) {
            size_t u = c * map + position;
            double expected = sum > 0 ? weight[c] * activation[u] : 0;
            ck_assert_msg(fabs((double)a.map[1][t * units + u] - expected) <= 1e-3 * size, "unit %zu: %g is not %g", u,
                          (double)a.map[1][t * units + u], expected);
        }
    }
    retc_tape_free(tape);
    retc_free(movie), retc_free(noisy);
    collected_clear(&a);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* ---- all methods ----------------------------------------------------------------------------------------------------- */

START_TEST(nothing_depends_on_blocks_or_threads) {
    retc_recording *recording = noise_recording("blocks.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    retc_baseline baseline;
    nonlinear_target(2, &target);
    ck_ok(retc_baseline_init_windows(&baseline, network, recording, 2, 1));
    static const size_t blocks[] = {17, 64, 5};
    for (int method = RETC_METHOD_ACT_GRAD; method <= RETC_METHOD_SHAPLEY; ++method) {
        retc_contribute_options options = collect_by((retc_attribution_method)method);
        options.threads = 1, options.attribution.samples = 2, options.attribution.orders = 2, options.baseline = &baseline;
        collected one = collect(network, recording, &target, &options);
        for (size_t i = 0; i < 3; ++i) {
            options.block = blocks[i], options.threads = 1 + i;
            collected other = collect(network, recording, &target, &options);
            for (size_t k = 0; k < one.cuts; ++k) {
                const retc_layer *layer = &network->layer[one.cut[k]];
                ck_assert_mem_eq(one.map[k], other.map[k], one.T * retc_layer_units(layer) * sizeof(float));
                ck_assert_mem_eq(one.error[k], other.error[k], one.T * layer->C * sizeof(float));
                ck_assert_mem_eq(one.residual[k], other.residual[k], one.T * sizeof(double));
            }
            collected_clear(&other);
        }
        collected_clear(&one);
    }
    retc_baseline_clear(&baseline);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(impossible_methods_are_refused) {
    retc_attribution_options options = {.method = RETC_METHOD_SMOOTH_GRAD, .samples = 0, .noise = 1};
    ck_fails(retc_attribution_check(&options), "smooth-grad takes");
    options.samples = 3, options.noise = 0;
    ck_fails(retc_attribution_check(&options), "above 0");
    options.method = RETC_METHOD_SHAPLEY, options.orders = 1;
    ck_fails(retc_attribution_check(&options), "two random orders");
}
END_TEST

static Suite *
attribution_suite(void) {
    Suite *suite = suite_create("attribution");
    TCase *tcase = tcase_create("methods");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, methods_agree_on_linear_networks);
    tcase_add_loop_test(tcase, channels_of_conv0_are_knocked_out_as_without_weights, 0, 3);
    tcase_add_loop_test(tcase, channels_of_the_readout_give_their_cells, 0, 2);
    tcase_add_loop_test(tcase, shapley_values_add_up, 0, 9);
    tcase_add_test(tcase, smooth_grad_is_the_mean_over_noise);
    tcase_add_loop_test(tcase, smooth_grad_cam_weighs_by_moments, 0, 2);
    tcase_add_test(tcase, nothing_depends_on_blocks_or_threads);
    tcase_add_test(tcase, impossible_methods_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(attribution_suite(), NULL);
}
