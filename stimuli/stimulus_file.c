#include "stimulus_file.h"

#include <math.h>
#include <stdio.h>

#include "frame_clock.h"
#include "levels.h"
#include "recipe.h"

/* Bytes of a slab as floats, and of a chunk in the file. */
#define SLAB_BYTES ((size_t)8 << 20)
#define SLAB_FRAMES ((size_t)4096)
#define CHUNK_BYTES ((size_t)1 << 18)

struct retc_stimulus {
    retc_h5 *file;
    retc_stimulus_layout layout;
    double pixel_size;   /* um, 0: unknown */
    retc_recipe *recipe; /* NULL: the frames are in the file */
    double *time;        /* (T) */
    size_t *block_start; /* (blocks) */
    size_t blocks;
};

size_t
retc_stimulus_slab(size_t height, size_t width) {
    size_t frames = 1;
    while (frames < SLAB_FRAMES && 2 * frames * height * width * sizeof(float) <= SLAB_BYTES)
        frames *= 2;
    return frames;
}

/* Frames of a chunk: a power of two, so that slabs begin and end with chunks. */
static size_t
chunk_frames(const retc_stimulus_layout *layout) {
    size_t bytes = layout->height * layout->width * (layout->type == RETC_H5_UINT8 ? 1 : sizeof(float));
    size_t frames = retc_stimulus_slab(layout->height, layout->width);
    while (frames > 1 && frames * bytes > CHUNK_BYTES)
        frames /= 2;
    return frames;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static int
check_layout(const retc_stimulus_layout *layout) {
    if (layout->frames == 0 || layout->height == 0 || layout->width == 0)
        return RETC_FAIL(RETC_EINVAL, "a movie of %zu frames of %zu x %zu pixels is empty", layout->frames, layout->height,
                         layout->width);
    if (!(layout->frame_interval > 0) || !isfinite(layout->frame_interval))
        return RETC_FAIL(RETC_EINVAL, "a frame interval of %g s has no meaning", layout->frame_interval);
    if (layout->type != RETC_H5_UINT8 && layout->type != RETC_H5_FLOAT)
        return RETC_FAIL(RETC_EINVAL, "a movie is stored as bytes or as 4-byte floating point numbers");
    return RETC_OK;
}

static int
write_clock(retc_h5 *file, const retc_stimulus_layout *layout) {
    int status = RETC_OK;
    double *time = NULL;
    RETC_TRY(RETC_ALLOC(time, layout->frames));
    for (size_t t = 0; t < layout->frames; ++t)
        time[t] = (double)t * layout->frame_interval;
    RETC_TRY(retc_h5_put(file, "time", RETC_H5_DOUBLE, 1, &layout->frames, time));
    RETC_TRY(retc_h5_set_number(file, "/", "frame_interval", layout->frame_interval));

done:
    retc_free(time);
    return status;
}

int
retc_stimulus_write_head(retc_h5 *file, const char *stimulus, const retc_stimulus_layout *layout) {
    int status = RETC_OK;
    RETC_TRY(check_layout(layout));
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "stimulus"));
    RETC_TRY(retc_h5_set_text(file, "/", "stimulus", stimulus));
    RETC_TRY(write_clock(file, layout));

done:
    return status;
}

/* A slab of frames on its way into the file: `bytes` is NULL where floats are stored. */
typedef struct {
    float *movie;
    uint8_t *bytes;
} slab_room;

static int
make_room(const retc_stimulus_layout *layout, slab_room *room) {
    int status = RETC_OK;
    size_t n = retc_stimulus_slab(layout->height, layout->width) * layout->height * layout->width;
    RETC_TRY(RETC_ALLOC(room->movie, n));
    if (layout->type == RETC_H5_UINT8)
        RETC_TRY(RETC_ALLOC(room->bytes, n));

done:
    return status;
}

static void
free_room(slab_room *room) {
    retc_free(room->movie);
    retc_free(room->bytes);
}

static int
write_slab(retc_h5 *file, const retc_stimulus_layout *layout, const slab_room *room, size_t t0, size_t n) {
    const size_t start[3] = {t0, 0, 0}, count[3] = {n, layout->height, layout->width};
    if (room->bytes)
        retc_levels_round(room->movie, n * layout->height * layout->width, room->bytes);
    return retc_h5_write(file, "stimulus", layout->type, start, count, room->bytes ? (const void *)room->bytes : room->movie);
}

int
retc_stimulus_write(retc_h5 *file, const char *stimulus, const retc_stimulus_layout *layout, retc_stimulus_source source,
                    void *context, const retc_progress *progress) {
    int status = RETC_OK;
    slab_room room = {0};
    RETC_TRY(check_layout(layout));
    size_t slab = retc_stimulus_slab(layout->height, layout->width);
    const size_t shape[3] = {layout->frames, layout->height, layout->width};
    const size_t chunk[3] = {chunk_frames(layout), layout->height, layout->width};
    RETC_TRY(retc_h5_make(file, "stimulus", layout->type, 3, shape, chunk));
    RETC_TRY(retc_stimulus_write_head(file, stimulus, layout));
    RETC_TRY(make_room(layout, &room));
    for (size_t t0 = 0; t0 < layout->frames; t0 += slab) {
        size_t n = layout->frames - t0 < slab ? layout->frames - t0 : slab;
        RETC_TRY(source(context, t0, n, room.movie));
        RETC_TRY(write_slab(file, layout, &room, t0, n));
        retc_progress_report(progress, t0 + n, layout->frames, NULL);
    }

done:
    free_room(&room);
    return status;
}

int
retc_stimulus_write_stream(retc_h5 *file, const char *stimulus, retc_stimulus_layout *layout, retc_stimulus_stream stream,
                           void *context, const retc_progress *progress) {
    int status = RETC_OK;
    slab_room room = {0};
    char note[32];
    size_t slab = retc_stimulus_slab(layout->height, layout->width), got = slab;
    const size_t chunk[3] = {chunk_frames(layout), layout->height, layout->width};
    RETC_TRY(retc_h5_make_growing(file, "stimulus", layout->type, 3, chunk));
    RETC_TRY(make_room(layout, &room));
    for (layout->frames = 0; got == slab;) {
        RETC_TRY(stream(context, slab, room.movie, &got));
        if (got == 0)
            break;
        RETC_TRY(retc_h5_grow(file, "stimulus", layout->frames + got));
        RETC_TRY(write_slab(file, layout, &room, layout->frames, got));
        layout->frames += got;
        snprintf(note, sizeof note, "%zu frames", layout->frames);
        retc_progress_report(progress, layout->frames, 0, note);
    }
    RETC_TRY(retc_stimulus_write_head(file, stimulus, layout));

done:
    free_room(&room);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int
read_clock(retc_stimulus *stimulus) {
    int status = RETC_OK;
    const char *path = retc_stimulus_path(stimulus);
    size_t frames = stimulus->layout.frames;
    double *interval = &stimulus->layout.frame_interval;
    RETC_TRY(retc_h5_expect(stimulus->file, "time", 1, &frames, NULL));
    RETC_TRY(RETC_ALLOC(stimulus->time, frames));
    RETC_TRY(retc_h5_read(stimulus->file, "time", RETC_H5_DOUBLE, NULL, NULL, stimulus->time));
    size_t wrong = retc_clock_disorder(stimulus->time, frames);
    if (wrong < frames)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"time\" does not increase at frame %zu", path, wrong));
    RETC_TRY(retc_h5_get_number(stimulus->file, "/", "frame_interval", interval));
    if (status == 0) {
        if (frames < 2)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: attribute \"frame_interval\" is missing", path));
        RETC_TRY(retc_clock_median_interval(stimulus->time, frames, interval));
    }
    if (!(*interval > 0) || !isfinite(*interval))
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: attribute \"frame_interval\" is %g s, expected a positive number", path, *interval));
    status = RETC_OK;

done:
    return status;
}

static int
read_blocks(retc_stimulus *stimulus) {
    int status = RETC_OK;
    int64_t *start = NULL;
    void *read = NULL;
    if (!retc_h5_has(stimulus->file, "block_start")) {
        stimulus->blocks = 1;
        return RETC_ALLOC(stimulus->block_start, 1);
    }
    RETC_TRY(retc_h5_read_new(stimulus->file, "block_start", RETC_H5_INT64, 1, &stimulus->blocks, &read));
    start = read;
    size_t wrong = retc_clock_block_disorder(start, stimulus->blocks, stimulus->layout.frames);
    if (wrong < stimulus->blocks || stimulus->blocks == 0)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT,
                      "%s: dataset \"block_start\" is out of order at entry %zu: expected 0, then ascending frames below %zu",
                      retc_stimulus_path(stimulus), wrong, stimulus->layout.frames));
    RETC_TRY(RETC_ALLOC(stimulus->block_start, stimulus->blocks));
    for (size_t b = 0; b < stimulus->blocks; ++b)
        stimulus->block_start[b] = (size_t)start[b];

done:
    retc_free(read);
    return status;
}

/* Shape and type of the movie, stored or not. */
static int
read_layout(retc_stimulus *stimulus) {
    int status = RETC_OK;
    const char *path = retc_stimulus_path(stimulus);
    size_t shape[3];
    if (!retc_h5_has(stimulus->file, "stimulus") && retc_recipe_is_in(stimulus->file, "/")) {
        RETC_TRY(RETC_GOT(stimulus->recipe = retc_recipe_read(stimulus->file, "/")));
        stimulus->layout = *retc_recipe_layout(stimulus->recipe);
        return RETC_OK;
    }
    RETC_TRY(retc_h5_expect(stimulus->file, "stimulus", 3, NULL, shape));
    if (shape[0] == 0 || shape[1] == 0 || shape[2] == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"stimulus\" is empty", path));
    stimulus->layout = (retc_stimulus_layout){.frames = shape[0], .height = shape[1], .width = shape[2]};
    stimulus->layout.type = retc_h5_is_uint8(stimulus->file, "stimulus") ? RETC_H5_UINT8 : RETC_H5_FLOAT;

done:
    return status;
}

static int
read_pixel_size(retc_stimulus *stimulus) {
    int status = retc_h5_get_number(stimulus->file, "/", "pixel_size", &stimulus->pixel_size);
    if (status > 0 && (!(stimulus->pixel_size > 0) || !isfinite(stimulus->pixel_size)))
        return RETC_FAIL(RETC_EFORMAT, "%s: attribute \"pixel_size\" is %g um, expected a positive number",
                         retc_stimulus_path(stimulus), stimulus->pixel_size);
    return status < 0 ? status : RETC_OK;
}

retc_stimulus *
retc_stimulus_open(const char *path) {
    int status = RETC_OK;
    retc_stimulus *stimulus = NULL;
    RETC_TRY(RETC_ALLOC(stimulus, 1));
    RETC_TRY(RETC_GOT(stimulus->file = retc_h5_open(path)));
    RETC_TRY(retc_h5_expect_kind(stimulus->file, "stimulus"));
    RETC_TRY(read_layout(stimulus));
    RETC_TRY(read_clock(stimulus));
    RETC_TRY(read_blocks(stimulus));
    RETC_TRY(read_pixel_size(stimulus));

done:
    if (status < 0) {
        retc_stimulus_close(stimulus);
        return NULL;
    }
    return stimulus;
}

void
retc_stimulus_close(retc_stimulus *stimulus) {
    if (!stimulus)
        return;
    retc_recipe_free(stimulus->recipe);
    retc_free(stimulus->time);
    retc_free(stimulus->block_start);
    retc_h5_close(stimulus->file);
    retc_free(stimulus);
}

const char *
retc_stimulus_path(const retc_stimulus *stimulus) {
    return retc_h5_path(stimulus->file);
}

const retc_stimulus_layout *
retc_stimulus_layout_of(const retc_stimulus *stimulus) {
    return &stimulus->layout;
}

double
retc_stimulus_pixel_size(const retc_stimulus *stimulus) {
    return stimulus->pixel_size;
}

retc_recipe *
retc_stimulus_recipe(const retc_stimulus *stimulus) {
    return stimulus->recipe;
}

const double *
retc_stimulus_time(const retc_stimulus *stimulus) {
    return stimulus->time;
}

const size_t *
retc_stimulus_blocks(const retc_stimulus *stimulus, size_t *blocks) {
    *blocks = stimulus->blocks;
    return stimulus->block_start;
}

int
retc_stimulus_read(retc_stimulus *stimulus, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = &stimulus->layout;
    const size_t start[3] = {t0, 0, 0}, count[3] = {n, layout->height, layout->width};
    size_t pixels = layout->height * layout->width;
    if (t0 > layout->frames || n > layout->frames - t0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: %zu frames from frame %zu on are asked for, there are %zu",
                           retc_stimulus_path(stimulus), n, t0, layout->frames));
    if (stimulus->recipe)
        return retc_recipe_frames(stimulus->recipe, t0, n, out);
    RETC_TRY(retc_h5_read(stimulus->file, "stimulus", RETC_H5_FLOAT, start, count, out));
    size_t bad = layout->type == RETC_H5_FLOAT ? retc_levels_not_finite(out, n * pixels) : n * pixels;
    if (bad < n * pixels)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"stimulus\" is not finite in frame %zu", retc_stimulus_path(stimulus),
                           t0 + bad / pixels));

done:
    return status;
}
