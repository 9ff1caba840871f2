#include "texture.h"

#include <fftw3.h>
#include <math.h>

#include "rng.h"
#include "scene_grid.h"

/* Grid points per pixel; the spectrum fills at most 1/OVERSAMPLING of the grid's. */
#define OVERSAMPLING 2

/* Signed frequency number of row or column k of a transform of length n. */
static double
frequency(size_t k, size_t n) {
    return k <= n / 2 ? (double)k : (double)k - (double)n;
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
                gain = pow(k, -exponent) / (retc_spline_spectrum(ky / (double)grid) * retc_spline_spectrum(kx / (double)grid));
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
normalise(retc_scene *texture, size_t side) {
    int status = RETC_OK;
    double squares = 0;
    float *row = NULL;
    RETC_TRY(RETC_ALLOC(row, side));
    for (size_t i = 0; i < side; ++i) {
        retc_scene_sample(texture, (double)i, 0, 1, side, row);
        for (size_t j = 0; j < side; ++j)
            squares += (double)row[j] * (double)row[j];
    }
    float scale = (float)((double)side / sqrt(squares));
    for (size_t i = 0; i < texture->rows * texture->columns; ++i)
        texture->coefficient[i] *= scale;
    texture->deviation = 1;

done:
    retc_free(row);
    return status;
}

retc_scene *
retc_texture_alloc(size_t side, double exponent, uint64_t seed) {
    int status = RETC_OK;
    size_t grid = OVERSAMPLING * side;
    retc_scene *texture = NULL;
    fftwf_complex *spectrum = NULL;
    gsl_rng *rng = NULL;
    if (side < 8 || side > 8192 || (side & (side - 1)))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the side of a texture is %zu pixels, expected a power of two, 8 ... 8192", side));
    if (!(exponent >= 0 && exponent <= 4))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the exponent of a texture is %g, expected 0 ... 4", exponent));
    RETC_TRY(RETC_ALLOC(texture, 1));
    *texture = (retc_scene){.rows = grid,
                            .columns = grid,
                            .per_pixel = {OVERSAMPLING, OVERSAMPLING},
                            .extent = {(double)side, (double)side},
                            .repeats = 1};
    RETC_TRY(RETC_ALLOC(texture->coefficient, grid * grid));
    RETC_TRY(RETC_ALLOC(spectrum, grid * (grid / 2 + 1)));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(seed, RETC_STREAM_STIMULUS, 0)));
    for (size_t i = 0; i < grid * grid; ++i)
        texture->coefficient[i] = (float)gsl_ran_gaussian_ziggurat(rng, 1);
    RETC_TRY(transform(texture->coefficient, spectrum, grid, 0));
    shape_spectrum(spectrum, grid, exponent);
    RETC_TRY(transform(texture->coefficient, spectrum, grid, 1));
    RETC_TRY(normalise(texture, side));

done:
    gsl_rng_free(rng);
    retc_free(spectrum);
    if (status < 0) {
        retc_scene_free(texture);
        return NULL;
    }
    return texture;
}
