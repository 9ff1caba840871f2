/* White noise: every stixel takes an independent grey level in every pattern.
 *
 * Stixels are squares of pixels (checkerboard), bars across the frame, or the whole frame.  With jitter, the grid of a pattern
 * is moved up and left by 0 ... jitter pixels at random, so that the average over patterns resolves less than a stixel.
 *
 * Level = 127.5 (1 + c x), where c is the contrast, standard deviation over mean, and x has mean 0 and variance 1: -1 or 1
 * (binary); -sqrt(3/2), 0 or sqrt(3/2) (ternary, which ends at c = sqrt(2/3)); or normal, the level clipped to 0 ... 255
 * (gaussian).  Binary levels are whole, for byte movies; like the ternary ones, which are not, they lie symmetrically around
 * 127.5.
 *
 * A pattern depends on the seed, its number and the options of its own shape alone, not on the length of the movie.  It takes
 * from its stream (rng.h; one per 64 patterns) two offsets when there is jitter (one for bars), and then its stixels row by
 * row: a bit each, the lowest of a 32-bit number first, where 1 is the brighter level; or a base-3 digit each, 20 to a number
 * below 3^20, the lowest first, larger numbers being left out; or a normal deviate each.  Bits and digits are whole-number
 * arithmetic, the same on every machine; the normal deviates use the exponential function and the logarithm, in a few per cent
 * of the draws, and may there differ in the last digit of a level where a C library's do. */
#ifndef RETC_WHITE_NOISE_H
#define RETC_WHITE_NOISE_H

#include <stdint.h>

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_NOISE_BINARY, RETC_NOISE_TERNARY, RETC_NOISE_GAUSSIAN } retc_noise_distribution;

typedef enum { RETC_CHECKERBOARD, RETC_HORIZONTAL_BARS, RETC_VERTICAL_BARS, RETC_FULL_FIELD } retc_noise_layout;

typedef struct {
    size_t height, width; /* pixels */
    size_t stixel;        /* side of a stixel or width of a bar, pixels; those at the border may be cut */
    size_t hold;          /* frames that every pattern is shown */
    double contrast;      /* 0 ... 1 */
    retc_noise_distribution distribution;
    retc_noise_layout layout;
    size_t jitter; /* largest shift of the grid, pixels, below `stixel`; 0: the grid stays */
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
