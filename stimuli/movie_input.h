/* What movies that are made from stimulus files share. */
#ifndef RETC_MOVIE_INPUT_H
#define RETC_MOVIE_INPUT_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A movie of H x W pixels and as many frames as `input`, with its frame interval and its type, and, until it is set, its pixel
 * size.  NULL with a recorded reason. */
retc_movie *retc_movie_alloc_from(const char *kind, const retc_stimulus *input, size_t H, size_t W);

/* Give a file that holds a movie of as many frames as `input` its clock and its stretches of continuous time. */
int retc_movie_copy_clock(const retc_stimulus *input, retc_h5 *file) RETC_USED;

/* Makes one frame from one of the input. */
typedef void (*retc_frame_change)(const void *context, const float *in, float *out);

/* Frames t0 ... t0+n-1, `pixels` values each, made from those of `input` with up to `threads` threads. */
int retc_movie_change_frames(retc_stimulus *input, size_t threads, retc_frame_change change, const void *context, size_t t0,
                             size_t n, size_t pixels, float *out) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
