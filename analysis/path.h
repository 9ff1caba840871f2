/* The straight path of integrated gradients through everything above the first convolution.
 *
 * The stimulus runs from a baseline x0 to x, x(alpha) = x0 + alpha (x - x0).  conv0 is linear, so its output on the way is
 * base + alpha delta with base = W * x0 + b and delta = W * (x - x0): the movie is convolved once, whatever the number of
 * steps. Above conv0 nothing couples one sample with another, so that any samples can stand side by side in a block.
 *
 * A step from alpha to alpha' adds to unit u the gradient of the target by a_u times the change of a_u.  The trapezium (as
 * published) takes the mean of the gradients at both ends.  A secant step differentiates every nonlinearity and the target by
 * its secant over the step: then the products telescope, and what the units of a layer get is the change of the target to
 * rounding, with any number of steps.
 *
 * That holds for a layer through which all must pass.  Where a residual addition carries the output of an earlier layer past
 * it, what is carried gets its own contribution, gradient of the target by the sum times the change of what is added, summed
 * over the map; with it the sum is complete again. */
#ifndef RETC_PATH_H
#define RETC_PATH_H

#include "tape.h"
#include "target.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { RETC_SECANT, RETC_TRAPEZIUM } retc_path_rule;

/* The line that n samples run along, in conv0's output (C0,h0,w0). */
typedef struct {
    size_t n;
    const float *delta; /* (units,ld) */
    const float *base;  /* (units,ld), or (units) where all samples start from the same baseline */
    int common_base;    /* nonzero: the latter */
} retc_path_line;

/* What one thread needs.  Layers `cut` (cuts) are those whose units get contributions. */
typedef struct {
    const retc_network *network;
    const retc_target *target;
    const size_t *cut;
    size_t cuts;
    size_t *home;       /* (cuts) where secant steps look for them: see retc_path_secant */
    retc_tape *tape[3]; /* [0] is the caller's, set before a walk */
    retc_tape *end;     /* after a walk: the one that stands at alpha = 1 */
    double *start;      /* (ld) after a walk: the target at alpha = 0 */
    double *y, *y0, *g; /* (N) */
    float *width;       /* (ld) */
} retc_path;

/* Add what one secant step, from tape `from` to tape `to`, gives to n samples: to arrays sums[0], sums[1] ... of rows of time
 * ld apart.  width (n) is the change of alpha; gradients of `to` may be overwritten. */
typedef void retc_path_step(void *context, const retc_tape *from, retc_tape *to, const float *width, size_t n,
                            float *const *sums);

/* Everything but tape[0], for blocks of up to `block` samples; clear it whatever happens. */
int retc_path_init(retc_path *path, const retc_network *network, const retc_target *target, const size_t *cut, size_t cuts,
                   size_t block) RETC_USED;
void retc_path_clear(retc_path *path);

/* Rows of contributions to layer l: its units C h w, then one for every bypass, in the order of retc_network_bypasses. */
size_t retc_path_rows(const retc_network *network, size_t l);

/* A retc_path_step, context the path: sums[k] (rows,ld) gets the contributions at cut k, retc_path_rows of them.  Between a cut
 * and its home there are only layers that take every unit by itself, and there gradient times change is the same at input and
 * output of a secant; so that no gradient need be brought down to the cut. */
void retc_path_secant(void *path, const retc_tape *from, retc_tape *to, const float *width, size_t n, float *const *sums);

/* Run from alpha = 0 to 1 in equal steps: secants, by `step`, or trapezia, which give what retc_path_secant does. */
void retc_path_walk(retc_path *path, const retc_path_line *line, size_t steps, retc_path_step *step, void *context,
                    float *const *sums);
void retc_path_walk_trapezia(retc_path *path, const retc_path_line *line, size_t steps, float *const *sums);

/* Of a part's samples, runs of 16 consecutive ones are taken, one run of `every`: kernels work on as many at once, so that
 * single samples would cost as much as runs.  Is this one taken? */
enum { RETC_PATH_RUN = 16 };
int retc_path_takes(size_t sample, size_t every);

/* Put a tape at alpha on the line, or every sample at its own: forward from conv0's output. */
void retc_path_move(const retc_path *path, const retc_path_line *line, float alpha, retc_tape *tape);
void retc_path_move_each(const retc_path *path, const retc_path_line *line, const float *alpha, retc_tape *tape);

/* Put a tape at alpha = 0, and set path->start. */
void retc_path_start(retc_path *path, const retc_path_line *line, retc_tape *tape);

/* Instead of a walk: put tape[1] at alpha = 0 and tape[0] at 1, which is then path->end, and set path->start. */
void retc_path_take_ends(retc_path *path, const retc_path_line *line);

/* Gradients of the target at `tape` down to the lowest cut, into its grad; with `from` another tape, by secants between both.
 */
void retc_path_differentiate(retc_path *path, const retc_tape *from, retc_tape *tape, size_t n);

/* Mean of the gradient at the first convolution's output over the same path, into `mean` (units,ld); path->cut begins with
 * layer 0.  By secants, mean times delta is what a walk gives that layer's units. */
void retc_path_mean_gradient(retc_path *path, const retc_path_line *line, retc_path_rule rule, size_t steps, float *mean);

/* Gradients at the end of the walk, in the tape path->end, by derivatives. */
void retc_path_differentiate_end(retc_path *path, size_t n);

/* Can unit `row` of layer l contribute?  Not where a grab layer passes it by. */
int retc_path_sees(const retc_network *network, size_t l, size_t row);

/* Target at a place on the path, of sample t. */
double retc_path_target(retc_path *path, const retc_tape *tape, size_t t);

#ifdef __cplusplus
}
#endif

#endif
