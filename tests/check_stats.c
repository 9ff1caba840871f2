/* Scores against closed forms, against goldens of independent programs, and against a real recording's reference figures. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "h5.h"
#include "rng.h"
#include "stats.h"
#include "testing.h"

START_TEST(test_pearson) {
    float x[] = {1, 2, 3, 5}, y[] = {2, 1, 4, 5}, affine[4], constant[4] = {0.1f, 0.1f, 0.1f, 0.1f};
    /* means 2.75 and 3: products 6.0, squares 8.75 and 10 */
    ck_assert_double_eq_tol(retc_pearson(x, y, 4), 8.0 / sqrt(8.75 * 10), 1e-15);
    for (size_t i = 0; i < 4; ++i)
        affine[i] = 1024 - 4 * x[i]; /* exact in float */
    ck_assert_double_eq_tol(retc_pearson(x, affine, 4), -1, 1e-14);
    ck_assert(isnan(retc_pearson(x, constant, 4)));
    ck_assert(isnan(retc_pearson(constant, y, 4)));
}
END_TEST

START_TEST(test_explained_variance) {
    float measured[] = {1, 2, 3, 6}, predicted[] = {2, 2, 2, 6}, mean[] = {3, 3, 3, 3};
    ck_assert_double_eq_tol(retc_explained_variance(predicted, measured, 4), 1 - 2.0 / 14, 1e-15);
    ck_assert(retc_explained_variance(measured, measured, 4) == 1);
    ck_assert(retc_explained_variance(mean, measured, 4) == 0);
    ck_assert(isnan(retc_explained_variance(predicted, mean, 4)));
}
END_TEST

/* Two repeats s + n and s - n with s, n orthogonal: SP = var(s) - var(n), and the mean is s. */
START_TEST(test_ceiling_closed_form) {
    float x[2][4];
    const float s[] = {3, 3, -3, -3}, n[] = {1, -1, 1, -1};
    for (size_t t = 0; t < 4; ++t) {
        x[0][t] = 5 + s[t] + n[t];
        x[1][t] = 5 + s[t] - n[t];
    }
    ck_assert_double_eq_tol(retc_noise_ceiling(x[0], 2, 4), sqrt((9.0 - 1) / 9), 1e-15);
    ck_assert(isnan(retc_noise_ceiling(x[0], 1, 4)));
    for (size_t t = 0; t < 4; ++t) { /* opposite repeats: signal power -var(n) */
        x[0][t] = n[t];
        x[1][t] = -n[t];
    }
    ck_assert(isnan(retc_noise_ceiling(x[0], 2, 4)));
    memset(x, 0, sizeof x);
    ck_assert(isnan(retc_noise_ceiling(x[0], 2, 4)));
}
END_TEST

/* Sizes as even as possible, the larger ones first: 7 in 3 is 3, 2, 2. */
START_TEST(test_equal_bins) {
    float x[] = {6, 0, 5, 1, 4, 2, 3}, y[] = {60, 0, 50, 10, 40, 20, 30};
    const double x_3[] = {1, 3.5, 5.5}, y_3[] = {10, 35, 55}, x_7[] = {0, 1, 2, 3, 4, 5, 6};
    double mean_x[8], mean_y[8];
    size_t used;
    ck_ok(retc_equal_bins(x, y, 7, 3, mean_x, mean_y, &used));
    ck_assert_uint_eq(used, 3);
    ck_close_double("x", mean_x, x_3, 3, 1e-15, 0);
    ck_close_double("y", mean_y, y_3, 3, 1e-13, 0);

    ck_ok(retc_equal_bins(x, y, 7, 8, mean_x, mean_y, &used)); /* no more bins than samples */
    ck_assert_uint_eq(used, 7);
    ck_close_double("x", mean_x, x_7, 7, 0, 0);
}
END_TEST

START_TEST(test_equal_bins_joins_ties) {
    float x[] = {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 2}, y[] = {1, 2, 3, 4, 5, 6, 7, 9};
    const double expected_x[] = {(double)0.1f, (2 + (double)0.1f) / 2}, expected_y[] = {3.5, 8};
    double mean_x[4], mean_y[4];
    size_t used;
    ck_ok(retc_equal_bins(x, y, 8, 4, mean_x, mean_y, &used)); /* (1,2) (3,4) (5,6) are all at 0.1 */
    ck_assert_uint_eq(used, 2);
    ck_close_double("x", mean_x, expected_x, 2, 1e-15, 0);
    ck_close_double("y", mean_y, expected_y, 2, 1e-14, 0);
}
END_TEST

START_TEST(test_equal_bins_refuses) {
    float x[] = {1, NAN, 2}, y[] = {1, 2, INFINITY};
    double mean_x[3], mean_y[3];
    size_t used;
    ck_fails(retc_equal_bins(x, x, 0, 3, mean_x, mean_y, &used), "at least 1");
    ck_fails(retc_equal_bins(x, x, 3, 0, mean_x, mean_y, &used), "at least 1");
    ck_fails(retc_equal_bins(x, y, 3, 3, mean_x, mean_y, &used), "sample 1 of 3");
    ck_fails(retc_equal_bins(y, y, 3, 3, mean_x, mean_y, &used), "sample 2 of 3");
    ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(test_piecewise) {
    const double x[] = {-1, 0, 2, 5}, y[] = {4, 4, 8, 2};
    static const struct {
        double x, y, slope;
    } cases[] = {{-7, 4, 0}, {-1, 4, 0}, {-0.5, 4, 0}, {0, 4, 2}, {0.5, 5, 2}, {2, 8, -2}, {4.5, 3, -2}, {5, 2, 0}, {99, 2, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        double slope = 77;
        ck_assert_double_eq_tol(retc_piecewise(x, y, 4, cases[i].x, &slope), cases[i].y, 1e-14);
        ck_assert_double_eq_tol(slope, cases[i].slope, 1e-14);
        ck_assert_double_eq_tol(retc_piecewise(x, y, 4, cases[i].x, NULL), cases[i].y, 1e-14);
    }
    ck_assert(retc_piecewise(x, y, 1, 3, NULL) == 4);
    ck_assert(isnan(retc_piecewise(x, y, 0, 3, NULL)));
    ck_assert(isnan(retc_piecewise(x, y, 4, (double)NAN, NULL)));
}
END_TEST

static void *
read_new(const char *path, const char *name, retc_h5_type type, int rank, size_t *shape) {
    void *data = NULL;
    retc_h5 *file = retc_h5_open(path);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_ok(retc_h5_read_new(file, name, type, rank, shape, &data));
    retc_h5_close(file);
    return data;
}

/* The goldens' r2_score has 1e-6 in its denominator: r2 = 1 - (1 - EV) var / (var + 1e-6). */
START_TEST(test_goldens) {
    const char *path = retc_test_shared("goldens/metrics.h5");
    if (!path)
        retc_skip("the shared golden metrics.h5 is not there");
    size_t shape[2];
    float *X = read_new(path, "/in/X", RETC_H5_FLOAT, 2, shape), *Xh = read_new(path, "/in/Xh", RETC_H5_FLOAT, 2, shape);
    size_t n = shape[0], columns = shape[1];
    double *r2 = read_new(path, "/r2_score", RETC_H5_DOUBLE, 0, NULL);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n * columns; ++i)
        mean += (double)X[i] / (double)(n * columns);
    for (size_t i = 0; i < n * columns; ++i)
        variance += ((double)X[i] - mean) * ((double)X[i] - mean) / (double)(n * columns);
    double unexplained = 1 - retc_explained_variance(Xh, X, n * columns);
    double found = 1 - unexplained * variance / (variance + 1e-6);
    ck_close_double("r2_score", &found, r2, 1, 0, 1e-5); /* the golden's tolerance */

    float *Z = read_new(path, "/in/Z", RETC_H5_FLOAT, 2, shape);
    size_t z_columns = shape[1];
    double *expected = read_new(path, "/mtx_corr", RETC_H5_DOUBLE, 2, shape);
    ck_assert_uint_eq(shape[0], columns);
    ck_assert_uint_eq(shape[1], z_columns - 1); /* without Z's zero column 1 */
    float a[64], b[64];
    ck_assert_uint_le(n, 64);
    for (size_t i = 0; i < columns; ++i)
        for (size_t j = 0; j < z_columns; ++j) {
            for (size_t t = 0; t < n; ++t) {
                a[t] = X[t * columns + i];
                b[t] = Z[t * z_columns + j];
            }
            double r = retc_pearson(a, b, n);
            if (j == 1)
                ck_assert(isnan(r));
            else
                ck_close_double("mtx_corr", &r, &expected[i * (z_columns - 1) + j - (j > 1)], 1, 1e-6, 0);
        }
    retc_free(X);
    retc_free(Xh);
    retc_free(Z);
    retc_free(r2);
    retc_free(expected);
}
END_TEST

/* 41 repeats of frozen noise, eight cells.  Counts are small integers, so all sums are exact in double and the result is
 * good to a few ulp; both programs take the same formula. */
START_TEST(test_ceiling_of_recording) {
    const char *path = retc_test_shared("recordings/fullfield_noise/reference.h5");
    if (!path)
        retc_skip("the shared reference.h5 of the full-field recording is not there");
    enum { CELLS = 8, TRIALS = 41, TRIAL = 2400, FIRST = 1839, FRAMES = 561 };
    size_t shape[2];
    float *counts = read_new(path, "/counts", RETC_H5_FLOAT, 2, shape);
    double *expected = read_new(path, "/ceiling/cc_max_schoppe", RETC_H5_DOUBLE, 1, shape);
    float *repeats = retc_calloc(TRIALS * FRAMES, sizeof *repeats);
    double found[CELLS];
    for (size_t cell = 0; cell < CELLS; ++cell) {
        for (size_t r = 0; r < TRIALS; ++r)
            memcpy(repeats + r * FRAMES, counts + cell * TRIALS * TRIAL + r * TRIAL + FIRST, FRAMES * sizeof *repeats);
        found[cell] = retc_noise_ceiling(repeats, TRIALS, FRAMES);
    }
    ck_close_double("ceiling", found, expected, CELLS, 0, 1e-12);
    retc_free(counts);
    retc_free(repeats);
    retc_free(expected);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("stats");
    TCase *tcase = tcase_create("stats");
    tcase_add_test(tcase, test_pearson);
    tcase_add_test(tcase, test_explained_variance);
    tcase_add_test(tcase, test_ceiling_closed_form);
    tcase_add_test(tcase, test_equal_bins);
    tcase_add_test(tcase, test_equal_bins_joins_ties);
    tcase_add_test(tcase, test_equal_bins_refuses);
    tcase_add_test(tcase, test_piecewise);
    tcase_add_test(tcase, test_goldens);
    tcase_add_test(tcase, test_ceiling_of_recording);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
