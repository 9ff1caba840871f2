#include "fit_glm_arguments.h"

#include <string.h>

#include "model_file.h"

retc_fit_glm_arguments
retc_fit_glm_default(void) {
    retc_ln_options ln = retc_ln_default();
    return (retc_fit_glm_arguments){
        .filter = "ridge", .bins = ln.bins, .ridge = ln.ridge.ridge, .smoothness = ln.smoothness, .glm = retc_glm_default()};
}

/* What a fit leaves beside the network. */
typedef struct {
    retc_ln_report ln;
    retc_glm_report glm;
    retc_spike_filters spikes;
} fit_result;

static void
clear(fit_result *result) {
    retc_ln_report_clear(&result->ln);
    retc_glm_report_clear(&result->glm);
    retc_spike_filters_clear(&result->spikes);
}

int
retc_fit_glm_is(const char *model) {
    return strcmp(model, "ln") == 0 || strcmp(model, "glm") == 0;
}

static void
take_ridge(const retc_fit_glm_arguments *arguments, const retc_fit_options *fit, retc_ridge_options *ridge) {
    ridge->ridge = arguments->ridge < 0 ? -1 : arguments->ridge;
    ridge->validation = fit->validation;
    ridge->pieces = fit->validation_pieces;
    ridge->seed = fit->seed;
}

static int
run(const retc_fit_glm_arguments *arguments, const char *model, retc_recording *recording, const retc_fit_options *fit,
    const retc_progress *progress, retc_network **network, fit_result *result) {
    if (strcmp(model, "glm") == 0) {
        retc_glm_options glm = arguments->glm;
        glm.history = fit->history, glm.lag = fit->lag, glm.threads = fit->threads;
        glm.smoothness = arguments->smoothness;
        glm.coupling = glm.coupling || glm.sparse;
        take_ridge(arguments, fit, &glm.ridge);
        *network = retc_glm_fit(recording, &glm, progress, &result->spikes, &result->glm);
        return RETC_GOT(*network);
    }
    retc_ln_options ln = retc_ln_default();
    ln.history = fit->history, ln.lag = fit->lag, ln.threads = fit->threads;
    ln.bins = arguments->bins;
    ln.filter = strcmp(arguments->filter, "sta") == 0 ? RETC_LN_STA : RETC_LN_RIDGE;
    ln.smoothness = arguments->smoothness;
    take_ridge(arguments, fit, &ln.ridge);
    *network = retc_ln_fit_with(recording, &ln, progress, &result->ln);
    return RETC_GOT(*network);
}

static double
largest(const double *x, size_t n) {
    double most = x[0];
    for (size_t i = 1; i < n; ++i)
        most = x[i] > most ? x[i] : most;
    return most;
}

static void
say(const fit_result *result, const retc_common *common, const retc_network *network) {
    const double *ridge = result->glm.ridge ? result->glm.ridge : result->ln.ridge;
    const retc_newton_report *solver = result->glm.ridge ? &result->glm.solver : &result->ln.solver;
    if (!ridge)
        return;
    if (result->glm.ridge)
        retc_say(common, "glm: %zu parameters per cell, %zu frames\n", result->glm.parameters, result->glm.windows);
    if (result->spikes.coupling)
        retc_say(common, "coupling: %zu of %zu pairs\n", result->glm.pairs, network->N * (network->N - 1));
    if (result->spikes.limit) {
        retc_say(common, "highest rates (Hz):");
        for (size_t j = 0; j < network->N; ++j)
            retc_say(common, " %.3g", result->spikes.limit[j]);
        retc_say(common, "\n");
    }
    retc_say(common, "penalties of the cells:");
    for (size_t j = 0; j < network->N; ++j)
        retc_say(common, " %.2g", ridge[j]);
    retc_say(common,
             "\nlast fit: %zu Newton step%s, %zu products with the second derivative, largest gradient %.1e per spike\n",
             solver->steps, solver->steps == 1 ? "" : "s", solver->products, largest(solver->gradient, network->N));
}

static int
converged(const fit_result *result) {
    return (!result->glm.ridge || result->glm.solver.converged) && (!result->ln.ridge || result->ln.solver.converged);
}

static int
write_model(const retc_network *network, const fit_result *result, const retc_common *common,
            const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_h5 *file = retc_h5_create(common->output, common->force);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_network_write(network, file));
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "model"));
    RETC_TRY(retc_h5_set_int(file, "/", "converged", converged(result)));
    if (result->glm.ridge)
        RETC_TRY(retc_glm_write(&result->spikes, &result->glm, file));
    RETC_TRY(retc_command_finish(file, common, provenance));
done:
    retc_h5_close(file);
    return status;
}

int
retc_fit_glm_command(const retc_fit_glm_arguments *arguments, const char *model, const char *path,
                     const retc_recording_arguments *open, const retc_fit_options *fit, const retc_common *common,
                     const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    fit_result result = {0};
    RETC_TRY(retc_recording_arguments_open(open, common, path, &recording));
    RETC_TRY(run(arguments, model, recording, fit, retc_meter_start("fit", common->quiet), &network, &result));
    retc_meter_stop();
    RETC_TRY(write_model(network, &result, common, provenance));
    say(&result, common, network);
    retc_say(common, "%s: %s model of %zu cell%s, history %zu frames, lag %zu\n", common->output, network->model_type,
             network->N, network->N == 1 ? "" : "s", network->L, network->lag);
    if (!converged(&result)) {
        retc_say(common, "the solver stopped before its tolerance was reached\n");
        status = RETC_NOT_CONVERGED;
    }
done:
    retc_meter_stop();
    clear(&result);
    retc_network_free(network);
    retc_recording_close(recording);
    return status;
}
