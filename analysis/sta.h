/* Spike-triggered averages of all cells, with a chance level, the peak, and the static nonlinearity behind the filter. */
#ifndef RETC_STA_H
#define RETC_STA_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "h5.h"
#include "progress.h"
#include "recording.h"
#include "reverse_correlation.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t history;  /* L, frames */
    size_t lag;      /* frames between the newest frame of a window and the response */
    size_t shuffles; /* circular shifts of the responses for the chance level; 0: no level */
    double alpha;    /* chance that any point of a cell without receptive field exceeds its level */
    size_t bins;     /* of the nonlinearity */
    uint64_t seed;
    size_t threads; /* 0: all processors; no effect on the result */
} retc_sta_options;

/* history 40, lag 1, shuffles 200, alpha 0.01, bins 30. */
retc_sta_options retc_sta_options_default(void);

typedef struct {
    retc_revcorr revcorr; /* the STAs (N,L,H,W), oldest frame first, and the spikes behind them */
    size_t bins;          /* B */
    double alpha;
    double frame_interval; /* s */
    size_t *peak;          /* (N,3) index k, row, column of the largest |STA|; 0,0,0 without spikes */
    float *temporal;       /* (N,L) course at the peak pixel */
    float *spatial;        /* (N,H,W) map at the peak index */
    double *level;         /* (N) |STA| that chance reaches anywhere with probability alpha; NaN without shuffles */
    double *x, *y;         /* (N,B) nonlinearity: generator signal behind the unit-norm STA, rate in Hz; NaN padded */
    size_t *used;          /* (N) bins that hold a value */
} retc_sta;

/* Estimate on the train part (retc_sta_clear).  The level is the k-th smallest of the maxima over pixels and lags of the m
 * shifted STAs, k = ceil((1 - alpha) (m + 1)): a cell without receptive field, whose own maximum is one more of the same
 * kind, exceeds it with probability at most alpha.  Fails when m is too small for that (m < 1/alpha - 1). */
int retc_sta_estimate(retc_recording *recording, const retc_sta_options *options, const retc_progress *progress,
                      retc_sta *sta) RETC_USED;

/* Value of the STA at its peak; 1 when it exceeds the level in size; its latency in s: the time from the frame at the peak to
 * the response's frame. */
double retc_sta_peak_value(const retc_sta *sta, size_t cell);
int retc_sta_significant(const retc_sta *sta, size_t cell);
double retc_sta_latency(const retc_sta *sta, size_t cell);

/* Write /sta, /temporal, /spatial, /peak, /level, /spikes, /nonlinearity/{x,y}, /cell_names and root attributes. */
int retc_sta_write(const retc_sta *sta, const retc_recording *recording, retc_h5 *file) RETC_USED;

/* Free what an estimate holds and set it to zero. */
void retc_sta_clear(retc_sta *sta);

#ifdef __cplusplus
}
#endif

#endif
