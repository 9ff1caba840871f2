#include "grating.h"

#include <math.h>
#include <string.h>

/* sin(a + b) = sin a cos b + cos a sin b with a of the column and b of the row: one sine per row and column. */
static void
add_sine(const retc_screen *screen, const retc_grating *grating, const retc_direction *d, double amplitude, float *contrast) {
    for (size_t row = 0; row < screen->height; ++row) {
        double b = 2 * M_PI * (d->sine * retc_pixel_y(screen, row) / grating->period - grating->phase);
        float *line = contrast + row * screen->width;
        if (d->cosine == 0) {
            float level = (float)(amplitude * sin(b));
            for (size_t column = 0; column < screen->width; ++column)
                line[column] += level;
            continue;
        }
        double sine = amplitude * sin(b), cosine = amplitude * cos(b);
        double turn = 2 * M_PI * d->cosine * screen->pixel_size / grating->period;
        double first = 2 * M_PI * d->cosine * retc_pixel_x(screen, 0) / grating->period;
        for (size_t column = 0; column < screen->width; ++column) {
            double a = first + turn * (double)column;
            line[column] += (float)(sin(a) * cosine + cos(a) * sine);
        }
    }
}

/* Add level(place) of every pixel, where place is along the direction in um; once per row or column where that is all. */
static void
add_along(const retc_screen *screen, const retc_direction *d, double (*level)(const void *, double), const void *context,
          float *contrast) {
    for (size_t column = 0; d->sine == 0 && column < screen->width; ++column) {
        float value = (float)level(context, d->cosine * retc_pixel_x(screen, column));
        for (size_t row = 0; row < screen->height; ++row)
            contrast[row * screen->width + column] += value;
    }
    for (size_t row = 0; d->sine != 0 && row < screen->height; ++row) {
        double y = d->sine * retc_pixel_y(screen, row);
        float value = d->cosine == 0 ? (float)level(context, y) : 0;
        for (size_t column = 0; column < screen->width; ++column)
            contrast[row * screen->width + column] +=
                d->cosine == 0 ? value : (float)level(context, y + d->cosine * retc_pixel_x(screen, column));
    }
}

typedef struct {
    const retc_grating *grating;
    retc_blur blur;
} square_profile;

static double
square_level(const void *context, double place) {
    const square_profile *square = context;
    const retc_grating *grating = square->grating;
    return grating->contrast * retc_blur_square(&square->blur, place / grating->period - grating->phase);
}

void
retc_add_grating(const retc_screen *screen, const retc_grating *grating, float *contrast) {
    retc_direction d = retc_direction_make(screen, grating->direction);
    retc_blur blur = retc_blur_make(d.side[0] / grating->period, d.side[1] / grating->period, grating->drift);
    const square_profile square = {grating, blur};
    if (grating->square)
        add_along(screen, &d, square_level, &square, contrast);
    else
        add_sine(screen, grating, &d, grating->contrast * retc_blur_sine(&blur, 0.25), contrast);
}

typedef struct {
    const retc_bar *bar;
    retc_blur blur;
    double weight;
} bar_profile;

static double
bar_level(const void *context, double place) {
    const bar_profile *profile = context;
    const retc_bar *bar = profile->bar;
    return profile->weight * bar->contrast * retc_blur_band(&profile->blur, bar->width, place - (bar->from + bar->to) / 2);
}

void
retc_add_bar(const retc_screen *screen, const retc_bar *bar, double weight, float *contrast) {
    retc_direction d = retc_direction_make(screen, bar->direction);
    const bar_profile profile = {bar, retc_blur_make(d.side[0], d.side[1], bar->to - bar->from), weight};
    retc_blur across = retc_blur_make(d.side[1], d.side[0], 0);
    if (!(bar->length > 0)) {
        add_along(screen, &d, bar_level, &profile, contrast);
        return;
    }
    for (size_t row = 0; row < screen->height; ++row) {
        double y = retc_pixel_y(screen, row);
        for (size_t column = 0; column < screen->width; ++column) {
            double x = retc_pixel_x(screen, column), share = bar_level(&profile, d.cosine * x + d.sine * y);
            if (share != 0)
                share *= retc_blur_band(&across, bar->length, d.cosine * y - d.sine * x);
            contrast[row * screen->width + column] += (float)share;
        }
    }
}

int
retc_grating_periods(const char *kind, const retc_numbers *periods, const retc_numbers *frequencies, retc_numbers *out) {
    const retc_numbers *given = periods->n ? periods : frequencies;
    if (periods->n > 0 && frequencies->n > 0)
        return RETC_FAIL(RETC_EUSAGE, "%s: give --periods or --spatial-frequencies, not both", kind);
    *out = (retc_numbers){.n = given->n};
    for (size_t i = 0; i < given->n; ++i) {
        if (!(given->value[i] > 0))
            return RETC_FAIL(RETC_EUSAGE, "%s: a spatial %s of %g has no meaning", kind, periods->n ? "period" : "frequency",
                             given->value[i]);
        out->value[i] = periods->n ? given->value[i] : 1000 / given->value[i];
    }
    return RETC_OK;
}
