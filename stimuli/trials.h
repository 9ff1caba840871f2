/* What was shown when: the conditions of a protocol and its trials, as stimulus files and recordings hold them.
 *
 *   conditions/<parameter> (C)  f8, the value of a parameter in every condition; attribute unit where it has one
 *   trials/condition (K)        i8, from 0
 *   trials/onset (K)            f8, s; time of the first frame
 *   trials/duration (K)         f8, s
 *   trials/start_frame (K)      i8
 *   trials/frames (K)           i8
 *   attribute protocol of trials: text, "drifting-grating"
 *
 * in the root of a stimulus file, and in <part>/ of a recording. */
#ifndef RETC_TRIALS_H
#define RETC_TRIALS_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    char name[32], unit[24]; /* "direction", "degrees"; unit "" for none */
    double *value;           /* (C) */
} retc_parameter;

typedef struct {
    size_t condition, start, frames; /* start: its first frame */
    double onset, duration;          /* s */
} retc_trial;

typedef struct {
    char protocol[32];                     /* "" when unknown */
    size_t conditions, parameters, trials; /* C, P, K */
    retc_parameter *parameter;             /* (P) */
    retc_trial *trial;                     /* (K), by start */
} retc_trials;

/* Room for a protocol, all zero; release with retc_trials_free, after a failure as well. */
int retc_trials_alloc(retc_trials *trials, size_t conditions, size_t parameters, size_t count) RETC_USED;
void retc_trials_free(retc_trials *trials);

/* 1 when the file has trials below `group` ("" the root, "test"), else 0. */
int retc_trials_has(retc_h5 *file, const char *group);

/* Write below `group`. */
int retc_trials_write(retc_h5 *file, const char *group, const retc_trials *trials) RETC_USED;

/* Read and check: conditions are there, trials lie within `frames` (0: not checked) one after the other. */
int retc_trials_read(retc_h5 *file, const char *group, size_t frames, retc_trials *trials) RETC_USED;

/* Copy the trials of the file `from` below `to_group` of `to`, where it has any: 1 when it has, else 0. */
int retc_trials_copy(const char *from, retc_h5 *to, const char *to_group) RETC_USED;

/* Read a text file: a line of names of columns, then a line per trial.  Columns "onset" and "duration" are in s; the others are
 * parameters, and trials with the same values are of one condition.  Blank lines and those that start with # are skipped.
 * Frames are unknown: start and frames are 0. */
int retc_trials_read_text(const char *path, retc_trials *trials) RETC_USED;

/* The parameter of this name (borrowed), or NULL. */
const retc_parameter *retc_trials_parameter(const retc_trials *trials, const char *name);

/* "direction 45 degrees, contrast 0.5": parameters that differ between conditions; "all" when none does (retc_free). */
char *retc_trials_condition_text(const retc_trials *trials, size_t condition);

#ifdef __cplusplus
}
#endif

#endif
