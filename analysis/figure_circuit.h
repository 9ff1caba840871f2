/* The table of the figure "circuit": what a simulated retina is made of. */
#ifndef RETC_FIGURE_CIRCUIT_H
#define RETC_FIGURE_CIRCUIT_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (title, numbers of types of interneurons, of ganglion cells and of cells, half the sides in um of squares
 * around the middle that hold all cells and all neurons), "types" (number, name with count), for type i of interneurons
 * "neurons i" (x, y in um), "time i" (time in ms, response to a flash of one frame over its largest) and for bipolar types
 * "space i" (distance in um, weight over its largest); "cell types" (number, name with count), "cells" (x, y, radius in um,
 * number of the type, 1 when its wiring is shown, name), "wiring" (title, middle and half the side in um of a square around
 * these cells and what excites them, largest weight, numbers of connections), "wires" (x, y, dx, dy in um from an interneuron
 * to a cell; weight, negative for inhibition; width from 1 to 5, in steps of a fifth of the largest weight), and for cell j
 * "output j" (input times slope, rate in Hz, up to the largest rate in the recording).
 *
 * The wiring is that of the cells called `cells` ("cell01,cell03"); NULL: of the first cell of every type.  Only connections
 * onto ganglion cells are shown.  The radius of a cell is the weighted root mean square distance of the bipolar cells that
 * excite it.  Fails with RETC_EFORMAT when `file` is no recording of a simulated retina. */
int retc_figure_circuit(retc_h5 *file, const char *cells, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
