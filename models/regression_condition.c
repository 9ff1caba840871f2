/* An approximate inverse of the second derivative, so that conjugate gradients need few products with the true one.
 *
 * The covariance of natural movies is nearly the same everywhere in an image.  Then Fourier transforms over space make it
 * block-diagonal: at spatial frequency f there is a small Hermitian matrix over the functions of time,
 *
 *     A_f = weight E[y_b(f) conj y_b'(f)] + ridge (time penalty + smoothness (4 sin^2(pi f_y / h) + 4 sin^2(pi f_x / w)) 1)
 *
 * with y_b the window seen through function b, transformed over space: the optimal block-circulant approximation of T. Chan
 * (1988, doi 10.1137/0909051), measured on sample windows.  Spike filters and bias have the covariance of their features, and
 * correlations between spikes and stimulus are left to conjugate gradients.  As all filters share it, the penalty in A_f is the
 * geometric mean over the cells. */
#include <complex.h>
#include <fftw3.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "parallel.h"
#include "regression_internal.h"

enum { FEATURE_BLOCK = 1024, SAMPLES_PER_BASE = 24, LEAST_SAMPLES = 200 };

struct retc_conditioner {
    size_t bases, rows, columns, frequencies; /* rows (columns/2 + 1) */
    fftw_plan forward, backward;
    complex double *spectrum; /* (frequencies,bases,bases) covariance */
    complex double *factor;   /* (frequencies,bases,bases) Cholesky factors */
    size_t A;                 /* spike features of all cells, and the bias */
    double *features;         /* (A,A) covariance of spike features and bias */
    double *spike_factor;     /* (N,spikes+1,spikes+1) Cholesky factors */
    double mean_weight;
};

double
retc_regression_weight(const retc_regression *r, size_t j) {
    return r->design.family == RETC_FAMILY_POISSON ? r->mean_count[j] : 1;
}

/* ---- penalty --------------------------------------------------------------------------------------------------------- */

/* out += scale D'D v for differences along an axis of n elements, `stride` apart. */
static void
add_differences(const double *v, size_t n, size_t stride, double scale, double *out) {
    for (size_t i = 0; i + 1 < n; ++i) {
        double difference = scale * (v[(i + 1) * stride] - v[i * stride]);
        out[(i + 1) * stride] += difference;
        out[i * stride] -= difference;
    }
}

void
retc_regression_add_penalty(const retc_regression *r, double ridge, const double *v, double *out) {
    size_t rows = r->design.rows, columns = r->design.columns, area = rows * columns, bases = r->design.bases;
    double smooth = ridge * r->design.smoothness;
    for (size_t a = 0; a < bases; ++a)
        for (size_t b = 0; b < bases; ++b) {
            double value = ridge * r->time_penalty[a * bases + b];
            for (size_t i = 0; value != 0 && i < area; ++i)
                out[a * area + i] += value * v[b * area + i];
        }
    for (size_t b = 0; smooth > 0 && b < bases; ++b) {
        for (size_t y = 0; y < rows; ++y)
            add_differences(v + b * area + y * columns, columns, 1, smooth, out + b * area + y * columns);
        for (size_t x = 0; x < columns; ++x)
            add_differences(v + b * area + x, rows, columns, smooth, out + b * area + x);
    }
    for (size_t i = r->stimulus; i < r->stimulus + r->spikes; ++i)
        out[i] += r->design.spike_ridge * v[i];
}

/* ---- covariance of the stimulus -------------------------------------------------------------------------------------- */

typedef struct {
    const retc_regression *r;
    retc_conditioner *c;
    float *frames;          /* (L,H,W) */
    double *image;          /* (bases,rows,columns) */
    complex double *window; /* (bases,frequencies) */
} sampler;

/* The window of the response in `frame`, seen through the functions of time, from the pixels in the middle of the image. */
static int
sample_window(sampler *s, size_t frame) {
    const retc_regression *r = s->r;
    retc_conditioner *c = s->c;
    const retc_network *network = r->network;
    size_t area = c->rows * c->columns, top = (r->H - c->rows) / 2, left = (r->W - c->columns) / 2;
    int status = RETC_OK;
    RETC_TRY(retc_recording_stimulus(r->recording, RETC_TRAIN, frame + 1 - r->design.lag - r->L, r->L, s->frames));
    memset(s->image, 0, c->bases * area * sizeof *s->image);
    for (size_t k = 0; k < r->L; ++k)
        for (size_t b = 0; b < c->bases; ++b) {
            double value = r->design.basis ? r->design.basis[b * r->L + k] : (double)(b == k);
            for (size_t y = 0; value != 0 && y < c->rows; ++y)
                for (size_t x = 0; x < c->columns; ++x)
                    s->image[b * area + y * c->columns + x] +=
                        value * ((double)s->frames[(k * r->H + top + y) * r->W + left + x] - network->stimulus_mean) /
                        network->stimulus_std;
        }
    for (size_t b = 0; b < c->bases; ++b)
        fftw_execute_dft_r2c(c->forward, s->image + b * area, s->window + b * c->frequencies);
done:
    return status;
}

/* Lower triangles only: what Cholesky reads. */
static int
accumulate_frequency(void *context, size_t f) {
    const sampler *s = context;
    retc_conditioner *c = s->c;
    complex double *sum = c->spectrum + f * c->bases * c->bases;
    for (size_t a = 0; a < c->bases; ++a)
        for (size_t b = 0; b <= a; ++b)
            sum[a * c->bases + b] += s->window[a * c->frequencies + f] * conj(s->window[b * c->frequencies + f]);
    return RETC_OK;
}

/* Windows at equal distances over all frames. */
static int
measure_spectrum(const retc_regression *r, retc_conditioner *c) {
    int status = RETC_OK;
    sampler s = {.r = r, .c = c};
    size_t area = c->rows * c->columns, wanted = SAMPLES_PER_BASE * c->bases + LEAST_SAMPLES, samples = 0;
    size_t distance = r->M / wanted + 1, at = 0;
    RETC_TRY(RETC_ALLOC(s.frames, r->L * r->H * r->W));
    RETC_TRY(RETC_ALLOC(s.image, c->bases * area));
    RETC_TRY(RETC_ALLOC(s.window, c->bases * c->frequencies));
    for (size_t i = 0; i < r->n_spans; at += r->spans[i++].count)
        for (size_t t = (distance - at % distance) % distance; t < r->spans[i].count; t += distance, ++samples) {
            RETC_TRY(sample_window(&s, r->spans[i].first + t));
            RETC_TRY(retc_parallel_for(c->frequencies, r->design.threads, accumulate_frequency, &s));
        }
    for (size_t i = 0; i < c->frequencies * c->bases * c->bases; ++i)
        c->spectrum[i] /= (double)(samples * area);
done:
    retc_free(s.frames), retc_free(s.image), retc_free(s.window);
    return status;
}

/* ---- covariance of the spike features -------------------------------------------------------------------------------- */

static int
measure_features(const retc_regression *r, retc_conditioner *c) {
    int status = RETC_OK;
    float *feature = NULL;
    size_t A = c->A;
    RETC_TRY(RETC_ALLOC(feature, A * FEATURE_BLOCK));
    for (size_t s = 0; s < r->n_spans; ++s)
        for (size_t t = 0, n; t < r->spans[s].count; t += n) {
            n = r->spans[s].count - t < FEATURE_BLOCK ? r->spans[s].count - t : FEATURE_BLOCK;
            if (r->spikes)
                retc_regression_features(r, r->spans[s].first + t, n, n, feature);
            for (size_t i = 0; i < n; ++i)
                feature[(A - 1) * n + i] = 1;
            for (size_t a = 0; a < A; ++a)
                for (size_t b = 0; b <= a; ++b) {
                    double sum = 0;
                    for (size_t i = 0; i < n; ++i)
                        sum += (double)feature[a * n + i] * (double)feature[b * n + i];
                    c->features[a * A + b] += sum / (double)r->M;
                }
        }
    for (size_t a = 0; a < A; ++a)
        for (size_t b = a + 1; b < A; ++b)
            c->features[a * A + b] = c->features[b * A + a];
done:
    retc_free(feature);
    return status;
}

/* ---- making and setting ---------------------------------------------------------------------------------------------- */

retc_conditioner *
retc_conditioner_alloc(retc_regression *r) {
    int status = RETC_OK;
    double *image = NULL;
    complex double *transform = NULL;
    retc_conditioner *c = retc_calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->bases = r->design.bases, c->rows = r->design.rows, c->columns = r->design.columns;
    c->frequencies = c->rows * (c->columns / 2 + 1);
    c->A = (r->spikes ? r->N * r->design.spike_bases : 0) + 1;
    RETC_TRY(RETC_ALLOC(c->spectrum, c->frequencies * c->bases * c->bases));
    RETC_TRY(RETC_ALLOC(c->factor, c->frequencies * c->bases * c->bases));
    RETC_TRY(RETC_ALLOC(c->features, c->A * c->A));
    RETC_TRY(RETC_ALLOC(c->spike_factor, r->N * (r->spikes + 1) * (r->spikes + 1)));
    RETC_TRY(RETC_ALLOC(image, c->rows * c->columns));
    RETC_TRY(RETC_ALLOC(transform, c->frequencies));
    unsigned flags = FFTW_ESTIMATE | FFTW_UNALIGNED; /* rows of (bases,...) lie anywhere */
    c->forward = fftw_plan_dft_r2c_2d((int)c->rows, (int)c->columns, image, transform, flags);
    c->backward = fftw_plan_dft_c2r_2d((int)c->rows, (int)c->columns, transform, image, flags);
    if (!c->forward || !c->backward)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "FFTW has no plan for images of %zux%zu pixels", c->rows, c->columns));
    RETC_TRY(measure_spectrum(r, c));
    RETC_TRY(measure_features(r, c));
done:
    retc_free(image), retc_free(transform);
    if (status < 0) {
        retc_conditioner_free(c);
        return NULL;
    }
    return c;
}

void
retc_conditioner_free(retc_conditioner *c) {
    if (!c)
        return;
    if (c->forward)
        fftw_destroy_plan(c->forward);
    if (c->backward)
        fftw_destroy_plan(c->backward);
    retc_free(c->spectrum), retc_free(c->factor), retc_free(c->features), retc_free(c->spike_factor);
    retc_free(c);
}

typedef struct {
    retc_conditioner *c;
    const retc_regression *r;
    double ridge; /* per weight */
} setting;

/* A little is added to the diagonal where there is no penalty and more functions than the stimulus tells apart. */
static int
factor_frequency(void *context, size_t f) {
    const setting *s = context;
    retc_conditioner *c = s->c;
    size_t n = c->bases, row = f / (c->columns / 2 + 1), column = f % (c->columns / 2 + 1);
    const complex double *spectrum = c->spectrum + f * n * n;
    complex double *factor = c->factor + f * n * n;
    double trace = 0, y = sin(M_PI * (double)row / (double)c->rows), x = sin(M_PI * (double)column / (double)c->columns);
    for (size_t a = 0; a < n; ++a)
        trace += creal(spectrum[a * n + a]) / (double)n;
    for (size_t a = 0; a < n; ++a)
        for (size_t b = 0; b <= a; ++b)
            factor[a * n + b] = spectrum[a * n + b] + s->ridge * s->r->time_penalty[a * n + b];
    for (size_t a = 0; a < n; ++a)
        factor[a * n + a] += s->ridge * s->r->design.smoothness * 4 * (x * x + y * y) + 1e-6 * trace + 1e-9;
    gsl_matrix_complex_view view = gsl_matrix_complex_view_array((double *)factor, n, n);
    return gsl_linalg_complex_cholesky_decomp(&view.matrix) ? RETC_FAIL(RETC_ENUMBER, "the stimulus' covariance is not finite")
                                                            : RETC_OK;
}

static int
factor_spikes(retc_conditioner *c, const retc_regression *r) {
    size_t n = r->spikes + 1, bases = r->design.spike_bases;
    for (size_t j = 0; j < r->N; ++j) {
        double *factor = c->spike_factor + j * n * n, weight = retc_regression_weight(r, j);
        for (size_t a = 0; a < n; ++a)
            for (size_t b = 0; b < n; ++b) {
                size_t row = a + 1 == n ? c->A - 1 : retc_regression_source(j, a / bases) * bases + a % bases;
                size_t column = b + 1 == n ? c->A - 1 : retc_regression_source(j, b / bases) * bases + b % bases;
                factor[a * n + b] = weight * c->features[row * c->A + column];
                if (a == b)
                    factor[a * n + b] = factor[a * n + b] * (1 + 1e-6) + (a + 1 < n ? r->design.spike_ridge : 0) + 1e-12;
            }
        gsl_matrix_view view = gsl_matrix_view_array(factor, n, n);
        if (gsl_linalg_cholesky_decomp1(&view.matrix))
            return RETC_FAIL(RETC_ENUMBER, "spikes before the responses are so alike that their filters cannot be told apart");
    }
    return RETC_OK;
}

int
retc_conditioner_set(retc_conditioner *c, const retc_regression *r, const double *ridge) {
    int status = RETC_OK;
    double sum = 0;
    size_t n = 0;
    for (size_t j = 0; j < r->N; ++j)
        if (ridge[j] > 0 && r->mean_count[j] > 0)
            sum += log(ridge[j] / retc_regression_weight(r, j)), ++n;
    setting s = {c, r, n ? exp(sum / (double)n) : 0};
    RETC_TRY(retc_parallel_for(c->frequencies, r->design.threads, factor_frequency, &s));
    RETC_TRY(factor_spikes(c, r));
done:
    return status;
}

/* ---- applying -------------------------------------------------------------------------------------------------------- */

int
retc_conditioner_apply(const retc_conditioner *c, const retc_regression *r, size_t j, const double *residual, double *z) {
    int status = RETC_OK;
    size_t area = c->rows * c->columns, n = r->spikes + 1;
    double scale = 1 / (retc_regression_weight(r, j) * (double)area);
    complex double *transform = NULL, *column = NULL;
    double *image = NULL;
    RETC_TRY(RETC_ALLOC(transform, c->bases * c->frequencies));
    RETC_TRY(RETC_ALLOC(column, c->bases));
    RETC_TRY(RETC_ALLOC(image, area));
    for (size_t b = 0; b < c->bases; ++b) {
        memcpy(image, residual + b * area, area * sizeof *image);
        fftw_execute_dft_r2c(c->forward, image, transform + b * c->frequencies);
    }
    for (size_t f = 0; f < c->frequencies; ++f) {
        for (size_t b = 0; b < c->bases; ++b)
            column[b] = transform[b * c->frequencies + f];
        gsl_matrix_complex_const_view factor =
            gsl_matrix_complex_const_view_array((const double *)(c->factor + f * c->bases * c->bases), c->bases, c->bases);
        gsl_vector_complex_view x = gsl_vector_complex_view_array((double *)column, c->bases);
        gsl_linalg_complex_cholesky_svx(&factor.matrix, &x.vector);
        for (size_t b = 0; b < c->bases; ++b)
            transform[b * c->frequencies + f] = column[b];
    }
    for (size_t b = 0; b < c->bases; ++b) {
        fftw_execute_dft_c2r(c->backward, transform + b * c->frequencies, image);
        for (size_t i = 0; i < area; ++i)
            z[b * area + i] = scale * image[i];
    }
    memcpy(z + r->stimulus, residual + r->stimulus, n * sizeof *z);
    gsl_matrix_const_view factor = gsl_matrix_const_view_array(c->spike_factor + j * n * n, n, n);
    gsl_vector_view x = gsl_vector_view_array(z + r->stimulus, n);
    gsl_linalg_cholesky_svx(&factor.matrix, &x.vector);
done:
    retc_free(transform), retc_free(column), retc_free(image);
    return status;
}
