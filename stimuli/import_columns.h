/* Text files of the imports: columns of times, and spike times of the cells, one file each. */
#ifndef RETC_IMPORT_COLUMNS_H
#define RETC_IMPORT_COLUMNS_H

#include "import_build.h"
#include "text.h"

/* Read a column; a line that was taken as its name is noted in the report. */
int retc_import_read_column(const char *path, retc_import_report *report, retc_text_column *column) RETC_USED;

/* The same of times that must ascend, at least two of them; `what` names them in messages ("frame time"). */
int retc_import_read_clock(const char *path, const char *what, retc_import_report *report, retc_text_column *column) RETC_USED;

typedef struct {
    size_t n;
    retc_text_column *spikes; /* (n) */
    retc_import_unit *unit;   /* (n) */
    char **name;              /* (n) */
} retc_import_cells;

/* Spike times of n cells, each named as its file without folder and ending.  Release with retc_import_cells_clear, also after a
 * failure. */
int retc_import_read_cells(const char *const *paths, size_t n, retc_import_report *report, retc_import_cells *cells) RETC_USED;
void retc_import_cells_clear(retc_import_cells *cells);

#endif
