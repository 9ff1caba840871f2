/* Gratings and bars on a screen: means over the area of every pixel, and over straight motion during a frame. */
#ifndef RETC_GRATING_H
#define RETC_GRATING_H

#include "protocol.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    double direction; /* in which it varies, degrees */
    double period;    /* um */
    double phase;     /* at the middle of the screen and of the frame, cycles; the level there is that of sin(-2 pi phase) */
    double drift;     /* cycles that it moves during the frame */
    int square;       /* 0: sine */
    double contrast;
} retc_grating;

/* Add the grating to the contrasts of a frame, (H,W): x = contrast f(place / period - phase), f the sine or its sign. */
void retc_add_grating(const retc_screen *screen, const retc_grating *grating, float *contrast);

typedef struct {
    double direction; /* of motion, degrees; the bar is long across it */
    double width;     /* along the direction, um */
    double length;    /* across, um; 0: from border to border */
    double from, to;  /* place of its middle along the direction at the start and at the end of the frame, um */
    double contrast;
} retc_bar;

/* Add `weight` times the bar.  The level is exact, but for the pixels at the four corners of a bar of limited length in an
 * oblique direction: there it is the product of the profiles along and across. */
void retc_add_bar(const retc_screen *screen, const retc_bar *bar, double weight, float *contrast);

/* The spatial periods of a protocol: as given in um, or from frequencies in cycles/mm.  Fails when both or none are given,
 * or one is not positive. */
int retc_grating_periods(const char *kind, const retc_numbers *periods, const retc_numbers *frequencies,
                         retc_numbers *out) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
