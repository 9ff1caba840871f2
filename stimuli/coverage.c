#include "coverage.h"

#include <math.h>

#define NARROWEST 1e-3 /* of the widest box */

retc_blur
retc_blur_make(double a, double b, double c) {
    const double width[3] = {fabs(a), fabs(b), fabs(c)};
    double widest = fmax(width[0], fmax(width[1], width[2]));
    retc_blur blur = {.n = 0};
    for (size_t i = 0; i < 3; ++i)
        if (width[i] > NARROWEST * widest) {
            blur.width[blur.n++] = width[i];
            blur.reach += width[i] / 2;
        }
    return blur;
}

/* n boxes of widths w_i make of the step at 0: sum over signs s of prod s_i (d + sum s_i w_i / 2)_+^n / (n! prod w_i). */
double
retc_blur_step(const retc_blur *blur, double d) {
    static const double factorial[4] = {1, 1, 2, 6};
    if (d <= -blur->reach || d >= blur->reach)
        return d > 0 ? 1 : d < 0 ? 0 : 0.5;
    double sum = 0, scale = factorial[blur->n];
    for (unsigned signs = 0; signs < 1U << blur->n; ++signs) {
        double at = d, term = 1;
        for (size_t i = 0; i < blur->n; ++i) {
            int minus = signs >> i & 1;
            at += minus ? -blur->width[i] / 2 : blur->width[i] / 2;
            term = minus ? -term : term;
        }
        for (size_t i = 0; i < blur->n && at > 0; ++i)
            term *= at;
        sum += at > 0 ? term : 0;
    }
    for (size_t i = 0; i < blur->n; ++i)
        scale *= blur->width[i];
    return fmin(fmax(sum / scale, 0), 1);
}

double
retc_blur_band(const retc_blur *blur, double width, double d) {
    return retc_blur_step(blur, d + width / 2) - retc_blur_step(blur, d - width / 2);
}

double
retc_blur_sine(const retc_blur *blur, double u) {
    double x = sin(2 * M_PI * u);
    for (size_t i = 0; i < blur->n; ++i)
        x *= sin(M_PI * blur->width[i]) / (M_PI * blur->width[i]);
    return x;
}

/* The level at the left end of the blur's reach, and a step of 2, up or down, at every multiple of half a cycle within it. */
double
retc_blur_square(const retc_blur *blur, double u) {
    double half = floor(2 * (u - blur->reach)), last = floor(2 * (u + blur->reach));
    double sign = half == 2 * floor(half / 2) ? 1 : -1, x = sign;
    for (double edge = half + 1; edge <= last; ++edge) {
        x -= 2 * sign * retc_blur_step(blur, u - edge / 2);
        sign = -sign;
    }
    return x;
}

/* Area that a disc of radius r around the origin shares with the rectangle between the origin and (y,x), signed as y x. */
static double
quadrant_area(double r, double y, double x) {
    double sign = (y < 0) != (x < 0) ? -1 : 1;
    y = fmin(fabs(y), r);
    x = fmin(fabs(x), r);
    if (y * y + x * x <= r * r)
        return sign * y * x;
    double from = sqrt(fmax(0, r * r - y * y)); /* up to here the disc reaches beyond y */
    double area = x * sqrt(fmax(0, r * r - x * x)) + r * r * asin(x / r) - from * y - r * r * asin(from / r);
    return sign * (from * y + area / 2);
}

double
retc_disc_coverage(double radius, double y, double x) {
    double square = y * y + x * x, near = radius - M_SQRT1_2, far = radius + M_SQRT1_2;
    if (square >= far * far)
        return 0;
    if (near > 0 && square <= near * near)
        return 1;
    double area = quadrant_area(radius, y + 0.5, x + 0.5) - quadrant_area(radius, y - 0.5, x + 0.5) -
                  quadrant_area(radius, y + 0.5, x - 0.5) + quadrant_area(radius, y - 0.5, x - 0.5);
    return fmin(fmax(area, 0), 1);
}
