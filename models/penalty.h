/* What is held against parameters and activity while a network is trained, beside the loss.
 *
 *   weights     l1 sum |w| + l2/2 sum w^2 over the weights of convolutions and readouts, where they are re-parameterised over
 *               the parameters that are trained; biases and the scales and shifts of batch norm set rates and go free, as do
 *               the weights of averages, of which only ratios matter
 *   smoothness  over the kernels w[k,c,y,x] of the first convolution (c: frame of the history), as they are after any
 *               re-parameterisation:
 *               smooth_time/2  sum (w[k,c+1,y,x] - w[k,c,y,x])^2 +
 *               smooth_space/2 sum (w[k,c,y+1,x] - w[k,c,y,x])^2 + (w[k,c,y,x+1] - w[k,c,y,x])^2
 *   activity    activity_l1 x sum over nonlinearities (ReLU, softplus, exp, tanh, sigmoid) of the mean |output| over units and
 *               frames of the batch; the trainer adds its gradient where it comes by */
#ifndef RETC_PENALTY_H
#define RETC_PENALTY_H

#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double l1, l2;
    double smooth_time, smooth_space;
    double activity_l1;
} retc_penalty;

/* Penalties of weights and smoothness for parameters `value` (as network->value). */
double retc_penalty_of(const retc_penalty *penalty, const retc_network *network, const float *value);

/* Their gradient, added to `gradient` (as network->value). */
void retc_penalty_add_gradient(const retc_penalty *penalty, const retc_network *network, float *gradient);

/* 1 for parameters that l1, l2 and weight decay act on. */
int retc_penalty_is_weight(const retc_param *param);

#ifdef __cplusplus
}
#endif

#endif
