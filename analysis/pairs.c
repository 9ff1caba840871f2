#include "pairs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "line.h"
#include "rows.h"

typedef struct engine engine;

/* Storage of one thread. */
typedef struct {
    const engine *engine;
    retc_path path;
    retc_refine *refine;
    retc_conv one;         /* the second convolution with one of its channels */
    float *packed;         /* scratch of its backward pass */
    size_t *packed_offset; /* the same */
    retc_line line;
    float **pair;   /* (targets) (C0,C1,ld) mean over baselines */
    double *change; /* (targets,ld) t(x) - t(x0), mean over baselines */
    double *error;  /* (targets,ld) largest over baselines */
    size_t n, *at;  /* samples taken of the block; (block) their places in it */
    size_t *steps;  /* (block) */
} slot_storage;

struct engine {
    const retc_network *network;
    const retc_target *target;
    const retc_pairs_options *options;
    retc_baseline baseline;
    float *base;   /* (baselines,units): conv0's output */
    size_t second; /* layer of the second convolution */
    size_t *rows;  /* (targets) C0 C1 */
    slot_storage *slot;
    size_t slots;
    retc_pairs *result;
};

retc_pairs_options
retc_pairs_default(void) {
    return (retc_pairs_options){.refine = retc_refine_default(), .every = 1, .block = 64};
}

/* ---- one step -------------------------------------------------------------------------------------------------------- */

/* After a backward pass to the second convolution: on from each of its channels alone, and add the step's share. */
static void
add_pairs(const engine *e, slot_storage *s, const retc_tape *from, retc_tape *to, size_t n, float *pair) {
    const retc_layer *conv0 = &e->network->layer[0], *second = &e->network->layer[e->second];
    const float *weight = retc_network_values_const(e->network, second->weight);
    size_t ld = to->ld, map0 = conv0->h * conv0->w, map = second->h * second->w, J = s->one.J, C1 = second->C;
    for (size_t k = 0; k < C1; ++k) {
        retc_conv_backward_input(&s->one, weight + k * J, to->grad[e->second] + k * map * ld, n, to->grad[e->second - 1], ld,
                                 s->packed, s->packed_offset);
        retc_tape_backward_secant(to, from, e->second - 1, 0, n);
        for (size_t row = 0; row < retc_layer_units(conv0); ++row)
            retc_row_step(to->grad[0] + row * ld, to->out[0] + row * ld, from->out[0] + row * ld, n,
                          pair + (row / map0 * C1 + k) * ld);
    }
}

static void
add_step(void *context, const retc_tape *from, retc_tape *to, const float *width, size_t n, float *const *sums) {
    slot_storage *s = context;
    (void)width;
    for (size_t j = 0; j < s->engine->result->targets; ++j) {
        s->path.target = &s->engine->target[j];
        retc_path_differentiate(&s->path, from, to, n);
        add_pairs(s->engine, s, from, to, n, sums[j]);
    }
}

/* ---- storage --------------------------------------------------------------------------------------------------------- */

static int
find_second(engine *e) {
    const retc_network *network = e->network;
    size_t *cut = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(cut, network->layers));
    if (retc_network_cuts(network, cut) < 2)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the model has one convolution; paths lead through two"));
    e->second = cut[1];
    for (size_t l = e->second + 1; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_ADD && network->layer[l].skip < e->second)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "layer %s adds what came before %s again: not all paths lead through the latter",
                               network->layer[l].module, network->layer[e->second].cut));
done:
    retc_free(cut);
    return status;
}

static int
slot_init(slot_storage *s, const engine *e) {
    const retc_layer *second = &e->network->layer[e->second], *input = second - 1;
    const retc_conv_shape shape = {.C = input->C, .h = input->h, .w = input->w, .K = 1, .kh = second->kh, .kw = second->kw};
    const retc_pairs *p = e->result;
    int status = RETC_OK;
    s->engine = e;
    RETC_TRY(retc_path_init(&s->path, e->network, e->target, &e->second, 1, e->options->block));
    size_t ld = s->path.tape[1]->ld;
    RETC_TRY(retc_conv_init(&s->one, &shape, ld, ld));
    RETC_TRY(RETC_ALLOC(s->packed, shape.C * shape.kh * shape.kw));
    RETC_TRY(RETC_ALLOC(s->packed_offset, shape.kh * shape.kw));
    RETC_TRY(retc_line_init(&s->line, &e->baseline, s->path.tape[1]));
    RETC_TRY(RETC_ALLOC(s->at, e->options->block));
    RETC_TRY(RETC_ALLOC(s->steps, e->options->block));
    RETC_TRY(RETC_ALLOC(s->pair, p->targets));
    for (size_t j = 0; j < p->targets; ++j)
        RETC_TRY(RETC_ALLOC(s->pair[j], e->rows[j] * ld));
    RETC_TRY(RETC_ALLOC(s->change, p->targets * ld));
    RETC_TRY(RETC_ALLOC(s->error, p->targets * ld));
    const retc_refine_task task = {p->targets, p->targets, e->rows, add_step, s};
    RETC_TRY(RETC_GOT(s->refine = retc_refine_alloc(&s->path, &task, &e->options->refine)));
done:
    return status;
}

static void
slot_clear(slot_storage *s, size_t targets) {
    for (size_t j = 0; s->pair && j < targets; ++j)
        retc_free(s->pair[j]);
    retc_refine_free(s->refine);
    retc_path_clear(&s->path);
    retc_conv_free(&s->one);
    retc_line_clear(&s->line);
    retc_free(s->packed), retc_free(s->packed_offset), retc_free(s->at), retc_free(s->pair), retc_free(s->change);
    retc_free(s->error), retc_free(s->steps);
}

static int
engine_init(engine *e, const retc_stream_options *stream) {
    int status = RETC_OK;
    retc_pairs *p = e->result;
    e->baseline = e->options->baseline ? *e->options->baseline : retc_baseline_grey();
    if (e->options->every == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "paths take one run of samples of so many, at least one"));
    RETC_TRY(retc_refine_check(&e->options->refine));
    RETC_TRY(find_second(e));
    p->C0 = e->network->layer[0].C;
    p->C1 = e->network->layer[e->second].C;
    RETC_TRY(RETC_ALLOC(p->mean, p->targets * p->C0 * p->C1));
    RETC_TRY(RETC_ALLOC(p->size, p->targets * p->C0 * p->C1));
    RETC_TRY(RETC_ALLOC(p->residual, p->targets));
    RETC_TRY(RETC_ALLOC(p->error, p->targets));
    RETC_TRY(RETC_ALLOC(e->rows, p->targets));
    for (size_t j = 0; j < p->targets; ++j)
        e->rows[j] = p->C0 * p->C1;
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
        slot_clear(&e->slot[i], e->result->targets);
    retc_free(e->slot), retc_free(e->base), retc_free(e->rows);
}

/* ---- one block ------------------------------------------------------------------------------------------------------- */

static void
add_targets(const engine *e, slot_storage *s, const retc_tape *tape, size_t n, double share) {
    for (size_t j = 0; j < e->result->targets; ++j) {
        s->path.target = &e->target[j];
        for (size_t t = 0; t < n; ++t)
            s->change[j * tape->ld + t] += share * retc_path_target(&s->path, tape, t);
    }
}

static void
follow(const engine *e, slot_storage *s, const retc_path_line *line) {
    double share = 1 / (double)e->baseline.n;
    size_t ld = s->path.tape[1]->ld;
    retc_path_move(&s->path, line, 0, s->path.tape[1]);
    add_targets(e, s, s->path.tape[1], line->n, -share);
    retc_refine_begin(s->refine, line);
    add_targets(e, s, s->path.end, line->n, share);
    retc_refine_finish(s->refine, (float)share, s->pair);
    for (size_t t = 0; t < line->n; ++t) {
        size_t steps = retc_refine_steps(s->refine, t);
        s->steps[t] = steps > s->steps[t] ? steps : s->steps[t];
        for (size_t j = 0; j < e->result->targets; ++j)
            s->error[j * ld + t] = fmax(s->error[j * ld + t], retc_refine_error(s->refine, j, t));
    }
}

static int
work(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    engine *e = context;
    slot_storage *s = &e->slot[slot];
    const retc_pairs *p = e->result;
    s->path.tape[0] = tape;
    s->n = 0;
    for (size_t t = 0; t < block->n; ++t)
        if (retc_path_takes(block->sample + t, e->options->every))
            s->at[s->n++] = t;
    if (s->n == 0)
        return RETC_OK;
    for (size_t j = 0; j < p->targets; ++j)
        memset(s->pair[j], 0, e->rows[j] * tape->ld * sizeof(float));
    memset(s->change, 0, p->targets * tape->ld * sizeof(double));
    memset(s->error, 0, p->targets * tape->ld * sizeof(double));
    memset(s->steps, 0, s->n * sizeof *s->steps);
    for (size_t b = 0; b < e->baseline.n; ++b) {
        retc_path_line line = retc_line_make(&s->line, &e->baseline, e->base, b, tape, block, s->at, s->n);
        follow(e, s, &line);
    }
    return RETC_OK;
}

static int
consume(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    engine *e = context;
    const slot_storage *s = &e->slot[slot];
    retc_pairs *p = e->result;
    for (size_t t = 0; t < s->n; ++t) {
        double worst = 0;
        for (size_t j = 0; j < p->targets; ++j) {
            double sum = 0, error = s->error[j * tape->ld + t];
            for (size_t i = 0; i < e->rows[j]; ++i) {
                double pair = (double)s->pair[j][i * tape->ld + t];
                sum += pair;
                p->mean[j * e->rows[j] + i] += pair;
                p->size[j * e->rows[j] + i] += fabs(pair);
            }
            if (!isfinite(sum))
                return RETC_FAIL(RETC_ENUMBER,
                                 "paths are not finite near frame %zu: the model's parameters are damaged or too large",
                                 block->t0);
            p->residual[j] = fmax(p->residual[j], fabs(sum - s->change[j * tape->ld + t]));
            p->error[j] = fmax(p->error[j], error);
            worst = fmax(worst, error);
        }
        p->unconverged += worst > e->options->refine.tolerance;
        p->mean_steps += (double)s->steps[t];
    }
    p->samples += s->n;
    return RETC_OK;
}

int
retc_pairs_compute(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                   size_t targets, const retc_pairs_options *options, const retc_progress *progress, retc_pairs *result) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0;
    *result = (retc_pairs){.targets = targets};
    engine e = {.network = network, .target = target, .options = options, .result = result};
    retc_stream_options stream = {.block = options->block, .threads = options->threads, .gradients = 1};
    retc_stream_task task = {work, consume, &e};
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    RETC_TRY(engine_init(&e, &stream));
    stream.beside = retc_baseline_source(&e.baseline);
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &stream, &task, progress));
    for (size_t i = 0; i < targets * result->C0 * result->C1 && result->samples > 0; ++i) {
        result->mean[i] /= (double)result->samples;
        result->size[i] /= (double)result->samples;
    }
    if (result->samples > 0)
        result->mean_steps /= (double)result->samples;
done:
    engine_clear(&e);
    retc_free(spans);
    return status;
}

void
retc_pairs_clear(retc_pairs *p) {
    retc_free(p->mean), retc_free(p->size), retc_free(p->residual), retc_free(p->error);
    *p = (retc_pairs){0};
}

/* ---- in files -------------------------------------------------------------------------------------------------------- */

static int
write_pairs(const retc_pairs *p, const retc_network *network, const char *const *target_names,
            const retc_pairs_options *options, retc_h5 *file) {
    const size_t shape[3] = {p->targets, p->C0, p->C1};
    size_t *cut = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(cut, network->layers));
    (void)retc_network_cuts(network, cut);
    const char *const layers[2] = {network->layer[cut[0]].cut, network->layer[cut[1]].cut};
    RETC_TRY(retc_h5_put(file, "/pairs/mean", RETC_H5_DOUBLE, 3, shape, p->mean));
    RETC_TRY(retc_h5_put(file, "/pairs/size", RETC_H5_DOUBLE, 3, shape, p->size));
    RETC_TRY(retc_h5_put(file, "/pairs/residual", RETC_H5_DOUBLE, 1, shape, p->residual));
    RETC_TRY(retc_h5_put(file, "/pairs/error", RETC_H5_DOUBLE, 1, shape, p->error));
    RETC_TRY(retc_h5_put_texts(file, "/pairs/target_names", p->targets, target_names));
    RETC_TRY(retc_h5_put_texts(file, "/pairs/layer_names", 2, layers));
    RETC_TRY(retc_h5_set_int(file, "/pairs/mean", "samples", (int64_t)p->samples));
    RETC_TRY(retc_h5_set_int(file, "/pairs/mean", "every", (int64_t)options->every));
    RETC_TRY(retc_h5_set_number(file, "/pairs/mean", "mean_steps", p->mean_steps));
    RETC_TRY(retc_refine_write(&options->refine, p->unconverged, file, "/pairs/mean"));
done:
    retc_free(cut);
    return status;
}

int
retc_pairs_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                 const retc_pairs_options *options, retc_h5 *file, const retc_progress *progress, size_t *unconverged) {
    size_t targets = 1 + network->N;
    retc_target *all = NULL;
    const char **name = NULL;
    retc_pairs pairs = {0};
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(all, targets));
    RETC_TRY(RETC_ALLOC(name, targets));
    all[0] = *target;
    name[0] = retc_target_name(target);
    for (size_t j = 0; j < network->N; ++j) {
        RETC_TRY(retc_target_init(&all[1 + j], RETC_TARGET_CELL, network->N, j));
        name[1 + j] = network->cell_name[j];
    }
    RETC_TRY(retc_pairs_compute(network, recording, part, all, targets, options, progress, &pairs));
    RETC_TRY(write_pairs(&pairs, network, name, options, file));
    *unconverged += pairs.unconverged;
done:
    retc_free(all); /* a target of one cell holds nothing, and the first is the caller's */
    retc_free(name);
    retc_pairs_clear(&pairs);
    return status;
}
