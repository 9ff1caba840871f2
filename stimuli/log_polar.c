#include "log_polar.h"

#include <math.h>
#include <string.h>

#include "movie_input.h"
#include "parallel.h"

/* Sample points per pixel, and per cell at least and at most, in either direction. */
#define POINTS_PER_PIXEL 8
#define FEWEST_POINTS 4
#define MOST_POINTS 64

#define MOST_CELLS ((size_t)1 << 22)

/* Share of one pixel in a cell, or of one cell in a pixel. */
typedef struct {
    uint32_t from;
    float weight;
} share;

struct retc_log_polar {
    retc_log_polar_options options;
    double center_y, center_x; /* in pixels from the upper left corner */
    double ring_step;          /* log q */
    size_t *first;             /* (R S + 1) of each cell in `shares` */
    share *shares;
};

/* ---- the shares of pixels in cells ----------------------------------------------------------------------------------- */

static int
check_options(const retc_log_polar_options *o) {
    if (o->height == 0 || o->width == 0)
        return RETC_FAIL(RETC_EINVAL, "frames of %zu x %zu pixels are empty", o->height, o->width);
    if (o->rings == 0 || o->sectors < 3 || o->rings > MOST_CELLS / o->sectors)
        return RETC_FAIL(RETC_EINVAL, "%zu rings and %zu sectors have no meaning: at least 1 and 3, at most %zu cells",
                         o->rings, o->sectors, MOST_CELLS);
    if (!isfinite(o->row) || !isfinite(o->column))
        return RETC_FAIL(RETC_EINVAL, "a fixation point at (%g,%g) has no meaning", o->row, o->column);
    if (!(o->inner > 0) || !(o->outer > o->inner) || !isfinite(o->outer))
        return RETC_FAIL(RETC_EINVAL, "rings from %g to %g pixels have no meaning: expected 0 < inner < outer", o->inner,
                         o->outer);
    return RETC_OK;
}

/* Distance of the fixation point from the farthest corner of the frame. */
static double
farthest(const retc_log_polar *map) {
    double y = fmax(fabs(map->center_y), fabs((double)map->options.height - map->center_y));
    double x = fmax(fabs(map->center_x), fabs((double)map->options.width - map->center_x));
    return hypot(y, x);
}

static size_t
points_along(double length) {
    return (size_t)fmin(fmax(ceil(POINTS_PER_PIXEL * length), FEWEST_POINTS), MOST_POINTS);
}

/* Add the sample points of a cell to `area` (H,W), which is zero but for what this adds, and list the pixels that are hit.  The
 * number of them; `*total` is the area of the points within the frame. */
static size_t
sample_cell(const retc_log_polar *map, size_t ring, size_t sector, double *area, uint32_t *hit, double *total) {
    const retc_log_polar_options *o = &map->options;
    double r0 = o->inner * exp(map->ring_step * (double)ring), r1 = o->inner * exp(map->ring_step * (double)(ring + 1));
    double width = 2 * M_PI / (double)o->sectors;
    size_t across = points_along(r1 - r0), along = points_along(r1 * width), n = 0;
    *total = 0;
    for (size_t i = 0; i < across; ++i) {
        double r = r0 + (r1 - r0) * ((double)i + 0.5) / (double)across;
        for (size_t j = 0; j < along; ++j) {
            double angle = width * ((double)sector + ((double)j + 0.5) / (double)along);
            double y = floor(map->center_y + r * sin(angle)), x = floor(map->center_x + r * cos(angle));
            if (!(y >= 0 && y < (double)o->height && x >= 0 && x < (double)o->width))
                continue;
            size_t pixel = (size_t)y * o->width + (size_t)x;
            if (area[pixel] == 0)
                hit[n++] = (uint32_t)pixel;
            area[pixel] += r; /* an element of area is r dr d(angle) */
            *total += r;
        }
    }
    return n;
}

/* Shares of all cells, in two passes: their number, then they themselves. */
static int
make_shares(retc_log_polar *map) {
    int status = RETC_OK;
    size_t cells = map->options.rings * map->options.sectors, pixels = map->options.height * map->options.width;
    double *area = NULL;
    uint32_t *hit = NULL;
    double total;
    RETC_TRY(RETC_ALLOC(map->first, cells + 1));
    RETC_TRY(RETC_ALLOC(area, pixels));
    RETC_TRY(RETC_ALLOC(hit, pixels));
    for (int pass = 0; pass < 2; ++pass) {
        for (size_t cell = 0; cell < cells; ++cell) {
            size_t n = sample_cell(map, cell / map->options.sectors, cell % map->options.sectors, area, hit, &total);
            map->first[cell + 1] = map->first[cell] + n;
            for (size_t k = 0; k < n; ++k) {
                if (pass == 1)
                    map->shares[map->first[cell] + k] = (share){hit[k], (float)(area[hit[k]] / total)};
                area[hit[k]] = 0;
            }
        }
        if (pass == 0)
            RETC_TRY(RETC_ALLOC(map->shares, map->first[cells] + 1));
    }

done:
    retc_free(area);
    retc_free(hit);
    return status;
}

retc_log_polar *
retc_log_polar_alloc(const retc_log_polar_options *options) {
    int status = RETC_OK;
    retc_log_polar *map = NULL;
    RETC_TRY(RETC_ALLOC(map, 1));
    map->options = *options;
    retc_log_polar_options *o = &map->options;
    map->center_y = (double)o->height / 2 + o->row;
    map->center_x = (double)o->width / 2 + o->column;
    if (o->outer == 0)
        o->outer = farthest(map);
    RETC_TRY(check_options(o));
    map->ring_step = log(o->outer / o->inner) / (double)o->rings;
    RETC_TRY(make_shares(map));

done:
    if (status < 0) {
        retc_log_polar_free(map);
        return NULL;
    }
    return map;
}

void
retc_log_polar_free(retc_log_polar *map) {
    if (!map)
        return;
    retc_free(map->first);
    retc_free(map->shares);
    retc_free(map);
}

const retc_log_polar_options *
retc_log_polar_options_of(const retc_log_polar *map) {
    return &map->options;
}

/* ---- there and back -------------------------------------------------------------------------------------------------- */

void
retc_log_polar_forward(const retc_log_polar *map, const float *frame, float *cells) {
    for (size_t cell = 0; cell < map->options.rings * map->options.sectors; ++cell) {
        double sum = 0;
        for (size_t k = map->first[cell]; k < map->first[cell + 1]; ++k)
            sum += (double)map->shares[k].weight * (double)frame[map->shares[k].from];
        cells[cell] = map->first[cell] < map->first[cell + 1] ? (float)sum : (float)RETC_MEAN_GREY;
    }
}

/* Linear between the centres of cells; rings end at the first and the last. */
static double
between_cells(const retc_log_polar *map, const float *cells, double y, double x) {
    const retc_log_polar_options *o = &map->options;
    double ring = log(hypot(y, x) / o->inner) / map->ring_step - 0.5;
    double sector = (atan2(y, x) / (2 * M_PI) + 1) * (double)o->sectors - 0.5;
    ring = fmin(fmax(ring, 0), (double)(o->rings - 1));
    size_t i = (size_t)ring, j = (size_t)sector;
    size_t below = i + 1 < o->rings ? i + 1 : i, left = j % o->sectors, right = (j + 1) % o->sectors;
    double v = ring - (double)i, u = sector - (double)j;
    double upper = (1 - u) * (double)cells[i * o->sectors + left] + u * (double)cells[i * o->sectors + right];
    double lower = (1 - u) * (double)cells[below * o->sectors + left] + u * (double)cells[below * o->sectors + right];
    return (1 - v) * upper + v * lower;
}

void
retc_log_polar_back(const retc_log_polar *map, const float *frame, const float *cells, float *out) {
    const retc_log_polar_options *o = &map->options;
    for (size_t p = 0; p < o->height * o->width; ++p) {
        double y = (double)(p / o->width) + 0.5 - map->center_y, x = (double)(p % o->width) + 0.5 - map->center_x;
        double r = hypot(y, x);
        if (r < o->inner)
            out[p] = frame[p];
        else
            out[p] = r <= o->outer ? (float)between_cells(map, cells, y, x) : (float)RETC_MEAN_GREY;
    }
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *movie;
    int back;
    retc_log_polar_options map;
} polar_options;

typedef struct {
    retc_stimulus *input;
    retc_log_polar *map;
    size_t threads;
    int back;
} polar_movie;

static void
polar_frame(const void *context, const float *in, float *out) {
    const polar_movie *polar = context;
    retc_log_polar_forward(polar->map, in, out);
}

typedef struct {
    const polar_movie *polar;
    float *frame; /* (n,H,W) */
    const float *cells;
} back_slab;

static int
back_frame(void *context, size_t t) {
    const back_slab *slab = context;
    const retc_log_polar_options *o = &slab->polar->map->options;
    float *frame = slab->frame + t * o->height * o->width, *out = NULL;
    int status = RETC_ALLOC(out, o->height * o->width);
    if (status == RETC_OK) {
        retc_log_polar_back(slab->polar->map, frame, slab->cells + t * o->rings * o->sectors, out);
        memcpy(frame, out, o->height * o->width * sizeof *out);
    }
    retc_free(out);
    return status;
}

static int
polar_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    const polar_movie *polar = context;
    const retc_log_polar_options *o = &polar->map->options;
    size_t pixels = o->height * o->width, cells = o->rings * o->sectors, step = retc_stimulus_slab(o->rings, o->sectors);
    float *slab = NULL;
    if (!polar->back)
        return retc_movie_change_frames(polar->input, polar->threads, polar_frame, polar, t0, n, cells, out);
    step = step < n ? step : n;
    RETC_TRY(RETC_ALLOC(slab, step * cells));
    for (size_t t = 0; t < n; t += step) {
        size_t m = n - t < step ? n - t : step;
        back_slab back = {polar, out + t * pixels, slab};
        RETC_TRY(retc_movie_change_frames(polar->input, polar->threads, polar_frame, polar, t0 + t, m, cells, slab));
        RETC_TRY(retc_stimulus_read(polar->input, t0 + t, m, out + t * pixels));
        RETC_TRY(retc_parallel_for(m, polar->threads, back_frame, &back));
    }

done:
    retc_free(slab);
    return status;
}

/* Beside the frames: borders of the rings, pixels, and of the sectors, degrees. */
static int
polar_annotate(void *context, retc_h5 *file) {
    int status = RETC_OK;
    const polar_movie *polar = context;
    const retc_log_polar_options *o = &polar->map->options;
    size_t radii = o->rings + 1, angles = o->sectors + 1;
    double *border = NULL;
    RETC_TRY(RETC_ALLOC(border, radii + angles));
    for (size_t i = 0; i < radii; ++i)
        border[i] = o->inner * exp(polar->map->ring_step * (double)i);
    for (size_t j = 0; j < angles; ++j)
        border[radii + j] = 360 * (double)j / (double)o->sectors;
    RETC_TRY(retc_h5_put(file, "log_polar/ring", RETC_H5_DOUBLE, 1, &radii, border));
    RETC_TRY(retc_h5_put(file, "log_polar/sector", RETC_H5_DOUBLE, 1, &angles, border + radii));
    RETC_TRY(retc_h5_set_number(file, "log_polar", "fixation_row", polar->map->center_y - 0.5));
    RETC_TRY(retc_h5_set_number(file, "log_polar", "fixation_column", polar->map->center_x - 0.5));
    RETC_TRY(retc_movie_copy_clock(polar->input, file));

done:
    retc_free(border);
    return status;
}

static void
polar_free(void *context) {
    polar_movie *polar = context;
    if (!polar)
        return;
    retc_stimulus_close(polar->input);
    retc_log_polar_free(polar->map);
    retc_free(polar);
}

static void
polar_defaults(void *options, retc_screen *screen) {
    polar_options *o = options;
    (void)screen;
    *o = (polar_options){.map = {.rings = 32, .sectors = 64, .inner = 1}};
}

static size_t
polar_table(void *options, retc_option *entries) {
    polar_options *o = options;
    const retc_option table[] = {
        {"movie", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o->movie, 0, 0, NULL, "stimulus file"},
        {"rings", 0, RETC_OPTION_SIZE, 0, &o->map.rings, 1, 4096, NULL, "rows of the result"},
        {"sectors", 0, RETC_OPTION_SIZE, 0, &o->map.sectors, 3, 8192, NULL, "columns of the result"},
        {"fixation-row", 0, RETC_OPTION_DOUBLE, 0, &o->map.row, -1e6, 1e6, "pixels",
         "fixation point, below the middle of the frame"},
        {"fixation-column", 0, RETC_OPTION_DOUBLE, 0, &o->map.column, -1e6, 1e6, "pixels",
         "fixation point, to the right of the middle of the frame"},
        {"inner", 0, RETC_OPTION_DOUBLE, 0, &o->map.inner, 1e-3, 1e6, "pixels", "radius where the rings begin: the fovea"},
        {"outer", 0, RETC_OPTION_DOUBLE, 0, &o->map.outer, 0, 1e6, "pixels",
         "radius where the rings end; 0: at the farthest corner"},
        {"back", 0, RETC_OPTION_FLAG, 0, &o->back, 0, 0, NULL,
         "go back to pixels: sharp within the inner radius, ever coarser outside"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static retc_movie *
polar_make(const void *options, const retc_screen *screen) {
    int status = RETC_OK;
    const polar_options *o = options;
    retc_log_polar_options map = o->map;
    polar_movie *polar = NULL;
    retc_movie *movie = NULL;
    RETC_TRY(RETC_ALLOC(polar, 1));
    polar->back = o->back;
    polar->threads = screen->threads;
    RETC_TRY(RETC_GOT(polar->input = retc_stimulus_open(o->movie)));
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(polar->input);
    map.height = layout->height;
    map.width = layout->width;
    RETC_TRY(RETC_GOT(polar->map = retc_log_polar_alloc(&map)));
    RETC_TRY(RETC_GOT(movie = retc_movie_alloc_from("log-polar", polar->input, o->back ? map.height : map.rings,
                                                    o->back ? map.width : map.sectors)));
    if (!o->back)
        movie->pixel_size = 0;
    movie->any_order = 1;
    movie->frames = polar_frames;
    movie->annotate = polar_annotate;
    movie->free = polar_free;
    movie->context = polar;
    return movie;

done:
    polar_free(polar);
    return NULL;
}

const retc_movie_kind retc_log_polar_kind = {
    .name = "log-polar",
    .usage =
        {"stimulus", "another movie as a fovea sees it: rings and sectors around a point",
         "Resamples a stimulus file around a fixation point.  Rings, whose radii grow by the same factor each, become rows, "
         "and sectors columns; every value is the mean over its part of the frame.  With --back the result is in pixels "
         "again: sharp at the fixation point, and as coarse as the rings and sectors away from it.",
         "retcodec stimulus log-polar movie.h5 --rings 32 --sectors 64 -o foveated.h5"},
    .from_files = 1,
    .size = sizeof(polar_options),
    .defaults = polar_defaults,
    .table = polar_table,
    .make = polar_make,
};
