#include "separate.h"

#include <math.h>
#include <string.h>

#include "eigen.h"
#include "gather.h"
#include "rows.h"

struct retc_separator {
    retc_separate_options options;
    float *centred;         /* (L,P) f - mean */
    float *gram;            /* (L,L) */
    size_t *offset;         /* (L) rows of f */
    double *G;              /* (L,L) */
    double *value, *vector; /* (rank), (rank,L) */
    retc_eigen *eigen;
};

/* ---- making ---------------------------------------------------------------------------------------------------------- */

retc_separator *
retc_separator_alloc(const retc_separate_options *options) {
    int status = RETC_OK;
    size_t L = options->L, most = L < options->P ? L : options->P;
    retc_separator *s = NULL;
    if (options->rank == 0 || options->rank > most)
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "a rank of %zu is asked for; a receptive field of %zu frames by %zu pixels has ranks 1 to %zu",
                           options->rank, L, options->P, most));
    RETC_TRY(RETC_GOT(s = retc_calloc(1, sizeof *s)));
    s->options = *options;
    if (options->subtract_mean)
        RETC_TRY(RETC_ALLOC(s->centred, L * options->P));
    RETC_TRY(RETC_ALLOC(s->gram, L * L));
    RETC_TRY(RETC_ALLOC(s->offset, L));
    RETC_TRY(RETC_ALLOC(s->G, L * L));
    RETC_TRY(RETC_ALLOC(s->value, options->rank));
    RETC_TRY(RETC_ALLOC(s->vector, options->rank * L));
    RETC_TRY(RETC_GOT(s->eigen = retc_eigen_alloc(L, options->rank)));
    for (size_t k = 0; k < L; ++k)
        s->offset[k] = k * options->P;
done:
    if (status < 0) {
        retc_separator_free(s);
        return NULL;
    }
    return s;
}

void
retc_separator_free(retc_separator *s) {
    if (!s)
        return;
    retc_free(s->centred), retc_free(s->gram), retc_free(s->offset), retc_free(s->G);
    retc_free(s->value), retc_free(s->vector);
    retc_eigen_free(s->eigen);
    retc_free(s);
}

/* ---- separating ------------------------------------------------------------------------------------------------------ */

static double
sum_of(const float *x, size_t n) {
    double sum = 0, squares = 0;
    retc_row_sums(x, x, 0, n, &sum, &squares);
    return sum;
}

static double
squares_of(const float *x, size_t n) {
    double sum = 0, squares = 0;
    retc_row_sums(x, x, 0, n, &sum, &squares);
    return squares;
}

static const float *
subtract_mean(retc_separator *s, const float *f, double *mean) {
    const retc_separate_options *o = &s->options;
    size_t n = o->L * o->P;
    *mean = 0;
    if (!o->subtract_mean)
        return f;
    *mean = sum_of(f, n) / (double)(o->L * (o->P + o->outside));
    for (size_t i = 0; i < n; ++i)
        s->centred[i] = (float)((double)f[i] - *mean);
    return s->centred;
}

static void
make_gram(retc_separator *s, const float *f, double mean) {
    const retc_separate_options *o = &s->options;
    memset(s->gram, 0, o->L * o->L * sizeof *s->gram);
    retc_dots(o->L, o->L, o->P, 1, f, o->P, 0, f, 0, s->offset, s->gram, o->L);
    for (size_t i = 0; i < o->L; ++i)
        for (size_t j = 0; j <= i; ++j) {
            double both = (double)s->gram[i * o->L + j] + (double)s->gram[j * o->L + i];
            s->G[i * o->L + j] = s->G[j * o->L + i] = 0.5 * both + mean * mean * (double)o->outside;
        }
}

/* Of the field without its mean, v_j is the same at all outside pixels: -mean (sum u_j) / s_j. */
static double
outside_value(const retc_separator *s, const retc_separation *r, size_t j) {
    return r->s[j] > 0 ? -r->mean * sum_of(r->u + j * s->options.L, s->options.L) / (double)r->s[j] : 0;
}

/* Largest |x|, several side by side. */
static float
largest_of(const float *x, size_t n) {
    enum { SIDE = 16 };
    float most[SIDE] = {0};
    size_t i = 0;
    for (; i + SIDE <= n; i += SIDE)
        for (size_t k = 0; k < SIDE; ++k)
            most[k] = fabsf(x[i + k]) > most[k] ? fabsf(x[i + k]) : most[k];
    for (size_t k = 0; i < n; ++i, ++k)
        most[k] = fmaxf(most[k], fabsf(x[i]));
    for (size_t k = 1; k < SIDE; ++k)
        most[0] = fmaxf(most[0], most[k]);
    return most[0];
}

/* The number whose sign all terms get. */
static double
orientation(const retc_separator *s, const float *f, const retc_separation *r) {
    const retc_separate_options *o = &s->options;
    double v_outside = outside_value(s, r, 0), outside = (double)o->outside, N = (double)o->P + outside;
    double v_sum = sum_of(r->v, o->P) + outside * v_outside, product = 0, frame_sum = 0;
    float most = -1;
    const float *frame = f;
    if (o->sign == RETC_SIGN_PYRET)
        return v_sum;
    for (size_t k = 0; k < o->L; ++k) {
        float largest = largest_of(f + k * o->P, o->P);
        if (largest > most)
            most = largest, frame = f + k * o->P;
    }
    retc_row_sums(frame, r->v, 0, o->P, &frame_sum, &product);
    return product - outside * v_outside * r->mean - v_sum * (frame_sum - outside * r->mean) / N;
}

/* s_j = |f' u_j| over all pixels, v_j = f' u_j / s_j. */
static void
scale_terms(const retc_separator *s, retc_separation *r) {
    const retc_separate_options *o = &s->options;
    for (size_t j = 0; j < o->rank; ++j) {
        float *v = r->v + j * o->P;
        double out = r->mean * sum_of(r->u + j * o->L, o->L);
        double norm = sqrt(squares_of(v, o->P) + (double)o->outside * out * out);
        int is_there = norm > 1e-7 * r->norm;
        for (size_t p = 0; p < o->P; ++p)
            v[p] = is_there ? (float)((double)v[p] / norm) : 0;
        r->s[j] = is_there ? (float)norm : 0;
        for (size_t i = 0; i < o->L && !is_there; ++i)
            r->u[j * o->L + i] = 0;
    }
}

int
retc_separate(retc_separator *s, const float *field, retc_separation *r) {
    const retc_separate_options *o = &s->options;
    const float *f = subtract_mean(s, field, &r->mean);
    double kept = 0;
    r->norm = sqrt(squares_of(f, o->L * o->P) + (double)(o->L * o->outside) * r->mean * r->mean);
    if (!isfinite(r->norm))
        return RETC_FAIL(RETC_ENUMBER, "a receptive field is not finite: the model's parameters are damaged or too large");
    make_gram(s, f, r->mean);
    retc_eigen_top(s->eigen, s->G, s->value, s->vector);
    for (size_t i = 0; i < o->rank * o->L; ++i)
        r->u[i] = (float)s->vector[i];
    retc_gather(o->rank, o->L, o->P, r->u, o->L, NULL, f, s->offset, r->v, o->P, 0);
    scale_terms(s, r);
    float sign = orientation(s, f, r) < 0 ? -1 : 1;
    for (size_t i = 0; i < o->rank * o->L; ++i)
        r->u[i] *= sign;
    for (size_t i = 0; i < o->rank * o->P; ++i)
        r->v[i] *= sign;
    for (size_t j = 0; j < o->rank; ++j)
        kept += (double)r->s[j] * (double)r->s[j];
    r->error = r->norm > 0 ? sqrt(fmax(0, 1 - kept / (r->norm * r->norm))) : 0;
    return RETC_OK;
}
