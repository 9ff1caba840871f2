/* How reproducible the responses of a cell to a repeated stimulus are, and what that leaves for a model to explain. */
#ifndef RETC_RELIABILITY_H
#define RETC_RELIABILITY_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is measured on the counts x (R,T) of R repeats.
 *
 * Let C[r][s] be the covariance over time of repeats r and s, and "own" and "cross" its means over r = s and over r != s.
 *   signal power  SP = cross;  noise power  NP = own - cross         (Sahani & Linden 2003)
 *   noise ceiling = sqrt(SP / (SP + NP / R))                         (Schoppe et al. 2016, eqs. 1, 3-5)
 * which is what retc_noise_ceiling computes.  The ceiling of Pospisil & Bair (2021, doi 10.1371/journal.pcbi.1009212) is the
 * same idea on square roots of the counts, whose variance hardly depends on their mean: with Y[t] their mean over repeats,
 * v = mean_t (Y[t] - mean Y)^2, and s2 the variance over repeats, averaged over t,
 *   d2 = v - (T-1)/T s2/R,   r^2 of a perfect model = d2 / v,   SNR = d2 / s2.
 * Fano factors are ratios of sums over time, of the variance over repeats and the mean. */
typedef enum {
    RETC_SPLIT_HALF,       /* r of the means of two random halves of the repeats, averaged over 20 splits */
    RETC_RELIABILITY,      /* that r as it would be with all repeats: 2r / (1 + r) (Spearman 1910, Brown 1910) */
    RETC_ODD_EVEN,         /* r of the means of odd and even repeats */
    RETC_FIRST_SECOND,     /* r of the means of the first and the second half of the repeats */
    RETC_SAME_RESPONSE,    /* that r without noise (Spearman 1904): below 1 when the response itself has changed */
    RETC_SIGNAL_POWER,     /* counts^2 */
    RETC_NOISE_POWER,      /* counts^2 */
    RETC_SNR,              /* SP / NP, of a single repeat */
    RETC_CEILING,          /* largest r of a model with the mean over repeats */
    RETC_UNBIASED_CEILING, /* sqrt(d2 / v) on square roots of the counts */
    RETC_UNBIASED_SNR,     /* d2 / s2 */
    RETC_FANO_FRAME,       /* of counts in single frames */
    RETC_FANO_REPEAT,      /* of the counts of whole repeats: above that of frames when the cell drifts */
    RETC_MEASURES
} retc_measure;

/* "split_half", ..., and the unit, "" for none. */
extern const char *const retc_measure_names[RETC_MEASURES];
extern const char *const retc_measure_units[RETC_MEASURES];

/* Fewer repeats than this give no intervals. */
#define RETC_LEAST_REPEATS 5

/* All measures of x (R,T), and the 95 % intervals that come from drawing repeats with replacement, `resamples` times; 0: no
 * intervals.  A repeat that is drawn twice is never compared with itself, which would pass noise off as signal.  Intervals say
 * how much the measures depend on the repeats, not on the choice of the stimulus.  NaN where something is undefined: R < 2
 * (for halves, R < 4 for the response without noise), a response that is not reproducible, no spikes.  The result depends on
 * `seed` and `index` (of the cell), not on `threads`.  `low` and `high` may be NULL without resamples. */
int retc_reliability(const float *x, size_t R, size_t T, size_t resamples, uint64_t seed, size_t index, size_t threads,
                     double value[RETC_MEASURES], double low[RETC_MEASURES], double high[RETC_MEASURES]) RETC_USED;

/* r^2 between a prediction p (T) and the expected response behind x (R,T), nearly unbiased (Pospisil & Bair 2021): with Y the
 * mean over repeats, ' for "minus its mean over time" and s2[t] the variance over repeats,
 *   r^2 = ((sum p' Y')^2 - sum p'^2 s2 / R) / (sum p'^2 (sum Y'^2 - (T-1)/T sum s2 / R)).
 * The paper takes s2 to be the same at all t, which is why it takes square roots of counts first; this form needs no such
 * assumption.  Pass square roots (of counts and prediction) to compare with their figures.  May exceed 1 or fall below 0 by
 * chance.  NaN when R < 2, the prediction is constant, or no signal is left. */
double retc_unbiased_r2(const float *prediction, const float *x, size_t R, size_t T);

#ifdef __cplusplus
}
#endif

#endif
