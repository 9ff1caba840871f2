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
 * Where the values are not known one by one, `level` gives those of the first frames, which then repeat: steps of light are
 * frames that last as long as the steps.
 *
 * What the file holds beside the datasets of every recording stands in import_build.h. */
#ifndef RETC_IMPORT_TEXT_H
#define RETC_IMPORT_TEXT_H

#include "import_build.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *frames, *stimulus; /* files of frame times (s) and of stimulus values; stimulus NULL: `level` */
    const double *level;           /* (levels) values of frames 0 ... levels-1, of the next ones, and so on */
    size_t levels;
    const char *parameters;    /* file with RunningFrames and FrozenFrames, NULL: none */
    size_t running, frozen;    /* frames; 0: what `parameters` says, else no trials */
    double test_fraction;      /* without trials: share of the test part, 0 ... 0.9 */
    int keep_empty;            /* keep cells without a spike in the stimulus */
    const char *const *spikes; /* (cells) files of spike times (s); a cell is named as its file without folder and ending */
    size_t cells;
} retc_import_options;

/* What was found in the text files, beside what every import finds. */
typedef struct {
    retc_import_report found;
    size_t stimulus_lines;
    int has_trials;
    size_t running, frozen;   /* frames per trial of the train and the test part */
    size_t trials;            /* used; without trials 1 */
    size_t complete;          /* trials of which all frames were shown */
    size_t different_at;      /* frame in which the first complete trial left out differs from trial 1; 0: none does */
    int rest_repeats;         /* the values after the used frames are a copy of earlier ones, not what was shown */
    size_t rest_repeats_from; /* frame where that copy begins */
} retc_import_text_report;

/* Import into the file `output`.  `*writer` receives the writer, finished but not committed; `*report` what was found, also
 * after some failures.  Refused are: numbers that are none, times out of order, fewer stimulus values than frames, cells of the
 * same name, and cells without a spike within the stimulus. */
int retc_import_text(const retc_import_options *options, const char *output, int force, retc_recording_writer **writer,
                     retc_import_text_report *report) RETC_USED;

void retc_import_text_report_free(retc_import_text_report *report);

#ifdef __cplusplus
}
#endif

#endif
