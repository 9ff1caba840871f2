/* What the units of a network see: their receptive fields in pixels, from kernels and pools alone. */
#ifndef RETC_FIELD_H
#define RETC_FIELD_H

#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The unit (0,0) of a map sees rows lo[0] ... hi[0] and columns lo[1] ... hi[1] of a frame, both ends included; one unit
 * further on, these lie step pixels further on.  All see the whole history. */
typedef struct {
    double lo[2], hi[2], step[2];
} retc_field;

/* Receptive fields of the layers: `field` (layers).  Grabbed units see as much as those of the map that they are taken from,
 * and lie at different places: lo and hi are those of its unit (0,0). */
void retc_network_fields(const retc_network *network, retc_field *field);

/* Number of rows (d = 0) or columns (1) that a unit sees. */
size_t retc_field_size(const retc_field *field, int d);

/* Of `n` units in a row (d = 1: in a line of columns) the one whose field has its middle nearest to `centre`, pixels. */
size_t retc_field_nearest(const retc_field *field, int d, double centre, size_t n);

/* A rectangle of a map or of a frame. */
typedef struct {
    size_t row, column, h, w;
} retc_patch;

/* What cell `cell` depends on: units of the first convolution's output `map`, and pixels of the frame.  All of it where the
 * readout is dense; where it takes a place of the last map, what that place sees. */
int retc_network_cell_patch(const retc_network *network, size_t cell, retc_patch *map, retc_patch *pixels) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
