/* The table of the figure "circuit": what a simulated retina is made of. */
#ifndef RETC_FIGURE_CIRCUIT_H
#define RETC_FIGURE_CIRCUIT_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (title, numbers of types of interneurons, of ganglion cells and of cells, limits of the mosaics in um,
 * widest input), "types" (number, name with count), for type i of interneurons "neurons i" (x, y in um), "time i" (time in ms,
 * response to a flash of one frame over its largest) and for bipolar types "space i" (distance in um, weight over its largest);
 * "cell types" (number, name with count), "cells" (x, y, radius in um, number of the type, name), "excitation" and "inhibition"
 * (x, y, dx, dy in um from an interneuron to a cell), and for cell j "output j" (input over its scale, rate in Hz).
 *
 * The radius of a cell is the weighted root mean square distance of the bipolar cells that excite it.  Fails with RETC_EFORMAT
 * when `file` is no recording of a simulated retina. */
int retc_figure_circuit(retc_h5 *file, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
