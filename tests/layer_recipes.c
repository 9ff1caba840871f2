#include "layer_recipes.h"

#include <string.h>

#include "fixtures.h"
#include "reference.h"
#include "testing.h"

const double retc_float_roundoff = 5.9604644775390625e-8;

/* Every kind at least once where it is nonlinear or has parameters; kernels that are not square, of one pixel, as large as the
 * image; a history of one frame; sides that are primes.  All end in something positive, for the Poisson loss. */
const retc_recipe retc_recipes[] = {
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
    {"norm after norm",
     3,
     5,
     4,
     {CONV(3, 2, 2), PLAIN(BATCHNORM), {UNIT_NORM, 1, 0, 0}, PLAIN(RELU), CONV(2, 4, 3), PLAIN(SOFTPLUS)}},
    {"nothing between norms",
     3,
     7,
     6,
     {CONV(2, 2, 2), PLAIN(BATCHNORM), CONV(4, 3, 2), PLAIN(BATCHNORM), CONV(3, 2, 2), PLAIN(BATCHNORM), PLAIN(RELU),
      PLAIN(NOISE), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"pools of norms",
     3,
     9,
     8,
     {CONV(3, 2, 2), PLAIN(BATCHNORM), POOL(MAX, 2, 2), PLAIN(BATCHNORM), POOL(AVG, 2, 1), PLAIN(TANH), PLAIN(BATCHNORM),
      PLAIN(TANH), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"norm added again",
     3,
     8,
     7,
     {CONV(3, 2, 2), PLAIN(BATCHNORM), PLAIN(NOISE), PLAIN(RELU), CONV(3, 2, 2), ADD(1), PLAIN(BATCHNORM), PLAIN(RELU),
      DENSE_CONV(2), PLAIN(BATCHNORM), PLAIN(SOFTPLUS)}},
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
    {"separable",
     5,
     7,
     9,
     {{SEPARABLE, 4, 3, 5}, PLAIN(BATCHNORM), PLAIN(RELU), {SEPARABLE, 3, 2, 1}, PLAIN(TANH), DENSE_CONV(2), PLAIN(SOFTPLUS)}},
    {"separable map", 4, 3, 5, {{SEPARABLE, 3, 0, 0}, PLAIN(SOFTPLUS)}},
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
_Static_assert(sizeof retc_recipes / sizeof *retc_recipes == RETC_RECIPES, "the number of recipes");

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

int
retc_piece_add(retc_network *network, const retc_piece *p) {
    switch (p->kind) {
    case STACKED:
        return retc_network_add_stacked(network, p->K, p->kh, p->kw, 1);
    case FACTORISED:
        return retc_network_add_factorised(network, p->K, 1);
    case SEPARABLE:
        return retc_network_add_separable(network, p->K, p->kh, p->kw, 1);
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

retc_network *
retc_recipe_build(const retc_recipe *r, uint64_t seed) {
    retc_network *network = NULL;
    /* The number of cells is what the last layer gives: known when it was built once. */
    for (size_t N = 1, round = 0; round < 2; ++round) {
        retc_network_free(network);
        network = retc_network_alloc("cnn", r->L, r->H, r->W, N);
        ck_assert_ptr_nonnull(network);
        for (size_t l = 0; l < 12 && r->layer[l].K; ++l)
            ck_ok(retc_piece_add(network, &r->layer[l]));
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
double *
retc_recipe_normalised(const retc_network *network, const float *frames, size_t n) {
    size_t pixels = network->H * network->W, count = n + network->L - 1;
    double *movie = retc_calloc(pixels * count, sizeof *movie);
    for (size_t p = 0; p < pixels; ++p)
        for (size_t t = 0; t < count; ++t)
            movie[p * count + t] = ((double)frames[t * pixels + p] - network->stimulus_mean) / network->stimulus_std;
    return movie;
}

double *
retc_recipe_in_double(const float *x, size_t n) {
    double *y = retc_calloc(n, sizeof *y);
    for (size_t i = 0; i < n; ++i)
        y[i] = (double)x[i];
    return y;
}

void
retc_recipe_reference(const retc_network *network, const double *value, const double *movie, size_t n, double *rate) {
    const double *const movies[1] = {movie};
    double *const rates[1] = {rate};
    ck_ok(retc_reference_forward(network, value, 0, 1, &n, movies, rates));
}

/* Terms of the longest sum that ends in one output, all layers together. */
size_t
retc_recipe_terms(const retc_network *network) {
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

void
retc_recipe_randomise(float *x, size_t n, gsl_rng *rng) {
    for (size_t i = 0; i < n; ++i)
        x[i] = (float)gsl_ran_gaussian(rng, 1);
}

retc_trial
retc_trial_make(const retc_recipe *r, uint64_t seed, size_t n) {
    retc_trial c = {.network = retc_recipe_build(r, seed), .n = n};
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_SHUFFLE, 0);
    const retc_network *network = c.network;
    c.pixels = network->H * network->W, c.count = n + network->L - 1;
    float *frames = retc_fixture_movie(seed, c.count, network->H, network->W);
    c.tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, NULL);
    ck_assert_ptr_nonnull(c.tape);
    ck_ok(retc_tape_add_window_gradient(c.tape));
    retc_tape_load(c.tape, frames, n);
    retc_tape_forward(c.tape, 0, network->layers, n);
    c.value = retc_recipe_in_double(network->value, network->values), c.movie = retc_recipe_normalised(network, frames, n);
    c.rate = retc_calloc(network->N * n, sizeof *c.rate), c.weight = retc_calloc(network->N * n, sizeof *c.weight);
    for (size_t i = 0; i < network->N * n; ++i) {
        c.weight[i] = (double)(float)gsl_ran_gaussian(rng, 1);
        c.tape->grad[network->layers - 1][i / n * c.tape->ld + i % n] = (float)c.weight[i];
    }
    retc_free(frames);
    gsl_rng_free(rng);
    return c;
}

void
retc_trial_clear(retc_trial *c) {
    retc_free(c->value), retc_free(c->movie), retc_free(c->rate), retc_free(c->weight);
    retc_tape_free(c->tape);
    retc_network_free(c->network);
}
