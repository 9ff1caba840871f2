/* Mosaics: where the cells of one type stand on the retina. */
#ifndef RETC_MOSAIC_H
#define RETC_MOSAIC_H

#include <gsl/gsl_rng.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A place on the retina in um: (0,0) is the middle of the movie, x goes right with the columns, y down with the rows. */
typedef struct {
    double x, y;
} retc_place;

double retc_distance(retc_place a, retc_place b);

/* A hexagonal lattice with neighbours `spacing` um apart, turned and shifted at random as a whole; then every point is moved
 * evenly within a disc of radius jitter * spacing.  Two points are never nearer than (1 - 2 jitter) spacing, and no place is
 * farther from a lattice point than (1 / sqrt(3) + jitter) spacing.  `*place` (retc_free) receives the `*n` points that fall on
 * the field of `width` by `height` um, those nearest to its middle first; at least one, which is the middle when none falls on
 * the field.  Jitter lies in 0 ... 0.45. */
int retc_mosaic(double spacing, double jitter, double width, double height, gsl_rng *rng, retc_place **place,
                size_t *n) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
