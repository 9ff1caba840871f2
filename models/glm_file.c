#include <math.h>

#include "glm.h"

static int
write_spike_filters(const retc_spike_filters *s, retc_h5 *file) {
    int status = RETC_OK;
    size_t basis[2] = {s->bases, s->taps}, history[2] = {s->N, s->taps}, coupling[3] = {s->N, s->N, s->taps};
    RETC_TRY(retc_h5_put(file, "/glm/basis", RETC_H5_DOUBLE, 2, basis, s->basis));
    RETC_TRY(retc_h5_put(file, "/glm/history", RETC_H5_DOUBLE, 2, history, s->history));
    RETC_TRY(retc_h5_set_text(file, "/glm/history", "axes", "cell, frames since its spike, from 1"));
    RETC_TRY(retc_h5_set_text(file, "/glm/history", "unit", "logarithm of the gain per spike"));
    if (s->limit) {
        RETC_TRY(retc_h5_put(file, "/glm/limit", RETC_H5_DOUBLE, 1, &s->N, s->limit));
        RETC_TRY(retc_h5_set_text(file, "/glm/limit", "unit", "Hz"));
    }
    if (s->coupling) {
        RETC_TRY(retc_h5_put(file, "/glm/coupling", RETC_H5_DOUBLE, 3, coupling, s->coupling));
        RETC_TRY(retc_h5_set_text(file, "/glm/coupling", "axes", "cell, cell whose spike it was, frames since, from 1"));
        RETC_TRY(retc_h5_set_text(file, "/glm/coupling", "unit", "logarithm of the gain per spike"));
    }
done:
    return status;
}

int
retc_glm_write(const retc_spike_filters *spikes, const retc_glm_report *report, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(retc_h5_put(file, "/glm/ridge", RETC_H5_DOUBLE, 1, &spikes->N, report->ridge));
    RETC_TRY(retc_h5_put(file, "/glm/gradient", RETC_H5_DOUBLE, 1, &spikes->N, report->solver.gradient));
    RETC_TRY(retc_h5_set_int(file, "/glm", "parameters", (int64_t)report->parameters));
    RETC_TRY(retc_h5_set_int(file, "/glm", "pairs", (int64_t)report->pairs));
    RETC_TRY(retc_h5_set_int(file, "/glm", "newton_steps", (int64_t)report->solver.steps));
    RETC_TRY(retc_h5_set_int(file, "/glm", "products", (int64_t)report->solver.products));
    if (spikes->taps)
        RETC_TRY(write_spike_filters(spikes, file));
done:
    return status;
}

static int
read_finite(retc_h5 *file, const char *name, int rank, const size_t *shape, double **out) {
    int status = RETC_OK;
    size_t n = 1, found[RETC_H5_MAX_RANK];
    void *values = NULL;
    RETC_TRY(retc_h5_expect(file, name, rank, shape, NULL));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, rank, found, &values));
    *out = values;
    for (int d = 0; d < rank; ++d)
        n *= found[d];
    for (size_t i = 0; i < n; ++i)
        if (!isfinite((*out)[i]))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds a value that is not finite, at element %zu", retc_h5_path(file),
                               name, i));
done:
    return status;
}

int
retc_spike_filters_read(retc_h5 *file, size_t N, retc_spike_filters *s) {
    int status = RETC_OK;
    size_t basis[2];
    *s = (retc_spike_filters){.N = N};
    if (!retc_h5_has(file, "/glm/history"))
        return RETC_OK;
    RETC_TRY(retc_h5_expect(file, "/glm/basis", 2, (const size_t[2]){0, 0}, basis));
    s->bases = basis[0], s->taps = basis[1];
    RETC_TRY(read_finite(file, "/glm/basis", 2, basis, &s->basis));
    RETC_TRY(read_finite(file, "/glm/history", 2, (const size_t[2]){N, s->taps}, &s->history));
    if (retc_h5_has(file, "/glm/limit"))
        RETC_TRY(read_finite(file, "/glm/limit", 1, (const size_t[1]){N}, &s->limit));
    if (retc_h5_has(file, "/glm/coupling"))
        RETC_TRY(read_finite(file, "/glm/coupling", 3, (const size_t[3]){N, N, s->taps}, &s->coupling));
done:
    if (status < 0)
        retc_spike_filters_clear(s);
    return status;
}
