/* The table of the figure "protocol": what a protocol shows, what cells answer, and the index that tells their types apart. */
#ifndef RETC_FIGURE_PROTOCOL_H
#define RETC_FIGURE_PROTOCOL_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (title, numbers of columns and rows, window in s, places of the stimulus, label and range of the index,
 * parameters that are shown), "conditions" (number, duration in s, values of up to four parameters), for column i "stimulus i"
 * (time in s, place, grey level), "rows" (number, title, largest rate), for row r and column i "psth r i" (time in s, rate in
 * Hz), and "index" (row, value).
 *
 * `file` is what retcodec protocol wrote.  A column is a condition, the first eight of them.  Where types of cells are known a
 * row is a type, with the responses of its cell that responds most and the index of all; else a row is one of the chosen cells.
 */
int retc_figure_protocol(retc_h5 *file, const retc_figure_cells *cells, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
