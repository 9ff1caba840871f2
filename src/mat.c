#include "mat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mat_internal.h"

/* ---- opening --------------------------------------------------------------------------------------------------------- */

/* v7.3 files begin with the HDF5 signature after a user block of 512 bytes or none, v5 files with 124 bytes of text, then
 * version and byte order.  What a file is: 5, 73, 0 for neither, or negative. */
static int
look_at_version(const char *path) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char head[520] = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    size_t got = fread(head, 1, sizeof head, file);
    fclose(file);
    if (memcmp(head, signature, 8) == 0 || memcmp(head + 512, signature, 8) == 0)
        return 73;
    int little = head[126] == 'I' && head[127] == 'M' && head[125] == 1,
        big = head[126] == 'M' && head[127] == 'I' && head[124] == 1;
    return got >= 128 && (little || big) ? 5 : 0;
}

retc_mat *
retc_mat_open(const char *path) {
    int status = RETC_OK, version;
    retc_mat *mat = NULL;
    RETC_TRY(version = look_at_version(path));
    if (version == 0)
        RETC_TRY(RETC_FAIL(
            RETC_EFORMAT, "%s: not a MATLAB file of version 5 or 7.3; in MATLAB, save(\"%s\", \"-v7\") makes one", path, path));
    RETC_TRY(RETC_ALLOC(mat, 1));
    RETC_TRY(RETC_GOT(mat->path = retc_strdup(path)));
    RETC_TRY(version == 5 ? retc_mat5_open(mat) : retc_mat73_open(mat));

done:
    if (status < 0) {
        retc_mat_close(mat);
        return NULL;
    }
    return mat;
}

void
retc_mat_close(retc_mat *mat) {
    if (!mat)
        return;
    retc_mat5_close(mat);
    retc_mat73_close(mat);
    retc_free(mat->names);
    retc_free(mat->path);
    retc_free(mat);
}

const char *
retc_mat_path(const retc_mat *mat) {
    return mat->path;
}

const char *
retc_mat_version(const retc_mat *mat) {
    return mat->h5 ? "v7.3" : "v5";
}

char *const *
retc_mat_names(const retc_mat *mat, size_t *n) {
    *n = mat->n;
    return mat->names;
}

/* ---- finding --------------------------------------------------------------------------------------------------------- */

size_t
retc_mat_number(const retc_mat *mat, const char *name) {
    size_t length = strcspn(name, "."), i = 0;
    while (i < mat->n && (strncmp(mat->names[i], name, length) != 0 || mat->names[i][length] != '\0'))
        ++i;
    return i;
}

int
retc_mat_has(const retc_mat *mat, const char *name) {
    return retc_mat_number(mat, name) < mat->n;
}

static int
fail_missing(const retc_mat *mat, const char *name) {
    char list[400] = "";
    for (size_t i = 0; i < mat->n; ++i) {
        size_t used = strlen(list);
        if (used + strlen(mat->names[i]) + 8 > sizeof list) {
            snprintf(list + used, sizeof list - used, ", ...");
            break;
        }
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", mat->names[i]);
    }
    return RETC_FAIL(RETC_EFORMAT, "%s: has no variable \"%s\"; it has: %s", mat->path, name, list[0] ? list : "none");
}

int
retc_mat_find(retc_mat *mat, const char *name, retc_mat_arrays *found) {
    size_t number = retc_mat_number(mat, name);
    const char *dot = strchr(name, '.');
    *found = (retc_mat_arrays){0};
    if (number == mat->n)
        return fail_missing(mat, name);
    return mat->h5 ? retc_mat73_find(mat, number, dot ? dot + 1 : NULL, found)
                   : retc_mat5_find(mat, number, dot ? dot + 1 : NULL, found);
}

int
retc_mat_add(retc_mat_arrays *found, char *name, retc_mat_array **array) {
    size_t n = found->n;
    if (!name)
        return RETC_ENOMEM;
    /* Room doubles whenever the number is a power of two. */
    if ((n & (n - 1)) == 0) {
        retc_mat_array *grown = retc_calloc(n ? 2 * n : 1, sizeof *grown);
        if (!grown) {
            retc_free(name);
            return RETC_ENOMEM;
        }
        if (n)
            memcpy(grown, found->array, n * sizeof *grown);
        retc_free(found->array);
        found->array = grown;
    }
    *array = &found->array[found->n++];
    (*array)->name = name;
    return RETC_OK;
}

int
retc_mat_count(const retc_mat *mat, retc_mat_array *array) {
    array->n = 1;
    for (int d = 0; d < array->rank; ++d)
        if (__builtin_mul_overflow(array->n, array->shape[d], &array->n) || array->n > SIZE_MAX / sizeof(double))
            return RETC_FAIL(RETC_EFORMAT, "%s: %s is larger than memory can address", mat->path, array->name);
    return RETC_OK;
}

void
retc_mat_arrays_clear(retc_mat_arrays *arrays) {
    for (size_t i = 0; i < arrays->n; ++i)
        retc_free(arrays->array[i].name);
    retc_free(arrays->array);
    *arrays = (retc_mat_arrays){0};
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

int
retc_mat_read(retc_mat *mat, const retc_mat_array *array, const size_t *start, const size_t *count, double *out) {
    size_t zero[RETC_MAT_MAX_RANK] = {0}, values = 1;
    if (!start)
        start = zero;
    if (!count)
        count = array->shape;
    for (int d = 0; d < array->rank; ++d) {
        if (start[d] > array->shape[d] || count[d] > array->shape[d] - start[d])
            return RETC_FAIL(RETC_EINVAL, "%s: %zu values from %zu on are asked for along axis %d of %s, which has %zu",
                             mat->path, count[d], start[d], d + 1, array->name, array->shape[d]);
        values *= count[d];
    }
    if (values == 0)
        return RETC_OK;
    return mat->h5 ? retc_mat73_read(mat, array, start, count, out) : retc_mat5_read(mat, array, start, count, out);
}
