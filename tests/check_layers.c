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
    {"residual", 3, 8, 7, {CONV(3, 2, 2), PLAIN(TANH), CONV(3, 3, 1), PLAIN(SIGMOID), ADD(1), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
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

int
main(void) {
    Suite *suite = suite_create("layers");
    TCase *passes = tcase_create("passes");
    tcase_set_timeout(passes, 120);
    tcase_add_loop_test(passes, forward_equals_the_reference, 0, RECIPES);
    tcase_add_loop_test(passes, training_gradient_equals_finite_differences, 0, RECIPES);
    suite_add_tcase(suite, passes);
    return retc_test_main(suite, NULL);
}
