/* Contrast adaptation: filters and gains in low and in high contrast, from the flicker of contrast-steps. */
#include <math.h>
#include <string.h>

#include "protocol_index.h"
#include "protocol_internal.h"
#include "stimulus_file.h"

#define INDICES 5
#define SLOPE_RANGE 2.0 /* standard deviations of the low contrast */

/* What is gathered of one contrast. */
typedef struct {
    size_t condition;
    double frames, power, sum; /* frames that are summed over; sums of squares of the contrast, and of itself */
    double *filter;            /* (N,L) sum of counts times contrast k frames before, then of unit norm */
    double *counts;            /* (N) sum */
    double *moments;           /* (N,5) of the filtered contrast g and counts y where |g| is small: n, g, gg, y, gy */
    double *early, *late;      /* (N) rates in the first and the last quarter */
} contrast_sums;

typedef struct {
    retc_recording *recording;
    retc_h5 *file;
    int truth;
    const retc_protocol_response *r;
    size_t L, H, W;
    size_t lag;       /* frames: response frame t, newest stimulus frame t - lag */
    float *movie;     /* a trial's frames */
    float *counts;    /* (N,n) of a trial */
    double *contrast; /* (n) mean contrast of the trial's frames */
    contrast_sums low, high;
} adaptation;

static int
alloc_sums(const adaptation *a, size_t condition, contrast_sums *sums) {
    int status = RETC_OK;
    size_t N = a->r->cells;
    *sums = (contrast_sums){.condition = condition};
    RETC_TRY(RETC_ALLOC(sums->filter, N * a->L));
    RETC_TRY(RETC_ALLOC(sums->counts, N));
    RETC_TRY(RETC_ALLOC(sums->moments, 5 * N));
    RETC_TRY(RETC_ALLOC(sums->early, N));
    RETC_TRY(RETC_ALLOC(sums->late, N));

done:
    return status;
}

static void
free_sums(contrast_sums *sums) {
    retc_free(sums->filter);
    retc_free(sums->counts);
    retc_free(sums->moments);
    retc_free(sums->early);
    retc_free(sums->late);
}

/* Read a trial: counts, and the mean contrast of its frames, one after the other. */
static int
read_trial(adaptation *a, const retc_trial *trial) {
    int status = RETC_OK;
    size_t pixels = a->H * a->W, slab = retc_stimulus_slab(a->H, a->W);
    RETC_TRY(retc_protocol_counts(a->recording, a->file, a->r->part, a->truth, trial->start, trial->frames, a->counts));
    for (size_t t0 = 0; t0 < trial->frames; t0 += slab) {
        size_t n = trial->frames - t0 < slab ? trial->frames - t0 : slab;
        RETC_TRY(retc_recording_stimulus(a->recording, a->r->part, trial->start + t0, n, a->movie));
        for (size_t t = 0; t < n; ++t) {
            double sum = 0;
            for (size_t i = 0; i < pixels; ++i)
                sum += (double)a->movie[t * pixels + i];
            a->contrast[t0 + t] = sum / (double)pixels / RETC_MEAN_GREY - 1;
        }
    }

done:
    return status;
}

/* Correlate counts with contrasts that lie in the same trial. */
static void
correlate(const adaptation *a, size_t n, contrast_sums *sums) {
    size_t L = a->L, first = L - 1 + a->lag;
    for (size_t t = first; t < n; ++t) {
        const double *newest = a->contrast + t - a->lag;
        sums->frames += 1;
        sums->power += *newest * *newest;
        sums->sum += *newest;
        for (size_t j = 0; j < a->r->cells; ++j) {
            double y = (double)a->counts[j * n + t], *h = sums->filter + j * L;
            sums->counts[j] += y;
            for (size_t k = 0; y != 0 && k < L; ++k)
                h[k] += y * newest[-(long)k];
        }
    }
    for (size_t j = 0; j < a->r->cells; ++j)
        for (size_t t = 0; t < n / 4; ++t) {
            sums->early[j] += (double)a->counts[j * n + t];
            sums->late[j] += (double)a->counts[j * n + n - 1 - t];
        }
}

/* Take the mean rate out of the correlations, and scale them to unit norm. */
static void
scale_filters(const adaptation *a, contrast_sums *sums) {
    for (size_t j = 0; j < a->r->cells; ++j) {
        double norm = 0, *h = sums->filter + j * a->L;
        for (size_t k = 0; k < a->L; ++k) {
            h[k] -= sums->counts[j] * sums->sum / sums->frames;
            norm += h[k] * h[k];
        }
        for (size_t k = 0; norm > 0 && k < a->L; ++k)
            h[k] /= sqrt(norm);
    }
}

/* Moments of rate and filtered contrast, where the latter is within what low contrast gives. */
static void
regress(const adaptation *a, size_t n, double most, contrast_sums *sums) {
    size_t L = a->L;
    for (size_t j = 0; j < a->r->cells; ++j)
        for (size_t t = L - 1 + a->lag; t < n; ++t) {
            const double *newest = a->contrast + t - a->lag, *h = sums->filter + j * L;
            double g = 0, y = (double)a->counts[j * n + t], *m = sums->moments + 5 * j;
            for (size_t k = 0; k < L; ++k)
                g += h[k] * newest[-(long)k];
            if (fabs(g) > most)
                continue;
            m[0] += 1, m[1] += g, m[2] += g * g, m[3] += y, m[4] += g * y;
        }
}

static double
slope(const double *m) {
    double spread = m[2] - m[1] * m[1] / m[0];
    return spread > 0 ? (m[4] - m[1] * m[3] / m[0]) / spread : (double)NAN;
}

/* Time of the filter's largest value, s, by the parabola through it; the middle of frame k is k + 1/2 + lag frames before. */
static double
filter_peak(const adaptation *a, const double *h) {
    size_t best = 1;
    for (size_t k = 1; k + 1 < a->L; ++k)
        if (fabs(h[k]) > fabs(h[best]))
            best = k;
    double sign = h[best] < 0 ? -1 : 1, before = sign * h[best - 1], at = sign * h[best], after = sign * h[best + 1];
    double bend = before - 2 * at + after, shift = bend < 0 ? (before - after) / (2 * bend) : 0;
    return ((double)best + (double)a->lag + fmin(fmax(shift, -1), 1)) * retc_recording_frame_interval(a->recording);
}

static int
over_trials(adaptation *a, int pass, double most) {
    int status = RETC_OK;
    for (size_t k = 0; k < a->r->trials.trials; ++k) {
        const retc_trial *trial = &a->r->trials.trial[k];
        contrast_sums *sums = trial->condition == a->low.condition    ? &a->low
                              : trial->condition == a->high.condition ? &a->high
                                                                      : NULL;
        if (!sums || trial->frames < a->L + a->lag)
            continue;
        RETC_TRY(read_trial(a, trial));
        if (pass == 0)
            correlate(a, trial->frames, sums);
        else
            regress(a, trial->frames, most, sums);
    }

done:
    return status;
}

static int
add_results(const adaptation *a, retc_protocol_index **indices, size_t *n) {
    static const char *const names[INDICES][3] = {
        {"gain_ratio", "", "slope of the rate against the filtered stimulus in high over that in low contrast"},
        {"filter_peak_low", "ms", "time of the peak of the filter in low contrast"},
        {"filter_peak_high", "ms", "time of the peak of the filter in high contrast"},
        {"filter_speedup", "ms", "how much earlier the filter peaks in high contrast"},
        {"rate_decay", "", "(e - l) / (e + l) of mean rates early and late after the switch to high contrast"}};
    int status = RETC_OK;
    retc_protocol_index *longer = NULL;
    RETC_TRY(RETC_ALLOC(longer, *n + INDICES));
    memcpy(longer, *indices, *n * sizeof *longer);
    retc_free(*indices);
    *indices = longer;
    for (size_t i = 0; i < INDICES; ++i) {
        retc_protocol_index *index = &longer[*n];
        *index = (retc_protocol_index){names[i][0], names[i][1], names[i][2], NULL};
        RETC_TRY(RETC_ALLOC(index->value, a->r->cells));
        *n += 1;
        for (size_t j = 0; j < a->r->cells; ++j) {
            double low = 1000 * filter_peak(a, a->low.filter + j * a->L),
                   high = 1000 * filter_peak(a, a->high.filter + j * a->L);
            double early = a->high.early[j], late = a->high.late[j];
            const double value[INDICES] = {slope(a->high.moments + 5 * j) / slope(a->low.moments + 5 * j), low, high,
                                           low - high, early + late > 0 ? (early - late) / (early + late) : (double)NAN};
            index->value[j] = a->low.counts[j] > 0 && a->high.counts[j] > 0 ? value[i] : (double)NAN;
        }
    }

done:
    return status;
}

/* The trials of the lowest and of the highest contrast; 0 when this is not the protocol. */
static int
choose_contrasts(const retc_protocol_response *r, size_t *low, size_t *high, size_t *longest) {
    const retc_parameter *contrast = retc_trials_parameter(&r->trials, "contrast");
    *low = *high = *longest = 0;
    if (strcmp(r->trials.protocol, "contrast-steps") != 0 || !contrast || !r->of_frames)
        return 0;
    for (size_t i = 1; i < r->trials.conditions; ++i) {
        *low = contrast->value[i] < contrast->value[*low] ? i : *low;
        *high = contrast->value[i] > contrast->value[*high] ? i : *high;
    }
    for (size_t k = 0; k < r->trials.trials; ++k)
        *longest = r->trials.trial[k].frames > *longest ? r->trials.trial[k].frames : *longest;
    return contrast->value[*low] > 0 && contrast->value[*low] < contrast->value[*high];
}

int
retc_protocol_adaptation(retc_recording *recording, const retc_protocol_response_options *options, double history,
                         const retc_protocol_response *response, retc_protocol_index **indices, size_t *n) {
    int status = RETC_OK;
    adaptation a = {.recording = recording, .truth = options->truth, .r = response, .lag = 1};
    size_t low, high, longest;
    if (!choose_contrasts(response, &low, &high, &longest))
        return RETC_OK;
    a.H = retc_recording_height(recording);
    a.W = retc_recording_width(recording);
    a.L = (size_t)fmax(3, round(history / retc_recording_frame_interval(recording)));
    RETC_TRY(RETC_GOT(a.file = retc_h5_open(retc_recording_path(recording))));
    RETC_TRY(alloc_sums(&a, low, &a.low));
    RETC_TRY(alloc_sums(&a, high, &a.high));
    RETC_TRY(RETC_ALLOC(a.movie, retc_stimulus_slab(a.H, a.W) * a.H * a.W));
    RETC_TRY(RETC_ALLOC(a.counts, response->cells * longest));
    RETC_TRY(RETC_ALLOC(a.contrast, longest));
    RETC_TRY(over_trials(&a, 0, 0));
    if (!(a.low.frames > 0) || !(a.high.frames > 0))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: trials of %zu frames are too short for filters of %zu; set a smaller --history",
                           retc_recording_path(recording), longest, a.L));
    double most = SLOPE_RANGE * sqrt(a.low.power / a.low.frames);
    scale_filters(&a, &a.low);
    scale_filters(&a, &a.high);
    RETC_TRY(over_trials(&a, 1, most));
    RETC_TRY(add_results(&a, indices, n));

done:
    retc_h5_close(a.file);
    free_sums(&a.low);
    free_sums(&a.high);
    retc_free(a.movie);
    retc_free(a.counts);
    retc_free(a.contrast);
    return status;
}
