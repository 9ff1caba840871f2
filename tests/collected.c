#include "collected.h"

#include <string.h>

#include "testing.h"

static int
receive(void *context, const retc_contribution *b) {
    collected *a = context;
    for (size_t k = 0; k < a->cuts; ++k) {
        const retc_layer *layer = &a->network->layer[a->cut[k]];
        size_t units = retc_layer_units(layer), C = layer->C;
        for (size_t t = 0; t < b->n; ++t)
            for (size_t u = 0; u < units; ++u)
                a->map[k][(b->sample + t) * units + u] = b->map[k][u * b->map_ld + t];
        memcpy(a->reduced[k] + b->sample * 2 * C, b->contribution[k], b->n * 2 * C * sizeof(float));
        memcpy(a->residual[k] + b->sample, b->residual[k], b->n * sizeof(double));
        if (b->standard_error)
            memcpy(a->error[k] + b->sample * C, b->standard_error[k], b->n * C * sizeof(float));
    }
    memcpy(a->target + b->sample, b->target, b->n * sizeof(double));
    memcpy(a->target_zero + b->sample, b->target_zero, b->n * sizeof(double));
    return RETC_OK;
}

collected
collect(const retc_network *network, retc_recording *recording, const retc_target *target,
        const retc_contribute_options *options) {
    collected a = {.network = network};
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(recording, RETC_TEST, network->L, network->lag, &spans, &n));
    for (size_t s = 0; s < n; ++s)
        a.T += spans[s].count;
    retc_free(spans);
    a.cuts = retc_contribute_cuts(network, options->place, a.cut);
    for (size_t k = 0; k < a.cuts; ++k) {
        const retc_layer *layer = &network->layer[a.cut[k]];
        a.map[k] = retc_calloc(a.T * retc_layer_units(layer), sizeof(float));
        a.reduced[k] = retc_calloc(a.T * 2 * layer->C, sizeof(float));
        a.error[k] = retc_calloc(a.T * layer->C, sizeof(float));
        a.residual[k] = retc_calloc(a.T, sizeof(double));
    }
    a.target = retc_calloc(a.T, sizeof(double));
    a.target_zero = retc_calloc(a.T, sizeof(double));
    ck_ok(retc_contribute(network, recording, RETC_TEST, target, options, receive, &a, NULL));
    return a;
}

void
collected_clear(collected *a) {
    for (size_t k = 0; k < a->cuts; ++k)
        retc_free(a->map[k]), retc_free(a->reduced[k]), retc_free(a->error[k]), retc_free(a->residual[k]);
    retc_free(a->target), retc_free(a->target_zero);
}

retc_contribute_options
collect_by(retc_attribution_method method) {
    retc_contribute_options options = retc_contribute_default();
    options.attribution.method = method;
    options.threads = 2, options.block = 24;
    return options;
}

/* Sum over the map of channel c. */
double
collected_channel(const collected *a, size_t k, size_t t, size_t c) {
    const retc_layer *layer = &a->network->layer[a->cut[k]];
    size_t map = layer->h * layer->w;
    double sum = 0;
    for (size_t u = 0; u < map; ++u)
        sum += (double)a->map[k][(t * layer->C + c) * map + u];
    return sum;
}
