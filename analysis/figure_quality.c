#include "figure_quality.h"

#include <math.h>
#include <stdio.h>

enum { WIDEST_NAME = 18, INTERVAL_COLUMNS = 3 };

typedef struct {
    retc_h5 *file;
    const retc_figure_cells *cells;
    double interval; /* s */
    size_t N, bins, clock_bins, irregular, repeats, T, first, count;
    double *rate, *rate_time;           /* (N,bins) Hz, (bins) s */
    double *brief;                      /* (N,2) */
    double *mean_rate;                  /* (N) Hz */
    double *split, *ceiling, *unbiased; /* (N,3) value and interval */
    double *clock_time, *shortest, *longest, *frames;
    float *psth;
    int64_t raster_cell[2];
} report;

static void
report_clear(report *r) {
    retc_free(r->rate);
    retc_free(r->rate_time);
    retc_free(r->brief);
    retc_free(r->mean_rate);
    retc_free(r->split);
    retc_free(r->ceiling);
    retc_free(r->unbiased);
    retc_free(r->clock_time);
    retc_free(r->shortest);
    retc_free(r->longest);
    retc_free(r->frames);
    retc_free(r->psth);
}

/* A dataset of doubles whose leading length is checked unless it is 0. */
static int
read_doubles(retc_h5 *file, const char *name, int rank, size_t rows, size_t *shape, double **out) {
    int status = RETC_OK;
    const size_t expected[2] = {rows, 0};
    void *data = NULL;
    RETC_TRY(retc_h5_expect(file, name, rank, expected, shape));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, rank, shape, &data));
    *out = data;
done:
    return status;
}

static int
read_interval(retc_h5 *file, const char *name, size_t N, double **out) {
    size_t shape[2] = {0};
    int status = read_doubles(file, name, 2, N, shape, out);
    if (status >= 0 && shape[1] != INTERVAL_COLUMNS)
        status = RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %zu columns, expected %d", retc_h5_path(file), name, shape[1],
                           INTERVAL_COLUMNS);
    return status;
}

static int
read_repeats(report *r) {
    int status = RETC_OK;
    size_t shape[2] = {0};
    void *data = NULL;
    if (!retc_h5_has(r->file, "/test/psth"))
        return RETC_OK;
    RETC_TRY(retc_h5_expect(r->file, "/test/psth", 2, (const size_t[]){r->N, 0}, shape));
    r->T = shape[1];
    RETC_TRY(retc_h5_read_new(r->file, "/test/psth", RETC_H5_FLOAT, 2, NULL, &data));
    r->psth = data;
    RETC_TRY(retc_h5_expect(r->file, "/raster/best", 2, (const size_t[]){0, r->T}, shape));
    RETC_TRY(retc_h5_expect(r->file, "/raster/worst", 2, shape, NULL));
    r->repeats = shape[0];
    RETC_TRY(retc_h5_expect(r->file, "/raster/cells", 1, (const size_t[]){2}, NULL));
    RETC_TRY(retc_h5_read(r->file, "/raster/cells", RETC_H5_INT64, NULL, NULL, r->raster_cell));
    for (int k = 0; k < 2; ++k)
        if (r->raster_cell[k] < 0 || (size_t)r->raster_cell[k] >= r->N)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"/raster/cells\" names cell %lld of %zu", retc_h5_path(r->file),
                               (long long)r->raster_cell[k], r->N));
done:
    return status;
}

static int
read_report(retc_h5 *file, const retc_figure_cells *cells, report *r) {
    int status = RETC_OK;
    size_t shape[2] = {0};
    *r = (report){.file = file, .cells = cells, .N = cells->total};
    if (retc_h5_get_number(file, "/", "frame_interval", &r->interval) != 1 || !(r->interval > 0))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: attribute \"frame_interval\" is missing", retc_h5_path(file)));
    RETC_TRY(read_doubles(file, "/cells/rate", 1, r->N, shape, &r->mean_rate));
    RETC_TRY(read_doubles(file, "/cells/below_1_and_2_ms", 2, r->N, shape, &r->brief));
    if (shape[1] != 2)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"/cells/below_1_and_2_ms\" has %zu columns, expected 2",
                           retc_h5_path(file), shape[1]));
    RETC_TRY(read_interval(file, "/reliability/split_half", r->N, &r->split));
    RETC_TRY(read_interval(file, "/reliability/noise_ceiling", r->N, &r->ceiling));
    RETC_TRY(read_interval(file, "/reliability/unbiased_ceiling", r->N, &r->unbiased));
    if (retc_h5_has(file, "/drift/rate")) {
        RETC_TRY(read_doubles(file, "/drift/rate", 2, r->N, shape, &r->rate));
        r->bins = shape[1];
        RETC_TRY(read_doubles(file, "/drift/time", 1, r->bins, shape, &r->rate_time));
    }
    RETC_TRY(read_doubles(file, "/clock/time", 1, 0, &r->clock_bins, &r->clock_time));
    RETC_TRY(read_doubles(file, "/clock/shortest", 1, r->clock_bins, shape, &r->shortest));
    RETC_TRY(read_doubles(file, "/clock/longest", 1, r->clock_bins, shape, &r->longest));
    RETC_TRY(read_doubles(file, "/clock/irregular", 2, 0, shape, &r->frames));
    r->irregular = shape[0];
    if (shape[1] != 5)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"/clock/irregular\" has %zu columns, expected 5", retc_h5_path(file),
                           shape[1]));
    RETC_TRY(read_repeats(r));
done:
    return status;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

/* Half a bin beyond the first and the last time, in minutes: the range of an axis on which bins are boxes. */
static void
time_range(const double *time, size_t n, double *from, double *to) {
    double half = n > 1 ? (time[n - 1] - time[0]) / (double)(n - 1) / 2 : 0.5;
    *from = n > 0 ? (time[0] - half) / 60 : 0;
    *to = n > 0 ? (time[n - 1] + half) / 60 : 1;
    if (!(*to > *from)) /* times that are none */
        *from = 0, *to = 1;
}

static double
largest(const double *x, size_t n, double scale) {
    double most = 0;
    for (size_t i = 0; i < n; ++i)
        most = isfinite(x[i]) ? fmax(most, scale * x[i]) : most;
    return most;
}

/* Where an axis begins that shows all correlations: a multiple of 0.1, at most 0.8. */
static double
lowest_correlation(const report *r) {
    double lowest = 0.8;
    for (size_t i = 0; i < r->N * INTERVAL_COLUMNS; ++i)
        lowest = fmin(lowest, fmin(r->split[i], fmin(r->ceiling[i], r->unbiased[i])));
    return floor(10 * lowest) / 10;
}

static void
print_figure(const report *r, FILE *table) {
    double from, to, clock_from, clock_to, median = 0, irregular = 0, lowest = HUGE_VAL;
    time_range(r->rate_time, r->bins, &from, &to);
    time_range(r->clock_time, r->clock_bins, &clock_from, &clock_to);
    if (retc_h5_get_number(r->file, "/", "interval_median", &median) < 0 ||
        retc_h5_get_number(r->file, "/", "irregular_frames", &irregular) < 0)
        median = irregular = 0;
    for (size_t i = 0; i < r->clock_bins; ++i)
        lowest = isfinite(r->shortest[i]) ? fmin(lowest, 1e3 * r->shortest[i]) : lowest;
    for (size_t i = 0; i < r->irregular; ++i)
        lowest = fmin(lowest, 1e3 * r->frames[5 * i + 4]);
    double highest = largest(r->longest, r->clock_bins, 1e3);
    for (size_t i = 0; i < r->irregular; ++i)
        highest = fmax(highest, 1e3 * r->frames[5 * i + 4]);
    retc_table_block(table, "figure",
                     "cells rate_bins from_min to_min repeats frames_shown clock_from_min clock_to_min interval_median_ms "
                     "interval_min_ms interval_max_ms irregular short_intervals_max_percent correlation_from");
    retc_table_number(table, (double)r->cells->n);
    retc_table_number(table, (double)r->bins);
    retc_table_number(table, from);
    retc_table_number(table, to);
    retc_table_number(table, (double)r->repeats);
    retc_table_number(table, (double)r->count);
    retc_table_number(table, clock_from);
    retc_table_number(table, clock_to);
    retc_table_number(table, 1e3 * median);
    retc_table_number(table, isfinite(lowest) ? lowest : 1e3 * r->interval);
    retc_table_number(table, highest > 0 ? highest : 1e3 * r->interval);
    retc_table_number(table, irregular);
    retc_table_number(table, largest(r->brief, 2 * r->N, 100));
    retc_table_number(table, lowest_correlation(r));
    retc_table_end_row(table);
}

static void
print_cells(const report *r, FILE *table) {
    const double *const values[3] = {r->split, r->ceiling, r->unbiased};
    retc_table_block(
        table, "cells",
        "number name mean_rate_Hz below_1ms_percent below_2ms_percent split_half_r low high noise_ceiling low high "
        "unbiased_ceiling low high");
    for (size_t i = 0; i < r->cells->n; ++i) {
        size_t n = r->cells->index[i];
        char name[WIDEST_NAME + 1];
        snprintf(name, sizeof name, "%s", r->cells->name[i]);
        retc_table_number(table, (double)(i + 1));
        retc_table_text(table, name);
        retc_table_number(table, r->mean_rate[n]);
        retc_table_number(table, 100 * r->brief[2 * n]);
        retc_table_number(table, 100 * r->brief[2 * n + 1]);
        for (int m = 0; m < 3; ++m)
            for (int k = 0; k < INTERVAL_COLUMNS; ++k) {
                double value = values[m][INTERVAL_COLUMNS * n + (size_t)k];
                /* Without an interval its ends are the value. */
                retc_table_number(table, isnan(value) ? values[m][INTERVAL_COLUMNS * n] : value);
            }
        retc_table_end_row(table);
    }
}

static void
print_rates(const report *r, FILE *table) {
    retc_table_block(table, "rates", "time_min cell change_percent");
    for (size_t i = 0; r->bins > 0 && i < r->cells->n; ++i) {
        const double *rate = r->rate + r->cells->index[i] * r->bins;
        double mean = 0;
        for (size_t b = 0; b < r->bins; ++b)
            mean += rate[b] / (double)r->bins;
        for (size_t b = 0; b < r->bins; ++b) {
            retc_table_number(table, r->rate_time[b] / 60);
            retc_table_number(table, (double)(i + 1));
            retc_table_number(table, mean > 0 ? 100 * (rate[b] / mean - 1) : (double)NAN);
            retc_table_end_row(table);
        }
    }
}

/* "best: cell01, ceiling 0.99" */
static int
print_trial_titles(const report *r, FILE *table) {
    int status = RETC_OK;
    char **names = NULL;
    size_t n_names = 0;
    RETC_TRY(retc_h5_read_texts(r->file, "/cell_names", &names, &n_names));
    retc_table_block(table, "trials", "number title rate_max_Hz from_s to_s");
    for (int k = 0; k < 2; ++k) {
        size_t cell = (size_t)r->raster_cell[k];
        double ceiling = r->ceiling[INTERVAL_COLUMNS * cell], most = 0;
        char title[96];
        if (isfinite(ceiling))
            snprintf(title, sizeof title, "%s cell: %.40s, ceiling %.3f", k ? "worst" : "best",
                     cell < n_names ? names[cell] : "", ceiling);
        else
            snprintf(title, sizeof title, "%s cell: %.40s, no reproducible response", k ? "worst" : "best",
                     cell < n_names ? names[cell] : "");
        for (size_t t = r->first; t < r->first + r->count; ++t)
            most = fmax(most, (double)r->psth[cell * r->T + t] / r->interval);
        retc_table_number(table, k + 1);
        retc_table_text(table, title);
        retc_table_number(table, most);
        retc_table_number(table, (double)r->first * r->interval);
        retc_table_number(table, (double)(r->first + r->count) * r->interval);
        retc_table_end_row(table);
    }
done:
    retc_free(names);
    return status;
}

static int
print_trials(const report *r, int k, FILE *table) {
    int status = RETC_OK;
    const size_t start[2] = {0, r->first}, count[2] = {r->repeats, r->count};
    float *counts = NULL;
    char name[32];
    RETC_TRY(RETC_ALLOC(counts, r->repeats * r->count));
    RETC_TRY(retc_h5_read(r->file, k ? "/raster/worst" : "/raster/best", RETC_H5_FLOAT, start, count, counts));
    snprintf(name, sizeof name, "raster %d", k + 1);
    retc_table_block(table, name, "time_s repeat");
    for (size_t i = 0; i < r->repeats * r->count; ++i) {
        if (counts[i] == 0)
            continue;
        retc_table_number(table, ((double)(r->first + i % r->count) + 0.5) * r->interval);
        retc_table_number(table, (double)(i / r->count + 1));
        retc_table_end_row(table);
    }
    snprintf(name, sizeof name, "psth %d", k + 1);
    retc_table_block(table, name, "time_s rate_Hz");
    for (size_t t = r->first; t < r->first + r->count; ++t) {
        retc_table_number(table, (double)t * r->interval);
        retc_table_number(table, (double)r->psth[(size_t)r->raster_cell[k] * r->T + t] / r->interval);
        retc_table_end_row(table);
    }
done:
    retc_free(counts);
    return status;
}

static void
print_clock(const report *r, FILE *table) {
    retc_table_block(table, "intervals", "time_min shortest_ms longest_ms");
    for (size_t b = 0; b < r->clock_bins; ++b) {
        retc_table_number(table, r->clock_time[b] / 60);
        retc_table_number(table, 1e3 * r->shortest[b]);
        retc_table_number(table, 1e3 * r->longest[b]);
        retc_table_end_row(table);
    }
    retc_table_block(table, "irregular", "time_min interval_ms");
    for (size_t i = 0; i < r->irregular; ++i) {
        if (!isfinite(r->frames[5 * i + 3]))
            continue;
        retc_table_number(table, r->frames[5 * i + 3] / 60);
        retc_table_number(table, 1e3 * r->frames[5 * i + 4]);
        retc_table_end_row(table);
    }
}

int
retc_figure_quality(retc_h5 *file, const retc_figure_cells *cells, double start, double duration, FILE *table) {
    int status = RETC_OK;
    report r = {0};
    double *time = NULL;
    RETC_TRY(read_report(file, cells, &r));
    if (r.T > 0) {
        RETC_TRY(RETC_ALLOC(time, r.T));
        for (size_t t = 0; t < r.T; ++t)
            time[t] = (double)t * r.interval;
        status = retc_figure_window(time, r.T, start, duration, &r.first, &r.count);
        if (status < 0)
            RETC_TRY(retc_error_prefix(status, "%s", retc_h5_path(file)));
    }
    print_figure(&r, table);
    print_cells(&r, table);
    print_rates(&r, table);
    if (r.T > 0)
        RETC_TRY(print_trial_titles(&r, table));
    for (int k = 0; r.T > 0 && k < 2; ++k)
        RETC_TRY(print_trials(&r, k, table));
    print_clock(&r, table);
done:
    report_clear(&r);
    retc_free(time);
    return status;
}
