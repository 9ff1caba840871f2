/* White noise in all its layouts, and noise with a spectrum. */
#include <math.h>
#include <string.h>

#include "movie_kinds.h"
#include "testing.h"
#include "white_noise.h"

/* Statistical bounds below are 5 standard errors: with fixed seeds a test passes or fails for ever, and would fail by chance
 * for one seed in two million. */

static float *
noise_frames(const retc_white_noise *noise, size_t n) {
    retc_white_noise options = *noise;
    float *out = retc_calloc(n * noise->height * noise->width, sizeof *out);
    ck_ok(retc_white_noise_frames(&options, 0, n, out));
    return out;
}

/* ---- the same on every machine --------------------------------------------------------------------------------------- */

/* FNV-1a (Fowler, Noll & Vo) of the levels in units of 2^-16, a level at a time. */
static uint64_t
fingerprint(const float *x, size_t n) {
    uint64_t hash = 0xCBF29CE484222325u;
    for (size_t i = 0; i < n; ++i)
        hash = (hash ^ (uint64_t)llrint((double)x[i] * 65536)) * 0x100000001B3u;
    return hash;
}

/* The expected values are those of another program, written from the description in white_noise.h in Python, whose module
 * `random` has a Mersenne twister of its own. */
static const struct {
    retc_white_noise noise;
    size_t frames;
    uint64_t fingerprint;
} pinned[] = {
    {{9, 11, 1, 1, 0.35, RETC_NOISE_BINARY, RETC_CHECKERBOARD, 0, 5, 1}, 100, 0x48ECBB3590551115},
    {{9, 11, 1, 1, 0.35, RETC_NOISE_TERNARY, RETC_CHECKERBOARD, 0, 5, 1}, 100, 0x8911E85B4568EF65},
    {{9, 11, 4, 1, 0.35, RETC_NOISE_BINARY, RETC_CHECKERBOARD, 3, 5, 1}, 100, 0x708BFD5837CB1115},
    {{9, 11, 3, 1, 0.8, RETC_NOISE_TERNARY, RETC_HORIZONTAL_BARS, 2, 6, 1}, 100, 0xC2037AA0B2B979DE},
    {{9, 11, 2, 1, 1, RETC_NOISE_BINARY, RETC_VERTICAL_BARS, 1, 7, 1}, 70, 0x9C318CF0B2D09F2D},
    {{9, 11, 1, 1, 0.5, RETC_NOISE_TERNARY, RETC_FULL_FIELD, 0, 8, 1}, 130, 0xE608B98784C50BC5},
};

START_TEST(test_pinned) {
    float *x = noise_frames(&pinned[_i].noise, pinned[_i].frames);
    ck_assert_uint_eq(fingerprint(x, pinned[_i].frames * 99), pinned[_i].fingerprint);
    retc_free(x);
}
END_TEST

/* Levels of this program on an x86-64 with glibc: elsewhere they may differ in the last digit, 2^-17 below 128 (2^-16 above).
 */
START_TEST(test_pinned_gaussian) {
    static const float expected[8] = {133.587997f, 109.34079f,  76.8953018f, 73.9015884f,
                                      136.042725f, 200.254868f, 163.114029f, 206.374741f};
    retc_white_noise noise = {
        .height = 9, .width = 11, .stixel = 1, .hold = 1, .contrast = 0.35, .distribution = RETC_NOISE_GAUSSIAN, .seed = 5};
    float *x = noise_frames(&noise, 66);
    ck_close_float("frame 65", x + 65 * 99, expected, 8, 0x1p-16, 0);
    retc_free(x);
}
END_TEST

/* ---- distributions --------------------------------------------------------------------------------------------------- */

/* Three levels symmetric around 127.5, each as often, and of the asked contrast; neighbours in space and time unrelated. */
START_TEST(test_ternary) {
    enum { T = 800, SIDE = 12, VALUES = T * SIDE * SIDE };
    const double contrast = _i ? sqrt(2.0 / 3) : 0.35;
    retc_white_noise noise = {
        .height = SIDE, .width = SIDE, .stixel = 1, .hold = 1, .contrast = contrast, .distribution = RETC_NOISE_TERNARY};
    float *x = noise_frames(&noise, T);
    static const size_t distances[3] = {1, SIDE, SIDE * SIDE};
    double count[3] = {0}, product[3] = {0};
    for (size_t i = 0; i < VALUES; ++i) {
        double sign = (double)((x[i] > 127.5f) - (x[i] < 127.5f));
        /* Levels are cut to a multiple of 2^-16 below. */
        ck_assert_double_eq_tol((double)x[i], 127.5 * (1 + sign * contrast * sqrt(1.5)), 0x1p-16 + 1e-12);
        ck_assert(x[i] + (float)(255 - (double)x[i]) == 255);
        count[(size_t)(sign + 1)] += 1;
        for (size_t d = 0; d < 3; ++d) {
            float other = i + distances[d] < VALUES ? x[i + distances[d]] : 127.5f;
            product[d] += sign * (double)((other > 127.5f) - (other < 127.5f));
        }
    }
    for (size_t level = 0; level < 3; ++level)
        ck_assert_double_le(fabs(count[level] - VALUES / 3.0), 5 * sqrt(VALUES * 2.0 / 9));
    for (size_t d = 0; d < 3; ++d)
        ck_assert_double_le(fabs(product[d]), 5 * sqrt(VALUES * 4.0 / 9)); /* of signs with variance 2/3 */
    retc_free(x);
}
END_TEST

/* ---- layouts --------------------------------------------------------------------------------------------------------- */

static retc_white_noise
continuous(size_t stixel, retc_noise_layout layout, size_t jitter) {
    return (retc_white_noise){.height = 9,
                              .width = 11,
                              .stixel = stixel,
                              .hold = 2,
                              .contrast = 0.2,
                              .distribution = RETC_NOISE_GAUSSIAN,
                              .layout = layout,
                              .jitter = jitter,
                              .seed = 9};
}

/* Levels are continuous, so that two equal ones are one stixel. */
START_TEST(test_bars) {
    enum { T = 40, H = 9, W = 11 };
    retc_noise_layout layout = (retc_noise_layout)_i;
    retc_white_noise noise = continuous(2, layout, 0);
    float *x = noise_frames(&noise, T);
    for (size_t t = 0; t < T; ++t) {
        const float *frame = x + t * H * W;
        for (size_t i = 0; i < H * W; ++i) {
            size_t row = i / W / 2 * 2, column = i % W / 2 * 2;
            size_t first = (layout == RETC_HORIZONTAL_BARS ? row * W : 0) + (layout == RETC_VERTICAL_BARS ? column : 0);
            ck_assert(frame[i] == frame[first]);
            ck_assert(i == first || layout == RETC_FULL_FIELD || i < 2 * W || frame[i] != frame[i - 2 * W] ||
                      layout == RETC_VERTICAL_BARS);
        }
        ck_assert((frame[0] != frame[2]) == (layout == RETC_VERTICAL_BARS));
        ck_assert(t < 2 || frame[0] != frame[-2 * H * W]);
        ck_assert(t % 2 == 0 || frame[0] == frame[-H * W]);
    }
    retc_free(x);
}
END_TEST

/* First column whose level is not that of the one before it, modulo the stixel: where the grid is. */
static size_t
grid_place(const float *line, size_t step, size_t stixel) {
    size_t at = 1;
    while (line[at * step] == line[(at - 1) * step])
        ++at;
    return at % stixel;
}

/* The grid of every pattern lies at one of jitter + 1 places, each as often, rows and columns independent. */
START_TEST(test_jitter) {
    enum { PATTERNS = 3000, H = 9, W = 11, STIXEL = 4, JITTER = 2 };
    retc_white_noise noise = continuous(STIXEL, RETC_CHECKERBOARD, JITTER);
    noise.hold = 1;
    float *x = noise_frames(&noise, PATTERNS);
    double count[JITTER + 1][JITTER + 1] = {{0}};
    for (size_t t = 0; t < PATTERNS; ++t) {
        const float *frame = x + t * H * W;
        /* Moved by d, the first whole stixel begins at pixel 4 - d. */
        size_t dy = (STIXEL - grid_place(frame, W, STIXEL)) % STIXEL, dx = (STIXEL - grid_place(frame, 1, STIXEL)) % STIXEL;
        ck_assert_uint_le(dy, JITTER);
        ck_assert_uint_le(dx, JITTER);
        count[dy][dx] += 1;
        for (size_t i = 0; i < H * W; ++i) {
            size_t row = (i / W + dy) / STIXEL * STIXEL, column = (i % W + dx) / STIXEL * STIXEL;
            ck_assert(frame[i] == frame[(row > dy ? row - dy : 0) * W + (column > dx ? column - dx : 0)]);
        }
    }
    const double p = 1.0 / ((JITTER + 1) * (JITTER + 1));
    for (size_t dy = 0; dy <= JITTER; ++dy)
        for (size_t dx = 0; dx <= JITTER; ++dx)
            ck_assert_double_le(fabs(count[dy][dx] - PATTERNS * p), 5 * sqrt(PATTERNS * p * (1 - p)));
    retc_free(x);
}
END_TEST

START_TEST(test_wrong_options) {
    float x[99];
    retc_white_noise noise = continuous(3, RETC_CHECKERBOARD, 3);
    ck_fails(retc_white_noise_frames(&noise, 0, 1, x), "a jitter of 3 pixels must be less than the stixel, which has 3");
    noise = continuous(3, RETC_FULL_FIELD, 1);
    ck_fails(retc_white_noise_frames(&noise, 0, 1, x), "a full field has no grid");
    noise = continuous(3, RETC_CHECKERBOARD, 0);
    noise.distribution = RETC_NOISE_TERNARY;
    noise.contrast = 0.82;
    ck_fails(retc_white_noise_frames(&noise, 0, 1, x), "a contrast of 0.82 is too much for ternary levels: black, grey and "
                                                       "white have 0.8165");
}
END_TEST

static Suite *
noise_suite(void) {
    Suite *suite = suite_create("noise");
    TCase *white = tcase_create("white noise");
    tcase_add_loop_test(white, test_pinned, 0, sizeof pinned / sizeof *pinned);
    tcase_add_test(white, test_pinned_gaussian);
    tcase_add_loop_test(white, test_ternary, 0, 2);
    tcase_add_loop_test(white, test_bars, RETC_HORIZONTAL_BARS, RETC_FULL_FIELD + 1);
    tcase_add_test(white, test_jitter);
    tcase_add_test(white, test_wrong_options);
    suite_add_tcase(suite, white);
    return suite;
}

int
main(void) {
    return retc_test_main(noise_suite(), NULL);
}
