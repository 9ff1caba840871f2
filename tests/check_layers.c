/* Every kind of layer, in small networks: fast passes against the reference in double, gradients against its finite
 * differences, adjoints against their operators, secants against the differences that they must add up to, and model files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fixtures.h"
#include "model_file.h"
#include "reference.h"
#include "rng.h"
#include "stacked.h"
#include "tape.h"
#include "testing.h"
#include "trainer.h"

static const double unit_roundoff = 5.9604644775390625e-8; /* 2^-24, float */

/* ---- the networks ---------------------------------------------------------------------------------------------------- */

enum { STACKED = 100, FACTORISED, DENSE, UNIT_NORM, ABS_NORM, ONE_HOT };

/* A layer: its kind, or one of the above; channels, kernel or window; a residual addition takes layer `K`. */
typedef struct {
    int kind;
    size_t K, kh, kw;
} piece;

typedef struct {
    const char *name;
    size_t L, H, W;
    piece layer[12]; /* up to the first without channels */
} recipe;

#define CONV(K, kh, kw)                                                                                                        \
    { RETC_LAYER_CONV, K, kh, kw }
#define POOL(kind, kh, kw)                                                                                                     \
    { RETC_LAYER_##kind##POOL, 1, kh, kw }
#define PLAIN(kind)                                                                                                            \
    { RETC_LAYER_##kind, 1, 0, 0 }
#define ADD(skip)                                                                                                              \
    { RETC_LAYER_ADD, 1 + (skip), 0, 0 }
#define DENSE_CONV(K)                                                                                                          \
    { DENSE, K, 0, 0 }

/* Every kind at least once where it is nonlinear or has parameters; kernels that are not square, of one pixel, as large as the
 * image; a history of one frame; sides that are primes.  All end in something positive, for the Poisson loss. */
static const recipe recipes[] = {
    {"dense", 5, 3, 2, {CONV(3, 2, 1), PLAIN(TANH), DENSE_CONV(2), PLAIN(SOFTPLUS), PLAIN(SCALE)}},
    {"one pixel", 7, 1, 1, {CONV(4, 1, 1), PLAIN(SIGMOID), CONV(3, 1, 1), PLAIN(EXP)}},
    {"one frame", 1, 7, 5, {CONV(3, 3, 2), PLAIN(RELU), CONV(2, 5, 4), PLAIN(SIGMOID), PLAIN(SCALE)}},
    {"kernel = image", 4, 5, 3, {CONV(5, 5, 3), PLAIN(TANH), CONV(2, 1, 1), PLAIN(SOFTPLUS)}},
    {"norms",
     3,
     5,
     4,
     {CONV(3, 2, 2), {UNIT_NORM, 1, 0, 0}, PLAIN(NOISE), PLAIN(RELU), CONV(2, 4, 3), {ABS_NORM, 1, 0, 0}, PLAIN(SOFTPLUS)}},
    {"norm after ReLU", 3, 5, 4, {CONV(3, 2, 2), PLAIN(NOISE), PLAIN(RELU), PLAIN(BATCHNORM), CONV(2, 4, 3), PLAIN(SIGMOID)}},
    {"stacked", 4, 7, 9, {{STACKED, 3, 7, 5}, PLAIN(BATCHNORM), PLAIN(RELU), CONV(2, 1, 5), PLAIN(SOFTPLUS)}},
    {"stacked twice",
     2,
     11,
     8,
     {{STACKED, 3, 4, 6}, PLAIN(TANH), {STACKED, 2, 8, 2}, PLAIN(SIGMOID), CONV(2, 1, 2), PLAIN(EXP)}},
    {"stacked 1x1", 3, 2, 1, {{STACKED, 4, 1, 1}, PLAIN(TANH), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"factorised",
     3,
     5,
     7,
     {CONV(3, 2, 3), PLAIN(BATCHNORM), PLAIN(RELU), {FACTORISED, 4, 0, 0}, PLAIN(BATCHNORM), PLAIN(SOFTPLUS)}},
    {"factorised first", 5, 3, 4, {{FACTORISED, 3, 0, 0}, PLAIN(SOFTPLUS)}},
    {"max pool", 3, 9, 11, {CONV(3, 2, 2), POOL(MAX, 2, 3), PLAIN(TANH), CONV(2, 4, 3), PLAIN(SOFTPLUS)}},
    {"max pool of one", 2, 5, 3, {CONV(3, 2, 2), POOL(MAX, 1, 1), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"max pool of all", 2, 5, 7, {CONV(4, 3, 2), POOL(MAX, 3, 6), PLAIN(NOISE), PLAIN(SIGMOID), CONV(2, 1, 1), PLAIN(EXP)}},
    {"average pool", 3, 9, 11, {CONV(3, 3, 1), PLAIN(RELU), POOL(AVG, 3, 2), CONV(2, 2, 5), PLAIN(SOFTPLUS)}},
    {"residual", 3, 8, 7, {CONV(3, 2, 2), PLAIN(TANH), CONV(3, 4, 1), PLAIN(SIGMOID), ADD(1), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"residuals",
     2,
     9,
     8,
     {CONV(3, 2, 2), PLAIN(NOISE), PLAIN(BATCHNORM), CONV(3, 3, 2), PLAIN(TANH), ADD(0), PLAIN(BATCHNORM), ADD(0), ADD(2),
      PLAIN(NOISE), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"residual of the layer before", 2, 4, 3, {CONV(2, 1, 1), ADD(0), PLAIN(NOISE), ADD(1), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"classifier",
     3,
     13,
     11,
     {CONV(3, 2, 2), PLAIN(BATCHNORM), PLAIN(RELU), POOL(MAX, 2, 2), CONV(3, 3, 3), PLAIN(BATCHNORM), PLAIN(RELU), ADD(3),
      POOL(AVG, 2, 3), DENSE_CONV(3), PLAIN(SIGMOID)}},
    {"positions",
     3,
     9,
     7,
     {CONV(3, 3, 2), PLAIN(BATCHNORM), PLAIN(RELU), CONV(5, 3, 4), PLAIN(GRAB), {ABS_NORM, 1, 0, 0}, PLAIN(SOFTPLUS)}},
    {"positions added again", 3, 9, 7, {CONV(3, 3, 2), PLAIN(TANH), CONV(4, 3, 4), PLAIN(GRAB), ADD(2), PLAIN(SOFTPLUS)}},
    {"positions of the first layer", 3, 5, 4, {CONV(4, 3, 2), PLAIN(GRAB), PLAIN(SOFTPLUS)}},
    {"one hot", 2, 6, 7, {CONV(3, 3, 2), PLAIN(RELU), CONV(4, 1, 4), PLAIN(SOFTPLUS), {ONE_HOT, 1, 0, 0}}},
    {"average", 2, 6, 7, {CONV(3, 3, 2), PLAIN(RELU), CONV(4, 1, 4), PLAIN(SOFTPLUS), PLAIN(AVERAGE)}},
    {"piecewise", 4, 3, 2, {CONV(3, 3, 2), PLAIN(PIECEWISE), CONV(2, 1, 1), PLAIN(SOFTPLUS), PLAIN(SCALE)}},
};
enum { RECIPES = sizeof recipes / sizeof *recipes };

static int
add_grab(retc_network *network, int one_hot) {
    const retc_layer *before = &network->layer[network->layers - 1];
    size_t position[32];
    for (size_t c = 0; c < before->C; ++c)
        position[2 * c] = (5 * c + 1) % before->h, position[2 * c + 1] = (3 * c + 2) % before->w;
    int status = retc_network_add_grab(network, position);
    network->layer[network->layers - 1].one_hot = one_hot;
    return status;
}

static int
add_piece(retc_network *network, const piece *p) {
    switch (p->kind) {
    case STACKED:
        return retc_network_add_stacked(network, p->K, p->kh, p->kw, 1);
    case FACTORISED:
        return retc_network_add_factorised(network, p->K, 1);
    case DENSE:
        return retc_network_add_conv(network, p->K, 0, 0, 1, 1);
    case UNIT_NORM:
    case ABS_NORM:
    case RETC_LAYER_BATCHNORM:
        return retc_network_add_batchnorm(network, p->kind == UNIT_NORM, p->kind == ABS_NORM, 1e-3);
    case ONE_HOT:
    case RETC_LAYER_GRAB:
        return add_grab(network, p->kind == ONE_HOT);
    case RETC_LAYER_CONV:
        return retc_network_add_conv(network, p->K, p->kh, p->kw, 1, 0);
    case RETC_LAYER_NOISE:
        return retc_network_add_noise(network, 0);
    case RETC_LAYER_AVERAGE:
        return retc_network_add_average(network);
    case RETC_LAYER_PIECEWISE:
        return retc_network_add_piecewise(network, 4);
    case RETC_LAYER_SCALE:
        return retc_network_add_scale(network, 7.5, 0.25);
    case RETC_LAYER_MAXPOOL:
    case RETC_LAYER_AVGPOOL:
        return retc_network_add_pool(network, (retc_layer_kind)p->kind, p->kh, p->kw);
    case RETC_LAYER_ADD:
        return retc_network_add_residual(network, p->K - 1);
    default:
        return retc_network_add_simple(network, (retc_layer_kind)p->kind);
    }
}

/* Random parameters of the kinds that retc_network_init leaves alone; every second weight of a norm is negative. */
static void
fill(retc_network *network, gsl_rng *rng) {
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        float *weight = retc_network_values(network, layer->weight), *bias = retc_network_values(network, layer->bias);
        float *mean = retc_network_values(network, layer->mean), *var = retc_network_values(network, layer->var);
        int norm = layer->kind == RETC_LAYER_BATCHNORM, lines = layer->kind == RETC_LAYER_PIECEWISE;
        for (size_t i = 0; bias && i < network->param[layer->bias].size; ++i)
            bias[i] = (float)gsl_ran_gaussian(rng, 0.3);
        for (size_t i = 0; norm && i < network->param[layer->weight].size; ++i) {
            weight[i] = (float)gsl_ran_flat(rng, 0.5, 1.5) * (i % 2 ? -1.0f : 1.0f);
            mean[i] = (float)gsl_ran_gaussian(rng, 0.3), var[i] = (float)gsl_ran_flat(rng, 0.5, 2);
        }
        for (size_t i = 0; lines && i < layer->C * layer->knots; ++i)
            weight[i] = (float)(i % layer->knots) - 1.4f + (float)gsl_ran_flat(rng, 0, 0.5);
        for (size_t i = 0; layer->kind == RETC_LAYER_AVERAGE && i < network->param[layer->weight].size; ++i)
            weight[i] = (float)gsl_rng_uniform(rng);
    }
}

static retc_network *
build(const recipe *r, uint64_t seed) {
    retc_network *network = NULL;
    /* The number of cells is what the last layer gives: known when it was built once. */
    for (size_t N = 1, round = 0; round < 2; ++round) {
        retc_network_free(network);
        network = retc_network_alloc("cnn", r->L, r->H, r->W, N);
        ck_assert_ptr_nonnull(network);
        for (size_t l = 0; l < 12 && r->layer[l].K; ++l)
            ck_ok(add_piece(network, &r->layer[l]));
        N = retc_layer_units(&network->layer[network->layers - 1]);
    }
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_CIRCUIT, 0);
    ck_ok(retc_network_finish(network));
    ck_ok(retc_network_init(network, seed));
    fill(network, rng);
    network->stimulus_mean = 0.1, network->stimulus_std = 1.2, network->frame_interval = 0.02;
    gsl_rng_free(rng);
    return network;
}

/* ---- running --------------------------------------------------------------------------------------------------------- */

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
in_double(const float *x, size_t n) {
    double *y = retc_calloc(n, sizeof *y);
    for (size_t i = 0; i < n; ++i)
        y[i] = (double)x[i];
    return y;
}

static void
run_reference(const retc_network *network, const double *value, const double *movie, size_t n, double *rate) {
    const double *const movies[1] = {movie};
    double *const rates[1] = {rate};
    ck_ok(retc_reference_forward(network, value, 0, 1, &n, movies, rates));
}

/* Terms of the longest sum that ends in one output, all layers together. */
static size_t
terms(const retc_network *network) {
    size_t sum = 0;
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        sum += 4;
        if (layer->kind == RETC_LAYER_CONV)
            sum += (l ? layer[-1].C : network->L) * layer->kh * layer->kw;
        else if (layer->kind == RETC_LAYER_AVGPOOL)
            sum += layer->kh * layer->kw;
        else if (layer->kind == RETC_LAYER_AVERAGE)
            sum += layer[-1].h * layer[-1].w;
    }
    return sum;
}

/* How far rounding may take the fast rates from the exact ones.  A sum in float is the exact sum with weights that differ by at
 * most (terms) u, relatively (Higham, Accuracy and Stability, 3.1); how far such a change of all parameters and of the movie
 * moves the rates, the reference tells: one by 1e-6, of random sign.  Twice that, since signs may conspire, and a few
 * roundings of the result itself. */
static double
allowance(const retc_network *network, const double *value, const double *movie, size_t n, const double *rate, gsl_rng *rng) {
    size_t pixels = network->H * network->W * (n + network->L - 1);
    double *changed = retc_calloc(network->values, sizeof *changed), *shaken = retc_calloc(pixels, sizeof *shaken);
    double *moved = retc_calloc(network->N * n, sizeof *moved), most = 0, largest = 0;
    for (int draw = 0; draw < 3; ++draw) {
        for (size_t i = 0; i < network->values; ++i)
            changed[i] = value[i] * (1 + (gsl_rng_uniform(rng) < 0.5 ? 1e-6 : -1e-6));
        for (size_t i = 0; i < pixels; ++i)
            shaken[i] = movie[i] * (1 + (gsl_rng_uniform(rng) < 0.5 ? 1e-6 : -1e-6));
        run_reference(network, changed, shaken, n, moved);
        for (size_t i = 0; i < network->N * n; ++i) {
            most = fmax(most, fabs(moved[i] - rate[i]));
            largest = fmax(largest, fabs(rate[i]));
        }
    }
    retc_free(changed), retc_free(shaken), retc_free(moved);
    return 2 * (double)terms(network) * unit_roundoff * most / 1e-6 + 8 * unit_roundoff * largest;
}

START_TEST(forward_equals_the_reference) {
    static const size_t lengths[] = {1, 7, 33};
    for (size_t i = 0; i < 3; ++i) {
        retc_network *network = build(&recipes[_i], 3);
        gsl_rng *rng = retc_rng_alloc(4, RETC_STREAM_NOISE, i);
        size_t n = lengths[i], N = network->N;
        float *frames = retc_fixture_movie(8, n + network->L - 1, network->H, network->W);
        retc_tape *tape = retc_tape_alloc(network, n, 0, NULL);
        ck_assert_ptr_nonnull(tape);
        retc_tape_load(tape, frames, n);
        retc_tape_forward(tape, 0, network->layers, n);
        double *movie = normalised(network, frames, n), *value = in_double(network->value, network->values);
        double *rate = retc_calloc(N * n, sizeof *rate), *fast = retc_calloc(N * n, sizeof *fast);
        run_reference(network, value, movie, n, rate);
        for (size_t k = 0; k < N * n; ++k)
            fast[k] = (double)retc_tape_rate(tape, k / n)[k % n];
        ck_close_double(recipes[_i].name, fast, rate, N * n, allowance(network, value, movie, n, rate, rng), 0);
        retc_free(movie), retc_free(value), retc_free(rate), retc_free(fast), retc_free(frames);
        retc_tape_free(tape);
        retc_network_free(network);
        gsl_rng_free(rng);
    }
}
END_TEST

/* ---- gradients ------------------------------------------------------------------------------------------------------- */

enum { T = 120, BLOCKS = 3 };

typedef struct {
    retc_network *network;
    size_t n[BLOCKS];
    double *movie[BLOCKS], *rate[BLOCKS];
    float *count[BLOCKS];
} training_batch;

static double
reference_loss(const training_batch *batch, const double *value) {
    const double *const movies[BLOCKS] = {batch->movie[0], batch->movie[1], batch->movie[2]};
    double sum = 0, frames = 0, dt = batch->network->frame_interval;
    ck_ok(retc_reference_forward(batch->network, value, 1, BLOCKS, batch->n, movies, batch->rate));
    for (size_t b = 0; b < BLOCKS; ++b) {
        frames += (double)batch->n[b];
        for (size_t i = 0; i < batch->network->N * batch->n[b]; ++i)
            sum += batch->rate[b][i] * dt - (double)batch->count[b][i] * log(batch->rate[b][i] * dt + 1e-8);
    }
    return sum / (frames * (double)batch->network->N);
}

/* Central differences of the reference, in double: 1e-16 / h of the loss is their own error, some 1e-9.  A larger h would
 * meet more kinks of ReLU and pools. */
static void
check_parameters(const training_batch *batch, double *value, const float *gradient) {
    const retc_network *network = batch->network;
    double largest = 0;
    for (size_t i = 0; i < network->values; ++i)
        largest = fmax(largest, fabs((double)gradient[i]));
    for (size_t p = 0; p < network->params; ++p) {
        const retc_param *param = &network->param[p];
        double *slope = retc_calloc(param->size, sizeof *slope), *fast = retc_calloc(param->size, sizeof *fast);
        for (size_t i = 0; i < param->size; ++i) {
            double *x = &value[param->offset + i], centre = *x, h = 1e-7, side[2];
            for (int k = 0; param->trainable && k < 2; ++k) {
                *x = centre + (k ? h : -h);
                side[k] = reference_loss(batch, value);
            }
            *x = centre;
            slope[i] = param->trainable ? (side[1] - side[0]) / (2 * h) : 0;
            fast[i] = (double)gradient[param->offset + i];
        }
        /* Sums over some 50 frames and 100 positions in float: 1e-4 of the largest of their kind.  What is 0 because terms of
         * the usual size cancel, as the gradient of a bias before batch norm, keeps their rounding. */
        ck_close_double(param->name, fast, slope, param->size, 1e-5 * largest, 1e-4);
        retc_free(slope), retc_free(fast);
    }
}

/* Loss and the gradient of every parameter of a training step: batch norm by the batch's statistics, all blocks. */
START_TEST(training_gradient_equals_finite_differences) {
    retc_network *network = build(&recipes[_i], 7);
    size_t N = network->N, H = network->H, W = network->W;
    float *frames = retc_fixture_movie(5, T, H, W), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(6, RETC_STREAM_SPIKES, 0);
    for (size_t i = 0; i < N * T; ++i)
        counts[i] = (float)gsl_ran_poisson(rng, 0.4);
    gsl_rng_free(rng);
    const char *path = retc_test_path("train.h5");
    ck_ok(retc_fixture_recording(path, T, H, W, frames, N, counts, 0, NULL, 1, 0.02));
    retc_recording *recording = retc_recording_open(path, 0);
    retc_trainer_options options = {.blocks = BLOCKS, .block = 24, .threads = 2, .seed = 1, .frame_interval = 0.02};
    retc_trainer *trainer = retc_trainer_alloc(network, &options);
    ck_assert_ptr_nonnull(trainer);
    training_batch batch = {.network = network, .n = {24, 17, 5}};
    const size_t first[BLOCKS] = {20, 50, 90};
    for (size_t b = 0; b < BLOCKS; ++b) {
        retc_block block = {first[b], batch.n[b], 0};
        ck_ok(retc_trainer_load(trainer, recording, RETC_TRAIN, b, &block));
        batch.movie[b] = normalised(network, frames + (first[b] + 1 - network->lag - network->L) * H * W, batch.n[b]);
        batch.rate[b] = retc_calloc(N * batch.n[b], sizeof(double));
        batch.count[b] = retc_calloc(N * batch.n[b], sizeof(float));
        ck_ok(retc_recording_counts(recording, RETC_TRAIN, first[b], batch.n[b], batch.count[b]));
    }
    double loss, *value = in_double(network->value, network->values);
    const float *gradient;
    ck_ok(retc_trainer_step(trainer, BLOCKS, 0, &loss, &gradient));
    double expected = reference_loss(&batch, value);
    ck_assert_msg(fabs(loss - expected) <= 1e-5 * fabs(expected), "loss %.9g, expected %.9g", loss, expected);
    check_parameters(&batch, value, gradient);
    for (size_t b = 0; b < BLOCKS; ++b)
        retc_free(batch.movie[b]), retc_free(batch.rate[b]), retc_free(batch.count[b]);
    retc_free(value), retc_free(frames), retc_free(counts);
    retc_trainer_free(trainer);
    retc_recording_close(recording);
    retc_network_free(network);
}
END_TEST

/* ---- gradients at inference ------------------------------------------------------------------------------------------ */

/* A network on a block of n frames, once in float and once in double. */
typedef struct {
    retc_network *network;
    retc_tape *tape;
    size_t n, pixels, count;               /* count: frames that the block sees */
    double *value, *movie, *rate, *weight; /* weight (N,n): of the rates in the target */
} trial;

static trial
trial_make(const recipe *r, uint64_t seed, size_t n) {
    trial c = {.network = build(r, seed), .n = n};
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_SHUFFLE, 0);
    const retc_network *network = c.network;
    c.pixels = network->H * network->W, c.count = n + network->L - 1;
    float *frames = retc_fixture_movie(seed, c.count, network->H, network->W);
    c.tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, NULL);
    ck_assert_ptr_nonnull(c.tape);
    ck_ok(retc_tape_add_window_gradient(c.tape));
    retc_tape_load(c.tape, frames, n);
    retc_tape_forward(c.tape, 0, network->layers, n);
    c.value = in_double(network->value, network->values), c.movie = normalised(network, frames, n);
    c.rate = retc_calloc(network->N * n, sizeof *c.rate), c.weight = retc_calloc(network->N * n, sizeof *c.weight);
    for (size_t i = 0; i < network->N * n; ++i) {
        c.weight[i] = (double)(float)gsl_ran_gaussian(rng, 1);
        c.tape->grad[network->layers - 1][i / n * c.tape->ld + i % n] = (float)c.weight[i];
    }
    retc_free(frames);
    gsl_rng_free(rng);
    return c;
}

static void
trial_clear(trial *c) {
    retc_free(c->value), retc_free(c->movie), retc_free(c->rate), retc_free(c->weight);
    retc_tape_free(c->tape);
    retc_network_free(c->network);
}

/* Half the difference of the weighted sum of rates over h when *x changes by +-h. */
static double
slope_of(trial *c, double *x, double h) {
    double centre = *x, sum[2] = {0};
    for (int side = 0; side < 2; ++side) {
        *x = centre + (side ? h : -h);
        run_reference(c->network, c->value, c->movie, c->n, c->rate);
        for (size_t i = 0; i < c->network->N * c->n; ++i)
            sum[side] += c->weight[i] * c->rate[i];
    }
    *x = centre;
    return (sum[1] - sum[0]) / (2 * h);
}

/* Gradient of the movie: frame s of a pixel is frame k of window t for all k + t = s. */
static void
movie_gradient(const trial *c, double *gradient) {
    const retc_network *network = c->network;
    for (size_t k = 0; k < network->L; ++k)
        for (size_t p = 0; p < c->pixels; ++p)
            for (size_t t = 0; t < c->n; ++t)
                gradient[p * c->count + k + t] += (double)c->tape->window_grad[(k * c->pixels + p) * c->tape->ld + t];
}

/* Of the movie and of all parameters of convolutions, by the tape's own passes, with batch norm by its running statistics. */
START_TEST(inference_gradient_equals_finite_differences) {
    trial c = trial_make(&recipes[_i], 11, 5);
    const retc_network *network = c.network;
    float *gradient = retc_calloc(network->values, sizeof *gradient);
    retc_tape_backward(c.tape, network->layers - 1, 0, c.n);
    retc_tape_backward_window(c.tape, c.n);
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_CONV) {
            int bias = network->layer[l].bias;
            retc_tape_backward_weights(c.tape, l, c.n, gradient + network->param[network->layer[l].weight].offset,
                                       bias < 0 ? NULL : gradient + network->param[bias].offset);
        }
    retc_network_derive_gradient(network, gradient);
    size_t inputs = c.pixels * c.count;
    double *fast = retc_calloc(inputs, sizeof *fast), *slope = retc_calloc(inputs, sizeof *slope);
    movie_gradient(&c, fast);
    for (size_t i = 0; i < inputs; ++i)
        slope[i] = slope_of(&c, &c.movie[i], 1e-7);
    /* Differences of sums of some 10 in double over 1e-7 are good to 1e-7; sums of some hundred terms in float, to 1e-5 of the
     * largest. */
    ck_close_double("movie", fast, slope, inputs, 1e-6, 1e-4);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        for (int i = 0; layer->kind == RETC_LAYER_CONV && i < layer->sources + 2; ++i) {
            int number = i == 0 ? layer->weight : i == 1 ? layer->bias : layer->source + i - 2;
            const retc_param *param = number < 0 ? NULL : &network->param[number];
            for (size_t k = 0; param && k < param->size; ++k) {
                double expected = param->derived ? 0 : slope_of(&c, &c.value[param->offset + k], 1e-7);
                double found = (double)gradient[param->offset + k];
                ck_assert_msg(fabs(found - expected) <= 1e-5 + 1e-4 * fabs(expected), "%s [%zu]: %.9g, expected %.9g",
                              param->name, k, found, expected);
            }
        }
    }
    retc_free(gradient), retc_free(fast), retc_free(slope);
    trial_clear(&c);
}
END_TEST

/* ---- secants --------------------------------------------------------------------------------------------------------- */

/* A second tape at another stimulus, and for some times at the same one or nearly so. */
static retc_tape *
other_end(const trial *c) {
    const retc_network *network = c->network;
    retc_tape *tape = retc_tape_alloc(network, c->n, RETC_TAPE_GRADIENTS, NULL);
    float *frames = retc_fixture_movie(99, c->count, network->H, network->W);
    ck_assert_ptr_nonnull(tape);
    retc_tape_load(tape, frames, c->n);
    for (size_t p = 0; p < c->pixels; ++p)
        for (size_t t = 0; t < c->count; ++t) {
            float near = t < c->count / 3 ? 0 : t < c->count / 2 ? 1e-5f : 1;
            float *x = &tape->movie[p * tape->in_ld + t], there = c->tape->movie[p * c->tape->in_ld + t];
            *x = there + near * (*x - there);
        }
    retc_tape_forward(tape, 0, network->layers, c->n);
    retc_free(frames);
    return tape;
}

/* Sum over the units of a layer of g (x - x0) at time t; the sum of magnitudes of what it is made of goes to `size`. */
static double
carried(const retc_layer *layer, const float *g, const float *x, const float *x0, size_t ld, size_t t, double *size) {
    double sum = 0;
    for (size_t row = 0; row < retc_layer_units(layer); ++row) {
        double slope = (double)g[row * ld + t], a = (double)x[row * ld + t], b = (double)x0[row * ld + t];
        sum += slope * (a - b);
        *size += fabs(slope) * (fabs(a) + fabs(b) + 1);
    }
    return sum;
}

/* Layer by layer: what the gradient carries at the input is what it carries at the output.  Each product has a few roundings of
 * magnitudes up to |g| (|x| + |x0|).  Where the ends are within 1e-3 (1 + |x|) the slope is that at their middle, which leaves
 * a third of a derivative over 24 of the cube: below 1e-9 (1 + |x|)^3, of no account beside rounding.  Linear layers do the
 * same to the precision of their sums. */
START_TEST(secants_add_up_layer_by_layer) {
    trial c = trial_make(&recipes[_i], 12, 48);
    const retc_network *network = c.network;
    retc_tape *other = other_end(&c);
    size_t ld = c.tape->ld;
    retc_tape_backward_secant(c.tape, other, network->layers - 1, 0, c.n);
    for (size_t l = 1; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        float *gin = retc_calloc(retc_layer_units(layer - 1) * ld, sizeof *gin);
        const float *in = c.tape->out[l - 1], *in0 = other->out[l - 1], *out = c.tape->out[l], *out0 = other->out[l];
        retc_layer_backward(c.tape, l, in, out, in0, out0, c.tape->grad[l], c.n, gin);
        size_t sums = 8 + (layer->kind == RETC_LAYER_CONV ? layer[-1].C * layer->kh * layer->kw : 0) +
                      (layer->kind == RETC_LAYER_AVERAGE ? layer[-1].h * layer[-1].w : layer->kh * layer->kw);
        for (size_t t = 0; t < c.n; ++t) {
            double size = 0, below = carried(layer - 1, gin, in, in0, ld, t, &size);
            double above = carried(layer, c.tape->grad[l], out, out0, ld, t, &size);
            if (layer->kind == RETC_LAYER_ADD) /* the rest goes past */
                for (size_t row = 0; row < retc_layer_units(layer); ++row) {
                    size_t at = retc_layer_middle(network, layer, row) * ld + t;
                    below += (double)c.tape->grad[l][row * ld + t] *
                             ((double)c.tape->out[layer->skip][at] - (double)other->out[layer->skip][at]);
                }
            double bound = 2 * (double)sums * unit_roundoff * size;
            ck_assert_msg(fabs(below - above) <= bound, "%s, layer %zu, time %zu: %.9g below, %.9g above, allowed %.3g",
                          recipes[_i].name, l, t, below, above, bound);
        }
        retc_free(gin);
    }
    retc_tape_free(other);
    trial_clear(&c);
}
END_TEST

/* Through the whole network, residual additions and all: what arrives at the first layer is the change of the target. */
START_TEST(secants_add_up_through_networks) {
    trial c = trial_make(&recipes[_i], 13, 48);
    const retc_network *network = c.network;
    retc_tape *other = other_end(&c);
    size_t ld = c.tape->ld, last = network->layers - 1;
    retc_tape_backward_secant(c.tape, other, last, 0, c.n);
    for (size_t t = 0; t < c.n; ++t) {
        double size = 0, below = carried(&network->layer[0], c.tape->grad[0], c.tape->out[0], other->out[0], ld, t, &size);
        double above = carried(&network->layer[last], c.tape->grad[last], c.tape->out[last], other->out[last], ld, t, &size);
        /* The roundings of all layers; magnitudes in the middle may be a few times those at the ends. */
        double bound = 4 * (double)terms(network) * unit_roundoff * size;
        ck_assert_msg(fabs(below - above) <= bound, "%s, time %zu: %.9g below, %.9g above, allowed %.3g", recipes[_i].name, t,
                      below, above, bound);
    }
    retc_tape_free(other);
    trial_clear(&c);
}
END_TEST

/* The first of equal values is the largest, and what is not a number is larger still, as with torch. */
START_TEST(ties_of_pools_go_to_the_first) {
    static const recipe pool = {"ties", 1, 2, 3, {CONV(1, 1, 1), POOL(MAX, 2, 3)}};
    retc_network *network = build(&pool, 1);
    retc_tape *tape = retc_tape_alloc(network, 4, RETC_TAPE_GRADIENTS, NULL);
    const float values[6][4] = {{1, 2, 5, 0}, {3, 2, -1, 1}, {3, 1, 5, 0}, {3, 2, 5, NAN}, {-4, 2, 1, 3}, {3, 0, 4, 2}};
    const size_t first[4] = {1, 0, 0, 3};
    for (size_t row = 0; row < 6; ++row)
        memcpy(tape->out[0] + row * tape->ld, values[row], sizeof values[row]);
    retc_layer_forward(tape, 1, tape->out[0], 4, tape->out[1]);
    for (size_t t = 0; t < 3; ++t)
        ck_assert_double_eq((double)tape->out[1][t], (double)values[first[t]][t]);
    ck_assert(isnan(tape->out[1][3]));
    for (size_t t = 0; t < 4; ++t)
        tape->grad[1][t] = 2.5f;
    retc_tape_backward(tape, 1, 0, 4);
    for (size_t row = 0; row < 6; ++row)
        for (size_t t = 0; t < 4; ++t)
            ck_assert_double_eq((double)tape->grad[0][row * tape->ld + t], row == first[t] ? 2.5 : 0);
    retc_tape_free(tape);
    retc_network_free(network);
}
END_TEST

/* ---- adjoints -------------------------------------------------------------------------------------------------------- */

static int
is_linear(const retc_layer *layer) {
    switch (layer->kind) {
    case RETC_LAYER_CONV:
    case RETC_LAYER_GRAB:
    case RETC_LAYER_AVERAGE:
    case RETC_LAYER_AVGPOOL:
    case RETC_LAYER_ADD:
    case RETC_LAYER_BATCHNORM:
    case RETC_LAYER_SCALE:
    case RETC_LAYER_NOISE:
        return 1;
    default:
        return 0;
    }
}

static double
product(const retc_layer *layer, const float *a, const float *b, size_t ld, size_t n, double *size) {
    double sum = 0;
    for (size_t i = 0; i < retc_layer_units(layer) * n; ++i) {
        double term = (double)a[i / n * ld + i % n] * (double)b[i / n * ld + i % n];
        sum += term;
        *size += fabs(term);
    }
    return sum;
}

static void
randomise(float *x, size_t n, gsl_rng *rng) {
    for (size_t i = 0; i < n; ++i)
        x[i] = (float)gsl_ran_gaussian(rng, 1);
}

/* <A x, y> = <x, A' y> for every linear layer between maps: A x is what the layer gives less what it gives for 0.  A residual
 * addition has two inputs. */
START_TEST(linear_layers_have_true_adjoints) {
    enum { FRAMES = 19 };
    retc_network *network = build(&recipes[_i], 14);
    retc_tape *tape = retc_tape_alloc(network, FRAMES, RETC_TAPE_GRADIENTS, NULL);
    gsl_rng *rng = retc_rng_alloc(15, RETC_STREAM_SHUFFLE, (uint64_t)_i);
    size_t ld = tape->ld;
    for (size_t l = 1; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l],
                         *from = layer->kind == RETC_LAYER_ADD ? &network->layer[layer->skip] : NULL;
        size_t in_n = retc_layer_units(layer - 1) * ld, out_n = retc_layer_units(layer) * ld;
        if (!is_linear(layer))
            continue;
        float *x = retc_calloc(in_n, sizeof *x), *zero = retc_calloc(in_n, sizeof *zero), *gin = retc_calloc(in_n, sizeof *gin);
        float *y = retc_calloc(out_n, sizeof *y), *out = retc_calloc(out_n, sizeof *out),
              *at_zero = retc_calloc(out_n, sizeof *out);
        randomise(x, in_n, rng), randomise(y, out_n, rng);
        if (from)
            memset(tape->out[layer->skip], 0, retc_layer_units(from) * ld * sizeof(float));
        retc_layer_forward(tape, l, zero, FRAMES, at_zero);
        if (from)
            randomise(tape->out[layer->skip], retc_layer_units(from) * ld, rng);
        retc_layer_forward(tape, l, x, FRAMES, out);
        retc_layer_backward(tape, l, x, out, NULL, NULL, y, FRAMES, gin);
        double size = 0, shift = product(layer, at_zero, y, ld, FRAMES, &size);
        double forward = product(layer, out, y, ld, FRAMES, &size) - shift,
               backward = product(layer - 1, x, gin, ld, FRAMES, &size);
        if (from) { /* of all additions, this one alone */
            for (size_t other = 0; other < network->layers; ++other)
                memset(tape->grad[other], 0, retc_layer_units(&network->layer[other]) * ld * sizeof(float));
            memcpy(tape->grad[l], y, out_n * sizeof *y);
            retc_tape_add_skipped(tape, layer->skip, l, FRAMES);
            backward += product(from, tape->out[layer->skip], tape->grad[layer->skip], ld, FRAMES, &size);
        }
        /* Every result is a sum of at most so many terms, each pass rounds it, and products are summed in double. */
        double bound = 4 * (double)terms(network) * unit_roundoff * size;
        ck_assert_msg(fabs(forward - backward) <= bound, "%s, layer %zu: %.9g forward, %.9g backward, allowed %.3g",
                      recipes[_i].name, l, forward, backward, bound);
        retc_free(x), retc_free(zero), retc_free(gin), retc_free(y), retc_free(out), retc_free(at_zero);
    }
    gsl_rng_free(rng);
    retc_tape_free(tape);
    retc_network_free(network);
}
END_TEST

/* Derived weights are linear in each of their sources: <W(s), g> = <s, W'(g)>, where the gradient of every source is taken with
 * the others as they are. */
START_TEST(derived_weights_have_true_adjoints) {
    retc_network *network = build(&recipes[_i], 16);
    gsl_rng *rng = retc_rng_alloc(17, RETC_STREAM_SHUFFLE, (uint64_t)_i);
    float *g = retc_calloc(network->values, sizeof *g), *gradient = retc_calloc(network->values, sizeof *g);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->form == RETC_WEIGHT_PLAIN)
            continue;
        const retc_param *weight = &network->param[layer->weight];
        double forward = 0, size = 0;
        memset(g, 0, network->values * sizeof *g);
        randomise(g + weight->offset, weight->size, rng);
        memcpy(gradient, g, network->values * sizeof *g);
        retc_network_derive_gradient(network, gradient);
        for (size_t i = weight->offset; i < weight->offset + weight->size; ++i) {
            forward += (double)network->value[i] * (double)g[i];
            size += fabs((double)network->value[i] * (double)g[i]);
            ck_assert_double_eq((double)gradient[i], 0);
        }
        for (int j = layer->source; j < layer->source + layer->sources; ++j) {
            const retc_param *source = &network->param[j];
            double backward = 0;
            for (size_t i = source->offset; i < source->offset + source->size; ++i)
                backward += (double)network->value[i] * (double)gradient[i];
            /* The weights and the gradient are rounded to float; factors are multiplied in it, and summed over a map. */
            double bound = 2 * (4 + (double)(layer->form == RETC_WEIGHT_FACTORISED ? source->size : 0)) * unit_roundoff * size;
            ck_assert_msg(fabs(forward - backward) <= bound, "%s: %.9g, %.9g expected, allowed %.3g", source->name, backward,
                          forward, bound);
        }
    }
    retc_free(g), retc_free(gradient);
    gsl_rng_free(rng);
    retc_network_free(network);
}
END_TEST

/* ---- building -------------------------------------------------------------------------------------------------------- */

/* Noise works in place, but not on what is added again later. */
START_TEST(noise_leaves_alone_what_is_added_again) {
    static const recipe noisy = {
        "noisy", 2, 3, 3, {CONV(2, 2, 2), PLAIN(NOISE), PLAIN(NOISE), CONV(2, 1, 1), ADD(0), PLAIN(NOISE), DENSE_CONV(1)}};
    retc_network *network = build(&noisy, 1);
    retc_tape *tape = retc_tape_alloc(network, 8, RETC_TAPE_GRADIENTS, NULL);
    ck_assert(tape->out[1] != tape->out[0] && tape->grad[1] != tape->grad[0]);
    ck_assert(tape->out[2] == tape->out[1] && tape->grad[2] == tape->grad[1]);
    ck_assert(tape->out[5] == tape->out[4] && tape->grad[5] == tape->grad[4]);
    retc_tape_free(tape);
    retc_network_free(network);
}
END_TEST

/* With inputs of variance 1, a linear output has the variance sum w^2: 2 on the average for all forms, as ReLU asks for. */
START_TEST(initial_weights_keep_the_variance) {
    static const piece forms[3] = {CONV(40, 7, 5), {STACKED, 40, 7, 5}, {FACTORISED, 40, 0, 0}};
    retc_network *network = retc_network_alloc("cnn", 30, 9, 8, 40);
    double sum = 0;
    ck_ok(add_piece(network, &forms[_i]));
    ck_ok(retc_network_init(network, 3));
    const retc_param *weight = &network->param[network->layer[0].weight];
    for (size_t i = weight->offset; i < weight->offset + weight->size; ++i)
        sum += (double)network->value[i] * (double)network->value[i] / 40;
    /* Factors: 40 times a product of two sums of squares of 72 and 30 values, which spread by 0.9 sqrt(1/72 + 1/30) = 0.2, so
     * their mean by 0.03; channels of a chain share what comes before: sums over 40 channels, three times. */
    ck_assert_msg(fabs(sum / 2 - 1) < 0.15, "variance %g, expected 2", sum);
    retc_network_free(network);
}
END_TEST

START_TEST(impossible_layers_are_refused) {
    retc_network *network = retc_network_alloc("cnn", 2, 400, 5, 3);
    ck_ok(retc_network_add_conv(network, 3, 2, 2, 1, 0));
    ck_fails(retc_network_add_pool(network, RETC_LAYER_MAXPOOL, 2, 5), "a pool of 2x5 on a map of 399x4");
    ck_fails(retc_network_add_pool(network, RETC_LAYER_AVGPOOL, 0, 1), "the window must fit");
    ck_fails(retc_network_add_residual(network, 7), "layer 7 is to be added again");
    ck_ok(retc_network_add_conv(network, 4, 1, 1, 1, 0));
    ck_fails(retc_network_add_residual(network, 0), "an output of (3,399,4) cannot be added to one of (4,399,4)");
    ck_fails(retc_network_add_stacked(network, 2, 300, 1, 0), "is a chain of 150, at most 64");
    ck_fails(retc_network_add_stacked(network, 2, 3, 6, 0), "the kernel must fit");
    retc_network_free(network);
}
END_TEST

/* ---- model files ----------------------------------------------------------------------------------------------------- */

static void
write_model(const retc_network *network, const char *path, const char *layers) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_network_write(network, file));
    if (layers)
        ck_ok(retc_h5_set_text(file, "/", "layers_json", layers));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

/* Kinds, shapes and computed values, bit by bit; a chain comes back as the convolution that it equals. */
static void
check_same(const retc_network *a, const retc_network *b) {
    ck_assert_uint_eq(a->layers, b->layers);
    for (size_t l = 0; l < a->layers; ++l) {
        const retc_layer *x = &a->layer[l], *y = &b->layer[l];
        ck_assert_int_eq(x->kind, y->kind);
        ck_assert(x->C == y->C && x->h == y->h && x->w == y->w && x->kh == y->kh && x->kw == y->kw && x->skip == y->skip);
        ck_assert_int_eq(y->form, x->form == RETC_WEIGHT_FACTORISED ? RETC_WEIGHT_FACTORISED : RETC_WEIGHT_PLAIN);
        const int left[4] = {x->weight, x->bias, x->mean, x->var}, right[4] = {y->weight, y->bias, y->mean, y->var};
        for (int i = 0; i < 4; ++i) {
            ck_assert_int_eq(left[i] < 0, right[i] < 0);
            if (left[i] < 0)
                continue;
            ck_assert_uint_eq(a->param[left[i]].size, b->param[right[i]].size);
            ck_assert_mem_eq(a->value + a->param[left[i]].offset, b->value + b->param[right[i]].offset,
                             a->param[left[i]].size * sizeof(float));
        }
    }
}

START_TEST(model_files_return_the_same_layers) {
    const char *path = retc_test_path("layers.h5");
    retc_network *network = build(&recipes[_i], 21), *copy = retc_network_copy(network);
    write_model(network, path, NULL);
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    check_same(network, read);
    for (size_t p = 0; p < copy->params; ++p)
        if (copy->param[p].derived)
            memset(copy->value + copy->param[p].offset, 0, copy->param[p].size * sizeof *copy->value);
    retc_network_derive(copy); /* a copy has what it takes */
    ck_assert_mem_eq(copy->value, network->value, copy->values * sizeof *copy->value);
    retc_network_free(read), retc_network_free(copy);
    retc_network_free(network);
}
END_TEST

#define FIRST "{\"name\":\"sequential.0\",\"class\":\"Conv2d\"},"
static const struct {
    const char *entry, *says;
} wrong_entries[] = {
    {"\"class\":\"MaxPool2d\"", "has no \"kernel_size\""},
    {"\"class\":\"MaxPool2d\",\"kernel_size\":[2,-1]", "has no \"kernel_size\""},
    {"\"class\":\"MaxPool2d\",\"kernel_size\":2,\"stride\":1", "windows that overlap"},
    {"\"class\":\"AvgPool2d\",\"kernel_size\":[2,2],\"stride\":[2,2],\"padding\":[0,1]", "reach over the border"},
    {"\"class\":\"AvgPool2d\",\"kernel_size\":9", "the window must fit"},
    {"\"class\":\"Residual\"", "\"skip\" must name a layer before it"},
    {"\"class\":\"Residual\",\"skip\":\"sequential.1\"", "adds the output of \"sequential.1\""},
    {"\"class\":\"FactorisedReadout\"", "sequential.1.channel"},
};
enum { WRONG = sizeof wrong_entries / sizeof *wrong_entries };

START_TEST(wrong_layers_in_files_are_named) {
    static const recipe pooled = {"pooled", 2, 6, 5, {CONV(2, 2, 2), POOL(MAX, 2, 2), PLAIN(RELU), DENSE_CONV(2)}};
    const char *path = retc_test_path("wrong.h5");
    retc_network *network = build(&pooled, 21);
    char layers[300];
    snprintf(layers, sizeof layers, "[" FIRST "{\"name\":\"sequential.1\",%s}]", wrong_entries[_i].entry);
    write_model(network, path, layers);
    retc_network *read = retc_network_open(path);
    ck_assert_ptr_null(read);
    ck_assert_msg(strstr(retc_error_message(), wrong_entries[_i].says), "\"%s\" does not say \"%s\"", retc_error_message(),
                  wrong_entries[_i].says);
    retc_network_free(network);
}
END_TEST

/* Pools as torch describes them: one side, a stride that is the window. */
START_TEST(torch_pools_are_read) {
    static const recipe pooled = {"pooled", 2, 8, 9, {CONV(2, 2, 2), POOL(MAX, 3, 3), PLAIN(RELU), DENSE_CONV(2)}};
    const char *path = retc_test_path("torch.h5");
    retc_network *network = build(&pooled, 21);
    write_model(network, path,
                "[" FIRST "{\"name\":\"sequential.1\",\"class\":\"MaxPool2d\",\"kernel_size\":3,\"stride\":3,\"padding\":0},"
                "{\"name\":\"sequential.2\",\"class\":\"ReLU\"},{\"name\":\"sequential.3\",\"class\":\"Linear\"}]");
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    check_same(network, read);
    retc_network_free(network), retc_network_free(read);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("layers");
    TCase *passes = tcase_create("passes");
    tcase_set_timeout(passes, 120);
    tcase_add_loop_test(passes, forward_equals_the_reference, 0, RECIPES);
    tcase_add_loop_test(passes, training_gradient_equals_finite_differences, 0, RECIPES);
    tcase_add_loop_test(passes, inference_gradient_equals_finite_differences, 0, RECIPES);
    suite_add_tcase(suite, passes);
    TCase *sums = tcase_create("sums");
    tcase_set_timeout(sums, 120);
    tcase_add_loop_test(sums, secants_add_up_layer_by_layer, 0, RECIPES);
    tcase_add_loop_test(sums, secants_add_up_through_networks, 0, RECIPES);
    tcase_add_test(sums, ties_of_pools_go_to_the_first);
    tcase_add_loop_test(sums, linear_layers_have_true_adjoints, 0, RECIPES);
    tcase_add_loop_test(sums, derived_weights_have_true_adjoints, 0, RECIPES);
    suite_add_tcase(suite, sums);
    TCase *made = tcase_create("made, written and read");
    tcase_add_test(made, noise_leaves_alone_what_is_added_again);
    tcase_add_loop_test(made, initial_weights_keep_the_variance, 0, 3);
    tcase_add_test(made, impossible_layers_are_refused);
    tcase_add_loop_test(made, model_files_return_the_same_layers, 0, RECIPES);
    tcase_add_loop_test(made, wrong_layers_in_files_are_named, 0, WRONG);
    tcase_add_test(made, torch_pools_are_read);
    suite_add_tcase(suite, made);
    return retc_test_main(suite, NULL);
}
