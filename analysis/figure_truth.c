#include "figure_truth.h"

#include <math.h>

static void
print_label(const retc_truth_best *b, FILE *table) {
    char label[80];
    snprintf(label, sizeof label, "%s, %s", b->name, retc_truth_cut_name(b->cut));
    retc_table_text(table, label);
}

static void
print_matrix(const retc_truth_match *m, FILE *table) {
    retc_table_block(table, "layers", "name first channels");
    for (size_t k = 0; k < m->layers; ++k) {
        retc_table_text(table, m->layer_name[k]);
        retc_table_number(table, (double)m->first[k]);
        retc_table_number(table, (double)(m->first[k + 1] - m->first[k]));
        retc_table_end_row(table);
    }
    retc_table_block(table, "types", "row label");
    for (size_t i = 0; i < m->types; ++i) {
        retc_table_number(table, (double)i);
        print_label(&m->type[i], table);
        retc_table_end_row(table);
    }
    retc_table_block(table, "matrix", "row channel r");
    for (size_t i = 0; i < m->types * m->channels; ++i) {
        retc_table_number(table, (double)(i / m->channels));
        retc_table_number(table, (double)(i % m->channels));
        retc_table_number(table, m->correlation[i]);
        retc_table_end_row(table);
    }
    retc_table_block(table, "best", "row channel");
    for (size_t i = 0; i < m->types; ++i) {
        retc_table_number(table, (double)i);
        retc_table_number(table,
                          isfinite(m->type[i].r) ? (double)(m->first[m->type[i].layer] + m->type[i].channel) : (double)NAN);
        retc_table_end_row(table);
    }
}

static void
print_interneurons(const retc_truth_match *m, FILE *table) {
    retc_table_block(table, "interneurons", "row label r chance match");
    for (size_t i = 0; i < m->interneurons; ++i) {
        const retc_truth_best *b = &m->interneuron[i];
        char match[80] = "";
        if (isfinite(b->r) && m->units)
            snprintf(match, sizeof match, "%s, channel %zu (%zu,%zu)", m->layer_name[b->layer], b->channel, b->row, b->column);
        else if (isfinite(b->r))
            snprintf(match, sizeof match, "%s, channel %zu", m->layer_name[b->layer], b->channel);
        retc_table_number(table, (double)i);
        print_label(b, table);
        retc_table_number(table, b->r);
        retc_table_number(table, b->chance);
        retc_table_text(table, match);
        retc_table_end_row(table);
    }
}

/* The interneuron that is matched best. */
static size_t
find_best(const retc_truth_match *m) {
    size_t best = 0;
    for (size_t i = 1; i < m->interneurons; ++i)
        if (m->interneuron[i].r > m->interneuron[best].r || isnan(m->interneuron[best].r))
            best = i;
    return best;
}

static double
deviation(const float *x, size_t n) {
    double mean = 0, square = 0;
    for (size_t t = 0; t < n; ++t)
        mean += (double)x[t] / (double)n;
    for (size_t t = 0; t < n; ++t)
        square += ((double)x[t] - mean) * ((double)x[t] - mean) / (double)n;
    return square > 0 ? sqrt(square) : 1;
}

int
retc_figure_truth(retc_h5 *contributions, retc_h5 *recording, const retc_truth_match *m, double start, double duration,
                  FILE *table) {
    float *truth = NULL, *model = NULL;
    double *time = NULL;
    size_t best = find_best(m), first = 0, count = 0;
    int status = RETC_OK;
    if (m->interneurons == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: no interneuron is connected to %s", retc_h5_path(recording), m->cell_name));
    RETC_TRY(RETC_ALLOC(truth, m->samples));
    RETC_TRY(RETC_ALLOC(model, m->samples));
    RETC_TRY(RETC_ALLOC(time, m->samples));
    RETC_TRY(retc_truth_match_series(contributions, recording, m, best, truth, model, time));
    RETC_TRY(retc_figure_window(time, m->samples, start, duration, &first, &count));
    retc_table_block(table, "figure", "cell types channels interneurons units mean_r mean_chance traced r from_s to_s");
    retc_table_text(table, m->cell_name);
    retc_table_number(table, (double)m->types);
    retc_table_number(table, (double)m->channels);
    retc_table_number(table, (double)m->interneurons);
    retc_table_number(table, m->units);
    retc_table_number(table, m->mean_r);
    retc_table_number(table, m->mean_chance);
    print_label(&m->interneuron[best], table);
    retc_table_number(table, m->interneuron[best].r);
    retc_table_number(table, time[first]);
    retc_table_number(table, time[first + count - 1]);
    retc_table_end_row(table);
    print_matrix(m, table);
    print_interneurons(m, table);
    retc_table_block(table, "trace", "time_s true model");
    double true_deviation = deviation(truth, m->samples), model_deviation = deviation(model, m->samples);
    for (size_t t = first; t < first + count; ++t) {
        retc_table_number(table, time[t]);
        retc_table_number(table, (double)truth[t] / true_deviation);
        retc_table_number(table, (double)model[t] / model_deviation);
        retc_table_end_row(table);
    }
done:
    retc_free(truth), retc_free(model), retc_free(time);
    return status;
}
