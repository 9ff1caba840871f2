/* What an import found, in words. */
#include <stdio.h>
#include <stdlib.h>

#include "import_text.h"

static void
print_clock(FILE *out, const retc_import_report *report) {
    if (report->headers)
        fprintf(out, "note: taken as names of columns: %s\n", report->headers);
    fprintf(out, "frames: %zu at %.4g Hz (median interval %.4g ms), %.6g ... %.6g s\n", report->frames, 1 / report->interval,
            1000 * report->interval, report->start, report->end);
    if (report->stimulus_lines > report->frames)
        fprintf(out, "note: %zu of %zu stimulus values have no frame time\n", report->stimulus_lines - report->frames,
                report->stimulus_lines);
    if (report->irregular == 0)
        return;
    fprintf(out, "warning: %zu frames are irregular (interval off the median by more than 20 %%); none is changed: frames",
            report->irregular);
    for (size_t i = 0; i < report->irregular && i < RETC_IMPORT_NAMED; ++i)
        fprintf(out, "%s %zu", i ? "," : "", report->irregular_at[i]);
    fprintf(out, "%s\n", report->irregular > RETC_IMPORT_NAMED ? ", ..." : "");
}

static void
print_parts(FILE *out, const retc_import_report *report) {
    if (report->has_trials) {
        fprintf(out, "trials: %zu of %zu running and %zu frozen frames\n", report->trials, report->running, report->frozen);
        fprintf(out, "train: %zu frames in %zu stretches\n", report->trials * report->running, report->trials);
    } else {
        fprintf(out, "train: the first %zu frames (no frozen frames, no trials)\n", report->running);
    }
    if (report->frozen > 0)
        fprintf(out, "test: %zu frames, %zu repeat%s\n", report->frozen, report->trials, report->trials == 1 ? "" : "s");
    if (report->frozen > 0 && report->trials == 1)
        fprintf(out, "warning: a test part with fewer than 2 repeats cannot tell signal from noise\n");
    if (report->used_frames < report->frames)
        fprintf(out, "note: frames from %zu on are left out, %zu of %zu\n", report->used_frames,
                report->frames - report->used_frames, report->frames);
    if (report->different_at > 0)
        fprintf(out, "warning: trial %zu is complete, but at frame %zu its frozen values differ from those of trial 1\n",
                report->trials + 1, report->different_at);
    if (report->rest_repeats)
        fprintf(out, "warning: stimulus values from frame %zu on are a copy of those from frame %zu on: not what was shown\n",
                report->used_frames, report->rest_repeats_from);
    fprintf(
        out,
        "counts of a frame: spikes from its onset to the next; models explain them from the frames before (lag 1) unless told "
        "otherwise\n");
}

static int
name_width(const retc_import_report *report) {
    int width = 4;
    for (size_t i = 0; i < report->cells; ++i) {
        int length = snprintf(NULL, 0, "%s", report->cell[i].name);
        width = length > width ? length : width;
    }
    return width;
}

static void
print_cells(FILE *out, const retc_import_report *report) {
    int width = name_width(report);
    fprintf(out, "%-*s %8s %8s %8s %8s %8s %8s %8s %8s\n", width, "cell", "spikes", "used", "before", "after", "unused",
            "equal", "< 1 ms", "Hz");
    for (size_t i = 0; i < report->cells; ++i) {
        const retc_import_cell *cell = &report->cell[i];
        fprintf(out, "%-*s %8zu %8zu %8zu %8zu %8zu %8zu %8zu %8.2f\n", width, cell->name, cell->spikes, cell->used,
                cell->before, cell->after, cell->unused, cell->equal, cell->brief, cell->rate);
    }
    for (size_t i = 0; i < report->cells; ++i) {
        if (report->cell[i].used == 0)
            fprintf(out, "warning: %s has no spike in the frames that are used\n", report->cell[i].name);
        if (report->cell[i].maybe_ms)
            fprintf(out, "warning: %s has spikes long after the stimulus: are they in ms?\n", report->cell[i].name);
    }
}

char *
retc_import_report_text(const retc_import_report *report) {
    char *text = NULL, *copy = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out) {
        print_clock(out, report);
        print_parts(out, report);
        print_cells(out, report);
        if (fclose(out) == 0)
            copy = retc_strdup(text);
    }
    free(text);
    if (!copy)
        RETC_FAIL(RETC_ENOMEM, "out of memory for the report");
    return copy;
}

void
retc_import_report_free(retc_import_report *report) {
    for (size_t i = 0; report->cell && i < report->cells; ++i)
        retc_free(report->cell[i].name);
    retc_free(report->cell);
    retc_free(report->headers);
    *report = (retc_import_report){0};
}
