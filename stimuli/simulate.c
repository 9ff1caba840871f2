#include "simulate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "circuit_file.h"
#include "parallel.h"
#include "recording_data.h"
#include "rng.h"
#include "simulate_explain.h"
#include "spike_train.h"
#include "stimulus_file.h"
#include "trials.h"

#define CALIBRATION_FRAMES ((size_t)4096)

/* Test and train stimulus are compared over this many frames. */
#define COMPARED_FRAMES ((size_t)64)

/* Two frame intervals are the same when they agree this well. */
#define SAME_INTERVAL 1e-6

typedef struct {
    const retc_simulate_options *options;
    retc_stimulus *stimulus[2];
    retc_circuit *circuit;
    retc_circuit_state *state;
    retc_recording_writer *writer;
    const retc_progress *progress;
    size_t played, total; /* frames, for the progress */
    size_t block;         /* frames that the buffers hold */
    float *movie;         /* (block,H,W) */
    float *signal;        /* (I,block) */
    double *rate;         /* (N,block) */
    float *rate_float;    /* (N,block) */
    float *counts;        /* (N,R,block) */
    double *spikes;       /* (N) in the train part */
    retc_spike_train *train;
    gsl_rng **rng; /* (N): cells draw apart, so that threads do not matter */
} simulation;

/* A block of one part, as the cells draw their spikes. */
typedef struct {
    simulation *sim;
    retc_part part;
    size_t n;
} drawing;

static size_t
repeats_of(const simulation *sim, retc_part part) {
    return part == RETC_TEST ? sim->options->repeats : 1;
}

static size_t
interneurons_of(const simulation *sim) {
    return retc_circuit_bipolars(sim->circuit) + retc_circuit_amacrines(sim->circuit);
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
    size_t N = retc_circuit_cells(sim->circuit), R = sim->options->repeats ? sim->options->repeats : 1;
    sim->block = sim->options->block ? sim->options->block : retc_stimulus_slab(layout->height, layout->width);
    RETC_TRY(RETC_GOT(sim->state = retc_circuit_state_alloc(sim->circuit)));
    RETC_TRY(RETC_ALLOC(sim->movie, sim->block * layout->height * layout->width));
    RETC_TRY(RETC_ALLOC(sim->signal, sim->block * interneurons_of(sim)));
    RETC_TRY(RETC_ALLOC(sim->rate, sim->block * N));
    RETC_TRY(RETC_ALLOC(sim->rate_float, sim->block * N));
    RETC_TRY(RETC_ALLOC(sim->counts, sim->block * N * R));
    RETC_TRY(RETC_ALLOC(sim->spikes, N));
    RETC_TRY(RETC_ALLOC(sim->train, N * R));
    RETC_TRY(RETC_ALLOC(sim->rng, N));

done:
    return status;
}

static int
train_movie(void *context, size_t t0, size_t n, float *frames) {
    return retc_stimulus_read(context, t0, n, frames);
}

/* Calibrate on noise, or on the beginning of the train stimulus as far as its first stretch of continuous time reaches. */
static int
calibrate(simulation *sim) {
    retc_stimulus *stimulus = sim->stimulus[RETC_TRAIN];
    size_t blocks, n = retc_stimulus_layout_of(stimulus)->frames, threads = sim->options->threads;
    const size_t *start = retc_stimulus_blocks(stimulus, &blocks);
    n = blocks > 1 ? start[1] : n;
    n = n < CALIBRATION_FRAMES ? n : CALIBRATION_FRAMES;
    if (sim->options->circuit.calibration == RETC_CALIBRATE_NOISE)
        return retc_circuit_calibrate_noise(sim->circuit, CALIBRATION_FRAMES, threads);
    int status = retc_circuit_calibrate(sim->circuit, train_movie, stimulus, n, threads);
    return status < 0 ? retc_error_prefix(status, "%s", retc_stimulus_path(stimulus)) : status;
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
    size_t N = retc_circuit_cells(sim->circuit), B = retc_circuit_bipolars(sim->circuit), I = interneurons_of(sim);
    const char **names = NULL;
    RETC_TRY(RETC_ALLOC(names, N + I));
    for (size_t cell = 0; cell < N; ++cell)
        names[cell] = retc_circuit_cell(sim->circuit, cell)->name;
    for (size_t i = 0; i < I; ++i)
        names[N + i] = i < B ? retc_circuit_bipolar(sim->circuit, i)->name : retc_circuit_amacrine(sim->circuit, i - B)->name;
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
    RETC_TRY(retc_h5_set_int(retc_recording_writer_file(sim->writer), "/", "lag", 1));

done:
    retc_free(names);
    return status;
}

/* ---- playing --------------------------------------------------------------------------------------------------------- */

/* Counts (N,R,n) from rates (N,n).  They are drawn frame by frame, so that they do not depend on the size of the block. */
static int
draw_spikes(void *context, size_t cell) {
    const drawing *d = context;
    simulation *sim = d->sim;
    size_t R = repeats_of(sim, d->part), n = d->n;
    const retc_spike_options options = retc_spike_options_of(&sim->options->circuit);
    double interval = retc_stimulus_layout_of(sim->stimulus[d->part])->frame_interval;
    for (size_t t = 0; t < n; ++t) {
        for (size_t r = 0; r < R; ++r) {
            size_t count = retc_spike_train_frame(&sim->train[cell * R + r], &options, sim->rate[cell * n + t], interval,
                                                  sim->rng[cell], NULL, 0);
            sim->counts[(cell * R + r) * n + t] = (float)count;
            sim->spikes[cell] += d->part == RETC_TRAIN ? (double)count : 0;
        }
    }
    return RETC_OK;
}

static void
copy_signals(const double *rows, size_t n_rows, size_t stride, size_t m, size_t n, size_t t, float *out) {
    for (size_t i = 0; i < n_rows; ++i)
        for (size_t k = 0; k < m; ++k)
            out[i * n + t + k] = (float)rows[i * stride + k];
}

/* Signals (I,n) and rates (N,n) under n frames. */
static void
play_frames(simulation *sim, size_t n) {
    const retc_stimulus_layout *layout = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN]);
    size_t N = retc_circuit_cells(sim->circuit), B = retc_circuit_bipolars(sim->circuit);
    for (size_t t = 0, m; t < n; t += m) {
        m = n - t < RETC_CIRCUIT_CHUNK ? n - t : RETC_CIRCUIT_CHUNK;
        retc_circuit_step(sim->state, sim->movie + t * layout->height * layout->width, m, 1, sim->options->threads);
        retc_circuit_signals s = retc_circuit_signals_of(sim->state);
        copy_signals(s.terminal, B, s.stride, m, n, t, sim->signal);
        copy_signals(s.amacrine, retc_circuit_amacrines(sim->circuit), s.stride, m, n, t, sim->signal + B * n);
        copy_signals(s.rate, N, s.stride, m, n, t, sim->rate_float);
        for (size_t j = 0; j < N; ++j)
            memcpy(sim->rate + j * n + t, s.rate + j * s.stride, m * sizeof *sim->rate);
    }
}

/* Play frames t0 ... t0+n-1, which lie in one stretch of continuous time. */
static int
play_block(simulation *sim, retc_part part, size_t t0, size_t n) {
    int status = RETC_OK;
    size_t N = retc_circuit_cells(sim->circuit);
    const size_t start[2] = {0, t0}, count[2] = {N, n};
    drawing d = {sim, part, n};
    char name[64];
    RETC_TRY(retc_stimulus_read(sim->stimulus[part], t0, n, sim->movie));
    play_frames(sim, n);
    RETC_TRY(retc_parallel_for(N, sim->options->threads, draw_spikes, &d));
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
start_spikes(simulation *sim, retc_part part) {
    int status = RETC_OK;
    size_t R = repeats_of(sim, part);
    const retc_spike_options options = retc_spike_options_of(&sim->options->circuit);
    for (size_t cell = 0; cell < retc_circuit_cells(sim->circuit); ++cell) {
        gsl_rng_free(sim->rng[cell]);
        sim->rng[cell] = retc_rng_alloc(sim->options->circuit.seed, RETC_STREAM_SPIKES, 2 * cell + (size_t)part);
        RETC_TRY(RETC_GOT(sim->rng[cell]));
        for (size_t r = 0; r < R; ++r)
            retc_spike_train_start(&sim->train[cell * R + r], &options, sim->rng[cell]);
    }

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
    RETC_TRY(retc_recording_write_time(sim->writer, part, retc_stimulus_time(stimulus)));
    snprintf(name, sizeof name, "truth/%s/rate", retc_part_names[part]);
    RETC_TRY(retc_h5_make(retc_recording_writer_file(sim->writer), name, RETC_H5_FLOAT, 2, shape, chunk));
    RETC_TRY(start_spikes(sim, part));
    RETC_TRY(retc_trials_copy(retc_stimulus_path(stimulus), retc_recording_writer_file(sim->writer), retc_part_names[part]));
    for (size_t b = 0; b < blocks; ++b) {
        size_t stop = b + 1 < blocks ? start[b + 1] : frames;
        retc_circuit_reset(sim->state);
        for (size_t t0 = start[b]; t0 < stop; t0 += sim->block)
            RETC_TRY(play_block(sim, part, t0, stop - t0 < sim->block ? stop - t0 : sim->block));
    }

done:
    return status;
}

static int
is_explained(const simulation *sim, retc_part part) {
    return sim->stimulus[part] &&
           (sim->options->explain == RETC_EXPLAIN_ALL || (sim->options->explain == RETC_EXPLAIN_TEST && part == RETC_TEST));
}

static int
explain(simulation *sim, retc_part part, retc_simulate_summary *summary) {
    retc_explanation asked = {.circuit = sim->circuit,
                              .stimulus = sim->stimulus[part],
                              .file = retc_recording_writer_file(sim->writer),
                              .part = part,
                              .block = sim->block,
                              .threads = sim->options->threads,
                              .progress = sim->progress,
                              .played = &sim->played,
                              .total = sim->total};
    size_t levels;
    double difference;
    int status = retc_explain_part(&asked, &levels, &difference);
    if (status < 0)
        return status;
    summary->levels = levels > summary->levels ? levels : summary->levels;
    summary->difference = fmax(difference, summary->difference);
    return RETC_OK;
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
    summary->cells = retc_circuit_cells(sim->circuit);
    summary->bipolars = retc_circuit_bipolars(sim->circuit);
    summary->amacrines = retc_circuit_amacrines(sim->circuit);
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
    for (size_t j = 0; sim->rng && j < retc_circuit_cells(sim->circuit); ++j)
        gsl_rng_free(sim->rng[j]);
    retc_free(sim->rng), retc_free(sim->train);
    retc_stimulus_close(sim->stimulus[RETC_TRAIN]);
    retc_stimulus_close(sim->stimulus[RETC_TEST]);
    retc_circuit_state_free(sim->state);
    retc_circuit_free(sim->circuit);
    retc_recording_writer_free(sim->writer);
    retc_free(sim->movie), retc_free(sim->signal), retc_free(sim->rate), retc_free(sim->rate_float);
    retc_free(sim->counts), retc_free(sim->spikes);
}

static int
simulate(simulation *sim, const char *output, int force, retc_simulate_summary *summary) {
    int status = RETC_OK;
    RETC_TRY(open_stimuli(sim));
    const retc_stimulus_layout *train = retc_stimulus_layout_of(sim->stimulus[RETC_TRAIN]);
    sim->circuit = retc_circuit_alloc(&sim->options->circuit, train->height, train->width, train->frame_interval);
    RETC_TRY(RETC_GOT(sim->circuit));
    RETC_TRY(make_buffers(sim));
    RETC_TRY(calibrate(sim));
    RETC_TRY(create_recording(sim, output, force));
    RETC_TRY(retc_circuit_write(sim->circuit, retc_recording_writer_file(sim->writer)));
    for (int part = 0; part < 2; ++part)
        sim->total += is_explained(sim, (retc_part)part) ? retc_stimulus_layout_of(sim->stimulus[part])->frames : 0;
    for (int part = 0; part < 2; ++part) {
        if (sim->stimulus[part])
            RETC_TRY(play_part(sim, (retc_part)part));
        if (is_explained(sim, (retc_part)part))
            RETC_TRY(explain(sim, (retc_part)part, summary));
    }
    RETC_TRY(retc_recording_writer_finish(sim->writer));
    RETC_TRY(compare_stimuli(sim, &summary->test_is_train));
    RETC_TRY(summarise(sim, summary));

done:
    return status;
}

int
retc_simulate(const retc_simulate_options *options, const char *output, int force, const retc_progress *progress,
              retc_recording_writer **writer, retc_simulate_summary *summary) {
    simulation sim = {.options = options, .progress = progress};
    *summary = (retc_simulate_summary){0};
    int status = simulate(&sim, output, force, summary);
    if (status == RETC_OK) {
        *writer = sim.writer;
        sim.writer = NULL;
    }
    release(&sim);
    return status;
}

void
retc_simulate_summary_free(retc_simulate_summary *summary) {
    retc_free(summary->rate);
    *summary = (retc_simulate_summary){0};
}
