/* The tables behind the figures: what they hold is recomputed here from made-up results with known values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure_filters.h"
#include "figure_irf.h"
#include "figure_irf_sta.h"
#include "figure_psth.h"
#include "figure_strip.h"
#include "tables.h"
#include "testing.h"

static void
put_floats(retc_h5 *file, const char *name, int rank, const size_t *shape, const float *data) {
    ck_ok(retc_h5_put(file, name, RETC_H5_FLOAT, rank, shape, data));
}

static void
put_doubles(retc_h5 *file, const char *name, int rank, const size_t *shape, const double *data) {
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, rank, shape, data));
}

/* Commit what was made and open it again for reading. */
static retc_h5 *
reopen(retc_h5 *file) {
    char *path = retc_strdup(retc_h5_path(file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_h5 *opened = retc_h5_open(path);
    ck_assert_ptr_nonnull(opened);
    retc_free(path);
    return opened;
}

static retc_h5 *
create(const char *name) {
    retc_h5 *file = retc_h5_create(retc_test_path(name), 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    return file;
}

static const char *const names[] = {"ON parasol", "cell \"2\"", "cell03"};

/* ---- common ---------------------------------------------------------------------------------------------------------- */

START_TEST(test_entries) {
    FILE *table = retc_test_table_begin();
    retc_table_number(table, 0.1);
    retc_table_number(table, (double)NAN);
    retc_table_number(table, (double)INFINITY);
    retc_table_number(table, 1234567);
    retc_table_text(table, "a \"b\"\nc");
    retc_table_end_row(table);
    fclose(table);
    ck_assert_str_eq(retc_test_table(), "0.1 NaN NaN 1234567 \"a 'b' c\" \n");
}
END_TEST

START_TEST(test_window) {
    const double time[] = {5, 5.1, 5.2, 5.3, 5.4};
    size_t first = 0, count = 0;
    ck_ok(retc_figure_window(time, 5, 0, 10, &first, &count));
    ck_assert(first == 0 && count == 5);
    /* 5.3 - 5 and 0.2 + 0.1 differ in their last digits: both count as 0.3. */
    ck_ok(retc_figure_window(time, 5, 0.2, 0.1, &first, &count));
    ck_assert(first == 2 && count == 1);
    ck_ok(retc_figure_window(time, 5, 0.15, 0.2, &first, &count));
    ck_assert(first == 2 && count == 2);
    ck_fails(retc_figure_window(time, 5, 0.41, 1, &first, &count),
             "there is no sample from 0.41 s on for 1 s; samples go from 0 to 0.4 s");
    ck_fails(retc_figure_window(time, 0, 0, 1, &first, &count), "there is no sample to draw");
    ck_assert(fabs(retc_figure_interval(time, 5) - 0.1) < 1e-12);
    ck_assert(retc_figure_interval((const double[]){0, 1, 2, 10}, 4) == 1);
    ck_assert(retc_figure_interval(time, 1) == 0);
}
END_TEST

START_TEST(test_cells) {
    retc_figure_cells cells = {0}, matched = {0};
    retc_h5 *file = create("cells.h5");
    ck_ok(retc_h5_put_texts(file, "/cell_names", 3, names));
    ck_ok(retc_h5_put_texts(file, "/reversed", 3, (const char *const[]){names[2], names[1], names[0]}));
    file = reopen(file);
    ck_ok(retc_figure_cells_choose(file, "/cell_names", 3, NULL, 2, &cells));
    ck_assert(cells.n == 2 && cells.total == 3 && cells.index[1] == 1);
    ck_assert_str_eq(cells.name[0], "ON parasol");
    retc_figure_cells_free(&cells);
    ck_ok(retc_figure_cells_choose(file, "/cell_names", 3, "cell03,ON parasol", 1, &cells));
    ck_assert(cells.n == 2 && cells.index[0] == 2 && cells.index[1] == 0);
    ck_ok(retc_figure_cells_match(file, "/reversed", 3, &cells, &matched));
    ck_assert(matched.n == 2 && matched.index[0] == 0 && matched.index[1] == 2);
    retc_figure_cells_free(&matched);
    retc_figure_cells_free(&cells);
    /* without names */
    ck_ok(retc_figure_cells_choose(file, "/nowhere", 12, "cell01,cell12", 1, &cells));
    ck_assert(cells.index[0] == 0 && cells.index[1] == 11);
    ck_fails(retc_figure_cells_match(file, "/reversed", 3, &cells, &matched),
             "there is no cell \"cell01\" among its 3 cells (cell03 ... ");
    retc_figure_cells_free(&matched);
    retc_figure_cells_free(&cells);
    ck_fails(retc_figure_cells_choose(file, "/cell_names", 3, "cell0", 1, &cells),
             "there is no cell \"cell0\" among its 3 cells");
    retc_figure_cells_free(&cells);
    ck_fails(retc_figure_cells_choose(file, "/cell_names", 4, NULL, 1, &cells), "\"/cell_names\" names 3 cells, expected 4");
    retc_figure_cells_free(&cells);
    retc_h5_close(file);
}
END_TEST

/* ---- filters --------------------------------------------------------------------------------------------------------- */

enum { RF_N = 2, RF_L = 3, RF_H = 2, RF_W = 2, RF_B = 3 };

/* STA of cell n at (k,y,x): (n+1)(k+1) + y/10 + x/100, negative for cell 1; the peak of all is at the last. */
static retc_h5 *
make_rf(const char *name, size_t H, size_t W, const int64_t *peak, double interval) {
    float sta[RF_N * RF_L * RF_H * RF_W];
    double level[] = {0.25, 0.5}, spikes[] = {100, 200};
    double x[RF_N][RF_B] = {{-1, 0, 1}, {-2, 2, (double)NAN}}, y[RF_N][RF_B] = {{1, 2, 4}, {3, 9, (double)NAN}};
    size_t i = 0;
    for (size_t n = 0; n < RF_N; ++n)
        for (size_t k = 0; k < RF_L; ++k)
            for (size_t p = 0; p < H * W; ++p)
                sta[i++] = (n ? -1.0f : 1.0f) * ((float)((n + 1) * (k + 1)) + 0.1f * (float)(p / W) + 0.01f * (float)(p % W));
    retc_h5 *file = create(name);
    put_floats(file, "/sta", 4, (size_t[]){RF_N, RF_L, H, W}, sta);
    ck_ok(retc_h5_put(file, "/peak", RETC_H5_INT64, 2, (size_t[]){RF_N, 3}, peak));
    put_doubles(file, "/level", 1, (size_t[]){RF_N}, level);
    put_doubles(file, "/spikes", 1, (size_t[]){RF_N}, spikes);
    put_doubles(file, "/nonlinearity/x", 2, (size_t[]){RF_N, RF_B}, x[0]);
    put_doubles(file, "/nonlinearity/y", 2, (size_t[]){RF_N, RF_B}, y[0]);
    ck_ok(retc_h5_put_texts(file, "/cell_names", RF_N, names));
    if (interval > 0)
        ck_ok(retc_h5_set_number(file, "/", "frame_interval", interval));
    ck_ok(retc_h5_set_int(file, "/", "lag", 1));
    ck_ok(retc_h5_set_number(file, "/", "alpha", 0.05));
    return reopen(file);
}

static int
filters(retc_h5 *file) {
    retc_figure_cells cells = {0};
    FILE *table = retc_test_table_begin();
    ck_ok(retc_figure_cells_choose(file, "/cell_names", RF_N, NULL, 8, &cells));
    int status = retc_figure_filters(file, &cells, table);
    fclose(table);
    retc_figure_cells_free(&cells);
    retc_h5_close(file);
    return status;
}

/* The newest frame of a window with lag 1 begins one interval (10 ms) before the response. */
START_TEST(test_filters) {
    const int64_t peak[] = {2, 1, 1, 1, 0, 1};
    double course[9], map[12];
    ck_ok(filters(make_rf("rf.h5", RF_H, RF_W, peak, 0.01)));
    retc_test_table_has("figure", "2 1 2 2 \"grey: chance level of |STA| (p = 0.05)\" \n");
    retc_test_table_has("cells",
                        "1 \"ON parasol: 100 spikes\" 3.11 0.25 1 1 -10 \n2 \"cell '2': 200 spikes\" 4.11 0.5 0 1 -20 \n");
    retc_test_table_numbers("course 1", course, 9);
    ck_close_double("course 1", course, ((const double[]){-30, 1.11, 0.25, -20, 2.11, 0.25, -10, 3.11, 0.25}), 9, 0, 1e-7);
    retc_test_table_numbers("course 2", course, 9);
    ck_close_double("course 2", course, ((const double[]){-30, -2.01, 0.5, -20, -4.01, 0.5, -10, -6.01, 0.5}), 9, 0, 1e-7);
    retc_test_table_numbers("map 2", map, 12);
    ck_close_double("map 2", map, ((const double[]){0, 0, -4, 1, 0, -4.01, 0, 1, -4.1, 1, 1, -4.11}), 12, 0, 1e-7);
    retc_test_table_has("nonlinearity 1", "-1 1 \n0 2 \n1 4 \n");
    retc_test_table_has("nonlinearity 2", "-2 3 \n2 9 \n");
}
END_TEST

START_TEST(test_filters_of_one_pixel) {
    const int64_t peak[] = {2, 0, 0, 2, 0, 0};
    ck_ok(filters(make_rf("rf.h5", 1, 1, peak, 0.01)));
    retc_test_table_has("figure", "2 0 1 1 \"grey: chance level of |STA| (p = 0.05)\" \n");
    ck_assert_ptr_null(strstr(retc_test_table(), "# map"));
}
END_TEST

START_TEST(test_filters_fail) {
    const int64_t peak[] = {2, 1, 1, 1, 0, 1}, outside[] = {2, 1, 1, 1, 0, 2}, negative[] = {-1, 0, 0, 0, 0, 0};
    ck_fails(filters(make_rf("rf.h5", RF_H, RF_W, peak, 0)), "rf.h5: attribute \"frame_interval\" is missing or not positive");
    ck_fails(filters(make_rf("rf.h5", RF_H, RF_W, outside, 0.01)), "\"/peak\" of cell 1 is (1,0,2), outside the STA (3,2,2)");
    ck_fails(filters(make_rf("rf.h5", RF_H, RF_W, negative, 0.01)), "\"/peak\" of cell 0 is (-1,0,0), outside");
    retc_h5 *file = create("other.h5");
    ck_ok(retc_h5_put_texts(file, "/cell_names", RF_N, names));
    ck_fails(filters(reopen(file)), "other.h5: dataset \"/sta\" is missing");
}
END_TEST

/* ---- psth ------------------------------------------------------------------------------------------------------------ */

/* T samples of 2 cells from frame `first` on, rate 10 n + frame + offset; frames jump by 5 after frame 4. */
static retc_h5 *
make_predictions(const char *name, const char *type, int64_t first, size_t T, float offset, int swap) {
    float rate[2][8], measured[2][8];
    int64_t frame[8];
    double time[8], pearson[] = {0.5, 0.25}, ceiling[] = {0.875, (double)NAN};
    for (size_t t = 0; t < T; ++t) {
        frame[t] = first + (int64_t)t + (first + (int64_t)t > 4 ? 5 : 0);
        time[t] = 0.01 * (double)frame[t];
        for (size_t n = 0; n < 2; ++n) {
            size_t cell = swap ? 1 - n : n;
            rate[n][t] = (float)(10 * cell) + (float)frame[t] + offset;
            measured[n][t] = (float)(100 * (cell + 1)) + (float)frame[t];
        }
    }
    float packed_rate[16], packed_measured[16];
    for (size_t n = 0; n < 2; ++n)
        for (size_t t = 0; t < T; ++t) {
            packed_rate[n * T + t] = rate[n][t];
            packed_measured[n * T + t] = measured[n][t];
        }
    retc_h5 *file = create(name);
    put_floats(file, "/test/rate", 2, (size_t[]){2, T}, packed_rate);
    put_floats(file, "/test/measured", 2, (size_t[]){2, T}, packed_measured);
    ck_ok(retc_h5_put(file, "/test/frame", RETC_H5_INT64, 1, (size_t[]){T}, frame));
    put_doubles(file, "/test/time", 1, (size_t[]){T}, time);
    put_doubles(file, "/score/pearson", 1, (size_t[]){2}, pearson);
    put_doubles(file, "/score/noise_ceiling", 1, (size_t[]){2}, ceiling);
    ck_ok(retc_h5_put_texts(file, "/cell_names", 2, swap ? (const char *const[]){"b", "a"} : (const char *const[]){"a", "b"}));
    ck_ok(retc_h5_set_text(file, "/", "model_type", type));
    return reopen(file);
}

static int
psth(retc_h5 *first, retc_h5 *second, double start, double duration) {
    retc_h5 *const files[] = {first, second};
    retc_figure_cells cells = {0};
    FILE *table = retc_test_table_begin();
    ck_ok(retc_figure_cells_choose(first, "/cell_names", 2, NULL, 8, &cells));
    int status = retc_figure_psth(files, second ? 2 : 1, &cells, start, duration, table);
    fclose(table);
    retc_figure_cells_free(&cells);
    retc_h5_close(first);
    retc_h5_close(second);
    return status;
}

/* The second model starts two frames later and lists its cells the other way round. */
START_TEST(test_psth) {
    ck_ok(psth(make_predictions("ln.h5", "ln", 2, 5, 0, 0), make_predictions("cnn.h5", "cnn", 4, 4, 0.5f, 1), 0, 10));
    retc_test_table_has("figure", "2 2 0.02 0.11 \n");
    retc_test_table_has("models", "1 \"LN\" \n2 \"CNN\" \n");
    retc_test_table_has("cells", "1 \"a   LN r 0.50, CNN r 0.25, ceiling 0.88\" 111 \n2 \"b   LN r 0.25, CNN r 0.50\" 211 \n");
    retc_test_table_has("rates 1",
                        "0.02 102 2 NaN \n0.03 103 3 NaN \n0.04 104 4 4.5 \n\n0.1 110 10 10.5 \n0.11 111 11 11.5 \n");
    retc_test_table_has("rates 2",
                        "0.02 202 12 NaN \n0.03 203 13 NaN \n0.04 204 14 14.5 \n\n0.1 210 20 20.5 \n0.11 211 21 21.5 \n");
}
END_TEST

START_TEST(test_psth_of_one_model) {
    ck_ok(psth(make_predictions("ln.h5", "ln", 2, 5, 200, 0), NULL, 0.01, 0.02));
    retc_test_table_has("figure", "2 1 0.03 0.04 \n");
    retc_test_table_has("cells", "1 \"a   LN r 0.50, ceiling 0.88\" 204 \n2 \"b   LN r 0.25\" 214 \n");
    retc_test_table_has("rates 1", "0.03 103 203 \n0.04 104 204 \n");
}
END_TEST

START_TEST(test_psth_of_like_models) {
    ck_ok(psth(make_predictions("one.h5", "cnn", 2, 5, 0, 0), make_predictions("two.h5", "cnn", 2, 5, 0, 0), 0, 10));
    retc_test_table_has("models", "1 \"CNN (one.h5)\" \n2 \"CNN (two.h5)\" \n");
}
END_TEST

START_TEST(test_psth_fails) {
    retc_h5 *other = create("other.h5");
    put_floats(other, "/test/rate", 2, (size_t[]){1, 1}, (const float[]){1});
    ck_fails(psth(make_predictions("ln.h5", "ln", 2, 5, 0, 0), reopen(other), 0, 10),
             "other.h5: dataset \"/test/measured\" is missing");
    ck_fails(psth(make_predictions("ln.h5", "ln", 2, 5, 0, 0), NULL, 7, 1), "ln.h5: there is no sample from 7 s on");
}
END_TEST

/* ---- strip ----------------------------------------------------------------------------------------------------------- */

enum { STRIP_T = 100, STRIP_N = 2, STRIP_F = 4, STRIP_A = 4 };

/* Contributions t + 100 k of column k; the model's rates n + t, the measured twice that. */
static retc_h5 *
make_contributions(const char *group, int zero) {
    float model[STRIP_T * STRIP_N], measured[STRIP_T * STRIP_N], c[STRIP_T * STRIP_F];
    double time[STRIP_T];
    for (size_t t = 0; t < STRIP_T; ++t) {
        time[t] = 0.5 + 0.01 * (double)t;
        for (size_t n = 0; n < STRIP_N; ++n) {
            model[t * STRIP_N + n] = (float)(n + t);
            measured[t * STRIP_N + n] = (float)(2 * (n + t));
        }
        for (size_t k = 0; k < STRIP_F; ++k)
            c[t * STRIP_F + k] = zero ? 0 : (k < 2 ? -1.0f : 1.0f) * ((float)t + 100 * (float)k);
    }
    retc_h5 *file = create("contributions.h5");
    put_floats(file, "/metadata/model_responses_all_cells", 2, (size_t[]){STRIP_T, STRIP_N}, model);
    put_floats(file, "/metadata/actual_responses_all_cells", 2, (size_t[]){STRIP_T, STRIP_N}, measured);
    put_doubles(file, "/metadata/time", 1, (size_t[]){STRIP_T}, time);
    ck_ok(retc_h5_put_texts(file, "/metadata/layer_names", 2, (const char *const[]){"conv0", "conv1"}));
    for (size_t layer = 0; layer < 2; ++layer) {
        char *name = retc_strf("/%s/conv%zu", group, layer);
        put_floats(file, name, 2, (size_t[]){STRIP_T, STRIP_F}, c);
        retc_free(name);
    }
    return reopen(file);
}

/* Modes of conv1: 0 always acts, 1 acts in odd samples, 2 is strong in the second half only, and 3 follows 2. */
static retc_h5 *
make_modes(size_t T, size_t A) {
    float *z = calloc(T * A, sizeof *z), *dictionary = calloc(A * STRIP_F, sizeof *dictionary);
    for (size_t t = 0; t < T; ++t)
        for (size_t m = 0; m < A; ++m)
            z[t * A + m] = m == 0   ? 1
                           : m == 1 ? 0.5f * (float)(t % 2)
                                    : (m == 2 ? 1 : 0.875f) * (t < 50 ? 0.01f * (float)(t / 2 % 2) : (float)(t % 3));
    for (size_t i = 0; i < A * STRIP_F; ++i)
        dictionary[i] = i < STRIP_F ? 10 : 1;
    retc_h5 *file = create("modes.h5");
    put_floats(file, "/conv1/codes", 2, (size_t[]){T, A}, z);
    put_floats(file, "/conv1/dictionary", 2, (size_t[]){A, STRIP_F}, dictionary);
    free(z);
    free(dictionary);
    return reopen(file);
}

static int
strip(retc_h5 *contributions, retc_h5 *modes, const char *cell, retc_figure_strip_options options) {
    retc_figure_cells cells = {0};
    FILE *table = retc_test_table_begin();
    ck_ok(retc_figure_cells_choose(contributions, "/metadata/cell_names", STRIP_N, cell, 8, &cells));
    int status = retc_figure_strip(contributions, modes, &cells, &options, table);
    fclose(table);
    retc_figure_cells_free(&cells);
    retc_h5_close(contributions);
    retc_h5_close(modes);
    return status;
}

START_TEST(test_strip) {
    double rows[4 * STRIP_F * 3];
    ck_ok(strip(make_contributions("surprisal_contributions", 0), make_modes(STRIP_T, STRIP_A), NULL,
                (retc_figure_strip_options){0.1, 0.04, NULL, NULL}));
    /* samples 10 to 13; the measured sum of cells at 13 is 2 (13 + 14) */
    retc_test_table_has("figure", "2 0.6 0.63 54 \"sum of 2 cells\" \"surprisal\" \n");
    retc_test_table_has("rate", "0.6 42 21 \n0.61 46 23 \n0.62 50 25 \n0.63 54 27 \n");
    /* of 16 values, fewer than 100, the largest is the 99th percentile */
    retc_test_table_has("layers", "1 \"conv0\" 4 313 \n2 \"conv1\" 4 313 \n");
    retc_test_table_numbers("contributions 2", rows, 48);
    ck_close_double("contributions", rows + 12, ((const double[]){0.61, 0, -11, 0.61, 1, -111, 0.61, 2, 211, 0.61, 3, 311}), 12,
                    0, 1e-7);
    /* mode 0 has the longest row but does not vary; here mode 1 varies by 0.25, mode 2 by 0.005 */
    retc_test_table_has("modes", "\"conv1\" 1 2 \n");
    retc_test_table_has("loadings", "0.6 0 0.01 \n0.61 0.5 0.01 \n0.62 0 0 \n0.63 0.5 0 \n");
}
END_TEST

START_TEST(test_strip_choices) {
    ck_ok(strip(make_contributions("cell_0_contributions", 0), make_modes(STRIP_T, STRIP_A), "cell02",
                (retc_figure_strip_options){0, 1, "conv1", (const size_t[]){2, 0}}));
    retc_test_table_has("figure", "2 0.5 1.49 200 \"cell02\" \"cell_0 (Hz)\" \n");
    retc_test_table_has("modes", "\"conv1\" 2 0 \n");
    /* 400 values, 100 each around 0, 100, 200 and 300: the 5th largest is the 99th percentile */
    retc_test_table_has("layers", "1 \"conv0\" 4 395 \n2 \"conv1\" 4 395 \n");
    ck_ok(strip(make_contributions("surprisal_contributions", 0), make_modes(STRIP_T, STRIP_A), NULL,
                (retc_figure_strip_options){0.5, 1, NULL, NULL}));
    /* mode 3 varies more than mode 1, but only as mode 2 does */
    retc_test_table_has("modes", "\"conv1\" 2 1 \n");
}
END_TEST

/* A colour range of 0 would be no range. */
START_TEST(test_strip_of_zeros) {
    ck_ok(strip(make_contributions("surprisal_contributions", 1), make_modes(STRIP_T, STRIP_A), NULL,
                (retc_figure_strip_options){0, 1, NULL, NULL}));
    retc_test_table_has("layers", "1 \"conv0\" 4 1 \n2 \"conv1\" 4 1 \n");
}
END_TEST

START_TEST(test_strip_fails) {
    const retc_figure_strip_options all = {0, 1, NULL, NULL};
    ck_fails(strip(make_contributions("gradients", 0), make_modes(STRIP_T, STRIP_A), NULL, all),
             "contributions.h5: has no group of contributions");
    ck_fails(strip(make_contributions("sum_contributions", 0), make_modes(STRIP_T - 1, STRIP_A), NULL, all),
             "modes.h5: dataset \"/conv1/codes\" is (99,4), expected (100,any)");
    ck_fails(strip(make_contributions("sum_contributions", 0), make_modes(STRIP_T, 1), NULL, all),
             "modes.h5: layer conv1 has 1 modes, two are drawn");
    ck_fails(strip(make_contributions("sum_contributions", 0), make_modes(STRIP_T, STRIP_A), NULL,
                   (retc_figure_strip_options){0, 1, "conv0", NULL}),
             "modes.h5: has no modes of layer conv0");
    ck_fails(strip(make_contributions("sum_contributions", 0), make_contributions("other", 0), NULL, all),
             "has no modes of any layer");
    ck_fails(strip(make_contributions("sum_contributions", 0), make_modes(STRIP_T, STRIP_A), NULL,
                   (retc_figure_strip_options){0, 1, NULL, (const size_t[]){0, 4}}),
             "layer conv1 has modes 0 to 3, not 4");
    ck_fails(strip(make_contributions("sum_contributions", 0), make_modes(STRIP_T, STRIP_A), NULL,
                   (retc_figure_strip_options){3, 1, NULL, NULL}),
             "contributions.h5: there is no sample from 3 s on");
}
END_TEST

/* ---- irf ------------------------------------------------------------------------------------------------------------- */

enum { IRF_T = 10, IRF_L = 2, IRF_H = 2, IRF_W = 3 };

/* Only frame 1, row 1, column 2 differs from 0: it is t at sample t, and -t in odd samples. */
static retc_h5 *
make_irf(size_t H, size_t W, int with_rate) {
    float irf[IRF_T * IRF_L * IRF_H * IRF_W] = {0}, rate[IRF_T];
    double time[IRF_T];
    for (size_t t = 0; t < IRF_T; ++t) {
        time[t] = 2 + 0.01 * (double)t;
        rate[t] = 100 + (float)t;
        irf[(t * IRF_L + 2) * H * W - 1] = (float)t * (t % 2 ? -1 : 1);
    }
    retc_h5 *file = create("irf.h5");
    put_doubles(file, "/metadata/time", 1, (size_t[]){IRF_T}, time);
    put_floats(file, "/cell_7/regular_irf_all", 4, (size_t[]){IRF_T, IRF_L, H, W}, irf);
    put_floats(file, "/cell_9/regular_irf_all", 4, (size_t[]){IRF_T, IRF_L, H, W}, irf);
    if (with_rate) {
        put_floats(file, "/cell_7/rate", 1, (size_t[]){IRF_T}, rate);
        ck_ok(retc_h5_put_texts(file, "/metadata/cell_names", 3, names));
        ck_ok(retc_h5_set_int(file, "/cell_7", "cell_index", 0));
        ck_ok(retc_h5_set_int(file, "/cell_9", "cell_index", 2));
    }
    ck_ok(retc_h5_set_int(file, "/", "lag", 0));
    return reopen(file);
}

static int
irf(retc_h5 *file, const char *group, double start, double duration) {
    FILE *table = retc_test_table_begin();
    int status = retc_figure_irf(file, group, start, duration, table);
    fclose(table);
    retc_h5_close(file);
    return status;
}

/* A file with a shape draws it.  The fields of the two samples shown, of lengths 3 and 4, are at right angles: their cosines
 * with their mean are 3/5 and 4/5, and the mean polarity is (9 0.04 + 16 0.05) / 25. */
START_TEST(test_irf_shape) {
    static const char *const series[] = {"separability", "direction_index", "latency", "polarity", "orientation"};
    float one[IRF_T], two[2 * IRF_T], irf_all[IRF_T * IRF_L * 2] = {[4 * IRF_L * 2] = 3, [5 * IRF_L * 2 + 3] = -4};
    double time[IRF_T], values[16];
    for (size_t t = 0; t < IRF_T; ++t)
        time[t] = (double)t, one[t] = 0.01f * (float)t, two[2 * t] = 4, two[2 * t + 1] = (float)t;
    retc_h5 *file = create("irf.h5");
    put_doubles(file, "/metadata/time", 1, (size_t[]){IRF_T}, time);
    put_floats(file, "/cell_7/regular_irf_all", 4, (size_t[]){IRF_T, IRF_L, 1, 2}, irf_all);
    for (size_t k = 0; k < sizeof series / sizeof *series; ++k) {
        char name[64];
        snprintf(name, sizeof name, "/cell_7/shape/%s", series[k]);
        put_floats(file, name, 1, (size_t[]){IRF_T}, one);
    }
    put_floats(file, "/cell_7/shape/size", 2, (size_t[]){IRF_T, 2}, two);
    put_floats(file, "/cell_7/shape/center", 2, (size_t[]){IRF_T, 2}, two);
    ck_ok(irf(reopen(file), "/cell_7", 4, 2));
    retc_test_table_has("panels", "1 0.0464 4.472136 50 0 \n");
    retc_test_table_numbers("shape", values, 16);
    ck_close_double("shape", values,
                    ((const double[]){4, 0.04, 0.04, 40, 0.04, 4, 0.75, 0.6, 5, 0.05, 0.05, 50, 0.05, 4.472136, 1, 0.8}), 16, 0,
                    1e-6);
    retc_test_table_numbers("moments", values, 16);
    ck_close_double("moments", values, ((const double[]){1, 4, 1, 4, 4, 8, 8, 0.04, 2, 5, 4, 4, 5, 8, 10, 0.05}), 16, 0, 1e-6);
}
END_TEST

/* ---- irf and STA ----------------------------------------------------------------------------------------------------- */

/* Of the cell "ON parasol": an IRF of three frames, and an STA of two that is twice the newest of it, but for one value. */
static int
irf_sta(size_t H, double lag, const char *name) {
    const float irf[12] = {9, 9, 9, 9, 0, 3, 0, 0, 0, 0, 0, 4}, sta[8] = {0, 6, 0, 0, 0, 0, 0, -8};
    const char *const cells[1] = {name};
    retc_h5 *first = create("irf.h5"), *second = create("sta.h5");
    put_floats(first, "/cell_0/regular_irf_mean", 3, (size_t[]){3, 2, 2}, irf);
    ck_ok(retc_h5_put_texts(first, "/metadata/cell_names", 3, names));
    ck_ok(retc_h5_set_int(first, "/cell_0", "cell_index", 0));
    ck_ok(retc_h5_set_int(first, "/", "lag", 1));
    ck_ok(retc_h5_set_number(first, "/", "frame_interval", 0.01));
    put_floats(second, "/sta", 4, (size_t[]){1, 2, H, 4 / H}, sta);
    ck_ok(retc_h5_put_texts(second, "/cell_names", 1, cells));
    ck_ok(retc_h5_set_number(second, "/", "lag", lag));
    ck_ok(retc_h5_set_number(second, "/", "frame_interval", 0.01));
    first = reopen(first), second = reopen(second);
    FILE *table = retc_test_table_begin();
    int status = retc_figure_irf_sta(first, "/cell_0", second, table);
    fclose(table);
    retc_h5_close(first), retc_h5_close(second);
    return status;
}

/* Unit lengths are (0.6, 0.8) and (0.6, -0.8): cosine -0.28; the means of 8 values are 0.175 and -0.025, so that the
 * correlation is (-0.28 + 0.035) / sqrt(0.755 0.995). */
START_TEST(test_irf_sta) {
    double course[6];
    ck_ok(irf_sta(2, 1, "ON parasol"));
    retc_test_table_has("figure", "\"ON parasol\" -0.2826709 -0.28 2 2 1 1 -10 0.8 0.8 -20 -10 \n");
    retc_test_table_numbers("course", course, 6);
    ck_close_double("course", course, ((const double[]){-20, 0, 0, -10, 0.8, -0.8}), 6, 0, 1e-6);
}
END_TEST

START_TEST(test_irf_sta_fails) {
    ck_fails(irf_sta(1, 1, "ON parasol"), "sta.h5: dataset \"/sta\" is (1,2,1,4), expected (any,any,2,2)");
    ck_fails(irf_sta(2, 2, "ON parasol"), "are of other times: lags of 1 and 2 frames of 0.01 and 0.01 s");
    ck_fails(irf_sta(2, 1, "another"), "ON parasol");
}
END_TEST

/* With lag 0 the newest frame is the response's own.  The window is cut in five parts of two samples; gain grows. */
START_TEST(test_irf) {
    double values[30], map[18];
    ck_ok(irf(make_irf(IRF_H, IRF_W, 1), "/cell_7", 0, 1));
    retc_test_table_has("figure", "\"ON parasol\" 2 2.09 -10 0 9 9 109 2 3 1 2 0 5 1 \n");
    retc_test_table_has("moments",
                        "1 2.01 1 NaN NaN NaN NaN NaN \n2 2.03 3 NaN NaN NaN NaN NaN \n3 2.05 5 NaN NaN NaN NaN NaN \n"
                        "4 2.07 7 NaN NaN NaN NaN NaN \n5 2.09 9 NaN NaN NaN NaN NaN \n");
    retc_test_table_numbers("gain", values, 30);
    for (size_t t = 0; t < IRF_T; ++t)
        ck_close_double("gain", values + 3 * t, ((const double[]){2 + 0.01 * (double)t, (double)t, 100 + (double)t}), 3, 0,
                        1e-6);
    retc_test_table_numbers("map 2", map, 18);
    ck_close_double("map 2", map, ((const double[]){0, 0, 0, 1, 0, 0, 2, 0, 0, 0, 1, 0, 1, 1, 0, 2, 1, -3}), 18, 0, 1e-7);
    double course[60];
    retc_test_table_numbers("irf", course, 60);
    ck_close_double("irf", course + 6 * 4, ((const double[]){2.04, -10, 0, 2.04, 0, 4}), 6, 0, 1e-6);
}
END_TEST

START_TEST(test_irf_of_one_pixel) {
    ck_ok(irf(make_irf(1, 1, 0), "/cell_9", 0.02, 0.03));
    retc_test_table_has("figure", "\"cell 9\" 2.02 2.04 -10 0 4 4 1 1 1 0 0 0 0 0 \n");
    retc_test_table_has("gain", "2.02 2 NaN \n2.03 3 NaN \n2.04 4 NaN \n");
    ck_assert_ptr_null(strstr(retc_test_table(), "# map"));
}
END_TEST

START_TEST(test_irf_groups) {
    retc_h5 *file = make_irf(1, 1, 1);
    char *group = retc_figure_irf_group(file, NULL);
    ck_assert_str_eq(group, "/cell_7");
    retc_free(group);
    group = retc_figure_irf_group(file, "9");
    ck_assert_str_eq(group, "/cell_9");
    retc_free(group);
    group = retc_figure_irf_group(file, "cell03");
    ck_assert_str_eq(group, "/cell_9");
    retc_free(group);
    ck_assert_ptr_null(retc_figure_irf_group(file, "cell02"));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "irf.h5: there is no cell \"cell02\" among its 2 cells"));
    retc_h5_close(file);
    file = make_contributions("sum_contributions", 0);
    ck_assert_ptr_null(retc_figure_irf_group(file, NULL));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "has no group of a cell, such as /cell_0"));
    retc_h5_close(file);
}
END_TEST

START_TEST(test_irf_fails) {
    ck_fails(irf(make_irf(1, 1, 1), "/cell_8", 0, 1), "irf.h5: dataset \"/cell_8/regular_irf_all\" is missing");
    ck_fails(irf(make_irf(1, 1, 1), "/cell_7", 5, 1), "irf.h5: there is no sample from 5 s on");
    retc_h5 *file = create("irf.h5");
    put_floats(file, "/cell_7/regular_irf_all", 4, (size_t[]){IRF_T, IRF_L, 0, 3}, NULL);
    ck_fails(irf(reopen(file), "/cell_7", 0, 1), "irf.h5: dataset \"/cell_7/regular_irf_all\" is empty");
}
END_TEST

static Suite *
figure_suite(void) {
    Suite *suite = suite_create("figure");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_entries);
    tcase_add_test(tcase, test_window);
    tcase_add_test(tcase, test_cells);
    tcase_add_test(tcase, test_filters);
    tcase_add_test(tcase, test_filters_of_one_pixel);
    tcase_add_test(tcase, test_filters_fail);
    tcase_add_test(tcase, test_psth);
    tcase_add_test(tcase, test_psth_of_one_model);
    tcase_add_test(tcase, test_psth_of_like_models);
    tcase_add_test(tcase, test_psth_fails);
    tcase_add_test(tcase, test_strip);
    tcase_add_test(tcase, test_strip_choices);
    tcase_add_test(tcase, test_strip_of_zeros);
    tcase_add_test(tcase, test_strip_fails);
    tcase_add_test(tcase, test_irf);
    tcase_add_test(tcase, test_irf_shape);
    tcase_add_test(tcase, test_irf_sta);
    tcase_add_test(tcase, test_irf_sta_fails);
    tcase_add_test(tcase, test_irf_of_one_pixel);
    tcase_add_test(tcase, test_irf_groups);
    tcase_add_test(tcase, test_irf_fails);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(figure_suite(), NULL);
}
