#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "testing.h"

static char *text;
static size_t length;

FILE *
retc_test_table_begin(void) {
    free(text);
    text = NULL;
    FILE *table = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(table);
    return table;
}

const char *
retc_test_table(void) {
    return text;
}

char *
retc_test_table_block(const char *name) {
    char head[64];
    snprintf(head, sizeof head, "\n\n# %s\n# columns: ", name);
    char *start = strstr(text, head);
    ck_assert_msg(start != NULL, "no block \"%s\" in\n%s", name, text);
    start = strchr(start + strlen(head), '\n') + 1;
    char *end = strstr(start, "\n\n\n");
    return strndup(start, end ? (size_t)(end - start) + 1 : strlen(start));
}

void
retc_test_table_has(const char *name, const char *rows) {
    char *found = retc_test_table_block(name);
    ck_assert_str_eq(found, rows);
    free(found);
}

void
retc_test_table_numbers(const char *name, double *values, size_t n) {
    char *rows = retc_test_table_block(name), *at = rows;
    if (*at == '"')
        at = strchr(at + 1, '"') + 1;
    for (size_t i = 0; i < n; ++i) {
        char *end = at;
        values[i] = strtod(at, &end);
        ck_assert_msg(end != at, "block \"%s\" has only %zu numbers", name, i);
        at = end;
    }
    ck_assert_msg(at[strspn(at, " \n")] == '\0', "block \"%s\" has more than %zu numbers: %s", name, n, at);
    free(rows);
}
