/* One epoch of a fit: every training block once, then a look at the pieces held out. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "fit_internal.h"
#include "rng.h"
#include "stats.h"
#include "stream.h"

double
retc_fit_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one epoch ------------------------------------------------------------------------------------------------------- */

/* The gradient, cut to its greatest length (Pascanu et al. 2013, algorithm 1). */
static const float *
clip(retc_fit *f, const float *gradient) {
    double length = retc_fit_gradient_length(f->network, gradient), most = f->options->clip;
    if (most <= 0 || length <= most)
        return gradient;
    float scale = (float)(most / length);
    for (size_t i = 0; i < f->network->values; ++i)
        f->clipped[i] = scale * gradient[i];
    return f->clipped;
}

/* Adam on every stretch of trainable parameters of the table. */
static void
update(retc_fit *f, const float *gradient, double rate) {
    retc_network *network = f->network;
    retc_adam_options adam = f->options->adam;
    adam.rate = rate;
    for (size_t i = 0; i < network->params; ++i) {
        const retc_param *param = &network->param[i];
        size_t at = param->offset;
        adam.weight_decay = retc_penalty_is_weight(param) ? f->options->adam.weight_decay : 0;
        if (param->trainable)
            retc_adam_step(&adam, f->state.step, gradient + at, param->size, f->state.m + at, f->state.v + at,
                           network->value + at);
    }
    retc_network_derive(f->network);
}

static int
take_step(retc_fit *f, const retc_block *blocks, size_t n, double rate, double *loss) {
    int status = RETC_OK;
    const float *gradient;
    double start = retc_fit_clock();
    for (size_t b = 0; b < n; ++b)
        RETC_TRY(retc_trainer_load(f->trainer, f->recording, RETC_TRAIN, b, &blocks[b]));
    status = retc_trainer_step(f->trainer, n, f->state.step, loss, &gradient);
    ++f->state.step;
    if (status == RETC_ENUMBER)
        status = retc_fit_diverge(f, "the loss is not finite");
    RETC_TRY(status);
    RETC_TRY(retc_fit_check_finite(f, gradient));
    update(f, clip(f, gradient), rate);
    RETC_TRY(retc_fit_check_finite(f, NULL));
    retc_fit_average_step(f);
    f->step_seconds += retc_fit_clock() - start;
    ++f->steps_timed;
done:
    return status;
}

/* Steps of the epoch over blocks in the order given; what is left over is too little for a batch. */
static int
run_steps(retc_fit *f, const retc_block *blocks, const size_t *order, size_t n, const retc_progress *progress,
          retc_fit_epoch *log) {
    int status = RETC_OK;
    const retc_fit_options *o = f->options;
    size_t steps = n / o->batch_blocks ? n / o->batch_blocks : 1, size = n < o->batch_blocks ? n : o->batch_blocks;
    double base = o->adam.rate * retc_schedule_factor(&o->schedule, f->state.epoch, o->epochs, f->state.decays), loss;
    retc_block *batch = NULL;
    char note[96];
    RETC_TRY(RETC_ALLOC(batch, size));
    for (size_t i = 0; i < steps; ++i) {
        for (size_t b = 0; b < size; ++b)
            batch[b] = blocks[order[i * size + b]];
        log->learning_rate = base * retc_schedule_warmup(&o->schedule, f->state.step);
        RETC_TRY(take_step(f, batch, size, log->learning_rate, &loss));
        if (f->state.step == 1)
            f->state.first_loss = f->state.least_loss = loss;
        log->train_loss += loss / (double)steps;
        snprintf(note, sizeof note, "epoch %zu, loss %.4f, best validation r %.3f", f->state.epoch + 1, loss,
                 f->state.epoch ? f->state.log[f->state.best].validation_r : 0.0);
        retc_progress_report(progress, f->state.epoch * steps + i + 1, o->epochs * steps, note);
    }
done:
    retc_free(batch);
    return status;
}

static retc_trainer *
make_trainer(const retc_fit *f) {
    const retc_fit_options *o = f->options;
    retc_trainer_options options = {.blocks = o->batch_blocks,
                                    .block = o->block,
                                    .threads = o->threads,
                                    .seed = o->seed,
                                    .frame_interval = f->network->frame_interval,
                                    .loss = o->loss,
                                    .penalty = o->penalty};
    return retc_trainer_alloc(f->network, &options);
}

/* Block borders move from epoch to epoch.  A last batch that is not full is left out, unless it is the only one.  The trainer
 * goes before validation takes memory of its own. */
int
retc_fit_train_epoch(retc_fit *f, const retc_progress *progress, retc_fit_epoch *log) {
    int status = RETC_OK;
    const retc_fit_options *o = f->options;
    retc_block *blocks = NULL;
    size_t *order = NULL, n = 0;
    gsl_rng *rng = retc_rng_alloc(o->seed, RETC_STREAM_BATCHES, f->state.epoch);
    RETC_TRY(RETC_GOT(rng));
    RETC_TRY(
        retc_split_blocks(f->split.train, f->split.n_train, o->block, (size_t)gsl_rng_uniform_int(rng, o->block), &blocks, &n));
    RETC_TRY(RETC_ALLOC(order, n));
    RETC_TRY(RETC_GOT(f->trainer = make_trainer(f)));
    for (size_t i = 0; i < n; ++i)
        order[i] = i;
    retc_rng_shuffle(rng, order, n);
    RETC_TRY(run_steps(f, blocks, order, n, progress, log));
done:
    if (rng)
        gsl_rng_free(rng);
    retc_trainer_free(f->trainer);
    f->trainer = NULL;
    retc_free(blocks);
    retc_free(order);
    return status;
}

/* ---- validation ------------------------------------------------------------------------------------------------------ */

/* Loss and correlation of the prediction with the counts, per cell. */
typedef struct {
    retc_fit *f;
    double *loss;    /* (N) */
    retc_sums *sums; /* (N) */
    float *count;    /* (N,block) */
} validation;

static int
predict_block(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    (void)context, (void)slot;
    retc_tape_forward(tape, 0, tape->network->layers, block->n);
    return RETC_OK;
}

static int
score_block(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)slot;
    validation *v = context;
    int status = retc_recording_counts(v->f->recording, RETC_TRAIN, block->t0, block->n, v->count);
    for (size_t j = 0; j < tape->network->N && status == RETC_OK; ++j) {
        const float *rate = retc_tape_rate(tape, j), *count = v->count + j * block->n;
        v->loss[j] += retc_loss_sum(v->f->options->loss, rate, count, block->n, tape->network->frame_interval);
        retc_sums_add(&v->sums[j], rate, count, block->n);
    }
    return status;
}

int
retc_fit_validate(retc_fit *f, retc_fit_epoch *result) {
    int status = RETC_OK;
    size_t N = f->network->N, n = f->split.validation_frames;
    validation v = {.f = f};
    retc_stream_options options = {.block = f->options->block, .threads = f->options->threads};
    retc_stream_task task = {predict_block, score_block, &v};
    RETC_TRY(RETC_ALLOC(v.loss, N));
    RETC_TRY(RETC_ALLOC(v.sums, N));
    RETC_TRY(RETC_ALLOC(v.count, N * f->options->block));
    RETC_TRY(retc_stream_run(f->network, f->recording, RETC_TRAIN, f->split.validation, f->split.n_validation, &options, &task,
                             NULL));
    result->validation_loss = result->validation_r = 0;
    for (size_t j = 0; j < N; ++j) {
        double r = retc_sums_pearson(&v.sums[j]);
        result->validation_loss += v.loss[j] / (double)(n * N);
        result->validation_r += isfinite(r) ? r / (double)N : 0;
    }
    if (!isfinite(result->validation_loss))
        RETC_TRY(retc_fit_diverge(f, "the validation loss is not finite"));
done:
    retc_free(v.loss);
    retc_free(v.sums);
    retc_free(v.count);
    return status;
}
