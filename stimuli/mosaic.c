#include "mosaic.h"

#include <math.h>
#include <stdlib.h>

/* Points of a lattice that would be too many to be meant. */
#define MOST_POINTS ((size_t)1000000)

double
retc_distance(retc_place a, retc_place b) {
    return sqrt((a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y));
}

/* Nearest to the middle first, and an order of their own for places that are equally near. */
static int
nearer(const void *a, const void *b) {
    const retc_place *p = a, *q = b, middle = {0, 0};
    double d = retc_distance(*p, middle) - retc_distance(*q, middle);
    if (d != 0)
        return d < 0 ? -1 : 1;
    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static retc_place
moved(retc_place place, double radius, gsl_rng *rng) {
    double angle = 2 * M_PI * gsl_rng_uniform(rng), r = radius * sqrt(gsl_rng_uniform(rng));
    return (retc_place){place.x + r * cos(angle), place.y + r * sin(angle)};
}

int
retc_mosaic(double spacing, double jitter, double width, double height, gsl_rng *rng, retc_place **place, size_t *n) {
    int status = RETC_OK;
    double radius = sqrt(width * width + height * height) / 2 + 2 * spacing;
    double side = ceil(radius / (spacing * sqrt(3) / 2));
    double turn = M_PI / 3 * gsl_rng_uniform(rng), u = gsl_rng_uniform(rng) - 0.5, v = gsl_rng_uniform(rng) - 0.5;
    retc_place *points = NULL;
    size_t found = 0;
    *place = NULL, *n = 0;
    if (!((2 * side + 1) * (2 * side + 1) <= (double)MOST_POINTS))
        RETC_TRY(
            RETC_FAIL(RETC_EINVAL, "cells %g um apart on %g x %g um are more than a million places", spacing, width, height));
    RETC_TRY(RETC_ALLOC(points, (size_t)((2 * side + 1) * (2 * side + 1))));
    for (double row = -side; row <= side; ++row) {
        for (double column = -side; column <= side; ++column) {
            /* Rows are sheared back, so that the patch stays around the middle. */
            double shear = fmod(fabs(row), 2) / 2;
            double x = spacing * (column + shear + u), y = spacing * (row + v) * sqrt(3) / 2;
            retc_place at = {cos(turn) * x - sin(turn) * y, sin(turn) * x + cos(turn) * y};
            at = moved(at, jitter * spacing, rng);
            if (fabs(at.x) <= width / 2 && fabs(at.y) <= height / 2)
                points[found++] = at;
        }
    }
    if (found == 0)
        points[found++] = (retc_place){0, 0};
    qsort(points, found, sizeof *points, nearer);
    *place = points;
    *n = found;
    points = NULL;

done:
    retc_free(points);
    return status;
}
