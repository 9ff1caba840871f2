#include "figure_table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void
retc_table_block(FILE *table, const char *name, const char *columns) {
    fprintf(table, "\n\n# %s\n# columns: %s\n", name, columns);
}

void
retc_table_number(FILE *table, double value) {
    if (isfinite(value))
        fprintf(table, "%.7g ", value + 0.0); /* which makes -0 a 0 */
    else
        fputs("NaN ", table);
}

/* gnuplot has no way to write a double quote within a quoted field. */
void
retc_table_text(FILE *table, const char *text) {
    fputc('"', table);
    for (; *text; ++text)
        fputc(*text == '"' ? '\'' : *text == '\n' ? ' ' : *text, table);
    fputs("\" ", table);
}

void
retc_table_end_row(FILE *table) {
    fputc('\n', table);
}

/* One block of `n` names: the file's, or cell01, cell02, ... */
static int
all_names(retc_h5 *file, const char *dataset, size_t n, char ***block) {
    enum { ROOM = 32 };
    size_t found = 0;
    int status = RETC_OK;
    if (retc_h5_has(file, dataset)) {
        RETC_TRY(retc_h5_read_texts(file, dataset, block, &found));
        if (found != n)
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" names %zu cells, expected %zu", retc_h5_path(file), dataset, found, n));
        return RETC_OK;
    }
    *block = retc_calloc(n, sizeof **block + ROOM);
    RETC_TRY(RETC_GOT(*block));
    for (size_t i = 0; i < n; ++i) {
        (*block)[i] = (char *)(*block + n) + i * ROOM;
        snprintf((*block)[i], ROOM, "cell%02zu", i + 1);
    }
done:
    return status;
}

static size_t
count_commas(const char *text) {
    size_t n = 0;
    for (; *text; ++text)
        n += *text == ',';
    return n;
}

static int
find_name(const retc_h5 *file, char *const *names, size_t total, const char *name, size_t length, size_t *index) {
    for (*index = 0; *index < total; ++*index)
        if (strlen(names[*index]) == length && !strncmp(names[*index], name, length))
            return RETC_OK;
    return RETC_FAIL(RETC_EINVAL, "%s: there is no cell \"%.*s\" among its %zu cells (%s%s%s)", retc_h5_path(file), (int)length,
                     name, total, total ? names[0] : "", total > 1 ? " ... " : "", total > 1 ? names[total - 1] : "");
}

/* Room for `n` cells of a file, and the names of all its cells. */
static int
begin_choice(retc_h5 *file, const char *cell_names, size_t total, size_t n, retc_figure_cells *cells) {
    int status = RETC_OK;
    *cells = (retc_figure_cells){.n = n, .total = total};
    RETC_TRY(all_names(file, cell_names, total, &cells->block));
    RETC_TRY(RETC_ALLOC(cells->index, n));
    RETC_TRY(RETC_ALLOC(cells->name, n));
done:
    return status;
}

int
retc_figure_cells_choose(retc_h5 *file, const char *cell_names, size_t total, const char *names, size_t most,
                         retc_figure_cells *cells) {
    int status = RETC_OK;
    size_t n = names ? count_commas(names) + 1 : total < most ? total : most;
    RETC_TRY(begin_choice(file, cell_names, total, n, cells));
    for (size_t i = 0; i < n; ++i) {
        cells->index[i] = i;
        if (names) {
            size_t length = strcspn(names, ",");
            RETC_TRY(find_name(file, cells->block, total, names, length, &cells->index[i]));
            names += length + 1;
        }
        cells->name[i] = cells->block[cells->index[i]];
    }
done:
    return status;
}

int
retc_figure_cells_match(retc_h5 *file, const char *cell_names, size_t total, const retc_figure_cells *like,
                        retc_figure_cells *cells) {
    int status = RETC_OK;
    RETC_TRY(begin_choice(file, cell_names, total, like->n, cells));
    for (size_t i = 0; i < like->n; ++i) {
        RETC_TRY(find_name(file, cells->block, total, like->name[i], strlen(like->name[i]), &cells->index[i]));
        cells->name[i] = cells->block[cells->index[i]];
    }
done:
    return status;
}

void
retc_figure_cells_free(retc_figure_cells *cells) {
    retc_free(cells->index);
    retc_free(cells->name);
    retc_free(cells->block);
    *cells = (retc_figure_cells){0};
}

static const char *
base_name(const retc_h5 *file) {
    const char *path = retc_h5_path(file), *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The name with that of the file behind it. */
static int
append_file(retc_h5 *const *files, size_t n, size_t i, char **name) {
    int alike = 0;
    for (size_t k = 0; k < n; ++k)
        alike |= k != i && !strcmp(base_name(files[k]), base_name(files[i]));
    char *longer = retc_strf("%s (%s)", *name, alike ? retc_h5_path(files[i]) : base_name(files[i]));
    if (!longer)
        return RETC_ENOMEM;
    retc_free(*name);
    *name = longer;
    return RETC_OK;
}

/* Abbreviations are written large, other names as they were given. */
static void
write_large(char *name) {
    static const char *const abbreviations[] = {"ln", "lnln", "glm", "cnn", "bncnn"};
    for (size_t i = 0; i < sizeof abbreviations / sizeof *abbreviations; ++i)
        if (!strcmp(name, abbreviations[i]))
            for (char *letter = name; *letter; ++letter)
                *letter = (char)toupper((unsigned char)*letter);
}

int
retc_figure_model_names(retc_h5 *const *files, size_t n, char ***names) {
    int status = RETC_OK, alike = 0;
    RETC_TRY(RETC_ALLOC(*names, n));
    for (size_t i = 0; i < n; ++i) {
        RETC_TRY(retc_h5_get_text(files[i], "/", "model_type", &(*names)[i]));
        write_large((*names)[i]);
        for (size_t k = 0; k < i; ++k)
            alike |= !strcmp((*names)[k], (*names)[i]);
    }
    for (size_t i = 0; alike && i < n; ++i)
        RETC_TRY(append_file(files, n, i, &(*names)[i]));
done:
    return status;
}

void
retc_figure_model_names_free(char **names, size_t n) {
    for (size_t i = 0; names && i < n; ++i)
        retc_free(names[i]);
    retc_free(names);
}

int
retc_figure_window(const double *time, size_t T, double start, double duration, size_t *first, size_t *count) {
    size_t i = 0, n = 0;
    if (T == 0)
        return RETC_FAIL(RETC_EFORMAT, "there is no sample to draw");
    /* A sample counts when it starts in the window; half a millionth of a second covers rounding. */
    while (i < T && time[i] < time[0] + start - 5e-7)
        ++i;
    while (i + n < T && time[i + n] < time[0] + start + duration - 5e-7)
        ++n;
    if (n == 0)
        return RETC_FAIL(RETC_EINVAL, "there is no sample from %g s on for %g s; samples go from 0 to %g s", start, duration,
                         time[T - 1] - time[0]);
    *first = i;
    *count = n;
    return RETC_OK;
}

static int
compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double
retc_figure_interval(const double *time, size_t T) {
    double *steps = T > 1 ? retc_calloc(T - 1, sizeof *steps) : NULL, median = 0;
    if (!steps)
        return 0;
    for (size_t i = 0; i + 1 < T; ++i)
        steps[i] = time[i + 1] - time[i];
    qsort(steps, T - 1, sizeof *steps, compare);
    median = steps[(T - 1) / 2];
    retc_free(steps);
    return median;
}
