/* The path integral by secants over equal steps, for circuits with adaptation or gain control. */
#include <string.h>

#include "circuit_explain.h"

/* One step, from level `from` to level `to`. */
typedef struct {
    const retc_circuit *circuit;
    const retc_local *local;
    const retc_level *from, *to;
    size_t j;
    double *slope;             /* (terminals) secants of the terminals */
    double *synapse, *bipolar; /* shares of the change of x */
} secants;

/* (f(x1) - f(x0)) / (x1 - x0) of rectification, and its slope where both are the same. */
static double
rectify_secant(double x0, double x1) {
    return x1 != x0 ? (retc_rectify(x1) - retc_rectify(x0)) / (x1 - x0) : x0 > 0;
}

static double
change(const secants *s, const double *from, const double *to, size_t row, size_t t) {
    size_t at = row * s->from->signals.stride + t;
    return to[at] - from[at];
}

/* What a terminal would be without its rectification. */
static double
before_rectification(const secants *s, const retc_level *level, size_t k, size_t t) {
    const retc_circuit *c = s->circuit;
    const retc_local *l = s->local;
    const retc_circuit_signals *signals = &level->signals;
    size_t u = l->terminal[k];
    double pre = signals->drive[u * signals->stride + t] - c->options.bipolar[c->bipolar[u].type].threshold;
    for (size_t i = 0; i < l->amacrines; ++i) {
        double w = l->presynaptic[k * l->amacrines + i];
        size_t v = l->amacrine[i];
        if (w != 0)
            pre -= w * retc_delayed(c, signals->amacrine + v * signals->stride, c->amacrine[v].type, t);
    }
    return pre;
}

/* Through amacrine cell i: its inhibition of the cell and of terminals, by what every bipolar cell gives to it. */
static void
add_through_amacrine(secants *s, size_t i, size_t t) {
    const retc_circuit *c = s->circuit;
    const retc_local *l = s->local;
    size_t v = l->amacrine[i], type = c->amacrine[v].type, stride = s->from->signals.stride, past = s->from->signals.past;
    double inhibition = l->m[i], threshold = c->options.amacrine[type].threshold;
    retc_delay delay = c->delay[type];
    for (size_t k = 0; k < l->terminals; ++k)
        inhibition += l->w[k] * s->slope[k] * l->presynaptic[k * l->amacrines + i];
    for (size_t tap = 0; tap < 2; ++tap) {
        double weight = tap ? delay.fraction : 1 - delay.fraction;
        size_t at = past + t - delay.frames - tap;
        if (weight == 0)
            continue;
        double q0 = (s->from->signals.amacrine_drive - past)[v * stride + at];
        double q1 = (s->to->signals.amacrine_drive - past)[v * stride + at];
        double effect = inhibition * weight * rectify_secant(q0 - threshold, q1 - threshold);
        for (size_t b = 0; effect != 0 && b < l->bipolars; ++b) {
            double feed = l->feed[i * l->bipolars + b];
            size_t e = (type * c->B + l->bipolar[b]) * stride + at;
            if (feed != 0)
                s->bipolar[b] -= effect * feed * (s->to->e[e] - s->from->e[e]);
        }
    }
}

/* Shares of all units in the change of x at time t. */
static void
share_input(secants *s, size_t t) {
    const retc_circuit *c = s->circuit;
    const retc_local *l = s->local;
    const retc_circuit_signals *from = &s->from->signals, *to = &s->to->signals;
    memset(s->bipolar, 0, l->bipolars * sizeof *s->bipolar);
    for (size_t k = 0; k < l->terminals; ++k) {
        s->slope[k] = rectify_secant(before_rectification(s, s->from, k, t), before_rectification(s, s->to, k, t));
        s->synapse[k] = l->w[k] * change(s, from->terminal, to->terminal, l->terminal[k], t);
        s->bipolar[l->own[k]] += l->w[k] * s->slope[k] * change(s, from->drive, to->drive, l->terminal[k], t);
    }
    for (size_t i = 0, at = l->terminals; i < l->amacrines; ++i) {
        size_t v = l->amacrine[i], type = c->amacrine[v].type;
        if (l->m[i] > 0)
            s->synapse[at++] = -l->m[i] * (retc_delayed(c, to->amacrine + v * to->stride, type, t) -
                                           retc_delayed(c, from->amacrine + v * from->stride, type, t));
        add_through_amacrine(s, i, t);
    }
}

/* Gain control and output over the step: change of r = on_x * change of x + on_v * change of v, and change of |x| = sign * that
 * of x. */
typedef struct {
    double on_x, on_v, sign;
} output_secants;

static output_secants
share_output(const secants *s, size_t t) {
    const retc_output *o = &s->circuit->output[s->j];
    const retc_circuit_signals *from = &s->from->signals, *to = &s->to->signals;
    size_t at = s->j * from->stride + t;
    double x0 = from->input[at], x1 = to->input[at];
    double g0 = 1 / (1 + o->control * from->control[at]), g1 = 1 / (1 + o->control * to->control[at]);
    double secant = retc_output_secant(o, x0 * g0, x1 * g1);
    return (output_secants){secant * (g0 + g1) / 2, -secant * (x0 + x1) / 2 * o->control * g0 * g1,
                            x1 != x0 ? (fabs(x1) - fabs(x0)) / (x1 - x0) : 0};
}

/* Add one step's contributions of `n` pairs at time t: dx are shares in the change of x, v lasting shares in that of v. */
static void
add_contributions(const output_secants *o, double leak, size_t n, const double *dx, double *v, double *out, size_t t) {
    for (size_t i = 0; i < n; ++i) {
        v[i] += leak * (o->sign * dx[i] - v[i]);
        out[i * RETC_CIRCUIT_CHUNK + t] += o->on_x * dx[i] + o->on_v * v[i];
    }
}

/* All steps of `stride` levels; `state` is the first of their lasting shares. */
static int
walk(retc_truth *truth, size_t j, size_t n, size_t stride, size_t state, double *const *result) {
    int status = RETC_OK;
    const retc_circuit *c = truth->circuit;
    const retc_local *l = &truth->local[j];
    double leak = retc_leak(c->options.gain_tau, c->dt), *block = NULL, *out[2];
    size_t pairs[2], first[2];
    for (int cut = 0; cut < 2; ++cut) {
        first[cut] = truth->pairs[cut].first[j];
        pairs[cut] = truth->pairs[cut].first[j + 1] - first[cut];
        out[cut] = result[cut] + first[cut] * RETC_CIRCUIT_CHUNK;
        memset(out[cut], 0, pairs[cut] * RETC_CIRCUIT_CHUNK * sizeof *out[cut]);
    }
    RETC_TRY(RETC_ALLOC(block, l->terminals + pairs[0] + pairs[1] + 1));
    for (size_t k = 0; k < truth->levels; k += stride, ++state) {
        secants s = {
            c, l, &truth->level[k], &truth->level[k + stride], j, block, block + l->terminals + pairs[0], block + l->terminals};
        for (size_t t = 0; t < n; ++t) {
            share_input(&s, t);
            output_secants o = share_output(&s, t);
            const double *dx[2] = {s.bipolar, s.synapse};
            for (int cut = 0; cut < 2; ++cut)
                add_contributions(&o, leak, pairs[cut], dx[cut],
                                  truth->control_state[cut] + state * truth->pairs[cut].n + first[cut], out[cut], t);
        }
    }

done:
    retc_free(block);
    return status;
}

int
retc_explain_steps(retc_truth *truth, size_t j, size_t n) {
    int status = RETC_OK;
    double *difference = truth->difference + 2 * j;
    RETC_TRY(walk(truth, j, n, 1, 0, truth->result));
    RETC_TRY(walk(truth, j, n, 2, truth->levels, truth->coarse));
    for (int cut = 0; cut < 2; ++cut) {
        size_t first = truth->pairs[cut].first[j] * RETC_CIRCUIT_CHUNK,
               stop = truth->pairs[cut].first[j + 1] * RETC_CIRCUIT_CHUNK;
        for (size_t i = first; i < stop; ++i)
            if (i % RETC_CIRCUIT_CHUNK < n)
                difference[0] = fmax(difference[0], fabs(truth->result[cut][i] - truth->coarse[cut][i]));
    }
    const retc_circuit_signals *s = &truth->level[truth->levels].signals;
    double grey = retc_output_rate(&truth->circuit->output[j], 0);
    for (size_t t = 0; t < n; ++t)
        difference[1] = fmax(difference[1], fabs(s->rate[j * s->stride + t] - grey));

done:
    return status;
}
