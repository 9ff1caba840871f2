#include "stats.h"

#include <math.h>
#include <stdlib.h>

/* Mean of x, and the sum of squares about it; two passes in double, so that neither a large offset nor length costs digits. */
static double
centred_square_sum(const float *x, size_t n, double *mean) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; ++i)
        sum += (double)x[i];
    *mean = sum / (double)n;
    for (size_t i = 0; i < n; ++i) {
        double d = (double)x[i] - *mean;
        squares += d * d;
    }
    return squares;
}

double
retc_pearson(const float *x, const float *y, size_t n) {
    double mean_x, mean_y, products = 0;
    double square_x = centred_square_sum(x, n, &mean_x), square_y = centred_square_sum(y, n, &mean_y);
    for (size_t i = 0; i < n; ++i)
        products += ((double)x[i] - mean_x) * ((double)y[i] - mean_y);
    if (!(square_x > 0) || !(square_y > 0))
        return (double)NAN;
    return products / (sqrt(square_x) * sqrt(square_y));
}

void
retc_sums_add(retc_sums *sums, const float *x, const float *y, size_t n) {
    sums->n += (double)n;
    for (size_t t = 0; t < n; ++t) {
        double a = (double)x[t], b = (double)y[t];
        sums->x += a, sums->y += b, sums->xx += a * a, sums->yy += b * b, sums->xy += a * b;
    }
}

double
retc_sums_pearson(const retc_sums *s) {
    double xx = s->xx - s->x * s->x / s->n, yy = s->yy - s->y * s->y / s->n, xy = s->xy - s->x * s->y / s->n;
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : (double)NAN;
}

double
retc_explained_variance(const float *predicted, const float *measured, size_t n) {
    double mean, errors = 0, squares = centred_square_sum(measured, n, &mean);
    for (size_t i = 0; i < n; ++i) {
        double d = (double)predicted[i] - (double)measured[i];
        errors += d * d;
    }
    return squares > 0 ? 1 - errors / squares : (double)NAN;
}

void
retc_moments_add(retc_moments *all, const float *x, size_t n) {
    retc_moments piece = {.n = (double)n};
    if (n == 0)
        return;
    piece.squares = centred_square_sum(x, n, &piece.mean);
    double total = all->n + piece.n, d = piece.mean - all->mean;
    all->squares = all->squares + piece.squares + d * d * all->n * piece.n / total;
    all->mean += d * piece.n / total;
    all->n = total;
}

double
retc_noise_ceiling(const float *x, size_t R, size_t T) {
    if (R < 2 || T == 0)
        return (double)NAN;

    double single = 0, mean, grand = 0, squares = 0;
    for (size_t r = 0; r < R; ++r)
        single += centred_square_sum(x + r * T, T, &mean);
    for (size_t i = 0; i < R * T; ++i)
        grand += (double)x[i];
    grand /= (double)T;
    for (size_t t = 0; t < T; ++t) {
        double sum = 0;
        for (size_t r = 0; r < R; ++r)
            sum += (double)x[r * T + t];
        squares += (sum - grand) * (sum - grand);
    }

    /* Sums of squares instead of variances: the divisor T cancels.  var_t(mean_r x) = var_t(sum_r x) / R^2. */
    double repeats = (double)R, signal = (squares - single) / (repeats * (repeats - 1));
    return signal > 0 ? sqrt(signal * repeats * repeats / squares) : (double)NAN;
}

typedef struct {
    float x, y;
    size_t index;
} sample;

/* By x; equal x keep their order, so that the result does not depend on the C library's qsort. */
static int
compare_samples(const void *left, const void *right) {
    const sample *a = left, *b = right;
    if (a->x != b->x)
        return a->x < b->x ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

int
retc_equal_bins(const float *x, const float *y, size_t n, size_t bins, double *mean_x, double *mean_y, size_t *used) {
    int status = RETC_OK;
    sample *sorted = NULL;
    *used = 0;
    if (n == 0 || bins == 0)
        return RETC_FAIL(RETC_EINVAL, "%zu samples cannot be cut into %zu bins; both must be at least 1", n, bins);
    RETC_TRY(RETC_ALLOC(sorted, n));
    for (size_t i = 0; i < n; ++i) {
        if (!isfinite(x[i]) || !isfinite(y[i])) {
            status = RETC_FAIL(RETC_ENUMBER, "sample %zu of %zu to be binned is not finite: x %g, y %g", i, n, (double)x[i],
                               (double)y[i]);
            goto done;
        }
        sorted[i] = (sample){x[i], y[i], i};
    }
    qsort(sorted, n, sizeof *sorted, compare_samples);

    if (bins > n)
        bins = n;
    size_t begin = 0, joined = 0; /* samples in the bin written last */
    for (size_t b = 0; b < bins; ++b) {
        size_t count = n / bins + (b < n % bins);
        double sum_x = 0, sum_y = 0;
        for (size_t i = begin; i < begin + count; ++i) {
            sum_x += (double)sorted[i].x;
            sum_y += (double)sorted[i].y;
        }
        begin += count;
        double x_here = sum_x / (double)count;
        if (*used > 0 && mean_x[*used - 1] == x_here) {
            double *y_last = &mean_y[*used - 1];
            *y_last = (*y_last * (double)joined + sum_y) / (double)(joined + count);
            joined += count;
        } else {
            mean_x[*used] = x_here;
            mean_y[*used] = sum_y / (double)count;
            joined = count;
            ++*used;
        }
    }
done:
    retc_free(sorted);
    return status;
}

double
retc_piecewise(const double *knot_x, const double *knot_y, size_t n, double x, double *slope) {
    if (slope)
        *slope = 0;
    if (n == 0 || isnan(x))
        return (double)NAN;
    if (x <= knot_x[0])
        return knot_y[0];
    if (x >= knot_x[n - 1])
        return knot_y[n - 1];
    size_t low = 0, high = n - 1; /* knot_x[low] <= x < knot_x[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (knot_x[middle] <= x)
            low = middle;
        else
            high = middle;
    }
    double rise = (knot_y[high] - knot_y[low]) / (knot_x[high] - knot_x[low]);
    if (slope)
        *slope = rise;
    return knot_y[low] + rise * (x - knot_x[low]);
}
