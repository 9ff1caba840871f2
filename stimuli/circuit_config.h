/* The parameters of the simulated retina (circuit.h), in field units, and the text file that holds them.
 *
 * A file has one [section] per stage of the circuit and lines "key = value unit  # meaning"; what it leaves out keeps the value
 * of the preset that it is read on.  retc_circuit_config_print writes every parameter with its unit, range and source; a file
 * written so and read again gives the same circuit. */
#ifndef RETC_CIRCUIT_CONFIG_H
#define RETC_CIRCUIT_CONFIG_H

#include <stdint.h>
#include <stdio.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_BIPOLAR_ON,
    RETC_BIPOLAR_OFF,
    RETC_BIPOLAR_ON_TRANSIENT,
    RETC_BIPOLAR_OFF_TRANSIENT,
    RETC_BIPOLAR_TYPES
} retc_bipolar_type;

typedef enum {
    RETC_AMACRINE_ON,
    RETC_AMACRINE_OFF,
    RETC_AMACRINE_WIDE,
    RETC_AMACRINE_DELAYED,
    RETC_AMACRINE_TYPES,
    RETC_AMACRINE_NONE = RETC_AMACRINE_TYPES
} retc_amacrine_type;

typedef enum {
    RETC_GANGLION_BRISK_ON,
    RETC_GANGLION_BRISK_OFF,
    RETC_GANGLION_Y_LIKE,
    RETC_GANGLION_DIRECTION,
    RETC_GANGLION_OBJECT_MOTION,
    RETC_GANGLION_TYPES
} retc_ganglion_type;

typedef enum { RETC_SPIKES_POISSON, RETC_SPIKES_REFRACTORY, RETC_SPIKES_GAMMA } retc_spike_process;
typedef enum { RETC_CALIBRATE_STIMULUS, RETC_CALIBRATE_NOISE } retc_calibration;

/* Photoreceptors: contrast x -> y and z, cascades of leaky integrators; see circuit.h. */
typedef struct {
    double tau_y, tau_z; /* ms, of each integrator */
    size_t n_y, n_z;     /* integrators in each cascade */
    double gamma, beta;  /* share of y in z; strength of the slow path */
    size_t adaptation;   /* 0: linear around mean grey; 1: divisive, after Clark et al. 2013 */
} retc_photoreceptor_options;

typedef struct {
    double spacing, jitter;       /* um; share of the spacing */
    double center, surround;      /* um, sigmas of the Gaussians */
    double surround_weight;       /* volume of the surround over that of the centre */
    double tau;                   /* ms, leaky integrator; 0: none */
    double transience, tau_adapt; /* share of the slow signal that is taken off, and its time constant in ms */
    double threshold;             /* of the terminal, in standard deviations of the drive; negative: tonic release */
    size_t amacrine;              /* type that inhibits the terminals (retc_amacrine_type) */
    double inhibition;            /* sum of the weights of that inhibition */
} retc_bipolar_options;

typedef struct {
    size_t bipolar;         /* type that drives it (retc_bipolar_type) */
    double spacing, jitter; /* um; share of the spacing */
    double radius;          /* um, sigma of the weights of the bipolar cells that drive it */
    double tau, delay;      /* ms, leaky integrator; from its release to its effect */
    double threshold;       /* of release, in root mean squares of the drive */
    double reach;           /* um, sigma of the weights of its outputs */
} retc_amacrine_options;

typedef struct {
    size_t cells;             /* recorded, nearest to the middle of the movie */
    double spacing, jitter;   /* um; share of the spacing */
    size_t bipolar, amacrine; /* types that excite and inhibit it */
    double radius;            /* um, sigma of the weights of bipolar cells */
    double inhibition;        /* sum of the weights of amacrine cells over that of bipolar cells */
    double inner;             /* um, amacrine cells nearer than this do not reach it */
    double offset, direction; /* um, degrees: inhibition comes from around a place beside the cell, on its null side */
} retc_ganglion_options;

typedef struct {
    double pixel;       /* um, side of a pixel on the retina */
    double margin;      /* um, cells stand at least this far from the border, or a quarter of the movie's side if less */
    size_t on_pixels;   /* 1: bipolar cells stand at the middles of pixels */
    size_t calibration; /* retc_calibration */
    double contrast;    /* of the noise that the circuit is calibrated on, when it is */
    uint64_t seed;      /* of places, rates and spikes; in no file */
    retc_photoreceptor_options photoreceptor;
    retc_bipolar_options bipolar[RETC_BIPOLAR_TYPES];
    retc_amacrine_options amacrine[RETC_AMACRINE_TYPES];
    retc_ganglion_options ganglion[RETC_GANGLION_TYPES];
    double gain_strength, gain_tau; /* contrast gain control: per standard deviation of the input, 0: none; ms */
    double rate, rate_spread;       /* spikes/s, mean over cells; single cells lie within this share of it */
    double slope, threshold;        /* of the output, per standard deviation and in units of the softplus */
    double maximum;                 /* spikes/s, that rates approach; 0: none */
    size_t spikes;                  /* retc_spike_process */
    double absolute, relative;      /* ms, refractory periods */
    size_t order;                   /* of the gamma process */
} retc_circuit_options;

/* "on_bipolar", "amacrine_wide", "brisk_on", ... */
const char *retc_bipolar_type_name(size_t type);
const char *retc_amacrine_type_name(size_t type);
const char *retc_ganglion_type_name(size_t type);

/* The preset "tiny": four cells and about a dozen interneurons on 12 x 12 pixels; as is the default. */
void retc_circuit_default(retc_circuit_options *options);

/* Set `options` to a preset, "tiny" or "salamander-like". */
int retc_circuit_preset(const char *name, retc_circuit_options *options) RETC_USED;

/* Record `cells` ganglion cells in all, dealt out in turn over the types that the options have cells of. */
void retc_circuit_set_cells(retc_circuit_options *options, size_t cells);

/* Read a file over `options`.  Reasons name file, line, section and key: not a file, unknown, given twice, a wrong unit, out of
 * range. */
int retc_circuit_config_read(const char *path, retc_circuit_options *options) RETC_USED;

/* Check ranges, as the reader does, and what holds between parameters. */
int retc_circuit_config_check(const retc_circuit_options *options) RETC_USED;

/* Write all parameters, documented. */
void retc_circuit_config_print(FILE *out, const retc_circuit_options *options);

#ifdef __cplusplus
}
#endif

#endif
