#include "irf.h"

#include <string.h>

#include "stream.h"

enum { MOST_BLOCK = 64, BLOCK_BYTES = 1 << 26 };

typedef struct {
    const retc_network *network;
    const retc_irf_options *options;
    float ***irf, ***rate; /* (slots,cells): (block,L,H,W), (block) */
    size_t slots, block;
    retc_irf_receiver *receive;
    void *context;
} engine;

static size_t
window_size(const retc_network *network) {
    return network->L * network->H * network->W;
}

/* ---- one block ------------------------------------------------------------------------------------------------------- */

/* From time innermost to one window after the other. */
static void
transpose(const retc_tape *tape, size_t n, float *out) {
    size_t size = window_size(tape->network);
    for (size_t i = 0; i < size; ++i)
        for (size_t t = 0; t < n; ++t)
            out[t * size + i] = tape->window_grad[i * tape->ld + t];
}

static int
differentiate(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    engine *e = context;
    const retc_network *network = e->network;
    size_t last = network->layers - 1;
    retc_tape_forward(tape, 0, network->layers, block->n);
    for (size_t i = 0; i < e->options->cells; ++i) {
        size_t cell = e->options->cell[i];
        memset(tape->grad[last], 0, network->N * tape->ld * sizeof(float));
        for (size_t t = 0; t < block->n; ++t)
            tape->grad[last][cell * tape->ld + t] = 1;
        retc_tape_backward(tape, last, 0, block->n);
        retc_tape_backward_window(tape, block->n);
        transpose(tape, block->n, e->irf[slot][i]);
        memcpy(e->rate[slot][i], retc_tape_rate(tape, cell), block->n * sizeof(float));
    }
    return RETC_OK;
}

static int
deliver(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)tape;
    engine *e = context;
    retc_irf_block out = {block->t0, block->n, block->sample, (const float *const *)e->irf[slot],
                          (const float *const *)e->rate[slot]};
    return e->receive(e->context, &out);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

/* The part of the spans that holds samples first ... first+samples-1, in place. */
static int
select_samples(retc_span *spans, size_t *n_spans, size_t first, size_t samples) {
    size_t kept = 0, at = 0, end = samples ? first + samples : SIZE_MAX;
    for (size_t s = 0; s < *n_spans; ++s) {
        size_t count = spans[s].count, low = first > at ? first - at : 0, high = end - at < count ? end - at : count;
        if (end > at && low < high)
            spans[kept++] = (retc_span){spans[s].first + low, high - low};
        at += count;
    }
    *n_spans = kept;
    return kept ? RETC_OK : RETC_FAIL(RETC_EINVAL, "sample %zu is asked for, there are %zu", first, at);
}

static int
engine_init(engine *e, size_t threads) {
    int status = RETC_OK;
    size_t cells = e->options->cells, bytes = cells * window_size(e->network) * sizeof(float);
    e->block = bytes < BLOCK_BYTES ? BLOCK_BYTES / bytes : 1;
    e->block = e->block < MOST_BLOCK ? e->block : MOST_BLOCK;
    retc_stream_options stream = {.threads = threads};
    e->slots = retc_stream_slots(&stream);
    RETC_TRY(RETC_ALLOC(e->irf, e->slots));
    RETC_TRY(RETC_ALLOC(e->rate, e->slots));
    for (size_t s = 0; s < e->slots; ++s) {
        RETC_TRY(RETC_ALLOC(e->irf[s], cells));
        RETC_TRY(RETC_ALLOC(e->rate[s], cells));
        for (size_t i = 0; i < cells; ++i) {
            RETC_TRY(RETC_ALLOC(e->irf[s][i], e->block * window_size(e->network)));
            RETC_TRY(RETC_ALLOC(e->rate[s][i], e->block));
        }
    }
done:
    return status;
}

static void
engine_clear(engine *e) {
    for (size_t s = 0; s < e->slots; ++s)
        for (size_t i = 0; i < e->options->cells; ++i) {
            if (e->irf && e->irf[s])
                retc_free(e->irf[s][i]);
            if (e->rate && e->rate[s])
                retc_free(e->rate[s][i]);
        }
    for (size_t s = 0; s < e->slots; ++s) {
        if (e->irf)
            retc_free(e->irf[s]);
        if (e->rate)
            retc_free(e->rate[s]);
    }
    retc_free(e->irf);
    retc_free(e->rate);
}

int
retc_irf(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
         retc_irf_receiver *receive, void *context, const retc_progress *progress) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0;
    engine e = {.network = network, .options = options, .receive = receive, .context = context};
    retc_stream_task task = {differentiate, deliver, &e};
    for (size_t i = 0; i < options->cells; ++i)
        if (options->cell[i] >= network->N)
            return RETC_FAIL(RETC_EINVAL, "cell %zu is asked for, the model has cells 0 to %zu", options->cell[i],
                             network->N - 1);
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    RETC_TRY(select_samples(spans, &n_spans, options->first, options->samples));
    RETC_TRY(engine_init(&e, options->threads));
    retc_stream_options stream = {.block = e.block, .threads = options->threads, .window_gradients = 1};
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &stream, &task, progress));
done:
    engine_clear(&e);
    retc_free(spans);
    return status;
}
