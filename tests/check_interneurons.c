/* Recordings of interneurons: movies by the published rules, written out anew, potentials, names and centres. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "error.h"
#include "h5.h"
#include "interneurons.h"
#include "testing.h"

enum { T = 300, CELLS = 3, H = 38, LINES = 76, SIDE = RETC_INTERNEURON_SIDE, MARGIN = 6 };

static double
box(size_t t, size_t y, size_t x) {
    return (double)((t + 3 * y + 7 * x) % 2);
}

static double
line(size_t t, size_t i) {
    return (double)((t + 5 * i * i) % 8) / 4 - 1;
}

static double
potential(size_t kind, size_t cell, size_t t) {
    return (double)((kind + 2 * cell + 3 * t) % 17) / 8 - 1;
}

/* A file, whole or with one thing wrong. */
typedef struct {
    const char *what, *says;
    int no_stimuli, transposed, short_potential, other_cells, nan, odd_lines, large, flat_boxes, empty;
    double std, interval;
} fixture;

static void
put_potential(retc_h5 *file, const fixture *f, const char *name, size_t kind) {
    static double x[(CELLS + 1) * T];
    size_t cells = CELLS + (size_t)(f->other_cells && kind == 2), frames = T - (size_t)f->short_potential * (kind == 0);
    for (size_t i = 0; i < cells * frames; ++i)
        x[i] = potential(kind, i / frames, i % frames);
    if (f->nan && kind == 1)
        x[frames + 270] = (double)NAN;
    size_t shape[2] = {cells, frames}, turned[2] = {frames, cells};
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, f->transposed && kind == 0 ? turned : shape, x));
}

static const char *
make_file(const fixture *f, const char *name) {
    const char *path = retc_test_path(name);
    retc_h5 *file = retc_h5_create(path, 1);
    size_t side = f->large ? SIDE + 1 : H;
    double *x = retc_calloc(T * (SIDE + 1) * (SIDE + 1), sizeof *x), one = 1;
    size_t T1 = T, n1 = 1;
    for (size_t i = 0; i < T * side * side; ++i)
        x[i] = box(i / (side * side), i / side % side, i % side);
    if (!f->no_stimuli && !f->empty)
        ck_ok(retc_h5_put(file, "boxes/stimuli", RETC_H5_DOUBLE, f->flat_boxes ? 2 : 3,
                          f->flat_boxes ? (const size_t[]){T, H * H} : (const size_t[]){T, side, side}, x));
    if (f->empty) {
        ck_ok(retc_h5_put(file, "train/time", RETC_H5_DOUBLE, 1, &n1, &one));
    } else {
        put_potential(file, f, "boxes/detrended_membrane_potential", 0);
        ck_ok(retc_h5_put(file, "boxes/rfs/040412_c1", RETC_H5_DOUBLE, 1, &n1, &one));
        ck_ok(retc_h5_put(file, "boxes/rfs/040412_c2", RETC_H5_DOUBLE, 1, &n1, &one));
        ck_ok(retc_h5_put(file, "boxes/rfs/040512_c1", RETC_H5_DOUBLE, 1, &n1, &one));
        for (size_t t = 0; t < T; ++t)
            x[t] = line(t, 1);
        ck_ok(retc_h5_put(file, "flashes/stimuli", RETC_H5_DOUBLE, 1, &T1, x));
        put_potential(file, f, "flashes/detrended_membrane_potential", 1);
        size_t lines = LINES - (size_t)f->odd_lines;
        for (size_t i = 0; i < T * lines; ++i)
            x[i] = line(i / lines, i % lines);
        ck_ok(retc_h5_put(file, "lines/stimuli", RETC_H5_DOUBLE, 2, (const size_t[]){T, lines}, x));
        put_potential(file, f, "lines/detrended_membrane_potential", 2);
        ck_ok(retc_h5_put(file, "movingbar/stimuli", RETC_H5_DOUBLE, 1, &T1, x));
    }
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(x);
    return path;
}

/* The movies as FORMATS 6 has them, pixel by pixel. */
static double
shown(size_t kind, const fixture *f, size_t t, size_t y, size_t x) {
    if (y < MARGIN || x < MARGIN || y >= MARGIN + H || x >= MARGIN + H)
        return 0;
    y -= MARGIN;
    x -= MARGIN;
    if (kind == 0)
        return f->std > 0 ? (128 * box(t, y, x) - 50) / f->std : 2 * box(t, y, x) - 1;
    if (kind == 1)
        return line(t, 1);
    return x == 0 ? line(t, 0) / 2 : (line(t, 2 * x - 1) + line(t, 2 * x)) / 2;
}

/* As published, with a model's scale, and with a potential a frame shorter. */
static const fixture good[] = {{.interval = 0.01}, {.interval = 0.0125, .std = 40}, {.interval = 0.01, .short_potential = 1}};

START_TEST(test_import) {
    static const char *const kinds[3] = {"boxes", "flashes", "lines"};
    const fixture *f = &good[_i];
    const retc_interneuron_options options = {.frame_interval = f->interval, .mean = 50, .std = f->std};
    const char *path = retc_test_path("interneurons.h5");
    char *notes = NULL, **names = NULL;
    size_t n;
    void *data = NULL;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_interneurons_import(make_file(f, "bipolars_early_2012.h5"), &options, file, &notes));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    for (size_t kind = 0; kind < 3; ++kind) {
        char name[64];
        size_t shape[3], frames = T - (size_t)(f->short_potential && kind == 0);
        snprintf(name, sizeof name, "%s/stimulus", kinds[kind]);
        ck_ok(retc_h5_read_new(file, name, RETC_H5_FLOAT, 3, shape, &data));
        ck_assert_uint_eq(shape[0], frames);
        ck_assert_uint_eq(shape[1], SIDE);
        ck_assert_uint_eq(shape[2], SIDE);
        for (size_t i = 0; i < frames * SIDE * SIDE; ++i)
            ck_assert_double_eq((double)((float *)data)[i],
                                (double)(float)shown(kind, f, i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE));
        retc_free(data);
        snprintf(name, sizeof name, "%s/potential", kinds[kind]);
        ck_ok(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 2, shape, &data));
        ck_assert_uint_eq(shape[0], CELLS);
        ck_assert_uint_eq(shape[1], frames);
        for (size_t i = 0; i < CELLS * frames; ++i)
            ck_assert_double_eq(((double *)data)[i], potential(kind, i / frames, i % frames));
        retc_free(data);
        snprintf(name, sizeof name, "%s/time", kinds[kind]);
        ck_ok(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, shape, &data));
        ck_assert_double_eq(((double *)data)[frames - 1], (double)(frames - 1) * f->interval);
        retc_free(data);
    }
    ck_ok(retc_h5_read_texts(file, "cell_names", &names, &n));
    ck_assert_uint_eq(n, CELLS);
    ck_assert_str_eq(names[2], "040512_c1");
    ck_ok(retc_h5_read_new(file, "center", RETC_H5_INT64, 2, (size_t[2]){0}, &data));
    ck_assert_int_eq(((int64_t *)data)[4], 18);
    ck_assert_int_eq(((int64_t *)data)[5], 23);
    ck_assert_ptr_nonnull(strstr(notes, "movingbar is left out"));
    ck_assert_int_eq(strstr(notes, "300 frames and 299 potentials: the first 299 are used") != NULL, f->short_potential);
    retc_free(data);
    retc_free(names);
    retc_free(notes);
    retc_h5_close(file);
}
END_TEST

static const fixture wrong[] = {
    {.what = "not of interneurons", .empty = 1, .interval = 0.01, .says = "has none of the groups boxes, flashes and lines"},
    {.what = "no stimuli", .no_stimuli = 1, .interval = 0.01, .says = "\"boxes/stimuli\" is missing"},
    {.what = "transposed",
     .transposed = 1,
     .interval = 0.01,
     .says = "is (300,3): expected (cells,frames) with the same number (within 2); it seems transposed"},
    {.what = "lengths",
     .short_potential = 3,
     .interval = 0.01,
     .says = "boxes/stimuli has 300 frames, detrended_membrane_potential is (3,297)"},
    {.what = "cells", .other_cells = 1, .interval = 0.01, .says = "is (4,300), expected (3,any)"},
    {.what = "NaN",
     .nan = 1,
     .interval = 0.01,
     .says = "\"flashes/detrended_membrane_potential\" is not finite in row 1, frame 270"},
    {.what = "odd lines",
     .odd_lines = 1,
     .interval = 0.01,
     .says = "expected a movie of up to 50x50 pixels from pairs of values"},
    {.what = "large", .large = 1, .interval = 0.01, .says = "has 51x51 values a frame, expected a movie of up to 50x50 pixels"},
    {.what = "flat", .flat_boxes = 1, .interval = 0.01, .says = "has 2 axes, expected (frames,rows,columns)"},
    {.what = "interval", .interval = -1, .says = "a frame interval of -1 s has no meaning"},
};

START_TEST(test_refused) {
    const fixture *f = &wrong[_i];
    const retc_interneuron_options options = {.frame_interval = f->interval};
    char *notes = NULL;
    const char *path = make_file(f, "wrong.h5");
    retc_h5 *file = retc_h5_create(retc_test_path("refused.h5"), 1);
    ck_fails(retc_interneurons_import(path, &options, file, &notes), f->says);
    ck_assert_ptr_null(notes);
    retc_h5_close(file);
}
END_TEST

static Suite *
interneurons_suite(void) {
    Suite *suite = suite_create("interneurons");
    TCase *import = tcase_create("import");
    tcase_add_loop_test(import, test_import, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(import, test_refused, 0, sizeof wrong / sizeof *wrong);
    tcase_set_timeout(import, 60);
    suite_add_tcase(suite, import);
    return suite;
}

int
main(void) {
    return retc_test_main(interneurons_suite(), NULL);
}
