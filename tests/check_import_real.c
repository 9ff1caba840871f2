/* Real recordings of steps and gratings, imported, and the figures that were computed from them apart from this project: what
 * the import keeps of times and spikes gives them to the last digit. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "h5.h"
#include "import_text.h"
#include "recording.h"
#include "testing.h"

enum { CELLS = 20, BINS = 600, CYCLES = 68, DIRECTIONS = 8, REPEATS = 4 };

typedef struct {
    retc_h5 *file, *reference;
    size_t marks, cells;
    double *mark; /* (marks) */
} imported;

static int
by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of spike times of a folder, sorted. */
static size_t
find_cells(const char *folder, const char *prefix, char *path[CELLS]) {
    size_t n = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (struct dirent *entry; (entry = readdir(list));)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            ck_assert_uint_lt(n, CELLS);
            path[n++] = retc_strf("%s/%s", folder, entry->d_name);
        }
    closedir(list);
    qsort(path, n, sizeof *path, by_name);
    return n;
}

/* 0 when the recordings are not here. */
static int
import_real(const char *name, const char *prefix, imported *real) {
    static const double levels[4] = {0.5, 1, 0.5, 0};
    char *path[CELLS], *folder = retc_strf("recordings/%s", name), *output = retc_strdup(retc_test_path("real.h5"));
    char *shared = retc_strdup(retc_test_shared(folder));
    retc_free(folder);
    *real = (imported){0};
    if (!shared) {
        retc_free(output);
        return 0;
    }
    real->cells = find_cells(shared, prefix, path);
    char *frames = retc_strf("%s/stimulus.txt", shared), *reference = retc_strf("%s/reference.h5", shared);
    const retc_import_options options = {
        .frames = frames, .level = levels, .levels = 4, .spikes = (const char *const *)path, .cells = real->cells};
    retc_import_text_report report;
    retc_recording_writer *writer = NULL;
    ck_ok(retc_import_text(&options, output, 1, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_import_text_report_free(&report);
    real->file = retc_h5_open(output);
    real->reference = retc_h5_open(reference);
    ck_assert_ptr_nonnull(real->file);
    ck_assert_ptr_nonnull(real->reference);
    void *onset = NULL;
    ck_ok(retc_h5_read_new(real->file, "train/onset", RETC_H5_DOUBLE, 1, &real->marks, &onset));
    real->mark = onset;
    for (size_t i = 0; i < real->cells; ++i)
        retc_free(path[i]);
    retc_free(frames);
    retc_free(reference);
    retc_free(shared);
    retc_free(output);
    return 1;
}

static void
forget(imported *real) {
    retc_free(real->mark);
    retc_h5_close(real->file);
    retc_h5_close(real->reference);
}

static double *
reference(const imported *real, const char *name, int rank) {
    void *data = NULL;
    ck_ok(retc_h5_read_new(real->reference, name, RETC_H5_DOUBLE, rank, NULL, &data));
    return data;
}

static double *
spikes_of(const imported *real, size_t cell, size_t *n) {
    char name[32];
    void *data = NULL;
    snprintf(name, sizeof name, "spikes/cell%02zu", cell + 1);
    ck_ok(retc_h5_read_new(real->file, name, RETC_H5_DOUBLE, 1, n, &data));
    return data;
}

/* The reference's bins of 10 ms from the start of each cycle; the last cycle ends with the last mark. */
static void
fold(const imported *real, size_t cell, double psth[BINS]) {
    size_t n;
    double *spike = spikes_of(real, cell, &n);
    memset(psth, 0, BINS * sizeof *psth);
    for (size_t i = 0; i < n; ++i)
        for (size_t k = 0; k < CYCLES; ++k) {
            double start = real->mark[4 * k], stop = k + 1 < CYCLES ? real->mark[4 * k + 4] : real->mark[real->marks - 1];
            if (spike[i] >= start && spike[i] < stop)
                psth[(size_t)floor((spike[i] - start) / 0.01)] += 1 / (CYCLES * 0.01);
        }
    retc_free(spike);
}

static double
sum(const double *x, size_t first, size_t stop) {
    double total = 0;
    for (size_t i = first; i < stop; ++i)
        total += x[i];
    return total;
}

START_TEST(test_steps) {
    imported real;
    double psth[BINS];
    if (!import_real("on_off_steps", "8_SP_", &real))
        retc_skip("no recordings/on_off_steps in the shared material");
    ck_assert_uint_eq(real.cells, 20);
    ck_assert_uint_eq(real.marks, 4 * CYCLES);
    double *expected = reference(&real, "psth_hz", 2), *index = reference(&real, "on_off_index", 1);
    for (size_t cell = 0; cell < real.cells; ++cell) {
        fold(&real, cell, psth);
        /* Up to 68 additions of one number in place of one product: 68 units in the last place of a few hundred Hz. */
        ck_close_double("PSTH", psth, expected + cell * BINS, BINS, 1e-10, 0);
        double on = sum(psth, 199, 298), off = sum(psth, 496, 596);
        ck_assert_double_eq_tol((on - off) / (on + off), index[cell], 1e-12);
    }
    retc_free(expected);
    retc_free(index);
    forget(&real);
}
END_TEST

/* A step is a frame: its count is that of the spikes between its mark and the next. */
START_TEST(test_steps_are_frames) {
    imported real;
    if (!import_real("on_off_steps", "8_SP_", &real))
        retc_skip("no recordings/on_off_steps in the shared material");
    retc_recording *recording = retc_recording_open(retc_h5_path(real.file), 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    float movie[4 * CYCLES], counts[CELLS * 4 * CYCLES];
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, real.marks, movie));
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, real.marks, counts));
    for (size_t cell = 0; cell < real.cells; ++cell) {
        size_t n, i = 0;
        double *spike = spikes_of(&real, cell, &n);
        for (size_t t = 0; t + 1 < real.marks; ++t) {
            size_t found = 0;
            for (i = 0; i < n; ++i)
                found += spike[i] >= real.mark[t] && spike[i] < real.mark[t + 1];
            ck_assert_double_eq((double)counts[cell * real.marks + t], (double)found);
            ck_assert_double_eq((double)movie[t], t % 4 == 1 ? 1 : t % 4 == 3 ? 0 : 0.5);
        }
        retc_free(spike);
    }
    retc_recording_close(recording);
    forget(&real);
}
END_TEST

/* Spikes of each presentation, from its first mark to its last one and a mean period more. */
START_TEST(test_gratings) {
    imported real;
    if (!import_real("drifting_gratings", "5_SP_", &real))
        retc_skip("no recordings/drifting_gratings in the shared material");
    const char *set = _i ? "fast" : "slow";
    size_t marks = _i ? 11 : 3, shown = REPEATS * DIRECTIONS;
    const double *mark = real.mark + (_i ? 3 * shown : 0);
    double period = 0;
    char name[32];
    for (size_t p = 0; p < shown; ++p)
        period += (mark[p * marks + marks - 1] - mark[p * marks]) / (double)((marks - 1) * shown);
    snprintf(name, sizeof name, "%s/counts", set);
    double *expected = reference(&real, name, 3);
    snprintf(name, sizeof name, "%s/dsi", set);
    double *dsi = reference(&real, name, 1);
    ck_assert_uint_eq(real.cells, 19);
    ck_assert_uint_eq(real.marks, 96 + 352);
    for (size_t cell = 0; cell < real.cells; ++cell) {
        double counts[REPEATS * DIRECTIONS] = {0}, along = 0, across = 0;
        size_t n;
        double *spike = spikes_of(&real, cell, &n);
        for (size_t p = 0; p < shown; ++p) {
            for (size_t i = 0; i < n; ++i)
                counts[p] += spike[i] >= mark[p * marks] && spike[i] < mark[p * marks + marks - 1] + period;
            along += counts[p] * cos((double)(p % DIRECTIONS) * M_PI / 4);
            across += counts[p] * sin((double)(p % DIRECTIONS) * M_PI / 4);
        }
        ck_close_double("counts", counts, expected + cell * shown, shown, 0, 0);
        ck_assert_double_eq_tol(hypot(along, across) / sum(counts, 0, shown), dsi[cell], 1e-12);
        retc_free(spike);
    }
    retc_free(expected);
    retc_free(dsi);
    forget(&real);
}
END_TEST

static Suite *
real_suite(void) {
    Suite *suite = suite_create("real");
    TCase *recordings = tcase_create("recordings");
    tcase_add_test(recordings, test_steps);
    tcase_add_test(recordings, test_steps_are_frames);
    tcase_add_loop_test(recordings, test_gratings, 0, 2);
    tcase_set_timeout(recordings, 60);
    suite_add_tcase(suite, recordings);
    return suite;
}

int
main(void) {
    return retc_test_main(real_suite(), NULL);
}
