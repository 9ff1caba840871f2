/* What a fit makes small: how far spike counts are from the counts that a model expects.
 *
 * e = rate x frame interval is the expected count of a frame, c the count.  Per frame and cell, without terms that do not
 * depend on the model:
 *   Poisson    e - c log(e + 1e-8)
 *   Gaussian   (e - c)^2
 *   Bernoulli  at least one spike in the frame, with probability p = 1 - exp(-e) as a Poisson process has it:
 *              -log p where c > 0, and -log(1 - p) = e where c = 0; in the logarithm e + 1e-8 stands for e
 * Poisson and Bernoulli are of models whose rates cannot be negative. */
#ifndef RETC_LOSS_H
#define RETC_LOSS_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_LOSS_POISSON, RETC_LOSS_GAUSSIAN, RETC_LOSS_BERNOULLI } retc_loss;

/* "poisson", "gaussian", "bernoulli"; NULL for a number that is no loss. */
const char *retc_loss_name(retc_loss loss);

/* Loss of one frame, and its derivative by the expected count. */
double retc_loss_of(retc_loss loss, double expected, double count);
double retc_loss_slope(retc_loss loss, double expected, double count);

/* Sum over n frames: rate (n) Hz, count (n), frame_interval s. */
double retc_loss_sum(retc_loss loss, const float *rate, const float *count, size_t n, double frame_interval);

/* gradient (n) = weight d loss / d rate, s. */
void retc_loss_gradient(retc_loss loss, const float *rate, const float *count, size_t n, double frame_interval, double weight,
                        float *gradient);

#ifdef __cplusplus
}
#endif

#endif
