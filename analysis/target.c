#include "target.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <string.h>

#include "stream.h"

enum { BLOCK = 128 };

/* Of correlations: rates are floats, whose roundings, 6e-8 of a rate, make up to 1e-12 or so. */
static const double LEAST_VARIANCE = 1e-10;

/* ---- making ---------------------------------------------------------------------------------------------------------- */

int
retc_target_init(retc_target *target, retc_target_kind kind, size_t N, size_t which) {
    *target = (retc_target){.kind = kind, .N = N, .softmax = kind == RETC_TARGET_ENTROPY};
    if (kind == RETC_TARGET_CELL) {
        target->cell = which;
        if (which >= N)
            return RETC_FAIL(RETC_EINVAL, "cell %zu is asked for, the model has cells 0 to %zu", which, N - 1);
    }
    if (kind == RETC_TARGET_TOP) {
        target->k = which;
        if (which == 0 || which > N)
            return RETC_FAIL(RETC_EINVAL, "the %zu largest rates are asked for, the model has %zu cell%s: ask for 1 to %zu",
                             which, N, N == 1 ? "" : "s", N);
    }
    if ((kind == RETC_TARGET_ENTROPY || kind == RETC_TARGET_CONTRASTIVE) && N < 2)
        return RETC_FAIL(RETC_EINVAL, "the target %s compares cells, the model has one: explain that cell instead",
                         retc_target_name(target));
    return RETC_OK;
}

int
retc_target_init_linear(retc_target *target, size_t N, size_t n, const double *weight) {
    int status = RETC_OK, any = 0;
    *target = (retc_target){.kind = RETC_TARGET_LINEAR, .N = N};
    if (n != N)
        return RETC_FAIL(RETC_EINVAL, "%zu weight%s given, the model has %zu cells: give one for each", n,
                         n == 1 ? " is" : "s are", N);
    for (size_t j = 0; j < N; ++j) {
        if (!isfinite(weight[j]))
            return RETC_FAIL(RETC_EINVAL, "the weight of cell %zu is not a finite number", j);
        any |= weight[j] != 0;
    }
    if (!any)
        return RETC_FAIL(RETC_EINVAL, "all weights are 0: there is nothing to explain");
    RETC_TRY(RETC_ALLOC(target->weight, N));
    memcpy(target->weight, weight, N * sizeof *weight);
done:
    return status;
}

int
retc_target_init_cells(retc_target *target, size_t N, size_t n, const size_t *cell) {
    int status = RETC_OK;
    *target = (retc_target){.kind = RETC_TARGET_CELLS, .N = N};
    RETC_TRY(RETC_ALLOC(target->weight, N));
    for (size_t i = 0; i < n; ++i) {
        if (cell[i] >= N)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "cell %zu is asked for, the model has cells 0 to %zu", cell[i], N - 1));
        if (target->weight[cell[i]] != 0)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "cell %zu is asked for twice", cell[i]));
        target->weight[cell[i]] = 1;
    }
    if (n == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "no cell is asked for"));
done:
    if (status < 0)
        retc_target_clear(target);
    return status;
}

int
retc_target_through_softmax(retc_target *target) {
    if (target->kind == RETC_TARGET_SUM || target->N < 2)
        return RETC_FAIL(RETC_EINVAL,
                         "the target %s cannot be taken through softmax: its outputs always sum to 1, so that nothing changes",
                         retc_target_name(target));
    target->softmax = 1;
    return RETC_OK;
}

int
retc_target_init_given(retc_target *target, size_t N, const double *mean, const double *precision) {
    int status = RETC_OK;
    *target = (retc_target){.kind = RETC_TARGET_SURPRISAL, .N = N};
    RETC_TRY(RETC_ALLOC(target->mean, N));
    RETC_TRY(RETC_ALLOC(target->precision, N * N));
    memcpy(target->mean, mean, N * sizeof *mean);
    for (size_t i = 0; i < N; ++i)
        for (size_t j = 0; j < N; ++j)
            target->precision[i * N + j] = 0.5 * (precision[i * N + j] + precision[j * N + i]);
done:
    if (status < 0)
        retc_target_clear(target);
    return status;
}

void
retc_target_clear(retc_target *target) {
    retc_free(target->weight);
    retc_free(target->mean);
    retc_free(target->precision);
    *target = (retc_target){0};
}

/* Sums of y and y y' over a stream, about a first guess of the mean so that nothing cancels; y are rates or their softmax. */
typedef struct {
    size_t N, n;
    int softmax;
    double *y;                       /* (N,BLOCK) */
    double *origin, *sum, *products; /* (N) (N) (N,N) */
} moments;

static int
forward(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    (void)context, (void)slot;
    retc_tape_forward(tape, 0, tape->network->layers, block->n);
    return RETC_OK;
}

static void
take_outputs(moments *m, const retc_tape *tape, size_t n) {
    for (size_t t = 0; t < n; ++t) {
        double largest = -HUGE_VAL, total = 0;
        for (size_t i = 0; i < m->N; ++i)
            largest = fmax(largest, m->y[i * BLOCK + t] = (double)retc_tape_rate(tape, i)[t]);
        for (size_t i = 0; i < m->N && m->softmax; ++i)
            total += m->y[i * BLOCK + t] = exp(m->y[i * BLOCK + t] - largest);
        for (size_t i = 0; i < m->N && m->softmax; ++i)
            m->y[i * BLOCK + t] /= total;
    }
}

static int
add_moments(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)slot;
    moments *m = context;
    int status = retc_stream_check_rates(tape, block);
    take_outputs(m, tape, block->n);
    if (m->n == 0)
        for (size_t i = 0; i < m->N; ++i)
            m->origin[i] = m->y[i * BLOCK];
    m->n += block->n;
    for (size_t i = 0; i < m->N; ++i) {
        const double *x = m->y + i * BLOCK;
        for (size_t t = 0; t < block->n; ++t)
            m->sum[i] += x[t] - m->origin[i];
        for (size_t j = 0; j <= i; ++j) {
            const double *y = m->y + j * BLOCK;
            for (size_t t = 0; t < block->n; ++t)
                m->products[i * m->N + j] += (x[t] - m->origin[i]) * (y[t] - m->origin[j]);
        }
    }
    return status;
}

static int
collect_moments(moments *m, const retc_network *network, retc_recording *recording, retc_part part, size_t threads,
                const retc_progress *progress) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0, N = network->N;
    retc_stream_options options = {.block = BLOCK, .threads = threads};
    retc_stream_task task = {forward, add_moments, m};
    m->N = N;
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    RETC_TRY(RETC_ALLOC(m->y, N * BLOCK));
    RETC_TRY(RETC_ALLOC(m->origin, N));
    RETC_TRY(RETC_ALLOC(m->sum, N));
    RETC_TRY(RETC_ALLOC(m->products, N * N));
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &options, &task, progress));
done:
    retc_free(spans);
    return status;
}

/* Divide a covariance by standard deviations, `scale` (N): rates of 1 and of 100 Hz are as surprising.  A rate that never
 * changes gets the mean of all variances for its scale. */
static int
correlate(double *matrix, size_t N, double *scale) {
    double total = 0;
    for (size_t i = 0; i < N; ++i)
        total += matrix[i * N + i];
    if (!(total > 0))
        return RETC_FAIL(RETC_ENUMBER, "the covariance of the rates cannot be inverted: the model's rates do not vary");
    for (size_t i = 0; i < N; ++i)
        scale[i] = sqrt(matrix[i * N + i] > 0 ? matrix[i * N + i] : total / (double)N);
    for (size_t i = 0; i < N * N; ++i)
        matrix[i] /= scale[i / N] * scale[i % N];
    return RETC_OK;
}

/* Invert in place, by the eigenvectors of the correlations.  Directions without variance - cells that repeat others, that never
 * change, or fewer samples than cells - get the mean variance, 1: `*still` counts them. */
static int
invert(double *matrix, size_t N, size_t *still) {
    int status = RETC_OK;
    double *vectors = NULL, *values = NULL, *scale = NULL;
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(N);
    *still = 0;
    RETC_TRY(RETC_GOT(work));
    RETC_TRY(RETC_ALLOC(vectors, N * N));
    RETC_TRY(RETC_ALLOC(values, N));
    RETC_TRY(RETC_ALLOC(scale, N));
    RETC_TRY(correlate(matrix, N, scale));
    gsl_matrix_view view = gsl_matrix_view_array(matrix, N, N), eigenvectors = gsl_matrix_view_array(vectors, N, N);
    gsl_vector_view eigenvalues = gsl_vector_view_array(values, N);
    if (gsl_eigen_symmv(&view.matrix, &eigenvalues.vector, &eigenvectors.matrix, work) != GSL_SUCCESS)
        RETC_TRY(RETC_FAIL(RETC_ENUMBER, "the covariance of the rates has no eigenvalues"));
    for (size_t k = 0; k < N; ++k)
        if (!(values[k] >= LEAST_VARIANCE)) {
            values[k] = 1;
            ++*still;
        }
    for (size_t i = 0; i < N; ++i)
        for (size_t j = 0; j < N; ++j) {
            double sum = 0;
            for (size_t k = 0; k < N; ++k)
                sum += vectors[i * N + k] * vectors[j * N + k] / values[k];
            matrix[i * N + j] = sum / (scale[i] * scale[j]);
        }
done:
    gsl_eigen_symmv_free(work);
    retc_free(vectors), retc_free(values), retc_free(scale);
    return status;
}

/* Probabilities sum to 1: along (1,...,1) they never vary.  Give that direction the mean variance, and the inverse is that of
 * the rest; what it says about the direction itself meets differences of 0 only. */
static void
fill_direction(double *covariance, size_t N) {
    double mean = 0;
    for (size_t i = 0; i < N; ++i)
        mean += covariance[i * N + i] / (double)N;
    for (size_t i = 0; i < N * N; ++i)
        covariance[i] += mean / (double)N;
}

int
retc_target_init_surprisal(retc_target *target, const retc_network *network, retc_recording *recording, retc_part part,
                           int softmax, size_t threads, const retc_progress *progress) {
    int status = RETC_OK;
    moments m = {.softmax = softmax};
    size_t still = 0;
    *target = (retc_target){0};
    RETC_TRY(collect_moments(&m, network, recording, part, threads, progress));
    if (m.n < 2) {
        status = RETC_FAIL(RETC_EINVAL, "a covariance needs at least two samples, there is %zu", m.n);
        goto done;
    }
    for (size_t i = 0; i < m.N; ++i)
        for (size_t j = 0; j <= i; ++j) {
            double covariance = (m.products[i * m.N + j] - m.sum[i] * m.sum[j] / (double)m.n) / (double)(m.n - 1);
            m.products[i * m.N + j] = m.products[j * m.N + i] = covariance;
        }
    for (size_t i = 0; i < m.N; ++i)
        m.origin[i] += m.sum[i] / (double)m.n;
    if (softmax)
        fill_direction(m.products, m.N);
    status = invert(m.products, m.N, &still);
    if (status < 0)
        status =
            retc_error_prefix(status, "%s: %s part", retc_recording_path(recording), part == RETC_TRAIN ? "train" : "test");
    RETC_TRY(status);
    RETC_TRY(retc_target_init_given(target, m.N, m.origin, m.products));
    target->still = still;
    target->softmax = softmax;
done:
    retc_free(m.y);
    retc_free(m.origin);
    retc_free(m.sum);
    retc_free(m.products);
    return status;
}
