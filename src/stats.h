/* Scores of predictions, used by models and analysis alike. */
#ifndef RETC_STATS_H
#define RETC_STATS_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pearson correlation of x and y (n); NaN when either is constant. */
double retc_pearson(const float *x, const float *y, size_t n);

/* Running sums of pairs, from which Pearson's correlation of a stream follows.  Begin with all zeros. */
typedef struct {
    double n, x, y, xx, yy, xy;
} retc_sums;
void retc_sums_add(retc_sums *sums, const float *x, const float *y, size_t n);
double retc_sums_pearson(const retc_sums *sums);

/* 1 - mean squared error / variance of the measured series; NaN when the measured series is constant. */
double retc_explained_variance(const float *predicted, const float *measured, size_t n);

/* Largest correlation a perfect model can reach on the mean of R repeats, x (R,T):
 *   signal power SP = (var_t(sum_r x) - sum_r var_t(x_r)) / (R ),  ceiling = sqrt(SP / var_t(mean_r x))
 * (Sahani & Linden 2003; Schoppe et al. 2016, doi 10.3389/fncom.2016.00010, eqs. 1, 3-5).  NaN when R < 2, or when SP is
 * not positive: then the repeats show no reproducible signal. */
double retc_noise_ceiling(const float *x, size_t R, size_t T);

/* Number of values, their mean, and the sum of squared deviations from it: pairs of these are merged without cancellation
 * (Chan, Golub & LeVeque 1979), which one running sum of squares over a long, bright movie would suffer from.  Begin with all
 * zeros and add pieces of a few thousand values: rounding errors grow with their size and number, not with the product. */
typedef struct {
    double n, mean, squares;
} retc_moments;
void retc_moments_add(retc_moments *all, const float *x, size_t n);

/* Piecewise constant summary of y against x: sort by x, cut into `bins` groups of sizes as even as possible, and write the
 * mean x and mean y of each.  Groups of equal mean x are joined; `*used` is the number written (<= bins). */
int retc_equal_bins(const float *x, const float *y, size_t n, size_t bins, double *mean_x, double *mean_y,
                    size_t *used) RETC_USED;

/* Straight lines through (knot_x, knot_y), flat outside; slope (NULL allowed) is 0 outside. */
double retc_piecewise(const double *knot_x, const double *knot_y, size_t n, double x, double *slope);

#ifdef __cplusplus
}
#endif

#endif
