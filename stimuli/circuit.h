/* A simulated retina whose every signal is known: the truth that models are tested against.
 *
 * Photoreceptors -> bipolar cells -> amacrine cells -> ganglion cells.  Everything is written for frames t of one interval dt;
 * the contrast of a pixel is x = (S - 127.5) / 127.5 for the grey level S.  A leaky integrator of time constant tau is
 * L_tau[x](t) = L_tau[x](t-1) + k (x(t) - L_tau[x](t-1)), k = 1 - exp(-dt/tau), and the identity for tau = 0.
 *
 *   photoreceptor   y = L_tauy^ny [x(t-1)],  z = gamma y + (1 - gamma) L_tauz^nz [x(t-1)]
 *                   p = y - beta/(1+beta) z                            without adaptation
 *                   p = (1+y)(1+beta) / (1+beta(1+z)) - 1              with it: Clark et al. 2013, eq. 2 with tau_r = 0,
 *                                                                      less its value on mean grey and scaled to the same
 *                                                                      linear part
 *   bipolar u       s = sum over pixels of +-(G(center) - surround_weight G(surround)) p,   b = L_tau[s]
 *                   d_u = g (b - transience L_tauadapt[b])             drive; + for ON, - for OFF types; g calibrated
 *   amacrine v      q_v = g L_tau[sum_u w_vu max(0, d_u)],   a_v = max(0, q_v - threshold)
 *   delayed         A_v(t) = (1-f) a_v(t-k) + f a_v(t-k-1),  (k + f) dt = delay
 *   terminal        T_u = max(0, d_u - threshold - sum_v w_uv A_v)     presynaptic inhibition
 *   ganglion j      x_j = sum_u w_ju T_u - sum_v w_jv A_v - the same on mean grey
 *                   u_j = x_j / (1 + strength/sd v),  v = L_tau[|x_j|] contrast gain control
 *                   f_j = gain log(1 + exp(slope u_j + offset))        spikes/s
 *                   r_j = f_j / (1 + f_j / maximum)                    spikes/s; f_j itself without a maximum
 *
 * The last line is what refractoriness makes of a free firing rate (Berry & Meister 1998, J Neurosci 18:2200): the mean rate of
 * events that would come at a rate f_j, but for a dead time of 1 / maximum after each.  It is f_j at low rates and rises to the
 * maximum.
 *
 * The response of frame t depends on the frames up to t - 1 (lag 1); before the first frame of a stretch of continuous time the
 * screen was mean grey.  Gaussians of volume 1 are sampled at the middles of pixels and cut at 2.5 sigma of the surround.
 * Weights fall with distance as exp(-d^2 / (2 sigma^2)), cut at 1.5 sigma (of pooling) or 2.5 sigma (of an amacrine's reach); a
 * target that this leaves without any takes its nearest source.  They sum to 1 over the bipolar cells of one target, and to the
 * asked inhibition over its amacrine cells; the weights of a ganglion cell's bipolar inputs are also varied at random by up to
 * a quarter.  Bipolar and amacrine cells that reach no recorded ganglion cell are left out.
 *
 * Calibration sets g, one per type, so that drives of that type have mean square 1; sd, the standard deviation of x_j;
 * slope = o / s and offset = -slope max(m, 0) - threshold with the o that is asked for and the mean m and standard deviation s
 * of u_j, so that neither mean grey (u_j = 0) nor the mean of what inhibits lies above the bend; and the gain, so that the mean
 * of the saturated rate is the asked one. */
#ifndef RETC_CIRCUIT_H
#define RETC_CIRCUIT_H

#include "circuit_config.h"
#include "mosaic.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    char name[40]; /* "off_bipolar12", "amacrine_wide3", "cell07": counted from 1 within a type, cells over all */
    size_t type;   /* of its kind: retc_bipolar_type, retc_amacrine_type, retc_ganglion_type */
    retc_place place;
    double angle; /* deg, preferred direction of a direction selective cell, else 0 */
} retc_neuron;

/* Sources of every target, in the order of the targets: those of target i are source[first[i]] ... source[first[i+1] - 1]. */
typedef struct {
    size_t targets, *first, *source;
    double *weight;
} retc_wires;

/* rate = f / (1 + f / maximum), f = gain * log(1 + exp(slope * u + offset)), u = x / (1 + control * v); maximum 0: rate = f. */
typedef struct {
    double gain, slope, offset, control, maximum;
} retc_output;

typedef struct retc_circuit retc_circuit;

/* Make the circuit for movies of H x W pixels and a frame interval in seconds, at most 50 ms.  NULL with a recorded reason. */
retc_circuit *retc_circuit_alloc(const retc_circuit_options *options, size_t H, size_t W, double frame_interval);
void retc_circuit_free(retc_circuit *circuit);

const retc_circuit_options *retc_circuit_options_of(const retc_circuit *circuit);
size_t retc_circuit_bipolars(const retc_circuit *circuit);  /* B */
size_t retc_circuit_amacrines(const retc_circuit *circuit); /* V */
size_t retc_circuit_cells(const retc_circuit *circuit);     /* N */
const retc_neuron *retc_circuit_bipolar(const retc_circuit *circuit, size_t u);
const retc_neuron *retc_circuit_amacrine(const retc_circuit *circuit, size_t v);
const retc_neuron *retc_circuit_cell(const retc_circuit *circuit, size_t j);

/* Wiring, weights as in the formulas above, all positive. */
const retc_wires *retc_circuit_pixels_to_bipolar(const retc_circuit *circuit); /* of (H,W); with the sign, without g */
const retc_wires *retc_circuit_bipolar_to_amacrine(const retc_circuit *circuit);
const retc_wires *retc_circuit_bipolar_to_cell(const retc_circuit *circuit);
const retc_wires *retc_circuit_amacrine_to_cell(const retc_circuit *circuit);
const retc_wires *retc_circuit_amacrine_to_bipolar(const retc_circuit *circuit);

/* g of a type, and output of a cell, after calibration. */
double retc_circuit_bipolar_gain(const retc_circuit *circuit, size_t type);
double retc_circuit_amacrine_gain(const retc_circuit *circuit, size_t type);
const retc_output *retc_circuit_output(const retc_circuit *circuit, size_t cell);

/* Rate of a cell on mean grey, spikes/s. */
double retc_circuit_rate_on_grey(const retc_circuit *circuit, size_t cell);

/* Frames after which the impulse response of every linear filter has lost all but 1e-4 of its energy, at most 1000. */
size_t retc_circuit_history(const retc_circuit *circuit);

/* Response of the linear filter of a bipolar type, without space and g, to a contrast of 1 in one frame: h (L), element k is
 * lag k + 1. */
void retc_circuit_bipolar_filter(const retc_circuit *circuit, size_t type, size_t L, double *h);

/* Linear receptive field of a cell: the derivative of its rate with respect to the contrasts of the L frames before, on mean
 * grey; where a rectification bends exactly there, the mean of both sides.  rf (L,H,W), oldest frame first, spikes/s. */
int retc_circuit_receptive_field(const retc_circuit *circuit, size_t cell, size_t L, double *rf) RETC_USED;

/* ---- playing --------------------------------------------------------------------------------------------------------- */

enum { RETC_CIRCUIT_CHUNK = 128 }; /* most frames of one step */

typedef struct retc_circuit_state retc_circuit_state;

/* Signals of the latest step: row i, frame t stands at [i * stride + t]; t may also be -past ... -1, the frames before. */
typedef struct {
    size_t stride, past;
    const double *drive, *terminal;          /* (B,n) d, T */
    const double *amacrine_drive, *amacrine; /* (V,n) q, a */
    const double *input, *control, *rate;    /* (N,n) x, v, r */
} retc_circuit_signals;

/* A state of all filters, on mean grey.  NULL when out of memory.  Several may play one circuit. */
retc_circuit_state *retc_circuit_state_alloc(const retc_circuit *circuit);
void retc_circuit_state_free(retc_circuit_state *state);

/* Forget what was seen: the next frame is the first of a stretch of continuous time. */
void retc_circuit_reset(retc_circuit_state *state);

/* Play the next n <= RETC_CIRCUIT_CHUNK frames of grey levels, frames (n,H,W), with their contrast multiplied by `contrast`.  A
 * stretch of time may be given in pieces of any length, on any number of threads; the result is the same to the last bit. */
void retc_circuit_step(retc_circuit_state *state, const float *frames, size_t n, double contrast, size_t threads);
retc_circuit_signals retc_circuit_signals_of(const retc_circuit_state *state);

/* Gives frames t0 ... t0+n-1 of a movie, (n,H,W). */
typedef int (*retc_circuit_movie)(void *context, size_t t0, size_t n, float *frames);

/* Calibrate on n continuous frames of a movie.  RETC_ENUMBER when a type of cells is not driven at all. */
int retc_circuit_calibrate(retc_circuit *circuit, retc_circuit_movie movie, void *context, size_t n, size_t threads) RETC_USED;

/* Calibrate on binary white noise of its own, as long as `n` frames: the same for whatever is played later. */
int retc_circuit_calibrate_noise(retc_circuit *circuit, size_t n, size_t threads) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
