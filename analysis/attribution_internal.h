/* What the files of attribution.h share. */
#ifndef RETC_ATTRIBUTION_INTERNAL_H
#define RETC_ATTRIBUTION_INTERNAL_H

#include "attribution.h"
#include "rng.h"

struct retc_attribution {
    retc_path *path;
    const retc_attribution_options *options;
    size_t ld, channels;               /* rows of time; the most channels of any cut */
    float *noisy, *frame;              /* smooth methods: (H,W,in_ld), (H,W) */
    double *norm[2];                   /* (ld) of activations, of gradients */
    float **moment[3];                 /* smooth-grad-cam: per cut (units,ld) means of g, g^2, g^3 */
    double *weight;                    /* grad-cam: (channels,ld) */
    float *kept;                       /* knock-out, shapley: (units,ld) the activations of the cut at x */
    double *full, *empty, *before;     /* (ld) target at x, at x with the cut as on x0, before a change */
    double *gain;                      /* shapley: (channels,ld) of one order and its reverse */
    double *mean, *square, **variance; /* shapley: (channels,ld) over orders; per cut (C,ld) */
    size_t *order;                     /* (channels) */
    gsl_rng *rng;
};

/* Put a tape at sample `sample` of the stimulus with noise: forward from the movie of tape[0], n frames. */
void retc_attribution_add_noise(retc_attribution *a, size_t sample, size_t frame, size_t n, retc_tape *tape);

void retc_attribution_add_cam(retc_attribution *a, size_t n, size_t frame, float share, float *const *map);

/* Knock-outs and Shapley values; the tape at x is changed above the lowest cut. */
void retc_attribution_add_knock_outs(retc_attribution *a, size_t n, float share, float *const *map);
void retc_attribution_add_shapley(retc_attribution *a, size_t n, size_t baseline, float share, float *const *map);

#endif
