#include "refine_internal.h"

#include <math.h>
#include <string.h>

#include "rows.h"

enum { WHOLE = 16 /* samples that the kernels take at once */ };

retc_refine_options
retc_refine_default(void) {
    return (retc_refine_options){.tolerance = 1e-2, .floor = 1e-3, .most_steps = 1024};
}

int
retc_refine_check(const retc_refine_options *o) {
    if (o->steps)
        return RETC_OK;
    if (!(o->tolerance > 0) || !(o->floor >= 0) || o->most_steps < RETC_REFINE_LEAST)
        return RETC_FAIL(RETC_EINVAL, "steps as needed take a tolerance above 0, a floor of at least 0 and at least %d steps",
                         RETC_REFINE_LEAST);
    return RETC_OK;
}

int
retc_refine_write(const retc_refine_options *o, size_t unconverged, retc_h5 *file, const char *dataset) {
    int status = RETC_OK;
    if (o->steps)
        return retc_h5_set_int(file, dataset, "steps", (int64_t)o->steps);
    RETC_TRY(retc_h5_set_number(file, dataset, "tolerance", o->tolerance));
    RETC_TRY(retc_h5_set_number(file, dataset, "floor", o->floor));
    RETC_TRY(retc_h5_set_int(file, dataset, "most_steps", (int64_t)o->most_steps));
    RETC_TRY(retc_h5_set_int(file, dataset, "unconverged", (int64_t)unconverged));
done:
    return status;
}

/* ---- storage --------------------------------------------------------------------------------------------------------- */

/* Per part an array of rows of time, or of one row. */
static int
alloc_sums(const retc_refine *r, float ***array) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(*array, r->task.parts));
    for (size_t k = 0; k < r->task.parts; ++k)
        RETC_TRY(RETC_ALLOC((*array)[k], r->task.rows[k] * r->ld));
done:
    return status;
}

static int
alloc_measures(const retc_refine *r, double ***array) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(*array, r->task.parts));
    for (size_t k = 0; k < r->task.parts; ++k)
        RETC_TRY(RETC_ALLOC((*array)[k], r->ld));
done:
    return status;
}

#define FREE_PARTS(array, parts)                                                                                               \
    do {                                                                                                                       \
        for (size_t k_ = 0; (array) && k_ < (parts); ++k_)                                                                     \
            retc_free((array)[k_]);                                                                                            \
        retc_free(array);                                                                                                      \
    } while (0)

static int
alloc_jobs(retc_refine *r) {
    int status = RETC_OK;
    size_t units = retc_layer_units(&r->path->network->layer[0]), ld = r->ld;
    RETC_TRY(RETC_ALLOC(r->open, ld));
    RETC_TRY(RETC_ALLOC(r->passes, ld));
    RETC_TRY(RETC_ALLOC(r->sample, ld));
    RETC_TRY(RETC_ALLOC(r->interval, ld));
    RETC_TRY(RETC_ALLOC(r->delta, units * ld));
    RETC_TRY(RETC_ALLOC(r->base, units * ld));
    for (int i = 0; i < 3; ++i) {
        RETC_TRY(RETC_ALLOC(r->alpha[i], ld));
        RETC_TRY(RETC_ALLOC(r->width[i], ld));
    }
    RETC_TRY(RETC_ALLOC(r->d_square, ld));
    RETC_TRY(RETC_ALLOC(r->d_peak, ld));
    RETC_TRY(RETC_ALLOC(r->total, ld));
    RETC_TRY(RETC_ALLOC(r->zero, ld));
done:
    return status;
}

retc_refine *
retc_refine_alloc(retc_path *path, const retc_refine_task *task, const retc_refine_options *options) {
    int status = RETC_OK;
    retc_refine *r = retc_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->path = path, r->task = *task, r->options = *options, r->ld = path->tape[1]->ld;
    RETC_TRY(alloc_sums(r, &r->piece));
    for (size_t p = 0; p < INTERVALS && !options->steps; ++p) {
        RETC_TRY(alloc_sums(r, &r->fine[p]));
        RETC_TRY(alloc_measures(r, &r->square[p]));
        RETC_TRY(alloc_measures(r, &r->peak[p]));
        RETC_TRY(RETC_ALLOC(r->pieces[p], r->ld));
    }
    if (!options->steps) {
        RETC_TRY(alloc_sums(r, &r->coarse));
        RETC_TRY(alloc_measures(r, &r->norm));
        RETC_TRY(alloc_jobs(r));
    }
done:
    if (status < 0) {
        retc_refine_free(r);
        return NULL;
    }
    return r;
}

void
retc_refine_free(retc_refine *r) {
    if (!r)
        return;
    for (size_t p = 0; p < INTERVALS; ++p) {
        FREE_PARTS(r->fine[p], r->task.parts);
        FREE_PARTS(r->square[p], r->task.parts);
        FREE_PARTS(r->peak[p], r->task.parts);
        retc_free(r->pieces[p]);
    }
    FREE_PARTS(r->piece, r->task.parts);
    FREE_PARTS(r->coarse, r->task.parts);
    FREE_PARTS(r->norm, r->task.parts);
    for (int i = 0; i < 3; ++i)
        retc_free(r->alpha[i]), retc_free(r->width[i]);
    retc_free(r->open), retc_free(r->passes), retc_free(r->sample), retc_free(r->interval), retc_free(r->delta),
        retc_free(r->base);
    retc_free(r->d_square), retc_free(r->d_peak), retc_free(r->total), retc_free(r->zero);
    retc_free(r);
}

/* ---- two steps and one over both ------------------------------------------------------------------------------------- */

/* Where the path is cut: u = 0 ... INTERVALS at the ends of the intervals. */
static float
place(double u) {
    return (float)(0.5 * u / INTERVALS * (1 + u / INTERVALS));
}

static void
clear(const retc_refine *r, float *const *sums) {
    for (size_t k = 0; k < r->task.parts; ++k)
        memset(sums[k], 0, r->task.rows[k] * r->ld * sizeof(float));
}

static void
set_widths(retc_refine *r, size_t n) {
    for (size_t t = 0; t < n; ++t) {
        r->width[0][t] = r->alpha[1][t] - r->alpha[0][t];
        r->width[1][t] = r->alpha[2][t] - r->alpha[1][t];
        r->width[2][t] = r->alpha[2][t] - r->alpha[0][t];
    }
}

/* Over `coarse`, whose two halves are in `fine`. */
static void
take_pair(retc_refine *r, retc_tape *from, retc_tape *middle, retc_tape *to, size_t n, float *const *fine) {
    const retc_refine_task *task = &r->task;
    set_widths(r, n);
    clear(r, fine), clear(r, r->coarse);
    task->step(task->context, from, middle, r->width[0], n, fine);
    task->step(task->context, middle, to, r->width[1], n, fine);
    task->step(task->context, from, to, r->width[2], n, r->coarse);
}

/* Extrapolate part k; its changes are then in d_square and d_peak. */
static void
extrapolate(retc_refine *r, size_t k, size_t n, float *fine) {
    memset(r->d_square, 0, n * sizeof(float)), memset(r->d_peak, 0, n * sizeof(float));
    for (size_t row = 0; row < r->task.rows[k]; ++row)
        retc_row_extrapolate(r->coarse[k] + row * r->ld, n, fine + row * r->ld, r->d_square, r->d_peak);
}

/* What every sample gets. */
static void
take_intervals(retc_refine *r, const retc_path_line *line) {
    retc_path *path = r->path;
    retc_tape *from = path->tape[0], *middle = path->tape[1], *to = path->tape[2];
    size_t n = line->n;
    for (size_t t = 0; t < n; ++t)
        r->open[t] = 1, r->passes[t] = 1 + 5 * INTERVALS;
    retc_path_start(path, line, from);
    for (size_t p = 0; p < INTERVALS; ++p) {
        for (size_t t = 0; t < n; ++t) {
            for (int i = 0; i < 3; ++i)
                r->alpha[i][t] = place((double)p + 0.5 * i);
            r->pieces[p][t] = 1;
        }
        retc_path_move(path, line, r->alpha[1][0], middle);
        retc_path_move(path, line, r->alpha[2][0], to);
        take_pair(r, from, middle, to, n, r->fine[p]);
        for (size_t k = 0; k < r->task.parts; ++k) {
            extrapolate(r, k, n, r->fine[p][k]);
            for (size_t t = 0; t < n; ++t)
                r->square[p][k][t] = (double)r->d_square[t], r->peak[p][k][t] = (double)r->d_peak[t];
        }
        retc_tape *swap = from;
        from = to, to = swap;
    }
    path->end = from;
}

void
retc_refine_begin(retc_refine *r, const retc_path_line *line) {
    r->line = *line;
    if (r->options.steps) {
        clear(r, r->piece);
        retc_path_walk(r->path, line, r->options.steps, r->task.step, r->task.context, r->piece);
    } else {
        take_intervals(r, line);
    }
}

/* ---- sums ------------------------------------------------------------------------------------------------------------ */

/* Row `row` of part k, summed over the intervals, into `total`. */
static void
add_intervals(const retc_refine *r, size_t k, size_t row) {
    memcpy(r->total, r->fine[0][k] + row * r->ld, r->line.n * sizeof(float));
    for (size_t p = 1; p < INTERVALS; ++p)
        retc_row_add(r->fine[p][k] + row * r->ld, r->line.n, r->total);
}

/* All sums as they are, and their norms, in one pass over the intervals. */
static void
deliver_sums(retc_refine *r) {
    size_t n = r->line.n;
    for (size_t k = 0; k < r->task.parts; ++k) {
        memset(r->d_square, 0, n * sizeof(float));
        for (size_t row = 0; row < r->task.rows[k]; ++row) {
            float *sum = r->sums[k] + row * r->ld;
            add_intervals(r, k, row);
            retc_row_step(r->total, r->total, r->zero, n, r->d_square);
            for (size_t t = 0; t < n; ++t)
                sum[t] += r->share * r->total[t];
        }
        for (size_t t = 0; t < n; ++t)
            r->norm[k][t] = sqrt((double)r->d_square[t]);
    }
}

/* Add `share` times interval p of sample t to the sums. */
static void
deliver_interval(const retc_refine *r, size_t p, size_t t, float share) {
    for (size_t k = 0; k < r->task.parts; ++k)
        for (size_t at = t; at < r->task.rows[k] * r->ld; at += r->ld)
            r->sums[k][at] += share * r->fine[p][k][at];
}

/* ---- pieces ---------------------------------------------------------------------------------------------------------- */

static void
pick(const retc_refine *r, const float *rows, size_t n, float *out) {
    for (size_t row = 0; row < retc_layer_units(&r->path->network->layer[0]); ++row)
        for (size_t j = 0; j < n; ++j)
            out[row * r->ld + j] = rows[row * r->ld + r->sample[j]];
}

/* Add what the pieces of a batch give to their samples. */
static void
deliver(retc_refine *r, size_t k) {
    for (size_t row = 0; row < r->task.rows[k]; ++row)
        for (size_t j = 0; j < r->jobs; ++j)
            r->fine[r->interval[j]][k][row * r->ld + r->sample[j]] += r->piece[k][row * r->ld + j];
    for (size_t j = 0; j < r->jobs; ++j) {
        r->square[r->interval[j]][k][r->sample[j]] += (double)r->d_square[j];
        double *peak = &r->peak[r->interval[j]][k][r->sample[j]];
        *peak = fmax(*peak, (double)r->d_peak[j]);
    }
}

/* Kernels work on whole vectors of samples: what fills up the last one is the first once more, and nobody reads it. */
static void
run_batch(retc_refine *r) {
    retc_path *path = r->path;
    size_t n = (r->jobs + WHOLE - 1) / WHOLE * WHOLE;
    for (size_t j = r->jobs; j < n; ++j) {
        r->sample[j] = r->sample[0], r->interval[j] = r->interval[0];
        for (int i = 0; i < 3; ++i)
            r->alpha[i][j] = r->alpha[i][0];
    }
    retc_path_line line = {n, r->delta, r->line.common_base ? r->line.base : r->base, r->line.common_base};
    pick(r, r->line.delta, n, r->delta);
    if (!line.common_base)
        pick(r, r->line.base, n, r->base);
    for (int i = 0; i < 3; ++i)
        retc_path_move_each(path, &line, r->alpha[i], path->tape[i]);
    take_pair(r, path->tape[0], path->tape[1], path->tape[2], n, r->piece);
    for (size_t k = 0; k < r->task.parts; ++k) {
        extrapolate(r, k, n, r->piece[k]);
        deliver(r, k);
    }
    r->jobs = 0;
}

/* Begin interval p of sample t anew; it is taken from the sums when it is cut for the first time. */
static void
take_pieces(retc_refine *r, size_t p, size_t t, size_t pieces) {
    if (r->pieces[p][t] == 1)
        deliver_interval(r, p, t, -r->share);
    r->pieces[p][t] = pieces, r->passes[t] += 6 * pieces;
    for (size_t k = 0; k < r->task.parts; ++k) {
        for (size_t row = 0; row < r->task.rows[k]; ++row)
            r->fine[p][k][row * r->ld + t] = 0;
        r->square[p][k][t] = r->peak[p][k][t] = 0;
    }
    for (size_t j = 0; j < pieces; ++j) {
        for (int i = 0; i < 3; ++i)
            r->alpha[i][r->jobs] = place((double)p + ((double)j + 0.5 * i) / (double)pieces);
        r->sample[r->jobs] = t, r->interval[r->jobs] = p;
        if (++r->jobs == r->ld)
            run_batch(r);
    }
}

/* Cut intervals until all samples are done. */
static void
cut_intervals(retc_refine *r) {
    size_t wanted[INTERVALS];
    int again;
    do {
        again = 0;
        for (size_t t = 0; t < r->line.n; ++t) {
            if (!r->open[t] || !(r->open[t] = retc_refine_choose(r, t, wanted)))
                continue;
            again = 1;
            for (size_t p = 0; p < INTERVALS; ++p)
                if (wanted[p] > r->pieces[p][t])
                    take_pieces(r, p, t, wanted[p]);
        }
        if (r->jobs)
            run_batch(r);
    } while (again);
    for (size_t t = 0; t < r->line.n; ++t)
        for (size_t p = 0; p < INTERVALS; ++p)
            if (r->pieces[p][t] > 1)
                deliver_interval(r, p, t, r->share);
}

void
retc_refine_finish(retc_refine *r, float share, float *const *sums) {
    r->share = share, r->sums = sums;
    if (!r->options.steps) {
        deliver_sums(r);
        cut_intervals(r);
        return;
    }
    for (size_t k = 0; k < r->task.parts; ++k)
        for (size_t row = 0; row < r->task.rows[k]; ++row)
            for (size_t t = 0; t < r->line.n; ++t)
                sums[k][row * r->ld + t] += share * r->piece[k][row * r->ld + t];
}
