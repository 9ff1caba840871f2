/* Levels of pixels at the edges of shapes: means over the area of a pixel and the time of a frame, in closed form.
 *
 * Along one direction a square pixel is the meeting of two boxes, as wide as its two sides look from there, and motion at
 * constant speed during a frame is a third.  So a straight edge, and a grating, that moves across a pixel is a profile that
 * three boxes have blurred. */
#ifndef RETC_COVERAGE_H
#define RETC_COVERAGE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Widths of up to three boxes that blur one after the other, in any unit. */
typedef struct {
    double width[3];
    size_t n;
    double reach; /* half the sum of the widths */
} retc_blur;

/* The blur of three boxes, 0 for none.  A box below a thousandth of the widest is left out: that moves levels by less than
 * 0.0002 of a full step, and keeps the differences below exact. */
retc_blur retc_blur_make(double a, double b, double c);

/* Mean of the step from 0 to 1 at place 0, blurred, at place d. */
double retc_blur_step(const retc_blur *blur, double d);

/* Mean of a band of 1 between -width / 2 and width / 2, blurred, at place d. */
double retc_blur_band(const retc_blur *blur, double width, double d);

/* Means of sin(2 pi u) and of its sign, blurred, at u; u and the widths in cycles. */
double retc_blur_sine(const retc_blur *blur, double u);
double retc_blur_square(const retc_blur *blur, double u);

/* The part of a pixel of side 1 around (y,x) that a disc around the origin covers, 0 ... 1: exact. */
double retc_disc_coverage(double radius, double y, double x);

#ifdef __cplusplus
}
#endif

#endif
