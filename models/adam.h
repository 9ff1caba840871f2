/* Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1), as torch computes it. */
#ifndef RETC_ADAM_H
#define RETC_ADAM_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double rate;         /* learning rate per step */
    double beta1, beta2; /* decay of the moments */
    double epsilon;
    double weight_decay; /* value (1 - rate weight_decay) comes first: AdamW (Loshchilov & Hutter 2019, arXiv 1711.05101) */
} retc_adam_options;

/* rate 1e-3, betas 0.9 and 0.999, epsilon 1e-8, weight decay 0: plain Adam. */
retc_adam_options retc_adam_default(void);

/* One step, number `step` counted from 1, on n values with moments m and v (n, zero before the first step):
 *   m = b1 m + (1-b1) g,  v = b2 v + (1-b2) g^2,  value -= rate (m/(1-b1^step)) / (sqrt(v/(1-b2^step)) + epsilon) */
void retc_adam_step(const retc_adam_options *options, size_t step, const float *gradient, size_t n, float *m, float *v,
                    float *value);

#ifdef __cplusplus
}
#endif

#endif
