#include "fit_network_arguments.h"

#include <string.h>

#include "model_file.h"

int
retc_fit_network_is_printed(int argc, char **argv) {
    for (int i = 1; i < argc; ++i)
        if (!strncmp(argv[i], "--print-network", strlen("--print-network")))
            return 1;
    return 0;
}

static int
changes_preset(const retc_fit_network_arguments *a) {
    return a->channels[0] || a->channels[1] || a->kernel[0] || a->kernel[1] || a->noise >= 0;
}

/* A model has its own layers, history and lag. */
static int
take_start(const retc_fit_network_arguments *a, retc_fit_options *fit) {
    if (changes_preset(a) || strcmp(a->network, "cnn") != 0 || a->centres || a->output_hz > 0)
        return RETC_FAIL(RETC_EUSAGE,
                         "--start takes the layers of %s as they are: --network, --channels, --kernel, --noise, "
                         "--output-hz and --centres cannot change them",
                         a->start);
    retc_network *network = retc_network_open(a->start);
    if (!network)
        return RETC_EFORMAT;
    fit->start = a->start;
    fit->history = network->L, fit->lag = network->lag;
    retc_network_free(network);
    return RETC_OK;
}

int
retc_fit_network_take(const retc_fit_network_arguments *a, retc_architecture *architecture, retc_fit_options *fit) {
    int status = RETC_OK;
    if (a->start)
        RETC_TRY(take_start(a, fit));
    RETC_TRY(retc_architecture_open(a->print ? a->print : a->network, architecture));
    if (architecture->path && changes_preset(a))
        RETC_TRY(RETC_FAIL(RETC_EUSAGE, "--channels, --kernel and --noise change presets; what %s says is changed in that file",
                           architecture->path));
    for (size_t i = 0; i < 2; ++i) {
        RETC_TRY(retc_architecture_set_conv(architecture, i, a->channels[i], 0));
        RETC_TRY(retc_architecture_set_conv(architecture, i, 0, a->kernel[i]));
    }
    if (a->noise >= 0)
        RETC_TRY(retc_architecture_set_noise(architecture, a->noise));
    fit->architecture = architecture;
    fit->output_hz = a->output_hz;
    fit->centres = a->centres;
done:
    return status;
}
