/* The table of the figure "scores": what several models score on the cells of one recording, against the noise ceilings. */
#ifndef RETC_FIGURE_SCORES_H
#define RETC_FIGURE_SCORES_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (number of cells, of models, of panels, whether there are ceilings and intervals, letters of the longest
 * name), "models" (number, name), "rows" (number, cell; the last is the mean over the cells of the file), "panels" (number,
 * title, lowest and highest value shown), and for panel k "ceilings k" (row, ceiling, low and high end of its 95 % interval)
 * and for model m "scores k m" (row, score, ends of the intervals of 68 % and of 95 %).
 *
 * The n files hold what retc_prediction_write and retc_prediction_scores_write put there; `cells` as chosen from the first.
 * Fails when they are of different recordings: other parts, or other measured rates in the frames that both have. */
int retc_figure_scores(retc_h5 *const *files, size_t n, const retc_figure_cells *cells, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
