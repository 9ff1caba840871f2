/* Networks, contributions and receptive fields against results of PyTorch and of the published library (the golden files). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contribute.h"
#include "irf.h"
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

typedef struct {
    float **out; /* per window, (U,L,H,W) wanted or NULL */
    size_t size;
} irf_sink;

static int
take_irf(void *context, const retc_irf_block *b) {
    irf_sink *sink = context;
    for (size_t t = 0; t < b->n; ++t)
        for (size_t u = 0; sink->out[b->sample + t] && u < 3; ++u)
            if (b->irf[u])
                memcpy(sink->out[b->sample + t] + u * sink->size, b->irf[u] + t * sink->size, sink->size * sizeof(float));
    return RETC_OK;
}

START_TEST(receptive_fields_equal_autograd) {
    published g;
    if (!published_open(&published_cases[_i], &g))
        retc_skip("%s is not there", published_cases[_i].file);
    void *list = NULL;
    size_t K = 0, U = g.network->N, size = g.network->L * g.network->H * g.network->W;
    size_t cell[3] = {0, 1, 2}, cells = U < 3 ? U : 3;
    ck_ok(retc_h5_read_new(g.file, "/expected/irf/windows", RETC_H5_INT64, 1, &K, &list));
    const int64_t *window = list;
    irf_sink sink = {retc_calloc(g.windows, sizeof(float *)), size};
    for (size_t i = 0; i < K; ++i)
        sink.out[window[i]] = retc_calloc(3 * size, sizeof(float));
    retc_irf_options options = {.cell = cell, .cells = cells, .threads = 2};
    ck_ok(retc_irf(g.network, g.recording, RETC_TEST, &options, take_irf, &sink, NULL));
    double tol = 0, largest = 0;
    ck_assert_int_eq(retc_h5_get_number(g.file, "/expected/irf/gradients", "tol", &tol), 1);
    float *expected = retc_calloc(U * K * size, sizeof *expected);
    ck_ok(retc_h5_read(g.file, "/expected/irf/gradients", RETC_H5_FLOAT, NULL, NULL, expected));
    for (size_t i = 0; i < U * K * size; ++i)
        largest = fmax(largest, fabs((double)expected[i]));
    for (size_t u = 0; u < cells; ++u)
        for (size_t i = 0; i < K; ++i) {
            const float *x = sink.out[window[i]] + u * size, *e = expected + (u * K + i) * size;
            double difference = 0, norm = 0, worst = 0;
            for (size_t k = 0; k < size; ++k) {
                double d = fabs((double)x[k] - (double)e[k]);
                ck_assert(isfinite(d));
                difference += d * d, norm += (double)e[k] * (double)e[k], worst = fmax(worst, d);
            }
            if (g.margin[window[i]] < 1e-5)
                ck_assert_msg(sqrt(difference) <= 5e-3 * sqrt(norm) + tol * largest * sqrt((double)size), "cell %zu window %zu",
                              u, i);
            else
                ck_assert_msg(worst <= tol * largest, "cell %zu window %zu: %g, allowed %g", u, i, worst, tol * largest);
        }
    for (size_t i = 0; i < g.windows; ++i)
        retc_free(sink.out[i]);
    retc_free(sink.out), retc_free(expected), retc_free(list);
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
    tcase_add_loop_test(tcase, receptive_fields_equal_autograd, 0, PUBLISHED_CASES);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
