#include "trainer_layout.h"

#include "tape.h"

static const size_t nowhere = (size_t)-1;

static size_t
larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static int
is_batchnorm(const retc_network *network, size_t l) {
    return l < network->layers && network->layer[l].kind == RETC_LAYER_BATCHNORM;
}

/* ---- outputs --------------------------------------------------------------------------------------------------------- */

/* Cheap to compute again from its input, and not asked for from elsewhere. */
static int
may_be_recomputed(const retc_network *network, size_t l) {
    retc_layer_kind kind = network->layer[l].kind;
    return (kind == RETC_LAYER_BATCHNORM || kind == RETC_LAYER_NOISE || kind == RETC_LAYER_RELU || kind == RETC_LAYER_SCALE) &&
           l > 0 && l + 1 < network->layers && !is_batchnorm(network, l + 1) && !retc_network_is_added_again(network, l);
}

/* Noise in place is kept or computed again together with its input: it must be added once. */
static void
choose_kept(const retc_network *network, retc_place *out) {
    for (size_t l = 0; l < network->layers; ++l)
        out[l].in_block = !may_be_recomputed(network, l);
    for (size_t l = network->layers; l-- > 1;)
        if (retc_tape_shares_input(network, l) && out[l].in_block)
            out[l - 1].in_block = 1;
    for (size_t l = 1; l < network->layers; ++l)
        if (retc_tape_shares_input(network, l) && out[l - 1].in_block)
            out[l].in_block = 1;
}

/* ReLU in place: the sign of its output says all that its backward pass asks of the input, unless noise changes it. */
static int
works_in_place(const retc_network *network, const retc_place *out, size_t l) {
    return retc_tape_shares_input(network, l) ||
           (network->layer[l].kind == RETC_LAYER_RELU && !out[l].in_block && !out[l - 1].in_block &&
            !(l + 1 < network->layers && retc_tape_shares_input(network, l + 1)));
}

/* Kept outputs one on the other, from the free part of the block on; end[l] is the end of those of layers up to l.  Outputs
 * computed again begin anew with each kept one, since only what follows one of them is there at a time. */
static void
place_outputs(retc_trainer_layout *layout, const retc_network *network, size_t ld, size_t block, size_t *end) {
    size_t kept = block, again = 0;
    for (size_t l = 0; l < network->layers; ++l) {
        retc_place *out = &layout->out[l];
        size_t size = retc_layer_units(&network->layer[l]) * ld, *top = out->in_block ? &kept : &again;
        if (out->in_block)
            again = 0;
        if (l > 0 && works_in_place(network, layout->out, l)) {
            *out = layout->out[l - 1];
        } else {
            out->at = *top;
            *top += size;
        }
        end[l] = kept;
        layout->worker = larger(layout->worker, again);
    }
    layout->block = larger(layout->block, kept);
}

/* ---- gradients ------------------------------------------------------------------------------------------------------- */

/* The layer that gives its name to the place of the gradient at layer l when that is kept per block: batch norm works in place,
 * on the gradients at its output and at its input; the pass begins at the last layer. */
static size_t
stop_of(const retc_network *network, size_t l) {
    if (network->layer[l].kind == RETC_LAYER_ADD)
        return nowhere;
    if (is_batchnorm(network, l + 1))
        return l + 1;
    return is_batchnorm(network, l) || l + 1 == network->layers ? l : nowhere;
}

/* Gradients between two stops take turns in two places of the worker, so that no layer writes what it reads. */
static size_t
place_between(retc_trainer_layout *layout, const retc_network *network, size_t ld, size_t *stop) {
    size_t size[2] = {0}, start = layout->worker, turn = 0;
    for (size_t l = 0; l < network->layers; ++l) {
        stop[l] = stop_of(network, l);
        turn = stop[l] == nowhere ? turn : 0;
        if (network->layer[l].kind == RETC_LAYER_ADD || stop[l] != nowhere)
            continue;
        if (l > 0 && retc_tape_shares_input(network, l)) { /* nothing happens to the gradient of noise */
            layout->grad[l] = layout->grad[l - 1];
            stop[l] = stop[l - 1];
            continue;
        }
        layout->grad[l] = (retc_place){0, turn};
        size[turn] = larger(size[turn], retc_layer_units(&network->layer[l]) * ld);
        turn = !turn;
    }
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind != RETC_LAYER_ADD && stop[l] == nowhere && !layout->grad[l].in_block)
            layout->grad[l].at = start + (layout->grad[l].at ? size[0] : 0);
    return start + size[0] + size[1];
}

/* From the last stop to the first: above the outputs still needed and, where a layer reads the gradient at one stop and writes
 * that at the next, above the former. */
static void
place_stops(retc_trainer_layout *layout, const retc_network *network, size_t ld, const size_t *end, const size_t *stop) {
    size_t above = nowhere, above_end = 0;
    for (size_t l = network->layers; l > 0;) {
        size_t here = stop[l - 1], last = l, size = 0;
        if (here == nowhere) {
            above = nowhere;
            --l;
            continue;
        }
        for (; l > 0 && stop[l - 1] == here; --l)
            size = larger(size, retc_layer_units(&network->layer[l - 1]) * ld);
        size_t at = above == nowhere ? end[last - 1] : larger(end[last - 1], above_end);
        for (size_t i = l; i < last; ++i)
            layout->grad[i] = (retc_place){1, at};
        above = here, above_end = at + size;
        layout->block = larger(layout->block, above_end);
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

int
retc_trainer_layout_init(retc_trainer_layout *layout, const retc_network *network, size_t ld, size_t block) {
    int status = RETC_OK;
    size_t *end = NULL, *stop = NULL;
    *layout = (retc_trainer_layout){.block = block};
    RETC_TRY(RETC_ALLOC(layout->out, network->layers));
    RETC_TRY(RETC_ALLOC(layout->grad, network->layers));
    RETC_TRY(RETC_ALLOC(end, network->layers));
    RETC_TRY(RETC_ALLOC(stop, network->layers));
    /* Gradients at residual additions wait until the pass comes to what was added. */
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_ADD) {
            layout->grad[l] = (retc_place){1, block};
            block += retc_layer_units(&network->layer[l]) * ld;
        }
    choose_kept(network, layout->out);
    place_outputs(layout, network, ld, block, end);
    layout->worker = place_between(layout, network, ld, stop);
    place_stops(layout, network, ld, end, stop);
done:
    retc_free(end);
    retc_free(stop);
    return status;
}

void
retc_trainer_layout_clear(retc_trainer_layout *layout) {
    retc_free(layout->out);
    retc_free(layout->grad);
}

size_t
retc_trainer_layout_base(const retc_trainer_layout *layout, size_t l) {
    size_t base = l + 1;
    while (base > 0 && !layout->out[base - 1].in_block)
        --base;
    return base;
}
