#include "attribution.h"

#include <math.h>
#include <string.h>

#include "attribution_internal.h"
#include "normal.h"

static const double LEAST_NORM = 1e-8; /* as published */

const char *
retc_attribution_name(retc_attribution_method method) {
    static const char *const names[] = {"path",     "act-grad",        "act-normgrad", "normact-normgrad", "smooth-grad",
                                        "grad-cam", "smooth-grad-cam", "knock-out",    "shapley"};
    return names[method];
}

int
retc_attribution_has_baseline(retc_attribution_method method) {
    return method == RETC_METHOD_PATH || method == RETC_METHOD_KNOCK_OUT || method == RETC_METHOD_SHAPLEY;
}

static int
is_smooth(const retc_attribution_options *options) {
    return options->method == RETC_METHOD_SMOOTH_GRAD || options->method == RETC_METHOD_SMOOTH_GRAD_CAM;
}

int
retc_attribution_check(const retc_attribution_options *options) {
    if (is_smooth(options) && (options->samples == 0 || !(options->noise > 0) || !isfinite(options->noise)))
        return RETC_FAIL(RETC_EINVAL, "%s takes at least one stimulus with noise of a standard deviation above 0",
                         retc_attribution_name(options->method));
    if (options->method == RETC_METHOD_SHAPLEY && options->orders < 2)
        return RETC_FAIL(RETC_EINVAL, "shapley takes at least two random orders, or no standard error can be given");
    return RETC_OK;
}

/* ---- storage --------------------------------------------------------------------------------------------------------- */

static size_t
units_of(const retc_attribution *a, size_t k) {
    return retc_layer_units(&a->path->network->layer[a->path->cut[k]]);
}

static int
alloc_smooth(retc_attribution *a) {
    int status = RETC_OK;
    const retc_network *network = a->path->network;
    RETC_TRY(RETC_ALLOC(a->noisy, network->H * network->W * a->path->tape[1]->in_ld));
    RETC_TRY(RETC_ALLOC(a->frame, network->H * network->W));
    for (int power = 0; power < 3 && a->options->method == RETC_METHOD_SMOOTH_GRAD_CAM; ++power) {
        RETC_TRY(RETC_ALLOC(a->moment[power], a->path->cuts));
        for (size_t k = 0; k < a->path->cuts; ++k)
            RETC_TRY(RETC_ALLOC(a->moment[power][k], units_of(a, k) * a->ld));
    }
done:
    return status;
}

static int
alloc_knock_outs(retc_attribution *a, size_t units) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(a->kept, units * a->ld));
    RETC_TRY(RETC_ALLOC(a->full, a->ld));
    RETC_TRY(RETC_ALLOC(a->empty, a->ld));
    RETC_TRY(RETC_ALLOC(a->before, a->ld));
    if (a->options->method != RETC_METHOD_SHAPLEY)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(a->gain, a->channels * a->ld));
    RETC_TRY(RETC_ALLOC(a->mean, a->channels * a->ld));
    RETC_TRY(RETC_ALLOC(a->square, a->channels * a->ld));
    RETC_TRY(RETC_ALLOC(a->order, a->channels));
    RETC_TRY(RETC_ALLOC(a->variance, a->path->cuts));
    for (size_t k = 0; k < a->path->cuts; ++k)
        RETC_TRY(RETC_ALLOC(a->variance[k], a->path->network->layer[a->path->cut[k]].C * a->ld));
    RETC_TRY(RETC_GOT(a->rng = retc_rng_alloc(a->options->seed, RETC_STREAM_ATTRIBUTION, 0)));
done:
    return status;
}

retc_attribution *
retc_attribution_alloc(retc_path *path, const retc_attribution_options *options) {
    int status = RETC_OK;
    size_t units = 0;
    retc_attribution *a = retc_calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->path = path, a->options = options, a->ld = path->tape[1]->ld;
    for (size_t k = 0; k < path->cuts; ++k) {
        const retc_layer *layer = &path->network->layer[path->cut[k]];
        a->channels = layer->C > a->channels ? layer->C : a->channels;
        units = units_of(a, k) > units ? units_of(a, k) : units;
    }
    for (int i = 0; i < 2; ++i)
        RETC_TRY(RETC_ALLOC(a->norm[i], a->ld));
    RETC_TRY(RETC_ALLOC(a->weight, a->channels * a->ld));
    if (is_smooth(options))
        RETC_TRY(alloc_smooth(a));
    if (options->method == RETC_METHOD_KNOCK_OUT || options->method == RETC_METHOD_SHAPLEY)
        RETC_TRY(alloc_knock_outs(a, units));
done:
    if (status < 0) {
        retc_attribution_free(a);
        return NULL;
    }
    return a;
}

void
retc_attribution_free(retc_attribution *a) {
    if (!a)
        return;
    for (int power = 0; power < 3; ++power) {
        for (size_t k = 0; a->moment[power] && k < a->path->cuts; ++k)
            retc_free(a->moment[power][k]);
        retc_free(a->moment[power]);
    }
    for (size_t k = 0; a->variance && k < a->path->cuts; ++k)
        retc_free(a->variance[k]);
    retc_free(a->variance), retc_free(a->noisy), retc_free(a->frame), retc_free(a->norm[0]), retc_free(a->norm[1]);
    retc_free(a->weight), retc_free(a->kept), retc_free(a->full), retc_free(a->empty), retc_free(a->before);
    retc_free(a->gain), retc_free(a->mean), retc_free(a->square), retc_free(a->order);
    gsl_rng_free(a->rng);
    retc_free(a);
}

/* ---- activation times gradient --------------------------------------------------------------------------------------- */

/* Euclidean norms (n) over all rows, in double; 1 when not wanted. */
static void
norms(const float *x, size_t rows, size_t ld, size_t n, int wanted, double *norm) {
    memset(norm, 0, n * sizeof *norm);
    for (size_t row = 0; wanted && row < rows; ++row)
        for (size_t t = 0; t < n; ++t)
            norm[t] += (double)x[row * ld + t] * (double)x[row * ld + t];
    for (size_t t = 0; t < n; ++t)
        norm[t] = wanted ? fmax(sqrt(norm[t]), LEAST_NORM) : 1;
}

/* map += share times a g of a tape, each over its norm where that is wanted. */
static void
add_products(retc_attribution *a, const retc_tape *tape, size_t n, double share, int norm_a, int norm_g, float *const *map) {
    for (size_t k = 0; k < a->path->cuts; ++k) {
        size_t l = a->path->cut[k], units = units_of(a, k), ld = tape->ld;
        norms(tape->out[l], units, ld, n, norm_a, a->norm[0]);
        norms(tape->grad[l], units, ld, n, norm_g, a->norm[1]);
        for (size_t t = 0; t < n; ++t)
            a->norm[0][t] = share / (a->norm[0][t] * a->norm[1][t]);
        for (size_t row = 0; row < units; ++row) {
            if (!retc_path_sees(a->path->network, l, row))
                continue;
            for (size_t t = 0; t < n; ++t) {
                double product = (double)tape->out[l][row * ld + t] * (double)tape->grad[l][row * ld + t];
                map[k][row * ld + t] += (float)(a->norm[0][t] * product);
            }
        }
    }
}

/* ---- noise ----------------------------------------------------------------------------------------------------------- */

void
retc_attribution_noise(const retc_attribution_options *options, size_t sample, size_t frame, size_t pixels, float *x) {
    retc_normal normal;
    retc_normal_seed(&normal, retc_rng_name(options->seed, RETC_STREAM_ATTRIBUTION, frame * options->samples + sample));
    retc_normal_add(&normal, (float)options->noise, pixels, x);
}

void
retc_attribution_add_noise(retc_attribution *a, size_t sample, size_t frame, size_t n, retc_tape *tape) {
    const retc_network *network = a->path->network;
    retc_tape *clean = a->path->tape[0];
    float *movie = clean->movie;
    size_t pixels = network->H * network->W, in_ld = clean->in_ld;
    for (size_t f = 0; f < n + network->L - 1; ++f) {
        memset(a->frame, 0, pixels * sizeof *a->frame);
        retc_attribution_noise(a->options, sample, frame + f, pixels, a->frame);
        for (size_t p = 0; p < pixels; ++p)
            a->noisy[p * in_ld + f] = movie[p * in_ld + f] + a->frame[p];
    }
    clean->movie = a->noisy;
    retc_tape_convolve(clean, retc_network_values_const(network, network->layer[0].bias), n, tape->out[0]);
    clean->movie = movie;
    retc_tape_forward(tape, 1, network->layers, n);
}

static void
add_smooth(retc_attribution *a, size_t n, size_t frame, float share, float *const *map) {
    retc_tape *tape = a->path->tape[2];
    for (size_t sample = 0; sample < a->options->samples; ++sample) {
        retc_attribution_add_noise(a, sample, frame, n, tape);
        retc_path_differentiate(a->path, tape, tape, n);
        add_products(a, tape, n, (double)share / (double)a->options->samples, 0, 0, map);
    }
}

/* ---- all ------------------------------------------------------------------------------------------------------------- */

void
retc_attribution_add(retc_attribution *a, size_t n, size_t frame, size_t baseline, float share, float *const *map) {
    switch (a->options->method) {
    case RETC_METHOD_PATH:
        break;
    case RETC_METHOD_ACT_GRAD:
        add_products(a, a->path->end, n, (double)share, 0, 0, map);
        break;
    case RETC_METHOD_ACT_NORMGRAD:
        add_products(a, a->path->end, n, (double)share, 0, 1, map);
        break;
    case RETC_METHOD_NORMACT_NORMGRAD:
        add_products(a, a->path->end, n, (double)share, 1, 1, map);
        break;
    case RETC_METHOD_SMOOTH_GRAD:
        add_smooth(a, n, frame, share, map);
        break;
    case RETC_METHOD_GRAD_CAM:
    case RETC_METHOD_SMOOTH_GRAD_CAM:
        retc_attribution_add_cam(a, n, frame, share, map);
        break;
    case RETC_METHOD_KNOCK_OUT:
        retc_attribution_add_knock_outs(a, n, share, map);
        break;
    case RETC_METHOD_SHAPLEY:
        retc_attribution_add_shapley(a, n, baseline, share, map);
        break;
    }
}

const double *
retc_attribution_variance(const retc_attribution *a, size_t k) {
    return a->variance ? a->variance[k] : NULL;
}
