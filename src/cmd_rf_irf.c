#include <string.h>

#include "command.h"
#include "irf.h"
#include "model_file.h"
#include "recording_arguments.h"

typedef struct {
    const char *kind, *model, *recording, *part, *cells, *layout, *ig_rule;
    retc_irf_options irf;
    retc_irf_file file;
    retc_recording_arguments open;
    retc_common common;
} options;

static const retc_usage usage = {
    "rf", "instantaneous receptive fields: what each cell looks for at each moment",
    "rf irf: the gradient of a cell's rate with respect to the stimulus window, at every moment of a part of the "
    "recording, in Hz per standard deviation of the stimulus, oldest frame first.\n\n"
    "The layout \"full\" is that of the CODEC scripts; \"compact\" keeps the first terms of each field's separation into time "
    "courses and maps, on the pixels that the cell sees, in a hundredth of the room, and says how much that leaves out.  "
    "Either "
    "way the file holds, at every moment, centre, size, orientation, ON or OFF, latency, direction of motion, separability and "
    "gain; and how long the receptive field takes to change.\n\n"
    "With --ig-steps also integrated receptive fields, of integrated gradients from mean grey to the stimulus: what each pixel "
    "of the window adds to the rate, in Hz.  Their compact layout keeps the mean gradient, which times the stimulus they are.",
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

/* Compute, write and say. */
static int
run(options *o, const retc_provenance *provenance) {
    retc_recording *recording = NULL;
    retc_network *network = NULL;
    retc_h5 *file = NULL;
    size_t *cell = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(network = retc_network_open(o->model)));
    RETC_TRY(parse_cells(o->cells, network->N, &cell, &o->irf.cells));
    o->irf.cell = cell;
    o->irf.threads = o->common.threads;
    o->irf.ig_rule = strcmp(o->ig_rule, "secant") == 0 ? RETC_SECANT : RETC_TRAPEZIUM;
    o->file.layout = (strcmp(o->layout, "compact") ? RETC_IRF_FULL : 0) | (strcmp(o->layout, "full") ? RETC_IRF_COMPACT : 0);
    o->file.dataset = o->recording;
    RETC_TRY(retc_recording_arguments_open(&o->open, &o->common, o->recording, &recording));
    RETC_TRY(RETC_GOT(file = retc_h5_create(o->common.output, o->common.force)));
    RETC_TRY(retc_irf_write(network, recording, strcmp(o->part, "test") == 0 ? RETC_TEST : RETC_TRAIN, &o->irf, &o->file, file,
                            retc_meter_start("irf", o->common.quiet)));
    retc_meter_stop();
    RETC_TRY(retc_command_finish(file, &o->common, provenance));
    retc_say(&o->common, "%s: instantaneous receptive fields of %zu cell%s, %zu frames by %zux%zu pixels\n", o->common.output,
             o->irf.cells, o->irf.cells == 1 ? "" : "s", network->L, network->H, network->W);
done:
    retc_meter_stop();
    retc_h5_close(file);
    retc_free(cell);
    retc_network_free(network);
    retc_recording_close(recording);
    return status;
}

int
retc_cmd_rf_irf(int argc, char **argv) {
    options o = {.part = "test",
                 .cells = "all",
                 .layout = "both",
                 .ig_rule = "secant",
                 .irf = {.every = 1},
                 .file = retc_irf_file_default(),
                 .open = RETC_RECORDING_DEFAULT,
                 .common = {.seed = 1}};
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
        {"every", 0, RETC_OPTION_SIZE, 0, &o.irf.every, 1, 1e12, NULL, "of these samples, only each N-th"},
        {"layout", 0, RETC_OPTION_CHOICE, 0, &o.layout, 0, 0, "both|full|compact", "how receptive fields are stored"},
        {"rank", 0, RETC_OPTION_SIZE, 0, &o.irf.rank, 0, 1e6, NULL,
         "terms of the separation into time and space; 0: 2, or 1 where a cell sees a single pixel or frame"},
        {"subtract-mean", 0, RETC_OPTION_FLAG, 0, &o.irf.subtract_mean, 0, 0, NULL,
         "separate what is left without each field's mean, as published"},
        {"precision", 0, RETC_OPTION_DOUBLE, 0, &o.file.precision, 1e-4, 1, NULL,
         "rounding of compact maps, relative to the field"},
        {"lags", 0, RETC_OPTION_SIZE, 0, &o.file.lags, 1, 1e5, NULL,
         "samples over which the autocorrelation of the receptive field is measured"},
        {"pixel-size", 0, RETC_OPTION_DOUBLE, 0, &o.file.pixel_size, 0, 1e5, "um",
         "side of a pixel on the retina, for sizes in um; 0: not known"},
        {"ig-steps", 0, RETC_OPTION_SIZE, 0, &o.irf.ig_steps, 0, 1e5, NULL,
         "steps from mean grey to the stimulus for integrated receptive fields; 0: none"},
        {"ig-rule", 0, RETC_OPTION_CHOICE, 0, &o.ig_rule, 0, 0, "secant|trapezium",
         "secants add up to the rate exactly; trapezia are as published"},
        RETC_RECORDING_FRAMES(o.open),
        RETC_COMMON_OUTPUT(o.common, "file of receptive fields to write"),
        RETC_COMMON_OPTIONS(o.common),
        RETC_OPTIONS_END,
    };
    retc_provenance *provenance = NULL;
    int status = retc_command_begin(&usage, table, &o.common, argc, argv, &provenance);
    if (status == RETC_OK)
        status = run(&o, provenance);
    retc_command_end(table, provenance);
    return status;
}
