/* Recipes: the options of a movie in place of its frames, which are made again whenever they are read.
 *
 * A group of an HDF5 file, the root of a stimulus file or a part of a recording, then holds instead of its dataset `stimulus`
 *
 *   attribute recipe         text, retc_options_canonical: "command=stimulus kind=white-noise ... seed=1"
 *   recipe_frames (3,H,W)    f4, frames 0, T/2 and T-1 as they were when the recipe was written, before any rounding
 *
 * The latter tell when a recipe no longer makes the same movie.  Only movies that can be asked in any order and read no files
 * have a recipe. */
#ifndef RETC_RECIPE_H
#define RETC_RECIPE_H

#include "movie_kinds.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_recipe retc_recipe;

/* The recipe of a request.  NULL with a recorded reason: its movie has none. */
retc_recipe *retc_recipe_of(const retc_movie_request *request);

/* A recipe from its text.  NULL with a recorded reason. */
retc_recipe *retc_recipe_parse(const char *text);
void retc_recipe_free(retc_recipe *recipe);

/* Shape and clock of the movie, borrowed. */
const retc_stimulus_layout *retc_recipe_layout(const retc_recipe *recipe);

/* Frames t0 ... t0+n-1, (n,H,W), to the last bit as they are read from a file that stores them. */
int retc_recipe_frames(retc_recipe *recipe, size_t t0, size_t n, float *out) RETC_USED;

/* Does the group, "/" or "train", carry a recipe? */
int retc_recipe_is_in(retc_h5 *file, const char *group);

/* Write into a group that is there, and read from it.  NULL with a recorded reason that names the file: damaged, or its movie
 * is another one than it was. */
int retc_recipe_write(retc_recipe *recipe, retc_h5 *file, const char *group) RETC_USED;
retc_recipe *retc_recipe_read(retc_h5 *file, const char *group);

/* Write a whole stimulus file as retc_movie_write does, but for the frames. */
int retc_recipe_write_stimulus(retc_recipe *recipe, retc_h5 *file) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
