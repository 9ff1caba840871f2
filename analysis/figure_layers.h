/* The table of the figure "layers": how contributions and activations are spread over the channels of every layer. */
#ifndef RETC_FIGURE_LAYERS_H
#define RETC_FIGURE_LAYERS_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (layers, target), "layers" (number, name, columns, then for contributions and for activations Hoyer's
 * sparsity, its standard deviation over samples, participation ratio and dimension, both as shares of the columns; mean
 * opposition and agreement), "channels" (layer, channel, opposition, agreement), "variance i" (share of the components, share
 * of the variance that they hold, of contributions and of activations) for layer i.  `contributions` holds the statistics of
 * layer_statistics.h. */
int retc_figure_layers(retc_h5 *contributions, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
