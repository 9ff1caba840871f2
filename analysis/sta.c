#include "sta.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

retc_sta_options
retc_sta_options_default(void) {
    return (retc_sta_options){.history = 40, .lag = 1, .shuffles = 200, .alpha = 0.01, .bins = 30};
}

static int
compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Rank, counted from 1, of the maximum that is the level.  The small slack keeps a product that is whole but for rounding. */
static size_t
level_rank(double alpha, size_t shuffles) {
    return (size_t)ceil((1 - alpha) * (double)(shuffles + 1) - 1e-9);
}

static int
check_options(const retc_sta_options *options) {
    if (options->bins == 0)
        return RETC_FAIL(RETC_EINVAL, "a nonlinearity needs at least 1 bin");
    if (options->shuffles == 0)
        return RETC_OK;
    if (!(options->alpha > 0 && options->alpha < 1))
        return RETC_FAIL(RETC_EINVAL, "alpha is %g, it must lie between 0 and 1", options->alpha);
    if (level_rank(options->alpha, options->shuffles) > options->shuffles)
        return RETC_FAIL(RETC_EINVAL, "%zu shuffles cannot show a level of alpha %g; at least %.0f are needed",
                         options->shuffles, options->alpha, ceil(1 / options->alpha - 1e-9) - 1);
    return RETC_OK;
}

static int
set_levels(const retc_sta_options *options, retc_sta *sta) {
    int status = RETC_OK;
    double *sorted = NULL;
    size_t m = options->shuffles;
    RETC_TRY(RETC_ALLOC(sorted, m));
    for (size_t n = 0; n < sta->revcorr.N; ++n) {
        sta->level[n] = (double)NAN;
        if (m == 0)
            continue;
        memcpy(sorted, sta->revcorr.shift_max + n * m, m * sizeof *sorted);
        qsort(sorted, m, sizeof *sorted, compare_doubles);
        sta->level[n] = sorted[level_rank(options->alpha, m) - 1];
    }
done:
    retc_free(sorted);
    return status;
}

/* Peak, and the course and map that cross there.  Of equal values the first in C order is the peak. */
static void
set_peak(retc_sta *sta, size_t cell) {
    size_t L = sta->revcorr.L, W = sta->revcorr.W, area = sta->revcorr.H * W, at = 0;
    const float *values = sta->revcorr.sta + cell * L * area;
    for (size_t i = 0; i < L * area; ++i)
        if (fabsf(values[i]) > fabsf(values[at]))
            at = i;
    size_t k = at / area, pixel = at % area;
    sta->peak[cell * 3] = k;
    sta->peak[cell * 3 + 1] = pixel / W;
    sta->peak[cell * 3 + 2] = pixel % W;
    for (size_t i = 0; i < L; ++i)
        sta->temporal[cell * L + i] = values[i * area + pixel];
    memcpy(sta->spatial + cell * area, values + k * area, area * sizeof *values);
}

static int
alloc_sta(const retc_revcorr *revcorr, retc_sta *sta) {
    int status = RETC_OK;
    size_t N = revcorr->N;
    RETC_TRY(RETC_ALLOC(sta->peak, N * 3));
    RETC_TRY(RETC_ALLOC(sta->temporal, N * revcorr->L));
    RETC_TRY(RETC_ALLOC(sta->spatial, N * revcorr->H * revcorr->W));
    RETC_TRY(RETC_ALLOC(sta->level, N));
    RETC_TRY(RETC_ALLOC(sta->x, N * sta->bins));
    RETC_TRY(RETC_ALLOC(sta->y, N * sta->bins));
    RETC_TRY(RETC_ALLOC(sta->used, N));
done:
    return status;
}

int
retc_sta_estimate(retc_recording *recording, const retc_sta_options *options, const retc_progress *progress, retc_sta *sta) {
    int status = RETC_OK;
    const retc_revcorr_options revcorr = {.part = RETC_TRAIN,
                                          .history = options->history,
                                          .lag = options->lag,
                                          .shifts = options->shuffles,
                                          .seed = options->seed,
                                          .threads = options->threads};
    memset(sta, 0, sizeof *sta);
    sta->bins = options->bins;
    sta->alpha = options->alpha;
    sta->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(check_options(options));
    RETC_TRY(retc_revcorr_estimate(recording, &revcorr, progress, &sta->revcorr));
    RETC_TRY(alloc_sta(&sta->revcorr, sta));
    RETC_TRY(set_levels(options, sta));
    for (size_t n = 0; n < sta->revcorr.N; ++n)
        set_peak(sta, n);
    RETC_TRY(retc_revcorr_nonlinearity(recording, &revcorr, &sta->revcorr, sta->bins, progress, sta->x, sta->y, sta->used));
done:
    if (status < 0)
        retc_sta_clear(sta);
    return status;
}

void
retc_sta_clear(retc_sta *sta) {
    retc_revcorr_clear(&sta->revcorr);
    retc_free(sta->peak);
    retc_free(sta->temporal);
    retc_free(sta->spatial);
    retc_free(sta->level);
    retc_free(sta->x);
    retc_free(sta->y);
    retc_free(sta->used);
    memset(sta, 0, sizeof *sta);
}

double
retc_sta_peak_value(const retc_sta *sta, size_t cell) {
    return (double)sta->temporal[cell * sta->revcorr.L + sta->peak[cell * 3]];
}

int
retc_sta_significant(const retc_sta *sta, size_t cell) {
    return fabs(retc_sta_peak_value(sta, cell)) > sta->level[cell];
}

double
retc_sta_latency(const retc_sta *sta, size_t cell) {
    size_t frames = sta->revcorr.lag + sta->revcorr.L - 1 - sta->peak[cell * 3];
    return (double)frames * sta->frame_interval;
}

static int
write_attributes(const retc_sta *sta, retc_h5 *file) {
    int status = RETC_OK;
    const retc_revcorr *r = &sta->revcorr;
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "sta"));
    RETC_TRY(retc_h5_set_number(file, "/", "frame_interval", sta->frame_interval));
    RETC_TRY(retc_h5_set_int(file, "/", "history", (int64_t)r->L));
    RETC_TRY(retc_h5_set_int(file, "/", "lag", (int64_t)r->lag));
    RETC_TRY(retc_h5_set_int(file, "/", "windows", (int64_t)r->windows));
    RETC_TRY(retc_h5_set_int(file, "/", "shuffles", (int64_t)r->shifts));
    RETC_TRY(retc_h5_set_number(file, "/", "alpha", sta->alpha));
    RETC_TRY(retc_h5_set_number(file, "/", "stimulus_mean", r->mean));
    RETC_TRY(retc_h5_set_number(file, "/", "stimulus_std", r->std));
done:
    return status;
}

static int
write_cells(const retc_sta *sta, const retc_recording *recording, retc_h5 *file) {
    int status = RETC_OK;
    size_t N = sta->revcorr.N;
    int64_t *peak = NULL;
    const char **names = NULL;
    RETC_TRY(RETC_ALLOC(peak, N * 3));
    RETC_TRY(RETC_ALLOC(names, N));
    for (size_t i = 0; i < N * 3; ++i)
        peak[i] = (int64_t)sta->peak[i];
    for (size_t n = 0; n < N; ++n)
        names[n] = retc_recording_cell_name(recording, n);
    RETC_TRY(retc_h5_put(file, "/peak", RETC_H5_INT64, 2, (const size_t[]){N, 3}, peak));
    RETC_TRY(retc_h5_put_texts(file, "/cell_names", N, names));
done:
    retc_free(peak);
    retc_free(names);
    return status;
}

int
retc_sta_write(const retc_sta *sta, const retc_recording *recording, retc_h5 *file) {
    int status = RETC_OK;
    const retc_revcorr *r = &sta->revcorr;
    const size_t all[] = {r->N, r->L, r->H, r->W}, course[] = {r->N, r->L};
    const size_t map[] = {r->N, r->H, r->W}, bins[] = {r->N, sta->bins};
    RETC_TRY(retc_h5_put(file, "/sta", RETC_H5_FLOAT, 4, all, r->sta));
    RETC_TRY(retc_h5_put(file, "/temporal", RETC_H5_FLOAT, 2, course, sta->temporal));
    RETC_TRY(retc_h5_put(file, "/spatial", RETC_H5_FLOAT, 3, map, sta->spatial));
    RETC_TRY(retc_h5_put(file, "/level", RETC_H5_DOUBLE, 1, &r->N, sta->level));
    RETC_TRY(retc_h5_put(file, "/spikes", RETC_H5_DOUBLE, 1, &r->N, r->spikes));
    RETC_TRY(retc_h5_put(file, "/nonlinearity/x", RETC_H5_DOUBLE, 2, bins, sta->x));
    RETC_TRY(retc_h5_put(file, "/nonlinearity/y", RETC_H5_DOUBLE, 2, bins, sta->y));
    RETC_TRY(write_cells(sta, recording, file));
    RETC_TRY(write_attributes(sta, file));
done:
    return status;
}
