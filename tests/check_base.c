/* The ground that all other tests stand on: reasons of failures, memory, random streams, and the comparison of arrays that the
 * tests use themselves. */
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "rng.h"
#include "stats.h"
#include "testing.h"

/* ---- reasons --------------------------------------------------------------------------------------------------------- */

START_TEST(a_reason_says_what_and_where) {
    const int line = __LINE__ + 1;
    int code = RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %zu rows", "cells.h5", "/resp", (size_t)300);
    ck_assert_int_eq(code, RETC_EFORMAT);
    char where[512];
    snprintf(where, sizeof where, "%s:%d", __FILE__, line);
    ck_assert_str_eq(retc_error_message(), "cells.h5: dataset \"/resp\" has 300 rows");
    ck_assert_str_eq(retc_error_where(), where);
    ck_assert_int_eq(retc_error_prefix(RETC_EFORMAT, "model %d", 7), RETC_EFORMAT);
    ck_assert_str_eq(retc_error_message(), "model 7: cells.h5: dataset \"/resp\" has 300 rows");
    ck_assert_str_eq(retc_error_where(), where);
}
END_TEST

/* Reasons of any length leave a string that ends, with its beginning kept, and in front of it the beginning of the prefix. */
START_TEST(long_reasons_are_cut) {
    static char text[5000];
    const size_t lengths[] = {1, 400, 509, 510, 511, 512, 1022, 1023, 1024, 1025, 4999};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; ++i)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; ++k) {
            memset(text, 'r', lengths[i]), text[lengths[i]] = '\0';
            ck_assert_int_eq(RETC_FAIL(RETC_EIO, "%s", text), RETC_EIO);
            size_t kept = strlen(retc_error_message());
            ck_assert_msg(kept == lengths[i] || (kept < lengths[i] && kept >= 1000), "%zu of %zu are kept", kept, lengths[i]);
            memset(text, 'p', lengths[k]), text[lengths[k]] = '\0';
            retc_error_prefix(RETC_EIO, "%s", text);
            const char *message = retc_error_message(), *colon = strchr(message, ':');
            ck_assert_msg(colon != NULL, "no prefix in \"%s\"", message);
            size_t prefix = (size_t)(colon - message), reason = strlen(colon + 2);
            ck_assert_msg(prefix == lengths[k] || (prefix < lengths[k] && prefix >= 500), "prefix: %zu of %zu", prefix,
                          lengths[k]);
            ck_assert_msg(reason == lengths[i] || (reason < lengths[i] && reason >= 500), "reason: %zu of %zu", reason,
                          lengths[i]);
            ck_assert_uint_eq(strspn(message, "p"), prefix);
            ck_assert_uint_eq(strspn(colon + 2, "r"), reason);
        }
}
END_TEST

START_TEST(reasons_are_one_line) {
    RETC_FAIL(RETC_EFORMAT, "cell \"%s\"", "a\nb\t\x7f\x1b[31m\xc3\xa9");
    ck_assert_str_eq(retc_error_message(), "cell \"a?b???[31m\xc3\xa9\"");
    retc_error_prefix(RETC_EFORMAT, "x\r\ny");
    ck_assert_str_eq(retc_error_message(), "x??y: cell \"a?b???[31m\xc3\xa9\"");
}
END_TEST

static void *
fail_elsewhere(void *argument) {
    char *seen = argument;
    snprintf(seen, 64, "%s", retc_error_message());
    RETC_FAIL(RETC_EIO, "of another thread");
    return NULL;
}

START_TEST(reasons_belong_to_their_thread) {
    char seen[64] = "not run";
    pthread_t thread;
    RETC_FAIL(RETC_EIO, "of this thread");
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, seen), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_str_eq(seen, "");
    ck_assert_str_eq(retc_error_message(), "of this thread");
}
END_TEST

static int
three_steps(int failing, int *reached) {
    int status = RETC_OK;
    double *block = NULL;
    *reached = 0;
    RETC_TRY(RETC_ALLOC(block, 3));
    for (int step = 0; step < 3; ++step) {
        RETC_TRY(step == failing ? RETC_FAIL(RETC_ENUMBER, "step %d", step) : RETC_OK);
        *reached = step + 1;
    }
done:
    retc_free(block);
    return status;
}

START_TEST(a_failure_leaves_through_the_clean_up) {
    int reached;
    ck_fails(three_steps(1, &reached), "step 1");
    ck_assert_int_eq(reached, 1);
    ck_ok(three_steps(-1, &reached));
    ck_assert_int_eq(reached, 3);
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

START_TEST(memory_is_aligned_and_zero) {
    const size_t counts[] = {0, 1, 7, 64, 1000, 100003};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; ++i) {
        char *block = retc_calloc(counts[i], 3);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % 64, 0);
        for (size_t k = 0; k < 3 * counts[i]; ++k)
            ck_assert_int_eq(block[k], 0);
        memset(block, 1, 3 * counts[i]); /* dirt that a later block must not show */
        retc_free(block);
    }
    retc_free(NULL);
}
END_TEST

START_TEST(impossible_sizes_are_refused) {
    const size_t sizes[][2] = {
        {SIZE_MAX, 2}, {SIZE_MAX / 2 + 1, 2}, {(size_t)1 << 33, (size_t)1 << 33}, {SIZE_MAX, 1}, {SIZE_MAX - 63, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        RETC_FAIL(RETC_EIO, "nothing yet");
        ck_assert_ptr_null(retc_calloc(sizes[i][0], sizes[i][1]));
        ck_assert_msg(strstr(retc_error_message(), "more than memory can address"), "%s", retc_error_message());
    }
    double one, *block = &one;
    ck_fails(RETC_ALLOC(block, SIZE_MAX / 4), "more than memory can address");
    ck_assert_ptr_null(block);
#ifndef __SANITIZE_ADDRESS__ /* which ends the program here instead */
    ck_assert_ptr_null(retc_calloc((size_t)1 << 20, (size_t)1 << 40));
    ck_assert_msg(strstr(retc_error_message(), "out of memory: 1152921504606.8 MB"), "%s", retc_error_message());
#endif
}
END_TEST

START_TEST(text_is_copied) {
    char text[] = "g\303\244nglion";
    char *copy = retc_strdup(text), *made = retc_strf("%s-%05.1f", text, 2.385), *empty = retc_strf("%s", "");
    text[0] = 'G';
    ck_assert_str_eq(copy, "g\303\244nglion");
    ck_assert_str_eq(made, "g\303\244nglion-002.4");
    ck_assert_str_eq(empty, "");
    ck_assert_ptr_null(retc_strdup(NULL));
    retc_free(copy), retc_free(made), retc_free(empty);
}
END_TEST

/* ---- random streams -------------------------------------------------------------------------------------------------- */

enum { DRAWS = 4000 };

static void
draw(uint64_t seed, retc_stream stream, uint64_t index, float *x) {
    gsl_rng *rng = retc_rng_alloc(seed, stream, index);
    ck_assert_ptr_nonnull(rng);
    for (size_t i = 0; i < DRAWS; ++i)
        x[i] = (float)gsl_rng_uniform(rng);
    gsl_rng_free(rng);
}

/* Streams whose names differ in one place are as unlike as independent ones: |r| < 5 / sqrt(n).  Names that are sums or
 * differences of others', large ones, and zero are among them. */
START_TEST(streams_are_independent) {
    static const struct {
        uint64_t seed, index;
        retc_stream stream;
    } names[] = {{0, 0, RETC_STREAM_STIMULUS},
                 {0, 0, RETC_STREAM_CIRCUIT},
                 {0, 1, RETC_STREAM_STIMULUS},
                 {1, 0, RETC_STREAM_STIMULUS},
                 {1, 1, RETC_STREAM_STIMULUS},
                 {2, 0, RETC_STREAM_STIMULUS},
                 {0, 2, RETC_STREAM_STIMULUS},
                 {1, 0, RETC_STREAM_SPIKES},
                 {(uint64_t)1 << 32, 0, RETC_STREAM_STIMULUS},
                 {0, (uint64_t)1 << 32, RETC_STREAM_STIMULUS},
                 {UINT64_MAX, UINT64_MAX, RETC_STREAM_DROPOUT}};
    enum { NAMES = sizeof names / sizeof *names };
    static float x[NAMES][DRAWS];
    for (size_t i = 0; i < NAMES; ++i) {
        draw(names[i].seed, names[i].stream, names[i].index, x[i]);
        for (size_t k = 0; k < i; ++k) {
            double r = retc_pearson(x[i], x[k], DRAWS);
            ck_assert_msg(fabs(r) < 5 / sqrt(DRAWS), "streams %zu and %zu: r %g", i, k, r);
        }
    }
}
END_TEST

START_TEST(streams_are_reproducible) {
    float first[DRAWS], again[DRAWS];
    draw(7, RETC_STREAM_NOISE, 3, first);
    draw(7, RETC_STREAM_NOISE, 3, again);
    ck_assert_int_eq(memcmp(first, again, sizeof first), 0);
    /* Set back in the middle of another stream, it starts from its beginning. */
    gsl_rng *rng = retc_rng_alloc(8, RETC_STREAM_WEIGHTS, 0);
    gsl_ran_gaussian_ziggurat(rng, 1);
    retc_rng_seed(rng, 7, RETC_STREAM_NOISE, 3);
    for (size_t i = 0; i < DRAWS; ++i)
        again[i] = (float)gsl_rng_uniform(rng);
    ck_assert_int_eq(memcmp(first, again, sizeof first), 0);
    gsl_rng_free(rng);
}
END_TEST

/* Every element comes to every place equally often: chi square with (n-1)^2 degrees of freedom, mean 81, within 5 standard
 * deviations sqrt(2 * 81). */
START_TEST(shuffles_are_even) {
    enum { N = 10, ROUNDS = 20000 };
    static size_t count[N][N];
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_SHUFFLE, 0);
    for (int round = 0; round < ROUNDS; ++round) {
        size_t order[N], seen = 0;
        for (size_t i = 0; i < N; ++i)
            order[i] = i;
        retc_rng_shuffle(rng, order, N);
        for (size_t i = 0; i < N; ++i) {
            ck_assert_uint_lt(order[i], N);
            seen |= (size_t)1 << order[i];
            ++count[i][order[i]];
        }
        ck_assert_uint_eq(seen, (1u << N) - 1);
    }
    double chi = 0, expected = (double)ROUNDS / N;
    for (size_t i = 0; i < N * N; ++i) {
        double d = (double)count[i / N][i % N] - expected;
        chi += d * d / expected;
    }
    ck_assert_msg(fabs(chi - 81) < 5 * sqrt(162.0), "chi square %g", chi);
    gsl_rng_free(rng);
}
END_TEST

/* ---- the comparison of arrays ---------------------------------------------------------------------------------------- */

enum { VALUES = 5 };
static const double expected_values[VALUES] = {2.385, -7.25, 0, 1e-3, 4.5};

/* 1 when both routines accept x (n values) with these tolerances; they must agree. */
static int
accepted(const double *x, const double *expected, size_t n, double absolute, double relative) {
    float y[VALUES], e[VALUES];
    for (size_t i = 0; i < n; ++i)
        y[i] = (float)x[i], e[i] = (float)expected[i];
    int in_double = retc_test_close_double("double", x, expected, n, absolute, relative);
    ck_assert_int_eq(retc_test_close_float("float", y, e, n, absolute, relative), in_double);
    return in_double;
}

START_TEST(comparison_accepts_and_refuses) {
    double x[VALUES];
    for (size_t i = 0; i < VALUES; ++i) {
        memcpy(x, expected_values, sizeof x);
        ck_assert(accepted(x, expected_values, VALUES, 0, 0));
        x[i] += 0.0625;
        ck_assert(!accepted(x, expected_values, VALUES, 0.06, 0));
        ck_assert(accepted(x, expected_values, VALUES, 0.065, 0));
        /* relative to the largest expected value, 7.25 */
        ck_assert(!accepted(x, expected_values, VALUES, 0, 0.06 / 7.25));
        ck_assert(accepted(x, expected_values, VALUES, 0, 0.065 / 7.25));
        ck_assert(!accepted(x, expected_values, VALUES, 0.03, 0.03 / 7.25));
        x[i] = -x[i] - 1;
        ck_assert(!accepted(x, expected_values, VALUES, 0.065, 0));
    }
}
END_TEST

START_TEST(comparison_refuses_what_is_no_number) {
    double x[VALUES], e[VALUES];
    const double odd[3] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    for (size_t i = 0; i < VALUES; ++i) {
        memcpy(x, expected_values, sizeof x);
        memcpy(e, expected_values, sizeof e);
        for (int k = 0; k < 3; ++k) {
            e[i] = odd[k], x[i] = expected_values[i];
            ck_assert(!accepted(x, e, VALUES, 1e9, 1e9));
            e[i] = expected_values[i], x[i] = odd[k];
            ck_assert(!accepted(x, e, VALUES, 1e9, 1e9));
            e[i] = odd[k];
            ck_assert(!accepted(x, e, VALUES, 1e9, 1e9));
        }
    }
}
END_TEST

START_TEST(comparison_of_nothing_is_refused) {
    ck_assert(!retc_test_close_double("nothing", expected_values, expected_values, 0, 1, 1));
    ck_assert(!retc_test_close_float("nothing", NULL, NULL, 0, 1, 1));
}
END_TEST

START_TEST(comparison_names_the_worst) {
    double x[VALUES];
    memcpy(x, expected_values, sizeof x);
    x[1] += 0.25, x[3] = 1.001;
    ck_assert(!retc_test_close_double("filter", x, expected_values, VALUES, 0.125, 0));
    ck_assert_str_eq(retc_test_message(), "filter: 5 values, worst at 3: 1.001, expected 0.001, difference 1, allowed 0.125");
    x[2] = (double)NAN;
    ck_assert(!retc_test_close_double("filter", x, expected_values, VALUES, 0.125, 0));
    ck_assert_msg(strstr(retc_test_message(), "worst at 2: nan, expected 0"), "%s", retc_test_message());
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("base");
    TCase *errors = tcase_create("errors"), *random = tcase_create("random"), *helpers = tcase_create("helpers");
    tcase_add_test(errors, a_reason_says_what_and_where);
    tcase_add_test(errors, long_reasons_are_cut);
    tcase_add_test(errors, reasons_are_one_line);
    tcase_add_test(errors, reasons_belong_to_their_thread);
    tcase_add_test(errors, a_failure_leaves_through_the_clean_up);
    tcase_add_test(errors, memory_is_aligned_and_zero);
    tcase_add_test(errors, impossible_sizes_are_refused);
    tcase_add_test(errors, text_is_copied);
    tcase_add_test(random, streams_are_independent);
    tcase_add_test(random, streams_are_reproducible);
    tcase_add_test(random, shuffles_are_even);
    tcase_add_test(helpers, comparison_accepts_and_refuses);
    tcase_add_test(helpers, comparison_refuses_what_is_no_number);
    tcase_add_test(helpers, comparison_of_nothing_is_refused);
    tcase_add_test(helpers, comparison_names_the_worst);
    suite_add_tcase(suite, errors);
    suite_add_tcase(suite, random);
    suite_add_tcase(suite, helpers);
    return retc_test_main(suite, NULL);
}
