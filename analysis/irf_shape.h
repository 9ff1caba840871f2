/* What a receptive field looks like, in a few numbers, from its separation into space and time (separate.h).
 *
 * u, v, s: time courses, maps and strengths; u_1 v_1' is the field's best product of a time course and a map.
 *
 * Polarity: the sign of u_1[k] v_1[p] where |u_1| and |v_1| are largest: +1 ON, -1 OFF.
 * Latency: from the frame where |u_1| is largest, refined by the parabola through it and its neighbours, to the response's
 *   frame, both counted from their onsets.
 * Centre and size: weights w[p] = max(v_1[p]/v_1[peak] - 0.3, 0)^2 keep the lobe of the map's peak and leave out noise and the
 *   surround; their mean is the centre, and their covariance, times a factor for which that of a Gaussian map comes out as its
 *   own, gives standard deviations along the longest and the shortest axis, and the direction of the longest.
 *   With b = ln(1/0.3) the factor is I0 / I1, I0 = int_0^b (e^-r - 0.3)^2 dr, I1 = int_0^b r (e^-r - 0.3)^2 dr.
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
    double major, minor; /* standard deviations, pixels */
    double orientation;  /* of the longest axis: degrees anticlockwise from the rows' direction, row 0 on top; 0 to 180 */
    double polarity;     /* +1 ON, -1 OFF, 0 of a field that is 0 */
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
