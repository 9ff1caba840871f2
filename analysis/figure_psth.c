#include "figure_psth.h"

#include <math.h>
#include <string.h>

/* The predictions of one model. */
typedef struct {
    retc_h5 *file;
    size_t N, T;
    int64_t *frame;            /* (T), ascending */
    double *time;              /* (T) s */
    double *pearson, *ceiling; /* (N) */
    float *rate, *measured;    /* (T) Hz, of the cell being printed */
    retc_figure_cells cells;   /* the figure's cells in this file */
    const char *name;
} prediction;

static int
read_vector(retc_h5 *file, const char *name, size_t n, double **out) {
    void *data = NULL;
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, name, 1, (size_t[]){n}, NULL));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, NULL, &data));
    *out = data;
done:
    return status;
}

static int
open_prediction(retc_h5 *file, const retc_figure_cells *cells, prediction *from) {
    size_t shape[2] = {0};
    void *frame = NULL;
    int status = RETC_OK;
    *from = (prediction){.file = file};
    RETC_TRY(retc_h5_expect(file, "/test/rate", 2, NULL, shape));
    from->N = shape[0];
    from->T = shape[1];
    RETC_TRY(retc_h5_expect(file, "/test/measured", 2, shape, NULL));
    RETC_TRY(retc_h5_expect(file, "/test/frame", 1, &from->T, NULL));
    RETC_TRY(retc_h5_read_new(file, "/test/frame", RETC_H5_INT64, 1, NULL, &frame));
    from->frame = frame;
    RETC_TRY(read_vector(file, "/test/time", from->T, &from->time));
    RETC_TRY(read_vector(file, "/score/pearson", from->N, &from->pearson));
    RETC_TRY(read_vector(file, "/score/noise_ceiling", from->N, &from->ceiling));
    RETC_TRY(RETC_ALLOC(from->rate, from->T));
    RETC_TRY(RETC_ALLOC(from->measured, from->T));
    RETC_TRY(retc_figure_cells_match(file, "/cell_names", from->N, cells, &from->cells));
done:
    return status;
}

static void
close_prediction(prediction *from) {
    retc_figure_cells_free(&from->cells);
    retc_free(from->frame);
    retc_free(from->time);
    retc_free(from->pearson);
    retc_free(from->ceiling);
    retc_free(from->rate);
    retc_free(from->measured);
}

/* "cell01   LN r 0.62, CNN r 0.75, ceiling 0.91" */
static int
print_title(const prediction *from, size_t n, size_t i, FILE *table) {
    char *title = retc_strdup(from[0].cells.name[i]);
    for (size_t m = 0; title && m < n; ++m) {
        char *longer =
            retc_strf("%s%s %s r %.2f", title, m ? "," : "  ", from[m].name, from[m].pearson[from[m].cells.index[i]]);
        retc_free(title);
        title = longer;
    }
    double ceiling = from[0].ceiling[from[0].cells.index[i]];
    if (title && isfinite(ceiling)) {
        char *longer = retc_strf("%s, ceiling %.2f", title, ceiling);
        retc_free(title);
        title = longer;
    }
    if (!title)
        return RETC_ENOMEM;
    retc_table_text(table, title);
    retc_free(title);
    return RETC_OK;
}

/* The sample of a frame, or T when the model has none. */
static size_t
find_frame(const prediction *from, int64_t frame) {
    size_t low = 0, high = from->T;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (from->frame[middle] < frame)
            low = middle + 1;
        else
            high = middle;
    }
    return low < from->T && from->frame[low] == frame ? low : from->T;
}

static int
read_cell(prediction *from, size_t n, size_t i) {
    int status = RETC_OK;
    for (size_t m = 0; m < n; ++m) {
        const size_t start[2] = {from[m].cells.index[i], 0}, count[2] = {1, from[m].T};
        RETC_TRY(retc_h5_read(from[m].file, "/test/rate", RETC_H5_FLOAT, start, count, from[m].rate));
        RETC_TRY(retc_h5_read(from[m].file, "/test/measured", RETC_H5_FLOAT, start, count, from[m].measured));
    }
done:
    return status;
}

static double
rate_at(const prediction *from, int64_t frame) {
    size_t t = find_frame(from, frame);
    return t < from->T ? (double)from->rate[t] : (double)NAN;
}

/* A row of the block "cells". */
static int
print_summary(prediction *from, size_t n, size_t i, size_t first, size_t count, FILE *table) {
    double largest = 0;
    int status = RETC_OK;
    RETC_TRY(read_cell(from, n, i));
    for (size_t t = first; t < first + count; ++t) {
        largest = fmax(largest, (double)from[0].measured[t]);
        for (size_t m = 0; m < n; ++m)
            largest = fmax(largest, rate_at(&from[m], from[0].frame[t]));
    }
    retc_table_number(table, (double)(i + 1));
    RETC_TRY(print_title(from, n, i, table));
    retc_table_number(table, largest);
    retc_table_end_row(table);
done:
    return status;
}

static int
print_rates(prediction *from, size_t n, size_t i, size_t first, size_t count, FILE *table) {
    char name[40];
    int status = RETC_OK;
    RETC_TRY(read_cell(from, n, i));
    snprintf(name, sizeof name, "rates %zu", i + 1);
    retc_table_block(table, name, "time_s measured_Hz, rates of the models in Hz");
    for (size_t t = first; t < first + count; ++t) {
        if (t > first && from[0].frame[t] != from[0].frame[t - 1] + 1)
            retc_table_end_row(table);
        retc_table_number(table, from[0].time[t]);
        retc_table_number(table, (double)from[0].measured[t]);
        for (size_t m = 0; m < n; ++m)
            retc_table_number(table, rate_at(&from[m], from[0].frame[t]));
        retc_table_end_row(table);
    }
done:
    return status;
}

int
retc_figure_psth(retc_h5 *const *files, size_t n, const retc_figure_cells *cells, double start, double duration, FILE *table) {
    prediction *from = NULL;
    char **names = NULL;
    size_t first = 0, count = 0;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(from, n));
    for (size_t m = 0; m < n; ++m)
        RETC_TRY(open_prediction(files[m], cells, &from[m]));
    RETC_TRY(retc_figure_model_names(files, n, &names));
    for (size_t m = 0; m < n; ++m)
        from[m].name = names[m];
    status = retc_figure_window(from[0].time, from[0].T, start, duration, &first, &count);
    if (status < 0)
        RETC_TRY(retc_error_prefix(status, "%s", retc_h5_path(files[0])));
    retc_table_block(table, "figure", "cells models from_s to_s");
    retc_table_number(table, (double)cells->n);
    retc_table_number(table, (double)n);
    retc_table_number(table, from[0].time[first]);
    retc_table_number(table, from[0].time[first + count - 1]);
    retc_table_end_row(table);
    retc_table_block(table, "models", "number name");
    for (size_t m = 0; m < n; ++m) {
        retc_table_number(table, (double)(m + 1));
        retc_table_text(table, from[m].name);
        retc_table_end_row(table);
    }
    retc_table_block(table, "cells", "number title rate_max_Hz");
    for (size_t i = 0; i < cells->n; ++i)
        RETC_TRY(print_summary(from, n, i, first, count, table));
    for (size_t i = 0; i < cells->n; ++i)
        RETC_TRY(print_rates(from, n, i, first, count, table));
done:
    for (size_t m = 0; from && m < n; ++m)
        close_prediction(&from[m]);
    retc_free(from);
    retc_figure_model_names_free(names, n);
    return status;
}
