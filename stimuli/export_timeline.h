/* A recording in the order in which it was shown: what formats want that know sessions, not train and test parts.
 *
 * A run is a stretch of the train part, or of a repeat of the test part.  Where the recording holds raw onsets of all its
 * parts, runs are in their order and at their times.  Else the train part comes first and then one repeat after the other, with
 * pauses in between. */
#ifndef RETC_EXPORT_TIMELINE_H
#define RETC_EXPORT_TIMELINE_H

#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Intervals of a pause between runs that have no times of their own. */
#define RETC_TIMELINE_PAUSE 50

typedef struct {
    retc_part part;
    size_t repeat, stretch;
    size_t first, count; /* frames of the part */
    size_t at;           /* place of the first one in the timeline */
} retc_timeline_run;

typedef struct {
    int is_raw;
    size_t frames;
    double *onset, *end; /* (frames) s */
    retc_timeline_run *run;
    size_t runs;
    size_t repeats;     /* of the test part in it; 0: there is none, or it has no single repeats and is left out */
    int means_left_out; /* the latter */
} retc_timeline;

/* Free with retc_timeline_clear, also after failure. */
int retc_timeline_make(retc_recording *recording, retc_timeline *timeline) RETC_USED;
void retc_timeline_clear(retc_timeline *timeline);

/* Spike times of every cell in the order of time: those of the file where it holds them for all cells and the timeline is raw,
 * else as many as were counted, spread evenly inside their frame. */
typedef struct {
    int are_placed;
    size_t cells;
    size_t *n;     /* (cells) */
    double **time; /* (cells,n) s; NULL when they are read from the file */
} retc_timeline_spikes;

/* Fails when counts are no whole numbers, as means over repeats and rates are not.  Free with retc_timeline_spikes_clear, also
 * after failure. */
int retc_timeline_spikes_find(retc_recording *recording, const retc_timeline *timeline, retc_timeline_spikes *spikes) RETC_USED;
void retc_timeline_spikes_clear(retc_timeline_spikes *spikes);

/* Spikes first ... first+n-1 of a cell. */
int retc_timeline_spikes_read(retc_recording *recording, const retc_timeline_spikes *spikes, size_t cell, size_t first,
                              size_t n, double *time) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
