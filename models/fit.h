/* Fitting the convolutional model to a recording. */
#ifndef RETC_FIT_H
#define RETC_FIT_H

#include "adam.h"
#include "network.h"
#include "progress.h"
#include "provenance.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t history, lag;        /* frames */
    size_t channels[2];         /* of conv0 and conv1 */
    size_t kernel[2];           /* side of their square kernels, pixels; cut to the map where it is smaller */
    double noise;               /* standard deviation of the noise layers, in units of batch norm's output */
    double output_hz;           /* Hz per unit of the softplus; 0: the mean rate of all cells */
    size_t epochs, patience;    /* stop after `patience` epochs without a better validation loss */
    size_t batch_blocks, block; /* blocks per batch, response frames per block */
    double validation;          /* fraction of the train part */
    size_t validation_pieces;
    double decay; /* factor on the learning rate when half the patience has passed without improvement */
    retc_adam_options adam;
    uint64_t seed;
    size_t threads;
} retc_fit_options;

typedef struct {
    double train_loss, validation_loss, validation_r; /* mean Poisson loss; mean over cells of Pearson r */
} retc_fit_epoch;

typedef struct {
    size_t epochs, best;   /* epochs run; number of the one kept, from 0 */
    int stopped_early;     /* nonzero: patience ran out before the limit on epochs */
    retc_fit_epoch *epoch; /* (epochs) */
    size_t train_frames, validation_frames;
    double step_seconds; /* mean wall time of a training step */
    size_t resumed_at;   /* epoch at which a checkpoint was taken up, 0: from the start */
} retc_fit_report;

/* The checkpoint: where it is, whether to take it up, and the provenance that tells whether it belongs to this fit. */
typedef struct {
    const char *path; /* NULL: none */
    int resume;
    const retc_provenance *provenance; /* NULL: no check, nothing stored */
    double interval;                   /* s between checkpoints; 0: after every epoch */
} retc_fit_checkpoint;

/* channels 8 8, kernels 15 11, history 40, lag 1, noise 0.3, learning rate 0.01, l2 0.003 and so on: see fit.c. */
retc_fit_options retc_fit_default(void);

/* The convolutional model for a recording: [convolution, batch norm, noise, ReLU] twice, dense readout, batch norm, softplus,
 * scale to Hz; initialised so that each cell begins at its mean rate.  NULL with a recorded reason. */
retc_network *retc_fit_network(retc_recording *recording, const retc_fit_options *options);

/* Fit `network` to the train part; it ends as the state of the best epoch.  `report` is filled (retc_fit_report_clear).  Killed
 * at any moment and run again with `resume`, it gives the same model. */
int retc_fit_run(retc_network *network, retc_recording *recording, const retc_fit_options *options,
                 const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_fit_report *report) RETC_USED;

void retc_fit_report_clear(retc_fit_report *report);

/* Write the learning curves as /training/{train_loss,validation_loss,validation_r}. */
int retc_fit_report_write(const retc_fit_report *report, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
