#include "irf.h"

#include <string.h>

#include "irf_internal.h"
#include "stream.h"

/* Few windows at a time stay in the cache from gradient to separation; an even number, see fftadjoint.h. */
enum { MOST_BLOCK = 64, BLOCK_BYTES = 1 << 26, GROUP = 8 };

/* What one thread needs. */
typedef struct {
    retc_irf_store *store; /* (cells) */
    retc_irf_cell *cell;   /* (cells) for the receiver */
    size_t *frame, *at;    /* (block) response frames of the samples, their places in the block of the stream */
    size_t n;
    retc_path path; /* integrated IRF: path, target, conv0's output along it, mean gradient */
    retc_target target;
    float *delta, *base, *gradient;
} slot_state;

typedef struct {
    const retc_network *network;
    retc_irf_options options;
    retc_window *window;
    slot_state *slot;
    size_t slots, block, latest, delivered; /* latest: the frame that came last */
    retc_irf_receiver *receive;
    void *context;
} engine;

/* ---- one block ------------------------------------------------------------------------------------------------------- */

/* The samples of a block that are asked for. */
static void
choose(const engine *e, slot_state *s, const retc_block *block) {
    size_t every = e->options.every, skip = block->sample % every ? every - block->sample % every : 0;
    s->n = 0;
    for (size_t t = skip; t < block->n; t += every) {
        s->at[s->n] = t;
        s->frame[s->n++] = block->t0 + t;
    }
}

/* How many samples from i on lie next to each other, up to a group. */
static size_t
run_of(const slot_state *s, size_t i) {
    size_t n = 1;
    while (n < GROUP && i + n < s->n && s->at[i + n] == s->at[i] + n)
        ++n;
    return n;
}

static int
differentiate_cell(engine *e, size_t slot, size_t i, retc_tape *tape, size_t n) {
    int status = RETC_OK;
    slot_state *s = &e->slot[slot];
    retc_irf_store *store = &s->store[i];
    size_t cell = e->options.cell[i], last = e->network->layers - 1;
    const float *rate = retc_tape_rate(tape, cell);
    memset(tape->grad[last], 0, e->network->N * tape->ld * sizeof(float));
    for (size_t t = 0; t < n; ++t)
        tape->grad[last][cell * tape->ld + t] = 1;
    retc_tape_backward(tape, last, 0, n);
    retc_irf_store_begin(store);
    for (size_t k = 0, run; k < s->n && status >= 0; k += run) {
        run = run_of(s, k);
        retc_window_gradient(e->window, slot, i, tape->grad[0] + s->at[k], run, store->irf + k * store->size);
        status = retc_irf_store_describe(store, k, run);
    }
    for (size_t k = 0; k < s->n; ++k)
        store->rate[k] = rate[s->at[k]];
    return status < 0 ? retc_error_prefix(status, "%s", e->network->cell_name[cell]) : RETC_OK;
}

/* Times the window's normalised stimulus, of sample k at place `at` of the block. */
static void
times_window(const retc_tape *tape, const retc_patch *patch, size_t at, float *out) {
    const retc_network *network = tape->network;
    for (size_t c = 0; c < network->L; ++c)
        for (size_t y = 0; y < patch->h; ++y)
            for (size_t x = 0; x < patch->w; ++x)
                *out++ *= tape->movie[((patch->row + y) * network->W + patch->column + x) * tape->in_ld + at + c];
}

static int
integrate_cell(engine *e, size_t slot, size_t i, retc_tape *tape, size_t n) {
    int status = RETC_OK;
    slot_state *s = &e->slot[slot];
    retc_irf_store *store = &s->store[i];
    const retc_path_line line = {n, s->delta, s->base, 1};
    s->target.cell = e->options.cell[i];
    retc_path_mean_gradient(&s->path, &line, e->options.ig_rule, e->options.ig_steps, s->gradient);
    for (size_t k = 0, run; k < s->n && status >= 0; k += run) {
        run = run_of(s, k);
        retc_window_gradient(e->window, slot, i, s->gradient + s->at[k], run, store->ig + k * store->size);
        status = retc_irf_store_separate_ig(store, k, run);
        for (size_t r = 0; r < run; ++r)
            times_window(tape, &store->seen.patch, s->at[k + r], store->ig + (k + r) * store->size);
        retc_irf_store_add_ig(store, k, run);
    }
    return status < 0 ? retc_error_prefix(status, "%s", e->network->cell_name[e->options.cell[i]]) : RETC_OK;
}

static int
differentiate(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    engine *e = context;
    slot_state *s = &e->slot[slot];
    int status = RETC_OK;
    choose(e, s, block);
    if (s->n == 0)
        return RETC_OK;
    retc_tape_forward(tape, 0, e->network->layers, block->n);
    for (size_t i = 0; i < e->options.cells && status >= 0; ++i)
        status = differentiate_cell(e, slot, i, tape, block->n);
    if (e->options.ig_steps && status >= 0) {
        s->path.tape[0] = tape;
        retc_tape_convolve(tape, NULL, block->n, s->delta);
        for (size_t i = 0; i < e->options.cells && status >= 0; ++i)
            status = integrate_cell(e, slot, i, tape, block->n);
    }
    return status;
}

static int
deliver(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)tape, (void)block;
    engine *e = context;
    slot_state *s = &e->slot[slot];
    if (s->n == 0)
        return RETC_OK;
    for (size_t i = 0; i < e->options.cells; ++i)
        s->cell[i] = s->store[i].seen;
    int continues = e->delivered && s->frame[0] == e->latest + e->options.every;
    retc_irf_block out = {s->n, e->delivered, s->frame, continues, s->cell};
    e->delivered += s->n;
    e->latest = s->frame[s->n - 1];
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
find_samples(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
             retc_span **spans, size_t *n_spans) {
    int status = RETC_OK;
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, spans, n_spans));
    RETC_TRY(select_samples(*spans, n_spans, options->first, options->samples));
done:
    return status;
}

int
retc_irf_samples(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
                 size_t *samples) {
    retc_span *spans = NULL;
    size_t n_spans = 0, total = 0, every = options->every ? options->every : 1;
    int status = find_samples(network, recording, part, options, &spans, &n_spans);
    for (size_t s = 0; s < n_spans && status >= 0; ++s)
        total += spans[s].count;
    retc_free(spans);
    *samples = (total + every - 1) / every;
    return status;
}

static int
slot_init(const engine *e, slot_state *s) {
    static const size_t lowest = 0;
    int status = RETC_OK;
    const retc_network *network = e->network;
    const retc_layer *layer = &network->layer[0];
    size_t units = retc_layer_units(layer);
    RETC_TRY(RETC_ALLOC(s->store, e->options.cells));
    RETC_TRY(RETC_ALLOC(s->cell, e->options.cells));
    RETC_TRY(RETC_ALLOC(s->frame, e->block));
    RETC_TRY(RETC_ALLOC(s->at, e->block));
    for (size_t i = 0; i < e->options.cells; ++i)
        RETC_TRY(retc_irf_store_init(&s->store[i], network, e->window, i, &e->options, e->block));
    if (e->options.ig_steps == 0)
        return RETC_OK;
    RETC_TRY(retc_target_init(&s->target, RETC_TARGET_CELL, network->N, e->options.cell[0]));
    RETC_TRY(retc_path_init(&s->path, network, &s->target, &lowest, 1, e->block));
    RETC_TRY(RETC_ALLOC(s->delta, units * s->path.tape[1]->ld));
    RETC_TRY(RETC_ALLOC(s->gradient, units * s->path.tape[1]->ld));
    RETC_TRY(RETC_ALLOC(s->base, units));
    const float *bias = retc_network_values_const(network, layer->bias);
    for (size_t u = 0; u < units && bias; ++u)
        s->base[u] = bias[u / (layer->h * layer->w)];
done:
    return status;
}

static void
slot_clear(const engine *e, slot_state *s) {
    for (size_t i = 0; i < e->options.cells && s->store; ++i)
        retc_irf_store_clear(&s->store[i]);
    retc_free(s->store), retc_free(s->cell), retc_free(s->frame), retc_free(s->at);
    retc_free(s->delta), retc_free(s->base), retc_free(s->gradient);
    retc_path_clear(&s->path);
    retc_target_clear(&s->target);
}

static size_t
block_size(const engine *e) {
    const retc_network *network = e->network;
    size_t bytes = e->options.cells * network->L * network->H * network->W * sizeof(float);
    size_t block = bytes < BLOCK_BYTES / 2 ? BLOCK_BYTES / bytes / 2 * 2 : 2;
    return block < MOST_BLOCK ? block : MOST_BLOCK;
}

static int
engine_init(engine *e) {
    int status = RETC_OK;
    e->block = block_size(e);
    retc_stream_options stream = {.threads = e->options.threads};
    e->slots = retc_stream_slots(&stream);
    RETC_TRY(RETC_GOT(e->window = retc_window_alloc(e->network, e->options.cell, e->options.cells, e->block, e->slots)));
    RETC_TRY(RETC_ALLOC(e->slot, e->slots));
    for (size_t s = 0; s < e->slots; ++s)
        RETC_TRY(slot_init(e, &e->slot[s]));
done:
    return status;
}

int
retc_irf(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
         retc_irf_receiver *receive, void *context, const retc_progress *progress) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0;
    engine e = {.network = network, .options = *options, .receive = receive, .context = context};
    retc_stream_task task = {differentiate, deliver, &e};
    e.options.every = options->every ? options->every : 1;
    for (size_t i = 0; i < options->cells; ++i)
        if (options->cell[i] >= network->N)
            return RETC_FAIL(RETC_EINVAL, "cell %zu is asked for, the model has cells 0 to %zu", options->cell[i],
                             network->N - 1);
    RETC_TRY(find_samples(network, recording, part, options, &spans, &n_spans));
    RETC_TRY(engine_init(&e));
    retc_stream_options stream = {.block = e.block, .threads = options->threads, .gradients = 1};
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &stream, &task, progress));
done:
    for (size_t s = 0; s < e.slots && e.slot; ++s)
        slot_clear(&e, &e.slot[s]);
    retc_free(e.slot);
    retc_window_free(e.window);
    retc_free(spans);
    return status;
}
