#include "regression.h"

#include <math.h>
#include <string.h>

#include "gather.h"
#include "parallel.h"
#include "regression_internal.h"
#include "stats.h"
#include "stream.h"

enum { BLOCK = 256 };

/* ---- filters and parameters ------------------------------------------------------------------------------------------ */

static size_t
corner(const retc_regression *r, size_t j, size_t axis) {
    return r->design.corner ? r->design.corner[2 * j + axis] : 0;
}

void
retc_regression_filter(const retc_regression *r, const double *theta, size_t j, float *w) {
    size_t rows = r->design.rows, columns = r->design.columns;
    memset(w, 0, r->L * r->H * r->W * sizeof *w);
    for (size_t k = 0; k < r->L; ++k)
        for (size_t y = 0; y < rows; ++y)
            for (size_t x = 0; x < columns; ++x) {
                double sum = 0;
                if (!r->design.basis)
                    sum = theta[(k * rows + y) * columns + x];
                for (size_t b = 0; r->design.basis && b < r->design.bases; ++b)
                    sum += r->design.basis[b * r->L + k] * theta[(b * rows + y) * columns + x];
                w[(k * r->H + corner(r, j, 0) + y) * r->W + corner(r, j, 1) + x] = (float)sum;
            }
}

/* The adjoint: gradient dw (L,H,W) of the filter to the coefficients. */
static void
gather_filter(const retc_regression *r, const double *dw, size_t j, double *out) {
    size_t rows = r->design.rows, columns = r->design.columns;
    memset(out, 0, r->stimulus * sizeof *out);
    for (size_t b = 0; b < r->design.bases; ++b)
        for (size_t k = r->design.basis ? 0 : b; k < (r->design.basis ? r->L : b + 1); ++k) {
            double value = r->design.basis ? r->design.basis[b * r->L + k] : 1;
            for (size_t y = 0; y < rows; ++y)
                for (size_t x = 0; x < columns; ++x)
                    out[(b * rows + y) * columns + x] +=
                        value * dw[(k * r->H + corner(r, j, 0) + y) * r->W + corner(r, j, 1) + x];
        }
}

size_t
retc_regression_source(size_t j, size_t m) {
    return m == 0 ? j : m - 1 < j ? m - 1 : m;
}

void
retc_regression_spike_filter(const retc_regression *r, const double *theta, size_t j, size_t i, double *h) {
    size_t m = i == j ? 0 : i < j ? i + 1 : i, bases = r->design.spike_bases;
    const double *a = theta + r->stimulus + m * bases;
    for (size_t k = 0; k < r->design.taps; ++k) {
        h[k] = 0;
        for (size_t b = 0; b < bases && m * bases < r->spikes; ++b)
            h[k] += a[b] * r->design.spike_basis[b * r->design.taps + k];
    }
}

void
retc_regression_features(const retc_regression *r, size_t t0, size_t n, size_t ld, float *feature) {
    size_t taps = r->design.taps, bases = r->design.spike_bases;
    for (size_t i = 0; i < r->N; ++i)
        retc_gather(bases, taps, n, r->spike_basis, taps, NULL, r->count + i * r->T + t0 - taps, r->tap_offset,
                    feature + i * bases * ld, ld, 0);
}

/* Where features and counts lie for the kernels, and the basis as they want it. */
static int
make_offsets(retc_regression *r) {
    int status = RETC_OK;
    size_t taps = r->design.taps, bases = r->design.spike_bases;
    RETC_TRY(RETC_ALLOC(r->tap_offset, taps + 1));
    RETC_TRY(RETC_ALLOC(r->spike_basis, taps * bases + 1));
    RETC_TRY(RETC_ALLOC(r->feature_row, r->N * r->spikes + 1));
    for (size_t k = 0; k < taps; ++k)
        r->tap_offset[k] = taps - 1 - k;
    for (size_t k = 0; k < taps * bases; ++k)
        r->spike_basis[k] = (float)r->design.spike_basis[k];
    for (size_t j = 0; j < r->N; ++j)
        for (size_t m = 0; m < r->spikes; ++m)
            r->feature_row[j * r->spikes + m] = (retc_regression_source(j, m / bases) * bases + m % bases) * BLOCK;
done:
    return status;
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

/* Frames that a window and the spikes before its response need. */
static size_t
reach(const retc_design *design) {
    size_t spikes = design->taps + 1 > design->lag ? design->taps + 1 - design->lag : 1;
    return design->taps && spikes > design->history ? spikes : design->history;
}

int
retc_design_spans(retc_recording *recording, const retc_design *design, retc_span **spans, size_t *n) {
    return retc_recording_spans(recording, RETC_TRAIN, reach(design), design->lag, spans, n);
}

static int
make_network(retc_regression *r) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(r->network = retc_network_alloc("regression", r->L, r->H, r->W, r->N)));
    r->network->lag = r->design.lag;
    RETC_TRY(retc_recording_stimulus_norm(r->recording, &r->network->stimulus_mean, &r->network->stimulus_std));
    RETC_TRY(retc_network_add_conv(r->network, r->N, 0, 0, 0, 0));
    RETC_TRY(retc_network_finish(r->network));
done:
    return status;
}

/* Counts of the whole part: spans may need frames before them. */
static int
read_counts(retc_regression *r) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(r->count, r->N * r->T));
    RETC_TRY(RETC_ALLOC(r->mean_count, r->N));
    RETC_TRY(retc_recording_counts(r->recording, RETC_TRAIN, 0, r->T, r->count));
    for (size_t j = 0; j < r->N; ++j) {
        for (size_t s = 0; s < r->n_spans; ++s)
            for (size_t t = 0; t < r->spans[s].count; ++t)
                r->mean_count[j] += (double)r->count[j * r->T + r->spans[s].first + t];
        r->mean_count[j] /= (double)r->M;
        r->active[j] = 1;
    }
done:
    return status;
}

/* Differences of neighbouring frames, seen through the basis: I + smoothness B D'D B'. */
static int
make_time_penalty(retc_regression *r) {
    size_t n = r->design.bases;
    const double *basis = r->design.basis;
    int status = RETC_ALLOC(r->time_penalty, n * n);
    for (size_t a = 0; a < n && status == RETC_OK; ++a)
        for (size_t b = 0; b < n; ++b) {
            double sum = 0;
            for (size_t k = 0; k + 1 < r->L; ++k) {
                double da = basis ? basis[a * r->L + k + 1] - basis[a * r->L + k] : (double)(a == k + 1) - (double)(a == k);
                double db = basis ? basis[b * r->L + k + 1] - basis[b * r->L + k] : (double)(b == k + 1) - (double)(b == k);
                sum += da * db;
            }
            r->time_penalty[a * n + b] = (a == b) + r->design.smoothness * sum;
        }
    return status;
}

static void
measure(retc_regression *r, retc_recording *recording, const retc_design *design) {
    r->recording = recording;
    r->design = *design;
    r->N = retc_recording_cells(recording);
    r->H = retc_recording_height(recording);
    r->W = retc_recording_width(recording);
    r->T = retc_recording_frames(recording, RETC_TRAIN);
    r->L = design->history;
    r->design.rows = design->rows ? design->rows : r->H;
    r->design.columns = design->columns ? design->columns : r->W;
    r->design.bases = design->basis ? design->bases : r->L;
    r->stimulus = r->design.bases * r->design.rows * r->design.columns;
    r->spikes = design->taps ? design->spike_bases * (design->coupling ? r->N : 1) : 0;
    r->P = r->stimulus + r->spikes + 1;
}

retc_regression *
retc_regression_alloc(retc_recording *recording, const retc_design *design, const retc_span *spans, size_t n_spans) {
    int status = RETC_OK;
    retc_regression *r = retc_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    measure(r, recording, design);
    RETC_TRY(RETC_ALLOC(r->spans, n_spans));
    memcpy(r->spans, spans, n_spans * sizeof *spans);
    r->n_spans = n_spans;
    for (size_t s = 0; s < n_spans; ++s)
        r->M += spans[s].count;
    RETC_TRY(RETC_ALLOC(r->active, r->N));
    RETC_TRY(make_network(r));
    RETC_TRY(read_counts(r));
    RETC_TRY(make_time_penalty(r));
    RETC_TRY(make_offsets(r));
    RETC_TRY(RETC_ALLOC(r->drive, r->N * r->M));
    RETC_TRY(RETC_ALLOC(r->change, r->N * r->M));
    RETC_TRY(RETC_ALLOC(r->step, r->N * r->M));
done:
    if (status < 0) {
        retc_regression_free(r);
        return NULL;
    }
    return r;
}

void
retc_regression_free(retc_regression *r) {
    if (!r)
        return;
    retc_conditioner_free(r->conditioner);
    retc_network_free(r->network);
    retc_free(r->spans), retc_free(r->active);
    retc_free(r->count), retc_free(r->mean_count), retc_free(r->time_penalty);
    retc_free(r->tap_offset), retc_free(r->feature_row), retc_free(r->spike_basis);
    retc_free(r->drive), retc_free(r->change), retc_free(r->step), retc_free(r->projected);
    retc_free(r);
}

size_t
retc_regression_parameters(const retc_regression *r) {
    return r->P;
}

size_t
retc_regression_windows(const retc_regression *r) {
    return r->M;
}

const double *
retc_regression_mean_counts(const retc_regression *r) {
    return r->mean_count;
}

/* A silent cell is given half a spike. */
void
retc_regression_start(const retc_regression *r, double *theta) {
    memset(theta, 0, r->N * r->P * sizeof *theta);
    for (size_t j = 0; j < r->N; ++j) {
        double mean = r->mean_count[j] > 0 ? r->mean_count[j] : 0.5 / (double)r->M;
        theta[(j + 1) * r->P - 1] = r->design.family == RETC_FAMILY_POISSON ? log(mean) : r->mean_count[j];
    }
}

/* ---- passes over the movie ------------------------------------------------------------------------------------------- */

typedef struct {
    float *dw;      /* (N,L,H,W) of one block */
    double *da;     /* (N,spikes+1) */
    float *feature; /* (N,spike_bases,BLOCK) */
    float *a;       /* (spikes) coefficients of one cell */
} slot_space;

typedef struct {
    retc_regression *r;
    retc_pass pass;
    const double *v;
    double *dw; /* (N,L,H,W) of all blocks */
    double *da; /* (N,spikes+1) */
    slot_space *slot;
} pass_state;

/* The part of the drive that spikes and the bias have: added to u (n). */
static void
add_spikes(const pass_state *s, slot_space *space, size_t j, size_t n, float *u) {
    const retc_regression *r = s->r;
    const double *a = s->v + j * r->P + r->stimulus;
    for (size_t m = 0; m < r->spikes; ++m)
        space->a[m] = (float)a[m];
    if (r->spikes)
        retc_gather(1, r->spikes, n, space->a, r->spikes, NULL, space->feature, r->feature_row + j * r->spikes, u, n, 1);
    for (size_t t = 0; t < n; ++t)
        u[t] += (float)a[r->spikes];
}

static void
gather_spikes(const pass_state *s, slot_space *space, size_t j, size_t n, const float *e) {
    const retc_regression *r = s->r;
    double *da = space->da + j * (r->spikes + 1);
    memset(da, 0, (r->spikes + 1) * sizeof *da);
    memset(space->a, 0, r->spikes * sizeof *space->a);
    if (r->spikes)
        retc_dots(1, r->spikes, n, 1, e, n, 0, space->feature, 0, r->feature_row + j * r->spikes, space->a, r->spikes);
    for (size_t m = 0; m < r->spikes; ++m)
        da[m] = (double)space->a[m];
    for (size_t t = 0; t < n; ++t)
        da[r->spikes] += (double)e[t];
}

/* What goes back from the drive u of the block: first derivatives of the loss, or second ones times u. */
static void
derivatives(const pass_state *s, size_t j, const retc_block *block, const float *u, float *e) {
    const retc_regression *r = s->r;
    const float *count = r->count + j * r->T + block->t0, *drive = r->drive + j * r->M + block->sample;
    int poisson = r->design.family == RETC_FAMILY_POISSON;
    for (size_t t = 0; t < block->n; ++t) {
        if (s->pass == RETC_PASS_GRADIENT)
            e[t] = (poisson ? expf(u[t]) : u[t]) - count[t];
        else
            e[t] = poisson ? expf(drive[t]) * u[t] : u[t];
    }
}

static int
work(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    pass_state *s = context;
    retc_regression *r = s->r;
    slot_space *space = &s->slot[slot];
    size_t n = block->n;
    retc_tape_forward(tape, 0, 1, n);
    if (r->spikes)
        retc_regression_features(r, block->t0, n, BLOCK, space->feature);
    for (size_t j = 0; j < r->N; ++j) {
        float *u = tape->out[0] + j * tape->ld, *e = s->pass == RETC_PASS_APPLY ? NULL : tape->grad[0] + j * tape->ld;
        if (!r->active[j]) {
            if (e)
                memset(e, 0, n * sizeof *e);
            continue;
        }
        add_spikes(s, space, j, n, u);
        memcpy((s->pass == RETC_PASS_PRODUCT ? r->change : r->drive) + j * r->M + block->sample, u, n * sizeof *u);
        if (e) {
            derivatives(s, j, block, u, e);
            gather_spikes(s, space, j, n, e);
        }
    }
    if (s->pass != RETC_PASS_APPLY) {
        memset(space->dw, 0, r->N * r->L * r->H * r->W * sizeof *space->dw);
        retc_tape_backward_weights(tape, 0, n, space->dw, NULL);
    }
    return RETC_OK;
}

static int
consume(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)tape, (void)block;
    pass_state *s = context;
    const retc_regression *r = s->r;
    size_t J = r->L * r->H * r->W, A = r->spikes + 1;
    for (size_t j = 0; s->pass != RETC_PASS_APPLY && j < r->N; ++j) {
        if (!r->active[j])
            continue;
        for (size_t i = 0; i < J; ++i)
            s->dw[j * J + i] += (double)s->slot[slot].dw[j * J + i];
        for (size_t i = 0; i < A; ++i)
            s->da[j * A + i] += s->slot[slot].da[j * A + i];
    }
    return RETC_OK;
}

static int
alloc_pass(pass_state *s, size_t slots) {
    int status = RETC_OK;
    const retc_regression *r = s->r;
    size_t J = r->L * r->H * r->W;
    RETC_TRY(RETC_ALLOC(s->dw, r->N * J));
    RETC_TRY(RETC_ALLOC(s->da, r->N * (r->spikes + 1)));
    RETC_TRY(RETC_ALLOC(s->slot, slots));
    for (size_t i = 0; i < slots; ++i) {
        RETC_TRY(RETC_ALLOC(s->slot[i].dw, r->N * J));
        RETC_TRY(RETC_ALLOC(s->slot[i].da, r->N * (r->spikes + 1)));
        RETC_TRY(RETC_ALLOC(s->slot[i].feature, r->N * r->design.spike_bases * BLOCK + 1));
        RETC_TRY(RETC_ALLOC(s->slot[i].a, r->spikes + 1));
    }
done:
    return status;
}

static void
free_pass(pass_state *s, size_t slots) {
    for (size_t i = 0; s->slot && i < slots; ++i)
        retc_free(s->slot[i].dw), retc_free(s->slot[i].da), retc_free(s->slot[i].feature), retc_free(s->slot[i].a);
    retc_free(s->slot), retc_free(s->dw), retc_free(s->da);
}

int
retc_regression_pass(retc_regression *r, retc_pass pass, const double *v, double *out) {
    int status = RETC_OK;
    pass_state s = {.r = r, .pass = pass, .v = v};
    retc_stream_options options = {.block = BLOCK, .threads = r->design.threads, .gradients = pass != RETC_PASS_APPLY};
    retc_stream_task task = {work, consume, &s};
    size_t slots = retc_stream_slots(&options), J = r->L * r->H * r->W, A = r->spikes + 1;
    float *w = retc_network_values(r->network, r->network->layer[0].weight);
    RETC_TRY(alloc_pass(&s, slots));
    for (size_t j = 0; j < r->N; ++j)
        retc_regression_filter(r, v + j * r->P, j, w + j * J);
    RETC_TRY(retc_stream_run(r->network, r->recording, RETC_TRAIN, r->spans, r->n_spans, &options, &task, NULL));
    for (size_t j = 0; pass != RETC_PASS_APPLY && j < r->N; ++j) {
        double *q = out + j * r->P;
        if (!r->active[j])
            continue;
        gather_filter(r, s.dw + j * J, j, q);
        memcpy(q + r->stimulus, s.da + j * A, A * sizeof *q);
        for (size_t i = 0; i < r->P; ++i)
            q[i] /= (double)r->M;
    }
done:
    free_pass(&s, slots);
    return status;
}

/* ---- scores ---------------------------------------------------------------------------------------------------------- */

int
retc_regression_score(retc_regression *r, const double *theta, double *score) {
    int status = retc_regression_pass(r, RETC_PASS_APPLY, theta, NULL);
    for (size_t j = 0; j < r->N && status == RETC_OK; ++j) {
        retc_sums sums = {0};
        const float *g = r->drive + j * r->M;
        double likelihood = 0;
        for (size_t s = 0; s < r->n_spans; g += r->spans[s++].count) {
            const float *count = r->count + j * r->T + r->spans[s].first;
            retc_sums_add(&sums, g, count, r->spans[s].count);
            for (size_t t = 0; t < r->spans[s].count; ++t)
                likelihood += (double)count[t] * (double)g[t] - exp((double)g[t]);
        }
        double correlation = retc_sums_pearson(&sums);
        if (r->design.family == RETC_FAMILY_POISSON)
            score[j] = likelihood / (double)r->M;
        else
            score[j] = correlation > 0 ? correlation * correlation : 0;
    }
    return status;
}
