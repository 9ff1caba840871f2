/* What the readers of images share: rows of levels go in, an image of light comes out. */
#ifndef RETC_IMAGE_ROWS_H
#define RETC_IMAGE_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "image.h"

typedef struct {
    const char *path;
    double gamma;   /* as asked for; 0: as the file says */
    size_t samples; /* per pixel: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha */
    size_t maximum; /* largest level */
    float *curve;   /* (maximum + 1), light of every level */
    retc_image *image;
} retc_image_rows;

/* Say what comes: `coded` is the exponent that the file itself states, 0 when it states none.  Fails when the image is empty or
 * too large. */
int retc_image_rows_begin(retc_image_rows *rows, size_t height, size_t width, size_t samples, size_t maximum,
                          double coded) RETC_USED;

/* Row y, (W,samples), as one byte or two bytes a sample; no level is above the maximum. */
void retc_image_row8(retc_image_rows *rows, size_t y, const uint8_t *levels);
void retc_image_row16(retc_image_rows *rows, size_t y, const uint16_t *levels);

/* The readers: `page` counts from 0.  Each begins the rows and gives all of them, or fails with a reason that names the file.
 */
int retc_image_read_pnm(retc_image_rows *rows) RETC_USED;
int retc_image_read_png(retc_image_rows *rows) RETC_USED;
int retc_image_read_jpeg(retc_image_rows *rows) RETC_USED;
int retc_image_read_tiff(retc_image_rows *rows, size_t page) RETC_USED;
int retc_image_count_tiff(const char *path, size_t *pages) RETC_USED;

/* The file, open for reading: NULL with a recorded reason. */
FILE *retc_image_open(const char *path);

#endif
