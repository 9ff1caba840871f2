/* The examination as a whole, and what is stored. */
#include "quality.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quality_internal.h"

retc_quality_options
retc_quality_options_default(void) {
    return (retc_quality_options){.history = 40, .resamples = 1000, .tolerance = 0.2, .latency = 1, .seed = 1};
}

static int
check_options(const retc_quality_options *options) {
    if (options->history == 0)
        return RETC_FAIL(RETC_EINVAL, "a history of 0 frames has no meaning; it must be at least 1");
    if (!(options->tolerance > 0) || !isfinite(options->tolerance))
        return RETC_FAIL(RETC_EINVAL, "a tolerance of %g for frame intervals has no meaning; it must be positive",
                         options->tolerance);
    return RETC_OK;
}

static void
describe_part(const retc_recording *recording, retc_part part, retc_quality *quality) {
    retc_quality_part *found = &quality->part[part];
    const int64_t *start = retc_recording_stretches(recording, part, &found->stretches);
    found->frames = retc_recording_frames(recording, part);
    found->dropped = retc_recording_dropped(recording, part);
    for (size_t b = 0; b < found->stretches; ++b) {
        size_t end = b + 1 < found->stretches ? (size_t)start[b + 1] : found->frames, length = end - (size_t)start[b];
        found->longest = length > found->longest ? length : found->longest;
        found->shortest = b == 0 || length < found->shortest ? length : found->shortest;
    }
}

static int
describe(const retc_recording *recording, retc_quality *quality) {
    int status = RETC_OK;
    quality->height = retc_recording_height(recording);
    quality->width = retc_recording_width(recording);
    quality->repeats = retc_recording_repeats(recording);
    quality->frame_interval = retc_recording_frame_interval(recording);
    for (int part = 0; part < 2; ++part)
        describe_part(recording, (retc_part)part, quality);
    RETC_TRY(RETC_ALLOC(quality->cell, retc_recording_cells(recording)));
    quality->cells = retc_recording_cells(recording);
    for (size_t n = 0; n < quality->cells; ++n) {
        retc_quality_cell *cell = &quality->cell[n];
        RETC_TRY(RETC_GOT(cell->name = retc_strdup(retc_recording_cell_name(recording, n))));
        cell->twin = n;
        cell->latency = cell->twin_r = (double)NAN;
        for (int q = 0; q < RETC_QUARTERS; ++q)
            cell->quarter[q] = cell->quarter_low[q] = cell->quarter_high[q] = cell->shift[q] = (double)NAN;
        for (int m = 0; m < RETC_MEASURES; ++m)
            cell->measure[m] = cell->low[m] = cell->high[m] = (double)NAN;
    }
done:
    return status;
}

int
retc_quality_examine(retc_recording *recording, const retc_quality_options *options, const retc_progress *progress,
                     retc_quality *quality) {
    int status = RETC_OK;
    memset(quality, 0, sizeof *quality);
    RETC_TRY(check_options(options));
    RETC_TRY(describe(recording, quality));
    RETC_TRY(retc_quality_look_at_clock(recording, options, quality));
    RETC_TRY(retc_quality_look_at_stimulus(recording, options, progress, quality));
    RETC_TRY(retc_quality_look_at_rates(recording, quality));
    RETC_TRY(retc_quality_look_at_spikes(recording, quality));
    RETC_TRY(retc_quality_look_at_repeats(recording, options, progress, quality));
    RETC_TRY(retc_quality_look_at_latencies(recording, options, quality));
    RETC_TRY(retc_quality_judge(options, quality));
done:
    if (status < 0)
        retc_quality_clear(quality);
    return status;
}

void
retc_quality_clear(retc_quality *quality) {
    for (size_t n = 0; quality->cell && n < quality->cells; ++n)
        retc_free(quality->cell[n].name);
    retc_free(quality->cell);
    retc_free(quality->clock.which);
    retc_free(quality->clock.time);
    retc_free(quality->clock.lowest);
    retc_free(quality->clock.highest);
    retc_free(quality->rate);
    retc_free(quality->rate_time);
    retc_free(quality->psth);
    retc_free(quality->raster[0]);
    retc_free(quality->raster[1]);
    for (size_t i = 0; i < quality->notes; ++i)
        retc_free(quality->note[i]);
    for (size_t i = 0; i < quality->warnings; ++i)
        retc_free(quality->warning[i]);
    retc_free(quality->note);
    retc_free(quality->warning);
    memset(quality, 0, sizeof *quality);
}

/* ---- sentences ------------------------------------------------------------------------------------------------------- */

static int add_sentence(char ***list, size_t *n, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

static int
add_sentence(char ***list, size_t *n, const char *format, va_list arguments) {
    char text[512], **longer = NULL;
    int status = RETC_OK;
    vsnprintf(text, sizeof text, format, arguments);
    RETC_TRY(RETC_ALLOC(longer, *n + 1));
    if (*n > 0)
        memcpy(longer, *list, *n * sizeof *longer);
    retc_free(*list);
    *list = longer;
    RETC_TRY(RETC_GOT(longer[*n] = retc_strdup(text)));
    ++*n;
done:
    return status;
}

int
retc_quality_note(retc_quality *quality, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int status = add_sentence(&quality->note, &quality->notes, format, arguments);
    va_end(arguments);
    return status;
}

int
retc_quality_warn(retc_quality *quality, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int status = add_sentence(&quality->warning, &quality->warnings, format, arguments);
    va_end(arguments);
    return status;
}
