/* The table of the figure "strip": what drives responses moment by moment (Melander et al., ICLR 2026, figure 8 B). */
#ifndef RETC_FIGURE_STRIP_H
#define RETC_FIGURE_STRIP_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double start, duration; /* window, s after the first sample and s */
    const char *layer;      /* whose modes are drawn; NULL: the first that has any */
    const size_t *modes;    /* (2) columns of the codes, counted from 0; NULL: the strongest in the window and the strongest
                             * beside it.  Strength is the standard deviation of z_m(t), for the second of what does not
                             * follow the first, times the length of the dictionary row: a mode that always acts tells
                             * nothing of moments, and two that act together little more than one */
} retc_figure_strip_options;

/* Blocks: "figure" (layers, window in s, largest rate, title of the rates), "rate" (time in s, measured and model rate in Hz),
 * "layers" (number, name, columns, colour range), "contributions i" (time, column, contribution) for layer i, "modes"
 * (the layer and the two numbers), "loadings" (time and two loadings).
 *
 * The rates are those of `cells` summed.  A colour range is the 99th percentile of |c| in the window, as contributions are
 * sparse and one extreme would leave the rest without colour.  `contributions` has the layout of FORMATS 5.1 and
 * /metadata/time (T) s; `modes` that of 5.2 for the same samples. */
int retc_figure_strip(retc_h5 *contributions, retc_h5 *modes, const retc_figure_cells *cells,
                      const retc_figure_strip_options *options, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
