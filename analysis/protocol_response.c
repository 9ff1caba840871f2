#include "protocol_response.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "h5.h"
#include "protocol_internal.h"
#include "stimulus_file.h"

/* Of the stimulus as many values are kept as 64 MB hold; beyond that it is left out. */
#define MOST_STIMULUS ((size_t)16 << 20)

/* A computation: where counts come from, and sums over trials. */
typedef struct {
    retc_recording *recording;
    const retc_protocol_response_options *options;
    retc_protocol_response *response;
    retc_h5 *file;
    double frame;         /* s */
    size_t frames;        /* of the part */
    size_t frames_in_bin; /* with trials in frames */
    size_t bins_after;
    double *trials_of;   /* (C,B) that a bin's sum is over */
    double *time_before; /* (N) s that the baseline's sum is over */
} computation;

void
retc_protocol_response_default(retc_protocol_response_options *options) {
    *options = (retc_protocol_response_options){.part = "auto", .before = 0.2, .after = 0.5};
}

double
retc_protocol_response_duration(const retc_protocol_response *response, size_t condition) {
    double longest = 0;
    for (size_t k = 0; k < response->trials.trials; ++k)
        if (response->trials.trial[k].condition == condition)
            longest = fmax(longest, response->trials.trial[k].duration);
    return longest;
}

void
retc_protocol_response_free(retc_protocol_response *response) {
    retc_trials_free(&response->trials);
    for (size_t j = 0; response->name && j < response->cells; ++j)
        retc_free(response->name[j]);
    retc_free(response->name);
    retc_free(response->type);
    retc_free(response->shown);
    retc_free(response->psth);
    retc_free(response->rate);
    retc_free(response->baseline);
    retc_free(response->stimulus);
    *response = (retc_protocol_response){0};
}

/* ---- trials ---------------------------------------------------------------------------------------------------------- */

static int
read_trials(computation *c) {
    static const char *const parts[2] = {"train", "test"};
    retc_protocol_response *r = c->response;
    const char *asked = c->options->part;
    if (c->options->trials) {
        r->part = strcmp(asked, "test") == 0 ? RETC_TEST : RETC_TRAIN;
        return retc_trials_read_text(c->options->trials, &r->trials);
    }
    r->of_frames = 1;
    for (int part = 1; part >= 0; --part)
        if ((strcmp(asked, "auto") == 0 || strcmp(asked, parts[part]) == 0) && retc_trials_has(c->file, parts[part])) {
            r->part = (retc_part)part;
            c->frames = retc_recording_frames(c->recording, r->part);
            return retc_trials_read(c->file, parts[part], c->frames, &r->trials);
        }
    return RETC_FAIL(
        RETC_EFORMAT, "%s: there are no trials%s%s; make its stimulus with a protocol of retcodec stimulus, or give --trials",
        retc_recording_path(c->recording), strcmp(asked, "auto") ? " in part " : "", strcmp(asked, "auto") ? asked : "");
}

/* The shortest gap between two trials, s; infinite with one trial. */
static double
shortest_gap(const computation *c) {
    const retc_trials *trials = &c->response->trials;
    double shortest = (double)INFINITY;
    for (size_t k = 1; k < trials->trials; ++k) {
        const retc_trial *trial = &trials->trial[k];
        double gap = c->response->of_frames ? (double)(trial->start - trial[-1].start - trial[-1].frames) * c->frame
                                            : trial->onset - trial[-1].onset - trial[-1].duration;
        shortest = fmin(shortest, fmax(gap, 0));
    }
    return shortest;
}

/* Bins of a trial itself. */
static size_t
trial_bins(const computation *c, const retc_trial *trial) {
    if (c->response->of_frames)
        return (trial->frames + c->frames_in_bin - 1) / c->frames_in_bin;
    return (size_t)fmax(1, ceil(trial->duration / c->response->bin - 1e-6));
}

/* Bins that a trial is looked at: before, in and after it. */
static size_t
shown_bins(const computation *c, const retc_trial *trial) {
    return c->response->bins_before + trial_bins(c, trial) + c->bins_after;
}

static int
lay_out(computation *c) {
    int status = RETC_OK;
    retc_protocol_response *r = c->response;
    const retc_protocol_response_options *o = c->options;
    double gap = shortest_gap(c), bin = o->bin > 0 ? o->bin : c->frame;
    size_t most = 0;
    c->frames_in_bin = (size_t)fmax(1, round(bin / c->frame));
    r->bin = r->of_frames ? (double)c->frames_in_bin * c->frame : bin;
    for (size_t k = 0; k < r->trials.trials; ++k) {
        size_t bins = trial_bins(c, &r->trials.trial[k]);
        most = bins > most ? bins : most;
    }
    r->bins_before = (size_t)floor(fmin(o->before, gap) / r->bin + 1e-6);
    c->bins_after = (size_t)floor(fmin(o->after, gap) / r->bin + 1e-6);
    r->bins = r->bins_before + most + c->bins_after;
    size_t N = r->cells = retc_recording_cells(c->recording), C = r->trials.conditions;
    if ((double)N * (double)C * (double)r->bins > 1e9)
        RETC_TRY(RETC_FAIL(RETC_EINVAL,
                           "%zu cells, %zu conditions and %zu bins are too many; ask for fewer --cells or a wider "
                           "--bin",
                           N, C, r->bins));
    RETC_TRY(RETC_ALLOC(r->shown, C));
    RETC_TRY(RETC_ALLOC(r->psth, N * C * r->bins));
    RETC_TRY(RETC_ALLOC(r->rate, N * C));
    RETC_TRY(RETC_ALLOC(r->baseline, N));
    RETC_TRY(RETC_ALLOC(c->trials_of, C * r->bins));
    RETC_TRY(RETC_ALLOC(c->time_before, N));

done:
    return status;
}

/* ---- counts ---------------------------------------------------------------------------------------------------------- */

int
retc_protocol_counts(retc_recording *recording, retc_h5 *file, retc_part part, int truth, size_t t0, size_t n, float *counts) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording);
    if (!truth)
        return retc_recording_counts(recording, part, t0, n, counts);
    const char *name = part == RETC_TRAIN ? "truth/train/rate" : "truth/test/rate";
    const size_t shape[2] = {N, 0}, start[2] = {0, t0}, count[2] = {N, n};
    if (!retc_h5_has(file, "truth") || !retc_h5_has(file, name))
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: there are no true rates; only a simulated retina has them", retc_h5_path(file)));
    RETC_TRY(retc_h5_expect(file, name, 2, shape, NULL));
    RETC_TRY(retc_h5_read(file, name, RETC_H5_FLOAT, start, count, counts));
    for (size_t i = 0; i < N * n; ++i)
        counts[i] *= (float)retc_recording_frame_interval(recording);

done:
    return status;
}

/* Add what cells did in one trial, counts (N,n) of the frames from t0 on. */
static void
add_trial(computation *c, const retc_trial *trial, const float *counts, size_t t0, size_t n) {
    retc_protocol_response *r = c->response;
    size_t C = r->trials.conditions, B = r->bins, q = c->frames_in_bin;
    for (size_t b = 0; b < shown_bins(c, trial); ++b) {
        size_t ahead = r->bins_before * q, from = trial->start + b * q; /* of the bin, shifted by `ahead` */
        if (from < ahead || from - ahead < t0 || from - ahead + q > t0 + n)
            continue;
        c->trials_of[trial->condition * B + b] += 1;
        for (size_t j = 0; j < r->cells; ++j) {
            const float *row = counts + j * n + (from - ahead - t0);
            double sum = 0;
            for (size_t t = 0; t < q; ++t)
                sum += (double)row[t];
            r->psth[(j * C + trial->condition) * B + b] += sum;
            r->baseline[j] += b < r->bins_before ? sum : 0;
            c->time_before[j] += b < r->bins_before ? r->bin : 0;
        }
    }
    for (size_t j = 0; j < r->cells; ++j)
        for (size_t t = trial->start; t < trial->start + trial->frames; ++t)
            r->rate[j * C + trial->condition] += (double)counts[j * n + t - t0] / ((double)trial->frames * c->frame);
    r->shown[trial->condition] += 1;
}

/* Trial by trial, so that memory does not grow with the recording. */
static int
sum_frames(computation *c, const retc_progress *progress) {
    int status = RETC_OK;
    retc_protocol_response *r = c->response;
    float *counts = NULL;
    size_t most = r->bins * c->frames_in_bin;
    RETC_TRY(RETC_ALLOC(counts, r->cells * most));
    for (size_t k = 0; k < r->trials.trials; ++k) {
        const retc_trial *trial = &r->trials.trial[k];
        size_t ahead = r->bins_before * c->frames_in_bin;
        size_t t0 = trial->start > ahead ? trial->start - ahead : 0,
               end = trial->start - (ahead < trial->start ? ahead : trial->start) + most;
        end = end < c->frames ? end : c->frames;
        RETC_TRY(retc_protocol_counts(c->recording, c->file, r->part, c->options->truth, t0, end - t0, counts));
        add_trial(c, trial, counts, t0, end - t0);
        retc_progress_report(progress, k + 1, r->trials.trials, NULL);
    }

done:
    retc_free(counts);
    return status;
}

static size_t
first_from(const double *spike, size_t n, double time) {
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spike[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Add the spikes of cell j, in all trials. */
static void
add_spikes(computation *c, size_t j, const double *spike, size_t n) {
    retc_protocol_response *r = c->response;
    size_t C = r->trials.conditions, B = r->bins;
    for (size_t k = 0; k < r->trials.trials; ++k) {
        const retc_trial *trial = &r->trials.trial[k];
        double start = trial->onset - (double)r->bins_before * r->bin;
        double *psth = r->psth + (j * C + trial->condition) * B;
        for (size_t i = first_from(spike, n, start); i < n; ++i) {
            size_t b = (size_t)floor((spike[i] - start) / r->bin);
            if (b >= shown_bins(c, trial))
                break;
            psth[b] += 1;
            r->baseline[j] += b < r->bins_before;
        }
        size_t within = first_from(spike, n, trial->onset + trial->duration) - first_from(spike, n, trial->onset);
        r->rate[j * C + trial->condition] += (double)within / trial->duration;
        c->time_before[j] += (double)r->bins_before * r->bin;
    }
}

static int
sum_spikes(computation *c, const retc_progress *progress) {
    int status = RETC_OK;
    retc_protocol_response *r = c->response;
    double *spike = NULL;
    for (size_t k = 0; k < r->trials.trials; ++k) {
        size_t condition = r->trials.trial[k].condition;
        r->shown[condition] += 1;
        for (size_t b = 0; b < shown_bins(c, &r->trials.trial[k]); ++b)
            c->trials_of[condition * r->bins + b] += 1;
    }
    for (size_t j = 0; j < r->cells; ++j) {
        size_t n = 0;
        RETC_TRY(retc_recording_spikes(c->recording, j, &n));
        if (n == 0)
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: there are no spike times of %s, which trials from a table need",
                               retc_recording_path(c->recording), retc_recording_cell_name(c->recording, j)));
        RETC_TRY(RETC_ALLOC(spike, n));
        RETC_TRY(retc_recording_spike_times(c->recording, j, 0, n, spike));
        add_spikes(c, j, spike, n);
        retc_free(spike);
        spike = NULL;
        retc_progress_report(progress, j + 1, r->cells, NULL);
    }

done:
    retc_free(spike);
    return status;
}

static void
take_means(computation *c) {
    retc_protocol_response *r = c->response;
    size_t C = r->trials.conditions, B = r->bins;
    for (size_t j = 0; j < r->cells; ++j) {
        r->baseline[j] = c->time_before[j] > 0 ? r->baseline[j] / c->time_before[j] : (double)NAN;
        for (size_t i = 0; i < C; ++i) {
            r->rate[j * C + i] = r->shown[i] ? r->rate[j * C + i] / (double)r->shown[i] : (double)NAN;
            for (size_t b = 0; b < B; ++b) {
                double trials = c->trials_of[i * B + b], *psth = &r->psth[(j * C + i) * B + b];
                *psth = trials > 0 ? *psth / (trials * r->bin) : (double)NAN;
            }
        }
    }
}

/* ---- cells and stimulus ---------------------------------------------------------------------------------------------- */

/* Names, and the types of a simulated retina, when all of its cells are here. */
static int
name_cells(computation *c) {
    int status = RETC_OK;
    retc_protocol_response *r = c->response;
    size_t n = 0;
    RETC_TRY(RETC_ALLOC(r->name, r->cells));
    for (size_t j = 0; j < r->cells; ++j)
        RETC_TRY(RETC_GOT(r->name[j] = retc_strdup(retc_recording_cell_name(c->recording, j))));
    if (!retc_h5_has(c->file, "truth") || !retc_h5_has(c->file, "truth/cells") || !retc_h5_has(c->file, "truth/cells/type"))
        return RETC_OK;
    RETC_TRY(retc_h5_read_texts(c->file, "truth/cells/type", &r->type, &n));
    if (n != r->cells) {
        retc_free(r->type);
        r->type = NULL;
    }

done:
    return status;
}

/* How much the levels of the middle row or column differ from place to place: sum of their variances in n frames. */
static double
structure(const float *movie, size_t n, size_t pixels, size_t first, size_t stride, size_t places) {
    double sum = 0;
    for (size_t t = 0; t < n; ++t) {
        double mean = 0, squares = 0;
        for (size_t i = 0; i < places; ++i) {
            double x = (double)movie[t * pixels + first + i * stride] - RETC_MEAN_GREY;
            mean += x / (double)places;
            squares += x * x / (double)places;
        }
        sum += squares - mean * mean;
    }
    return sum;
}

/* Visit the first trial of each condition: `visit` gets its frames from t0 on, the first of which belongs to bin b0. */
static int
visit_stimulus(computation *c, float *movie, int fill) {
    int status = RETC_OK;
    retc_protocol_response *r = c->response;
    size_t H = retc_recording_height(c->recording), W = retc_recording_width(c->recording), q = c->frames_in_bin;
    double across = 0, up = 0;
    for (size_t i = 0; i < r->trials.conditions; ++i) {
        size_t k = 0;
        while (k < r->trials.trials && r->trials.trial[k].condition != i)
            ++k;
        for (size_t b = 0; k < r->trials.trials && b < r->bins; ++b) {
            size_t at = r->trials.trial[k].start + b * q;
            float *out = fill ? r->stimulus + (i * r->bins + b) * r->places : NULL;
            if (at < r->bins_before * q || at - r->bins_before * q + q > c->frames || b >= shown_bins(c, &r->trials.trial[k])) {
                for (size_t p = 0; fill && p < r->places; ++p)
                    out[p] = NAN;
                for (size_t p = 0; !fill && p < H * W; ++p)
                    movie[b * H * W + p] = (float)RETC_MEAN_GREY;
                continue;
            }
            RETC_TRY(
                retc_recording_stimulus(c->recording, r->part, at - r->bins_before * q, 1, movie + (fill ? 0 : b * H * W)));
            for (size_t p = 0; fill && p < r->places; ++p)
                out[p] = movie[r->upright ? p * W + W / 2 : H / 2 * W + p];
        }
        if (!fill) {
            across += structure(movie, r->bins, H * W, H / 2 * W, 1, W);
            up += structure(movie, r->bins, H * W, W / 2, W, H);
        }
    }
    if (!fill)
        r->upright = up > across * (1 + 1e-9);

done:
    return status;
}

static int
keep_stimulus(computation *c) {
    int status = RETC_OK;
    retc_protocol_response *r = c->response;
    size_t H = retc_recording_height(c->recording), W = retc_recording_width(c->recording);
    float *movie = NULL;
    if (!r->of_frames || r->bins > MOST_STIMULUS / (H * W) || r->trials.conditions * r->bins > MOST_STIMULUS / (H > W ? H : W))
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(movie, r->bins * H * W));
    RETC_TRY(visit_stimulus(c, movie, 0));
    r->places = r->upright ? H : W;
    RETC_TRY(RETC_ALLOC(r->stimulus, r->trials.conditions * r->bins * r->places));
    RETC_TRY(visit_stimulus(c, movie, 1));

done:
    retc_free(movie);
    return status;
}

int
retc_protocol_response_compute(retc_recording *recording, const retc_protocol_response_options *options,
                               const retc_progress *progress, retc_protocol_response *response) {
    int status = RETC_OK;
    computation c = {.recording = recording, .options = options, .response = response};
    *response = (retc_protocol_response){0};
    c.frame = retc_recording_frame_interval(recording);
    RETC_TRY(RETC_GOT(c.file = retc_h5_open(retc_recording_path(recording))));
    RETC_TRY(read_trials(&c));
    if (options->protocol)
        snprintf(response->trials.protocol, sizeof response->trials.protocol, "%s", options->protocol);
    RETC_TRY(lay_out(&c));
    RETC_TRY(response->of_frames ? sum_frames(&c, progress) : sum_spikes(&c, progress));
    take_means(&c);
    RETC_TRY(name_cells(&c));
    RETC_TRY(keep_stimulus(&c));

done:
    retc_h5_close(c.file);
    retc_free(c.trials_of);
    retc_free(c.time_before);
    return status;
}
