/* The scenes that a natural movie shows: photographs, or one scene made by chance, with the levels that they are shown in.
 *
 * Images are read when they are first shown and kept as long as there is room, so that a movie may go through any number of
 * them. */
#ifndef RETC_GALLERY_H
#define RETC_GALLERY_H

#include "image_set.h"
#include "scene.h"
#include "texture.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_NORMALISE_IMAGE, /* every image to the mean grey and the contrast */
    RETC_NORMALISE_ALL,   /* all images by one line, so that together they have the mean grey and the contrast */
    RETC_NORMALISE_NONE   /* light 0 ... 1 as levels 0 ... 255 */
} retc_normalisation;

typedef struct {
    size_t height, width; /* of a frame, pixels */
    double image_pixel;   /* side of a pixel of an image, pixels of the screen; 0: so that the shorter side of the image is as
                             long as four of the longer side of the frame */
    int whole_pixels;     /* frames are taken at whole pixels */
    retc_normalisation normalise;
    double contrast; /* standard deviation over mean, 0 ... 1 */
} retc_gallery_options;

typedef struct retc_gallery retc_gallery;

/* A scene as it is shown: level = offset + gain * value, clipped to 0 ... 255. */
typedef struct {
    const retc_scene *scene; /* borrowed: valid until the next image is asked for */
    double room[2];          /* how far frames can move down and across, pixels; of a scene that repeats, its period */
    int repeats;
    double gain, offset;
} retc_exhibit;

/* Side of a scene made by chance, pixels: 512 or more, and four frames, so that saccades lead to new places. */
size_t retc_gallery_side(size_t height, size_t width);

/* A gallery of images, or of one scene.  Both keep what they are given and free it, even when they fail.  NULL with a recorded
 * reason. */
retc_gallery *retc_gallery_of_images(retc_image_set *set, const retc_gallery_options *options);
retc_gallery *retc_gallery_of_scene(retc_scene *scene, const retc_gallery_options *options);
void retc_gallery_free(retc_gallery *gallery);

/* Number of scenes, and the images behind them: NULL when there are none. */
size_t retc_gallery_size(const retc_gallery *gallery);
const retc_image_set *retc_gallery_images(const retc_gallery *gallery);

/* Scene i.  Fails when its image cannot be read, is smaller than a frame, or has no contrast to normalise. */
int retc_gallery_show(retc_gallery *gallery, size_t i, retc_exhibit *exhibit) RETC_USED;

/* Its room alone, without reading an image that was shown before: the rest of the exhibit is left alone. */
int retc_gallery_measure(retc_gallery *gallery, size_t i, retc_exhibit *exhibit) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
