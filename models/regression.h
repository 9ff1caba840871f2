/* Penalised regression of the counts of all cells on windows of the stimulus and on earlier spikes.
 *
 * Cell j's drive in response frame t, with s the normalised stimulus and c the counts per frame,
 *
 *     g_j(t) = sum_{k,y,x} w_j[k,y,x] s[t-lag-L+1+k, y, x] + sum_{i,m} h_ji[m] c_i[t-1-m] + b_j
 *
 * is fitted by least squares (Gaussian) or as the logarithm of the mean of Poisson counts, where this is the generalised linear
 * model of Pillow et al. (2008, doi 10.1038/nature07140) with exp as nonlinearity.  Filters are made of basis functions.  What
 * is minimised, separately for every cell, is convex:
 *
 *     1/M sum_t l(g_j(t), c_j(t)) + ridge_j/2 (|w_j|^2 + smoothness |differences of neighbours in w_j|^2) + spike_ridge/2
 * |a_j|^2 l = (g - c)^2 / 2   or   exp(g) - c g;   a_j: coefficients of the spike filters
 *
 * The solver is Newton's method with conjugate gradients inside (Nocedal & Wright 2006, chapter 7), so that windows and their
 * covariance are never formed: a product streams the movie once, for all cells, by the convolution of stream.h and its adjoint.
 */
#ifndef RETC_REGRESSION_H
#define RETC_REGRESSION_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_FAMILY_GAUSSIAN, RETC_FAMILY_POISSON } retc_family;

typedef struct {
    retc_family family;
    size_t history, lag;       /* L and lag, frames */
    size_t bases;              /* functions of time, 0: every frame by itself */
    const double *basis;       /* (bases,L) orthonormal rows, element L-1 the newest frame (kept) */
    size_t rows, columns;      /* filters reach over so many pixels; 0: the whole image */
    const size_t *corner;      /* (N,2) first row and column of each cell's (kept); NULL: (0,0) */
    size_t rank;               /* of stimulus filters; 0: any.  Else sums of products (kept): */
    const double *courses;     /* (N,rank,bases) orthonormal courses in time, times any patterns; NULL: none */
    const double *patterns;    /* (N,rank,rows,columns) orthonormal patterns in space, times any courses; NULL: none */
    size_t taps, spike_bases;  /* of spike filters; 0: none */
    const double *spike_basis; /* (spike_bases,taps), tap 0 one frame before the response (kept) */
    int coupling;              /* filters from all other cells beside the own one */
    const char *pairs;         /* (N,N) 0 at [j][i]: none to cell j from cell i after all (kept); NULL: from all */
    double smoothness, spike_ridge;
    size_t threads;
} retc_design;

typedef struct retc_regression retc_regression;

/* Prepare for the response frames of `spans` (copied) of the train part, which must have whole windows and `taps` frames before
 * them: retc_design_spans gives all such.  Keeps `recording`.  Holds the counts of the train part and three more numbers per
 * cell and frame; the movie is streamed.  NULL with a recorded reason. */
retc_regression *retc_regression_alloc(retc_recording *recording, const retc_design *design, const retc_span *spans,
                                       size_t n_spans);
void retc_regression_free(retc_regression *regression);
int retc_design_spans(retc_recording *recording, const retc_design *design, retc_span **spans, size_t *n) RETC_USED;

/* Parameters of one cell, P: coefficients (bases,rows,columns), then of its own spike filter (spike_bases), then with
 * coupling of those from the other cells in order, then b.  Without bases those of every frame. */
size_t retc_regression_parameters(const retc_regression *regression);
size_t retc_regression_windows(const retc_regression *regression);            /* M */
const double *retc_regression_mean_counts(const retc_regression *regression); /* (N) spikes per frame */

/* Where fits begin: filters of zero, and the bias that gives the mean count.  theta (N,P). */
void retc_regression_start(const retc_regression *regression, double *theta);

/* What is minimised and its gradient at theta (N,P): value (N), gradient (N,P), both for penalties ridge (N). */
int retc_regression_evaluate(retc_regression *regression, const double *ridge, const double *theta, double *value,
                             double *gradient) RETC_USED;

typedef struct {
    double tolerance;     /* on |gradient| / mean count of the cell */
    size_t most_steps;    /* of Newton's method */
    size_t most_products; /* of conjugate gradients in one step */
} retc_newton_options;

typedef struct {
    size_t steps, products; /* of Newton's method; products with the second derivative */
    double *gradient;       /* (N) |gradient| / mean count at the end; retc_free */
    int converged;          /* all cells reached the tolerance */
} retc_newton_report;

/* From theta (N,P) to the minimum.  Cells without spikes stay as they are. */
int retc_regression_fit(retc_regression *regression, const double *ridge, const retc_newton_options *options, double *theta,
                        retc_newton_report *report) RETC_USED;

/* How well theta predicts: per cell the mean log-likelihood per frame without the terms of c! (Poisson), or the squared
 * correlation of drive and counts, 0 where it is negative (Gaussian). */
int retc_regression_score(retc_regression *regression, const double *theta, double *score) RETC_USED;

/* Stimulus filter of cell j as w (L,H,W), and its spike filter from cell i as h (taps), from its parameters theta_j (P). */
void retc_regression_filter(const retc_regression *regression, const double *theta_j, size_t j, float *w);
void retc_regression_spike_filter(const retc_regression *regression, const double *theta_j, size_t j, size_t i, double *h);

/* After a fit of Poisson counts: the mean count per frame beyond which cell j is best said not to go, by the likelihood of the
 * frames fitted, max over kappa of sum_t c log min(exp g, kappa) - min(exp g, kappa).  Where no limit does better it is the
 * largest mean count of these frames. */
int retc_regression_limit(const retc_regression *regression, size_t j, double *limit) RETC_USED;

/* Penalties on held-out pieces. */
typedef struct {
    double ridge; /* used as it is when not negative; in units of the stimulus' variance, for Poisson times the mean count */
    double validation; /* fraction of the frames */
    size_t pieces;
    uint64_t seed;
    retc_newton_options newton;
} retc_ridge_options;

/* Fit all of the train part: with options->ridge, or with the penalty of each cell that predicts held-out pieces best, from
 * 100 down to 1e-5 by factors of 10^(1/2).  theta (N,P); ridge (N) relative as in the options.  `*regression` is that of the
 * whole train part (retc_regression_free); also on failure it is NULL or valid. */
int retc_regression_choose(retc_recording *recording, const retc_design *design, const retc_ridge_options *options,
                           const retc_progress *progress, retc_regression **regression, double **theta, double *ridge,
                           retc_newton_report *report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
