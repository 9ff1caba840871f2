/* The table of the figure "paths": which channels of conv0 act through which channels of conv1 on a target. */
#ifndef RETC_FIGURE_PATHS_H
#define RETC_FIGURE_PATHS_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (both layers, target, unit, channels of both, largest size of a mean pair, samples, ribbons), "matrix"
 * (channel of conv0, of conv1, mean contribution of the pair), "ribbons" (number, sign, mean contribution), "ribbon i" (x,
 * lower and upper edge) and "nodes" (left, right, lower and upper edge, x and y of the label, label) of a flow figure in
 * [0,1]^2.
 *
 * From left to right: channels of conv0, of conv1, the target.  A ribbon is as wide as its mean contribution, all pairs
 * together 1; what leaves a channel of conv1 is the sum of what enters it, in which signs cancel.  Ribbons below 1/200 of the
 * widest are left out.  A label that would overlap that of a larger node is empty.  `pairs` holds what pairs.h says; `cell`:
 * the cell's name, NULL for the target that was asked for. */
int retc_figure_paths(retc_h5 *pairs, const char *cell, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
