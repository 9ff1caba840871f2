/* What an import found, in words. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "import_build.h"

int
retc_import_say(retc_import_report *report, const char *format, ...) {
    int status = RETC_OK;
    va_list arguments;
    char *line = NULL, *lines = NULL;
    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0)
        line = NULL;
    va_end(arguments);
    if (!line)
        return RETC_FAIL(RETC_ENOMEM, "out of memory for the report");
    RETC_TRY(RETC_GOT(lines = retc_strf("%s%s\n", report->lines ? report->lines : "", line)));
    retc_free(report->lines);
    report->lines = lines;

done:
    free(line);
    return status;
}

static void
print_clock(FILE *out, const retc_import_report *report) {
    fprintf(out, "frames: %zu at %.4g Hz (median interval %.4g ms), %.6g ... %.6g s\n", report->frames, 1 / report->interval,
            1000 * report->interval, report->start, report->end);
    fprintf(out, "movie: %zu x %zu pixel%s (rows, columns)\n", report->height, report->width,
            report->height * report->width == 1 ? "" : "s");
    if (report->irregular == 0)
        return;
    fprintf(out, "warning: %zu frames are irregular (interval off the median by more than 20 %%); none is changed: frames",
            report->irregular);
    for (size_t i = 0; i < report->irregular && i < RETC_IMPORT_NAMED; ++i)
        fprintf(out, "%s %zu", i ? "," : "", report->irregular_at[i]);
    fprintf(out, "%s\n", report->irregular > RETC_IMPORT_NAMED ? ", ..." : "");
    if (report->dropped > 0)
        fprintf(out,
                "warning: %zu frames last longer than 1.5 median intervals: frames behind them were dropped, or there "
                "was a pause\n",
                report->dropped);
}

static void
print_parts(FILE *out, const retc_import_report *report) {
    fprintf(out, "train: %zu frames in %zu stretch%s\n", report->part_frames[RETC_TRAIN], report->stretches,
            report->stretches == 1 ? "" : "es");
    if (report->repeats > 0)
        fprintf(out, "test: %zu frames, %zu repeat%s\n", report->part_frames[RETC_TEST], report->repeats,
                report->repeats == 1 ? "" : "s");
    if (report->repeats == 1)
        fprintf(out, "warning: a test part with fewer than 2 repeats cannot tell signal from noise\n");
    if (report->used_frames < report->frames && report->left_out_from == report->used_frames)
        fprintf(out, "note: frames from %zu on are left out, %zu of %zu\n", report->used_frames,
                report->frames - report->used_frames, report->frames);
    else if (report->used_frames < report->frames)
        fprintf(out, "note: %zu of %zu frames are left out\n", report->frames - report->used_frames, report->frames);
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
print_spikes(FILE *out, const retc_import_report *report) {
    int width = name_width(report);
    fprintf(out, "%-*s %8s %8s %8s %8s %8s %8s %8s %8s\n", width, "cell", "spikes", "used", "before", "after", "unused",
            "equal", "< 1 ms", "Hz");
    for (size_t i = 0; i < report->cells; ++i) {
        const retc_import_cell *cell = &report->cell[i];
        fprintf(out, "%-*s %8zu %8.0f %8zu %8zu %8zu %8zu %8zu %8.2f\n", width, cell->name, cell->spikes, cell->used,
                cell->before, cell->after, cell->unused, cell->equal, cell->brief, cell->rate);
    }
}

static void
print_counts(FILE *out, const retc_import_report *report) {
    int width = name_width(report);
    fprintf(out, "%-*s %10s %8s\n", width, "cell", "used", "Hz");
    for (size_t i = 0; i < report->cells; ++i)
        fprintf(out, "%-*s %10.1f %8.2f\n", width, report->cell[i].name, report->cell[i].used, report->cell[i].rate);
    if (report->fractional > 0)
        fprintf(out, "warning: %zu counts are no whole numbers: are they rates?\n", report->fractional);
}

static void
print_oddities(FILE *out, const retc_import_report *report) {
    if (report->frames_maybe_ms)
        fprintf(out, "warning: all spikes come in the first part of the stimulus: are the frame times in ms?\n");
    for (size_t i = 0; i < report->cells; ++i) {
        const retc_import_cell *cell = &report->cell[i];
        if (!(cell->used > 0))
            fprintf(out, "warning: %s has no spike in the frames that are used\n", cell->name);
        if (cell->maybe_ms)
            fprintf(out, "warning: %s has spikes long after the stimulus: are they in ms?\n", cell->name);
        if (cell->negative > 0)
            fprintf(out, "warning: %s has %zu spikes at negative times\n", cell->name, cell->negative);
        if (cell->twin > 0)
            fprintf(out, "warning: %s has the very spikes of %s: is it the same cell?\n", cell->name,
                    report->cell[cell->twin - 1].name);
    }
}

char *
retc_import_report_text(const retc_import_report *report) {
    char *text = NULL, *copy = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out) {
        fputs(report->lines ? report->lines : "", out);
        print_clock(out, report);
        print_parts(out, report);
        if (report->from_counts)
            print_counts(out, report);
        else
            print_spikes(out, report);
        print_oddities(out, report);
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
    retc_free(report->lines);
    *report = (retc_import_report){0};
}
