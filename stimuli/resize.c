#include "resize.h"

#include <math.h>
#include <string.h>

#include "movie_input.h"

/* Shares of old pixels in the n new ones along one axis: new pixel i has weights[i * most + k] of old pixel first[i] + k. */
typedef struct {
    size_t most;
    size_t *first, *count; /* (n) */
    float *weights;        /* (n,most) */
} axis_shares;

typedef struct {
    retc_resize_options options;
    size_t threads;
    retc_stimulus *input;
    axis_shares rows, columns;
} resize_movie;

/* ---- shares ---------------------------------------------------------------------------------------------------------- */

static void
free_shares(axis_shares *shares) {
    retc_free(shares->first);
    retc_free(shares->count);
    retc_free(shares->weights);
}

/* New pixel i of `n` covers old coordinates i old/n ... (i+1) old/n; in whole numbers, units of 1/n of an old pixel. */
static int
make_shares(axis_shares *shares, size_t old, size_t n) {
    int status = RETC_OK;
    size_t most = shares->most = old / n + 2;
    RETC_TRY(RETC_ALLOC(shares->first, n));
    RETC_TRY(RETC_ALLOC(shares->count, n));
    RETC_TRY(RETC_ALLOC(shares->weights, n * most));
    for (size_t i = 0; i < n; ++i) {
        size_t from = i * old, to = from + old, first = from / n, last = (to - 1) / n;
        shares->first[i] = first;
        shares->count[i] = last - first + 1;
        for (size_t k = first; k <= last; ++k) {
            size_t left = k * n > from ? k * n : from, right = (k + 1) * n < to ? (k + 1) * n : to;
            shares->weights[i * most + k - first] = (float)((double)(right - left) / (double)old);
        }
    }

done:
    return status;
}

static void
resize_frame(const void *context, const float *in, float *out) {
    const resize_movie *resize = context;
    const axis_shares *rows = &resize->rows, *columns = &resize->columns;
    size_t width = retc_stimulus_layout_of(resize->input)->width;
    for (size_t y = 0; y < resize->options.height; ++y) {
        for (size_t x = 0; x < resize->options.width; ++x) {
            double sum = 0;
            for (size_t j = 0; j < rows->count[y]; ++j) {
                const float *row = in + (rows->first[y] + j) * width + columns->first[x];
                double part = 0;
                for (size_t i = 0; i < columns->count[x]; ++i)
                    part += (double)columns->weights[x * columns->most + i] * (double)row[i];
                sum += (double)rows->weights[y * rows->most + j] * part;
            }
            *out++ = (float)sum;
        }
    }
}

/* ---- the movie ------------------------------------------------------------------------------------------------------- */

static int
resize_frames(void *context, size_t t0, size_t n, float *out) {
    const resize_movie *resize = context;
    return retc_movie_change_frames(resize->input, resize->threads, resize_frame, resize, t0, n,
                                    resize->options.height * resize->options.width, out);
}

static int
resize_annotate(void *context, retc_h5 *file) {
    const resize_movie *resize = context;
    return retc_movie_copy_clock(resize->input, file);
}

static void
resize_free(void *context) {
    resize_movie *resize = context;
    if (!resize)
        return;
    retc_stimulus_close(resize->input);
    free_shares(&resize->rows);
    free_shares(&resize->columns);
    retc_free(resize);
}

retc_movie *
retc_resize_movie(const retc_resize_options *options, size_t threads) {
    int status = RETC_OK;
    resize_movie *resize = NULL;
    retc_movie *movie = NULL;
    if (options->height == 0 || options->width == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "frames of %zu x %zu pixels are empty", options->height, options->width));
    RETC_TRY(RETC_ALLOC(resize, 1));
    resize->options = *options;
    resize->threads = threads;
    RETC_TRY(RETC_GOT(resize->input = retc_stimulus_open(options->movie)));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(resize->input);
    RETC_TRY(make_shares(&resize->rows, layout->height, options->height));
    RETC_TRY(make_shares(&resize->columns, layout->width, options->width));
    RETC_TRY(RETC_GOT(movie = retc_movie_alloc_from("resize", resize->input, options->height, options->width)));
    /* Pixels that are no squares any more have no one size. */
    if (layout->height * options->width == layout->width * options->height)
        movie->pixel_size *= (double)layout->height / (double)options->height;
    else
        movie->pixel_size = 0;
    movie->any_order = 1;
    movie->frames = resize_frames;
    movie->annotate = resize_annotate;
    movie->free = resize_free;
    movie->context = resize;
    return movie;

done:
    resize_free(resize);
    return NULL;
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

static void
resize_defaults(void *options, retc_screen *screen) {
    (void)screen;
    *(retc_resize_options *)options = (retc_resize_options){.height = 16, .width = 16};
}

static size_t
resize_table(void *options, retc_option *entries) {
    retc_resize_options *o = options;
    const retc_option table[] = {
        {"movie", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o->movie, 0, 0, NULL, "stimulus file"},
        {"height", 0, RETC_OPTION_SIZE, 0, &o->height, 1, 8192, "pixels", "rows of the new frames"},
        {"width", 0, RETC_OPTION_SIZE, 0, &o->width, 1, 8192, "pixels", "columns of the new frames"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static retc_movie *
resize_make(const void *options, const retc_screen *screen) {
    return retc_resize_movie(options, screen->threads);
}

const retc_movie_kind retc_resize_kind = {
    .name = "resize",
    .usage = {"stimulus", "another movie in fewer or more pixels",
              "Every new pixel is the mean over its part of the old frame, so that nothing is aliased.",
              "retcodec stimulus resize movie.h5 --height 25 --width 25 -o small.h5"},
    .from_files = 1,
    .size = sizeof(retc_resize_options),
    .defaults = resize_defaults,
    .table = resize_table,
    .make = resize_make,
};
