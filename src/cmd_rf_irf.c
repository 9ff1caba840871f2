#include <string.h>

#include "command.h"
#include "irf.h"
#include "model_file.h"
#include "recording_arguments.h"

typedef struct {
    const char *kind, *model, *recording, *part, *cells;
    retc_irf_options irf;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "rf", "instantaneous receptive fields: what each cell looks for at each moment",
    "rf irf: the gradient of a cell's rate with respect to the stimulus window, at every moment of a part of the "
    "recording, in Hz per standard deviation of the stimulus, oldest frame first.  The file follows the layout of the "
    "CODEC scripts.",
    "retcodec rf irf model.h5 recording.h5 --cells 0,3 -o irf.h5"};

/* "0,2,5" or "all" into a fresh list. */
static int
parse_cells(const char *text, size_t N, size_t **cell, size_t *n) {
    int status = RETC_OK;
    char *copy = retc_strdup(text), *rest = copy;
    *n = 0;
    RETC_TRY(RETC_GOT(copy));
    RETC_TRY(RETC_ALLOC(*cell, strlen(text) + N));
    if (strcmp(text, "all") == 0)
        for (; *n < N; ++*n)
            (*cell)[*n] = *n;
    else
        for (char *word; (word = strsep(&rest, ","));) {
            size_t value;
            if (retc_parse_size(word, &value) < 0 || value >= N) {
                status = RETC_FAIL(RETC_EUSAGE, "--cells: \"%s\" is not a cell from 0 to %zu", word, N - 1);
                goto done;
            }
            for (size_t i = 0; i < *n; ++i)
                if ((*cell)[i] == value) {
                    status = RETC_FAIL(RETC_EUSAGE, "--cells: cell %zu is named twice", value);
                    goto done;
                }
            (*cell)[(*n)++] = value;
        }
done:
    retc_free(copy);
    return status;
}

int
retc_cmd_rf_irf(int argc, char **argv) {
    options o = {.part = "test", .cells = "all", .open = RETC_RECORDING_DEFAULT, .common = {.seed = 1}};
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.kind, 0, 0, "irf",
         "kind of receptive field"},
        {"model", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.model, 0, 0, NULL, "model file"},
        {"recording", 0, RETC_OPTION_INPUT, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &o.recording, 0, 0, NULL,
         "recording"},
        {"part", 0, RETC_OPTION_CHOICE, 0, &o.part, 0, 0, "test|train", "part of the recording"},
        {"cells", 0, RETC_OPTION_TEXT, 0, &o.cells, 0, 0, NULL, "cells, counted from 0 and parted by commas, or \"all\""},
        {"first", 0, RETC_OPTION_SIZE, 0, &o.irf.first, 0, 1e12, NULL, "first sample of the part"},
        {"samples", 0, RETC_OPTION_SIZE, 0, &o.irf.samples, 0, 1e12, NULL, "number of samples; 0: all that follow"},
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "file of receptive fields to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    retc_h5 *file = NULL;
    size_t *cell = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(RETC_GOT(network = retc_network_open(o.model)));
    RETC_TRY(parse_cells(o.cells, network->N, &cell, &o.irf.cells));
    o.irf.cell = cell;
    o.irf.threads = o.common.threads;
    RETC_TRY(retc_recording_arguments_open(&o.open, &o.common, o.recording, &recording));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o.common.output, o.common.force)));
    RETC_TRY(retc_irf_write(network, recording, strcmp(o.part, "test") == 0 ? RETC_TEST : RETC_TRAIN, &o.irf, o.recording, file,
                            retc_meter_start("irf", o.common.quiet)));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(file, &o.common, provenance));
    retc_say(&o.common, "%s: instantaneous receptive fields of %zu cell%s, %zu frames by %zux%zu pixels, at every frame\n",
             o.common.output, o.irf.cells, o.irf.cells == 1 ? "" : "s", network->L, network->H, network->W);
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_free(cell);
    retc_network_free(network);
    retc_recording_close(recording);
    retc_command_end(table, provenance);
    return status;
}
