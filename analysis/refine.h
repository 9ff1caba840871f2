/* As many secant steps as every sample needs, and where it needs them.
 *
 * Whatever secant steps add up along a path (path.h), the sum of two steps over an interval, c_2, errs about a quarter as much
 * as the one step over both, c_1, so that
 *
 *     c = c_2 + (c_2 - c_1)/3        (Richardson 1911)
 *
 * is better than both, and as complete, since the weights add up to 1.  The path is cut into five such intervals, narrower
 * where it begins (most ReLUs have their kinks there), and what they give is added up.  Their changes d = c_2 - c_1 say where
 * the sum is in error: kinks are local, so that the errors of different intervals have little to do with each other, and
 *
 *     error = kappa sqrt(sum over intervals of |d|^2) / max(|c|, floor)
 *
 * where |.| is over all numbers of a sum.  Where many units have kinks c errs by a third of d, and where nothing has by much
 * less.  Of a few kinks, though, some may lie where the one step and the two miss them alike.  So, with a number n of units
 * that the change is spread over,
 *
 *     kappa = min(0.4 + 8/n, 1.5),     n = sum of d^2 / largest d^2.
 *
 * A sample is done when its error is within the tolerance.  Else intervals are cut into pieces, each of two steps and one over
 * both, as many as should do if |d| falls as pieces^-1.8, the cheapest ones first, and this is repeated until it does. */
#ifndef RETC_REFINE_H
#define RETC_REFINE_H

#include "h5.h"
#include "path.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t steps;      /* 0: as many as every sample needs; else a fixed number, of equal length, and no more of all this */
    double tolerance;  /* of the norm of a sum */
    double floor;      /* norms below count as this; in units of the sum */
    size_t most_steps; /* a sample that would need more keeps its best; at least RETC_REFINE_LEAST */
} retc_refine_options;

/* Steps that every sample gets. */
enum { RETC_REFINE_INTERVALS = 5, RETC_REFINE_LEAST = 2 * RETC_REFINE_INTERVALS };

/* As many as needed for 1e-2 above a floor of 1e-3, 1024 at most. */
retc_refine_options retc_refine_default(void);

/* Fails for a tolerance that is not positive, a negative floor, or too few steps. */
int retc_refine_check(const retc_refine_options *options) RETC_USED;

/* Attributes of a dataset that say so: steps, if fixed; else tolerance, floor, most_steps and unconverged, the number of
 * samples above the tolerance. */
int retc_refine_write(const retc_refine_options *options, size_t unconverged, retc_h5 *file, const char *dataset) RETC_USED;

/* What is added up: `parts` sums of rows[k] numbers each, of which the first `judged` must be within the tolerance. */
typedef struct {
    size_t parts, judged;
    const size_t *rows;
    retc_path_step *step;
    void *context;
} retc_refine_task;

/* Storage of one thread; keeps the path and its copies of task and options, and borrows task->rows. */
typedef struct retc_refine retc_refine;

/* NULL when out of memory.  For blocks of as many samples as the path's. */
retc_refine *retc_refine_alloc(retc_path *path, const retc_refine_task *task, const retc_refine_options *options);
void retc_refine_free(retc_refine *refine);

/* First the few steps that every sample gets: afterwards path->start and path->end are set, the line must stay.  Then the rest,
 * which uses the path's tapes: share times the sums is added to sums[k] (rows[k],ld). */
void retc_refine_begin(retc_refine *refine, const retc_path_line *line);
void retc_refine_finish(retc_refine *refine, float share, float *const *sums);

/* After that, of sample t: its error in part k < judged, 0 with fixed steps; and the number of its steps. */
double retc_refine_error(const retc_refine *refine, size_t k, size_t t);
size_t retc_refine_steps(const retc_refine *refine, size_t t);

/* Passes forward or backward through the layers above the first that its steps took, those that did not do included. */
size_t retc_refine_passes(const retc_refine *refine, size_t t);

#ifdef __cplusplus
}
#endif

#endif
