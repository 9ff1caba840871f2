#include "white_noise.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "rng.h"
#include "stimulus_file.h"

/* Patterns drawn from one random stream: starting a stream costs as much as drawing some thousand stixels. */
#define PATTERNS_PER_STREAM 64

/* Base-3 digits of a 32-bit number below 3^20. */
#define DIGITS 20
#define DIGITS_LIMIT 3486784401u

/* Room beyond the stixels of a pattern for the rest of the last number. */
#define WORD_ROOM 32

typedef struct {
    size_t cell_height, cell_width; /* of a stixel */
    size_t jitter_y, jitter_x;      /* largest shifts */
    size_t rows, columns;           /* of stixels, those that shifts bring into the frame included */
} noise_grid;

typedef struct {
    const retc_white_noise *noise;
    noise_grid grid;
    float level[3];       /* from black to white; binary: the outer two */
    float bytes[256][8];  /* levels of the 8 bits of a byte */
    size_t t0, n, stream; /* first stream */
    float *out;
} noise_slab;

static noise_grid
make_grid(const retc_white_noise *noise) {
    int split_y = noise->layout == RETC_CHECKERBOARD || noise->layout == RETC_HORIZONTAL_BARS;
    int split_x = noise->layout == RETC_CHECKERBOARD || noise->layout == RETC_VERTICAL_BARS;
    noise_grid grid = {.cell_height = split_y ? noise->stixel : noise->height,
                       .cell_width = split_x ? noise->stixel : noise->width,
                       .jitter_y = split_y ? noise->jitter : 0,
                       .jitter_x = split_x ? noise->jitter : 0};
    grid.rows = (noise->height + grid.jitter_y + grid.cell_height - 1) / grid.cell_height;
    grid.columns = (noise->width + grid.jitter_x + grid.cell_width - 1) / grid.cell_width;
    return grid;
}

/* ---- levels ---------------------------------------------------------------------------------------------------------- */

static void
make_levels(noise_slab *slab) {
    const retc_white_noise *noise = slab->noise;
    double low, high;
    if (noise->distribution == RETC_NOISE_BINARY) {
        /* Without contrast the screen is one grey, although no byte is exactly the mean. */
        low = round(RETC_MEAN_GREY * (1 - noise->contrast));
        high = noise->contrast > 0 ? 2 * RETC_MEAN_GREY - low : low;
    } else {
        /* A multiple of 2^-16, with which both levels are 4-byte floating point numbers: the mean is exact. */
        double step = floor(RETC_MEAN_GREY * fmin(noise->contrast * sqrt(1.5), 1) * 65536) / 65536;
        low = RETC_MEAN_GREY - step;
        high = RETC_MEAN_GREY + step;
    }
    slab->level[0] = (float)low;
    slab->level[1] = (float)RETC_MEAN_GREY;
    slab->level[2] = (float)high;
    for (size_t byte = 0; byte < 256; ++byte) {
        for (size_t bit = 0; bit < 8; ++bit)
            slab->bytes[byte][bit] = slab->level[byte >> bit & 1 ? 2 : 0];
    }
}

static void
draw_binary(const noise_slab *slab, gsl_rng *rng, size_t n, float *levels) {
    for (size_t k = 0; k < n; k += 32) {
        unsigned long word = gsl_rng_get(rng);
        for (size_t byte = 0; byte < 4; ++byte)
            memcpy(levels + k + 8 * byte, slab->bytes[word >> 8 * byte & 0xFF], sizeof slab->bytes[0]);
    }
}

static void
draw_ternary(const noise_slab *slab, gsl_rng *rng, size_t n, float *levels) {
    for (size_t k = 0; k < n; k += DIGITS) {
        uint32_t word;
        do
            word = (uint32_t)gsl_rng_get(rng);
        while (word >= DIGITS_LIMIT);
        for (size_t digit = 0; digit < DIGITS; ++digit) {
            levels[k + digit] = slab->level[word % 3];
            word /= 3;
        }
    }
}

static void
draw_gaussian(const noise_slab *slab, gsl_rng *rng, size_t n, float *levels) {
    for (size_t k = 0; k < n; ++k) {
        double level = RETC_MEAN_GREY * (1 + slab->noise->contrast * gsl_ran_gaussian_ziggurat(rng, 1));
        levels[k] = (float)fmin(fmax(level, 0), 2 * RETC_MEAN_GREY);
    }
}

/* ---- frames ---------------------------------------------------------------------------------------------------------- */

/* One row of pixels, whose first stixel has lost `shift` pixels. */
static void
fill_row(const noise_slab *slab, const float *levels, size_t shift, float *row) {
    size_t width = slab->noise->width, cell = slab->grid.cell_width;
    if (cell == 1) {
        memcpy(row, levels, width * sizeof *row);
        return;
    }
    for (size_t x = 0, stop = cell - shift; x < width; stop += cell, ++levels) {
        for (; x < stop && x < width; ++x)
            row[x] = *levels;
    }
}

static void
fill_frame(const noise_slab *slab, const float *levels, size_t shift_y, size_t shift_x, float *frame) {
    size_t width = slab->noise->width, cell = slab->grid.cell_height;
    for (size_t y = 0; y < slab->noise->height; ++y, frame += width) {
        if (y == 0 || (y + shift_y) % cell == 0)
            fill_row(slab, levels + (y + shift_y) / cell * slab->grid.columns, shift_x, frame);
        else
            memcpy(frame, frame - width, width * sizeof *frame);
    }
}

/* Show one pattern in the frames of the slab that it is held for. */
static void
show(const noise_slab *slab, size_t pattern, const float *levels, size_t shift_y, size_t shift_x) {
    const retc_white_noise *noise = slab->noise;
    size_t pixels = noise->height * noise->width, first = pattern * noise->hold, stop = first + noise->hold;
    first = first > slab->t0 ? first : slab->t0;
    stop = stop < slab->t0 + slab->n ? stop : slab->t0 + slab->n;
    if (first >= stop)
        return;
    float *shown = slab->out + (first - slab->t0) * pixels;
    fill_frame(slab, levels, shift_y, shift_x, shown);
    for (size_t t = first + 1; t < stop; ++t)
        memcpy(slab->out + (t - slab->t0) * pixels, shown, pixels * sizeof *shown);
}

static int
fill_stream(void *context, size_t i) {
    static void (*const draw[])(const noise_slab *, gsl_rng *, size_t, float *) = {draw_binary, draw_ternary, draw_gaussian};
    int status = RETC_OK;
    const noise_slab *slab = context;
    const retc_white_noise *noise = slab->noise;
    const noise_grid *grid = &slab->grid;
    size_t stream = slab->stream + i, stixels = grid->rows * grid->columns;
    float *levels = NULL;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(noise->seed, RETC_STREAM_STIMULUS, stream)));
    RETC_TRY(RETC_ALLOC(levels, stixels + WORD_ROOM));
    for (size_t p = stream * PATTERNS_PER_STREAM; p < (stream + 1) * PATTERNS_PER_STREAM; ++p) {
        if (p * noise->hold >= slab->t0 + slab->n)
            break;
        size_t shift_y = grid->jitter_y ? gsl_rng_uniform_int(rng, grid->jitter_y + 1) : 0;
        size_t shift_x = grid->jitter_x ? gsl_rng_uniform_int(rng, grid->jitter_x + 1) : 0;
        draw[noise->distribution](slab, rng, stixels, levels);
        show(slab, p, levels, shift_y, shift_x);
    }

done:
    gsl_rng_free(rng);
    retc_free(levels);
    return status;
}

static int
check_noise(const retc_white_noise *noise) {
    if (noise->stixel == 0 || noise->hold == 0)
        return RETC_FAIL(RETC_EINVAL, "a stixel of %zu pixels shown for %zu frames has no meaning", noise->stixel, noise->hold);
    if (!(noise->contrast >= 0 && noise->contrast <= 1))
        return RETC_FAIL(RETC_EINVAL, "a contrast of %g is not between 0 and 1", noise->contrast);
    if (noise->distribution == RETC_NOISE_TERNARY && noise->contrast * noise->contrast * 3 > 2)
        return RETC_FAIL(RETC_EINVAL, "a contrast of %g is too much for ternary levels: black, grey and white have %.4f",
                         noise->contrast, sqrt(2.0 / 3));
    if (noise->jitter > 0 && noise->layout == RETC_FULL_FIELD)
        return RETC_FAIL(RETC_EINVAL, "a full field has no grid that could jitter");
    if (noise->jitter > 0 && noise->jitter >= noise->stixel)
        return RETC_FAIL(RETC_EINVAL, "a jitter of %zu pixels must be less than the stixel, which has %zu", noise->jitter,
                         noise->stixel);
    return RETC_OK;
}

int
retc_white_noise_frames(void *context, size_t t0, size_t n, float *out) {
    const retc_white_noise *noise = context;
    int status = check_noise(noise);
    if (status < 0 || n == 0)
        return status;
    size_t first = t0 / noise->hold / PATTERNS_PER_STREAM, last = (t0 + n - 1) / noise->hold / PATTERNS_PER_STREAM;
    noise_slab slab = {.noise = noise, .grid = make_grid(noise), .t0 = t0, .n = n, .stream = first, .out = out};
    make_levels(&slab);
    return retc_parallel_for(last - first + 1, noise->threads, fill_stream, &slab);
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

typedef struct {
    const char *distribution, *layout;
    size_t stixel, hold, jitter;
    double contrast;
} noise_options;

static void
noise_defaults(void *options, retc_screen *screen) {
    noise_options *o = options;
    (void)screen;
    *o = (noise_options){.distribution = "binary", .layout = "checkerboard", .stixel = 1, .hold = 1, .contrast = 0.35};
}

static size_t
noise_table(void *options, retc_option *entries) {
    noise_options *o = options;
    const retc_option table[] = {
        {"distribution", 0, RETC_OPTION_CHOICE, 0, &o->distribution, 0, 0, "binary|ternary|gaussian", "of grey levels"},
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL, "standard deviation over mean"},
        {"layout", 0, RETC_OPTION_CHOICE, 0, &o->layout, 0, 0, "checkerboard|horizontal-bars|vertical-bars|full-field",
         "shape of the stixels: squares, bars across the frame, or the whole frame"},
        {"stixel", 0, RETC_OPTION_SIZE, 0, &o->stixel, 1, 8192, "pixels", "side of a stixel, or width of a bar"},
        {"jitter", 0, RETC_OPTION_SIZE, 0, &o->jitter, 0, 8191, "pixels",
         "move the grid of every pattern by 0 to this many pixels at random, less than a stixel"},
        {"hold", 0, RETC_OPTION_SIZE, 0, &o->hold, 1, 1e6, "frames", "frames that each pattern is shown"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

/* Which of "a|b|c" a choice is. */
static int
choice_number(const char *choice, const char *const *names) {
    int i = 0;
    while (strcmp(choice, names[i]) != 0)
        ++i;
    return i;
}

static retc_movie *
noise_make(const void *options, const retc_screen *screen) {
    static const char *const distributions[] = {"binary", "ternary", "gaussian"};
    static const char *const layouts[] = {"checkerboard", "horizontal-bars", "vertical-bars", "full-field"};
    int status = RETC_OK;
    const noise_options *o = options;
    retc_noise_distribution distribution = (retc_noise_distribution)choice_number(o->distribution, distributions);
    retc_white_noise *noise = NULL;
    retc_movie *movie = retc_movie_alloc("white-noise", screen, retc_screen_frames(screen, 0),
                                         distribution == RETC_NOISE_BINARY ? RETC_H5_UINT8 : RETC_H5_FLOAT);
    RETC_TRY(RETC_GOT(movie));
    RETC_TRY(RETC_ALLOC(noise, 1));
    *noise = (retc_white_noise){.height = screen->height,
                                .width = screen->width,
                                .stixel = o->stixel,
                                .hold = o->hold,
                                .contrast = o->contrast,
                                .distribution = distribution,
                                .layout = (retc_noise_layout)choice_number(o->layout, layouts),
                                .jitter = o->jitter,
                                .seed = screen->seed,
                                .threads = screen->threads};
    movie->any_order = 1;
    movie->frames = retc_white_noise_frames;
    movie->free = retc_free;
    movie->context = noise;
    RETC_TRY(check_noise(noise));

done:
    if (status < 0) {
        retc_movie_free(movie);
        return NULL;
    }
    return movie;
}

const retc_movie_kind retc_white_noise_kind = {
    .name = "white-noise",
    .usage =
        {"stimulus", "independent grey levels in every stixel and pattern",
         "Every stixel takes an independent grey level: black or white (binary); black, mean grey or white, each as often "
         "(ternary); or normally distributed (gaussian, clipped to 0 ... 255).  Stixels are squares, bars for flicker that "
         "varies along one direction only, or the whole frame.  Another --seed makes another movie; a longer movie of the "
         "same seed begins with the shorter one.",
         "retcodec stimulus white-noise --duration 60 --height 16 --width 16 --seed 2 -o noise.h5"},
    .size = sizeof(noise_options),
    .defaults = noise_defaults,
    .table = noise_table,
    .make = noise_make,
};
