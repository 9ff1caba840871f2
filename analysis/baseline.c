#include "baseline.h"

#include <math.h>
#include <string.h>

#include "rng.h"

enum { CHUNK = 256 };

static size_t
window_size(const retc_network *network) {
    return network->L * network->H * network->W;
}

static int
baseline_alloc(retc_baseline *baseline, const retc_network *network, size_t n) {
    *baseline = (retc_baseline){.n = n};
    return RETC_ALLOC(baseline->window, n * window_size(network));
}

/* As stimuli are normalised for the network (retc_tape_load). */
static float
normalised(const retc_network *network, float value) {
    return (value - (float)network->stimulus_mean) / (float)network->stimulus_std;
}

retc_baseline
retc_baseline_grey(void) {
    return (retc_baseline){.n = 1};
}

void
retc_baseline_clear(retc_baseline *baseline) {
    retc_free(baseline->window);
    retc_baseline_movie_close(baseline->movie);
    *baseline = (retc_baseline){0};
}

int
retc_baseline_moves(const retc_baseline *baseline) {
    return baseline->blur > 0 || baseline->movie;
}

int
retc_baseline_init_frame(retc_baseline *baseline, const retc_network *network, const float *frame) {
    int status = baseline_alloc(baseline, network, 1);
    size_t pixels = network->H * network->W;
    for (size_t p = 0; p < pixels && status == RETC_OK; ++p) {
        if (!isfinite(frame[p]))
            status = RETC_FAIL(RETC_EINVAL, "the frame to start from is not finite at row %zu, column %zu", p / network->W,
                               p % network->W);
        for (size_t k = 0; k < network->L; ++k)
            baseline->window[k * pixels + p] = normalised(network, frame[p]);
    }
    if (status < 0)
        retc_baseline_clear(baseline);
    return status;
}

int
retc_baseline_init_mean(retc_baseline *baseline, const retc_network *network, retc_recording *recording) {
    int status = RETC_OK;
    size_t pixels = network->H * network->W, T = retc_recording_frames(recording, RETC_TRAIN);
    float *frames = NULL, *mean = NULL;
    double *sum = NULL;
    *baseline = (retc_baseline){0};
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(RETC_ALLOC(frames, CHUNK * pixels));
    RETC_TRY(RETC_ALLOC(mean, pixels));
    RETC_TRY(RETC_ALLOC(sum, pixels));
    for (size_t t = 0, n; t < T; t += n) {
        n = T - t < CHUNK ? T - t : CHUNK;
        RETC_TRY(retc_recording_stimulus(recording, RETC_TRAIN, t, n, frames));
        for (size_t i = 0; i < n * pixels; ++i)
            sum[i % pixels] += (double)frames[i];
    }
    for (size_t p = 0; p < pixels; ++p)
        mean[p] = (float)(sum[p] / (double)T);
    RETC_TRY(retc_baseline_init_frame(baseline, network, mean));
done:
    retc_free(frames);
    retc_free(mean);
    retc_free(sum);
    return status;
}

/* Sample `number` of the spans: the response frame it belongs to. */
static size_t
response_frame(const retc_span *spans, size_t number) {
    while (number >= spans->count)
        number -= spans++->count;
    return spans->first + number;
}

int
retc_baseline_init_windows(retc_baseline *baseline, const retc_network *network, retc_recording *recording, size_t n,
                           uint64_t seed) {
    int status = RETC_OK;
    size_t n_spans = 0, total = 0, size = window_size(network), *order = NULL;
    retc_span *spans = NULL;
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_BASELINES, 0);
    *baseline = (retc_baseline){0};
    RETC_TRY(RETC_GOT(rng));
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, RETC_TRAIN, network->L, network->lag, &spans, &n_spans));
    for (size_t s = 0; s < n_spans; ++s)
        total += spans[s].count;
    RETC_TRY(RETC_ALLOC(order, total));
    for (size_t i = 0; i < total; ++i)
        order[i] = i;
    retc_rng_shuffle(rng, order, total);
    RETC_TRY(baseline_alloc(baseline, network, n));
    for (size_t i = 0; i < n; ++i) {
        size_t t = response_frame(spans, order[i % total]);
        float *window = baseline->window + i * size;
        RETC_TRY(retc_recording_stimulus(recording, RETC_TRAIN, t + 1 - network->lag - network->L, network->L, window));
        for (size_t k = 0; k < size; ++k)
            window[k] = normalised(network, window[k]);
    }
done:
    if (rng)
        gsl_rng_free(rng);
    retc_free(order);
    retc_free(spans);
    if (status < 0)
        retc_baseline_clear(baseline);
    return status;
}

int
retc_baseline_init_blur(retc_baseline *baseline, const retc_network *network, double sigma) {
    *baseline = (retc_baseline){.n = 1, .blur = sigma};
    if (!(sigma > 0) || network->H * network->W < 2)
        return RETC_FAIL(RETC_EINVAL, "a blurred baseline needs a movie of more than one pixel and a width above 0 pixels");
    return RETC_OK;
}

/* ---- what conv0 makes of it ------------------------------------------------------------------------------------------ */

int
retc_baseline_convolve(const retc_baseline *baseline, const retc_network *network, size_t i, float *out) {
    const retc_layer *conv0 = &network->layer[0];
    const float *bias = retc_network_values_const(network, conv0->bias);
    size_t units = retc_layer_units(conv0), pixels = network->H * network->W;
    if (!baseline->window) {
        for (size_t u = 0; u < units; ++u)
            out[u] = bias ? bias[u / (conv0->h * conv0->w)] : 0;
        return RETC_OK;
    }
    retc_tape *tape = retc_tape_alloc(network, 1, 0, NULL);
    if (!tape)
        return RETC_ENOMEM;
    const float *window = baseline->window + i * window_size(network);
    for (size_t p = 0; p < pixels; ++p)
        for (size_t k = 0; k < network->L; ++k)
            tape->movie[p * tape->in_ld + k] = window[k * pixels + p];
    retc_tape_convolve(tape, bias, 1, tape->out[0]);
    for (size_t u = 0; u < units; ++u)
        out[u] = tape->out[0][u * tape->ld];
    retc_tape_free(tape);
    return RETC_OK;
}

int
retc_baseline_starts(const retc_baseline *baseline, const retc_network *network, float **starts) {
    size_t units = retc_layer_units(&network->layer[0]);
    *starts = NULL;
    if (retc_baseline_moves(baseline))
        return RETC_OK;
    int status = RETC_ALLOC(*starts, baseline->n * units);
    for (size_t i = 0; i < baseline->n && status == RETC_OK; ++i)
        status = retc_baseline_convolve(baseline, network, i, *starts + i * units);
    return status;
}

/* Weighted mean along one axis: `count` places, `stride` rows of time apart. */
static void
blur_line(const float *in, size_t count, size_t stride, size_t ld, size_t n, double sigma, float *out) {
    ptrdiff_t reach = (ptrdiff_t)ceil(4 * sigma);
    for (ptrdiff_t at = 0; at < (ptrdiff_t)count; ++at) {
        float *row = out + (size_t)at * stride * ld;
        double total = 0;
        memset(row, 0, n * sizeof *row);
        for (int pass = 0; pass < 2; ++pass)
            for (ptrdiff_t from = at - reach; from <= at + reach; ++from) {
                if (from < 0 || from >= (ptrdiff_t)count)
                    continue;
                double weight = exp(-0.5 * (double)((from - at) * (from - at)) / (sigma * sigma));
                const float *x = in + (size_t)from * stride * ld;
                total += pass ? 0 : weight;
                for (size_t t = 0; pass && t < n; ++t)
                    row[t] += (float)(weight / total) * x[t];
            }
    }
}

void
retc_baseline_blur(const retc_baseline *baseline, const retc_tape *tape, size_t n, float *scratch, float *out) {
    const retc_network *network = tape->network;
    size_t H = network->H, W = network->W, ld = tape->in_ld, count = n + network->L - 1;
    for (size_t x = 0; x < W; ++x)
        blur_line(tape->movie + x * ld, H, W, ld, count, baseline->blur, scratch + x * ld);
    for (size_t y = 0; y < H; ++y)
        blur_line(scratch + y * W * ld, W, 1, ld, count, baseline->blur, out + y * W * ld);
}
