#include "ensemble.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ensemble_internal.h"
#include "stream.h"

size_t
retc_ensemble_size(const retc_ensemble_options *options) {
    return options->folds > 1 ? options->folds : options->seeds;
}

void
retc_ensemble_clear(retc_ensemble *ensemble) {
    for (size_t m = 0; ensemble->member && m < ensemble->members; ++m) {
        retc_fit_report_clear(&ensemble->member[m].report);
        retc_free(ensemble->member[m].value);
        retc_free(ensemble->member[m].loss);
        retc_free(ensemble->member[m].sums);
    }
    retc_free(ensemble->member);
    *ensemble = (retc_ensemble){0};
}

int
retc_ensemble_member_init(const retc_ensemble *ensemble, retc_ensemble_member *member) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(member->value, ensemble->values));
    RETC_TRY(RETC_ALLOC(member->loss, ensemble->N));
    RETC_TRY(RETC_ALLOC(member->sums, ensemble->N));
done:
    return status;
}

/* ---- scores ---------------------------------------------------------------------------------------------------------- */

double
retc_ensemble_pearson(const retc_ensemble *ensemble, size_t m, size_t j) {
    const retc_sums *sums = &ensemble->member[m].sums[j];
    return sums->n > 0 ? retc_sums_pearson(sums) : (double)NAN;
}

double
retc_ensemble_pooled_pearson(const retc_ensemble *ensemble, size_t j) {
    retc_sums all = {0};
    for (size_t m = 0; m < ensemble->members; ++m) {
        const retc_sums *sums = &ensemble->member[m].sums[j];
        all.n += sums->n, all.x += sums->x, all.y += sums->y;
        all.xx += sums->xx, all.yy += sums->yy, all.xy += sums->xy;
    }
    return all.n > 0 ? retc_sums_pearson(&all) : (double)NAN;
}

typedef struct {
    retc_recording *recording;
    retc_loss loss;
    retc_ensemble_member *member;
    float *count; /* (N,block) */
} scoring;

static int
predict_block(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    (void)context, (void)slot;
    retc_tape_forward(tape, 0, tape->network->layers, block->n);
    return RETC_OK;
}

static int
score_block(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)slot;
    scoring *s = context;
    int status = retc_recording_counts(s->recording, RETC_TRAIN, block->t0, block->n, s->count);
    for (size_t j = 0; j < tape->network->N && status == RETC_OK; ++j) {
        const float *rate = retc_tape_rate(tape, j), *count = s->count + j * block->n;
        s->member->loss[j] += retc_loss_sum(s->loss, rate, count, block->n, tape->network->frame_interval);
        retc_sums_add(&s->member->sums[j], rate, count, block->n);
    }
    return status;
}

/* Every cell on the frames that the member held out. */
static int
score(const retc_network *network, retc_recording *recording, const retc_fit_options *fit, const retc_split *split,
      retc_ensemble_member *member) {
    int status = RETC_OK;
    scoring s = {recording, fit->loss, member, NULL};
    retc_stream_options options = {.block = fit->block, .threads = fit->threads};
    retc_stream_task task = {predict_block, score_block, &s};
    RETC_TRY(RETC_ALLOC(s.count, network->N * fit->block));
    if (split->validation_frames)
        RETC_TRY(
            retc_stream_run(network, recording, RETC_TRAIN, split->validation, split->n_validation, &options, &task, NULL));
    for (size_t j = 0; j < network->N; ++j)
        member->loss[j] = split->validation_frames ? member->loss[j] / (double)split->validation_frames : (double)NAN;
done:
    retc_free(s.count);
    return status;
}

/* Loss of the epoch that was kept: on held-out frames, or on those trained on where all train. */
static double
kept_loss(const retc_ensemble_member *member) {
    const retc_fit_epoch *kept = &member->report.epoch[member->report.best];
    return member->report.validation_frames ? kept->validation_loss : kept->train_loss;
}

/* ---- fitting --------------------------------------------------------------------------------------------------------- */

/* Progress of a member as part of all. */
typedef struct {
    const retc_progress *whole;
    size_t member, members;
} part;

static void
report_part(void *context, size_t done, size_t total, const char *note) {
    const part *p = context;
    char text[160];
    snprintf(text, sizeof text, "network %zu of %zu, %s", p->member + 1, p->members, note ? note : "");
    retc_progress_report(p->whole, p->member * total + done, p->members * total, text);
}

static int
make_split(retc_recording *recording, const retc_fit_options *fit, const retc_ensemble_options *options, size_t m,
           retc_split *split) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n = 0;
    RETC_TRY(retc_recording_spans(recording, RETC_TRAIN, fit->history, fit->lag, &spans, &n));
    if (options->folds > 1)
        RETC_TRY(retc_split_fold(spans, n, options->folds, m, fit->validation_pieces, fit->history, fit->seed, split));
    else
        RETC_TRY(retc_split_make(spans, n, fit->validation, fit->validation_pieces, fit->history,
                                 options->own_splits ? fit->seed + m : fit->seed, split));
done:
    retc_free(spans);
    return status;
}

static int
fit_member(retc_recording *recording, const retc_fit_options *fit, const retc_ensemble_options *options, size_t m,
           const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_ensemble *ensemble) {
    int status = RETC_OK;
    retc_ensemble_member *member = &ensemble->member[m];
    retc_split split = {0};
    retc_fit_options own = *fit;
    retc_network *network = NULL;
    part p = {progress, m, ensemble->members};
    const retc_progress of_member = {report_part, &p};
    own.seed = member->seed = options->folds > 1 ? fit->seed : fit->seed + m;
    own.split = &split;
    RETC_TRY(make_split(recording, fit, options, m, &split));
    RETC_TRY(RETC_GOT(network = retc_fit_network(recording, &own)));
    ensemble->N = network->N, ensemble->values = network->values;
    RETC_TRY(retc_ensemble_member_init(ensemble, member));
    RETC_TRY(retc_fit_run(network, recording, &own, checkpoint, &of_member, &member->report));
    memcpy(member->value, network->value, network->values * sizeof(float));
    RETC_TRY(score(network, recording, fit, &split, member));
done:
    retc_network_free(network);
    retc_split_clear(&split);
    return status;
}

/* The file of the member at work, named by its number: one that was finished must not be taken for it. */
static char *
member_path(const char *checkpoint, size_t m) {
    return retc_strf("%s.member%zu", checkpoint, m);
}

void
retc_ensemble_forget(const char *checkpoint, size_t members) {
    unlink(checkpoint);
    for (size_t m = 0; m < members; ++m) {
        char *path = member_path(checkpoint, m);
        if (path)
            unlink(path);
        retc_free(path);
    }
}

static int
fit_rest(retc_recording *recording, const retc_fit_options *fit, const retc_ensemble_options *options,
         const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_ensemble *ensemble) {
    int status = RETC_OK, keeps = checkpoint && checkpoint->path;
    char *path = NULL;
    for (size_t m = ensemble->done; m < ensemble->members; ++m) {
        retc_fit_checkpoint own = {0};
        if (keeps) {
            RETC_TRY(RETC_GOT(path = member_path(checkpoint->path, m)));
            own = *checkpoint;
            own.path = path;
        }
        RETC_TRY(fit_member(recording, fit, options, m, keeps ? &own : NULL, progress, ensemble));
        ensemble->done = m + 1;
        if (keeps) {
            RETC_TRY(retc_ensemble_checkpoint_write(ensemble, checkpoint));
            unlink(path);
        }
        retc_free(path);
        path = NULL;
    }
done:
    retc_free(path);
    return status;
}

/* The network of the best member, ready to run. */
static int
take_best(retc_recording *recording, const retc_fit_options *fit, retc_ensemble *ensemble, retc_network **network) {
    for (size_t m = 1; m < ensemble->members; ++m)
        if (kept_loss(&ensemble->member[m]) < kept_loss(&ensemble->member[ensemble->best]))
            ensemble->best = m;
    *network = retc_fit_network(recording, fit);
    if (!*network)
        return RETC_EINVAL;
    memcpy((*network)->value, ensemble->member[ensemble->best].value, ensemble->values * sizeof(float));
    return RETC_OK;
}

int
retc_ensemble_fit(retc_recording *recording, const retc_fit_options *fit, const retc_ensemble_options *options,
                  const retc_fit_checkpoint *checkpoint, const retc_progress *progress, retc_network **network,
                  retc_ensemble *ensemble) {
    int status = RETC_OK, fresh = 0;
    *network = NULL;
    *ensemble = (retc_ensemble){.members = retc_ensemble_size(options), .folds = options->folds > 1 ? options->folds : 0};
    if (options->folds > 1 && options->seeds > 1)
        return RETC_FAIL(RETC_EINVAL, "networks differ by seeds or by folds, not by both");
    RETC_TRY(RETC_ALLOC(ensemble->member, ensemble->members));
    if (checkpoint && checkpoint->path) {
        if (checkpoint->resume && access(checkpoint->path, F_OK) == 0)
            RETC_TRY(retc_ensemble_checkpoint_read(ensemble, checkpoint));
        else
            fresh = 1;
        if (fresh)
            RETC_TRY(retc_ensemble_checkpoint_write(ensemble, checkpoint));
        ensemble->resumed_at = ensemble->done;
    }
    RETC_TRY(fit_rest(recording, fit, options, checkpoint, progress, ensemble));
    RETC_TRY(take_best(recording, fit, ensemble, network));
done:
    if (status < 0) {
        if (fresh && ensemble->done == 0) /* nothing in it is worth going on from */
            unlink(checkpoint->path);
        retc_ensemble_clear(ensemble);
    }
    return status;
}
