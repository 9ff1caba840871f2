/* Fast kernels against their definitions, over swept shapes and every instruction set this machine has. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conv.h"
#include "gather.h"
#include "rng.h"
#include "rows.h"
#include "testing.h"

static const char *versions[] = {"reference", "generic", "avx2", "avx512"};
enum { VERSIONS = 4 };
static const double unit_roundoff = 5.9604644775390625e-8; /* 2^-24, float */

static float *
random_floats(gsl_rng *rng, size_t n) {
    float *x = retc_calloc(n, sizeof *x);
    for (size_t i = 0; x && i < n; ++i)
        x[i] = (float)gsl_ran_gaussian(rng, 1.3);
    return x;
}

static double *
to_double(const float *x, size_t n) {
    double *y = retc_calloc(n, sizeof *y);
    for (size_t i = 0; y && i < n; ++i)
        y[i] = (double)x[i];
    return y;
}

/* Bound of an n-term sum: |fast - exact| <= 2 n u sum|a_i b_i| (Higham, Accuracy and Stability, 3.1); the sum of
 * magnitudes is computed beside the value. */
static void
check_gather_shape(gsl_rng *rng, size_t O, size_t J, size_t n, int accumulate) {
    size_t ldo = n + 3, ldw = J + 2, rows = J * n + n;
    float *w = random_floats(rng, O * ldw + 1), *in = random_floats(rng, rows + 1), *bias = random_floats(rng, O);
    float *start = random_floats(rng, O * ldo), *out = retc_calloc(O * ldo, sizeof *out);
    double *expected = to_double(start, O * ldo);
    size_t *offset = retc_calloc(J + 1, sizeof *offset);
    for (size_t j = 0; j < J; ++j)
        offset[j] = gsl_rng_uniform_int(rng, J * n + 1);
    memcpy(out, start, O * ldo * sizeof *out);
    retc_gather(O, J, n, w, ldw, bias, in, offset, out, ldo, accumulate);
    retc_gather_reference(O, J, n, w, ldw, bias, in, offset, expected, ldo, accumulate);
    for (size_t o = 0; o < O; ++o)
        for (size_t t = 0; t < ldo; ++t) {
            double size = fabs((double)bias[o]) + fabs((double)start[o * ldo + t]);
            for (size_t j = 0; t < n && j < J; ++j)
                size += fabs((double)w[o * ldw + j] * (double)in[offset[j] + t]);
            double bound = t < n ? 2.0 * (double)(J + 2) * unit_roundoff * size : 0.0; /* past n nothing is touched */
            ck_assert_msg(fabs((double)out[o * ldo + t] - expected[o * ldo + t]) <= bound,
                          "%s O %zu J %zu n %zu at (%zu,%zu): %g %g", retc_kernel_name(), O, J, n, o, t,
                          (double)out[o * ldo + t], expected[o * ldo + t]);
        }
    retc_free(w), retc_free(in), retc_free(bias), retc_free(start), retc_free(out), retc_free(expected), retc_free(offset);
}

static void
check_dots_shape(gsl_rng *rng, size_t O, size_t J, size_t n, size_t places) {
    size_t g_step = n + 2, in_step = n + 5, ldg = places * g_step + 1, ldw = J + 2;
    float *g = random_floats(rng, O * ldg), *in = random_floats(rng, J * n + n + 1 + places * in_step);
    float *dw = random_floats(rng, O * ldw);
    double *expected = to_double(dw, O * ldw), *before = to_double(dw, O * ldw);
    size_t *offset = retc_calloc(J + 1, sizeof *offset);
    for (size_t j = 0; j < J; ++j)
        offset[j] = gsl_rng_uniform_int(rng, J * n + 1);
    retc_dots(O, J, n, places, g, ldg, g_step, in, in_step, offset, dw, ldw);
    retc_dots_reference(O, J, n, places, g, ldg, g_step, in, in_step, offset, expected, ldw);
    for (size_t o = 0; o < O; ++o)
        for (size_t j = 0; j < ldw; ++j) {
            double size = fabs(before[o * ldw + j]);
            for (size_t i = 0; j < J && i < n * places; ++i)
                size += fabs((double)g[o * ldg + i / n * g_step + i % n] * (double)in[offset[j] + i / n * in_step + i % n]);
            double bound = j < J ? 2.0 * (double)(n * places + 1) * unit_roundoff * size : 0.0;
            ck_assert_msg(fabs((double)dw[o * ldw + j] - expected[o * ldw + j]) <= bound,
                          "%s O %zu J %zu n %zu places %zu at (%zu,%zu)", retc_kernel_name(), O, J, n, places, o, j);
        }
    retc_free(g), retc_free(in), retc_free(dw), retc_free(expected), retc_free(before), retc_free(offset);
}

static void
require_version(int i, int *have) {
    *have = retc_kernel_choose(versions[i]) == 0;
}

START_TEST(gather_equals_its_definition) {
    int have;
    require_version(_i, &have);
    if (!have)
        retc_skip("this processor or build has no %s", versions[_i]);
    gsl_rng *rng = retc_rng_alloc(11, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    for (size_t O = 1; O <= 9; ++O)
        for (size_t n = 1; n <= 70; n += n < 20 ? 1 : 7)
            for (size_t J = 1; J <= 13; J += 4)
                check_gather_shape(rng, O, J, n, (int)(n % 2));
    check_gather_shape(rng, 8, 0, 33, 0);
    check_gather_shape(rng, 5, 997, 131, 1);
    gsl_rng_free(rng);
}
END_TEST

START_TEST(dots_equal_their_definition) {
    int have;
    require_version(_i, &have);
    if (!have)
        retc_skip("this processor or build has no %s", versions[_i]);
    gsl_rng *rng = retc_rng_alloc(12, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    for (size_t O = 1; O <= 9; ++O)
        for (size_t n = 1; n <= 70; n += n < 20 ? 1 : 7)
            for (size_t J = 1; J <= 13; J += 4)
                check_dots_shape(rng, O, J, n, 1 + (O + n + J) % 4);
    check_dots_shape(rng, 7, 131, 513, 1);
    check_dots_shape(rng, 4, 8, 33, 0);
    gsl_rng_free(rng);
}
END_TEST

enum { ROW = 37, ROW_RESULTS = 12 };

/* Every row function on one row with values on, beside and across the kink. */
static void
run_rows(const float *x, const float *x0, const float *g, const float *g0, size_t n, float out[ROW_RESULTS][ROW],
         double sums[2]) {
    memset(out, 0, ROW_RESULTS * sizeof *out);
    retc_row_affine(x, 1.7f, -0.3f, n, out[0]);
    retc_row_relu(x, n, out[1]);
    retc_row_relu_backward(x, g, n, out[2]);
    retc_row_relu_secant(x, x0, g, n, out[3]);
    memcpy(out[4], x0, n * sizeof *x0), memcpy(out[5], x0, n * sizeof *x0);
    retc_row_step(g, x, x0, n, out[4]);
    retc_row_step_trapezium(g, g0, x, x0, n, out[5]);
    memcpy(out[6], g, n * sizeof *g), memcpy(out[8], x, n * sizeof *x);
    retc_row_normed_backward(x, 1.3f, 0.2f, -0.4f, 0.7f, n, out[6]);
    retc_row_rectify(n, out[8]);
    memcpy(out[7], g0, n * sizeof *g0);
    retc_row_add(x, n, out[7]);
    memcpy(out[9], x, n * sizeof *x), memcpy(out[10], g, n * sizeof *g), memcpy(out[11], g0, n * sizeof *g0);
    retc_row_extrapolate(x0, n, out[9], out[10], out[11]);
    sums[0] = 0.5, sums[1] = -0.5;
    retc_row_sums(g, x, 0.25, n, &sums[0], &sums[1]);
}

static double
positive(float x) {
    return x > 0 ? (double)x : 0;
}

/* Weighted sums of rows: the same sums in the same order, so the same bits with every version. */
START_TEST(pools_equal_their_definition) {
    enum { ROWS = 9, N = 3 * RETC_ROW_TILE, STRIDE = N + 5 };
    int have;
    require_version(_i, &have);
    if (!have)
        retc_skip("this processor or build has no %s", versions[_i]);
    gsl_rng *rng = retc_rng_alloc(16, RETC_STREAM_WEIGHTS, 0);
    double x[ROWS * STRIDE], weight[ROWS], out[N];
    size_t source[ROWS];
    for (size_t i = 0; i < ROWS * STRIDE; ++i)
        x[i] = gsl_rng_uniform(rng) - 0.5;
    for (size_t k = 0; k < ROWS; ++k)
        weight[k] = gsl_rng_uniform(rng) - 0.5, source[k] = (5 * k + 2) % ROWS;
    for (size_t K = 0; K <= ROWS; ++K) {
        retc_row_pool(K, weight, source, x, STRIDE, N, out);
        for (size_t t = 0; t < N; ++t) {
            double sum = 0;
            for (size_t k = 0; k < K; ++k)
                sum += weight[k] * x[source[k] * STRIDE + t];
            ck_assert_double_eq(out[t], sum);
        }
    }
    gsl_rng_free(rng);
}
END_TEST

/* Against the formulas in double, each with the rounding of its few operations; and the same bits with every version. */
START_TEST(rows_equal_their_formulas) {
    gsl_rng *rng = retc_rng_alloc(15, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    float *x = random_floats(rng, ROW), *x0 = random_floats(rng, ROW), *g = random_floats(rng, ROW),
          *g0 = random_floats(rng, ROW);
    size_t n = (size_t)_i;
    float first[ROW_RESULTS][ROW], out[ROW_RESULTS][ROW];
    double sums[2], first_sums[2], sum = 0.5, product = -0.5;
    if (n > 3)
        x[0] = 0, x0[1] = 0, x[2] = x0[2], x[3] = x0[3] = 0;
    ck_assert_int_eq(retc_kernel_choose("generic"), 0);
    run_rows(x, x0, g, g0, n, first, first_sums);
    for (size_t t = 0; t < n; ++t) {
        double X = (double)x[t], X0 = (double)x0[t], G = (double)g[t], G0 = (double)g0[t], slope = x[t] > 0;
        double change = X - X0;
        if ((x[t] > 0) != (x0[t] > 0))
            slope = (positive(x[t]) - positive(x0[t])) / (X - X0);
        const double expected[ROW_RESULTS] = {X * (double)1.7f - (double)0.3f,
                                              positive(x[t]),
                                              x[t] > 0 ? G : 0,
                                              G * slope,
                                              X0 + G * (X - X0),
                                              X0 + 0.5 * (G + G0) * (X - X0),
                                              (double)1.3f * (G - (double)0.2f - (X + (double)0.4f) * (double)0.7f),
                                              G0 + X,
                                              positive(x[t]),
                                              X + change / 3,
                                              G + change * change,
                                              fmax(change * change, G0)};
        /* Terms are below 40 here, and no formula rounds more than six times. */
        for (size_t i = 0; i < ROW_RESULTS; ++i)
            ck_assert_msg(fabs((double)first[i][t] - expected[i]) <= 6 * unit_roundoff * 40,
                          "function %zu at %zu of %zu: %g, %g", i, t, n, (double)first[i][t], expected[i]);
        sum += G;
        product += G * (X - 0.25);
    }
    ck_assert_double_eq_tol(first_sums[0], sum, 1e-12);
    ck_assert_double_eq_tol(first_sums[1], product, 1e-12);
    for (size_t v = 0; v < VERSIONS; ++v) {
        if (retc_kernel_choose(versions[v]) < 0)
            continue;
        run_rows(x, x0, g, g0, n, out, sums);
        ck_assert_int_eq(memcmp(out, first, sizeof out), 0);
        ck_assert_int_eq(memcmp(sums, first_sums, sizeof sums), 0);
    }
    retc_free(x), retc_free(x0), retc_free(g), retc_free(g0);
    gsl_rng_free(rng);
}
END_TEST

/* Window forms included: 1x1, primes, kernel equal to the image, history of one frame. */
static const retc_conv_shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 0}, {5, 1, 1, 3, 1, 1, 0},   {40, 1, 1, 6, 1, 1, 1}, {1, 3, 5, 2, 3, 5, 1}, {7, 11, 13, 5, 3, 7, 1},
    {3, 7, 5, 4, 7, 5, 0}, {4, 13, 11, 9, 5, 3, 0}, {2, 17, 2, 3, 4, 1, 0}, {8, 9, 9, 8, 4, 4, 1},
};

typedef struct {
    retc_conv conv;
    size_t n, in_n, out_n, w_n, din_n;
    float *w, *bias, *in, *g, *out, *dw, *db, *din, *packed;
    size_t *offset;
} conv_case;

static conv_case
conv_case_make(gsl_rng *rng, const retc_conv_shape *s, size_t n) {
    conv_case c = {.n = n};
    size_t in_ld = s->window ? n + s->C - 1 : n;
    ck_ok(retc_conv_init(&c.conv, s, in_ld, n));
    c.in_n = (s->window ? 1 : s->C) * s->h * s->w * in_ld;
    c.out_n = s->K * c.conv.oh * c.conv.ow * n;
    c.w_n = s->K * c.conv.J;
    c.din_n = s->C * s->h * s->w * n;
    c.w = random_floats(rng, c.w_n), c.bias = random_floats(rng, s->K), c.in = random_floats(rng, c.in_n);
    c.g = random_floats(rng, c.out_n), c.out = retc_calloc(c.out_n, sizeof *c.out);
    c.dw = retc_calloc(c.w_n, sizeof *c.dw), c.db = retc_calloc(s->K, sizeof *c.db),
    c.din = retc_calloc(c.din_n, sizeof *c.din);
    c.packed = retc_calloc(c.w_n, sizeof *c.packed), c.offset = retc_calloc(s->K * s->kh * s->kw, sizeof *c.offset);
    retc_conv_forward(&c.conv, c.w, c.bias, c.in, n, c.out);
    retc_conv_backward_weights(&c.conv, c.g, c.in, n, c.dw, c.db);
    retc_conv_backward_input(&c.conv, c.w, c.g, n, c.din, n, c.packed, c.offset);
    return c;
}

static void
conv_case_free(conv_case *c) {
    retc_conv_free(&c->conv);
    retc_free(c->w), retc_free(c->bias), retc_free(c->in), retc_free(c->g), retc_free(c->out);
    retc_free(c->dw), retc_free(c->db), retc_free(c->din), retc_free(c->packed), retc_free(c->offset);
}

/* The largest of n values a float result may miss the definition by: 2 terms u times the same sum over magnitudes. */
static void
check_against(const char *what, const float *fast, const double *expected, const double *size, size_t n, size_t terms) {
    for (size_t i = 0; i < n; ++i) {
        double bound = 2.0 * (double)(terms + 2) * unit_roundoff * size[i];
        ck_assert_msg(fabs((double)fast[i] - expected[i]) <= bound, "%s [%zu]: %.9g, expected %.9g, allowed %.3g", what, i,
                      (double)fast[i], expected[i], bound);
    }
}

static double *
magnitudes(const double *x, size_t n) {
    double *y = retc_calloc(n, sizeof *y);
    for (size_t i = 0; i < n; ++i)
        y[i] = fabs(x[i]);
    return y;
}

START_TEST(convolution_equals_its_definition) {
    const retc_conv_shape *s = &shapes[_i];
    gsl_rng *rng = retc_rng_alloc(13, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    static const size_t lengths[] = {1, 7, 64, 67};
    for (size_t l = 0; l < 4; ++l) {
        size_t n = lengths[l];
        conv_case c = conv_case_make(rng, s, n);
        double *w = to_double(c.w, c.w_n), *bias = to_double(c.bias, s->K), *in = to_double(c.in, c.in_n),
               *g = to_double(c.g, c.out_n);
        double *aw = magnitudes(w, c.w_n), *ab = magnitudes(bias, s->K), *ain = magnitudes(in, c.in_n),
               *ag = magnitudes(g, c.out_n);
        double *out = retc_calloc(c.out_n, sizeof *out), *size = retc_calloc(c.out_n, sizeof *size);
        retc_conv_forward_reference(s, w, bias, in, n, out);
        retc_conv_forward_reference(s, aw, ab, ain, n, size);
        check_against("forward", c.out, out, size, c.out_n, c.conv.J);
        double *dw = retc_calloc(c.w_n, sizeof *dw), *db = retc_calloc(s->K, sizeof *db);
        double *dw_size = retc_calloc(c.w_n, sizeof *dw), *db_size = retc_calloc(s->K, sizeof *db);
        retc_conv_backward_weights_reference(s, g, in, n, dw, db);
        retc_conv_backward_weights_reference(s, ag, ain, n, dw_size, db_size);
        check_against("weights", c.dw, dw, dw_size, c.w_n, n * c.conv.oh * c.conv.ow);
        check_against("bias", c.db, db, db_size, s->K, n * c.conv.oh * c.conv.ow);
        double *din = retc_calloc(c.din_n, sizeof *din), *din_size = retc_calloc(c.din_n, sizeof *din);
        retc_conv_backward_input_reference(s, w, g, n, din);
        retc_conv_backward_input_reference(s, aw, ag, n, din_size);
        check_against("input", c.din, din, din_size, c.din_n, s->K * s->kh * s->kw);
        retc_free(w), retc_free(bias), retc_free(in), retc_free(g), retc_free(aw), retc_free(ab), retc_free(ain), retc_free(ag);
        retc_free(out), retc_free(size), retc_free(dw), retc_free(db), retc_free(dw_size), retc_free(db_size);
        retc_free(din), retc_free(din_size);
        conv_case_free(&c);
    }
    gsl_rng_free(rng);
}
END_TEST

/* <conv(in), g> = <w, dw> = <in, din>: both backward passes are the adjoints of the forward pass. */
START_TEST(convolution_has_true_adjoints) {
    const retc_conv_shape *s = &shapes[_i];
    gsl_rng *rng = retc_rng_alloc(14, RETC_STREAM_WEIGHTS, (uint64_t)_i);
    conv_case c = conv_case_make(rng, s, 37);
    double forward = 0, weights = 0, inputs = 0, size = 0;
    for (size_t k = 0; k < s->K; ++k)
        for (size_t i = 0; i < c.out_n / s->K; ++i) {
            double product =
                (double)c.g[k * (c.out_n / s->K) + i] * ((double)c.out[k * (c.out_n / s->K) + i] - (double)c.bias[k]);
            forward += product;
            size += fabs(product);
        }
    for (size_t i = 0; i < c.w_n; ++i)
        weights += (double)c.w[i] * (double)c.dw[i];
    size_t map = s->h * s->w, in_ld = c.conv.in_ld;
    for (size_t ch = 0; ch < s->C; ++ch)
        for (size_t m = 0; m < map; ++m)
            for (size_t t = 0; t < c.n; ++t)
                inputs += (double)c.din[(ch * map + m) * c.n + t] *
                          (double)c.in[s->window ? m * in_ld + t + ch : (ch * map + m) * in_ld + t];
    double bound = 2.0 * (double)(c.out_n / s->K + c.conv.J) * unit_roundoff * (size + 1);
    ck_assert_msg(fabs(forward - weights) <= bound, "<y,g> %.9g, <w,dw> %.9g", forward, weights);
    ck_assert_msg(fabs(forward - inputs) <= bound, "<y,g> %.9g, <x,dx> %.9g", forward, inputs);
    conv_case_free(&c);
    gsl_rng_free(rng);
}
END_TEST

/* Places of all channels: corners, and others. */
static void
choose_positions(const conv_case *c, size_t *position) {
    for (size_t k = 0; k < c->conv.shape.K; ++k) {
        position[2 * k] = k == 0 ? 0 : k == 1 ? c->conv.oh - 1 : 5 * k % c->conv.oh;
        position[2 * k + 1] = k == 0 ? 0 : k == 1 ? c->conv.ow - 1 : 3 * k % c->conv.ow;
    }
}

static float *
row_at(const conv_case *c, const size_t *position, size_t k, float *map) {
    return map + ((k * c->conv.oh + position[2 * k]) * c->conv.ow + position[2 * k + 1]) * c->n;
}

/* The whole map's results where only one position per channel has a gradient: they are the same to the last bit. */
static void
check_against_whole_maps(conv_case *c, const size_t *position) {
    float *g = retc_calloc(c->out_n, sizeof *g), *out = retc_calloc(c->out_n, sizeof *out);
    float *dw = retc_calloc(c->w_n, sizeof *dw), *db = retc_calloc(c->conv.shape.K, sizeof *db);
    float *din = retc_calloc(c->din_n, sizeof *din);
    for (size_t k = 0; k < c->conv.shape.K; ++k)
        memcpy(row_at(c, position, k, g), row_at(c, position, k, c->g), c->n * sizeof *g);
    memset(c->dw, 0, c->w_n * sizeof *dw), memset(c->db, 0, c->conv.shape.K * sizeof *db);
    retc_conv_backward_weights(&c->conv, g, c->in, c->n, c->dw, c->db);
    retc_conv_backward_input(&c->conv, c->w, g, c->n, c->din, c->n, c->packed, c->offset);
    retc_conv_forward_at(&c->conv, position, c->w, c->bias, c->in, c->n, out);
    retc_conv_backward_weights_at(&c->conv, position, g, c->in, c->n, dw, db);
    retc_conv_backward_input_at(&c->conv, position, c->w, g, c->n, din, c->n);
    for (size_t k = 0; k < c->conv.shape.K; ++k)
        ck_close_float("out", row_at(c, position, k, out), row_at(c, position, k, c->out), c->n, 0, 0);
    ck_close_float("dw", dw, c->dw, c->w_n, 0, 0);
    ck_close_float("db", db, c->db, c->conv.shape.K, 0, 0);
    ck_close_float("din", din, c->din, c->din_n, 0, 0);
    retc_free(g), retc_free(out), retc_free(dw), retc_free(db), retc_free(din);
}

START_TEST(convolution_at_positions_equals_its_definition) {
    const retc_conv_shape *s = &shapes[_i];
    static const size_t lengths[] = {1, 7, 64, 67};
    size_t position[32];
    if (s->window)
        return;
    for (size_t v = 0; v < VERSIONS; ++v)
        for (size_t l = 0; l < 4 && retc_kernel_choose(versions[v]) == 0; ++l) {
            gsl_rng *rng = retc_rng_alloc(17, RETC_STREAM_WEIGHTS, (uint64_t)_i);
            size_t n = lengths[l], K = s->K;
            conv_case c = conv_case_make(rng, s, n);
            choose_positions(&c, position);
            double *w = to_double(c.w, c.w_n), *bias = to_double(c.bias, K), *in = to_double(c.in, c.in_n);
            double *aw = magnitudes(w, c.w_n), *ab = magnitudes(bias, K), *ain = magnitudes(in, c.in_n);
            double *g = retc_calloc(K * n, sizeof *g), *ag = retc_calloc(K * n, sizeof *g);
            double *result = retc_calloc(c.w_n + c.din_n + K * n, sizeof *result),
                   *size = retc_calloc(c.w_n + c.din_n + K * n, sizeof *size);
            double *db = retc_calloc(K, sizeof *db), *db_size = retc_calloc(K, sizeof *db);
            float *dw = retc_calloc(c.w_n, sizeof *dw), *fast_db = retc_calloc(K, sizeof *fast_db);
            for (size_t i = 0; i < K * n; ++i)
                g[i] = (double)row_at(&c, position, i / n, c.g)[i % n], ag[i] = fabs(g[i]);
            retc_conv_forward_at_reference(s, position, w, bias, in, n, result);
            retc_conv_forward_at_reference(s, position, aw, ab, ain, n, size);
            retc_conv_forward_at(&c.conv, position, c.w, c.bias, c.in, n, c.out);
            for (size_t k = 0; k < K; ++k)
                check_against("forward", row_at(&c, position, k, c.out), result + k * n, size + k * n, n, c.conv.J);
            retc_conv_backward_input_at_reference(s, position, w, g, n, result);
            retc_conv_backward_input_at_reference(s, position, aw, ag, n, size);
            retc_conv_backward_input_at(&c.conv, position, c.w, c.g, n, c.din, n);
            check_against("input", c.din, result, size, c.din_n, K);
            memset(result, 0, c.w_n * sizeof *result), memset(size, 0, c.w_n * sizeof *size);
            retc_conv_backward_weights_at_reference(s, position, g, in, n, result, db);
            retc_conv_backward_weights_at_reference(s, position, ag, ain, n, size, db_size);
            retc_conv_backward_weights_at(&c.conv, position, c.g, c.in, n, dw, fast_db);
            check_against("weights", dw, result, size, c.w_n, n);
            check_against("bias", fast_db, db, db_size, K, n);
            if (v > 0) /* the reference kernel adds up in double, but only what it is given at once */
                check_against_whole_maps(&c, position);
            retc_free(w), retc_free(bias), retc_free(in), retc_free(aw), retc_free(ab), retc_free(ain), retc_free(g),
                retc_free(ag);
            retc_free(result), retc_free(size), retc_free(db), retc_free(db_size), retc_free(dw), retc_free(fast_db);
            conv_case_free(&c);
            gsl_rng_free(rng);
        }
}
END_TEST

START_TEST(kernel_larger_than_map_is_refused) {
    retc_conv conv;
    retc_conv_shape s = {2, 3, 3, 2, 4, 1, 0};
    ck_fails(retc_conv_init(&conv, &s, 8, 8), "does not fit");
    s.kh = 0;
    ck_fails(retc_conv_init(&conv, &s, 8, 8), "does not fit");
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("kernels");
    TCase *fast = tcase_create("gather and dots");
    tcase_set_timeout(fast, 120);
    tcase_add_loop_test(fast, gather_equals_its_definition, 0, VERSIONS);
    tcase_add_loop_test(fast, dots_equal_their_definition, 0, VERSIONS);
    tcase_add_loop_test(fast, pools_equal_their_definition, 0, VERSIONS);
    tcase_add_loop_test(fast, rows_equal_their_formulas, 0, ROW + 1);
    suite_add_tcase(suite, fast);
    TCase *conv = tcase_create("convolution");
    tcase_set_timeout(conv, 120);
    tcase_add_loop_test(conv, convolution_equals_its_definition, 0, sizeof shapes / sizeof *shapes);
    tcase_add_loop_test(conv, convolution_has_true_adjoints, 0, sizeof shapes / sizeof *shapes);
    tcase_add_loop_test(conv, convolution_at_positions_equals_its_definition, 0, sizeof shapes / sizeof *shapes);
    tcase_add_test(conv, kernel_larger_than_map_is_refused);
    suite_add_tcase(suite, conv);
    return retc_test_main(suite, NULL);
}
