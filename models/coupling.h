/* Which cells of a generalised linear model are coupled: sparse coupling by a group penalty on filters.
 *
 * With theta^ the fit of all filters to training pieces, g and H the gradient and second derivative of what is minimised there,
 * the filters x_i = (coefficients of the filter from cell i) to a cell minimise
 *
 *     (x - x^)'H (x - x^)/2 + g'(x - x^) + lambda sum_i |R_i x_i| / |R_i x^_i|,       R_i'R_i = H_ii,
 *
 * the least-squares approximation of Wang & Leng (2007, doi 10.1198/016214507000000509) of the likelihood with the adaptive
 * group penalty of theirs: whole filters become 0, weak ones first, whatever the rate of the cell that they come from.  x also
 * holds the own filter, the bias and a gain of the drive by the stimulus, which are free.  From large to small lambda this
 * gives sets of cells; each set, fitted again without the penalty, predicts held-out pieces (twice as many frames as
 * --validation says: sets differ by little), and the smallest set that does so within one standard error of the best is taken.
 * The movie is read for the two fits only. */
#ifndef RETC_COUPLING_H
#define RETC_COUPLING_H

#include "regression.h"

#ifdef __cplusplus
extern "C" {
#endif

/* For a Poisson design with coupling from all cells, penalties ridge (N) relative as in retc_ridge_options, and a fit theta
 * (N,P), n_theta = N P, to begin from: pairs (N,N), 1 at [j][i] where spikes of cell i act on cell j, 0 elsewhere and where i =
 * j.  Fails when no pieces are held out. */
int retc_coupling_choose(retc_recording *recording, const retc_design *design, const retc_ridge_options *options,
                         const double *ridge, const double *theta, size_t n_theta, char *pairs) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
