#include "movie.h"

#include <math.h>

void
retc_screen_default(retc_screen *screen) {
    *screen =
        (retc_screen){.duration = 300, .frame_rate = 60, .height = 16, .width = 16, .pixel_size = 50, .seed = 1, .threads = 0};
}

size_t
retc_screen_frames(const retc_screen *screen, double protocol) {
    double duration = screen->duration > 0 ? screen->duration : protocol;
    return screen->frames ? screen->frames : (size_t)fmax(1, round(duration * screen->frame_rate));
}

retc_movie *
retc_movie_alloc(const char *kind, const retc_screen *screen, size_t frames, retc_h5_type type) {
    int status = RETC_OK;
    retc_movie *movie = NULL;
    if (frames == 0 || screen->height == 0 || screen->width == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a movie of %zu frames of %zu x %zu pixels is empty", frames, screen->height,
                           screen->width));
    if (!(screen->frame_rate > 0) || !isfinite(screen->frame_rate))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "a frame rate of %g Hz has no meaning", screen->frame_rate));
    if (!(screen->pixel_size > 0) || !isfinite(screen->pixel_size))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "pixels of %g um have no meaning", screen->pixel_size));
    RETC_TRY(RETC_ALLOC(movie, 1));
    movie->kind = kind;
    movie->layout = (retc_stimulus_layout){frames, screen->height, screen->width, 1 / screen->frame_rate, type};
    movie->pixel_size = screen->pixel_size;

done:
    return status < 0 ? NULL : movie;
}

void
retc_movie_free(retc_movie *movie) {
    if (!movie)
        return;
    if (movie->free)
        movie->free(movie->context);
    retc_free(movie);
}

int
retc_movie_write(retc_movie *movie, retc_h5 *file, const retc_progress *progress) {
    int status = RETC_OK;
    if (movie->stream)
        RETC_TRY(retc_stimulus_write_stream(file, movie->kind, &movie->layout, movie->stream, movie->context, progress));
    else
        RETC_TRY(retc_stimulus_write(file, movie->kind, &movie->layout, movie->frames, movie->context, progress));
    RETC_TRY(retc_movie_annotate(movie, file));

done:
    return status;
}

int
retc_movie_annotate(retc_movie *movie, retc_h5 *file) {
    int status = RETC_OK;
    if (movie->pixel_size > 0)
        RETC_TRY(retc_h5_set_number(file, "/", "pixel_size", movie->pixel_size));
    if (movie->annotate)
        RETC_TRY(movie->annotate(movie->context, file));

done:
    return status;
}
