/* Still images as light: PGM, PPM, PNG, TIFF and JPEG files, and HDF5 stacks, each in its own reader.
 *
 * Levels become light by the curve of the screen that they were coded for: files of 8 bits a sample by sRGB's (IEC 61966-2-1),
 *     light = v / 12.92                     for v <= 0.04045, v = level / 255
 *             ((v + 0.055) / 1.055)^2.4     above,
 * deeper ones and HDF5 stacks not at all, as cameras and programs leave them linear; a PNG file that says otherwise (chunk
 * gAMA) is believed.  Colours become their luminance, 0.2126 R + 0.7152 G + 0.0722 B (ITU-R BT.709), after that.  What is
 * transparent is shown on black; a photograph that says it should be turned (Exif) is not.
 *
 * The readers trust nothing: sizes are bounded before memory is asked for, damaged and truncated files are refused, and what
 * the libraries would print becomes the reason of the failure. */
#ifndef RETC_IMAGE_H
#define RETC_IMAGE_H

#include <stddef.h>

#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most pixels of an image: a small file may claim any number of them. */
#define RETC_IMAGE_PIXELS ((size_t)1 << 26)

typedef enum {
    RETC_IMAGE_NONE, /* no format that is known here */
    RETC_IMAGE_PNM,
    RETC_IMAGE_PNG,
    RETC_IMAGE_TIFF,
    RETC_IMAGE_JPEG,
    RETC_IMAGE_HDF5
} retc_image_format;

typedef struct {
    size_t height, width; /* pixels */
    float *light;         /* (H,W), 0: black, 1: white */
} retc_image;

/* What a file is, by its first bytes. */
int retc_image_look(const char *path, retc_image_format *format) RETC_USED;

/* Number of images in a file: the pages of a TIFF file, the images of dataset `dataset` (N,H,W) or (H,W) of an HDF5 file, else
 * 1.  Fails for a file that is no image. */
int retc_image_count(const char *path, const char *dataset, size_t *n) RETC_USED;

/* Image `page` of a file.  `gamma` 0: the curve as above; else light = (level / largest level)^gamma.  NULL with a recorded
 * reason; free with retc_image_free. */
retc_image *retc_image_read(const char *path, const char *dataset, size_t page, double gamma);

/* An image of zeros.  NULL with a recorded reason that names `path`: empty, or more than RETC_IMAGE_PIXELS. */
retc_image *retc_image_alloc(const char *path, size_t height, size_t width);
void retc_image_free(retc_image *image);

/* The sRGB curve above: light 0 ... 1 of a level v, 0 ... 1. */
double retc_srgb_light(double v);

#ifdef __cplusplus
}
#endif

#endif
