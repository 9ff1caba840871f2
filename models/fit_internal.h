/* What the files of a fit share: its state, and the steps that they do for one another. */
#ifndef RETC_FIT_INTERNAL_H
#define RETC_FIT_INTERNAL_H

#include "fit.h"
#include "split.h"
#include "trainer.h"

/* Everything that changes while fitting: what a checkpoint holds. */
typedef struct {
    size_t epoch, step;            /* next epoch; steps taken */
    size_t best, waited;           /* number of the best epoch; epochs since then */
    size_t decays, far;            /* of a plateau's learning rate; epochs in a row with a loss far above its best */
    double best_loss;              /* of validation, else of training */
    double first_loss, least_loss; /* of training: of the first step; the least of it and of all epochs */
    float *value_best, *m, *v;     /* (values) */
    float *average;                /* (values) of the latest steps; used when the options ask for it */
    retc_fit_epoch *log;           /* (epochs) */
} retc_fit_state;

typedef struct {
    retc_network *network;
    retc_recording *recording;
    const retc_fit_options *options;
    const retc_fit_checkpoint *checkpoint;
    retc_split split;
    retc_trainer *trainer; /* during an epoch */
    retc_fit_state state;
    float *clipped; /* (values) a gradient cut to its greatest length */
    double step_seconds, last_checkpoint;
    size_t steps_timed;
    retc_fit_report *report;
} retc_fit;

/* Seconds of a clock that only runs forward. */
double retc_fit_clock(void);

/* The number of the state's epoch: all training blocks once, in random order; then the held-out pieces.  `log` is filled. */
int retc_fit_train_epoch(retc_fit *fit, const retc_progress *progress, retc_fit_epoch *log) RETC_USED;
int retc_fit_validate(retc_fit *fit, retc_fit_epoch *log) RETC_USED;

/* Whether all is still finite: parameters, and the gradient of the last step with them (NULL: not that).  RETC_ENUMBER, with
 * the reason in fit->report too, when not. */
int retc_fit_check_finite(retc_fit *fit, const float *gradient) RETC_USED;

/* End it over a loss that is not finite, or too large: "what" completes "step 5: ...".  Returns RETC_ENUMBER. */
int retc_fit_diverge(retc_fit *fit, const char *what) RETC_USED;

/* Whether the training loss of an epoch that ended, least_loss of those before it, has been far away for long. */
int retc_fit_check_far(retc_fit *fit, double train_loss) RETC_USED;

/* Take the parameters that a step ended with into their average; exchange the two. */
void retc_fit_average_step(retc_fit *fit);
void retc_fit_average_swap(retc_fit *fit);

/* Length of the gradient of all trained parameters. */
double retc_fit_gradient_length(const retc_network *network, const float *gradient);

/* The state, as the file of fit->checkpoint. */
int retc_fit_checkpoint_write(const retc_fit *fit) RETC_USED;
int retc_fit_checkpoint_read(retc_fit *fit) RETC_USED;

/* The learning curves of `epochs` epochs, under GROUP/training; "" is the root. */
int retc_fit_log_write(const retc_fit_epoch *log, size_t epochs, const char *group, retc_h5 *file) RETC_USED;
int retc_fit_log_read(retc_h5 *file, const char *group, retc_fit_epoch *log, size_t epochs) RETC_USED;

/* FNV-1a (Fowler, Noll & Vo) of a block of bytes, going on from `hash`; RETC_FIT_DIGEST to begin with. */
#define RETC_FIT_DIGEST 0xCBF29CE484222325u
uint64_t retc_fit_digest(uint64_t hash, const void *block, size_t bytes);

#endif
