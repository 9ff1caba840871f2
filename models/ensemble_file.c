/* Ensembles in files: finished members in a checkpoint, all of them in a model file. */
#include <stdio.h>
#include <string.h>

#include "ensemble_internal.h"
#include "fit_internal.h"
#include "model_file.h"

enum { NUMBERS = 9, SUMS = 6 };

/* ---- checkpoints ----------------------------------------------------------------------------------------------------- */

static void
pack(const retc_ensemble_member *member, double numbers[NUMBERS]) {
    const retc_fit_report *r = &member->report;
    const double all[NUMBERS] = {(double)member->seed,     (double)r->epochs,       (double)r->best,
                                 (double)r->stopped_early, (double)r->train_frames, (double)r->validation_frames,
                                 r->step_seconds,          (double)r->diverged,     (double)r->diverged_at};
    memcpy(numbers, all, sizeof all);
}

static void
unpack(const double numbers[NUMBERS], retc_ensemble_member *member) {
    retc_fit_report *r = &member->report;
    member->seed = (uint64_t)numbers[0];
    r->epochs = (size_t)numbers[1], r->best = (size_t)numbers[2], r->stopped_early = numbers[3] != 0;
    r->train_frames = (size_t)numbers[4], r->validation_frames = (size_t)numbers[5];
    r->step_seconds = numbers[6], r->diverged = numbers[7] != 0, r->diverged_at = (size_t)numbers[8];
}

/* A value that changed on the disk must not go into a model unseen. */
static int64_t
digest(const retc_ensemble *ensemble, const retc_ensemble_member *member, const double numbers[NUMBERS]) {
    uint64_t hash = retc_fit_digest(RETC_FIT_DIGEST, numbers, NUMBERS * sizeof *numbers);
    hash = retc_fit_digest(hash, member->value, ensemble->values * sizeof *member->value);
    hash = retc_fit_digest(hash, member->loss, ensemble->N * sizeof *member->loss);
    return (int64_t)retc_fit_digest(hash, member->sums, ensemble->N * sizeof *member->sums);
}

static void
name(char text[RETC_NAME_SIZE], size_t m, const char *what) {
    snprintf(text, RETC_NAME_SIZE, "/members/%zu%s", m, what);
}

static int
write_member(const retc_ensemble *ensemble, size_t m, retc_h5 *file) {
    const retc_ensemble_member *member = &ensemble->member[m];
    int status = RETC_OK;
    char text[RETC_NAME_SIZE];
    double numbers[NUMBERS];
    size_t count = NUMBERS, shape[2] = {ensemble->N, SUMS};
    pack(member, numbers);
    int64_t check = digest(ensemble, member, numbers);
    name(text, m, "/value");
    RETC_TRY(retc_h5_put(file, text, RETC_H5_FLOAT, 1, &ensemble->values, member->value));
    name(text, m, "/state");
    RETC_TRY(retc_h5_put(file, text, RETC_H5_DOUBLE, 1, &count, numbers));
    name(text, m, "/loss");
    RETC_TRY(retc_h5_put(file, text, RETC_H5_DOUBLE, 1, &ensemble->N, member->loss));
    name(text, m, "/sums");
    RETC_TRY(retc_h5_put(file, text, RETC_H5_DOUBLE, 2, shape, member->sums));
    name(text, m, "/digest");
    RETC_TRY(retc_h5_put(file, text, RETC_H5_INT64, 0, NULL, &check));
    name(text, m, "/diverged_in");
    RETC_TRY(retc_h5_put_text(file, text, member->report.diverged_in));
    name(text, m, "/diverged_how");
    RETC_TRY(retc_h5_put_text(file, text, member->report.diverged_how));
    name(text, m, "");
    RETC_TRY(retc_fit_log_write(member->report.epoch, member->report.epochs, text, file));
done:
    return status;
}

int
retc_ensemble_checkpoint_write(const retc_ensemble *ensemble, const retc_fit_checkpoint *checkpoint) {
    int status = RETC_OK;
    int64_t done = (int64_t)ensemble->done;
    retc_h5 *file = retc_h5_create(checkpoint->path, 1);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "fit checkpoint"));
    RETC_TRY(retc_h5_put(file, "/done", RETC_H5_INT64, 0, NULL, &done));
    for (size_t m = 0; m < ensemble->done; ++m)
        RETC_TRY(write_member(ensemble, m, file));
    if (checkpoint->provenance)
        RETC_TRY(retc_provenance_write(checkpoint->provenance, file));
    RETC_TRY(retc_h5_commit(file));
done:
    retc_h5_close(file);
    return status;
}

static int
read_text(retc_h5 *file, const char *name, size_t size, char *text) {
    char *found = NULL;
    int status = retc_h5_read_text(file, name, &found);
    if (status == RETC_OK)
        snprintf(text, size, "%s", found);
    retc_free(found);
    return status;
}

static int
read_member(retc_h5 *file, size_t m, retc_ensemble *ensemble) {
    retc_ensemble_member *member = &ensemble->member[m];
    int status = RETC_OK;
    char text[RETC_NAME_SIZE];
    double numbers[NUMBERS];
    int64_t check;
    name(text, m, "/value");
    RETC_TRY(retc_h5_expect(file, text, 1, NULL, &ensemble->values));
    name(text, m, "/loss");
    RETC_TRY(retc_h5_expect(file, text, 1, NULL, &ensemble->N));
    RETC_TRY(retc_ensemble_member_init(ensemble, member));
    RETC_TRY(retc_h5_read(file, text, RETC_H5_DOUBLE, NULL, NULL, member->loss));
    name(text, m, "/value");
    RETC_TRY(retc_h5_read(file, text, RETC_H5_FLOAT, NULL, NULL, member->value));
    name(text, m, "/sums");
    RETC_TRY(retc_h5_expect(file, text, 2, (const size_t[]){ensemble->N, SUMS}, NULL));
    RETC_TRY(retc_h5_read(file, text, RETC_H5_DOUBLE, NULL, NULL, member->sums));
    name(text, m, "/state");
    RETC_TRY(retc_h5_expect(file, text, 1, (const size_t[]){NUMBERS}, NULL));
    RETC_TRY(retc_h5_read(file, text, RETC_H5_DOUBLE, NULL, NULL, numbers));
    name(text, m, "/digest");
    RETC_TRY(retc_h5_expect(file, text, 0, NULL, NULL));
    RETC_TRY(retc_h5_read(file, text, RETC_H5_INT64, NULL, NULL, &check));
    if (check != digest(ensemble, member, numbers))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: this checkpoint is damaged; remove it to start anew", retc_h5_path(file)));
    unpack(numbers, member);
    name(text, m, "/diverged_in");
    RETC_TRY(read_text(file, text, sizeof member->report.diverged_in, member->report.diverged_in));
    name(text, m, "/diverged_how");
    RETC_TRY(read_text(file, text, sizeof member->report.diverged_how, member->report.diverged_how));
    name(text, m, "");
    RETC_TRY(RETC_ALLOC(member->report.epoch, member->report.epochs + 1));
    RETC_TRY(retc_fit_log_read(file, text, member->report.epoch, member->report.epochs));
done:
    return status;
}

int
retc_ensemble_checkpoint_read(retc_ensemble *ensemble, const retc_fit_checkpoint *checkpoint) {
    int status = RETC_OK;
    int64_t done = 0;
    const char *path = checkpoint->path;
    if (checkpoint->provenance && !retc_provenance_is_current(checkpoint->provenance, path))
        return RETC_FAIL(RETC_EINVAL,
                         "%s: this checkpoint belongs to another fit (other options, recording or version); remove it to "
                         "start anew",
                         path);
    retc_h5 *file = retc_h5_open(path);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_h5_expect(file, "/done", 0, NULL, NULL));
    RETC_TRY(retc_h5_read(file, "/done", RETC_H5_INT64, NULL, NULL, &done));
    if (done < 0 || (size_t)done > ensemble->members)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: the checkpoint holds %lld of %zu networks", path, (long long)done, ensemble->members));
    for (size_t m = 0; m < (size_t)done; ++m)
        RETC_TRY(read_member(file, m, ensemble));
    ensemble->done = (size_t)done;
done:
    retc_h5_close(file);
    return status;
}

/* ---- model files ----------------------------------------------------------------------------------------------------- */

/* Loss and correlation of every cell on the frames that each member held out. */
static int
write_scores(const retc_ensemble *ensemble, retc_h5 *file) {
    int status = RETC_OK;
    size_t M = ensemble->members, N = ensemble->N, shape[2] = {M, N};
    int64_t *seed = NULL, *epochs = NULL;
    double *loss = NULL, *r = NULL, *pooled = NULL;
    RETC_TRY(RETC_ALLOC(seed, M));
    RETC_TRY(RETC_ALLOC(epochs, M));
    RETC_TRY(RETC_ALLOC(loss, M * N));
    RETC_TRY(RETC_ALLOC(r, M * N));
    RETC_TRY(RETC_ALLOC(pooled, N));
    for (size_t m = 0; m < M; ++m) {
        seed[m] = (int64_t)ensemble->member[m].seed;
        epochs[m] = (int64_t)ensemble->member[m].report.epochs;
        for (size_t j = 0; j < N; ++j) {
            loss[m * N + j] = ensemble->member[m].loss[j];
            r[m * N + j] = retc_ensemble_pearson(ensemble, m, j);
            pooled[j] = retc_ensemble_pooled_pearson(ensemble, j);
        }
    }
    RETC_TRY(retc_h5_put(file, "/ensemble/seed", RETC_H5_INT64, 1, &M, seed));
    RETC_TRY(retc_h5_put(file, "/ensemble/epochs", RETC_H5_INT64, 1, &M, epochs));
    RETC_TRY(retc_h5_put(file, "/ensemble/validation_loss", RETC_H5_DOUBLE, 2, shape, loss));
    RETC_TRY(retc_h5_put(file, "/ensemble/validation_r", RETC_H5_DOUBLE, 2, shape, r));
    if (ensemble->folds)
        RETC_TRY(retc_h5_put(file, "/ensemble/held_out_r", RETC_H5_DOUBLE, 1, &N, pooled));
done:
    retc_free(seed);
    retc_free(epochs);
    retc_free(loss);
    retc_free(r);
    retc_free(pooled);
    return status;
}

int
retc_ensemble_write(const retc_ensemble *ensemble, retc_network *network, retc_h5 *file) {
    int status = RETC_OK;
    size_t bytes = ensemble->values * sizeof(float);
    char group[RETC_NAME_SIZE];
    for (size_t m = 0; m < ensemble->members && status == RETC_OK; ++m) {
        memcpy(network->value, ensemble->member[m].value, bytes);
        snprintf(group, sizeof group, "/ensemble/%zu/state_dict", m);
        status = retc_network_write_tensors(network, group, file);
    }
    memcpy(network->value, ensemble->member[ensemble->best].value, bytes);
    RETC_TRY(status);
    for (size_t m = 0; m < ensemble->members; ++m) {
        const retc_fit_report *report = &ensemble->member[m].report;
        snprintf(group, sizeof group, "/ensemble/%zu", m);
        RETC_TRY(retc_fit_log_write(report->epoch, report->epochs, group, file));
    }
    RETC_TRY(write_scores(ensemble, file));
    RETC_TRY(retc_h5_set_int(file, "/", "members", (int64_t)ensemble->members));
    RETC_TRY(retc_h5_set_int(file, "/", "best_member", (int64_t)ensemble->best));
done:
    return status;
}

size_t
retc_ensemble_members(retc_h5 *file) {
    size_t n = 0;
    if (!retc_h5_has(file, "/ensemble/seed") || retc_h5_expect(file, "/ensemble/seed", 1, NULL, &n) < 0)
        return 0;
    return n;
}

retc_network *
retc_ensemble_read(retc_h5 *file, size_t m) {
    retc_network *network = NULL;
    size_t n = retc_ensemble_members(file);
    char group[RETC_NAME_SIZE];
    snprintf(group, sizeof group, "/ensemble/%zu/state_dict", m);
    if (m >= n)
        RETC_FAIL(RETC_EFORMAT, "%s: network %zu is missing, the file holds an ensemble of %zu", retc_h5_path(file), m, n);
    else if (!retc_h5_has(file, group))
        RETC_FAIL(RETC_EFORMAT, "%s: group \"%s\" is missing", retc_h5_path(file), group);
    else if (retc_h5_stand_in(file, "/state_dict", group) == RETC_OK)
        network = retc_network_read(file);
    retc_h5_stand_in(file, NULL, NULL);
    return network;
}
