/* Convolutions whose weight is computed from other parameters: chains of linear convolutions, and factors.
 *
 * With the kernel W (K,C,h,w) of the first j of a chain and the next one S (O,K,p,q), all cross-correlations without padding,
 *   W'[o,c,i+m,j+n] += sum_k S[o,k,m,n] W[k,c,i,j]
 * is that of the first j+1 (stacked.h).  It is linear in either of them, so that from G' = d target / d W'
 *   d target / d S[o,k,m,n] = sum_{c,i,j} G'[o,c,i+m,j+n] W[k,c,i,j]
 *   d target / d W[k,c,i,j] = sum_{o,m,n} S[o,k,m,n] G'[o,c,i+m,j+n]
 * Kernels are kept here as (K,h,w,C): a row of one, w C values, meets a stretch of a row of the other. */
#include <stdio.h>
#include <string.h>

#include "network_internal.h"

enum {
    LINK = 3, /* rows and columns of a chain's kernels */
    MOST_LINKS = 64
};

typedef struct {
    size_t K, C, h, w;
    double *x; /* (K,h,w,C) */
} kernel;

static size_t
kernel_size(const kernel *k) {
    return k->K * k->h * k->w * k->C;
}

/* ---- building -------------------------------------------------------------------------------------------------------- */

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t
larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* The weight, which is not trained itself, goes before what it comes from. */
static int
append_derived(retc_network *network, size_t K, size_t kh, size_t kw, retc_weight_form form, int dense, retc_layer **layer) {
    int status = RETC_OK;
    RETC_TRY(retc_network_append_conv(network, K, kh, kw, layer));
    size_t C = retc_network_inputs(network, network->layers - 1), h = (*layer)->kh, w = (*layer)->kw;
    size_t shape[4] = {K, C, h, w}, flat[2] = {K, C * h * w};
    RETC_TRY(retc_network_append_param(network, *layer, "weight", dense ? 2 : 4, dense ? flat : shape, 0));
    (*layer)->dense = dense;
    (*layer)->form = form;
    (*layer)->weight = status;
    (*layer)->source = status + 1;
    network->param[status].derived = 1;
    status = RETC_OK;
done:
    return status;
}

/* Size of the largest kernel of the first 1, 2 ... links, and of all of them together. */
static size_t
largest_kernel(const retc_network *network, const retc_layer *layer, size_t *total) {
    const retc_param *source = &network->param[layer->source];
    size_t h = 1, w = 1, most = 0;
    *total = 0;
    for (int j = 0; j < layer->sources; ++j) {
        h += source[j].shape[2] - 1, w += source[j].shape[3] - 1;
        size_t size = source[j].shape[0] * source[0].shape[1] * h * w;
        most = larger(most, size);
        *total += size;
    }
    return most;
}

/* Room for the kernels of every length of the chain, and twice for the largest. */
static int
grow_scratch(retc_network *network, const retc_layer *layer) {
    size_t total;
    total = 2 * largest_kernel(network, layer, &total) + total;
    if (total <= network->scratch_size)
        return RETC_OK;
    retc_free(network->scratch);
    network->scratch_size = 0;
    int status = RETC_ALLOC(network->scratch, total);
    network->scratch_size = status < 0 ? 0 : total;
    return status;
}

int
retc_network_add_chain(retc_network *network, size_t links, const size_t *shape, const size_t *number, int with_bias) {
    int status = RETC_OK;
    char suffix[48];
    retc_layer *layer;
    size_t h = 1, w = 1, C = network->layers ? network->layer[network->layers - 1].C : network->L;
    if (links < 1 || links > MOST_LINKS)
        return RETC_FAIL(RETC_EINVAL, "layer sequential.%zu is a chain of %zu convolutions, 1 to %d are allowed",
                         network->modules, links, MOST_LINKS);
    for (size_t j = 0; j < links; ++j) {
        const size_t *at = shape + 4 * j;
        if (at[1] != C)
            return RETC_FAIL(RETC_EINVAL, "layer sequential.%zu: convs.%zu takes %zu channels, what is before gives %zu",
                             network->modules, number[j], at[1], C);
        h += at[2] - 1, w += at[3] - 1, C = at[0];
    }
    RETC_TRY(append_derived(network, C, h, w, RETC_WEIGHT_STACKED, 0, &layer));
    for (size_t j = 0; j < links; ++j) {
        snprintf(suffix, sizeof suffix, "convs.%zu.weight", number[j]);
        RETC_TRY(retc_network_append_param(network, layer, suffix, 4, shape + 4 * j, 1));
        ++layer->sources;
    }
    snprintf(suffix, sizeof suffix, "convs.%zu.bias", number[links - 1]);
    if (with_bias) {
        RETC_TRY(retc_network_append_param(network, layer, suffix, 1, &C, 1));
        layer->bias = status;
    }
    status = grow_scratch(network, layer);
done:
    return status;
}

int
retc_network_add_stacked(retc_network *network, size_t K, size_t kh, size_t kw, int with_bias) {
    const retc_layer *before = network->layers ? &network->layer[network->layers - 1] : NULL;
    size_t map[2] = {before ? before->h : network->H, before ? before->w : network->W}, C = before ? before->C : network->L;
    size_t rows = (kh ? kh : map[0]) - 1, columns = (kw ? kw : map[1]) - 1, shape[4 * MOST_LINKS], number[MOST_LINKS];
    size_t links = larger(1, (larger(rows, columns) + LINK - 2) / (LINK - 1));
    if (links > MOST_LINKS)
        return RETC_FAIL(RETC_EINVAL, "layer sequential.%zu: a kernel of %zux%zu is a chain of %zu, at most %d are allowed",
                         network->modules, rows + 1, columns + 1, links, MOST_LINKS);
    for (size_t j = 0; j < links; ++j, C = K) {
        size_t h = smaller(rows, LINK - 1), w = smaller(columns, LINK - 1);
        memcpy(shape + 4 * j, (const size_t[4]){K, C, h + 1, w + 1}, 4 * sizeof *shape);
        number[j] = j;
        rows -= h, columns -= w;
    }
    return retc_network_add_chain(network, links, shape, number, with_bias);
}

/* space has the rank of the weight less that of its channels. */
static int
append_factors(retc_network *network, size_t K, size_t kh, size_t kw, int dense, int with_bias) {
    int status = RETC_OK;
    retc_layer *layer;
    RETC_TRY(append_derived(network, K, kh, kw, RETC_WEIGHT_FACTORISED, dense, &layer));
    size_t map[3] = {K, layer->kh, layer->kw}, flat[2] = {K, layer->kh * layer->kw};
    size_t channel[2] = {K, retc_network_inputs(network, network->layers - 1)};
    RETC_TRY(retc_network_append_param(network, layer, "space", dense ? 2 : 3, dense ? flat : map, 1));
    RETC_TRY(retc_network_append_param(network, layer, "channel", 2, channel, 1));
    layer->sources = 2;
    if (with_bias) {
        RETC_TRY(retc_network_append_param(network, layer, "bias", 1, &K, 1));
        layer->bias = status;
    }
    status = RETC_OK;
done:
    return status;
}

int
retc_network_add_factorised(retc_network *network, size_t K, int with_bias) {
    return append_factors(network, K, 0, 0, 1, with_bias);
}

int
retc_network_add_separable(retc_network *network, size_t K, size_t kh, size_t kw, int with_bias) {
    return append_factors(network, K, kh, kw, 0, with_bias);
}

void
retc_network_init_sources(retc_network *network, const retc_layer *layer, gsl_rng *rng) {
    for (int j = 0; j < layer->sources; ++j) {
        const retc_param *param = &network->param[layer->source + j];
        int last = j == layer->sources - 1;
        retc_network_init_param(network, layer->source + j, last ? 6 : 3, param->size / param->shape[0], rng);
    }
}

/* ---- chains ---------------------------------------------------------------------------------------------------------- */

/* Link j of the chain as it is stored, (O,K,p,q). */
static const float *
link_values(const retc_network *network, const retc_layer *layer, int j, kernel *link) {
    const retc_param *param = &network->param[layer->source + j];
    *link = (kernel){param->shape[0], param->shape[1], param->shape[2], param->shape[3], NULL};
    return network->value + param->offset;
}

static void
to_double(const float *from, kernel *to) {
    for (size_t k = 0; k < to->K; ++k)
        for (size_t c = 0; c < to->C; ++c)
            for (size_t i = 0; i < to->h * to->w; ++i)
                to->x[(k * to->h * to->w + i) * to->C + c] = (double)from[(k * to->C + c) * to->h * to->w + i];
}

/* Sum of a[i] b[i], eight sums side by side: one alone would wait for every addition. */
static double
dot(const double *a, const double *b, size_t n) {
    enum { SIDE = 8 };
    double sum[SIDE] = {0}, rest = 0;
    size_t i = 0;
    for (; i + SIDE <= n; i += SIDE)
        for (size_t k = 0; k < SIDE; ++k)
            sum[k] += a[i + k] * b[i + k];
    for (; i < n; ++i)
        rest += a[i] * b[i];
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7])) + rest;
}

static void
add_scaled(double s, const double *restrict x, size_t n, double *restrict sum) {
    for (size_t i = 0; i < n; ++i)
        sum[i] += s * x[i];
}

/* longer += shorter, spread by the link's weights s. */
static void
lengthen(const kernel *link, const float *s, const kernel *shorter, const kernel *longer) {
    size_t n = shorter->w * shorter->C, row = longer->w * longer->C;
    for (size_t o = 0; o < link->K; ++o)
        for (size_t k = 0; k < link->C; ++k)
            for (size_t p = 0; p < link->h; ++p)
                for (size_t q = 0; q < link->w; ++q, ++s)
                    for (size_t i = 0; i < shorter->h; ++i)
                        add_scaled((double)*s, shorter->x + (k * shorter->h + i) * n, n,
                                   longer->x + (o * longer->h + i + p) * row + q * longer->C);
}

/* ds += and gradient = those of the link's weights and of the shorter kernel, from the gradient g of the longer one. */
static void
shorten(const kernel *link, const float *s, const kernel *shorter, const kernel *g, float *ds, double *gradient) {
    size_t n = shorter->w * shorter->C, row = g->w * g->C;
    memset(gradient, 0, kernel_size(shorter) * sizeof *gradient);
    for (size_t o = 0; o < link->K; ++o)
        for (size_t k = 0; k < link->C; ++k)
            for (size_t p = 0; p < link->h; ++p)
                for (size_t q = 0; q < link->w; ++q, ++s, ++ds) {
                    double sum = 0;
                    for (size_t i = 0; i < shorter->h; ++i) {
                        const double *from = g->x + (o * g->h + i + p) * row + q * g->C;
                        sum += dot(from, shorter->x + (k * shorter->h + i) * n, n);
                        add_scaled((double)*s, from, n, gradient + (k * shorter->h + i) * n);
                    }
                    *ds += (float)sum;
                }
}

/* The kernels of the first 1, 2 ... links, one behind the other in the scratch, and the end of what they take. */
static double *
multiply_chain(const retc_network *network, const retc_layer *layer, kernel *chain) {
    double *end = network->scratch;
    for (int j = 0; j < layer->sources; ++j) {
        kernel link;
        const float *s = link_values(network, layer, j, &link);
        chain[j] = link;
        if (j > 0)
            chain[j] = (kernel){link.K, chain[0].C, chain[j - 1].h + link.h - 1, chain[j - 1].w + link.w - 1, NULL};
        chain[j].x = end;
        end += kernel_size(&chain[j]);
        memset(chain[j].x, 0, kernel_size(&chain[j]) * sizeof(double));
        if (j > 0)
            lengthen(&link, s, &chain[j - 1], &chain[j]);
        else
            to_double(s, &chain[0]);
    }
    return end;
}

/* Value i of a stored weight (K,C,h,w) in a kernel's order. */
static size_t
kernel_index(const kernel *k, size_t i) {
    size_t map = k->h * k->w, channel = i / map;
    return (channel / k->C * map + i % map) * k->C + channel % k->C;
}

static void
derive_chain(retc_network *network, const retc_layer *layer) {
    kernel chain[MOST_LINKS];
    multiply_chain(network, layer, chain);
    const kernel *whole = &chain[layer->sources - 1];
    float *weight = retc_network_values(network, layer->weight);
    for (size_t i = 0; i < kernel_size(whole); ++i)
        weight[i] = (float)whole->x[kernel_index(whole, i)];
}

static void
derive_chain_gradient(const retc_network *network, const retc_layer *layer, float *gradient) {
    kernel chain[MOST_LINKS];
    const retc_param *param = network->param;
    const float *dw = gradient + param[layer->weight].offset;
    size_t all;
    double *g = multiply_chain(network, layer, chain), *next = g + largest_kernel(network, layer, &all);
    for (size_t i = 0; i < param[layer->weight].size; ++i)
        g[kernel_index(&chain[layer->sources - 1], i)] = (double)dw[i];
    for (int j = layer->sources - 1; j > 0; --j) {
        kernel link, from = chain[j];
        const float *s = link_values(network, layer, j, &link);
        from.x = g;
        shorten(&link, s, &chain[j - 1], &from, gradient + param[layer->source + j].offset, next);
        g = next;
        next = from.x;
    }
    for (size_t i = 0; i < param[layer->source].size; ++i)
        gradient[param[layer->source].offset + i] += (float)g[kernel_index(&chain[0], i)];
}

/* ---- factors --------------------------------------------------------------------------------------------------------- */

static void
derive_product(retc_network *network, const retc_layer *layer) {
    const retc_param *space = &network->param[layer->source], *channel = space + 1;
    size_t map = space->size / layer->C, C = channel->shape[1];
    float *weight = retc_network_values(network, layer->weight);
    for (size_t i = 0; i < layer->C * C; ++i) {
        float factor = network->value[channel->offset + i];
        for (size_t u = 0; u < map; ++u)
            weight[i * map + u] = factor * network->value[space->offset + i / C * map + u];
    }
}

static void
derive_product_gradient(const retc_network *network, const retc_layer *layer, float *gradient) {
    const retc_param *space = &network->param[layer->source], *channel = space + 1;
    size_t map = space->size / layer->C, C = channel->shape[1];
    const float *dw = gradient + network->param[layer->weight].offset;
    for (size_t i = 0; i < layer->C * C; ++i) {
        const float *pattern = network->value + space->offset + i / C * map;
        float factor = network->value[channel->offset + i];
        double sum = 0;
        for (size_t u = 0; u < map; ++u) {
            sum += (double)dw[i * map + u] * (double)pattern[u];
            gradient[space->offset + i / C * map + u] += factor * dw[i * map + u];
        }
        gradient[channel->offset + i] += (float)sum;
    }
}

/* ---- all of a network ------------------------------------------------------------------------------------------------ */

void
retc_network_derive(retc_network *network) {
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].form == RETC_WEIGHT_STACKED)
            derive_chain(network, &network->layer[l]);
        else if (network->layer[l].form == RETC_WEIGHT_FACTORISED)
            derive_product(network, &network->layer[l]);
}

void
retc_network_derive_gradient(const retc_network *network, float *gradient) {
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        if (layer->form == RETC_WEIGHT_PLAIN)
            continue;
        if (layer->form == RETC_WEIGHT_STACKED)
            derive_chain_gradient(network, layer, gradient);
        else
            derive_product_gradient(network, layer, gradient);
        const retc_param *weight = &network->param[layer->weight];
        memset(gradient + weight->offset, 0, weight->size * sizeof *gradient);
    }
}
