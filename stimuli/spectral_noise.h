/* Gaussian noise whose amplitude falls as 1/f^a in space and as 1/f^b in time.
 *
 * With spatial frequency k (cycles/mm, in any direction) and temporal frequency f (Hz), the power spectrum is
 *
 *   P(k,f)  proportional to  (k^2 + k0^2)^-a (f^2 + f0^2)^-b
 *
 * which is flat below the corners k0 and f0 and reaches up to half the frame rate in time, and to half a cycle per pixel along
 * rows and along columns in space.  Where a movie has to be finite it is wider than what is shown: frames are cut from a torus
 * that is 1/k0 larger than them in both directions, and what is made in time is a moving average over K = 4/f0 seconds whose
 * weights are the inverse transform of the square root of the spectrum.  The correlations that this changes are those over
 * longer distances r and times t, which fall as exp(-2 pi k0 r) and exp(-2 pi f0 t) anyway.  The movie has no period, and its
 * pieces join without a seam.
 *
 * Level = 127.5 (1 + c x), clipped to 0 ... 255, where x has mean 0 and variance 1 over all movies, and c is the contrast.
 * Clipping of more than a few of 1000 levels (c above 0.35) whitens the spectrum.
 *
 * Frames are made in blocks of K, two at a time as the real and the imaginary part of one complex field (circulant embedding:
 * Dietrich & Newsam 1997), then filtered in time by overlap-save.  They can be asked in any order, at the cost of a block. */
#ifndef RETC_SPECTRAL_NOISE_H
#define RETC_SPECTRAL_NOISE_H

#include <stdint.h>

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t height, width;                 /* pixels */
    double pixel_size;                    /* um */
    double frame_rate;                    /* Hz */
    double contrast;                      /* standard deviation over mean, 0 ... 1 */
    double space_exponent, time_exponent; /* a, b: 0 ... 4; 0: white */
    double space_corner;                  /* k0, cycles/mm; without meaning when a is 0 */
    double time_corner;                   /* f0, Hz; without meaning when b is 0 */
    uint64_t seed;
    size_t threads; /* 0: all processors; the result does not depend on it */
} retc_spectral_options;

typedef struct retc_spectral_noise retc_spectral_noise;

/* NULL with a recorded reason: the options have no meaning, or ask for blocks beyond 4 GiB. */
retc_spectral_noise *retc_spectral_noise_alloc(const retc_spectral_options *options);
void retc_spectral_noise_free(retc_spectral_noise *noise);

/* Frames t0 ... t0+n-1, (n,H,W): a retc_stimulus_source whose context is a retc_spectral_noise. */
int retc_spectral_noise_frames(void *context, size_t t0, size_t n, float *out) RETC_USED;

extern const retc_movie_kind retc_spectral_noise_kind;

#ifdef __cplusplus
}
#endif

#endif
