#include "recording.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "levels.h"
#include "recording_data.h"
#include "stats.h"

/* Bytes read at a time where a whole movie is visited. */
#define SLAB_BYTES ((size_t)16 << 20)

/* Values summed in one go: rounding errors grow with this number and with that of the pieces, not with their product. */
#define PIECE ((size_t)4096)

/* ---- getters --------------------------------------------------------------------------------------------------------- */

const char *
retc_recording_path(const retc_recording *recording) {
    return retc_h5_path(recording->file);
}

size_t
retc_recording_height(const retc_recording *recording) {
    return recording->height;
}

size_t
retc_recording_width(const retc_recording *recording) {
    return recording->width;
}

size_t
retc_recording_cells(const retc_recording *recording) {
    return recording->cells;
}

const char *
retc_recording_cell_name(const retc_recording *recording, size_t cell) {
    return recording->cell_names[recording->row[cell]];
}

const char *
retc_recording_notes(const retc_recording *recording) {
    return recording->notes ? recording->notes : "";
}

int
retc_recording_center(const retc_recording *recording, size_t cell, size_t *row, size_t *column) {
    return recording->experiment && retc_experiment_center(recording->experiment, recording->row[cell], row, column);
}

size_t
retc_recording_frames(const retc_recording *recording, retc_part part) {
    return recording->part[part].frames;
}

size_t
retc_recording_dropped(const retc_recording *recording, retc_part part) {
    return recording->part[part].dropped;
}

double
retc_recording_frame_interval(const retc_recording *recording) {
    return recording->frame_interval;
}

size_t
retc_recording_repeats(const retc_recording *recording) {
    return recording->part[RETC_TEST].repeats;
}

size_t
retc_recording_interneurons(const retc_recording *recording) {
    return recording->interneurons;
}

const char *
retc_recording_interneuron_name(const retc_recording *recording, size_t i) {
    return recording->interneuron_names[i];
}

/* ---- slabs of time --------------------------------------------------------------------------------------------------- */

static int
check_range(const retc_recording *recording, retc_part part, size_t t0, size_t n) {
    size_t frames = recording->part[part].frames;
    if (t0 > frames || n > frames - t0)
        return RETC_FAIL(RETC_EINVAL, "%s: %zu frames from frame %zu on are asked for, the %s part has %zu",
                         retc_recording_path(recording), n, t0, retc_part_names[part], frames);
    return RETC_OK;
}

static int
check_movie(const retc_recording *recording, retc_part part, size_t t0, const float *movie, size_t n) {
    size_t pixels = recording->height * recording->width;
    size_t bad = retc_levels_not_finite(movie, n * pixels);
    if (bad < n * pixels)
        return RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s/stimulus\" is not finite in frame %zu", retc_recording_path(recording),
                         retc_part_names[part], t0 + bad / pixels);
    return RETC_OK;
}

/* Frames t ... t+left-1 of a part, as far as they follow each other in the file: their number, and the first one's place. */
static size_t
run_of(const retc_part_data *data, size_t t, size_t left, size_t *stored) {
    size_t p = 0;
    while (t - data->piece[p].at >= data->piece[p].count)
        ++p;
    size_t inside = t - data->piece[p].at, rest = data->piece[p].count - inside;
    *stored = data->piece[p].first + inside;
    return rest < left ? rest : left;
}

/* Frames made from a recipe, as bytes or as floating point numbers. */
static int
make_movie(retc_recipe *recipe, retc_h5_type type, size_t t0, size_t n, void *out) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_recipe_layout(recipe);
    size_t pixels = layout->height * layout->width, slab = retc_stimulus_slab(layout->height, layout->width);
    float *frames = NULL;
    if (type == RETC_H5_FLOAT)
        return retc_recipe_frames(recipe, t0, n, out);
    RETC_TRY(RETC_ALLOC(frames, slab * pixels));
    for (size_t t = 0; t < n; t += slab) {
        size_t m = n - t < slab ? n - t : slab;
        uint8_t *bytes = (uint8_t *)out + t * pixels;
        RETC_TRY(retc_recipe_frames(recipe, t0 + t, m, frames));
        for (size_t i = 0; i < m * pixels; ++i)
            bytes[i] = (uint8_t)frames[i];
    }

done:
    retc_free(frames);
    return status;
}

/* Frames of the file. */
static int
read_movie(const retc_recording *recording, retc_part part, retc_h5_type type, size_t t0, size_t n, void *out) {
    int status = RETC_OK;
    const size_t start[3] = {t0, 0, 0}, count[3] = {n, recording->height, recording->width};
    retc_dataset_name name;
    if (recording->part[part].recipe)
        return make_movie(recording->part[part].recipe, type, t0, n, out);
    RETC_TRY(retc_h5_read(recording->file, retc_name_in(&name, part, "stimulus"), type, start, count, out));
    if (type == RETC_H5_FLOAT && !recording->part[part].movie_is_bytes)
        RETC_TRY(check_movie(recording, part, t0, out, n));

done:
    return status;
}

/* At the first use of a movie: keep it when it fits what is left of the budget. */
static int
cache_movie(retc_recording *recording, retc_part part) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[part];
    retc_dataset_name name;
    if (data->movie_asked)
        return RETC_OK;
    data->movie_is_bytes = data->recipe ? retc_recipe_layout(data->recipe)->type == RETC_H5_UINT8
                                        : retc_h5_is_uint8(recording->file, retc_name_in(&name, part, "stimulus"));
    size_t values = data->stored * recording->height * recording->width;
    size_t bytes = values * (data->movie_is_bytes ? 1 : sizeof(float));
    if (bytes <= recording->budget) {
        RETC_TRY(RETC_GOT(data->movie = retc_calloc(bytes, 1)));
        RETC_TRY(
            read_movie(recording, part, data->movie_is_bytes ? RETC_H5_UINT8 : RETC_H5_FLOAT, 0, data->stored, data->movie));
        recording->budget -= bytes;
    }
    data->movie_asked = 1;

done:
    if (status < 0) {
        retc_free(data->movie);
        data->movie = NULL;
    }
    return status;
}

/* The movie of frames t0 ... t0+n-1 of the file. */
static int
stored_stimulus(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    const retc_part_data *data = &recording->part[part];
    size_t pixels = recording->height * recording->width;
    RETC_TRY(cache_movie(recording, part));
    if (!data->movie) {
        RETC_TRY(read_movie(recording, part, RETC_H5_FLOAT, t0, n, out));
    } else if (data->movie_is_bytes) {
        const uint8_t *from = (const uint8_t *)data->movie + t0 * pixels;
        for (size_t i = 0; i < n * pixels; ++i)
            out[i] = from[i];
    } else {
        memcpy(out, (const float *)data->movie + t0 * pixels, n * pixels * sizeof *out);
    }

done:
    return status;
}

int
retc_recording_stimulus(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    size_t pixels = recording->height * recording->width, first;
    RETC_TRY(check_range(recording, part, t0, n));
    for (size_t t = 0, run; t < n; t += run) {
        run = run_of(&recording->part[part], t0 + t, n - t, &first);
        RETC_TRY(stored_stimulus(recording, part, first, run, out + t * pixels));
    }

done:
    return status;
}

int
retc_recording_counts(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    const retc_part_data *data = &recording->part[part];
    size_t first;
    RETC_TRY(check_range(recording, part, t0, n));
    for (size_t t = 0, run; t < n; t += run) {
        run = run_of(data, t0 + t, n - t, &first);
        if (!data->counts)
            RETC_TRY(retc_recording_read_cells(recording, part, first, run, out + t, n));
        for (size_t cell = 0; data->counts && cell < recording->cells; ++cell)
            memcpy(out + cell * n + t, data->counts + cell * data->stored + first, run * sizeof *out);
    }

done:
    return status;
}

int
retc_recording_repeat_counts(retc_recording *recording, size_t cell, float *out) {
    const char *path = retc_recording_path(recording);
    if (recording->part[RETC_TEST].repeats == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: has no single repeats (dataset \"test/repeats/cell01\")", path);
    if (cell >= recording->cells)
        return RETC_FAIL(RETC_EINVAL, "%s: cell number %zu is asked for, there are %zu", path, cell, recording->cells);
    return retc_recording_read_repeats(recording, recording->row[cell], out);
}

int
retc_recording_interneuron_signals(retc_recording *recording, retc_part part, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    char name[64];
    size_t first;
    RETC_TRY(check_range(recording, part, t0, n));
    if (recording->interneurons == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no interneuron signals", retc_recording_path(recording)));
    snprintf(name, sizeof name, "interneurons/%s/signal", retc_part_names[part]);
    for (size_t t = 0, run; t < n; t += run) {
        run = run_of(&recording->part[part], t0 + t, n - t, &first);
        /* One read when the frames follow each other, as they nearly always do; else one for each row. */
        size_t rows = run == n ? recording->interneurons : 1;
        for (size_t i = 0; i < recording->interneurons; i += rows) {
            const size_t start[2] = {i, first}, count[2] = {rows, run};
            RETC_TRY(retc_h5_read(recording->file, name, RETC_H5_FLOAT, start, count, out + i * n + t));
        }
    }

done:
    return status;
}

/* ---- what is computed over a whole part ------------------------------------------------------------------------------ */

int
retc_recording_stimulus_norm(retc_recording *recording, double *mean, double *std) {
    int status = RETC_OK;
    size_t frames = recording->part[RETC_TRAIN].stored, pixels = recording->height * recording->width;
    size_t slab = SLAB_BYTES / (pixels * sizeof(float));
    retc_moments all = {0};
    float *movie = NULL;
    if (slab == 0)
        slab = 1;
    if (frames == 0)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: has no train part to take the stimulus mean from", retc_recording_path(recording)));
    RETC_TRY(RETC_ALLOC(movie, (slab < frames ? slab : frames) * pixels));
    for (size_t t0 = 0; t0 < frames; t0 += slab) {
        size_t n = frames - t0 < slab ? frames - t0 : slab;
        RETC_TRY(stored_stimulus(recording, RETC_TRAIN, t0, n, movie));
        for (size_t i = 0; i < n * pixels; i += PIECE)
            retc_moments_add(&all, movie + i, n * pixels - i < PIECE ? n * pixels - i : PIECE);
    }
    if (!(all.squares > 0))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: the train stimulus is %g in every pixel of every frame: no response can follow it",
                           retc_recording_path(recording), all.mean));
    *mean = all.mean;
    *std = sqrt(all.squares / all.n) + 1e-7;

done:
    retc_free(movie);
    return status;
}

int
retc_recording_spans(retc_recording *recording, retc_part part, size_t history, size_t lag, retc_span **spans, size_t *n) {
    int status = RETC_OK;
    const retc_part_data *data = &recording->part[part];
    retc_span *found = NULL;
    size_t used = 0, longest = 0;
    if (history == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a history of 0 frames has no window"));
    if (data->frames == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has no %s part", retc_recording_path(recording), retc_part_names[part]));
    RETC_TRY(RETC_ALLOC(found, data->blocks + 1));
    for (size_t b = 0; b < data->blocks; ++b) {
        size_t first = (size_t)data->block_start[b];
        size_t count = (b + 1 < data->blocks ? (size_t)data->block_start[b + 1] : data->frames) - first;
        longest = count > longest ? count : longest;
        if (count >= history && count - history >= lag)
            found[used++] = (retc_span){first + history - 1 + lag, count - history + 1 - lag};
    }
    if (used == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: no stretch of the %s part is long enough for a history of %zu frames and a lag of %zu: "
                           "the longest has %zu",
                           retc_recording_path(recording), retc_part_names[part], history, lag, longest));
    *spans = found;
    *n = used;
    found = NULL;

done:
    retc_free(found);
    return status;
}
