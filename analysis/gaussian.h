/* The Gaussian that describes the centre of a receptive field's map.
 *
 * The centre holds the pixels above 0.3 of the map's largest absolute value, of its sign, that hang together with the pixel
 * that has it, sides or corners touching, and the pixels around these.  Over the centre the Gaussian
 *
 *     a exp(-1/2 (x - m)' S^-1 (x - m)),   x the middles of pixels,
 *
 * is fitted to the map by least squares (Levenberg 1944, Marquardt 1963); values of the other sign, a surround, count as 0.
 * Unlike second moments this holds for centres of few pixels too: a sum over pixels is no integral there.
 *
 * A pixel of the map is the mean of the retina's field over its square: a Gaussian of covariance C there has S = C + I/12 here,
 * axes true to 1 in 100 where C's are 0.5 pixels or more, to 1 in 10 at 0.3 pixels.  No axis of S is shorter than 1/sqrt(12) =
 * 0.29 pixels, that of a field which is all in one pixel, from which a smaller one cannot be told; none is longer than the
 * map's diagonal. */
#ifndef RETC_GAUSSIAN_H
#define RETC_GAUSSIAN_H

#include <stddef.h>

typedef struct {
    double row, column;  /* m, pixels of the map */
    double major, minor; /* standard deviations along the longest and the shortest axis: roots of S's eigenvalues, pixels */
    double orientation;  /* of the longest axis: degrees anticlockwise from the rows' direction, row 0 on top; 0 to 180; NaN
                            where the axes are equal to 1 in 1000 */
} retc_gaussian;

/* `map` (h,w) is not 0 everywhere; `scratch` has room for h w floats. */
retc_gaussian retc_gaussian_fit(const float *map, size_t h, size_t w, float *scratch);

#endif
