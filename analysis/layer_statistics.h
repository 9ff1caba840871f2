/* How contributions are spread over the channels of a layer, and beside what its activations are (Melander et al., ICLR 2026).
 *
 * Statistics of series (T,2C) of sums per channel, negative sums first, from one pass over them:
 *
 *   sparsity            Hoyer's (2004) of each sample x (d = 2C): (sqrt(d) - |x|_1/|x|_2) / (sqrt(d) - 1), 0 for equal values,
 *                       1 for a single one; mean over samples
 *   participation ratio (sum x^2)^2 / sum x^4 of each sample: about how many columns share it, 1 ... d; mean over samples
 *   dimension           number of principal components (of the covariance, means taken out) that hold 90 % of the variance
 *   opposition          r over samples between the sizes of a channel's negative and positive sums
 *   agreement           r over samples between a channel's contribution and its activation, both summed over the map
 *
 * Samples in which nothing contributes have no sparsity and are left out of its means. */
#ifndef RETC_LAYER_STATISTICS_H
#define RETC_LAYER_STATISTICS_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of one sample x (d), as bscope's metrics: the norm in Hoyer's ratio is |x|_2 + 1e-6. */
double retc_hoyer_sparsity(const float *x, size_t d);
double retc_participation_ratio(const float *x, size_t d); /* 0 when all are 0 */

/* Of contributions, or of activations. */
typedef struct {
    double hoyer, hoyer_deviation; /* mean, standard deviation over samples; NaN without any */
    double participation_ratio;
    size_t dimension;
    double *variance; /* (2C) of the principal components, largest first */
} retc_layer_spread;

typedef struct {
    size_t C, samples;
    retc_layer_spread contribution, activation;
    double *opposition, *agreement;         /* (C) NaN where one of both is constant */
    double mean_opposition, mean_agreement; /* over the channels that have one; NaN without any */
} retc_layer_statistics;

typedef struct retc_layer_sums retc_layer_sums;

retc_layer_sums *retc_layer_sums_alloc(size_t C);
void retc_layer_sums_free(retc_layer_sums *sums);

/* Add n samples: contribution and activation (n,2C). */
void retc_layer_sums_add(retc_layer_sums *sums, const float *contribution, const float *activation, size_t n);

/* What was added: `result` is filled (retc_layer_statistics_clear). */
int retc_layer_sums_finish(const retc_layer_sums *sums, retc_layer_statistics *result) RETC_USED;
void retc_layer_statistics_clear(retc_layer_statistics *statistics);

/* Write them to /statistics/<layer>/: {contribution,activation}/{hoyer, hoyer_deviation, participation_ratio, dimension}
 * scalars, {contribution,activation}/variance (2C), opposition and agreement (C); and read them back (filled, also to be
 * cleared after failure). */
int retc_layer_statistics_write(const retc_layer_statistics *statistics, const char *layer, retc_h5 *file) RETC_USED;
int retc_layer_statistics_read(retc_h5 *file, const char *layer, retc_layer_statistics *statistics) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
