/* Playing movies to the simulated retina: filters, signals and rates, a chunk of frames at a time.  Photoreceptors go through
 * time pixel by pixel, eight pixels side by side; everything behind them is stored with time innermost. */
#include <math.h>
#include <string.h>

#include "circuit_data.h"
#include "parallel.h"
#include "rng.h"
#include "rows.h"
#include "stimulus_file.h"

enum { LANES = 8, TILES_IN_TASK = 8, MOST_STAGES = 8 };

/* Frames from row to row: not a power of two, so that the rows that one sum reads do not compete for the same cache lines. */
enum { CHUNK = RETC_CIRCUIT_CHUNK, STRIDE = CHUNK + 8 };

/* An input whose standard deviation is smaller than this share of its size is constant but for rounding. */
#define CONSTANT 1e-9

/* What a sum over some thousand frames may be off by, of itself. */
#define ROUNDING 1e-13

#define MOST_HISTORY ((size_t)1000)
#define HISTORY_ENERGY 1e-4

struct retc_circuit_state {
    const retc_circuit *circuit;
    size_t pixels, stride, past, n;         /* n: frames of the latest step */
    double *stage;                          /* (n_y + n_z + 1, pixels): the integrators, and the contrast of the frame before */
    double *photoreceptor;                  /* (pixels,STRIDE) */
    double *bipolar_state;                  /* (B,2) */
    double *amacrine_state, *control_state; /* (V) (N) */
    double *drive, *terminal, *q, *a, *x, *v, *rate; /* (rows,stride), frame 0 at [past] */
};

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

static void
begin_step(retc_circuit_state *state, size_t n) {
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

static void
play_behind(step *s, size_t threads) {
    run_tasks(s->circuit->V, threads, amacrine_task, s);
    run_tasks(s->circuit->B, threads, terminal_task, s);
    run_tasks(s->circuit->N, threads, cell_task, s);
}

void
retc_circuit_step(const retc_circuit *circuit, retc_circuit_state *state, const float *frames, size_t n, double contrast,
                  size_t threads) {
    step s = {circuit, state, frames, n, contrast};
    size_t in_task = TILES_IN_TASK * LANES;
    begin_step(state, n);
    run_tasks((state->pixels + in_task - 1) / in_task, threads, photoreceptor_task, &s);
    run_tasks(circuit->B, threads, bipolar_task, &s);
    play_behind(&s, threads);
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

/* ---- calibrating ----------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_circuit *circuit;
    retc_circuit_state *state;
    retc_circuit_movie movie;
    void *context;
    size_t n, threads;
    float *frames, *first; /* (CHUNK,H,W); (H,W) the first one */
    double *drive;         /* (B,n) */
    double *x, *v;         /* (N,n) */
} calibration;

/* Whether n frames are all as the first one. */
static int
is_first(const calibration *c, size_t n) {
    size_t pixels = c->state->pixels;
    for (size_t t = 0; t < n; ++t)
        if (memcmp(c->frames + t * pixels, c->first, pixels * sizeof *c->first) != 0)
            return 0;
    return 1;
}

static int
calibrate_bipolars(calibration *c) {
    int status = RETC_OK, constant = 1;
    retc_circuit *circuit = c->circuit;
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i)
        circuit->bipolar_gain[i] = 1;
    retc_circuit_reset(c->state);
    for (size_t t0 = 0; t0 < c->n; t0 += CHUNK) {
        size_t n = c->n - t0 < CHUNK ? c->n - t0 : CHUNK;
        step s = {circuit, c->state, c->frames, n, 1};
        RETC_TRY(c->movie(c->context, t0, n, c->frames));
        if (t0 == 0)
            memcpy(c->first, c->frames, c->state->pixels * sizeof *c->first);
        constant = constant && is_first(c, n);
        begin_step(c->state, n);
        run_tasks((c->state->pixels + TILES_IN_TASK * LANES - 1) / (TILES_IN_TASK * LANES), c->threads, photoreceptor_task, &s);
        run_tasks(circuit->B, c->threads, bipolar_task, &s);
        for (size_t u = 0; u < circuit->B; ++u)
            memcpy(c->drive + u * c->n + t0, c->state->drive + u * c->state->stride + c->state->past, n * sizeof *c->drive);
    }
    if (constant)
        RETC_TRY(RETC_FAIL(RETC_ENUMBER,
                           "the stimulus does not change in its first %zu frames: a retina cannot be calibrated on it", c->n));
    for (size_t i = 0; i < RETC_BIPOLAR_TYPES; ++i) {
        double squares = 0, count = 0;
        for (size_t u = 0; u < circuit->B; ++u) {
            for (size_t t = 0; circuit->bipolar[u].type == i && t < c->n; ++t)
                squares += c->drive[u * c->n + t] * c->drive[u * c->n + t];
            count += circuit->bipolar[u].type == i ? (double)c->n : 0;
        }
        if (count > 0 && !(squares > 0))
            RETC_TRY(RETC_FAIL(RETC_ENUMBER, "the stimulus does not drive any cell of type %s", retc_bipolar_type_name(i)));
        circuit->bipolar_gain[i] = count > 0 ? sqrt(count / squares) : 1;
    }
    for (size_t u = 0; u < circuit->B; ++u)
        for (size_t t = 0; t < c->n; ++t)
            c->drive[u * c->n + t] *= circuit->bipolar_gain[circuit->bipolar[u].type];

done:
    return status;
}

/* Play the stored drives to what is behind the bipolar cells, and call visit for every chunk. */
static void
replay(calibration *c, void (*visit)(calibration *c, size_t t0, size_t n)) {
    retc_circuit_state *state = c->state;
    retc_circuit_reset(state);
    for (size_t t0 = 0; t0 < c->n; t0 += CHUNK) {
        size_t n = c->n - t0 < CHUNK ? c->n - t0 : CHUNK;
        step s = {c->circuit, state, NULL, n, 1};
        begin_step(state, n);
        for (size_t u = 0; u < c->circuit->B; ++u)
            memcpy(state->drive + u * state->stride + state->past, c->drive + u * c->n + t0, n * sizeof *c->drive);
        play_behind(&s, c->threads);
        visit(c, t0, n);
    }
}

/* Sums of squares of the drives of each amacrine type go into c->x. */
static void
add_squares(calibration *c, size_t t0, size_t n) {
    (void)t0;
    for (size_t v = 0; v < c->circuit->V; ++v)
        for (size_t t = 0; t < n; ++t) {
            double q = c->state->q[v * c->state->stride + c->state->past + t];
            c->x[c->circuit->amacrine[v].type] += q * q;
        }
}

static void
keep_inputs(calibration *c, size_t t0, size_t n) {
    for (size_t j = 0; j < c->circuit->N; ++j) {
        memcpy(c->x + j * c->n + t0, c->state->x + j * c->state->stride + c->state->past, n * sizeof *c->x);
        memcpy(c->v + j * c->n + t0, c->state->v + j * c->state->stride + c->state->past, n * sizeof *c->v);
    }
}

static void
calibrate_amacrines(calibration *c) {
    retc_circuit *circuit = c->circuit;
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i)
        circuit->amacrine_gain[i] = 1, c->x[i] = 0;
    replay(c, add_squares);
    for (size_t i = 0; i < RETC_AMACRINE_TYPES; ++i) {
        size_t count = 0;
        for (size_t v = 0; v < circuit->V; ++v)
            count += circuit->amacrine[v].type == i;
        circuit->amacrine_gain[i] = c->x[i] > 0 ? sqrt((double)(count * c->n) / c->x[i]) : 1;
    }
}

/* Mean and standard deviation of u = x / (1 + control v). */
static void
moments_of(const double *x, const double *v, double control, size_t n, double *mean, double *deviation) {
    double sum = 0, squares = 0;
    for (size_t t = 0; t < n; ++t)
        sum += x[t] / (1 + control * v[t]);
    *mean = sum / (double)n;
    for (size_t t = 0; t < n; ++t) {
        double d = x[t] / (1 + control * v[t]) - *mean;
        squares += d * d;
    }
    *deviation = sqrt(squares / (double)n);
}

/* The gain for which the mean of gain s / (1 + gain s / maximum) over s (n) is `rate`, less than the maximum.  That mean is a
 * concave function of the gain, and too low for the gain that would do without a maximum: steps of Newton's method from there
 * rise to the solution and never pass it.  They double a gain that is far too low, so that this many reach any. */
static double
gain_for(const double *s, size_t n, double rate, double maximum) {
    enum { MOST_STEPS = 100 };
    double sum = 0, gain;
    for (size_t t = 0; t < n; ++t)
        sum += s[t];
    gain = rate * (double)n / sum;
    for (int i = 0; maximum > 0 && i < MOST_STEPS; ++i) {
        double missing = rate * (double)n, slope = 0;
        for (size_t t = 0; t < n; ++t) {
            double kept = 1 / (1 + gain * s[t] / maximum);
            missing -= gain * s[t] * kept;
            slope += s[t] * kept * kept;
        }
        if (missing <= ROUNDING * rate * (double)n)
            break;
        gain += missing / slope;
    }
    return gain;
}

/* Inputs of the cell are not kept: their place is needed. */
static int
calibrate_cell(calibration *c, size_t j) {
    const retc_circuit_options *o = &c->circuit->options;
    const double *v = c->v + j * c->n;
    double *x = c->x + j * c->n, mean, deviation;
    moments_of(x, v, 0, c->n, &mean, &deviation);
    if (!(deviation > CONSTANT * fabs(mean)))
        return RETC_FAIL(RETC_ENUMBER, "the stimulus does not change the input of cell %zu", j + 1);
    double control = o->gain_strength / deviation;
    moments_of(x, v, control, c->n, &mean, &deviation);
    double slope = o->slope / deviation, offset = -slope * fmax(mean, 0) - o->threshold;
    for (size_t t = 0; t < c->n; ++t)
        x[t] = retc_softplus(slope * x[t] / (1 + control * v[t]) + offset);
    double gain = gain_for(x, c->n, c->circuit->target_rate[j], o->maximum);
    c->circuit->output[j] = (retc_output){gain, slope, offset, control, o->maximum};
    return RETC_OK;
}

int
retc_circuit_calibrate(retc_circuit *circuit, retc_circuit_movie movie, void *context, size_t n, size_t threads) {
    int status = RETC_OK;
    calibration c = {.circuit = circuit, .movie = movie, .context = context, .n = n, .threads = threads};
    RETC_TRY(RETC_GOT(c.state = retc_circuit_state_alloc(circuit)));
    RETC_TRY(RETC_ALLOC(c.frames, CHUNK * circuit->height * circuit->width));
    RETC_TRY(RETC_ALLOC(c.first, circuit->height * circuit->width));
    RETC_TRY(RETC_ALLOC(c.drive, circuit->B * n));
    RETC_TRY(RETC_ALLOC(c.x, circuit->N * n + RETC_AMACRINE_TYPES));
    RETC_TRY(RETC_ALLOC(c.v, circuit->N * n));
    RETC_TRY(calibrate_bipolars(&c));
    calibrate_amacrines(&c);
    replay(&c, keep_inputs);
    for (size_t j = 0; j < circuit->N; ++j)
        RETC_TRY(calibrate_cell(&c, j));

done:
    retc_circuit_state_free(c.state);
    retc_free(c.frames), retc_free(c.first), retc_free(c.drive), retc_free(c.x), retc_free(c.v);
    return status;
}

/* Binary noise, a random number a pixel and frame, in order. */
typedef struct {
    size_t pixels;
    double contrast;
    gsl_rng *rng;
} noise;

static int
noise_frames(void *context, size_t t0, size_t n, float *frames) {
    const noise *source = context;
    (void)t0;
    for (size_t i = 0; i < n * source->pixels; ++i)
        frames[i] = (float)(RETC_MEAN_GREY * (1 + (gsl_rng_uniform(source->rng) < 0.5 ? -1 : 1) * source->contrast));
    return RETC_OK;
}

int
retc_circuit_calibrate_noise(retc_circuit *circuit, size_t n, size_t threads) {
    int status = RETC_OK;
    noise source = {circuit->height * circuit->width, circuit->options.contrast, NULL};
    RETC_TRY(RETC_GOT(source.rng = retc_rng_alloc(circuit->options.seed, RETC_STREAM_CIRCUIT, 400)));
    RETC_TRY(retc_circuit_calibrate(circuit, noise_frames, &source, n, threads));

done:
    gsl_rng_free(source.rng);
    return status;
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
