/* MATLAB v5 files, through matio, after they were checked. */
#include <limits.h>
#include <matio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mat_internal.h"

/* matio says what went wrong through one function of the process. */
static char matio_reason[256];

static void
keep_reason(int level, char *message) {
    if ((level & (MATIO_LOG_LEVEL_ERROR | MATIO_LOG_LEVEL_CRITICAL | MATIO_LOG_LEVEL_WARNING)) && !matio_reason[0])
        snprintf(matio_reason, sizeof matio_reason, "%s", message);
}

static int
fail_matio(const retc_mat *mat, const char *name) {
    size_t length = strcspn(matio_reason, "\r\n");
    return RETC_FAIL(RETC_EFORMAT, "%s: cannot read %s: %.*s", mat->path, name, matio_reason[0] ? (int)length : 23,
                     matio_reason[0] ? matio_reason : "matio gives no reason ");
}

int
retc_mat5_open(retc_mat *mat) {
    int status = RETC_OK;
    RETC_TRY(retc_mat5_check(mat->path, &mat->names, &mat->n));
    RETC_TRY(RETC_ALLOC(mat->loaded, mat->n));
    matio_reason[0] = '\0';
    Mat_LogInitFunc("retcodec", keep_reason);
    mat->v5 = Mat_Open(mat->path, MAT_ACC_RDONLY);
    if (!mat->v5)
        status = fail_matio(mat, "the file");

done:
    return status;
}

void
retc_mat5_close(retc_mat *mat) {
    for (size_t i = 0; mat->loaded && i < mat->n; ++i)
        Mat_VarFree(mat->loaded[i]);
    retc_free(mat->loaded);
    if (mat->v5)
        Mat_Close(mat->v5);
}

/* ---- finding --------------------------------------------------------------------------------------------------------- */

static int
fail_class(const retc_mat *mat, const char *name, const matvar_t *var) {
    const char *is = var->class_type == MAT_C_CHAR     ? "text"
                     : var->class_type == MAT_C_SPARSE ? "a sparse array; in MATLAB, full() makes it a whole one"
                     : var->class_type == MAT_C_STRUCT ? "a structure; name a field of it, \"a.b\""
                     : var->isComplex                  ? "complex"
                                                       : "an object";
    return RETC_FAIL(RETC_EFORMAT, "%s: %s is %s, expected numbers", mat->path, name, is);
}

/* matio keeps numbers in the type of their class. */
static int
add_numbers(retc_mat *mat, const matvar_t *var, char *name, retc_mat_arrays *found) {
    int status = RETC_OK;
    retc_mat_array *array = NULL;
    RETC_TRY(retc_mat_add(found, name, &array));
    if (var->class_type != MAT_C_EMPTY && (var->class_type < MAT_C_DOUBLE || var->class_type > MAT_C_UINT64 || var->isComplex))
        RETC_TRY(fail_class(mat, name, var));
    int is_empty = var->class_type == MAT_C_EMPTY || !var->dims;
    if (var->rank > RETC_MAT_MAX_RANK)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s has %d axes, at most %d are understood", mat->path, name, var->rank,
                           RETC_MAT_MAX_RANK));
    array->rank = is_empty ? 2 : var->rank;
    for (int d = 0; d < array->rank; ++d)
        array->shape[d] = is_empty ? 0 : var->dims[d];
    RETC_TRY(retc_mat_count(mat, array));
    size_t size = Mat_SizeOf(var->data_type);
    if (array->n > 0 && (!var->data || size == 0 || var->nbytes / size < array->n))
        RETC_TRY(fail_matio(mat, name));
    array->place = var;

done:
    return status;
}

static size_t
elements(const matvar_t *var) {
    size_t n = 1;
    for (int d = 0; d < var->rank; ++d)
        n *= var->dims[d];
    return n;
}

static int add_any(retc_mat *mat, matvar_t *var, char *name, const char *field, int depth, retc_mat_arrays *found);

/* All of one field ("b", or "b.c") of a structure array. */
static int
add_field(retc_mat *mat, matvar_t *var, const char *name, const char *field, int depth, retc_mat_arrays *found) {
    int status = RETC_OK;
    const char *dot = strchr(field, '.');
    size_t n = elements(var);
    char *own = retc_strf("%.*s", dot ? (int)(dot - field) : INT_MAX, field);
    RETC_TRY(RETC_GOT(own));
    for (size_t i = 0; i < n; ++i) {
        matvar_t *member = Mat_VarGetStructFieldByName(var, own, i);
        if (!member)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s has no field \"%s\"", mat->path, name, own));
        char *label = n == 1 ? retc_strf("%s.%s", name, own) : retc_strf("%s(%zu).%s", name, i + 1, own);
        RETC_TRY(add_any(mat, member, label, dot ? dot + 1 : NULL, depth + 1, found));
    }
    found->is_list |= n > 1;

done:
    retc_free(own);
    return status;
}

/* `name` is kept. */
static int
add_any(retc_mat *mat, matvar_t *var, char *name, const char *field, int depth, retc_mat_arrays *found) {
    int status = RETC_OK;
    if (!name || depth > RETC_MAT_DEPTH) {
        retc_free(name);
        return name ? RETC_FAIL(RETC_EFORMAT, "%s: cells are nested too deeply", mat->path) : RETC_ENOMEM;
    }
    if (var->class_type == MAT_C_CELL && var->dims) {
        size_t n = elements(var);
        found->is_list = 1;
        for (size_t i = 0; i < n; ++i) {
            matvar_t *member = ((matvar_t **)var->data)[i];
            if (!member)
                RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s{%zu} cannot be read", mat->path, name, i + 1));
            RETC_TRY(add_any(mat, member, retc_strf("%s{%zu}", name, i + 1), field, depth + 1, found));
        }
    } else if (var->class_type == MAT_C_STRUCT && field && var->dims) {
        RETC_TRY(add_field(mat, var, name, field, depth, found));
    } else if (field) {
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is no structure with a field \"%s\"", mat->path, name, field));
    } else {
        return add_numbers(mat, var, name, found);
    }

done:
    retc_free(name);
    return status;
}

int
retc_mat5_find(retc_mat *mat, size_t number, const char *field, retc_mat_arrays *found) {
    int status = RETC_OK;
    const char *name = mat->names[number];
    matio_reason[0] = '\0';
    if (!mat->loaded[number])
        mat->loaded[number] = Mat_VarRead(mat->v5, name);
    if (!mat->loaded[number])
        RETC_TRY(fail_matio(mat, name));
    RETC_TRY(add_any(mat, mat->loaded[number], retc_strdup(name), field, 0, found));

done:
    if (status < 0)
        retc_mat_arrays_clear(found);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static double
value_at(const matvar_t *var, size_t i) {
    switch (var->data_type) {
    case MAT_T_INT8:
        return ((const int8_t *)var->data)[i];
    case MAT_T_UINT8:
        return ((const uint8_t *)var->data)[i];
    case MAT_T_INT16:
        return ((const int16_t *)var->data)[i];
    case MAT_T_UINT16:
        return ((const uint16_t *)var->data)[i];
    case MAT_T_INT32:
        return ((const int32_t *)var->data)[i];
    case MAT_T_UINT32:
        return ((const uint32_t *)var->data)[i];
    case MAT_T_INT64:
        return (double)((const int64_t *)var->data)[i];
    case MAT_T_UINT64:
        return (double)((const uint64_t *)var->data)[i];
    case MAT_T_SINGLE:
        return (double)((const float *)var->data)[i];
    default:
        return ((const double *)var->data)[i];
    }
}

int
retc_mat5_read(const retc_mat *mat, const retc_mat_array *array, const size_t *start, const size_t *count, double *out) {
    const matvar_t *var = array->place;
    size_t at[RETC_MAT_MAX_RANK] = {0}, n = 1;
    (void)mat;
    for (int d = 1; d < array->rank; ++d)
        n *= count[d];
    for (size_t run = 0; run < n; ++run) {
        size_t first = 0;
        for (int d = array->rank - 1; d >= 0; --d)
            first = first * array->shape[d] + start[d] + at[d];
        for (size_t i = 0; i < count[0]; ++i)
            *out++ = value_at(var, first + i);
        for (int d = 1; d < array->rank && ++at[d] == count[d]; ++d)
            at[d] = 0;
    }
    return RETC_OK;
}
