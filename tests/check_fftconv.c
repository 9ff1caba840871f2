/* Convolution by transforms against the plain definition, over swept shapes, and the identities that its adjoint obeys. */
#include <math.h>
#include <string.h>

#include "arrays.h"
#include "fftconv.h"
#include "rng.h"
#include "testing.h"

/* 1x1 pixel, 1x1 kernel, history 1, primes, kernel = image (also with history 1), more segments than one, n below the history.
 */
static const struct {
    retc_conv_shape shape;
    size_t max_n, n;
} cases[] = {{{1, 1, 1, 1, 1, 1, 1}, 1, 1},        {{1, 1, 1, 2, 1, 1, 1}, 9, 9},     {{40, 1, 1, 3, 1, 1, 1}, 100, 97},
             {{1, 5, 7, 2, 1, 1, 1}, 8, 8},        {{7, 11, 13, 5, 3, 7, 1}, 31, 31}, {{5, 9, 6, 3, 9, 6, 1}, 17, 17},
             {{13, 7, 5, 2, 2, 5, 1}, 700, 650},   {{13, 7, 5, 2, 2, 5, 1}, 700, 1},  {{20, 12, 12, 4, 7, 7, 1}, 64, 64},
             {{20, 12, 12, 4, 7, 7, 1}, 64, 50},   {{31, 4, 19, 1, 4, 2, 1}, 5, 5},   {{3, 17, 2, 6, 5, 1, 1}, 1500, 1500},
             {{40, 50, 50, 2, 15, 15, 1}, 33, 30}, {{1, 7, 5, 2, 7, 5, 1}, 9, 9},     {{1, 13, 11, 3, 5, 3, 1}, 29, 29},
             {{3, 37, 41, 2, 31, 23, 1}, 23, 19}};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct {
    const retc_conv_shape *s;
    size_t n, in_ld, out_ld, taps, oh, ow;
    float *w, *bias, *in, *out, *g, *dw;
    retc_fftconv *plan;
    retc_fftconv_work *work;
} setting;

static setting
begin(int i) {
    const retc_conv_shape *s = &cases[i].shape;
    setting c = {.s = s, .n = cases[i].n, .oh = s->h - s->kh + 1, .ow = s->w - s->kw + 1, .taps = s->C * s->kh * s->kw};
    c.out_ld = cases[i].max_n + 3, c.in_ld = c.out_ld + s->C + 2;
    gsl_rng *rng = retc_rng_alloc(21, RETC_STREAM_WEIGHTS, (uint64_t)i);
    ck_assert_ptr_nonnull(rng);
    c.w = retc_deviates(rng, s->K * c.taps), c.bias = retc_deviates(rng, s->K);
    c.in = retc_deviates(rng, s->h * s->w * c.in_ld), c.g = retc_deviates(rng, s->K * c.oh * c.ow * c.out_ld);
    c.out = retc_deviates(rng, s->K * c.oh * c.ow * c.out_ld), c.dw = retc_deviates(rng, s->K * c.taps);
    gsl_rng_free(rng);
    c.plan = retc_fftconv_alloc(s, c.in_ld, c.out_ld, cases[i].max_n);
    ck_assert_ptr_nonnull(c.plan);
    c.work = retc_fftconv_work_alloc(c.plan);
    ck_assert_ptr_nonnull(c.work);
    retc_fftconv_set_weights(c.plan, c.work, c.w);
    return c;
}

static void
end(setting *c) {
    retc_fftconv_work_free(c->work);
    retc_fftconv_free(c->plan);
    retc_free(c->w), retc_free(c->bias), retc_free(c->in), retc_free(c->out), retc_free(c->g), retc_free(c->dw);
}

/* A transform of N points errs by at most e = 7 u log2(N) in the 2-norm (Higham, Accuracy and Stability, theorem 24.2).  By
 * Cauchy, Schwarz and Parseval an error e of either factor, and the product's rounding, each move no output by more than
 * e |w|_2 |x|_2; the transform back adds e |w|_1 |x|_2. */
static double
bound(const setting *c, const double *w, size_t nw, const double *x, size_t nx) {
    double e = 7 * RETC_UNIT_ROUNDOFF * log2((double)retc_fftconv_points(c->plan) + 1);
    retc_norms a = retc_norms_of(w, nw, 1);
    return e * (3 * a.two + a.one) * retc_norms_of(x, nx, 1).two;
}

START_TEST(forward_equals_the_definition) {
    setting c = begin(_i);
    size_t map = c.oh * c.ow, frames = c.n + c.s->C - 1, outputs = c.s->K * map;
    double *w = retc_packed(c.w, 1, c.s->K * c.taps, 0), *bias = retc_packed(c.bias, 1, c.s->K, 0);
    double *in = retc_packed(c.in, c.s->h * c.s->w, frames, c.in_ld), *expected = retc_calloc(outputs * c.n, sizeof(double));
    float before = c.out[c.n];
    for (int with_bias = 0; with_bias < 2; ++with_bias) {
        retc_fftconv_forward(c.plan, c.work, with_bias ? c.bias : NULL, c.in, c.n, c.out);
        retc_conv_forward_reference(c.s, w, with_bias ? bias : NULL, in, c.n, expected);
        double *out = retc_packed(c.out, outputs, c.n, c.out_ld);
        for (size_t k = 0; k < c.s->K; ++k) {
            double most = bound(&c, w + k * c.taps, c.taps, in, c.s->h * c.s->w * frames);
            ck_close_double("out", out + k * map * c.n, expected + k * map * c.n, map * c.n,
                            most + fabs(bias[k]) * RETC_UNIT_ROUNDOFF, 0);
        }
        retc_free(out);
    }
    ck_assert(c.out[c.n] == before); /* nothing behind n is touched */
    retc_free(w), retc_free(bias), retc_free(in), retc_free(expected);
    end(&c);
}
END_TEST

START_TEST(weights_equal_the_definition) {
    setting c = begin(_i);
    size_t map = c.oh * c.ow, frames = c.n + c.s->C - 1, nw = c.s->K * c.taps, nx = c.s->h * c.s->w * frames;
    double *in = retc_packed(c.in, c.s->h * c.s->w, frames, c.in_ld), *g = retc_packed(c.g, c.s->K * map, c.n, c.out_ld);
    double *expected = retc_packed(c.dw, 1, nw, 0);
    retc_fftconv_forward(c.plan, c.work, NULL, c.in, c.n, c.out);
    retc_fftconv_backward_weights(c.plan, c.work, c.g, c.n, c.dw);
    retc_conv_backward_weights_reference(c.s, g, in, c.n, expected, NULL);
    double *dw = retc_packed(c.dw, 1, nw, 0);
    for (size_t k = 0; k < c.s->K; ++k) {
        /* Segments are added one after the other: at most their number of further roundings. */
        double most = 2 * bound(&c, g + k * map * c.n, map * c.n, in, nx);
        ck_close_double("dw", dw + k * c.taps, expected + k * c.taps, c.taps, most, 0);
    }
    retc_free(in), retc_free(g), retc_free(expected), retc_free(dw);
    end(&c);
}
END_TEST

/* <g, W x> = <dW(g, x), W>, for both sides by transforms. */
START_TEST(weights_are_the_adjoint) {
    setting c = begin(_i);
    size_t map = c.oh * c.ow, nw = c.s->K * c.taps, nx = c.s->h * c.s->w * (c.n + c.s->C - 1);
    memset(c.dw, 0, nw * sizeof *c.dw);
    retc_fftconv_forward(c.plan, c.work, NULL, c.in, c.n, c.out);
    retc_fftconv_backward_weights(c.plan, c.work, c.g, c.n, c.dw);
    double *out = retc_packed(c.out, c.s->K * map, c.n, c.out_ld), *g = retc_packed(c.g, c.s->K * map, c.n, c.out_ld);
    double *w = retc_packed(c.w, 1, nw, 0), *in = retc_packed(c.in, c.s->h * c.s->w, c.n + c.s->C - 1, c.in_ld);
    double left = 0, right = 0;
    for (size_t i = 0; i < c.s->K * map * c.n; ++i)
        left += out[i] * g[i];
    for (size_t i = 0; i < nw; ++i)
        right += (double)c.dw[i] * w[i];
    double most = bound(&c, w, nw, in, nx) * retc_norms_of(g, c.s->K * map * c.n, 1).one +
                  2 * bound(&c, g, c.s->K * map * c.n, in, nx) * retc_norms_of(w, nw, 1).one;
    ck_assert_msg(fabs(left - right) <= most, "%g and %g differ by more than %g", left, right, most);
    retc_free(out), retc_free(g), retc_free(w), retc_free(in);
    end(&c);
}
END_TEST

START_TEST(pays_where_the_kernel_is_large) {
    ck_assert(retc_fftconv_pays(&(retc_conv_shape){40, 50, 50, 8, 15, 15, 1}, 128));
    ck_assert(!retc_fftconv_pays(&(retc_conv_shape){40, 50, 50, 8, 15, 15, 1}, 1));
    ck_assert(!retc_fftconv_pays(&(retc_conv_shape){40, 1, 1, 8, 1, 1, 1}, 128));
    ck_assert(!retc_fftconv_pays(&(retc_conv_shape){40, 50, 50, 8, 15, 15, 0}, 128));
    ck_assert(!retc_fftconv_pays(&(retc_conv_shape){40, 50, 50, 8, 15, 15, 1}, 0));
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("fftconv");
    TCase *sweep = tcase_create("sweep");
    tcase_set_timeout(sweep, 120);
    tcase_add_loop_test(sweep, forward_equals_the_definition, 0, CASES);
    tcase_add_loop_test(sweep, weights_equal_the_definition, 0, CASES);
    tcase_add_loop_test(sweep, weights_are_the_adjoint, 0, CASES);
    tcase_add_test(sweep, pays_where_the_kernel_is_large);
    suite_add_tcase(suite, sweep);
    return retc_test_main(suite, NULL);
}
