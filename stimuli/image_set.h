/* Images by number: of files, of pages and HDF5 stacks in them, of whole folders. */
#ifndef RETC_IMAGE_SET_H
#define RETC_IMAGE_SET_H

#include "image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_image_set retc_image_set;

/* All images of `paths` (n), in this order; a folder gives its files sorted by name.  Files of a folder that are no images
 * (a README, say) are left out and remembered; a damaged image fails when it is read, and a file that is named itself must be
 * an image.  `dataset` and `gamma` as for retc_image_read; `dataset` is kept.  NULL with a recorded reason. */
retc_image_set *retc_image_set_open(const char *const *paths, size_t n, const char *dataset, double gamma);
void retc_image_set_close(retc_image_set *set);

/* Number of images. */
size_t retc_image_set_size(const retc_image_set *set);

/* Their names, (size), as "leaf.png" or "stack.h5[17]", and the paths of the files of folders that were left out, (*n); both
 * borrowed. */
const char *const *retc_image_set_names(const retc_image_set *set);
const char *const *retc_image_set_skipped(const retc_image_set *set, size_t *n);

/* Image i: NULL with a recorded reason; free with retc_image_free. */
retc_image *retc_image_set_read(const retc_image_set *set, size_t i);

#ifdef __cplusplus
}
#endif

#endif
