/* The state of a fit in a file, and the learning curves. */
#include <stddef.h>
#include <string.h>

#include "fit_internal.h"

/* The columns of the learning curves. */
static const struct {
    const char *name;
    size_t offset; /* in retc_fit_epoch */
} columns[] = {{"/training/train_loss", offsetof(retc_fit_epoch, train_loss)},
               {"/training/validation_loss", offsetof(retc_fit_epoch, validation_loss)},
               {"/training/validation_r", offsetof(retc_fit_epoch, validation_r)}};
enum { COLUMNS = sizeof columns / sizeof *columns };

int
retc_fit_log_write(const retc_fit_epoch *log, size_t epochs, retc_h5 *file) {
    int status = RETC_OK;
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(column, epochs + 1));
    for (int c = 0; c < COLUMNS; ++c) {
        for (size_t e = 0; e < epochs; ++e)
            memcpy(&column[e], (const char *)&log[e] + columns[c].offset, sizeof *column);
        RETC_TRY(retc_h5_put(file, columns[c].name, RETC_H5_DOUBLE, 1, &epochs, column));
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
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(column, epochs + 1));
    for (int c = 0; c < COLUMNS; ++c) {
        RETC_TRY(read_values(file, columns[c].name, RETC_H5_DOUBLE, epochs, column));
        for (size_t e = 0; e < epochs; ++e)
            memcpy((char *)&log[e] + columns[c].offset, &column[e], sizeof *column);
    }
done:
    retc_free(column);
    return status;
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
    double numbers[6] = {(double)s->epoch, (double)s->step, (double)s->best, (double)s->waited, s->rate, s->best_loss};
    size_t six = 6;
    RETC_TRY(retc_h5_put(file, "/fit/state", RETC_H5_DOUBLE, 1, &six, numbers));
    RETC_TRY(retc_fit_log_write(s->log, s->epoch, file));
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
