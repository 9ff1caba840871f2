/* Protocols: levels of single pixels and frames against what the protocol shows at a point of space and time, sampled finely;
 * closed forms of areas, frequencies and sizes; trials and files; what is refused. */
#include <fftw3.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coverage.h"
#include "movie_kinds.h"
#include "rng.h"
#include "testing.h"
#include "trials.h"

/* ---- blurred profiles and discs -------------------------------------------------------------------------------------- */

/* Integral of the step, and of the square wave of period 1, from 0 to x. */
static double
step_integral(double x) {
    return x > 0 ? x : 0;
}

static double
square_integral(double x) {
    double u = x - floor(x);
    return u < 0.5 ? u : 1 - u;
}

/* Mean over three boxes: the first by its integral, the two others by the midpoint rule, whose error for a function of slope
 * 2 / w at most, with kinks, is below 4 (w / n)^2 / w^2 for boxes no wider than twice the first. */
enum { CUTS = 400 };

static double
brute_mean(double (*integral)(double), const double *width, double at) {
    double sum = 0;
    for (size_t i = 0; i < CUTS; ++i)
        for (size_t j = 0; j < CUTS; ++j) {
            double x = at + width[1] * (((double)i + 0.5) / CUTS - 0.5) + width[2] * (((double)j + 0.5) / CUTS - 0.5);
            sum += (integral(x + width[0] / 2) - integral(x - width[0] / 2)) / width[0];
        }
    return sum / ((double)CUTS * CUTS);
}

START_TEST(test_blurred_profiles) {
    static const double widths[4][3] = {{0.3, 0.2, 0.1}, {0.3, 0, 0}, {0.2, 0.2, 0}, {0.4, 0.6, 0.7}};
    const double *width = widths[_i];
    retc_blur blur = retc_blur_make(width[0], width[1], width[2]);
    ck_assert_double_eq_tol(blur.reach, (width[0] + width[1] + width[2]) / 2, 1e-15);
    for (double at = -1.03; at < 1.1; at += 0.0731) {
        double step = brute_mean(step_integral, width, at), square = brute_mean(square_integral, width, at);
        ck_assert_double_eq_tol(retc_blur_step(&blur, at), step, 16.0 / (CUTS * CUTS));
        ck_assert_double_eq_tol(retc_blur_square(&blur, at), square, 32.0 / (CUTS * CUTS));
    }
}
END_TEST

START_TEST(test_blur_by_hand) {
    retc_blur none = retc_blur_make(0, 0, 0), pair = retc_blur_make(1, 1, 0), tiny = retc_blur_make(1, 1e-9, 0);
    ck_assert(retc_blur_step(&none, -0.1) == 0 && retc_blur_step(&none, 0) == 0.5 && retc_blur_step(&none, 0.1) == 1);
    ck_assert(retc_blur_square(&none, 0.25) == 1 && retc_blur_square(&none, 0.75) == -1 &&
              retc_blur_square(&none, -0.25) == -1);
    ck_assert_double_eq_tol(retc_blur_step(&pair, -0.5), 0.125, 1e-15); /* a triangle's first quarter: (1/2)^2 / 2 */
    ck_assert_double_eq_tol(retc_blur_step(&tiny, 0.25), 0.75, 1e-15);
    ck_assert_double_eq_tol(retc_blur_band(&pair, 4, 0), 1, 1e-15);
    ck_assert(retc_blur_band(&none, 4, 1) == 1);
    retc_blur cycle = retc_blur_make(1, 0, 0), half = retc_blur_make(0.5, 0, 0);
    ck_assert_double_eq_tol(retc_blur_sine(&cycle, 0.2), 0, 1e-15);
    ck_assert_double_eq_tol(retc_blur_sine(&half, 0.25), 2 / M_PI, 1e-15);
    ck_assert_double_eq_tol(retc_blur_square(&cycle, 0.2), 0, 1e-14);
    ck_assert_double_eq_tol(retc_blur_square(&half, 0.125), 0.5, 1e-14);
}
END_TEST

/* Part of the pixel around (y,x) within the disc, by strips whose length is exact. */
static double
brute_disc(double r, double y, double x) {
    enum { STRIPS = 20000 };
    double area = 0;
    for (size_t i = 0; i < STRIPS; ++i) {
        double at = x - 0.5 + ((double)i + 0.5) / STRIPS, reach = at * at < r * r ? sqrt(r * r - at * at) : 0;
        area += fmax(0, fmin(y + 0.5, reach) - fmax(y - 0.5, -reach)) / STRIPS;
    }
    return area;
}

START_TEST(test_disc) {
    static const double radii[4] = {0.2, 0.6, 1.37, 6.1};
    double r = radii[_i], sum = 0;
    for (double y = -8; y <= 8; ++y)
        for (double x = -8; x <= 8; ++x) {
            double part = retc_disc_coverage(r, y + 0.31, x - 0.12);
            sum += part;
            /* The length of a strip changes as the root of the distance from the rim: error below (1 / strips)^1.5 sqrt(2 r).
             */
            ck_assert_double_eq_tol(part, brute_disc(r, y + 0.31, x - 0.12), 4e-6);
        }
    ck_assert_double_eq_tol(sum, M_PI * r * r, 1e-12 * 289);
}
END_TEST

/* ---- movies from command lines --------------------------------------------------------------------------------------- */

static retc_movie_request request;

/* The movie of a command line, kind first; NULL with a recorded reason. */
static retc_movie *
make(const char *line) {
    static char words[512], *argument[64];
    int n = 1;
    argument[0] = (char[]){"stimulus"};
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word && n < 63; word = strtok(NULL, " "))
        argument[n++] = word;
    argument[n] = NULL;
    const retc_movie_kind *kind = retc_movie_kind_find(argument[1]);
    ck_assert_ptr_nonnull(kind);
    retc_movie_request_clear(&request);
    ck_ok(retc_movie_request_init(&request, kind));
    request.table[request.entries] = (retc_option)RETC_OPTIONS_END;
    if (retc_options_parse(&kind->usage, request.table, n, argument) != RETC_OK)
        return NULL;
    return retc_movie_request_make(&request);
}

static retc_movie *
movie_of(const char *line) {
    retc_movie *movie = make(line);
    ck_assert_msg(movie != NULL, "%s: %s", line, retc_error_message());
    return movie;
}

/* Write the movie to a file and read its trials there. */
static retc_trials
trials_of(retc_movie *movie) {
    retc_trials trials;
    const char *path = retc_test_path("protocol.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_movie_write(movie, file, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert_ptr_nonnull(file = retc_h5_open(path));
    ck_assert_int_eq(retc_trials_has(file, ""), 1);
    ck_ok(retc_trials_read(file, "", movie->layout.frames, &trials));
    retc_h5_close(file);
    return trials;
}

static float *
frames_of(retc_movie *movie, size_t t0, size_t n) {
    float *x = retc_calloc(n * movie->layout.height * movie->layout.width, sizeof *x);
    ck_assert_ptr_nonnull(x);
    ck_ok(movie->frames(movie->context, t0, n, x));
    return x;
}

/* ---- what each protocol shows at a point of space and time ----------------------------------------------------------- */

/* `p` are the parameters of the condition, in the order of their names. */
typedef double (*point)(const double *p, double t, double x, double y);

static double
in_disc(double x, double y, double diameter) {
    return 4 * (x * x + y * y) < diameter * diameter;
}

/* --durations 110 --contrasts 0.7,-0.3 --diameters 230,0 --x 20 --y -35; parameters contrast, diameter, duration */
static double
flash_at(const double *p, double t, double x, double y) {
    return t < p[2] / 1000 && (p[1] == 0 || in_disc(x - 20, y + 35, p[1])) ? p[0] : 0;
}

/* --flash 30 --second -0.5; contrast, gap */
static double
pair_at(const double *p, double t, double x, double y) {
    double second = 0.03 + p[1] / 1000;
    (void)x, (void)y;
    return t < 0.03 ? p[0] : t >= second && t < second + 0.03 ? -0.5 * p[0] : 0;
}

/* --steps 1,0.2,-1 --hold 0.13; contrast */
static double
step_at(const double *p, double t, double x, double y) {
    (void)x, (void)y;
    return p[0] * (t < 0.13 ? 1 : t < 0.26 ? 0.2 : t < 0.39 ? -1 : 0);
}

/* --flash 25; contrast, flashes, omission_time, period */
static double
omitted_at(const double *p, double t, double x, double y) {
    (void)x, (void)y;
    return t < p[1] * p[3] / 1000 && fmod(t, p[3] / 1000) < 0.025 ? p[0] : 0;
}

/* --step 0.5 --pause 0.3 --sweep 2 --lowest 1 --highest 9 --ramp-frequency 3 */
static double
chirp_at(const double *p, double t, double x, double y) {
    (void)x, (void)y;
    double first = t - 1.3, second = t - 3.6; /* the frequency grows by 4 Hz in a second */
    if (first >= 0 && first < 2)
        return p[0] * sin(2 * M_PI * (first + 2 * first * first));
    if (second >= 0 && second < 2)
        return p[0] * second / 2 * sin(2 * M_PI * 3 * second);
    return p[0] * (t < 0.5 ? 1 : t < 1 ? -1 : 0);
}

/* Gratings; contrast, direction, period, phase, temporal_frequency. */
static double
grating_place(const double *p, double x, double y) {
    double angle = p[1] * M_PI / 180;
    return (x * cos(angle) + y * sin(angle)) / p[2] - p[3] / 360;
}

static double
sign_of(double x) {
    return x > 0 ? 1 : -1;
}

static double
reversing_at(const double *p, double t, double x, double y) {
    return p[0] * sin(2 * M_PI * grating_place(p, x, y)) * sin(2 * M_PI * p[4] * t);
}

static double
square_reversing_at(const double *p, double t, double x, double y) {
    return p[0] * sign_of(sin(2 * M_PI * grating_place(p, x, y))) * sign_of(sin(2 * M_PI * p[4] * t));
}

static double
drifting_at(const double *p, double t, double x, double y) {
    return p[0] * sin(2 * M_PI * (grating_place(p, x, y) - p[4] * t));
}

static double
square_drifting_at(const double *p, double t, double x, double y) {
    return p[0] * sign_of(sin(2 * M_PI * (grating_place(p, x, y) - p[4] * t)));
}

/* Bars: place along their direction. */
static double
along(double direction, double x, double y) {
    return x * cos(direction * M_PI / 180) + y * sin(direction * M_PI / 180);
}

/* centre_time, contrast, direction, speed, width */
static double
bar_at(const double *p, double t, double x, double y) {
    return fabs(along(p[2], x, y) - p[3] * (t - p[0])) < p[4] / 2 ? p[1] : 0;
}

/* --length 130, directions along rows and columns */
static double
short_bar_at(const double *p, double t, double x, double y) {
    return fabs(along(p[2] + 90, x, y)) < 65 ? bar_at(p, t, x, y) : 0;
}

/* --flash 40; centre_time, contrast, direction, place, speed, width */
static double
anticipation_at(const double *p, double t, double x, double y) {
    const double moving[5] = {p[0], p[1], p[2], p[4], p[5]};
    return p[4] > 0 ? bar_at(moving, t, x, y) : t < 0.04 && fabs(along(p[2], x, y) - p[3]) < p[5] / 2 ? p[1] : 0;
}

/* contrast, direction, place, reversal_time, speed, turns, width */
static double
reversal_at(const double *p, double t, double x, double y) {
    double turned = p[5] > 0 && t > p[3] ? -1 : 1;
    return fabs(along(p[1], x, y) - p[2] - turned * p[4] * (t - p[3])) < p[6] / 2 ? p[0] : 0;
}

/* centre_time, contrast, diameter, direction, speed */
static double
spot_at(const double *p, double t, double x, double y) {
    double place = p[4] * (t - p[0]), angle = p[3] * M_PI / 180;
    return in_disc(x - place * cos(angle), y - place * sin(angle), p[2]) ? p[1] : 0;
}

/* --smallest 40 --largest 400 --degree 25 --hold 0.2; approach, collision_time, contrast, ratio */
static double
looming_size(const double *p, double t) {
    double ratio = p[3] / 1000;
    double start = ratio / tan(40.0 / 25 / 2 * M_PI / 180), stop = ratio / tan(400.0 / 25 / 2 * M_PI / 180);
    double left = p[0] < 0 ? fmin(stop + t, start) : fmax(start - t, stop);
    return 2 * atan(ratio / left) * 180 / M_PI * 25;
}

static double
looming_at(const double *p, double t, double x, double y) {
    double size = looming_size(p, t);
    if (p[0] == 0)
        return in_disc(x, y, 400) ? p[2] * size * size / (400 * 400) : 0;
    return in_disc(x, y, size) ? p[2] : 0;
}

/* Samples per side of a pixel, and per frame.  Of a smooth function the midpoint rule misses less than 1e-3.  An edge that
 * lies along the samples is misplaced by at most half of their distance, 1 / 64 of the pixel or frame: allowed is twice that,
 * times the jump, as a pixel may have two. */
enum { FINE = 32 };
#define SMOOTH 1e-3
#define EDGES(jump) (2.0 / (2 * FINE) * (jump))

static const struct {
    const char *line;
    point at;
    double tolerance;
} shown[] = {
    {"flashes --durations 110 --contrasts 0.7,-0.3 --diameters 230,0 --x 20 --y -35", flash_at, EDGES(0.7)},
    {"paired-flashes --flash 30 --second -0.5 --gaps 0,17,100 --contrasts 0.6", pair_at, EDGES(0.9)},
    {"luminance-steps --steps 1,0.2,-1 --hold 0.13 --contrasts 1,-0.5", step_at, EDGES(1.2)},
    {"omitted --flash 25 --periods 80,33 --flashes 3,5", omitted_at, EDGES(1)},
    {"chirp --step 0.5 --pause 0.3 --sweep 2 --lowest 1 --highest 9 --ramp-frequency 3", chirp_at, EDGES(2)},
    {"reversing-grating --periods 170 --directions 0,90,25 --phases 0,77 --trial 0.6", reversing_at, SMOOTH},
    {"reversing-grating --periods 170 --directions 0,130 --phases 33 --trial 0.6 --profile square --modulation square",
     square_reversing_at, EDGES(1)},
    {"drifting-grating --spatial-frequencies 5 --temporal-frequencies 3 --directions 0,90,205 --trial 0.6", drifting_at,
     SMOOTH},
    {"drifting-grating --periods 130 --directions 0,90,205 --profile square --trial 0.6", square_drifting_at, EDGES(1.5)},
    {"moving-bar --directions 0,90,180,270,30,130 --widths 70 --speeds 900", bar_at, EDGES(1)},
    {"moving-bar --directions 0,90,180,270 --widths 70 --speeds 900 --length 130 --contrasts 0.5", short_bar_at, EDGES(1)},
    {"moving-spot --directions 0,110 --diameters 30,150 --speeds 900", spot_at, EDGES(1)},
    {"motion-reversal --directions 0,215 --widths 90 --speeds 900 --places -60,31", reversal_at, EDGES(1)},
    {"motion-anticipation --directions 0,180,60 --widths 90 --speeds 900 --flash 40 --places 0,-130", anticipation_at,
     EDGES(1)},
    {"looming --smallest 40 --largest 400 --degree 25 --hold 0.2 --ratios 5", looming_at, EDGES(1)},
};

/* Mean over pixel and frame of what is shown at points. */
static double
sampled(point at, const double *p, const retc_screen *screen, size_t frame, size_t row, size_t column, double duration) {
    double sum = 0, x0 = ((double)column - (double)screen->width / 2) * screen->pixel_size;
    double y0 = ((double)screen->height / 2 - (double)row) * screen->pixel_size;
    for (size_t k = 0; k < FINE; ++k) {
        double t = ((double)frame + ((double)k + 0.5) / FINE) / screen->frame_rate;
        for (size_t i = 0; t < duration && i < FINE; ++i)
            for (size_t j = 0; j < FINE; ++j)
                sum += at(p, t, x0 + ((double)j + 0.5) / FINE * screen->pixel_size,
                          y0 - ((double)i + 0.5) / FINE * screen->pixel_size);
    }
    return sum / (FINE * FINE * FINE);
}

/* In every condition, levels of random pixels in random frames, and grey around the trials. */
START_TEST(test_levels) {
    char line[512];
    snprintf(line, sizeof line, "%s --height 14 --width 11 --pixel-size 40 --repeats 1 --interval 0.1 --before 0.2",
             shown[_i].line);
    retc_movie *movie = movie_of(line);
    retc_trials trials = trials_of(movie);
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_NOISE, (uint64_t)_i);
    double p[8];
    size_t pixels = 14 * 11;
    float *x = frames_of(movie, 0, movie->layout.frames);
    for (size_t k = 0; k < trials.trials; ++k) {
        const retc_trial *trial = &trials.trial[k];
        for (size_t i = 0; i < trials.parameters; ++i)
            p[i] = trials.parameter[i].value[trial->condition];
        for (size_t n = 0; n < 25; ++n) {
            size_t frame = gsl_rng_uniform_int(rng, trial->frames), row = gsl_rng_uniform_int(rng, 14);
            size_t column = gsl_rng_uniform_int(rng, 11);
            double level = (double)x[(trial->start + frame) * pixels + row * 11 + column];
            double expected = sampled(shown[_i].at, p, &request.screen, frame, row, column, trial->duration);
            ck_assert_msg(fabs(level / 127.5 - 1 - expected) <= shown[_i].tolerance,
                          "trial %zu, frame %zu, pixel (%zu,%zu): contrast %.9g, expected %.9g", k, frame, row, column,
                          level / 127.5 - 1, expected);
        }
        for (size_t i = 0; i < pixels; ++i) { /* the frame before, and the one after it */
            ck_assert(x[(trial->start - 1) * pixels + i] == 127.5F);
            ck_assert(x[(trial->start + trial->frames) * pixels + i] == 127.5F);
        }
    }
    ck_assert_uint_eq(trials.trial[0].start, 12);
    gsl_rng_free(rng);
    retc_free(x);
    retc_trials_free(&trials);
    retc_movie_free(movie);
}
END_TEST

/* ---- closed forms ---------------------------------------------------------------------------------------------------- */

/* A flash of 6.6 frames. */
START_TEST(test_flash_by_hand) {
    retc_movie *movie = movie_of("flashes --durations 110 --contrasts 0.5 --height 1 --width 2 --repeats 1 --before 0.1");
    float *x = frames_of(movie, 0, 20);
    for (size_t t = 0; t < 20; ++t) {
        double contrast = t < 6 ? 0 : t < 12 ? 0.5 : t == 12 ? 0.3 : 0;
        ck_assert_double_eq_tol((double)x[2 * t], 127.5 * (1 + contrast), 127.5 * 1.2e-7);
        ck_assert(x[2 * t] == x[2 * t + 1]);
    }
    ck_assert_uint_eq(movie->layout.frames, 6 + 7 + 60);
    retc_free(x);
    retc_movie_free(movie);
}
END_TEST

/* Sum of contrasts times the area of a pixel, um^2. */
static double
shown_area(const retc_movie *movie, const float *frame) {
    double sum = 0;
    for (size_t i = 0; i < movie->layout.height * movie->layout.width; ++i)
        sum += (double)frame[i] / 127.5 - 1;
    return sum * movie->pixel_size * movie->pixel_size;
}

/* What moves keeps its area while it is on the screen.  Levels are floats: 900 of them with errors of 1.2e-7 around 1. */
static const struct {
    const char *line;
    double area, tolerance;
} areas[] = {
    {"moving-spot --diameters 163 --directions 33", M_PI * 163 * 163 / 4, 0},
    {"moving-bar --widths 70 --length 130 --directions 90", 70 * 130, 0},
    /* The corners of an oblique bar are not exact: four pixels, each of which misses less than a quarter. */
    {"moving-bar --widths 70 --length 130 --directions 33", 70 * 130, 400},
    {"moving-bar --widths 70 --directions 0", 70 * 600, 0},
};

START_TEST(test_areas) {
    char line[256];
    snprintf(line, sizeof line, "%s --speeds 1000 --contrasts 1 --repeats 1 --height 30 --width 30 --pixel-size 20",
             areas[_i].line);
    retc_movie *movie = movie_of(line);
    retc_trials trials = trials_of(movie);
    double centre = retc_trials_parameter(&trials, "centre_time")->value[0];
    for (double t = centre - 0.1; t < centre + 0.1; t += 1.0 / 60) {
        float *x = frames_of(movie, trials.trial[0].start + (size_t)(t * 60), 1);
        ck_assert_double_eq_tol(shown_area(movie, x), areas[_i].area, 900 * 400 * 2.4e-7 + areas[_i].tolerance);
        retc_free(x);
    }
    retc_trials_free(&trials);
    retc_movie_free(movie);
}
END_TEST

/* The size that the covered area says follows tan(size / 2) (T - t) = l / v. */
START_TEST(test_looming_ratio) {
    retc_movie *movie = movie_of("looming --ratios 80 --smallest 100 --largest 900 --degree 30 --contrasts 1 --approaches 1 "
                                 "--height 50 --width 50 --pixel-size 20 --repeats 1 --frame-rate 200");
    retc_trials trials = trials_of(movie);
    double collision = retc_trials_parameter(&trials, "collision_time")->value[0];
    size_t last = (size_t)((collision - 0.08 / tan(15 * M_PI / 180)) * 200) - 1; /* 900 um are 30 degrees */
    for (size_t k = 3; k < last; k += 7) {
        float *x = frames_of(movie, trials.trial[0].start + k, 1);
        double degrees = 2 * sqrt(shown_area(movie, x) / M_PI) / 30;
        double left = collision - ((double)k + 0.5) / 200;
        /* Taking the middle of the frame for its mean misses (dt / left)^2, which is 3e-4 at the end. */
        ck_assert_double_eq_tol(tan(degrees / 2 * M_PI / 180) * left, 0.08, 0.08 * 5e-4);
        retc_free(x);
    }
    retc_trials_free(&trials);
    retc_movie_free(movie);
}
END_TEST

/* Amplitude at `cycles` per `n` values of a pixel, from its Fourier transform; nothing may be elsewhere, but `also`. */
static double
amplitude(const float *x, size_t n, size_t stride, size_t cycles, size_t also) {
    double *in = fftw_malloc(n * sizeof *in), found = 0;
    fftw_complex *out = fftw_malloc((n / 2 + 1) * sizeof *out);
    fftw_plan plan = fftw_plan_dft_r2c_1d((int)n, in, out, FFTW_ESTIMATE);
    for (size_t i = 0; i < n; ++i)
        in[i] = (double)x[i * stride] / 127.5 - 1;
    fftw_execute(plan);
    for (size_t k = 0; k <= n / 2; ++k) {
        double size = 2 * hypot(out[k][0], out[k][1]) / (double)n;
        if (k == cycles)
            found = size;
        else if (k != also)
            ck_assert_double_le(size, 1e-6);
    }
    fftw_destroy_plan(plan);
    fftw_free(in);
    fftw_free(out);
    return found;
}

/* 3 Hz for 2 s and 5 cycles/mm over 1 mm: one frequency each.  A box of width w passes sin(pi f w) / (pi f w). */
START_TEST(test_grating_frequencies) {
    retc_movie *movie =
        movie_of("drifting-grating --spatial-frequencies 5 --temporal-frequencies 3 --directions 0 --contrasts 0.8 "
                 "--trial 2 --height 3 --width 50 --pixel-size 20 --repeats 1 --before 0 --frame-rate 60");
    float *x = frames_of(movie, 0, 120);
    double passed = 0.8 * sin(M_PI * 0.1) / (M_PI * 0.1) * sin(M_PI * 0.05) / (M_PI * 0.05);
    ck_assert_double_eq_tol(amplitude(x + 7, 120, 150, 6, 6), passed, 1e-6);
    ck_assert_double_eq_tol(amplitude(x + 33 * 150, 50, 1, 5, 5), passed, 1e-6);
    retc_free(x);
    retc_movie_free(movie);
}
END_TEST

/* At quarter cycles of the modulation the grating of phase 0 has the levels of its sine, and at whole cycles it is grey. */
START_TEST(test_reversing_phases) {
    retc_movie *movie = movie_of("reversing-grating --periods 400 --temporal-frequencies 1 --phases 0,90 --modulation square "
                                 "--profile square --contrasts 0.5 --trial 1 --height 1 --width 8 --pixel-size 50 --repeats 1 "
                                 "--before 0 --interval 0");
    float *x = frames_of(movie, 0, 120);
    static const double bright = 127.5 * 1.5, dark = 127.5 * 0.5;
    for (size_t t = 0; t < 60; ++t)
        for (size_t i = 0; i < 8; ++i) {
            /* Phase 0: dark left and bright right of the middle; phase 90: moved by a quarter of a period, two pixels. */
            int right = i >= 4, moved = i < 2 || i >= 6;
            ck_assert_double_eq((double)x[t * 8 + i], right == (t < 30) ? bright : dark);
            ck_assert_double_eq((double)x[(60 + t) * 8 + i], moved == (t < 30) ? bright : dark);
        }
    retc_free(x);
    retc_movie_free(movie);
}
END_TEST

/* In a disc: the same, times the part of each pixel that the disc covers. */
START_TEST(test_grating_in_disc) {
    const char *line = "drifting-grating --profile square --directions 30 --periods 130 --trial 0.1 --height 9 --width 9 "
                       "--pixel-size 40 --repeats 1 --before 0";
    char within[256];
    snprintf(within, sizeof within, "%s --diameter 250", line);
    retc_movie *whole = movie_of(line), *disc = movie_of(within);
    float *x = frames_of(whole, 3, 1), *y = frames_of(disc, 3, 1);
    for (size_t i = 0; i < 81; ++i) {
        double part = brute_disc(125.0 / 40, (double)(i / 9) - 4, (double)(i % 9) - 4);
        ck_assert_double_eq_tol((double)y[i] - 127.5, part * ((double)x[i] - 127.5), 127.5 * 5e-6);
    }
    retc_free(x);
    retc_free(y);
    retc_movie_free(whole);
    retc_movie_free(disc);
}
END_TEST

/* ---- random protocols ------------------------------------------------------------------------------------------------ */

/* Standard deviations by trial, switching with the condition: 5 standard errors of 1200 normal values. */
START_TEST(test_contrast_steps) {
    retc_movie *movie = movie_of("contrast-steps --contrasts 0.05,0.3 --hold 20 --repeats 3 --height 2 --width 2");
    retc_trials trials = trials_of(movie);
    ck_assert_uint_eq(trials.trials, 6);
    for (size_t k = 0; k < 6; ++k) {
        float *x = frames_of(movie, trials.trial[k].start, 1200);
        double mean = 0, squares = 0, contrast = k % 2 ? 0.3 : 0.05;
        ck_assert_uint_eq(trials.trial[k].start, 60 + 1200 * k);
        for (size_t t = 0; t < 1200; ++t) {
            double z = ((double)x[4 * t] / 127.5 - 1) / contrast;
            ck_assert(x[4 * t] == x[4 * t + 3]);
            mean += z / 1200;
            squares += z * z / 1200;
        }
        ck_assert_double_le(fabs(mean), 5 / sqrt(1200));
        ck_assert_double_le(fabs(squares - 1), 5 * sqrt(2.0 / 1200));
        retc_free(x);
    }
    retc_trials_free(&trials);
    retc_movie_free(movie);
}
END_TEST

/* Frozen flicker is the same in all trials but for its contrast; each level stays for three frames; stixels of two pixels. */
START_TEST(test_frozen_flicker) {
    retc_movie *movie = movie_of("contrast-steps --contrasts 0.1,0.2 --hold 1 --repeats 1 --height 4 --width 5 --frozen "
                                 "--flicker 50 --stixel 100 --before 0 --distribution gaussian");
    float *x = frames_of(movie, 0, 120);
    for (size_t t = 0; t < 60; ++t)
        for (size_t i = 0; i < 20; ++i) {
            double low = (double)x[t * 20 + i] / 127.5 - 1, high = (double)x[(60 + t) * 20 + i] / 127.5 - 1;
            ck_assert_double_eq_tol(high, 2 * low, 1e-6);
            ck_assert(x[t * 20 + i] == x[t / 3 * 3 * 20 + i / 5 / 2 * 2 * 5 + i % 5 / 2 * 2]);
        }
    ck_assert(x[0] != x[60] && x[0] != x[2] && x[0] != x[10]);
    retc_free(x);
    retc_movie_free(movie);
}
END_TEST

/* Where along a sine grating of 4 pixels per period a row of 12 pixels is, cycles. */
static double
phase_of(const float *row) {
    double sine = 0, cosine = 0;
    for (size_t i = 0; i < 12; ++i) {
        double x = ((double)i - 5.5) / 4;
        sine += (double)row[i] * sin(2 * M_PI * x);
        cosine += (double)row[i] * cos(2 * M_PI * x);
    }
    return atan2(-cosine, sine) / (2 * M_PI);
}

/* Conditions in the order of the file: object 1 with background -1, 1, 0, object 0 with -1, 0. */
START_TEST(test_object_motion) {
    enum { PIXELS = 12 * 12, MIDDLE = 5 * 12 + 5 };
    retc_movie *movie =
        movie_of("object-motion --height 12 --width 12 --pixel-size 50 --period 200 --diameter 300 --profile sine "
                 "--trial 40 --every 100 --step 20 --repeats 1 --before 0 --interval 0");
    retc_trials trials = trials_of(movie);
    ck_assert_uint_eq(trials.conditions, 5);
    float *x = frames_of(movie, 0, 5 * 2400);
    const float *differs = x, *together = x + 2400 * PIXELS, *alone = x + 4800 * PIXELS, *still = x + 9600 * PIXELS;
    double steps = 0, before = 0;
    for (size_t t = 0; t < 2400; ++t) {
        size_t at = t * PIXELS;
        for (size_t i = 0; i < PIXELS; ++i) {
            ck_assert(still[at + i] == still[i]);
            /* With the object, everything is one grating: four pixels on it is the same, across the rim of the object too. */
            ck_assert_double_eq_tol((double)together[at + i], (double)together[at + i % 12 % 4], 2e-5);
        }
        ck_assert(alone[at] == alone[0] && differs[at + MIDDLE] == together[at + MIDDLE]);
        ck_assert(alone[at + MIDDLE] == together[at + MIDDLE]);
        double phase = phase_of(together + at), step = phase - before - round(phase - before);
        before = phase;
        ck_assert(t == 0 || t % 6 == 0 || fabs(step) < 1e-5);
        steps += t > 0 && t % 6 == 0 ? step * step / 399 : 0;
    }
    /* Steps of 0.1 cycles: their mean square over 399 of them. */
    ck_assert_double_le(fabs(steps / 0.01 - 1), 5 * sqrt(2.0 / 399));
    ck_assert(differs[2399 * PIXELS] != together[2399 * PIXELS]);
    retc_free(x);
    retc_trials_free(&trials);
    retc_movie_free(movie);
}
END_TEST

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

START_TEST(test_trials) {
    retc_movie *movie = movie_of("flashes --durations 100,310 --contrasts 1,-1,0.5 --repeats 4 --interval 0.25 --before 0.5 "
                                 "--order shuffled --height 1 --width 1");
    retc_trials trials = trials_of(movie);
    size_t at = 30, sorted = 0;
    ck_assert_uint_eq(trials.trials, 24);
    ck_assert_uint_eq(trials.conditions, 6);
    ck_assert_str_eq(retc_trials_parameter(&trials, "duration")->unit, "ms");
    ck_assert_ptr_null(retc_trials_parameter(&trials, "speed"));
    for (size_t k = 0; k < 24; ++k) {
        const retc_trial *trial = &trials.trial[k];
        double duration = retc_trials_parameter(&trials, "duration")->value[trial->condition] / 1000;
        ck_assert_uint_eq(trial->start, at);
        ck_assert_uint_eq(trial->frames, duration < 0.2 ? 6 : 19); /* 0.31 s are 18.6 frames */
        ck_assert_double_eq_tol(trial->onset, (double)at / 60, 1e-12);
        ck_assert_double_eq_tol(trial->duration, duration, 1e-12);
        at += trial->frames + 15;
        sorted += trial->condition == k % 6;
        for (size_t other = k / 6 * 6; other < k; ++other) /* a round shows each condition once */
            ck_assert_uint_ne(trials.trial[other].condition, trial->condition);
    }
    ck_assert_uint_eq(movie->layout.frames, at);
    ck_assert_uint_lt(sorted, 24);
    char *text = retc_trials_condition_text(&trials, 1);
    ck_assert_str_eq(text, "contrast -1, duration 100 ms");
    retc_free(text);
    retc_trials_free(&trials);
    retc_movie_free(movie);
}
END_TEST

/* A movie of a given length: whole trials only, and grey at its end. */
START_TEST(test_length_of_movie) {
    retc_movie *movie =
        movie_of("flashes --durations 500 --contrasts 1,-1 --interval 0.5 --before 0 --duration 7.4 --height 1 --width 1");
    retc_trials trials = trials_of(movie);
    float *x = frames_of(movie, 0, 444);
    ck_assert_uint_eq(movie->layout.frames, 444);
    ck_assert_uint_eq(trials.trials, 7);
    ck_assert(x[6 * 60] == 255 && x[6 * 60 + 29] == 255 && x[7 * 60] == 127.5F && x[443] == 127.5F);
    retc_free(x);
    retc_trials_free(&trials);
    retc_movie_free(movie);
    ck_assert_ptr_null(make("flashes --durations 500 --before 1 --frames 89 --height 1 --width 1"));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "89 frames hold no trial, the first ends at frame 90"));
}
END_TEST

static const char *const kinds[] = {
    "flashes",          "paired-flashes", "luminance-steps", "contrast-steps",  "reversing-grating",
    "drifting-grating", "moving-bar",     "moving-spot",     "motion-reversal", "motion-anticipation",
    "object-motion",    "omitted",        "looming",         "chirp",
};

/* Pieces, threads and seeds: frames depend on the seed alone, and only where something is random. */
START_TEST(test_pieces_and_seeds) {
    char line[256];
    snprintf(line, sizeof line, "%s --height 5 --width 6 --order shuffled --repeats 6", kinds[_i]);
    retc_movie *movie = movie_of(line);
    size_t T = movie->layout.frames;
    T = T < 2500 ? T : 2500;
    float *whole = frames_of(movie, 0, T);
    for (size_t i = 0; i < T * 30; ++i)
        ck_assert(whole[i] >= 0 && whole[i] <= 255);
    request.screen.threads = 1;
    retc_movie *again = retc_movie_request_make(&request);
    for (size_t t0 = 0; t0 < T; t0 += 177) {
        size_t n = T - t0 < 177 ? T - t0 : 177;
        float *piece = frames_of(again, t0, n);
        ck_assert_mem_eq(piece, whole + t0 * 30, n * 30 * sizeof *piece);
        retc_free(piece);
    }
    retc_movie_free(again);
    request.screen.seed = 2;
    ck_assert_ptr_nonnull(again = retc_movie_request_make(&request));
    float *other = frames_of(again, 0, T);
    int one_condition = strcmp(kinds[_i], "luminance-steps") == 0 || strcmp(kinds[_i], "chirp") == 0;
    ck_assert_int_eq(memcmp(other, whole, T * 30 * sizeof *other) == 0, one_condition);
    retc_free(other);
    retc_movie_free(again);
    retc_free(whole);
    retc_movie_free(movie);
}
END_TEST

START_TEST(test_bytes) {
    retc_movie *movie = movie_of("flashes --contrasts 0.5 --levels byte --repeats 1 --height 1 --width 1");
    ck_assert_int_eq(movie->layout.type, RETC_H5_UINT8);
    retc_movie_free(movie);
    movie = movie_of("flashes --contrasts 0.5 --repeats 1 --height 1 --width 1");
    ck_assert_int_eq(movie->layout.type, RETC_H5_FLOAT);
    retc_movie_free(movie);
}
END_TEST

static const struct {
    const char *line, *reason;
} refused[] = {
    {"flashes --contrasts 1.5", "--contrasts: 1.5 is out of range (-1 to 1)"},
    {"flashes --durations 100,x", "--durations: \"100,x\" is not a list of at most 64 numbers"},
    {"flashes --repeats 0", "--repeats: 0 is out of range"},
    {"flashes --order random", "--order: \"random\" is not one of sequential|shuffled"},
    {"flashes --speeds 3", "there is no option --speeds"},
    {"flashes --durations 1e7 --repeats 1000000", "flashes: more than 1e+09 frames; ask for fewer repeats or conditions"},
    {"drifting-grating --periods 200 --spatial-frequencies 5", "give --periods or --spatial-frequencies, not both"},
    {"drifting-grating --periods 90", "pixels of 50 um cannot show a period of 90 um; set a smaller --pixel-size"},
    {"drifting-grating --temporal-frequencies 31", "60 frames per second cannot show a grating of 31 Hz; raise --frame-rate"},
    {"chirp --highest 40", "60 frames per second cannot show modulations of more than 30 Hz"},
    {"chirp --step 0 --pause 0 --sweep 0", "--sweep: 0 is out of range"},
    {"omitted --periods 30", "omitted: flashes of 40 ms do not fit a period of 30 ms"},
    {"omitted --flashes 2.5", "omitted: 2.5 flashes are no whole number"},
    {"motion-reversal --places 900", "motion-reversal: the bar is not on the screen at 900 um from its middle"},
    {"object-motion --period 80", "object-motion: pixels of 50 um cannot show a period of 80 um"},
    {"looming --smallest 700", "looming: diameters from 700 to 600 um have no meaning"},
    {"looming --largest 6000", "to less than 180 degrees (5580 um)"},
    {"looming --approaches 0.5", "looming: an approach is 1, -1 or 0, not 0.5"},
};

START_TEST(test_refuses) {
    ck_assert_msg(make(refused[_i].line) == NULL, "%s was taken", refused[_i].line);
    ck_assert_msg(strstr(retc_error_message(), refused[_i].reason) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(),
                  refused[_i].reason);
}
END_TEST

/* ---- files of trials ------------------------------------------------------------------------------------------------- */

static void
write_trials(const char *path, const retc_trials *trials) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_trials_write(file, "test", trials));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

static const struct {
    size_t condition, start, frames;
    double onset;
    const char *reason; /* NULL: fine */
} second_trials[] = {
    {1, 10, 5, 1, NULL},
    {2, 10, 5, 1, "trial 1 is of condition 2, there are 2"},
    {1, 9, 5, 1, "trial 1 is empty, or begins before the one before it has ended"},
    {1, 10, 0, 1, "trial 1 is empty"},
    {1, 16, 5, 1, "trial 1 lasts to frame 21, the movie has 20"},
    {1, 10, 5, (double)NAN, "dataset \"test/trials/onset\" is nan at trial 1"},
};

START_TEST(test_files_of_trials) {
    retc_trials trials, read;
    const char *path = retc_test_path("trials.h5");
    ck_ok(retc_trials_alloc(&trials, 2, 1, 2));
    snprintf(trials.parameter[0].name, sizeof trials.parameter[0].name, "speed");
    trials.parameter[0].value[1] = 3.5;
    trials.trial[0] = (retc_trial){0, 5, 5, 0.5, 0.45};
    trials.trial[1] = (retc_trial){second_trials[_i].condition, second_trials[_i].start, second_trials[_i].frames,
                                   second_trials[_i].onset, 0.5};
    write_trials(path, &trials);
    retc_h5 *file = retc_h5_open(path);
    ck_assert_int_eq(retc_trials_has(file, "test"), 1);
    ck_assert_int_eq(retc_trials_has(file, "train"), 0);
    ck_assert_int_eq(retc_trials_has(file, ""), 0);
    if (second_trials[_i].reason) {
        ck_fails(retc_trials_read(file, "test", 20, &read), second_trials[_i].reason);
    } else {
        ck_ok(retc_trials_read(file, "test", 20, &read));
        ck_assert(read.parameter[0].value[1] == 3.5 && read.parameter[0].unit[0] == '\0');
        ck_assert(read.trial[1].start == 10 && read.trial[1].frames == 5 && read.trial[0].duration == 0.45);
        retc_trials_free(&read);
    }
    retc_h5_close(file);
    retc_trials_free(&trials);
}
END_TEST

static Suite *
protocols_suite(void) {
    Suite *suite = suite_create("protocols");
    TCase *forms = tcase_create("coverage"), *levels = tcase_create("levels"), *trials = tcase_create("trials");
    tcase_set_timeout(forms, 60);
    tcase_add_loop_test(forms, test_blurred_profiles, 0, 4);
    tcase_add_test(forms, test_blur_by_hand);
    tcase_add_loop_test(forms, test_disc, 0, 4);
    tcase_set_timeout(levels, 120);
    tcase_add_loop_test(levels, test_levels, 0, sizeof shown / sizeof *shown);
    tcase_add_test(levels, test_flash_by_hand);
    tcase_add_loop_test(levels, test_areas, 0, sizeof areas / sizeof *areas);
    tcase_add_test(levels, test_looming_ratio);
    tcase_add_test(levels, test_grating_frequencies);
    tcase_add_test(levels, test_reversing_phases);
    tcase_add_test(levels, test_grating_in_disc);
    tcase_add_test(levels, test_contrast_steps);
    tcase_add_test(levels, test_frozen_flicker);
    tcase_add_test(levels, test_object_motion);
    tcase_set_timeout(trials, 60);
    tcase_add_test(trials, test_trials);
    tcase_add_test(trials, test_length_of_movie);
    tcase_add_loop_test(trials, test_pieces_and_seeds, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(trials, test_bytes);
    tcase_add_loop_test(trials, test_refuses, 0, sizeof refused / sizeof *refused);
    tcase_add_loop_test(trials, test_files_of_trials, 0, sizeof second_trials / sizeof *second_trials);
    suite_add_tcase(suite, forms);
    suite_add_tcase(suite, levels);
    suite_add_tcase(suite, trials);
    return suite;
}

int
main(void) {
    return retc_test_main(protocols_suite(), NULL);
}
