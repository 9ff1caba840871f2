#include "texture.h"

#include <fftw3.h>
#include <math.h>

#include "rng.h"

/* Grid points per pixel; the spectrum fills at most 1/OVERSAMPLING of the grid's. */
#define OVERSAMPLING 2

struct retc_texture {
    size_t side, grid;  /* pixels; grid points, a power of two */
    float *coefficient; /* (grid,grid) of the cubic B-splines */
};

/* Signed frequency number of row or column k of a transform of length n. */
static double
frequency(size_t k, size_t n) {
    return k <= n / 2 ? (double)k : (double)k - (double)n;
}

/* Spectrum of a cubic B-spline at k cycles per grid: sinc^4. */
static double
spline_spectrum(double k, size_t grid) {
    double x = M_PI * k / (double)grid, sinc = fabs(x) > 0 ? sin(x) / x : 1;
    return sinc * sinc * sinc * sinc;
}

/* Shape the transform of white noise, (grid, grid / 2 + 1). */
static void
shape_spectrum(fftwf_complex *spectrum, size_t grid, double exponent) {
    size_t columns = grid / 2 + 1;
    double nyquist = (double)(grid / OVERSAMPLING) / 2;
    for (size_t i = 0; i < grid; ++i) {
        double ky = frequency(i, grid);
        for (size_t j = 0; j < columns; ++j) {
            double kx = (double)j, k = hypot(ky, kx), gain = 0;
            if (k > 0 && k < nyquist)
                gain = pow(k, -exponent) / (spline_spectrum(ky, grid) * spline_spectrum(kx, grid));
            spectrum[i * columns + j][0] *= (float)gain;
            spectrum[i * columns + j][1] *= (float)gain;
        }
    }
}

/* Plans are made without measuring, as the fastest plan may differ from run to run, and with it the last digits. */
static int
transform(float *grid_values, fftwf_complex *spectrum, size_t grid, int inverse) {
    int n = (int)grid;
    fftwf_plan plan = inverse ? fftwf_plan_dft_c2r_2d(n, n, spectrum, grid_values, FFTW_ESTIMATE)
                              : fftwf_plan_dft_r2c_2d(n, n, grid_values, spectrum, FFTW_ESTIMATE);
    if (!plan)
        return RETC_FAIL(RETC_ENOMEM, "FFTW has no plan for a texture of %zu x %zu points", grid, grid);
    fftwf_execute(plan);
    fftwf_destroy_plan(plan);
    return RETC_OK;
}

/* Scale to standard deviation 1.  The samples on whole pixels tell it, as the spectrum ends below 0.5 cycles per pixel; the
 * mean is 0 already, having no part in the spectrum. */
static int
normalise(retc_texture *texture) {
    int status = RETC_OK;
    size_t side = texture->side;
    double squares = 0;
    float *row = NULL;
    RETC_TRY(RETC_ALLOC(row, side));
    for (size_t i = 0; i < side; ++i) {
        retc_texture_sample(texture, (double)i, 0, 1, side, row);
        for (size_t j = 0; j < side; ++j)
            squares += (double)row[j] * (double)row[j];
    }
    float scale = (float)((double)side / sqrt(squares));
    for (size_t i = 0; i < texture->grid * texture->grid; ++i)
        texture->coefficient[i] *= scale;

done:
    retc_free(row);
    return status;
}

retc_texture *
retc_texture_alloc(size_t side, double exponent, uint64_t seed) {
    int status = RETC_OK;
    size_t grid = OVERSAMPLING * side;
    retc_texture *texture = NULL;
    fftwf_complex *spectrum = NULL;
    gsl_rng *rng = NULL;
    if (side < 8 || side > 8192 || (side & (side - 1)))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the side of a texture is %zu pixels, expected a power of two, 8 ... 8192", side));
    if (!(exponent >= 0 && exponent <= 4))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the exponent of a texture is %g, expected 0 ... 4", exponent));
    RETC_TRY(RETC_ALLOC(texture, 1));
    texture->side = side;
    texture->grid = grid;
    RETC_TRY(RETC_ALLOC(texture->coefficient, grid * grid));
    RETC_TRY(RETC_ALLOC(spectrum, grid * (grid / 2 + 1)));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(seed, RETC_STREAM_STIMULUS, 0)));
    for (size_t i = 0; i < grid * grid; ++i)
        texture->coefficient[i] = (float)gsl_ran_gaussian_ziggurat(rng, 1);
    RETC_TRY(transform(texture->coefficient, spectrum, grid, 0));
    shape_spectrum(spectrum, grid, exponent);
    RETC_TRY(transform(texture->coefficient, spectrum, grid, 1));
    RETC_TRY(normalise(texture));

done:
    gsl_rng_free(rng);
    retc_free(spectrum);
    if (status < 0) {
        retc_texture_free(texture);
        return NULL;
    }
    return texture;
}

void
retc_texture_free(retc_texture *texture) {
    if (texture)
        retc_free(texture->coefficient);
    retc_free(texture);
}

/* Grid point below `position` pixels, within one period, and the weights of the four B-splines around it. */
static size_t
spline_taps(const retc_texture *texture, double position, double weight[4]) {
    double p = position * OVERSAMPLING, below = floor(p), u = p - below, v = 1 - u;
    double wrapped = below - floor(below / (double)texture->grid) * (double)texture->grid;
    weight[0] = v * v * v / 6;
    weight[1] = (4 - 3 * u * u * (2 - u)) / 6;
    weight[2] = (4 - 3 * v * v * (2 - v)) / 6;
    weight[3] = u * u * u / 6;
    return (size_t)wrapped;
}

void
retc_texture_sample(const retc_texture *texture, double y, double x, size_t H, size_t W, float *out) {
    double wy[4], wx[4];
    size_t mask = texture->grid - 1, y0 = spline_taps(texture, y, wy), x0 = spline_taps(texture, x, wx);
    for (size_t i = 0; i < H; ++i) {
        for (size_t j = 0; j < W; ++j) {
            double sum = 0;
            for (size_t a = 0; a < 4; ++a) {
                /* Unsigned arithmetic wraps around, and the mask brings it back to the grid, whose size is a power of two. */
                const float *row = texture->coefficient + ((y0 + OVERSAMPLING * i + a - 1) & mask) * texture->grid;
                double part = 0;
                for (size_t b = 0; b < 4; ++b)
                    part += wx[b] * (double)row[(x0 + OVERSAMPLING * j + b - 1) & mask];
                sum += wy[a] * part;
            }
            out[i * W + j] = (float)sum;
        }
    }
}
