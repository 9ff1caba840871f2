/* The table of the figure "psth": measured responses to the test stimulus and what models predict. */
#ifndef RETC_FIGURE_PSTH_H
#define RETC_FIGURE_PSTH_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (number of cells, of models, window in s), "models" (number, name), "cells" (number, title with scores,
 * largest rate), and for cell i = 1 ... n "rates i" (time in s, measured rate, rate of each model, Hz), with an empty line
 * where time is interrupted.
 *
 * Each of the `n` files holds /test/rate and /test/measured (N,T) Hz, /test/frame (T), /test/time (T) s, /score/pearson and
 * /score/noise_ceiling (N), and the attribute model_type.  Cells are matched by name, samples by frame; `cells` are chosen
 * from the first file, whose samples are shown: `duration` s from `start` s on. */
int retc_figure_psth(retc_h5 *const *files, size_t n, const retc_figure_cells *cells, double start, double duration,
                     FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
