/* Maps of where channels act: Grad-CAM and Smooth Grad-CAM++. */
#include <string.h>

#include "attribution_internal.h"

/* Weights (C,ld): the mean gradient of every channel. */
static void
mean_gradients(const retc_layer *layer, const float *g, size_t ld, size_t n, double *weight) {
    size_t map = layer->h * layer->w;
    memset(weight, 0, layer->C * ld * sizeof *weight);
    for (size_t row = 0; row < layer->C * map; ++row)
        for (size_t t = 0; t < n; ++t)
            weight[row / map * ld + t] += (double)g[row * ld + t] / (double)map;
}

/* Means of g, g^2 and of the cubes of g or of its positive part over stimuli with noise, at every cut. */
static void
take_moments(retc_attribution *a, size_t n, size_t frame) {
    const retc_path *path = a->path;
    retc_tape *tape = path->tape[2];
    float share = 1 / (float)a->options->samples;
    for (size_t sample = 0; sample < a->options->samples; ++sample) {
        retc_attribution_add_noise(a, sample, frame, n, tape);
        retc_path_differentiate(a->path, tape, tape, n);
        for (size_t k = 0; k < path->cuts; ++k)
            for (size_t row = 0; row < retc_layer_units(&path->network->layer[path->cut[k]]); ++row)
                for (size_t t = 0; t < n; ++t) {
                    size_t i = row * a->ld + t;
                    float g = tape->grad[path->cut[k]][i], cubed = g > 0 || a->options->signed_cam ? g : 0;
                    const float power[3] = {share * g, share * g * g, share * g * g * cubed};
                    for (int p = 0; p < 3; ++p)
                        a->moment[p][k][i] = power[p] + (sample ? a->moment[p][k][i] : 0);
                }
    }
}

/* alpha max(G1, 0) of one unit; with positive parts alone alpha is at most 1/2, and that where all powers vanish. */
static double
share_of_unit(const retc_attribution *a, size_t k, size_t i, double sum) {
    double g1 = (double)a->moment[0][k][i], g2 = (double)a->moment[1][k][i];
    double below = 2 * g2 + (double)a->moment[2][k][i] * sum;
    if (!(g1 > 0))
        return 0;
    if (below == 0)
        return a->options->signed_cam ? 0 : g1 / 2;
    return g2 / below * g1;
}

/* Weights (C,ld) of Smooth Grad-CAM++. */
static void
smooth_weights(retc_attribution *a, size_t k, const retc_layer *layer, const float *x, size_t n) {
    size_t map = layer->h * layer->w, ld = a->ld;
    double *sum = a->norm[0];
    memset(a->weight, 0, layer->C * ld * sizeof *a->weight);
    for (size_t c = 0; c < layer->C; ++c) {
        memset(sum, 0, n * sizeof *sum);
        for (size_t row = c * map; row < (c + 1) * map; ++row)
            for (size_t t = 0; t < n; ++t)
                sum[t] += x[row * ld + t] > 0 || a->options->signed_cam ? (double)x[row * ld + t] : 0;
        for (size_t row = c * map; row < (c + 1) * map; ++row)
            for (size_t t = 0; t < n; ++t)
                a->weight[c * ld + t] += share_of_unit(a, k, row * ld + t, sum[t]);
    }
}

/* map += share times weight times activation, where that is positive in the sum over channels. */
static void
add_weighted(const retc_attribution *a, const retc_layer *layer, const float *x, size_t n, float share, float *map) {
    size_t positions = layer->h * layer->w, ld = a->ld;
    double *sum = a->norm[0];
    for (size_t position = 0; position < positions; ++position) {
        memset(sum, 0, n * sizeof *sum);
        for (size_t c = 0; c < layer->C; ++c)
            for (size_t t = 0; t < n; ++t)
                sum[t] += a->weight[c * ld + t] * (double)x[(c * positions + position) * ld + t];
        for (size_t c = 0; c < layer->C; ++c)
            for (size_t t = 0; t < n; ++t) {
                size_t i = (c * positions + position) * ld + t;
                if (sum[t] > 0)
                    map[i] += share * (float)(a->weight[c * ld + t] * (double)x[i]);
            }
    }
}

void
retc_attribution_add_cam(retc_attribution *a, size_t n, size_t frame, float share, float *const *map) {
    const retc_path *path = a->path;
    int smooth = a->options->method == RETC_METHOD_SMOOTH_GRAD_CAM;
    if (smooth)
        take_moments(a, n, frame);
    for (size_t k = 0; k < path->cuts; ++k) {
        const retc_layer *layer = &path->network->layer[path->cut[k]];
        const float *x = path->end->out[path->cut[k]];
        if (smooth)
            smooth_weights(a, k, layer, x, n);
        else
            mean_gradients(layer, path->end->grad[path->cut[k]], a->ld, n, a->weight);
        add_weighted(a, layer, x, n, share, map[k]);
    }
}
