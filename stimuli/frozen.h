/* Trials made of two movies: fresh frames of one, then always the same frames of the other.
 *
 * Trial k shows frames k R ... k R + R - 1 of the running movie, then frames 0 ... F - 1 of the frozen one.  Both screens, of
 * the same size and frame rate, are one stretch of continuous time.  This is what import_text.h takes apart again.
 *
 * The file also holds the root attributes running_frames and frozen_frames (R, F), and as trials (trials.h) the 2 N parts, with
 * the conditions frozen = 0 and frozen = 1. */
#ifndef RETC_FROZEN_H
#define RETC_FROZEN_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *running_movie, *frozen_movie; /* stimulus files */
    size_t running, frozen;                   /* R, F: frames per trial */
    size_t trials;                            /* N; 0: as many as the running movie has frames for */
} retc_frozen_options;

/* The movie of these options.  NULL with a recorded reason. */
retc_movie *retc_frozen_movie(const retc_frozen_options *options);

extern const retc_movie_kind retc_frozen_kind;

#ifdef __cplusplus
}
#endif

#endif
