/* What the parts of the analysis of protocols share. */
#ifndef RETC_PROTOCOL_INTERNAL_H
#define RETC_PROTOCOL_INTERNAL_H

#include "h5.h"
#include "recording.h"

/* Counts of frames t0 ... t0+n-1, (N,n); with `truth` the true rates of a simulated retina, from its open file, as counts. */
int retc_protocol_counts(retc_recording *recording, retc_h5 *file, retc_part part, int truth, size_t t0, size_t n,
                         float *counts) RETC_USED;

#endif
