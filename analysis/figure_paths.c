#include "figure_paths.h"

#include <math.h>
#include <string.h>

/* Where the three columns of nodes begin and end, and what share of the height is left between nodes. */
static const double columns[3][2] = {{0, 0.03}, {0.485, 0.515}, {0.97, 1}};
static const double free_height = 0.3, thinnest = 0.005;
static const double label_height = 0.03; /* of the figure's height */
enum { POINTS = 24 };

typedef struct {
    size_t C0, C1, samples;
    char **layer;          /* (2) one block */
    char **names;          /* of all targets, one block */
    char *target;          /* name of the one that is drawn */
    double *mean;          /* (C0,C1) of the target */
    double total, largest; /* of sizes */
} source;

typedef struct {
    double low, high, used; /* edges; used: of the height, from the top, by ribbons on the side in work */
    enum { UNDECIDED, SHOWN, HIDDEN } label;
} node;

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int
open_source(retc_h5 *file, const char *cell, source *from) {
    size_t shape[3] = {0}, n = 0, at = 0, two = 0;
    double samples = 0;
    int status = RETC_OK;
    if (!retc_h5_has(file, "/pairs/mean"))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: holds no paths; retcodec contribute --paths writes them", retc_h5_path(file)));
    RETC_TRY(retc_h5_expect(file, "/pairs/mean", 3, NULL, shape));
    RETC_TRY(retc_h5_read_texts(file, "/pairs/target_names", &from->names, &n));
    RETC_TRY(retc_h5_read_texts(file, "/pairs/layer_names", &from->layer, &two));
    if (n != shape[0] || two != 2 || n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has paths of %zu targets and %zu names", retc_h5_path(file), shape[0], n));
    for (at = cell ? 1 : 0; cell && at < n && strcmp(from->names[at], cell) != 0;)
        ++at;
    if (at == n)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: there are no paths to a cell \"%s\"", retc_h5_path(file), cell));
    from->C0 = shape[1], from->C1 = shape[2];
    from->target = from->names[at];
    RETC_TRY(RETC_ALLOC(from->mean, from->C0 * from->C1));
    RETC_TRY(
        retc_h5_read(file, "/pairs/mean", RETC_H5_DOUBLE, (size_t[]){at, 0, 0}, (size_t[]){1, from->C0, from->C1}, from->mean));
    RETC_TRY(retc_h5_get_number(file, "/pairs/mean", "samples", &samples));
    from->samples = samples > 0 ? (size_t)samples : 0;
    for (size_t i = 0; i < from->C0 * from->C1; ++i) {
        if (!isfinite(from->mean[i]))
            RETC_TRY(RETC_FAIL(RETC_ENUMBER, "%s: /pairs/mean is not finite", retc_h5_path(file)));
        from->total += fabs(from->mean[i]);
        from->largest = fmax(from->largest, fabs(from->mean[i]));
    }
done:
    return status;
}

static void
close_source(source *from) {
    retc_free(from->layer);
    retc_free(from->names);
    retc_free(from->mean);
}

/* Mean contribution of channel k of conv1: its pairs, in which signs cancel. */
static double
leaves(const source *from, size_t k) {
    double sum = 0;
    for (size_t c = 0; c < from->C0; ++c)
        sum += from->mean[c * from->C1 + k];
    return sum;
}

/* ---- the flow -------------------------------------------------------------------------------------------------------- */

/* n nodes of heights `size`, which add up to at most 1, from the top down with equal gaps, centred. */
static void
stack(node *nodes, size_t n, const double *size) {
    double gap = n > 1 ? free_height / (double)(n - 1) : 0, total = 0;
    for (size_t i = 0; i < n; ++i)
        total += size[i];
    double top = (1 + free_height + total + (n > 1 ? free_height : 0)) / 2;
    for (size_t i = 0; i < n; ++i) {
        nodes[i] = (node){(top - size[i]) / (1 + free_height), top / (1 + free_height), 0, UNDECIDED};
        top -= size[i] + gap;
    }
}

static void
print_ribbon(size_t number, int column, double left, double right, double wide, FILE *table) {
    char name[40];
    snprintf(name, sizeof name, "ribbon %zu", number);
    retc_table_block(table, name, "x low high");
    for (int i = 0; i <= POINTS; ++i) {
        double s = (double)i / POINTS, y = left + (right - left) * s * s * (3 - 2 * s);
        retc_table_number(table, columns[column][1] + s * (columns[column + 1][0] - columns[column][1]));
        retc_table_number(table, y - wide);
        retc_table_number(table, y);
        retc_table_end_row(table);
    }
}

/* Take `wide` of a node's height, from the top: where it begins. */
static double
take(node *n, double wide) {
    double at = n->high - n->used;
    n->used += wide;
    return at;
}

/* Number the ribbons, with their values, and with `edges` draw them. */
static size_t
ribbons(const source *from, node *const *nodes, int edges, FILE *table) {
    size_t count = 0;
    double unit = from->total > 0 ? 1 / (from->total * (1 + free_height)) : 0;
    for (int side = 0; side < 2; ++side) {
        for (size_t i = 0; i < from->C0; ++i)
            nodes[0][i].used = 0;
        for (size_t k = 0; k < from->C1; ++k)
            nodes[1][k].used = side == 0 ? 0 : (nodes[1][k].high - nodes[1][k].low - fabs(leaves(from, k)) * unit) / 2;
        nodes[2][0].used = 0;
        for (size_t c = 0; c < (side == 0 ? from->C0 : 1); ++c)
            for (size_t k = 0; k < from->C1; ++k) {
                double value = side == 0 ? from->mean[c * from->C1 + k] : leaves(from, k), wide = fabs(value) * unit;
                double left = take(side == 0 ? &nodes[0][c] : &nodes[1][k], wide);
                double right = take(side == 0 ? &nodes[1][k] : &nodes[2][0], wide);
                if (!(fabs(value) > thinnest * from->largest))
                    continue;
                ++count;
                if (edges) {
                    print_ribbon(count, side, left, right, wide, table);
                } else if (table) {
                    retc_table_number(table, (double)count);
                    retc_table_number(table, value < 0 ? -1 : 1);
                    retc_table_number(table, value);
                    retc_table_end_row(table);
                }
            }
    }
    return count;
}

/* The largest nodes have labels, as far as these do not overlap. */
static void
choose_labels(node *nodes, size_t n) {
    for (size_t step = 0; step < n; ++step) {
        node *next = NULL;
        int is_free = 1;
        for (size_t i = 0; i < n; ++i)
            if (nodes[i].label == UNDECIDED && (!next || nodes[i].high - nodes[i].low > next->high - next->low))
                next = &nodes[i];
        for (size_t i = 0; i < n; ++i)
            if (nodes[i].label == SHOWN && fabs(nodes[i].low + nodes[i].high - next->low - next->high) < 2 * label_height)
                is_free = 0;
        next->label = is_free ? SHOWN : HIDDEN;
    }
}

static void
print_nodes(const source *from, node *const *nodes, FILE *table) {
    const size_t n[3] = {from->C0, from->C1, 1};
    retc_table_block(table, "nodes", "left right low high label_x label_y label");
    for (size_t i = 0; i < 3; ++i)
        for (size_t j = 0; j < n[i]; ++j) {
            char label[24];
            snprintf(label, sizeof label, "%zu", j);
            retc_table_number(table, columns[i][0]);
            retc_table_number(table, columns[i][1]);
            retc_table_number(table, nodes[i][j].low);
            retc_table_number(table, nodes[i][j].high);
            retc_table_number(table, (columns[i][0] + columns[i][1]) / 2);
            retc_table_number(table, (nodes[i][j].low + nodes[i][j].high) / 2);
            retc_table_text(table, i < 2 && nodes[i][j].label == SHOWN ? label : "");
            retc_table_end_row(table);
        }
}

static int
print_flow(const source *from, size_t *count, int heading, FILE *table) {
    node *nodes[3] = {NULL, NULL, NULL};
    double *size = NULL, through = 0;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(nodes[0], from->C0));
    RETC_TRY(RETC_ALLOC(nodes[1], from->C1));
    RETC_TRY(RETC_ALLOC(nodes[2], 1));
    RETC_TRY(RETC_ALLOC(size, from->C0 + from->C1));
    for (size_t c = 0; c < from->C0; ++c)
        for (size_t k = 0; k < from->C1 && from->total > 0; ++k) {
            size[c] += fabs(from->mean[c * from->C1 + k]) / from->total;
            size[from->C0 + k] += fabs(from->mean[c * from->C1 + k]) / from->total;
        }
    for (size_t k = 0; k < from->C1 && from->total > 0; ++k)
        through += fabs(leaves(from, k)) / from->total;
    stack(nodes[0], from->C0, size);
    stack(nodes[1], from->C1, size + from->C0);
    stack(nodes[2], 1, &through);
    if (heading) {
        *count = ribbons(from, nodes, 0, NULL);
        goto done;
    }
    choose_labels(nodes[0], from->C0);
    choose_labels(nodes[1], from->C1);
    print_nodes(from, nodes, table);
    retc_table_block(table, "ribbons", "number sign contribution");
    (void)ribbons(from, nodes, 0, table);
    (void)ribbons(from, nodes, 1, table);
done:
    for (int i = 0; i < 3; ++i)
        retc_free(nodes[i]);
    retc_free(size);
    return status;
}

int
retc_figure_paths(retc_h5 *file, const char *cell, FILE *table) {
    source from = {0};
    size_t count = 0;
    int status = RETC_OK;
    RETC_TRY(open_source(file, cell, &from));
    RETC_TRY(print_flow(&from, &count, 1, NULL));
    retc_table_block(table, "figure", "layer0 layer1 target unit channels0 channels1 largest samples ribbons");
    retc_table_text(table, from.layer[0]);
    retc_table_text(table, from.layer[1]);
    retc_table_text(table, from.target);
    retc_table_text(table, cell || !strcmp(from.target, "sum") || !strcmp(from.target, "cell") ? "Hz" : "");
    retc_table_number(table, (double)from.C0);
    retc_table_number(table, (double)from.C1);
    retc_table_number(table, from.largest > 0 ? from.largest : 1);
    retc_table_number(table, (double)from.samples);
    retc_table_number(table, (double)count);
    retc_table_end_row(table);
    retc_table_block(table, "matrix", "channel0 channel1 contribution");
    for (size_t c = 0; c < from.C0; ++c)
        for (size_t k = 0; k < from.C1; ++k) {
            retc_table_number(table, (double)c);
            retc_table_number(table, (double)k);
            retc_table_number(table, from.mean[c * from.C1 + k]);
            retc_table_end_row(table);
        }
    RETC_TRY(print_flow(&from, &count, 0, table));
done:
    close_source(&from);
    return status;
}
