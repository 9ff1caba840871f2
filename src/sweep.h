/* What a sweep varies, and the points it visits.
 *
 *   [sweep]
 *   draws = 20                            points drawn at random; without it every combination of the values
 *   score = validation_loss               what orders the table
 *   [fit]
 *   channels0 = vary 4 8 16               one of these
 *   learning-rate = vary log-uniform 0.001 0.1
 *
 * A stage that varies, and those that use its output, run at every point; the others run once. */
#ifndef RETC_SWEEP_H
#define RETC_SWEEP_H

#include <stdint.h>

#include "run_config.h"

typedef enum { RETC_SWEEP_VALUES, RETC_SWEEP_UNIFORM, RETC_SWEEP_LOG_UNIFORM, RETC_SWEEP_INTEGER } retc_sweep_kind;

/* One key that varies. */
typedef struct {
    size_t stage;
    retc_run_setting *setting; /* whose word is the value of the point that is set */
    char *name;                /* "l2", or "fit:cnn.l2" where several stages vary an l2 */
    retc_sweep_kind kind;
    char **word; /* (words) what followed "vary" */
    size_t words;
    double low, high; /* of a range */
} retc_sweep_key;

typedef struct {
    retc_run_config *config;
    retc_sweep_key *key;
    size_t keys, draws; /* draws 0: a grid */
    size_t points;
    char **value;      /* (points, keys) */
    char **folder;     /* (points) name of a point's folder, such as "channels0-4,l2-0.01" */
    char *at_points;   /* (stages of the configuration) 1: runs at every point */
    const char *score; /* of [sweep], NULL where nothing is said */
    size_t score_line;
} retc_sweep;

/* Read what `config` (kept; it is changed) varies.  Draw number i depends on `seed` and i only, so that more draws keep the
 * earlier ones.  Reasons name file, line, section and key.  Free with retc_sweep_free, also after failure. */
int retc_sweep_plan(retc_run_config *config, uint64_t seed, retc_sweep *sweep) RETC_USED;
void retc_sweep_free(retc_sweep *sweep);

/* Give the keys in the configuration their values at a point. */
int retc_sweep_set(retc_sweep *sweep, size_t point) RETC_USED;

/* "channels0 4, l2 0.01"; retc_free. */
char *retc_sweep_point_text(const retc_sweep *sweep, size_t point);

#endif
