/* Correlation by FFT against its definition, and the definition against the plain sum. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "fft.h"
#include "rng.h"
#include "testing.h"
#include "xcorr.h"

static double *
random_series(size_t n, uint64_t index) {
    gsl_rng *rng = retc_rng_alloc(7, RETC_STREAM_NOISE, index);
    double *x = retc_calloc(n, sizeof *x);
    for (size_t i = 0; i < n; ++i)
        x[i] = 0.385 + gsl_ran_gaussian(rng, 1.7);
    gsl_rng_free(rng);
    return x;
}

static double
norm(const double *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* An FFT of length P has relative error below e = 7 u log2 P in the 2-norm (Higham, Accuracy and Stability, Thm 24.2).  Two
 * forward transforms enter the product and |out|_inf <= |c| |s| by Cauchy-Schwarz; the inverse adds e |out|_2. */
static double
error_bound(const double *c, const double *s, size_t n, const double *out, size_t P) {
    double e = 7 * (DBL_EPSILON / 2) * log2((double)P);
    return e * (2 * norm(c, n) * norm(s, n) + norm(out, P));
}

/* max_lag above n, primes, 1, sizes beside the block size, several blocks, a lag that asks for a larger block */
static const struct {
    size_t n, max_lag, lags; /* lags to compare, 0: all */
} shapes[] = {{1, 0, 0},     {1, 5, 0},         {2, 1, 0},       {7, 13, 0},        {13, 7, 0},       {31, 0, 0},
              {97, 40, 0},   {100, 250, 0},     {1009, 39, 0},   {16344, 40, 50},   {16345, 40, 50},  {16384, 0, 9},
              {16385, 0, 9}, {33000, 101, 110}, {50021, 40, 60}, {20011, 3001, 30}, {70001, 3001, 12}};

START_TEST(test_definition) {
    size_t n = shapes[_i].n, max_lag = shapes[_i].max_lag;
    double *c = random_series(n, (uint64_t)_i), *s = random_series(n, 100 + (uint64_t)_i);
    retc_xcorr *plan = retc_xcorr_alloc(n, max_lag);
    ck_assert_msg(plan != NULL, "%s", retc_error_message());
    size_t P = retc_xcorr_length(plan), lags = shapes[_i].lags ? shapes[_i].lags : P;
    double *out = retc_calloc(P, sizeof *out), *expected = retc_calloc(P, sizeof *expected);
    ck_assert_uint_gt(P, max_lag);

    ck_ok(retc_xcorr_set(plan, 0, c));
    retc_xcorr_stimulus(plan, s);
    retc_xcorr_correlate(plan, 0, out);
    retc_xcorr_reference(plan, c, s, lags, expected);
    double bound = error_bound(c, s, n, out, P);
    ck_close_double("correlation", out, expected, lags, bound, 0);

    /* Up to max_lag it is the plain sum, whatever the blocks are. */
    size_t plain = max_lag + 1 < lags ? max_lag + 1 : lags;
    for (size_t k = 0; k < plain; ++k) {
        expected[k] = 0;
        for (size_t t = k; t < n; ++t)
            expected[k] += c[t] * s[t - k];
    }
    ck_close_double("plain sum", out, expected, plain, bound, 0);
    retc_xcorr_free(plan);
    retc_free(out);
    retc_free(expected);
    retc_free(c);
    retc_free(s);
}
END_TEST

/* Shifted responses keep meeting the stimulus: with s = 1 every lag gives all spikes, except those that meet the zeros
 * before the first frame (at most max_lag of them). */
START_TEST(test_shifts_lose_nothing) {
    enum { N = 60000, LAG = 50 };
    double *c = retc_calloc(N, sizeof *c), *s = retc_calloc(N, sizeof *s);
    for (size_t i = 0; i < N; ++i)
        c[i] = s[i] = 1;
    retc_xcorr *plan = retc_xcorr_alloc(N, LAG);
    size_t P = retc_xcorr_length(plan);
    double *out = retc_calloc(P, sizeof *out);
    ck_assert_uint_lt(P, N); /* several blocks */
    ck_ok(retc_xcorr_set(plan, 0, c));
    retc_xcorr_stimulus(plan, s);
    retc_xcorr_correlate(plan, 0, out);
    for (size_t k = 0; k < P; ++k) {
        ck_assert_double_le(out[k], N + 1e-6);
        ck_assert_double_ge(out[k], N - LAG - 1e-6);
    }
    retc_xcorr_free(plan);
    retc_free(out);
    retc_free(c);
    retc_free(s);
}
END_TEST

START_TEST(test_slots_and_sharing) {
    enum { N = 211, LAG = 17 };
    double *c[3], *s = random_series(N, 9), out[1024], shared_out[1024];
    retc_xcorr *plan = retc_xcorr_alloc(N, LAG);
    ck_assert_uint_le(retc_xcorr_length(plan), 1024);
    for (size_t i = 0; i < 3; ++i)
        c[i] = random_series(N, 10 + i);
    ck_ok(retc_xcorr_set(plan, 2, c[2])); /* slots in any order, and again */
    ck_ok(retc_xcorr_set(plan, 0, c[1]));
    ck_ok(retc_xcorr_set(plan, 0, c[0]));
    retc_xcorr *shared = retc_xcorr_share(plan);
    ck_assert_ptr_nonnull(shared);
    ck_fails(retc_xcorr_set(shared, 0, c[0]), "shared");
    retc_xcorr_stimulus(plan, s);
    retc_xcorr_stimulus(shared, s);
    for (size_t i = 0; i < 3; i += 2) {
        double expected[LAG];
        retc_xcorr_reference(plan, c[i], s, LAG, expected);
        retc_xcorr_correlate(plan, i, out);
        retc_xcorr_correlate(shared, i, shared_out);
        ck_close_double("slot", out, expected, LAG, error_bound(c[i], s, N, out, retc_xcorr_length(plan)), 0);
        ck_assert_mem_eq(out, shared_out, retc_xcorr_length(plan) * sizeof *out);
    }
    retc_xcorr_free(shared);
    retc_xcorr_free(plan);
    for (size_t i = 0; i < 3; ++i)
        retc_free(c[i]);
    retc_free(s);
}
END_TEST

START_TEST(test_refusals) {
    ck_assert_ptr_null(retc_xcorr_alloc(0, 3));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "0 frames"));
    ck_assert_ptr_null(retc_xcorr_alloc(100, (size_t)1 << 40));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "lags up to"));
    retc_xcorr_free(NULL);
}
END_TEST

START_TEST(test_fft_size) {
    static const size_t cases[][2] = {{0, 2},   {1, 2},     {2, 2},       {3, 4},      {11, 12},
                                      {13, 14}, {127, 128}, {1025, 1050}, {2401, 2430}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        ck_assert_uint_eq(retc_fft_size(cases[i][0]), cases[i][1]);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("xcorr");
    TCase *tcase = tcase_create("xcorr");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, test_definition, 0, (int)(sizeof shapes / sizeof *shapes));
    tcase_add_test(tcase, test_shifts_lose_nothing);
    tcase_add_test(tcase, test_slots_and_sharing);
    tcase_add_test(tcase, test_refusals);
    tcase_add_test(tcase, test_fft_size);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
