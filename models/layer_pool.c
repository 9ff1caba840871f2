/* Pools: the largest value or the mean of windows that do not overlap. */
#include <math.h>
#include <string.h>

#include "layer_internal.h"

/* The windows of a layer. */
typedef struct {
    size_t h, w;   /* map of the input */
    size_t kh, kw; /* window */
    size_t ld;
} windows;

static windows
windows_of(const retc_tape *tape, size_t l) {
    const retc_layer *layer = &tape->network->layer[l];
    return (windows){layer[-1].h, layer[-1].w, layer->kh, layer->kw, tape->ld};
}

/* Where the rows of output row `row` of `layer` begin in its input. */
static size_t
first_of(const windows *v, const retc_layer *layer, size_t row) {
    size_t x = row % layer->w, y = row / layer->w % layer->h, c = row / (layer->h * layer->w);
    return ((c * v->h + y * v->kh) * v->w + x * v->kw) * v->ld;
}

/* Element i of a window, from the first. */
static size_t
element(const windows *v, size_t i) {
    return (i / v->kw * v->w + i % v->kw) * v->ld;
}

static void
forward_largest(const windows *v, const float *in, size_t n, float *out) {
    memcpy(out, in, n * sizeof *out);
    for (size_t i = 1; i < v->kh * v->kw; ++i) {
        const float *x = in + element(v, i);
        for (size_t t = 0; t < n; ++t)
            out[t] = x[t] > out[t] || isnan(x[t]) ? x[t] : out[t];
    }
}

static void
forward_mean(const windows *v, const float *in, size_t n, float *out) {
    float share = 1.0f / (float)(v->kh * v->kw);
    memset(out, 0, n * sizeof *out);
    for (size_t i = 0; i < v->kh * v->kw; ++i) {
        const float *x = in + element(v, i);
        for (size_t t = 0; t < n; ++t)
            out[t] += share * x[t];
    }
}

void
retc_pool_forward(const retc_tape *tape, size_t l, const float *in, size_t n, float *out) {
    const retc_layer *layer = &tape->network->layer[l];
    windows v = windows_of(tape, l);
    for (size_t row = 0; row < retc_layer_units(layer); ++row)
        if (layer->kind == RETC_LAYER_MAXPOOL)
            forward_largest(&v, in + first_of(&v, layer, row), n, out + row * v.ld);
        else
            forward_mean(&v, in + first_of(&v, layer, row), n, out + row * v.ld);
}

/* The first of the largest elements of a window at time t, as torch takes it; halfway between two inputs with x0. */
static size_t
largest(const windows *v, const float *x, const float *x0, size_t t) {
    size_t best = 0;
    double most = -(double)INFINITY;
    for (size_t i = 0; i < v->kh * v->kw; ++i) {
        size_t at = element(v, i) + t;
        double value = (double)x[at] + (x0 ? (double)x0[at] : 0);
        if (value > most || isnan(value))
            best = i, most = value;
    }
    return best;
}

/* The discrete gradient of the largest value f between x0 and x (Gonzalez 1996, eq. 3.2; m their middle),
 *   grad f(m) + (f(x) - f(x0) - grad f(m) . (x - x0)) / |x - x0|^2 (x - x0),
 * whose product with x - x0 is f(x) - f(x0).  Where one element is the largest at x0, m and x it is the gradient itself. */
static void
backward_largest(const windows *v, const float *x, const float *x0, const float *g, size_t n, float *gin) {
    for (size_t t = 0; t < n; ++t) {
        size_t end = element(v, largest(v, x, NULL, t)) + t, at = end;
        double missing = 0, square = 0;
        if (x0) {
            at = element(v, largest(v, x, x0, t)) + t;
            size_t start = element(v, largest(v, x0, NULL, t)) + t;
            missing = (double)x[end] - (double)x0[start] - ((double)x[at] - (double)x0[at]);
        }
        gin[at] = g[t];
        if (missing == 0)
            continue;
        for (size_t i = 0; i < v->kh * v->kw; ++i) {
            double step = (double)x[element(v, i) + t] - (double)x0[element(v, i) + t];
            square += step * step;
        }
        for (size_t i = 0; i < v->kh * v->kw; ++i) {
            double step = (double)x[element(v, i) + t] - (double)x0[element(v, i) + t];
            gin[element(v, i) + t] += (float)((double)g[t] * missing / square * step);
        }
    }
}

static void
backward_mean(const windows *v, const float *g, size_t n, float *gin) {
    float share = 1.0f / (float)(v->kh * v->kw);
    for (size_t i = 0; i < v->kh * v->kw; ++i)
        for (size_t t = 0; t < n; ++t)
            gin[element(v, i) + t] = share * g[t];
}

void
retc_pool_backward(const retc_tape *tape, size_t l, const float *in, const float *in0, const float *g, size_t n, float *gin) {
    const retc_layer *layer = &tape->network->layer[l];
    windows v = windows_of(tape, l);
    memset(gin, 0, retc_layer_units(layer - 1) * v.ld * sizeof *gin);
    for (size_t row = 0; row < retc_layer_units(layer); ++row) {
        size_t at = first_of(&v, layer, row);
        if (layer->kind == RETC_LAYER_MAXPOOL)
            backward_largest(&v, in + at, in0 ? in0 + at : NULL, g + row * v.ld, n, gin + at);
        else
            backward_mean(&v, g + row * v.ld, n, gin + at);
    }
}
