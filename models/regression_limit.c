/* The highest rate of a cell, where exp goes on rising and the cell does not. */
#include <math.h>
#include <stdlib.h>

#include "regression_internal.h"

typedef struct {
    double drive, count;
} frame;

static int
descending(const void *a, const void *b) {
    double left = ((const frame *)a)->drive, right = ((const frame *)b)->drive;
    return (left < right) - (left > right);
}

/* A limit kappa between the m-th highest rate and the next changes the log-likelihood of the first m frames only, by
 *     sum c log kappa - m kappa - sum (c g - exp g),
 * which rises up to their mean count and falls from there on. */
static double
best_limit(const frame *frames, size_t n) {
    double counts = 0, without = 0, gain = 0, best = exp(frames[0].drive);
    for (size_t m = 1; m <= n; ++m) {
        const frame *f = &frames[m - 1];
        counts += f->count;
        without += f->count * f->drive - exp(f->drive);
        double limit = fmax(fmin(counts / (double)m, exp(f->drive)), m < n ? exp(f[1].drive) : 0);
        if (!(limit > 0))
            continue;
        double change = counts * log(limit) - (double)m * limit - without;
        if (change > gain)
            gain = change, best = limit;
    }
    return best;
}

int
retc_regression_limit(const retc_regression *r, size_t j, double *limit) {
    frame *frames = NULL;
    int status = RETC_ALLOC(frames, r->M);
    const float *drive = r->drive + j * r->M;
    size_t n = 0;
    for (size_t s = 0; status == RETC_OK && s < r->n_spans; ++s)
        for (size_t t = 0; t < r->spans[s].count; ++t, ++n)
            frames[n] = (frame){(double)drive[n], (double)r->count[j * r->T + r->spans[s].first + t]};
    if (status == RETC_OK) {
        qsort(frames, n, sizeof *frames, descending);
        *limit = best_limit(frames, n);
    }
    retc_free(frames);
    return status;
}
