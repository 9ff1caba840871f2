#include "predict.h"

#include <math.h>
#include <string.h>

#include "parallel.h"
#include "stats.h"
#include "stream.h"

enum { BLOCK = 128 };

static int
forward(void *context, size_t slot, retc_tape *tape, const retc_block *block) {
    (void)context, (void)slot;
    retc_tape_forward(tape, 0, tape->network->layers, block->n);
    return RETC_OK;
}

/* ---- rates ----------------------------------------------------------------------------------------------------------- */

typedef struct {
    retc_recording *recording;
    retc_part part;
    retc_prediction *result;
    float *count; /* (N,BLOCK) */
} collector;

static int
collect(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)slot;
    collector *c = context;
    retc_prediction *p = c->result;
    double dt = retc_recording_frame_interval(c->recording);
    int status = retc_recording_counts(c->recording, c->part, block->t0, block->n, c->count);
    for (size_t t = 0; t < block->n; ++t)
        p->frame[block->sample + t] = block->t0 + t;
    if (status == RETC_OK)
        status = retc_stream_check_rates(tape, block);
    for (size_t j = 0; j < p->N && status == RETC_OK; ++j) {
        memcpy(p->rate + j * p->T + block->sample, retc_tape_rate(tape, j), block->n * sizeof(float));
        for (size_t t = 0; t < block->n; ++t)
            p->measured[j * p->T + block->sample + t] = (float)((double)c->count[j * block->n + t] / dt);
    }
    return status;
}

/* The noise ceiling over the frames that are scored, not the whole part. */
static int
ceilings(retc_recording *recording, retc_prediction *p) {
    int status = RETC_OK;
    size_t R = retc_recording_repeats(recording), all = retc_recording_frames(recording, RETC_TEST);
    float *repeats = NULL, *scored = NULL;
    RETC_TRY(RETC_ALLOC(repeats, R * all));
    RETC_TRY(RETC_ALLOC(scored, R * p->T));
    for (size_t j = 0; j < p->N; ++j) {
        RETC_TRY(retc_recording_repeat_counts(recording, j, repeats));
        for (size_t r = 0; r < R; ++r)
            for (size_t t = 0; t < p->T; ++t)
                scored[r * p->T + t] = repeats[r * all + p->frame[t]];
        p->noise_ceiling[j] = retc_noise_ceiling(scored, R, p->T);
    }
done:
    retc_free(repeats);
    retc_free(scored);
    return status;
}

static int
prediction_init(retc_prediction *p, size_t N, size_t T) {
    int status = RETC_OK;
    *p = (retc_prediction){.N = N, .T = T};
    RETC_TRY(RETC_ALLOC(p->frame, T));
    RETC_TRY(RETC_ALLOC(p->rate, N * T));
    RETC_TRY(RETC_ALLOC(p->measured, N * T));
    RETC_TRY(RETC_ALLOC(p->pearson, N));
    RETC_TRY(RETC_ALLOC(p->explained_variance, N));
    RETC_TRY(RETC_ALLOC(p->noise_ceiling, N));
done:
    return status;
}

int
retc_predict(const retc_network *network, retc_recording *recording, retc_part part, size_t threads,
             const retc_progress *progress, retc_prediction *result) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0, T = 0;
    collector c = {recording, part, result, NULL};
    *result = (retc_prediction){0};
    RETC_TRY(retc_stream_check(network, recording, 1));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    for (size_t s = 0; s < n_spans; ++s)
        T += spans[s].count;
    RETC_TRY(prediction_init(result, network->N, T));
    RETC_TRY(RETC_ALLOC(c.count, network->N * BLOCK));
    retc_stream_options options = {.block = BLOCK, .threads = threads};
    retc_stream_task task = {forward, collect, &c};
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &options, &task, progress));
    for (size_t j = 0; j < result->N; ++j) {
        result->pearson[j] = retc_pearson(result->rate + j * T, result->measured + j * T, T);
        result->explained_variance[j] = retc_explained_variance(result->rate + j * T, result->measured + j * T, T);
        result->noise_ceiling[j] = (double)NAN;
    }
    if (part == RETC_TEST && retc_recording_repeats(recording) > 1)
        RETC_TRY(ceilings(recording, result));
done:
    if (status < 0)
        retc_prediction_clear(result);
    retc_free(spans);
    retc_free(c.count);
    return status;
}

void
retc_prediction_clear(retc_prediction *p) {
    retc_free(p->frame);
    retc_free(p->rate);
    retc_free(p->measured);
    retc_free(p->pearson);
    retc_free(p->explained_variance);
    retc_free(p->noise_ceiling);
    *p = (retc_prediction){0};
}

static double
mean_of_numbers(const double *x, size_t n) {
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; ++i)
        if (isfinite(x[i]))
            sum += x[i], ++count;
    return count ? sum / (double)count : (double)NAN;
}

retc_prediction_mean
retc_prediction_means(const retc_prediction *p) {
    return (retc_prediction_mean){mean_of_numbers(p->pearson, p->N), mean_of_numbers(p->explained_variance, p->N),
                                  mean_of_numbers(p->noise_ceiling, p->N)};
}

/* ---- interneurons ---------------------------------------------------------------------------------------------------- */

/* Sums for Pearson's r between every interneuron and every unit behind a ReLU. */
typedef struct {
    retc_recording *recording;
    retc_part part;
    size_t I, U, frames;          /* interneurons, units, frames so far */
    double *x, *xx, *y, *yy, *xy; /* (I) (I) (U) (U) (I,U) */
    float *signal;                /* (I,BLOCK) */
    size_t threads, n, ld, first; /* first unit of the layer at work, whose rows of n frames are ld apart */
    const float *activation;      /* its rows (borrowed) */
} matcher;

static int
is_interneuron_layer(const retc_layer *layer) {
    return layer->kind == RETC_LAYER_RELU;
}

int
retc_network_has_interneurons(const retc_network *network) {
    for (size_t l = 0; l < network->layers; ++l)
        if (is_interneuron_layer(&network->layer[l]))
            return 1;
    return 0;
}

/* Unit `row` of the layer at work. */
static int
accumulate_unit(void *context, size_t row) {
    matcher *m = context;
    const float *activation = m->activation + row * m->ld;
    size_t u = m->first + row, n = m->n;
    for (size_t t = 0; t < n; ++t) {
        double y = (double)activation[t];
        m->y[u] += y, m->yy[u] += y * y;
    }
    for (size_t i = 0; i < m->I; ++i) {
        double sum = 0;
        for (size_t t = 0; t < n; ++t)
            sum += (double)m->signal[i * n + t] * (double)activation[t];
        m->xy[i * m->U + u] += sum;
    }
    return RETC_OK;
}

static int
accumulate(void *context, size_t slot, const retc_tape *tape, const retc_block *block) {
    (void)slot;
    matcher *m = context;
    const retc_network *network = tape->network;
    size_t n = block->n;
    int status = retc_recording_interneuron_signals(m->recording, m->part, block->t0, n, m->signal);
    m->frames += n;
    for (size_t i = 0; i < m->I && status >= 0; ++i)
        for (size_t t = 0; t < n; ++t) {
            double x = (double)m->signal[i * n + t];
            m->x[i] += x, m->xx[i] += x * x;
        }
    m->n = n, m->ld = tape->ld, m->first = 0;
    for (size_t l = 0; l < network->layers && status >= 0; ++l) {
        if (!is_interneuron_layer(&network->layer[l]))
            continue;
        size_t units = retc_layer_units(&network->layer[l]);
        m->activation = tape->out[l];
        status = retc_parallel_for(units, m->threads, accumulate_unit, m);
        m->first += units;
    }
    return status;
}

static double
correlation(const matcher *m, size_t i, size_t u) {
    double n = (double)m->frames, xx = m->xx[i] - m->x[i] * m->x[i] / n, yy = m->yy[u] - m->y[u] * m->y[u] / n;
    return xx > 0 && yy > 0 ? (m->xy[i * m->U + u] - m->x[i] * m->y[u] / n) / sqrt(xx * yy) : 0;
}

static void
choose(const matcher *m, const retc_network *network, retc_match *result) {
    for (size_t i = 0; i < m->I; ++i) {
        size_t u = 0, order = 0;
        result->correlation[i] = -1;
        for (size_t l = 0; l < network->layers; ++l) {
            const retc_layer *layer = &network->layer[l];
            if (!is_interneuron_layer(layer))
                continue;
            for (size_t row = 0; row < retc_layer_units(layer); ++row, ++u) {
                double r = correlation(m, i, u);
                if (r > result->correlation[i]) {
                    result->correlation[i] = r;
                    result->layer[i] = order;
                    result->channel[i] = row / (layer->h * layer->w);
                    result->row[i] = row / layer->w % layer->h;
                    result->column[i] = row % layer->w;
                }
            }
            ++order;
        }
    }
}

static int
matcher_init(matcher *m, const retc_network *network, retc_match *result) {
    int status = RETC_OK;
    for (size_t l = 0; l < network->layers; ++l)
        m->U += is_interneuron_layer(&network->layer[l]) ? retc_layer_units(&network->layer[l]) : 0;
    m->I = result->I = retc_recording_interneurons(m->recording);
    if (m->I == 0 || m->U == 0)
        return RETC_FAIL(RETC_EINVAL, "%s",
                         m->I ? "the model has no interneurons: no layer behind a ReLU"
                              : "the recording holds no interneuron signals to match");
    RETC_TRY(RETC_ALLOC(m->x, m->I));
    RETC_TRY(RETC_ALLOC(m->xx, m->I));
    RETC_TRY(RETC_ALLOC(m->y, m->U));
    RETC_TRY(RETC_ALLOC(m->yy, m->U));
    RETC_TRY(RETC_ALLOC(m->xy, m->I * m->U));
    RETC_TRY(RETC_ALLOC(m->signal, m->I * BLOCK));
    RETC_TRY(RETC_ALLOC(result->correlation, m->I));
    RETC_TRY(RETC_ALLOC(result->layer, m->I));
    RETC_TRY(RETC_ALLOC(result->channel, m->I));
    RETC_TRY(RETC_ALLOC(result->row, m->I));
    RETC_TRY(RETC_ALLOC(result->column, m->I));
done:
    return status;
}

int
retc_match_interneurons(const retc_network *network, retc_recording *recording, retc_part part, size_t threads,
                        const retc_progress *progress, retc_match *result) {
    int status = RETC_OK;
    retc_span *spans = NULL;
    size_t n_spans = 0;
    matcher m = {.recording = recording, .part = part, .threads = threads};
    *result = (retc_match){0};
    RETC_TRY(retc_stream_check(network, recording, 0));
    RETC_TRY(retc_recording_spans(recording, part, network->L, network->lag, &spans, &n_spans));
    RETC_TRY(matcher_init(&m, network, result));
    retc_stream_options options = {.block = BLOCK, .threads = threads};
    retc_stream_task task = {forward, accumulate, &m};
    RETC_TRY(retc_stream_run(network, recording, part, spans, n_spans, &options, &task, progress));
    choose(&m, network, result);
done:
    if (status < 0)
        retc_match_clear(result);
    retc_free(spans);
    retc_free(m.x), retc_free(m.xx), retc_free(m.y), retc_free(m.yy), retc_free(m.xy), retc_free(m.signal);
    return status;
}

void
retc_match_clear(retc_match *match) {
    retc_free(match->correlation);
    retc_free(match->layer), retc_free(match->channel), retc_free(match->row), retc_free(match->column);
    *match = (retc_match){0};
}

/* A few hundred at most: insertion. */
void
retc_match_order(const retc_match *match, size_t *order) {
    for (size_t i = 0; i < match->I; ++i) {
        size_t at = i;
        for (; at > 0 && match->correlation[order[at - 1]] < match->correlation[i]; --at)
            order[at] = order[at - 1];
        order[at] = i;
    }
}
