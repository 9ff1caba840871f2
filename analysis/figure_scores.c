#include "figure_scores.h"

#include <math.h>
#include <string.h>

#include "scores.h"

static const struct {
    retc_score_kind kind;
    const char *title;
} panels[] = {
    {RETC_SCORE_R, "correlation r"},
    {RETC_SCORE_EV, "explained variance"},
    {RETC_SCORE_DEVIANCE, "Poisson deviance explained"},
};
enum { PANELS = sizeof panels / sizeof *panels, WIDEST_NAME = 24 };

/* Scores below this lie outside the panel: a poor model's explained variance has no lower bound. */
#define LEAST_SHOWN -0.5

/* One score of the rows of the figure: chosen cells, then the mean. */
typedef struct {
    double *value, *low68, *high68, *low95, *high95; /* (rows) */
} column;

typedef struct {
    retc_h5 *file;
    size_t N, T;
    char *part;
    int64_t *frame;          /* (T), ascending */
    float *measured;         /* (T) Hz, of one cell */
    retc_figure_cells cells; /* the figure's cells in this file */
    column score[PANELS], ceiling[PANELS];
} prediction;

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static void
clear_column(column *c) {
    retc_free(c->value);
    retc_free(c->low68);
    retc_free(c->high68);
    retc_free(c->low95);
    retc_free(c->high95);
}

static void
close_prediction(prediction *from) {
    for (int k = 0; k < PANELS; ++k) {
        clear_column(&from->score[k]);
        clear_column(&from->ceiling[k]);
    }
    retc_figure_cells_free(&from->cells);
    retc_free(from->part);
    retc_free(from->frame);
    retc_free(from->measured);
}

/* Dataset group/name (n,width); columns of rows `index` (NULL: all) go to out[0], out[1]; NaN where the file has none. */
static int
read_rows(retc_h5 *file, const char *group, const char *name, size_t n, size_t width, const size_t *index, size_t rows,
          double *const *out) {
    int status = RETC_OK;
    void *data = NULL;
    char *dataset = retc_strf("%s/%s", group, name);
    RETC_TRY(RETC_GOT(dataset));
    if (width == 1 || retc_h5_has(file, dataset)) {
        RETC_TRY(retc_h5_expect(file, dataset, width == 1 ? 1 : 2, (size_t[]){n, width}, NULL));
        RETC_TRY(retc_h5_read_new(file, dataset, RETC_H5_DOUBLE, width == 1 ? 1 : 2, NULL, &data));
    }
    for (size_t i = 0; i < rows; ++i)
        for (size_t c = 0; c < width; ++c)
            out[c][i] = data ? ((const double *)data)[(index ? index[i] : i) * width + c] : (double)NAN;
done:
    retc_free(data);
    retc_free(dataset);
    return status;
}

static int
read_column(const prediction *from, retc_score_kind kind, column *c) {
    int status = RETC_OK;
    size_t rows = from->cells.n;
    const char *name = retc_score_names[kind];
    char names[2][96];
    snprintf(names[0], sizeof names[0], "%s_68", name);
    snprintf(names[1], sizeof names[1], "%s_95", name);
    RETC_TRY(RETC_ALLOC(c->value, rows + 1));
    RETC_TRY(RETC_ALLOC(c->low68, rows + 1));
    RETC_TRY(RETC_ALLOC(c->high68, rows + 1));
    RETC_TRY(RETC_ALLOC(c->low95, rows + 1));
    RETC_TRY(RETC_ALLOC(c->high95, rows + 1));
    for (int mean = 0; mean < 2; ++mean) {
        size_t n = mean ? 1 : from->N, first = mean ? rows : 0, count = mean ? 1 : rows;
        const char *group = mean ? "/score/mean" : "/score";
        const size_t *index = mean ? NULL : from->cells.index;
        RETC_TRY(read_rows(from->file, group, name, n, 1, index, count, (double *[]){c->value + first}));
        RETC_TRY(read_rows(from->file, group, names[0], n, 2, index, count, (double *[]){c->low68 + first, c->high68 + first}));
        RETC_TRY(read_rows(from->file, group, names[1], n, 2, index, count, (double *[]){c->low95 + first, c->high95 + first}));
    }
done:
    return status;
}

static int
open_prediction(retc_h5 *file, const retc_figure_cells *cells, prediction *from) {
    size_t shape[2] = {0};
    void *frame = NULL;
    char name[64];
    int status = RETC_OK;
    *from = (prediction){.file = file};
    RETC_TRY(retc_h5_get_text(file, "/", "part", &from->part));
    snprintf(name, sizeof name, "/%.16s/measured", from->part);
    RETC_TRY(retc_h5_expect(file, name, 2, NULL, shape));
    from->N = shape[0];
    from->T = shape[1];
    snprintf(name, sizeof name, "/%.16s/frame", from->part);
    RETC_TRY(retc_h5_expect(file, name, 1, &from->T, NULL));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_INT64, 1, NULL, &frame));
    from->frame = frame;
    RETC_TRY(RETC_ALLOC(from->measured, from->T));
    RETC_TRY(retc_figure_cells_match(file, "/cell_names", from->N, cells, &from->cells));
    for (int k = 0; k < PANELS; ++k) {
        retc_score_kind kind = panels[k].kind, ceiling = RETC_SCORE_R_CEILING + (kind - RETC_SCORE_R);
        RETC_TRY(read_column(from, kind, &from->score[k]));
        RETC_TRY(read_column(from, ceiling, &from->ceiling[k]));
    }
done:
    return status;
}

/* ---- one recording --------------------------------------------------------------------------------------------------- */

static int
read_measured(prediction *from, size_t row) {
    char name[64];
    snprintf(name, sizeof name, "/%.16s/measured", from->part);
    return retc_h5_read(from->file, name, RETC_H5_FLOAT, (size_t[]){from->cells.index[row], 0}, (size_t[]){1, from->T},
                        from->measured);
}

/* Rates are stored in single precision; equal counts give equal rates but for rounding. */
static int
same_measured(const prediction *a, const prediction *b) {
    size_t i = 0, j = 0, common = 0;
    while (i < a->T && j < b->T) {
        if (a->frame[i] < b->frame[j]) {
            ++i;
            continue;
        }
        if (a->frame[i] > b->frame[j]) {
            ++j;
            continue;
        }
        double x = (double)a->measured[i++], y = (double)b->measured[j++];
        if (!(fabs(x - y) <= 1e-5 * fmax(fabs(x), fabs(y))))
            return 0;
        ++common;
    }
    return common > 0;
}

static int
check_recording(prediction *first, prediction *other) {
    int status = RETC_OK;
    if (strcmp(first->part, other->part) != 0)
        return RETC_FAIL(RETC_EINVAL, "%s: holds predictions of the %s part, %s those of the %s part",
                         retc_h5_path(other->file), other->part, retc_h5_path(first->file), first->part);
    for (size_t i = 0; i < first->cells.n; ++i) {
        RETC_TRY(read_measured(first, i));
        RETC_TRY(read_measured(other, i));
        if (!same_measured(first, other))
            return RETC_FAIL(RETC_EINVAL,
                             "%s: what was measured of %s is not what %s has: scores can be compared on one recording only",
                             retc_h5_path(other->file), first->cells.name[i], retc_h5_path(first->file));
    }
done:
    return status;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

/* The ends of an axis on which all scores lie, multiples of 0.1. */
static void
find_range(const prediction *from, size_t n, int k, double *lowest, double *highest) {
    *lowest = 0.8;
    *highest = 1;
    for (size_t m = 0; m < n; ++m)
        for (size_t i = 0; i <= from[m].cells.n; ++i) {
            *lowest = fmin(*lowest, fmin(from[m].score[k].value[i], from[m].score[k].low95[i]));
            *highest = fmax(*highest, fmax(from[m].score[k].value[i], from[m].score[k].high95[i]));
        }
    *lowest = fmax(floor(10 * *lowest) / 10, LEAST_SHOWN);
    *highest = ceil(10 * *highest) / 10;
}

/* The first model that has a ceiling in a row: models of other histories are scored on a few frames more or less. */
static size_t
with_ceiling(const prediction *from, size_t n, int k, size_t row) {
    for (size_t m = 0; m < n; ++m)
        if (isfinite(from[m].ceiling[k].value[row]))
            return m;
    return 0;
}

static void
print_column(const column *c, size_t row, int both, FILE *table) {
    retc_table_number(table, (double)(row + 1));
    retc_table_number(table, c->value[row]);
    if (both) {
        retc_table_number(table, c->low68[row]);
        retc_table_number(table, c->high68[row]);
    }
    retc_table_number(table, c->low95[row]);
    retc_table_number(table, c->high95[row]);
    retc_table_end_row(table);
}

static void
print_panel(const prediction *from, size_t n, int k, FILE *table) {
    char name[40];
    size_t rows = from[0].cells.n + 1;
    snprintf(name, sizeof name, "ceilings %d", k + 1);
    retc_table_block(table, name, "row ceiling low95 high95");
    for (size_t i = 0; i < rows; ++i)
        print_column(&from[with_ceiling(from, n, k, i)].ceiling[k], i, 0, table);
    for (size_t m = 0; m < n; ++m) {
        snprintf(name, sizeof name, "scores %d %zu", k + 1, m + 1);
        retc_table_block(table, name, "row score low68 high68 low95 high95");
        for (size_t i = 0; i < rows; ++i)
            print_column(&from[m].score[k], i, 1, table);
    }
}

static void
print_head(const prediction *from, size_t n, char *const *names, FILE *table) {
    int ceilings = 0, intervals = 0;
    size_t cells = from[0].cells.n, letters = 0;
    for (size_t i = 0; i < cells; ++i)
        letters = strlen(from[0].cells.name[i]) > letters ? strlen(from[0].cells.name[i]) : letters;
    for (size_t m = 0; m < n; ++m) {
        ceilings |= isfinite(from[m].ceiling[0].value[cells]) != 0;
        intervals |= isfinite(from[m].score[0].low95[cells]) != 0;
    }
    retc_table_block(table, "figure", "cells models panels ceilings intervals letters_of_names");
    retc_table_number(table, (double)cells);
    retc_table_number(table, (double)n);
    retc_table_number(table, PANELS);
    retc_table_number(table, ceilings);
    retc_table_number(table, intervals);
    retc_table_number(table, letters < WIDEST_NAME ? (double)letters : WIDEST_NAME);
    retc_table_end_row(table);
    retc_table_block(table, "models", "number name");
    for (size_t m = 0; m < n; ++m) {
        retc_table_number(table, (double)(m + 1));
        retc_table_text(table, names[m]);
        retc_table_end_row(table);
    }
    retc_table_block(table, "rows", "number name");
    for (size_t i = 0; i <= cells; ++i) {
        char name[WIDEST_NAME + 1];
        snprintf(name, sizeof name, "%s", i < cells ? from[0].cells.name[i] : "mean");
        retc_table_number(table, (double)(i + 1));
        retc_table_text(table, name);
        retc_table_end_row(table);
    }
    retc_table_block(table, "panels", "number title lowest highest");
    for (int k = 0; k < PANELS; ++k) {
        double lowest, highest;
        find_range(from, n, k, &lowest, &highest);
        retc_table_number(table, k + 1);
        retc_table_text(table, panels[k].title);
        retc_table_number(table, lowest);
        retc_table_number(table, highest);
        retc_table_end_row(table);
    }
}

int
retc_figure_scores(retc_h5 *const *files, size_t n, const retc_figure_cells *cells, FILE *table) {
    int status = RETC_OK;
    prediction *from = NULL;
    char **names = NULL;
    RETC_TRY(RETC_ALLOC(from, n));
    for (size_t m = 0; m < n; ++m)
        RETC_TRY(open_prediction(files[m], cells, &from[m]));
    for (size_t m = 1; m < n; ++m)
        RETC_TRY(check_recording(&from[0], &from[m]));
    RETC_TRY(retc_figure_model_names(files, n, &names));
    print_head(from, n, names, table);
    for (int k = 0; k < PANELS; ++k)
        print_panel(from, n, k, table);
done:
    for (size_t m = 0; from && m < n; ++m)
        close_prediction(&from[m]);
    retc_free(from);
    retc_figure_model_names_free(names, n);
    return status;
}
