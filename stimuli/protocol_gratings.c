/* Gratings that reverse their contrast, and gratings that drift. */
#include <math.h>
#include <string.h>

#include "grating.h"
#include "protocol_kinds.h"

/* What both have; periods and frequencies as given, at most one of them. */
typedef struct {
    retc_protocol_options protocol;
    retc_numbers periods, spatial_frequencies, temporal_frequencies, phases, directions, contrasts;
    const char *profile, *modulation;
    double trial, diameter;
} grating_options;

static void
grating_defaults(grating_options *o, retc_screen *screen) {
    *o = (grating_options){.spatial_frequencies = {0},
                           .contrasts = {1, {0.5}},
                           .phases = {1, {0}},
                           .directions = {1, {0}},
                           .profile = "sine",
                           .modulation = "sine",
                           .trial = 4};
    retc_protocol_default(&o->protocol, screen);
}

static size_t
grating_table(void *options, retc_option *entries) {
    grating_options *o = options;
    const retc_option table[] = {
        {"periods", 0, RETC_OPTION_NUMBERS, 0, &o->periods, 1e-3, 1e7, "um",
         "spatial periods; 400 um when neither these nor frequencies are given"},
        {"spatial-frequencies", 0, RETC_OPTION_NUMBERS, 0, &o->spatial_frequencies, 1e-6, 1e6, "cycles/mm",
         "spatial frequencies, in place of periods"},
        {"temporal-frequencies", 0, RETC_OPTION_NUMBERS, 0, &o->temporal_frequencies, 1e-3, 1e4, "Hz", "cycles per second"},
        {"directions", 0, RETC_OPTION_NUMBERS, 0, &o->directions, -360, 360, "degrees",
         "across the bars: 0 to the right, 90 upwards"},
        {"phases", 0, RETC_OPTION_NUMBERS, 0, &o->phases, -360, 360, "degrees", "spatial phases at the middle of the screen"},
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, 0, 1, NULL, "of the grating: amplitude over mean"},
        {"profile", 0, RETC_OPTION_CHOICE, 0, &o->profile, 0, 0, "sine|square", "of the grating in space"},
        {"trial", 0, RETC_OPTION_DOUBLE, 0, &o->trial, 1e-3, 1e5, "s", "duration of a trial"},
        {"diameter", 0, RETC_OPTION_DOUBLE, 0, &o->diameter, 0, 1e6, "um",
         "of the disc that shows the grating; 0: the whole screen"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

enum { GRATING_PERIOD, GRATING_FREQUENCY, GRATING_DIRECTION, GRATING_PHASE, GRATING_CONTRAST };

static int
grating_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const grating_options *o = options;
    if (2 * value[GRATING_FREQUENCY] > screen->frame_rate)
        return RETC_FAIL(RETC_EINVAL, "%g frames per second cannot show a grating of %g Hz; raise --frame-rate",
                         screen->frame_rate, value[GRATING_FREQUENCY]);
    if (value[GRATING_PERIOD] < 2 * screen->pixel_size)
        return RETC_FAIL(RETC_EINVAL, "pixels of %g um cannot show a period of %g um; set a smaller --pixel-size",
                         screen->pixel_size, value[GRATING_PERIOD]);
    *duration = o->trial;
    return RETC_OK;
}

/* Keep the grating within its disc: each pixel, the part of it that the disc covers. */
static void
cut_out(const retc_screen *screen, double diameter, float *contrast) {
    double side = screen->pixel_size;
    for (size_t row = 0; diameter > 0 && row < screen->height; ++row)
        for (size_t column = 0; column < screen->width; ++column)
            contrast[row * screen->width + column] *= (float)retc_disc_coverage(
                diameter / 2 / side, retc_pixel_y(screen, row) / side, retc_pixel_x(screen, column) / side);
}

static retc_movie *
grating_movie(const char *kind, const grating_options *given, const retc_screen *screen,
              int (*picture)(const void *, const retc_moment *, float *)) {
    static const retc_numbers usual = {1, {400}};
    grating_options options = *given;
    const grating_options *o = &options;
    if (!given->periods.n && !given->spatial_frequencies.n)
        options.periods = usual;
    else if (retc_grating_periods(kind, &given->periods, &given->spatial_frequencies, &options.periods) < 0)
        return NULL;
    const retc_protocol_plan plan = {
        .kind = kind,
        .options = o,
        .size = sizeof *o,
        .parameter = {{"period", "um", &o->periods},
                      {"temporal_frequency", "Hz", &o->temporal_frequencies},
                      {"direction", "degrees", &o->directions},
                      {"phase", "degrees", &o->phases},
                      {"contrast", NULL, &o->contrasts}},
        .complete = grating_complete,
        .picture = picture,
    };
    return retc_protocol_movie(&plan, screen);
}

/* ---- reversing ------------------------------------------------------------------------------------------------------- */

static void
reversing_defaults(void *options, retc_screen *screen) {
    grating_options *o = options;
    grating_defaults(o, screen);
    o->temporal_frequencies = (retc_numbers){1, {2}};
    o->phases = (retc_numbers){4, {0, 45, 90, 135}};
}

static size_t
reversing_table(void *options, retc_option *entries) {
    grating_options *o = options;
    const retc_option modulation = {
        "modulation", 0, RETC_OPTION_CHOICE, 0, &o->modulation, 0, 0, "sine|square", "of the contrast in time"};
    size_t n = grating_table(options, entries);
    entries[n++] = modulation;
    return retc_protocol_table(&o->protocol, entries, n);
}

/* x = c f(place / period - phase) m(frequency t): the mean over the frame is that of m. */
static int
reversing_picture(const void *options, const retc_moment *moment, float *contrast) {
    const grating_options *o = options;
    const double *value = moment->value;
    double frequency = value[GRATING_FREQUENCY], at = frequency * (moment->start + moment->end) / 2;
    retc_blur frame = retc_blur_make(frequency * (moment->end - moment->start), 0, 0);
    double sign = strcmp(o->modulation, "sine") == 0 ? retc_blur_sine(&frame, at) : retc_blur_square(&frame, at);
    const retc_grating grating = {.direction = value[GRATING_DIRECTION],
                                  .period = value[GRATING_PERIOD],
                                  .phase = value[GRATING_PHASE] / 360,
                                  .square = strcmp(o->profile, "square") == 0,
                                  .contrast = value[GRATING_CONTRAST] * sign};
    retc_add_grating(moment->screen, &grating, contrast);
    cut_out(moment->screen, o->diameter, contrast);
    return RETC_OK;
}

static retc_movie *
reversing_make(const void *options, const retc_screen *screen) {
    return grating_movie("reversing-grating", options, screen, reversing_picture);
}

const retc_movie_kind retc_reversing_grating_kind = {
    .name = "reversing-grating",
    .usage =
        {"stimulus", "gratings whose contrast reverses",
         "Standing gratings whose contrast goes up and down in time.  Cells that add up light linearly are silent at one "
         "spatial phase; cells with nonlinear subunits respond twice per cycle at every phase (Enroth-Cugell & Robson 1966; "
         "Hochstein & Shapley 1976).  The file holds /conditions and /trials.",
         "retcodec stimulus reversing-grating --periods 200,400 --phases 0,45,90,135 --height 16 --width 16 "
         "-o reversing.h5"},
    .size = sizeof(grating_options),
    .defaults = reversing_defaults,
    .table = reversing_table,
    .make = reversing_make,
};

/* ---- drifting -------------------------------------------------------------------------------------------------------- */

static void
drifting_defaults(void *options, retc_screen *screen) {
    grating_options *o = options;
    grating_defaults(o, screen);
    o->temporal_frequencies = (retc_numbers){1, {2}};
    o->directions = (retc_numbers){8, {0, 45, 90, 135, 180, 225, 270, 315}};
}

static size_t
drifting_table(void *options, retc_option *entries) {
    grating_options *o = options;
    return retc_protocol_table(&o->protocol, entries, grating_table(options, entries));
}

/* x = c f(place / period - phase - frequency t). */
static int
drifting_picture(const void *options, const retc_moment *moment, float *contrast) {
    const grating_options *o = options;
    const double *value = moment->value;
    double frequency = value[GRATING_FREQUENCY];
    const retc_grating grating = {.direction = value[GRATING_DIRECTION],
                                  .period = value[GRATING_PERIOD],
                                  .phase = value[GRATING_PHASE] / 360 + frequency * (moment->start + moment->end) / 2,
                                  .drift = frequency * (moment->end - moment->start),
                                  .square = strcmp(o->profile, "square") == 0,
                                  .contrast = value[GRATING_CONTRAST]};
    retc_add_grating(moment->screen, &grating, contrast);
    cut_out(moment->screen, o->diameter, contrast);
    return RETC_OK;
}

static retc_movie *
drifting_make(const void *options, const retc_screen *screen) {
    return grating_movie("drifting-grating", options, screen, drifting_picture);
}

const retc_movie_kind retc_drifting_grating_kind = {
    .name = "drifting-grating",
    .usage =
        {"stimulus", "gratings that drift",
         "Gratings that drift in several directions: tuning to direction, orientation, spatial and temporal frequency "
         "(Barlow & Levick 1965 for direction selectivity).  The file holds /conditions and /trials.",
         "retcodec stimulus drifting-grating --directions 0,90,180,270 --periods 400 --height 16 --width 16 -o drifting.h5"},
    .size = sizeof(grating_options),
    .defaults = drifting_defaults,
    .table = drifting_table,
    .make = drifting_make,
};
