#include "figure_circuit.h"

#include <math.h>
#include <string.h>

enum { MOST_TYPES = 16, PROFILE = 60, CURVE = 60, WIDTHS = 5, BLOCK = 65536, FROM = -4 };

/* Kinds of neurons, each with its types in the order in which they are found. */
typedef struct {
    size_t n;
    char **type; /* (n) name of each neuron's */
    double *x, *y;
    size_t types, count[MOST_TYPES];
    const char *name[MOST_TYPES]; /* point into `type` */
} neurons;

typedef struct {
    size_t n;
    int64_t *source, *target;
    double *weight;
} wires;

typedef struct {
    retc_h5 *file;
    neurons inter, cells;
    wires excitation, inhibition;
    char **cell_name;
    double *gain, *slope, *offset, *maximum, interval; /* (N), s */
    int *chosen;                                       /* (N) 1: its wiring is drawn */
} circuit;

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int
read_new(retc_h5 *file, const char *group, const char *name, retc_h5_type type, size_t *n, void *out) {
    char path[256];
    void *data = NULL;
    snprintf(path, sizeof path, "%s/%s", group, name);
    int status = *n ? retc_h5_expect(file, path, 1, n, NULL) : RETC_OK;
    if (status >= 0)
        status = retc_h5_read_new(file, path, type, 1, n, &data);
    memcpy(out, &data, sizeof data);
    return status;
}

static size_t
type_of(const neurons *all, const char *name) {
    size_t i = 0;
    while (i < all->types && strcmp(all->name[i], name) != 0)
        ++i;
    return i;
}

static int
read_neurons(retc_h5 *file, const char *group, neurons *all) {
    int status = RETC_OK;
    char path[128];
    snprintf(path, sizeof path, "%s/type", group);
    RETC_TRY(retc_h5_read_texts(file, path, &all->type, &all->n));
    if (all->n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is empty", retc_h5_path(file), path));
    RETC_TRY(read_new(file, group, "x", RETC_H5_DOUBLE, &all->n, &all->x));
    RETC_TRY(read_new(file, group, "y", RETC_H5_DOUBLE, &all->n, &all->y));
    for (size_t i = 0; i < all->n; ++i) {
        size_t type = type_of(all, all->type[i]);
        if (type == MOST_TYPES)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" holds more than %d types", retc_h5_path(file), path, MOST_TYPES));
        if (type == all->types)
            all->name[all->types++] = all->type[i];
        all->count[type] += 1;
        if (!isfinite(all->x[i]) || !isfinite(all->y[i]))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the place of \"%s\" %zu is not finite", retc_h5_path(file), group, i));
    }

done:
    return status;
}

static int
read_wires(const circuit *c, const char *group, wires *w) {
    int status = RETC_OK;
    if (!retc_h5_has(c->file, group))
        return RETC_OK;
    RETC_TRY(read_new(c->file, group, "source", RETC_H5_INT64, &w->n, &w->source));
    RETC_TRY(read_new(c->file, group, "target", RETC_H5_INT64, &w->n, &w->target));
    RETC_TRY(read_new(c->file, group, "weight", RETC_H5_DOUBLE, &w->n, &w->weight));
    for (size_t i = 0; i < w->n; ++i)
        if (w->source[i] < 0 || w->source[i] >= (int64_t)c->inter.n || w->target[i] < 0 || w->target[i] >= (int64_t)c->cells.n)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: connection %zu of \"%s\" joins neurons that are not there",
                               retc_h5_path(c->file), i, group));
        else if (!isfinite(w->weight[i]) || w->weight[i] < 0)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the weight of connection %zu of \"%s\" is %g, expected 0 or more",
                               retc_h5_path(c->file), i, group, w->weight[i]));

done:
    return status;
}

static int
read_circuit(retc_h5 *file, circuit *c) {
    int status = RETC_OK;
    size_t named = 0;
    c->file = file;
    if (!retc_h5_has(file, "truth/cells/type") || !retc_h5_has(file, "interneurons/type"))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: is no recording of a simulated retina: \"truth/cells\" is missing",
                           retc_h5_path(file)));
    RETC_TRY(read_neurons(file, "interneurons", &c->inter));
    RETC_TRY(read_neurons(file, "truth/cells", &c->cells));
    RETC_TRY(read_wires(c, "truth/wiring/bipolar_to_cell", &c->excitation));
    RETC_TRY(read_wires(c, "truth/wiring/amacrine_to_cell", &c->inhibition));
    RETC_TRY(retc_h5_read_texts(file, "cell_names", &c->cell_name, &named));
    if (named != c->cells.n)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: \"cell_names\" has %zu names, expected %zu", retc_h5_path(file), named, c->cells.n));
    RETC_TRY(read_new(file, "truth/output", "gain", RETC_H5_DOUBLE, &c->cells.n, &c->gain));
    RETC_TRY(read_new(file, "truth/output", "slope", RETC_H5_DOUBLE, &c->cells.n, &c->slope));
    RETC_TRY(read_new(file, "truth/output", "offset", RETC_H5_DOUBLE, &c->cells.n, &c->offset));
    RETC_TRY(read_new(file, "truth/output", "maximum", RETC_H5_DOUBLE, &c->cells.n, &c->maximum));
    RETC_TRY(retc_h5_get_number(file, "/", "frame_interval", &c->interval));
    if (!(c->interval > 0))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: attribute \"frame_interval\" is missing or not positive", retc_h5_path(file)));
    status = RETC_OK;

done:
    return status;
}

/* The cells called `names`; NULL: the first of every type. */
static int
choose_cells(circuit *c, const char *names) {
    int status = RETC_OK;
    retc_figure_cells cells = {0};
    RETC_TRY(RETC_ALLOC(c->chosen, c->cells.n));
    if (names)
        RETC_TRY(retc_figure_cells_choose(c->file, "cell_names", c->cells.n, names, c->cells.n, &cells));
    for (size_t i = 0; i < cells.n; ++i)
        c->chosen[cells.index[i]] = 1;
    for (size_t type = 0; !names && type < c->cells.types; ++type) {
        size_t j = 0;
        while (type_of(&c->cells, c->cells.type[j]) != type)
            ++j;
        c->chosen[j] = 1;
    }

done:
    retc_figure_cells_free(&cells);
    return status;
}

static void
neurons_clear(neurons *all) {
    retc_free(all->type), retc_free(all->x), retc_free(all->y);
}

static void
wires_clear(wires *w) {
    retc_free(w->source), retc_free(w->target), retc_free(w->weight);
}

static void
circuit_clear(circuit *c) {
    neurons_clear(&c->inter), neurons_clear(&c->cells);
    wires_clear(&c->excitation), wires_clear(&c->inhibition);
    retc_free(c->cell_name), retc_free(c->gain), retc_free(c->slope), retc_free(c->offset), retc_free(c->maximum),
        retc_free(c->chosen);
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */

static void
print_row(FILE *table, size_t n, const double *value) {
    for (size_t i = 0; i < n; ++i)
        retc_table_number(table, value[i]);
    retc_table_end_row(table);
}

/* Weighted root mean square distance of the bipolar cells that excite cell j, um. */
static double
radius_of(const circuit *c, size_t j) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < c->excitation.n; ++i) {
        size_t u = (size_t)c->excitation.source[i];
        double dx = c->inter.x[u] - c->cells.x[j], dy = c->inter.y[u] - c->cells.y[j];
        double w = c->excitation.target[i] == (int64_t)j ? c->excitation.weight[i] : 0;
        sum += w, squares += w * (dx * dx + dy * dy);
    }
    return sum > 0 ? sqrt(squares / sum) : 0;
}

/* Half the sides of squares around the middle that hold all of the cells' outlines, and all neurons as well. */
static double
reach_of_cells(const circuit *c) {
    double side = 1;
    for (size_t j = 0; j < c->cells.n; ++j)
        side = fmax(side, fmax(fabs(c->cells.x[j]), fabs(c->cells.y[j])) + radius_of(c, j));
    return 1.08 * side;
}

static double
reach_of_all(const circuit *c) {
    double side = reach_of_cells(c);
    for (size_t i = 0; i < c->inter.n; ++i)
        side = fmax(side, 1.06 * fmax(fabs(c->inter.x[i]), fabs(c->inter.y[i])));
    return side;
}

static void
print_types(const neurons *all, const char *block, FILE *table) {
    char label[96];
    retc_table_block(table, block, "number name");
    for (size_t i = 0; i < all->types; ++i) {
        snprintf(label, sizeof label, "%zu %s", all->count[i], all->name[i]);
        for (char *at = label; *at; ++at)
            *at = *at == '_' ? ' ' : *at;
        retc_table_number(table, (double)(i + 1));
        retc_table_text(table, label);
        retc_table_end_row(table);
    }
}

static void
print_places(const neurons *all, FILE *table) {
    char name[32];
    for (size_t type = 0; type < all->types; ++type) {
        snprintf(name, sizeof name, "neurons %zu", type + 1);
        retc_table_block(table, name, "x_um y_um");
        for (size_t i = 0; i < all->n; ++i)
            if (type_of(all, all->type[i]) == type)
                print_row(table, 2, (double[]){all->x[i], all->y[i]});
    }
}

static void
print_cells(const circuit *c, FILE *table) {
    retc_table_block(table, "cells", "x_um y_um radius_um type chosen name");
    for (size_t j = 0; j < c->cells.n; ++j) {
        retc_table_number(table, c->cells.x[j]);
        retc_table_number(table, c->cells.y[j]);
        retc_table_number(table, radius_of(c, j));
        retc_table_number(table, (double)(type_of(&c->cells, c->cells.type[j]) + 1));
        retc_table_number(table, c->chosen[j]);
        retc_table_text(table, c->cell_name[j]);
        retc_table_end_row(table);
    }
}

/* ---- wiring of the chosen cells -------------------------------------------------------------------------------------- */

typedef struct {
    double largest;                /* weight */
    double low[2], high[2];        /* um, of the cells and what excites them */
    size_t excitation, inhibition; /* numbers of wires */
} wiring;

static void
include(wiring *all, double x, double y, double radius) {
    const double at[2] = {x, y};
    for (int k = 0; k < 2; ++k) {
        all->low[k] = fmin(all->low[k], at[k] - radius);
        all->high[k] = fmax(all->high[k], at[k] + radius);
    }
}

static size_t
include_wires(const circuit *c, const wires *w, wiring *all) {
    size_t n = 0;
    for (size_t i = 0; i < w->n; ++i) {
        if (!c->chosen[w->target[i]] || w->weight[i] == 0)
            continue;
        if (w == &c->excitation) /* wide amacrine cells may be far away */
            include(all, c->inter.x[w->source[i]], c->inter.y[w->source[i]], 0);
        all->largest = fmax(all->largest, w->weight[i]);
        ++n;
    }
    return n;
}

static wiring
wiring_of(const circuit *c) {
    wiring all = {.low = {HUGE_VAL, HUGE_VAL}, .high = {-HUGE_VAL, -HUGE_VAL}};
    for (size_t j = 0; j < c->cells.n; ++j)
        if (c->chosen[j])
            include(&all, c->cells.x[j], c->cells.y[j], radius_of(c, j));
    all.excitation = include_wires(c, &c->excitation, &all);
    all.inhibition = include_wires(c, &c->inhibition, &all);
    return all;
}

static void
print_wires(const circuit *c, const wires *w, double sign, double largest, FILE *table) {
    for (size_t i = 0; i < w->n; ++i) {
        size_t u = (size_t)w->source[i], j = (size_t)w->target[i];
        if (c->chosen[j] && w->weight[i] > 0)
            print_row(table, 6,
                      (double[]){c->inter.x[u], c->inter.y[u], c->cells.x[j] - c->inter.x[u], c->cells.y[j] - c->inter.y[u],
                                 sign * w->weight[i], ceil(WIDTHS * w->weight[i] / largest)});
    }
}

/* What the panel says above it: "wiring of cell01, cell05". */
static void
print_wiring_title(const circuit *c, FILE *table) {
    char title[96] = "wiring of ";
    size_t n = 0, at = strlen(title);
    for (size_t j = 0; j < c->cells.n; ++j)
        n += c->chosen[j] != 0;
    for (size_t j = 0, k = 0; j < c->cells.n; ++j)
        if (c->chosen[j] && at < sizeof title)
            at += (size_t)snprintf(title + at, sizeof title - at, "%s%s", k++ ? ", " : "", c->cell_name[j]);
    if (at > 50)
        snprintf(title, sizeof title, "wiring of %zu cells", n);
    retc_table_text(table, title);
}

static void
print_wiring(const circuit *c, FILE *table) {
    wiring all = wiring_of(c);
    double side = 1.15 * fmax(1, fmax(all.high[0] - all.low[0], all.high[1] - all.low[1])) / 2;
    retc_table_block(table, "wiring", "title x_um y_um half_side_um largest_weight excitations inhibitions");
    print_wiring_title(c, table);
    print_row(table, 6,
              (double[]){(all.low[0] + all.high[0]) / 2, (all.low[1] + all.high[1]) / 2, side, all.largest,
                         (double)all.excitation, (double)all.inhibition});
    retc_table_block(table, "wires", "x_um y_um dx_um dy_um weight width");
    print_wires(c, &c->inhibition, -1, all.largest, table);
    print_wires(c, &c->excitation, 1, all.largest, table);
    if (all.excitation + all.inhibition == 0)
        print_row(table, 6, (double[]){(double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN});
}

/* ---- filters and outputs --------------------------------------------------------------------------------------------- */

/* The course of a type after a flash: bipolar cells answer from lag 1 on, the drive of amacrine cells acts after their delay.
 */
static int
print_time(const circuit *c, size_t type, int is_bipolar, FILE *table) {
    int status = RETC_OK;
    char group[128], name[160];
    size_t n = 0;
    double *h = NULL, delay = 0, largest = 0;
    snprintf(group, sizeof group, "truth/filters/%s", c->inter.name[type]);
    RETC_TRY(read_new(c->file, group, "time", RETC_H5_DOUBLE, &n, &h));
    snprintf(name, sizeof name, "%s/delay", group);
    if (!is_bipolar)
        RETC_TRY(retc_h5_read(c->file, name, RETC_H5_DOUBLE, NULL, NULL, &delay));
    for (size_t k = 0; k < n; ++k)
        largest = fmax(largest, fabs(h[k]));
    while (n > 1 && fabs(h[n - 1]) <= 0.005 * largest) /* nothing to be seen */
        --n;
    snprintf(name, sizeof name, "time %zu", type + 1);
    retc_table_block(table, name, "time_ms response");
    for (size_t k = 0; k < n; ++k)
        print_row(
            table, 2,
            (double[]){1000 * c->interval * (double)(k + (is_bipolar ? 1 : 0)) + delay, largest > 0 ? h[k] / largest : 0});

done:
    retc_free(h);
    return status;
}

static int
print_space(const circuit *c, size_t type, int is_bipolar, FILE *table) {
    int status = RETC_OK;
    static const char *const keys[3] = {"center", "surround", "surround_weight"};
    double value[3], peak;
    char name[160];
    snprintf(name, sizeof name, "space %zu", type + 1);
    retc_table_block(table, name, "distance_um weight");
    if (!is_bipolar) { /* it sees no pixels */
        print_row(table, 2, (double[]){(double)NAN, (double)NAN});
        return RETC_OK;
    }
    for (int i = 0; i < 3; ++i) {
        snprintf(name, sizeof name, "truth/filters/%s/%s", c->inter.name[type], keys[i]);
        RETC_TRY(retc_h5_read(c->file, name, RETC_H5_DOUBLE, NULL, NULL, &value[i]));
    }
    double c2 = value[0] * value[0], s2 = value[1] * value[1];
    peak = 1 / c2 - value[2] / s2;
    for (int i = -PROFILE; i <= PROFILE; ++i) {
        double d = 2.5 * value[1] * i / PROFILE;
        print_row(table, 2, (double[]){d, (exp(-d * d / (2 * c2)) / c2 - value[2] * exp(-d * d / (2 * s2)) / s2) / peak});
    }

done:
    return status;
}

static int
is_bipolar_type(const circuit *c, size_t type) {
    char name[160];
    snprintf(name, sizeof name, "truth/filters/%s/center", c->inter.name[type]);
    return retc_h5_has(c->file, name);
}

/* The largest rate of cell j in the recording, Hz; 0 when its rates were not kept. */
static int
largest_rate(const circuit *c, size_t j, double *largest) {
    static const char *const names[] = {"truth/train/rate", "truth/test/rate"};
    int status = RETC_OK;
    double *rate = NULL;
    *largest = 0;
    RETC_TRY(RETC_ALLOC(rate, BLOCK));
    for (int part = 0; part < 2; ++part) {
        size_t shape[2] = {0};
        if (!retc_h5_has(c->file, names[part]))
            continue;
        RETC_TRY(retc_h5_expect(c->file, names[part], 2, NULL, shape));
        if (shape[0] != c->cells.n)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" is of %zu cells, expected %zu", retc_h5_path(c->file),
                               names[part], shape[0], c->cells.n));
        for (size_t t = 0; t < shape[1]; t += BLOCK) {
            size_t n = shape[1] - t < BLOCK ? shape[1] - t : BLOCK;
            RETC_TRY(retc_h5_read(c->file, names[part], RETC_H5_DOUBLE, (size_t[]){j, t}, (size_t[]){1, n}, rate));
            for (size_t i = 0; i < n; ++i)
                *largest = fmax(*largest, rate[i]);
        }
    }

done:
    retc_free(rate);
    return status;
}

/* The output of circuit.h at x = slope u. */
static double
rate_at(const circuit *c, size_t j, double x) {
    double u = x + c->offset[j], f = c->gain[j] * (u > 0 ? u + log1p(exp(-u)) : log1p(exp(u)));
    return c->maximum[j] > 0 ? f / (1 + f / c->maximum[j]) : f;
}

/* Where the output is `rate`: f = r / (1 - r / maximum) = gain log(1 + e^(x + offset)) gives x = log(e^(f/gain) - 1) - offset.
 * Rates that reach the maximum but for rounding count as 0.98 of it, from where on the curve is flat. */
static double
input_at(const circuit *c, size_t j, double rate) {
    double maximum = c->maximum[j], r = maximum > 0 ? fmin(rate, 0.98 * maximum) : rate;
    double f = maximum > 0 ? r / (1 - r / maximum) : r;
    return f / c->gain[j] + log(-expm1(-f / c->gain[j])) - c->offset[j];
}

/* Inputs in units of 1 / slope, in which the softplus goes from silent to straight over a few; up to that of the largest rate
 * of the recording. */
static int
print_outputs(const circuit *c, FILE *table) {
    int status = RETC_OK;
    char name[32];
    for (size_t j = 0; j < c->cells.n; ++j) {
        double largest, to = 4 - c->offset[j];
        RETC_TRY(largest_rate(c, j, &largest));
        if (largest > 0 && c->gain[j] > 0)
            to = input_at(c, j, largest);
        to = fmax(to, 1);
        snprintf(name, sizeof name, "output %zu", j + 1);
        retc_table_block(table, name, "input_times_slope rate_Hz");
        for (int i = 0; i <= CURVE; ++i) {
            double x = FROM + (to - FROM) * i / CURVE;
            print_row(table, 2, (double[]){x, rate_at(c, j, x)});
        }
    }

done:
    return status;
}

int
retc_figure_circuit(retc_h5 *file, const char *cells, FILE *table) {
    int status = RETC_OK;
    circuit c = {0};
    char title[160];
    RETC_TRY(read_circuit(file, &c));
    RETC_TRY(choose_cells(&c, cells));
    snprintf(title, sizeof title, "simulated retina: %zu ganglion cells, %zu interneurons", c.cells.n, c.inter.n);
    retc_table_block(table, "figure", "title interneuron_types cell_types cells reach_of_cells_um reach_of_all_um");
    retc_table_text(table, title);
    print_row(
        table, 5,
        (double[]){(double)c.inter.types, (double)c.cells.types, (double)c.cells.n, reach_of_cells(&c), reach_of_all(&c)});
    print_types(&c.inter, "types", table);
    print_types(&c.cells, "cell types", table);
    print_places(&c.inter, table);
    print_cells(&c, table);
    print_wiring(&c, table);
    for (size_t i = 0; i < c.inter.types; ++i) {
        int is_bipolar = is_bipolar_type(&c, i);
        RETC_TRY(print_time(&c, i, is_bipolar, table));
        RETC_TRY(print_space(&c, i, is_bipolar, table));
    }
    RETC_TRY(print_outputs(&c, table));

done:
    circuit_clear(&c);
    return status;
}
