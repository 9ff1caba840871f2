/* Make a recording from MATLAB files (FORMATS 7): variables of one or several files, named by the caller or by a preset.
 *
 * Axes are those that MATLAB shows.  A vector may lie (1,n) or stand (n,1).  Times are divided by `tick`.  Presets, each tried
 * in turn by "auto" (what its variables are is printed):
 *
 *   neu560              Stim, SpCounts (T,N), dtStim in s (github.com/pillowlab/neu560data)
 *   retina-invariance   SpTimes(i).sp and stimtimes in ticks of 10 kHz, Stim (github.com/shayp/RetinaInvariance)
 *   stnmf               STE (spikes,Nx*Ny), y fastest, Nx, Ny (github.com/gollischlab/STNMFanalysis): the stimulus before each
 *                       spike alone.  Frame k is row k, with one spike in it, and a stretch of time of its own
 *   karamanlis          frozenbin (neurons,time,trials), runningbin (neurons,time,blocks), {frozen,running}Images (y,x,images),
 *                       {frozen,running}fixations (3,time[,blocks]: image from 1, x, y).  Frozen trials are the test part,
 *                       running blocks the train part (github.com/open-retina/open-retina, karamanlis_2024)
 *   free                the names that are given, nothing else
 */
#ifndef RETC_IMPORT_MATLAB_H
#define RETC_IMPORT_MATLAB_H

#include "import_build.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *const *files;
    size_t n_files;
    const char *preset;     /* "auto", "free" or one of the above */
    const char *stimulus;   /* name of the movie, NULL: that of the preset; so are all names */
    const char *spikes;     /* spike times: a vector, a cell array of vectors, or a field of a structure array */
    const char *counts;     /* spike counts per frame, instead of `spikes` */
    const char *times;      /* onsets of the frames */
    const char *interval;   /* s: a number, or the name of a variable; instead of `times` */
    double tick;            /* Hz, of spike and frame times; 0: that of the preset, else 1 */
    const char *axes;       /* of the movie: "t", "tx", "yxt", ...; NULL: t for a vector, tx for a matrix, yxt else */
    const char *count_axes; /* "tn" or "nt"; NULL: as lengths tell */
    int rates;              /* `counts` are in spikes/s */
    double test_fraction;   /* last share of the frames that becomes the test part, 0 ... 0.9; not of karamanlis and stnmf */
    int keep_empty;         /* keep cells without a spike in the stimulus */
    size_t screen_height, screen_width; /* karamanlis: pixels of the screen */
    size_t reduce;                      /* karamanlis: a pixel of the movie is the mean of so many by so many of the screen */
} retc_import_matlab_options;

/* All zero, but auto, a tenth of the frames for the test part, and a screen of 600x800 that is reduced to 60x80. */
retc_import_matlab_options retc_import_matlab_default(void);

/* As retc_import_build. */
int retc_import_matlab(const retc_import_matlab_options *options, const char *output, int force, const retc_progress *progress,
                       retc_recording_writer **writer, retc_import_report *report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
