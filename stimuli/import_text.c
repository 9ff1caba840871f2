#include "import_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "frame_clock.h"
#include "recording_data.h"
#include "spikes.h"
#include "text.h"

/* A frame is irregular when its interval is off the median by this share of it. */
#define IRREGULAR 0.2

/* Intervals shorter than this, in s, are reported: no ganglion cell fires so fast. */
#define BRIEF 0.001

/* Spikes that go on for so many times the clock of the stimulus are suspected to be in ms. */
#define MS_SUSPICION 10

/* Values that make sure that a stretch of stimulus is a copy of another. */
#define COPIED_VALUES ((size_t)50)

/* Without trials the whole recording is taken as one trial. */
typedef struct {
    const retc_import_options *options;
    retc_import_report *report;
    retc_text_column onset, stimulus;
    retc_text_column *spikes; /* (cells) */
    float *counts;            /* (cells,frames) over all frames */
} import;

/* ---- clock and stimulus ---------------------------------------------------------------------------------------------- */

/* Note a line that was taken as the name of a column. */
static int
note_header(retc_import_report *report, const char *path, const retc_text_column *column) {
    if (!column->header)
        return RETC_OK;
    char *headers =
        retc_strf("%s%s%s: \"%s\"", report->headers ? report->headers : "", report->headers ? ", " : "", path, column->header);
    if (!headers)
        return RETC_ENOMEM;
    retc_free(report->headers);
    report->headers = headers;
    return RETC_OK;
}

static int
read_clock(import *in) {
    int status = RETC_OK;
    const char *path = in->options->frames;
    retc_import_report *report = in->report;
    retc_text_column *onset = &in->onset;
    RETC_TRY(retc_text_read_column(path, onset));
    RETC_TRY(note_header(report, path, onset));
    if (onset->n < 2)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has %zu frame times, expected at least 2", path, onset->n));
    size_t wrong = retc_clock_disorder(onset->value, onset->n);
    if (wrong < onset->n)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: line %zu: frame time %.9g s does not come after %.9g s", path, onset->line[wrong],
                           onset->value[wrong], onset->value[wrong - 1]));
    RETC_TRY(retc_clock_median_interval(onset->value, onset->n, &report->interval));
    report->frames = onset->n;
    report->start = onset->value[0];
    report->end = onset->value[onset->n - 1] + report->interval;
    report->irregular =
        retc_clock_irregular(onset->value, onset->n, report->interval, IRREGULAR, report->irregular_at, RETC_IMPORT_NAMED);

done:
    return status;
}

static int
read_stimulus(import *in) {
    int status = RETC_OK;
    const char *path = in->options->stimulus;
    RETC_TRY(retc_text_read_column(path, &in->stimulus));
    RETC_TRY(note_header(in->report, path, &in->stimulus));
    in->report->stimulus_lines = in->stimulus.n;
    if (in->stimulus.n < in->report->frames)
        status = RETC_FAIL(RETC_EFORMAT, "%s: has %zu values for %zu frame times in %s: expected one for each", path,
                           in->stimulus.n, in->report->frames, in->options->frames);

done:
    return status;
}

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

/* Lengths of running and frozen stretches: options first, then the parameter file. */
static int
find_lengths(import *in) {
    int status = RETC_OK;
    const retc_import_options *options = in->options;
    retc_import_report *report = in->report;
    report->running = options->running;
    report->frozen = options->frozen;
    int found = 0;
    if (options->parameters && report->running == 0) {
        RETC_TRY(retc_text_read_size(options->parameters, "RunningFrames", &report->running));
        found += status;
    }
    if (options->parameters && report->frozen == 0) {
        RETC_TRY(retc_text_read_size(options->parameters, "FrozenFrames", &report->frozen));
        found += status;
    }
    report->has_trials = report->frozen > 0;
    status = RETC_OK;
    if (options->parameters && report->running == 0 && report->frozen == 0 && !found)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has neither RunningFrames nor FrozenFrames", options->parameters));
    if (options->running > 0 && !report->has_trials)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%zu running frames without frozen ones are no trials: give --frozen as well",
                           options->running));
    if (report->has_trials && report->running == 0)
        status = RETC_FAIL(RETC_EINVAL, "%zu frozen frames without running ones leave nothing to fit: give --running as well",
                           report->frozen);

done:
    return status;
}

/* Index of the first frozen frame of trial k whose value differs from that of trial 0; 0 when all are the same. */
static size_t
first_difference(const import *in, size_t k) {
    size_t trial = in->report->running + in->report->frozen;
    const double *first = in->stimulus.value + in->report->running;
    for (size_t i = 0; i < in->report->frozen; ++i) {
        if (!(first[k * trial + i] == first[i]))
            return in->report->running + k * trial + i;
    }
    return 0;
}

/* Whether the stimulus values from `used` on are a copy of earlier ones. */
static void
look_for_copy(import *in, size_t used) {
    const double *value = in->stimulus.value;
    size_t rest = in->stimulus.n - used;
    if (rest < COPIED_VALUES)
        return;
    for (size_t from = 0; from < used && !in->report->rest_repeats; ++from) {
        size_t same = 0;
        while (same < COPIED_VALUES && value[from + same] == value[used + same])
            ++same;
        in->report->rest_repeats = same == COPIED_VALUES;
        in->report->rest_repeats_from = from;
    }
}

static int
find_trials(import *in) {
    retc_import_report *report = in->report;
    size_t trial = report->running + report->frozen;
    /* Each length on its own first: their sum may wrap around. */
    int fits = report->running <= report->frames && report->frozen <= report->frames;
    report->complete = fits ? report->frames / trial : 0;
    if (report->complete == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: %zu frames hold no complete trial of %zu running and %zu frozen frames",
                         in->options->frames, report->frames, report->running, report->frozen);
    while (report->trials < report->complete && report->different_at == 0) {
        report->different_at = first_difference(in, report->trials);
        report->trials += report->different_at == 0;
    }
    if (report->trials == 1 && report->complete > 1)
        return RETC_FAIL(
            RETC_EFORMAT,
            "%s: line %zu: the frozen stretch of trial 2 differs from that of trial 1: are %zu running and %zu frozen "
            "frames right?",
            in->options->stimulus, in->stimulus.line[report->different_at], report->running, report->frozen);
    look_for_copy(in, report->trials * trial);
    return RETC_OK;
}

static int
split_frames(import *in) {
    int status = RETC_OK;
    retc_import_report *report = in->report;
    RETC_TRY(find_lengths(in));
    if (report->has_trials) {
        RETC_TRY(find_trials(in));
    } else {
        if (!(in->options->test_fraction >= 0 && in->options->test_fraction <= 0.9))
            RETC_TRY(RETC_FAIL(RETC_EINVAL, "a test fraction of %g is not between 0 and 0.9", in->options->test_fraction));
        report->frozen = (size_t)((double)report->frames * in->options->test_fraction);
        report->running = report->frames - report->frozen;
        report->trials = 1;
    }
    report->used_frames = report->trials * (report->running + report->frozen);

done:
    return status;
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

/* The file's name without folder and ending; retc_free. */
static char *
cell_name(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    return retc_strf("%.*s", (int)(dot && dot > name ? (size_t)(dot - name) : strlen(name)), name);
}

static int
name_cells(import *in) {
    int status = RETC_OK;
    retc_import_report *report = in->report;
    const char *const *spikes = in->options->spikes;
    if (in->options->cells == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "no file of spike times is given"));
    RETC_TRY(RETC_ALLOC(report->cell, in->options->cells));
    report->cells = in->options->cells;
    for (size_t i = 0; i < report->cells; ++i) {
        RETC_TRY(RETC_GOT(report->cell[i].name = cell_name(spikes[i])));
        for (size_t k = 0; k < i; ++k) {
            if (strcmp(report->cell[i].name, report->cell[k].name) == 0)
                RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s and %s are both cell \"%s\": rename one", spikes[k], spikes[i],
                                   report->cell[i].name));
        }
    }

done:
    return status;
}

static int
check_spikes(const import *in, const retc_import_cell *cell, const char *path, const retc_text_column *spikes) {
    const retc_import_report *report = in->report;
    size_t wrong = retc_spikes_disorder(spikes->value, spikes->n);
    if (wrong < spikes->n)
        return RETC_FAIL(RETC_EFORMAT, "%s: line %zu: spike at %.9g s comes after one at %.9g s: sort the file", path,
                         spikes->line[wrong], spikes->value[wrong], spikes->value[wrong - 1]);
    if (in->options->keep_empty)
        return RETC_OK;
    if (spikes->n == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: has no spikes; leave it out, or keep it with --keep-empty", path);
    if (cell->before + cell->after == spikes->n)
        return RETC_FAIL(RETC_EFORMAT,
                         "%s: no spike falls into the stimulus (%.9g ... %.9g s), they lie at %.9g ... %.9g: are they in ms?",
                         path, report->start, report->end, spikes->value[0], spikes->value[spikes->n - 1]);
    return RETC_OK;
}

static int
read_cell(import *in, size_t i) {
    int status = RETC_OK;
    const char *path = in->options->spikes[i];
    retc_import_report *report = in->report;
    retc_import_cell *cell = &report->cell[i];
    retc_text_column *spikes = &in->spikes[i];
    float *counts = in->counts + i * report->frames;
    const double *onset = in->onset.value;
    double used_end = report->used_frames < report->frames ? onset[report->used_frames] : report->end;
    RETC_TRY(retc_text_read_column(path, spikes));
    RETC_TRY(note_header(report, path, spikes));
    retc_spikes_count(spikes->value, spikes->n, onset, report->frames, report->end, counts, &cell->before, &cell->after);
    RETC_TRY(check_spikes(in, cell, path, spikes));
    double used = 0;
    for (size_t t = 0; t < report->used_frames; ++t)
        used += (double)counts[t];
    cell->spikes = spikes->n;
    cell->used = (size_t)used;
    cell->unused = cell->spikes - cell->before - cell->after - cell->used;
    cell->equal = retc_spikes_brief(spikes->value, spikes->n, 0);
    cell->brief = retc_spikes_brief(spikes->value, spikes->n, BRIEF);
    cell->rate = used / (used_end - report->start);
    cell->maybe_ms = spikes->n > 0 && spikes->value[spikes->n - 1] > MS_SUSPICION * fabs(report->end);

done:
    return status;
}

static int
read_cells(import *in) {
    int status = RETC_OK;
    size_t cells = in->options->cells, found = 0;
    RETC_TRY(name_cells(in));
    RETC_TRY(RETC_ALLOC(in->spikes, cells));
    RETC_TRY(RETC_ALLOC(in->counts, cells * in->report->frames));
    for (size_t i = 0; i < cells; ++i) {
        RETC_TRY(read_cell(in, i));
        found += in->report->cell[i].used;
    }
    if (found == 0)
        status = RETC_FAIL(RETC_EFORMAT, "no spike of any cell falls into the frames that are used");

done:
    return status;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* Frame of the whole recording that is frame t of a part, in repeat r of it. */
static size_t
whole_frame(const retc_import_report *report, retc_part part, size_t r, size_t t) {
    size_t trial = report->running + report->frozen;
    if (part == RETC_TEST)
        return r * trial + report->running + t;
    return t / report->running * trial + t % report->running;
}

/* Length of a part in frames. */
static size_t
part_frames(const retc_import_report *report, retc_part part) {
    return part == RETC_TRAIN ? report->trials * report->running : report->frozen;
}

static int
write_stimulus(import *in, retc_recording_writer *writer, retc_part part) {
    int status = RETC_OK;
    size_t frames = part_frames(in->report, part);
    float *movie = NULL;
    RETC_TRY(RETC_ALLOC(movie, frames));
    for (size_t t = 0; t < frames; ++t)
        movie[t] = (float)in->stimulus.value[whole_frame(in->report, part, 0, t)];
    RETC_TRY(retc_recording_write_stimulus(writer, part, 0, frames, movie));

done:
    retc_free(movie);
    return status;
}

/* The raw clock as onset, and the clock of the part: each stretch begins when the one before it ends. */
static int
write_clock(import *in, retc_recording_writer *writer, retc_part part) {
    int status = RETC_OK;
    const retc_import_report *report = in->report;
    const double *raw = in->onset.value;
    size_t frames = part_frames(report, part), repeats = part == RETC_TEST ? report->trials : 1;
    const size_t shape[2] = {part == RETC_TEST ? repeats : frames, frames};
    double *onset = NULL, *time = NULL, clock = 0;
    retc_dataset_name name;
    RETC_TRY(RETC_ALLOC(onset, repeats * frames));
    RETC_TRY(RETC_ALLOC(time, frames));
    for (size_t t = 0; t < frames; ++t) {
        size_t i = whole_frame(report, part, 0, t);
        time[t] = clock;
        clock += (i + 1 < report->frames ? raw[i + 1] : report->end) - raw[i];
        for (size_t r = 0; r < repeats; ++r)
            onset[r * frames + t] = raw[whole_frame(report, part, r, t)];
    }
    RETC_TRY(retc_recording_write_time(writer, part, time));
    RETC_TRY(retc_h5_put(retc_recording_writer_file(writer), retc_name_in(&name, part, "onset"), RETC_H5_DOUBLE,
                         part == RETC_TEST ? 2 : 1, shape, onset));

done:
    retc_free(onset);
    retc_free(time);
    return status;
}

static int
write_counts(import *in, retc_recording_writer *writer, retc_part part) {
    int status = RETC_OK;
    const retc_import_report *report = in->report;
    size_t frames = part_frames(report, part), repeats = part == RETC_TEST ? report->trials : 1;
    float *counts = NULL;
    RETC_TRY(RETC_ALLOC(counts, report->cells * repeats * frames));
    for (size_t i = 0; i < report->cells * repeats * frames; ++i) {
        size_t cell = i / (repeats * frames), r = i / frames % repeats, t = i % frames;
        counts[i] = in->counts[cell * report->frames + whole_frame(report, part, r, t)];
    }
    RETC_TRY(retc_recording_write_counts(writer, part, 0, frames, counts));

done:
    retc_free(counts);
    return status;
}

static int
write_spikes(import *in, retc_recording_writer *writer) {
    int status = RETC_OK;
    char name[64];
    for (size_t i = 0; i < in->report->cells; ++i) {
        snprintf(name, sizeof name, "spikes/cell%02zu", i + 1);
        RETC_TRY(
            retc_h5_put(retc_recording_writer_file(writer), name, RETC_H5_DOUBLE, 1, &in->spikes[i].n, in->spikes[i].value));
    }

done:
    return status;
}

static int
write_recording(import *in, const char *output, int force, retc_recording_writer **result) {
    int status = RETC_OK;
    const retc_import_report *report = in->report;
    retc_recording_writer *writer = NULL;
    const char **names = NULL;
    size_t *block_start = NULL;
    RETC_TRY(RETC_ALLOC(names, report->cells));
    RETC_TRY(RETC_ALLOC(block_start, report->trials));
    for (size_t i = 0; i < report->cells; ++i)
        names[i] = report->cell[i].name;
    for (size_t k = 0; k < report->trials; ++k)
        block_start[k] = k * report->running;
    retc_recording_layout layout = {.height = 1,
                                    .width = 1,
                                    .cells = report->cells,
                                    .repeats = report->trials,
                                    .frames = {part_frames(report, RETC_TRAIN), part_frames(report, RETC_TEST)},
                                    .frame_interval = report->interval,
                                    .stimulus_type = RETC_H5_FLOAT,
                                    .cell_names = names,
                                    .block_start = {block_start, NULL},
                                    .blocks = {report->trials, 0}};
    RETC_TRY(RETC_GOT(writer = retc_recording_writer_create(output, force, &layout)));
    for (int part = 0; part < 2; ++part) {
        if (layout.frames[part] == 0)
            continue;
        RETC_TRY(write_stimulus(in, writer, (retc_part)part));
        RETC_TRY(write_clock(in, writer, (retc_part)part));
        RETC_TRY(write_counts(in, writer, (retc_part)part));
    }
    RETC_TRY(write_spikes(in, writer));
    RETC_TRY(retc_recording_writer_finish(writer));
    *result = writer;
    writer = NULL;

done:
    retc_recording_writer_free(writer);
    retc_free(names);
    retc_free(block_start);
    return status;
}

int
retc_import_text(const retc_import_options *options, const char *output, int force, retc_recording_writer **writer,
                 retc_import_report *report) {
    int status = RETC_OK;
import in = {.options = options, .report = report };
    *report = (retc_import_report){0};
    RETC_TRY(read_clock(&in));
    RETC_TRY(read_stimulus(&in));
    RETC_TRY(split_frames(&in));
    RETC_TRY(read_cells(&in));
    RETC_TRY(write_recording(&in, output, force, writer));

done:
    for (size_t i = 0; in.spikes && i < options->cells; ++i)
        retc_text_column_free(&in.spikes[i]);
    retc_free(in.spikes);
    retc_free(in.counts);
    retc_text_column_free(&in.onset);
    retc_text_column_free(&in.stimulus);
    return status;
}
