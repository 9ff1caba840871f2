/* Overlap-save correlation.  Blocks of a fixed size keep a transform inside the processor's second-level cache, where it is
 * several times faster than one transform over a recording of hours, and one accumulated spectrum serves all blocks. */
#include "xcorr.h"

#include <complex.h>
#include <fftw3.h>
#include <stdint.h>
#include <string.h>

#include "fft.h"

enum { BLOCK = 16384, LONGEST = 1 << 30 }; /* usual and largest length of a transform; FFTW counts in int */

struct retc_xcorr {
    size_t n, max_lag, P, bins, blocks;
    fftw_plan forward, backward;
    const retc_xcorr *owner; /* where slots and plans live; itself unless shared */
    size_t n_slots;
    fftw_complex **slots;   /* (blocks,bins) each, NULL when not set */
    fftw_complex *stimulus; /* (blocks,bins) */
    fftw_complex *product;  /* (bins) */
    double *block;          /* (P) */
};

/* First stimulus frame of a block, which may lie before 0.  The last block is moved back to end with the series: so its
 * stimulus is all real, and shifted responses meet no padding. */
static ptrdiff_t
block_start(const retc_xcorr *plan, size_t b) {
    ptrdiff_t start = (ptrdiff_t)(b * (plan->P - plan->max_lag)) - (ptrdiff_t)plan->max_lag;
    ptrdiff_t latest = (ptrdiff_t)plan->n - (ptrdiff_t)plan->P;
    return plan->blocks > 1 && start > latest ? latest : start;
}

/* Response frames first ... last-1 that belong to block b: each frame of the series to exactly one. */
static void
block_responses(const retc_xcorr *plan, size_t b, size_t *first, size_t *last) {
    size_t step = plan->P - plan->max_lag;
    *first = b * step;
    *last = *first + step < plan->n ? *first + step : plan->n;
}

static int
alloc_buffers(retc_xcorr *plan) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(plan->stimulus, plan->blocks * plan->bins));
    RETC_TRY(RETC_ALLOC(plan->product, plan->bins));
    RETC_TRY(RETC_ALLOC(plan->block, plan->P));
done:
    return status;
}

retc_xcorr *
retc_xcorr_alloc(size_t n, size_t max_lag) {
    int status = RETC_OK;
    retc_xcorr *plan = NULL;
    if (n == 0 || n > PTRDIFF_MAX / 2 || max_lag > LONGEST / 16) {
        RETC_FAIL(RETC_EINVAL, "cannot correlate series of %zu frames at lags up to %zu", n, max_lag);
        return NULL;
    }
    RETC_TRY(RETC_ALLOC(plan, 1));
    plan->owner = plan;
    plan->n = n;
    plan->max_lag = max_lag;
    size_t whole = retc_fft_size(n + max_lag), block = retc_fft_size(8 * max_lag > BLOCK ? 8 * max_lag : BLOCK);
    plan->P = whole <= block ? whole : block;
    plan->bins = plan->P / 2 + 1;
    plan->blocks = (n - 1) / (plan->P - max_lag) + 1;
    RETC_TRY(alloc_buffers(plan));

    /* FFTW_ESTIMATE: measured plans differ from run to run, and so would the last digits of the result. */
    plan->forward = fftw_plan_dft_r2c_1d((int)plan->P, plan->block, plan->product, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    plan->backward = fftw_plan_dft_c2r_1d((int)plan->P, plan->product, plan->block, FFTW_ESTIMATE);
    if (!plan->forward || !plan->backward)
        status = RETC_FAIL(RETC_ENOMEM, "FFTW has no plan for transforms of length %zu", plan->P);
done:
    if (status < 0) {
        retc_xcorr_free(plan);
        return NULL;
    }
    return plan;
}

retc_xcorr *
retc_xcorr_share(const retc_xcorr *plan) {
    retc_xcorr *shared = retc_calloc(1, sizeof *shared);
    if (!shared)
        return NULL;
    shared->n = plan->n;
    shared->max_lag = plan->max_lag;
    shared->P = plan->P;
    shared->bins = plan->bins;
    shared->blocks = plan->blocks;
    shared->owner = plan->owner;
    if (alloc_buffers(shared) < 0) {
        retc_xcorr_free(shared);
        return NULL;
    }
    return shared;
}

void
retc_xcorr_free(retc_xcorr *plan) {
    if (!plan)
        return;
    if (plan->forward)
        fftw_destroy_plan(plan->forward);
    if (plan->backward)
        fftw_destroy_plan(plan->backward);
    for (size_t i = 0; i < plan->n_slots; ++i)
        retc_free(plan->slots[i]);
    retc_free(plan->slots);
    retc_free(plan->stimulus);
    retc_free(plan->product);
    retc_free(plan->block);
    retc_free(plan);
}

size_t
retc_xcorr_length(const retc_xcorr *plan) {
    return plan->P;
}

static int
grow_slots(retc_xcorr *plan, size_t needed) {
    if (needed <= plan->n_slots)
        return RETC_OK;
    fftw_complex **slots = retc_calloc(needed, sizeof *slots);
    if (!slots)
        return RETC_ENOMEM;
    if (plan->n_slots > 0)
        memcpy(slots, plan->slots, plan->n_slots * sizeof *slots);
    retc_free(plan->slots);
    plan->slots = slots;
    plan->n_slots = needed;
    return RETC_OK;
}

/* The plan's block holds frames start ... start+P-1 of x, zero outside first ... last-1. */
static void
fill_block(retc_xcorr *plan, const double *x, ptrdiff_t start, size_t first, size_t last) {
    memset(plan->block, 0, plan->P * sizeof *plan->block);
    if (first < last)
        memcpy(plan->block + ((ptrdiff_t)first - start), x + first, (last - first) * sizeof *x);
}

int
retc_xcorr_set(retc_xcorr *plan, size_t slot, const double *c) {
    int status = RETC_OK;
    if (plan->owner != plan)
        return RETC_FAIL(RETC_EINVAL, "response series are set in the plan that owns them, not in a shared one");
    RETC_TRY(grow_slots(plan, slot + 1));
    if (!plan->slots[slot])
        RETC_TRY(RETC_ALLOC(plan->slots[slot], plan->blocks * plan->bins));
    for (size_t b = 0; b < plan->blocks; ++b) {
        size_t first, last;
        block_responses(plan, b, &first, &last);
        fill_block(plan, c, block_start(plan, b), first, last);
        fftw_execute_dft_r2c(plan->forward, plan->block, plan->slots[slot] + b * plan->bins);
    }
done:
    return status;
}

void
retc_xcorr_stimulus(retc_xcorr *plan, const double *s) {
    for (size_t b = 0; b < plan->blocks; ++b) {
        ptrdiff_t start = block_start(plan, b), end = start + (ptrdiff_t)plan->P;
        size_t first = start > 0 ? (size_t)start : 0, last = (size_t)end < plan->n ? (size_t)end : plan->n;
        fill_block(plan, s, start, first, last);
        fftw_execute_dft_r2c(plan->owner->forward, plan->block, plan->stimulus + b * plan->bins);
    }
}

void
retc_xcorr_correlate(retc_xcorr *plan, size_t slot, double *out) {
    memset(plan->product, 0, plan->bins * sizeof *plan->product);
    double *restrict sum = (double *)plan->product;
    for (size_t b = 0; b < plan->blocks; ++b) {
        const double *c = (const double *)(plan->owner->slots[slot] + b * plan->bins);
        const double *s = (const double *)(plan->stimulus + b * plan->bins);
        for (size_t i = 0; i < plan->bins; ++i) { /* sum += c conj(s), in parts: C's complex product looks after infinities */
            sum[2 * i] += c[2 * i] * s[2 * i] + c[2 * i + 1] * s[2 * i + 1];
            sum[2 * i + 1] += c[2 * i + 1] * s[2 * i] - c[2 * i] * s[2 * i + 1];
        }
    }
    fftw_execute_dft_c2r(plan->owner->backward, plan->product, plan->block);
    double scale = 1 / (double)plan->P;
    for (size_t k = 0; k < plan->P; ++k)
        out[k] = plan->block[k] * scale;
}

void
retc_xcorr_reference(const retc_xcorr *plan, const double *c, const double *s, size_t lags, double *out) {
    for (size_t k = 0; k < lags; ++k) {
        out[k] = 0;
        for (size_t b = 0; b < plan->blocks; ++b) {
            ptrdiff_t start = block_start(plan, b);
            size_t first, last;
            block_responses(plan, b, &first, &last);
            for (size_t t = first; t < last; ++t) {
                size_t i = ((size_t)((ptrdiff_t)t - start) + plan->P - k) % plan->P;
                ptrdiff_t frame = start + (ptrdiff_t)i;
                if (frame >= 0 && (size_t)frame < plan->n)
                    out[k] += c[t] * s[frame];
            }
        }
    }
}
