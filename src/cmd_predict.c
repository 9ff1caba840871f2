#include <math.h>
#include <string.h>

#include "command.h"
#include "ensemble.h"
#include "model_file.h"
#include "predict.h"
#include "predict_ensemble.h"
#include "predict_file.h"
#include "predict_spikes.h"
#include "recording_arguments.h"
#include "reliability.h"

typedef struct {
    const char *model, *recording, *part, *spikes;
    int ensemble;
    size_t trials;
    retc_recording_arguments open;
    retc_score_options scores;
    retc_common common;
} options;

static const retc_usage usage = {
    "predict", "model responses, scored against the recording",
    "Runs a model over the test part (or the train part) of a recording and scores the predicted rate of every cell against "
    "the "
    "mean over repeats:\n\n"
    "  r                   Pearson correlation\n"
    "  explained variance  1 - mean squared error / variance of the response\n"
    "  Poisson deviance    share of it that the model explains; a constant rate explains 0, the response itself 1\n"
    "  bits per spike      how much better the model foretells a spike than a constant rate does\n\n"
    "Beside each stands its noise ceiling, \"of 0.96\": what the true rate of the cell would score on as many repeats, which "
    "no "
    "model can beat but by chance (Schoppe et al. 2016 for the first two).  A score divided by its ceiling tells models of "
    "different recordings apart.  The interval, \"±0.01\", is half of the one that holds the score in 95 % of cases if other "
    "repeats had been recorded; the file also has those of 68 %, and of ceilings, ratios and means.  Without single "
    "repeats there are neither ceilings nor intervals.\n\n"
    "--ensemble scores the mean of the rates of all networks of fit --seeds or --folds, and prints each one's; without it the "
    "best network, which is the one that all other commands use, predicts alone.\n\n"
    "When the recording is of a simulated retina, each true interneuron is matched with the model unit that follows it "
    "best.",
    "retcodec predict model.h5 recording.h5 -o prediction.h5"};

/* Widths of what stands in the table. */
enum { SCORE = 6, INTERVAL = 7, CEILING = 9, GAP = 2, LEAST_NAME = 8 };

/* "0.868 ±0.012 of 0.962", or as much of it as there is anywhere. */
static void
say_score(const options *o, const retc_prediction_scores *scores, const retc_score *all, retc_score_kind kind) {
    const retc_score *score = &all[kind];
    double ceiling = all[RETC_SCORE_R_CEILING + (kind - RETC_SCORE_R)].value;
    retc_say(&o->common, "%*s%*.3f", GAP, "", SCORE, score->value);
    if (scores->draws > 0 && isfinite(score->low[1]))
        retc_say(&o->common, " ±%.3f", (score->high[1] - score->low[1]) / 2);
    else if (scores->draws > 0)
        retc_say(&o->common, "%*s", INTERVAL, "");
    if (scores->repeats > 1 && isfinite(ceiling))
        retc_say(&o->common, " of %.3f", ceiling);
    else if (scores->repeats > 1)
        retc_say(&o->common, "%*s", CEILING, "");
}

static void
say_row(const options *o, const retc_prediction_scores *scores, int wide, const char *name, const retc_score *all) {
    static const retc_score_kind shown[] = {RETC_SCORE_R, RETC_SCORE_EV, RETC_SCORE_DEVIANCE, RETC_SCORE_BITS};
    retc_say(&o->common, "%-*s", wide, name);
    for (size_t k = 0; k < sizeof shown / sizeof *shown; ++k)
        say_score(o, scores, all, shown[k]);
    retc_say(&o->common, "\n");
}

static void
say_notes(const options *o, const retc_prediction_scores *scores, retc_part part) {
    const retc_score *mean = scores->mean;
    if (scores->repeats < 2) {
        retc_say(&o->common, "no noise ceilings and no intervals: the %s part has %s\n", part == RETC_TEST ? "test" : "train",
                 scores->repeats ? "one repeat" : "no single repeats");
        return;
    }
    retc_say(&o->common, "of: noise ceiling, what the true rates would score on these %zu repeats", scores->repeats);
    if (scores->draws > 0)
        retc_say(&o->common, "; ±: half of the 95 %% interval over %zu draws of repeats", scores->draws);
    else if (o->scores.draws > 0)
        retc_say(&o->common, "; no intervals: they need %d repeats", RETC_LEAST_REPEATS);
    retc_say(&o->common, "\n");
    if (isfinite(mean[RETC_SCORE_R_NORMAL].value))
        retc_say(&o->common, "of what can be explained, mean over cells: r %.3f, explained variance %.3f, deviance %.3f\n",
                 mean[RETC_SCORE_R_NORMAL].value, mean[RETC_SCORE_EV_NORMAL].value, mean[RETC_SCORE_DEVIANCE_NORMAL].value);
}

static void
say_scores(const options *o, const retc_network *network, const retc_prediction_scores *scores, retc_part part) {
    static const char *const heads[] = {"r", "explained variance", "Poisson deviance", "bits per spike"};
    int wide = LEAST_NAME, width = SCORE + (scores->draws > 0 ? INTERVAL : 0) + (scores->repeats > 1 ? CEILING : 0);
    for (size_t j = 0; j < scores->N; ++j)
        wide = (int)strlen(network->cell_name[j]) > wide ? (int)strlen(network->cell_name[j]) : wide;
    retc_say(&o->common, "%-*s", wide, "cell");
    for (size_t k = 0; k < sizeof heads / sizeof *heads; ++k)
        retc_say(&o->common, "%*s %-*s", GAP, "", k + 1 < sizeof heads / sizeof *heads ? width - 1 : 0, heads[k]);
    retc_say(&o->common, "\n");
    for (size_t j = 0; j < scores->N; ++j)
        say_row(o, scores, wide, network->cell_name[j], scores->cell + j * RETC_SCORES);
    say_row(o, scores, wide, "mean", scores->mean);
    say_notes(o, scores, part);
}

/* Mean over the cells that have a score. */
static double
mean_over_cells(const double *score, size_t N) {
    double sum = 0;
    size_t n = 0;
    for (size_t j = 0; j < N; ++j)
        if (isfinite(score[j]))
            sum += score[j], ++n;
    return n ? sum / (double)n : (double)NAN;
}

static void
say_members(const options *o, const retc_prediction_members *members, const retc_prediction_scores *scores) {
    retc_say(&o->common, "\n%-16s%8s%20s\n", "network", "r", "explained variance");
    for (size_t m = 0; m < members->members; ++m)
        retc_say(&o->common, "%-16zu%8.3f%20.3f\n", m + 1, mean_over_cells(members->pearson + m * members->N, members->N),
                 mean_over_cells(members->explained_variance + m * members->N, members->N));
    retc_say(&o->common, "%-16s%8.3f%20.3f\n", "mean of rates", scores->mean[RETC_SCORE_R].value,
             scores->mean[RETC_SCORE_EV].value);
}

/* Rates of the network, or of all that the file holds. */
static int
predict(const options *o, const retc_network *network, retc_recording *recording, retc_part part, const retc_progress *progress,
        retc_prediction *prediction, retc_prediction_members *members) {
    if (!o->ensemble)
        return retc_predict(network, recording, part, o->common.threads, progress, prediction);
    retc_h5 *file = retc_h5_open(o->model);
    int status =
        file ? retc_predict_ensemble(file, recording, part, o->common.threads, progress, prediction, members) : RETC_EIO;
    retc_h5_close(file);
    return status;
}

/* Of more interneurons than MOST_MATCHES only the ENDS best and worst are listed; the file holds all. */
enum { MOST_MATCHES = 40, ENDS = 5 };

static void
say_one_match(const options *o, const retc_recording *recording, const retc_match *match, size_t i) {
    retc_say(&o->common, "%-28s %8.3f  conv%zu channel %zu (%zu,%zu)\n", retc_recording_interneuron_name(recording, i),
             match->correlation[i], match->layer[i], match->channel[i], match->row[i], match->column[i]);
}

static int
say_match(const options *o, const retc_recording *recording, const retc_match *match) {
    size_t *order = NULL, I = match->I;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(order, I));
    retc_match_order(match, order);
    retc_say(&o->common, "\n%-28s %8s  %s\n", "interneuron", "r", "model unit (row, column)");
    if (I <= MOST_MATCHES) {
        for (size_t i = 0; i < I; ++i)
            say_one_match(o, recording, match, i);
        goto done;
    }
    for (size_t i = 0; i < ENDS; ++i)
        say_one_match(o, recording, match, order[i]);
    retc_say(&o->common, "... and %zu more, down to:\n", I - 2 * ENDS);
    for (size_t i = I - ENDS; i < I; ++i)
        say_one_match(o, recording, match, order[i]);
    retc_say(&o->common, "%zu interneurons, r of the upper quarter, the middle and the lower quarter: %.3f, %.3f, %.3f\n", I,
             match->correlation[order[I / 4]], match->correlation[order[I / 2]], match->correlation[order[3 * I / 4]]);
done:
    retc_free(order);
    return status;
}

/* Of models whose cells see spikes: the rates given those of every trial. */
static int
let_spikes_act(const options *o, const retc_network *network, retc_recording *recording, retc_part part,
               retc_prediction *prediction, retc_glm_trials *trials) {
    retc_spike_prediction spikes = {strcmp(o->spikes, "recorded") == 0, o->trials, o->common.seed, o->common.threads};
    return retc_predict_spikes_of(o->model, network, recording, part, &spikes, prediction, trials);
}

static void
say_trials(const options *o, const retc_glm_trials *trials) {
    if (trials->trials)
        retc_say(&o->common, "mean over %zu trials with %s spikes; %.2g %% of the rates were at their cell's limit\n",
                 trials->trials, o->spikes, trials->limited_share * 100);
}

/* What a prediction gives; members, match and trials only where asked for or there. */
typedef struct {
    retc_prediction prediction;
    retc_prediction_members members;
    retc_prediction_scores scores;
    retc_match match;
    retc_glm_trials trials;
} results;

static int
compute(options *o, const retc_network *network, retc_recording *recording, retc_part part, results *r) {
    const retc_progress *progress = retc_meter_start("predict", o->common.quiet);
    int status = RETC_OK;
    RETC_TRY(predict(o, network, recording, part, progress, &r->prediction, &r->members));
    RETC_TRY(let_spikes_act(o, network, recording, part, &r->prediction, &r->trials));
    o->scores.seed = o->common.seed;
    o->scores.threads = o->common.threads;
    RETC_TRY(retc_prediction_score(&r->prediction, recording, part, &o->scores, progress, &r->scores));
    if (retc_recording_interneurons(recording) && retc_network_has_interneurons(network))
        RETC_TRY(retc_match_interneurons(network, recording, part, o->common.threads, progress, &r->match));
done:
    retc_meter_stop();
    return status;
}

static int
write_results(const options *o, const retc_network *network, retc_recording *recording, retc_part part, const results *r,
              const retc_provenance *provenance) {
    int status = RETC_OK;
    retc_h5 *file = retc_h5_create(o->common.output, o->common.force);
    RETC_TRY(RETC_GOT(file));
    RETC_TRY(retc_prediction_write(&r->prediction, network, recording, part, file));
    RETC_TRY(retc_prediction_scores_write(&r->scores, file));
    if (r->members.members)
        RETC_TRY(retc_prediction_members_write(&r->members, file));
    if (r->match.I)
        RETC_TRY(retc_match_write(&r->match, recording, file));
    RETC_TRY(retc_command_finish(file, &o->common, provenance));
done:
    retc_h5_close(file);
    return status;
}

static int
say_results(const options *o, const retc_network *network, const retc_recording *recording, retc_part part, const results *r) {
    say_trials(o, &r->trials);
    say_scores(o, network, &r->scores, part);
    if (r->members.members)
        say_members(o, &r->members, &r->scores);
    return r->match.I ? say_match(o, recording, &r->match) : RETC_OK;
}

static void
clear_results(results *r) {
    retc_match_clear(&r->match);
    retc_prediction_scores_clear(&r->scores);
    retc_prediction_members_clear(&r->members);
    retc_prediction_clear(&r->prediction);
}

int
retc_cmd_predict(int argc, char **argv) {
    options o = {.part = "test",
                 .spikes = "simulated",
                 .trials = 100,
                 .scores = retc_score_default(),
                 .open = RETC_RECORDING_DEFAULT,
                 .common = {.seed = 1}};
    const retc_option table[] = {
        {"model", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.model, 0, 0, NULL, "model file"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"part", 0, RETC_OPTION_CHOICE, 0, &o.part, 0, 0, "test|train", "part of the recording"},
        {"ensemble", 0, RETC_OPTION_FLAG, 0, &o.ensemble, 0, 0, NULL, "average the rates of all networks that the file holds"},
        {"bootstrap", 0, RETC_OPTION_SIZE, 0, &o.scores.draws, 0, 1e6, NULL,
         "draws of repeats that the intervals stand on; 0: no intervals"},
        {"spikes", 0, RETC_OPTION_CHOICE, 0, &o.spikes, 0, 0, "simulated|recorded",
         "glm: spikes that act on rates, drawn by the model in trials of its own or those of the recording"},
        {"trials", 0, RETC_OPTION_SIZE, 0, &o.trials, 1, 1e6, NULL, "glm: trials to simulate"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "predictions to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    results r = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    retc_part part = strcmp(o.part, "test") == 0 ? RETC_TEST : RETC_TRAIN;
    RETC_TRY(RETC_GOT(network = retc_network_open(o.model)));
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    RETC_TRY(compute(&o, network, recording, part, &r));
    RETC_TRY(write_results(&o, network, recording, part, &r, provenance));
    RETC_TRY(say_results(&o, network, recording, part, &r));
done:
    clear_results(&r);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}
