#include "recording_write.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame_clock.h"
#include "levels.h"
#include "recording_data.h"

/* Bytes in a chunk of the movie, and the largest number of frames in any chunk. */
#define CHUNK_BYTES ((size_t)1 << 18)
#define CHUNK_FRAMES ((size_t)4096)

/* The rate dataset that the layout wants. */
#define RATE_NAME "response/firing_rate_10ms"
#define RATE_SIGMA 0.010
#define RATE_REACH 4.0

struct retc_recording_writer {
    retc_h5 *file;
    retc_recording_layout layout; /* the pointers in it are not kept, except block_start, which are copies */
    size_t *block_start[2];
    size_t chunk;       /* frames in a chunk of the movie, a power of two */
    uint8_t *levels;    /* a slab of a byte movie */
    size_t levels_room; /* values that it has room for */
};

/* ---- creating -------------------------------------------------------------------------------------------------------- */

/* The largest power of two of frames, `bytes` each, that a chunk has room for. */
static size_t
chunk_frames(size_t bytes) {
    size_t frames = 1;
    while (frames < CHUNK_FRAMES && 2 * frames * bytes <= CHUNK_BYTES)
        frames *= 2;
    return frames;
}

static int
check_layout(const retc_recording_layout *layout) {
    if (layout->height == 0 || layout->width == 0 || layout->cells == 0)
        return RETC_FAIL(RETC_EINVAL, "a recording of %zu x %zu pixels and %zu cells is empty", layout->height, layout->width,
                         layout->cells);
    if (layout->frames[RETC_TRAIN] == 0 && layout->frames[RETC_TEST] == 0)
        return RETC_FAIL(RETC_EINVAL, "a recording needs frames in its train or its test part");
    if (layout->frames[RETC_TEST] > 0 && layout->repeats == 0)
        return RETC_FAIL(RETC_EINVAL, "the test part needs at least one repeat");
    if (!(layout->frame_interval > 0) || !isfinite(layout->frame_interval))
        return RETC_FAIL(RETC_EINVAL, "a frame interval of %g s has no meaning", layout->frame_interval);
    for (int part = 0; part < 2; ++part) {
        const retc_stimulus_layout *made = layout->recipe[part] ? retc_recipe_layout(layout->recipe[part]) : NULL;
        if (made && (made->frames != layout->frames[part] || made->height != layout->height || made->width != layout->width))
            return RETC_FAIL(RETC_EINVAL,
                             "the recipe of the %s part makes %zu frames of %zu x %zu pixels, expected %zu of %zu x %zu",
                             retc_part_names[part], made->frames, made->height, made->width, layout->frames[part],
                             layout->height, layout->width);
    }
    if (layout->stimulus_type != RETC_H5_UINT8 && layout->stimulus_type != RETC_H5_FLOAT)
        return RETC_FAIL(RETC_EINVAL, "a movie is stored as bytes or as 4-byte floating point numbers");
    return RETC_OK;
}

static int
make_series(retc_recording_writer *writer, const char *name, size_t rows, size_t frames) {
    const size_t shape[2] = {rows, frames}, chunk[2] = {rows, chunk_frames(rows * sizeof(float))};
    return retc_h5_make(writer->file, name, RETC_H5_FLOAT, 2, shape, chunk);
}

static int
make_part(retc_recording_writer *writer, retc_part part) {
    int status = RETC_OK;
    const retc_recording_layout *layout = &writer->layout;
    size_t frames = layout->frames[part];
    const size_t movie[3] = {frames, layout->height, layout->width}, chunk[3] = {writer->chunk, layout->height, layout->width};
    retc_dataset_name name;
    char signal[64];
    if (!layout->recipe[part])
        RETC_TRY(retc_h5_make(writer->file, retc_name_in(&name, part, "stimulus"), layout->stimulus_type, 3, movie, chunk));
    RETC_TRY(make_series(writer, retc_name_in(&name, part, "response/binned"), layout->cells, frames));
    if (layout->recipe[part])
        RETC_TRY(retc_recipe_write(layout->recipe[part], writer->file, retc_part_names[part]));
    RETC_TRY(make_series(writer, retc_name_in(&name, part, RATE_NAME), layout->cells, frames));
    for (size_t cell = 0; part == RETC_TEST && cell < layout->cells; ++cell)
        RETC_TRY(make_series(writer, retc_name_repeats(&name, cell), layout->repeats, frames));
    if (layout->interneurons > 0) {
        snprintf(signal, sizeof signal, "interneurons/%s/signal", retc_part_names[part]);
        RETC_TRY(make_series(writer, signal, layout->interneurons, frames));
    }

done:
    return status;
}

/* Keep a copy of the block starts, which smoothing needs, and store them. */
static int
write_blocks(retc_recording_writer *writer, retc_part part, const size_t *start) {
    int status = RETC_OK;
    size_t n = start ? writer->layout.blocks[part] : 1;
    int64_t *stored = NULL;
    retc_dataset_name name;
    RETC_TRY(RETC_ALLOC(writer->block_start[part], n));
    RETC_TRY(RETC_ALLOC(stored, n));
    writer->layout.blocks[part] = n;
    for (size_t b = 0; start && b < n; ++b) {
        writer->block_start[part][b] = start[b];
        stored[b] = (int64_t)start[b];
    }
    size_t wrong = retc_clock_block_disorder(stored, n, writer->layout.frames[part]);
    if (wrong < n)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "stretch %zu of the %s part cannot start at frame %zu", wrong, retc_part_names[part],
                           start[wrong]));
    RETC_TRY(retc_h5_put(writer->file, retc_name_in(&name, part, "block_start"), RETC_H5_INT64, 1, &n, stored));

done:
    retc_free(stored);
    return status;
}

retc_recording_writer *
retc_recording_writer_create(const char *path, int force, const retc_recording_layout *layout) {
    int status = RETC_OK;
    retc_recording_writer *writer = NULL;
    RETC_TRY(check_layout(layout));
    RETC_TRY(RETC_ALLOC(writer, 1));
    writer->layout = *layout;
    writer->chunk = chunk_frames(layout->height * layout->width * (layout->stimulus_type == RETC_H5_UINT8 ? 1 : sizeof(float)));
    RETC_TRY(RETC_GOT(writer->file = retc_h5_create(path, force)));
    RETC_TRY(retc_h5_set_text(writer->file, "/", "kind", "recording"));
    RETC_TRY(retc_h5_set_number(writer->file, "/", "frame_interval", layout->frame_interval));
    RETC_TRY(retc_h5_put_texts(writer->file, "cell_names", layout->cells, layout->cell_names));
    if (layout->interneurons > 0)
        RETC_TRY(retc_h5_put_texts(writer->file, "interneurons/names", layout->interneurons, layout->interneuron_names));
    for (int part = 0; part < 2; ++part) {
        if (layout->frames[part] == 0)
            continue;
        RETC_TRY(make_part(writer, (retc_part)part));
        RETC_TRY(write_blocks(writer, (retc_part)part, layout->block_start[part]));
    }

done:
    if (status < 0) {
        retc_recording_writer_free(writer);
        return NULL;
    }
    return writer;
}

void
retc_recording_writer_free(retc_recording_writer *writer) {
    if (!writer)
        return;
    retc_free(writer->block_start[RETC_TRAIN]);
    retc_free(writer->block_start[RETC_TEST]);
    retc_free(writer->levels);
    retc_h5_close(writer->file);
    retc_free(writer);
}

retc_h5 *
retc_recording_writer_file(retc_recording_writer *writer) {
    return writer->file;
}

size_t
retc_recording_writer_chunk(const retc_recording_writer *writer) {
    return writer->chunk;
}

/* ---- slabs of time --------------------------------------------------------------------------------------------------- */

int
retc_recording_write_stimulus(retc_recording_writer *writer, retc_part part, size_t t0, size_t n, const float *frames) {
    int status = RETC_OK;
    const retc_recording_layout *layout = &writer->layout;
    const size_t start[3] = {t0, 0, 0}, count[3] = {n, layout->height, layout->width};
    size_t pixels = layout->height * layout->width, values = n * pixels, bad;
    int bytes = layout->stimulus_type == RETC_H5_UINT8;
    retc_dataset_name name;
    if (bytes && writer->levels_room < values) {
        retc_free(writer->levels);
        writer->levels_room = 0;
        RETC_TRY(RETC_ALLOC(writer->levels, values));
        writer->levels_room = values;
    }
    bad = bytes ? retc_levels_to_bytes(frames, values, writer->levels) : retc_levels_not_finite(frames, values);
    if (bad < values)
        RETC_TRY(RETC_FAIL(RETC_ENUMBER, "frame %zu of the %s stimulus holds %g: expected %s", t0 + bad / pixels,
                           retc_part_names[part], (double)frames[bad],
                           isfinite(frames[bad]) ? "a whole grey level 0 ... 255" : "a finite number"));
    if (!layout->recipe[part])
        RETC_TRY(retc_h5_write(writer->file, retc_name_in(&name, part, "stimulus"), layout->stimulus_type, start, count,
                               bytes ? (const void *)writer->levels : frames));

done:
    return status;
}

int
retc_recording_write_time(retc_recording_writer *writer, retc_part part, const double *time) {
    const size_t shape[1] = {writer->layout.frames[part]};
    retc_dataset_name name;
    return retc_h5_put(writer->file, retc_name_in(&name, part, "time"), RETC_H5_DOUBLE, 1, shape, time);
}

static int
write_series(retc_recording_writer *writer, const char *name, size_t rows, size_t t0, size_t n, const float *series) {
    const size_t start[2] = {0, t0}, count[2] = {rows, n};
    return retc_h5_write(writer->file, name, RETC_H5_FLOAT, start, count, series);
}

/* mean (N,n) over repeats of counts (N,R,n). */
static void
mean_over_repeats(size_t cells, size_t repeats, size_t n, const float *counts, float *mean) {
    for (size_t cell = 0; cell < cells; ++cell) {
        for (size_t t = 0; t < n; ++t) {
            double sum = 0;
            for (size_t r = 0; r < repeats; ++r)
                sum += (double)counts[(cell * repeats + r) * n + t];
            mean[cell * n + t] = (float)(sum / (double)repeats);
        }
    }
}

int
retc_recording_write_counts(retc_recording_writer *writer, retc_part part, size_t t0, size_t n, const float *counts) {
    int status = RETC_OK;
    size_t cells = writer->layout.cells, repeats = writer->layout.repeats;
    retc_dataset_name name;
    float *mean = NULL;
    if (part == RETC_TRAIN)
        return write_series(writer, retc_name_in(&name, part, "response/binned"), cells, t0, n, counts);
    RETC_TRY(RETC_ALLOC(mean, cells * n));
    mean_over_repeats(cells, repeats, n, counts, mean);
    RETC_TRY(write_series(writer, retc_name_in(&name, part, "response/binned"), cells, t0, n, mean));
    for (size_t cell = 0; cell < cells; ++cell)
        RETC_TRY(write_series(writer, retc_name_repeats(&name, cell), repeats, t0, n, counts + cell * repeats * n));

done:
    retc_free(mean);
    return status;
}

int
retc_recording_write_interneurons(retc_recording_writer *writer, retc_part part, size_t t0, size_t n, const float *signals) {
    char name[64];
    snprintf(name, sizeof name, "interneurons/%s/signal", retc_part_names[part]);
    return write_series(writer, name, writer->layout.interneurons, t0, n, signals);
}

/* ---- firing rates ---------------------------------------------------------------------------------------------------- */

typedef struct {
    size_t radius;
    double *weight; /* (radius + 1): of a frame that is 0, 1, ... radius frames away */
} gaussian;

static int
gaussian_make(gaussian *window, double sigma_frames) {
    window->radius = (size_t)ceil(RATE_REACH * sigma_frames);
    int status = RETC_ALLOC(window->weight, window->radius + 1);
    for (size_t d = 0; status == RETC_OK && d <= window->radius; ++d)
        window->weight[d] = exp(-0.5 * ((double)d / sigma_frames) * ((double)d / sigma_frames));
    return status;
}

/* Weighted mean of x around t, within first ... stop-1. */
static double
gaussian_mean(const gaussian *window, const float *x, size_t t, size_t first, size_t stop) {
    size_t from = t - first > window->radius ? t - window->radius : first;
    size_t to = stop - t > window->radius ? t + window->radius + 1 : stop;
    double sum = 0, total = 0;
    for (size_t s = from; s < to; ++s) {
        double weight = window->weight[s > t ? s - t : t - s];
        sum += weight * (double)x[s];
        total += weight;
    }
    return sum / total;
}

/* Rates of frames t0 ... t0+n-1 in `rate` (N,n), from counts (N,m) that begin at frame c0 and reach far enough to both sides.
 */
static void
smooth_slab(const retc_recording_writer *writer, retc_part part, const gaussian *window, size_t c0, size_t m,
            const float *counts, size_t t0, size_t n, float *rate) {
    const size_t *start = writer->block_start[part], blocks = writer->layout.blocks[part];
    for (size_t cell = 0; cell < writer->layout.cells; ++cell) {
        size_t b = 0;
        for (size_t t = t0; t < t0 + n; ++t) {
            while (b + 1 < blocks && start[b + 1] <= t)
                ++b;
            size_t first = start[b] > c0 ? start[b] - c0 : 0;
            size_t stop = b + 1 < blocks && start[b + 1] < c0 + m ? start[b + 1] - c0 : m;
            double mean = gaussian_mean(window, counts + cell * m, t - c0, first, stop);
            rate[cell * n + t - t0] = (float)(mean / writer->layout.frame_interval);
        }
    }
}

static int
write_rates(retc_recording_writer *writer, retc_part part) {
    int status = RETC_OK;
    size_t cells = writer->layout.cells, frames = writer->layout.frames[part], slab = CHUNK_FRAMES;
    gaussian window = {0};
    float *counts = NULL, *rate = NULL;
    retc_dataset_name name;
    RETC_TRY(gaussian_make(&window, RATE_SIGMA / writer->layout.frame_interval));
    RETC_TRY(RETC_ALLOC(counts, cells * (slab + 2 * window.radius)));
    RETC_TRY(RETC_ALLOC(rate, cells * slab));
    for (size_t t0 = 0; t0 < frames; t0 += slab) {
        size_t n = frames - t0 < slab ? frames - t0 : slab;
        size_t c0 = t0 > window.radius ? t0 - window.radius : 0;
        size_t m = (frames - t0 - n > window.radius ? t0 + n + window.radius : frames) - c0;
        const size_t from[2] = {0, c0}, count[2] = {cells, m};
        RETC_TRY(retc_h5_read(writer->file, retc_name_in(&name, part, "response/binned"), RETC_H5_FLOAT, from, count, counts));
        smooth_slab(writer, part, &window, c0, m, counts, t0, n, rate);
        RETC_TRY(write_series(writer, retc_name_in(&name, part, RATE_NAME), cells, t0, n, rate));
    }

done:
    retc_free(window.weight);
    retc_free(counts);
    retc_free(rate);
    return status;
}

int
retc_recording_writer_finish(retc_recording_writer *writer) {
    int status = RETC_OK;
    for (int part = 0; part < 2; ++part) {
        if (writer->layout.frames[part] > 0)
            RETC_TRY(write_rates(writer, (retc_part)part));
    }

done:
    return status;
}
