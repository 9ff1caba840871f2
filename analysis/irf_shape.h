/* What a receptive field looks like, in a few numbers, from its separation into space and time (separate.h).
 *
 * u, v, s: time courses, maps and strengths; u_1 v_1' is the field's best product of a time course and a map.
 *
 * Polarity: (on - off) / (on + off), as indices are made of answers to steps of light: S_n = b sum of u_1 over the n newest
 *   frames is what a step up n frames ago adds at the field's centre, b the sign of v_1 where |v_1| is largest;
 *   on = max(0, max S_n), and off = max(0, max -S_n) what a step down adds.  1: ON, also where an earlier lobe of the other
 *   sign makes it transient; -1: OFF; between: the earlier lobe is the larger one.
 * Latency: from the frame where |u_1| is largest, refined by the parabola through it and its neighbours, to the response's
 *   frame, both counted from their onsets.
 * Centre and size: of the Gaussian that fits the lobe around the peak of |v_1| best (gaussian.h), noise and surround left
 *   out.
 * Motion: the velocity c = -(sum grad f grad f')^-1 sum f_t grad f that explains the field's change along its frames best
 *   (optical flow, Lucas & Kanade 1981), of the terms kept.  The direction index is the part that it explains, R =
 *   sqrt(sum (c grad f)^2 / sum f_t^2): 1 for a field that moves unchanged, 0 for one product of space and time.  Derivatives
 *   are central differences; outside window and patch the field is 0.
 * Separability: s_1^2 / |f|^2. */
#ifndef RETC_IRF_SHAPE_H
#define RETC_IRF_SHAPE_H

#include "separate.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is not defined (of a field that is 0, the axis of a round map, motion of a field that does not move) is NaN. */
typedef struct {
    double row, column;  /* centre, pixels of the frame */
    double major, minor; /* standard deviations, pixels; at least 0.29, that of one pixel */
    double orientation;  /* of the longest axis: degrees anticlockwise from the rows' direction, row 0 on top; 0 to 180 */
    double polarity;     /* 1 ON to -1 OFF; 0 of a field that is 0 */
    double latency;      /* frames */
    double index;        /* direction index, 0 to 1 */
    double direction;    /* of the stimulus that it prefers: degrees, as above; 0 to 360 */
    double speed;        /* pixels per frame */
    double separability; /* 0 to 1 */
} retc_irf_shape;

/* Where the patch of h x w pixels lies in the frame, and the frames from the newest of the window to the response. */
typedef struct {
    size_t row, column, h, w, L, rank, lag;
} retc_irf_place;

/* `scratch` has room for 2 rank h w floats. */
void retc_irf_shape_of(const retc_irf_place *place, const retc_separation *field, float *scratch, retc_irf_shape *shape);

#ifdef __cplusplus
}
#endif

#endif
