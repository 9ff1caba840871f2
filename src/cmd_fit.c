#include <string.h>
#include <unistd.h>

#include "command.h"
#include "fit.h"
#include "fit_glm_arguments.h"
#include "fit_members_arguments.h"
#include "fit_network_arguments.h"
#include "fit_training_arguments.h"
#include "model_file.h"
#include "recording_arguments.h"

typedef struct {
    const char *recording, *model;
    retc_fit_glm_arguments solved;
    int resume;
    double checkpoint_interval;
    retc_fit_options fit;
    retc_fit_network_arguments network;
    retc_fit_training_arguments training;
    retc_fit_members_arguments members;
    size_t networks;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "fit", "fit a model of the retina to a recording",
    "Fits the train part.  \"ln\": reverse correlation, corrected for the correlations of the stimulus, and a static "
    "nonlinearity.  \"glm\": stimulus filter, spike history and coupling, exponential, with Poisson spikes (Pillow et al. "
    "2008), by Newton's method.  \"cnn\": the network that --network "
    "names, by Adam on the loss of spike counts, in batches of contiguous blocks of time; contiguous pieces of the "
    "train part are held out and the epoch that predicts them best is kept.\n\n"
    "A network is a table of layers.  Those that have names:\n\n" RETC_FIT_NETWORKS_TEXT "\n\n"
    "--print-network writes such a table, which explains itself; edited, it is given to --network.\n\n"
    "--start goes on from a model instead, for example from a published checkpoint that retcodec convert has read, on a "
    "recording of as many cells.\n\n"
    "While it runs, OUTPUT.checkpoint holds its state; after a kill, --resume goes on from there to the same model.\n\n"
    "A loss, gradient or parameter that is not finite, or a loss that stays far above its best, ends the fit: the best epoch "
    "is written, with the step and the parameter as attributes diverged_at and diverged_in.\n\n"
    "--seeds 5 fits five networks that differ by their seeds.  The model file is that of the best, by held-out loss, for every "
    "command that wants one network, and holds all five, for predict --ensemble, which averages their rates.  --folds 5 "
    "instead cross-validates: each frame of the train part is held out by one of five networks, with gaps as long as the "
    "history around it, and the table says how well each cell is predicted there.\n\n"
    "Exit code 3 says that the limit on epochs was reached while the validation loss still fell, or that the fit diverged "
    "after an epoch worth keeping.",
    "retcodec fit recording.h5 --model cnn --history 40 -o model.h5"};

/* What a fit gives: `ensemble` when several networks were asked for, else `report`. */
typedef struct {
    retc_network *network;
    retc_fit_report report;
    retc_ensemble ensemble;
} result;

static const retc_fit_report *
report_of(const result *r) {
    return r->ensemble.members ? &r->ensemble.member[r->ensemble.best].report : &r->report;
}

static int
fit_cnn(const options *o, retc_recording *recording, const retc_provenance *provenance, const retc_progress *progress,
        result *r) {
    int status = RETC_OK;
    char *path = NULL;
    RETC_TRY(RETC_GOT(path = retc_strf("%s.checkpoint", o->common.output)));
    if (!o->resume && !o->common.force && access(path, F_OK) == 0)
        RETC_TRY(
            RETC_FAIL(RETC_EIO, "%s is left of a fit that did not end; --resume goes on from it, --force starts anew", path));
    retc_fit_checkpoint checkpoint = {path, o->resume, provenance, o->checkpoint_interval};
    if (o->networks > 1) {
        RETC_TRY(retc_ensemble_fit(recording, &o->fit, &o->members.options, &checkpoint, progress, &r->network, &r->ensemble));
    } else {
        RETC_TRY(RETC_GOT(r->network = retc_fit_network(recording, &o->fit)));
        RETC_TRY(retc_fit_run(r->network, recording, &o->fit, &checkpoint, progress, &r->report));
    }
done:
    retc_free(path);
    return status;
}

static void
say_cnn(const options *o, const retc_network *network, const retc_fit_report *report) {
    const retc_fit_epoch *best = &report->epoch[report->best];
    if (report->resumed_at)
        retc_say(&o->common, "resumed after epoch %zu\n", report->resumed_at);
    retc_say(&o->common, "%s: %zu parameters, %zu frames to train, %zu held out, %.2f ms a step\n", network->model_type,
             retc_network_trainable(network), report->train_frames, report->validation_frames, report->step_seconds * 1e3);
    if (report->validation_frames)
        retc_say(&o->common, "best of %zu epochs: %zu, %s loss %.4f (train %.4f), held-out r %.3f per frame, mean over cells\n",
                 report->epochs, report->best + 1, o->training.loss, best->validation_loss, best->train_loss,
                 best->validation_r);
    else
        retc_say(&o->common, "best of %zu epochs: %zu, %s loss of the train part %.4f\n", report->epochs, report->best + 1,
                 o->training.loss, best->train_loss);
}

/* Neither divergence nor, while the loss still fell, the limit on epochs ended it; an LN model has no epochs. */
static int
report_converged(const retc_fit_report *report) {
    return report->epochs == 0 || (report->best + 1 < report->epochs && !report->diverged);
}

static int
converged(const result *r) {
    int all = report_converged(report_of(r));
    for (size_t m = 0; m < r->ensemble.members; ++m)
        all &= report_converged(&r->ensemble.member[m].report);
    return all;
}

static int
write_model(const options *o, result *r, const retc_provenance *provenance) {
    int status = RETC_OK;
    const retc_fit_report *report = report_of(r);
    retc_h5 *file = retc_h5_create(o->common.output, o->common.force);
    if (!file)
        return RETC_EIO;
    RETC_TRY(retc_network_write(r->network, file));
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "model"));
    RETC_TRY(retc_h5_set_int(file, "/", "converged", converged(r)));
    if (report->diverged) {
        RETC_TRY(retc_h5_set_int(file, "/", "diverged_at", (int64_t)report->diverged_at));
        RETC_TRY(retc_h5_set_text(file, "/", "diverged_in", report->diverged_in));
    }
    if (report->epochs)
        RETC_TRY(retc_fit_report_write(report, file));
    if (r->ensemble.members)
        RETC_TRY(retc_ensemble_write(&r->ensemble, r->network, file));
    RETC_TRY(retc_command_finish(file, &o->common, provenance));
    if (report->epochs) {
        char *checkpoint = retc_strf("%s.checkpoint", o->common.output);
        if (checkpoint)
            retc_ensemble_forget(checkpoint, r->ensemble.members);
        retc_free(checkpoint);
    }
done:
    retc_h5_close(file);
    return status;
}

static void
say_end(const options *o, const retc_fit_report *report) {
    if (!report_converged(report))
        retc_say(&o->common, "%s\n",
                 report->diverged ? report->diverged_how : "the loss still fell in the last epoch; more --epochs would go on");
}

static void
say(const options *o, const result *r) {
    const retc_network *network = r->network;
    if (r->ensemble.members)
        retc_fit_members_say(&o->common, &r->ensemble, network);
    if (report_of(r)->epochs)
        say_cnn(o, network, report_of(r));
    retc_say(&o->common, "%s: %s model of %zu cell%s, history %zu frames, lag %zu\n", o->common.output, network->model_type,
             network->N, network->N == 1 ? "" : "s", network->L, network->lag);
    say_end(o, report_of(r));
}

/* Fit, write, say. */
static int
fit_model(const options *o, const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_recording *recording = NULL;
    result r = {0};
    RETC_TRY(retc_recording_arguments_open(&o->open, &o->common, o->recording, &recording));
    const retc_progress *progress = retc_meter_start("fit", o->common.quiet);
    RETC_TRY(fit_cnn(o, recording, provenance, progress, &r));
    retc_meter_stop();
    RETC_TRY(write_model(o, &r, provenance));
    say(o, &r);
    if (!converged(&r))
        status = RETC_NOT_CONVERGED;
done:
    retc_meter_stop();
    retc_ensemble_clear(&r.ensemble);
    retc_fit_report_clear(&r.report);
    retc_network_free(r.network);
    retc_recording_close(recording);
    return status;
}

static int
print_or_fit(options *o, const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_architecture architecture = {0};
    if (strcmp(o->model, "cnn") != 0 && strcmp(o->network.network, "cnn") != 0)
        RETC_TRY(
            RETC_FAIL(RETC_EUSAGE, "--network %s is fitted by --model cnn, not by --model %s", o->network.network, o->model));
    if (strcmp(o->model, "cnn") != 0 && o->network.start)
        RETC_TRY(RETC_FAIL(RETC_EUSAGE, "--start is of --model cnn; --model %s is fitted by its own solver", o->model));
    RETC_TRY(retc_fit_network_take(&o->network, &architecture, &o->fit));
    if (o->network.print)
        retc_architecture_print(stdout, &architecture);
    else if (retc_fit_glm_is(o->model))
        RETC_TRY(retc_fit_glm_command(&o->solved, o->model, o->recording, &o->open, &o->fit, &o->common, provenance));
    else
        RETC_TRY(fit_model(o, provenance));
done:
    retc_architecture_clear(&architecture);
    return status;
}

int
retc_cmd_fit(int argc, char **argv) {
    options o = {.model = "cnn",
                 .solved = retc_fit_glm_default(),
                 .checkpoint_interval = 10,
                 .fit = retc_fit_default(),
                 .network = RETC_FIT_NETWORK_DEFAULT,
                 .training = RETC_FIT_TRAINING_DEFAULT,
                 .members = RETC_FIT_MEMBERS_DEFAULT,
                 .open = RETC_RECORDING_DEFAULT,
                 .common = {.seed = 1}};
    int required = retc_fit_network_is_printed(argc, argv) ? 0 : RETC_OPTION_REQUIRED;
    const retc_option table[] = {
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | required, &o.recording, 0, 0, NULL, "recording to fit"},
        {"model", 'm', RETC_OPTION_CHOICE, 0, &o.model, 0, 0, "ln|glm|cnn", "kind of model: by its own solver, or a network"},
        {"history", 0, RETC_OPTION_SIZE, 0, &o.fit.history, 1, 1e6, "frames", "frames the model sees"},
        {"lag", 0, RETC_OPTION_SIZE, 0, &o.fit.lag, 0, 1e6, "frames",
         "frames between the newest frame seen and the response; 0: the response falls in the newest frame"},
        RETC_FIT_GLM(o.solved),
        RETC_FIT_NETWORK(o.network),
        RETC_FIT_LOSS(o.training, o.fit),
        RETC_FIT_SCHEDULE(o.training, o.fit),
        RETC_FIT_PENALTY(o.fit),
        RETC_FIT_BATCHES(o.fit),
        RETC_FIT_MEMBERS(o.members),
        {"resume", 0, RETC_OPTION_FLAG, RETC_OPTION_NO_EFFECT, &o.resume, 0, 0, NULL,
         "cnn: go on from OUTPUT.checkpoint if there is one"},
        {"checkpoint-interval", 0, RETC_OPTION_DOUBLE, RETC_OPTION_NO_EFFECT, &o.checkpoint_interval, 0, 1e6, "s",
         "cnn: time between checkpoints; 0: after every epoch"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        {"output", 'o', RETC_OPTION_OUTPUT, required, &o.common.output, 0, 0, NULL, "model file to write"},
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    o.fit.seed = o.common.seed;
    o.fit.threads = o.common.threads;
    RETC_TRY(retc_fit_training_arguments_take(&o.training, &o.fit));
    RETC_TRY(retc_fit_members_take(&o.members, o.model, &o.networks));
    status = print_or_fit(&o, provenance);
done:
    retc_command_end(table, provenance);
    return status;
}
