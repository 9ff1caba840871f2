#include "keras.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h5_object.h"
#include "keras_config.h"

typedef struct {
    retc_h5 *file;
    const char *root; /* group of the weights, "" or "/model_weights" */
    int old;          /* before Keras 1.0 */
    retc_network *network;
    const json_t *layer; /* the one that is being added */
    size_t number;       /* its place in the list */
    int flat;            /* its input is flattened */
} reader;

int
retc_keras_is(retc_h5 *file) {
    return retc_h5_has_attribute(file, "/", "keras_version") || retc_h5_has_attribute(file, "/", "nb_layers") ||
           retc_h5_has_attribute(file, "/", "layer_names") || retc_h5_has(file, "/model_weights");
}

static int
refuse(const reader *r, const char *what) {
    return RETC_FAIL(RETC_EFORMAT, "%s: layer %zu (%s \"%s\"): %s", retc_h5_path(r->file), r->number,
                     retc_keras_class(r->layer), retc_keras_name(r->layer), what);
}

/* ---- weights --------------------------------------------------------------------------------------------------------- */

/* Is the last part of a path, without ":0", `name`? */
static int
is_weight(const char *path, const char *name) {
    const char *last = strrchr(path, '/');
    last = last ? last + 1 : path;
    size_t length = strcspn(last, ":");
    return strlen(name) == length && strncmp(last, name, length) == 0;
}

/* Path of a weight of this layer, `place`-th before Keras 1.0 (retc_free); *path stays NULL when it is not there. */
static int
find_weight(const reader *r, const char *name, size_t place, char **path) {
    int status = RETC_OK;
    char **names = NULL, *group = NULL;
    size_t n = 0;
    if (r->old) {
        RETC_TRY(RETC_GOT(*path = retc_strf("%s/layer_%zu/param_%zu", r->root, r->number, place)));
    } else {
        RETC_TRY(RETC_GOT(group = retc_strf("%s/%s", r->root, retc_keras_name(r->layer))));
        if (!retc_h5_has(r->file, group))
            goto done;
        RETC_TRY(retc_h5_get_texts(r->file, group, "weight_names", &names, &n));
        for (size_t i = 0; i < n && !*path; ++i)
            if (is_weight(names[i], name))
                RETC_TRY(RETC_GOT(*path = retc_strf("%s/%s", group, names[i])));
    }
    if (*path && !retc_h5_has(r->file, *path)) {
        retc_free(*path);
        *path = NULL;
    }
done:
    retc_free(names);
    retc_free(group);
    return status;
}

/* Weights of a shape known (entries 0: any) as fresh floats. */
static int
read_weight(const reader *r, const char *name, size_t place, int rank, size_t *shape, void **values) {
    int status = RETC_OK;
    char *path = NULL, reason[120];
    size_t n = 1;
    RETC_TRY(find_weight(r, name, place, &path));
    if (!path) {
        snprintf(reason, sizeof reason, "its weight \"%s\" is missing in the file", name);
        RETC_TRY(refuse(r, reason));
    }
    RETC_TRY(retc_h5_expect(r->file, path, rank, shape, shape));
    RETC_TRY(retc_h5_read_new(r->file, path, RETC_H5_FLOAT, rank, shape, values));
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    for (size_t i = 0; i < n; ++i)
        if (!isfinite(((float *)*values)[i]))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds a value that is not finite, at element %zu",
                               retc_h5_path(r->file), path, i));
done:
    retc_free(path);
    return status;
}

/* A vector of n values into a parameter of the network. */
static int
read_vector(const reader *r, const char *name, int param) {
    void *values = NULL;
    const retc_param *to = &r->network->param[param];
    size_t n = to->size;
    int status = read_weight(r, name, 1, 1, &n, &values);
    if (status == RETC_OK)
        memcpy(retc_network_values(r->network, param), values, n * sizeof(float));
    retc_free(values);
    return status;
}

/* ---- layers ---------------------------------------------------------------------------------------------------------- */

static retc_layer *
last_layer(const reader *r) {
    return &r->network->layer[r->network->layers - 1];
}

static int
add_activation(const reader *r, const char *activation) {
    char reason[160];
    if (!activation || strcmp(activation, "linear") == 0)
        return RETC_OK;
    if (strcmp(activation, "relu") == 0)
        return retc_network_add_simple(r->network, RETC_LAYER_RELU);
    if (strcmp(activation, "softplus") == 0)
        return retc_network_add_simple(r->network, RETC_LAYER_SOFTPLUS);
    if (strcmp(activation, "exponential") == 0)
        return retc_network_add_simple(r->network, RETC_LAYER_EXP);
    snprintf(reason, sizeof reason, "activation \"%.60s\" is not known here (linear, relu, softplus or exponential)",
             activation);
    return refuse(r, reason);
}

/* Is a pair of steps, if it is there, (1,1)? */
static int
is_one(const json_t *pair) {
    for (size_t i = 0; i < json_array_size(pair); ++i)
        if (json_integer_value(json_array_get(pair, i)) != 1)
            return 0;
    return 1;
}

static int
is_text(const json_t *setting, const char *text, const char *other) {
    const char *value = json_string_value(setting);
    return !value || strcmp(value, text) == 0 || strcmp(value, other) == 0;
}

static int
has_bias(const reader *r) {
    const json_t *bias = retc_keras_setting(r->layer, "use_bias", "bias");
    return !json_is_false(bias);
}

/* Torch's (out,in,rows,columns) from Keras 2's (rows,columns,in,out), or flipped from what was before. */
static void
order_kernel(const float *stored, int old, const size_t *shape, float *kernel) {
    size_t K = shape[0], C = shape[1], h = shape[2], w = shape[3];
    for (size_t k = 0; k < K; ++k)
        for (size_t c = 0; c < C; ++c)
            for (size_t i = 0; i < h; ++i)
                for (size_t j = 0; j < w; ++j)
                    *kernel++ =
                        old ? stored[((k * C + c) * h + h - 1 - i) * w + w - 1 - j] : stored[((i * w + j) * C + c) * K + k];
}

static int
add_convolution(reader *r) {
    int status = RETC_OK;
    size_t stored[4] = {0}, shape[4];
    void *weight = NULL;
    size_t channels = r->network->layers ? last_layer(r)->C : r->network->L;
    if (r->flat)
        RETC_TRY(refuse(r, "its input is flattened"));
    if (!is_one(retc_keras_setting(r->layer, "strides", "subsample")) ||
        !is_one(retc_keras_setting(r->layer, "dilation_rate", "")))
        RETC_TRY(refuse(r, "strides and dilation must be 1"));
    if (!is_text(retc_keras_setting(r->layer, "padding", "border_mode"), "valid", "valid"))
        RETC_TRY(refuse(r, "padding must be \"valid\""));
    if (!is_text(retc_keras_setting(r->layer, "data_format", "dim_ordering"), "channels_first", "th"))
        RETC_TRY(refuse(r, "the order of its axes must be channels_first"));
    stored[r->old ? 1 : 2] = channels;
    RETC_TRY(read_weight(r, "kernel", 0, 4, stored, &weight));
    for (int d = 0; d < 4; ++d)
        shape[d] = stored[r->old ? d : (int[]){3, 2, 0, 1}[d]];
    RETC_TRY(retc_network_add_conv(r->network, shape[0], shape[2], shape[3], has_bias(r), 0));
    order_kernel(weight, r->old, shape, retc_network_values(r->network, last_layer(r)->weight));
    if (last_layer(r)->bias >= 0)
        RETC_TRY(read_vector(r, "bias", last_layer(r)->bias));
    RETC_TRY(add_activation(r, json_string_value(retc_keras_setting(r->layer, "activation", ""))));
done:
    retc_free(weight);
    return status;
}

static int
add_dense(reader *r) {
    int status = RETC_OK;
    void *weight = NULL;
    size_t in = r->network->layers ? retc_layer_units(last_layer(r)) : r->network->L * r->network->H * r->network->W;
    size_t stored[2] = {in, 0};
    if (!r->flat)
        RETC_TRY(refuse(r, "its input is a map, which it takes row by row: a Flatten layer was expected before"));
    RETC_TRY(read_weight(r, "kernel", 0, 2, stored, &weight));
    RETC_TRY(retc_network_add_conv(r->network, stored[1], 0, 0, has_bias(r), 1));
    float *value = retc_network_values(r->network, last_layer(r)->weight);
    for (size_t k = 0; k < stored[1]; ++k)
        for (size_t i = 0; i < in; ++i)
            *value++ = ((float *)weight)[i * stored[1] + k];
    if (last_layer(r)->bias >= 0)
        RETC_TRY(read_vector(r, "bias", last_layer(r)->bias));
    RETC_TRY(add_activation(r, json_string_value(retc_keras_setting(r->layer, "activation", ""))));
done:
    retc_free(weight);
    return status;
}

/* Statistics per unit where the input is flattened; on maps the axis must be that of the channels. */
static int
add_batchnorm(reader *r) {
    int status = RETC_OK;
    const json_t *axis = retc_keras_setting(r->layer, "axis", ""), *eps = retc_keras_setting(r->layer, "epsilon", "");
    if (json_is_array(axis))
        axis = json_array_get(axis, 0);
    if (r->old)
        return refuse(r, "batch norm before Keras 1.0 cannot be converted");
    if (!r->network->layers)
        return refuse(r, "the first layer must be a convolution or dense");
    if (!r->flat && json_integer_value(axis) != 1)
        return refuse(r, "its axis must be 1, the channels");
    RETC_TRY(retc_network_add_batchnorm(r->network, r->flat && last_layer(r)->h * last_layer(r)->w > 1, 0,
                                        json_is_number(eps) ? json_number_value(eps) : 1e-3));
    const retc_layer *layer = last_layer(r);
    if (!json_is_false(retc_keras_setting(r->layer, "scale", "")))
        RETC_TRY(read_vector(r, "gamma", layer->weight));
    if (!json_is_false(retc_keras_setting(r->layer, "center", "")))
        RETC_TRY(read_vector(r, "beta", layer->bias));
    RETC_TRY(read_vector(r, "moving_mean", layer->mean));
    RETC_TRY(read_vector(r, "moving_variance", layer->var));
    const float *var = retc_network_values(r->network, layer->var);
    for (size_t i = 0; i < r->network->param[layer->var].size; ++i)
        if (var[i] < 0)
            RETC_TRY(refuse(r, "its moving_variance holds a negative value"));
done:
    return status;
}

/* Back from a row of units to the maps they were. */
static int
add_reshape(reader *r) {
    const json_t *target = retc_keras_setting(r->layer, "target_shape", "dims");
    size_t map[3] = {0};
    if (r->network->layers)
        map[0] = last_layer(r)->C, map[1] = last_layer(r)->h, map[2] = last_layer(r)->w;
    for (size_t d = 0; d < 3; ++d) {
        json_int_t size = json_integer_value(json_array_get(target, d));
        if (json_array_size(target) != 3 || (size != -1 && size != (json_int_t)map[d]))
            return refuse(r, "it must give the maps that were flattened");
    }
    r->flat = 0;
    retc_network_skip_module(r->network);
    return RETC_OK;
}

static int
add_layer(reader *r) {
    const char *class = retc_keras_class(r->layer);
    const json_t *sigma = retc_keras_setting(r->layer, "stddev", "sigma");
    if (strcmp(class, "Conv2D") == 0 || strcmp(class, "Convolution2D") == 0)
        return add_convolution(r);
    if (strcmp(class, "Dense") == 0)
        return add_dense(r);
    if (strcmp(class, "BatchNormalization") == 0)
        return add_batchnorm(r);
    if (strcmp(class, "Activation") == 0)
        return add_activation(r, json_string_value(retc_keras_setting(r->layer, "activation", "")));
    if (strcmp(class, "ReLU") == 0)
        return add_activation(r, "relu");
    if (strcmp(class, "GaussianNoise") == 0)
        return retc_network_add_noise(r->network, json_is_number(sigma) ? json_number_value(sigma) : 0);
    if (strcmp(class, "Reshape") == 0)
        return add_reshape(r);
    if (strcmp(class, "Flatten") == 0)
        r->flat = 1;
    else if (strcmp(class, "Dropout") != 0 && strcmp(class, "InputLayer") != 0)
        return refuse(r, "this class of layer is not known here");
    if (strcmp(class, "InputLayer") != 0)
        retc_network_skip_module(r->network);
    return RETC_OK;
}

static int
read_network(reader *r, const retc_keras_config *config) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(r->network = retc_network_alloc("keras", config->L, config->H, config->W, config->N)));
    for (r->number = 0; r->number < json_array_size(config->layers); ++r->number) {
        r->layer = json_array_get(config->layers, r->number);
        RETC_TRY(add_layer(r));
    }
    RETC_TRY(retc_network_finish(r->network));
done:
    return status;
}

retc_network *
retc_keras_read(retc_h5 *file, const char *architecture) {
    retc_keras_config config = {0};
    reader r = {.file = file, .root = retc_h5_has(file, "/model_weights") ? "/model_weights" : ""};
    r.old = retc_h5_has_attribute(file, *r.root ? r.root : "/", "nb_layers");
    int status = retc_keras_config_read(file, architecture, &config);
    if (status == RETC_OK)
        status = read_network(&r, &config);
    retc_keras_config_clear(&config);
    if (status == RETC_OK)
        return r.network;
    if (!strstr(retc_error_message(), retc_h5_path(file)))
        retc_error_prefix(status, "%s", retc_h5_path(file));
    retc_network_free(r.network);
    return NULL;
}
