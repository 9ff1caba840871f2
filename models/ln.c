#include "ln.h"

#include "reverse_correlation.h"

/* Knots beyond those used repeat the last one, behind which the function is flat anyway; no knots: a rate of zero. */
static void
set_knots(size_t bins, const double *x, const double *y, size_t used, float *knot_x, float *knot_y) {
    for (size_t b = 0; b < bins; ++b) {
        size_t from = b < used ? b : used - 1;
        knot_x[b] = used ? (float)x[from] : 0;
        knot_y[b] = used ? (float)y[from] : 0;
    }
}

static int
fit(retc_recording *recording, size_t history, size_t lag, size_t bins, size_t threads, const retc_progress *progress,
    retc_network **result) {
    int status = RETC_OK;
    retc_revcorr_options options = {.part = RETC_TRAIN, .history = history, .lag = lag, .threads = threads};
    retc_revcorr estimate = {0};
    double *x = NULL, *y = NULL;
    size_t *used = NULL, N = retc_recording_cells(recording);
    retc_network *network = NULL;
    double spikes = 0;
    RETC_TRY(retc_revcorr_estimate(recording, &options, progress, &estimate));
    for (size_t j = 0; j < N; ++j)
        spikes += estimate.spikes[j];
    if (!(spikes > 0))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: no cell fires in the train part, there is nothing to fit",
                           retc_recording_path(recording)));
    RETC_TRY(RETC_ALLOC(x, N * bins));
    RETC_TRY(RETC_ALLOC(y, N * bins));
    RETC_TRY(RETC_ALLOC(used, N));
    RETC_TRY(retc_revcorr_nonlinearity(recording, &options, &estimate, bins, progress, x, y, used));
    RETC_TRY(RETC_GOT(*result = network = retc_network_alloc("ln", history, estimate.H, estimate.W, N)));
    network->lag = lag;
    network->stimulus_mean = estimate.mean;
    network->stimulus_std = estimate.std;
    network->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(retc_network_add_conv(network, N, 0, 0, 0, 0));
    RETC_TRY(retc_network_add_piecewise(network, bins));
    RETC_TRY(retc_network_finish(network));
    retc_revcorr_unit_filters(&estimate, retc_network_values(network, network->layer[0].weight));
    for (size_t j = 0; j < N; ++j) {
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
        set_knots(bins, x + j * bins, y + j * bins, used[j], retc_network_values(network, network->layer[1].weight) + j * bins,
                  retc_network_values(network, network->layer[1].bias) + j * bins);
    }
done:
    retc_revcorr_clear(&estimate);
    retc_free(x);
    retc_free(y);
    retc_free(used);
    return status;
}

retc_network *
retc_ln_fit(retc_recording *recording, size_t history, size_t lag, size_t bins, size_t threads, const retc_progress *progress) {
    retc_network *network = NULL;
    if (fit(recording, history, lag, bins, threads, progress, &network) < 0) {
        retc_network_free(network);
        return NULL;
    }
    return network;
}
