/* White noise in all its layouts, and noise with a spectrum. */
#include <fftw3.h>
#include <math.h>
#include <string.h>

#include "movie_kinds.h"
#include "spectral_noise.h"
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

/* ---- noise with a spectrum ------------------------------------------------------------------------------------------- */

/* A contrast so low that no level is clipped, ever: 20 standard deviations. */
#define LOW_CONTRAST 0.05

static const retc_spectral_options spectral = {.height = 16,
                                               .width = 16,
                                               .pixel_size = 50,
                                               .frame_rate = 60,
                                               .contrast = LOW_CONTRAST,
                                               .space_corner = 0.5,
                                               .time_corner = 0.5,
                                               .seed = 21};

/* x of frames 0 ... n-1, of variance 1. */
static float *
spectral_movie(const retc_spectral_options *options, size_t n) {
    retc_spectral_noise *noise = retc_spectral_noise_alloc(options);
    ck_assert_msg(noise != NULL, "%s", retc_error_message());
    size_t values = n * options->height * options->width;
    float *x = retc_calloc(values, sizeof *x);
    ck_ok(retc_spectral_noise_frames(noise, 0, n, x));
    retc_spectral_noise_free(noise);
    for (size_t i = 0; i < values; ++i)
        x[i] = (x[i] / 127.5f - 1) / (float)LOW_CONTRAST;
    return x;
}

/* n independent estimates must agree with `expected` within 5 standard errors, which they tell themselves. */
static void
check_mean(const char *what, size_t which, const double *estimate, size_t n, double expected) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < n; ++i)
        mean += estimate[i] / (double)n;
    for (size_t i = 0; i < n; ++i)
        squares += (estimate[i] - mean) * (estimate[i] - mean);
    double error = sqrt(squares / (double)n / (double)(n - 1));
    ck_assert_msg(fabs(mean - expected) <= 5 * error, "%s %zu: %g, expected %g, standard error %g", what, which, mean, expected,
                  error);
}

/* Covariance at `lag` frames of a series with the power (f^2 + f0^2)^-b, and variance 1: the sum over the frequencies of a
 * period that is far longer than any correlation. */
static double
time_covariance(double b, size_t lag) {
    enum { PERIOD = 1 << 14 };
    double sum = 0, total = 0;
    for (size_t i = 0; i < PERIOD; ++i) {
        double f = 60 * (i <= PERIOD / 2 ? (double)i : (double)i - PERIOD) / PERIOD;
        double power = pow(f * f + spectral.time_corner * spectral.time_corner, -b);
        sum += power * cos(2 * M_PI * (double)(i * lag % PERIOD) / PERIOD);
        total += power;
    }
    return sum / total;
}

/* Blocks have 480 frames.  Pixels are independent here: each gives an estimate. */
START_TEST(test_time_covariance) {
    enum { T = 9600, BLOCK = 480, PIXELS = 256 };
    static const size_t lags[] = {0, 1, 2, 5, 20, 100, 240, 479, 480, 960};
    const double b = 0.5 * (_i + 1);
    retc_spectral_options options = spectral;
    options.time_exponent = b;
    float *x = spectral_movie(&options, T);
    for (size_t k = 0; k < sizeof lags / sizeof *lags; ++k) {
        double all[PIXELS] = {0}, seam[PIXELS] = {0};
        for (size_t t = 0; t + lags[k] < T; ++t) {
            for (size_t i = 0; i < PIXELS; ++i) {
                double product = (double)x[t * PIXELS + i] * (double)x[(t + lags[k]) * PIXELS + i];
                all[i] += product / (double)(T - lags[k]);
                seam[i] += t % BLOCK == BLOCK - 1 ? product / (double)((T - lags[k]) / BLOCK) : 0;
            }
        }
        check_mean("lag", lags[k], all, PIXELS, time_covariance(b, lags[k]));
        if (lags[k] <= BLOCK && lags[k] > 0)
            check_mean("from the last frame of a block, lag", lags[k], seam, PIXELS, time_covariance(b, lags[k]));
    }
    retc_free(x);
}
END_TEST

/* Powers under a Hann window, averaged over bands of frequencies far above the corner, against (f^2 + f0^2)^-b.  Neighbouring
 * powers are correlated by 4/9, those two apart by 1/36, so that n of them tell as much as n / 1.944 independent ones. */
START_TEST(test_time_slope) {
    enum { T = 8192, PIXELS = 256 };
    const double b = 0.5 * (_i + 1);
    retc_spectral_options options = spectral;
    options.time_exponent = b;
    float *x = spectral_movie(&options, T), *series = retc_calloc(T, sizeof *series);
    fftwf_complex *bins = retc_calloc(T / 2 + 1, sizeof *bins);
    fftwf_plan plan = fftwf_plan_dft_r2c_1d(T, series, bins, FFTW_ESTIMATE);
    static const double bands[2][2] = {{1.5, 3}, {15, 29}}; /* Hz */
    double power[2] = {0}, shape[2] = {0}, frequency[2] = {0}, n[2] = {0};
    for (size_t pixel = 0; pixel < PIXELS; ++pixel) {
        for (size_t t = 0; t < T; ++t)
            series[t] = x[t * PIXELS + pixel] * (float)(1 - cos(2 * M_PI * (double)t / T));
        fftwf_execute(plan);
        for (size_t k = 0; k <= T / 2; ++k) {
            double f = 60.0 * (double)k / T;
            for (size_t band = 0; band < 2; ++band) {
                if (f < bands[band][0] || f >= bands[band][1])
                    continue;
                power[band] += (double)bins[k][0] * (double)bins[k][0] + (double)bins[k][1] * (double)bins[k][1];
                shape[band] += pow(f * f + 0.25, -b);
                frequency[band] += log(f);
                n[band] += 1;
            }
        }
    }
    double error = sqrt(1.944 / n[0] + 1.944 / n[1]);
    ck_assert_double_le(fabs(log(power[0] / power[1]) - log(shape[0] / shape[1])), 5 * error);
    /* And the slope itself: the corner flattens it by less than 1/10 at 1.5 Hz, and bands are averaged over an octave, where
     * the logarithm of the mean of f^-2b differs from the mean of the logarithms by less than 0.08 (2b)^2 / 2. */
    double slope = log(n[0] / n[1] * power[1] / power[0]) / (frequency[1] / n[1] - frequency[0] / n[0]);
    ck_assert_double_eq_tol(slope, -2 * b, 0.1 * b);
    fftwf_destroy_plan(plan);
    retc_free(bins);
    retc_free(series);
    retc_free(x);
}
END_TEST

/* Covariance over (dy,dx) pixels on a torus of `side` pixels, with the power (k^2 + k0^2)^-a and variance 1. */
static double
space_covariance(double a, size_t side, size_t dy, size_t dx) {
    double sum = 0, total = 0;
    for (size_t i = 0; i < side * side; ++i) {
        double ky = (double)(i / side), kx = (double)(i % side);
        ky = 20 * (ky <= (double)side / 2 ? ky : ky - (double)side) / (double)side; /* cycles/mm */
        kx = 20 * (kx <= (double)side / 2 ? kx : kx - (double)side) / (double)side;
        double power = pow(ky * ky + kx * kx + spectral.space_corner * spectral.space_corner, -a);
        sum += power * cos(2 * M_PI * (ky * (double)dy + kx * (double)dx) / 20);
        total += power;
    }
    return sum / total;
}

/* Frames are independent here: each gives an estimate.  The torus has 48 + 40 pixels, which become 90; a torus of 1000 stands
 * for a plane without end. */
START_TEST(test_space_covariance) {
    enum { T = 1500, SIDE = 48, PIXELS = SIDE * SIDE };
    static const size_t shifts[][2] = {{0, 0}, {0, 1}, {1, 0}, {3, 4}, {0, 20}, {20, 20}, {47, 0}, {47, 47}};
    const double a = 0.5 * (_i + 1);
    retc_spectral_options options = spectral;
    options.height = options.width = SIDE;
    options.space_exponent = a;
    float *x = spectral_movie(&options, T);
    for (size_t k = 0; k < sizeof shifts / sizeof *shifts; ++k) {
        size_t dy = shifts[k][0], dx = shifts[k][1];
        static double estimate[T];
        for (size_t t = 0; t < T; ++t) {
            const float *frame = x + t * PIXELS;
            estimate[t] = 0;
            for (size_t y = 0; y + dy < SIDE; ++y)
                for (size_t column = 0; column + dx < SIDE; ++column)
                    estimate[t] += (double)frame[y * SIDE + column] * (double)frame[(y + dy) * SIDE + column + dx] /
                                   (double)((SIDE - dy) * (SIDE - dx));
        }
        check_mean("shift", k, estimate, T, space_covariance(a, 90, dy, dx));
    }
    for (size_t d = 0; d <= 24; d += 8)
        ck_assert_double_eq_tol(space_covariance(a, 90, d, 0), space_covariance(a, 1000, d, 0), 0.01);
    retc_free(x);
}
END_TEST

/* Both at once: the covariance is the product of those in space and in time. */
START_TEST(test_space_and_time) {
    enum { MOVIES = 60, T = 960, PIXELS = 256 };
    double variance[MOVIES] = {0}, shifted[MOVIES] = {0}, mean[MOVIES] = {0};
    retc_spectral_options options = spectral;
    options.space_exponent = options.time_exponent = 1;
    for (size_t m = 0; m < MOVIES; ++m) {
        options.seed = m;
        float *x = spectral_movie(&options, T);
        for (size_t t = 0; t + 3 < T; ++t) {
            for (size_t i = 0; i < PIXELS - 16; ++i) {
                double value = (double)x[t * PIXELS + i];
                mean[m] += value / ((T - 3) * (PIXELS - 16));
                variance[m] += value * value / ((T - 3) * (PIXELS - 16));
                shifted[m] += value * (double)x[(t + 3) * PIXELS + i + 16] / ((T - 3) * (PIXELS - 16));
            }
        }
        retc_free(x);
    }
    check_mean("mean", 0, mean, MOVIES, 0);
    check_mean("variance", 0, variance, MOVIES, 1);
    /* The torus has 16 + 40 pixels. */
    check_mean("3 frames and a row", 0, shifted, MOVIES, time_covariance(1, 3) * space_covariance(1, 56, 1, 0));
}
END_TEST

START_TEST(test_spectral_pieces) {
    enum { T = 1300, H = 3, W = 7, PIXELS = H * W };
    static const size_t pieces[][2] = {{0, 1}, {1200, 100}, {479, 2}, {0, 1300}, {900, 70}, {480, 480}};
    retc_spectral_options options = spectral;
    options.height = H;
    options.width = W;
    options.space_exponent = options.time_exponent = 1;
    options.contrast = 1; /* with clipped levels */
    options.threads = 2;
    static float whole[T * PIXELS], piece[T * PIXELS];
    retc_spectral_noise *noise = retc_spectral_noise_alloc(&options);
    options.threads = 1;
    retc_spectral_noise *other = retc_spectral_noise_alloc(&options);
    ck_assert_msg(noise && other, "%s", retc_error_message());
    ck_ok(retc_spectral_noise_frames(noise, 0, T, whole));
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; ++k) {
        ck_ok(retc_spectral_noise_frames(other, pieces[k][0], pieces[k][1], piece));
        ck_assert_mem_eq(piece, whole + pieces[k][0] * PIXELS, pieces[k][1] * PIXELS * sizeof *piece);
    }
    size_t black = 0, white = 0;
    for (size_t i = 0; i < T * PIXELS; ++i) {
        ck_assert(whole[i] >= 0 && whole[i] <= 255);
        black += whole[i] == 0;
        white += whole[i] == 255;
    }
    ck_assert(black > 0 && white > 0);
    retc_spectral_noise_free(noise);
    retc_spectral_noise_free(other);
}
END_TEST

static void
refused(const retc_spectral_options *options, const char *says) {
    ck_assert_ptr_null(retc_spectral_noise_alloc(options));
    ck_assert_msg(strstr(retc_error_message(), says), "\"%s\" does not say \"%s\"", retc_error_message(), says);
}

START_TEST(test_wrong_spectra) {
    retc_spectral_options good = spectral, bad;
    good.space_exponent = good.time_exponent = 1;
    bad = good, bad.width = 0;
    refused(&bad, "frames of 16 x 0 pixels are empty");
    bad = good, bad.contrast = -0.1;
    refused(&bad, "a contrast of -0.1 is not between 0 and 1");
    bad = good, bad.time_exponent = (double)NAN;
    refused(&bad, "exponents of 1 in space and nan in time");
    bad = good, bad.frame_rate = 0;
    refused(&bad, "pixels of 50 um at 0 Hz");
    bad = good, bad.space_corner = 10.1;
    refused(&bad, "a corner of 10.1 cycles/mm lies not between 0 and half a cycle per pixel, 10 cycles/mm");
    bad = good, bad.time_corner = 31;
    refused(&bad, "a corner of 31 Hz lies not between 0 and half the frame rate, 30 Hz");
    bad = good, bad.space_corner = 1e-4;
    refused(&bad, "a corner of 0.0001 cycles/mm needs a margin of 200000 pixels");
    bad = good, bad.time_corner = 1e-4;
    refused(&bad, "a corner of 0.0001 Hz needs 7200000 frames in memory, 6.9 GiB");
}
END_TEST

static Suite *
noise_suite(void) {
    Suite *suite = suite_create("noise");
    TCase *white = tcase_create("white noise"), *spectrum = tcase_create("spectral noise");
    tcase_set_timeout(spectrum, 120);
    tcase_add_loop_test(spectrum, test_time_covariance, 0, 3);
    tcase_add_loop_test(spectrum, test_time_slope, 0, 3);
    tcase_add_loop_test(spectrum, test_space_covariance, 0, 3);
    tcase_add_test(spectrum, test_space_and_time);
    tcase_add_test(spectrum, test_spectral_pieces);
    tcase_add_test(spectrum, test_wrong_spectra);
    tcase_add_loop_test(white, test_pinned, 0, sizeof pinned / sizeof *pinned);
    tcase_add_test(white, test_pinned_gaussian);
    tcase_add_loop_test(white, test_ternary, 0, 2);
    tcase_add_loop_test(white, test_bars, RETC_HORIZONTAL_BARS, RETC_FULL_FIELD + 1);
    tcase_add_test(white, test_jitter);
    tcase_add_test(white, test_wrong_options);
    suite_add_tcase(suite, white);
    suite_add_tcase(suite, spectrum);
    return suite;
}

int
main(void) {
    return retc_test_main(noise_suite(), NULL);
}
