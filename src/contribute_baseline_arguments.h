/* The options of `retcodec contribute` that say what contributions are counted from. */
#ifndef RETC_CONTRIBUTE_BASELINE_ARGUMENTS_H
#define RETC_CONTRIBUTE_BASELINE_ARGUMENTS_H

#include "baseline.h"
#include "recording_arguments.h"

typedef struct {
    const char *name, *movie;
    size_t frame, windows;
    double blur;
} retc_baseline_arguments;

#define RETC_BASELINE_DEFAULT                                                                                                  \
    { .name = "grey", .windows = 10, .blur = 5 }

/* clang-format off */
#define RETC_BASELINE_ARGUMENTS(arguments)                                                                                    \
    {"baseline", 0, RETC_OPTION_CHOICE, 0, &(arguments).name, 0, 0, "grey|mean|frame|movie|blur|windows",                     \
     "what contributions are counted from, see above"},                                                                       \
    {"baseline-frame", 0, RETC_OPTION_SIZE, 0, &(arguments).frame, 0, 1e12, NULL,                                             \
     "frame: number of a frame of the train part, from 0"},                                                                   \
    {"baseline-movie", 0, RETC_OPTION_INPUT, 0, &(arguments).movie, 0, 0, NULL,                                               \
     "movie: a stimulus file, or a recording, of which the same part is taken"},                                              \
    {"blur", 0, RETC_OPTION_DOUBLE, 0, &(arguments).blur, 0.1, 1e4, "pixels", "blur: standard deviation of the Gaussian"},    \
    {"baselines", 0, RETC_OPTION_SIZE, 0, &(arguments).windows, 1, 1e4, NULL, "windows: how many"}

#define RETC_BASELINE_HELP                                                                                                    \
    "Baselines, of which secant, trapezium, knock-out and shapley know:\n\n"                                                  \
    "  grey         mean grey, everywhere and always\n"                                                                       \
    "  mean         every pixel at its mean over the train part\n"                                                            \
    "  frame        one frame of the train part, standing still (--baseline-frame)\n"                                         \
    "  movie        another movie in step (--baseline-movie): every moment starts from\n"                                     \
    "               the same frames of it, so that contributions are what the one movie\n"                                    \
    "               adds to the other, as the motion of an object to a scene; it has as\n"                                    \
    "               many frames as the part, or one, which stands still\n"                                                    \
    "  blur         the stimulus itself, blurred in space (--blur)\n"                                                         \
    "  windows      the mean over random windows of the train part (--baselines), known\n"                                    \
    "               as expected gradients\n\n"
/* clang-format on */

/* Make the baseline for a part of the recording; a baseline movie that is a recording is opened as `open` says. */
int retc_baseline_arguments_make(const retc_baseline_arguments *arguments, const retc_recording_arguments *open,
                                 const retc_network *network, retc_recording *recording, retc_part part, uint64_t seed,
                                 retc_baseline *baseline) RETC_USED;

#endif
