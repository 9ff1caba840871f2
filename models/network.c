#include "network_internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { GROW = 8 };

retc_network *
retc_network_alloc(const char *model_type, size_t L, size_t H, size_t W, size_t N) {
    retc_network *network = retc_calloc(1, sizeof *network);
    if (!network)
        return NULL;
    *network = (retc_network){.L = L, .H = H, .W = W, .N = N, .lag = 1, .stimulus_std = 1};
    network->model_type = retc_strdup(model_type);
    network->cell_name = retc_calloc(N, sizeof *network->cell_name);
    network->cell_row = retc_calloc(N, sizeof *network->cell_row);
    int ok = network->model_type && network->cell_name && network->cell_row;
    for (size_t j = 0; ok && j < N; ++j) {
        network->cell_row[j] = (int64_t)j;
        ok = (network->cell_name[j] = retc_strf("cell%02zu", j + 1)) != NULL;
    }
    if (!ok) {
        retc_network_free(network);
        return NULL;
    }
    return network;
}

void
retc_network_free(retc_network *network) {
    if (!network)
        return;
    for (size_t l = 0; l < network->layers; ++l)
        retc_free(network->layer[l].position);
    for (size_t j = 0; network->cell_name && j < network->N; ++j)
        retc_free(network->cell_name[j]);
    retc_free(network->cell_name);
    retc_free(network->cell_row);
    retc_free(network->centre);
    retc_free(network->model_type);
    retc_free(network->layer);
    retc_free(network->param);
    retc_free(network->value);
    retc_free(network->scratch);
    retc_free(network);
}

static void *
duplicate(const void *block, size_t n, size_t size) {
    void *copy = retc_calloc(n ? n : 1, size);
    return copy && n ? memcpy(copy, block, n * size) : copy;
}

retc_network *
retc_network_copy(const retc_network *from) {
    retc_network *to = retc_network_alloc(from->model_type, from->L, from->H, from->W, from->N);
    if (!to)
        return NULL;
    to->lag = from->lag;
    to->stimulus_mean = from->stimulus_mean;
    to->stimulus_std = from->stimulus_std;
    to->frame_interval = from->frame_interval;
    to->modules = from->modules;
    to->params = from->params;
    to->values = from->values;
    to->layer = duplicate(from->layer, from->layers, sizeof *from->layer);
    to->param = duplicate(from->param, from->params, sizeof *from->param);
    to->value = duplicate(from->value, from->values, sizeof *from->value);
    to->scratch_size = from->scratch_size;
    to->scratch = duplicate(from->scratch, from->scratch_size, sizeof *from->scratch);
    int ok = to->layer && to->param && to->value && to->scratch;
    if (ok && from->centre)
        ok = (to->centre = duplicate(from->centre, 2 * from->N, sizeof *from->centre)) != NULL;
    for (size_t l = 0; ok && l < from->layers; ++l, ++to->layers)
        if (from->layer[l].position)
            ok = (to->layer[l].position = duplicate(from->layer[l].position, 2 * from->layer[l].C, sizeof(size_t))) != NULL;
    memcpy(to->cell_row, from->cell_row, from->N * sizeof *from->cell_row);
    for (size_t j = 0; ok && j < from->N; ++j)
        ok = retc_network_set_cell_name(to, j, from->cell_name[j]) == RETC_OK;
    if (!ok) {
        retc_network_free(to);
        return NULL;
    }
    return to;
}

int
retc_network_set_cell_name(retc_network *network, size_t j, const char *name) {
    char *copy = retc_strdup(name);
    if (!copy)
        return RETC_ENOMEM;
    retc_free(network->cell_name[j]);
    network->cell_name[j] = copy;
    return RETC_OK;
}

size_t
retc_layer_units(const retc_layer *layer) {
    return layer->C * layer->h * layer->w;
}

size_t
retc_network_cuts(const retc_network *network, size_t *cut) {
    size_t n = 0;
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].cut[0])
            cut[n++] = l;
    return n;
}

/* ---- building -------------------------------------------------------------------------------------------------------- */

/* Room for one more element, grown by GROW at a time. */
static int
grow(void **block, size_t used, size_t size) {
    if (used % GROW)
        return RETC_OK;
    void *larger = retc_calloc(used + GROW, size);
    if (!larger)
        return RETC_ENOMEM;
    if (*block)
        memcpy(larger, *block, used * size);
    retc_free(*block);
    *block = larger;
    return RETC_OK;
}

retc_layer *
retc_network_append(retc_network *network, retc_layer_kind kind) {
    void *block = network->layer;
    if (grow(&block, network->layers, sizeof *network->layer) < 0)
        return NULL;
    network->layer = block;
    retc_layer *layer = &network->layer[network->layers];
    *layer = (retc_layer){.kind = kind,
                          .C = network->L,
                          .h = network->H,
                          .w = network->W,
                          .value = 1,
                          .weight = RETC_NO_PARAM,
                          .bias = RETC_NO_PARAM,
                          .mean = RETC_NO_PARAM,
                          .var = RETC_NO_PARAM};
    if (network->layers) {
        const retc_layer *before = layer - 1;
        layer->C = before->C, layer->h = before->h, layer->w = before->w;
    }
    snprintf(layer->module, sizeof layer->module, "sequential.%zu", network->modules++);
    ++network->layers;
    return layer;
}

int
retc_network_append_param(retc_network *network, const retc_layer *layer, const char *suffix, int rank, const size_t *shape,
                          int trainable) {
    void *block = network->param;
    if (grow(&block, network->params, sizeof *network->param) < 0)
        return RETC_ENOMEM;
    network->param = block;
    retc_param *param = &network->param[network->params];
    *param = (retc_param){.rank = rank, .offset = network->values, .size = 1, .trainable = trainable};
    snprintf(param->name, sizeof param->name, "%.40s.%.20s", layer->module, suffix);
    for (int d = 0; d < rank; ++d) {
        param->shape[d] = shape[d];
        param->size *= shape[d];
    }
    float *values = retc_calloc(network->values + param->size, sizeof *values);
    if (!values)
        return RETC_ENOMEM;
    if (network->value)
        memcpy(values, network->value, network->values * sizeof *values);
    retc_free(network->value);
    network->value = values;
    network->values += param->size;
    return (int)network->params++;
}

void
retc_network_skip_module(retc_network *network) {
    ++network->modules;
}

int
retc_network_append_conv(retc_network *network, size_t K, size_t kh, size_t kw, retc_layer **appended) {
    size_t convolutions = 0;
    for (size_t l = 0; l < network->layers; ++l)
        convolutions += network->layer[l].kind == RETC_LAYER_CONV;
    retc_layer *layer = retc_network_append(network, RETC_LAYER_CONV);
    if (!layer)
        return RETC_ENOMEM;
    layer->kh = kh ? kh : layer->h;
    layer->kw = kw ? kw : layer->w;
    if (K == 0 || layer->kh > layer->h || layer->kw > layer->w)
        return RETC_FAIL(RETC_EINVAL,
                         "layer %s: %zu channels with a kernel of %zux%zu on a map of %zux%zu: the kernel must fit",
                         layer->module, K, layer->kh, layer->kw, layer->h, layer->w);
    snprintf(layer->cut, sizeof layer->cut, "conv%zu", convolutions);
    layer->C = K;
    layer->h = layer->h - layer->kh + 1;
    layer->w = layer->w - layer->kw + 1;
    *appended = layer;
    return RETC_OK;
}

size_t
retc_network_inputs(const retc_network *network, size_t l) {
    return l ? network->layer[l - 1].C : network->L;
}

int
retc_network_add_conv(retc_network *network, size_t K, size_t kh, size_t kw, int with_bias, int dense) {
    retc_layer *layer;
    int status = retc_network_append_conv(network, K, kh, kw, &layer);
    if (status < 0)
        return status;
    size_t C = retc_network_inputs(network, network->layers - 1);
    size_t shape[4] = {K, C, layer->kh, layer->kw}, flat[2] = {K, C * layer->kh * layer->kw};
    layer->dense = dense;
    layer->weight = retc_network_append_param(network, layer, "weight", dense ? 2 : 4, dense ? flat : shape, 1);
    if (layer->weight >= 0 && with_bias)
        layer->bias = retc_network_append_param(network, layer, "bias", 1, &K, 1);
    return layer->weight < 0 || (with_bias && layer->bias < 0) ? RETC_ENOMEM : RETC_OK;
}

int
retc_network_add_batchnorm(retc_network *network, int per_unit, int absolute, double eps) {
    retc_layer *layer = retc_network_append(network, RETC_LAYER_BATCHNORM);
    if (!layer)
        return RETC_ENOMEM;
    layer->per_unit = per_unit;
    layer->absolute = absolute;
    layer->eps = eps;
    size_t n = per_unit ? retc_layer_units(layer) : layer->C;
    layer->weight = retc_network_append_param(network, layer, absolute ? "scale" : "weight", 1, &n, 1);
    layer->bias = retc_network_append_param(network, layer, absolute ? "shift" : "bias", 1, &n, 1);
    layer->mean = retc_network_append_param(network, layer, "running_mean", 1, &n, 0);
    layer->var = retc_network_append_param(network, layer, "running_var", 1, &n, 0);
    if (layer->weight < 0 || layer->bias < 0 || layer->mean < 0 || layer->var < 0)
        return RETC_ENOMEM;
    for (size_t i = 0; i < n; ++i) {
        retc_network_values(network, layer->weight)[i] = 1;
        retc_network_values(network, layer->var)[i] = 1;
    }
    return RETC_OK;
}

int
retc_network_add_noise(retc_network *network, double sigma) {
    retc_layer *layer = retc_network_append(network, RETC_LAYER_NOISE);
    if (!layer)
        return RETC_ENOMEM;
    layer->sigma = sigma;
    return RETC_OK;
}

int
retc_network_add_grab(retc_network *network, const size_t *position) {
    retc_layer *layer = retc_network_append(network, RETC_LAYER_GRAB);
    if (!layer)
        return RETC_ENOMEM;
    for (size_t c = 0; c < layer->C; ++c)
        if (position[2 * c] >= layer->h || position[2 * c + 1] >= layer->w)
            return RETC_FAIL(RETC_EINVAL, "readout position (%zu,%zu) of channel %zu is outside its map of %zux%zu",
                             position[2 * c], position[2 * c + 1], c, layer->h, layer->w);
    if (!(layer->position = duplicate(position, 2 * layer->C, sizeof *position)))
        return RETC_ENOMEM;
    layer->h = layer->w = 1;
    return RETC_OK;
}

int
retc_network_add_average(retc_network *network) {
    retc_layer *layer = retc_network_append(network, RETC_LAYER_AVERAGE);
    if (!layer)
        return RETC_ENOMEM;
    size_t shape[2] = {layer->C, layer->h * layer->w};
    if (shape[1] < 2)
        return RETC_FAIL(RETC_EINVAL, "layer %s averages a map of one position: less their least its weights are 0/0",
                         layer->module);
    layer->weight = retc_network_append_param(network, layer, "w", 2, shape, 1);
    if (layer->weight < 0)
        return RETC_ENOMEM;
    network->param[layer->weight].relative = 1;
    layer->h = layer->w = 1;
    return RETC_OK;
}

int
retc_network_add_piecewise(retc_network *network, size_t knots) {
    retc_layer *layer = retc_network_append(network, RETC_LAYER_PIECEWISE);
    if (!layer)
        return RETC_ENOMEM;
    if (knots < 1)
        return RETC_FAIL(RETC_EINVAL, "a piecewise nonlinearity needs at least one knot");
    layer->knots = knots;
    size_t shape[2] = {layer->C, knots};
    layer->weight = retc_network_append_param(network, layer, "knot_x", 2, shape, 0);
    layer->bias = retc_network_append_param(network, layer, "knot_y", 2, shape, 0);
    return layer->weight < 0 || layer->bias < 0 ? RETC_ENOMEM : RETC_OK;
}

int
retc_network_add_scale(retc_network *network, double value, double offset) {
    retc_layer *layer = retc_network_append(network, RETC_LAYER_SCALE);
    if (!layer)
        return RETC_ENOMEM;
    layer->value = value;
    layer->offset = offset;
    return RETC_OK;
}

int
retc_network_add_simple(retc_network *network, retc_layer_kind kind) {
    return retc_network_append(network, kind) ? RETC_OK : RETC_ENOMEM;
}

int
retc_network_add_pool(retc_network *network, retc_layer_kind kind, size_t kh, size_t kw) {
    retc_layer *layer = retc_network_append(network, kind);
    if (!layer)
        return RETC_ENOMEM;
    if (kh < 1 || kw < 1 || kh > layer->h || kw > layer->w)
        return RETC_FAIL(RETC_EINVAL, "layer %s: a pool of %zux%zu on a map of %zux%zu: the window must fit", layer->module, kh,
                         kw, layer->h, layer->w);
    layer->kh = kh, layer->kw = kw;
    layer->h /= kh, layer->w /= kw;
    return RETC_OK;
}

int
retc_network_add_residual(retc_network *network, size_t skip) {
    size_t l = network->layers;
    retc_layer *layer = retc_network_append(network, RETC_LAYER_ADD);
    if (!layer)
        return RETC_ENOMEM;
    if (skip >= l)
        return RETC_FAIL(RETC_EINVAL, "layer %s: layer %zu is to be added again, the layers before are 0 to %zu", layer->module,
                         skip, l - 1);
    const retc_layer *from = &network->layer[skip];
    if (from->C != layer->C || from->h < layer->h || from->w < layer->w)
        return RETC_FAIL(RETC_EINVAL,
                         "layer %s: an output of (%zu,%zu,%zu) cannot be added to one of (%zu,%zu,%zu): it must have as many "
                         "channels and a map that is not smaller",
                         layer->module, from->C, from->h, from->w, layer->C, layer->h, layer->w);
    layer->skip = skip;
    return RETC_OK;
}

size_t
retc_layer_middle(const retc_network *network, const retc_layer *layer, size_t unit) {
    const retc_layer *from = &network->layer[layer->skip];
    size_t x = unit % layer->w + (from->w - layer->w) / 2, y = unit / layer->w % layer->h + (from->h - layer->h) / 2;
    return (unit / (layer->h * layer->w) * from->h + y) * from->w + x;
}

int
retc_network_finish(const retc_network *network) {
    if (network->layers == 0 || network->layer[0].kind != RETC_LAYER_CONV)
        return RETC_FAIL(RETC_EINVAL, "a network must begin with a convolution over the stimulus");
    const retc_layer *last = &network->layer[network->layers - 1];
    if (retc_layer_units(last) != network->N)
        return RETC_FAIL(RETC_EINVAL, "the last layer gives (%zu,%zu,%zu) values, one for each of %zu cells was expected",
                         last->C, last->h, last->w, network->N);
    return RETC_OK;
}

/* ---- parameters ------------------------------------------------------------------------------------------------------ */

const retc_param *
retc_network_param(const retc_network *network, const char *name) {
    for (size_t i = 0; i < network->params; ++i)
        if (strcmp(network->param[i].name, name) == 0)
            return &network->param[i];
    return NULL;
}

size_t
retc_network_trainable(const retc_network *network) {
    size_t n = 0;
    for (size_t i = 0; i < network->params; ++i)
        n += network->param[i].trainable ? network->param[i].size : 0;
    return n;
}

float *
retc_network_values(retc_network *network, int param) {
    return param < 0 ? NULL : network->value + network->param[param].offset;
}

const float *
retc_network_values_const(const retc_network *network, int param) {
    return param < 0 ? NULL : network->value + network->param[param].offset;
}

int
retc_network_is_added_again(const retc_network *network, size_t l) {
    for (size_t i = l + 1; i < network->layers; ++i)
        if (network->layer[i].kind == RETC_LAYER_ADD && network->layer[i].skip == l)
            return 1;
    return 0;
}

size_t
retc_network_bypasses(const retc_network *network, size_t l, size_t *at) {
    size_t n = 0;
    for (size_t i = l + 1; i < network->layers; ++i)
        if (network->layer[i].kind == RETC_LAYER_ADD && network->layer[i].skip < l) {
            if (at)
                at[n] = i;
            ++n;
        }
    return n;
}

const size_t *
retc_network_grabbed(const retc_network *network, size_t l) {
    int followed = l > 0 && l + 1 < network->layers && network->layer[l].kind == RETC_LAYER_CONV &&
                   network->layer[l + 1].kind == RETC_LAYER_GRAB;
    return followed && !retc_network_is_added_again(network, l) ? network->layer[l + 1].position : NULL;
}

void
retc_average_weights(const retc_network *network, const retc_layer *layer, size_t c, double *least, double *total) {
    size_t n = network->param[layer->weight].shape[1];
    const float *w = retc_network_values_const(network, layer->weight) + c * n;
    double sum = 0;
    *least = (double)w[0];
    for (size_t l = 0; l < n; ++l)
        *least = fmin(*least, (double)w[l]);
    for (size_t l = 0; l < n; ++l)
        sum += (double)w[l] - *least;
    *total = sum;
}

void
retc_batchnorm_affine(const retc_network *network, const retc_layer *layer, size_t f, float *scale, float *shift) {
    double weight = (double)retc_network_values_const(network, layer->weight)[f];
    double bias = (double)retc_network_values_const(network, layer->bias)[f];
    double mean = (double)retc_network_values_const(network, layer->mean)[f];
    double var = (double)retc_network_values_const(network, layer->var)[f];
    double slope = (layer->absolute ? fabs(weight) : weight) / sqrt(var + layer->eps);
    *scale = (float)slope;
    *shift = (float)(bias - mean * slope);
}
