#include "simulate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "recording_data.h"
#include "rng.h"
#include "stimulus_file.h"

#define CALIBRATION_FRAMES ((size_t)4096)

/* Test and train stimulus are compared over this many frames. */
#define COMPARED_FRAMES ((size_t)64)

/* Two frame intervals are the same when they agree this well. */
#define SAME_INTERVAL 1e-6

typedef struct {
    const retc_simulate_options *options;
    retc_stimulus *stimulus[2];
    retc_circuit *circuit;
    retc_recording_writer *writer;
    const retc_progress *progress;
    size_t played, total; /* frames, for the progress */
    size_t block;         /* frames that the buffers hold */
    float *movie;         /* (block,H,W) */
    double *drive, *rate; /* (I,block), (N,block) */
    float *signal;        /* (I,block) */
    float *counts;        /* (N,R,block) */
    float *rate_float;    /* (N,block) */
    double *spikes;       /* (N) in the train part */
} simulation;

static size_t
repeats_of(const simulation *sim, retc_part part) {
    return part == RETC_TEST ? sim->options->repeats : 1;
}

/* ---- setting up ------------------------------------------------------------------------------------------------------ */

static int
open_stimuli(simulation *sim) {
    int status = RETC_OK;
    const retc_simulate_options *options = sim->options;
    RETC_TRY(RETC_GOT(sim->stimulus[RETC_TRAIN] = retc_stimulus_open(options->train)));
    const retc_stimulus_layout *train = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN]);
    sim->total = train->frames;
    if (!options->test)
        return RETC_OK;
    RETC_TRY(RETC_GOT(sim->stimulus[RETC_TEST] = retc_stimulus_open(options->test)));
    const retc_stimulus_layout *test = retc_stimulus_layout_of(sim->stimulus[RETC_TEST]);
    sim->total += test->frames;
    if (options->repeats == 0)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the test stimulus needs at least one repeat"));
    if (test->height != train->height || test->width != train->width)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: frames have %zu x %zu pixels, expected %zu x %zu as in %s", options->test,
                           test->height, test->width, train->height, train->width, options->train));
    if (fabs(test->frame_interval - train->frame_interval) > SAME_INTERVAL * train->frame_interval)
        RETC_TRY(RETC_FAIL(RETC_EFORMAT, "%s: the frame interval is %g ms, expected %g ms as in %s", options->test,
                           1000 * test->frame_interval, 1000 * train->frame_interval, options->train));

done:
    return status;
}

static int
make_buffers(simulation *sim) {
    int status = RETC_OK;
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN]);
    size_t N = retc_circuit_cells(sim->circuit), I = retc_circuit_units(sim->circuit);
    sim->block = sim->options->block ? sim->options->block : retc_stimulus_slab(layout->height, layout->width);
    RETC_TRY(RETC_ALLOC(sim->movie, sim->block * layout->height * layout->width));
    RETC_TRY(RETC_ALLOC(sim->drive, sim->block * I));
    RETC_TRY(RETC_ALLOC(sim->signal, sim->block * I));
    RETC_TRY(RETC_ALLOC(sim->rate, sim->block * N));
    RETC_TRY(RETC_ALLOC(sim->rate_float, sim->block * N));
    RETC_TRY(RETC_ALLOC(sim->counts, sim->block * N * (sim->options->repeats ? sim->options->repeats : 1)));
    RETC_TRY(RETC_ALLOC(sim->spikes, N));

done:
    return status;
}

/* Calibrate on the beginning of the train stimulus, as far as its first stretch of continuous time reaches. */
static int
calibrate(simulation *sim) {
    int status = RETC_OK;
    retc_stimulus *stimulus = sim->stimulus[RETC_TRAIN];
    size_t blocks, n = retc_stimulus_layout_of(stimulus)->frames, I = retc_circuit_units(sim->circuit);
    const size_t *start = retc_stimulus_blocks(stimulus, &blocks);
    double *drive = NULL;
    n = blocks > 1 ? start[1] : n;
    n = n < CALIBRATION_FRAMES ? n : CALIBRATION_FRAMES;
    RETC_TRY(RETC_ALLOC(drive, I * n));
    retc_circuit_reset(sim->circuit);
    for (size_t t0 = 0; t0 < n; t0 += sim->block) {
        size_t m = n - t0 < sim->block ? n - t0 : sim->block;
        RETC_TRY(retc_stimulus_read(stimulus, t0, m, sim->movie));
        RETC_TRY(retc_circuit_drive(sim->circuit, sim->movie, m, sim->drive));
        for (size_t u = 0; u < I; ++u) {
            for (size_t t = 0; t < m; ++t)
                drive[u * n + t0 + t] = sim->drive[u * m + t];
        }
    }
    status = retc_circuit_calibrate(sim->circuit, drive, n);
    if (status < 0)
        retc_error_prefix(status, "%s", retc_stimulus_path(stimulus));

done:
    retc_free(drive);
    return status;
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* Without the movie, a recording needs what makes its frames again. */
static int
take_recipe(const retc_stimulus *stimulus, retc_recipe **recipe) {
    *recipe = retc_stimulus_recipe(stimulus);
    if (!*recipe)
        return RETC_FAIL(RETC_EINVAL,
                         "%s: holds frames and no recipe: make it with --recipe, or leave out --no-movie to copy them",
                         retc_stimulus_path(stimulus));
    return RETC_OK;
}

static int
create_recording(simulation *sim, const char *output, int force) {
    int status = RETC_OK;
    const retc_stimulus_layout *train = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN]);
    size_t N = retc_circuit_cells(sim->circuit), I = retc_circuit_units(sim->circuit);
    char(*cell_text)[32] = NULL;
    const char **names = NULL;
    RETC_TRY(RETC_ALLOC(cell_text, N));
    RETC_TRY(RETC_ALLOC(names, N + I));
    for (size_t cell = 0; cell < N; ++cell) {
        snprintf(cell_text[cell], sizeof cell_text[cell], "cell%02zu", cell + 1);
        names[cell] = cell_text[cell];
    }
    for (size_t u = 0; u < I; ++u)
        names[N + u] = retc_circuit_unit(sim->circuit, u)->name;
    retc_recording_layout layout = {.height = train->height,
                                    .width = train->width,
                                    .cells = N,
                                    .repeats = sim->options->repeats,
                                    .frame_interval = train->frame_interval,
                                    .stimulus_type = train->type,
                                    .cell_names = names,
                                    .interneurons = I,
                                    .interneuron_names = names + N};
    for (int part = 0; part < 2; ++part) {
        if (!sim->stimulus[part])
            continue;
        if (sim->options->no_movie)
            RETC_TRY(take_recipe(sim->stimulus[part], &layout.recipe[part]));
        layout.frames[part] = retc_stimulus_layout_of(sim->stimulus[part])->frames;
        layout.block_start[part] = retc_stimulus_blocks(sim->stimulus[part], &layout.blocks[part]);
        if (retc_stimulus_layout_of(sim->stimulus[part])->type == RETC_H5_FLOAT)
            layout.stimulus_type = RETC_H5_FLOAT;
    }
    RETC_TRY(RETC_GOT(sim->writer = retc_recording_writer_create(output, force, &layout)));

done:
    retc_free(cell_text);
    retc_free(names);
    return status;
}

static int
write_wiring(simulation *sim) {
    int status = RETC_OK;
    retc_h5 *file = retc_recording_writer_file(sim->writer);
    size_t I = retc_circuit_units(sim->circuit);
    int64_t *place = NULL; /* rows, columns, cells */
    double *weight = NULL;
    RETC_TRY(RETC_ALLOC(place, 3 * I));
    RETC_TRY(RETC_ALLOC(weight, I));
    for (size_t u = 0; u < I; ++u) {
        const retc_unit *unit = retc_circuit_unit(sim->circuit, u);
        place[u] = (int64_t)unit->row;
        place[I + u] = (int64_t)unit->column;
        place[2 * I + u] = (int64_t)unit->cell;
        weight[u] = unit->weight;
    }
    RETC_TRY(retc_h5_put(file, "interneurons/row", RETC_H5_INT64, 1, &I, place));
    RETC_TRY(retc_h5_put(file, "interneurons/column", RETC_H5_INT64, 1, &I, place + I));
    RETC_TRY(retc_h5_put(file, "interneurons/cell", RETC_H5_INT64, 1, &I, place + 2 * I));
    RETC_TRY(retc_h5_put(file, "interneurons/weight", RETC_H5_DOUBLE, 1, &I, weight));
    RETC_TRY(retc_h5_set_int(file, "/", "lag", 1));

done:
    retc_free(place);
    retc_free(weight);
    return status;
}

static int
write_outputs(simulation *sim) {
    int status = RETC_OK;
    retc_h5 *file = retc_recording_writer_file(sim->writer);
    size_t N = retc_circuit_cells(sim->circuit);
    double *numbers = NULL; /* gains, slopes, offsets */
    RETC_TRY(RETC_ALLOC(numbers, 3 * N));
    for (size_t cell = 0; cell < N; ++cell) {
        const retc_output *output = retc_circuit_output(sim->circuit, cell);
        numbers[cell] = output->gain;
        numbers[N + cell] = output->slope;
        numbers[2 * N + cell] = output->offset;
    }
    RETC_TRY(retc_h5_put(file, "truth/output/gain", RETC_H5_DOUBLE, 1, &N, numbers));
    RETC_TRY(retc_h5_put(file, "truth/output/slope", RETC_H5_DOUBLE, 1, &N, numbers + N));
    RETC_TRY(retc_h5_put(file, "truth/output/offset", RETC_H5_DOUBLE, 1, &N, numbers + 2 * N));

done:
    retc_free(numbers);
    return status;
}

static int
write_filters(simulation *sim) {
    int status = RETC_OK;
    retc_h5 *file = retc_recording_writer_file(sim->writer);
    char name[64];
    for (int i = 0; i < RETC_UNIT_TYPES; ++i) {
        retc_unit_type type = (retc_unit_type)i;
        size_t K, space_shape[2];
        const double *time = retc_circuit_time_filter(sim->circuit, type, &K);
        const double *space = retc_circuit_space_filter(sim->circuit, type, &space_shape[0], &space_shape[1]);
        double gain = retc_circuit_gain(sim->circuit, type);
        snprintf(name, sizeof name, "truth/filters/%s/time", retc_circuit_type_name(type));
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &K, time));
        snprintf(name, sizeof name, "truth/filters/%s/space", retc_circuit_type_name(type));
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 2, space_shape, space));
        snprintf(name, sizeof name, "truth/filters/%s/gain", retc_circuit_type_name(type));
        RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 0, NULL, &gain));
    }

done:
    return status;
}

/* ---- playing --------------------------------------------------------------------------------------------------------- */

/* Counts (N,R,n) from rates (N,n).  They are drawn frame by frame, so that they do not depend on the size of the block. */
static void
draw_spikes(simulation *sim, retc_part part, size_t n, gsl_rng *rng) {
    size_t N = retc_circuit_cells(sim->circuit), R = repeats_of(sim, part);
    double interval = retc_stimulus_layout_of(sim->stimulus[part])->frame_interval;
    for (size_t t = 0; t < n; ++t) {
        for (size_t cell = 0; cell < N; ++cell) {
            double expected = sim->rate[cell * n + t] * interval;
            for (size_t r = 0; r < R; ++r) {
                unsigned count = gsl_ran_poisson(rng, expected);
                sim->counts[(cell * R + r) * n + t] = (float)count;
                sim->spikes[cell] += part == RETC_TRAIN ? count : 0;
            }
        }
    }
}

/* Play frames t0 ... t0+n-1, which lie in one stretch of continuous time. */
static int
play_block(simulation *sim, retc_part part, size_t t0, size_t n, gsl_rng *rng) {
    int status = RETC_OK;
    size_t N = retc_circuit_cells(sim->circuit);
    const size_t start[2] = {0, t0}, count[2] = {N, n};
    char name[64];
    RETC_TRY(retc_stimulus_read(sim->stimulus[part], t0, n, sim->movie));
    RETC_TRY(retc_circuit_drive(sim->circuit, sim->movie, n, sim->drive));
    retc_circuit_respond(sim->circuit, sim->drive, n, sim->signal, sim->rate);
    draw_spikes(sim, part, n, rng);
    for (size_t i = 0; i < N * n; ++i)
        sim->rate_float[i] = (float)sim->rate[i];
    RETC_TRY(retc_recording_write_stimulus(sim->writer, part, t0, n, sim->movie));
    RETC_TRY(retc_recording_write_counts(sim->writer, part, t0, n, sim->counts));
    RETC_TRY(retc_recording_write_interneurons(sim->writer, part, t0, n, sim->signal));
    snprintf(name, sizeof name, "truth/%s/rate", retc_part_names[part]);
    RETC_TRY(retc_h5_write(retc_recording_writer_file(sim->writer), name, RETC_H5_FLOAT, start, count, sim->rate_float));
    sim->played += n;
    retc_progress_report(sim->progress, sim->played, sim->total, retc_part_names[part]);

done:
    return status;
}

static int
play_part(simulation *sim, retc_part part) {
    int status = RETC_OK;
    retc_stimulus *stimulus = sim->stimulus[part];
    size_t frames = retc_stimulus_layout_of(stimulus)->frames, blocks;
    const size_t *start = retc_stimulus_blocks(stimulus, &blocks);
    const size_t shape[2] = {retc_circuit_cells(sim->circuit), frames},
                 chunk[2] = {shape[0], retc_recording_writer_chunk(sim->writer)};
    char name[64];
    gsl_rng *rng = NULL;
    RETC_TRY(retc_recording_write_time(sim->writer, part, retc_stimulus_time(stimulus)));
    snprintf(name, sizeof name, "truth/%s/rate", retc_part_names[part]);
    RETC_TRY(retc_h5_make(retc_recording_writer_file(sim->writer), name, RETC_H5_FLOAT, 2, shape, chunk));
    RETC_TRY(RETC_GOT(rng = retc_rng_alloc(sim->options->circuit.seed, RETC_STREAM_SPIKES, part)));
    for (size_t b = 0; b < blocks; ++b) {
        size_t stop = b + 1 < blocks ? start[b + 1] : frames;
        retc_circuit_reset(sim->circuit);
        for (size_t t0 = start[b]; t0 < stop; t0 += sim->block)
            RETC_TRY(play_block(sim, part, t0, stop - t0 < sim->block ? stop - t0 : sim->block, rng));
    }

done:
    gsl_rng_free(rng);
    return status;
}

/* Whether both stimuli begin with the same frames. */
static int
compare_stimuli(simulation *sim, int *same) {
    int status = RETC_OK;
    const retc_stimulus_layout *train = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN]);
    size_t pixels = train->height * train->width, n = train->frames < COMPARED_FRAMES ? train->frames : COMPARED_FRAMES;
    float *frame = NULL;
    *same = sim->stimulus[RETC_TEST] != NULL;
    RETC_TRY(RETC_ALLOC(frame, 2 * pixels));
    for (size_t t = 0; *same && t < n && t < retc_stimulus_layout_of(sim->stimulus[RETC_TEST])->frames; ++t) {
        RETC_TRY(retc_stimulus_read(sim->stimulus[RETC_TRAIN], t, 1, frame));
        RETC_TRY(retc_stimulus_read(sim->stimulus[RETC_TEST], t, 1, frame + pixels));
        *same = memcmp(frame, frame + pixels, pixels * sizeof *frame) == 0;
    }

done:
    retc_free(frame);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------------------------------- */

static int
summarise(const simulation *sim, retc_simulate_summary *summary) {
    *summary = (retc_simulate_summary){.cells = retc_circuit_cells(sim->circuit), .units = retc_circuit_units(sim->circuit)};
    for (int part = 0; part < 2; ++part)
        summary->frames[part] = sim->stimulus[part] ? retc_stimulus_layout_of(sim->stimulus[part])->frames : 0;
    summary->frame_interval = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN])->frame_interval;
    int status = RETC_ALLOC(summary->rate, summary->cells);
    for (size_t cell = 0; status == RETC_OK && cell < summary->cells; ++cell)
        summary->rate[cell] = sim->spikes[cell] / ((double)summary->frames[RETC_TRAIN] * summary->frame_interval);
    return status;
}

static void
release(simulation *sim) {
    retc_stimulus_close(sim->stimulus[RETC_TRAIN]);
    retc_stimulus_close(sim->stimulus[RETC_TEST]);
    retc_circuit_free(sim->circuit);
    retc_recording_writer_free(sim->writer);
    retc_free(sim->movie);
    retc_free(sim->drive);
    retc_free(sim->rate);
    retc_free(sim->signal);
    retc_free(sim->counts);
    retc_free(sim->rate_float);
    retc_free(sim->spikes);
}

int
retc_simulate(const retc_simulate_options *options, const char *output, int force, const retc_progress *progress,
              retc_recording_writer **writer, retc_simulate_summary *summary) {
    int status = RETC_OK;
    simulation sim = {.options = options, .progress = progress};
    RETC_TRY(open_stimuli(&sim));
    const retc_stimulus_layout *train = retc_stimulus_layout_of(sim.stimulus[RETC_TRAIN]);
    sim.circuit = retc_circuit_alloc(&options->circuit, train->height, train->width, train->frame_interval);
    RETC_TRY(RETC_GOT(sim.circuit));
    RETC_TRY(make_buffers(&sim));
    RETC_TRY(calibrate(&sim));
    RETC_TRY(create_recording(&sim, output, force));
    RETC_TRY(write_wiring(&sim));
    RETC_TRY(write_outputs(&sim));
    RETC_TRY(write_filters(&sim));
    RETC_TRY(play_part(&sim, RETC_TRAIN));
    if (sim.stimulus[RETC_TEST])
        RETC_TRY(play_part(&sim, RETC_TEST));
    RETC_TRY(retc_recording_writer_finish(sim.writer));
    RETC_TRY(summarise(&sim, summary));
    RETC_TRY(compare_stimuli(&sim, &summary->test_is_train));
    *writer = sim.writer;
    sim.writer = NULL;

done:
    release(&sim);
    return status;
}

void
retc_simulate_summary_free(retc_simulate_summary *summary) {
    retc_free(summary->rate);
    *summary = (retc_simulate_summary){0};
}
