/* Scenes, the paths of eyes over them, and the movies that both make. */
#include <fftw3.h>
#include <gsl/gsl_sf_bessel.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "natural_movie.h"
#include "scene.h"
#include "stimulus_file.h"
#include "testing.h"
#include "texture.h"

/* Statistical bounds below are 5 standard errors: with fixed seeds a test passes or fails for ever, and would fail by chance
 * for one seed in two million. */

/* ---- texture --------------------------------------------------------------------------------------------------------- */

enum { SIDE = 64 };

static retc_scene *
make_texture(double exponent) {
    retc_scene *texture = retc_texture_alloc(SIDE, exponent, 11);
    ck_assert_msg(texture != NULL, "%s", retc_error_message());
    return texture;
}

START_TEST(test_texture_moments) {
    retc_scene *texture = make_texture(1);
    float x[SIDE * SIDE];
    double mean = 0, squares = 0;
    /* Away from the pixels that the texture was normalised on: below 0.5 cycles per pixel the sum over a period of a square
     * is the same wherever it is sampled, but for the images, at most 1.2 % in amplitude of the highest frequencies. */
    retc_scene_sample(texture, 0.3, 0.7, SIDE, SIDE, x);
    for (size_t i = 0; i < SIDE * SIDE; ++i) {
        mean += (double)x[i] / (SIDE * SIDE);
        squares += (double)x[i] * (double)x[i] / (SIDE * SIDE);
    }
    ck_assert_double_le(fabs(mean), 1e-3);
    ck_assert_double_eq_tol(squares, 1, 2 * 0.0124);
    retc_scene_free(texture);
}
END_TEST

START_TEST(test_texture_moves_and_repeats) {
    retc_scene *texture = make_texture(1);
    float x[12 * 9], moved[9 * 6];
    retc_scene_sample(texture, 60.25, -3.5, 12, 9, x);
    retc_scene_sample(texture, 63.25, -1.5, 9, 6, moved);
    for (size_t i = 0; i < 9 * 6; ++i)
        ck_assert(moved[i] == x[(i / 6 + 3) * 9 + i % 6 + 2]);
    retc_scene_sample(texture, 63.25 - 5 * SIDE, -1.5 + 1000 * SIDE, 9, 6, moved);
    for (size_t i = 0; i < 9 * 6; ++i)
        ck_assert(moved[i] == x[(i / 6 + 3) * 9 + i % 6 + 2]);
    retc_scene_free(texture);
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
    retc_scene *texture = make_texture(1);
    static float on[SIDE * SIDE], between[SIDE * SIDE];
    retc_scene_sample(texture, 0, 0, SIDE, SIDE, on);
    retc_scene_sample(texture, place[_i][0], place[_i][1], SIDE, SIDE, between);
    fftwf_complex *a = spectrum_of(on), *b = spectrum_of(between);
    for (size_t i = 0; i < SIDE; ++i) {
        for (size_t j = 0; j < SIDE / 2; ++j) {
            const float *from = a[i * (SIDE / 2 + 1) + j], *to = b[i * (SIDE / 2 + 1) + j];
            double ky = row_frequency(i), kx = (double)j, re = (double)from[0], im = (double)from[1];
            double angle = 2 * M_PI * (ky * place[_i][0] + kx * place[_i][1]) / SIDE;
            double off =
                hypot(re * cos(angle) - im * sin(angle) - (double)to[0], re * sin(angle) + im * cos(angle) - (double)to[1]);
            double fraction = (1 + images(fabs(ky) / (2 * SIDE))) * (1 + images(kx / (2 * SIDE))) - 1;
            /* Weights are rounded to 6e-8 of them in both directions.  The last term: sums over 64 x 64 values with random
             * errors of 3e-7 each, 5 standard errors. */
            double allowed = (2 * fraction / (1 - fraction) + 2 * 6e-8) * hypot(re, im) + 5 * 64 * 3e-7;
            ck_assert_msg(off <= allowed, "ky %g kx %g: off by %g of %g, allowed %g", ky, kx, off, hypot(re, im), allowed);
        }
    }
    retc_free(a);
    retc_free(b);
    retc_scene_free(texture);
}
END_TEST

/* Mean power times k^(2a) must be the same in rings of low and high frequency, and nothing lies beyond 0.5 cycles per pixel
 * (where only images and rounding are left). */
START_TEST(test_texture_spectrum) {
    static const double exponents[3] = {0.5, 1, 1.5};
    const double exponent = exponents[_i];
    retc_scene *texture = make_texture(exponent);
    static float x[SIDE * SIDE];
    retc_scene_sample(texture, 0, 0, SIDE, SIDE, x);
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
    retc_scene_free(texture);
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

/* ---- scenes from images ---------------------------------------------------------------------------------------------- */

/* A grating of ky and kx half periods on the image, which mirroring at the edges continues; it is what the scene must show at
 * any place, times the low-pass filter. */
typedef struct {
    size_t height, width;
    double pixel; /* of the image, pixels of the screen */
    size_t ky, kx;
} grating;

static const grating gratings[] = {
    {96, 128, 0.5, 0, 5},   {96, 128, 0.5, 0, 49},  {96, 128, 0.5, 36, 0}, {96, 128, 0.5, 9, 20},    {96, 128, 0.5, 0, 58},
    {96, 128, 0.5, 20, 50}, {101, 67, 0.37, 3, 8},  {40, 52, 1.7, 11, 17}, {40, 52, 1, 0, 15},       {300, 300, 0.123, 5, 7},
    {96, 128, 0.5, 0, 65},  {96, 128, 0.5, 40, 60}, {96, 128, 0.5, 95, 1}, {300, 300, 0.123, 37, 0},
};

/* 1 below 0.4 cycles per pixel, 0 from 0.5 on: as documented. */
static double
filter_at(double f) {
    return f < 0.4 ? 1 : f < 0.5 ? (1 + cos(M_PI * (f - 0.4) / 0.1)) / 2 : 0;
}

static retc_image *
draw_grating(const grating *g, double mean, double amplitude) {
    retc_image *image = retc_image_alloc("grating", g->height, g->width);
    for (size_t i = 0; i < g->height; ++i)
        for (size_t j = 0; j < g->width; ++j)
            image->light[i * g->width + j] =
                (float)(mean + amplitude * cos(M_PI * (double)g->ky * ((double)i + 0.5) / (double)g->height) *
                                   cos(M_PI * (double)g->kx * ((double)j + 0.5) / (double)g->width));
    return image;
}

START_TEST(test_grating) {
    enum { H = 9, W = 11 };
    const grating *g = &gratings[_i];
    const double places[4][2] = {
        {0, 0}, {0.5, 0.25}, {3.3, 1.77}, {(double)g->height * g->pixel - H, (double)g->width * g->pixel - W}};
    double height = (double)g->height * g->pixel, width = (double)g->width * g->pixel;
    double fy = (double)g->ky / (2 * height), fx = (double)g->kx / (2 * width), gain = filter_at(hypot(fy, fx));
    retc_image *image = draw_grating(g, 0.5, 0.3);
    retc_scene *scene = retc_scene_of_image(image, g->pixel);
    ck_assert_msg(scene != NULL, "%s", retc_error_message());
    /* The grid has two points per pixel or more; 1e-5: the transforms of some hundred single-precision numbers. */
    double off = (1 + images(fy / 2)) * (1 + images(fx / 2)) - 1, allowed = 0.3 * gain * off + 1e-5, mean, deviation;
    for (size_t k = 0; k < 4; ++k) {
        float x[H * W];
        retc_scene_sample(scene, places[k][0], places[k][1], H, W, x);
        for (size_t i = 0; i < H * W; ++i) {
            double y = places[k][0] + (double)(i / W) + 0.5, column = places[k][1] + (double)(i % W) + 0.5;
            double expected = 0.5 + 0.3 * gain * cos(2 * M_PI * fy * y) * cos(2 * M_PI * fx * column);
            ck_assert_msg(fabs((double)x[i] - expected) <= allowed, "place %zu, pixel %zu: %.7f, expected %.7f, allowed %.2g",
                          k, i, (double)x[i], expected, allowed);
        }
    }
    retc_scene_moments(scene, &mean, &deviation);
    double expected = 0.3 * gain * (g->ky ? sqrt(0.5) : 1) * (g->kx ? sqrt(0.5) : 1);
    ck_assert_double_eq_tol(mean, 0.5, 1e-6);
    ck_assert_double_eq_tol(deviation, expected, 1e-5);
    if (hypot(fy, fx) >= 0.5)
        ck_assert_double_le(deviation, 0.01 * 0.3 / 2); /* what the screen cannot show has vanished */
    retc_image_free(image);
    retc_scene_free(scene);
}
END_TEST

START_TEST(test_wrong_scene) {
    const grating tiny = {1, 1, 1, 0, 0};
    retc_image *image = draw_grating(&tiny, 0.5, 0);
    ck_assert_ptr_null(retc_scene_of_image(image, 0.1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "cannot be shown"));
    ck_assert_ptr_null(retc_scene_of_image(image, 1e5));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "give a smaller image scale"));
    retc_image_free(image);
}
END_TEST

/* ---- dead leaves ----------------------------------------------------------------------------------------------------- */

enum { LEAVES = 256, PICTURES = 16 };
static const double smallest = 1, largest = 32;

/* Mean over the density r^-3 of the area that a disc shares with itself moved by d, but for a common factor. */
static double
shared_area(double d) {
    enum { STEPS = 4000 };
    double sum = 0, step = log(largest / smallest) / STEPS;
    for (size_t i = 0; i < STEPS; ++i) {
        double r = smallest * exp(((double)i + 0.5) * step);
        double area = d < 2 * r ? 2 * r * r * acos(d / (2 * r)) - d / 2 * sqrt(4 * r * r - d * d) : 0;
        sum += area * pow(r, -3) * r * step;
    }
    return sum;
}

static double
leaf_covariance(double d) {
    double g = shared_area(d);
    return g / (2 * shared_area(0) - g) / 12;
}

/* Mean and standard error over pictures of a number that `measure` finds in each. */
static void
over_pictures(double (*measure)(const float *picture, double at), double at, double *mean, double *error) {
    static float picture[LEAVES * LEAVES];
    double sum = 0, squares = 0;
    for (size_t p = 0; p < PICTURES; ++p) {
        retc_scene *scene = retc_dead_leaves_alloc(LEAVES, smallest, largest, 100 + p);
        ck_assert_msg(scene != NULL, "%s", retc_error_message());
        retc_scene_sample(scene, 0, 0, LEAVES, LEAVES, picture);
        retc_scene_free(scene);
        double x = measure(picture, at);
        sum += x;
        squares += x * x;
    }
    *mean = sum / PICTURES;
    *error = sqrt((squares / PICTURES - *mean * *mean) / (PICTURES - 1));
}

/* Covariance at 4 pixels less that at `d` pixels: the mean grey and all that happens within a pixel or two cancel. */
static double
loss_of_covariance(const float *x, double d) {
    double near = 0, far = 0;
    size_t n = 0;
    for (size_t i = 0; i < LEAVES; ++i) {
        for (size_t j = 0; j + (size_t)d < LEAVES; ++j, ++n) {
            const float *at = x + i * LEAVES + j;
            near += pow((double)at[4] - (double)at[0], 2) / 2;
            far += pow((double)at[(size_t)d] - (double)at[0], 2) / 2;
        }
    }
    return (far - near) / (double)n;
}

/* The low-pass filter smooths the covariance over a pixel, which changes it by less than 2 % from 4 pixels on. */
START_TEST(test_leaf_covariance) {
    static const double distances[] = {8, 16, 40};
    double d = distances[_i], expected = leaf_covariance(4) - leaf_covariance(d), mean, error;
    over_pictures(loss_of_covariance, d, &mean, &error);
    ck_assert_msg(fabs(mean - expected) <= 5 * error + 0.02 * expected, "%g pixels: %.5f, expected %.5f, standard error %.5f",
                  d, mean, expected, error);
    ck_assert_double_le(error, 0.05 * expected); /* or the test would prove little */
}
END_TEST

/* Power at frequency f: the Hankel transform of the covariance, which ends at twice the largest radius. */
static double
leaf_power(double f) {
    enum { STEPS = 2000 };
    double sum = 0, step = 2 * largest / STEPS;
    for (size_t i = 0; i < STEPS; ++i) {
        double d = ((double)i + 0.5) * step;
        sum += leaf_covariance(d) * gsl_sf_bessel_J0(2 * M_PI * f * d) * 2 * M_PI * d * step;
    }
    return sum;
}

static const double low_frequency = 0.04, high_frequency = 0.16;

/* Slope of the amplitude between rings around the two frequencies, through a window that ends smoothly. */
static double
slope(const float *picture, double unused) {
    (void)unused;
    enum { COLUMNS = LEAVES / 2 + 1 };
    float *x = retc_calloc(LEAVES * LEAVES, sizeof *x);
    fftwf_complex *spectrum = retc_calloc(LEAVES * COLUMNS, sizeof *spectrum);
    fftwf_plan plan = fftwf_plan_dft_r2c_2d(LEAVES, LEAVES, x, spectrum, FFTW_ESTIMATE);
    for (size_t i = 0; i < LEAVES * LEAVES; ++i) {
        double wy = pow(sin(M_PI * ((double)(i / LEAVES) + 0.5) / LEAVES), 2);
        double wx = pow(sin(M_PI * ((double)(i % LEAVES) + 0.5) / LEAVES), 2);
        x[i] = (float)(((double)picture[i] - 0.5) * wy * wx);
    }
    fftwf_execute(plan);
    double power[2] = {0};
    size_t n[2] = {0};
    for (size_t i = 0; i < LEAVES; ++i) {
        for (size_t j = 1; j + 1 < COLUMNS; ++j) {
            double ky = i < LEAVES / 2 ? (double)i : (double)i - LEAVES, f = hypot(ky, (double)j) / LEAVES;
            const float *value = spectrum[i * COLUMNS + j];
            for (size_t ring = 0; ring < 2; ++ring) {
                double at = ring ? high_frequency : low_frequency;
                if (fabs(f - at) < 0.1 * at) {
                    power[ring] += pow((double)value[0], 2) + pow((double)value[1], 2);
                    n[ring] += 1;
                }
            }
        }
    }
    fftwf_destroy_plan(plan);
    retc_free(spectrum);
    retc_free(x);
    return log(power[1] / (double)n[1] * (double)n[0] / power[0]) / 2 / log(high_frequency / low_frequency);
}

START_TEST(test_leaf_spectrum) {
    double expected = log(leaf_power(high_frequency) / leaf_power(low_frequency)) / 2 / log(high_frequency / low_frequency);
    double mean, error;
    over_pictures(slope, 0, &mean, &error);
    /* 0.02: a ring holds frequencies up to 10 % from its middle, over which a power law of this slope is bent by so little. */
    ck_assert_msg(fabs(mean - expected) <= 5 * error + 0.02, "slope %.3f, expected %.3f, standard error %.3f", mean, expected,
                  error);
    ck_assert_double_le(error, 0.03);
    ck_assert(expected < -0.8 && expected > -1.3); /* as natural scenes */
}
END_TEST

START_TEST(test_wrong_leaves) {
    ck_assert_ptr_null(retc_dead_leaves_alloc(4, 1, 2, 1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "expected 8 ... 8192"));
    ck_assert_ptr_null(retc_dead_leaves_alloc(64, 5, 5, 1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "radii of 5 to 5 pixels"));
    ck_assert_ptr_null(retc_dead_leaves_alloc(64, 1, 65, 1));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "to 64 at most"));
}
END_TEST

/* ---- paths of the eye ------------------------------------------------------------------------------------------------ */

static const retc_eye_options resting = {.saccade_spread = 1};

static retc_eye_path
make_path(const retc_eye_options *options, size_t images, size_t frames, double interval) {
    retc_eye_path path;
    ck_ok(retc_eye_path_make(options, images, frames, interval, 3, &path));
    return path;
}

/* Ornstein-Uhlenbeck: variance s^2 T / 2, correlation exp(-t / T).  The path holds about n = duration / (2 T) independent
 * values per coordinate, so that the variance has the relative error sqrt(2 / n), and a correlation rho (1 - rho^2) / sqrt(n).
 */
START_TEST(test_relaxing_drift) {
    enum { FRAMES = 200000, LAG = 25 };
    retc_eye_options options = resting;
    options.drift = 4;
    options.drift_time = 0.25;
    retc_eye_path path = make_path(&options, 1, FRAMES, 0.01);
    double squares = 0, products = 0, n = 2 * FRAMES * 0.01 / (2 * 0.25), variance = 16 * 0.25 / 2;
    for (size_t t = 0; t + LAG < FRAMES; ++t) {
        for (int d = 0; d < 2; ++d) {
            squares += path.place[t].offset[d] * path.place[t].offset[d] / 2 / (FRAMES - LAG);
            products += path.place[t].offset[d] * path.place[t + LAG].offset[d] / 2 / (FRAMES - LAG);
        }
    }
    ck_assert_double_le(fabs(squares / variance - 1), 5 * sqrt(2 / n));
    ck_assert_double_le(fabs(products / squares - exp(-1)), 5 * (1 - exp(-2)) / sqrt(n));
    retc_eye_path_clear(&path);
}
END_TEST

/* Times between saccades have the mean and the standard deviation that were asked for, and the minimum.  The variance of a
 * sample variance is (kurtosis - 1) / n; gamma: kurtosis 3 + 6 cv^2; log-normal with cv 0.5: below 10. */
START_TEST(test_saccade_intervals) {
    static const struct {
        int log_normal;
        double spread, kurtosis;
    } laws[] = {{0, 1, 9}, {0, 0.4, 3.96}, {1, 0.5, 10}};
    retc_eye_options options = resting;
    options.saccade_interval = 0.4;
    options.saccade_minimum = 0.1;
    options.saccade_spread = laws[_i].spread;
    options.log_normal = laws[_i].log_normal;
    retc_eye_path path = make_path(&options, 1, 100000, 0.02);
    double sum = 0, squares = 0, n = (double)path.saccades - 1, deviation = 0.3 * laws[_i].spread;
    for (size_t i = 1; i < path.saccades; ++i) {
        double interval = path.saccade_time[i] - path.saccade_time[i - 1];
        ck_assert_double_ge(interval, 0.1 - 1e-9);
        sum += interval;
        squares += (interval - 0.4) * (interval - 0.4);
    }
    ck_assert_double_ge(n, 4500);
    ck_assert_double_le(fabs(sum / n - 0.4), 5 * deviation / sqrt(n));
    ck_assert_double_le(fabs(squares / n / (deviation * deviation) - 1), 5 * sqrt((laws[_i].kurtosis - 1) / n));
    retc_eye_path_clear(&path);
}
END_TEST

/* A saccade takes its time: it starts and ends slowly, and is half way at half time. */
START_TEST(test_saccade_course) {
    retc_eye_options options = resting;
    options.saccade_interval = options.saccade_minimum = 0.5;
    options.saccade_duration = 0.08;
    retc_eye_path path = make_path(&options, 1, 600, 0.001);
    ck_assert_uint_eq(path.saccades, 1);
    const double *from = path.place[500].anchor, *to = path.place[580].anchor;
    ck_assert_double_gt(fabs(to[0] - from[0]), 0.01);
    for (size_t t = 0; t < 600; ++t) {
        double u = t < 500 ? 0 : t > 580 ? 1 : (double)(t - 500) / 80, s = pow(u, 3) * (10 - 15 * u + 6 * u * u);
        for (int d = 0; d < 2; ++d)
            ck_assert_double_eq_tol(path.place[t].anchor[d], from[d] + s * (to[d] - from[d]), 1e-9);
    }
    retc_eye_path_clear(&path);
}
END_TEST

/* Exponential lengths: standard deviation as their mean.  Directions: the mean of their components is 0. */
START_TEST(test_saccade_amplitude) {
    retc_eye_options options = resting;
    options.saccade_interval = options.saccade_minimum = 0.05;
    options.saccade_amplitude = 7;
    retc_eye_path path = make_path(&options, 1, 50000, 0.01);
    double length = 0, sum[2] = {0}, n = 0;
    for (size_t t = 1; t < 50000; ++t) {
        double y = path.place[t].offset[0] - path.place[t - 1].offset[0],
               x = path.place[t].offset[1] - path.place[t - 1].offset[1];
        length += hypot(y, x);
        sum[0] += y;
        sum[1] += x;
        n += hypot(y, x) > 0;
    }
    ck_assert_double_ge(n, 9990);
    ck_assert_double_le(fabs(length / n - 7), 5 * 7 / sqrt(n));
    ck_assert_double_le(fabs(sum[0] / n), 5 * 7 / sqrt(n)); /* E x^2 = E r^2 / 2 = 7^2 */
    ck_assert_double_le(fabs(sum[1] / n), 5 * 7 / sqrt(n));
    retc_eye_path_clear(&path);
}
END_TEST

/* Rayleigh's distribution of mean M has the standard deviation sqrt(4 / pi - 1) M = 0.523 M; their number is a Poisson one. */
START_TEST(test_microsaccades) {
    enum { FRAMES = 200000 };
    retc_eye_options options = resting;
    options.microsaccade_rate = 1.5;
    options.microsaccade_amplitude = 3;
    retc_eye_path path = make_path(&options, 1, FRAMES, 0.01);
    double length = 0, n = (double)path.microsaccades, expected = 1.5 * FRAMES * 0.01, steps = 0;
    for (size_t t = 1; t < FRAMES; ++t) {
        const double *a = path.place[t - 1].offset, *b = path.place[t].offset;
        length += hypot(b[0] - a[0], b[1] - a[1]);
        steps += hypot(b[0] - a[0], b[1] - a[1]) > 0;
    }
    ck_assert_double_le(fabs(n - expected), 5 * sqrt(expected));
    ck_assert_double_le(fabs(length / steps - 3), 5 * 0.523 * 3 / sqrt(n) + 0.03); /* two in a frame, 1 %, count as one */
    retc_eye_path_clear(&path);
}
END_TEST

/* Images come in rounds, at their times. */
START_TEST(test_image_order) {
    retc_eye_options options = resting;
    options.image_interval = 0.1;
    retc_eye_path path = make_path(&options, 5, 1000, 0.01);
    for (size_t k = 0; k < 100; ++k) {
        for (size_t t = 10 * k; t < 10 * (k + 1); ++t)
            ck_assert_uint_eq(path.place[t].image, path.place[10 * k].image);
        for (size_t other = k / 5 * 5; other < k; ++other)
            ck_assert_uint_ne(path.place[10 * k].image, path.place[10 * other].image);
    }
    retc_eye_path_clear(&path);
    options.image_interval = 0;
    options.saccade_interval = options.saccade_minimum = 0.1;
    options.saccade_duration = 0.05; /* between images there is no way */
    path = make_path(&options, 2, 1000, 0.01);
    for (size_t t = 20; t < 1000; t += 20)
        ck_assert(path.place[t].image != path.place[t - 10].image || path.place[t - 10].image != path.place[t - 20].image);
    retc_eye_path_clear(&path);
}
END_TEST

START_TEST(test_longer_path) {
    const retc_eye_options options = {.drift = 2,
                                      .drift_time = 0.3,
                                      .saccade_interval = 0.3,
                                      .saccade_minimum = 0.1,
                                      .saccade_spread = 0.7,
                                      .saccade_duration = 0.04,
                                      .microsaccade_rate = 2,
                                      .microsaccade_amplitude = 1,
                                      .microsaccade_duration = 0.02,
                                      .image_interval = 1};
    retc_eye_path shorter = make_path(&options, 3, 500, 0.01), longer = make_path(&options, 3, 900, 0.01);
    ck_assert_mem_eq(shorter.place, longer.place, 500 * sizeof *shorter.place);
    ck_assert_mem_eq(shorter.saccade_time, longer.saccade_time, shorter.saccades * sizeof(double));
    ck_assert_mem_eq(shorter.microsaccade_time, longer.microsaccade_time, shorter.microsaccades * sizeof(double));
    retc_eye_path_clear(&shorter);
    retc_eye_options calm = options;
    calm.microsaccade_rate = 0;
    retc_eye_path without = make_path(&calm, 3, 900, 0.01);
    ck_assert_uint_eq(without.saccades, longer.saccades);
    ck_assert_mem_eq(without.saccade_time, longer.saccade_time, longer.saccades * sizeof(double));
    retc_eye_path_clear(&without);
    retc_eye_path_clear(&longer);
}
END_TEST

START_TEST(test_wrong_paths) {
    static const struct {
        retc_eye_options options;
        const char *says;
    } bad[] = {
        {{.drift = -1, .saccade_spread = 1}, "a drift of -1"},
        {{.drift_time = -1, .saccade_spread = 1}, "relaxes in -1 s"},
        {{.saccade_minimum = 0.5, .saccade_interval = 0.4, .saccade_spread = 1}, "cannot be 0.5 s apart"},
        {{.saccade_interval = 1e-9, .saccade_spread = 1}, "cannot be 0.01 s apart"},
        {{.saccade_interval = -1, .saccade_spread = 1}, "apart at least, have no"},
        {{.saccade_spread = 0}, "a spread of 0"},
        {{.saccade_spread = 1, .saccade_duration = -1}, "cannot be negative"},
        {{.saccade_spread = 1, .microsaccade_rate = 200}, "200 micro-saccades per second"},
        {{.saccade_spread = 1, .image_interval = 0.001}, "an image cannot be shown for 0.001 s"},
    };
    retc_eye_path path;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i)
        ck_fails(retc_eye_path_make(&bad[i].options, 1, 10, 0.01, 3, &path), bad[i].says);
}
END_TEST

/* ---- natural movies -------------------------------------------------------------------------------------------------- */

static const retc_natural_options natural = {
    .frames = 300,
    .height = 6,
    .width = 9,
    .frame_interval = 0.01,
    .pixel_size = 50,
    .eye = {.drift = 3, .saccade_interval = 0.5, .saccade_minimum = 0.2, .saccade_spread = 1},
    .seed = 4,
    .threads = 2};

static retc_natural_movie *
make_movie(const retc_natural_options *options) {
    const retc_gallery_options shown = {.height = options->height, .width = options->width, .contrast = 0.35};
    retc_gallery *gallery = retc_gallery_of_scene(retc_texture_alloc(512, 1, options->seed), &shown);
    ck_assert_msg(gallery != NULL, "%s", retc_error_message());
    retc_natural_movie *movie = retc_natural_movie_alloc(gallery, options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    return movie;
}

static double *
path_of(retc_natural_movie *movie, size_t frames) {
    double *path = retc_calloc(2 * frames, sizeof *path);
    ck_ok(retc_natural_movie_path(movie, path));
    return path;
}

/* Each frame is the scene at the eye's place, as grey levels. */
START_TEST(test_movie_shows_scene) {
    enum { PIXELS = 6 * 9 };
    retc_natural_movie *movie = make_movie(&natural);
    retc_scene *scene = retc_texture_alloc(512, 1, natural.seed);
    double *path = path_of(movie, 300);
    static float x[300 * PIXELS], expected[PIXELS];
    ck_ok(retc_natural_movie_frames(movie, 0, 300, x));
    for (size_t t = 0; t < 300; t += 13) {
        retc_scene_sample(scene, path[2 * t], path[2 * t + 1], 6, 9, expected);
        for (size_t i = 0; i < PIXELS; ++i)
            expected[i] = (float)fmin(fmax(127.5 + 127.5 * 0.35 * (double)expected[i], 0), 255);
        ck_close_float("frame", x + t * PIXELS, expected, PIXELS, 0, 2e-7); /* two roundings */
    }
    retc_scene_free(scene);
    retc_free(path);
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
    still.eye.drift = still.eye.saccade_interval = 0;
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
    drifting.eye.saccade_interval = 0;
    retc_natural_movie *movie = make_movie(&drifting);
    double *path = path_of(movie, T);
    double squares = 0, sum = 0;
    for (size_t t = 2; t < 2 * T; ++t) {
        double step = path[t] - path[t - 2];
        sum += step;
        squares += step * step;
    }
    double n = 2 * (T - 1), variance = 9 * 0.01;
    ck_assert_double_le(fabs(sum), 5 * sqrt(n * variance));
    ck_assert_double_le(fabs(squares / n - variance), 5 * variance * sqrt(2 / n));
    retc_free(path);
    retc_natural_movie_free(movie);
}
END_TEST

/* Without drift every change of place is a saccade.  n intervals of minimum m and mean M have the standard deviation M - m. */
START_TEST(test_saccades) {
    enum { T = 100000 };
    retc_natural_options jumping = natural;
    jumping.frames = T;
    jumping.eye.drift = 0;
    retc_natural_movie *movie = make_movie(&jumping);
    double *path = path_of(movie, T);
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
    retc_free(path);
    retc_natural_movie_free(movie);
}
END_TEST

/* Over many places the levels have mean 127.5 and standard deviation 0.35 of it (a little less by clipping).  Saccades make the
 * scene's samples: 2000 independent places, each of variance 1 at most around its mean. */
START_TEST(test_movie_levels) {
    enum { T = 2000, PIXELS = 6 * 9 };
    retc_natural_options jumping = natural;
    jumping.frames = T;
    jumping.eye.drift = 0;
    jumping.eye.saccade_interval = jumping.eye.saccade_minimum = 0.01;
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
    static const char *const says[3] = {"is empty", "is too large: at most 2048 x 2048", "a frame interval of 0 s"};
    retc_natural_options bad = natural;
    if (_i == 0)
        bad.frames = 0;
    else if (_i == 1)
        bad.width = 2049;
    else
        bad.frame_interval = 0;
    const retc_gallery_options shown = {.height = 6, .width = 9, .contrast = 0.35};
    ck_assert_ptr_null(retc_natural_movie_alloc(retc_gallery_of_scene(retc_texture_alloc(64, 1, 1), &shown), &bad));
    ck_assert_msg(strstr(retc_error_message(), says[_i]) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(), says[_i]);
}
END_TEST

/* ---- movies of images ------------------------------------------------------------------------------------------------ */

/* A PGM file of 16 bits, so that its levels are light: a grating of some half periods down and across. */
static const char *
write_grating(const char *name, const grating *g, double mean, double amplitude) {
    const char *path = retc_test_path(name);
    retc_image *image = draw_grating(g, mean, amplitude);
    FILE *out = fopen(path, "wb");
    fprintf(out, "P5 %zu %zu 65535\n", g->width, g->height);
    for (size_t i = 0; i < g->height * g->width; ++i) {
        unsigned level = (unsigned)lround((double)image->light[i] * 65535);
        putc((int)(level >> 8), out);
        putc((int)(level & 255), out);
    }
    fclose(out);
    retc_image_free(image);
    return path;
}

static retc_natural_movie *
movie_of(const char *const *paths, size_t n, retc_gallery_options shown, const retc_natural_options *options) {
    retc_image_set *set = retc_image_set_open(paths, n, "images", 0);
    ck_assert_msg(set != NULL, "%s", retc_error_message());
    shown.height = options->height;
    shown.width = options->width;
    retc_gallery *gallery = retc_gallery_of_images(set, &shown);
    retc_natural_movie *movie = gallery ? retc_natural_movie_alloc(gallery, options) : NULL;
    return movie;
}

/* At one image pixel per pixel of the screen and on whole pixels a smooth image is shown as it is, wherever the eye is; and the
 * eye, which drifts far, stays in it. */
START_TEST(test_light_as_it_is) {
    enum { PIXELS = 6 * 9 };
    const grating g = {30, 40, 1, 3, 4};
    const char *path = write_grating("smooth.pgm", &g, 0.5, 0.2);
    retc_natural_options options = natural;
    options.eye.drift = 100;
    options.whole_pixels = 1;
    retc_natural_movie *movie = movie_of(
        &path, 1, (retc_gallery_options){.image_pixel = 1, .whole_pixels = 1, .normalise = RETC_NORMALISE_NONE}, &options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    double *corner = path_of(movie, 300);
    static float x[300 * PIXELS];
    ck_ok(retc_natural_movie_frames(movie, 0, 300, x));
    double fy = 3.0 / 60, fx = 4.0 / 80, off = (1 + images(fy / 2)) * (1 + images(fx / 2)) - 1;
    for (size_t t = 0; t < 300; ++t) {
        const double *c = corner + 2 * t;
        ck_assert(c[0] >= 0 && c[0] <= 24 && c[1] >= 0 && c[1] <= 31 && c[0] == round(c[0]) && c[1] == round(c[1]));
        for (size_t i = 0; i < PIXELS; ++i) {
            double y = c[0] + (double)(i / 9) + 0.5, column = c[1] + (double)(i % 9) + 0.5;
            double light = 0.5 + 0.2 * cos(2 * M_PI * fy * y) * cos(2 * M_PI * fx * column);
            ck_assert_double_eq_tol((double)x[t * PIXELS + i], 255 * light, 255 * (0.2 * off + 2e-5)); /* 16 bits: 8e-6 */
        }
    }
    retc_free(corner);
    retc_natural_movie_free(movie);
}
END_TEST

/* Two images of different mean and contrast.  Gratings of whole numbers of half periods, seen whole: the moments are exact but
 * for the 16 bits of the files and for images of the B-splines (see test_grating). */
START_TEST(test_normalisation) {
    enum { SIDE_ = 24, PIXELS = SIDE_ * SIDE_ };
    const grating g = {SIDE_, SIDE_, 1, 0, 4};
    const char *paths[2] = {write_grating("dim.pgm", &g, 0.2, 0.1), write_grating("bright.pgm", &g, 0.6, 0.3)};
    retc_natural_options options = natural;
    options.frames = 20;
    options.height = options.width = SIDE_;
    options.eye = (retc_eye_options){.saccade_spread = 1, .image_interval = 0.01};
    retc_normalisation how = _i ? RETC_NORMALISE_ALL : RETC_NORMALISE_IMAGE;
    retc_natural_movie *movie =
        movie_of(paths, 2, (retc_gallery_options){.image_pixel = 1, .normalise = how, .contrast = 0.3}, &options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    static float x[20 * PIXELS];
    ck_ok(retc_natural_movie_frames(movie, 0, 20, x));
    double mean = 0, squares = 0, worst = 0;
    for (size_t t = 0; t < 20; ++t) {
        double own = 0, own_squares = 0;
        for (size_t i = 0; i < PIXELS; ++i) {
            double z = (double)x[t * PIXELS + i] / 127.5 - 1;
            own += z / PIXELS;
            own_squares += z * z / PIXELS;
        }
        worst = fmax(worst, fabs(sqrt(own_squares) - 0.3));
        mean += own / 20;
        squares += own_squares / 20;
    }
    ck_assert_double_eq_tol(mean, 0, 1e-4);
    ck_assert_double_eq_tol(sqrt(squares), 0.3, 1e-3);
    ck_assert(_i ? worst > 0.02 : worst < 1e-3);
    ck_assert(retc_natural_movie_clipped(movie) == 0);
    retc_natural_movie_free(movie);
}
END_TEST

/* A grating of contrast 1 and RMS contrast 1 / sqrt(2), shown with RMS contrast 0.9, reaches beyond black and white where
 * |cos| > 1 / (0.9 sqrt(2)): the share 2 / pi acos(0.7857) = 0.4255, of 400 pixels of a row, two crossings each way. */
START_TEST(test_clipping) {
    const grating g = {8, 400, 1, 0, 2};
    const char *path = write_grating("harsh.pgm", &g, 0.5, 0.5);
    retc_natural_options options = natural;
    options.frames = 3;
    options.height = 8;
    options.width = 400;
    options.eye = resting;
    retc_natural_movie *movie = movie_of(&path, 1, (retc_gallery_options){.image_pixel = 1, .contrast = 0.9}, &options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    static float x[3 * 8 * 400];
    ck_ok(retc_natural_movie_frames(movie, 0, 3, x));
    for (size_t i = 0; i < 3 * 8 * 400; ++i)
        ck_assert(x[i] >= 0 && x[i] <= 255);
    ck_assert_double_eq_tol(retc_natural_movie_clipped(movie), 2 / M_PI * acos(1 / (0.9 * sqrt(2))), 4 / 400.0);
    char *report = retc_natural_movie_report(movie);
    ck_assert_ptr_nonnull(strstr(report, "of the levels were beyond black or white"));
    retc_free(report);
    retc_natural_movie_free(movie);
}
END_TEST

/* Images that do not fit into memory together are read again when they come again. */
START_TEST(test_many_large_images) {
    const grating g = {60, 60, 1, 3, 5};
    const char *paths[3] = {write_grating("a.pgm", &g, 0.5, 0.1), write_grating("b.pgm", &g, 0.5, 0.2),
                            write_grating("c.pgm", &g, 0.5, 0.3)};
    retc_natural_options options = natural;
    options.frames = 9;
    options.eye = (retc_eye_options){.saccade_spread = 1, .image_interval = 0.01};
    /* 3000 x 3000 pixels each: 144 MB */
    retc_natural_movie *movie =
        movie_of(paths, 3, (retc_gallery_options){.image_pixel = 50, .normalise = RETC_NORMALISE_NONE}, &options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    static float x[9 * 54], again[54];
    ck_ok(retc_natural_movie_frames(movie, 0, 9, x));
    for (size_t t = 0; t < 9; t += 4) {
        ck_ok(retc_natural_movie_frames(movie, t, 1, again));
        ck_assert_mem_eq(again, x + t * 54, sizeof again);
    }
    retc_natural_movie_free(movie);
}
END_TEST

START_TEST(test_wrong_images) {
    const grating g = {20, 30, 1, 1, 1};
    const char *flat = write_grating("flat.pgm", &g, 0.5, 0), *fine = write_grating("fine.pgm", &g, 0.5, 0.1);
    const retc_gallery_options shown = {.image_pixel = 1, .contrast = 0.3};
    static float x[300 * 54];
    retc_natural_movie *movie = movie_of(&flat, 1, shown, &natural);
    ck_fails(retc_natural_movie_frames(movie, 0, 1, x), "flat.pgm has no contrast");
    retc_natural_movie_free(movie);
    retc_gallery_options other = shown;
    other.image_pixel = 0.25;
    movie = movie_of(&fine, 1, other, &natural);
    ck_fails(retc_natural_movie_frames(movie, 0, 1, x),
             "fine.pgm covers 5 x 7.5 pixels of the screen, less than the frame, 6 x 9; give a larger");
    retc_natural_movie_free(movie);
    other = shown;
    other.contrast = 2;
    ck_assert_ptr_null(movie_of(&fine, 1, other, &natural));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "a contrast of 2"));
    other.contrast = 0.3;
    other.normalise = RETC_NORMALISE_NONE;
    ck_assert_ptr_null(retc_gallery_of_scene(retc_texture_alloc(64, 1, 1), &other));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "a scene made by chance has none"));
}
END_TEST

static Suite *
natural_suite(void) {
    Suite *suite = suite_create("natural movies");
    TCase *scene = tcase_create("scenes"), *leaves = tcase_create("dead leaves"), *eye = tcase_create("eye"),
          *movie = tcase_create("movies");
    tcase_add_test(scene, test_texture_moments);
    tcase_add_test(scene, test_texture_moves_and_repeats);
    tcase_add_loop_test(scene, test_texture_between_pixels, 0, 3);
    tcase_add_loop_test(scene, test_texture_spectrum, 0, 3);
    tcase_add_test(scene, test_wrong_texture);
    tcase_add_loop_test(scene, test_grating, 0, sizeof gratings / sizeof *gratings);
    tcase_add_test(scene, test_wrong_scene);
    tcase_set_timeout(leaves, 120);
    tcase_add_loop_test(leaves, test_leaf_covariance, 0, 3);
    tcase_add_test(leaves, test_leaf_spectrum);
    tcase_add_test(leaves, test_wrong_leaves);
    tcase_set_timeout(eye, 30);
    tcase_add_test(eye, test_relaxing_drift);
    tcase_add_loop_test(eye, test_saccade_intervals, 0, 3);
    tcase_add_test(eye, test_saccade_course);
    tcase_add_test(eye, test_saccade_amplitude);
    tcase_add_test(eye, test_microsaccades);
    tcase_add_test(eye, test_image_order);
    tcase_add_test(eye, test_longer_path);
    tcase_add_test(eye, test_wrong_paths);
    tcase_set_timeout(movie, 120);
    tcase_add_test(movie, test_movie_shows_scene);
    tcase_add_test(movie, test_movie_in_pieces);
    tcase_add_test(movie, test_still_movie);
    tcase_add_test(movie, test_drift);
    tcase_add_test(movie, test_saccades);
    tcase_add_test(movie, test_movie_levels);
    tcase_add_loop_test(movie, test_wrong_movie, 0, 3);
    tcase_add_test(movie, test_light_as_it_is);
    tcase_add_loop_test(movie, test_normalisation, 0, 2);
    tcase_add_test(movie, test_clipping);
    tcase_add_test(movie, test_many_large_images);
    tcase_add_test(movie, test_wrong_images);
    suite_add_tcase(suite, scene);
    suite_add_tcase(suite, leaves);
    suite_add_tcase(suite, eye);
    suite_add_tcase(suite, movie);
    return suite;
}

int
main(void) {
    return retc_test_main(natural_suite(), NULL);
}
