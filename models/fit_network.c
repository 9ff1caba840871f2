/* The convolutional model for a recording, as a fit starts from it. */
#include <math.h>

#include "fit.h"

/* Mean rate of every cell over the train part, Hz. */
static int
mean_rates(retc_recording *recording, double *rate) {
    enum { CHUNK = 4096 };
    size_t N = retc_recording_cells(recording), T = retc_recording_frames(recording, RETC_TRAIN);
    float *count = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(count, N * CHUNK));
    for (size_t t = 0; t < T; t += CHUNK) {
        size_t n = T - t < CHUNK ? T - t : CHUNK;
        RETC_TRY(retc_recording_counts(recording, RETC_TRAIN, t, n, count));
        for (size_t j = 0; j < N; ++j)
            for (size_t k = 0; k < n; ++k)
                rate[j] += (double)count[j * n + k];
    }
    for (size_t j = 0; j < N; ++j)
        rate[j] /= (double)T * retc_recording_frame_interval(recording);
done:
    retc_free(count);
    return status;
}

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static int
add_layers(retc_network *network, const retc_fit_options *options) {
    int status = RETC_OK;
    size_t h = network->H, w = network->W;
    for (size_t i = 0; i < 2; ++i) {
        size_t kh = smaller(options->kernel[i], h), kw = smaller(options->kernel[i], w);
        RETC_TRY(retc_network_add_conv(network, options->channels[i], kh, kw, 1, 0));
        RETC_TRY(retc_network_add_batchnorm(network, 0, 0, 1e-3));
        RETC_TRY(retc_network_add_noise(network, options->noise));
        RETC_TRY(retc_network_add_simple(network, RETC_LAYER_RELU));
        h -= kh - 1, w -= kw - 1;
    }
    retc_network_skip_module(network); /* torch's Flatten */
    RETC_TRY(retc_network_add_conv(network, network->N, 0, 0, 0, 1));
    RETC_TRY(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    RETC_TRY(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
done:
    return status;
}

/* The last batch norm starts where softplus gives each cell's mean rate, with a spread of half a unit. */
static void
start_at_mean_rates(retc_network *network, const double *rate, double output_hz) {
    const retc_layer *norm = &network->layer[network->layers - 3];
    for (size_t j = 0; j < network->N; ++j) {
        double units = fmax(rate[j] / output_hz, 1e-3);
        retc_network_values(network, norm->weight)[j] = 0.5f;
        retc_network_values(network, norm->bias)[j] = (float)log(expm1(units));
    }
}

static int
build(retc_recording *recording, const retc_fit_options *options, retc_network **result) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording);
    double *rate = NULL, mean = 0;
    retc_network *network;
    RETC_TRY(RETC_GOT(*result = network = retc_network_alloc("cnn", options->history, retc_recording_height(recording),
                                                             retc_recording_width(recording), N)));
    network->lag = options->lag;
    network->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(retc_recording_stimulus_norm(recording, &network->stimulus_mean, &network->stimulus_std));
    for (size_t j = 0; j < N; ++j)
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
    RETC_TRY(RETC_ALLOC(rate, N));
    RETC_TRY(mean_rates(recording, rate));
    for (size_t j = 0; j < N; ++j)
        mean += rate[j] / (double)N;
    if (!(mean > 0)) {
        status = RETC_FAIL(RETC_EINVAL, "%s: no cell fires in the train part, there is nothing to fit",
                           retc_recording_path(recording));
        goto done;
    }
    double output_hz = options->output_hz > 0 ? options->output_hz : mean;
    RETC_TRY(add_layers(network, options));
    RETC_TRY(retc_network_add_scale(network, output_hz, 0));
    RETC_TRY(retc_network_finish(network));
    RETC_TRY(retc_network_init(network, options->seed));
    start_at_mean_rates(network, rate, output_hz);
done:
    retc_free(rate);
    return status;
}

retc_network *
retc_fit_network(retc_recording *recording, const retc_fit_options *options) {
    retc_network *network = NULL;
    if (build(recording, options, &network) < 0) {
        retc_network_free(network);
        return NULL;
    }
    return network;
}
