/* What is planted is recovered: a convolutional model learns a small simulated retina from ten minutes of white noise. */
#include <math.h>
#include <stdio.h>

#include "architecture.h"
#include "fit.h"
#include "ln.h"
#include "predict.h"
#include "recording_write.h"
#include "simulate.h"
#include "stimulus_file.h"
#include "testing.h"
#include "white_noise.h"

enum { SIDE = 12, RATE = 30, TRAIN_SECONDS = 600, TEST_SECONDS = 60, REPEATS = 40, HISTORY = 8 };

/* Without batch norm behind the readout: its penalty then keeps weights small, where batch norm would scale them up again. */
static char table[] = "[network]\nname = planted\n"
                      "[layer]\nkind = conv\nchannels = 8\nkernel = 7\n"
                      "[layer]\nkind = batchnorm\n[layer]\nkind = noise\nsigma = 0.1\n[layer]\nkind = relu\n"
                      "[layer]\nkind = conv\nchannels = 8\nkernel = 3\n"
                      "[layer]\nkind = batchnorm\n[layer]\nkind = noise\nsigma = 0.1\n[layer]\nkind = relu\n"
                      "[layer]\nkind = dense\nchannels = cells\nbias = yes\n"
                      "[layer]\nkind = softplus\n[layer]\nkind = scale\nhz = mean\n";

static void
write_white_noise(const char *path, size_t seconds, uint64_t seed) {
    retc_white_noise noise = {.height = SIDE, .width = SIDE, .stixel = 1, .hold = 1, .contrast = 0.7, .seed = seed};
    retc_stimulus_layout layout = {seconds * RATE, SIDE, SIDE, 1.0 / RATE, RETC_H5_UINT8};
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_ok(retc_stimulus_write(file, "white-noise", &layout, retc_white_noise_frames, &noise, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

static retc_recording *
simulated_recording(const char *path, uint64_t seed) {
    const char *train = retc_test_path("train.h5"), *test = retc_test_path("test.h5");
    retc_simulate_options options = {.train = train, .test = test, .repeats = REPEATS};
    retc_recording_writer *writer = NULL;
    retc_simulate_summary summary = {0};
    write_white_noise(train, TRAIN_SECONDS, 10 + seed);
    write_white_noise(test, TEST_SECONDS, 20 + seed);
    retc_circuit_default(&options.circuit);
    options.circuit.seed = seed;
    ck_ok(retc_simulate(&options, path, 1, NULL, &writer, &summary));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_simulate_summary_free(&summary);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static retc_network *
fit_cnn(retc_recording *recording, uint64_t seed) {
    retc_architecture architecture;
    retc_fit_options options = retc_fit_default();
    retc_fit_report report;
    FILE *in = fmemopen(table, sizeof table - 1, "r");
    ck_assert_ptr_nonnull(in);
    ck_ok(retc_architecture_read_stream(in, "planted", &architecture));
    fclose(in);
    options.architecture = &architecture, options.history = HISTORY, options.seed = seed;
    options.block = 64, options.epochs = options.patience = 24;
    options.schedule.kind = RETC_SCHEDULE_COSINE, options.average = 30;
    options.penalty = (retc_penalty){.l1 = 3e-4};
    retc_network *network = retc_fit_network(recording, &options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_ok(retc_fit_run(network, recording, &options, NULL, NULL, &report));
    retc_fit_report_clear(&report);
    retc_architecture_clear(&architecture);
    return network;
}

/* Mean over cells of r over its noise ceiling. */
static double
share_of_ceiling(const retc_network *network, retc_recording *recording) {
    retc_prediction prediction;
    double share = 0;
    ck_ok(retc_predict(network, recording, RETC_TEST, 0, NULL, &prediction));
    for (size_t j = 0; j < prediction.N; ++j)
        share += prediction.pearson[j] / prediction.noise_ceiling[j] / (double)prediction.N;
    retc_prediction_clear(&prediction);
    return share;
}

/* With the seeds 1, 2 and 3, each another retina, noise and network, the convolutional model reached 0.957, 0.929 and 0.951 of
 * the ceiling: mean 0.946, standard deviation 0.015.  The bar is four of these below the mean.  An LN model cannot add
 * rectified subunits: it reached 0.752, 0.721 and 0.723, 0.2 below; the gap asked for is half of that. */
#define CNN_BAR 0.885
#define LN_GAP 0.1

START_TEST(simulated_retina_is_learned) {
    uint64_t seed = (uint64_t)_i;
    retc_recording *recording = simulated_recording(retc_test_path("recording.h5"), seed);
    retc_network *cnn = fit_cnn(recording, seed), *ln = retc_ln_fit(recording, HISTORY, 1, 30, 0, NULL);
    ck_assert_msg(ln != NULL, "%s", retc_error_message());
    double by_cnn = share_of_ceiling(cnn, recording), by_ln = share_of_ceiling(ln, recording);
    printf("seed %d: share of the noise ceiling's r: cnn %.3f, ln %.3f\n", _i, by_cnn, by_ln);
    ck_assert_msg(by_cnn > CNN_BAR, "cnn reaches %.3f of the ceiling", by_cnn);
    ck_assert_msg(by_ln < by_cnn - LN_GAP, "ln reaches %.3f of the ceiling, cnn %.3f", by_ln, by_cnn);
    retc_network_free(cnn), retc_network_free(ln);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("recovery of a retina");
    TCase *planted = tcase_create("planted");
    tcase_set_timeout(planted, 300);
    tcase_add_loop_test(planted, simulated_retina_is_learned, 1, 2);
    suite_add_tcase(suite, planted);
    return retc_test_main(suite, NULL);
}
