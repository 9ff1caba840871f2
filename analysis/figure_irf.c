#include "figure_irf.h"

#include <math.h>
#include <string.h>

#include "figure_irf_shape.h"
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
    double *likeness;    /* (count) cosine with the window's mean IRF, NaN where either is 0 */
    double *power, *sum; /* (L,H,W) over the window, of squares and values */
    size_t peak, moment[RETC_FIGURE_IRF_MOMENTS], moments;
    retc_figure_shape shape;
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
    RETC_TRY(RETC_ALLOC(from->sum, from->L * from->H * from->W));
    RETC_TRY(RETC_ALLOC(from->course, from->count * from->L));
    RETC_TRY(RETC_ALLOC(from->likeness, from->count));
    RETC_TRY(RETC_ALLOC(from->gain, from->count));
    RETC_TRY(retc_figure_shape_read(file, group, from->T, from->first, from->count, &from->shape));
    from->shape.is_there &= from->H * from->W > 1; /* there is little to say of one pixel */
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
    retc_free(from->sum);
    retc_free(from->likeness);
    retc_free(from->course);
    retc_free(from->rate);
    retc_free(from->gain);
    retc_figure_shape_free(&from->shape);
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
            from->sum[i] += (double)from->irf[i];
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

/* A second pass, as the peak pixel and the mean are known only after the first. */
static int
read_courses(source *from) {
    size_t pixels = from->H * from->W, pixel = from->peak % pixels, n = from->L * pixels;
    double squares = 0;
    int status = RETC_OK;
    for (size_t i = 0; i < n; ++i)
        squares += from->sum[i] * from->sum[i];
    for (size_t t = 0; t < from->count; ++t) {
        double product = 0, norm = from->gain[t] * sqrt(squares);
        RETC_TRY(read_sample(from, t));
        for (size_t k = 0; k < from->L; ++k)
            from->course[t * from->L + k] = from->irf[k * pixels + pixel];
        for (size_t i = 0; i < n; ++i)
            product += from->sum[i] * (double)from->irf[i];
        from->likeness[t] = norm > 0 ? product / norm : (double)NAN;
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

/* The moments with their colour ranges, and their maps at the peak's lag. */
static int
print_maps(source *from, FILE *table) {
    size_t pixels = from->H * from->W;
    const float *map = from->irf + from->peak / pixels * pixels;
    int status = RETC_OK;
    retc_table_block(table, "moments", "number time_s map_max row column long_axis short_axis angle");
    for (size_t i = 0; i < from->moments; ++i) {
        RETC_TRY(read_sample(from, from->moment[i]));
        retc_table_number(table, (double)(i + 1));
        retc_table_number(table, from->time[from->first + from->moment[i]]);
        retc_table_number(table, largest_in_map(from, map));
        retc_figure_shape_print_ellipse(&from->shape, from->moment[i], table);
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
    retc_figure_shape_print(&from.shape, from.time + from.first, from.gain, from.likeness, table);
    if (from.H * from.W > 1)
        RETC_TRY(print_maps(&from, table));
done:
    close_source(&from);
    return status;
}
