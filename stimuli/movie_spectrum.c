#include "movie_spectrum.h"

#include <fftw3.h>
#include <math.h>

enum {
    STRETCHES = 64,    /* of frames that are looked at */
    LONGEST = 512,     /* frames of a stretch */
    SHORTEST = 16,     /* frames that give a spectrum over time */
    SMALLEST = 4,      /* pixels a side that give one over space */
    PIXELS = 64,       /* whose courses are looked at */
    STILLS = 8,        /* frames of a stretch whose space is looked at */
    MOST_POINTS = 1024 /* pixels a side of the part of a frame that is transformed */
};

typedef struct {
    retc_stimulus *stimulus;
    size_t T, H, W, length, stretches, slab; /* frames of a stretch, their number, frames read at once */
    size_t h, w;                             /* the middle part of a frame that is transformed */
    size_t pixels;
    float *movie;       /* (slab,H,W) */
    double *course;     /* (pixels,length) */
    double *window;     /* (length) */
    double *still;      /* (h,w) */
    double *time_line;  /* (length) */
    fftw_complex *bins; /* of either transform */
    fftw_plan time_plan, space_plan;
    double sum, squares, n;
    double *ring_count; /* (spaces) */
    size_t stills;
} estimate;

/* Periodic Hann window, scaled to a mean square of 1. */
static double
hann(size_t i, size_t n) {
    return sqrt(8.0 / 3.0) * 0.5 * (1 - cos(2 * M_PI * (double)i / (double)n));
}

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static int
prepare(estimate *e, retc_movie_spectrum *s) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(e->stimulus);
    e->T = layout->frames, e->H = layout->height, e->W = layout->width;
    e->length = smaller(e->T, LONGEST);
    e->stretches = smaller(STRETCHES, e->T > e->length ? 1 + 2 * (e->T - e->length) / e->length : 1);
    e->slab = smaller(retc_stimulus_slab(e->H, e->W), e->length);
    e->h = smaller(e->H, MOST_POINTS), e->w = smaller(e->W, MOST_POINTS);
    e->pixels = smaller(e->H * e->W, PIXELS);
    /* Half the rate of sampling, where one-sided densities have no meaning, is left out. */
    s->times = e->length >= SHORTEST ? (e->length - 1) / 2 : 0;
    s->spaces = e->h >= SMALLEST && e->w >= SMALLEST ? (smaller(e->h, e->w) - 1) / 2 : 0;
    RETC_TRY(RETC_ALLOC(e->movie, e->slab * e->H * e->W));
    RETC_TRY(RETC_ALLOC(e->course, e->pixels * e->length));
    RETC_TRY(RETC_ALLOC(e->window, e->length));
    RETC_TRY(RETC_ALLOC(e->still, e->h * e->w));
    RETC_TRY(RETC_ALLOC(e->time_line, e->length));
    RETC_TRY(RETC_ALLOC(e->bins, e->h * (e->w / 2 + 1) + e->length / 2 + 1));
    RETC_TRY(RETC_ALLOC(e->ring_count, s->spaces + 1));
    RETC_TRY(RETC_ALLOC(s->time_frequency, s->times + 1));
    RETC_TRY(RETC_ALLOC(s->time_power, s->times + 1));
    RETC_TRY(RETC_ALLOC(s->space_frequency, s->spaces + 1));
    RETC_TRY(RETC_ALLOC(s->space_power, s->spaces + 1));
    for (size_t t = 0; t < e->length; ++t)
        e->window[t] = hann(t, e->length);
    e->time_plan = fftw_plan_dft_r2c_1d((int)e->length, e->time_line, e->bins, FFTW_ESTIMATE);
    e->space_plan = fftw_plan_dft_r2c_2d((int)e->h, (int)e->w, e->still, e->bins, FFTW_ESTIMATE);
    if (!e->time_plan || !e->space_plan)
        status = RETC_FAIL(RETC_ENOMEM, "FFTW made no plan for %zu frames of %zu x %zu pixels", e->length, e->h, e->w);

done:
    return status;
}

static void
release(estimate *e) {
    fftw_destroy_plan(e->time_plan);
    fftw_destroy_plan(e->space_plan);
    retc_free(e->movie);
    retc_free(e->course);
    retc_free(e->window);
    retc_free(e->still);
    retc_free(e->time_line);
    retc_free(e->bins);
    retc_free(e->ring_count);
}

static double
contrast(float level) {
    return ((double)level - RETC_MEAN_GREY) / RETC_MEAN_GREY;
}

static double
square(const fftw_complex z) {
    return z[0] * z[0] + z[1] * z[1];
}

/* Sums and extremes of n levels. */
static void
add_levels(estimate *e, retc_movie_spectrum *s, const float *level, size_t n) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; ++i) {
        double x = (double)level[i] - RETC_MEAN_GREY;
        sum += x;
        squares += x * x;
        s->minimum = fmin(s->minimum, (double)level[i]);
        s->maximum = fmax(s->maximum, (double)level[i]);
    }
    e->sum += sum;
    e->squares += squares;
    e->n += (double)n;
}

/* The spatial powers of the middle of one frame (H,W); rings are as wide as the coarser frequency step of the two axes. */
static void
add_still(estimate *e, retc_movie_spectrum *s, const float *frame) {
    size_t top = (e->H - e->h) / 2, left = (e->W - e->w) / 2, least = smaller(e->h, e->w);
    double mean = 0;
    for (size_t i = 0; i < e->h * e->w; ++i)
        mean += contrast(frame[(top + i / e->w) * e->W + left + i % e->w]) / (double)(e->h * e->w);
    for (size_t i = 0; i < e->h * e->w; ++i)
        e->still[i] =
            (contrast(frame[(top + i / e->w) * e->W + left + i % e->w]) - mean) * hann(i / e->w, e->h) * hann(i % e->w, e->w);
    fftw_execute(e->space_plan);
    for (size_t p = 0; p < e->h; ++p) {
        double fy = (double)(p <= e->h / 2 ? p : e->h - p) * (double)least / (double)e->h;
        for (size_t q = 0; q <= e->w / 2; ++q) {
            double fx = (double)q * (double)least / (double)e->w, weight = q == 0 || 2 * q == e->w ? 1 : 2;
            size_t ring = (size_t)(sqrt(fy * fy + fx * fx) + 0.5);
            if (ring < 1 || ring > s->spaces)
                continue;
            s->space_power[ring - 1] += weight * square(e->bins[p * (e->w / 2 + 1) + q]);
            e->ring_count[ring - 1] += weight;
        }
    }
    ++e->stills;
}

static int
read_stretch(estimate *e, retc_movie_spectrum *s, size_t t0) {
    int status = RETC_OK;
    size_t pixels = e->H * e->W, every = e->length / smaller(STILLS, e->length);
    for (size_t done = 0; done < e->length; done += e->slab) {
        size_t n = smaller(e->slab, e->length - done);
        RETC_TRY(retc_stimulus_read(e->stimulus, t0 + done, n, e->movie));
        add_levels(e, s, e->movie, n * pixels);
        for (size_t t = 0; t < n; ++t) {
            const float *frame = e->movie + t * pixels;
            for (size_t p = 0; p < e->pixels; ++p)
                e->course[p * e->length + done + t] = contrast(frame[(2 * p + 1) * pixels / (2 * e->pixels)]);
            if (s->spaces > 0 && (done + t) % every == 0)
                add_still(e, s, frame);
        }
    }

done:
    return status;
}

static void
add_courses(estimate *e, retc_movie_spectrum *s) {
    for (size_t p = 0; p < e->pixels && s->times > 0; ++p) {
        const double *course = e->course + p * e->length;
        double mean = 0;
        for (size_t t = 0; t < e->length; ++t)
            mean += course[t] / (double)e->length;
        for (size_t t = 0; t < e->length; ++t)
            e->time_line[t] = (course[t] - mean) * e->window[t];
        fftw_execute(e->time_plan);
        for (size_t k = 1; k <= s->times; ++k)
            s->time_power[k - 1] += 2 * square(e->bins[k]);
    }
}

/* From sums of squares of transforms to densities. */
static void
scale(const estimate *e, retc_movie_spectrum *s, double frame_interval, double pixel_size) {
    double pixel = pixel_size / 1000, n = (double)(e->h * e->w); /* mm; points of a still */
    for (size_t k = 1; k <= s->times; ++k) {
        s->time_frequency[k - 1] = (double)k / ((double)e->length * frame_interval);
        s->time_power[k - 1] *= frame_interval / ((double)e->length * (double)(e->stretches * e->pixels));
    }
    for (size_t k = 1; k <= s->spaces; ++k) {
        s->space_frequency[k - 1] = (double)k / ((double)smaller(e->h, e->w) * pixel);
        s->space_power[k - 1] *= pixel * pixel / n / fmax(1, e->ring_count[k - 1]);
    }
    s->mean = RETC_MEAN_GREY + e->sum / e->n;
    s->std = sqrt(fmax(0, e->squares / e->n - (e->sum / e->n) * (e->sum / e->n)));
}

int
retc_movie_spectrum_estimate(retc_stimulus *stimulus, double pixel_size, retc_movie_spectrum *spectrum) {
    int status = RETC_OK;
    estimate e = {.stimulus = stimulus};
    *spectrum = (retc_movie_spectrum){.minimum = (double)INFINITY, .maximum = -(double)INFINITY};
    RETC_TRY(prepare(&e, spectrum));
    for (size_t i = 0; i < e.stretches; ++i) {
        size_t t0 = e.stretches > 1 ? i * (e.T - e.length) / (e.stretches - 1) : 0;
        RETC_TRY(read_stretch(&e, spectrum, t0));
        add_courses(&e, spectrum);
    }
    scale(&e, spectrum, retc_stimulus_layout_of(stimulus)->frame_interval, pixel_size);

done:
    release(&e);
    return status;
}

void
retc_movie_spectrum_clear(retc_movie_spectrum *spectrum) {
    retc_free(spectrum->time_frequency);
    retc_free(spectrum->time_power);
    retc_free(spectrum->space_frequency);
    retc_free(spectrum->space_power);
    *spectrum = (retc_movie_spectrum){0};
}
