/* Convolution over maps by transforms against the plain definition, over swept shapes and with every version of the kernels,
 * and the identities that its adjoints obey. */
#include <math.h>
#include <string.h>

#include "arrays.h"
#include "gather.h"
#include "mapconv.h"
#include "rng.h"
#include "testing.h"

static const char *const versions[] = {"avx512", "avx2", "generic"};

/* 1x1 pixel, 1x1 kernel, primes (padded), kernel = image, odd and even numbers of rows, more and fewer channels than a tile,
 * every radix, one pass and several, n below and above the lanes of a vector and not a multiple of them. */
static const struct {
    retc_conv_shape shape;
    size_t n;
} cases[] = {{{1, 1, 1, 1, 1, 1, 0}, 1},      {{2, 1, 1, 3, 1, 1, 0}, 19},    {{1, 5, 7, 2, 1, 1, 0}, 16},
             {{3, 11, 13, 5, 3, 7, 0}, 31},   {{5, 9, 6, 3, 9, 6, 0}, 17},    {{4, 7, 5, 2, 2, 5, 0}, 33},
             {{1, 2, 3, 1, 2, 1, 0}, 5},      {{6, 4, 19, 9, 4, 2, 0}, 40},   {{2, 17, 2, 6, 5, 1, 0}, 9},
             {{8, 36, 36, 8, 11, 11, 0}, 21}, {{9, 12, 20, 4, 7, 3, 0}, 16},  {{4, 25, 24, 5, 13, 11, 0}, 3},
             {{2, 48, 50, 3, 31, 29, 0}, 2},  {{3, 37, 41, 2, 31, 23, 0}, 7}, {{5, 8, 1, 8, 3, 1, 0}, 18},
             {{17, 10, 9, 1, 4, 5, 0}, 23}};
enum { CASES = sizeof cases / sizeof *cases, RUNS = 3 * CASES };

typedef struct {
    const retc_conv_shape *s;
    size_t n, in_ld, out_ld, taps, oh, ow, inputs, outputs, weights;
    float *w, *bias, *in, *out, *g, *din, *dw;
    retc_mapconv *plan;
    retc_mapconv_work *work;
} setting;

static setting
begin(int i) {
    const retc_conv_shape *s = &cases[i % CASES].shape;
    setting c = {.s = s, .n = cases[i % CASES].n, .oh = s->h - s->kh + 1, .ow = s->w - s->kw + 1, .taps = s->kh * s->kw};
    c.in_ld = c.n + 3, c.out_ld = c.n + 5;
    c.inputs = s->C * s->h * s->w, c.outputs = s->K * c.oh * c.ow, c.weights = s->K * s->C * c.taps;
    gsl_rng *rng = retc_rng_alloc(22, RETC_STREAM_WEIGHTS, (uint64_t)(i % CASES));
    ck_assert_ptr_nonnull(rng);
    c.w = retc_deviates(rng, c.weights), c.bias = retc_deviates(rng, s->K), c.dw = retc_deviates(rng, c.weights);
    c.in = retc_deviates(rng, c.inputs * c.in_ld), c.din = retc_deviates(rng, c.inputs * c.in_ld);
    c.g = retc_deviates(rng, c.outputs * c.out_ld), c.out = retc_deviates(rng, c.outputs * c.out_ld);
    gsl_rng_free(rng);
    c.plan = retc_mapconv_alloc(s, c.in_ld, c.out_ld);
    ck_assert_ptr_nonnull(c.plan);
    c.work = retc_mapconv_work_alloc(c.plan, 1);
    ck_assert_ptr_nonnull(c.work);
    retc_mapconv_set_weights(c.plan, c.work, c.w);
    return c;
}

static void
end(setting *c) {
    retc_mapconv_work_free(c->work);
    retc_mapconv_free(c->plan);
    retc_free(c->w), retc_free(c->bias), retc_free(c->in), retc_free(c->out), retc_free(c->g), retc_free(c->din);
    retc_free(c->dw);
}

#define BEGIN_OR_SKIP(i)                                                                                                       \
    if (retc_kernel_choose(versions[(i) / CASES]) < 0)                                                                         \
        retc_skip("this processor or build has no %s", versions[(i) / CASES]);                                                 \
    setting c = begin(i)

/* A transform of N points errs by at most e = 7 u log2(N) in the 2-norm (Higham, Accuracy and Stability, theorem 24.2, for
 * radix 2; a pass of a larger radix r does fewer roundings in a row than log2(r) of these).  By Cauchy, Schwarz and Parseval an
 * error e of either factor, and a sum's of `terms` products, each move no element of the product by more than that times
 * |a|_2 |b|_2; the transform back adds e |a|_1 |b|_2. */
static double
bound(const setting *c, size_t terms, retc_norms a, retc_norms b) {
    double e = 7 * RETC_UNIT_ROUNDOFF * log2((double)retc_mapconv_points(c->plan) + 1);
    return (e * (3 * a.two + a.one) + 2 * (double)terms * RETC_UNIT_ROUNDOFF * a.two) * b.two;
}

/* At time t: of output channel k, or (adjoint) of input channel k. */
static double
bound_at(const setting *c, int adjoint, const double *w, const double *x, size_t k, size_t t) {
    size_t others = adjoint ? c->s->K : c->s->C, map = adjoint ? c->oh * c->ow : c->s->h * c->s->w;
    double sum = 0;
    for (size_t i = 0; i < others; ++i) {
        const double *pair = w + (adjoint ? i * c->s->C + k : k * c->s->C + i) * c->taps;
        sum += bound(c, others, retc_norms_of(pair, c->taps, 1), retc_norms_of(x + i * map * c->n + t, map, c->n));
    }
    return sum;
}

/* Each time step of maps (rows,columns of them packed) within its own bound. */
static void
close_maps(const setting *c, int adjoint, const double *w, const double *x, const double *bias, const double *found,
           const double *expected) {
    size_t maps = adjoint ? c->s->C : c->s->K, map = adjoint ? c->s->h * c->s->w : c->oh * c->ow;
    for (size_t k = 0; k < maps; ++k)
        for (size_t t = 0; t < c->n; ++t) {
            double most = bound_at(c, adjoint, w, x, k, t) + (bias ? fabs(bias[k]) * RETC_UNIT_ROUNDOFF : 0);
            for (size_t i = k * map; i < (k + 1) * map; ++i)
                ck_assert_msg(fabs(found[i * c->n + t] - expected[i * c->n + t]) <= most, "map %zu, time %zu: %g for %g", k, t,
                              found[i * c->n + t], expected[i * c->n + t]);
        }
}

START_TEST(forward_equals_the_definition) {
    BEGIN_OR_SKIP(_i);
    double *w = retc_packed(c.w, 1, c.weights, 0), *bias = retc_packed(c.bias, 1, c.s->K, 0);
    double *in = retc_packed(c.in, c.inputs, c.n, c.in_ld), *expected = retc_calloc(c.outputs * c.n, sizeof(double));
    float before = c.out[c.n];
    for (int with_bias = 0; with_bias < 2; ++with_bias) {
        retc_mapconv_forward(c.plan, c.work, with_bias ? c.bias : NULL, c.in, c.n, c.out);
        retc_conv_forward_reference(c.s, w, with_bias ? bias : NULL, in, c.n, expected);
        double *out = retc_packed(c.out, c.outputs, c.n, c.out_ld);
        close_maps(&c, 0, w, in, with_bias ? bias : NULL, out, expected);
        retc_free(out);
    }
    ck_assert(c.out[c.n] == before); /* nothing behind n is touched */
    retc_free(w), retc_free(bias), retc_free(in), retc_free(expected);
    end(&c);
}
END_TEST

START_TEST(inputs_equal_the_definition) {
    BEGIN_OR_SKIP(_i);
    double *w = retc_packed(c.w, 1, c.weights, 0), *g = retc_packed(c.g, c.outputs, c.n, c.out_ld);
    double *expected = retc_calloc(c.inputs * c.n, sizeof(double));
    float before = c.din[c.n];
    retc_mapconv_backward_input(c.plan, c.work, c.g, c.n, c.din, c.in_ld);
    retc_conv_backward_input_reference(c.s, w, g, c.n, expected);
    double *din = retc_packed(c.din, c.inputs, c.n, c.in_ld);
    close_maps(&c, 1, w, g, NULL, din, expected);
    ck_assert(c.din[c.n] == before);
    retc_free(w), retc_free(g), retc_free(din), retc_free(expected);
    end(&c);
}
END_TEST

/* Sum over time of the bounds of one pair; each product may also be rounded once per time step that is added to it. */
static double
bound_of_pair(const setting *c, const double *g, const double *in, size_t k, size_t channel) {
    size_t map = c->oh * c->ow, input = c->s->h * c->s->w;
    double sum = 0;
    for (size_t t = 0; t < c->n; ++t)
        sum += bound(c, c->n, retc_norms_of(g + k * map * c->n + t, map, c->n),
                     retc_norms_of(in + channel * input * c->n + t, input, c->n));
    return sum;
}

START_TEST(weights_equal_the_definition) {
    BEGIN_OR_SKIP(_i);
    double *in = retc_packed(c.in, c.inputs, c.n, c.in_ld), *g = retc_packed(c.g, c.outputs, c.n, c.out_ld);
    double *expected = retc_packed(c.dw, 1, c.weights, 0);
    retc_mapconv_backward_weights(c.plan, c.work, c.g, c.in, c.n, c.dw);
    retc_conv_backward_weights_reference(c.s, g, in, c.n, expected, NULL);
    double *dw = retc_packed(c.dw, 1, c.weights, 0);
    for (size_t pair = 0; pair < c.s->K * c.s->C; ++pair)
        ck_close_double("dw", dw + pair * c.taps, expected + pair * c.taps, c.taps,
                        bound_of_pair(&c, g, in, pair / c.s->C, pair % c.s->C), RETC_UNIT_ROUNDOFF);
    retc_free(in), retc_free(g), retc_free(expected), retc_free(dw);
    end(&c);
}
END_TEST

static double
dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += a[i] * b[i];
    return sum;
}

/* <g, W x> = <W' g, x> = <dW(g, x), W>, all by transforms. */
START_TEST(both_are_adjoints) {
    BEGIN_OR_SKIP(_i);
    memset(c.dw, 0, c.weights * sizeof *c.dw);
    retc_mapconv_forward(c.plan, c.work, NULL, c.in, c.n, c.out);
    retc_mapconv_backward_input(c.plan, c.work, c.g, c.n, c.din, c.in_ld);
    retc_mapconv_backward_weights(c.plan, c.work, c.g, c.in, c.n, c.dw);
    double *w = retc_packed(c.w, 1, c.weights, 0), *dw = retc_packed(c.dw, 1, c.weights, 0);
    double *in = retc_packed(c.in, c.inputs, c.n, c.in_ld), *din = retc_packed(c.din, c.inputs, c.n, c.in_ld);
    double *out = retc_packed(c.out, c.outputs, c.n, c.out_ld), *g = retc_packed(c.g, c.outputs, c.n, c.out_ld);
    double most = 0, left = dot(out, g, c.outputs * c.n);
    size_t map = c.oh * c.ow, input = c.s->h * c.s->w;
    for (size_t k = 0; k < c.s->K; ++k)
        for (size_t t = 0; t < c.n; ++t)
            most += bound_at(&c, 0, w, in, k, t) * retc_norms_of(g + k * map * c.n + t, map, c.n).one;
    double on_inputs = most, on_weights = most;
    for (size_t k = 0; k < c.s->C; ++k)
        for (size_t t = 0; t < c.n; ++t)
            on_inputs += bound_at(&c, 1, w, g, k, t) * retc_norms_of(in + k * input * c.n + t, input, c.n).one;
    for (size_t pair = 0; pair < c.s->K * c.s->C; ++pair)
        on_weights += bound_of_pair(&c, g, in, pair / c.s->C, pair % c.s->C) * retc_norms_of(w + pair * c.taps, c.taps, 1).one;
    ck_assert_msg(fabs(left - dot(in, din, c.inputs * c.n)) <= on_inputs, "inputs: %g", left);
    ck_assert_msg(fabs(left - dot(w, dw, c.weights)) <= on_weights, "weights: %g", left);
    retc_free(w), retc_free(dw), retc_free(in), retc_free(din), retc_free(out), retc_free(g);
    end(&c);
}
END_TEST

/* A time step gives the same bits as part of any block. */
START_TEST(blocks_do_not_matter) {
    BEGIN_OR_SKIP(_i);
    size_t cut = c.n / 3;
    float *out = retc_calloc(c.outputs * c.out_ld, sizeof *out), *din = retc_calloc(c.inputs * c.in_ld, sizeof *din);
    ck_assert(out && din);
    retc_mapconv_forward(c.plan, c.work, c.bias, c.in, c.n, c.out);
    retc_mapconv_forward(c.plan, c.work, c.bias, c.in, cut, out);
    retc_mapconv_forward(c.plan, c.work, c.bias, c.in + cut, c.n - cut, out + cut);
    retc_mapconv_backward_input(c.plan, c.work, c.g, c.n, c.din, c.in_ld);
    retc_mapconv_backward_input(c.plan, c.work, c.g, cut, din, c.in_ld);
    retc_mapconv_backward_input(c.plan, c.work, c.g + cut, c.n - cut, din + cut, c.in_ld);
    for (size_t i = 0; i < c.outputs; ++i)
        ck_assert_int_eq(memcmp(out + i * c.out_ld, c.out + i * c.out_ld, c.n * sizeof *out), 0);
    for (size_t i = 0; i < c.inputs; ++i)
        ck_assert_int_eq(memcmp(din + i * c.in_ld, c.din + i * c.in_ld, c.n * sizeof *din), 0);
    retc_free(out), retc_free(din);
    end(&c);
}
END_TEST

START_TEST(pays_where_the_kernel_is_large) {
    ck_assert(retc_mapconv_pays(&(retc_conv_shape){8, 36, 36, 8, 11, 11, 0}));
    ck_assert(!retc_mapconv_pays(&(retc_conv_shape){8, 36, 36, 8, 1, 1, 0}));
    ck_assert(!retc_mapconv_pays(&(retc_conv_shape){8, 36, 36, 17, 36, 36, 0})); /* a dense layer */
    ck_assert(!retc_mapconv_pays(&(retc_conv_shape){8, 36, 36, 8, 11, 11, 1}));
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("mapconv");
    TCase *sweep = tcase_create("sweep");
    tcase_set_timeout(sweep, 120);
    tcase_add_loop_test(sweep, forward_equals_the_definition, 0, RUNS);
    tcase_add_loop_test(sweep, inputs_equal_the_definition, 0, RUNS);
    tcase_add_loop_test(sweep, weights_equal_the_definition, 0, RUNS);
    tcase_add_loop_test(sweep, both_are_adjoints, 0, RUNS);
    tcase_add_loop_test(sweep, blocks_do_not_matter, 0, RUNS);
    tcase_add_test(sweep, pays_where_the_kernel_is_large);
    suite_add_tcase(suite, sweep);
    return retc_test_main(suite, NULL);
}
