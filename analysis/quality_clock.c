/* Frame intervals: of the train part, and of every repeat of the test part. */
#include <gsl/gsl_sort.h>
#include <math.h>

#include "quality_internal.h"

/* An interval longer than this many medians means that a frame was dropped (FORMATS 3). */
#define LONG 1.5

/* One run of frames: the train part, or a repeat of the test part. */
typedef struct {
    retc_part part;
    size_t repeat, frames, stretches;
    const int64_t *start;
    double *onset; /* (frames) s */
    int is_raw;
} run;

/* Length of frame t, NaN for the last one of a stretch: what follows it is not known to be the next frame. */
static double
interval_of(const run *r, size_t t, size_t *stretch) {
    while (*stretch + 1 < r->stretches && (size_t)r->start[*stretch + 1] <= t)
        ++*stretch;
    size_t end = *stretch + 1 < r->stretches ? (size_t)r->start[*stretch + 1] : r->frames;
    return t + 1 < end ? r->onset[t + 1] - r->onset[t] : (double)NAN;
}

static int
read_run(retc_recording *recording, retc_part part, size_t repeat, run *r) {
    int status = RETC_OK;
    *r = (run){.part = part, .repeat = repeat, .frames = retc_recording_frames(recording, part)};
    r->start = retc_recording_stretches(recording, part, &r->stretches);
    RETC_TRY(RETC_ALLOC(r->onset, r->frames));
    RETC_TRY(retc_recording_onsets(recording, part, repeat, r->onset, &r->is_raw));
    if (!r->is_raw)
        RETC_TRY(retc_recording_time(recording, part, r->onset));
done:
    return status;
}

/* Call visit for every run of frames whose times are known: without raw onsets the test part has one clock for all repeats. */
static int
for_each_run(retc_recording *recording, int (*visit)(void *context, const run *r), void *context) {
    int status = RETC_OK;
    run r = {0};
    for (int part = 0; part < 2; ++part) {
        size_t repeats = part == RETC_TEST && retc_recording_repeats(recording) > 1 ? retc_recording_repeats(recording) : 1;
        for (size_t i = 0; retc_recording_frames(recording, (retc_part)part) > 0 && i < repeats; ++i) {
            RETC_TRY(read_run(recording, (retc_part)part, i, &r));
            RETC_TRY(visit(context, &r));
            if (!r.is_raw)
                i = repeats;
            retc_free(r.onset);
            r.onset = NULL;
        }
    }
done:
    retc_free(r.onset);
    return status;
}

typedef struct {
    retc_quality *quality;
    double *interval; /* all of them */
    size_t room;
    double tolerance;
} collection;

static int
collect(void *context, const run *r) {
    int status = RETC_OK;
    collection *all = context;
    retc_quality_clock *clock = &all->quality->clock;
    double duration = 0;
    size_t stretch = 0, before = clock->n;
    if (clock->n + r->frames > all->room) {
        size_t room = 2 * all->room + r->frames;
        double *longer = NULL;
        RETC_TRY(RETC_ALLOC(longer, room));
        for (size_t i = 0; i < clock->n; ++i)
            longer[i] = all->interval[i];
        retc_free(all->interval);
        all->interval = longer;
        all->room = room;
    }
    for (size_t t = 0; t < r->frames; ++t) {
        double interval = interval_of(r, t, &stretch);
        if (isnan(interval))
            continue;
        all->interval[clock->n++] = interval;
        duration += interval;
    }
    /* The last frame of each stretch lasts as long as the others, by all that is known. */
    duration += (double)(r->frames - (clock->n - before)) * all->quality->frame_interval;
    if (r->repeat == 0)
        all->quality->part[r->part].duration = duration;
done:
    return status;
}

static void
summarise(collection *all) {
    retc_quality_clock *clock = &all->quality->clock;
    double sum = 0;
    if (clock->n == 0) {
        clock->median = clock->mean = clock->min = clock->max = (double)NAN;
        return;
    }
    gsl_sort(all->interval, 1, clock->n);
    for (size_t i = 0; i < clock->n; ++i)
        sum += all->interval[i];
    clock->mean = sum / (double)clock->n;
    clock->median = (all->interval[(clock->n - 1) / 2] + all->interval[clock->n / 2]) / 2;
    clock->min = all->interval[0];
    clock->max = all->interval[clock->n - 1];
}

static int
name_irregular(void *context, const run *r) {
    collection *all = context;
    retc_quality_clock *clock = &all->quality->clock;
    size_t stretch = 0;
    for (size_t t = 0; t < r->frames; ++t) {
        double interval = interval_of(r, t, &stretch);
        if (!(fabs(interval - clock->median) > all->tolerance * clock->median))
            continue;
        clock->long_frames += interval > LONG * clock->median;
        if (clock->irregular++ < RETC_QUALITY_NAMED)
            clock->which[clock->named++] = (retc_irregular_frame){
                r->part, r->repeat, t, r->is_raw || r->part == RETC_TRAIN ? r->onset[t] : (double)NAN, interval};
    }
    return RETC_OK;
}

/* Shortest and longest interval of each bin of the first run. */
static int
set_bins(const run *r, retc_quality_clock *clock) {
    int status = RETC_OK;
    size_t bins = r->frames < RETC_QUALITY_CLOCK ? r->frames : RETC_QUALITY_CLOCK, stretch = 0;
    RETC_TRY(RETC_ALLOC(clock->time, bins));
    RETC_TRY(RETC_ALLOC(clock->lowest, bins));
    RETC_TRY(RETC_ALLOC(clock->highest, bins));
    clock->bins = bins;
    for (size_t b = 0; b < bins; ++b) {
        size_t first = b * r->frames / bins, end = (b + 1) * r->frames / bins;
        clock->time[b] = (r->onset[first] + r->onset[end - 1]) / 2;
        clock->lowest[b] = clock->highest[b] = (double)NAN;
        for (size_t t = first; t < end; ++t) {
            double interval = interval_of(r, t, &stretch);
            clock->lowest[b] = fmin(clock->lowest[b], interval);
            clock->highest[b] = fmax(clock->highest[b], interval);
        }
    }
done:
    return status;
}

int
retc_quality_look_at_clock(retc_recording *recording, const retc_quality_options *options, retc_quality *quality) {
    int status = RETC_OK;
    collection all = {.quality = quality, .tolerance = options->tolerance};
    run first = {0};
    RETC_TRY(for_each_run(recording, collect, &all));
    summarise(&all);
    RETC_TRY(RETC_ALLOC(quality->clock.which, RETC_QUALITY_NAMED));
    RETC_TRY(for_each_run(recording, name_irregular, &all));
    RETC_TRY(read_run(recording, quality->part[RETC_TRAIN].frames > 0 ? RETC_TRAIN : RETC_TEST, 0, &first));
    RETC_TRY(set_bins(&first, &quality->clock));
done:
    retc_free(first.onset);
    retc_free(all.interval);
    return status;
}
