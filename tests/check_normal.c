/* Normal deviates: as they are defined, the same by every kernel, and normal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "gather.h"
#include "normal.h"
#include "rng.h"
#include "testing.h"

enum { MANY = 1 << 21 };
static const char *const kernels[] = {"generic", "avx2", "avx512"};

static void
seed(retc_normal *normal, uint64_t index) {
    retc_normal_seed(normal, retc_rng_name(7, RETC_STREAM_NOISE, index));
}

static float *
deviates(uint64_t index, size_t n, size_t at_a_time) {
    float *x = retc_calloc(n, sizeof *x);
    retc_normal normal;
    seed(&normal, index);
    for (size_t t = 0; t < n; t += at_a_time)
        retc_normal_add(&normal, 1, n - t < at_a_time ? n - t : at_a_time, x + t);
    return x;
}

/* In float the logarithm is off by some 4 u = 2.4e-7 of itself and sine and cosine by 2 u of 1, hence |z| < 5.8 by 3e-6. */
START_TEST(deviates_equal_their_definition) {
    if (retc_kernel_choose(kernels[_i]) < 0)
        retc_skip("this processor has no %s", kernels[_i]);
    for (size_t n = 1; n < 100; n += n < 40 ? 1 : 13) {
        retc_normal fast, plain;
        seed(&fast, n), seed(&plain, n);
        float x[100];
        double expected[100], value[100];
        for (int again = 0; again < 50; ++again) {
            for (size_t i = 0; i < 100; ++i)
                x[i] = 0.25f, expected[i] = 0.25;
            retc_normal_add(&fast, 1.5f, n, x);
            retc_normal_add_reference(&plain, 1.5, n, expected);
            for (size_t i = 0; i < 100; ++i)
                value[i] = (double)x[i];
            ck_close_double("deviates", value, expected, n, 5e-6, 0);
            for (size_t i = n; i < 100; ++i)
                ck_assert_msg(x[i] == 0.25f, "written behind the end: %zu of %zu", i, n);
        }
        ck_assert_mem_eq(&fast, &plain, sizeof fast);
    }
}
END_TEST

START_TEST(all_kernels_give_the_same_bits) {
    ck_assert_int_eq(retc_kernel_choose("generic"), 0);
    float *expected = deviates(1, 10000, 129);
    for (size_t k = 1; k < sizeof kernels / sizeof *kernels; ++k)
        if (retc_kernel_choose(kernels[k]) == 0) {
            float *x = deviates(1, 10000, 129);
            ck_assert_msg(memcmp(x, expected, 10000 * sizeof *x) == 0, "%s differs", kernels[k]);
            retc_free(x);
        }
    retc_free(expected);
}
END_TEST

/* xoshiro128++ from the state 1, 2, 3, 4: words 641 and 1573767, from which u = 1.5/2^23 and v follow by hand. */
START_TEST(words_are_those_of_the_generator) {
    retc_normal normal;
    for (size_t word = 0; word < 4; ++word)
        for (size_t lane = 0; lane < RETC_NORMAL_LANES; ++lane)
            normal.state[word][lane] = (uint32_t)word + 1;
    double x[2 * RETC_NORMAL_LANES] = {0};
    retc_normal_add_reference(&normal, 1, 2 * RETC_NORMAL_LANES, x);
    double radius = sqrt(-2 * log(((641 >> 9) + 0.5) / 8388608)), angle = M_PI / 2 * (((1573767 >> 7) + 0.5) / 8388608 - 0.5);
    ck_assert_double_eq_tol(x[3], radius * cos(angle), 1e-12);
    ck_assert_double_eq_tol(x[RETC_NORMAL_LANES + 3], radius * sin(angle), 1e-12);
}
END_TEST

static int
ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Moments within five standard errors, and Kolmogorov's distance: sqrt(n) D > 2.2 happens once in 8000. */
START_TEST(deviates_are_normal) {
    float *x = deviates((uint64_t)_i, MANY, 128);
    double moment[5] = {0}, n = MANY, distance = 0;
    for (size_t i = 0; i < MANY; ++i)
        for (int p = 1; p < 5; ++p)
            moment[p] += pow((double)x[i], p) / n;
    ck_assert_msg(fabs(moment[1]) < 5 * sqrt(1 / n), "mean %g", moment[1]);
    ck_assert_msg(fabs(moment[2] - 1) < 5 * sqrt(2 / n), "variance %g", moment[2]);
    ck_assert_msg(fabs(moment[3]) < 5 * sqrt(15 / n), "third moment %g", moment[3]);
    ck_assert_msg(fabs(moment[4] - 3) < 5 * sqrt(96 / n), "fourth moment %g", moment[4]);
    qsort(x, MANY, sizeof *x, ascending);
    for (size_t i = 0; i < MANY; ++i) {
        double below = erfc(-(double)x[i] / M_SQRT2) / 2;
        distance = fmax(distance, fmax(below - (double)i / n, (double)(i + 1) / n - below));
    }
    ck_assert_msg(sqrt(n) * distance < 2.2, "distance %g", sqrt(n) * distance);
    /* Beyond 4 there are 6.33e-5 of them. */
    size_t tail = 0;
    for (size_t i = 0; i < MANY; ++i)
        tail += fabs((double)x[i]) > 4;
    double expected = n * erfc(4 / M_SQRT2);
    ck_assert_msg(fabs((double)tail - expected) < 5 * sqrt(expected), "%zu beyond 4, expected %g", tail, expected);
    retc_free(x);
}
END_TEST

/* Neither neighbours, nor the two of a pair, nor the same place in another lot or stream go together, nor do their squares. */
START_TEST(deviates_are_independent) {
    static const size_t lags[] = {1, 2, 15, 16, 17, 32, 48, 64, 128};
    float *x = deviates(3, MANY, 128), *other = deviates(4, MANY, 128);
    for (size_t k = 0; k <= sizeof lags / sizeof *lags; ++k) {
        int streams = k == sizeof lags / sizeof *lags;
        size_t lag = streams ? 0 : lags[k];
        const float *y = streams ? other : x + lag;
        double products = 0, squares = 0, n = (double)(MANY - lag);
        for (size_t i = 0; i < MANY - lag; ++i) {
            double a = (double)x[i], b = (double)y[i];
            products += a * b / n;
            squares += (a * a - 1) * (b * b - 1) / n;
        }
        ck_assert_msg(fabs(products) < 5 / sqrt(n), "lag %zu: %g", lag, products);
        ck_assert_msg(fabs(squares) < 10 / sqrt(n), "squares, lag %zu: %g", lag, squares);
    }
    retc_free(x), retc_free(other);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("normal");
    TCase *deviate = tcase_create("deviates");
    tcase_set_timeout(deviate, 120);
    tcase_add_loop_test(deviate, deviates_equal_their_definition, 0, 3);
    tcase_add_test(deviate, all_kernels_give_the_same_bits);
    tcase_add_test(deviate, words_are_those_of_the_generator);
    tcase_add_loop_test(deviate, deviates_are_normal, 0, 3);
    tcase_add_test(deviate, deviates_are_independent);
    suite_add_tcase(suite, deviate);
    return retc_test_main(suite, NULL);
}
