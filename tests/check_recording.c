/* Reading and writing recordings.  Files are made with the HDF5 layer alone where the reader is tested, so that a mistake that
 * reader and writer share cannot hide. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "h5.h"
#include "recording.h"
#include "recording_write.h"
#include "testing.h"

enum { H = 2, W = 3, PIXELS = H * W, N = 2, TRAIN = 12, TEST = 5, REPEATS = 3 };

/* ---- a small recording, whole or with one thing wrong ---------------------------------------------------------------- */

typedef struct {
    const char *what, *says;                        /* the case, and a part of the message that it must give */
    const char *missing;                            /* this dataset is left out */
    int stimulus_rank;                              /* 0: 3 */
    int extra_stimulus, extra_time, extra_response; /* frames of the train part more than TRAIN */
    int other_width;                                /* the test movie has this width */
    double bad_count, bad_repeat;                   /* a train count, a count of a repeat; 0: none */
    int bad_time;                                   /* train frame 7 does not come after frame 6 */
    int64_t block[3];                               /* train block starts, all 0: the dataset is left out */
    int names, interneuron_frames;                  /* of cells; of the train signals; 0: left out */
    double interval;                                /* attribute, 0: left out */
    int odd_repeat;                                 /* cell02 has a repeat more */
    int bad_stimulus;                               /* train frame 4 has a NaN */
    int bytes;                                      /* movie stored as bytes */
    int no_test;
} fixture;

static double
level(size_t t, size_t i) {
    return (double)((37 * t + 11 * i) % 251);
}

static double
count(size_t cell, size_t t) {
    return (double)((3 * cell + t) % 4);
}

static double
repeat_count(size_t cell, size_t r, size_t t) {
    return (double)((cell + 2 * r + 5 * t) % 7);
}

static int
wanted(const fixture *f, const char *name) {
    return !f->missing || strcmp(f->missing, name) != 0;
}

static void
put_stimulus(retc_h5 *file, const fixture *f, const char *name, size_t frames, size_t width, int nan_frame) {
    const size_t shape[3] = {frames, H, width}, flat[2] = {frames, H * width};
    double *movie = retc_calloc(frames * H * width, sizeof *movie);
    for (size_t i = 0; i < frames * H * width; ++i)
        movie[i] = level(i / (H * width), i % (H * width));
    if (nan_frame)
        movie[4 * H * width + 1] = (double)NAN;
    ck_ok(retc_h5_make(file, name, f->bytes ? RETC_H5_UINT8 : RETC_H5_DOUBLE, f->stimulus_rank ? f->stimulus_rank : 3,
                       f->stimulus_rank ? flat : shape, NULL));
    ck_ok(retc_h5_write(file, name, RETC_H5_DOUBLE, NULL, NULL, movie));
    retc_free(movie);
}

static void
put_time(retc_h5 *file, const char *name, size_t frames, int wrong) {
    double time[64];
    for (size_t t = 0; t < frames; ++t)
        time[t] = 0.01 * (double)t;
    if (wrong)
        time[7] = time[6];
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &frames, time));
}

static void
put_train(retc_h5 *file, const fixture *f) {
    size_t stimulus = TRAIN + (size_t)f->extra_stimulus, time = TRAIN + (size_t)f->extra_time,
           response = TRAIN + (size_t)f->extra_response, blocks = 3;
    double counts[N * 64];
    if (wanted(f, "train/stimulus"))
        put_stimulus(file, f, "train/stimulus", stimulus, W, f->bad_stimulus);
    if (wanted(f, "train/time"))
        put_time(file, "train/time", time, f->bad_time);
    for (size_t i = 0; i < N * response; ++i)
        counts[i] = count(i / response, i % response);
    if (f->bad_count < 0 || f->bad_count > 0 || isnan(f->bad_count))
        counts[response + 9] = f->bad_count;
    if (wanted(f, "train/response/binned"))
        ck_ok(retc_h5_put(file, "train/response/binned", RETC_H5_DOUBLE, 2, (const size_t[]){N, response}, counts));
    if (f->block[0] || f->block[1])
        ck_ok(retc_h5_put(file, "train/block_start", RETC_H5_INT64, 1, &blocks, f->block));
}

static void
put_test(retc_h5 *file, const fixture *f) {
    double counts[(REPEATS + 1) * N * TEST];
    char name[64];
    put_stimulus(file, f, "test/stimulus", TEST, f->other_width ? (size_t)f->other_width : W, 0);
    put_time(file, "test/time", TEST, 0);
    for (size_t i = 0; i < N * TEST; ++i)
        counts[i] = 99; /* must not be read: the repeats say what was counted */
    ck_ok(retc_h5_put(file, "test/response/binned", RETC_H5_DOUBLE, 2, (const size_t[]){N, TEST}, counts));
    for (size_t cell = 0; cell < N; ++cell) {
        size_t repeats = REPEATS + (cell == 1 && f->odd_repeat);
        snprintf(name, sizeof name, "test/repeats/cell%02zu", cell + 1);
        for (size_t i = 0; i < repeats * TEST; ++i)
            counts[i] = repeat_count(cell, i / TEST, i % TEST);
        if (f->bad_repeat < 0 && cell == 1)
            counts[TEST + 3] = f->bad_repeat;
        if (wanted(f, name))
            ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, (const size_t[]){repeats, TEST}, counts));
    }
}

static void
put_additions(retc_h5 *file, const fixture *f) {
    static const char *const names[3] = {"left", "right", "third"};
    float signal[64];
    for (size_t i = 0; i < 64; ++i)
        signal[i] = (float)i;
    if (f->names)
        ck_ok(retc_h5_put_texts(file, "cell_names", (size_t)f->names, names));
    if (f->interval < 0 || f->interval > 0)
        ck_ok(retc_h5_set_number(file, "/", "frame_interval", f->interval));
    if (f->interneuron_frames) {
        ck_ok(retc_h5_put_texts(file, "interneurons/names", 3, names));
        ck_ok(retc_h5_put(file, "interneurons/train/signal", RETC_H5_FLOAT, 2,
                          (const size_t[]){3, (size_t)f->interneuron_frames}, signal));
        ck_ok(retc_h5_put(file, "interneurons/test/signal", RETC_H5_FLOAT, 2, (const size_t[]){3, TEST}, signal));
    }
}

static const char *
make_fixture(const fixture *f) {
    const char *path = retc_test_path("recording.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    put_train(file, f);
    if (!f->no_test)
        put_test(file, f);
    put_additions(file, f);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    return path;
}

static retc_recording *
open_fixture(const fixture *f, size_t budget) {
    retc_recording *recording = retc_recording_open(make_fixture(f), budget);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static void
check_movie(retc_recording *recording, retc_part part, size_t t0, size_t n) {
    float movie[64 * PIXELS];
    ck_ok(retc_recording_stimulus(recording, part, t0, n, movie));
    for (size_t i = 0; i < n * PIXELS; ++i)
        ck_assert_double_eq((double)movie[i], level(t0 + i / PIXELS, i % PIXELS));
}

/* Bytes and floats, kept in memory and streamed, must give the same. */
START_TEST(test_movie) {
    fixture f = {.bytes = _i & 1};
    retc_recording *recording = open_fixture(&f, _i & 2 ? 1 : 0);
    ck_assert_uint_eq(retc_recording_height(recording), H);
    ck_assert_uint_eq(retc_recording_width(recording), W);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), TRAIN);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), TEST);
    check_movie(recording, RETC_TRAIN, 0, TRAIN);
    check_movie(recording, RETC_TRAIN, 3, 4);
    check_movie(recording, RETC_TRAIN, TRAIN - 1, 1);
    check_movie(recording, RETC_TEST, 1, 3);
    check_movie(recording, RETC_TRAIN, 0, 0);
    retc_recording_close(recording);
}
END_TEST

/* Kept in memory, and streamed. */
START_TEST(test_counts) {
    fixture f = {0};
    retc_recording *recording = open_fixture(&f, _i ? 1 : 0);
    float counts[N * TRAIN], repeats[REPEATS * TEST];
    ck_assert_uint_eq(retc_recording_cells(recording), N);
    ck_assert_uint_eq(retc_recording_repeats(recording), REPEATS);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 2, 7, counts));
    for (size_t i = 0; i < N * 7; ++i)
        ck_assert_double_eq((double)counts[i], count(i / 7, 2 + i % 7));
    ck_ok(retc_recording_counts(recording, RETC_TEST, 1, 4, counts));
    for (size_t i = 0; i < N * 4; ++i) {
        double sum = 0;
        for (size_t r = 0; r < REPEATS; ++r)
            sum += repeat_count(i / 4, r, 1 + i % 4);
        ck_assert_double_eq_tol((double)counts[i], sum / REPEATS, 1e-6);
    }
    ck_ok(retc_recording_repeat_counts(recording, 1, repeats));
    for (size_t i = 0; i < REPEATS * TEST; ++i)
        ck_assert_double_eq((double)repeats[i], repeat_count(1, i / TEST, i % TEST));
    retc_recording_close(recording);
}
END_TEST

START_TEST(test_additions) {
    fixture plain = {0}, full = {.names = 2, .interneuron_frames = TRAIN, .interval = 0.0125};
    retc_recording *recording = open_fixture(&plain, 0);
    ck_assert_str_eq(retc_recording_cell_name(recording, 0), "cell01");
    ck_assert_str_eq(retc_recording_cell_name(recording, 1), "cell02");
    ck_assert_double_eq_tol(retc_recording_frame_interval(recording), 0.01, 1e-12);
    ck_assert_uint_eq(retc_recording_interneurons(recording), 0);
    float signal[3 * TRAIN];
    ck_fails(retc_recording_interneuron_signals(recording, RETC_TRAIN, 0, 1, signal), "no interneuron signals");
    retc_recording_close(recording);

    recording = open_fixture(&full, 0);
    ck_assert_str_eq(retc_recording_cell_name(recording, 1), "right");
    ck_assert_double_eq(retc_recording_frame_interval(recording), 0.0125);
    ck_assert_uint_eq(retc_recording_interneurons(recording), 3);
    ck_assert_str_eq(retc_recording_interneuron_name(recording, 2), "third");
    ck_ok(retc_recording_interneuron_signals(recording, RETC_TRAIN, 5, 4, signal));
    for (size_t i = 0; i < 12; ++i)
        ck_assert_double_eq((double)signal[i], (double)(i / 4 * TRAIN + 5 + i % 4));
    retc_recording_close(recording);
}
END_TEST

START_TEST(test_lengths_differ) {
    fixture f = {.extra_stimulus = 2, .extra_time = 1};
    retc_recording *recording = open_fixture(&f, 0);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), TRAIN);
    ck_assert_uint_eq(retc_recording_dropped(recording, RETC_TRAIN), 2);
    ck_assert_uint_eq(retc_recording_dropped(recording, RETC_TEST), 0);
    check_movie(recording, RETC_TRAIN, 0, TRAIN);
    retc_recording_close(recording);
}
END_TEST

START_TEST(test_part_absent) {
    fixture f = {.no_test = 1};
    float counts[N * TRAIN];
    retc_recording *recording = open_fixture(&f, 0);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), 0);
    ck_assert_uint_eq(retc_recording_repeats(recording), 0);
    ck_fails(retc_recording_repeat_counts(recording, 0, counts), "no single repeats");
    ck_fails(retc_recording_counts(recording, RETC_TEST, 0, 1, counts), "the test part has 0");
    retc_recording_close(recording);
}
END_TEST

static const fixture wrong[] = {
    {.what = "no stimulus", .missing = "train/stimulus", .says = "\"train/stimulus\" is missing"},
    {.what = "no time", .missing = "train/time", .says = "\"train/time\" is missing"},
    {.what = "no response", .missing = "train/response/binned", .says = "\"train/response/binned\" is missing"},
    {.what = "no second repeats", .missing = "test/repeats/cell02", .says = "\"test/repeats/cell02\" is missing"},
    {.what = "rank", .stimulus_rank = 2, .says = "\"train/stimulus\" is (12,6), expected (any,any,any)"},
    {.what = "width", .other_width = 4, .says = "\"test/stimulus\" is (5,2,4), expected (any,2,3)"},
    {.what = "lengths", .extra_stimulus = 3, .says = "train/stimulus has 15 frames, time 12, response/binned 12"},
    {.what = "long time", .extra_time = 3, .says = "time 15"},
    {.what = "long response", .extra_response = 3, .says = "response/binned 15"},
    {.what = "negative", .bad_count = -1, .says = "\"train/response/binned\" has -1 in row 1, frame 9"},
    {.what = "NaN", .bad_count = (double)NAN, .says = "\"train/response/binned\" has nan in row 1, frame 9"},
    {.what = "infinite", .bad_count = (double)INFINITY, .says = "has inf in row 1, frame 9"},
    {.what = "negative repeat", .bad_repeat = -2, .says = "\"test/repeats/cell02\" has -2 in row 1, frame 3"},
    {.what = "time", .bad_time = 1, .says = "\"train/time\" does not increase at frame 7"},
    {.what = "first block", .block = {1, 4, 8}, .says = "\"train/block_start\" is out of order at entry 0"},
    {.what = "block order", .block = {0, 8, 8}, .says = "out of order at entry 2"},
    {.what = "block beyond",
     .block = {0, 8, 12},
     .says = "out of order at entry 2: expected 0, then ascending frames below 12"},
    {.what = "names", .names = 3, .says = "\"cell_names\" has 3 names, expected 2"},
    {.what = "interval", .interval = -0.01, .says = "frame interval is -0.01 s"},
    {.what = "short signals", .interneuron_frames = 11, .says = "\"interneurons/train/signal\" has 11 frames, expected 12"},
    {.what = "repeats", .odd_repeat = 1, .says = "\"test/repeats/cell02\" is (4,5), expected (3,5)"},
};

/* The same whether counts are kept or streamed. */
START_TEST(test_wrong_file) {
    const char *path = make_fixture(&wrong[_i]);
    for (size_t budget = 0; budget < 2; ++budget) {
        retc_recording *recording = retc_recording_open(path, budget);
        ck_assert_msg(recording == NULL, "%s: the file was opened", wrong[_i].what);
        ck_assert_msg(strstr(retc_error_message(), wrong[_i].says) != NULL, "%s: \"%s\" does not say \"%s\"", wrong[_i].what,
                      retc_error_message(), wrong[_i].says);
        ck_assert_msg(strstr(retc_error_message(), path) != NULL, "%s: no file name in \"%s\"", wrong[_i].what,
                      retc_error_message());
    }
}
END_TEST

START_TEST(test_no_recording) {
    const char *path = retc_test_path("other.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    size_t one = 1;
    double x = 1;
    ck_ok(retc_h5_put(file, "weights", RETC_H5_DOUBLE, 1, &one, &x));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert_ptr_null(retc_recording_open(path, 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "is it a recording?"));
    ck_assert_ptr_null(retc_recording_open(retc_test_path("absent.h5"), 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "No such file"));
}
END_TEST

/* With the movie in memory and streamed; the counts stay readable. */
START_TEST(test_nan_in_stimulus) {
    fixture f = {.bad_stimulus = 1};
    retc_recording *recording = open_fixture(&f, _i ? 1 : 0);
    float movie[TRAIN * PIXELS];
    ck_fails(retc_recording_stimulus(recording, RETC_TRAIN, 3, 2, movie), "\"train/stimulus\" is not finite in frame 4");
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, 5, movie));
    retc_recording_close(recording);
}
END_TEST

START_TEST(test_out_of_range) {
    fixture f = {0};
    float x[PIXELS * TRAIN];
    retc_recording *recording = open_fixture(&f, 0);
    ck_fails(retc_recording_stimulus(recording, RETC_TRAIN, TRAIN, 1, x), "1 frames from frame 12 on");
    ck_fails(retc_recording_stimulus(recording, RETC_TRAIN, 3, (size_t)-2, x), "the train part has 12");
    ck_fails(retc_recording_counts(recording, RETC_TRAIN, 10, 3, x), "3 frames from frame 10 on");
    ck_fails(retc_recording_repeat_counts(recording, N, x), "cell number 2 is asked for, there are 2");
    retc_recording_close(recording);
}
END_TEST

/* ---- mean and standard deviation ------------------------------------------------------------------------------------- */

START_TEST(test_norm) {
    fixture f = {.bytes = _i};
    retc_recording *recording = open_fixture(&f, 0);
    double mean, std, sum = 0, squares = 0;
    for (size_t i = 0; i < TRAIN * PIXELS; ++i) {
        double x = level(i / PIXELS, i % PIXELS);
        sum += x; /* whole numbers: both sums are exact */
        squares += x * x;
    }
    sum /= TRAIN * PIXELS;
    ck_ok(retc_recording_stimulus_norm(recording, &mean, &std));
    ck_assert_double_eq_tol(mean, sum, 1e-12 * sum);
    ck_assert_double_eq_tol(std, sqrt(squares / (TRAIN * PIXELS) - sum * sum) + 1e-7, 1e-11 * sum);
    retc_recording_close(recording);
}
END_TEST

/* More values than are read at a time (16 MiB of floats), streamed; whole numbers, so that the sums below are exact.  The
 * reader sums 1100 pieces of 4096: a relative error of 5200 roundings at most in the variance, half of that in its root. */
START_TEST(test_norm_in_pieces) {
    enum { FRAMES = 70003, SIDE = 8 };
    const char *path = retc_test_path("long.h5"), *const names[1] = {"only"};
    retc_recording_layout layout = {.height = SIDE,
                                    .width = SIDE,
                                    .cells = 1,
                                    .frames = {FRAMES, 0},
                                    .frame_interval = 0.01,
                                    .stimulus_type = RETC_H5_UINT8,
                                    .cell_names = names};
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    size_t values = (size_t)FRAMES * SIDE * SIDE;
    uint64_t sum = 0, squares = 0;
    float *movie = retc_calloc(values, sizeof *movie);
    double *time = retc_calloc(FRAMES, sizeof *time);
    for (size_t i = 0; i < values; ++i) {
        uint64_t x = (i / 7 + i * i / 5003) % 256;
        movie[i] = (float)x;
        sum += x;
        squares += x * x;
    }
    for (size_t t = 0; t < FRAMES; ++t)
        time[t] = 0.01 * (double)t;
    ck_assert_ptr_nonnull(writer);
    ck_ok(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, FRAMES, movie));
    ck_ok(retc_recording_write_time(writer, RETC_TRAIN, time));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);

    retc_recording *recording = retc_recording_open(path, 1);
    double mean, std, expected = (double)sum / (double)values;
    ck_ok(retc_recording_stimulus_norm(recording, &mean, &std));
    ck_assert_double_eq_tol(mean, expected, 1e-11 * expected);
    ck_assert_double_eq_tol(std, sqrt((double)squares / (double)values - expected * expected) + 1e-7, 74 * 2600 * 1.2e-16);
    retc_recording_close(recording);
    retc_free(movie);
    retc_free(time);
}
END_TEST

/* ---- windows that stay within a stretch ------------------------------------------------------------------------------ */

static void
check_spans(size_t history, size_t lag, size_t expected, const retc_span *spans) {
    fixture f = {.block = {0, 3, 8}}; /* stretches of 3, 5 and 4 frames */
    retc_recording *recording = open_fixture(&f, 0);
    retc_span *found = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, history, lag, &found, &n));
    ck_assert_uint_eq(n, expected);
    for (size_t i = 0; i < n; ++i) {
        ck_assert_uint_eq(found[i].first, spans[i].first);
        ck_assert_uint_eq(found[i].count, spans[i].count);
    }
    retc_free(found);
    retc_recording_close(recording);
}

START_TEST(test_spans) {
    check_spans(1, 0, 3, (const retc_span[]){{0, 3}, {3, 5}, {8, 4}});
    check_spans(1, 1, 3, (const retc_span[]){{1, 2}, {4, 4}, {9, 3}});
    check_spans(3, 0, 3, (const retc_span[]){{2, 1}, {5, 3}, {10, 2}});
    check_spans(3, 1, 2, (const retc_span[]){{6, 2}, {11, 1}});
    check_spans(2, 3, 1, (const retc_span[]){{7, 1}});
    check_spans(5, 0, 1, (const retc_span[]){{7, 1}});
}
END_TEST

/* Without block_start the first sample is frame L - 1 + lag, and with lag 1 there are T - L of them (FORMATS 1). */
START_TEST(test_spans_of_one_stretch) {
    fixture f = {0};
    retc_recording *recording = open_fixture(&f, 0);
    retc_span *found = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 4, 1, &found, &n));
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(found[0].first, 4);
    ck_assert_uint_eq(found[0].count, TRAIN - 4);
    retc_free(found);
    ck_fails(retc_recording_spans(recording, RETC_TRAIN, 12, 1, &found, &n), "no stretch of the train part is long enough");
    ck_fails(retc_recording_spans(recording, RETC_TRAIN, 13, 0, &found, &n),
             "a history of 13 frames and a lag of 0: the longest has 12");
    ck_fails(retc_recording_spans(recording, RETC_TRAIN, 1, (size_t)-1, &found, &n), "long enough");
    ck_fails(retc_recording_spans(recording, RETC_TRAIN, 0, 1, &found, &n), "a history of 0 frames");
    retc_recording_close(recording);
}
END_TEST

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static const char *const two_names[2] = {"one", "two"};

START_TEST(test_write_and_read) {
    const char *path = retc_test_path("written.h5"), *const units[3] = {"a", "b", "c"};
    const size_t starts[2] = {0, 7};
    retc_recording_layout layout = {.height = H,
                                    .width = W,
                                    .cells = N,
                                    .frames = {TRAIN, TEST},
                                    .repeats = REPEATS,
                                    .frame_interval = 0.02,
                                    .stimulus_type = RETC_H5_UINT8,
                                    .cell_names = two_names,
                                    .block_start = {starts, NULL},
                                    .blocks = {2, 0},
                                    .interneurons = 3,
                                    .interneuron_names = units};
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    float movie[TRAIN * PIXELS], counts[N * REPEATS * TRAIN], signal[3 * TRAIN];
    double time[TRAIN];
    ck_assert_ptr_nonnull(writer);
    for (size_t t = 0; t < TRAIN; ++t)
        time[t] = 0.02 * (double)t;
    for (int part = 0; part < 2; ++part) {
        size_t frames = part == RETC_TRAIN ? TRAIN : TEST, repeats = part == RETC_TRAIN ? 1 : REPEATS;
        ck_ok(retc_recording_write_time(writer, (retc_part)part, time));
        for (size_t t0 = 0, n; t0 < frames; t0 += n) {
            n = frames - t0 < 4 ? frames - t0 : 4;
            for (size_t i = 0; i < n * PIXELS; ++i)
                movie[i] = (float)level(t0 + i / PIXELS, i % PIXELS);
            for (size_t i = 0; i < N * repeats * n; ++i)
                counts[i] = (float)repeat_count(i / n / repeats, i / n % repeats, t0 + i % n);
            for (size_t i = 0; i < 3 * n; ++i)
                signal[i] = (float)(100 * (i / n) + t0 + i % n);
            ck_ok(retc_recording_write_stimulus(writer, (retc_part)part, t0, n, movie));
            ck_ok(retc_recording_write_counts(writer, (retc_part)part, t0, n, counts));
            ck_ok(retc_recording_write_interneurons(writer, (retc_part)part, t0, n, signal));
        }
    }
    ck_ok(retc_recording_writer_finish(writer));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);

    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    check_movie(recording, RETC_TRAIN, 0, TRAIN);
    check_movie(recording, RETC_TEST, 0, TEST);
    ck_assert_str_eq(retc_recording_cell_name(recording, 1), "two");
    ck_assert_str_eq(retc_recording_interneuron_name(recording, 2), "c");
    ck_assert_double_eq(retc_recording_frame_interval(recording), 0.02);
    ck_ok(retc_recording_interneuron_signals(recording, RETC_TEST, 1, 2, signal));
    ck_assert_double_eq((double)signal[5], 202);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, TRAIN, counts));
    for (size_t i = 0; i < N * TRAIN; ++i)
        ck_assert_double_eq((double)counts[i], repeat_count(i / TRAIN, 0, i % TRAIN));
    ck_ok(retc_recording_repeat_counts(recording, 1, counts));
    for (size_t i = 0; i < REPEATS * TEST; ++i)
        ck_assert_double_eq((double)counts[i], repeat_count(1, i / TEST, i % TEST));
    retc_span *spans;
    size_t n;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(spans[1].first, 7);
    retc_free(spans);
    retc_recording_close(recording);

    /* test/response/binned holds the mean over repeats, which the reader takes from the repeats instead. */
    retc_h5 *file = retc_h5_open(path);
    ck_ok(retc_h5_read(file, "test/response/binned", RETC_H5_FLOAT, NULL, NULL, counts));
    for (size_t i = 0; i < N * TEST; ++i) {
        double sum = 0;
        for (size_t r = 0; r < REPEATS; ++r)
            sum += repeat_count(i / TEST, r, i % TEST);
        ck_assert_double_eq_tol((double)counts[i], sum / REPEATS, 1e-6);
    }
    retc_h5_close(file);
}
END_TEST

/* Firing rates of one cell, at a frame interval of 1 ms, so that sigma is 10 frames and the window 40 to each side. */
static void
rates_of(const float *counts, size_t frames, const size_t *starts, size_t blocks, float *rate) {
    const char *path = retc_test_path("rates.h5");
    retc_recording_layout layout = {.height = 1,
                                    .width = 1,
                                    .cells = 1,
                                    .frames = {frames, 0},
                                    .frame_interval = 0.001,
                                    .stimulus_type = RETC_H5_FLOAT,
                                    .cell_names = two_names,
                                    .block_start = {starts, NULL},
                                    .blocks = {blocks, 0}};
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    ck_assert_ptr_nonnull(writer);
    ck_ok(retc_recording_write_counts(writer, RETC_TRAIN, 0, frames, counts));
    ck_ok(retc_recording_writer_finish(writer));
    ck_ok(retc_h5_read(retc_recording_writer_file(writer), "train/response/firing_rate_10ms", RETC_H5_FLOAT, NULL, NULL, rate));
    retc_recording_writer_free(writer);
}

enum { LONG = 9000 };

START_TEST(test_constant_rate) {
    static float counts[LONG], rate[LONG];
    const size_t starts[4] = {0, 3, 100, 4090};
    for (size_t t = 0; t < LONG; ++t)
        counts[t] = 2;
    rates_of(counts, LONG, starts, 4, rate);
    for (size_t t = 0; t < LONG; ++t)
        ck_assert_double_eq_tol((double)rate[t], 2000, 2000 * 1.2e-7); /* two roundings to float */
}
END_TEST

/* One spike far from every border gives a Gaussian of volume 1 spike, wherever the pieces of the computation meet. */
START_TEST(test_rate_of_one_spike) {
    static float counts[LONG], rate[LONG];
    const size_t starts[2] = {0, 8150}, places[4] = {500, 4095, 4096, 4120};
    size_t at = places[_i];
    double total = 0;
    for (int d = -40; d <= 40; ++d)
        total += exp(-d * d / 200.0);
    memset(counts, 0, sizeof counts);
    counts[at] = 1;
    rates_of(counts, LONG, starts, 2, rate);
    for (size_t t = 0; t < LONG; ++t) {
        double d = (double)t - (double)at, expected = fabs(d) <= 40 ? 1000 * exp(-d * d / 200) / total : 0;
        ck_assert_double_eq_tol((double)rate[t], expected, 40 * 1.2e-7 + 1e-12); /* the peak is 40 Hz, rounded to float */
    }
}
END_TEST

/* A spike at the end of a stretch does not reach into the next, and weighs more in its own. */
START_TEST(test_rate_at_a_border) {
    static float counts[200], rate[200];
    const size_t starts[2] = {0, 100};
    double half = 0;
    for (int d = 0; d <= 40; ++d)
        half += exp(-d * d / 200.0);
    memset(counts, 0, sizeof counts);
    counts[99] = 1;
    rates_of(counts, 200, starts, 2, rate);
    ck_assert_double_eq_tol((double)rate[99], 1000 / half, 1e-4);
    for (size_t t = 100; t < 200; ++t)
        ck_assert_double_eq((double)rate[t], 0);
}
END_TEST

START_TEST(test_wrong_layout) {
    const char *path = retc_test_path("wrong.h5");
    const size_t bad_starts[2] = {0, TRAIN};
    const retc_recording_layout good = {.height = H,
                                        .width = W,
                                        .cells = N,
                                        .frames = {TRAIN, 0},
                                        .frame_interval = 0.02,
                                        .stimulus_type = RETC_H5_UINT8,
                                        .cell_names = two_names};
    static const char *const says[7] = {"is empty",
                                        "needs frames",
                                        "at least one repeat",
                                        "a frame interval of 0 s",
                                        "stored as bytes",
                                        "cannot start at frame 12",
                                        "exists already"};
    retc_recording_layout bad = good;
    if (_i == 0)
        bad.height = 0;
    else if (_i == 1)
        bad.frames[RETC_TRAIN] = 0;
    else if (_i == 2)
        bad.frames[RETC_TEST] = 3;
    else if (_i == 3)
        bad.frame_interval = 0;
    else if (_i == 4)
        bad.stimulus_type = RETC_H5_DOUBLE;
    else if (_i == 5) {
        bad.block_start[RETC_TRAIN] = bad_starts;
        bad.blocks[RETC_TRAIN] = 2;
    } else {
        path = make_fixture(&(fixture){0});
    }
    ck_assert_ptr_null(retc_recording_writer_create(path, 0, &bad));
    ck_assert_msg(strstr(retc_error_message(), says[_i]) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(), says[_i]);
}
END_TEST

START_TEST(test_wrong_levels) {
    const char *path = retc_test_path("uncommitted.h5");
    retc_recording_layout layout = {.height = 1,
                                    .width = 2,
                                    .cells = N,
                                    .frames = {TRAIN, 0},
                                    .frame_interval = 0.02,
                                    .stimulus_type = RETC_H5_UINT8,
                                    .cell_names = two_names};
    retc_recording_writer *writer = retc_recording_writer_create(path, 1, &layout);
    const float half[4] = {1, 2, 3, 0.5f}, high[4] = {256, 0, 0, 0}, low[4] = {0, -1, 0, 0}, none[4] = {0, 0, NAN, 0};
    ck_assert_ptr_nonnull(writer);
    ck_fails(retc_recording_write_stimulus(writer, RETC_TRAIN, 5, 2, half), "frame 6 of the train stimulus holds 0.5");
    ck_fails(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, 2, high), "holds 256: expected a whole grey level");
    ck_fails(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, 2, low), "holds -1");
    ck_fails(retc_recording_write_stimulus(writer, RETC_TRAIN, 0, 2, none),
             "frame 1 of the train stimulus holds nan: expected a finite");
    retc_recording_writer_free(writer);
    ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

static Suite *
recording_suite(void) {
    Suite *suite = suite_create("recording");
    TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
    tcase_set_timeout(reading, 60);
    tcase_add_loop_test(reading, test_movie, 0, 4);
    tcase_add_loop_test(reading, test_counts, 0, 2);
    tcase_add_test(reading, test_additions);
    tcase_add_test(reading, test_lengths_differ);
    tcase_add_test(reading, test_part_absent);
    tcase_add_loop_test(reading, test_wrong_file, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(reading, test_no_recording);
    tcase_add_loop_test(reading, test_nan_in_stimulus, 0, 2);
    tcase_add_test(reading, test_out_of_range);
    tcase_add_loop_test(reading, test_norm, 0, 2);
    tcase_add_test(reading, test_norm_in_pieces);
    tcase_add_test(reading, test_spans);
    tcase_add_test(reading, test_spans_of_one_stretch);
    tcase_add_test(writing, test_write_and_read);
    tcase_add_test(writing, test_constant_rate);
    tcase_add_loop_test(writing, test_rate_of_one_spike, 0, 4);
    tcase_add_test(writing, test_rate_at_a_border);
    tcase_add_loop_test(writing, test_wrong_layout, 0, 7);
    tcase_add_test(writing, test_wrong_levels);
    suite_add_tcase(suite, reading);
    suite_add_tcase(suite, writing);
    return suite;
}

int
main(void) {
    return retc_test_main(recording_suite(), NULL);
}
