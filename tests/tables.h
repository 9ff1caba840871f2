/* Tables of figures, drawn into memory and taken apart again. */
#ifndef RETC_TABLES_H
#define RETC_TABLES_H

#include <stdio.h>

/* Start a table; it can be read once it is closed, until the next one is started. */
FILE *retc_test_table_begin(void);

/* The whole table (borrowed). */
const char *retc_test_table(void);

/* The rows of a block: the text from behind its two comment lines to the next gap; free. */
char *retc_test_table_block(const char *name);

/* The block has exactly these rows. */
void retc_test_table_has(const char *name, const char *rows);

/* The n numbers of a block, behind a text in quotes if it starts with one. */
void retc_test_table_numbers(const char *name, double *values, size_t n);

#endif
