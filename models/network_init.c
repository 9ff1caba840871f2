/* Random parameters, as fits begin from them. */
#include <math.h>

#include "network_internal.h"

void
retc_network_init_param(retc_network *network, int param, double gain, size_t fan_in, gsl_rng *rng) {
    float *value = retc_network_values(network, param);
    double bound = sqrt(gain / (double)fan_in);
    for (size_t i = 0; i < network->param[param].size; ++i)
        value[i] = (float)gsl_ran_flat(rng, -bound, bound);
}

static void
init_average(retc_network *network, const retc_layer *layer, gsl_rng *rng) {
    float *w = retc_network_values(network, layer->weight);
    for (size_t i = 0; i < network->param[layer->weight].size; ++i)
        w[i] = (float)gsl_rng_uniform(rng);
}

int
retc_network_init(retc_network *network, uint64_t seed) {
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->kind != RETC_LAYER_CONV && layer->kind != RETC_LAYER_AVERAGE)
            continue;
        gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_WEIGHTS, l);
        if (!rng)
            return RETC_ENOMEM;
        if (layer->kind == RETC_LAYER_AVERAGE)
            init_average(network, layer, rng);
        else if (layer->form == RETC_WEIGHT_PLAIN)
            retc_network_init_param(network, layer->weight, 6, network->param[layer->weight].size / layer->C, rng);
        else
            retc_network_init_sources(network, layer, rng);
        gsl_rng_free(rng);
    }
    retc_network_derive(network);
    return RETC_OK;
}
