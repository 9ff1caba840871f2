/* Steps where a sum needs them: integrals that are known take the place of contributions. */
#include <math.h>

#include "refine.h"
#include "testing.h"

enum { SAMPLES = 5, ROWS = 3 };

/* On this path the output of the first layer is alpha itself, so that a step knows where it is. */
typedef struct {
    retc_network *network;
    retc_target target;
    retc_path path;
    retc_tape *tape;
    float delta[16], base[1];
    retc_path_line line;
    double (*slope)(double alpha, size_t row, size_t t);
    size_t calls; /* of the step */
} fixture;

static fixture
make_fixture(double (*slope)(double alpha, size_t row, size_t t)) {
    static const size_t cut = 0;
    fixture f = {.slope = slope, .network = retc_network_alloc("alpha", 1, 1, 1, 1)};
    ck_ok(retc_network_add_conv(f.network, 1, 0, 0, 0, 0));
    ck_ok(retc_network_finish(f.network));
    ck_ok(retc_target_init(&f.target, RETC_TARGET_SUM, 1, 0));
    f.tape = retc_tape_alloc(f.network, SAMPLES, RETC_TAPE_GRADIENTS, NULL);
    ck_ok(RETC_GOT(f.tape));
    ck_ok(retc_path_init(&f.path, f.network, &f.target, &cut, 1, SAMPLES));
    f.path.tape[0] = f.tape;
    for (size_t t = 0; t < 16; ++t)
        f.delta[t] = 1;
    return f;
}

static void
clear_fixture(fixture *f) {
    retc_path_clear(&f->path);
    retc_tape_free(f->tape);
    retc_network_free(f->network);
}

/* The midpoint rule: one step and two err by h^2 as secants do.  Which column a piece runs in says nothing about its sample:
 * rows tell what to integrate, and all samples the same. */
static void
step(void *context, const retc_tape *from, retc_tape *to, const float *width, size_t n, float *const *sums) {
    fixture *f = context;
    ++f->calls;
    for (size_t t = 0; t < n; ++t) {
        double a = (double)from->out[0][t], b = (double)to->out[0][t];
        ck_assert_double_le(fabs((double)width[t] - (b - a)), 1e-7);
        for (size_t row = 0; row < ROWS; ++row)
            sums[0][row * to->ld + t] += (float)(f->slope(0.5 * (a + b), row, t) * (b - a));
        sums[1][t] += width[t];
    }
}

typedef struct {
    double sum[ROWS], width, error;
    size_t steps, calls;
} outcome;

static outcome
refine(double (*slope)(double alpha, size_t row, size_t t), const retc_refine_options *options) {
    static const size_t rows[2] = {ROWS, 1};
    fixture f = make_fixture(slope);
    const retc_refine_task task = {2, 1, rows, step, &f};
    const retc_path_line line = {SAMPLES, f.delta, f.base, 1};
    size_t ld = f.tape->ld;
    float *sum[2] = {retc_calloc(ROWS * ld, sizeof(float)), retc_calloc(ld, sizeof(float))};
    retc_refine *r = retc_refine_alloc(&f.path, &task, options);
    ck_ok(RETC_GOT(r));
    retc_refine_begin(r, &line);
    ck_assert_double_eq((double)retc_tape_rate(f.path.end, 0)[SAMPLES - 1], 1);
    retc_refine_finish(r, 0.5f, sum);
    outcome o = {.width = 2 * (double)sum[1][0], .error = retc_refine_error(r, 0, 0), .steps = retc_refine_steps(r, 0)};
    for (size_t row = 0; row < ROWS; ++row)
        o.sum[row] = 2 * (double)sum[0][row * ld];
    for (size_t t = 1; t < SAMPLES; ++t) { /* all samples are alike */
        ck_assert_mem_eq(&sum[0][t], &sum[0][0], sizeof(float));
        ck_assert_uint_eq(retc_refine_steps(r, t), o.steps);
    }
    o.calls = f.calls;
    retc_refine_free(r);
    retc_free(sum[0]), retc_free(sum[1]);
    clear_fixture(&f);
    return o;
}

static double
straight(double alpha, size_t row, size_t t) {
    (void)t;
    return (double)row + alpha;
}

/* Midpoints are exact: the few steps that every sample gets, and no error beyond the rounding of sums of floats of size 1. */
START_TEST(straight_lines_need_no_more_steps) {
    const retc_refine_options options = retc_refine_default();
    outcome o = refine(straight, &options);
    ck_assert_uint_eq(o.steps, RETC_REFINE_LEAST);
    ck_assert_uint_eq(o.calls, 3 * RETC_REFINE_INTERVALS);
    ck_assert_double_le(o.error, 1e-6);
    ck_assert_double_le(fabs(o.width - 1), 1e-6);
    for (size_t row = 0; row < ROWS; ++row)
        ck_assert_double_le(fabs(o.sum[row] - ((double)row + 0.5)), 1e-6);
}
END_TEST

static double
smooth(double alpha, size_t row, size_t t) {
    (void)t;
    return exp(3 * (double)row * alpha);
}

/* Extrapolation takes smooth sums to order h^4, far below the estimate. */
START_TEST(smooth_sums_err_by_far_less_than_estimated) {
    const retc_refine_options options = {0, 1e-3, 1e-3, 1024};
    outcome o = refine(smooth, &options);
    const double expected[ROWS] = {1, (exp(3) - 1) / 3, (exp(6) - 1) / 6};
    double norm = 0, error = 0;
    for (size_t row = 0; row < ROWS; ++row) {
        norm += expected[row] * expected[row];
        error += (o.sum[row] - expected[row]) * (o.sum[row] - expected[row]);
    }
    ck_assert_double_le(o.error, options.tolerance);
    ck_assert_double_le(sqrt(error / norm), 0.1 * o.error);
}
END_TEST

/* A hill of width 0.01 in the fourth interval (0.48 ... 0.72). */
static double
hill(double alpha, size_t row, size_t t) {
    (void)t;
    return 1 + (row == 1) / (1 + (alpha - 0.6) * (alpha - 0.6) / 1e-4);
}

/* Steps as short as the hill, about 0.005, are 200 along all of the path, and 48 along the interval.  What a piece is not told
 * by is checked too: calls come in threes, two steps and one over both. */
START_TEST(only_intervals_that_change_are_cut) {
    const retc_refine_options options = {0, 1e-3, 1e-3, 1024};
    outcome o = refine(hill, &options);
    double expected = 1 + 0.01 * (atan(40) + atan(60));
    ck_assert_uint_gt(o.steps, 40);
    ck_assert_uint_lt(o.steps, 120);
    ck_assert_uint_eq(o.calls % 3, 0);
    ck_assert_double_le(o.error, options.tolerance);
    ck_assert_double_le(fabs(o.sum[1] - expected), options.tolerance * sqrt(2 + expected * expected));
    ck_assert_double_le(fabs(o.sum[0] - 1), 1e-5); /* sums of some hundred floats */
}
END_TEST

START_TEST(steps_end_where_they_must) {
    for (size_t most = RETC_REFINE_LEAST; most <= 100; most += 9) {
        const retc_refine_options options = {0, 1e-9, 1e-3, most};
        outcome o = refine(hill, &options);
        ck_assert_uint_le(o.steps, most);
        ck_assert_uint_ge(o.steps + 1, most); /* all that there are, two by two */
        ck_assert_double_gt(o.error, options.tolerance);
        ck_assert_double_le(fabs(o.width - 1), 1e-5);
    }
}
END_TEST

static double
undefined(double alpha, size_t row, size_t t) {
    (void)t;
    return row == 1 && alpha > 0.5 ? (double)NAN : 1;
}

/* What is not finite is given back, not refined for ever. */
START_TEST(sums_that_are_not_finite_end) {
    const retc_refine_options options = retc_refine_default();
    outcome o = refine(undefined, &options);
    ck_assert_uint_eq(o.steps, RETC_REFINE_LEAST);
    ck_assert(isnan(o.sum[1]) && o.sum[0] > 0.99);
}
END_TEST

/* Equal steps, and no judgement: the midpoint rule with 40 steps over 0 ... 1. */
START_TEST(fixed_steps_are_of_equal_length) {
    const retc_refine_options options = {40, 0, 0, 0};
    outcome o = refine(hill, &options);
    double expected = 0;
    for (int i = 0; i < 40; ++i)
        expected += hill((i + 0.5) / 40, 1, 0) / 40;
    ck_assert(o.steps == 40 && o.calls == 40 && o.error == 0);
    ck_assert_double_le(fabs(o.sum[1] - expected), 1e-5); /* places are floats, on slopes up to 65 */
    ck_assert_double_le(fabs(o.width - 1), 1e-6);
}
END_TEST

START_TEST(impossible_options_are_refused) {
    ck_fails(retc_refine_check(&(retc_refine_options){0, 0, 1e-3, 1024}), "tolerance");
    ck_fails(retc_refine_check(&(retc_refine_options){0, (double)NAN, 1e-3, 1024}), "tolerance");
    ck_fails(retc_refine_check(&(retc_refine_options){0, 1e-2, -1, 1024}), "floor");
    ck_fails(retc_refine_check(&(retc_refine_options){0, 1e-2, 1e-3, RETC_REFINE_LEAST - 1}), "at least 10 steps");
}
END_TEST

static Suite *
refine_suite(void) {
    Suite *suite = suite_create("refine");
    TCase *tcase = tcase_create("steps");
    tcase_add_test(tcase, straight_lines_need_no_more_steps);
    tcase_add_test(tcase, smooth_sums_err_by_far_less_than_estimated);
    tcase_add_test(tcase, only_intervals_that_change_are_cut);
    tcase_add_test(tcase, steps_end_where_they_must);
    tcase_add_test(tcase, sums_that_are_not_finite_end);
    tcase_add_test(tcase, fixed_steps_are_of_equal_length);
    tcase_add_test(tcase, impossible_options_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(refine_suite(), NULL);
}
