#include "glm.h"

#include <math.h>
#include <string.h>

#include "bases.h"
#include "coupling.h"
#include "glm_simulate.h"
#include "lowrank.h"
#include "regression_internal.h"

retc_glm_options
retc_glm_default(void) {
    return (retc_glm_options){.history = 40,
                              .lag = 1,
                              .time_bases = 10,
                              .spike_history = 25,
                              .spike_bases = 8,
                              .smoothness = 1,
                              .spike_ridge = 1e-3,
                              .ridge = {.ridge = -1,
                                        .validation = 0.1,
                                        .pieces = 10,
                                        .seed = 1,
                                        .newton = {.tolerance = 1e-5, .most_steps = 50, .most_products = 500}}};
}

void
retc_spike_filters_clear(retc_spike_filters *filters) {
    retc_free(filters->basis), retc_free(filters->history), retc_free(filters->coupling), retc_free(filters->limit);
    *filters = (retc_spike_filters){0};
}

void
retc_glm_report_clear(retc_glm_report *report) {
    retc_free(report->ridge), retc_free(report->solver.gradient);
    *report = (retc_glm_report){0};
}

/* ---- the design ------------------------------------------------------------------------------------------------------ */

typedef struct {
    retc_design design;
    double *basis, *spike_basis;
    size_t *corner;
    char *pairs;
} glm_design;

/* Raised cosines that run back in time from the newest frame. */
static int
make_time_basis(const retc_glm_options *options, glm_design *d) {
    int status = RETC_OK;
    size_t L = options->history, n = options->time_bases;
    if (n == 0 || n >= L)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(d->basis, n * L));
    retc_raised_cosines(n, L, d->basis, &d->design.bases);
    for (size_t b = 0; b < n; ++b)
        for (size_t k = 0; k < L / 2; ++k) {
            double swap = d->basis[b * L + k];
            d->basis[b * L + k] = d->basis[b * L + L - 1 - k];
            d->basis[b * L + L - 1 - k] = swap;
        }
    RETC_TRY(retc_orthonormalise(n, L, d->basis));
    d->design.basis = d->basis;
done:
    return status;
}

/* Corner of the square around the pixel where the filter w (L,H,W) has most energy, inside the image. */
static void
place(const float *w, size_t L, size_t H, size_t W, size_t rows, size_t columns, size_t *corner) {
    size_t best = 0;
    double most = -1;
    for (size_t p = 0; p < H * W; ++p) {
        double energy = 0;
        for (size_t k = 0; k < L; ++k)
            energy += (double)w[k * H * W + p] * (double)w[k * H * W + p];
        if (energy > most)
            most = energy, best = p;
    }
    size_t y = best / W, x = best % W;
    corner[0] = y < rows / 2 ? 0 : y - rows / 2 + rows > H ? H - rows : y - rows / 2;
    corner[1] = x < columns / 2 ? 0 : x - columns / 2 + columns > W ? W - columns : x - columns / 2;
}

/* The neighbourhood of each cell: around the peak of a filter that is corrected for the correlations of the stimulus. */
static int
place_cells(retc_recording *recording, const retc_glm_options *options, const retc_progress *progress, glm_design *d) {
    int status = RETC_OK;
    size_t H = retc_recording_height(recording), W = retc_recording_width(recording), N = retc_recording_cells(recording);
    size_t side = options->neighbourhood;
    retc_design whole = {.family = RETC_FAMILY_GAUSSIAN,
                         .history = options->history,
                         .lag = options->lag,
                         .bases = d->design.bases,
                         .basis = d->basis,
                         .smoothness = 1,
                         .threads = options->threads};
    retc_ridge_options rough = {.ridge = 0.1, .newton = {.tolerance = 1e-2, .most_steps = 2, .most_products = 100}};
    retc_newton_report report = {0};
    retc_regression *regression = NULL;
    double *theta = NULL, *ridge = NULL;
    float *w = NULL;
    if (side == 0 || (side >= H && side >= W))
        return RETC_OK;
    d->design.rows = side < H ? side : H;
    d->design.columns = side < W ? side : W;
    RETC_TRY(RETC_ALLOC(d->corner, 2 * N));
    RETC_TRY(RETC_ALLOC(ridge, N));
    RETC_TRY(RETC_ALLOC(w, options->history * H * W));
    RETC_TRY(retc_regression_choose(recording, &whole, &rough, progress, &regression, &theta, ridge, &report));
    for (size_t j = 0; j < N; ++j) {
        retc_regression_filter(regression, theta + j * retc_regression_parameters(regression), j, w);
        place(w, options->history, H, W, d->design.rows, d->design.columns, d->corner + 2 * j);
    }
    d->design.corner = d->corner;
done:
    retc_regression_free(regression);
    retc_free(theta), retc_free(ridge), retc_free(w), retc_free(report.gradient);
    return status;
}

static int
make_design(retc_recording *recording, const retc_glm_options *options, const retc_progress *progress, glm_design *d) {
    int status = RETC_OK;
    d->design = (retc_design){.family = RETC_FAMILY_POISSON,
                              .history = options->history,
                              .lag = options->lag,
                              .taps = options->spike_history,
                              .coupling = options->coupling,
                              .smoothness = options->smoothness,
                              .spike_ridge = options->spike_ridge,
                              .threads = options->threads};
    if (options->coupling && options->spike_history == 0)
        return RETC_FAIL(RETC_EINVAL, "coupling filters need a --spike-history of at least one frame");
    RETC_TRY(make_time_basis(options, d));
    if (options->spike_history) {
        size_t n = options->spike_bases < options->spike_history ? options->spike_bases : options->spike_history;
        RETC_TRY(RETC_ALLOC(d->spike_basis, n * options->spike_history));
        retc_raised_cosines(options->spike_bases, options->spike_history, d->spike_basis, &d->design.spike_bases);
        d->design.spike_basis = d->spike_basis;
    }
    RETC_TRY(place_cells(recording, options, progress, d));
done:
    return status;
}

/* ---- what was fitted ------------------------------------------------------------------------------------------------- */

static int
make_network(retc_recording *recording, const glm_design *d, const retc_regression *regression, const double *theta,
             retc_network **result) {
    int status = RETC_OK;
    size_t H = retc_recording_height(recording), W = retc_recording_width(recording), N = retc_recording_cells(recording);
    size_t J = d->design.history * H * W, P = retc_regression_parameters(regression);
    retc_network *network;
    RETC_TRY(RETC_GOT(*result = network = retc_network_alloc("glm", d->design.history, H, W, N)));
    network->lag = d->design.lag;
    network->frame_interval = retc_recording_frame_interval(recording);
    RETC_TRY(retc_recording_stimulus_norm(recording, &network->stimulus_mean, &network->stimulus_std));
    RETC_TRY(retc_network_add_conv(network, N, 0, 0, 1, 0));
    RETC_TRY(retc_network_add_simple(network, RETC_LAYER_EXP));
    RETC_TRY(retc_network_add_scale(network, 1 / network->frame_interval, 0));
    RETC_TRY(retc_network_finish(network));
    for (size_t j = 0; j < N; ++j) {
        RETC_TRY(retc_network_set_cell_name(network, j, retc_recording_cell_name(recording, j)));
        retc_regression_filter(regression, theta + j * P, j, retc_network_values(network, network->layer[0].weight) + j * J);
        retc_network_values(network, network->layer[0].bias)[j] = (float)theta[(j + 1) * P - 1];
    }
done:
    return status;
}

static int
take_spike_filters(const glm_design *d, size_t N, double dt, const retc_regression *regression, const double *theta,
                   retc_spike_filters *spikes) {
    int status = RETC_OK;
    size_t taps = d->design.taps, P = retc_regression_parameters(regression);
    *spikes = (retc_spike_filters){.N = N, .taps = taps, .bases = d->design.spike_bases};
    if (taps == 0)
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(spikes->basis, spikes->bases * taps));
    memcpy(spikes->basis, d->spike_basis, spikes->bases * taps * sizeof *spikes->basis);
    RETC_TRY(RETC_ALLOC(spikes->history, N * taps));
    if (d->design.coupling)
        RETC_TRY(RETC_ALLOC(spikes->coupling, N * N * taps));
    RETC_TRY(RETC_ALLOC(spikes->limit, N));
    for (size_t j = 0; j < N; ++j) {
        RETC_TRY(retc_regression_limit(regression, j, &spikes->limit[j]));
        spikes->limit[j] = fmin(spikes->limit[j] / dt, retc_glm_fastest);
        retc_regression_spike_filter(regression, theta + j * P, j, j, spikes->history + j * taps);
        for (size_t i = 0; d->design.coupling && i < N; ++i)
            if (i != j)
                retc_regression_spike_filter(regression, theta + j * P, j, i, spikes->coupling + (j * N + i) * taps);
    }
done:
    return status;
}

/* Choose which cells are coupled, and fit again with these filters alone. */
static int
choose_pairs(retc_recording *recording, const retc_glm_options *options, glm_design *d, retc_glm_report *report,
             retc_regression **regression, double *theta) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n = 0, N = retc_recording_cells(recording), P = retc_regression_parameters(*regression);
    double *ridge = NULL;
    RETC_TRY(RETC_ALLOC(d->pairs, N * N));
    RETC_TRY(RETC_ALLOC(ridge, N));
    RETC_TRY(retc_coupling_choose(recording, &d->design, &options->ridge, report->ridge, theta, N * P, d->pairs));
    d->design.pairs = d->pairs;
    report->pairs = 0;
    for (size_t i = 0; i < N * N; ++i)
        report->pairs += d->pairs[i] != 0;
    retc_regression_free(*regression);
    *regression = NULL;
    RETC_TRY(retc_design_spans(recording, &d->design, &spans, &n));
    RETC_TRY(RETC_GOT(*regression = retc_regression_alloc(recording, &d->design, spans, n)));
    for (size_t j = 0; j < N; ++j) {
        retc_regression_project(*regression, j, theta + j * P);
        ridge[j] = report->ridge[j] * retc_regression_weight(*regression, j);
    }
    retc_free(report->solver.gradient);
    RETC_TRY(retc_regression_fit(*regression, ridge, &options->ridge.newton, theta, &report->solver));
done:
    retc_free(spans), retc_free(ridge);
    return status;
}

/* From filters of full rank to the best ones of low rank. */
static int
lower_rank(const retc_glm_options *options, retc_glm_report *report, retc_regression *regression, double *theta) {
    int status = RETC_OK;
    double *ridge = NULL;
    RETC_TRY(RETC_ALLOC(ridge, regression->N));
    for (size_t j = 0; j < regression->N; ++j)
        ridge[j] = report->ridge[j] * retc_regression_weight(regression, j);
    retc_free(report->solver.gradient);
    RETC_TRY(retc_lowrank_fit(regression, options->rank, ridge, &options->ridge.newton, theta, &report->solver));
done:
    retc_free(ridge);
    return status;
}

static int
fit(retc_recording *recording, const retc_glm_options *options, const retc_progress *progress, retc_network **network,
    retc_spike_filters *spikes, retc_glm_report *report) {
    int status = RETC_OK;
    size_t N = retc_recording_cells(recording);
    glm_design d = {0};
    retc_regression *regression = NULL;
    double *theta = NULL;
    RETC_TRY(make_design(recording, options, progress, &d));
    RETC_TRY(RETC_ALLOC(report->ridge, N));
    RETC_TRY(retc_regression_choose(recording, &d.design, &options->ridge, progress, &regression, &theta, report->ridge,
                                    &report->solver));
    report->pairs = options->coupling ? N * (N - 1) : 0;
    if (options->coupling && options->sparse)
        RETC_TRY(choose_pairs(recording, options, &d, report, &regression, theta));
    if (retc_lowrank_restricts(regression, options->rank))
        RETC_TRY(lower_rank(options, report, regression, theta));
    report->parameters = retc_regression_parameters(regression);
    report->windows = retc_regression_windows(regression);
    RETC_TRY(make_network(recording, &d, regression, theta, network));
    RETC_TRY(take_spike_filters(&d, N, retc_recording_frame_interval(recording), regression, theta, spikes));
done:
    retc_regression_free(regression);
    retc_free(theta), retc_free(d.basis), retc_free(d.spike_basis), retc_free(d.corner), retc_free(d.pairs);
    return status;
}

retc_network *
retc_glm_fit(retc_recording *recording, const retc_glm_options *options, const retc_progress *progress,
             retc_spike_filters *spikes, retc_glm_report *report) {
    retc_network *network = NULL;
    *spikes = (retc_spike_filters){0};
    *report = (retc_glm_report){0};
    if (fit(recording, options, progress, &network, spikes, report) < 0) {
        retc_network_free(network);
        retc_spike_filters_clear(spikes);
        retc_glm_report_clear(report);
        return NULL;
    }
    return network;
}
