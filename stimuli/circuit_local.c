#include "circuit_local.h"

/* Numbers of the marked ones among n, in order; place[i] receives where i stands. */
static int
collect(const char *marked, size_t n, size_t *place, size_t **list, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < n; ++i)
        *count += marked[i] != 0;
    int status = RETC_ALLOC(*list, *count + 1);
    for (size_t i = 0, k = 0; status == RETC_OK && i < n; ++i) {
        place[i] = k;
        if (marked[i])
            (*list)[k++] = i;
    }
    return status;
}

static void
mark(const retc_wires *wires, size_t target, char *marked) {
    for (size_t i = wires->first[target]; i < wires->first[target + 1]; ++i)
        marked[wires->source[i]] = 1;
}

static int
fill(retc_local *l, const retc_circuit *c, size_t cell, const size_t *terminal_at, const size_t *amacrine_at,
     const size_t *bipolar_at) {
    int status = RETC_OK;
    const retc_wires *wires = &c->bipolar_to_cell;
    RETC_TRY(RETC_ALLOC(l->own, l->terminals + 1));
    RETC_TRY(RETC_ALLOC(l->w, l->terminals + 1));
    RETC_TRY(RETC_ALLOC(l->m, l->amacrines + 1));
    RETC_TRY(RETC_ALLOC(l->presynaptic, l->terminals * l->amacrines + 1));
    RETC_TRY(RETC_ALLOC(l->feed, l->amacrines * l->bipolars + 1));
    for (size_t i = wires->first[cell]; i < wires->first[cell + 1]; ++i)
        l->w[terminal_at[wires->source[i]]] = wires->weight[i];
    wires = &c->amacrine_to_cell;
    for (size_t i = wires->first[cell]; i < wires->first[cell + 1]; ++i)
        l->m[amacrine_at[wires->source[i]]] = wires->weight[i];
    wires = &c->amacrine_to_bipolar;
    for (size_t k = 0; k < l->terminals; ++k) {
        size_t u = l->terminal[k];
        l->own[k] = bipolar_at[u];
        for (size_t i = wires->first[u]; i < wires->first[u + 1]; ++i)
            l->presynaptic[k * l->amacrines + amacrine_at[wires->source[i]]] = wires->weight[i];
    }
    wires = &c->bipolar_to_amacrine;
    for (size_t k = 0; k < l->amacrines; ++k) {
        size_t v = l->amacrine[k];
        for (size_t i = wires->first[v]; i < wires->first[v + 1]; ++i)
            l->feed[k * l->bipolars + bipolar_at[wires->source[i]]] = wires->weight[i] * c->amacrine_gain[c->amacrine[v].type];
    }

done:
    return status;
}

int
retc_local_init(retc_local *local, const retc_circuit *c, size_t cell) {
    int status = RETC_OK;
    char *terminal = NULL, *amacrine = NULL, *bipolar = NULL;
    size_t *place = NULL;
    *local = (retc_local){0};
    RETC_TRY(RETC_ALLOC(terminal, c->B + 1));
    RETC_TRY(RETC_ALLOC(bipolar, c->B + 1));
    RETC_TRY(RETC_ALLOC(amacrine, c->V + 1));
    RETC_TRY(RETC_ALLOC(place, 2 * c->B + c->V + 1));
    mark(&c->bipolar_to_cell, cell, terminal);
    mark(&c->amacrine_to_cell, cell, amacrine);
    for (size_t u = 0; u < c->B; ++u) {
        bipolar[u] = terminal[u];
        if (terminal[u])
            mark(&c->amacrine_to_bipolar, u, amacrine);
    }
    for (size_t v = 0; v < c->V; ++v)
        if (amacrine[v])
            mark(&c->bipolar_to_amacrine, v, bipolar);
    RETC_TRY(collect(terminal, c->B, place, &local->terminal, &local->terminals));
    RETC_TRY(collect(bipolar, c->B, place + c->B, &local->bipolar, &local->bipolars));
    RETC_TRY(collect(amacrine, c->V, place + 2 * c->B, &local->amacrine, &local->amacrines));
    RETC_TRY(fill(local, c, cell, place, place + 2 * c->B, place + c->B));

done:
    retc_free(terminal), retc_free(amacrine), retc_free(bipolar), retc_free(place);
    return status;
}

void
retc_local_clear(retc_local *local) {
    retc_free(local->terminal), retc_free(local->amacrine), retc_free(local->bipolar), retc_free(local->own);
    retc_free(local->w), retc_free(local->m), retc_free(local->presynaptic), retc_free(local->feed);
    *local = (retc_local){0};
}
