/* What the numbers mean, in sentences. */
#include <math.h>

#include "quality_internal.h"

/* Above this share of intervals below 2 ms a cell is suspected to be two: ganglion cells are refractory for 1 to 2 ms, and a
 * well sorted one has next to none (Hill, Mehta & Kleinfeld 2011 ask for less than 1 %). */
#define MOST_BRIEF 0.01

/* Counts of two cells that are correlated like this come from the same spikes: neighbours of one type reach 0.3. */
#define TWIN 0.7

/* A response that has changed, and a ceiling that leaves little to explain. */
#define SAME_ENOUGH 0.9
#define LOW_CEILING 0.5

/* A rate that changes by a smaller share is not worth a sentence, however certain the change is. */
#define RATE_CHANGE 0.1

/* Fewer spikes than this make noisy filters. */
#define FEW_SPIKES 500.0

static int
judge_frames(const retc_quality_options *options, retc_quality *quality) {
    int status = RETC_OK;
    const retc_quality_clock *clock = &quality->clock;
    if (clock->irregular > 0)
        RETC_TRY(
            retc_quality_warn(quality,
                              "%zu of %zu frames are irregular (off the median interval by more than %.0f %%), %zu of them "
                              "longer than 1.5 intervals, as when a frame is dropped: do not compute times from frame numbers",
                              clock->irregular, clock->n, 100 * options->tolerance, clock->long_frames));
    if (clock->n > 0 && fabs(clock->median - quality->frame_interval) > 0.01 * quality->frame_interval)
        RETC_TRY(retc_quality_warn(quality, "the file says that a frame lasts %.4g ms, its times say %.4g ms",
                                   1e3 * quality->frame_interval, 1e3 * clock->median));
    for (int part = 0; part < 2; ++part)
        if (quality->part[part].dropped > 0)
            RETC_TRY(retc_quality_warn(quality,
                                       "stimulus, time and counts of the %s part differ in length: %zu frame%s left out",
                                       part == RETC_TRAIN ? "train" : "test", quality->part[part].dropped,
                                       quality->part[part].dropped == 1 ? " is" : "s are"));
    if (quality->part[RETC_TRAIN].frames > 0 && quality->part[RETC_TRAIN].longest < options->history)
        RETC_TRY(
            retc_quality_warn(quality,
                              "the longest stretch of the train part has %zu frames, fewer than a history of %zu: nothing can "
                              "be fitted to it",
                              quality->part[RETC_TRAIN].longest, options->history));
done:
    return status;
}

static int
judge_stimulus(retc_quality *quality) {
    int status = RETC_OK;
    const retc_quality_stimulus *found = &quality->stimulus;
    if (!(found->std > 0))
        RETC_TRY(retc_quality_warn(quality, "the stimulus is %g in every pixel of every frame: no response can follow it",
                                   found->mean));
    if (found->shared > 0)
        RETC_TRY(retc_quality_warn(
            quality,
            "%zu of %zu test windows of %zu frames are shown in the train part as well (test frame %zu is train "
            "frame %zu): models will score too well",
            found->shared, found->compared, found->window, found->first_test, found->first_in_train));
done:
    return status;
}

static int
judge_counts(retc_quality *quality) {
    if (quality->fractional == 0)
        return RETC_OK;
    return retc_quality_warn(
        quality,
        "%zu counts of the train part are no whole numbers: are they rates? Rates, Fano factors and ceilings "
        "are those of spike counts",
        quality->fractional);
}

/* ---- cells ----------------------------------------------------------------------------------------------------------- */

static int
judge_spikes(const retc_quality_cell *cell, retc_quality *quality) {
    int status = RETC_OK;
    if (cell->counted == 0)
        return retc_quality_warn(quality, "cell %s: has no spike in any frame", cell->name);
    if (cell->counted < FEW_SPIKES)
        RETC_TRY(retc_quality_warn(quality, "cell %s: has only %.0f spikes: expect noisy filters", cell->name, cell->counted));
    if (cell->brief[1] > MOST_BRIEF)
        RETC_TRY(retc_quality_warn(quality,
                                   "cell %s: %.1f %% of its intervals are below 2 ms: probably two cells sorted as one, or the "
                                   "noise of a threshold",
                                   cell->name, 100 * cell->brief[1]));
    if (cell->equal > 0)
        RETC_TRY(retc_quality_warn(quality, "cell %s: %zu pair%s of spikes at the same time: one spike was detected twice",
                                   cell->name, cell->equal, cell->equal == 1 ? "" : "s"));
done:
    return status;
}

static int
judge_drift(const retc_quality_cell *cell, retc_quality *quality) {
    int status = RETC_OK;
    const int last = RETC_QUARTERS - 1;
    int apart = cell->quarter_low[last] > cell->quarter_high[0] || cell->quarter_high[last] < cell->quarter_low[0];
    if (apart && fabs(cell->quarter[last] - cell->quarter[0]) > RATE_CHANGE * cell->quarter[0])
        RETC_TRY(retc_quality_warn(quality, "cell %s: its rate %s from %.1f Hz in the first quarter to %.1f Hz in the last",
                                   cell->name, cell->quarter[last] > cell->quarter[0] ? "rises" : "falls", cell->quarter[0],
                                   cell->quarter[last]));
    if (fabs(cell->shift[last]) > 0.5 * quality->frame_interval)
        RETC_TRY(retc_quality_warn(quality, "cell %s: responds %.0f ms %s in the last quarter than in the first", cell->name,
                                   1e3 * fabs(cell->shift[last]), cell->shift[last] < 0 ? "earlier" : "later"));
done:
    return status;
}

static int
judge_repeats(const retc_quality_cell *cell, retc_quality *quality) {
    int status = RETC_OK;
    if (quality->repeats < 2 || cell->counted == 0)
        return RETC_OK;
    if (!(cell->measure[RETC_CEILING] > 0) || cell->low[RETC_SIGNAL_POWER] <= 0)
        return retc_quality_warn(quality, "cell %s: no reproducible response to the test stimulus: leave it out of scores",
                                 cell->name);
    if (cell->measure[RETC_CEILING] < LOW_CEILING)
        RETC_TRY(retc_quality_warn(quality, "cell %s: a perfect model would reach r = %.2f only; more repeats would help",
                                   cell->name, cell->measure[RETC_CEILING]));
    if (cell->measure[RETC_SAME_RESPONSE] < SAME_ENOUGH && !(cell->high[RETC_SAME_RESPONSE] >= 1))
        RETC_TRY(
            retc_quality_warn(quality,
                              "cell %s: its response to the same stimulus changed: without noise, first and second half of the "
                              "repeats correlate with %.2f only",
                              cell->name, cell->measure[RETC_SAME_RESPONSE]));
done:
    return status;
}

static int
judge_twins(retc_quality *quality) {
    int status = RETC_OK;
    for (size_t n = 0; n < quality->cells; ++n) {
        const retc_quality_cell *cell = &quality->cell[n];
        if (!(cell->twin_r > TWIN) || (cell->twin < n && quality->cell[cell->twin].twin == n))
            continue;
        RETC_TRY(retc_quality_warn(quality, "cells %s and %s: their counts correlate with %.2f: probably one cell, twice",
                                   cell->name, quality->cell[cell->twin].name, cell->twin_r));
    }
done:
    return status;
}

/* ---- what could not be looked at ------------------------------------------------------------------------------------- */

static int
note_repeats(retc_quality *quality) {
    if (quality->part[RETC_TEST].frames == 0)
        return retc_quality_note(quality,
                                 "no test part: reliability, signal to noise and ceilings need a stimulus that was repeated");
    if (quality->repeats == 0)
        return retc_quality_note(quality,
                                 "the test part holds means only: reliability, signal to noise and ceilings need the counts of "
                                 "every repeat (test/repeats/cell01, ...)");
    if (quality->repeats == 1)
        return retc_quality_note(quality,
                                 "the test part was shown once: reliability, signal to noise and ceilings need repeats");
    if (quality->repeats < RETC_LEAST_REPEATS)
        return retc_quality_note(quality, "%zu repeats are too few for intervals of reliability and ceilings; %d are needed",
                                 quality->repeats, RETC_LEAST_REPEATS);
    return RETC_OK;
}

static int
note_rest(const retc_quality_options *options, retc_quality *quality) {
    int status = RETC_OK;
    size_t with_times = 0, followed = 0;
    for (size_t n = 0; n < quality->cells; ++n) {
        with_times += quality->cell[n].spikes > 0;
        followed += isfinite(quality->cell[n].shift[0]);
    }
    if (with_times == 0)
        RETC_TRY(
            retc_quality_note(quality, "no spike times (spikes/cell01, ...): intervals between spikes cannot be looked at"));
    if (quality->part[RETC_TRAIN].frames == 0)
        RETC_TRY(retc_quality_note(quality, "no train part: drift is read from the repeats, latencies are not followed"));
    else if (options->latency && followed == 0)
        RETC_TRY(retc_quality_note(quality,
                                   "latencies are not followed: no cell has a clear spike-triggered average of %zu frames",
                                   options->history));
    if (quality->repeats > 1 && quality->skipped > 0)
        RETC_TRY(retc_quality_note(quality,
                                   "the first %zu test frames are not scored: what was shown before them was not repeated",
                                   quality->skipped));
done:
    return status;
}

int
retc_quality_judge(const retc_quality_options *options, retc_quality *quality) {
    int status = RETC_OK;
    RETC_TRY(judge_frames(options, quality));
    RETC_TRY(judge_stimulus(quality));
    RETC_TRY(judge_counts(quality));
    for (size_t n = 0; n < quality->cells; ++n) {
        RETC_TRY(judge_spikes(&quality->cell[n], quality));
        RETC_TRY(judge_drift(&quality->cell[n], quality));
        RETC_TRY(judge_repeats(&quality->cell[n], quality));
    }
    RETC_TRY(judge_twins(quality));
    RETC_TRY(note_repeats(quality));
    RETC_TRY(note_rest(options, quality));
done:
    return status;
}
