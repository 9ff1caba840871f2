#include "figure_network.h"

#include <math.h>

#include "describe.h"
#include "model_file.h"

enum { MOST_SHEETS = 8 };

/* "72008" as "72 008": a space before every third digit from the end. */
static void
group_digits(size_t n, char *text, size_t size) {
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%zu", n);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < size; ++i) {
        if (i > 0 && (length - i) % 3 == 0)
            text[used++] = ' ';
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

static void
count_text(const retc_layer_description *d, char *text, size_t size) {
    char fitted[32], kept[32];
    group_digits(d->fitted, fitted, sizeof fitted);
    group_digits(d->kept, kept, sizeof kept);
    if (d->fitted == 0 && d->kept == 0)
        text[0] = '\0';
    else if (d->kept)
        snprintf(text, size, "%s + %s", fitted, kept);
    else
        snprintf(text, size, "%s", fitted);
}

/* Rows and columns as shares of the longer side. */
static void
put_extent(FILE *table, const retc_network *network, double rows, double columns) {
    double longer = fmax((double)network->H, (double)network->W);
    retc_table_number(table, rows / longer);
    retc_table_number(table, columns / longer);
}

/* A row for what has `C` maps of h x w whose units see `field`; `number` -1 for the movie. */
static void
put_row(FILE *table, const retc_network *network, int number, int group, const char *what, const char *count, size_t C,
        size_t h, size_t w, const retc_field *field, int is_new) {
    char text[64];
    size_t rows = retc_field_size(field, 0), columns = retc_field_size(field, 1);
    retc_table_number(table, number + 1);
    retc_table_number(table, group);
    retc_table_text(table, what);
    snprintf(text, sizeof text, "%zu x %zu x %zu", C, h, w);
    retc_table_text(table, text);
    retc_table_text(table, count);
    snprintf(text, sizeof text, "%zu x %zu", rows, columns);
    retc_table_text(table, number < 0 ? "1 x 1" : text);
    retc_table_number(table, C < MOST_SHEETS ? (double)C : MOST_SHEETS);
    put_extent(table, network, (double)h, (double)w);
    put_extent(table, network, fmin((double)rows, (double)network->H), fmin((double)columns, (double)network->W));
    retc_table_number(table, is_new);
    retc_table_end_row(table);
}

static void
put_layers(FILE *table, const retc_network *network, const retc_layer_description *description) {
    const retc_field pixel = {{0, 0}, {0, 0}, {1, 1}};
    const retc_field *before = &pixel;
    char text[RETC_DESCRIPTION_SIZE];
    retc_table_block(table, "layers",
                     "row group what output(channels,rows,columns) parameters(fitted+kept) field(rows,columns_pixels) sheets "
                     "map_rows map_columns field_rows field_columns(shares_of_longer_side) field_changes");
    snprintf(text, sizeof text, "stimulus, %zu frames", network->L);
    put_row(table, network, -1, RETC_GROUPS, text, "", network->L, network->H, network->W, &pixel, 1);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        const retc_field *field = &description[l].field;
        int wider = 0;
        for (int d = 0; d < 2; ++d)
            wider |= retc_field_size(field, d) != retc_field_size(before, d);
        count_text(&description[l], text, sizeof text);
        put_row(table, network, (int)l, (int)description[l].group, description[l].what, text, layer->C, layer->h, layer->w,
                field, wider);
        before = field;
    }
}

/* Additions that overlap get lanes of their own, from 1; returns the number of lanes. */
static size_t
choose_lane(const retc_network *network, size_t l) {
    size_t lane = 1;
    for (size_t i = 0; i < l; ++i)
        lane += network->layer[i].kind == RETC_LAYER_ADD && i > network->layer[l].skip;
    return lane;
}

int
retc_figure_network(retc_h5 *file, FILE *table) {
    int status = RETC_OK;
    retc_layer_description *description = NULL;
    char *title = NULL, count[48], kept[48];
    size_t fitted = 0, rest = 0, lanes = 0;
    retc_network *network = retc_network_read(file);
    RETC_TRY(network ? RETC_OK : RETC_EFORMAT);
    RETC_TRY(RETC_ALLOC(description, network->layers));
    RETC_TRY(retc_network_describe_file(network, file, description));
    for (size_t l = 0; l < network->layers; ++l) {
        fitted += description[l].fitted, rest += description[l].kept;
        if (network->layer[l].kind == RETC_LAYER_ADD && choose_lane(network, l) > lanes)
            lanes = choose_lane(network, l);
    }
    group_digits(fitted, count, sizeof count);
    group_digits(rest, kept, sizeof kept);
    RETC_TRY(RETC_GOT(title = retc_strf("%s: %zu cell%s, %s parameters and %s kept values", network->model_type, network->N,
                                        network->N == 1 ? "" : "s", count, kept)));
    retc_table_block(table, "figure", "title rows lanes frame_rows frame_columns(shares_of_longer_side) frames");
    retc_table_text(table, title);
    retc_table_number(table, (double)network->layers + 1);
    retc_table_number(table, (double)lanes);
    put_extent(table, network, (double)network->H, (double)network->W);
    retc_table_number(table, (double)network->L);
    retc_table_end_row(table);
    put_layers(table, network, description);
    retc_table_block(table, "residuals", "from_row to_row lane");
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_ADD) {
            retc_table_number(table, (double)network->layer[l].skip + 1);
            retc_table_number(table, (double)l + 1);
            retc_table_number(table, (double)choose_lane(network, l));
            retc_table_end_row(table);
        }
done:
    retc_free(title);
    retc_free(description);
    retc_network_free(network);
    return status;
}
