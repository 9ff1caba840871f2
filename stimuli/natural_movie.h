/* Natural movies: what a retina sees of still scenes (gallery.h) through eye movements (eye_path.h).
 *
 * Level = 127.5 (1 + c x), clipped to 0 ... 255, where x is the scene, of mean 0 and standard deviation 1 over all of it, and c
 * the contrast; other normalisations stand in gallery.h.  At the edges of an image the path of the eye is reflected.
 *
 * A file of such a movie holds beside the frames
 *   /eye_position (T,2)        f8, um: how far the upper left corner of the frame is below and to the right of the scene's
 *   /image (T)                 i8, number of the image, and /image_names (N), where there are images
 *   /saccade_time, /microsaccade_time   f8, s, when they start, where there are any
 *   attribute clipped          share of the levels that were beyond black or white */
#ifndef RETC_NATURAL_MOVIE_H
#define RETC_NATURAL_MOVIE_H

#include <stdint.h>

#include "eye_path.h"
#include "gallery.h"
#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t frames, height, width; /* T; pixels */
    double frame_interval;        /* s */
    double pixel_size;            /* um */
    retc_eye_options eye;
    int whole_pixels; /* the eye stays on whole pixels of the screen */
    uint64_t seed;
    size_t threads; /* 0: all processors; the result does not depend on it */
} retc_natural_options;

typedef struct retc_natural_movie retc_natural_movie;

/* The path of the eye over a gallery, which is kept and freed with the movie, or at once when this fails.  A longer movie of
 * the same seed begins with the shorter one.  NULL with a recorded reason. */
retc_natural_movie *retc_natural_movie_alloc(retc_gallery *gallery, const retc_natural_options *options);
void retc_natural_movie_free(retc_natural_movie *movie);

/* Where the upper left corner of each frame is in its scene: row and column in pixels, path (T,2). */
int retc_natural_movie_path(retc_natural_movie *movie, double *path) RETC_USED;

/* Frames t0 ... t0+n-1, (n,H,W): a retc_stimulus_source whose context is a retc_natural_movie. */
int retc_natural_movie_frames(void *context, size_t t0, size_t n, float *out) RETC_USED;

/* Share of the levels so far that were clipped. */
double retc_natural_movie_clipped(const retc_natural_movie *movie);

/* What the user should know of the frames made so far: the share that was clipped, files that were left out; NULL for nothing,
 * else retc_free. */
char *retc_natural_movie_report(void *context);

/* Write what stands beside the frames. */
int retc_natural_movie_annotate(void *context, retc_h5 *file) RETC_USED;

extern const retc_movie_kind retc_natural_movie_kind, retc_jittered_images_kind;

#ifdef __cplusplus
}
#endif

#endif
