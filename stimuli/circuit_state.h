/* Shared by circuit_play.c and circuit_calibrate.c: signals of a chunk of frames, and the parts of a step. */
#ifndef RETC_CIRCUIT_STATE_H
#define RETC_CIRCUIT_STATE_H

#include "circuit.h"

struct retc_circuit_state {
    const retc_circuit *circuit;
    size_t pixels, stride, past, n;         /* n: frames of the latest step */
    double *stage;                          /* (n_y + n_z + 1, pixels): the integrators, and the contrast of the frame before */
    double *photoreceptor;                  /* (pixels,STRIDE) */
    double *bipolar_state;                  /* (B,2) */
    double *amacrine_state, *control_state; /* (V) (N) */
    double *drive, *terminal, *q, *a, *x, *v, *rate; /* (rows,stride), frame 0 at [past] */
};

/* Make room for the next n frames, whose signals the two below compute one after the other: those of photoreceptors and bipolar
 * cells from frames (n,H,W), and those of all behind them from what `drive` then holds. */
void retc_circuit_begin_step(retc_circuit_state *state, size_t n);
void retc_circuit_play_bipolars(retc_circuit_state *state, const float *frames, double contrast, size_t threads);
void retc_circuit_play_behind(retc_circuit_state *state, size_t threads);

#endif
