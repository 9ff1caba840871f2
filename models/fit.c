#include "fit.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rng.h"
#include "split.h"
#include "stats.h"
#include "stream.h"
#include "trainer.h"

enum { LOG_COLUMNS = 3 }; /* train loss, validation loss, validation r */

/* Everything that changes while fitting: what a checkpoint holds. */
typedef struct {
    size_t epoch, step;  /* next epoch; steps taken */
    size_t best, waited; /* number of the best epoch; epochs since it or the last decay */
    double rate, best_loss;
    float *value_best, *m, *v; /* (values) */
    retc_fit_epoch *log;       /* (epochs) */
} fit_state;

typedef struct {
    retc_network *network;
    retc_recording *recording;
    const retc_fit_options *options;
    const retc_fit_checkpoint *checkpoint;
    retc_split split;
    retc_trainer *trainer;
    fit_state state;
    double step_seconds, last_checkpoint;
    size_t steps_timed;
} fit;

static double
now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

retc_fit_options
retc_fit_default(void) {
    retc_adam_options adam = retc_adam_default();
    adam.rate = 0.01;
    adam.l2 = 3e-3;
    return (retc_fit_options){.history = 40,
                              .lag = 1,
                              .channels = {8, 8},
                              .kernel = {15, 11},
                              .noise = 0.3,
                              .epochs = 60,
                              .patience = 10,
                              .batch_blocks = 8,
                              .block = 128,
                              .validation = 0.1,
                              .validation_pieces = 10,
                              .decay = 0.3,
                              .adam = adam,
                              .seed = 1};
}

/* ---- the network ----------------------------------------------------------------------------------------------------- */

/* Mean rate of every cell over the train part, Hz. */
static int
mean_rates(retc_recording *recording, double *rate) {
    enum { CHUNK = 4096 };
    size_t N = retc_recording_cells(recording), T = retc_recording_frames(recording, RETC_TRAIN);
    float *count = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(count, N * CHUNK));
    for (size_t t = 0; t < T; t += CHUNK) {
        size_t n = T - t < CHUNK ? T - t : CHUNK;
        RETC_TRY(retc_recording_counts(recording, RETC_TRAIN, t, n, count));
        for (size_t j = 0; j < N; ++j)
            for (size_t k = 0; k < n; ++k)
                rate[j] += (double)count[j * n + k];
    }
    for (size_t j = 0; j < N; ++j)
        rate[j] /= (double)T * retc_recording_frame_interval(recording);
done:
    retc_free(count);
    return status;
}

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static int
add_layers(retc_network *network, const retc_fit_options *options) {
    int status = RETC_OK;
    size_t h = network->H, w = network->W;
    for (size_t i = 0; i < 2; ++i) {
        size_t kh = smaller(options->kernel[i], h), kw = smaller(options->kernel[i], w);
        RETC_TRY(retc_network_add_conv(network, options->channels[i], kh, kw, 1, 0));
        RETC_TRY(retc_network_add_batchnorm(network, 0, 0, 1e-3));
        RETC_TRY(retc_network_add_noise(network, options->noise));
        RETC_TRY(retc_network_add_simple(network, RETC_LAYER_RELU));
        h -= kh - 1, w -= kw - 1;
    }
    retc_network_skip_module(network); /* torch's Flatten */
    RETC_TRY(retc_network_add_conv(network, network->N, 0, 0, 0, 1));
    RETC_TRY(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    RETC_TRY(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
done:
    return status;
}

/* The last batch norm starts where softplus gives each cell's mean rate, with a spread of half a unit. */
static void
start_at_mean_rates(retc_network *network, const double *rate, double output_hz) {
    const retc_layer *norm = &network->layer[network->layers - 3];
    for (size_t j = 0; j < network->N; ++j) {
        double units = fmax(rate[j] / output_hz, 1e-3);
        retc_network_values(network, norm->weight)[j] = 0.5f;
        retc_network_values(network, norm->bias)[j] = (float)log(expm1(units));
    }
}

static int
build(retc_recording *recording, const retc_fit_options *options, retc_network **result) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording);
    double *rate = NULL, mean = 0;
    retc_network *network;
    RETC_TRY(RETC_GOT(*result = network = retc_network_alloc("cnn", options->history, retc_recording_height(recording),
                                                             retc_recording_width(recording), N)));
    network->lag = options->lag;
    network->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(retc_recording_stimulus_norm(recording, &network->stimulus_mean, &network->stimulus_std));
    for (size_t j = 0; j < N; ++j)
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
    RETC_TRY(RETC_ALLOC(rate, N));
    RETC_TRY(mean_rates(recording, rate));
    for (size_t j = 0; j < N; ++j)
        mean += rate[j] / (double)N;
    if (!(mean > 0)) {
        status = RETC_FAIL(RETC_EINVAL, "%s: no cell fires in the train part, there is nothing to fit",
                           retc_recording_path(recording));
        goto done;
    }
    double output_hz = options->output_hz > 0 ? options->output_hz : mean;
    RETC_TRY(add_layers(network, options));
    RETC_TRY(retc_network_add_scale(network, output_hz, 0));
    RETC_TRY(retc_network_finish(network));
    RETC_TRY(retc_network_init(network, options->seed));
    start_at_mean_rates(network, rate, output_hz);
done:
    retc_free(rate);
    return status;
}

retc_network *
retc_fit_network(retc_recording *recording, const retc_fit_options *options) {
    retc_network *network = NULL;
    if (build(recording, options, &network) < 0) {
        retc_network_free(network);
        return NULL;
    }
    return network;
}

/* ---- validation ------------------------------------------------------------------------------------------------------ */

/* Loss and correlation of the prediction with the counts, per cell. */
typedef struct {
    fit *f;
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
        v->loss[j] += retc_poisson_loss(rate, count, block->n, tape->network->frame_interval);
        retc_sums_add(&v->sums[j], rate, count, block->n);
    }
    return status;
}

static int
validate(fit *f, retc_fit_epoch *result) {
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
done:
    retc_free(v.loss);
    retc_free(v.sums);
    retc_free(v.count);
    return status;
}

/* ---- one epoch ------------------------------------------------------------------------------------------------------- */

/* Adam on every stretch of trainable parameters of the table.  Only the weights of convolutions are penalised: the scale and
 * shift of batch norm set rates, and a penalty would bias them. */
static void
update(fit *f, const float *gradient) {
    retc_adam_options adam = f->options->adam;
    adam.rate = f->state.rate;
    for (size_t i = 0; i < f->network->params; ++i) {
        const retc_param *param = &f->network->param[i];
        size_t at = param->offset;
        adam.l2 = param->rank > 1 ? f->options->adam.l2 : 0;
        if (param->trainable)
            retc_adam_step(&adam, f->state.step, gradient + at, param->size, f->state.m + at, f->state.v + at,
                           f->network->value + at);
    }
}

static int
take_step(fit *f, const retc_block *blocks, size_t n, double *loss) {
    int status = RETC_OK;
    const float *gradient;
    double start = now();
    for (size_t b = 0; b < n; ++b)
        RETC_TRY(retc_trainer_load(f->trainer, f->recording, RETC_TRAIN, b, &blocks[b]));
    RETC_TRY(retc_trainer_step(f->trainer, n, f->state.step, loss, &gradient));
    ++f->state.step;
    update(f, gradient);
    f->step_seconds += now() - start;
    ++f->steps_timed;
done:
    return status;
}

/* All training blocks once, in random order; block borders move from epoch to epoch.  A last batch that is not full is left
 * out, unless it is the only one. */
static int
run_epoch(fit *f, const retc_progress *progress, retc_fit_epoch *log) {
    int status = RETC_OK;
    const retc_fit_options *o = f->options;
    retc_block *blocks = NULL, *batch = NULL;
    size_t *order = NULL, n = 0, done_steps = 0;
    char note[96];
    gsl_rng *rng = retc_rng_alloc(o->seed, RETC_STREAM_BATCHES, f->state.epoch);
    RETC_TRY(RETC_GOT(rng));
    RETC_TRY(
        retc_split_blocks(f->split.train, f->split.n_train, o->block, (size_t)gsl_rng_uniform_int(rng, o->block), &blocks, &n));
    RETC_TRY(RETC_ALLOC(order, n));
    RETC_TRY(RETC_ALLOC(batch, o->batch_blocks));
    for (size_t i = 0; i < n; ++i)
        order[i] = i;
    retc_rng_shuffle(rng, order, n);
    size_t steps = n / o->batch_blocks ? n / o->batch_blocks : 1, size = smaller(n, o->batch_blocks);
    for (; done_steps < steps; ++done_steps) {
        double loss;
        for (size_t b = 0; b < size; ++b)
            batch[b] = blocks[order[done_steps * o->batch_blocks + b]];
        RETC_TRY(take_step(f, batch, size, &loss));
        log->train_loss += loss / (double)steps;
        snprintf(note, sizeof note, "epoch %zu, loss %.4f, best validation r %.3f", f->state.epoch + 1, loss,
                 f->state.epoch ? f->state.log[f->state.best].validation_r : 0.0);
        retc_progress_report(progress, f->state.epoch * steps + done_steps + 1, o->epochs * steps, note);
    }
done:
    if (rng)
        gsl_rng_free(rng);
    retc_free(blocks);
    retc_free(batch);
    retc_free(order);
    return status;
}

/* ---- checkpoints ----------------------------------------------------------------------------------------------------- */

static int
write_log(const retc_fit_epoch *log, size_t epochs, retc_h5 *file) {
    int status = RETC_OK;
    static const char *names[LOG_COLUMNS] = {"/training/train_loss", "/training/validation_loss", "/training/validation_r"};
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(column, epochs + 1));
    for (int c = 0; c < LOG_COLUMNS; ++c) {
        for (size_t e = 0; e < epochs; ++e)
            column[e] = c == 0 ? log[e].train_loss : c == 1 ? log[e].validation_loss : log[e].validation_r;
        RETC_TRY(retc_h5_put(file, names[c], RETC_H5_DOUBLE, 1, &epochs, column));
    }
done:
    retc_free(column);
    return status;
}

/* A dataset of exactly n values. */
static int
read_values(retc_h5 *file, const char *name, retc_h5_type type, size_t n, void *out) {
    int status = retc_h5_expect(file, name, 1, &n, NULL);
    return status < 0 ? status : retc_h5_read(file, name, type, NULL, NULL, out);
}

static int
read_log(retc_h5 *file, retc_fit_epoch *log, size_t epochs) {
    int status = RETC_OK;
    static const char *names[LOG_COLUMNS] = {"/training/train_loss", "/training/validation_loss", "/training/validation_r"};
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(column, epochs + 1));
    for (int c = 0; c < LOG_COLUMNS; ++c) {
        RETC_TRY(read_values(file, names[c], RETC_H5_DOUBLE, epochs, column));
        for (size_t e = 0; e < epochs; ++e)
            *(c == 0 ? &log[e].train_loss : c == 1 ? &log[e].validation_loss : &log[e].validation_r) = column[e];
    }
done:
    retc_free(column);
    return status;
}

static int
write_checkpoint(const fit *f) {
    int status = RETC_OK;
    const fit_state *s = &f->state;
    size_t n = f->network->values;
    retc_h5 *file = retc_h5_create(f->checkpoint->path, 1);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "fit checkpoint"));
    RETC_TRY(retc_h5_put(file, "/fit/value", RETC_H5_FLOAT, 1, &n, f->network->value));
    RETC_TRY(retc_h5_put(file, "/fit/value_best", RETC_H5_FLOAT, 1, &n, s->value_best));
    RETC_TRY(retc_h5_put(file, "/fit/adam_m", RETC_H5_FLOAT, 1, &n, s->m));
    RETC_TRY(retc_h5_put(file, "/fit/adam_v", RETC_H5_FLOAT, 1, &n, s->v));
    double numbers[6] = {(double)s->epoch, (double)s->step, (double)s->best, (double)s->waited, s->rate, s->best_loss};
    size_t six = 6;
    RETC_TRY(retc_h5_put(file, "/fit/state", RETC_H5_DOUBLE, 1, &six, numbers));
    RETC_TRY(write_log(s->log, s->epoch, file));
    if (f->checkpoint->provenance)
        RETC_TRY(retc_provenance_write(f->checkpoint->provenance, file));
    RETC_TRY(retc_h5_commit(file));
done:
    retc_h5_close(file);
    return status;
}

static int
read_checkpoint(fit *f) {
    int status = RETC_OK;
    fit_state *s = &f->state;
    size_t n = f->network->values;
    double numbers[6];
    const char *path = f->checkpoint->path;
    if (f->checkpoint->provenance && !retc_provenance_is_current(f->checkpoint->provenance, path))
        return RETC_FAIL(RETC_EINVAL,
                         "%s: this checkpoint belongs to another fit (other options, recording or version); remove it to "
                         "start anew",
                         path);
    retc_h5 *file = retc_h5_open(path);
    if (!file)
        return RETC_EIO;
    RETC_TRY(read_values(file, "/fit/value", RETC_H5_FLOAT, n, f->network->value));
    RETC_TRY(read_values(file, "/fit/value_best", RETC_H5_FLOAT, n, s->value_best));
    RETC_TRY(read_values(file, "/fit/adam_m", RETC_H5_FLOAT, n, s->m));
    RETC_TRY(read_values(file, "/fit/adam_v", RETC_H5_FLOAT, n, s->v));
    RETC_TRY(read_values(file, "/fit/state", RETC_H5_DOUBLE, 6, numbers));
    if (!(numbers[0] >= 0 && numbers[0] <= (double)f->options->epochs)) {
        status = RETC_FAIL(RETC_EFORMAT, "%s: the checkpoint stands at epoch %g of %zu", path, numbers[0], f->options->epochs);
        goto done;
    }
    s->epoch = (size_t)numbers[0], s->step = (size_t)numbers[1], s->best = (size_t)numbers[2], s->waited = (size_t)numbers[3];
    s->rate = numbers[4], s->best_loss = numbers[5];
    RETC_TRY(read_log(file, s->log, s->epoch));
done:
    retc_h5_close(file);
    return status;
}

static int
maybe_checkpoint(fit *f) {
    if (!f->checkpoint || !f->checkpoint->path || now() - f->last_checkpoint < f->checkpoint->interval)
        return RETC_OK;
    int status = write_checkpoint(f);
    f->last_checkpoint = now();
    return status;
}

/* ---- the fit --------------------------------------------------------------------------------------------------------- */

static int
fit_init(fit *f) {
    int status = RETC_OK;
    const retc_fit_options *o = f->options;
    retc_span *spans = NULL;
    size_t n = 0, values = f->network->values;
    RETC_TRY(retc_stream_check(f->network, f->recording, 1));
    RETC_TRY(retc_recording_spans(f->recording, RETC_TRAIN, o->history, o->lag, &spans, &n));
    RETC_TRY(retc_split_make(spans, n, o->validation, o->validation_pieces, o->history, o->seed, &f->split));
    retc_trainer_options options = {o->batch_blocks, o->block, o->threads, o->seed, f->network->frame_interval};
    RETC_TRY(RETC_GOT(f->trainer = retc_trainer_alloc(f->network, &options)));
    RETC_TRY(RETC_ALLOC(f->state.value_best, values));
    RETC_TRY(RETC_ALLOC(f->state.m, values));
    RETC_TRY(RETC_ALLOC(f->state.v, values));
    RETC_TRY(RETC_ALLOC(f->state.log, o->epochs + 1));
    f->state.rate = o->adam.rate;
    f->state.best_loss = (double)INFINITY;
    memcpy(f->state.value_best, f->network->value, values * sizeof(float));
    f->last_checkpoint = now();
done:
    retc_free(spans);
    return status;
}

static void
fit_clear(fit *f) {
    retc_trainer_free(f->trainer);
    retc_split_clear(&f->split);
    retc_free(f->state.value_best);
    retc_free(f->state.m);
    retc_free(f->state.v);
    retc_free(f->state.log);
}

/* Keep the best state; let the learning rate decay when half the patience has passed since.  1: patience is at its end. */
static int
judge_epoch(fit *f, const retc_fit_epoch *epoch) {
    fit_state *s = &f->state;
    double loss = f->split.validation_frames ? epoch->validation_loss : epoch->train_loss;
    if (loss < s->best_loss) {
        s->best_loss = loss;
        s->best = s->epoch;
        s->waited = 0;
        memcpy(s->value_best, f->network->value, f->network->values * sizeof(float));
        return 0;
    }
    size_t half = f->options->patience / 2 ? f->options->patience / 2 : 1;
    if (++s->waited % half == 0)
        s->rate *= f->options->decay;
    return s->waited >= f->options->patience;
}

static int
run_epochs(fit *f, const retc_progress *progress, int *stopped) {
    int status = RETC_OK;
    fit_state *s = &f->state;
    *stopped = s->waited >= f->options->patience;
    while (s->epoch < f->options->epochs && !*stopped) {
        retc_fit_epoch *epoch = &s->log[s->epoch];
        *epoch = (retc_fit_epoch){0};
        RETC_TRY(run_epoch(f, progress, epoch));
        if (f->split.validation_frames)
            RETC_TRY(validate(f, epoch));
        *stopped = judge_epoch(f, epoch);
        ++s->epoch;
        RETC_TRY(maybe_checkpoint(f));
    }
done:
    return status;
}

int
retc_fit_run(retc_network *network, retc_recording *recording, const retc_fit_options *options,
             const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_fit_report *report) {
    int status = RETC_OK;
    fit f = {.network = network, .recording = recording, .options = options, .checkpoint = checkpoint};
    *report = (retc_fit_report){0};
    RETC_TRY(fit_init(&f));
    if (checkpoint && checkpoint->path && checkpoint->resume && access(checkpoint->path, F_OK) == 0) {
        RETC_TRY(read_checkpoint(&f));
        report->resumed_at = f.state.epoch;
    }
    RETC_TRY(run_epochs(&f, progress, &report->stopped_early));
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
    return write_log(report->epoch, report->epochs, file);
}
