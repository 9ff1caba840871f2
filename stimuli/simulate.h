/* Play stimulus files to the simulated retina (circuit.h) and record it.
 *
 * The recording holds, beside what every recording holds:
 *   /interneurons/names (I), {row,column,cell} (I) i8, weight (I) f8    the wiring; `cell` counts from 0
 *   /interneurons/<part>/signal (I,T) f4                                signals after rectification, dimensionless
 *   /truth/<part>/rate (N,T) f4                                         spikes/s
 *   /truth/output/{gain,slope,offset} (N) f8                            rate = gain log(1 + exp(slope input + offset))
 *   /truth/filters/<type>/{time (K), space (height,width), gain} f8     as in circuit.h, lag 1 first
 *   root attribute lag = 1 */
#ifndef RETC_SIMULATE_H
#define RETC_SIMULATE_H

#include "circuit.h"
#include "progress.h"
#include "recording_write.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *train, *test; /* stimulus files; test NULL: no test part */
    int no_movie;             /* store the recipes of the stimuli in place of their frames (recipe.h) */
    size_t repeats;           /* R: how often the test stimulus is shown, with fresh spikes each time */
    size_t block;             /* frames played at a time, 0: as many as a few megabytes hold; cannot change the result */
    retc_circuit_options circuit;
} retc_simulate_options;

/* What came out: frames, units, and per cell the mean rate of its spikes in the train part. */
typedef struct {
    size_t frames[2], cells, units;
    int test_is_train;     /* both stimuli begin with the same frames: a model would be tested on what it was fitted to */
    double frame_interval; /* s */
    double *rate;          /* (N) spikes/s */
} retc_simulate_summary;

/* Simulate into the file `output`.  `*writer` receives the writer, finished but not committed; the seed of the circuit is that
 * of the spikes as well.  The circuit is calibrated on the first 4096 frames of the train stimulus. */
int retc_simulate(const retc_simulate_options *options, const char *output, int force, const retc_progress *progress,
                  retc_recording_writer **writer, retc_simulate_summary *summary) RETC_USED;

void retc_simulate_summary_free(retc_simulate_summary *summary);

#ifdef __cplusplus
}
#endif

#endif
