/* The table of the figure "stimulus": frames of a movie, its levels in time, and its power spectrum. */
#ifndef RETC_FIGURE_STIMULUS_H
#define RETC_FIGURE_STIMULUS_H

#include "figure_table.h"
#include "stimulus_file.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_FIGURE_STIMULUS_SHEET = 24, RETC_FIGURE_STIMULUS_FILM = 200 }; /* most frames of a contact sheet, of a film */

/* Blocks: "figure" (title, frames shown, shown rows and columns, window in s, interval between shown frames in s, number of
 * frequencies in time and space), "levels" (time in s; mean, lowest and highest level of the frame), "time spectrum" (Hz,
 * contrast^2/Hz), "space spectrum" (cycles/mm, contrast^2/(cycles/mm)^2), "frames" (number, time in s) and for frame i = 1 ...
 * "frame i", a matrix of levels.  Large frames are shown as means over squares of pixels.
 *
 * Shown are frames from `duration` s from `start` s on: in a contact sheet at most 24, evenly spread; in a film at most 200,
 * 20 a second of the movie unless that is more. */
int retc_figure_stimulus(retc_h5 *file, double start, double duration, int film, FILE *table) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
