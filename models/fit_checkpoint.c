/* The state of a fit in a file, and the learning curves. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "fit_internal.h"

/* The columns of the learning curves. */
static const struct {
    const char *name;
    size_t offset; /* in retc_fit_epoch */
} columns[] = {{"/training/train_loss", offsetof(retc_fit_epoch, train_loss)},
               {"/training/validation_loss", offsetof(retc_fit_epoch, validation_loss)},
               {"/training/validation_r", offsetof(retc_fit_epoch, validation_r)},
               {"/training/learning_rate", offsetof(retc_fit_epoch, learning_rate)}};
enum { COLUMNS = sizeof columns / sizeof *columns };

enum { NUMBERS = 9 }; /* of the state, beside its arrays */

int
retc_fit_log_write(const retc_fit_epoch *log, size_t epochs, const char *group, retc_h5 *file) {
    int status = RETC_OK;
    char name[RETC_NAME_SIZE];
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(column, epochs + 1));
    for (int c = 0; c < COLUMNS; ++c) {
        for (size_t e = 0; e < epochs; ++e)
            memcpy(&column[e], (const char *)&log[e] + columns[c].offset, sizeof *column);
        snprintf(name, sizeof name, "%s%s", group, columns[c].name);
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &epochs, column));
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

int
retc_fit_log_read(retc_h5 *file, const char *group, retc_fit_epoch *log, size_t epochs) {
    int status = RETC_OK;
    char name[RETC_NAME_SIZE];
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(column, epochs + 1));
    for (int c = 0; c < COLUMNS; ++c) {
        snprintf(name, sizeof name, "%s%s", group, columns[c].name);
        RETC_TRY(read_values(file, name, RETC_H5_DOUBLE, epochs, column));
        for (size_t e = 0; e < epochs; ++e)
            memcpy((char *)&log[e] + columns[c].offset, &column[e], sizeof *column);
    }
done:
    retc_free(column);
    return status;
}

uint64_t
retc_fit_digest(uint64_t hash, const void *block, size_t bytes) {
    const unsigned char *at = block;
    for (size_t i = 0; i < bytes; ++i)
        hash = (hash ^ at[i]) * 0x100000001B3u;
    return hash;
}

/* Of everything that the fit goes on from: a value that changed on the disk must not go into a model unseen. */
static int64_t
digest(const retc_fit *f, const double *numbers) {
    const retc_fit_state *s = &f->state;
    size_t bytes = f->network->values * sizeof(float);
    uint64_t hash = retc_fit_digest(RETC_FIT_DIGEST, numbers, NUMBERS * sizeof *numbers);
    hash = retc_fit_digest(hash, f->network->value, bytes);
    hash = retc_fit_digest(hash, s->value_best, bytes);
    hash = retc_fit_digest(hash, s->m, bytes);
    hash = retc_fit_digest(hash, s->average, f->options->average ? bytes : 0);
    return (int64_t)retc_fit_digest(hash, s->v, bytes);
}

int
retc_fit_checkpoint_write(const retc_fit *f) {
    int status = RETC_OK;
    const retc_fit_state *s = &f->state;
    size_t n = f->network->values;
    retc_h5 *file = retc_h5_create(f->checkpoint->path, 1);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "fit checkpoint"));
    RETC_TRY(retc_h5_put(file, "/fit/value", RETC_H5_FLOAT, 1, &n, f->network->value));
    RETC_TRY(retc_h5_put(file, "/fit/value_best", RETC_H5_FLOAT, 1, &n, s->value_best));
    RETC_TRY(retc_h5_put(file, "/fit/adam_m", RETC_H5_FLOAT, 1, &n, s->m));
    RETC_TRY(retc_h5_put(file, "/fit/adam_v", RETC_H5_FLOAT, 1, &n, s->v));
    if (f->options->average)
        RETC_TRY(retc_h5_put(file, "/fit/average", RETC_H5_FLOAT, 1, &n, s->average));
    double numbers[NUMBERS] = {(double)s->epoch, (double)s->step, (double)s->best, (double)s->waited, (double)s->decays,
                               (double)s->far,   s->best_loss,    s->first_loss,   s->least_loss};
    size_t count = NUMBERS;
    RETC_TRY(retc_h5_put(file, "/fit/state", RETC_H5_DOUBLE, 1, &count, numbers));
    int64_t check = digest(f, numbers);
    RETC_TRY(retc_h5_put(file, "/fit/digest", RETC_H5_INT64, 0, NULL, &check));
    RETC_TRY(retc_fit_log_write(s->log, s->epoch, "", file));
    if (f->checkpoint->provenance)
        RETC_TRY(retc_provenance_write(f->checkpoint->provenance, file));
    RETC_TRY(retc_h5_commit(file));
done:
    retc_h5_close(file);
    return status;
}

int
retc_fit_checkpoint_read(retc_fit *f) {
    int status = RETC_OK;
    retc_fit_state *s = &f->state;
    size_t n = f->network->values;
    double numbers[NUMBERS];
    int64_t check;
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
    if (f->options->average)
        RETC_TRY(read_values(file, "/fit/average", RETC_H5_FLOAT, n, s->average));
    RETC_TRY(read_values(file, "/fit/state", RETC_H5_DOUBLE, NUMBERS, numbers));
    RETC_TRY(retc_h5_expect(file, "/fit/digest", 0, NULL, NULL));
    RETC_TRY(retc_h5_read(file, "/fit/digest", RETC_H5_INT64, NULL, NULL, &check));
    if (check != digest(f, numbers))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: this checkpoint is damaged; remove it to start anew", path));
    if (!(numbers[0] >= 0 && numbers[0] <= (double)f->options->epochs))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the checkpoint stands at epoch %g of %zu", path, numbers[0], f->options->epochs));
    s->epoch = (size_t)numbers[0], s->step = (size_t)numbers[1], s->best = (size_t)numbers[2], s->waited = (size_t)numbers[3];
    s->decays = (size_t)numbers[4], s->far = (size_t)numbers[5];
    s->best_loss = numbers[6], s->first_loss = numbers[7], s->least_loss = numbers[8];
    RETC_TRY(retc_fit_log_read(file, "", s->log, s->epoch));
done:
    retc_h5_close(file);
    return status;
}
