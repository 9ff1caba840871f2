/* Natural movies as kinds of stimuli: their options, in field units. */
#include <math.h>
#include <string.h>

#include "natural_movie.h"

typedef struct {
    retc_text_list images;
    const char *dataset, *normalise;
    double gamma, image_scale, image_interval, contrast; /* 0 or exponent; um; s */
    /* of a scene made by chance */
    const char *scene;
    double exponent, leaf_smallest, leaf_largest; /* radii in um */
    /* eye movements, sizes in units */
    const char *unit, *saccade_law;
    double um_per_degree;
    retc_eye_options eye;
    double jitter; /* pixels per frame */
} natural_options;

/* ---- what both kinds share ------------------------------------------------------------------------------------------- */

static retc_gallery *
open_images(const natural_options *o, const retc_gallery_options *gallery) {
    retc_image_set *set = retc_image_set_open(o->images.text, o->images.n, o->dataset, o->gamma);
    return set ? retc_gallery_of_images(set, gallery) : NULL;
}

static retc_gallery *
make_scene(const natural_options *o, const retc_screen *screen, const retc_gallery_options *gallery) {
    size_t side = retc_gallery_side(screen->height, screen->width);
    retc_scene *scene = NULL;
    if (strcmp(o->scene, "1/f") == 0) {
        scene = retc_texture_alloc(side, o->exponent, screen->seed);
    } else {
        double smallest = o->leaf_smallest / screen->pixel_size, largest = o->leaf_largest / screen->pixel_size;
        side = side < 2048 ? side : 2048; /* it is painted in finer points, and an image has its limits */
        scene =
            retc_dead_leaves_alloc(side, smallest > 0 ? smallest : 1, largest > 0 ? largest : (double)side / 4, screen->seed);
    }
    return scene ? retc_gallery_of_scene(scene, gallery) : NULL;
}

static retc_gallery *
open_gallery(const natural_options *o, const retc_screen *screen, int whole_pixels) {
    const retc_gallery_options options = {
        .height = screen->height,
        .width = screen->width,
        .image_pixel = o->image_scale / screen->pixel_size,
        .whole_pixels = whole_pixels,
        .normalise = strcmp(o->normalise, "image") == 0 ? RETC_NORMALISE_IMAGE
                     : strcmp(o->normalise, "all") == 0 ? RETC_NORMALISE_ALL
                                                        : RETC_NORMALISE_NONE,
        .contrast = o->contrast,
    };
    return o->images.n > 0 ? open_images(o, &options) : make_scene(o, screen, &options);
}

static void
free_movie(void *context) {
    retc_natural_movie_free(context);
}

static retc_movie *
make_movie(const char *kind, const natural_options *o, const retc_eye_options *eye, const retc_screen *screen,
           int whole_pixels) {
    int status = RETC_OK;
    retc_gallery *gallery = NULL;
    retc_movie *movie = retc_movie_alloc(kind, screen, retc_screen_frames(screen, 0), RETC_H5_UINT8);
    RETC_TRY(RETC_GOT(movie));
    const retc_natural_options options = {
        .frames = movie->layout.frames,
        .height = screen->height,
        .width = screen->width,
        .frame_interval = movie->layout.frame_interval,
        .pixel_size = screen->pixel_size,
        .eye = *eye,
        .whole_pixels = whole_pixels,
        .seed = screen->seed,
        .threads = screen->threads,
    };
    movie->any_order = 1;
    movie->frames = retc_natural_movie_frames;
    movie->annotate = retc_natural_movie_annotate;
    movie->report = retc_natural_movie_report;
    RETC_TRY(RETC_GOT(gallery = open_gallery(o, screen, whole_pixels)));
    RETC_TRY(RETC_GOT(movie->context = retc_natural_movie_alloc(gallery, &options)));
    movie->free = free_movie;

done:
    if (status < 0) {
        retc_movie_free(movie);
        return NULL;
    }
    return movie;
}

/* Where the images come from, and how they are shown. */
static size_t
image_table(natural_options *o, retc_option *entries) {
    const retc_option table[] = {
        {"images", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL | RETC_OPTION_FOLDERS, &o->images, 0, 0, NULL,
         "photographs: PGM, PPM, PNG, TIFF, JPEG, HDF5 stacks (N,H,W), or folders of them; none: --scene"},
        {"dataset", 0, RETC_OPTION_TEXT, 0, &o->dataset, 0, 0, NULL, "images of an HDF5 stack"},
        {"gamma", 0, RETC_OPTION_DOUBLE, 0, &o->gamma, 0, 10, NULL,
         "light is level^gamma; 1: levels are light; 0: as is usual, sRGB for files of 8 bits, light for deeper ones"},
        {"image-scale", 0, RETC_OPTION_DOUBLE, 0, &o->image_scale, 0, 1e5, "um",
         "side of an image's pixel on the retina; 0: the image's shorter side is four times the frame's longer one"},
        {"image-interval", 0, RETC_OPTION_DOUBLE, 0, &o->image_interval, 0, 1e6, "s",
         "time that each image is shown; 0: every saccade leads to another image"},
        {"normalise", 0, RETC_OPTION_CHOICE, 0, &o->normalise, 0, 0, "image|all|none",
         "give every image, or all together, the mean grey and --contrast; none: keep their light, black to white"},
        {"contrast", 0, RETC_OPTION_DOUBLE, 0, &o->contrast, 0, 1, NULL, "standard deviation over mean"},
        {"scene", 0, RETC_OPTION_CHOICE, 0, &o->scene, 0, 0, "1/f|dead-leaves",
         "without images: a random texture with the amplitude spectrum of natural scenes, or discs that hide each other"},
        {"exponent", 0, RETC_OPTION_DOUBLE, 0, &o->exponent, 0, 4, NULL,
         "of scene 1/f: its amplitude falls with this power of the spatial frequency"},
        {"leaf-smallest", 0, RETC_OPTION_DOUBLE, 0, &o->leaf_smallest, 0, 1e6, "um", "smallest radius of a disc; 0: one pixel"},
        {"leaf-largest", 0, RETC_OPTION_DOUBLE, 0, &o->leaf_largest, 0, 1e6, "um",
         "largest radius of a disc; 0: a quarter of the scene"},
    };
    memcpy(entries, table, sizeof table);
    return sizeof table / sizeof *table;
}

static natural_options
shared_defaults(void) {
    return (natural_options){.dataset = "images",
                             .normalise = "image",
                             .contrast = 0.35,
                             .scene = "1/f",
                             .exponent = 1,
                             .unit = "um",
                             .saccade_law = "gamma",
                             .um_per_degree = 290,
                             .eye = {.saccade_spread = 1}};
}

/* ---- natural movies -------------------------------------------------------------------------------------------------- */

static void
natural_defaults(void *options, retc_screen *screen) {
    natural_options *o = options;
    (void)screen;
    *o = shared_defaults();
    o->eye.drift = 150;
    o->eye.saccade_interval = 0.5;
    o->eye.saccade_minimum = 0.15;
    o->eye.microsaccade_amplitude = 100;
    o->eye.microsaccade_duration = 0.02;
}

static size_t
natural_table(void *options, retc_option *entries) {
    natural_options *o = options;
    retc_eye_options *e = &o->eye;
    const retc_option table[] = {
        {"unit", 0, RETC_OPTION_CHOICE, 0, &o->unit, 0, 0, "um|arcmin", "of the sizes of eye movements"},
        {"um-per-degree", 0, RETC_OPTION_DOUBLE, 0, &o->um_per_degree, 1, 1e5, "um",
         "on the retina for a degree of the visual field, when the unit is arcmin; 290 in people (Drasdo & Fowler 1974)"},
        {"drift", 0, RETC_OPTION_DOUBLE, 0, &e->drift, 0, 1e6, "units per square root of a second",
         "how far the eye drifts between saccades"},
        {"drift-time", 0, RETC_OPTION_DOUBLE, 0, &e->drift_time, 0, 1e6, "s",
         "time in which drift relaxes to the point of fixation (Ornstein-Uhlenbeck); 0: it does not (Brownian)"},
        {"saccade-interval", 0, RETC_OPTION_DOUBLE, 0, &e->saccade_interval, 0, 1e6, "s",
         "mean time between saccades; 0: no saccades"},
        {"saccade-minimum", 0, RETC_OPTION_DOUBLE, 0, &e->saccade_minimum, 0, 1e6, "s", "shortest time between saccades"},
        {"saccade-law", 0, RETC_OPTION_CHOICE, 0, &o->saccade_law, 0, 0, "gamma|log-normal",
         "distribution of the time above the shortest"},
        {"saccade-spread", 0, RETC_OPTION_DOUBLE, 0, &e->saccade_spread, 0.02, 50, NULL,
         "standard deviation over mean of that time; with 1 the gamma distribution is exponential"},
        {"saccade-amplitude", 0, RETC_OPTION_DOUBLE, 0, &e->saccade_amplitude, 0, 1e6, "units",
         "mean length, exponentially distributed; 0: saccades lead to anywhere in the scene"},
        {"saccade-duration", 0, RETC_OPTION_DOUBLE, 0, &e->saccade_duration, 0, 10, "s", "0: at once"},
        {"microsaccade-rate", 0, RETC_OPTION_DOUBLE, 0, &e->microsaccade_rate, 0, 1e4, "per s", "0: none"},
        {"microsaccade-amplitude", 0, RETC_OPTION_DOUBLE, 0, &e->microsaccade_amplitude, 0, 1e6, "units",
         "mean length, of Rayleigh's distribution"},
        {"microsaccade-duration", 0, RETC_OPTION_DOUBLE, 0, &e->microsaccade_duration, 0, 10, "s", "0: at once"},
    };
    size_t n = image_table(o, entries);
    _Static_assert(sizeof table / sizeof *table + 11 <= RETC_MOVIE_OPTIONS, "room for all options");
    memcpy(entries + n, table, sizeof table);
    return n + sizeof table / sizeof *table;
}

static retc_movie *
natural_make(const void *options, const retc_screen *screen) {
    const natural_options *o = options;
    retc_eye_options eye = o->eye;
    double pixels = (strcmp(o->unit, "arcmin") == 0 ? o->um_per_degree / 60 : 1) / screen->pixel_size; /* of a unit */
    eye.drift *= pixels;
    eye.saccade_amplitude *= pixels;
    eye.microsaccade_amplitude *= pixels;
    eye.log_normal = strcmp(o->saccade_law, "log-normal") == 0;
    eye.image_interval = o->image_interval;
    return make_movie("natural-movie", o, &eye, screen, 0);
}

const retc_movie_kind retc_natural_movie_kind = {
    .name = "natural-movie",
    .usage = {"stimulus", "photographs or a still random scene, seen through eye movements",
              "Photographs, or for want of them a still random scene, seen through eye movements: drift, micro-saccades and "
              "saccades.  Photographs become light, are low-passed so that no frame has aliasing, and are sampled between "
              "their pixels as the eye moves; at their edges the eye turns back.  Files of a folder that are no images are "
              "left out.  Another --seed makes another movie; a longer movie of the same seed begins with the shorter one.\n\n"
              "The file also holds eye_position (um; of the frame's upper left corner in the image), image, image_names, "
              "saccade_time and microsaccade_time (s).",
              "retcodec stimulus natural-movie --duration 60 --height 16 --width 16 -o movie.h5"},
    .size = sizeof(natural_options),
    .defaults = natural_defaults,
    .table = natural_table,
    .make = natural_make,
};

/* ---- jittered images ------------------------------------------------------------------------------------------------- */

static void
jittered_defaults(void *options, retc_screen *screen) {
    natural_options *o = options;
    (void)screen;
    *o = shared_defaults();
    o->image_interval = 1;
    o->jitter = 0.5;
}

static size_t
jittered_table(void *options, retc_option *entries) {
    natural_options *o = options;
    size_t n = image_table(o, entries);
    entries[n] = (retc_option){
        "jitter", 0,          RETC_OPTION_DOUBLE,
        0,        &o->jitter, 0,
        1e3,      "pixels",   "standard deviation of a frame's step, down and across, before the place is rounded"};
    return n + 1;
}

static retc_movie *
jittered_make(const void *options, const retc_screen *screen) {
    const natural_options *o = options;
    retc_eye_options eye = o->eye;
    eye.drift = o->jitter * sqrt(screen->frame_rate);
    eye.image_interval = o->image_interval;
    return make_movie("jittered-images", o, &eye, screen, 1);
}

const retc_movie_kind retc_jittered_images_kind = {
    .name = "jittered-images",
    .usage = {"stimulus", "another photograph every second, jittered by whole pixels",
              "As in the recordings of the Baccus laboratory that the published models are fitted to: every second another "
              "photograph, at a place chosen by chance, which walks at random by whole pixels.  Without photographs a still "
              "random scene stands in for them.  A longer movie of the same seed begins with the shorter one.",
              "retcodec stimulus jittered-images --duration 60 --height 16 --width 16 -o movie.h5"},
    .size = sizeof(natural_options),
    .defaults = jittered_defaults,
    .table = jittered_table,
    .make = jittered_make,
};
