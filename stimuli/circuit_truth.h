/* Who drove a ganglion cell of the simulated retina, exactly: contributions of interneurons to its rate, and what silencing
 * them does.
 *
 * Contributions are the path integral of Sundararajan, Taly & Yan (2017, eq. 1), taken at hidden units as in Dhamdhere et al.
 * (2019): the movie grows from mean grey to what it is, S(alpha) = grey + alpha (S - grey), all of its past at once, and c_u(t)
 * = integral over alpha of sum_k dr/da_u(t-k) da_u(t-k)/dalpha for all units u of a cut through the circuit: they add up to
 * r(t) - r on grey.  The two cuts are bipolar    the drives d_u of all bipolar cells, by all ways: terminals on the cell,
 * amacrine cells on the cell or on terminals synapse    what reaches the cell itself: terminals T_u of bipolar cells and
 * releases a_v of amacrine cells
 *
 * Without adaptation and gain control every signal is piecewise linear in alpha, and the integral is a finite sum: between two
 * bends the input moves from x0 to x1 and unit u has the share (change of x through u) / (x1 - x0) of r(x1) - r(x0).  The bends
 * are found layer by layer: where amacrine cells begin to release, then where terminals do or cease to.
 *
 * With adaptation or gain control the path is cut into `levels` equal steps, and every nonlinearity is replaced by its secant
 * over the step (the product x / (1 + k v) by the mean of one factor times the change of the other), so that the sum is exact
 * for any number of levels; the shares of the units converge with its square.  Every step is done a second time with half of
 * the levels.
 *
 * The knock-out of a unit in a cell is the rate less the rate when the unit is held at what it is on mean grey, all else equal.
 */
#ifndef RETC_CIRCUIT_TRUTH_H
#define RETC_CIRCUIT_TRUTH_H

#include "circuit.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_CUT_BIPOLAR, RETC_CUT_SYNAPSE, RETC_CUT_KNOCKOUT, RETC_CUTS } retc_truth_cut;

/* Connected pairs: unit u < B is a bipolar cell, B + v an amacrine cell.  Those of cell j are first[j] ... first[j+1] - 1. */
typedef struct {
    size_t n, *unit, *cell; /* (n) */
    size_t *first;          /* (N+1) */
} retc_truth_pairs;

typedef struct retc_truth retc_truth;

/* 1 when the closed form holds: neither adaptation nor gain control. */
int retc_truth_is_exact(const retc_circuit *circuit);

/* Make it for a calibrated circuit.  `levels`: 0 for the closed form, else an even number up to 256.  NULL with a recorded
 * reason. */
retc_truth *retc_truth_alloc(const retc_circuit *circuit, size_t levels);
void retc_truth_free(retc_truth *truth);

const retc_truth_pairs *retc_truth_pairs_of(const retc_truth *truth, retc_truth_cut cut);

/* As retc_circuit_reset. */
void retc_truth_reset(retc_truth *truth);

/* Explain the next n <= RETC_CIRCUIT_CHUNK frames, (n,H,W).  The result does not depend on chunks and threads. */
int retc_truth_step(retc_truth *truth, const float *frames, size_t n, size_t threads) RETC_USED;

/* Of the latest step: pair i, frame t at [i * RETC_CIRCUIT_CHUNK + t], spikes/s. */
const double *retc_truth_of(const retc_truth *truth, retc_truth_cut cut);

/* Signals of the latest step, as the circuit gives them. */
retc_circuit_signals retc_truth_signals(const retc_truth *truth);

/* Over all steps: largest difference between contributions with all and with half of the levels, and largest change of a rate
 * from grey, both in spikes/s.  0 difference with the closed form. */
void retc_truth_convergence(const retc_truth *truth, double *difference, double *scale);

#ifdef __cplusplus
}
#endif

#endif
