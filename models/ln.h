/* The linear-nonlinear model: spike-triggered average, then a static nonlinearity (Chichilnisky 2001). */
#ifndef RETC_LN_H
#define RETC_LN_H

#include "network.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fit on the train part: the filter is the unit-norm STA, the nonlinearity straight lines through `bins` equally populated
 * bins of the filtered stimulus, in Hz.  The result is a network of one convolution with the whole image and one piecewise
 * layer.  NULL with a recorded reason. */
retc_network *retc_ln_fit(retc_recording *recording, size_t history, size_t lag, size_t bins, size_t threads,
                          const retc_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
