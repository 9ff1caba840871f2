#include "fit_members_arguments.h"

#include <math.h>
#include <string.h>

#include "command.h"

int
retc_fit_members_take(retc_fit_members_arguments *members, const char *model, size_t *n) {
    retc_ensemble_options *options = &members->options;
    options->own_splits = strcmp(members->split, "own") == 0;
    *n = retc_ensemble_size(options);
    if (options->seeds > 1 && options->folds > 1)
        return RETC_FAIL(RETC_EUSAGE, "--seeds and --folds exclude each other: networks differ by one of them");
    if (options->own_splits && options->seeds < 2)
        return RETC_FAIL(RETC_EUSAGE, "--seeds-split=own is for --seeds 2 or more");
    if (*n > 1 && strcmp(model, "cnn") != 0)
        return RETC_FAIL(RETC_EUSAGE, "--%s is for networks: a model %s does not depend on chance",
                         options->folds > 1 ? "folds" : "seeds", model);
    return RETC_OK;
}

/* Mean over the cells that have an r. */
static double
mean_r(const retc_ensemble *ensemble, size_t m) {
    double sum = 0;
    size_t n = 0;
    for (size_t j = 0; j < ensemble->N; ++j) {
        double r = m < ensemble->members ? retc_ensemble_pearson(ensemble, m, j) : retc_ensemble_pooled_pearson(ensemble, j);
        if (isfinite(r))
            sum += r, ++n;
    }
    return n ? sum / (double)n : (double)NAN;
}

/* A row per cell, a column per fold: what networks make of frames that they were not trained on. */
static void
say_cells(const retc_common *common, const retc_ensemble *ensemble, const retc_network *network) {
    enum { MOST_COLUMNS = 10 };
    size_t columns = ensemble->members < MOST_COLUMNS ? ensemble->members : MOST_COLUMNS;
    retc_say(common, "\n%-16s", "held-out r");
    for (size_t m = 0; m < columns; ++m)
        retc_say(common, "  fold %2zu", m + 1);
    retc_say(common, "%s  all folds\n", columns < ensemble->members ? " ..." : "");
    for (size_t j = 0; j <= ensemble->N; ++j) {
        int is_mean = j == ensemble->N;
        retc_say(common, "%-16s", is_mean ? "mean" : network->cell_name[j]);
        for (size_t m = 0; m < columns; ++m)
            retc_say(common, "  %7.3f", is_mean ? mean_r(ensemble, m) : retc_ensemble_pearson(ensemble, m, j));
        retc_say(common, "%s  %9.3f\n", columns < ensemble->members ? " ..." : "",
                 is_mean ? mean_r(ensemble, ensemble->members) : retc_ensemble_pooled_pearson(ensemble, j));
    }
    retc_say(common, "per frame; the epoch of each network was chosen on the same frames\n");
}

void
retc_fit_members_say(const retc_common *common, const retc_ensemble *ensemble, const retc_network *network) {
    if (ensemble->resumed_at)
        retc_say(common, "%zu networks were finished before\n", ensemble->resumed_at);
    retc_say(common, "%-8s %10s %7s %12s %12s %12s\n", ensemble->folds ? "fold" : "network", "seed", "epochs", "best epoch",
             "loss", "held-out r");
    for (size_t m = 0; m < ensemble->members; ++m) {
        const retc_ensemble_member *member = &ensemble->member[m];
        const retc_fit_epoch *best = &member->report.epoch[member->report.best];
        retc_say(common, "%-8zu %10llu %7zu %12zu %12.4f %12.3f%s%s\n", m + 1, (unsigned long long)member->seed,
                 member->report.epochs, member->report.best + 1,
                 member->report.validation_frames ? best->validation_loss : best->train_loss, mean_r(ensemble, m),
                 m == ensemble->best ? "  best: what other commands use" : "", member->report.diverged ? "  diverged" : "");
    }
    if (ensemble->folds)
        say_cells(common, ensemble, network);
}
