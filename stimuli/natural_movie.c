#include "natural_movie.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "rng.h"
#include "stimulus_file.h"
#include "texture.h"

/* The scene has this side at least, and this many times the larger side of the frame, so that saccades lead to new places. */
#define SMALLEST_SCENE 512
#define FRAMES_PER_SIDE 4
#define LARGEST_FRAME 2048

struct retc_natural_movie {
    retc_natural_options options;
    retc_texture *scene;
    size_t side;  /* of the scene, pixels */
    double *path; /* (T,2) */
};

static int
check_options(const retc_natural_options *options) {
    if (options->frames == 0 || options->height == 0 || options->width == 0)
        return RETC_FAIL(RETC_EINVAL, "a movie of %zu frames of %zu x %zu pixels is empty", options->frames, options->height,
                         options->width);
    if (options->height > LARGEST_FRAME || options->width > LARGEST_FRAME)
        return RETC_FAIL(RETC_EINVAL, "a natural movie of %zu x %zu pixels is too large: at most %d x %d", options->height,
                         options->width, LARGEST_FRAME, LARGEST_FRAME);
    if (!(options->frame_interval > 0) || !isfinite(options->frame_interval))
        return RETC_FAIL(RETC_EINVAL, "a frame interval of %g s has no meaning", options->frame_interval);
    if (!(options->contrast >= 0 && options->contrast <= 1))
        return RETC_FAIL(RETC_EINVAL, "a contrast of %g is not between 0 and 1", options->contrast);
    if (!(options->drift >= 0) || !isfinite(options->drift))
        return RETC_FAIL(RETC_EINVAL, "a drift of %g pixels per square root of a second has no meaning", options->drift);
    if (!(options->saccade_interval >= 0 && options->saccade_minimum >= 0) || !isfinite(options->saccade_interval))
        return RETC_FAIL(RETC_EINVAL, "saccades every %g s, %g s apart at least, have no meaning", options->saccade_interval,
                         options->saccade_minimum);
    if (options->saccade_interval > 0 && options->saccade_interval < fmax(options->saccade_minimum, options->frame_interval))
        return RETC_FAIL(RETC_EINVAL, "saccades every %g s in the mean cannot be %g s apart at least",
                         options->saccade_interval, fmax(options->saccade_minimum, options->frame_interval));
    return RETC_OK;
}

static double
time_to_saccade(const retc_natural_options *options, gsl_rng *rng) {
    return options->saccade_minimum + gsl_ran_exponential(rng, options->saccade_interval - options->saccade_minimum);
}

static int
walk(retc_natural_movie *movie) {
    int status = RETC_OK;
    const retc_natural_options *options = &movie->options;
    double step = options->drift * sqrt(options->frame_interval), side = (double)movie->side, saccade = (double)INFINITY;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(options->seed, RETC_STREAM_STIMULUS, 1)));
    double y = side * gsl_rng_uniform(rng), x = side * gsl_rng_uniform(rng);
    if (options->saccade_interval > 0)
        saccade = time_to_saccade(options, rng);
    for (size_t t = 0; t < options->frames; ++t) {
        movie->path[2 * t] = y;
        movie->path[2 * t + 1] = x;
        y += gsl_ran_gaussian_ziggurat(rng, step);
        x += gsl_ran_gaussian_ziggurat(rng, step);
        while (saccade <= (double)(t + 1) * options->frame_interval) {
            y = side * gsl_rng_uniform(rng);
            x = side * gsl_rng_uniform(rng);
            saccade += time_to_saccade(options, rng);
        }
    }

done:
    gsl_rng_free(rng);
    return status;
}

retc_natural_movie *
retc_natural_movie_alloc(const retc_natural_options *options) {
    int status = RETC_OK;
    retc_natural_movie *movie = NULL;
    RETC_TRY(check_options(options));
    RETC_TRY(RETC_ALLOC(movie, 1));
    movie->options = *options;
    size_t larger = options->height > options->width ? options->height : options->width;
    for (movie->side = SMALLEST_SCENE; movie->side < FRAMES_PER_SIDE * larger;)
        movie->side *= 2;
    RETC_TRY(RETC_GOT(movie->scene = retc_texture_alloc(movie->side, options->exponent, options->seed)));
    RETC_TRY(RETC_ALLOC(movie->path, 2 * options->frames));
    RETC_TRY(walk(movie));

done:
    if (status < 0) {
        retc_natural_movie_free(movie);
        return NULL;
    }
    return movie;
}

void
retc_natural_movie_free(retc_natural_movie *movie) {
    if (!movie)
        return;
    retc_texture_free(movie->scene);
    retc_free(movie->path);
    retc_free(movie);
}

const double *
retc_natural_movie_path(const retc_natural_movie *movie) {
    return movie->path;
}

typedef struct {
    const retc_natural_movie *movie;
    size_t t0;
    float *out;
} slab_of_frames;

static int
fill_frame(void *context, size_t i) {
    const slab_of_frames *slab = context;
    const retc_natural_options *options = &slab->movie->options;
    const double *place = slab->movie->path + 2 * (slab->t0 + i);
    size_t pixels = options->height * options->width;
    float *frame = slab->out + i * pixels;
    retc_texture_sample(slab->movie->scene, place[0], place[1], options->height, options->width, frame);
    for (size_t k = 0; k < pixels; ++k) {
        double level = RETC_MEAN_GREY * (1 + options->contrast * (double)frame[k]);
        frame[k] = (float)fmin(fmax(level, 0), 2 * RETC_MEAN_GREY);
    }
    return RETC_OK;
}

int
retc_natural_movie_frames(void *context, size_t t0, size_t n, float *out) {
    const retc_natural_movie *movie = context;
    slab_of_frames slab = {.movie = movie, .t0 = t0, .out = out};
    if (t0 > movie->options.frames || n > movie->options.frames - t0)
        return RETC_FAIL(RETC_EINVAL, "%zu frames from frame %zu on are asked for, the movie has %zu", n, t0,
                         movie->options.frames);
    return retc_parallel_for(n, movie->options.threads, fill_frame, &slab);
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

static void
natural_defaults(void *options, retc_screen *screen) {
    retc_natural_options *o = options;
    (void)screen;
    *o = (retc_natural_options){.contrast = 0.35, .exponent = 1, .drift = 3, .saccade_interval = 0.5, .saccade_minimum = 0.15};
}

static size_t
natural_table(void *options, retc_option *entries) {
    retc_natural_options *o = options;
    const retc_option table[] = {
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL, "standard deviation over mean"},
        {"exponent", 0, RETC_OPTION_DOUBLE, 0, &o->exponent, 0, 4, NULL,
         "the amplitude falls with this power of the spatial frequency"},
        {"drift", 0, RETC_OPTION_DOUBLE, 0, &o->drift, 0, 1e4, "pixels per square root of a second",
         "how far the eye drifts between saccades"},
        {"saccade-interval", 0, RETC_OPTION_DOUBLE, 0, &o->saccade_interval, 0, 1e6, "s",
         "mean time between saccades; 0: no saccades"},
        {"saccade-minimum", 0, RETC_OPTION_DOUBLE, 0, &o->saccade_minimum, 0, 1e6, "s", "shortest time between saccades"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static int
natural_annotate(void *context, retc_h5 *file) {
    const retc_natural_movie *movie = context;
    const size_t shape[2] = {movie->options.frames, 2};
    return retc_h5_put(file, "eye_position", RETC_H5_DOUBLE, 2, shape, movie->path);
}

static void
natural_free(void *context) {
    retc_natural_movie_free(context);
}

static retc_movie *
natural_make(const void *options, const retc_screen *screen) {
    int status = RETC_OK;
    retc_natural_options o = *(const retc_natural_options *)options;
    retc_movie *movie = retc_movie_alloc("natural-movie", screen, retc_screen_frames(screen, 0), RETC_H5_UINT8);
    RETC_TRY(RETC_GOT(movie));
    o.frames = movie->layout.frames;
    o.height = screen->height;
    o.width = screen->width;
    o.frame_interval = movie->layout.frame_interval;
    o.seed = screen->seed;
    o.threads = screen->threads;
    movie->any_order = 1;
    movie->frames = retc_natural_movie_frames;
    movie->annotate = natural_annotate;
    movie->free = natural_free;
    RETC_TRY(RETC_GOT(movie->context = retc_natural_movie_alloc(&o)));

done:
    if (status < 0) {
        retc_movie_free(movie);
        return NULL;
    }
    return movie;
}

const retc_movie_kind retc_natural_movie_kind = {
    .name = "natural-movie",
    .usage = {"stimulus", "a still scene seen through eye movements",
              "A still random scene with the amplitude spectrum of natural images, 1/f, seen through eye movements: a random "
              "walk broken by saccades.  Another --seed makes another movie; a longer movie of the same seed begins with the "
              "shorter one.",
              "retcodec stimulus natural-movie --duration 60 --height 16 --width 16 -o movie.h5"},
    .size = sizeof(retc_natural_options),
    .defaults = natural_defaults,
    .table = natural_table,
    .make = natural_make,
};
