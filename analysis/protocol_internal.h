/* What the parts of the analysis of protocols share. */
#ifndef RETC_PROTOCOL_INTERNAL_H
#define RETC_PROTOCOL_INTERNAL_H

#include "h5.h"
#include "protocol_index.h"

/* Counts of frames t0 ... t0+n-1, (N,n); with `truth` the true rates of a simulated retina, from its open file, as counts. */
int retc_protocol_counts(retc_recording *recording, retc_h5 *file, retc_part part, int truth, size_t t0, size_t n,
                         float *counts) RETC_USED;

/* Indices as they are found, with room for all. */
typedef struct {
    const retc_protocol_response *r;
    retc_protocol_index *index;
    size_t n;
} retc_index_list;

/* Add an index; its values, NaN of all cells, are the caller's to fill in. */
int retc_index_add(retc_index_list *list, const char *name, const char *unit, const char *meaning, double **value) RETC_USED;

int retc_index_add_anticipation(retc_index_list *list) RETC_USED;

/* Values of a parameter, (C), NULL when there is none of this name; and the mean response of a cell to a condition, (B). */
const double *retc_protocol_values(const retc_protocol_response *r, const char *parameter);
const double *retc_protocol_psth(const retc_protocol_response *r, size_t cell, size_t condition);

#define RETC_SMOOTHING 0.02      /* s, before peaks are looked for */
#define RETC_SMOOTHING_SLOW 0.05 /* s, where heights of peaks are compared and not their times */

/* Peak of a response, smoothed by a Gaussian, in [from, to) s after the onset, NaN when there is no bin; and its time (NULL:
 * not asked for) by the parabola through the bins around it, NaN when it lies at an end. */
double retc_protocol_peak(const retc_protocol_response *r, const double *psth, double smoothing, double from, double to,
                          double *time);

#endif
