/* Responses of an ensemble: the mean over its networks. */
#ifndef RETC_PREDICT_ENSEMBLE_H
#define RETC_PREDICT_ENSEMBLE_H

#include "predict.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Scores of the networks by themselves. */
typedef struct {
    size_t members, N;
    double *pearson, *explained_variance; /* (members,N) */
} retc_prediction_members;

/* As retc_predict, of the mean of the rates that the networks of an ensemble file (models/ensemble.h) give; one network is in
 * memory at a time.  `members` is filled (retc_prediction_members_clear). */
int retc_predict_ensemble(retc_h5 *file, retc_recording *recording, retc_part part, size_t threads,
                          const retc_progress *progress, retc_prediction *result, retc_prediction_members *members) RETC_USED;
void retc_prediction_members_clear(retc_prediction_members *members);

/* Write them as /ensemble/{pearson,explained_variance} (M,N). */
int retc_prediction_members_write(const retc_prediction_members *members, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
