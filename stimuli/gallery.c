#include "gallery.h"

#include <math.h>

#include "stimulus_file.h"

#define SMALLEST_SCENE 512
#define FRAMES_PER_SIDE 4
#define KEPT_BYTES ((size_t)256 << 20) /* scenes kept beyond the one that is shown */

typedef struct {
    retc_scene *scene; /* NULL: not in memory */
    double room[2];    /* as in an exhibit */
    int measured;      /* room is known */
    size_t shown;      /* when, in numbers of scenes asked for */
} gallery_place;

struct retc_gallery {
    retc_gallery_options options;
    retc_image_set *set; /* NULL: one scene, which stays */
    size_t n, asked, bytes;
    double mean, deviation; /* of all images together, where it matters */
    gallery_place *place;   /* (n) */
};

size_t
retc_gallery_side(size_t height, size_t width) {
    size_t side = SMALLEST_SCENE, longer = height > width ? height : width;
    while (side < FRAMES_PER_SIDE * longer)
        side *= 2;
    return side;
}

void
retc_gallery_free(retc_gallery *gallery) {
    if (!gallery)
        return;
    for (size_t i = 0; gallery->place && i < gallery->n; ++i)
        retc_scene_free(gallery->place[i].scene);
    retc_free(gallery->place);
    retc_image_set_close(gallery->set);
    retc_free(gallery);
}

size_t
retc_gallery_size(const retc_gallery *gallery) {
    return gallery->n;
}

const retc_image_set *
retc_gallery_images(const retc_gallery *gallery) {
    return gallery->set;
}

/* ---- one scene ------------------------------------------------------------------------------------------------------- */

static const char *
name_of(const retc_gallery *gallery, size_t i) {
    return gallery->set ? retc_image_set_names(gallery->set)[i] : "the scene";
}

static int
measure(retc_gallery *gallery, size_t i) {
    const retc_gallery_options *o = &gallery->options;
    gallery_place *place = &gallery->place[i];
    const double frame[2] = {(double)o->height, (double)o->width};
    double extent[2];
    retc_scene_extent(place->scene, &extent[0], &extent[1]);
    for (int d = 0; d < 2; ++d) {
        int repeats = retc_scene_repeats(place->scene);
        place->room[d] = repeats ? extent[d] : extent[d] - frame[d];
        /* An image of the frame's size is one that fits, however its scale was rounded. */
        if (place->room[d] < -1e-6)
            return RETC_FAIL(RETC_EINVAL,
                             "%s covers %.4g x %.4g pixels of the screen, less than the frame, %zu x %zu; give a larger "
                             "--image-scale, or smaller frames",
                             name_of(gallery, i), extent[0], extent[1], o->height, o->width);
        place->room[d] = fmax(0, o->whole_pixels && !repeats ? floor(place->room[d] + 1e-6) : place->room[d]);
    }
    place->measured = 1;
    return RETC_OK;
}

static int
set_levels(const retc_gallery *gallery, size_t i, const retc_scene *scene, retc_exhibit *exhibit) {
    const retc_gallery_options *o = &gallery->options;
    double mean = gallery->mean, deviation = gallery->deviation;
    if (o->normalise == RETC_NORMALISE_NONE) {
        exhibit->gain = 2 * RETC_MEAN_GREY;
        exhibit->offset = 0;
        return RETC_OK;
    }
    if (o->normalise == RETC_NORMALISE_IMAGE)
        retc_scene_moments(scene, &mean, &deviation);
    if (!(deviation > 1e-6 * fabs(mean)) || !isfinite(deviation))
        return RETC_FAIL(RETC_EFORMAT, "%s has no contrast that could be set; leave it out, or give --normalise none",
                         o->normalise == RETC_NORMALISE_IMAGE ? name_of(gallery, i) : "the set of images");
    exhibit->gain = RETC_MEAN_GREY * o->contrast / deviation;
    exhibit->offset = RETC_MEAN_GREY - exhibit->gain * mean;
    return RETC_OK;
}

static retc_scene *
read_scene(const retc_gallery *gallery, size_t i) {
    const retc_gallery_options *o = &gallery->options;
    retc_scene *scene = NULL;
    retc_image *image = retc_image_set_read(gallery->set, i);
    if (image) {
        size_t longer = o->height > o->width ? o->height : o->width;
        size_t shorter = image->height < image->width ? image->height : image->width;
        double pixel = o->image_pixel > 0 ? o->image_pixel : (double)(FRAMES_PER_SIDE * longer) / (double)shorter;
        scene = retc_scene_of_image(image, pixel);
        if (!scene)
            retc_error_prefix(RETC_EINVAL, "%s", name_of(gallery, i));
    }
    retc_image_free(image);
    return scene;
}

/* Give up the scenes that were shown longest ago, but for scene `keep`. */
static void
make_space(retc_gallery *gallery, size_t keep) {
    while (gallery->bytes > KEPT_BYTES) {
        gallery_place *oldest = NULL;
        for (size_t i = 0; i < gallery->n; ++i) {
            gallery_place *place = &gallery->place[i];
            if (place->scene && i != keep && (!oldest || place->shown < oldest->shown))
                oldest = place;
        }
        if (!oldest)
            return;
        gallery->bytes -= retc_scene_bytes(oldest->scene);
        retc_scene_free(oldest->scene);
        oldest->scene = NULL;
    }
}

static int
load(retc_gallery *gallery, size_t i) {
    int status = RETC_OK;
    gallery_place *place = &gallery->place[i];
    if (!place->scene) {
        RETC_TRY(RETC_GOT(place->scene = read_scene(gallery, i)));
        gallery->bytes += retc_scene_bytes(place->scene);
        make_space(gallery, i);
    }
    place->shown = ++gallery->asked;
    if (!place->measured)
        RETC_TRY(measure(gallery, i));

done:
    return status;
}

int
retc_gallery_measure(retc_gallery *gallery, size_t i, retc_exhibit *exhibit) {
    int status = RETC_OK;
    gallery_place *place = &gallery->place[i];
    if (!place->measured)
        RETC_TRY(load(gallery, i));
    exhibit->room[0] = place->room[0];
    exhibit->room[1] = place->room[1];
    exhibit->repeats = !gallery->set && retc_scene_repeats(place->scene);

done:
    return status;
}

int
retc_gallery_show(retc_gallery *gallery, size_t i, retc_exhibit *exhibit) {
    int status = RETC_OK;
    RETC_TRY(load(gallery, i));
    exhibit->scene = gallery->place[i].scene;
    RETC_TRY(retc_gallery_measure(gallery, i, exhibit));
    RETC_TRY(set_levels(gallery, i, exhibit->scene, exhibit));

done:
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

/* Every image counts alike, whatever its size. */
static int
pool_moments(retc_gallery *gallery) {
    int status = RETC_OK;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < gallery->n; ++i) {
        double mean, deviation;
        RETC_TRY(load(gallery, i));
        retc_scene_moments(gallery->place[i].scene, &mean, &deviation);
        sum += mean;
        squares += mean * mean + deviation * deviation;
    }
    gallery->mean = sum / (double)gallery->n;
    gallery->deviation = sqrt(fmax(0, squares / (double)gallery->n - gallery->mean * gallery->mean));

done:
    return status;
}

static int
check_options(const retc_gallery_options *o) {
    if (!(o->contrast >= 0 && o->contrast <= 1))
        return RETC_FAIL(RETC_EINVAL, "a contrast of %g is not between 0 and 1", o->contrast);
    if (!(o->image_pixel >= 0) || !isfinite(o->image_pixel))
        return RETC_FAIL(RETC_EINVAL, "an image scale of %g pixels has no meaning", o->image_pixel);
    return RETC_OK;
}

retc_gallery *
retc_gallery_of_images(retc_image_set *set, const retc_gallery_options *options) {
    int status = RETC_OK;
    retc_gallery *gallery = NULL;
    RETC_TRY(check_options(options));
    RETC_TRY(RETC_ALLOC(gallery, 1));
    gallery->options = *options;
    gallery->n = retc_image_set_size(set);
    gallery->set = set;
    set = NULL;
    RETC_TRY(RETC_ALLOC(gallery->place, gallery->n));
    if (options->normalise == RETC_NORMALISE_ALL)
        RETC_TRY(pool_moments(gallery));

done:
    retc_image_set_close(set);
    if (status < 0) {
        retc_gallery_free(gallery);
        return NULL;
    }
    return gallery;
}

retc_gallery *
retc_gallery_of_scene(retc_scene *scene, const retc_gallery_options *options) {
    int status = RETC_OK;
    retc_gallery *gallery = NULL;
    RETC_TRY(check_options(options));
    if (options->normalise == RETC_NORMALISE_NONE)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "--normalise none keeps the light of images, and a scene made by chance has none"));
    RETC_TRY(RETC_ALLOC(gallery, 1));
    gallery->options = *options;
    gallery->n = 1;
    RETC_TRY(RETC_ALLOC(gallery->place, 1));
    gallery->place[0].scene = scene;
    gallery->bytes = retc_scene_bytes(scene);
    scene = NULL;
    if (options->normalise == RETC_NORMALISE_ALL)
        RETC_TRY(pool_moments(gallery));

done:
    retc_scene_free(scene);
    if (status < 0) {
        retc_gallery_free(gallery);
        return NULL;
    }
    return gallery;
}
