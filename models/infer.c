#include "infer.h"

#include <stdio.h>
#include <string.h>

enum { MOST_MODULES = 256, NAME = 200 };

typedef enum { NOTHING, CONV, STACK, LINEAR, NORM, NOISE, ONE_HOT } tensor_kind;

typedef struct {
    retc_h5 *file;
    const json_t *hyps;
    tensor_kind kind[MOST_MODULES]; /* what the tensors under each number say */
    json_t *layers;
} inference;

static int
is_core(tensor_kind kind) {
    return kind == CONV || kind == STACK || kind == LINEAR;
}

/* ---- what is there --------------------------------------------------------------------------------------------------- */

/* What a tensor says of its module; a bias says nothing. */
static tensor_kind
kind_of(const char *tensor, int rank) {
    if (strncmp(tensor, "convs.", 6) == 0)
        return STACK;
    if (strcmp(tensor, "weight") == 0)
        return rank == 4 ? CONV : rank == 2 ? LINEAR : rank == 1 ? NORM : NOTHING;
    if (strcmp(tensor, "running_mean") == 0 || strcmp(tensor, "running_var") == 0 || strcmp(tensor, "scale") == 0 ||
        strcmp(tensor, "shift") == 0)
        return NORM;
    if (strcmp(tensor, "sigma") == 0)
        return NOISE;
    return strcmp(tensor, "w") == 0 && rank == 2 ? ONE_HOT : NOTHING;
}

/* Fill `kind`; names of another form are left to be listed as ignored. */
static int
scan(inference *in) {
    int status = RETC_OK;
    char **members = NULL, path[NAME];
    size_t count = 0, number;
    RETC_TRY(retc_h5_members(in->file, "/state_dict", &members, &count));
    for (size_t i = 0; i < count; ++i) {
        int used = 0, rank = 0;
        size_t shape[RETC_H5_MAX_RANK];
        if (sscanf(members[i], "sequential.%zu.%n", &number, &used) != 1 || used == 0)
            continue;
        if (number >= MOST_MODULES)
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT, "\"/state_dict/%s\": module numbers below %d were expected", members[i], MOST_MODULES));
        snprintf(path, sizeof path, "/state_dict/%s", members[i]);
        RETC_TRY(retc_h5_shape(in->file, path, &rank, shape));
        tensor_kind kind = kind_of(members[i] + used, rank), before = in->kind[number];
        if (kind != NOTHING && before != NOTHING && kind != before)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "\"%s\" (rank %d) contradicts the other tensors of sequential.%zu", path, rank,
                               number));
        if (kind != NOTHING)
            in->kind[number] = kind;
    }

done:
    retc_free(members);
    return status;
}

/* The first number from `from` on whose module is a convolution or dense; MOST_MODULES when there is none. */
static size_t
next_core(const inference *in, size_t from) {
    while (from < MOST_MODULES && !is_core(in->kind[from]))
        ++from;
    return from;
}

/* The number of the only module of a kind between two numbers (both outside), 0 when there is none. */
static int
find_between(const inference *in, size_t from, size_t to, tensor_kind kind, size_t *found) {
    *found = 0;
    for (size_t i = from + 1; i < to; ++i) {
        if (in->kind[i] != kind)
            continue;
        if (*found)
            return RETC_FAIL(RETC_EFORMAT, "sequential.%zu and sequential.%zu are of the same kind, one was expected", *found,
                             i);
        *found = i;
    }
    return RETC_OK;
}

/* ---- the list -------------------------------------------------------------------------------------------------------- */

static json_t *
append(inference *in, size_t number, const char *class) {
    char name[32];
    snprintf(name, sizeof name, "sequential.%zu", number);
    json_t *entry = json_pack("{s:s, s:s}", "name", name, "class", class);
    json_array_append_new(in->layers, entry);
    return entry;
}

static void
append_core(inference *in, size_t number) {
    tensor_kind kind = in->kind[number];
    append(in, number, kind == CONV ? "Conv2d" : kind == STACK ? "LinearStackedConv2d" : "Linear");
}

/* Classes of batch norm differ in the names of their parameters: scale and shift, or weight and bias.  The epsilon of all
 * these models is 1e-3, the reader's default. */
static void
append_norm(inference *in, size_t number) {
    char name[NAME];
    snprintf(name, sizeof name, "/state_dict/sequential.%zu.scale", number);
    int absolute = retc_h5_has(in->file, name);
    json_t *entry = append(in, number, absolute ? "AbsBatchNorm" : "BatchNorm");
    if (absolute && json_is_true(json_object_get(in->hyps, "abs_bias")))
        json_object_set_new(entry, "abs_bias", json_true());
}

/* Noise keeps its strength as a tensor. */
static int
append_noise(inference *in, size_t number) {
    char name[NAME];
    int status = RETC_OK;
    size_t shape[RETC_H5_MAX_RANK];
    void *sigma = NULL;
    snprintf(name, sizeof name, "/state_dict/sequential.%zu.sigma", number);
    RETC_TRY(retc_h5_expect(in->file, name, 1, (size_t[]){1}, shape));
    RETC_TRY(retc_h5_read_new(in->file, name, RETC_H5_DOUBLE, 1, shape, &sigma));
    json_t *entry = append(in, number, "GaussianNoise");
    json_object_set_new(entry, "sigma", json_real(*(double *)sigma));
done:
    retc_free(sigma);
    return status;
}

/* The number of the ReLU before the convolution `next`, which holds no tensor.  Behind the batch norm come noise and
 * ReLU, with batch norm per unit a Reshape before or behind them, and a Flatten before a dense readout; with bnaftrelu ReLU
 * stands right before the batch norm. */
static size_t
relu_number(size_t next, size_t norm, size_t noise, int after_relu) {
    if (noise)
        return noise + 1;
    if (after_relu)
        return norm - 1;
    if (!norm)
        return next - 1;
    size_t gap = next - norm - 1;
    return norm + (gap == 4 ? 3 : gap);
}

/* A convolution and what follows it up to the next one. */
static int
append_hidden(inference *in, size_t core, size_t next) {
    int status = RETC_OK;
    size_t norm, noise;
    RETC_TRY(find_between(in, core, next, NORM, &norm));
    RETC_TRY(find_between(in, core, next, NOISE, &noise));
    int after_relu = norm && (norm - core > 2 || (noise && noise < norm));
    if (norm && !after_relu && json_is_true(json_object_get(in->hyps, "bnaftrelu")))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "\"hyps_json\" says bnaftrelu, but sequential.%zu leaves no room for a ReLU before it",
                           norm));
    size_t relu = relu_number(next, norm, noise, after_relu);
    if (relu <= core || relu >= next || in->kind[relu] != NOTHING)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "there is no room for a ReLU between sequential.%zu and sequential.%zu", core, next));
    append_core(in, core);
    for (size_t i = core + 1; i < next; ++i) {
        if (i == norm)
            append_norm(in, i);
        else if (i == noise)
            RETC_TRY(append_noise(in, i));
        else if (i == relu)
            append(in, i, "ReLU");
    }
done:
    return status;
}

/* Are the positions of the cells, which GrabUnits takes, in the file or in its settings? */
static int
has_positions(const inference *in) {
    return retc_h5_has(in->file, "/grab_units/coords") || retc_h5_has(in->file, "/centers") ||
           json_is_array(json_object_get(in->hyps, "centers"));
}

/* The last convolution, the choice of a position per cell, batch norm, and softplus; with OneHot the positions come last. */
static int
append_readout(inference *in, size_t core) {
    int status = RETC_OK;
    size_t norm, one_hot, last = core;
    const json_t *softplus = json_object_get(in->hyps, "softplus");
    const char *closing = json_is_false(softplus) ? "Exponential" : "Softplus";
    RETC_TRY(find_between(in, core, MOST_MODULES, NORM, &norm));
    RETC_TRY(find_between(in, core, MOST_MODULES, ONE_HOT, &one_hot));
    append_core(in, core);
    if (in->kind[core] != LINEAR && !one_hot && norm != core + 1 && (norm == core + 2 || has_positions(in)))
        append(in, last = core + 1, "GrabUnits");
    if (norm)
        append_norm(in, last = norm);
    if (one_hot && one_hot < last + 2)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "there is no room for a softplus before the OneHot sequential.%zu", one_hot));
    append(in, last + 1, closing);
    if (one_hot)
        append(in, one_hot, "OneHot");
done:
    return status;
}

static int
check_type(const char *model_type) {
    static const char *const known[] = {"VaryModel", "BNCNN", "LinearStackedBNCNN", "RetinotopicModel"};
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i)
        if (strcmp(model_type, known[i]) == 0)
            return RETC_OK;
    return RETC_FAIL(
        RETC_EFORMAT,
        "layers of a \"%s\" cannot be told from the names of its tensors: add attribute \"layers_json\" (known are "
        "VaryModel, BNCNN, LinearStackedBNCNN, RetinotopicModel)",
        model_type);
}

int
retc_infer_layers(retc_h5 *file, const char *model_type, const json_t *hyps, json_t **layers) {
    int status = RETC_OK;
    inference in = {.file = file, .hyps = hyps, .layers = json_array()};
    RETC_TRY(check_type(model_type));
    RETC_TRY(scan(&in));
    size_t core = next_core(&in, 0);
    if (core == MOST_MODULES)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "/state_dict holds no convolution \"sequential.<number>.weight\""));
    for (size_t next; (next = next_core(&in, core + 1)) < MOST_MODULES; core = next)
        RETC_TRY(append_hidden(&in, core, next));
    RETC_TRY(append_readout(&in, core));
    *layers = in.layers;
    in.layers = NULL;
done:
    json_decref(in.layers);
    return status;
}
