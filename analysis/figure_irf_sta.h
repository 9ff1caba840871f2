/* The table of the figure "irf-sta": a cell's mean instantaneous receptive field beside its spike-triggered average. */
#ifndef RETC_FIGURE_IRF_STA_H
#define RETC_FIGURE_IRF_STA_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Both fields are divided by their lengths, over the newest frames that both have, so that their product is the cosine of the
 * angle between them; the correlation is Pearson's, over all frames and pixels.  Courses are those of the pixel where the STA
 * is largest, maps those of that frame.
 *
 * Blocks: "figure" (title, correlation, cosine, H, W, row, column, time of the peak in ms, largest value of the courses, of
 * both maps, oldest and newest time in ms), "course" (time before the response in ms, mean IRF, STA), and where H W > 1 "irf
 * map" and "sta map" (column, row, value).
 *
 * `irf` has the layout of FORMATS 5.3 and `group`, "/cell_0", is a cell of it; `sta` holds /sta (N,L,H,W) and /cell_names. */
int retc_figure_irf_sta(retc_h5 *irf, const char *group, retc_h5 *sta, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
