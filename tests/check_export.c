/* Exports: the order in which a recording was shown, spikes placed in their frames, and numbers in any locale. */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export_csv.h"
#include "export_nwb.h"
#include "export_timeline.h"
#include "fixtures.h"
#include "recording_write.h"
#include "testing.h"

enum { CELLS = 2, TRAIN = 6, TEST = 3, REPEATS = 2 };

/* Train frames 0 1 2 | 3 4 5, test frames 0 1 2; on the raw clock: train, test, train, test, with a late frame. */
static const double train_onset[TRAIN] = {10, 11, 12, 16, 17, 18.5};
static const double test_onset[REPEATS * TEST] = {13, 14, 15, 19.5, 20.5, 21.5};
static const float train_counts[CELLS * TRAIN] = {1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 3, 0};
static const float test_counts[CELLS * REPEATS * TEST] = {0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0};

typedef struct {
    int onsets, spikes; /* spike times of so many cells */
    float scale;        /* of counts */
} choice;

static retc_recording *
make(choice c) {
    static const char *const names[CELLS] = {"a", "b"};
    const size_t blocks[2] = {0, 3}, two[2] = {REPEATS, TEST}, train = TRAIN;
    const char *path = retc_test_path("small.h5");
    const double time[TRAIN] = {0, 1, 2, 3, 4, 5}, spike[3] = {10.5, 12.1, 14.25};
    const size_t n_spikes = 3;
    float movie[TRAIN], counts[CELLS * TRAIN], repeats[CELLS * REPEATS * TEST];
    const retc_recording_layout layout = {.height = 1,
                                          .width = 1,
                                          .cells = CELLS,
                                          .frames = {TRAIN, TEST},
                                          .repeats = REPEATS,
                                          .frame_interval = 1,
                                          .stimulus_type = RETC_H5_FLOAT,
                                          .cell_names = names,
                                          .block_start = {blocks, NULL},
                                          .blocks = {2, 0}};
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    ck_assert_msg(writer != NULL, "%s", retc_error_message());
    retc_h5 *file = retc_recording_writer_file(writer);
    for (int i = 0; i < TRAIN; ++i)
        movie[i] = 0.1f * (float)(i + 1);
    for (int i = 0; i < CELLS * TRAIN; ++i)
        counts[i] = c.scale * train_counts[i];
    for (int i = 0; i < CELLS * REPEATS * TEST; ++i)
        repeats[i] = c.scale * test_counts[i];
    ck_ok(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, TRAIN, movie));
    ck_ok(retc_recording_write_stimulus(writer, RETC_TEST, 0, TEST, movie));
    ck_ok(retc_recording_write_time(writer, RETC_TRAIN, time));
    ck_ok(retc_recording_write_time(writer, RETC_TEST, time));
    ck_ok(retc_recording_write_counts(writer, RETC_TRAIN, 0, TRAIN, counts));
    ck_ok(retc_recording_write_counts(writer, RETC_TEST, 0, TEST, repeats));
    if (c.onsets) {
        ck_ok(retc_h5_put(file, "train/onset", RETC_H5_DOUBLE, 1, &train, train_onset));
        ck_ok(retc_h5_put(file, "test/onset", RETC_H5_DOUBLE, 2, two, test_onset));
    }
    if (c.spikes > 0)
        ck_ok(retc_h5_put(file, "spikes/cell01", RETC_H5_DOUBLE, 1, &n_spikes, spike));
    if (c.spikes > 1)
        ck_ok(retc_h5_put(file, "spikes/cell02", RETC_H5_DOUBLE, 1, &n_spikes, spike));
    ck_ok(retc_recording_writer_finish(writer));
    ck_ok(retc_h5_commit(file));
    retc_recording_writer_free(writer);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

START_TEST(runs_in_the_order_of_time) {
    static const int part[4] = {RETC_TRAIN, RETC_TEST, RETC_TRAIN, RETC_TEST};
    static const size_t first[4] = {0, 0, 3, 0}, repeat[4] = {0, 0, 0, 1};
    retc_recording *recording = make((choice){1, 2, 1});
    retc_timeline timeline;
    ck_ok(retc_timeline_make(recording, &timeline));
    ck_assert_int_eq(timeline.is_raw, 1);
    ck_assert_uint_eq(timeline.runs, 4);
    ck_assert_uint_eq(timeline.repeats, REPEATS);
    for (size_t i = 0; i < 4; ++i) {
        ck_assert_int_eq((int)timeline.run[i].part, part[i]);
        ck_assert_uint_eq(timeline.run[i].first, first[i]);
        ck_assert_uint_eq(timeline.run[i].repeat, repeat[i]);
        ck_assert_uint_eq(timeline.run[i].at, 3 * i);
    }
    ck_close_double("onset", timeline.onset, ((const double[12]){10, 11, 12, 13, 14, 15, 16, 17, 18.5, 19.5, 20.5, 21.5}), 12,
                    0, 0);
    ck_close_double("end", timeline.end, ((const double[12]){11, 12, 13, 14, 15, 16, 17, 18.5, 19.5, 20.5, 21.5, 22.5}), 12, 0,
                    0);
    retc_timeline_clear(&timeline);
    retc_recording_close(recording);
}
END_TEST

/* Without a raw clock: train stretches, then repeats, 50 intervals apart. */
START_TEST(runs_with_pauses) {
    retc_recording *recording = make((choice){0, 0, 1});
    retc_timeline timeline;
    ck_ok(retc_timeline_make(recording, &timeline));
    ck_assert_int_eq(timeline.is_raw, 0);
    ck_close_double("onset", timeline.onset, ((const double[12]){0, 1, 2, 53, 54, 55, 106, 107, 108, 159, 160, 161}), 12, 0, 0);
    retc_timeline_clear(&timeline);
    retc_recording_close(recording);
}
END_TEST

static void
check_spikes(retc_recording *recording, const retc_timeline_spikes *spikes, size_t cell, const double *expected, size_t n) {
    double time[8];
    ck_assert_uint_eq(spikes->n[cell], n);
    ck_ok(retc_timeline_spikes_read(recording, spikes, cell, 0, n, time));
    ck_close_double("spikes", time, expected, n, 1e-12, 0);
}

/* One spike stands in the middle of its frame, two at 1/4 and 3/4, three at 1/6, 3/6, 5/6; the late frame is 1.5 long. */
START_TEST(spikes_are_placed) {
    retc_recording *recording = make((choice){1, _i, 1});
    retc_timeline timeline;
    retc_timeline_spikes spikes;
    ck_ok(retc_timeline_make(recording, &timeline));
    ck_ok(retc_timeline_spikes_find(recording, &timeline, &spikes));
    ck_assert_int_eq(spikes.are_placed, _i < 2); /* times of one cell only are not enough */
    if (_i < 2) {
        check_spikes(recording, &spikes, 0, (const double[7]){10.5, 12.25, 12.75, 14.5, 19, 21.75, 22.25}, 7);
        check_spikes(recording, &spikes, 1, (const double[4]){17.25, 17.75, 18.25, 20}, 4);
    } else {
        check_spikes(recording, &spikes, 0, (const double[3]){10.5, 12.1, 14.25}, 3);
    }
    retc_timeline_spikes_clear(&spikes);
    retc_timeline_clear(&timeline);
    retc_recording_close(recording);
}
END_TEST

START_TEST(rates_are_not_placed) {
    retc_recording *recording = make((choice){0, 0, 0.3f});
    retc_h5 *file = retc_h5_create(retc_test_path("rates.nwb"), 1);
    const retc_export_nwb_options options = {.session_start = "2026-01-02T03:04:05Z"};
    char *report = NULL;
    ck_fails(retc_export_nwb(recording, &options, NULL, file, &report), "cell a has 0.3 spikes in a frame: only whole numbers");
    ck_assert_ptr_null(report);
    retc_h5_close(file);
    retc_recording_close(recording);
}
END_TEST

static const struct {
    const char *text;
    int right;
} times[] = {{"2026-01-02T03:04:05Z", 1},      {"2026-01-02T03:04:05.25-03:30", 1}, {"2026-01-02 03:04:05Z", 0},
             {"2026-01-02T03:04:05", 0},       {"2026-01-02T03:04:05+0100", 0},     {"", 0},
             {"2026-01-02T03:04:05+01:00x", 0}};

START_TEST(session_starts) {
    retc_recording *recording = make((choice){0, 0, 1});
    retc_h5 *file = retc_h5_create(retc_test_path("times.nwb"), 1);
    const retc_export_nwb_options options = {.session_start = times[_i].text};
    char *report = NULL;
    if (times[_i].right)
        ck_ok(retc_export_nwb(recording, &options, NULL, file, &report));
    else
        ck_fails(retc_export_nwb(recording, &options, NULL, file, &report), "is no date and time");
    retc_free(report);
    retc_h5_close(file);
    retc_recording_close(recording);
}
END_TEST

/* Where the language of the program has a decimal comma. */
START_TEST(a_decimal_comma) {
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8", "fr_FR.utf8"};
    const char *set = NULL;
    for (size_t i = 0; !set && i < sizeof locales / sizeof *locales; ++i)
        set = setlocale(LC_NUMERIC, locales[i]);
    if (!set)
        retc_skip("no locale with a decimal comma is installed");
    retc_recording *recording = make((choice){1, 2, 1});
    const retc_export_csv_options options = {0};
    const char *folder = retc_test_path("");
    char *report = NULL, line[128] = "", inside[64];
    snprintf(inside, sizeof inside, "%.1f", 0.5);
    ck_assert_str_eq(inside, "0,5");
    ck_ok(retc_export_csv(recording, &options, NULL, folder, &report));
    snprintf(inside, sizeof inside, "%.1f", 0.5);
    ck_assert_str_eq(inside, "0,5"); /* the caller's locale is as before */
    FILE *in = fopen(retc_test_path("train_stimulus.csv"), "r");
    ck_assert_ptr_nonnull(in);
    for (int i = 0; i < 4; ++i)
        ck_assert_ptr_nonnull(fgets(line, sizeof line, in));
    ck_assert_str_eq(line, "2,0.3\n");
    fclose(in);
    retc_free(report);
    retc_recording_close(recording);
    setlocale(LC_NUMERIC, "C");
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("export");
    TCase *tcase = tcase_create("export");
    tcase_add_test(tcase, runs_in_the_order_of_time);
    tcase_add_test(tcase, runs_with_pauses);
    tcase_add_loop_test(tcase, spikes_are_placed, 0, 3);
    tcase_add_test(tcase, rates_are_not_placed);
    tcase_add_loop_test(tcase, session_starts, 0, sizeof times / sizeof *times);
    tcase_add_test(tcase, a_decimal_comma);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
