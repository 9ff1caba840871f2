/* Averages over the map whose weights are trained (OneHot of torch-deep-retina): their gradient, and planted ones found again.
 * That gradients equal finite differences is tested with all other layers, in check_layers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit.h"
#include "fixtures.h"
#include "layer_recipes.h"
#include "model_file.h"
#include "penalty.h"
#include "rng.h"
#include "testing.h"

enum { T = 20000, L = 3, SIDE = 7, AREA = SIDE * SIDE, KERNEL = 3, MAP = SIDE - KERNEL + 1, PLACES = MAP * MAP, N = 2 };
enum { FILTER = L * KERNEL * KERNEL };
static const double DT = 0.02, HZ = 25;

/* ---- the gradient ---------------------------------------------------------------------------------------------------- */

/* Shifting all weights of a cell, or scaling them, changes nothing: the gradient is orthogonal to both. */
START_TEST(gradients_leave_shift_and_scale_alone) {
    static const retc_recipe recipe = {
        "average", 2, 6, 7, {CONV(3, 3, 2), PLAIN(RELU), CONV(4, 1, 4), PLAIN(SOFTPLUS), PLAIN(AVERAGE)}};
    retc_trial c = retc_trial_make(&recipe, 3 + (uint64_t)_i, 40);
    size_t last = c.network->layers - 1;
    const retc_param *param = &c.network->param[c.network->layer[last].weight];
    float *dw = retc_calloc(param->size, sizeof *dw);
    const float *w = c.network->value + param->offset;
    retc_tape_backward(c.tape, last, 0, c.n);
    retc_tape_backward_average(c.tape, last, c.n, dw);
    for (size_t j = 0; j < param->shape[0]; ++j) {
        double shift = 0, scale = 0, size = 0;
        for (size_t k = j * param->shape[1]; k < (j + 1) * param->shape[1]; ++k) {
            shift += (double)dw[k], scale += (double)dw[k] * (double)w[k];
            size += fabs((double)dw[k]);
        }
        ck_assert_double_gt(size, 1e-3);
        /* Each of some 20 terms carries the rounding of outputs in float, 2^-24 of their size, which is that of the weights'
         * slopes times what cancels in them. */
        ck_assert_double_le(fabs(shift), 1e-5 * size);
        ck_assert_double_le(fabs(scale), 1e-5 * size);
    }
    retc_free(dw);
    retc_trial_clear(&c);
}
END_TEST

/* Penalties would only shrink what has no size: they leave these weights alone, and no others. */
START_TEST(penalties_leave_them_alone) {
    retc_network *network = retc_network_alloc("x", 2, 6, 6, 3);
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_ok(retc_network_add_average(network));
    ck_ok(retc_network_init(network, 1));
    ck_assert_int_eq(retc_penalty_is_weight(&network->param[network->layer[0].weight]), 1);
    ck_assert_int_eq(retc_penalty_is_weight(&network->param[network->layer[1].weight]), 0);
    ck_assert_uint_eq(retc_network_trainable(network), 3 * 2 * 9 + 3 + 3 * 16);
    const float *w = retc_network_values(network, network->layer[1].weight);
    double mean = 0;
    for (size_t i = 0; i < 48; ++i) {
        ck_assert(w[i] >= 0 && w[i] < 1);
        mean += (double)w[i] / 48;
    }
    ck_assert_double_le(fabs(mean - 0.5), 4 * sqrt(1.0 / 12 / 48)); /* uniform in 0 ... 1 */
    retc_network_free(network);
}
END_TEST

START_TEST(maps_of_one_position_are_refused) {
    retc_network *network = retc_network_alloc("x", 2, 3, 3, 3);
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_fails(retc_network_add_average(network), "averages a map of one position");
    retc_network_free(network);
}
END_TEST

/* ---- planted weights ------------------------------------------------------------------------------------------------- */

/* Share of a cell's input that comes from place p: a bump of two places or so, at another one for each. */
static double
planted_share(size_t j, size_t p) {
    double sum = 0, share = 0;
    for (size_t q = 0; q < PLACES; ++q) {
        double y = (double)(q / MAP) - (j ? 3 : 1), x = (double)(q % MAP) - (j ? 1.5 : 2.5), bump = exp(-2 * (x * x + y * y));
        sum += bump;
        share = q == p ? bump : share;
    }
    return share / sum;
}

static retc_recording *
planted_recording(void) {
    float *movie = retc_fixture_movie(61, T, SIDE, SIDE), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(62, RETC_STREAM_SPIKES, 0);
    for (size_t j = 0; j < N; ++j)
        for (size_t t = L; t < T; ++t) {
            double rate = 0;
            for (size_t p = 0; p < PLACES; ++p) {
                double drive = -1;
                for (size_t i = 0; i < FILTER; ++i) {
                    size_t k = i / (KERNEL * KERNEL), row = p / MAP + i / KERNEL % KERNEL, column = p % MAP + i % KERNEL;
                    double w = (k == 2 ? 0.6 : k == 1 ? -0.3 : 0) * (j ? -1 : 1);
                    drive += w * (double)movie[(t - L + k) * AREA + row * SIDE + column];
                }
                rate += planted_share(j, p) * log1p(exp(drive));
            }
            counts[j * T + t] = (float)gsl_ran_poisson(rng, HZ * DT * rate);
        }
    gsl_rng_free(rng);
    const char *path = retc_test_path("planted.h5");
    ck_ok(retc_fixture_recording(path, T, SIDE, SIDE, movie, N, counts, 0, NULL, 1, DT));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static retc_network *
fit(retc_recording *recording) {
    static const char table[] = "[layer]\nkind = conv\nchannels = cells\nkernel = 3\n[layer]\nkind = batchnorm\n"
                                "[layer]\nkind = softplus\n[layer]\nkind = average\n[layer]\nkind = scale\nhz = mean\n";
    retc_architecture architecture;
    retc_fit_report report = {0};
    FILE *in = fmemopen((void *)(uintptr_t)table, strlen(table), "r");
    ck_ok(retc_architecture_read_stream(in, "average.ini", &architecture));
    fclose(in);
    retc_fit_options options = retc_fit_default();
    options.architecture = &architecture, options.history = L, options.epochs = 25, options.threads = 1;
    retc_network *network = retc_fit_network(recording, &options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_ok(retc_fit_run(network, recording, &options, NULL, NULL, &report));
    retc_fit_report_clear(&report);
    retc_architecture_clear(&architecture);
    return network;
}

/* What a cell takes from where, against what was planted; a model file gives the same weights bit by bit. */
START_TEST(planted_shares_are_recovered) {
    retc_recording *recording = planted_recording();
    retc_network *network = fit(recording);
    const retc_layer *layer = &network->layer[3];
    ck_assert_int_eq(layer->kind, RETC_LAYER_AVERAGE);
    const float *w = retc_network_values(network, layer->weight);
    for (size_t j = 0; j < N; ++j) {
        double least, total, ab = 0, aa = 0, bb = 0;
        retc_average_weights(network, layer, j, &least, &total);
        for (size_t p = 0; p < PLACES; ++p) {
            double found = ((double)w[j * PLACES + p] - least) / total, planted = planted_share(j, p);
            ab += found * planted, aa += found * found, bb += planted * planted;
        }
        printf("cell %zu: cosine of shares %.3f\n", j, ab / sqrt(aa * bb));
        ck_assert_double_gt(ab / sqrt(aa * bb), 0.95);
    }
    const char *path = retc_test_path("fitted.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_network_write(network, file));
    ck_ok(retc_h5_set_text(file, "/", "kind", "model"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    ck_assert_int_eq(read->layer[3].kind, RETC_LAYER_AVERAGE);
    ck_assert_uint_eq(read->values, network->values);
    ck_assert_mem_eq(read->value, network->value, network->values * sizeof(float));
    retc_network_free(read), retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static Suite *
average_suite(void) {
    Suite *suite = suite_create("average");
    TCase *tcase = tcase_create("average");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, gradients_leave_shift_and_scale_alone, 0, 4);
    tcase_add_test(tcase, penalties_leave_them_alone);
    tcase_add_test(tcase, maps_of_one_position_are_refused);
    tcase_add_test(tcase, planted_shares_are_recovered);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(average_suite(), NULL);
}
