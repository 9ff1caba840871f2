/* Reading contributions (FORMATS 5.1) and writing modes (FORMATS 5.2). */
#include <math.h>
#include <string.h>

#include "modes.h"

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static const char TAIL[] = "_contributions";

/* Length of X in "X_contributions", 0 for other names. */
static size_t
target_length(const char *name) {
    size_t length = strlen(name), tail = sizeof TAIL - 1;
    return length > tail && strcmp(name + length - tail, TAIL) == 0 ? length - tail : 0;
}

static int
find_target(retc_h5 *file, char **target) {
    int status = RETC_OK;
    char **names = NULL;
    const char *found = NULL;
    size_t n = 0;
    RETC_TRY(retc_h5_members(file, "/", &names, &n));
    for (size_t i = 0; i < n; ++i)
        if (target_length(names[i]) > 0) {
            if (found) {
                status = RETC_FAIL(RETC_EFORMAT, "%s: has both \"%s\" and \"%s\"; one group of contributions was expected",
                                   retc_h5_path(file), found, names[i]);
                goto done;
            }
            found = names[i];
        }
    if (!found) {
        status = RETC_FAIL(RETC_EFORMAT, "%s: has no group \"<target>%s\"; make one with retcodec contribute",
                           retc_h5_path(file), TAIL);
        goto done;
    }
    RETC_TRY(RETC_GOT(*target = retc_strf("%.*s", (int)target_length(found), found)));
done:
    retc_free(names);
    return status;
}

static int
read_layer(retc_h5 *file, const char *target, size_t T, retc_modes_layer *layer) {
    int status = RETC_OK;
    size_t shape[2];
    void *data = NULL;
    char *path = retc_strf("/%s%s/%s", target, TAIL, layer->name);
    RETC_TRY(RETC_GOT(path));
    RETC_TRY(retc_h5_expect(file, path, 2, (const size_t[]){T, 0}, shape));
    if (shape[0] == 0 || shape[1] == 0) {
        status = RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is empty", retc_h5_path(file), path);
        goto done;
    }
    RETC_TRY(retc_h5_read_new(file, path, RETC_H5_FLOAT, 2, shape, &data));
    layer->original = data;
    layer->T = shape[0];
    layer->F = shape[1];
    for (size_t i = 0; i < layer->T * layer->F; ++i)
        if (!isfinite(layer->original[i])) {
            status = RETC_FAIL(RETC_ENUMBER, "%s: \"%s\" is %g at sample %zu, column %zu; contributions must be finite",
                               retc_h5_path(file), path, (double)layer->original[i], i / layer->F, i % layer->F);
            goto done;
        }
done:
    retc_free(path);
    return status;
}

int
retc_modes_read(retc_h5 *contributions, retc_modes *modes) {
    int status = RETC_OK;
    char *group = NULL;
    memset(modes, 0, sizeof *modes);
    RETC_TRY(retc_h5_expect_kind(contributions, "contributions"));
    RETC_TRY(find_target(contributions, &modes->target));
    RETC_TRY(RETC_GOT(group = retc_strf("/%s%s", modes->target, TAIL)));
    RETC_TRY(retc_h5_members(contributions, group, &modes->names, &modes->n_layers));
    if (modes->n_layers == 0) {
        status = RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds no layer", retc_h5_path(contributions), group);
        goto done;
    }
    RETC_TRY(RETC_ALLOC(modes->layer, modes->n_layers));
    for (size_t i = 0; i < modes->n_layers; ++i) {
        modes->layer[i].name = modes->names[i];
        RETC_TRY(read_layer(contributions, modes->target, modes->layer[0].T, &modes->layer[i]));
    }
done:
    retc_free(group);
    if (status < 0)
        retc_modes_clear(modes);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* Datasets of a layer are named below "/<layer>/": put one there. */
static int
put(retc_h5 *file, const char *layer, const char *name, retc_h5_type type, int rank, const size_t *shape, const void *data) {
    char *path = retc_strf("/%s/%s", layer, name);
    int status = path ? retc_h5_put(file, path, type, rank, shape, data) : RETC_ENOMEM;
    retc_free(path);
    return status;
}

static int
write_reconstructions(const retc_modes_layer *layer, int published_offset, retc_h5 *file) {
    int status = RETC_OK;
    const size_t shape[] = {layer->T, layer->F};
    float *denormalized = NULL;
    double offset = published_offset ? layer->mean : 0;
    RETC_TRY(RETC_ALLOC(denormalized, layer->T * layer->F));
    for (size_t i = 0; i < layer->T * layer->F; ++i)
        denormalized[i] = (float)((double)layer->reconstruction[i] * layer->std + offset);
    RETC_TRY(put(file, layer->name, "reconstructed_normalized", RETC_H5_FLOAT, 2, shape, layer->reconstruction));
    RETC_TRY(put(file, layer->name, "reconstructed_denormalized", RETC_H5_FLOAT, 2, shape, denormalized));
done:
    retc_free(denormalized);
    return status;
}

static int
write_numbers(const retc_modes_layer *layer, retc_h5 *file) {
    int status = RETC_OK;
    const float mean = (float)layer->mean, std = (float)layer->std;
    char *path = retc_strf("/%s", layer->name);
    RETC_TRY(RETC_GOT(path));
    RETC_TRY(put(file, layer->name, "normalization_stats/mean", RETC_H5_FLOAT, 0, NULL, &mean));
    RETC_TRY(put(file, layer->name, "normalization_stats/std", RETC_H5_FLOAT, 0, NULL, &std));
    RETC_TRY(retc_h5_set_number(file, path, "r2_score", layer->r2));
    RETC_TRY(retc_h5_set_number(file, path, "mean_l0", layer->mean_l0));
    RETC_TRY(retc_h5_set_int(file, path, "n_features", (int64_t)layer->F));
    RETC_TRY(retc_h5_set_int(file, path, "n_atoms", (int64_t)layer->A));
    RETC_TRY(retc_h5_set_int(file, path, "active_atoms", (int64_t)layer->active));
    RETC_TRY(retc_h5_set_int(file, path, "alive_atoms", (int64_t)layer->alive));
    RETC_TRY(retc_h5_set_int(file, path, "starts", (int64_t)layer->starts));
done:
    retc_free(path);
    return status;
}

/* Ours: the encoder, so that loadings of other data can be computed, and the numbers of the atoms alive. */
static int
write_autoencoder(const retc_modes_layer *layer, retc_h5 *file) {
    int status = RETC_OK;
    int64_t *number = NULL;
    RETC_TRY(RETC_ALLOC(number, layer->alive));
    for (size_t m = 0; m < layer->alive; ++m)
        number[m] = (int64_t)layer->atom[m];
    RETC_TRY(put(file, layer->name, "atom_numbers", RETC_H5_INT64, 1, &layer->alive, number));
    for (size_t i = 0; i < RETC_SAE_TENSORS; ++i) {
        const retc_sae_tensor *tensor = &layer->sae->tensors[i];
        char *name = retc_strf("autoencoder/%s", tensor->name);
        const float *values = layer->sae->parameters + tensor->offset;
        status = name ? put(file, layer->name, name, RETC_H5_FLOAT, tensor->rank, tensor->shape, values) : RETC_ENOMEM;
        retc_free(name);
        if (status < 0)
            goto done;
    }
done:
    retc_free(number);
    return status;
}

static int
write_layer(const retc_modes_layer *layer, const retc_modes_options *options, retc_h5 *file) {
    int status = RETC_OK;
    const size_t data[] = {layer->T, layer->F}, codes[] = {layer->T, layer->alive}, dictionary[] = {layer->alive, layer->F};
    RETC_TRY(put(file, layer->name, "original_attributions", RETC_H5_FLOAT, 2, data, layer->original));
    RETC_TRY(put(file, layer->name, "normalized_attributions", RETC_H5_FLOAT, 2, data, layer->normalized));
    RETC_TRY(put(file, layer->name, "codes", RETC_H5_FLOAT, 2, codes, layer->codes));
    RETC_TRY(put(file, layer->name, "dictionary", RETC_H5_FLOAT, 2, dictionary, layer->dictionary));
    RETC_TRY(put(file, layer->name, "code_activity", RETC_H5_DOUBLE, 1, &layer->A, layer->activity));
    RETC_TRY(write_reconstructions(layer, options->published_offset, file));
    RETC_TRY(write_autoencoder(layer, file));
    RETC_TRY(write_numbers(layer, file));
done:
    return status;
}

/* Copy a numeric dataset, when it is there, under another name. */
static int
copy_numbers(retc_h5 *from, const char *source, retc_h5 *to, const char *name, retc_h5_type type) {
    int status = RETC_OK, rank = 0;
    size_t shape[RETC_H5_MAX_RANK];
    void *data = NULL;
    if (!retc_h5_has(from, source))
        return RETC_OK;
    RETC_TRY(retc_h5_shape(from, source, &rank, shape));
    RETC_TRY(retc_h5_read_new(from, source, type, rank, shape, &data));
    RETC_TRY(retc_h5_put(to, name, type, rank, shape, data));
done:
    retc_free(data);
    return status;
}

/* The text of the first of these datasets that is there, or NULL; retc_free. */
static int
read_either(retc_h5 *file, const char *first, const char *second, char **text) {
    *text = NULL;
    if (retc_h5_has(file, first))
        return retc_h5_read_text(file, first, text);
    return retc_h5_has(file, second) ? retc_h5_read_text(file, second, text) : RETC_OK;
}

static int
copy_cell_names(retc_h5 *from, retc_h5 *to) {
    int status = RETC_OK;
    char **names = NULL;
    size_t n = 0;
    if (!retc_h5_has(from, "/metadata/cell_names"))
        return RETC_OK;
    RETC_TRY(retc_h5_read_texts(from, "/metadata/cell_names", &names, &n));
    RETC_TRY(retc_h5_put_texts(to, "/metadata/cell_names", n, (const char *const *)names));
done:
    retc_free(names);
    return status;
}

static int
write_metadata(const retc_modes *modes, const retc_modes_options *options, retc_h5 *from, retc_h5 *file) {
    static const struct {
        const char *source, *name;
        retc_h5_type type;
    } copied[] = {
        {"/metadata/cells_list", "/metadata/cells_list", RETC_H5_INT64},
        {"/metadata/n_cells", "/metadata/n_cells", RETC_H5_INT64},
        {"/metadata/time", "/metadata/time", RETC_H5_DOUBLE},
        {"/metadata/frame", "/metadata/frame", RETC_H5_INT64},
        {"/metadata/scalar_target_sums", "/target_data/scalar_target_sums", RETC_H5_FLOAT},
        {"/metadata/model_responses_all_cells", "/target_data/model_responses_all_cells", RETC_H5_FLOAT},
        {"/metadata/actual_responses_all_cells", "/target_data/actual_responses_all_cells", RETC_H5_FLOAT},
    };
    int status = RETC_OK;
    char *identifier = NULL, *method = NULL;
    const int64_t T = (int64_t)modes->layer[0].T, multiplier = (int64_t)options->multiplier;
    RETC_TRY(retc_h5_put_texts(file, "/metadata/layer_names", modes->n_layers, (const char *const *)modes->names));
    RETC_TRY(retc_h5_put(file, "/metadata/n_timepoints", RETC_H5_INT64, 0, NULL, &T));
    RETC_TRY(retc_h5_put(file, "/metadata/n_dict_multiplier", RETC_H5_INT64, 0, NULL, &multiplier));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; ++i)
        RETC_TRY(copy_numbers(from, copied[i].source, file, copied[i].name, copied[i].type));
    RETC_TRY(copy_cell_names(from, file));
    RETC_TRY(read_either(from, "/metadata/identifier", "/metadata/dataset", &identifier));
    if (identifier)
        RETC_TRY(retc_h5_put_text(file, "/metadata/identifier", identifier));
    RETC_TRY(read_either(from, "/metadata/attribution_method", "/metadata/attribution_method", &method));
    if (method)
        RETC_TRY(retc_h5_set_text(file, "/metadata", "attribution_method", method));
    RETC_TRY(retc_h5_set_text(file, "/metadata", "target_type", modes->target));
done:
    retc_free(identifier);
    retc_free(method);
    return status;
}

int
retc_modes_write(const retc_modes *modes, const retc_modes_options *options, retc_h5 *contributions, retc_h5 *file) {
    int status = RETC_OK;
    for (size_t i = 0; i < modes->n_layers; ++i)
        RETC_TRY(write_layer(&modes->layer[i], options, file));
    RETC_TRY(write_metadata(modes, options, contributions, file));
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "modes"));
    RETC_TRY(retc_h5_set_number(file, "/", "threshold", options->threshold));
    RETC_TRY(retc_h5_set_int(file, "/", "nonnegative", options->nonnegative));
    RETC_TRY(retc_h5_set_int(file, "/", "converged", retc_modes_converged(modes)));
done:
    return status;
}
