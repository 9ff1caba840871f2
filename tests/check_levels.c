/* The loops over grey levels against the functions of the C library, value by value. */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "levels.h"
#include "testing.h"

enum { N = 10000 };

/* Around every whole and half level, and a float to either side of it. */
START_TEST(levels_are_rounded_as_roundf_does) {
    float levels[3 * 513];
    uint8_t bytes[3 * 513];
    for (size_t i = 0; i < 513; ++i) {
        levels[3 * i] = 0.5f * (float)i;
        levels[3 * i + 1] = nextafterf(levels[3 * i], -1);
        levels[3 * i + 2] = nextafterf(levels[3 * i], 1000);
    }
    retc_levels_round(levels, 3 * 513, bytes);
    for (size_t i = 0; i < 3 * 513; ++i)
        ck_assert_msg((float)bytes[i] == fminf(fmaxf(roundf(levels[i]), 0), 255), "%.9g becomes %d", (double)levels[i],
                      bytes[i]);
    const float outside[5] = {-1e30f, 1e30f, HUGE_VALF, -HUGE_VALF, NAN};
    retc_levels_round(outside, 5, bytes);
    ck_assert(bytes[0] == 0 && bytes[1] == 255 && bytes[2] == 255 && bytes[3] == 0 && bytes[4] == 0);
}
END_TEST

/* One wrong value in every place of two pieces, next to another behind it. */
START_TEST(first_wrong_value_is_found) {
    static const float wrong[8] = {NAN, HUGE_VALF, -HUGE_VALF, 0.5f, -1, 256, 254.99998f, FLT_MAX};
    float *levels = calloc(N, sizeof *levels);
    uint8_t bytes[N];
    for (size_t i = 0; i < N; ++i)
        levels[i] = (float)(i % 256);
    ck_assert_uint_eq(retc_levels_not_finite(levels, N), N);
    ck_assert_uint_eq(retc_levels_to_bytes(levels, N, bytes), N);
    for (size_t i = 0; i < N; ++i)
        ck_assert_uint_eq(bytes[i], i % 256);
    for (size_t at = 0; at < N; at += at < 8 || at > N - 20 ? 1 : 127)
        for (size_t k = 0; k < 8; ++k) {
            float kept = levels[at], last = levels[N - 1];
            levels[N - 1] = NAN;
            levels[at] = wrong[k];
            ck_assert_uint_eq(retc_levels_not_finite(levels, N), k < 3 ? at : N - 1);
            ck_assert_uint_eq(retc_levels_to_bytes(levels, N, bytes), at);
            levels[at] = kept;
            levels[N - 1] = last;
        }
    ck_assert_uint_eq(retc_levels_not_finite(levels, 0), 0);
    free(levels);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("levels");
    TCase *tests = tcase_create("levels");
    tcase_add_test(tests, levels_are_rounded_as_roundf_does);
    tcase_add_test(tests, first_wrong_value_is_found);
    suite_add_tcase(suite, tests);
    return retc_test_main(suite, NULL);
}
