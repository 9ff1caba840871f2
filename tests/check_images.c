/* Readers of images: files written by the libraries and by hand, and what is wrong with them. */
#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jpeglib.h>
#include <tiffio.h>

#include "h5.h"
#include "image.h"
#include "image_set.h"
#include "testing.h"

/* One rounding to float of the curve's value, another of each product and sum of colours. */
#define FLOAT 3e-7

static void
write_bytes(const char *path, const void *bytes, size_t n) {
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    ck_assert_uint_eq(fwrite(bytes, 1, n, out), n);
    fclose(out);
}

static char *
read_bytes(const char *path, size_t *n) {
    FILE *in = fopen(path, "rb");
    ck_assert_ptr_nonnull(in);
    char *bytes = malloc(1 << 20);
    *n = fread(bytes, 1, 1 << 20, in);
    fclose(in);
    return bytes;
}

/* The sRGB curve from its inverse, the standard's coding function, by bisection. */
static double
light_of(double v) {
    double low = 0, high = 1;
    for (int i = 0; i < 60; ++i) {
        double l = (low + high) / 2, coded = l <= 0.0031308 ? 12.92 * l : 1.055 * pow(l, 1 / 2.4) - 0.055;
        *(coded < v ? &low : &high) = l;
    }
    return low;
}

static retc_image *
read_image(const char *path, double gamma) {
    retc_image *image = retc_image_read(path, "images", 0, gamma);
    ck_assert_msg(image != NULL, "%s", retc_error_message());
    return image;
}

static void
expect_light(const char *path, double gamma, size_t height, size_t width, const double *light, double tolerance) {
    retc_image *image = read_image(path, gamma);
    ck_assert_uint_eq(image->height, height);
    ck_assert_uint_eq(image->width, width);
    for (size_t i = 0; i < height * width; ++i)
        ck_assert_msg(fabs((double)image->light[i] - light[i]) <= tolerance, "%s: pixel %zu is %.9g, expected %.9g", path, i,
                      (double)image->light[i], light[i]);
    retc_image_free(image);
}

static void
expect_refusal(const char *path, const char *says) {
    retc_image *image = retc_image_read(path, "images", 0, 0);
    ck_assert_msg(image == NULL, "%s was read", path);
    ck_assert_msg(strstr(retc_error_message(), says) != NULL, "\"%s\" does not say \"%s\"", retc_error_message(), says);
    ck_assert_msg(strstr(retc_error_message(), path) != NULL, "\"%s\" does not name the file", retc_error_message());
    ck_assert_ptr_null(strchr(retc_error_message(), '\n'));
}

START_TEST(test_curve) {
    for (int level = 0; level <= 255; ++level)
        ck_assert_double_eq_tol(retc_srgb_light(level / 255.0), light_of(level / 255.0), 2e-7); /* the standard's own seam */
}
END_TEST

/* ---- PGM and PPM ----------------------------------------------------------------------------------------------------- */

#define TEXT(text) text, sizeof(text) - 1

typedef struct {
    const char *bytes;
    size_t n;
    double gamma, light[4]; /* of 2 x 2 pixels */
} pnm_case;

static const pnm_case pnm_cases[] = {
    {TEXT("P5\n2 2\n255\n\x00\xff\x33\x66"), 1, {0, 1, 0.2, 0.4}},
    {TEXT("P5\n2 2\n255\n\x00\xff\x33\x66"), 2, {0, 1, 0.04, 0.16}},
    {TEXT("P5 #a\n# b 7\n2#c\n 2\t255\n\n\x23\x20\x0a"), 1, {10 / 255.0, 35 / 255.0, 32 / 255.0, 10 / 255.0}},
    {TEXT("P5\n2 2\n1000\n\x00\x00\x03\xe8\x01\xf4\x00\x64"), 0, {0, 1, 0.5, 0.1}}, /* deep: linear */
    {TEXT("P2\n2 2\n4\n0 1\n# comment\n2 4"), 1, {0, 0.25, 0.5, 1}},
    {TEXT("P3 2 2 10 10 0 0  0 10 0  0 0 10  5 5 5"), 1, {0.2126, 0.7152, 0.0722, 0.5}},
    {TEXT("P6 2 2 255\n\xff\x00\x00\x00\xff\x00\x00\x00\xff\xff\xff\xff"), 0, {0.2126, 0.7152, 0.0722, 1}},
};

START_TEST(test_pnm) {
    const pnm_case *c = &pnm_cases[_i];
    const char *path = retc_test_path("image.pnm");
    write_bytes(path, c->bytes, c->n);
    expect_light(path, c->gamma, 2, 2, c->light, FLOAT);
}
END_TEST

START_TEST(test_pnm_coded) {
    const char *path = retc_test_path("image.pgm");
    const double light[4] = {light_of(5 / 255.0), light_of(51 / 255.0), light_of(128 / 255.0), light_of(250 / 255.0)};
    write_bytes(path, TEXT("P5 2 2 255\n\x05\x33\x80\xfa"));
    expect_light(path, 0, 2, 2, light, FLOAT);
}
END_TEST

typedef struct {
    const char *bytes;
    size_t n;
    const char *says;
} bad_bytes;

static const bad_bytes bad_images[] = {
    {TEXT(""), "not an image that can be read here"},
    {TEXT("hello, this is text"), "not an image"},
    {TEXT("P5"), "not an image"},
    {TEXT("P4\n8 1\n\xff"), "a netpbm file of kind P4"},
    {TEXT("P5\n"), "the head of the file is damaged"},
    {TEXT("P5 2 x 255\n    "), "the head of the file is damaged"},
    {TEXT("P5 -2 2 255\n    "), "the head of the file is damaged"},
    {TEXT("P5 2 2 0\n    "), "the head of the file is damaged"},
    {TEXT("P5 2 2 65536\n        "), "the head of the file is damaged"},
    {TEXT("P5 99999999999999999999 2 255\n  "), "the head of the file is damaged"},
    {TEXT("P5 2 0 255\n  "), "an image of 0 x 2 pixels is empty"},
    {TEXT("P5 2000000000 2000000000 255\n  "), "an image of 2000000000 x 2000000000 pixels is too large"},
    {TEXT("P5 8193 8192 255\n  "), "is too large: at most 67 million pixels"},
    {TEXT("P5 2 2 255\n123"), "ends, or has no number, in row 1 of 2"},
    {TEXT("P5 2 2 300\n\x00\x01\x00"), "ends, or has no number, in row 0 of 2"},
    {TEXT("P5 2 2 10\n\x01\x0b\x01\x01"), "level 11 in row 0 is above the largest, 10"},
    {TEXT("P2 2 2 10\n1 2 3 x"), "in row 1 of 2"},
    {TEXT("\x89PNG\r\n\x1a\n"), "damaged PNG file"},
    {TEXT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0\x8\0\0\0\0"), "damaged PNG file"},
    {TEXT("\xff\xd8\xff"), "damaged JPEG file"},
    {TEXT("\xff\xd8\xff\xe0\0\x10JFIF\0\x1\x1\0\0\x1\0\x1\0\0\xff\xd9"), "damaged JPEG file"},
    {TEXT("II*\0"), "damaged TIFF file"},
    {TEXT("II*\0\x8\0\0\0\0\0"), "damaged TIFF file"},
    {TEXT("MM\0*\xff\xff\xff\xff"), "damaged TIFF file"},
    {TEXT("\x89HDF\r\n\x1a\n"), "HDF5 file"},
};

START_TEST(test_bad_bytes) {
    const bad_bytes *bad = &bad_images[_i];
    const char *path = retc_test_path("bad.img");
    write_bytes(path, bad->bytes, bad->n);
    expect_refusal(path, bad->says);
}
END_TEST

START_TEST(test_missing) {
    expect_refusal(retc_test_path("missing.png"), "No such file");
    mkdir(retc_test_path("folder.png"), 0777);
    expect_refusal(retc_test_path("folder.png"), "is a folder");
}
END_TEST

/* ---- PNG ------------------------------------------------------------------------------------------------------------- */

enum { HEIGHT = 9, WIDTH = 11 };

/* A level in 0 ... 2^depth - 1 that differs from pixel to pixel and sample to sample. */
static unsigned
level_at(size_t y, size_t x, size_t sample, int depth) {
    return (unsigned)((y * 7919 + x * 104729 + sample * 1299709 + 3) % 65521) & ((1u << depth) - 1);
}

typedef struct {
    int depth, colour, interlace;
    double gamma; /* of chunk gAMA, 0: none */
} png_case;

static const png_case png_cases[] = {
    {1, PNG_COLOR_TYPE_GRAY, 0, 0},       {2, PNG_COLOR_TYPE_GRAY, 0, 0},       {4, PNG_COLOR_TYPE_GRAY, 1, 0},
    {8, PNG_COLOR_TYPE_GRAY, 0, 0},       {16, PNG_COLOR_TYPE_GRAY, 0, 0},      {16, PNG_COLOR_TYPE_GRAY, 1, 0},
    {8, PNG_COLOR_TYPE_RGB, 0, 0},        {8, PNG_COLOR_TYPE_RGB, 1, 1},        {16, PNG_COLOR_TYPE_RGB, 1, 0.5},
    {8, PNG_COLOR_TYPE_GRAY_ALPHA, 1, 0}, {16, PNG_COLOR_TYPE_RGB_ALPHA, 0, 0}, {8, PNG_COLOR_TYPE_RGB_ALPHA, 1, 0},
    {8, PNG_COLOR_TYPE_PALETTE, 1, 0},    {4, PNG_COLOR_TYPE_PALETTE, 0, 0},    {8, PNG_COLOR_TYPE_GRAY, 0, 0.45455},
};

static size_t
samples_of(int colour) {
    return colour == PNG_COLOR_TYPE_RGB          ? 3
           : colour == PNG_COLOR_TYPE_RGB_ALPHA  ? 4
           : colour == PNG_COLOR_TYPE_GRAY_ALPHA ? 2
                                                 : 1;
}

static void
pack_row(unsigned char *row, size_t y, size_t samples, int depth) {
    memset(row, 0, WIDTH * 4 * 2);
    for (size_t i = 0; i < WIDTH * samples; ++i) {
        unsigned level = level_at(y, i / samples, i % samples, depth);
        if (depth == 16) {
            row[2 * i] = (unsigned char)(level >> 8);
            row[2 * i + 1] = (unsigned char)level;
        } else {
            size_t bit = i * (size_t)depth;
            row[bit / 8] |= (unsigned char)(level << (8 - depth - (int)(bit % 8)));
        }
    }
}

static void
write_png(const char *path, const png_case *c) {
    static unsigned char rows[HEIGHT][WIDTH * 4 * 2];
    png_bytep pointers[HEIGHT];
    png_color palette[256];
    FILE *out = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, out);
    png_set_IHDR(png, info, WIDTH, HEIGHT, c->depth, c->colour, c->interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    for (int i = 0; i < 256; ++i)
        palette[i] = (png_color){(png_byte)(255 - i), (png_byte)(i * 3), (png_byte)(i / 2)};
    if (c->colour == PNG_COLOR_TYPE_PALETTE)
        png_set_PLTE(png, info, palette, 1 << c->depth);
    if (c->gamma > 0)
        png_set_gAMA(png, info, c->gamma);
    for (size_t y = 0; y < HEIGHT; ++y) {
        pack_row(rows[y], y, samples_of(c->colour), c->depth);
        pointers[y] = rows[y];
    }
    png_write_info(png, info);
    png_write_image(png, pointers);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(out);
}

static double
coded_light(double v, int deep, double exponent) {
    return exponent > 0 ? pow(v, exponent) : deep ? v : light_of(v);
}

static void
expected_light(const png_case *c, double *light) {
    size_t samples = samples_of(c->colour);
    double white = (double)((1 << c->depth) - 1), exponent = c->gamma > 0 && fabs(c->gamma - 0.4545) > 0.001 ? 1 / c->gamma : 0;
    for (size_t y = 0; y < HEIGHT; ++y) {
        for (size_t x = 0; x < WIDTH; ++x) {
            double v[4] = {0};
            for (size_t s = 0; s < samples; ++s)
                v[s] = level_at(y, x, s, c->depth) / white;
            if (c->colour == PNG_COLOR_TYPE_PALETTE) {
                unsigned i = level_at(y, x, 0, c->depth);
                v[0] = (255 - i) / 255.0, v[1] = (double)(i * 3 % 256) / 255, v[2] = (double)(i / 2) / 255;
            }
            int colour = samples > 2 || c->colour == PNG_COLOR_TYPE_PALETTE, deep = c->depth == 16;
            double sum = coded_light(v[0], deep, exponent);
            if (colour)
                sum = 0.2126 * sum + 0.7152 * coded_light(v[1], deep, exponent) + 0.0722 * coded_light(v[2], deep, exponent);
            light[y * WIDTH + x] = samples == 2 || samples == 4 ? sum * v[samples - 1] : sum;
        }
    }
}

START_TEST(test_png) {
    const char *path = retc_test_path("image.png");
    double light[HEIGHT * WIDTH];
    write_png(path, &png_cases[_i]);
    expected_light(&png_cases[_i], light);
    expect_light(path, 0, HEIGHT, WIDTH, light, png_cases[_i].gamma > 0 ? 1e-5 : FLOAT); /* gAMA has five digits */
}
END_TEST

/* Every length shorter than the file, and every byte of it changed: refused or read, never more.  A change that is found is
 * told in one line. */
static void
damage(const char *path) {
    size_t n, refused = 0;
    char *bytes = read_bytes(path, &n);
    for (size_t length = 0; length < n; ++length) {
        write_bytes(path, bytes, length);
        retc_image *image = retc_image_read(path, "images", 0, 0);
        /* What follows the last pixel may be missing. */
        ck_assert_msg(image == NULL || length + 16 >= n || strstr(path, ".tif"), "%zu of %zu bytes were read", length, n);
        ck_assert_msg(image || strstr(retc_error_message(), path), "%s", retc_error_message());
        retc_image_free(image);
    }
    for (size_t i = 0; i < 2 * n; ++i) {
        char kept = bytes[i / 2];
        bytes[i / 2] = (char)(i % 2 ? ~kept : kept ^ 1);
        write_bytes(path, bytes, n);
        retc_image *image = retc_image_read(path, "images", 0, 0);
        refused += image == NULL;
        ck_assert(image || !strchr(retc_error_message(), '\n'));
        retc_image_free(image);
        bytes[i / 2] = kept;
    }
    ck_assert_uint_gt(refused, 0);
    free(bytes);
}

START_TEST(test_damaged_png) {
    const char *path = retc_test_path("damaged.png");
    write_png(path, &png_cases[_i]);
    damage(path);
}
END_TEST

/* A file of some hundred bytes that says it is of 2^31 - 1 pixels a side. */
START_TEST(test_huge_png) {
    const char *path = retc_test_path("huge.png");
    size_t n;
    write_png(path, &png_cases[3]);
    char *bytes = read_bytes(path, &n);
    memcpy(bytes + 16, "\x7f\xff\xff\xff\x7f\xff\xff\xff", 8);
    write_bytes(path, bytes, n);
    expect_refusal(path, "damaged PNG file");
    free(bytes);
}
END_TEST

/* ---- JPEG ------------------------------------------------------------------------------------------------------------ */

static void
write_jpeg(const char *path, J_COLOR_SPACE space, size_t samples, int progressive, size_t height, size_t width) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char row[64 * 4];
    JSAMPROW pointer = row;
    FILE *out = fopen(path, "wb");
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, out);
    jpeg.image_height = (JDIMENSION)height;
    jpeg.image_width = (JDIMENSION)width;
    jpeg.input_components = (int)samples;
    jpeg.in_color_space = space;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (progressive)
        jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (size_t y = 0; y < height; ++y) {
        for (size_t i = 0; i < width * samples; ++i)
            row[i] = (unsigned char)(100 + 3 * y + (samples == 3 ? 20 * (i % 3) : 0));
        jpeg_write_scanlines(&jpeg, &pointer, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(out);
}

/* At quality 100 the steps of the coefficients are 1: smooth levels come back within one, and 2 more for the rounding of the
 * conversion of colours there and back. */
START_TEST(test_jpeg) {
    int colour = _i % 2, progressive = _i / 2;
    const char *path = retc_test_path("image.jpg");
    double light[24 * 17];
    write_jpeg(path, colour ? JCS_RGB : JCS_GRAYSCALE, colour ? 3 : 1, progressive, 24, 17);
    for (size_t i = 0; i < 24 * 17; ++i) {
        double level = 100 + 3 * (double)(i / 17);
        light[i] = colour ? 0.2126 * level + 0.7152 * (level + 20) + 0.0722 * (level + 40) : level;
        light[i] /= 255;
    }
    expect_light(path, 1, 24, 17, light, (colour ? 3 : 1) / 255.0);
}
END_TEST

START_TEST(test_damaged_jpeg) {
    const char *path = retc_test_path("damaged.jpg");
    write_jpeg(path, JCS_RGB, 3, _i, 24, 17);
    damage(path);
}
END_TEST

START_TEST(test_jpeg_for_printing) {
    const char *path = retc_test_path("print.jpg");
    write_jpeg(path, JCS_CMYK, 4, 0, 24, 17);
    expect_refusal(path, "printing colours (CMYK)");
}
END_TEST

/* ---- TIFF ------------------------------------------------------------------------------------------------------------ */

typedef struct {
    uint16_t bits, samples, extra, light, planes, compression;
    int tiled;
} tiff_case;

static const tiff_case tiff_cases[] = {
    {8, 1, 0, PHOTOMETRIC_MINISBLACK, PLANARCONFIG_CONTIG, COMPRESSION_NONE, 0},
    {8, 1, 0, PHOTOMETRIC_MINISWHITE, PLANARCONFIG_CONTIG, COMPRESSION_LZW, 0},
    {16, 1, 0, PHOTOMETRIC_MINISBLACK, PLANARCONFIG_CONTIG, COMPRESSION_ADOBE_DEFLATE, 0},
    {16, 1, 0, PHOTOMETRIC_MINISWHITE, PLANARCONFIG_CONTIG, COMPRESSION_NONE, 0},
    {8, 3, 0, PHOTOMETRIC_RGB, PLANARCONFIG_CONTIG, COMPRESSION_LZW, 0},
    {16, 3, 0, PHOTOMETRIC_RGB, PLANARCONFIG_CONTIG, COMPRESSION_NONE, 0},
    {16, 4, 1, PHOTOMETRIC_RGB, PLANARCONFIG_CONTIG, COMPRESSION_LZW, 0},
    {8, 2, 1, PHOTOMETRIC_MINISBLACK, PLANARCONFIG_CONTIG, COMPRESSION_NONE, 0},
    {8, 3, 0, PHOTOMETRIC_RGB, PLANARCONFIG_SEPARATE, COMPRESSION_NONE, 0}, /* by way of libtiff's conversion */
    {8, 1, 0, PHOTOMETRIC_MINISBLACK, PLANARCONFIG_CONTIG, COMPRESSION_NONE, 1},
    {16, 1, 0, PHOTOMETRIC_MINISWHITE, PLANARCONFIG_CONTIG, COMPRESSION_LZW, 1},
};

static void
write_tiff_page(TIFF *tiff, const tiff_case *c, size_t shift) {
    unsigned char row[16 * 16 * 4 * 2];
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, c->bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, c->samples);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, c->light);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, c->planes);
    TIFFSetField(tiff, TIFFTAG_COMPRESSION, c->compression);
    const uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
    if (c->extra)
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha);
    if (c->tiled) {
        TIFFSetField(tiff, TIFFTAG_TILELENGTH, 16);
        TIFFSetField(tiff, TIFFTAG_TILEWIDTH, 16);
        for (size_t i = 0; i < 256; ++i) {
            uint16_t level = (uint16_t)level_at(i / 16 + shift, i % 16, 0, c->bits);
            if (c->bits == 16)
                memcpy(row + 2 * i, &level, 2);
            else
                row[i] = (unsigned char)level;
        }
        ck_assert_int_gt(TIFFWriteTile(tiff, row, 0, 0, 0, 0), 0);
        return;
    }
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, 4);
    uint16_t planes = c->planes == PLANARCONFIG_SEPARATE ? c->samples : 1, together = c->samples / planes;
    for (uint16_t plane = 0; plane < planes; ++plane) {
        for (size_t y = 0; y < HEIGHT; ++y) {
            for (size_t i = 0; i < WIDTH * (size_t)together; ++i) {
                uint16_t level = (uint16_t)level_at(y + shift, i / together, plane + i % together, c->bits);
                if (c->bits == 16)
                    memcpy(row + 2 * i, &level, 2);
                else
                    row[i] = (unsigned char)level;
            }
            TIFFWriteScanline(tiff, row, (uint32_t)y, plane);
        }
    }
}

static void
write_tiff(const char *path, const char *mode, const tiff_case *c, size_t pages) {
    TIFF *tiff = TIFFOpen(path, mode);
    ck_assert_ptr_nonnull(tiff);
    for (size_t page = 0; page < pages; ++page) {
        write_tiff_page(tiff, c, page);
        TIFFWriteDirectory(tiff);
    }
    TIFFClose(tiff);
}

static void
tiff_light(const tiff_case *c, size_t shift, double *light) {
    double white = c->bits == 16 ? 65535 : 255;
    for (size_t i = 0; i < HEIGHT * WIDTH; ++i) {
        double v[4] = {0};
        for (size_t s = 0; s < c->samples; ++s)
            v[s] = level_at(i / WIDTH + shift, i % WIDTH, s, c->bits) / white;
        if (c->light == PHOTOMETRIC_MINISWHITE)
            v[0] = 1 - v[0];
        light[i] = c->light == PHOTOMETRIC_RGB ? 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2] : v[0];
        light[i] *= c->extra ? v[c->samples - 1] : 1;
    }
}

START_TEST(test_tiff) {
    const char *path = retc_test_path("image.tif");
    double light[HEIGHT * WIDTH];
    write_tiff(path, _i % 2 ? "wb" : "wl", &tiff_cases[_i], 1); /* either order of bytes */
    tiff_light(&tiff_cases[_i], 0, light);
    expect_light(path, 1, HEIGHT, WIDTH, light, FLOAT);
}
END_TEST

START_TEST(test_tiff_pages) {
    const char *path = retc_test_path("pages.tif");
    double light[HEIGHT * WIDTH];
    size_t pages = 0;
    write_tiff(path, "w", &tiff_cases[2], 3);
    ck_ok(retc_image_count(path, NULL, &pages));
    ck_assert_uint_eq(pages, 3);
    retc_image_set *set = retc_image_set_open(&path, 1, "images", 0);
    ck_assert_msg(set != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(retc_image_set_size(set), 3);
    ck_assert_str_eq(retc_image_set_names(set)[2], "pages.tif[2]");
    retc_image *image = retc_image_set_read(set, 2);
    tiff_light(&tiff_cases[2], 2, light);
    for (size_t i = 0; i < HEIGHT * WIDTH; ++i)
        ck_assert_double_eq_tol((double)image->light[i], light[i], FLOAT);
    retc_image_free(image);
    retc_image_set_close(set);
    ck_assert_ptr_null(retc_image_read(path, NULL, 3, 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "has no page 3"));
}
END_TEST

START_TEST(test_damaged_tiff) {
    const char *path = retc_test_path("damaged.tif");
    write_tiff(path, "w", &tiff_cases[_i], 1);
    damage(path);
}
END_TEST

START_TEST(test_tiff_of_other_kinds) {
    const char *path = retc_test_path("float.tif");
    TIFF *tiff = TIFFOpen(path, "w");
    float row[WIDTH] = {0.5f};
    TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 32);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_IEEEFP);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFWriteScanline(tiff, row, 0, 0);
    TIFFClose(tiff);
    expect_refusal(path, "save it as 8 or 16 bits");
}
END_TEST

/* ---- HDF5 stacks and folders ----------------------------------------------------------------------------------------- */

static void
write_stack(const char *path, retc_h5_type type, int rank, double first) {
    const size_t shape[3] = {2, 2, 3};
    double levels[12];
    for (size_t i = 0; i < 12; ++i)
        levels[i] = first + 20 * (double)i;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_h5_put(file, "images", type, rank, shape + 3 - rank, (double[12]){0}));
    ck_ok(retc_h5_write(file, "images", RETC_H5_DOUBLE, NULL, NULL, levels));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

START_TEST(test_stack) {
    const char *path = retc_test_path("stack.h5");
    write_stack(path, RETC_H5_UINT8, 3, 5);
    size_t n = 0;
    ck_ok(retc_image_count(path, "images", &n));
    ck_assert_uint_eq(n, 2);
    retc_image *image = retc_image_read(path, "images", 1, 0);
    ck_assert_msg(image != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(image->height, 2);
    ck_assert_uint_eq(image->width, 3);
    for (size_t i = 0; i < 6; ++i)
        ck_assert_double_eq_tol((double)image->light[i], (5 + 20 * (double)(6 + i)) / 255, FLOAT);
    retc_image_free(image);
    write_stack(path, RETC_H5_FLOAT, 2, 5);
    image = read_image(path, 2);
    ck_assert_double_eq_tol((double)image->light[3], 65.0 * 65, 65 * 65 * FLOAT);
    retc_image_free(image);
    write_stack(path, RETC_H5_FLOAT, 3, -5);
    expect_refusal(path, "-5 in image 0 is no light");
    ck_fails(retc_image_count(path, "photographs", &n), "\"photographs\" is missing");
}
END_TEST

START_TEST(test_folder) {
    char folder[512];
    snprintf(folder, sizeof folder, "%s", retc_test_path("photographs"));
    const char *name = folder;
    mkdir(folder, 0777);
    ck_assert_ptr_null(retc_image_set_open(&name, 1, "images", 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "photographs: the folder holds no image"));
    write_bytes(retc_test_path("photographs/b.pgm"), TEXT("P2 1 1 9 7"));
    write_bytes(retc_test_path("photographs/B.pgm"), TEXT("P2 1 1 9 5"));
    write_bytes(retc_test_path("photographs/README"), TEXT("photographs by me"));
    write_bytes(retc_test_path("photographs/.hidden"), TEXT("P2 1 1 9 1"));
    write_stack(retc_test_path("photographs/a.h5"), RETC_H5_UINT8, 3, 0);
    mkdir(retc_test_path("photographs/more"), 0777);
    retc_image_set *set = retc_image_set_open(&name, 1, "images", 1);
    ck_assert_msg(set != NULL, "%s", retc_error_message());
    static const char *const expected[4] = {"B.pgm", "a.h5[0]", "a.h5[1]", "b.pgm"};
    ck_assert_uint_eq(retc_image_set_size(set), 4);
    for (size_t i = 0; i < 4; ++i)
        ck_assert_str_eq(retc_image_set_names(set)[i], expected[i]);
    size_t skipped;
    const char *const *left_out = retc_image_set_skipped(set, &skipped);
    ck_assert_uint_eq(skipped, 1);
    ck_assert_str_eq(left_out[0], retc_test_path("photographs/README"));
    retc_image *image = retc_image_set_read(set, 3);
    ck_assert_double_eq_tol((double)image->light[0], 7.0 / 9, FLOAT);
    retc_image_free(image);
    retc_image_set_close(set);
    /* Named itself, a file that is no image is a mistake. */
    const char *text = retc_test_path("photographs/README");
    ck_assert_ptr_null(retc_image_set_open(&text, 1, "images", 0));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "README: not an image"));
}
END_TEST

static Suite *
images_suite(void) {
    Suite *suite = suite_create("images");
    TCase *formats = tcase_create("formats"), *damaged = tcase_create("damaged"), *sets = tcase_create("sets");
    tcase_add_test(formats, test_curve);
    tcase_add_loop_test(formats, test_pnm, 0, sizeof pnm_cases / sizeof *pnm_cases);
    tcase_add_test(formats, test_pnm_coded);
    tcase_add_loop_test(formats, test_png, 0, sizeof png_cases / sizeof *png_cases);
    tcase_add_loop_test(formats, test_jpeg, 0, 4);
    tcase_add_test(formats, test_jpeg_for_printing);
    tcase_add_loop_test(formats, test_tiff, 0, sizeof tiff_cases / sizeof *tiff_cases);
    tcase_add_test(formats, test_tiff_of_other_kinds);
    tcase_set_timeout(damaged, 120);
    tcase_add_loop_test(damaged, test_bad_bytes, 0, sizeof bad_images / sizeof *bad_images);
    tcase_add_test(damaged, test_missing);
    tcase_add_loop_test(damaged, test_damaged_png, 3, 6);
    tcase_add_test(damaged, test_huge_png);
    tcase_add_loop_test(damaged, test_damaged_jpeg, 0, 2);
    tcase_add_loop_test(damaged, test_damaged_tiff, 0, sizeof tiff_cases / sizeof *tiff_cases);
    tcase_add_test(sets, test_tiff_pages);
    tcase_add_test(sets, test_stack);
    tcase_add_test(sets, test_folder);
    suite_add_tcase(suite, formats);
    suite_add_tcase(suite, damaged);
    suite_add_tcase(suite, sets);
    return suite;
}

int
main(void) {
    return retc_test_main(images_suite(), NULL);
}
