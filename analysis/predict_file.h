/* Predictions as a file:
 *   /<part>/rate, /<part>/measured (N,T) f4 Hz;  /<part>/frame (T) i8 response frame;  /<part>/time (T) f8 s, frame x interval
 *   /cell_names (N);  /score/NAME (N) f8, NAME as in retc_score_names, with its intervals NAME_68 and NAME_95 (N,2) f8, low and
 *   high; the same of the mean over cells as /score/mean/NAME (1), NAME_68 and NAME_95 (1,2)
 *   /interneurons/{names,correlation,layer,channel,row,column} (I) where a simulated retina gave the truth
 *   root attributes kind = "predictions", model_type, part, frame_interval; of /score: repeats, draws, interval_columns */
#ifndef RETC_PREDICT_FILE_H
#define RETC_PREDICT_FILE_H

#include "h5.h"
#include "predict.h"

#ifdef __cplusplus
extern "C" {
#endif

int retc_prediction_write(const retc_prediction *prediction, const retc_network *network, const retc_recording *recording,
                          retc_part part, retc_h5 *file) RETC_USED;
int retc_prediction_scores_write(const retc_prediction_scores *scores, retc_h5 *file) RETC_USED;
int retc_match_write(const retc_match *match, const retc_recording *recording, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
