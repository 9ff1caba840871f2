#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "figure_circuit.h"
#include "figure_filters.h"
#include "figure_input.h"
#include "figure_irf.h"
#include "figure_irf_sta.h"
#include "figure_kernels.h"
#include "figure_layers.h"
#include "figure_learning.h"
#include "figure_network.h"
#include "figure_paths.h"
#include "figure_protocol.h"
#include "figure_psth.h"
#include "figure_quality.h"
#include "figure_scores.h"
#include "figure_stimulus.h"
#include "figure_strip.h"
#include "figure_sweep.h"
#include "figure_truth.h"
#include "model_file.h"
#include "plot.h"
#include "temporary.h"

enum { MOST_CELLS = 8, MOST_ROWS = 30, MOST_INPUTS = 8 };

static const retc_usage usage = {
    .command = "figure",
    .summary = "draw result files with gnuplot",
    .description =
        "Writes a figure (png, svg or pdf; a film as gif; by the name of the output) and beside it, under the same name ending "
        "in .txt, the "
        "table it was drawn from, which holds all that the figure shows.  Without gnuplot the table is still written.\n\n"
        "  filters RF             time course, map and nonlinearity of each cell's STA\n"
        "  filters MODEL          the filters of every convolution of a model: those that see the stimulus as a map times a\n"
        "                         time course (and how much of the filter that holds), all others as matrices of maps; where\n"
        "                         readouts sit\n"
        "  psth PREDICTIONS [PREDICTIONS]\n"
        "                         measured and predicted rates of one or two models\n"
        "  scores PREDICTIONS ...  what up to 8 models score on each cell, with intervals, against the noise ceiling\n"
        "  learning MODEL ...     loss, validation r and learning rate of up to 8 fits, epoch by epoch\n"
        "  strip CONTRIBUTIONS MODES\n"
        "                         rate, contributions of all layers and two modes\n"
        "  layers CONTRIBUTIONS   how sparse contributions are, how many dimensions they have, whether signs oppose, and\n"
        "                         how they follow activations, layer by layer\n"
        "  paths CONTRIBUTIONS    which channels of conv0 act through which of conv1 on the target, or on a cell (--cells)\n"
        "  input CONTRIBUTIONS    which pixels drove the target, and how long before: maps and time courses at the\n"
        "                         strongest moments, or at --times\n"
        "  truth CONTRIBUTIONS RECORDING\n"
        "                         contributions to one cell beside the true ones of the simulated retina that was recorded\n"
        "  protocol RESPONSES     a protocol, what cells answer to it, and the index that tells their types apart\n"
        "  irf RF                 how a cell's receptive field changes in time\n"
        "  irf-sta RF RF          a cell's mean IRF beside its STA: maps, time courses, correlation\n"
        "  network MODEL          the layers of a model: maps, parameters, and what a unit of each sees\n"
        "  circuit RECORDING      a simulated retina: mosaics, wiring of chosen cells, filters, outputs\n"
        "  stimulus STIMULUS      frames of a movie, its levels, its power spectrum; as .gif, the movie itself\n"
        "  quality REPORT         a recording on one page: drift, short intervals, ceilings, trials, frames\n"
        "  sweep SWEEP            the score of a sweep against what varied, or a map of two, the best marked",
    .example = "retcodec figure psth ln.h5 cnn.h5 --start 2 --duration 5 -o psth.png",
};

typedef struct {
    const char *kind, *cells, *layer, *modes;
    retc_text_list inputs;
    double start, duration;
    size_t mode[2];
    retc_numbers times;
} options;

static int
draw_filters(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[4] = {0};
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(files[0], "/sta", 4, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(files[0], "/cell_names", shape[0], asked->cells, MOST_CELLS, &cells));
    if (!asked->cells && cells.n < cells.total)
        retc_say(common, "the first %zu of %zu cells are drawn; --cells chooses others\n", cells.n, cells.total);
    RETC_TRY(retc_figure_filters(files[0], &cells, table));
done:
    retc_figure_cells_free(&cells);
    return status;
}

static int
draw_kernels(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    retc_network *network = retc_network_read(files[0]);
    int status = network ? RETC_OK : RETC_EFORMAT;
    RETC_TRY(status);
    RETC_TRY(retc_figure_cells_choose(files[0], "/cell_names", network->N, asked->cells, MOST_ROWS, &cells));
    if (!asked->cells && cells.n < cells.total)
        retc_say(common, "the first %zu of %zu cells are drawn; --cells chooses others\n", cells.n, cells.total);
    RETC_TRY(retc_figure_kernels(network, &cells, table));
done:
    retc_figure_cells_free(&cells);
    retc_network_free(network);
    return status;
}

static int
draw_psth(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[2] = {0};
    int status = RETC_OK;
    for (size_t i = 0; i < asked->inputs.n; ++i)
        if (!retc_h5_has(files[i], "/test/rate") && retc_h5_has(files[i], "/train/rate"))
            RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: holds predictions of the train part; psth draws those of the test part",
                               retc_h5_path(files[i])));
    RETC_TRY(retc_h5_expect(files[0], "/test/rate", 2, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(files[0], "/cell_names", shape[0], asked->cells, MOST_CELLS, &cells));
    if (!asked->cells && cells.n < cells.total)
        retc_say(common, "the first %zu of %zu cells are drawn; --cells chooses others\n", cells.n, cells.total);
    RETC_TRY(retc_figure_psth(files, asked->inputs.n, &cells, asked->start, asked->duration, table));
done:
    retc_figure_cells_free(&cells);
    return status;
}

static int
draw_scores(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[1] = {0};
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(files[0], "/score/pearson", 1, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(files[0], "/cell_names", shape[0], asked->cells, MOST_ROWS, &cells));
    if (!asked->cells && cells.n < cells.total)
        retc_say(common, "the first %zu of %zu cells are drawn; --cells chooses others\n", cells.n, cells.total);
    RETC_TRY(retc_figure_scores(files, asked->inputs.n, &cells, table));
done:
    retc_figure_cells_free(&cells);
    return status;
}

static int
draw_learning(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)common;
    return retc_figure_learning(files, asked->inputs.n, table);
}

static int
draw_strip(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    const retc_figure_strip_options choice = {asked->start, asked->duration, asked->layer, asked->modes ? asked->mode : NULL};
    size_t shape[2] = {0};
    int status = RETC_OK;
    (void)common;
    RETC_TRY(retc_h5_expect(files[0], "/metadata/model_responses_all_cells", 2, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(files[0], "/metadata/cell_names", shape[1], asked->cells, shape[1], &cells));
    RETC_TRY(retc_figure_strip(files[0], files[1], &cells, &choice, table));
done:
    retc_figure_cells_free(&cells);
    return status;
}

static int
draw_layers(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)asked, (void)common;
    return retc_figure_layers(files[0], table);
}

static int
draw_paths(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)common;
    return retc_figure_paths(files[0], asked->cells, table);
}

static int
draw_input(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)common;
    const retc_figure_input_options choice = {asked->start, asked->duration, asked->times.value, asked->times.n};
    return retc_figure_input(files[0], &choice, table);
}

static int
draw_truth(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_truth_match match;
    int status = RETC_OK;
    RETC_TRY(retc_truth_match_compute(files[0], files[1], &match));
    RETC_TRY(retc_figure_truth(files[0], files[1], &match, asked->start, asked->duration, table));
    retc_say(common, "%s: best %s of %zu true contributions follow them with r %.3f on average; by chance %.3f\n",
             match.cell_name, match.units ? "units" : "channels", match.interneurons, match.mean_r, match.mean_chance);
done:
    retc_truth_match_clear(&match);
    return status;
}

static int
draw_irf(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    int status = RETC_OK;
    (void)common;
    char *group = retc_figure_irf_group(files[0], asked->cells);
    RETC_TRY(group ? RETC_OK : RETC_EINVAL);
    RETC_TRY(retc_figure_irf(files[0], group, asked->start, asked->duration, table));
done:
    retc_free(group);
    return status;
}

static int
draw_irf_sta(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    int status = RETC_OK;
    (void)common;
    char *group = retc_figure_irf_group(files[0], asked->cells);
    RETC_TRY(group ? RETC_OK : RETC_EINVAL);
    RETC_TRY(retc_figure_irf_sta(files[0], group, files[1], table));
done:
    retc_free(group);
    return status;
}

static int
draw_protocol(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[3] = {0};
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(files[0], "/psth", 3, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(files[0], "/cell_names", shape[0], asked->cells, MOST_CELLS, &cells));
    if (!asked->cells && cells.n < cells.total && !retc_h5_has(files[0], "/cell_types"))
        retc_say(common, "the first %zu of %zu cells are drawn; --cells chooses others\n", cells.n, cells.total);
    RETC_TRY(retc_figure_protocol(files[0], &cells, table));
done:
    retc_figure_cells_free(&cells);
    return status;
}

static int
draw_stimulus(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    int film = strcmp(retc_plot_format(common->output), "gif") == 0;
    return retc_figure_stimulus(files[0], asked->start, asked->duration, film, table);
}

static int
draw_quality(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    retc_figure_cells cells = {0};
    size_t shape[1] = {0};
    int status = RETC_OK;
    RETC_TRY(retc_h5_expect(files[0], "/cells/rate", 1, NULL, shape));
    RETC_TRY(retc_figure_cells_choose(files[0], "/cell_names", shape[0], asked->cells, MOST_ROWS, &cells));
    if (!asked->cells && cells.n < cells.total)
        retc_say(common, "the first %zu of %zu cells are drawn; --cells chooses others\n", cells.n, cells.total);
    RETC_TRY(retc_figure_quality(files[0], &cells, asked->start, asked->duration, table));
done:
    retc_figure_cells_free(&cells);
    return status;
}

static int
draw_circuit(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)common;
    return retc_figure_circuit(files[0], asked->cells, table);
}

static int
draw_sweep(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)asked, (void)common;
    return retc_figure_sweep(files[0], table);
}

static int
draw_network(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table) {
    (void)asked, (void)common;
    return retc_figure_network(files[0], table);
}

typedef struct {
    const char *name;
    size_t least, most;            /* input files */
    const char *inputs, *files[2]; /* kinds of the first and of all others */
    int (*draw)(retc_h5 *const *files, const options *asked, const retc_common *common, FILE *table);
} figure_kind;

static const figure_kind kinds[] = {
    {"filters", 1, 1, "one file of STAs, or one model", {"sta"}, draw_filters},
    {"psth", 1, 2, "one or two files of predictions", {"predictions", "predictions"}, draw_psth},
    {"scores", 1, MOST_INPUTS, "one to 8 files of predictions", {"predictions", "predictions"}, draw_scores},
    {"learning", 1, MOST_INPUTS, "one to 8 models", {"model", "model"}, draw_learning},
    {"strip", 2, 2, "a file of contributions and one of modes", {"contributions", "modes"}, draw_strip},
    {"layers", 1, 1, "one file of contributions", {"contributions"}, draw_layers},
    {"paths", 1, 1, "one file of contributions", {"contributions"}, draw_paths},
    {"input", 1, 1, "one file of contributions", {"contributions"}, draw_input},
    {"truth", 2, 2, "a file of contributions and a recording", {"contributions", "recording"}, draw_truth},
    {"irf", 1, 1, "one file of IRFs", {"irf"}, draw_irf},
    {"irf-sta", 2, 2, "a file of IRFs and one of STAs", {"irf", "sta"}, draw_irf_sta},
    {"protocol", 1, 1, "one file of responses to a protocol", {"protocol"}, draw_protocol},
    {"circuit", 1, 1, "one recording of a simulated retina", {"recording"}, draw_circuit},
    {"stimulus", 1, 1, "one stimulus file", {"stimulus"}, draw_stimulus},
    {"network", 1, 1, "one model", {"model"}, draw_network},
    {"quality", 1, 1, "one report of retcodec quality", {"quality"}, draw_quality},
    {"sweep", 1, 1, "one table of retcodec sweep", {"sweep"}, draw_sweep},
};

/* "filters", when they are those of a model. */
static const figure_kind kernels = {"kernels", 1, 1, "one model", {"model"}, draw_kernels};

static size_t
find_kind(const char *name) {
    size_t i = 0;
    while (strcmp(kinds[i].name, name) != 0)
        ++i;
    return i;
}

static int
parse_modes(options *asked) {
    char first[32];
    const char *comma = asked->modes ? strchr(asked->modes, ',') : NULL;
    if (!asked->modes)
        return RETC_OK;
    snprintf(first, sizeof first, "%.*s", comma ? (int)(comma - asked->modes) : 0, asked->modes);
    if (!comma || retc_parse_size(first, &asked->mode[0]) < 0 || retc_parse_size(comma + 1, &asked->mode[1]) < 0)
        return RETC_FAIL(RETC_EUSAGE, "--modes: \"%s\" is not two numbers, such as 0,3", asked->modes);
    return RETC_OK;
}

static int
check(const retc_common *common, options *asked) {
    size_t kind = find_kind(asked->kind);
    int is_strip = !strcmp(asked->kind, "strip");
    if (asked->inputs.n < kinds[kind].least || asked->inputs.n > kinds[kind].most)
        return RETC_FAIL(RETC_EUSAGE, "%s takes %s, %zu are given", asked->kind, kinds[kind].inputs, asked->inputs.n);
    int is_stimulus = !strcmp(asked->kind, "stimulus");
    const char *format = retc_plot_format(common->output);
    if (!format || (!strcmp(format, "gif") && !is_stimulus))
        return RETC_FAIL(RETC_EUSAGE, "--output: %s should end in .png, .svg or .pdf%s", common->output,
                         is_stimulus ? ", or for a film in .gif" : "");
    if ((asked->layer || asked->modes) && !is_strip)
        return RETC_FAIL(RETC_EUSAGE, "--%s is for the figure strip, not for %s", asked->layer ? "layer" : "modes",
                         asked->kind);
    if (asked->times.n && strcmp(asked->kind, "input") != 0)
        return RETC_FAIL(RETC_EUSAGE, "--times is for the figure input, not for %s", asked->kind);
    return parse_modes(asked);
}

/* The table's name: the figure's, ending in .txt; retc_free. */
static char *
table_name(const char *figure) {
    return retc_strf("%.*s.txt", (int)(strrchr(figure, '.') - figure), figure);
}

/* Under the name `path`; the user knows the table as `name`.  `*script` is to draw it. */
static int
write_table(const options *asked, const retc_common *common, const retc_provenance *provenance, const char *path,
            const char *name, const char **script) {
    retc_h5 *files[MOST_INPUTS] = {0};
    const figure_kind *kind = &kinds[find_kind(asked->kind)];
    int status = RETC_OK;
    FILE *table = NULL;
    for (size_t i = 0; i < asked->inputs.n; ++i) {
        files[i] = retc_h5_open(asked->inputs.text[i]);
        RETC_TRY(files[i] ? RETC_OK : RETC_EIO);
        if (kind->draw == draw_filters && retc_h5_has(files[i], "/state_dict"))
            kind = &kernels;
        RETC_TRY(retc_h5_expect_kind(files[i], kind->files[i > 0]));
    }
    *script = kind->name;
    table = fopen(path, "w");
    if (!table)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", name, strerror(errno)));
    if (!common->no_provenance)
        RETC_TRY(retc_provenance_print(provenance, table));
    RETC_TRY(kind->draw(files, asked, common, table));
done:
    if (table && (ferror(table) | fclose(table)) != 0 && status >= 0)
        status = RETC_FAIL(RETC_EIO, "%s: cannot be written: %s", name, strerror(errno));
    for (size_t i = 0; i < MOST_INPUTS; ++i)
        retc_h5_close(files[i]);
    return status;
}

/* Figure and table take their names last and in this order: a table that is up to date has its figure beside it. */
static int
draw(const options *asked, const retc_common *common, const retc_provenance *provenance) {
    char *table = table_name(common->output), *new_table = NULL, *new_figure = NULL;
    const char *script = NULL;
    int status = RETC_OK;
    RETC_TRY(RETC_GOT(table));
    if (!common->force && access(table, F_OK) == 0 && access(common->output, F_OK) != 0)
        RETC_TRY(RETC_FAIL(RETC_EIO, "%s exists already; --force replaces it", table));
    new_table = retc_temporary_name(table);
    RETC_TRY(RETC_GOT(new_table));
    new_figure = retc_temporary_name(common->output);
    RETC_TRY(RETC_GOT(new_figure));
    RETC_TRY(write_table(asked, common, provenance, new_table, table, &script));
    status = retc_plot_draw(script, new_table, new_figure, retc_plot_format(common->output));
    if (status < 0) {
        /* The table is worth keeping; a figure of older content beside it would mislead. */
        char reason[512];
        snprintf(reason, sizeof reason, "%s", retc_error_message());
        if (common->force)
            unlink(common->output);
        if (retc_temporary_keep(new_table, table, 1) == RETC_OK)
            RETC_TRY(RETC_FAIL(status, "%s; the table %s is written", reason, table));
        goto done;
    }
    RETC_TRY(retc_temporary_keep(new_figure, common->output, common->force));
    RETC_TRY(retc_temporary_keep(new_table, table, 1));
done:
    retc_temporary_remove(new_table);
    retc_temporary_remove(new_figure);
    retc_free(new_table);
    retc_free(new_figure);
    retc_free(table);
    return status;
}

int
retc_cmd_figure(int argc, char **argv) {
    options asked = {.duration = 4};
    retc_common common = {0};
    retc_provenance *provenance = NULL;
    int status;
    const retc_option table[] = {
        {"kind", 0, RETC_OPTION_CHOICE, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &asked.kind, 0, 0,
         "filters|psth|scores|learning|strip|layers|paths|input|truth|irf|irf-sta|network|protocol|circuit|stimulus|quality|"
         "sweep",
         "what to draw"},
        {"results", 0, RETC_OPTION_INPUTS, RETC_OPTION_POSITIONAL | RETC_OPTION_REQUIRED, &asked.inputs, 0, 0, NULL,
         "result files, as listed above"},
        RETC_COMMON_OUTPUT(common, "figure to write, ending in .png, .svg or .pdf"),
        {"cells", 'c', RETC_OPTION_TEXT, 0, &asked.cells, 0, 0, NULL,
         "names of the cells, separated by commas; without it the first 8, in strip the sum of all, in irf the first, in paths "
         "the target, in "
         "scores, quality and filters of models the first 30, in circuit (its wiring) the first of each type"},
        {"start", 0, RETC_OPTION_DOUBLE, 0, &asked.start, 0, 1e9, "s", "where the window starts, from the first sample on"},
        {"duration", 0, RETC_OPTION_DOUBLE, 0, &asked.duration, 1e-3, 1e9, "s", "length of the window"},
        {"times", 0, RETC_OPTION_NUMBERS, 0, &asked.times, 0, 1e9, "s",
         "input: up to 5 moments of the window; without it the strongest in each of its fifths"},
        {"layer", 0, RETC_OPTION_TEXT, 0, &asked.layer, 0, 0, NULL,
         "strip: layer of the modes; without it the first that has any"},
        {"modes", 0, RETC_OPTION_TEXT, 0, &asked.modes, 0, 0, NULL,
         "strip: numbers of two modes, counted from 0, as in 0,3; without it the strongest in the window and the strongest "
         "beside it"},
        RETC_COMMON_OPTIONS(common),
        RETC_OPTIONS_END,
    };
    status = retc_command_begin(&usage, table, &common, argc, argv, &provenance);
    if (status != RETC_OK)
        goto done;
    RETC_TRY(check(&common, &asked));
    RETC_TRY(draw(&asked, &common, provenance));
    retc_say(&common, "%s\n", common.output);
done:
    retc_command_end(table, provenance);
    return status;
}
