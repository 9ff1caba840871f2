/* What a layer computes from its input, and gradients back through it.  Derivatives are taken from the input, not the output,
 * since noise may have been added to the latter in place. */
#include <math.h>
#include <string.h>

#include "layer_internal.h"
#include "rows.h"

static const float softplus_linear = 20; /* beyond it softplus(x) is x, as in torch */

/* ---- forward --------------------------------------------------------------------------------------------------------- */

static float
softplus(float x) {
    return x > softplus_linear ? x : log1pf(expf(x));
}

static float
sigmoid(float x) {
    return 1.0f / (1.0f + expf(-x));
}

static float
softplus_slope(float x) {
    return x > softplus_linear ? 1.0f : sigmoid(x);
}

/* Value and slope of the lines through a channel's knots. */
static float
piecewise(const float *x, const float *y, size_t knots, float at, float *slope) {
    *slope = 0;
    if (knots == 1 || at <= x[0])
        return y[0];
    if (at >= x[knots - 1])
        return y[knots - 1];
    size_t low = 0, high = knots - 1;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (x[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    *slope = (y[high] - y[low]) / (x[high] - x[low]);
    return y[low] + *slope * (at - x[low]);
}

static void
batchnorm_row(const retc_network *network, const retc_layer *layer, size_t row, float *scale, float *shift) {
    retc_batchnorm_affine(network, layer, layer->per_unit ? row : row / (layer->h * layer->w), scale, shift);
}

/* Rows of a layer that works element by element; row i of the output from row i of the input. */
static void
forward_row(const retc_tape *tape, const retc_layer *layer, size_t row, const float *in, size_t n, float *out) {
    const retc_network *network = tape->network;
    float scale = (float)layer->value, shift = (float)layer->offset, slope;
    switch (layer->kind) {
    case RETC_LAYER_BATCHNORM:
        batchnorm_row(network, layer, row, &scale, &shift); /* fall through */
    case RETC_LAYER_SCALE:
        retc_row_affine(in, scale, shift, n, out);
        break;
    case RETC_LAYER_RELU:
        if (in == out)
            retc_row_rectify(n, out);
        else
            retc_row_relu(in, n, out);
        break;
    case RETC_LAYER_SOFTPLUS:
        for (size_t t = 0; t < n; ++t)
            out[t] = softplus(in[t]);
        break;
    case RETC_LAYER_EXP:
        for (size_t t = 0; t < n; ++t)
            out[t] = expf(in[t]);
        break;
    case RETC_LAYER_TANH:
        for (size_t t = 0; t < n; ++t)
            out[t] = tanhf(in[t]);
        break;
    case RETC_LAYER_SIGMOID:
        for (size_t t = 0; t < n; ++t)
            out[t] = sigmoid(in[t]);
        break;
    case RETC_LAYER_PIECEWISE:
        for (size_t t = 0; t < n; ++t)
            out[t] =
                piecewise(retc_network_values_const(network, layer->weight) + row * layer->knots,
                          retc_network_values_const(network, layer->bias) + row * layer->knots, layer->knots, in[t], &slope);
        break;
    case RETC_LAYER_NOISE:
        if (out != in)
            memcpy(out, in, n * sizeof *out);
        break;
    default: /* not element by element */
        break;
    }
}

/* Row of layer l's input that channel c of a grab layer takes. */
static size_t
grabbed_row(const retc_tape *tape, size_t l, size_t c) {
    const retc_layer *before = &tape->network->layer[l - 1];
    const size_t *position = tape->network->layer[l].position;
    return (c * before->h + position[2 * c]) * before->w + position[2 * c + 1];
}

static double
dot(const float *x, const float *y, size_t n) {
    double sum = 0;
    for (size_t t = 0; t < n; ++t)
        sum += (double)x[t] * (double)y[t];
    return sum;
}

/* The average of a layer forward, from in (C,cells,ld) to out (C,ld), or backward, from g (C,ld) to gin (C,cells,ld). */
static void
average(const retc_tape *tape, const retc_layer *layer, int backward, const float *from, size_t n, float *to) {
    size_t cells = tape->network->param[layer->weight].shape[1], ld = tape->ld;
    for (size_t c = 0; c < layer->C; ++c) {
        const float *w = retc_network_values_const(tape->network, layer->weight) + c * cells;
        double least, total;
        retc_average_weights(tape->network, layer, c, &least, &total);
        if (!backward)
            memset(to + c * ld, 0, n * sizeof *to);
        for (size_t l = 0; l < cells; ++l) {
            float p = (float)(((double)w[l] - least) / total);
            const float *in = from + (backward ? c : c * cells + l) * ld;
            float *out = to + (backward ? c * cells + l : c) * ld;
            for (size_t t = 0; t < n; ++t)
                out[t] = backward ? p * in[t] : out[t] + p * in[t];
        }
    }
}

/* With p_k = (w_k - m)/S, m = min w, S = sum_k (w_k - m), and out = sum_k p_k x_k:  d/dw_k = q_k / S with q_k = g x_k - g out,
 * summed over frames, and at the least weight, which m follows, less sum_k q_k / S. */
void
retc_tape_backward_average(const retc_tape *tape, size_t l, size_t n, float *dw) {
    const retc_layer *layer = &tape->network->layer[l];
    size_t cells = tape->network->param[layer->weight].shape[1], ld = tape->ld;
    for (size_t c = 0; c < layer->C; ++c, dw += cells) {
        const float *w = retc_network_values_const(tape->network, layer->weight) + c * cells, *g = tape->grad[l] + c * ld;
        const float *x = retc_tape_input(tape, l) + c * cells * ld;
        double least, total, mean = dot(g, tape->out[l] + c * ld, n), rest = 0;
        size_t first = 0;
        retc_average_weights(tape->network, layer, c, &least, &total);
        for (size_t k = 0; k < cells; ++k) {
            double slope = (dot(g, x + k * ld, n) - mean) / total;
            dw[k] += (float)slope;
            rest += slope;
        }
        while ((double)w[first] > least)
            ++first;
        dw[first] -= (float)rest;
    }
}

/* Add the middle of the output of the layer that a residual addition takes. */
static void
add_middle(const retc_tape *tape, const retc_layer *layer, size_t n, float *out) {
    for (size_t row = 0; row < retc_layer_units(layer); ++row)
        retc_row_add(tape->out[layer->skip] + retc_layer_middle(tape->network, layer, row) * tape->ld, n, out + row * tape->ld);
}

void
retc_layer_forward(const retc_tape *tape, size_t l, const float *in, size_t n, float *out) {
    const retc_network *network = tape->network;
    const retc_layer *layer = &network->layer[l];
    size_t ld = tape->ld, rows = retc_layer_units(layer);
    if (layer->kind == RETC_LAYER_CONV && l == 0)
        retc_tape_convolve(tape, retc_network_values_const(network, layer->bias), n, out);
    else if (layer->kind == RETC_LAYER_CONV)
        retc_tape_convolve_maps(tape, l, in, n, out);
    else if (layer->kind == RETC_LAYER_GRAB)
        for (size_t c = 0; c < layer->C; ++c)
            memcpy(out + c * ld, in + grabbed_row(tape, l, c) * ld, n * sizeof *out);
    else if (layer->kind == RETC_LAYER_AVERAGE)
        average(tape, layer, 0, in, n, out);
    else if (layer->kind == RETC_LAYER_MAXPOOL || layer->kind == RETC_LAYER_AVGPOOL)
        retc_pool_forward(tape, l, in, n, out);
    else if (layer->kind == RETC_LAYER_ADD) {
        memcpy(out, in, rows * ld * sizeof *out);
        add_middle(tape, layer, n, out);
    } else
        for (size_t row = 0; row < rows; ++row)
            forward_row(tape, layer, row, in + row * ld, n, out + row * ld);
}

/* ---- backward -------------------------------------------------------------------------------------------------------- */

/* Secant of a smooth function: where the two inputs nearly agree the difference quotient is lost in rounding, and the
 * derivative at their middle is exact to third order. */
static float
smooth_slope(float in, float out, const float *in0, const float *out0, size_t t, float (*derivative)(float)) {
    if (!in0)
        return derivative(in);
    float step = in - in0[t];
    return fabsf(step) > 1e-3f * (1 + fabsf(in)) ? (out - out0[t]) / step : derivative(in - 0.5f * step);
}

/* e^-x / (1 + e^-x)^2, the same for x and -x: nothing cancels, nothing overflows. */
static float
sigmoid_slope(float x) {
    float e = expf(-fabsf(x));
    return e / ((1 + e) * (1 + e));
}

/* 1 - tanh^2 x */
static float
tanh_slope(float x) {
    return 4 * sigmoid_slope(2 * x);
}

static void
backward_row(const retc_tape *tape, const retc_layer *layer, size_t row, const float *in, const float *out, const float *in0,
             const float *out0, const float *g, size_t n, float *gin) {
    const retc_network *network = tape->network;
    float scale = (float)layer->value, shift, slope;
    switch (layer->kind) {
    case RETC_LAYER_BATCHNORM:
        batchnorm_row(network, layer, row, &scale, &shift); /* fall through */
    case RETC_LAYER_SCALE:
        retc_row_affine(g, scale, 0, n, gin);
        break;
    case RETC_LAYER_RELU:
        if (in0)
            retc_row_relu_secant(in, in0, g, n, gin);
        else
            retc_row_relu_backward(in, g, n, gin);
        break;
    case RETC_LAYER_SOFTPLUS:
        for (size_t t = 0; t < n; ++t)
            gin[t] = g[t] * smooth_slope(in[t], out[t], in0, out0, t, softplus_slope);
        break;
    case RETC_LAYER_EXP:
        for (size_t t = 0; t < n; ++t)
            gin[t] = g[t] * smooth_slope(in[t], out[t], in0, out0, t, expf);
        break;
    case RETC_LAYER_TANH:
        for (size_t t = 0; t < n; ++t)
            gin[t] = g[t] * smooth_slope(in[t], out[t], in0, out0, t, tanh_slope);
        break;
    case RETC_LAYER_SIGMOID:
        for (size_t t = 0; t < n; ++t)
            gin[t] = g[t] * smooth_slope(in[t], out[t], in0, out0, t, sigmoid_slope);
        break;
    case RETC_LAYER_PIECEWISE:
        for (size_t t = 0; t < n; ++t) {
            (void)piecewise(retc_network_values_const(network, layer->weight) + row * layer->knots,
                            retc_network_values_const(network, layer->bias) + row * layer->knots, layer->knots, in[t], &slope);
            if (in0 && in[t] != in0[t])
                slope = (out[t] - out0[t]) / (in[t] - in0[t]);
            gin[t] = g[t] * slope;
        }
        break;
    case RETC_LAYER_NOISE:
    case RETC_LAYER_ADD:
        if (gin != g)
            memcpy(gin, g, n * sizeof *gin);
        break;
    default: /* not element by element */
        break;
    }
}

void
retc_layer_backward(retc_tape *tape, size_t l, const float *in, const float *out, const float *in0, const float *out0,
                    const float *g, size_t n, float *gin) {
    const retc_network *network = tape->network;
    const retc_layer *layer = &network->layer[l];
    size_t ld = tape->ld, rows = retc_layer_units(layer);
    if (layer->kind == RETC_LAYER_CONV)
        retc_tape_convolve_back(tape, l, g, n, gin);
    else if (layer->kind == RETC_LAYER_GRAB) {
        if (!retc_network_grabbed(network, l - 1))
            memset(gin, 0, retc_layer_units(layer - 1) * ld * sizeof *gin);
        for (size_t c = 0; c < layer->C; ++c)
            memcpy(gin + grabbed_row(tape, l, c) * ld, g + c * ld, n * sizeof *gin);
    } else if (layer->kind == RETC_LAYER_AVERAGE)
        average(tape, layer, 1, g, n, gin);
    else if (layer->kind == RETC_LAYER_MAXPOOL || layer->kind == RETC_LAYER_AVGPOOL)
        retc_pool_backward(tape, l, in, in0, g, n, gin);
    else
        for (size_t row = 0; row < rows; ++row)
            backward_row(tape, layer, row, in + row * ld, out + row * ld, in0 ? in0 + row * ld : NULL,
                         out0 ? out0 + row * ld : NULL, g + row * ld, n, gin + row * ld);
}
