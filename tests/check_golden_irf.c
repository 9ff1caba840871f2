/* Receptive fields, their separations and integrated ones against results of PyTorch and of the published libraries. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "irf.h"
#include "published.h"
#include "testing.h"

enum { TINY_HISTORY = 8, TINY_CASES = 3 };

/* ---- gradients ------------------------------------------------------------------------------------------------------- */

typedef struct {
    float **out; /* per window, (U,L,H,W) wanted or NULL */
    size_t L, H, W, size, cells;
} irf_sink;

/* Of the windows wanted, into whole frames. */
static int
take_irf(void *context, const retc_irf_block *b) {
    irf_sink *sink = context;
    for (size_t t = 0; t < b->n; ++t)
        for (size_t u = 0; sink->out[b->sample + t] && u < sink->cells; ++u) {
            const retc_patch *p = &b->cell[u].patch;
            for (size_t l = 0; l < sink->L; ++l)
                for (size_t y = 0; y < p->h; ++y)
                    memcpy(sink->out[b->sample + t] + u * sink->size + (l * sink->H + p->row + y) * sink->W + p->column,
                           b->cell[u].irf + ((t * sink->L + l) * p->h + y) * p->w, p->w * sizeof(float));
        }
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
    irf_sink sink = {retc_calloc(g.windows, sizeof(float *)), g.network->L, g.network->H, g.network->W, size, cells};
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

/* ---- separations ------------------------------------------------------------------------------------------------------ */

/* A dataset of an item of the golden, double. */
static double *
lowrank(const published *g, int item, const char *who, const char *part, size_t *n) {
    char name[96];
    int rank;
    size_t shape[RETC_H5_MAX_RANK];
    snprintf(name, sizeof name, "/expected/irf_lowrank/item%d/%s/%s", item, who, part);
    ck_ok(retc_h5_shape(g->file, name, &rank, shape));
    *n = 1;
    for (int d = 0; d < rank; ++d)
        *n *= shape[d];
    double *out = retc_calloc(*n, sizeof *out);
    ck_ok(retc_h5_read(g->file, name, RETC_H5_DOUBLE, NULL, NULL, out));
    return out;
}

/* Separate the golden's own IRF, as whole frames or cut to a patch of which the rest is 0, and compare: values by the golden's
 * rule, singular values and the approximation to 2e-5 (or what the golden says), the first components, which alone are
 * well-conditioned, to 1e-3. */
static void
compare_separation(const published *g, int item, const char *who, retc_sign_rule sign, size_t rank, const float *irf,
                   const retc_patch *patch) {
    size_t L = g->network->L, H = g->network->H, W = g->network->W, P = patch->h * patch->w, n;
    retc_separate_options options = {L, P, rank, H * W - P, 1, sign};
    retc_separator *separator = retc_separator_alloc(&options);
    ck_assert_ptr_nonnull(separator);
    float *f = retc_calloc(L * P, sizeof *f), *u = retc_calloc(rank * L, sizeof *u), *v = retc_calloc(rank * P, sizeof *v);
    float s[8];
    for (size_t l = 0; l < L; ++l)
        for (size_t p = 0; p < P; ++p)
            f[l * P + p] = irf[(l * H + patch->row + p / patch->w) * W + patch->column + p % patch->w];
    retc_separation result = {u, s, v, 0, 0, 0};
    ck_ok(retc_separate(separator, f, &result));
    double *sk = lowrank(g, item, who, "sk", &n), *gs = lowrank(g, item, who, "s", &n), *gu = lowrank(g, item, who, "u", &n),
           *gv = lowrank(g, item, who, "v", &n), largest = 0, worst = 0, first_u = 0, first_v = 0;
    for (size_t i = 0; i < L * H * W; ++i)
        largest = fmax(largest, fabs(sk[i]));
    for (size_t j = 0; j < rank; ++j)
        ck_assert_msg(fabs((double)s[j] - gs[j]) <= 2e-5 * gs[0], "%s item %d s[%zu] = %g, expected %g", who, item, j,
                      (double)s[j], gs[j]);
    for (size_t p = 0; p < P; ++p) {
        size_t pixel = (patch->row + p / patch->w) * W + patch->column + p % patch->w;
        first_v = fmax(first_v, fabs((double)v[p] - gv[pixel]));
        for (size_t l = 0; l < L; ++l) {
            double sum = 0;
            for (size_t j = 0; j < rank; ++j)
                sum += (double)s[j] * (double)u[j * L + l] * (double)v[j * P + p];
            worst = fmax(worst, fabs(sum - sk[l * H * W + pixel]));
        }
    }
    for (size_t l = 0; l < L; ++l)
        first_u = fmax(first_u, fabs((double)u[l] - gu[l * rank]));
    ck_assert_msg(worst <= 2e-5 * largest, "%s item %d rank %zu: %g of %g", who, item, rank, worst, largest);
    ck_assert_msg(first_u <= 1e-3 && first_v <= 1e-3, "%s item %d: u is off by %g, v by %g", who, item, first_u, first_v);
    retc_free(f), retc_free(u), retc_free(v), retc_free(sk), retc_free(gs), retc_free(gu), retc_free(gv);
    retc_separator_free(separator);
}

START_TEST(separations_equal_the_published_ones) {
    published g;
    if (!published_open(&published_cases[_i], &g))
        retc_skip("%s is not there", published_cases[_i].file);
    void *pairs = NULL, *list = NULL;
    size_t shape[2], K = 0, size = g.network->L * g.network->H * g.network->W;
    ck_ok(retc_h5_read_new(g.file, "/expected/irf_lowrank/pairs", RETC_H5_INT64, 2, shape, &pairs));
    ck_ok(retc_h5_read_new(g.file, "/expected/irf/windows", RETC_H5_INT64, 1, &K, &list));
    float *irf = retc_calloc(size, sizeof *irf);
    static const struct {
        const char *who;
        retc_sign_rule sign;
        size_t rank;
    } rules[4] = {{"bscope_k1", RETC_SIGN_BSCOPE, 1},
                  {"bscope_k3", RETC_SIGN_BSCOPE, 3},
                  {"pyret_k1", RETC_SIGN_PYRET, 1},
                  {"pyret_k3", RETC_SIGN_PYRET, 3}};
    for (size_t item = 0; item < shape[0]; ++item) {
        size_t unit = (size_t)((const int64_t *)pairs)[2 * item], k = 0;
        while (((const int64_t *)list)[k] != ((const int64_t *)pairs)[2 * item + 1])
            ++k;
        ck_ok(retc_h5_read(g.file, "/expected/irf/gradients", RETC_H5_FLOAT, (size_t[]){unit, k, 0, 0, 0},
                           (size_t[]){1, 1, g.network->L, g.network->H, g.network->W}, irf));
        retc_patch map, patch, whole = {0, 0, g.network->H, g.network->W};
        ck_ok(retc_network_cell_patch(g.network, unit, &map, &patch));
        for (int rule = 0; rule < 4; ++rule) {
            compare_separation(&g, (int)item, rules[rule].who, rules[rule].sign, rules[rule].rank, irf, &whole);
            compare_separation(&g, (int)item, rules[rule].who, rules[rule].sign, rules[rule].rank, irf, &patch);
        }
    }
    retc_free(irf), retc_free(pairs), retc_free(list);
    published_close(&g);
}
END_TEST

/* ---- integrated IRFs -------------------------------------------------------------------------------------------------- */

static int
add_up(void *context, const retc_irf_block *b) {
    double *sum = context;
    const retc_irf_cell *cell = &b->cell[0];
    size_t size = cell->patch.h * cell->patch.w;
    for (size_t t = 0; t < b->n; ++t)
        for (size_t i = 0; i < TINY_HISTORY * size; ++i)
            sum[b->sample + t] += (double)cell->ig[t * TINY_HISTORY * size + i];
    return RETC_OK;
}

/* The first convolution is linear: what the pixels get by trapezia adds up to what its units get, which is published.  Sums of
 * some thousand float products of size 1 err by 1e-5 or so of the largest sum. */
START_TEST(integrated_receptive_fields_add_up) {
    published g;
    if (!published_open(&published_cases[_i], &g))
        retc_skip("%s is not there", published_cases[_i].file);
    static const size_t cell = 0;
    double *sum[2], largest = 0;
    for (int rule = 0; rule < 2; ++rule) {
        retc_irf_options options = {.cell = &cell, .cells = 1, .threads = 2, .ig_steps = 20};
        options.ig_rule = rule ? RETC_TRAPEZIUM : RETC_SECANT;
        sum[rule] = retc_calloc(g.windows, sizeof(double));
        ck_ok(retc_irf(g.network, g.recording, RETC_TEST, &options, add_up, sum[rule], NULL));
    }
    double *expected = retc_calloc(3 * g.windows, sizeof *expected), zero;
    float *value = retc_calloc(g.windows, sizeof *value);
    ck_ok(retc_h5_read(g.file, "/expected/contributions/output_neuron0/int_grad_20/completeness/sum", RETC_H5_DOUBLE, NULL,
                       NULL, expected));
    ck_ok(retc_h5_read(g.file, "/expected/contributions/output_neuron0/target_value", RETC_H5_FLOAT, NULL, NULL, value));
    ck_ok(retc_h5_read(g.file, "/expected/contributions/output_neuron0/target_zero", RETC_H5_DOUBLE, NULL, NULL, &zero));
    for (size_t t = 0; t < g.windows; ++t)
        largest = fmax(largest, fabs(expected[3 * t]));
    for (size_t t = 0; t < g.windows; ++t) {
        ck_assert_msg(fabs(sum[1][t] - expected[3 * t]) <= 2e-5 * largest, "window %zu: %g, expected %g", t, sum[1][t],
                      expected[3 * t]);
        ck_assert_msg(fabs(sum[0][t] - ((double)value[t] - zero)) <= 2e-5 * largest, "window %zu: %g, expected %g", t,
                      sum[0][t], (double)value[t] - zero);
    }
    retc_free(sum[0]), retc_free(sum[1]), retc_free(expected), retc_free(value);
    published_close(&g);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("golden receptive fields");
    TCase *tcase = tcase_create("published results");
    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, receptive_fields_equal_autograd, 0, PUBLISHED_CASES);
    tcase_add_loop_test(tcase, separations_equal_the_published_ones, 0, PUBLISHED_CASES);
    tcase_add_loop_test(tcase, integrated_receptive_fields_add_up, 0, TINY_CASES);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
