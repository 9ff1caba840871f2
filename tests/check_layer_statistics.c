/* Statistics of layers: against the published metrics, and on series whose covariance is known. */
#include <math.h>
#include <string.h>

#include "layer_statistics.h"
#include "testing.h"

static retc_h5 *
open_metrics(void) {
    const char *path = retc_test_shared("goldens/metrics.h5");
    return path ? retc_h5_open(path) : NULL;
}

/* Row 3 is all zero, row 4 has a single entry, row 5 is constant. */
START_TEST(sparsities_equal_the_published_metrics) {
    retc_h5 *file = open_metrics();
    if (!file)
        retc_skip("goldens/metrics.h5 is not there");
    void *x = NULL, *hoyer = NULL, *ratio = NULL;
    size_t shape[2], T;
    ck_ok(retc_h5_read_new(file, "/in/X", RETC_H5_FLOAT, 2, shape, &x));
    ck_ok(retc_h5_read_new(file, "/hoyer", RETC_H5_DOUBLE, 1, &T, &hoyer));
    ck_ok(retc_h5_read_new(file, "/participation_ratio", RETC_H5_DOUBLE, 1, &T, &ratio));
    ck_assert_uint_eq(T, shape[0]);
    double ours[2][64] = {{0}};
    ck_assert_uint_le(T, 64);
    for (size_t t = 0; t < T; ++t) {
        ours[0][t] = retc_hoyer_sparsity((float *)x + t * shape[1], shape[1]);
        ours[1][t] = retc_participation_ratio((float *)x + t * shape[1], shape[1]);
    }
    /* The golden values are sums of 16 floats, in single precision, of numbers up to 16. */
    ck_close_double("Hoyer", ours[0], hoyer, T, 0, 16 * 6e-8 * 4);
    ck_close_double("participation ratio", ours[1], ratio, T, 0, 16 * 6e-8 * 4);
    retc_free(x), retc_free(hoyer), retc_free(ratio);
    retc_h5_close(file);
}
END_TEST

enum { C = 3, D = 2 * C, T = 240 };

/* Column k of the contributions: mean + amplitude sin(2 pi (k+1) t / T + phase), whole periods: columns of different k do not
 * correlate, and their variance is amplitude^2 / 2. */
static const double amplitude[D] = {1, 0.5, 3, 0.25, 0.125, 0.0625};

static double
wave(size_t k, size_t t) {
    return sin(2 * M_PI * (double)((k + 1) * t) / T + (double)k);
}

static retc_layer_statistics
statistics_of(const float *contribution, const float *activation, size_t n, size_t piece) {
    retc_layer_statistics result;
    retc_layer_sums *sums = retc_layer_sums_alloc(C);
    ck_assert_ptr_nonnull(sums);
    for (size_t t = 0; t < n; t += piece)
        retc_layer_sums_add(sums, contribution + t * D, activation + t * D, piece < n - t ? piece : n - t);
    ck_ok(retc_layer_sums_finish(sums, &result));
    retc_layer_sums_free(sums);
    return result;
}

START_TEST(components_of_waves_are_their_variances) {
    static const double expected[D] = {4.5, 0.5, 0.125, 0.03125, 0.0078125, 0.001953125};
    float c[T * D], a[T * D];
    for (size_t t = 0; t < T; ++t)
        for (size_t k = 0; k < D; ++k) {
            c[t * D + k] = (float)(7 * (double)k + amplitude[k] * wave(k, t));
            a[t * D + k] = (float)wave(k, t);
        }
    retc_layer_statistics s = statistics_of(c, a, T, 37);
    ck_assert_uint_eq(s.samples, T);
    /* Values of up to 35 are rounded to floats, by 2e-6 at most. */
    ck_close_double("variance", s.contribution.variance, expected, D, 1e-5, 0);
    /* 4.5 of 5.166 are 87 %, 5 are 97 %; of six equal components six are needed for 90 %, as five hold 83 %. */
    ck_assert_uint_eq(s.contribution.dimension, 2);
    ck_assert_uint_eq(s.activation.dimension, 6);
    /* Negative and positive sums are different waves. */
    ck_assert_double_le(fabs(s.mean_opposition), 1e-5);
    retc_layer_statistics_clear(&s);
}
END_TEST

/* Contributions of channel 0: negative -(1+x), positive 1+x; of channel 1: negative constant; of channel 2: negative -y,
 * positive x + y.  Activations: x, the opposite of the contribution, and a constant. */
START_TEST(correlations_of_known_series) {
    float c[T * D], a[T * D];
    memset(a, 0, sizeof a);
    for (size_t t = 0; t < T; ++t) {
        float x = (float)wave(0, t), y = (float)wave(1, t), row[D] = {-2 - x, -1, -2 - y, 2 + x, 2 + x, 4 + x + y};
        memcpy(c + t * D, row, sizeof row);
        a[t * D + 0] = x, a[t * D + 1] = -x, a[t * D + 2] = 1;
    }
    retc_layer_statistics s = statistics_of(c, a, T, T);
    ck_assert_double_eq_tol(s.opposition[0], 1, 1e-6);
    ck_assert(isnan(s.opposition[1])); /* nothing to correlate with a constant */
    ck_assert_double_eq_tol(s.opposition[2], sqrt(0.5), 1e-6);
    ck_assert_double_eq_tol(s.mean_opposition, (1 + sqrt(0.5)) / 2, 1e-6);
    ck_assert_double_eq_tol(s.agreement[1], -1, 1e-6);
    ck_assert(isnan(s.agreement[2]));
    retc_layer_statistics_clear(&s);
}
END_TEST

/* Half of the samples are all zero: sparsity is that of the others. */
START_TEST(silent_samples_have_no_sparsity) {
    float c[T * D] = {0}, a[T * D];
    for (size_t i = 0; i < T * D; ++i)
        a[i] = 1;
    for (size_t t = 0; t < T; t += 2)
        c[t * D + t / 2 % D] = -3;
    retc_layer_statistics s = statistics_of(c, a, T, 11);
    ck_assert_double_eq_tol(s.contribution.hoyer, 1, 1e-6);
    ck_assert_double_eq_tol(s.contribution.hoyer_deviation, 0, 1e-6);
    ck_assert_double_eq_tol(s.contribution.participation_ratio, 1, 1e-6);
    ck_assert_double_eq_tol(s.activation.hoyer, 0, 1e-6);
    ck_assert_double_eq_tol(s.activation.participation_ratio, D, 1e-6);
    ck_assert_uint_eq(s.activation.dimension, 0); /* nothing varies */
    retc_layer_statistics_clear(&s);
    s = statistics_of(c, a, 0, 1);
    ck_assert(isnan(s.contribution.hoyer));
    retc_layer_statistics_clear(&s);
}
END_TEST

START_TEST(statistics_survive_a_file) {
    float c[T * D], a[T * D];
    for (size_t i = 0; i < T * D; ++i)
        c[i] = (float)wave(i % 7, i), a[i] = (float)wave(i % 11, i);
    retc_layer_statistics s = statistics_of(c, a, T, T), back;
    retc_h5 *file = retc_h5_create(retc_test_path("statistics.h5"), 1);
    ck_ok(retc_layer_statistics_write(&s, "conv1", file));
    ck_ok(retc_layer_statistics_read(file, "conv1", &back));
    ck_assert_uint_eq(back.C, C);
    ck_assert_double_eq(back.contribution.hoyer, s.contribution.hoyer);
    ck_assert_double_eq(back.activation.participation_ratio, s.activation.participation_ratio);
    ck_assert_uint_eq(back.contribution.dimension, s.contribution.dimension);
    ck_assert_mem_eq(back.activation.variance, s.activation.variance, D * sizeof(double));
    ck_assert_mem_eq(back.agreement, s.agreement, C * sizeof(double));
    ck_assert_double_eq(back.mean_opposition, s.mean_opposition);
    retc_layer_statistics_clear(&back);
    ck_fails(retc_layer_statistics_read(file, "conv7", &back), "/statistics/conv7");
    retc_layer_statistics_clear(&back);
    retc_layer_statistics_clear(&s);
    retc_h5_close(file);
}
END_TEST

static Suite *
layer_statistics_suite(void) {
    Suite *suite = suite_create("layer statistics");
    TCase *tcase = tcase_create("series");
    tcase_add_test(tcase, sparsities_equal_the_published_metrics);
    tcase_add_test(tcase, components_of_waves_are_their_variances);
    tcase_add_test(tcase, correlations_of_known_series);
    tcase_add_test(tcase, silent_samples_have_no_sparsity);
    tcase_add_test(tcase, statistics_survive_a_file);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(layer_statistics_suite(), NULL);
}
