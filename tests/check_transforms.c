/* Movies made of stimulus files: trials, rectangles, log-polar resampling, events. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crop.h"
#include "events.h"
#include "frozen.h"
#include "import_text.h"
#include "log_polar.h"
#include "movie_kinds.h"
#include "recording.h"
#include "resize.h"
#include "testing.h"
#include "trials.h"

/* ---- files ----------------------------------------------------------------------------------------------------------- */

typedef float (*level_function)(size_t t, size_t pixel);

typedef struct {
    size_t frames, height, width;
    double interval; /* s; 0: 0.02 */
    retc_h5_type type;
    level_function level;
    size_t second_block; /* first frame of a second stretch of continuous time, 0: none */
    const double *time;  /* (frames), NULL: regular */
    double pixel_size;   /* um, 0: not said */
} made_up;

static int
made_up_frames(void *context, size_t t0, size_t n, float *out) {
    const made_up *m = context;
    size_t pixels = m->height * m->width;
    for (size_t i = 0; i < n * pixels; ++i)
        out[i] = m->level(t0 + i / pixels, i % pixels);
    return RETC_OK;
}

static const char *
write_made_up(const char *name, made_up m) {
    const char *path = retc_test_path(name);
    const retc_stimulus_layout layout = {m.frames, m.height, m.width, m.interval > 0 ? m.interval : 0.02, m.type};
    const int64_t blocks[2] = {0, (int64_t)m.second_block};
    const size_t two = 2, from = 0;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_stimulus_write(file, "made-up", &layout, made_up_frames, &m, NULL));
    if (m.second_block)
        ck_ok(retc_h5_put(file, "block_start", RETC_H5_INT64, 1, &two, blocks));
    if (m.time)
        ck_ok(retc_h5_write(file, "time", RETC_H5_DOUBLE, &from, &m.frames, m.time));
    if (m.pixel_size > 0)
        ck_ok(retc_h5_set_number(file, "/", "pixel_size", m.pixel_size));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    return path;
}

/* Write a movie into a file and free it. */
static const char *
write_movie(retc_movie *movie, const char *name) {
    const char *path = retc_test_path(name);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_movie_write(movie, file, NULL));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_movie_free(movie);
    return path;
}

static retc_stimulus *
open_stimulus(const char *path) {
    retc_stimulus *stimulus = retc_stimulus_open(path);
    ck_assert_msg(stimulus != NULL, "%s", retc_error_message());
    return stimulus;
}

static void *
read_column(const char *path, const char *name, retc_h5_type type, size_t *n) {
    void *values = NULL;
    retc_h5 *file = retc_h5_open(path);
    ck_ok(retc_h5_read_new(file, name, type, 1, n, &values));
    retc_h5_close(file);
    return values;
}

static void
refused(retc_movie *movie, const char *says) {
    ck_assert_ptr_null(movie);
    ck_assert_msg(strstr(retc_error_message(), says), "\"%s\" does not say \"%s\"", retc_error_message(), says);
}

/* A movie of a kind with options, "log-polar --back ..."; `request` is to be cleared after it. */
static retc_movie *
make_movie(retc_movie_request *request, const char *kind_name, int argc, char **argv) {
    const retc_movie_kind *kind = retc_movie_kind_find(kind_name);
    ck_assert_msg(kind != NULL, "%s", retc_error_message());
    ck_ok(retc_movie_request_init(request, kind));
    request->table[request->entries] = (retc_option)RETC_OPTIONS_END;
    ck_ok(retc_options_parse(&kind->usage, request->table, argc, argv));
    return retc_movie_request_make(request);
}

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

static float
running_level(size_t t, size_t pixel) {
    return (float)((7 * t + pixel) % 251);
}

static float
frozen_level(size_t t, size_t pixel) {
    return 0.25f + (float)((11 * t + 3 * pixel) % 201);
}

enum { RUNNING = 30, FROZEN = 8, TRIAL = RUNNING + FROZEN };

static retc_frozen_options
trials(made_up running, made_up frozen) {
    return (retc_frozen_options){.running_movie = write_made_up("running.h5", running),
                                 .frozen_movie = write_made_up("frozen.h5", frozen),
                                 .running = RUNNING,
                                 .frozen = FROZEN};
}

static const made_up running_movie = {
    .frames = 4 * RUNNING + 7, .height = 2, .width = 3, .type = RETC_H5_UINT8, .level = running_level, .pixel_size = 30};
static const made_up frozen_movie = {
    .frames = FROZEN + 2, .height = 2, .width = 3, .type = RETC_H5_FLOAT, .level = frozen_level};

START_TEST(test_trials) {
    enum { PIXELS = 6 };
    retc_frozen_options options = trials(running_movie, frozen_movie);
    options.trials = _i;
    const size_t N = _i ? (size_t)_i : 4;
    const char *path = write_movie(retc_frozen_movie(&options), "trials.h5");
    retc_stimulus *stimulus = open_stimulus(path);
    ck_assert_uint_eq(retc_stimulus_layout_of(stimulus)->frames, N * TRIAL);
    ck_assert_int_eq(retc_stimulus_layout_of(stimulus)->type, RETC_H5_FLOAT);
    ck_assert_double_eq(retc_stimulus_pixel_size(stimulus), 30);
    static float x[4 * TRIAL * PIXELS];
    ck_ok(retc_stimulus_read(stimulus, 0, N * TRIAL, x));
    for (size_t i = 0; i < N * TRIAL * PIXELS; ++i) {
        size_t t = i / PIXELS, inside = t % TRIAL;
        float expected = inside < RUNNING ? running_level(t / TRIAL * RUNNING + inside, i % PIXELS)
                                          : frozen_level(inside - RUNNING, i % PIXELS);
        ck_assert(x[i] == expected);
    }
    retc_stimulus_close(stimulus);
    retc_trials told;
    retc_h5 *file = retc_h5_open(path);
    ck_ok(retc_trials_read(file, "", N * TRIAL, &told));
    ck_assert_uint_eq(told.trials, 2 * N);
    for (size_t k = 0; k < told.trials; ++k) {
        size_t start = k / 2 * TRIAL + (k % 2 ? RUNNING : 0);
        ck_assert_double_eq(retc_trials_parameter(&told, "frozen")->value[told.trial[k].condition], (double)(k % 2));
        ck_assert_uint_eq(told.trial[k].start, start);
        ck_assert_uint_eq(told.trial[k].frames, k % 2 ? FROZEN : RUNNING);
        ck_assert_double_eq_tol(told.trial[k].onset, 0.02 * (double)start, 1e-12);
    }
    retc_trials_free(&told);
    double frames = 0;
    ck_ok(retc_h5_get_number(file, "/", "frozen_frames", &frames));
    ck_assert_double_eq(frames, FROZEN);
    retc_h5_close(file);
}
END_TEST

/* A movie in pieces of any size is the same. */
START_TEST(test_trials_in_pieces) {
    enum { PIXELS = 6, T = 4 * TRIAL };
    static float whole[T * PIXELS], piece[T * PIXELS];
    retc_frozen_options options = trials(running_movie, frozen_movie);
    retc_movie *movie = retc_frozen_movie(&options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    ck_ok(movie->frames(movie->context, 0, T, whole));
    for (size_t t = 0; t < T; t += 17) {
        size_t n = T - t < 17 ? T - t : 17;
        ck_ok(movie->frames(movie->context, t, n, piece));
        ck_assert_mem_eq(piece, whole + t * PIXELS, n * PIXELS * sizeof *piece);
    }
    retc_movie_free(movie);
}
END_TEST

START_TEST(test_wrong_trials) {
    made_up running = running_movie, frozen = frozen_movie;
    retc_frozen_options options = trials(running, frozen);
    options.trials = 5;
    refused(retc_frozen_movie(&options), "running.h5: has 127 frames, the running part needs 150");
    options.trials = 0;
    options.running = 128;
    refused(retc_frozen_movie(&options), "running.h5: has 127 frames, the running part needs 128");
    options.running = RUNNING;
    options.frozen = 11;
    refused(retc_frozen_movie(&options), "frozen.h5: has 10 frames, the frozen part needs 11");
    options.frozen = 0;
    refused(retc_frozen_movie(&options), "trials of 30 running and 0 frozen frames");
    frozen.width = 2;
    options = trials(running, frozen);
    refused(retc_frozen_movie(&options), "frozen.h5: frames have 2 x 2 pixels, expected 2 x 3 as in ");
    frozen = frozen_movie;
    frozen.interval = 0.021;
    options = trials(running, frozen);
    refused(retc_frozen_movie(&options), "frozen.h5: the frame interval is 21 ms, expected 20 ms as in ");
    running.second_block = 100;
    options = trials(running, frozen_movie);
    refused(retc_frozen_movie(&options), "running.h5: continuous time ends at frame 100, the running part needs 120");
}
END_TEST

/* What was shown as text, and a spike in every frame: `retcodec import text` finds the trials again. */
START_TEST(test_trials_imported) {
    made_up running = running_movie, frozen = frozen_movie;
    running.height = running.width = frozen.height = frozen.width = 1;
    retc_frozen_options options = trials(running, frozen);
    retc_movie *movie = retc_frozen_movie(&options);
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    enum { N = 4, T = N * TRIAL };
    float x[T], part[N * RUNNING];
    ck_ok(movie->frames(movie->context, 0, T, x));
    retc_movie_free(movie);
    const char *paths[3] = {retc_test_path("frames.txt"), retc_test_path("levels.txt"), retc_test_path("cell.txt")};
    FILE *files[3];
    for (size_t f = 0; f < 3; ++f)
        ck_assert_ptr_nonnull(files[f] = fopen(paths[f], "w"));
    for (size_t t = 0; t < T; ++t) {
        fprintf(files[0], "%.9g\n", 0.02 * (double)t);
        fprintf(files[1], "%.9g\n", (double)x[t]);
        fprintf(files[2], "%.9g\n", 0.02 * (double)t + 0.01);
    }
    for (size_t f = 0; f < 3; ++f)
        ck_assert_int_eq(fclose(files[f]), 0);
    const retc_import_options import = {
        .frames = paths[0], .stimulus = paths[1], .running = RUNNING, .frozen = FROZEN, .spikes = &paths[2], .cells = 1};
    retc_recording_writer *writer = NULL;
    retc_import_text_report report;
    const char *path = retc_test_path("imported.h5");
    ck_ok(retc_import_text(&import, path, 1, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    ck_assert_uint_eq(report.trials, N);
    retc_import_text_report_free(&report);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(retc_recording_repeats(recording), N);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), N * RUNNING);
    ck_ok(retc_recording_stimulus(recording, RETC_TRAIN, 0, N * RUNNING, part));
    for (size_t t = 0; t < N * RUNNING; ++t)
        ck_assert(part[t] == running_level(t, 0));
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), FROZEN);
    ck_ok(retc_recording_stimulus(recording, RETC_TEST, 0, FROZEN, part));
    for (size_t t = 0; t < FROZEN; ++t)
        ck_assert(part[t] == frozen_level(t, 0));
    retc_recording_close(recording);
}
END_TEST

/* ---- rectangles ------------------------------------------------------------------------------------------------------ */

/* The clock, stretches of time and the pixel size go along. */
START_TEST(test_crop) {
    enum { T = 50, H = 5, W = 7, ROWS = 3, COLUMNS = 4 };
    double time[T];
    for (size_t t = 0; t < T; ++t)
        time[t] = 3 + 0.02 * (double)t + (t > 20 ? 0.5 : 0);
    const char *input = write_made_up("input.h5", (made_up){.frames = T,
                                                            .height = H,
                                                            .width = W,
                                                            .type = RETC_H5_UINT8,
                                                            .level = running_level,
                                                            .second_block = 21,
                                                            .time = time,
                                                            .pixel_size = 12});
    const retc_crop_options options = {.movie = input, .row = 1, .column = 3, .height = ROWS};
    retc_stimulus *stimulus = open_stimulus(write_movie(retc_crop_movie(&options, 2), "crop.h5"));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(stimulus);
    ck_assert_uint_eq(layout->height, ROWS);
    ck_assert_uint_eq(layout->width, COLUMNS);
    ck_assert_int_eq(layout->type, RETC_H5_UINT8);
    ck_assert_double_eq(retc_stimulus_pixel_size(stimulus), 12);
    ck_assert_mem_eq(retc_stimulus_time(stimulus), time, sizeof time);
    size_t blocks;
    ck_assert_uint_eq(retc_stimulus_blocks(stimulus, &blocks)[1], 21);
    ck_assert_uint_eq(blocks, 2);
    float x[T * ROWS * COLUMNS];
    ck_ok(retc_stimulus_read(stimulus, 0, T, x));
    for (size_t i = 0; i < T * ROWS * COLUMNS; ++i) {
        size_t y = i / COLUMNS % ROWS + 1, column = i % COLUMNS + 3;
        ck_assert(x[i] == running_level(i / (ROWS * COLUMNS), y * W + column));
    }
    retc_stimulus_close(stimulus);
    const retc_crop_options wrong[3] = {
        {.movie = input, .row = 5}, {.movie = input, .column = 4, .width = 4}, {.movie = input, .height = 6}};
    refused(retc_crop_movie(&wrong[0], 1), "0 x 0 pixels from row 5, column 0 on are asked for, frames have 5 x 7");
    refused(retc_crop_movie(&wrong[1], 1), "5 x 4 pixels from row 0, column 4 on are asked for, frames have 5 x 7");
    refused(retc_crop_movie(&wrong[2], 1), "6 x 0 pixels from row 0, column 0 on are asked for, frames have 5 x 7");
}
END_TEST

/* Frame 3 of a movie of 6 x 4 pixels in other sizes, as bytes or floating point numbers: identity; 2 x 2 pixels become one;
 * every pixel becomes 2 x 3; rows of 1.5 pixels, columns of 4/3. */
START_TEST(test_resize) {
    enum { T = 5, H = 6, W = 4 };
    static const size_t sizes[4][2] = {{6, 4}, {3, 2}, {12, 12}, {4, 3}};
    const retc_resize_options options = {.movie = write_made_up("input.h5", (made_up){.frames = T,
                                                                                      .height = H,
                                                                                      .width = W,
                                                                                      .type = RETC_H5_FLOAT,
                                                                                      .level = frozen_level,
                                                                                      .second_block = 2,
                                                                                      .pixel_size = 12}),
                                         .height = sizes[_i][0],
                                         .width = sizes[_i][1]};
    retc_stimulus *stimulus = open_stimulus(write_movie(retc_resize_movie(&options, 2), "resized.h5"));
    const size_t rows = options.height, columns = options.width;
    ck_assert_uint_eq(retc_stimulus_layout_of(stimulus)->height, rows);
    ck_assert_double_eq(retc_stimulus_pixel_size(stimulus), _i == 0 ? 12 : _i == 1 ? 24 : 0);
    float x[144], expected[144];
    double mean = 0, old_mean = 0;
    ck_ok(retc_stimulus_read(stimulus, 3, 1, x));
    retc_stimulus_close(stimulus);
    for (size_t i = 0; i < rows * columns; ++i) {
        size_t y = i / columns, column = i % columns;
        double sum = 0;
        /* By counting: 12 x 12 points per old pixel, of which a new one holds a whole number. */
        size_t high = 12 * H / rows, wide = 12 * W / columns;
        for (size_t p = 0; p < high * wide; ++p)
            sum += (double)frozen_level(3, (y * high + p / wide) / 12 * W + (column * wide + p % wide) / 12);
        expected[i] = (float)(sum / (double)(high * wide));
        mean += (double)x[i] / (double)(rows * columns);
    }
    ck_close_float("frame", x, expected, rows * columns, 0, 4e-7); /* two weights and two levels, rounded */
    for (size_t i = 0; i < H * W; ++i)
        old_mean += (double)frozen_level(3, i) / (H * W);
    ck_assert_double_eq_tol(mean, old_mean, 255 * 4e-7);
    const retc_resize_options bad = {.movie = options.movie, .height = 3};
    refused(retc_resize_movie(&bad, 1), "frames of 3 x 0 pixels are empty");
}
END_TEST

/* ---- log-polar ------------------------------------------------------------------------------------------------------- */

enum { SIDE = 128, RINGS = 24, SECTORS = 64, CELLS = RINGS * SECTORS };

static retc_log_polar *
make_map(retc_log_polar_options options) {
    options.height = options.height ? options.height : SIDE;
    options.width = options.width ? options.width : SIDE;
    options.rings = RINGS;
    options.sectors = SECTORS;
    options.inner = options.inner > 0 ? options.inner : 2;
    retc_log_polar *map = retc_log_polar_alloc(&options);
    ck_assert_msg(map != NULL, "%s", retc_error_message());
    return map;
}

/* Place of a pixel's centre, relative to the middle of the frame. */
static double
place(size_t index) {
    return (double)index + 0.5 - SIDE / 2.0;
}

static float frame[SIDE * SIDE], turned[SIDE * SIDE], cells[CELLS], turned_cells[CELLS];

START_TEST(test_constant_frame) {
    retc_log_polar *map = make_map((retc_log_polar_options){.row = 30.3, .column = -50.7});
    for (size_t i = 0; i < SIDE * SIDE; ++i)
        frame[i] = 42;
    retc_log_polar_forward(map, frame, cells);
    /* Most cells see a part of the frame, those far out to the lower left do not. */
    size_t outside = 0;
    for (size_t i = 0; i < CELLS; ++i) {
        ck_assert(cells[i] == 127.5f || fabsf(cells[i] - 42) <= 42 * 64 * 64 * 6e-8f); /* a rounding per sample point at most */
        outside += cells[i] == 127.5f;
    }
    ck_assert(outside > 0 && outside < CELLS / 2);
    ck_assert(cells[(RINGS - 1) * SECTORS + SECTORS * 3 / 8] == 127.5f);
    ck_assert(cells[(RINGS - 1) * SECTORS + SECTORS * 7 / 8] != 127.5f);
    retc_log_polar_free(map);
}
END_TEST

/* The lower right quarter is bright: a quarter of the sectors, from 0 on, down to the last point of every cell. */
START_TEST(test_quarter) {
    retc_log_polar *map = make_map((retc_log_polar_options){.outer = SIDE / 2});
    for (size_t i = 0; i < SIDE * SIDE; ++i)
        frame[i] = place(i / SIDE) > 0 && place(i % SIDE) > 0 ? 255 : 0;
    retc_log_polar_forward(map, frame, cells);
    for (size_t i = 0; i < CELLS; ++i)
        ck_assert(i % SECTORS < SECTORS / 4 ? fabsf(cells[i] - 255) < 1e-2f : cells[i] == 0);
    retc_log_polar_free(map);
}
END_TEST

/* A quarter of a turn from the right to below maps pixels on pixels, (y,x) to (x,-y), and moves cells by a quarter of the
 * sectors. */
START_TEST(test_rotation) {
    retc_log_polar *map = make_map((retc_log_polar_options){0});
    for (size_t i = 0; i < SIDE * SIDE; ++i) {
        frame[i] = (float)((i * 7919) % 256);
        turned[i % SIDE * SIDE + SIDE - 1 - i / SIDE] = frame[i];
    }
    retc_log_polar_forward(map, frame, cells);
    retc_log_polar_forward(map, turned, turned_cells);
    for (size_t i = 0; i < CELLS; ++i) {
        size_t moved = i / SECTORS * SECTORS + (i + SECTORS / 4) % SECTORS;
        ck_assert_double_eq_tol((double)turned_cells[moved], (double)cells[i], 0.01);
    }
    retc_log_polar_free(map);
}
END_TEST

/* A wave in log r and the angle, enlarged by q: moved by a ring.  A pixel's square of one level is off the wave by the gradient
 * times half its diagonal at most, in both frames. */
START_TEST(test_scaling) {
    retc_log_polar *map = make_map((retc_log_polar_options){.inner = 4});
    const double step = log(SIDE / sqrt(2) / 4) / RINGS, period = 12 * step;
    for (size_t i = 0; i < SIDE * SIDE; ++i) {
        double y = place(i / SIDE), x = place(i % SIDE), u = log(hypot(y, x));
        frame[i] = (float)(127.5 + 100 * cos(2 * M_PI * u / period) * cos(2 * atan2(y, x)));
        turned[i] = (float)(127.5 + 100 * cos(2 * M_PI * (u - step) / period) * cos(2 * atan2(y, x)));
    }
    retc_log_polar_forward(map, frame, cells);
    retc_log_polar_forward(map, turned, turned_cells);
    double range = 0;
    for (size_t i = 0; i < CELLS - SECTORS; ++i) {
        double r = 4 * exp(step * (double)(i / SECTORS));
        if (r < 12 || r * exp(2 * step) > SIDE / 2.0)
            continue;
        double gradient = 100 * hypot(2 * M_PI / period, 2) / r;
        ck_assert_double_eq_tol((double)turned_cells[i + SECTORS], (double)cells[i], 2 * gradient * M_SQRT1_2);
        range = fmax(range, fabs((double)cells[i] - 127.5));
    }
    ck_assert_double_ge(range, 80);
    retc_log_polar_free(map);
}
END_TEST

/* Nothing of a pattern finer than a cell is left: what remains comes from the pixels on its border, at most 1.5 border lengths
 * of pixels, instead of black or white. */
START_TEST(test_no_aliasing) {
    retc_log_polar *map = make_map((retc_log_polar_options){.row = 0.3, .column = 0.1, .outer = SIDE / 2.0 - 1});
    for (size_t i = 0; i < SIDE * SIDE; ++i)
        frame[i] = (i / SIDE + i % SIDE) % 2 ? 255 : 0;
    retc_log_polar_forward(map, frame, cells);
    const double step = log((SIDE / 2.0 - 1) / 2) / RINGS;
    for (size_t i = 0; i < CELLS; ++i) {
        double r0 = 2 * exp(step * (double)(i / SECTORS)), r1 = r0 * exp(step), width = 2 * M_PI / SECTORS;
        double border = 2 * (r1 - r0) + (r0 + r1) * width, area = 0.5 * (r1 * r1 - r0 * r0) * width;
        ck_assert_double_le(fabs((double)cells[i] - 127.5), 127.5 * fmin(1, 1.5 * border / area));
    }
    /* The outermost cells have 32 pixels: without the mean over them the pattern would be there in full. */
    for (size_t i = CELLS - SECTORS; i < CELLS; ++i)
        ck_assert_double_le(fabs((double)cells[i] - 127.5), 40);
    retc_log_polar_free(map);
}
END_TEST

/* Back in pixels the fovea is untouched.  127.5 + 50 cos(angle) comes back up to what the mean over a sector, 50 w^2 / 24, the
 * straight line between two, 50 w^2 / 8, and the squares of the pixels take off. */
START_TEST(test_back) {
    retc_log_polar *map = make_map((retc_log_polar_options){.inner = 6, .outer = 60});
    const double width = 2 * M_PI / SECTORS;
    for (size_t i = 0; i < SIDE * SIDE; ++i)
        frame[i] = (float)(127.5 + 50 * cos(atan2(place(i / SIDE), place(i % SIDE))));
    retc_log_polar_forward(map, frame, cells);
    retc_log_polar_back(map, frame, cells, turned);
    for (size_t i = 0; i < SIDE * SIDE; ++i) {
        double r = hypot(place(i / SIDE), place(i % SIDE));
        if (r < 6)
            ck_assert(turned[i] == frame[i]);
        else if (r > 60)
            ck_assert(turned[i] == 127.5f);
        else
            ck_assert_double_eq_tol((double)turned[i], (double)frame[i], 50 * width * width / 6 + 50 / (r - 1) * M_SQRT1_2);
    }
    retc_log_polar_free(map);
}
END_TEST

/* As a kind of movie: frames of a file, there and back. */
START_TEST(test_polar_movie) {
    enum { T = 40, H = 9, W = 12, R = 5, S = 6 };
    const char *input = write_made_up("input.h5", (made_up){.frames = T,
                                                            .height = H,
                                                            .width = W,
                                                            .type = RETC_H5_FLOAT,
                                                            .level = frozen_level,
                                                            .second_block = 10,
                                                            .pixel_size = 20});
    char words[4][200] = {"log-polar", "", "--rings=5", "--sectors=6"}, back[] = "--back";
    snprintf(words[1], sizeof words[1], "%s", input);
    char *argv[] = {words[0], words[0], words[1], words[2], words[3], _i ? back : NULL, NULL};
    retc_movie_request request;
    retc_movie *movie = make_movie(&request, "log-polar", _i ? 6 : 5, argv);
    retc_stimulus *stimulus = open_stimulus(write_movie(movie, "polar.h5")), *from = open_stimulus(input);
    retc_movie_request_clear(&request);
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(stimulus);
    ck_assert_uint_eq(layout->height, _i ? H : R);
    ck_assert_uint_eq(layout->width, _i ? W : S);
    ck_assert_double_eq(retc_stimulus_pixel_size(stimulus), _i ? 20 : 0);
    size_t blocks;
    ck_assert_uint_eq(retc_stimulus_blocks(stimulus, &blocks)[1], 10);
    retc_log_polar_options options = {.height = H, .width = W, .rings = R, .sectors = S, .inner = 1};
    retc_log_polar *map = retc_log_polar_alloc(&options);
    float in[H * W], polar[R * S], expected[H * W], x[H * W];
    for (size_t t = 0; t < T; ++t) {
        ck_ok(retc_stimulus_read(from, t, 1, in));
        retc_log_polar_forward(map, in, polar);
        retc_log_polar_back(map, in, polar, expected);
        ck_ok(retc_stimulus_read(stimulus, t, 1, x));
        ck_assert_mem_eq(x, _i ? expected : polar, (_i ? H * W : R * S) * sizeof *x);
    }
    retc_log_polar_free(map);
    retc_stimulus_close(stimulus);
    retc_stimulus_close(from);
    size_t n;
    double *ring = read_column(retc_test_path("polar.h5"), "log_polar/ring", RETC_H5_DOUBLE, &n);
    ck_assert_uint_eq(n, R + 1);
    ck_assert_double_eq_tol(ring[R], hypot(H / 2.0, W / 2.0), 1e-12);
    retc_free(ring);
}
END_TEST

START_TEST(test_wrong_maps) {
    static const retc_log_polar_options good = {.height = 9, .width = 9, .rings = 3, .sectors = 4, .inner = 1};
    static const char *const says[] = {
        "frames of 0 x 9 pixels are empty", "0 rings and 4 sectors", "3 rings and 2 sectors",
        "a fixation point at (nan,0)",      "rings from 0 to",       "rings from 1 to 0.5 pixels"};
    for (size_t k = 0; k < sizeof says / sizeof *says; ++k) {
        retc_log_polar_options bad = good;
        bad.height = k == 0 ? 0 : 9;
        bad.rings = k == 1 ? 0 : 3;
        bad.sectors = k == 2 ? 2 : 4;
        bad.row = k == 3 ? (double)NAN : 0;
        bad.outer = k == 3 ? 5 : k == 5 ? 0.5 : 0;
        bad.inner = k == 4 ? 0 : 1;
        ck_assert_ptr_null(retc_log_polar_alloc(&bad));
        ck_assert_msg(strstr(retc_error_message(), says[k]), "\"%s\" does not say \"%s\"", retc_error_message(), says[k]);
    }
}
END_TEST

/* ---- events ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t n;
    double *time;
    int64_t *row, *column, *polarity;
} event_list;

static event_list
read_events(const char *path) {
    event_list list;
    size_t n[3];
    list.time = read_column(path, "events/time", RETC_H5_DOUBLE, &list.n);
    list.row = read_column(path, "events/row", RETC_H5_INT64, &n[0]);
    list.column = read_column(path, "events/column", RETC_H5_INT64, &n[1]);
    list.polarity = read_column(path, "events/polarity", RETC_H5_INT64, &n[2]);
    for (size_t i = 0; i < 3; ++i)
        ck_assert_uint_eq(n[i], list.n);
    return list;
}

static void
free_events(event_list *list) {
    retc_free(list->time);
    retc_free(list->row);
    retc_free(list->column);
    retc_free(list->polarity);
}

static const retc_events_options events_options = {.threshold = 0.23, .dark = 1, .contrast = 1};

/* Pixel 0 rises and pixel 2 falls by 0.1 per frame in log intensity; the others are still. */
static float
ramp_level(size_t t, size_t pixel) {
    double v = pixel == 0 ? 3 + 0.1 * (double)t : pixel == 2 ? 5 - 0.1 * (double)t : 4;
    return (float)(exp(v) - 1);
}

/* Thresholds of 0.23 are crossed 2.3, 4.6, 6.9 and 9.2 frames after the first, and are seen in frames 3, 5, 7 and 10. */
START_TEST(test_ramp) {
    enum { T = 11, PIXELS = 4 };
    static const int sees[T] = {0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1};
    retc_events_options options = events_options;
    options.movie =
        write_made_up("ramp.h5", (made_up){.frames = T, .height = 2, .width = 2, .type = RETC_H5_FLOAT, .level = ramp_level});
    options.contrast = _i ? 0.5 : 1;
    const char *path = write_movie(retc_events_movie(&options), "events.h5");
    retc_stimulus *stimulus = open_stimulus(path);
    float x[T * PIXELS];
    ck_ok(retc_stimulus_read(stimulus, 0, T, x));
    retc_stimulus_close(stimulus);
    for (size_t t = 0; t < T; ++t) {
        ck_assert(x[t * PIXELS] == 127.5f * (1 + (float)options.contrast * (float)sees[t]));
        ck_assert(x[t * PIXELS + 2] == 127.5f * (1 - (float)options.contrast * (float)sees[t]));
        ck_assert(x[t * PIXELS + 1] == 127.5f && x[t * PIXELS + 3] == 127.5f);
    }
    event_list list = read_events(path);
    ck_assert_uint_eq(list.n, 8);
    for (size_t k = 0; k < 8; ++k) {
        /* Levels are rounded to 2^-24 of them, which moves a crossing by 2^-24 / 0.1 of a frame, twice. */
        ck_assert_double_eq_tol(list.time[k], 0.02 * 2.3 * (double)(k / 2 + 1), 0.02 * 2e-6);
        ck_assert(list.column[k] == 0 && list.polarity[k] == (list.row[k] == 0 ? 1 : -1));
        ck_assert(k == 0 || list.time[k] >= list.time[k - 1]);
    }
    ck_assert_int_eq(list.row[0] + list.row[1], 1);
    free_events(&list);
}
END_TEST

/* v: a step by 0.7 (three events at 23, 46 and 69 of its 70 hundredths), down by 0.2 (0.19 from the last event: none), down by
 * 0.05 (0.24: one OFF event), then a new stretch of continuous time at another level, and up by 0.25 (one ON event). */
static float
step_level(size_t t, size_t pixel) {
    static const double v[] = {3, 3.7, 3.5, 3.45, 1, 1.25};
    (void)pixel;
    return (float)(exp(v[t]) - 0.5);
}

START_TEST(test_steps) {
    static const double time[6] = {1, 1.7, 2, 2.5, 9, 10};
    static const double expected[5] = {1.23, 1.46, 1.69, 2.5 - 0.5 * 0.01 / 0.05, 9 + 0.23 / 0.25};
    static const int64_t polarity[5] = {1, 1, 1, -1, 1};
    retc_events_options options = events_options;
    options.dark = 0.5;
    options.movie = write_made_up(
        "steps.h5",
        (made_up){
            .frames = 6, .height = 1, .width = 1, .type = RETC_H5_FLOAT, .level = step_level, .second_block = 4, .time = time});
    const char *path = write_movie(retc_events_movie(&options), "events.h5");
    event_list list = read_events(path);
    ck_assert_uint_eq(list.n, 5);
    for (size_t k = 0; k < 5; ++k) {
        ck_assert_double_eq_tol(list.time[k], expected[k], 1e-5); /* levels are rounded to 6e-8 of them, divided by 0.05 */
        ck_assert_int_eq(list.polarity[k], polarity[k]);
    }
    free_events(&list);
    retc_stimulus *stimulus = open_stimulus(path);
    size_t blocks;
    ck_assert_uint_eq(retc_stimulus_blocks(stimulus, &blocks)[1], 4);
    ck_assert_mem_eq(retc_stimulus_time(stimulus), time, sizeof time);
    retc_stimulus_close(stimulus);
}
END_TEST

/* Pixel p has p % 5 events in every second frame, up, and in the others, down: to a little below where it began, so that no
 * rounding decides. */
static float
flicker_level(size_t t, size_t pixel) {
    double v = t % 2 ? 2 + 0.235 * (double)(pixel % 5) : t > 0 ? 1.98 : 2;
    return (float)(exp(v) - 1);
}

/* More events than a slab of the list holds: all are there, in order, and they add up to what the pixels did. */
START_TEST(test_many_events) {
    enum { T = 12, SIDE_OF_MANY = 70, PIXELS = SIDE_OF_MANY * SIDE_OF_MANY };
    retc_events_options options = events_options;
    options.movie = write_made_up(
        "flicker.h5",
        (made_up){.frames = T, .height = SIDE_OF_MANY, .width = SIDE_OF_MANY, .type = RETC_H5_FLOAT, .level = flicker_level});
    event_list list = read_events(write_movie(retc_events_movie(&options), "events.h5"));
    ck_assert_uint_eq(list.n, (size_t)(T - 1) * PIXELS * 2); /* 2 = mean of 0 ... 4 */
    ck_assert_uint_ge(list.n, 3 << 15);
    static int up[PIXELS], down[PIXELS];
    for (size_t k = 0; k < list.n; ++k) {
        size_t pixel = (size_t)(list.row[k] * SIDE_OF_MANY + list.column[k]);
        ck_assert(k == 0 || list.time[k] >= list.time[k - 1]);
        up[pixel] += list.polarity[k] == 1;
        down[pixel] += list.polarity[k] == -1;
    }
    for (int pixel = 0; pixel < PIXELS; ++pixel) {
        ck_assert_int_eq(up[pixel], pixel % 5 * 6);
        ck_assert_int_eq(down[pixel], pixel % 5 * 5);
    }
    free_events(&list);
}
END_TEST

static float
grey_level(size_t t, size_t pixel) {
    (void)t, (void)pixel;
    return 99;
}

START_TEST(test_no_events) {
    retc_events_options options = events_options, bad;
    options.movie =
        write_made_up("grey.h5", (made_up){.frames = 9, .height = 2, .width = 2, .type = RETC_H5_UINT8, .level = grey_level});
    event_list list = read_events(write_movie(retc_events_movie(&options), "events.h5"));
    ck_assert_uint_eq(list.n, 0);
    free_events(&list);
    retc_movie *movie = retc_events_movie(&options);
    float x[9 * 4];
    ck_assert_msg(movie != NULL, "%s", retc_error_message());
    ck_assert(!movie->any_order);
    ck_fails(movie->frames(movie->context, 3, 2, x), "events of frame 3 are asked for, frame 0 comes next");
    retc_movie_free(movie);
    bad = options, bad.threshold = 0;
    refused(retc_events_movie(&bad), "a threshold of 0 is not between 0.001 and 10");
    bad = options, bad.dark = 0;
    refused(retc_events_movie(&bad), "a dark level of 0 and a contrast of 1 have no meaning");
    bad = options, bad.movie = "nothing.h5";
    refused(retc_events_movie(&bad), "nothing.h5: No such file or directory");
}
END_TEST

static Suite *
transforms_suite(void) {
    Suite *suite = suite_create("transforms");
    TCase *frozen = tcase_create("trials"), *polar = tcase_create("log-polar"), *events = tcase_create("events");
    tcase_add_loop_test(frozen, test_trials, 0, 5);
    tcase_add_test(frozen, test_trials_in_pieces);
    tcase_add_test(frozen, test_wrong_trials);
    tcase_add_test(frozen, test_trials_imported);
    tcase_add_test(frozen, test_crop);
    tcase_add_loop_test(frozen, test_resize, 0, 4);
    tcase_set_timeout(polar, 60);
    tcase_add_test(polar, test_constant_frame);
    tcase_add_test(polar, test_quarter);
    tcase_add_test(polar, test_rotation);
    tcase_add_test(polar, test_scaling);
    tcase_add_test(polar, test_no_aliasing);
    tcase_add_test(polar, test_back);
    tcase_add_loop_test(polar, test_polar_movie, 0, 2);
    tcase_add_test(polar, test_wrong_maps);
    tcase_add_loop_test(events, test_ramp, 0, 2);
    tcase_add_test(events, test_steps);
    tcase_add_test(events, test_many_events);
    tcase_add_test(events, test_no_events);
    suite_add_tcase(suite, frozen);
    suite_add_tcase(suite, polar);
    suite_add_tcase(suite, events);
    return suite;
}

int
main(void) {
    return retc_test_main(transforms_suite(), NULL);
}
