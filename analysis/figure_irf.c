#include "figure_irf.h"

#include <math.h>
#include <string.h>

#include "irf_compact.h"

typedef struct {
    retc_h5 *file;
    const char *group;
    retc_irf_reader reader;
    char *rate_name;
    size_t T, L, H, W;
    double *time;        /* (T) s */
    double interval;     /* s */
    double lag;          /* frames from the window's newest frame to the response */
    size_t first, count; /* the window */
    float *irf;          /* (L,H,W), one sample */
    float *course;       /* (count,L) at the peak pixel */
    float *rate;         /* (count) Hz, NULL when the file has none */
    double *gain;        /* (count) */
    double *power;       /* (L,H,W) summed over the window */
    size_t peak, moment[RETC_FIGURE_IRF_MOMENTS], moments;
} source;

/* Does the cell of this group bear the name in the file's list of cells? */
static int
has_name(retc_h5 *file, const char *group, char *const *names, size_t n, const char *name) {
    double index = -1;
    return retc_h5_get_number(file, group, "cell_index", &index) > 0 && index >= 0 && index < (double)n &&
           !strcmp(names[(size_t)index], name);
}

char *
retc_figure_irf_group(retc_h5 *file, const char *name) {
    char **members = NULL, **names = NULL, *group = NULL;
    size_t n = 0, n_names = 0, groups = 0;
    int status = RETC_OK;
    RETC_TRY(retc_h5_members(file, "/", &members, &n));
    if (retc_h5_has(file, "/metadata/cell_names"))
        RETC_TRY(retc_h5_read_texts(file, "/metadata/cell_names", &names, &n_names));
    for (size_t i = 0; i < n && !group; ++i) {
        if (strncmp(members[i], "cell_", 5) != 0 || !strcmp(members[i], "cell_names"))
            continue;
        ++groups;
        if (!name || !strcmp(members[i] + 5, name) || has_name(file, members[i], names, n_names, name)) {
            group = retc_strf("/%s", members[i]);
            RETC_TRY(RETC_GOT(group));
        }
    }
    if (!group && name)
        RETC_FAIL(RETC_EINVAL, "%s: there is no cell \"%s\" among its %zu cells", retc_h5_path(file), name, groups);
    else if (!group)
        RETC_FAIL(RETC_EFORMAT, "%s: has no group of a cell, such as /cell_0", retc_h5_path(file));
done:
    retc_free(members);
    retc_free(names);
    return group;
}

static int
open_source(retc_h5 *file, const char *group, double start, double duration, source *from) {
    void *time = NULL;
    int status = RETC_OK;
    *from = (source){.file = file, .group = group, .lag = 1};
    from->rate_name = retc_strf("%s/rate", group);
    RETC_TRY(RETC_GOT(from->rate_name));
    RETC_TRY(retc_irf_reader_open(file, group, &from->reader));
    from->T = from->reader.T;
    from->L = from->reader.L;
    from->H = from->reader.H;
    from->W = from->reader.W;
    RETC_TRY(retc_h5_expect(file, "/metadata/time", 1, &from->T, NULL));
    RETC_TRY(retc_h5_read_new(file, "/metadata/time", RETC_H5_DOUBLE, 1, NULL, &time));
    from->time = time;
    from->interval = retc_figure_interval(from->time, from->T);
    RETC_TRY(retc_h5_get_number(file, "/", "lag", &from->lag));
    status = retc_figure_window(from->time, from->T, start, duration, &from->first, &from->count);
    if (status < 0)
        RETC_TRY(retc_error_prefix(status, "%s", retc_h5_path(file)));
    RETC_TRY(RETC_ALLOC(from->irf, from->L * from->H * from->W));
    RETC_TRY(RETC_ALLOC(from->power, from->L * from->H * from->W));
    RETC_TRY(RETC_ALLOC(from->course, from->count * from->L));
    RETC_TRY(RETC_ALLOC(from->gain, from->count));
done:
    return status;
}

static void
close_source(source *from) {
    retc_irf_reader_close(&from->reader);
    retc_free(from->rate_name);
    retc_free(from->time);
    retc_free(from->irf);
    retc_free(from->power);
    retc_free(from->course);
    retc_free(from->rate);
    retc_free(from->gain);
}

static int
read_sample(source *from, size_t t) {
    return retc_irf_read(&from->reader, from->first + t, from->irf);
}

/* Gains of all samples and the peak. */
static int
measure(source *from) {
    size_t n = from->L * from->H * from->W;
    int status = RETC_OK;
    for (size_t t = 0; t < from->count; ++t) {
        double sum = 0;
        RETC_TRY(read_sample(from, t));
        for (size_t i = 0; i < n; ++i) {
            double square = (double)from->irf[i] * (double)from->irf[i];
            from->power[i] += square;
            sum += square;
        }
        from->gain[t] = sqrt(sum);
    }
    for (size_t i = 0; i < n; ++i)
        if (from->power[i] > from->power[from->peak])
            from->peak = i;
done:
    return status;
}

/* A second pass, as the peak pixel is known only after the first. */
static int
read_courses(source *from) {
    size_t pixels = from->H * from->W, pixel = from->peak % pixels;
    int status = RETC_OK;
    for (size_t t = 0; t < from->count; ++t) {
        RETC_TRY(read_sample(from, t));
        for (size_t k = 0; k < from->L; ++k)
            from->course[t * from->L + k] = from->irf[k * pixels + pixel];
    }
    if (retc_h5_has(from->file, from->rate_name)) {
        RETC_TRY(retc_h5_expect(from->file, from->rate_name, 1, &from->T, NULL));
        RETC_TRY(RETC_ALLOC(from->rate, from->count));
        RETC_TRY(retc_h5_read(from->file, from->rate_name, RETC_H5_FLOAT, &from->first, &from->count, from->rate));
    }
done:
    return status;
}

static void
choose_moments(source *from) {
    from->moments = from->count < RETC_FIGURE_IRF_MOMENTS ? from->count : RETC_FIGURE_IRF_MOMENTS;
    for (size_t i = 0; i < from->moments; ++i) {
        size_t begin = i * from->count / from->moments, end = (i + 1) * from->count / from->moments;
        from->moment[i] = begin;
        for (size_t t = begin; t < end; ++t)
            if (from->gain[t] > from->gain[from->moment[i]])
                from->moment[i] = t;
    }
}

/* Start of window frame k relative to the start of the response frame, ms. */
static double
frame_time(const source *from, size_t k) {
    return -1e3 * from->interval * ((double)(from->L - 1 - k) + from->lag);
}

static void
print_row(FILE *table, size_t n, const double *values) {
    for (size_t i = 0; i < n; ++i)
        retc_table_number(table, values[i]);
    retc_table_end_row(table);
}

static void
print_courses(const source *from, FILE *table) {
    retc_table_block(table, "gain", "time_s gain_Hz_per_sd rate_Hz");
    for (size_t t = 0; t < from->count; ++t)
        print_row(table, 3,
                  (double[]){from->time[from->first + t], from->gain[t], from->rate ? (double)from->rate[t] : (double)NAN});
    retc_table_block(table, "irf", "time_s before_response_ms irf_Hz_per_sd");
    for (size_t t = 0; t < from->count; ++t)
        for (size_t k = 0; k < from->L; ++k)
            print_row(table, 3,
                      (double[]){from->time[from->first + t], frame_time(from, k), (double)from->course[t * from->L + k]});
}

static double
largest_in_map(const source *from, const float *map) {
    double largest = 0;
    for (size_t p = 0; p < from->H * from->W; ++p)
        largest = fmax(largest, fabs((double)map[p]));
    return largest > 0 ? largest : 1;
}

/* A series of the cell's shape over the window, (count,columns), into fresh memory; it stays NULL where the file has none. */
static int
read_series(const source *from, const char *what, size_t columns, float **values) {
    int status = RETC_OK;
    char *name = retc_strf("%s/shape/%s", from->group, what);
    RETC_TRY(RETC_GOT(name));
    if (!retc_h5_has(from->file, name))
        goto done;
    RETC_TRY(retc_h5_expect(from->file, name, columns > 1 ? 2 : 1, (size_t[]){from->T, columns}, NULL));
    RETC_TRY(RETC_ALLOC(*values, from->count * columns));
    RETC_TRY(
        retc_h5_read(from->file, name, RETC_H5_FLOAT, (size_t[]){from->first, 0}, (size_t[]){from->count, columns}, *values));
done:
    retc_free(name);
    return status;
}

/* Geometric mean of the standard deviations along both axes. */
static double
size_of(const float *axes) {
    return sqrt((double)axes[0] * (double)axes[1]);
}

/* What the field looks like over time, where the file says it, and whether it does. */
static int
print_shape(const source *from, FILE *table) {
    enum { SERIES = 5 };
    static const struct {
        const char *name;
        size_t columns;
    } series[SERIES] = {{"separability", 1}, {"direction_index", 1}, {"latency", 1}, {"polarity", 1}, {"size", 2}};
    float *x[SERIES] = {NULL};
    int status = RETC_OK, is_there = from->H * from->W > 1; /* there is little to say of one pixel */
    for (size_t k = 0; k < SERIES; ++k) {
        RETC_TRY(read_series(from, series[k].name, series[k].columns, &x[k]));
        is_there &= x[k] != NULL;
    }
    double size_max = 0, latency_max = 0;
    for (size_t t = 0; t < from->count && is_there; ++t) {
        size_max = fmax(size_max, size_of(x[4] + 2 * t));
        latency_max = fmax(latency_max, 1e3 * (double)x[2][t]);
    }
    retc_table_block(table, "panels", "shape size_max latency_max");
    print_row(table, 3, (double[]){is_there, size_max > 0 ? size_max : 1, latency_max > 0 ? latency_max : 1});
    if (!is_there)
        goto done;
    retc_table_block(table, "shape", "time_s separability direction_index latency_ms polarity size_pixels");
    for (size_t t = 0; t < from->count; ++t)
        print_row(table, 6,
                  (double[]){from->time[from->first + t], (double)x[0][t], (double)x[1][t], 1e3 * (double)x[2][t],
                             (double)x[3][t], size_of(x[4] + 2 * t)});
done:
    for (size_t k = 0; k < SERIES; ++k)
        retc_free(x[k]);
    return status;
}

/* The moments with their colour ranges, and their maps at the peak's lag. */
static int
print_maps(source *from, FILE *table) {
    size_t pixels = from->H * from->W;
    const float *map = from->irf + from->peak / pixels * pixels;
    int status = RETC_OK;
    retc_table_block(table, "moments", "number time_s map_max");
    for (size_t i = 0; i < from->moments; ++i) {
        RETC_TRY(read_sample(from, from->moment[i]));
        print_row(table, 3, (double[]){(double)(i + 1), from->time[from->first + from->moment[i]], largest_in_map(from, map)});
    }
    for (size_t i = 0; i < from->moments; ++i) {
        char name[40];
        RETC_TRY(read_sample(from, from->moment[i]));
        snprintf(name, sizeof name, "map %zu", i + 1);
        retc_table_block(table, name, "column row irf_Hz_per_sd");
        for (size_t p = 0; p < pixels; ++p)
            print_row(table, 3, (double[]){(double)(p % from->W), (double)(p / from->W), (double)map[p]});
    }
done:
    return status;
}

char *
retc_figure_irf_title(retc_h5 *file, const char *group) {
    char **names = NULL, *title = NULL;
    size_t n = 0;
    double index = -1;
    if (retc_h5_has(file, "/metadata/cell_names") && retc_h5_read_texts(file, "/metadata/cell_names", &names, &n) == RETC_OK &&
        retc_h5_get_number(file, group, "cell_index", &index) > 0 && index >= 0 && index < (double)n)
        title = retc_strdup(names[(size_t)index]);
    else
        title = retc_strf("cell %s", group + strlen("/cell_"));
    retc_free(names);
    return title;
}

static int
print_head(source *from, FILE *table) {
    double course_max = 0, rate_max = 0, gain_max = 0;
    size_t pixels = from->H * from->W, pixel = from->peak % pixels;
    char *title = retc_figure_irf_title(from->file, from->group);
    if (!title)
        return RETC_ENOMEM;
    for (size_t i = 0; i < from->count * from->L; ++i)
        course_max = fmax(course_max, fabs((double)from->course[i]));
    for (size_t t = 0; t < from->count; ++t) {
        gain_max = fmax(gain_max, from->gain[t]);
        rate_max = from->rate ? fmax(rate_max, (double)from->rate[t]) : 0;
    }
    retc_table_block(table, "figure",
                     "title from_s to_s oldest_ms newest_ms irf_max gain_max rate_max height width row column peak_ms moments "
                     "has_rate");
    retc_table_text(table, title);
    print_row(table, 14,
              (double[]){from->time[from->first], from->time[from->first + from->count - 1], frame_time(from, 0),
                         frame_time(from, from->L - 1), course_max > 0 ? course_max : 1, gain_max > 0 ? gain_max : 1,
                         rate_max > 0 ? rate_max : 1, (double)from->H, (double)from->W, (double)(pixel / from->W),
                         (double)(pixel % from->W), frame_time(from, from->peak / pixels),
                         pixels > 1 ? (double)from->moments : 0, from->rate != NULL});
    retc_free(title);
    return RETC_OK;
}

int
retc_figure_irf(retc_h5 *file, const char *group, double start, double duration, FILE *table) {
    source from = {0};
    int status = RETC_OK;
    RETC_TRY(open_source(file, group, start, duration, &from));
    RETC_TRY(measure(&from));
    RETC_TRY(read_courses(&from));
    choose_moments(&from);
    RETC_TRY(print_head(&from, table));
    print_courses(&from, table);
    RETC_TRY(print_shape(&from, table));
    if (from.H * from.W > 1)
        RETC_TRY(print_maps(&from, table));
done:
    close_source(&from);
    return status;
}
