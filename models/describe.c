#include "describe.h"

#include <stdio.h>
#include <string.h>

static retc_layer_group
group_of(retc_layer_kind kind) {
    switch (kind) {
    case RETC_LAYER_CONV:
        return RETC_GROUP_LINEAR;
    case RETC_LAYER_BATCHNORM:
        return RETC_GROUP_NORM;
    case RETC_LAYER_NOISE:
        return RETC_GROUP_NOISE;
    case RETC_LAYER_MAXPOOL:
    case RETC_LAYER_AVGPOOL:
    case RETC_LAYER_GRAB:
    case RETC_LAYER_AVERAGE:
        return RETC_GROUP_POOL;
    case RETC_LAYER_ADD:
        return RETC_GROUP_ADD;
    case RETC_LAYER_SCALE:
        return RETC_GROUP_SCALE;
    default:
        return RETC_GROUP_NONLINEAR;
    }
}

static void
describe_convolution(const retc_layer *layer, char *what) {
    const char *form = layer->form == RETC_WEIGHT_STACKED      ? "stacked "
                       : layer->form == RETC_WEIGHT_FACTORISED ? "separable "
                                                               : "";
    if (layer->dense && layer->form == RETC_WEIGHT_FACTORISED)
        snprintf(what, RETC_DESCRIPTION_SIZE, "dense %zu, channels x space", layer->C);
    else if (layer->dense)
        snprintf(what, RETC_DESCRIPTION_SIZE, "dense %zu", layer->C);
    else
        snprintf(what, RETC_DESCRIPTION_SIZE, "%sconvolution %zu @ %zux%zu", form, layer->C, layer->kh, layer->kw);
}

static void
describe_layer(const retc_network *network, const retc_layer *layer, char *what) {
    static const char *const plain[] = {[RETC_LAYER_RELU] = "ReLU",
                                        [RETC_LAYER_SOFTPLUS] = "softplus",
                                        [RETC_LAYER_EXP] = "exp",
                                        [RETC_LAYER_TANH] = "tanh",
                                        [RETC_LAYER_SIGMOID] = "sigmoid",
                                        [RETC_LAYER_GRAB] = "one position per cell",
                                        [RETC_LAYER_AVERAGE] = "weighted average per cell"};
    const char *sign = layer->offset < 0 ? "-" : "+", *pool = layer->kind == RETC_LAYER_MAXPOOL ? "maximum" : "mean";
    switch (layer->kind) {
    case RETC_LAYER_CONV:
        describe_convolution(layer, what);
        break;
    case RETC_LAYER_BATCHNORM:
        snprintf(what, RETC_DESCRIPTION_SIZE, "batch norm per %s%s", layer->per_unit ? "unit" : "channel",
                 layer->absolute ? ", |scale|" : "");
        break;
    case RETC_LAYER_NOISE:
        snprintf(what, RETC_DESCRIPTION_SIZE, "noise %g in training", layer->sigma);
        break;
    case RETC_LAYER_MAXPOOL:
    case RETC_LAYER_AVGPOOL:
        snprintf(what, RETC_DESCRIPTION_SIZE, "%s of %zux%zu", pool, layer->kh, layer->kw);
        break;
    case RETC_LAYER_ADD:
        snprintf(what, RETC_DESCRIPTION_SIZE, "+ layer %zu%s%s", layer->skip, network->layer[layer->skip].cut[0] ? ", " : "",
                 network->layer[layer->skip].cut);
        break;
    case RETC_LAYER_PIECEWISE:
        snprintf(what, RETC_DESCRIPTION_SIZE, "lines through %zu knots", layer->knots);
        break;
    case RETC_LAYER_SCALE:
        if (layer->offset != 0)
            snprintf(what, RETC_DESCRIPTION_SIZE, "times %.4g Hz %s %.4g Hz", layer->value, sign,
                     layer->offset < 0 ? -layer->offset : layer->offset);
        else
            snprintf(what, RETC_DESCRIPTION_SIZE, "times %.4g Hz", layer->value);
        break;
    default:
        snprintf(what, RETC_DESCRIPTION_SIZE, "%s", plain[layer->kind]);
    }
}

/* Parameters are called as their layer is, and more. */
static void
count_values(const retc_network *network, const retc_layer *layer, retc_layer_description *d) {
    size_t length = strlen(layer->module);
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *param = &network->param[i];
        if (strncmp(param->name, layer->module, length) != 0 || param->name[length] != '.' || param->derived)
            continue;
        *(param->trainable ? &d->fitted : &d->kept) += param->size;
    }
}

int
retc_network_describe(const retc_network *network, retc_layer_description *description) {
    retc_field *field = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(field, network->layers));
    retc_network_fields(network, field);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        description[l] = (retc_layer_description){.group = group_of(layer->kind), .field = field[l]};
        describe_layer(network, layer, description[l].what);
        count_values(network, layer, &description[l]);
    }
done:
    retc_free(field);
    return status;
}

/* Take what is stored as a chain of convolutions for what it is. */
static int
describe_stack(const retc_layer *layer, retc_h5 *file, char *const *tensor, size_t n, retc_layer_description *d) {
    int status = RETC_OK;
    size_t fitted = 0, length = strlen(layer->module);
    char *name = NULL;
    for (size_t i = 0; i < n; ++i) {
        size_t shape[RETC_H5_MAX_RANK] = {0}, size = 1;
        int rank = 0;
        if (strncmp(tensor[i], layer->module, length) != 0 || strncmp(tensor[i] + length, ".convs.", 7) != 0 ||
            strstr(tensor[i], "running_") || strstr(tensor[i], "num_batches"))
            continue;
        retc_free(name);
        RETC_TRY(RETC_GOT(name = retc_strf("/state_dict/%s", tensor[i])));
        RETC_TRY(retc_h5_shape(file, name, &rank, shape));
        for (int k = 0; k < rank; ++k)
            size *= shape[k];
        fitted += size;
    }
    if (fitted) {
        d->fitted = fitted;
        snprintf(d->what, sizeof d->what, "stacked convolution %zu @ %zux%zu", layer->C, layer->kh, layer->kw);
    }
done:
    retc_free(name);
    return status;
}

int
retc_network_describe_file(const retc_network *network, retc_h5 *file, retc_layer_description *description) {
    int status = RETC_OK;
    char **tensor = NULL;
    size_t n = 0;
    RETC_TRY(retc_network_describe(network, description));
    RETC_TRY(retc_h5_members(file, "/state_dict", &tensor, &n));
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_CONV)
            RETC_TRY(describe_stack(&network->layer[l], file, tensor, n, &description[l]));
done:
    retc_free(tensor);
    return status;
}
