/* Whether cells become slower or faster: the STA of each quarter of the train part, seen through the spatial profile of the
 * whole STA, against that of the first quarter. */
#include <gsl/gsl_spline.h>
#include <math.h>
#include <string.h>

#include "parallel.h"
#include "quality_internal.h"
#include "reverse_correlation.h"

/* The profile is what lies within REACH pixels of the peak. */
enum { REACH = 5, SLAB_BYTES = 16 << 20 };

/* Shifts are looked for up to this many frames, in steps of this many. */
#define MOST_SHIFT 5.0
#define SHIFT_STEP 0.02

/* Peaks of a quarter's filter must exceed this many standard deviations of what chance gives, to be followed. */
#define CLEAR 5.0

typedef struct {
    size_t k, row[2], column[2];                     /* peak index; rows and columns of the profile, ends excluded */
    float weight[(2 * REACH + 1) * (2 * REACH + 1)]; /* of unit norm */
    int clear;
    double squares, frames, spikes[RETC_QUARTERS];
    float *projected; /* (frames of a block) movie through the profile */
} profile;

typedef struct {
    const retc_revcorr *sta;
    const float *movie, *counts; /* (n+L-1,H,W) as stored, (N,n) */
    size_t n, first, frames;     /* response frames first ... first+n-1 of `frames` */
    profile *cell;
    double *filter; /* (N,quarters,L) */
} pass;

static size_t
least(size_t a, size_t b) {
    return a < b ? a : b;
}

static void
set_profile(const retc_revcorr *sta, size_t n, profile *p) {
    size_t area = sta->H * sta->W, at = 0;
    const float *values = sta->sta + n * sta->L * area;
    double norm = 0;
    for (size_t i = 0; i < sta->L * area; ++i)
        if (fabsf(values[i]) > fabsf(values[at]))
            at = i;
    size_t row = at % area / sta->W, column = at % sta->W;
    p->k = at / area;
    p->row[0] = row - least(row, REACH), p->row[1] = least(row + REACH + 1, sta->H);
    p->column[0] = column - least(column, REACH), p->column[1] = least(column + REACH + 1, sta->W);
    size_t i = 0;
    for (size_t y = p->row[0]; y < p->row[1]; ++y)
        for (size_t x = p->column[0]; x < p->column[1]; ++x)
            p->weight[i++] = values[p->k * area + y * sta->W + x];
    for (size_t k = 0; k < i; ++k)
        norm += (double)p->weight[k] * (double)p->weight[k];
    for (size_t k = 0; k < i && norm > 0; ++k)
        p->weight[k] /= (float)sqrt(norm);
    /* Of so many values the largest exceeds sqrt(2 ln n) standard deviations by little unless there is a receptive field. */
    double chance = sqrt(2 * log((double)(sta->L * area) + 1)) + 3;
    p->clear = norm > 0 && fabs((double)values[at]) * sqrt(sta->spikes[n]) > chance;
}

/* One cell's share of a block. */
static int
correlate(void *context, size_t n) {
    const pass *block = context;
    const retc_revcorr *sta = block->sta;
    profile *p = &block->cell[n];
    size_t L = sta->L, area = sta->H * sta->W;
    if (!p->clear)
        return RETC_OK;
    for (size_t t = 0; t < block->n + L - 1; ++t) {
        const float *weight = p->weight;
        double sum = 0;
        for (size_t y = p->row[0]; y < p->row[1]; ++y)
            for (size_t x = p->column[0]; x < p->column[1]; ++x)
                sum += (double)*weight++ * ((double)block->movie[t * area + y * sta->W + x] - sta->mean) / sta->std;
        p->projected[t] = (float)sum;
    }
    for (size_t t = 0; t < block->n; ++t) {
        double c = (double)block->counts[n * block->n + t], newest = (double)p->projected[t + L - 1];
        size_t quarter = (block->first + t) * RETC_QUARTERS / block->frames;
        double *filter = block->filter + (n * RETC_QUARTERS + quarter) * L;
        p->squares += newest * newest;
        p->frames += 1;
        p->spikes[quarter] += c;
        for (size_t k = 0; c > 0 && k < L; ++k)
            filter[k] += c * (double)p->projected[t + k];
    }
    return RETC_OK;
}

static int
pass_over_train(retc_recording *recording, size_t threads, pass *all) {
    int status = RETC_OK;
    size_t L = all->sta->L, N = all->sta->N, area = all->sta->H * all->sta->W, n_spans = 0;
    size_t slab = least(SLAB_BYTES / (area * sizeof(float)) + 1, 65536);
    retc_span *spans = NULL;
    float *movie = NULL, *counts = NULL;
    RETC_TRY(retc_recording_spans(recording, RETC_TRAIN, L, 0, &spans, &n_spans));
    RETC_TRY(RETC_ALLOC(movie, (slab + L - 1) * area));
    RETC_TRY(RETC_ALLOC(counts, N * slab));
    for (size_t n = 0; n < N; ++n)
        RETC_TRY(RETC_ALLOC(all->cell[n].projected, slab + L - 1));
    all->movie = movie;
    all->counts = counts;
    for (size_t i = 0; i < n_spans; ++i)
        for (size_t done = 0; done < spans[i].count; done += all->n) {
            all->n = least(slab, spans[i].count - done);
            all->first = spans[i].first + done;
            RETC_TRY(retc_recording_stimulus(recording, RETC_TRAIN, all->first - (L - 1), all->n + L - 1, movie));
            RETC_TRY(retc_recording_counts(recording, RETC_TRAIN, all->first, all->n, counts));
            RETC_TRY(retc_parallel_for(N, threads, correlate, all));
        }
done:
    for (size_t n = 0; n < N; ++n)
        retc_free(all->cell[n].projected);
    retc_free(spans);
    retc_free(movie);
    retc_free(counts);
    return status;
}

/* Correlation of a (L) and b (L, as a spline) moved by `shift` frames towards the past, where both are known. */
static double
overlap(const double *a, gsl_spline *b, gsl_interp_accel *accel, size_t L, double shift) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t k = 0; k < L; ++k) {
        double at = (double)k - shift;
        if (at < 0 || at > (double)(L - 1))
            continue;
        double value = gsl_spline_eval(b, at, accel);
        ab += a[k] * value;
        aa += a[k] * a[k];
        bb += value * value;
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : -1;
}

/* By how many frames later, further in the past, `b` lies than `a`; both (L), oldest first. */
static int
find_shift(const double *a, const double *b, size_t L, double *shift) {
    int status = RETC_OK;
    double *k = NULL, best = -HUGE_VAL, most = fmin(MOST_SHIFT, (double)L / 4);
    gsl_spline *spline = NULL;
    gsl_interp_accel *accel = NULL;
    RETC_TRY(RETC_ALLOC(k, L));
    for (size_t i = 0; i < L; ++i)
        k[i] = (double)i;
    spline = gsl_spline_alloc(gsl_interp_cspline, L);
    accel = gsl_interp_accel_alloc();
    if (!spline || !accel || gsl_spline_init(spline, k, b, L) != 0)
        RETC_TRY(RETC_FAIL(RETC_ENOMEM, "out of memory for a spline"));
    long steps = (long)(most / SHIFT_STEP);
    for (long i = -steps; i <= steps; ++i) {
        double r = overlap(a, spline, accel, L, (double)i * SHIFT_STEP);
        if (r > best) {
            best = r;
            *shift = (double)i * SHIFT_STEP;
        }
    }
done:
    gsl_spline_free(spline);
    gsl_interp_accel_free(accel);
    retc_free(k);
    return status;
}

static int
set_shifts(const pass *all, size_t n, double frame_interval, retc_quality_cell *cell) {
    int status = RETC_OK;
    const profile *p = &all->cell[n];
    size_t L = all->sta->L;
    int clear[RETC_QUARTERS] = {0};
    if (!p->clear)
        return RETC_OK;
    cell->latency = (double)(L - 1 - p->k) * frame_interval;
    for (size_t q = 0; q < RETC_QUARTERS; ++q) {
        const double *filter = all->filter + (n * RETC_QUARTERS + q) * L;
        double peak = 0;
        for (size_t k = 0; k < L; ++k)
            peak = fmax(peak, fabs(filter[k]));
        clear[q] = peak > CLEAR * sqrt(p->squares / p->frames * p->spikes[q]);
    }
    for (size_t q = 0; q < RETC_QUARTERS && clear[0]; ++q) {
        double shift = 0;
        if (q > 0 && clear[q])
            RETC_TRY(find_shift(all->filter + n * RETC_QUARTERS * L, all->filter + (n * RETC_QUARTERS + q) * L, L, &shift));
        if (clear[q])
            cell->shift[q] = shift * frame_interval;
    }
done:
    return status;
}

/* Shorter filters have no shape that a shift could be read from. */
enum { LEAST_HISTORY = 8 };

int
retc_quality_look_at_latencies(retc_recording *recording, const retc_quality_options *options, retc_quality *quality) {
    int status = RETC_OK;
    const retc_revcorr_options revcorr = {
        .part = RETC_TRAIN, .history = options->history, .seed = options->seed, .threads = options->threads};
    retc_revcorr sta = {0};
    pass all = {.sta = &sta, .frames = quality->part[RETC_TRAIN].frames};
    if (!options->latency || options->history < LEAST_HISTORY || quality->part[RETC_TRAIN].longest < options->history ||
        !(quality->stimulus.std > 0))
        return RETC_OK;
    RETC_TRY(retc_revcorr_estimate(recording, &revcorr, NULL, &sta));
    RETC_TRY(RETC_ALLOC(all.cell, sta.N));
    RETC_TRY(RETC_ALLOC(all.filter, sta.N * RETC_QUARTERS * sta.L));
    for (size_t n = 0; n < sta.N; ++n)
        set_profile(&sta, n, &all.cell[n]);
    RETC_TRY(pass_over_train(recording, options->threads, &all));
    for (size_t n = 0; n < sta.N; ++n)
        RETC_TRY(set_shifts(&all, n, quality->frame_interval, &quality->cell[n]));
done:
    retc_revcorr_clear(&sta);
    retc_free(all.cell);
    retc_free(all.filter);
    return status;
}
