/* How the contrast of a movie is spread over frequencies in space and time.
 *
 * With the contrast x = (S - 127.5) / 127.5, its mean taken out, both are densities under a Hann window (Welch 1967), so that
 * their integral is the variance of x that the frequencies hold:
 *   time    one-sided; mean over at most 64 stretches of frames and 64 pixels                  contrast^2 / Hz
 *   space   over the whole plane of frequencies; mean over some frames of each stretch and over the directions of a ring
 *                                                                                              contrast^2 / (cycles/mm)^2
 */
#ifndef RETC_MOVIE_SPECTRUM_H
#define RETC_MOVIE_SPECTRUM_H

#include "stimulus_file.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double mean, std;        /* grey level, over the frames that were looked at */
    double minimum, maximum; /* the same */
    size_t times, spaces;   /* frequencies between 0 and half the rate of sampling; 0 when the movie is too short (16 frames) or
                               too small (4 pixels a side) */
    double *time_frequency; /* (times) Hz */
    double *time_power;     /* (times) */
    double *space_frequency; /* (spaces) cycles/mm */
    double *space_power;     /* (spaces) */
} retc_movie_spectrum;

/* Estimate for pixels of `pixel_size` um.  A still movie has powers of 0.  Memory does not grow with the length. */
int retc_movie_spectrum_estimate(retc_stimulus *stimulus, double pixel_size, retc_movie_spectrum *spectrum) RETC_USED;
void retc_movie_spectrum_clear(retc_movie_spectrum *spectrum);

#ifdef __cplusplus
}
#endif

#endif
