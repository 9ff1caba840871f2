/* Repeats of the test part: reliability of every cell, and the trials of the best and the worst. */
#include <math.h>

#include "quality_internal.h"

/* The scored frames of every repeat, (R,T) to (R,T-skip). */
static void
cut(const float *x, size_t R, size_t T, size_t skip, float *out) {
    for (size_t r = 0; r < R; ++r)
        for (size_t t = skip; t < T; ++t)
            *out++ = x[r * T + t];
}

/* By noise ceiling; a cell without one is worse than all that have one. */
static void
choose_cells(retc_quality *quality) {
    double highest = -HUGE_VAL, lowest = HUGE_VAL;
    for (size_t n = 0; n < quality->cells; ++n) {
        double ceiling = quality->cell[n].measure[RETC_CEILING], at = isnan(ceiling) ? -1 : ceiling;
        if (at > highest) {
            highest = at;
            quality->best = n;
        }
        if (at < lowest) {
            lowest = at;
            quality->worst = n;
        }
    }
}

int
retc_quality_look_at_repeats(retc_recording *recording, const retc_quality_options *options, const retc_progress *progress,
                             retc_quality *quality) {
    int status = RETC_OK;
    size_t T = quality->part[RETC_TEST].frames, R = quality->repeats;
    float *x = NULL, *scored = NULL;
    if (T == 0 || R == 0)
        return RETC_OK;
    /* A test part that is shorter than a history is scored as a whole. */
    quality->skipped = options->history - 1 < T / 2 ? options->history - 1 : 0;
    quality->scored = T - quality->skipped;
    RETC_TRY(RETC_ALLOC(x, R * T));
    RETC_TRY(RETC_ALLOC(scored, R * quality->scored));
    for (size_t n = 0; n < quality->cells; ++n) {
        retc_quality_cell *cell = &quality->cell[n];
        RETC_TRY(retc_recording_repeat_counts(recording, n, x));
        cut(x, R, T, quality->skipped, scored);
        RETC_TRY(retc_reliability(scored, R, quality->scored, options->resamples, options->seed, n, options->threads,
                                  cell->measure, cell->low, cell->high));
        retc_progress_report(progress, n + 1, quality->cells, "repeats");
    }
    choose_cells(quality);
    for (int k = 0; k < 2; ++k) {
        RETC_TRY(RETC_ALLOC(quality->raster[k], R * T));
        RETC_TRY(retc_recording_repeat_counts(recording, k ? quality->worst : quality->best, quality->raster[k]));
    }
done:
    retc_free(x);
    retc_free(scored);
    return status;
}
