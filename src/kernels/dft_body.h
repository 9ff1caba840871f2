/* The text of Fourier transforms whose elements are vectors; whoever includes this defines what gather_body.h names, and
 *   FNMA(a,b,c)       c - a*b
 * Number i of an array of complex numbers is 2 LANES floats, real parts first. */
#include "mapconv_internal.h"

typedef struct {
    VECTOR re, im;
} NAME(complex);

#define UNROLL_ALL _Pragma("GCC unroll 6")
#define INLINE static TARGET inline __attribute__((always_inline))
#define COMPLEX NAME(complex)

INLINE COMPLEX
NAME(get)(const float *x, size_t i) {
    return (COMPLEX){LOAD(x + i * 2 * LANES), LOAD(x + i * 2 * LANES + LANES)};
}

INLINE void
NAME(put)(float *x, size_t i, COMPLEX value) {
    STORE(x + i * 2 * LANES, value.re);
    STORE(x + i * 2 * LANES + LANES, value.im);
}

/* ---- butterflies: transforms of 2 ... 6 numbers in place, exp(-2 pi i j k / r) ------------------------------------------ */

INLINE void
NAME(two)(COMPLEX *a, COMPLEX *b) {
    COMPLEX x = *a, y = *b;
    *a = (COMPLEX){x.re + y.re, x.im + y.im};
    *b = (COMPLEX){x.re - y.re, x.im - y.im};
}

INLINE void
NAME(three)(COMPLEX *a, COMPLEX *b, COMPLEX *c) {
    const VECTOR half = BROADCAST(0.5f), sine = BROADCAST(0.866025403784438647f);
    COMPLEX sum = {b->re + c->re, b->im + c->im}, difference = {b->re - c->re, b->im - c->im};
    COMPLEX middle = {FNMA(half, sum.re, a->re), FNMA(half, sum.im, a->im)};
    *a = (COMPLEX){a->re + sum.re, a->im + sum.im};
    *b = (COMPLEX){FMA(sine, difference.im, middle.re), FNMA(sine, difference.re, middle.im)};
    *c = (COMPLEX){FNMA(sine, difference.im, middle.re), FMA(sine, difference.re, middle.im)};
}

INLINE void
NAME(four)(COMPLEX *x) {
    COMPLEX a = x[0], b = x[1], c = x[2], d = x[3];
    NAME(two)(&a, &c);
    NAME(two)(&b, &d);
    x[0] = (COMPLEX){a.re + b.re, a.im + b.im};
    x[1] = (COMPLEX){c.re + d.im, c.im - d.re};
    x[2] = (COMPLEX){a.re - b.re, a.im - b.im};
    x[3] = (COMPLEX){c.re - d.im, c.im + d.re};
}

INLINE void
NAME(five)(COMPLEX *x) {
    const VECTOR c1 = BROADCAST(0.309016994374947424f), c2 = BROADCAST(-0.809016994374947424f);
    const VECTOR s1 = BROADCAST(0.951056516295153572f), s2 = BROADCAST(0.587785252292473129f);
    COMPLEX a = x[1], b = x[2], c = x[3], d = x[4];
    NAME(two)(&a, &d);
    NAME(two)(&b, &c);
    COMPLEX first = {FMA(c2, b.re, FMA(c1, a.re, x[0].re)), FMA(c2, b.im, FMA(c1, a.im, x[0].im))};
    COMPLEX second = {FMA(c1, b.re, FMA(c2, a.re, x[0].re)), FMA(c1, b.im, FMA(c2, a.im, x[0].im))};
    COMPLEX u = {FMA(s2, c.re, s1 * d.re), FMA(s2, c.im, s1 * d.im)};
    COMPLEX v = {FNMA(s1, c.re, s2 * d.re), FNMA(s1, c.im, s2 * d.im)};
    x[0] = (COMPLEX){x[0].re + a.re + b.re, x[0].im + a.im + b.im};
    x[1] = (COMPLEX){first.re + u.im, first.im - u.re};
    x[2] = (COMPLEX){second.re + v.im, second.im - v.re};
    x[3] = (COMPLEX){second.re - v.im, second.im + v.re};
    x[4] = (COMPLEX){first.re - u.im, first.im + u.re};
}

/* As 2 by 3, coprime: no factors in between. */
INLINE void
NAME(six)(COMPLEX *x) {
    COMPLEX a = x[0], b = x[2], c = x[4], d = x[3], e = x[5], f = x[1];
    NAME(three)(&a, &b, &c);
    NAME(three)(&d, &e, &f);
    NAME(two)(&a, &d);
    NAME(two)(&b, &e);
    NAME(two)(&c, &f);
    x[0] = a, x[1] = e, x[2] = c, x[3] = d, x[4] = b, x[5] = f;
}

INLINE void
NAME(butterfly)(size_t radix, COMPLEX *x) {
    switch (radix) {
    case 2:
        NAME(two)(x, x + 1);
        break;
    case 3:
        NAME(three)(x, x + 1, x + 2);
        break;
    case 4:
        NAME(four)(x);
        break;
    case 5:
        NAME(five)(x);
        break;
    default:
        NAME(six)(x);
    }
}

/* ---- passes ---------------------------------------------------------------------------------------------------------- */

/* x times cosine - i sine */
INLINE COMPLEX
NAME(turned)(COMPLEX x, const float *twiddle) {
    const VECTOR cosine = BROADCAST(twiddle[0]), sine = BROADCAST(twiddle[1]);
    return (COMPLEX){FMA(sine, x.im, cosine * x.re), FNMA(sine, x.re, cosine * x.im)};
}

/* One pass over s transforms of m radix points that stand side by side; `radix` is a constant where this is inlined. */
INLINE void
NAME(pass)(size_t radix, size_t m, size_t s, const float *twiddle, const float *in, size_t in_step, float *out,
           size_t out_step) {
    for (size_t p = 0; p < m; ++p) {
        const float *turn = p > 0 ? twiddle + 2 * (radix - 1) * (p - 1) : NULL; /* the first needs none */
        for (size_t q = 0; q < s; ++q) {
            COMPLEX x[6];
            UNROLL_ALL for (size_t j = 0; j < radix; ++j) x[j] = NAME(get)(in, (q + s * (p + m * j)) * in_step);
            NAME(butterfly)(radix, x);
            if (p > 0)
                UNROLL_ALL for (size_t j = 1; j < radix; ++j) x[j] = NAME(turned)(x[j], turn + 2 * (j - 1));
            UNROLL_ALL for (size_t j = 0; j < radix; ++j) NAME(put)(out, (q + s * (radix * p + j)) * out_step, x[j]);
        }
    }
}

/* out[k out_step] = sum over j of in[j in_step] exp(-2 pi i j k / N); both may be the same.  `scratch` holds 2 N numbers. */
static TARGET void
NAME(transform)(const retc_dft *dft, const float *in, size_t in_step, float *out, size_t out_step, float *scratch) {
    const float *twiddle = dft->twiddle;
    size_t n = dft->N, s = 1;
    for (size_t i = 0; i < dft->passes; ++i) {
        size_t r = dft->radix[i], m = n / r, last = i + 1 == dft->passes;
        float *to = last ? out : scratch + (i % 2) * dft->N * 2 * LANES;
        size_t to_step = last ? out_step : 1;
        switch (r) {
        case 2:
            NAME(pass)(2, m, s, twiddle, in, in_step, to, to_step);
            break;
        case 3:
            NAME(pass)(3, m, s, twiddle, in, in_step, to, to_step);
            break;
        case 4:
            NAME(pass)(4, m, s, twiddle, in, in_step, to, to_step);
            break;
        case 5:
            NAME(pass)(5, m, s, twiddle, in, in_step, to, to_step);
            break;
        default:
            NAME(pass)(6, m, s, twiddle, in, in_step, to, to_step);
        }
        twiddle += 2 * (r - 1) * (m - 1);
        n = m, s *= r;
        in = to, in_step = to_step;
    }
}
