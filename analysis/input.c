#include "input.h"

#include <math.h>
#include <string.h>

#include "line.h"
#include "rows.h"

/* Storage of one thread. */
typedef struct {
    retc_path path;
    retc_line line;
    retc_refine *refine;
    float *sum[2];            /* (units of conv0,ld) their contributions; mean of the gradient */
    float *zero;              /* (ld) */
    float *attribution;       /* (L,H,W,ld) mean over baselines */
    size_t n, *at, *sample;   /* taken of the block; (block) their places in it, their numbers */
    double *residual, *error; /* (block) */
    size_t *steps;            /* (block) */
} slot_storage;

typedef struct {
    const retc_network *network;
    const retc_target *target;
    const retc_input_options *options;
    retc_baseline baseline;
    float *base;    /* (baselines,units): conv0's output */
    size_t conv0;   /* 0: the layer down to which gradients go */
    size_t rows[2]; /* its units, twice */
    slot_storage *slot;
    size_t slots;
    retc_input_receiver *receive;
    void *context;
} engine;

retc_input_options
retc_input_default(void) {
    return (retc_input_options){.refine = retc_refine_default(), .every = 1, .block = 16};
}

static size_t
window_size(const retc_network *network) {
    return network->L * network->H * network->W;
}

/* ---- one step -------------------------------------------------------------------------------------------------------- */

/* What conv0's units contribute, by which errors are judged, and the gradient by them. */
static void
add_step(void *context, const retc_tape *from, retc_tape *to, const float *width, size_t n, float *const *sums) {
    slot_storage *s = context;
    size_t ld = to->ld;
    retc_path_differentiate(&s->path, from, to, n);
    for (size_t row = 0; row < retc_layer_units(&to->network->layer[0]); ++row) {
        const float *g = to->grad[0] + row * ld;
        retc_row_step(g, to->out[0] + row * ld, from->out[0] + row * ld, n, sums[0] + row * ld);
        retc_row_step(g, width, s->zero, n, sums[1] + row * ld);
    }
}

/* ---- storage --------------------------------------------------------------------------------------------------------- */

static int
slot_init(slot_storage *s, const engine *e) {
    int status = RETC_OK;
    size_t block = e->options->block, units = e->rows[0];
    const retc_refine_task task = {2, 1, e->rows, add_step, s};
    RETC_TRY(retc_path_init(&s->path, e->network, e->target, &e->conv0, 1, block));
    size_t ld = s->path.tape[1]->ld;
    RETC_TRY(retc_line_init(&s->line, &e->baseline, s->path.tape[1]));
    RETC_TRY(RETC_ALLOC(s->sum[0], units * ld));
    RETC_TRY(RETC_ALLOC(s->sum[1], units * ld));
    RETC_TRY(RETC_ALLOC(s->zero, ld));
    RETC_TRY(RETC_ALLOC(s->attribution, window_size(e->network) * ld));
    RETC_TRY(RETC_ALLOC(s->at, block));
    RETC_TRY(RETC_ALLOC(s->sample, block));
    RETC_TRY(RETC_ALLOC(s->residual, block));
    RETC_TRY(RETC_ALLOC(s->error, block));
    RETC_TRY(RETC_ALLOC(s->steps, block));
    RETC_TRY(RETC_GOT(s->refine = retc_refine_alloc(&s->path, &task, &e->options->refine)));
done:
    return status;
}

static void
slot_clear(slot_storage *s) {
    retc_refine_free(s->refine);
    retc_path_clear(&s->path);
    retc_line_clear(&s->line);
    retc_free(s->sum[0]), retc_free(s->sum[1]), retc_free(s->zero), retc_free(s->attribution);
    retc_free(s->at), retc_free(s->sample), retc_free(s->residual), retc_free(s->error), retc_free(s->steps);
}

static int
engine_init(engine *e, const retc_stream_options *stream) {
    int status = RETC_OK;
    e->baseline = e->options->baseline ? *e->options->baseline : retc_baseline_grey();
    if (e->options->every == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "input attributions take one run of samples of so many, at least one"));
    RETC_TRY(retc_refine_check(&e->options->refine));
    e->rows[0] = e->rows[1] = retc_layer_units(&e->network->layer[0]);
    RETC_TRY(retc_baseline_starts(&e->baseline, e->network, &e->base));
    e->slots = retc_stream_slots(stream);
    RETC_TRY(RETC_ALLOC(e->slot, e->slots));
    for (size_t i = 0; i < e->slots; ++i)
        RETC_TRY(slot_init(&e->slot[i], e));
done:
    return status;
}

static void
engine_clear(engine *e) {
    for (size_t i = 0; e->slot && i < e->slots; ++i)
        slot_clear(&e->slot[i]);
    retc_free(e->slot);
    retc_free(e->base);
}

/* ---- one block ------------------------------------------------------------------------------------------------------- */

/* Mean of the gradient at conv0; the target's change is taken off the residuals. */
static void
follow(const engine *e, slot_storage *s, const retc_path_line *line) {
    double share = 1 / (double)e->baseline.n;
    for (int i = 0; i < 2; ++i)
        memset(s->sum[i], 0, e->rows[i] * s->path.tape[1]->ld * sizeof(float));
    retc_refine_begin(s->refine, line);
    for (size_t t = 0; t < line->n; ++t)
        s->residual[t] += share * (s->path.start[t] - retc_path_target(&s->path, s->path.end, t));
    retc_refine_finish(s->refine, 1, s->sum);
    for (size_t t = 0; t < line->n; ++t) {
        size_t steps = retc_refine_steps(s->refine, t);
        s->steps[t] = steps > s->steps[t] ? steps : s->steps[t];
        s->error[t] = fmax(s->error[t], retc_refine_error(s->refine, 0, t));
    }
}

/* Back through conv0, times the change of the stimulus. */
static void
attribute(const engine *e, slot_storage *s, retc_tape *tape, size_t b) {
    const retc_network *network = e->network;
    size_t ld = tape->ld, pixels = network->H * network->W;
    const float *base = e->baseline.window ? e->baseline.window + b * window_size(network) : NULL, *start = s->line.movie;
    float share = 1 / (float)e->baseline.n;
    memcpy(tape->grad[0], s->sum[1], retc_layer_units(&network->layer[0]) * ld * sizeof(float));
    retc_tape_backward_window(tape, s->n);
    for (size_t k = 0; k < network->L; ++k)
        for (size_t p = 0; p < pixels; ++p) {
            const float *g = tape->window_grad + (k * pixels + p) * ld, *x = tape->movie + p * tape->in_ld + k;
            float *out = s->attribution + (k * pixels + p) * ld, x0 = base ? base[k * pixels + p] : 0;
            for (size_t i = 0; i < s->n; ++i)
                out[i] += share * g[i] * (x[s->at[i]] - (start ? start[p * tape->in_ld + k + s->at[i]] : x0));
        }
}

static int
work(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    engine *e = context;
    slot_storage *s = &e->slot[slot];
    size_t size = window_size(e->network), ld = tape->ld;
    s->path.tape[0] = tape;
    s->n = 0;
    for (size_t t = 0; t < block->n; ++t)
        if (retc_path_takes(block->sample + t, e->options->every)) {
            s->residual[s->n] = s->error[s->n] = 0;
            s->steps[s->n] = 0;
            s->sample[s->n] = block->sample + t;
            s->at[s->n++] = t;
        }
    if (s->n == 0)
        return RETC_OK;
    memset(s->attribution, 0, size * ld * sizeof(float));
    for (size_t b = 0; b < e->baseline.n; ++b) {
        retc_path_line line = retc_line_make(&s->line, &e->baseline, e->base, b, tape, block, s->at, s->n);
        follow(e, s, &line);
        attribute(e, s, tape, b);
    }
    for (size_t i = 0; i < size; ++i)
        for (size_t t = 0; t < s->n; ++t)
            s->residual[t] += (double)s->attribution[i * ld + t];
    return RETC_OK;
}

static int
deliver(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    engine *e = context;
    const slot_storage *s = &e->slot[slot];
    const retc_input_block out = {s->n, s->sample, s->attribution, tape->ld, s->residual, s->error, s->steps};
    for (size_t t = 0; t < s->n; ++t)
        if (!isfinite(s->residual[t]))
            return RETC_FAIL(
                RETC_ENUMBER,
                "input attributions are not finite near frame %zu: the model's parameters are damaged or too large", block->t0);
    return s->n > 0 ? e->receive(e->context, &out) : RETC_OK;
}

int
retc_input(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
           const retc_input_options *options, retc_input_receiver *receive, void *context, const retc_progress *progress) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0;
    engine e = {.network = network, .target = target, .options = options, .receive = receive, .context = context};
    retc_stream_options stream = {.block = options->block, .threads = options->threads, .gradients = 1, .window_gradients = 1};
    retc_stream_task task = {work, deliver, &e};
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    RETC_TRY(engine_init(&e, &stream));
    stream.beside = retc_baseline_source(&e.baseline);
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &stream, &task, progress));
done:
    engine_clear(&e);
    retc_free(spans);
    return status;
}
