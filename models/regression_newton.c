#include <math.h>
#include <string.h>

#include "parallel.h"
#include "regression_internal.h"

/* Vectors of all cells, (N,P) each, and numbers of each cell. */
typedef struct {
    retc_regression *r;
    const double *ridge;
    const retc_newton_options *options;
    double *theta;
    double *gradient, *s, *residual, *z, *p, *q;
    double *value, *norm, *goal, *rz; /* (N) */
    char *open;                       /* (N) not yet at the minimum */
    char *stuck;                      /* (N) no step lowers the value any more */
} newton;

static double
dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += a[i] * b[i];
    return sum;
}

/* ---- value and gradient ---------------------------------------------------------------------------------------------- */

/* Mean loss at drive + length * step over the frames, less that at the drive itself when `less`. */
static double
mean_loss(const retc_regression *r, size_t j, double length, int less) {
    const float *g = r->drive + j * r->M, *x = r->step + j * r->M;
    double sum = 0;
    for (size_t s = 0; s < r->n_spans; g += r->spans[s].count, x += r->spans[s].count, ++s) {
        const float *count = r->count + j * r->T + r->spans[s].first;
        for (size_t t = 0; t < r->spans[s].count; ++t) {
            double c = (double)count[t], from = (double)g[t], by = length * (double)x[t];
            if (r->design.family == RETC_FAMILY_POISSON)
                sum += less ? exp(from) * expm1(by) - c * by : exp(from) - c * from;
            else
                sum += less ? by * (from - c + 0.5 * by) : 0.5 * (from - c) * (from - c);
        }
    }
    return sum / (double)r->M;
}

static int
evaluate(retc_regression *r, const double *ridge, const double *theta, double *value, double *gradient) {
    int status = RETC_OK;
    double *penalty = NULL;
    RETC_TRY(RETC_ALLOC(penalty, r->P));
    RETC_TRY(retc_regression_pass(r, RETC_PASS_GRADIENT, theta, gradient));
    for (size_t j = 0; j < r->N; ++j) {
        if (!r->active[j])
            continue;
        memset(penalty, 0, r->P * sizeof *penalty);
        retc_regression_add_penalty(r, ridge[j], theta + j * r->P, penalty);
        value[j] = mean_loss(r, j, 0, 0) + 0.5 * dot(penalty, theta + j * r->P, r->P);
        for (size_t i = 0; i < r->P; ++i)
            gradient[j * r->P + i] += penalty[i];
        retc_regression_project(r, j, gradient + j * r->P);
        if (!isfinite(value[j]))
            RETC_TRY(RETC_FAIL(RETC_ENUMBER, "%s: the fit of %s diverges; a larger --ridge holds it",
                               retc_recording_path(r->recording), retc_recording_cell_name(r->recording, j)));
    }
done:
    retc_free(penalty);
    return status;
}

int
retc_regression_evaluate(retc_regression *r, const double *ridge, const double *theta, double *value, double *gradient) {
    memset(r->active, 1, r->N);
    return evaluate(r, ridge, theta, value, gradient);
}

/* ---- the direction: conjugate gradients on H s = -gradient, all cells side by side ----------------------------------- */

static int
condition(newton *n, size_t j) {
    int status = retc_conditioner_apply(n->r->conditioner, n->r, j, n->residual + j * n->r->P, n->z + j * n->r->P);
    retc_regression_project(n->r, j, n->z + j * n->r->P);
    return status;
}

static int
begin_cell(void *context, size_t j) {
    newton *n = context;
    size_t P = n->r->P, at = j * P;
    int status = RETC_OK;
    if (!n->open[j])
        return RETC_OK;
    memset(n->s + at, 0, P * sizeof *n->s);
    memset(n->r->step + j * n->r->M, 0, n->r->M * sizeof *n->r->step);
    for (size_t i = 0; i < P; ++i)
        n->residual[at + i] = -n->gradient[at + i];
    RETC_TRY(condition(n, j));
    memcpy(n->p + at, n->z + at, P * sizeof *n->p);
    n->rz[j] = dot(n->residual + at, n->z + at, P);
done:
    return status;
}

/* Algorithm 5.3 of Nocedal & Wright, after q = H p. */
static int
advance_cell(void *context, size_t j) {
    newton *n = context;
    retc_regression *r = n->r;
    size_t P = r->P, at = j * P;
    int status = RETC_OK;
    if (!r->active[j])
        return RETC_OK;
    retc_regression_add_penalty(r, n->ridge[j], n->p + at, n->q + at);
    retc_regression_project(r, j, n->q + at);
    double curvature = dot(n->p + at, n->q + at, P);
    if (!(curvature > 0)) { /* flat within rounding: nothing more to gain along p */
        r->active[j] = 0;
        return RETC_OK;
    }
    double length = n->rz[j] / curvature;
    for (size_t i = 0; i < P; ++i) {
        n->s[at + i] += length * n->p[at + i];
        n->residual[at + i] -= length * n->q[at + i];
    }
    for (size_t t = 0; t < r->M; ++t)
        r->step[j * r->M + t] += (float)(length * (double)r->change[j * r->M + t]);
    if (sqrt(dot(n->residual + at, n->residual + at, P)) <= n->goal[j]) {
        r->active[j] = 0;
        return RETC_OK;
    }
    RETC_TRY(condition(n, j));
    double rz = dot(n->residual + at, n->z + at, P);
    for (size_t i = 0; i < P; ++i)
        n->p[at + i] = n->z[at + i] + rz / n->rz[j] * n->p[at + i];
    n->rz[j] = rz;
done:
    return status;
}

static int
any(const char *flag, size_t n) {
    return memchr(flag, 1, n) != NULL;
}

/* How exactly the direction is wanted: the nearer the minimum, the better, so that convergence is superlinear; for a quadratic
 * loss at once. */
static void
set_goals(newton *n) {
    for (size_t j = 0; j < n->r->N; ++j) {
        double relative = n->norm[j] / n->r->mean_count[j], least = 0.3 * n->options->tolerance / relative;
        double forcing = n->r->design.family == RETC_FAMILY_POISSON ? fmin(0.1, sqrt(relative)) : 0;
        n->goal[j] = n->norm[j] * fmax(forcing, least);
    }
}

static int
find_direction(newton *n, size_t *products) {
    int status = RETC_OK;
    retc_regression *r = n->r;
    set_goals(n);
    memcpy(r->active, n->open, r->N);
    RETC_TRY(retc_parallel_for(r->N, r->design.threads, begin_cell, n));
    for (size_t i = 0; i < n->options->most_products && any(r->active, r->N); ++i) {
        RETC_TRY(retc_regression_pass(r, RETC_PASS_PRODUCT, n->p, n->q));
        RETC_TRY(retc_parallel_for(r->N, r->design.threads, advance_cell, n));
        ++*products;
    }
done:
    return status;
}

/* ---- the length ------------------------------------------------------------------------------------------------------ */

/* Halve until the value falls enough (Armijo), by the stored drives: no pass over the movie. */
static int
search_cell(void *context, size_t j) {
    enum { MOST_HALVINGS = 40 };
    newton *n = context;
    const retc_regression *r = n->r;
    size_t P = r->P, at = j * P;
    int status = RETC_OK;
    double *penalty = NULL, length = 1;
    if (!n->open[j])
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(penalty, P));
    retc_regression_add_penalty(r, n->ridge[j], n->s + at, penalty);
    double linear = dot(penalty, n->theta + at, P), square = dot(penalty, n->s + at, P);
    double slope = dot(n->gradient + at, n->s + at, P), rounding = 1e-7 * fabs(slope) + 1e-12 * r->mean_count[j];
    for (int i = 0; i < MOST_HALVINGS; ++i, length /= 2) {
        double gain = mean_loss(r, j, length, 1) + length * linear + 0.5 * length * length * square;
        if (gain <= 1e-4 * length * slope + rounding)
            break;
        if (i + 1 == MOST_HALVINGS)
            n->stuck[j] = 1, length = 0;
    }
    for (size_t i = 0; i < P; ++i)
        n->theta[at + i] += length * n->s[at + i];
done:
    retc_free(penalty);
    return status;
}

/* ---- the fit --------------------------------------------------------------------------------------------------------- */

static int
alloc_newton(newton *n) {
    int status = RETC_OK;
    size_t N = n->r->N, all = N * n->r->P;
    RETC_TRY(RETC_ALLOC(n->gradient, all));
    RETC_TRY(RETC_ALLOC(n->s, all));
    RETC_TRY(RETC_ALLOC(n->residual, all));
    RETC_TRY(RETC_ALLOC(n->z, all));
    RETC_TRY(RETC_ALLOC(n->p, all));
    RETC_TRY(RETC_ALLOC(n->q, all));
    RETC_TRY(RETC_ALLOC(n->value, N));
    RETC_TRY(RETC_ALLOC(n->norm, N));
    RETC_TRY(RETC_ALLOC(n->goal, N));
    RETC_TRY(RETC_ALLOC(n->rz, N));
    RETC_TRY(RETC_ALLOC(n->open, N));
    RETC_TRY(RETC_ALLOC(n->stuck, N));
done:
    return status;
}

static void
free_newton(newton *n) {
    retc_free(n->gradient), retc_free(n->s), retc_free(n->residual), retc_free(n->z), retc_free(n->p), retc_free(n->q);
    retc_free(n->value), retc_free(n->norm), retc_free(n->goal), retc_free(n->rz), retc_free(n->open), retc_free(n->stuck);
}

/* Gradients where theta is now, and which cells are not done. */
static int
look(newton *n, retc_newton_report *report) {
    int status = RETC_OK;
    retc_regression *r = n->r;
    report->converged = 1;
    for (size_t j = 0; j < r->N; ++j)
        r->active[j] = r->mean_count[j] > 0;
    RETC_TRY(evaluate(r, n->ridge, n->theta, n->value, n->gradient));
    for (size_t j = 0; j < r->N; ++j) {
        n->open[j] = 0;
        if (!r->active[j])
            continue;
        n->norm[j] = sqrt(dot(n->gradient + j * r->P, n->gradient + j * r->P, r->P));
        report->gradient[j] = n->norm[j] / r->mean_count[j];
        int there = report->gradient[j] <= n->options->tolerance;
        report->converged = report->converged && there;
        n->open[j] = !there && !n->stuck[j];
    }
done:
    return status;
}

int
retc_regression_fit(retc_regression *r, const double *ridge, const retc_newton_options *options, double *theta,
                    retc_newton_report *report) {
    int status = RETC_OK;
    newton n = {.r = r, .ridge = ridge, .options = options, .theta = theta};
    *report = (retc_newton_report){0};
    RETC_TRY(RETC_ALLOC(report->gradient, r->N));
    RETC_TRY(alloc_newton(&n));
    if (!r->conditioner)
        RETC_TRY(RETC_GOT(r->conditioner = retc_conditioner_alloc(r)));
    RETC_TRY(retc_conditioner_set(r->conditioner, r, ridge));
    RETC_TRY(look(&n, report));
    while (report->steps < options->most_steps && any(n.open, r->N)) {
        RETC_TRY(find_direction(&n, &report->products));
        RETC_TRY(retc_parallel_for(r->N, r->design.threads, search_cell, &n));
        ++report->steps;
        RETC_TRY(look(&n, report));
    }
done:
    free_newton(&n);
    return status;
}
