#include "import_build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame_clock.h"
#include "recording_data.h"
#include "spikes.h"

/* A frame is irregular when its interval is off the median by this share of it, and followed by dropped frames when it is
 * longer by that one. */
#define IRREGULAR 0.2
#define DROPPED 0.5

/* Intervals shorter than this, in s, are reported: no ganglion cell fires so fast. */
#define BRIEF 0.001

/* Spikes that go on for so many times the clock of the stimulus are suspected to be in ms. */
#define MS_SUSPICION 10

/* Frames that last so long, in s, while all spikes come in so small a share of the stimulus, are suspected to be timed in ms.
 */
#define LONG_FRAME 1.0
#define EARLY_SHARE 0.02

/* Responses are handled in slabs of at most so many frames and values. */
#define SLAB_FRAMES ((size_t)4096)
#define SLAB_VALUES ((size_t)4 << 20)

typedef struct {
    const retc_import_source *source;
    retc_import_report *report;
    const retc_progress *progress;
    retc_recording_writer *writer;
    double *end;        /* (frames), s */
    size_t done, total; /* frames of the movie */
} build;

/* ---- clock ----------------------------------------------------------------------------------------------------------- */

static int
look_at_clock(build *b) {
    int status = RETC_OK;
    const retc_import_source *source = b->source;
    retc_import_report *report = b->report;
    size_t frames = source->frames, wrong = retc_clock_disorder(source->onset, frames);
    const double *onset = source->onset;
    if (frames < 2)
        return RETC_FAIL(RETC_EFORMAT, "%zu frame%s were shown, expected at least 2", frames, frames == 1 ? "" : "s");
    if (wrong < frames)
        return RETC_FAIL(RETC_EFORMAT, "frame %zu, at %.9g s, does not come after the one before, at %.9g s", wrong,
                         onset[wrong], onset[wrong ? wrong - 1 : 0]);
    RETC_TRY(retc_clock_median_interval(onset, frames, &report->interval));
    RETC_TRY(RETC_ALLOC(b->end, frames));
    for (size_t t = 0; t < frames; ++t)
        b->end[t] = source->end ? source->end[t] : t + 1 < frames ? onset[t + 1] : onset[t] + report->interval;
    report->frames = frames;
    report->height = source->height;
    report->width = source->width;
    report->start = onset[0];
    report->end = b->end[frames - 1];
    report->irregular =
        retc_clock_irregular(onset, frames, report->interval, IRREGULAR, report->irregular_at, RETC_IMPORT_NAMED);
    for (size_t t = 0; t + 1 < frames; ++t)
        report->dropped += onset[t + 1] - onset[t] > (1 + DROPPED) * report->interval;

done:
    return status;
}

static void
look_at_parts(build *b) {
    const retc_import_parts *parts = &b->source->parts;
    retc_import_report *report = b->report;
    report->stretches = parts->stretches;
    report->repeats = parts->repeats;
    for (int part = 0; part < 2; ++part) {
        size_t repeats = part == RETC_TEST ? parts->repeats : 1;
        report->part_frames[part] = repeats ? retc_import_part_frames(parts, (retc_part)part) : 0;
        report->used_frames += repeats * report->part_frames[part];
    }
    for (size_t i = 0; i < parts->stretches + parts->repeats * parts->test_stretches; ++i) {
        const retc_span *span = i < parts->stretches ? &parts->train[i] : &parts->test[i - parts->stretches];
        if (span->first + span->count > report->left_out_from)
            report->left_out_from = span->first + span->count;
    }
}

/* ---- responses ------------------------------------------------------------------------------------------------------- */

/* Check what the format gave as responses of frames t0 ..., and turn rates into counts. */
static int
check_counts(const build *b, size_t t0, size_t n, float *counts) {
    const retc_import_source *source = b->source;
    for (size_t i = 0; i < source->cells * n; ++i) {
        size_t t = t0 + i % n;
        if (!isfinite(counts[i]) || counts[i] < 0)
            return RETC_FAIL(RETC_EFORMAT, "cell \"%s\" has %g in frame %zu: expected a spike %s", source->unit[i / n].name,
                             (double)counts[i], t, source->rates ? "rate" : "count");
        if (source->rates)
            counts[i] *= (float)(b->end[t] - source->onset[t]);
    }
    return RETC_OK;
}

/* Counts of frames t0 ... t0+n-1 of all that were shown: cell i at counts[i * stride]. */
static int
count_frames(const build *b, size_t t0, size_t n, float *scratch, float *counts, size_t stride) {
    const retc_import_source *source = b->source;
    int status = RETC_OK;
    if (source->counts) {
        RETC_TRY(source->counts(source->counts_context, t0, n, scratch));
        RETC_TRY(check_counts(b, t0, n, scratch));
    }
    for (size_t i = 0; i < source->cells; ++i) {
        const retc_import_unit *unit = &source->unit[i];
        if (source->counts)
            memcpy(counts + i * stride, scratch + i * n, n * sizeof *counts);
        else
            retc_spikes_count(unit->spike, unit->n, source->onset + t0, b->end + t0, n, counts + i * stride);
    }

done:
    return status;
}

/* The largest power of two of frames such that `rows` of them are a slab. */
static size_t
slab_frames(size_t rows) {
    size_t frames = 1;
    while (frames < SLAB_FRAMES && 2 * frames * rows <= SLAB_VALUES)
        frames *= 2;
    return frames;
}

/* Add up the counts of the frames of one stretch, and the time in `*seconds`. */
static int
sum_stretch(build *b, const retc_span *span, size_t slab, float *scratch, float *counts, double *seconds) {
    int status = RETC_OK;
    retc_import_report *report = b->report;
    for (size_t done = 0; done < span->count; done += slab) {
        size_t t0 = span->first + done, n = span->count - done < slab ? span->count - done : slab;
        RETC_TRY(count_frames(b, t0, n, scratch, counts, n));
        for (size_t i = 0; i < report->cells * n; ++i) {
            report->cell[i / n].used += (double)counts[i];
            if (b->source->counts && !b->source->rates)
                report->fractional += counts[i] != floorf(counts[i]);
        }
        for (size_t t = t0; t < t0 + n; ++t)
            *seconds += b->end[t] - b->source->onset[t];
    }

done:
    return status;
}

static int
sum_parts(build *b) {
    int status = RETC_OK;
    const retc_import_parts *parts = &b->source->parts;
    size_t cells = b->source->cells, slab = slab_frames(cells);
    float *scratch = NULL, *counts = NULL;
    double seconds = 0;
    RETC_TRY(RETC_ALLOC(scratch, cells * slab));
    RETC_TRY(RETC_ALLOC(counts, cells * slab));
    for (size_t i = 0; i < parts->stretches; ++i)
        RETC_TRY(sum_stretch(b, &parts->train[i], slab, scratch, counts, &seconds));
    for (size_t i = 0; i < parts->repeats * parts->test_stretches; ++i)
        RETC_TRY(sum_stretch(b, &parts->test[i], slab, scratch, counts, &seconds));
    for (size_t i = 0; i < cells && seconds > 0; ++i)
        b->report->cell[i].rate = b->report->cell[i].used / seconds;

done:
    retc_free(scratch);
    retc_free(counts);
    return status;
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

static const char *
origin_of(const retc_import_unit *unit) {
    return unit->origin ? unit->origin : unit->name;
}

static int
name_cells(build *b) {
    int status = RETC_OK;
    const retc_import_source *source = b->source;
    if (source->cells == 0)
        return RETC_FAIL(RETC_EFORMAT, "there is no cell");
    RETC_TRY(RETC_ALLOC(b->report->cell, source->cells));
    b->report->cells = source->cells;
    for (size_t i = 0; i < source->cells; ++i) {
        const retc_import_unit *unit = &source->unit[i];
        RETC_TRY(RETC_GOT(b->report->cell[i].name = retc_strdup(unit->name)));
        for (size_t k = 0; k < i; ++k)
            if (strcmp(unit->name, source->unit[k].name) == 0)
                RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s and %s are both cell \"%s\": rename one", origin_of(&source->unit[k]),
                                   origin_of(unit), unit->name));
    }

done:
    return status;
}

/* Number, from 1, of the first cell before cell i with the very same spikes; 0 when none has. */
static size_t
find_twin(const retc_import_source *source, size_t i) {
    const retc_import_unit *unit = &source->unit[i];
    for (size_t k = 0; k < i && unit->n > 0; ++k)
        if (source->unit[k].n == unit->n && memcmp(source->unit[k].spike, unit->spike, unit->n * sizeof *unit->spike) == 0)
            return k + 1;
    return 0;
}

static int
look_at_spikes(build *b, size_t i) {
    const retc_import_source *source = b->source;
    const retc_import_unit *unit = &source->unit[i];
    const retc_import_report *report = b->report;
    retc_import_cell *cell = &b->report->cell[i];
    size_t wrong = retc_spikes_disorder(unit->spike, unit->n);
    if (wrong < unit->n)
        return RETC_FAIL(RETC_EFORMAT, "%s: spike %zu, at %.9g s, comes after one at %.9g s: sort the times", origin_of(unit),
                         wrong, unit->spike[wrong], unit->spike[wrong - 1]);
    for (size_t k = 0; k < unit->n; ++k)
        if (!isfinite(unit->spike[k]))
            return RETC_FAIL(RETC_ENUMBER, "%s: spike %zu is at %g s", origin_of(unit), k, unit->spike[k]);
    cell->spikes = unit->n;
    cell->before = retc_spikes_before(unit->spike, unit->n, report->start);
    cell->after = unit->n - retc_spikes_before(unit->spike, unit->n, report->end);
    cell->negative = retc_spikes_before(unit->spike, unit->n, 0);
    cell->equal = retc_spikes_brief(unit->spike, unit->n, 0);
    cell->brief = retc_spikes_brief(unit->spike, unit->n, BRIEF);
    cell->maybe_ms = unit->n > 0 && unit->spike[unit->n - 1] > MS_SUSPICION * fabs(report->end);
    cell->twin = find_twin(source, i);
    if (source->keep_empty)
        return RETC_OK;
    if (unit->n == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: has no spikes; leave it out, or keep it with --keep-empty", origin_of(unit));
    if (cell->before + cell->after == unit->n)
        return RETC_FAIL(RETC_EFORMAT,
                         "%s: no spike falls into the stimulus (%.9g ... %.9g s), they lie at %.9g ... %.9g: are they in ms?",
                         origin_of(unit), report->start, report->end, unit->spike[0], unit->spike[unit->n - 1]);
    return RETC_OK;
}

/* Whether frame times that are in ms were taken for seconds. */
static int
frames_maybe_ms(const build *b) {
    const retc_import_report *report = b->report;
    double last = report->start;
    for (size_t i = 0; i < b->source->cells && !b->source->counts; ++i) {
        const retc_import_unit *unit = &b->source->unit[i];
        if (unit->n > 0 && unit->spike[unit->n - 1] > last)
            last = unit->spike[unit->n - 1];
    }
    return !b->source->counts && report->interval > LONG_FRAME &&
           last < report->start + EARLY_SHARE * (report->end - report->start);
}

static int
look_at_cells(build *b) {
    int status = RETC_OK;
    retc_import_report *report = b->report;
    double found = 0;
    report->from_counts = b->source->counts != NULL;
    report->rates = b->source->rates;
    RETC_TRY(name_cells(b));
    for (size_t i = 0; i < report->cells && !report->from_counts; ++i)
        RETC_TRY(look_at_spikes(b, i));
    report->frames_maybe_ms = frames_maybe_ms(b);
    RETC_TRY(sum_parts(b));
    for (size_t i = 0; i < report->cells; ++i) {
        retc_import_cell *cell = &report->cell[i];
        found += cell->used;
        if (!report->from_counts)
            cell->unused = cell->spikes - cell->before - cell->after - (size_t)cell->used;
    }
    if (!(found > 0))
        status = RETC_FAIL(RETC_EFORMAT, "no spike of any cell falls into the frames that are used (%.9g ... %.9g s)%s",
                           report->start, report->end, report->cell[0].maybe_ms ? ": are the spikes in ms?" : "");

done:
    return status;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static int
write_movie(build *b, retc_part part) {
    int status = RETC_OK;
    const retc_import_source *source = b->source;
    size_t frames = b->report->part_frames[part], pixels = source->height * source->width;
    size_t chunk = retc_recording_writer_chunk(b->writer), slab = retc_stimulus_slab(source->height, source->width);
    float *movie = NULL;
    slab = slab < chunk ? chunk : slab;
    RETC_TRY(RETC_ALLOC(movie, (slab < frames ? slab : frames) * pixels));
    for (size_t t0 = 0; t0 < frames; t0 += slab) {
        size_t n = frames - t0 < slab ? frames - t0 : slab, got = 0;
        while (got < n) {
            retc_span span = retc_import_part_span(&source->parts, part, 0, t0 + got);
            span.count = span.count < n - got ? span.count : n - got;
            RETC_TRY(source->movie(source->movie_context, span.first, span.count, movie + got * pixels));
            got += span.count;
        }
        RETC_TRY(retc_recording_write_stimulus(b->writer, part, t0, n, movie));
        retc_progress_report(b->progress, b->done += n, b->total, NULL);
    }

done:
    retc_free(movie);
    return status;
}

/* The raw clock as onset, and the clock of the part: each stretch begins when the one before it ends. */
static int
write_clock(build *b, retc_part part) {
    int status = RETC_OK;
    const retc_import_source *source = b->source;
    size_t frames = b->report->part_frames[part], repeats = part == RETC_TEST ? source->parts.repeats : 1;
    const size_t shape[2] = {part == RETC_TEST ? repeats : frames, frames};
    double *onset = NULL, *time = NULL, clock = 0;
    retc_dataset_name name;
    RETC_TRY(RETC_ALLOC(onset, repeats * frames));
    RETC_TRY(RETC_ALLOC(time, frames));
    for (size_t r = 0; r < repeats; ++r)
        for (size_t t = 0; t < frames;) {
            retc_span span = retc_import_part_span(&source->parts, part, r, t);
            for (size_t i = span.first; i < span.first + span.count; ++i, ++t) {
                onset[r * frames + t] = source->onset[i];
                if (r > 0)
                    continue;
                time[t] = clock;
                clock += b->end[i] - source->onset[i];
            }
        }
    RETC_TRY(retc_recording_write_time(b->writer, part, time));
    RETC_TRY(retc_h5_put(retc_recording_writer_file(b->writer), retc_name_in(&name, part, "onset"), RETC_H5_DOUBLE,
                         part == RETC_TEST ? 2 : 1, shape, onset));

done:
    retc_free(onset);
    retc_free(time);
    return status;
}

static int
write_counts(build *b, retc_part part) {
    int status = RETC_OK;
    const retc_import_source *source = b->source;
    size_t frames = b->report->part_frames[part], repeats = part == RETC_TEST ? source->parts.repeats : 1;
    size_t rows = source->cells * repeats, slab = slab_frames(rows);
    float *counts = NULL, *scratch = NULL;
    RETC_TRY(RETC_ALLOC(counts, rows * slab));
    RETC_TRY(RETC_ALLOC(scratch, source->cells * slab));
    for (size_t t0 = 0; t0 < frames; t0 += slab) {
        size_t n = frames - t0 < slab ? frames - t0 : slab;
        for (size_t i = 0; i < repeats * n;) {
            size_t r = i / n, t = i % n;
            retc_span span = retc_import_part_span(&source->parts, part, r, t0 + t);
            span.count = span.count < n - t ? span.count : n - t;
            RETC_TRY(count_frames(b, span.first, span.count, scratch, counts + r * n + t, repeats * n));
            i += span.count;
        }
        RETC_TRY(retc_recording_write_counts(b->writer, part, t0, n, counts));
    }

done:
    retc_free(counts);
    retc_free(scratch);
    return status;
}

static int
write_spikes(build *b) {
    int status = RETC_OK;
    char name[64];
    for (size_t i = 0; i < b->source->cells && !b->source->counts; ++i) {
        const retc_import_unit *unit = &b->source->unit[i];
        snprintf(name, sizeof name, "spikes/cell%02zu", i + 1);
        RETC_TRY(retc_h5_put(retc_recording_writer_file(b->writer), name, RETC_H5_DOUBLE, 1, &unit->n, unit->spike));
    }

done:
    return status;
}

/* First frames, within their part, of its stretches. */
static int
block_starts(const retc_span *span, size_t n, size_t **start) {
    int status = RETC_ALLOC(*start, n);
    for (size_t i = 1; status == RETC_OK && i < n; ++i)
        (*start)[i] = (*start)[i - 1] + span[i - 1].count;
    return status;
}

static int
create_file(build *b, const char *output, int force) {
    int status = RETC_OK;
    const retc_import_source *source = b->source;
    const retc_import_parts *parts = &source->parts;
    const retc_import_report *report = b->report;
    const char **names = NULL;
    size_t *start[2] = {NULL};
    RETC_TRY(RETC_ALLOC(names, source->cells));
    for (size_t i = 0; i < source->cells; ++i)
        names[i] = source->unit[i].name;
    RETC_TRY(block_starts(parts->train, parts->stretches, &start[RETC_TRAIN]));
    RETC_TRY(block_starts(parts->test, parts->test_stretches, &start[RETC_TEST]));
    retc_recording_layout layout = {.height = source->height,
                                    .width = source->width,
                                    .cells = source->cells,
                                    .repeats = parts->repeats,
                                    .frames = {report->part_frames[RETC_TRAIN], report->part_frames[RETC_TEST]},
                                    .frame_interval = report->interval,
                                    .stimulus_type = source->stimulus_type,
                                    .cell_names = names,
                                    .block_start = {start[RETC_TRAIN], start[RETC_TEST]},
                                    .blocks = {parts->stretches, parts->test_stretches}};
    RETC_TRY(RETC_GOT(b->writer = retc_recording_writer_create(output, force, &layout)));

done:
    retc_free(names);
    retc_free(start[RETC_TRAIN]);
    retc_free(start[RETC_TEST]);
    return status;
}

int
retc_import_build(const retc_import_source *source, const char *output, int force, const retc_progress *progress,
                  retc_recording_writer **writer, retc_import_report *report) {
    int status = RETC_OK;
    build b = {.source = source, .report = report, .progress = progress};
    RETC_TRY(look_at_clock(&b));
    look_at_parts(&b);
    RETC_TRY(look_at_cells(&b));
    RETC_TRY(create_file(&b, output, force));
    b.total = report->part_frames[RETC_TRAIN] + report->part_frames[RETC_TEST];
    for (int part = 0; part < 2; ++part) {
        if (report->part_frames[part] == 0)
            continue;
        RETC_TRY(write_movie(&b, (retc_part)part));
        RETC_TRY(write_clock(&b, (retc_part)part));
        RETC_TRY(write_counts(&b, (retc_part)part));
    }
    RETC_TRY(write_spikes(&b));
    RETC_TRY(retc_recording_writer_finish(b.writer));
    *writer = b.writer;
    b.writer = NULL;

done:
    if (status < 0 && source->file && !strstr(retc_error_message(), source->file) && !strstr(retc_error_message(), output))
        retc_error_prefix(status, "%s", source->file);
    retc_recording_writer_free(b.writer);
    retc_free(b.end);
    return status;
}
