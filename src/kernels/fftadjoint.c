#include "fftadjoint.h"

#include <fftw3.h>
#include <math.h>
#include <string.h>

#include "fft.h"
#include "rows.h"

enum { GROUP = 4 }; /* pairs of windows that share a pass over the weights, which stay in the second cache */

/* Sustained rates in flop/s, as in fftconv.c: only their ratio matters. */
static const double direct_rate = 60e9, transform_rate = 8e9;

struct retc_fftadjoint {
    retc_conv_shape shape;
    size_t oh, ow;                     /* maps of gradients */
    size_t fh, fw, ld;                 /* size of transforms; their points, rounded up to whole tiles of rows.h */
    fftwf_plan to_frequency, to_space; /* from one array to another */
    float *weight;                     /* (C,K,2,ld) real and imaginary parts, scaled by 1 / (fh fw) */
};

struct retc_fftadjoint_work {
    fftwf_complex *from, *to; /* (ld) */
    float *spectrum;          /* (GROUP,K,2,ld) */
};

static size_t
points_of(const retc_conv_shape *shape) {
    return retc_fft_size(shape->h) * retc_fft_size(shape->w);
}

int
retc_fftadjoint_pays(const retc_conv_shape *shape) {
    double K = (double)shape->K, C = (double)shape->C, points = (double)points_of(shape);
    double outputs = (double)((shape->h - shape->kh + 1) * (shape->w - shape->kw + 1));
    double transforms = (K + C) * 2.5 * points * log2(points) + 4 * K * C * points;
    return shape->window && transforms / transform_rate < 2 * outputs * K * C * (double)(shape->kh * shape->kw) / direct_rate;
}

retc_fftadjoint *
retc_fftadjoint_alloc(const retc_conv_shape *shape) {
    int status = RETC_OK;
    retc_fftadjoint_work *work = NULL;
    retc_fftadjoint *plan = retc_calloc(1, sizeof *plan);
    RETC_TRY(RETC_GOT(plan));
    plan->shape = *shape;
    plan->oh = shape->h - shape->kh + 1, plan->ow = shape->w - shape->kw + 1;
    plan->fh = retc_fft_size(shape->h), plan->fw = retc_fft_size(shape->w);
    plan->ld = (plan->fh * plan->fw + RETC_ROW_TILE - 1) / RETC_ROW_TILE * RETC_ROW_TILE;
    RETC_TRY(RETC_ALLOC(plan->weight, shape->C * shape->K * 2 * plan->ld));
    RETC_TRY(RETC_GOT(work = retc_fftadjoint_work_alloc(plan)));
    plan->to_frequency = fftwf_plan_dft_2d((int)plan->fh, (int)plan->fw, work->from, work->to, FFTW_FORWARD, FFTW_ESTIMATE);
    plan->to_space = fftwf_plan_dft_2d((int)plan->fh, (int)plan->fw, work->from, work->to, FFTW_BACKWARD, FFTW_ESTIMATE);
    if (!plan->to_frequency || !plan->to_space)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "FFTW made no plan for %zu x %zu pixels", plan->fh, plan->fw));
done:
    retc_fftadjoint_work_free(work);
    if (status < 0) {
        retc_fftadjoint_free(plan);
        return NULL;
    }
    return plan;
}

void
retc_fftadjoint_free(retc_fftadjoint *plan) {
    if (!plan)
        return;
    fftwf_destroy_plan(plan->to_frequency);
    fftwf_destroy_plan(plan->to_space);
    retc_free(plan->weight);
    retc_free(plan);
}

retc_fftadjoint_work *
retc_fftadjoint_work_alloc(const retc_fftadjoint *plan) {
    int status = RETC_OK;
    retc_fftadjoint_work *work = retc_calloc(1, sizeof *work);
    RETC_TRY(RETC_GOT(work));
    RETC_TRY(RETC_ALLOC(work->from, plan->ld));
    RETC_TRY(RETC_ALLOC(work->to, plan->ld));
    RETC_TRY(RETC_ALLOC(work->spectrum, GROUP * plan->shape.K * 2 * plan->ld));
done:
    if (status < 0) {
        retc_fftadjoint_work_free(work);
        return NULL;
    }
    return work;
}

void
retc_fftadjoint_work_free(retc_fftadjoint_work *work) {
    if (!work)
        return;
    retc_free(work->from);
    retc_free(work->to);
    retc_free(work->spectrum);
    retc_free(work);
}

/* Transform work->from into real and imaginary parts (2,ld), scaled. */
static void
to_parts(const retc_fftadjoint *plan, retc_fftadjoint_work *work, float scale, float *parts) {
    fftwf_execute_dft(plan->to_frequency, work->from, work->to);
    for (size_t i = 0; i < plan->fh * plan->fw; ++i) {
        parts[i] = scale * work->to[i][0];
        parts[plan->ld + i] = scale * work->to[i][1];
    }
}

void
retc_fftadjoint_set_weights(retc_fftadjoint *plan, retc_fftadjoint_work *work, const float *w) {
    const retc_conv_shape *s = &plan->shape;
    float scale = (float)(1.0 / (double)(plan->fh * plan->fw));
    for (size_t c = 0; c < s->C; ++c)
        for (size_t k = 0; k < s->K; ++k) {
            memset(work->from, 0, plan->ld * sizeof *work->from);
            for (size_t p = 0; p < s->kh; ++p)
                for (size_t q = 0; q < s->kw; ++q)
                    work->from[p * plan->fw + q][0] = w[((k * s->C + c) * s->kh + p) * s->kw + q];
            to_parts(plan, work, scale, plan->weight + (c * s->K + k) * 2 * plan->ld);
        }
}

/* Spectra (K,2,ld) of two windows, or of one when `single`. */
static void
transform_pair(const retc_fftadjoint *plan, retc_fftadjoint_work *work, const float *g, size_t plane, size_t row, size_t column,
               int single, float *spectrum) {
    for (size_t k = 0; k < plan->shape.K; ++k) {
        memset(work->from, 0, plan->ld * sizeof *work->from);
        for (size_t y = 0; y < plan->oh; ++y)
            for (size_t x = 0; x < plan->ow; ++x) {
                const float *at = g + k * plane + y * row + x * column;
                work->from[y * plan->fw + x][0] = at[0];
                work->from[y * plan->fw + x][1] = single ? 0 : at[1];
            }
        to_parts(plan, work, 1, spectrum + k * 2 * plan->ld);
    }
}

/* Frame c of two windows, or of one when the second is NULL. */
static void
transform_back(const retc_fftadjoint *plan, retc_fftadjoint_work *work, const float *spectrum, size_t c, float *first,
               float *second) {
    const retc_conv_shape *s = &plan->shape;
    retc_row_spectra(s->K, plan->weight + c * s->K * 2 * plan->ld, spectrum, plan->ld, *work->from);
    fftwf_execute_dft(plan->to_space, work->from, work->to);
    for (size_t y = 0; y < s->h; ++y) {
        fftwf_complex *from = work->to + y * plan->fw;
        for (size_t x = 0; x < s->w; ++x)
            first[y * s->w + x] = from[x][0];
        for (size_t x = 0; second && x < s->w; ++x)
            second[y * s->w + x] = from[x][1];
    }
}

void
retc_fftadjoint_run(const retc_fftadjoint *plan, retc_fftadjoint_work *work, const float *g, size_t plane, size_t row,
                    size_t column, size_t n, float *out) {
    const retc_conv_shape *s = &plan->shape;
    size_t frame = s->h * s->w, window = s->C * frame, volume = s->K * 2 * plan->ld;
    for (size_t t = 0; t < n; t += 2 * GROUP) {
        for (size_t i = 0; i < GROUP && t + 2 * i < n; ++i)
            transform_pair(plan, work, g + t + 2 * i, plane, row, column, t + 2 * i + 1 == n, work->spectrum + i * volume);
        for (size_t c = 0; c < s->C; ++c)
            for (size_t i = 0; i < GROUP && t + 2 * i < n; ++i) {
                float *first = out + (t + 2 * i) * window + c * frame;
                transform_back(plan, work, work->spectrum + i * volume, c, first, t + 2 * i + 1 < n ? first + window : NULL);
            }
    }
}
