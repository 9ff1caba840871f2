/* Counts and spike times: rates, how they drift, cells that are alike, intervals between spikes. */
#include <gsl/gsl_cdf.h>
#include <math.h>

#include "quality_internal.h"

/* Frames, and spike times, that are read in one go. */
enum { SLAB = 4096, SPIKES = 65536 };

/* Counts that differ from a whole number by more than this are none. */
#define WHOLE 1e-3

/* Width of the windows of the peak rate, s. */
#define PEAK_WINDOW 0.1

/* Fewer bins per quarter than this say little about the spread in it; more than 15 are not drawn. */
enum { MOST_BINS_PER_QUARTER = RETC_QUALITY_BINS / RETC_QUARTERS };

/* ---- rates over time ------------------------------------------------------------------------------------------------- */

/* Make room for the rates of `units` frames or repeats, in bins of whole units; 4 bins or a multiple where there are enough. */
static int
make_bins(size_t units, retc_quality *quality) {
    int status = RETC_OK;
    size_t per_quarter = units / RETC_QUARTERS < MOST_BINS_PER_QUARTER ? units / RETC_QUARTERS : MOST_BINS_PER_QUARTER;
    quality->bins = per_quarter > 0 ? per_quarter * RETC_QUARTERS : units;
    RETC_TRY(RETC_ALLOC(quality->rate, quality->cells * quality->bins));
    RETC_TRY(RETC_ALLOC(quality->rate_time, quality->bins));
done:
    return status;
}

/* Counts in `bins` become rates: units of `duration` s each. */
static void
set_rates(size_t units, double duration, retc_quality *quality) {
    size_t B = quality->bins;
    for (size_t n = 0; n < quality->cells; ++n)
        for (size_t b = 0; b < B; ++b) {
            size_t in_bin = (b + 1) * units / B - b * units / B;
            quality->rate[n * B + b] /= (double)in_bin * duration;
        }
}

/* The rate of each quarter is the mean over its bins; their spread gives the interval (Student's t). */
static void
set_quarters(retc_quality *quality) {
    size_t per_quarter = quality->bins / RETC_QUARTERS;
    for (size_t n = 0; n < quality->cells && per_quarter > 0; ++n) {
        retc_quality_cell *cell = &quality->cell[n];
        for (size_t q = 0; q < RETC_QUARTERS; ++q) {
            const double *rate = quality->rate + n * quality->bins + q * per_quarter;
            double mean = 0, squares = 0, m = (double)per_quarter;
            for (size_t b = 0; b < per_quarter; ++b)
                mean += rate[b] / m;
            for (size_t b = 0; b < per_quarter; ++b)
                squares += (rate[b] - mean) * (rate[b] - mean);
            cell->quarter[q] = mean;
            if (per_quarter < 2)
                continue;
            double reach = gsl_cdf_tdist_Pinv(0.975, m - 1) * sqrt(squares / (m - 1) / m);
            cell->quarter_low[q] = mean - reach;
            cell->quarter_high[q] = mean + reach;
        }
    }
}

/* Middle of each bin of frames, on the raw clock if there is one. */
static int
set_bin_times(retc_recording *recording, retc_quality *quality) {
    int status = RETC_OK, raw = 0;
    size_t T = quality->part[RETC_TRAIN].frames, B = quality->bins;
    double *time = NULL;
    RETC_TRY(RETC_ALLOC(time, T));
    RETC_TRY(retc_recording_onsets(recording, RETC_TRAIN, 0, time, &raw));
    if (!raw)
        RETC_TRY(retc_recording_time(recording, RETC_TRAIN, time));
    for (size_t b = 0; b < B; ++b)
        quality->rate_time[b] = (time[b * T / B] + time[(b + 1) * T / B - 1]) / 2;
done:
    retc_free(time);
    return status;
}

/* ---- the train part -------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_quality *quality;
    size_t window, in_window; /* frames of a window of the peak rate; of the one being filled */
    double *recent;           /* (N) spikes in it */
    double *sum, *squares;    /* (N) of counts */
    double *products;         /* (N,N) of counts of two cells, above the diagonal */
    size_t *active;           /* cells that fire in a frame */
} tally;

static int
alloc_tally(retc_quality *quality, tally *t) {
    int status = RETC_OK;
    size_t N = quality->cells;
    double frames = floor(PEAK_WINDOW / quality->frame_interval + 0.5);
    *t = (tally){.quality = quality, .window = frames > 1 ? (size_t)frames : 1};
    RETC_TRY(RETC_ALLOC(t->recent, N));
    RETC_TRY(RETC_ALLOC(t->sum, N));
    RETC_TRY(RETC_ALLOC(t->squares, N));
    RETC_TRY(RETC_ALLOC(t->products, N * N));
    RETC_TRY(RETC_ALLOC(t->active, N));
done:
    return status;
}

static void
free_tally(tally *t) {
    retc_free(t->recent);
    retc_free(t->sum);
    retc_free(t->squares);
    retc_free(t->products);
    retc_free(t->active);
}

static void
end_window(tally *t) {
    double seconds = (double)t->window * t->quality->frame_interval;
    for (size_t n = 0; n < t->quality->cells; ++n) {
        t->quality->cell[n].peak_rate = fmax(t->quality->cell[n].peak_rate, t->recent[n] / seconds);
        t->recent[n] = 0;
    }
    t->in_window = 0;
}

/* Frame i of a slab of counts (N,n), which falls in bin b; most cells are silent in most frames. */
static void
take_frame(tally *t, const float *counts, size_t n, size_t i, size_t b) {
    retc_quality *quality = t->quality;
    size_t N = quality->cells, active = 0;
    for (size_t cell = 0; cell < N; ++cell) {
        double c = (double)counts[cell * n + i];
        if (c == 0)
            continue;
        t->active[active++] = cell;
        quality->fractional += fabs(c - floor(c + 0.5)) > WHOLE;
        t->sum[cell] += c;
        t->squares[cell] += c * c;
        t->recent[cell] += c;
        quality->rate[cell * quality->bins + b] += c;
    }
    for (size_t j = 0; j < active; ++j)
        for (size_t k = 0; k < j; ++k)
            t->products[t->active[k] * N + t->active[j]] +=
                (double)counts[t->active[k] * n + i] * (double)counts[t->active[j] * n + i];
    if (++t->in_window == t->window)
        end_window(t);
}

static void
find_twins(const tally *t) {
    size_t N = t->quality->cells;
    double frames = (double)t->quality->part[RETC_TRAIN].frames;
    for (size_t i = 0; i < N; ++i)
        for (size_t j = i + 1; j < N; ++j) {
            double a = t->squares[i] - t->sum[i] * t->sum[i] / frames, b = t->squares[j] - t->sum[j] * t->sum[j] / frames;
            double r = a > 0 && b > 0 ? (t->products[i * N + j] - t->sum[i] * t->sum[j] / frames) / sqrt(a * b) : (double)NAN;
            retc_quality_cell *cell[2] = {&t->quality->cell[i], &t->quality->cell[j]};
            for (int k = 0; k < 2; ++k)
                if (isfinite(r) && !(cell[k]->twin_r >= r)) {
                    cell[k]->twin_r = r;
                    cell[k]->twin = k ? i : j;
                }
        }
}

static int
look_at_train(retc_recording *recording, retc_quality *quality) {
    int status = RETC_OK;
    size_t N = quality->cells, T = quality->part[RETC_TRAIN].frames, b = 0;
    float *counts = NULL;
    tally t = {0};
    RETC_TRY(make_bins(T, quality));
    RETC_TRY(alloc_tally(quality, &t));
    RETC_TRY(RETC_ALLOC(counts, N * SLAB));
    for (size_t t0 = 0; t0 < T; t0 += SLAB) {
        size_t n = T - t0 < SLAB ? T - t0 : SLAB;
        RETC_TRY(retc_recording_counts(recording, RETC_TRAIN, t0, n, counts));
        for (size_t i = 0; i < n; ++i) {
            while (t0 + i >= (b + 1) * T / quality->bins)
                ++b;
            take_frame(&t, counts, n, i, b);
        }
    }
    for (size_t n = 0; n < N; ++n) {
        quality->cell[n].counted = t.sum[n];
        quality->cell[n].rate = t.sum[n] / quality->part[RETC_TRAIN].duration;
    }
    find_twins(&t);
    set_rates(T, quality->part[RETC_TRAIN].duration / (double)T, quality);
    set_quarters(quality);
    RETC_TRY(set_bin_times(recording, quality));
done:
    retc_free(counts);
    free_tally(&t);
    return status;
}

/* ---- the test part --------------------------------------------------------------------------------------------------- */

/* Without a train part the repeats, in their order, show the drift. */
static void
take_repeats(const float *x, size_t n, retc_quality *quality) {
    size_t T = quality->part[RETC_TEST].frames, R = quality->repeats, b = 0;
    for (size_t r = 0; r < R; ++r) {
        while (r >= (b + 1) * R / quality->bins)
            ++b;
        for (size_t t = 0; t < T; ++t)
            quality->rate[n * quality->bins + b] += (double)x[r * T + t];
    }
}

/* Mean counts, total and highest rate of a cell in its repeats x (R,T). */
static void
take_test_counts(const float *x, size_t n, retc_quality *quality) {
    const retc_quality_part *test = &quality->part[RETC_TEST], *train = &quality->part[RETC_TRAIN];
    size_t T = test->frames, R = quality->repeats;
    double frames = floor(PEAK_WINDOW / quality->frame_interval + 0.5), sum = 0;
    size_t window = frames > 1 ? (size_t)frames : 1;
    float *mean = quality->psth + n * T;
    retc_quality_cell *cell = &quality->cell[n];
    for (size_t t = 0; t < T; ++t) {
        double spikes = 0;
        for (size_t r = 0; r < R; ++r)
            spikes += (double)x[r * T + t];
        mean[t] = (float)(spikes / (double)R);
        sum += spikes;
    }
    cell->peak_rate = 0;
    for (size_t t = 0; t + window <= T; ++t) {
        double spikes = 0;
        for (size_t i = 0; i < window; ++i)
            spikes += (double)mean[t + i];
        cell->peak_rate = fmax(cell->peak_rate, spikes / ((double)window * quality->frame_interval));
    }
    cell->counted += sum;
    cell->rate = cell->counted / (train->duration + (double)R * test->duration);
    if (train->frames == 0)
        take_repeats(x, n, quality);
}

static int
look_at_test(retc_recording *recording, retc_quality *quality) {
    int status = RETC_OK;
    size_t T = quality->part[RETC_TEST].frames, R = quality->repeats;
    int drift = quality->part[RETC_TRAIN].frames == 0;
    float *x = NULL;
    RETC_TRY(RETC_ALLOC(x, R * T));
    RETC_TRY(RETC_ALLOC(quality->psth, quality->cells * T));
    if (drift) {
        quality->rate_part = RETC_TEST;
        RETC_TRY(make_bins(R, quality));
    }
    for (size_t n = 0; n < quality->cells; ++n) {
        RETC_TRY(retc_recording_repeat_counts(recording, n, x));
        take_test_counts(x, n, quality);
    }
    if (!drift)
        goto done;
    set_rates(R, quality->part[RETC_TEST].duration, quality);
    set_quarters(quality);
    for (size_t b = 0; b < quality->bins; ++b)
        quality->rate_time[b] = ((double)b + 0.5) * (double)R / (double)quality->bins * quality->part[RETC_TEST].duration;
done:
    retc_free(x);
    return status;
}

int
retc_quality_look_at_rates(retc_recording *recording, retc_quality *quality) {
    int status = RETC_OK;
    if (quality->part[RETC_TRAIN].frames > 0)
        RETC_TRY(look_at_train(recording, quality));
    if (quality->part[RETC_TEST].frames > 0 && quality->repeats > 0)
        RETC_TRY(look_at_test(recording, quality));
done:
    return status;
}

/* ---- intervals between spikes ---------------------------------------------------------------------------------------- */

static size_t
interval_bin(double interval) {
    double at = interval > 0 ? floor(RETC_QUALITY_PER_DECADE * log10(interval / RETC_QUALITY_FIRST_INTERVAL)) : 0;
    return at < 0 ? 0 : at < RETC_QUALITY_INTERVALS ? (size_t)at : RETC_QUALITY_INTERVALS - 1;
}

static int
look_at_cell(retc_recording *recording, size_t n, double *time, retc_quality_cell *cell) {
    int status = RETC_OK;
    size_t brief[2] = {0, 0};
    double last = 0;
    cell->brief[0] = cell->brief[1] = (double)NAN;
    RETC_TRY(retc_recording_spikes(recording, n, &cell->spikes));
    status = RETC_OK;
    for (size_t first = 0; first < cell->spikes; first += SPIKES) {
        size_t count = cell->spikes - first < SPIKES ? cell->spikes - first : SPIKES;
        RETC_TRY(retc_recording_spike_times(recording, n, first, count, time));
        for (size_t i = 0; i < count; ++i) {
            double interval = time[i] - last;
            last = time[i];
            if (first + i == 0)
                continue;
            cell->equal += interval <= 0;
            brief[0] += interval < 1e-3;
            brief[1] += interval < 2e-3;
            cell->interval[interval_bin(interval)] += 1;
        }
    }
    for (int k = 0; cell->spikes > 1 && k < 2; ++k)
        cell->brief[k] = (double)brief[k] / (double)(cell->spikes - 1);
done:
    return status;
}

int
retc_quality_look_at_spikes(retc_recording *recording, retc_quality *quality) {
    int status = RETC_OK;
    double *time = NULL;
    RETC_TRY(RETC_ALLOC(time, SPIKES));
    for (size_t n = 0; n < quality->cells; ++n)
        RETC_TRY(look_at_cell(recording, n, time, &quality->cell[n]));
done:
    retc_free(time);
    return status;
}
