/* Targets and their discrete gradients, in double: through a saturated softmax gradients are many orders below 1. */
#include <float.h>
#include <math.h>

#include "target.h"

static const double ENTROPY_FLOOR = 1e-9; /* as published */

const char *
retc_target_name(const retc_target *target) {
    switch (target->kind) {
    case RETC_TARGET_CELL:
        return "cell";
    case RETC_TARGET_SUM:
        return "sum";
    case RETC_TARGET_SURPRISAL:
        return "surprisal";
    case RETC_TARGET_CELLS:
        return "cells";
    case RETC_TARGET_LINEAR:
        return "linear";
    case RETC_TARGET_TOP:
        return "topk";
    case RETC_TARGET_ENTROPY:
        return "entropy";
    case RETC_TARGET_CONTRASTIVE:
        return "contrastive";
    }
    return "";
}

/* ---- places on the way from y0 to y ---------------------------------------------------------------------------------- */

/* What a target is taken of: rates at y0 + s (y - y0), or their softmax. */
typedef struct {
    const double *y, *y0;
    size_t N, winner; /* the largest rate; ranks are the same through softmax */
    double s;
    int softmax;
    double total; /* sum of exp(rate - largest rate) */
} place;

/* How far the rate of cell i is above that of cell j, where both may be nearly alike. */
static double
lead(const place *at, size_t i, size_t j) {
    return (1 - at->s) * (at->y0[i] - at->y0[j]) + at->s * (at->y[i] - at->y[j]);
}

static double
rate(const place *at, size_t i) {
    return (1 - at->s) * at->y0[i] + at->s * at->y[i];
}

static place
make_place(const retc_target *target, const double *y, const double *y0, double s) {
    place at = {.y = y, .y0 = y0, .N = target->N, .s = s, .softmax = target->softmax};
    for (size_t i = 1; i < at.N; ++i)
        if (lead(&at, i, at.winner) > 0)
            at.winner = i;
    for (size_t i = 0; i < at.N && at.softmax; ++i)
        at.total += exp(lead(&at, i, at.winner));
    return at;
}

static double
input(const place *at, size_t i) {
    return at->softmax ? exp(lead(at, i, at->winner)) / at->total : rate(at, i);
}

/* How many cells come before cell i, in the order of rates and then of numbers. */
static size_t
rank_of(const place *at, size_t i) {
    size_t rank = 0;
    for (size_t j = 0; j < at->N; ++j) {
        double ahead = lead(at, j, i);
        rank += ahead > 0 || (ahead == 0 && j < i);
    }
    return rank;
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

static double
term(const retc_target *target, const place *at, size_t i) {
    double x = input(at, i), value = 0;
    switch (target->kind) {
    case RETC_TARGET_CELL:
        return i == target->cell ? x : 0;
    case RETC_TARGET_SUM:
        return x;
    case RETC_TARGET_SURPRISAL:
        for (size_t j = 0; j < at->N; ++j)
            value += 0.5 * (x - target->mean[i]) * target->precision[i * at->N + j] * (input(at, j) - target->mean[j]);
        return value;
    case RETC_TARGET_CELLS:
    case RETC_TARGET_LINEAR:
        return target->weight[i] * x;
    case RETC_TARGET_TOP:
        return rank_of(at, i) < target->k ? x : 0;
    case RETC_TARGET_ENTROPY:
        return -x * log(x + ENTROPY_FLOOR);
    case RETC_TARGET_CONTRASTIVE:
        return rank_of(at, i) == 0 ? x : rank_of(at, i) == 1 ? -x : 0;
    }
    return 0;
}

static double
value_at(const retc_target *target, const place *at) {
    double value = 0;
    for (size_t i = 0; i < at->N; ++i)
        value += term(target, at, i);
    return value;
}

double
retc_target_value(const retc_target *target, const double *y) {
    place at = make_place(target, y, y, 1);
    return value_at(target, &at);
}

/* ---- gradients by the rates themselves ------------------------------------------------------------------------------- */

/* The share of the way from y0 to y over which cell i is among the k largest: between two crossings of its rate with others'
 * its rank stays. Crossings are the same numbers seen from either cell, so that k cells share every piece. */
static double
share_among_largest(const retc_target *target, const double *y, const double *y0, size_t i, size_t k) {
    double share = 0;
    for (double from = 0, to; from < 1; from = to) {
        to = 1;
        for (size_t j = 0; j < target->N; ++j) {
            double start = y0[i] - y0[j], end = y[i] - y[j], crossing = start / (start - end);
            if (start != end && crossing > from && crossing < to)
                to = crossing;
        }
        place middle = {.y = y, .y0 = y0, .N = target->N, .s = 0.5 * (from + to)};
        share += rank_of(&middle, i) < k ? to - from : 0;
    }
    return share;
}

static double
slope(const retc_target *target, const double *y, const double *y0, size_t i) {
    double value = 0;
    switch (target->kind) {
    case RETC_TARGET_CELL:
        return i == target->cell ? 1 : 0;
    case RETC_TARGET_SUM:
        return 1;
    case RETC_TARGET_SURPRISAL:
        for (size_t j = 0; j < target->N; ++j)
            value += target->precision[i * target->N + j] * (0.5 * (y[j] + y0[j]) - target->mean[j]);
        return value;
    case RETC_TARGET_CELLS:
    case RETC_TARGET_LINEAR:
        return target->weight[i];
    case RETC_TARGET_TOP:
        return share_among_largest(target, y, y0, i, target->k);
    case RETC_TARGET_CONTRASTIVE: /* largest - second = 2 largest - sum of the two largest */
        return 2 * share_among_largest(target, y, y0, i, 1) - share_among_largest(target, y, y0, i, 2);
    case RETC_TARGET_ENTROPY: /* never without softmax */
        return 0;
    }
    return 0;
}

/* ---- gradients through softmax --------------------------------------------------------------------------------------- */

/* dt/dp_i */
static double
inner_slope(const retc_target *target, const place *at, size_t i) {
    double p, value = 0;
    switch (target->kind) {
    case RETC_TARGET_CELL:
        return i == target->cell ? 1 : 0;
    case RETC_TARGET_SURPRISAL:
        for (size_t j = 0; j < at->N; ++j)
            value += target->precision[i * at->N + j] * (input(at, j) - target->mean[j]);
        return value;
    case RETC_TARGET_CELLS:
    case RETC_TARGET_LINEAR:
        return target->weight[i];
    case RETC_TARGET_TOP:
        return rank_of(at, i) < target->k ? 1 : 0;
    case RETC_TARGET_CONTRASTIVE:
        return rank_of(at, i) == 0 ? 1 : rank_of(at, i) == 1 ? -1 : 0;
    case RETC_TARGET_ENTROPY:
        p = input(at, i);
        return -log(p + ENTROPY_FLOOR) - p / (p + ENTROPY_FLOOR);
    case RETC_TARGET_SUM: /* never through softmax */
        return 0;
    }
    return 0;
}

/* g += weight dt/dy at a place: dt/dy_j = p_j (q_j - sum_i p_i q_i), q = dt/dp.  The winner's, where that cancels, follows from
 * the others': they sum to 0. Differences from the winner's q keep what little a saturated softmax leaves. */
static void
add_softmax_gradient(const retc_target *target, const place *at, double weight, double *g) {
    double reference = inner_slope(target, at, at->winner), mean = 0, others = 0;
    for (size_t i = 0; i < at->N; ++i)
        mean += i == at->winner ? 0 : input(at, i) * (inner_slope(target, at, i) - reference);
    for (size_t i = 0; i < at->N; ++i) {
        if (i == at->winner)
            continue;
        double gradient = input(at, i) * (inner_slope(target, at, i) - reference - mean);
        others += gradient;
        g[i] += weight * gradient;
    }
    g[at->winner] -= weight * others;
}

/* Make g . (y - y0) the change of the target, unless what is missing is rounding. */
static void
make_exact(const retc_target *target, const double *y, const double *y0, double *g) {
    double start = retc_target_value(target, y0), end = retc_target_value(target, y), missing = end - start, square = 0;
    for (size_t i = 0; i < target->N; ++i) {
        missing -= g[i] * (y[i] - y0[i]);
        square += (y[i] - y0[i]) * (y[i] - y0[i]);
    }
    if (fabs(missing) > 16 * DBL_EPSILON * (fabs(start) + fabs(end)))
        for (size_t i = 0; i < target->N; ++i)
            g[i] += missing / square * (y[i] - y0[i]);
}

static void
softmax_gradient(const retc_target *target, const double *y, const double *y0, double *g) {
    /* Gauss and Legendre's places and weights on [0,1] (Abramowitz & Stegun 25.4.30) */
    static const double places[5] = {0.04691007703066800, 0.23076534494715845, 0.5, 0.76923465505284155, 0.95308992296933200};
    static const double weights[5] = {0.11846344252809454, 0.23931433524968324, 0.28444444444444444, 0.23931433524968324,
                                      0.11846344252809454};
    int moves = 0;
    for (size_t i = 0; i < target->N; ++i) {
        g[i] = 0;
        moves |= y[i] != y0[i];
    }
    if (!moves) {
        place at = make_place(target, y, y, 1);
        add_softmax_gradient(target, &at, 1, g);
        return;
    }
    for (int k = 0; k < 5; ++k) {
        place at = make_place(target, y, y0, places[k]);
        add_softmax_gradient(target, &at, weights[k], g);
    }
    make_exact(target, y, y0, g);
}

void
retc_target_gradient(const retc_target *target, const double *y, const double *y0, double *g) {
    if (target->softmax)
        softmax_gradient(target, y, y0, g);
    else
        for (size_t i = 0; i < target->N; ++i)
            g[i] = slope(target, y, y0, i);
}
