/* Recordings of interneurons: membrane potentials of bipolar, horizontal and amacrine cells under boxes, flashes and lines
 * (FORMATS 6; github.com/baccuslab/torch-deep-retina, torchdeepretina/intracellular.py), as movies that models can be shown.
 *
 * What is read, for each stimulus s that is there: <s>/stimuli, and <s>/detrended_membrane_potential (C,T); the members of
 * boxes/rfs name the cells.  What is written:
 *
 *   /cell_names (C)      strings
 *   /center (C,2)        i8, row and column in the 50x50 movie; only for the published files, known by their names
 *   /<s>/stimulus (T,50,50) f4, as a model sees it after normalisation
 *   /<s>/time (T)        f8, s
 *   /<s>/potential (C,T) f4, unit not stated by the source, slow drift taken out
 *   root attributes      kind = "interneurons", frame_interval (s)
 *
 * The potential of sample i, whose window are frames i ... i+L-1, is that of frame i+L (lag 1), as with spikes.  Each stimulus
 * is kept apart, whole.  Movies: boxes (T,h,w)   2 x - 1 of the stored 0 ... 1; with a mean and a std (128 x - mean) / std
 *   flashes (T)     the same value in 38x38 pixels
 *   lines (T,2w)    out[k] = (s[2k-1] + s[2k]) / 2, out[0] = s[0] / 2, along columns; the same in each of w rows
 * and zeros around, to 50x50, from row int((50-h)/2) and column int((50-w)/2) on. */
#ifndef RETC_INTERNEURONS_H
#define RETC_INTERNEURONS_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_INTERNEURON_SIDE = 50 }; /* pixels of the movies */

typedef struct {
    double frame_interval; /* s */
    double mean, std;      /* of the stimulus a model was fitted to, for boxes; std 0: 2 x - 1 */
} retc_interneuron_options;

/* Import `path` into a file made by retc_h5_create.  `*notes` (retc_free) receives what was found, line by line. */
int retc_interneurons_import(const char *path, const retc_interneuron_options *options, retc_h5 *output,
                             char **notes) RETC_USED;

/* Published centre of cell number `cell` (from 0) of a file by its name without folder and ending ("bipolars_late_2012"): 1
 * when it is known, else 0.  The file must have `cells` cells. */
int retc_interneuron_center(const char *name, size_t cells, size_t cell, size_t *row, size_t *column);

#ifdef __cplusplus
}
#endif

#endif
