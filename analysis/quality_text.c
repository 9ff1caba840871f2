/* The report as text: what a person reads first. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "quality_internal.h"

enum { LABEL = 12, IRREGULAR_SHOWN = 12, WIDEST_NAME = 24 };

static const char *const part_names[2] = {"train", "test"};

/* A number in a column, "-" where there is none. */
static void
column(FILE *out, int width, int digits, double value) {
    if (isfinite(value))
        fprintf(out, " %*.*f", width, digits, value);
    else
        fprintf(out, " %*s", width, "-");
}

/* "0.988 [0.985 0.990]", 20 characters wide. */
static void
with_interval(FILE *out, double value, double low, double high) {
    char text[64] = "-";
    if (isfinite(value) && isfinite(low) && isfinite(high))
        snprintf(text, sizeof text, "%.3f [%.3f %.3f]", value, low, high);
    else if (isfinite(value))
        snprintf(text, sizeof text, "%.3f %14s", value, "");
    fprintf(out, "  %20s", text);
}

static int
name_width(const retc_quality *quality) {
    int width = 4;
    for (size_t n = 0; n < quality->cells; ++n) {
        int length = snprintf(NULL, 0, "%s", quality->cell[n].name);
        width = length > width ? length : width;
    }
    return width < WIDEST_NAME ? width : WIDEST_NAME;
}

/* ---- the recording --------------------------------------------------------------------------------------------------- */

static void
print_part(FILE *out, const retc_quality *quality, retc_part which) {
    const retc_quality_part *part = &quality->part[which];
    if (part->frames == 0) {
        fprintf(out, "%-*s none\n", LABEL, part_names[which]);
        return;
    }
    fprintf(out, "%-*s %zu frames, %.1f s", LABEL, part_names[which], part->frames, part->duration);
    if (part->stretches > 1 && part->shortest < part->longest)
        fprintf(out, ", %zu stretches of %zu ... %zu frames", part->stretches, part->shortest, part->longest);
    else if (part->stretches > 1)
        fprintf(out, ", %zu stretches of %zu frames", part->stretches, part->shortest);
    if (which == RETC_TEST && quality->repeats > 0)
        fprintf(out, ", %zu repeat%s", quality->repeats, quality->repeats == 1 ? "" : "s");
    fprintf(out, "\n");
}

static void
print_clock(FILE *out, const retc_quality *quality) {
    const retc_quality_clock *clock = &quality->clock;
    fprintf(out, "%-*s median %.4f ms (%.4g Hz), mean %.4f, %.4g ... %.4g ms\n", LABEL, "interval", 1e3 * clock->median,
            1 / clock->median, 1e3 * clock->mean, 1e3 * clock->min, 1e3 * clock->max);
    fprintf(out, "%-*s %zu", LABEL, "irregular", clock->irregular);
    if (clock->irregular > 0)
        fprintf(out, " frames, %zu of them long; the first, as part frame (time, interval):", clock->long_frames);
    for (size_t i = 0; i < clock->named && i < IRREGULAR_SHOWN; ++i) {
        const retc_irregular_frame *frame = &clock->which[i];
        fprintf(out, "%s%s %zu", i % 3 == 0 ? "\n             " : "   ", part_names[frame->part], frame->frame);
        if (frame->part == RETC_TEST)
            fprintf(out, " of repeat %zu", frame->repeat + 1);
        if (isfinite(frame->time))
            fprintf(out, " (%.1f s, %.2f ms)", frame->time, 1e3 * frame->interval);
        else
            fprintf(out, " (%.2f ms)", 1e3 * frame->interval);
    }
    fprintf(out, "\n");
}

static void
print_recording(FILE *out, const retc_quality *quality) {
    const retc_quality_stimulus *stimulus = &quality->stimulus;
    print_part(out, quality, RETC_TRAIN);
    print_part(out, quality, RETC_TEST);
    fprintf(out, "%-*s %zu x %zu pixels; mean %.4g, standard deviation %.4g, %.4g ... %.4g\n", LABEL, "stimulus",
            quality->height, quality->width, stimulus->mean, stimulus->std, stimulus->min, stimulus->max);
    print_clock(out, quality);
    if (stimulus->window > 0)
        fprintf(out, "%-*s %zu of %zu windows of %zu test frames occur in the train part\n", LABEL, "test in train",
                stimulus->shared, stimulus->compared, stimulus->window);
}

/* ---- the cells ------------------------------------------------------------------------------------------------------- */

static void
print_spikes(FILE *out, const retc_quality *quality, int width) {
    fprintf(out, "\n%-*s %9s %8s %8s %9s %9s %7s %11s %11s\n", width, "cell", "spikes", "rate", "peak", "< 1 ms", "< 2 ms",
            "equal", "Fano", "Fano");
    fprintf(out, "%-*s %9s %8s %8s %9s %9s %7s %11s %11s\n", width, "", "in frames", "(Hz)", "(Hz)", "(%)", "(%)", "times",
            "(frame)", "(repeat)");
    for (size_t n = 0; n < quality->cells; ++n) {
        const retc_quality_cell *cell = &quality->cell[n];
        fprintf(out, "%-*.*s %9.0f", width, width, cell->name, cell->counted);
        column(out, 8, 2, cell->rate);
        column(out, 8, 1, cell->peak_rate);
        column(out, 9, 3, 100 * cell->brief[0]);
        column(out, 9, 3, 100 * cell->brief[1]);
        column(out, 7, 0, cell->spikes > 0 ? (double)cell->equal : (double)NAN);
        column(out, 11, 2, cell->measure[RETC_FANO_FRAME]);
        column(out, 11, 2, cell->measure[RETC_FANO_REPEAT]);
        fprintf(out, "\n");
    }
}

static void
print_drift(FILE *out, const retc_quality *quality, int width) {
    if (quality->bins < RETC_QUARTERS)
        return;
    fprintf(out, "\n%-*s %-60s %s\n", width, "cell", "  rate in quarters 1 ... 4 (Hz), half of its 95 % interval",
            "latency (ms), its change in quarters 2, 3, 4");
    for (size_t n = 0; n < quality->cells; ++n) {
        const retc_quality_cell *cell = &quality->cell[n];
        fprintf(out, "%-*.*s", width, width, cell->name);
        for (int q = 0; q < RETC_QUARTERS; ++q) {
            column(out, 7, 2, cell->quarter[q]);
            fprintf(out, " +-");
            column(out, 4, 2, (cell->quarter_high[q] - cell->quarter_low[q]) / 2);
        }
        column(out, 8, 1, 1e3 * cell->latency);
        fprintf(out, " ");
        for (int q = 1; q < RETC_QUARTERS; ++q) {
            if (isfinite(cell->shift[q]))
                fprintf(out, " %+6.1f", 1e3 * cell->shift[q]);
            else
                fprintf(out, " %6s", "-");
        }
        fprintf(out, "\n");
    }
}

static void
print_measures(FILE *out, const retc_quality *quality, int width, const char *const *titles, const retc_measure *measures,
               size_t n_measures) {
    fprintf(out, "\n%-*s", width, "cell");
    for (size_t m = 0; m < n_measures; ++m)
        fprintf(out, "  %20s", titles[m]);
    fprintf(out, "\n");
    for (size_t n = 0; n < quality->cells; ++n) {
        const retc_quality_cell *cell = &quality->cell[n];
        fprintf(out, "%-*.*s", width, width, cell->name);
        for (size_t m = 0; m < n_measures; ++m)
            with_interval(out, cell->measure[measures[m]], cell->low[measures[m]], cell->high[measures[m]]);
        fprintf(out, "\n");
    }
}

static void
print_repeats(FILE *out, const retc_quality *quality, int width) {
    static const char *const titles[2][4] = {{"split-half r", "odd / even r", "1st / 2nd half r", "same, without noise"},
                                             {"reliability", "signal / noise", "noise ceiling r", "unbiased ceiling r"}};
    static const retc_measure measures[2][4] = {{RETC_SPLIT_HALF, RETC_ODD_EVEN, RETC_FIRST_SECOND, RETC_SAME_RESPONSE},
                                                {RETC_RELIABILITY, RETC_SNR, RETC_CEILING, RETC_UNBIASED_CEILING}};
    if (quality->repeats < 2)
        return;
    fprintf(out, "\n%zu repeats of %zu scored frames; values with their 95 %% intervals from drawing repeats:\n",
            quality->repeats, quality->scored);
    for (int i = 0; i < 2; ++i)
        print_measures(out, quality, width, titles[i], measures[i], 4);
}

char *
retc_quality_text(const retc_quality *quality) {
    char *text = NULL, *copy = NULL;
    size_t length = 0;
    int width = name_width(quality);
    FILE *out = open_memstream(&text, &length);
    if (out) {
        print_recording(out, quality);
        print_spikes(out, quality, width);
        print_drift(out, quality, width);
        print_repeats(out, quality, width);
        fprintf(out, "%s", quality->notes + quality->warnings ? "\n" : "");
        for (size_t i = 0; i < quality->notes; ++i)
            fprintf(out, "note: %s\n", quality->note[i]);
        for (size_t i = 0; i < quality->warnings; ++i)
            fprintf(out, "warning: %s\n", quality->warning[i]);
        if (fclose(out) == 0)
            copy = retc_strdup(text);
    }
    free(text);
    if (!copy)
        RETC_FAIL(RETC_ENOMEM, "out of memory for the report");
    return copy;
}
