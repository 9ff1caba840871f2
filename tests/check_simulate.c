/* Recordings of the simulated retina; check_circuit.c looks at the retina itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "circuit.h"
#include "recording.h"
#include "simulate.h"
#include "stimulus_file.h"
#include "testing.h"
#include "trials.h"
#include "white_noise.h"

enum { SIDE = 12, PIXELS = SIDE * SIDE, TRAIN = 6000, TEST = 400, REPEATS = 20, CELLS = 4 };

/* A noise movie as a file, with an optional second stretch; not yet committed. */
static retc_h5 *
new_noise_file(const char *path, size_t side, size_t frames, double interval, uint64_t seed, double contrast, int64_t second) {
    retc_white_noise noise = {
        .height = side, .width = side, .stixel = 1, .hold = 1, .contrast = contrast, .seed = seed, .threads = 1};
    retc_stimulus_layout layout = {frames, side, side, interval, RETC_H5_UINT8};
    const int64_t blocks[2] = {0, second};
    size_t two = 2;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_stimulus_write(file, "white-noise", &layout, retc_white_noise_frames, &noise, NULL));
    if (second)
        ck_ok(retc_h5_put(file, "block_start", RETC_H5_INT64, 1, &two, blocks));
    return file;
}

static const char *
noise_file(const char *name, size_t side, size_t frames, double interval, uint64_t seed, double contrast, int64_t second) {
    const char *path = retc_test_path(name);
    retc_h5 *file = new_noise_file(path, side, frames, interval, seed, contrast, second);
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

/* ---- the truth in the file ------------------------------------------------------------------------------------------- */

/* A group of connections as the file has it. */
typedef struct {
    size_t n;
    double *source, *target, *weight, *delay; /* delay: frames, NULL where there is none */
} wiring;

static wiring
read_wiring(retc_h5 *file, const char *name) {
    wiring w = {0};
    double **const column[4] = {&w.source, &w.target, &w.weight, &w.delay};
    static const char *const names[4] = {"source", "target", "weight", "delay"};
    for (size_t i = 0; i < 4; ++i) {
        char path[80];
        snprintf(path, sizeof path, "truth/wiring/%s/%s", name, names[i]);
        if (retc_h5_has(file, path))
            *column[i] = dataset(file, path, 1, &w.n);
    }
    return w;
}

static void
wiring_free(wiring *w) {
    retc_free(w->source), retc_free(w->target), retc_free(w->weight), retc_free(w->delay);
}

static double
filter_number(retc_h5 *file, const char *type, const char *what) {
    char path[80];
    double value;
    snprintf(path, sizeof path, "truth/filters/%s/%s", type, what);
    ck_ok(retc_h5_read(file, path, RETC_H5_DOUBLE, NULL, NULL, &value));
    return value;
}

/* out (n) += scale times a series (n) through the filter of a type, at lag `first` and beyond. */
static void
add_filtered(retc_h5 *file, const char *type, size_t first, double scale, const double *in, size_t n, double *out) {
    char path[80];
    size_t L;
    snprintf(path, sizeof path, "truth/filters/%s/time", type);
    double *h = dataset(file, path, 1, &L);
    for (size_t t = 0; t < n; ++t)
        for (size_t k = 0; k < L && k + first <= t; ++k)
            out[t] += scale * h[k] * in[t - k - first];
    retc_free(h);
}

/* out (targets,n) += sign times weighted and delayed rows of in; unit counts from `source0`, `target0`. */
static void
add_wires(const wiring *w, double sign, const double *in, size_t source0, size_t target0, size_t n, double *out) {
    for (size_t i = 0; i < w->n; ++i) {
        const double *from = in + ((size_t)w->source[i] - source0) * n;
        double *to = out + ((size_t)w->target[i] - target0) * n, delay = w->delay ? w->delay[i] * 60 / 1000 : 0,
               whole = floor(delay);
        for (size_t t = 0; t < n; ++t) {
            double late = t >= whole ? from[t - (size_t)whole] : 0, later = t > whole ? from[t - (size_t)whole - 1] : 0;
            to[t] += sign * w->weight[i] * ((1 - delay + whole) * late + (delay - whole) * later);
        }
    }
}

/* What the units and cells of a file do in the first n frames of a stretch, from nothing but the file: (I,n) and (N,n). */
typedef struct {
    double *signal, *rate;
} replayed;

static replayed
replay(retc_h5 *file, size_t start, size_t n) {
    static const char *const groups[5] = {"pixel_to_bipolar", "bipolar_to_amacrine", "amacrine_to_bipolar", "bipolar_to_cell",
                                          "amacrine_to_cell"};
    wiring wires[5];
    char **types;
    size_t I, B = 0, shape[3];
    for (size_t g = 0; g < 5; ++g)
        wires[g] = read_wiring(file, groups[g]);
    ck_ok(retc_h5_read_texts(file, "interneurons/type", &types, &I));
    while (B < I && !strstr(types[B], "amacrine"))
        ++B;
    double *movie = dataset(file, "train/stimulus", 3, shape), *pixel = retc_calloc(PIXELS * n, sizeof *pixel);
    double *in = retc_calloc(I * n, sizeof *in), *drive = retc_calloc(I * n, sizeof *drive);
    replayed r = {retc_calloc(I * n, sizeof *r.signal), retc_calloc(CELLS * n, sizeof *r.rate)};
    for (size_t i = 0; i < PIXELS * n; ++i)
        pixel[i] = movie[(start + i % n) * PIXELS + i / n] / 127.5 - 1;
    add_wires(&wires[0], 1, pixel, 0, 0, n, in);
    for (size_t u = 0; u < B; ++u)
        add_filtered(file, types[u], 1, filter_number(file, types[u], "gain"), in + u * n, n, drive + u * n);
    memset(in, 0, I * n * sizeof *in);
    for (size_t i = 0; i < B * n; ++i)
        in[i] = fmax(0, drive[i]);
    add_wires(&wires[1], 1, in, 0, B, n, in + B * n);
    for (size_t v = B; v < I; ++v) {
        add_filtered(file, types[v], 0, filter_number(file, types[v], "gain"), in + v * n, n, drive + v * n);
        for (size_t t = 0; t < n; ++t)
            r.signal[v * n + t] = fmax(0, drive[v * n + t] - filter_number(file, types[v], "threshold"));
    }
    add_wires(&wires[2], -1, r.signal + B * n, B, 0, n, drive);
    for (size_t u = 0; u < B; ++u)
        for (size_t t = 0; t < n; ++t)
            r.signal[u * n + t] = fmax(0, drive[u * n + t] - filter_number(file, types[u], "threshold"));
    add_wires(&wires[3], 1, r.signal, 0, 0, n, r.rate);
    add_wires(&wires[4], -1, r.signal + B * n, B, 0, n, r.rate);
    for (size_t g = 0; g < 5; ++g)
        wiring_free(&wires[g]);
    retc_free(movie), retc_free(pixel), retc_free(in), retc_free(drive), retc_free(types);
    return r;
}

/* The file alone lets one compute the signals and rates: movie, filters, wiring and output are all in it.  Two stretches of
 * time in the train part: none sees the other.  Filters are kept as long as they matter: the rest adds less than 1e-6. */
START_TEST(test_truth_is_complete) {
    enum { FRAMES = 150 };
    const size_t start = _i ? 2500 : 0;
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    options.circuit.bipolar[RETC_BIPOLAR_OFF].amacrine = RETC_AMACRINE_OFF;
    options.circuit.bipolar[RETC_BIPOLAR_OFF].inhibition = 0.4;
    options.circuit.maximum = 60;
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    size_t I = summary.bipolars + summary.amacrines, shape[2];
    replayed r = replay(file, start, FRAMES);
    double *signal = dataset(file, "interneurons/train/signal", 2, shape), *rate = dataset(file, "truth/train/rate", 2, shape);
    double *output[5];
    static const char *const names[5] = {"gain", "slope", "offset", "grey", "maximum"};
    for (size_t i = 0; i < 5; ++i) {
        char path[80];
        snprintf(path, sizeof path, "truth/output/%s", names[i]);
        output[i] = dataset(file, path, 1, shape);
        ck_assert_uint_eq(shape[0], CELLS);
    }
    for (size_t u = 0; u < I; ++u)
        for (size_t t = 0; t < FRAMES; ++t)
            ck_assert_double_eq_tol(signal[u * TRAIN + start + t], r.signal[u * FRAMES + t], 2e-6);
    for (size_t j = 0; j < CELLS; ++j) {
        for (size_t t = 0; t < FRAMES; ++t) {
            double x = r.rate[j * FRAMES + t] - output[3][j];
            double f = output[0][j] * log(1 + exp(output[1][j] * x + output[2][j])), expected = f / (1 + f / output[4][j]);
            ck_assert_double_eq_tol(rate[j * TRAIN + start + t], expected, 2e-6 * output[0][j] * fmax(1, output[1][j]));
        }
    }
    for (size_t i = 0; i < 5; ++i)
        retc_free(output[i]);
    retc_free(signal), retc_free(rate), retc_free(r.signal), retc_free(r.rate);
    retc_h5_close(file);
    retc_simulate_summary_free(&summary);
}
END_TEST

/* Contributions of each cut, summed over the units of a cell, are the change of its rate from mean grey, to the rounding of
 * floats; and a cell that is tuned for gain control has them by secants. */
START_TEST(test_contributions_add_up) {
    static const char *const cuts[2] = {"bipolar", "synapse"};
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    options.explain = RETC_EXPLAIN_TEST;
    options.circuit.gain_strength = _i ? 0.5 : 0;
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    ck_assert_int_eq(retc_h5_has(file, "truth/train/contribution/bipolar"), 0);
    ck_assert_int_eq(summary.levels > 0, _i);
    ck_assert(summary.difference <= RETC_EXPLAIN_TOLERANCE);
    size_t shape[2], pairs;
    double *rate = dataset(file, "truth/test/rate", 2, shape), *grey = dataset(file, "truth/rate_on_grey", 1, shape);
    for (size_t cut = 0; cut < 2; ++cut) {
        char name[80];
        snprintf(name, sizeof name, "truth/test/contribution/%s", cuts[cut]);
        double *c = dataset(file, name, 2, shape);
        snprintf(name, sizeof name, "truth/pairs/%s/cell", cuts[cut]);
        double *cell = dataset(file, name, 1, &pairs);
        ck_assert_uint_eq(shape[0], pairs);
        ck_assert_uint_eq(shape[1], TEST);
        for (size_t j = 0; j < CELLS; ++j) {
            for (size_t t = 0; t < TEST; ++t) {
                double sum = 0, size = grey[j] + rate[j * TEST + t];
                for (size_t i = 0; i < pairs; ++i) {
                    sum += (size_t)cell[i] == j ? c[i * TEST + t] : 0;
                    size += (size_t)cell[i] == j ? fabs(c[i * TEST + t]) : 0;
                }
                ck_assert_double_eq_tol(sum, rate[j * TEST + t] - grey[j], 6e-8 * size);
            }
        }
        retc_free(c), retc_free(cell);
    }
    retc_free(rate), retc_free(grey);
    retc_h5_close(file);
    retc_simulate_summary_free(&summary);
}
END_TEST

/* ---- as a recording -------------------------------------------------------------------------------------------------- */

/* The size of the blocks and the number of threads cannot change anything. */
START_TEST(test_blocks_do_not_matter) {
    static const char *const names[] = {"train/response/binned",     "train/response/firing_rate_10ms",
                                        "interneurons/train/signal", "truth/train/rate",
                                        "test/repeats/cell02",       "test/response/binned",
                                        "interneurons/test/signal",  "truth/test/contribution/bipolar",
                                        "truth/test/knockout",       "truth/test/contribution/synapse"};
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    options.explain = RETC_EXPLAIN_TEST;
    options.threads = 1;
    options.circuit.spikes = RETC_SPIKES_REFRACTORY;
    retc_h5 *a = simulate(&options, "a.h5", &summary);
    retc_simulate_summary_free(&summary);
    options.block = 257;
    options.threads = 3;
    retc_h5 *b = simulate(&options, "b.h5", &summary);
    retc_simulate_summary_free(&summary);
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        size_t shape[2];
        double *x = dataset(a, names[i], 2, shape), *y = dataset(b, names[i], 2, shape);
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
    ck_assert_uint_eq(retc_recording_interneurons(recording), summary.bipolars + summary.amacrines);
    ck_assert_str_eq(retc_recording_interneuron_name(recording, 0), "on_bipolar1");
    ck_assert_ptr_nonnull(strstr(retc_recording_interneuron_name(recording, summary.bipolars), "amacrine_on"));
    ck_assert_str_eq(retc_recording_cell_name(recording, 3), "cell04");
    ck_assert_double_eq_tol(retc_recording_frame_interval(recording), 1 / 60.0, 1e-15);
    ck_assert_uint_eq(summary.frames[RETC_TEST], TEST);
    ck_assert_uint_eq(summary.cells, CELLS);
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

/* What a protocol says of its trials goes with each part. */
START_TEST(test_trials_are_kept) {
    retc_simulate_options options = simulation();
    retc_simulate_summary summary;
    retc_trials trials;
    ck_ok(retc_trials_alloc(&trials, 2, 1, 3));
    strcpy(trials.protocol, "flashes");
    strcpy(trials.parameter[0].name, "contrast");
    trials.parameter[0].value[1] = 1;
    for (size_t k = 0; k < 3; ++k)
        trials.trial[k] = (retc_trial){k % 2, 100 * k, 60, (double)(100 * k) / 60, 1};
    retc_h5 *stimulus = new_noise_file(options.test, SIDE, TEST, 1 / 60.0, 2, 0.35, 0);
    ck_ok(retc_trials_write(stimulus, "", &trials));
    ck_ok(retc_h5_commit(stimulus));
    retc_h5_close(stimulus);
    retc_trials_free(&trials);
    retc_h5 *file = simulate(&options, "recording.h5", &summary);
    ck_assert_int_eq(retc_trials_has(file, "train"), 0);
    ck_ok(retc_trials_read(file, "test", TEST, &trials));
    ck_assert_str_eq(trials.protocol, "flashes");
    ck_assert_uint_eq(trials.trials, 3);
    ck_assert_uint_eq(trials.trial[2].start, 200);
    retc_trials_free(&trials);
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
    static const char *const says[7] = {"other.h5: frames have 13 x 13 pixels, expected 12 x 12 as in",
                                        "other.h5: the frame interval is 10 ms, expected 16.6667 ms",
                                        "at least one repeat",
                                        "grey.h5: the stimulus does not change in its first",
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
    TCase *whole = tcase_create("whole");
    tcase_set_timeout(whole, 60);
    tcase_add_test(whole, test_spikes_are_poisson);
    tcase_add_loop_test(whole, test_truth_is_complete, 0, 2);
    tcase_add_loop_test(whole, test_contributions_add_up, 0, 2);
    tcase_add_test(whole, test_blocks_do_not_matter);
    tcase_add_test(whole, test_is_a_recording);
    tcase_add_test(whole, test_trials_are_kept);
    tcase_add_test(whole, test_train_only);
    tcase_add_test(whole, test_same_stimulus);
    tcase_add_loop_test(whole, test_wrong_simulation, 0, 7);
    suite_add_tcase(suite, whole);
    return suite;
}

int
main(void) {
    return retc_test_main(simulate_suite(), NULL);
}
