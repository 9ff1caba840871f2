#include "figure_layers.h"

#include <math.h>

#include "layer_statistics.h"

typedef struct {
    size_t layers;
    char **name; /* (layers), one block */
    retc_layer_statistics *layer;
} source;

static int
open_source(retc_h5 *file, source *from) {
    int status = RETC_OK;
    if (!retc_h5_has(file, "/statistics"))
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: holds no statistics of layers; files of retcodec contribute do", retc_h5_path(file)));
    RETC_TRY(retc_h5_read_texts(file, "/metadata/layer_names", &from->name, &from->layers));
    RETC_TRY(RETC_ALLOC(from->layer, from->layers));
    for (size_t i = 0; i < from->layers; ++i)
        RETC_TRY(retc_layer_statistics_read(file, from->name[i], &from->layer[i]));
done:
    return status;
}

static void
close_source(source *from) {
    for (size_t i = 0; from->layer && i < from->layers; ++i)
        retc_layer_statistics_clear(&from->layer[i]);
    retc_free(from->layer);
    retc_free(from->name);
}

static void
print_spread(const retc_layer_spread *spread, size_t columns, FILE *table) {
    retc_table_number(table, spread->hoyer);
    retc_table_number(table, spread->hoyer_deviation);
    retc_table_number(table, spread->participation_ratio / (double)columns);
    retc_table_number(table, (double)spread->dimension / (double)columns);
}

static void
print_layers(const source *from, FILE *table) {
    retc_table_block(table, "layers",
                     "number name columns hoyer deviation participation dimension act_hoyer act_deviation act_participation "
                     "act_dimension opposition agreement");
    for (size_t i = 0; i < from->layers; ++i) {
        const retc_layer_statistics *s = &from->layer[i];
        retc_table_number(table, (double)(i + 1));
        retc_table_text(table, from->name[i]);
        retc_table_number(table, (double)(2 * s->C));
        print_spread(&s->contribution, 2 * s->C, table);
        print_spread(&s->activation, 2 * s->C, table);
        retc_table_number(table, s->mean_opposition);
        retc_table_number(table, s->mean_agreement);
        retc_table_end_row(table);
    }
}

static void
print_channels(const source *from, FILE *table) {
    retc_table_block(table, "channels", "layer channel opposition agreement");
    for (size_t i = 0; i < from->layers; ++i)
        for (size_t c = 0; c < from->layer[i].C; ++c) {
            retc_table_number(table, (double)(i + 1));
            retc_table_number(table, (double)c);
            retc_table_number(table, from->layer[i].opposition[c]);
            retc_table_number(table, from->layer[i].agreement[c]);
            retc_table_end_row(table);
        }
}

/* Share of the variance that the first n + 1 of d components hold; NaN when nothing varies. */
static double
held_by(const double *variance, size_t d, size_t n) {
    double held = 0, total = 0;
    for (size_t i = 0; i < d; ++i) {
        total += variance[i];
        held += i <= n ? variance[i] : 0;
    }
    return total > 0 ? held / total : (double)NAN;
}

static void
print_variance(const source *from, size_t layer, FILE *table) {
    const retc_layer_statistics *s = &from->layer[layer];
    char name[40];
    snprintf(name, sizeof name, "variance %zu", layer + 1);
    retc_table_block(table, name, "components variance act_variance");
    for (size_t i = 0; i < 2 * s->C; ++i) {
        retc_table_number(table, (double)(i + 1) / (double)(2 * s->C));
        retc_table_number(table, held_by(s->contribution.variance, 2 * s->C, i));
        retc_table_number(table, held_by(s->activation.variance, 2 * s->C, i));
        retc_table_end_row(table);
    }
}

int
retc_figure_layers(retc_h5 *file, FILE *table) {
    source from = {0};
    char *target = NULL;
    int status = RETC_OK;
    RETC_TRY(open_source(file, &from));
    RETC_TRY(retc_h5_get_text(file, "/", "target", &target));
    retc_table_block(table, "figure", "layers target");
    retc_table_number(table, (double)from.layers);
    retc_table_text(table, target);
    retc_table_end_row(table);
    print_layers(&from, table);
    print_channels(&from, table);
    for (size_t i = 0; i < from.layers; ++i)
        print_variance(&from, i, table);
done:
    retc_free(target);
    close_source(&from);
    return status;
}
