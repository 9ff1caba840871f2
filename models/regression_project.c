/* Designs that leave something out: couplings of some pairs of cells, filters that are not of low rank. */
#include <string.h>

#include "regression_internal.h"

/* Project one row of coefficients, n of them `stride` apart, on the span of `rank` orthonormal rows (rank,n). */
static void
project_row(const double *rows, size_t rank, size_t n, size_t stride, double *v) {
    double along[RETC_MOST_RANK];
    for (size_t k = 0; k < rank; ++k) {
        along[k] = 0;
        for (size_t i = 0; i < n; ++i)
            along[k] += rows[k * n + i] * v[i * stride];
    }
    for (size_t i = 0; i < n; ++i) {
        v[i * stride] = 0;
        for (size_t k = 0; k < rank; ++k)
            v[i * stride] += along[k] * rows[k * n + i];
    }
}

/* v (bases,area) projected on filters with these courses, or with these patterns. */
static void
project_filter(const retc_regression *r, size_t j, int on_courses, double *v) {
    const retc_design *d = &r->design;
    size_t area = d->rows * d->columns;
    for (size_t p = 0; on_courses && p < area; ++p)
        project_row(d->courses + j * d->rank * d->bases, d->rank, d->bases, area, v + p);
    for (size_t b = 0; !on_courses && b < d->bases; ++b)
        project_row(d->patterns + j * d->rank * area, d->rank, area, 1, v + b * area);
}

/* On filters with these courses or these patterns, sums of one of each: v - (1 - U)(1 - V) v. */
static void
project_both(const retc_regression *r, size_t j, double *v) {
    double *courses = r->projected + 2 * j * r->stimulus, *patterns = courses + r->stimulus;
    memcpy(courses, v, r->stimulus * sizeof *v);
    memcpy(patterns, v, r->stimulus * sizeof *v);
    project_filter(r, j, 1, courses);
    project_filter(r, j, 0, patterns);
    for (size_t i = 0; i < r->stimulus; ++i)
        v[i] = courses[i] + patterns[i];
    project_filter(r, j, 1, patterns);
    for (size_t i = 0; i < r->stimulus; ++i)
        v[i] -= patterns[i];
}

void
retc_regression_project(const retc_regression *r, size_t j, double *v) {
    if (r->design.courses && r->design.patterns)
        project_both(r, j, v);
    else if (r->design.courses || r->design.patterns)
        project_filter(r, j, r->design.courses != NULL, v);
    size_t bases = r->design.spike_bases;
    for (size_t m = 1; r->design.pairs && m * bases < r->spikes; ++m)
        if (!r->design.pairs[j * r->N + retc_regression_source(j, m)])
            memset(v + r->stimulus + m * bases, 0, bases * sizeof *v);
}
