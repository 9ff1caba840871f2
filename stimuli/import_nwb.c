#include "import_nwb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_nwb_data.h"
#include "options.h"
#include "spikes.h"

/* Cells that a line of the report names. */
enum { NAMED = 8 };

/* ---- which units ----------------------------------------------------------------------------------------------------- */

/* The table that --units names, else the only one, else that in the place the schema gives it. */
static int
find_units(const retc_nwb_import *in, const retc_nwb_object **found) {
    const char *wanted = in->options->units;
    size_t tables = 0;
    for (size_t i = 0; i < in->nwb->objects; ++i) {
        const retc_nwb_object *object = &in->nwb->object[i];
        if (object->kind != RETC_NWB_UNITS)
            continue;
        ++tables;
        int named = wanted && (strcmp(object->name, wanted) == 0 || strcmp(object->path, wanted + (*wanted == '/')) == 0);
        if (wanted ? named : !*found || strcmp(object->path, "units") == 0)
            *found = object;
    }
    if (tables == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: there is no table of units%s%s", in->options->file,
                         in->nwb->broken ? "; these links lead nowhere: " : "", in->nwb->broken ? in->nwb->broken : "");
    if (!*found)
        return RETC_FAIL(RETC_EINVAL, "%s: no table of units is called \"%s\"", in->options->file, wanted);
    if (!wanted && tables > 1 && strcmp((*found)->path, "units") != 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: there are %zu tables of units, such as %s: choose one with --units",
                         in->options->file, tables, (*found)->path);
    return RETC_OK;
}

/* Mark the units of "0,3,7-9". */
static int
choose_ids(const retc_nwb_import *in, char *chosen) {
    int status = RETC_OK;
    const retc_nwb_table *units = &in->units;
    char *copy = retc_strdup(in->options->cells), *rest = copy;
    RETC_TRY(RETC_GOT(copy));
    for (char *word; (word = retc_nwb_next_word(&rest));) {
        char *dash = strchr(word, '-'), *last = dash ? dash + 1 : word;
        size_t from, to, found = 0;
        if (dash)
            *dash = '\0';
        if (retc_parse_size(word, &from) < 0 || retc_parse_size(last, &to) < 0)
            RETC_TRY(RETC_FAIL(RETC_EUSAGE, "--cells: \"%s\" is no list of ids such as 0,3,7-9", in->options->cells));
        for (size_t i = 0; i < units->rows; ++i)
            if (units->id[i] >= 0 && (size_t)units->id[i] >= from && (size_t)units->id[i] <= to)
                found += (size_t)(chosen[i] = 1);
        if (found == 0)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: --cells: no unit has an id of %zu%s%s", in->options->file, from,
                               dash ? " to " : "", dash ? last : ""));
    }

done:
    retc_free(copy);
    return status;
}

/* Unmark the units that do not fulfil every COLUMN=VALUE. */
static int
apply_conditions(const retc_nwb_import *in, char *chosen) {
    int status = RETC_OK, *match = NULL;
    const retc_nwb_table *units = &in->units;
    char *copy = retc_strdup(in->options->where), *rest = copy;
    RETC_TRY(RETC_GOT(copy));
    RETC_TRY(RETC_ALLOC(match, units->rows));
    for (char *word; (word = retc_nwb_next_word(&rest));) {
        char *value = strchr(word, '=');
        if (!value)
            RETC_TRY(RETC_FAIL(RETC_EUSAGE, "--where: \"%s\" is no condition COLUMN=VALUE", word));
        *value++ = '\0';
        const retc_nwb_column *column = retc_nwb_table_column(units, word);
        if (!column)
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: --where: \"%s\" has no column \"%s\"", in->options->file, units->path, word));
        memset(match, 0, units->rows * sizeof *match);
        RETC_TRY(retc_nwb_match(units, column, value, match));
        for (size_t i = 0; i < units->rows; ++i)
            chosen[i] &= (char)match[i];
    }

done:
    retc_free(copy);
    retc_free(match);
    return status;
}

static int
choose_units(retc_nwb_import *in) {
    int status = RETC_OK;
    const char *cells = in->options->cells;
    char *chosen = NULL;
    RETC_TRY(RETC_ALLOC(chosen, in->units.rows));
    RETC_TRY(RETC_ALLOC(in->row, in->units.rows));
    if (cells && strcmp(cells, "all") != 0)
        RETC_TRY(choose_ids(in, chosen));
    else
        memset(chosen, 1, in->units.rows);
    if (in->options->where)
        RETC_TRY(apply_conditions(in, chosen));
    for (size_t i = 0; i < in->units.rows; ++i)
        if (chosen[i])
            in->row[in->cells++] = i;
    if (in->cells == 0)
        status = RETC_FAIL(RETC_EINVAL, "%s: none of the %zu units of \"%s\" is chosen", in->options->file, in->units.rows,
                           in->units.path);

done:
    retc_free(chosen);
    return status;
}

/* ---- their names and spikes ------------------------------------------------------------------------------------------ */

static int
ids_are_unique(const retc_nwb_table *units) {
    for (size_t i = 0; i < units->rows; ++i)
        for (size_t k = 0; k < i; ++k)
            if (units->id[i] == units->id[k])
                return 0;
    return 1;
}

/* Names from a column of text, else "unit" and the id. */
static int
name_units(retc_nwb_import *in) {
    int status = RETC_OK;
    const char *wanted = in->options->names;
    const retc_nwb_column *column = wanted ? retc_nwb_table_column(&in->units, wanted) : NULL;
    char **words = NULL;
    size_t n = 0;
    if (wanted && !column)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: --names: \"%s\" has no column \"%s\"", in->options->file, in->units.path, wanted));
    if (column)
        RETC_TRY(retc_h5_read_texts(in->nwb->h5, column->path, &words, &n));
    if (column && n != in->units.rows)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" has %zu names for %zu units", in->options->file, column->path, n,
                           in->units.rows));
    int by_id = ids_are_unique(&in->units);
    if (!by_id && !column)
        RETC_TRY(retc_import_say(in->report, "warning: ids of units occur twice: cells are named by row"));
    for (size_t i = 0; i < in->cells; ++i) {
        size_t row = in->row[i];
        in->name[i] =
            column ? retc_strdup(words[row]) : retc_strf("unit%lld", by_id ? (long long)in->units.id[row] : (long long)row);
        RETC_TRY(RETC_GOT(in->name[i]));
    }

done:
    retc_free(words);
    return status;
}

static int
read_spikes(retc_nwb_import *in) {
    int status = RETC_OK;
    const retc_nwb_column *column = retc_nwb_table_column(&in->units, "spike_times");
    size_t *offset = NULL;
    if (!column || column->levels == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" lacks %s", in->options->file, in->units.path,
                         column ? "spike_times_index: which spikes are whose?" : "spike_times");
    RETC_TRY(retc_h5_expect(in->nwb->h5, column->path, 1, NULL, NULL));
    RETC_TRY(retc_nwb_check_seconds(in->nwb->h5, column->path));
    RETC_TRY(retc_nwb_offsets(&in->units, column, &offset));
    for (size_t i = 0; i < in->cells; ++i) {
        size_t start = offset[in->row[i]], n = offset[in->row[i] + 1] - start;
        RETC_TRY(RETC_ALLOC(in->spike[i], n));
        RETC_TRY(retc_h5_read(in->nwb->h5, column->path, RETC_H5_DOUBLE, &start, &n, in->spike[i]));
        in->unit[i] = (retc_import_unit){.name = in->name[i], .spike = in->spike[i], .n = n};
    }

done:
    retc_free(offset);
    return status;
}

static int
say_units(const retc_nwb_import *in, const retc_nwb_object *table) {
    double resolution = 0;
    const retc_nwb_column *column = retc_nwb_table_column(&in->units, "spike_times");
    int status = retc_h5_get_number(in->nwb->h5, column->path, "resolution", &resolution);
    if (status < 0)
        return status;
    char *steps = resolution > 0 ? retc_strf(", times in steps of %g s", resolution) : retc_strdup("");
    status = steps ? retc_import_say(in->report, "units: %zu of %zu of %s, %s%s%s", in->cells, in->units.rows, table->path,
                                     table->type, table->is_extension ? " (unknown, used as what its datasets are)" : "", steps)
                   : RETC_ENOMEM;
    retc_free(steps);
    return status;
}

static int
read_units(retc_nwb_import *in) {
    int status = RETC_OK;
    const retc_nwb_object *table = NULL;
    RETC_TRY(find_units(in, &table));
    RETC_TRY(retc_nwb_table_read(in->nwb->h5, table->path, &in->units));
    RETC_TRY(choose_units(in));
    RETC_TRY(RETC_ALLOC(in->name, in->cells));
    RETC_TRY(RETC_ALLOC(in->spike, in->cells));
    RETC_TRY(RETC_ALLOC(in->unit, in->cells));
    RETC_TRY(name_units(in));
    RETC_TRY(read_spikes(in));
    RETC_TRY(say_units(in, table));

done:
    return status;
}

/* ---- spikes at odd times --------------------------------------------------------------------------------------------- */

/* Number of ascending times that lie in one of the ascending intervals. */
static size_t
count_inside(const double *time, size_t n, const retc_nwb_interval *interval, size_t m) {
    size_t inside = 0;
    for (size_t i = 0, k = 0; i < n; ++i) {
        while (k < m && interval[k].stop < time[i])
            ++k;
        inside += k < m && interval[k].start <= time[i];
    }
    return inside;
}

/* A list of the first few cells that something is said of. */
typedef struct {
    char text[512];
    size_t used, cells;
} cell_list;

static void
list_cell(cell_list *list, const char *name, size_t count) {
    if (list->cells++ < NAMED && list->used < sizeof list->text)
        list->used += (size_t)snprintf(list->text + list->used, sizeof list->text - list->used, "%s%s (%zu)",
                                       list->used ? ", " : "", name, count);
}

static int
say_cells(retc_import_report *report, const cell_list *list, const char *what) {
    if (list->cells == 0)
        return RETC_OK;
    return retc_import_say(report, "warning: %s: %s%s", what, list->text, list->cells > NAMED ? ", ..." : "");
}

static int
by_start(const void *a, const void *b) {
    const retc_nwb_interval *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* Spikes and frames outside the times in which a unit was observed. */
static int
look_at_observation(const retc_nwb_import *in) {
    int status = RETC_OK;
    const retc_nwb_column *column = retc_nwb_table_column(&in->units, "obs_intervals");
    size_t *offset = NULL;
    retc_nwb_interval *interval = NULL;
    cell_list spikes = {0}, frames = {0};
    if (!column)
        return RETC_OK;
    RETC_TRY(retc_h5_expect(in->nwb->h5, column->path, 2, (const size_t[2]){0, 2}, NULL));
    RETC_TRY(retc_nwb_offsets(&in->units, column, &offset));
    for (size_t i = 0; i < in->cells; ++i) {
        const size_t start[2] = {offset[in->row[i]], 0}, count[2] = {offset[in->row[i] + 1] - start[0], 2};
        if (count[0] == 0)
            continue;
        RETC_TRY(RETC_ALLOC(interval, count[0]));
        RETC_TRY(retc_h5_read(in->nwb->h5, column->path, RETC_H5_DOUBLE, start, count, interval));
        qsort(interval, count[0], sizeof *interval, by_start);
        size_t outside = in->unit[i].n - count_inside(in->spike[i], in->unit[i].n, interval, count[0]);
        size_t unseen = in->frames - count_inside(in->onset, in->frames, interval, count[0]);
        if (outside > 0)
            list_cell(&spikes, in->name[i], outside);
        if (unseen > 0)
            list_cell(&frames, in->name[i], unseen);
        retc_free(interval);
        interval = NULL;
    }
    RETC_TRY(say_cells(in->report, &spikes, "spikes outside the obs_intervals of their unit"));
    RETC_TRY(say_cells(in->report, &frames, "frames outside the obs_intervals of a unit, where its counts mean nothing"));

done:
    retc_free(offset);
    retc_free(interval);
    return status;
}

static int
look_at_invalid(const retc_nwb_import *in) {
    cell_list spikes = {0};
    for (size_t i = 0; i < in->cells; ++i) {
        size_t inside = count_inside(in->spike[i], in->unit[i].n, in->invalid, in->invalids);
        if (inside > 0)
            list_cell(&spikes, in->name[i], inside);
    }
    return say_cells(in->report, &spikes, "spikes inside invalid_times");
}

/* ---- cell attributes ------------------------------------------------------------------------------------------------- */

static int
copy_columns(const retc_nwb_import *in, retc_h5 *to) {
    int status = RETC_OK;
    retc_import_report *report = in->report;
    int64_t *id = NULL;
    char *name = NULL;
    RETC_TRY(RETC_ALLOC(id, in->cells));
    for (size_t i = 0; i < in->cells; ++i)
        id[i] = in->units.id[in->row[i]];
    RETC_TRY(retc_h5_put(to, "cells/id", RETC_H5_INT64, 1, &in->cells, id));
    for (size_t i = 0; i < in->units.columns; ++i) {
        const retc_nwb_column *column = &in->units.column[i];
        if (strcmp(column->name, "spike_times") == 0)
            continue;
        retc_free(name);
        RETC_TRY(RETC_GOT(name = retc_strf("cells/%s", column->name)));
        status = retc_nwb_copy(&in->units, column, in->row, in->cells, to, name);
        if (status < 0 && status != RETC_EFORMAT)
            goto done;
        /* A column that cannot be read costs no recording. */
        if (status == RETC_EFORMAT)
            RETC_TRY(retc_import_say(report, "warning: column %s is left out: %s", column->name, retc_error_message()));
        else
            RETC_TRY(retc_import_say(report,
                                     status ? "column %s is kept as %s"
                                            : "note: column %s is left out, its values are of no "
                                              "kind that %s could hold",
                                     column->name, name));
    }
    status = RETC_OK;

done:
    retc_free(id);
    retc_free(name);
    return status;
}

/* What the file says of itself. */
static int
copy_session(const retc_nwb_import *in, retc_h5 *to) {
    static const char *const members[] = {"identifier", "session_description", "session_start_time"};
    int status = RETC_OK;
    char *text = NULL;
    RETC_TRY(retc_h5_set_text(to, "/", "source", "NWB"));
    for (size_t i = 0; i < sizeof members / sizeof *members; ++i) {
        if (!retc_h5_has(in->nwb->h5, members[i]) || retc_h5_read_text(in->nwb->h5, members[i], &text) < 0)
            continue;
        RETC_TRY(retc_h5_set_text(to, "/", members[i], text));
        retc_free(text);
        text = NULL;
    }

done:
    retc_free(text);
    return status;
}

/* ---- all together ---------------------------------------------------------------------------------------------------- */

static int
say_file(const retc_nwb_import *in) {
    int status = RETC_OK;
    RETC_TRY(retc_import_say(in->report, "file: NWB %s", in->nwb->version[0] ? in->nwb->version : "of unknown version"));
    if (in->nwb->linked)
        RETC_TRY(retc_import_say(in->report, "note: parts of it stand in other files: %s", in->nwb->linked));
    if (in->nwb->broken)
        RETC_TRY(retc_import_say(in->report, "warning: links that lead nowhere: %s", in->nwb->broken));

done:
    return status;
}

static void
forget(retc_nwb_import *in) {
    for (size_t i = 0; i < in->n_series; ++i)
        retc_nwb_series_clear(&in->series[i]);
    for (size_t i = 0; i < in->cells; ++i) {
        if (in->name)
            retc_free(in->name[i]);
        if (in->spike)
            retc_free(in->spike[i]);
    }
    retc_free(in->series);
    retc_free(in->first);
    retc_free(in->onset);
    retc_free(in->end);
    retc_free(in->invalid);
    retc_free(in->left_out);
    retc_free(in->stretch);
    retc_import_parts_clear(&in->parts);
    retc_nwb_table_clear(&in->units);
    retc_free(in->row);
    retc_free(in->spike);
    retc_free(in->unit);
    retc_free(in->name);
    retc_nwb_close(in->nwb);
}

static int
build(retc_nwb_import *in, const char *output, int force, const retc_progress *progress, retc_recording_writer **writer) {
    const retc_import_source source = {.file = in->options->file,
                                       .frames = in->frames,
                                       .onset = in->onset,
                                       .end = in->end,
                                       .height = in->series[0].height,
                                       .width = in->series[0].width,
                                       .stimulus_type = in->type,
                                       .movie = retc_nwb_import_frames,
                                       .movie_context = in,
                                       .unit = in->unit,
                                       .cells = in->cells,
                                       .keep_empty = 1,
                                       .parts = in->parts};
    int status = retc_import_build(&source, output, force, progress, writer, in->report);
    if (status < 0)
        return status;
    retc_h5 *file = retc_recording_writer_file(*writer);
    RETC_TRY(copy_columns(in, file));
    RETC_TRY(copy_session(in, file));

done:
    if (status < 0) {
        retc_recording_writer_free(*writer);
        *writer = NULL;
    }
    return status;
}

int
retc_import_nwb(const retc_import_nwb_options *options, const char *output, int force, const retc_progress *progress,
                retc_recording_writer **writer, retc_import_report *report) {
    int status = RETC_OK;
    retc_nwb_import in = {.options = options, .report = report};
    *report = (retc_import_report){0};
    RETC_TRY(RETC_GOT(in.nwb = retc_nwb_open(options->file)));
    RETC_TRY(say_file(&in));
    RETC_TRY(read_units(&in));
    RETC_TRY(retc_nwb_import_movie(&in));
    RETC_TRY(retc_nwb_import_invalid(&in));
    RETC_TRY(retc_nwb_import_parts(&in));
    RETC_TRY(look_at_observation(&in));
    RETC_TRY(look_at_invalid(&in));
    if (in.pauses > 0)
        RETC_TRY(retc_import_say(report,
                                 "note: %zu pauses longer than %g median intervals: frames before them last one interval",
                                 in.pauses, options->pause));
    RETC_TRY(build(&in, output, force, progress, writer));

done:
    if (status < 0 && !strstr(retc_error_message(), options->file) && !strstr(retc_error_message(), output))
        retc_error_prefix(status, "%s", options->file);
    forget(&in);
    return status;
}
