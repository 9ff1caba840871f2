#include <math.h>
#include <string.h>

#include "command.h"
#include "model_file.h"
#include "predict.h"
#include "predict_file.h"
#include "recording_arguments.h"

typedef struct {
    const char *model, *recording, *part;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "predict", "model responses, scored against the recording",
    "Runs a model over the test part (or the train part) of a recording.  Per cell it gives the Pearson correlation and "
    "the explained variance of the predicted rate against the mean over repeats, beside the noise ceiling: the largest "
    "correlation a perfect model could reach on these repeats (Schoppe et al. 2016).\n\n"
    "When the recording is of a simulated retina, each true interneuron is matched with the model unit that follows it "
    "best.",
    "retcodec predict model.h5 recording.h5 -o prediction.h5"};

static void
say_scores(const options *o, const retc_network *network, const retc_prediction *p) {
    retc_prediction_mean mean = retc_prediction_means(p);
    retc_say(&o->common, "%-16s %8s %8s %8s\n", "cell", "r", "ceiling", "EV");
    for (size_t j = 0; j < p->N; ++j)
        retc_say(&o->common, "%-16s %8.3f %8.3f %8.3f\n", network->cell_name[j], p->pearson[j], p->noise_ceiling[j],
                 p->explained_variance[j]);
    retc_say(&o->common, "%-16s %8.3f %8.3f %8.3f\n", "mean", mean.pearson, mean.noise_ceiling, mean.explained_variance);
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

int
retc_cmd_predict(int argc, char **argv) {
    options o = {.part = "test", .open = RETC_RECORDING_DEFAULT, .common = {.seed = 1}};
    const retc_option table[] = {
        {"model", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.model, 0, 0, NULL, "model file"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"part", 0, RETC_OPTION_CHOICE, 0, &o.part, 0, 0, "test|train", "part of the recording"},
        RETC_RECORDING_CELLS(o.open),
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "predictions to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    retc_prediction prediction = {0};
    retc_match match = {0};
    retc_h5 *file = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    retc_part part = strcmp(o.part, "test") == 0 ? RETC_TEST : RETC_TRAIN;
    RETC_TRY(RETC_GOT(network = retc_network_open(o.model)));
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    const retc_progress *progress = retc_meter_start("predict", o.common.quiet);
    RETC_TRY(retc_predict(network, recording, part, o.common.threads, progress, &prediction));
    if (retc_recording_interneurons(recording) && retc_network_has_interneurons(network))
        RETC_TRY(retc_match_interneurons(network, recording, part, o.common.threads, progress, &match));
    retc_meter_stop();
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_prediction_write(&prediction, network, recording, part, file));
    if (match.I)
        RETC_TRY(retc_match_write(&match, recording, file));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    say_scores(&o, network, &prediction);
    if (match.I)
        RETC_TRY(say_match(&o, recording, &match));
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_match_clear(&match);
    retc_prediction_clear(&prediction);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}
