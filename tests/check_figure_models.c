/* The tables of figures that show models: what they hold is recomputed here from made-up results with known values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure_kernels.h"
#include "figure_learning.h"
#include "figure_paths.h"
#include "figure_scores.h"
#include "scores.h"
#include "tables.h"
#include "testing.h"

static retc_h5 *
create(const char *name) {
    retc_h5 *file = retc_h5_create(retc_test_path(name), 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    return file;
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

static void
put_doubles(retc_h5 *file, const char *name, int rank, const size_t *shape, const double *data) {
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, rank, shape, data));
}

/* ---- scores ---------------------------------------------------------------------------------------------------------- */

/* Predictions of cells a and b, or b and a: score k of cell n is base + 0.1 n + 0.01 k, its intervals 0.001 and 0.002 wide on
 * either side; the mean is `base` + 0.5.  Measured in frame t: 10 n + t + offset. */
static retc_h5 *
make_scores(const char *name, int swap, int64_t first, double base, float offset, int intervals) {
    const char *names[2] = {swap ? "b" : "a", swap ? "a" : "b"};
    float measured[2 * 4];
    int64_t frame[4];
    retc_h5 *file = create(name);
    for (size_t i = 0; i < 8; ++i) {
        size_t n = swap ? 1 - i / 4 : i / 4;
        frame[i % 4] = first + (int64_t)(i % 4);
        measured[i] = 10.0f * (float)n + (float)frame[i % 4] + offset;
    }
    ck_ok(retc_h5_set_text(file, "/", "model_type", "ln"));
    ck_ok(retc_h5_set_text(file, "/", "part", "test"));
    ck_ok(retc_h5_put_texts(file, "/cell_names", 2, names));
    ck_ok(retc_h5_put(file, "/test/frame", RETC_H5_INT64, 1, (size_t[]){4}, frame));
    ck_ok(retc_h5_put(file, "/test/measured", RETC_H5_FLOAT, 2, (size_t[]){2, 4}, measured));
    for (size_t k = 0; k < RETC_SCORES; ++k)
        for (int mean = 0; mean < 2; ++mean) {
            double value[2], wide[2][4];
            char path[96];
            size_t n = mean ? 1 : 2;
            for (size_t i = 0; i < n; ++i) {
                size_t cell = swap ? 1 - i : i;
                value[i] = mean ? base + 0.5 : base + 0.1 * (double)cell + 0.01 * (double)k;
                for (size_t level = 0; level < 2; ++level)
                    for (size_t end = 0; end < 2; ++end)
                        wide[level][2 * i + end] = value[i] + 0.001 * (double)(level + 1) * (end ? 1 : -1);
            }
            snprintf(path, sizeof path, "/score%s/%s", mean ? "/mean" : "", retc_score_names[k]);
            put_doubles(file, path, 1, &n, value);
            for (size_t level = 0; intervals && level < 2; ++level) {
                snprintf(path, sizeof path, "/score%s/%s_%s", mean ? "/mean" : "", retc_score_names[k], level ? "95" : "68");
                put_doubles(file, path, 2, (size_t[]){n, 2}, wide[level]);
            }
        }
    return reopen(file);
}

static int
scores(retc_h5 *first, retc_h5 *second) {
    retc_h5 *const files[] = {first, second};
    retc_figure_cells cells = {0};
    FILE *table = retc_test_table_begin();
    ck_ok(retc_figure_cells_choose(first, "/cell_names", 2, NULL, 8, &cells));
    int status = retc_figure_scores(files, second ? 2 : 1, &cells, table);
    fclose(table);
    retc_figure_cells_free(&cells);
    retc_h5_close(first);
    retc_h5_close(second);
    return status;
}

/* The second file lists its cells the other way round, starts a frame later, and has no intervals. */
START_TEST(test_scores) {
    ck_ok(scores(make_scores("one.h5", 0, 3, 0.25, 0, 1), make_scores("two.h5", 1, 4, -0.65, 0, 0)));
    retc_test_table_has("figure", "2 2 3 1 1 1 \n");
    retc_test_table_has("models", "1 \"LN (one.h5)\" \n2 \"LN (two.h5)\" \n");
    retc_test_table_has("rows", "1 \"a\" \n2 \"b\" \n3 \"mean\" \n");
    retc_test_table_has("panels", "1 \"correlation r\" -0.5 1 \n2 \"explained variance\" -0.5 1 \n"
                                  "3 \"Poisson deviance explained\" -0.5 1 \n");
    retc_test_table_has("scores 1 1", "1 0.25 0.249 0.251 0.248 0.252 \n2 0.35 0.349 0.351 0.348 0.352 \n"
                                      "3 0.75 0.749 0.751 0.748 0.752 \n");
    retc_test_table_has("scores 3 2", "1 -0.63 NaN NaN NaN NaN \n2 -0.53 NaN NaN NaN NaN \n3 -0.15 NaN NaN NaN NaN \n");
    retc_test_table_has("ceilings 2", "1 0.31 0.308 0.312 \n2 0.41 0.408 0.412 \n3 0.75 0.748 0.752 \n");
}
END_TEST

START_TEST(test_scores_of_other_recordings) {
    ck_fails(scores(make_scores("one.h5", 0, 3, 0.25, 0, 1), make_scores("two.h5", 0, 3, 0.25, 1, 1)),
             "two.h5: what was measured of a is not what ");
    ck_fails(scores(make_scores("one.h5", 0, 3, 0.25, 0, 1), make_scores("two.h5", 0, 20, 0.25, 0, 1)),
             "two.h5: what was measured of a is not what "); /* no frame in common */
}
END_TEST

/* ---- learning -------------------------------------------------------------------------------------------------------- */

static retc_h5 *
make_model(const char *name, size_t epochs, const double *validation, int with_rate) {
    double train[8], r[8], rate[8];
    for (size_t e = 0; e < epochs; ++e) {
        train[e] = validation[e] + 0.5;
        r[e] = 1 - validation[e] / 10;
        rate[e] = 0.01 / (double)(e + 1);
    }
    retc_h5 *file = create(name);
    ck_ok(retc_h5_set_text(file, "/", "model_type", "cnn"));
    put_doubles(file, "/training/train_loss", 1, &epochs, train);
    put_doubles(file, "/training/validation_loss", 1, &epochs, validation);
    put_doubles(file, "/training/validation_r", 1, &epochs, r);
    if (with_rate)
        put_doubles(file, "/training/learning_rate", 1, &epochs, rate);
    return reopen(file);
}

static int
learning(retc_h5 *first, retc_h5 *second) {
    retc_h5 *const files[] = {first, second};
    FILE *table = retc_test_table_begin();
    int status = retc_figure_learning(files, second ? 2 : 1, table);
    fclose(table);
    retc_h5_close(first);
    retc_h5_close(second);
    return status;
}

/* Of two equal losses the first is the best epoch; a loss that is no number is none. */
START_TEST(test_learning) {
    const double one[] = {4, 2, 1, 1}, two[] = {(double)NAN, 3};
    ck_ok(learning(make_model("one.h5", 4, one, 1), make_model("two.h5", 2, two, 0)));
    retc_test_table_has("figure", "2 4 1 1 4.5 0 0.6 0.9 \n");
    retc_test_table_has("models", "1 \"CNN (one.h5)\" 3 1 0.9 \n2 \"CNN (two.h5)\" 2 3 0.7 \n");
    retc_test_table_has("curve 1", "1 4.5 4 0.6 0.01 \n2 2.5 2 0.8 0.005 \n3 1.5 1 0.9 0.003333333 \n4 1.5 1 0.9 0.0025 \n");
    retc_test_table_has("curve 2", "1 NaN NaN NaN NaN \n2 3.5 3 0.7 NaN \n");
}
END_TEST

START_TEST(test_learning_of_nothing) {
    const double nothing[] = {(double)NAN};
    retc_h5 *bare = create("bare.h5");
    ck_ok(learning(make_model("one.h5", 1, nothing, 0), NULL));
    retc_test_table_has("models", "1 \"CNN\" NaN NaN NaN \n");
    ck_ok(retc_h5_set_text(bare, "/", "model_type", "ln"));
    ck_fails(learning(reopen(bare), NULL), "bare.h5: has no learning curves");
}
END_TEST

/* ---- filters --------------------------------------------------------------------------------------------------------- */

enum { L = 4, SIDE = 3, KERNEL = 2, CHANNELS = 2, CELLS = 2, ALL = L * KERNEL * KERNEL };

static const float map[] = {1, -2, 0.5f, 0}, course[] = {0.1f, 0.2f, -0.8f, 0.4f};

/* conv0: filter 0 is course times map, filter 1 is 0; conv1: w[k,c,y,x] = 100 k + 10 c + 2 y + x; positions (1,0), (0,1). */
static retc_network *
make_network(size_t side, size_t kernel) {
    const size_t position[] = {1, 0, 0, 1};
    retc_network *network = retc_network_alloc("cnn", L, side, side, CELLS);
    ck_assert_ptr_nonnull(network);
    ck_ok(retc_network_add_conv(network, CHANNELS, kernel, kernel, 1, 0));
    ck_ok(retc_network_add_batchnorm(network, 0, 0, 0));
    ck_ok(retc_network_add_conv(network, CELLS, 1, 1, 1, 0));
    ck_ok(retc_network_add_grab(network, side > 1 ? position : (const size_t[]){0, 0, 0, 0}));
    ck_ok(retc_network_finish(network));
    float *w = retc_network_values(network, network->layer[0].weight);
    for (size_t l = 0; l < L; ++l)
        for (size_t p = 0; p < kernel * kernel; ++p)
            w[l * kernel * kernel + p] = course[l] * map[p];
    float *gain = retc_network_values(network, network->layer[1].weight);
    gain[0] = 1.5f, gain[1] = -2;
    for (size_t c = 0; c < CHANNELS; ++c)
        retc_network_values(network, network->layer[1].var)[c] = 1;
    w = retc_network_values(network, network->layer[2].weight);
    for (size_t k = 0; k < CELLS; ++k)
        for (size_t c = 0; c < CHANNELS; ++c)
            w[k * CHANNELS + c] = (float)(10 * k + c);
    network->frame_interval = 0.01;
    network->lag = 1;
    return network;
}

static void
kernels(const retc_network *network, const char *chosen) {
    retc_figure_cells cells = {0};
    FILE *table = retc_test_table_begin();
    retc_h5 *file = reopen(create("names.h5"));
    ck_ok(retc_figure_cells_choose(file, "/cell_names", CELLS, chosen, 8, &cells));
    ck_ok(retc_figure_kernels(network, &cells, table));
    fclose(table);
    retc_figure_cells_free(&cells);
    retc_h5_close(file);
}

START_TEST(test_kernels) {
    retc_network *network = make_network(SIDE, KERNEL);
    double rows[3 * 10], curve[2 * L];
    kernels(network, NULL);
    retc_test_table_has("figure", "2 \"cnn\" \"ms\" \n");
    retc_test_table_has("layers", "1 \"conv0: 2 filters of 4 frames and 2x2 pixels\" 1 1 2 2 2 1 1.6 -40 -10 0 2 2 \n"
                                  "2 \"conv1: 2 cells of 1x1 on 2 channels\" 0 2 2 1 1 0 11 0 0 1 2 2 \n");
    retc_test_table_has("tiles 1", "0 0 \"0: 100% ×1.5\" \n0 1 \"1 ×-2\" \n");
    retc_test_table_has("tiles 2", "0 0 \"cell01\" \n1 0 \"cell02\" \n");
    /* The course is -0.8 at its peak, which becomes 1; the map takes what that leaves. */
    retc_test_table_has("maps 2 0", "0 0 0 \n1 0 1 \n0 1 10 \n1 1 11 \n");
    char *block = retc_test_table_block("courses 1 0");
    ck_assert_int_eq(sscanf(block, "%lf %lf %lf %lf %lf %lf %lf %lf", &curve[0], &curve[1], &curve[2], &curve[3], &curve[4],
                            &curve[5], &curve[6], &curve[7]),
                     8);
    free(block);
    for (size_t l = 0; l < L; ++l) {
        ck_assert_double_eq_tol(curve[2 * l], 2.0 / 3 * ((double)l + 0.5) / L, 1e-6);
        ck_assert_double_eq_tol(curve[2 * l + 1], (double)course[l] / -0.8, 1e-6);
    }
    block = retc_test_table_block("maps 1 0");
    char *at = block;
    for (size_t i = 0; i < 30; ++i)
        rows[i] = strtod(at, &at);
    free(block);
    for (size_t i = 0; i < 10; ++i) { /* two tiles of two columns, and one between them */
        size_t x = i % 5, y = i / 5;
        ck_assert(rows[3 * i] == (double)x && rows[3 * i + 1] == (double)y);
        if (x == 2)
            ck_assert(isnan(rows[3 * i + 2]));
        else
            ck_assert_double_eq_tol(rows[3 * i + 2], x < 2 ? -0.8 * (double)map[2 * y + x] : 0, 1e-6);
    }
    retc_test_table_has("positions 2", "0 1 \"cell01\" \n1 0 \"cell02\" \n");
    kernels(network, "cell02");
    retc_test_table_has("maps 2 0", "0 0 10 \n1 0 11 \n");
    retc_test_table_has("positions 2", "1 0 \"cell02\" \n");
    retc_network_free(network);
}
END_TEST

/* One pixel: no map, and the course is the filter. */
START_TEST(test_kernels_of_one_pixel) {
    retc_network *network = make_network(1, 1);
    double curve[2 * L];
    kernels(network, NULL);
    ck_assert_ptr_null(strstr(retc_test_table(), "# maps 1"));
    char *block = retc_test_table_block("courses 1 0"), *at = block;
    for (size_t i = 0; i < 2 * L; ++i)
        curve[i] = strtod(at, &at);
    free(block);
    for (size_t l = 0; l < L; ++l)
        ck_assert_double_eq_tol(curve[2 * l + 1], (double)course[l], 1e-6);
    retc_network_free(network);
}
END_TEST

/* Two orthogonal products of known squares: the larger one is drawn, with its share. */
START_TEST(test_share_of_the_product) {
    retc_network *network = make_network(SIDE, KERNEL);
    float *w = retc_network_values(network, network->layer[0].weight);
    memset(w, 0, ALL * sizeof *w);
    w[0 * 4 + 1] = 3; /* 9 of 9 + 1 */
    w[2 * 4 + 2] = 1;
    kernels(network, NULL);
    retc_test_table_has("tiles 1", "0 0 \"0: 90% ×1.5\" \n0 1 \"1 ×-2\" \n");
    retc_network_free(network);
}
END_TEST

/* ---- paths ----------------------------------------------------------------------------------------------------------- */

/* Labels of 41 channels do not fit: the widest channel has one, none overlap, and what has none lies by one that is as wide. */
START_TEST(test_labels_of_many_channels) {
    enum { C0 = 41 };
    double mean[C0], y[C0], height[C0];
    int shown[C0];
    for (size_t c = 0; c < C0; ++c)
        mean[c] = c == 20 ? -9 : 1 + 0.1 * (double)(c % 3);
    retc_h5 *file = create("paths.h5");
    put_doubles(file, "/pairs/mean", 3, (size_t[]){1, C0, 1}, mean);
    ck_ok(retc_h5_set_number(file, "/pairs/mean", "samples", 5));
    ck_ok(retc_h5_put_texts(file, "/pairs/target_names", 1, (const char *const[]){"sum"}));
    ck_ok(retc_h5_put_texts(file, "/pairs/layer_names", 2, (const char *const[]){"conv0", "conv1"}));
    file = reopen(file);
    FILE *table = retc_test_table_begin();
    ck_ok(retc_figure_paths(file, NULL, table));
    fclose(table);
    retc_h5_close(file);
    char *rows = retc_test_table_block("nodes"), *at = rows;
    for (size_t c = 0; c < C0; ++c, at = strchr(at, '\n') + 1) {
        double low, high;
        char label[8] = "";
        ck_assert_int_ge(sscanf(at, "%*f %*f %lf %lf %*f %lf \"%7[0-9]", &low, &high, &y[c], label), 3);
        height[c] = high - low;
        shown[c] = label[0] != '\0';
        ck_assert(!shown[c] || strtoul(label, NULL, 10) == c);
    }
    free(rows);
    ck_assert(shown[20]);
    for (size_t c = 0; c < C0; ++c) {
        int near = 0;
        for (size_t d = 0; d < C0; ++d)
            near += d != c && shown[d] && fabs(y[c] - y[d]) < 0.03 && (shown[c] || height[d] > height[c] - 1e-6);
        ck_assert_msg(shown[c] ? near == 0 : near > 0, "channel %zu has %d neighbours", c, near);
    }
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("figures of models");
    TCase *tcase = tcase_create("figures of models");
    tcase_add_test(tcase, test_scores);
    tcase_add_test(tcase, test_scores_of_other_recordings);
    tcase_add_test(tcase, test_learning);
    tcase_add_test(tcase, test_learning_of_nothing);
    tcase_add_test(tcase, test_kernels);
    tcase_add_test(tcase, test_kernels_of_one_pixel);
    tcase_add_test(tcase, test_share_of_the_product);
    tcase_add_test(tcase, test_labels_of_many_channels);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
