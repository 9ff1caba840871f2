/* Stimulus generators and stimulus files. */
#include <fftw3.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "natural_movie.h"
#include "stimulus_file.h"
#include "testing.h"
#include "texture.h"
#include "white_noise.h"

/* Statistical bounds below are 5 standard errors: with fixed seeds a test passes or fails for ever, and would fail by chance
 * for one seed in two million. */

/* ---- white noise ----------------------------------------------------------------------------------------------------- */

static float *
noise_frames(const retc_white_noise *noise, size_t t0, size_t n) {
    retc_white_noise options = *noise;
    float *out = retc_calloc(n * noise->height * noise->width, sizeof *out);
    ck_ok(retc_white_noise_frames(&options, t0, n, out));
    return out;
}

START_TEST(test_binary_noise) {
    enum { T = 500, SIDE = 12, VALUES = T * SIDE * SIDE };
    retc_white_noise noise = {.height = SIDE, .width = SIDE, .stixel = 1, .hold = 1, .contrast = 0.35, .seed = 7};
    float *x = noise_frames(&noise, 0, T);
    double sum = 0, next_pixel = 0, next_row = 0, next_frame = 0;
    for (size_t i = 0; i < VALUES; ++i) {
        ck_assert(x[i] == 83 || x[i] == 172); /* 127.5 -+ 44.625, rounded so that their mean is 127.5 */
        double sign = x[i] > 100 ? 1 : -1;
        sum += sign;
        next_pixel += i + 1 < VALUES ? sign * (x[i + 1] > 100 ? 1 : -1) : 0;
        next_row += i + SIDE < VALUES ? sign * (x[i + SIDE] > 100 ? 1 : -1) : 0;
        next_frame += i + SIDE * SIDE < VALUES ? sign * (x[i + SIDE * SIDE] > 100 ? 1 : -1) : 0;
    }
    double bound = 5 * sqrt(VALUES); /* each is a sum of at most VALUES signs */
    ck_assert_double_le(fabs(sum), bound);
    ck_assert_double_le(fabs(next_pixel), bound);
    ck_assert_double_le(fabs(next_row), bound);
    ck_assert_double_le(fabs(next_frame), bound);
    retc_free(x);
}
END_TEST

START_TEST(test_full_contrast) {
    retc_white_noise noise = {.height = 8, .width = 8, .stixel = 1, .hold = 1, .contrast = 1, .seed = 7};
    float *x = noise_frames(&noise, 0, 10);
    for (size_t i = 0; i < 640; ++i)
        ck_assert(x[i] == 0 || x[i] == 255);
    retc_free(x);
    noise.contrast = 0;
    x = noise_frames(&noise, 0, 10);
    for (size_t i = 0; i < 640; ++i)
        ck_assert(x[i] == 128);
    retc_free(x);
}
END_TEST

/* Clipped at +-a standard deviations, a = 1 / c, a normal variable has the variance
 * 1 - 2 Q - 2 a phi(a) + 2 a^2 Q with Q = P(x > a), and its mean stays 0. */
START_TEST(test_gaussian_noise) {
    enum { VALUES = 2000 * 64 };
    const double contrast = _i ? 0.8 : 0.35, a = 1 / contrast, Q = gsl_cdf_ugaussian_Q(a);
    const double variance = 1 - 2 * Q - 2 * a * gsl_ran_ugaussian_pdf(a) + 2 * a * a * Q;
    retc_white_noise noise = {
        .height = 8, .width = 8, .stixel = 1, .hold = 1, .contrast = contrast, .distribution = RETC_NOISE_GAUSSIAN, .seed = 3};
    float *x = noise_frames(&noise, 0, 2000);
    double mean = 0, squares = 0;
    for (size_t i = 0; i < VALUES; ++i) {
        ck_assert(x[i] >= 0 && x[i] <= 255);
        double z = ((double)x[i] / 127.5 - 1) / contrast;
        mean += z / VALUES;
        squares += z * z / VALUES;
    }
    ck_assert_double_le(fabs(mean), 5 / sqrt(VALUES));
    ck_assert_double_le(fabs(squares - variance), 5 * sqrt(2.0 / VALUES)); /* var(z^2) <= 2, less for the clipped one */
    retc_free(x);
}
END_TEST

/* A frame does not depend on the piece it is asked in, on the threads, or on what was asked before. */
START_TEST(test_noise_in_pieces) {
    enum { T = 400, PIXELS = 35 };
    retc_white_noise noise = {.height = 5,
                              .width = 7,
                              .stixel = 2,
                              .hold = _i ? 3 : 1,
                              .contrast = 0.5,
                              .distribution = RETC_NOISE_GAUSSIAN,
                              .seed = 5};
    noise.threads = 2;
    float *whole = noise_frames(&noise, 0, T);
    noise.threads = 1;
    static const size_t pieces[][2] = {{0, 1}, {0, T}, {63, 1}, {64, 1}, {63, 2}, {191, 70}, {T - 1, 1}, {130, 270}};
    for (size_t k = 0; k < sizeof pieces / sizeof *pieces; ++k) {
        float *piece = noise_frames(&noise, pieces[k][0], pieces[k][1]);
        ck_assert_mem_eq(piece, whole + pieces[k][0] * PIXELS, pieces[k][1] * PIXELS * sizeof *piece);
        retc_free(piece);
    }
    noise.seed = 6;
    float *other = noise_frames(&noise, 0, 1);
    ck_assert_mem_ne(other, whole, PIXELS * sizeof *other);
    retc_free(other);
    retc_free(whole);
    ck_ok(retc_white_noise_frames(&noise, 5, 0, NULL));
}
END_TEST

START_TEST(test_stixels_and_hold) {
    enum { T = 60, HEIGHT = 7, WIDTH = 10, PIXELS = HEIGHT * WIDTH };
    retc_white_noise noise = {.height = HEIGHT,
                              .width = WIDTH,
                              .stixel = 3,
                              .hold = 4,
                              .contrast = 0.1,
                              .distribution = RETC_NOISE_GAUSSIAN,
                              .seed = 5};
    float *x = noise_frames(&noise, 0, T);
    for (size_t t = 0; t < T; ++t) {
        for (size_t i = 0; i < PIXELS; ++i) {
            size_t y = i / WIDTH, column = i % WIDTH;
            const float *frame = x + t * PIXELS, *pattern = x + t / 4 * 4 * PIXELS;
            ck_assert(frame[i] == pattern[y / 3 * 3 * WIDTH + column / 3 * 3]);
        }
        /* Levels are continuous, so that two equal ones are one: neighbouring stixels and patterns differ. */
        ck_assert(x[t * PIXELS] != x[t * PIXELS + 3]);
        ck_assert(x[t * PIXELS] != x[t * PIXELS + 3 * WIDTH]);
        ck_assert(t < 4 || x[t * PIXELS] != x[(t - 4) * PIXELS]);
    }
    retc_free(x);
}
END_TEST

START_TEST(test_wrong_noise) {
    retc_white_noise noise = {.height = 2, .width = 2, .stixel = 1, .hold = 1, .contrast = 0.5};
    float x[4];
    retc_white_noise bad = noise;
    bad.stixel = 0;
    ck_fails(retc_white_noise_frames(&bad, 0, 1, x), "a stixel of 0 pixels");
    bad = noise;
    bad.hold = 0;
    ck_fails(retc_white_noise_frames(&bad, 0, 1, x), "shown for 0 frames");
    bad = noise;
    bad.contrast = 1.5;
    ck_fails(retc_white_noise_frames(&bad, 0, 1, x), "a contrast of 1.5");
    bad.contrast = NAN;
    ck_fails(retc_white_noise_frames(&bad, 0, 1, x), "a contrast of nan");
}
END_TEST

/* ---- texture --------------------------------------------------------------------------------------------------------- */

enum { SIDE = 64 };

static retc_texture *
make_texture(double exponent) {
    retc_texture *texture = retc_texture_alloc(SIDE, exponent, 11);
    ck_assert_msg(texture != NULL, "%s", retc_error_message());
    return texture;
}

START_TEST(test_texture_moments) {
    retc_texture *texture = make_texture(1);
    float x[SIDE * SIDE];
    double mean = 0, squares = 0;
    /* Away from the pixels that the texture was normalised on: below 0.5 cycles per pixel the sum over a period of a square
     * is the same wherever it is sampled, but for the images, at most 1.2 % in amplitude of the highest frequencies. */
    retc_texture_sample(texture, 0.3, 0.7, SIDE, SIDE, x);
    for (size_t i = 0; i < SIDE * SIDE; ++i) {
        mean += (double)x[i] / (SIDE * SIDE);
        squares += (double)x[i] * (double)x[i] / (SIDE * SIDE);
    }
    ck_assert_double_le(fabs(mean), 1e-3);
    ck_assert_double_eq_tol(squares, 1, 2 * 0.0124);
    retc_texture_free(texture);
}
END_TEST

START_TEST(test_texture_moves_and_repeats) {
    retc_texture *texture = make_texture(1);
    float x[12 * 9], moved[9 * 6];
    retc_texture_sample(texture, 60.25, -3.5, 12, 9, x);
    retc_texture_sample(texture, 63.25, -1.5, 9, 6, moved);
    for (size_t i = 0; i < 9 * 6; ++i)
        ck_assert(moved[i] == x[(i / 6 + 3) * 9 + i % 6 + 2]);
    retc_texture_sample(texture, 63.25 - 5 * SIDE, -1.5 + 1000 * SIDE, 9, 6, moved);
    for (size_t i = 0; i < 9 * 6; ++i)
        ck_assert(moved[i] == x[(i / 6 + 3) * 9 + i % 6 + 2]);
    retc_texture_free(texture);
}
END_TEST

static fftwf_complex *
spectrum_of(float *x) {
    fftwf_complex *spectrum = retc_calloc(SIDE * (SIDE / 2 + 1), sizeof *spectrum);
    fftwf_plan plan = fftwf_plan_dft_r2c_2d(SIDE, SIDE, x, spectrum, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    ck_assert_ptr_nonnull(plan);
    fftwf_execute(plan);
    fftwf_destroy_plan(plan);
    return spectrum;
}

static double
row_frequency(size_t i) {
    return i < SIDE / 2 ? (double)i : (double)i - SIDE;
}

/* Amplitudes of the images of a frequency of f cycles per half pixel, relative to it: sinc^4(f + n) / sinc^4(f), n != 0. */
static double
images(double f) {
    double sum = 0;
    for (int n = 1; n <= 50; ++n)
        sum += pow(f / (n - f), 4) + pow(f / (n + f), 4);
    return sum;
}

/* The whole texture, sampled on the pixels, moved by (dy,dx) in the Fourier domain, which is exact below 0.5 cycles per
 * pixel, must be what is sampled there.  Both hold the images of every frequency, in phases that may be opposite. */
START_TEST(test_texture_between_pixels) {
    static const double place[3][2] = {{0.5, 0}, {0.25, 0.4}, {0.1, 0.9}};
    retc_texture *texture = make_texture(1);
    static float on[SIDE * SIDE], between[SIDE * SIDE];
    retc_texture_sample(texture, 0, 0, SIDE, SIDE, on);
    retc_texture_sample(texture, place[_i][0], place[_i][1], SIDE, SIDE, between);
    fftwf_complex *a = spectrum_of(on), *b = spectrum_of(between);
    for (size_t i = 0; i < SIDE; ++i) {
        for (size_t j = 0; j < SIDE / 2; ++j) {
            const float *from = a[i * (SIDE / 2 + 1) + j], *to = b[i * (SIDE / 2 + 1) + j];
            double ky = row_frequency(i), kx = (double)j, re = (double)from[0], im = (double)from[1];
            double angle = 2 * M_PI * (ky * place[_i][0] + kx * place[_i][1]) / SIDE;
            double off =
                hypot(re * cos(angle) - im * sin(angle) - (double)to[0], re * sin(angle) + im * cos(angle) - (double)to[1]);
            double fraction = (1 + images(fabs(ky) / (2 * SIDE))) * (1 + images(kx / (2 * SIDE))) - 1;
            /* The last term: sums over 64 x 64 values with random errors of 3e-7 each, 5 standard errors. */
            double allowed = 2 * fraction * hypot(re, im) / (1 - fraction) + 5 * 64 * 3e-7;
            ck_assert_msg(off <= allowed, "ky %g kx %g: off by %g of %g, allowed %g", ky, kx, off, hypot(re, im), allowed);
        }
    }
    retc_free(a);
    retc_free(b);
    retc_texture_free(texture);
}
END_TEST

/* Mean power times k^(2a) must be the same in rings of low and high frequency, and nothing lies beyond 0.5 cycles per pixel
 * (where only images and rounding are left). */
START_TEST(test_texture_spectrum) {
    static const double exponents[3] = {0.5, 1, 1.5};
    const double exponent = exponents[_i];
    retc_texture *texture = make_texture(exponent);
    static float x[SIDE * SIDE];
    retc_texture_sample(texture, 0, 0, SIDE, SIDE, x);
    fftwf_complex *spectrum = spectrum_of(x);
    double low = 0, high = 0, total = 0, beyond = 0;
    size_t n_low = 0, n_high = 0;
    for (size_t i = 0; i < SIDE; ++i) {
        for (size_t j = 1; j < SIDE / 2; ++j) {
            const float *value = spectrum[i * (SIDE / 2 + 1) + j];
            double k = hypot(row_frequency(i), (double)j);
            double power = (double)value[0] * (double)value[0] + (double)value[1] * (double)value[1];
            total += power;
            if (k >= 4 && k < 12) {
                low += power * pow(k, 2 * exponent);
                ++n_low;
            } else if (k >= 16 && k < 30) {
                high += power * pow(k, 2 * exponent);
                ++n_high;
            } else if (k > 32) {
                beyond += power;
            }
        }
    }
    /* The power of each frequency is exponentially distributed: a mean over n has the relative error 1 / sqrt(n). */
    double error = sqrt(1 / (double)n_low + 1 / (double)n_high);
    ck_assert_double_le(fabs(log(low / (double)n_low) - log(high / (double)n_high)), 5 * error);
    ck_assert_double_le(beyond, 0.0124 * 0.0124 * total);
    retc_free(spectrum);
    retc_texture_free(texture);
}
END_TEST

START_TEST(test_wrong_texture) {
    ck_assert_ptr_null(retc_texture_alloc(100, 1, 1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "side of a texture is 100"));
    ck_assert_ptr_null(retc_texture_alloc(4, 1, 1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "a power of two, 8 ... 8192"));
    ck_assert_ptr_null(retc_texture_alloc(64, -1, 1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "exponent of a texture is -1"));
}
END_TEST

/* ---- natural movies -------------------------------------------------------------------------------------------------- */

static const retc_natural_options natural = {.frames = 300,
                                             .height = 6,
                                             .width = 9,
                                             .frame_interval = 0.01,
                                             .contrast = 0.35,
                                             .exponent = 1,
                                             .drift = 3,
                                             .saccade_interval = 0.5,
                                             .saccade_minimum = 0.2,
                                             .seed = 4,
                                             .threads = 2};

static retc_natural_movie *
make_movie(const retc_natural_options *options) {
    retc_natural_movie *movie = retc_natural_movie_alloc(options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    return movie;
}

/* Each frame is the scene at the eye's place, as grey levels. */
START_TEST(test_movie_shows_scene) {
    enum { PIXELS = 6 * 9 };
    retc_natural_movie *movie = make_movie(&natural);
    retc_texture *scene = retc_texture_alloc(512, 1, natural.seed);
    const double *path = retc_natural_movie_path(movie);
    static float x[300 * PIXELS], expected[PIXELS];
    ck_ok(retc_natural_movie_frames(movie, 0, 300, x));
    for (size_t t = 0; t < 300; t += 13) {
        retc_texture_sample(scene, path[2 * t], path[2 * t + 1], 6, 9, expected);
        for (size_t i = 0; i < PIXELS; ++i)
            expected[i] = (float)fmin(fmax(127.5 + 127.5 * 0.35 * (double)expected[i], 0), 255);
        ck_close_float("frame", x + t * PIXELS, expected, PIXELS, 0, 2e-7); /* two roundings */
    }
    retc_texture_free(scene);
    retc_natural_movie_free(movie);
}
END_TEST

START_TEST(test_movie_in_pieces) {
    enum { PIXELS = 6 * 9 };
    retc_natural_options shorter = natural;
    static float whole[300 * PIXELS], piece[300 * PIXELS];
    retc_natural_movie *movie = make_movie(&natural);
    ck_ok(retc_natural_movie_frames(movie, 0, 300, whole));
    shorter.frames = 200;
    shorter.threads = 1;
    retc_natural_movie *other = make_movie(&shorter);
    ck_ok(retc_natural_movie_frames(other, 50, 150, piece));
    ck_assert_mem_eq(piece, whole + 50 * PIXELS, 150 * PIXELS * sizeof *piece);
    ck_fails(retc_natural_movie_frames(other, 199, 2, piece), "2 frames from frame 199 on");
    retc_natural_movie_free(other);
    retc_natural_movie_free(movie);
}
END_TEST

START_TEST(test_still_movie) {
    enum { PIXELS = 6 * 9 };
    retc_natural_options still = natural;
    static float x[300 * PIXELS];
    still.drift = still.saccade_interval = 0;
    retc_natural_movie *movie = make_movie(&still);
    ck_ok(retc_natural_movie_frames(movie, 0, 300, x));
    ck_assert_mem_eq(x, x + 299 * PIXELS, PIXELS * sizeof *x);
    ck_assert(x[0] != x[1]);
    retc_natural_movie_free(movie);
}
END_TEST

/* Without saccades the steps are normal with variance drift^2 * interval. */
START_TEST(test_drift) {
    enum { T = 20000 };
    retc_natural_options drifting = natural;
    drifting.frames = T;
    drifting.saccade_interval = 0;
    retc_natural_movie *movie = make_movie(&drifting);
    const double *path = retc_natural_movie_path(movie);
    double squares = 0, sum = 0;
    for (size_t t = 2; t < 2 * T; ++t) {
        double step = path[t] - path[t - 2];
        sum += step;
        squares += step * step;
    }
    double n = 2 * (T - 1), variance = 9 * 0.01;
    ck_assert_double_le(fabs(sum), 5 * sqrt(n * variance));
    ck_assert_double_le(fabs(squares / n - variance), 5 * variance * sqrt(2 / n));
    retc_natural_movie_free(movie);
}
END_TEST

/* Without drift every change of place is a saccade.  n intervals of minimum m and mean M have the standard deviation M - m. */
START_TEST(test_saccades) {
    enum { T = 100000 };
    retc_natural_options jumping = natural;
    jumping.frames = T;
    jumping.drift = 0;
    retc_natural_movie *movie = make_movie(&jumping);
    const double *path = retc_natural_movie_path(movie);
    size_t last = 0, n = 0;
    for (size_t t = 1; t < T; ++t) {
        if (path[2 * t] == path[2 * t - 2])
            continue;
        /* A saccade is seen in the first frame that begins after it: the count of frames may be short of the time by one. */
        ck_assert(n == 0 || t - last >= 19);
        ck_assert(path[2 * t] >= 0 && path[2 * t] < 512 && path[2 * t + 1] >= 0 && path[2 * t + 1] < 512);
        last = t;
        ++n;
    }
    ck_assert_double_le(fabs((double)last * 0.01 / (double)n - 0.5), 5 * 0.3 / sqrt((double)n) + 0.01);
    retc_natural_movie_free(movie);
}
END_TEST

/* Over many places the levels have mean 127.5 and standard deviation 0.35 of it (a little less by clipping).  Saccades make the
 * scene's samples: 2000 independent places, each of variance 1 at most around its mean. */
START_TEST(test_movie_levels) {
    enum { T = 2000, PIXELS = 6 * 9 };
    retc_natural_options jumping = natural;
    jumping.frames = T;
    jumping.drift = 0;
    jumping.saccade_interval = jumping.saccade_minimum = 0.01;
    retc_natural_movie *movie = make_movie(&jumping);
    float *x = retc_calloc(T * PIXELS, sizeof *x);
    ck_ok(retc_natural_movie_frames(movie, 0, T, x));
    double mean = 0, squares = 0;
    for (size_t i = 0; i < T * PIXELS; ++i) {
        ck_assert(x[i] >= 0 && x[i] <= 255);
        double z = ((double)x[i] / 127.5 - 1) / 0.35;
        mean += z / (T * PIXELS);
        squares += z * z / (T * PIXELS);
    }
    ck_assert_double_le(fabs(mean), 5 / sqrt(T));
    ck_assert_double_le(fabs(squares - 1), 5 * sqrt(2.0 / T) + 0.01);
    retc_free(x);
    retc_natural_movie_free(movie);
}
END_TEST

START_TEST(test_wrong_movie) {
    static const char *const says[8] = {"is empty",
                                        "is too large: at most 2048 x 2048",
                                        "a frame interval of 0 s",
                                        "a contrast of 2",
                                        "a drift of -1",
                                        "cannot be 0.5 s apart",
                                        "cannot be 0.01 s apart",
                                        "apart at least, have no"};
    retc_natural_options bad = natural;
    switch (_i) {
    case 0:
        bad.frames = 0;
        break;
    case 1:
        bad.width = 2049;
        break;
    case 2:
        bad.frame_interval = 0;
        break;
    case 3:
        bad.contrast = 2;
        break;
    case 4:
        bad.drift = -1;
        break;
    case 5:
        bad.saccade_minimum = 0.5, bad.saccade_interval = 0.4;
        break;
    case 6:
        bad.saccade_minimum = 0, bad.saccade_interval = 1e-9;
        break;
    default:
        bad.saccade_interval = -1;
    }
    ck_assert_ptr_null(retc_natural_movie_alloc(&bad));
    ck_assert_msg(strstr(retc_error_message(), says[_i]) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(), says[_i]);
}
END_TEST

/* ---- files ----------------------------------------------------------------------------------------------------------- */

/* Frame t, pixel i has the level t + i / 4, which bytes round. */
static int
ramp(void *context, size_t t0, size_t n, float *out) {
    size_t pixels = *(const size_t *)context;
    for (size_t i = 0; i < n * pixels; ++i)
        out[i] = (float)((t0 + i / pixels) % 200) + 0.25f * (float)(i % pixels);
    return RETC_OK;
}

static const char *
write_ramp(retc_h5_type type, size_t frames, const int64_t *blocks, size_t n_blocks) {
    const char *path = retc_test_path("ramp.h5");
    size_t pixels = 2 * 4;
    retc_stimulus_layout layout = {frames, 2, 4, 0.02, type};
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_stimulus_write(file, "ramp", &layout, ramp, &pixels, NULL));
    if (blocks)
        ck_ok(retc_h5_put(file, "block_start", RETC_H5_INT64, 1, &n_blocks, blocks));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    return path;
}

START_TEST(test_file) {
    enum { T = 5000 }; /* more than a slab */
    const int64_t starts[2] = {0, 4097};
    retc_h5_type type = _i ? RETC_H5_UINT8 : RETC_H5_FLOAT;
    retc_stimulus *stimulus = retc_stimulus_open(write_ramp(type, T, starts, 2));
    ck_assert_msg(stimulus != NULL, "%s", retc_error_message());
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(stimulus);
    ck_assert_uint_eq(layout->frames, T);
    ck_assert_uint_eq(layout->height, 2);
    ck_assert_uint_eq(layout->width, 4);
    ck_assert_double_eq(layout->frame_interval, 0.02);
    ck_assert_int_eq(layout->type, type);
    ck_assert_double_eq_tol(retc_stimulus_time(stimulus)[4999], 4999 * 0.02, 1e-9);
    size_t blocks;
    ck_assert_uint_eq(retc_stimulus_blocks(stimulus, &blocks)[1], 4097);
    ck_assert_uint_eq(blocks, 2);
    float x[3 * 8];
    ck_ok(retc_stimulus_read(stimulus, 4095, 3, x));
    for (size_t i = 0; i < 24; ++i) {
        float level = (float)((4095 + i / 8) % 200) + 0.25f * (float)(i % 8);
        ck_assert_double_eq((double)x[i], (double)(_i ? roundf(level) : level));
    }
    ck_fails(retc_stimulus_read(stimulus, 4999, 2, x), "2 frames from frame 4999 on are asked for, there are 5000");
    retc_stimulus_close(stimulus);
}
END_TEST

START_TEST(test_wrong_layouts) {
    const retc_stimulus_layout bad[3] = {
        {0, 2, 4, 0.02, RETC_H5_UINT8}, {5, 2, 4, 0, RETC_H5_UINT8}, {5, 2, 4, 0.02, RETC_H5_INT64}};
    static const char *const says[3] = {"is empty", "a frame interval of 0 s", "stored as bytes"};
    size_t pixels = 8;
    retc_h5 *file = retc_h5_create(retc_test_path("bad.h5"), 1);
    ck_fails(retc_stimulus_write(file, "ramp", &bad[_i], ramp, &pixels, NULL), says[_i]);
    retc_h5_close(file);
}
END_TEST

static int
refuse(void *context, size_t t0, size_t n, float *out) {
    (void)context, (void)n, (void)out;
    return t0 == 0 ? RETC_FAIL(RETC_ENUMBER, "no frames today") : RETC_OK;
}

START_TEST(test_source_fails) {
    retc_stimulus_layout layout = {5, 2, 4, 0.02, RETC_H5_UINT8};
    retc_h5 *file = retc_h5_create(retc_test_path("bad.h5"), 1);
    ck_fails(retc_stimulus_write(file, "none", &layout, refuse, NULL, NULL), "no frames today");
    retc_h5_close(file);
}
END_TEST

typedef struct {
    const char *says;
    size_t times;          /* length of the time dataset, 0: left out */
    double step, interval; /* of the clock; attribute, 0: left out */
    size_t frames;
    int rank, first_block; /* 0: 3; 0: no blocks, else the first of them */
    int read_nan;
} bad_file;

static const bad_file bad_files[] = {
    {"\"time\" is missing", 0, 0.01, 0.01, 4, 3, 0, 0},
    {"\"time\" is (3), expected (4)", 3, 0.01, 0.01, 4, 3, 0, 0},
    {"\"time\" does not increase at frame 1", 4, 0, 0.01, 4, 3, 0, 0},
    {"\"frame_interval\" is -1 s", 4, 0.01, -1, 4, 3, 0, 0},
    {"\"frame_interval\" is missing", 1, 0.01, 0, 1, 3, 0, 0},
    {"\"stimulus\" is (4,6), expected (any,any,any)", 4, 0.01, 0.01, 4, 2, 0, 0},
    {"\"stimulus\" is empty", 0, 0.01, 0.01, 0, 3, 0, 0},
    {"\"block_start\" is out of order at entry 0", 4, 0.01, 0.01, 4, 3, 2, 0},
    {"\"stimulus\" is not finite in frame 2", 4, 0.01, 0, 4, 3, 0, 1},
};

START_TEST(test_bad_files) {
    const bad_file *bad = &bad_files[_i];
    const char *path = retc_test_path("bad.h5");
    const size_t shape[3] = {bad->frames, bad->rank == 3 ? 2 : 6, 3};
    double movie[64] = {0}, time[8];
    const int64_t blocks[2] = {bad->first_block, 3};
    size_t two = 2;
    for (size_t t = 0; t < 8; ++t)
        time[t] = bad->step * (double)t;
    movie[2 * 6 + 1] = bad->read_nan ? NAN : 1;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_h5_put(file, "stimulus", RETC_H5_FLOAT, bad->rank, shape, (float[64]){0}));
    ck_ok(retc_h5_write(file, "stimulus", RETC_H5_DOUBLE, NULL, NULL, movie));
    if (bad->times)
        ck_ok(retc_h5_put(file, "time", RETC_H5_DOUBLE, 1, &bad->times, time));
    if (bad->interval < 0 || bad->interval > 0)
        ck_ok(retc_h5_set_number(file, "/", "frame_interval", bad->interval));
    if (bad->first_block)
        ck_ok(retc_h5_put(file, "block_start", RETC_H5_INT64, 1, &two, blocks));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_stimulus *stimulus = retc_stimulus_open(path);
    float x[24];
    if (bad->read_nan) {
        ck_assert_msg(stimulus != NULL, "%s", retc_error_message());
        ck_assert_double_eq_tol(retc_stimulus_layout_of(stimulus)->frame_interval, 0.01, 1e-12); /* from the clock */
        ck_fails(retc_stimulus_read(stimulus, 1, 3, x), bad->says);
    } else {
        ck_assert_ptr_null(stimulus);
    }
    ck_assert_msg(strstr(retc_error_message(), bad->says) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(),
                  bad->says);
    ck_assert_ptr_nonnull(strstr(retc_error_message(), path));
    retc_stimulus_close(stimulus);
}
END_TEST

START_TEST(test_sizes) {
    retc_screen screen = {.frames = 17, .duration = 5, .frame_rate = 60};
    ck_assert_uint_eq(retc_screen_frames(&screen, 2), 17);
    screen.frames = 0;
    ck_assert_uint_eq(retc_screen_frames(&screen, 2), 300);
    screen.duration = 0.001;
    ck_assert_uint_eq(retc_screen_frames(&screen, 2), 1);
    screen.duration = 0;
    ck_assert_uint_eq(retc_screen_frames(&screen, 2), 120);
    ck_assert_uint_eq(retc_stimulus_slab(16, 16), 4096);
    ck_assert_uint_eq(retc_stimulus_slab(512, 512), 8);
    ck_assert_uint_eq(retc_stimulus_slab(8000, 8000), 1);
}
END_TEST

static Suite *
stimuli_suite(void) {
    Suite *suite = suite_create("stimuli");
    TCase *noise = tcase_create("white noise"), *scene = tcase_create("texture"), *movie = tcase_create("natural movie"),
          *file = tcase_create("file");
    tcase_add_test(noise, test_binary_noise);
    tcase_add_test(noise, test_full_contrast);
    tcase_add_loop_test(noise, test_gaussian_noise, 0, 2);
    tcase_add_loop_test(noise, test_noise_in_pieces, 0, 2);
    tcase_add_test(noise, test_stixels_and_hold);
    tcase_add_test(noise, test_wrong_noise);
    tcase_add_test(scene, test_texture_moments);
    tcase_add_test(scene, test_texture_moves_and_repeats);
    tcase_add_loop_test(scene, test_texture_between_pixels, 0, 3);
    tcase_add_loop_test(scene, test_texture_spectrum, 0, 3);
    tcase_add_test(scene, test_wrong_texture);
    tcase_set_timeout(movie, 60);
    tcase_add_test(movie, test_movie_shows_scene);
    tcase_add_test(movie, test_movie_in_pieces);
    tcase_add_test(movie, test_still_movie);
    tcase_add_test(movie, test_drift);
    tcase_add_test(movie, test_saccades);
    tcase_add_test(movie, test_movie_levels);
    tcase_add_loop_test(movie, test_wrong_movie, 0, 8);
    tcase_add_loop_test(file, test_file, 0, 2);
    tcase_add_loop_test(file, test_wrong_layouts, 0, 3);
    tcase_add_test(file, test_source_fails);
    tcase_add_loop_test(file, test_bad_files, 0, sizeof bad_files / sizeof *bad_files);
    tcase_add_test(file, test_sizes);
    suite_add_tcase(suite, noise);
    suite_add_tcase(suite, scene);
    suite_add_tcase(suite, movie);
    suite_add_tcase(suite, file);
    return suite;
}

int
main(void) {
    return retc_test_main(stimuli_suite(), NULL);
}
