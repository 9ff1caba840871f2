/* What the makers of scenes share: the grid of coefficients. */
#ifndef RETC_SCENE_GRID_H
#define RETC_SCENE_GRID_H

#include "scene.h"

struct retc_scene {
    size_t rows, columns; /* grid points, borders included */
    double per_pixel[2];  /* grid points per pixel, down and across: 2 ... 4 */
    double origin[2];     /* grid coordinates of the centre of the pixel at (0, 0) */
    double extent[2];     /* pixels */
    double mean, deviation;
    int repeats;
    float *coefficient; /* (rows,columns) of the cubic B-splines */
};

/* Spectrum of a cubic B-spline at f cycles per grid point: sinc^4. */
double retc_spline_spectrum(double f);

#endif
