/* The text of the row functions; whoever includes this defines TARGET and NAME as for gather_body.h. */
#include "rows.h"

static TARGET void
NAME(retc_row_affine)(const float *restrict x, float scale, float shift, size_t n, float *restrict out) {
    for (size_t t = 0; t < n; ++t)
        out[t] = x[t] * scale + shift;
}

static TARGET void
NAME(retc_row_relu)(const float *restrict x, size_t n, float *restrict out) {
    for (size_t t = 0; t < n; ++t)
        out[t] = x[t] > 0 ? x[t] : 0;
}

static TARGET void
NAME(retc_row_rectify)(size_t n, float *x) {
    for (size_t t = 0; t < n; ++t)
        x[t] = x[t] > 0 ? x[t] : 0;
}

static TARGET void
NAME(retc_row_relu_backward)(const float *restrict x, const float *restrict g, size_t n, float *restrict gin) {
    for (size_t t = 0; t < n; ++t)
        gin[t] = x[t] > 0 ? g[t] : 0;
}

static TARGET void
NAME(retc_row_relu_secant)(const float *restrict x, const float *restrict x0, const float *restrict g, size_t n,
                           float *restrict gin) {
    /* On one side of the kink the quotient is 0 or 1 exactly.  Nothing is divided under a condition: that would be no vector.
     */
    for (size_t t = 0; t < n; ++t) {
        float positive = x[t] > 0 ? x[t] : 0, positive0 = x0[t] > 0 ? x0[t] : 0, side = x[t] > 0 ? 1.0f : 0.0f;
        float run = x[t] - x0[t], rise = run != 0 ? positive - positive0 : side;
        gin[t] = g[t] * (rise / (run != 0 ? run : 1.0f));
    }
}

static TARGET void
NAME(retc_row_add)(const float *restrict x, size_t n, float *restrict sum) {
    for (size_t t = 0; t < n; ++t)
        sum[t] += x[t];
}

static TARGET void
NAME(retc_row_step)(const float *restrict g, const float *restrict x, const float *restrict x0, size_t n, float *restrict sum) {
    for (size_t t = 0; t < n; ++t)
        sum[t] += g[t] * (x[t] - x0[t]);
}

static TARGET void
NAME(retc_row_step_trapezium)(const float *restrict g, const float *restrict g0, const float *restrict x,
                              const float *restrict x0, size_t n, float *restrict sum) {
    for (size_t t = 0; t < n; ++t)
        sum[t] += 0.5f * (g0[t] + g[t]) * (x[t] - x0[t]);
}

static TARGET void
NAME(retc_row_extrapolate)(const float *restrict coarse, size_t n, float *restrict fine, float *restrict square,
                           float *restrict peak) {
    for (size_t t = 0; t < n; ++t) {
        float d = fine[t] - coarse[t], square_d = d * d;
        fine[t] += d * (1.0f / 3);
        square[t] += square_d;
        peak[t] = square_d > peak[t] ? square_d : peak[t];
    }
}

static TARGET void
NAME(retc_row_normed_backward)(const float *restrict x, float scale, float mean_g, float mean, float slope, size_t n,
                               float *restrict g) {
    for (size_t t = 0; t < n; ++t)
        g[t] = scale * (g[t] - mean_g - (x[t] - mean) * slope);
}

static TARGET void
NAME(retc_row_sums)(const float *restrict x, const float *restrict y, double shift, size_t n, double *a, double *b) {
    enum { SIDE = 8 };
    double sum[SIDE] = {0}, product[SIDE] = {0};
    size_t t = 0;
    for (; t + SIDE <= n; t += SIDE)
        for (size_t i = 0; i < SIDE; ++i) {
            sum[i] += (double)x[t + i];
            product[i] += (double)x[t + i] * ((double)y[t + i] - shift);
        }
    for (size_t i = 0; t < n; ++t, ++i) {
        sum[i] += (double)x[t];
        product[i] += (double)x[t] * ((double)y[t] - shift);
    }
    *a += ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
    *b += ((product[0] + product[4]) + (product[1] + product[5])) + ((product[2] + product[6]) + (product[3] + product[7]));
}

static TARGET void
NAME(retc_row_pool)(size_t K, const double *restrict weight, const size_t *restrict source, const double *restrict x,
                    size_t stride, size_t n, double *restrict out) {
    enum { TILE = RETC_ROW_TILE };
    for (size_t t = 0; t < n; t += TILE) {
        double sum[TILE] = {0};
        for (size_t k = 0; k < K; ++k) {
            const double *row = x + source[k] * stride + t;
            double w = weight[k];
            for (size_t i = 0; i < TILE; ++i)
                sum[i] += w * row[i];
        }
        for (size_t i = 0; i < TILE; ++i)
            out[t + i] = sum[i];
    }
}

static TARGET void
NAME(retc_row_spectra)(size_t K, const float *restrict w, const float *restrict z, size_t n, float *restrict out) {
    enum { TILE = RETC_ROW_TILE };
    for (size_t t = 0; t < n; t += TILE) {
        float re[TILE] = {0}, im[TILE] = {0};
        for (size_t k = 0; k < K; ++k) {
            const float *a = w + 2 * k * n + t, *b = z + 2 * k * n + t;
            for (size_t i = 0; i < TILE; ++i) {
                re[i] += a[i] * b[i] - a[n + i] * b[n + i];
                im[i] += a[i] * b[n + i] + a[n + i] * b[i];
            }
        }
        for (size_t i = 0; i < TILE; ++i) {
            out[2 * (t + i)] = re[i];
            out[2 * (t + i) + 1] = im[i];
        }
    }
}

const retc_row_functions NAME(retc_rows) = {
    NAME(retc_row_affine),      NAME(retc_row_relu),
    NAME(retc_row_rectify),     NAME(retc_row_relu_backward),
    NAME(retc_row_relu_secant), NAME(retc_row_add),
    NAME(retc_row_step),        NAME(retc_row_step_trapezium),
    NAME(retc_row_extrapolate), NAME(retc_row_normed_backward),
    NAME(retc_row_sums),        NAME(retc_normal_add),
    NAME(retc_row_pool),        NAME(retc_row_spectra),
};
