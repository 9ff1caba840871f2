#include "model_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "model_internal.h"

const char retc_checkpoint_format[] = "retcodec-checkpoint";
enum { FORMAT_VERSION = 1 };

const char *
retc_layer_class(const retc_layer *layer) {
    int map = layer->h * layer->w > 1 && !layer->per_unit;
    switch (layer->kind) {
    case RETC_LAYER_CONV:
        if (layer->form == RETC_WEIGHT_STACKED)
            return "LinearStackedConv2d";
        if (layer->form == RETC_WEIGHT_FACTORISED)
            return layer->dense ? "FactorisedReadout" : "SeparableConv2d";
        return layer->dense ? "Linear" : "Conv2d";
    case RETC_LAYER_BATCHNORM:
        return layer->absolute ? (map ? "AbsBatchNorm2d" : "AbsBatchNorm1d") : (map ? "BatchNorm2d" : "BatchNorm1d");
    case RETC_LAYER_NOISE:
        return "GaussianNoise";
    case RETC_LAYER_RELU:
        return "ReLU";
    case RETC_LAYER_GRAB:
        return layer->one_hot ? "OneHot" : "GrabUnits";
    case RETC_LAYER_AVERAGE:
        return "OneHot";
    case RETC_LAYER_SOFTPLUS:
        return "Softplus";
    case RETC_LAYER_EXP:
        return "Exponential";
    case RETC_LAYER_PIECEWISE:
        return "PiecewiseLinear";
    case RETC_LAYER_TANH:
        return "Tanh";
    case RETC_LAYER_SIGMOID:
        return "Sigmoid";
    case RETC_LAYER_MAXPOOL:
        return "MaxPool2d";
    case RETC_LAYER_AVGPOOL:
        return "AvgPool2d";
    case RETC_LAYER_ADD:
        return "Residual";
    case RETC_LAYER_SCALE:
        break;
    }
    return NULL;
}

/* The closing scale is no module, it goes to y_stats. */
char *
retc_layers_json(const retc_network *network) {
    json_t *list = json_array();
    for (size_t l = 0; list && l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->kind == RETC_LAYER_SCALE)
            continue;
        json_t *entry = json_pack("{s:s, s:s}", "name", layer->module, "class", retc_layer_class(layer));
        if (entry && layer->kind == RETC_LAYER_BATCHNORM)
            json_object_set_new(entry, "eps", json_real(layer->eps));
        if (entry && layer->kind == RETC_LAYER_BATCHNORM && layer->per_unit)
            json_object_set_new(entry, "per_unit", json_true());
        if (entry && layer->kind == RETC_LAYER_NOISE)
            json_object_set_new(entry, "sigma", json_real(layer->sigma));
        if (entry && (layer->kind == RETC_LAYER_MAXPOOL || layer->kind == RETC_LAYER_AVGPOOL))
            json_object_set_new(entry, "kernel_size", json_pack("[I,I]", (json_int_t)layer->kh, (json_int_t)layer->kw));
        if (entry && layer->kind == RETC_LAYER_ADD)
            json_object_set_new(entry, "skip", json_string(network->layer[layer->skip].module));
        json_array_append_new(list, entry);
    }
    char *text = list ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    char *copy = retc_strdup(text);
    free(text);
    return copy;
}

char *
retc_hyps_json(const retc_network *network, const json_t *hyps) {
    json_t *all = json_is_object(hyps) ? json_deep_copy(hyps) : json_object();
    json_object_set_new(all, "img_shape",
                        json_pack("[I,I,I]", (json_int_t)network->L, (json_int_t)network->H, (json_int_t)network->W));
    json_object_set_new(all, "n_units", json_integer((json_int_t)network->N));
    char *text = all ? json_dumps(all, 0) : NULL;
    json_decref(all);
    char *copy = retc_strdup(text);
    free(text);
    return copy;
}

/* Positions as torch's OneHot holds them: a row of zeros and a one per cell, on the map of the layer before. */
static int
write_one_hot(const retc_layer *layer, const char *group, retc_h5 *file) {
    int status = RETC_OK;
    float *w = NULL;
    char name[2 * RETC_NAME_SIZE];
    size_t shape[2] = {layer->C, layer[-1].h * layer[-1].w};
    snprintf(name, sizeof name, "%s/%s.w", group, layer->module);
    RETC_TRY(RETC_ALLOC(w, shape[0] * shape[1]));
    for (size_t c = 0; c < layer->C; ++c)
        w[c * shape[1] + layer->position[2 * c] * layer[-1].w + layer->position[2 * c + 1]] = 1;
    RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 2, shape, w));
done:
    retc_free(w);
    return status;
}

int
retc_network_write_positions(const retc_layer *layer, retc_h5 *file) {
    int status = RETC_OK;
    int64_t *position = NULL;
    size_t shape[2] = {layer->C, 2};
    RETC_TRY(RETC_ALLOC(position, 2 * layer->C));
    for (size_t c = 0; c < 2 * layer->C; ++c)
        position[c] = (int64_t)layer->position[c];
    RETC_TRY(retc_h5_put(file, "/grab_units/coords", RETC_H5_INT64, 2, shape, position));
done:
    retc_free(position);
    return status;
}

int
retc_network_write_tensors(const retc_network *network, const char *group, retc_h5 *file) {
    int status = RETC_OK;
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *param = &network->param[i];
        char name[2 * RETC_NAME_SIZE];
        snprintf(name, sizeof name, "%s/%s", group, param->name);
        if (!param->derived)
            RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, param->rank, param->shape, network->value + param->offset));
    }
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->kind == RETC_LAYER_GRAB && layer->one_hot)
            RETC_TRY(write_one_hot(layer, group, file));
    }
done:
    return status;
}

/* The scale to Hz, as the peers keep it. */
static int
write_scale(const retc_network *network, retc_h5 *file) {
    const retc_layer *last = &network->layer[network->layers - 1];
    double std = last->value - retc_y_stats_epsilon;
    int status = RETC_OK;
    if (last->kind != RETC_LAYER_SCALE)
        return RETC_OK;
    RETC_TRY(retc_h5_put(file, "/y_stats/mean", RETC_H5_DOUBLE, 0, NULL, &last->offset));
    RETC_TRY(retc_h5_put(file, "/y_stats/std", RETC_H5_DOUBLE, 0, NULL, &std));
done:
    return status;
}

int
retc_network_write_frame(const retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(retc_h5_set_text(file, "/", "format", retc_checkpoint_format));
    RETC_TRY(retc_h5_set_int(file, "/", "format_version", FORMAT_VERSION));
    RETC_TRY(retc_h5_set_text(file, "/", "model_type", network->model_type));
    RETC_TRY(retc_h5_set_int(file, "/", "lag", (int64_t)network->lag));
    RETC_TRY(retc_h5_set_number(file, "/", "frame_interval", network->frame_interval));
    RETC_TRY(retc_h5_put(file, "/norm_stats/mean", RETC_H5_DOUBLE, 0, NULL, &network->stimulus_mean));
    RETC_TRY(retc_h5_put(file, "/norm_stats/std", RETC_H5_DOUBLE, 0, NULL, &network->stimulus_std));
    RETC_TRY(retc_h5_put(file, "/cells", RETC_H5_INT64, 1, &network->N, network->cell_row));
    RETC_TRY(retc_h5_put_texts(file, "/cell_names", network->N, (const char *const *)network->cell_name));
    if (network->centre)
        RETC_TRY(retc_h5_put(file, "/centers", RETC_H5_INT64, 2, (size_t[]){network->N, 2}, network->centre));
done:
    return status;
}

int
retc_network_write_settings(const retc_network *network, const json_t *settings, retc_h5 *file) {
    int status = RETC_OK;
    char *layers = NULL, *hyps = NULL;
    RETC_TRY(RETC_GOT(layers = retc_layers_json(network)));
    RETC_TRY(RETC_GOT(hyps = retc_hyps_json(network, settings)));
    RETC_TRY(retc_network_write_frame(network, file));
    RETC_TRY(retc_h5_set_text(file, "/", "layers_json", layers));
    RETC_TRY(retc_h5_set_text(file, "/", "hyps_json", hyps));
    RETC_TRY(retc_network_write_tensors(network, "/state_dict", file));
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_GRAB && !network->layer[l].one_hot)
            RETC_TRY(retc_network_write_positions(&network->layer[l], file));
    RETC_TRY(write_scale(network, file));
done:
    retc_free(layers);
    retc_free(hyps);
    return status;
}

int
retc_network_write(const retc_network *network, retc_h5 *file) {
    return retc_network_write_settings(network, NULL, file);
}
