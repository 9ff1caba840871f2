#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer.h"
#include "model_internal.h"
#include "stacked.h"

/* ---- tensors --------------------------------------------------------------------------------------------------------- */

/* Weights and bias of a convolution that equals a stack in the file. */
static int
read_stack(retc_network *network, const retc_layer *layer, retc_h5 *file) {
    int status = RETC_OK;
    const retc_param *weight = &network->param[layer->weight];
    retc_kernel kernel = {0};
    RETC_TRY(retc_stacked_collapse(file, layer->module, retc_stack_epsilon, &kernel));
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
        if (network->layer[l].kind == RETC_LAYER_CONV && network->layer[l].form == RETC_WEIGHT_PLAIN &&
            retc_stacked_is_there(file, network->layer[l].module))
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
        if (param->derived || is_stacked(param, file))
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
    retc_network_derive(network);
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

/* |shift| where a batch norm asks for it: the same at inference. */
static void
take_absolute_shifts(retc_network *network, json_t *list) {
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        const char *module = json_string_value(json_object_get(entry, "name"));
        for (size_t l = 0; json_is_true(json_object_get(entry, "abs_bias")) && l < network->layers; ++l) {
            const retc_layer *layer = &network->layer[l];
            if (layer->kind != RETC_LAYER_BATCHNORM || strcmp(layer->module, module) != 0)
                continue;
            float *shift = retc_network_values(network, layer->bias);
            for (size_t k = 0; k < network->param[layer->bias].size; ++k)
                shift[k] = fabsf(shift[k]);
        }
    }
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

/* Rows of the cells in the recording; a row's cell is called by its number plus 1 where no names are stored (FORMATS 1). */
static int
read_cells(retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    char **names = NULL, name[RETC_NAME_SIZE];
    size_t n = 0;
    RETC_TRY(retc_h5_read(file, "/cells", RETC_H5_INT64, NULL, NULL, network->cell_row));
    if (retc_h5_has(file, "/cell_names"))
        RETC_TRY(retc_h5_read_texts(file, "/cell_names", &names, &n));
    for (size_t j = 0; j < network->N; ++j) {
        snprintf(name, sizeof name, "cell%02lld", (long long)network->cell_row[j] + 1);
        RETC_TRY(retc_network_set_cell_name(network, j, j < n ? names[j] : name));
    }
    if (retc_h5_has(file, "/centers")) {
        RETC_TRY(retc_h5_expect(file, "/centers", 2, (size_t[]){network->N, 2}, NULL));
        RETC_TRY(RETC_ALLOC(network->centre, 2 * network->N));
        RETC_TRY(retc_h5_read(file, "/centers", RETC_H5_INT64, NULL, NULL, network->centre));
    }
done:
    retc_free(names);
    return status;
}

/* Normalisation, lag, names, and the scale to Hz. */
static int
read_rest(retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    double lag = 1;
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
        if (!isfinite(mean) || !(std + retc_y_stats_epsilon > 0) || !isfinite(std)) {
            status =
                RETC_FAIL(RETC_EFORMAT, "%s: /y_stats says mean %g, std %g: they give no rates", retc_h5_path(file), mean, std);
            goto done;
        }
        RETC_TRY(retc_network_add_scale(network, std + retc_y_stats_epsilon, mean));
    }
    RETC_TRY(read_cells(network, file));
done:
    return status;
}

/* ---- what no layer takes --------------------------------------------------------------------------------------------- */

/* Tensors that torch modules keep beside their parameters. */
static int
is_passenger(const retc_layer *layer, const char *tensor) {
    if (layer->kind == RETC_LAYER_NOISE)
        return strcmp(tensor, "sigma") == 0;
    if (layer->kind == RETC_LAYER_GRAB)
        return layer->one_hot && strcmp(tensor, "w") == 0;
    if (layer->kind == RETC_LAYER_CONV)
        return strncmp(tensor, "convs.", 6) == 0;
    return layer->kind == RETC_LAYER_BATCHNORM && strcmp(tensor, "num_batches_tracked") == 0;
}

static int
is_taken(const retc_network *network, const char *tensor) {
    if (retc_network_param(network, tensor))
        return 1;
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        size_t length = strlen(layer->module);
        if (strncmp(tensor, layer->module, length) == 0 && tensor[length] == '.' && is_passenger(layer, tensor + length + 1))
            return 1;
    }
    return 0;
}

static int
list_ignored(retc_model_reader *r) {
    int status = RETC_OK;
    retc_checkpoint_notes *notes = r->notes;
    size_t n = 0;
    RETC_TRY(retc_h5_members(r->file, "/state_dict", &notes->ignored, &n));
    for (size_t i = 0; i < n; ++i)
        if (!is_taken(r->network, notes->ignored[i]))
            notes->ignored[notes->n_ignored++] = notes->ignored[i];
done:
    return status;
}

void
retc_checkpoint_notes_clear(retc_checkpoint_notes *notes) {
    retc_free(notes->layers);
    retc_free(notes->ignored);
    *notes = (retc_checkpoint_notes){0};
}

/* ---- the whole file -------------------------------------------------------------------------------------------------- */

static int
is_checkpoint(retc_h5 *file) {
    char *format = NULL;
    int known;
    if (retc_h5_get_text(file, "/", "format", &format) < 0)
        known = retc_h5_has(file, "/state_dict"); /* files made by hand may not say */
    else
        known = strcmp(format, retc_checkpoint_format) == 0;
    retc_free(format);
    return known;
}

json_t *
retc_model_read_json(retc_h5 *file, const char *attribute) {
    char *text = NULL;
    json_error_t error;
    if (retc_h5_get_text(file, "/", attribute, &text) < 0)
        return NULL;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        RETC_FAIL(RETC_EFORMAT, "attribute \"%s\" is no JSON: %s, at byte %d", attribute, error.text, error.position);
    retc_free(text);
    return json;
}

static int
read_layers(retc_model_reader *r, const char *model_type, json_t **list) {
    char *text = NULL;
    int is_listed = retc_h5_get_text(r->file, "/", "layers_json", &text) == RETC_OK;
    retc_free(text);
    r->notes->inferred = !is_listed;
    if (!is_listed)
        return retc_infer_layers(r->file, model_type, r->hyps, list);
    *list = retc_model_read_json(r->file, "layers_json");
    return *list ? RETC_OK : RETC_EFORMAT;
}

static int
keep_layers(retc_model_reader *r, json_t *list) {
    char *text = json_dumps(list, JSON_COMPACT);
    r->notes->layers = retc_strdup(text);
    free(text);
    return RETC_GOT(r->notes->layers);
}

static int
read_network(retc_model_reader *r) {
    int status = RETC_OK;
    retc_h5 *file = r->file;
    char *type = NULL;
    json_t *list = NULL, *settings = NULL;
    size_t N = 0;
    json_int_t L = 0, H = 0, W = 0;
    RETC_TRY(retc_h5_expect_kind(file, "model"));
    if (!is_checkpoint(file))
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "this is no model file (attribute \"format\" should be \"%s\")", retc_checkpoint_format));
    RETC_TRY(retc_h5_get_text(file, "/", "model_type", &type));
    if (!(settings = retc_model_read_json(file, "hyps_json")))
        RETC_TRY(RETC_EFORMAT);
    r->hyps = settings;
    RETC_TRY(retc_h5_expect(file, "/cells", 1, NULL, &N));
    if (json_unpack(settings, "{s:[I,I,I]}", "img_shape", &L, &H, &W) < 0 || L < 1 || H < 1 || W < 1)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "attribute \"hyps_json\" has no \"img_shape\" [history, rows, columns]"));
    RETC_TRY(RETC_GOT(r->network = retc_network_alloc(type, (size_t)L, (size_t)H, (size_t)W, N)));
    RETC_TRY(read_layers(r, type, &list));
    RETC_TRY(retc_model_add_layers(r, list));
    RETC_TRY(read_rest(r->network, file));
    RETC_TRY(retc_network_finish(r->network));
    RETC_TRY(read_tensors(r->network, file));
    RETC_TRY(check_values(r->network, file));
    take_absolute_shifts(r->network, list);
    RETC_TRY(list_ignored(r));
    RETC_TRY(keep_layers(r, list));
done:
    json_decref(list);
    json_decref(settings);
    retc_free(type);
    return status;
}

retc_network *
retc_checkpoint_read(retc_h5 *file, int exact_centres, int collapse, retc_checkpoint_notes *notes) {
    *notes = (retc_checkpoint_notes){0};
    retc_model_reader r = {.file = file, .exact_centres = exact_centres, .collapse = collapse, .notes = notes};
    int status = read_network(&r);
    if (status == RETC_OK)
        return r.network;
    if (!strstr(retc_error_message(), retc_h5_path(file)))
        retc_error_prefix(status, "%s", retc_h5_path(file));
    retc_network_free(r.network);
    retc_checkpoint_notes_clear(notes);
    return NULL;
}

retc_network *
retc_network_read(retc_h5 *file) {
    retc_checkpoint_notes notes;
    retc_network *network = retc_checkpoint_read(file, 0, 0, &notes);
    retc_checkpoint_notes_clear(&notes);
    return network;
}

retc_network *
retc_network_open(const char *path) {
    retc_h5 *file = retc_h5_open(path);
    retc_network *network = file ? retc_network_read(file) : NULL;
    retc_h5_close(file);
    return network;
}
