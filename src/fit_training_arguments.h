/* The options of `retcodec fit` that say how a network is trained. */
#ifndef RETC_FIT_TRAINING_ARGUMENTS_H
#define RETC_FIT_TRAINING_ARGUMENTS_H

#include "fit.h"
#include "options.h"

/* Choices, by name; numbers go to the retc_fit_options directly. */
typedef struct {
    const char *loss, *schedule, *optimiser;
} retc_fit_training_arguments;

#define RETC_FIT_TRAINING_DEFAULT                                                                                              \
    { .loss = "poisson", .schedule = "plateau", .optimiser = "adam" }

/* Take the choices into `fit`, once all options are read; a combination without meaning is refused. */
int retc_fit_training_arguments_take(const retc_fit_training_arguments *arguments, retc_fit_options *fit) RETC_USED;

#define RETC_FIT_SIZE(name, value, low, high, unit, help)                                                                      \
    { name, 0, RETC_OPTION_SIZE, 0, &(value), low, high, unit, help }
#define RETC_FIT_NUMBER(name, value, low, high, unit, help)                                                                    \
    { name, 0, RETC_OPTION_DOUBLE, 0, &(value), low, high, unit, help }
#define RETC_FIT_CHOICE(name, value, choices, help)                                                                            \
    { name, 0, RETC_OPTION_CHOICE, 0, &(value), 0, 0, choices, help }

/* What is made small, and by what. */
#define RETC_FIT_LOSS(arguments, fit)                                                                                          \
    RETC_FIT_CHOICE("loss", (arguments).loss, "poisson|gaussian|bernoulli",                                                    \
                    "networks: of expected and recorded counts: Poisson likelihood, mean squared error, or the likelihood "    \
                    "of at least one spike in a frame"),                                                                       \
        RETC_FIT_CHOICE("optimiser", (arguments).optimiser, "adam|adamw",                                                      \
                        "networks: adamw shrinks weights by --weight-decay apart from the gradient"),                          \
        RETC_FIT_NUMBER("weight-decay", (fit).adam.weight_decay, 0, 100, NULL,                                                 \
                        "adamw: share of the weights of convolutions that a step at rate 1 takes away"),                       \
        RETC_FIT_NUMBER("clip", (fit).clip, 0, 1e9, NULL, "networks: gradients longer than this are cut to it; 0: never")

/* How long, and how fast. */
#define RETC_FIT_SCHEDULE(arguments, fit)                                                                                      \
    RETC_FIT_SIZE("epochs", (fit).epochs, 1, 1e6, NULL, "networks: passes over the train part at most"),                       \
        RETC_FIT_SIZE("patience", (fit).patience, 1, 1e6, "epochs",                                                            \
                      "networks: stop when validation has not improved for so long"),                                          \
        RETC_FIT_NUMBER("learning-rate", (fit).adam.rate, 1e-9, 1e9, NULL, "networks: of Adam"),                               \
        RETC_FIT_CHOICE("schedule", (arguments).schedule, "plateau|constant|cosine|step|exponential",                          \
                        "networks: how the learning rate falls: by --decay when half the patience has passed, not at all, "    \
                        "as half a cosine over all --epochs, or by --decay in every --decay-every epochs, at once or evenly"), \
        RETC_FIT_NUMBER("decay", (fit).schedule.decay, 1e-3, 1, NULL,                                                          \
                        "networks: factor on the learning rate, for plateau, step and exponential"),                           \
        RETC_FIT_SIZE("decay-every", (fit).schedule.every, 1, 1e6, "epochs", "networks: for step and exponential"),            \
        RETC_FIT_SIZE("warmup", (fit).schedule.warmup, 0, 1e9, "steps",                                                        \
                      "networks: the learning rate rises evenly over so many steps"),                                          \
        RETC_FIT_SIZE("average", (fit).average, 0, 1e9, "steps",                                                               \
                      "networks: parameters are averaged over about so many of the latest steps, and that average is "         \
                      "validated and kept; 0: the parameters themselves")

/* What is held against large, many or rough parameters and against activity. */
#define RETC_FIT_PENALTY(fit)                                                                                                  \
    RETC_FIT_NUMBER("l1", (fit).penalty.l1, 0, 100, NULL,                                                                      \
                    "networks: penalty on the sum of the sizes of the convolutions' weights"),                                 \
        RETC_FIT_NUMBER("l2", (fit).penalty.l2, 0, 100, NULL,                                                                  \
                        "networks: penalty l2/2 on the sum of the squares of the convolutions' weights"),                      \
        RETC_FIT_NUMBER("activity-l1", (fit).penalty.activity_l1, 0, 1e6, NULL,                                                \
                        "networks: penalty on the mean size of each nonlinearity's output, summed over them"),                 \
        RETC_FIT_NUMBER("smooth-time", (fit).penalty.smooth_time, 0, 1e6, NULL,                                                \
                        "networks: penalty on half the squared differences of neighbours in time, of conv0's kernels"),        \
        RETC_FIT_NUMBER("smooth-space", (fit).penalty.smooth_space, 0, 1e6, NULL, "networks: the same of neighbours in space")

/* What a step and a validation see of the recording. */
#define RETC_FIT_BATCHES(fit)                                                                                                  \
    RETC_FIT_SIZE("batch-blocks", (fit).batch_blocks, 1, 4096, NULL, "networks: blocks per batch"),                            \
        RETC_FIT_SIZE("block", (fit).block, 1, 65536, "frames", "networks: response frames per block"),                        \
        RETC_FIT_NUMBER("validation", (fit).validation, 0, 0.9, NULL, "networks: fraction of the train part held out"),        \
        RETC_FIT_SIZE("validation-pieces", (fit).validation_pieces, 1, 1e5, NULL, "networks: contiguous pieces held out")

#endif
