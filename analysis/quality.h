/* The quality report of a recording: is it fit for fitting models, which cells are, and how good can a model get?
 *
 * Everything is read in slabs of time, but for the repeats of one cell at a time.  What a recording does not allow (no repeats,
 * no spike times, ...) is NaN or 0, and a note says why. */
#ifndef RETC_QUALITY_H
#define RETC_QUALITY_H

#include "h5.h"
#include "progress.h"
#include "recording.h"
#include "reliability.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    RETC_QUARTERS = 4,
    RETC_QUALITY_BINS = 60,      /* most bins of the rate over time */
    RETC_QUALITY_CLOCK = 300,    /* most bins of the frame intervals over time */
    RETC_QUALITY_NAMED = 1000,   /* irregular frames that are listed */
    RETC_QUALITY_INTERVALS = 60, /* bins of the histogram of intervals between spikes, 12 per factor of 10 from 0.1 ms on */
    RETC_QUALITY_PER_DECADE = 12
};
#define RETC_QUALITY_FIRST_INTERVAL 1e-4 /* s */

typedef struct {
    size_t history;   /* L, frames that a response may depend on: the first L-1 frames of the test part are not scored, because
                         what was shown before them was not repeated; also the length of STAs */
    size_t resamples; /* of the repeats, for intervals; 0: none */
    double tolerance; /* a frame is irregular when its interval is off the median by more than this share */
    int latency;      /* whether the latency of STAs is followed through the recording */
    uint64_t seed;
    size_t threads; /* 0: all processors; no effect on the result */
} retc_quality_options;

/* history 40, resamples 1000, tolerance 0.2, latency 1, seed 1. */
retc_quality_options retc_quality_options_default(void);

typedef struct {
    size_t frames, dropped; /* T; frames by which the longest dataset exceeds it */
    size_t stretches, shortest, longest;
    double duration; /* s, of one repeat */
} retc_quality_part;

typedef struct {
    retc_part part;
    size_t repeat, frame;
    double time, interval; /* s; time on the raw clock, else on that of the train part; NaN: unknown */
} retc_irregular_frame;

typedef struct {
    size_t n;                      /* intervals looked at */
    double median, mean, min, max; /* s */
    size_t irregular, long_frames; /* off the median by more than the tolerance; longer than 1.5 medians: a frame was dropped */
    size_t named;
    retc_irregular_frame *which; /* (named) the first of them */
    size_t bins;
    double *time, *lowest, *highest; /* (bins) s, over the train part, or the first repeat of the test part */
} retc_quality_clock;

typedef struct {
    double mean, std, min, max;        /* of the train part, else of the test part */
    size_t window;                     /* frames compared at a time */
    size_t shared, compared;           /* windows of the test part that the train part shows as well, of how many */
    size_t first_test, first_in_train; /* first frames of the first of them */
} retc_quality_stimulus;

typedef struct {
    char *name;
    double counted;         /* spikes in frames, of all repeats */
    double rate, peak_rate; /* Hz; peak: in any 100 ms of the mean over repeats, without repeats of the train part */
    size_t spikes;          /* spike times in the file, 0: none */
    double brief[2];        /* share of intervals below 1 and 2 ms; NaN without spike times */
    size_t equal;           /* pairs of equal times */
    double interval[RETC_QUALITY_INTERVALS]; /* histogram; the first and the last bin take what lies beyond */
    double quarter[RETC_QUARTERS], quarter_low[RETC_QUARTERS], quarter_high[RETC_QUARTERS]; /* rates with 95 % intervals, Hz */
    double latency, shift[RETC_QUARTERS]; /* s: of the STA's peak; how much later than in quarter 1 the STA is */
    double measure[RETC_MEASURES], low[RETC_MEASURES], high[RETC_MEASURES];
    size_t twin; /* cell whose counts are most like this one's, itself when there is none */
    double twin_r;
} retc_quality_cell;

typedef struct {
    retc_quality_part part[2]; /* by retc_part */
    size_t height, width, repeats;
    double frame_interval; /* s */
    retc_quality_clock clock;
    retc_quality_stimulus stimulus;
    size_t cells;
    retc_quality_cell *cell;  /* (cells) */
    size_t fractional;        /* counts of a frame of the train part, of all cells, that are no whole numbers */
    retc_part rate_part;      /* what the rate over time was taken from: train, else the repeats of the test part */
    size_t bins;              /* a multiple of 4 unless there are fewer than 4 */
    double *rate, *rate_time; /* (cells,bins) Hz, (bins) s */
    size_t skipped, scored;   /* frames of the test part that are not scored; that are */
    float *psth;              /* (cells,T_test) mean counts of a frame; NULL without repeats */
    size_t best, worst;       /* cells of the highest and the lowest noise ceiling */
    float *raster[2];         /* (R,T_test) counts of the best and the worst cell; NULL without repeats */
    size_t notes, warnings;
    char **note, **warning; /* sentences */
} retc_quality;

/* Look at a recording.  `quality` is filled (retc_quality_clear). */
int retc_quality_examine(retc_recording *recording, const retc_quality_options *options, const retc_progress *progress,
                         retc_quality *quality) RETC_USED;
void retc_quality_clear(retc_quality *quality);

/* The report as text, lines of up to 128 characters (retc_free); NULL when out of memory. */
char *retc_quality_text(const retc_quality *quality);

/* Write into a file made by retc_h5_create: root attributes kind = "quality", frame_interval, ...; /report and /warnings;
 * /cells/... a value per cell, /reliability/<measure> (N,3) value, low, high; /drift, /clock, /test/psth, /raster. */
int retc_quality_write(const retc_quality *quality, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
