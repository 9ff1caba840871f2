/* Ensembles: several networks of the same layers, fitted from different seeds or to different folds of the train part.
 *
 * The rates of networks that differ by chance are averaged: what they got wrong each in its own way averages out (Hansen &
 * Salamon 1990).  The folds of a cross-validation score every response frame of the train part by a network that was not
 * trained on it. */
#ifndef RETC_ENSEMBLE_H
#define RETC_ENSEMBLE_H

#include "fit.h"
#include "stats.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t seeds;   /* networks with the seeds seed ... seed + seeds - 1 */
    size_t folds;   /* or as many networks as folds, all with the same seed; at most one of the two is above 1 */
    int own_splits; /* of seeds: each holds out pieces of its own */
} retc_ensemble_options;

typedef struct {
    uint64_t seed;
    retc_fit_report report;
    float *value;    /* (values) parameters of the best epoch */
    double *loss;    /* (N) mean loss on the frames it held out; NaN when there were none */
    retc_sums *sums; /* (N) of predicted rates and counts there */
} retc_ensemble_member;

typedef struct {
    size_t members, done, folds; /* folds 0: they are seeds */
    size_t N, values;            /* cells; parameters of a network */
    size_t best;                 /* the member with the least validation loss */
    size_t resumed_at;           /* members that a checkpoint held, 0: none */
    retc_ensemble_member *member;
} retc_ensemble;

/* How many networks the options ask for. */
size_t retc_ensemble_size(const retc_ensemble_options *options);

/* Fit them one after another, of `fit` with its seed as the first; `*network` is the best one (retc_network_free), `ensemble`
 * is filled (retc_ensemble_clear).  Finished members are kept in the checkpoint, the one at work in a file of that name with
 * ".member" behind it: killed at any moment and run again with `resume`, the result is the same.  A member that diverges after
 * a good epoch counts with that epoch. */
int retc_ensemble_fit(retc_recording *recording, const retc_fit_options *fit, const retc_ensemble_options *options,
                      const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_network **network,
                      retc_ensemble *ensemble) RETC_USED;
void retc_ensemble_clear(retc_ensemble *ensemble);

/* Remove what the checkpoint has left once the model is written. */
void retc_ensemble_forget(const char *checkpoint, size_t members);

/* Pearson's r of cell j on the frames that member m held out; over all members' frames together for folds, where each frame is
 * held out once.  NaN when there were none. */
double retc_ensemble_pearson(const retc_ensemble *ensemble, size_t m, size_t j);
double retc_ensemble_pooled_pearson(const retc_ensemble *ensemble, size_t j);

/* Write the members into a model file whose own tensors are those of the best, `network`: /ensemble/<m>/state_dict and
 * /ensemble/<m>/training; /ensemble/{seed,epochs} (M), /ensemble/{validation_loss,validation_r} (M,N), for folds
 * /ensemble/held_out_r (N); root attributes members, best_member. */
int retc_ensemble_write(const retc_ensemble *ensemble, retc_network *network, retc_h5 *file) RETC_USED;

/* Members of a model file, 0 when it holds a single network; and one of them (retc_network_free), NULL with a reason. */
size_t retc_ensemble_members(retc_h5 *file);
retc_network *retc_ensemble_read(retc_h5 *file, size_t m);

#ifdef __cplusplus
}
#endif

#endif
