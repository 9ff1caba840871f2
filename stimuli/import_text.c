#include "import_text.h"

#include <string.h>

#include "import_columns.h"

/* Values that make sure that a stretch of stimulus is a copy of another. */
#define COPIED_VALUES ((size_t)50)

/* Without trials the whole recording is taken as one trial. */
typedef struct {
    const retc_import_options *options;
    retc_import_text_report *report;
    retc_text_column onset, stimulus;
    retc_import_cells cells;
    retc_import_parts parts;
} text_import;

/* ---- stimulus -------------------------------------------------------------------------------------------------------- */

static int
repeat_levels(text_import *in) {
    int status = RETC_OK;
    size_t levels = in->options->levels;
    if (levels == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "what the frames showed is not given: neither --stimulus nor --levels"));
    RETC_TRY(RETC_ALLOC(in->stimulus.value, in->onset.n));
    RETC_TRY(RETC_ALLOC(in->stimulus.line, in->onset.n));
    in->stimulus.n = in->report->stimulus_lines = in->onset.n;
    for (size_t k = 0; k < in->onset.n; ++k) {
        in->stimulus.value[k] = in->options->level[k % levels];
        in->stimulus.line[k] = in->onset.line[k];
    }
    RETC_TRY(retc_import_say(&in->report->found, "stimulus values: %zu, which repeat every %zu frames", in->onset.n, levels));

done:
    return status;
}

static int
read_stimulus(text_import *in) {
    int status = RETC_OK;
    const char *path = in->options->stimulus;
    size_t frames = in->onset.n, lines;
    if (!path)
        return repeat_levels(in);
    RETC_TRY(retc_import_read_column(path, &in->report->found, &in->stimulus));
    lines = in->report->stimulus_lines = in->stimulus.n;
    if (lines < frames)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: has %zu values for %zu frame times in %s: expected one for each", path, lines,
                           frames, in->options->frames));
    if (lines > frames)
        RETC_TRY(
            retc_import_say(&in->report->found, "note: %zu of %zu stimulus values have no frame time", lines - frames, lines));

done:
    return status;
}

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

/* Lengths of running and frozen stretches: options first, then the parameter file. */
static int
find_lengths(text_import *in) {
    int status = RETC_OK;
    const retc_import_options *options = in->options;
    retc_import_text_report *report = in->report;
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
first_difference(const text_import *in, size_t k) {
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
look_for_copy(text_import *in, size_t used) {
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
find_trials(text_import *in) {
    retc_import_text_report *report = in->report;
    size_t trial = report->running + report->frozen, frames = in->onset.n;
    /* Each length on its own first: their sum may wrap around. */
    int fits = report->running <= frames && report->frozen <= frames;
    report->complete = fits ? frames / trial : 0;
    if (report->complete == 0)
        return RETC_FAIL(RETC_EFORMAT, "%s: %zu frames hold no complete trial of %zu running and %zu frozen frames",
                         in->options->frames, frames, report->running, report->frozen);
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
say_trials(text_import *in) {
    int status = RETC_OK;
    retc_import_text_report *report = in->report;
    retc_import_report *found = &report->found;
    RETC_TRY(retc_import_say(found, "trials: %zu of %zu running and %zu frozen frames", report->trials, report->running,
                             report->frozen));
    if (report->different_at > 0)
        RETC_TRY(retc_import_say(
            found, "warning: trial %zu is complete, but at frame %zu its frozen values differ from those of trial 1",
            report->trials + 1, report->different_at));
    if (report->rest_repeats)
        RETC_TRY(retc_import_say(
            found, "warning: stimulus values from frame %zu on are a copy of those from frame %zu on: not what was shown",
            report->trials * (report->running + report->frozen), report->rest_repeats_from));

done:
    return status;
}

/* Fresh frames of every trial are a stretch of the train part, its frozen ones a repeat of the test part. */
static int
split_frames(text_import *in) {
    int status = RETC_OK;
    retc_import_text_report *report = in->report;
    retc_import_parts *parts = &in->parts;
    RETC_TRY(find_lengths(in));
    if (!report->has_trials) {
        const retc_span all = {0, in->onset.n};
        RETC_TRY(retc_import_parts_split(parts, &all, 1, in->options->test_fraction));
        RETC_TRY(retc_import_say(&report->found, "no frozen frames, no trials"));
        report->trials = 1;
        report->running = parts->stretches ? parts->train->count : 0;
        report->frozen = parts->repeats ? parts->test->count : 0;
        goto done;
    }
    RETC_TRY(find_trials(in));
    RETC_TRY(say_trials(in));
    RETC_TRY(RETC_ALLOC(parts->train, report->trials));
    RETC_TRY(RETC_ALLOC(parts->test, report->trials));
    parts->stretches = parts->repeats = report->trials;
    parts->test_stretches = 1;
    for (size_t k = 0; k < report->trials; ++k) {
        size_t first = k * (report->running + report->frozen);
        parts->train[k] = (retc_span){first, report->running};
        parts->test[k] = (retc_span){first + report->running, report->frozen};
    }

done:
    return status;
}

/* ---- all together ---------------------------------------------------------------------------------------------------- */

/* One value is a frame of one pixel. */
static int
movie_frames(void *context, size_t t0, size_t n, float *out) {
    const text_import *in = context;
    for (size_t t = 0; t < n; ++t)
        out[t] = (float)in->stimulus.value[t0 + t];
    return RETC_OK;
}

int
retc_import_text(const retc_import_options *options, const char *output, int force, retc_recording_writer **writer,
                 retc_import_text_report *report) {
    int status = RETC_OK;
    text_import in = {.options = options, .report = report};
    *report = (retc_import_text_report){0};
    RETC_TRY(retc_import_read_clock(options->frames, "frame time", &report->found, &in.onset));
    RETC_TRY(read_stimulus(&in));
    RETC_TRY(split_frames(&in));
    RETC_TRY(retc_import_read_cells(options->spikes, options->cells, &report->found, &in.cells));
    const retc_import_source source = {.frames = in.onset.n,
                                       .onset = in.onset.value,
                                       .height = 1,
                                       .width = 1,
                                       .stimulus_type = RETC_H5_FLOAT,
                                       .movie = movie_frames,
                                       .movie_context = &in,
                                       .unit = in.cells.unit,
                                       .cells = options->cells,
                                       .keep_empty = options->keep_empty,
                                       .parts = in.parts};
    RETC_TRY(retc_import_build(&source, output, force, NULL, writer, &report->found));

done:
    retc_import_cells_clear(&in.cells);
    retc_import_parts_clear(&in.parts);
    retc_text_column_free(&in.onset);
    retc_text_column_free(&in.stimulus);
    return status;
}

void
retc_import_text_report_free(retc_import_text_report *report) {
    retc_import_report_free(&report->found);
    *report = (retc_import_text_report){0};
}
