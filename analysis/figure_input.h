/* The table of the figure "input": which pixels drove the target, and when, of contributions with /input (input.h). */
#ifndef RETC_FIGURE_INPUT_H
#define RETC_FIGURE_INPUT_H

#include "figure_table.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_FIGURE_INPUT_MOMENTS = 5 };

typedef struct {
    double start, duration; /* s, from the first sample on */
    const double *times; /* (n) s, moments to show; n 0: the RETC_FIGURE_INPUT_MOMENTS that are strongest in equal parts of the
                            window, by the sum of sizes over pixels */
    size_t n;            /* at most RETC_FIGURE_INPUT_MOMENTS */
} retc_figure_input_options;

/* Blocks: "figure" (target, its unit, window in s, time before the response of the oldest and newest frame in ms, colour range
 * of the strip, H, W, row and column of the first pixel, number of moments, colour range of the maps, range of their courses,
 * range of the target, whether the strip has gaps), "target" (time, t(x), t(x0)), "strip" (time, time before the response,
 * attributions summed over pixels; NaN where no sample was taken), "moments" (number, time, sum of all attributions) and for
 * each "course i" (time before the response, attributions summed over pixels) and, where there is more than one pixel, "map i"
 * (column, row in the frame, attributions summed over the history). */
int retc_figure_input(retc_h5 *file, const retc_figure_input_options *options, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
