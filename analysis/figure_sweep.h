/* The table behind the figure of a sweep: its score against every key that varies, or a map of two. */
#ifndef RETC_FIGURE_SWEEP_H
#define RETC_FIGURE_SWEEP_H

#include <stdio.h>

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Write the table of `file` (retcodec sweep).  Two keys whose values were all combined make a map, anything else a panel per
 * key with the points, and the best of every value where a key has few.  Fails when no point has a score. */
int retc_figure_sweep(retc_h5 *file, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
