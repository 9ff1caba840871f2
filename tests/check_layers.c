/* Every kind of layer, in small networks: fast passes against the reference in double, and gradients against its finite
 * differences. */
#include <math.h>
#include <string.h>

#include "fixtures.h"
#include "layer_recipes.h"
#include "reference.h"
#include "testing.h"
#include "trainer.h"

/* ---- forward --------------------------------------------------------------------------------------------------------- */

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
        retc_recipe_reference(network, changed, shaken, n, moved);
        for (size_t i = 0; i < network->N * n; ++i) {
            most = fmax(most, fabs(moved[i] - rate[i]));
            largest = fmax(largest, fabs(rate[i]));
        }
    }
    retc_free(changed), retc_free(shaken), retc_free(moved);
    return 2 * (double)retc_recipe_terms(network) * retc_float_roundoff * most / 1e-6 + 8 * retc_float_roundoff * largest;
}

START_TEST(forward_equals_the_reference) {
    static const size_t lengths[] = {1, 7, 33};
    for (size_t i = 0; i < 3; ++i) {
        retc_network *network = retc_recipe_build(&retc_recipes[_i], 3);
        gsl_rng *rng = retc_rng_alloc(4, RETC_STREAM_NOISE, i);
        size_t n = lengths[i], N = network->N;
        float *frames = retc_fixture_movie(8, n + network->L - 1, network->H, network->W);
        retc_tape *tape = retc_tape_alloc(network, n, 0, NULL);
        ck_assert_ptr_nonnull(tape);
        retc_tape_load(tape, frames, n);
        retc_tape_forward(tape, 0, network->layers, n);
        double *movie = retc_recipe_normalised(network, frames, n),
               *value = retc_recipe_in_double(network->value, network->values);
        double *rate = retc_calloc(N * n, sizeof *rate), *fast = retc_calloc(N * n, sizeof *fast);
        retc_recipe_reference(network, value, movie, n, rate);
        for (size_t k = 0; k < N * n; ++k)
            fast[k] = (double)retc_tape_rate(tape, k / n)[k % n];
        ck_close_double(retc_recipes[_i].name, fast, rate, N * n, allowance(network, value, movie, n, rate, rng), 0);
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
    retc_network *network = retc_recipe_build(&retc_recipes[_i], 7);
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
        retc_block block = {.t0 = first[b], .n = batch.n[b]};
        ck_ok(retc_trainer_load(trainer, recording, RETC_TRAIN, b, &block));
        batch.movie[b] =
            retc_recipe_normalised(network, frames + (first[b] + 1 - network->lag - network->L) * H * W, batch.n[b]);
        batch.rate[b] = retc_calloc(N * batch.n[b], sizeof(double));
        batch.count[b] = retc_calloc(N * batch.n[b], sizeof(float));
        ck_ok(retc_recording_counts(recording, RETC_TRAIN, first[b], batch.n[b], batch.count[b]));
    }
    double loss, *value = retc_recipe_in_double(network->value, network->values);
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

/* Half the difference of the weighted sum of rates over h when *x changes by +-h. */
static double
slope_of(retc_trial *c, double *x, double h) {
    double centre = *x, sum[2] = {0};
    for (int side = 0; side < 2; ++side) {
        *x = centre + (side ? h : -h);
        retc_recipe_reference(c->network, c->value, c->movie, c->n, c->rate);
        for (size_t i = 0; i < c->network->N * c->n; ++i)
            sum[side] += c->weight[i] * c->rate[i];
    }
    *x = centre;
    return (sum[1] - sum[0]) / (2 * h);
}

/* Gradient of the movie: frame s of a pixel is frame k of window t for all k + t = s. */
static void
movie_gradient(const retc_trial *c, double *gradient) {
    const retc_network *network = c->network;
    for (size_t k = 0; k < network->L; ++k)
        for (size_t p = 0; p < c->pixels; ++p)
            for (size_t t = 0; t < c->n; ++t)
                gradient[p * c->count + k + t] += (double)c->tape->window_grad[(k * c->pixels + p) * c->tape->ld + t];
}

/* Of the movie and of all parameters of convolutions, by the tape's own passes, with batch norm by its running statistics. */
START_TEST(inference_gradient_equals_finite_differences) {
    retc_trial c = retc_trial_make(&retc_recipes[_i], 11, 5);
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
    retc_trial_clear(&c);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("layers");
    TCase *cases = tcase_create("layers");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, forward_equals_the_reference, 0, RETC_RECIPES);
    tcase_add_loop_test(cases, training_gradient_equals_finite_differences, 0, RETC_RECIPES);
    tcase_add_loop_test(cases, inference_gradient_equals_finite_differences, 0, RETC_RECIPES);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
