/* The options of `retcodec fit` that say what network is fitted. */
#ifndef RETC_FIT_NETWORK_ARGUMENTS_H
#define RETC_FIT_NETWORK_ARGUMENTS_H

#include "fit.h"
#include "options.h"

typedef struct {
    const char *network, *print, *centres, *start;
    size_t channels[2], kernel[2]; /* 0: as the network says */
    double noise, output_hz;       /* noise below 0: as the network says */
} retc_fit_network_arguments;

/* What `retcodec fit --help` says of the presets. */
#define RETC_FIT_NETWORKS_TEXT                                                                                                 \
    "  cnn            two convolutions with batch norm per channel, a dense readout\n"                                         \
    "  ln             a linear filter per cell and softplus\n"                                                                 \
    "  lnln           LN-LN: types of rectified subunits, weighted freely by each cell\n"                                      \
    "  mcintosh2016   two convolutions without batch norm, a dense readout\n"                                                  \
    "  bncnn          two convolutions with batch norm per unit, a dense readout\n"                                            \
    "  stacked-bncnn  bncnn, trained as chains of 3 x 3 convolutions\n"                                                        \
    "  vary           stacked convolutions, one readout position per cell: as CODEC\n"                                         \
    "                 was published with\n"                                                                                    \
    "  retinotopic    as vary, the position taken behind the softplus"

#define RETC_FIT_NETWORK_DEFAULT                                                                                               \
    { .network = "cnn", .noise = -1 }

#define RETC_FIT_CONV(name, value, what)                                                                                       \
    { name, 0, RETC_OPTION_SIZE, 0, &(value), 0, 4096, NULL, "cnn: " what " in place of the preset's; 0: as that has them" }
#define RETC_FIT_NETWORK(arguments)                                                                                            \
    {"network",                                                                                                                \
     'n',                                                                                                                      \
     RETC_OPTION_INPUT,                                                                                                        \
     RETC_OPTION_NAMES,                                                                                                        \
     &(arguments).network,                                                                                                     \
     0,                                                                                                                        \
     0,                                                                                                                        \
     RETC_ARCHITECTURE_PRESETS,                                                                                                \
     "cnn: the network, a table of layers in a file or one of"},                                                               \
        {"start",                                                                                                              \
         0,                                                                                                                    \
         RETC_OPTION_INPUT,                                                                                                    \
         0,                                                                                                                    \
         &(arguments).start,                                                                                                   \
         0,                                                                                                                    \
         0,                                                                                                                    \
         NULL,                                                                                                                 \
         "cnn: model file to begin from, such as a converted checkpoint: its layers, parameters, normalisation, history and "  \
         "lag, in place of a network with random weights"},                                                                    \
        {"print-network",                                                                                                      \
         0,                                                                                                                    \
         RETC_OPTION_INPUT,                                                                                                    \
         RETC_OPTION_NAMES | RETC_OPTION_NO_EFFECT,                                                                            \
         &(arguments).print,                                                                                                   \
         0,                                                                                                                    \
         0,                                                                                                                    \
         RETC_ARCHITECTURE_PRESETS,                                                                                            \
         "write the table of a network to standard output, to be edited, and do nothing else; one of the same names"},         \
        RETC_FIT_CONV("channels0", (arguments).channels[0], "channels of the first convolution"),                              \
        RETC_FIT_CONV("channels1", (arguments).channels[1], "channels of the second convolution"),                             \
        RETC_FIT_CONV("kernel0", (arguments).kernel[0], "side of the first convolution's kernels, cut to the movie,"),         \
        RETC_FIT_CONV("kernel1", (arguments).kernel[1], "side of the second convolution's kernels, cut to its map,"),          \
        {"noise",                                                                                                              \
         0,                                                                                                                    \
         RETC_OPTION_DOUBLE,                                                                                                   \
         0,                                                                                                                    \
         &(arguments).noise,                                                                                                   \
         -1,                                                                                                                   \
         100,                                                                                                                  \
         NULL,                                                                                                                 \
         "cnn: standard deviation of all noise while training, in place of the preset's; -1: as that has it"},                 \
        {"output-hz",                                                                                                          \
         0,                                                                                                                    \
         RETC_OPTION_DOUBLE,                                                                                                   \
         0,                                                                                                                    \
         &(arguments).output_hz,                                                                                               \
         0,                                                                                                                    \
         1e6,                                                                                                                  \
         "Hz",                                                                                                                 \
         "cnn: rate per unit of the network's output, where it says \"hz = mean\"; 0: the mean rate of the cells"},            \
    {                                                                                                                          \
        "centres", 0, RETC_OPTION_INPUT, 0, &(arguments).centres, 0, 0, NULL,                                                  \
            "cnn: text file with the row and column (pixels) of every cell's receptive field, one cell a line, for readouts "  \
            "at positions; without it the peaks of spike-triggered averages"                                                   \
    }

/* Nonzero when the command line asks for --print-network, which needs neither recording nor output. */
int retc_fit_network_is_printed(int argc, char **argv);

/* Read the network, with the numbers that the options change, into `architecture` (retc_architecture_clear) and let `fit` use
 * it. */
int retc_fit_network_take(const retc_fit_network_arguments *arguments, retc_architecture *architecture,
                          retc_fit_options *fit) RETC_USED;

#endif
