/* Protocols of light that changes in time only: flashes, pairs of flashes, steps, trains of flashes with an omission, chirps.
 */
#include <math.h>
#include <string.h>

#include "protocol.h"
#include "protocol_kinds.h"

/* The disc that they are shown in. */
typedef struct {
    double diameter, x, y; /* um; diameter 0: the whole screen */
} spot;

#define SPOT_ENTRIES(spot)                                                                                                     \
    {"diameter", 0, RETC_OPTION_DOUBLE, 0, &(spot).diameter, 0, 1e6, "um", "of the disc that changes; 0: the whole screen"},   \
        {"x", 0, RETC_OPTION_DOUBLE, 0, &(spot).x, -1e6, 1e6, "um", "middle of the disc, to the right of the screen's"}, {     \
        "y", 0, RETC_OPTION_DOUBLE, 0, &(spot).y, -1e6, 1e6, "um", "middle of the disc, above the screen's"                    \
    }

/* ---- flashes --------------------------------------------------------------------------------------------------------- */

/* Spots of growing diameter test the receptive field's centre and surround: Barlow, J. Physiol. 119 (1953). */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers durations, contrasts, diameters;
    spot place;
} flash_options;

static void
flash_defaults(void *options, retc_screen *screen) {
    flash_options *o = options;
    *o = (flash_options){.durations = {1, {200}}, .contrasts = {2, {1, -1}}, .diameters = {1, {0}}};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
flash_table(void *options, retc_option *entries) {
    flash_options *o = options;
    const retc_option table[] = {
        {"durations", 0, RETC_OPTION_NUMBERS, 0, &o->durations, 1e-3, 1e7, "ms", "of the flash"},
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, -1, 1, NULL, "of the flash to mean grey"},
        {"diameters", 0, RETC_OPTION_NUMBERS, 0, &o->diameters, 0, 1e6, "um", "of the disc that flashes; 0: the whole screen"},
        {"x", 0, RETC_OPTION_DOUBLE, 0, &o->place.x, -1e6, 1e6, "um", "middle of the disc, to the right of the screen's"},
        {"y", 0, RETC_OPTION_DOUBLE, 0, &o->place.y, -1e6, 1e6, "um", "middle of the disc, above the screen's"},
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

enum { FLASH_DURATION, FLASH_CONTRAST, FLASH_DIAMETER };

static int
flash_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    (void)options, (void)screen;
    *duration = value[FLASH_DURATION] / 1000;
    return RETC_OK;
}

static int
flash_picture(const void *options, const retc_moment *moment, float *contrast) {
    const flash_options *o = options;
    double share = retc_time_share(moment->start, moment->end, 0, moment->duration);
    retc_add_disc(moment->screen, o->place.x, o->place.y, moment->value[FLASH_DIAMETER], share * moment->value[FLASH_CONTRAST],
                  contrast);
    return RETC_OK;
}

static retc_movie *
flash_make(const void *options, const retc_screen *screen) {
    const flash_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "flashes",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"duration", "ms", &o->durations}, {"contrast", NULL, &o->contrasts}, {"diameter", "um", &o->diameters}},
        .complete = flash_complete,
        .picture = flash_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_flashes_kind = {
    .name = "flashes",
    .usage = {"stimulus", "flashes of the whole screen, or of spots",
              "Flashes of given durations, contrasts and diameters before mean grey; with several diameters, an area summation "
              "protocol (Barlow 1953).  The file holds /conditions and /trials.",
              "retcodec stimulus flashes --contrasts 1,-1 --diameters 100,200,400,0 --height 16 --width 16 -o flashes.h5"},
    .size = sizeof(flash_options),
    .defaults = flash_defaults,
    .table = flash_table,
    .make = flash_make,
};

/* ---- paired flashes -------------------------------------------------------------------------------------------------- */

/* The response to the second flash shows how the retina recovers from the first. */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers gaps, contrasts;
    double flash, second;
    spot place;
} pair_options;

static void
pair_defaults(void *options, retc_screen *screen) {
    pair_options *o = options;
    *o = (pair_options){.gaps = {5, {50, 100, 200, 400, 800}}, .contrasts = {1, {1}}, .flash = 50, .second = 1};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
pair_table(void *options, retc_option *entries) {
    pair_options *o = options;
    const retc_option table[] = {
        {"gaps", 0, RETC_OPTION_NUMBERS, 0, &o->gaps, 0, 1e7, "ms", "grey from the end of the first flash to the second"},
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, -1, 1, NULL, "of the first flash to mean grey"},
        {"second", 0, RETC_OPTION_DOUBLE, 0, &o->second, -1, 1, NULL, "contrast of the second flash over that of the first"},
        {"flash", 0, RETC_OPTION_DOUBLE, 0, &o->flash, 1e-3, 1e7, "ms", "duration of each flash"},
        SPOT_ENTRIES(o->place),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

enum { PAIR_GAP, PAIR_CONTRAST };

static int
pair_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const pair_options *o = options;
    (void)screen;
    *duration = (2 * o->flash + value[PAIR_GAP]) / 1000;
    return RETC_OK;
}

static int
pair_picture(const void *options, const retc_moment *moment, float *contrast) {
    const pair_options *o = options;
    double flash = o->flash / 1000, first = retc_time_share(moment->start, moment->end, 0, flash);
    double second = retc_time_share(moment->start, moment->end, moment->duration - flash, moment->duration);
    retc_add_disc(moment->screen, o->place.x, o->place.y, o->place.diameter,
                  moment->value[PAIR_CONTRAST] * (first + o->second * second), contrast);
    return RETC_OK;
}

static retc_movie *
pair_make(const void *options, const retc_screen *screen) {
    const pair_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "paired-flashes",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"gap", "ms", &o->gaps}, {"contrast", NULL, &o->contrasts}},
        .complete = pair_complete,
        .picture = pair_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_paired_flashes_kind = {
    .name = "paired-flashes",
    .usage =
        {"stimulus", "two flashes with a gap between them",
         "Two flashes, one after the other: how the response to the second depends on the gap shows how the retina recovers "
         "from the first.  The file holds /conditions and /trials.",
         "retcodec stimulus paired-flashes --gaps 50,100,200,400 --height 16 --width 16 -o pairs.h5"},
    .size = sizeof(pair_options),
    .defaults = pair_defaults,
    .table = pair_table,
    .make = pair_make,
};

/* ---- steps of luminance ---------------------------------------------------------------------------------------------- */

typedef struct {
    retc_protocol_options protocol;
    retc_numbers steps, contrasts;
    double hold;
    spot place;
} step_options;

static void
step_defaults(void *options, retc_screen *screen) {
    step_options *o = options;
    *o = (step_options){.steps = {4, {1, 0, -1, 0}}, .contrasts = {1, {1}}, .hold = 2};
    retc_protocol_default(&o->protocol, screen);
    o->protocol.interval = 0;
}

static size_t
step_table(void *options, retc_option *entries) {
    step_options *o = options;
    const retc_option table[] = {
        {"steps", 0, RETC_OPTION_NUMBERS, 0, &o->steps, -1, 1, NULL, "contrasts that a trial goes through"},
        {"hold", 0, RETC_OPTION_DOUBLE, 0, &o->hold, 1e-3, 1e5, "s", "how long each of them stays"},
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, -1, 1, NULL, "factors of all steps of a trial"},
        SPOT_ENTRIES(o->place),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

static int
step_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const step_options *o = options;
    (void)screen, (void)value;
    *duration = (double)o->steps.n * o->hold;
    return RETC_OK;
}

static int
step_picture(const void *options, const retc_moment *moment, float *contrast) {
    const step_options *o = options;
    double level = 0;
    for (size_t k = 0; k < o->steps.n; ++k)
        level +=
            o->steps.value[k] * retc_time_share(moment->start, moment->end, (double)k * o->hold, (double)(k + 1) * o->hold);
    retc_add_disc(moment->screen, o->place.x, o->place.y, o->place.diameter, moment->value[0] * level, contrast);
    return RETC_OK;
}

static retc_movie *
step_make(const void *options, const retc_screen *screen) {
    const step_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "luminance-steps",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"contrast", NULL, &o->contrasts}},
        .complete = step_complete,
        .picture = step_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_luminance_steps_kind = {
    .name = "luminance-steps",
    .usage =
        {"stimulus", "steps of light, up and down",
         "A trial goes through a list of light levels, each held for a while: ON and OFF responses, transient or sustained.  "
         "The file holds /conditions and /trials.",
         "retcodec stimulus luminance-steps --steps 1,0,-1,0 --hold 2 --height 16 --width 16 -o steps.h5"},
    .size = sizeof(step_options),
    .defaults = step_defaults,
    .table = step_table,
    .make = step_make,
};

/* ---- omitted stimulus ------------------------------------------------------------------------------------------------ */

/* Schwartz, Harris, Shrom & Berry, Nat. Neurosci. 10 (2007): after a train of flashes, ganglion cells respond to the one that
 * does not come. */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers periods, flashes, contrasts;
    double flash, after;
    spot place;
} omitted_options;

static void
omitted_defaults(void *options, retc_screen *screen) {
    omitted_options *o = options;
    *o = (omitted_options){
        .periods = {3, {75, 100, 150}}, .flashes = {1, {12}}, .contrasts = {1, {-1}}, .flash = 40, .after = 1};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
omitted_table(void *options, retc_option *entries) {
    omitted_options *o = options;
    const retc_option table[] = {
        {"periods", 0, RETC_OPTION_NUMBERS, 0, &o->periods, 1e-3, 1e6, "ms", "from one flash to the next"},
        {"flashes", 0, RETC_OPTION_NUMBERS, 0, &o->flashes, 1, 1e5, NULL, "number of flashes before the one that is omitted"},
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, -1, 1, NULL, "of the flashes to mean grey"},
        {"flash", 0, RETC_OPTION_DOUBLE, 0, &o->flash, 1e-3, 1e6, "ms", "duration of each flash"},
        {"after", 0, RETC_OPTION_DOUBLE, 0, &o->after, 0, 1e5, "s", "grey from the omitted flash to the end of the trial"},
        SPOT_ENTRIES(o->place),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

enum { OMITTED_PERIOD, OMITTED_FLASHES, OMITTED_CONTRAST, OMITTED_OMISSION };

static int
omitted_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const omitted_options *o = options;
    (void)screen;
    if (!(value[OMITTED_PERIOD] >= o->flash))
        return RETC_FAIL(RETC_EINVAL, "omitted: flashes of %g ms do not fit a period of %g ms", o->flash,
                         value[OMITTED_PERIOD]);
    if (value[OMITTED_FLASHES] != floor(value[OMITTED_FLASHES]))
        return RETC_FAIL(RETC_EINVAL, "omitted: %g flashes are no whole number", value[OMITTED_FLASHES]);
    value[OMITTED_OMISSION] = value[OMITTED_FLASHES] * value[OMITTED_PERIOD] / 1000;
    *duration = value[OMITTED_OMISSION] + o->after;
    return RETC_OK;
}

static int
omitted_picture(const void *options, const retc_moment *moment, float *contrast) {
    const omitted_options *o = options;
    double period = moment->value[OMITTED_PERIOD] / 1000, share = 0;
    double last = fmin(floor(moment->end / period), moment->value[OMITTED_FLASHES] - 1);
    for (double k = fmax(0, floor(moment->start / period) - 1); k <= last; ++k)
        share += retc_time_share(moment->start, moment->end, k * period, k * period + o->flash / 1000);
    retc_add_disc(moment->screen, o->place.x, o->place.y, o->place.diameter, moment->value[OMITTED_CONTRAST] * share, contrast);
    return RETC_OK;
}

static retc_movie *
omitted_make(const void *options, const retc_screen *screen) {
    const omitted_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "omitted",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"period", "ms", &o->periods},
                      {"flashes", NULL, &o->flashes},
                      {"contrast", NULL, &o->contrasts},
                      {"omission_time", "s", NULL}},
        .complete = omitted_complete,
        .picture = omitted_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_omitted_kind = {
    .name = "omitted",
    .usage =
        {"stimulus", "a train of flashes that breaks off",
         "Periodic flashes, dark by default, that end with one that does not come: ganglion cells respond to its absence at a "
         "time that follows the period (Schwartz et al. 2007).  The file holds /conditions, with the time of the omission, "
         "and /trials.",
         "retcodec stimulus omitted --periods 80,120 --flashes 12 --height 16 --width 16 -o omitted.h5"},
    .size = sizeof(omitted_options),
    .defaults = omitted_defaults,
    .table = omitted_table,
    .make = omitted_make,
};

/* ---- chirp ----------------------------------------------------------------------------------------------------------- */

/* Baden, Berens, Franke, Roman Roson, Bethge & Euler, Nature 529 (2016): a step, then sinusoidal modulations of growing
 * frequency and of growing contrast. */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers contrasts;
    double step, pause, sweep, lowest, highest, ramp_frequency;
    spot place;
} chirp_options;

static void
chirp_defaults(void *options, retc_screen *screen) {
    chirp_options *o = options;
    *o = (chirp_options){
        .contrasts = {1, {1}}, .step = 3, .pause = 2, .sweep = 8, .lowest = 0.5, .highest = 8, .ramp_frequency = 0.4};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
chirp_table(void *options, retc_option *entries) {
    chirp_options *o = options;
    const retc_option table[] = {
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, 0, 1, NULL, "of the step and of the modulations"},
        {"step", 0, RETC_OPTION_DOUBLE, 0, &o->step, 0, 1e4, "s", "how long it is bright, and then dark"},
        {"pause", 0, RETC_OPTION_DOUBLE, 0, &o->pause, 0, 1e4, "s", "grey after the step and after each modulation"},
        {"sweep", 0, RETC_OPTION_DOUBLE, 0, &o->sweep, 0.1, 1e4, "s", "duration of each modulation"},
        {"lowest", 0, RETC_OPTION_DOUBLE, 0, &o->lowest, 0, 1e3, "Hz", "frequency at the start of the frequency sweep"},
        {"highest", 0, RETC_OPTION_DOUBLE, 0, &o->highest, 0, 1e3, "Hz", "frequency at its end; it grows linearly"},
        {"ramp-frequency", 0, RETC_OPTION_DOUBLE, 0, &o->ramp_frequency, 0, 1e3, "Hz",
         "frequency of the modulation whose contrast grows linearly from 0"},
        SPOT_ENTRIES(o->place),
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

static int
chirp_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const chirp_options *o = options;
    (void)value;
    if (2 * fmax(fmax(o->lowest, o->highest), o->ramp_frequency) > screen->frame_rate)
        return RETC_FAIL(RETC_EINVAL, "chirp: %g frames per second cannot show modulations of more than %g Hz",
                         screen->frame_rate, screen->frame_rate / 2);
    *duration = 2 * o->step + 3 * o->pause + 2 * o->sweep;
    return RETC_OK;
}

/* Frequency sweep and contrast sweep at `t` seconds from their start, for contrast 1. */
static double
chirp_frequency_sweep(const chirp_options *o, double t) {
    return sin(2 * M_PI * t * (o->lowest + (o->highest - o->lowest) * t / (2 * o->sweep)));
}

static double
chirp_contrast_sweep(const chirp_options *o, double t) {
    return t / o->sweep * sin(2 * M_PI * o->ramp_frequency * t);
}

/* Integral of a sweep that starts at `onset`, over the part of start ... end that it fills, by the five-point rule of Gauss and
 * Legendre: below half a cycle per frame its error is less than 1e-7. */
static double
sweep_integral(const chirp_options *o, double (*sweep)(const chirp_options *, double), double onset, double start, double end) {
    static const double place[5] = {-0.906179845938664, -0.538469310105683, 0, 0.538469310105683, 0.906179845938664};
    static const double weight[5] = {0.236926885056189, 0.478628670499366, 0.568888888888889, 0.478628670499366,
                                     0.236926885056189};
    double from = fmax(start - onset, 0), to = fmin(end - onset, o->sweep), sum = 0;
    for (size_t i = 0; i < 5 && to > from; ++i)
        sum += weight[i] / 2 * (to - from) * sweep(o, (from + to + place[i] * (to - from)) / 2);
    return sum;
}

static int
chirp_picture(const void *options, const retc_moment *moment, float *contrast) {
    const chirp_options *o = options;
    double start = moment->start, end = moment->end, first = 2 * o->step + o->pause, second = first + o->sweep + o->pause;
    double level = retc_time_share(start, end, 0, o->step) - retc_time_share(start, end, o->step, 2 * o->step);
    level += sweep_integral(o, chirp_frequency_sweep, first, start, end) / (end - start);
    level += sweep_integral(o, chirp_contrast_sweep, second, start, end) / (end - start);
    retc_add_disc(moment->screen, o->place.x, o->place.y, o->place.diameter, moment->value[0] * level, contrast);
    return RETC_OK;
}

static retc_movie *
chirp_make(const void *options, const retc_screen *screen) {
    const chirp_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "chirp",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"contrast", NULL, &o->contrasts}},
        .complete = chirp_complete,
        .picture = chirp_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_chirp_kind = {
    .name = "chirp",
    .usage =
        {"stimulus", "a step of light, a sweep of frequency and a sweep of contrast",
         "Bright, dark and grey, then a sinusoidal modulation whose frequency grows linearly, and one whose contrast grows "
         "linearly: the fingerprint by which types of ganglion cells are told apart (Baden et al. 2016).  The file holds "
         "/conditions and /trials.",
         "retcodec stimulus chirp --highest 8 --repeats 5 --height 16 --width 16 -o chirp.h5"},
    .size = sizeof(chirp_options),
    .defaults = chirp_defaults,
    .table = chirp_table,
    .make = chirp_make,
};
