/* A Gaussian random texture with the amplitude spectrum of natural scenes, 1/f^a, without edges: it repeats after `side`
 * pixels in both directions, and can be sampled anywhere between pixels.
 *
 * The spectrum ends below 0.5 cycles per pixel in every direction, so that a sampled frame has no aliasing wherever it is
 * taken.  The texture is kept as cubic B-spline coefficients on a grid of half a pixel.  Its spectrum is divided by that of
 * the B-spline, sinc^4, when it is made, which costs nothing there; what is left of the interpolation error are the images
 * of each frequency at one cycle per half pixel from it, at most (0.25 / 0.75)^4 = 1.2 % of the highest frequencies and far
 * less of the others.  Interpolation by Fourier transform would be exact, but takes a transform of the texture per frame. */
#ifndef RETC_TEXTURE_H
#define RETC_TEXTURE_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_texture retc_texture;

/* Make a texture of mean 0 and standard deviation 1 (over all of it).  `side` in pixels is a power of two, 8 ... 8192;
 * `exponent` is a, the slope of the amplitude spectrum, 0 ... 4.  NULL with a recorded reason. */
retc_texture *retc_texture_alloc(size_t side, double exponent, uint64_t seed);
void retc_texture_free(retc_texture *texture);

/* out[i,j] (H,W) = the texture at row y + i, column x + j; y and x in pixels, any finite number. */
void retc_texture_sample(const retc_texture *texture, double y, double x, size_t H, size_t W, float *out);

#ifdef __cplusplus
}
#endif

#endif
