/* The table of the figure "network": the layers of a model. */
#ifndef RETC_FIGURE_NETWORK_H
#define RETC_FIGURE_NETWORK_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (title, rows, shape of a frame, lanes of residual additions), "layers" (a row per layer, the movie first:
 * its group, what it is, what it gives, its parameters, what its units see), "residuals" (from layer, to layer, lane).  Sizes
 * of maps and receptive fields are shares of the frame's longer side.  `file` is a model. */
int retc_figure_network(retc_h5 *file, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
