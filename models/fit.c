#include "fit.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "fit_internal.h"
#include "stream.h"

retc_fit_options
retc_fit_default(void) {
    retc_adam_options adam = retc_adam_default();
    adam.rate = 0.01;
    return (retc_fit_options){.history = 40,
                              .lag = 1,
                              .epochs = 60,
                              .patience = 10,
                              .batch_blocks = 8,
                              .block = 128,
                              .validation = 0.1,
                              .validation_pieces = 10,
                              .loss = RETC_LOSS_POISSON,
                              .penalty = {.l1 = 1e-4},
                              .schedule = {RETC_SCHEDULE_PLATEAU, .decay = 0.3, .every = 10},
                              .adam = adam,
                              .seed = 1};
}

static int
fit_init(retc_fit *f) {
    int status = RETC_OK;
    const retc_fit_options *o = f->options;
    retc_span *spans = NULL;
    size_t n = 0, values = f->network->values;
    RETC_TRY(retc_stream_check(f->network, f->recording, 1));
    RETC_TRY(retc_recording_spans(f->recording, RETC_TRAIN, o->history, o->lag, &spans, &n));
    if (o->split)
        f->split = *o->split;
    else
        RETC_TRY(retc_split_make(spans, n, o->validation, o->validation_pieces, o->history, o->seed, &f->split));
    RETC_TRY(RETC_ALLOC(f->state.value_best, values));
    RETC_TRY(RETC_ALLOC(f->state.m, values));
    RETC_TRY(RETC_ALLOC(f->state.v, values));
    RETC_TRY(RETC_ALLOC(f->state.average, values));
    RETC_TRY(RETC_ALLOC(f->state.log, o->epochs + 1));
    RETC_TRY(RETC_ALLOC(f->clipped, values));
    f->state.best_loss = (double)INFINITY;
    memcpy(f->state.value_best, f->network->value, values * sizeof(float));
    memcpy(f->state.average, f->network->value, values * sizeof(float));
    f->last_checkpoint = retc_fit_clock();
done:
    retc_free(spans);
    return status;
}

static void
fit_clear(retc_fit *f) {
    if (!f->options->split)
        retc_split_clear(&f->split);
    retc_free(f->state.value_best);
    retc_free(f->state.m);
    retc_free(f->state.v);
    retc_free(f->state.average);
    retc_free(f->state.log);
    retc_free(f->clipped);
}

/* Keep the best state; count a plateau when half the patience has passed since.  1: patience is at its end. */
static int
judge_epoch(retc_fit *f, const retc_fit_epoch *epoch) {
    retc_fit_state *s = &f->state;
    double loss = f->split.validation_frames ? epoch->validation_loss : epoch->train_loss;
    if (loss < s->best_loss && !s->far) {
        s->best_loss = loss;
        s->best = s->epoch;
        s->waited = 0;
        memcpy(s->value_best, f->network->value, f->network->values * sizeof(float));
        return 0;
    }
    size_t half = f->options->patience / 2 ? f->options->patience / 2 : 1;
    if (++s->waited % half == 0)
        ++s->decays;
    return s->waited >= f->options->patience;
}

static int
maybe_checkpoint(retc_fit *f) {
    if (!f->checkpoint || !f->checkpoint->path || retc_fit_clock() - f->last_checkpoint < f->checkpoint->interval)
        return RETC_OK;
    int status = retc_fit_checkpoint_write(f);
    f->last_checkpoint = retc_fit_clock();
    return status;
}

static int
run_epochs(retc_fit *f, const retc_progress *progress, int *stopped) {
    int status = RETC_OK;
    retc_fit_state *s = &f->state;
    *stopped = s->waited >= f->options->patience;
    while (s->epoch < f->options->epochs && !*stopped) {
        retc_fit_epoch *epoch = &s->log[s->epoch];
        *epoch = (retc_fit_epoch){0};
        RETC_TRY(retc_fit_train_epoch(f, progress, epoch));
        retc_fit_average_swap(f);
        if (f->split.validation_frames)
            RETC_TRY(retc_fit_validate(f, epoch));
        status = retc_fit_check_far(f, epoch->train_loss);
        *stopped = judge_epoch(f, epoch);
        retc_fit_average_swap(f);
        ++s->epoch;
        RETC_TRY(status);
        RETC_TRY(maybe_checkpoint(f));
    }
done:
    return status;
}

int
retc_fit_run(retc_network *network, retc_recording *recording, const retc_fit_options *options,
             const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_fit_report *report) {
    int status = RETC_OK;
    retc_fit f = {.network = network, .recording = recording, .options = options, .checkpoint = checkpoint, .report = report};
    *report = (retc_fit_report){0};
    RETC_TRY(fit_init(&f));
    if (checkpoint && checkpoint->path && checkpoint->resume && access(checkpoint->path, F_OK) == 0) {
        RETC_TRY(retc_fit_checkpoint_read(&f));
        report->resumed_at = f.state.epoch;
    }
    status = run_epochs(&f, progress, &report->stopped_early);
    if (!(status == RETC_ENUMBER && isfinite(f.state.best_loss)))
        RETC_TRY(status);
    status = RETC_OK;
    memcpy(network->value, f.state.value_best, network->values * sizeof(float));
    report->epochs = f.state.epoch;
    report->best = f.state.best;
    report->epoch = f.state.log;
    f.state.log = NULL;
    report->train_frames = f.split.train_frames;
    report->validation_frames = f.split.validation_frames;
    report->step_seconds = f.steps_timed ? f.step_seconds / (double)f.steps_timed : 0;
done:
    fit_clear(&f);
    return status;
}

void
retc_fit_report_clear(retc_fit_report *report) {
    retc_free(report->epoch);
    *report = (retc_fit_report){0};
}

int
retc_fit_report_write(const retc_fit_report *report, retc_h5 *file) {
    return retc_fit_log_write(report->epoch, report->epochs, "", file);
}
