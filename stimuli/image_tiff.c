/* TIFF through libtiff: 8 and 16 bits, grey and RGB, with transparency, in strips or tiles; all else of up to 8 bits by way of
 * libtiff's own conversion to RGBA.  A file may have several pages. */
#include <stdio.h>
#include <string.h>

#include <tiffio.h>

#include "image_rows.h"

#define LARGEST_TILE ((size_t)1 << 26) /* bytes; tiles of 256 x 256 pixels are usual */

/* libtiff reports through a function before it returns a failure. */
RETC_PRINTF(4, 0)
static int
take_error(TIFF *tiff, void *path, const char *module, const char *format, va_list arguments) {
    char text[256];
    (void)tiff, (void)module;
    vsnprintf(text, sizeof text, format, arguments);
    RETC_FAIL(RETC_EFORMAT, "%s: damaged TIFF file (%s)", (const char *)path, text);
    return 1;
}

static int
ignore_warning(TIFF *tiff, void *path, const char *module, const char *format, va_list arguments) {
    (void)tiff, (void)path, (void)module, (void)format, (void)arguments;
    return 1;
}

static TIFF *
open_tiff(const char *path) {
    union {
        const char *in;
        void *out;
    } context = {.in = path}; /* libtiff hands it back untouched */
    RETC_FAIL(RETC_EFORMAT, "%s: damaged TIFF file", path);
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options)
        return NULL;
    TIFFOpenOptionsSetErrorHandlerExtR(options, take_error, context.out);
    TIFFOpenOptionsSetWarningHandlerExtR(options, ignore_warning, context.out);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(8 * RETC_IMAGE_PIXELS));
    TIFF *tiff = TIFFOpenExt(path, "rm", options); /* read, do not map: a mapped file that shrinks kills the program */
    TIFFOpenOptionsFree(options);
    return tiff;
}

int
retc_image_count_tiff(const char *path, size_t *pages) {
    TIFF *tiff = open_tiff(path);
    if (!tiff)
        return RETC_EFORMAT;
    *pages = TIFFNumberOfDirectories(tiff);
    TIFFClose(tiff);
    return *pages > 0 ? RETC_OK : RETC_FAIL(RETC_EFORMAT, "%s: the TIFF file holds no image", path);
}

typedef struct {
    uint32_t height, width;
    uint16_t bits, samples, extra, light, planes, kind; /* light: photometric interpretation; kind: of numbers */
} tiff_page;

static tiff_page
page_of(TIFF *tiff) {
    tiff_page page = {0};
    uint16_t *extras = NULL;
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &page.height);
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &page.width);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &page.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &page.samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &page.extra, &extras);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &page.planes);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &page.kind);
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &page.light))
        page.light = PHOTOMETRIC_MINISBLACK;
    return page;
}

static int
is_plain(const tiff_page *page) {
    size_t colours = page->light == PHOTOMETRIC_RGB ? 3 : 1;
    return (page->bits == 8 || page->bits == 16) && page->planes == PLANARCONFIG_CONTIG && page->kind == SAMPLEFORMAT_UINT &&
           page->light <= PHOTOMETRIC_RGB && page->extra <= 1 && page->samples == colours + page->extra;
}

/* In a file where 0 is white levels count down; opacity does not. */
static void
turn(const retc_image_rows *rows, void *row, int deep) {
    size_t n = rows->image->width * rows->samples;
    for (size_t i = 0; i < n; i += rows->samples)
        if (deep)
            ((uint16_t *)row)[i] = (uint16_t)(rows->maximum - ((uint16_t *)row)[i]);
        else
            ((uint8_t *)row)[i] = (uint8_t)(rows->maximum - ((uint8_t *)row)[i]);
}

/* Rows that are read together: one, or those of a row of tiles. */
typedef struct {
    size_t rows, row_bytes;
    uint32_t tile_width;
    size_t pixel_bytes, tile_bytes; /* tile_bytes 0: strips */
    unsigned char *tile;
} tiff_band;

static int
plan_band(const retc_image_rows *rows, TIFF *tiff, const tiff_page *page, tiff_band *band) {
    uint32_t tile_height = 1;
    band->pixel_bytes = page->samples * page->bits / 8u;
    band->row_bytes = page->width * band->pixel_bytes;
    band->tile_width = page->width;
    if (TIFFIsTiled(tiff)) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &band->tile_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &tile_height);
        band->tile_bytes = (size_t)TIFFTileSize64(tiff);
    }
    band->rows = tile_height;
    size_t bytes = band->tile_bytes ? band->tile_bytes : (size_t)TIFFScanlineSize64(tiff);
    if (bytes == 0 || bytes != (size_t)tile_height * band->tile_width * band->pixel_bytes ||
        (band->tile_bytes > 0 && bytes > LARGEST_TILE) || tile_height > LARGEST_TILE / band->row_bytes)
        return RETC_FAIL(RETC_EFORMAT, "%s: the TIFF file is cut into pieces of %zu bytes, which does not fit its size",
                         rows->path, bytes);
    return RETC_OK;
}

/* The rows from `y` on. */
static int
read_band(TIFF *tiff, const tiff_band *band, uint32_t y, size_t width, unsigned char *out) {
    if (band->tile_bytes == 0)
        return TIFFReadScanline(tiff, out, y, 0) < 0 ? RETC_EFORMAT : RETC_OK;
    for (size_t x = 0; x < width; x += band->tile_width) {
        size_t columns = width - x < band->tile_width ? width - x : band->tile_width;
        if (TIFFReadTile(tiff, band->tile, (uint32_t)x, y, 0, 0) < 0)
            return RETC_EFORMAT;
        for (size_t i = 0; i < band->rows; ++i)
            memcpy(out + i * band->row_bytes + x * band->pixel_bytes, band->tile + i * band->tile_width * band->pixel_bytes,
                   columns * band->pixel_bytes);
    }
    return RETC_OK;
}

/* Where libtiff fails, take_error has said why. */
static int
read_plain(retc_image_rows *rows, TIFF *tiff, const tiff_page *page) {
    int status = RETC_OK, deep = page->bits == 16;
    tiff_band band = {0};
    unsigned char *bytes = NULL;
    RETC_TRY(retc_image_rows_begin(rows, page->height, page->width, page->samples, deep ? 65535 : 255, 0));
    RETC_TRY(plan_band(rows, tiff, page, &band));
    RETC_TRY(RETC_ALLOC(bytes, band.rows * band.row_bytes));
    RETC_TRY(RETC_ALLOC(band.tile, band.tile_bytes));
    for (uint32_t y = 0; y < page->height; ++y) {
        unsigned char *row = bytes + y % band.rows * band.row_bytes;
        if (y % band.rows == 0)
            RETC_TRY(read_band(tiff, &band, y, page->width, bytes));
        if (page->light == PHOTOMETRIC_MINISWHITE)
            turn(rows, row, deep);
        if (deep)
            retc_image_row16(rows, y, (const uint16_t *)(const void *)row);
        else
            retc_image_row8(rows, y, row);
    }

done:
    retc_free(band.tile);
    retc_free(bytes);
    return status;
}

static int
read_converted(retc_image_rows *rows, TIFF *tiff, const tiff_page *page) {
    int status = RETC_OK;
    uint32_t *raster = NULL;
    uint8_t *row = NULL;
    char why[1024] = "";
    if (page->bits > 8 || !TIFFRGBAImageOK(tiff, why))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT,
                           "%s: a TIFF file of this kind cannot be read (%u bits%s%s); save it as 8 or 16 bits, grey or "
                           "RGB",
                           rows->path, page->bits, why[0] ? "; " : "", why));
    RETC_TRY(retc_image_rows_begin(rows, page->height, page->width, 3, 255, 0));
    RETC_TRY(RETC_ALLOC(raster, (size_t)page->height * page->width));
    RETC_TRY(RETC_ALLOC(row, (size_t)page->width * 3));
    if (!TIFFReadRGBAImageOriented(tiff, page->width, page->height, raster, ORIENTATION_TOPLEFT, 1))
        RETC_TRY(RETC_EFORMAT);
    for (size_t y = 0; y < page->height; ++y) {
        for (size_t x = 0; x < page->width; ++x) {
            uint32_t pixel = raster[y * page->width + x];
            row[3 * x] = (uint8_t)TIFFGetR(pixel);
            row[3 * x + 1] = (uint8_t)TIFFGetG(pixel);
            row[3 * x + 2] = (uint8_t)TIFFGetB(pixel);
        }
        retc_image_row8(rows, y, row);
    }

done:
    retc_free(row);
    retc_free(raster);
    return status;
}

int
retc_image_read_tiff(retc_image_rows *rows, size_t page) {
    int status = RETC_OK;
    TIFF *tiff = open_tiff(rows->path);
    if (!tiff)
        return RETC_EFORMAT;
    if (page > 65535 || !TIFFSetDirectory(tiff, (tdir_t)page))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the TIFF file has no page %zu", rows->path, page));
    tiff_page found = page_of(tiff);
    /* Whatever libtiff does next may fail without a word. */
    RETC_FAIL(RETC_EFORMAT, "%s: damaged TIFF file", rows->path);
    RETC_TRY(is_plain(&found) ? read_plain(rows, tiff, &found) : read_converted(rows, tiff, &found));

done:
    TIFFClose(tiff);
    return status;
}
