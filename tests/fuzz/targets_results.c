/* Targets: the files of this program. */
#include <stdio.h>
#include <stdlib.h>

#include "figure_filters.h"
#include "figure_irf.h"
#include "figure_psth.h"
#include "figure_stimulus.h"
#include "figure_strip.h"
#include "figure_table.h"
#include "fuzz.h"
#include "info.h"
#include "model_file.h"
#include "modes.h"
#include "recording.h"
#include "stimulus_file.h"

/* Frames read from each end of a movie: a damaged file may claim any number. */
enum { FRAMES = 64 };

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static void
read_ends(retc_recording *recording, retc_part part) {
    size_t T = retc_recording_frames(recording, part), n = smaller(T, FRAMES), cells = retc_recording_cells(recording);
    size_t pixels = retc_recording_height(recording) * retc_recording_width(recording);
    size_t units = retc_recording_interneurons(recording), rows = pixels > cells ? pixels : cells;
    float *out = retc_calloc(n ? n : 1, (rows > units ? rows : units) * sizeof *out);
    for (size_t t0 = 0; out && n > 0 && t0 <= T - n; t0 += T > n ? T - n : 1) {
        fuzz_told(retc_recording_stimulus(recording, part, t0, n, out));
        fuzz_told(retc_recording_counts(recording, part, t0, n, out));
        if (units > 0)
            fuzz_told(retc_recording_interneuron_signals(recording, part, t0, n, out));
    }
    retc_free(out);
}

int
fuzz_recording(const uint8_t *data, size_t size) {
    static const retc_recording_options options[2] = {{.budget = 1}, {.cells = "all", .skip = 3, .blocks = 2, .joined = 1}};
    for (int i = 0; i < 2; ++i) {
        retc_recording *recording = retc_recording_open_with(fuzz_input(data, size, ".h5"), &options[i]);
        if (!recording) {
            fuzz_told(RETC_EFORMAT);
            continue;
        }
        double mean, std;
        read_ends(recording, RETC_TRAIN);
        read_ends(recording, RETC_TEST);
        size_t T = retc_recording_frames(recording, RETC_TEST), R = retc_recording_repeats(recording);
        float *repeats = T > 0 && R > 0 ? retc_calloc(T, R * sizeof *repeats) : NULL;
        for (size_t cell = 0; repeats && cell < smaller(8, retc_recording_cells(recording)); ++cell)
            fuzz_told(retc_recording_repeat_counts(recording, cell, repeats));
        retc_free(repeats);
        for (int part = 0; part < 2; ++part) {
            retc_span *spans = NULL;
            size_t n;
            T = retc_recording_frames(recording, (retc_part)part);
            double *time = T ? retc_calloc(T, sizeof *time) : NULL;
            if (time)
                fuzz_told(retc_recording_time(recording, (retc_part)part, time));
            retc_free(time);
            fuzz_told(retc_recording_spans(recording, (retc_part)part, 4, 1, &spans, &n));
            retc_free(spans);
        }
        if (retc_recording_frames(recording, RETC_TRAIN) < 4096)
            fuzz_told(retc_recording_stimulus_norm(recording, &mean, &std));
        retc_recording_close(recording);
    }
    return 0;
}

int
fuzz_stimulus(const uint8_t *data, size_t size) {
    retc_stimulus *stimulus = retc_stimulus_open(fuzz_input(data, size, ".h5"));
    if (!stimulus) {
        fuzz_told(RETC_EFORMAT);
        return 0;
    }
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(stimulus);
    size_t n = smaller(layout->frames, FRAMES);
    float *out = retc_calloc(n * layout->height, layout->width * sizeof *out);
    if (out) {
        fuzz_told(retc_stimulus_read(stimulus, 0, n, out));
        fuzz_told(retc_stimulus_read(stimulus, layout->frames - n, n, out));
    }
    retc_free(out);
    retc_stimulus_close(stimulus);
    return 0;
}

int
fuzz_model(const uint8_t *data, size_t size) {
    retc_network *network = retc_network_open(fuzz_input(data, size, ".h5"));
    if (!network)
        fuzz_told(RETC_EFORMAT);
    retc_network_free(network);
    return 0;
}

/* ---- what figures and info read -------------------------------------------------------------------------------------- */

/* Open the input, say what it is, and have `draw` make the table of a figure from it. */
static void
with_table(const uint8_t *data, size_t size, int (*draw)(retc_h5 *file, FILE *table)) {
    retc_h5 *file = retc_h5_open(fuzz_input(data, size, ".h5"));
    FILE *nowhere = fopen("/dev/null", "w");
    if (!file)
        fuzz_told(RETC_EFORMAT);
    if (file && nowhere) {
        retc_info_facts(nowhere, file, retc_info_kind(file));
        fuzz_told(draw(file, nowhere));
    }
    if (nowhere)
        fclose(nowhere);
    retc_h5_close(file);
}

static int
draw_contributions(retc_h5 *file, FILE *table) {
    retc_modes modes;
    (void)table;
    int status = retc_modes_read(file, &modes);
    if (status == RETC_OK)
        retc_modes_clear(&modes);
    return status;
}

int
fuzz_contributions(const uint8_t *data, size_t size) {
    with_table(data, size, draw_contributions);
    return 0;
}

/* The modes are drawn with good contributions beside them. */
static int
draw_modes(retc_h5 *file, FILE *table) {
    static const retc_figure_strip_options options = {.duration = 1};
    static int made;
    const char *path = fuzz_path("contributions.h5");
    if (!made)
        made = fuzz_seed_contributions(path, 0);
    retc_h5 *contributions = retc_h5_open(path);
    retc_figure_cells cells = {0};
    if (!contributions)
        return RETC_OK;
    fuzz_made(retc_figure_cells_choose(contributions, "/metadata/cell_names", 2, NULL, 4, &cells));
    int status = retc_figure_strip(contributions, file, &cells, &options, table);
    retc_figure_cells_free(&cells);
    retc_h5_close(contributions);
    return status;
}

int
fuzz_modes(const uint8_t *data, size_t size) {
    with_table(data, size, draw_modes);
    return 0;
}

static int
draw_irf(retc_h5 *file, FILE *table) {
    char *group = retc_figure_irf_group(file, "0");
    int status = group ? retc_figure_irf(file, group, 0, 1, table) : RETC_EFORMAT;
    retc_free(group);
    return status;
}

int
fuzz_irf(const uint8_t *data, size_t size) {
    with_table(data, size, draw_irf);
    return 0;
}

static int
draw_predictions(retc_h5 *file, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[2];
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, "/test/rate", 2, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(file, "/cell_names", shape[0], NULL, 4, &cells));
    RETC_TRY(retc_figure_psth(&file, 1, &cells, 0, 1, table));

done:
    retc_figure_cells_free(&cells);
    return status;
}

int
fuzz_predictions(const uint8_t *data, size_t size) {
    with_table(data, size, draw_predictions);
    return 0;
}

static int
draw_sta(retc_h5 *file, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[4];
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(file, "/sta", 4, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(file, "/cell_names", shape[0], NULL, 4, &cells));
    RETC_TRY(retc_figure_filters(file, &cells, table));

done:
    retc_figure_cells_free(&cells);
    return status;
}

int
fuzz_sta(const uint8_t *data, size_t size) {
    with_table(data, size, draw_sta);
    return 0;
}
