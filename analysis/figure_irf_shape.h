/* What the figure "irf" shows of the receptive field's shape, where its file holds one: the blocks "panels" and "shape". */
#ifndef RETC_FIGURE_IRF_SHAPE_H
#define RETC_FIGURE_IRF_SHAPE_H

#include "figure_table.h"

enum {
    RETC_SHAPE_SEPARABILITY,
    RETC_SHAPE_DIRECTION_INDEX,
    RETC_SHAPE_LATENCY,
    RETC_SHAPE_POLARITY,
    RETC_SHAPE_SIZE,
    RETC_SHAPE_CENTER,
    RETC_SHAPE_ORIENTATION,
    RETC_SHAPE_SERIES
};

/* Over the `count` samples of a window, as in the file (irf.h). */
typedef struct {
    int is_there; /* the file has all of them */
    size_t count;
    float *series[RETC_SHAPE_SERIES]; /* (count), of size and center (count,2) */
} retc_figure_shape;

/* Read the samples first ... first+count-1 of T of /`group`/shape; free with retc_figure_shape_free, also after failure. */
int retc_figure_shape_read(retc_h5 *file, const char *group, size_t T, size_t first, size_t count,
                           retc_figure_shape *shape) RETC_USED;
void retc_figure_shape_free(retc_figure_shape *shape);

/* Print the blocks; `time`, `gain` and `likeness` (count) are those of the samples. */
void retc_figure_shape_print(const retc_figure_shape *shape, const double *time, const double *gain, const double *likeness,
                             FILE *table);

/* Ends the row: row and column of the centre, the ellipse's axes (twice the standard deviations, pixels), the angle of the
 * longest in degrees anticlockwise; NaN without a shape. */
void retc_figure_shape_print_ellipse(const retc_figure_shape *shape, size_t t, FILE *table);

#endif
