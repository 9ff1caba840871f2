#include "model_file.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stacked.h"

static const char format_name[] = "retcodec-checkpoint";
enum { FORMAT_VERSION = 1 };
static const double y_stats_epsilon = 1e-5; /* the peers add it to y_stats/std: rate = output (std + 1e-5) + mean */

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static const char *
layer_class(const retc_layer *layer) {
    int map = layer->h * layer->w > 1 && !layer->per_unit;
    switch (layer->kind) {
    case RETC_LAYER_CONV:
        return layer->dense ? "Linear" : "Conv2d";
    case RETC_LAYER_BATCHNORM:
        return layer->absolute ? (map ? "AbsBatchNorm2d" : "AbsBatchNorm1d") : (map ? "BatchNorm2d" : "BatchNorm1d");
    case RETC_LAYER_NOISE:
        return "GaussianNoise";
    case RETC_LAYER_RELU:
        return "ReLU";
    case RETC_LAYER_GRAB:
        return "GrabUnits";
    case RETC_LAYER_SOFTPLUS:
        return "Softplus";
    case RETC_LAYER_PIECEWISE:
        return "PiecewiseLinear";
    case RETC_LAYER_SCALE:
        break;
    }
    return NULL;
}

/* JSON of the layers; the closing scale is no module, it goes to y_stats. */
static char *
layers_json(const retc_network *network) {
    json_t *list = json_array();
    for (size_t l = 0; list && l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->kind == RETC_LAYER_SCALE)
            continue;
        json_t *entry = json_pack("{s:s, s:s}", "name", layer->module, "class", layer_class(layer));
        if (entry && layer->kind == RETC_LAYER_BATCHNORM)
            json_object_set_new(entry, "eps", json_real(layer->eps));
        if (entry && layer->kind == RETC_LAYER_BATCHNORM && layer->per_unit)
            json_object_set_new(entry, "per_unit", json_true());
        if (entry && layer->kind == RETC_LAYER_NOISE)
            json_object_set_new(entry, "sigma", json_real(layer->sigma));
        json_array_append_new(list, entry);
    }
    char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    char *copy = retc_strdup(text);
    free(text);
    return copy;
}

static int
write_tensors(const retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *param = &network->param[i];
        char name[RETC_NAME_SIZE + 16];
        snprintf(name, sizeof name, "/state_dict/%s", param->name);
        RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, param->rank, param->shape, network->value + param->offset));
    }
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->kind == RETC_LAYER_GRAB) {
            int64_t *position = NULL;
            size_t shape[2] = {layer->C, 2};
            RETC_TRY(RETC_ALLOC(position, 2 * layer->C));
            for (size_t c = 0; c < 2 * layer->C; ++c)
                position[c] = (int64_t)layer->position[c];
            status = retc_h5_put(file, "/grab_units/coords", RETC_H5_INT64, 2, shape, position);
            retc_free(position);
            RETC_TRY(status);
        } else if (layer->kind == RETC_LAYER_SCALE) {
            double std = layer->value - y_stats_epsilon;
            RETC_TRY(retc_h5_put(file, "/y_stats/mean", RETC_H5_DOUBLE, 0, NULL, &layer->offset));
            RETC_TRY(retc_h5_put(file, "/y_stats/std", RETC_H5_DOUBLE, 0, NULL, &std));
        }
    }
done:
    return status;
}

int
retc_network_write(const retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    int64_t *cells = NULL;
    char *layers = NULL, *hyps = NULL;
    RETC_TRY(RETC_GOT(layers = layers_json(network)));
    RETC_TRY(RETC_GOT(hyps = retc_strf("{\"img_shape\": [%zu, %zu, %zu], \"n_units\": %zu}", network->L, network->H, network->W,
                                       network->N)));
    RETC_TRY(RETC_ALLOC(cells, network->N));
    for (size_t j = 0; j < network->N; ++j)
        cells[j] = (int64_t)j;
    RETC_TRY(retc_h5_set_text(file, "/", "format", format_name));
    RETC_TRY(retc_h5_set_int(file, "/", "format_version", FORMAT_VERSION));
    RETC_TRY(retc_h5_set_text(file, "/", "model_type", network->model_type));
    RETC_TRY(retc_h5_set_text(file, "/", "layers_json", layers));
    RETC_TRY(retc_h5_set_text(file, "/", "hyps_json", hyps));
    RETC_TRY(retc_h5_set_int(file, "/", "lag", (int64_t)network->lag));
    RETC_TRY(retc_h5_set_number(file, "/", "frame_interval", network->frame_interval));
    RETC_TRY(retc_h5_put(file, "/norm_stats/mean", RETC_H5_DOUBLE, 0, NULL, &network->stimulus_mean));
    RETC_TRY(retc_h5_put(file, "/norm_stats/std", RETC_H5_DOUBLE, 0, NULL, &network->stimulus_std));
    RETC_TRY(retc_h5_put(file, "/cells", RETC_H5_INT64, 1, &network->N, cells));
    RETC_TRY(retc_h5_put_texts(file, "/cell_names", network->N, (const char *const *)network->cell_name));
    RETC_TRY(write_tensors(network, file));
done:
    retc_free(cells);
    retc_free(layers);
    retc_free(hyps);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* Batch norms inside stacks are of torch-deep-retina's own class, with its class's epsilon (FORMATS 4.1). */
static const double stack_epsilon = 1e-5;

/* A stack of linear convolutions becomes the one that equals it; its values are read with the other tensors. */
static int
add_stack(retc_network *network, retc_h5 *file, const char *module) {
    retc_kernel kernel = {0};
    int status = retc_stacked_collapse(file, module, stack_epsilon, &kernel);
    if (status == RETC_OK)
        status = retc_network_add_conv(network, kernel.K, kernel.h, kernel.w, 1, 0);
    retc_kernel_clear(&kernel);
    return status;
}

/* Append the layer that a module describes; shapes of convolutions come from their tensors. */
static int
add_module(retc_network *network, retc_h5 *file, const char *module, const char *class, json_t *entry) {
    char weight[RETC_NAME_SIZE + 32], bias[RETC_NAME_SIZE + 32];
    snprintf(weight, sizeof weight, "/state_dict/%s.weight", module);
    snprintf(bias, sizeof bias, "/state_dict/%s.bias", module);
    size_t shape[RETC_H5_MAX_RANK] = {0};
    int status = RETC_OK, absolute = strncmp(class, "Abs", 3) == 0;
    json_t *eps = json_object_get(entry, "eps"), *sigma = json_object_get(entry, "sigma");
    if (strcmp(class, "Conv2d") == 0) {
        RETC_TRY(retc_h5_expect(file, weight, 4, NULL, shape));
        return retc_network_add_conv(network, shape[0], shape[2], shape[3], retc_h5_has(file, bias), 0);
    }
    if (strcmp(class, "LinearStackedConv2d") == 0)
        return add_stack(network, file, module);
    if (strcmp(class, "Linear") == 0) {
        RETC_TRY(retc_h5_expect(file, weight, 2, NULL, shape));
        return retc_network_add_conv(network, shape[0], 0, 0, retc_h5_has(file, bias), 1);
    }
    if (strstr(class, "BatchNorm"))
        return retc_network_add_batchnorm(network, json_is_true(json_object_get(entry, "per_unit")), absolute,
                                          json_is_number(eps) ? json_number_value(eps) : 1e-3);
    if (strcmp(class, "GaussianNoise") == 0)
        return retc_network_add_noise(network, json_is_number(sigma) ? json_number_value(sigma) : 0.0);
    if (strcmp(class, "ReLU") == 0)
        return retc_network_add_simple(network, RETC_LAYER_RELU);
    if (strcmp(class, "Softplus") == 0)
        return retc_network_add_simple(network, RETC_LAYER_SOFTPLUS);
    if (strcmp(class, "PiecewiseLinear") == 0) {
        snprintf(weight, sizeof weight, "/state_dict/%s.knot_x", module);
        RETC_TRY(retc_h5_expect(file, weight, 2, NULL, shape));
        return retc_network_add_piecewise(network, shape[1]);
    }
    if (strcmp(class, "GrabUnits") == 0) {
        void *position = NULL;
        RETC_TRY(retc_h5_read_new(file, "/grab_units/coords", RETC_H5_INT64, 2, shape, &position));
        const size_t *rows = position; /* an int64 that is negative is a size_t that is outside every map */
        status =
            shape[0] == network->N && shape[1] == 2
                ? retc_network_add_grab(network, rows)
                : RETC_FAIL(RETC_EFORMAT, "/grab_units/coords is (%zu,%zu), expected (%zu,2)", shape[0], shape[1], network->N);
        retc_free(position);
        return status;
    }
    if (strcmp(class, "Flatten") == 0 || strcmp(class, "Reshape") == 0)
        return RETC_OK;
    return RETC_FAIL(RETC_EFORMAT, "layer %s is of class \"%s\", which is not known here", module, class);
done:
    return status;
}

static int
add_modules(retc_network *network, retc_h5 *file, json_t *list) {
    size_t i;
    json_t *entry;
    if (!json_is_array(list))
        return RETC_FAIL(RETC_EFORMAT, "attribute \"layers_json\" is no JSON list of layers");
    json_array_foreach(list, i, entry) {
        const char *module = json_string_value(json_object_get(entry, "name"));
        const char *class = json_string_value(json_object_get(entry, "class"));
        size_t number = 0;
        if (!module || !class || sscanf(module, "sequential.%zu", &number) != 1)
            return RETC_FAIL(RETC_EFORMAT, "entry %zu of \"layers_json\" has no \"name\" sequential.<number> and \"class\"", i);
        network->modules = number;
        int status = add_module(network, file, module, class, entry);
        if (status < 0)
            return status;
    }
    return RETC_OK;
}

/* Weights and bias of a convolution that the file holds as a stack. */
static int
read_stack(retc_network *network, const retc_layer *layer, retc_h5 *file) {
    int status = RETC_OK;
    const retc_param *weight = &network->param[layer->weight];
    retc_kernel kernel = {0};
    RETC_TRY(retc_stacked_collapse(file, layer->module, stack_epsilon, &kernel));
    if (kernel.C != weight->shape[1])
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the stack %s takes %zu channels, the layer before gives %zu", retc_h5_path(file),
                           layer->module, kernel.C, weight->shape[1]));
    for (size_t i = 0; i < weight->size; ++i)
        network->value[weight->offset + i] = (float)kernel.weight[i];
    for (size_t k = 0; k < kernel.K; ++k)
        network->value[network->param[layer->bias].offset + k] = (float)kernel.bias[k];
done:
    retc_kernel_clear(&kernel);
    return status;
}

static int
read_stacks(retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    for (size_t l = 0; l < network->layers && status == RETC_OK; ++l)
        if (network->layer[l].kind == RETC_LAYER_CONV && retc_stacked_is_there(file, network->layer[l].module))
            status = read_stack(network, &network->layer[l], file);
    return status;
}

/* Is the parameter part of a layer that the file holds as a stack? */
static int
is_stacked(const retc_param *param, retc_h5 *file) {
    char module[RETC_NAME_SIZE];
    const char *dot = strrchr(param->name, '.');
    snprintf(module, sizeof module, "%.*s", (int)(dot - param->name), param->name);
    return retc_stacked_is_there(file, module);
}

static int
read_tensors(retc_network *network, retc_h5 *file) {
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *param = &network->param[i];
        char name[RETC_NAME_SIZE + 16];
        snprintf(name, sizeof name, "/state_dict/%s", param->name);
        float *value = network->value + param->offset;
        if (is_stacked(param, file))
            continue;
        int status = retc_h5_expect(file, name, param->rank, param->shape, NULL);
        if (status == RETC_OK)
            status = retc_h5_read(file, name, RETC_H5_FLOAT, NULL, NULL, value);
        if (status < 0)
            return status;
        for (size_t k = 0; k < param->size; ++k)
            if (!isfinite(value[k]))
                return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds a value that is not finite, at element %zu",
                                 retc_h5_path(file), name, k);
    }
    return read_stacks(network, file);
}

/* What is finite but cannot be: negative variances, knots out of order. */
static int
check_values(const retc_network *network, const retc_h5 *file) {
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        int is_norm = layer->kind == RETC_LAYER_BATCHNORM;
        if (!is_norm && layer->kind != RETC_LAYER_PIECEWISE)
            continue;
        const retc_param *param = &network->param[is_norm ? layer->var : layer->weight];
        const float *value = network->value + param->offset;
        size_t row = is_norm ? 1 : param->shape[param->rank - 1];
        for (size_t k = 0; k < param->size; ++k)
            if (is_norm ? value[k] < 0 : k % row && value[k] < value[k - 1])
                return RETC_FAIL(RETC_EFORMAT, "%s: \"/state_dict/%s\" is %g at element %zu, expected %s", retc_h5_path(file),
                                 param->name, (double)value[k], k, is_norm ? "a variance" : "ascending knots");
    }
    return RETC_OK;
}

/* A single number, stored as a scalar or as an array of one. */
static int
read_number(retc_h5 *file, const char *name, double *number) {
    size_t shape[RETC_H5_MAX_RANK], n = 1;
    int rank = 0, status = retc_h5_shape(file, name, &rank, shape);
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    if (status == RETC_OK && n != 1)
        status = RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %zu values, expected one", retc_h5_path(file), name, n);
    return status < 0 ? status : retc_h5_read(file, name, RETC_H5_DOUBLE, NULL, NULL, number);
}

/* Normalisation, lag, names, and the scale to Hz. */
static int
read_rest(retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    double lag = 1;
    char **names = NULL;
    size_t n = 0;
    RETC_TRY(retc_h5_get_number(file, "/", "lag", &lag));
    RETC_TRY(retc_h5_get_number(file, "/", "frame_interval", &network->frame_interval));
    if (!(lag >= 0 && lag < 1e6)) {
        status =
            RETC_FAIL(RETC_EFORMAT, "%s: attribute \"lag\" is %g, a number of frames was expected", retc_h5_path(file), lag);
        goto done;
    }
    network->lag = (size_t)lag;
    RETC_TRY(read_number(file, "/norm_stats/mean", &network->stimulus_mean));
    RETC_TRY(read_number(file, "/norm_stats/std", &network->stimulus_std));
    if (!isfinite(network->stimulus_mean) || !(network->stimulus_std > 0) || !isfinite(network->stimulus_std)) {
        status = RETC_FAIL(RETC_EFORMAT, "%s: /norm_stats says mean %g, std %g: the stimulus cannot be normalised",
                           retc_h5_path(file), network->stimulus_mean, network->stimulus_std);
        goto done;
    }
    if (retc_h5_has(file, "/y_stats/std")) {
        double mean = 0, std = 0;
        RETC_TRY(read_number(file, "/y_stats/mean", &mean));
        RETC_TRY(read_number(file, "/y_stats/std", &std));
        if (!isfinite(mean) || !(std + y_stats_epsilon > 0) || !isfinite(std)) {
            status =
                RETC_FAIL(RETC_EFORMAT, "%s: /y_stats says mean %g, std %g: they give no rates", retc_h5_path(file), mean, std);
            goto done;
        }
        RETC_TRY(retc_network_add_scale(network, std + y_stats_epsilon, mean));
    }
    if (retc_h5_has(file, "/cell_names")) {
        RETC_TRY(retc_h5_read_texts(file, "/cell_names", &names, &n));
        for (size_t j = 0; j < n && j < network->N; ++j)
            RETC_TRY(retc_network_set_cell_name(network, j, names[j]));
    }
done:
    retc_free(names);
    return status;
}

static int
read_network(retc_h5 *file, retc_network **result) {
    int status = RETC_OK;
    char *format = NULL, *type = NULL, *layers = NULL, *hyps = NULL;
    json_t *list = NULL, *settings = NULL;
    size_t N = 0;
    json_int_t L = 0, H = 0, W = 0;
    RETC_TRY(retc_h5_expect_kind(file, "model"));
    if (retc_h5_get_text(file, "/", "format", &format) < 0 || strcmp(format, format_name) != 0) {
        status = RETC_FAIL(RETC_EFORMAT, "this is no model file (attribute \"format\" should be \"%s\")", format_name);
        goto done;
    }
    RETC_TRY(retc_h5_get_text(file, "/", "model_type", &type));
    RETC_TRY(retc_h5_get_text(file, "/", "layers_json", &layers));
    RETC_TRY(retc_h5_get_text(file, "/", "hyps_json", &hyps));
    RETC_TRY(retc_h5_expect(file, "/cells", 1, NULL, &N));
    list = json_loads(layers, 0, NULL);
    settings = json_loads(hyps, 0, NULL);
    if (json_unpack(settings, "{s:[I,I,I]}", "img_shape", &L, &H, &W) < 0 || L < 1 || H < 1 || W < 1) {
        status = RETC_FAIL(RETC_EFORMAT, "attribute \"hyps_json\" has no \"img_shape\" [history, rows, columns]");
        goto done;
    }
    RETC_TRY(RETC_GOT(*result = retc_network_alloc(type, (size_t)L, (size_t)H, (size_t)W, N)));
    RETC_TRY(add_modules(*result, file, list));
    RETC_TRY(read_rest(*result, file));
    RETC_TRY(retc_network_finish(*result));
    RETC_TRY(read_tensors(*result, file));
    RETC_TRY(check_values(*result, file));
done:
    json_decref(list);
    json_decref(settings);
    retc_free(format);
    retc_free(type);
    retc_free(layers);
    retc_free(hyps);
    return status;
}

retc_network *
retc_network_read(retc_h5 *file) {
    retc_network *network = NULL;
    int status = read_network(file, &network);
    if (status < 0) {
        if (!strstr(retc_error_message(), retc_h5_path(file)))
            retc_error_prefix(status, "%s", retc_h5_path(file));
        retc_network_free(network);
        return NULL;
    }
    return network;
}

retc_network *
retc_network_open(const char *path) {
    retc_h5 *file = retc_h5_open(path);
    retc_network *network = file ? retc_network_read(file) : NULL;
    retc_h5_close(file);
    return network;
}
