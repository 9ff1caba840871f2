/* Which cells, blocks and frames of a recording are used, and the layouts of single repeats that other people's files have.
 * Files are made with the HDF5 layer alone. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "error.h"
#include "h5.h"
#include "recording.h"
#include "testing.h"

enum { N = 12, T = 24, T_TEST = 5, REPEATS = 3, BLOCKS = 6 };

static double
level(size_t t) {
    return (double)((37 * t + 11) % 251);
}

static double
count(size_t cell, size_t t) {
    return (double)((3 * cell + 5 * t) % 7);
}

static double
repeat(size_t cell, size_t r, size_t t) {
    return (double)((cell + 2 * r + 5 * t) % 4);
}

typedef enum { AS_NUMBER, AS_ID, AS_ID_SHORT, AS_RATE, AS_RATE_AND_NUMBER, NONE } repeats_as;

/* A part of one pixel: level(t), count(cell,t); the responses may be a frame shorter than the rest. */
static void
put_part(retc_h5 *file, const char *part, size_t frames, size_t shorter, double extra_count) {
    double movie[T], time[T], counts[N * T];
    size_t responses = frames - shorter;
    char name[64];
    for (size_t t = 0; t < frames; ++t) {
        movie[t] = level(t);
        time[t] = 0.01 * (double)t;
    }
    for (size_t i = 0; i < N * responses; ++i)
        counts[i] = count(i / responses, i % responses);
    counts[2 * responses + 4] += extra_count;
    snprintf(name, sizeof name, "%s/stimulus", part);
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 3, (const size_t[]){frames, 1, 1}, movie));
    snprintf(name, sizeof name, "%s/time", part);
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &frames, time));
    snprintf(name, sizeof name, "%s/response/binned", part);
    ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, (const size_t[]){N, responses}, counts));
}

/* In the order of rows; they do not sort as texts do. */
static const size_t ids[N] = {3, 5, 8, 9, 10, 20, 31, 100, 1000, 1001, 1002, 2000};

static void
put_repeats(retc_h5 *file, repeats_as as) {
    double x[REPEATS * N * T_TEST];
    char name[64];
    for (size_t cell = 0; (as == AS_NUMBER || as == AS_RATE_AND_NUMBER || as == AS_ID || as == AS_ID_SHORT) && cell < N;
         ++cell) {
        if (as == AS_ID_SHORT && cell == 4)
            continue;
        for (size_t i = 0; i < REPEATS * T_TEST; ++i)
            x[i] = repeat(cell, i / T_TEST, i % T_TEST);
        if (as == AS_ID || as == AS_ID_SHORT)
            snprintf(name, sizeof name, "test/repeats/cell_%zu", ids[cell]);
        else
            snprintf(name, sizeof name, "test/repeats/cell%02zu", cell + 1);
        ck_ok(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, (const size_t[]){REPEATS, T_TEST}, x));
    }
    if (as != AS_RATE && as != AS_RATE_AND_NUMBER)
        return;
    /* Hz: counts over 10 ms.  The more smoothed ones must not be read. */
    for (size_t i = 0; i < REPEATS * N * T_TEST; ++i)
        x[i] = 100 * repeat(i / T_TEST % N, i / (N * T_TEST), i % T_TEST);
    const size_t shape[3] = {REPEATS, N, T_TEST};
    ck_ok(retc_h5_put(file, "test/repeats/firing_rate_5ms", RETC_H5_DOUBLE, 3, shape, x));
    memset(x, 0, sizeof x);
    ck_ok(retc_h5_put(file, "test/repeats/firing_rate_20ms", RETC_H5_DOUBLE, 3, shape, x));
}

static const char *
make_file(const char *path, repeats_as as, size_t shorter, double extra_count) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    put_part(file, "train", T, shorter, extra_count);
    put_part(file, "test", T_TEST, 0, 0);
    put_repeats(file, as);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    return path;
}

static retc_recording *
open_file(const char *path, const retc_recording_options *options) {
    retc_recording *recording = retc_recording_open_with(path, options);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

/* ---- the index arithmetic of loadexpt -------------------------------------------------------------------------------- */

/* The lines of deep-retina's loadexpt, in C: valid frames, windows of L, responses one frame after each window.  The samples'
 * number. */
static size_t
loadexpt(size_t num_blocks, size_t nskip, size_t L, size_t cell, double X[T][T], double y[T]) {
    size_t valid[T], M = 0;
    for (size_t b = 0; b < num_blocks; ++b)
        for (size_t k = nskip; k < T / num_blocks; ++k)
            valid[M++] = b * (T / num_blocks) + k;
    size_t n = M - L;
    for (size_t i = 0; i < n; ++i) {
        for (size_t k = 0; k < L; ++k)
            X[i][k] = level(valid[i + k]);
        y[i] = count(cell, valid[i + L]);
    }
    return n;
}

static const struct {
    size_t blocks, skip, history, budget;
} arithmetic[] = {{1, 0, 1, 0}, {1, 0, 5, 1}, {1, 3, 5, 0}, {6, 0, 3, 1},
                  {6, 1, 2, 0}, {6, 2, 3, 1}, {6, 3, 4, 0}, {4, 2, 7, 1}};

/* Joined, the samples are those of loadexpt; apart, they are those of loadexpt on each block alone. */
START_TEST(test_loadexpt) {
    size_t blocks = arithmetic[_i].blocks, skip = arithmetic[_i].skip, L = arithmetic[_i].history, n_spans, cells = 3;
    const char *path = make_file(retc_test_path("loadexpt.h5"), AS_NUMBER, 0, 0);
    const retc_recording_options options = {
        .blocks = blocks, .skip = skip, .joined = 1, .cells = "7,1,4", .budget = arithmetic[_i].budget};
    static double X[T][T], y[T];
    float window[T], counts[3 * T];
    retc_span *spans = NULL;
    retc_recording *recording = open_file(path, &options);
    size_t n = loadexpt(blocks, skip, L, 4, X, y);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), n + L);
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, L, 1, &spans, &n_spans));
    ck_assert_uint_eq(n_spans, 1);
    ck_assert_uint_eq(spans[0].first, L);
    ck_assert_uint_eq(spans[0].count, n);
    ck_assert_uint_eq(retc_recording_cells(recording), cells);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, L, n, counts));
    for (size_t i = 0; i < n; ++i) {
        ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, i, L, window));
        for (size_t k = 0; k < L; ++k)
            ck_assert_double_eq((double)window[k], X[i][k]);
        ck_assert_double_eq((double)counts[2 * n + i], y[i]);
    }
    retc_free(spans);
    retc_recording_close(recording);
}
END_TEST

START_TEST(test_blocks_apart) {
    size_t blocks = 4, skip = 1, L = 2, per_block = T / 4 - 1, n_spans;
    const char *path = make_file(retc_test_path("apart.h5"), AS_NUMBER, 0, 0);
    const retc_recording_options options = {.blocks = blocks, .skip = skip};
    retc_span *spans = NULL;
    float window[T], response[N];
    retc_recording *recording = open_file(path, &options);
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, L, 1, &spans, &n_spans));
    ck_assert_uint_eq(n_spans, blocks);
    for (size_t b = 0; b < blocks; ++b) {
        ck_assert_uint_eq(spans[b].first, b * per_block + L);
        ck_assert_uint_eq(spans[b].count, per_block - L);
        for (size_t t = spans[b].first; t < spans[b].first + spans[b].count; ++t) {
            size_t stored = b * (T / blocks) + skip + (t - b * per_block);
            ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, t - L, L, window));
            ck_ok(retc_recording_counts(recording, RETC_TRAIN, t, 1, response));
            for (size_t k = 0; k < L; ++k)
                ck_assert_double_eq((double)window[k], level(stored - L + k));
            ck_assert_double_eq((double)response[3], count(3, stored));
        }
    }
    retc_free(spans);
    retc_recording_close(recording);
}
END_TEST

/* The stimulus is normalised by all of its frames, skipped ones included. */
START_TEST(test_norm_of_all) {
    const char *path = make_file(retc_test_path("norm.h5"), AS_NUMBER, 0, 0);
    const retc_recording_options some = {.blocks = 2, .skip = 7};
    double mean[2], std[2];
    retc_recording *recording = open_file(path, &some);
    ck_ok(retc_recording_stimulus_norm(recording, &mean[0], &std[0]));
    retc_recording_close(recording);
    recording = retc_recording_open(path, 0);
    ck_ok(retc_recording_stimulus_norm(recording, &mean[1], &std[1]));
    retc_recording_close(recording);
    ck_assert_double_eq(mean[0], mean[1]);
    ck_assert_double_eq(std[0], std[1]);
}
END_TEST

/* Blocks are parts of the clock, even where the responses end a frame earlier, and the test part is never cut. */
START_TEST(test_short_responses) {
    const char *path = make_file(retc_test_path("short.h5"), AS_NUMBER, 1, 0);
    const retc_recording_options options = {.blocks = 6, .skip = 2};
    retc_recording *recording = open_file(path, &options);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), 6 * 2 - 1);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), T_TEST);
    ck_assert_ptr_nonnull(strstr(retc_recording_notes(recording),
                                 "train: stimulus has 24 frames, time 24, responses 23, repeats 23: the first 23"));
    retc_recording_close(recording);
}
END_TEST

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

static void
check_cells(const char *path, const retc_recording_options *options, const char *expected) {
    char names[256] = "";
    float counts[N];
    retc_recording *recording = open_file(path, options);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 6, 1, counts));
    for (size_t i = 0; i < retc_recording_cells(recording); ++i) {
        size_t row, used = strlen(names);
        ck_assert_int_eq(sscanf(retc_recording_cell_name(recording, i), "cell%zu", &row), 1);
        ck_assert_double_eq((double)counts[i], count(row - 1, 6));
        snprintf(names + used, sizeof names - used, "%s%zu", used ? " " : "", row - 1);
    }
    ck_assert_str_eq(names, expected);
    retc_recording_close(recording);
}

START_TEST(test_cells) {
    static const struct {
        const char *cells, *expected;
    } cases[] = {{NULL, "0 1 2 3 4 5 6 7 8 9 10 11"},
                 {"all", "0 1 2 3 4 5 6 7 8 9 10 11"},
                 {"0", "0"},
                 {"8,2", "8 2"},
                 {"1-3", "1 2 3"},
                 {"cell05", "4"},
                 {"cell02,6-7,0", "1 6 7 0"}};
    const char *path = make_file(retc_test_path("cells.h5"), AS_NUMBER, 0, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        for (size_t budget = 0; budget < 2; ++budget) {
            const retc_recording_options options = {.cells = cases[i].cells, .budget = budget};
            check_cells(path, &options, cases[i].expected);
        }
}
END_TEST

static const char *
in_folder(const char *folder) {
    char name[64];
    ck_assert_int_eq(mkdir(retc_test_path(folder), 0777), 0);
    snprintf(name, sizeof name, "%s/naturalscene.h5", folder);
    return retc_test_path(name);
}

START_TEST(test_published) {
    const char *path = make_file(in_folder("15-10-07"), AS_NUMBER, 0, 0);
    size_t row, column, n_spans;
    retc_span *spans = NULL;
    check_cells(path, &(retc_recording_options){.cells = "good"}, "0 1 2 3 4");
    retc_recording *recording = open_file(path, &(retc_recording_options){.cells = "7,3"});
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 1, 1, &spans, &n_spans));
    ck_assert_uint_eq(n_spans, BLOCKS);
    ck_assert_ptr_nonnull(strstr(retc_recording_notes(recording), "15-10-07: the train part is taken as 6 blocks of 4 frames"));
    ck_assert_int_eq(retc_recording_center(recording, 0, &row, &column), 0);
    ck_assert_int_eq(retc_recording_center(recording, 1, &row, &column), 1);
    ck_assert_uint_eq(row, 27);
    ck_assert_uint_eq(column, 18);
    retc_free(spans);
    retc_recording_close(recording);
    path = make_file(retc_test_path("elsewhere.h5"), AS_NUMBER, 0, 0);
    check_cells(path, &(retc_recording_options){.cells = "good", .experiment = "16-01-08", .blocks = 1}, "0 3 7 9 11");
}
END_TEST

static const struct {
    retc_recording_options options;
    const char *says;
} refused[] = {
    {{.cells = "12"}, "\"12\" is not one of its cells: they are 0 to 11"},
    {{.cells = "10-12"}, "\"10-12\" is not one of its cells"},
    {{.cells = "3-1"}, "\"3-1\" is not one of its cells"},
    {{.cells = ""}, "\"\" is not one of its cells"},
    {{.cells = "cell99"}, "\"cell99\" is not one of its cells"},
    {{.cells = "1,cell02"}, "cell 1 (cell02) is chosen twice"},
    {{.cells = "good"}, "no list of good cells is known"},
    {{.experiment = "15-10-08"}, "no published experiment \"15-10-08\""},
    {{.experiment = "16-05-31", .cells = "good"}, "\"16-05-31\" is not one of its cells"},
    {{.blocks = 5}, "the 24 frames of train/time are not 5 equal blocks"},
    {{.blocks = 6, .skip = 4}, "block 0 of the train part has 4 frames, 4 are to be skipped"},
};

START_TEST(test_refused) {
    const char *path = make_file(retc_test_path("refused.h5"), AS_NUMBER, 0, 0);
    ck_assert_ptr_null(retc_recording_open_with(path, &refused[_i].options));
    ck_assert_msg(strstr(retc_error_message(), refused[_i].says), "\"%s\" does not say \"%s\"", retc_error_message(),
                  refused[_i].says);
}
END_TEST

/* ---- repeats and counts ---------------------------------------------------------------------------------------------- */

START_TEST(test_repeats) {
    repeats_as as = (repeats_as)_i;
    const char *path = make_file(retc_test_path("repeats.h5"), as, 0, 0);
    float x[REPEATS * T_TEST], mean[2 * T_TEST];
    retc_recording *recording = open_file(path, &(retc_recording_options){.cells = "8,2"});
    ck_assert_uint_eq(retc_recording_repeats(recording), REPEATS);
    ck_ok(retc_recording_counts(recording, RETC_TEST, 0, T_TEST, mean));
    for (size_t cell = 0; cell < 2; ++cell) {
        ck_ok(retc_recording_repeat_counts(recording, cell, x));
        for (size_t t = 0; t < T_TEST; ++t) {
            double sum = 0;
            for (size_t r = 0; r < REPEATS; ++r) {
                double expected = repeat(cell ? 2 : 8, r, t);
                /* 100 Hz times 0.01 s in single precision. */
                ck_assert_double_eq_tol((double)x[r * T_TEST + t], expected, 1e-6);
                sum += expected;
            }
            ck_assert_double_eq_tol((double)mean[cell * T_TEST + t], sum / REPEATS, 1e-6);
        }
    }
    int says = strstr(retc_recording_notes(recording), "smoothed rates (test/repeats/firing_rate_5ms)") != NULL;
    ck_assert_int_eq(says, as == AS_RATE);
    retc_recording_close(recording);
}
END_TEST

START_TEST(test_repeats_refused) {
    const char *path = make_file(retc_test_path("ids.h5"), AS_ID_SHORT, 0, 0);
    ck_assert_ptr_null(retc_recording_open(path, 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "has 11 datasets cell_<id> for the 12 rows"));
}
END_TEST

/* Rates where counts should be are named; whole numbers are not, and without repeats the stored mean is used. */
START_TEST(test_fractions) {
    const char *path = make_file(retc_test_path("rates.h5"), NONE, 0, 0.25);
    float counts[N];
    for (size_t budget = 0; budget < 2; ++budget) {
        retc_recording *recording = retc_recording_open(path, budget);
        ck_assert_msg(recording != NULL, "%s", retc_error_message());
        ck_assert_ptr_nonnull(
            strstr(retc_recording_notes(recording), "1 values are no whole numbers (5.25 in row 2, frame 4): are they rates?"));
        ck_ok(retc_recording_counts(recording, RETC_TEST, 3, 1, counts));
        ck_assert_double_eq((double)counts[5], count(5, 3));
        retc_recording_close(recording);
    }
    retc_recording *recording = retc_recording_open(make_file(path, NONE, 0, 0), 0);
    ck_assert_str_eq(retc_recording_notes(recording), "");
    retc_recording_close(recording);
}
END_TEST

static Suite *
choice_suite(void) {
    Suite *suite = suite_create("choice");
    TCase *frames = tcase_create("frames"), *cells = tcase_create("cells"), *repeats = tcase_create("repeats");
    tcase_add_loop_test(frames, test_loadexpt, 0, sizeof arithmetic / sizeof *arithmetic);
    tcase_add_test(frames, test_blocks_apart);
    tcase_add_test(frames, test_norm_of_all);
    tcase_add_test(frames, test_short_responses);
    tcase_add_test(cells, test_cells);
    tcase_add_test(cells, test_published);
    tcase_add_loop_test(cells, test_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(repeats, test_repeats_refused);
    tcase_add_test(repeats, test_fractions);
    tcase_add_loop_test(repeats, test_repeats, AS_NUMBER, AS_ID + 1);
    tcase_add_loop_test(repeats, test_repeats, AS_RATE, AS_RATE_AND_NUMBER + 1);
    suite_add_tcase(suite, frames);
    suite_add_tcase(suite, cells);
    suite_add_tcase(suite, repeats);
    return suite;
}

int
main(void) {
    return retc_test_main(choice_suite(), NULL);
}
