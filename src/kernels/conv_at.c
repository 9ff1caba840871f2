/* Convolutions of which one output position per channel is used.  Every value is the same to the last bit as that of the whole
 * map: the same sums in the same order. */
#include <string.h>

#include "conv.h"
#include "gather.h"

/* Where the window of inputs of channel k begins. */
static size_t
input_of(const retc_conv *conv, const size_t *position, size_t k, size_t ld) {
    return (position[2 * k] * conv->shape.w + position[2 * k + 1]) * ld;
}

static size_t
output_of(const retc_conv *conv, const size_t *position, size_t k) {
    return ((k * conv->oh + position[2 * k]) * conv->ow + position[2 * k + 1]) * conv->out_ld;
}

void
retc_conv_forward_at(const retc_conv *conv, const size_t *position, const float *w, const float *bias, const float *in,
                     size_t n, float *out) {
    for (size_t k = 0; k < conv->shape.K; ++k)
        retc_gather(1, conv->J, n, w + k * conv->J, conv->J, bias ? bias + k : NULL,
                    in + input_of(conv, position, k, conv->in_ld), conv->offset, out + output_of(conv, position, k),
                    conv->out_ld, 0);
}

void
retc_conv_backward_weights_at(const retc_conv *conv, const size_t *position, const float *g, const float *in, size_t n,
                              float *dw, float *db) {
    for (size_t k = 0; k < conv->shape.K; ++k) {
        const float *row = g + output_of(conv, position, k);
        double sum = 0;
        retc_dots(1, conv->J, n, 1, row, conv->out_ld, 0, in + input_of(conv, position, k, conv->in_ld), 0, conv->offset,
                  dw + k * conv->J, conv->J);
        for (size_t t = 0; t < n; ++t)
            sum += (double)row[t];
        if (db)
            db[k] += (float)sum;
    }
}

void
retc_conv_backward_input_at(const retc_conv *conv, const size_t *position, const float *w, const float *g, size_t n, float *din,
                            size_t din_ld) {
    const retc_conv_shape *s = &conv->shape;
    const size_t here = 0;
    for (size_t row = 0; row < s->C * s->h * s->w; ++row)
        memset(din + row * din_ld, 0, n * sizeof *din);
    for (size_t k = 0; k < s->K; ++k)
        for (size_t c = 0; c < s->C; ++c)
            for (size_t p = 0; p < s->kh; ++p) /* a row of the kernel: one row of time spread over kw inputs */
                retc_gather(s->kw, 1, n, w + ((k * s->C + c) * s->kh + p) * s->kw, 1, NULL, g + output_of(conv, position, k),
                            &here, din + input_of(conv, position, k, din_ld) + (c * s->h + p) * s->w * din_ld, din_ld, 1);
}
