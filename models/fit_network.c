/* The network for a recording, as a fit starts from it. */
#include "centres.h"
#include "fit.h"
#include "model_file.h"
#include "stream.h"

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

/* What the network takes over from the recording before it has layers. */
static int
take_recording(retc_recording *recording, const retc_fit_options *options, retc_network *network) {
    int status = RETC_OK;
    network->lag = options->lag;
    network->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(retc_recording_stimulus_norm(recording, &network->stimulus_mean, &network->stimulus_std));
    for (size_t j = 0; j < network->N; ++j)
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
done:
    return status;
}

/* Centres of receptive fields (N,2), into the network: from the file, else from the spikes. */
static int
find_centres(retc_recording *recording, const retc_fit_options *options, retc_network *network) {
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(network->centre, 2 * network->N));
    status = options->centres
                 ? retc_centres_read(options->centres, network->N, network->H, network->W, network->centre)
                 : retc_centres_estimate(recording, options->history, options->lag, options->threads, NULL, network->centre);
done:
    return status;
}

static int
build(retc_recording *recording, const retc_fit_options *options, const retc_architecture *architecture,
      retc_network **result) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording);
    double *rate = NULL, mean = 0;
    retc_network *network;
    RETC_TRY(
        RETC_GOT(*result = network = retc_network_alloc(architecture->name, options->history, retc_recording_height(recording),
                                                        retc_recording_width(recording), N)));
    RETC_TRY(take_recording(recording, options, network));
    RETC_TRY(RETC_ALLOC(rate, N));
    RETC_TRY(mean_rates(recording, rate));
    for (size_t j = 0; j < N; ++j)
        mean += rate[j] / (double)N;
    if (!(mean > 0)) {
        status = RETC_FAIL(RETC_EINVAL, "%s: no cell fires in the train part, there is nothing to fit",
                           retc_recording_path(recording));
        goto done;
    }
    if (options->centres || retc_architecture_needs_centres(architecture))
        RETC_TRY(find_centres(recording, options, network));
    RETC_TRY(retc_architecture_build(architecture, options->output_hz > 0 ? options->output_hz : mean, network));
    RETC_TRY(retc_network_init(network, options->seed));
    retc_network_start_at_rates(network, rate);
done:
    retc_free(rate);
    return status;
}

/* A network that was fitted before. */
static int
take_up(retc_recording *recording, const retc_fit_options *options, retc_network **result) {
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(*result = retc_network_open(options->start)));
    retc_network *network = *result;
    RETC_TRY(retc_stream_check(network, recording, 1));
    if (network->L != options->history || network->lag != options->lag)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: the model sees %zu frames at lag %zu, the fit is of %zu frames at lag %zu",
                           options->start, network->L, network->lag, options->history, options->lag));
    network->frame_interval = retc_recording_frame_interval(recording);
    for (size_t j = 0; j < network->N; ++j)
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
done:
    return status;
}

retc_network *
retc_fit_network(retc_recording *recording, const retc_fit_options *options) {
    retc_network *network = NULL;
    retc_architecture preset = {0};
    const retc_architecture *architecture = options->architecture ? options->architecture : &preset;
    int status = RETC_OK;
    if (options->start)
        status = take_up(recording, options, &network);
    else if (!options->architecture)
        status = retc_architecture_open("cnn", &preset);
    if (status == RETC_OK && !options->start)
        status = build(recording, options, architecture, &network);
    retc_architecture_clear(&preset);
    if (status == RETC_OK)
        return network;
    retc_network_free(network);
    return NULL;
}
