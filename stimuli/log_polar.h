/* Foveated movies: log-polar resampling around a fixation point (Weiman & Chaikin 1979; Traver & Bernardino 2010).
 *
 * Cell (i,j) of R rings and S sectors covers the radii inner q^i ... inner q^(i+1) pixels, with q = (outer / inner)^(1/R), and
 * the angles 360 j/S ... 360 (j+1)/S degrees, counted from the right over the bottom to the left and the top, as rows grow
 * downward.  Its level is the mean over its area of the frame, whose pixels are squares of one level each; where it reaches
 * out of the frame, the mean over the rest of it; where it lies outside, mean grey.  The mean over the area is the low-pass
 * that rings far out need: nothing finer than a cell is aliased into it.  Areas are sampled at eight points per pixel in either
 * direction, from four to 64 per cell.
 *
 * Turning the frame around the fixation point moves the result along its columns, scaling moves it along its rows.
 *
 * Back in pixels, levels lie between those of cells linearly in the angle and in the logarithm of the radius; within the inner
 * radius, the fovea, they are those of the frame. */
#ifndef RETC_LOG_POLAR_H
#define RETC_LOG_POLAR_H

#include "movie.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t height, width;  /* H, W of the frame, pixels */
    size_t rings, sectors; /* R, S */
    double row, column;    /* fixation point, pixels below and to the right of the middle of the frame */
    double inner;          /* pixels, above 0 */
    double outer;          /* pixels, above inner; 0: to the farthest corner of the frame */
} retc_log_polar_options;

typedef struct retc_log_polar retc_log_polar;

/* NULL with a recorded reason: the options have no meaning. */
retc_log_polar *retc_log_polar_alloc(const retc_log_polar_options *options);
void retc_log_polar_free(retc_log_polar *map);

/* The options with `outer` settled, borrowed. */
const retc_log_polar_options *retc_log_polar_options_of(const retc_log_polar *map);

/* cells (R,S) of a frame (H,W). */
void retc_log_polar_forward(const retc_log_polar *map, const float *frame, float *cells);

/* What is left of a frame (H,W) whose cells are (R,S): out (H,W). */
void retc_log_polar_back(const retc_log_polar *map, const float *frame, const float *cells, float *out);

extern const retc_movie_kind retc_log_polar_kind;

#ifdef __cplusplus
}
#endif

#endif
