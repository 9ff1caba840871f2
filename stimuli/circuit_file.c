#include "circuit_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "circuit_data.h"

/* Courses of filters are written as long as they are more than this share of their largest value, and no longer than that. */
#define FILTER_TAIL 1e-9
enum { FILTER_FRAMES = 4096 };

static int
put_numbers(retc_h5 *file, const char *group, const char *name, size_t n, const double *value) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return retc_h5_put(file, path, RETC_H5_DOUBLE, 1, &n, value);
}

static int
put_number(retc_h5 *file, const char *group, const char *name, double value) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return retc_h5_put(file, path, RETC_H5_DOUBLE, 0, NULL, &value);
}

static int
put_indices(retc_h5 *file, const char *group, const char *name, size_t n, const int64_t *value) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return retc_h5_put(file, path, RETC_H5_INT64, 1, &n, value);
}

static int
put_neurons(retc_h5 *file, const char *group, const retc_neuron *const *neuron, size_t n, const char *const *type) {
    int status = RETC_OK;
    double *number = NULL;
    char path[128];
    RETC_TRY(RETC_ALLOC(number, 3 * n));
    for (size_t i = 0; i < n; ++i) {
        number[i] = neuron[i]->place.x;
        number[n + i] = neuron[i]->place.y;
        number[2 * n + i] = neuron[i]->angle;
    }
    snprintf(path, sizeof path, "%s/type", group);
    RETC_TRY(retc_h5_put_texts(file, path, n, type));
    RETC_TRY(put_numbers(file, group, "x", n, number));
    RETC_TRY(put_numbers(file, group, "y", n, number + n));
    if (!strcmp(group, "truth/cells"))
        RETC_TRY(put_numbers(file, group, "direction", n, number + 2 * n));

done:
    retc_free(number);
    return status;
}

static int
write_neurons(const retc_circuit *c, retc_h5 *file) {
    int status = RETC_OK;
    size_t I = c->B + c->V, most = I > c->N ? I : c->N;
    const retc_neuron **neuron = NULL;
    const char **type = NULL;
    RETC_TRY(RETC_ALLOC(neuron, most));
    RETC_TRY(RETC_ALLOC(type, most));
    for (size_t i = 0; i < I; ++i) {
        neuron[i] = i < c->B ? &c->bipolar[i] : &c->amacrine[i - c->B];
        type[i] = i < c->B ? retc_bipolar_type_name(neuron[i]->type) : retc_amacrine_type_name(neuron[i]->type);
    }
    RETC_TRY(put_neurons(file, "interneurons", neuron, I, type));
    for (size_t j = 0; j < c->N; ++j) {
        neuron[j] = &c->cell[j];
        type[j] = retc_ganglion_type_name(c->cell[j].type);
    }
    RETC_TRY(put_neurons(file, "truth/cells", neuron, c->N, type));

done:
    retc_free(neuron);
    retc_free(type);
    return status;
}

/* Sources and targets counted from `source0` and `target0`; `delayed`: the sources are amacrine cells. */
static int
write_wires(const retc_circuit *c, retc_h5 *file, const char *name, const retc_wires *wires, size_t source0, size_t target0,
            int delayed) {
    int status = RETC_OK;
    size_t n = wires->first[wires->targets];
    int64_t *index = NULL;
    double *delay = NULL;
    char group[64];
    if (n == 0)
        return RETC_OK;
    snprintf(group, sizeof group, "truth/wiring/%s", name);
    RETC_TRY(RETC_ALLOC(index, 2 * n));
    RETC_TRY(RETC_ALLOC(delay, n));
    for (size_t i = 0, target = 0; i < n; ++i) {
        while (wires->first[target + 1] <= i)
            ++target;
        index[i] = (int64_t)(source0 + wires->source[i]);
        index[n + i] = (int64_t)(target0 + target);
        delay[i] = delayed ? c->options.amacrine[c->amacrine[wires->source[i]].type].delay : 0;
    }
    RETC_TRY(put_indices(file, group, "source", n, index));
    RETC_TRY(put_indices(file, group, "target", n, index + n));
    RETC_TRY(put_numbers(file, group, "weight", n, wires->weight));
    if (delayed)
        RETC_TRY(put_numbers(file, group, "delay", n, delay));

done:
    retc_free(index);
    retc_free(delay);
    return status;
}

static int
write_wiring(const retc_circuit *c, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(write_wires(c, file, "pixel_to_bipolar", &c->pixels, 0, 0, 0));
    RETC_TRY(write_wires(c, file, "bipolar_to_cell", &c->bipolar_to_cell, 0, 0, 0));
    RETC_TRY(write_wires(c, file, "bipolar_to_amacrine", &c->bipolar_to_amacrine, 0, c->B, 0));
    RETC_TRY(write_wires(c, file, "amacrine_to_cell", &c->amacrine_to_cell, c->B, 0, 1));
    RETC_TRY(write_wires(c, file, "amacrine_to_bipolar", &c->amacrine_to_bipolar, c->B, 0, 1));

done:
    return status;
}

static int
has_type(const retc_neuron *neuron, size_t n, size_t type) {
    for (size_t i = 0; i < n; ++i)
        if (neuron[i].type == type)
            return 1;
    return 0;
}

/* Write a course (n), as far as it matters. */
static int
put_course(retc_h5 *file, const char *group, const double *h, size_t n) {
    double largest = 0;
    for (size_t k = 0; k < n; ++k)
        largest = fmax(largest, fabs(h[k]));
    while (n > 1 && fabs(h[n - 1]) <= FILTER_TAIL * largest)
        --n;
    return put_numbers(file, group, "time", n, h);
}

static int
write_bipolar_filter(const retc_circuit *c, retc_h5 *file, size_t type, double *h) {
    int status = RETC_OK;
    char group[64];
    const retc_bipolar_options *o = &c->options.bipolar[type];
    snprintf(group, sizeof group, "truth/filters/%s", retc_bipolar_type_name(type));
    retc_circuit_bipolar_filter(c, type, FILTER_FRAMES, h);
    RETC_TRY(put_course(file, group, h, FILTER_FRAMES));
    RETC_TRY(put_number(file, group, "gain", c->bipolar_gain[type]));
    RETC_TRY(put_number(file, group, "threshold", o->threshold));
    RETC_TRY(put_number(file, group, "center", o->center));
    RETC_TRY(put_number(file, group, "surround", o->surround));
    RETC_TRY(put_number(file, group, "surround_weight", o->surround_weight));

done:
    return status;
}

static int
write_amacrine_filter(const retc_circuit *c, retc_h5 *file, size_t type, double *h) {
    int status = RETC_OK;
    char group[64];
    double state = 0;
    const retc_amacrine_options *o = &c->options.amacrine[type];
    snprintf(group, sizeof group, "truth/filters/%s", retc_amacrine_type_name(type));
    memset(h, 0, FILTER_FRAMES * sizeof *h);
    h[0] = 1;
    retc_leak_series(retc_leak(o->tau, c->dt), &state, h, FILTER_FRAMES);
    RETC_TRY(put_course(file, group, h, FILTER_FRAMES));
    RETC_TRY(put_number(file, group, "gain", c->amacrine_gain[type]));
    RETC_TRY(put_number(file, group, "threshold", o->threshold));
    RETC_TRY(put_number(file, group, "delay", o->delay));

done:
    return status;
}

static int
write_filters(const retc_circuit *c, retc_h5 *file) {
    int status = RETC_OK;
    double *h = NULL;
    RETC_TRY(RETC_ALLOC(h, FILTER_FRAMES));
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        if (has_type(c->bipolar, c->B, i))
            RETC_TRY(write_bipolar_filter(c, file, i, h));
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i)
        if (has_type(c->amacrine, c->V, i))
            RETC_TRY(write_amacrine_filter(c, file, i, h));

done:
    retc_free(h);
    return status;
}

static int
write_outputs(const retc_circuit *c, retc_h5 *file) {
    int status = RETC_OK;
    size_t N = c->N;
    double *number = NULL;
    RETC_TRY(RETC_ALLOC(number, 6 * N));
    for (size_t j = 0; j < N; ++j) {
        number[j] = c->output[j].gain;
        number[N + j] = c->output[j].slope;
        number[2 * N + j] = c->output[j].offset;
        number[3 * N + j] = c->output[j].control;
        number[4 * N + j] = retc_circuit_rate_on_grey(c, j);
        number[5 * N + j] = c->output[j].maximum;
    }
    RETC_TRY(put_numbers(file, "truth/output", "gain", N, number));
    RETC_TRY(put_numbers(file, "truth/output", "slope", N, number + N));
    RETC_TRY(put_numbers(file, "truth/output", "offset", N, number + 2 * N));
    RETC_TRY(put_numbers(file, "truth/output", "control", N, number + 3 * N));
    RETC_TRY(put_numbers(file, "truth/output", "maximum", N, number + 5 * N));
    RETC_TRY(put_numbers(file, "truth/output", "grey", N, c->grey));
    RETC_TRY(put_numbers(file, "truth", "rate_on_grey", N, number + 4 * N));

done:
    retc_free(number);
    return status;
}

static int
write_receptive_fields(const retc_circuit *c, retc_h5 *file, size_t L) {
    int status = RETC_OK;
    size_t pixels = c->height * c->width, frames = (size_t)65536 / pixels;
    const size_t shape[4] = {c->N, L, c->height, c->width};
    const size_t chunk[4] = {1, frames < 1 ? 1 : frames < L ? frames : L, c->height, c->width};
    double *rf = NULL;
    RETC_TRY(RETC_ALLOC(rf, L * pixels));
    RETC_TRY(retc_h5_make(file, "truth/receptive_field", RETC_H5_FLOAT, 4, shape, chunk));
    for (size_t j = 0; j < c->N; ++j) {
        const size_t start[4] = {j, 0, 0, 0}, count[4] = {1, L, c->height, c->width};
        RETC_TRY(retc_circuit_receptive_field(c, j, L, rf));
        RETC_TRY(retc_h5_write(file, "truth/receptive_field", RETC_H5_DOUBLE, start, count, rf));
    }

done:
    retc_free(rf);
    return status;
}

static int
write_config(const retc_circuit *c, retc_h5 *file) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return RETC_FAIL(RETC_ENOMEM, "out of memory");
    retc_circuit_config_print(out, &c->options);
    int status = fclose(out) == 0 ? retc_h5_put_text(file, "truth/config", text) : RETC_FAIL(RETC_ENOMEM, "out of memory");
    free(text);
    return status;
}

int
retc_circuit_write(const retc_circuit *circuit, retc_h5 *file) {
    int status = RETC_OK;
    size_t L = retc_circuit_history(circuit);
    RETC_TRY(write_config(circuit, file));
    RETC_TRY(write_neurons(circuit, file));
    RETC_TRY(write_wiring(circuit, file));
    RETC_TRY(write_filters(circuit, file));
    RETC_TRY(write_outputs(circuit, file));
    RETC_TRY(write_receptive_fields(circuit, file, L));

done:
    return status;
}
