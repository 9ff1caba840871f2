#include "tape.h"

#include <math.h>
#include <string.h>

#include "gather.h"
#include "rows.h"

enum { LANES = 16 }; /* rows of time begin on full vectors */

static const float softplus_linear = 20; /* beyond it softplus(x) is x, as in torch */

static size_t
round_up(size_t n) {
    return (n + LANES - 1) / LANES * LANES;
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static int
alloc_layer(retc_tape *tape, size_t l, int gradients, size_t *packed, size_t *packed_offset) {
    const retc_network *network = tape->network;
    const retc_layer *layer = &network->layer[l];
    size_t n = retc_layer_units(layer) * tape->ld;
    int status = RETC_OK;
    if (layer->kind == RETC_LAYER_NOISE) {
        tape->out[l] = tape->out[l - 1];
        if (gradients)
            tape->grad[l] = tape->grad[l - 1];
        return RETC_OK;
    }
    RETC_TRY(RETC_ALLOC(tape->out[l], n));
    if (gradients)
        RETC_TRY(RETC_ALLOC(tape->grad[l], n));
    if (layer->kind == RETC_LAYER_CONV) {
        const retc_layer *before = l ? layer - 1 : NULL;
        retc_conv_shape shape = {before ? before->C : network->L,
                                 before ? before->h : network->H,
                                 before ? before->w : network->W,
                                 layer->C,
                                 layer->kh,
                                 layer->kw,
                                 before == NULL};
        RETC_TRY(retc_conv_init(&tape->conv[l], &shape, before ? tape->ld : tape->in_ld, tape->ld));
        size_t weights = shape.K * shape.C * shape.kh * shape.kw, taps = shape.K * shape.kh * shape.kw;
        *packed = weights > *packed ? weights : *packed;
        *packed_offset = taps > *packed_offset ? taps : *packed_offset;
    }
done:
    return status;
}

/* Transforms for the first convolution where they pay; who asks for the reference kernels gets no transforms. */
static int
alloc_transforms(retc_tape *tape, const retc_tape *beside) {
    int status = RETC_OK;
    if (!retc_fftconv_pays(&tape->conv[0].shape, tape->max_n) || !strcmp(retc_kernel_name(), "reference"))
        return RETC_OK;
    tape->owns_fft = !beside;
    tape->fft = beside ? beside->fft : retc_fftconv_alloc(&tape->conv[0].shape, tape->in_ld, tape->ld, tape->max_n);
    RETC_TRY(RETC_GOT(tape->fft));
    RETC_TRY(RETC_GOT(tape->fft_work = retc_fftconv_work_alloc(tape->fft)));
    if (tape->owns_fft)
        retc_tape_refresh(tape);
done:
    return status;
}

retc_tape *
retc_tape_alloc(const retc_network *network, size_t max_n, int flags, const retc_tape *beside) {
    int status = RETC_OK, gradients = flags & RETC_TAPE_GRADIENTS, movie = !(flags & RETC_TAPE_NO_MOVIE);
    size_t packed = 0, packed_offset = 0;
    retc_tape *tape = retc_calloc(1, sizeof *tape);
    if (!tape)
        return NULL;
    tape->network = network;
    tape->max_n = max_n;
    tape->ld = round_up(max_n);
    tape->in_ld = round_up(tape->ld + network->L - 1);
    if (movie)
        RETC_TRY(RETC_ALLOC(tape->movie, network->H * network->W * tape->in_ld));
    RETC_TRY(RETC_ALLOC(tape->out, network->layers));
    RETC_TRY(RETC_ALLOC(tape->conv, network->layers));
    if (gradients)
        RETC_TRY(RETC_ALLOC(tape->grad, network->layers));
    for (size_t l = 0; l < network->layers; ++l)
        RETC_TRY(alloc_layer(tape, l, gradients, &packed, &packed_offset));
    if (movie && network->layer[0].kind == RETC_LAYER_CONV)
        RETC_TRY(alloc_transforms(tape, beside));
    if (gradients) {
        RETC_TRY(RETC_ALLOC(tape->packed, packed));
        RETC_TRY(RETC_ALLOC(tape->packed_offset, packed_offset));
    }
done:
    if (status < 0) {
        retc_tape_free(tape);
        return NULL;
    }
    return tape;
}

int
retc_tape_add_window_gradient(retc_tape *tape) {
    const retc_network *network = tape->network;
    return RETC_ALLOC(tape->window_grad, network->L * network->H * network->W * tape->ld);
}

void
retc_tape_free(retc_tape *tape) {
    if (!tape)
        return;
    for (size_t l = 0; l < tape->network->layers; ++l) {
        int shared = tape->network->layer[l].kind == RETC_LAYER_NOISE;
        if (tape->out && !shared)
            retc_free(tape->out[l]);
        if (tape->grad && !shared)
            retc_free(tape->grad[l]);
        if (tape->conv)
            retc_conv_free(&tape->conv[l]);
    }
    retc_fftconv_work_free(tape->fft_work);
    if (tape->owns_fft)
        retc_fftconv_free(tape->fft);
    retc_free(tape->movie);
    retc_free(tape->out);
    retc_free(tape->grad);
    retc_free(tape->conv);
    retc_free(tape->packed);
    retc_free(tape->packed_offset);
    retc_free(tape->window_grad);
    retc_free(tape);
}

void
retc_tape_refresh(retc_tape *tape) {
    if (tape->fft)
        retc_fftconv_set_weights(tape->fft, tape->fft_work,
                                 retc_network_values_const(tape->network, tape->network->layer[0].weight));
}

void
retc_tape_load(retc_tape *tape, const float *frames, size_t n) {
    const retc_network *network = tape->network;
    size_t pixels = network->H * network->W, count = n + network->L - 1;
    /* As the peers normalise: in float, from float mean and float standard deviation. */
    float mean = (float)network->stimulus_mean, std = (float)network->stimulus_std;
    for (size_t p = 0; p < pixels; ++p)
        for (size_t t = 0; t < count; ++t)
            tape->movie[p * tape->in_ld + t] = (frames[t * pixels + p] - mean) / std;
}

float *
retc_tape_input(const retc_tape *tape, size_t l) {
    return l ? tape->out[l - 1] : tape->movie;
}

const float *
retc_tape_rate(const retc_tape *tape, size_t j) {
    return tape->out[tape->network->layers - 1] + j * tape->ld;
}

/* ---- forward --------------------------------------------------------------------------------------------------------- */

static float
softplus(float x) {
    return x > softplus_linear ? x : log1pf(expf(x));
}

static float
sigmoid(float x) {
    return x > softplus_linear ? 1.0f : 1.0f / (1.0f + expf(-x));
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
    case RETC_LAYER_PIECEWISE:
        for (size_t t = 0; t < n; ++t)
            out[t] =
                piecewise(retc_network_values_const(network, layer->weight) + row * layer->knots,
                          retc_network_values_const(network, layer->bias) + row * layer->knots, layer->knots, in[t], &slope);
        break;
    case RETC_LAYER_NOISE:
    case RETC_LAYER_CONV:
    case RETC_LAYER_GRAB:
    case RETC_LAYER_AVERAGE:
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

void
retc_tape_convolve(const retc_tape *tape, const float *bias, size_t n, float *out) {
    const float *w = retc_network_values_const(tape->network, tape->network->layer[0].weight);
    if (tape->fft)
        retc_fftconv_forward(tape->fft, tape->fft_work, bias, tape->movie, n, out);
    else
        retc_conv_forward(&tape->conv[0], w, bias, tape->movie, n, out);
}

void
retc_layer_forward(const retc_tape *tape, size_t l, const float *in, size_t n, float *out) {
    const retc_network *network = tape->network;
    const retc_layer *layer = &network->layer[l];
    size_t ld = tape->ld, rows = retc_layer_units(layer);
    if (layer->kind == RETC_LAYER_CONV && l == 0)
        retc_tape_convolve(tape, retc_network_values_const(network, layer->bias), n, out);
    else if (layer->kind == RETC_LAYER_CONV)
        retc_conv_forward(&tape->conv[l], retc_network_values_const(network, layer->weight),
                          retc_network_values_const(network, layer->bias), in, n, out);
    else if (layer->kind == RETC_LAYER_GRAB)
        for (size_t c = 0; c < layer->C; ++c)
            memcpy(out + c * ld, in + grabbed_row(tape, l, c) * ld, n * sizeof *out);
    else if (layer->kind == RETC_LAYER_AVERAGE)
        average(tape, layer, 0, in, n, out);
    else
        for (size_t row = 0; row < rows; ++row)
            forward_row(tape, layer, row, in + row * ld, n, out + row * ld);
}

void
retc_tape_forward(retc_tape *tape, size_t from, size_t to, size_t n) {
    for (size_t l = from; l < to; ++l)
        retc_layer_forward(tape, l, retc_tape_input(tape, l), n, tape->out[l]);
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
            gin[t] = g[t] * smooth_slope(in[t], out[t], in0, out0, t, sigmoid);
        break;
    case RETC_LAYER_EXP:
        for (size_t t = 0; t < n; ++t)
            gin[t] = g[t] * smooth_slope(in[t], out[t], in0, out0, t, expf);
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
    case RETC_LAYER_CONV:
    case RETC_LAYER_GRAB:
    case RETC_LAYER_AVERAGE:
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
        retc_conv_backward_input(&tape->conv[l], retc_network_values_const(network, layer->weight), g, n, gin, ld, tape->packed,
                                 tape->packed_offset);
    else if (layer->kind == RETC_LAYER_GRAB) {
        memset(gin, 0, retc_layer_units(layer - 1) * ld * sizeof *gin);
        for (size_t c = 0; c < layer->C; ++c)
            memcpy(gin + grabbed_row(tape, l, c) * ld, g + c * ld, n * sizeof *gin);
    } else if (layer->kind == RETC_LAYER_AVERAGE)
        average(tape, layer, 1, g, n, gin);
    else
        for (size_t row = 0; row < rows; ++row)
            backward_row(tape, layer, row, in + row * ld, out + row * ld, in0 ? in0 + row * ld : NULL,
                         out0 ? out0 + row * ld : NULL, g + row * ld, n, gin + row * ld);
}

void
retc_tape_backward(retc_tape *tape, size_t from, size_t to, size_t n) {
    for (size_t l = from; l > to; --l)
        retc_layer_backward(tape, l, tape->out[l - 1], tape->out[l], NULL, NULL, tape->grad[l], n, tape->grad[l - 1]);
}

void
retc_tape_backward_weights(const retc_tape *tape, size_t l, size_t n, float *dw, float *db) {
    const retc_conv *conv = &tape->conv[l];
    if (l == 0 && tape->fft) {
        retc_fftconv_backward_weights(tape->fft, tape->fft_work, tape->grad[0], n, dw);
        retc_conv_backward_bias(conv, tape->grad[0], n, db);
    } else {
        retc_conv_backward_weights(conv, tape->grad[l], retc_tape_input(tape, l), n, dw, db);
    }
}

void
retc_tape_backward_window(retc_tape *tape, size_t n) {
    const retc_layer *layer = &tape->network->layer[0];
    retc_conv_backward_input(&tape->conv[0], retc_network_values_const(tape->network, layer->weight), tape->grad[0], n,
                             tape->window_grad, tape->ld, tape->packed, tape->packed_offset);
}
