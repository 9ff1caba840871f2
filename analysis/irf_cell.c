/* What is computed from the IRFs of one cell, sample by sample. */
#include <math.h>
#include <string.h>

#include "irf_internal.h"
#include "rows.h"

int
retc_irf_store_init(retc_irf_store *store, const retc_network *network, const retc_window *window, size_t i,
                    const retc_irf_options *options, size_t block) {
    int status = RETC_OK;
    const retc_patch *patch = retc_window_patch(window, i);
    size_t P = patch->h * patch->w, L = network->L, rank = options->rank;
    if (rank == 0)
        rank = P > 1 && L > 1 ? 2 : 1;
    *store = (retc_irf_store){.L = L, .size = L * P, .all = (double)(L * network->H * network->W)};
    store->place = (retc_irf_place){patch->row, patch->column, patch->h, patch->w, L, rank, network->lag};
    const retc_separate_options separate = {L, P, rank, network->H * network->W - P, options->subtract_mean, RETC_SIGN_BSCOPE};
    store->separator = retc_separator_alloc(&separate);
    if (!store->separator)
        return retc_error_prefix(RETC_EINVAL, "%s", network->cell_name[options->cell[i]]);
    RETC_TRY(RETC_ALLOC(store->irf, block * store->size));
    if (options->ig_steps) {
        RETC_TRY(RETC_ALLOC(store->ig, block * store->size));
        RETC_TRY(RETC_ALLOC(store->ig_sum, store->size));
    }
    RETC_TRY(RETC_ALLOC(store->rate, block));
    RETC_TRY(RETC_ALLOC(store->u, block * rank * L));
    RETC_TRY(RETC_ALLOC(store->s, block * rank));
    RETC_TRY(RETC_ALLOC(store->v, block * rank * P));
    RETC_TRY(RETC_ALLOC(store->sum, store->size));
    RETC_TRY(RETC_ALLOC(store->scratch, 2 * rank * P));
    RETC_TRY(RETC_ALLOC(store->mean, block));
    RETC_TRY(RETC_ALLOC(store->error, block));
    RETC_TRY(RETC_ALLOC(store->gain, block));
    RETC_TRY(RETC_ALLOC(store->shape, block));
    store->seen = (retc_irf_cell){
        *patch,       rank,        store->irf,   store->ig,  store->rate,   store->u, store->s, store->v, store->mean,
        store->error, store->gain, store->shape, store->sum, store->ig_sum, 0,        0,        0,        0};
done:
    return status;
}

void
retc_irf_store_clear(retc_irf_store *store) {
    retc_free(store->irf), retc_free(store->ig), retc_free(store->rate);
    retc_free(store->u), retc_free(store->s), retc_free(store->v);
    retc_free(store->sum), retc_free(store->ig_sum), retc_free(store->scratch);
    retc_free(store->mean), retc_free(store->error), retc_free(store->gain), retc_free(store->shape);
    retc_separator_free(store->separator);
    *store = (retc_irf_store){0};
}

void
retc_irf_store_begin(retc_irf_store *store) {
    memset(store->sum, 0, store->size * sizeof *store->sum);
    if (store->ig_sum)
        memset(store->ig_sum, 0, store->size * sizeof *store->ig_sum);
    store->seen.low = store->seen.ig_low = INFINITY;
    store->seen.high = store->seen.ig_high = -INFINITY;
}

/* Lowest and highest value, several side by side. */
static void
range(const float *x, size_t n, float *low, float *high) {
    enum { SIDE = 16 };
    float least[SIDE], most[SIDE];
    size_t i = 0;
    for (size_t k = 0; k < SIDE; ++k)
        least[k] = *low, most[k] = *high;
    for (; i + SIDE <= n; i += SIDE)
        for (size_t k = 0; k < SIDE; ++k) {
            float value = x[i + k];
            least[k] = value < least[k] ? value : least[k];
            most[k] = value > most[k] ? value : most[k];
        }
    for (size_t k = 0; k < SIDE; ++k)
        *low = fminf(*low, least[k]), *high = fmaxf(*high, most[k]);
    for (; i < n; ++i)
        *low = fminf(*low, x[i]), *high = fmaxf(*high, x[i]);
}

int
retc_irf_store_describe(retc_irf_store *store, size_t first, size_t n) {
    size_t rank = store->place.rank, P = store->place.h * store->place.w;
    for (size_t t = first; t < first + n; ++t) {
        const float *irf = store->irf + t * store->size;
        retc_separation field = {store->u + t * rank * store->L, store->s + t * rank, store->v + t * rank * P, 0, 0, 0};
        int status = retc_separate(store->separator, irf, &field);
        if (status < 0)
            return status;
        store->mean[t] = field.mean;
        store->error[t] = field.error;
        store->gain[t] = sqrt(field.norm * field.norm + store->all * field.mean * field.mean);
        retc_irf_shape_of(&store->place, &field, store->scratch, &store->shape[t]);
        retc_row_add(irf, store->size, store->sum);
        range(irf, store->size, &store->seen.low, &store->seen.high);
    }
    return RETC_OK;
}

void
retc_irf_store_add_ig(retc_irf_store *store, size_t first, size_t n) {
    for (size_t t = first; t < first + n; ++t) {
        retc_row_add(store->ig + t * store->size, store->size, store->ig_sum);
        range(store->ig + t * store->size, store->size, &store->seen.ig_low, &store->seen.ig_high);
    }
}
