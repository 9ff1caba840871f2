#include "import_join.h"

#include <math.h>
#include <string.h>

#include "recording_data.h"

/* Frame intervals further apart are different speeds, not different clocks. */
#define INTERVAL_TOLERANCE 0.01

typedef struct {
    retc_recording *recording;
    size_t *cell; /* (cells) row of each common cell in this recording */
} source;

typedef struct {
    size_t n, cells, frames[2], repeats, blocks[2], slab;
    int pooled; /* the test movies are the same: repeats are put together */
    source *source;
    const char **name;
    size_t *block_start[2];
    float *movie, *counts, *joined; /* (slab,H,W); of one recording; (N,R,slab) */
    retc_import_report report;      /* only its lines are used */
} join;

/* ---- what is common -------------------------------------------------------------------------------------------------- */

static int
open_all(join *j, const char *const *paths) {
    int status = RETC_OK;
    if (j->n < 2)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%zu recording%s: two or more can be joined", j->n, j->n == 1 ? "" : "s"));
    RETC_TRY(RETC_ALLOC(j->source, j->n));
    for (size_t i = 0; i < j->n; ++i)
        RETC_TRY((j->source[i].recording = retc_recording_open(paths[i], 0)) ? RETC_OK : RETC_EIO);

done:
    return status;
}

static int
compare_shapes(const join *j) {
    const retc_recording *first = j->source[0].recording;
    size_t H = retc_recording_height(first), W = retc_recording_width(first);
    double interval = retc_recording_frame_interval(first);
    for (size_t i = 1; i < j->n; ++i) {
        const retc_recording *r = j->source[i].recording;
        double other = retc_recording_frame_interval(r);
        if (retc_recording_height(r) != H || retc_recording_width(r) != W)
            return RETC_FAIL(RETC_EINVAL, "%s: the movie has %zux%zu pixels, that of %s %zux%zu", retc_recording_path(r),
                             retc_recording_height(r), retc_recording_width(r), retc_recording_path(first), H, W);
        if (!(fabs(other - interval) <= INTERVAL_TOLERANCE * interval))
            return RETC_FAIL(RETC_EINVAL, "%s: frames last %.4g ms, those of %s %.4g ms", retc_recording_path(r), 1000 * other,
                             retc_recording_path(first), 1000 * interval);
    }
    return RETC_OK;
}

/* Row of the cell called `name`, or the number of cells. */
static size_t
find_cell(const retc_recording *r, const char *name) {
    size_t cell = 0;
    while (cell < retc_recording_cells(r) && strcmp(retc_recording_cell_name(r, cell), name) != 0)
        ++cell;
    return cell;
}

static int
match_cells(join *j) {
    int status = RETC_OK;
    const retc_recording *first = j->source[0].recording;
    size_t most = retc_recording_cells(first);
    RETC_TRY(RETC_ALLOC(j->name, most));
    for (size_t i = 0; i < j->n; ++i)
        RETC_TRY(RETC_ALLOC(j->source[i].cell, most));
    for (size_t c = 0; c < most; ++c) {
        int everywhere = 1;
        for (size_t i = 0; i < j->n; ++i) {
            size_t cell = find_cell(j->source[i].recording, retc_recording_cell_name(first, c));
            everywhere = everywhere && cell < retc_recording_cells(j->source[i].recording);
            j->source[i].cell[j->cells] = cell;
        }
        j->name[j->cells] = retc_recording_cell_name(first, c);
        j->cells += everywhere;
    }
    if (j->cells == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: none of its cells is in all the other recordings; their names must agree",
                           retc_recording_path(first)));
    for (size_t i = 0; i < j->n; ++i) {
        const retc_recording *r = j->source[i].recording;
        if (retc_recording_cells(r) > j->cells)
            RETC_TRY(retc_import_say(&j->report, "note: %s: %zu of its %zu cells are not in all recordings and are left out",
                                     retc_recording_path(r), retc_recording_cells(r) - j->cells, retc_recording_cells(r)));
    }

done:
    return status;
}

/* ---- test parts ------------------------------------------------------------------------------------------------------ */

/* Whether a test movie is, to the last bit, that of the first recording. */
static int
same_test_movie(join *j, size_t i, int *same) {
    int status = RETC_OK;
    retc_recording *a = j->source[0].recording, *b = j->source[i].recording;
    size_t T = retc_recording_frames(a, RETC_TEST), pixels = retc_recording_height(a) * retc_recording_width(a);
    float *other = NULL;
    *same = T > 0 && retc_recording_frames(b, RETC_TEST) == T;
    RETC_TRY(RETC_ALLOC(other, j->slab * pixels));
    for (size_t t0 = 0; *same && t0 < T; t0 += j->slab) {
        size_t n = T - t0 < j->slab ? T - t0 : j->slab;
        RETC_TRY(retc_recording_stimulus(a, RETC_TEST, t0, n, j->movie));
        RETC_TRY(retc_recording_stimulus(b, RETC_TEST, t0, n, other));
        *same = memcmp(j->movie, other, n * pixels * sizeof *other) == 0;
    }

done:
    retc_free(other);
    return status;
}

static int
plan_test(join *j) {
    int status = RETC_OK, same = 1;
    size_t repeats = 0, equal = 1, total = 0, first = retc_recording_repeats(j->source[0].recording);
    for (size_t i = 0; i < j->n && same; ++i)
        RETC_TRY(same_test_movie(j, i, &same));
    for (size_t i = 0; i < j->n; ++i) {
        size_t R = retc_recording_repeats(j->source[i].recording);
        repeats += R;
        equal = equal && R == first;
        total += retc_recording_frames(j->source[i].recording, RETC_TEST);
    }
    if (same) {
        j->pooled = 1;
        j->repeats = repeats;
        j->frames[RETC_TEST] = retc_recording_frames(j->source[0].recording, RETC_TEST);
        RETC_TRY(retc_import_say(&j->report, "the test movies are the same: %zu repeats are put together", repeats));
    } else if (equal) {
        j->repeats = first;
        j->frames[RETC_TEST] = total;
        if (total > 0)
            RETC_TRY(retc_import_say(&j->report, "the test movies differ: they follow each other, %zu repeats of each", first));
    } else {
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "%s: its test movie has %zu repeats, and not all others have as many, nor the same movie; join "
                           "recordings that agree in one of the two",
                           retc_recording_path(j->source[0].recording), first));
    }

done:
    return status;
}

/* ---- layout ---------------------------------------------------------------------------------------------------------- */

/* Recordings whose frames of a part are written one after the other. */
static size_t
parts_in_file(const join *j, retc_part part) {
    return part == RETC_TEST && j->pooled ? 1 : j->n;
}

static int
plan_stretches(join *j, retc_part part) {
    int status = RETC_OK;
    size_t total = 0, at = 0, n = parts_in_file(j, part);
    for (size_t i = 0; i < n; ++i) {
        size_t stretches = 0;
        (void)retc_recording_stretches(j->source[i].recording, part, &stretches);
        total += stretches;
    }
    RETC_TRY(RETC_ALLOC(j->block_start[part], total + 1));
    for (size_t i = 0; i < n; ++i) {
        size_t stretches = 0, frames = retc_recording_frames(j->source[i].recording, part);
        const int64_t *start = retc_recording_stretches(j->source[i].recording, part, &stretches);
        for (size_t b = 0; frames > 0 && b < stretches; ++b)
            j->block_start[part][j->blocks[part]++] = at + (size_t)start[b];
        at += frames;
    }
    if (part == RETC_TRAIN)
        j->frames[RETC_TRAIN] = at;

done:
    return status;
}

static retc_h5_type
stimulus_type(const join *j) {
    for (size_t i = 0; i < j->n; ++i)
        if (retc_recording_stimulus_type(j->source[i].recording) != RETC_H5_UINT8)
            return RETC_H5_FLOAT;
    return RETC_H5_UINT8;
}

static int
make_writer(join *j, const char *output, int force, retc_recording_writer **writer) {
    const retc_recording *first = j->source[0].recording;
    const retc_recording_layout layout = {.height = retc_recording_height(first),
                                          .width = retc_recording_width(first),
                                          .cells = j->cells,
                                          .frames = {j->frames[RETC_TRAIN], j->frames[RETC_TEST]},
                                          .repeats = j->repeats,
                                          .frame_interval = retc_recording_frame_interval(first),
                                          .stimulus_type = stimulus_type(j),
                                          .cell_names = j->name,
                                          .block_start = {j->block_start[RETC_TRAIN], j->block_start[RETC_TEST]},
                                          .blocks = {j->blocks[RETC_TRAIN], j->blocks[RETC_TEST]}};
    return RETC_GOT(*writer = retc_recording_writer_create(output, force, &layout));
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* Clocks one after the other: each begins an interval after the last frame of the one before. */
static int
write_clock(const join *j, retc_part part, retc_recording_writer *writer) {
    int status = RETC_OK;
    double *time = NULL, next = 0;
    size_t at = 0;
    RETC_TRY(RETC_ALLOC(time, j->frames[part] + 1));
    for (size_t i = 0; i < parts_in_file(j, part); ++i) {
        size_t T = retc_recording_frames(j->source[i].recording, part);
        if (T == 0)
            continue;
        RETC_TRY(retc_recording_time(j->source[i].recording, part, time + at));
        double shift = next - time[at];
        for (size_t t = 0; t < T; ++t)
            time[at + t] += shift;
        at += T;
        next = time[at - 1] + retc_recording_frame_interval(j->source[i].recording);
    }
    RETC_TRY(retc_recording_write_time(writer, part, time));

done:
    retc_free(time);
    return status;
}

/* Train counts (N,n) of the common cells of recording i. */
static int
read_train_counts(join *j, size_t i, size_t t0, size_t n) {
    int status = retc_recording_counts(j->source[i].recording, RETC_TRAIN, t0, n, j->counts);
    for (size_t c = 0; status == RETC_OK && c < j->cells; ++c)
        memcpy(j->joined + c * n, j->counts + j->source[i].cell[c] * n, n * sizeof *j->joined);
    return status;
}

/* Repeats (R,n) of recording i of every common cell, from repeat `at` of j->repeats on, into joined (N,R,n). */
static int
read_repeats(join *j, size_t i, size_t at, size_t t0, size_t n) {
    int status = RETC_OK;
    retc_recording *r = j->source[i].recording;
    size_t R = retc_recording_repeats(r), T = retc_recording_frames(r, RETC_TEST);
    for (size_t c = 0; c < j->cells; ++c) {
        RETC_TRY(retc_recording_repeat_counts(r, j->source[i].cell[c], j->counts));
        for (size_t k = 0; k < R; ++k)
            memcpy(j->joined + (c * j->repeats + at + k) * n, j->counts + k * T + t0, n * sizeof *j->joined);
    }

done:
    return status;
}

/* Frames t0 ... t0+n-1 of recording i, which are frames `at` + t0 ... of the file. */
static int
write_slab(join *j, retc_part part, size_t i, size_t at, size_t t0, size_t n, retc_recording_writer *writer) {
    int status = RETC_OK;
    size_t repeat = 0;
    RETC_TRY(retc_recording_stimulus(j->source[i].recording, part, t0, n, j->movie));
    RETC_TRY(retc_recording_write_stimulus(writer, part, at + t0, n, j->movie));
    if (part == RETC_TRAIN)
        RETC_TRY(read_train_counts(j, i, t0, n));
    for (size_t k = i; part == RETC_TEST && k < (j->pooled ? j->n : i + 1); ++k) {
        RETC_TRY(read_repeats(j, k, repeat, t0, n));
        repeat += retc_recording_repeats(j->source[k].recording);
    }
    RETC_TRY(retc_recording_write_counts(writer, part, at + t0, n, j->joined));

done:
    return status;
}

static int
write_part(join *j, retc_part part, retc_recording_writer *writer, const retc_progress *progress) {
    int status = RETC_OK;
    size_t at = 0;
    if (j->frames[part] == 0)
        return RETC_OK;
    RETC_TRY(write_clock(j, part, writer));
    for (size_t i = 0; i < parts_in_file(j, part); ++i) {
        size_t T = retc_recording_frames(j->source[i].recording, part);
        for (size_t t0 = 0; t0 < T; t0 += j->slab) {
            RETC_TRY(write_slab(j, part, i, at, t0, T - t0 < j->slab ? T - t0 : j->slab, writer));
            retc_progress_report(progress, at + t0, j->frames[part], retc_part_names[part]);
        }
        at += T;
    }

done:
    return status;
}

/* The most counts that one call reads of one recording. */
static size_t
largest_counts(const join *j) {
    size_t most = 1;
    for (size_t i = 0; i < j->n; ++i) {
        const retc_recording *r = j->source[i].recording;
        size_t train = retc_recording_cells(r) * j->slab;
        size_t test = retc_recording_repeats(r) * retc_recording_frames(r, RETC_TEST);
        most = train > most ? train : most;
        most = test > most ? test : most;
    }
    return most;
}

static void
release(join *j) {
    for (size_t i = 0; j->source && i < j->n; ++i) {
        retc_recording_close(j->source[i].recording);
        retc_free(j->source[i].cell);
    }
    retc_free(j->source);
    retc_free(j->name);
    retc_free(j->block_start[0]);
    retc_free(j->block_start[1]);
    retc_free(j->movie);
    retc_free(j->counts);
    retc_free(j->joined);
    retc_import_report_free(&j->report);
}

int
retc_import_join(const char *const *paths, size_t n, const char *output, int force, const retc_progress *progress,
                 retc_recording_writer **writer, char **lines) {
    int status = RETC_OK;
    join j = {.n = n};
    retc_recording_writer *made = NULL;
    *lines = NULL;
    RETC_TRY(open_all(&j, paths));
    RETC_TRY(compare_shapes(&j));
    RETC_TRY(match_cells(&j));
    const retc_recording *first = j.source[0].recording;
    j.slab = retc_stimulus_slab(retc_recording_height(first), retc_recording_width(first));
    RETC_TRY(RETC_ALLOC(j.movie, j.slab * retc_recording_height(first) * retc_recording_width(first)));
    RETC_TRY(plan_test(&j));
    for (int part = 0; part < 2; ++part)
        RETC_TRY(plan_stretches(&j, (retc_part)part));
    RETC_TRY(RETC_ALLOC(j.counts, largest_counts(&j)));
    RETC_TRY(RETC_ALLOC(j.joined, j.cells * (j.repeats ? j.repeats : 1) * j.slab));
    RETC_TRY(make_writer(&j, output, force, &made));
    for (int part = 0; part < 2; ++part)
        RETC_TRY(write_part(&j, (retc_part)part, made, progress));
    RETC_TRY(retc_recording_writer_finish(made));
    RETC_TRY(retc_import_say(&j.report, "joined: %zu train frames in %zu stretches, %zu test frames, %zu cells",
                             j.frames[RETC_TRAIN], j.blocks[RETC_TRAIN], j.frames[RETC_TEST], j.cells));
    *lines = j.report.lines;
    j.report.lines = NULL;
    *writer = made;
    made = NULL;

done:
    retc_recording_writer_free(made);
    release(&j);
    return status;
}
