/* What the files of refine.h share. */
#ifndef RETC_REFINE_INTERNAL_H
#define RETC_REFINE_INTERNAL_H

#include "refine.h"

enum { INTERVALS = RETC_REFINE_INTERVALS };

/* Arrays over samples are (ld). */
struct retc_refine {
    retc_path *path;
    retc_refine_task task;
    retc_refine_options options;
    retc_path_line line;
    float share, *const *sums; /* where it all goes */
    size_t ld;
    float **fine[INTERVALS];                       /* per interval and part (rows,ld): the best sum so far */
    float **piece, **coarse;                       /* per part (rows,ld): two steps, one over both */
    double **square[INTERVALS], **peak[INTERVALS]; /* per interval and part: sum of d^2, largest d^2 */
    double **norm;                                 /* per part: |c| as the first steps give it */
    size_t *pieces[INTERVALS];                     /* per interval: into how many it is cut */
    size_t *passes;
    int *open;                               /* samples that may not be done */
    size_t jobs, *sample, *interval;         /* pieces that run together */
    float *delta, *base;                     /* (units,ld) their lines */
    float *alpha[3], *width[3];              /* ends and middle; changes of alpha over both steps and both together */
    float *d_square, *d_peak, *total, *zero; /* rows */
};

/* Into how many pieces the intervals of sample t are to be cut, wanted (INTERVALS): is any to be cut anew? */
int retc_refine_choose(const retc_refine *refine, size_t t, size_t *wanted);

#endif
