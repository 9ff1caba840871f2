/* The text of convolutions over maps; whoever includes this defines what dft_body.h needs.
 *
 * Two rows of a map are the real and imaginary part of one transform along x; they are told apart by their symmetry, which
 * leaves twice their spectra.  Transforms back are done with real and imaginary parts exchanged: that makes them forward ones.
 * Both doublings and the 1/N of transforms back go into the weights, or into the gradient at its end: see `scale`. */
#include <string.h>

#include "mapconv_internal.h"

#define UNROLL_EIGHT _Pragma("GCC unroll 8")

INLINE VECTOR
NAME(load_some)(const float *x, size_t lanes) {
    if (lanes == LANES)
        return LOAD(x);
    float some[LANES] = {0};
    memcpy(some, x, lanes * sizeof *some);
    return LOAD(some);
}

INLINE void
NAME(store_some)(float *x, size_t lanes, VECTOR value) {
    if (lanes == LANES) {
        STORE(x, value);
        return;
    }
    float some[LANES];
    STORE(some, value);
    memcpy(x, some, lanes * sizeof *some);
}

/* Numbers of one map in `lines`. */
INLINE size_t
NAME(volume)(const retc_mapconv *plan) {
    return plan->F * plan->ld * 2 * LANES;
}

INLINE float
NAME(scale)(const retc_mapconv *plan) {
    return 0.25f / (float)retc_mapconv_points(plan);
}

/* ---- along x --------------------------------------------------------------------------------------------------------- */

/* A map of rows x columns vectors, `column` floats apart along x, into lines (F,ld): frequency k of row y at k ld + y. */
static TARGET void
NAME(from_map)(const retc_mapconv *plan, retc_mapconv_work *work, const float *map, size_t rows, size_t columns, size_t row,
               size_t column, size_t lanes, float *lines) {
    const VECTOR zero = ZERO;
    const COMPLEX nothing = {zero, zero};
    size_t M = plan->along_x.N, N = plan->along_y.N, y = 0;
    float *pair = work->scratch, *rest = pair + M * 2 * LANES;
    for (; y < rows; y += 2) {
        const float *first = map + y * row, *second = first + row;
        for (size_t x = 0; x < columns; ++x)
            NAME(put)
        (pair, x,
         (COMPLEX){NAME(load_some)(first + x * column, lanes),
                   y + 1 < rows ? NAME(load_some)(second + x * column, lanes) : zero});
        for (size_t x = columns; x < M; ++x)
            NAME(put)(pair, x, nothing);
        NAME(transform)(&plan->along_x, pair, 1, pair, 1, rest);
        for (size_t k = 0; k < plan->F; ++k) {
            COMPLEX a = NAME(get)(pair, k), b = NAME(get)(pair, k ? M - k : 0);
            NAME(put)(lines, k * plan->ld + y, (COMPLEX){a.re + b.re, a.im - b.im});
            NAME(put)(lines, k * plan->ld + y + 1, (COMPLEX){a.im + b.im, b.re - a.re});
        }
    }
    for (; y < N; ++y)
        for (size_t k = 0; k < plan->F; ++k)
            NAME(put)(lines, k * plan->ld + y, nothing);
}

/* The other way, from lines with parts exchanged: map = bias + the transform. */
static TARGET void
NAME(to_map)(const retc_mapconv *plan, retc_mapconv_work *work, const float *lines, float bias, size_t rows, size_t columns,
             size_t row, size_t column, size_t lanes, float *map) {
    const VECTOR zero = ZERO, shift = BROADCAST(bias);
    const COMPLEX nothing = {zero, zero};
    size_t M = plan->along_x.N;
    float *pair = work->scratch, *rest = pair + M * 2 * LANES;
    for (size_t y = 0; y < rows; y += 2) {
        float *first = map + y * row, *second = first + row;
        for (size_t k = 0; k < plan->F; ++k) {
            COMPLEX a = NAME(get)(lines, k * plan->ld + y);
            COMPLEX b = y + 1 < rows ? NAME(get)(lines, k * plan->ld + y + 1) : nothing;
            if (k == 0 || 2 * k == M) { /* both are real */
                NAME(put)(pair, k, (COMPLEX){b.im, a.im});
            } else {
                NAME(put)(pair, k, (COMPLEX){a.re + b.im, a.im - b.re});
                NAME(put)(pair, M - k, (COMPLEX){b.im - a.re, a.im + b.re});
            }
        }
        NAME(transform)(&plan->along_x, pair, 1, pair, 1, rest);
        for (size_t x = 0; x < columns; ++x) {
            COMPLEX value = NAME(get)(pair, x);
            NAME(store_some)(first + x * column, lanes, value.im + shift);
            if (y + 1 < rows)
                NAME(store_some)(second + x * column, lanes, value.re + shift);
        }
    }
}

/* Columns of frequency k of `maps` maps, transformed along y. */
INLINE void
NAME(take_columns)(const retc_mapconv *plan, retc_mapconv_work *work, const float *lines, size_t maps, size_t k,
                   float *columns) {
    size_t column = plan->ld * 2 * LANES;
    for (size_t i = 0; i < maps; ++i)
        NAME(transform)(&plan->along_y, lines + i * NAME(volume)(plan) + k * column, 1, columns + i * column, 1, work->scratch);
}

/* ---- products -------------------------------------------------------------------------------------------------------- */

/* At one frequency: out[o] = sum over i of weight[o,i] in[i], or its conjugate times in[i], with parts exchanged.  Numbers of
 * one map are `next` floats behind those of the one before. */
INLINE void
NAME(products_of)(size_t outputs, int conjugate, size_t inputs, const float *w, size_t out_step, size_t in_step, size_t pairs,
                  const float *in, size_t next, float *out) {
    VECTOR re[ROWS], im[ROWS];
    UNROLL for (size_t o = 0; o < outputs; ++o) re[o] = im[o] = ZERO;
    for (size_t i = 0; i < inputs; ++i) {
        COMPLEX x = NAME(get)(in + i * next, 0);
        UNROLL for (size_t o = 0; o < outputs; ++o) {
            const float *weight = w + o * out_step + i * in_step;
            VECTOR a = BROADCAST(weight[0]), b = BROADCAST(weight[pairs]);
            re[o] = FMA(a, x.re, re[o]);
            im[o] = FMA(a, x.im, im[o]);
            re[o] = conjugate ? FMA(b, x.im, re[o]) : FNMA(b, x.im, re[o]);
            im[o] = conjugate ? FNMA(b, x.re, im[o]) : FMA(b, x.re, im[o]);
        }
    }
    UNROLL for (size_t o = 0; o < outputs; ++o) NAME(put)(out + o * next, 0, (COMPLEX){im[o], re[o]});
}

INLINE void
NAME(products)(int conjugate, size_t outputs, size_t inputs, const float *w, size_t out_step, size_t in_step, size_t pairs,
               const float *in, size_t next, float *out) {
    size_t o = 0;
    for (; o + ROWS <= outputs; o += ROWS)
        NAME(products_of)(ROWS, conjugate, inputs, w + o * out_step, out_step, in_step, pairs, in, next, out + o * next);
    for (; o < outputs; ++o)
        NAME(products_of)(1, conjugate, inputs, w + o * out_step, out_step, in_step, pairs, in, next, out + o * next);
}

/* `lanes` time steps from in (maps,rows,columns,ld) to out, by conjugate spectra from C to K maps or by spectra back. */
typedef struct {
    size_t maps, rows, columns, ld;
} NAME(side);

INLINE void
NAME(apply_to_lanes)(const retc_mapconv *plan, retc_mapconv_work *work, int forward, const float *bias, NAME(side) from,
                     const float *in, NAME(side) to, size_t lanes, float *out) {
    size_t volume = NAME(volume)(plan), N = plan->along_y.N, next = plan->ld * 2 * LANES, C = plan->shape.C;
    float *columns = work->columns, *results = columns + from.maps * next;
    for (size_t i = 0; i < from.maps; ++i)
        NAME(from_map)
    (plan, work, in + i * from.rows * from.columns * from.ld, from.rows, from.columns, from.columns * from.ld, from.ld, lanes,
     work->lines + i * volume);
    for (size_t k = 0; k < plan->F; ++k) {
        NAME(take_columns)(plan, work, work->lines, from.maps, k, columns);
        for (size_t y = 0; y < N; ++y) {
            const float *w = plan->weight + (k * N + y) * 2 * plan->pairs;
            NAME(products)
            (forward, to.maps, from.maps, w, forward ? C : 1, forward ? 1 : C, plan->pairs, columns + y * 2 * LANES, next,
             results + y * 2 * LANES);
        }
        for (size_t o = 0; o < to.maps; ++o)
            NAME(transform)(&plan->along_y, results + o * next, 1, work->lines + o * volume + k * next, 1, work->scratch);
    }
    for (size_t o = 0; o < to.maps; ++o)
        NAME(to_map)
    (plan, work, work->lines + o * volume, bias ? bias[o] : 0, to.rows, to.columns, to.columns * to.ld, to.ld, lanes,
     out + o * to.rows * to.columns * to.ld);
}

static TARGET void
NAME(forward)(const retc_mapconv *plan, retc_mapconv_work *work, const float *bias, const float *in, size_t n, float *out) {
    const retc_conv_shape *s = &plan->shape;
    NAME(side) from = {s->C, s->h, s->w, plan->in_ld}, to = {s->K, plan->oh, plan->ow, plan->out_ld};
    for (size_t t = 0; t < n; t += LANES)
        NAME(apply_to_lanes)(plan, work, 1, bias, from, in + t, to, n - t < LANES ? n - t : LANES, out + t);
}

static TARGET void
NAME(backward_input)(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, size_t n, float *din, size_t din_ld) {
    const retc_conv_shape *s = &plan->shape;
    NAME(side) from = {s->K, plan->oh, plan->ow, plan->out_ld}, to = {s->C, s->h, s->w, din_ld};
    for (size_t t = 0; t < n; t += LANES)
        NAME(apply_to_lanes)(plan, work, 0, NULL, from, g + t, to, n - t < LANES ? n - t : LANES, din + t);
}

/* ---- weights --------------------------------------------------------------------------------------------------------- */

static TARGET void
NAME(set_weights)(retc_mapconv *plan, retc_mapconv_work *work, const float *w) {
    const retc_conv_shape *s = &plan->shape;
    const VECTOR scale = BROADCAST(NAME(scale)(plan));
    size_t taps = s->kh * s->kw, pairs = s->K * s->C, N = plan->along_y.N;
    for (size_t p = 0; p < pairs; p += LANES) {
        size_t lanes = pairs - p < LANES ? pairs - p : LANES;
        for (size_t i = 0; i < taps; ++i)
            for (size_t lane = 0; lane < lanes; ++lane)
                work->taps[i * LANES + lane] = w[(p + lane) * taps + i];
        NAME(from_map)(plan, work, work->taps, s->kh, s->kw, s->kw * LANES, LANES, lanes, work->lines);
        for (size_t k = 0; k < plan->F; ++k) {
            NAME(take_columns)(plan, work, work->lines, 1, k, work->columns);
            for (size_t y = 0; y < N; ++y) {
                COMPLEX value = NAME(get)(work->columns, y);
                float *to = plan->weight + (k * N + y) * 2 * plan->pairs + p;
                STORE(to, scale * value.re);
                STORE(to + plan->pairs, scale * value.im);
            }
        }
    }
}

/* sums[i][j] += sum over time of x[i] g[j], for `rows` parts x: real and imaginary parts of rows/2 maps in turn.  With g
 * transposed to (time,width) there is nothing to add up across a vector. */
INLINE void
NAME(outer)(size_t rows, size_t width, const float *x, size_t next, const float *g, float *sums) {
    for (size_t j = 0; j < width; j += LANES) {
        VECTOR sum[8];
        UNROLL_EIGHT for (size_t i = 0; i < rows; ++i) sum[i] = LOAD(sums + i * width + j);
        for (size_t t = 0; t < LANES; ++t) {
            VECTOR right = LOAD(g + t * width + j);
            UNROLL_EIGHT for (size_t i = 0; i < rows; ++i) sum[i] =
                FMA(BROADCAST(x[i / 2 * next + i % 2 * LANES + t]), right, sum[i]);
        }
        UNROLL_EIGHT for (size_t i = 0; i < rows; ++i) STORE(sums + i * width + j, sum[i]);
    }
}

/* The columns of frequency k, transformed: those of the C inputs, then those of the K gradients. */
static TARGET void
NAME(add_products)(const retc_mapconv *plan, retc_mapconv_work *work, size_t k, size_t width) {
    size_t C = plan->shape.C, K = plan->shape.K, N = plan->along_y.N, next = plan->ld * 2 * LANES;
    for (size_t y = 0; y < N; ++y) {
        const float *x = work->columns + y * 2 * LANES, *g = x + C * next;
        float *sums = work->sums + (k * N + y) * 2 * C * width, *to = work->transposed;
        for (size_t j = 0; j < K; ++j)
            for (size_t t = 0; t < LANES; ++t) {
                to[t * width + j] = g[j * next + t];
                to[t * width + K + j] = g[j * next + LANES + t];
            }
        size_t c = 0;
        for (; c + 4 <= C; c += 4)
            NAME(outer)(8, width, x + c * next, next, to, sums + 2 * c * width);
        for (; c < C; ++c)
            NAME(outer)(2, width, x + c * next, next, to, sums + 2 * c * width);
    }
}

/* From sums to gradients: of each pair the products x conj(g), transformed back. */
static TARGET void
NAME(add_gradients)(const retc_mapconv *plan, retc_mapconv_work *work, size_t width, float *dw) {
    const retc_conv_shape *s = &plan->shape;
    size_t taps = s->kh * s->kw, pairs = s->K * s->C, N = plan->along_y.N, K = s->K;
    float scale = NAME(scale)(plan);
    for (size_t p = 0; p < pairs; p += LANES) {
        size_t lanes = pairs - p < LANES ? pairs - p : LANES;
        for (size_t k = 0; k < plan->F; ++k) {
            for (size_t y = 0; y < N; ++y) {
                const float *sums = work->sums + (k * N + y) * 2 * s->C * width;
                float *to = work->columns + y * 2 * LANES; /* parts exchanged */
                for (size_t lane = 0; lane < lanes; ++lane) {
                    size_t j = (p + lane) / s->C;
                    const float *re = sums + (p + lane) % s->C * 2 * width, *im = re + width;
                    to[lane] = im[j] - re[K + j];
                    to[LANES + lane] = re[j] + im[K + j];
                }
            }
            NAME(transform)(&plan->along_y, work->columns, 1, work->lines + k * plan->ld * 2 * LANES, 1, work->scratch);
        }
        NAME(to_map)(plan, work, work->lines, 0, s->kh, s->kw, s->kw * LANES, LANES, LANES, work->taps);
        for (size_t lane = 0; lane < lanes; ++lane)
            for (size_t i = 0; i < taps; ++i)
                dw[(p + lane) * taps + i] += scale * work->taps[i * LANES + lane];
    }
}

static TARGET void
NAME(backward_weights)(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, const float *in, size_t n,
                       float *dw) {
    const retc_conv_shape *s = &plan->shape;
    size_t volume = NAME(volume)(plan), width = retc_round_up(2 * s->K, LANES);
    memset(work->sums, 0, plan->F * plan->along_y.N * 2 * s->C * width * sizeof *work->sums);
    for (size_t t = 0; t < n; t += LANES) {
        size_t lanes = n - t < LANES ? n - t : LANES;
        for (size_t c = 0; c < s->C; ++c)
            NAME(from_map)
        (plan, work, in + c * s->h * s->w * plan->in_ld + t, s->h, s->w, s->w * plan->in_ld, plan->in_ld, lanes,
         work->lines + c * volume);
        for (size_t k = 0; k < s->K; ++k)
            NAME(from_map)
        (plan, work, g + k * plan->oh * plan->ow * plan->out_ld + t, plan->oh, plan->ow, plan->ow * plan->out_ld, plan->out_ld,
         lanes, work->lines + (s->C + k) * volume);
        for (size_t k = 0; k < plan->F; ++k) {
            NAME(take_columns)(plan, work, work->lines, s->C + s->K, k, work->columns);
            NAME(add_products)(plan, work, k, width);
        }
    }
    NAME(add_gradients)(plan, work, width, dw);
}

const retc_mapconv_functions NAME(retc_mapconv) = {NAME(set_weights), NAME(forward), NAME(backward_input),
                                                   NAME(backward_weights)};
