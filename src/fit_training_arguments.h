/* The options of `retcodec fit` that say how a network is trained. */
#ifndef RETC_FIT_TRAINING_ARGUMENTS_H
#define RETC_FIT_TRAINING_ARGUMENTS_H

#include "fit.h"
#include "options.h"

#define RETC_FIT_SIZE(name, value, low, high, unit, help)                                                                      \
    { name, 0, RETC_OPTION_SIZE, 0, &(value), low, high, unit, help }
#define RETC_FIT_NUMBER(name, value, low, high, unit, help)                                                                    \
    { name, 0, RETC_OPTION_DOUBLE, 0, &(value), low, high, unit, help }

/* How long, and how fast. */
#define RETC_FIT_SCHEDULE(fit)                                                                                                 \
    RETC_FIT_SIZE("epochs", (fit).epochs, 1, 1e6, NULL, "cnn: passes over the train part at most"),                            \
        RETC_FIT_SIZE("patience", (fit).patience, 1, 1e6, "epochs", "cnn: stop when validation has not improved for so long"), \
        RETC_FIT_NUMBER("learning-rate", (fit).adam.rate, 1e-9, 10, NULL, "cnn: of Adam"),                                     \
        RETC_FIT_NUMBER("decay", (fit).decay, 1e-3, 1, NULL,                                                                   \
                        "cnn: factor on the learning rate when half the patience has passed")

/* What is held against large or rough parameters. */
#define RETC_FIT_PENALTY(fit)                                                                                                  \
    RETC_FIT_NUMBER("l2", (fit).adam.l2, 0, 100, NULL, "cnn: penalty l2/2 on the squares of the convolutions' weights")

/* What a step and a validation see of the recording. */
#define RETC_FIT_BATCHES(fit)                                                                                                  \
    RETC_FIT_SIZE("batch-blocks", (fit).batch_blocks, 1, 4096, NULL, "cnn: blocks per batch"),                                 \
        RETC_FIT_SIZE("block", (fit).block, 1, 65536, "frames", "cnn: response frames per block"),                             \
        RETC_FIT_NUMBER("validation", (fit).validation, 0, 0.9, NULL, "cnn: fraction of the train part held out"),             \
        RETC_FIT_SIZE("validation-pieces", (fit).validation_pieces, 1, 1e5, NULL, "cnn: contiguous pieces held out")

#endif
