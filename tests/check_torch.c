/* Fits beside PyTorch's, which takes the same steps in double precision: tests/h5py/train_torch.py. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit.h"
#include "fixtures.h"
#include "rng.h"
#include "testing.h"

enum { T = 200, H = 5, W = 4, L = 6, N = 2, EPOCHS = 12, MOST = 200 };
static const double dt = 0.02, scale = 40;

/* Everything torch has a counterpart of; an epoch is one step over the whole movie. */
static retc_fit_options
case_options(int i) {
    retc_fit_options o = retc_fit_default();
    o.history = L, o.epochs = EPOCHS, o.patience = EPOCHS, o.validation = 0, o.threads = 1;
    o.block = 50, o.batch_blocks = 100;
    o.penalty = (retc_penalty){0};
    o.schedule.kind = RETC_SCHEDULE_CONSTANT;
    if (i == 1) {
        o.adam.weight_decay = 0.5;
        o.clip = 0.02;
        o.loss = RETC_LOSS_GAUSSIAN;
        o.schedule = (retc_schedule){RETC_SCHEDULE_EXPONENTIAL, .decay = 0.5, .every = 6, .warmup = 3};
    } else if (i == 2) {
        o.loss = RETC_LOSS_BERNOULLI;
        o.penalty = (retc_penalty){1e-3, 2e-2, 3e-2, 4e-2, 5e-2};
    }
    return o;
}
enum { CASES = 3 };

static char *
case_json(int i, char *text, size_t size) {
    retc_fit_options o = case_options(i);
    int decays = o.schedule.kind == RETC_SCHEDULE_EXPONENTIAL;
    snprintf(text, size,
             "{\"loss\":\"%s\",\"rate\":%g,\"weight_decay\":%g,\"clip\":%g,\"l1\":%g,\"l2\":%g,\"smooth_time\":%g,"
             "\"smooth_space\":%g,\"activity_l1\":%g,\"decay\":%g,\"every\":%zu,\"warmup\":%zu,\"epochs\":%d,\"scale\":%g,"
             "\"dt\":%g}",
             retc_loss_name(o.loss), o.adam.rate, o.adam.weight_decay, o.clip, o.penalty.l1, o.penalty.l2,
             o.penalty.smooth_time, o.penalty.smooth_space, o.penalty.activity_l1, decays ? o.schedule.decay : 1,
             o.schedule.every, o.schedule.warmup, EPOCHS, scale, dt);
    return text;
}

/* Without a bias before batch norm: its gradient is 0 but for rounding, which Adam would blow up to whole steps. */
static retc_network *
make_network(void) {
    retc_network *network = retc_network_alloc("cnn", L, H, W, N);
    ck_assert_ptr_nonnull(network);
    network->frame_interval = dt;
    ck_ok(retc_network_add_conv(network, 3, 3, 2, 0, 0));
    ck_ok(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    retc_network_skip_module(network);
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_add_scale(network, scale, 0));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    return network;
}

static retc_recording *
make_recording(float *movie, float *counts) {
    gsl_rng *rng = retc_rng_alloc(6, RETC_STREAM_SPIKES, 0);
    for (size_t j = 0; j < N; ++j)
        for (size_t t = 2; t < T; ++t)
            counts[j * T + t] = (float)gsl_ran_poisson(rng, 0.2 + fmax(0, (double)movie[(t - 2) * H * W + 7 + j]));
    gsl_rng_free(rng);
    ck_ok(retc_fixture_recording(retc_test_path("torch.h5"), T, H, W, movie, N, counts, 0, NULL, 1, dt));
    retc_recording *recording = retc_recording_open(retc_test_path("torch.h5"), 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static void
write_input(const retc_network *network, const float *movie, const float *counts) {
    char text[CASES][700], all[CASES * 700 + 10];
    retc_h5 *file = retc_h5_create(retc_test_path("torch_in.h5"), 1);
    double *normalised = retc_calloc(T * H * W, sizeof *normalised);
    for (size_t i = 0; i < T * H * W; ++i)
        normalised[i] = ((double)movie[i] - network->stimulus_mean) / network->stimulus_std;
    ck_ok(retc_h5_put(file, "/movie", RETC_H5_DOUBLE, 3, (size_t[]){T, H, W}, normalised));
    ck_ok(retc_h5_put(file, "/counts", RETC_H5_FLOAT, 2, (size_t[]){N, T}, counts));
    for (size_t p = 0; p < network->params; ++p) {
        const retc_param *param = &network->param[p];
        char name[RETC_NAME_SIZE + 10];
        snprintf(name, sizeof name, "/state/%s", param->name);
        ck_ok(retc_h5_put(file, name, RETC_H5_FLOAT, param->rank, param->shape, network->value + param->offset));
    }
    for (int i = 0; i < CASES; ++i)
        case_json(i, text[i], sizeof text[i]);
    snprintf(all, sizeof all, "[%s,%s,%s]", text[0], text[1], text[2]);
    ck_ok(retc_h5_set_text(file, "/", "cases", all));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(normalised);
}

/* Twelve steps move parameters by some 0.1.  Where single and double precision differ it is by 1e-6 of a gradient, and Adam
 * takes what is relative to its size: 1e-4 of a step of 0.01 for the smallest gradients that count. */
static void
compare(const retc_network *network, const retc_fit_report *report, int i) {
    retc_h5 *file = retc_h5_open(retc_test_path("torch_out.h5"));
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    char name[RETC_NAME_SIZE + 10];
    double expected[MOST], value[MOST], loss[EPOCHS];
    snprintf(name, sizeof name, "/%d/loss", i);
    ck_ok(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, expected));
    for (size_t e = 0; e < EPOCHS; ++e)
        loss[e] = report->epoch[e].train_loss;
    ck_close_double("losses", loss, expected, EPOCHS, 0, 1e-5);
    for (size_t p = 0; p < network->params; ++p) {
        const retc_param *param = &network->param[p];
        ck_assert_uint_le(param->size, MOST);
        snprintf(name, sizeof name, "/%d/%s", i, param->name);
        ck_ok(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, expected));
        for (size_t k = 0; k < param->size; ++k)
            value[k] = (double)network->value[param->offset + k];
        ck_close_double(param->name, value, expected, param->size, 2e-5, 1e-5);
    }
    retc_h5_close(file);
}

START_TEST(fits_take_the_steps_of_torch) {
    float *movie = retc_fixture_movie(31, T, H, W), *counts = retc_calloc(N * T, sizeof *counts);
    retc_recording *recording = make_recording(movie, counts);
    retc_network *start = make_network();
    ck_ok(retc_recording_stimulus_norm(recording, &start->stimulus_mean, &start->stimulus_std));
    write_input(start, movie, counts);
    int trained = retc_test_python("train_torch.py");
    for (int i = 0; trained && i < CASES; ++i) {
        retc_network *network = retc_network_copy(start);
        retc_fit_options options = case_options(i);
        retc_fit_report report;
        ck_ok(retc_fit_run(network, recording, &options, NULL, NULL, &report));
        ck_assert_msg(report.best == EPOCHS - 1, "case %d: the loss rose", i); /* else the network is of an earlier step */
        compare(network, &report, i);
        retc_fit_report_clear(&report);
        retc_network_free(network);
    }
    retc_network_free(start);
    retc_recording_close(recording);
    retc_free(movie), retc_free(counts);
    if (!trained)
        retc_skip("python3-torch or python3-h5py is not installed");
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("torch");
    TCase *fits = tcase_create("fits");
    tcase_set_timeout(fits, 300);
    tcase_add_test(fits, fits_take_the_steps_of_torch);
    suite_add_tcase(suite, fits);
    return retc_test_main(suite, NULL);
}
