/* Text tables that gnuplot draws: named blocks of columns, two empty lines between blocks.
 *
 *     # cells
 *     # columns: number name rate_max_Hz
 *     1 "cell01" 12.5
 *
 * A table holds everything that a figure shows, titles and ranges included; the script that draws it computes nothing. */
#ifndef RETC_FIGURE_TABLE_H
#define RETC_FIGURE_TABLE_H

#include <stdio.h>

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Start a block; `columns` names its columns and their units. */
void retc_table_block(FILE *table, const char *name, const char *columns);

/* One entry of a row: a number ("NaN" when not finite), a text in quotes. */
void retc_table_number(FILE *table, double value);
void retc_table_text(FILE *table, const char *text);
void retc_table_end_row(FILE *table);

/* Which cells of a file a figure shows. */
typedef struct {
    size_t n, total; /* shown, in the file */
    size_t *index;   /* (n) rows of the file's datasets */
    char **name;     /* (n), point into a block of the struct's own */
    char **block;
} retc_figure_cells;

/* The cells called `names` ("cell01,cell03"), in this order; NULL: the first `most`.  Names come from the dataset
 * `cell_names` of the file, or are cell01 ... when there is none.  Free with retc_figure_cells_free, also after failure. */
int retc_figure_cells_choose(retc_h5 *file, const char *cell_names, size_t total, const char *names, size_t most,
                             retc_figure_cells *cells) RETC_USED;
/* The cells of `file` that have the names of `like`'s, in its order. */
int retc_figure_cells_match(retc_h5 *file, const char *cell_names, size_t total, const retc_figure_cells *like,
                            retc_figure_cells *cells) RETC_USED;
void retc_figure_cells_free(retc_figure_cells *cells);

/* Names of the models of n files: their types, in capitals where these are abbreviations, "LN"; models of one type are told
 * apart by the names of their files, "CNN (long.h5)", or their paths where names are equal.  Free with
 * retc_figure_model_names_free, also after failure. */
int retc_figure_model_names(retc_h5 *const *files, size_t n, char ***names) RETC_USED;
void retc_figure_model_names_free(char **names, size_t n);

/* The samples of `time` (T) s from `start` s after the first one, for `duration` s.  Fails when there is none. */
int retc_figure_window(const double *time, size_t T, double start, double duration, size_t *first, size_t *count) RETC_USED;

/* Median difference of neighbouring samples of `time` (T) s; 0 when T < 2. */
double retc_figure_interval(const double *time, size_t T);

#ifdef __cplusplus
}
#endif

#endif
