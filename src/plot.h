/* Drawing a table with gnuplot. */
#ifndef RETC_PLOT_H
#define RETC_PLOT_H

#include "error.h"

/* "png", "svg", "pdf" or "gif" by the name's ending, NULL when it is none of them. */
const char *retc_plot_format(const char *figure);

/* Draw the table file with the script <kind>.gp into the file `figure`, in `format`.  The script is looked for in
 * $RETC_SCRIPTS, else beside the program and where it was installed; gnuplot is $RETC_GNUPLOT or the one found at build time.
 * Fails with what gnuplot says. */
int retc_plot_draw(const char *kind, const char *table, const char *figure, const char *format) RETC_USED;

#endif
