#include "white_noise.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "rng.h"
#include "stimulus_file.h"

/* Patterns drawn from one random stream: starting a stream costs as much as drawing some hundred stixels. */
#define PATTERNS_PER_STREAM 64

typedef struct {
    const retc_white_noise *noise;
    size_t t0, n, first_stream;
    float *out;
} noise_slab;

static double
draw(const retc_white_noise *noise, gsl_rng *rng) {
    if (noise->gaussian) {
        double level = RETC_MEAN_GREY * (1 + noise->contrast * gsl_ran_gaussian_ziggurat(rng, 1));
        return fmin(fmax(level, 0), 2 * RETC_MEAN_GREY);
    }
    /* Without contrast the screen is one grey, although no byte is exactly the mean. */
    double low = round(RETC_MEAN_GREY * (1 - noise->contrast)), high = noise->contrast > 0 ? 2 * RETC_MEAN_GREY - low : low;
    return gsl_rng_get(rng) >> 31 ? high : low;
}

/* Show one pattern in the frames of the slab that it is held for. */
static void
show(const noise_slab *slab, size_t pattern, const float *levels) {
    const retc_white_noise *noise = slab->noise;
    size_t columns = (noise->width + noise->stixel - 1) / noise->stixel, pixels = noise->height * noise->width;
    size_t first = pattern * noise->hold, stop = first + noise->hold;
    const float *shown = NULL;
    first = first > slab->t0 ? first : slab->t0;
    stop = stop < slab->t0 + slab->n ? stop : slab->t0 + slab->n;
    for (size_t t = first; t < stop; ++t) {
        float *frame = slab->out + (t - slab->t0) * pixels;
        for (size_t i = 0; !shown && i < pixels; ++i)
            frame[i] = levels[i / noise->width / noise->stixel * columns + i % noise->width / noise->stixel];
        if (shown)
            memcpy(frame, shown, pixels * sizeof *frame);
        shown = frame;
    }
}

static int
fill_stream(void *context, size_t i) {
    int status = RETC_OK;
    const noise_slab *slab = context;
    const retc_white_noise *noise = slab->noise;
    size_t rows = (noise->height + noise->stixel - 1) / noise->stixel;
    size_t columns = (noise->width + noise->stixel - 1) / noise->stixel;
    size_t stream = slab->first_stream + i;
    float *levels = NULL;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(noise->seed, RETC_STREAM_STIMULUS, stream)));
    RETC_TRY(RETC_ALLOC(levels, rows * columns));
    for (size_t p = stream * PATTERNS_PER_STREAM; p < (stream + 1) * PATTERNS_PER_STREAM; ++p) {
        if (p * noise->hold >= slab->t0 + slab->n)
            break;
        for (size_t k = 0; k < rows * columns; ++k)
            levels[k] = (float)draw(noise, rng);
        show(slab, p, levels);
    }

done:
    gsl_rng_free(rng);
    retc_free(levels);
    return status;
}

int
retc_white_noise_frames(void *context, size_t t0, size_t n, float *out) {
    const retc_white_noise *noise = context;
    if (noise->stixel == 0 || noise->hold == 0)
        return RETC_FAIL(RETC_EINVAL, "a stixel of %zu pixels shown for %zu frames has no meaning", noise->stixel, noise->hold);
    if (!(noise->contrast >= 0 && noise->contrast <= 1))
        return RETC_FAIL(RETC_EINVAL, "a contrast of %g is not between 0 and 1", noise->contrast);
    if (n == 0)
        return RETC_OK;
    size_t first = t0 / noise->hold / PATTERNS_PER_STREAM, last = (t0 + n - 1) / noise->hold / PATTERNS_PER_STREAM;
    noise_slab slab = {.noise = noise, .t0 = t0, .n = n, .first_stream = first, .out = out};
    return retc_parallel_for(last - first + 1, noise->threads, fill_stream, &slab);
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *distribution;
    size_t stixel, hold;
    double contrast;
} noise_options;

static void
noise_defaults(void *options, retc_screen *screen) {
    noise_options *o = options;
    (void)screen;
    *o = (noise_options){.distribution = "binary", .stixel = 1, .hold = 1, .contrast = 0.35};
}

static size_t
noise_table(void *options, retc_option *entries) {
    noise_options *o = options;
    const retc_option table[] = {
        {"distribution", 0, RETC_OPTION_CHOICE, 0, &o->distribution, 0, 0, "binary|gaussian", "of grey levels"},
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL, "standard deviation over mean"},
        {"stixel", 0, RETC_OPTION_SIZE, 0, &o->stixel, 1, 8192, "pixels", "side of a stixel"},
        {"hold", 0, RETC_OPTION_SIZE, 0, &o->hold, 1, 1e6, "frames", "frames that each pattern is shown"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static retc_movie *
noise_make(const void *options, const retc_screen *screen) {
    int status = RETC_OK;
    const noise_options *o = options;
    int gaussian = strcmp(o->distribution, "gaussian") == 0;
    retc_white_noise *noise = NULL;
    retc_movie *movie =
        retc_movie_alloc("white-noise", screen, retc_screen_frames(screen, 0), gaussian ? RETC_H5_FLOAT : RETC_H5_UINT8);
    RETC_TRY(RETC_GOT(movie));
    RETC_TRY(RETC_ALLOC(noise, 1));
    *noise = (retc_white_noise){screen->height, screen->width, o->stixel,    o->hold,
                                o->contrast,    gaussian,      screen->seed, screen->threads};
    movie->any_order = 1;
    movie->frames = retc_white_noise_frames;
    movie->free = retc_free;
    movie->context = noise;

done:
    if (status < 0) {
        retc_movie_free(movie);
        return NULL;
    }
    return movie;
}

const retc_movie_kind retc_white_noise_kind = {
    .name = "white-noise",
    .usage = {"stimulus", "independent grey levels in every stixel and frame",
              "Every stixel takes an independent grey level, black or white (binary) or normally distributed (gaussian, "
              "clipped to 0 ... 255).  Another --seed makes another movie; a longer movie of the same seed begins with the "
              "shorter one.",
              "retcodec stimulus white-noise --duration 60 --height 16 --width 16 --seed 2 -o noise.h5"},
    .size = sizeof(noise_options),
    .defaults = noise_defaults,
    .table = noise_table,
    .make = noise_make,
};
