#include "figure_irf_sta.h"

#include <math.h>
#include <string.h>

#include "figure_irf.h"
#include "stats.h"

/* The newest L frames of both fields, each of length 1. */
typedef struct {
    char *title;
    size_t L, H, W, peak; /* peak: of the STA */
    float *irf, *sta;     /* (L,H,W) */
    double interval, lag;
} fields;

static void
normalise(float *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; ++i)
        sum += (double)x[i] * (double)x[i];
    for (size_t i = 0; i < n && sum > 0; ++i)
        x[i] = (float)((double)x[i] / sqrt(sum));
}

/* Row of the STA that has the cell's name. */
static int
find_cell(retc_h5 *sta, const char *name, size_t N, size_t *row) {
    retc_figure_cells cells = {0};
    int status = retc_figure_cells_choose(sta, "/cell_names", N, name, 1, &cells);
    if (status >= 0)
        *row = cells.index[0];
    retc_figure_cells_free(&cells);
    return status;
}

static int
check_times(retc_h5 *irf, retc_h5 *sta, fields *f) {
    int status = RETC_OK;
    double lag = 1, interval = 0;
    f->lag = 1;
    RETC_TRY(retc_h5_get_number(irf, "/", "lag", &f->lag));
    RETC_TRY(retc_h5_get_number(sta, "/", "lag", &lag));
    RETC_TRY(retc_h5_get_number(irf, "/", "frame_interval", &f->interval));
    RETC_TRY(retc_h5_get_number(sta, "/", "frame_interval", &interval));
    if (lag != f->lag || !(fabs(interval - f->interval) <= 1e-3 * fabs(f->interval)))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s and %s are of other times: lags of %g and %g frames of %g and %g s",
                           retc_h5_path(irf), retc_h5_path(sta), f->lag, lag, f->interval, interval));
done:
    return status < 0 ? status : RETC_OK;
}

static int
read_fields(retc_h5 *irf, const char *group, retc_h5 *sta, fields *f) {
    int status = RETC_OK;
    size_t a[3], b[4], row = 0;
    char *name = retc_strf("%s/regular_irf_mean", group);
    RETC_TRY(RETC_GOT(name));
    RETC_TRY(RETC_GOT(f->title = retc_figure_irf_title(irf, group)));
    RETC_TRY(retc_h5_expect(irf, name, 3, NULL, a));
    RETC_TRY(retc_h5_expect(sta, "/sta", 4, (size_t[]){0, 0, a[1], a[2]}, b));
    RETC_TRY(check_times(irf, sta, f));
    RETC_TRY(find_cell(sta, f->title, b[0], &row));
    f->L = a[0] < b[1] ? a[0] : b[1], f->H = a[1], f->W = a[2];
    size_t n = f->L * f->H * f->W;
    if (n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is empty", retc_h5_path(irf), name));
    RETC_TRY(RETC_ALLOC(f->irf, n));
    RETC_TRY(RETC_ALLOC(f->sta, n));
    RETC_TRY(retc_h5_read(irf, name, RETC_H5_FLOAT, (size_t[]){a[0] - f->L, 0, 0}, (size_t[]){f->L, f->H, f->W}, f->irf));
    RETC_TRY(
        retc_h5_read(sta, "/sta", RETC_H5_FLOAT, (size_t[]){row, b[1] - f->L, 0, 0}, (size_t[]){1, f->L, f->H, f->W}, f->sta));
    normalise(f->irf, n);
    normalise(f->sta, n);
    for (size_t i = 0; i < n; ++i)
        if (fabsf(f->sta[i]) > fabsf(f->sta[f->peak]))
            f->peak = i;
done:
    retc_free(name);
    return status;
}

static double
largest(const float *x, size_t first, size_t n, size_t step, double most) {
    for (size_t i = 0; i < n; ++i)
        most = fmax(most, fabs((double)x[first + i * step]));
    return most;
}

static void
print_row(FILE *table, size_t n, const double *values) {
    for (size_t i = 0; i < n; ++i)
        retc_table_number(table, values[i]);
    retc_table_end_row(table);
}

static double
frame_time(const fields *f, size_t k) {
    return -1e3 * f->interval * ((double)(f->L - 1 - k) + f->lag);
}

static void
print_map(const fields *f, const char *name, const float *x, FILE *table) {
    size_t pixels = f->H * f->W;
    const float *map = x + f->peak / pixels * pixels;
    retc_table_block(table, name, "column row value");
    for (size_t p = 0; p < pixels; ++p)
        print_row(table, 3, (double[]){(double)(p % f->W), (double)(p / f->W), (double)map[p]});
}

static void
print(const fields *f, FILE *table) {
    size_t pixels = f->H * f->W, n = f->L * pixels, pixel = f->peak % pixels, frame = f->peak / pixels * pixels;
    double cosine = 0, course, map;
    for (size_t i = 0; i < n; ++i)
        cosine += (double)f->irf[i] * (double)f->sta[i];
    course = largest(f->sta, pixel, f->L, pixels, largest(f->irf, pixel, f->L, pixels, 0));
    map = largest(f->sta, frame, pixels, 1, largest(f->irf, frame, pixels, 1, 0));
    retc_table_block(table, "figure",
                     "title correlation cosine height width row column peak_ms course_max map_max oldest_ms newest_ms");
    retc_table_text(table, f->title);
    print_row(table, 11,
              (double[]){retc_pearson(f->irf, f->sta, n), cosine, (double)f->H, (double)f->W, (double)(pixel / f->W),
                         (double)(pixel % f->W), frame_time(f, f->peak / pixels), course > 0 ? course : 1, map > 0 ? map : 1,
                         frame_time(f, 0), frame_time(f, f->L - 1)});
    retc_table_block(table, "course", "before_response_ms irf sta");
    for (size_t k = 0; k < f->L; ++k)
        print_row(table, 3,
                  (double[]){frame_time(f, k), (double)f->irf[k * pixels + pixel], (double)f->sta[k * pixels + pixel]});
    if (pixels == 1)
        return;
    print_map(f, "irf map", f->irf, table);
    print_map(f, "sta map", f->sta, table);
}

int
retc_figure_irf_sta(retc_h5 *irf, const char *group, retc_h5 *sta, FILE *table) {
    fields f = {0};
    int status = read_fields(irf, group, sta, &f);
    if (status >= 0)
        print(&f, table);
    retc_free(f.title), retc_free(f.irf), retc_free(f.sta);
    return status;
}
