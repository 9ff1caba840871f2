/* Networks, training steps, splits, model files and whole fits. */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adam.h"
#include "fit.h"
#include "fixtures.h"
#include "ln.h"
#include "model_file.h"
#include "parallel.h"
#include "predict.h"
#include "reference.h"
#include "rng.h"
#include "split.h"
#include "tape.h"
#include "testing.h"
#include "trainer.h"

enum { T = 300, N = 3 };

typedef struct {
    size_t L, H, W;
} geometry;
static const geometry geometries[] = {{7, 1, 1}, {5, 6, 5}, {1, 7, 3}, {11, 2, 9}};
enum { GEOMETRIES = 4 };

/* A recording of T frames with random counts; the movie goes to `movie` when not NULL. */
static retc_recording *
make_recording(const geometry *g, const char *name, float **movie) {
    float *frames = retc_fixture_movie(5, T, g->H, g->W), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(6, RETC_STREAM_SPIKES, 0);
    for (size_t i = 0; i < N * T; ++i)
        counts[i] = (float)gsl_ran_poisson(rng, 0.4);
    gsl_rng_free(rng);
    const char *path = retc_test_path(name);
    ck_ok(retc_fixture_recording(path, T, g->H, g->W, frames, N, counts, 0, NULL, 3, 0.02));
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    retc_free(counts);
    if (movie)
        *movie = frames;
    else
        retc_free(frames);
    return recording;
}

/* (n+L-1,H,W) raw frames to (H,W,n+L-1), normalised, in double. */
static double *
normalised(const retc_network *network, const float *frames, size_t n) {
    size_t pixels = network->H * network->W, count = n + network->L - 1;
    double *movie = retc_calloc(pixels * count, sizeof *movie);
    for (size_t p = 0; p < pixels; ++p)
        for (size_t t = 0; t < count; ++t)
            movie[p * count + t] = ((double)frames[t * pixels + p] - network->stimulus_mean) / network->stimulus_std;
    return movie;
}

static double *
values_in_double(const retc_network *network) {
    double *value = retc_calloc(network->values, sizeof *value);
    for (size_t i = 0; i < network->values; ++i)
        value[i] = (double)network->value[i];
    return value;
}

/* ---- inference ------------------------------------------------------------------------------------------------------- */

START_TEST(forward_equals_the_reference) {
    const geometry *g = &geometries[_i];
    retc_network *network = retc_fixture_network(3, g->L, g->H, g->W, N, 0.1);
    ck_assert_ptr_nonnull(network);
    size_t n = 61;
    float *frames = retc_fixture_movie(8, n + g->L - 1, g->H, g->W);
    retc_tape *tape = retc_tape_alloc(network, n, 0, NULL);
    ck_assert_ptr_nonnull(tape);
    retc_tape_load(tape, frames, n);
    retc_tape_forward(tape, 0, network->layers, n);
    double *movie = normalised(network, frames, n), *value = values_in_double(network),
           *rate = retc_calloc(N * n, sizeof *rate);
    const double *const movies[1] = {movie};
    double *const rates[1] = {rate};
    ck_ok(retc_reference_forward(network, value, 0, 1, &n, movies, rates));
    for (size_t j = 0; j < N; ++j) {
        double fast[61];
        for (size_t t = 0; t < n; ++t)
            fast[t] = (double)retc_tape_rate(tape, j)[t];
        /* Three layers of sums of at most 120 terms, u = 6e-8: some 1e-5 of the largest rate. */
        ck_close_double("rate", fast, rate + j * n, n, 0, 2e-5);
    }
    retc_free(movie), retc_free(value), retc_free(rate), retc_free(frames);
    retc_tape_free(tape);
    retc_network_free(network);
}
END_TEST

/* Every entry of the window gradient, against central differences of the reference in double. */
START_TEST(window_gradient_equals_finite_differences) {
    const geometry *g = &geometries[_i];
    retc_network *network = retc_fixture_network(4, g->L, g->H, g->W, N, 0);
    size_t n = 3, pixels = g->H * g->W, count = n + g->L - 1;
    float *frames = retc_fixture_movie(9, count, g->H, g->W);
    retc_tape *tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, NULL);
    ck_ok(retc_tape_add_window_gradient(tape));
    retc_tape_load(tape, frames, n);
    retc_tape_forward(tape, 0, network->layers, n);
    size_t last = network->layers - 1, cell = 1, t = 2;
    for (size_t s = 0; s < n; ++s)
        tape->grad[last][cell * tape->ld + s] = 1;
    retc_tape_backward(tape, last, 0, n);
    retc_tape_backward_window(tape, n);
    double *movie = normalised(network, frames, n), *value = values_in_double(network),
           *rate = retc_calloc(N * n, sizeof *rate);
    const double *const movies[1] = {movie};
    double *const rates[1] = {rate};
    double *slope = retc_calloc(g->L * pixels, sizeof *slope), *fast = retc_calloc(g->L * pixels, sizeof *fast);
    const double h = 1e-6;
    for (size_t k = 0; k < g->L; ++k)
        for (size_t p = 0; p < pixels; ++p) {
            double *x = &movie[p * count + t + k], centre = *x, side[2];
            for (int i = 0; i < 2; ++i) {
                *x = centre + (i ? h : -h);
                ck_ok(retc_reference_forward(network, value, 0, 1, &n, movies, rates));
                side[i] = rate[cell * n + t];
            }
            *x = centre;
            slope[k * pixels + p] = (side[1] - side[0]) / (2 * h);
            fast[k * pixels + p] = (double)tape->window_grad[(k * pixels + p) * tape->ld + t];
        }
    ck_close_double("window gradient", fast, slope, g->L * pixels, 1e-7, 1e-4);
    retc_free(movie), retc_free(value), retc_free(rate), retc_free(slope), retc_free(fast), retc_free(frames);
    retc_tape_free(tape);
    retc_network_free(network);
}
END_TEST

/* ---- training -------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_network *network;
    size_t B, n[3];
    double *movie[3], *rate[3];
    float *count[3];
} training_batch;

static double
reference_loss(const training_batch *batch, const double *value) {
    const double *const movies[3] = {batch->movie[0], batch->movie[1], batch->movie[2]};
    double sum = 0, frames = 0, dt = batch->network->frame_interval;
    ck_ok(retc_reference_forward(batch->network, value, 1, batch->B, batch->n, movies, batch->rate));
    for (size_t b = 0; b < batch->B; ++b) {
        frames += (double)batch->n[b];
        for (size_t i = 0; i < N * batch->n[b]; ++i)
            sum += batch->rate[b][i] * dt - (double)batch->count[b][i] * log(batch->rate[b][i] * dt + 1e-8);
    }
    return sum / (frames * N);
}

/* Loss and the gradient of every trainable parameter of a training step, against central differences in double. */
START_TEST(training_gradient_equals_finite_differences) {
    const geometry *g = &geometries[_i];
    float *frames;
    retc_recording *recording = make_recording(g, "train.h5", &frames);
    retc_network *network = retc_fixture_network(7, g->L, g->H, g->W, N, 0);
    double *value = values_in_double(network);
    retc_trainer_options options = {
        .blocks = 3, .block = 24, .threads = 2, .seed = 1, .frame_interval = network->frame_interval};
    retc_trainer *trainer = retc_trainer_alloc(network, &options);
    training_batch batch = {.network = network, .B = 3, .n = {24, 17, 5}};
    const size_t first[3] = {20, 60, 130};
    for (size_t b = 0; b < 3; ++b) {
        retc_block block = {.t0 = first[b], .n = batch.n[b]};
        ck_ok(retc_trainer_load(trainer, recording, RETC_TRAIN, b, &block));
        batch.movie[b] = normalised(network, frames + (first[b] + 1 - network->lag - g->L) * g->H * g->W, batch.n[b]);
        batch.rate[b] = retc_calloc(N * batch.n[b], sizeof(double));
        batch.count[b] = retc_calloc(N * batch.n[b], sizeof(float));
        ck_ok(retc_recording_counts(recording, RETC_TRAIN, first[b], batch.n[b], batch.count[b]));
    }
    double loss;
    const float *gradient;
    ck_ok(retc_trainer_step(trainer, 3, 0, &loss, &gradient));
    double expected = reference_loss(&batch, value);
    ck_assert_msg(fabs(loss - expected) <= 1e-5 * fabs(expected), "loss %.9g, expected %.9g", loss, expected);
    for (size_t p = 0; p < network->params; ++p) {
        const retc_param *param = &network->param[p];
        double *slope = retc_calloc(param->size, sizeof *slope), *fast = retc_calloc(param->size, sizeof *fast);
        for (size_t i = 0; param->trainable && i < param->size; ++i) {
            double *x = &value[param->offset + i], centre = *x, h = 1e-6, side[2];
            for (int k = 0; k < 2; ++k) {
                *x = centre + (k ? h : -h);
                side[k] = reference_loss(&batch, value);
            }
            *x = centre;
            slope[i] = (side[1] - side[0]) / (2 * h);
            fast[i] = (double)gradient[param->offset + i];
        }
        /* A bias before batch norm has no effect: its true gradient is 0, and float leaves rounding of the terms that cancel.
         */
        ck_close_double(param->name, fast, slope, param->size, 2e-6, 2e-4);
        retc_free(slope), retc_free(fast);
    }
    for (size_t b = 0; b < 3; ++b)
        retc_free(batch.movie[b]), retc_free(batch.rate[b]), retc_free(batch.count[b]);
    retc_trainer_free(trainer);
    retc_free(value), retc_free(frames);
    retc_network_free(network);
    retc_recording_close(recording);
}
END_TEST

/* Three steps of algorithm 1 of Kingma & Ba by hand, in double, with the decoupled decay of Loshchilov & Hutter. */
START_TEST(adam_follows_its_paper) {
    retc_adam_options options = retc_adam_default();
    options.rate = 0.1, options.weight_decay = 0.01;
    const float gradient[3] = {0.7f, -1.3f, 0.2f};
    float value = 2.385f, m = 0, v = 0;
    double x = (double)value, a = 0, b = 0;
    for (size_t step = 1; step <= 3; ++step) {
        retc_adam_step(&options, step, &gradient[step - 1], 1, &m, &v, &value);
        double g = (double)gradient[step - 1];
        a = 0.9 * a + 0.1 * g, b = 0.999 * b + 0.001 * g * g;
        x = (1 - 0.1 * 0.01) * x - 0.1 * (a / (1 - pow(0.9, (double)step))) / (sqrt(b / (1 - pow(0.999, (double)step))) + 1e-8);
        ck_assert_msg(fabs((double)value - x) < 1e-6, "step %zu: %.9g, expected %.9g", step, (double)value, x);
    }
}
END_TEST

/* ---- splits ---------------------------------------------------------------------------------------------------------- */

START_TEST(validation_is_apart_from_training) {
    const retc_span spans[3] = {{39, 500}, {700, 33}, {900, 1200}};
    retc_split split;
    const size_t gap = 20;
    ck_ok(retc_split_make(spans, 3, 0.15, 7, gap, (uint64_t)_i, &split));
    char used[2200] = {0};
    size_t train = 0, validation = 0;
    for (size_t i = 0; i < split.n_validation; ++i)
        for (size_t t = 0; t < split.validation[i].count; ++t, ++validation)
            used[split.validation[i].first + t] = 'v';
    for (size_t i = 0; i < split.n_train; ++i)
        for (size_t t = 0; t < split.train[i].count; ++t, ++train) {
            ck_assert_msg(!used[split.train[i].first + t], "frame %zu is used twice", split.train[i].first + t);
            used[split.train[i].first + t] = 't';
        }
    ck_assert_uint_eq(train, split.train_frames);
    ck_assert_uint_eq(validation, split.validation_frames);
    /* 7 pieces of round(0.15 x 1733 / 7) frames */
    ck_assert_uint_eq(validation, 7 * 37);
    for (size_t s = 0; s < 3; ++s)
        for (size_t t = spans[s].first; t < spans[s].first + spans[s].count; ++t)
            for (size_t d = 1; used[t] == 'v' && d <= gap; ++d) {
                if (t >= spans[s].first + d)
                    ck_assert_msg(used[t - d] != 't', "frames %zu and %zu", t, t - d);
                if (t + d < spans[s].first + spans[s].count)
                    ck_assert_msg(used[t + d] != 't', "frames %zu and %zu", t, t + d);
            }
    for (size_t t = 0; t < sizeof used; ++t)
        if (used[t])
            ck_assert((t >= 39 && t < 539) || (t >= 700 && t < 733) || (t >= 900 && t < 2100));
    retc_split_clear(&split);
}
END_TEST

START_TEST(no_validation_trains_on_everything) {
    const retc_span spans[2] = {{39, 500}, {700, 33}};
    retc_split split;
    ck_ok(retc_split_make(spans, 2, 0, 7, 20, 1, &split));
    ck_assert_uint_eq(split.train_frames, 533);
    ck_assert_uint_eq(split.n_validation, 0);
    retc_split_clear(&split);
    const retc_span tiny[1] = {{5, 10}};
    ck_fails(retc_split_make(tiny, 1, 0.9, 1, 100, 1, &split), "no frame is left to train");
}
END_TEST

START_TEST(blocks_cover_spans_once) {
    const retc_span spans[2] = {{39, 500}, {700, 33}};
    retc_block *blocks;
    size_t n, at = 39, sample = 0;
    ck_ok(retc_split_blocks(spans, 2, 64, (size_t)_i, &blocks, &n));
    for (size_t i = 0; i < n; ++i) {
        if (at == 539)
            at = 700;
        ck_assert_uint_eq(blocks[i].t0, at);
        ck_assert_uint_eq(blocks[i].sample, sample);
        ck_assert(blocks[i].n >= 1 && blocks[i].n <= 64);
        at += blocks[i].n, sample += blocks[i].n;
    }
    ck_assert_uint_eq(at, 733);
    retc_free(blocks);
}
END_TEST

/* ---- model files ----------------------------------------------------------------------------------------------------- */

static void
write_model(const retc_network *network, const char *path) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_network_write(network, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

START_TEST(model_file_returns_the_same_network) {
    const geometry *g = &geometries[_i];
    retc_network *network = retc_fixture_network(21, g->L, g->H, g->W, N, 0.05);
    network->lag = 0;
    ck_ok(retc_network_set_cell_name(network, 2, "a name of its own"));
    const char *path = retc_test_path("model.h5");
    write_model(network, path);
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(read->layers, network->layers);
    ck_assert_uint_eq(read->values, network->values);
    ck_assert_int_eq(memcmp(read->value, network->value, network->values * sizeof(float)), 0);
    ck_assert_uint_eq(read->lag, 0);
    ck_assert_str_eq(read->cell_name[2], "a name of its own");
    ck_assert_double_eq(read->stimulus_mean, network->stimulus_mean);
    ck_assert_double_eq(read->stimulus_std, network->stimulus_std);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *a = &network->layer[l], *b = &read->layer[l];
        ck_assert_int_eq(a->kind, b->kind);
        ck_assert_str_eq(a->cut, b->cut);
        if (a->kind != RETC_LAYER_SCALE)
            ck_assert_str_eq(a->module, b->module);
        ck_assert(a->C == b->C && a->h == b->h && a->w == b->w && a->absolute == b->absolute && a->per_unit == b->per_unit);
        ck_assert_double_eq(a->eps, b->eps);
        ck_assert_double_eq(a->sigma, b->sigma);
        ck_assert_double_eq_tol(a->value, b->value, 1e-12);
    }
    retc_network_free(read);
    retc_network_free(network);
}
END_TEST

/* Each damage is one clear line that names the place. */
START_TEST(damaged_model_files_are_refused) {
    static const char *const says[] = {"no model file", "sequential.0.weight", "not finite",           "layers_json",
                                       "img_shape",     "not known here",      "cannot be normalised", "kernel must fit"};
    retc_network *network = retc_fixture_network(22, 4, 5, 5, N, 0);
    const char *path = retc_test_path("damaged.h5");
    if (_i == 2)
        network->value[3] = NAN;
    if (_i == 6)
        network->stimulus_std = 0;
    retc_h5 *file = retc_h5_create(path, 1);
    size_t shape[4] = {4, 4, 3, 3};
    float wrong[144] = {0};
    if (_i == 1) {
        /* one dataset in the place of another shape */
        ck_ok(retc_h5_put(file, "/state_dict/sequential.0.weight", RETC_H5_FLOAT, 4, shape, wrong));
        ck_assert(retc_network_write(network, file) < 0);
    } else
        ck_ok(retc_network_write(network, file));
    if (_i == 1) {
        static const char json[] = "[{\"name\":\"sequential.0\",\"class\":\"Conv2d\"}]";
        ck_ok(retc_h5_set_text(file, "/", "layers_json", json));
        shape[0] = 7;
    }
    if (_i == 0)
        ck_ok(retc_h5_set_text(file, "/", "format", "something else"));
    if (_i == 3)
        ck_ok(retc_h5_set_text(file, "/", "layers_json", "[{\"name\":\"sequential.0\"}]"));
    if (_i == 4)
        ck_ok(retc_h5_set_text(file, "/", "hyps_json", "{}"));
    if (_i == 5)
        ck_ok(retc_h5_set_text(file, "/", "layers_json", "[{\"name\":\"sequential.0\",\"class\":\"Transformer\"}]"));
    if (_i == 7)
        ck_ok(retc_h5_set_text(file, "/", "hyps_json", "{\"img_shape\":[4,2,2]}"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read == NULL, "was read");
    ck_assert_msg(_i == 1 || strstr(retc_error_message(), says[_i]), "\"%s\" does not say \"%s\"", retc_error_message(),
                  says[_i]);
    ck_assert_msg(strstr(retc_error_message(), path), "\"%s\" does not name the file", retc_error_message());
    retc_network_free(network);
}
END_TEST

/* ---- fits ------------------------------------------------------------------------------------------------------------ */

/* A planted LN-LN cell: two rectified subunits.  The train part is long enough to find it. */
enum { PLANTED_T = 20000, PLANTED_L = 12 };

static void
planted_rates(const float *movie, float *rate) {
    for (size_t t = 0; t < PLANTED_T; ++t) {
        double a = 0, b = 0;
        for (size_t k = 0; k < PLANTED_L && k + 1 <= t; ++k) {
            double x = (double)movie[t - 1 - k];
            a += x * sin((double)k * 0.5) * exp(-0.25 * (double)k);
            b += x * cos((double)k * 0.5) * exp(-0.25 * (double)k);
        }
        rate[t] = (float)(0.1 + 0.5 * fmax(a, 0) + 0.5 * fmax(-b, 0));
    }
}

static retc_recording *
planted_recording(const char *path) {
    enum { REPEATS = 20 };
    float *movie = retc_fixture_movie(31, PLANTED_T, 1, 1), *rate = retc_calloc(PLANTED_T, sizeof *rate);
    float *counts = retc_calloc(PLANTED_T, sizeof *counts), *repeats = retc_calloc(REPEATS * PLANTED_T, sizeof *repeats);
    planted_rates(movie, rate);
    gsl_rng *rng = retc_rng_alloc(32, RETC_STREAM_SPIKES, 0);
    for (size_t t = 0; t < PLANTED_T; ++t) {
        counts[t] = (float)gsl_ran_poisson(rng, (double)rate[t]);
        for (size_t r = 0; r < REPEATS; ++r)
            repeats[r * PLANTED_T + t] = (float)gsl_ran_poisson(rng, (double)rate[t]);
    }
    gsl_rng_free(rng);
    ck_ok(retc_fixture_recording(path, PLANTED_T, 1, 1, movie, 1, counts, REPEATS, repeats, 4, 0.01));
    retc_free(movie), retc_free(rate), retc_free(counts), retc_free(repeats);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static retc_fit_options
planted_options(size_t epochs, size_t threads) {
    retc_fit_options options = retc_fit_default();
    options.history = PLANTED_L, options.epochs = epochs, options.threads = threads;
    options.architecture = retc_fixture_architecture(6, 6, 0, 0, 0.3);
    return options;
}

static retc_network *
fit_planted(retc_recording *recording, const retc_fit_options *options, const retc_fit_checkpoint *checkpoint) {
    retc_fit_report report;
    retc_network *network = retc_fit_network(recording, options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_ok(retc_fit_run(network, recording, options, checkpoint, NULL, &report));
    retc_fit_report_clear(&report);
    return network;
}

/* Best first; equal ones stay in their order. */
START_TEST(matches_are_put_in_order) {
    double correlation[6] = {0.2, 0.9, -0.1, 0.9, 0.5, 0.95};
    static const size_t expected[6] = {5, 1, 3, 4, 0, 2};
    const retc_match match = {.I = 6, .correlation = correlation};
    size_t order[6];
    retc_match_order(&match, order);
    ck_assert_mem_eq(order, expected, sizeof order);
}
END_TEST

/* The network explains what the LN model cannot, and comes near the ceiling. */
START_TEST(planted_subunits_are_found) {
    retc_recording *recording = planted_recording(retc_test_path("planted.h5"));
    retc_fit_options options = planted_options(40, 0);
    options.batch_blocks = 2;
    retc_network *cnn = fit_planted(recording, &options, NULL), *ln = retc_ln_fit(recording, PLANTED_L, 1, 30, 0, NULL);
    ck_assert_msg(ln != NULL, "%s", retc_error_message());
    retc_prediction by_cnn, by_ln;
    ck_ok(retc_predict(cnn, recording, RETC_TEST, 0, NULL, &by_cnn));
    ck_ok(retc_predict(ln, recording, RETC_TEST, 0, NULL, &by_ln));
    ck_assert_msg(by_cnn.pearson[0] > 0.97 * by_cnn.noise_ceiling[0], "cnn r %g, ceiling %g", by_cnn.pearson[0],
                  by_cnn.noise_ceiling[0]);
    ck_assert_msg(by_ln.pearson[0] < by_cnn.pearson[0] - 0.05, "ln r %g, cnn %g", by_ln.pearson[0], by_cnn.pearson[0]);
    retc_prediction_clear(&by_cnn), retc_prediction_clear(&by_ln);
    retc_network_free(cnn), retc_network_free(ln);
    retc_recording_close(recording);
}
END_TEST

START_TEST(same_seed_gives_the_same_model_on_any_number_of_threads) {
    retc_recording *recording = planted_recording(retc_test_path("threads.h5"));
    retc_fit_options options = planted_options(2, 1);
    options.batch_blocks = 40;
    options.architecture = retc_fixture_architecture(64, 64, 0, 0, 0.3); /* enough work for the threads to be used */
    retc_network *one = fit_planted(recording, &options, NULL);
    options.threads = 3;
    retc_network *three = fit_planted(recording, &options, NULL);
    ck_assert_int_eq(memcmp(one->value, three->value, one->values * sizeof(float)), 0);
    options.seed = 2;
    retc_network *other = fit_planted(recording, &options, NULL);
    ck_assert_int_ne(memcmp(one->value, other->value, one->values * sizeof(float)), 0);
    retc_network_free(one), retc_network_free(three), retc_network_free(other);
    retc_recording_close(recording);
}
END_TEST

/* Killed (SIGKILL) at several moments and taken up again, the fit ends in the same bits. */
START_TEST(killed_fits_resume_to_the_same_model) {
    const char *path = retc_test_path("resume.h5"), *checkpoint_path = retc_test_path("resume.checkpoint");
    retc_recording *recording = planted_recording(path);
    retc_fit_options options = planted_options(8, 1);
    retc_network *whole = fit_planted(recording, &options, NULL);
    retc_fit_checkpoint checkpoint = {.path = checkpoint_path, .resume = 1};
    for (int attempt = 0; attempt < 12; ++attempt) {
        pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
            retc_recording *own = retc_recording_open(path, 0);
            retc_network_free(fit_planted(own, &options, &checkpoint));
            _exit(0);
        }
        usleep(40000 + 37000 * (useconds_t)attempt);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    retc_network *resumed = fit_planted(recording, &options, &checkpoint);
    ck_assert_int_eq(memcmp(whole->value, resumed->value, whole->values * sizeof(float)), 0);
    retc_network_free(whole), retc_network_free(resumed);
    retc_recording_close(recording);
}
END_TEST

START_TEST(checkpoint_of_another_fit_is_refused) {
    const char *checkpoint_path = retc_test_path("other.checkpoint");
    retc_recording *recording = planted_recording(retc_test_path("other.h5"));
    retc_fit_options options = planted_options(2, 1);
    retc_provenance *mine = retc_provenance_alloc("fit", "epochs=2", 1), *other = retc_provenance_alloc("fit", "epochs=3", 1);
    retc_fit_checkpoint checkpoint = {.path = checkpoint_path, .resume = 1, .provenance = mine};
    retc_network_free(fit_planted(recording, &options, &checkpoint));
    checkpoint.provenance = other;
    retc_network *network = retc_fit_network(recording, &options);
    retc_fit_report report;
    ck_fails(retc_fit_run(network, recording, &options, &checkpoint, NULL, &report), "another fit");
    retc_network_free(network);
    retc_provenance_free(mine), retc_provenance_free(other);
    retc_recording_close(recording);
}
END_TEST

START_TEST(divergence_and_silence_are_named) {
    retc_recording *recording = planted_recording(retc_test_path("diverge.h5"));
    retc_fit_options options = planted_options(4, 1);
    options.adam.rate = 1e39; /* infinite in float */
    retc_network *network = retc_fit_network(recording, &options);
    retc_fit_report report;
    ck_fails(retc_fit_run(network, recording, &options, NULL, NULL, &report), "learning-rate");
    retc_network_free(network);
    retc_recording_close(recording);

    float movie[50] = {0}, counts[50] = {0};
    for (int i = 0; i < 50; ++i)
        movie[i] = (float)(i % 7);
    ck_ok(retc_fixture_recording(retc_test_path("silent.h5"), 50, 1, 1, movie, 1, counts, 0, NULL, 1, 0.01));
    recording = retc_recording_open(retc_test_path("silent.h5"), 0);
    ck_assert_ptr_null(retc_fit_network(recording, &options));
    ck_assert_msg(strstr(retc_error_message(), "no cell fires"), "%s", retc_error_message());
    retc_recording_close(recording);
}
END_TEST

START_TEST(model_and_recording_of_different_size_are_refused) {
    retc_recording *recording = make_recording(&geometries[1], "size.h5", NULL);
    retc_network *network = retc_fixture_network(41, 5, 7, 5, N, 0), *cells = retc_fixture_network(41, 5, 6, 5, N + 1, 0);
    retc_prediction prediction;
    ck_fails(retc_predict(network, recording, RETC_TEST, 1, NULL, &prediction), "the movie has 6x5 pixels");
    ck_fails(retc_predict(cells, recording, RETC_TEST, 1, NULL, &prediction), "has 3 cells, the model 4");
    retc_network_free(network), retc_network_free(cells);
    retc_recording_close(recording);
}
END_TEST

/* ---- the pool -------------------------------------------------------------------------------------------------------- */

static int
mark(void *context, size_t i) {
    ++((int *)context)[i];
    return i == 700 || i == 300 ? RETC_FAIL(RETC_ENUMBER, "task %zu", i) : RETC_OK;
}

static int
nested(void *context, size_t i) {
    int marks[50] = {0};
    if (retc_parallel_for(50, 4, mark, marks) < 0)
        return RETC_EIO;
    for (int k = 0; k < 50; ++k)
        ((int *)context)[i] += marks[k];
    return RETC_OK;
}

/* A child of a process whose pool has threads has a pool of its own. */
START_TEST(a_forked_child_has_its_own_pool) {
    int marks[200] = {0};
    ck_ok(retc_parallel_for(200, 3, mark, marks));
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        alarm(20);
        _exit(retc_parallel_for(200, 3, mark, marks) == RETC_OK && marks[199] == 2 ? 0 : 1);
    }
    int status = -1;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(every_task_runs_once_and_the_first_failure_is_told) {
    for (int round = 0; round < 200; ++round) {
        int marks[200] = {0};
        ck_ok(retc_parallel_for(200, 1 + (size_t)round % 5, mark, marks));
        for (int i = 0; i < 200; ++i)
            ck_assert_int_eq(marks[i], 1);
    }
    int many[1000] = {0}, inner[20] = {0};
    ck_fails(retc_parallel_for(1000, 4, mark, many), "task 300");
    ck_ok(retc_parallel_for(20, 4, nested, inner));
    for (int i = 0; i < 20; ++i)
        ck_assert_int_eq(inner[i], 50);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("models");
    TCase *network = tcase_create("networks");
    tcase_set_timeout(network, 120);
    tcase_add_loop_test(network, forward_equals_the_reference, 0, GEOMETRIES);
    tcase_add_loop_test(network, window_gradient_equals_finite_differences, 0, GEOMETRIES);
    tcase_add_loop_test(network, training_gradient_equals_finite_differences, 0, GEOMETRIES);
    tcase_add_test(network, adam_follows_its_paper);
    tcase_add_loop_test(network, model_file_returns_the_same_network, 0, GEOMETRIES);
    tcase_add_loop_test(network, damaged_model_files_are_refused, 0, 8);
    suite_add_tcase(suite, network);
    TCase *split = tcase_create("splits");
    tcase_add_loop_test(split, validation_is_apart_from_training, 0, 10);
    tcase_add_test(split, no_validation_trains_on_everything);
    tcase_add_loop_test(split, blocks_cover_spans_once, 0, 64);
    suite_add_tcase(suite, split);
    TCase *fits = tcase_create("fits");
    tcase_set_timeout(fits, 300);
    tcase_add_test(fits, matches_are_put_in_order);
    tcase_add_test(fits, planted_subunits_are_found);
    tcase_add_test(fits, same_seed_gives_the_same_model_on_any_number_of_threads);
    tcase_add_test(fits, killed_fits_resume_to_the_same_model);
    tcase_add_test(fits, checkpoint_of_another_fit_is_refused);
    tcase_add_test(fits, divergence_and_silence_are_named);
    tcase_add_test(fits, model_and_recording_of_different_size_are_refused);
    tcase_add_test(fits, every_task_runs_once_and_the_first_failure_is_told);
    tcase_add_test(fits, a_forked_child_has_its_own_pool);
    suite_add_tcase(suite, fits);
    return retc_test_main(suite, NULL);
}
