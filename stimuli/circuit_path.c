/* The path integral in closed form, where every signal is piecewise linear in alpha. */
#include <stdlib.h>
#include <string.h>

#include "circuit_explain.h"

/* One delayed reading of an amacrine cell's drive: weight * max(0, alpha q - threshold). */
typedef struct {
    size_t amacrine, at; /* in the local circuit; in rows that begin `past` frames before the step */
    double q, threshold, weight;
    double effect; /* integral over alpha of dr/d(its share) where it is open */
} reading;

/* One cell at one time. */
typedef struct {
    const retc_circuit *circuit;
    const retc_local *local;
    size_t readings, bends, most;
    reading *reading;          /* (2 amacrines) */
    double *drive, *threshold; /* (terminals) at alpha = 1 */
    double *alpha;             /* (most) bends, sorted, from 0 to 1 */
    double *release;           /* (amacrines,most) delayed, at every bend */
    double *pre;               /* (terminals,most) terminals before rectification */
    double *input;             /* (most) x */
    double *bipolar;           /* (terminals) integral of dr/d(drive) through the cell's own terminal */
    double *block;             /* all of the above */
} path;

static int
path_init(path *p, const retc_circuit *circuit, const retc_local *l) {
    int status = RETC_OK;
    size_t first = 2 * l->amacrines + 2;
    *p = (path){.circuit = circuit, .local = l, .most = first + l->terminals * first};
    RETC_TRY(RETC_ALLOC(p->reading, 2 * l->amacrines + 1));
    RETC_TRY(RETC_ALLOC(p->block, p->most * (2 + l->amacrines + l->terminals) + 3 * l->terminals + 1));
    p->alpha = p->block, p->input = p->alpha + p->most;
    p->release = p->input + p->most, p->pre = p->release + l->amacrines * p->most;
    p->drive = p->pre + l->terminals * p->most, p->threshold = p->drive + l->terminals,
    p->bipolar = p->threshold + l->terminals;

done:
    return status;
}

static void
path_clear(path *p) {
    retc_free(p->reading);
    retc_free(p->block);
}

static void
look_up(path *p, const retc_level *level, size_t t) {
    const retc_circuit *c = p->circuit;
    const retc_local *l = p->local;
    const retc_circuit_signals *s = &level->signals;
    p->readings = 0;
    for (size_t i = 0; i < l->amacrines; ++i) {
        size_t v = l->amacrine[i], type = c->amacrine[v].type;
        retc_delay delay = c->delay[type];
        for (size_t tap = 0; tap < 2; ++tap) {
            double weight = tap ? delay.fraction : 1 - delay.fraction;
            size_t at = s->past + t - delay.frames - tap;
            if (weight > 0)
                p->reading[p->readings++] = (reading){
                    i, at, (s->amacrine_drive - s->past)[v * s->stride + at], c->options.amacrine[type].threshold, weight, 0};
        }
    }
    for (size_t k = 0; k < l->terminals; ++k) {
        p->drive[k] = s->drive[l->terminal[k] * s->stride + t];
        p->threshold[k] = c->options.bipolar[c->bipolar[l->terminal[k]].type].threshold;
    }
}

static int
compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
evaluate(path *p) {
    const retc_local *l = p->local;
    memset(p->release, 0, l->amacrines * p->most * sizeof *p->release);
    for (size_t r = 0; r < p->readings; ++r) {
        const reading *at = &p->reading[r];
        double *release = p->release + at->amacrine * p->most;
        for (size_t g = 0; g < p->bends; ++g)
            release[g] += at->weight * retc_rectify(p->alpha[g] * at->q - at->threshold);
    }
    for (size_t k = 0; k < l->terminals; ++k) {
        double *pre = p->pre + k * p->most;
        for (size_t g = 0; g < p->bends; ++g)
            pre[g] = p->alpha[g] * p->drive[k] - p->threshold[k];
        for (size_t i = 0; i < l->amacrines; ++i) {
            double w = l->presynaptic[k * l->amacrines + i];
            for (size_t g = 0; w != 0 && g < p->bends; ++g)
                pre[g] -= w * p->release[i * p->most + g];
        }
    }
}

/* Between the bends of the amacrine cells, terminals are linear up to their own bend. */
static void
find_bends(path *p) {
    p->bends = 0;
    p->alpha[p->bends++] = 0;
    p->alpha[p->bends++] = 1;
    for (size_t r = 0; r < p->readings; ++r)
        if (p->reading[r].threshold > 0 && p->reading[r].q > p->reading[r].threshold)
            p->alpha[p->bends++] = p->reading[r].threshold / p->reading[r].q;
    qsort(p->alpha, p->bends, sizeof *p->alpha, compare);
    evaluate(p);
    size_t first = p->bends;
    for (size_t k = 0; k < p->local->terminals; ++k) {
        const double *pre = p->pre + k * p->most;
        for (size_t g = 0; g + 1 < first; ++g)
            if ((pre[g] < 0) != (pre[g + 1] < 0) && pre[g] != 0 && pre[g + 1] != 0)
                p->alpha[p->bends++] = p->alpha[g] + (p->alpha[g + 1] - p->alpha[g]) * pre[g] / (pre[g] - pre[g + 1]);
    }
    if (p->bends > first) {
        qsort(p->alpha, p->bends, sizeof *p->alpha, compare);
        evaluate(p);
    }
}

static void
sum_inputs(path *p, double grey) {
    const retc_local *l = p->local;
    for (size_t g = 0; g < p->bends; ++g)
        p->input[g] = -grey;
    for (size_t k = 0; k < l->terminals; ++k)
        for (size_t g = 0; g < p->bends; ++g)
            p->input[g] += l->w[k] * retc_rectify(p->pre[k * p->most + g]);
    for (size_t i = 0; i < l->amacrines; ++i)
        for (size_t g = 0; l->m[i] != 0 && g < p->bends; ++g)
            p->input[g] -= l->m[i] * p->release[i * p->most + g];
}

/* Add the segment from bend g to the next one: shares of synapses (terminals, then amacrine cells on the cell) go out at once,
 * those of bipolar cells are kept as effects of terminals and readings. */
static void
add_segment(path *p, const retc_output *output, size_t g, double *synapse) {
    const retc_local *l = p->local;
    double length = p->alpha[g + 1] - p->alpha[g], middle = (p->alpha[g + 1] + p->alpha[g]) / 2;
    if (!(length > 0))
        return;
    double secant = retc_output_secant(output, p->input[g], p->input[g + 1]);
    for (size_t k = 0; k < l->terminals; ++k) {
        const double *pre = p->pre + k * p->most + g;
        synapse[k] += secant * l->w[k] * (retc_rectify(pre[1]) - retc_rectify(pre[0]));
        if (pre[0] + pre[1] > 0)
            p->bipolar[k] += secant * l->w[k] * length;
    }
    for (size_t i = 0, at = l->terminals; i < l->amacrines; ++i)
        if (l->m[i] > 0)
            synapse[at++] -= secant * l->m[i] * (p->release[i * p->most + g + 1] - p->release[i * p->most + g]);
    for (size_t r = 0; r < p->readings; ++r) {
        reading *reads = &p->reading[r];
        if (!(middle * reads->q > reads->threshold))
            continue;
        double inhibition = l->m[reads->amacrine];
        for (size_t k = 0; k < l->terminals; ++k)
            if (p->pre[k * p->most + g] + p->pre[k * p->most + g + 1] > 0)
                inhibition += l->w[k] * l->presynaptic[k * l->amacrines + reads->amacrine];
        reads->effect -= secant * inhibition * reads->weight * length;
    }
}

int
retc_explain_path(retc_truth *truth, size_t j, size_t n) {
    int status = RETC_OK;
    const retc_circuit *c = truth->circuit;
    const retc_local *l = &truth->local[j];
    const retc_level *level = &truth->level[0];
    size_t stride = level->signals.stride,
           synapses = truth->pairs[RETC_CUT_SYNAPSE].first[j + 1] - truth->pairs[RETC_CUT_SYNAPSE].first[j];
    double *bipolar = truth->result[RETC_CUT_BIPOLAR] + truth->pairs[RETC_CUT_BIPOLAR].first[j] * RETC_CIRCUIT_CHUNK;
    double *synapse = truth->result[RETC_CUT_SYNAPSE] + truth->pairs[RETC_CUT_SYNAPSE].first[j] * RETC_CIRCUIT_CHUNK,
           *sum = NULL;
    path p = {0};
    RETC_TRY(path_init(&p, c, l));
    RETC_TRY(RETC_ALLOC(sum, synapses + l->bipolars + 1));
    for (size_t t = 0; t < n; ++t) {
        look_up(&p, level, t);
        find_bends(&p);
        sum_inputs(&p, c->grey[j]);
        memset(sum, 0, (synapses + l->bipolars) * sizeof *sum);
        memset(p.bipolar, 0, l->terminals * sizeof *p.bipolar);
        for (size_t g = 0; g + 1 < p.bends; ++g)
            add_segment(&p, &c->output[j], g, sum);
        for (size_t k = 0; k < l->terminals; ++k)
            sum[synapses + l->own[k]] += p.bipolar[k] * p.drive[k];
        for (size_t r = 0; r < p.readings; ++r) {
            const reading *reads = &p.reading[r];
            const double *feed = l->feed + reads->amacrine * l->bipolars;
            size_t type = c->amacrine[l->amacrine[reads->amacrine]].type;
            for (size_t b = 0; reads->effect != 0 && b < l->bipolars; ++b)
                if (feed[b] != 0)
                    sum[synapses + b] += reads->effect * feed[b] * level->e[(type * c->B + l->bipolar[b]) * stride + reads->at];
        }
        for (size_t i = 0; i < synapses; ++i)
            synapse[i * RETC_CIRCUIT_CHUNK + t] = sum[i];
        for (size_t b = 0; b < l->bipolars; ++b)
            bipolar[b * RETC_CIRCUIT_CHUNK + t] = sum[synapses + b];
    }

done:
    path_clear(&p);
    retc_free(sum);
    return status;
}
