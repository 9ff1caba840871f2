#include "scene.h"

#include <fftw3.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fft.h"
#include "scene_grid.h"

/* Mirrored grid points on each side of an image: a B-spline reaches two beyond the last pixel's centre. */
#define BORDER 2
#define LARGEST_GRID ((size_t)1 << 26)

double
retc_spline_spectrum(double f) {
    double x = M_PI * f, sinc = fabs(x) > 0 ? sin(x) / x : 1;
    return sinc * sinc * sinc * sinc;
}

void
retc_scene_free(retc_scene *scene) {
    if (scene)
        retc_free(scene->coefficient);
    retc_free(scene);
}

void
retc_scene_extent(const retc_scene *scene, double *height, double *width) {
    *height = scene->extent[0];
    *width = scene->extent[1];
}

int
retc_scene_repeats(const retc_scene *scene) {
    return scene->repeats;
}

void
retc_scene_moments(const retc_scene *scene, double *mean, double *deviation) {
    *mean = scene->mean;
    *deviation = scene->deviation;
}

size_t
retc_scene_bytes(const retc_scene *scene) {
    return scene->rows * scene->columns * sizeof *scene->coefficient;
}

/* ---- from an image --------------------------------------------------------------------------------------------------- */

/* f in cycles per pixel of the screen */
static double
low_pass(double f) {
    if (f < 0.4)
        return 1;
    double end = cos(M_PI / 2 * (f - 0.4) / 0.1);
    return f < 0.5 ? end * end : 0;
}

/* Cosine transforms of `count` rows of length n, `stride` apart, in place.  Plans are made without measuring, as the fastest
 * plan may differ from run to run, and with it the last digits. */
static int
transform_rows(float *rows, size_t n, size_t count, size_t stride, int inverse) {
    int length = (int)n;
    fftwf_r2r_kind kind = inverse ? FFTW_REDFT01 : FFTW_REDFT10;
    fftwf_plan plan = fftwf_plan_many_r2r(1, &length, (int)count, rows, NULL, 1, (int)stride, rows, NULL, 1, (int)stride, &kind,
                                          FFTW_ESTIMATE);
    if (!plan)
        return RETC_FAIL(RETC_ENOMEM, "FFTW has no plan for %zu rows of %zu points", count, n);
    fftwf_execute(plan);
    fftwf_destroy_plan(plan);
    return RETC_OK;
}

/* The first `rows` x `columns` of an array whose rows are `stride` apart, turned: out (columns,rows), its rows `room` apart. */
static void
transpose(const float *in, size_t rows, size_t columns, size_t stride, float *out, size_t room) {
    enum { TILE = 32 }; /* both sides in the cache */
    for (size_t i0 = 0; i0 < rows; i0 += TILE)
        for (size_t j0 = 0; j0 < columns; j0 += TILE)
            for (size_t i = i0; i < rows && i < i0 + TILE; ++i)
                for (size_t j = j0; j < columns && j < j0 + TILE; ++j)
                    out[j * room + i] = in[i * stride + j];
}

/* Filter the transform, (kx,ky) with rows `room` long, of an image of H x W pixels, and take its moments.  Coefficient k of a
 * direction of extent E is the frequency k / (2 E); the image is sum c_k cos(pi k y / E), with weights 1 for k = 0, else 2, so
 * that its square has the mean sum c_k^2 with the same weights. */
static void
filter(retc_scene *scene, float *spectrum, size_t kx, size_t ky, size_t room, size_t H, size_t W) {
    double scale = 1 / (4 * (double)H * (double)W), squares = 0;
    for (size_t i = 0; i < kx; ++i) {
        double fx = (double)i / (2 * scene->extent[1]), x = retc_spline_spectrum(fx / scene->per_pixel[1]);
        for (size_t j = 0; j < ky; ++j) {
            double fy = (double)j / (2 * scene->extent[0]), y = retc_spline_spectrum(fy / scene->per_pixel[0]);
            double value = (double)spectrum[i * room + j] * scale * low_pass(hypot(fx, fy));
            if (i + j == 0)
                scene->mean = value;
            else
                squares += value * value * (i ? 2 : 1) * (j ? 2 : 1);
            spectrum[i * room + j] = (float)(value / (x * y));
        }
    }
    scene->deviation = sqrt(squares);
}

/* Mirror the coefficients into the borders: the grid points lie half a step inside the edges. */
static void
mirror(retc_scene *scene) {
    size_t rows = scene->rows, columns = scene->columns;
    for (size_t i = BORDER; i < rows - BORDER; ++i) {
        float *row = scene->coefficient + i * columns;
        for (size_t k = 0; k < BORDER; ++k) {
            row[BORDER - 1 - k] = row[BORDER + k];
            row[columns - BORDER + k] = row[columns - BORDER - 1 - k];
        }
    }
    for (size_t k = 0; k < BORDER; ++k) {
        float *c = scene->coefficient;
        memcpy(c + (BORDER - 1 - k) * columns, c + (BORDER + k) * columns, columns * sizeof *c);
        memcpy(c + (rows - BORDER + k) * columns, c + (rows - BORDER - 1 - k) * columns, columns * sizeof *c);
    }
}

static int
lay_grid(retc_scene *scene, const retc_image *image, double pixel) {
    const size_t side[2] = {image->height, image->width};
    size_t grid[2];
    for (int d = 0; d < 2; ++d) {
        scene->extent[d] = (double)side[d] * pixel;
        if (!(scene->extent[d] > 0.5 && scene->extent[d] < (double)LARGEST_GRID))
            return RETC_FAIL(RETC_EINVAL, "an image of %zu x %zu pixels of %g pixels of the screen cannot be shown", side[0],
                             side[1], pixel);
        grid[d] = retc_fft_size((size_t)ceil(2 * scene->extent[d]));
        scene->per_pixel[d] = (double)grid[d] / scene->extent[d];
        scene->origin[d] = 0.5 * scene->per_pixel[d] - 0.5 + BORDER;
    }
    scene->rows = grid[0] + 2 * BORDER;
    scene->columns = grid[1] + 2 * BORDER;
    if (scene->rows > LARGEST_GRID / scene->columns)
        return RETC_FAIL(RETC_EINVAL,
                         "the image covers %.0f x %.0f pixels of the screen, too many to hold; give a smaller image scale",
                         scene->extent[0], scene->extent[1]);
    return RETC_OK;
}

/* Number of coefficients of a direction that pass the filter. */
static size_t
passing(size_t side, double extent) {
    double below = ceil(extent); /* k / (2 E) < 0.5 */
    return below < (double)side ? (size_t)below : side;
}

retc_scene *
retc_scene_of_image(retc_image *image, double pixel) {
    int status = RETC_OK;
    size_t H = image->height, W = image->width;
    float *turned = NULL;
    retc_scene *scene = NULL;
    RETC_TRY(RETC_ALLOC(scene, 1));
    RETC_TRY(lay_grid(scene, image, pixel));
    size_t ky = passing(H, scene->extent[0]), kx = passing(W, scene->extent[1]);
    size_t grid_rows = scene->rows - 2 * BORDER, grid_columns = scene->columns - 2 * BORDER;
    size_t room = H > grid_rows ? H : grid_rows;
    RETC_TRY(RETC_ALLOC(turned, kx * room));
    RETC_TRY(RETC_ALLOC(scene->coefficient, scene->rows * scene->columns));
    RETC_TRY(transform_rows(image->light, W, H, W, 0));
    transpose(image->light, H, kx, W, turned, room);
    RETC_TRY(transform_rows(turned, H, kx, room, 0));
    filter(scene, turned, kx, ky, room, H, W);
    for (size_t i = 0; i < kx; ++i)
        memset(turned + i * room + ky, 0, (room - ky) * sizeof *turned);
    RETC_TRY(transform_rows(turned, grid_rows, kx, room, 1));
    float *inside = scene->coefficient + BORDER * scene->columns + BORDER;
    transpose(turned, kx, grid_rows, room, inside, scene->columns);
    RETC_TRY(transform_rows(inside, grid_columns, grid_rows, scene->columns, 1));
    mirror(scene);

done:
    retc_free(turned);
    if (status < 0) {
        retc_scene_free(scene);
        return NULL;
    }
    return scene;
}

/* ---- sampling -------------------------------------------------------------------------------------------------------- */

/* The grid point before the one below a place, which may lie outside of the grid, and the weights of the four B-splines around
 * the place. */
typedef struct {
    long long first;
    float weight[4];
} spline_taps;

static spline_taps
taps_at(double place) {
    double below = floor(place), u = place - below, v = 1 - u;
    spline_taps taps = {.first = (long long)below - 1};
    taps.weight[0] = (float)(v * v * v / 6);
    taps.weight[1] = (float)((4 - 3 * u * u * (2 - u)) / 6);
    taps.weight[2] = (float)((4 - 3 * v * v * (2 - v)) / 6);
    taps.weight[3] = (float)(u * u * u / 6);
    return taps;
}

static size_t
wrap(long long index, size_t n) {
    long long rest = index % (long long)n;
    return (size_t)(rest < 0 ? rest + (long long)n : rest);
}

/* strip[c] = the scene at row `taps` of grid column first + c; columns wrap around. */
static void
blend_rows(const retc_scene *scene, const spline_taps *taps, long long first, size_t n, float *strip) {
    const float *row[4];
    size_t columns = scene->columns;
    for (int a = 0; a < 4; ++a)
        row[a] = scene->coefficient + wrap(taps->first + a, scene->rows) * columns;
    for (size_t done = 0; done < n;) {
        size_t from = wrap(first + (long long)done, columns), run = n - done < columns - from ? n - done : columns - from;
        const float *a = row[0] + from, *b = row[1] + from, *c = row[2] + from, *d = row[3] + from;
        float *out = strip + done;
        for (size_t k = 0; k < run; ++k)
            out[k] = taps->weight[0] * a[k] + taps->weight[1] * b[k] + taps->weight[2] * c[k] + taps->weight[3] * d[k];
        done += run;
    }
}

enum { PIECE = 128, MOST_PER_PIXEL = 4 };

/* Columns j0 ... j0+n-1 of a frame. */
static void
sample_piece(const retc_scene *scene, double y, double x, size_t H, size_t W, size_t j0, size_t n, float *out) {
    float strip[PIECE * MOST_PER_PIXEL + 8];
    spline_taps across[PIECE];
    for (size_t j = 0; j < n; ++j)
        across[j] = taps_at(x * scene->per_pixel[1] + scene->origin[1] + (double)(j0 + j) * scene->per_pixel[1]);
    long long first = across[0].first;
    size_t columns = (size_t)(across[n - 1].first - first) + 4;
    for (size_t i = 0; i < H; ++i) {
        spline_taps down = taps_at(y * scene->per_pixel[0] + scene->origin[0] + (double)i * scene->per_pixel[0]);
        blend_rows(scene, &down, first, columns, strip);
        for (size_t j = 0; j < n; ++j) {
            const float *s = strip + (across[j].first - first), *w = across[j].weight;
            out[i * W + j0 + j] = w[0] * s[0] + w[1] * s[1] + w[2] * s[2] + w[3] * s[3];
        }
    }
}

void
retc_scene_sample(const retc_scene *scene, double y, double x, size_t H, size_t W, float *out) {
    for (size_t j = 0; j < W; j += PIECE)
        sample_piece(scene, y, x, H, W, j, W - j < PIECE ? W - j : PIECE, out);
}
