/* A patch that moves before a background as the eye jitters, and a disc that comes near. */
#include <math.h>
#include <string.h>

#include "grating.h"
#include "protocol_kinds.h"
#include "rng.h"

/* ---- object motion --------------------------------------------------------------------------------------------------- */

/* Olveczky, Baccus & Meister, Nature 423 (2003). */
typedef struct {
    retc_protocol_options protocol;
    double period, contrast, direction, diameter, gap, x, y, step, every, trial;
    const char *profile;
} object_options;

static void
object_defaults(void *options, retc_screen *screen) {
    object_options *o = options;
    *o = (object_options){.period = 200,
                          .contrast = 0.8,
                          .diameter = 400,
                          .gap = 0,
                          .step = 30,
                          .every = 1000.0 / 15,
                          .trial = 10,
                          .profile = "square"};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
object_table(void *options, retc_option *entries) {
    object_options *o = options;
    const retc_option table[] = {
        {"period", 0, RETC_OPTION_DOUBLE, 0, &o->period, 1e-3, 1e6, "um", "of the grating of object and background"},
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL, "of the grating"},
        {"profile", 0, RETC_OPTION_CHOICE, 0, &o->profile, 0, 0, "sine|square", "of the grating"},
        {"direction", 0, RETC_OPTION_DOUBLE, 0, &o->direction, -360, 360, "degrees", "in which it jitters, across its bars"},
        {"diameter", 0, RETC_OPTION_DOUBLE, 0, &o->diameter, 1e-3, 1e6, "um", "of the object, a disc"},
        {"gap", 0, RETC_OPTION_DOUBLE, 0, &o->gap, 0, 1e6, "um", "width of the grey ring around the object"},
        {"x", 0, RETC_OPTION_DOUBLE, 0, &o->x, -1e6, 1e6, "um", "middle of the object, to the right of the screen's"},
        {"y", 0, RETC_OPTION_DOUBLE, 0, &o->y, -1e6, 1e6, "um", "middle of the object, above the screen's"},
        {"step", 0, RETC_OPTION_DOUBLE, 0, &o->step, 0, 1e6, "um", "standard deviation of each step of the random walk"},
        {"every", 0, RETC_OPTION_DOUBLE, 0, &o->every, 1e-3, 1e6, "ms", "time from step to step, to whole frames"},
        {"trial", 0, RETC_OPTION_DOUBLE, 0, &o->trial, 1e-3, 1e5, "s", "duration of a trial"},
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

/* How the background moves. */
enum { OBJECT_MOVES, BACKGROUND_MOVES };
enum { STILL = 0, WITH_OBJECT = 1, ON_ITS_OWN = -1 };

static int
object_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const object_options *o = options;
    if (o->period < 2 * screen->pixel_size)
        return RETC_FAIL(RETC_EINVAL, "object-motion: pixels of %g um cannot show a period of %g um", screen->pixel_size,
                         o->period);
    *duration = o->trial;
    /* A background can move with the object, and against it, only where that moves. */
    return value[OBJECT_MOVES] == 0 && value[BACKGROUND_MOVES] == WITH_OBJECT ? 1 : RETC_OK;
}

/* Where a random walk of steps of standard deviation 1 is after `steps` of them.  Walks of object and background of one round
 * have streams of their own; all conditions of a round share them. */
static int
walk(const retc_moment *moment, size_t which, size_t steps, double *place) {
    int status = RETC_OK;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(moment->screen->seed, RETC_STREAM_STIMULUS, 2 * moment->round + which)));
    *place = 0;
    for (size_t i = 0; i < steps; ++i)
        *place += gsl_ran_gaussian_ziggurat(rng, 1);

done:
    gsl_rng_free(rng);
    return status;
}

/* Put the object in front: pixels of the background keep what the ring and the object do not cover. */
static void
put_in_front(const object_options *o, const retc_screen *screen, const float *object, float *contrast) {
    double side = screen->pixel_size;
    for (size_t row = 0; row < screen->height; ++row)
        for (size_t column = 0; column < screen->width; ++column) {
            size_t i = row * screen->width + column;
            double dy = (retc_pixel_y(screen, row) - o->y) / side, dx = (retc_pixel_x(screen, column) - o->x) / side;
            double inner = retc_disc_coverage(o->diameter / 2 / side, dy, dx);
            double outer = o->gap > 0 ? retc_disc_coverage((o->diameter / 2 + o->gap) / side, dy, dx) : inner;
            contrast[i] = (float)((1 - outer) * (double)contrast[i] + inner * (double)object[i]);
        }
}

static int
object_picture(const void *options, const retc_moment *moment, float *contrast) {
    int status = RETC_OK;
    const object_options *o = options;
    const retc_screen *screen = moment->screen;
    size_t hold = (size_t)fmax(1, round(o->every / 1000 * screen->frame_rate));
    size_t steps = (size_t)round(moment->start * screen->frame_rate) / hold;
    double own = 0, other = 0;
    float *object = NULL;
    RETC_TRY(RETC_ALLOC(object, screen->height * screen->width));
    RETC_TRY(walk(moment, 0, steps, &own));
    if (moment->value[BACKGROUND_MOVES] == ON_ITS_OWN)
        RETC_TRY(walk(moment, 1, steps, &other));
    retc_grating grating = {
        .direction = o->direction, .period = o->period, .square = strcmp(o->profile, "square") == 0, .contrast = o->contrast};
    grating.phase = moment->value[OBJECT_MOVES] > 0 ? own * o->step / o->period : 0;
    retc_add_grating(screen, &grating, object);
    double background = moment->value[BACKGROUND_MOVES];
    grating.phase = (background == STILL ? 0 : background == WITH_OBJECT ? own : other) * o->step / o->period;
    retc_add_grating(screen, &grating, contrast);
    put_in_front(o, screen, object, contrast);

done:
    retc_free(object);
    return status;
}

static retc_movie *
object_make(const void *options, const retc_screen *screen) {
    static const retc_numbers moves = {2, {1, 0}}, background = {3, {ON_ITS_OWN, WITH_OBJECT, STILL}};
    const object_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "object-motion",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"object", NULL, &moves}, {"background", NULL, &background}},
        .complete = object_complete,
        .picture = object_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_object_motion_kind = {
    .name = "object-motion",
    .usage =
        {"stimulus", "a patch that jitters with its background, or on its own",
         "A disc and its background show gratings that jitter as an eye does.  Where both move together, "
         "object-motion-sensitive "
         "cells are silent; where the object moves on its own, they fire (Olveczky et al. 2003).  Conditions: object moves (1) "
         "or not (0); background moves on its own (-1), with the object (1), or not (0).  All conditions of a round share one "
         "path of the object.  The file holds /conditions and /trials.",
         "retcodec stimulus object-motion --diameter 400 --period 200 --height 16 --width 16 -o object.h5"},
    .size = sizeof(object_options),
    .defaults = object_defaults,
    .table = object_table,
    .make = object_make,
};

/* ---- looming --------------------------------------------------------------------------------------------------------- */

/* A disc of half size l that comes near at speed v, and would collide at time T, has the angular size
 * 2 atan((l/v) / (T - t)): Gabbiani, Krapp & Laurent, J. Neurosci. 19 (1999).  In the retina: Muench, da Silveira, Siegert,
 * Viney, Awatramani & Roska, Nat. Neurosci. 12 (2009). */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers ratios, contrasts, approaches;
    double smallest, largest, degree, hold, x, y;
} looming_options;

static void
looming_defaults(void *options, retc_screen *screen) {
    looming_options *o = options;
    *o = (looming_options){.ratios = {3, {50, 100, 200}},
                           .contrasts = {1, {-1}},
                           .approaches = {3, {1, -1, 0}},
                           .smallest = 100,
                           .largest = 600,
                           .degree = 31,
                           .hold = 0.5};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
looming_table(void *options, retc_option *entries) {
    looming_options *o = options;
    const retc_option table[] = {
        {"ratios", 0, RETC_OPTION_NUMBERS, 0, &o->ratios, 1e-3, 1e6, "ms", "l/v: half the size of the object over its speed"},
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, -1, 1, NULL, "of the disc to mean grey"},
        {"approaches", 0, RETC_OPTION_NUMBERS, 0, &o->approaches, -1, 1, NULL,
         "1: the disc comes near; -1: it goes away; 0: the largest disc changes its contrast instead, with the same mean "
         "light"},
        {"smallest", 0, RETC_OPTION_DOUBLE, 0, &o->smallest, 1e-3, 1e6, "um", "diameter at the start"},
        {"largest", 0, RETC_OPTION_DOUBLE, 0, &o->largest, 1e-3, 1e6, "um", "diameter at which it stops to grow"},
        {"degree", 0, RETC_OPTION_DOUBLE, 0, &o->degree, 1e-3, 1e4, "um", "one degree of visual angle on the retina"},
        {"hold", 0, RETC_OPTION_DOUBLE, 0, &o->hold, 0, 1e4, "s", "how long the last picture stays"},
        {"x", 0, RETC_OPTION_DOUBLE, 0, &o->x, -1e6, 1e6, "um", "middle of the disc, to the right of the screen's"},
        {"y", 0, RETC_OPTION_DOUBLE, 0, &o->y, -1e6, 1e6, "um", "middle of the disc, above the screen's"},
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

enum { LOOMING_RATIO, LOOMING_CONTRAST, LOOMING_APPROACH, LOOMING_COLLISION };

/* Time before the collision at which the disc has this diameter, s: (l/v) / tan(size / 2). */
static double
time_to_collision(const looming_options *o, double ratio, double diameter) {
    return ratio / 1000 / tan(diameter / o->degree * M_PI / 360);
}

static int
looming_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const looming_options *o = options;
    double ratio = value[LOOMING_RATIO], approach = value[LOOMING_APPROACH];
    (void)screen;
    if (!(o->smallest < o->largest && o->largest < 180 * o->degree))
        return RETC_FAIL(
            RETC_EINVAL,
            "looming: diameters from %g to %g um have no meaning; they must grow, to less than 180 degrees (%g um)",
            o->smallest, o->largest, 180 * o->degree);
    if (approach != -1 && approach != 0 && approach != 1)
        return RETC_FAIL(RETC_EINVAL, "looming: an approach is 1, -1 or 0, not %g", approach);
    double grows = time_to_collision(o, ratio, o->smallest) - time_to_collision(o, ratio, o->largest);
    value[LOOMING_COLLISION] = time_to_collision(o, ratio, o->smallest);
    *duration = grows + o->hold;
    return RETC_OK;
}

/* Diameter at `t` seconds after the start, um. */
static double
looming_diameter(const looming_options *o, const double *value, double t) {
    double left = value[LOOMING_COLLISION] - t, last = time_to_collision(o, value[LOOMING_RATIO], o->largest);
    if (value[LOOMING_APPROACH] < 0) /* the same in reverse, and then it stays small */
        left = fmin(last + t, value[LOOMING_COLLISION]);
    return left <= last ? o->largest : 2 * atan(value[LOOMING_RATIO] / 1000 / left) * 180 / M_PI * o->degree;
}

/* The mean over the frame is taken at steps of at most an eighth of a pixel in diameter. */
static int
looming_picture(const void *options, const retc_moment *moment, float *contrast) {
    const looming_options *o = options;
    const double *value = moment->value;
    double span = fmin(moment->end, moment->duration) - moment->start;
    double growth = looming_diameter(o, value, moment->start + span) - looming_diameter(o, value, moment->start);
    size_t steps = (size_t)fmin(fmax(1, ceil(8 * fabs(growth) / moment->screen->pixel_size)), 1024);
    double weight = value[LOOMING_CONTRAST] * span / (moment->end - moment->start) / (double)steps;
    for (size_t i = 0; i < steps; ++i) {
        double diameter = looming_diameter(o, value, moment->start + span * ((double)i + 0.5) / (double)steps);
        double relative = diameter / o->largest;
        if (value[LOOMING_APPROACH] == 0)
            retc_add_disc(moment->screen, o->x, o->y, o->largest, weight * relative * relative, contrast);
        else
            retc_add_disc(moment->screen, o->x, o->y, diameter, weight, contrast);
    }
    return RETC_OK;
}

static retc_movie *
looming_make(const void *options, const retc_screen *screen) {
    const looming_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "looming",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"ratio", "ms", &o->ratios},
                      {"contrast", NULL, &o->contrasts},
                      {"approach", NULL, &o->approaches},
                      {"collision_time", "s", NULL}},
        .complete = looming_complete,
        .picture = looming_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_looming_kind = {
    .name = "looming",
    .usage = {"stimulus", "a disc that comes near",
              "A disc grows on the retina as a thing does that comes near at constant speed (Gabbiani et al. 1999): "
              "approach-sensitive "
              "cells fire to it, and neither to one that goes away nor to one that only darkens (Muench et al. 2009).  The "
              "file holds "
              "/conditions, with the time at which the thing would arrive, and /trials.",
              "retcodec stimulus looming --ratios 50,100 --largest 600 --height 16 --width 16 -o looming.h5"},
    .size = sizeof(looming_options),
    .defaults = looming_defaults,
    .table = looming_table,
    .make = looming_make,
};
