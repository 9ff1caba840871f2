/* Contributions of a model's channels and units beside the true contributions of the interneurons of a simulated retina.
 *
 * Both say how much each drives the same ganglion cell at each moment, integrated from mean grey: those of a recording made by
 * retcodec simulate --truth (simulate.h) at two cuts through the circuit, those of retcodec contribute --target cell at the
 * convolutions.  Every true series is correlated over the samples with every series of the model, and the model's with the
 * largest r is its match.  The last layer, the cells themselves, is left out.  As the best of many is above 0 by chance alone,
 * the same is done with the true series turned round by half of the samples, which keeps what both series are by themselves. */
#ifndef RETC_TRUTH_MATCH_H
#define RETC_TRUTH_MATCH_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The series of the model that follows a true one best. */
typedef struct {
    double r, chance;      /* of the match, and of the best match of the series turned round; NaN when constant */
    size_t layer, channel; /* of the match; layers as in layer_names */
    size_t row, column;    /* of the unit, where units were compared */
    int cut;               /* of the circuit: 0 bipolar, 1 synapse */
    const char *name;      /* of the interneuron or of its type (borrowed from the result) */
} retc_truth_best;

typedef struct {
    size_t cell, samples; /* cell in the recording */
    char *cell_name;
    size_t layers, channels;      /* layers but the last, and the channels of these */
    char **layer_name;            /* (layers) one block */
    size_t *first;                /* (layers+1) channels of layer i: first[i] ... first[i+1]-1 */
    int units;                    /* interneurons were compared with units (the file holds maps), else with channels */
    size_t interneurons, types;   /* of both cuts together, on this cell */
    retc_truth_best *interneuron; /* (interneurons) */
    retc_truth_best *type;        /* (types) sum of a type's interneurons, against channels */
    double *correlation;          /* (types,channels) */
    double mean_r, mean_chance;   /* over interneurons that have one; NaN without any */
    char **names[2];              /* of interneurons, of their types: one block each */
} retc_truth_match;

/* Names of the circuit's cuts, for labels: "drive", "synapse". */
const char *retc_truth_cut_name(int cut);

/* Compare: `contributions` to one cell, of the part that they are of, with the truth in `recording`.  `result` is filled
 * (retc_truth_match_clear). */
int retc_truth_match_compute(retc_h5 *contributions, retc_h5 *recording, retc_truth_match *result) RETC_USED;
void retc_truth_match_clear(retc_truth_match *match);

/* Series of interneuron i and of its match, both (samples), and their time (samples) s. */
int retc_truth_match_series(retc_h5 *contributions, retc_h5 *recording, const retc_truth_match *match, size_t i, float *truth,
                            float *model, double *time) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
