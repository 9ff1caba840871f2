/* Trials as a text table: for recordings whose stimulus was made elsewhere. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "trials.h"

enum { MOST_COLUMNS = 32, MOST_CONDITIONS = 4096 };
#define MOST_TRIALS ((size_t)100000)

/* The table as it is read: rows of values, one per column. */
typedef struct {
    const char *path;
    size_t columns, rows, room, line;
    char name[MOST_COLUMNS][32];
    double *value; /* (rows,columns) */
} text_table;

static int
read_header(text_table *table, char *line) {
    for (char *word = strtok(line, " \t\r\n"); word; word = strtok(NULL, " \t\r\n")) {
        if (table->columns == MOST_COLUMNS)
            return RETC_FAIL(RETC_EFORMAT, "%s: more than %d columns", table->path, MOST_COLUMNS);
        if (strlen(word) >= sizeof *table->name || strchr(word, '/'))
            return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" is no name of a column, of up to %zu letters", table->path, word,
                             sizeof *table->name - 1);
        for (size_t i = 0; i < table->columns; ++i)
            if (strcmp(table->name[i], word) == 0)
                return RETC_FAIL(RETC_EFORMAT, "%s: column \"%s\" is there twice", table->path, word);
        snprintf(table->name[table->columns++], sizeof *table->name, "%s", word);
    }
    return RETC_OK;
}

static int
make_room(text_table *table) {
    if (table->rows < table->room)
        return RETC_OK;
    if (table->rows >= MOST_TRIALS)
        return RETC_FAIL(RETC_EFORMAT, "%s: more than %zu trials", table->path, MOST_TRIALS);
    double *longer = NULL;
    size_t room = table->room ? 2 * table->room : 64;
    if (RETC_ALLOC(longer, room * table->columns) < 0)
        return RETC_ENOMEM;
    if (table->rows > 0)
        memcpy(longer, table->value, table->rows * table->columns * sizeof *longer);
    retc_free(table->value);
    table->value = longer;
    table->room = room;
    return RETC_OK;
}

static int
read_row(text_table *table, char *line) {
    int status = RETC_OK;
    size_t n = 0;
    RETC_TRY(make_room(table));
    for (char *word = strtok(line, " \t\r\n"); word; word = strtok(NULL, " \t\r\n"), ++n) {
        double value = 0;
        status = retc_parse_double(word, &value);
        if (status < 0)
            RETC_TRY(retc_error_prefix(status, "%s: line %zu", table->path, table->line));
        if (n < table->columns)
            table->value[table->rows * table->columns + n] = value;
    }
    if (n != table->columns)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: line %zu has %zu values, expected %zu as there are columns", table->path,
                           table->line, n, table->columns));
    table->rows += 1;

done:
    return status;
}

static int
read_table(text_table *table) {
    int status = RETC_OK;
    char *line = NULL;
    size_t room = 0;
    FILE *in = fopen(table->path, "r");
    if (!in)
        return RETC_FAIL(RETC_EIO, "%s: %s", table->path, strerror(errno));
    for (ssize_t length; (length = getline(&line, &room, in)) >= 0;) {
        table->line += 1;
        if (memchr(line, '\0', (size_t)length))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: line %zu is no text", table->path, table->line));
        size_t blank = strspn(line, " \t\r\n");
        if (line[blank] == '\0' || line[blank] == '#')
            continue;
        RETC_TRY(table->columns ? read_row(table, line) : read_header(table, line));
    }
    if (ferror(in))
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: %s", table->path, strerror(errno)));
    if (table->rows == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: there are no trials; a line of names of columns, then a line per trial is expected",
                           table->path));

done:
    free(line); /* getline's */
    fclose(in);
    return status;
}

static size_t
find_column(const text_table *table, const char *name) {
    size_t i = 0;
    while (i < table->columns && strcmp(table->name[i], name) != 0)
        ++i;
    return i;
}

/* The condition among those found, each known by its first row, whose parameters are those of `row`; C when there is none. */
static size_t
find_condition(const text_table *table, size_t row, const size_t *parameter, size_t P, const size_t *first, size_t C) {
    const double *value = table->value + row * table->columns;
    for (size_t c = 0; c < C; ++c) {
        const double *other = table->value + first[c] * table->columns;
        size_t same = 0;
        while (same < P && other[parameter[same]] == value[parameter[same]])
            ++same;
        if (same == P)
            return c;
    }
    return C;
}

static int
make_trials(const text_table *table, size_t onset, size_t duration, retc_trials *trials) {
    int status = RETC_OK;
    size_t parameter[MOST_COLUMNS], first[MOST_CONDITIONS], P = 0, C = 0, *condition = NULL;
    for (size_t i = 0; i < table->columns; ++i)
        if (i != onset && i != duration)
            parameter[P++] = i;
    RETC_TRY(RETC_ALLOC(condition, table->rows));
    for (size_t row = 0; row < table->rows; ++row) {
        condition[row] = find_condition(table, row, parameter, P, first, C);
        if (condition[row] < C)
            continue;
        if (C == MOST_CONDITIONS)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: more than %d conditions", table->path, MOST_CONDITIONS));
        first[C++] = row;
    }
    RETC_TRY(retc_trials_alloc(trials, C, P, table->rows));
    for (size_t p = 0; p < P; ++p)
        snprintf(trials->parameter[p].name, sizeof trials->parameter[p].name, "%s", table->name[parameter[p]]);
    for (size_t row = 0; row < table->rows; ++row) {
        const double *value = table->value + row * table->columns;
        trials->trial[row] = (retc_trial){.condition = condition[row], .onset = value[onset], .duration = value[duration]};
        for (size_t p = 0; p < P; ++p)
            trials->parameter[p].value[condition[row]] = value[parameter[p]];
        if (!(value[duration] > 0) || (row > 0 && value[onset] < trials->trial[row - 1].onset))
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT, "%s: trial %zu has no duration, or starts before the one before it", table->path, row));
    }

done:
    retc_free(condition);
    return status;
}

int
retc_trials_read_text(const char *path, retc_trials *trials) {
    int status = RETC_OK;
    text_table table = {.path = path};
    *trials = (retc_trials){0};
    RETC_TRY(read_table(&table));
    size_t onset = find_column(&table, "onset"), duration = find_column(&table, "duration");
    if (onset == table.columns || duration == table.columns || table.columns < 3)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: columns \"onset\", \"duration\" and a parameter at least are expected", path));
    RETC_TRY(make_trials(&table, onset, duration, trials));

done:
    if (status < 0)
        retc_trials_free(trials);
    retc_free(table.value);
    return status;
}
