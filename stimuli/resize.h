/* Another movie in fewer or more pixels.
 *
 * Every new pixel covers a rectangle of the old frame and takes the mean over its area, of old pixels that are squares of one
 * level each.  In fewer pixels that is the low-pass which keeps what is finer than a new pixel from being aliased; in a whole
 * multiple of the pixels every old one is repeated.  The mean over the frame stays. */
#ifndef RETC_RESIZE_H
#define RETC_RESIZE_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *movie;    /* stimulus file */
    size_t height, width; /* new ones, pixels */
} retc_resize_options;

/* The movie of these options.  NULL with a recorded reason. */
retc_movie *retc_resize_movie(const retc_resize_options *options, size_t threads);

extern const retc_movie_kind retc_resize_kind;

#ifdef __cplusplus
}
#endif

#endif
