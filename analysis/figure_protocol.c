#include "figure_protocol.h"

#include <math.h>
#include <string.h>

enum { MOST_COLUMNS = 8, MOST_PARAMETERS = 32, MOST_LINES = 4 };

typedef struct {
    retc_h5 *file;
    size_t N, C, B, columns, places;
    double *time;     /* (B) s */
    double *duration; /* (C) s */
    double *index;    /* (N), NULL: none */
    char *protocol, *index_name, *index_unit, **type;
    float *psth;     /* (columns,B) of one cell */
    float *stimulus; /* (B,places) of one condition */
    size_t parameters;
    char **parameter, *unit[MOST_PARAMETERS];
    double *value[MOST_PARAMETERS]; /* (C) */
} protocol_file;

/* ---- reading --------------------------------------------------------------------------------------------------------- */

static int
read_doubles(retc_h5 *file, const char *name, size_t n, double **out) {
    void *data = NULL;
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, name, 1, &n, NULL));
    RETC_TRY(retc_h5_read_new(file, name, RETC_H5_DOUBLE, 1, NULL, &data));
    *out = data;
done:
    return status;
}

/* Parameters that differ between conditions, but for times, which follow from the others. */
static int
read_parameters(protocol_file *p) {
    int status = RETC_OK;
    size_t n = 0, kept = 0;
    RETC_TRY(retc_h5_members(p->file, "conditions", &p->parameter, &n));
    for (size_t i = 0; i < n && kept < MOST_PARAMETERS; ++i) {
        char path[160];
        int differs = 0;
        size_t length = strlen(p->parameter[i]);
        snprintf(path, sizeof path, "conditions/%s", p->parameter[i]);
        RETC_TRY(read_doubles(p->file, path, p->C, &p->value[kept]));
        for (size_t c = 1; c < p->C; ++c)
            differs |= p->value[kept][c] != p->value[kept][0];
        if (!differs || (length > 5 && strcmp(p->parameter[i] + length - 5, "_time") == 0)) {
            retc_free(p->value[kept]);
            p->value[kept] = NULL;
            continue;
        }
        if (retc_h5_get_text(p->file, path, "unit", &p->unit[kept]) < 0)
            p->unit[kept] = NULL;
        p->parameter[kept++] = p->parameter[i];
        p->parameters = kept;
    }

done:
    return status;
}

static int
read_index(protocol_file *p) {
    int status = RETC_OK;
    char path[160];
    if (retc_h5_get_text(p->file, "/", "main_index", &p->index_name) < 0)
        return RETC_OK;
    snprintf(path, sizeof path, "index/%s", p->index_name);
    RETC_TRY(read_doubles(p->file, path, p->N, &p->index));
    RETC_TRY(retc_h5_get_text(p->file, path, "unit", &p->index_unit));

done:
    return status;
}

static int
open_protocol(retc_h5 *file, protocol_file *p) {
    int status = RETC_OK;
    size_t shape[3], stimulus[3], n = 0;
    p->file = file;
    RETC_TRY(retc_h5_expect(file, "psth", 3, NULL, shape));
    p->N = shape[0], p->C = shape[1], p->B = shape[2];
    if (p->N == 0 || p->C == 0 || p->B == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"psth\" is empty", retc_h5_path(file)));
    p->columns = p->C < MOST_COLUMNS ? p->C : MOST_COLUMNS;
    RETC_TRY(retc_h5_get_text(file, "/", "protocol", &p->protocol));
    RETC_TRY(read_doubles(file, "time", p->B, &p->time));
    RETC_TRY(read_doubles(file, "duration", p->C, &p->duration));
    RETC_TRY(read_parameters(p));
    RETC_TRY(read_index(p));
    if (retc_h5_has(file, "cell_types")) {
        RETC_TRY(retc_h5_read_texts(file, "cell_types", &p->type, &n));
        if (n != p->N)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: %zu types of %zu cells", retc_h5_path(file), n, p->N));
    }
    if (retc_h5_has(file, "stimulus")) {
        RETC_TRY(retc_h5_expect(file, "stimulus", 3, (size_t[]){p->C, p->B, 0}, stimulus));
        p->places = stimulus[2];
        RETC_TRY(RETC_ALLOC(p->stimulus, p->B * p->places));
    }
    RETC_TRY(RETC_ALLOC(p->psth, p->columns * p->B));

done:
    return status;
}

static void
close_protocol(protocol_file *p) {
    retc_free(p->time);
    retc_free(p->duration);
    retc_free(p->index);
    retc_free(p->protocol);
    retc_free(p->index_name);
    retc_free(p->index_unit);
    retc_free(p->type);
    retc_free(p->psth);
    retc_free(p->stimulus);
    retc_free(p->parameter);
    for (size_t i = 0; i < MOST_PARAMETERS; ++i) {
        retc_free(p->value[i]);
        retc_free(p->unit[i]);
    }
}

static int
read_cell(protocol_file *p, size_t cell, double *largest) {
    const size_t start[3] = {cell, 0, 0}, count[3] = {1, p->columns, p->B};
    int status = retc_h5_read(p->file, "psth", RETC_H5_FLOAT, start, count, p->psth);
    *largest = 0;
    for (size_t i = 0; status >= 0 && i < p->columns * p->B; ++i)
        *largest = isfinite(p->psth[i]) ? fmax(*largest, (double)p->psth[i]) : *largest;
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

/* The type of row `row`, counted over types in the order of their first cells; NULL when there are fewer. */
static const char *
type_of_row(const protocol_file *p, size_t row) {
    for (size_t j = 0; j < p->N; ++j) {
        size_t before = 0;
        while (before < j && strcmp(p->type[before], p->type[j]) != 0)
            ++before;
        if (before == j && row-- == 0)
            return p->type[j];
    }
    return NULL;
}

static size_t
count_rows(const protocol_file *p, const retc_figure_cells *cells) {
    size_t rows = 0;
    if (!p->type)
        return cells->n;
    while (type_of_row(p, rows))
        ++rows;
    return rows;
}

/* The cell that a row shows, and its title. */
static int
choose_cell(protocol_file *p, const retc_figure_cells *cells, size_t row, size_t *cell, char *title, size_t room) {
    int status = RETC_OK;
    double most = -1, largest;
    size_t alike = 0;
    char **names = NULL;
    if (!p->type) {
        *cell = cells->index[row];
        snprintf(title, room, "%s", cells->name[row]);
        return RETC_OK;
    }
    const char *type = type_of_row(p, row);
    for (size_t j = 0; j < p->N; ++j) {
        if (strcmp(p->type[j], type) != 0)
            continue;
        alike += 1;
        RETC_TRY(read_cell(p, j, &largest));
        if (largest > most) {
            most = largest;
            *cell = j;
        }
    }
    size_t n = 0;
    RETC_TRY(retc_h5_read_texts(p->file, "cell_names", &names, &n));
    snprintf(title, room, "%s: %s of %zu", type, *cell < n ? names[*cell] : "", alike);

done:
    retc_free(names);
    return status;
}

/* ---- printing -------------------------------------------------------------------------------------------------------- */

/* "drifting-grating; columns: direction (degrees)" */
static void
print_title(const protocol_file *p, FILE *table) {
    char title[256];
    size_t used = (size_t)snprintf(title, sizeof title, "%s", p->protocol[0] ? p->protocol : "conditions");
    for (size_t i = 0; i < p->parameters && used < sizeof title; ++i)
        used += (size_t)snprintf(title + used, sizeof title - used, "%s%s%s%s%s", i ? ", " : ":  ", p->parameter[i],
                                 p->unit[i] ? " (" : "", p->unit[i] ? p->unit[i] : "", p->unit[i] ? ")" : "");
    if (p->columns < p->C && used < sizeof title)
        snprintf(title + used, sizeof title - used, ";  first %zu of %zu conditions", p->columns, p->C);
    retc_table_text(table, title);
}

static void
print_figure(const protocol_file *p, size_t rows, FILE *table) {
    char label[128] = "";
    double lowest = 0, highest = 1, to = p->time[p->B - 1] + p->time[p->B - 1] - p->time[p->B > 1 ? p->B - 2 : 0];
    if (p->index)
        snprintf(label, sizeof label, "%s%s%s%s", p->index_name, p->index_unit[0] ? " (" : "", p->index_unit,
                 p->index_unit[0] ? ")" : "");
    for (char *c = label; *c; ++c) /* "f2_f1" is a ratio */
        *c = *c != '_' ? *c : label[0] == 'f' && label[2] == '_' ? '/' : ' ';
    for (size_t j = 0; p->index && j < p->N; ++j)
        if (isfinite(p->index[j])) {
            lowest = fmin(lowest, p->index[j]);
            highest = fmax(highest, p->index[j]);
        }
    retc_table_block(table, "figure", "title columns rows from_s to_s places index_label index_lowest index_highest lines");
    print_title(p, table);
    retc_table_number(table, (double)p->columns);
    retc_table_number(table, (double)rows);
    retc_table_number(table, p->time[0]);
    retc_table_number(table, to);
    retc_table_number(table, (double)p->places);
    retc_table_text(table, label);
    retc_table_number(table, lowest);
    retc_table_number(table, highest);
    retc_table_number(table, (double)(p->parameters < MOST_LINES ? p->parameters : MOST_LINES));
    retc_table_end_row(table);
}

static void
print_columns(const protocol_file *p, FILE *table) {
    retc_table_block(table, "conditions", "number duration_s, values of the parameters from above downwards");
    for (size_t c = 0; c < p->columns; ++c) {
        retc_table_number(table, (double)(c + 1));
        retc_table_number(table, p->duration[c]);
        for (size_t i = 0; i < MOST_LINES; ++i) {
            char value[32] = "";
            if (i < p->parameters)
                snprintf(value, sizeof value, "%.4g", p->value[i][c]);
            retc_table_text(table, value);
        }
        retc_table_end_row(table);
    }
}

static int
print_stimulus(protocol_file *p, size_t c, FILE *table) {
    int status = RETC_OK;
    char name[48];
    const size_t start[3] = {c, 0, 0}, count[3] = {1, p->B, p->places};
    RETC_TRY(retc_h5_read(p->file, "stimulus", RETC_H5_FLOAT, start, count, p->stimulus));
    snprintf(name, sizeof name, "stimulus %zu", c + 1);
    retc_table_block(table, name, "time_s place level");
    for (size_t b = 0; b < p->B; ++b) {
        for (size_t i = 0; i < p->places; ++i) {
            retc_table_number(table, p->time[b]);
            retc_table_number(table, (double)i);
            retc_table_number(table, (double)p->stimulus[b * p->places + i]);
            retc_table_end_row(table);
        }
    }

done:
    return status;
}

static int
print_row(protocol_file *p, const retc_figure_cells *cells, size_t row, FILE *table) {
    int status = RETC_OK;
    char name[64];
    size_t cell = 0;
    double largest;
    RETC_TRY(choose_cell(p, cells, row, &cell, name, sizeof name));
    RETC_TRY(read_cell(p, cell, &largest));
    for (size_t c = 0; c < p->columns; ++c) {
        snprintf(name, sizeof name, "psth %zu %zu", row + 1, c + 1);
        retc_table_block(table, name, "time_s rate_Hz");
        for (size_t b = 0; b < p->B; ++b) {
            retc_table_number(table, p->time[b]);
            retc_table_number(table, (double)p->psth[c * p->B + b]);
            retc_table_end_row(table);
        }
    }

done:
    return status;
}

static int
print_rows(protocol_file *p, const retc_figure_cells *cells, size_t rows, FILE *table) {
    int status = RETC_OK;
    char title[96];
    size_t cell = 0;
    double largest;
    retc_table_block(table, "rows", "number title rate_max_Hz");
    for (size_t row = 0; row < rows; ++row) {
        RETC_TRY(choose_cell(p, cells, row, &cell, title, sizeof title));
        RETC_TRY(read_cell(p, cell, &largest));
        retc_table_number(table, (double)(row + 1));
        retc_table_text(table, title);
        retc_table_number(table, largest);
        retc_table_end_row(table);
    }
    retc_table_block(table, "index", "row value");
    for (size_t row = 0; row < rows; ++row)
        for (size_t j = 0; j < p->N; ++j)
            if (p->index && (p->type ? !strcmp(p->type[j], type_of_row(p, row)) : j == cells->index[row])) {
                retc_table_number(table, (double)(row + 1));
                retc_table_number(table, p->index[j]);
                retc_table_end_row(table);
            }

done:
    return status;
}

int
retc_figure_protocol(retc_h5 *file, const retc_figure_cells *cells, FILE *table) {
    int status = RETC_OK;
    protocol_file p = {0};
    RETC_TRY(open_protocol(file, &p));
    size_t rows = count_rows(&p, cells);
    print_figure(&p, rows, table);
    print_columns(&p, table);
    RETC_TRY(print_rows(&p, cells, rows, table));
    for (size_t c = 0; p.places > 0 && c < p.columns; ++c)
        RETC_TRY(print_stimulus(&p, c, table));
    for (size_t row = 0; row < rows; ++row)
        RETC_TRY(print_row(&p, cells, row, table));

done:
    close_protocol(&p);
    return status;
}
