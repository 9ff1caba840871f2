/* The generalised linear model: stimulus filter, own spike history, coupling from other cells, exponential nonlinearity,
 * Poisson spikes (Pillow et al. 2008, doi 10.1038/nature07140).  In frames of length dt,
 *
 *     rate_j(t) = exp(w_j . window(t) + b_j) / dt * exp(sum_i sum_k h_ji[k] c_i[t-1-k])      Hz
 *
 * but no more than limit_j: real cells stop where exp does not, and cells that excite each other or themselves would drive
 * simulated trials out of all bounds (Gerhard, Deger & Truccolo 2017, doi 10.1371/journal.pcbi.1005390).  The limit is chosen
 * by likelihood after the fit (retc_regression_limit).
 *
 * The first factor is a network, [convolution with the whole image, exp, scale], which all commands take; the second one needs
 * the spikes of the trial. */
#ifndef RETC_GLM_H
#define RETC_GLM_H

#include "h5.h"
#include "network.h"
#include "progress.h"
#include "recording.h"
#include "regression.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a spike adds to the logarithm of the rates in the frames after it; tap 0 is the next frame. */
typedef struct {
    size_t N, taps, bases; /* taps 0: no such filters */
    double *basis;         /* (bases,taps) */
    double *history;       /* (N,taps) from a cell to itself */
    double *coupling;      /* (N,N,taps) to cell j from cell i at [j][i], 0 where i = j; NULL without coupling */
    double *limit;         /* (N) highest rate, Hz; NULL: retc_glm_fastest of all */
} retc_spike_filters;
void retc_spike_filters_clear(retc_spike_filters *filters);

typedef struct {
    size_t history, lag;  /* of the stimulus filter, frames */
    size_t time_bases;    /* raised cosines of it, 0: every frame by itself */
    size_t rank;          /* of stimulus filters in space and time (lowrank.h), 0: any */
    size_t neighbourhood; /* side of the square of pixels that it may use, 0: the whole image */
    size_t spike_history; /* frames, 0: no spike filters */
    size_t spike_bases;   /* raised cosines of them */
    int coupling, sparse; /* sparse: from those cells only that let held-out pieces be predicted better (coupling.h) */
    double smoothness, spike_ridge; /* see regression.h */
    retc_ridge_options ridge;
    size_t threads;
} retc_glm_options;

/* history 40, lag 1, 10 time bases, whole image, spike history of 25 frames on 8 bases, no coupling, penalty chosen. */
retc_glm_options retc_glm_default(void);

typedef struct {
    size_t parameters, windows; /* of each cell; frames fitted */
    double *ridge;              /* (N) penalty of each cell */
    size_t pairs;               /* filters from one cell to another that were fitted */
    retc_newton_report solver;
} retc_glm_report;
void retc_glm_report_clear(retc_glm_report *report);

/* Fit to the train part.  `spikes` and `report` are filled (clear them).  NULL with a recorded reason: no spikes, coupling of
 * one cell, fewer frames than parameters without a penalty. */
retc_network *retc_glm_fit(retc_recording *recording, const retc_glm_options *options, const retc_progress *progress,
                           retc_spike_filters *spikes, retc_glm_report *report);

/* Beside the network in a model file: /glm/{history,coupling,basis}, log gain per spike, and /glm/{limit,ridge,gradient} (N).
 * Reading a file without them leaves taps 0. */
int retc_glm_write(const retc_spike_filters *spikes, const retc_glm_report *report, retc_h5 *file) RETC_USED;
int retc_spike_filters_read(retc_h5 *file, size_t N, retc_spike_filters *spikes) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
