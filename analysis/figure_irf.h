/* The table of the figure "irf": how one cell's receptive field changes in time. */
#ifndef RETC_FIGURE_IRF_H
#define RETC_FIGURE_IRF_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_FIGURE_IRF_MOMENTS = 5 };

/* The group of a cell, "/cell_0": `name` is what follows "cell_" in a group's name, or a name in /metadata/cell_names whose
 * place is the group's attribute cell_index; NULL takes the first group.  retc_free; NULL with a recorded reason. */
char *retc_figure_irf_group(retc_h5 *file, const char *name);

/* A cell's name where the file has one, else its group's; retc_free.  NULL with a recorded reason. */
char *retc_figure_irf_title(retc_h5 *file, const char *group);

/* Blocks:
 *
 *   figure   title, window in s, lags in ms, ranges, H, W, peak, number of moments, whether there is a rate
 *   gain     time in s, length of the IRF in Hz per stimulus standard deviation, rate in Hz
 *   irf      time, time before the response in ms, IRF at the peak pixel
 *   panels   whether there is a shape; mean polarity, weighted by the square of the gain; and where the gain is at least a
 *            tenth of its largest, largest size and latency, and least cosine, or 0
 *   shape    where the file holds <group>/shape: time, separability, direction index, latency in ms, polarity, size in pixels
 *            (the geometric mean of both standard deviations), gain relative to its largest, cosine with the window's
 *            mean IRF
 *   moments  where H W > 1: number, time, colour range; the shape's ellipse of one standard deviation: row, column, axes, angle
 *   map i    of moment i: column, row, IRF at the peak's lag
 *
 * The peak is the frame and pixel where the IRF is largest in root mean square over the window.  The moments are those of
 * largest gain in equal parts of the window.  `file` has the layout of FORMATS 5.3, /metadata/time (T) s, and may hold
 * <group>/rate (T) Hz. */
int retc_figure_irf(retc_h5 *file, const char *group, double start, double duration, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
