#include "contribute_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "contribute_internal.h"
#include "layer_statistics.h"
#include "stats.h"
#include "stream.h"

enum { CHUNK_ROWS = 1024, MOST_CUTS = 16, NAME = 96, LAYER_NAME_LENGTH = 5 };

typedef struct {
    const retc_network *network;
    retc_recording *recording;
    retc_part part;
    const retc_target *target;
    const char *name; /* of the target */
    retc_h5 *file;
    size_t T, cut[MOST_CUTS], cuts;
    const char *cut_name[MOST_CUTS]; /* of the convolution that a cut is at or behind */
    float *counts, *row_major;       /* (N,block), (block,N) */
    double *time;
    int64_t *frame, *index;
    float *target_float, *rate_sum;
    float *bypass;    /* (block,bypasses) */
    retc_sums *score; /* (N) */
    retc_completeness *completeness;
    retc_layer_sums *layer[MOST_CUTS];
    retc_reduction *reduction;
    double tolerance, change_square; /* tolerance 0: the number of steps is fixed */
    retc_attribution_method method;
} writer;

/* ---- what is there from the start ------------------------------------------------------------------------------------ */

static int
make_series(writer *w, const char *name, retc_h5_type type, size_t columns) {
    size_t shape[2] = {w->T, columns}, chunk[2] = {CHUNK_ROWS, columns};
    return retc_h5_make(w->file, name, type, columns ? 2 : 1, shape, chunk);
}

static int
make_layer(writer *w, const char *cut, size_t columns) {
    int status = RETC_OK;
    char name[NAME], method[NAME];
    snprintf(method, sizeof method, "%s_single_target", w->name);
    const char *groups[3] = {NULL, "activations", "gradients"};
    for (int g = 0; g < 3; ++g) {
        if (g == 0)
            snprintf(name, sizeof name, "/%s_contributions/%s", w->name, cut);
        else
            snprintf(name, sizeof name, "/%s/%s", groups[g], cut);
        RETC_TRY(make_series(w, name, RETC_H5_FLOAT, columns));
        RETC_TRY(retc_h5_set_text(w->file, name, "shape_description",
                                  g == 0 ? "timepoints, spatial_dims" : "timepoints, channels_spatial"));
        RETC_TRY(retc_h5_set_int(w->file, name, "n_timepoints", (int64_t)w->T));
        if (g == 0) {
            RETC_TRY(retc_h5_set_text(w->file, name, "attribution_method", method));
            RETC_TRY(retc_h5_set_text(w->file, name, "target_description",
                                      w->target->kind == RETC_TARGET_CELL ? "single_ganglion_cell" : "sum_all_ganglion_cells"));
        }
    }
    snprintf(name, sizeof name, "/completeness/residual/%s", cut);
    RETC_TRY(make_series(w, name, RETC_H5_DOUBLE, 0));
    snprintf(name, sizeof name, "/completeness/error/%s", cut);
    if (w->tolerance > 0)
        RETC_TRY(make_series(w, name, RETC_H5_DOUBLE, 0));
    snprintf(name, sizeof name, "/standard_errors/%s", cut);
    if (w->method == RETC_METHOD_SHAPLEY)
        RETC_TRY(make_series(w, name, RETC_H5_FLOAT, columns / 2));
done:
    return status;
}

/* What residual additions carry past a cut. */
static int
make_bypasses(writer *w, size_t k) {
    int status = RETC_OK;
    const retc_layer *layer = w->network->layer;
    size_t *at = NULL;
    char name[NAME], passes[1024] = "";
    RETC_TRY(RETC_ALLOC(at, w->network->layers));
    size_t n = retc_network_bypasses(w->network, w->cut[k], at), used = 0;
    for (size_t b = 0; b < n && used < sizeof passes; ++b)
        used += (size_t)snprintf(passes + used, sizeof passes - used, "%s%s to %s", b ? ", " : "",
                                 layer[layer[at[b]].skip].module, layer[at[b]].module);
    if (n == 0 || w->method != RETC_METHOD_PATH)
        goto done;
    snprintf(name, sizeof name, "/completeness/bypass/%s", w->cut_name[k]);
    RETC_TRY(make_series(w, name, RETC_H5_FLOAT, n));
    RETC_TRY(retc_h5_set_text(w->file, name, "passes", passes));
done:
    retc_free(at);
    return status;
}

static int
put_scalar(retc_h5 *file, const char *name, size_t value) {
    int64_t number = (int64_t)value;
    return retc_h5_put(file, name, RETC_H5_INT64, 0, NULL, &number);
}

static int
put_float(retc_h5 *file, const char *name, double value) {
    float number = (float)value;
    return retc_h5_put(file, name, RETC_H5_FLOAT, 0, NULL, &number);
}

static int
write_constants(writer *w, const char *dataset) {
    int status = RETC_OK;
    const retc_network *network = w->network;
    size_t N = network->N;
    char text[NAME];
    int64_t *cells = NULL;
    RETC_TRY(RETC_ALLOC(cells, N));
    for (size_t j = 0; j < N; ++j)
        cells[j] = (int64_t)j;
    RETC_TRY(retc_h5_put(w->file, "/metadata/cells_list", RETC_H5_INT64, 1, &N, cells));
    RETC_TRY(retc_h5_put_texts(w->file, "/metadata/cell_names", N, (const char *const *)network->cell_name));
    RETC_TRY(retc_h5_put_fixed_texts(w->file, "/metadata/layer_names", w->cuts, LAYER_NAME_LENGTH, w->cut_name));
    RETC_TRY(retc_h5_put_text(w->file, "/metadata/dataset", dataset));
    RETC_TRY(retc_h5_put_text(w->file, "/metadata/stim_type", w->part == RETC_TEST ? "test" : "train"));
    snprintf(text, sizeof text, "%s_single_target", w->name);
    RETC_TRY(retc_h5_put_text(w->file, "/metadata/attribution_method", text));
    RETC_TRY(put_scalar(w->file, "/metadata/temporal_depth", network->L));
    RETC_TRY(put_scalar(w->file, "/metadata/n_cells", N));
    RETC_TRY(put_scalar(w->file, "/metadata/n_timepoints", w->T));
    RETC_TRY(put_float(w->file, "/metadata/norm_mean", network->stimulus_mean));
    RETC_TRY(put_float(w->file, "/metadata/norm_std", network->stimulus_std));
done:
    retc_free(cells);
    return status;
}

static int
make_all(writer *w, const char *dataset) {
    int status = RETC_OK;
    char name[NAME];
    RETC_TRY(write_constants(w, dataset));
    RETC_TRY(make_series(w, "/metadata/timepoints", RETC_H5_INT64, 0));
    RETC_TRY(make_series(w, "/metadata/frame", RETC_H5_INT64, 0));
    RETC_TRY(make_series(w, "/metadata/time", RETC_H5_DOUBLE, 0));
    RETC_TRY(make_series(w, "/metadata/model_responses_all_cells", RETC_H5_FLOAT, w->network->N));
    RETC_TRY(make_series(w, "/metadata/actual_responses_all_cells", RETC_H5_FLOAT, w->network->N));
    RETC_TRY(make_series(w, "/metadata/scalar_target_sums", RETC_H5_FLOAT, 0));
    snprintf(name, sizeof name, "/metadata/%s_values", w->name);
    RETC_TRY(make_series(w, name, RETC_H5_FLOAT, 0));
    RETC_TRY(make_series(w, "/completeness/target", RETC_H5_DOUBLE, 0));
    RETC_TRY(make_series(w, "/completeness/target_zero", RETC_H5_DOUBLE, 0));
    if (w->method == RETC_METHOD_PATH)
        RETC_TRY(make_series(w, "/completeness/steps", RETC_H5_INT64, 0));
    for (size_t k = 0; k < w->cuts; ++k)
        RETC_TRY(make_layer(w, w->cut_name[k], 2 * w->network->layer[w->cut[k]].C));
    for (size_t k = 0; k < w->cuts; ++k)
        RETC_TRY(make_bypasses(w, k));
done:
    return status;
}

/* ---- block by block -------------------------------------------------------------------------------------------------- */

static int
write_slab(writer *w, const char *name, retc_h5_type type, const retc_contribution *b, size_t columns, const void *data) {
    size_t start[2] = {b->sample, 0}, count[2] = {b->n, columns};
    return retc_h5_write(w->file, name, type, start, count, data);
}

static int
write_metadata(writer *w, const retc_contribution *b) {
    int status = RETC_OK;
    size_t N = w->network->N, n = b->n;
    double dt = retc_recording_frame_interval(w->recording);
    char name[NAME];
    RETC_TRY(retc_recording_counts(w->recording, w->part, b->t0, n, w->counts));
    for (size_t t = 0; t < n; ++t) {
        w->index[t] = (int64_t)(b->sample + t);
        w->frame[t] = (int64_t)(b->t0 + t);
        w->time[t] = (double)(b->t0 + t) * dt;
        w->target_float[t] = (float)b->target[t];
        double sum = 0;
        for (size_t j = 0; j < N; ++j) {
            sum += (double)b->rate[t * N + j];
            w->row_major[t * N + j] = (float)((double)w->counts[j * n + t] / dt);
            retc_sums_add(&w->score[j], &b->rate[t * N + j], &w->row_major[t * N + j], 1);
        }
        w->rate_sum[t] = (float)sum;
    }
    RETC_TRY(write_slab(w, "/metadata/timepoints", RETC_H5_INT64, b, 0, w->index));
    RETC_TRY(write_slab(w, "/metadata/frame", RETC_H5_INT64, b, 0, w->frame));
    RETC_TRY(write_slab(w, "/metadata/time", RETC_H5_DOUBLE, b, 0, w->time));
    RETC_TRY(write_slab(w, "/metadata/model_responses_all_cells", RETC_H5_FLOAT, b, N, b->rate));
    RETC_TRY(write_slab(w, "/metadata/actual_responses_all_cells", RETC_H5_FLOAT, b, N, w->row_major));
    RETC_TRY(write_slab(w, "/metadata/scalar_target_sums", RETC_H5_FLOAT, b, 0, w->rate_sum));
    snprintf(name, sizeof name, "/metadata/%s_values", w->name);
    RETC_TRY(write_slab(w, name, RETC_H5_FLOAT, b, 0, w->target_float));
    RETC_TRY(write_slab(w, "/completeness/target", RETC_H5_DOUBLE, b, 0, b->target));
    RETC_TRY(write_slab(w, "/completeness/target_zero", RETC_H5_DOUBLE, b, 0, b->target_zero));
    for (size_t t = 0; t < n; ++t)
        w->index[t] = (int64_t)b->steps[t];
    if (w->method == RETC_METHOD_PATH)
        RETC_TRY(write_slab(w, "/completeness/steps", RETC_H5_INT64, b, 0, w->index));
done:
    return status;
}

/* A residual sums all contributions of a sample: one that is not finite shows in it, and would be lost in the largest. */
static int
check_finite(const writer *w, const retc_contribution *b) {
    for (size_t k = 0; k < w->cuts; ++k)
        for (size_t t = 0; t < b->n; ++t)
            if (!isfinite(b->residual[k][t]))
                return RETC_FAIL(
                    RETC_ENUMBER,
                    "contributions of %s are not finite in frame %zu: the model's parameters are damaged or too large",
                    w->cut_name[k], b->t0 + t);
    return RETC_OK;
}

static int
write_bypasses(writer *w, size_t k, const retc_contribution *b) {
    size_t n = retc_network_bypasses(w->network, w->cut[k], NULL);
    const float *row = b->map[k] + retc_layer_units(&w->network->layer[w->cut[k]]) * b->map_ld;
    char name[NAME];
    if (n == 0 || w->method != RETC_METHOD_PATH)
        return RETC_OK;
    for (size_t t = 0; t < b->n; ++t) {
        double all = 0;
        for (size_t i = 0; i < n; ++i) {
            w->bypass[t * n + i] = row[i * b->map_ld + t];
            all += (double)w->bypass[t * n + i];
        }
        w->completeness->bypass[k] += all * all;
    }
    snprintf(name, sizeof name, "/completeness/bypass/%s", w->cut_name[k]);
    return write_slab(w, name, RETC_H5_FLOAT, b, n, w->bypass);
}

static void
add_errors(writer *w, const retc_contribution *b) {
    retc_completeness *c = w->completeness;
    for (size_t t = 0; t < b->n; ++t) {
        double worst = 0;
        for (size_t k = 0; k < w->cuts; ++k) {
            worst = fmax(worst, b->error[k][t]);
            c->error[k] = fmax(c->error[k], b->error[k][t]);
        }
        c->unconverged += worst > w->tolerance;
    }
}

static int
receive(void *context, const retc_contribution *b) {
    writer *w = context;
    retc_completeness *c = w->completeness;
    char name[NAME];
    int status = RETC_OK;
    RETC_TRY(check_finite(w, b));
    RETC_TRY(write_metadata(w, b));
    RETC_TRY(retc_reduction_write(w->reduction, b));
    for (size_t k = 0; k < w->cuts; ++k) {
        const retc_layer *layer = &w->network->layer[w->cut[k]];
        retc_layer_sums_add(w->layer[k], b->contribution[k], b->activation[k], b->n);
        snprintf(name, sizeof name, "/%s_contributions/%s", w->name, w->cut_name[k]);
        RETC_TRY(write_slab(w, name, RETC_H5_FLOAT, b, 2 * layer->C, b->contribution[k]));
        snprintf(name, sizeof name, "/activations/%s", w->cut_name[k]);
        RETC_TRY(write_slab(w, name, RETC_H5_FLOAT, b, 2 * layer->C, b->activation[k]));
        snprintf(name, sizeof name, "/gradients/%s", w->cut_name[k]);
        RETC_TRY(write_slab(w, name, RETC_H5_FLOAT, b, 2 * layer->C, b->gradient[k]));
        snprintf(name, sizeof name, "/completeness/residual/%s", w->cut_name[k]);
        RETC_TRY(write_slab(w, name, RETC_H5_DOUBLE, b, 0, b->residual[k]));
        RETC_TRY(write_bypasses(w, k, b));
        for (size_t t = 0; t < b->n; ++t) {
            c->worst[k] = fmax(c->worst[k], fabs(b->residual[k][t]));
            c->relative[k] += b->residual[k][t] * b->residual[k][t];
        }
        snprintf(name, sizeof name, "/completeness/error/%s", w->cut_name[k]);
        if (b->error)
            RETC_TRY(write_slab(w, name, RETC_H5_DOUBLE, b, 0, b->error[k]));
        snprintf(name, sizeof name, "/standard_errors/%s", w->cut_name[k]);
        if (b->standard_error)
            RETC_TRY(write_slab(w, name, RETC_H5_FLOAT, b, layer->C, b->standard_error[k]));
    }
    for (size_t t = 0; t < b->n; ++t) {
        w->change_square += (b->target[t] - b->target_zero[t]) * (b->target[t] - b->target_zero[t]);
        c->mean_steps += (double)b->steps[t] / (double)w->T;
    }
    if (b->error)
        add_errors(w, b);
done:
    return status;
}

static int
write_statistics(const writer *w) {
    int status = RETC_OK;
    for (size_t k = 0; k < w->cuts && status >= 0; ++k) {
        retc_layer_statistics statistics;
        status = retc_layer_sums_finish(w->layer[k], &statistics);
        if (status >= 0)
            status = retc_layer_statistics_write(&statistics, w->cut_name[k], w->file);
        retc_layer_statistics_clear(&statistics);
    }
    return status;
}

static int
write_summary(writer *w) {
    int status = RETC_OK;
    double *r = NULL, *mean = NULL;
    size_t N = w->network->N;
    RETC_TRY(RETC_ALLOC(r, N));
    RETC_TRY(RETC_ALLOC(mean, N));
    for (size_t j = 0; j < N; ++j) {
        r[j] = retc_sums_pearson(&w->score[j]);
        mean[j] = w->score[j].y / (double)w->T;
    }
    RETC_TRY(retc_h5_put(w->file, "/metadata/correlations_per_cell", RETC_H5_DOUBLE, 1, &N, r));
    RETC_TRY(retc_h5_put(w->file, "/metadata/mean_responses_per_cell", RETC_H5_DOUBLE, 1, &N, mean));
    for (size_t k = 0; k < w->cuts; ++k) {
        w->completeness->relative[k] = w->change_square > 0 ? sqrt(w->completeness->relative[k] / w->change_square) : 0;
        w->completeness->bypass[k] = w->change_square > 0 ? sqrt(w->completeness->bypass[k] / w->change_square) : 0;
    }
    RETC_TRY(write_statistics(w));
done:
    retc_free(r), retc_free(mean);
    return status;
}

static int
writer_init(writer *w, const retc_contribute_options *options, const retc_reduction_options *reductions) {
    int status = RETC_OK;
    size_t N = w->network->N, n_spans = 0, block = options->block, *cut = NULL, *conv = NULL;
    retc_span *spans = NULL;
    RETC_TRY(RETC_ALLOC(cut, w->network->layers));
    RETC_TRY(RETC_ALLOC(conv, w->network->layers));
    (void)retc_network_cuts(w->network, conv);
    w->cuts = retc_contribute_cuts(w->network, options->place, cut);
    if (w->cuts > MOST_CUTS)
        RETC_TRY(RETC_FAIL(RETC_EINVAL, "the model has %zu convolutions, contributions are made for %d at most", w->cuts,
                           MOST_CUTS));
    for (size_t k = 0; k < w->cuts; ++k) {
        w->cut[k] = cut[k];
        w->cut_name[k] = w->network->layer[conv[k]].cut;
    }
    RETC_TRY(retc_recording_spans(w->recording, w->part, w->network->L, w->network->lag, &spans, &n_spans));
    for (size_t s = 0; s < n_spans; ++s)
        w->T += spans[s].count;
    RETC_TRY(RETC_ALLOC(w->counts, N * block));
    RETC_TRY(RETC_ALLOC(w->row_major, N * block));
    RETC_TRY(RETC_ALLOC(w->time, block));
    RETC_TRY(RETC_ALLOC(w->frame, block));
    RETC_TRY(RETC_ALLOC(w->index, block));
    RETC_TRY(RETC_ALLOC(w->target_float, block));
    RETC_TRY(RETC_ALLOC(w->rate_sum, block));
    RETC_TRY(RETC_ALLOC(w->bypass, block * w->network->layers));
    RETC_TRY(RETC_ALLOC(w->score, N));
    for (size_t k = 0; k < w->cuts; ++k)
        RETC_TRY(RETC_GOT(w->layer[k] = retc_layer_sums_alloc(w->network->layer[cut[k]].C)));
    RETC_TRY(RETC_GOT(w->reduction =
                          retc_reduction_alloc(w->network, w->cut, w->cut_name, w->cuts, w->T, block, reductions, w->file)));
done:
    retc_free(spans);
    retc_free(cut);
    retc_free(conv);
    return status;
}

int
retc_contribute_write(const retc_network *network, retc_recording *recording, retc_part part, const retc_target *target,
                      const retc_contribute_options *options, const retc_reduction_options *reductions, const char *dataset,
                      retc_h5 *file, const retc_progress *progress, retc_completeness *completeness) {
    int status = RETC_OK;
    writer w = {.network = network,
                .recording = recording,
                .part = part,
                .target = target,
                .name = retc_target_name(target),
                .file = file,
                .tolerance = retc_contribute_refines(options) ? options->tolerance : 0,
                .method = options->attribution.method,
                .completeness = completeness};
    *completeness = (retc_completeness){0};
    RETC_TRY(retc_stream_check(network, recording, 1));
    RETC_TRY(writer_init(&w, options, reductions));
    RETC_TRY(make_all(&w, dataset));
    RETC_TRY(retc_contribute_write_attributes(file, network, recording, target, options));
    RETC_TRY(retc_contribute(network, recording, part, target, options, receive, &w, progress));
    completeness->cuts = w.cuts;
    completeness->samples = w.T;
    RETC_TRY(write_summary(&w));
    RETC_TRY(retc_h5_set_int(file, "/", "converged", completeness->unconverged == 0));
done:
    retc_free(w.counts), retc_free(w.row_major), retc_free(w.time), retc_free(w.frame), retc_free(w.index);
    retc_free(w.target_float), retc_free(w.rate_sum), retc_free(w.bypass), retc_free(w.score);
    for (size_t k = 0; k < w.cuts; ++k)
        retc_layer_sums_free(w.layer[k]);
    retc_reduction_free(w.reduction);
    return status;
}
