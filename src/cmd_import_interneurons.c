#include "command.h"
#include "interneurons.h"

typedef struct {
    const char *kind, *file;
    retc_interneuron_options import;
    retc_common common;
} options;

static const retc_usage usage = {
    "import", "membrane potentials of interneurons, with movies that models can be shown",
    "import interneurons: a file of the Stanford recordings of bipolar, horizontal and amacrine cells. The stimuli boxes, "
    "flashes "
    "and lines become movies of 50x50 pixels, each kept apart and whole, beside the potentials of all cells. The published "
    "centres of receptive fields are written for files that have their published names.\n\n"
    "Boxes are scaled to -1 ... 1, or, with --mean and --std of a model's stimulus, as that model sees them.",
    "retcodec import interneurons bipolars_late_2012.h5 -o bipolars.h5"};

int
retc_cmd_import_interneurons(int argc, char **argv) {
    options o = {.kind = "interneurons", .import = {.frame_interval = 0.01}, .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "interneurons",
         "kind of files"},
        {"file", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.file, 0, 0, NULL,
         "recording of interneurons"},
        {"frame-interval", 0, RETC_OPTION_DOUBLE, 0, &o.import.frame_interval, 1e-6, 1e3, "s",
         "time from frame to frame, which the file does not say"},
        {"mean", 0, RETC_OPTION_DOUBLE, 0, &o.import.mean, 0, 0, NULL, "mean of a model's stimulus (with --std)"},
        {"std", 0, RETC_OPTION_DOUBLE, 0, &o.import.std, 0, 1e9, NULL,
         "standard deviation of a model's stimulus; 0: boxes are scaled to -1 ... 1"},
        RETC_COMMON_OUTPUT(o.common, "file to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_h5 *file = NULL;
    char *notes = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_interneurons_import(o.file, &o.import, file, &notes));
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    retc_say(&o.common, "%s", notes);

done:
    retc_h5_close(file);
    retc_free(notes);
    retc_command_end(table, provenance);
    return status < 0 ? status : RETC_OK;
}
