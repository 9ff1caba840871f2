/* One forward transform per pixel and one inverse per pixel and cell give the STA at all lags and, further along the same
 * correlogram, the STAs of shifted responses.  Pixels are independent, and what is reduced over them is a maximum: the
 * result does not depend on how they are shared out to threads. */
#include "reverse_correlation.h"

#include <math.h>
#include <string.h>

#include "gather.h"
#include "parallel.h"
#include "rng.h"
#include "stats.h"
#include "xcorr.h"

/* Memory for the pixels that are taken from the movie at a time, and for a slab of the movie while they are. */
enum { GROUP_BYTES = 256 << 20, SLAB_BYTES = 16 << 20, GENERATOR_BYTES = 32 << 20 };

typedef struct {
    retc_span *spans;
    size_t n_spans, windows;
} window_list;

static int
list_windows(retc_recording *recording, const retc_revcorr_options *options, window_list *list) {
    int status = RETC_OK;
    if (options->history == 0)
        return RETC_FAIL(RETC_EINVAL, "a history of 0 frames has no filter; it must be at least 1");
    RETC_TRY(retc_recording_spans(recording, options->part, options->history, options->lag, &list->spans, &list->n_spans));
    list->windows = 0;
    for (size_t i = 0; i < list->n_spans; ++i)
        list->windows += list->spans[i].count;
done:
    return status;
}

int
retc_revcorr_windows(retc_recording *recording, const retc_revcorr_options *options, size_t *windows) {
    window_list list = {0};
    int status = list_windows(recording, options, &list);
    *windows = list.windows;
    retc_free(list.spans);
    return status;
}

int
retc_revcorr_counts(retc_recording *recording, const retc_revcorr_options *options, float *c) {
    int status = RETC_OK;
    window_list list = {0};
    float *span_counts = NULL;
    size_t N = retc_recording_cells(recording), at = 0;
    RETC_TRY(list_windows(recording, options, &list));
    for (size_t i = 0; i < list.n_spans; ++i) {
        size_t count = list.spans[i].count;
        RETC_TRY(RETC_ALLOC(span_counts, N * count));
        RETC_TRY(retc_recording_counts(recording, options->part, list.spans[i].first, count, span_counts));
        for (size_t n = 0; n < N; ++n)
            memcpy(c + n * list.windows + at, span_counts + n * count, count * sizeof *c);
        at += count;
        retc_free(span_counts);
        span_counts = NULL;
    }
done:
    retc_free(span_counts);
    retc_free(list.spans);
    return status;
}

/* What the threads of an estimate share, and what each has to itself. */
typedef struct {
    retc_xcorr *xcorr;
    double *series;      /* (T) one pixel, normalised */
    double *correlogram; /* (P) */
    double *shift_max;   /* (N,shifts) over this worker's pixels */
} worker;

typedef struct {
    retc_revcorr *result;
    size_t T;
    retc_xcorr *xcorr;
    size_t *shift;                  /* (shifts) frames */
    float *pixels;                  /* (group,T) as stored */
    size_t first_pixel, begin, end; /* pixels begin ... end-1 of the group are worked on */
    size_t n_workers;
    worker *workers;
} estimation;

/* Responses enter the correlation only where their window is whole, so no window crosses the border of a stretch. */
static int
set_responses(retc_recording *recording, const retc_revcorr_options *options, const window_list *list, estimation *e) {
    int status = RETC_OK;
    size_t N = e->result->N, T = e->T;
    float *counts = NULL;
    double *whole = NULL;
    RETC_TRY(RETC_ALLOC(counts, N * T));
    RETC_TRY(RETC_ALLOC(whole, T));
    RETC_TRY(retc_recording_counts(recording, options->part, 0, T, counts));
    for (size_t n = 0; n < N; ++n) {
        memset(whole, 0, T * sizeof *whole);
        for (size_t i = 0; i < list->n_spans; ++i)
            for (size_t t = list->spans[i].first; t < list->spans[i].first + list->spans[i].count; ++t) {
                whole[t] = (double)counts[n * T + t];
                e->result->spikes[n] += whole[t];
            }
        RETC_TRY(retc_xcorr_set(e->xcorr, n, whole));
    }
done:
    retc_free(counts);
    retc_free(whole);
    return status;
}

/* Shifts from L on, so far that the L lags read at a shift neither touch the true ones nor wrap around to them. */
static int
draw_shifts(const retc_revcorr_options *options, estimation *e) {
    int status = RETC_OK;
    gsl_rng *rng = NULL;
    size_t L = options->history, P = retc_xcorr_length(e->xcorr);
    if (options->shifts == 0)
        return RETC_OK;
    if (P < options->lag + 4 * L) {
        return RETC_FAIL(RETC_EINVAL, "%zu frames are too few to shift responses against a history of %zu; ask for 0 shifts",
                         e->T, L);
    }
    RETC_TRY(RETC_ALLOC(e->shift, options->shifts));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(options->seed, RETC_STREAM_SHUFFLE, 0)));
    for (size_t i = 0; i < options->shifts; ++i)
        e->shift[i] = L + gsl_rng_uniform_int(rng, P - options->lag - 2 * L + 1);
done:
    if (rng)
        gsl_rng_free(rng);
    return status;
}

static int
alloc_workers(size_t threads, estimation *e) {
    int status = RETC_OK;
    size_t area = e->result->H * e->result->W;
    e->n_workers = threads ? threads : retc_parallel_processors();
    e->n_workers = e->n_workers < area ? e->n_workers : area;
    RETC_TRY(RETC_ALLOC(e->workers, e->n_workers));
    for (size_t w = 0; w < e->n_workers; ++w) {
        worker *mine = &e->workers[w];
        RETC_TRY(RETC_GOT(mine->xcorr = retc_xcorr_share(e->xcorr)));
        RETC_TRY(RETC_ALLOC(mine->series, e->T));
        RETC_TRY(RETC_ALLOC(mine->correlogram, retc_xcorr_length(e->xcorr)));
        if (e->result->shifts > 0)
            RETC_TRY(RETC_ALLOC(mine->shift_max, e->result->N * e->result->shifts));
    }
done:
    return status;
}

static void
free_estimate(estimation *e) {
    for (size_t w = 0; e->workers && w < e->n_workers; ++w) {
        retc_xcorr_free(e->workers[w].xcorr);
        retc_free(e->workers[w].series);
        retc_free(e->workers[w].correlogram);
        retc_free(e->workers[w].shift_max);
    }
    retc_free(e->workers);
    retc_xcorr_free(e->xcorr);
    retc_free(e->shift);
    retc_free(e->pixels);
}

/* STA of one cell at one pixel, and the largest values at each shift. */
static void
read_correlogram(const estimation *e, const worker *mine, size_t cell, size_t pixel) {
    const retc_revcorr *result = e->result;
    size_t L = result->L, area = result->H * result->W, newest = result->lag;
    double scale = 1 / result->spikes[cell];
    for (size_t k = 0; k < L; ++k)
        result->sta[(cell * L + k) * area + pixel] = (float)(mine->correlogram[newest + L - 1 - k] * scale);
    for (size_t i = 0; i < result->shifts; ++i) {
        double *max = &mine->shift_max[cell * result->shifts + i];
        const double *lags = mine->correlogram + newest + e->shift[i];
        for (size_t k = 0; k < L; ++k)
            if (fabs(lags[k]) * scale > *max)
                *max = fabs(lags[k]) * scale;
    }
}

static int
correlate_pixels(void *context, size_t w) {
    const estimation *e = context;
    worker *mine = &e->workers[w];
    for (size_t p = e->begin + w; p < e->end; p += e->n_workers) {
        const float *pixel = e->pixels + p * e->T;
        for (size_t t = 0; t < e->T; ++t)
            mine->series[t] = ((double)pixel[t] - e->result->mean) / e->result->std;
        retc_xcorr_stimulus(mine->xcorr, mine->series);
        for (size_t n = 0; n < e->result->N; ++n)
            if (e->result->spikes[n] > 0) {
                retc_xcorr_correlate(mine->xcorr, n, mine->correlogram);
                read_correlogram(e, mine, n, e->first_pixel + p);
            }
    }
    return RETC_OK;
}

/* Take `count` pixels from all frames: the movie comes frame by frame, correlation wants pixel by pixel. */
static int
read_pixels(retc_recording *recording, retc_part part, size_t count, estimation *e) {
    int status = RETC_OK;
    float *slab = NULL;
    size_t area = e->result->H * e->result->W, frames = SLAB_BYTES / (area * sizeof *slab) + 1;
    RETC_TRY(RETC_ALLOC(slab, frames * area));
    for (size_t t0 = 0; t0 < e->T; t0 += frames) {
        size_t n = t0 + frames <= e->T ? frames : e->T - t0;
        RETC_TRY(retc_recording_stimulus(recording, part, t0, n, slab));
        for (size_t p = 0; p < count; ++p)
            for (size_t t = 0; t < n; ++t)
                e->pixels[p * e->T + t0 + t] = slab[t * area + e->first_pixel + p];
    }
done:
    retc_free(slab);
    return status;
}

static int
correlate_movie(retc_recording *recording, retc_part part, const retc_progress *progress, estimation *e) {
    int status = RETC_OK;
    size_t area = e->result->H * e->result->W, round = 8 * e->n_workers;
    size_t group = GROUP_BYTES / (e->T * sizeof *e->pixels) + 1;
    group = group < area ? group : area;
    RETC_TRY(RETC_ALLOC(e->pixels, group * e->T));
    for (e->first_pixel = 0; e->first_pixel < area; e->first_pixel += group) {
        size_t count = e->first_pixel + group <= area ? group : area - e->first_pixel;
        RETC_TRY(read_pixels(recording, part, count, e));
        for (e->begin = 0; e->begin < count; e->begin += round) {
            e->end = e->begin + round <= count ? e->begin + round : count;
            RETC_TRY(retc_parallel_for(e->n_workers, e->n_workers, correlate_pixels, e));
            retc_progress_report(progress, e->first_pixel + e->end, area, "pixels");
        }
    }
    for (size_t w = 0; w < e->n_workers; ++w)
        for (size_t i = 0; i < e->result->N * e->result->shifts; ++i)
            if (e->workers[w].shift_max[i] > e->result->shift_max[i])
                e->result->shift_max[i] = e->workers[w].shift_max[i];
done:
    return status;
}

static int
alloc_result(retc_recording *recording, const retc_revcorr_options *options, const window_list *list, retc_revcorr *result) {
    int status = RETC_OK;
    *result = (retc_revcorr){.N = retc_recording_cells(recording),
                             .L = options->history,
                             .H = retc_recording_height(recording),
                             .W = retc_recording_width(recording),
                             .lag = options->lag,
                             .windows = list->windows,
                             .shifts = options->shifts};
    RETC_TRY(retc_recording_stimulus_norm(recording, &result->mean, &result->std));
    RETC_TRY(RETC_ALLOC(result->sta, result->N * result->L * result->H * result->W));
    RETC_TRY(RETC_ALLOC(result->spikes, result->N));
    if (options->shifts > 0)
        RETC_TRY(RETC_ALLOC(result->shift_max, result->N * options->shifts));
done:
    return status;
}

int
retc_revcorr_estimate(retc_recording *recording, const retc_revcorr_options *options, const retc_progress *progress,
                      retc_revcorr *result) {
    int status = RETC_OK;
    window_list list = {0};
    estimation e = {.result = result, .T = retc_recording_frames(recording, options->part)};
    memset(result, 0, sizeof *result);
    RETC_TRY(list_windows(recording, options, &list));
    RETC_TRY(alloc_result(recording, options, &list, result));
    RETC_TRY(RETC_GOT(e.xcorr = retc_xcorr_alloc(e.T, options->lag + options->history - 1)));
    RETC_TRY(draw_shifts(options, &e));
    RETC_TRY(set_responses(recording, options, &list, &e));
    RETC_TRY(alloc_workers(options->threads, &e));
    RETC_TRY(correlate_movie(recording, options->part, progress, &e));
done:
    free_estimate(&e);
    retc_free(list.spans);
    if (status < 0)
        retc_revcorr_clear(result);
    return status;
}

void
retc_revcorr_clear(retc_revcorr *result) {
    retc_free(result->sta);
    retc_free(result->spikes);
    retc_free(result->shift_max);
    memset(result, 0, sizeof *result);
}

/* A block of consecutive windows, time innermost: element (k, pixel) of window i is movie[pixel * ld + i + k]. */
typedef struct {
    size_t n_filters, J, ld, n;
    const float *filters; /* (n_filters,J) */
    const size_t *offset; /* (J) */
    const float *movie;   /* (area,ld) */
    float *out;           /* (n_filters,ldo), first window of the block */
    size_t ldo;
} filter_block;

enum { STRIP = 256 }; /* windows per task */

static int
filter_strip(void *context, size_t i) {
    const filter_block *b = context;
    size_t first = i * STRIP, n = first + STRIP <= b->n ? STRIP : b->n - first;
    retc_gather(b->n_filters, b->J, n, b->filters, b->J, NULL, b->movie + first, b->offset, b->out + first, b->ldo, 0);
    return RETC_OK;
}

typedef struct {
    retc_recording *recording;
    const retc_revcorr_options *options;
    double mean, std;
    size_t area, block; /* windows in a full block */
    float *slab;        /* (block+L-1,area) */
    float *movie;       /* (area,block+L-1) */
} movie_reader;

/* Normalised frames of the windows of responses t0 ... t0+n-1, pixel by pixel. */
static int
read_windows(movie_reader *reader, size_t t0, size_t n) {
    int status = RETC_OK;
    size_t L = reader->options->history, frames = n + L - 1, ld = reader->block + L - 1;
    size_t first = t0 - reader->options->lag - (L - 1);
    RETC_TRY(retc_recording_stimulus(reader->recording, reader->options->part, first, frames, reader->slab));
    for (size_t p = 0; p < reader->area; ++p)
        for (size_t t = 0; t < frames; ++t)
            reader->movie[p * ld + t] = (float)(((double)reader->slab[t * reader->area + p] - reader->mean) / reader->std);
done:
    return status;
}

static int
filter_windows(movie_reader *reader, const window_list *list, filter_block *block, const retc_progress *progress, float *g) {
    int status = RETC_OK;
    size_t done = 0;
    for (size_t i = 0; i < list->n_spans; ++i) {
        const retc_span *span = &list->spans[i];
        for (size_t at = 0; at < span->count; at += block->n) {
            block->n = at + reader->block <= span->count ? reader->block : span->count - at;
            block->out = g + done;
            RETC_TRY(read_windows(reader, span->first + at, block->n));
            RETC_TRY(retc_parallel_for((block->n + STRIP - 1) / STRIP, reader->options->threads, filter_strip, block));
            done += block->n;
            retc_progress_report(progress, done, list->windows, "windows");
        }
    }
done:
    return status;
}

int
retc_revcorr_generator(retc_recording *recording, const retc_revcorr_options *options, double mean, double std,
                       size_t n_filters, const float *filters, const retc_progress *progress, float *g) {
    int status = RETC_OK;
    window_list list = {0};
    size_t *offset = NULL, L = options->history;
    size_t area = retc_recording_height(recording) * retc_recording_width(recording);
    movie_reader reader = {.recording = recording, .options = options, .mean = mean, .std = std, .area = area};
    RETC_TRY(list_windows(recording, options, &list));
    reader.block = (GENERATOR_BYTES / (area * sizeof(float)) / STRIP + 1) * STRIP;
    if (reader.block > list.windows)
        reader.block = list.windows;
    size_t ld = reader.block + L - 1;
    RETC_TRY(RETC_ALLOC(reader.slab, ld * area));
    RETC_TRY(RETC_ALLOC(reader.movie, ld * area));
    RETC_TRY(RETC_ALLOC(offset, L * area));
    for (size_t k = 0; k < L; ++k)
        for (size_t p = 0; p < area; ++p)
            offset[k * area + p] = p * ld + k;
    filter_block block = {.n_filters = n_filters,
                          .J = L * area,
                          .ld = ld,
                          .filters = filters,
                          .offset = offset,
                          .movie = reader.movie,
                          .ldo = list.windows};
    RETC_TRY(filter_windows(&reader, &list, &block, progress, g));
done:
    retc_free(reader.slab);
    retc_free(reader.movie);
    retc_free(offset);
    retc_free(list.spans);
    return status;
}

void
retc_revcorr_unit_filters(const retc_revcorr *estimate, float *filters) {
    size_t J = estimate->L * estimate->H * estimate->W;
    for (size_t n = 0; n < estimate->N; ++n) {
        const float *sta = estimate->sta + n * J;
        double square = 0;
        for (size_t j = 0; j < J; ++j)
            square += (double)sta[j] * (double)sta[j];
        double scale = square > 0 ? 1 / sqrt(square) : 0;
        for (size_t j = 0; j < J; ++j)
            filters[n * J + j] = (float)((double)sta[j] * scale);
    }
}

typedef struct {
    size_t windows, bins;
    const float *g, *c; /* (N,windows) */
    const double *spikes;
    double interval, *x, *y;
    size_t *used;
} binning;

static int
bin_cell(void *context, size_t n) {
    int status = RETC_OK;
    const binning *b = context;
    double *x = b->x + n * b->bins, *y = b->y + n * b->bins;
    b->used[n] = 0;
    if (b->spikes[n] > 0)
        RETC_TRY(retc_equal_bins(b->g + n * b->windows, b->c + n * b->windows, b->windows, b->bins, x, y, &b->used[n]));
    for (size_t i = 0; i < b->used[n]; ++i)
        y[i] /= b->interval;
    for (size_t i = b->used[n]; i < b->bins; ++i)
        x[i] = y[i] = (double)NAN;
done:
    return status;
}

int
retc_revcorr_nonlinearity(retc_recording *recording, const retc_revcorr_options *options, const retc_revcorr *estimate,
                          size_t bins, const retc_progress *progress, double *x, double *y, size_t *used) {
    int status = RETC_OK;
    size_t N = estimate->N, windows = 0;
    float *unit = NULL, *g = NULL, *c = NULL;
    RETC_TRY(retc_revcorr_windows(recording, options, &windows));
    RETC_TRY(RETC_ALLOC(unit, N * estimate->L * estimate->H * estimate->W));
    RETC_TRY(RETC_ALLOC(g, N * windows));
    RETC_TRY(RETC_ALLOC(c, N * windows));
    retc_revcorr_unit_filters(estimate, unit);
    RETC_TRY(retc_revcorr_generator(recording, options, estimate->mean, estimate->std, N, unit, progress, g));
    RETC_TRY(retc_revcorr_counts(recording, options, c));
    binning b = {.windows = windows,
                 .bins = bins,
                 .g = g,
                 .c = c,
                 .spikes = estimate->spikes,
                 .interval = retc_recording_frame_interval(recording),
                 .x = x,
                 .y = y,
                 .used = used};
    RETC_TRY(retc_parallel_for(N, options->threads, bin_cell, &b));
done:
    retc_free(unit);
    retc_free(g);
    retc_free(c);
    return status;
}
