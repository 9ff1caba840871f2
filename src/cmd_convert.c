#include <string.h>

#include "command.h"
#include "keras.h"
#include "model_file.h"

typedef struct {
    const char *input, *to, *positions, *architecture;
    int uncollapsed, no_check;
    retc_numbers norm;
    retc_common common;
} options;

static const retc_usage usage = {
    "convert", "models to and from PyTorch and Keras",
    "Reads a model of another program and writes a model file, or writes a model so that PyTorch users can load it.\n\n"
    "What can be read: model files of this program; checkpoints of torch-deep-retina that scripts/export_torch.py has exported "
    "(HDF5, format retcodec-checkpoint), with or without a list of their layers: without one, the layers of a VaryModel, "
    "BNCNN, LinearStackedBNCNN or RetinotopicModel are told from the names and ranks of the tensors; and weight files of "
    "Keras, "
    "of Keras 2 or of those before 1.0 with their architecture.json.\n\n"
    "--to model writes layers as they are computed: stacks of small linear convolutions become the one large kernel that "
    "equals "
    "them exactly, and is all that there is to train from then on. --uncollapsed keeps every tensor bit by bit instead; the "
    "model gives the "
    "same, only opening it takes longer, and a fit that starts from it trains the stacks. --to torch always keeps tensors as "
    "they are stored, adds those that torch modules have beside "
    "(counts of batches, strengths of noise), and uses the names of state_dict: with h5py, load_state_dict takes them.\n\n"
    "Where a checkpoint names the centres of the cells but not their positions in the last map, published takes centre - h - "
    "1, "
    "as the published models run, and exact takes centre - h, the unit in the middle of its receptive field; h is half the sum "
    "of (kernel size - 1) over all convolutions (17 for 15, 11, 11). A still older version of their code subtracts 29; its "
    "positions must be "
    "in "
    "the file.\n\n"
    "When the file holds windows and the outputs that its own program gave for them (check/input, check/output), the model is "
    "run on them, the largest difference is printed, and one above 0.001 of the largest output is an error.",
    "retcodec convert checkpoint.h5 -o model.h5\n"
    "retcodec convert best_weights.h5 --norm 51.2,47.9 -o model.h5\n"
    "retcodec convert model.h5 --to torch -o checkpoint.h5"};

/* Outputs of single precision agree to some 1e-6 of the largest; a wrong layer or position is off by far more. */
static const double check_tolerance = 1e-3;

static int
keeps_stacks(const options *o) {
    return strcmp(o->to, "torch") == 0 || o->uncollapsed;
}

static int
check(const options *o, retc_network *network, retc_h5 *from, retc_checkpoint_notes *notes) {
    int status = RETC_OK;
    if (o->no_check)
        return RETC_OK;
    RETC_TRY(retc_checkpoint_check(network, from, notes));
    if (notes->error > check_tolerance * notes->largest)
        RETC_TRY(
            RETC_FAIL(RETC_ENUMBER,
                      "%s: outputs miss check/output by up to %.3g (largest output %.3g): the layers or the positions of the "
                      "cells are not those of the checkpoint (--positions, or --no-check to convert all the same)",
                      o->input, notes->error, notes->largest));
done:
    return status;
}

static int
apply_norm(const options *o, retc_network *network) {
    if (!o->norm.n)
        return RETC_OK;
    if (o->norm.n != 2 || !(o->norm.value[1] > 0))
        return RETC_FAIL(RETC_EUSAGE, "--norm takes two numbers, MEAN,STD, and STD is above 0");
    network->stimulus_mean = o->norm.value[0];
    network->stimulus_std = o->norm.value[1];
    return RETC_OK;
}

static int
write(const options *o, const retc_network *network, retc_h5 *from, const retc_checkpoint_notes *notes, retc_h5 *file) {
    int status = RETC_OK, to_torch = strcmp(o->to, "torch") == 0;
    if (!notes->layers)
        RETC_TRY(retc_network_write(network, file));
    else if (keeps_stacks(o))
        RETC_TRY(retc_checkpoint_write_exact(network, from, notes, file));
    else
        RETC_TRY(retc_checkpoint_write(network, from, file));
    if (to_torch)
        RETC_TRY(retc_checkpoint_add_torch(network, file));
    RETC_TRY(retc_h5_set_text(file, "/", "kind", "model"));
done:
    return status;
}

static void
say_checkpoint(const options *o, const retc_checkpoint_notes *notes) {
    static const char *const positions[] = {NULL, "stored", "centre - h - 1, as published models run", "centre - h"};
    retc_say(&o->common, "layers:    %s\n", notes->inferred ? "told from the names of the tensors" : "as listed");
    if (notes->stacks)
        retc_say(&o->common, "stacks:    %d%s\n", notes->stacks, keeps_stacks(o) ? ", kept" : ", collapsed");
    if (positions[notes->positions])
        retc_say(&o->common, "positions: %s\n", positions[notes->positions]);
    for (size_t i = 0; i < notes->n_ignored; ++i)
        retc_say(&o->common, "ignored:   %s\n", notes->ignored[i]);
    if (notes->windows)
        retc_say(&o->common, "check:     largest difference %.3g of %.3g, %zu windows\n", notes->error, notes->largest,
                 notes->windows);
}

static void
say(const options *o, const retc_network *network, const retc_checkpoint_notes *notes) {
    retc_say(&o->common, "model:     %s, %zu layers, %zu values\n", network->model_type, network->layers, network->values);
    retc_say(&o->common, "input:     %zu frames of %zux%zu, normalised by mean %.6g, std %.6g\n", network->L, network->H,
             network->W, network->stimulus_mean, network->stimulus_std);
    retc_say(&o->common, "cells:     %zu\n", network->N);
    if (notes->layers)
        say_checkpoint(o, notes);
    else if (!o->norm.n)
        retc_say(&o->common, "note:      Keras keeps no normalisation of the stimulus: give it by --norm MEAN,STD\n");
}

int
retc_cmd_convert(int argc, char **argv) {
    options o = {.to = "model", .positions = "published", .common = {.seed = 1}};
    const retc_option table[] = {
        {"input", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.input, 0, 0, NULL,
         "model file, exported checkpoint, or Keras weights"},
        {"to", 0, RETC_OPTION_CHOICE, 0, &o.to, 0, 0, "model|torch", "what to write"},
        {"uncollapsed", 0, RETC_OPTION_FLAG, 0, &o.uncollapsed, 0, 0, NULL,
         "keep tensors bit by bit, stacked convolutions among them, in a model file too"},
        {"positions", 0, RETC_OPTION_CHOICE, 0, &o.positions, 0, 0, "published|exact",
         "from the centres of cells to positions in the last map, where these are not stored"},
        {"norm", 0, RETC_OPTION_NUMBERS, 0, &o.norm, 0, 0, NULL,
         "MEAN,STD of the stimulus the model was fitted to; as stored unless given"},
        {"architecture", 0, RETC_OPTION_INPUT, 0, &o.architecture, 0, 0, NULL,
         "JSON of a Keras model; unless given from the weights, or architecture.json beside them"},
        {"no-check", 0, RETC_OPTION_FLAG, 0, &o.no_check, 0, 0, NULL, "do not compare with check/output"},
        RETC_COMMON_OUTPUT(o.common, "file to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_network *network = NULL;
    retc_checkpoint_notes notes = {0};
    retc_h5 *from = NULL, *file = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(RETC_GOT(from = retc_h5_open(o.input)));
    network = retc_keras_is(from) ? retc_keras_read(from, o.architecture)
                                  : retc_checkpoint_read(from, strcmp(o.positions, "exact") == 0, !keeps_stacks(&o), &notes);
    RETC_TRY(RETC_GOT(network));
    RETC_TRY(apply_norm(&o, network));
    RETC_TRY(check(&o, network, from, &notes));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(write(&o, network, from, &notes, file));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    say(&o, network, &notes);
done:
    retc_h5_close(file);
    retc_h5_close(from);
    retc_checkpoint_notes_clear(&notes);
    retc_network_free(network);
    retc_command_end(table, provenance);
    return status;
}
