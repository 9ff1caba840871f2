#include "trainer.h"

#include <math.h>
#include <string.h>

#include "normal.h"
#include "parallel.h"
#include "rng.h"
#include "rows.h"

static const double running_momentum = 0.1; /* of batch norm's running statistics, as torch's default */

/* A step has some twenty parallel loops; below this much work waking threads costs more than they save. */
static const double worth_threads = 1e8;

struct retc_trainer {
    retc_network *network;
    retc_trainer_options options;
    retc_tape **tape;      /* (blocks) */
    float **frames;        /* (blocks) raw movie */
    float **count;         /* (blocks) (N,n) spikes per frame */
    float **gradient;      /* (blocks) (values) */
    double **partial;      /* (blocks) (2,widest batch norm): sums of one block */
    double *loss;          /* (blocks) */
    retc_block *block;     /* (blocks) */
    double **statistic;    /* per layer: batch norm's (2,F): mean and 1/std of the batch */
    float *total_gradient; /* (values) */
    size_t n_blocks, frames_in_batch, from, to;
    uint64_t step;
};

static size_t
features(const retc_layer *layer) {
    return layer->per_unit ? retc_layer_units(layer) : layer->C;
}

/* Multiplications and additions of the convolutions of a batch, forward and backward. */
static double
batch_flops(const retc_network *network, const retc_trainer_options *options) {
    double sum = 0;
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_CONV)
            sum += (double)network->param[network->layer[l].weight].size * (double)(network->layer[l].h * network->layer[l].w);
    return 6 * sum * (double)(options->blocks * options->block);
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

static int
trainer_init(retc_trainer *trainer) {
    const retc_network *network = trainer->network;
    size_t B = trainer->options.blocks, n = trainer->options.block, widest = 1;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(trainer->tape, B));
    RETC_TRY(RETC_ALLOC(trainer->frames, B));
    RETC_TRY(RETC_ALLOC(trainer->count, B));
    RETC_TRY(RETC_ALLOC(trainer->gradient, B));
    RETC_TRY(RETC_ALLOC(trainer->partial, B));
    RETC_TRY(RETC_ALLOC(trainer->loss, B));
    RETC_TRY(RETC_ALLOC(trainer->block, B));
    RETC_TRY(RETC_ALLOC(trainer->total_gradient, network->values));
    RETC_TRY(RETC_ALLOC(trainer->statistic, network->layers));
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_BATCHNORM) {
            size_t F = features(&network->layer[l]);
            widest = F > widest ? F : widest;
            RETC_TRY(RETC_ALLOC(trainer->statistic[l], 2 * F));
        }
    for (size_t b = 0; b < B; ++b) {
        RETC_TRY(RETC_GOT(trainer->tape[b] = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS, b ? trainer->tape[0] : NULL)));
        RETC_TRY(RETC_ALLOC(trainer->frames[b], (n + network->L - 1) * network->H * network->W));
        RETC_TRY(RETC_ALLOC(trainer->count[b], n * network->N));
        RETC_TRY(RETC_ALLOC(trainer->gradient[b], network->values));
        RETC_TRY(RETC_ALLOC(trainer->partial[b], 2 * widest));
    }
done:
    return status;
}

retc_trainer *
retc_trainer_alloc(retc_network *network, const retc_trainer_options *options) {
    retc_trainer *trainer = retc_calloc(1, sizeof *trainer);
    if (!trainer)
        return NULL;
    trainer->network = network;
    trainer->options = *options;
    if (batch_flops(network, options) < worth_threads)
        trainer->options.threads = 1;
    if (trainer_init(trainer) < 0) {
        retc_trainer_free(trainer);
        return NULL;
    }
    return trainer;
}

/* Free n blocks of any type and the array that holds them. */
#define FREE_EACH(array, n)                                                                                                    \
    do {                                                                                                                       \
        for (size_t i_ = 0; (array) && i_ < (n); ++i_)                                                                         \
            retc_free((array)[i_]);                                                                                            \
        retc_free(array);                                                                                                      \
    } while (0)

void
retc_trainer_free(retc_trainer *trainer) {
    if (!trainer)
        return;
    size_t B = trainer->options.blocks;
    for (size_t b = B; trainer->tape && b-- > 0;) /* the first one last: the others share its transforms */
        retc_tape_free(trainer->tape[b]);
    retc_free(trainer->tape);
    FREE_EACH(trainer->frames, B);
    FREE_EACH(trainer->count, B);
    FREE_EACH(trainer->gradient, B);
    FREE_EACH(trainer->partial, B);
    FREE_EACH(trainer->statistic, trainer->network->layers);
    retc_free(trainer->loss);
    retc_free(trainer->block);
    retc_free(trainer->total_gradient);
    retc_free(trainer);
}

int
retc_trainer_load(retc_trainer *trainer, retc_recording *recording, retc_part part, size_t b, const retc_block *block) {
    trainer->block[b] = *block;
    int status = retc_stream_read(trainer->network, recording, part, block->t0, block->n, trainer->frames[b]);
    return status < 0 ? status : retc_recording_counts(recording, part, block->t0, block->n, trainer->count[b]);
}

/* ---- forward --------------------------------------------------------------------------------------------------------- */

static void
add_noise(const retc_trainer *trainer, size_t b, size_t l) {
    const retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    retc_normal normal;
    retc_normal_seed(&normal, retc_rng_name(trainer->options.seed, RETC_STREAM_NOISE,
                                            (trainer->step * network->layers + l) * trainer->options.blocks + b));
    for (size_t row = 0; row < retc_layer_units(layer); ++row)
        retc_normal_add(&normal, (float)layer->sigma, trainer->block[b].n,
                        trainer->tape[b]->out[l] + row * trainer->tape[b]->ld);
}

/* Layers from ... to-1, none of them batch norm, of one block. */
static int
forward_segment(void *context, size_t b) {
    retc_trainer *trainer = context;
    retc_tape *tape = trainer->tape[b];
    if (trainer->from == 0)
        retc_tape_load(tape, trainer->frames[b], trainer->block[b].n);
    for (size_t l = trainer->from; l < trainer->to; ++l) {
        retc_layer_forward(tape, l, retc_tape_input(tape, l), trainer->block[b].n, tape->out[l]);
        if (trainer->network->layer[l].kind == RETC_LAYER_NOISE)
            add_noise(trainer, b, l);
    }
    return RETC_OK;
}

/* A row of layer `from`'s input belongs to feature `row / rows_per_feature`. */
static size_t
rows_per_feature(const retc_layer *layer) {
    return layer->per_unit ? 1 : layer->h * layer->w;
}

/* Sums of x and x^2 of every feature over one block. */
static int
batchnorm_sums(void *context, size_t b) {
    retc_trainer *trainer = context;
    const retc_layer *layer = &trainer->network->layer[trainer->from];
    const retc_tape *tape = trainer->tape[b];
    size_t F = features(layer), rows = rows_per_feature(layer), n = trainer->block[b].n;
    const float *x = retc_tape_input(tape, trainer->from);
    for (size_t f = 0; f < F; ++f) {
        double sum = 0, squares = 0;
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_sums(x + r * tape->ld, x + r * tape->ld, 0, n, &sum, &squares);
        trainer->partial[b][f] = sum;
        trainer->partial[b][F + f] = squares;
    }
    return RETC_OK;
}

/* Sum over blocks of partial[.][i]. */
static double
total(const retc_trainer *trainer, size_t i) {
    double sum = 0;
    for (size_t b = 0; b < trainer->n_blocks; ++b)
        sum += trainer->partial[b][i];
    return sum;
}

/* Mean and 1/std of the batch, and the running statistics with the unbiased variance, as torch keeps them. */
static void
batchnorm_statistics(retc_trainer *trainer, size_t l) {
    retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    size_t F = features(layer);
    double count = (double)(trainer->frames_in_batch * rows_per_feature(layer));
    float *mean = retc_network_values(network, layer->mean), *var = retc_network_values(network, layer->var);
    for (size_t f = 0; f < F; ++f) {
        double m = total(trainer, f) / count, v = total(trainer, F + f) / count - m * m;
        v = v > 0 ? v : 0;
        trainer->statistic[l][f] = m;
        trainer->statistic[l][F + f] = 1 / sqrt(v + layer->eps);
        double unbiased = count > 1 ? v * count / (count - 1) : v;
        mean[f] = (float)((1 - running_momentum) * (double)mean[f] + running_momentum * m);
        var[f] = (float)((1 - running_momentum) * (double)var[f] + running_momentum * unbiased);
    }
}

/* The weight that multiplies the normalised input, and the sign of its derivative by the stored one. */
static float
batchnorm_weight(const retc_network *network, const retc_layer *layer, size_t f, float *sign) {
    float weight = retc_network_values_const(network, layer->weight)[f];
    *sign = layer->absolute && weight < 0 ? -1.0f : 1.0f;
    return weight * *sign;
}

static int
batchnorm_forward(void *context, size_t b) {
    retc_trainer *trainer = context;
    size_t l = trainer->from, ld = trainer->tape[b]->ld;
    const retc_layer *layer = &trainer->network->layer[l];
    size_t F = features(layer), rows = rows_per_feature(layer);
    const float *x = retc_tape_input(trainer->tape[b], l);
    for (size_t f = 0; f < F; ++f) {
        float sign, weight = batchnorm_weight(trainer->network, layer, f, &sign);
        float bias = retc_network_values_const(trainer->network, layer->bias)[f];
        float scale = (float)((double)weight * trainer->statistic[l][F + f]);
        float shift = (float)((double)bias - trainer->statistic[l][f] * (double)scale);
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_affine(x + r * ld, scale, shift, trainer->block[b].n, trainer->tape[b]->out[l] + r * ld);
    }
    return RETC_OK;
}

static int
forward(retc_trainer *trainer) {
    const retc_network *network = trainer->network;
    size_t B = trainer->n_blocks, threads = trainer->options.threads;
    int status = RETC_OK;
    for (size_t l = 0; l < network->layers; l = trainer->to) {
        trainer->from = l;
        trainer->to = l + 1;
        if (network->layer[l].kind == RETC_LAYER_BATCHNORM) {
            RETC_TRY(retc_parallel_for(B, threads, batchnorm_sums, trainer));
            batchnorm_statistics(trainer, l);
            RETC_TRY(retc_parallel_for(B, threads, batchnorm_forward, trainer));
        } else {
            while (trainer->to < network->layers && network->layer[trainer->to].kind != RETC_LAYER_BATCHNORM)
                ++trainer->to;
            RETC_TRY(retc_parallel_for(B, threads, forward_segment, trainer));
        }
    }
done:
    return status;
}

/* ---- loss ------------------------------------------------------------------------------------------------------------ */

static int
loss_and_gradient(void *context, size_t b) {
    retc_trainer *trainer = context;
    const retc_network *network = trainer->network;
    retc_tape *tape = trainer->tape[b];
    retc_loss loss = trainer->options.loss;
    double dt = trainer->options.frame_interval, share = 1 / (double)(trainer->frames_in_batch * network->N);
    size_t n = trainer->block[b].n;
    trainer->loss[b] = 0;
    for (size_t j = 0; j < network->N; ++j) {
        const float *rate = retc_tape_rate(tape, j), *count = trainer->count[b] + j * n;
        trainer->loss[b] += retc_loss_sum(loss, rate, count, n, dt);
        retc_loss_gradient(loss, rate, count, n, dt, share, tape->grad[network->layers - 1] + j * tape->ld);
    }
    return RETC_OK;
}

/* ---- backward -------------------------------------------------------------------------------------------------------- */

static int
is_nonlinearity(const retc_layer *layer) {
    return layer->kind == RETC_LAYER_RELU || layer->kind == RETC_LAYER_SOFTPLUS || layer->kind == RETC_LAYER_EXP ||
           layer->kind == RETC_LAYER_TANH || layer->kind == RETC_LAYER_SIGMOID;
}

/* The gradient of activity_l1 x mean |output| of layer l at its output: the sign of the output, 0 at 0. */
static void
add_activity_gradient(const retc_trainer *trainer, size_t b, size_t l) {
    const retc_tape *tape = trainer->tape[b];
    size_t units = retc_layer_units(&trainer->network->layer[l]);
    float share = (float)(trainer->options.penalty.activity_l1 / (double)(units * trainer->frames_in_batch));
    for (size_t row = 0; row < units; ++row) {
        const float *x = tape->out[l] + row * tape->ld;
        float *g = tape->grad[l] + row * tape->ld;
        for (size_t t = 0; t < trainer->block[b].n; ++t)
            g[t] += x[t] > 0 ? share : x[t] < 0 ? -share : 0;
    }
}

/* Layers from-1 ... to of one block, none of them batch norm: gradients at their inputs and of their parameters. */
static int
backward_segment(void *context, size_t b) {
    retc_trainer *trainer = context;
    const retc_network *network = trainer->network;
    retc_tape *tape = trainer->tape[b];
    size_t n = trainer->block[b].n;
    for (size_t l = trainer->from; l-- > trainer->to;) {
        const retc_layer *layer = &network->layer[l];
        const float *in = retc_tape_input(tape, l);
        if (trainer->options.penalty.activity_l1 > 0 && is_nonlinearity(layer))
            add_activity_gradient(trainer, b, l);
        if (layer->kind == RETC_LAYER_CONV)
            retc_tape_backward_weights(tape, l, n, trainer->gradient[b] + network->param[layer->weight].offset,
                                       layer->bias < 0 ? NULL : trainer->gradient[b] + network->param[layer->bias].offset);
        if (l > 0) {
            retc_layer_backward(tape, l, in, tape->out[l], NULL, NULL, tape->grad[l], n, tape->grad[l - 1]);
            retc_tape_add_skipped(tape, l - 1, network->layers - 1, n);
        }
    }
    return RETC_OK;
}

/* Sums over one block of g and g xhat of every feature, with xhat the normalised input. */
static int
batchnorm_gradient_sums(void *context, size_t b) {
    retc_trainer *trainer = context;
    size_t l = trainer->to;
    const retc_layer *layer = &trainer->network->layer[l];
    const retc_tape *tape = trainer->tape[b];
    size_t F = features(layer), rows = rows_per_feature(layer), n = trainer->block[b].n;
    const float *x = retc_tape_input(tape, l), *g = tape->grad[l];
    for (size_t f = 0; f < F; ++f) {
        double mean = trainer->statistic[l][f], inverse = trainer->statistic[l][F + f], sum = 0, products = 0;
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_sums(g + r * tape->ld, x + r * tape->ld, mean, n, &sum, &products);
        trainer->partial[b][f] = sum;
        trainer->partial[b][F + f] = products * inverse;
    }
    return RETC_OK;
}

/* d loss / d in = w/std (g - mean(g) - xhat mean(g xhat))  (Ioffe & Szegedy 2015, section 3). */
static int
batchnorm_backward(void *context, size_t b) {
    retc_trainer *trainer = context;
    size_t l = trainer->to;
    const retc_layer *layer = &trainer->network->layer[l];
    const retc_tape *tape = trainer->tape[b];
    size_t F = features(layer), rows = rows_per_feature(layer), n = trainer->block[b].n, ld = tape->ld;
    double count = (double)(trainer->frames_in_batch * rows);
    const float *x = retc_tape_input(tape, l), *g = tape->grad[l];
    for (size_t f = 0; f < F; ++f) {
        float sign, weight = batchnorm_weight(trainer->network, layer, f, &sign);
        double mean = trainer->statistic[l][f], inverse = trainer->statistic[l][F + f];
        float scale = (float)((double)weight * inverse), mean_g = (float)(total(trainer, f) / count);
        float slope = (float)(total(trainer, F + f) / count * inverse), middle = (float)mean;
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_normed_backward(g + r * ld, x + r * ld, scale, mean_g, middle, slope, n, tape->grad[l - 1] + r * ld);
    }
    retc_tape_add_skipped(trainer->tape[b], l - 1, trainer->network->layers - 1, n);
    return RETC_OK;
}

/* The gradients of batch norm's own parameters are sums over the batch: they go to block 0's share. */
static void
batchnorm_parameters(retc_trainer *trainer, size_t l) {
    const retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    size_t F = features(layer);
    for (size_t f = 0; f < F; ++f) {
        float sign;
        (void)batchnorm_weight(network, layer, f, &sign);
        trainer->gradient[0][network->param[layer->bias].offset + f] = (float)total(trainer, f);
        trainer->gradient[0][network->param[layer->weight].offset + f] = sign * (float)total(trainer, F + f);
    }
}

static int
backward(retc_trainer *trainer) {
    const retc_network *network = trainer->network;
    size_t B = trainer->n_blocks, threads = trainer->options.threads;
    int status = RETC_OK;
    for (trainer->from = network->layers; trainer->from > 0; trainer->from = trainer->to) {
        trainer->to = trainer->from - 1;
        if (network->layer[trainer->to].kind == RETC_LAYER_BATCHNORM) {
            RETC_TRY(retc_parallel_for(B, threads, batchnorm_gradient_sums, trainer));
            batchnorm_parameters(trainer, trainer->to);
            RETC_TRY(retc_parallel_for(B, threads, batchnorm_backward, trainer));
        } else {
            while (trainer->to > 0 && network->layer[trainer->to - 1].kind != RETC_LAYER_BATCHNORM)
                --trainer->to;
            RETC_TRY(retc_parallel_for(B, threads, backward_segment, trainer));
        }
    }
done:
    return status;
}

int
retc_trainer_step(retc_trainer *trainer, size_t n_blocks, uint64_t step, double *loss, const float **gradient) {
    const retc_network *network = trainer->network;
    int status = RETC_OK;
    trainer->n_blocks = n_blocks;
    trainer->step = step;
    trainer->frames_in_batch = 0;
    for (size_t b = 0; b < n_blocks; ++b) {
        trainer->frames_in_batch += trainer->block[b].n;
        memset(trainer->gradient[b], 0, network->values * sizeof(float));
    }
    retc_tape_refresh(trainer->tape[0]);
    RETC_TRY(forward(trainer));
    RETC_TRY(retc_parallel_for(n_blocks, trainer->options.threads, loss_and_gradient, trainer));
    *loss = 0;
    for (size_t b = 0; b < n_blocks; ++b)
        *loss += trainer->loss[b] / (double)(trainer->frames_in_batch * network->N);
    if (!isfinite(*loss)) {
        status = RETC_FAIL(RETC_ENUMBER, "the loss is not finite at step %llu", (unsigned long long)step);
        goto done;
    }
    RETC_TRY(backward(trainer));
    for (size_t i = 0; i < network->values; ++i) {
        float sum = 0;
        for (size_t b = 0; b < n_blocks; ++b)
            sum += trainer->gradient[b][i];
        trainer->total_gradient[i] = sum;
    }
    retc_penalty_add_gradient(&trainer->options.penalty, network, trainer->total_gradient);
    retc_network_derive_gradient(network, trainer->total_gradient);
    *gradient = trainer->total_gradient;
done:
    return status;
}
