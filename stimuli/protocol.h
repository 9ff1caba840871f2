/* Protocols: movies made of trials, each of which shows one condition, with mean grey between them.
 *
 * A condition is a set of parameters (direction 45 degrees, speed 500 um/s); lists of values are crossed, the last parameter
 * changing fastest.  Trials start with a frame.  What a condition shows is defined in continuous space and time; the movie
 * is its mean over the area of every pixel and the duration of every frame, so that edges are not jagged, motion does not
 * jump, and a flash shorter than a frame is as much dimmer.  Where that mean has no closed form it is said how it is taken.
 *
 * Space is in um on the retina from the middle of the screen, x to the right and y upwards; direction 0 degrees is to the
 * right, 90 upwards.  Contrast x is relative to mean grey: level = 127.5 (1 + x), so -1 is black and 1 is white. */
#ifndef RETC_PROTOCOL_H
#define RETC_PROTOCOL_H

#include "coverage.h"
#include "movie.h"
#include "trials.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Options that all protocols share: the first member of the options of each. */
typedef struct {
    size_t repeats;     /* trials of every condition */
    const char *order;  /* "sequential", or "shuffled": every round of all conditions in an order of its own */
    double interval;    /* grey after every trial, s */
    double before;      /* grey before the first trial, s */
    const char *levels; /* "exact": 4-byte floating point numbers; "byte": rounded, mean grey becomes 128 */
} retc_protocol_options;

/* 5 repeats in sequence, 1 s of grey before and after each trial, exact levels.  Sets the duration of the screen to 0: a
 * protocol runs once. */
void retc_protocol_default(retc_protocol_options *options, retc_screen *screen);

/* Append the shared entries to the n entries of a kind; the number of all. */
size_t retc_protocol_table(retc_protocol_options *options, retc_option *entries, size_t n);

/* A parameter of the conditions: its values are crossed with those of the others.  `values` NULL: one value that `complete`
 * fills in. */
typedef struct {
    const char *name, *unit; /* unit NULL: none */
    const retc_numbers *values;
} retc_protocol_parameter;

/* A frame of a trial. */
typedef struct {
    const double *value; /* (P) parameters of the condition */
    size_t trial, round; /* both from 0; a round shows all conditions once */
    double start, end;   /* of the frame, s from the onset of the trial */
    double duration;     /* of the condition, s */
    const retc_screen *screen;
} retc_moment;

enum { RETC_PROTOCOL_PARAMETERS = 8 };

typedef struct {
    const char *kind;
    const void *options; /* of `size` bytes, the shared ones first; copied */
    size_t size;
    retc_protocol_parameter parameter[RETC_PROTOCOL_PARAMETERS]; /* up to the first without a name */

    /* Duration of a condition in seconds, and its values that are not listed.  1 leaves the condition out; negative with a
     * reason: it has no meaning. */
    int (*complete)(const void *options, const retc_screen *screen, double *value, double *duration);

    /* Contrasts of a frame, (H,W); they are 0 before.  Called from several threads at once. */
    int (*picture)(const void *options, const retc_moment *moment, float *contrast);
} retc_protocol_plan;

/* The movie of a protocol.  A screen that says how long the movie is gets as many trials as fit, instead of `repeats` rounds.
 * NULL with a recorded reason. */
retc_movie *retc_protocol_movie(const retc_protocol_plan *plan, const retc_screen *screen);

/* Place of the middle of pixel (row,column), um. */
static inline double
retc_pixel_x(const retc_screen *screen, size_t column) {
    return ((double)column - ((double)screen->width - 1) / 2) * screen->pixel_size;
}

static inline double
retc_pixel_y(const retc_screen *screen, size_t row) {
    return (((double)screen->height - 1) / 2 - (double)row) * screen->pixel_size;
}

/* A direction, and what the pixels of a screen look like along it: place = cos x + sin y. */
typedef struct {
    double cosine, sine;
    double side[2]; /* projections of the sides of a pixel, um */
    double extent;  /* projection of the whole screen, um */
} retc_direction;

/* Whole multiples of 90 degrees are exact. */
retc_direction retc_direction_make(const retc_screen *screen, double degrees);

/* Part of the time from `start` to `end` that lies between `from` and `to`, 0 ... 1. */
double retc_time_share(double start, double end, double from, double to);

/* Set all contrasts of a frame. */
void retc_fill_contrast(const retc_screen *screen, double value, float *contrast);

/* Add `value` times the coverage of a disc around (x,y), um; diameter 0 is the full field. */
void retc_add_disc(const retc_screen *screen, double x, double y, double diameter, double value, float *contrast);

#ifdef __cplusplus
}
#endif

#endif
