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
    case RETC_LAYER_TANH:
        return tanh(x);
    case RETC_LAYER_SIGMOID:
        return 1 / (1 + exp(-x));
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

/* w[k,c,u] = channel[k,c] space[k,u], then as any convolution. */
static int
factorised(const retc_network *network, size_t l, const double *value, const double *in, size_t n, double *out) {
    const retc_layer *layer = &network->layer[l];
    const retc_param *space = &network->param[layer->source], *channel = space + 1;
    retc_conv_shape shape = conv_shape(network, l);
    size_t map = shape.kh * shape.kw;
    double *w = NULL;
    int status = RETC_ALLOC(w, shape.K * shape.C * map);
    for (size_t i = 0; status == RETC_OK && i < shape.K * shape.C * map; ++i)
        w[i] = value[channel->offset + i / map] * value[space->offset + i / map / shape.C * map + i % map];
    if (status == RETC_OK)
        retc_conv_forward_reference(&shape, w, layer->bias < 0 ? NULL : value + network->param[layer->bias].offset, in, n, out);
    retc_free(w);
    return status;
}

/* One convolution after the other, the last one with the bias. */
static int
stacked(const retc_network *network, size_t l, const double *value, const double *in, size_t n, double *out) {
    const retc_layer *layer = &network->layer[l];
    retc_conv_shape shape = conv_shape(network, l);
    double *from = NULL, *to = NULL;
    int status = RETC_OK;
    for (int j = 0; j < layer->sources; ++j) {
        const retc_param *param = &network->param[layer->source + j];
        int last = j == layer->sources - 1;
        shape.K = param->shape[0], shape.kh = param->shape[2], shape.kw = param->shape[3];
        size_t h = shape.h - shape.kh + 1, w = shape.w - shape.kw + 1;
        if (!last)
            RETC_TRY(RETC_ALLOC(to, shape.K * h * w * n));
        retc_conv_forward_reference(&shape, value + param->offset,
                                    last && layer->bias >= 0 ? value + network->param[layer->bias].offset : NULL,
                                    from ? from : in, n, last ? out : to);
        retc_free(from);
        from = to, to = NULL;
        shape = (retc_conv_shape){shape.K, h, w, 0, 0, 0, 0};
    }
done:
    retc_free(from);
    retc_free(to);
    return status;
}

static int
convolution(const retc_network *network, size_t l, const double *value, const double *in, size_t n, double *out) {
    const retc_layer *layer = &network->layer[l];
    retc_conv_shape shape = conv_shape(network, l);
    if (layer->form == RETC_WEIGHT_STACKED)
        return stacked(network, l, value, in, n, out);
    if (layer->form == RETC_WEIGHT_FACTORISED)
        return factorised(network, l, value, in, n, out);
    retc_conv_forward_reference(&shape, value + network->param[layer->weight].offset,
                                layer->bias < 0 ? NULL : value + network->param[layer->bias].offset, in, n, out);
    return RETC_OK;
}

static void
pool(const retc_layer *layer, const double *in, size_t n, double *out) {
    const retc_layer *before = layer - 1;
    for (size_t u = 0; u < retc_layer_units(layer); ++u)
        for (size_t t = 0; t < n; ++t) {
            size_t c = u / (layer->h * layer->w), y = u / layer->w % layer->h, x = u % layer->w;
            double most = -(double)INFINITY, sum = 0;
            for (size_t p = 0; p < layer->kh; ++p)
                for (size_t q = 0; q < layer->kw; ++q) {
                    double value = in[((c * before->h + y * layer->kh + p) * before->w + x * layer->kw + q) * n + t];
                    most = fmax(most, value);
                    sum += value;
                }
            out[u * n + t] = layer->kind == RETC_LAYER_MAXPOOL ? most : sum / (double)(layer->kh * layer->kw);
        }
}

/* x and the middle of the output of the layer `from`. */
static void
add(const retc_layer *layer, const retc_layer *from, const double *x, const double *skipped, size_t n, double *out) {
    size_t top = (from->h - layer->h) / 2, left = (from->w - layer->w) / 2;
    for (size_t c = 0; c < layer->C; ++c)
        for (size_t i = 0; i < layer->h; ++i)
            for (size_t j = 0; j < layer->w; ++j)
                for (size_t t = 0; t < n; ++t) {
                    size_t at = ((c * layer->h + i) * layer->w + j) * n + t;
                    out[at] = x[at] + skipped[((c * from->h + top + i) * from->w + left + j) * n + t];
                }
}

static void
grab(const retc_layer *layer, const double *in, size_t n, double *out) {
    for (size_t c = 0; c < layer->C; ++c) {
        size_t unit = (c * layer[-1].h + layer->position[2 * c]) * layer[-1].w + layer->position[2 * c + 1];
        memcpy(out + c * n, in + unit * n, n * sizeof(double));
    }
}

/* Layer l of block b: x[l] from those before, x[0] from the movie. */
static int
forward_block(const retc_network *network, size_t l, const double *value, const double *movie, const batch *x, size_t b) {
    const retc_layer *layer = &network->layer[l];
    size_t n = x->n[b];
    const double *in = l ? x[l - 1].x[b] : movie;
    double *out = x[l].x[b];
    switch (layer->kind) {
    case RETC_LAYER_CONV:
        return convolution(network, l, value, in, n, out);
    case RETC_LAYER_GRAB:
        grab(layer, in, n, out);
        break;
    case RETC_LAYER_AVERAGE:
        average(network, layer, value, in, n, out);
        break;
    case RETC_LAYER_MAXPOOL:
    case RETC_LAYER_AVGPOOL:
        pool(layer, in, n, out);
        break;
    case RETC_LAYER_ADD:
        add(layer, &network->layer[layer->skip], in, x[layer->skip].x[b], n, out);
        break;
    default:
        for (size_t u = 0; u < retc_layer_units(layer); ++u)
            for (size_t t = 0; t < n; ++t)
                out[u * n + t] = elementwise(network, layer, value, u, in[u * n + t]);
    }
    return RETC_OK;
}

int
retc_reference_forward(const retc_network *network, const double *value, int training, size_t B, const size_t *n,
                       const double *const *movie, double *const *rate) {
    int status = RETC_OK;
    batch *x = NULL;
    RETC_TRY(RETC_ALLOC(x, network->layers));
    for (size_t l = 0; l < network->layers; ++l) {
        x[l] = (batch){B, n, NULL};
        RETC_TRY(batch_alloc(&x[l], retc_layer_units(&network->layer[l])));
        if (network->layer[l].kind == RETC_LAYER_BATCHNORM)
            batchnorm(network, &network->layer[l], value, training, &x[l - 1], &x[l]);
        else
            for (size_t b = 0; b < B; ++b)
                RETC_TRY(forward_block(network, l, value, movie[b], x, b));
    }
    for (size_t b = 0; b < B; ++b)
        memcpy(rate[b], x[network->layers - 1].x[b], network->N * n[b] * sizeof(double));
done:
    for (size_t l = 0; x && l < network->layers; ++l)
        batch_free(&x[l]);
    retc_free(x);
    return status;
}
