#include "spectral_noise.h"

#include <fftw3.h>
#include <math.h>
#include <string.h>

#include "fft.h"
#include "parallel.h"
#include "rng.h"
#include "stimulus_file.h"

/* Length of the moving average in units of 1/f0. */
#define REACH 4

/* Pixels that are filtered in time together: a line of the processor's cache. */
enum { GROUP = 16 };

/* Frames of blocks that are kept: two of white time, one made of them. */
enum { KEPT_BLOCKS = 3 };

#define LARGEST_BLOCKS ((double)4 * 1024 * 1024 * 1024)
#define LARGEST_TORUS ((size_t)1 << 26)

/* Frames of a block where the movie is white in time. */
#define WHITE_FRAMES 64

#define NO_BLOCK SIZE_MAX

struct retc_spectral_noise {
    retc_spectral_options options;
    size_t rows, columns;   /* of the torus */
    float *amplitude;       /* (rows,columns), sum of squares 1 */
    size_t K;               /* frames of a block, and weights of the moving average */
    fftwf_complex *weights; /* (K + 1) transform of the weights over 2 K frames, divided by 2 K */
    fftwf_plan space, forward, backward;
    float *white[2]; /* (K,H,W) blocks white_block[] of fields that are white in time */
    float *made;     /* (K,H,W) block made_block of x */
    size_t white_block[2], made_block;
};

/* ---- setting up ------------------------------------------------------------------------------------------------------ */

static int
check_options(const retc_spectral_options *o) {
    if (o->height == 0 || o->width == 0)
        return RETC_FAIL(RETC_EINVAL, "frames of %zu x %zu pixels are empty", o->height, o->width);
    if (!(o->contrast >= 0 && o->contrast <= 1))
        return RETC_FAIL(RETC_EINVAL, "a contrast of %g is not between 0 and 1", o->contrast);
    if (!(o->space_exponent >= 0 && o->space_exponent <= 4 && o->time_exponent >= 0 && o->time_exponent <= 4))
        return RETC_FAIL(RETC_EINVAL, "exponents of %g in space and %g in time are not between 0 and 4", o->space_exponent,
                         o->time_exponent);
    if (!(o->pixel_size > 0 && o->frame_rate > 0) || !isfinite(o->pixel_size) || !isfinite(o->frame_rate))
        return RETC_FAIL(RETC_EINVAL, "pixels of %g um at %g Hz have no meaning", o->pixel_size, o->frame_rate);
    if (o->space_exponent > 0 && !(o->space_corner > 0 && o->space_corner * o->pixel_size / 1000 <= 0.5))
        return RETC_FAIL(RETC_EINVAL, "a corner of %g cycles/mm lies not between 0 and half a cycle per pixel, %g cycles/mm",
                         o->space_corner, 500 / o->pixel_size);
    if (o->time_exponent > 0 && !(o->time_corner > 0 && o->time_corner <= 0.5 * o->frame_rate))
        return RETC_FAIL(RETC_EINVAL, "a corner of %g Hz lies not between 0 and half the frame rate, %g Hz", o->time_corner,
                         0.5 * o->frame_rate);
    return RETC_OK;
}

/* Sizes of the torus and of the blocks. */
static int
settle_sizes(retc_spectral_noise *noise) {
    const retc_spectral_options *o = &noise->options;
    double margin = o->space_exponent > 0 ? ceil(1000 / (o->space_corner * o->pixel_size)) : 0;
    double length = o->time_exponent > 0 ? ceil(REACH * o->frame_rate / o->time_corner) : WHITE_FRAMES;
    double bytes = KEPT_BLOCKS * sizeof(float) * length * (double)o->height * (double)o->width;
    if (((double)o->height + margin) * ((double)o->width + margin) > (double)LARGEST_TORUS)
        return RETC_FAIL(RETC_EINVAL, "a corner of %g cycles/mm needs a margin of %.0f pixels around the frame: raise it",
                         o->space_corner, margin);
    if (bytes > LARGEST_BLOCKS)
        return RETC_FAIL(RETC_EINVAL,
                         "a corner of %g Hz needs %.0f frames in memory, %.1f GiB: raise it, or make smaller frames",
                         o->time_corner, KEPT_BLOCKS * length, bytes / (1024 * 1024 * 1024.0));
    noise->rows = retc_fft_size(o->height + (size_t)margin);
    noise->columns = retc_fft_size(o->width + (size_t)margin);
    noise->K = retc_fft_size((size_t)length);
    return RETC_OK;
}

/* Signed frequency, cycles per sample, of bin i of a transform of length n. */
static double
frequency(size_t i, size_t n) {
    return (i <= n / 2 ? (double)i : (double)i - (double)n) / (double)n;
}

static int
make_amplitude(retc_spectral_noise *noise) {
    const retc_spectral_options *o = &noise->options;
    size_t n = noise->rows * noise->columns;
    double per_mm = 1000 / o->pixel_size, corner = o->space_exponent > 0 ? o->space_corner : 1, sum = 0;
    int status = RETC_ALLOC(noise->amplitude, n);
    for (size_t i = 0; status == RETC_OK && i < n; ++i) {
        double ky = per_mm * frequency(i / noise->columns, noise->rows);
        double kx = per_mm * frequency(i % noise->columns, noise->columns);
        double power = pow((kx * kx + ky * ky) / (corner * corner) + 1, -o->space_exponent);
        noise->amplitude[i] = (float)sqrt(power);
        sum += power;
    }
    for (size_t i = 0; status == RETC_OK && i < n; ++i)
        noise->amplitude[i] /= (float)sqrt(sum);
    return status;
}

/* The weights h(m), m = -K/2 ... K/2-1, stand at m + K/2 of a stretch of 2 K frames; their sum of squares is 1. */
static int
make_weights(retc_spectral_noise *noise) {
    int status = RETC_OK;
    const retc_spectral_options *o = &noise->options;
    size_t K = noise->K;
    double corner = o->time_exponent > 0 ? o->time_corner : 1, squares = 0;
    float *weights = NULL;
    fftwf_complex *root = NULL;
    fftwf_plan inverse = NULL;
    RETC_TRY(RETC_ALLOC(weights, 2 * K));
    RETC_TRY(RETC_ALLOC(root, K / 2 + 1));
    RETC_TRY(RETC_ALLOC(noise->weights, K + 1));
    inverse = fftwf_plan_dft_c2r_1d((int)K, root, weights, FFTW_ESTIMATE);
    RETC_TRY(inverse ? RETC_OK : RETC_FAIL(RETC_ENOMEM, "FFTW has no plan for %zu frames", K));
    for (size_t i = 0; i <= K / 2; ++i) {
        double f = o->frame_rate * frequency(i, K) / corner;
        /* The sign of every other bin moves the weight of delay 0 to the middle, K/2. */
        root[i][0] = (float)((i % 2 ? -1 : 1) * pow(f * f + 1, -0.5 * o->time_exponent));
    }
    fftwf_execute(inverse);
    for (size_t i = 0; i < K; ++i)
        squares += (double)weights[i] * (double)weights[i];
    for (size_t i = 0; i < K; ++i)
        weights[i] *= (float)(1 / (sqrt(squares) * 2 * (double)K));
    fftwf_execute_dft_r2c(noise->forward, weights, noise->weights);

done:
    fftwf_destroy_plan(inverse);
    retc_free(root);
    retc_free(weights);
    return status;
}

/* Plans are made without measuring, as the fastest plan may differ from run to run, and with it the last digits. */
static int
make_plans(retc_spectral_noise *noise) {
    int status = RETC_OK;
    size_t K = noise->K;
    fftwf_complex *field = NULL, *spectrum = NULL;
    float *series = NULL;
    RETC_TRY(RETC_ALLOC(field, noise->rows * noise->columns));
    RETC_TRY(RETC_ALLOC(spectrum, K + 1));
    RETC_TRY(RETC_ALLOC(series, 2 * K));
    noise->space = fftwf_plan_dft_2d((int)noise->rows, (int)noise->columns, field, field, FFTW_BACKWARD, FFTW_ESTIMATE);
    noise->forward = fftwf_plan_dft_r2c_1d((int)(2 * K), series, spectrum, FFTW_ESTIMATE);
    noise->backward = fftwf_plan_dft_c2r_1d((int)(2 * K), spectrum, series, FFTW_ESTIMATE);
    if (!noise->space || !noise->forward || !noise->backward)
        RETC_TRY(
            RETC_FAIL(RETC_ENOMEM, "FFTW has no plan for %zu frames of %zu x %zu pixels", 2 * K, noise->rows, noise->columns));

done:
    retc_free(field);
    retc_free(spectrum);
    retc_free(series);
    return status;
}

retc_spectral_noise *
retc_spectral_noise_alloc(const retc_spectral_options *options) {
    int status = RETC_OK;
    retc_spectral_noise *noise = NULL;
    RETC_TRY(check_options(options));
    RETC_TRY(RETC_ALLOC(noise, 1));
    noise->options = *options;
    noise->white_block[0] = noise->white_block[1] = noise->made_block = NO_BLOCK;
    RETC_TRY(settle_sizes(noise));
    RETC_TRY(make_amplitude(noise));
    RETC_TRY(make_plans(noise));
    RETC_TRY(make_weights(noise));
    size_t values = noise->K * options->height * options->width;
    RETC_TRY(RETC_ALLOC(noise->white[0], values));
    RETC_TRY(RETC_ALLOC(noise->white[1], values));
    RETC_TRY(RETC_ALLOC(noise->made, values));

done:
    if (status < 0) {
        retc_spectral_noise_free(noise);
        return NULL;
    }
    return noise;
}

void
retc_spectral_noise_free(retc_spectral_noise *noise) {
    if (!noise)
        return;
    fftwf_destroy_plan(noise->space);
    fftwf_destroy_plan(noise->forward);
    fftwf_destroy_plan(noise->backward);
    retc_free(noise->amplitude);
    retc_free(noise->weights);
    retc_free(noise->white[0]);
    retc_free(noise->white[1]);
    retc_free(noise->made);
    retc_free(noise);
}

/* ---- fields that are white in time ----------------------------------------------------------------------------------- */

typedef struct {
    const retc_spectral_noise *noise;
    size_t block;
    float *out; /* (K,H,W) */
} white_task;

/* Frames 2 pair and 2 pair + 1 of a block. */
static int
make_pair(void *context, size_t pair) {
    int status = RETC_OK;
    const white_task *task = context;
    const retc_spectral_noise *noise = task->noise;
    size_t H = noise->options.height, W = noise->options.width, n = noise->rows * noise->columns;
    float *even = task->out + 2 * pair * H * W, *odd = even + H * W;
    fftwf_complex *field = NULL;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_ALLOC(field, n));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(noise->options.seed, RETC_STREAM_STIMULUS, task->block * noise->K / 2 + pair)));
    for (size_t i = 0; i < n; ++i) {
        field[i][0] = noise->amplitude[i] * (float)gsl_ran_gaussian_ziggurat(rng, 1);
        field[i][1] = noise->amplitude[i] * (float)gsl_ran_gaussian_ziggurat(rng, 1);
    }
    fftwf_execute_dft(noise->space, field, field);
    for (size_t i = 0; i < H * W; ++i) {
        const float *point = field[i / W * noise->columns + i % W];
        even[i] = point[0];
        odd[i] = point[1];
    }

done:
    gsl_rng_free(rng);
    retc_free(field);
    return status;
}

/* Have blocks j and j + 1. */
static int
need_white(retc_spectral_noise *noise, size_t j) {
    int status = RETC_OK;
    if (noise->white_block[1] == j || noise->white_block[0] == j + 1) {
        float *white = noise->white[0];
        size_t block = noise->white_block[0];
        noise->white[0] = noise->white[1];
        noise->white_block[0] = noise->white_block[1];
        noise->white[1] = white;
        noise->white_block[1] = block;
    }
    for (size_t i = 0; i < 2; ++i) {
        if (noise->white_block[i] == j + i)
            continue;
        white_task task = {.noise = noise, .block = j + i, .out = noise->white[i]};
        noise->white_block[i] = NO_BLOCK;
        RETC_TRY(retc_parallel_for(noise->K / 2, noise->options.threads, make_pair, &task));
        noise->white_block[i] = j + i;
    }

done:
    return status;
}

/* ---- filtered in time ------------------------------------------------------------------------------------------------ */

/* One group of pixels of a block. */
static int
filter_group(void *context, size_t group) {
    int status = RETC_OK;
    const retc_spectral_noise *noise = context;
    size_t K = noise->K, pixels = noise->options.height * noise->options.width, first = group * GROUP;
    size_t n = pixels - first < GROUP ? pixels - first : GROUP;
    float *series = NULL; /* (GROUP,2 K) */
    fftwf_complex *spectrum = NULL;
    RETC_TRY(RETC_ALLOC(series, GROUP * 2 * K));
    RETC_TRY(RETC_ALLOC(spectrum, K + 1));
    for (size_t t = 0; t < 2 * K; ++t) {
        const float *frame = noise->white[t / K] + t % K * pixels + first;
        for (size_t i = 0; i < n; ++i)
            series[i * 2 * K + t] = frame[i];
    }
    for (size_t i = 0; i < n; ++i) {
        fftwf_execute_dft_r2c(noise->forward, series + i * 2 * K, spectrum);
        for (size_t k = 0; k <= K; ++k) {
            const float *w = noise->weights[k];
            float re = spectrum[k][0] * w[0] - spectrum[k][1] * w[1], im = spectrum[k][0] * w[1] + spectrum[k][1] * w[0];
            spectrum[k][0] = re;
            spectrum[k][1] = im;
        }
        fftwf_execute_dft_c2r(noise->backward, spectrum, series + i * 2 * K);
    }
    /* The first K - 1 of the 2 K values miss what came before them. */
    for (size_t t = 0; t < K; ++t)
        for (size_t i = 0; i < n; ++i)
            noise->made[t * pixels + first + i] = series[i * 2 * K + K - 1 + t];

done:
    retc_free(series);
    retc_free(spectrum);
    return status;
}

static int
need_block(retc_spectral_noise *noise, size_t j) {
    int status = RETC_OK;
    size_t pixels = noise->options.height * noise->options.width;
    if (noise->made_block == j)
        return RETC_OK;
    noise->made_block = NO_BLOCK;
    RETC_TRY(need_white(noise, j));
    RETC_TRY(retc_parallel_for((pixels + GROUP - 1) / GROUP, noise->options.threads, filter_group, noise));
    noise->made_block = j;

done:
    return status;
}

int
retc_spectral_noise_frames(void *context, size_t t0, size_t n, float *out) {
    int status = RETC_OK;
    retc_spectral_noise *noise = context;
    size_t pixels = noise->options.height * noise->options.width, K = noise->K;
    for (size_t t = t0, count; t < t0 + n; t += count) {
        count = K - t % K < t0 + n - t ? K - t % K : t0 + n - t;
        RETC_TRY(need_block(noise, t / K));
        const float *x = noise->made + t % K * pixels;
        for (size_t i = 0; i < count * pixels; ++i) {
            double level = RETC_MEAN_GREY * (1 + noise->options.contrast * (double)x[i]);
            *out++ = (float)fmin(fmax(level, 0), 2 * RETC_MEAN_GREY);
        }
    }

done:
    return status;
}

/* ---- as a kind of stimulus ------------------------------------------------------------------------------------------- */

static void
spectral_defaults(void *options, retc_screen *screen) {
    retc_spectral_options *o = options;
    (void)screen;
    *o = (retc_spectral_options){
        .contrast = 0.25, .space_exponent = 1, .time_exponent = 0.5, .space_corner = 0.5, .time_corner = 0.2};
}

static size_t
spectral_table(void *options, retc_option *entries) {
    retc_spectral_options *o = options;
    const retc_option table[] = {
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL, "standard deviation over mean"},
        {"space-exponent", 0, RETC_OPTION_DOUBLE, 0, &o->space_exponent, 0, 4, NULL,
         "the amplitude falls with this power of the spatial frequency (its square, the power, with twice that); 0: white"},
        {"time-exponent", 0, RETC_OPTION_DOUBLE, 0, &o->time_exponent, 0, 4, NULL,
         "the amplitude falls with this power of the temporal frequency; 0: white"},
        {"space-corner", 0, RETC_OPTION_DOUBLE, 0, &o->space_corner, 1e-6, 1e6, "cycles/mm",
         "spatial frequency below which the amplitude is flat"},
        {"time-corner", 0, RETC_OPTION_DOUBLE, 0, &o->time_corner, 1e-6, 1e6, "Hz",
         "temporal frequency below which the amplitude is flat; the memory needed grows as it falls"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static void
spectral_free(void *context) {
    retc_spectral_noise_free(context);
}

static retc_movie *
spectral_make(const void *options, const retc_screen *screen) {
    int status = RETC_OK;
    retc_spectral_options o = *(const retc_spectral_options *)options;
    retc_movie *movie = retc_movie_alloc("spectral-noise", screen, retc_screen_frames(screen, 0), RETC_H5_FLOAT);
    RETC_TRY(RETC_GOT(movie));
    o.height = screen->height;
    o.width = screen->width;
    o.pixel_size = screen->pixel_size;
    o.frame_rate = screen->frame_rate;
    o.seed = screen->seed;
    o.threads = screen->threads;
    movie->any_order = 1;
    movie->frames = retc_spectral_noise_frames;
    movie->free = spectral_free;
    RETC_TRY(RETC_GOT(movie->context = retc_spectral_noise_alloc(&o)));

done:
    if (status < 0) {
        retc_movie_free(movie);
        return NULL;
    }
    return movie;
}

const retc_movie_kind retc_spectral_noise_kind = {
    .name = "spectral-noise",
    .usage =
        {"stimulus", "Gaussian noise with a 1/f spectrum in space and in time",
         "Gaussian noise, correlated in space and in time: its amplitude falls with powers of the spatial and of the "
         "temporal frequency, down from corners below which it is flat.  The spectrum reaches up to half a cycle per pixel "
         "and half the frame rate, and the movie never repeats.  Another --seed makes another movie; a longer movie of the "
         "same seed begins with the shorter one.",
         "retcodec stimulus spectral-noise --duration 60 --space-exponent 1 --time-exponent 0.5 -o noise.h5"},
    .size = sizeof(retc_spectral_options),
    .defaults = spectral_defaults,
    .table = spectral_table,
    .make = spectral_make,
};
