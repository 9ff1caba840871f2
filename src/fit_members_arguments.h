/* The options of `retcodec fit` for several networks: ensembles and cross-validation. */
#ifndef RETC_FIT_MEMBERS_ARGUMENTS_H
#define RETC_FIT_MEMBERS_ARGUMENTS_H

#include "ensemble.h"
#include "options.h"

typedef struct {
    retc_ensemble_options options;
    const char *split;
} retc_fit_members_arguments;

#define RETC_FIT_MEMBERS_DEFAULT                                                                                               \
    { .options = {.seeds = 1, .folds = 1}, .split = "same" }

#define RETC_FIT_MEMBERS(members)                                                                                              \
    {"seeds",                                                                                                                  \
     0,                                                                                                                        \
     RETC_OPTION_SIZE,                                                                                                         \
     0,                                                                                                                        \
     &(members).options.seeds,                                                                                                 \
     1,                                                                                                                        \
     1000,                                                                                                                     \
     NULL,                                                                                                                     \
     "networks: fit so many, from SEED, SEED+1, ...: an ensemble, which predict --ensemble averages"},                         \
        {"seeds-split",                                                                                                        \
         0,                                                                                                                    \
         RETC_OPTION_CHOICE,                                                                                                   \
         0,                                                                                                                    \
         &(members).split,                                                                                                     \
         0,                                                                                                                    \
         0,                                                                                                                    \
         "same|own",                                                                                                           \
         "networks: whether all networks of an ensemble hold out the same pieces"},                                            \
    {                                                                                                                          \
        "folds", 0, RETC_OPTION_SIZE, 0, &(members).options.folds, 1, 1000, NULL,                                              \
            "networks: cross-validate: so many networks, each of which holds out other frames, in --validation-pieces pieces"  \
    }

/* Take the choices, once all options are read: the number of networks, or a failure when they have no meaning together. */
int retc_fit_members_take(retc_fit_members_arguments *members, const char *model, size_t *n) RETC_USED;

/* Print what became of the networks, unless quiet. */
void retc_fit_members_say(const retc_common *common, const retc_ensemble *ensemble, const retc_network *network);

#endif
