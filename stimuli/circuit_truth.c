/* Contributions and knock-outs: what is common to the closed form (circuit_path.c) and to steps (circuit_steps.c). */
#include "circuit_truth.h"

#include <string.h>

#include "circuit_explain.h"
#include "parallel.h"

enum { MOST_LEVELS = 256 };

/* ---- pairs ----------------------------------------------------------------------------------------------------------- */

static void
add_pair(retc_truth_pairs *pairs, size_t unit, size_t cell) {
    pairs->unit[pairs->n] = unit;
    pairs->cell[pairs->n] = cell;
    pairs->n += 1;
}

static int
pairs_init(retc_truth_pairs *pairs, size_t most, size_t cells) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(pairs->unit, most + 1));
    RETC_TRY(RETC_ALLOC(pairs->cell, most + 1));
    RETC_TRY(RETC_ALLOC(pairs->first, cells + 1));

done:
    return status;
}

/* bipolar: all bipolar cells; synapse: terminals, then amacrine cells on the cell; knock-out: bipolar, then all amacrine cells.
 */
static int
make_pairs(retc_truth *truth) {
    int status = RETC_OK;
    size_t N = truth->circuit->N, B = truth->circuit->B, most = 0;
    for (size_t j = 0; j < N; ++j)
        most += truth->local[j].bipolars + truth->local[j].amacrines;
    for (int cut = 0; cut < RETC_CUTS; ++cut)
        RETC_TRY(pairs_init(&truth->pairs[cut], most, N));
    for (size_t j = 0; j < N; ++j) {
        const retc_local *l = &truth->local[j];
        for (size_t i = 0; i < l->bipolars; ++i) {
            add_pair(&truth->pairs[RETC_CUT_BIPOLAR], l->bipolar[i], j);
            add_pair(&truth->pairs[RETC_CUT_KNOCKOUT], l->bipolar[i], j);
        }
        for (size_t i = 0; i < l->terminals; ++i)
            add_pair(&truth->pairs[RETC_CUT_SYNAPSE], l->terminal[i], j);
        for (size_t i = 0; i < l->amacrines; ++i) {
            if (l->m[i] > 0)
                add_pair(&truth->pairs[RETC_CUT_SYNAPSE], B + l->amacrine[i], j);
            add_pair(&truth->pairs[RETC_CUT_KNOCKOUT], B + l->amacrine[i], j);
        }
        for (int cut = 0; cut < RETC_CUTS; ++cut)
            truth->pairs[cut].first[j + 1] = truth->pairs[cut].n;
    }

done:
    return status;
}

/* ---- levels ---------------------------------------------------------------------------------------------------------- */

static void
level_reset(const retc_circuit *c, retc_level *level) {
    retc_circuit_reset(level->state);
    level->signals = retc_circuit_signals_of(level->state);
    memset(level->e_state, 0, (RETC_AMACRINE_TYPES * c->B + 1) * sizeof *level->e_state);
    memset(level->e, 0, (RETC_AMACRINE_TYPES * c->B * level->signals.stride + 1) * sizeof *level->e);
    level->n = 0;
}

static int
level_init(const retc_circuit *c, retc_level *level) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(level->state = retc_circuit_state_alloc(c)));
    level->signals = retc_circuit_signals_of(level->state);
    RETC_TRY(RETC_ALLOC(level->e_state, RETC_AMACRINE_TYPES * c->B + 1));
    RETC_TRY(RETC_ALLOC(level->e, RETC_AMACRINE_TYPES * c->B * level->signals.stride + 1));
    level_reset(c, level);

done:
    return status;
}

static void
level_clear(retc_level *level) {
    retc_circuit_state_free(level->state);
    retc_free(level->e_state);
    retc_free(level->e);
}

/* Play a level, and let every bipolar cell's rectified drive through the integrators of the amacrine types that it feeds. */
static void
level_step(const retc_circuit *c, retc_level *level, const float *frames, size_t n, double contrast, size_t threads) {
    retc_circuit_step(level->state, frames, n, contrast, threads);
    level->signals = retc_circuit_signals_of(level->state);
    size_t stride = level->signals.stride, past = level->signals.past;
    for (size_t type = 0; type < RETC_AMACRINE_TYPES; ++type) {
        double k = retc_leak(c->options.amacrine[type].tau, c->dt);
        for (size_t u = 0; u < c->B; ++u) {
            if (c->bipolar[u].type != c->options.amacrine[type].bipolar)
                continue;
            double *row = level->e + (type * c->B + u) * stride;
            const double *d = level->signals.drive + u * stride;
            memmove(row, row + level->n, past * sizeof *row);
            for (size_t t = 0; t < n; ++t)
                row[past + t] = retc_rectify(d[t]);
            retc_leak_series(k, level->e_state + type * c->B + u, row + past, n);
        }
    }
    level->n = n;
}

/* ---- knock-outs ------------------------------------------------------------------------------------------------------ */

/* What the cell's input would be when amacrine cells released delta[i] more and bipolar cell `silent` had no drive. */
static double
altered_input(const retc_truth *truth, const retc_local *l, const retc_circuit_signals *s, const double *delta, size_t silent,
              size_t j, size_t t) {
    const retc_circuit *c = truth->circuit;
    double x = s->input[j * s->stride + t];
    for (size_t i = 0; i < l->amacrines; ++i)
        x -= l->m[i] * delta[i];
    for (size_t k = 0; k < l->terminals; ++k) {
        size_t u = l->terminal[k];
        const double *p = l->presynaptic + k * l->amacrines;
        double less = 0, all = 0;
        for (size_t i = 0; i < l->amacrines; ++i)
            less += p[i] * delta[i];
        if (less == 0 && l->own[k] != silent)
            continue;
        for (size_t i = 0; i < l->amacrines; ++i)
            all += p[i] != 0
                       ? p[i] * retc_delayed(c, s->amacrine + l->amacrine[i] * s->stride, c->amacrine[l->amacrine[i]].type, t)
                       : 0;
        double d = l->own[k] == silent ? 0 : s->drive[u * s->stride + t];
        double release = retc_rectify(d - c->options.bipolar[c->bipolar[u].type].threshold - all - less);
        x += l->w[k] * (release - s->terminal[u * s->stride + t]);
    }
    return x;
}

/* Change of the delayed release of amacrine cell i when bipolar cell b has no drive. */
static double
change_without(const retc_truth *truth, const retc_level *level, const retc_local *l, size_t i, size_t b, size_t t) {
    const retc_circuit *c = truth->circuit;
    const retc_circuit_signals *s = &level->signals;
    size_t v = l->amacrine[i], type = c->amacrine[v].type;
    double feed = l->feed[i * l->bipolars + b], threshold = c->options.amacrine[type].threshold, change = 0;
    retc_delay delay = c->delay[type];
    if (feed == 0)
        return 0;
    for (size_t tap = 0; tap < 2; ++tap) {
        double weight = tap ? delay.fraction : 1 - delay.fraction;
        if (weight == 0)
            continue;
        size_t at = s->past + t - delay.frames - tap; /* of rows that begin `past` frames earlier */
        double q = (s->amacrine_drive - s->past)[v * s->stride + at], a = (s->amacrine - s->past)[v * s->stride + at];
        double e = level->e[(type * c->B + l->bipolar[b]) * s->stride + at];
        change += weight * (retc_rectify(q - feed * e - threshold) - a);
    }
    return change;
}

static void
knock_out(retc_truth *truth, size_t j, size_t n, double *delta) {
    const retc_circuit *c = truth->circuit;
    const retc_local *l = &truth->local[j];
    const retc_level *level = &truth->level[truth->levels];
    const retc_circuit_signals *s = &level->signals;
    const retc_output *output = &c->output[j];
    double k = retc_leak(c->options.gain_tau, c->dt);
    for (size_t pair = 0; pair < l->bipolars + l->amacrines; ++pair) {
        size_t at = truth->pairs[RETC_CUT_KNOCKOUT].first[j] + pair;
        double *out = truth->result[RETC_CUT_KNOCKOUT] + at * RETC_CIRCUIT_CHUNK, *v = truth->knockout_state + at;
        int is_bipolar = pair < l->bipolars;
        memset(delta, 0, (l->amacrines + 1) * sizeof *delta);
        for (size_t t = 0; t < n; ++t) {
            for (size_t i = 0; is_bipolar && i < l->amacrines; ++i)
                delta[i] = change_without(truth, level, l, i, pair, t);
            if (!is_bipolar) {
                size_t i = pair - l->bipolars, type = c->amacrine[l->amacrine[i]].type;
                delta[i] = retc_rectify(-c->options.amacrine[type].threshold) -
                           retc_delayed(c, s->amacrine + l->amacrine[i] * s->stride, type, t);
            }
            double x = altered_input(truth, l, s, delta, is_bipolar ? pair : l->bipolars, j, t);
            *v += k * (fabs(x) - *v);
            out[t] = s->rate[j * s->stride + t] - retc_output_rate(output, x / (1 + output->control * *v));
        }
    }
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

int
retc_truth_is_exact(const retc_circuit *circuit) {
    return !circuit->options.photoreceptor.adaptation && circuit->options.gain_strength == 0;
}

static int
alloc_results(retc_truth *truth) {
    int status = RETC_OK;
    for (int cut = 0; cut < RETC_CUTS; ++cut)
        RETC_TRY(RETC_ALLOC(truth->result[cut], truth->pairs[cut].n * RETC_CIRCUIT_CHUNK + 1));
    RETC_TRY(RETC_ALLOC(truth->knockout_state, truth->pairs[RETC_CUT_KNOCKOUT].n + 1));
    for (int cut = 0; truth->levels && cut < RETC_CUT_KNOCKOUT; ++cut) {
        RETC_TRY(RETC_ALLOC(truth->coarse[cut], truth->pairs[cut].n * RETC_CIRCUIT_CHUNK + 1));
        /* One state per pair and step of all levels, then of half of them. */
        RETC_TRY(RETC_ALLOC(truth->control_state[cut], truth->pairs[cut].n * (truth->levels + truth->levels / 2) + 1));
    }
    RETC_TRY(RETC_ALLOC(truth->difference, 2 * truth->circuit->N));

done:
    return status;
}

retc_truth *
retc_truth_alloc(const retc_circuit *circuit, size_t levels) {
    int status = RETC_OK;
    retc_truth *truth = NULL;
    if (levels == 0 && !retc_truth_is_exact(circuit))
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "with adaptation or gain control contributions have no closed form; give a number of levels"));
    if (levels % 2 != 0 || levels > MOST_LEVELS)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%zu levels: expected an even number up to %d", levels, MOST_LEVELS));
    RETC_TRY(RETC_ALLOC(truth, 1));
    truth->circuit = circuit;
    truth->levels = levels;
    RETC_TRY(RETC_ALLOC(truth->local, circuit->N));
    for (size_t j = 0; j < circuit->N; ++j)
        RETC_TRY(retc_local_init(&truth->local[j], circuit, j));
    RETC_TRY(make_pairs(truth));
    RETC_TRY(RETC_ALLOC(truth->level, levels + 1));
    for (size_t k = 0; k <= levels; ++k)
        RETC_TRY(level_init(circuit, &truth->level[k]));
    RETC_TRY(alloc_results(truth));

done:
    if (status < 0) {
        retc_truth_free(truth);
        return NULL;
    }
    return truth;
}

void
retc_truth_free(retc_truth *truth) {
    if (!truth)
        return;
    for (size_t j = 0; truth->local && j < truth->circuit->N; ++j)
        retc_local_clear(&truth->local[j]);
    for (size_t k = 0; truth->level && k <= truth->levels; ++k)
        level_clear(&truth->level[k]);
    for (int cut = 0; cut < RETC_CUTS; ++cut) {
        retc_free(truth->pairs[cut].unit), retc_free(truth->pairs[cut].cell), retc_free(truth->pairs[cut].first);
        retc_free(truth->result[cut]);
    }
    for (int cut = 0; cut < RETC_CUT_KNOCKOUT; ++cut)
        retc_free(truth->coarse[cut]), retc_free(truth->control_state[cut]);
    retc_free(truth->local), retc_free(truth->level), retc_free(truth->knockout_state), retc_free(truth->difference);
    retc_free(truth);
}

void
retc_truth_reset(retc_truth *truth) {
    for (size_t k = 0; k <= truth->levels; ++k)
        level_reset(truth->circuit, &truth->level[k]);
    memset(truth->knockout_state, 0, truth->pairs[RETC_CUT_KNOCKOUT].n * sizeof *truth->knockout_state);
    for (int cut = 0; truth->levels && cut < RETC_CUT_KNOCKOUT; ++cut)
        memset(truth->control_state[cut], 0,
               truth->pairs[cut].n * (truth->levels + truth->levels / 2) * sizeof *truth->control_state[cut]);
}

typedef struct {
    retc_truth *truth;
    size_t n;
} explanation;

static int
explain_cell(void *context, size_t j) {
    const explanation *e = context;
    retc_truth *truth = e->truth;
    double *delta = NULL;
    int status = RETC_ALLOC(delta, truth->local[j].amacrines + 1);
    if (status == RETC_OK)
        status = truth->levels ? retc_explain_steps(truth, j, e->n) : retc_explain_path(truth, j, e->n);
    if (status == RETC_OK)
        knock_out(truth, j, e->n, delta);
    retc_free(delta);
    return status;
}

int
retc_truth_step(retc_truth *truth, const float *frames, size_t n, size_t threads) {
    explanation e = {truth, n};
    for (size_t k = 0; k <= truth->levels; ++k)
        level_step(truth->circuit, &truth->level[k], frames, n, truth->levels ? (double)k / (double)truth->levels : 1, threads);
    return retc_parallel_for(truth->circuit->N, threads, explain_cell, &e);
}

const retc_truth_pairs *
retc_truth_pairs_of(const retc_truth *truth, retc_truth_cut cut) {
    return &truth->pairs[cut];
}

const double *
retc_truth_of(const retc_truth *truth, retc_truth_cut cut) {
    return truth->result[cut];
}

retc_circuit_signals
retc_truth_signals(const retc_truth *truth) {
    return truth->level[truth->levels].signals;
}

void
retc_truth_convergence(const retc_truth *truth, double *difference, double *scale) {
    *difference = *scale = 0;
    for (size_t j = 0; j < truth->circuit->N; ++j) {
        *difference = fmax(*difference, truth->difference[2 * j]);
        *scale = fmax(*scale, truth->difference[2 * j + 1]);
    }
}
