#include "eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { HALVINGS = 60, ITERATIONS = 3 };

struct retc_eigen {
    size_t n, k;
    unsigned state;        /* of start vectors */
    double *Q;             /* (n,n) rows: the basis in which the matrix is tridiagonal */
    double *a, *b;         /* (n) diagonal, and what stands beside it */
    double *w, *c;         /* (n) */
    double *z;             /* (k,n) eigenvectors in that basis */
    double *d, *l, *e, *f; /* (n) factors: diagonal, below, above, two above */
};

retc_eigen *
retc_eigen_alloc(size_t n, size_t k) {
    int status = RETC_OK;
    retc_eigen *s = retc_calloc(1, sizeof *s);
    RETC_TRY(RETC_GOT(s));
    s->n = n, s->k = k;
    RETC_TRY(RETC_ALLOC(s->Q, n * n));
    RETC_TRY(RETC_ALLOC(s->z, k * n));
    double **const list[] = {&s->a, &s->b, &s->w, &s->c, &s->d, &s->l, &s->e, &s->f};
    for (size_t i = 0; i < sizeof list / sizeof *list; ++i)
        RETC_TRY(RETC_ALLOC(*list[i], n));
done:
    if (status < 0) {
        retc_eigen_free(s);
        return NULL;
    }
    return s;
}

void
retc_eigen_free(retc_eigen *s) {
    if (!s)
        return;
    retc_free(s->Q), retc_free(s->z), retc_free(s->a), retc_free(s->b), retc_free(s->w), retc_free(s->c);
    retc_free(s->d), retc_free(s->l), retc_free(s->e), retc_free(s->f);
    retc_free(s);
}

/* ---- vectors --------------------------------------------------------------------------------------------------------- */

/* Sums side by side, for vector registers. */
static double
dot(const double *restrict x, const double *restrict y, size_t n) {
    double sum[4] = {0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t k = 0; k < 4; ++k)
            sum[k] += x[i + k] * y[i + k];
    for (; i < n; ++i)
        sum[0] += x[i] * y[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

static void
add(double share, const double *restrict x, size_t n, double *restrict sum) {
    for (size_t i = 0; i < n; ++i)
        sum[i] += share * x[i];
}

/* Take out of w its part in the space of `count` rows of Q; done twice, nothing of it is left. */
static void
project_out(const double *Q, size_t count, size_t n, double *c, double *w) {
    for (int pass = 0; pass < 2; ++pass) {
        for (size_t i = 0; i < count; ++i)
            c[i] = dot(Q + i * n, w, n);
        for (size_t i = 0; i < count; ++i)
            add(-c[i], Q + i * n, n, w);
    }
}

static void
scale(double factor, size_t n, double *x) {
    for (size_t i = 0; i < n; ++i)
        x[i] *= factor;
}

/* A vector that no matrix is made to be orthogonal to, length about 1. */
static void
any_vector(retc_eigen *s, double *w) {
    for (size_t i = 0; i < s->n; ++i) {
        s->state = s->state * 1664525u + 1013904223u;
        w[i] = ((double)(s->state >> 8) / 16777216.0 - 0.5) / sqrt((double)s->n / 12);
    }
}

/* ---- the tridiagonal matrix ------------------------------------------------------------------------------------------ */

/* Where the space that the start vector reaches ends, another vector begins the next one. */
static void
tridiagonalise(retc_eigen *s, const double *G) {
    size_t n = s->n;
    double largest = 0;
    for (size_t i = 0; i < n * n; ++i)
        largest = fmax(largest, fabs(G[i]));
    s->state = 12345;
    any_vector(s, s->w);
    for (size_t m = 0; m < n; ++m) {
        double length = sqrt(dot(s->w, s->w, n));
        if (m)
            s->b[m - 1] = length;
        if (m && (length <= 16 * DBL_EPSILON * largest || length < DBL_MIN)) {
            s->b[m - 1] = 0;
            any_vector(s, s->w);
            project_out(s->Q, m, n, s->c, s->w);
            length = sqrt(dot(s->w, s->w, n));
        }
        double *q = s->Q + m * n;
        memcpy(q, s->w, n * sizeof *q);
        scale(1 / length, n, q);
        memset(s->w, 0, n * sizeof *s->w);
        for (size_t j = 0; j < n; ++j)
            add(q[j], G + j * n, n, s->w);
        s->a[m] = dot(q, s->w, n);
        project_out(s->Q, m + 1, n, s->c, s->w);
    }
}

/* Number of eigenvalues above x. */
static size_t
above(const retc_eigen *s, double x) {
    size_t count = 0;
    double d = 1;
    for (size_t i = 0; i < s->n; ++i) {
        d = s->a[i] - x - (i ? s->b[i - 1] * s->b[i - 1] / d : 0);
        d = fabs(d) < DBL_MIN ? -DBL_MIN : d;
        count += d > 0;
    }
    return count;
}

/* The eigenvalue with j others above it, between low and high. */
static double
bisect(const retc_eigen *s, size_t j, double low, double high) {
    for (int i = 0; i < HALVINGS; ++i) {
        double middle = 0.5 * (low + high);
        if (above(s, middle) > j)
            low = middle;
        else
            high = middle;
    }
    return 0.5 * (low + high);
}

/* Solve (T - x) z = z by elimination with exchange of rows. */
static void
solve(retc_eigen *s, double x, double tiny, double *z) {
    size_t n = s->n;
    for (size_t i = 0; i < n; ++i) {
        s->d[i] = s->a[i] - x;
        s->l[i] = s->e[i] = i + 1 < n ? s->b[i] : 0;
        s->f[i] = 0;
    }
    for (size_t i = 0; i + 1 < n; ++i) {
        if (fabs(s->d[i]) < fabs(s->l[i])) {
            double factor = s->d[i] / s->l[i], next = s->d[i + 1], value = z[i];
            s->d[i] = s->l[i];
            s->d[i + 1] = s->e[i] - factor * next;
            s->e[i] = next;
            s->f[i] = s->e[i + 1];
            s->e[i + 1] *= -factor;
            z[i] = z[i + 1];
            z[i + 1] = value - factor * z[i];
        } else {
            s->d[i] = fabs(s->d[i]) < tiny ? tiny : s->d[i];
            s->d[i + 1] -= s->l[i] / s->d[i] * s->e[i];
            z[i + 1] -= s->l[i] / s->d[i] * z[i];
        }
    }
    for (size_t i = n; i-- > 0;) {
        double rest = z[i] - (i + 1 < n ? s->e[i] * z[i + 1] : 0) - (i + 2 < n ? s->f[i] * z[i + 2] : 0);
        z[i] = rest / (fabs(s->d[i]) < tiny ? tiny : s->d[i]);
    }
}

/* The j-th eigenvector in the basis Q, orthogonal to those before it. */
static void
invert(retc_eigen *s, size_t j, double value, double size) {
    size_t n = s->n;
    double *z = s->z + j * n, tiny = DBL_EPSILON * size;
    any_vector(s, z);
    for (int i = 0; i < ITERATIONS; ++i) {
        solve(s, value, tiny, z);
        double largest = 0;
        for (size_t k = 0; k < n; ++k)
            largest = fmax(largest, fabs(z[k]));
        scale(1 / largest, n, z);
        project_out(s->z, j, n, s->c, z);
        scale(1 / sqrt(dot(z, z, n)), n, z);
    }
}

void
retc_eigen_top(retc_eigen *s, const double *G, double *value, double *vector) {
    size_t n = s->n;
    double low = (double)INFINITY, high = -low;
    tridiagonalise(s, G);
    for (size_t i = 0; i < n; ++i) {
        double beside = (i ? fabs(s->b[i - 1]) : 0) + (i + 1 < n ? fabs(s->b[i]) : 0);
        low = fmin(low, s->a[i] - beside), high = fmax(high, s->a[i] + beside);
    }
    double size = fmax(fmax(fabs(low), fabs(high)), DBL_MIN / DBL_EPSILON);
    for (size_t j = 0; j < s->k; ++j) {
        value[j] = bisect(s, j, low, high);
        invert(s, j, value[j], size);
        memset(vector + j * n, 0, n * sizeof *vector);
        for (size_t m = 0; m < n; ++m)
            add(s->z[j * n + m], s->Q + m * n, n, vector + j * n);
    }
}
