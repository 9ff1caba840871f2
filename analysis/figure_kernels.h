/* The table of the figure "filters" of a model: the weights of all its convolutions. */
#ifndef RETC_FIGURE_KERNELS_H
#define RETC_FIGURE_KERNELS_H

#include "figure_table.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* More channels than this are not drawn, of either side of a convolution. */
enum { RETC_FIGURE_MOST_CHANNELS = 32 };

/* Filters w[k,l,y,x] of the convolution that sees the stimulus are drawn as the product of map and course that is nearest in
 * squares: with u the eigenvector of largest eigenvalue of sum_yx w[k,l,y,x] w[k,m,y,x], made to have +1 at its largest
 * magnitude, course[l] = u[l] and map[y,x] = sum_l u[l] w[k,l,y,x] / sum u^2.  The share of the filter's squares that the
 * product holds is the eigenvalue over their sum.  A filter of one pixel is its course.  All other convolutions are drawn as
 * a matrix of maps, a row for each channel (in the last, a cell), a column for each channel below.
 *
 * Blocks: "figure" (number of layers, title, unit of times), "layers" (number, title, whether of the first kind, tiles down and
 * across, rows and columns of a tile, pixels between tiles, largest magnitude, first and last time of courses, whether readout
 * positions follow, rows and columns of the map they lie in), and for layer i = 1, 2, ... "tiles i" (row and column of a tile,
 * its title; of a matrix the titles of its rows), "maps i R" (column, row, weight; R is the row of tiles, 0 for all of a
 * matrix; NaN between tiles), "courses i R" (tile and place in it, course; an empty line after each) and "positions i" (column,
 * row, cell).
 *
 * `cells`: which of the network's cells, in the last convolution. */
int retc_figure_kernels(const retc_network *network, const retc_figure_cells *cells, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
