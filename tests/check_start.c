/* Fits that begin from a model file; chains of convolutions that stay chains from file to fit to file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fit.h"
#include "fixtures.h"
#include "model_file.h"
#include "rng.h"
#include "testing.h"

enum { T = 1500, L = 4, H = 9, W = 8, N = 2 };

static retc_recording *
make_recording(const char *name) {
    float *movie = retc_fixture_movie(3, T, H, W), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(4, RETC_STREAM_SPIKES, 0);
    for (size_t i = 0; i < N * T; ++i)
        counts[i] = (float)gsl_ran_poisson(rng, 0.3);
    gsl_rng_free(rng);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, T, H, W, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(movie), retc_free(counts);
    return recording;
}

static void
write_model(const retc_network *network, const char *path) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_network_write(network, file));
    ck_ok(retc_h5_set_text(file, "/", "kind", "model"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

/* A chain as torch makes one with dropout between its links, wider inside than at its ends, and a chain without a bias. */
static retc_network *
make_chains(void) {
    static const size_t first[3 * 4] = {7, L, 3, 3, 5, 7, 3, 2, 3, 5, 1, 2}, numbers[3] = {0, 2, 10};
    static const size_t second[2 * 4] = {2, 3, 2, 3, 3, 2, 2, 2}, plain[2] = {0, 1};
    retc_network *network = retc_network_alloc("chains", L, H, W, N);
    ck_ok(retc_network_add_chain(network, 3, first, numbers, 1));
    ck_ok(retc_network_add_batchnorm(network, 0, 1, 1e-3));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_chain(network, 2, second, plain, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_add_scale(network, 30, 0));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 8));
    return network;
}

static void
check_same(const retc_network *a, const retc_network *b) {
    ck_assert_uint_eq(a->layers, b->layers);
    ck_assert_uint_eq(a->params, b->params);
    for (size_t p = 0; p < a->params; ++p) {
        ck_assert_str_eq(a->param[p].name, b->param[p].name);
        ck_assert_int_eq(a->param[p].trainable, b->param[p].trainable);
    }
    ck_assert_uint_eq(a->values, b->values);
    ck_assert_mem_eq(a->value, b->value, a->values * sizeof(float));
}

START_TEST(chains_come_back_as_chains) {
    const char *path = retc_test_path("chains.h5");
    retc_network *network = make_chains();
    ck_assert_str_eq(network->param[network->layer[0].source + 2].name, "sequential.0.convs.10.weight");
    ck_assert_str_eq(network->param[network->layer[0].bias].name, "sequential.0.convs.10.bias");
    ck_assert(network->layer[0].kh == 5 && network->layer[0].kw == 5 && network->layer[3].bias < 0);
    write_model(network, path);
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    check_same(network, read);
    /* Where it is asked for, the convolution that equals the chain: in double, then rounded once. */
    retc_checkpoint_notes notes;
    retc_h5 *file = retc_h5_open(path);
    retc_network *collapsed = retc_checkpoint_read(file, 0, 1, &notes);
    ck_assert_msg(collapsed != NULL, "%s", retc_error_message());
    ck_assert_int_eq(notes.stacks, 2);
    for (size_t l = 0; l < 4; l += 3) {
        const retc_param *plain = &collapsed->param[collapsed->layer[l].weight],
                         *chain = &network->param[network->layer[l].weight];
        ck_assert_int_eq(collapsed->layer[l].form, RETC_WEIGHT_PLAIN);
        ck_assert(plain->trainable && !chain->trainable && plain->size == chain->size);
        ck_close_float("weight", collapsed->value + plain->offset, network->value + chain->offset, plain->size, 1e-6, 1e-6);
    }
    retc_checkpoint_notes_clear(&notes);
    retc_h5_close(file);
    retc_network_free(network), retc_network_free(read), retc_network_free(collapsed);
}
END_TEST

START_TEST(wrong_chains_are_refused) {
    static const size_t shape[2 * 4] = {3, L, 3, 3, 2, 4, 3, 3}, wide[4] = {2, L, 3, 9}, number[2] = {0, 2};
    retc_network *network = retc_network_alloc("chains", L, H, W, N);
    ck_fails(retc_network_add_chain(network, 2, shape, number, 1), "convs.2 takes 4 channels, what is before gives 3");
    ck_fails(retc_network_add_chain(network, 0, shape, number, 1), "a chain of 0 convolutions");
    ck_fails(retc_network_add_chain(network, 1, wide, number, 1), "the kernel must fit");
    retc_network_free(network);
}
END_TEST

/* The published architecture: what is read and written again has every tensor of its chains bit by bit. */
START_TEST(published_chains_are_written_as_they_were) {
    const char *path = retc_test_shared("goldens/vary_checkpoint.h5");
    if (!path)
        retc_skip("no vary_checkpoint.h5");
    const char *again = retc_test_path("again.h5");
    retc_network *network = retc_network_open(path);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    write_model(network, again);
    retc_h5 *from = retc_h5_open(path), *to = retc_h5_open(again);
    size_t chains = 0;
    for (size_t p = 0; p < network->params; ++p) {
        char name[96];
        void *a = NULL, *b = NULL;
        size_t shape[4];
        const retc_param *param = &network->param[p];
        if (param->derived)
            continue;
        snprintf(name, sizeof name, "/state_dict/%s", param->name);
        ck_ok(retc_h5_read_new(from, name, RETC_H5_FLOAT, param->rank, shape, &a));
        ck_ok(retc_h5_read_new(to, name, RETC_H5_FLOAT, param->rank, shape, &b));
        ck_assert_mem_eq(a, b, param->size * sizeof(float));
        chains += strstr(name, ".convs.") != NULL;
        retc_free(a), retc_free(b);
    }
    ck_assert_uint_eq(chains, 7 + 1 + 5 + 1);
    retc_h5_close(from), retc_h5_close(to);
    retc_network_free(network);
}
END_TEST

/* ---- fits ------------------------------------------------------------------------------------------------------------ */

static retc_fit_options
options_of(const char *start) {
    retc_fit_options options = retc_fit_default();
    options.start = start, options.history = L, options.epochs = 2, options.threads = 1, options.block = 64;
    return options;
}

/* Links of the chains are what is trained: they change, the kernels follow, and a step of no length changes nothing. */
START_TEST(fits_go_on_from_chains) {
    const char *path = retc_test_path("start.h5"), *out = retc_test_path("out.h5");
    retc_recording *recording = make_recording("recording.h5");
    retc_network *network = make_chains();
    ck_ok(retc_recording_stimulus_norm(recording, &network->stimulus_mean, &network->stimulus_std));
    write_model(network, path);
    retc_fit_options options = options_of(path);
    retc_fit_report report = {0};
    retc_network *fitted = retc_fit_network(recording, &options);
    ck_assert_msg(fitted != NULL, "%s", retc_error_message());
    check_same(network, fitted);
    ck_ok(retc_fit_run(fitted, recording, &options, NULL, NULL, &report));
    retc_fit_report_clear(&report);
    for (size_t p = 0; p < fitted->params; ++p)
        if (fitted->param[p].trainable)
            ck_assert(memcmp(fitted->value + fitted->param[p].offset, network->value + fitted->param[p].offset,
                             fitted->param[p].size * sizeof(float)) != 0);
    retc_network *copy = retc_network_copy(fitted);
    retc_network_derive(copy);
    check_same(copy, fitted);
    write_model(fitted, out);
    retc_network *read = retc_network_open(out);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    check_same(read, fitted);
    retc_network_free(network), retc_network_free(fitted), retc_network_free(copy), retc_network_free(read);
    retc_recording_close(recording);
}
END_TEST

START_TEST(models_of_other_recordings_are_refused) {
    const char *path = retc_test_path("other.h5");
    retc_recording *recording = make_recording("recording.h5");
    retc_network *network = retc_fixture_network(1, L, H, W, N + 1, 0);
    write_model(network, path);
    retc_fit_options options = options_of(path);
    ck_assert_ptr_null(retc_fit_network(recording, &options));
    ck_assert_msg(strstr(retc_error_message(), "the recording has 2 cells, the model 3"), "%s", retc_error_message());
    retc_network_free(network);
    network = make_chains();
    write_model(network, path);
    options.history = L + 1;
    ck_assert_ptr_null(retc_fit_network(recording, &options));
    ck_assert_msg(strstr(retc_error_message(), "the model sees 4 frames at lag 1, the fit is of 5 frames at lag 1"), "%s",
                  retc_error_message());
    options.start = retc_test_path("missing.h5");
    ck_assert_ptr_null(retc_fit_network(recording, &options));
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static Suite *
start_suite(void) {
    Suite *suite = suite_create("start");
    TCase *tcase = tcase_create("start");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, chains_come_back_as_chains);
    tcase_add_test(tcase, wrong_chains_are_refused);
    tcase_add_test(tcase, published_chains_are_written_as_they_were);
    tcase_add_test(tcase, fits_go_on_from_chains);
    tcase_add_test(tcase, models_of_other_recordings_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(start_suite(), NULL);
}
