/* Fitting the convolutional model to a recording. */
#ifndef RETC_FIT_H
#define RETC_FIT_H

#include "adam.h"
#include "architecture.h"
#include "loss.h"
#include "network.h"
#include "penalty.h"
#include "progress.h"
#include "provenance.h"
#include "recording.h"
#include "schedule.h"
#include "split.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t history, lag;                   /* frames */
    const retc_architecture *architecture; /* kept; NULL: the preset "cnn" */
    const char *start;          /* model file whose layers and parameters it begins from; NULL: the architecture, random */
    const char *centres;        /* file of receptive-field centres, for readouts at positions; NULL: found from the spikes */
    double output_hz;           /* what "hz = mean" of a scale stands for; 0: the mean rate of all cells */
    size_t epochs, patience;    /* stop after `patience` epochs without a better validation loss */
    size_t batch_blocks, block; /* blocks per batch, response frames per block */
    double validation;          /* fraction of the train part */
    size_t validation_pieces;
    const retc_split *split; /* what trains and what is held out (borrowed); NULL: chosen by the two above and the seed */
    retc_loss loss;
    retc_penalty penalty;
    retc_schedule schedule;
    size_t average; /* steps over which parameters are averaged: that mean is validated and kept; 0: no mean */
    double clip;    /* gradients longer than this are cut to it; 0: never */
    retc_adam_options adam;
    uint64_t seed;
    size_t threads;
} retc_fit_options;

typedef struct {
    double train_loss, validation_loss, validation_r; /* mean loss, without penalties; mean over cells of Pearson r */
    double learning_rate;                             /* of its last step */
} retc_fit_epoch;

typedef struct {
    size_t epochs, best;   /* epochs run; number of the one kept, from 0 */
    int stopped_early;     /* nonzero: patience ran out before the limit on epochs */
    retc_fit_epoch *epoch; /* (epochs) */
    size_t train_frames, validation_frames;
    double step_seconds; /* mean wall time of a training step */
    size_t resumed_at;   /* epoch at which a checkpoint was taken up, 0: from the start */
    int diverged;        /* nonzero: it was ended because something was not finite, or the loss rose far and stayed there */
    size_t diverged_at;  /* number of the step, from 0 */
    char diverged_in[RETC_NAME_SIZE]; /* name of the parameter where it showed */
    char diverged_how[384];           /* one line: step, parameter, what to do */
} retc_fit_report;

/* The checkpoint: where it is, whether to take it up, and the provenance that tells whether it belongs to this fit. */
typedef struct {
    const char *path; /* NULL: none */
    int resume;
    const retc_provenance *provenance; /* NULL: no check, nothing stored */
    double interval;                   /* s between checkpoints; 0: after every epoch */
} retc_fit_checkpoint;

/* Preset "cnn", history 40, lag 1, Poisson loss, learning rate 0.01, l2 0.003 and so on: see fit.c. */
retc_fit_options retc_fit_default(void);

/* The network that options->start holds, which must be one of as many cells, of such movies, history and lag, with the
 * normalisation of the stimulus that it has.  Else that of options->architecture for a recording, with random weights and so
 * that each cell begins at its mean rate (retc_network_start_at_rates).  Where its readout takes positions, they lie at the
 * cells' receptive fields (centres.h).  NULL with a recorded reason. */
retc_network *retc_fit_network(retc_recording *recording, const retc_fit_options *options);

/* Fit `network` to the train part; it ends as the state of the best epoch.  `report` is filled (retc_fit_report_clear).  Killed
 * at any moment and run again with `resume`, it gives the same model.
 *
 * A loss, gradient or parameter that is not finite ends it, and so does a training loss that for three epochs is above its best
 * by more than four times its size: report->diverged, and the network is that of the best epoch; RETC_ENUMBER with the same
 * reason when no epoch had ended well. */
int retc_fit_run(retc_network *network, retc_recording *recording, const retc_fit_options *options,
                 const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_fit_report *report) RETC_USED;

void retc_fit_report_clear(retc_fit_report *report);

/* Write the learning curves as /training/{train_loss,validation_loss,validation_r,learning_rate}. */
int retc_fit_report_write(const retc_fit_report *report, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
