/* The options of `retcodec contribute` that say what is written beside contributions per channel: less reduced ones, paths
 * through two layers, the share of pixels. */
#ifndef RETC_CONTRIBUTE_OUTPUT_ARGUMENTS_H
#define RETC_CONTRIBUTE_OUTPUT_ARGUMENTS_H

#include "contribute.h"
#include "input.h"
#include "options.h"
#include "pairs.h"
#include "reduction.h"

typedef struct {
    const char *reduce, *input;
    int paths;
    retc_reduction_options reductions;
    double *centre; /* of the cells, where reductions need them; cleared with the arguments */
    retc_pairs_options pairs;
    retc_input_options inputs;
} retc_output_arguments;

/* clang-format off */
#define RETC_REDUCTION_ARGUMENTS(arguments)                                                                                   \
    {"reduce", 0, RETC_OPTION_TEXT, 0, &(arguments).reduce, 0, 0, NULL,                                                       \
     "what is written of every layer, one or more with commas between them: split (always there; sums of the negative "       \
     "and of the positive units of each channel), maps (all units), sum (one number per channel), patch (split, of "          \
     "patches of units), neighbourhood (split, of the units around every cell)"},                                             \
    {"patch", 0, RETC_OPTION_SIZE, 0, &(arguments).reductions.patch, 1, 1e6, "units", "side of a patch"},                     \
    {"radius", 0, RETC_OPTION_DOUBLE, 0, &(arguments).reductions.radius, 0, 1e6, "pixels",                                    \
     "of a neighbourhood, between the middles of receptive fields"}

#define RETC_SECANTS_HELP " (secants, as many as needed unless --steps fixes their number)"
#define RETC_EVERY_ARGUMENT(name, of)                                                                                         \
    {name "-every", 0, RETC_OPTION_SIZE, 0, &(of).every, 1, 1e9, "runs",                                                      \
     "take one run of 16 samples of so many for --" name}

#define RETC_PATHS_ARGUMENTS(arguments)                                                                                       \
    {"paths", 0, RETC_OPTION_FLAG, 0, &(arguments).paths, 0, 0, NULL,                                                         \
     "also write which channels of the first convolution act through which channels of the second, on the target and on "     \
     "every cell: means over samples" RETC_SECANTS_HELP},                                                                     \
    RETC_EVERY_ARGUMENT("paths", (arguments).pairs)

#define RETC_INPUT_ARGUMENTS(arguments)                                                                                       \
    {"input", 0, RETC_OPTION_CHOICE, 0, &(arguments).input, 0, 0, "none|map|full",                                            \
     "also write how much every pixel drove the target: summed over the history and over pixels, or in full, every frame of " \
     "every window, cut to what a target cell sees" RETC_SECANTS_HELP},                                                       \
    RETC_EVERY_ARGUMENT("input", (arguments).inputs)
/* clang-format on */

retc_output_arguments retc_output_arguments_default(void);

/* Take over what is the same for all: the baseline, threads and number of steps; and find out what reductions need.  Where
 * cells are is only asked for when it matters: it may take a pass over the train part. */
int retc_output_arguments_take(retc_output_arguments *arguments, const retc_contribute_options *contribute,
                               const retc_network *network, retc_recording *recording, const retc_progress *progress) RETC_USED;
void retc_output_arguments_clear(retc_output_arguments *arguments);

/* Write paths and input attributions, if they are asked for, beside contributions.  The number of their samples above the
 * tolerance is added to *unconverged. */
int retc_output_arguments_write(const retc_output_arguments *arguments, const retc_network *network, retc_recording *recording,
                                retc_part part, const retc_target *target, retc_h5 *file,
                                const retc_progress *progress, size_t *unconverged) RETC_USED;

#endif
