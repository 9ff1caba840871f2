/* Smooth Grad-CAM++ in closed form, across its pole, where sums of positive parts and of everything are the same, and where
 * there is nothing to weigh. */
#include <math.h>
#include <string.h>

#include "collected.h"
#include "fixtures.h"
#include "testing.h"

enum { FRAMES = 40, SIDE = 4, PIXELS = SIDE * SIDE };

static retc_recording *
make_recording(const char *name, const float *movie) {
    float counts[2 * FRAMES] = {0};
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, 2, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

/* Units of `channels` channels are pixels times a number, at the same moment; a dense readout, rectified or not on the way. */
static retc_network *
make_network(size_t channels, int rectified, int softplus) {
    retc_network *network = retc_network_alloc("pixels", 1, SIDE, SIDE, 2);
    ck_ok(retc_network_add_conv(network, channels, 1, 1, 0, 0));
    if (rectified)
        ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_conv(network, 2, 0, 0, 0, 0));
    if (softplus)
        ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    network->stimulus_mean = 0, network->stimulus_std = 1;
    return network;
}

static collected
cam_of(const retc_network *network, retc_recording *recording, int signed_cam, retc_contribute_place place) {
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_CELL, 2, 0));
    retc_contribute_options options = collect_by(RETC_METHOD_SMOOTH_GRAD_CAM);
    options.attribution.samples = 6, options.attribution.noise = 0.7, options.attribution.signed_cam = signed_cam;
    options.place = place;
    return collect(network, recording, &target, &options);
}

/* The weight of a channel whose gradients are those of a linear readout, w, whatever the noise: the sum of w+ / (2 + S w). */
static double
closed_weight(const float *w, const double *activation, int all) {
    double sum = 0, weight = 0;
    for (size_t u = 0; u < PIXELS; ++u)
        sum += all ? activation[u] : fmax(activation[u], 0);
    for (size_t u = 0; u < PIXELS; ++u)
        weight += w[u] > 0 ? (double)w[u] / (2 + sum * (double)w[u]) : 0;
    return weight;
}

/* Moments are means of 6 floats; near the pole, which random numbers keep away from, their roundings are blown up with alpha.
 */
START_TEST(weights_of_linear_networks_are_closed) {
    enum { C = 3 };
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE);
    retc_recording *recording = make_recording("linear.h5", movie);
    retc_network *network = make_network(C, 0, 0);
    const float *gain = retc_network_values(network, network->layer[0].weight);
    const float *readout = retc_network_values(network, network->layer[1].weight);
    collected a = cam_of(network, recording, _i, RETC_AT_CONVOLUTION);
    ck_assert_uint_eq(a.T, FRAMES - 1); /* response frame t shows frame t-1 */
    for (size_t t = 0; t < a.T; ++t) {
        double activation[C][PIXELS], weight[C], largest = 0;
        for (size_t c = 0; c < C; ++c) {
            for (size_t u = 0; u < PIXELS; ++u)
                activation[c][u] = (double)(gain[c] * movie[t * PIXELS + u]);
            weight[c] = closed_weight(readout + c * PIXELS, activation[c], _i);
            for (size_t u = 0; u < PIXELS; ++u)
                largest = fmax(largest, fabs(weight[c] * activation[c][u]));
        }
        for (size_t u = 0; u < PIXELS; ++u) {
            double sum = 0;
            for (size_t c = 0; c < C; ++c)
                sum += weight[c] * activation[c][u];
            for (size_t c = 0; c < C && fabs(sum) > 1e-4 * largest; ++c) {
                double expected = sum > 0 ? weight[c] * activation[c][u] : 0;
                ck_assert_double_le(fabs((double)a.map[0][(t * C + c) * PIXELS + u] - expected), (_i ? 1e-3 : 1e-5) * largest);
            }
        }
    }
    collected_clear(&a);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_free(movie);
}
END_TEST

/* One channel, units as the pixels are, a readout of ones: alpha = 1 / (2 + S), and S goes through -2 while one pixel stays
 * at 1.  Signed sums blow up there; positive sums are 1 all the time, alpha 1/3, the weight 16/3, and that is what the pixel
 * gets. */
START_TEST(nothing_happens_at_the_pole) {
    float movie[FRAMES * PIXELS] = {0};
    for (size_t t = 0; t < FRAMES; ++t) {
        movie[t * PIXELS] = 1;
        movie[t * PIXELS + 1] = -3 + ((float)t - 20) * 1e-4f; /* S = -2 in frame 20 */
    }
    retc_recording *recording = make_recording("pole.h5", movie);
    retc_network *network = make_network(1, 0, 0);
    retc_network_values(network, network->layer[0].weight)[0] = 1;
    for (size_t u = 0; u < PIXELS; ++u)
        retc_network_values(network, network->layer[1].weight)[u] = 1;
    collected all = cam_of(network, recording, 1, RETC_AT_CONVOLUTION),
              positive = cam_of(network, recording, 0, RETC_AT_CONVOLUTION);
    double worst = 0;
    for (size_t t = 0; t < all.T; ++t) {
        worst = fmax(worst, fabs((double)all.map[0][t * PIXELS]));
        ck_assert_double_eq_tol((double)positive.map[0][t * PIXELS], 16.0 / 3, 1e-5);
        for (size_t u = 1; u < PIXELS; ++u)
            ck_assert(positive.map[0][t * PIXELS + u] == 0);
    }
    ck_assert_double_gt(worst, 1e5);
    collected_clear(&all), collected_clear(&positive);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Rectified maps and a readout of positive weights, bent by a softplus so that gradients change with the noise: what the
 * formula was derived for, and both sums are the same to the last bit.  alpha is between 0 and 1/2. */
START_TEST(sums_agree_where_everything_is_positive) {
    enum { C = 2 };
    float *movie = retc_fixture_movie(6, FRAMES, SIDE, SIDE);
    retc_recording *recording = make_recording("positive.h5", movie);
    retc_network *network = make_network(C, 1, 1);
    float *readout = retc_network_values(network, network->layer[2].weight);
    for (size_t i = 0; i < 2 * C * PIXELS; ++i)
        readout[i] = fabsf(readout[i]);
    collected all = cam_of(network, recording, 1, RETC_AT_NONLINEARITY),
              positive = cam_of(network, recording, 0, RETC_AT_NONLINEARITY);
    double sum = 0;
    ck_assert_mem_eq(all.map[0], positive.map[0], all.T * C * PIXELS * sizeof(float));
    for (size_t t = 0; t < all.T; ++t)
        for (size_t i = 0; i < C * PIXELS; ++i) {
            double most = 0, a = fabs((double)(retc_network_values(network, network->layer[0].weight)[i / PIXELS] *
                                               movie[t * PIXELS + i % PIXELS]));
            for (size_t u = 0; u < PIXELS; ++u)
                most += (double)readout[i / PIXELS * PIXELS + u] / 2 * a;
            ck_assert_double_ge((double)positive.map[0][t * C * PIXELS + i], 0);
            ck_assert_double_le((double)positive.map[0][t * C * PIXELS + i], most * (1 + 1e-5));
            sum += (double)positive.map[0][t * C * PIXELS + i];
        }
    ck_assert_double_gt(sum, 0);
    collected_clear(&all), collected_clear(&positive);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_free(movie);
}
END_TEST

/* A channel that nothing reads has no weight, and one whose gradients are too small for their powers is weighed by 1/2 of them.
 */
START_TEST(vanishing_gradients_are_weighed) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE);
    retc_recording *recording = make_recording("vanishing.h5", movie);
    retc_network *network = make_network(2, 0, 0);
    float *readout = retc_network_values(network, network->layer[1].weight);
    for (size_t u = 0; u < PIXELS; ++u)
        readout[u] = 0, readout[PIXELS + u] = 1e-30f;
    collected a = cam_of(network, recording, 0, RETC_AT_CONVOLUTION);
    float gain = retc_network_values(network, network->layer[0].weight)[1];
    for (size_t t = 0; t < a.T; ++t)
        for (size_t u = 0; u < PIXELS; ++u) {
            double expected = fmax(0.5 * 16e-30 * (double)(gain * movie[t * PIXELS + u]), 0);
            ck_assert(a.map[0][t * 2 * PIXELS + u] == 0);
            ck_assert_double_le(fabs((double)a.map[0][(t * 2 + 1) * PIXELS + u] - expected), 1e-5 * expected);
        }
    collected_clear(&a);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_free(movie);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("cam");
    TCase *tcase = tcase_create("smooth-grad-cam");
    tcase_add_loop_test(tcase, weights_of_linear_networks_are_closed, 0, 2);
    tcase_add_test(tcase, nothing_happens_at_the_pole);
    tcase_add_test(tcase, sums_agree_where_everything_is_positive);
    tcase_add_test(tcase, vanishing_gradients_are_weighed);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
