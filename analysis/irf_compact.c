#include "irf_compact.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME = 96, ZERO = 128, MOST = 127, CHUNK = 64 };

/* ---- rounding -------------------------------------------------------------------------------------------------------- */

double
retc_irf_round(size_t rank, size_t P, const float *s, const float *v, double norm, double truncation, double precision,
               unsigned char *code, float *step) {
    double rounding = 0;
    /* rank maps of P values, each off by an even error of up to half a step, times s: rank P (s step)^2 / 12 */
    double even = precision * norm * sqrt(12 / (double)(rank * P));
    for (size_t j = 0; j < rank; ++j, v += P, code += P) {
        float largest = 0;
        double sum = 0;
        for (size_t p = 0; p < P; ++p)
            largest = fabsf(v[p]) > largest ? fabsf(v[p]) : largest;
        step[j] = s[j] > 0 ? fmaxf((float)(even / (double)s[j]), largest / MOST) : 1;
        float scale = 1 / step[j];
        for (size_t p = 0; p < P; ++p) {
            float shifted = v[p] * scale + (ZERO + 0.5f); /* positive: cutting rounds to the nearest */
            int number = (int)shifted;
            float off = v[p] - step[j] * (float)(number - ZERO);
            code[p] = (unsigned char)number;
            sum += (double)off * (double)off;
        }
        rounding += sum * (double)s[j] * (double)s[j];
    }
    return norm > 0 ? sqrt(truncation * truncation + rounding / (norm * norm)) : 0;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static const char *
compact_name(char name[NAME], const char *group, const char *dataset) {
    snprintf(name, NAME, "%s/%s", group, dataset);
    return name;
}

int
retc_irf_compact_make(retc_h5 *file, const char *group, size_t T, size_t L, const retc_irf_cell *cell) {
    int status = RETC_OK;
    const size_t h = cell->patch.h, w = cell->patch.w, k = cell->rank, many = 4096;
    char name[NAME];
    RETC_TRY(
        retc_h5_make(file, compact_name(name, group, "u"), RETC_H5_FLOAT, 3, (size_t[]){T, k, L}, (size_t[]){CHUNK, k, L}));
    RETC_TRY(retc_h5_make(file, compact_name(name, group, "s"), RETC_H5_FLOAT, 2, (size_t[]){T, k}, (size_t[]){many, k}));
    RETC_TRY(retc_h5_make(file, compact_name(name, group, "v"), RETC_H5_UINT8, 4, (size_t[]){T, k, h, w},
                          (size_t[]){CHUNK, k, h, w}));
    RETC_TRY(retc_h5_make(file, compact_name(name, group, "step"), RETC_H5_FLOAT, 2, (size_t[]){T, k}, (size_t[]){many, k}));
    RETC_TRY(retc_h5_make(file, compact_name(name, group, "mean"), RETC_H5_FLOAT, 1, &T, &many));
    RETC_TRY(retc_h5_make(file, compact_name(name, group, "error"), RETC_H5_FLOAT, 1, &T, &many));
    RETC_TRY(retc_h5_set_int(file, group, "row", (int64_t)cell->patch.row));
    RETC_TRY(retc_h5_set_int(file, group, "column", (int64_t)cell->patch.column));
    RETC_TRY(retc_h5_set_int(file, group, "rank", (int64_t)k));
done:
    return status;
}

int
retc_irf_compact_write(retc_h5 *file, const char *group, size_t sample, size_t n, size_t L, const retc_irf_cell *cell,
                       const retc_irf_terms *terms, double precision) {
    int status = RETC_OK;
    const size_t h = cell->patch.h, w = cell->patch.w, k = cell->rank, P = h * w, start[4] = {sample};
    unsigned char *code = NULL;
    float *step = NULL, *mean = NULL, *error = NULL;
    char name[NAME];
    RETC_TRY(RETC_ALLOC(code, n * k * P));
    RETC_TRY(RETC_ALLOC(step, n * k));
    RETC_TRY(RETC_ALLOC(mean, n));
    RETC_TRY(RETC_ALLOC(error, n));
    for (size_t t = 0; t < n; ++t) {
        double norm = 0;
        for (size_t j = 0; j < k; ++j)
            norm += (double)terms->s[t * k + j] * (double)terms->s[t * k + j];
        norm = sqrt(norm / fmax(1 - terms->error[t] * terms->error[t], 1e-12));
        error[t] = (float)retc_irf_round(k, P, terms->s + t * k, terms->v + t * k * P, norm, terms->error[t], precision,
                                         code + t * k * P, step + t * k);
        mean[t] = (float)terms->mean[t];
    }
    RETC_TRY(retc_h5_write(file, compact_name(name, group, "u"), RETC_H5_FLOAT, start, (size_t[]){n, k, L}, terms->u));
    RETC_TRY(retc_h5_write(file, compact_name(name, group, "s"), RETC_H5_FLOAT, start, (size_t[]){n, k}, terms->s));
    RETC_TRY(retc_h5_write(file, compact_name(name, group, "v"), RETC_H5_UINT8, start, (size_t[]){n, k, h, w}, code));
    RETC_TRY(retc_h5_write(file, compact_name(name, group, "step"), RETC_H5_FLOAT, start, (size_t[]){n, k}, step));
    RETC_TRY(retc_h5_write(file, compact_name(name, group, "mean"), RETC_H5_FLOAT, start, &n, mean));
    RETC_TRY(retc_h5_write(file, compact_name(name, group, "error"), RETC_H5_FLOAT, start, &n, error));
done:
    retc_free(code), retc_free(step), retc_free(mean), retc_free(error);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

/* A number that counts something, from an attribute. */
static int
read_size(retc_h5 *file, const char *object, const char *attribute, size_t most, size_t *value) {
    double number = -1;
    int status = retc_h5_get_number(file, object, attribute, &number);
    if (status < 0)
        return status;
    if (!(number >= 0 && number <= (double)most && number == floor(number)))
        return RETC_FAIL(RETC_EFORMAT, "%s: attribute \"%s\" of \"%s\" is not a number from 0 to %zu", retc_h5_path(file),
                         attribute, object, most);
    *value = (size_t)number;
    return RETC_OK;
}

static int
open_compact(retc_irf_reader *r) {
    int status = RETC_OK;
    char name[NAME];
    size_t u[3], v[4], mean[3];
    RETC_TRY(retc_h5_expect(r->file, compact_name(name, r->compact_group, "u"), 3, NULL, u));
    r->T = u[0], r->rank = u[1], r->L = u[2];
    RETC_TRY(retc_h5_expect(r->file, compact_name(name, r->compact_group, "v"), 4, (size_t[]){r->T, r->rank, 0, 0}, v));
    RETC_TRY(retc_h5_expect(r->file, compact_name(name, r->compact_group, "s"), 2, (size_t[]){r->T, r->rank}, NULL));
    RETC_TRY(retc_h5_expect(r->file, compact_name(name, r->compact_group, "step"), 2, (size_t[]){r->T, r->rank}, NULL));
    RETC_TRY(retc_h5_expect(r->file, compact_name(name, r->compact_group, "mean"), 1, &r->T, NULL));
    snprintf(name, sizeof name, "%s/regular_irf_mean", r->group);
    RETC_TRY(retc_h5_expect(r->file, name, 3, (size_t[]){r->L, 0, 0}, mean));
    r->H = mean[1], r->W = mean[2];
    r->patch.h = v[2], r->patch.w = v[3];
    if (r->patch.h > r->H || r->patch.w > r->W)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: maps of %zux%zu pixels do not fit into frames of %zux%zu", retc_h5_path(r->file),
                           r->patch.h, r->patch.w, r->H, r->W));
    RETC_TRY(read_size(r->file, r->compact_group, "row", r->H - r->patch.h, &r->patch.row));
    RETC_TRY(read_size(r->file, r->compact_group, "column", r->W - r->patch.w, &r->patch.column));
    RETC_TRY(RETC_ALLOC(r->u, r->rank * r->L));
    RETC_TRY(RETC_ALLOC(r->s, r->rank));
    RETC_TRY(RETC_ALLOC(r->step, r->rank));
    RETC_TRY(RETC_ALLOC(r->v, r->rank * r->patch.h * r->patch.w));
done:
    return status;
}

static int
open_reader(retc_h5 *file, const char *group, const char *compact_group, int integrated, retc_irf_reader *r) {
    int status = RETC_OK;
    char name[NAME];
    size_t shape[4] = {0};
    *r = (retc_irf_reader){.file = file};
    RETC_TRY(RETC_GOT(r->group = retc_strdup(group)));
    RETC_TRY(RETC_GOT(r->compact_group = retc_strf("%s/%s", group, compact_group)));
    snprintf(name, sizeof name, "%s/regular_irf_all", group);
    int has_full = retc_h5_has(file, name);
    r->compact = integrated || (!has_full && retc_h5_has(file, compact_name(name, r->compact_group, "v")));
    snprintf(name, sizeof name, "%s/regular_irf_all", group);
    if (r->compact)
        RETC_TRY(open_compact(r));
    else {
        RETC_TRY(retc_h5_expect(file, name, 4, NULL, shape));
        r->T = shape[0], r->L = shape[1], r->H = shape[2], r->W = shape[3];
    }
    if (r->L == 0 || r->H == 0 || r->W == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is empty", retc_h5_path(file), name));
done:
    return status;
}

int
retc_irf_reader_open(retc_h5 *file, const char *group, retc_irf_reader *reader) {
    return open_reader(file, group, "compact", 0, reader);
}

int
retc_irf_reader_open_integrated(retc_h5 *file, const char *group, retc_irf_reader *reader) {
    return open_reader(file, group, "ig_compact", 1, reader);
}

void
retc_irf_reader_close(retc_irf_reader *reader) {
    retc_free(reader->group), retc_free(reader->compact_group);
    retc_free(reader->u), retc_free(reader->s), retc_free(reader->v), retc_free(reader->step);
    *reader = (retc_irf_reader){0};
}

static int
read_compact(retc_irf_reader *r, size_t t, float *irf) {
    int status = RETC_OK;
    char name[NAME];
    float mean;
    const size_t start[4] = {t}, h = r->patch.h, w = r->patch.w, one = 1;
    RETC_TRY(retc_h5_read(r->file, compact_name(name, r->compact_group, "u"), RETC_H5_FLOAT, start,
                          (size_t[]){1, r->rank, r->L}, r->u));
    RETC_TRY(
        retc_h5_read(r->file, compact_name(name, r->compact_group, "s"), RETC_H5_FLOAT, start, (size_t[]){1, r->rank}, r->s));
    RETC_TRY(retc_h5_read(r->file, compact_name(name, r->compact_group, "step"), RETC_H5_FLOAT, start, (size_t[]){1, r->rank},
                          r->step));
    RETC_TRY(retc_h5_read(r->file, compact_name(name, r->compact_group, "v"), RETC_H5_FLOAT, start,
                          (size_t[]){1, r->rank, h, w}, r->v));
    RETC_TRY(retc_h5_read(r->file, compact_name(name, r->compact_group, "mean"), RETC_H5_FLOAT, start, &one, &mean));
    memset(irf, 0, r->L * r->H * r->W * sizeof *irf);
    for (size_t l = 0; l < r->L; ++l)
        for (size_t y = 0; y < h; ++y)
            for (size_t x = 0; x < w; ++x) {
                float value = mean;
                for (size_t j = 0; j < r->rank; ++j)
                    value += r->s[j] * r->u[j * r->L + l] * r->step[j] * (r->v[(j * h + y) * w + x] - ZERO);
                irf[(l * r->H + r->patch.row + y) * r->W + r->patch.column + x] = value;
            }
done:
    return status;
}

int
retc_irf_read(retc_irf_reader *r, size_t t, float *irf) {
    char name[NAME];
    if (r->compact)
        return read_compact(r, t, irf);
    snprintf(name, sizeof name, "%s/regular_irf_all", r->group);
    return retc_h5_read(r->file, name, RETC_H5_FLOAT, (size_t[]){t, 0, 0, 0}, (size_t[]){1, r->L, r->H, r->W}, irf);
}
