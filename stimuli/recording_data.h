/* What the two halves of the recording reader share: recording_open.c checks a file and fills this, recording.c reads from
 * it. */
#ifndef RETC_RECORDING_DATA_H
#define RETC_RECORDING_DATA_H

#include "h5.h"
#include "recording.h"

typedef struct {
    size_t frames, dropped;
    size_t repeats;
    float *counts; /* (N,frames), NULL while they are streamed */
    size_t blocks;
    int64_t *block_start; /* (blocks) */
    int movie_is_bytes;
    int movie_asked; /* whether caching was decided on */
    void *movie;     /* (frames,H,W) in its stored type, NULL while it is streamed */
} retc_part_data;

struct retc_recording {
    retc_h5 *file;
    size_t height, width, cells;
    double frame_interval;
    size_t budget; /* bytes of stimulus and counts that may still be cached */
    char **cell_names;
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
const char *retc_name_repeats(retc_dataset_name *name, size_t cell);

/* Check that counts (rows,frames) of dataset `name` are finite and not negative. */
int retc_recording_check_counts(const retc_recording *recording, const char *name, const float *counts, size_t rows,
                                size_t frames) RETC_USED;

#endif
