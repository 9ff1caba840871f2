#include "fit_network_arguments.h"

#include <string.h>

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

int
retc_fit_network_take(const retc_fit_network_arguments *a, retc_architecture *architecture, retc_fit_options *fit) {
    int status = RETC_OK;
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
