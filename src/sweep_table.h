/* The table of a sweep: a row per point, with its values, scores and times, and what went wrong. */
#ifndef RETC_SWEEP_TABLE_H
#define RETC_SWEEP_TABLE_H

#include "provenance.h"
#include "run_stages.h"
#include "sweep.h"

typedef enum { RETC_POINT_WAITS, RETC_POINT_DONE, RETC_POINT_NOT_CONVERGED, RETC_POINT_FAILED } retc_point_state;

/* One score: what it is called, which stage's output holds it, and whether less is better. */
typedef struct {
    char *name; /* "r", or "predict:cnn.r" where several stages have one */
    size_t stage, what;
} retc_sweep_score;

typedef struct {
    const retc_sweep *sweep;
    retc_sweep_score *score;
    size_t scores, by;       /* `by`: the score that orders the rows */
    retc_point_state *state; /* (points) */
    char **reason;           /* (points) of a failure */
    double *value;           /* (points, scores) NaN where there is none */
    double *seconds;         /* (points, stages) NaN where a stage has not run */
} retc_sweep_table;

/* An empty table of a sweep (kept).  Fails when [sweep] names a score that no stage gives, or no stage gives any.  Free with
 * retc_sweep_table_free, also after failure. */
int retc_sweep_table_init(const retc_sweep *sweep, retc_sweep_table *table) RETC_USED;
void retc_sweep_table_free(retc_sweep_table *table);

/* Take from the table that an earlier run left at `path`, if any, how long stages ran. */
int retc_sweep_table_recall(retc_sweep_table *table, const char *path) RETC_USED;

/* Read the scores of a point from the outputs of its stages. */
int retc_sweep_table_score(retc_sweep_table *table, size_t point, const retc_run_ready *ready) RETC_USED;

/* Points, best first (points): the unscored ones last. */
void retc_sweep_table_order(const retc_sweep_table *table, size_t *order);

/* Seconds of all stages of a point together; NaN when they are not known. */
double retc_sweep_table_seconds(const retc_sweep_table *table, size_t point);

/* "done", "did not converge", "failed: REASON", "not run yet"; retc_free. */
char *retc_sweep_table_state(const retc_sweep_table *table, size_t point);

/* Write the table as an HDF5 file, rows best first; replaces one that is there. */
int retc_sweep_table_write(const retc_sweep_table *table, const char *path, const retc_provenance *provenance) RETC_USED;

#endif
