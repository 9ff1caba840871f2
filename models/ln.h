/* The linear-nonlinear model: a filter by reverse correlation, then a static nonlinearity (Chichilnisky 2001). */
#ifndef RETC_LN_H
#define RETC_LN_H

#include "network.h"
#include "progress.h"
#include "recording.h"
#include "regression.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_LN_STA,  /* spike-triggered average: right for stimuli without correlations */
    RETC_LN_RIDGE /* corrected for the correlations of the stimulus: (C + ridge R) w = STA spikes per frame, with C the
                   * covariance of the windows and R as in regression.h (Theunissen et al. 2001, doi 10.1088/0954-898X/12/3/304)
                   */
} retc_ln_filter;

typedef struct {
    size_t history, lag; /* frames */
    size_t bins;         /* of the nonlinearity */
    retc_ln_filter filter;
    double smoothness;        /* of the ridge filter, see regression.h */
    retc_ridge_options ridge; /* how its penalty is chosen */
    size_t threads;
} retc_ln_options;

/* history 40, lag 1, 30 bins, ridge filter with the penalty chosen on held-out pieces. */
retc_ln_options retc_ln_default(void);

/* What the ridge filter found; all zero for the STA. */
typedef struct {
    double *ridge; /* (N) penalty of each cell; retc_ln_report_clear */
    retc_newton_report solver;
} retc_ln_report;

/* Fit on the train part: the filter has unit norm, the nonlinearity is straight lines through `bins` equally populated bins of
 * the filtered stimulus, in Hz.  The result is a network of one convolution with the whole image and one piecewise layer.
 * `report` is filled.  NULL with a recorded reason. */
retc_network *retc_ln_fit_with(retc_recording *recording, const retc_ln_options *options, const retc_progress *progress,
                               retc_ln_report *report);
void retc_ln_report_clear(retc_ln_report *report);

/* The same with the STA. */
retc_network *retc_ln_fit(retc_recording *recording, size_t history, size_t lag, size_t bins, size_t threads,
                          const retc_progress *progress);

#ifdef __cplusplus
}
#endif

#endif
