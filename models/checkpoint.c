/* Checkpoints as they go from file to file: compared with what they are said to give, and written again. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model_internal.h"
#include "tape.h"

/* ---- what it is said to give ----------------------------------------------------------------------------------------- */

/* The outputs of one window, before the scale to Hz: its inverse undoes it. */
static double
output_of(const retc_network *network, const retc_tape *tape, size_t j) {
    const retc_layer *last = &network->layer[network->layers - 1];
    double rate = (double)retc_tape_rate(tape, j)[0];
    return last->kind == RETC_LAYER_SCALE ? (rate - last->offset) / last->value : rate;
}

static int
check_window(retc_network *network, retc_tape *tape, retc_h5 *file, size_t b, float *input, double *output,
             retc_checkpoint_notes *notes) {
    int status = RETC_OK;
    size_t at[4] = {b, 0, 0, 0}, in[4] = {1, network->L, network->H, network->W}, out[2] = {1, network->N};
    RETC_TRY(retc_h5_read(file, "/check/input", RETC_H5_FLOAT, at, in, input));
    RETC_TRY(retc_h5_read(file, "/check/output", RETC_H5_DOUBLE, at, out, output));
    retc_tape_load(tape, input, 1);
    retc_tape_forward(tape, 0, network->layers, 1);
    for (size_t j = 0; j < network->N; ++j) {
        double error = fabs(output_of(network, tape, j) - output[j]);
        if (!isfinite(error))
            RETC_TRY(RETC_FAIL(RETC_ENUMBER, "%s: the output for window %zu of /check, cell %zu, is not finite",
                               retc_h5_path(file), b, j));
        notes->error = fmax(notes->error, error);
        notes->largest = fmax(notes->largest, fabs(output[j]));
    }
done:
    return status;
}

int
retc_checkpoint_check(retc_network *network, retc_h5 *file, retc_checkpoint_notes *notes) {
    int status = RETC_OK;
    size_t in[4] = {0, network->L, network->H, network->W}, out[2] = {0, network->N}, shape[4];
    double mean = network->stimulus_mean, std = network->stimulus_std, *output = NULL;
    float *input = NULL;
    retc_tape *tape = NULL;
    if (!retc_h5_has(file, "/check/input") || !retc_h5_has(file, "/check/output"))
        return RETC_OK;
    network->stimulus_mean = 0, network->stimulus_std = 1; /* these windows are normalised already */
    RETC_TRY(retc_h5_expect(file, "/check/input", 4, in, shape));
    out[0] = shape[0];
    RETC_TRY(retc_h5_expect(file, "/check/output", 2, out, NULL));
    RETC_TRY(RETC_ALLOC(input, network->L * network->H * network->W));
    RETC_TRY(RETC_ALLOC(output, network->N));
    RETC_TRY(RETC_GOT(tape = retc_tape_alloc(network, 1, 0, NULL)));
    for (size_t b = 0; b < shape[0]; ++b)
        RETC_TRY(check_window(network, tape, file, b, input, output, notes));
    notes->windows = shape[0];
done:
    network->stimulus_mean = mean, network->stimulus_std = std;
    retc_tape_free(tape);
    retc_free(input);
    retc_free(output);
    return status;
}

/* ---- writing it again ------------------------------------------------------------------------------------------------ */

/* Elements of a dataset one by one as they are: of floats, doubles or whole numbers. */
static int
copy_dataset(retc_h5 *from, const char *name, retc_h5 *file) {
    int status = RETC_OK, rank = 0;
    size_t shape[RETC_H5_MAX_RANK];
    void *values = NULL;
    const char *stored = retc_h5_stored_type(from, name);
    retc_h5_type type = strcmp(stored, "f4") == 0 ? RETC_H5_FLOAT : stored[0] == 'f' ? RETC_H5_DOUBLE : RETC_H5_INT64;
    RETC_TRY(retc_h5_shape(from, name, &rank, shape));
    RETC_TRY(retc_h5_read_new(from, name, type, rank, shape, &values));
    RETC_TRY(retc_h5_put(file, name, type, rank, shape, values));
done:
    retc_free(values);
    return status;
}

static int
copy_attributes(retc_h5 *from, retc_h5 *file) {
    static const char *const kept[] = {"dataset", "stim_type"};
    int status = RETC_OK;
    for (size_t i = 0; i < sizeof kept / sizeof *kept && status == RETC_OK; ++i) {
        char *text = NULL;
        if (retc_h5_get_text(from, "/", kept[i], &text) == RETC_OK)
            status = retc_h5_set_text(file, "/", kept[i], text);
        retc_free(text);
    }
    return status;
}

/* The settings of a network whose layers are written as they are computed: what the reader has done is not asked for again. */
static json_t *
settings_done(retc_h5 *from) {
    static const char *const done[] = {"inference_exp", "abs_bias", "stackconvs"};
    json_t *settings = retc_model_read_json(from, "hyps_json");
    for (size_t i = 0; settings && i < sizeof done / sizeof *done; ++i)
        if (json_object_get(settings, done[i]))
            json_object_set_new(settings, done[i], json_false());
    return settings;
}

int
retc_checkpoint_write(const retc_network *network, retc_h5 *from, retc_h5 *file) {
    int status = RETC_OK;
    json_t *settings = settings_done(from);
    if (!settings)
        return RETC_EFORMAT;
    RETC_TRY(retc_network_write_settings(network, settings, file));
    RETC_TRY(copy_attributes(from, file));
done:
    json_decref(settings);
    return status;
}

static int
is_ignored(const retc_checkpoint_notes *notes, const char *tensor) {
    for (size_t i = 0; i < notes->n_ignored; ++i)
        if (strcmp(notes->ignored[i], tensor) == 0)
            return 1;
    return 0;
}

static int
copy_tensors(retc_h5 *from, const retc_checkpoint_notes *notes, retc_h5 *file) {
    int status = RETC_OK;
    char **members = NULL, name[200];
    size_t n = 0;
    RETC_TRY(retc_h5_members(from, "/state_dict", &members, &n));
    for (size_t i = 0; i < n; ++i) {
        snprintf(name, sizeof name, "/state_dict/%s", members[i]);
        if (!is_ignored(notes, members[i]))
            RETC_TRY(copy_dataset(from, name, file));
    }
done:
    retc_free(members);
    return status;
}

/* Positions that came from centres are written as such, so that who reads the file need not know how. */
static int
write_positions(const retc_network *network, retc_h5 *file) {
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_GRAB && !network->layer[l].one_hot)
            return retc_network_write_positions(&network->layer[l], file);
    return RETC_OK;
}

int
retc_checkpoint_write_exact(const retc_network *network, retc_h5 *from, const retc_checkpoint_notes *notes, retc_h5 *file) {
    static const char *const kept[] = {"/y_stats/mean", "/y_stats/std", "/check/input", "/check/output"};
    int status = RETC_OK;
    char *hyps = NULL;
    RETC_TRY(retc_network_write_frame(network, file));
    RETC_TRY(retc_h5_get_text(from, "/", "hyps_json", &hyps));
    RETC_TRY(retc_h5_set_text(file, "/", "hyps_json", hyps));
    RETC_TRY(retc_h5_set_text(file, "/", "layers_json", notes->layers));
    RETC_TRY(copy_attributes(from, file));
    RETC_TRY(copy_tensors(from, notes, file));
    RETC_TRY(write_positions(network, file));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; ++i)
        if (retc_h5_has(from, kept[i]))
            RETC_TRY(copy_dataset(from, kept[i], file));
done:
    retc_free(hyps);
    return status;
}

int
retc_checkpoint_add_torch(const retc_network *network, retc_h5 *file) {
    static const int64_t none = 0;
    int status = RETC_OK;
    for (size_t l = 0; l < network->layers && status == RETC_OK; ++l) {
        const retc_layer *layer = &network->layer[l];
        char name[RETC_NAME_SIZE + 40];
        int is_noise = layer->kind == RETC_LAYER_NOISE, counts = layer->kind == RETC_LAYER_BATCHNORM && !layer->absolute;
        float sigma = (float)layer->sigma;
        snprintf(name, sizeof name, "/state_dict/%s.%s", layer->module, is_noise ? "sigma" : "num_batches_tracked");
        if (!(is_noise || counts) || retc_h5_has(file, name))
            continue;
        status = is_noise ? retc_h5_put(file, name, RETC_H5_FLOAT, 1, (size_t[]){1}, &sigma)
                          : retc_h5_put(file, name, RETC_H5_INT64, 0, NULL, &none);
    }
    return status;
}
