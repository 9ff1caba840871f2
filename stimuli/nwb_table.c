/* Tables of an NWB file: columns, ragged ones with their index, and copies of chosen rows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nwb.h"
#include "options.h"

/* ---- reading a table ------------------------------------------------------------------------------------------------- */

/* Number of values along the first axis of a dataset. */
static int
length_of(retc_h5 *h5, const char *path, size_t *n) {
    int rank = 0, status;
    size_t shape[RETC_H5_MAX_RANK] = {0};
    if ((status = retc_h5_shape(h5, path, &rank, shape)) < 0)
        return status;
    if (rank == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is a single value, expected a list", retc_h5_path(h5), path);
    *n = shape[0];
    return RETC_OK;
}

static int
read_column(retc_nwb_table *table, const char *name) {
    int status = RETC_OK;
    retc_nwb_column *column = &table->column[table->columns];
    retc_nwb_path path;
    if (retc_h5_look(table->h5, retc_nwb_in(&path, table->path, name), NULL) != RETC_H5_DATASET || strcmp(name, "id") == 0)
        return RETC_OK;
    ++table->columns;
    RETC_TRY(RETC_GOT(column->name = retc_strdup(name)));
    RETC_TRY(RETC_GOT(column->path = retc_strdup(path.text)));
    while (column->levels < RETC_NWB_LEVELS) {
        size_t n = strlen(path.text);
        if (n + 7 > sizeof path.text)
            break;
        memcpy(path.text + n, "_index", 7);
        if (retc_h5_look(table->h5, path.text, NULL) != RETC_H5_DATASET)
            break;
        RETC_TRY(RETC_GOT(column->index[column->levels++] = retc_strdup(path.text)));
    }

done:
    return status;
}

static int
is_index_name(const char *name, char *const *names, size_t n) {
    size_t length = strlen(name);
    if (length < 6 || strcmp(name + length - 6, "_index") != 0)
        return 0;
    for (size_t i = 0; i < n; ++i)
        if (strlen(names[i]) == length - 6 && strncmp(names[i], name, length - 6) == 0)
            return 1;
    return 0;
}

/* The columns that colnames lists, in its order; then those it forgets. */
static int
read_columns(retc_nwb_table *table) {
    int status = RETC_OK;
    char **listed = NULL, **members = NULL;
    size_t n = 0, m = 0;
    if (retc_h5_has_attribute(table->h5, table->path, "colnames"))
        RETC_TRY(retc_h5_get_texts(table->h5, table->path, "colnames", &listed, &n));
    RETC_TRY(retc_h5_members(table->h5, table->path, &members, &m));
    RETC_TRY(RETC_ALLOC(table->column, n + m));
    for (size_t i = 0; i < n; ++i)
        if (!retc_nwb_table_column(table, listed[i]))
            RETC_TRY(read_column(table, listed[i]));
    for (size_t i = 0; i < m; ++i)
        if (!retc_nwb_table_column(table, members[i]) && !is_index_name(members[i], members, m))
            RETC_TRY(read_column(table, members[i]));

done:
    retc_free(listed);
    retc_free(members);
    return status;
}

/* Rows as id says, else as the first column does; then they are numbered from 0. */
static int
read_rows(retc_nwb_table *table) {
    int status = RETC_OK;
    retc_nwb_path path;
    void *id = NULL;
    if (retc_h5_has(table->h5, retc_nwb_in(&path, table->path, "id"))) {
        RETC_TRY(retc_h5_read_new(table->h5, path.text, RETC_H5_INT64, 1, &table->rows, &id));
        table->id = id;
        goto done;
    }
    if (table->columns > 0) {
        const retc_nwb_column *column = &table->column[0];
        RETC_TRY(length_of(table->h5, column->levels ? column->index[column->levels - 1] : column->path, &table->rows));
    }
    RETC_TRY(RETC_ALLOC(table->id, table->rows));
    for (size_t i = 0; i < table->rows; ++i)
        table->id[i] = (int64_t)i;

done:
    return status;
}

int
retc_nwb_table_read(retc_h5 *h5, const char *path, retc_nwb_table *table) {
    int status = RETC_OK;
    *table = (retc_nwb_table){.h5 = h5};
    RETC_TRY(RETC_GOT(table->path = retc_strdup(path)));
    RETC_TRY(read_columns(table));
    RETC_TRY(read_rows(table));

done:
    return status;
}

void
retc_nwb_table_clear(retc_nwb_table *table) {
    for (size_t i = 0; i < table->columns; ++i) {
        retc_free(table->column[i].name);
        retc_free(table->column[i].path);
        for (int level = 0; level < RETC_NWB_LEVELS; ++level)
            retc_free(table->column[i].index[level]);
    }
    retc_free(table->column);
    retc_free(table->id);
    retc_free(table->path);
    *table = (retc_nwb_table){0};
}

const retc_nwb_column *
retc_nwb_table_column(const retc_nwb_table *table, const char *name) {
    for (size_t i = 0; i < table->columns; ++i)
        if (strcmp(table->column[i].name, name) == 0)
            return &table->column[i];
    return NULL;
}

/* ---- ragged columns -------------------------------------------------------------------------------------------------- */

static int
check_rows(const retc_nwb_table *table, const char *path, size_t found) {
    if (found == table->rows)
        return RETC_OK;
    return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %zu rows, the table has %zu", retc_h5_path(table->h5), path, found,
                     table->rows);
}

/* Ends of an index into a list of `n` values, as n+1 offsets. */
static int
read_index(const retc_nwb_table *table, const char *path, size_t n, size_t **offset, size_t *entries) {
    int status = RETC_OK;
    void *read = NULL;
    RETC_TRY(retc_h5_read_new(table->h5, path, RETC_H5_INT64, 1, entries, &read));
    const int64_t *end = read;
    RETC_TRY(RETC_ALLOC(*offset, *entries + 1));
    for (size_t i = 0; i < *entries; ++i) {
        if (end[i] < 0 || (uint64_t)end[i] > n || (size_t)end[i] < (*offset)[i])
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %lld in row %zu: expected ascending ends up to %zu",
                               retc_h5_path(table->h5), path, (long long)end[i], i, n));
        (*offset)[i + 1] = (size_t)end[i];
    }

done:
    retc_free(read);
    return status;
}

int
retc_nwb_offsets(const retc_nwb_table *table, const retc_nwb_column *column, size_t **offset) {
    int status = RETC_OK;
    size_t *inner = NULL, *outer = NULL, n = 0, entries = 0;
    RETC_TRY(length_of(table->h5, column->path, &n));
    if (column->levels == 0) {
        RETC_TRY(check_rows(table, column->path, n));
        RETC_TRY(RETC_ALLOC(inner, n + 1));
        for (size_t i = 0; i < n; ++i)
            inner[i + 1] = i + 1;
    }
    for (int level = 0; level < column->levels; ++level) {
        RETC_TRY(read_index(table, column->index[level], level ? entries : n, &outer, &entries));
        for (size_t i = 0; level > 0 && i <= entries; ++i)
            outer[i] = inner[outer[i]];
        retc_free(inner);
        inner = outer;
        outer = NULL;
    }
    if (column->levels > 0)
        RETC_TRY(check_rows(table, column->index[column->levels - 1], entries));
    *offset = inner;
    inner = NULL;

done:
    retc_free(inner);
    retc_free(outer);
    return status;
}

int
retc_nwb_numbers(const retc_nwb_table *table, const retc_nwb_column *column, double **value) {
    void *read = NULL;
    size_t n = 0;
    if (column->levels > 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is ragged, expected one number per row", retc_h5_path(table->h5),
                         column->path);
    int status = retc_h5_read_new(table->h5, column->path, RETC_H5_DOUBLE, 1, &n, &read);
    if (status == RETC_OK)
        status = check_rows(table, column->path, n);
    if (status < 0) {
        retc_free(read);
        return status;
    }
    *value = read;
    return RETC_OK;
}

/* ---- looking for values ---------------------------------------------------------------------------------------------- */

static int
is_text(retc_h5 *h5, const char *path) {
    return strcmp(retc_h5_stored_type(h5, path), "text") == 0;
}

/* Truth values, which h5py stores as an enumeration, are numbers as well. */
static int
is_number(retc_h5 *h5, const char *path) {
    return retc_h5_is_enumeration(h5, path) || strcmp(retc_h5_stored_type(h5, path), "other") != 0;
}

static int
parse_value(const char *text, double *value) {
    if (strcmp(text, "true") == 0 || strcmp(text, "True") == 0 || strcmp(text, "false") == 0 || strcmp(text, "False") == 0) {
        *value = text[0] == 't' || text[0] == 'T';
        return RETC_OK;
    }
    return retc_parse_double(text, value);
}

int
retc_nwb_match(const retc_nwb_table *table, const retc_nwb_column *column, const char *text, int *match) {
    int status = RETC_OK, reference = retc_h5_is_reference(table->h5, column->path), rank = 0;
    size_t *offset = NULL, n = 0, shape[RETC_H5_MAX_RANK];
    char **words = NULL;
    void *numbers = NULL;
    double wanted = 0;
    RETC_TRY(retc_h5_shape(table->h5, column->path, &rank, shape));
    if (rank != 1)
        goto done;
    if (reference)
        RETC_TRY(retc_h5_read_references(table->h5, column->path, &words, &n));
    else if (is_text(table->h5, column->path))
        RETC_TRY(retc_h5_read_texts(table->h5, column->path, &words, &n));
    else if (is_number(table->h5, column->path) && parse_value(text, &wanted) == RETC_OK)
        RETC_TRY(retc_h5_read_new(table->h5, column->path, RETC_H5_DOUBLE, 1, &n, &numbers));
    else
        goto done;
    RETC_TRY(retc_nwb_offsets(table, column, &offset));
    for (size_t row = 0; row < table->rows; ++row)
        for (size_t i = offset[row]; i < offset[row + 1]; ++i)
            match[row] |= words ? strcmp(words[i], text) == 0 : ((const double *)numbers)[i] == wanted;

done:
    retc_free(words);
    retc_free(numbers);
    retc_free(offset);
    return status;
}

/* ---- copying --------------------------------------------------------------------------------------------------------- */

/* A column's values at the places `at`, text or paths that references lead to. */
static int
copy_texts(const retc_nwb_table *table, const char *path, int reference, const size_t *at, size_t n, retc_h5 *to,
           const char *name) {
    int status = RETC_OK;
    char **words = NULL;
    const char **chosen = NULL;
    size_t all = 0;
    if (reference)
        RETC_TRY(retc_h5_read_references(table->h5, path, &words, &all));
    else
        RETC_TRY(retc_h5_read_texts(table->h5, path, &words, &all));
    RETC_TRY(RETC_ALLOC(chosen, n));
    for (size_t i = 0; i < n; ++i)
        chosen[i] = words[at[i]];
    RETC_TRY(retc_h5_put_texts(to, name, n, chosen));

done:
    retc_free(words);
    retc_free(chosen);
    return status;
}

/* Numbers of one value, or an array of values, per entry. */
static int
copy_numbers(const retc_nwb_table *table, const char *path, const size_t *at, size_t n, retc_h5 *to, const char *name) {
    int status = RETC_OK, rank = 0;
    size_t shape[RETC_H5_MAX_RANK] = {0}, start[RETC_H5_MAX_RANK] = {0}, width = 1;
    retc_h5_type type = retc_h5_stored_type(table->h5, path)[0] == 'f' ? RETC_H5_DOUBLE : RETC_H5_INT64;
    double *values = NULL; /* or integers of the same size */
    RETC_TRY(retc_h5_shape(table->h5, path, &rank, shape));
    for (int d = 1; d < rank; ++d)
        width *= shape[d];
    if (n > 0 && width > SIZE_MAX / n / sizeof *values)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "%s: \"%s\" is larger than memory can address", retc_h5_path(table->h5), path));
    RETC_TRY(RETC_ALLOC(values, n * width));
    for (size_t i = 0; i < n; i += shape[0]) {
        start[0] = at[i];
        shape[0] = 1;
        while (i + shape[0] < n && at[i + shape[0]] == at[i] + shape[0])
            ++shape[0];
        RETC_TRY(retc_h5_read(table->h5, path, type, start, shape, values + i * width));
    }
    shape[0] = n;
    RETC_TRY(retc_h5_put(to, name, type, rank, shape, values));

done:
    retc_free(values);
    return status;
}

/* Ends of the chosen rows within what is copied. */
static int
copy_index(const size_t *offset, const size_t *row, size_t rows, retc_h5 *to, const char *name) {
    int status = RETC_OK;
    int64_t *end = NULL;
    char *index = NULL;
    RETC_TRY(RETC_ALLOC(end, rows));
    RETC_TRY(RETC_GOT(index = retc_strf("%s_index", name)));
    for (size_t i = 0; i < rows; ++i)
        end[i] = (i ? end[i - 1] : 0) + (int64_t)(offset[row[i] + 1] - offset[row[i]]);
    RETC_TRY(retc_h5_put(to, index, RETC_H5_INT64, 1, &rows, end));

done:
    retc_free(end);
    retc_free(index);
    return status;
}

int
retc_nwb_copy(const retc_nwb_table *table, const retc_nwb_column *column, const size_t *row, size_t rows, retc_h5 *to,
              const char *name) {
    int status = RETC_OK, rank = 0, reference = retc_h5_is_reference(table->h5, column->path);
    int text = is_text(table->h5, column->path);
    size_t *offset = NULL, *at = NULL, n = 0, shape[RETC_H5_MAX_RANK];
    RETC_TRY(retc_h5_shape(table->h5, column->path, &rank, shape));
    if (rank == 0 || column->levels > 1 || (reference || text ? rank != 1 : !is_number(table->h5, column->path)))
        return 0;
    RETC_TRY(retc_nwb_offsets(table, column, &offset));
    for (size_t i = 0; i < rows; ++i)
        n += offset[row[i] + 1] - offset[row[i]];
    RETC_TRY(RETC_ALLOC(at, n));
    n = 0;
    for (size_t i = 0; i < rows; ++i)
        for (size_t k = offset[row[i]]; k < offset[row[i] + 1]; ++k)
            at[n++] = k;
    if (reference || text)
        RETC_TRY(copy_texts(table, column->path, reference, at, n, to, name));
    else
        RETC_TRY(copy_numbers(table, column->path, at, n, to, name));
    if (column->levels > 0)
        RETC_TRY(copy_index(offset, row, rows, to, name));
    status = 1;

done:
    retc_free(offset);
    retc_free(at);
    return status;
}
