/* What the parts of circuit_truth.h share. */
#ifndef RETC_CIRCUIT_EXPLAIN_H
#define RETC_CIRCUIT_EXPLAIN_H

#include "circuit_local.h"
#include "circuit_truth.h"

/* The circuit under the movie at one contrast.  e (types,B,stride): what bipolar cell u gives, before weights, to the drive of
 * the amacrine cells of a type; its rows begin `past` frames before the step. */
typedef struct {
    retc_circuit_state *state;
    retc_circuit_signals signals;
    double *e, *e_state;
    size_t n;
} retc_level;

struct retc_truth {
    const retc_circuit *circuit;
    size_t levels;     /* 0: the closed form */
    retc_level *level; /* (levels+1), contrasts 0 ... 1; or one, the movie itself */
    retc_local *local; /* (N) */
    retc_truth_pairs pairs[RETC_CUTS];
    double *result[RETC_CUTS];                /* (pairs,CHUNK) */
    double *coarse[RETC_CUT_KNOCKOUT];        /* the same with half of the levels */
    double *control_state[RETC_CUT_KNOCKOUT]; /* share of each pair in the change of v, per step */
    double *knockout_state;                   /* v without the unit */
    double *difference;                       /* (N,2) as in retc_truth_convergence */
};

/* The delayed release of an amacrine cell: `a` is its row, frame 0 at a[0]. */
static inline double
retc_delayed(const retc_circuit *c, const double *a, size_t type, size_t t) {
    retc_delay delay = c->delay[type];
    const double *at = a + t - delay.frames;
    return delay.fraction > 0 ? (1 - delay.fraction) * at[0] + delay.fraction * at[-1] : at[0];
}

/* (r(x1) - r(x0)) / (x1 - x0) of a cell's output; its slope where the difference is all rounding. */
static inline double
retc_output_secant(const retc_output *o, double x0, double x1) {
    if (fabs(o->slope * (x1 - x0)) < 1e-4)
        return retc_output_slope(o, (x0 + x1) / 2);
    return (retc_output_rate(o, x1) - retc_output_rate(o, x0)) / (x1 - x0);
}

/* Contributions of cell j in the n frames of the latest step, into truth->result and truth->coarse. */
int retc_explain_path(retc_truth *truth, size_t j, size_t n) RETC_USED;
int retc_explain_steps(retc_truth *truth, size_t j, size_t n) RETC_USED;

#endif
