/* Networks that have names, as the tables that a user would write. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "architecture.h"
#include "options.h"

/* Between two convolutions, and from the readout to rates. */
#define NORM "[layer]\nkind = batchnorm\n"
#define NORM_PER_UNIT NORM "per-unit = yes\n"
#define NORM_ABSOLUTE NORM "absolute = yes\n"
#define NOISE(sigma) "[layer]\nkind = noise\nsigma = " sigma "\n"
#define RELU "[layer]\nkind = relu\n"
#define READOUT "[layer:readout]\nkind = dense\nbias = no\n"
#define RATES "[layer]\nkind = softplus\n[layer]\nkind = scale\nhz = mean\n"
#define CONV(name, kind, channels, kernel) "[layer:" name "]\nkind = " kind "\nchannels = " channels "\nkernel = " kernel "\n"

/* Ours: as bncnn, but with statistics of channels, and more noise. */
static const char cnn[] = CONV("conv0", "conv", "8", "15") NORM NOISE("0.3") RELU CONV("conv1", "conv", "8", "11")
    NORM NOISE("0.3") RELU READOUT NORM RATES;

/* Batch norms change none of the functions that an LN or LN-LN model can be, only how fast it is found. */
static const char ln[] = READOUT NORM RATES;
static const char lnln[] = CONV("subunits", "conv", "4", "15") NORM RELU READOUT NORM RATES;

/* McIntosh et al. 2016, section 2.2 */
static const char mcintosh2016[] = CONV("conv0", "conv", "8", "15") NOISE("0.1") RELU CONV("conv1", "conv", "8", "11")
    NOISE("0.1") RELU "[layer:readout]\nkind = dense\n" RATES;

/* bn_cnn of deep-retina, BNCNN of torch-deep-retina (FORMATS 4.1, 4.2) */
static const char bncnn[] = CONV("conv0", "conv", "8", "15") NORM_PER_UNIT NOISE("0.05") RELU CONV("conv1", "conv", "8", "11")
    NORM_PER_UNIT NOISE("0.05") RELU READOUT NORM RATES;
static const char stacked_bncnn[] = CONV("conv0", "stacked", "8", "15") NORM_PER_UNIT "absolute = yes\n" NOISE("0.05")
    RELU CONV("conv1", "stacked", "8", "11") NORM_PER_UNIT "absolute = yes\n" NOISE("0.05") RELU READOUT NORM_ABSOLUTE RATES;

/* VaryModel and RetinotopicModel of torch-deep-retina share what is below the readout. */
#define BELOW                                                                                                                  \
    CONV("conv0", "stacked", "8", "15")                                                                                        \
    NORM_ABSOLUTE NOISE("0.05") RELU CONV("conv1", "stacked", "8", "11") NORM_ABSOLUTE NOISE("0.05") RELU
static const char vary[] = BELOW CONV("readout", "conv", "cells", "11") "bias = no\n[layer]\nkind = grab\n" NORM_ABSOLUTE RATES;
static const char retinotopic[] = BELOW CONV("readout", "conv", "cells", "11") NORM_ABSOLUTE
    "[layer]\nkind = softplus\n[layer]\nkind = grab\none-hot = yes\n[layer]\nkind = scale\nhz = mean\n";

static const struct {
    const char *name, *table, *about;
} presets[] = {
    {"cnn", cnn, "two convolutions with batch norm per channel, a dense readout"},
    {"ln", ln, "linear filter and softplus, by gradient; retcodec fit --model ln takes the spike-triggered average instead"},
    {"lnln", lnln, "LN-LN: four types of subunits everywhere, rectified, and weighted freely by each cell"},
    {"mcintosh2016", mcintosh2016, "two convolutions without batch norm, a dense readout (McIntosh et al. 2016)"},
    {"bncnn", bncnn, "two convolutions with batch norm per unit, a dense readout (bn_cnn of deep-retina)"},
    {"stacked-bncnn", stacked_bncnn, "bncnn of stacked convolutions (LinearStackedBNCNN of torch-deep-retina)"},
    {"vary", vary, "stacked convolutions and one readout position per cell (VaryModel, as CODEC was published with)"},
    {"retinotopic", retinotopic, "as vary, but the position is taken behind the softplus (RetinotopicModel)"},
};
enum { PRESETS = sizeof presets / sizeof *presets };

const char *
retc_architecture_about(const char *preset) {
    for (size_t i = 0; i < PRESETS; ++i)
        if (!strcmp(presets[i].name, preset))
            return presets[i].about;
    return NULL;
}

static int
read_text(const char *name, const char *table, retc_architecture *architecture) {
    FILE *in = fmemopen((void *)(uintptr_t)table, strlen(table), "r");
    if (!in)
        return RETC_FAIL(RETC_ENOMEM, "out of memory");
    int status = retc_architecture_read_stream(in, name, architecture);
    fclose(in);
    if (status == RETC_OK) {
        retc_free(architecture->path);
        architecture->path = NULL;
    }
    return status;
}

static int
no_network(const char *name) {
    const char *names[PRESETS];
    for (size_t i = 0; i < PRESETS; ++i)
        names[i] = presets[i].name;
    const char *near = retc_nearest_name(name, names, PRESETS);
    return RETC_FAIL(RETC_EINVAL, "there is no network \"%s\"%s%s%s, and no file of that name; networks are %s", name,
                     near ? "; did you mean " : "", near ? near : "", near ? "?" : "", RETC_ARCHITECTURE_PRESETS);
}

int
retc_architecture_open(const char *name, retc_architecture *architecture) {
    struct stat info;
    *architecture = (retc_architecture){0};
    for (size_t i = 0; i < PRESETS; ++i)
        if (!strcmp(presets[i].name, name))
            return read_text(name, presets[i].table, architecture);
    if (stat(name, &info) < 0 && errno == ENOENT)
        return no_network(name);
    FILE *in = fopen(name, "r");
    if (!in)
        return RETC_FAIL(RETC_EIO, "%s: %s", name, strerror(errno));
    int status = retc_architecture_read_stream(in, name, architecture);
    fclose(in);
    return status;
}
