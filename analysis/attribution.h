/* Attributions without a path: other answers to the question of how much a unit drove the target.
 *
 * With a the activation of a unit at the stimulus x, g = dt/da, norms over all units of a layer at that moment:
 *
 *     act-grad             a g
 *     act-normgrad         a g / |g|
 *     normact-normgrad     a g / (|a| |g|)
 *     smooth-grad          mean of a g over stimuli with noise (Smilkov et al. 2017, arXiv:1706.03825)
 *     grad-cam             per channel c: w_c a with w_c the mean of g over the map, where the sum of all channels is positive,
 *                          else 0: summed over channels it is the map of Selvaraju et al. (2017, arXiv:1610.02391)
 *     smooth-grad-cam      the same with w_c = sum over the map of alpha max(G1, 0), see below
 *     knock-out            t(x) less the target when the channel (or unit) is as on the baseline x0 and all else is as on x
 *     shapley              mean over random orders of what the target gains when a channel goes from x0 to x, after all that
 *                          come before it in the order (Shapley 1953; Castro et al. 2009, doi 10.1016/j.cor.2008.04.004)
 *
 * Smooth Grad-CAM++ (Omeiza et al. 2019, arXiv:1908.01224) has alpha = G2 / (2 G2 + S G3) with S the sum of a over the map and
 * G1, G2, G3 the means of g, g^2, g^3 over stimuli with noise.  Behind it (Chattopadhay et al. 2018, arXiv:1710.11063) is a
 * target exp(t) that weighs rectified maps, a >= 0, by its gradients where these are positive: alpha solves
 *
 *     Y'' = alpha (2 Y'' + S Y'''),   Y = exp(t), derivatives by a unit g^k Y,    so that alpha = 1 / (2 + S g).
 *
 * The output of a convolution has either sign, and noise brings gradients of either sign to one unit: then the denominator can
 * cross 0, where nothing solves this and alpha is anything, +- infinity included.  Here S and G3 are those of the positive
 * parts, max(a, 0) and max(g, 0)^3, for which it is derived: this is the published alpha wherever activations and gradients are
 * positive, and 0 <= alpha <= 1/2 always.  As all gradients of a unit vanish, or its map, alpha goes to 1/2, and is that there.
 *
 * The first six ask what a small change would do.  Knock-outs are what a lesion shows, but need not add up to anything; Shapley
 * values add up to t(x) - t(x0), as contributions along a path do.  What has one number per channel is spread evenly over
 * those units of the channel that anything depends on. */
#ifndef RETC_ATTRIBUTION_H
#define RETC_ATTRIBUTION_H

#include <stdint.h>

#include "path.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_METHOD_PATH, /* not here: integrated gradients (path.h) */
    RETC_METHOD_ACT_GRAD,
    RETC_METHOD_ACT_NORMGRAD,
    RETC_METHOD_NORMACT_NORMGRAD,
    RETC_METHOD_SMOOTH_GRAD,
    RETC_METHOD_GRAD_CAM,
    RETC_METHOD_SMOOTH_GRAD_CAM,
    RETC_METHOD_KNOCK_OUT,
    RETC_METHOD_SHAPLEY
} retc_attribution_method;

typedef struct {
    retc_attribution_method method;
    size_t samples; /* smooth methods: stimuli with noise */
    double noise;   /* smooth methods: its standard deviation; that of the normalised stimulus is 1 */
    int signed_cam; /* smooth-grad-cam: sums of activations and gradients of either sign, as published, with poles */
    int per_unit;   /* knock-out: one unit at a time, not one channel */
    size_t orders;  /* shapley: random orders, each of which is also run backwards; at least 2 */
    uint64_t seed;
} retc_attribution_options;

/* Storage of one thread, beside its path; fields are not for others. */
typedef struct retc_attribution retc_attribution;

/* "act-grad", ...; "path" for that. */
const char *retc_attribution_name(retc_attribution_method method);

/* Does it depend on where the baseline is? */
int retc_attribution_has_baseline(retc_attribution_method method);

int retc_attribution_check(const retc_attribution_options *options) RETC_USED;

/* NULL when out of memory.  Keeps the path and the options. */
retc_attribution *retc_attribution_alloc(retc_path *path, const retc_attribution_options *options);
void retc_attribution_free(retc_attribution *attribution);

/* Add `share` times the attributions of n samples to map[k] (units,ld).  The path has taken its ends and is differentiated at
 * x, and its convolutions there are complete; of this only what lies at or below the lowest cut is left.  `frame` is the frame
 * (of the part) that the tape's movie begins with, `baseline` the number of the baseline. */
void retc_attribution_add(retc_attribution *attribution, size_t n, size_t frame, size_t baseline, float share,
                          float *const *map);

/* Squares of standard errors that Shapley values have from the choice of orders alone, at cut k (C,ld); other methods: NULL. */
const double *retc_attribution_variance(const retc_attribution *attribution, size_t k);

/* The noise of frame `frame` in stimulus `sample` is added to x (pixels): the same in every window that shows the frame. */
void retc_attribution_noise(const retc_attribution_options *options, size_t sample, size_t frame, size_t pixels, float *x);

#ifdef __cplusplus
}
#endif

#endif
