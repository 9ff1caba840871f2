/* A stimulus movie in a file of its own:
 *
 *   /stimulus (T,H,W)      grey level 0 ... 255, u1 or f4
 *   /time (T)              f8, start of each frame, s
 *   /block_start (B)       i8, optional: first frame of each stretch of continuous time
 *   root attributes        kind = "stimulus", stimulus (text: what it is, "white-noise"), frame_interval (s), pixel_size (um,
 *                          optional)
 *
 * In place of the dataset stimulus a file may hold the recipe from which its frames are made when they are read (recipe.h). */
#ifndef RETC_STIMULUS_FILE_H
#define RETC_STIMULUS_FILE_H

#include "h5.h"
#include "progress.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mean grey: the level that generators vary around and that a simulated retina is adapted to. */
#define RETC_MEAN_GREY 127.5

typedef struct {
    size_t frames, height, width; /* T, H, W */
    double frame_interval;        /* s */
    retc_h5_type type;            /* RETC_H5_UINT8 or RETC_H5_FLOAT */
} retc_stimulus_layout;

/* Makes frames t0 ... t0+n-1 as grey levels 0 ... 255, (n,H,W). */
typedef int (*retc_stimulus_source)(void *context, size_t t0, size_t n, float *out);

/* Number of frames that make a slab of a few megabytes: a power of two, 1 ... 4096. */
size_t retc_stimulus_slab(size_t height, size_t width);

/* Write the attributes and the clock of a movie alone. */
int retc_stimulus_write_head(retc_h5 *file, const char *stimulus, const retc_stimulus_layout *layout) RETC_USED;

/* Write a whole movie into a file made by retc_h5_create, slab by slab.  In a byte movie levels are rounded. */
int retc_stimulus_write(retc_h5 *file, const char *stimulus, const retc_stimulus_layout *layout, retc_stimulus_source source,
                        void *context, const retc_progress *progress) RETC_USED;

/* Makes up to n frames more, (n,H,W); `*got` fewer than n: they were the last. */
typedef int (*retc_stimulus_stream)(void *context, size_t n, float *out, size_t *got);

/* As retc_stimulus_write, for a movie whose length shows at its end only: `layout` has 0 frames, and then as many as there
 * were, at least 1. */
int retc_stimulus_write_stream(retc_h5 *file, const char *stimulus, retc_stimulus_layout *layout, retc_stimulus_stream stream,
                               void *context, const retc_progress *progress) RETC_USED;

typedef struct retc_stimulus retc_stimulus;

/* Open and check a stimulus file.  NULL with a recorded reason. */
retc_stimulus *retc_stimulus_open(const char *path);
void retc_stimulus_close(retc_stimulus *stimulus);

const char *retc_stimulus_path(const retc_stimulus *stimulus);
const retc_stimulus_layout *retc_stimulus_layout_of(const retc_stimulus *stimulus);

/* Side of a pixel on the retina, um; 0 when the file does not say. */
double retc_stimulus_pixel_size(const retc_stimulus *stimulus);

/* The recipe that the frames are made from, borrowed; NULL when they are stored. */
struct retc_recipe *retc_stimulus_recipe(const retc_stimulus *stimulus);

/* Start of every frame, (T), and first frames of the stretches of continuous time, (B); both borrowed. */
const double *retc_stimulus_time(const retc_stimulus *stimulus);
const size_t *retc_stimulus_blocks(const retc_stimulus *stimulus, size_t *blocks);

/* Frames t0 ... t0+n-1, (n,H,W).  A value that is not finite is an error that names the frame. */
int retc_stimulus_read(retc_stimulus *stimulus, size_t t0, size_t n, float *out) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
