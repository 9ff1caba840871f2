/* What the parts of the simulated retina share: circuit.c wires it, circuit_play.c plays it, circuit_calibrate.c sets its
 * gains, circuit_truth.c explains it. */
#ifndef RETC_CIRCUIT_DATA_H
#define RETC_CIRCUIT_DATA_H

#include <math.h>

#include "circuit.h"

/* Where the delayed signal of an amacrine type is taken from: (1 - fraction) a(t - frames) + fraction a(t - frames - 1). */
typedef struct {
    size_t frames;
    double fraction;
} retc_delay;

struct retc_circuit {
    retc_circuit_options options;
    size_t height, width, B, V, N, past; /* past: frames that delays reach back */
    double dt;                           /* ms */
    retc_neuron *bipolar, *amacrine, *cell;
    retc_wires pixels, bipolar_to_amacrine, bipolar_to_cell, amacrine_to_cell, amacrine_to_bipolar;
    double bipolar_gain[RETC_BIPOLAR_TYPES], amacrine_gain[RETC_AMACRINE_TYPES];
    retc_delay delay[RETC_AMACRINE_TYPES];
    double *target_rate, *grey; /* (N) spikes/s; sum of inputs on mean grey */
    retc_output *output;        /* (N) */
};

/* k of a leaky integrator; 1 is the identity. */
static inline double
retc_leak(double tau, double dt) {
    return tau > 0 ? -expm1(-dt / tau) : 1;
}

/* log(1 + exp x), without overflow. */
static inline double
retc_softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static inline double
retc_rectify(double x) {
    return x > 0 ? x : 0;
}

/* f / (1 + f / maximum); f without a maximum. */
static inline double
retc_saturate(double f, double maximum) {
    return maximum > 0 ? f / (1 + f / maximum) : f;
}

static inline double
retc_output_rate(const retc_output *o, double u) {
    return retc_saturate(o->gain * retc_softplus(o->slope * u + o->offset), o->maximum);
}

/* Its derivative. */
static inline double
retc_output_slope(const retc_output *o, double u) {
    double x = o->slope * u + o->offset, kept = o->maximum > 0 ? 1 / (1 + o->gain * retc_softplus(x) / o->maximum) : 1;
    return kept * kept * o->gain * o->slope * (x > 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)));
}

/* Filters of a bipolar type in place: x (n) is a series of summed photoreceptor signals, state (2) lasts. */
void retc_bipolar_filter_series(const retc_bipolar_options *type, double dt, double gain, double *state, double *x, size_t n);

/* A leaky integrator in place; `state` lasts. */
void retc_leak_series(double k, double *state, double *x, size_t n);

#endif
