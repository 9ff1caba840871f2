#include "architecture.h"

#include <math.h>
#include <string.h>

#include "field.h"
#include "options.h"

/* ---- changing ---------------------------------------------------------------------------------------------------------- */

static int
is_convolution(const retc_layer_plan *plan) {
    return plan->kind == RETC_PLAN_CONV || plan->kind == RETC_PLAN_STACKED || plan->kind == RETC_PLAN_SEPARABLE;
}

/* Convolution i that is no readout: has as many channels as its table says. */
static retc_layer_plan *
find_convolution(retc_architecture *architecture, size_t i) {
    for (size_t l = 0; l < architecture->layers; ++l)
        if (is_convolution(&architecture->layer[l]) && architecture->layer[l].channels > 0 && i-- == 0)
            return &architecture->layer[l];
    return NULL;
}

int
retc_architecture_set_conv(retc_architecture *architecture, size_t i, size_t channels, size_t kernel) {
    if (channels == 0 && kernel == 0)
        return RETC_OK;
    retc_layer_plan *plan = find_convolution(architecture, i);
    if (!plan)
        return RETC_FAIL(RETC_EUSAGE, "--%s%zu: network %s has no convolution %zu", channels ? "channels" : "kernel", i,
                         architecture->name, i);
    if (channels)
        plan->channels = channels;
    if (kernel)
        plan->kernel[0] = plan->kernel[1] = kernel;
    return RETC_OK;
}

int
retc_architecture_set_noise(retc_architecture *architecture, double sigma) {
    size_t n = 0;
    for (size_t l = 0; l < architecture->layers; ++l)
        if (architecture->layer[l].kind == RETC_PLAN_NOISE) {
            architecture->layer[l].sigma = sigma;
            ++n;
        }
    return n ? RETC_OK : RETC_FAIL(RETC_EUSAGE, "--noise: network %s has no layer of noise", architecture->name);
}

int
retc_architecture_needs_centres(const retc_architecture *architecture) {
    for (size_t l = 0; l < architecture->layers; ++l)
        if (architecture->layer[l].kind == RETC_PLAN_GRAB)
            return 1;
    return 0;
}

void
retc_architecture_clear(retc_architecture *architecture) {
    retc_free(architecture->path);
    *architecture = (retc_architecture){0};
}

/* ---- building ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    const retc_architecture *architecture;
    const retc_layer_plan *plan;
    double mean_hz;
    retc_network *network;
    size_t C, h, w; /* what the layer before gives */
} building;

/* Kernels of presets shrink to the map. */
static void
fit_kernel(const building *b, size_t *kernel) {
    const size_t map[2] = {b->h, b->w};
    for (int d = 0; d < 2; ++d) {
        kernel[d] = b->plan->kernel[d] ? b->plan->kernel[d] : map[d];
        if (!b->architecture->path && kernel[d] > map[d])
            kernel[d] = map[d];
    }
}

/* Of the units of the map the one that sees nearest to the middle of each cell's receptive field. */
static int
add_grab(const building *b) {
    int status = RETC_OK;
    size_t *position = NULL;
    const size_t map[2] = {b->h, b->w};
    retc_field *field = NULL;
    if (b->C != b->network->N)
        return RETC_FAIL(RETC_EINVAL,
                         "takes one position per cell from maps of %zu channels; the layer before needs "
                         "channels = cells",
                         b->C);
    if (!b->network->centre)
        return RETC_FAIL(RETC_EINVAL, "takes one position per cell, and it is not known where the cells' receptive fields are");
    RETC_TRY(RETC_ALLOC(field, b->network->layers));
    RETC_TRY(RETC_ALLOC(position, 2 * b->C));
    retc_network_fields(b->network, field);
    const retc_field *before = &field[b->network->layers - 1];
    for (size_t i = 0; i < 2 * b->C; ++i)
        position[i] = retc_field_nearest(before, (int)(i % 2), (double)b->network->centre[i], map[i % 2]);
    RETC_TRY(retc_network_add_grab(b->network, position));
    b->network->layer[b->network->layers - 1].one_hot =
        b->plan->one_hot && b->h * b->w > 1; /* of a single unit torch would take 0/0 */
done:
    retc_free(position);
    retc_free(field);
    return status;
}

/* torch flattens a map before it takes statistics of units, and makes it a map again; these modules have numbers. */
static int
add_batchnorm(const building *b) {
    int flat = b->plan->per_unit && b->h * b->w > 1;
    if (flat)
        retc_network_skip_module(b->network);
    int status = retc_network_add_batchnorm(b->network, b->plan->per_unit != 0, b->plan->absolute != 0, b->plan->eps);
    if (flat)
        retc_network_skip_module(b->network);
    return status;
}

static int
add_residual(const building *b) {
    for (size_t l = 0; l < b->network->layers; ++l)
        if (!strcmp(b->architecture->layer[l].name, b->plan->from))
            return retc_network_add_residual(b->network, l);
    return RETC_FAIL(RETC_EINVAL, "there is no earlier layer called %s", b->plan->from);
}

static int
add_planned(const building *b) {
    static const retc_layer_kind simple[RETC_PLAN_KINDS] = {
        [RETC_PLAN_RELU] = RETC_LAYER_RELU,       [RETC_PLAN_SOFTPLUS] = RETC_LAYER_SOFTPLUS,
        [RETC_PLAN_EXP] = RETC_LAYER_EXP,         [RETC_PLAN_TANH] = RETC_LAYER_TANH,
        [RETC_PLAN_SIGMOID] = RETC_LAYER_SIGMOID, [RETC_PLAN_MAXPOOL] = RETC_LAYER_MAXPOOL,
        [RETC_PLAN_AVGPOOL] = RETC_LAYER_AVGPOOL};
    retc_network *network = b->network;
    const retc_layer_plan *plan = b->plan;
    size_t kernel[2], channels = plan->channels ? plan->channels : network->N;
    int bias = plan->bias != 0;
    fit_kernel(b, kernel);
    switch ((retc_plan_kind)plan->kind) {
    case RETC_PLAN_CONV:
        return retc_network_add_conv(network, channels, kernel[0], kernel[1], bias, 0);
    case RETC_PLAN_STACKED:
        return retc_network_add_stacked(network, channels, kernel[0], kernel[1], bias);
    case RETC_PLAN_SEPARABLE:
        return retc_network_add_separable(network, channels, kernel[0], kernel[1], bias);
    case RETC_PLAN_DENSE:
        retc_network_skip_module(network); /* torch's Flatten */
        return retc_network_add_conv(network, channels, 0, 0, bias, 1);
    case RETC_PLAN_FACTORISED:
        return retc_network_add_factorised(network, channels, bias);
    case RETC_PLAN_BATCHNORM:
        return add_batchnorm(b);
    case RETC_PLAN_NOISE:
        return retc_network_add_noise(network, plan->sigma);
    case RETC_PLAN_MAXPOOL:
    case RETC_PLAN_AVGPOOL:
        return retc_network_add_pool(network, simple[plan->kind], kernel[0], kernel[1]);
    case RETC_PLAN_RESIDUAL:
        return add_residual(b);
    case RETC_PLAN_GRAB:
        return add_grab(b);
    case RETC_PLAN_AVERAGE:
        return retc_network_add_average(network);
    case RETC_PLAN_SCALE:
        return retc_network_add_scale(network, plan->hz > 0 ? plan->hz : b->mean_hz, plan->offset);
    default:
        return retc_network_add_simple(network, simple[plan->kind]);
    }
}

/* "mine.ini:12: [layer:conv1]" in front of the reason. */
static int
blame(const retc_architecture *architecture, const retc_layer_plan *plan, int code) {
    const char *colon = plan->name[0] ? ":" : "";
    if (architecture->path)
        return retc_error_prefix(code, "%s:%zu: [layer%s%s]", architecture->path, plan->line, colon, plan->name);
    return retc_error_prefix(code, "network %s: [layer%s%s]", architecture->name, colon, plan->name);
}

static int
sees_stimulus(const retc_layer_plan *plan) {
    return is_convolution(plan) || plan->kind == RETC_PLAN_DENSE || plan->kind == RETC_PLAN_FACTORISED;
}

int
retc_architecture_build(const retc_architecture *architecture, double mean_hz, retc_network *network) {
    building b = {.architecture = architecture, .mean_hz = mean_hz, .network = network};
    b.C = network->L, b.h = network->H, b.w = network->W;
    if (!sees_stimulus(&architecture->layer[0]))
        return blame(architecture, &architecture->layer[0],
                     RETC_FAIL(RETC_EINVAL, "the first layer sees the stimulus: it should be of kind conv, stacked, "
                                            "separable, dense or factorised"));
    for (size_t l = 0; l < architecture->layers; ++l) {
        b.plan = &architecture->layer[l];
        int status = add_planned(&b);
        if (status < 0)
            return blame(architecture, b.plan, status);
        const retc_layer *layer = &network->layer[network->layers - 1];
        b.C = layer->C, b.h = layer->h, b.w = layer->w;
    }
    int status = retc_network_finish(network);
    return status < 0 ? blame(architecture, &architecture->layer[architecture->layers - 1], status) : status;
}

/* ---- beginning at mean rates ------------------------------------------------------------------------------------------- */

/* The input at which an output nonlinearity gives `y`; where no input does, one that comes near. */
static double
inverse(retc_layer_kind kind, double y) {
    switch (kind) {
    case RETC_LAYER_SOFTPLUS:
        return log(expm1(fmax(y, 1e-3)));
    case RETC_LAYER_EXP:
        return log(fmax(y, 1e-3));
    case RETC_LAYER_RELU:
        return fmax(y, 1e-3);
    case RETC_LAYER_SIGMOID:
        y = fmin(fmax(y, 1e-3), 1 - 1e-3);
        return log(y / (1 - y));
    case RETC_LAYER_TANH:
        return atanh(fmin(fmax(y, -1 + 1e-3), 1 - 1e-3));
    default:
        return y;
    }
}

static int
is_nonlinearity(retc_layer_kind kind) {
    return kind == RETC_LAYER_SOFTPLUS || kind == RETC_LAYER_EXP || kind == RETC_LAYER_RELU || kind == RETC_LAYER_SIGMOID ||
           kind == RETC_LAYER_TANH;
}

/* Multiply what a convolution is linear in. */
static void
shrink_weights(retc_network *network, const retc_layer *layer, float factor) {
    int trained = layer->form == RETC_WEIGHT_PLAIN ? layer->weight : layer->source;
    const retc_param *param = &network->param[trained];
    for (size_t i = 0; i < param->size; ++i)
        network->value[param->offset + i] *= factor;
    retc_network_derive(network);
}

void
retc_network_start_at_rates(retc_network *network, const double *rate) {
    enum { SHRINK_PERCENT = 35 }; /* inputs of variance 1 behind ReLU leave a convolution as He draws it with a spread of 1.4 */
    size_t l = network->layers, N = network->N;
    double value = 1, offset = 0;
    retc_layer_kind kind = RETC_LAYER_SCALE;
    for (; l > 0; --l) {
        const retc_layer *layer = &network->layer[l - 1];
        if (layer->kind == RETC_LAYER_SCALE)
            value *= layer->value, offset = layer->offset;
        else if (is_nonlinearity(layer->kind) && kind == RETC_LAYER_SCALE)
            kind = layer->kind;
        else if (layer->kind != RETC_LAYER_GRAB && layer->kind != RETC_LAYER_AVERAGE)
            break;
    }
    const retc_layer *layer = l ? &network->layer[l - 1] : NULL;
    if (!layer || layer->bias == RETC_NO_PARAM || layer->C != N ||
        (layer->kind != RETC_LAYER_BATCHNORM && layer->kind != RETC_LAYER_CONV))
        return;
    size_t n = network->param[layer->bias].size;
    float *bias = retc_network_values(network, layer->bias);
    for (size_t i = 0; i < n; ++i)
        bias[i] = (float)inverse(kind, (rate[i / (n / N)] - offset) / value);
    if (layer->kind == RETC_LAYER_CONV) {
        shrink_weights(network, layer, SHRINK_PERCENT / 100.0f);
        return;
    }
    for (size_t i = 0; i < n; ++i)
        retc_network_values(network, layer->weight)[i] = 0.5f;
}
