/* The table of the figure "filters": spike-triggered averages of each cell, with their static nonlinearities. */
#ifndef RETC_FIGURE_FILTERS_H
#define RETC_FIGURE_FILTERS_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (number of cells, whether there are maps, H, W, caption), "cells" (number, title, largest |STA| of the map,
 * level, peak row and column, time of the peak), and for cell i = 1 ... n "course i" (time in ms before the spike, STA at the
 * peak pixel), "map i" (column, row, STA at the peak's time) when H W > 1, "nonlinearity i" (filtered stimulus in standard
 * deviations, rate in Hz).
 *
 * `file` holds /sta (N,L,H,W), oldest frame first, /peak (N,3), /level (N), /spikes (N), /nonlinearity/x,y (N,B), and the
 * attributes frame_interval (s), lag and alpha; `cells` as chosen from its /cell_names. */
int retc_figure_filters(retc_h5 *file, const retc_figure_cells *cells, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
