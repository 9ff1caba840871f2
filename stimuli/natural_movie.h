/* Natural movies: what a retina sees of a still scene (texture.h) through eye movements.
 *
 * The eye drifts as a random walk: each coordinate of its position changes from frame to frame by a normal number of
 * standard deviation drift * sqrt(frame interval).  Saccades move it at once to a place anywhere in the scene; the time
 * between two is saccade_minimum plus an exponential time, saccade_interval in the mean.  Level = 127.5 (1 + c x), clipped to
 * 0 ... 255, where x is the scene, of mean 0 and standard deviation 1 over all of it, and c the contrast. */
#ifndef RETC_NATURAL_MOVIE_H
#define RETC_NATURAL_MOVIE_H

#include <stdint.h>

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t frames, height, width; /* T; pixels */
    double frame_interval;        /* s */
    double contrast;              /* standard deviation over mean, 0 ... 1 */
    double exponent;              /* a: the amplitude spectrum falls as 1/f^a */
    double drift;                 /* pixels per square root of a second */
    double saccade_interval;      /* mean time between saccades, s; 0: none */
    double saccade_minimum;       /* shortest time between saccades, s; below the mean */
    uint64_t seed;
    size_t threads; /* 0: all processors; the result does not depend on it */
} retc_natural_options;

typedef struct retc_natural_movie retc_natural_movie;

/* Make the scene and the eye's path.  A longer movie of the same seed begins with the shorter one.  NULL with a recorded
 * reason. */
retc_natural_movie *retc_natural_movie_alloc(const retc_natural_options *options);
void retc_natural_movie_free(retc_natural_movie *movie);

/* Where the upper left pixel is in the scene: row and column in pixels, (T,2); borrowed. */
const double *retc_natural_movie_path(const retc_natural_movie *movie);

/* Frames t0 ... t0+n-1, (n,H,W): a retc_stimulus_source whose context is a retc_natural_movie. */
int retc_natural_movie_frames(void *context, size_t t0, size_t n, float *out) RETC_USED;

extern const retc_movie_kind retc_natural_movie_kind;

#ifdef __cplusplus
}
#endif

#endif
