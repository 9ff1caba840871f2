/* Flicker whose contrast switches: the protocol of contrast adaptation.
 *
 * Smirnakis, Berry, Warland, Bialek & Meister, Nature 386 (1997); Baccus & Meister, Neuron 36 (2002). */
#include <math.h>
#include <string.h>

#include "protocol.h"
#include "protocol_kinds.h"
#include "rng.h"

/* Patterns of one trial have streams of their own, and trials do not share them. */
#define STREAMS_PER_TRIAL ((uint64_t)1 << 32)

typedef struct {
    retc_protocol_options protocol;
    retc_numbers contrasts;
    double hold, flicker, stixel;
    const char *distribution;
    int frozen;
} switch_options;

static void
switch_defaults(void *options, retc_screen *screen) {
    switch_options *o = options;
    *o = (switch_options){.contrasts = {2, {0.05, 0.35}}, .hold = 20, .distribution = "gaussian"};
    retc_protocol_default(&o->protocol, screen);
    o->protocol.interval = 0;
    o->protocol.repeats = 10;
}

static size_t
switch_table(void *options, retc_option *entries) {
    switch_options *o = options;
    const retc_option table[] = {
        {"contrasts", 0, RETC_OPTION_NUMBERS, 0, &o->contrasts, 0, 1, NULL,
         "standard deviation over mean, one after the other"},
        {"hold", 0, RETC_OPTION_DOUBLE, 0, &o->hold, 1e-3, 1e5, "s", "how long each contrast stays"},
        {"flicker", 0, RETC_OPTION_DOUBLE, 0, &o->flicker, 0, 1e5, "ms",
         "how long each level stays, to whole frames; 0: one frame"},
        {"stixel", 0, RETC_OPTION_DOUBLE, 0, &o->stixel, 0, 1e6, "um",
         "side of the squares that flicker on their own, to whole pixels; 0: the whole screen"},
        {"distribution", 0, RETC_OPTION_CHOICE, 0, &o->distribution, 0, 0, "gaussian|binary", "of grey levels"},
        {"frozen", 0, RETC_OPTION_FLAG, 0, &o->frozen, 0, 0, NULL, "show the same flicker in all trials, but for its contrast"},
    };
    memcpy(entries, table, sizeof table);
    return retc_protocol_table(&o->protocol, entries, sizeof table / sizeof *table);
}

static int
switch_complete(const void *options, const retc_screen *screen, double *value, double *duration) {
    const switch_options *o = options;
    (void)screen, (void)value;
    *duration = o->hold;
    return RETC_OK;
}

static size_t
pixels_per_stixel(const switch_options *o, const retc_screen *screen) {
    size_t largest = screen->height > screen->width ? screen->height : screen->width;
    return o->stixel > 0 ? (size_t)fmin(fmax(1, round(o->stixel / screen->pixel_size)), (double)largest) : largest;
}

static float
draw(const switch_options *o, gsl_rng *rng, double contrast) {
    if (strcmp(o->distribution, "binary") == 0)
        return (float)(gsl_rng_get(rng) >> 31 ? contrast : -contrast);
    return (float)fmin(fmax(contrast * gsl_ran_gaussian_ziggurat(rng, 1), -1), 1);
}

static int
switch_picture(const void *options, const retc_moment *moment, float *contrast) {
    int status = RETC_OK;
    const switch_options *o = options;
    const retc_screen *screen = moment->screen;
    size_t hold = (size_t)fmax(1, round(o->flicker / 1000 * screen->frame_rate));
    size_t frame = (size_t)round(moment->start * screen->frame_rate), stixel = pixels_per_stixel(o, screen);
    uint64_t stream = (o->frozen ? 0 : (uint64_t)moment->trial * STREAMS_PER_TRIAL) + frame / hold;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(screen->seed, RETC_STREAM_STIMULUS, stream)));
    for (size_t row = 0; row < screen->height; ++row) {
        float *line = contrast + row * screen->width;
        if (row % stixel != 0) {
            memcpy(line, line - screen->width, screen->width * sizeof *line);
            continue;
        }
        for (size_t column = 0; column < screen->width; ++column)
            line[column] = column % stixel ? line[column - 1] : draw(o, rng, moment->value[0]);
    }

done:
    gsl_rng_free(rng);
    return status;
}

static retc_movie *
switch_make(const void *options, const retc_screen *screen) {
    const switch_options *o = options;
    const retc_protocol_plan plan = {
        .kind = "contrast-steps",
        .options = o,
        .size = sizeof *o,
        .parameter = {{"contrast", NULL, &o->contrasts}},
        .complete = switch_complete,
        .picture = switch_picture,
    };
    return retc_protocol_movie(&plan, screen);
}

const retc_movie_kind retc_contrast_steps_kind = {
    .name = "contrast-steps",
    .usage =
        {"stimulus", "flicker whose contrast switches",
         "Random flicker of one contrast after the other, a trial each: after a switch to high contrast ganglion cells become "
         "less sensitive and faster, at once and then slowly (Smirnakis et al. 1997; Baccus & Meister 2002).  Gaussian levels "
         "are clipped to 0 ... 255.  The file holds /conditions and /trials.",
         "retcodec stimulus contrast-steps --contrasts 0.05,0.35 --hold 20 --height 16 --width 16 -o switch.h5"},
    .size = sizeof(switch_options),
    .defaults = switch_defaults,
    .table = switch_table,
    .make = switch_make,
};
