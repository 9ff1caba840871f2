#include "ln.h"

#include <string.h>

#include "reverse_correlation.h"

retc_ln_options
retc_ln_default(void) {
    return (retc_ln_options){.history = 40,
                             .lag = 1,
                             .bins = 30,
                             .filter = RETC_LN_RIDGE,
                             .smoothness = 1,
                             .ridge = {.ridge = -1,
                                       .validation = 0.1,
                                       .pieces = 10,
                                       .seed = 1,
                                       .newton = {.tolerance = 1e-4, .most_steps = 4, .most_products = 300}}};
}

void
retc_ln_report_clear(retc_ln_report *report) {
    retc_free(report->ridge);
    retc_free(report->solver.gradient);
    *report = (retc_ln_report){0};
}

/* Knots beyond those used repeat the last one, behind which the function is flat anyway; no knots: a rate of zero. */
static void
set_knots(size_t bins, const double *x, const double *y, size_t used, float *knot_x, float *knot_y) {
    for (size_t b = 0; b < bins; ++b) {
        size_t from = b < used ? b : used - 1;
        knot_x[b] = used ? (float)x[from] : 0;
        knot_y[b] = used ? (float)y[from] : 0;
    }
}

/* Put the filters that correct for correlations in place of the STAs. */
static int
correct_filters(retc_recording *recording, const retc_ln_options *options, const retc_progress *progress,
                retc_revcorr *estimate, retc_ln_report *report) {
    int status = RETC_OK;
    retc_design design = {.family = RETC_FAMILY_GAUSSIAN,
                          .history = options->history,
                          .lag = options->lag,
                          .smoothness = options->smoothness,
                          .threads = options->threads};
    retc_regression *regression = NULL;
    double *theta = NULL;
    size_t J = estimate->L * estimate->H * estimate->W;
    RETC_TRY(RETC_ALLOC(report->ridge, estimate->N));
    RETC_TRY(retc_regression_choose(recording, &design, &options->ridge, progress, &regression, &theta, report->ridge,
                                    &report->solver));
    for (size_t j = 0; j < estimate->N; ++j)
        retc_regression_filter(regression, theta + j * retc_regression_parameters(regression), j, estimate->sta + j * J);
done:
    retc_regression_free(regression);
    retc_free(theta);
    return status;
}

static int
build(retc_recording *recording, const retc_revcorr *estimate, const retc_ln_options *options, const double *x, const double *y,
      const size_t *used, retc_network **result) {
    int status = RETC_OK;
    size_t N = estimate->N, bins = options->bins;
    retc_network *network;
    RETC_TRY(RETC_GOT(*result = network = retc_network_alloc("ln", estimate->L, estimate->H, estimate->W, N)));
    network->lag = options->lag;
    network->stimulus_mean = estimate->mean;
    network->stimulus_std = estimate->std;
    network->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(retc_network_add_conv(network, N, 0, 0, 0, 0));
    RETC_TRY(retc_network_add_piecewise(network, bins));
    RETC_TRY(retc_network_finish(network));
    retc_revcorr_unit_filters(estimate, retc_network_values(network, network->layer[0].weight));
    for (size_t j = 0; j < N; ++j) {
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
        set_knots(bins, x + j * bins, y + j * bins, used[j], retc_network_values(network, network->layer[1].weight) + j * bins,
                  retc_network_values(network, network->layer[1].bias) + j * bins);
    }
done:
    return status;
}

static int
fit(retc_recording *recording, const retc_ln_options *o, const retc_progress *progress, retc_network **result,
    retc_ln_report *report) {
    int status = RETC_OK;
    retc_revcorr_options options = {.part = RETC_TRAIN, .history = o->history, .lag = o->lag, .threads = o->threads};
    retc_revcorr estimate = {0};
    double *x = NULL, *y = NULL, spikes = 0;
    size_t *used = NULL, N = retc_recording_cells(recording);
    RETC_TRY(retc_revcorr_estimate(recording, &options, progress, &estimate));
    for (size_t j = 0; j < N; ++j)
        spikes += estimate.spikes[j];
    if (!(spikes > 0))
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "%s: no cell fires in the train part, there is nothing to fit",
                           retc_recording_path(recording)));
    if (o->filter == RETC_LN_RIDGE)
        RETC_TRY(correct_filters(recording, o, progress, &estimate, report));
    RETC_TRY(RETC_ALLOC(x, N * o->bins));
    RETC_TRY(RETC_ALLOC(y, N * o->bins));
    RETC_TRY(RETC_ALLOC(used, N));
    RETC_TRY(retc_revcorr_nonlinearity(recording, &options, &estimate, o->bins, progress, x, y, used));
    RETC_TRY(build(recording, &estimate, o, x, y, used, result));
done:
    retc_revcorr_clear(&estimate);
    retc_free(x);
    retc_free(y);
    retc_free(used);
    return status;
}

retc_network *
retc_ln_fit_with(retc_recording *recording, const retc_ln_options *options, const retc_progress *progress,
                 retc_ln_report *report) {
    retc_network *network = NULL;
    *report = (retc_ln_report){0};
    if (fit(recording, options, progress, &network, report) < 0) {
        retc_network_free(network);
        retc_ln_report_clear(report);
        return NULL;
    }
    return network;
}

retc_network *
retc_ln_fit(retc_recording *recording, size_t history, size_t lag, size_t bins, size_t threads, const retc_progress *progress) {
    retc_ln_options options = retc_ln_default();
    retc_ln_report report;
    options.history = history, options.lag = lag, options.bins = bins, options.threads = threads;
    options.filter = RETC_LN_STA;
    return retc_ln_fit_with(recording, &options, progress, &report);
}
