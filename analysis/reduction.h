/* What is written of contributions beside the sums of the published layout: any of
 *
 *   /maps/convK (T,C,h,w) f4             contributions of all units, not reduced
 *   /sums/convK (T,C) f4                 their sums over the map
 *   /patches/convK (T,2C,ph,pw) f4       split by sign, then summed over patches of p x p units; those at the lower and right
 *                                        border may be smaller, and so are maps that a patch covers; attribute patch
 *   /neighbourhoods/convK (T,N,2C) f4    split by sign, then summed over the units around every cell: those whose receptive
 *                                        fields lie within a radius of the one nearest to the cell; attribute radius (pixels)
 *
 * Split columns are ordered as in the published layout: 0 ... C-1 negative sums, C ... 2C-1 positive sums.  And always, to say
 * what units are,
 *
 *   /metadata/units/convK/{channel, row, column} (C h w) i8, {y, x} (C h w) f8   of the map; middle of the receptive field,
 * pixels /metadata/cell_centres (N,2) f8      row, column, pixels; with neighbourhoods
 */
#ifndef RETC_REDUCTION_H
#define RETC_REDUCTION_H

#include "contribute.h"
#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_REDUCE_MAPS = 1, RETC_REDUCE_SUM = 2, RETC_REDUCE_PATCH = 4, RETC_REDUCE_NEIGHBOURHOOD = 8 };

typedef struct {
    int kinds;            /* RETC_REDUCE_... added up; 0: none beside the published one */
    size_t patch;         /* p, units */
    double radius;        /* pixels */
    const double *centre; /* (N,2) row, column of the cells, pixels; with neighbourhoods (borrowed) */
} retc_reduction_options;

/* "maps", "sum", "split" (which is always there), "patch", "neighbourhood", with commas between them. */
int retc_reduction_parse(const char *names, int *kinds) RETC_USED;

/* Where the cells of a network are, (N,2): the middle of what the unit sees that a readout takes for each; else where the model
 * was told that they are; else the peaks of their spike-triggered averages in the train part (centres.h). */
int retc_reduction_centres(const retc_network *network, retc_recording *recording, size_t threads,
                           const retc_progress *progress, double *centre) RETC_USED;

typedef struct retc_reduction retc_reduction;

/* Make the datasets for T samples at layers `cut` (cuts), called `name`, and write what units are.  Options
 * NULL: only the latter.  Keeps `network`, `name` and `file`.  NULL with a recorded reason: patches larger than the maps of the
 * first cut. */
retc_reduction *retc_reduction_alloc(const retc_network *network, const size_t *cut, const char *const *name, size_t cuts,
                                     size_t T, size_t block, const retc_reduction_options *options, retc_h5 *file);
void retc_reduction_free(retc_reduction *reduction);

/* Reduce and write one block. */
int retc_reduction_write(retc_reduction *reduction, const retc_contribution *block) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
