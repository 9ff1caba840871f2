/* A rectangle of another movie. */
#ifndef RETC_CROP_H
#define RETC_CROP_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    const char *movie;    /* stimulus file */
    size_t row, column;   /* upper left pixel */
    size_t height, width; /* pixels; 0: up to the border */
} retc_crop_options;

/* The movie of these options.  NULL with a recorded reason. */
retc_movie *retc_crop_movie(const retc_crop_options *options, size_t threads);

extern const retc_movie_kind retc_crop_kind;

#ifdef __cplusplus
}
#endif

#endif
