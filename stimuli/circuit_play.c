/* Playing movies to the simulated retina: filters, signals and rates, a chunk of frames at a time.  Photoreceptors go through
 * time pixel by pixel, eight pixels side by side; everything behind them is stored with time innermost. */
#include <math.h>
#include <string.h>

#include "circuit_data.h"
#include "circuit_state.h"
#include "parallel.h"
#include "rng.h"
#include "rows.h"
#include "stimulus_file.h"

enum { LANES = 8, TILES_IN_TASK = 8, MOST_STAGES = 8 };

/* Frames from row to row: not a power of two, so that the rows that one sum reads do not compete for the same cache lines. */
enum { CHUNK = RETC_CIRCUIT_CHUNK, STRIDE = CHUNK + 8 };

#define MOST_HISTORY ((size_t)1000)
#define HISTORY_ENERGY 1e-4

/* ---- series ---------------------------------------------------------------------------------------------------------- */

void
retc_leak_series(double k, double *state, double *x, size_t n) {
    double y = *state;
    for (size_t t = 0; t < n; ++t)
        x[t] = y += k * (x[t] - y);
    *state = y;
}

void
retc_bipolar_filter_series(const retc_bipolar_options *type, double dt, double gain, double *state, double *x, size_t n) {
    double k = retc_leak(type->tau, dt), slow = retc_leak(type->tau_adapt, dt), b = state[0], m = state[1];
    for (size_t t = 0; t < n; ++t) {
        b += k * (x[t] - b);
        m += slow * (b - m);
        x[t] = gain * (b - type->transience * m);
    }
    state[0] = b, state[1] = m;
}

/* ---- photoreceptors -------------------------------------------------------------------------------------------------- */

typedef struct {
    double ky, kz, gamma, beta, weight;
    size_t n_y, n_z;
    int adaptation;
} receptor;

static receptor
receptor_of(const retc_photoreceptor_options *o, double dt) {
    return (receptor){
        retc_leak(o->tau_y, dt), retc_leak(o->tau_z, dt), o->gamma, o->beta, o->beta / (1 + o->beta), o->n_y, o->n_z,
        o->adaptation != 0};
}

/* One frame of LANES pixels: integrators y (n_y), z (n_z), contrasts x of the frame before; p is the response. */
static inline void
receptor_step(const receptor *r, double (*y)[LANES], double (*z)[LANES], const double *x, double *p) {
    for (size_t s = 0; s < r->n_y; ++s) {
        const double *in = s ? y[s - 1] : x;
        for (size_t i = 0; i < LANES; ++i)
            y[s][i] += r->ky * (in[i] - y[s][i]);
    }
    for (size_t s = 0; s < r->n_z; ++s) {
        const double *in = s ? z[s - 1] : x;
        for (size_t i = 0; i < LANES; ++i)
            z[s][i] += r->kz * (in[i] - z[s][i]);
    }
    const double *fast = y[r->n_y - 1], *late = z[r->n_z - 1];
    double slow[LANES];
    for (size_t i = 0; i < LANES; ++i)
        slow[i] = r->gamma * fast[i] + (1 - r->gamma) * late[i];
    if (r->adaptation) {
        for (size_t i = 0; i < LANES; ++i)
            p[i] = (1 + fast[i]) * (1 + r->beta) / (1 + r->beta * (1 + slow[i])) - 1;
    } else {
        for (size_t i = 0; i < LANES; ++i)
            p[i] = fast[i] - r->weight * slow[i];
    }
}

/* What the tasks of one step share. */
typedef struct {
    const retc_circuit *circuit;
    retc_circuit_state *state;
    const float *frames;
    size_t n;
    double contrast;
} step;

static void
play_pixels(const step *s, const receptor *r, size_t first, size_t count) {
    retc_circuit_state *state = s->state;
    size_t pixels = state->pixels;
    double y[MOST_STAGES][LANES] = {{0}}, z[MOST_STAGES][LANES] = {{0}}, x[LANES] = {0}, p[LANES];
    double *before = state->stage + (r->n_y + r->n_z) * pixels + first, *out = state->photoreceptor + first * STRIDE;
    double scale = s->contrast / RETC_MEAN_GREY;
    for (size_t i = 0; i < count; ++i) {
        for (size_t k = 0; k < r->n_y; ++k)
            y[k][i] = state->stage[k * pixels + first + i];
        for (size_t k = 0; k < r->n_z; ++k)
            z[k][i] = state->stage[(r->n_y + k) * pixels + first + i];
        x[i] = before[i];
    }
    for (size_t t = 0; t < s->n; ++t) {
        const float *grey = s->frames + t * pixels + first;
        receptor_step(r, y, z, x, p);
        for (size_t i = 0; i < count; ++i) {
            out[i * STRIDE + t] = p[i];
            x[i] = ((double)grey[i] - RETC_MEAN_GREY) * scale;
        }
    }
    for (size_t i = 0; i < count; ++i) {
        for (size_t k = 0; k < r->n_y; ++k)
            state->stage[k * pixels + first + i] = y[k][i];
        for (size_t k = 0; k < r->n_z; ++k)
            state->stage[(r->n_y + k) * pixels + first + i] = z[k][i];
        before[i] = x[i];
    }
}

static int
photoreceptor_task(void *context, size_t task) {
    const step *s = context;
    receptor r = receptor_of(&s->circuit->options.photoreceptor, s->circuit->dt);
    size_t pixels = s->state->pixels, first = task * TILES_IN_TASK * LANES, stop = first + TILES_IN_TASK * LANES;
    for (stop = stop < pixels ? stop : pixels; first < stop; first += LANES)
        play_pixels(s, &r, first, stop - first < LANES ? stop - first : LANES);
    return RETC_OK;
}

/* ---- behind them ----------------------------------------------------------------------------------------------------- */

static int
bipolar_task(void *context, size_t u) {
    const step *s = context;
    const retc_circuit *c = s->circuit;
    retc_circuit_state *state = s->state;
    size_t type = c->bipolar[u].type;
    double *row = state->drive + u * state->stride + state->past;
    size_t first = c->pixels.first[u], whole = (s->n + RETC_ROW_TILE - 1) / RETC_ROW_TILE * RETC_ROW_TILE;
    retc_row_pool(c->pixels.first[u + 1] - first, c->pixels.weight + first, c->pixels.source + first, state->photoreceptor,
                  STRIDE, whole, row);
    retc_bipolar_filter_series(&c->options.bipolar[type], c->dt, c->bipolar_gain[type], state->bipolar_state + 2 * u, row,
                               s->n);
    return RETC_OK;
}

static int
amacrine_task(void *context, size_t v) {
    const step *s = context;
    const retc_circuit *c = s->circuit;
    retc_circuit_state *state = s->state;
    size_t type = c->amacrine[v].type;
    const retc_amacrine_options *o = &c->options.amacrine[type];
    double *q = state->q + v * state->stride + state->past, *a = state->a + v * state->stride + state->past;
    memset(q, 0, s->n * sizeof *q);
    for (size_t k = c->bipolar_to_amacrine.first[v]; k < c->bipolar_to_amacrine.first[v + 1]; ++k) {
        const double *d = state->drive + c->bipolar_to_amacrine.source[k] * state->stride + state->past;
        double w = c->amacrine_gain[type] * c->bipolar_to_amacrine.weight[k];
        for (size_t t = 0; t < s->n; ++t)
            q[t] += w * retc_rectify(d[t]);
    }
    retc_leak_series(retc_leak(o->tau, c->dt), state->amacrine_state + v, q, s->n);
    for (size_t t = 0; t < s->n; ++t)
        a[t] = retc_rectify(q[t] - o->threshold);
    return RETC_OK;
}

/* out (n) -= weighted sum of delayed amacrine signals. */
static void
subtract_amacrines(const step *s, const retc_wires *wires, size_t target, double *out) {
    const retc_circuit *c = s->circuit;
    for (size_t k = wires->first[target]; k < wires->first[target + 1]; ++k) {
        size_t v = wires->source[k];
        retc_delay delay = c->delay[c->amacrine[v].type];
        const double *a = s->state->a + v * s->state->stride + s->state->past - delay.frames;
        double now = wires->weight[k] * (1 - delay.fraction), before = wires->weight[k] * delay.fraction;
        if (delay.fraction > 0)
            for (size_t t = 0; t < s->n; ++t)
                out[t] -= now * a[t] + before * (a - 1)[t];
        else
            for (size_t t = 0; t < s->n; ++t)
                out[t] -= now * a[t];
    }
}

static int
terminal_task(void *context, size_t u) {
    const step *s = context;
    const retc_circuit *c = s->circuit;
    size_t at = u * s->state->stride + s->state->past;
    double *release = s->state->terminal + at, threshold = c->options.bipolar[c->bipolar[u].type].threshold;
    for (size_t t = 0; t < s->n; ++t)
        release[t] = s->state->drive[at + t] - threshold;
    subtract_amacrines(s, &c->amacrine_to_bipolar, u, release);
    for (size_t t = 0; t < s->n; ++t)
        release[t] = retc_rectify(release[t]);
    return RETC_OK;
}

static int
cell_task(void *context, size_t j) {
    const step *s = context;
    const retc_circuit *c = s->circuit;
    retc_circuit_state *state = s->state;
    const retc_output *output = &c->output[j];
    size_t at = j * state->stride + state->past;
    double *x = state->x + at, *v = state->v + at, *rate = state->rate + at;
    for (size_t t = 0; t < s->n; ++t)
        x[t] = -c->grey[j];
    for (size_t k = c->bipolar_to_cell.first[j]; k < c->bipolar_to_cell.first[j + 1]; ++k) {
        const double *release = state->terminal + c->bipolar_to_cell.source[k] * state->stride + state->past;
        for (size_t t = 0; t < s->n; ++t)
            x[t] += c->bipolar_to_cell.weight[k] * release[t];
    }
    subtract_amacrines(s, &c->amacrine_to_cell, j, x);
    for (size_t t = 0; t < s->n; ++t)
        v[t] = fabs(x[t]);
    retc_leak_series(retc_leak(c->options.gain_tau, c->dt), state->control_state + j, v, s->n);
    for (size_t t = 0; t < s->n; ++t)
        rate[t] = retc_output_rate(output, x[t] / (1 + output->control * v[t]));
    return RETC_OK;
}

/* ---- states ---------------------------------------------------------------------------------------------------------- */

retc_circuit_state *
retc_circuit_state_alloc(const retc_circuit *circuit) {
    int status = RETC_OK;
    const retc_photoreceptor_options *o = &circuit->options.photoreceptor;
    retc_circuit_state *state = NULL;
    RETC_TRY(RETC_ALLOC(state, 1));
    state->circuit = circuit;
    state->pixels = circuit->height * circuit->width;
    state->past = circuit->past;
    state->stride = STRIDE + circuit->past;
    RETC_TRY(RETC_ALLOC(state->stage, (o->n_y + o->n_z + 1) * state->pixels));
    RETC_TRY(RETC_ALLOC(state->photoreceptor, state->pixels * STRIDE));
    RETC_TRY(RETC_ALLOC(state->bipolar_state, 2 * circuit->B + 1));
    RETC_TRY(RETC_ALLOC(state->amacrine_state, circuit->V + 1));
    RETC_TRY(RETC_ALLOC(state->control_state, circuit->N));
    RETC_TRY(RETC_ALLOC(state->drive, circuit->B * state->stride + 1));
    RETC_TRY(RETC_ALLOC(state->terminal, circuit->B * state->stride + 1));
    RETC_TRY(RETC_ALLOC(state->q, circuit->V * state->stride + 1));
    RETC_TRY(RETC_ALLOC(state->a, circuit->V * state->stride + 1));
    RETC_TRY(RETC_ALLOC(state->x, circuit->N * state->stride));
    RETC_TRY(RETC_ALLOC(state->v, circuit->N * state->stride));
    RETC_TRY(RETC_ALLOC(state->rate, circuit->N * state->stride));
    retc_circuit_reset(state);

done:
    if (status < 0) {
        retc_circuit_state_free(state);
        return NULL;
    }
    return state;
}

void
retc_circuit_state_free(retc_circuit_state *state) {
    if (!state)
        return;
    retc_free(state->stage), retc_free(state->photoreceptor), retc_free(state->bipolar_state);
    retc_free(state->amacrine_state), retc_free(state->control_state);
    retc_free(state->drive), retc_free(state->terminal), retc_free(state->q), retc_free(state->a);
    retc_free(state->x), retc_free(state->v), retc_free(state->rate);
    retc_free(state);
}

void
retc_circuit_reset(retc_circuit_state *state) {
    const retc_circuit *c = state->circuit;
    const retc_photoreceptor_options *o = &c->options.photoreceptor;
    memset(state->stage, 0, (o->n_y + o->n_z + 1) * state->pixels * sizeof *state->stage);
    memset(state->bipolar_state, 0, 2 * c->B * sizeof *state->bipolar_state);
    memset(state->amacrine_state, 0, c->V * sizeof *state->amacrine_state);
    memset(state->control_state, 0, c->N * sizeof *state->control_state);
    memset(state->drive, 0, c->B * state->stride * sizeof *state->drive);
    memset(state->q, 0, c->V * state->stride * sizeof *state->q);
    for (size_t v = 0; v < c->V; ++v)
        for (size_t t = 0; t < state->stride; ++t)
            state->a[v * state->stride + t] = retc_rectify(-c->options.amacrine[c->amacrine[v].type].threshold);
    state->n = 0;
}

/* Put the frames before the next step where they belong. */
static void
keep_past(double *rows, size_t n_rows, const retc_circuit_state *state) {
    for (size_t i = 0; i < n_rows; ++i)
        memmove(rows + i * state->stride, rows + i * state->stride + state->n, state->past * sizeof *rows);
}

void
retc_circuit_begin_step(retc_circuit_state *state, size_t n) {
    const retc_circuit *c = state->circuit;
    keep_past(state->drive, c->B, state);
    keep_past(state->q, c->V, state);
    keep_past(state->a, c->V, state);
    state->n = n;
}

/* Tasks of one step cannot fail. */
static void
run_tasks(size_t n, size_t threads, int (*task)(void *context, size_t i), step *s) {
    int status = retc_parallel_for(n, threads, task, s);
    (void)status;
}

void
retc_circuit_play_bipolars(retc_circuit_state *state, const float *frames, double contrast, size_t threads) {
    step s = {state->circuit, state, frames, state->n, contrast};
    size_t in_task = TILES_IN_TASK * LANES;
    run_tasks((state->pixels + in_task - 1) / in_task, threads, photoreceptor_task, &s);
    run_tasks(state->circuit->B, threads, bipolar_task, &s);
}

void
retc_circuit_play_behind(retc_circuit_state *state, size_t threads) {
    step s = {.circuit = state->circuit, .state = state, .n = state->n};
    run_tasks(s.circuit->V, threads, amacrine_task, &s);
    run_tasks(s.circuit->B, threads, terminal_task, &s);
    run_tasks(s.circuit->N, threads, cell_task, &s);
}

void
retc_circuit_step(retc_circuit_state *state, const float *frames, size_t n, double contrast, size_t threads) {
    retc_circuit_begin_step(state, n);
    retc_circuit_play_bipolars(state, frames, contrast, threads);
    retc_circuit_play_behind(state, threads);
}

retc_circuit_signals
retc_circuit_signals_of(const retc_circuit_state *state) {
    size_t past = state->past;
    return (retc_circuit_signals){state->stride,       past,
                                  state->drive + past, state->terminal + past,
                                  state->q + past,     state->a + past,
                                  state->x + past,     state->v + past,
                                  state->rate + past};
}

/* ---- linear filters -------------------------------------------------------------------------------------------------- */

void
retc_circuit_bipolar_filter(const retc_circuit *circuit, size_t type, size_t L, double *h) {
    retc_photoreceptor_options linear = circuit->options.photoreceptor;
    linear.adaptation = 0;
    receptor r = receptor_of(&linear, circuit->dt);
    double y[MOST_STAGES][LANES] = {{0}}, z[MOST_STAGES][LANES] = {{0}}, x[LANES] = {1}, p[LANES], state[2] = {0};
    for (size_t k = 0; k < L; ++k) {
        receptor_step(&r, y, z, x, p);
        x[0] = 0;
        h[k] = p[0];
    }
    retc_bipolar_filter_series(&circuit->options.bipolar[type], circuit->dt, 1, state, h, L);
}

size_t
retc_circuit_history(const retc_circuit *circuit) {
    double h[1000];
    size_t longest = 1;
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i) {
        double energy = 0, tail = 0;
        size_t L = MOST_HISTORY, used = 0;
        for (size_t u = 0; u < circuit->B; ++u)
            used += circuit->bipolar[u].type == i;
        if (!used)
            continue;
        retc_circuit_bipolar_filter(circuit, i, L, h);
        for (size_t k = 0; k < L; ++k)
            energy += h[k] * h[k];
        while (L > 1 && tail + h[L - 1] * h[L - 1] <= HISTORY_ENERGY * energy) {
            tail += h[L - 1] * h[L - 1];
            --L;
        }
        longest = longest > L ? longest : L;
    }
    return longest;
}
