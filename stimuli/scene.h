/* Still scenes that can be sampled anywhere between pixels without aliasing.
 *
 * A scene has no spatial frequency of 0.5 cycles per pixel of the screen or more in any direction, so that a frame sampled from
 * it has no aliasing wherever it is taken.  It is kept as coefficients of cubic B-splines on a grid of half a pixel or finer.
 * Its spectrum is divided by that of the B-spline, sinc^4, when it is made, which costs nothing there; what is left of the
 * interpolation error are the images of each frequency at one cycle per grid point from it: with f cycles per grid point, at
 * most (f / (1 - f))^4 in amplitude, 1.2 % of the highest frequencies (f = 0.25) and far less of the others.  Interpolation by
 * Fourier transform would be exact, but takes a transform of the scene per frame. */
#ifndef RETC_SCENE_H
#define RETC_SCENE_H

#include "image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_scene retc_scene;

/* An image on the screen, one of its pixels being `pixel` pixels of the screen wide.  Beyond its edges it is mirrored.
 *
 * The image is transformed as a whole (cosine transform, which is the Fourier transform of the mirrored image), and each
 * frequency multiplied by a low-pass filter: with f in cycles per pixel of the screen, 1 up to f = 0.4, from there
 * cos^2(pi/2 (f - 0.4) / 0.1), and 0 from f = 0.5 on.  The gentle end keeps edges from ringing.  The light of `image` is used
 * up: it holds nothing of use afterwards.  NULL with a recorded reason. */
retc_scene *retc_scene_of_image(retc_image *image, double pixel);
void retc_scene_free(retc_scene *scene);

/* Height and width in pixels of the screen; a texture repeats after them. */
void retc_scene_extent(const retc_scene *scene, double *height, double *width);

/* 1: it repeats in both directions and can be sampled anywhere; 0: only inside its extent. */
int retc_scene_repeats(const retc_scene *scene);

/* Mean and standard deviation over all of it, as the screen shows it. */
void retc_scene_moments(const retc_scene *scene, double *mean, double *deviation);

/* Bytes that it takes. */
size_t retc_scene_bytes(const retc_scene *scene);

/* out[i,j] (H,W) = the scene on a pixel whose upper left corner is y + i, x + j pixels from that of the scene.  y and x are
 * finite; where the scene does not repeat, 0 <= y <= height - H and so for x. */
void retc_scene_sample(const retc_scene *scene, double y, double x, size_t H, size_t W, float *out);

#ifdef __cplusplus
}
#endif

#endif
