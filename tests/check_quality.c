/* The quality report: of a made-up recording in which everything odd was put on purpose, and of a real one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"
#include "import_text.h"
#include "quality.h"
#include "recording_write.h"
#include "rng.h"
#include "testing.h"

/* ---- a made-up recording --------------------------------------------------------------------------------------------- */

enum {
    TRAIN = 4000,
    TEST = 200,
    REPEATS = 10,
    SIDE = 3,
    AREA = SIDE * SIDE,
    CELLS = 4,
    LATE = 500,  /* train frame that lasts 2.5 intervals */
    COPIED = 51, /* test frames from 100 on that are train frames from 1000 on */
    HISTORY = 20,
    SPIKES = 1000
};

#define DT 0.01

typedef struct {
    float *movie[2], *train, *test; /* counts (N,TRAIN), (N,REPEATS,TEST) */
    double time[TRAIN], spikes[SPIKES];
} made_up;

/* Mean count: driven by the middle pixel 5 frames ago, in the last quarter of the train part 4 frames ago and half as much
 * again. */
static double
rate_of(const made_up *m, retc_part part, size_t t) {
    int late = part == RETC_TRAIN && t >= 3 * TRAIN / 4;
    size_t lag = late ? 4 : 5;
    double drive = t >= lag ? (double)m->movie[part][(t - lag) * AREA + AREA / 2] : 0;
    return (late ? 1.5 : 1) * (drive > 0 ? 0.6 * drive : 0.02);
}

/* Cell 0 is driven, cell 1 is cell 0 but for a few spikes, cell 2 fires as it likes, cell 3 is silent. */
static void
draw_cells(made_up *m) {
    gsl_rng *rng = retc_rng_alloc(21, RETC_STREAM_SPIKES, 0);
    for (size_t t = 0; t < TRAIN; ++t) {
        m->train[t] = (float)gsl_ran_poisson(rng, rate_of(m, RETC_TRAIN, t));
        m->train[TRAIN + t] = t % 50 ? m->train[t] : 0;
        m->train[2 * TRAIN + t] = (float)gsl_ran_poisson(rng, 0.2);
    }
    for (size_t i = 0; i < REPEATS * TEST; ++i) {
        m->test[i] = (float)gsl_ran_poisson(rng, rate_of(m, RETC_TEST, i % TEST));
        m->test[REPEATS * TEST + i] = i % 50 ? m->test[i] : 0;
        m->test[2 * REPEATS * TEST + i] = (float)gsl_ran_poisson(rng, 0.2);
    }
    gsl_rng_free(rng);
}

static void
make_up(made_up *m) {
    *m = (made_up){0};
    m->movie[RETC_TRAIN] = retc_fixture_movie(31, TRAIN, SIDE, SIDE);
    m->movie[RETC_TEST] = retc_fixture_movie(32, TEST, SIDE, SIDE);
    memcpy(m->movie[RETC_TEST] + 100 * AREA, m->movie[RETC_TRAIN] + 1000 * AREA, COPIED * AREA * sizeof(float));
    m->train = retc_calloc(CELLS * TRAIN, sizeof *m->train);
    m->test = retc_calloc(CELLS * REPEATS * TEST, sizeof *m->test);
    for (size_t t = 0; t < TRAIN; ++t)
        m->time[t] = DT * (double)t + (t > LATE ? 1.5 * DT : 0);
    /* 999 intervals: one of 0, 5 of 0.5 ms, 20 of 1.5 ms, the others of 9 ms. */
    for (size_t i = 1; i < SPIKES; ++i)
        m->spikes[i] = m->spikes[i - 1] + (i == 1 ? 0 : i < 7 ? 0.0005 : i < 27 ? 0.0015 : 0.009);
    draw_cells(m);
}

static void
free_made_up(made_up *m) {
    retc_free(m->movie[0]);
    retc_free(m->movie[1]);
    retc_free(m->train);
    retc_free(m->test);
}

/* Which parts a file gets. */
typedef struct {
    int train, test, spikes;
    size_t repeats;
} choice;

static retc_recording *
write_made_up(const made_up *m, choice c) {
    static const char *const names[CELLS] = {"driven", "copy", "free", "silent"};
    const size_t blocks[2] = {0, TRAIN / 2}, n = SPIKES;
    const char *path = retc_test_path("made.h5");
    const retc_recording_layout layout = {.height = SIDE,
                                          .width = SIDE,
                                          .cells = CELLS,
                                          .frames = {c.train ? TRAIN : 0, c.test ? TEST : 0},
                                          .repeats = c.repeats,
                                          .frame_interval = DT,
                                          .stimulus_type = RETC_H5_FLOAT,
                                          .cell_names = names,
                                          .block_start = {blocks, NULL},
                                          .blocks = {2, 0}};
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    float *test = retc_calloc(CELLS * c.repeats * TEST + 1, sizeof *test);
    ck_assert_msg(writer != NULL, "%s", retc_error_message());
    if (c.train) {
        ck_ok(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, TRAIN, m->movie[RETC_TRAIN]));
        ck_ok(retc_recording_write_time(writer, RETC_TRAIN, m->time));
        ck_ok(retc_recording_write_counts(writer, RETC_TRAIN, 0, TRAIN, m->train));
    }
    if (c.test) {
        double time[TEST];
        for (size_t t = 0; t < TEST; ++t)
            time[t] = DT * (double)t;
        for (size_t k = 0; k < CELLS; ++k)
            memcpy(test + k * c.repeats * TEST, m->test + k * REPEATS * TEST, c.repeats * TEST * sizeof *test);
        ck_ok(retc_recording_write_stimulus(writer, RETC_TEST, 0, TEST, m->movie[RETC_TEST]));
        ck_ok(retc_recording_write_time(writer, RETC_TEST, time));
        ck_ok(retc_recording_write_counts(writer, RETC_TEST, 0, TEST, test));
    }
    if (c.spikes)
        ck_ok(retc_h5_put(retc_recording_writer_file(writer), "spikes/cell01", RETC_H5_DOUBLE, 1, &n, m->spikes));
    ck_ok(retc_recording_writer_finish(writer));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_free(test);
    retc_recording *recording = retc_recording_open(path, 1); /* everything is streamed */
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static void
examine(const made_up *m, choice c, retc_quality *quality) {
    retc_quality_options options = retc_quality_options_default();
    retc_recording *recording = write_made_up(m, c);
    options.history = HISTORY;
    options.resamples = 200;
    ck_ok(retc_quality_examine(recording, &options, NULL, quality));
    retc_recording_close(recording);
}

static int
says(char **sentence, size_t n, const char *text) {
    for (size_t i = 0; i < n; ++i)
        if (strstr(sentence[i], text))
            return 1;
    return 0;
}

#define ck_warns(quality, text) ck_assert_msg(says((quality)->warning, (quality)->warnings, text), "no warning \"%s\"", text)
#define ck_notes(quality, text) ck_assert_msg(says((quality)->note, (quality)->notes, text), "no note \"%s\"", text)

START_TEST(frames_and_stimulus) {
    made_up m;
    retc_quality q;
    make_up(&m);
    examine(&m, (choice){1, 1, 1, REPEATS}, &q);
    ck_assert_uint_eq(q.part[RETC_TRAIN].frames, TRAIN);
    ck_assert_uint_eq(q.part[RETC_TRAIN].stretches, 2);
    ck_assert_uint_eq(q.part[RETC_TRAIN].shortest, TRAIN / 2);
    ck_assert_uint_eq(q.part[RETC_TEST].frames, TEST);
    ck_assert_uint_eq(q.repeats, REPEATS);
    /* 1999 intervals in each stretch, 199 in the test part, whose repeats share one clock. */
    ck_assert_uint_eq(q.clock.n, TRAIN - 2 + TEST - 1);
    ck_assert_uint_eq(q.clock.irregular, 1);
    ck_assert_uint_eq(q.clock.long_frames, 1);
    ck_assert_uint_eq(q.clock.which[0].frame, LATE);
    ck_assert_int_eq(q.clock.which[0].part, RETC_TRAIN);
    ck_assert_double_eq_tol(q.clock.which[0].interval, 2.5 * DT, 1e-9);
    ck_assert_double_eq_tol(q.clock.median, DT, 1e-9);
    ck_assert_double_eq_tol(q.clock.mean, DT + 1.5 * DT / (TRAIN + TEST - 3), 1e-9);
    ck_assert_double_eq_tol(q.part[RETC_TRAIN].duration, DT * TRAIN + 1.5 * DT, 1e-9);
    double sum = 0, squares = 0, max = 0;
    for (size_t i = 0; i < TRAIN * AREA; ++i) {
        sum += (double)m.movie[RETC_TRAIN][i];
        squares += (double)m.movie[RETC_TRAIN][i] * (double)m.movie[RETC_TRAIN][i];
        max = fmax(max, (double)m.movie[RETC_TRAIN][i]);
    }
    double n = TRAIN * AREA;
    ck_assert_double_eq_tol(q.stimulus.mean, sum / n, 1e-12);
    ck_assert_double_eq_tol(q.stimulus.std, sqrt(squares / n - sum / n * sum / n), 1e-12);
    ck_assert(q.stimulus.max == max);
    /* Windows of 20 frames that lie in the 51 copied ones. */
    ck_assert_uint_eq(q.stimulus.shared, COPIED - HISTORY + 1);
    ck_assert_uint_eq(q.stimulus.compared, TEST - HISTORY + 1);
    ck_assert_uint_eq(q.stimulus.first_test, 100);
    ck_assert_uint_eq(q.stimulus.first_in_train, 1000);
    ck_warns(&q, "1 of 4197 frames are irregular");
    ck_warns(&q,
             "32 of 181 test windows of 20 frames are shown in the train part as well (test frame 100 is train frame 1000)");
    retc_quality_clear(&q);
    free_made_up(&m);
}
END_TEST

START_TEST(cells) {
    made_up m;
    retc_quality q;
    make_up(&m);
    examine(&m, (choice){1, 1, 1, REPEATS}, &q);
    double seconds = DT * TRAIN + 1.5 * DT;
    for (size_t n = 0; n < CELLS; ++n) {
        double spikes = 0, quarter[4] = {0};
        for (size_t t = 0; t < TRAIN; ++t) {
            spikes += (double)m.train[n * TRAIN + t];
            quarter[t * 4 / TRAIN] += (double)m.train[n * TRAIN + t] / (seconds / 4);
        }
        for (size_t i = 0; i < REPEATS * TEST; ++i)
            spikes += (double)m.test[n * REPEATS * TEST + i];
        ck_assert_double_eq_tol(q.cell[n].counted, spikes, 1e-9);
        ck_assert_double_eq_tol(q.cell[n].rate, spikes / (seconds + REPEATS * TEST * DT), 1e-9);
        /* Bins of 66 and 67 frames count alike in the mean, so it is off by up to 1.5 %. */
        ck_close_double("quarters", q.cell[n].quarter, quarter, 4, 1e-12, 0.015);
    }
    const retc_quality_cell *cell = q.cell;
    ck_assert_uint_eq(cell->spikes, SPIKES);
    ck_assert_uint_eq(cell->equal, 1);
    ck_assert_double_eq_tol(cell->brief[0], 6.0 / 999, 1e-12);
    ck_assert_double_eq_tol(cell->brief[1], 26.0 / 999, 1e-12);
    ck_assert(isnan(q.cell[1].brief[1]));
    /* 973 intervals of 9 ms: 12 log10(90) = 23.4; 5 of 0.5 ms: 12 log10(5) = 8.4; 20 of 1.5 ms: 14.1. */
    ck_assert_double_eq(cell->interval[23], 973);
    ck_assert_double_eq(cell->interval[8], 5);
    ck_assert_double_eq(cell->interval[14], 20);
    ck_assert_double_eq(cell->interval[0], 1);
    ck_assert_uint_eq(cell->twin, 1);
    ck_assert_double_gt(cell->twin_r, 0.9);
    /* 5 frames of 10 ms; in the last quarter a frame less. */
    ck_assert_double_eq_tol(cell->latency, 0.05, 1e-9);
    ck_assert_double_eq_tol(cell->shift[1], 0, 0.002);
    ck_assert_double_eq_tol(cell->shift[3], -0.01, 0.002);
    ck_assert(isnan(q.cell[2].shift[3]) && isnan(q.cell[3].latency));
    ck_assert_double_gt(cell->measure[RETC_CEILING], 0.9);
    ck_assert_uint_eq(q.worst, 3);
    ck_warns(&q, "cell driven: 2.6 % of its intervals are below 2 ms: probably two cells sorted as one");
    ck_warns(&q, "cell driven: 1 pair of spikes at the same time");
    ck_warns(&q, "cell driven: its rate rises from ");
    ck_warns(&q, "ms earlier in the last quarter than in the first");
    ck_warns(&q, "cell driven: responds ");
    ck_warns(&q, "cells driven and copy: their counts correlate with 0.9");
    ck_warns(&q, "cell free: no reproducible response");
    ck_warns(&q, "cell silent: has no spike in any frame");
    ck_assert(!says(q.warning, q.warnings, "cell driven: its response"));
    retc_quality_clear(&q);
    free_made_up(&m);
}
END_TEST

START_TEST(rates_in_place_of_counts) {
    made_up m;
    retc_quality q;
    size_t fractional = 0;
    make_up(&m);
    for (size_t i = 0; i < CELLS * TRAIN; ++i) {
        m.train[i] *= 0.25f;
        fractional += m.train[i] != floorf(m.train[i]);
    }
    examine(&m, (choice){1, 1, 1, REPEATS}, &q);
    ck_assert_uint_eq(q.fractional, fractional);
    ck_warns(&q, "counts of the train part are no whole numbers: are they rates?");
    retc_quality_clear(&q);
    m.train[0] = 1;
    for (size_t i = 0; i < CELLS * TRAIN; ++i)
        m.train[i] *= 4;
    examine(&m, (choice){1, 1, 1, REPEATS}, &q);
    ck_assert_uint_eq(q.fractional, 0);
    ck_assert(!says(q.warning, q.warnings, "whole numbers"));
    retc_quality_clear(&q);
    free_made_up(&m);
}
END_TEST

/* What is missing is said, and nothing else breaks. */
static const struct {
    choice choice;
    const char *note;
} lacking[] = {
    {{1, 0, 1, 0}, "no test part: reliability, signal to noise and ceilings need a stimulus that was repeated"},
    {{1, 1, 1, 1}, "the test part was shown once"},
    {{1, 1, 1, 4}, "4 repeats are too few for intervals of reliability and ceilings; 5 are needed"},
    {{1, 1, 0, REPEATS}, "no spike times"},
    {{0, 1, 1, REPEATS}, "no train part: drift is read from the repeats"},
    {{1, 1, 1, REPEATS}, "the first 19 test frames are not scored"},
};

START_TEST(parts_missing) {
    made_up m;
    retc_quality q;
    make_up(&m);
    examine(&m, lacking[_i].choice, &q);
    ck_notes(&q, lacking[_i].note);
    ck_assert_int_eq(isfinite(q.cell[0].measure[RETC_CEILING]) != 0, lacking[_i].choice.repeats > 1);
    ck_assert_int_eq(isfinite(q.cell[0].low[RETC_CEILING]) != 0, lacking[_i].choice.repeats >= RETC_LEAST_REPEATS);
    ck_assert(isfinite(q.cell[0].rate) && isfinite(q.cell[0].quarter[3]) == (lacking[_i].choice.train || REPEATS >= 4));
    ck_assert(isfinite(q.stimulus.std));
    retc_h5 *file = retc_h5_create(retc_test_path("quality.h5"), 1);
    ck_ok(retc_quality_write(&q, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    char *text = retc_quality_text(&q), *stored = NULL;
    file = retc_h5_open(retc_test_path("quality.h5"));
    ck_ok(retc_h5_read_text(file, "/report", &stored));
    ck_assert_str_eq(stored, text);
    ck_assert_ptr_nonnull(strstr(text, lacking[_i].note));
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        ck_assert_msg(!strncmp(line, "note", 4) || !strncmp(line, "warning", 7) || strcspn(line, "\n") <= 128,
                      "a long line: %s", line);
    retc_h5_close(file);
    retc_free(text);
    retc_free(stored);
    retc_quality_clear(&q);
    free_made_up(&m);
}
END_TEST

START_TEST(options_without_meaning) {
    made_up m;
    retc_quality q;
    retc_quality_options options = retc_quality_options_default();
    make_up(&m);
    retc_recording *recording = write_made_up(&m, (choice){1, 1, 1, 2});
    options.history = 0;
    ck_fails(retc_quality_examine(recording, &options, NULL, &q), "a history of 0 frames");
    options.history = 10;
    options.tolerance = -1;
    ck_fails(retc_quality_examine(recording, &options, NULL, &q), "a tolerance of -1");
    retc_recording_close(recording);
    free_made_up(&m);
}
END_TEST

/* ---- a real recording ------------------------------------------------------------------------------------------------ */

enum { REAL_CELLS = 8, TRIALS = 41, RUNNING = 1800, TRIAL = 2400 };
#define REAL(name) "recordings/fullfield_noise/" name

static retc_recording *
import_real(void) {
    static const char *const names[3] = {REAL("frametimes_fullfieldnoise.txt"), REAL("stimulus_fullfieldnoise.txt"),
                                         REAL("01_fullfieldfrozennoise_gauss_1blink_1800run_600freeze.txt")};
    char path[REAL_CELLS + 3][512], name[64];
    const char *spikes[REAL_CELLS];
    for (size_t i = 0; i < REAL_CELLS + 3; ++i) {
        snprintf(name, sizeof name, REAL("fullfieldnoise_C%zu.txt"), i + 1);
        const char *found = retc_test_shared(i < REAL_CELLS ? name : names[i - REAL_CELLS]);
        ck_assert_ptr_nonnull(found);
        snprintf(path[i], sizeof path[i], "%s", found);
        if (i < REAL_CELLS)
            spikes[i] = path[i];
    }
    const retc_import_options options = {.frames = path[REAL_CELLS],
                                         .stimulus = path[REAL_CELLS + 1],
                                         .parameters = path[REAL_CELLS + 2],
                                         .spikes = spikes,
                                         .cells = REAL_CELLS};
    const char *output = retc_test_path("real.h5");
    retc_import_text_report report;
    retc_recording_writer *writer = NULL;
    ck_ok(retc_import_text(&options, output, 1, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_import_text_report_free(&report);
    retc_recording *recording = retc_recording_open(output, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static void
read_reference(retc_h5 *file, const char *name, double *out) {
    ck_ok(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, out));
}

/* Rates of the quarters of the train part from the reference's counts, made apart from this program; quarters are 18450 frames,
 * bins 1230, both whole. */
static void
check_real_quarters(retc_h5 *reference, const retc_quality *q) {
    size_t shape[2];
    void *counts = NULL;
    double published[REAL_CELLS][4], seconds = q->part[RETC_TRAIN].duration / 4;
    ck_ok(retc_h5_read_new(reference, "counts", RETC_H5_UINT8, 2, shape, &counts));
    read_reference(reference, "stationarity/rate_hz_by_quarter", published[0]);
    for (size_t n = 0; n < REAL_CELLS; ++n) {
        double quarter[4] = {0};
        for (size_t t = 0; t < TRIALS * RUNNING; ++t)
            quarter[t * 4 / (TRIALS * RUNNING)] +=
                ((const uint8_t *)counts)[n * TRIALS * TRIAL + t / RUNNING * TRIAL + t % RUNNING] / seconds;
        ck_close_double("quarters", q->cell[n].quarter, quarter, 4, 0, 1e-12);
        /* The published ones count the frozen stretches too, which drive cells by up to a few percent more or less. */
        ck_close_double("published quarters", q->cell[n].quarter, published[n], 4, 0, 0.04);
    }
    retc_free(counts);
}

START_TEST(the_real_recording) {
    if (!retc_test_shared(REAL("reference.h5")))
        retc_skip("no recordings/fullfield_noise/reference.h5 in the shared material");
    retc_recording *recording = import_real();
    retc_h5 *reference = retc_h5_open(retc_test_shared(REAL("reference.h5")));
    retc_quality_options options = retc_quality_options_default();
    retc_quality q;
    double ceiling[REAL_CELLS], odd_even[REAL_CELLS], halves[REAL_CELLS], ends[REAL_CELLS], signal[REAL_CELLS],
        noise[REAL_CELLS], shift[REAL_CELLS][4];
    ck_assert_msg(reference != NULL, "%s", retc_error_message());
    options.resamples = 100;
    ck_ok(retc_quality_examine(recording, &options, NULL, &q));
    read_reference(reference, "ceiling/cc_max_schoppe", ceiling);
    read_reference(reference, "ceiling/r_odd_even", odd_even);
    read_reference(reference, "ceiling/r_half", halves);
    read_reference(reference, "ceiling/r_first_last_half", ends);
    read_reference(reference, "ceiling/signal_power", signal);
    read_reference(reference, "ceiling/noise_power", noise);
    read_reference(reference, "stationarity/filter_shift_frames_by_quarter", shift[0]);
    check_real_quarters(reference, &q);
    for (size_t n = 0; n < REAL_CELLS; ++n) {
        const retc_quality_cell *cell = &q.cell[n];
        ck_assert_double_eq_tol(cell->measure[RETC_CEILING], ceiling[n], 1e-12);
        ck_assert_double_eq_tol(cell->measure[RETC_ODD_EVEN], odd_even[n], 1e-9);
        /* Averages over 20 and over their random splits, which scatter by 0.01 to 0.02 each. */
        ck_assert_double_eq_tol(cell->measure[RETC_SPLIT_HALF], halves[n], 0.01);
        ck_assert_double_eq_tol(cell->measure[RETC_SIGNAL_POWER], signal[n], 1e-9 + 0.03 * signal[n]);
        ck_assert_double_eq_tol(cell->measure[RETC_NOISE_POWER], noise[n], 1e-9 + 0.03 * noise[n]);
        /* 41 repeats: the one in the middle may go to either half. */
        ck_assert_double_eq_tol(cell->measure[RETC_FIRST_SECOND], ends[n], 0.02);
        /* Both align filters, in ways of their own; the published shifts are whole tenths. */
        for (int k = 0; k < 4; ++k)
            ck_assert_double_eq_tol(cell->shift[k] / q.frame_interval, shift[n][k], 0.3);
    }
    /* What the recording's description says of its spikes and frames. */
    ck_assert_double_eq_tol(q.cell[6].brief[1], 1405.0 / 76110, 1e-12);
    ck_assert_double_eq_tol(q.cell[6].brief[0], 92.0 / 76110, 1e-12);
    ck_assert_uint_eq(q.cell[2].equal, 1);
    ck_assert_uint_eq(q.cell[6].equal, 1);
    ck_warns(&q, "cell fullfieldnoise_C7: 1.8 % of its intervals are below 2 ms: probably two cells sorted as one");
    ck_warns(&q, "cell fullfieldnoise_C1: responds 11 ms earlier");
    ck_assert_double_eq_tol(q.clock.max, 0.052, 1e-3);
    ck_assert_uint_eq(q.clock.which[0].frame, 13410 / TRIAL * RUNNING + 13410 % TRIAL);
    ck_assert_uint_eq(q.stimulus.shared, 0);
    retc_quality_clear(&q);
    retc_h5_close(reference);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("quality");
    TCase *made = tcase_create("made up"), *real = tcase_create("real");
    tcase_set_timeout(made, 60);
    tcase_set_timeout(real, 60);
    tcase_add_test(made, frames_and_stimulus);
    tcase_add_test(made, cells);
    tcase_add_test(made, rates_in_place_of_counts);
    tcase_add_loop_test(made, parts_missing, 0, sizeof lacking / sizeof *lacking);
    tcase_add_test(made, options_without_meaning);
    tcase_add_test(real, the_real_recording);
    suite_add_tcase(suite, made);
    suite_add_tcase(suite, real);
    return retc_test_main(suite, NULL);
}
