#include "field.h"

#include <math.h>

/* A layer whose units see kh x kw units of the map before, `stride` of these apart. */
static void
widen(retc_field *field, size_t kh, size_t kw, size_t stride_h, size_t stride_w) {
    const size_t k[2] = {kh, kw}, stride[2] = {stride_h, stride_w};
    for (int d = 0; d < 2; ++d) {
        field->hi[d] += (double)(k[d] - 1) * field->step[d];
        field->step[d] *= (double)stride[d];
    }
}

/* A residual addition takes the middle of a map that may be larger. */
static void
unite(const retc_network *network, const retc_field *all, size_t l, retc_field *field) {
    const retc_layer *layer = &network->layer[l], *from = &network->layer[layer->skip];
    const retc_field *other = &all[layer->skip];
    const size_t cut[2] = {(from->h - layer->h) / 2, (from->w - layer->w) / 2};
    for (int d = 0; d < 2; ++d) {
        double shift = (double)cut[d] * other->step[d];
        field->lo[d] = fmin(field->lo[d], other->lo[d] + shift);
        field->hi[d] = fmax(field->hi[d], other->hi[d] + shift);
    }
}

void
retc_network_fields(const retc_network *network, retc_field *field) {
    retc_field now = {{0, 0}, {0, 0}, {1, 1}};
    size_t h = network->H, w = network->W;
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->kind == RETC_LAYER_CONV)
            widen(&now, layer->kh, layer->kw, 1, 1);
        else if (layer->kind == RETC_LAYER_MAXPOOL || layer->kind == RETC_LAYER_AVGPOOL)
            widen(&now, layer->kh, layer->kw, layer->kh, layer->kw);
        else if (layer->kind == RETC_LAYER_AVERAGE)
            widen(&now, h, w, 1, 1);
        else if (layer->kind == RETC_LAYER_ADD)
            unite(network, field, l, &now);
        h = layer->h, w = layer->w;
        field[l] = now;
    }
}

size_t
retc_field_size(const retc_field *field, int d) {
    return (size_t)(field->hi[d] - field->lo[d]) + 1;
}

size_t
retc_field_nearest(const retc_field *field, int d, double centre, size_t n) {
    double at = floor((centre - (field->lo[d] + field->hi[d]) / 2) / field->step[d] + 0.5);
    return (size_t)fmin(fmax(at, 0), (double)(n - 1));
}
