/* The layers of a checkpoint: from their list to a network whose parameters are still to be read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_internal.h"
#include "stacked.h"

/* ---- layers ---------------------------------------------------------------------------------------------------------- */

const double retc_stack_epsilon = 1e-5;

/* A stack of linear convolutions stays the chain that it is; where there is more in it, batch norms or several biases, or where
 * it is asked for, it becomes the one convolution that equals it.  Its values are read with the other tensors. */
static int
add_stack(retc_model_reader *r, const char *module) {
    int status = RETC_OK, with_bias = 0;
    retc_kernel kernel = {0};
    size_t links = 0, *shape = NULL, *number = NULL;
    ++r->notes->stacks;
    if (!r->collapse)
        RETC_TRY(retc_stacked_links(r->file, module, &links, &shape, &number, &with_bias));
    if (links > 0) {
        status = retc_network_add_chain(r->network, links, shape, number, with_bias);
        goto done;
    }
    RETC_TRY(retc_stacked_collapse(r->file, module, retc_stack_epsilon, &kernel));
    status = retc_network_add_conv(r->network, kernel.K, kernel.h, kernel.w, 1, 0);
done:
    retc_free(shape);
    retc_free(number);
    retc_kernel_clear(&kernel);
    return status;
}

/* Convolution or dense layer; shapes come from their tensors. */
static int
add_convolution(retc_model_reader *r, const char *module, int rank) {
    char weight[RETC_NAME_SIZE + 32], bias[RETC_NAME_SIZE + 32];
    size_t shape[RETC_H5_MAX_RANK] = {0};
    int status = RETC_OK, dense = rank == 2;
    snprintf(weight, sizeof weight, "/state_dict/%s.weight", module);
    snprintf(bias, sizeof bias, "/state_dict/%s.bias", module);
    RETC_TRY(retc_h5_expect(r->file, weight, rank, NULL, shape));
    status = retc_network_add_conv(r->network, shape[0], dense ? 0 : shape[2], dense ? 0 : shape[3], retc_h5_has(r->file, bias),
                                   dense);
done:
    return status;
}

/* A readout that is stored as its factors. */
static int
add_factorised(retc_model_reader *r, const char *module) {
    char channel[RETC_NAME_SIZE + 32], bias[RETC_NAME_SIZE + 32];
    size_t shape[2] = {0};
    snprintf(channel, sizeof channel, "/state_dict/%s.channel", module);
    snprintf(bias, sizeof bias, "/state_dict/%s.bias", module);
    int status = retc_h5_expect(r->file, channel, 2, NULL, shape);
    return status < 0 ? status : retc_network_add_factorised(r->network, shape[0], retc_h5_has(r->file, bias));
}

/* A convolution that is stored as its factors. */
static int
add_separable(retc_model_reader *r, const char *module) {
    char space[RETC_NAME_SIZE + 32], bias[RETC_NAME_SIZE + 32];
    size_t shape[RETC_H5_MAX_RANK] = {0};
    snprintf(space, sizeof space, "/state_dict/%s.space", module);
    snprintf(bias, sizeof bias, "/state_dict/%s.bias", module);
    int status = retc_h5_expect(r->file, space, 3, NULL, shape);
    return status < 0 ? status
                      : retc_network_add_separable(r->network, shape[0], shape[1], shape[2], retc_h5_has(r->file, bias));
}

/* Windows of one side or of [rows, columns], as far apart as they are large; torch could do otherwise, but says so. */
static int
add_pool(retc_model_reader *r, retc_layer_kind kind, const char *module, const json_t *entry) {
    static const char *const names[3] = {"kernel_size", "stride", "padding"};
    json_int_t side[3][2] = {{0}};
    for (int i = 0; i < 3; ++i) {
        const json_t *value = json_object_get(entry, names[i]);
        for (size_t d = 0; d < 2; ++d)
            side[i][d] = json_integer_value(json_is_array(value) ? json_array_get(value, d) : value);
        if (i == 1 && !json_is_array(value) && !json_is_integer(value))
            memcpy(side[1], side[0], sizeof side[0]);
    }
    if (side[0][0] < 1 || side[0][1] < 1)
        return RETC_FAIL(RETC_EFORMAT, "layer %s has no \"kernel_size\", a side or [rows, columns]", module);
    if (memcmp(side[0], side[1], sizeof side[0]) != 0 || side[2][0] || side[2][1])
        return RETC_FAIL(RETC_EFORMAT,
                         "layer %s pools windows that overlap, leave gaps or reach over the border, which is not "
                         "known here",
                         module);
    return retc_network_add_pool(r->network, kind, (size_t)side[0][0], (size_t)side[0][1]);
}

static int
add_residual(retc_model_reader *r, const char *module, const json_t *entry) {
    const retc_network *network = r->network;
    const char *skip = json_string_value(json_object_get(entry, "skip"));
    for (size_t l = 0; skip && l < network->layers; ++l)
        if (strcmp(network->layer[l].module, skip) == 0)
            return retc_network_add_residual(r->network, l);
    return RETC_FAIL(RETC_EFORMAT, "layer %s adds the output of \"%s\", \"skip\" must name a layer before it", module,
                     skip ? skip : "");
}

static int
add_piecewise(retc_model_reader *r, const char *module) {
    char name[RETC_NAME_SIZE + 32];
    size_t shape[2];
    snprintf(name, sizeof name, "/state_dict/%s.knot_x", module);
    int status = retc_h5_expect(r->file, name, 2, NULL, shape);
    return status < 0 ? status : retc_network_add_piecewise(r->network, shape[1]);
}

/* A batch norm is per unit where it says so, or has as many statistics as the layer before has units. */
static int
add_batchnorm(retc_model_reader *r, const char *module, const char *class, json_t *entry) {
    const json_t *eps = json_object_get(entry, "eps"), *per_unit = json_object_get(entry, "per_unit");
    const retc_network *network = r->network;
    char name[RETC_NAME_SIZE + 32];
    size_t n = 0, channels = network->layers ? network->layer[network->layers - 1].C : network->L;
    int status = RETC_OK, is_per_unit = json_is_true(per_unit), absolute = strncmp(class, "Abs", 3) == 0;
    snprintf(name, sizeof name, "/state_dict/%s.running_mean", module);
    if (!per_unit) {
        RETC_TRY(retc_h5_expect(r->file, name, 1, NULL, &n));
        is_per_unit = n != channels;
    }
    RETC_TRY(
        retc_network_add_batchnorm(r->network, is_per_unit, absolute, json_is_number(eps) ? json_number_value(eps) : 1e-3));
    json_object_set_new(entry, "class", json_string(retc_layer_class(&network->layer[network->layers - 1])));
done:
    return status;
}

/* ---- positions ------------------------------------------------------------------------------------------------------- */

/* Half of what the convolutions take off rows and columns: the unit (0,0) of the last map sees around this pixel. */
static void
half_field(const retc_network *network, size_t *half) {
    half[0] = half[1] = 0;
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_CONV) {
            half[0] += network->layer[l].kh - 1;
            half[1] += network->layer[l].kw - 1;
        }
    half[0] /= 2, half[1] /= 2;
}

/* Centres (n,2) of the receptive fields in pixels, from the file or its settings (retc_free); NULL when there are none. */
static int
read_centres(const retc_model_reader *r, size_t n, int64_t **centres) {
    int status = RETC_OK;
    size_t i, shape[2] = {n, 2};
    void *read = NULL;
    json_t *list = json_object_get(r->hyps, "centers"), *entry;
    if (retc_h5_has(r->file, "/centers")) {
        RETC_TRY(retc_h5_expect(r->file, "/centers", 2, shape, NULL));
        RETC_TRY(retc_h5_read_new(r->file, "/centers", RETC_H5_INT64, 2, shape, &read));
        *centres = read;
    } else if (json_is_array(list)) {
        if (json_array_size(list) != n)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "\"hyps_json\" has %zu centers for %zu cells", json_array_size(list), n));
        RETC_TRY(RETC_ALLOC(*centres, 2 * n));
        json_array_foreach(list, i, entry) for (size_t d = 0; d < 2; ++d)(*centres)[2 * i + d] =
            (int64_t)json_number_value(json_array_get(entry, d));
    }
done:
    return status;
}

/* A centre c (pixels) is seen by the unit c - h.  The published models subtract one more, and an older version of their code
 * took the whole of the first two kernels where half was meant (29 for kernels of 15, 11, 11), which leaves the map: that one
 * is not offered.  Positions end at the border of the map. */
static int
positions_of_centres(retc_model_reader *r, const retc_layer *before, size_t *position) {
    int status = RETC_OK;
    int64_t *centres = NULL;
    size_t half[2], map[2] = {before->h, before->w};
    RETC_TRY(read_centres(r, before->C, &centres));
    if (!centres)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "GrabUnits needs the positions of the cells: \"/grab_units/coords\" is missing, and so "
                           "is \"/centers\""));
    half_field(r->network, half);
    for (size_t i = 0; i < 2 * before->C; ++i) {
        int64_t at = centres[i] - (int64_t)half[i % 2] - (r->exact_centres ? 0 : 1);
        position[i] = at < 0 ? 0 : (size_t)at;
        if (position[i] >= map[i % 2])
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "the centre of cell %zu, %s %lld, is seen by no unit of the last map (%zux%zu)",
                               i / 2, i % 2 ? "column" : "row", (long long)centres[i], map[0], map[1]));
    }
    r->notes->positions = r->exact_centres ? RETC_POSITIONS_EXACT : RETC_POSITIONS_PUBLISHED;
done:
    retc_free(centres);
    return status;
}

static int
add_grab(retc_model_reader *r) {
    int status = RETC_OK;
    const retc_network *network = r->network;
    size_t shape[2], *made = NULL;
    void *stored = NULL;
    if (!network->layers)
        return RETC_FAIL(RETC_EFORMAT, "GrabUnits is the first layer, a convolution was expected");
    const retc_layer *before = &network->layer[network->layers - 1];
    if (retc_h5_has(r->file, "/grab_units/coords")) {
        RETC_TRY(retc_h5_expect(r->file, "/grab_units/coords", 2, (size_t[]){before->C, 2}, shape));
        RETC_TRY(retc_h5_read_new(r->file, "/grab_units/coords", RETC_H5_INT64, 2, shape, &stored));
        r->notes->positions = RETC_POSITIONS_STORED;
    } else {
        RETC_TRY(RETC_ALLOC(made, 2 * before->C));
        RETC_TRY(positions_of_centres(r, before, made));
    }
    /* An int64 that is negative is a size_t that is outside every map. */
    RETC_TRY(retc_network_add_grab(r->network, stored ? stored : made));
done:
    retc_free(stored);
    retc_free(made);
    return status;
}

/* The only place of a row of weights that has any after the least is subtracted; `n` when there are several. */
static size_t
only_place(const float *w, size_t n) {
    size_t place = 0, others = 0;
    for (size_t l = 1; l < n; ++l)
        place = w[l] > w[place] ? l : place;
    size_t first = place == 0 && n > 1; /* a place that is not the largest one's */
    for (size_t l = 0; l < n; ++l)
        others += l != place && w[l] != w[first];
    return others ? n : place;
}

/* Spatial weights per cell: a list of positions where every cell has a single one. */
static int
add_one_hot(retc_model_reader *r, const char *module) {
    int status = RETC_OK, single = 1;
    char name[RETC_NAME_SIZE + 32];
    retc_network *network = r->network;
    size_t *position = NULL, number = network->modules;
    float *w = NULL;
    if (!network->layers)
        return RETC_FAIL(RETC_EFORMAT, "OneHot is the first layer, a convolution was expected");
    const retc_layer before = network->layer[network->layers - 1];
    size_t cells = before.h * before.w, shape[2] = {before.C, cells};
    snprintf(name, sizeof name, "/state_dict/%s.w", module);
    RETC_TRY(retc_h5_expect(r->file, name, 2, shape, NULL));
    RETC_TRY(RETC_ALLOC(w, before.C * cells));
    RETC_TRY(RETC_ALLOC(position, 2 * before.C));
    RETC_TRY(retc_h5_read(r->file, name, RETC_H5_FLOAT, NULL, NULL, w));
    for (size_t c = 0; c < before.C; ++c) {
        size_t place = only_place(w + c * cells, cells), equal = 1;
        for (size_t l = 0; l < cells; ++l) {
            equal &= w[c * cells + l] == w[c * cells];
            if (!isfinite(w[c * cells + l]))
                RETC_TRY(
                    RETC_FAIL(RETC_EFORMAT, "\"%s\" holds a value that is not finite, at element %zu", name, c * cells + l));
        }
        if (equal)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "the weights of cell %zu in \"%s\" are all equal: the average is 0/0", c, name));
        single &= place < cells;
        position[2 * c] = place / before.w, position[2 * c + 1] = place % before.w;
    }
    network->modules = number;
    r->notes->positions = RETC_POSITIONS_STORED;
    RETC_TRY(single ? retc_network_add_grab(network, position) : retc_network_add_average(network));
    network->layer[network->layers - 1].one_hot = single;
done:
    retc_free(w);
    retc_free(position);
    return status;
}

/* ---- modules --------------------------------------------------------------------------------------------------------- */

/* Append the layer that a module describes. */
static int
add_module(retc_model_reader *r, const char *module, const char *class, json_t *entry) {
    static const struct {
        const char *class;
        retc_layer_kind kind;
    } simple[] = {{"ReLU", RETC_LAYER_RELU},
                  {"Softplus", RETC_LAYER_SOFTPLUS},
                  {"Exponential", RETC_LAYER_EXP},
                  {"Tanh", RETC_LAYER_TANH},
                  {"Sigmoid", RETC_LAYER_SIGMOID}};
    const json_t *sigma = json_object_get(entry, "sigma");
    for (size_t i = 0; i < sizeof simple / sizeof *simple; ++i)
        if (strcmp(class, simple[i].class) == 0)
            return retc_network_add_simple(r->network, simple[i].kind);
    if (strcmp(class, "Conv2d") == 0)
        return add_convolution(r, module, 4);
    if (strcmp(class, "Linear") == 0)
        return add_convolution(r, module, 2);
    if (strcmp(class, "LinearStackedConv2d") == 0)
        return add_stack(r, module);
    if (strcmp(class, "FactorisedReadout") == 0)
        return add_factorised(r, module);
    if (strcmp(class, "SeparableConv2d") == 0)
        return add_separable(r, module);
    if (strcmp(class, "MaxPool2d") == 0 || strcmp(class, "AvgPool2d") == 0)
        return add_pool(r, class[0] == 'M' ? RETC_LAYER_MAXPOOL : RETC_LAYER_AVGPOOL, module, entry);
    if (strcmp(class, "Residual") == 0)
        return add_residual(r, module, entry);
    if (strstr(class, "BatchNorm"))
        return add_batchnorm(r, module, class, entry);
    if (strcmp(class, "GaussianNoise") == 0)
        return retc_network_add_noise(r->network, json_is_number(sigma) ? json_number_value(sigma) : 0.0);
    if (strcmp(class, "PiecewiseLinear") == 0)
        return add_piecewise(r, module);
    if (strcmp(class, "GrabUnits") == 0)
        return add_grab(r);
    if (strcmp(class, "OneHot") == 0)
        return add_one_hot(r, module);
    if (strcmp(class, "Flatten") == 0 || strcmp(class, "Reshape") == 0 || strcmp(class, "Dropout") == 0)
        return RETC_OK;
    return RETC_FAIL(RETC_EFORMAT, "layer %s is of class \"%s\", which is not known here", module, class);
}

int
retc_model_add_layers(retc_model_reader *r, json_t *list) {
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
        r->network->modules = number;
        int status = add_module(r, module, class, entry);
        if (status < 0)
            return status;
    }
    /* The peers' models apply it to what their layers give, when they are not training. */
    return json_is_true(json_object_get(r->hyps, "inference_exp")) ? retc_network_add_simple(r->network, RETC_LAYER_EXP)
                                                                   : RETC_OK;
}
