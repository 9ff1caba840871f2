/* What receptive fields of known shape look like: the Gaussian of their centre, polarity, latency, motion. */
#include <math.h>
#include <string.h>

#include "fixtures.h"
#include "gaussian.h"
#include "irf_shape.h"
#include "separate.h"
#include "testing.h"

/* ---- planted fields -------------------------------------------------------------------------------------------------- */

enum { FRAMES = 24, ROWS = 26, COLUMNS = 30, PIXELS = ROWS * COLUMNS, STILL = 7, LOBES = 8 };

/* A Gaussian in time and space, of standard deviation `time` frames around frame 14.5, moving by vx, vy pixels per frame; its
 * map a Gaussian with `major` along `angle` degrees (anticlockwise), `minor` across, in the middle at row 11.4, column 15.7. */
typedef struct {
    double time, major, minor, angle, vx, vy, strength;
} planted;

static void
plant(const planted *f, float *field) {
    double c = cos(f->angle * M_PI / 180), s = sin(f->angle * M_PI / 180);
    for (size_t k = 0; k < FRAMES; ++k)
        for (size_t p = 0; p < PIXELS; ++p) {
            double t = (double)k - 14.5, x = (double)(p % COLUMNS) - 15.7 - f->vx * t,
                   y = (double)(p / COLUMNS) - 11.4 - f->vy * t;
            double along = c * x - s * y, across = s * x + c * y;
            field[k * PIXELS + p] =
                (float)(f->strength * exp(-0.5 * (pow(along / f->major, 2) + pow(across / f->minor, 2) + pow(t / f->time, 2))));
        }
}

static retc_irf_shape
shape_of(const float *field, size_t rank, double *error) {
    retc_separate_options options = {FRAMES, PIXELS, rank, 0, 0, RETC_SIGN_BSCOPE};
    retc_separator *separator = retc_separator_alloc(&options);
    ck_assert_ptr_nonnull(separator);
    float *u = retc_calloc(rank * FRAMES, sizeof *u), *v = retc_calloc(rank * PIXELS, sizeof *v),
          *scratch = retc_calloc(2 * rank * PIXELS, sizeof *scratch), s[8];
    retc_separation result = {u, s, v, 0, 0, 0};
    ck_ok(retc_separate(separator, field, &result));
    *error = result.error;
    retc_irf_place place = {0, 0, ROWS, COLUMNS, FRAMES, rank, 1};
    retc_irf_shape shape;
    retc_irf_shape_of(&place, &result, scratch, &shape);
    retc_free(u), retc_free(v), retc_free(scratch);
    retc_separator_free(separator);
    return shape;
}

/* The map is a Gaussian at the middles of pixels, what is fitted: it is found but for rounding, 5e-4 of the separation. */
START_TEST(a_still_field_is_measured) {
    static const planted cases[STILL] = {{3, 4, 2.5, 30, 0, 0, 2.5}, {3, 3, 2, 120, 0, 0, -1.5},  {5, 2, 2, 0, 0, 0, 1e-4},
                                         {3, 0.5, 0.5, 0, 0, 0, -1}, {3, 0.7, 0.4, 160, 0, 0, 1}, {3, 2.5, 0.5, 75, 0, 0, -3},
                                         {3, 0.65, 0.65, 0, 0, 0, 1}};
    const planted *f = &cases[_i];
    float *field = retc_calloc(FRAMES * PIXELS, sizeof *field);
    double error;
    plant(f, field);
    retc_irf_shape shape = shape_of(field, 2, &error);
    ck_assert_double_le(error, 5e-4);
    ck_assert_double_eq_tol(shape.row, 11.4, 1e-3);
    ck_assert_double_eq_tol(shape.column, 15.7, 1e-3);
    ck_assert_double_eq_tol(shape.major, f->major, 1e-3 * f->major);
    ck_assert_double_eq_tol(shape.minor, f->minor, 1e-3 * f->minor);
    if (f->major > f->minor)
        ck_assert_double_eq_tol(shape.orientation, f->angle, 0.1);
    ck_assert_double_eq_tol(shape.polarity, f->strength > 0 ? 1 : -1, 1e-6);
    ck_assert_double_eq_tol(shape.latency, FRAMES - 1 - 14.5 + 1, 1e-4); /* by symmetry exact but for rounding */
    ck_assert_double_eq_tol(shape.separability, 1, 1e-6);
    ck_assert_double_le(shape.index, 2e-3); /* rounding of a second term of strength 1e-6 */
    retc_free(field);
}
END_TEST

/* Of a time course of two frames, the newer n and the older o, a step of light adds n, then n + o: with n > 0 and a positive
 * map on = max(n, n + o) and off = max(0, -(n + o)). */
START_TEST(lobes_are_weighed) {
    static const struct {
        double older, newer, strength, polarity;
    } cases[LOBES] = {{0.8, -0.6, 1, -0.5}, {0.8, -0.6, -2, 0.5}, {1, -1, 1, -1},        {0, -3, 1, -1},
                      {0.5, 1, -1, -1},     {-0.4, 1, 1, 1},      {-1.5, 1, 3, 1 / 3.0}, {-2, 1, 1, 0}};
    float *field = retc_calloc(FRAMES * PIXELS, sizeof *field);
    double error;
    plant(&(planted){1, 0.6, 0.6, 0, 0, 0, cases[_i].strength}, field);
    for (size_t k = FRAMES; k-- > 0;) /* the map of frame 14 in frames 20 and 21 */
        for (size_t p = 0; p < PIXELS; ++p)
            field[k * PIXELS + p] = k > 14 ? (float)((k == 20   ? cases[_i].older
                                                      : k == 21 ? cases[_i].newer
                                                                : 0) *
                                                     (double)field[14 * PIXELS + p])
                                           : field[k * PIXELS + p];
    memset(field, 0, 15 * PIXELS * sizeof *field);
    ck_assert_double_eq_tol(shape_of(field, 1, &error).polarity, cases[_i].polarity, 1e-5);
    retc_free(field);
}
END_TEST

/* Sums of products of derivatives of a Gaussian are the elements of its precision matrix: with velocity c along x the speed
 * comes out as c and the index as R^2 = (c^2/sx^2) / (c^2/sx^2 + 1/st^2).  Central differences see a wave of wave number k
 * slower by sin(k)/k, 1 - k^2/6, with k^2 = 1/(2 s^2) on average: 1 in 100 for s = 3 on either side; four terms leave out
 * little. */
START_TEST(a_moving_field_has_a_direction) {
    static const struct {
        double vx, vy, direction;
    } moves[] = {{0.6, 0, 0}, {-0.6, 0, 180}, {0, 0.6, 270}, {0, -0.6, 90}, {0.4, -0.4, 45}};
    double speed = hypot(moves[_i].vx, moves[_i].vy), s = 3, st = 3;
    planted f = {st, s, s, 0, moves[_i].vx, moves[_i].vy, -1};
    float *field = retc_calloc(FRAMES * PIXELS, sizeof *field);
    double error, still = 1 / (st * st), moved = speed * speed / (s * s);
    plant(&f, field);
    retc_irf_shape shape = shape_of(field, 4, &error);
    ck_assert_double_le(error, 0.02);
    ck_assert_double_eq_tol(fmod(shape.direction - moves[_i].direction + 540, 360), 180, 2);
    ck_assert_double_eq_tol(shape.speed, speed, 0.03 * speed);
    ck_assert_double_eq_tol(shape.index, sqrt(moved / (moved + still)), 0.03);
    ck_assert_double_eq_tol(shape_of(field, 1, &error).index, 0, 1e-6); /* one product of space and time */
    retc_free(field);
}
END_TEST

START_TEST(nothing_has_no_shape) {
    float *field = retc_calloc(FRAMES * PIXELS, sizeof *field);
    double error;
    retc_irf_shape shape = shape_of(field, 2, &error);
    ck_assert_double_eq(error, 0);
    ck_assert_double_eq(shape.polarity, 0);
    ck_assert(isnan(shape.row) && isnan(shape.major) && isnan(shape.latency) && isnan(shape.index));
    field[5] = NAN;
    retc_separate_options options = {FRAMES, PIXELS, 1, 0, 0, RETC_SIGN_BSCOPE};
    retc_separator *separator = retc_separator_alloc(&options);
    float u[FRAMES], s[1], *v = retc_calloc(PIXELS, sizeof *v);
    retc_separation result = {u, s, v, 0, 0, 0};
    ck_fails(retc_separate(separator, field, &result), "a receptive field is not finite");
    options.rank = FRAMES + 1;
    ck_assert_ptr_null(retc_separator_alloc(&options));
    ck_assert_ptr_nonnull(
        strstr(retc_error_message(), "a rank of 25 is asked for; a receptive field of 24 frames by 780 pixels"));
    retc_free(field), retc_free(v);
    retc_separator_free(separator);
}
END_TEST

/* ---- maps ------------------------------------------------------------------------------------------------------------ */

enum { SIDE = 13, MAP = SIDE * SIDE };

/* Mean of a Gaussian of standard deviation s around m over the pixel of coordinate x. */
static double
averaged(double x, double m, double s) {
    return s * sqrt(M_PI / 2) * (erf((x + 0.5 - m) / (s * M_SQRT2)) - erf((x - 0.5 - m) / (s * M_SQRT2)));
}

/* Add to a map what the pixels see of a Gaussian in the retina. */
static void
see(float *map, double strength, double row, double column, double sy, double sx) {
    for (size_t p = 0; p < MAP; ++p)
        map[p] += (float)(strength * averaged((double)(p / SIDE), row, sy) * averaged((double)(p % SIDE), column, sx));
}

static retc_gaussian
fitted(const float *map) {
    float scratch[MAP];
    return retc_gaussian_fit(map, SIDE, SIDE, scratch);
}

/* Wherever a field lies on the pixels' grid, the fit is its Gaussian and the pixel's extent, S = C + I/12 (Sheppard's
 * correction), but for what the shape that pixels see is not Gaussian: the less the wider it is.  No jump shows where pixels
 * enter or leave the centre. */
START_TEST(a_field_may_lie_anywhere) {
    static const struct {
        double sy, sx, tolerance, place;
    } cases[] = {
        {0.3, 0.3, 0.1, 0.04}, {0.4, 0.5, 0.04, 0.02}, {0.5, 0.5, 0.015, 0.01}, {0.9, 0.7, 0.01, 2e-3}, {2, 1.5, 1e-3, 1e-3}};
    double sy = cases[_i].sy, sx = cases[_i].sx, tolerance = cases[_i].tolerance;
    double major = sqrt(fmax(sy, sx) * fmax(sy, sx) + 1 / 12.0), minor = sqrt(fmin(sy, sx) * fmin(sy, sx) + 1 / 12.0);
    for (int place = 0; place <= 20; ++place) {
        double row = 6 - 0.05 * place, column = 5.5 + 0.07 * place;
        float map[MAP] = {0};
        see(map, place % 2 ? -2 : 1, row, column, sy, sx);
        retc_gaussian g = fitted(map);
        ck_assert_double_eq_tol(g.major, major, tolerance * major);
        ck_assert_double_eq_tol(g.minor, minor, tolerance * minor);
        ck_assert_double_eq_tol(g.row, row, cases[_i].place);
        ck_assert_double_eq_tol(g.column, column, cases[_i].place);
    }
}
END_TEST

/* What is all in one pixel has the size of a pixel, at the map's edge too, and no axis.  A Gaussian that narrow reaches exp(-6)
 * into the pixels around, and moves away from them by a little where they are on one side only. */
START_TEST(one_pixel_has_the_size_of_a_pixel) {
    static const size_t places[] = {6 * SIDE + 7, 0, SIDE - 1, 5 * SIDE};
    float map[MAP] = {0}, one = -3, scratch;
    map[places[_i]] = -2;
    retc_gaussian g = fitted(map);
    ck_assert_double_eq_tol(g.major, sqrt(1 / 12.0), 1e-6);
    ck_assert_double_eq_tol(g.minor, sqrt(1 / 12.0), 1e-6);
    ck_assert_double_eq_tol(g.row, (double)(places[_i] / SIDE), 0.05);
    ck_assert_double_eq_tol(g.column, (double)(places[_i] % SIDE), 0.05);
    ck_assert(isnan(g.orientation));
    g = retc_gaussian_fit(&one, 1, 1, &scratch); /* a map of one pixel says nothing of its field's size */
    ck_assert(g.row == 0 && g.column == 0 && isfinite(g.major) && isfinite(g.minor));
}
END_TEST

/* A centre next to which another field lies, in a surround and in noise: only it is measured.  Less a surround a tenth as
 * strong and three times as wide, a Gaussian falls to 0.57 of its peak at s and to 0.06 at 2 s, as one of 0.94 s and one of
 * 0.85 s would; noise of 0.02 adds a few parts in 100. */
START_TEST(only_the_centre_counts) {
    static const double sizes[] = {0.8, 1.2, 1.7};
    double s = sizes[_i], expected = sqrt(s * s + 1 / 12.0);
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        float map[MAP] = {0}, *noise = retc_fixture_movie(seed, MAP, 1, 1), peak = 0;
        ck_assert_ptr_nonnull(noise);
        see(map, 1, 4.2, 4.6, s, s);
        for (size_t p = 0; p < MAP; ++p)
            peak = fmaxf(peak, map[p]);
        see(map, -0.1 * (double)peak, 4.2, 4.6, 3 * s, 3 * s);
        map[11 * SIDE + 11] += 0.8f * peak;
        for (size_t p = 0; p < MAP; ++p)
            map[p] += 0.02f * peak * noise[p];
        retc_gaussian g = fitted(map);
        ck_assert_double_eq_tol(g.major, expected, 0.2 * expected);
        ck_assert_double_eq_tol(g.minor, expected, 0.2 * expected);
        ck_assert_double_eq_tol(g.row, 4.2, 0.1);
        ck_assert_double_eq_tol(g.column, 4.6, 0.1);
        retc_free(noise);
    }
}
END_TEST

/* A ramp, a plane, a line of pixels: nothing like a Gaussian, and still within the map. */
START_TEST(other_shapes_stay_within_the_map) {
    float map[MAP], scratch[MAP];
    for (size_t p = 0; p < MAP; ++p)
        map[p] = _i == 0 ? 1 : _i == 1 ? (float)(p % SIDE) : (float)(p * p);
    for (size_t h = 1; h <= SIDE; h += 4) {
        retc_gaussian g = retc_gaussian_fit(map, h, SIDE, scratch);
        ck_assert(g.row >= -0.5 && g.row <= (double)h - 0.5 && g.column >= -0.5 && g.column <= SIDE - 0.5);
        ck_assert(g.minor >= sqrt(1 / 12.0) - 1e-9 && g.major >= g.minor && g.major <= hypot((double)h, SIDE) + 1e-9);
    }
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("irf shape");
    TCase *tcase = tcase_create("planted fields");
    tcase_add_loop_test(tcase, a_still_field_is_measured, 0, STILL);
    tcase_add_loop_test(tcase, lobes_are_weighed, 0, LOBES);
    tcase_add_loop_test(tcase, a_moving_field_has_a_direction, 0, 5);
    tcase_add_test(tcase, nothing_has_no_shape);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("maps");
    tcase_add_loop_test(tcase, a_field_may_lie_anywhere, 0, 5);
    tcase_add_loop_test(tcase, one_pixel_has_the_size_of_a_pixel, 0, 4);
    tcase_add_loop_test(tcase, only_the_centre_counts, 0, 3);
    tcase_add_loop_test(tcase, other_shapes_stay_within_the_map, 0, 3);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
