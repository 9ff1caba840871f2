/* Stimulus filters of low rank: sums of few products of a course in time and a pattern in space,
 *
 *     w_j[k,y,x] = sum_{r < rank} u_jr[k] v_jr[y,x].
 *
 * What regression.h minimises is convex in either factor alone.  Newton's method takes turns with them (alternating
 * minimisation; Pillow et al. 2008 fit filters of rank 2): with the courses fixed the filter lies in a subspace of few
 * dimensions, with the patterns fixed in another one; gradients are projected to it, and the coefficients of spike filters move
 * along.  Alone, such turns creep: every third is a Newton step in the sum of both subspaces, the tangent of filters of this
 * rank, and every other round is carried on along its course (Aitken); both are cut to the rank again, and kept where the value
 * falls.  It begins at the best approximation of a full filter, and ends where the gradient along the tangent is within the
 * tolerance.  The value never rises. */
#ifndef RETC_LOWRANK_H
#define RETC_LOWRANK_H

#include "regression.h"

#ifdef __cplusplus
extern "C" {
#endif

/* From theta (N,P), whose filters may be of any rank, to a minimum among filters of `rank`, for penalties ridge (N).  rank is
 * below those that the bases of time and the pixels allow.  `report` counts the steps and products of all turns. */
int retc_lowrank_fit(retc_regression *regression, size_t rank, const double *ridge, const retc_newton_options *options,
                     double *theta, retc_newton_report *report) RETC_USED;

/* Is `rank` a restriction to this regression's filters? */
int retc_lowrank_restricts(const retc_regression *regression, size_t rank);

#ifdef __cplusplus
}
#endif

#endif
