/* Make a recording from text files: spike times (one file per cell), frame times, and stimulus values (FORMATS 7).
 *
 * All times are seconds on one clock.  Stimulus line k is what frame k showed, one value for the whole screen, so the movie is
 * (T,1,1).  Spike k belongs to the last frame with onset <= its time; the last frame of all lasts one median interval.
 *
 * With trials (`frozen` > 0) every `running` frames of fresh stimulus are followed by the same `frozen` ones: running frames
 * become the train part, one stretch of continuous time per trial, frozen ones the test part with a repeat per trial.  Used are
 * the complete trials from the first on, as long as their frozen values equal those of the first to the last digit.  Without
 * trials the last `test_fraction` of the frames becomes a test part with one repeat.
 *
 * The clock of the test part is that of its first repeat.  Beside the datasets of every recording the file holds, on the raw
 * clock: train/onset (T), test/onset (R,T) and spikes/cellNN (n), in s. */
#ifndef RETC_IMPORT_TEXT_H
#define RETC_IMPORT_TEXT_H

#include "recording_write.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *frames, *stimulus; /* files of frame times (s) and of stimulus values */
    const char *parameters;        /* file with RunningFrames and FrozenFrames, NULL: none */
    size_t running, frozen;        /* frames; 0: what `parameters` says, else no trials */
    double test_fraction;          /* without trials: share of the test part, 0 ... 0.9 */
    int keep_empty;                /* keep cells without a spike in the stimulus */
    const char *const *spikes;     /* (cells) files of spike times (s); a cell is named as its file without folder and ending */
    size_t cells;
} retc_import_options;

typedef struct {
    char *name;
    size_t spikes;        /* in the file */
    size_t before, after; /* before the first frame; after the last one */
    size_t unused;        /* in frames of neither part */
    size_t used;          /* in the train or the test part */
    size_t equal, brief;  /* pairs of equal times; intervals below 1 ms, those included */
    double rate;          /* used spikes over used time, spikes/s */
    int maybe_ms;         /* the spikes reach so far beyond the stimulus that they may be in milliseconds */
} retc_import_cell;

enum { RETC_IMPORT_NAMED = 8 }; /* irregular frames that a report names */

/* Everything that was found. */
typedef struct {
    size_t frames, stimulus_lines;
    char *headers;                          /* "file: "text"" of lines taken as column names, NULL: none */
    double interval, start, end;            /* median frame interval; first onset; end of the last frame; s */
    size_t irregular;                       /* frames whose interval is off the median by more than 20 % */
    size_t irregular_at[RETC_IMPORT_NAMED]; /* the first of them */
    int has_trials;
    size_t running, frozen;   /* frames per trial of the train and the test part */
    size_t trials;            /* used; without trials 1 */
    size_t complete;          /* trials of which all frames were shown */
    size_t different_at;      /* frame in which the first complete trial left out differs from trial 1; 0: none does */
    int rest_repeats;         /* the values after the used frames are a copy of earlier ones, not what was shown */
    size_t rest_repeats_from; /* frame where that copy begins */
    size_t used_frames;
    size_t cells;
    retc_import_cell *cell; /* (cells) */
} retc_import_report;

/* Import into the file `output`.  `*writer` receives the writer, finished but not committed; `*report` what was found, also
 * after some failures.  Refused are: numbers that are none, times out of order, fewer stimulus values than frames, cells of the
 * same name, and cells without a spike within the stimulus. */
int retc_import_text(const retc_import_options *options, const char *output, int force, retc_recording_writer **writer,
                     retc_import_report *report) RETC_USED;

/* The report as lines of text (retc_free), NULL when out of memory. */
char *retc_import_report_text(const retc_import_report *report);

void retc_import_report_free(retc_import_report *report);

#ifdef __cplusplus
}
#endif

#endif
