/* Opening a recording: which datasets are there, whether they agree, and what is kept in memory. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "frame_clock.h"
#include "recording_data.h"

/* Bytes of stimulus and counts kept in memory unless the caller says otherwise. */
#define DEFAULT_BUDGET ((size_t)2 << 30)

/* Frames of counts that are looked at in one go while they are streamed. */
enum { COUNTS_SLAB = 4096 };

/* Stimulus, time and response of one part may differ by this many frames (FORMATS 1); the shortest counts. */
#define LENGTH_TOLERANCE 2

const char *const retc_part_names[2] = {"train", "test"};

const char *
retc_name_in(retc_dataset_name *name, retc_part part, const char *rest) {
    snprintf(name->text, sizeof name->text, "%s/%s", retc_part_names[part], rest);
    return name->text;
}

const char *
retc_name_repeats(retc_dataset_name *name, size_t row) {
    snprintf(name->text, sizeof name->text, "test/repeats/cell%02zu", row + 1);
    return name->text;
}

int
retc_recording_note(retc_recording *recording, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *notes = retc_strf("%s%s", retc_recording_notes(recording), line);
    if (notes) {
        retc_free(recording->notes);
        recording->notes = notes;
    }
    return RETC_GOT(notes);
}

/* ---- opening: shapes ------------------------------------------------------------------------------------------------- */

/* As retc_h5_expect, with the meaning of the axes. */
static int
expect_axes(const retc_recording *recording, const char *name, int rank, const size_t *expected, size_t *shape,
            const char *axes) {
    char reason[512];
    int status = retc_h5_expect(recording->file, name, rank, expected, shape);
    if (status == RETC_OK || !retc_h5_has(recording->file, name))
        return status;
    snprintf(reason, sizeof reason, "%s", retc_error_message());
    return RETC_FAIL(status, "%s: the axes are %s", reason, axes);
}

/* Shape of the movie, stored or made from a recipe. */
static int
read_movie_shape(retc_recording *recording, retc_part part, size_t *movie) {
    int status = RETC_OK;
    const char *path = retc_recording_path(recording), *axes = "frames, rows, columns";
    const size_t expected[3] = {0, recording->height, recording->width};
    retc_recipe *recipe = NULL;
    retc_dataset_name name;
    if (retc_h5_has(recording->file, retc_name_in(&name, part, "stimulus")) ||
        !retc_recipe_is_in(recording->file, retc_part_names[part]))
        return expect_axes(recording, name.text, 3, expected, movie, axes);
    RETC_TRY(RETC_GOT(recipe = retc_recipe_read(recording->file, retc_part_names[part])));
    recording->part[part].recipe = recipe;
    const retc_stimulus_layout *layout = retc_recipe_layout(recipe);
    movie[0] = layout->frames;
    movie[1] = layout->height;
    movie[2] = layout->width;
    if ((expected[1] && movie[1] != expected[1]) || (expected[2] && movie[2] != expected[2]))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the recipe in \"%s\" makes frames of %zu x %zu pixels, expected %zu x %zu", path,
                           retc_part_names[part], movie[1], movie[2], expected[1], expected[2]));

done:
    return status;
}

/* Shapes of the stimulus and the response, which must agree with those of the other part when that was read before. */
static int
read_shapes(retc_recording *recording, retc_part part, size_t *stimulus_frames, size_t *response_frames) {
    int status = RETC_OK;
    retc_dataset_name name;
    size_t movie[3], response[2];
    const size_t response_expected[2] = {recording->rows, 0};
    RETC_TRY(read_movie_shape(recording, part, movie));
    if (movie[0] == 0 || movie[1] == 0 || movie[2] == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is empty", retc_recording_path(recording),
                           retc_name_in(&name, part, "stimulus")));
    RETC_TRY(
        expect_axes(recording, retc_name_in(&name, part, "response/binned"), 2, response_expected, response, "cells, frames"));
    if (response[0] == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has no cell", retc_recording_path(recording), name.text));
    recording->height = movie[1];
    recording->width = movie[2];
    recording->rows = response[0];
    *stimulus_frames = movie[0];
    *response_frames = response[1];

done:
    return status;
}

static int
is_near(size_t a, size_t b) {
    return a <= b + LENGTH_TOLERANCE && b <= a + LENGTH_TOLERANCE;
}

/* MATLAB writes axes in the opposite order. */
static const char *
transposition(const retc_recording *recording, size_t stimulus, size_t response) {
    if (is_near(recording->rows, stimulus))
        return "; response/binned seems transposed, it should be (cells,frames)";
    if (is_near(recording->width, response))
        return "; stimulus seems transposed, it should be (frames,rows,columns)";
    return "";
}

/* Settle on the frames that stimulus, clock and responses have in common. */
static int
settle_length(retc_recording *recording, retc_part part) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[part];
    retc_dataset_name name;
    size_t stimulus, response, repeated, time[1];
    RETC_TRY(read_shapes(recording, part, &stimulus, &response));
    RETC_TRY(retc_h5_expect(recording->file, retc_name_in(&name, part, "time"), 1, NULL, time));
    repeated = response;
    if (part == RETC_TEST)
        RETC_TRY(retc_recording_find_repeats(recording, &repeated));
    size_t lengths[4] = {stimulus, time[0], response, repeated}, shortest = stimulus, longest = stimulus;
    for (size_t i = 1; i < 4; ++i) {
        shortest = lengths[i] < shortest ? lengths[i] : shortest;
        longest = lengths[i] > longest ? lengths[i] : longest;
    }
    if (longest - shortest > LENGTH_TOLERANCE || shortest == 0)
        status =
            RETC_FAIL(RETC_EFORMAT,
                      "%s: %s/stimulus has %zu frames, time %zu, response/binned %zu, repeats %zu: expected the same number "
                      "(within %d)%s",
                      retc_recording_path(recording), retc_part_names[part], stimulus, time[0], response, repeated,
                      LENGTH_TOLERANCE, transposition(recording, stimulus, response));
    data->stored = shortest;
    data->clock = time[0];
    data->dropped = longest - shortest;
    if (status == RETC_OK && data->dropped > 0)
        RETC_TRY(
            retc_recording_note(recording,
                                "note: %s: stimulus has %zu frames, time %zu, responses %zu, repeats %zu: the first %zu are "
                                "used\n",
                                retc_part_names[part], stimulus, time[0], response, repeated, shortest));

done:
    return status;
}

/* ---- opening: content ------------------------------------------------------------------------------------------------ */

int
retc_recording_check_count(const retc_recording *recording, const char *name, float count, size_t row, size_t frame) {
    if (!isfinite(count) || count < 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %g in row %zu, frame %zu: expected a spike count",
                         retc_recording_path(recording), name, (double)count, row, frame);
    return RETC_OK;
}

/* Chunks of the file hold many rows, so that all between the first and the last chosen one are read at once. */
int
retc_recording_read_cells(const retc_recording *recording, retc_part part, size_t t0, size_t n, float *out, size_t ld) {
    int status = RETC_OK;
    size_t low = recording->rows, high = 0;
    float *slab = NULL;
    retc_dataset_name name;
    for (size_t cell = 0; cell < recording->cells; ++cell) {
        low = recording->row[cell] < low ? recording->row[cell] : low;
        high = recording->row[cell] > high ? recording->row[cell] : high;
    }
    const size_t start[2] = {low, t0}, count[2] = {high - low + 1, n};
    RETC_TRY(RETC_ALLOC(slab, count[0] * n));
    RETC_TRY(retc_h5_read(recording->file, retc_name_in(&name, part, "response/binned"), RETC_H5_FLOAT, start, count, slab));
    for (size_t cell = 0; cell < recording->cells; ++cell)
        memcpy(out + cell * ld, slab + (recording->row[cell] - low) * n, n * sizeof *out);

done:
    retc_free(slab);
    return status;
}

/* Means over repeats in place of test/response/binned. */
static int
average_repeats(retc_recording *recording, retc_part_data *data) {
    int status = RETC_OK;
    float *single = NULL;
    RETC_TRY(RETC_ALLOC(single, data->repeats * data->stored));
    for (size_t cell = 0; cell < recording->cells; ++cell) {
        float *mean = data->counts + cell * data->stored;
        RETC_TRY(retc_recording_repeat_counts(recording, cell, single));
        for (size_t t = 0; t < data->stored; ++t) {
            double sum = 0;
            for (size_t r = 0; r < data->repeats; ++r)
                sum += (double)single[r * data->stored + t];
            mean[t] = (float)(sum / (double)data->repeats);
        }
    }

done:
    retc_free(single);
    return status;
}

/* Responses that are no whole numbers are not counts; what rate they would mean tells the user whether they are in Hz. */
typedef struct {
    size_t fractions, row, frame; /* how many, and where the first is */
    float value;
    double sum;
    size_t n;
} fractions;

static void
look_for_fractions(fractions *seen, const float *counts, size_t n, size_t row, size_t t0) {
    for (size_t t = 0; t < n; ++t) {
        seen->sum += (double)counts[t];
        if (counts[t] != floorf(counts[t]) && seen->fractions++ == 0) {
            seen->row = row;
            seen->frame = t0 + t;
            seen->value = counts[t];
        }
    }
    seen->n += n;
}

static int
note_fractions(retc_recording *recording, const fractions *seen) {
    if (seen->fractions == 0)
        return RETC_OK;
    return retc_recording_note(
        recording,
        "warning: train/response/binned should hold spike counts, but %zu values are no whole numbers (%g in "
        "row %zu, frame %zu): are they rates? As counts they mean %.4g spikes/s on average\n",
        seen->fractions, (double)seen->value, seen->row, seen->frame, seen->sum / (double)seen->n / recording->frame_interval);
}

/* Look at all counts of the chosen cells, slab by slab, and keep them where there is room. */
static int
read_slabs(retc_recording *recording, retc_part part) {
    int status = RETC_OK;
    const retc_part_data *data = &recording->part[part];
    fractions seen = {0};
    float *slab = NULL;
    retc_dataset_name name;
    retc_name_in(&name, part, "response/binned");
    RETC_TRY(RETC_ALLOC(slab, data->counts ? 1 : recording->cells * COUNTS_SLAB));
    for (size_t t0 = 0; t0 < data->stored; t0 += COUNTS_SLAB) {
        size_t n = data->stored - t0 < COUNTS_SLAB ? data->stored - t0 : COUNTS_SLAB, ld = data->counts ? data->stored : n;
        float *counts = data->counts ? data->counts + t0 : slab;
        RETC_TRY(retc_recording_read_cells(recording, part, t0, n, counts, ld));
        for (size_t cell = 0; cell < recording->cells; ++cell) {
            for (size_t t = 0; t < n; ++t)
                RETC_TRY(retc_recording_check_count(recording, name.text, counts[cell * ld + t], recording->row[cell], t0 + t));
            look_for_fractions(&seen, counts + cell * ld, n, recording->row[cell], t0);
        }
    }
    if (part == RETC_TRAIN)
        RETC_TRY(note_fractions(recording, &seen));

done:
    retc_free(slab);
    return status;
}

static int
read_counts(retc_recording *recording, retc_part part) {
    int status = RETC_OK;
    retc_part_data *data = &recording->part[part];
    size_t bytes = recording->cells * data->stored * sizeof *data->counts;
    if (bytes <= recording->budget || data->repeats > 0) {
        RETC_TRY(RETC_ALLOC(data->counts, recording->cells * data->stored));
        recording->budget -= bytes < recording->budget ? bytes : recording->budget;
    }
    RETC_TRY(read_slabs(recording, part));
    if (data->repeats > 0)
        RETC_TRY(average_repeats(recording, data));

done:
    return status;
}

/* Check the clock of a part; `*median` is the median frame interval, 0 for a single frame. */
static int
read_clock(retc_recording *recording, retc_part part, double *median) {
    int status = RETC_OK;
    const size_t count[1] = {recording->part[part].stored};
    retc_dataset_name name;
    double *time = NULL;
    RETC_TRY(RETC_ALLOC(time, count[0]));
    RETC_TRY(retc_h5_read(recording->file, retc_name_in(&name, part, "time"), RETC_H5_DOUBLE, NULL, count, time));
    size_t wrong = retc_clock_disorder(time, count[0]);
    if (wrong < count[0])
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" does not increase at frame %zu (%.9g s after %.9g s)",
                           retc_recording_path(recording), name.text, wrong, time[wrong], wrong ? time[wrong - 1] : -HUGE_VAL));
    *median = 0;
    if (count[0] > 1)
        RETC_TRY(retc_clock_median_interval(time, count[0], median));

done:
    retc_free(time);
    return status;
}

static int
read_part(retc_recording *recording, retc_part part) {
    int status = RETC_OK;
    double median;
    if (!retc_h5_has(recording->file, retc_part_names[part]))
        return RETC_OK;
    RETC_TRY(settle_length(recording, part));
    RETC_TRY(read_clock(recording, part, &median));
    if (recording->frame_interval <= 0)
        recording->frame_interval = median;

done:
    return status;
}

static int
read_frame_interval(retc_recording *recording) {
    double interval = recording->frame_interval;
    int status = retc_h5_get_number(recording->file, "/", "frame_interval", &interval);
    if (status < 0)
        return status;
    if (!(interval > 0) || !isfinite(interval))
        return RETC_FAIL(RETC_EFORMAT, "%s: the frame interval is %g s: expected a positive attribute \"frame_interval\"",
                         retc_recording_path(recording), interval);
    recording->frame_interval = interval;
    return RETC_OK;
}

static int
read_names(retc_recording *recording) {
    int status = RETC_OK;
    size_t n = 0;
    if (retc_h5_has(recording->file, "cell_names")) {
        RETC_TRY(retc_h5_read_texts(recording->file, "cell_names", &recording->cell_names, &n));
        if (n != recording->rows)
            status = RETC_FAIL(RETC_EFORMAT, "%s: dataset \"cell_names\" has %zu names, expected %zu",
                               retc_recording_path(recording), n, recording->rows);
        return status;
    }
    /* One block: the pointers, then the names "cell01", "cell02", ... as the layout counts them. */
    enum { ROOM = 32 };
    n = recording->rows;
    RETC_TRY(RETC_GOT(recording->cell_names = retc_calloc(n, sizeof(char *) + ROOM)));
    for (size_t i = 0; i < n; ++i) {
        recording->cell_names[i] = (char *)(recording->cell_names + n) + i * ROOM;
        snprintf(recording->cell_names[i], ROOM, "cell%02zu", i + 1);
    }

done:
    return status;
}

static int
read_interneuron_names(retc_recording *recording) {
    int status = RETC_OK;
    char name[64];
    if (!retc_h5_has(recording->file, "interneurons/names"))
        return RETC_OK;
    RETC_TRY(
        retc_h5_read_texts(recording->file, "interneurons/names", &recording->interneuron_names, &recording->interneurons));
    for (int part = 0; part < 2; ++part) {
        size_t frames = recording->part[part].stored, shape[2];
        const size_t expected[2] = {recording->interneurons, 0};
        if (frames == 0)
            continue;
        snprintf(name, sizeof name, "interneurons/%s/signal", retc_part_names[part]);
        RETC_TRY(retc_h5_expect(recording->file, name, 2, expected, shape));
        if (shape[1] < frames)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %zu frames, expected %zu", retc_recording_path(recording),
                               name, shape[1], frames));
    }

done:
    return status;
}

/* What the options choose, then the counts of that. */
static int
choose(retc_recording *recording, const retc_recording_options *options) {
    int status = RETC_OK;
    RETC_TRY(retc_recording_choose_experiment(recording, options->experiment));
    RETC_TRY(retc_recording_choose_cells(recording, options->cells));
    for (int part = 0; part < 2; ++part) {
        if (recording->part[part].stored == 0)
            continue;
        RETC_TRY(retc_recording_choose_frames(recording, (retc_part)part, options));
        RETC_TRY(read_counts(recording, (retc_part)part));
    }

done:
    return status;
}

retc_recording *
retc_recording_open_with(const char *path, const retc_recording_options *options) {
    int status = RETC_OK;
    retc_recording *recording = NULL;
    RETC_TRY(RETC_ALLOC(recording, 1));
    RETC_TRY(RETC_GOT(recording->file = retc_h5_open(path)));
    RETC_TRY(retc_h5_expect_kind(recording->file, "recording"));
    recording->budget = options->budget ? options->budget : DEFAULT_BUDGET;
    RETC_TRY(read_part(recording, RETC_TRAIN));
    RETC_TRY(read_part(recording, RETC_TEST));
    if (recording->rows == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has neither a group \"train\" nor a group \"test\": is it a recording?", path));
    RETC_TRY(read_frame_interval(recording));
    RETC_TRY(read_names(recording));
    RETC_TRY(read_interneuron_names(recording));
    RETC_TRY(choose(recording, options));

done:
    if (status < 0) {
        retc_recording_close(recording);
        return NULL;
    }
    return recording;
}

retc_recording *
retc_recording_open(const char *path, size_t budget) {
    const retc_recording_options options = {.budget = budget};
    return retc_recording_open_with(path, &options);
}

void
retc_recording_close(retc_recording *recording) {
    if (!recording)
        return;
    for (int part = 0; part < 2; ++part) {
        retc_part_data *data = &recording->part[part];
        retc_recipe_free(data->recipe);
        retc_free(data->counts);
        retc_free(data->block_start);
        retc_free(data->piece);
        retc_free(data->repeats_id);
        retc_free(data->movie);
    }
    retc_free(recording->row);
    retc_free(recording->notes);
    retc_free(recording->cell_names);
    retc_free(recording->interneuron_names);
    retc_h5_close(recording->file);
    retc_free(recording);
}
