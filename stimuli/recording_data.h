/* What the two halves of the recording reader share: recording_open.c checks a file and fills this, recording.c reads from
 * it. */
#ifndef RETC_RECORDING_DATA_H
#define RETC_RECORDING_DATA_H

#include "experiments.h"
#include "h5.h"
#include "recipe.h"
#include "recording.h"

/* Frames first ... first+count-1 of the file are frames at ... at+count-1 of the recording. */
typedef struct {
    size_t at, first, count;
} retc_piece;

typedef enum { RETC_REPEATS_NUMBER, RETC_REPEATS_ID, RETC_REPEATS_RATE } retc_repeats_kind;

typedef struct {
    size_t stored; /* frames of the file that stimulus, clock and responses have in common */
    size_t clock;  /* length of <part>/time, which blocks are parts of */
    size_t frames, dropped;
    size_t pieces;
    retc_piece *piece; /* (pieces) which of the stored frames are used */
    size_t repeats;
    retc_repeats_kind repeats_kind;
    size_t *repeats_id; /* (rows) of cell_<id> */
    char rate_name[48]; /* of repeats that are rates */
    float *counts;      /* (cells,stored), NULL while they are streamed */
    size_t blocks;
    int64_t *block_start; /* (blocks) among the used frames */
    retc_recipe *recipe;  /* that the movie is made from, NULL: it is in the file */
    int movie_is_bytes;
    int movie_asked; /* whether caching was decided on */
    void *movie;     /* (stored,H,W) in its stored type, NULL while it is streamed */
} retc_part_data;

struct retc_recording {
    retc_h5 *file;
    size_t height, width;
    size_t rows;                       /* cells in the file */
    size_t cells;                      /* that are used */
    size_t *row;                       /* (cells) */
    const retc_experiment *experiment; /* NULL: not a known one */
    char *notes;
    double frame_interval;
    size_t budget;     /* bytes of stimulus and counts that may still be cached */
    char **cell_names; /* (rows) */
    retc_part_data part[2];
    size_t interneurons;
    char **interneuron_names;
};

/* "train" and "test". */
extern const char *const retc_part_names[2];

/* Room for the name of a dataset: retc_name_in(&name, RETC_TRAIN, "time") is "train/time", retc_name_repeats(&name, 0) is
 * "test/repeats/cell01". */
typedef struct {
    char text[64];
} retc_dataset_name;
const char *retc_name_in(retc_dataset_name *name, retc_part part, const char *rest);
const char *retc_name_repeats(retc_dataset_name *name, size_t row);

/* Add a line to the notes. */
int retc_recording_note(retc_recording *recording, const char *format, ...) RETC_PRINTF(2, 3) RETC_USED;

/* Check that a count of dataset `name` is finite and not negative. */
int retc_recording_check_count(const retc_recording *recording, const char *name, float count, size_t row,
                               size_t frame) RETC_USED;

/* Stored counts of the chosen cells, frames t0 ... t0+n-1 of the file: cell i's go to out[i * ld + t]. */
int retc_recording_read_cells(const retc_recording *recording, retc_part part, size_t t0, size_t n, float *out,
                              size_t ld) RETC_USED;

/* recording_choice.c: which experiment, cells, blocks and frames the options mean. */
int retc_recording_choose_experiment(retc_recording *recording, const char *name) RETC_USED;
int retc_recording_choose_cells(retc_recording *recording, const char *cells) RETC_USED;
int retc_recording_choose_frames(retc_recording *recording, retc_part part, const retc_recording_options *options) RETC_USED;

/* recording_repeats.c: where single repeats are and how many (R = 0: none; then `*frames` is left alone), and those of one row,
 * (R,stored), as counts. */
int retc_recording_find_repeats(retc_recording *recording, size_t *frames) RETC_USED;
int retc_recording_read_repeats(const retc_recording *recording, size_t row, float *out) RETC_USED;

#endif
