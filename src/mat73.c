/* MATLAB v7.3 files: HDF5 whose axes are those of MATLAB in the opposite order; cells and elements of structure arrays are
 * references into /#refs#. */
#include <stdio.h>
#include <string.h>

#include "h5_object.h"
#include "mat_internal.h"

int
retc_mat73_open(retc_mat *mat) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(mat->h5 = retc_h5_open(mat->path)));
    RETC_TRY(retc_h5_members(mat->h5, "/", &mat->names, &mat->n));
    /* "#refs#" and "#subsystem#" are no variables. */
    size_t kept = 0;
    for (size_t i = 0; i < mat->n; ++i)
        if (mat->names[i][0] != '#')
            mat->names[kept++] = mat->names[i];
    mat->n = kept;

done:
    return status;
}

void
retc_mat73_close(retc_mat *mat) {
    for (size_t i = 0; i < mat->n_paths; ++i)
        retc_free(mat->paths[i]);
    retc_free(mat->paths);
    retc_h5_close(mat->h5);
}

/* ---- finding --------------------------------------------------------------------------------------------------------- */

/* Arrays point to their path; it lives as long as the file is open. */
static int
keep_path(retc_mat *mat, const char *path, const char **kept) {
    int status = RETC_OK;
    size_t n = mat->n_paths;
    char **grown = NULL;
    if ((n & (n - 1)) == 0) {
        RETC_TRY(RETC_ALLOC(grown, n ? 2 * n : 1));
        if (n)
            memcpy(grown, mat->paths, n * sizeof *grown);
        retc_free(mat->paths);
        mat->paths = grown;
    }
    RETC_TRY(RETC_GOT(mat->paths[n] = retc_strdup(path)));
    mat->n_paths = n + 1;
    *kept = mat->paths[n];

done:
    return status;
}

/* "double", "cell", ...; "" when the file does not say. */
static int
class_of(retc_mat *mat, const char *path, char *text, size_t room) {
    int status = RETC_OK;
    char *class = NULL;
    text[0] = '\0';
    if (!retc_h5_has_attribute(mat->h5, path, "MATLAB_class"))
        return RETC_OK;
    RETC_TRY(retc_h5_get_text(mat->h5, path, "MATLAB_class", &class));
    snprintf(text, room, "%s", class);

done:
    retc_free(class);
    return status;
}

/* 1 when the data are but the size of an empty array. */
static int
is_empty(retc_mat *mat, const char *path) {
    double empty = 0;
    int status = retc_h5_get_number(mat->h5, path, "MATLAB_empty", &empty);
    return status < 0 ? status : empty != 0;
}

static int
add_numbers(retc_mat *mat, const char *path, const char *class, char *name, retc_mat_arrays *found) {
    int status = RETC_OK, rank = 0, empty;
    size_t shape[RETC_H5_MAX_RANK] = {0};
    retc_mat_array *array = NULL;
    const char *kept, *stored;
    RETC_TRY(retc_mat_add(found, name, &array));
    stored = retc_h5_stored_type(mat->h5, path);
    if (strcmp(class, "char") == 0 || strcmp(stored, "text") == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is text, expected numbers", mat->path, name));
    if (strcmp(stored, "other") == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is complex or an object, expected numbers", mat->path, name));
    RETC_TRY(empty = is_empty(mat, path));
    RETC_TRY(retc_h5_shape(mat->h5, path, &rank, shape));
    /* Programs other than MATLAB write vectors of one axis. */
    array->rank = rank < 2 ? 2 : rank;
    for (int d = 0; d < array->rank; ++d)
        array->shape[d] = empty ? 0 : d < rank ? shape[rank - 1 - d] : 1;
    RETC_TRY(retc_mat_count(mat, array));
    RETC_TRY(keep_path(mat, path, &kept));
    array->place = kept;
    status = RETC_OK;

done:
    return status;
}

static int add_any(retc_mat *mat, const char *path, char *name, const char *field, int depth, retc_mat_arrays *found);

/* Arrays that a dataset refers to: the cells of a cell array, or a field of a structure array. */
static int
add_references(retc_mat *mat, const char *path, const char *name, int is_cell, const char *field, int depth,
               retc_mat_arrays *found) {
    int status = RETC_OK;
    char **to = NULL;
    size_t n = 0;
    found->is_list = 1;
    int empty;
    RETC_TRY(empty = is_empty(mat, path));
    status = RETC_OK;
    if (empty)
        goto done;
    RETC_TRY(retc_h5_read_references(mat->h5, path, &to, &n));
    for (size_t i = 0; i < n; ++i) {
        if (!to[i][0])
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: element %zu of %s refers to nothing", mat->path, i + 1, name));
        char *label = is_cell ? retc_strf("%s{%zu}", name, i + 1) : retc_strf("%s (element %zu)", name, i + 1);
        RETC_TRY(add_any(mat, to[i], label, field, depth + 1, found));
    }

done:
    retc_free(to);
    return status;
}

static int
add_field(retc_mat *mat, const char *path, const char *name, const char *field, int depth, retc_mat_arrays *found) {
    int status = RETC_OK;
    const char *dot = strchr(field, '.');
    char *below = retc_strf("%s/%.*s", path, (int)(dot ? (size_t)(dot - field) : strlen(field)), field), *label = NULL;
    RETC_TRY(RETC_GOT(below));
    if (retc_h5_look(mat->h5, below, NULL) == RETC_H5_NOTHING)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s has no field \"%.*s\"", mat->path, name,
                           (int)(dot ? (size_t)(dot - field) : strlen(field)), field));
    label = retc_strf("%s.%.*s", name, (int)(dot ? (size_t)(dot - field) : strlen(field)), field);
    RETC_TRY(add_any(mat, below, label, dot ? dot + 1 : NULL, depth + 1, found));

done:
    retc_free(below);
    return status;
}

/* `name` is kept. */
static int
add_any(retc_mat *mat, const char *path, char *name, const char *field, int depth, retc_mat_arrays *found) {
    int status = RETC_OK;
    char class[32];
    if (!name || depth > RETC_MAT_DEPTH || ++mat->visited > RETC_MAT_VISITS) {
        retc_free(name);
        return name ? RETC_FAIL(RETC_EFORMAT, "%s: cells are nested too deeply", mat->path) : RETC_ENOMEM;
    }
    RETC_TRY(class_of(mat, path, class, sizeof class));
    retc_h5_object object = retc_h5_look(mat->h5, path, NULL);
    if (object == RETC_H5_NOTHING) {
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is missing", mat->path, path));
    } else if (object == RETC_H5_GROUP) {
        if (retc_h5_has_attribute(mat->h5, path, "MATLAB_sparse"))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                               "%s: %s is a sparse array; in MATLAB, full() makes it a whole one, expected numbers", mat->path,
                               name));
        if (!field)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is a structure; name a field of it, \"a.b\", expected numbers", mat->path,
                               name));
        RETC_TRY(add_field(mat, path, name, field, depth, found));
    } else if (retc_h5_is_reference(mat->h5, path) || strcmp(class, "cell") == 0) {
        RETC_TRY(add_references(mat, path, name, strcmp(class, "cell") == 0, field, depth, found));
    } else if (field) {
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %s is no structure with a field \"%s\"", mat->path, name, field));
    } else {
        return add_numbers(mat, path, class, name, found);
    }

done:
    retc_free(name);
    return status;
}

int
retc_mat73_find(retc_mat *mat, size_t number, const char *field, retc_mat_arrays *found) {
    mat->visited = 0;
    int status = add_any(mat, mat->names[number], retc_strdup(mat->names[number]), field, 0, found);
    if (status < 0)
        retc_mat_arrays_clear(found);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

int
retc_mat73_read(retc_mat *mat, const retc_mat_array *array, const size_t *start, const size_t *count, double *out) {
    int status = RETC_OK, rank = 0;
    size_t stored[RETC_H5_MAX_RANK], from[RETC_H5_MAX_RANK], number[RETC_H5_MAX_RANK];
    RETC_TRY(retc_h5_shape(mat->h5, array->place, &rank, stored));
    for (int d = 0; d < rank; ++d) {
        from[rank - 1 - d] = start[d];
        number[rank - 1 - d] = count[d];
    }
    RETC_TRY(retc_h5_read(mat->h5, array->place, RETC_H5_DOUBLE, from, number, out));

done:
    return status;
}
