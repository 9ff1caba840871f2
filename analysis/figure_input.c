#include "figure_input.h"

#include <math.h>
#include <string.h>

typedef struct {
    retc_h5 *file;
    size_t T, S, L, H, W;    /* samples, those of them with input attributions; frames and pixels of these */
    double *time;            /* (T) s */
    double interval, lag;    /* s; frames from the window's newest frame to the response */
    double row, column;      /* of the first pixel */
    size_t first, count;     /* the window */
    double *target, *zero;   /* (count) */
    int64_t *sample;         /* (S) */
    size_t taken, taken_end; /* those in the window: taken ... taken_end-1 of S */
    float *course;           /* (taken_end - taken,L) */
    size_t moment[RETC_FIGURE_INPUT_MOMENTS], moments; /* of S */
    float *map;                                        /* (moments,H,W) */
} source;

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int
read_samples(source *from) {
    void *sample = NULL;
    int status = RETC_OK;
    size_t shape[3] = {0};
    RETC_TRY(retc_h5_expect(from->file, "/input/map", 3, NULL, shape));
    from->S = shape[0], from->H = shape[1], from->W = shape[2];
    RETC_TRY(retc_h5_expect(from->file, "/input/course", 2, (size_t[]){from->S, 0}, shape));
    from->L = shape[1];
    RETC_TRY(retc_h5_expect(from->file, "/input/sample", 1, &from->S, NULL));
    RETC_TRY(retc_h5_read_new(from->file, "/input/sample", RETC_H5_INT64, 1, NULL, &sample));
    from->sample = sample;
    for (size_t s = 0; s < from->S; ++s)
        if (from->sample[s] < (s ? from->sample[s - 1] + 1 : 0) || from->sample[s] >= (int64_t)from->T)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: /input/sample does not ascend from 0 to %zu at entry %zu",
                               retc_h5_path(from->file), from->T - 1, s));
    if (from->S == 0 || from->L == 0 || from->H == 0 || from->W == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: /input/map is empty", retc_h5_path(from->file)));
    RETC_TRY(retc_h5_get_number(from->file, "/input/map", "row", &from->row));
    RETC_TRY(retc_h5_get_number(from->file, "/input/map", "column", &from->column));
    RETC_TRY(retc_h5_get_number(from->file, "/", "lag", &from->lag));
done:
    return status;
}

/* The window, of all samples and of those with attributions. */
static int
choose_window(source *from, double start, double duration) {
    int status = retc_figure_window(from->time, from->T, start, duration, &from->first, &from->count);
    if (status < 0)
        return retc_error_prefix(status, "%s", retc_h5_path(from->file));
    while (from->taken < from->S && from->sample[from->taken] < (int64_t)from->first)
        ++from->taken;
    from->taken_end = from->taken;
    while (from->taken_end < from->S && from->sample[from->taken_end] < (int64_t)(from->first + from->count))
        ++from->taken_end;
    if (from->taken == from->taken_end)
        return RETC_FAIL(RETC_EINVAL, "%s: holds no input attributions from %g s on for %g s; --start and --duration choose",
                         retc_h5_path(from->file), start, duration);
    return RETC_OK;
}

static int
open_source(retc_h5 *file, const retc_figure_input_options *options, source *from) {
    void *time = NULL;
    int status = RETC_OK;
    *from = (source){.file = file, .lag = 1};
    if (!retc_h5_has(file, "/input/map"))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: holds no input attributions; retcodec contribute --input map writes them",
                           retc_h5_path(file)));
    RETC_TRY(retc_h5_expect(file, "/metadata/time", 1, NULL, &from->T));
    RETC_TRY(retc_h5_read_new(file, "/metadata/time", RETC_H5_DOUBLE, 1, NULL, &time));
    from->time = time;
    from->interval = retc_figure_interval(from->time, from->T);
    RETC_TRY(read_samples(from));
    RETC_TRY(choose_window(from, options->start, options->duration));
    RETC_TRY(RETC_ALLOC(from->target, from->count));
    RETC_TRY(RETC_ALLOC(from->zero, from->count));
    RETC_TRY(RETC_ALLOC(from->course, (from->taken_end - from->taken) * from->L));
    RETC_TRY(RETC_ALLOC(from->map, RETC_FIGURE_INPUT_MOMENTS * from->H * from->W));
    RETC_TRY(retc_h5_expect(file, "/completeness/target", 1, &from->T, NULL));
    RETC_TRY(retc_h5_expect(file, "/completeness/target_zero", 1, &from->T, NULL));
    RETC_TRY(retc_h5_read(file, "/completeness/target", RETC_H5_DOUBLE, &from->first, &from->count, from->target));
    RETC_TRY(retc_h5_read(file, "/completeness/target_zero", RETC_H5_DOUBLE, &from->first, &from->count, from->zero));
    RETC_TRY(retc_h5_read(file, "/input/course", RETC_H5_FLOAT, (size_t[]){from->taken, 0},
                          (size_t[]){from->taken_end - from->taken, from->L}, from->course));
done:
    return status;
}

static void
close_source(source *from) {
    retc_free(from->time), retc_free(from->target), retc_free(from->zero), retc_free(from->sample);
    retc_free(from->course), retc_free(from->map);
}

static double
time_of(const source *from, size_t s) {
    return from->time[from->sample[s]];
}

/* Start of window frame k relative to the start of the response frame, ms. */
static double
frame_time(const source *from, size_t k) {
    return -1e3 * from->interval * ((double)(from->L - 1 - k) + from->lag);
}

/* ---- moments --------------------------------------------------------------------------------------------------------- */

static int
read_map(const source *from, size_t s, float *map) {
    return retc_h5_read(from->file, "/input/map", RETC_H5_FLOAT, (size_t[]){s, 0, 0}, (size_t[]){1, from->H, from->W}, map);
}

/* In each of equal parts the sample whose map has the largest sum of sizes. */
static int
choose_strongest(source *from) {
    int status = RETC_OK;
    size_t taken = from->taken_end - from->taken;
    from->moments = taken < RETC_FIGURE_INPUT_MOMENTS ? taken : RETC_FIGURE_INPUT_MOMENTS;
    for (size_t i = 0; i < from->moments; ++i) {
        double largest = -1;
        for (size_t t = i * taken / from->moments; t < (i + 1) * taken / from->moments; ++t) {
            double sum = 0;
            RETC_TRY(read_map(from, from->taken + t, from->map));
            for (size_t p = 0; p < from->H * from->W; ++p)
                sum += fabs((double)from->map[p]);
            if (sum > largest) {
                largest = sum;
                from->moment[i] = from->taken + t;
            }
        }
    }
done:
    return status;
}

/* The samples nearest to times of the window. */
static int
choose_nearest(source *from, const double *times, size_t n) {
    double low = from->time[from->first], high = from->time[from->first + from->count - 1];
    from->moments = n;
    for (size_t i = 0; i < n; ++i) {
        if (!(times[i] >= low - from->interval && times[i] <= high + from->interval))
            return RETC_FAIL(RETC_EINVAL, "--times: %g s is not in the window from %g to %g s", times[i], low, high);
        from->moment[i] = from->taken;
        for (size_t s = from->taken; s < from->taken_end; ++s)
            if (fabs(time_of(from, s) - times[i]) < fabs(time_of(from, from->moment[i]) - times[i]))
                from->moment[i] = s;
    }
    return RETC_OK;
}

static int
choose_moments(source *from, const retc_figure_input_options *options) {
    int status = RETC_OK;
    if (options->n > RETC_FIGURE_INPUT_MOMENTS)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "--times: %zu moments are asked for, at most %d are drawn", options->n,
                           RETC_FIGURE_INPUT_MOMENTS));
    RETC_TRY(options->n ? choose_nearest(from, options->times, options->n) : choose_strongest(from));
    for (size_t i = 0; i < from->moments; ++i)
        RETC_TRY(read_map(from, from->moment[i], from->map + i * from->H * from->W));
done:
    return status;
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */

static void
print_row(FILE *table, size_t n, const double *values) {
    for (size_t i = 0; i < n; ++i)
        retc_table_number(table, values[i]);
    retc_table_end_row(table);
}

/* The largest size (n), never 0, as a range must not be; a number that is not finite is an error. */
static int
range_of(const source *from, const float *x, size_t n, double *largest) {
    *largest = 0;
    for (size_t i = 0; i < n; ++i) {
        if (!isfinite(x[i]))
            return RETC_FAIL(RETC_ENUMBER, "%s: input attributions are not finite", retc_h5_path(from->file));
        *largest = fmax(*largest, fabs((double)x[i]));
    }
    *largest = *largest > 0 ? *largest : 1;
    return RETC_OK;
}

static const float *
course_of(const source *from, size_t s) {
    return from->course + (s - from->taken) * from->L;
}

/* The target's name, with the cell's where it is one, and its unit. */
static int
read_target(const source *from, char **title, const char **unit) {
    char *name = NULL, **names = NULL;
    size_t n = 0;
    double cell = -1, softmax = 0;
    int status = RETC_OK;
    RETC_TRY(retc_h5_get_text(from->file, "/", "target", &name));
    RETC_TRY(retc_h5_get_number(from->file, "/", "softmax", &softmax));
    RETC_TRY(retc_h5_get_number(from->file, "/", "target_cell", &cell));
    if (status > 0 && retc_h5_has(from->file, "/metadata/cell_names"))
        RETC_TRY(retc_h5_read_texts(from->file, "/metadata/cell_names", &names, &n));
    *title = retc_strdup(cell >= 0 && cell < (double)n ? names[(size_t)cell] : name);
    RETC_TRY(RETC_GOT(*title));
    *unit = softmax > 0 || !strcmp(name, "surprisal") || !strcmp(name, "entropy") ? "" : "Hz";
done:
    retc_free(name);
    retc_free(names);
    return status < 0 ? status : RETC_OK;
}

/* Frames from the first to the last of the window. */
static size_t
columns_of(const source *from) {
    double span = from->time[from->first + from->count - 1] - from->time[from->first];
    return from->interval > 0 ? (size_t)(span / from->interval + 0.5) + 1 : 1;
}

static int
print_head(const source *from, FILE *table) {
    double strip_max, map_max, course_max = 0, low = 0, high = 0;
    char *title = NULL;
    const char *unit = "";
    int status = RETC_OK;
    RETC_TRY(read_target(from, &title, &unit));
    RETC_TRY(range_of(from, from->course, (from->taken_end - from->taken) * from->L, &strip_max));
    RETC_TRY(range_of(from, from->map, from->moments * from->H * from->W, &map_max));
    for (size_t i = 0; i < from->moments; ++i)
        for (size_t k = 0; k < from->L; ++k)
            course_max = fmax(course_max, fabs((double)course_of(from, from->moment[i])[k]));
    for (size_t t = 0; t < from->count; ++t) {
        low = fmin(low, fmin(from->target[t], from->zero[t]));
        high = fmax(high, fmax(from->target[t], from->zero[t]));
    }
    retc_table_block(table, "figure",
                     "target unit from_s to_s oldest_ms newest_ms strip_max height width row column moments map_max course_max "
                     "target_min target_max has_gaps");
    retc_table_text(table, title);
    retc_table_text(table, unit);
    print_row(table, 15,
              (double[]){from->time[from->first], from->time[from->first + from->count - 1], frame_time(from, 0),
                         frame_time(from, from->L - 1), strip_max, (double)from->H, (double)from->W, from->row, from->column,
                         (double)from->moments, map_max, course_max > 0 ? course_max : 1, low, high > low ? high : low + 1,
                         (double)(columns_of(from) > from->taken_end - from->taken)});
done:
    retc_free(title);
    return status;
}

/* One column per frame of the window: gaps between stretches, and frames of which no sample was taken, are empty. */
static void
print_strip(const source *from, FILE *table) {
    double start = from->time[from->first];
    size_t columns = columns_of(from), s = from->taken;
    retc_table_block(table, "strip", "time_s before_response_ms attribution");
    for (size_t c = 0; c < columns; ++c) {
        double time = start + (double)c * from->interval;
        while (s < from->taken_end && time_of(from, s) < time - from->interval / 2)
            ++s;
        int is_there = s < from->taken_end && time_of(from, s) < time + from->interval / 2;
        for (size_t k = 0; k < from->L; ++k)
            print_row(table, 3, (double[]){time, frame_time(from, k), is_there ? (double)course_of(from, s)[k] : (double)NAN});
    }
}

static void
print_moments(const source *from, FILE *table) {
    char name[40];
    size_t pixels = from->H * from->W;
    retc_table_block(table, "moments", "number time_s sum");
    for (size_t i = 0; i < from->moments; ++i) {
        double sum = 0;
        for (size_t p = 0; p < pixels; ++p)
            sum += (double)from->map[i * pixels + p];
        print_row(table, 3, (double[]){(double)(i + 1), time_of(from, from->moment[i]), sum});
    }
    for (size_t i = 0; i < from->moments; ++i) {
        snprintf(name, sizeof name, "course %zu", i + 1);
        retc_table_block(table, name, "before_response_ms attribution");
        for (size_t k = 0; k < from->L; ++k)
            print_row(table, 2, (double[]){frame_time(from, k), (double)course_of(from, from->moment[i])[k]});
        if (pixels == 1)
            continue;
        snprintf(name, sizeof name, "map %zu", i + 1);
        retc_table_block(table, name, "column row attribution");
        for (size_t p = 0; p < pixels; ++p)
            print_row(table, 3,
                      (double[]){from->column + (double)(p % from->W), from->row + (double)(p / from->W),
                                 (double)from->map[i * pixels + p]});
    }
}

int
retc_figure_input(retc_h5 *file, const retc_figure_input_options *options, FILE *table) {
    source from = {0};
    int status = RETC_OK;
    RETC_TRY(open_source(file, options, &from));
    RETC_TRY(choose_moments(&from, options));
    RETC_TRY(print_head(&from, table));
    retc_table_block(table, "target", "time_s target target_at_the_baseline");
    for (size_t t = 0; t < from.count; ++t)
        print_row(table, 3, (double[]){from.time[from.first + t], from.target[t], from.zero[t]});
    print_strip(&from, table);
    print_moments(&from, table);
done:
    close_source(&from);
    return status;
}
