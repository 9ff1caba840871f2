#include "figure_filters.h"

#include <math.h>

/* What the file holds of one cell at a time. */
typedef struct {
    retc_h5 *file;
    size_t N, L, H, W, B;
    double interval, lag; /* s, frames */
    int64_t *peak;        /* (N,3) */
    double *level, *spikes;
    float *sta;    /* (L,H,W) */
    double *x, *y; /* (B) */
} source;

static int
open_source(retc_h5 *file, source *from) {
    size_t shape[4] = {0}, bins[2] = {0};
    void *peak = NULL, *level = NULL, *spikes = NULL;
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, "/sta", 4, NULL, shape));
    *from = (source){.file = file, .N = shape[0], .L = shape[1], .H = shape[2], .W = shape[3], .lag = 1};
    RETC_TRY(retc_h5_expect(file, "/peak", 2, (size_t[]){from->N, 3}, NULL));
    RETC_TRY(retc_h5_expect(file, "/level", 1, (size_t[]){from->N}, NULL));
    RETC_TRY(retc_h5_expect(file, "/spikes", 1, (size_t[]){from->N}, NULL));
    RETC_TRY(retc_h5_expect(file, "/nonlinearity/x", 2, (size_t[]){from->N, 0}, bins));
    RETC_TRY(retc_h5_expect(file, "/nonlinearity/y", 2, bins, NULL));
    from->B = bins[1];
    RETC_TRY(retc_h5_get_number(file, "/", "frame_interval", &from->interval));
    if (!(from->interval > 0))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: attribute \"frame_interval\" is missing or not positive", retc_h5_path(file)));
    RETC_TRY(retc_h5_get_number(file, "/", "lag", &from->lag));
    RETC_TRY(retc_h5_read_new(file, "/peak", RETC_H5_INT64, 2, NULL, &peak));
    from->peak = peak;
    RETC_TRY(retc_h5_read_new(file, "/level", RETC_H5_DOUBLE, 1, NULL, &level));
    from->level = level;
    RETC_TRY(retc_h5_read_new(file, "/spikes", RETC_H5_DOUBLE, 1, NULL, &spikes));
    from->spikes = spikes;
    RETC_TRY(RETC_ALLOC(from->sta, from->L * from->H * from->W));
    RETC_TRY(RETC_ALLOC(from->x, from->B));
    RETC_TRY(RETC_ALLOC(from->y, from->B));
    status = RETC_OK;
done:
    return status;
}

static void
close_source(source *from) {
    retc_free(from->peak);
    retc_free(from->level);
    retc_free(from->spikes);
    retc_free(from->sta);
    retc_free(from->x);
    retc_free(from->y);
}

static int
read_cell(source *from, size_t cell) {
    int status = RETC_OK;
    const int64_t *peak = from->peak + 3 * cell;
    if (peak[0] < 0 || peak[1] < 0 || peak[2] < 0 || (size_t)peak[0] >= from->L || (size_t)peak[1] >= from->H ||
        (size_t)peak[2] >= from->W)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"/peak\" of cell %zu is (%lld,%lld,%lld), outside the STA (%zu,%zu,%zu)",
                         retc_h5_path(from->file), cell, (long long)peak[0], (long long)peak[1], (long long)peak[2], from->L,
                         from->H, from->W);
    RETC_TRY(retc_h5_read(from->file, "/sta", RETC_H5_FLOAT, (size_t[]){cell, 0, 0, 0},
                          (size_t[]){1, from->L, from->H, from->W}, from->sta));
    RETC_TRY(retc_h5_read(from->file, "/nonlinearity/x", RETC_H5_DOUBLE, (size_t[]){cell, 0}, (size_t[]){1, from->B}, from->x));
    RETC_TRY(retc_h5_read(from->file, "/nonlinearity/y", RETC_H5_DOUBLE, (size_t[]){cell, 0}, (size_t[]){1, from->B}, from->y));
done:
    return status;
}

/* Start of window frame k relative to the start of the response frame, ms. */
static double
frame_time(const source *from, size_t k) {
    return -1e3 * from->interval * ((double)(from->L - 1 - k) + from->lag);
}

static double
largest_in_map(const source *from, size_t frame) {
    double largest = 0;
    const float *map = from->sta + frame * from->H * from->W;
    for (size_t i = 0; i < from->H * from->W; ++i)
        largest = fmax(largest, fabs((double)map[i]));
    return largest;
}

/* A row of the block "cells". */
static int
print_summary(source *from, size_t number, size_t cell, const char *name, FILE *table) {
    const int64_t *peak = from->peak + 3 * cell;
    int status = read_cell(from, cell);
    if (status < 0)
        return status;
    char *title = retc_strf("%s: %.0f spikes", name, from->spikes[cell]);
    if (!title)
        return RETC_ENOMEM;
    retc_table_number(table, (double)number);
    retc_table_text(table, title);
    retc_table_number(table, largest_in_map(from, (size_t)peak[0]));
    retc_table_number(table, from->level[cell]);
    retc_table_number(table, (double)peak[1]);
    retc_table_number(table, (double)peak[2]);
    retc_table_number(table, frame_time(from, (size_t)peak[0]));
    retc_table_end_row(table);
    retc_free(title);
    return RETC_OK;
}

static void
print_row(FILE *table, size_t n, const double *values) {
    for (size_t i = 0; i < n; ++i)
        retc_table_number(table, values[i]);
    retc_table_end_row(table);
}

static int
print_cell(source *from, size_t number, size_t cell, FILE *table) {
    char name[40];
    const int64_t *peak = from->peak + 3 * cell;
    size_t row = (size_t)peak[1], column = (size_t)peak[2];
    int status = read_cell(from, cell);
    if (status < 0)
        return status;
    snprintf(name, sizeof name, "course %zu", number);
    retc_table_block(table, name, "time_ms sta level");
    for (size_t k = 0; k < from->L; ++k)
        print_row(
            table, 3,
            (double[]){frame_time(from, k), (double)from->sta[(k * from->H + row) * from->W + column], from->level[cell]});
    if (from->H * from->W > 1) {
        const float *map = from->sta + (size_t)peak[0] * from->H * from->W;
        snprintf(name, sizeof name, "map %zu", number);
        retc_table_block(table, name, "column row sta");
        for (size_t i = 0; i < from->H * from->W; ++i)
            print_row(table, 3, (double[]){(double)(i % from->W), (double)(i / from->W), (double)map[i]});
    }
    snprintf(name, sizeof name, "nonlinearity %zu", number);
    retc_table_block(table, name, "filtered_stimulus_sd rate_Hz");
    for (size_t b = 0; b < from->B; ++b)
        if (isfinite(from->x[b]) && isfinite(from->y[b]))
            print_row(table, 2, (double[]){from->x[b], from->y[b]});
    return RETC_OK;
}

static int
print_head(const source *from, size_t cells, FILE *table) {
    double alpha = 0;
    size_t levels = 0;
    int status = retc_h5_get_number(from->file, "/", "alpha", &alpha);
    for (size_t n = 0; n < from->N; ++n)
        levels += isfinite(from->level[n]) != 0;
    char *caption = levels == 0  ? retc_strdup(" ")
                    : status > 0 ? retc_strf("grey: chance level of |STA| (p = %g)", alpha)
                                 : retc_strf("grey: chance level of |STA|");
    if (status < 0 || !caption) {
        retc_free(caption);
        return status < 0 ? status : RETC_ENOMEM;
    }
    retc_table_block(table, "figure", "cells maps height width caption");
    retc_table_number(table, (double)cells);
    retc_table_number(table, from->H * from->W > 1);
    retc_table_number(table, (double)from->H);
    retc_table_number(table, (double)from->W);
    retc_table_text(table, caption);
    retc_table_end_row(table);
    retc_free(caption);
    return RETC_OK;
}

int
retc_figure_filters(retc_h5 *file, const retc_figure_cells *cells, FILE *table) {
    source from = {0};
    int status = RETC_OK;
    RETC_TRY(open_source(file, &from));
    RETC_TRY(print_head(&from, cells->n, table));
    retc_table_block(table, "cells", "number title map_max level peak_row peak_column peak_time_ms");
    for (size_t i = 0; i < cells->n; ++i)
        RETC_TRY(print_summary(&from, i + 1, cells->index[i], cells->name[i], table));
    for (size_t i = 0; i < cells->n; ++i)
        RETC_TRY(print_cell(&from, i + 1, cells->index[i], table));
done:
    close_source(&from);
    return status;
}
