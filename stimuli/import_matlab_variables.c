/* Looking variables of MATLAB files up. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "import_matlab_internal.h"
#include "options.h"

int
retc_matlab_has(const retc_matlab *in, const char *name) {
    for (size_t i = 0; i < in->options->n_files; ++i)
        if (retc_mat_has(in->file[i], name))
            return 1;
    return 0;
}

int
retc_matlab_find(const retc_matlab *in, const char *name, int rank, retc_matlab_variable *variable) {
    int status = RETC_OK;
    size_t i = 0, n = in->options->n_files;
    while (i < n && !retc_mat_has(in->file[i], name))
        ++i;
    *variable = (retc_matlab_variable){.name = name, .mat = in->file[i < n ? i : 0]};
    RETC_TRY(retc_mat_find(variable->mat, name, &variable->found));
    if (rank == 0)
        return RETC_OK;
    const char *path = retc_mat_path(variable->mat);
    if (variable->found.n != 1)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s holds %zu arrays, expected one", path, name, variable->found.n));
    retc_mat_array *array = variable->found.array;
    while (array->rank > 2 && array->shape[array->rank - 1] == 1)
        --array->rank;
    if (array->rank > rank)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s has %d axes, expected at most %d", path, name, array->rank, rank));
    if (array->n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is empty", path, array->name));

done:
    if (status < 0)
        retc_matlab_clear(variable);
    return status;
}

void
retc_matlab_clear(retc_matlab_variable *variable) {
    retc_mat_arrays_clear(&variable->found);
}

int
retc_matlab_values(const retc_matlab_variable *variable, const retc_mat_array *array, double **values, size_t *n) {
    int status = RETC_OK;
    const char *path = retc_mat_path(variable->mat);
    double *x = NULL;
    for (int d = 0; d < array->rank; ++d)
        if (array->n > 0 && array->shape[d] != 1 && array->shape[d] != array->n)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is a matrix of %zu by %zu, expected a vector", path, array->name,
                               array->shape[0], array->shape[1]));
    RETC_TRY(RETC_ALLOC(x, array->n));
    RETC_TRY(retc_mat_read(variable->mat, array, NULL, NULL, x));
    for (size_t i = 0; i < array->n; ++i)
        if (!isfinite(x[i]))
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT, "%s: value %zu of %s is %g, expected a finite number", path, i + 1, array->name, x[i]));
    *values = x;
    *n = array->n;
    x = NULL;

done:
    retc_free(x);
    return status;
}

int
retc_matlab_number(const retc_matlab *in, const char *text, double *value) {
    int status = RETC_OK;
    retc_matlab_variable variable = {0};
    double *x = NULL;
    size_t n = 0;
    if (retc_parse_double(text, value) == RETC_OK)
        return RETC_OK;
    RETC_TRY(retc_matlab_find(in, text, 2, &variable));
    RETC_TRY(retc_matlab_values(&variable, variable.found.array, &x, &n));
    if (n != 1)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s holds %zu numbers, expected one", retc_mat_path(variable.mat), text, n));
    *value = x[0];

done:
    retc_free(x);
    retc_matlab_clear(&variable);
    return status;
}

int
retc_matlab_size(const retc_matlab *in, const char *name, size_t *value) {
    double x;
    int status = retc_matlab_number(in, name, &x);
    if (status < 0)
        return status;
    if (!(x >= 1 && x <= 1e9) || x != floor(x))
        return RETC_FAIL(RETC_EFORMAT, "%s: %s is %g, expected a whole number of pixels", in->options->files[0], name, x);
    *value = (size_t)x;
    return RETC_OK;
}
