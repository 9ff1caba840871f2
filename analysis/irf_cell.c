/* What is computed from the IRFs of one cell, sample by sample. */
#include <math.h>
#include <string.h>

#include "irf_internal.h"
#include "rows.h"

static int
room_init(retc_irf_terms_room *room, size_t block, size_t rank, size_t L, size_t P) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(room->u, block * rank * L));
    RETC_TRY(RETC_ALLOC(room->s, block * rank));
    RETC_TRY(RETC_ALLOC(room->v, block * rank * P));
    RETC_TRY(RETC_ALLOC(room->mean, block));
    RETC_TRY(RETC_ALLOC(room->error, block));
done:
    return status;
}

static void
room_clear(retc_irf_terms_room *room) {
    retc_free(room->u), retc_free(room->s), retc_free(room->v), retc_free(room->mean), retc_free(room->error);
}

static retc_irf_terms
terms_of(const retc_irf_terms_room *room) {
    return (retc_irf_terms){room->u, room->s, room->v, room->mean, room->error};
}

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
        RETC_TRY(room_init(&store->ig_terms, block, rank, L, P));
    }
    RETC_TRY(RETC_ALLOC(store->rate, block));
    RETC_TRY(room_init(&store->terms, block, rank, L, P));
    RETC_TRY(RETC_ALLOC(store->sum, store->size));
    RETC_TRY(RETC_ALLOC(store->scratch, 2 * rank * P));
    RETC_TRY(RETC_ALLOC(store->gain, block));
    RETC_TRY(RETC_ALLOC(store->shape, block));
    store->seen = (retc_irf_cell){.patch = *patch,
                                  .rank = rank,
                                  .irf = store->irf,
                                  .ig = store->ig,
                                  .rate = store->rate,
                                  .terms = terms_of(&store->terms),
                                  .ig_terms = terms_of(&store->ig_terms),
                                  .gain = store->gain,
                                  .shape = store->shape,
                                  .sum = store->sum,
                                  .ig_sum = store->ig_sum};
done:
    return status;
}

void
retc_irf_store_clear(retc_irf_store *store) {
    retc_free(store->irf), retc_free(store->ig), retc_free(store->rate);
    room_clear(&store->terms), room_clear(&store->ig_terms);
    retc_free(store->sum), retc_free(store->ig_sum), retc_free(store->scratch);
    retc_free(store->gain), retc_free(store->shape);
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

/* Separate the field of sample t. */
static int
separate(retc_irf_store *store, const float *fields, size_t t, retc_irf_terms_room *room, retc_separation *field) {
    size_t rank = store->place.rank, P = store->place.h * store->place.w;
    *field = (retc_separation){.u = room->u + t * rank * store->L, .s = room->s + t * rank, .v = room->v + t * rank * P};
    int status = retc_separate(store->separator, fields + t * store->size, field);
    room->mean[t] = field->mean;
    room->error[t] = field->error;
    return status;
}

int
retc_irf_store_separate_ig(retc_irf_store *store, size_t first, size_t n) {
    retc_separation field;
    int status = RETC_OK;
    for (size_t t = first; t < first + n && status >= 0; ++t)
        status = separate(store, store->ig, t, &store->ig_terms, &field);
    return status;
}

int
retc_irf_store_describe(retc_irf_store *store, size_t first, size_t n) {
    for (size_t t = first; t < first + n; ++t) {
        const float *irf = store->irf + t * store->size;
        retc_separation field;
        int status = separate(store, store->irf, t, &store->terms, &field);
        if (status < 0)
            return status;
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
