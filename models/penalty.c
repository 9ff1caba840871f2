#include "penalty.h"

#include <math.h>

int
retc_penalty_is_weight(const retc_param *param) {
    return param->trainable && param->rank > 1 && !param->relative;
}

/* ---- smoothness ------------------------------------------------------------------------------------------------------ */

/* Neighbours along one axis of (outer, length, inner): sum of their squared differences, and with `gradient` (else NULL)
 * strength x its half's gradient added. */
static double
differences(const float *w, size_t outer, size_t length, size_t inner, float strength, float *gradient) {
    double sum = 0;
    for (size_t o = 0; o < outer; ++o)
        for (size_t i = o * length * inner; i + inner < (o + 1) * length * inner; ++i) {
            float difference = w[i + inner] - w[i];
            sum += (double)difference * (double)difference;
            if (gradient) {
                gradient[i + inner] += strength * difference;
                gradient[i] -= strength * difference;
            }
        }
    return sum;
}

/* The value; with `gradient` its gradient is added too. */
static double
smoothness(const retc_penalty *penalty, const retc_network *network, const float *value, float *gradient) {
    const retc_layer *layer = &network->layer[0];
    const retc_param *param = &network->param[layer->weight];
    const float *w = value + param->offset;
    float *g = gradient ? gradient + param->offset : NULL;
    float time = (float)penalty->smooth_time, space = (float)penalty->smooth_space;
    size_t K = layer->C, L = network->L, kh = layer->kh, kw = layer->kw;
    double sum = 0;
    if (penalty->smooth_time > 0)
        sum += penalty->smooth_time / 2 * differences(w, K, L, kh * kw, time, g);
    if (penalty->smooth_space > 0)
        sum +=
            penalty->smooth_space / 2 * (differences(w, K * L, kh, kw, space, g) + differences(w, K * L * kh, kw, 1, space, g));
    return sum;
}

/* ---- weights --------------------------------------------------------------------------------------------------------- */

static double
weights(const retc_penalty *penalty, const float *w, size_t n) {
    double magnitudes = 0, squares = 0;
    for (size_t i = 0; i < n; ++i) {
        magnitudes += fabs((double)w[i]);
        squares += (double)w[i] * (double)w[i];
    }
    return penalty->l1 * magnitudes + penalty->l2 / 2 * squares;
}

static void
add_weights_gradient(const retc_penalty *penalty, const float *w, size_t n, float *gradient) {
    float l1 = (float)penalty->l1, l2 = (float)penalty->l2;
    for (size_t i = 0; i < n; ++i)
        gradient[i] += l2 * w[i];
    for (size_t i = 0; l1 > 0 && i < n; ++i)
        gradient[i] += w[i] > 0 ? l1 : w[i] < 0 ? -l1 : 0;
}

double
retc_penalty_of(const retc_penalty *penalty, const retc_network *network, const float *value) {
    double sum = smoothness(penalty, network, value, NULL);
    for (size_t i = 0; i < network->params; ++i)
        if (retc_penalty_is_weight(&network->param[i]))
            sum += weights(penalty, value + network->param[i].offset, network->param[i].size);
    return sum;
}

void
retc_penalty_add_gradient(const retc_penalty *penalty, const retc_network *network, float *gradient) {
    (void)smoothness(penalty, network, network->value, gradient);
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *param = &network->param[i];
        if (retc_penalty_is_weight(param))
            add_weights_gradient(penalty, network->value + param->offset, param->size, gradient + param->offset);
    }
}
