#include "fftconv.h"

#include <fftw3.h>
#include <math.h>
#include <string.h>

#include "fft.h"

/* Rows of a spectrum begin on 64 bytes, as its transforms expect.  Rows 256 bytes or a multiple apart fall onto few sets of the
 * first cache: transforms over columns took up to three times as long then. */
enum { ALIGNED = 8, SETS = 32, MOST_SEGMENTS = 64 };

/* Sustained rates of the direct form and of transforms with their products, in flop/s: only their ratio matters. */
static const double direct_rate = 100e9, transform_rate = 8e9;

/* A box at the origin of a segment: rows, columns and time steps that are not zero, or that are wanted. */
typedef struct {
    size_t rows, columns, steps;
    fftwf_plan to_frequency, to_time; /* over time, of one row of the box */
} box;

struct retc_fftconv {
    retc_conv_shape shape;
    size_t oh, ow, in_ld, out_ld;
    size_t segments, S, P, F, ld;   /* S outputs from P frames; F frequencies, rows of them ld apart */
    size_t volume;                  /* complex numbers of a spectrum (h,w,ld) */
    box movie, map, kernel;         /* the whole segment, its valid outputs, the kernel */
    fftwf_plan columns[2], rows[2]; /* over x of one row, over y of everything; forward, backward */
    fftwf_complex *weight;          /* (K,h,w,ld) conjugate spectra, scaled by 1 / (P h w) */
};

struct retc_fftconv_work {
    float *series;                         /* (w,P) */
    fftwf_complex *input;                  /* (segments,h,w,ld) of the latest forward pass */
    fftwf_complex *own_input;              /* NULL: the caller's */
    fftwf_complex *spectrum, *accumulated; /* (h,w,ld) */
    fftwf_complex *line, *staged;          /* (w,ld) after time, (h,w,ld) after time and x */
};

/* ---- how long a segment ---------------------------------------------------------------------------------------------- */

/* Flops of a transform of `points` real numbers. */
static double
transform_flops(double points) {
    return 2.5 * points * log2(points);
}

/* Segments that n time steps are best cut into, and the flops they then take. */
static size_t
best_segments(const retc_conv_shape *shape, size_t n, double *flops) {
    size_t best = 1;
    *flops = (double)INFINITY;
    for (size_t m = 1; m <= MOST_SEGMENTS && m <= n; ++m) {
        size_t P = retc_fft_size((n + m - 1) / m + shape->C - 1);
        double points = (double)(P * shape->h * shape->w), K = (double)shape->K;
        double cost = (double)m * ((1 + 0.75 * K) * transform_flops(points) + 4 * K * points);
        if (cost < *flops) {
            *flops = cost;
            best = m;
        }
    }
    return best;
}

int
retc_fftconv_pays(const retc_conv_shape *shape, size_t n) {
    double flops, outputs = (double)((shape->h - shape->kh + 1) * (shape->w - shape->kw + 1) * n);
    if (!shape->window || n == 0)
        return 0;
    (void)best_segments(shape, n, &flops);
    return flops / transform_rate < 2 * outputs * (double)(shape->K * shape->C * shape->kh * shape->kw) / direct_rate;
}

/* ---- plans ----------------------------------------------------------------------------------------------------------- */

/* Both directions over time for one row of a box: `columns` series of P numbers and of ld frequencies. */
static int
plan_box(const retc_fftconv *plan, box *b, size_t rows, size_t columns, size_t steps, float *series, fftwf_complex *spectrum) {
    int n = (int)plan->P, howmany = (int)columns, ld = (int)plan->ld;
    b->rows = rows, b->columns = columns, b->steps = steps;
    b->to_frequency = fftwf_plan_many_dft_r2c(1, &n, howmany, series, NULL, 1, n, spectrum, NULL, 1, ld, FFTW_ESTIMATE);
    b->to_time = fftwf_plan_many_dft_c2r(1, &n, howmany, spectrum, NULL, 1, ld, series, NULL, 1, n, FFTW_ESTIMATE);
    return b->to_frequency && b->to_time ? RETC_OK : RETC_FAIL(RETC_ENOMEM, "FFTW made no plan for %zu frames", plan->P);
}

static int
make_plans(retc_fftconv *plan) {
    int status = RETC_OK;
    const retc_conv_shape *s = &plan->shape;
    int h = (int)s->h, w = (int)s->w, ld = (int)plan->ld, all = (int)(s->w * plan->ld);
    retc_fftconv_work *work = NULL;
    static const int sign[2] = {FFTW_FORWARD, FFTW_BACKWARD};
    /* Over space from one array to another: without measuring FFTW finds plans for that which take two thirds of the time. */
    RETC_TRY(RETC_GOT(work = retc_fftconv_work_alloc_bare(plan)));
    RETC_TRY(plan_box(plan, &plan->movie, s->h, s->w, plan->P, work->series, work->spectrum));
    RETC_TRY(plan_box(plan, &plan->map, plan->oh, plan->ow, plan->S, work->series, work->spectrum));
    RETC_TRY(plan_box(plan, &plan->kernel, s->kh, s->kw, s->C, work->series, work->spectrum));
    for (int d = 0; d < 2; ++d) {
        fftwf_complex *z = work->spectrum, *line = work->line, *staged = work->staged;
        plan->columns[d] = fftwf_plan_many_dft(1, &w, ld, line, NULL, ld, 1, staged, NULL, ld, 1, sign[d], FFTW_ESTIMATE);
        plan->rows[d] = fftwf_plan_many_dft(1, &h, all, staged, NULL, all, 1, z, NULL, all, 1, sign[d], FFTW_ESTIMATE);
        if (!plan->columns[d] || !plan->rows[d])
            RETC_TRY(RETC_FAIL(RETC_ENOMEM, "FFTW made no plan for %zu x %zu pixels", s->h, s->w));
    }

done:
    retc_fftconv_work_free(work);
    return status;
}

retc_fftconv *
retc_fftconv_alloc(const retc_conv_shape *shape, size_t in_ld, size_t out_ld, size_t max_n) {
    int status = RETC_OK;
    double flops;
    retc_fftconv *plan = retc_calloc(1, sizeof *plan);
    RETC_TRY(RETC_GOT(plan));
    plan->shape = *shape;
    plan->oh = shape->h - shape->kh + 1, plan->ow = shape->w - shape->kw + 1;
    plan->in_ld = in_ld, plan->out_ld = out_ld;
    plan->segments = best_segments(shape, max_n, &flops);
    plan->P = retc_fft_size((max_n + plan->segments - 1) / plan->segments + shape->C - 1);
    plan->S = plan->P - shape->C + 1;
    plan->F = plan->P / 2 + 1;
    plan->ld = (plan->F + ALIGNED - 1) / ALIGNED * ALIGNED;
    plan->ld += plan->ld % SETS ? 0 : ALIGNED;
    plan->volume = shape->h * shape->w * plan->ld;
    RETC_TRY(RETC_ALLOC(plan->weight, shape->K * plan->volume));
    RETC_TRY(make_plans(plan));

done:
    if (status < 0) {
        retc_fftconv_free(plan);
        return NULL;
    }
    return plan;
}

static void
free_box(box *b) {
    fftwf_destroy_plan(b->to_frequency);
    fftwf_destroy_plan(b->to_time);
}

void
retc_fftconv_free(retc_fftconv *plan) {
    if (!plan)
        return;
    free_box(&plan->movie);
    free_box(&plan->map);
    free_box(&plan->kernel);
    for (int d = 0; d < 2; ++d) {
        fftwf_destroy_plan(plan->columns[d]);
        fftwf_destroy_plan(plan->rows[d]);
    }
    retc_free(plan->weight);
    retc_free(plan);
}

retc_fftconv_work *
retc_fftconv_work_alloc_bare(const retc_fftconv *plan) {
    int status = RETC_OK;
    retc_fftconv_work *work = retc_calloc(1, sizeof *work);
    RETC_TRY(RETC_GOT(work));
    RETC_TRY(RETC_ALLOC(work->series, plan->shape.w * plan->P));
    RETC_TRY(RETC_ALLOC(work->spectrum, plan->volume));
    RETC_TRY(RETC_ALLOC(work->accumulated, plan->volume));
    RETC_TRY(RETC_ALLOC(work->line, plan->shape.w * plan->ld));
    RETC_TRY(RETC_ALLOC(work->staged, plan->volume));

done:
    if (status < 0) {
        retc_fftconv_work_free(work);
        return NULL;
    }
    return work;
}

retc_fftconv_work *
retc_fftconv_work_alloc(const retc_fftconv *plan) {
    retc_fftconv_work *work = retc_fftconv_work_alloc_bare(plan);
    if (work && RETC_ALLOC(work->own_input, plan->segments * plan->volume) < 0) {
        retc_fftconv_work_free(work);
        return NULL;
    }
    if (work)
        work->input = work->own_input;
    return work;
}

size_t
retc_fftconv_input_size(const retc_fftconv *plan) {
    return plan->segments * plan->volume * sizeof(fftwf_complex) / sizeof(float);
}

void
retc_fftconv_set_input(retc_fftconv_work *work, float *spectra) {
    work->input = (fftwf_complex *)spectra;
}

void
retc_fftconv_work_free(retc_fftconv_work *work) {
    if (!work)
        return;
    retc_free(work->series);
    retc_free(work->own_input);
    retc_free(work->spectrum);
    retc_free(work->accumulated);
    retc_free(work->line);
    retc_free(work->staged);
    retc_free(work);
}

size_t
retc_fftconv_points(const retc_fftconv *plan) {
    return plan->P * plan->shape.h * plan->shape.w;
}

/* ---- transforms of a box --------------------------------------------------------------------------------------------- */

/* Spectrum (h,w,ld) of a box.  Step t of row y and column x stands at x0[y * row + x * column + t * step]. */
static void
to_spectrum(const retc_fftconv *plan, retc_fftconv_work *work, const box *b, size_t steps, const float *x0, size_t row,
            size_t column, size_t step, fftwf_complex *spectrum) {
    size_t w = plan->shape.w, P = plan->P, ld = plan->ld;
    memset(work->line + b->columns * ld, 0, (w - b->columns) * ld * sizeof *work->line);
    for (size_t y = 0; y < b->rows; ++y) {
        for (size_t x = 0; x < b->columns; ++x) {
            const float *from = x0 + y * row + x * column;
            float *to = work->series + x * P;
            for (size_t t = 0; t < steps; ++t)
                to[t] = from[t * step];
            memset(to + steps, 0, (P - steps) * sizeof *to);
        }
        fftwf_execute_dft_r2c(b->to_frequency, work->series, work->line);
        fftwf_execute_dft(plan->columns[0], work->line, work->staged + y * w * ld);
    }
    memset(work->staged + b->rows * w * ld, 0, (plan->shape.h - b->rows) * w * ld * sizeof *work->staged);
    fftwf_execute_dft(plan->rows[0], work->staged, spectrum);
}

/* The box of a spectrum: x1 as x0 above = bias + the transform, or += it when `add`. */
static void
from_spectrum(const retc_fftconv *plan, retc_fftconv_work *work, const box *b, size_t steps, fftwf_complex *spectrum,
              float bias, int add, float *x1, size_t row, size_t column, size_t step) {
    size_t w = plan->shape.w, P = plan->P, ld = plan->ld;
    fftwf_execute_dft(plan->rows[1], spectrum, work->staged);
    for (size_t y = 0; y < b->rows; ++y) {
        fftwf_execute_dft(plan->columns[1], work->staged + y * w * ld, work->line);
        fftwf_execute_dft_c2r(b->to_time, work->line, work->series);
        for (size_t x = 0; x < b->columns; ++x) {
            const float *from = work->series + x * P;
            float *to = x1 + y * row + x * column;
            if (add)
                for (size_t t = 0; t < steps; ++t)
                    to[t * step] += from[t];
            else
                for (size_t t = 0; t < steps; ++t)
                    to[t * step] = from[t] + bias;
        }
    }
}

/* ---- convolution ----------------------------------------------------------------------------------------------------- */

void
retc_fftconv_set_kernel(retc_fftconv *plan, retc_fftconv_work *work, const float *w, size_t k) {
    const retc_conv_shape *s = &plan->shape;
    size_t taps = s->kh * s->kw;
    float scale = (float)(1.0 / (double)retc_fftconv_points(plan));
    fftwf_complex *to = plan->weight + k * plan->volume;
    to_spectrum(plan, work, &plan->kernel, s->C, w + k * s->C * taps, s->kw, 1, taps, to);
    for (size_t i = 0; i < plan->volume; ++i) {
        to[i][0] *= scale;
        to[i][1] *= -scale;
    }
}

void
retc_fftconv_set_weights(retc_fftconv *plan, retc_fftconv_work *work, const float *w) {
    for (size_t k = 0; k < plan->shape.K; ++k)
        retc_fftconv_set_kernel(plan, work, w, k);
}

/* c = a b, n complex numbers as pairs */
static void
multiply(const float *restrict a, const float *restrict b, size_t n, float *restrict c) {
    for (size_t i = 0; i < 2 * n; i += 2) {
        c[i] = a[i] * b[i] - a[i + 1] * b[i + 1];
        c[i + 1] = a[i] * b[i + 1] + a[i + 1] * b[i];
    }
}

/* c += conj(a) b */
static void
correlate(const float *restrict a, const float *restrict b, size_t n, float *restrict c) {
    for (size_t i = 0; i < 2 * n; i += 2) {
        c[i] += a[i] * b[i] + a[i + 1] * b[i + 1];
        c[i + 1] += a[i] * b[i + 1] - a[i + 1] * b[i];
    }
}

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

void
retc_fftconv_forward(const retc_fftconv *plan, retc_fftconv_work *work, const float *bias, const float *in, size_t n,
                     float *out) {
    const retc_conv_shape *s = &plan->shape;
    size_t out_row = plan->ow * plan->out_ld;
    for (size_t i = 0, t0 = 0; t0 < n; ++i, t0 += plan->S) {
        size_t outputs = smaller(plan->S, n - t0);
        fftwf_complex *spectrum = work->input + i * plan->volume;
        to_spectrum(plan, work, &plan->movie, outputs + s->C - 1, in + t0, s->w * plan->in_ld, plan->in_ld, 1, spectrum);
        for (size_t k = 0; k < s->K; ++k) {
            multiply(*spectrum, plan->weight[k * plan->volume], plan->volume, *work->spectrum);
            from_spectrum(plan, work, &plan->map, outputs, work->spectrum, bias ? bias[k] : 0, 0,
                          out + k * plan->oh * out_row + t0, out_row, plan->out_ld, 1);
        }
    }
}

void
retc_fftconv_backward_weights(const retc_fftconv *plan, retc_fftconv_work *work, const float *g, size_t n, float *dw) {
    const retc_conv_shape *s = &plan->shape;
    size_t row = plan->ow * plan->out_ld, taps = s->kh * s->kw;
    float scale = (float)(1.0 / (double)retc_fftconv_points(plan));
    for (size_t k = 0; k < s->K; ++k) {
        memset(work->accumulated, 0, plan->volume * sizeof *work->accumulated);
        for (size_t i = 0, t0 = 0; t0 < n; ++i, t0 += plan->S) {
            to_spectrum(plan, work, &plan->map, smaller(plan->S, n - t0), g + k * plan->oh * row + t0, row, plan->out_ld, 1,
                        work->spectrum);
            correlate(*work->spectrum, work->input[i * plan->volume], plan->volume, *work->accumulated);
        }
        for (size_t i = 0; i < plan->volume; ++i) {
            work->accumulated[i][0] *= scale;
            work->accumulated[i][1] *= scale;
        }
        from_spectrum(plan, work, &plan->kernel, s->C, work->accumulated, 0, 1, dw + k * s->C * taps, s->kw, 1, taps);
    }
}
