/* Train and test part of an NWB import, from its tables of intervals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "import_nwb_data.h"

/* Rows of the same stimulus may differ by so many frames. */
enum { FRAME_TOLERANCE = 2 };

/* Intervals are often stored as 4-byte numbers: a time t is exact to this share of it. */
#define TIME_TOLERANCE 1.2e-7

/* Frames that are looked at in one go. */
#define SLAB_BYTES ((size_t)4 << 20)

/* A row of a table of intervals, as frames of the movie. */
typedef struct {
    retc_nwb_interval time;
    retc_span span;
    uint64_t shown; /* digest of its frames */
    size_t group;   /* rows that show the same frames */
    int dropped;    /* touches invalid_times: no repeat */
} test_row;

typedef struct {
    test_row *row;
    size_t n, room;
    size_t groups;
} test_rows;

/* ---- reading intervals ----------------------------------------------------------------------------------------------- */

static int
read_times(const retc_nwb_table *table, retc_nwb_interval **interval) {
    int status = RETC_OK;
    const retc_nwb_column *start = retc_nwb_table_column(table, "start_time"),
                          *stop = retc_nwb_table_column(table, "stop_time");
    double *first = NULL, *last = NULL;
    if (!start || !stop)
        return RETC_FAIL(RETC_EFORMAT, "%s: \"%s\" lacks start_time or stop_time", retc_h5_path(table->h5), table->path);
    RETC_TRY(retc_nwb_check_seconds(table->h5, start->path));
    RETC_TRY(retc_nwb_numbers(table, start, &first));
    RETC_TRY(retc_nwb_numbers(table, stop, &last));
    RETC_TRY(RETC_ALLOC(*interval, table->rows));
    for (size_t i = 0; i < table->rows; ++i) {
        (*interval)[i] = (retc_nwb_interval){first[i], last[i]};
        if (!(last[i] >= first[i]))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: row %zu of \"%s\" goes from %.9g to %.9g s", retc_h5_path(table->h5), i,
                               table->path, first[i], last[i]));
    }

done:
    retc_free(first);
    retc_free(last);
    return status;
}

/* Index of the first frame at or after a time. */
static size_t
frame_from(const retc_nwb_import *in, double time) {
    size_t low = 0, high = in->frames;
    double limit = time - TIME_TOLERANCE * fabs(time);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (in->onset[middle] < limit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static retc_span
span_of(const retc_nwb_import *in, const retc_nwb_interval *time) {
    size_t first = frame_from(in, time->start), stop = frame_from(in, time->stop);
    return (retc_span){first, stop > first ? stop - first : 0};
}

static int
is_invalid_times(const retc_nwb_object *object) {
    return object->kind == RETC_NWB_INTERVALS && strcmp(object->name, "invalid_times") == 0;
}

static int
by_start(const void *a, const void *b) {
    const retc_nwb_interval *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

int
retc_nwb_import_invalid(retc_nwb_import *in) {
    int status = RETC_OK;
    size_t frames = 0;
    retc_nwb_table table = {0};
    RETC_TRY(RETC_ALLOC(in->left_out, in->frames));
    for (size_t i = 0; i < in->nwb->objects && !in->invalid; ++i) {
        if (!is_invalid_times(&in->nwb->object[i]))
            continue;
        RETC_TRY(retc_nwb_table_read(in->nwb->h5, in->nwb->object[i].path, &table));
        RETC_TRY(read_times(&table, &in->invalid));
        in->invalids = table.rows;
    }
    if (in->invalids > 0)
        qsort(in->invalid, in->invalids, sizeof *in->invalid, by_start);
    for (size_t i = 0; i < in->invalids; ++i) {
        size_t stop = frame_from(in, in->invalid[i].stop), t = frame_from(in, in->invalid[i].start);
        /* The frame that is on when the interval begins is touched as well. */
        t -= t > 0 && in->end[t - 1] > in->invalid[i].start;
        for (; t < stop; ++t) {
            frames += !in->left_out[t];
            in->left_out[t] = 1;
        }
    }
    if (in->invalids > 0)
        RETC_TRY(retc_import_say(in->report, "invalid_times: %zu rows touch %zu frames, which are %s", in->invalids, frames,
                                 in->options->keep_invalid ? "kept, as asked for" : "left out"));
    if (in->options->keep_invalid)
        memset(in->left_out, 0, in->frames);

done:
    retc_nwb_table_clear(&table);
    return status;
}

/* ---- rows that --test means ------------------------------------------------------------------------------------------ */

static int
add_row(test_rows *rows, const retc_nwb_interval *time) {
    for (size_t i = 0; i < rows->n; ++i)
        if (rows->row[i].time.start == time->start && rows->row[i].time.stop == time->stop)
            return RETC_OK;
    if (rows->n == rows->room) {
        test_row *more = retc_calloc(2 * rows->room + 16, sizeof *more);
        if (!more)
            return RETC_ENOMEM;
        if (rows->n > 0)
            memcpy(more, rows->row, rows->n * sizeof *more);
        retc_free(rows->row);
        rows->row = more;
        rows->room = 2 * rows->room + 16;
    }
    rows->row[rows->n++] = (test_row){.time = *time};
    return RETC_OK;
}

/* Add the rows of a table that a text means, which is COLUMN=VALUE, the name of the table, or a text in any column. */
static int
add_matching(test_rows *rows, const retc_nwb_table *table, const char *name, const char *text) {
    int status = RETC_OK, *match = NULL;
    const char *equals = strchr(text, '=');
    char *column = NULL;
    retc_nwb_interval *interval = NULL;
    RETC_TRY(RETC_ALLOC(match, table->rows));
    RETC_TRY(RETC_GOT(column = retc_strf("%.*s", equals ? (int)(equals - text) : 0, text)));
    for (size_t i = 0; i < table->rows; ++i)
        match[i] = strcmp(name, text) == 0;
    for (size_t i = 0; i < table->columns; ++i)
        if (equals ? strcmp(table->column[i].name, column) == 0
                   : strcmp(retc_h5_stored_type(table->h5, table->column[i].path), "text") == 0)
            RETC_TRY(retc_nwb_match(table, &table->column[i], equals ? equals + 1 : text, match));
    RETC_TRY(read_times(table, &interval));
    for (size_t i = 0; i < table->rows; ++i)
        if (match[i])
            RETC_TRY(add_row(rows, &interval[i]));

done:
    retc_free(match);
    retc_free(column);
    retc_free(interval);
    return status;
}

static int
row_by_start(const void *a, const void *b) {
    return by_start(&((const test_row *)a)->time, &((const test_row *)b)->time);
}

/* Sort rows, find their frames, and give up those without any. */
static int
settle_rows(const retc_nwb_import *in, test_rows *rows) {
    int status = RETC_OK;
    size_t kept = 0;
    qsort(rows->row, rows->n, sizeof *rows->row, row_by_start);
    for (size_t i = 0; i < rows->n; ++i) {
        test_row row = rows->row[i];
        row.span = span_of(in, &row.time);
        if (row.span.count == 0)
            continue;
        if (kept > 0 && rows->row[kept - 1].span.first + rows->row[kept - 1].span.count > row.span.first)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: --test %s: rows of a table of intervals overlap at %.9g s", in->options->file,
                               in->options->test, row.time.start));
        rows->row[kept++] = row;
    }
    if (kept < rows->n)
        RETC_TRY(retc_import_say(in->report, "note: %zu rows that --test means have no frame", rows->n - kept));
    rows->n = kept;
    if (kept == 0)
        RETC_TRY(
            RETC_FAIL(RETC_EFORMAT, "%s: --test %s: no frame was shown in these rows", in->options->file, in->options->test));

done:
    return status;
}

/* The table of trials, else the only table of intervals, else NULL. */
static const retc_nwb_object *
find_trials(const retc_nwb *nwb) {
    const retc_nwb_object *only = NULL;
    size_t tables = 0;
    for (size_t i = 0; i < nwb->objects; ++i) {
        const retc_nwb_object *object = &nwb->object[i];
        if (object->kind != RETC_NWB_INTERVALS || is_invalid_times(object))
            continue;
        if (strcmp(object->name, "trials") == 0)
            return object;
        only = object;
        ++tables;
    }
    return tables == 1 ? only : NULL;
}

static int
read_trials(const retc_nwb_import *in, test_rows *rows) {
    int status = RETC_OK;
    const retc_nwb_object *found = find_trials(in->nwb);
    retc_nwb_table table = {0};
    if (!found)
        return RETC_FAIL(RETC_EFORMAT, "%s: --test repeated: there is no table of trials", in->options->file);
    RETC_TRY(retc_nwb_table_read(in->nwb->h5, found->path, &table));
    RETC_TRY(add_matching(rows, &table, found->name, found->name));
    RETC_TRY(settle_rows(in, rows));

done:
    retc_nwb_table_clear(&table);
    return status;
}

/* Rows that --test names: all of them in `asked`; in `rows` those of the table with most of them, whose name is `*name`. */
static int
read_named(const retc_nwb_import *in, test_rows *asked, test_rows *rows, const char **name) {
    int status = RETC_OK;
    retc_nwb_table table = {0};
    test_rows some = {0};
    for (size_t i = 0; i < in->nwb->objects; ++i) {
        const retc_nwb_object *object = &in->nwb->object[i];
        if (object->kind != RETC_NWB_INTERVALS || is_invalid_times(object))
            continue;
        RETC_TRY(retc_nwb_table_read(in->nwb->h5, object->path, &table));
        RETC_TRY(add_matching(&some, &table, object->name, in->options->test));
        for (size_t k = 0; k < some.n; ++k)
            RETC_TRY(add_row(asked, &some.row[k].time));
        test_rows fewer = some.n > rows->n ? *rows : some;
        if (some.n > rows->n) {
            *rows = some;
            *name = object->name;
        }
        retc_free(fewer.row);
        some = (test_rows){0};
        retc_nwb_table_clear(&table);
    }
    if (rows->n == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: --test %s: no table of intervals is called so, and no row holds it",
                           in->options->file, in->options->test));
    RETC_TRY(settle_rows(in, rows));

done:
    retc_free(some.row);
    retc_nwb_table_clear(&table);
    return status;
}

/* The trials that lie within the rows of another table. */
static int
trials_within(const retc_nwb_import *in, const test_rows *outer, test_rows *inner) {
    int status = RETC_OK;
    test_rows all = {0};
    RETC_TRY(read_trials(in, &all));
    for (size_t i = 0; i < all.n; ++i)
        for (size_t k = 0; k < outer->n; ++k) {
            const retc_span *a = &all.row[i].span, *b = &outer->row[k].span;
            if (a->first >= b->first && a->first + a->count <= b->first + b->count)
                RETC_TRY(add_row(inner, &all.row[i].time));
        }
    if (inner->n > 0)
        RETC_TRY(settle_rows(in, inner));

done:
    retc_free(all.row);
    return status;
}

/* ---- which rows show the same ---------------------------------------------------------------------------------------- */

/* Rows of nearly the same length are cut to the shortest of them. */
static int
cut_rows(const retc_nwb_import *in, test_rows *rows) {
    size_t shortest = SIZE_MAX, longest = 0;
    for (size_t i = 0; i < rows->n; ++i) {
        shortest = rows->row[i].span.count < shortest ? rows->row[i].span.count : shortest;
        longest = rows->row[i].span.count > longest ? rows->row[i].span.count : longest;
    }
    if (longest == shortest || longest - shortest > FRAME_TOLERANCE)
        return RETC_OK;
    for (size_t i = 0; i < rows->n; ++i)
        rows->row[i].span.count = shortest;
    return retc_import_say(in->report, "note: test rows have %zu to %zu frames; the first %zu of each are used", shortest,
                           longest, shortest);
}

/* Digest of the frames of a row. */
static int
digest_row(retc_nwb_import *in, test_row *row, float *frames, size_t slab) {
    int status = RETC_OK;
    size_t pixels = in->series[0].height * in->series[0].width;
    row->shown = row->span.count;
    for (size_t done = 0; done < row->span.count; done += slab) {
        size_t n = row->span.count - done < slab ? row->span.count - done : slab;
        RETC_TRY(retc_nwb_import_frames(in, row->span.first + done, n, frames));
        for (size_t i = 0; i < n * pixels; ++i) {
            uint32_t bits;
            memcpy(&bits, &frames[i], sizeof bits);
            row->shown = (row->shown ^ bits) * 0x9E3779B97F4A7C15u;
            row->shown ^= row->shown >> 32;
        }
    }

done:
    return status;
}

static int
group_rows(retc_nwb_import *in, test_rows *rows) {
    int status = RETC_OK;
    size_t pixels = in->series[0].height * in->series[0].width, slab = SLAB_BYTES / sizeof(float) / pixels + 1;
    float *frames = NULL;
    RETC_TRY(RETC_ALLOC(frames, slab * pixels));
    for (size_t i = 0; i < rows->n; ++i) {
        test_row *row = &rows->row[i];
        RETC_TRY(digest_row(in, row, frames, slab));
        row->group = rows->groups;
        for (size_t k = 0; k < i && row->group == rows->groups; ++k)
            if (rows->row[k].shown == row->shown && rows->row[k].span.count == row->span.count)
                row->group = rows->row[k].group;
        rows->groups += row->group == rows->groups;
    }

done:
    retc_free(frames);
    return status;
}

/* ---- parts ----------------------------------------------------------------------------------------------------------- */

static int
touches_left_out(const retc_nwb_import *in, const retc_span *span) {
    return memchr(in->left_out + span->first, 1, span->count) != NULL;
}

/* Stretches of continuous time: no pause within, no frame that is left out. */
static int
find_stretches(retc_nwb_import *in) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(in->stretch, in->frames));
    in->stretches = 0;
    for (size_t t = 0; t < in->frames; ++t) {
        if (in->left_out[t])
            continue;
        int goes_on = t > 0 && !in->left_out[t - 1] && in->onset[t] - in->end[t - 1] <= 0.5 * in->interval;
        if (goes_on)
            ++in->stretch[in->stretches - 1].count;
        else
            in->stretch[in->stretches++] = (retc_span){t, 1};
    }
    if (in->stretches == 0)
        status = RETC_FAIL(RETC_EFORMAT, "%s: every frame lies in invalid_times: --keep-invalid keeps them", in->options->file);

done:
    return status;
}

/* Keep of each group as many rows as all have: `size` (groups) counts them, groups of fewer than `least` are given up. */
static size_t
count_repeats(const test_rows *rows, size_t *size, size_t least) {
    size_t repeats = 0;
    for (size_t i = 0; i < rows->n; ++i)
        size[rows->row[i].group] += !rows->row[i].dropped;
    for (size_t g = 0; g < rows->groups; ++g) {
        size[g] = size[g] >= least ? size[g] : 0;
        if (size[g] > 0 && (repeats == 0 || size[g] < repeats))
            repeats = size[g];
    }
    return repeats;
}

/* Rows as repeats (r) of the stretches (groups) of the test part. */
static int
fill_test(retc_nwb_import *in, const test_rows *rows, const size_t *size, size_t repeats) {
    int status = RETC_OK;
    retc_import_parts *parts = &in->parts;
    size_t *place = NULL, *taken = NULL, unused = 0;
    RETC_TRY(RETC_ALLOC(place, rows->groups));
    RETC_TRY(RETC_ALLOC(taken, rows->groups));
    for (size_t g = 0; g < rows->groups; ++g)
        if (size[g] > 0)
            place[g] = parts->test_stretches++;
    parts->repeats = repeats;
    RETC_TRY(RETC_ALLOC(parts->test, repeats * parts->test_stretches));
    for (size_t i = 0; i < rows->n; ++i) {
        size_t g = rows->row[i].group;
        if (rows->row[i].dropped)
            continue;
        if (size[g] > 0 && taken[g] < repeats)
            parts->test[taken[g]++ * parts->test_stretches + place[g]] = rows->row[i].span;
        else
            unused += size[g] > 0;
    }
    if (unused > 0)
        RETC_TRY(retc_import_say(in->report, "note: %zu test rows are left out, so that all stimuli have %zu repeats", unused,
                                 repeats));

done:
    retc_free(place);
    retc_free(taken);
    return status;
}

static void
leave_out(retc_nwb_import *in, const test_row *row) {
    retc_span span = span_of(in, &row->time);
    memset(in->left_out + span.first, 1, span.count);
}

/* What is in no row that was asked for, nor shows what a test row shows, is the train part. */
static int
fill_train(retc_nwb_import *in, const test_rows *asked, const test_rows *rows, const size_t *size) {
    int status = RETC_OK;
    for (size_t i = 0; i < asked->n; ++i)
        leave_out(in, &asked->row[i]);
    for (size_t i = 0; i < rows->n; ++i)
        if (size[rows->row[i].group] > 0)
            leave_out(in, &rows->row[i]);
    retc_free(in->stretch);
    in->stretch = NULL;
    if (!memchr(in->left_out, 0, in->frames))
        return retc_import_say(in->report, "warning: all frames are in the test part, none is left to fit to");
    RETC_TRY(find_stretches(in));
    in->parts.train = in->stretch;
    in->parts.stretches = in->stretches;
    in->stretch = NULL;

done:
    return status;
}

/* Rows that touch invalid times are no repeats. */
static int
drop_invalid_rows(const retc_nwb_import *in, test_rows *rows) {
    size_t dropped = 0;
    for (size_t i = 0; i < rows->n; ++i)
        dropped += (size_t)(rows->row[i].dropped = touches_left_out(in, &rows->row[i].span));
    if (dropped == rows->n)
        return RETC_FAIL(RETC_EFORMAT, "%s: --test %s: all rows touch invalid_times: --keep-invalid keeps them",
                         in->options->file, in->options->test);
    return dropped ? retc_import_say(in->report, "note: %zu test rows touch invalid_times and are left out", dropped) : RETC_OK;
}

/* Which rows are the test part, and which of them show the same. */
static int
choose_rows(retc_nwb_import *in, int repeated, test_rows *asked, test_rows *rows) {
    int status = RETC_OK;
    const char *table = "";
    test_rows inner = {0};
    if (repeated) {
        RETC_TRY(read_trials(in, rows));
    } else {
        RETC_TRY(read_named(in, asked, rows, &table));
        const retc_nwb_object *trials = find_trials(in->nwb);
        if (trials && strcmp(trials->name, table) != 0)
            RETC_TRY(trials_within(in, rows, &inner));
    }
    if (inner.n > 1) {
        RETC_TRY(cut_rows(in, &inner));
        RETC_TRY(group_rows(in, &inner));
    }
    if (inner.groups < inner.n) {
        RETC_TRY(
            retc_import_say(in->report, "note: these rows hold %zu trials with repeats, which are taken instead", inner.n));
        test_rows outer = *rows;
        *rows = inner;
        inner = outer;
    } else {
        RETC_TRY(cut_rows(in, rows));
        RETC_TRY(group_rows(in, rows));
    }
    RETC_TRY(drop_invalid_rows(in, rows));

done:
    retc_free(inner.row);
    return status;
}

static int
split_by_rows(retc_nwb_import *in) {
    int status = RETC_OK, repeated = strcmp(in->options->test, "repeated") == 0;
    test_rows asked = {0}, rows = {0};
    size_t *size = NULL;
    RETC_TRY(choose_rows(in, repeated, &asked, &rows));
    RETC_TRY(RETC_ALLOC(size, rows.groups));
    size_t repeats = count_repeats(&rows, size, repeated || rows.groups < rows.n ? 2 : 1);
    if (repeats == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: --test %s: no two of %zu rows show the same frames", in->options->file,
                           in->options->test, rows.n));
    RETC_TRY(
        retc_import_say(in->report, "test: %s: %zu rows show %zu different stimuli", in->options->test, rows.n, rows.groups));
    if (repeats == 1 && rows.n > 1)
        RETC_TRY(retc_import_say(in->report,
                                 "warning: no two of these rows show the same frames: they are stretches of one repeat"));
    RETC_TRY(fill_test(in, &rows, size, repeats));
    RETC_TRY(fill_train(in, &asked, &rows, size));

done:
    retc_free(asked.row);
    retc_free(rows.row);
    retc_free(size);
    return status;
}

/* Name the tables that --test could have meant. */
static int
say_tables(const retc_nwb_import *in) {
    int status = RETC_OK;
    for (size_t i = 0; i < in->nwb->objects; ++i) {
        const retc_nwb_object *object = &in->nwb->object[i];
        if (object->kind != RETC_NWB_INTERVALS || is_invalid_times(object))
            continue;
        RETC_TRY(retc_import_say(in->report, "note: the table of intervals %s is not used; --test makes test repeats of rows",
                                 object->path));
    }

done:
    return status;
}

int
retc_nwb_import_parts(retc_nwb_import *in) {
    int status = RETC_OK;
    RETC_TRY(find_stretches(in));
    if (in->options->test)
        return split_by_rows(in);
    RETC_TRY(say_tables(in));
    RETC_TRY(retc_import_parts_split(&in->parts, in->stretch, in->stretches, in->options->test_fraction));
    RETC_TRY(retc_import_say(in->report, "test: the last %g of the frames", in->options->test_fraction));

done:
    return status;
}
