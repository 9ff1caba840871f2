/* Targets and their discrete gradients: exact differences, finite differences, closed forms. */
#include <math.h>
#include <string.h>

#include "collected.h"
#include "fixtures.h"
#include "rng.h"
#include "target.h"
#include "testing.h"

enum { U = 5, KINDS = 17, FRAMES = 60, DEPTH = 5, SIDE = 8 };

/* All targets of U cells, and all that can be through softmax. */
static void
make_target(int which, retc_target *target) {
    static const double weight[U] = {1, -2, 0.5, 0, 3}, mean[U] = {1, 0.5, 2, 0, 1};
    static const size_t cells[3] = {4, 0, 2};
    double precision[U * U];
    for (size_t i = 0; i < U * U; ++i)
        precision[i] = i % (U + 1) ? 0.1 : 1;
    switch (which) {
    case 0:
        ck_ok(retc_target_init(target, RETC_TARGET_SUM, U, 0));
        break;
    case 1:
    case 16:
        ck_ok(retc_target_init_given(target, U, mean, precision));
        break;
    case 2:
    case 3:
        ck_ok(retc_target_init(target, RETC_TARGET_CELL, U, 1));
        break;
    case 4:
    case 5:
        ck_ok(retc_target_init_cells(target, U, 3, cells));
        break;
    case 6:
    case 7:
        ck_ok(retc_target_init_linear(target, U, U, weight));
        break;
    case 8:
    case 9:
        ck_ok(retc_target_init(target, RETC_TARGET_CONTRASTIVE, U, 0));
        break;
    case 10:
    case 11:
        ck_ok(retc_target_init(target, RETC_TARGET_ENTROPY, U, 0));
        break;
    case 12:
    case 13:
        ck_ok(retc_target_init(target, RETC_TARGET_TOP, U, 2));
        break;
    default:
        ck_ok(retc_target_init(target, RETC_TARGET_TOP, U, which == 14 ? 1 : 4));
    }
    if (which == 16 || (which > 2 && which % 2))
        ck_ok(retc_target_through_softmax(target));
}

/* Rates: ordinary, nearly silent, saturating a softmax, nearly alike, with equal ones. */
static void
make_rates(gsl_rng *rng, int how, double *y) {
    for (size_t i = 0; i < U; ++i)
        switch (how) {
        case 0:
            y[i] = gsl_ran_flat(rng, 0, 4);
            break;
        case 1:
            y[i] = exp(-gsl_ran_flat(rng, 20, 80));
            break;
        case 2:
            y[i] = gsl_ran_flat(rng, 0, 90);
            break;
        case 3:
            y[i] = 2 + 1e-9 * gsl_ran_flat(rng, 0, 1);
            break;
        default:
            y[i] = i % 2 ? 3 : 1;
        }
}

/* Exactly: sums of a few dozen products, each with a few roundings, some of which cancel. */
START_TEST(discrete_gradients_are_exact) {
    retc_target target;
    make_target(_i, &target);
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    double y[U], y0[U], g[U];
    for (int trial = 0; trial < 2000; ++trial) {
        make_rates(rng, trial % 5, y);
        make_rates(rng, trial / 5 % 5, y0);
        retc_target_gradient(&target, y, y0, g);
        double start = retc_target_value(&target, y0), end = retc_target_value(&target, y), sum = 0;
        double scale = fabs(start) + fabs(end) + (target.softmax ? 3 : 0); /* weighted probabilities */
        for (size_t i = 0; i < U; ++i) {
            sum += g[i] * (y[i] - y0[i]);
            scale += fabs(g[i]) * (fabs(y[i]) + fabs(y0[i]));
        }
        ck_assert_msg(fabs(sum - (end - start)) <= 1e-14 * scale, "trial %d: %g is not %g", trial, sum, end - start);
    }
    gsl_rng_free(rng);
    retc_target_clear(&target);
}
END_TEST

/* Central differences: h^2/6 times third derivatives, below 100 here, and rounding 1e-16 t/h. */
START_TEST(gradients_are_finite_differences) {
    retc_target target;
    make_target(_i, &target);
    gsl_rng *rng = retc_rng_alloc(2, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    double y[U], g[U], h = 1e-5;
    for (int trial = 0; trial < 50; ++trial) {
        make_rates(rng, 0, y);
        for (size_t i = 0; i < U; ++i) /* ranks are decided */
            y[i] = floor(y[i] * 100) / 100 + 0.001 * (double)i;
        retc_target_gradient(&target, y, y, g);
        for (size_t i = 0; i < U; ++i) {
            double at = y[i];
            y[i] = at + h;
            double above = retc_target_value(&target, y);
            y[i] = at - h;
            double below = retc_target_value(&target, y);
            y[i] = at;
            double expected = (above - below) / (2 * h);
            ck_assert_msg(fabs(g[i] - expected) <= 1e-8, "trial %d, cell %zu: %g is not %g", trial, i, g[i], expected);
        }
    }
    gsl_rng_free(rng);
    retc_target_clear(&target);
}
END_TEST

/* Two cells that differ by d: dt/dd = p (1 - p) (q - q'), where 1 - p is many orders below rounding of p. */
START_TEST(entropy_has_gradients_where_softmax_saturates) {
    retc_target target;
    ck_ok(retc_target_init(&target, RETC_TARGET_ENTROPY, 2, 0));
    for (double d = 1; d < 300; d *= 1.5) {
        double y[2] = {d, 0}, g[2], small = 1 / (1 + exp(d)), large = 1 / (1 + exp(-d));
        double q = -log(large + 1e-9) - large / (large + 1e-9), other = -log(small + 1e-9) - small / (small + 1e-9);
        retc_target_gradient(&target, y, y, g);
        ck_assert_double_le(fabs(g[0] - small * large * (q - other)), 1e-12 * fabs(g[0]));
        ck_assert_double_eq(g[0], -g[1]);
    }
}
END_TEST

/* The mean over the way, by very many places: each of the crossings can fall on the wrong side of one. */
START_TEST(largest_cells_share_the_way) {
    enum { PLACES = 20000 };
    gsl_rng *rng = retc_rng_alloc(3, RETC_STREAM_WEIGHTS, 0);
    double y[U], y0[U], g[U], at[U], there[U], mean[U];
    for (int trial = 0; trial < 20; ++trial) {
        retc_target target;
        make_target(8 + 2 * (trial % 4) + (trial % 4 == 1 ? 2 : 0), &target);
        make_rates(rng, 0, y);
        make_rates(rng, 0, y0);
        memset(mean, 0, sizeof mean);
        for (size_t i = 0; i < PLACES; ++i) {
            for (size_t j = 0; j < U; ++j)
                at[j] = y0[j] + ((double)i + 0.5) / PLACES * (y[j] - y0[j]);
            retc_target_gradient(&target, at, at, there);
            for (size_t j = 0; j < U; ++j)
                mean[j] += there[j] / PLACES;
        }
        retc_target_gradient(&target, y, y0, g);
        ck_close_double("shares", g, mean, U, 3.0 * U / PLACES, 0);
        retc_target_clear(&target);
    }
    gsl_rng_free(rng);
}
END_TEST

START_TEST(impossible_targets_are_refused) {
    retc_target target;
    static const double weight[3] = {0, 0, 0}, bad[3] = {1, (double)NAN, 0};
    static const size_t twice[2] = {1, 1}, outside[1] = {3};
    ck_fails(retc_target_init(&target, RETC_TARGET_CELL, 3, 3), "cell 3");
    ck_fails(retc_target_init(&target, RETC_TARGET_TOP, 3, 4), "4 largest");
    ck_fails(retc_target_init(&target, RETC_TARGET_TOP, 1, 2), "1 cell:");
    ck_fails(retc_target_init(&target, RETC_TARGET_TOP, 3, 0), "0 largest");
    ck_fails(retc_target_init(&target, RETC_TARGET_CONTRASTIVE, 1, 0), "has one");
    ck_fails(retc_target_init(&target, RETC_TARGET_ENTROPY, 1, 0), "has one");
    ck_fails(retc_target_init_linear(&target, 3, 2, weight), "3 cells");
    ck_fails(retc_target_init_linear(&target, 3, 3, weight), "0");
    ck_fails(retc_target_init_linear(&target, 3, 3, bad), "cell 1");
    ck_fails(retc_target_init_cells(&target, 3, 2, twice), "twice");
    ck_fails(retc_target_init_cells(&target, 3, 1, outside), "cell 3");
    ck_fails(retc_target_init_cells(&target, 3, 0, outside), "no cell");
    ck_ok(retc_target_init(&target, RETC_TARGET_SUM, 3, 0));
    ck_fails(retc_target_through_softmax(&target), "sum to 1");
    ck_ok(retc_target_init(&target, RETC_TARGET_CELL, 1, 0));
    ck_fails(retc_target_through_softmax(&target), "sum to 1");
}
END_TEST

static retc_recording *
noise_recording(const char *name) {
    float *movie = retc_fixture_movie(4, FRAMES, SIDE, SIDE), *counts = retc_calloc(U * FRAMES, sizeof *counts);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, FRAMES, SIDE, SIDE, movie, U, counts, 0, NULL, 1, 0.01));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(movie), retc_free(counts);
    return recording;
}

/* Secants stay complete with any target, also where ranks change on the way. */
START_TEST(secants_are_complete_with_every_target) {
    retc_recording *recording = noise_recording("complete.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, U, 0);
    retc_target target;
    make_target(_i, &target);
    for (size_t steps = 1; steps < 8; steps += 3) {
        retc_contribute_options options = collect_by(RETC_METHOD_PATH);
        options.steps = steps;
        collected a = collect(network, recording, &target, &options);
        for (size_t k = 0; k < a.cuts; ++k) {
            size_t units = retc_layer_units(&network->layer[a.cut[k]]);
            for (size_t t = 0; t < a.T; ++t) {
                double size = fabs(a.target[t]) + fabs(a.target_zero[t]);
                for (size_t u = 0; u < units; ++u)
                    size += fabs((double)a.map[k][t * units + u]);
                ck_assert_msg(fabs(a.residual[k][t]) <= 1e-5 * size, "%zu steps, cut %zu, sample %zu: %g of %g", steps, k, t,
                              a.residual[k][t], size);
            }
        }
        collected_clear(&a);
    }
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* The mean surprisal is (n - 1) / 2n times the number of directions that vary: N of rates, N - 1 of their softmax.
 * Contributions have their rates by another order of sums in float than the statistics, 1e-7 of numbers of the size of 1 to 10.
 */
START_TEST(surprisal_counts_directions) {
    retc_recording *recording = noise_recording("surprisal.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, U, 0);
    retc_target target;
    ck_ok(retc_target_init_surprisal(&target, network, recording, RETC_TEST, _i, 2, NULL));
    ck_assert_uint_eq(target.still, 0);
    retc_contribute_options options = collect_by(RETC_METHOD_ACT_GRAD);
    collected a = collect(network, recording, &target, &options);
    double mean = 0, n = (double)a.T;
    for (size_t t = 0; t < a.T; ++t)
        mean += a.target[t] / n;
    ck_assert_double_le(fabs(mean - (n - 1) / (2 * n) * (U - _i)), 1e-5);
    collected_clear(&a);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Cells of which the last, where there are four, repeats the first or never changes. */
static retc_network *
network_of_cells(size_t cells, int constant) {
    retc_network *network = retc_network_alloc("cells", DEPTH, SIDE, SIDE, cells);
    ck_ok(retc_network_add_conv(network, 3, 3, 3, 1, 0));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_RELU));
    ck_ok(retc_network_add_conv(network, cells, 0, 0, 1, 1));
    ck_ok(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, 5));
    float *readout = retc_network_values(network, network->layer[2].weight);
    size_t size = retc_layer_units(&network->layer[1]);
    for (size_t i = 0; i < cells * size; ++i)
        readout[i] = constant && i / size == cells - 1 ? 0 : (float)((i % size * 37 + i / size % 3 * 53) % 101) / 300 - 0.15f;
    return network;
}

/* What is surprising of three cells is as surprising when one is there twice, or another never changes: the covariance of the
 * four is inverted among the directions that vary. */
START_TEST(directions_without_variance_are_no_surprise) {
    retc_recording *recording = noise_recording("repeated.h5");
    retc_network *three = network_of_cells(3, 0), *four = network_of_cells(4, _i);
    retc_target of_three, of_four;
    ck_ok(retc_target_init_surprisal(&of_three, three, recording, RETC_TEST, 0, 1, NULL));
    ck_ok(retc_target_init_surprisal(&of_four, four, recording, RETC_TEST, 0, 1, NULL));
    ck_assert_uint_eq(of_three.still, 0);
    ck_assert_uint_eq(of_four.still, 1);
    retc_contribute_options options = collect_by(RETC_METHOD_ACT_GRAD);
    collected a = collect(three, recording, &of_three, &options), b = collect(four, recording, &of_four, &options);
    double mean = 0, n = (double)a.T;
    for (size_t t = 0; t < a.T; ++t) {
        ck_assert_double_eq_tol(b.target[t], a.target[t], 1e-5 * (1 + a.target[t]));
        mean += b.target[t] / n;
    }
    ck_assert_double_eq_tol(mean, (n - 1) / (2 * n) * 3, 1e-5);
    collected_clear(&a), collected_clear(&b);
    retc_target_clear(&of_three), retc_target_clear(&of_four);
    retc_network_free(three), retc_network_free(four);
    retc_recording_close(recording);
}
END_TEST

START_TEST(rates_that_never_change_are_refused) {
    retc_recording *recording = noise_recording("constant.h5");
    retc_network *network = network_of_cells(1, 1);
    retc_target target;
    ck_fails(retc_target_init_surprisal(&target, network, recording, RETC_TEST, 0, 1, NULL),
             "constant.h5: test part: the covariance of the rates cannot be inverted: the model's rates do not vary");
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Also where ranks change and softmax saturates, refined contributions are near those of very many steps.  The estimate knows
 * two sums only, so that it can be too small, rarely. */
START_TEST(refined_samples_agree_with_very_many_steps) {
    retc_recording *recording = noise_recording("refined.h5");
    retc_network *network = retc_fixture_network(3, DEPTH, SIDE, SIDE, U, 0);
    retc_target target;
    make_target(_i, &target);
    retc_contribute_options options = collect_by(RETC_METHOD_PATH);
    collected refined = collect(network, recording, &target, &options);
    double tolerance = options.tolerance, floor = options.floor, worst = 0;
    options.steps = 1024;
    collected many = collect(network, recording, &target, &options);
    size_t beyond = 0;
    for (size_t t = 0; t < many.T; ++t)
        for (size_t k = 0; k < many.cuts; ++k) {
            size_t units = retc_layer_units(&network->layer[many.cut[k]]);
            double difference = 0, norm = 0;
            for (size_t i = t * units; i < (t + 1) * units; ++i) {
                double x = (double)refined.map[k][i], y = (double)many.map[k][i];
                difference += (x - y) * (x - y), norm += y * y;
            }
            double error = sqrt(difference) / fmax(sqrt(norm), floor);
            worst = fmax(worst, error);
            beyond += error > tolerance;
        }
    ck_assert_uint_le(beyond, many.T * many.cuts / 20);
    ck_assert_double_le(worst, 10 * tolerance);
    collected_clear(&refined), collected_clear(&many);
    retc_target_clear(&target);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

static Suite *
target_suite(void) {
    Suite *suite = suite_create("target");
    TCase *tcase = tcase_create("targets");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, discrete_gradients_are_exact, 0, KINDS);
    tcase_add_loop_test(tcase, gradients_are_finite_differences, 0, KINDS);
    tcase_add_test(tcase, entropy_has_gradients_where_softmax_saturates);
    tcase_add_test(tcase, largest_cells_share_the_way);
    tcase_add_test(tcase, impossible_targets_are_refused);
    tcase_add_loop_test(tcase, secants_are_complete_with_every_target, 0, KINDS);
    tcase_add_loop_test(tcase, surprisal_counts_directions, 0, 2);
    tcase_add_loop_test(tcase, directions_without_variance_are_no_surprise, 0, 2);
    tcase_add_test(tcase, rates_that_never_change_are_refused);
    tcase_add_loop_test(tcase, refined_samples_agree_with_very_many_steps, 0, KINDS);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(target_suite(), NULL);
}
