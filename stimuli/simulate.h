/* Play stimulus files to the simulated retina (circuit.h) and record it.
 *
 * The recording holds, beside what every recording holds and what the circuit is made of (circuit_file.h):
 *   /interneurons/<part>/signal (I,T) f4         releases of bipolar terminals T_u, then of amacrine cells a_v
 *   /truth/<part>/rate (N,T) f4                  spikes/s
 *   root attribute lag = 1
 * and of the parts that are asked for (circuit_truth.h), over connected pairs P of an interneuron and a cell only:
 *   /truth/pairs/{bipolar,synapse,knockout}/{unit, cell} (P) i8   interneurons and cells, from 0
 *   /truth/<part>/contribution/{bipolar,synapse} (P,T) f4         spikes/s; over the units of a cell they add up to
 *                                                rate - rate_on_grey, to the rounding of f4
 *   /truth/<part>/knockout (P,T) f4              rate less the rate without the interneuron, spikes/s
 *   attributes of /truth/<part>: method = "closed form" | "secants"; levels; difference, the largest between the contributions
 * by all and by half of the levels, spikes/s */
#ifndef RETC_SIMULATE_H
#define RETC_SIMULATE_H

#include "circuit.h"
#include "progress.h"
#include "recording_write.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_EXPLAIN_NONE, RETC_EXPLAIN_TEST, RETC_EXPLAIN_ALL } retc_explain;

typedef struct {
    const char *train, *test; /* stimulus files; test NULL: no test part */
    int no_movie;             /* store the recipes of the stimuli in place of their frames (recipe.h) */
    size_t repeats;           /* R: how often the test stimulus is shown, with fresh spikes each time */
    size_t block;             /* frames written at a time, 0: as many as a few megabytes hold; cannot change the result */
    size_t threads;           /* 0: all processors; cannot change the result */
    retc_explain explain;     /* parts whose contributions and knock-outs are computed */
    retc_circuit_options circuit;
} retc_simulate_options;

/* What came out: frames, units, and per cell the mean rate of its spikes in the train part. */
typedef struct {
    size_t frames[2], cells, bipolars, amacrines;
    int test_is_train;     /* both stimuli begin with the same frames: a model would be tested on what it was fitted to */
    double frame_interval; /* s */
    double *rate;          /* (N) spikes/s */
    size_t levels;         /* of contributions, 0: closed form */
    double difference;     /* largest between all and half of the levels over the largest change of a rate from grey */
} retc_simulate_summary;

/* Largest such difference that is asked of contributions by secants; the number of levels is doubled until the first 512 frames
 * of a part keep to it, or it is 256. */
#define RETC_EXPLAIN_TOLERANCE 1e-3

/* Simulate into the file `output`.  `*writer` receives the writer, finished but not committed; the seed of the circuit is that
 * of the spikes as well.  The circuit is calibrated on the first 4096 frames of the train stimulus, or on as much noise. */
int retc_simulate(const retc_simulate_options *options, const char *output, int force, const retc_progress *progress,
                  retc_recording_writer **writer, retc_simulate_summary *summary) RETC_USED;

void retc_simulate_summary_free(retc_simulate_summary *summary);

#ifdef __cplusplus
}
#endif

#endif
