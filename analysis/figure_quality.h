/* The table of the figure "quality": a recording on one page. */
#ifndef RETC_FIGURE_QUALITY_H
#define RETC_FIGURE_QUALITY_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (what there is, ranges, titles), "cells" (a row per cell: name, shares of short intervals, split-half
 * correlation and noise ceilings with their intervals), "rates" (time, cell, change of the rate from the cell's mean), for the
 * best and the worst cell "raster k" (time and repeat of spikes) and "psth k", "intervals" (shortest and longest frame over
 * time), "irregular" (frames).
 *
 * `file` is a report of retcodec quality; of the repeats `duration` s from `start` s on are shown. */
int retc_figure_quality(retc_h5 *file, const retc_figure_cells *cells, double start, double duration, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
