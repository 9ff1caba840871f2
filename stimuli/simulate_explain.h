/* The truth about a part of a simulated recording: contributions and knock-outs, computed and written as simulate.h says. */
#ifndef RETC_SIMULATE_EXPLAIN_H
#define RETC_SIMULATE_EXPLAIN_H

#include "circuit.h"
#include "h5.h"
#include "progress.h"
#include "recording.h"
#include "stimulus_file.h"

typedef struct {
    const retc_circuit *circuit;
    retc_stimulus *stimulus;
    retc_h5 *file;
    retc_part part;
    size_t block, threads;
    const retc_progress *progress;
    size_t *played, total; /* frames, for the progress */
} retc_explanation;

/* `*levels` and `*difference` as in retc_simulate_summary. */
int retc_explain_part(const retc_explanation *explanation, size_t *levels, double *difference) RETC_USED;

#endif
