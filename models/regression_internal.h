/* What the parts of the regression share.  Internal: not installed. */
#ifndef RETC_REGRESSION_INTERNAL_H
#define RETC_REGRESSION_INTERNAL_H

#include "network.h"
#include "regression.h"

typedef struct retc_conditioner retc_conditioner;

enum { RETC_MOST_RANK = 64 }; /* of filters of low rank */

struct retc_regression {
    retc_recording *recording;
    retc_design design; /* rows, columns and bases never 0 */
    size_t N, H, W, L, T;
    size_t M;                   /* windows */
    size_t stimulus, spikes, P; /* parameters of a cell: of its stimulus filter, of its spike filters, all */
    retc_network *network;      /* one convolution with the whole image, whose weights are the filters in turn */
    retc_span *spans;
    size_t n_spans;
    float *count;                 /* (N,T) */
    float *drive, *change, *step; /* (N,M) X theta, X p, X s of Newton's step s */
    double *mean_count;           /* (N) */
    double *projected;            /* (N,2,stimulus) for filters of low rank, else NULL */
    double *time_penalty;         /* (bases,bases) identity + smoothness differences in time */
    float *spike_basis;           /* (spike_bases,taps) */
    size_t *tap_offset;           /* (taps) of counts before a frame */
    size_t *feature_row;          /* (N,spikes) where the features of a cell lie in a block */
    char *active;                 /* (N) cells that passes are for */
    retc_conditioner *conditioner;
};

/* One pass over the movie.  All: u = X v is stored in `change`, or in `drive` (APPLY, GRADIENT).  GRADIENT: out = X' l'(u) / M;
 * PRODUCT: out = X' (l''(drive) u) / M.  v, out (N,P); rows of cells that are not active stay as they are. */
typedef enum { RETC_PASS_APPLY, RETC_PASS_GRADIENT, RETC_PASS_PRODUCT } retc_pass;
int retc_regression_pass(retc_regression *regression, retc_pass pass, const double *v, double *out) RETC_USED;

/* Cell from which spike filter number m of cell j comes. */
size_t retc_regression_source(size_t j, size_t m);

/* Keep of theta or a gradient v (P) of cell j what the design lets be: couplings of its pairs, filters in its subspace. */
void retc_regression_project(const retc_regression *regression, size_t j, double *v);

/* Features of frames t0 ... t0+n-1: (N,spike_bases,ld), sum_k basis[b,k] count[t-1-k]. */
void retc_regression_features(const retc_regression *regression, size_t t0, size_t n, size_t ld, float *feature);

/* out += penalty matrix of one cell times v, both (P). */
void retc_regression_add_penalty(const retc_regression *regression, double ridge, const double *v, double *out);

/* Approximate inverse of the second derivative: made once per regression, set for penalties, applied as z = A^-1 r of cell j.
 */
retc_conditioner *retc_conditioner_alloc(retc_regression *regression);
void retc_conditioner_free(retc_conditioner *conditioner);
int retc_conditioner_set(retc_conditioner *conditioner, const retc_regression *regression, const double *ridge) RETC_USED;
int retc_conditioner_apply(const retc_conditioner *conditioner, const retc_regression *regression, size_t j, const double *r,
                           double *z) RETC_USED;

/* Mean of l'' over frames at the mean count, by which the covariance of what drives a cell is scaled. */
double retc_regression_weight(const retc_regression *regression, size_t j);

#endif
