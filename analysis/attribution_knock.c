/* What the target does when channels or units are put where they are on the baseline: one at a time, and in random orders.
 *
 * The tape at x is changed at one cut and run from there.  Cuts are taken from the highest down, so that at each what lies at
 * and below it is still as on x. */
#include <math.h>
#include <string.h>

#include "attribution_internal.h"

static void
targets(retc_attribution *a, size_t n, double *value) {
    for (size_t t = 0; t < n; ++t)
        value[t] = retc_path_target(a->path, a->path->end, t);
}

/* Take `rows` rows of the cut's activations from elsewhere, run what is above, and look at the target. */
static void
set_rows(retc_attribution *a, size_t l, const float *from, size_t row, size_t rows) {
    memcpy(a->path->end->out[l] + row * a->ld, from + row * a->ld, rows * a->ld * sizeof *from);
}

static void
run_from(retc_attribution *a, size_t l, size_t n, double *value) {
    retc_tape_forward(a->path->end, l + 1, a->path->network->layers, n);
    targets(a, n, value);
}

static void
keep(retc_attribution *a, size_t l) {
    memcpy(a->kept, a->path->end->out[l], retc_layer_units(&a->path->network->layer[l]) * a->ld * sizeof *a->kept);
}

/* map += share times a value (n), spread over those of some rows of layer l that are seen. */
static void
spread(const retc_attribution *a, size_t l, const double *value, size_t n, double share, size_t row, size_t rows, float *map) {
    const retc_network *network = a->path->network;
    size_t seen = 0;
    for (size_t r = row; r < row + rows; ++r)
        seen += retc_path_sees(network, l, r) != 0;
    for (size_t r = row; r < row + rows; ++r)
        for (size_t t = 0; t < n && retc_path_sees(network, l, r); ++t)
            map[r * a->ld + t] += (float)(share * value[t] / (double)seen);
}

/* ---- one at a time --------------------------------------------------------------------------------------------------- */

static void
knock_out(retc_attribution *a, size_t k, size_t n, float share, float *map) {
    const retc_network *network = a->path->network;
    size_t l = a->path->cut[k];
    const retc_layer *layer = &network->layer[l];
    size_t rows = a->options->per_unit ? 1 : layer->h * layer->w;
    keep(a, l);
    for (size_t row = 0; row < retc_layer_units(layer); row += rows) {
        if (a->options->per_unit && !retc_path_sees(network, l, row))
            continue;
        set_rows(a, l, a->path->tape[1]->out[l], row, rows);
        run_from(a, l, n, a->before);
        set_rows(a, l, a->kept, row, rows);
        for (size_t t = 0; t < n; ++t)
            a->before[t] = a->full[t] - a->before[t];
        spread(a, l, a->before, n, (double)share, row, rows, map);
    }
}

void
retc_attribution_add_knock_outs(retc_attribution *a, size_t n, float share, float *const *map) {
    targets(a, n, a->full);
    for (size_t k = a->path->cuts; k-- > 0;)
        knock_out(a, k, n, share, map[k]);
}

/* ---- in random orders ------------------------------------------------------------------------------------------------ */

/* Put the channels where they are on x one after another, and add half of what each gains to gain (C,ld). */
static void
follow_order(retc_attribution *a, size_t l, size_t n, int backwards) {
    const retc_layer *layer = &a->path->network->layer[l];
    size_t map = layer->h * layer->w, C = layer->C, ld = a->ld;
    set_rows(a, l, a->path->tape[1]->out[l], 0, C * map);
    memcpy(a->before, a->empty, n * sizeof *a->before);
    for (size_t i = 0; i < C; ++i) {
        size_t c = a->order[backwards ? C - 1 - i : i];
        set_rows(a, l, a->kept, c * map, map);
        run_from(a, l, n, a->norm[0]);
        for (size_t t = 0; t < n; ++t) {
            a->gain[c * ld + t] += 0.5 * (a->norm[0][t] - a->before[t]);
            a->before[t] = a->norm[0][t];
        }
    }
}

/* The i-th pair of orders into the running mean and sum of squares (Welford 1962). */
static void
add_pair(retc_attribution *a, size_t C, size_t n, size_t i) {
    for (size_t c = 0; c < C; ++c)
        for (size_t t = 0; t < n; ++t) {
            size_t at = c * a->ld + t;
            double change = a->gain[at] - a->mean[at];
            a->mean[at] += change / (double)(i + 1);
            a->square[at] += change * (a->gain[at] - a->mean[at]);
        }
}

static void
shapley(retc_attribution *a, size_t k, size_t n, size_t baseline, float share, float *map) {
    size_t l = a->path->cut[k], ld = a->ld, orders = a->options->orders;
    const retc_layer *layer = &a->path->network->layer[l];
    size_t C = layer->C, rows = layer->h * layer->w;
    keep(a, l);
    set_rows(a, l, a->path->tape[1]->out[l], 0, C * rows);
    run_from(a, l, n, a->empty);
    memset(a->mean, 0, C * ld * sizeof *a->mean);
    memset(a->square, 0, C * ld * sizeof *a->square);
    for (size_t i = 0; i < orders; ++i) {
        retc_rng_seed(a->rng, a->options->seed, RETC_STREAM_ATTRIBUTION, (baseline * a->path->cuts + k) * orders + i);
        for (size_t c = 0; c < C; ++c)
            a->order[c] = c;
        retc_rng_shuffle(a->rng, a->order, C);
        memset(a->gain, 0, C * ld * sizeof *a->gain);
        follow_order(a, l, n, 0);
        follow_order(a, l, n, 1);
        add_pair(a, C, n, i);
    }
    for (size_t c = 0; c < C; ++c) {
        spread(a, l, a->mean + c * ld, n, (double)share, c * rows, rows, map);
        for (size_t t = 0; t < n; ++t)
            a->variance[k][c * ld + t] =
                (baseline ? a->variance[k][c * ld + t] : 0) +
                (double)(share * share) * a->square[c * ld + t] / ((double)orders * (double)(orders - 1));
    }
}

void
retc_attribution_add_shapley(retc_attribution *a, size_t n, size_t baseline, float share, float *const *map) {
    for (size_t k = a->path->cuts; k-- > 0;)
        shapley(a, k, n, baseline, share, map[k]);
}
