#include "contribute.h"

#include <math.h>
#include <string.h>

#include "line.h"
#include "parallel.h"
#include "stream.h"

enum { TOGETHER = 64 /* samples whose sums stay near while a map is read */ };

/* Storage of one thread. */
typedef struct {
    retc_path path;
    retc_attribution *attribution; /* other methods than paths */
    retc_refine *refine;           /* secants */
    retc_line line;
    float **sum;                  /* per cut (rows,ld), retc_path_rows of them: mean over baselines */
    size_t *steps, *passes;       /* (block) that a sample got */
    float **reduced[3];           /* contribution, activation, gradient: per cut (block,2C) */
    double **residual, **error;   /* per cut (block) */
    double *target, *target_zero; /* (block) */
    float *rate;                  /* (block,N) */
    float **standard_error;       /* per cut (block,C) */
} slot_storage;

typedef struct {
    const retc_network *network;
    const retc_target *target;
    const retc_contribute_options *options;
    retc_baseline baseline;
    float *base;       /* (baselines,units): conv0's output */
    size_t *cut, cuts; /* layers at which contributions are taken */
    size_t *rows;      /* (cuts) */
    slot_storage *slot;
    size_t slots;
    retc_contribution_receiver *receive;
    void *context;
} engine;

retc_contribute_options
retc_contribute_default(void) {
    const retc_refine_options refine = retc_refine_default();
    return (retc_contribute_options){.attribution = {.samples = 16, .noise = 0.2, .orders = 8, .seed = 1},
                                     .rule = RETC_SECANT,
                                     .tolerance = refine.tolerance,
                                     .floor = refine.floor,
                                     .most_steps = refine.most_steps,
                                     .block = 64};
}

int
retc_contribute_refines(const retc_contribute_options *options) {
    return options->attribution.method == RETC_METHOD_PATH && options->steps == 0;
}

retc_refine_options
retc_contribute_steps(const retc_contribute_options *o) {
    return (retc_refine_options){o->steps, o->tolerance, o->floor, o->most_steps};
}

/* ---- where ----------------------------------------------------------------------------------------------------------- */

static int
is_nonlinear(retc_layer_kind kind) {
    return kind == RETC_LAYER_RELU || kind == RETC_LAYER_SOFTPLUS || kind == RETC_LAYER_EXP || kind == RETC_LAYER_TANH ||
           kind == RETC_LAYER_SIGMOID || kind == RETC_LAYER_PIECEWISE;
}

size_t
retc_contribute_cuts(const retc_network *network, retc_contribute_place place, size_t *cut) {
    size_t n = retc_network_cuts(network, cut);
    for (size_t k = 0; k < n && place != RETC_AT_CONVOLUTION; ++k) {
        size_t next = k + 1 < n ? cut[k + 1] : network->layers, at = next - 1;
        for (size_t l = cut[k] + 1; l < next; ++l)
            if (place == RETC_AT_NORM ? network->layer[l].kind == RETC_LAYER_BATCHNORM : is_nonlinear(network->layer[l].kind)) {
                at = l;
                break;
            }
        cut[k] = at;
    }
    return n;
}

/* ---- storage --------------------------------------------------------------------------------------------------------- */

/* Per cut an array of `width` values for each of its units or channels. */
#define ALLOC_CUTS(array, e, width_of_cut)                                                                                     \
    do {                                                                                                                       \
        RETC_TRY(RETC_ALLOC(array, (e)->cuts));                                                                                \
        for (size_t k = 0; k < (e)->cuts; ++k)                                                                                 \
            RETC_TRY(RETC_ALLOC((array)[k], width_of_cut));                                                                    \
    } while (0)

#define FREE_CUTS(array, cuts)                                                                                                 \
    do {                                                                                                                       \
        for (size_t k = 0; (array) && k < (cuts); ++k)                                                                         \
            retc_free((array)[k]);                                                                                             \
        retc_free(array);                                                                                                      \
    } while (0)

static int
slot_init(slot_storage *s, const engine *e) {
    int status = RETC_OK;
    const retc_network *network = e->network;
    size_t block = e->options->block, N = network->N;
    RETC_TRY(retc_path_init(&s->path, network, e->target, e->cut, e->cuts, block));
    size_t ld = s->path.tape[1]->ld;
    RETC_TRY(retc_line_init(&s->line, &e->baseline, s->path.tape[1]));
    ALLOC_CUTS(s->sum, e, e->rows[k] * ld);
    const retc_refine_task task = {e->cuts, e->cuts, e->rows, retc_path_secant, &s->path};
    const retc_refine_options steps = retc_contribute_steps(e->options);
    if (e->options->attribution.method == RETC_METHOD_PATH && e->options->rule == RETC_SECANT)
        RETC_TRY(RETC_GOT(s->refine = retc_refine_alloc(&s->path, &task, &steps)));
    if (e->options->attribution.method != RETC_METHOD_PATH)
        RETC_TRY(RETC_GOT(s->attribution = retc_attribution_alloc(&s->path, &e->options->attribution)));
    ALLOC_CUTS(s->standard_error, e, network->layer[e->cut[k]].C * block);
    ALLOC_CUTS(s->residual, e, block);
    ALLOC_CUTS(s->error, e, block);
    for (int r = 0; r < 3; ++r)
        ALLOC_CUTS(s->reduced[r], e, 2 * network->layer[e->cut[k]].C * block);
    RETC_TRY(RETC_ALLOC(s->steps, block));
    RETC_TRY(RETC_ALLOC(s->passes, block));
    RETC_TRY(RETC_ALLOC(s->target, block));
    RETC_TRY(RETC_ALLOC(s->target_zero, block));
    RETC_TRY(RETC_ALLOC(s->rate, N * block));
done:
    return status;
}

static void
slot_clear(slot_storage *s, size_t cuts) {
    retc_attribution_free(s->attribution);
    retc_refine_free(s->refine);
    retc_path_clear(&s->path);
    retc_line_clear(&s->line);
    FREE_CUTS(s->sum, cuts);
    FREE_CUTS(s->standard_error, cuts);
    FREE_CUTS(s->residual, cuts);
    FREE_CUTS(s->error, cuts);
    for (int r = 0; r < 3; ++r)
        FREE_CUTS(s->reduced[r], cuts);
    retc_free(s->steps), retc_free(s->passes), retc_free(s->target), retc_free(s->target_zero), retc_free(s->rate);
}

static int
init_slot(void *context, size_t slot) {
    engine *e = context;
    return slot_init(&e->slot[slot], e);
}

static int
engine_init(engine *e, const retc_stream_options *stream) {
    int status = RETC_OK;
    e->baseline = e->options->baseline ? *e->options->baseline : retc_baseline_grey();
    RETC_TRY(RETC_ALLOC(e->cut, e->network->layers));
    e->cuts = retc_contribute_cuts(e->network, e->options->place, e->cut);
    RETC_TRY(RETC_ALLOC(e->rows, e->cuts));
    for (size_t k = 0; k < e->cuts; ++k)
        e->rows[k] = retc_path_rows(e->network, e->cut[k]);
    RETC_TRY(retc_baseline_starts(&e->baseline, e->network, &e->base));
    e->slots = retc_stream_slots(stream);
    RETC_TRY(RETC_ALLOC(e->slot, e->slots));
    RETC_TRY(retc_parallel_for(e->slots, e->slots, init_slot, e)); /* much is zeroed */
done:
    return status;
}

static void
engine_clear(engine *e) {
    for (size_t i = 0; e->slot && i < e->slots; ++i)
        slot_clear(&e->slot[i], e->cuts);
    retc_free(e->slot);
    retc_free(e->base), retc_free(e->cut), retc_free(e->rows);
}

/* ---- reduction ------------------------------------------------------------------------------------------------------- */

/* Split every unit by its sign, then sum over the map: (n,2C), negative sums first (FORMATS 5.1). */
static void
reduce(const retc_layer *layer, const float *x, size_t ld, size_t n, float *out) {
    size_t map = layer->h * layer->w, C = layer->C;
    for (size_t c = 0; c < C; ++c)
        for (size_t t0 = 0; t0 < n; t0 += TOGETHER) {
            float negative[TOGETHER] = {0}, positive[TOGETHER] = {0};
            size_t m = n - t0 < TOGETHER ? n - t0 : TOGETHER;
            for (size_t row = c * map; row < (c + 1) * map; ++row)
                for (size_t t = 0; t < m; ++t) {
                    float value = x[row * ld + t0 + t];
                    negative[t] += value < 0 ? value : 0;
                    positive[t] += value < 0 ? 0 : value;
                }
            for (size_t t = 0; t < m; ++t) {
                out[(t0 + t) * 2 * C + c] = negative[t];
                out[(t0 + t) * 2 * C + C + c] = positive[t];
            }
        }
}

/* What there is to say about the stimulus itself, from the end of the path: rates, target, activations, gradients. */
static void
describe_end(const engine *e, slot_storage *s, size_t n) {
    retc_path_differentiate_end(&s->path, n);
    const retc_tape *end = s->path.end;
    for (size_t k = 0; k < e->cuts; ++k) {
        const retc_layer *layer = &e->network->layer[e->cut[k]];
        retc_tape_complete(end, e->cut[k], n);
        reduce(layer, end->out[e->cut[k]], end->ld, n, s->reduced[1][k]);
        reduce(layer, end->grad[e->cut[k]], end->ld, n, s->reduced[2][k]);
    }
    for (size_t t = 0; t < n; ++t) {
        s->target[t] = retc_path_target(&s->path, end, t);
        for (size_t j = 0; j < e->network->N; ++j)
            s->rate[t * e->network->N + j] = retc_tape_rate(end, j)[t];
    }
}

static void
reduce_sums(const engine *e, slot_storage *s, size_t n) {
    size_t ld = s->path.tape[1]->ld;
    for (size_t k = 0; k < e->cuts; ++k) {
        reduce(&e->network->layer[e->cut[k]], s->sum[k], ld, n, s->reduced[0][k]);
        double *residual = s->residual[k];
        memset(residual, 0, n * sizeof *residual);
        for (size_t row = 0; row < e->rows[k]; ++row)
            for (size_t t = 0; t < n; ++t)
                residual[t] += (double)s->sum[k][row * ld + t];
        for (size_t t = 0; t < n; ++t)
            residual[t] -= s->target[t] - s->target_zero[t];
    }
}

/* ---- one block ------------------------------------------------------------------------------------------------------- */

static void
begin_block(const engine *e, slot_storage *s, size_t n) {
    size_t ld = s->path.tape[1]->ld;
    memset(s->target_zero, 0, n * sizeof(double));
    for (size_t k = 0; k < e->cuts; ++k) {
        memset(s->sum[k], 0, e->rows[k] * ld * sizeof(float));
        memset(s->error[k], 0, n * sizeof(double));
    }
    for (size_t t = 0; t < n; ++t) {
        s->steps[t] = s->attribution ? 0 : e->options->steps;
        s->passes[t] = s->attribution || s->refine ? 0 : (2 * e->options->steps + 2) * e->baseline.n; /* trapezia */
    }
}

static void
add_start(const engine *e, slot_storage *s, size_t n) {
    for (size_t t = 0; t < n; ++t)
        s->target_zero[t] += s->path.start[t] / (double)e->baseline.n;
}

/* The largest over baselines counts. */
static void
record(const engine *e, slot_storage *s, size_t n) {
    for (size_t t = 0; t < n; ++t) {
        size_t steps = retc_refine_steps(s->refine, t);
        s->steps[t] = steps > s->steps[t] ? steps : s->steps[t];
        s->passes[t] += retc_refine_passes(s->refine, t);
        for (size_t k = 0; k < e->cuts; ++k)
            s->error[k][t] = fmax(s->error[k][t], retc_refine_error(s->refine, k, t));
    }
}

/* Trapezia have been added up over baselines. */
static void
divide_sums(const engine *e, slot_storage *s, size_t n) {
    const float share = 1 / (float)e->baseline.n;
    size_t ld = s->path.tape[1]->ld;
    for (size_t k = 0; k < e->cuts && e->baseline.n > 1; ++k)
        for (size_t row = 0; row < e->rows[k]; ++row)
            for (size_t t = 0; t < n; ++t)
                s->sum[k][row * ld + t] *= share;
}

/* Along the path from baseline b. */
static void
integrate(const engine *e, slot_storage *s, const retc_path_line *line, size_t b) {
    if (s->refine)
        retc_refine_begin(s->refine, line);
    else
        retc_path_walk_trapezia(&s->path, line, e->options->steps, s->sum);
    if (b == 0)
        describe_end(e, s, line->n);
    add_start(e, s, line->n);
    if (s->refine) {
        retc_refine_finish(s->refine, 1 / (float)e->baseline.n, s->sum);
        record(e, s, line->n);
    }
}

/* By another method; one that knows no baseline is done at the first. */
static void
attribute(const engine *e, slot_storage *s, retc_path_line line, size_t b, size_t frame) {
    int has_baseline = retc_attribution_has_baseline(e->options->attribution.method);
    retc_path_take_ends(&s->path, &line);
    add_start(e, s, line.n);
    if (b == 0)
        describe_end(e, s, line.n);
    if (b == 0 || has_baseline)
        retc_attribution_add(s->attribution, line.n, frame, b, has_baseline ? 1 / (float)e->baseline.n : 1, s->sum);
    for (size_t k = 0; k < e->cuts && retc_attribution_variance(s->attribution, k); ++k)
        for (size_t c = 0, C = e->network->layer[e->cut[k]].C; c < C; ++c)
            for (size_t t = 0; t < line.n; ++t)
                s->standard_error[k][t * C + c] =
                    (float)sqrt(retc_attribution_variance(s->attribution, k)[c * s->path.tape[1]->ld + t]);
}

static int
contribute_block(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    engine *e = context;
    slot_storage *s = &e->slot[slot];
    size_t n = block->n;
    s->path.tape[0] = tape;
    begin_block(e, s, n);
    for (size_t b = 0; b < e->baseline.n; ++b) {
        retc_path_line line = retc_line_make(&s->line, &e->baseline, e->base, b, tape, block, NULL, n);
        if (s->attribution)
            attribute(e, s, line, b, block->t0 + 1 - e->network->lag - e->network->L);
        else
            integrate(e, s, &line, b);
    }
    if (!s->attribution && !s->refine)
        divide_sums(e, s, n);
    reduce_sums(e, s, n);
    return RETC_OK;
}

static int
deliver(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    engine *e = context;
    const slot_storage *s = &e->slot[slot];
    retc_contribution out = {.t0 = block->t0,
                             .n = block->n,
                             .sample = block->sample,
                             .contribution = (const float *const *)s->reduced[0],
                             .activation = (const float *const *)s->reduced[1],
                             .gradient = (const float *const *)s->reduced[2],
                             .residual = (const double *const *)s->residual,
                             .error = retc_contribute_refines(e->options) ? (const double *const *)s->error : NULL,
                             .standard_error = e->options->attribution.method == RETC_METHOD_SHAPLEY
                                                   ? (const float *const *)s->standard_error
                                                   : NULL,
                             .steps = s->steps,
                             .passes = s->passes,
                             .map = (const float *const *)s->sum,
                             .map_ld = tape->ld,
                             .rate = s->rate,
                             .target = s->target,
                             .target_zero = s->target_zero};
    return e->receive(e->context, &out);
}

static int
check_options(const retc_network *network, const retc_target *target, const retc_contribute_options *o) {
    if (target->N != network->N)
        return RETC_FAIL(RETC_EINVAL, "the target is of %zu cells, the model has %zu", target->N, network->N);
    if (retc_contribute_refines(o) && o->rule != RETC_SECANT)
        return RETC_FAIL(RETC_EINVAL, "steps as needed are secants; trapezia need a fixed number of steps");
    const retc_refine_options steps = retc_contribute_steps(o);
    int status = o->attribution.method == RETC_METHOD_PATH ? retc_refine_check(&steps) : RETC_OK;
    return status < 0 ? status : retc_attribution_check(&o->attribution);
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
    RETC_TRY(check_options(network, target, options));
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
