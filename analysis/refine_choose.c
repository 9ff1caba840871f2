/* How far a sum errs, and which intervals to cut for that. */
#include "refine_internal.h"

#include <math.h>

static const double LEAST_KAPPA = 0.4, FEW = 8, MOST_KAPPA = 1.5; /* refine.h */
static const double FALL = 3.6, MARGIN = 0.8;                     /* of |d|^2 with pieces; of the tolerance, wanted of them */

/* ---- errors ---------------------------------------------------------------------------------------------------------- */

static double
kappa(const retc_refine *r, size_t k, size_t t) {
    double square = 0, peak = 0;
    for (size_t p = 0; p < INTERVALS; ++p) {
        square += r->square[p][k][t];
        peak = fmax(peak, r->peak[p][k][t]);
    }
    return square > 0 ? fmin(LEAST_KAPPA + FEW * peak / square, MOST_KAPPA) : 1;
}

/* |d|^2 of an interval that is cut into `wanted` pieces instead of those it has. */
static double
foresee(const retc_refine *r, size_t p, size_t k, size_t t, size_t wanted) {
    return r->square[p][k][t] * pow((double)r->pieces[p][t] / (double)wanted, FALL);
}

/* Error with the intervals cut so. */
static double
error_with(const retc_refine *r, size_t k, size_t t, const size_t *pieces) {
    double square = 0;
    for (size_t p = 0; p < INTERVALS; ++p)
        square += foresee(r, p, k, t, pieces[p]);
    return kappa(r, k, t) * sqrt(square) / fmax(r->norm[k][t], r->options.floor);
}

static void
get_pieces(const retc_refine *r, size_t t, size_t *pieces) {
    for (size_t p = 0; p < INTERVALS; ++p)
        pieces[p] = r->pieces[p][t];
}

double
retc_refine_error(const retc_refine *r, size_t k, size_t t) {
    size_t now[INTERVALS];
    if (r->options.steps)
        return 0;
    get_pieces(r, t, now);
    return error_with(r, k, t, now);
}

size_t
retc_refine_steps(const retc_refine *r, size_t t) {
    size_t steps = r->options.steps;
    for (size_t p = 0; p < INTERVALS && !r->options.steps; ++p)
        steps += 2 * r->pieces[p][t];
    return steps;
}

size_t
retc_refine_passes(const retc_refine *r, size_t t) {
    return r->options.steps ? 2 * r->options.steps + 1 : r->passes[t];
}

/* ---- which intervals ------------------------------------------------------------------------------------------------- */

/* The part that would be furthest beyond `limit` with the intervals cut so; `judged` if none.  What is not finite never will be
 * good. */
static size_t
find_worst(const retc_refine *r, size_t t, const size_t *pieces, double limit) {
    size_t worst = r->task.judged;
    for (size_t k = 0; k < r->task.judged; ++k) {
        double error = error_with(r, k, t, pieces);
        if (error > limit && isfinite(error))
            worst = k, limit = error;
    }
    return worst;
}

/* The interval of which more pieces lower |d|^2 of part k most for what they cost, and their number: twice as many where all of
 * them must be taken anew, else one more. */
static size_t
find_best(const retc_refine *r, size_t k, size_t t, const size_t *wanted, size_t room, size_t *more) {
    size_t best = 0;
    double most = -1;
    for (size_t p = 0; p < INTERVALS; ++p) {
        size_t now = wanted[p], anew = now == r->pieces[p][t], next = now + (anew && now < room ? now : anew ? room : 1);
        double gain = (foresee(r, p, k, t, now) - foresee(r, p, k, t, next)) / (double)(anew ? next : 1);
        if (gain > most)
            most = gain, best = p, *more = next;
    }
    return best;
}

int
retc_refine_choose(const retc_refine *r, size_t t, size_t *wanted) {
    size_t room = r->options.most_steps / 2, k, more = 0;
    int chosen = 0;
    get_pieces(r, t, wanted);
    if (find_worst(r, t, wanted, r->options.tolerance) == r->task.judged)
        return 0;
    for (size_t p = 0; p < INTERVALS; ++p)
        room -= wanted[p];
    while (room > 0 && (k = find_worst(r, t, wanted, MARGIN * r->options.tolerance)) < r->task.judged) {
        size_t p = find_best(r, k, t, wanted, room, &more);
        room -= more - wanted[p];
        wanted[p] = more;
        chosen = 1;
    }
    return chosen;
}
