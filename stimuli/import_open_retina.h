/* Make a recording from session files of open-retina (FORMATS 2).
 *
 * One file, or every .h5 and .hdf5 file of a folder: sessions with the same stimuli become one recording of all their cells.
 * The stimuli named by `test` are the test part, all others, in sorted order, the train part; each is a stretch of continuous
 * time. Where every session has session_info/<stim>_by_trial (N,R,T) for all test stimuli, these are the repeats.
 *
 * A movie (C,T,H,W) comes from the first session that has stimulus_<stim>, else from <stim>.npy in `stimuli`.  Its values are
 * kept as they are.  Frame times are not in the files: they follow from the frame rate. */
#ifndef RETC_IMPORT_OPEN_RETINA_H
#define RETC_IMPORT_OPEN_RETINA_H

#include "import_build.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *path;      /* session file, or folder of them */
    const char *stimuli;   /* folder of <stim>.npy; NULL: "stimuli" beside the sessions */
    const char *test;      /* names of stimuli parted by commas; NULL: the last test_fraction of the frames */
    double test_fraction;  /* 0 ... 0.9 */
    const char *responses; /* "counts" per frame, "rates" in spikes/s, or "auto": counts when all are whole numbers */
    const char *channel;   /* of the movie: "mean", or a number from 0 */
    double frame_rate;     /* Hz; 0: as session_info/frame_interval says */
} retc_import_open_retina_options;

/* The session files that `path` means, sorted: one block (retc_free) of `*n` pointers and their text. */
int retc_open_retina_sessions(const char *path, char ***files, size_t *n) RETC_USED;

/* Import into the file `output`, as retc_import_build. */
int retc_import_open_retina(const retc_import_open_retina_options *options, const char *output, int force,
                            const retc_progress *progress, retc_recording_writer **writer,
                            retc_import_report *report) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
