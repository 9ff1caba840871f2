#include <string.h>

#include "command.h"
#include "modes.h"

typedef struct {
    const char *contributions, *preset, *init;
    size_t epochs;
    double learning_rate;
    retc_modes_options modes;
    retc_common common;
} options;

static const retc_usage usage = {
    "modes", "factorise contributions into a few sparse modes",
    "Divides each layer's contributions by their standard deviation and fits a sparse autoencoder to them (Melander et "
    "al., ICLR 2026).  A row of its dictionary is a mode, a pattern over the layer's channels; the code of a sample is "
    "the mode's loading, 0 where it does not act.\n\n"
    "An atom that never fires gets no gradient.  With the published start values most never do, and a whole fit can die. "
    " --init calibrated scales the encoder so that every atom fires on 3 % of the samples at the start; --preset "
    "dependable takes 12000 steps with a learning rate that falls from 1e-3 to 0, whatever the length of the recording.  "
    "--preset published is the recipe of the paper: 800 epochs, learning rate 1e-5 times 0.98 every 25 epochs, --init "
    "published.\n\n"
    "A layer that ends with no atom alive is fitted again from other start values; when it dies again the file is "
    "written and the exit code is 3.",
    "retcodec modes contributions.h5 -o modes.h5"};

/* What the preset decides, where no option was given. */
static void
apply_preset(options *o) {
    retc_sae_options *sae = &o->modes.sae;
    retc_sae_options preset = strcmp(o->preset, "published") == 0 ? retc_sae_options_published() : retc_sae_options_default();
    sae->epochs = o->epochs ? o->epochs : preset.epochs;
    sae->learning_rate = o->learning_rate > 0 ? o->learning_rate : preset.learning_rate;
    sae->anneal = preset.anneal;
    if (strcmp(o->init, "preset") == 0)
        sae->firing = preset.firing;
    else if (strcmp(o->init, "published") == 0)
        sae->firing = 0;
    sae->seed = o->common.seed;
    o->modes.threads = o->common.threads;
}

static void
say_layers(const options *o, const retc_modes *modes) {
    retc_say(&o->common, "%-10s %8s %6s %8s %6s %6s %6s\n", "layer", "columns", "R2", "mean L0", "alive", "active", "starts");
    for (size_t i = 0; i < modes->n_layers; ++i) {
        const retc_modes_layer *layer = &modes->layer[i];
        retc_say(&o->common, "%-10s %8zu %6.3f %8.2f %6zu %6zu %6zu%s\n", layer->name, layer->F, layer->r2, layer->mean_l0,
                 layer->alive, layer->active, layer->starts,
                 layer->alive > 0 ? "" : layer->starts > 0 ? "  no atom alive" : "  all contributions are 0");
    }
}

int
retc_cmd_modes(int argc, char **argv) {
    options o = {.preset = "dependable", .init = "preset", .modes = retc_modes_options_default(), .common = {.seed = 1}};
    const retc_option table[] = {
        {"contributions", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.contributions, 0, 0, NULL,
         "file of contributions"},
        {"preset", 0, RETC_OPTION_CHOICE, 0, &o.preset, 0, 0, "dependable|published", "recipe of the fit"},
        {"init", 0, RETC_OPTION_CHOICE, 0, &o.init, 0, 0, "preset|calibrated|published", "start values of the encoder"},
        {"epochs", 0, RETC_OPTION_SIZE, 0, &o.epochs, 0, 1e7, NULL, "passes over the samples; 0: as the preset says"},
        {"learning-rate", 0, RETC_OPTION_DOUBLE, 0, &o.learning_rate, 0, 1, NULL,
         "of Adam at the start; 0: as the preset says"},
        {"multiplier", 0, RETC_OPTION_SIZE, 0, &o.modes.multiplier, 1, 1000, NULL, "atoms per column of contributions"},
        {"hidden", 0, RETC_OPTION_SIZE, 0, &o.modes.hidden, 1, 4096, NULL,
         "hidden units at least; a layer with more columns has one for each, as published"},
        {"threshold", 0, RETC_OPTION_DOUBLE, 0, &o.modes.threshold, 0.01, 0.999, NULL, "codes below it are 0"},
        {"batch", 0, RETC_OPTION_SIZE, 0, &o.modes.sae.batch, 1, 65536, "samples", "samples per step"},
        {"dropout", 0, RETC_OPTION_DOUBLE, 0, &o.modes.sae.dropout, 0, 0.95, NULL,
         "fraction of hidden units left out of a step"},
        {"penalty", 0, RETC_OPTION_DOUBLE, 0, &o.modes.sae.penalty, 0, 1e3, NULL, "weight of the dictionary's mean size"},
        {"restarts", 0, RETC_OPTION_SIZE, 0, &o.modes.restarts, 0, 1000, NULL,
         "new fits of a layer in which no atom is alive"},
        {"nonnegative", 0, RETC_OPTION_FLAG, 0, &o.modes.nonnegative, 0, 0, NULL, "dictionary without negative entries"},
        {"mimic-published-offset", 0, RETC_OPTION_FLAG, 0, &o.modes.published_offset, 0, 0, NULL,
         "add the mean to reconstructed_denormalized, as the published code does although it took no mean out"},
        RETC_COMMON_OUTPUT(o.common, "file of modes to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_h5 *contributions = NULL, *file = NULL;
    retc_modes modes = {0};
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    apply_preset(&o);
    RETC_TRY(RETC_GOT(contributions = retc_h5_open(o.contributions)));
    RETC_TRY(retc_modes_read(contributions, &modes));
    RETC_TRY(retc_modes_fit(&modes, &o.modes, retc_meter_start("modes", o.common.quiet)));
    retc_meter_stop();
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_modes_write(&modes, &o.modes, contributions, file));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    say_layers(&o, &modes);
    if (!retc_modes_converged(&modes))
        status = RETC_NOT_CONVERGED;
done:
    retc_meter_stop();
    retc_modes_clear(&modes);
    retc_h5_close(contributions);
    retc_h5_close(file);
    retc_command_end(table, provenance);
    return status;
}
