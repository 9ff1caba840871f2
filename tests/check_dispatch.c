/* One build serves every machine: with each version of the kernels that this processor has, a prediction and a step of training
 * give what the plain reference gives. */
#include <math.h>
#include <string.h>

#include "fixtures.h"
#include "gather.h"
#include "testing.h"
#include "trainer.h"

enum { L = 12, SIDE = 24, N = 3, BLOCK = 70, BLOCKS = 2, T = L + 1 + BLOCK * BLOCKS };
enum { SECOND = 4 }; /* the second convolution's layer */
static const char *const versions[] = {"avx512", "avx2", "generic"};

/* Small, but so that transforms pay for the first two convolutions: the reference takes the direct form. */
static retc_network *
make_network(void) {
    static const size_t position[2 * N] = {0, 0, 5, 2, 7, 7};
    retc_network *network = retc_network_alloc("VaryModel", L, SIDE, SIDE, N);
    ck_assert_ptr_nonnull(network);
    for (int i = 0; i < 2; ++i) {
        ck_ok(retc_network_add_conv(network, 4, i ? 7 : 9, i ? 7 : 9, 1, 0));
        ck_ok(retc_network_add_batchnorm(network, 0, 1, 1e-3));
        ck_ok(retc_network_add_noise(network, 0.1));
        ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    }
    ck_ok(retc_network_add_conv(network, N, 3, 3, 0, 0));
    ck_ok(retc_network_add_grab(network, position));
    ck_ok(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    network->lag = 1, network->stimulus_std = 1, network->frame_interval = 0.01;
    return network;
}

typedef struct {
    size_t values;
    float *rate, *gradient; /* (N,BLOCK) of the first block; (values) */
    double loss;
} outcome;

static outcome
run_with(const char *version, const char *path, size_t threads) {
    ck_assert_int_eq(retc_kernel_choose(version), 0);
    retc_network *network = make_network();
    retc_recording *recording = retc_recording_open(path, 0);
    retc_trainer_options options = {.blocks = BLOCKS, .block = BLOCK, .threads = threads, .frame_interval = 0.01};
    retc_trainer *trainer = retc_trainer_alloc(network, &options);
    retc_tape *tape = retc_tape_alloc(network, BLOCK, 0, NULL);
    outcome o = {.values = network->values,
                 .rate = retc_calloc(N * BLOCK, sizeof(float)),
                 .gradient = retc_calloc(network->values, sizeof(float))};
    float *frames = retc_calloc((BLOCK + L - 1) * SIDE * SIDE, sizeof *frames);
    const float *gradient;
    ck_assert(recording && trainer && tape && o.rate && o.gradient && frames);
    ck_assert_int_eq(tape->fft && tape->map[SECOND], strcmp(version, "reference") != 0);
    ck_ok(retc_stream_read(network, recording, RETC_TRAIN, L, BLOCK, frames));
    retc_tape_load(tape, frames, BLOCK);
    retc_tape_forward(tape, 0, network->layers, BLOCK);
    for (size_t j = 0; j < N; ++j)
        memcpy(o.rate + j * BLOCK, retc_tape_rate(tape, j), BLOCK * sizeof(float));
    for (size_t b = 0; b < BLOCKS; ++b)
        ck_ok(retc_trainer_load(trainer, recording, RETC_TRAIN, b, &(retc_block){.t0 = L + b * BLOCK, .n = BLOCK}));
    ck_ok(retc_trainer_step(trainer, BLOCKS, 0, &o.loss, &gradient));
    memcpy(o.gradient, gradient, o.values * sizeof *gradient);
    retc_free(frames);
    retc_tape_free(tape);
    retc_trainer_free(trainer);
    retc_recording_close(recording);
    retc_network_free(network);
    return o;
}

static void
clear(outcome *o) {
    retc_free(o->rate), retc_free(o->gradient);
}

static const char *
write_recording(void) {
    const char *path = retc_test_path("dispatch.h5");
    float *movie = retc_fixture_movie(3, T, SIDE, SIDE), counts[N * T];
    for (size_t i = 0; i < N * T; ++i)
        counts[i] = (float)(i * 7919 % 5 == 0);
    ck_ok(retc_fixture_recording(path, T, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_free(movie);
    return path;
}

/* A sum of n terms errs by at most 2 n u of its magnitudes (Higham, Accuracy and Stability, 3.1).  The longest in a row are the
 * L 9 9 terms of the first convolution, which has transforms instead, with smaller errors; and the frames and positions that a
 * gradient adds up.  Gradients are compared per parameter, with the largest of each. */
START_TEST(every_version_gives_the_reference) {
    const double unit_roundoff = 5.9604644775390625e-8, forward = 2 * L * 9 * 9 * unit_roundoff;
    const double backward = 2 * BLOCKS * BLOCK * 16 * 16 * unit_roundoff;
    const char *path = write_recording();
    if (retc_kernel_choose(versions[_i]) < 0)
        retc_skip("this processor or build has no %s", versions[_i]);
    outcome expected = run_with("reference", path, 1), found = run_with(versions[_i], path, 2);
    retc_network *network = make_network();
    ck_close_float("rate", found.rate, expected.rate, N * BLOCK, 0, forward);
    ck_assert_double_eq_tol(found.loss, expected.loss, forward * fabs(expected.loss));
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *p = &network->param[i];
        /* The bias of a convolution in front of a batch norm has no effect: its gradient is rounding alone, of terms as large
         * as the gradients of the norm's shift. */
        int none = p->trainable && p->rank == 1 && strstr(p->name, ".bias") && i > 0 && network->param[i - 1].rank == 4;
        ck_close_float(p->name, found.gradient + p->offset, expected.gradient + p->offset, p->size, none ? backward : 0,
                       backward);
    }
    retc_network_free(network);
    clear(&expected), clear(&found);
}
END_TEST

/* The same kernels give the same bits on two threads as on one, wherever arrays happen to lie. */
START_TEST(every_version_repeats_itself) {
    const char *path = write_recording();
    if (retc_kernel_choose(versions[_i]) < 0)
        retc_skip("this processor or build has no %s", versions[_i]);
    outcome first = run_with(versions[_i], path, 1), second = run_with(versions[_i], path, 2);
    ck_assert_int_eq(memcmp(first.rate, second.rate, N * BLOCK * sizeof(float)), 0);
    ck_assert_int_eq(memcmp(first.gradient, second.gradient, first.values * sizeof(float)), 0);
    clear(&first), clear(&second);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("dispatch");
    TCase *cases = tcase_create("versions");
    tcase_set_timeout(cases, 60);
    tcase_add_loop_test(cases, every_version_gives_the_reference, 0, 3);
    tcase_add_loop_test(cases, every_version_repeats_itself, 0, 3);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
