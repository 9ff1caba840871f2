/* Eye movements over still scenes.
 *
 * Drift is a random walk of each coordinate: Brownian, with standard deviation s sqrt(t) after a time t, or, with a relaxation
 * time T, Ornstein-Uhlenbeck around the point of fixation,
 *     dx = -x / T dt + s dW,   standard deviation s sqrt(T / 2) in the long run.
 * Saccades end a fixation after a shortest time plus a random one, of a gamma or log-normal distribution.  With the spread 1
 * the gamma distribution is exponential, which is what the free viewing of people looks like: a period in which no saccade
 * comes, then one at any moment alike (Harris et al. 1988, Vision Res 28:419).  They lead to anywhere in the scene, or some way
 * from here: an exponential length in a uniform direction.  Micro-saccades come at random (Poisson); their two components are
 * normal, so that lengths have Rayleigh's distribution, which has one peak and a tail.  (For a review of fixational movements
 * see Martinez-Conde et al. 2004, Nat Rev Neurosci 5:229.)  A movement of duration D goes the fraction 10 u^3 - 15 u^4 + 6 u^5,
 * u = time since its start / D of its way, the smooth course of minimum jerk (Flash & Hogan 1985, J Neurosci 5:1688).
 *
 * Each of these has a random stream of its own: a longer path begins with the shorter one, and another rate of micro-saccades
 * leaves the saccades as they are. */
#ifndef RETC_EYE_PATH_H
#define RETC_EYE_PATH_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double drift;                  /* s, pixels per square root of a second */
    double drift_time;             /* T, s; 0: Brownian */
    double saccade_interval;       /* mean time between saccades, s; 0: none */
    double saccade_minimum;        /* shortest time between saccades, s; below the mean */
    double saccade_spread;         /* standard deviation over mean of what is above the minimum */
    int log_normal;                /* distribution of it; 0: gamma */
    double saccade_amplitude;      /* mean, pixels; 0: to anywhere in the scene */
    double saccade_duration;       /* s; 0: at once */
    double microsaccade_rate;      /* 1/s */
    double microsaccade_amplitude; /* mean, pixels */
    double microsaccade_duration;  /* s; 0: at once */
    double image_interval;         /* s that an image is shown; 0: every saccade leads to another image */
} retc_eye_options;

/* Where the eye is in frame t: `anchor` + `offset`, with the anchor in parts of the room that the scene leaves (0 ... 1: its
 * size is not known here) and the offset in pixels; row, column. */
typedef struct {
    double anchor[2], offset[2];
    size_t image;
} retc_eye_place;

typedef struct {
    retc_eye_place *place; /* (T) */
    size_t saccades, microsaccades;
    double *saccade_time, *microsaccade_time; /* s, when they start */
} retc_eye_path;

/* The path over `images` images for `frames` frames of `frame_interval` s.  Images come in random order, each once before any
 * comes again.  A frame shows where the eye is when it starts.  Free it with retc_eye_path_clear. */
int retc_eye_path_make(const retc_eye_options *options, size_t images, size_t frames, double frame_interval, uint64_t seed,
                       retc_eye_path *path) RETC_USED;
void retc_eye_path_clear(retc_eye_path *path);

#ifdef __cplusplus
}
#endif

#endif
