#include "irf_change.h"

#include <math.h>
#include <string.h>

#include "gather.h"

struct retc_irf_change {
    size_t L, P, rank, lags;
    size_t held, at;         /* fields in the ring; where the latest stands */
    double count;            /* fields altogether */
    float *u, *v;            /* (lags+1,rank,L) s_j u_j, (lags+1,rank,P): the ring */
    size_t *rows_u, *rows_v; /* (lags+1,rank) offsets of its rows */
    size_t *terms;           /* (rank) offsets of maps */
    float *dots_u, *dots_v;  /* (rank,lags+1,rank) */
    float *weight;           /* (L,rank) */
    float *total;            /* (L,P) sum of all fields */
    double *product, *pairs; /* (lags+1) sums of inner products, their numbers */
};

retc_irf_change *
retc_irf_change_alloc(size_t L, size_t P, size_t rank, size_t lags) {
    int status = RETC_OK;
    size_t ring = (lags + 1) * rank;
    retc_irf_change *c = retc_calloc(1, sizeof *c);
    RETC_TRY(RETC_GOT(c));
    c->L = L, c->P = P, c->rank = rank, c->lags = lags;
    RETC_TRY(RETC_ALLOC(c->u, ring * L));
    RETC_TRY(RETC_ALLOC(c->v, ring * P));
    RETC_TRY(RETC_ALLOC(c->rows_u, ring));
    RETC_TRY(RETC_ALLOC(c->rows_v, ring));
    RETC_TRY(RETC_ALLOC(c->terms, rank));
    RETC_TRY(RETC_ALLOC(c->dots_u, rank * ring));
    RETC_TRY(RETC_ALLOC(c->dots_v, rank * ring));
    RETC_TRY(RETC_ALLOC(c->weight, L * rank));
    RETC_TRY(RETC_ALLOC(c->total, L * P));
    RETC_TRY(RETC_ALLOC(c->product, lags + 1));
    RETC_TRY(RETC_ALLOC(c->pairs, lags + 1));
    for (size_t i = 0; i < ring; ++i)
        c->rows_u[i] = i * L, c->rows_v[i] = i * P;
    for (size_t j = 0; j < rank; ++j)
        c->terms[j] = j * P;
done:
    if (status < 0) {
        retc_irf_change_free(c);
        return NULL;
    }
    return c;
}

void
retc_irf_change_free(retc_irf_change *c) {
    if (!c)
        return;
    retc_free(c->u), retc_free(c->v), retc_free(c->rows_u), retc_free(c->rows_v), retc_free(c->terms);
    retc_free(c->dots_u), retc_free(c->dots_v), retc_free(c->weight), retc_free(c->total);
    retc_free(c->product), retc_free(c->pairs);
    retc_free(c);
}

/* Inner products of the latest field with all in the ring, itself among them. */
static void
correlate(retc_irf_change *c) {
    size_t rank = c->rank, ring = (c->lags + 1) * rank;
    memset(c->dots_u, 0, rank * ring * sizeof *c->dots_u);
    memset(c->dots_v, 0, rank * ring * sizeof *c->dots_v);
    retc_dots(rank, ring, c->L, 1, c->u + c->at * rank * c->L, c->L, 0, c->u, 0, c->rows_u, c->dots_u, ring);
    retc_dots(rank, ring, c->P, 1, c->v + c->at * rank * c->P, c->P, 0, c->v, 0, c->rows_v, c->dots_v, ring);
    for (size_t lag = 0; lag < c->held; ++lag) {
        size_t place = (c->at + c->lags + 1 - lag) % (c->lags + 1);
        for (size_t i = 0; i < rank; ++i)
            for (size_t j = 0; j < rank; ++j) {
                size_t k = i * ring + place * rank + j;
                c->product[lag] += (double)c->dots_u[k] * (double)c->dots_v[k];
            }
        c->pairs[lag] += 1;
    }
}

void
retc_irf_change_add(retc_irf_change *c, const float *u, const float *s, const float *v, int continues) {
    size_t rank = c->rank;
    c->at = (c->at + 1) % (c->lags + 1);
    c->held = continues && c->held <= c->lags ? c->held + 1 : continues ? c->held : 1;
    for (size_t j = 0; j < rank; ++j)
        for (size_t k = 0; k < c->L; ++k) {
            float value = s[j] * u[j * c->L + k];
            c->u[(c->at * rank + j) * c->L + k] = value;
            c->weight[k * rank + j] = value;
        }
    memcpy(c->v + c->at * rank * c->P, v, rank * c->P * sizeof *v);
    correlate(c);
    retc_gather(c->L, rank, c->P, c->weight, rank, NULL, v, c->terms, c->total, c->P, 1);
    c->count += 1;
}

void
retc_irf_change_result(const retc_irf_change *c, double *autocorrelation, double *correlation_time) {
    double mean = 0, level = exp(-1);
    for (size_t i = 0; i < c->L * c->P; ++i)
        mean += pow((double)c->total[i] / c->count, 2);
    double variance = c->product[0] / c->pairs[0] - mean, power = c->product[0] / c->pairs[0];
    *correlation_time = (double)NAN;
    for (size_t lag = 0; lag <= c->lags; ++lag) {
        /* What varies less than sums in float can tell does not vary. */
        int is_there = c->pairs[lag] > 0 && variance > 1e-5 * power;
        autocorrelation[lag] = is_there ? (c->product[lag] / c->pairs[lag] - mean) / variance : (double)NAN;
    }
    for (size_t lag = 1; lag <= c->lags && isnan(*correlation_time); ++lag) {
        double before = autocorrelation[lag - 1], now = autocorrelation[lag];
        if (now <= level && before > level)
            *correlation_time = (double)lag - 1 + (before - level) / (before - now);
    }
}
