/* Write a recording (FORMATS 1 and the additions of recording.h), in slabs of time, so that memory stays bounded.
 *
 * The order is: create, write stimulus, time and counts of every part in any order, finish, and commit the file with
 * retc_h5_commit on retc_recording_writer_file. */
#ifndef RETC_RECORDING_WRITE_H
#define RETC_RECORDING_WRITE_H

#include "h5.h"
#include "recipe.h"
#include "recording.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_recording_writer retc_recording_writer;

/* What a recording will hold.  Nothing is kept after retc_recording_writer_create. */
typedef struct {
    size_t height, width, cells;   /* H, W pixels; N */
    size_t frames[2];              /* T by retc_part; 0: the part is left out */
    size_t repeats;                /* R of the test part, at least 1 when there is one */
    double frame_interval;         /* s */
    retc_h5_type stimulus_type;    /* RETC_H5_UINT8 or RETC_H5_FLOAT */
    retc_recipe *recipe[2];        /* stored in place of the movie of a part, NULL: the movie is stored */
    const char *const *cell_names; /* (N) */
    const size_t *block_start[2];  /* first frame of each stretch of continuous time, NULL: one stretch */
    size_t blocks[2];
    size_t interneurons;                  /* I, 0: none */
    const char *const *interneuron_names; /* (I) */
} retc_recording_layout;

/* Start the file `path`.  NULL with a recorded reason: the layout has no meaning, or the file cannot be made. */
retc_recording_writer *retc_recording_writer_create(const char *path, int force, const retc_recording_layout *layout);

/* Free the writer and close its file; a file that was not committed is gone then. */
void retc_recording_writer_free(retc_recording_writer *writer);

/* The file, to add datasets and to commit (borrowed). */
retc_h5 *retc_recording_writer_file(retc_recording_writer *writer);

/* Number of frames of which slabs are best multiples: the chunks of the movie hold this many. */
size_t retc_recording_writer_chunk(const retc_recording_writer *writer);

/* Stimulus frames t0 ... t0+n-1, (n,H,W); a byte movie takes whole grey levels 0 ... 255 only.  Where the
 * part has a recipe they are looked at, and not stored. */
int retc_recording_write_stimulus(retc_recording_writer *writer, retc_part part, size_t t0, size_t n,
                                  const float *frames) RETC_USED;

/* Start of every frame of a part in seconds, (T), with the gaps between stretches removed. */
int retc_recording_write_time(retc_recording_writer *writer, retc_part part, const double *time) RETC_USED;

/* Spike counts of frames t0 ... t0+n-1: (N,n) in the train part; (N,R,n) in the test part, whose mean over repeats becomes
 * test/response/binned. */
int retc_recording_write_counts(retc_recording_writer *writer, retc_part part, size_t t0, size_t n,
                                const float *counts) RETC_USED;

/* Interneuron signals of frames t0 ... t0+n-1, (I,n). */
int retc_recording_write_interneurons(retc_recording_writer *writer, retc_part part, size_t t0, size_t n,
                                      const float *signals) RETC_USED;

/* After everything else: write <part>/response/firing_rate_10ms in Hz, the counts divided by the frame interval and smoothed
 * by a Gaussian with a standard deviation of 10 ms.  It is cut off at 4 of them; where it reaches out of a stretch of
 * continuous time, the rest of it is scaled to sum 1, so that a constant rate stays constant. */
int retc_recording_writer_finish(retc_recording_writer *writer) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
