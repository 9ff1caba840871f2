/* What the parts of the MATLAB import share. */
#ifndef RETC_IMPORT_MATLAB_INTERNAL_H
#define RETC_IMPORT_MATLAB_INTERNAL_H

#include "import_matlab.h"
#include "mat.h"

typedef struct {
    const retc_import_matlab_options *options;
    retc_import_report *report;
    const retc_progress *progress;
    retc_mat **file; /* (n_files) */
} retc_matlab;

/* What a name holds, in the first file that has it. */
typedef struct {
    const char *name;
    retc_mat *mat;
    retc_mat_arrays found;
} retc_matlab_variable;

/* 1 when a file has such a variable. */
int retc_matlab_has(const retc_matlab *in, const char *name);

/* Find a name; the message of a failure says which files have what.  With `rank` > 0 it must be one array of up to so many axes
 * (axes of length 1 at the end do not count). */
int retc_matlab_find(const retc_matlab *in, const char *name, int rank, retc_matlab_variable *variable) RETC_USED;
void retc_matlab_clear(retc_matlab_variable *variable);

/* Values of a vector that lies or stands, (n), all finite; retc_free. */
int retc_matlab_values(const retc_matlab_variable *variable, const retc_mat_array *array, double **values, size_t *n) RETC_USED;

/* A number: the text of one, or the name of a variable. */
int retc_matlab_number(const retc_matlab *in, const char *text, double *value) RETC_USED;

/* Whole number >= 1 in a variable. */
int retc_matlab_size(const retc_matlab *in, const char *name, size_t *value) RETC_USED;

/* import_ensemble.c and import_fixations.c: presets that are no movie with spike times. */
int retc_matlab_ensemble(retc_matlab *in, const char *output, int force, retc_recording_writer **writer) RETC_USED;
int retc_matlab_fixations(retc_matlab *in, const char *output, int force, retc_recording_writer **writer) RETC_USED;

#endif
