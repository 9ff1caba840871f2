/* Targets: the scalar function t(y) of the rates y of all cells that a contribution explains. */
#ifndef RETC_TARGET_H
#define RETC_TARGET_H

#include "network.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_TARGET_CELL,     /* y_j */
    RETC_TARGET_SUM,      /* sum_j y_j */
    RETC_TARGET_SURPRISAL /* 1/2 (y - mu)' S (y - mu), S the inverse covariance of the rates */
} retc_target_kind;

typedef struct {
    retc_target_kind kind;
    size_t N, cell;    /* cells; the one of RETC_TARGET_CELL */
    double *mean;      /* (N) mu; surprisal only */
    double *precision; /* (N,N) S, symmetric; surprisal only */
    double ridge;      /* what was added to the covariance's diagonal so that it could be inverted, Hz^2; else 0 */
} retc_target;

/* Cell or sum. */
int retc_target_init(retc_target *target, retc_target_kind kind, size_t N, size_t cell) RETC_USED;

/* Surprisal, with the mean and covariance (divisor n - 1) of the network's rates over a part of a recording. */
int retc_target_init_surprisal(retc_target *target, const retc_network *network, retc_recording *recording, retc_part part,
                               size_t threads, const retc_progress *progress) RETC_USED;

/* Surprisal with a given mean (N) and inverse covariance (N,N), both copied; the symmetric part of the latter counts. */
int retc_target_init_given(retc_target *target, size_t N, const double *mean, const double *precision) RETC_USED;

void retc_target_clear(retc_target *target);

/* Name as it stands in files: "cell", "sum", "surprisal". */
const char *retc_target_name(const retc_target *target);

/* t at y (N). */
double retc_target_value(const retc_target *target, const double *y);

/* g with t(y) - t(y0) = g . (y - y0) exactly: for y0 = y the gradient; in between, the gradient at the middle, since every
 * target here is at most quadratic (a discrete gradient, Gonzalez 1996). */
void retc_target_gradient(const retc_target *target, const double *y, const double *y0, double *g);

#ifdef __cplusplus
}
#endif

#endif
