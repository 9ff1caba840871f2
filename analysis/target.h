/* Targets: the scalar function t(y) of the rates y of all cells that a contribution explains.
 *
 * Each but the sum can also be taken of p = softmax(y), p_j = exp(y_j) / sum_i exp(y_i), as some of the
 * published ones are: how much a cell stands out, where only differences of rates count. */
#ifndef RETC_TARGET_H
#define RETC_TARGET_H

#include "network.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_TARGET_CELL,        /* y_j */
    RETC_TARGET_SUM,         /* sum_j y_j */
    RETC_TARGET_SURPRISAL,   /* 1/2 (y - mu)' S (y - mu), S the inverse covariance of the rates */
    RETC_TARGET_CELLS,       /* sum of the rates of some cells */
    RETC_TARGET_LINEAR,      /* sum_j w_j y_j */
    RETC_TARGET_TOP,         /* sum of the k largest y; of equal ones the first */
    RETC_TARGET_ENTROPY,     /* - sum_j p_j log(p_j + 1e-9), p = softmax(y): how evenly the cells share the activity */
    RETC_TARGET_CONTRASTIVE, /* largest y less the second largest */
} retc_target_kind;

typedef struct {
    retc_target_kind kind;
    size_t N, cell;    /* cells; the one of RETC_TARGET_CELL */
    size_t k;          /* of RETC_TARGET_TOP */
    int softmax;       /* t is taken of softmax(y) */
    double *weight;    /* (N) w; cells (0 or 1) and linear only */
    double *mean;      /* (N) mu; surprisal only */
    double *precision; /* (N,N) S, symmetric; surprisal only */
    size_t still;      /* surprisal: directions without variance, which were given the mean variance; most often 0 */
} retc_target;

/* All that need no more than a number: the cell, or k of the k largest; 0 for the others. */
int retc_target_init(retc_target *target, retc_target_kind kind, size_t N, size_t which) RETC_USED;

/* The sum of n different cells; weights for all cells, as many as there are.  Copied. */
int retc_target_init_cells(retc_target *target, size_t N, size_t n, const size_t *cell) RETC_USED;
int retc_target_init_linear(retc_target *target, size_t N, size_t n, const double *weight) RETC_USED;

/* Take a target of softmax(y) from now on; a given mean and inverse covariance are then those of softmax(y).  Fails where
 * nothing is left to explain: the sum is always 1, and so is the softmax of a single cell. */
int retc_target_through_softmax(retc_target *target) RETC_USED;

/* Surprisal, with the mean and covariance (divisor n - 1) of the network's rates, or of their softmax, over a part of a
 * recording.  As the softmax sums to 1 its covariance is inverted among the directions in which it can vary.  A covariance
 * without inverse - of cells that repeat others, that never change, or of fewer samples than cells - is given the mean variance
 * (of rates over their standard deviations) in the directions that have none; it is an error when no rate varies. */
int retc_target_init_surprisal(retc_target *target, const retc_network *network, retc_recording *recording, retc_part part,
                               int softmax, size_t threads, const retc_progress *progress) RETC_USED;

/* Surprisal with a given mean (N) and inverse covariance (N,N), both copied; the symmetric part of the latter counts. */
int retc_target_init_given(retc_target *target, size_t N, const double *mean, const double *precision) RETC_USED;

void retc_target_clear(retc_target *target);

/* Name as it stands in files: "cell", "sum", "surprisal", "cells", "linear", "topk", "entropy", "contrastive". */
const char *retc_target_name(const retc_target *target);

/* t at y (N). */
double retc_target_value(const retc_target *target, const double *y);

/* A discrete gradient: g with t(y) - t(y0) = g . (y - y0) to rounding, and the gradient for y0 = y.  It is the gradient's mean
 * over the straight way from y0 to y: closed where t is at most quadratic (the middle) or straight in pieces (shares of the way
 * over which a cell is among the largest), hence exact where ranks change on the way.  Through softmax it is the mean by
 * Gauss-Legendre at five places, and what that misses is made up along y - y0 (Gonzalez 1996, doi 10.1007/BF02440162). */
void retc_target_gradient(const retc_target *target, const double *y, const double *y0, double *g);

#ifdef __cplusplus
}
#endif

#endif
