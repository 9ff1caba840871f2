#include "keras_config.h"

#include <stdio.h>
#include <string.h>

#include "h5_object.h"

/* ---- one layer ------------------------------------------------------------------------------------------------------- */

/* {"class_name": C, "config": {"name": N, ...}}, and before Keras 1.0 {"name": C, ...}. */
const json_t *
retc_keras_settings(const json_t *layer) {
    const json_t *settings = json_object_get(layer, "config");
    return json_is_object(settings) ? settings : layer;
}

const char *
retc_keras_class(const json_t *layer) {
    const json_t *class = json_object_get(layer, "class_name");
    const char *text = json_string_value(class ? class : json_object_get(layer, "name"));
    return text ? text : "";
}

const char *
retc_keras_name(const json_t *layer) {
    const char *text = json_string_value(json_object_get(retc_keras_settings(layer), "name"));
    return text ? text : "";
}

const json_t *
retc_keras_setting(const json_t *layer, const char *name, const char *earlier) {
    const json_t *settings = retc_keras_settings(layer), *value = json_object_get(settings, name);
    return value ? value : json_object_get(settings, earlier);
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

static int
load(retc_h5 *file, const char *architecture, json_t **json) {
    int status = RETC_OK;
    char *text = NULL, *beside = NULL;
    json_error_t error;
    if (!architecture && retc_h5_has_attribute(file, "/", "model_config")) {
        RETC_TRY(retc_h5_get_text(file, "/", "model_config", &text));
        if (!(*json = json_loads(text, 0, &error)))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: attribute \"model_config\" is no JSON: %s", retc_h5_path(file), error.text));
        goto done;
    }
    const char *path = retc_h5_path(file), *slash = strrchr(path, '/');
    if (!architecture)
        RETC_TRY(RETC_GOT(beside = retc_strf("%.*sarchitecture.json", slash ? (int)(slash - path + 1) : 0, path)));
    if (!(*json = json_load_file(architecture ? architecture : beside, 0, &error)))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: the layers are not in the file; \"%s\" cannot be used instead: %s (--architecture)", path,
                           architecture ? architecture : beside, error.text));
done:
    retc_free(text);
    retc_free(beside);
    return status;
}

/* The list stands in "config", in its "layers", or before Keras 1.0 in "layers". */
static const json_t *
find_layers(const json_t *json) {
    const json_t *config = json_object_get(json, "config"), *layers = json_object_get(config, "layers");
    if (json_is_array(config))
        return config;
    return json_is_array(layers) ? layers : json_object_get(json, "layers");
}

/* Layers of a functional model must form a chain. */
static int
check_chain(const json_t *layers) {
    size_t i;
    json_t *layer;
    const char *before = "";
    json_array_foreach(layers, i, layer) {
        const json_t *nodes = json_object_get(layer, "inbound_nodes"), *node = json_array_get(nodes, 0);
        const char *from = json_string_value(json_array_get(json_array_get(node, 0), 0));
        if (node && i > 0 && (json_array_size(nodes) != 1 || json_array_size(node) != 1 || !from || strcmp(from, before) != 0))
            return RETC_FAIL(RETC_EFORMAT,
                             "layer \"%s\" does not follow on \"%s\" alone: only chains of layers can be converted",
                             retc_keras_name(layer), before);
        before = retc_keras_name(layer);
    }
    return RETC_OK;
}

/* (history, rows, columns), with or without the batch in front. */
static int
read_input(retc_keras_config *config) {
    const json_t *first = json_array_get(config->layers, 0);
    const json_t *shape = retc_keras_setting(first, "batch_input_shape", "input_shape");
    size_t *size[3] = {&config->L, &config->H, &config->W}, n = json_array_size(shape), skip = n == 4;
    for (size_t d = 0; d < 3; ++d) {
        json_int_t value = json_integer_value(json_array_get(shape, d + skip));
        if (n < 3 || n > 4 || value < 1 || value > 1000000)
            return RETC_FAIL(RETC_EFORMAT, "the first layer has no input shape (history, rows, columns)");
        *size[d] = (size_t)value;
    }
    return RETC_OK;
}

static int
read_outputs(retc_keras_config *config) {
    size_t i;
    json_t *layer;
    json_array_foreach(config->layers, i, layer) {
        const json_t *units = retc_keras_setting(layer, "units", "output_dim");
        if (!units)
            units = retc_keras_setting(layer, "filters", "nb_filter");
        if (json_integer_value(units) > 0 && json_integer_value(units) < 1000000)
            config->N = (size_t)json_integer_value(units);
    }
    return config->N ? RETC_OK : RETC_FAIL(RETC_EFORMAT, "no layer says how many values it gives");
}

int
retc_keras_config_read(retc_h5 *file, const char *architecture, retc_keras_config *config) {
    int status = RETC_OK;
    *config = (retc_keras_config){0};
    RETC_TRY(load(file, architecture, &config->json));
    config->layers = find_layers(config->json);
    if (json_array_size(config->layers) == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "the JSON of the model lists no layers"));
    RETC_TRY(check_chain(config->layers));
    RETC_TRY(read_input(config));
    RETC_TRY(read_outputs(config));
done:
    if (status < 0)
        retc_keras_config_clear(config);
    return status;
}

void
retc_keras_config_clear(retc_keras_config *config) {
    json_decref(config->json);
    *config = (retc_keras_config){0};
}
