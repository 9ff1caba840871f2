#include "reference.h"

#include <math.h>
#include <string.h>

/* Output of one layer for every block. */
typedef struct {
    size_t B;
    const size_t *n;
    double **x; /* (B): (C,h,w,n) */
} batch;

static void
batch_free(batch *b) {
    for (size_t i = 0; b->x && i < b->B; ++i)
        retc_free(b->x[i]);
    retc_free(b->x);
    b->x = NULL;
}

static int
batch_alloc(batch *b, size_t units) {
    int status = RETC_ALLOC(b->x, b->B);
    for (size_t i = 0; i < b->B && status == RETC_OK; ++i)
        status = RETC_ALLOC(b->x[i], units * b->n[i]);
    return status;
}

static size_t
feature_of(const retc_layer *layer, size_t unit) {
    return layer->per_unit ? unit : unit / (layer->h * layer->w);
}

/* Mean and variance of a feature over all units, blocks and times that belong to it. */
static void
batch_statistics(const retc_layer *layer, const batch *in, size_t feature, double *mean, double *var) {
    double count = 0, sum = 0, squares = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (size_t b = 0; b < in->B; ++b)
            for (size_t u = 0; u < retc_layer_units(layer); ++u)
                for (size_t t = 0; feature_of(layer, u) == feature && t < in->n[b]; ++t) {
                    double x = in->x[b][u * in->n[b] + t];
                    if (pass == 0)
                        sum += x, count += 1;
                    else
                        squares += (x - sum / count) * (x - sum / count);
                }
    }
    *mean = sum / count;
    *var = squares / count;
}

static void
batchnorm(const retc_network *network, const retc_layer *layer, const double *value, int training, const batch *in,
          batch *out) {
    for (size_t u = 0; u < retc_layer_units(layer); ++u) {
        size_t f = feature_of(layer, u);
        double mean = value[network->param[layer->mean].offset + f], var = value[network->param[layer->var].offset + f];
        double weight = value[network->param[layer->weight].offset + f], bias = value[network->param[layer->bias].offset + f];
        if (training)
            batch_statistics(layer, in, f, &mean, &var);
        for (size_t b = 0; b < in->B; ++b)
            for (size_t t = 0; t < in->n[b]; ++t) {
                size_t i = u * in->n[b] + t;
                out->x[b][i] = (in->x[b][i] - mean) / sqrt(var + layer->eps) * (layer->absolute ? fabs(weight) : weight) + bias;
            }
    }
}

static double
piecewise(const double *x, const double *y, size_t knots, double at) {
    if (at <= x[0])
        return y[0];
    for (size_t k = 1; k < knots; ++k)
        if (at < x[k])
            return y[k - 1] + (y[k] - y[k - 1]) * (at - x[k - 1]) / (x[k] - x[k - 1]);
    return y[knots - 1];
}

static double
elementwise(const retc_network *network, const retc_layer *layer, const double *value, size_t unit, double x) {
    switch (layer->kind) {
    case RETC_LAYER_RELU:
        return x > 0 ? x : 0;
    case RETC_LAYER_SOFTPLUS:
        return x > 20 ? x : log1p(exp(x));
    case RETC_LAYER_EXP:
        return exp(x);
    case RETC_LAYER_SCALE:
        return layer->value * x + layer->offset;
    case RETC_LAYER_PIECEWISE:
        return piecewise(value + network->param[layer->weight].offset + unit * layer->knots,
                         value + network->param[layer->bias].offset + unit * layer->knots, layer->knots, x);
    default:
        return x;
    }
}

/* in (C,cells,n) to out (C,n). */
static void
average(const retc_network *network, const retc_layer *layer, const double *value, const double *in, size_t n, double *out) {
    const retc_param *w = &network->param[layer->weight];
    for (size_t c = 0; c < layer->C; ++c) {
        const double *row = value + w->offset + c * w->shape[1];
        double least = row[0], total = 0;
        for (size_t l = 0; l < w->shape[1]; ++l)
            least = fmin(least, row[l]);
        for (size_t l = 0; l < w->shape[1]; ++l)
            total += row[l] - least;
        for (size_t l = 0; l < w->shape[1]; ++l)
            for (size_t t = 0; t < n; ++t)
                out[c * n + t] += (row[l] - least) / total * in[(c * w->shape[1] + l) * n + t];
    }
}

/* Shape of layer l's input. */
static retc_conv_shape
conv_shape(const retc_network *network, size_t l) {
    const retc_layer *layer = &network->layer[l], *before = l ? layer - 1 : NULL;
    return (retc_conv_shape){before ? before->C : network->L,
                             before ? before->h : network->H,
                             before ? before->w : network->W,
                             layer->C,
                             layer->kh,
                             layer->kw,
                             before == NULL};
}

static void
forward_layer(const retc_network *network, size_t l, const double *value, int training, const double *const *movie,
              const batch *in, batch *out) {
    const retc_layer *layer = &network->layer[l];
    if (layer->kind == RETC_LAYER_BATCHNORM) {
        batchnorm(network, layer, value, training, in, out);
        return;
    }
    for (size_t b = 0; b < out->B; ++b) {
        size_t n = out->n[b];
        if (layer->kind == RETC_LAYER_CONV) {
            retc_conv_shape shape = conv_shape(network, l);
            retc_conv_forward_reference(&shape, value + network->param[layer->weight].offset,
                                        layer->bias < 0 ? NULL : value + network->param[layer->bias].offset,
                                        l ? in->x[b] : movie[b], n, out->x[b]);
        } else if (layer->kind == RETC_LAYER_GRAB) {
            for (size_t c = 0; c < layer->C; ++c) {
                size_t unit = (c * layer[-1].h + layer->position[2 * c]) * layer[-1].w + layer->position[2 * c + 1];
                memcpy(out->x[b] + c * n, in->x[b] + unit * n, n * sizeof(double));
            }
        } else if (layer->kind == RETC_LAYER_AVERAGE)
            average(network, layer, value, in->x[b], n, out->x[b]);
        else
            for (size_t u = 0; u < retc_layer_units(layer); ++u)
                for (size_t t = 0; t < n; ++t)
                    out->x[b][u * n + t] = elementwise(network, layer, value, u, in->x[b][u * n + t]);
    }
}

int
retc_reference_forward(const retc_network *network, const double *value, int training, size_t B, const size_t *n,
                       const double *const *movie, double *const *rate) {
    int status = RETC_OK;
    batch in = {B, n, NULL}, out = {B, n, NULL};
    for (size_t l = 0; l < network->layers; ++l) {
        RETC_TRY(batch_alloc(&out, retc_layer_units(&network->layer[l])));
        forward_layer(network, l, value, training, movie, &in, &out);
        batch_free(&in);
        in.x = out.x;
        out.x = NULL;
    }
    for (size_t b = 0; b < B; ++b)
        memcpy(rate[b], in.x[b], network->N * n[b] * sizeof(double));
done:
    batch_free(&in);
    batch_free(&out);
    return status;
}
