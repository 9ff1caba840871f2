#include "figure_kernels.h"

#include <gsl/gsl_eigen.h>
#include <math.h>
#include <string.h>

/* Tiles in a row of space-time filters; letters of a cell's name over such a tile, and beside a row of a matrix. */
enum { ACROSS = 8, MOST = RETC_FIGURE_MOST_CHANNELS, LETTERS_OVER = 10, LETTERS_BESIDE = 17 };

/* One convolution as it is drawn: `row` k of it is channel channel[k]. */
typedef struct {
    const retc_network *network;
    const retc_layer *layer, *next; /* next: what its output goes into, NULL for none */
    const retc_figure_cells *cells;
    const float *weight;
    size_t number, K, C, rows, columns; /* channels; tiles: rows of a matrix, or space-time filters */
    size_t gap;                         /* pixels between tiles */
    int space_time, of_cells;
    double largest;
    float *map;     /* space-time: (rows, kh kw) */
    double *course; /* space-time: (rows, L) */
    double *share;  /* space-time: (rows) */
} drawn;

static size_t
channel(const drawn *d, size_t row) {
    return d->of_cells ? d->cells->index[row] : row;
}

/* ---- separation ------------------------------------------------------------------------------------------------------ */

/* The filter w (L,P) as course (L) times map (P); the share of its squares that they hold, NaN where there are none. */
static int
separate(const float *w, size_t L, size_t P, gsl_eigen_symmv_workspace *work, gsl_matrix *products, gsl_matrix *vectors,
         gsl_vector *values, float *map, double *course, double *share) {
    double trace = 0;
    size_t best = 0, peak = 0;
    for (size_t k = 0; k < L; ++k)
        for (size_t l = 0; l <= k; ++l) {
            double sum = 0;
            for (size_t p = 0; p < P; ++p)
                sum += (double)w[k * P + p] * (double)w[l * P + p];
            gsl_matrix_set(products, k, l, sum);
            gsl_matrix_set(products, l, k, sum);
            trace += k == l ? sum : 0;
        }
    *share = (double)NAN;
    if (!(trace > 0))
        return RETC_OK; /* map and course stay 0 */
    if (gsl_eigen_symmv(products, values, vectors, work) != 0)
        return RETC_FAIL(RETC_ENUMBER, "a filter of %zu frames could not be separated", L);
    for (size_t k = 1; k < L; ++k)
        best = gsl_vector_get(values, k) > gsl_vector_get(values, best) ? k : best;
    for (size_t l = 0; l < L; ++l) {
        course[l] = gsl_matrix_get(vectors, l, best);
        peak = fabs(course[l]) > fabs(course[peak]) ? l : peak;
    }
    /* The vector has length 1: divided by its peak, its squares add up to 1 / peak^2. */
    double at_peak = course[peak];
    for (size_t p = 0; p < P; ++p) {
        double sum = 0;
        for (size_t l = 0; l < L; ++l)
            sum += course[l] * (double)w[l * P + p];
        map[p] = (float)(sum * at_peak);
    }
    for (size_t l = 0; l < L; ++l)
        course[l] /= at_peak;
    *share = gsl_vector_get(values, best) / trace;
    return RETC_OK;
}

static int
separate_all(drawn *d) {
    int status = RETC_OK;
    size_t L = d->C, P = d->layer->kh * d->layer->kw;
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(L);
    gsl_matrix *products = gsl_matrix_alloc(L, L), *vectors = gsl_matrix_alloc(L, L);
    gsl_vector *values = gsl_vector_alloc(L);
    RETC_TRY(work && products && vectors && values ? RETC_OK : RETC_FAIL(RETC_ENOMEM, "out of memory"));
    RETC_TRY(RETC_ALLOC(d->map, d->rows * P));
    RETC_TRY(RETC_ALLOC(d->course, d->rows * L));
    RETC_TRY(RETC_ALLOC(d->share, d->rows));
    for (size_t k = 0; k < d->rows; ++k)
        RETC_TRY(separate(d->weight + channel(d, k) * L * P, L, P, work, products, vectors, values, d->map + k * P,
                          d->course + k * L, &d->share[k]));
    if (P > 1)
        goto done;
    for (size_t k = 0; k < d->rows; ++k) /* one pixel: the course is the filter */
        for (size_t l = 0; l < L; ++l)
            d->course[k * L + l] = (double)d->weight[channel(d, k) * L + l];
done:
    gsl_eigen_symmv_free(work);
    gsl_matrix_free(products);
    gsl_matrix_free(vectors);
    gsl_vector_free(values);
    return status;
}

/* ---- what is drawn of a layer ---------------------------------------------------------------------------------------- */

static void
drawn_clear(drawn *d) {
    retc_free(d->map);
    retc_free(d->course);
    retc_free(d->share);
}

static void
find_largest(drawn *d) {
    size_t P = d->layer->kh * d->layer->kw;
    if (d->space_time) {
        const double *course = d->course;
        for (size_t i = 0; P > 1 && i < d->rows * P; ++i)
            d->largest = fmax(d->largest, fabs((double)d->map[i]));
        for (size_t i = 0; P == 1 && i < d->rows * d->C; ++i)
            d->largest = fmax(d->largest, fabs(course[i]));
    } else {
        for (size_t k = 0; k < d->rows; ++k)
            for (size_t i = 0; i < d->columns * P; ++i)
                d->largest = fmax(d->largest, fabs((double)d->weight[channel(d, k) * d->C * P + i]));
    }
    if (!(d->largest > 0))
        d->largest = 1;
}

static int
drawn_set(drawn *d, const retc_network *network, size_t l, int is_last, size_t number, const retc_figure_cells *cells) {
    int status = RETC_OK;
    const retc_layer *layer = &network->layer[l];
    *d = (drawn){.network = network, .layer = layer, .cells = cells, .number = number, .K = layer->C};
    d->next = l + 1 < network->layers ? layer + 1 : NULL;
    d->weight = retc_network_values_const(network, layer->weight);
    d->C = network->param[layer->weight].size / (layer->C * layer->kh * layer->kw);
    d->space_time = l == 0;
    d->of_cells = is_last && layer->C == network->N;
    d->rows = d->of_cells ? cells->n : layer->C < MOST ? layer->C : MOST;
    d->columns = d->C < MOST ? d->C : MOST;
    d->gap = layer->kh * layer->kw > 1 ? 1 + layer->kw / 8 : 0;
    if (d->space_time)
        RETC_TRY(separate_all(d));
    find_largest(d);
done:
    return status;
}

/* ---- blocks ---------------------------------------------------------------------------------------------------------- */

static void
begin_block(FILE *table, const char *name, size_t number, const size_t *row, const char *columns) {
    char title[64];
    if (row)
        snprintf(title, sizeof title, "%s %zu %zu", name, number, *row);
    else
        snprintf(title, sizeof title, "%s %zu", name, number);
    retc_table_block(table, title, columns);
}

static void
print_numbers(FILE *table, size_t n, const double *values) {
    for (size_t i = 0; i < n; ++i)
        retc_table_number(table, values[i]);
    retc_table_end_row(table);
}

/* Start of window frame l, relative to the start of the response frame: in ms where the model knows, else in frames. */
static double
frame_time(const drawn *d, size_t l) {
    double unit = d->network->frame_interval > 0 ? 1e3 * d->network->frame_interval : 1;
    return -unit * (double)(d->C - 1 - l + d->network->lag);
}

static size_t
tiles_across(const drawn *d) {
    return !d->space_time ? d->columns : d->rows < ACROSS ? d->rows : ACROSS;
}

static size_t
tiles_down(const drawn *d) {
    return !d->space_time ? d->rows : (d->rows + ACROSS - 1) / ACROSS;
}

/* "conv1: 8 filters of 11x11 on 8 channels" */
static char *
layer_title(const drawn *d) {
    const retc_layer *layer = d->layer;
    char shown[64] = "";
    if (d->rows < d->K)
        snprintf(shown, sizeof shown, "; %zu are drawn", d->rows);
    else if (!d->space_time && d->columns < d->C)
        snprintf(shown, sizeof shown, "; %zu channels are drawn", d->columns);
    if (d->space_time)
        return retc_strf("%s: %zu filters of %zu frames and %zux%zu pixels%s", layer->cut, d->K, d->C, layer->kh, layer->kw,
                         shown);
    return retc_strf("%s: %zu %s of %zux%zu on %zu channels%s", layer->cut, d->K, d->of_cells ? "cells" : "filters", layer->kh,
                     layer->kw, d->C, shown);
}

/* A row of the block "layers". */
static int
print_layer(const drawn *d, FILE *table) {
    const retc_layer *layer = d->layer;
    char *title = layer_title(d);
    if (!title)
        return RETC_ENOMEM;
    retc_table_number(table, (double)d->number);
    retc_table_text(table, title);
    print_numbers(table, 12,
                  (double[]){d->space_time, (double)tiles_down(d), (double)tiles_across(d), (double)layer->kh,
                             (double)layer->kw, (double)d->gap, d->largest, d->space_time ? frame_time(d, 0) : 0,
                             d->space_time ? frame_time(d, d->C - 1) : 0, d->next && d->next->kind == RETC_LAYER_GRAB,
                             (double)layer->h, (double)layer->w});
    retc_free(title);
    return RETC_OK;
}

/* Names of the cells of a recording mostly differ at their ends. */
static const char *
end_of(const char *name, size_t letters) {
    size_t length = strlen(name);
    return length > letters ? name + length - letters : name;
}

/* "3: 92% ×1.2" over a space-time filter, "3" beside the row of a matrix; the name of a cell for the number. */
static void
print_tiles(const drawn *d, FILE *table) {
    const retc_layer *next = d->next;
    int has_gain = next && next->kind == RETC_LAYER_BATCHNORM && (!next->per_unit || next->h * next->w == 1) && !d->of_cells;
    begin_block(table, "tiles", d->number, NULL, "row column title");
    for (size_t k = 0; k < d->rows; ++k) {
        char title[96], gain[32] = "", share[32] = "";
        float scale = 1, shift = 0;
        if (has_gain)
            retc_batchnorm_affine(d->network, next, k, &scale, &shift);
        if (has_gain)
            snprintf(gain, sizeof gain, " ×%.2g", (double)scale);
        if (d->space_time && d->layer->kh * d->layer->kw > 1 && isfinite(d->share[k]))
            snprintf(share, sizeof share, ": %.0f%%", 100 * d->share[k]);
        if (d->of_cells)
            snprintf(title, sizeof title, "%s%s", end_of(d->cells->name[k], d->space_time ? LETTERS_OVER : LETTERS_BESIDE),
                     share);
        else
            snprintf(title, sizeof title, "%zu%s%s", k, share, d->space_time ? gain : "");
        retc_table_number(table, d->space_time ? (double)(k / ACROSS) : (double)k);
        retc_table_number(table, d->space_time ? (double)(k % ACROSS) : 0);
        retc_table_text(table, title);
        retc_table_end_row(table);
    }
}

/* The weight at (y,x) of a tile. */
static double
weight_at(const drawn *d, size_t down, size_t across, size_t y, size_t x) {
    size_t P = d->layer->kh * d->layer->kw, p = y * d->layer->kw + x, k = down * ACROSS + across;
    if (!d->space_time)
        return (double)d->weight[(channel(d, down) * d->C + across) * P + p];
    return (double)d->map[k * P + p];
}

/* Rows of tiles `first` ... `first + count - 1` as one image, which has a value everywhere: NaN in the gaps. */
static void
print_maps(const drawn *d, size_t first, size_t count, FILE *table) {
    size_t high = d->layer->kh + d->gap, wide = d->layer->kw + d->gap;
    size_t across = d->space_time && d->rows - first * ACROSS < ACROSS ? d->rows - first * ACROSS : tiles_across(d);
    begin_block(table, "maps", d->number, &first, "column row weight");
    for (size_t y = 0; y < count * high - d->gap; ++y)
        for (size_t x = 0; x < across * wide - d->gap; ++x) {
            int inside = y % high < d->layer->kh && x % wide < d->layer->kw;
            print_numbers(table, 3,
                          (double[]){(double)x, (double)y,
                                     inside ? weight_at(d, first + y / high, x / wide, y % high, x % wide) : (double)NAN});
        }
}

/* The courses of a row of tiles, each as wide as its tile: tile t goes from t to t + 1 - gap. */
static void
print_courses(const drawn *d, size_t down, FILE *table) {
    double width = (double)d->layer->kw / (double)(d->layer->kw + d->gap);
    if (d->gap == 0)
        width = 0.85;
    begin_block(table, "courses", d->number, &down, "tile course");
    for (size_t k = down * ACROSS; k < d->rows && k < (down + 1) * ACROSS; ++k) {
        for (size_t l = 0; l < d->C; ++l)
            print_numbers(table, 2,
                          (double[]){(double)(k % ACROSS) + width * ((double)l + 0.5) / (double)d->C, d->course[k * d->C + l]});
        retc_table_end_row(table);
    }
}

static void
print_positions(const drawn *d, FILE *table) {
    begin_block(table, "positions", d->number, NULL, "column row cell");
    for (size_t i = 0; i < d->rows; ++i) {
        const size_t *position = d->next->position + 2 * channel(d, i);
        retc_table_number(table, (double)position[1]);
        retc_table_number(table, (double)position[0]);
        retc_table_text(table, d->of_cells ? d->cells->name[i] : "");
        retc_table_end_row(table);
    }
}

static void
print_drawn(const drawn *d, FILE *table) {
    print_tiles(d, table);
    if (!d->space_time)
        print_maps(d, 0, d->rows, table);
    for (size_t down = 0; d->space_time && down < tiles_down(d); ++down) {
        if (d->layer->kh * d->layer->kw > 1)
            print_maps(d, down, 1, table);
        print_courses(d, down, table);
    }
    if (d->next && d->next->kind == RETC_LAYER_GRAB)
        print_positions(d, table);
}

int
retc_figure_kernels(const retc_network *network, const retc_figure_cells *cells, FILE *table) {
    int status = RETC_OK;
    drawn *layers = NULL;
    size_t *cut = NULL, n = 0;
    RETC_TRY(RETC_ALLOC(cut, network->layers));
    RETC_TRY(RETC_ALLOC(layers, network->layers));
    n = retc_network_cuts(network, cut);
    for (size_t i = 0; i < n; ++i)
        RETC_TRY(drawn_set(&layers[i], network, cut[i], i + 1 == n, i + 1, cells));
    retc_table_block(table, "figure", "layers title time_unit");
    retc_table_number(table, (double)n);
    retc_table_text(table, network->model_type);
    retc_table_text(table, network->frame_interval > 0 ? "ms" : "frames");
    retc_table_end_row(table);
    retc_table_block(table, "layers",
                     "number title space_time tiles_down tiles_across rows columns gap largest from to positions map_rows "
                     "map_columns");
    for (size_t i = 0; i < n; ++i)
        RETC_TRY(print_layer(&layers[i], table));
    for (size_t i = 0; i < n; ++i)
        print_drawn(&layers[i], table);
done:
    for (size_t i = 0; layers && i < network->layers; ++i)
        drawn_clear(&layers[i]);
    retc_free(layers);
    retc_free(cut);
    return status;
}
