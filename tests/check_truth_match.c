/* Matching contributions of a model to true ones: planted copies are found, and what cannot be compared is refused. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "testing.h"
#include "truth_match.h"

enum { T = 60, FIRST = 3, FRAMES = T + 2 * FIRST, C = 2, H = 2, W = 3, UNITS = C * H * W, P = 5, I = 4 };

/* Series k: without relation to those of other k. */
static double
series(size_t k, size_t t) {
    return sin(2 * M_PI * (double)((k + 2) * t) / T + (double)(k * k));
}

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

/* Pairs of the bipolar cut: units 0, 1, 2 on cell 1; of the synapse cut unit 3 on cell 0, 3 on cell 1 (in files of both cells
 * one after the other).  The truth of unit u on cell 1 is series u; in all frames outside of the samples it is 100. */
static retc_h5 *
make_recording(const char *part) {
    retc_h5 *file = retc_h5_create(retc_test_path("truth.h5"), 1);
    static const int64_t unit[P] = {0, 1, 2, 3, 3}, cell[P] = {1, 1, 1, 0, 1};
    float truth[P][FRAMES];
    char name[80];
    for (size_t p = 0; p < P; ++p)
        for (size_t t = 0; t < FRAMES; ++t)
            truth[p][t] = t < FIRST || t >= FIRST + T ? 100 : (float)series(p == 3 ? 9 : (size_t)unit[p], t - FIRST);
    ck_ok(retc_h5_put_texts(file, "/cell_names", 2, (const char *const[]){"a", "b"}));
    ck_ok(retc_h5_put_texts(file, "/interneurons/names", I, (const char *const[]){"on1", "on2", "off1", "wide1"}));
    ck_ok(retc_h5_put_texts(file, "/interneurons/type", I, (const char *const[]){"on", "on", "off", "wide"}));
    for (int cut = 0; cut < 2; ++cut) {
        const char *group = cut ? "synapse" : "bipolar";
        size_t n = cut ? 2 : 3, from = cut ? 3 : 0;
        snprintf(name, sizeof name, "/truth/pairs/%s/unit", group);
        ck_ok(retc_h5_put(file, name, RETC_H5_INT64, 1, &n, unit + from));
        snprintf(name, sizeof name, "/truth/pairs/%s/cell", group);
        ck_ok(retc_h5_put(file, name, RETC_H5_INT64, 1, &n, cell + from));
        snprintf(name, sizeof name, "/truth/%s/contribution/%s", part, group);
        ck_ok(retc_h5_put(file, name, RETC_H5_FLOAT, 2, (size_t[]){n, FRAMES}, truth + from));
    }
    return reopen(file);
}

/* Unit u of conv0 follows series 4 + u, but unit (1,0,2) follows twice series 0; channel 0 is the sum of series 0 and 1;
 * nothing of conv1 matters, as it is the last layer. */
static retc_h5 *
make_contributions(double target_cell, int maps) {
    retc_h5 *file = retc_h5_create(retc_test_path("contributions.h5"), 1);
    float map[T][UNITS], split[T][2 * C];
    int64_t frame[T];
    double time[T];
    memset(split, 0, sizeof split);
    for (size_t t = 0; t < T; ++t) {
        frame[t] = (int64_t)(FIRST + t);
        time[t] = 0.01 * (double)frame[t];
        for (size_t u = 0; u < UNITS; ++u)
            map[t][u] = (float)(u == H * W + 2 ? 2 * series(0, t) : series(10 + u, t));
        double sum = series(0, t) + series(1, t);
        split[t][0] = -3, split[t][C] = (float)(3 + sum);
        split[t][1] = 0, split[t][C + 1] = (float)(5 - series(3, t));
    }
    ck_ok(retc_h5_set_text(file, "/", "target", "cell"));
    if (target_cell >= 0)
        ck_ok(retc_h5_set_number(file, "/", "target_cell", target_cell));
    ck_ok(retc_h5_put_text(file, "/metadata/stim_type", "test"));
    ck_ok(retc_h5_put_texts(file, "/metadata/cell_names", 2, (const char *const[]){"b", "nobody"}));
    ck_ok(retc_h5_put_texts(file, "/metadata/layer_names", 2, (const char *const[]){"conv0", "conv1"}));
    ck_ok(retc_h5_put(file, "/metadata/frame", RETC_H5_INT64, 1, (size_t[]){T}, frame));
    ck_ok(retc_h5_put(file, "/metadata/time", RETC_H5_DOUBLE, 1, (size_t[]){T}, time));
    ck_ok(retc_h5_put(file, "/cell_contributions/conv0", RETC_H5_FLOAT, 2, (size_t[]){T, 2 * C}, split));
    ck_ok(retc_h5_put(file, "/cell_contributions/conv1", RETC_H5_FLOAT, 2, (size_t[]){T, 2 * C}, split));
    if (maps)
        ck_ok(retc_h5_put(file, "/maps/conv0", RETC_H5_FLOAT, 4, (size_t[]){T, C, H, W}, map));
    return reopen(file);
}

START_TEST(planted_copies_are_found) {
    retc_h5 *recording = make_recording("test"), *contributions = make_contributions(0, 1);
    retc_truth_match m;
    ck_ok(retc_truth_match_compute(contributions, recording, &m));
    ck_assert_str_eq(m.cell_name, "b");
    ck_assert_uint_eq(m.cell, 1);
    ck_assert_uint_eq(m.layers, 1);
    ck_assert_uint_eq(m.interneurons, 4); /* 0, 1, 2 of one cut and 3 of the other */
    ck_assert_uint_eq(m.types, 3);
    const retc_truth_best *b = &m.interneuron[0];
    ck_assert_str_eq(b->name, "on1");
    ck_assert_double_eq_tol(b->r, 1, 1e-6);
    ck_assert(b->channel == 1 && b->row == 0 && b->column == 2);
    ck_assert_double_le(fabs(m.interneuron[1].r), 1e-5); /* waves of other frequencies over whole periods */
    ck_assert_int_eq(m.interneuron[3].cut, 1);
    ck_assert_str_eq(m.interneuron[3].name, "wide1");
    /* Types, against channels: on is channel 0, wide is the opposite of channel 1. */
    ck_assert_str_eq(m.type[0].name, "on");
    ck_assert_double_eq_tol(m.correlation[0 * C + 0], 1, 1e-6);
    ck_assert_double_eq_tol(m.correlation[2 * C + 1], -1, 1e-6);
    ck_assert_uint_eq(m.type[0].channel, 0);
    float truth[T], model[T];
    double time[T];
    ck_ok(retc_truth_match_series(contributions, recording, &m, 0, truth, model, time));
    for (size_t t = 0; t < T; ++t) {
        ck_assert_double_eq_tol((double)truth[t], series(0, t), 1e-6);
        ck_assert_double_eq_tol((double)model[t], 2 * series(0, t), 1e-6);
    }
    ck_assert_double_eq(time[0], 0.01 * FIRST);
    retc_truth_match_clear(&m);
    retc_h5_close(recording), retc_h5_close(contributions);
}
END_TEST

/* Without maps interneurons are compared with channels.  Turned round by half, a wave of an even number of periods is itself,
 * and of an odd number its opposite: chance is known. */
START_TEST(chance_is_the_truth_turned_round) {
    retc_h5 *recording = make_recording("test"), *contributions = make_contributions(0, 0);
    retc_truth_match m;
    ck_ok(retc_truth_match_compute(contributions, recording, &m));
    ck_assert_int_eq(m.units, 0);
    ck_assert_double_eq_tol(m.interneuron[0].r, sqrt(0.5), 1e-6); /* of series 0 and the sum of 0 and 1 */
    ck_assert_double_eq_tol(m.interneuron[0].chance, sqrt(0.5), 1e-6);
    ck_assert_double_eq_tol(m.interneuron[1].r, sqrt(0.5), 1e-6);
    ck_assert_double_le(m.interneuron[1].chance, 1e-5);
    /* -series(3) is of five periods: turned round, the truth of unit 3 follows it. */
    ck_assert_double_le(m.interneuron[3].r, 1e-5);
    ck_assert_double_eq_tol(m.interneuron[3].chance, 1, 1e-6);
    double mean = (m.interneuron[0].r + m.interneuron[1].r + m.interneuron[2].r + m.interneuron[3].r) / 4;
    ck_assert_double_eq_tol(m.mean_r, mean, 1e-12);
    retc_truth_match_clear(&m);
    retc_h5_close(recording), retc_h5_close(contributions);
}
END_TEST

static void
refused(double target_cell, const char *part, const char *text) {
    retc_h5 *recording = make_recording(part), *contributions = make_contributions(target_cell, 1);
    retc_truth_match m;
    ck_fails(retc_truth_match_compute(contributions, recording, &m), text);
    retc_truth_match_clear(&m);
    retc_h5_close(recording), retc_h5_close(contributions);
}

START_TEST(what_cannot_be_compared_is_refused) {
    refused(-1, "test", "is not of one cell");
    refused(7, "test", "is not of one cell");
    refused(1, "test", "has no cell \"nobody\"");
    refused(0, "train", "no true contributions of the test part");
    retc_h5 *contributions = make_contributions(0, 0);
    retc_truth_match m;
    ck_fails(retc_truth_match_compute(contributions, contributions, &m), "holds no true contributions");
    retc_truth_match_clear(&m);
    retc_h5_close(contributions);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("truth match");
    TCase *tcase = tcase_create("made-up series");
    tcase_add_test(tcase, planted_copies_are_found);
    tcase_add_test(tcase, chance_is_the_truth_turned_round);
    tcase_add_test(tcase, what_cannot_be_compared_is_refused);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
