#include "lowrank.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

#include "regression_internal.h"

enum { MOST_ROUNDS = 40, STEPS_PER_TURN = 3 };

typedef struct {
    retc_regression *r;
    size_t rank, bases, area;
    double *time, *space; /* (N,rank,bases), (N,rank,area) orthonormal rows */
} factors;

int
retc_lowrank_restricts(const retc_regression *r, size_t rank) {
    return rank > 0 && rank < r->design.bases && rank < r->design.rows * r->design.columns;
}

/* Leading eigenvectors of A A', A (bases,area) the filter of cell j: its courses in time. */
static int
find_courses(const factors *f, size_t j, const double *A) {
    int status = RETC_OK;
    size_t n = f->bases;
    gsl_matrix *gram = gsl_matrix_alloc(n, n), *vectors = gsl_matrix_alloc(n, n);
    gsl_vector *values = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
    if (!gram || !vectors || !values || !work) {
        status = RETC_FAIL(RETC_ENOMEM, "out of memory");
        goto done;
    }
    for (size_t a = 0; a < n; ++a)
        for (size_t b = 0; b < n; ++b) {
            double sum = 0;
            for (size_t p = 0; p < f->area; ++p)
                sum += A[a * f->area + p] * A[b * f->area + p];
            gsl_matrix_set(gram, a, b, sum);
        }
    if (gsl_eigen_symmv(gram, values, vectors, work) || gsl_eigen_symmv_sort(values, vectors, GSL_EIGEN_SORT_VAL_DESC)) {
        status = RETC_FAIL(RETC_ENUMBER, "a stimulus filter has no singular values: it is not finite");
        goto done;
    }
    for (size_t k = 0; k < f->rank; ++k)
        for (size_t b = 0; b < n; ++b)
            f->time[(j * f->rank + k) * n + b] = gsl_matrix_get(vectors, b, k);
done:
    gsl_eigen_symmv_free(work);
    gsl_vector_free(values);
    gsl_matrix_free(vectors), gsl_matrix_free(gram);
    return status;
}

/* The patterns that go with the courses, u_k'A, made orthonormal (Gram-Schmidt, twice); where A has less rank, any others. */
static void
find_patterns(const factors *f, size_t j, const double *A) {
    for (size_t k = 0; k < f->rank; ++k) {
        const double *u = f->time + (j * f->rank + k) * f->bases;
        double *v = f->space + (j * f->rank + k) * f->area, size = 0, whole = 0;
        memset(v, 0, f->area * sizeof *v);
        for (size_t b = 0; b < f->bases; ++b)
            for (size_t p = 0; p < f->area; ++p)
                v[p] += u[b] * A[b * f->area + p];
        for (size_t i = 0; i < f->bases * f->area; ++i)
            whole += A[i] * A[i];
        for (size_t p = 0; p < f->area; ++p)
            size += v[p] * v[p];
        if (size <= 1e-20 * whole || whole == 0)
            for (size_t p = 0; p < f->area; ++p)
                v[p] = cos((double)((k + 1) * (2 * p + 1)) * 1.5707963267948966 / (double)f->area);
        for (int pass = 0; pass < 2; ++pass)
            for (size_t i = 0; i < k; ++i) {
                const double *other = f->space + (j * f->rank + i) * f->area;
                double along = 0;
                for (size_t p = 0; p < f->area; ++p)
                    along += v[p] * other[p];
                for (size_t p = 0; p < f->area; ++p)
                    v[p] -= along * other[p];
            }
        size = 0;
        for (size_t p = 0; p < f->area; ++p)
            size += v[p] * v[p];
        for (size_t p = 0; p < f->area; ++p)
            v[p] /= sqrt(size);
    }
}

static int
factorise(const factors *f, const double *theta) {
    int status = RETC_OK;
    for (size_t j = 0; j < f->r->N && status == RETC_OK; ++j) {
        const double *A = theta + j * f->r->P;
        status = find_courses(f, j, A);
        if (status == RETC_OK)
            find_patterns(f, j, A);
    }
    return status;
}

/* What a turn fits: patterns to fixed courses, courses to fixed patterns, or changes of both to first order. */
typedef enum { PATTERNS, COURSES, BOTH, TURNS } turn_kind;

/* Filters that went further than first order carries are taken back: where the value would rise. */
static int
keep_better(factors *f, const double *ridge, const double *before, double *theta) {
    int status = RETC_OK;
    retc_regression *r = f->r;
    size_t all = r->N * r->P;
    double *gradient = NULL, *value = NULL;
    RETC_TRY(RETC_ALLOC(gradient, all));
    RETC_TRY(RETC_ALLOC(value, 2 * r->N));
    RETC_TRY(factorise(f, theta));
    r->design.patterns = NULL;
    for (size_t j = 0; j < r->N; ++j)
        retc_regression_project(r, j, theta + j * r->P);
    RETC_TRY(retc_regression_evaluate(r, ridge, before, value, gradient));
    RETC_TRY(retc_regression_evaluate(r, ridge, theta, value + r->N, gradient));
    for (size_t j = 0; j < r->N; ++j)
        if (!(value[r->N + j] <= value[j]))
            memcpy(theta + j * r->P, before + j * r->P, r->P * sizeof *theta);
done:
    retc_free(gradient), retc_free(value);
    return status;
}

/* The fit has converged where a turn with both finds nothing to do: the gradient along filters of this rank is then known. */
static int
take_turn(factors *f, turn_kind kind, const double *ridge, const retc_newton_options *options, double *theta,
          retc_newton_report *report) {
    int status = RETC_OK;
    size_t all = f->r->N * f->r->P;
    retc_newton_options few = *options;
    retc_newton_report turn = {0};
    double *before = NULL;
    few.most_steps = kind == BOTH ? 1 : STEPS_PER_TURN;
    f->r->design.rank = f->rank;
    f->r->design.courses = kind == COURSES ? NULL : f->time;
    f->r->design.patterns = kind == PATTERNS ? NULL : f->space;
    for (size_t j = 0; j < f->r->N; ++j)
        retc_regression_project(f->r, j, theta + j * f->r->P);
    RETC_TRY(RETC_ALLOC(before, all));
    memcpy(before, theta, all * sizeof *theta);
    RETC_TRY(retc_regression_fit(f->r, ridge, &few, theta, &turn));
    report->converged = kind == BOTH && turn.converged && turn.steps == 0;
    if (kind == BOTH && !report->converged)
        RETC_TRY(keep_better(f, ridge, before, theta));
    RETC_TRY(factorise(f, theta));
    report->steps += turn.steps, report->products += turn.products;
    memcpy(report->gradient, turn.gradient, f->r->N * sizeof *turn.gradient);
done:
    retc_free(turn.gradient), retc_free(before);
    return status;
}

/* Rounds of turns converge linearly, the last ones along one direction: where a cell's filters moved by d and before that by
 * d', rho = |d|/|d'| < 1, they are headed for rho/(1 - rho) d from here (Aitken).  `moved` (N,P) holds d' and becomes d. */
static int
look_ahead(factors *f, const double *ridge, const double *last, double *moved, double *theta) {
    int status = RETC_OK;
    size_t P = f->r->P, all = f->r->N * P;
    double *here = NULL;
    RETC_TRY(RETC_ALLOC(here, all));
    memcpy(here, theta, all * sizeof *here);
    for (size_t j = 0; j < f->r->N; ++j) {
        double before = 0, now = 0;
        for (size_t i = j * P; i < (j + 1) * P; ++i) {
            before += moved[i] * moved[i];
            moved[i] = theta[i] - last[i];
            now += moved[i] * moved[i];
        }
        double rho = before > 0 ? sqrt(now / before) : 0;
        for (size_t i = j * P; rho < 0.98 && i < (j + 1) * P; ++i)
            theta[i] += rho / (1 - rho) * moved[i];
    }
    f->r->design.courses = f->time;
    RETC_TRY(keep_better(f, ridge, here, theta));
    RETC_TRY(factorise(f, theta));
done:
    retc_free(here);
    return status;
}

int
retc_lowrank_fit(retc_regression *r, size_t rank, const double *ridge, const retc_newton_options *options, double *theta,
                 retc_newton_report *report) {
    int status = RETC_OK;
    factors f = {.r = r, .rank = rank, .bases = r->design.bases, .area = r->design.rows * r->design.columns};
    double *last = NULL, *moved = NULL;
    *report = (retc_newton_report){0};
    if (rank > RETC_MOST_RANK)
        return RETC_FAIL(RETC_EINVAL, "filters of rank %zu are asked for, low ranks are 1 to %d", rank, RETC_MOST_RANK);
    RETC_TRY(RETC_ALLOC(report->gradient, r->N));
    RETC_TRY(RETC_ALLOC(f.time, r->N * rank * f.bases));
    RETC_TRY(RETC_ALLOC(f.space, r->N * rank * f.area));
    if (!r->projected)
        RETC_TRY(RETC_ALLOC(r->projected, 2 * r->N * r->stimulus));
    RETC_TRY(RETC_ALLOC(last, r->N * r->P));
    RETC_TRY(RETC_ALLOC(moved, r->N * r->P));
    RETC_TRY(factorise(&f, theta));
    for (int round = 0; round < MOST_ROUNDS && !report->converged; ++round) {
        memcpy(last, theta, r->N * r->P * sizeof *last);
        for (int turn = 0; turn < TURNS; ++turn)
            RETC_TRY(take_turn(&f, (turn_kind)turn, ridge, options, theta, report));
        if (!report->converged && round % 2)
            RETC_TRY(look_ahead(&f, ridge, last, moved, theta));
        else
            for (size_t i = 0; i < r->N * r->P; ++i)
                moved[i] = theta[i] - last[i];
    }
done:
    r->design.rank = 0, r->design.courses = r->design.patterns = NULL;
    retc_free(f.time), retc_free(f.space), retc_free(last), retc_free(moved);
    return status;
}
