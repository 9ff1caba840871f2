#include "figure_irf_shape.h"

#include <math.h>

static const struct {
    const char *name;
    size_t columns;
} kinds[RETC_SHAPE_SERIES] = {
    [RETC_SHAPE_SEPARABILITY] = {"separability", 1},
    [RETC_SHAPE_DIRECTION_INDEX] = {"direction_index", 1},
    [RETC_SHAPE_LATENCY] = {"latency", 1},
    [RETC_SHAPE_POLARITY] = {"polarity", 1},
    [RETC_SHAPE_SIZE] = {"size", 2},
    [RETC_SHAPE_CENTER] = {"center", 2},
    [RETC_SHAPE_ORIENTATION] = {"orientation", 1},
};

/* Axes reach to the largest value where the gain is this part of the largest: a field that is almost nothing may have any
 * shape. */
static const double least_gain = 0.1;

/* One series into fresh memory; it stays NULL where the file has none. */
static int
read_series(retc_h5 *file, const char *group, size_t T, size_t first, size_t count, size_t kind, float **values) {
    int status = RETC_OK;
    size_t columns = kinds[kind].columns;
    char *name = retc_strf("%s/shape/%s", group, kinds[kind].name);
    RETC_TRY(RETC_GOT(name));
    if (!retc_h5_has(file, name))
        goto done;
    RETC_TRY(retc_h5_expect(file, name, columns > 1 ? 2 : 1, (size_t[]){T, columns}, NULL));
    RETC_TRY(RETC_ALLOC(*values, count * columns));
    RETC_TRY(retc_h5_read(file, name, RETC_H5_FLOAT, (size_t[]){first, 0}, (size_t[]){count, columns}, *values));
done:
    retc_free(name);
    return status;
}

int
retc_figure_shape_read(retc_h5 *file, const char *group, size_t T, size_t first, size_t count, retc_figure_shape *shape) {
    int status = RETC_OK;
    *shape = (retc_figure_shape){.is_there = 1, .count = count};
    for (size_t k = 0; k < RETC_SHAPE_SERIES; ++k) {
        RETC_TRY(read_series(file, group, T, first, count, k, &shape->series[k]));
        shape->is_there &= shape->series[k] != NULL;
    }
done:
    return status;
}

void
retc_figure_shape_free(retc_figure_shape *shape) {
    for (size_t k = 0; k < RETC_SHAPE_SERIES; ++k)
        retc_free(shape->series[k]);
}

static double
value(const retc_figure_shape *shape, size_t kind, size_t i) {
    return (double)shape->series[kind][i];
}

/* Geometric mean of the standard deviations along both axes. */
static double
size_of(const retc_figure_shape *shape, size_t t) {
    return sqrt(value(shape, RETC_SHAPE_SIZE, 2 * t) * value(shape, RETC_SHAPE_SIZE, 2 * t + 1));
}

static void
print_panels(const retc_figure_shape *shape, const double *gain, const double *likeness, double gain_max, FILE *table) {
    double size_max = 0, latency_max = 0, likeness_min = 0, sum = 0, power = 0;
    for (size_t t = 0; t < shape->count && shape->is_there; ++t) {
        if (!(gain[t] > 0)) /* no field, no shape */
            continue;
        sum += gain[t] * gain[t] * value(shape, RETC_SHAPE_POLARITY, t);
        power += gain[t] * gain[t];
        if (gain[t] < least_gain * gain_max)
            continue;
        size_max = fmax(size_max, size_of(shape, t));
        latency_max = fmax(latency_max, 1e3 * value(shape, RETC_SHAPE_LATENCY, t));
        likeness_min = fmin(likeness_min, likeness[t]);
    }
    retc_table_block(table, "panels", "shape polarity_mean size_max latency_max likeness_min");
    retc_table_number(table, shape->is_there);
    retc_table_number(table, power > 0 ? sum / power : 0);
    retc_table_number(table, size_max > 0 ? size_max : 1);
    retc_table_number(table, latency_max > 0 ? latency_max : 1);
    retc_table_number(table, likeness_min);
    retc_table_end_row(table);
}

void
retc_figure_shape_print(const retc_figure_shape *shape, const double *time, const double *gain, const double *likeness,
                        FILE *table) {
    double gain_max = 0;
    for (size_t t = 0; t < shape->count; ++t)
        gain_max = fmax(gain_max, gain[t]);
    print_panels(shape, gain, likeness, gain_max, table);
    if (!shape->is_there)
        return;
    retc_table_block(table, "shape",
                     "time_s separability direction_index latency_ms polarity size_pixels gain_of_largest likeness_to_mean");
    for (size_t t = 0; t < shape->count; ++t) {
        const double row[] = {time[t],
                              value(shape, RETC_SHAPE_SEPARABILITY, t),
                              value(shape, RETC_SHAPE_DIRECTION_INDEX, t),
                              1e3 * value(shape, RETC_SHAPE_LATENCY, t),
                              value(shape, RETC_SHAPE_POLARITY, t),
                              size_of(shape, t),
                              gain_max > 0 ? gain[t] / gain_max : 0,
                              likeness[t]};
        for (size_t i = 0; i < sizeof row / sizeof *row; ++i)
            retc_table_number(table, row[i]);
        retc_table_end_row(table);
    }
}

void
retc_figure_shape_print_ellipse(const retc_figure_shape *shape, size_t t, FILE *table) {
    const double none = (double)NAN;
    double row[] = {none, none, none, none, none};
    if (shape->is_there) {
        double angle = value(shape, RETC_SHAPE_ORIENTATION, t);
        for (size_t i = 0; i < 2; ++i) {
            row[i] = value(shape, RETC_SHAPE_CENTER, 2 * t + i);
            row[2 + i] = 2 * value(shape, RETC_SHAPE_SIZE, 2 * t + i);
        }
        row[4] = isnan(angle) ? 0 : angle;
    }
    for (size_t i = 0; i < sizeof row / sizeof *row; ++i)
        retc_table_number(table, row[i]);
    retc_table_end_row(table);
}
