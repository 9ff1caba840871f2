/* Model responses to a part of a recording, scored against what was measured. */
#ifndef RETC_PREDICT_H
#define RETC_PREDICT_H

#include "network.h"
#include "progress.h"
#include "recording.h"
#include "scores.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t N, T;                /* cells, response frames */
    size_t *frame;              /* (T) response frame within the part */
    float *rate, *measured;     /* (N,T) Hz; in the test part the mean over repeats */
    double *pearson;            /* (N) */
    double *explained_variance; /* (N) 1 - mse / variance of the measured rate */
    double *noise_ceiling;      /* (N) largest r a perfect model can reach on these repeats; NaN without repeats */
} retc_prediction;

/* Run `network` over a part.  `result` is filled (retc_prediction_clear). */
int retc_predict(const retc_network *network, retc_recording *recording, retc_part part, size_t threads,
                 const retc_progress *progress, retc_prediction *result) RETC_USED;
void retc_prediction_clear(retc_prediction *prediction);

/* Means over the cells whose score is a number. */
typedef struct {
    double pearson, explained_variance, noise_ceiling;
} retc_prediction_mean;
retc_prediction_mean retc_prediction_means(const retc_prediction *prediction);

/* All scores of a prediction, with ceilings and intervals (scores.h). */
typedef struct {
    size_t N, repeats, draws;     /* cells; repeats, 0 when the file has none; draws that intervals stand on, 0: no intervals */
    retc_score *cell;             /* (N,RETC_SCORES) */
    retc_score mean[RETC_SCORES]; /* over the cells whose score is a number */
} retc_prediction_scores;

/* Score a prediction of a part against its responses: in the test part against single repeats where the recording has them.
 * Deviances of single trials are NaN where a test part has only its mean.  `result` is filled (retc_prediction_scores_clear).
 */
int retc_prediction_score(const retc_prediction *prediction, retc_recording *recording, retc_part part,
                          const retc_score_options *options, const retc_progress *progress,
                          retc_prediction_scores *result) RETC_USED;
void retc_prediction_scores_clear(retc_prediction_scores *scores);

/* 1 when the network has units behind a ReLU. */
int retc_network_has_interneurons(const retc_network *network);

/* For each true interneuron of a simulated retina, the model unit after a ReLU whose activation follows its signal best. */
typedef struct {
    size_t I;
    double *correlation;                    /* (I) Pearson r over the frames of the part */
    size_t *layer, *channel, *row, *column; /* (I) `layer` counts the convolutions: 0 for the units behind conv0 */
} retc_match;

/* Streams the part once; memory is (interneurons x units), not the recording.  Fails when the recording has no interneurons. */
int retc_match_interneurons(const retc_network *network, retc_recording *recording, retc_part part, size_t threads,
                            const retc_progress *progress, retc_match *result) RETC_USED;
void retc_match_clear(retc_match *match);

/* Interneurons by correlation, best first: order (I). */
void retc_match_order(const retc_match *match, size_t *order);

#ifdef __cplusplus
}
#endif

#endif
