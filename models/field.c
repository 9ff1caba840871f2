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

/* ---- what a cell depends on ------------------------------------------------------------------------------------------ */

/* Rows lo[0] ... hi[0] and columns lo[1] ... hi[1] of the output of a layer; lo > hi: none. */
typedef struct {
    size_t lo[2], hi[2];
} range;

static void
widen_range(range *to, const range *by) {
    for (int d = 0; d < 2; ++d) {
        to->lo[d] = by->lo[d] < to->lo[d] ? by->lo[d] : to->lo[d];
        to->hi[d] = by->hi[d] > to->hi[d] ? by->hi[d] : to->hi[d];
    }
}

/* Places that a grab layer takes: that of channel `cell`, or those of all channels when these were mixed behind it. */
static range
grabbed_range(const retc_layer *layer, size_t cell, int mixed) {
    range all = {{SIZE_MAX, SIZE_MAX}, {0, 0}};
    for (size_t c = mixed ? 0 : cell; c < (mixed ? layer->C : cell + 1); ++c)
        widen_range(&all, &(range){{layer->position[2 * c], layer->position[2 * c + 1]},
                                   {layer->position[2 * c], layer->position[2 * c + 1]}});
    return all;
}

/* What the range `out` of the output of layer l needs of its input of h x w. */
static range
needed(const retc_layer *layer, size_t h, size_t w, const range *out, size_t cell, int mixed) {
    range in = *out;
    const size_t k[2] = {layer->kh, layer->kw};
    for (int d = 0; d < 2; ++d)
        if (layer->kind == RETC_LAYER_CONV)
            in.hi[d] += k[d] - 1;
        else if (layer->kind == RETC_LAYER_MAXPOOL || layer->kind == RETC_LAYER_AVGPOOL)
            in.lo[d] *= k[d], in.hi[d] = in.hi[d] * k[d] + k[d] - 1;
    if (layer->kind == RETC_LAYER_AVERAGE)
        in = (range){{0, 0}, {h - 1, w - 1}};
    else if (layer->kind == RETC_LAYER_GRAB)
        in = grabbed_range(layer, cell, mixed);
    return in;
}

static retc_patch
patch_of(const range *r) {
    return (retc_patch){r->lo[0], r->lo[1], r->hi[0] - r->lo[0] + 1, r->hi[1] - r->lo[1] + 1};
}

int
retc_network_cell_patch(const retc_network *network, size_t cell, retc_patch *map, retc_patch *pixels) {
    int status = RETC_OK, mixed = 0;
    size_t last = network->layers - 1;
    range *seen = NULL;
    RETC_TRY(RETC_ALLOC(seen, network->layers));
    for (size_t l = 0; l < network->layers; ++l)
        seen[l] = (range){{SIZE_MAX, SIZE_MAX}, {0, 0}};
    seen[last] = (range){{0, 0}, {network->layer[last].h - 1, network->layer[last].w - 1}};
    for (size_t l = last; l > 0; --l) {
        const retc_layer *layer = &network->layer[l], *before = layer - 1;
        range in = needed(layer, before->h, before->w, &seen[l], cell, mixed);
        widen_range(&seen[l - 1], &in);
        if (layer->kind == RETC_LAYER_ADD) {
            const retc_layer *from = &network->layer[layer->skip];
            size_t cut[2] = {(from->h - layer->h) / 2, (from->w - layer->w) / 2};
            widen_range(&seen[layer->skip], &(range){{seen[l].lo[0] + cut[0], seen[l].lo[1] + cut[1]},
                                                     {seen[l].hi[0] + cut[0], seen[l].hi[1] + cut[1]}});
        }
        mixed |= layer->kind == RETC_LAYER_CONV;
    }
    *map = patch_of(&seen[0]);
    *pixels = (retc_patch){map->row, map->column, map->h + network->layer[0].kh - 1, map->w + network->layer[0].kw - 1};
done:
    retc_free(seen);
    return status;
}
