#include "natural_movie.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "parallel.h"
#include "stimulus_file.h"

#define LARGEST_FRAME 2048
#define FRAMES_PER_TASK 8

struct retc_natural_movie {
    retc_natural_options options;
    retc_gallery *gallery;
    retc_eye_path path;
    atomic_size_t levels, clipped; /* made, and of them beyond 0 ... 255 */
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
    return RETC_OK;
}

retc_natural_movie *
retc_natural_movie_alloc(retc_gallery *gallery, const retc_natural_options *options) {
    int status = RETC_OK;
    retc_natural_movie *movie = NULL;
    RETC_TRY(check_options(options));
    RETC_TRY(RETC_ALLOC(movie, 1));
    movie->options = *options;
    movie->gallery = gallery;
    gallery = NULL;
    RETC_TRY(retc_eye_path_make(&options->eye, retc_gallery_size(movie->gallery), options->frames, options->frame_interval,
                                options->seed, &movie->path));

done:
    retc_gallery_free(gallery);
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
    retc_gallery_free(movie->gallery);
    retc_eye_path_clear(&movie->path);
    retc_free(movie);
}

/* ---- where the frame is ---------------------------------------------------------------------------------------------- */

/* Reflected at 0 and `room` as often as it takes. */
static double
reflect(double x, double room) {
    if (!(room > 0))
        return 0;
    double turn = x - 2 * room * floor(x / (2 * room));
    return fmin(fmax(turn > room ? 2 * room - turn : turn, 0), room);
}

static void
locate(const retc_natural_movie *movie, const retc_exhibit *exhibit, size_t t, double corner[2]) {
    const retc_eye_place *place = &movie->path.place[t];
    for (int d = 0; d < 2; ++d) {
        double x = place->anchor[d] * exhibit->room[d] + place->offset[d];
        if (movie->options.whole_pixels)
            x = round(x);
        corner[d] = exhibit->repeats ? x : reflect(x, exhibit->room[d]);
    }
}

/* The end of the run of frames from t on, before `stop`, that show the same image. */
static size_t
end_of_run(const retc_natural_movie *movie, size_t t, size_t stop) {
    size_t end = t + 1;
    while (end < stop && movie->path.place[end].image == movie->path.place[t].image)
        ++end;
    return end;
}

int
retc_natural_movie_path(retc_natural_movie *movie, double *path) {
    int status = RETC_OK;
    retc_exhibit exhibit = {0};
    for (size_t t = 0, end; t < movie->options.frames; t = end) {
        end = end_of_run(movie, t, movie->options.frames);
        RETC_TRY(retc_gallery_measure(movie->gallery, movie->path.place[t].image, &exhibit));
        for (size_t k = t; k < end; ++k)
            locate(movie, &exhibit, k, path + 2 * k);
    }

done:
    return status;
}

/* ---- frames ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_natural_movie *movie;
    retc_exhibit exhibit;
    size_t t0, n; /* frames of one image */
    float *out;
} run_of_frames;

/* Levels in place of the scene's values; the number that were clipped. */
static size_t
set_levels(const retc_exhibit *exhibit, size_t pixels, float *frame) {
    size_t clipped = 0;
    for (size_t k = 0; k < pixels; ++k) {
        double level = exhibit->offset + exhibit->gain * (double)frame[k];
        clipped += level < 0 || level > 2 * RETC_MEAN_GREY;
        level = level < 0 ? 0 : level;
        frame[k] = (float)(level > 2 * RETC_MEAN_GREY ? 2 * RETC_MEAN_GREY : level);
    }
    return clipped;
}

static int
fill_frames(void *context, size_t task) {
    const run_of_frames *run = context;
    const retc_natural_options *options = &run->movie->options;
    size_t pixels = options->height * options->width, clipped = 0, n = 0;
    for (size_t i = task * FRAMES_PER_TASK; i < run->n && n < FRAMES_PER_TASK; ++i, ++n) {
        double corner[2];
        float *frame = run->out + i * pixels;
        locate(run->movie, &run->exhibit, run->t0 + i, corner);
        retc_scene_sample(run->exhibit.scene, corner[0], corner[1], options->height, options->width, frame);
        clipped += set_levels(&run->exhibit, pixels, frame);
    }
    atomic_fetch_add(&run->movie->levels, n * pixels);
    atomic_fetch_add(&run->movie->clipped, clipped);
    return RETC_OK;
}

int
retc_natural_movie_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    retc_natural_movie *movie = context;
    size_t pixels = movie->options.height * movie->options.width;
    if (t0 > movie->options.frames || n > movie->options.frames - t0)
        return RETC_FAIL(RETC_EINVAL, "%zu frames from frame %zu on are asked for, the movie has %zu", n, t0,
                         movie->options.frames);
    for (size_t t = t0, end; t < t0 + n; t = end) {
        end = end_of_run(movie, t, t0 + n);
        run_of_frames run = {.movie = movie, .t0 = t, .n = end - t, .out = out + (t - t0) * pixels};
        RETC_TRY(retc_gallery_show(movie->gallery, movie->path.place[t].image, &run.exhibit));
        RETC_TRY(retc_parallel_for((run.n + FRAMES_PER_TASK - 1) / FRAMES_PER_TASK, movie->options.threads, fill_frames, &run));
    }

done:
    return status;
}

double
retc_natural_movie_clipped(const retc_natural_movie *movie) {
    size_t levels = atomic_load(&movie->levels);
    return levels ? (double)atomic_load(&movie->clipped) / (double)levels : 0;
}

char *
retc_natural_movie_report(void *context) {
    const retc_natural_movie *movie = context;
    const retc_image_set *set = retc_gallery_images(movie->gallery);
    double clipped = retc_natural_movie_clipped(movie);
    size_t skipped = 0;
    const char *const *files = set ? retc_image_set_skipped(set, &skipped) : NULL;
    char beyond[96] = "", others[48] = "";
    if (clipped > 0)
        snprintf(beyond, sizeof beyond, "%.2g %% of the levels were beyond black or white, and clipped", 100 * clipped);
    if (skipped > 1)
        snprintf(others, sizeof others, " and %zu more", skipped - 1);
    if (skipped > 0)
        return retc_strf("no image, and left out: %s%s%s%s", files[0], others, clipped > 0 ? "; " : "", beyond);
    return clipped > 0 ? retc_strdup(beyond) : NULL;
}

/* ---- beside the frames ----------------------------------------------------------------------------------------------- */

static int
write_images(const retc_natural_movie *movie, retc_h5 *file) {
    int status = RETC_OK;
    const retc_image_set *set = retc_gallery_images(movie->gallery);
    size_t frames = movie->options.frames;
    int64_t *image = NULL;
    if (!set)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(image, frames));
    for (size_t t = 0; t < frames; ++t)
        image[t] = (int64_t)movie->path.place[t].image;
    RETC_TRY(retc_h5_put(file, "image", RETC_H5_INT64, 1, &frames, image));
    RETC_TRY(retc_h5_put_texts(file, "image_names", retc_image_set_size(set), retc_image_set_names(set)));

done:
    retc_free(image);
    return status;
}

int
retc_natural_movie_annotate(void *context, retc_h5 *file) {
    int status = RETC_OK;
    retc_natural_movie *movie = context;
    const retc_eye_path *path = &movie->path;
    const size_t shape[2] = {movie->options.frames, 2};
    double *position = NULL;
    RETC_TRY(RETC_ALLOC(position, 2 * movie->options.frames));
    RETC_TRY(retc_natural_movie_path(movie, position));
    for (size_t i = 0; i < 2 * movie->options.frames; ++i)
        position[i] *= movie->options.pixel_size;
    RETC_TRY(retc_h5_put(file, "eye_position", RETC_H5_DOUBLE, 2, shape, position));
    RETC_TRY(retc_h5_set_text(file, "eye_position", "unit", "um"));
    RETC_TRY(write_images(movie, file));
    if (path->saccades > 0)
        RETC_TRY(retc_h5_put(file, "saccade_time", RETC_H5_DOUBLE, 1, &path->saccades, path->saccade_time));
    if (path->microsaccades > 0)
        RETC_TRY(retc_h5_put(file, "microsaccade_time", RETC_H5_DOUBLE, 1, &path->microsaccades, path->microsaccade_time));
    if (atomic_load(&movie->levels) > 0)
        RETC_TRY(retc_h5_set_number(file, "/", "clipped", retc_natural_movie_clipped(movie)));

done:
    retc_free(position);
    return status;
}
