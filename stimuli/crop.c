#include "crop.h"

#include <string.h>

#include "movie_input.h"

typedef struct {
    retc_crop_options options;
    size_t threads;
    retc_stimulus *input;
} crop_movie;

static void
crop_frame(const void *context, const float *in, float *out) {
    const crop_movie *crop = context;
    const retc_crop_options *o = &crop->options;
    size_t width = retc_stimulus_layout_of(crop->input)->width;
    for (size_t y = 0; y < o->height; ++y)
        memcpy(out + y * o->width, in + (o->row + y) * width + o->column, o->width * sizeof *out);
}

static int
crop_frames(void *context, size_t t0, size_t n, float *out) {
    const crop_movie *crop = context;
    return retc_movie_change_frames(crop->input, crop->threads, crop_frame, crop, t0, n,
                                    crop->options.height * crop->options.width, out);
}

static int
crop_annotate(void *context, retc_h5 *file) {
    const crop_movie *crop = context;
    return retc_movie_copy_clock(crop->input, file);
}

static void
crop_free(void *context) {
    crop_movie *crop = context;
    if (crop)
        retc_stimulus_close(crop->input);
    retc_free(crop);
}

/* Where `size` pixels from `first` on end, and whether that is within `there`. */
static int
settle(size_t *size, size_t first, size_t there) {
    if (*size == 0 && first < there)
        *size = there - first;
    return first < there && *size <= there - first;
}

retc_movie *
retc_crop_movie(const retc_crop_options *options, size_t threads) {
    int status = RETC_OK;
    crop_movie *crop = NULL;
    retc_movie *movie = NULL;
    RETC_TRY(RETC_ALLOC(crop, 1));
    crop->options = *options;
    crop->threads = threads;
    retc_crop_options *o = &crop->options;
    RETC_TRY(RETC_GOT(crop->input = retc_stimulus_open(o->movie)));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(crop->input);
    if (!settle(&o->height, o->row, layout->height) || !settle(&o->width, o->column, layout->width))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: %zu x %zu pixels from row %zu, column %zu on are asked for, frames have %zu x %zu",
                           o->movie, o->height, o->width, o->row, o->column, layout->height, layout->width));
    RETC_TRY(RETC_GOT(movie = retc_movie_alloc_from("crop", crop->input, o->height, o->width)));
    movie->any_order = 1;
    movie->frames = crop_frames;
    movie->annotate = crop_annotate;
    movie->free = crop_free;
    movie->context = crop;
    return movie;

done:
    crop_free(crop);
    return NULL;
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

static void
crop_defaults(void *options, retc_screen *screen) {
    (void)screen;
    *(retc_crop_options *)options = (retc_crop_options){0};
}

static size_t
crop_table(void *options, retc_option *entries) {
    retc_crop_options *o = options;
    const retc_option table[] = {
        {"movie", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o->movie, 0, 0, NULL, "stimulus file"},
        {"row", 0, RETC_OPTION_SIZE, 0, &o->row, 0, 1e6, NULL, "upper row of the rectangle, from 0"},
        {"column", 0, RETC_OPTION_SIZE, 0, &o->column, 0, 1e6, NULL, "left column of the rectangle, from 0"},
        {"height", 0, RETC_OPTION_SIZE, 0, &o->height, 0, 1e6, "pixels", "its height; 0: to the lower border"},
        {"width", 0, RETC_OPTION_SIZE, 0, &o->width, 0, 1e6, "pixels", "its width; 0: to the right border"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static retc_movie *
crop_make(const void *options, const retc_screen *screen) {
    return retc_crop_movie(options, screen->threads);
}

const retc_movie_kind retc_crop_kind = {
    .name = "crop",
    .usage = {"stimulus", "a rectangle of another movie", "A rectangle of every frame of a stimulus file.",
              "retcodec stimulus crop movie.h5 --row 4 --column 4 --height 16 --width 16 -o part.h5"},
    .from_files = 1,
    .size = sizeof(retc_crop_options),
    .defaults = crop_defaults,
    .table = crop_table,
    .make = crop_make,
};
