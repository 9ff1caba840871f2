/* The options of `retcodec contribute` that say what is explained and how: targets and methods. */
#ifndef RETC_CONTRIBUTE_ARGUMENTS_H
#define RETC_CONTRIBUTE_ARGUMENTS_H

#include "command.h"
#include "contribute.h"

typedef struct {
    const char *name, *statistics;
    retc_numbers cells, weights;
    size_t top;
    int softmax;
} retc_target_arguments;

/* clang-format off */
#define RETC_TARGET_ARGUMENTS(arguments)                                                                                      \
    {"target", 't', RETC_OPTION_CHOICE, 0, &(arguments).name, 0, 0,                                                           \
     "surprisal|sum|cell|topk|entropy|contrastive|linear", "what is explained, see above"},                                   \
    {"cell", 0, RETC_OPTION_NUMBERS, 0, &(arguments).cells, 0, 1e6, NULL,                                                     \
     "cell of --target cell, counted from 0; several, as 0,3, are added up"},                                                 \
    {"top", 0, RETC_OPTION_SIZE, 0, &(arguments).top, 0, 1e6, NULL, "cells of --target topk"},                                \
    {"weights", 0, RETC_OPTION_NUMBERS, 0, &(arguments).weights, -HUGE_VAL, HUGE_VAL, NULL,                                   \
     "weights of --target linear, one for each cell of the model"},                                                           \
    {"softmax", 0, RETC_OPTION_FLAG, 0, &(arguments).softmax, 0, 0, NULL,                                                     \
     "take the target of the softmax of the rates, where only differences between cells count; entropy always is"},       \
    {"statistics", 0, RETC_OPTION_CHOICE, 0, &(arguments).statistics, 0, 0, "train|test",                                     \
     "part that gives surprisal its mean and covariance; test, as published"}

typedef struct {
    const char *name, *cam;
} retc_method_arguments;

#define RETC_METHOD_DEFAULT                                                                                                    \
    { .name = "secant", .cam = "positive" }

#define RETC_METHOD_ARGUMENTS(arguments, contribute)                                                                          \
    {"method", 0, RETC_OPTION_CHOICE, 0, &(arguments).name, 0, 0,                                                             \
     "secant|trapezium|act-grad|act-normgrad|normact-normgrad|smooth-grad|grad-cam|smooth-grad-cam|knock-out|shapley",        \
     "how the target is shared out, see above"},                                                                                                       \
    {"steps", 0, RETC_OPTION_SIZE, 0, &(contribute).steps, 0, 1e6, NULL,                                                      \
     "secant, trapezium: steps from the baseline to the stimulus; 0: as many as every sample needs (trapezium: 20)"},         \
    {"tolerance", 0, RETC_OPTION_DOUBLE, 0, &(contribute).tolerance, 1e-6, 1, NULL,                                           \
     "error of a sample's contributions that ends the refinement, relative to their norm over all units of a layer"},         \
    {"floor", 0, RETC_OPTION_DOUBLE, 0, &(contribute).floor, 0, 1e9, NULL,                                                    \
     "norms below this, in units of the target, count as this"},                                                              \
    {"most-steps", 0, RETC_OPTION_SIZE, 0, &(contribute).most_steps, 10, 1e6, NULL, "steps of a sample at most"},              \
    {"noise", 0, RETC_OPTION_DOUBLE, 0, &(contribute).attribution.noise, 1e-6, 1e3, "stimulus SD",                            \
     "smooth-grad, smooth-grad-cam: standard deviation of the noise that is added to every pixel"},                           \
    {"noise-samples", 0, RETC_OPTION_SIZE, 0, &(contribute).attribution.samples, 1, 1e5, NULL,                                \
     "smooth-grad, smooth-grad-cam: stimuli with noise over which is averaged"},                                              \
    {"cam-sums", 0, RETC_OPTION_CHOICE, 0, &(arguments).cam, 0, 0, "positive|signed",                                         \
     "smooth-grad-cam: sums of positive activations and gradients, or of all, as published, which may blow up"},              \
    {"orders", 0, RETC_OPTION_SIZE, 0, &(contribute).attribution.orders, 2, 1e6, NULL,                                        \
     "shapley: random orders of the channels, each of which is also run backwards"},                                          \
    {"units", 0, RETC_OPTION_FLAG, 0, &(contribute).attribution.per_unit, 0, 0, NULL,                                         \
     "knock-out: one unit at a time, not one channel; takes as many times longer as a channel has units"}
/* clang-format on */

/* Paragraphs for the help text: what the names mean. */
/* clang-format off */
#define RETC_TARGET_HELP                                                                                                       \
    "Targets, all of the rates of the model's cells in one frame:\n\n"                                                         \
    "  surprisal    how unlikely the rates are: 1/2 (y - mean)' S (y - mean), S the\n"                                         \
    "               inverse of their covariance\n"                                                                             \
    "  sum          all rates added up\n"                                                                                      \
    "  cell         one cell, or some cells added up (--cell)\n"                                                               \
    "  topk         the largest rates added up (--top), whichever cells these are\n"                                           \
    "  entropy      how evenly the activity is spread over the cells: entropy of the\n"                                        \
    "               softmax of the rates\n"                                                                                    \
    "  contrastive  the largest rate less the second largest\n"                                                                \
    "  linear       rates times --weights, added up\n\n"

#define RETC_METHOD_HELP                                                                                                       \
    "Methods other than secant and trapezium:\n\n"                                                                             \
    "  knock-out    what the target loses when a channel is as on the baseline\n"                                              \
    "  shapley      the mean of such losses over random orders of the channels, with\n"                                        \
    "               standard errors; these do add up\n"                                                                        \
    "  act-grad     activation times gradient; act-normgrad divides by the gradient's\n"                                       \
    "               norm over the layer, normact-normgrad also by the activation's\n"                                          \
    "  smooth-grad  act-grad averaged over stimuli with noise\n"                                                               \
    "  grad-cam     activation times the mean gradient of its channel, where the sum\n"                                        \
    "               over channels is positive; smooth-grad-cam weighs channels as\n"                                           \
    "               Smooth Grad-CAM++ does\n\n"
/* clang-format on */

retc_target_arguments retc_target_arguments_default(void);

int retc_target_arguments_make(const retc_target_arguments *arguments, const retc_network *network, retc_recording *recording,
                               size_t threads, const retc_progress *progress, retc_target *target) RETC_USED;

/* Put the method into the options; a trapezium without steps gets the published 20. */
void retc_method_arguments_set(const retc_method_arguments *arguments, uint64_t seed, retc_contribute_options *contribute);

#endif
