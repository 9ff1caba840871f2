/* What the files of a fit share: its state, and the steps that they do for one another. */
#ifndef RETC_FIT_INTERNAL_H
#define RETC_FIT_INTERNAL_H

#include "fit.h"
#include "split.h"
#include "trainer.h"

/* Everything that changes while fitting: what a checkpoint holds. */
typedef struct {
    size_t epoch, step;  /* next epoch; steps taken */
    size_t best, waited; /* number of the best epoch; epochs since it or the last decay */
    double rate, best_loss;
    float *value_best, *m, *v; /* (values) */
    retc_fit_epoch *log;       /* (epochs) */
} retc_fit_state;

typedef struct {
    retc_network *network;
    retc_recording *recording;
    const retc_fit_options *options;
    const retc_fit_checkpoint *checkpoint;
    retc_split split;
    retc_trainer *trainer;
    retc_fit_state state;
    double step_seconds, last_checkpoint;
    size_t steps_timed;
} retc_fit;

/* Seconds of a clock that only runs forward. */
double retc_fit_clock(void);

/* The number of the state's epoch: all training blocks once, in random order; then the held-out pieces.  `log` is filled. */
int retc_fit_train_epoch(retc_fit *fit, const retc_progress *progress, retc_fit_epoch *log) RETC_USED;
int retc_fit_validate(retc_fit *fit, retc_fit_epoch *log) RETC_USED;

/* The state, as the file of fit->checkpoint. */
int retc_fit_checkpoint_write(const retc_fit *fit) RETC_USED;
int retc_fit_checkpoint_read(retc_fit *fit) RETC_USED;

/* The learning curves of `epochs` epochs, under /training. */
int retc_fit_log_write(const retc_fit_epoch *log, size_t epochs, retc_h5 *file) RETC_USED;

#endif
