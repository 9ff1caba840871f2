/* Stimulus generators and stimulus files. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "stimulus_file.h"
#include "testing.h"
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
    bad.contrast = (double)NAN;
    ck_fails(retc_white_noise_frames(&bad, 0, 1, x), "a contrast of nan");
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
    movie[2 * 6 + 1] = bad->read_nan ? (double)NAN : 1;
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
    TCase *noise = tcase_create("white noise"), *file = tcase_create("file");
    tcase_add_test(noise, test_binary_noise);
    tcase_add_test(noise, test_full_contrast);
    tcase_add_loop_test(noise, test_gaussian_noise, 0, 2);
    tcase_add_loop_test(noise, test_noise_in_pieces, 0, 2);
    tcase_add_test(noise, test_stixels_and_hold);
    tcase_add_test(noise, test_wrong_noise);
    tcase_add_loop_test(file, test_file, 0, 2);
    tcase_add_loop_test(file, test_wrong_layouts, 0, 3);
    tcase_add_test(file, test_source_fails);
    tcase_add_loop_test(file, test_bad_files, 0, sizeof bad_files / sizeof *bad_files);
    tcase_add_test(file, test_sizes);
    suite_add_tcase(suite, noise);
    suite_add_tcase(suite, file);
    return suite;
}

int
main(void) {
    return retc_test_main(stimuli_suite(), NULL);
}
