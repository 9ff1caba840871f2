/* Clocks of an open recording: frame times, stretches of continuous time, raw onsets, spike times. */
#include <math.h>
#include <stdio.h>

#include "recording.h"
#include "recording_data.h"

/* Of a row of times of all frames in the file (row NULL: of the only one), those of the frames that are used. */
static int
read_times(const retc_recording *recording, retc_part part, const char *name, const size_t *row, double *time) {
    int status = RETC_OK;
    const retc_part_data *data = &recording->part[part];
    for (size_t p = 0; p < data->pieces; ++p) {
        const retc_piece *piece = &data->piece[p];
        const size_t start[2] = {row ? *row : 0, piece->first}, count[2] = {1, piece->count};
        if (piece->count > 0)
            RETC_TRY(retc_h5_read(recording->file, name, RETC_H5_DOUBLE, row ? start : start + 1, row ? count : count + 1,
                                  time + piece->at));
    }

done:
    return status;
}

retc_h5_type
retc_recording_stimulus_type(const retc_recording *recording) {
    int bytes = 1;
    retc_dataset_name name;
    for (int part = 0; part < 2; ++part) {
        const retc_part_data *data = &recording->part[part];
        if (data->frames > 0 && data->recipe)
            bytes &= retc_recipe_layout(data->recipe)->type == RETC_H5_UINT8;
        else if (data->frames > 0)
            bytes &= retc_h5_is_uint8(recording->file, retc_name_in(&name, (retc_part)part, "stimulus"));
    }
    return bytes ? RETC_H5_UINT8 : RETC_H5_FLOAT;
}

int
retc_recording_time(retc_recording *recording, retc_part part, double *time) {
    retc_dataset_name name;
    return read_times(recording, part, retc_name_in(&name, part, "time"), NULL, time);
}

const int64_t *
retc_recording_stretches(const retc_recording *recording, retc_part part, size_t *stretches) {
    *stretches = recording->part[part].blocks;
    return recording->part[part].block_start;
}

static const char *
spikes_name(const retc_recording *recording, retc_dataset_name *name, size_t cell) {
    snprintf(name->text, sizeof name->text, "spikes/cell%02zu", recording->row[cell] + 1);
    return name->text;
}

int
retc_recording_spikes(retc_recording *recording, size_t cell, size_t *n) {
    retc_dataset_name name;
    *n = 0;
    if (!retc_h5_has(recording->file, spikes_name(recording, &name, cell)))
        return 0;
    int status = retc_h5_expect(recording->file, name.text, 1, NULL, n);
    return status < 0 ? status : 1;
}

int
retc_recording_spike_times(retc_recording *recording, size_t cell, size_t first, size_t n, double *time) {
    int status = RETC_OK;
    retc_dataset_name name;
    if (n == 0)
        return RETC_OK;
    RETC_TRY(retc_h5_read(recording->file, spikes_name(recording, &name, cell), RETC_H5_DOUBLE, &first, &n, time));
    for (size_t i = 0; i < n; ++i) {
        if (!isfinite(time[i]) || (i > 0 && time[i] < time[i - 1]))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %.9g at spike %zu: expected ascending times in s",
                               retc_recording_path(recording), name.text, time[i], first + i));
    }

done:
    return status;
}

int
retc_recording_onsets(retc_recording *recording, retc_part part, size_t repeat, double *onset, int *found) {
    int status = RETC_OK, is_test = part == RETC_TEST;
    size_t shape[2];
    const size_t expected[2] = {recording->part[part].repeats, 0};
    retc_dataset_name name;
    *found = 0;
    if (recording->part[part].frames == 0 || !retc_h5_has(recording->file, retc_name_in(&name, part, "onset")))
        return RETC_OK;
    RETC_TRY(retc_h5_expect(recording->file, name.text, is_test ? 2 : 1, is_test ? expected : expected + 1, shape));
    if (shape[is_test] < recording->part[part].stored)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %zu frames, expected %zu", retc_recording_path(recording),
                           name.text, shape[is_test], recording->part[part].stored));
    RETC_TRY(read_times(recording, part, name.text, is_test ? &repeat : NULL, onset));
    *found = 1;

done:
    return status;
}
