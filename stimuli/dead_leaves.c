/* Dead leaves, painted from the uppermost down: a leaf shows where no earlier one lies, and once the ground is hidden no later
 * one can be seen, which makes the picture an exact sample of endless rain (Lee, Mumford & Huang 2001, section 3). */
#include <math.h>

#include "rng.h"
#include "texture.h"

/* Points per pixel across: edges are drawn hard on them and smoothed by the scene's low-pass filter. */
#define FINENESS 4

typedef struct {
    size_t side; /* points */
    float *light;
    unsigned *next; /* (side, side + 1): the first bare point of the row from this one on; each row ends with a stop */
    size_t bare;
} leaf_ground;

/* Follow the pointers and shorten them on the way, so that a painted stretch is crossed in a step. */
static unsigned
next_bare(unsigned *next, unsigned x) {
    while (next[x] != x) {
        next[x] = next[next[x]];
        x = next[x];
    }
    return x;
}

static void
drop_leaf(leaf_ground *ground, double y, double x, double radius, float grey) {
    double side = (double)ground->side, top = fmax(0, ceil(y - radius)), bottom = fmin(side - 1, floor(y + radius));
    for (double row = top; row <= bottom; ++row) {
        double half = sqrt(fmax(0, radius * radius - (row - y) * (row - y)));
        double left = fmax(0, ceil(x - half)), right = fmin(side - 1, floor(x + half));
        if (left > right)
            continue;
        unsigned *next = ground->next + (size_t)row * (ground->side + 1);
        float *light = ground->light + (size_t)row * ground->side;
        for (unsigned k = next_bare(next, (unsigned)left); k <= (unsigned)right; k = next_bare(next, k)) {
            light[k] = grey;
            next[k] = k + 1;
            ground->bare -= 1;
        }
    }
}

static int
cover(leaf_ground *ground, double smallest, double largest, uint64_t seed) {
    int status = RETC_OK;
    gsl_rng *rng = NULL;
    RETC_TRY(RETC_ALLOC(ground->next, ground->side * (ground->side + 1)));
    for (size_t i = 0; i < ground->side * (ground->side + 1); ++i)
        ground->next[i] = (unsigned)(i % (ground->side + 1));
    ground->bare = ground->side * ground->side;
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(seed, RETC_STREAM_STIMULUS, 0)));
    /* 1 / r^2 is uniform when r has the density r^-3.  Leaves fall around the picture as well, as far as they reach into it. */
    double most = 1 / (smallest * smallest), least = 1 / (largest * largest), reach = (double)ground->side + 2 * largest;
    while (ground->bare > 0) {
        double radius = 1 / sqrt(least + (most - least) * gsl_rng_uniform(rng));
        double y = reach * gsl_rng_uniform(rng) - largest, x = reach * gsl_rng_uniform(rng) - largest;
        drop_leaf(ground, y, x, radius, (float)gsl_rng_uniform(rng));
    }

done:
    gsl_rng_free(rng);
    retc_free(ground->next);
    return status;
}

retc_scene *
retc_dead_leaves_alloc(size_t side, double smallest, double largest, uint64_t seed) {
    int status = RETC_OK;
    retc_scene *scene = NULL;
    retc_image *image = NULL;
    if (side < 8 || side > 8192)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the side of a picture of leaves is %zu pixels, expected 8 ... 8192", side));
    if (!(smallest >= 0.25 && smallest < largest && largest <= (double)side))
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "leaves with radii of %g to %g pixels cannot be drawn: from 0.25 on, growing, to %zu at most",
                           smallest, largest, side));
    size_t points = FINENESS * side;
    RETC_TRY(RETC_GOT(image = retc_image_alloc("dead leaves", points, points)));
    leaf_ground ground = {.side = points, .light = image->light};
    RETC_TRY(cover(&ground, FINENESS * smallest, FINENESS * largest, seed));
    RETC_TRY(RETC_GOT(scene = retc_scene_of_image(image, 1.0 / FINENESS)));

done:
    retc_image_free(image);
    return scene;
}
