/* Bars and discs that move: straight on, turning back, and flashed where they would pass. */
#include <math.h>
#include <string.h>

#include "grating.h"
#include "protocol_kinds.h"

/* What all of them have. */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers directions, speeds, widths, contrasts, places;
    double length, flash;
} motion_options;

#define DIRECTIONS(o)                                                                                                          \
    { "directions", 0, RETC_OPTION_NUMBERS, 0, &(o)->directions, -360, 360, "degrees", "of motion: 0 to the right, 90 upwards" }
#define SPEEDS(o)                                                                                                              \
    { "speeds", 0, RETC_OPTION_NUMBERS, 0, &(o)->speeds, 1e-3, 1e7, "um/s", "of motion" }
#define WIDTHS(o)                                                                                                              \
    { "widths", 0, RETC_OPTION_NUMBERS, 0, &(o)->widths, 1e-3, 1e6, "um", "of the bar, along its motion" }
#define CONTRASTS(o, what)                                                                                                     \
    { "contrasts", 0, RETC_OPTION_NUMBERS, 0, &(o)->contrasts, -1, 1, NULL, "of the " what " to mean grey" }
#define LENGTH(o)                                                                                                              \
    {                                                                                                                          \
        "length", 0, RETC_OPTION_DOUBLE, 0, &(o)->length, 0, 1e6, "um",                                                        \
            "of the bar, across its motion; 0: from border to border"                                                          \
    }

static void
motion_defaults(motion_options *o, retc_screen *screen) {
    *o = (motion_options){.directions = {2, {0, 180}},
                          .speeds = {1, {500}},
                          .widths = {1, {150}},
                          .contrasts = {1, {-1}},
                          .places = {1, {0}},
                          .flash = 15};
    retc_protocol_default(&o->protocol, screen);
}

/* Time that a shape of this width takes from just off one side of the screen to just off the other, s. */
static double
crossing_time(const retc_screen *screen, double direction, double width, double speed) {
    return (retc_direction_make(screen, direction).extent + width) / speed;
}

/* ---- moving bar ------------------------------------------------------------------------------------------------------ */

enum { BAR_DIRECTION, BAR_SPEED, BAR_WIDTH, BAR_CONTRAST, BAR_CENTRE_TIME };

static void
bar_defaults(void *options, retc_screen *screen) {
    motion_options *o = options;
    motion_defaults(o, screen);
    o->directions = (retc_numbers){8, {0, 45, 90, 135, 180, 225, 270, 315}};
}

static size_t
bar_table(void *options, retc_option *entries) {
    motion_options *o = options;
    const retc_option table[] = {DIRECTIONS(o), SPEEDS(o), WIDTHS(o), CONTRASTS(o, "bar"), LENGTH(o)};
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

/* Also for the disc, whose diameter stands in the place of the width. */
static int
bar_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    (void)options;
    *duration = crossing_time(screen, value[BAR_DIRECTION], value[BAR_WIDTH], value[BAR_SPEED]);
    value[BAR_CENTRE_TIME] = *duration / 2;
    return RETC_OK;
}

static int
bar_picture(const void *options, const retc_moment *moment, float *contrast) {
    const motion_options *o = options;
    const double *value = moment->value;
    retc_bar bar = {.direction = value[BAR_DIRECTION],
                    .width = value[BAR_WIDTH],
                    .length = o->length,
                    .from = value[BAR_SPEED] * (moment->start - value[BAR_CENTRE_TIME]),
                    .to = value[BAR_SPEED] * (moment->end - value[BAR_CENTRE_TIME]),
                    .contrast = value[BAR_CONTRAST]};
    retc_add_bar(moment->screen, &bar, 1, contrast);
    return RETC_OK;
}

static retc_movie *
crossing_movie(const char *kind, const char *size, const motion_options *o, const retc_screen *screen,
               int (*picture)(const void *, const retc_moment *, float *)) {
    const retc_protocol_plan plan = {
        .kind = kind,
        .options = o,
        .size = sizeof *o,
        .parameter = {{"direction", "degrees", &o->directions},
                      {"speed", "um/s", &o->speeds},
                      {size, "um", &o->widths},
                      {"contrast", NULL, &o->contrasts},
                      {"centre_time", "s", NULL}},
        .complete = bar_complete,
        .picture = picture,
    };
    return retc_protocol_movie(&plan, screen);
}

static retc_movie *
bar_make(const void *options, const retc_screen *screen) {
    return crossing_movie("moving-bar", "width", options, screen, bar_picture);
}

const retc_movie_kind retc_moving_bar_kind = {
    .name = "moving-bar",
    .usage =
        {"stimulus", "a bar that moves across the screen",
         "A bar crosses the screen through its middle, in several directions (Barlow, Hill & Levick 1964).  The file holds "
         "/conditions, with the time at which the bar is in the middle, and /trials.",
         "retcodec stimulus moving-bar --directions 0,90,180,270 --speeds 500 --height 16 --width 16 -o bar.h5"},
    .size = sizeof(motion_options),
    .defaults = bar_defaults,
    .table = bar_table,
    .make = bar_make,
};

/* ---- moving spot ----------------------------------------------------------------------------------------------------- */

static size_t
spot_table(void *options, retc_option *entries) {
    motion_options *o = options;
    const retc_option table[] = {
        DIRECTIONS(o),
        SPEEDS(o),
        {"diameters", 0, RETC_OPTION_NUMBERS, 0, &o->widths, 1e-3, 1e6, "um", "of the disc"},
        CONTRASTS(o, "disc"),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

/* The mean over the frame is taken at places at most a quarter of a pixel apart. */
static int
spot_picture(const void *options, const retc_moment *moment, float *contrast) {
    const retc_screen *screen = moment->screen;
    const double *value = moment->value;
    retc_direction d = retc_direction_make(screen, value[BAR_DIRECTION]);
    double from = value[BAR_SPEED] * (moment->start - value[BAR_CENTRE_TIME]);
    double path = value[BAR_SPEED] * (moment->end - moment->start);
    size_t steps = (size_t)fmin(fmax(1, ceil(4 * path / screen->pixel_size)), 256);
    (void)options;
    for (size_t i = 0; i < steps; ++i) {
        double at = from + path * ((double)i + 0.5) / (double)steps;
        retc_add_disc(screen, d.cosine * at, d.sine * at, value[BAR_WIDTH], value[BAR_CONTRAST] / (double)steps, contrast);
    }
    return RETC_OK;
}

static retc_movie *
spot_make(const void *options, const retc_screen *screen) {
    return crossing_movie("moving-spot", "diameter", options, screen, spot_picture);
}

const retc_movie_kind retc_moving_spot_kind = {
    .name = "moving-spot",
    .usage = {"stimulus", "a disc that moves across the screen",
              "A disc crosses the screen through its middle: the retina's answer to small moving things (Lettvin, Maturana, "
              "McCulloch "
              "& Pitts 1959).  The file holds /conditions, with the time at which the disc is in the middle, and /trials.",
              "retcodec stimulus moving-spot --diameters 100,200,400 --speeds 500 --height 16 --width 16 -o spot.h5"},
    .size = sizeof(motion_options),
    .defaults = bar_defaults,
    .table = spot_table,
    .make = spot_make,
};

/* ---- motion reversal ------------------------------------------------------------------------------------------------- */

/* Schwartz, Taylor, Fisher, Harris & Berry, Neuron 55 (2007): when a bar turns back, ganglion cells fire together. */
enum { REVERSAL_DIRECTION, REVERSAL_SPEED, REVERSAL_WIDTH, REVERSAL_CONTRAST, REVERSAL_PLACE, REVERSAL_TURNS, REVERSAL_TIME };

static void
reversal_defaults(void *options, retc_screen *screen) {
    motion_defaults(options, screen);
}

static size_t
reversal_table(void *options, retc_option *entries) {
    motion_options *o = options;
    const retc_option table[] = {
        DIRECTIONS(o),
        SPEEDS(o),
        WIDTHS(o),
        CONTRASTS(o, "bar"),
        {"places", 0, RETC_OPTION_NUMBERS, 0, &o->places, -1e6, 1e6, "um",
         "where the bar turns back, along its direction from the middle"},
        LENGTH(o),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

static int
reversal_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    double whole = crossing_time(screen, value[REVERSAL_DIRECTION], value[REVERSAL_WIDTH], value[REVERSAL_SPEED]);
    (void)options;
    value[REVERSAL_TIME] = whole / 2 + value[REVERSAL_PLACE] / value[REVERSAL_SPEED];
    if (!(value[REVERSAL_TIME] > 0 && value[REVERSAL_TIME] < whole))
        return RETC_FAIL(RETC_EINVAL, "motion-reversal: the bar is not on the screen at %g um from its middle",
                         value[REVERSAL_PLACE]);
    *duration = value[REVERSAL_TURNS] > 0 ? 2 * value[REVERSAL_TIME] : whole;
    return RETC_OK;
}

/* Up to the time of reversal and after it the motion is straight. */
static int
reversal_picture(const void *options, const retc_moment *moment, float *contrast) {
    const motion_options *o = options;
    const double *value = moment->value;
    const double turn = value[REVERSAL_TIME], speed = value[REVERSAL_SPEED], place = value[REVERSAL_PLACE];
    const double after = value[REVERSAL_TURNS] > 0 ? -speed : speed;
    const double before_end = fmin(moment->end, turn), after_start = fmax(moment->start, turn);
    retc_bar bar = {.direction = value[REVERSAL_DIRECTION],
                    .width = value[REVERSAL_WIDTH],
                    .length = o->length,
                    .contrast = value[REVERSAL_CONTRAST]};
    if (moment->start < turn) {
        bar.from = place + speed * (moment->start - turn);
        bar.to = place + speed * (before_end - turn);
        retc_add_bar(moment->screen, &bar, retc_time_share(moment->start, moment->end, 0, turn), contrast);
    }
    if (moment->end > turn) {
        bar.from = place + after * (after_start - turn);
        bar.to = place + after * (moment->end - turn);
        retc_add_bar(moment->screen, &bar, retc_time_share(moment->start, moment->end, turn, (double)INFINITY), contrast);
    }
    return RETC_OK;
}

static retc_movie *
reversal_make(const void *options, const retc_screen *screen) {
    static const retc_numbers turns = {2, {1, 0}};
    const motion_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "motion-reversal",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"direction", "degrees", &o->directions},
                      {"speed", "um/s", &o->speeds},
                      {"width", "um", &o->widths},
                      {"contrast", NULL, &o->contrasts},
                      {"place", "um", &o->places},
                      {"turns", NULL, &turns},
                      {"reversal_time", "s", NULL}},
        .complete = reversal_complete,
        .picture = reversal_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_motion_reversal_kind = {
    .name = "motion-reversal",
    .usage =
        {"stimulus", "a bar that turns back",
         "A bar moves to a place and turns back, or, as a control, goes straight on (condition turns = 1 and 0).  Ganglion "
         "cells "
         "fire a synchronous burst a fixed time after the turn (Schwartz et al. 2007).  The file holds /conditions, with the "
         "time at which the bar turns or would turn, and /trials.",
         "retcodec stimulus motion-reversal --places -100,0,100 --height 16 --width 16 -o reversal.h5"},
    .size = sizeof(motion_options),
    .defaults = reversal_defaults,
    .table = reversal_table,
    .make = reversal_make,
};

/* ---- motion anticipation --------------------------------------------------------------------------------------------- */

/* Berry, Brivanlou, Jordan & Meister, Nature 398 (1999).  The speed of the flashed bar is 0. */
typedef struct {
    motion_options motion; /* its speeds: as given */
    retc_numbers speeds;   /* those, then 0 */
} anticipation_options;

static void
anticipation_defaults(void *options, retc_screen *screen) {
    anticipation_options *o = options;
    motion_defaults(&o->motion, screen);
}

static size_t
anticipation_table(void *options, retc_option *entries) {
    motion_options *o = &((anticipation_options *)options)->motion;
    const retc_option table[] = {
        DIRECTIONS(o),
        SPEEDS(o),
        WIDTHS(o),
        CONTRASTS(o, "bar"),
        {"places", 0, RETC_OPTION_NUMBERS, 0, &o->places, -1e6, 1e6, "um",
         "where the bar is flashed, along its direction from the middle"},
        {"flash", 0, RETC_OPTION_DOUBLE, 0, &o->flash, 1e-3, 1e6, "ms", "how long the flashed bar stays"},
        LENGTH(o),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

enum { ANTICIPATION_PLACE = BAR_CENTRE_TIME + 1 };

static int
anticipation_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const motion_options *o = &((const anticipation_options *)options)->motion;
    if (value[BAR_SPEED] > 0) { /* it passes all places: shown once, as of the first */
        int first = value[ANTICIPATION_PLACE] == o->places.value[0];
        value[ANTICIPATION_PLACE] = 0;
        return first ? bar_complete(options, screen, value, duration) : 1;
    }
    *duration = o->flash / 1000;
    value[BAR_CENTRE_TIME] = 0;
    /* Opposite directions are one line: bars are flashed along the first of them. */
    for (size_t i = 0; i < o->directions.n && o->directions.value[i] != value[BAR_DIRECTION]; ++i)
        if (fmod(fabs(o->directions.value[i] - value[BAR_DIRECTION]), 180) == 0)
            return 1;
    return RETC_OK;
}

static int
anticipation_picture(const void *options, const retc_moment *moment, float *contrast) {
    const motion_options *o = &((const anticipation_options *)options)->motion;
    const double *value = moment->value;
    if (value[BAR_SPEED] > 0)
        return bar_picture(options, moment, contrast);
    retc_bar bar = {.direction = value[BAR_DIRECTION],
                    .width = value[BAR_WIDTH],
                    .length = o->length,
                    .from = value[ANTICIPATION_PLACE],
                    .to = value[ANTICIPATION_PLACE],
                    .contrast = value[BAR_CONTRAST]};
    retc_add_bar(moment->screen, &bar, retc_time_share(moment->start, moment->end, 0, moment->duration), contrast);
    return RETC_OK;
}

static retc_movie *
anticipation_make(const void *options, const retc_screen *screen) {
    anticipation_options o = *(const anticipation_options *)options;
    if (o.motion.speeds.n == RETC_MOST_NUMBERS) {
        RETC_FAIL(RETC_EUSAGE, "motion-anticipation: at most %d speeds", RETC_MOST_NUMBERS - 1);
        return NULL;
    }
    o.speeds.n = o.motion.speeds.n + 1;
    memcpy(o.speeds.value, o.motion.speeds.value, o.motion.speeds.n * sizeof *o.speeds.value);
    const retc_protocol_plan plan = {
        .kind = "motion-anticipation",
        .options = &o,
        .size = sizeof o,
        .parameter = {{"direction", "degrees", &o.motion.directions},
                      {"speed", "um/s", &o.speeds},
                      {"width", "um", &o.motion.widths},
                      {"contrast", NULL, &o.motion.contrasts},
                      {"centre_time", "s", NULL},
                      {"place", "um", &o.motion.places}},
        .complete = anticipation_complete,
        .picture = anticipation_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_motion_anticipation_kind = {
    .name = "motion-anticipation",
    .usage =
        {"stimulus", "a bar that moves through a place, and one flashed there",
         "A bar crosses the screen through its middle, or is flashed in some places (speed 0).  The response to the flash lags "
         "behind it; "
         "that "
         "to the moving bar is ahead of it (Berry et al. 1999).  The file holds /conditions, with the time at which the bar is "
         "in the middle, and /trials.",
         "retcodec stimulus motion-anticipation --speeds 250,500 --height 16 --width 16 -o anticipation.h5"},
    .size = sizeof(anticipation_options),
    .defaults = anticipation_defaults,
    .table = anticipation_table,
    .make = anticipation_make,
};
