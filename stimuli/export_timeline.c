#include "export_timeline.h"

#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames of counts that are read in one go. */
enum { SLAB = 4096 };

/* A run that begins within so many intervals of the last frame of another is no pause away from it. */
#define AT_ONCE 5

/* Counts that differ from a whole number by more than this are none. */
#define WHOLE 1e-3

/* ---- runs ------------------------------------------------------------------------------------------------------------ */

/* All runs of a part, train stretches or those of all repeats, with their onsets on whatever clock there is. */
static int
add_runs(retc_recording *recording, retc_part part, size_t repeats, retc_timeline *timeline, int *raw) {
    int status = RETC_OK;
    size_t stretches, frames = retc_recording_frames(recording, part);
    const int64_t *start = retc_recording_stretches(recording, part, &stretches);
    for (size_t r = 0; r < repeats; ++r) {
        int found = 0;
        double *onset = timeline->onset + timeline->frames;
        RETC_TRY(retc_recording_onsets(recording, part, r, onset, &found));
        if (!found)
            RETC_TRY(retc_recording_time(recording, part, onset));
        *raw &= found;
        for (size_t b = 0; b < stretches; ++b) {
            size_t first = (size_t)start[b], end = b + 1 < stretches ? (size_t)start[b + 1] : frames;
            timeline->run[timeline->runs++] = (retc_timeline_run){part, r, b, first, end - first, timeline->frames + first};
        }
        timeline->frames += frames;
    }

done:
    return status;
}

/* Frames last to the next one of their run, the last one as long as frames do. */
static void
set_ends(double frame_interval, retc_timeline *timeline) {
    for (size_t i = 0; i < timeline->runs; ++i) {
        const retc_timeline_run *run = &timeline->run[i];
        for (size_t t = run->at; t < run->at + run->count; ++t)
            timeline->end[t] = t + 1 < run->at + run->count ? timeline->onset[t + 1] : timeline->onset[t] + frame_interval;
    }
}

/* Runs without times of their own follow each other after pauses. */
static void
lay_out(double frame_interval, retc_timeline *timeline) {
    double now = 0;
    for (size_t i = 0; i < timeline->runs; ++i) {
        const retc_timeline_run *run = &timeline->run[i];
        double shift = now - timeline->onset[run->at];
        for (size_t t = run->at; t < run->at + run->count; ++t) {
            timeline->onset[t] += shift;
            timeline->end[t] += shift;
        }
        now = timeline->end[run->at + run->count - 1] + RETC_TIMELINE_PAUSE * frame_interval;
    }
}

typedef struct {
    double onset;
    size_t index;
} run_order;

static int
compare_runs(const void *left, const void *right) {
    const run_order *a = left, *b = right;
    return a->onset < b->onset ? -1 : a->onset > b->onset ? 1 : (a->index > b->index) - (a->index < b->index);
}

/* Bring runs into the order of time.  Where the next run follows at once, the last frame lasts until that begins. */
static int
sort_runs(double frame_interval, retc_timeline *timeline) {
    int status = RETC_OK;
    run_order *order = NULL;
    retc_timeline_run *run = NULL;
    double *onset = NULL, *end = NULL;
    size_t at = 0;
    RETC_TRY(RETC_ALLOC(order, timeline->runs));
    RETC_TRY(RETC_ALLOC(run, timeline->runs));
    RETC_TRY(RETC_ALLOC(onset, timeline->frames));
    RETC_TRY(RETC_ALLOC(end, timeline->frames));
    for (size_t i = 0; i < timeline->runs; ++i)
        order[i] = (run_order){timeline->onset[timeline->run[i].at], i};
    qsort(order, timeline->runs, sizeof *order, compare_runs);
    for (size_t i = 0; i < timeline->runs; ++i) {
        run[i] = timeline->run[order[i].index];
        memcpy(onset + at, timeline->onset + run[i].at, run[i].count * sizeof *onset);
        memcpy(end + at, timeline->end + run[i].at, run[i].count * sizeof *end);
        run[i].at = at;
        if (at > 0 && onset[at] <= onset[at - 1])
            RETC_TRY(
                RETC_FAIL(RETC_EFORMAT, "two stretches of the recording were shown at the same time, at %.9g s", onset[at]));
        if (at > 0 && onset[at] - onset[at - 1] <= AT_ONCE * frame_interval)
            end[at - 1] = onset[at];
        at += run[i].count;
    }
    retc_free(timeline->run);
    retc_free(timeline->onset);
    retc_free(timeline->end);
    timeline->run = run, timeline->onset = onset, timeline->end = end;
    run = NULL, onset = end = NULL;

done:
    retc_free(order);
    retc_free(run);
    retc_free(onset);
    retc_free(end);
    return status;
}

int
retc_timeline_make(retc_recording *recording, retc_timeline *timeline) {
    int status = RETC_OK, raw = 1;
    size_t train = retc_recording_frames(recording, RETC_TRAIN), test = retc_recording_frames(recording, RETC_TEST), b[2];
    double interval = retc_recording_frame_interval(recording);
    *timeline = (retc_timeline){.repeats = test > 0 ? retc_recording_repeats(recording) : 0};
    timeline->means_left_out = test > 0 && timeline->repeats == 0;
    retc_recording_stretches(recording, RETC_TRAIN, &b[0]);
    retc_recording_stretches(recording, RETC_TEST, &b[1]);
    size_t frames = train + timeline->repeats * test, runs = (train > 0 ? b[0] : 0) + timeline->repeats * b[1];
    if (frames == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: has no train part, and no single repeats of the test part: nothing can be placed in time",
                           retc_recording_path(recording)));
    RETC_TRY(RETC_ALLOC(timeline->onset, frames));
    RETC_TRY(RETC_ALLOC(timeline->end, frames));
    RETC_TRY(RETC_ALLOC(timeline->run, runs));
    if (train > 0)
        RETC_TRY(add_runs(recording, RETC_TRAIN, 1, timeline, &raw));
    RETC_TRY(add_runs(recording, RETC_TEST, timeline->repeats, timeline, &raw));
    set_ends(interval, timeline);
    timeline->is_raw = raw;
    if (raw)
        RETC_TRY(sort_runs(interval, timeline));
    else
        lay_out(interval, timeline);

done:
    return status;
}

void
retc_timeline_clear(retc_timeline *timeline) {
    retc_free(timeline->onset);
    retc_free(timeline->end);
    retc_free(timeline->run);
    *timeline = (retc_timeline){0};
}

/* ---- spikes ---------------------------------------------------------------------------------------------------------- */

/* Place the spikes of frame t of the timeline: c of them divide it into c equal parts and stand in their middles. */
static int
place(const retc_recording *recording, const retc_timeline *timeline, size_t t, double c, size_t cell,
      retc_timeline_spikes *spikes, size_t *room) {
    int status = RETC_OK;
    double whole = floor(c + 0.5), length = timeline->end[t] - timeline->onset[t];
    size_t count = (size_t)whole;
    if (fabs(c - whole) > WHOLE)
        return RETC_FAIL(
            RETC_EFORMAT,
            "%s: cell %s has %g spikes in a frame: only whole numbers can be placed in time; export to open-retina or csv",
            retc_recording_path(recording), retc_recording_cell_name(recording, cell), c);
    if (spikes->n[cell] + count > *room) {
        size_t more = 2 * *room + count + SLAB;
        double *longer = NULL;
        RETC_TRY(RETC_ALLOC(longer, more));
        for (size_t i = 0; i < spikes->n[cell]; ++i)
            longer[i] = spikes->time[cell][i];
        retc_free(spikes->time[cell]);
        spikes->time[cell] = longer;
        *room = more;
    }
    for (size_t i = 0; i < count; ++i)
        spikes->time[cell][spikes->n[cell]++] = timeline->onset[t] + length * ((double)i + 0.5) / (double)count;

done:
    return status;
}

static int
place_train(retc_recording *recording, const retc_timeline *timeline, retc_timeline_spikes *spikes, size_t *room) {
    int status = RETC_OK;
    float *counts = NULL;
    RETC_TRY(RETC_ALLOC(counts, spikes->cells * SLAB));
    for (size_t i = 0; i < timeline->runs; ++i) {
        const retc_timeline_run *run = &timeline->run[i];
        for (size_t t0 = 0; run->part == RETC_TRAIN && t0 < run->count; t0 += SLAB) {
            size_t n = run->count - t0 < SLAB ? run->count - t0 : SLAB;
            RETC_TRY(retc_recording_counts(recording, RETC_TRAIN, run->first + t0, n, counts));
            for (size_t k = 0; k < spikes->cells * n; ++k)
                if (counts[k] > 0)
                    RETC_TRY(place(recording, timeline, run->at + t0 + k % n, (double)counts[k], k / n, spikes, &room[k / n]));
        }
    }

done:
    retc_free(counts);
    return status;
}

static int
place_test(retc_recording *recording, const retc_timeline *timeline, retc_timeline_spikes *spikes, size_t *room) {
    int status = RETC_OK;
    size_t T = retc_recording_frames(recording, RETC_TEST);
    float *counts = NULL;
    if (timeline->repeats == 0)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(counts, timeline->repeats * T));
    for (size_t cell = 0; cell < spikes->cells; ++cell) {
        RETC_TRY(retc_recording_repeat_counts(recording, cell, counts));
        for (size_t i = 0; i < timeline->runs; ++i) {
            const retc_timeline_run *run = &timeline->run[i];
            for (size_t t = 0; run->part == RETC_TEST && t < run->count; ++t) {
                double c = (double)counts[run->repeat * T + run->first + t];
                if (c > 0)
                    RETC_TRY(place(recording, timeline, run->at + t, c, cell, spikes, &room[cell]));
            }
        }
        /* Train and test runs may take turns. */
        gsl_sort(spikes->time[cell], 1, spikes->n[cell]);
    }

done:
    retc_free(counts);
    return status;
}

int
retc_timeline_spikes_find(retc_recording *recording, const retc_timeline *timeline, retc_timeline_spikes *spikes) {
    int status = RETC_OK;
    size_t *room = NULL, with_times = 0;
    *spikes = (retc_timeline_spikes){.cells = retc_recording_cells(recording)};
    RETC_TRY(RETC_ALLOC(spikes->n, spikes->cells));
    for (size_t cell = 0; cell < spikes->cells; ++cell) {
        RETC_TRY(retc_recording_spikes(recording, cell, &spikes->n[cell]));
        with_times += (size_t)status;
    }
    status = RETC_OK;
    if (timeline->is_raw && with_times == spikes->cells)
        goto done;
    spikes->are_placed = 1;
    memset(spikes->n, 0, spikes->cells * sizeof *spikes->n);
    RETC_TRY(RETC_ALLOC(room, spikes->cells));
    RETC_TRY(RETC_ALLOC(spikes->time, spikes->cells));
    RETC_TRY(place_train(recording, timeline, spikes, room));
    RETC_TRY(place_test(recording, timeline, spikes, room));

done:
    retc_free(room);
    return status;
}

void
retc_timeline_spikes_clear(retc_timeline_spikes *spikes) {
    for (size_t cell = 0; spikes->time && cell < spikes->cells; ++cell)
        retc_free(spikes->time[cell]);
    retc_free(spikes->time);
    retc_free(spikes->n);
    *spikes = (retc_timeline_spikes){0};
}

int
retc_timeline_spikes_read(retc_recording *recording, const retc_timeline_spikes *spikes, size_t cell, size_t first, size_t n,
                          double *time) {
    if (!spikes->time)
        return retc_recording_spike_times(recording, cell, first, n, time);
    memcpy(time, spikes->time[cell] + first, n * sizeof *time);
    return RETC_OK;
}
