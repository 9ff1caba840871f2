/* Recordings from MATLAB files, written by matio as v5 and as v7.3. */
#include <math.h>
#include <matio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "import_matlab.h"
#include "recording.h"
#include "testing.h"

enum { T = 60, N = 3, H = 2, W = 3 };

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static mat_t *
start_file(const char *name, int hdf5, const char **path) {
    *path = retc_test_path(name);
    unlink(*path);
    mat_t *file = Mat_CreateVer(*path, NULL, hdf5 ? MAT_FT_MAT73 : MAT_FT_MAT5);
    ck_assert_ptr_nonnull(file);
    return file;
}

static matvar_t *
doubles(const char *name, int rank, size_t a, size_t b, size_t c, void *data) {
    size_t shape[3] = {a, b, c};
    matvar_t *var = Mat_VarCreate(name, MAT_C_DOUBLE, MAT_T_DOUBLE, rank, shape, data, 0);
    ck_assert_ptr_nonnull(var);
    return var;
}

static void
put(mat_t *file, matvar_t *var) {
    ck_assert_int_eq(Mat_VarWrite(file, var, MAT_COMPRESSION_ZLIB), 0);
    Mat_VarFree(var);
}

static void
put_number(mat_t *file, const char *name, double x) {
    put(file, doubles(name, 2, 1, 1, 1, &x));
}

/* What is shown and counted, in closed form. */
static double
level(size_t t, size_t y, size_t x) {
    return 1.5 * (double)t + 100 * (double)y + 1000 * (double)x;
}

static double
count(size_t cell, size_t t) {
    return (double)((2 * cell + 3 * t) % 5);
}

/* ---- importing ------------------------------------------------------------------------------------------------------- */

static retc_recording *
import(const retc_import_matlab_options *options, char **text) {
    const char *output = retc_test_path("recording.h5");
    retc_recording_writer *writer = NULL;
    retc_import_report report;
    ck_ok(retc_import_matlab(options, output, 1, NULL, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    *text = retc_import_report_text(&report);
    ck_assert_ptr_nonnull(*text);
    retc_import_report_free(&report);
    retc_recording *recording = retc_recording_open(output, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

#define ck_says(text, what) ck_assert_msg(strstr((text), (what)), "\"%s\" does not say \"%s\"", (text), (what))

static void
check_counts(retc_recording *recording, size_t frames) {
    float counts[N * T];
    ck_assert_uint_eq(retc_recording_cells(recording), N);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), frames);
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, frames, counts));
    for (size_t i = 0; i < N * frames; ++i)
        ck_assert_double_eq((double)counts[i], count(i / frames, i % frames));
}

static void
check_movie(retc_recording *recording, size_t frames, size_t height, size_t width) {
    float movie[T * H * W];
    ck_assert_uint_eq(retc_recording_height(recording), height);
    ck_assert_uint_eq(retc_recording_width(recording), width);
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, frames, movie));
    for (size_t i = 0; i < frames * height * width; ++i)
        ck_assert_double_eq((double)movie[i], level(i / (height * width), i / width % height, i % width));
}

/* ---- neu560 ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    int hdf5, lying, transposed; /* v7.3; Stim 1xT; counts NxT */
    size_t counted;              /* frames with counts */
    double factor;               /* on the counts */
} neu560;

static const char *
write_neu560(const neu560 *f) {
    const char *path;
    static double stimulus[T], counts[N * T];
    mat_t *file = start_file("neu560.mat", f->hdf5, &path);
    for (size_t t = 0; t < T; ++t)
        stimulus[t] = level(t, 0, 0);
    for (size_t cell = 0; cell < N; ++cell)
        for (size_t t = 0; t < f->counted; ++t)
            counts[f->transposed ? cell + N * t : t + f->counted * cell] = f->factor * count(cell, t);
    put(file, doubles("Stim", 2, f->lying ? 1 : T, f->lying ? T : 1, 1, stimulus));
    put(file, doubles("SpCounts", 2, f->transposed ? N : f->counted, f->transposed ? f->counted : N, 1, counts));
    put_number(file, "dtStim", 0.0125);
    Mat_Close(file);
    return path;
}

START_TEST(test_neu560) {
    neu560 f = {.hdf5 = _i & 1, .lying = _i >> 1 & 1, .transposed = _i >> 2 & 1, .counted = T, .factor = 1};
    const char *path = write_neu560(&f);
    char *text;
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = &path;
    options.n_files = 1;
    options.test_fraction = 0.25;
    retc_recording *recording = import(&options, &text);
    check_counts(recording, T * 3 / 4);
    check_movie(recording, T * 3 / 4, 1, 1);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), T / 4);
    ck_assert_double_eq_tol(retc_recording_frame_interval(recording), 0.0125, 1e-12);
    ck_says(text, f.hdf5 ? "MATLAB v7.3 file, convention: neu560" : "MATLAB v5 file, convention: neu560");
    ck_says(text, f.transposed ? "axes nt" : "axes tn");
    ck_says(text, "interval dtStim = 0.0125 s");
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

/* A frame or two more or less are cut, and rates become counts. */
START_TEST(test_lengths_and_rates) {
    neu560 f = {.counted = T - 2, .factor = 80};
    const char *path = write_neu560(&f);
    char *text;
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = &path;
    options.n_files = 1;
    options.test_fraction = 0;
    options.rates = 1;
    retc_recording *recording = import(&options, &text);
    check_counts(recording, T - 2);
    ck_says(text, "60 frames and 58 responses: the first 58 are used");
    ck_says(text, "spike rates in Hz: SpCounts");
    retc_free(text);
    retc_recording_close(recording);
    f.factor = 0.5;
    write_neu560(&f);
    options.rates = 0;
    recording = import(&options, &text);
    ck_says(text, "counts are no whole numbers: are they rates?");
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

/* ---- spike times ----------------------------------------------------------------------------------------------------- */

/* Onsets are irregular; count(cell,t) spikes of a cell lie evenly within frame t. */
static double
onset(size_t t) {
    return 2 + 0.02 * (double)t + 0.001 * (double)(t % 3);
}

static size_t
spike_times(size_t cell, double *times) {
    size_t n = 0;
    for (size_t t = 0; t < T; ++t)
        for (size_t k = 0; k < (size_t)count(cell, t); ++k)
            times[n++] = onset(t) + 0.001 * (double)(k + 1);
    return n;
}

START_TEST(test_retina_invariance) {
    const char *path, *fields[1] = {"sp"};
    static int32_t ticks[N][5 * T], frames[T];
    static double stimulus[T], times[5 * T];
    size_t shape[2] = {1, N}, row[2] = {1, T};
    char *text;
    mat_t *file = start_file("invariance.mat", _i, &path);
    matvar_t *cells = Mat_VarCreateStruct("SpTimes", 2, shape, fields, 1);
    for (size_t cell = 0; cell < N; ++cell) {
        size_t n = spike_times(cell, times), column[2] = {n, 1};
        for (size_t i = 0; i < n; ++i)
            ticks[cell][i] = (int32_t)lround(1e4 * times[i]);
        Mat_VarSetStructFieldByName(cells, "sp", cell,
                                    Mat_VarCreate(NULL, MAT_C_INT32, MAT_T_INT32, 2, column, ticks[cell], 0));
    }
    for (size_t t = 0; t < T; ++t) {
        frames[t] = (int32_t)lround(1e4 * onset(t));
        stimulus[t] = level(t, 0, 0);
    }
    put(file, cells);
    put(file, Mat_VarCreate("stimtimes", MAT_C_INT32, MAT_T_INT32, 2, row, frames, 0));
    put(file, doubles("Stim", 2, T, 1, 1, stimulus));
    Mat_Close(file);
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = &path;
    options.n_files = 1;
    options.test_fraction = 0;
    retc_recording *recording = import(&options, &text);
    check_counts(recording, T);
    check_movie(recording, T, 1, 1);
    ck_says(text, "convention: retina-invariance");
    ck_says(text, "spike times: SpTimes.sp, 3 cells, in units of 1/10000 s");
    ck_says(text, "2 ... 3.2");
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

/* In one of two files a movie whose axes lie as `axes` says; in the other spikes in a cell array and onsets, in ms. */
static void
write_free(const char *axes, int hdf5, const char *path[2]) {
    static double movie[T * H * W], times[N][5 * T], onsets[T];
    size_t length[3], stride[3], step = 1, shape[2] = {N, 1};
    matvar_t *cell[N];
    for (size_t d = 0; d < 3; ++d) {
        size_t a = (size_t)(strchr("tyx", axes[d]) - "tyx");
        length[d] = a == 0 ? T : a == 1 ? H : W;
        stride[a] = step;
        step *= length[d];
    }
    for (size_t i = 0; i < T * H * W; ++i) {
        size_t t = i / (H * W), y = i / W % H, x = i % W;
        movie[t * stride[0] + y * stride[1] + x * stride[2]] = level(t, y, x);
    }
    mat_t *file = start_file("movie.mat", hdf5, &path[0]);
    put(file, doubles("movie", 3, length[0], length[1], length[2], movie));
    Mat_Close(file);
    file = start_file("cells.mat", hdf5, &path[1]);
    for (size_t i = 0; i < N; ++i) {
        size_t n = spike_times(i, times[i]);
        for (size_t k = 0; k < n; ++k)
            times[i][k] *= 1000;
        cell[i] = doubles(NULL, 2, i == 1 ? 1 : n, i == 1 ? n : 1, 1, times[i]);
    }
    for (size_t t = 0; t < T; ++t)
        onsets[t] = 1000 * onset(t);
    put(file, Mat_VarCreate("units", MAT_C_CELL, MAT_T_CELL, 2, shape, cell, 0));
    put(file, doubles("on", 2, 1, T, 1, onsets));
    Mat_Close(file);
}

static const char *const axes_cases[] = {"yxt", "tyx", "xyt", "ytx"};

START_TEST(test_free) {
    const char *path[2];
    char *text;
    write_free(axes_cases[_i / 2], _i % 2, path);
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = path;
    options.n_files = 2;
    options.test_fraction = 0;
    options.stimulus = "movie";
    options.axes = _i / 2 == 0 ? NULL : axes_cases[_i / 2];
    options.spikes = "units";
    options.times = "on";
    options.tick = 1000;
    retc_recording *recording = import(&options, &text);
    check_counts(recording, T);
    check_movie(recording, T, H, W);
    ck_says(text, "60 frames of 2 x 3 pixels");
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

/* ---- ensembles ------------------------------------------------------------------------------------------------------- */

START_TEST(test_ensemble) {
    enum { SPIKES = 7 };
    const char *path;
    static double rows[SPIKES * H * W];
    float movie[SPIKES * H * W], counts[SPIKES];
    char *text;
    mat_t *file = start_file("ensemble.mat", _i, &path);
    for (size_t k = 0; k < SPIKES; ++k)
        for (size_t x = 0; x < W; ++x)
            for (size_t y = 0; y < H; ++y)
                rows[k + SPIKES * (x * H + y)] = level(k, y, x);
    put(file, doubles("STE", 2, SPIKES, H * W, 1, rows));
    put_number(file, "Nx", W);
    put_number(file, "Ny", H);
    Mat_Close(file);
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = &path;
    options.n_files = 1;
    retc_recording *recording = import(&options, &text);
    ck_assert_uint_eq(retc_recording_height(recording), H);
    ck_assert_uint_eq(retc_recording_width(recording), W);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), SPIKES);
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, SPIKES, movie));
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, SPIKES, counts));
    for (size_t i = 0; i < SPIKES * H * W; ++i)
        ck_assert_double_eq((double)movie[i], level(i / (H * W), i / W % H, i % W));
    for (size_t k = 0; k < SPIKES; ++k)
        ck_assert_double_eq((double)counts[k], 1);
    /* Nothing is known of what was between two spikes. */
    retc_span *spans = NULL;
    size_t n;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, SPIKES);
    ck_says(text, "spike-triggered ensemble of 7 spikes");
    retc_free(spans);
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

/* ---- fixations ------------------------------------------------------------------------------------------------------- */

enum { IMAGES = 3, IH = 7, IW = 9, SCREEN_H = 6, SCREEN_W = 8, REDUCE = 2, FROZEN = 4, TRIALS = 3, RUNNING = 5, BLOCKS = 2 };

static double
pixel(int frozen, size_t image, size_t y, size_t x) {
    return (double)((17 * image + 5 * y + 3 * x * x + 50 * (size_t)frozen) % 101);
}

/* Image from 1, x and y, also far beside the image. */
static void
fixation(int frozen, size_t block, size_t t, double at[3]) {
    at[0] = (double)((t + block + (size_t)frozen) % IMAGES + 1);
    at[1] = (double)((5 * t + 3 * block) % 13) - 1;
    at[2] = (double)((4 * t + 7 * block) % 11) - 1;
}

static double
response(int frozen, size_t cell, size_t t, size_t block) {
    return (double)((cell + 3 * t + 2 * block + (size_t)frozen) % 4);
}

static void
put_fixations(mat_t *file, int frozen, size_t frames, size_t blocks) {
    static double images[IMAGES * IH * IW], at[3 * 16 * 4], counts[N * 16 * 4];
    size_t moved = frozen ? 1 : blocks;
    for (size_t i = 0; i < IMAGES * IH * IW; ++i)
        images[i] = pixel(frozen, i / (IH * IW), i % IH, i / IH % IW);
    for (size_t i = 0; i < moved * frames; ++i)
        fixation(frozen, i / frames, i % frames, at + 3 * i);
    for (size_t i = 0; i < N * frames * blocks; ++i)
        counts[i] = response(frozen, i % N, i / N % frames, i / (N * frames));
    put(file, doubles(frozen ? "frozenImages" : "runningImages", 3, IH, IW, IMAGES, images));
    put(file, doubles(frozen ? "frozenfixations" : "runningfixations", frozen ? 2 : 3, 3, frames, moved, at));
    put(file, doubles(frozen ? "frozenbin" : "runningbin", 3, N, frames, blocks, counts));
}

/* Pixel (r,c) of the movie by the definition: draw the screen, then take means. */
static double
drawn(int frozen, size_t block, size_t t, size_t r, size_t c) {
    double at[3], sum = 0;
    fixation(frozen, block, t, at);
    for (int i = 0; i < REDUCE * REDUCE; ++i) {
        int y = (int)r * REDUCE + i / REDUCE + (int)at[2] - SCREEN_H / 2;
        int x = (int)c * REDUCE + i % REDUCE + (int)at[1] - SCREEN_W / 2;
        if (y >= 0 && y < IH && x >= 0 && x < IW)
            sum += pixel(frozen, (size_t)at[0] - 1, (size_t)y, (size_t)x);
    }
    return sum / (REDUCE * REDUCE);
}

START_TEST(test_fixations) {
    enum { R = SCREEN_H / REDUCE, C = SCREEN_W / REDUCE };
    const char *path;
    char *text;
    float movie[RUNNING * BLOCKS * R * C], counts[N * RUNNING * BLOCKS], repeats[TRIALS * FROZEN];
    retc_span *spans = NULL;
    size_t n;
    mat_t *file = start_file("fixationmovie_data.mat", _i, &path);
    put_fixations(file, 0, RUNNING, BLOCKS);
    put_fixations(file, 1, FROZEN, TRIALS);
    Mat_Close(file);
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = &path;
    options.n_files = 1;
    options.interval = "0.0125";
    options.screen_height = SCREEN_H;
    options.screen_width = SCREEN_W;
    options.reduce = REDUCE;
    retc_recording *recording = import(&options, &text);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), RUNNING * BLOCKS);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), FROZEN);
    ck_assert_uint_eq(retc_recording_repeats(recording), TRIALS);
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 2, 0, &spans, &n));
    ck_assert_uint_eq(n, BLOCKS);
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, RUNNING * BLOCKS, movie));
    /* Sums of at most 63 whole numbers below 101 are exact. */
    for (size_t i = 0; i < RUNNING * BLOCKS * R * C; ++i)
        ck_assert_double_eq((double)movie[i], drawn(0, i / (R * C) / RUNNING, i / (R * C) % RUNNING, i / C % R, i % C));
    ck_ok(retc_recording_stimulus(recording, RETC_TEST, 0, FROZEN, movie));
    for (size_t i = 0; i < FROZEN * R * C; ++i)
        ck_assert_double_eq((double)movie[i], drawn(1, 0, i / (R * C), i / C % R, i % C));
    ck_ok(retc_recording_counts(recording, RETC_TRAIN, 0, RUNNING * BLOCKS, counts));
    for (size_t i = 0; i < N * RUNNING * BLOCKS; ++i) {
        size_t t = i % (RUNNING * BLOCKS);
        ck_assert_double_eq((double)counts[i], response(0, i / (RUNNING * BLOCKS), t % RUNNING, t / RUNNING));
    }
    for (size_t cell = 0; cell < N; ++cell) {
        ck_ok(retc_recording_repeat_counts(recording, cell, repeats));
        for (size_t i = 0; i < TRIALS * FROZEN; ++i)
            ck_assert_double_eq((double)repeats[i], response(1, cell, i % FROZEN, i / FROZEN));
    }
    ck_says(text, "convention: karamanlis");
    retc_free(spans);
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

/* ---- what is wrong --------------------------------------------------------------------------------------------------- */

static const char *
write_odd(void) {
    const char *path;
    static double ramp[400], negative[10], nan[10];
    mat_t *file = start_file("odd.mat", 0, &path);
    matvar_t *none[1] = {doubles(NULL, 2, 0, 0, 1, NULL)};
    size_t one[2] = {1, 1};
    for (size_t i = 0; i < 400; ++i)
        ramp[i] = (double)i + 0.5;
    for (size_t i = 0; i < 10; ++i) {
        negative[i] = (double)i - 3;
        nan[i] = i == 4 ? (double)NAN : (double)i;
    }
    put(file, doubles("movie", 3, 10, 4, 10, ramp));
    put(file, doubles("flicker", 2, 20, 1, 1, ramp));
    put(file, doubles("two", 2, 10, 20, 1, ramp));
    put(file, doubles("ten", 2, 10, 1, 1, ramp));
    put(file, doubles("back", 2, 10, 1, 1, (double[]){9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
    put(file, doubles("far", 2, 3, 1, 1, (double[]){5000, 6000, 7000}));
    put(file, doubles("negative", 2, 10, 1, 1, negative));
    put(file, doubles("nan", 2, 10, 1, 1, nan));
    put(file, doubles("counts", 2, 7, 3, 1, ramp));
    put(file, doubles("minus", 2, 20, 2, 1, (double[40]){1, 2, -1}));
    put(file, Mat_VarCreate("silent", MAT_C_CELL, MAT_T_CELL, 2, one, none, 0));
    put_number(file, "zero", 0);
    Mat_Close(file);
    return path;
}

static const struct {
    retc_import_matlab_options o;
    const char *says;
} refused[] = {
    {{.preset = "auto"}, "name the variable that holds the movie (--stimulus)"},
    {{.preset = "auto", .stimulus = "flicker"}, "the responses (--spikes or --counts)"},
    {{.preset = "auto", .stimulus = "flicker", .spikes = "ten"}, "when frames were shown"},
    {{.preset = "auto", .stimulus = "flicker", .spikes = "ten", .counts = "counts", .interval = "1"}, "both given"},
    {{.preset = "auto", .stimulus = "flicker", .spikes = "ten", .times = "ten", .interval = "1"}, "both given"},
    {{.preset = "neu560"}, "has no variable \"Stim\"; it has: movie, flicker,"},
    {{.preset = "karamanlis"}, "does not say how long a frame lasts"},
    {{.preset = "karamanlis", .interval = "0.01", .screen_height = 600, .screen_width = 800, .reduce = 7},
     "cannot be cut into squares"},
    {{.preset = "karamanlis", .interval = "0.01", .screen_height = 600, .screen_width = 800, .reduce = 10},
     "has no variable \"runningbin\""},
    {{.preset = "free", .stimulus = "flicker", .spikes = "ten", .interval = "zero"}, "a frame interval of 0 s (zero)"},
    {{.preset = "free", .stimulus = "flicker", .spikes = "ten", .interval = "ten"}, "ten holds 10 numbers, expected one"},
    {{.preset = "free", .stimulus = "flicker", .spikes = "ten", .interval = "1", .axes = "tz"}, "axes \"tz\" have no meaning"},
    {{.preset = "free", .stimulus = "flicker", .spikes = "ten", .interval = "1", .axes = "yy"}, "axes \"yy\" have no meaning"},
    {{.preset = "free", .stimulus = "two", .spikes = "ten", .interval = "1", .axes = "t"},
     "two is 10x20, but axes \"t\" are for a vector"},
    {{.preset = "free", .stimulus = "movie", .spikes = "ten", .interval = "1", .axes = "ty"},
     "movie is 10x4x10, but axes \"ty\" are 2"},
    {{.preset = "free", .stimulus = "movie", .spikes = "ten", .times = "ten", .axes = "ytx"},
     "movie has 4 frames for 10 frame times in ten: expected one for each: another axis of it has just as many"},
    {{.preset = "free", .stimulus = "two", .spikes = "ten", .times = "ten", .axes = "yt"},
     "another axis of it has just as many"},
    {{.preset = "free", .stimulus = "ten", .spikes = "ten", .times = "flicker"},
     "ten has 10 frames for 20 frame times in flicker"},
    {{.preset = "free", .stimulus = "ten", .spikes = "ten", .times = "back"}, "does not come after the one before"},
    {{.preset = "free", .stimulus = "ten", .spikes = "ten", .times = "two"}, "two is a matrix of 10 by 20, expected a vector"},
    {{.preset = "free", .stimulus = "ten", .spikes = "two", .interval = "1"}, "two is a matrix of 10 by 20, expected a vector"},
    {{.preset = "free", .stimulus = "ten", .spikes = "back", .interval = "1"}, "sort the times"},
    {{.preset = "free", .stimulus = "ten", .spikes = "far", .interval = "1"}, "are they in ms?"},
    {{.preset = "free", .stimulus = "ten", .spikes = "nan", .interval = "1"},
     "value 5 of nan is nan, expected a finite number"},
    {{.preset = "free", .stimulus = "ten", .spikes = "silent", .interval = "1"}, "silent{1}: has no spikes"},
    {{.preset = "free", .stimulus = "flicker", .counts = "counts", .interval = "1"},
     "counts is 7x3, but there are 20 frames: expected as many along one of its axes"},
    {{.preset = "free", .stimulus = "flicker", .counts = "counts", .interval = "1", .count_axes = "nt"},
     "expected as many along its axis t"},
    {{.preset = "free", .stimulus = "flicker", .counts = "minus", .interval = "1"},
     "has -1 in frame 2: expected a spike count"},
    {{.preset = "free", .stimulus = "silent", .counts = "minus", .interval = "1"}, "silent{1} is empty"},
    {{.preset = "other"}, "there is no preset \"other\""},
};

START_TEST(test_refused) {
    const char *path = write_odd();
    retc_import_matlab_options options = refused[_i].o;
    retc_recording_writer *writer = NULL;
    retc_import_report report;
    options.files = &path;
    options.n_files = 1;
    ck_fails(retc_import_matlab(&options, retc_test_path("refused.h5"), 1, NULL, &writer, &report), refused[_i].says);
    ck_assert_ptr_null(writer);
    ck_assert_int_ne(access(retc_test_path("refused.h5"), F_OK), 0);
    retc_import_report_free(&report);
}
END_TEST

/* Imported, but said. */
START_TEST(test_warned) {
    const char *path = write_odd();
    char *text;
    retc_import_matlab_options options = retc_import_matlab_default();
    options.files = &path;
    options.n_files = 1;
    options.stimulus = "ten";
    options.spikes = "negative";
    options.interval = "6";
    options.test_fraction = 0;
    retc_recording *recording = import(&options, &text);
    ck_says(text, "a frame lasts 6 s: are times in ms (--tick 1000)?");
    ck_says(text, "cell01 has 3 spikes at negative times");
    retc_free(text);
    retc_recording_close(recording);
}
END_TEST

static Suite *
matlab_suite(void) {
    Suite *suite = suite_create("matlab");
    TCase *good = tcase_create("good"), *odd = tcase_create("odd");
    tcase_add_loop_test(good, test_neu560, 0, 8);
    tcase_add_test(good, test_lengths_and_rates);
    tcase_add_loop_test(good, test_retina_invariance, 0, 2);
    tcase_add_loop_test(good, test_free, 0, 8);
    tcase_add_loop_test(good, test_ensemble, 0, 2);
    tcase_add_loop_test(good, test_fixations, 0, 2);
    tcase_add_loop_test(odd, test_refused, 0, sizeof refused / sizeof *refused);
    tcase_add_test(odd, test_warned);
    suite_add_tcase(suite, good);
    suite_add_tcase(suite, odd);
    return suite;
}

int
main(void) {
    return retc_test_main(matlab_suite(), NULL);
}
