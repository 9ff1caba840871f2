/* How contributions by secants and by trapezia go to integrated gradients as steps get shorter, on the golden models.  At the
 * same number of steps both cost the same but for one backward pass, which trapezia take more. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "collected.h"
#include "published.h"
#include "testing.h"

enum { VERY_MANY = 4096, COUNTS = 5, MOST_CUTS = 3 };

/* Both orders are 2 in the limit where no kink is crossed, 1 for trapezia across kinks; from five errors they are known to
 * about 0.1, as terms of higher order still count at five steps. */
#define SPREAD 0.15

static const size_t counts[COUNTS] = {5, 10, 20, 40, 80};

/* Cell, sum, surprisal. */
static void
make_target(const published *g, int which, retc_target *target) {
    size_t N = g->network->N;
    if (which < 2) {
        ck_ok(retc_target_init(target, which ? RETC_TARGET_SUM : RETC_TARGET_CELL, N, 0));
        return;
    }
    double *mean = retc_calloc(N, sizeof *mean), *precision = retc_calloc(N * N, sizeof *precision);
    ck_ok(retc_h5_read(g->file, "/expected/surprisal/mu", RETC_H5_DOUBLE, NULL, NULL, mean));
    ck_ok(retc_h5_read(g->file, "/expected/surprisal/sigma_inv", RETC_H5_DOUBLE, NULL, NULL, precision));
    ck_ok(retc_target_init_given(target, N, mean, precision));
    retc_free(mean), retc_free(precision);
}

/* |x - truth| / |truth| over all samples and units of cut k. */
static double
distance(const collected *x, const collected *truth, size_t k) {
    size_t n = x->T * retc_layer_units(&x->network->layer[x->cut[k]]);
    double difference = 0, norm = 0;
    for (size_t i = 0; i < n; ++i) {
        double a = (double)x->map[k][i], b = (double)truth->map[k][i];
        difference += (a - b) * (a - b), norm += b * b;
    }
    return sqrt(difference / norm);
}

static collected
integrate(const published *g, const retc_target *target, retc_path_rule rule, size_t steps) {
    retc_contribute_options options = retc_contribute_default();
    options.rule = rule, options.steps = steps, options.block = 24, options.threads = 2;
    return collect(g->network, g->recording, target, &options);
}

/* Errors (COUNTS, cuts) of a rule against `truth`. */
static void
measure(const published *g, const retc_target *target, retc_path_rule rule, const collected *truth,
        double error[COUNTS][MOST_CUTS]) {
    for (size_t i = 0; i < COUNTS; ++i) {
        collected x = integrate(g, target, rule, counts[i]);
        for (size_t k = 0; k < x.cuts; ++k)
            error[i][k] = distance(&x, truth, k);
        collected_clear(&x);
    }
}

/* Power of 1/steps with which an error falls, from the least squares line through the logarithms. */
static double
order(double error[COUNTS][MOST_CUTS], size_t k) {
    double x[2] = {0}, xy = 0, xx = 0;
    for (size_t i = 0; i < COUNTS; ++i)
        x[0] += log((double)counts[i]) / COUNTS, x[1] += log(error[i][k]) / COUNTS;
    for (size_t i = 0; i < COUNTS; ++i) {
        double d = log((double)counts[i]) - x[0];
        xy += d * (log(error[i][k]) - x[1]), xx += d * d;
    }
    return -xy / xx;
}

START_TEST(secants_are_nearer_than_trapezia_and_no_slower) {
    published g;
    const published_case *c = &published_cases[_i / 3];
    if (!published_open(c, &g))
        retc_skip("%s is not there", c->file);
    retc_target target;
    make_target(&g, _i % 3, &target);
    double secant[COUNTS][MOST_CUTS], trapezium[COUNTS][MOST_CUTS];
    collected truth = integrate(&g, &target, RETC_SECANT, VERY_MANY);
    measure(&g, &target, RETC_SECANT, &truth, secant);
    measure(&g, &target, RETC_TRAPEZIUM, &truth, trapezium);
    for (size_t k = 0; k < truth.cuts; ++k) {
        printf("%s, %s, cut %zu, errors of secants/trapezia:", c->file, retc_target_name(&target), k);
        for (size_t i = 0; i < COUNTS; ++i) {
            printf("  %.1e/%.1e", secant[i][k], trapezium[i][k]);
            ck_assert_msg(secant[i][k] < trapezium[i][k], "%zu steps, cut %zu: secants %g, trapezia %g", counts[i], k,
                          secant[i][k], trapezium[i][k]);
        }
        printf("  orders %.2f/%.2f\n", order(secant, k), order(trapezium, k));
        /* Where only the readout's nonlinearity follows, secants are exact; rounding does not fall. */
        if (secant[0][k] > 1e-4)
            ck_assert_double_ge(order(secant, k), order(trapezium, k) - SPREAD);
    }
    retc_contribute_options options = retc_contribute_default();
    collected refined = collect(g.network, g.recording, &target, &options);
    for (size_t k = 0; k < truth.cuts; ++k)
        ck_assert_double_le(distance(&refined, &truth, k), options.tolerance);
    collected_clear(&refined);
    collected_clear(&truth);
    retc_target_clear(&target);
    published_close(&g);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("convergence");
    TCase *tcase = tcase_create("golden models");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, secants_are_nearer_than_trapezia_and_no_slower, 0, 9);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
