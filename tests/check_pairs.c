/* Paths of influence: their sums are contributions of both layers, and in a linear network each is what cutting it takes away.
 */
#include <math.h>
#include <string.h>

#include "contribute.h"
#include "fixtures.h"
#include "pairs.h"
#include "testing.h"

enum { FRAMES = 90, DEPTH = 6, SIDE = 9, N = 4 };

static retc_recording *
make_recording(const char *name) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), *counts = retc_calloc(N * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, N, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(movie), retc_free(counts);
    return recording;
}

/* Mean over samples of what every channel of the first two convolutions contributes, and of the size of it all. */
typedef struct {
    const retc_network *network;
    double mean[2][16], size;
    size_t channels[2], samples, every;
} means;

static int
add(void *context, const retc_contribution *b) {
    means *m = context;
    for (size_t k = 0; k < 2; ++k)
        for (size_t t = 0; t < b->n; ++t)
            for (size_t c = 0; retc_path_takes(b->sample + t, m->every) && c < 2 * m->channels[k]; ++c) {
                double x = (double)b->contribution[k][t * 2 * m->channels[k] + c];
                m->mean[k][c % m->channels[k]] += x;
                m->size += fabs(x);
            }
    for (size_t t = 0; t < b->n; ++t)
        m->samples += (size_t)retc_path_takes(b->sample + t, m->every);
    return RETC_OK;
}

static means
contribute(const retc_network *network, retc_recording *recording, const retc_target *target, const retc_pairs_options *o) {
    size_t cut[64];
    means m = {.network = network, .every = o->every};
    retc_contribute_options options = retc_contribute_default();
    options.steps = o->refine.steps, options.baseline = o->baseline, options.threads = 1;
    (void)retc_network_cuts(network, cut);
    m.channels[0] = network->layer[cut[0]].C, m.channels[1] = network->layer[cut[1]].C;
    ck_assert_uint_le(m.channels[0], 16);
    ck_assert_uint_le(m.channels[1], 16);
    ck_ok(retc_contribute(network, recording, RETC_TEST, target, &options, add, &m, NULL));
    for (size_t k = 0; k < 2; ++k)
        for (size_t c = 0; c < 16; ++c)
            m.mean[k][c] /= (double)m.samples;
    m.size /= (double)m.samples;
    return m;
}

/* Sums of pairs over either layer are the contributions of the channels of the other, from any kind of baseline. */
START_TEST(pairs_sum_to_the_contributions_of_both_layers) {
    retc_recording *recording = make_recording("sums.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_baseline baseline = retc_baseline_grey();
    retc_target target[2];
    if (_i / 2 == 1)
        ck_ok(retc_baseline_init_windows(&baseline, network, recording, 3, 1));
    if (_i / 2 == 2)
        ck_ok(retc_baseline_init_blur(&baseline, network, 1));
    ck_ok(retc_target_init(&target[0], RETC_TARGET_SUM, N, 0));
    ck_ok(retc_target_init(&target[1], RETC_TARGET_CELL, N, 2));
    retc_pairs_options options = retc_pairs_default();
    options.refine.steps = 4, options.every = 1 + 2 * ((size_t)_i % 2), options.baseline = _i / 2 ? &baseline : NULL;
    retc_pairs p;
    ck_ok(retc_pairs_compute(network, recording, RETC_TEST, target, 2, &options, NULL, &p));
    for (size_t j = 0; j < 2; ++j) {
        means m = contribute(network, recording, &target[j], &options);
        double sum0[16] = {0}, sum1[16] = {0}, size = 0;
        ck_assert_uint_eq(p.C0, m.channels[0]);
        ck_assert_uint_eq(p.C1, m.channels[1]);
        ck_assert_uint_eq(p.samples, m.samples);
        for (size_t c = 0; c < p.C0; ++c)
            for (size_t k = 0; k < p.C1; ++k) {
                double pair = p.mean[(j * p.C0 + c) * p.C1 + k];
                sum0[c] += pair, sum1[k] += pair;
                ck_assert_double_ge(p.size[(j * p.C0 + c) * p.C1 + k], fabs(pair));
                size += p.size[(j * p.C0 + c) * p.C1 + k];
            }
        /* Both sum floats over the units of a map, whose gradients are sums over the kernels above: 1e-5 of the sizes that
         * cancel is some hundred roundings. */
        ck_close_double("conv0", sum0, m.mean[0], p.C0, 1e-5 * (size + m.size), 0);
        ck_close_double("conv1", sum1, m.mean[1], p.C1, 1e-5 * (size + m.size), 0);
        ck_assert_double_le(p.residual[j], 1e-4 * size);
        ck_assert_double_gt(size, 0);
    }
    retc_pairs_clear(&p);
    retc_baseline_clear(&baseline);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static double
mean_target(const retc_network *network, retc_recording *recording, const retc_target *target) {
    retc_pairs_options options = retc_pairs_default();
    retc_pairs p;
    double sum = 0;
    options.refine.steps = 1;
    ck_ok(retc_pairs_compute(network, recording, RETC_TEST, target, 1, &options, NULL, &p));
    for (size_t i = 0; i < p.C0 * p.C1; ++i)
        sum += p.mean[i];
    retc_pairs_clear(&p);
    return sum;
}

/* Cutting the weights from channel c to channel k of a linear network takes exactly the pair (c,k) from its output. */
START_TEST(pairs_of_linear_networks_are_what_cutting_takes_away) {
    retc_recording *recording = make_recording("linear.h5");
    retc_network *network = retc_network_alloc("linear", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, 3, 4, 5, 1, 0));
    ck_ok(retc_network_add_conv(network, 2, 3, 2, 1, 0));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_CELL, N, 1));
    retc_pairs_options options = retc_pairs_default();
    retc_pairs p;
    ck_ok(retc_pairs_compute(network, recording, RETC_TEST, &target, 1, &options, NULL, &p));
    double whole = mean_target(network, recording, &target);
    float *weight = retc_network_values(network, network->layer[1].weight), kept[6];
    for (size_t c = 0; c < 3; ++c)
        for (size_t k = 0; k < 2; ++k) {
            memcpy(kept, weight + (k * 3 + c) * 6, sizeof kept);
            memset(weight + (k * 3 + c) * 6, 0, sizeof kept);
            double pair = p.mean[c * 2 + k], lost = whole - mean_target(network, recording, &target);
            memcpy(weight + (k * 3 + c) * 6, kept, sizeof kept);
            ck_assert_double_le(fabs(pair - lost), 1e-5 * p.size[c * 2 + k]);
        }
    retc_pairs_clear(&p);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(pairs_do_not_depend_on_threads) {
    retc_recording *recording = make_recording("threads.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    retc_pairs p[2];
    for (size_t i = 0; i < 2; ++i) {
        retc_pairs_options options = retc_pairs_default();
        options.block = 16, options.threads = 1 + 2 * i, options.every = 3;
        ck_ok(retc_pairs_compute(network, recording, RETC_TEST, &target, 1, &options, NULL, &p[i]));
    }
    ck_assert_mem_eq(p[0].mean, p[1].mean, p[0].C0 * p[0].C1 * sizeof(double));
    retc_pairs_clear(&p[0]), retc_pairs_clear(&p[1]);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Means of samples that are each within the tolerance differ by less than that from those of very many steps, of the mean of
 * what goes through all pairs, which is more than the mean norm.  Where too few steps are allowed, that is said. */
START_TEST(refined_pairs_agree_with_very_many_steps) {
    retc_recording *recording = make_recording("refined.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, N, 0);
    retc_target target[2];
    ck_ok(retc_target_init(&target[0], RETC_TARGET_SUM, N, 0));
    ck_ok(retc_target_init(&target[1], RETC_TARGET_CELL, N, 2));
    retc_pairs_options options = retc_pairs_default(), few = options, fixed = options;
    fixed.refine.steps = 256, few.refine.most_steps = RETC_REFINE_LEAST, few.refine.tolerance = 1e-4;
    retc_pairs a, truth, marked;
    ck_ok(retc_pairs_compute(network, recording, RETC_TEST, target, 2, &options, NULL, &a));
    ck_ok(retc_pairs_compute(network, recording, RETC_TEST, target, 2, &fixed, NULL, &truth));
    ck_ok(retc_pairs_compute(network, recording, RETC_TEST, target, 2, &few, NULL, &marked));
    for (size_t j = 0; j < 2; ++j) {
        double difference = 0, size = 0;
        for (size_t i = j * a.C0 * a.C1; i < (j + 1) * a.C0 * a.C1; ++i) {
            difference += (a.mean[i] - truth.mean[i]) * (a.mean[i] - truth.mean[i]);
            size += truth.size[i];
        }
        ck_assert_double_le(sqrt(difference), options.refine.tolerance * size);
        ck_assert_double_le(a.error[j], options.refine.tolerance);
        ck_assert_double_le(a.residual[j], 1e-4 * size);
        ck_assert_double_eq(truth.error[j], 0);
        ck_assert_double_gt(marked.error[j], few.refine.tolerance);
    }
    ck_assert_double_ge(a.mean_steps, RETC_REFINE_LEAST);
    ck_assert_double_eq(truth.mean_steps, 256);
    ck_assert_double_eq(marked.mean_steps, RETC_REFINE_LEAST);
    ck_assert(a.unconverged == 0 && truth.unconverged == 0 && marked.unconverged > marked.samples / 2);
    retc_pairs_clear(&a), retc_pairs_clear(&truth), retc_pairs_clear(&marked);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

START_TEST(networks_without_such_paths_are_refused) {
    retc_recording *recording = make_recording("refused.h5");
    retc_network *network = retc_network_alloc("ln", DEPTH, SIDE, SIDE, N);
    retc_target target;
    retc_pairs_options options = retc_pairs_default();
    retc_pairs p;
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, N, 0));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_finish(network));
    ck_fails(retc_pairs_compute(network, recording, RETC_TEST, &target, 1, &options, NULL, &p), "one convolution");
    retc_pairs_clear(&p);
    retc_network_free(network);
    /* conv0, ReLU, conv1, + ReLU's output: some of it never passes conv1. */
    network = retc_network_alloc("residual", DEPTH, SIDE, SIDE, N);
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_ok(retc_network_add_residual(network, 1));
    ck_ok(retc_network_add_conv(network, N, 0, 0, 1, 1));
    ck_ok(retc_network_finish(network));
    ck_fails(retc_pairs_compute(network, recording, RETC_TEST, &target, 1, &options, NULL, &p), "not all paths");
    retc_pairs_clear(&p);
    options.every = 0;
    ck_fails(retc_pairs_compute(network, recording, RETC_TEST, &target, 1, &options, NULL, &p), "at least one");
    retc_pairs_clear(&p);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static Suite *
pairs_suite(void) {
    Suite *suite = suite_create("pairs");
    TCase *tcase = tcase_create("paths");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, pairs_sum_to_the_contributions_of_both_layers, 0, 6);
    tcase_add_test(tcase, pairs_of_linear_networks_are_what_cutting_takes_away);
    tcase_add_test(tcase, pairs_do_not_depend_on_threads);
    tcase_add_test(tcase, refined_pairs_agree_with_very_many_steps);
    tcase_add_test(tcase, networks_without_such_paths_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(pairs_suite(), NULL);
}
