#include "conv.h"

#include "gather.h"

int
retc_conv_init(retc_conv *conv, const retc_conv_shape *shape, size_t in_ld, size_t out_ld) {
    if (shape->kh == 0 || shape->kw == 0 || shape->kh > shape->h || shape->kw > shape->w)
        return RETC_FAIL(RETC_EINVAL, "a kernel of %zux%zu does not fit into a map of %zux%zu", shape->kh, shape->kw, shape->h,
                         shape->w);
    *conv = (retc_conv){
        *shape, shape->h - shape->kh + 1, shape->w - shape->kw + 1, in_ld, out_ld, shape->C * shape->kh * shape->kw, NULL};
    int status = RETC_ALLOC(conv->offset, conv->J);
    if (status < 0)
        return status;
    size_t channel = shape->window ? 1 : shape->h * shape->w * in_ld, j = 0;
    for (size_t c = 0; c < shape->C; ++c)
        for (size_t p = 0; p < shape->kh; ++p)
            for (size_t q = 0; q < shape->kw; ++q)
                conv->offset[j++] = c * channel + (p * shape->w + q) * in_ld;
    return RETC_OK;
}

void
retc_conv_free(retc_conv *conv) {
    retc_free(conv->offset);
    conv->offset = NULL;
}

void
retc_conv_forward(const retc_conv *conv, const float *w, const float *bias, const float *in, size_t n, float *out) {
    size_t plane = conv->oh * conv->ow * conv->out_ld;
    for (size_t y = 0; y < conv->oh; ++y)
        for (size_t x = 0; x < conv->ow; ++x)
            retc_gather(conv->shape.K, conv->J, n, w, conv->J, bias, in + (y * conv->shape.w + x) * conv->in_ld, conv->offset,
                        out + (y * conv->ow + x) * conv->out_ld, plane, 0);
}

void
retc_conv_backward_bias(const retc_conv *conv, const float *g, size_t n, float *db) {
    size_t plane = conv->oh * conv->ow * conv->out_ld;
    for (size_t k = 0; db && k < conv->shape.K; ++k) {
        double sum = 0;
        for (size_t i = 0; i < conv->oh * conv->ow; ++i)
            for (size_t t = 0; t < n; ++t)
                sum += (double)g[k * plane + i * conv->out_ld + t];
        db[k] += (float)sum;
    }
}

void
retc_conv_backward_weights(const retc_conv *conv, const float *g, const float *in, size_t n, float *dw, float *db) {
    size_t plane = conv->oh * conv->ow * conv->out_ld;
    /* A row of outputs at a time: what it needs of both sides stays near. */
    for (size_t y = 0; y < conv->oh; ++y)
        retc_dots(conv->shape.K, conv->J, n, conv->ow, g + y * conv->ow * conv->out_ld, plane, conv->out_ld,
                  in + y * conv->shape.w * conv->in_ld, conv->in_ld, conv->offset, dw, conv->J);
    retc_conv_backward_bias(conv, g, n, db);
}

/* The range of kernel rows p for which output row y - p exists: range[0] ... range[1].  Returns the first row after y that has
 * another range. */
static size_t
kernel_range(size_t y, size_t kernel, size_t outputs, size_t range[2]) {
    range[0] = y + 1 > outputs ? y + 1 - outputs : 0;
    range[1] = y < kernel ? y : kernel - 1;
    return y + 1 >= kernel && y < outputs ? outputs : y + 1;
}

/* Weights (C, K x rows x columns) and offsets of the part of the kernel that reaches a position, relative to the output at
 * (y - last row, x - last column).  Returns the number of columns. */
static size_t
pack(const retc_conv *conv, const float *w, const size_t p[2], const size_t q[2], float *packed, size_t *offset) {
    const retc_conv_shape *s = &conv->shape;
    size_t plane = conv->oh * conv->ow * conv->out_ld, j = 0, J = s->K * (p[1] - p[0] + 1) * (q[1] - q[0] + 1);
    for (size_t k = 0; k < s->K; ++k)
        for (size_t a = p[0]; a <= p[1]; ++a)
            for (size_t b = q[0]; b <= q[1]; ++b, ++j) {
                offset[j] = k * plane + ((p[1] - a) * conv->ow + (q[1] - b)) * conv->out_ld;
                for (size_t c = 0; c < s->C; ++c)
                    packed[c * J + j] = w[((k * s->C + c) * s->kh + a) * s->kw + b];
            }
    return J;
}

void
retc_conv_backward_input(const retc_conv *conv, const float *w, const float *g, size_t n, float *din, size_t din_ld,
                         float *packed, size_t *offset) {
    const retc_conv_shape *s = &conv->shape;
    size_t p[2], q[2];
    /* Positions that the same part of the kernel reaches, all inside the map and one by one at its border, share a packing. */
    for (size_t y0 = 0, y1; y0 < s->h; y0 = y1) {
        y1 = kernel_range(y0, s->kh, conv->oh, p);
        for (size_t x0 = 0, x1; x0 < s->w; x0 = x1) {
            x1 = kernel_range(x0, s->kw, conv->ow, q);
            size_t J = pack(conv, w, p, q, packed, offset);
            for (size_t y = y0; y < y1; ++y)
                for (size_t x = x0; x < x1; ++x)
                    retc_gather(s->C, J, n, packed, J, NULL, g + ((y - p[1]) * conv->ow + (x - q[1])) * conv->out_ld, offset,
                                din + (y * s->w + x) * din_ld, s->h * s->w * din_ld, 0);
        }
    }
}
