/* The options of `retcodec fit` for the models that have solvers of their own, ln and glm, and what they do. */
#ifndef RETC_FIT_GLM_ARGUMENTS_H
#define RETC_FIT_GLM_ARGUMENTS_H

#include "command.h"
#include "fit.h"
#include "glm.h"
#include "ln.h"
#include "recording_arguments.h"

typedef struct {
    const char *filter;
    size_t bins;
    double ridge, smoothness;
    retc_glm_options glm;
} retc_fit_glm_arguments;

/* clang-format off */
#define RETC_FIT_GLM(arguments)                                                                                               \
    {"bins", 0, RETC_OPTION_SIZE, 0, &(arguments).bins, 1, 1e5, NULL, "ln: bins of the nonlinearity"},                        \
    {"filter", 0, RETC_OPTION_CHOICE, 0, &(arguments).filter, 0, 0, "ridge|sta",                                              \
     "ln: corrected for the stimulus' correlations, or the plain spike-triggered average"},                                   \
    {"ridge", 0, RETC_OPTION_DOUBLE, 0, &(arguments).ridge, -1, 1e9, NULL,                                                    \
     "ln, glm: penalty on squares of the stimulus filter; -1: for each cell the one that predicts held-out pieces best"},     \
    {"smoothness", 0, RETC_OPTION_DOUBLE, 0, &(arguments).smoothness, 0, 1e9, NULL,                                           \
     "ln, glm: weight, within that penalty, of squared differences between neighbours in space and time"},                    \
    {"time-bases", 0, RETC_OPTION_SIZE, 0, &(arguments).glm.time_bases, 0, 1e4, NULL,                                         \
     "glm: raised cosines in log time that stimulus filters are made of; 0: every frame by itself"},                          \
    {"rank", 0, RETC_OPTION_SIZE, 0, &(arguments).glm.rank, 0, 64, NULL,                                                      \
     "glm: stimulus filters are sums of so many products of a course in time and a pattern in space; 0: any"},                \
    {"neighbourhood", 0, RETC_OPTION_SIZE, 0, &(arguments).glm.neighbourhood, 0, 1e5, "pixels",                               \
     "glm: side of the square around a cell that it may see; 0: the whole image"},                                            \
    {"spike-history", 0, RETC_OPTION_SIZE, 0, &(arguments).glm.spike_history, 0, 1e5, "frames",                               \
     "glm: time over which spikes act on later rates; 0: not at all"},                                                        \
    {"spike-bases", 0, RETC_OPTION_SIZE, 0, &(arguments).glm.spike_bases, 1, 1e4, NULL,                                       \
     "glm: raised cosines in log time that spike filters are made of"},                                                       \
    {"coupling", 0, RETC_OPTION_FLAG, 0, &(arguments).glm.coupling, 0, 0, NULL,                                               \
     "glm: spikes act on other cells too"},                                                                                   \
    {"sparse-coupling", 0, RETC_OPTION_FLAG, 0, &(arguments).glm.sparse, 0, 0, NULL,                                          \
     "glm: the same, from those cells only that let held-out pieces be predicted better"},                                    \
    {"spike-ridge", 0, RETC_OPTION_DOUBLE, 0, &(arguments).glm.spike_ridge, 0, 1e9, NULL,                                     \
     "glm: penalty on squares of the coefficients of spike filters"},                                                         \
    {"tolerance", 0, RETC_OPTION_DOUBLE, 0, &(arguments).glm.ridge.newton.tolerance, 1e-7, 1, NULL,                           \
     "glm: gradient, per spike, at which the fit ends"},                                                                      \
    {"newton-steps", 0, RETC_OPTION_SIZE, 0, &(arguments).glm.ridge.newton.most_steps, 1, 1e6, NULL,                          \
     "glm: steps of Newton's method at most"}
/* clang-format on */

retc_fit_glm_arguments retc_fit_glm_default(void);

/* 1 when `model` is fitted here, else 0. */
int retc_fit_glm_is(const char *model);

/* Open the recording, fit `model`, write it to the output of `common` and say how it went; history, lag, validation, seed and
 * threads are those of `fit`.  RETC_NOT_CONVERGED when the solver stopped before it reached its tolerance. */
int retc_fit_glm_command(const retc_fit_glm_arguments *arguments, const char *model, const char *recording,
                         const retc_recording_arguments *open, const retc_fit_options *fit, const retc_common *common,
                         const retc_provenance *provenance) RETC_USED;

#endif
