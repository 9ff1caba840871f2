/* All kinds of movies, and how a line of options becomes a movie. */
#ifndef RETC_MOVIE_KINDS_H
#define RETC_MOVIE_KINDS_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Ends with NULL. */
extern const retc_movie_kind *const retc_movie_kinds[];

/* The kind of this name; NULL with a recorded reason that names the nearest one. */
const retc_movie_kind *retc_movie_kind_find(const char *name);

/* A movie being asked for: the kind, its options at their defaults, and the table that sets them. */
typedef struct {
    const retc_movie_kind *kind;
    const char *name; /* the kind as given */
    retc_screen screen;
    void *options;
    size_t entries;
    retc_option
        table[RETC_MOVIE_OPTIONS + 16]; /* kind, its own options, those of the screen except seed and threads; open end */
} retc_movie_request;

/* Start a request, with all defaults; it must not move, as its table points into it.  Free it with retc_movie_request_clear. */
int retc_movie_request_init(retc_movie_request *request, const retc_movie_kind *kind) RETC_USED;
void retc_movie_request_clear(retc_movie_request *request);

/* The movie that was asked for.  NULL with a recorded reason.  Input files that it names must outlive it. */
retc_movie *retc_movie_request_make(const retc_movie_request *request);

#ifdef __cplusplus
}
#endif

#endif
