/* The table of the figure "input", from a made-up file of known numbers. */
#include "figure_input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tables.h"
#include "testing.h"

enum { T = 12, S = 8, L = 3, H = 2, W = 3, PIXELS = H * W };

/* Samples last 0.1 s; between the 6th and the 7th lie two frames that belong to no sample.  Attributions were made of samples 0
 * ... 3 and 6 ... 9: entry s is of sample s or s + 2. */
static double
time_of(size_t sample) {
    return 0.5 + 0.1 * (double)(sample < 6 ? sample : sample + 2);
}

static float
map_value(size_t s, size_t p) {
    return (s % 2 ? -1.0f : 1.0f) * (float)(s + 1) * (float)p;
}

static float
course_value(size_t s, size_t k) {
    return (float)(s + 1) * ((float)k - 0.5f);
}

typedef struct {
    const char *target;
    int cell, softmax;
    size_t pixels; /* 1: a movie of one pixel */
    int wrong;     /* 1: no input; 2: samples out of order; 3: a number that is none */
} file_of;

static retc_h5 *
make_file(const file_of *of) {
    double time[T], target[T], zero[T];
    float map[S * PIXELS], course[S * L];
    int64_t sample[S];
    size_t h = of->pixels == 1 ? 1 : H, w = of->pixels == 1 ? 1 : W, t = T, n = S;
    for (size_t i = 0; i < T; ++i)
        time[i] = time_of(i), target[i] = 10 + (double)i, zero[i] = 4;
    for (size_t s = 0; s < S; ++s) {
        sample[s] = (int64_t)(s < 4 ? s : s + 2);
        for (size_t p = 0; p < h * w; ++p)
            map[s * h * w + p] = map_value(s, p);
        for (size_t k = 0; k < L; ++k)
            course[s * L + k] = course_value(s, k);
    }
    if (of->wrong == 2)
        sample[5] = 3;
    if (of->wrong == 3)
        course[2] = NAN;
    const char *path = retc_test_path("contributions.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_set_text(file, "/", "target", of->target));
    ck_ok(retc_h5_set_int(file, "/", "softmax", of->softmax));
    ck_ok(retc_h5_set_int(file, "/", "lag", 1));
    if (of->cell >= 0)
        ck_ok(retc_h5_set_int(file, "/", "target_cell", of->cell));
    ck_ok(retc_h5_put_texts(file, "/metadata/cell_names", 2, (const char *const[]){"left", "right"}));
    ck_ok(retc_h5_put(file, "/metadata/time", RETC_H5_DOUBLE, 1, &t, time));
    ck_ok(retc_h5_put(file, "/completeness/target", RETC_H5_DOUBLE, 1, &t, target));
    ck_ok(retc_h5_put(file, "/completeness/target_zero", RETC_H5_DOUBLE, 1, &t, zero));
    if (of->wrong != 1) {
        ck_ok(retc_h5_put(file, "/input/map", RETC_H5_FLOAT, 3, (size_t[]){S, h, w}, map));
        ck_ok(retc_h5_put(file, "/input/course", RETC_H5_FLOAT, 2, (size_t[]){S, L}, course));
        ck_ok(retc_h5_put(file, "/input/sample", RETC_H5_INT64, 1, &n, sample));
        ck_ok(retc_h5_set_int(file, "/input/map", "row", 4));
        ck_ok(retc_h5_set_int(file, "/input/map", "column", 5));
    }
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    return file;
}

static const file_of plain = {"cell", 1, 0, PIXELS, 0};

static void
draw(const file_of *of, double start, double duration, const double *times, size_t n) {
    retc_h5 *file = make_file(of);
    const retc_figure_input_options options = {start, duration, times, n};
    FILE *table = retc_test_table_begin();
    ck_ok(retc_figure_input(file, &options, table));
    fclose(table);
    retc_h5_close(file);
}

static void
refused(const file_of *of, double start, double duration, const double *times, size_t n, const char *says) {
    retc_h5 *file = make_file(of);
    const retc_figure_input_options options = {start, duration, times, n};
    FILE *table = retc_test_table_begin();
    ck_fails(retc_figure_input(file, &options, table), says);
    fclose(table);
    retc_h5_close(file);
}

/* The whole: strips have a column per frame, NaN where nothing is; the moments are the last, strongest of each fifth. */
START_TEST(everything_is_drawn) {
    draw(&plain, 0, 100, NULL, 0);
    /* window 0.5 ... 1.8 s, of 14 frames; the strip reaches to 8 x 1.5, maps to 8 x 5, courses of the moments as the strip */
    retc_test_table_has("figure", "\"right\" \"Hz\" 0.5 1.8 -300 -100 12 2 3 4 5 5 40 12 0 21 1 \n");
    double rows[14 * L * 3];
    retc_test_table_numbers("strip", rows, 14 * L * 3);
    for (size_t c = 0; c < 14; ++c)
        for (size_t k = 0; k < L; ++k) {
            const double *row = rows + (c * L + k) * 3;
            int is_there = c < 4 || (c >= 8 && c < 12);
            ck_assert_double_eq_tol(row[0], 0.5 + 0.1 * (double)c, 1e-9);
            ck_assert_double_eq_tol(row[1], -100 * (double)(L - k), 1e-9);
            if (is_there)
                ck_assert_double_eq(row[2], (double)course_value(c < 4 ? c : c - 4, k));
            else
                ck_assert(isnan(row[2]));
        }
    /* Parts of 8: 0; 1, 2; 3; 4, 5; 6, 7.  Their strongest: 0, 2, 3, 5, 7, with sums of 15 times their number. */
    retc_test_table_has("moments", "1 0.5 15 \n2 0.7 45 \n3 0.8 -60 \n4 1.4 -90 \n5 1.6 -120 \n");
    retc_test_table_has("course 2", "-300 -1.5 \n-200 1.5 \n-100 4.5 \n");
    retc_test_table_has("map 3", "5 4 0 \n6 4 -4 \n7 4 -8 \n5 5 -12 \n6 5 -16 \n7 5 -20 \n");
    double target[T * 3];
    retc_test_table_numbers("target", target, T * 3);
    for (size_t t = 0; t < T; ++t) {
        ck_assert_double_eq_tol(target[3 * t], time_of(t), 1e-9);
        ck_assert_double_eq(target[3 * t + 1], 10 + (double)t);
        ck_assert_double_eq(target[3 * t + 2], 4);
    }
}
END_TEST

/* A part of it, without gaps, at times that are asked for: the nearest samples, in that order. */
START_TEST(moments_can_be_chosen) {
    draw(&plain, 0.1, 0.3, (const double[]){0.76, 0.61}, 2);
    retc_test_table_has("figure", "\"right\" \"Hz\" 0.6 0.8 -300 -100 6 2 3 4 5 2 20 6 0 13 0 \n");
    retc_test_table_has("moments", "1 0.8 -60 \n2 0.6 -30 \n");
    refused(&plain, 0.1, 0.3, (const double[]){1.2}, 1, "--times: 1.2 s is not in the window from 0.6 to 0.8 s");
    refused(&plain, 0, 9, (const double[]){1, 1, 1, 1, 1, 1}, 6, "6 moments are asked for, at most 5");
}
END_TEST

/* Targets by their names and units; a movie of one pixel has courses and no maps. */
START_TEST(targets_have_their_units) {
    static const file_of of[] = {{"surprisal", -1, 0, PIXELS, 0}, {"sum", -1, 0, PIXELS, 0},  {"entropy", -1, 0, PIXELS, 0},
                                 {"cell", 0, 1, PIXELS, 0},       {"topk", -1, 0, PIXELS, 0}, {"cell", 7, 0, PIXELS, 0}};
    static const char *const head[] = {"\"surprisal\" \"\" ", "\"sum\" \"Hz\" ",  "\"entropy\" \"\" ",
                                       "\"left\" \"\" ",      "\"topk\" \"Hz\" ", "\"cell\" \"Hz\" "};
    draw(&of[_i], 0, 1, NULL, 0);
    char *block = retc_test_table_block("figure");
    ck_assert_msg(strncmp(block, head[_i], strlen(head[_i])) == 0, "%s", block);
    free(block);
}
END_TEST

START_TEST(one_pixel_has_no_map) {
    const file_of one = {"cell", 1, 0, 1, 0};
    draw(&one, 0, 0.2, NULL, 0);
    ck_assert_ptr_null(strstr(retc_test_table(), "# map"));
    retc_test_table_has("course 1", "-300 -0.5 \n-200 0.5 \n-100 1.5 \n");
    retc_test_table_has("figure", "\"right\" \"Hz\" 0.5 0.6 -300 -100 3 1 1 4 5 2 1 3 0 11 0 \n"); /* maps of nothing but 0 */
}
END_TEST

START_TEST(files_without_attributions_are_refused) {
    static const struct {
        int wrong;
        const char *says;
    } cases[] = {{1, "contributions.h5: holds no input attributions; retcodec contribute --input map writes them"},
                 {2, "/input/sample does not ascend from 0 to 11 at entry 5"},
                 {3, "input attributions are not finite"}};
    file_of of = plain;
    of.wrong = cases[_i].wrong;
    refused(&of, 0, 1, NULL, 0, cases[_i].says);
    refused(&plain, 0.4, 0.15, NULL, 0, "holds no input attributions from 0.4 s on for 0.15 s");
    refused(&plain, 70, 1, NULL, 0, "there is no sample from 70 s on");
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("figure of input attributions");
    TCase *tcase = tcase_create("table");
    tcase_add_test(tcase, everything_is_drawn);
    tcase_add_test(tcase, moments_can_be_chosen);
    tcase_add_loop_test(tcase, targets_have_their_units, 0, 6);
    tcase_add_test(tcase, one_pixel_has_no_map);
    tcase_add_loop_test(tcase, files_without_attributions_are_refused, 0, 3);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
