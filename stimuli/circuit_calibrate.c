/* Gains and outputs of a simulated retina for a stimulus: types of cells get drives of variance 1, ganglion cells their rates.
 */
#include <math.h>
#include <string.h>

#include "circuit_data.h"
#include "circuit_state.h"
#include "rng.h"
#include "stimulus_file.h"

enum { CHUNK = RETC_CIRCUIT_CHUNK };

/* An input whose standard deviation is smaller than this share of its size is constant but for rounding. */
#define CONSTANT 1e-9

/* What a sum over some thousand frames may be off by, of itself. */
#define ROUNDING 1e-13

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
        RETC_TRY(c->movie(c->context, t0, n, c->frames));
        if (t0 == 0)
            memcpy(c->first, c->frames, c->state->pixels * sizeof *c->first);
        constant = constant && is_first(c, n);
        retc_circuit_begin_step(c->state, n);
        retc_circuit_play_bipolars(c->state, c->frames, 1, c->threads);
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
        retc_circuit_begin_step(state, n);
        for (size_t u = 0; u < c->circuit->B; ++u)
            memcpy(state->drive + u * state->stride + state->past, c->drive + u * c->n + t0, n * sizeof *c->drive);
        retc_circuit_play_behind(state, c->threads);
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
