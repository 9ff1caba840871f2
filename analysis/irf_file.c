#include <math.h>
#include <stdio.h>

#include "irf.h"

enum { NAME = 64, TIME_CHUNK = 4096 };

typedef struct {
    const retc_network *network;
    const retc_recording *recording;
    const retc_irf_options *options;
    retc_h5 *file;
    size_t T, size;    /* samples; L H W */
    double *mean;      /* (cells,L,H,W) */
    float *low, *high; /* (cells) */
    double *time;      /* (T) s */
} writer;

static int
samples_to_come(retc_recording *recording, retc_part part, const retc_network *network, const retc_irf_options *options,
                size_t *T) {
    retc_span *spans = NULL;
    size_t n = 0, total = 0;
    int status = retc_recording_spans(recording, part, network->L, network->lag, &spans, &n);
    for (size_t s = 0; s < n; ++s)
        total += spans[s].count;
    retc_free(spans);
    if (status < 0)
        return status;
    if (options->first >= total)
        return RETC_FAIL(RETC_EINVAL, "sample %zu is asked for, there are %zu", options->first, total);
    *T = total - options->first;
    if (options->samples && options->samples < *T)
        *T = options->samples;
    return RETC_OK;
}

static int
make_cell(writer *w, size_t i) {
    int status = RETC_OK;
    const retc_network *network = w->network;
    char group[NAME], name[2 * NAME];
    size_t shape[4] = {w->T, network->L, network->H, network->W}, chunk[4] = {1, network->L, network->H, network->W};
    size_t rate_chunk[1] = {TIME_CHUNK};
    if (w->size < 4096) /* many small windows to a chunk, where one would be a few bytes */
        chunk[0] = 4096 / w->size;
    snprintf(group, sizeof group, "/cell_%zu", w->options->cell[i]);
    snprintf(name, sizeof name, "%s/regular_irf_all", group);
    RETC_TRY(retc_h5_make(w->file, name, RETC_H5_FLOAT, 4, shape, chunk));
    snprintf(name, sizeof name, "%s/rate", group);
    RETC_TRY(retc_h5_make(w->file, name, RETC_H5_FLOAT, 1, shape, rate_chunk));
    RETC_TRY(retc_h5_set_int(w->file, group, "cell_id", (int64_t)w->options->cell[i]));
    RETC_TRY(retc_h5_set_int(w->file, group, "cell_index", (int64_t)w->options->cell[i]));
done:
    return status;
}

static int
receive(void *context, const retc_irf_block *b) {
    writer *w = context;
    const retc_network *network = w->network;
    int status = RETC_OK;
    char name[NAME];
    size_t start[4] = {b->sample}, count[4] = {b->n, network->L, network->H, network->W};
    for (size_t t = 0; t < b->n; ++t)
        w->time[b->sample + t] = (double)(b->t0 + t) * retc_recording_frame_interval(w->recording);
    for (size_t i = 0; i < w->options->cells; ++i) {
        snprintf(name, sizeof name, "/cell_%zu/regular_irf_all", w->options->cell[i]);
        RETC_TRY(retc_h5_write(w->file, name, RETC_H5_FLOAT, start, count, b->irf[i]));
        snprintf(name, sizeof name, "/cell_%zu/rate", w->options->cell[i]);
        RETC_TRY(retc_h5_write(w->file, name, RETC_H5_FLOAT, start, count, b->rate[i]));
        for (size_t t = 0; t < b->n; ++t)
            for (size_t k = 0; k < w->size; ++k) {
                float value = b->irf[i][t * w->size + k];
                if (!isfinite(value))
                    RETC_TRY(
                        RETC_FAIL(RETC_ENUMBER,
                                  "the receptive field of %s is not finite in frame %zu: the model's parameters are damaged or "
                                  "too large",
                                  network->cell_name[w->options->cell[i]], b->t0 + t));
                w->mean[i * w->size + k] += (double)value / (double)w->T;
                w->low[i] = fminf(w->low[i], value);
                w->high[i] = fmaxf(w->high[i], value);
            }
    }
done:
    return status;
}

static int
write_cell_summary(writer *w, size_t i) {
    int status = RETC_OK;
    const retc_network *network = w->network;
    char group[NAME], name[2 * NAME];
    size_t shape[3] = {network->L, network->H, network->W};
    float *mean = NULL;
    RETC_TRY(RETC_ALLOC(mean, w->size));
    for (size_t k = 0; k < w->size; ++k)
        mean[k] = (float)w->mean[i * w->size + k];
    snprintf(group, sizeof group, "/cell_%zu", w->options->cell[i]);
    snprintf(name, sizeof name, "%s/regular_irf_mean", group);
    RETC_TRY(retc_h5_put(w->file, name, RETC_H5_FLOAT, 3, shape, mean));
    RETC_TRY(retc_h5_set_number(w->file, group, "regular_irf_min", (double)w->low[i]));
    RETC_TRY(retc_h5_set_number(w->file, group, "regular_irf_max", (double)w->high[i]));
done:
    retc_free(mean);
    return status;
}

static int
write_metadata(writer *w, const char *dataset, retc_part part) {
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
    RETC_TRY(retc_h5_set_text(w->file, "/metadata", "dataset", dataset));
    RETC_TRY(retc_h5_set_text(w->file, "/metadata", "stim_type", part == RETC_TEST ? "test" : "train"));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "window_size", (int64_t)network->L));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "height", (int64_t)network->H));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "width", (int64_t)network->W));
    RETC_TRY(retc_h5_set_int(w->file, "/metadata", "n_samples", (int64_t)w->T));
    RETC_TRY(retc_h5_set_text(w->file, "/", "kind", "irf"));
    RETC_TRY(retc_h5_set_int(w->file, "/", "lag", (int64_t)network->lag));
    RETC_TRY(retc_h5_set_number(w->file, "/", "frame_interval", retc_recording_frame_interval(w->recording)));
done:
    retc_free(processed);
    return status;
}

int
retc_irf_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_irf_options *options,
               const char *dataset, retc_h5 *file, const retc_progress *progress) {
    int status = RETC_OK;
    writer w = {.network = network,
                .recording = recording,
                .options = options,
                .file = file,
                .size = network->L * network->H * network->W};
    RETC_TRY(samples_to_come(recording, part, network, options, &w.T));
    RETC_TRY(RETC_ALLOC(w.mean, options->cells * w.size));
    RETC_TRY(RETC_ALLOC(w.low, options->cells));
    RETC_TRY(RETC_ALLOC(w.high, options->cells));
    RETC_TRY(RETC_ALLOC(w.time, w.T));
    for (size_t i = 0; i < options->cells; ++i) {
        w.low[i] = INFINITY;
        w.high[i] = -INFINITY;
        RETC_TRY(make_cell(&w, i));
    }
    RETC_TRY(retc_irf(network, recording, part, options, receive, &w, progress));
    for (size_t i = 0; i < options->cells; ++i)
        RETC_TRY(write_cell_summary(&w, i));
    RETC_TRY(write_metadata(&w, dataset, part));
done:
    retc_free(w.mean), retc_free(w.low), retc_free(w.high), retc_free(w.time);
    return status;
}
