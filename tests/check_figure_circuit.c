/* The table behind the figure of a simulated retina: a made-up one of three interneurons and two cells, recomputed by hand. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figure_circuit.h"
#include "tables.h"
#include "testing.h"

/* Numbers of a table have 7 digits: half a unit of the last of the largest one below, 318, is 5e-5. */
#define DIGITS 5e-5

enum { BIPOLARS = 2, INTERNEURONS = 3, CELLS = 2, FRAMES = 3 };

/* ---- the retina ------------------------------------------------------------------------------------------------------ */

static void
put(retc_h5 *file, const char *name, size_t n, const double *value) {
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &n, value));
}

static void
put_one(retc_h5 *file, const char *name, double value) {
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 0, NULL, &value));
}

static void
put_wires(retc_h5 *file, const char *group, size_t n, const int64_t *source, const int64_t *target, const double *weight) {
    char path[96];
    snprintf(path, sizeof path, "/truth/wiring/%s/source", group);
    ck_ok(retc_h5_put(file, path, RETC_H5_INT64, 1, &n, source));
    snprintf(path, sizeof path, "/truth/wiring/%s/target", group);
    ck_ok(retc_h5_put(file, path, RETC_H5_INT64, 1, &n, target));
    snprintf(path, sizeof path, "/truth/wiring/%s/weight", group);
    put(file, path, n, weight);
}

static void
put_filters(retc_h5 *file) {
    put(file, "/truth/filters/on_bipolar/time", 4, (const double[]){0.5, -1, 0.25, 0.001});
    put_one(file, "/truth/filters/on_bipolar/center", 20);
    put_one(file, "/truth/filters/on_bipolar/surround", 40);
    put_one(file, "/truth/filters/on_bipolar/surround_weight", 0.5);
    put(file, "/truth/filters/amacrine_wide/time", 2, (const double[]){2, 1});
    put_one(file, "/truth/filters/amacrine_wide/delay", 20);
}

/* What one test makes wrong. */
typedef struct {
    int64_t source; /* of the first connection to a cell */
    double weight;  /* of the amacrine cell's to the second cell */
    size_t rates;   /* rows of the rates */
    double maximum; /* of the first cell */
} retina;

static const retina right = {0, 0.1, CELLS, 50};

static retc_h5 *
make(const retina *r) {
    retc_h5 *file = retc_h5_create(retc_test_path("retina.h5"), 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_ok(retc_h5_put_texts(file, "/cell_names", CELLS, (const char *const[]){"cell01", "cell02"}));
    ck_ok(retc_h5_set_number(file, "/", "frame_interval", 0.01));
    ck_ok(retc_h5_put_texts(file, "/interneurons/type", INTERNEURONS,
                            (const char *const[]){"on_bipolar", "on_bipolar", "amacrine_wide"}));
    put(file, "/interneurons/x", INTERNEURONS, (const double[]){0, 30, 300});
    put(file, "/interneurons/y", INTERNEURONS, (const double[]){0, 40, 0});
    ck_ok(retc_h5_put_texts(file, "/truth/cells/type", CELLS, (const char *const[]){"brisk_on", "brisk_off"}));
    put(file, "/truth/cells/x", CELLS, (const double[]){0, 10});
    put(file, "/truth/cells/y", CELLS, (const double[]){0, -20});
    put_wires(file, "bipolar_to_cell", 3, (const int64_t[]){r->source, 1, 1}, (const int64_t[]){0, 0, 1},
              (const double[]){0.25, 0.75, 1});
    put_wires(file, "amacrine_to_cell", 2, (const int64_t[]){BIPOLARS, BIPOLARS}, (const int64_t[]){0, 1},
              (const double[]){0.5, r->weight});
    put_filters(file);
    put(file, "/truth/output/gain", CELLS, (const double[]){10, 20});
    put(file, "/truth/output/slope", CELLS, (const double[]){2, 2});
    put(file, "/truth/output/offset", CELLS, (const double[]){-1, 0.5});
    put(file, "/truth/output/maximum", CELLS, (const double[]){r->maximum, 0});
    const double rate[] = {3, 25, 4, 0, 0, 0, 1, 1, 1};
    ck_ok(retc_h5_put(file, "/truth/test/rate", RETC_H5_DOUBLE, 2, (const size_t[]){r->rates, FRAMES}, rate));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(retc_test_path("retina.h5"));
    ck_assert_ptr_nonnull(file);
    return file;
}

static int
draw(retc_h5 *file, const char *cells) {
    FILE *table = retc_test_table_begin();
    int status = retc_figure_circuit(file, cells, table);
    fclose(table);
    return status;
}

static void
draw_right(const char *cells) {
    retc_h5 *file = make(&right);
    ck_ok(draw(file, cells));
    retc_h5_close(file);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

static void
has_numbers(const char *name, size_t n, const double *expected) {
    double found[16];
    ck_assert(n <= 16);
    retc_test_table_numbers(name, found, n);
    for (size_t i = 0; i < n; ++i)
        ck_assert_msg(fabs(found[i] - expected[i]) <= DIGITS, "%s: number %zu is %.9g, expected %.9g", name, i, found[i],
                      expected[i]);
}

/* ---- what the table holds -------------------------------------------------------------------------------------------- */

START_TEST(test_mosaics) {
    draw_right(NULL);
    /* Cell 1 is excited from 0 and 50 um away, cell 2 from sqrt(20^2 + 60^2). */
    double r2 = sqrt(4000);
    has_numbers("figure", 5, (const double[]){2, 2, 2, 1.08 * (20 + r2), 1.06 * 300});
    ck_assert_ptr_nonnull(strstr(retc_test_table(), "\"simulated retina: 2 ganglion cells, 3 interneurons\""));
    retc_test_table_has("types", "1 \"2 on bipolar\" \n2 \"1 amacrine wide\" \n");
    retc_test_table_has("cell types", "1 \"1 brisk on\" \n2 \"1 brisk off\" \n");
    retc_test_table_has("neurons 1", "0 0 \n30 40 \n");
    retc_test_table_has("neurons 2", "300 0 \n");
    retc_test_table_has("cells", "0 0 43.30127 1 1 \"cell01\" \n10 -20 63.24555 2 1 \"cell02\" \n");
}
END_TEST

/* Without names the first cell of every type, which here are both; inhibition is drawn first, weights have steps of 1/5. */
START_TEST(test_wiring) {
    draw_right(NULL);
    retc_test_table_has("wires", "300 0 -300 0 -0.5 3 \n300 0 -290 -20 -0.1 1 \n0 0 0 0 0.25 2 \n30 40 -30 -40 0.75 4 \n"
                                 "30 40 -20 -60 1 5 \n");
    ck_assert_ptr_nonnull(strstr(retc_test_table(), "\"wiring of cell01, cell02\""));
}
END_TEST

START_TEST(test_wiring_of_one_cell) {
    draw_right("cell02");
    double r = sqrt(4000); /* its outline holds what excites it; the amacrine cell may lie outside */
    has_numbers("wiring", 6, (const double[]){10, -20, 1.15 * r, 1, 1, 1});
    retc_test_table_has("wires", "300 0 -290 -20 -0.1 1 \n30 40 -20 -60 1 5 \n");
    retc_test_table_has("cells", "0 0 43.30127 1 0 \"cell01\" \n10 -20 63.24555 2 1 \"cell02\" \n");
    ck_assert_ptr_nonnull(strstr(retc_test_table(), "\"wiring of cell02\""));
}
END_TEST

/* Frames of 10 ms.  The bipolar cells' lags start with 1, and the last is too small to be seen; amacrine cells act 20 ms on. */
START_TEST(test_courses) {
    draw_right(NULL);
    retc_test_table_has("time 1", "10 0.5 \n20 -1 \n30 0.25 \n");
    retc_test_table_has("time 2", "20 1 \n30 0.5 \n");
}
END_TEST

/* A Gaussian of volume 1 in the plane. */
static double
gauss(double d, double sigma) {
    return exp(-d * d / (2 * sigma * sigma)) / (2 * M_PI * sigma * sigma);
}

START_TEST(test_profiles) {
    double row[121][2];
    draw_right(NULL);
    retc_test_table_numbers("space 1", &row[0][0], 242);
    ck_assert(row[0][0] == -100 && row[120][0] == 100 && row[60][0] == 0 && row[60][1] == 1);
    double peak = gauss(0, 20) - 0.5 * gauss(0, 40);
    for (int i = 0; i < 121; ++i)
        ck_assert_double_eq_tol(row[i][1], (gauss(row[i][0], 20) - 0.5 * gauss(row[i][0], 40)) / peak, 1e-6);
    retc_test_table_has("space 2", "NaN NaN \n");
}
END_TEST

/* Up to the largest rate of the first cell, 25 Hz, which is half of its maximum: f is 50 Hz.  Of the second none is known. */
START_TEST(test_outputs) {
    double row[61][2];
    draw_right(NULL);
    retc_test_table_numbers("output 1", &row[0][0], 122);
    ck_assert(row[0][0] == -4);
    ck_assert_double_eq_tol(row[60][0], 1 + log(exp(5) - 1), 1e-6);
    ck_assert_double_eq_tol(row[60][1], 25, 1e-5);
    for (int i = 0; i < 61; ++i) {
        double f = 10 * log(1 + exp(row[i][0] - 1));
        ck_assert_double_eq_tol(row[i][1], f / (1 + f / 50), 1e-5);
    }
    retc_test_table_numbers("output 2", &row[0][0], 122);
    ck_assert_double_eq_tol(row[60][0], 3.5, 1e-6);
    ck_assert_double_eq_tol(row[60][1], 20 * log(1 + exp(4)), 1e-5);
}
END_TEST

/* A rate that is the maximum has no input: the curve ends at 98 % of it, where f is 24.5 / 0.02 and the softplus is straight.
 */
START_TEST(test_outputs_at_the_maximum) {
    retina at_maximum = right;
    double row[61][2];
    at_maximum.maximum = 25;
    retc_h5 *file = make(&at_maximum);
    ck_ok(draw(file, NULL));
    retc_h5_close(file);
    retc_test_table_numbers("output 1", &row[0][0], 122);
    ck_assert_double_eq_tol(row[60][0], 1 + 24.5 / 0.02 / 10, DIGITS);
    ck_assert_double_eq_tol(row[60][1], 24.5, DIGITS);
}
END_TEST

/* ---- what cannot be drawn -------------------------------------------------------------------------------------------- */

static void
refuses(const retina *r, const char *cells, const char *message) {
    retc_h5 *file = make(r);
    ck_fails(draw(file, cells), message);
    retc_h5_close(file);
}

START_TEST(test_fails) {
    refuses(&right, "cell03", "there is no cell \"cell03\" among its 2 cells (cell01 ... cell02)");
    refuses(&(const retina){3, 0.1, CELLS, 50}, NULL,
            "connection 0 of \"truth/wiring/bipolar_to_cell\" joins neurons that are not there");
    refuses(&(const retina){-1, 0.1, CELLS, 50}, NULL,
            "connection 0 of \"truth/wiring/bipolar_to_cell\" joins neurons that are not there");
    refuses(&(const retina){0, -0.1, CELLS, 50}, NULL,
            "the weight of connection 1 of \"truth/wiring/amacrine_to_cell\" is -0.1, expected 0 or more");
    refuses(&(const retina){0, (double)NAN, CELLS, 50}, NULL, "the weight of connection 1 of");
    refuses(&(const retina){0, 0.1, 3, 50}, NULL, "dataset \"truth/test/rate\" is of 3 cells, expected 2");
}
END_TEST

START_TEST(test_no_circuit) {
    retc_h5 *file = retc_h5_create(retc_test_path("plain.h5"), 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_put_texts(file, "/cell_names", 1, (const char *const[]){"cell01"}));
    ck_fails(draw(file, NULL), "is no recording of a simulated retina");
    ck_fails(draw(file, "cell01"), "is no recording of a simulated retina");
    retc_h5_close(file);
}
END_TEST

static Suite *
figure_circuit_suite(void) {
    Suite *suite = suite_create("figure_circuit");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_mosaics);
    tcase_add_test(tcase, test_wiring);
    tcase_add_test(tcase, test_wiring_of_one_cell);
    tcase_add_test(tcase, test_courses);
    tcase_add_test(tcase, test_profiles);
    tcase_add_test(tcase, test_outputs);
    tcase_add_test(tcase, test_outputs_at_the_maximum);
    tcase_add_test(tcase, test_fails);
    tcase_add_test(tcase, test_no_circuit);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(figure_circuit_suite(), NULL);
}
