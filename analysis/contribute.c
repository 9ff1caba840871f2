#include "contribute.h"

#include <string.h>

#include "rows.h"
#include "stream.h"

/* Storage of one thread.  The stream's tape is one end of the current step, `other` the other; they change places. */
typedef struct {
    retc_tape *other;
    float *linear;      /* (C0,h0,w0,ld): W * x, conv0 without its bias */
    float **sum;        /* per cut (C,h,w,ld): contributions so far */
    float **reduced[3]; /* contribution, activation, gradient: per cut (block,2C) */
    double **residual;  /* per cut (block) */
    double *target;     /* (block) */
    double target_zero;
    float *rate;        /* (block,N) */
    double *y, *y0, *g; /* (N) */
} slot_storage;

typedef struct {
    const retc_network *network;
    const retc_target *target;
    const retc_contribute_options *options;
    size_t *cut, cuts; /* layers at which contributions are taken */
    slot_storage *slot;
    size_t slots;
    retc_contribution_receiver *receive;
    void *context;
} engine;

retc_contribute_options
retc_contribute_default(void) {
    return (retc_contribute_options){.method = RETC_SECANT, .steps = 20, .block = 64};
}

/* ---- storage --------------------------------------------------------------------------------------------------------- */

static int
slot_init(slot_storage *s, const engine *e) {
    int status = RETC_OK;
    const retc_network *network = e->network;
    size_t block = e->options->block, N = network->N;
    RETC_TRY(RETC_GOT(s->other = retc_tape_alloc(network, block, RETC_TAPE_GRADIENTS | RETC_TAPE_NO_MOVIE, NULL)));
    RETC_TRY(RETC_ALLOC(s->linear, retc_layer_units(&network->layer[0]) * s->other->ld));
    RETC_TRY(RETC_ALLOC(s->sum, e->cuts));
    RETC_TRY(RETC_ALLOC(s->residual, e->cuts));
    for (int r = 0; r < 3; ++r)
        RETC_TRY(RETC_ALLOC(s->reduced[r], e->cuts));
    for (size_t k = 0; k < e->cuts; ++k) {
        const retc_layer *layer = &network->layer[e->cut[k]];
        RETC_TRY(RETC_ALLOC(s->sum[k], retc_layer_units(layer) * s->other->ld));
        RETC_TRY(RETC_ALLOC(s->residual[k], block));
        for (int r = 0; r < 3; ++r)
            RETC_TRY(RETC_ALLOC(s->reduced[r][k], 2 * layer->C * block));
    }
    RETC_TRY(RETC_ALLOC(s->target, block));
    RETC_TRY(RETC_ALLOC(s->rate, N * block));
    RETC_TRY(RETC_ALLOC(s->y, N));
    RETC_TRY(RETC_ALLOC(s->y0, N));
    RETC_TRY(RETC_ALLOC(s->g, N));
done:
    return status;
}

static void
slot_clear(slot_storage *s, size_t cuts) {
    for (size_t k = 0; k < cuts; ++k) {
        if (s->sum)
            retc_free(s->sum[k]);
        if (s->residual)
            retc_free(s->residual[k]);
        for (int r = 0; r < 3; ++r)
            if (s->reduced[r])
                retc_free(s->reduced[r][k]);
    }
    for (int r = 0; r < 3; ++r)
        retc_free(s->reduced[r]);
    retc_tape_free(s->other);
    retc_free(s->linear), retc_free(s->sum), retc_free(s->residual), retc_free(s->target), retc_free(s->rate);
    retc_free(s->y), retc_free(s->y0), retc_free(s->g);
}

static int
engine_init(engine *e, const retc_stream_options *stream) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(e->cut, e->network->layers));
    e->cuts = retc_network_cuts(e->network, e->cut);
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
        slot_clear(&e->slot[i], e->cuts);
    retc_free(e->slot);
    retc_free(e->cut);
}

/* ---- the path -------------------------------------------------------------------------------------------------------- */

static void
rates_at(const retc_tape *tape, size_t t, double *y) {
    for (size_t j = 0; j < tape->network->N; ++j)
        y[j] = (double)retc_tape_rate(tape, j)[t];
}

/* Put the tape at x(alpha): conv0 from the linear part, the rest forward. */
static void
move_to(const engine *e, const slot_storage *s, retc_tape *tape, float alpha, size_t n) {
    const retc_layer *conv0 = &e->network->layer[0];
    const float *bias = retc_network_values_const(e->network, conv0->bias);
    size_t map = conv0->h * conv0->w, ld = tape->ld;
    for (size_t row = 0; row < retc_layer_units(conv0); ++row) {
        float b = bias ? bias[row / map] : 0;
        retc_row_affine(s->linear + row * ld, alpha, b, n, tape->out[0] + row * ld);
    }
    retc_tape_forward(tape, 1, e->network->layers, n);
}

/* Gradient of the target at the rates of `tape`, or its discrete gradient between `from` and `tape`, into the last layer. */
static void
target_gradient(const engine *e, slot_storage *s, const retc_tape *from, retc_tape *tape, size_t n) {
    float *grad = tape->grad[e->network->layers - 1];
    for (size_t t = 0; t < n; ++t) {
        rates_at(tape, t, s->y);
        rates_at(from, t, s->y0);
        retc_target_gradient(e->target, s->y, s->y0, s->g);
        for (size_t j = 0; j < e->network->N; ++j)
            grad[j * tape->ld + t] = (float)s->g[j];
    }
}

/* Gradients down to conv0's output; with `from` another tape, by secants between the two. */
static void
differentiate(const engine *e, slot_storage *s, const retc_tape *from, retc_tape *tape, size_t n) {
    target_gradient(e, s, from, tape, n);
    if (from == tape)
        retc_tape_backward(tape, e->network->layers - 1, 0, n);
    else
        retc_tape_backward_secant(tape, from, e->network->layers - 1, 0, n);
}

/* Can unit `row` of layer l contribute?  Not where a grab layer passes it by. */
static int
is_seen(const retc_network *network, size_t l, size_t row) {
    const size_t *position = retc_network_grabbed(network, l);
    const retc_layer *layer = &network->layer[l];
    size_t c = row / (layer->h * layer->w);
    return !position || row % (layer->h * layer->w) == position[2 * c] * layer->w + position[2 * c + 1];
}

/* Add one step's share: gradient times the change of activation; the trapezium takes the mean of both ends' gradients. */
static void
add_step(const engine *e, slot_storage *s, const retc_tape *from, const retc_tape *tape, size_t n) {
    for (size_t k = 0; k < e->cuts; ++k) {
        size_t l = e->cut[k], ld = tape->ld;
        for (size_t row = 0; row < retc_layer_units(&e->network->layer[l]); ++row) {
            if (!is_seen(e->network, l, row))
                continue;
            const float *a = tape->out[l] + row * ld, *a0 = from->out[l] + row * ld, *g = tape->grad[l] + row * ld;
            const float *g0 = from->grad[l] + row * ld;
            float *sum = s->sum[k] + row * ld;
            if (e->options->method == RETC_SECANT)
                retc_row_step(g, a, a0, n, sum);
            else
                retc_row_step_trapezium(g, g0, a, a0, n, sum);
        }
    }
}

/* ---- reduction ------------------------------------------------------------------------------------------------------- */

/* Split every unit by its sign, then sum over the map: (n,2C), negative sums first (FORMATS 5.1). */
static void
reduce(const retc_layer *layer, const float *x, size_t ld, size_t n, float *out) {
    size_t map = layer->h * layer->w, C = layer->C;
    memset(out, 0, 2 * C * n * sizeof *out);
    for (size_t row = 0; row < C * map; ++row)
        for (size_t t = 0; t < n; ++t) {
            float value = x[row * ld + t];
            out[t * 2 * C + (value < 0 ? 0 : C) + row / map] += value;
        }
}

static void
reduce_all(const engine *e, slot_storage *s, const retc_tape *end, size_t n) {
    for (size_t k = 0; k < e->cuts; ++k) {
        const retc_layer *layer = &e->network->layer[e->cut[k]];
        retc_tape_complete(end, e->cut[k], n);
        reduce(layer, s->sum[k], end->ld, n, s->reduced[0][k]);
        reduce(layer, end->out[e->cut[k]], end->ld, n, s->reduced[1][k]);
        reduce(layer, end->grad[e->cut[k]], end->ld, n, s->reduced[2][k]);
        for (size_t t = 0; t < n; ++t) {
            double sum = 0;
            for (size_t row = 0; row < retc_layer_units(layer); ++row)
                sum += (double)s->sum[k][row * end->ld + t];
            s->residual[k][t] = sum - (s->target[t] - s->target_zero);
        }
    }
    for (size_t t = 0; t < n; ++t)
        for (size_t j = 0; j < e->network->N; ++j)
            s->rate[t * e->network->N + j] = retc_tape_rate(end, j)[t];
}

/* ---- one block ------------------------------------------------------------------------------------------------------- */

static int
contribute_block(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    engine *e = context;
    slot_storage *s = &e->slot[slot];
    size_t n = block->n, steps = e->options->steps;
    retc_tape *from = tape, *to = s->other;
    retc_tape_convolve(tape, NULL, n, s->linear);
    for (size_t k = 0; k < e->cuts; ++k)
        memset(s->sum[k], 0, retc_layer_units(&e->network->layer[e->cut[k]]) * tape->ld * sizeof(float));
    move_to(e, s, from, 0, n);
    rates_at(from, 0, s->y);
    s->target_zero = retc_target_value(e->target, s->y);
    if (e->options->method == RETC_TRAPEZIUM)
        differentiate(e, s, from, from, n);
    for (size_t i = 1; i <= steps; ++i) {
        move_to(e, s, to, (float)i / (float)steps, n);
        differentiate(e, s, e->options->method == RETC_SECANT ? from : to, to, n);
        add_step(e, s, from, to, n);
        retc_tape *swap = from;
        from = to, to = swap;
    }
    for (size_t t = 0; t < n; ++t) {
        rates_at(from, t, s->y);
        s->target[t] = retc_target_value(e->target, s->y);
    }
    if (e->options->method == RETC_SECANT) /* the gradients that are written are those at the stimulus */
        differentiate(e, s, from, from, n);
    reduce_all(e, s, from, n);
    return RETC_OK;
}

static int
deliver(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)tape;
    engine *e = context;
    const slot_storage *s = &e->slot[slot];
    retc_contribution out = {.t0 = block->t0,
                             .n = block->n,
                             .sample = block->sample,
                             .contribution = (const float *const *)s->reduced[0],
                             .activation = (const float *const *)s->reduced[1],
                             .gradient = (const float *const *)s->reduced[2],
                             .residual = (const double *const *)s->residual,
                             .rate = s->rate,
                             .target = s->target,
                             .target_zero = s->target_zero};
    return e->receive(e->context, &out);
}

int
retc_contribute(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                const retc_contribute_options *options, retc_contribution_receiver *receive, void *context,
                const retc_progress *progress) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0;
    engine e = {.network = network, .target = target, .options = options, .receive = receive, .context = context};
    retc_stream_options stream = {.block = options->block, .threads = options->threads, .gradients = 1};
    retc_stream_task task = {contribute_block, deliver, &e};
    if (options->steps < 1 || target->N != network->N)
        return RETC_FAIL(RETC_EINVAL, "contributions need at least one step, and a target over the model's %zu cells",
                         network->N);
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    RETC_TRY(engine_init(&e, &stream));
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &stream, &task, progress));
done:
    engine_clear(&e);
    retc_free(spans);
    return status;
}
