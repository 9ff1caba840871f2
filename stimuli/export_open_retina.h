/* Write a recording as open-retina reads one (FORMATS 2): a session file, and beside it the movies as NumPy arrays.
 *
 *   responses_<stim> (N,T)         f4  of the stimuli "train" and "test", or as they are called; test: means over repeats
 *   stimulus_<stim> (1,T,H,W)          grey levels, and the same again in stimuli/<stim>.npy, without which open-retina does
 * not read the movie session_info/...                   cell_names (N), frame_interval (s), <stim>_time (T) s,
 * <stim>_block_start (B), and <stim>_by_trial (N,R,T) where the recording has single repeats */
#ifndef RETC_EXPORT_OPEN_RETINA_H
#define RETC_EXPORT_OPEN_RETINA_H

#include "h5.h"
#include "progress.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *name[2]; /* of the stimuli, by retc_part */
    int rates;           /* responses in spikes/s, not counts of a frame */
} retc_export_open_retina_options;

/* Write the session into a file made by retc_h5_create. */
int retc_export_open_retina(retc_recording *recording, const retc_export_open_retina_options *options,
                            const retc_progress *progress, retc_h5 *file) RETC_USED;

/* Write the movie of a part as the file `path`, an array (1,T,H,W) of bytes or 4-byte floating point numbers; it is replaced if
 * it is there. */
int retc_export_npy(retc_recording *recording, retc_part part, const retc_progress *progress, const char *path) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
