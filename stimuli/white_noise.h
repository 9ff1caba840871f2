/* White noise: every stixel (square of pixels) takes an independent grey level in every pattern.
 *
 * Level = 127.5 (1 + c x), with x = -1 or 1 (binary) or normal with standard deviation 1 (gaussian, clipped to 0 ... 255), and
 * c the contrast, standard deviation over mean.  Binary levels are rounded so that their mean stays 127.5.  A frame
 * depends on the seed, its number and the options of its own shape alone, not on the length of the movie. */
#ifndef RETC_WHITE_NOISE_H
#define RETC_WHITE_NOISE_H

#include <stdint.h>

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t height, width; /* pixels */
    size_t stixel;        /* side of a stixel, pixels; those at the lower and right border may be cut */
    size_t hold;          /* frames that every pattern is shown */
    double contrast;      /* 0 ... 1 */
    int gaussian;         /* 0: binary */
    uint64_t seed;
    size_t threads; /* 0: all processors; the result does not depend on it */
} retc_white_noise;

/* Frames t0 ... t0+n-1, (n,H,W): a retc_stimulus_source whose context is a const retc_white_noise. */
int retc_white_noise_frames(void *context, size_t t0, size_t n, float *out) RETC_USED;

extern const retc_movie_kind retc_white_noise_kind;

#ifdef __cplusplus
}
#endif

#endif
