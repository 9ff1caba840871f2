#include "sweep_table.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "h5.h"
#include "options.h"

/* Scores that commands leave in their outputs, in the order in which they are preferred. */
static const struct {
    const char *command, *name;
    int less_is_better;
} known[] = {
    {"fit", "validation_loss", 1}, {"fit", "validation_r", 0}, {"predict", "r", 0}, {"predict", "explained_variance", 0}};

enum { KNOWN = sizeof known / sizeof *known };

/* ---- which scores there are ------------------------------------------------------------------------------------------ */

static int
add_score(retc_sweep_table *table, size_t what, size_t stage, int alone) {
    const retc_run_config *config = table->sweep->config;
    retc_sweep_score *score = &table->score[table->scores++];
    score->what = what;
    score->stage = stage;
    score->name = alone ? retc_strdup(known[what].name) : retc_strf("%s.%s", config->stage[stage].name, known[what].name);
    return RETC_GOT(score->name);
}

static int
find_scores(retc_sweep_table *table) {
    int status = RETC_OK;
    const retc_sweep *sweep = table->sweep;
    const retc_run_config *config = sweep->config;
    RETC_TRY(RETC_ALLOC(table->score, config->n * KNOWN));
    for (size_t what = 0; what < KNOWN; ++what) {
        size_t n = 0;
        for (size_t s = 0; s < config->n; ++s)
            n += sweep->at_points[s] && !strcmp(config->stage[s].command, known[what].command);
        for (size_t s = 0; s < config->n; ++s)
            if (sweep->at_points[s] && !strcmp(config->stage[s].command, known[what].command))
                RETC_TRY(add_score(table, what, s, n == 1));
    }
    if (table->scores == 0)
        status = RETC_FAIL(RETC_EUSAGE, "%s: no stage that varies is a fit or a predict: there is nothing to compare points by",
                           config->path);
done:
    return status;
}

static int
choose_score(retc_sweep_table *table) {
    const retc_sweep *sweep = table->sweep;
    int status = RETC_OK;
    const char **names = NULL;
    if (!sweep->score)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(names, table->scores));
    for (table->by = 0; table->by < table->scores; ++table->by) {
        names[table->by] = table->score[table->by].name;
        if (!strcmp(names[table->by], sweep->score))
            goto done;
    }
    const char *nearest = retc_nearest_name(sweep->score, names, table->scores);
    status =
        RETC_FAIL(RETC_EUSAGE, "%s:%zu: [sweep] score: no stage gives \"%s\"; %s %s", sweep->config->path, sweep->score_line,
                  sweep->score, nearest ? "did you mean" : "there is, for example,", nearest ? nearest : names[0]);
done:
    retc_free(names);
    return status;
}

int
retc_sweep_table_init(const retc_sweep *sweep, retc_sweep_table *table) {
    int status = RETC_OK;
    *table = (retc_sweep_table){.sweep = sweep};
    RETC_TRY(find_scores(table));
    RETC_TRY(choose_score(table));
    RETC_TRY(RETC_ALLOC(table->state, sweep->points));
    RETC_TRY(RETC_ALLOC(table->reason, sweep->points));
    RETC_TRY(RETC_ALLOC(table->value, sweep->points * table->scores));
    RETC_TRY(RETC_ALLOC(table->seconds, sweep->points * sweep->config->n));
    for (size_t i = 0; i < sweep->points * table->scores; ++i)
        table->value[i] = (double)NAN;
    for (size_t i = 0; i < sweep->points * sweep->config->n; ++i)
        table->seconds[i] = (double)NAN;
done:
    return status;
}

void
retc_sweep_table_free(retc_sweep_table *table) {
    for (size_t i = 0; i < table->scores; ++i)
        retc_free(table->score[i].name);
    for (size_t p = 0; table->reason && p < table->sweep->points; ++p)
        retc_free(table->reason[p]);
    retc_free(table->score);
    retc_free(table->state);
    retc_free(table->reason);
    retc_free(table->value);
    retc_free(table->seconds);
    *table = (retc_sweep_table){0};
}

/* ---- scores of a point ----------------------------------------------------------------------------------------------- */

/* A curve of a fit, (epochs); an empty one where the file has none. */
static int
read_curve(retc_h5 *file, const char *name, size_t *n, double **curve) {
    void *data = NULL;
    int status = RETC_OK;
    *n = 0;
    if (retc_h5_has(file, name))
        status = retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, n, &data);
    *curve = data;
    return status;
}

/* Loss and correlation at the epoch that was kept.  A fit without held-out frames has zeros there. */
static int
read_fit(retc_h5 *file, double *loss, double *r) {
    int status = RETC_OK;
    double *losses = NULL, *rs = NULL;
    size_t n, same, best = 0;
    *loss = *r = (double)NAN;
    RETC_TRY(read_curve(file, "/training/validation_loss", &n, &losses));
    RETC_TRY(read_curve(file, "/training/validation_r", &same, &rs));
    for (size_t e = 1; e < n; ++e)
        if (losses[e] < losses[best])
            best = e;
    if (n == 0 || n != same || (losses[best] == 0 && rs[best] == 0))
        goto done;
    *loss = losses[best];
    *r = rs[best];
done:
    retc_free(losses);
    retc_free(rs);
    return status;
}

/* Mean over the cells that have a score. */
static int
read_mean(retc_h5 *file, const char *name, double *mean) {
    int status = RETC_OK;
    size_t n = 0, count = 0;
    void *data = NULL;
    double sum = 0;
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, &n, &data));
    for (size_t j = 0; j < n; ++j)
        if (isfinite(((const double *)data)[j]))
            sum += ((const double *)data)[j], ++count;
    *mean = count ? sum / (double)count : (double)NAN;
done:
    retc_free(data);
    return status;
}

static int
read_score(const char *path, size_t what, double *value) {
    int status = RETC_OK;
    double loss, r;
    retc_h5 *file = retc_h5_open(path);
    if (!file)
        return RETC_EIO;
    if (!strcmp(known[what].command, "fit")) {
        RETC_TRY(read_fit(file, &loss, &r));
        *value = known[what].less_is_better ? loss : r;
    } else {
        RETC_TRY(read_mean(file, !strcmp(known[what].name, "r") ? "/score/pearson" : "/score/explained_variance", value));
    }
done:
    retc_h5_close(file);
    return status;
}

/* Where nothing is said the first score orders the table that any point has: an LN model has no validation loss, say. */
static void
settle_score(retc_sweep_table *table) {
    size_t n = table->sweep->points * table->scores;
    for (size_t by = 0; by < table->scores; ++by)
        for (size_t i = by; i < n; i += table->scores)
            if (isfinite(table->value[i])) {
                table->by = by;
                return;
            }
}

int
retc_sweep_table_score(retc_sweep_table *table, size_t point, const retc_run_ready *ready) {
    int status = RETC_OK;
    for (size_t i = 0; i < table->scores; ++i)
        RETC_TRY(
            read_score(ready[table->score[i].stage].output, table->score[i].what, &table->value[point * table->scores + i]));
    if (!table->sweep->score)
        settle_score(table);
done:
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

/* Is point a better than point b?  Points without a score are worse than all others. */
static int
is_better(const retc_sweep_table *table, size_t a, size_t b) {
    double x = table->value[a * table->scores + table->by], y = table->value[b * table->scores + table->by];
    int scored_a = isfinite(x) && table->state[a] != RETC_POINT_FAILED,
        scored_b = isfinite(y) && table->state[b] != RETC_POINT_FAILED;
    if (!scored_a || !scored_b)
        return scored_a > scored_b;
    return known[table->score[table->by].what].less_is_better ? x < y : x > y;
}

void
retc_sweep_table_order(const retc_sweep_table *table, size_t *order) {
    for (size_t p = 0; p < table->sweep->points; ++p) {
        size_t at = p;
        for (; at > 0 && is_better(table, p, order[at - 1]); --at)
            order[at] = order[at - 1];
        order[at] = p;
    }
}

double
retc_sweep_table_seconds(const retc_sweep_table *table, size_t point) {
    const retc_sweep *sweep = table->sweep;
    double sum = 0;
    for (size_t s = 0; s < sweep->config->n; ++s)
        sum += sweep->at_points[s] ? table->seconds[point * sweep->config->n + s] : 0;
    return sum;
}

char *
retc_sweep_table_state(const retc_sweep_table *table, size_t point) {
    static const char *const names[] = {"not run yet", "done", "did not converge", "failed"};
    retc_point_state state = table->state[point];
    return state == RETC_POINT_FAILED && table->reason[point] ? retc_strf("failed: %s", table->reason[point])
                                                              : retc_strdup(names[state]);
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

/* Distances on the axis of a key are ratios when it was drawn so, or when its values span a decade. */
static const char *
scale_of(const retc_sweep *sweep, size_t k, const double *x) {
    double least = x[0], most = x[0];
    for (size_t p = 0; p < sweep->points; ++p) {
        if (isnan(x[p]))
            return "text";
        least = fmin(least, x[p]);
        most = fmax(most, x[p]);
    }
    int ratios =
        sweep->key[k].kind == RETC_SWEEP_LOG_UNIFORM || (sweep->key[k].kind == RETC_SWEEP_VALUES && most >= 10 * least);
    return least > 0 && ratios ? "log" : "linear";
}

/* One key: numbers, or texts where a value is no number. */
static int
write_key(const retc_sweep_table *table, size_t k, const size_t *order, retc_h5 *file, const char **scale) {
    const retc_sweep *sweep = table->sweep;
    int status = RETC_OK;
    const char **text = NULL;
    double *x = NULL;
    char *name = retc_strf("/parameters/%s", sweep->key[k].name);
    RETC_TRY(RETC_GOT(name));
    RETC_TRY(RETC_ALLOC(text, sweep->points));
    RETC_TRY(RETC_ALLOC(x, sweep->points));
    for (size_t row = 0; row < sweep->points; ++row) {
        text[row] = sweep->value[order[row] * sweep->keys + k];
        if (retc_parse_double(text[row], &x[row]) < 0)
            x[row] = (double)NAN;
    }
    *scale = scale_of(sweep, k, x);
    if (!strcmp(*scale, "text"))
        RETC_TRY(retc_h5_put_texts(file, name, sweep->points, text));
    else
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &sweep->points, x));
done:
    retc_free(text);
    retc_free(x);
    retc_free(name);
    return status;
}

static int
write_keys(const retc_sweep_table *table, const size_t *order, retc_h5 *file) {
    const retc_sweep *sweep = table->sweep;
    int status = RETC_OK;
    const char **names = NULL, **scales = NULL;
    RETC_TRY(RETC_ALLOC(names, sweep->keys));
    RETC_TRY(RETC_ALLOC(scales, sweep->keys));
    for (size_t k = 0; k < sweep->keys; ++k) {
        names[k] = sweep->key[k].name;
        RETC_TRY(write_key(table, k, order, file, &scales[k]));
    }
    RETC_TRY(retc_h5_put_texts(file, "/parameter_names", sweep->keys, names));
    RETC_TRY(retc_h5_put_texts(file, "/parameter_scales", sweep->keys, scales));
done:
    retc_free(names);
    retc_free(scales);
    return status;
}

static int
write_scores(const retc_sweep_table *table, const size_t *order, retc_h5 *file) {
    size_t points = table->sweep->points;
    int status = RETC_OK;
    const char **names = NULL;
    double *column = NULL;
    RETC_TRY(RETC_ALLOC(names, table->scores));
    RETC_TRY(RETC_ALLOC(column, points));
    for (size_t i = 0; i < table->scores; ++i) {
        names[i] = table->score[i].name;
        for (size_t row = 0; row < points; ++row)
            column[row] = table->value[order[row] * table->scores + i];
        char *name = retc_strf("/scores/%s", names[i]);
        status = name ? retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &points, column) : RETC_ENOMEM;
        retc_free(name);
        RETC_TRY(status);
    }
    RETC_TRY(retc_h5_put_texts(file, "/score_names", table->scores, names));
    for (size_t row = 0; row < points; ++row)
        column[row] = retc_sweep_table_seconds(table, order[row]);
    RETC_TRY(retc_h5_put(file, "/seconds", RETC_H5_DOUBLE, 1, &points, column));
done:
    retc_free(names);
    retc_free(column);
    return status;
}

/* Where each point is, how it ended, and how long its stages took: also what a later run recalls. */
static int
write_points(const retc_sweep_table *table, const size_t *order, retc_h5 *file) {
    const retc_sweep *sweep = table->sweep;
    size_t shape[2] = {sweep->points, sweep->config->n};
    int status = RETC_OK;
    char **states = NULL;
    const char **folders = NULL, **stages = NULL;
    double *seconds = NULL;
    RETC_TRY(RETC_ALLOC(states, sweep->points));
    RETC_TRY(RETC_ALLOC(folders, sweep->points));
    RETC_TRY(RETC_ALLOC(stages, sweep->config->n));
    RETC_TRY(RETC_ALLOC(seconds, shape[0] * shape[1]));
    for (size_t row = 0; row < sweep->points; ++row) {
        RETC_TRY(RETC_GOT(states[row] = retc_sweep_table_state(table, order[row])));
        folders[row] = sweep->folder[order[row]];
        memcpy(seconds + row * shape[1], table->seconds + order[row] * shape[1], shape[1] * sizeof *seconds);
    }
    for (size_t s = 0; s < sweep->config->n; ++s)
        stages[s] = sweep->config->stage[s].name;
    RETC_TRY(retc_h5_put_texts(file, "/folders", sweep->points, folders));
    RETC_TRY(retc_h5_put_texts(file, "/states", sweep->points, (const char *const *)states));
    RETC_TRY(retc_h5_put_texts(file, "/stages", sweep->config->n, stages));
    RETC_TRY(retc_h5_put(file, "/stage_seconds", RETC_H5_DOUBLE, 2, shape, seconds));
done:
    for (size_t row = 0; states && row < sweep->points; ++row)
        retc_free(states[row]);
    retc_free(states);
    retc_free(folders);
    retc_free(stages);
    retc_free(seconds);
    return status;
}

int
retc_sweep_table_write(const retc_sweep_table *table, const char *path, const retc_provenance *provenance) {
    int status = RETC_OK, converged = 1;
    size_t *order = NULL;
    retc_h5 *file = NULL;
    RETC_TRY(RETC_ALLOC(order, table->sweep->points));
    retc_sweep_table_order(table, order);
    for (size_t p = 0; p < table->sweep->points; ++p)
        converged &= table->state[p] == RETC_POINT_DONE;
    RETC_TRY(RETC_GOT(file = retc_h5_create(path, 1)));
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "sweep"));
    RETC_TRY(retc_h5_set_text(file, "/", "score", table->score[table->by].name));
    RETC_TRY(retc_h5_set_text(file, "/", "best", known[table->score[table->by].what].less_is_better ? "least" : "most"));
    RETC_TRY(retc_h5_set_int(file, "/", "draws", (int64_t)table->sweep->draws));
    RETC_TRY(retc_h5_set_int(file, "/", "converged", converged));
    RETC_TRY(write_keys(table, order, file));
    RETC_TRY(write_scores(table, order, file));
    RETC_TRY(write_points(table, order, file));
    RETC_TRY(retc_provenance_write(provenance, file));
    RETC_TRY(retc_h5_commit(file));
done:
    retc_h5_close(file);
    retc_free(order);
    return status;
}

/* ---- what an earlier run knew ---------------------------------------------------------------------------------------- */

static size_t
find_text(const char *const *texts, size_t n, const char *text) {
    size_t i = 0;
    while (i < n && strcmp(texts[i], text) != 0)
        ++i;
    return i;
}

static void
recall_row(retc_sweep_table *table, const char *folder, const double *seconds, char **stages, size_t n) {
    const retc_sweep *sweep = table->sweep;
    size_t p = find_text((const char *const *)sweep->folder, sweep->points, folder);
    if (p == sweep->points)
        return;
    for (size_t s = 0; s < sweep->config->n; ++s) {
        size_t old = find_text((const char *const *)stages, n, sweep->config->stage[s].name);
        if (old < n)
            table->seconds[p * sweep->config->n + s] = seconds[old];
    }
}

int
retc_sweep_table_recall(retc_sweep_table *table, const char *path) {
    int status = RETC_OK;
    size_t rows, n;
    char **folders = NULL, **stages = NULL;
    void *seconds = NULL;
    retc_h5 *file = NULL;
    if (access(path, F_OK) != 0)
        return RETC_OK;
    RETC_TRY((file = retc_h5_open(path)) ? RETC_OK : RETC_EIO);
    RETC_TRY(retc_h5_expect_kind(file, "sweep"));
    RETC_TRY(retc_h5_read_texts(file, "/folders", &folders, &rows));
    RETC_TRY(retc_h5_read_texts(file, "/stages", &stages, &n));
    RETC_TRY(retc_h5_expect(file, "/stage_seconds", 2, (const size_t[]){rows, n}, NULL));
    RETC_TRY(retc_h5_read_new(file, "/stage_seconds", RETC_H5_DOUBLE, 2, NULL, &seconds));
    for (size_t row = 0; row < rows; ++row)
        recall_row(table, folders[row], (const double *)seconds + row * n, stages, n);
done:
    retc_free(folders);
    retc_free(stages);
    retc_free(seconds);
    retc_h5_close(file);
    return status;
}
