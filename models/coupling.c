#include "coupling.h"

#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "parallel.h"
#include "regression_internal.h"
#include "split.h"

enum { BLOCK = 1024, STEPS = 60, CYCLES = 500 };
static const double smallest = 1e-4; /* of the lambda at which all filters are 0 */
static const double most_held_out = 0.5;

/* A set of cells and the minimum with their filters alone. */
typedef struct {
    char *in;    /* (N) */
    size_t size; /* cells */
    double *x;   /* (A) */
    double *sum; /* (pieces) log-likelihood of held-out pieces */
} candidate;

/* Of one cell.  x holds the coefficients of the spike filters, the bias, and the gain of the drive by the stimulus. */
typedef struct {
    double *H, *q, *x;    /* (A,A), (A), (A): x'Hx/2 - q'x is minimised; where the path is now */
    double *R, *weight;   /* (N,B,B) Cholesky factors of the blocks of H; (N) penalties of groups */
    candidate *candidate; /* (N+1) at most: sets grow, or are met again */
    size_t candidates;
} cell;

typedef struct {
    retc_regression *train, *held_out;
    const double *theta;
    size_t N, B, A, pieces;
    cell *cell;
    float *feature; /* (N,B,BLOCK) */
    /* the block at work */
    const retc_regression *r;
    size_t t0, sample, n, piece;
} choice;

/* ---- features -------------------------------------------------------------------------------------------------------- */

/* Run `work` for every cell on all blocks of a regression, one block after the other. */
static int
for_blocks(choice *c, const retc_regression *r, int (*work)(void *context, size_t j)) {
    int status = RETC_OK;
    c->r = r, c->sample = 0;
    for (c->piece = 0; c->piece < r->n_spans; ++c->piece)
        for (size_t t = 0; t < r->spans[c->piece].count; t += c->n, c->sample += c->n) {
            size_t left = r->spans[c->piece].count - t;
            c->n = left < BLOCK ? left : BLOCK;
            c->t0 = r->spans[c->piece].first + t;
            retc_regression_features(r, c->t0, c->n, BLOCK, c->feature);
            RETC_TRY(retc_parallel_for(c->N, r->design.threads, work, c));
        }
done:
    return status;
}

/* All of x's features of cell j in frame t of the block, into f (A). */
static void
features_of(const choice *c, size_t j, size_t t, double *f) {
    const double *a = c->theta + j * c->train->P + c->train->stimulus;
    double spikes = a[c->A - 2];
    for (size_t m = 0; m < c->N; ++m)
        for (size_t b = 0; b < c->B; ++b) {
            f[m * c->B + b] = (double)c->feature[(retc_regression_source(j, m) * c->B + b) * BLOCK + t];
            spikes += a[m * c->B + b] * f[m * c->B + b];
        }
    f[c->A - 2] = 1;
    f[c->A - 1] = (double)c->r->drive[j * c->r->M + c->sample + t] - spikes;
}

/* Lower triangle of H, and the gradient into q. */
static int
add_moments(void *context, size_t j) {
    choice *c = context;
    const retc_regression *r = c->r;
    double *H = c->cell[j].H, *q = c->cell[j].q, *f = NULL;
    int status = RETC_ALLOC(f, c->A);
    for (size_t t = 0; status == RETC_OK && t < c->n; ++t) {
        double mean = exp((double)r->drive[j * r->M + c->sample + t]) / (double)r->M;
        double slope = mean - (double)r->count[j * r->T + c->t0 + t] / (double)r->M;
        features_of(c, j, t, f);
        for (size_t a = 0; a < c->A; ++a) {
            double scaled = mean * f[a];
            q[a] += slope * f[a];
            for (size_t b = 0; b <= a; ++b)
                H[a * c->A + b] += scaled * f[b];
        }
    }
    retc_free(f);
    return status;
}

static int
add_likelihoods(void *context, size_t j) {
    choice *c = context;
    const float *count = c->r->count + j * c->r->T + c->t0;
    double *f = NULL;
    int status = RETC_ALLOC(f, c->A);
    for (size_t t = 0; status == RETC_OK && t < c->n; ++t) {
        features_of(c, j, t, f);
        for (size_t i = 0; i < c->cell[j].candidates; ++i) {
            const candidate *k = &c->cell[j].candidate[i];
            double g = 0;
            for (size_t a = 0; a < c->A; ++a)
                g += k->x[a] * f[a];
            k->sum[c->piece] += (double)count[t] * g - exp(g);
        }
    }
    retc_free(f);
    return status;
}

/* ---- the quadratic --------------------------------------------------------------------------------------------------- */

/* Solve H x = q for the n coordinates `at`; the others of x are not looked at. */
static int
solve_for(const double *H, const double *q, size_t A, const size_t *at, size_t n, double *x) {
    int status = RETC_OK;
    double *matrix = NULL, *right = NULL;
    RETC_TRY(RETC_ALLOC(matrix, n * n));
    RETC_TRY(RETC_ALLOC(right, n));
    for (size_t a = 0; a < n; ++a) {
        right[a] = q[at[a]];
        for (size_t b = 0; b < n; ++b)
            matrix[a * n + b] = H[at[a] * A + at[b]];
    }
    gsl_matrix_view m = gsl_matrix_view_array(matrix, n, n);
    gsl_vector_view v = gsl_vector_view_array(right, n);
    if (gsl_linalg_cholesky_decomp1(&m.matrix) || gsl_linalg_cholesky_svx(&m.matrix, &v.vector))
        RETC_TRY(RETC_FAIL(RETC_ENUMBER, "spike filters cannot be told apart; a larger --spike-ridge lets them be"));
    for (size_t a = 0; a < n; ++a)
        x[at[a]] = right[a];
done:
    retc_free(matrix), retc_free(right);
    return status;
}

/* Coordinates that are free: the own filter, those of the cells that `in` says, bias and gain. */
static size_t
free_coordinates(const choice *c, const char *in, size_t *at) {
    size_t n = 0;
    for (size_t a = 0; a < c->A; ++a)
        if (a < c->B || a >= c->N * c->B || (in && in[a / c->B]))
            at[n++] = a;
    return n;
}

/* q_m - sum over all other coordinates H x. */
static void
residual_of(const choice *c, const cell *k, size_t m, double *s) {
    for (size_t b = 0; b < c->B; ++b) {
        size_t row = m * c->B + b;
        s[b] = k->q[row];
        for (size_t a = 0; a < c->A; ++a)
            if (a / c->B != m || a >= c->N * c->B)
                s[b] -= k->H[row * c->A + a] * k->x[a];
    }
}

/* s = R^-T s by the lower factor L = R', and its length. */
static double
whiten(const choice *c, const double *L, double *s) {
    double squares = 0;
    for (size_t a = 0; a < c->B; ++a) {
        for (size_t b = 0; b < a; ++b)
            s[a] -= L[a * c->B + b] * s[b];
        s[a] /= L[a * c->B + a];
        squares += s[a] * s[a];
    }
    return sqrt(squares);
}

/* x = R^-1 z */
static void
unwhiten(const choice *c, const double *L, const double *z, double *x) {
    for (size_t a = c->B; a-- > 0;) {
        x[a] = z[a];
        for (size_t b = a + 1; b < c->B; ++b)
            x[a] -= L[b * c->B + a] * x[b];
        x[a] /= L[a * c->B + a];
    }
}

/* With the whitened residual s of a group the minimum over it is (1 - lambda w/|s|)_+ s: change of its filter. */
static double
update_group(const choice *c, cell *k, size_t m, double lambda, double *s) {
    const double *L = k->R + m * c->B * c->B;
    double *x = k->x + m * c->B, change = 0;
    residual_of(c, k, m, s);
    double size = whiten(c, L, s), share = fmax(0, 1 - lambda * k->weight[m] / fmax(size, 1e-300));
    for (size_t b = 0; b < c->B; ++b)
        s[b] *= share;
    unwhiten(c, L, s, s + c->B);
    for (size_t b = 0; b < c->B; ++b) {
        change = fmax(change, fabs(s[c->B + b] - x[b]));
        x[b] = s[c->B + b];
    }
    return change;
}

/* The free coordinates with the groups as they are. */
static int
update_free(const choice *c, cell *k, size_t *at, double *right) {
    size_t n = free_coordinates(c, NULL, at);
    for (size_t i = 0; i < n; ++i) {
        right[at[i]] = k->q[at[i]];
        for (size_t a = c->B; a < c->N * c->B; ++a)
            right[at[i]] -= k->H[at[i] * c->A + a] * k->x[a];
    }
    return solve_for(k->H, right, c->A, at, n, k->x);
}

/* The other triangle, the ridge, and q = H x^ - g at x^ = (filters, bias, gain 1).  Where the stimulus does not drive a cell
 * its gain would be free, and is held at 1. */
static void
close_quadratic(const choice *c, size_t j) {
    cell *k = &c->cell[j];
    memcpy(k->x, c->theta + j * c->train->P + c->train->stimulus, (c->A - 1) * sizeof *k->x);
    k->x[c->A - 1] = 1;
    for (size_t a = 0; a < c->A; ++a)
        for (size_t b = a + 1; b < c->A; ++b)
            k->H[a * c->A + b] = k->H[b * c->A + a];
    for (size_t a = 0; a < c->A; ++a) {
        double ridge = a < c->N * c->B ? c->train->design.spike_ridge : a == c->A - 1 ? 1e-6 * c->train->mean_count[j] : 0;
        k->H[a * c->A + a] += ridge;
        k->q[a] = -k->q[a] - (a < c->N * c->B ? ridge * k->x[a] : 0);
    }
    for (size_t a = 0; a < c->A; ++a)
        for (size_t b = 0; b < c->A; ++b)
            k->q[a] += k->H[a * c->A + b] * k->x[b];
}

/* ---- the path -------------------------------------------------------------------------------------------------------- */

/* Blocks of H, and penalties: the inverse size of what the fit of all gave. */
static int
prepare(const choice *c, cell *k) {
    int status = RETC_OK;
    double *z = NULL;
    RETC_TRY(RETC_ALLOC(z, c->B));
    for (size_t m = 1; m < c->N; ++m) {
        double *L = k->R + m * c->B * c->B, squares = 0;
        for (size_t a = 0; a < c->B; ++a)
            for (size_t b = 0; b < c->B; ++b)
                L[a * c->B + b] = k->H[(m * c->B + a) * c->A + m * c->B + b];
        gsl_matrix_view block = gsl_matrix_view_array(L, c->B, c->B);
        if (gsl_linalg_cholesky_decomp1(&block.matrix))
            RETC_TRY(RETC_FAIL(RETC_ENUMBER, "a cell without spikes cannot be coupled; a larger --spike-ridge lets it be"));
        for (size_t b = 0; b < c->B; ++b) {
            z[b] = 0;
            for (size_t a = b; a < c->B; ++a)
                z[b] += L[a * c->B + b] * k->x[m * c->B + a];
            squares += z[b] * z[b];
        }
        k->weight[m] = 1 / fmax(sqrt(squares), 1e-12);
    }
done:
    retc_free(z);
    return status;
}

/* Keep the cells that act at this point of the path, unless the set is the last one or no larger. */
static int
keep_set(const choice *c, cell *k, size_t *at) {
    int status = RETC_OK;
    candidate next = {0};
    RETC_TRY(RETC_ALLOC(next.in, c->N));
    for (size_t m = 1; m < c->N; ++m)
        for (size_t b = 0; b < c->B && !next.in[m]; ++b)
            next.in[m] = k->x[m * c->B + b] != 0;
    for (size_t m = 1; m < c->N; ++m)
        next.size += next.in[m] != 0;
    if (k->candidates && next.size <= k->candidate[k->candidates - 1].size)
        goto done;
    RETC_TRY(RETC_ALLOC(next.x, c->A));
    RETC_TRY(RETC_ALLOC(next.sum, c->pieces));
    RETC_TRY(solve_for(k->H, k->q, c->A, at, free_coordinates(c, next.in, at), next.x));
    k->candidate[k->candidates++] = next;
    next = (candidate){0};
done:
    retc_free(next.in), retc_free(next.x), retc_free(next.sum);
    return status;
}

/* From the lambda at which no other cell acts, down. */
static int
follow_path(void *context, size_t j) {
    choice *c = context;
    cell *k = &c->cell[j];
    int status = RETC_OK;
    double *s = NULL, *right = NULL, lambda = 0;
    size_t *at = NULL;
    if (c->train->mean_count[j] <= 0)
        return RETC_OK;
    close_quadratic(c, j);
    RETC_TRY(RETC_ALLOC(s, 2 * c->B));
    RETC_TRY(RETC_ALLOC(right, c->A));
    RETC_TRY(RETC_ALLOC(at, c->A));
    RETC_TRY(prepare(c, k));
    memset(k->x, 0, c->A * sizeof *k->x);
    RETC_TRY(update_free(c, k, at, right));
    RETC_TRY(keep_set(c, k, at));
    for (size_t m = 1; m < c->N; ++m) {
        residual_of(c, k, m, s);
        lambda = fmax(lambda, whiten(c, k->R + m * c->B * c->B, s) / k->weight[m]);
    }
    for (int i = 1; i <= STEPS; ++i) {
        double change = 1;
        for (int cycle = 0; cycle < CYCLES && change > 1e-7; ++cycle) {
            change = 0;
            for (size_t m = 1; m < c->N; ++m)
                change = fmax(change, update_group(c, k, m, lambda * pow(smallest, (double)i / STEPS), s));
            RETC_TRY(update_free(c, k, at, right));
        }
        RETC_TRY(keep_set(c, k, at));
    }
done:
    retc_free(s), retc_free(right), retc_free(at);
    return status;
}

/* ---- the choice ------------------------------------------------------------------------------------------------------ */

/* How far candidate i stays behind the best one over all pieces, in standard errors of that difference. */
static double
standard_errors(const choice *c, const candidate *best, const candidate *other) {
    double sum = 0, squares = 0, n = (double)c->pieces;
    for (size_t p = 0; p < c->pieces; ++p) {
        double difference = best->sum[p] - other->sum[p];
        sum += difference, squares += difference * difference;
    }
    double variance = n > 1 ? fmax(0, squares - sum * sum / n) * n / (n - 1) : 0;
    return sum <= 0 ? 0 : sum / sqrt(fmax(variance, 1e-300));
}

static void
take_best(const choice *c, size_t j, char *pairs) {
    const cell *k = &c->cell[j];
    size_t best = 0, taken;
    double most = -HUGE_VAL;
    for (size_t i = 0; i < k->candidates; ++i) {
        double sum = 0;
        for (size_t p = 0; p < c->pieces; ++p)
            sum += k->candidate[i].sum[p];
        if (sum > most)
            most = sum, best = i;
    }
    for (taken = 0; taken < best; ++taken)
        if (standard_errors(c, &k->candidate[best], &k->candidate[taken]) <= 1)
            break;
    for (size_t m = 1; m < c->N && k->candidates; ++m)
        pairs[j * c->N + retc_regression_source(j, m)] = k->candidate[taken].in[m];
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static int
choice_alloc(choice *c) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(c->feature, c->N * c->B * BLOCK));
    RETC_TRY(RETC_ALLOC(c->cell, c->N));
    for (size_t j = 0; j < c->N; ++j) {
        cell *k = &c->cell[j];
        RETC_TRY(RETC_ALLOC(k->H, c->A * c->A));
        RETC_TRY(RETC_ALLOC(k->q, c->A));
        RETC_TRY(RETC_ALLOC(k->x, c->A));
        RETC_TRY(RETC_ALLOC(k->R, c->N * c->B * c->B));
        RETC_TRY(RETC_ALLOC(k->weight, c->N));
        RETC_TRY(RETC_ALLOC(k->candidate, c->N + 1));
    }
done:
    return status;
}

static void
choice_free(choice *c) {
    for (size_t j = 0; c->cell && j < c->N; ++j) {
        cell *k = &c->cell[j];
        for (size_t i = 0; i < k->candidates; ++i)
            retc_free(k->candidate[i].in), retc_free(k->candidate[i].x), retc_free(k->candidate[i].sum);
        retc_free(k->H), retc_free(k->q), retc_free(k->x), retc_free(k->R), retc_free(k->weight), retc_free(k->candidate);
    }
    retc_free(c->cell), retc_free(c->feature);
    retc_regression_free(c->train), retc_regression_free(c->held_out);
}

static int
fit_pieces(choice *c, retc_recording *recording, const retc_design *design, const retc_ridge_options *options,
           const double *relative, double *theta) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    retc_split split = {0};
    retc_newton_report report = {0};
    double *ridge = NULL;
    size_t n = 0, gap = design->taps > design->history + design->lag ? design->taps : design->history + design->lag;
    RETC_TRY(retc_design_spans(recording, design, &spans, &n));
    RETC_TRY(
        retc_split_make(spans, n, fmin(2 * options->validation, most_held_out), options->pieces, gap, options->seed, &split));
    if (split.n_validation == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: no frames are held out to choose the coupled cells by; give a larger --validation",
                           retc_recording_path(recording)));
    RETC_TRY(RETC_GOT(c->train = retc_regression_alloc(recording, design, split.train, split.n_train)));
    RETC_TRY(RETC_GOT(c->held_out = retc_regression_alloc(recording, design, split.validation, split.n_validation)));
    RETC_TRY(RETC_ALLOC(ridge, c->N));
    for (size_t j = 0; j < c->N; ++j)
        ridge[j] = relative[j] * retc_regression_weight(c->train, j);
    RETC_TRY(retc_regression_fit(c->train, ridge, &options->newton, theta, &report));
    RETC_TRY(retc_regression_pass(c->train, RETC_PASS_APPLY, theta, NULL));
    RETC_TRY(retc_regression_pass(c->held_out, RETC_PASS_APPLY, theta, NULL));
done:
    retc_split_clear(&split);
    retc_free(spans), retc_free(ridge), retc_free(report.gradient);
    return status;
}

int
retc_coupling_choose(retc_recording *recording, const retc_design *design, const retc_ridge_options *options,
                     const double *ridge, const double *theta, size_t n_theta, char *pairs) {
    int status = RETC_OK;
    double *fitted = NULL;
    choice c = {.N = retc_recording_cells(recording), .B = design->spike_bases};
    c.A = c.N * c.B + 2;
    RETC_TRY(RETC_ALLOC(fitted, n_theta));
    memcpy(fitted, theta, n_theta * sizeof *fitted);
    c.theta = fitted;
    RETC_TRY(fit_pieces(&c, recording, design, options, ridge, fitted));
    c.pieces = c.held_out->n_spans;
    RETC_TRY(choice_alloc(&c));
    RETC_TRY(for_blocks(&c, c.train, add_moments));
    RETC_TRY(retc_parallel_for(c.N, design->threads, follow_path, &c));
    RETC_TRY(for_blocks(&c, c.held_out, add_likelihoods));
    memset(pairs, 0, c.N * c.N);
    for (size_t j = 0; j < c.N; ++j)
        take_best(&c, j, pairs);
done:
    retc_free(fitted);
    choice_free(&c);
    return status;
}
