/* The simulated retina, against closed forms. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "circuit.h"
#include "recording.h"
#include "simulate.h"
#include "stimulus_file.h"
#include "testing.h"
#include "white_noise.h"

static retc_circuit *
make_circuit(const retc_circuit_options *options, size_t H, size_t W, double interval) {
    retc_circuit *circuit = retc_circuit_alloc(options, H, W, interval);
    ck_assert_msg(circuit != NULL, "%s", retc_error_message());
    return circuit;
}

static retc_circuit *
default_circuit(size_t H, size_t W) {
    retc_circuit_options options;
    retc_circuit_default(&options);
    options.seed = 9;
    return make_circuit(&options, H, W, 1 / 60.0);
}

static int
is_bipolar(const retc_unit *unit) {
    return unit->type == RETC_ON_BIPOLAR || unit->type == RETC_OFF_BIPOLAR;
}

/* ---- filters --------------------------------------------------------------------------------------------------------- */

static double
raised_cosine(double tau, double peak, double width) {
    return fabs(tau - peak) < width ? (1 + cos(M_PI * (tau - peak) / width)) / 2 : 0;
}

/* The table of circuit.h, at 100 Hz: 25 lags of 10 ms. */
START_TEST(test_time_filters) {
    static const double shape[4][5] = {
        {55, 45, 115, 65, 0.5}, {45, 40, 100, 60, 0.6}, {105, 75, 185, 65, 0.3}, {95, 70, 175, 65, 0.3}};
    retc_circuit_options options;
    retc_circuit_default(&options);
    retc_circuit *circuit = make_circuit(&options, 16, 16, 0.01);
    const double *s = shape[_i];
    size_t K;
    const double *h = retc_circuit_time_filter(circuit, (retc_unit_type)_i, &K);
    double expected[25], squares = 0;
    ck_assert_uint_eq(K, 25);
    for (size_t k = 1; k <= K; ++k) {
        double tau = 10 * (double)k;
        expected[k - 1] = raised_cosine(tau, s[0], s[1]) - s[4] * raised_cosine(tau, s[2], s[3]);
        squares += expected[k - 1] * expected[k - 1];
    }
    for (size_t k = 0; k < K; ++k)
        expected[k] /= sqrt(squares);
    ck_close_double("time filter", h, expected, K, 0, 1e-14);
    retc_circuit_free(circuit);
}
END_TEST

/* Gaussians of volume 1, sigmas 0.7 and 1.4 (weight 0.8) or 1.5 pixels, 7 x 7 pixels as 2 * 1.5 = 3. */
START_TEST(test_space_filters) {
    retc_circuit *circuit = default_circuit(16, 16);
    size_t height, width;
    const double *s = retc_circuit_space_filter(circuit, (retc_unit_type)_i, &height, &width);
    double expected[49], squares = 0;
    ck_assert_uint_eq(height, 7);
    ck_assert_uint_eq(width, 7);
    for (int i = 0; i < 49; ++i) {
        double r2 = (i / 7 - 3) * (i / 7 - 3) + (i % 7 - 3) * (i % 7 - 3);
        if (_i == RETC_ON_BIPOLAR || _i == RETC_OFF_BIPOLAR)
            expected[i] = exp(-r2 / 0.98) / (0.98 * M_PI) - 0.8 * exp(-r2 / 3.92) / (3.92 * M_PI);
        else
            expected[i] = exp(-r2 / 4.5) / (4.5 * M_PI);
        squares += expected[i] * expected[i];
    }
    for (int i = 0; i < 49; ++i)
        expected[i] *= (_i == RETC_ON_BIPOLAR || _i == RETC_ON_AMACRINE ? 1 : -1) / sqrt(squares);
    ck_close_double("space filter", s, expected, 49, 0, 1e-14);
    retc_circuit_free(circuit);
}
END_TEST

/* ---- wiring ---------------------------------------------------------------------------------------------------------- */

START_TEST(test_wiring) {
    retc_circuit *circuit = default_circuit(16, 16);
    ck_assert_uint_eq(retc_circuit_cells(circuit), 4);
    ck_assert_uint_eq(retc_circuit_units(circuit), 16);
    ck_assert_str_eq(retc_circuit_unit(circuit, 0)->name, "cell01/on_bipolar1");
    ck_assert_str_eq(retc_circuit_unit(circuit, 6)->name, "cell02/off_bipolar3");
    ck_assert_str_eq(retc_circuit_unit(circuit, 15)->name, "cell04/amacrine");
    for (size_t u = 0; u < 16; ++u) {
        const retc_unit *unit = retc_circuit_unit(circuit, u);
        ck_assert_uint_eq(unit->cell, u / 4);
        int on = unit->cell == 0 || unit->cell == 3; /* a chess board of 2 x 2 */
        ck_assert_int_eq(unit->type == RETC_ON_BIPOLAR || unit->type == RETC_ON_AMACRINE, on);
        ck_assert_int_eq(is_bipolar(unit), u % 4 < 3);
        /* The whole filter is on the screen. */
        ck_assert(unit->row >= 3 && unit->row <= 12 && unit->column >= 3 && unit->column <= 12);
        for (size_t v = u / 4 * 4; v < u && is_bipolar(unit); ++v)
            ck_assert(retc_circuit_unit(circuit, v)->row != unit->row || retc_circuit_unit(circuit, v)->column != unit->column);
    }
    for (size_t cell = 0; cell < 4; ++cell) {
        double excitation = 0;
        for (size_t b = 0; b < 3; ++b) {
            double weight = retc_circuit_unit(circuit, 4 * cell + b)->weight;
            ck_assert(weight >= 0.75 && weight <= 1.25);
            excitation += weight;
        }
        ck_assert_double_eq_tol(retc_circuit_unit(circuit, 4 * cell + 3)->weight, -0.5 * excitation, 1e-15);
    }
    retc_circuit_free(circuit);
}
END_TEST

START_TEST(test_seed_decides) {
    retc_circuit_options options;
    retc_circuit_default(&options);
    retc_circuit *a = make_circuit(&options, 16, 16, 0.01), *b = make_circuit(&options, 16, 16, 0.01);
    options.seed = 1;
    retc_circuit *c = make_circuit(&options, 16, 16, 0.01);
    ck_assert_double_eq(retc_circuit_unit(a, 1)->weight, retc_circuit_unit(b, 1)->weight);
    ck_assert_double_ne(retc_circuit_unit(a, 1)->weight, retc_circuit_unit(c, 1)->weight);
    retc_circuit_free(a);
    retc_circuit_free(b);
    retc_circuit_free(c);
}
END_TEST

/* ---- responses ------------------------------------------------------------------------------------------------------- */

/* One pixel flashes for one frame: the drive of unit u in frame t is c h(t - t0) s(pixel - place of u), nothing at t0 itself
 * and before, and nothing from K + 1 frames on. */
START_TEST(test_flash) {
    enum { SIDE = 16, PIXELS = SIDE * SIDE, T = 40, FLASH = 5, UNITS = 16 };
    const size_t row = 6, column = 9;
    retc_circuit *circuit = default_circuit(SIDE, SIDE);
    float *frames = retc_calloc(T * PIXELS, sizeof *frames);
    double drive[UNITS * T], expected[T], largest = 0;
    for (size_t i = 0; i < T * PIXELS; ++i)
        frames[i] = 127.5f;
    frames[FLASH * PIXELS + row * SIDE + column] = 127.5f * 1.5f;
    ck_ok(retc_circuit_drive(circuit, frames, T, drive));
    for (size_t u = 0; u < UNITS; ++u) {
        const retc_unit *unit = retc_circuit_unit(circuit, u);
        size_t K, height, width;
        const double *h = retc_circuit_time_filter(circuit, unit->type, &K);
        const double *s = retc_circuit_space_filter(circuit, unit->type, &height, &width);
        size_t p = row + height / 2 - unit->row, q = column + width / 2 - unit->column; /* wraps around when off the filter */
        double weight = p < height && q < width ? s[p * width + q] : 0;
        for (size_t t = 0; t < T; ++t)
            expected[t] = t > FLASH && t <= FLASH + K ? 0.5 * weight * h[t - FLASH - 1] : 0;
        ck_close_double(unit->name, drive + u * T, expected, T, 1e-15, 0);
        largest = fmax(largest, fabs(weight));
    }
    ck_assert_double_gt(largest, 0.1); /* some unit saw it */
    retc_free(frames);
    retc_circuit_free(circuit);
}
END_TEST

static float *
noise_movie(size_t side, size_t frames, uint64_t seed) {
    retc_white_noise noise = {
        .height = side, .width = side, .stixel = 1, .hold = 1, .contrast = 0.35, .seed = seed, .threads = 1};
    float *movie = retc_calloc(frames * side * side, sizeof *movie);
    ck_ok(retc_white_noise_frames(&noise, 0, frames, movie));
    return movie;
}

START_TEST(test_drive_in_pieces) {
    enum { SIDE = 9, T = 60, UNITS = 16 };
    static const size_t pieces[3] = {1, 7, 33};
    retc_circuit *circuit = default_circuit(SIDE, SIDE);
    float *movie = noise_movie(SIDE, T, 1);
    double whole[UNITS * T], piece[UNITS * T];
    ck_ok(retc_circuit_drive(circuit, movie, T, whole));
    retc_circuit_reset(circuit);
    for (size_t t0 = 0, n; t0 < T; t0 += n) {
        n = T - t0 < pieces[_i] ? T - t0 : pieces[_i];
        ck_ok(retc_circuit_drive(circuit, movie + t0 * SIDE * SIDE, n, piece));
        for (size_t u = 0; u < UNITS; ++u)
            ck_assert_mem_eq(piece + u * n, whole + u * T + t0, n * sizeof *piece);
    }
    retc_free(movie);
    retc_circuit_free(circuit);
}
END_TEST

/* Signals and rates from the drives by the formulas of circuit.h, and what calibration promises. */
START_TEST(test_calibrated_responses) {
    enum { SIDE = 16, T = 3000, UNITS = 16, CELLS = 4 };
    retc_circuit *circuit = default_circuit(SIDE, SIDE);
    float *movie = noise_movie(SIDE, T, 2), *signal = retc_calloc(UNITS * T, sizeof *signal);
    double *drive = retc_calloc(UNITS * T, sizeof *drive), *rate = retc_calloc(CELLS * T, sizeof *rate);
    ck_ok(retc_circuit_drive(circuit, movie, T, drive));
    ck_ok(retc_circuit_calibrate(circuit, drive, T));
    retc_circuit_respond(circuit, drive, T, signal, rate);
    for (int type = 0; type < RETC_UNIT_TYPES; ++type) {
        double squares = 0, n = 0;
        for (size_t i = 0; i < UNITS * T; ++i) {
            if ((int)retc_circuit_unit(circuit, i / T)->type == type) {
                squares += drive[i] * drive[i];
                n += 1;
            }
        }
        ck_assert_double_eq_tol(retc_circuit_gain(circuit, (retc_unit_type)type), sqrt(n / squares), 1e-10 * sqrt(n / squares));
    }
    for (size_t cell = 0; cell < CELLS; ++cell) {
        const retc_output *output = retc_circuit_output(circuit, cell);
        double mean = 0, input_mean = 0, input_squares = 0;
        for (size_t t = 0; t < T; ++t) {
            double input = 0;
            for (size_t u = 4 * cell; u < 4 * cell + 4; ++u) {
                const retc_unit *unit = retc_circuit_unit(circuit, u);
                double a = fmax(0, retc_circuit_gain(circuit, unit->type) * drive[u * T + t] - 0.1);
                ck_assert_double_eq_tol((double)signal[u * T + t], a, 1e-7 * a + 1e-12);
                input += unit->weight * a;
            }
            double expected = output->gain * log(1 + exp(output->slope * input + output->offset));
            ck_assert_double_eq_tol(rate[cell * T + t], expected, 1e-12 * output->gain);
            mean += rate[cell * T + t] / T;
            input_mean += input / T;
            input_squares += input * input / T;
        }
        ck_assert(mean >= 10 && mean <= 20); /* 15 spikes/s, give or take a third */
        double deviation = sqrt(input_squares - input_mean * input_mean);
        ck_assert_double_eq_tol(output->slope, 2 / deviation, 1e-9 / deviation);
        ck_assert_double_eq_tol(output->offset, -2 * input_mean / deviation - 1, 1e-9);
    }
    retc_free(movie);
    retc_free(signal);
    retc_free(drive);
    retc_free(rate);
    retc_circuit_free(circuit);
}
END_TEST

/* The whole screen turns brighter: ON units of a retina without surround answer, OFF units are silent. */
START_TEST(test_polarity) {
    enum { SIDE = 16, T = 400, UNITS = 16 };
    retc_circuit_options options;
    retc_circuit_default(&options);
    options.surround_weight = 0;
    retc_circuit *circuit = make_circuit(&options, SIDE, SIDE, 1 / 60.0);
    float *movie = noise_movie(SIDE, T, 2), *signal = retc_calloc(UNITS * T, sizeof *signal);
    double *drive = retc_calloc(UNITS * T, sizeof *drive), rate[4 * T];
    ck_ok(retc_circuit_drive(circuit, movie, T, drive));
    ck_ok(retc_circuit_calibrate(circuit, drive, T));
    for (size_t i = 0; i < 5 * SIDE * SIDE; ++i)
        movie[i] = 200;
    retc_circuit_reset(circuit);
    ck_ok(retc_circuit_drive(circuit, movie, 5, drive)); /* 83 ms: before any filter changes its sign */
    retc_circuit_respond(circuit, drive, 5, signal, rate);
    for (size_t u = 0; u < UNITS; ++u) {
        const retc_unit *unit = retc_circuit_unit(circuit, u);
        ck_assert_int_eq(signal[u * 5 + 4] > 0, unit->type == RETC_ON_BIPOLAR || unit->type == RETC_ON_AMACRINE);
        ck_assert(signal[u * 5] == 0); /* lag 1: the first frame is answered in the second at the earliest */
    }
    retc_free(movie);
    retc_free(signal);
    retc_free(drive);
    retc_circuit_free(circuit);
}
END_TEST

/* A single pixel stands for the whole screen; a line has a filter along its axis only. */
START_TEST(test_small_movies) {
    retc_circuit *circuit = default_circuit(1, 1);
    size_t height, width;
    ck_assert_double_eq(retc_circuit_space_filter(circuit, RETC_OFF_BIPOLAR, &height, &width)[0], -1);
    ck_assert_uint_eq(height * width, 1);
    float *movie = noise_movie(1, 100, 3);
    double *drive = retc_calloc(16 * 100, sizeof *drive);
    ck_ok(retc_circuit_drive(circuit, movie, 100, drive));
    ck_ok(retc_circuit_calibrate(circuit, drive, 100));
    retc_free(movie);
    retc_free(drive);
    retc_circuit_free(circuit);
    circuit = default_circuit(1, 30);
    retc_circuit_space_filter(circuit, RETC_ON_AMACRINE, &height, &width);
    ck_assert_uint_eq(height, 1);
    ck_assert_uint_eq(width, 7);
    retc_circuit_free(circuit);
}
END_TEST

START_TEST(test_not_driven) {
    enum { SIDE = 9, T = 50 };
    retc_circuit *circuit = default_circuit(SIDE, SIDE);
    float *movie = retc_calloc(T * SIDE * SIDE, sizeof *movie);
    double *drive = retc_calloc(16 * T, sizeof *drive);
    for (size_t i = 0; i < T * SIDE * SIDE; ++i)
        movie[i] = 127.5f;
    ck_ok(retc_circuit_drive(circuit, movie, T, drive));
    ck_fails(retc_circuit_calibrate(circuit, drive, T), "does not drive any unit of type on_bipolar");
    /* Drives that are there, but the same in every frame. */
    for (size_t i = 0; i < 16 * T; ++i)
        drive[i] = 1;
    ck_fails(retc_circuit_calibrate(circuit, drive, T), "does not change the input of cell 1");
    retc_free(movie);
    retc_free(drive);
    retc_circuit_free(circuit);
}
END_TEST

START_TEST(test_wrong_circuit) {
    static const char *const says[10] = {
        "sees 0 x 5 pixels",      "frames of at most 50 ms, not 60 ms", "not nan ms",
        "0 cells with 3 bipolar", "4 cells with 100 bipolar",           "filters of 0.05 (centre)",
        "larger than the centre", "a surround weight of 1.5",           "an inhibition of -1",
        "a rate of 0 spikes/s"};
    retc_circuit_options o;
    size_t H = 5;
    double interval = 0.01;
    retc_circuit_default(&o);
    switch (_i) {
    case 0:
        H = 0;
        break;
    case 1:
        interval = 0.06;
        break;
    case 2:
        interval = NAN;
        break;
    case 3:
        o.cells = 0;
        break;
    case 4:
        o.bipolars = 100;
        break;
    case 5:
        o.center_sigma = 0.05;
        break;
    case 6:
        o.surround_sigma = 0.6;
        break;
    case 7:
        o.surround_weight = 1.5;
        break;
    case 8:
        o.inhibition = -1;
        break;
    default:
        o.rate = 0;
    }
    ck_assert_ptr_null(retc_circuit_alloc(&o, H, 5, interval));
    ck_assert_msg(strstr(retc_error_message(), says[_i]) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(), says[_i]);
}
END_TEST

/* ---- whole simulations ----------------------------------------------------------------------------------------------- */

enum { SIDE = 8, TRAIN = 6000, TEST = 400, REPEATS = 20, CELLS = 4, UNITS = 16 };

/* A noise movie as a file, with an optional second stretch. */
static const char *
noise_file(const char *name, size_t side, size_t frames, double interval, uint64_t seed, double contrast, int64_t second) {
    const char *path = retc_test_path(name);
    retc_white_noise noise = {
        .height = side, .width = side, .stixel = 1, .hold = 1, .contrast = contrast, .seed = seed, .threads = 1};
    retc_stimulus_layout layout = {frames, side, side, interval, RETC_H5_UINT8};
    const int64_t blocks[2] = {0, second};
    size_t two = 2;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_stimulus_write(file, "white-noise", &layout, retc_white_noise_frames, &noise, NULL));
    if (second)
        ck_ok(retc_h5_put(file, "block_start", RETC_H5_INT64, 1, &two, blocks));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    return path;
}

static retc_simulate_options
simulation(void) {
    retc_simulate_options options = {.repeats = REPEATS};
    retc_circuit_default(&options.circuit);
    options.circuit.seed = 21;
    options.train = noise_file("train.h5", SIDE, TRAIN, 1 / 60.0, 1, 0.35, 2500);
    options.test = noise_file("test.h5", SIDE, TEST, 1 / 60.0, 2, 0.35, 0);
    return options;
}

static retc_h5 *
simulate(const retc_simulate_options *options, const char *name, retc_simulate_summary *summary) {
    const char *path = retc_test_path(name);
    retc_recording_writer *writer = NULL;
    ck_ok(retc_simulate(options, path, 1, NULL, &writer, summary));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    retc_h5 *file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    return file;
}

static double *
dataset(retc_h5 *file, const char *name, int rank, size_t *shape) {
    void *data = NULL;
    ck_ok(retc_h5_read_new(file, name, RETC_H5_DOUBLE, rank, shape, &data));
    return data;
}

/* Sums of independent Poisson counts c with means m: sum (c - m) has variance sum m, and sum ((c - m)^2 - m) has variance
 * sum (m + 2 m^2). */
static void
check_poisson(const char *what, const double *counts, const double *rate, size_t rows, size_t n) {
    double sum = 0, squares = 0, variance = 0, variance_of_squares = 0;
    for (size_t i = 0; i < rows * n; ++i) {
        double m = rate[i % n] / 60, d = counts[i] - m;
        sum += d;
        squares += d * d - m;
        variance += m;
        variance_of_squares += m + 2 * m * m;
    }
    ck_assert_msg(fabs(sum) <= 5 * sqrt(variance), "%s: mean off by %g standard errors", what, sum / sqrt(variance));
    ck_assert_msg(fabs(squares) <= 5 * sqrt(variance_of_squares), "%s: variance off by %g standard errors", what,
                  squares / sqrt(variance_of_squares));
}

START_TEST(test_spikes_are_poisson) {
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    size_t shape[2];
    double *rate = dataset(file, "truth/train/rate", 2, shape), *counts = dataset(file, "train/response/binned", 2, shape);
    ck_assert_uint_eq(shape[0], CELLS);
    ck_assert_uint_eq(shape[1], TRAIN);
    for (size_t cell = 0; cell < CELLS; ++cell) {
        double spikes = 0;
        check_poisson("train", counts + cell * TRAIN, rate + cell * TRAIN, 1, TRAIN);
        for (size_t t = 0; t < TRAIN; ++t)
            spikes += counts[cell * TRAIN + t];
        ck_assert_double_eq_tol(summary.rate[cell], spikes * 60 / TRAIN, 1e-9);
    }
    retc_free(rate);
    retc_free(counts);
    rate = dataset(file, "truth/test/rate", 2, shape);
    for (size_t cell = 0; cell < CELLS; ++cell) {
        char name[32];
        snprintf(name, sizeof name, "test/repeats/cell%02zu", cell + 1);
        counts = dataset(file, name, 2, shape);
        ck_assert_uint_eq(shape[0], REPEATS);
        check_poisson("test", counts, rate + cell * TEST, REPEATS, TEST);
        ck_assert_mem_ne(counts, counts + TEST, TEST * sizeof *counts); /* fresh spikes in every repeat */
        retc_free(counts);
    }
    retc_free(rate);
    retc_h5_close(file);
    retc_simulate_summary_free(&summary);
}
END_TEST

/* The file alone lets one compute the signals and rates: movie, filters, wiring and output are all in it.  Two stretches of
 * time in the train part: none sees the other. */
START_TEST(test_truth_is_complete) {
    static const char *const types[4] = {"on_bipolar", "off_bipolar", "on_amacrine", "off_amacrine"};
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    size_t shape[3], K = 15, side = 7;
    double *movie = dataset(file, "train/stimulus", 3, shape), *signal = dataset(file, "interneurons/train/signal", 2, shape);
    double *rate = dataset(file, "truth/train/rate", 2, shape), *weight = dataset(file, "interneurons/weight", 1, shape);
    double *row = dataset(file, "interneurons/row", 1, shape), *column = dataset(file, "interneurons/column", 1, shape);
    double *cell = dataset(file, "interneurons/cell", 1, shape), *gain = dataset(file, "truth/output/gain", 1, shape);
    double *slope = dataset(file, "truth/output/slope", 1, shape), *offset = dataset(file, "truth/output/offset", 1, shape);
    char **names = NULL, name[64];
    size_t n;
    ck_ok(retc_h5_read_texts(file, "interneurons/names", &names, &n));
    ck_assert_uint_eq(n, UNITS);
    static const size_t frames[6] = {40, 2499, 2500, 2501, 2507, 5990};
    for (size_t i = 0; i < 6; ++i) {
        size_t t = frames[i], start = t < 2500 ? 0 : 2500;
        double input[CELLS] = {0}, expected[UNITS], stored[UNITS];
        for (size_t u = 0; u < UNITS; ++u) {
            int type =
                strstr(names[u], "amacrine") ? (names[u - 1][7] == 'o' && names[u - 1][8] == 'n' ? 2 : 3) : names[u][8] == 'f';
            snprintf(name, sizeof name, "truth/filters/%s/time", types[type]);
            double *h = dataset(file, name, 1, shape);
            ck_assert_uint_eq(shape[0], K);
            snprintf(name, sizeof name, "truth/filters/%s/space", types[type]);
            double *s = dataset(file, name, 2, shape), g, d = 0;
            ck_assert_uint_eq(shape[0], side);
            snprintf(name, sizeof name, "truth/filters/%s/gain", types[type]);
            ck_ok(retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, &g));
            for (size_t k = 1; k <= K && k <= t - start; ++k) {
                for (size_t p = 0; p < side * side; ++p) {
                    size_t y = (size_t)row[u] + p / side - 3, x = (size_t)column[u] + p % side - 3;
                    d += h[k - 1] * s[p] * (movie[(t - k) * SIDE * SIDE + y * SIDE + x] / 127.5 - 1);
                }
            }
            expected[u] = fmax(0, g * d - 0.1);
            stored[u] = signal[u * TRAIN + t];
            input[(size_t)cell[u]] += weight[u] * expected[u];
            retc_free(h);
            retc_free(s);
        }
        ck_close_double("signals", stored, expected, UNITS, 1e-12, 1e-7); /* stored as floats */
        for (size_t j = 0; j < CELLS; ++j) {
            double r = gain[j] * log(1 + exp(slope[j] * input[j] + offset[j]));
            ck_assert_double_eq_tol(rate[j * TRAIN + t], r, 1e-7 * r);
        }
        if (t == 2500)
            ck_close_double("after a gap", stored, (const double[UNITS]){0}, UNITS, 0, 0);
    }
    retc_free(movie);
    retc_free(signal);
    retc_free(rate);
    retc_free(weight);
    retc_free(row);
    retc_free(column);
    retc_free(cell);
    retc_free(gain);
    retc_free(slope);
    retc_free(offset);
    retc_free(names);
    retc_h5_close(file);
    retc_simulate_summary_free(&summary);
}
END_TEST

/* The size of the blocks cannot change anything. */
START_TEST(test_blocks_do_not_matter) {
    static const char *const names[8] = {"train/response/binned",     "train/response/firing_rate_10ms",
                                         "interneurons/train/signal", "truth/train/rate",
                                         "test/repeats/cell02",       "test/response/binned",
                                         "interneurons/test/signal",  "truth/output/gain"};
    static const int ranks[8] = {2, 2, 2, 2, 2, 2, 2, 1};
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    retc_h5 *a = simulate(&options, "a.h5", &summary);
    retc_simulate_summary_free(&summary);
    options.block = 257;
    retc_h5 *b = simulate(&options, "b.h5", &summary);
    retc_simulate_summary_free(&summary);
    for (int i = 0; i < 8; ++i) {
        size_t shape[2] = {1, 1};
        double *x = dataset(a, names[i], ranks[i], shape), *y = dataset(b, names[i], ranks[i], shape);
        ck_assert_mem_eq(x, y, shape[0] * shape[1] * sizeof *x);
        retc_free(x);
        retc_free(y);
    }
    retc_h5_close(a);
    retc_h5_close(b);
}
END_TEST

/* The reader takes it as a recording, with stretches, repeats, and interneurons. */
START_TEST(test_is_a_recording) {
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    double lag = 0;
    ck_assert_int_eq(retc_h5_get_number(file, "/", "lag", &lag), 1);
    ck_assert_double_eq(lag, 1);
    retc_recording *recording = retc_recording_open(retc_h5_path(file), 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TRAIN), TRAIN);
    ck_assert_uint_eq(retc_recording_frames(recording, RETC_TEST), TEST);
    ck_assert_uint_eq(retc_recording_repeats(recording), REPEATS);
    ck_assert_uint_eq(retc_recording_interneurons(recording), UNITS);
    ck_assert_str_eq(retc_recording_interneuron_name(recording, 3), "cell01/amacrine");
    ck_assert_str_eq(retc_recording_cell_name(recording, 3), "cell04");
    ck_assert_double_eq_tol(retc_recording_frame_interval(recording), 1 / 60.0, 1e-15);
    ck_assert_uint_eq(summary.frames[RETC_TEST], TEST);
    ck_assert_uint_eq(summary.units, UNITS);
    ck_assert_int_eq(summary.test_is_train, 0);
    retc_span *spans;
    size_t n;
    ck_ok(retc_recording_spans(recording, RETC_TRAIN, 15, 1, &spans, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(spans[1].first, 2515);
    retc_free(spans);
    retc_recording_close(recording);
    retc_h5_close(file);
    retc_simulate_summary_free(&summary);
}
END_TEST

START_TEST(test_train_only) {
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    options.test = NULL;
    options.repeats = 0;
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    ck_assert_int_eq(retc_h5_has(file, "test"), 0);
    ck_assert_uint_eq(summary.frames[RETC_TEST], 0);
    ck_assert_int_eq(summary.test_is_train, 0);
    retc_h5_close(file);
    retc_simulate_summary_free(&summary);
}
END_TEST

/* A test stimulus of the same seed is the beginning of the train stimulus. */
START_TEST(test_same_stimulus) {
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    options.test = noise_file("test.h5", SIDE, TEST, 1 / 60.0, 1, 0.35, 0);
    retc_h5_close(simulate(&options, "recording.h5", &summary));
    ck_assert_int_eq(summary.test_is_train, 1);
    retc_simulate_summary_free(&summary);
}
END_TEST

START_TEST(test_wrong_simulation) {
    static const char *const says[7] = {"other.h5: frames have 9 x 9 pixels, expected 8 x 8 as in",
                                        "other.h5: the frame interval is 10 ms, expected 16.6667 ms",
                                        "at least one repeat",
                                        "grey.h5: the stimulus does not change the input of cell",
                                        "absent.h5: No such file",
                                        "frames of at most 50 ms, not 100 ms",
                                        "exists already"};
    retc_simulate_options options = simulation();
    retc_simulate_summary summary = {0};
    retc_recording_writer *writer = NULL;
    const char *output = retc_test_path("out.h5");
    switch (_i) {
    case 0:
        options.test = noise_file("other.h5", SIDE + 1, TEST, 1 / 60.0, 1, 0.35, 0);
        break;
    case 1:
        options.test = noise_file("other.h5", SIDE, TEST, 0.01, 1, 0.35, 0);
        break;
    case 2:
        options.repeats = 0;
        break;
    case 3:
        options.train = noise_file("grey.h5", SIDE, TEST, 1 / 60.0, 1, 0, 0);
        break;
    case 4:
        options.train = retc_test_path("absent.h5");
        break;
    case 5:
        options.train = noise_file("slow.h5", SIDE, TEST, 0.1, 1, 0.35, 0);
        options.test = NULL;
        break;
    default:
        output = options.test;
    }
    ck_fails(retc_simulate(&options, output, 0, NULL, &writer, &summary), says[_i]);
    ck_assert_ptr_null(writer);
    ck_assert_ptr_null(summary.rate);
}
END_TEST

static Suite *
simulate_suite(void) {
    Suite *suite = suite_create("simulate");
    TCase *circuit = tcase_create("circuit"), *whole = tcase_create("whole");
    tcase_add_loop_test(circuit, test_time_filters, 0, RETC_UNIT_TYPES);
    tcase_add_loop_test(circuit, test_space_filters, 0, RETC_UNIT_TYPES);
    tcase_add_test(circuit, test_wiring);
    tcase_add_test(circuit, test_seed_decides);
    tcase_add_test(circuit, test_flash);
    tcase_add_loop_test(circuit, test_drive_in_pieces, 0, 3);
    tcase_add_test(circuit, test_calibrated_responses);
    tcase_add_test(circuit, test_polarity);
    tcase_add_test(circuit, test_small_movies);
    tcase_add_test(circuit, test_not_driven);
    tcase_add_loop_test(circuit, test_wrong_circuit, 0, 10);
    tcase_set_timeout(whole, 60);
    tcase_add_test(whole, test_spikes_are_poisson);
    tcase_add_test(whole, test_truth_is_complete);
    tcase_add_test(whole, test_blocks_do_not_matter);
    tcase_add_test(whole, test_is_a_recording);
    tcase_add_test(whole, test_train_only);
    tcase_add_test(whole, test_same_stimulus);
    tcase_add_loop_test(whole, test_wrong_simulation, 0, 7);
    suite_add_tcase(suite, circuit);
    suite_add_tcase(suite, whole);
    return suite;
}

int
main(void) {
    return retc_test_main(simulate_suite(), NULL);
}
