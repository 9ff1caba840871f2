#include "import_columns.h"

#include <string.h>

#include "frame_clock.h"
#include "spikes.h"

int
retc_import_read_column(const char *path, retc_import_report *report, retc_text_column *column) {
    int status = RETC_OK;
    RETC_TRY(retc_text_read_column(path, column));
    if (column->header)
        RETC_TRY(retc_import_say(report, "note: taken as the name of a column: %s: \"%s\"", path, column->header));

done:
    return status;
}

int
retc_import_read_clock(const char *path, const char *what, retc_import_report *report, retc_text_column *column) {
    int status = RETC_OK;
    RETC_TRY(retc_import_read_column(path, report, column));
    if (column->n < 2)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has %zu %ss, expected at least 2", path, column->n, what));
    size_t wrong = retc_clock_disorder(column->value, column->n);
    if (wrong < column->n)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: line %zu: %s %.9g s does not come after %.9g s", path, column->line[wrong], what,
                           column->value[wrong], column->value[wrong - 1]));

done:
    return status;
}

/* The file's name without folder and ending; retc_free. */
static char *
cell_name(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return retc_strf("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

static int
read_cell(const char *path, retc_import_report *report, retc_import_cells *cells, size_t i) {
    int status = RETC_OK;
    retc_text_column *spikes = &cells->spikes[i];
    RETC_TRY(RETC_GOT(cells->name[i] = cell_name(path)));
    RETC_TRY(retc_import_read_column(path, report, spikes));
    size_t wrong = retc_spikes_disorder(spikes->value, spikes->n);
    if (wrong < spikes->n)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: line %zu: spike at %.9g s comes after one at %.9g s: sort the file", path,
                           spikes->line[wrong], spikes->value[wrong], spikes->value[wrong - 1]));
    cells->unit[i] = (retc_import_unit){.name = cells->name[i], .origin = path, .spike = spikes->value, .n = spikes->n};

done:
    return status;
}

int
retc_import_read_cells(const char *const *paths, size_t n, retc_import_report *report, retc_import_cells *cells) {
    int status = RETC_OK;
    *cells = (retc_import_cells){.n = n};
    if (n == 0)
        return RETC_FAIL(RETC_EINVAL, "no file of spike times is given");
    RETC_TRY(RETC_ALLOC(cells->spikes, n));
    RETC_TRY(RETC_ALLOC(cells->unit, n));
    RETC_TRY(RETC_ALLOC(cells->name, n));
    for (size_t i = 0; i < n; ++i)
        RETC_TRY(read_cell(paths[i], report, cells, i));

done:
    return status;
}

void
retc_import_cells_clear(retc_import_cells *cells) {
    for (size_t i = 0; i < cells->n; ++i) {
        if (cells->spikes)
            retc_text_column_free(&cells->spikes[i]);
        if (cells->name)
            retc_free(cells->name[i]);
    }
    retc_free(cells->spikes);
    retc_free(cells->unit);
    retc_free(cells->name);
    *cells = (retc_import_cells){0};
}
