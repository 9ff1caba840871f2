/* Networks and contributions against results of PyTorch and of the published library (the golden files). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contribute.h"
#include "published.h"
#include "target.h"
#include "testing.h"

/* ---- collecting ------------------------------------------------------------------------------------------------------ */

typedef struct {
    const retc_network *network;
    float *contribution[3], *activation[3], *gradient[3], *rate; /* (windows,2C) each; (windows,N) */
    double *residual[3], *target, target_zero, worst;            /* (windows) */
} collected;

static size_t
columns_of(const retc_network *network, size_t cut) {
    size_t layers[64];
    retc_network_cuts(network, layers);
    return 2 * network->layer[layers[cut]].C;
}

static int
collect(void *context, const retc_contribution *b) {
    collected *c = context;
    for (size_t k = 0; k < 3; ++k) {
        size_t columns = columns_of(c->network, k);
        memcpy(c->contribution[k] + b->sample * columns, b->contribution[k], b->n * columns * sizeof(float));
        memcpy(c->activation[k] + b->sample * columns, b->activation[k], b->n * columns * sizeof(float));
        memcpy(c->gradient[k] + b->sample * columns, b->gradient[k], b->n * columns * sizeof(float));
        for (size_t t = 0; t < b->n; ++t) {
            c->residual[k][b->sample + t] = b->residual[k][t];
            c->worst = fmax(c->worst, fabs(b->residual[k][t]));
        }
    }
    memcpy(c->rate + b->sample * c->network->N, b->rate, b->n * c->network->N * sizeof(float));
    memcpy(c->target + b->sample, b->target, b->n * sizeof(double));
    c->target_zero = b->target_zero[0];
    return RETC_OK;
}

static collected
run_contributions(const published *g, const retc_target *target, retc_path_rule method, size_t steps) {
    collected c = {.network = g->network};
    for (size_t k = 0; k < 3; ++k) {
        size_t n = columns_of(g->network, k) * g->windows;
        c.contribution[k] = retc_calloc(n, sizeof(float));
        c.activation[k] = retc_calloc(n, sizeof(float));
        c.gradient[k] = retc_calloc(n, sizeof(float));
        c.residual[k] = retc_calloc(g->windows, sizeof(double));
    }
    c.rate = retc_calloc(g->windows * g->network->N, sizeof(float));
    c.target = retc_calloc(g->windows, sizeof(double));
    retc_contribute_options options = {.rule = method, .steps = steps, .block = 24, .threads = 2};
    ck_ok(retc_contribute(g->network, g->recording, RETC_TEST, target, &options, collect, &c, NULL));
    return c;
}

static void
collected_free(collected *c) {
    for (size_t k = 0; k < 3; ++k)
        retc_free(c->contribution[k]), retc_free(c->activation[k]), retc_free(c->gradient[k]), retc_free(c->residual[k]);
    retc_free(c->rate), retc_free(c->target);
}

static void
golden_target(const published *g, int kind, retc_target *target) {
    size_t N = g->network->N;
    if (kind == 0)
        ck_ok(retc_target_init(target, RETC_TARGET_CELL, N, 0));
    else if (kind == 1)
        ck_ok(retc_target_init(target, RETC_TARGET_SUM, N, 0));
    else {
        double *mean = retc_calloc(N, sizeof *mean), *precision = retc_calloc(N * N, sizeof *precision);
        ck_ok(retc_h5_read(g->file, "/expected/surprisal/mu", RETC_H5_DOUBLE, NULL, NULL, mean));
        ck_ok(retc_h5_read(g->file, "/expected/surprisal/sigma_inv", RETC_H5_DOUBLE, NULL, NULL, precision));
        ck_ok(retc_target_init_given(target, N, mean, precision));
        retc_free(mean), retc_free(precision);
    }
}

static const char *target_names[3] = {"output_neuron0", "sum", "surprisal"};

/* ---- tests ----------------------------------------------------------------------------------------------------------- */

START_TEST(contributions_equal_the_published_library) {
    published g;
    const published_case *c = &published_cases[_i / 3];
    if (!published_open(c, &g))
        retc_skip("%s is not there", c->file);
    retc_target target;
    golden_target(&g, _i % 3, &target);
    static const size_t steps[2] = {5, 20};
    for (int s = 0; s < 2; ++s) {
        collected x = run_contributions(&g, &target, RETC_TRAPEZIUM, steps[s]);
        char name[160], base[96];
        snprintf(base, sizeof base, "/expected/contributions/%s/int_grad_%zu", target_names[_i % 3], steps[s]);
        for (size_t k = 0; k < (c->flat ? 2u : 3u); ++k) {
            size_t columns = columns_of(g.network, k);
            snprintf(name, sizeof name, "%s/logged/conv%zu/contributions", base, k);
            published_compare(&g, name, x.contribution[k], columns, g.windows, NULL);
            if (steps[s] != 20)
                continue;
            snprintf(name, sizeof name, "%s/logged/conv%zu/activations", base, k);
            published_compare(&g, name, x.activation[k], columns, g.windows, NULL);
            snprintf(name, sizeof name, "%s/logged/conv%zu/gradients", base, k);
            published_compare(&g, name, x.gradient[k], columns, g.windows, NULL);
        }
        published_compare(&g, "/expected/activations/ganglion", x.rate, g.network->N, g.windows, NULL);
        float *value = retc_calloc(g.windows, sizeof *value), zero = (float)x.target_zero;
        for (size_t t = 0; t < g.windows; ++t)
            value[t] = (float)x.target[t];
        snprintf(name, sizeof name, "/expected/contributions/%s/target_value", target_names[_i % 3]);
        published_compare(&g, name, value, 1, g.windows, NULL);
        snprintf(name, sizeof name, "/expected/contributions/%s/target_zero", target_names[_i % 3]);
        published_compare(&g, name, &zero, 1, 1, NULL);
        retc_free(value);
        collected_free(&x);
    }
    retc_target_clear(&target);
    published_close(&g);
}
END_TEST

/* Rounding: a contribution is a sum over all units of products of float gradients, themselves sums over the readout; with some
 * 1e4 terms and u = 6e-8, 1e-4 of the largest target is far above rounding and far below one missed ReLU kink. */
START_TEST(secants_are_complete_with_any_number_of_steps) {
    published g;
    const published_case *c = &published_cases[_i / 3];
    if (!published_open(c, &g))
        retc_skip("%s is not there", c->file);
    retc_target target;
    golden_target(&g, _i % 3, &target);
    static const size_t steps[4] = {1, 2, 5, 20};
    for (int s = 0; s < 4; ++s) {
        collected x = run_contributions(&g, &target, RETC_SECANT, steps[s]);
        double largest = 0;
        for (size_t t = 0; t < g.windows; ++t)
            largest = fmax(largest, fabs(x.target[t] - x.target_zero));
        ck_assert_msg(x.worst <= 1e-4 * largest, "%zu steps: residual %g of %g", steps[s], x.worst, largest);
        collected_free(&x);
    }
    retc_target_clear(&target);
    published_close(&g);
}
END_TEST

static double
distance(const float *x, const float *y, size_t n) {
    double d = 0, norm = 0;
    for (size_t i = 0; i < n; ++i) {
        d += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        norm += (double)y[i] * (double)y[i];
    }
    return sqrt(d / norm);
}

/* Both methods go to the same integral, and secants are nearer at equal steps. */
START_TEST(secants_converge_to_integrated_gradients) {
    published g;
    if (!published_open(&published_cases[1], &g))
        retc_skip("%s is not there", published_cases[1].file);
    retc_target target;
    golden_target(&g, 1, &target);
    collected fine = run_contributions(&g, &target, RETC_TRAPEZIUM, 2048),
              s20 = run_contributions(&g, &target, RETC_SECANT, 20);
    collected t20 = run_contributions(&g, &target, RETC_TRAPEZIUM, 20), s200 = run_contributions(&g, &target, RETC_SECANT, 200);
    for (size_t k = 0; k < 3; ++k) {
        size_t n = columns_of(g.network, k) * g.windows;
        double secant = distance(s20.contribution[k], fine.contribution[k], n);
        double trapezium = distance(t20.contribution[k], fine.contribution[k], n);
        double secant_fine = distance(s200.contribution[k], fine.contribution[k], n);
        ck_assert_msg(secant < trapezium, "conv%zu: secant %g, trapezium %g", k, secant, trapezium);
        ck_assert_msg(secant_fine < secant / 4 || secant_fine < 1e-4, "conv%zu: %g at 20 steps, %g at 200", k, secant,
                      secant_fine);
    }
    collected_free(&fine), collected_free(&s20), collected_free(&t20), collected_free(&s200);
    retc_target_clear(&target);
    published_close(&g);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("golden");
    TCase *tcase = tcase_create("published results");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, contributions_equal_the_published_library, 0, 3 * PUBLISHED_CASES);
    tcase_add_loop_test(tcase, secants_are_complete_with_any_number_of_steps, 0, 9);
    tcase_add_test(tcase, secants_converge_to_integrated_gradients);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
