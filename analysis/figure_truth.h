/* The table of the figure "truth": contributions of a model beside those of the simulated retina that it was fitted to. */
#ifndef RETC_FIGURE_TRUTH_H
#define RETC_FIGURE_TRUTH_H

#include "figure_table.h"
#include "truth_match.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Blocks: "figure" (cell, types, channels, interneurons, whether units were compared, mean r, mean chance, what is traced, its
 * r, window in s), "layers" (name, first channel, channels), "types" (row, label), "matrix" (type, channel, r), "best" (type,
 * channel), "interneurons" (row, label, r, chance, match), "trace" (time in s, true and model contribution of the interneuron
 * that is matched best, both over their standard deviation). */
int retc_figure_truth(retc_h5 *contributions, retc_h5 *recording, const retc_truth_match *match, double start, double duration,
                      FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
