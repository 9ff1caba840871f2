/* A small simulated retina whose every signal is known: the truth that models are tested against.
 *
 * Every ganglion cell j pools B bipolar units around its place and is inhibited by one amacrine unit there.  ON and OFF
 * cells alternate like the fields of a chess board.  All units of one type share one filter, at other positions, so that a
 * convolutional model can find them.  With the contrast x = (S - 127.5) / 127.5 of frame S:
 *
 *   drive   d_u(t) = sum_{k=1..K} h(k) sum_{p,q} s(p,q) x[t-k, row_u + p, column_u + q]
 *   signal  a_u(t) = max(0, g d_u(t) - 0.1)                                    dimensionless, after rectification
 *   input   i_j(t) = sum_u w_u a_u(t)                                          w > 0 bipolar, w < 0 amacrine
 *   rate    r_j(t) = A_j log(1 + exp(2 (i_j(t) - m_j) / v_j - 1))              spikes/s
 *
 * and Poisson spikes.  The response of frame t depends on the frames up to t - 1 (lag 1); before the first frame of a stretch
 * of continuous time the screen was mean grey.
 *
 * Space, in pixels, sign + for ON and - for OFF types, cut to a square of radius ceil(2 * largest sigma) (less when the
 * movie is smaller) and scaled to sum of squares 1:
 *   bipolar   s = +-(G(center_sigma) - surround_weight G(surround_sigma))      G: Gaussian of volume 1
 *   amacrine  s = +-G(amacrine_sigma)
 * Time, at tau = k * frame interval, up to 250 ms, scaled to sum of squares 1:
 *   h = c(tau; p1, w1) - b c(tau; p2, w2),   c(tau; p, w) = (1 + cos(pi (tau - p) / w)) / 2 where |tau - p| < w, else 0
 *               p1   w1   p2   w2  ms    b
 *   ON bipolar   55   45  115   65       0.5
 *   OFF bipolar  45   40  100   60       0.6
 *   ON amacrine 105   75  185   65       0.3
 *   OFF amacrine 95   70  175   65       0.3
 *
 * Calibration on the first frames of a stimulus sets g, one per type, so that the drives of that type have mean square 1;
 * m_j and v_j, mean and standard deviation of the input; and A_j, so that the mean rate is the asked one. */
#ifndef RETC_CIRCUIT_H
#define RETC_CIRCUIT_H

#include <stdint.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_ON_BIPOLAR, RETC_OFF_BIPOLAR, RETC_ON_AMACRINE, RETC_OFF_AMACRINE, RETC_UNIT_TYPES } retc_unit_type;

typedef struct {
    size_t cells;           /* N, 1 ... 999 (4) */
    size_t bipolars;        /* B, 1 ... 99 (3) */
    double spacing;         /* distance of neighbouring bipolar units, pixels (2) */
    double center_sigma;    /* pixels (0.7) */
    double surround_sigma;  /* pixels (1.4) */
    double surround_weight; /* 0 ... 1 (0.8) */
    double amacrine_sigma;  /* pixels (1.5) */
    double inhibition;      /* weight of the amacrine unit over the sum of the bipolar weights (0.5) */
    double rate;            /* mean rate over cells, spikes/s (15); single cells lie within a third of it */
    uint64_t seed;          /* of places, weights and rates */
} retc_circuit_options;

typedef struct {
    char name[64]; /* "cell01/on_bipolar1", "cell01/amacrine" */
    retc_unit_type type;
    size_t cell;        /* the ganglion cell that it feeds */
    size_t row, column; /* centre of its filter, pixels */
    double weight;      /* w_u */
} retc_unit;

/* Rate of a cell: gain * log(1 + exp(slope * input + offset)); all 0 before calibration. */
typedef struct {
    double gain, slope, offset;
} retc_output;

typedef struct retc_circuit retc_circuit;

void retc_circuit_default(retc_circuit_options *options);

/* Make the circuit for movies of H x W pixels and a frame interval in seconds, at most 50 ms.  NULL with a recorded reason. */
retc_circuit *retc_circuit_alloc(const retc_circuit_options *options, size_t H, size_t W, double frame_interval);
void retc_circuit_free(retc_circuit *circuit);

size_t retc_circuit_cells(const retc_circuit *circuit);                    /* N */
size_t retc_circuit_units(const retc_circuit *circuit);                    /* I = N (B + 1), those of a cell together */
const retc_unit *retc_circuit_unit(const retc_circuit *circuit, size_t i); /* borrowed */
const retc_output *retc_circuit_output(const retc_circuit *circuit, size_t cell);

/* "on_bipolar", ... */
const char *retc_circuit_type_name(retc_unit_type type);

/* The filter of a type, borrowed: h (K), element k-1 is lag k; s (height,width), the centre in the middle; and its g. */
const double *retc_circuit_time_filter(const retc_circuit *circuit, retc_unit_type type, size_t *K);
const double *retc_circuit_space_filter(const retc_circuit *circuit, retc_unit_type type, size_t *height, size_t *width);
double retc_circuit_gain(const retc_circuit *circuit, retc_unit_type type);

/* Forget what was seen: the next frame is the first of a stretch of continuous time. */
void retc_circuit_reset(retc_circuit *circuit);

/* Drives d (I,n) in the next n frames, whose grey levels are frames (n,H,W).  A stretch of time may be given in pieces of any
 * length; the result is the same to the last bit. */
int retc_circuit_drive(retc_circuit *circuit, const float *frames, size_t n, double *drive) RETC_USED;

/* Calibrate on drives (I,n).  RETC_ENUMBER when a type of units or a cell is not driven at all. */
int retc_circuit_calibrate(retc_circuit *circuit, const double *drive, size_t n) RETC_USED;

/* Signals (I,n) and rates (N,n) in spikes/s that drives (I,n) give, after calibration. */
void retc_circuit_respond(const retc_circuit *circuit, const double *drive, size_t n, float *signal, double *rate);

#ifdef __cplusplus
}
#endif

#endif
