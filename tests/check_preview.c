/* The preview of a stimulus: power spectra of movies whose spectra are known, and the table behind the figure. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_stimulus.h"
#include "movie_spectrum.h"
#include "testing.h"

enum { T = 4096, SIDE = 16 };

typedef float (*level_of)(size_t t, size_t y, size_t x);

/* Binary noise of contrast 0.4 from a hash of the place, the same for `hold` frames. */
static float
noise(size_t t, size_t y, size_t x) {
    uint64_t z = (t * 1000003 + y * 1009 + x) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z >> 63) ? (float)(RETC_MEAN_GREY * 1.4) : (float)(RETC_MEAN_GREY * 0.6);
}

/* A grating of 4 cycles over 16 pixels that drifts at 1/8 cycle a frame, contrast 0.8. */
static float
grating(size_t t, size_t y, size_t x) {
    (void)y;
    return (float)(RETC_MEAN_GREY * (1 + 0.8 * sin(2 * M_PI * ((double)x / 4 - (double)t / 8))));
}

static float
grey(size_t t, size_t y, size_t x) {
    (void)t, (void)y, (void)x;
    return 100;
}

typedef struct {
    level_of level;
    size_t H, W;
} picture;

static int
fill(void *context, size_t t0, size_t n, float *out) {
    const picture *p = context;
    for (size_t t = t0; t < t0 + n; ++t)
        for (size_t y = 0; y < p->H; ++y)
            for (size_t x = 0; x < p->W; ++x)
                *out++ = p->level(t, y, x);
    return RETC_OK;
}

static const char *
write_movie(level_of level, size_t frames, size_t H, size_t W) {
    picture p = {level, H, W};
    const retc_stimulus_layout layout = {frames, H, W, 0.02, RETC_H5_FLOAT};
    const char *path = retc_test_path("movie.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_stimulus_write(file, "noise", &layout, fill, &p, NULL));
    ck_ok(retc_h5_set_number(file, "/", "pixel_size", 50));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    return path;
}

static void
estimate(level_of level, size_t frames, size_t H, size_t W, retc_movie_spectrum *spectrum) {
    retc_stimulus *stimulus = retc_stimulus_open(write_movie(level, frames, H, W));
    ck_assert_ptr_nonnull(stimulus);
    ck_ok(retc_movie_spectrum_estimate(stimulus, 50, spectrum));
    retc_stimulus_close(stimulus);
}

/* White noise of variance c^2 = 0.16: 2 c^2 dt in time, c^2 (0.05 mm)^2 in space, at every frequency.  A periodogram bin has a
 * relative deviation of 1; time averages 64 pixels x 15 half-overlapping stretches (worth 8 or more), so one of 255 bins lies
 * 5/sqrt(512) off with a chance below 1e-4.  A ring of space averages some 6 k bins (half of them independent, a Hann window
 * leaving a third) x 8 x 15 frames. */
START_TEST(test_white_noise) {
    retc_movie_spectrum s;
    estimate(noise, T, SIDE, SIDE, &s);
    ck_assert_uint_eq(s.times, 255);
    ck_assert_uint_eq(s.spaces, 7);
    double expected = 2 * 0.16 * 0.02, mean = 0;
    for (size_t k = 0; k < s.times; ++k) {
        ck_assert_double_eq_tol(s.time_frequency[k], (double)(k + 1) / (512 * 0.02), 1e-9);
        ck_assert_double_eq_tol(s.time_power[k] / expected, 1, 5 / sqrt(512));
        mean += s.time_power[k] / expected / (double)s.times;
    }
    ck_assert_double_eq_tol(mean, 1, 5 / sqrt(512 * 255 / 3));
    for (size_t k = 0; k < s.spaces; ++k) {
        ck_assert_double_eq_tol(s.space_frequency[k], (double)(k + 1) / (SIDE * 0.05), 1e-9);
        ck_assert_double_eq_tol(s.space_power[k] / (0.16 * 0.05 * 0.05), 1, 5 / sqrt(120.0 * 6 / 6));
    }
    ck_assert_double_eq_tol(s.mean, RETC_MEAN_GREY, 0.5);
    ck_assert_double_eq_tol(s.std, 0.4 * RETC_MEAN_GREY, 0.5);
    ck_assert_double_eq_tol(s.minimum, 0.6 * RETC_MEAN_GREY, 1e-4);
    ck_assert_double_eq_tol(s.maximum, 1.4 * RETC_MEAN_GREY, 1e-4);
    retc_movie_spectrum_clear(&s);
}
END_TEST

/* All power of a drifting grating, variance 0.8^2 / 2, stands at its frequencies, 6.25 Hz and 5 cycles/mm, and what the Hann
 * window spreads over the two neighbours of each. */
START_TEST(test_grating) {
    retc_movie_spectrum s;
    double total = 0, near = 0;
    estimate(grating, 1024, SIDE, SIDE, &s);
    for (size_t k = 0; k < s.times; ++k) {
        double power = s.time_power[k] / (512 * 0.02);
        total += power;
        near += fabs(s.time_frequency[k] - 6.25) < 1.5 / (512 * 0.02) ? power : 0;
    }
    ck_assert_double_eq_tol(total, 0.32, 1e-6);
    ck_assert_double_eq_tol(near, total, 1e-6);
    size_t largest = 0;
    for (size_t k = 1; k < s.spaces; ++k)
        largest = s.space_power[k] > s.space_power[largest] ? k : largest;
    ck_assert_double_eq_tol(s.space_frequency[largest], 5, 1e-9);
    retc_movie_spectrum_clear(&s);
}
END_TEST

static const struct {
    size_t frames, H, W, times, spaces;
} small[] = {{1, 1, 1, 0, 0}, {15, 4, 3, 0, 0}, {16, 4, 4, 7, 1}, {17, 1, 40, 8, 0}, {600, 5, 1100, 255, 2}};

/* Whatever the size: as many frequencies as it has, no power in a still movie, and the level as it is. */
START_TEST(test_still) {
    retc_movie_spectrum s;
    estimate(grey, small[_i].frames, small[_i].H, small[_i].W, &s);
    ck_assert_uint_eq(s.times, small[_i].times);
    ck_assert_uint_eq(s.spaces, small[_i].spaces);
    for (size_t k = 0; k < s.times; ++k)
        ck_assert_double_eq_tol(s.time_power[k], 0, 1e-25);
    for (size_t k = 0; k < s.spaces; ++k)
        ck_assert_double_eq_tol(s.space_power[k], 0, 1e-25);
    ck_assert_double_eq_tol(s.mean, 100, 1e-9);
    ck_assert_double_eq_tol(s.std, 0, 1e-6);
    retc_movie_spectrum_clear(&s);
}
END_TEST

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static char *
table_of(double start, double duration, int film) {
    char *text = NULL;
    size_t length = 0;
    FILE *table = open_memstream(&text, &length);
    retc_h5 *file = retc_h5_open(retc_test_path("movie.h5"));
    ck_assert_ptr_nonnull(table);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_figure_stimulus(file, start, duration, film, table));
    retc_h5_close(file);
    fclose(table);
    return text;
}

static size_t
count(const char *text, const char *word) {
    size_t n = 0;
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        ++n;
    return n;
}

/* 4 s of 50 Hz are 200 frames: every 9th on the sheet, every 2nd (25 a second) in a film. */
START_TEST(test_frames_shown) {
    write_movie(grating, 1000, 3, 2);
    char *text = table_of(2, 4, 0);
    ck_assert_ptr_nonnull(strstr(text, "\"noise: 1000 frames of 3x2 pixels of 50 µm at 50 Hz; mean level "));
    ck_assert_ptr_nonnull(strstr(text, " 23 3 2 2 6 0.18 255 0 1 \n"));
    ck_assert_uint_eq(count(text, "\n# frame "), 23);
    ck_assert_ptr_nonnull(strstr(text, "\n1 2 \n2 2.18 \n"));
    char row[128];
    snprintf(row, sizeof row, "# frame 2\n# columns: levels of a row, one row a line\n%.7g %.7g \n",
             round((double)grating(109, 0, 0) * 100) / 100, round((double)grating(109, 0, 1) * 100) / 100);
    ck_assert_msg(strstr(text, row) != NULL, "no %s", row);
    free(text);
    text = table_of(2, 4, 1);
    ck_assert_uint_eq(count(text, "\n# frame "), 100);
    free(text);
}
END_TEST

/* A frame of 300 x 2 pixels is shown as 100 x 1 means over 3 x 3 pixels, and its only column twice. */
START_TEST(test_large_frames) {
    write_movie(grating, 2, 300, 2);
    char *text = table_of(0, 1, 0), row[128];
    double mean = round(((double)grating(1, 0, 0) + (double)grating(1, 0, 1)) / 2 * 100) / 100;
    snprintf(row, sizeof row, "one row a line\n%.7g %.7g \n", mean, mean);
    ck_assert_msg(strstr(strstr(text, "# frame 2"), row) != NULL, "no %s", row);
    ck_assert_uint_eq(count(strstr(text, "# frame 2"), "\n"), 102);
    free(text);
}
END_TEST

START_TEST(test_window_behind_the_end) {
    write_movie(grating, 100, 3, 2);
    retc_h5 *file = retc_h5_open(retc_test_path("movie.h5"));
    ck_assert_ptr_nonnull(file);
    ck_fails(retc_figure_stimulus(file, 5, 4, 0, stdout), "movie.h5: ");
    retc_h5_close(file);
}
END_TEST

static Suite *
preview_suite(void) {
    Suite *suite = suite_create("preview");
    TCase *spectrum = tcase_create("spectrum"), *table = tcase_create("table");
    tcase_add_test(spectrum, test_white_noise);
    tcase_add_test(spectrum, test_grating);
    tcase_add_loop_test(spectrum, test_still, 0, sizeof small / sizeof *small);
    suite_add_tcase(suite, spectrum);
    tcase_add_test(table, test_frames_shown);
    tcase_add_test(table, test_large_frames);
    tcase_add_test(table, test_window_behind_the_end);
    suite_add_tcase(suite, table);
    return suite;
}

int
main(void) {
    return retc_test_main(preview_suite(), NULL);
}
