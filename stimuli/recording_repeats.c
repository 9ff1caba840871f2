/* The single repeats of the test part, in each of the layouts that files have (FORMATS 1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "recording_data.h"

/* The least smoothed rate first. */
static const char *const rates[] = {"test/repeats/firing_rate_5ms", "test/repeats/firing_rate_10ms",
                                    "test/repeats/firing_rate_20ms"};

static int
ascending(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* The ids of test/repeats/cell_<id>, ascending; there must be one for each row. */
static int
find_ids(retc_recording *recording) {
    int status = RETC_OK;
    char **members = NULL;
    size_t n = 0, found = 0;
    size_t *id = NULL;
    if (!retc_h5_has(recording->file, "test/repeats"))
        return RETC_OK;
    RETC_TRY(retc_h5_members(recording->file, "test/repeats", &members, &n));
    RETC_TRY(RETC_ALLOC(id, n + 1));
    for (size_t i = 0; i < n; ++i)
        if (strncmp(members[i], "cell_", 5) == 0 && retc_parse_size(members[i] + 5, &id[found]) == RETC_OK)
            ++found;
    if (found == 0)
        goto done;
    if (found != recording->rows)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: group \"test/repeats\" has %zu datasets cell_<id> for the %zu rows of the responses",
                           retc_recording_path(recording), found, recording->rows));
    qsort(id, found, sizeof *id, ascending);
    recording->part[RETC_TEST].repeats_id = id;
    recording->part[RETC_TEST].repeats_kind = RETC_REPEATS_ID;
    id = NULL;

done:
    retc_free(id);
    retc_free(members);
    return status;
}

static const char *
name_of(const retc_recording *recording, retc_dataset_name *name, size_t row) {
    const retc_part_data *data = &recording->part[RETC_TEST];
    if (data->repeats_kind == RETC_REPEATS_NUMBER)
        return retc_name_repeats(name, row);
    if (data->repeats_kind == RETC_REPEATS_ID)
        snprintf(name->text, sizeof name->text, "test/repeats/cell_%zu", data->repeats_id[row]);
    else
        snprintf(name->text, sizeof name->text, "%s", data->rate_name);
    return name->text;
}

static int
find_counts(retc_recording *recording, size_t *frames) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[RETC_TEST];
    retc_dataset_name name;
    size_t expected[2] = {0, 0};
    for (size_t row = 0; row < recording->rows; ++row)
        RETC_TRY(retc_h5_expect(recording->file, name_of(recording, &name, row), 2, expected, expected));
    data->repeats = expected[0];
    *frames = expected[1];
    if (data->repeats == 0)
        status = RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" holds no repeat", retc_recording_path(recording), name.text);

done:
    return status;
}

/* Rates of all cells in one dataset, (R,N,T). */
static int
find_rates(retc_recording *recording, size_t *frames) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[RETC_TEST];
    const size_t expected[3] = {0, recording->rows, 0};
    size_t shape[3], k = 0;
    while (k < sizeof rates / sizeof *rates && !retc_h5_has(recording->file, rates[k]))
        ++k;
    if (k == sizeof rates / sizeof *rates)
        return RETC_OK;
    RETC_TRY(retc_h5_expect(recording->file, rates[k], 3, expected, shape));
    if (shape[0] == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" holds no repeat", retc_recording_path(recording), rates[k]));
    data->repeats_kind = RETC_REPEATS_RATE;
    snprintf(data->rate_name, sizeof data->rate_name, "%s", rates[k]);
    data->repeats = shape[0];
    *frames = shape[2];
    RETC_TRY(retc_recording_note(recording,
                                 "note: single repeats are smoothed rates (%s) times the frame interval, not counts: noise "
                                 "ceilings come out too high\n",
                                 rates[k]));

done:
    return status;
}

int
retc_recording_find_repeats(retc_recording *recording, size_t *frames) {
    int status = RETC_OK;
    retc_dataset_name name;
    if (retc_h5_has(recording->file, retc_name_repeats(&name, 0)))
        return find_counts(recording, frames);
    RETC_TRY(find_ids(recording));
    if (recording->part[RETC_TEST].repeats_kind == RETC_REPEATS_ID)
        return find_counts(recording, frames);
    RETC_TRY(find_rates(recording, frames));

done:
    return status;
}

int
retc_recording_read_repeats(const retc_recording *recording, size_t row, float *out) {
    int status = RETC_OK;
    const retc_part_data *data = &recording->part[RETC_TEST];
    size_t R = data->repeats, T = data->stored;
    retc_dataset_name name;
    name_of(recording, &name, row);
    if (data->repeats_kind == RETC_REPEATS_RATE) {
        const size_t start[3] = {0, row, 0}, count[3] = {R, 1, T};
        RETC_TRY(retc_h5_read(recording->file, name.text, RETC_H5_FLOAT, start, count, out));
        for (size_t i = 0; i < R * T; ++i)
            out[i] *= (float)recording->frame_interval;
    } else {
        const size_t count[2] = {R, T};
        RETC_TRY(retc_h5_read(recording->file, name.text, RETC_H5_FLOAT, NULL, count, out));
    }
    for (size_t i = 0; i < R * T; ++i)
        RETC_TRY(retc_recording_check_count(recording, name.text, out[i], i / T, i % T));

done:
    return status;
}
