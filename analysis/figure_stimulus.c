#include "figure_stimulus.h"

#include <math.h>
#include <string.h>

#include "movie_spectrum.h"

enum { MOST_POINTS = 128, FILM_RATE = 20, MOST_LEVELS = 2000 }; /* points a side of a shown frame; Hz; rows of a block */

typedef struct {
    retc_stimulus *stimulus;
    double pixel_size; /* um, 0: unknown */
    size_t first, count, every, shown;
    size_t square, rows, columns; /* pixels a side that make a shown point; shown points */
    float *frame;                 /* (H,W) */
    retc_movie_spectrum spectrum;
} source;

static int
choose_frames(source *from, double start, double duration, int film) {
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(from->stimulus);
    size_t larger = layout->height > layout->width ? layout->height : layout->width;
    int status =
        retc_figure_window(retc_stimulus_time(from->stimulus), layout->frames, start, duration, &from->first, &from->count);
    if (status < 0)
        return retc_error_prefix(status, "%s", retc_stimulus_path(from->stimulus));
    size_t most = film ? RETC_FIGURE_STIMULUS_FILM : RETC_FIGURE_STIMULUS_SHEET;
    from->every = (from->count + most - 1) / most;
    size_t slow = (size_t)floor(1 / (layout->frame_interval * FILM_RATE));
    if (film && from->every < slow)
        from->every = slow;
    from->shown = (from->count + from->every - 1) / from->every;
    from->square = (larger + MOST_POINTS - 1) / MOST_POINTS;
    from->rows = (layout->height + from->square - 1) / from->square;
    from->columns = (layout->width + from->square - 1) / from->square;
    return RETC_OK;
}

static int
read_frame(source *from, size_t t) {
    return retc_stimulus_read(from->stimulus, t, 1, from->frame);
}

/* Mean over the square of pixels behind a shown point; squares at the border may be cut. */
static double
shown_level(const source *from, size_t row, size_t column) {
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(from->stimulus);
    double sum = 0;
    size_t n = 0;
    for (size_t y = row * from->square; y < (row + 1) * from->square && y < layout->height; ++y)
        for (size_t x = column * from->square; x < (column + 1) * from->square && x < layout->width; ++x, ++n)
            sum += (double)from->frame[y * layout->width + x];
    return sum / (double)n;
}

static int
write_levels(source *from, FILE *table) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(from->stimulus);
    const double *time = retc_stimulus_time(from->stimulus);
    size_t pixels = layout->height * layout->width, every = (from->count + MOST_LEVELS - 1) / MOST_LEVELS;
    retc_table_block(table, "levels", "time_s mean lowest highest");
    for (size_t t = 0; t < from->count; t += every) {
        double sum = 0, lowest = (double)INFINITY, highest = -(double)INFINITY;
        RETC_TRY(read_frame(from, from->first + t));
        for (size_t i = 0; i < pixels; ++i) {
            double level = (double)from->frame[i];
            sum += level;
            lowest = fmin(lowest, level);
            highest = fmax(highest, level);
        }
        retc_table_number(table, time[from->first + t]);
        retc_table_number(table, sum / (double)pixels);
        retc_table_number(table, lowest);
        retc_table_number(table, highest);
        retc_table_end_row(table);
    }

done:
    return status;
}

/* A block without rows would shift the numbers of all blocks behind it: an empty spectrum has one row of NaN. */
static void
write_spectrum(const char *name, const char *columns, const double *frequency, const double *power, size_t n, FILE *table) {
    retc_table_block(table, name, columns);
    for (size_t k = 0; k < (n ? n : 1); ++k) {
        retc_table_number(table, n ? frequency[k] : (double)NAN);
        retc_table_number(table, n ? power[k] : (double)NAN);
        retc_table_end_row(table);
    }
}

static int
write_frames(source *from, FILE *table) {
    int status = RETC_OK;
    char name[32];
    retc_table_block(table, "frames", "number time_s");
    for (size_t i = 0; i < from->shown; ++i) {
        retc_table_number(table, (double)(i + 1));
        retc_table_number(table, retc_stimulus_time(from->stimulus)[from->first + i * from->every]);
        retc_table_end_row(table);
    }
    for (size_t i = 0; i < from->shown; ++i) {
        snprintf(name, sizeof name, "frame %zu", i + 1);
        RETC_TRY(read_frame(from, from->first + i * from->every));
        retc_table_block(table, name, "levels of a row, one row a line");
        /* gnuplot draws images of 2 x 2 points at least: a single row or column is written twice. */
        for (size_t row = 0; row < from->rows || row < 2; ++row) {
            for (size_t column = 0; column < from->columns || column < 2; ++column) {
                size_t y = row < from->rows ? row : 0, x = column < from->columns ? column : 0;
                retc_table_number(table, round(shown_level(from, y, x) * 100) / 100);
            }
            retc_table_end_row(table);
        }
    }

done:
    return status;
}

/* "white-noise: 18000 frames of 12x12 pixels of 50 µm at 60 Hz; mean level 127.5, contrast 0.35" */
static int
write_head(const source *from, retc_h5 *file, FILE *table) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(from->stimulus);
    const double *time = retc_stimulus_time(from->stimulus);
    char *kind = NULL, *title = NULL, pixel[48] = "";
    RETC_TRY(retc_h5_get_text(file, "/", "stimulus", &kind));
    if (from->pixel_size > 0)
        snprintf(pixel, sizeof pixel, " of %g µm", from->pixel_size);
    title = retc_strf("%s: %zu frame%s of %zux%zu pixels%s at %.4g Hz; mean level %.1f, contrast %.3f", kind, layout->frames,
                      layout->frames == 1 ? "" : "s", layout->height, layout->width, pixel, 1 / layout->frame_interval,
                      from->spectrum.mean, from->spectrum.std / RETC_MEAN_GREY);
    RETC_TRY(RETC_GOT(title));
    retc_table_block(table, "figure", "title frames rows columns from_s to_s interval_s times spaces has_pixel_size");
    retc_table_text(table, title);
    const double numbers[] = {(double)from->shown,
                              (double)from->rows,
                              (double)from->columns,
                              time[from->first],
                              time[from->first + from->count - 1] + layout->frame_interval,
                              (double)from->every * layout->frame_interval,
                              (double)from->spectrum.times,
                              (double)from->spectrum.spaces,
                              from->pixel_size > 0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; ++i)
        retc_table_number(table, numbers[i]);
    retc_table_end_row(table);

done:
    retc_free(kind);
    retc_free(title);
    return status;
}

int
retc_figure_stimulus(retc_h5 *file, double start, double duration, int film, FILE *table) {
    int status = RETC_OK;
    source from = {0};
    RETC_TRY(RETC_GOT(from.stimulus = retc_stimulus_open(retc_h5_path(file))));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(from.stimulus);
    RETC_TRY(retc_h5_get_number(file, "/", "pixel_size", &from.pixel_size));
    RETC_TRY(choose_frames(&from, start, duration, film));
    RETC_TRY(RETC_ALLOC(from.frame, layout->height * layout->width));
    RETC_TRY(retc_movie_spectrum_estimate(from.stimulus, from.pixel_size > 0 ? from.pixel_size : 1000, &from.spectrum));
    RETC_TRY(write_head(&from, file, table));
    RETC_TRY(write_levels(&from, table));
    write_spectrum("time spectrum", "frequency_Hz power", from.spectrum.time_frequency, from.spectrum.time_power,
                   from.spectrum.times, table);
    write_spectrum("space spectrum", from.pixel_size > 0 ? "frequency_cycles_per_mm power" : "frequency_cycles_per_pixel power",
                   from.spectrum.space_frequency, from.spectrum.space_power, from.spectrum.spaces, table);
    RETC_TRY(write_frames(&from, table));

done:
    retc_movie_spectrum_clear(&from.spectrum);
    retc_free(from.frame);
    retc_stimulus_close(from.stimulus);
    return status;
}
