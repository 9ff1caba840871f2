/* What a convolution is: the fast kernels are held to these loops. */
#include "conv.h"

typedef struct {
    size_t oh, ow, in_ld;
} derived;

static derived
derive(const retc_conv_shape *s, size_t n) {
    return (derived){s->h - s->kh + 1, s->w - s->kw + 1, s->window ? n + s->C - 1 : n};
}

/* Index of the input element that weight (c,p,q) meets at output (y,x) and time t. */
static size_t
input_index(const retc_conv_shape *s, derived d, size_t c, size_t y, size_t x, size_t t) {
    return s->window ? (y * s->w + x) * d.in_ld + t + c : ((c * s->h + y) * s->w + x) * d.in_ld + t;
}

void
retc_conv_forward_reference(const retc_conv_shape *s, const double *w, const double *bias, const double *in, size_t n,
                            double *out) {
    derived d = derive(s, n);
    for (size_t k = 0; k < s->K; ++k)
        for (size_t y = 0; y < d.oh; ++y)
            for (size_t x = 0; x < d.ow; ++x)
                for (size_t t = 0; t < n; ++t) {
                    double sum = bias ? bias[k] : 0.0;
                    for (size_t c = 0; c < s->C; ++c)
                        for (size_t p = 0; p < s->kh; ++p)
                            for (size_t q = 0; q < s->kw; ++q)
                                sum += w[((k * s->C + c) * s->kh + p) * s->kw + q] * in[input_index(s, d, c, y + p, x + q, t)];
                    out[((k * d.oh + y) * d.ow + x) * n + t] = sum;
                }
}

void
retc_conv_backward_weights_reference(const retc_conv_shape *s, const double *g, const double *in, size_t n, double *dw,
                                     double *db) {
    derived d = derive(s, n);
    for (size_t k = 0; k < s->K; ++k)
        for (size_t y = 0; y < d.oh; ++y)
            for (size_t x = 0; x < d.ow; ++x)
                for (size_t t = 0; t < n; ++t) {
                    double gradient = g[((k * d.oh + y) * d.ow + x) * n + t];
                    for (size_t c = 0; c < s->C; ++c)
                        for (size_t p = 0; p < s->kh; ++p)
                            for (size_t q = 0; q < s->kw; ++q)
                                dw[((k * s->C + c) * s->kh + p) * s->kw + q] +=
                                    gradient * in[input_index(s, d, c, y + p, x + q, t)];
                    if (db)
                        db[k] += gradient;
                }
}

void
retc_conv_backward_input_reference(const retc_conv_shape *s, const double *w, const double *g, size_t n, double *din) {
    derived d = derive(s, n);
    for (size_t i = 0; i < s->C * s->h * s->w * n; ++i)
        din[i] = 0;
    for (size_t k = 0; k < s->K; ++k)
        for (size_t y = 0; y < d.oh; ++y)
            for (size_t x = 0; x < d.ow; ++x)
                for (size_t t = 0; t < n; ++t)
                    for (size_t c = 0; c < s->C; ++c)
                        for (size_t p = 0; p < s->kh; ++p)
                            for (size_t q = 0; q < s->kw; ++q)
                                din[((c * s->h + y + p) * s->w + x + q) * n + t] +=
                                    w[((k * s->C + c) * s->kh + p) * s->kw + q] * g[((k * d.oh + y) * d.ow + x) * n + t];
}

/* ---- one position per channel ---------------------------------------------------------------------------------------- */

/* Index of the input element that weight j = (c,p,q) of channel k meets at time t. */
static size_t
input_at(const retc_conv_shape *s, const size_t *position, size_t k, size_t j, size_t n, size_t t) {
    size_t c = j / (s->kh * s->kw), p = j / s->kw % s->kh, q = j % s->kw;
    return ((c * s->h + position[2 * k] + p) * s->w + position[2 * k + 1] + q) * n + t;
}

void
retc_conv_forward_at_reference(const retc_conv_shape *s, const size_t *position, const double *w, const double *bias,
                               const double *in, size_t n, double *out) {
    size_t J = s->C * s->kh * s->kw;
    for (size_t k = 0; k < s->K; ++k)
        for (size_t t = 0; t < n; ++t) {
            out[k * n + t] = bias ? bias[k] : 0.0;
            for (size_t j = 0; j < J; ++j)
                out[k * n + t] += w[k * J + j] * in[input_at(s, position, k, j, n, t)];
        }
}

void
retc_conv_backward_weights_at_reference(const retc_conv_shape *s, const size_t *position, const double *g, const double *in,
                                        size_t n, double *dw, double *db) {
    size_t J = s->C * s->kh * s->kw;
    for (size_t k = 0; k < s->K; ++k)
        for (size_t t = 0; t < n; ++t) {
            for (size_t j = 0; j < J; ++j)
                dw[k * J + j] += g[k * n + t] * in[input_at(s, position, k, j, n, t)];
            if (db)
                db[k] += g[k * n + t];
        }
}

void
retc_conv_backward_input_at_reference(const retc_conv_shape *s, const size_t *position, const double *w, const double *g,
                                      size_t n, double *din) {
    size_t J = s->C * s->kh * s->kw;
    for (size_t i = 0; i < s->C * s->h * s->w * n; ++i)
        din[i] = 0;
    for (size_t k = 0; k < s->K; ++k)
        for (size_t j = 0; j < J; ++j)
            for (size_t t = 0; t < n; ++t)
                din[input_at(s, position, k, j, n, t)] += w[k * J + j] * g[k * n + t];
}
