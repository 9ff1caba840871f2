/* What must add up in every kind of layer: adjoints to their operators, secants to the differences between their ends. */
#include <math.h>
#include <string.h>

#include "fixtures.h"
#include "layer_recipes.h"
#include "testing.h"

/* ---- secants --------------------------------------------------------------------------------------------------------- */

/* A second tape at another stimulus, and for some times at the same one or nearly so. */
static retc_tape *
other_end(const retc_trial *c) {
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
    retc_trial c = retc_trial_make(&retc_recipes[_i], 12, 48);
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
            double bound = 2 * (double)sums * retc_float_roundoff * size;
            ck_assert_msg(fabs(below - above) <= bound, "%s, layer %zu, time %zu: %.9g below, %.9g above, allowed %.3g",
                          retc_recipes[_i].name, l, t, below, above, bound);
        }
        retc_free(gin);
    }
    retc_tape_free(other);
    retc_trial_clear(&c);
}
END_TEST

/* Through the whole network, residual additions and all: what arrives at the first layer is the change of the target. */
START_TEST(secants_add_up_through_networks) {
    retc_trial c = retc_trial_make(&retc_recipes[_i], 13, 48);
    const retc_network *network = c.network;
    retc_tape *other = other_end(&c);
    size_t ld = c.tape->ld, last = network->layers - 1;
    retc_tape_backward_secant(c.tape, other, last, 0, c.n);
    for (size_t t = 0; t < c.n; ++t) {
        double size = 0, below = carried(&network->layer[0], c.tape->grad[0], c.tape->out[0], other->out[0], ld, t, &size);
        double above = carried(&network->layer[last], c.tape->grad[last], c.tape->out[last], other->out[last], ld, t, &size);
        /* The roundings of all layers; magnitudes in the middle may be a few times those at the ends. */
        double bound = 4 * (double)retc_recipe_terms(network) * retc_float_roundoff * size;
        ck_assert_msg(fabs(below - above) <= bound, "%s, time %zu: %.9g below, %.9g above, allowed %.3g", retc_recipes[_i].name,
                      t, below, above, bound);
    }
    retc_tape_free(other);
    retc_trial_clear(&c);
}
END_TEST

/* The first of equal values is the largest, and what is not a number is larger still, as with torch. */
START_TEST(ties_of_pools_go_to_the_first) {
    static const retc_recipe pool = {"ties", 1, 2, 3, {CONV(1, 1, 1), POOL(MAX, 2, 3)}};
    retc_network *network = retc_recipe_build(&pool, 1);
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

/* <A x, y> = <x, A' y> for every linear layer between maps: A x is what the layer gives less what it gives for 0.  A residual
 * addition has two inputs. */
START_TEST(linear_layers_have_true_adjoints) {
    enum { FRAMES = 19 };
    retc_network *network = retc_recipe_build(&retc_recipes[_i], 14);
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
        retc_recipe_randomise(x, in_n, rng), retc_recipe_randomise(y, out_n, rng);
        if (from)
            memset(tape->out[layer->skip], 0, retc_layer_units(from) * ld * sizeof(float));
        retc_layer_forward(tape, l, zero, FRAMES, at_zero);
        if (from)
            retc_recipe_randomise(tape->out[layer->skip], retc_layer_units(from) * ld, rng);
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
        double bound = 4 * (double)retc_recipe_terms(network) * retc_float_roundoff * size;
        ck_assert_msg(fabs(forward - backward) <= bound, "%s, layer %zu: %.9g forward, %.9g backward, allowed %.3g",
                      retc_recipes[_i].name, l, forward, backward, bound);
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
    retc_network *network = retc_recipe_build(&retc_recipes[_i], 16);
    gsl_rng *rng = retc_rng_alloc(17, RETC_STREAM_SHUFFLE, (uint64_t)_i);
    float *g = retc_calloc(network->values, sizeof *g), *gradient = retc_calloc(network->values, sizeof *g);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->form == RETC_WEIGHT_PLAIN)
            continue;
        const retc_param *weight = &network->param[layer->weight];
        double forward = 0, size = 0;
        memset(g, 0, network->values * sizeof *g);
        retc_recipe_randomise(g + weight->offset, weight->size, rng);
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
            double bound =
                2 * (4 + (double)(layer->form == RETC_WEIGHT_FACTORISED ? source->size : 0)) * retc_float_roundoff * size;
            ck_assert_msg(fabs(forward - backward) <= bound, "%s: %.9g, %.9g expected, allowed %.3g", source->name, backward,
                          forward, bound);
        }
    }
    retc_free(g), retc_free(gradient);
    gsl_rng_free(rng);
    retc_network_free(network);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("layer sums");
    TCase *cases = tcase_create("layer sums");
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, secants_add_up_layer_by_layer, 0, RETC_RECIPES);
    tcase_add_loop_test(cases, secants_add_up_through_networks, 0, RETC_RECIPES);
    tcase_add_test(cases, ties_of_pools_go_to_the_first);
    tcase_add_loop_test(cases, linear_layers_have_true_adjoints, 0, RETC_RECIPES);
    tcase_add_loop_test(cases, derived_weights_have_true_adjoints, 0, RETC_RECIPES);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
