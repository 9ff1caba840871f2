#include "image.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "h5.h"
#include "image_rows.h"

double
retc_srgb_light(double v) {
    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

retc_image *
retc_image_alloc(const char *path, size_t height, size_t width) {
    retc_image *image = NULL;
    if (height == 0 || width == 0) {
        RETC_FAIL(RETC_EFORMAT, "%s: an image of %zu x %zu pixels is empty", path, height, width);
        return NULL;
    }
    if (height > RETC_IMAGE_PIXELS / width) {
        RETC_FAIL(RETC_EFORMAT, "%s: an image of %zu x %zu pixels is too large: at most %zu million pixels", path, height,
                  width, RETC_IMAGE_PIXELS / 1000000);
        return NULL;
    }
    if (RETC_ALLOC(image, 1) < 0 || RETC_ALLOC(image->light, height * width) < 0) {
        retc_image_free(image);
        return NULL;
    }
    image->height = height;
    image->width = width;
    return image;
}

void
retc_image_free(retc_image *image) {
    if (image)
        retc_free(image->light);
    retc_free(image);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

int
retc_image_rows_begin(retc_image_rows *rows, size_t height, size_t width, size_t samples, size_t maximum, double coded) {
    int status = RETC_OK;
    double gamma = rows->gamma > 0 ? rows->gamma : coded > 0 ? coded : maximum > 255 ? 1 : 0;
    RETC_TRY(RETC_GOT(rows->image = retc_image_alloc(rows->path, height, width)));
    rows->samples = samples;
    rows->maximum = maximum;
    RETC_TRY(RETC_ALLOC(rows->curve, maximum + 1));
    for (size_t level = 0; level <= maximum; ++level) {
        double v = (double)level / (double)maximum;
        rows->curve[level] = (float)(gamma > 0 ? pow(v, gamma) : retc_srgb_light(v));
    }

done:
    return status;
}

/* Luminance of a pixel's levels.  Opacity is a share, not light: it has no curve. */
static float
luminance(const retc_image_rows *rows, const uint16_t *level) {
    const float *curve = rows->curve;
    float light =
        rows->samples < 3 ? curve[level[0]] : 0.2126f * curve[level[0]] + 0.7152f * curve[level[1]] + 0.0722f * curve[level[2]];
    return rows->samples % 2 ? light : light * (float)level[rows->samples - 1] / (float)rows->maximum;
}

void
retc_image_row16(retc_image_rows *rows, size_t y, const uint16_t *levels) {
    size_t width = rows->image->width;
    for (size_t x = 0; x < width; ++x)
        rows->image->light[y * width + x] = luminance(rows, levels + x * rows->samples);
}

void
retc_image_row8(retc_image_rows *rows, size_t y, const uint8_t *levels) {
    size_t width = rows->image->width, samples = rows->samples;
    for (size_t x = 0; x < width; ++x) {
        uint16_t level[4];
        for (size_t s = 0; s < samples; ++s)
            level[s] = levels[x * samples + s];
        rows->image->light[y * width + x] = luminance(rows, level);
    }
}

FILE *
retc_image_open(const char *path) {
    struct stat info;
    FILE *in = fopen(path, "rb");
    if (!in) {
        RETC_FAIL(RETC_EIO, "%s: %s", path, strerror(errno));
    } else if (fstat(fileno(in), &info) == 0 && S_ISDIR(info.st_mode)) {
        fclose(in);
        RETC_FAIL(RETC_EIO, "%s: is a folder, expected an image", path);
        return NULL;
    }
    return in;
}

/* ---- HDF5 stacks ----------------------------------------------------------------------------------------------------- */

static int
stack_shape(retc_h5 *file, const char *dataset, size_t *shape) {
    int status = RETC_OK, rank = 0;
    size_t found[RETC_H5_MAX_RANK] = {0};
    RETC_TRY(retc_h5_shape(file, dataset, &rank, found));
    if (rank != 2 && rank != 3)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" has %d dimensions, expected images (N,H,W) or one image (H,W)",
                           retc_h5_path(file), dataset, rank));
    shape[0] = rank == 3 ? found[0] : 1;
    shape[1] = found[rank - 2];
    shape[2] = found[rank - 1];

done:
    return status;
}

static int
count_stack(const char *path, const char *dataset, size_t *n) {
    int status = RETC_OK;
    size_t shape[3];
    retc_h5 *file = retc_h5_open(path);
    RETC_TRY(RETC_GOT(file));
    RETC_TRY(stack_shape(file, dataset, shape));
    *n = shape[0];
    if (*n == 0)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\" holds no images", path, dataset));

done:
    retc_h5_close(file);
    return status;
}

/* Whole numbers have a white; the numbers of other stacks are light in whatever unit. */
static double
white_of(const char *stored) {
    return strcmp(stored, "u1") == 0 ? 255 : strcmp(stored, "u2") == 0 ? 65535 : 1;
}

static int
read_stack(retc_image_rows *rows, const char *dataset, size_t page) {
    int status = RETC_OK;
    size_t shape[3];
    retc_h5 *file = retc_h5_open(rows->path);
    RETC_TRY(RETC_GOT(file));
    RETC_TRY(stack_shape(file, dataset, shape));
    RETC_TRY(RETC_GOT(rows->image = retc_image_alloc(rows->path, shape[1], shape[2])));
    const size_t start[3] = {page, 0, 0}, count[3] = {1, shape[1], shape[2]};
    int rank = 0;
    RETC_TRY(retc_h5_shape(file, dataset, &rank, shape));
    RETC_TRY(retc_h5_read(file, dataset, RETC_H5_FLOAT, start + 3 - rank, count + 3 - rank, rows->image->light));
    double white = white_of(retc_h5_stored_type(file, dataset));
    for (size_t i = 0; i < rows->image->height * rows->image->width; ++i) {
        float *light = &rows->image->light[i];
        if (!isfinite(*light) || *light < 0)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: dataset \"%s\": %g in image %zu is no light: finite numbers from 0 up are",
                               rows->path, dataset, (double)*light, page));
        double v = (double)*light / white;
        *light = (float)(rows->gamma > 0 ? pow(v, rows->gamma) : v);
    }

done:
    retc_h5_close(file);
    return status;
}

/* ---- any file -------------------------------------------------------------------------------------------------------- */

int
retc_image_look(const char *path, retc_image_format *format) {
    static const struct {
        const char *magic;
        size_t length;
        retc_image_format format;
    } known[] = {
        {"\x89PNG\r\n\x1a\n", 8, RETC_IMAGE_PNG},
        {"\xff\xd8\xff", 3, RETC_IMAGE_JPEG},
        {"II*\0", 4, RETC_IMAGE_TIFF},
        {"MM\0*", 4, RETC_IMAGE_TIFF},
        {"II+\0\x8\0", 6, RETC_IMAGE_TIFF},
        {"MM\0+\0\x8", 6, RETC_IMAGE_TIFF},
        {"\x89HDF\r\n\x1a\n", 8, RETC_IMAGE_HDF5},
    };
    char head[8] = {0};
    FILE *in = retc_image_open(path);
    if (!in)
        return RETC_EIO;
    size_t n = fread(head, 1, sizeof head, in);
    fclose(in);
    *format = RETC_IMAGE_NONE;
    for (size_t k = 0; k < sizeof known / sizeof *known; ++k)
        if (n >= known[k].length && memcmp(head, known[k].magic, known[k].length) == 0)
            *format = known[k].format;
    if (n > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '7' && strchr(" \t\r\n#", head[2]) && head[2])
        *format = RETC_IMAGE_PNM;
    return RETC_OK;
}

static int
refuse(const char *path) {
    return RETC_FAIL(RETC_EFORMAT, "%s: not an image that can be read here; PGM, PPM, PNG, TIFF, JPEG or HDF5 can", path);
}

int
retc_image_count(const char *path, const char *dataset, size_t *n) {
    int status = RETC_OK;
    retc_image_format format;
    RETC_TRY(retc_image_look(path, &format));
    *n = 1;
    if (format == RETC_IMAGE_NONE)
        RETC_TRY(refuse(path));
    else if (format == RETC_IMAGE_HDF5)
        RETC_TRY(count_stack(path, dataset, n));
    else if (format == RETC_IMAGE_TIFF)
        RETC_TRY(retc_image_count_tiff(path, n));

done:
    return status;
}

retc_image *
retc_image_read(const char *path, const char *dataset, size_t page, double gamma) {
    int status = RETC_OK;
    retc_image_rows rows = {.path = path, .gamma = gamma};
    retc_image_format format;
    RETC_TRY(retc_image_look(path, &format));
    switch (format) {
    case RETC_IMAGE_PNM:
        status = retc_image_read_pnm(&rows);
        break;
    case RETC_IMAGE_PNG:
        status = retc_image_read_png(&rows);
        break;
    case RETC_IMAGE_JPEG:
        status = retc_image_read_jpeg(&rows);
        break;
    case RETC_IMAGE_TIFF:
        status = retc_image_read_tiff(&rows, page);
        break;
    case RETC_IMAGE_HDF5:
        status = read_stack(&rows, dataset, page);
        break;
    case RETC_IMAGE_NONE:
        status = refuse(path);
        break;
    }

done:
    retc_free(rows.curve);
    if (status < 0) {
        retc_image_free(rows.image);
        return NULL;
    }
    return rows.image;
}
