/* Streaming IRFs into a file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "irf.h"
#include "irf_change.h"
#include "irf_compact.h"

enum { NAME = 96, CHUNK = 4096 };

/* Series over samples, one per cell.  Those from CENTER_UM on need the size of a pixel. */
enum {
    RATE,
    ERROR,
    CENTER,
    SIZE,
    ORIENTATION,
    POLARITY,
    LATENCY,
    INDEX,
    DIRECTION,
    SPEED,
    SEPARABILITY,
    GAIN,
    CENTER_UM,
    SIZE_UM,
    SPEED_UM,
    SERIES
};

static const struct {
    const char *name, *unit;
    size_t columns;
} series[SERIES] = {
    {"rate", "Hz", 1},
    {"separation_error", "of the norm", 1},
    {"shape/center", "pixels: row, column", 2},
    {"shape/size", "pixels: standard deviations along the longest and the shortest axis", 2},
    {"shape/orientation", "degrees anticlockwise", 1},
    {"shape/polarity", "1 ON to -1 OFF", 1},
    {"shape/latency", "s", 1},
    {"shape/direction_index", "0 to 1", 1},
    {"shape/direction", "degrees anticlockwise", 1},
    {"shape/speed", "pixels/s", 1},
    {"shape/separability", "0 to 1", 1},
    {"shape/gain", "Hz per stimulus standard deviation", 1},
    {"shape/center_um", "um: to the right of and above the frame's middle", 2},
    {"shape/size_um", "um", 2},
    {"shape/speed_um", "um/s", 1},
};

/* Of one cell. */
typedef struct {
    char group[NAME];
    float *value[SERIES];   /* (CHUNK,columns) samples that are not in the file yet */
    double *mean, *ig_mean; /* (L,H,W) */
    float low, high, ig_low, ig_high;
    retc_irf_change *change;
} cell_output;

typedef struct {
    const retc_network *network;
    const retc_recording *recording;
    const retc_irf_options *options;
    const retc_irf_file *layout;
    retc_h5 *file;
    size_t T, size, series, begun; /* samples; L H W; series that are written; samples received */
    double *time;                  /* (T) s */
    float *frames;                 /* whole frames of a block */
    size_t frames_size;
    cell_output *cell; /* (cells) */
} writer;

retc_irf_file
retc_irf_file_default(void) {
    return (retc_irf_file){RETC_IRF_FULL | RETC_IRF_COMPACT, 0.02, 50, 0, ""};
}

static const char *
member(char name[2 * NAME], const cell_output *cell, const char *what) {
    snprintf(name, 2 * NAME, "%s/%s", cell->group, what);
    return name;
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static int
make_full(writer *w, const cell_output *cell, const char *what) {
    const retc_network *network = w->network;
    char name[2 * NAME];
    size_t shape[4] = {w->T, network->L, network->H, network->W}, chunk[4] = {1, network->L, network->H, network->W};
    if (w->size < CHUNK) /* many small windows to a chunk, where one would be a few bytes */
        chunk[0] = CHUNK / w->size;
    return retc_h5_make(w->file, member(name, cell, what), RETC_H5_FLOAT, 4, shape, chunk);
}

static int
make_series(writer *w, const cell_output *cell, size_t k) {
    int status = RETC_OK;
    char name[2 * NAME];
    int rank = series[k].columns > 1 ? 2 : 1;
    member(name, cell, series[k].name);
    RETC_TRY(retc_h5_make(w->file, name, RETC_H5_FLOAT, rank, (size_t[]){w->T, series[k].columns},
                          (size_t[]){CHUNK, series[k].columns}));
    RETC_TRY(retc_h5_set_text(w->file, name, "unit", series[k].unit));
done:
    return status;
}

/* When the first block is there, and with it the patch and the rank. */
static int
make_cell(writer *w, size_t i, const retc_irf_cell *from) {
    int status = RETC_OK;
    cell_output *cell = &w->cell[i];
    char name[2 * NAME];
    int64_t number = (int64_t)w->options->cell[i];
    snprintf(cell->group, sizeof cell->group, "/cell_%zu", w->options->cell[i]);
    cell->low = cell->ig_low = INFINITY, cell->high = cell->ig_high = -INFINITY;
    RETC_TRY(RETC_ALLOC(cell->mean, w->size));
    if (from->ig)
        RETC_TRY(RETC_ALLOC(cell->ig_mean, w->size));
    for (size_t k = 0; k < w->series; ++k) {
        RETC_TRY(RETC_ALLOC(cell->value[k], CHUNK * series[k].columns));
        RETC_TRY(make_series(w, cell, k));
    }
    if (w->layout->layout & RETC_IRF_FULL)
        RETC_TRY(make_full(w, cell, "regular_irf_all"));
    if (from->ig && (w->layout->layout & RETC_IRF_FULL))
        RETC_TRY(make_full(w, cell, "ig_irf_all"));
    if (w->layout->layout & RETC_IRF_COMPACT)
        RETC_TRY(retc_irf_compact_make(w->file, member(name, cell, "compact"), w->T, w->network->L, from));
    if (from->ig && (w->layout->layout & RETC_IRF_COMPACT))
        RETC_TRY(retc_irf_compact_make(w->file, member(name, cell, "ig_compact"), w->T, w->network->L, from));
    RETC_TRY(retc_h5_set_int(w->file, cell->group, "cell_id", number));
    RETC_TRY(retc_h5_set_int(w->file, cell->group, "cell_index", number));
    RETC_TRY(RETC_GOT(cell->change =
                          retc_irf_change_alloc(w->network->L, from->patch.h * from->patch.w, from->rank, w->layout->lags)));
done:
    return status;
}

/* ---- one block ------------------------------------------------------------------------------------------------------- */

/* Put windows of the patch (n,L,h,w) into whole frames (n,L,H,W). */
static int
write_full(writer *w, const cell_output *cell, const char *what, const retc_irf_block *b, const retc_patch *patch,
           const float *irf) {
    const retc_network *network = w->network;
    int status = RETC_OK;
    char name[2 * NAME];
    size_t start[4] = {b->sample}, count[4] = {b->n, network->L, network->H, network->W};
    if (patch->h < network->H || patch->w < network->W) {
        if (w->frames_size < b->n) {
            retc_free(w->frames);
            RETC_TRY(RETC_ALLOC(w->frames, b->n * w->size));
            w->frames_size = b->n;
        }
        memset(w->frames, 0, b->n * w->size * sizeof *w->frames);
        for (size_t f = 0; f < b->n * network->L; ++f)
            for (size_t y = 0; y < patch->h; ++y)
                memcpy(w->frames + (f * network->H + patch->row + y) * network->W + patch->column,
                       irf + (f * patch->h + y) * patch->w, patch->w * sizeof *irf);
        irf = w->frames;
    }
    RETC_TRY(retc_h5_write(w->file, member(name, cell, what), RETC_H5_FLOAT, start, count, irf));
done:
    return status;
}

/* Add a block's sum over samples to the mean of whole frames. */
static void
add_mean(const writer *w, const retc_patch *patch, const float *sum, double *mean) {
    const retc_network *network = w->network;
    for (size_t l = 0; l < network->L; ++l)
        for (size_t y = 0; y < patch->h; ++y)
            for (size_t x = 0; x < patch->w; ++x)
                mean[(l * network->H + patch->row + y) * network->W + patch->column + x] +=
                    (double)sum[(l * patch->h + y) * patch->w + x] / (double)w->T;
}

static void
widen(float *low, float *high, float block_low, float block_high) {
    *low = fminf(*low, block_low);
    *high = fmaxf(*high, block_high);
}

/* All series of sample t of a block, at place `at` of their buffers. */
static void
keep_sample(const writer *w, cell_output *cell, const retc_irf_cell *from, size_t t, size_t at) {
    const retc_irf_shape *s = &from->shape[t];
    double interval = retc_recording_frame_interval(w->recording), um = w->layout->pixel_size;
    const double value[SERIES][2] = {
        [RATE] = {(double)from->rate[t]},
        [ERROR] = {from->terms.error[t]},
        [CENTER] = {s->row, s->column},
        [SIZE] = {s->major, s->minor},
        [ORIENTATION] = {s->orientation},
        [POLARITY] = {s->polarity},
        [LATENCY] = {s->latency * interval},
        [INDEX] = {s->index},
        [DIRECTION] = {s->direction},
        [SPEED] = {s->speed / interval},
        [SEPARABILITY] = {s->separability},
        [GAIN] = {from->gain[t]},
        [CENTER_UM] = {um * (s->column - ((double)w->network->W - 1) / 2), um * (((double)w->network->H - 1) / 2 - s->row)},
        [SIZE_UM] = {um * s->major, um * s->minor},
        [SPEED_UM] = {um * s->speed / interval},
    };
    for (size_t k = 0; k < w->series; ++k)
        for (size_t c = 0; c < series[k].columns; ++c)
            cell->value[k][at * series[k].columns + c] = (float)value[k][c];
}

/* Write the buffers of n samples that end before sample `end`. */
static int
flush(writer *w, cell_output *cell, size_t end, size_t n) {
    int status = RETC_OK;
    char name[2 * NAME];
    for (size_t k = 0; k < w->series && n; ++k)
        RETC_TRY(retc_h5_write(w->file, member(name, cell, series[k].name), RETC_H5_FLOAT, (size_t[]){end - n, 0},
                               (size_t[]){n, series[k].columns}, cell->value[k]));
done:
    return status;
}

static int
write_compact(writer *w, const cell_output *cell, const retc_irf_block *b, const retc_irf_cell *from) {
    int status = RETC_OK;
    char name[2 * NAME];
    RETC_TRY(retc_irf_compact_write(w->file, member(name, cell, "compact"), b->sample, b->n, w->network->L, from, &from->terms,
                                    w->layout->precision));
    if (from->ig)
        RETC_TRY(retc_irf_compact_write(w->file, member(name, cell, "ig_compact"), b->sample, b->n, w->network->L, from,
                                        &from->ig_terms, w->layout->precision));
done:
    return status;
}

static int
receive_cell(writer *w, cell_output *cell, const retc_irf_block *b, const retc_irf_cell *from) {
    int status = RETC_OK;
    const retc_patch *patch = &from->patch;
    size_t L = w->network->L, P = patch->h * patch->w, k = from->rank;
    if (w->layout->layout & RETC_IRF_FULL)
        RETC_TRY(write_full(w, cell, "regular_irf_all", b, patch, from->irf));
    if (from->ig && (w->layout->layout & RETC_IRF_FULL))
        RETC_TRY(write_full(w, cell, "ig_irf_all", b, patch, from->ig));
    if (from->ig) {
        add_mean(w, patch, from->ig_sum, cell->ig_mean);
        widen(&cell->ig_low, &cell->ig_high, from->ig_low, from->ig_high);
    }
    if (w->layout->layout & RETC_IRF_COMPACT)
        RETC_TRY(write_compact(w, cell, b, from));
    add_mean(w, patch, from->sum, cell->mean);
    widen(&cell->low, &cell->high, from->low, from->high);
    for (size_t t = 0; t < b->n; ++t) {
        size_t sample = b->sample + t;
        retc_irf_change_add(cell->change, from->terms.u + t * k * L, from->terms.s + t * k, from->terms.v + t * k * P,
                            t > 0 || b->continues);
        keep_sample(w, cell, from, t, sample % CHUNK);
        if (sample % CHUNK == CHUNK - 1)
            RETC_TRY(flush(w, cell, sample + 1, CHUNK));
    }
done:
    return status;
}

static int
receive(void *context, const retc_irf_block *b) {
    writer *w = context;
    int status = RETC_OK;
    for (size_t t = 0; t < b->n; ++t)
        w->time[b->sample + t] = (double)b->frame[t] * retc_recording_frame_interval(w->recording);
    for (size_t i = 0; i < w->options->cells; ++i) {
        if (!w->begun)
            RETC_TRY(make_cell(w, i, &b->cell[i]));
        RETC_TRY(receive_cell(w, &w->cell[i], b, &b->cell[i]));
    }
    w->begun += b->n;
done:
    return status;
}

/* ---- the end --------------------------------------------------------------------------------------------------------- */

static int
write_mean(writer *w, const cell_output *cell, const char *kind, const double *mean, float low, float high) {
    int status = RETC_OK;
    const retc_network *network = w->network;
    char name[2 * NAME], what[NAME];
    float *rounded = NULL;
    RETC_TRY(RETC_ALLOC(rounded, w->size));
    for (size_t k = 0; k < w->size; ++k)
        rounded[k] = (float)mean[k];
    snprintf(what, sizeof what, "%s_mean", kind);
    RETC_TRY(retc_h5_put(w->file, member(name, cell, what), RETC_H5_FLOAT, 3, (size_t[]){network->L, network->H, network->W},
                         rounded));
    snprintf(what, sizeof what, "%s_min", kind);
    RETC_TRY(retc_h5_set_number(w->file, cell->group, what, (double)low));
    snprintf(what, sizeof what, "%s_max", kind);
    RETC_TRY(retc_h5_set_number(w->file, cell->group, what, (double)high));
done:
    retc_free(rounded);
    return status;
}

static int
write_change(writer *w, const cell_output *cell) {
    int status = RETC_OK;
    char name[2 * NAME];
    size_t n = w->layout->lags + 1, every = w->options->every ? w->options->every : 1;
    double *lag = NULL, *correlation = NULL, step = (double)every * retc_recording_frame_interval(w->recording), samples;
    RETC_TRY(RETC_ALLOC(lag, n));
    RETC_TRY(RETC_ALLOC(correlation, n));
    retc_irf_change_result(cell->change, correlation, &samples);
    for (size_t i = 0; i < n; ++i)
        lag[i] = (double)i * step;
    RETC_TRY(retc_h5_put(w->file, member(name, cell, "change/lag"), RETC_H5_DOUBLE, 1, &n, lag));
    RETC_TRY(retc_h5_set_text(w->file, name, "unit", "s"));
    RETC_TRY(retc_h5_put(w->file, member(name, cell, "change/autocorrelation"), RETC_H5_DOUBLE, 1, &n, correlation));
    RETC_TRY(retc_h5_set_number(w->file, member(name, cell, "change"), "correlation_time", samples * step));
done:
    retc_free(lag), retc_free(correlation);
    return status;
}

/* Pixels that the cell does not see have a receptive field of 0. */
static int
write_summary(writer *w, cell_output *cell, const retc_patch *patch) {
    int status = RETC_OK;
    if (patch->h < w->network->H || patch->w < w->network->W) {
        widen(&cell->low, &cell->high, 0, 0);
        widen(&cell->ig_low, &cell->ig_high, 0, 0);
    }
    RETC_TRY(flush(w, cell, w->T, w->T % CHUNK));
    RETC_TRY(write_mean(w, cell, "regular_irf", cell->mean, cell->low, cell->high));
    if (cell->ig_mean)
        RETC_TRY(write_mean(w, cell, "ig_irf", cell->ig_mean, cell->ig_low, cell->ig_high));
    RETC_TRY(write_change(w, cell));
done:
    return status;
}

static int
write_metadata(writer *w, retc_part part) {
    int status = RETC_OK;
    const retc_network *network = w->network;
    size_t cells = w->options->cells;
    int64_t *processed = NULL;
    RETC_TRY(RETC_ALLOC(processed, cells));
    for (size_t i = 0; i < cells; ++i)
        processed[i] = (int64_t)w->options->cell[i];
    RETC_TRY(retc_h5_put(w->file, "/metadata/cells_processed", RETC_H5_INT64, 1, &cells, processed));
    RETC_TRY(retc_h5_put_text(w->file, "/metadata/all_cells", "all"));
    RETC_TRY(retc_h5_put(w->file, "/metadata/norm_stats_mean", RETC_H5_DOUBLE, 0, NULL, &network->stimulus_mean));
    RETC_TRY(retc_h5_put(w->file, "/metadata/norm_stats_std", RETC_H5_DOUBLE, 0, NULL, &network->stimulus_std));
    RETC_TRY(retc_h5_put(w->file, "/metadata/time", RETC_H5_DOUBLE, 1, &w->T, w->time));
    RETC_TRY(retc_h5_put_texts(w->file, "/metadata/cell_names", network->N, (const char *const *)network->cell_name));
    RETC_TRY(retc_h5_set_text(w->file, "/metadata", "identifier", network->model_type));
    RETC_TRY(retc_h5_set_text(w->file, "/metadata", "dataset", w->layout->dataset));
    RETC_TRY(retc_h5_set_text(w->file, "/metadata", "stim_type", part == RETC_TEST ? "test" : "train"));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "window_size", (int64_t)network->L));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "height", (int64_t)network->H));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "width", (int64_t)network->W));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "n_samples", (int64_t)w->T));
    if (w->options->ig_steps)
        RETC_TRY(retc_h5_set_int(w->file, "/metadata", "ig_steps", (int64_t)w->options->ig_steps));
    RETC_TRY(retc_h5_set_text(w->file, "/", "kind", "irf"));
    RETC_TRY(retc_h5_set_int(w->file, "/", "lag", (int64_t)network->lag));
    RETC_TRY(retc_h5_set_number(w->file, "/", "frame_interval", retc_recording_frame_interval(w->recording)));
done:
    retc_free(processed);
    return status;
}

static void
writer_clear(writer *w) {
    for (size_t i = 0; i < w->options->cells && w->cell; ++i) {
        for (size_t k = 0; k < SERIES; ++k)
            retc_free(w->cell[i].value[k]);
        retc_free(w->cell[i].mean), retc_free(w->cell[i].ig_mean);
        retc_irf_change_free(w->cell[i].change);
    }
    retc_free(w->cell), retc_free(w->time), retc_free(w->frames);
}

int
retc_irf_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
               const retc_irf_file *layout, retc_h5 *file, const retc_progress *progress) {
    int status = RETC_OK;
    writer w = {.network = network,
                .recording = recording,
                .options = options,
                .layout = layout,
                .file = file,
                .size = network->L * network->H * network->W,
                .series = layout->pixel_size > 0 ? SERIES : CENTER_UM};
    RETC_TRY(retc_irf_samples(network, recording, part, options, &w.T));
    RETC_TRY(RETC_ALLOC(w.cell, options->cells));
    RETC_TRY(RETC_ALLOC(w.time, w.T));
    RETC_TRY(retc_irf(network, recording, part, options, receive, &w, progress));
    for (size_t i = 0; i < options->cells; ++i) {
        retc_patch map, patch;
        RETC_TRY(retc_network_cell_patch(network, options->cell[i], &map, &patch));
        RETC_TRY(write_summary(&w, &w.cell[i], &patch));
    }
    RETC_TRY(write_metadata(&w, part));
done:
    writer_clear(&w);
    return status;
}
