#include <math.h>
#include <stdio.h>
#include <string.h>

#include "protocol_index.h"

/* Parameters and names of the conditions, how often and how long each was shown. */
static int
write_conditions(const retc_protocol_response *r, retc_h5 *file) {
    int status = RETC_OK;
    const retc_trials *trials = &r->trials;
    size_t C = trials->conditions;
    char **name = NULL, path[96];
    int64_t *shown = NULL;
    double *duration = NULL;
    RETC_TRY(RETC_ALLOC(name, C));
    RETC_TRY(RETC_ALLOC(shown, C));
    RETC_TRY(RETC_ALLOC(duration, C));
    for (size_t i = 0; i < C; ++i) {
        RETC_TRY(RETC_GOT(name[i] = retc_trials_condition_text(trials, i)));
        shown[i] = (int64_t)r->shown[i];
        duration[i] = retc_protocol_response_duration(r, i);
    }
    for (size_t p = 0; p < trials->parameters; ++p) {
        const retc_parameter *parameter = &trials->parameter[p];
        snprintf(path, sizeof path, "conditions/%s", parameter->name);
        RETC_TRY(retc_h5_put(file, path, RETC_H5_DOUBLE, 1, &C, parameter->value));
        if (parameter->unit[0])
            RETC_TRY(retc_h5_set_text(file, path, "unit", parameter->unit));
    }
    RETC_TRY(retc_h5_put_texts(file, "condition_names", C, (const char *const *)name));
    RETC_TRY(retc_h5_put(file, "shown", RETC_H5_INT64, 1, &C, shown));
    RETC_TRY(retc_h5_put(file, "duration", RETC_H5_DOUBLE, 1, &C, duration));

done:
    for (size_t i = 0; name && i < C; ++i)
        retc_free(name[i]);
    retc_free(name);
    retc_free(shown);
    retc_free(duration);
    return status;
}

static int
write_responses(const retc_protocol_response *r, retc_h5 *file) {
    int status = RETC_OK;
    const size_t N = r->cells, C = r->trials.conditions, B = r->bins, shape[3] = {N, C, B}, stimulus[3] = {C, B, r->places};
    double *time = NULL;
    RETC_TRY(RETC_ALLOC(time, B));
    for (size_t b = 0; b < B; ++b)
        time[b] = ((double)b - (double)r->bins_before) * r->bin;
    RETC_TRY(retc_h5_put(file, "time", RETC_H5_DOUBLE, 1, &B, time));
    RETC_TRY(retc_h5_make(file, "psth", RETC_H5_FLOAT, 3, shape, (size_t[]){1, C, B}));
    RETC_TRY(retc_h5_write(file, "psth", RETC_H5_DOUBLE, NULL, NULL, r->psth));
    RETC_TRY(retc_h5_set_text(file, "psth", "unit", "spikes/s"));
    RETC_TRY(retc_h5_put(file, "rate", RETC_H5_DOUBLE, 2, shape, r->rate));
    RETC_TRY(retc_h5_set_text(file, "rate", "unit", "spikes/s"));
    RETC_TRY(retc_h5_put(file, "baseline", RETC_H5_DOUBLE, 1, &N, r->baseline));
    if (r->places > 0) {
        RETC_TRY(retc_h5_put(file, "stimulus", RETC_H5_FLOAT, 3, stimulus, r->stimulus));
        RETC_TRY(retc_h5_set_text(file, "stimulus", "axis", r->upright ? "middle column" : "middle row"));
    }

done:
    retc_free(time);
    return status;
}

static int
write_harmonics(const retc_protocol_response *r, retc_h5 *file) {
    int status = RETC_OK;
    const size_t shape[3] = {r->cells, r->trials.conditions, 3};
    double *value = NULL;
    if (!retc_trials_parameter(&r->trials, "temporal_frequency"))
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(value, shape[0] * shape[1] * 3));
    for (size_t i = 0; i < shape[0] * shape[1] * 3; ++i)
        value[i] = retc_protocol_harmonic(r, i / 3 / shape[1], i / 3 % shape[1], (unsigned)(i % 3));
    RETC_TRY(retc_h5_put(file, "harmonics", RETC_H5_DOUBLE, 3, shape, value));
    RETC_TRY(retc_h5_set_text(file, "harmonics", "unit", "spikes/s"));

done:
    retc_free(value);
    return status;
}

static int
write_indices(const retc_protocol_response *r, const retc_protocol_index *indices, size_t n, retc_h5 *file) {
    int status = RETC_OK;
    const retc_protocol_index *first = retc_protocol_main_index(indices, n);
    char path[96];
    for (size_t i = 0; i < n; ++i) {
        snprintf(path, sizeof path, "index/%s", indices[i].name);
        RETC_TRY(retc_h5_put(file, path, RETC_H5_DOUBLE, 1, &r->cells, indices[i].value));
        RETC_TRY(retc_h5_set_text(file, path, "unit", indices[i].unit));
        RETC_TRY(retc_h5_set_text(file, path, "meaning", indices[i].meaning));
    }
    if (first)
        RETC_TRY(retc_h5_set_text(file, "/", "main_index", first->name));

done:
    return status;
}

int
retc_protocol_write(const retc_protocol_response *response, const retc_protocol_index *indices, size_t n, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "protocol"));
    RETC_TRY(retc_h5_set_text(file, "/", "protocol", response->trials.protocol));
    RETC_TRY(retc_h5_set_text(file, "/", "part", response->part == RETC_TRAIN ? "train" : "test"));
    RETC_TRY(retc_h5_set_number(file, "/", "bin", response->bin));
    RETC_TRY(retc_h5_put_texts(file, "cell_names", response->cells, (const char *const *)response->name));
    if (response->type)
        RETC_TRY(retc_h5_put_texts(file, "cell_types", response->cells, (const char *const *)response->type));
    RETC_TRY(write_conditions(response, file));
    RETC_TRY(write_responses(response, file));
    RETC_TRY(write_harmonics(response, file));
    RETC_TRY(write_indices(response, indices, n, file));

done:
    return status;
}
