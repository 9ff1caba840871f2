/* Movies: whatever makes the frames of a stimulus, one interface for generators and for what changes movies.
 *
 * A kind of movie is a struct of functions and a table of options; movie_kinds.h lists all kinds.  The same table serves the
 * command line, the help, and the recipe from which a movie that is not stored can be made again. */
#ifndef RETC_MOVIE_H
#define RETC_MOVIE_H

#include <stdint.h>

#include "options.h"
#include "stimulus_file.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What every movie is shown on. */
typedef struct {
    size_t frames;        /* T; 0: as many as `duration` holds */
    double duration;      /* s; 0: a protocol runs once, from its start to its end */
    double frame_rate;    /* Hz */
    size_t height, width; /* H, W, pixels */
    double pixel_size;    /* side of a pixel on the retina, um */
    uint64_t seed;        /* of all that is random */
    size_t threads;       /* 0: all processors; the frames do not depend on it */
} retc_screen;

/* 300 s at 60 Hz, 16 x 16 pixels of 50 um (the nominal pixel of the Stanford retina data), seed 1. */
void retc_screen_default(retc_screen *screen);

/* Number of frames: as the screen says, else `protocol` seconds, rounded to whole frames, at least 1. */
size_t retc_screen_frames(const retc_screen *screen, double protocol);

/* A movie.  `frames` gives grey levels 0 ... 255, and is asked for them in ascending order; only a movie that says so can be
 * asked in any order.  `annotate` (NULL: nothing to add) writes what a file of this movie holds beside it: the path of the
 * eyes, the times of flashes.  `report` (NULL: nothing to say) gives, once the frames were made, one line for the user
 * (retc_free), or NULL.
 *
 * A movie whose length shows at its end only, as one that comes through a pipe, has `stream` in place of `frames`, and 0 frames
 * until it was written. */
typedef struct {
    const char *kind; /* "white-noise" */
    retc_stimulus_layout layout;
    double pixel_size; /* um; 0: unknown */
    int any_order;
    retc_stimulus_source frames;
    retc_stimulus_stream stream;
    int (*annotate)(void *context, retc_h5 *file);
    char *(*report)(void *context);
    void (*free)(void *context);
    void *context;
} retc_movie;

/* A movie on the screen with `frames` frames of `type`; its functions and context are the caller's to fill in.  NULL with a
 * recorded reason: the screen has no meaning. */
retc_movie *retc_movie_alloc(const char *kind, const retc_screen *screen, size_t frames, retc_h5_type type);

/* Free the movie and its context; NULL is fine. */
void retc_movie_free(retc_movie *movie);

/* Write the whole movie into a file made by retc_h5_create: the datasets of stimulus_file.h, the root attribute pixel_size
 * (um), and its annotations. */
int retc_movie_write(retc_movie *movie, retc_h5 *file, const retc_progress *progress) RETC_USED;

/* Write the pixel size and the annotations alone. */
int retc_movie_annotate(retc_movie *movie, retc_h5 *file) RETC_USED;

enum { RETC_MOVIE_OPTIONS = 32 }; /* the most options that a kind has of its own */

/* A kind of movie. */
typedef struct {
    const char *name;
    retc_usage usage; /* command "stimulus" */
    int from_files;   /* its files say what the screen is: it takes no options of the screen */
    size_t size;      /* bytes of its options, a plain struct */
    void (*defaults)(void *options, retc_screen *screen);
    size_t (*table)(void *options, retc_option *entries); /* its own entries, at most RETC_MOVIE_OPTIONS: their number */
    retc_movie *(*make)(const void *options, const retc_screen *screen); /* NULL with a recorded reason */
} retc_movie_kind;

#ifdef __cplusplus
}
#endif

#endif
