/* The report as a file. */
#include <stdio.h>

#include "quality_internal.h"

static int
write_attributes(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"frame_interval", quality->frame_interval},
                   {"interval_median", quality->clock.median},
                   {"interval_mean", quality->clock.mean},
                   {"interval_min", quality->clock.min},
                   {"interval_max", quality->clock.max},
                   {"stimulus_mean", quality->stimulus.mean},
                   {"stimulus_std", quality->stimulus.std},
                   {"stimulus_min", quality->stimulus.min},
                   {"stimulus_max", quality->stimulus.max},
                   {"train_duration", quality->part[RETC_TRAIN].duration},
                   {"test_duration", quality->part[RETC_TEST].duration}};
    const struct {
        const char *name;
        size_t value;
    } sizes[] = {{"train_frames", quality->part[RETC_TRAIN].frames},
                 {"train_stretches", quality->part[RETC_TRAIN].stretches},
                 {"train_dropped", quality->part[RETC_TRAIN].dropped},
                 {"test_frames", quality->part[RETC_TEST].frames},
                 {"test_dropped", quality->part[RETC_TEST].dropped},
                 {"test_repeats", quality->repeats},
                 {"test_skipped", quality->skipped},
                 {"height", quality->height},
                 {"width", quality->width},
                 {"fractional_counts", quality->fractional},
                 {"irregular_frames", quality->clock.irregular},
                 {"long_frames", quality->clock.long_frames},
                 {"overlap_window", quality->stimulus.window},
                 {"overlap_windows", quality->stimulus.shared}};
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "quality"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i)
        RETC_TRY(retc_h5_set_number(file, "/", numbers[i].name, numbers[i].value));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i)
        RETC_TRY(retc_h5_set_int(file, "/", sizes[i].name, (int64_t)sizes[i].value));
done:
    return status;
}

static int
write_names(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    const char **names = NULL;
    RETC_TRY(RETC_ALLOC(names, quality->cells));
    for (size_t n = 0; n < quality->cells; ++n)
        names[n] = quality->cell[n].name;
    RETC_TRY(retc_h5_put_texts(file, "/cell_names", quality->cells, names));
done:
    retc_free(names);
    return status;
}

/* A dataset (N,m) whose row n is row(cell n), and its unit. */
static int
write_rows(const retc_quality *quality, const char *name, const char *unit, size_t m,
           void (*row)(const retc_quality_cell *cell, double *out), retc_h5 *file) {
    int status = RETC_OK;
    const size_t shape[2] = {quality->cells, m};
    double *values = NULL;
    RETC_TRY(RETC_ALLOC(values, quality->cells * m));
    for (size_t n = 0; n < quality->cells; ++n)
        row(&quality->cell[n], values + n * m);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, m > 1 ? 2 : 1, shape, values));
    RETC_TRY(retc_h5_set_text(file, name, "unit", unit));
done:
    retc_free(values);
    return status;
}

static void
spikes_row(const retc_quality_cell *cell, double *out) {
    *out = cell->counted;
}

static void
times_row(const retc_quality_cell *cell, double *out) {
    *out = (double)cell->spikes;
}

static void
rate_row(const retc_quality_cell *cell, double *out) {
    *out = cell->rate;
}

static void
peak_row(const retc_quality_cell *cell, double *out) {
    *out = cell->peak_rate;
}

static void
brief_row(const retc_quality_cell *cell, double *out) {
    out[0] = cell->brief[0];
    out[1] = cell->brief[1];
}

static void
equal_row(const retc_quality_cell *cell, double *out) {
    *out = (double)cell->equal;
}

static void
interval_row(const retc_quality_cell *cell, double *out) {
    for (int i = 0; i < RETC_QUALITY_INTERVALS; ++i)
        out[i] = cell->interval[i];
}

static void
quarter_row(const retc_quality_cell *cell, double *out) {
    for (int q = 0; q < RETC_QUARTERS; ++q) {
        out[q] = cell->quarter[q];
        out[RETC_QUARTERS + q] = cell->quarter_low[q];
        out[2 * RETC_QUARTERS + q] = cell->quarter_high[q];
    }
}

static void
latency_row(const retc_quality_cell *cell, double *out) {
    *out = cell->latency;
}

static void
shift_row(const retc_quality_cell *cell, double *out) {
    for (int q = 0; q < RETC_QUARTERS; ++q)
        out[q] = cell->shift[q];
}

static int
write_cells(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(write_names(quality, file));
    RETC_TRY(write_rows(quality, "/cells/spikes", "", 1, spikes_row, file));
    RETC_TRY(write_rows(quality, "/cells/spike_times", "", 1, times_row, file));
    RETC_TRY(write_rows(quality, "/cells/rate", "Hz", 1, rate_row, file));
    RETC_TRY(write_rows(quality, "/cells/peak_rate", "Hz", 1, peak_row, file));
    RETC_TRY(write_rows(quality, "/cells/below_1_and_2_ms", "share of intervals", 2, brief_row, file));
    RETC_TRY(write_rows(quality, "/cells/equal_times", "pairs", 1, equal_row, file));
    RETC_TRY(write_rows(quality, "/cells/latency", "s", 1, latency_row, file));
    RETC_TRY(write_rows(quality, "/cells/intervals", "intervals", RETC_QUALITY_INTERVALS, interval_row, file));
    RETC_TRY(retc_h5_set_number(file, "/cells/intervals", "first", RETC_QUALITY_FIRST_INTERVAL));
    RETC_TRY(retc_h5_set_int(file, "/cells/intervals", "per_decade", RETC_QUALITY_PER_DECADE));
    RETC_TRY(write_rows(quality, "/drift/latency_change", "s", RETC_QUARTERS, shift_row, file));
    /* Columns: the rates of the quarters, then the lower, then the upper ends of their intervals. */
    RETC_TRY(write_rows(quality, "/drift/quarters", "Hz", 3 * RETC_QUARTERS, quarter_row, file));
    if (quality->bins > 0) {
        RETC_TRY(retc_h5_put(file, "/drift/rate", RETC_H5_DOUBLE, 2, (const size_t[]){quality->cells, quality->bins},
                             quality->rate));
        RETC_TRY(retc_h5_put(file, "/drift/time", RETC_H5_DOUBLE, 1, &quality->bins, quality->rate_time));
    }
done:
    return status;
}

static int
write_measures(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    const size_t shape[2] = {quality->cells, 3};
    double *values = NULL;
    char name[64];
    RETC_TRY(RETC_ALLOC(values, 3 * quality->cells));
    for (int m = 0; m < RETC_MEASURES; ++m) {
        for (size_t n = 0; n < quality->cells; ++n) {
            values[3 * n] = quality->cell[n].measure[m];
            values[3 * n + 1] = quality->cell[n].low[m];
            values[3 * n + 2] = quality->cell[n].high[m];
        }
        snprintf(name, sizeof name, "/reliability/%s", retc_measure_names[m]);
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, shape, values));
        RETC_TRY(retc_h5_set_text(file, name, "unit", retc_measure_units[m]));
    }
done:
    retc_free(values);
    return status;
}

static int
write_clock(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    const retc_quality_clock *clock = &quality->clock;
    const size_t irregular[2] = {clock->named, 5};
    double *rows = NULL;
    RETC_TRY(RETC_ALLOC(rows, clock->named * 5 + 1));
    for (size_t i = 0; i < clock->named; ++i) {
        const retc_irregular_frame *frame = &clock->which[i];
        rows[5 * i] = (double)frame->part;
        rows[5 * i + 1] = (double)frame->repeat;
        rows[5 * i + 2] = (double)frame->frame;
        rows[5 * i + 3] = frame->time;
        rows[5 * i + 4] = frame->interval;
    }
    RETC_TRY(retc_h5_put(file, "/clock/irregular", RETC_H5_DOUBLE, 2, irregular, rows));
    RETC_TRY(
        retc_h5_set_text(file, "/clock/irregular", "columns", "part (0 train, 1 test), repeat, frame, time (s), interval (s)"));
    RETC_TRY(retc_h5_put(file, "/clock/time", RETC_H5_DOUBLE, 1, &clock->bins, clock->time));
    RETC_TRY(retc_h5_put(file, "/clock/shortest", RETC_H5_DOUBLE, 1, &clock->bins, clock->lowest));
    RETC_TRY(retc_h5_put(file, "/clock/longest", RETC_H5_DOUBLE, 1, &clock->bins, clock->highest));
done:
    retc_free(rows);
    return status;
}

static int
write_test(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    size_t T = quality->part[RETC_TEST].frames;
    const int64_t cells[2] = {(int64_t)quality->best, (int64_t)quality->worst};
    if (!quality->psth)
        return RETC_OK;
    RETC_TRY(retc_h5_put(file, "/test/psth", RETC_H5_FLOAT, 2, (const size_t[]){quality->cells, T}, quality->psth));
    RETC_TRY(retc_h5_set_text(file, "/test/psth", "unit", "mean count of a frame"));
    RETC_TRY(retc_h5_put(file, "/raster/cells", RETC_H5_INT64, 1, (const size_t[]){2}, cells));
    for (int k = 0; k < 2; ++k)
        RETC_TRY(retc_h5_put(file, k ? "/raster/worst" : "/raster/best", RETC_H5_FLOAT, 2,
                             (const size_t[]){quality->repeats, T}, quality->raster[k]));
done:
    return status;
}

static int
write_sentences(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    union {
        char **texts;
        const char *const *borrowed;
    } notes = {.texts = quality->note}, warnings = {.texts = quality->warning};
    char *report = retc_quality_text(quality);
    RETC_TRY(RETC_GOT(report));
    RETC_TRY(retc_h5_put_text(file, "/report", report));
    RETC_TRY(retc_h5_put_texts(file, "/notes", quality->notes, notes.borrowed));
    RETC_TRY(retc_h5_put_texts(file, "/warnings", quality->warnings, warnings.borrowed));
done:
    retc_free(report);
    return status;
}

int
retc_quality_write(const retc_quality *quality, retc_h5 *file) {
    int status = RETC_OK;
    RETC_TRY(write_sentences(quality, file));
    RETC_TRY(write_cells(quality, file));
    RETC_TRY(write_measures(quality, file));
    RETC_TRY(write_clock(quality, file));
    RETC_TRY(write_test(quality, file));
    RETC_TRY(write_attributes(quality, file));
done:
    return status;
}
