/* The passes of one step.  Sums over blocks that all need are taken between two loops over the blocks. */
#include "trainer.h"

#include <math.h>
#include <string.h>

#include "normal.h"
#include "parallel.h"
#include "rng.h"
#include "rows.h"
#include "trainer_internal.h"

static const double running_momentum = 0.1; /* of batch norm's running statistics, as torch's default */

static size_t
frames_of(const retc_trainer *trainer, const retc_trainer_worker *worker) {
    return trainer->block[worker->block].block.n;
}

static int
is_batchnorm(const retc_trainer *trainer, size_t l) {
    return l < trainer->network->layers && trainer->network->layer[l].kind == RETC_LAYER_BATCHNORM;
}

/* ---- forward --------------------------------------------------------------------------------------------------------- */

/* The same noise whenever it is asked for. */
static void
add_noise(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t l) {
    const retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    retc_normal normal;
    retc_normal_seed(&normal, retc_rng_name(trainer->options.seed, RETC_STREAM_NOISE,
                                            (trainer->step * network->layers + l) * trainer->options.blocks + worker->block));
    for (size_t row = 0; row < retc_layer_units(layer); ++row)
        retc_normal_add(&normal, (float)layer->sigma, frames_of(trainer, worker),
                        worker->tape->out[l] + row * worker->tape->ld);
}

/* A row of a batch norm's input belongs to feature `row / rows_per_feature`. */
static size_t
rows_per_feature(const retc_layer *layer) {
    return layer->per_unit ? 1 : layer->h * layer->w;
}

/* Sums of x and x^2 of every feature over one block, x the input of layer l. */
static void
batchnorm_sums(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t l) {
    const retc_layer *layer = &trainer->network->layer[l];
    const retc_tape *tape = worker->tape;
    size_t F = retc_trainer_features(layer), rows = rows_per_feature(layer), n = frames_of(trainer, worker);
    const float *x = retc_tape_input(tape, l);
    double *sums = trainer->block[worker->block].sums;
    for (size_t f = 0; f < F; ++f) {
        double sum = 0, squares = 0;
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_sums(x + r * tape->ld, x + r * tape->ld, 0, n, &sum, &squares);
        sums[f] = sum;
        sums[F + f] = squares;
    }
}

/* Sums over the batch of both kinds for F features. */
static void
add_sums(retc_trainer *trainer, size_t F) {
    for (size_t i = 0; i < 2 * F; ++i) {
        trainer->sums[i] = 0;
        for (size_t b = 0; b < trainer->n_blocks; ++b)
            trainer->sums[i] += trainer->block[b].sums[i];
    }
}

/* Mean and 1/std of the batch, and the running statistics with the unbiased variance, as torch keeps them. */
static void
batchnorm_statistics(retc_trainer *trainer, size_t l) {
    retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    size_t F = retc_trainer_features(layer);
    double count = (double)(trainer->frames_in_batch * rows_per_feature(layer));
    add_sums(trainer, F);
    float *mean = retc_network_values(network, layer->mean), *var = retc_network_values(network, layer->var);
    for (size_t f = 0; f < F; ++f) {
        double m = trainer->sums[f] / count, v = trainer->sums[F + f] / count - m * m;
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

static void
batchnorm_forward(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t l) {
    size_t ld = worker->tape->ld;
    const retc_layer *layer = &trainer->network->layer[l];
    size_t F = retc_trainer_features(layer), rows = rows_per_feature(layer);
    const float *x = retc_tape_input(worker->tape, l);
    for (size_t f = 0; f < F; ++f) {
        float sign, weight = batchnorm_weight(trainer->network, layer, f, &sign);
        float bias = retc_network_values_const(trainer->network, layer->bias)[f];
        float scale = (float)((double)weight * trainer->statistic[l][F + f]);
        float shift = (float)((double)bias - trainer->statistic[l][f] * (double)scale);
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_affine(x + r * ld, scale, shift, frames_of(trainer, worker), worker->tape->out[l] + r * ld);
    }
}

static void
forward_layers(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t from, size_t to) {
    retc_tape *tape = worker->tape;
    for (size_t l = from; l < to; ++l) {
        if (is_batchnorm(trainer, l))
            batchnorm_forward(trainer, worker, l);
        else
            retc_layer_forward(tape, l, retc_tape_input(tape, l), frames_of(trainer, worker), tape->out[l]);
        if (trainer->network->layer[l].kind == RETC_LAYER_NOISE)
            add_noise(trainer, worker, l);
    }
}

/* ---- loss ------------------------------------------------------------------------------------------------------------ */

static void
loss_and_gradient(const retc_trainer *trainer, const retc_trainer_worker *worker) {
    const retc_network *network = trainer->network;
    const retc_tape *tape = worker->tape;
    retc_trainer_block *block = &trainer->block[worker->block];
    retc_loss loss = trainer->options.loss;
    double dt = trainer->options.frame_interval, share = 1 / (double)(trainer->frames_in_batch * network->N);
    size_t n = block->block.n;
    block->loss = 0;
    for (size_t j = 0; j < network->N; ++j) {
        const float *rate = retc_tape_rate(tape, j), *count = block->count + j * n;
        block->loss += retc_loss_sum(loss, rate, count, n, dt);
        retc_loss_gradient(loss, rate, count, n, dt, share, tape->grad[network->layers - 1] + j * tape->ld);
    }
}

/* Layers from ... to-1 of one block, of which only the first may be batch norm, and what is to be summed over blocks next. */
static int
forward_segment(void *context, size_t b) {
    int status = RETC_OK;
    retc_trainer *trainer = context;
    retc_trainer_worker *worker = retc_trainer_take(trainer, b);
    if (trainer->from == 0) {
        memset(trainer->block[b].gradient, 0, trainer->network->values * sizeof(float));
        RETC_TRY(retc_trainer_read(trainer, worker));
    }
    forward_layers(trainer, worker, trainer->from, trainer->to);
    if (trainer->to < trainer->network->layers)
        batchnorm_sums(trainer, worker, trainer->to);
    else
        loss_and_gradient(trainer, worker);
done:
    retc_trainer_give(trainer, worker);
    return status;
}

static int
forward(retc_trainer *trainer) {
    size_t layers = trainer->network->layers;
    int status = RETC_OK;
    for (trainer->from = 0; trainer->from < layers; trainer->from = trainer->to) {
        trainer->to = trainer->from + 1;
        while (trainer->to < layers && !is_batchnorm(trainer, trainer->to))
            ++trainer->to;
        RETC_TRY(retc_parallel_for(trainer->n_blocks, trainer->options.threads, forward_segment, trainer));
        if (trainer->to < layers)
            batchnorm_statistics(trainer, trainer->to);
    }
done:
    return status;
}

/* ---- backward -------------------------------------------------------------------------------------------------------- */

static int
is_nonlinearity(const retc_layer *layer) {
    return layer->kind == RETC_LAYER_RELU || layer->kind == RETC_LAYER_SOFTPLUS || layer->kind == RETC_LAYER_EXP ||
           layer->kind == RETC_LAYER_TANH || layer->kind == RETC_LAYER_SIGMOID;
}

/* The gradient of activity_l1 x mean |output| of layer l at its output: the sign of the output, 0 at 0. */
static void
add_activity_gradient(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t l) {
    const retc_tape *tape = worker->tape;
    size_t units = retc_layer_units(&trainer->network->layer[l]);
    float share = (float)(trainer->options.penalty.activity_l1 / (double)(units * trainer->frames_in_batch));
    for (size_t row = 0; row < units; ++row) {
        const float *x = tape->out[l] + row * tape->ld;
        float *g = tape->grad[l] + row * tape->ld;
        for (size_t t = 0; t < frames_of(trainer, worker); ++t)
            g[t] += x[t] > 0 ? share : x[t] < 0 ? -share : 0;
    }
}

/* Have the output of layer l, after those that come with it. */
static void
recompute(const retc_trainer *trainer, retc_trainer_worker *worker, size_t l) {
    size_t base = retc_trainer_layout_base(&trainer->layout, l);
    if (base > l || (worker->base == base && l <= worker->last))
        return;
    forward_layers(trainer, worker, base, l + 1);
    worker->base = base, worker->last = l;
}

/* Layer l, not batch norm: gradients at its input and of its parameters. */
static void
backward_layer(const retc_trainer *trainer, retc_trainer_worker *worker, size_t l) {
    const retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    retc_tape *tape = worker->tape;
    size_t n = frames_of(trainer, worker);
    float *gradient = trainer->block[worker->block].gradient;
    recompute(trainer, worker, trainer->layout.out[l].in_block && l > 0 ? l - 1 : l);
    if (trainer->options.penalty.activity_l1 > 0 && is_nonlinearity(layer))
        add_activity_gradient(trainer, worker, l);
    if (layer->kind == RETC_LAYER_CONV)
        retc_tape_backward_weights(tape, l, n, gradient + network->param[layer->weight].offset,
                                   layer->bias < 0 ? NULL : gradient + network->param[layer->bias].offset);
    if (layer->kind == RETC_LAYER_AVERAGE)
        retc_tape_backward_average(tape, l, n, gradient + network->param[layer->weight].offset);
    if (l > 0) {
        retc_layer_backward(tape, l, retc_tape_input(tape, l), tape->out[l], NULL, NULL, tape->grad[l], n, tape->grad[l - 1]);
        retc_tape_add_skipped(tape, l - 1, network->layers - 1, n);
    }
}

/* Sums over one block of g and g xhat of every feature, with xhat the normalised input. */
static void
batchnorm_gradient_sums(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t l) {
    const retc_layer *layer = &trainer->network->layer[l];
    const retc_tape *tape = worker->tape;
    size_t F = retc_trainer_features(layer), rows = rows_per_feature(layer), n = frames_of(trainer, worker);
    const float *x = retc_tape_input(tape, l), *g = tape->grad[l];
    double *sums = trainer->block[worker->block].sums;
    for (size_t f = 0; f < F; ++f) {
        double mean = trainer->statistic[l][f], inverse = trainer->statistic[l][F + f], sum = 0, products = 0;
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_sums(g + r * tape->ld, x + r * tape->ld, mean, n, &sum, &products);
        sums[f] = sum;
        sums[F + f] = products * inverse;
    }
}

/* d loss / d in = w/std (g - mean(g) - xhat mean(g xhat))  (Ioffe & Szegedy 2015, section 3). */
static void
batchnorm_backward(const retc_trainer *trainer, const retc_trainer_worker *worker, size_t l) {
    const retc_layer *layer = &trainer->network->layer[l];
    retc_tape *tape = worker->tape;
    size_t F = retc_trainer_features(layer), rows = rows_per_feature(layer), n = frames_of(trainer, worker), ld = tape->ld;
    double count = (double)(trainer->frames_in_batch * rows);
    const float *x = retc_tape_input(tape, l);
    float *g = tape->grad[l];
    for (size_t f = 0; f < F; ++f) {
        float sign, weight = batchnorm_weight(trainer->network, layer, f, &sign);
        double mean = trainer->statistic[l][f], inverse = trainer->statistic[l][F + f];
        float scale = (float)((double)weight * inverse), mean_g = (float)(trainer->sums[f] / count);
        float slope = (float)(trainer->sums[F + f] / count * inverse), middle = (float)mean;
        for (size_t r = f * rows; r < (f + 1) * rows; ++r)
            retc_row_normed_backward(x + r * ld, scale, mean_g, middle, slope, n, g + r * ld);
    }
    if (tape->grad[l - 1] != g)
        memcpy(tape->grad[l - 1], g, retc_layer_units(layer) * ld * sizeof *g);
    retc_tape_add_skipped(tape, l - 1, trainer->network->layers - 1, n);
}

/* The gradients of batch norm's own parameters are sums over the batch: they go to block 0's share. */
static void
batchnorm_parameters(retc_trainer *trainer, size_t l) {
    const retc_network *network = trainer->network;
    const retc_layer *layer = &network->layer[l];
    size_t F = retc_trainer_features(layer);
    float *gradient = trainer->block[0].gradient;
    add_sums(trainer, F);
    for (size_t f = 0; f < F; ++f) {
        float sign;
        (void)batchnorm_weight(network, layer, f, &sign);
        gradient[network->param[layer->bias].offset + f] = (float)trainer->sums[f];
        gradient[network->param[layer->weight].offset + f] = sign * (float)trainer->sums[F + f];
    }
}

/* Layers from ... to of one block, from the end; batch norm are at most the first of them, whose sums are known, and the last,
 * of which only the sums are taken. */
static int
backward_segment(void *context, size_t b) {
    retc_trainer *trainer = context;
    retc_trainer_worker *worker = retc_trainer_take(trainer, b);
    int stops = is_batchnorm(trainer, trainer->to);
    if (trainer->from < trainer->network->layers)
        batchnorm_backward(trainer, worker, trainer->from);
    for (size_t l = trainer->from; l-- > trainer->to + (stops ? 1 : 0);)
        backward_layer(trainer, worker, l);
    if (stops)
        batchnorm_gradient_sums(trainer, worker, trainer->to);
    retc_trainer_give(trainer, worker);
    return RETC_OK;
}

static int
backward(retc_trainer *trainer) {
    int status = RETC_OK;
    for (trainer->from = trainer->network->layers; trainer->from > 0; trainer->from = trainer->to) {
        trainer->to = trainer->from - 1;
        while (trainer->to > 0 && !is_batchnorm(trainer, trainer->to))
            --trainer->to;
        RETC_TRY(retc_parallel_for(trainer->n_blocks, trainer->options.threads, backward_segment, trainer));
        if (is_batchnorm(trainer, trainer->to))
            batchnorm_parameters(trainer, trainer->to);
    }
done:
    return status;
}

/* ---- step ------------------------------------------------------------------------------------------------------------ */

/* Take over channel k of the first convolution. */
static int
refresh(void *context, size_t k) {
    retc_trainer *trainer = context;
    retc_trainer_worker *worker = retc_trainer_take(trainer, 0);
    retc_fftconv_set_kernel(worker->tape->fft, worker->tape->fft_work,
                            retc_network_values_const(trainer->network, trainer->network->layer[0].weight), k);
    retc_trainer_give(trainer, worker);
    return RETC_OK;
}

/* The gradient of the loss, over all blocks, and of the penalties. */
static void
add_gradients(retc_trainer *trainer) {
    const retc_network *network = trainer->network;
    for (size_t i = 0; i < network->values; ++i) {
        float sum = 0;
        for (size_t b = 0; b < trainer->n_blocks; ++b)
            sum += trainer->block[b].gradient[i];
        trainer->total_gradient[i] = sum;
    }
    retc_penalty_add_gradient(&trainer->options.penalty, network, trainer->total_gradient);
    retc_network_derive_gradient(network, trainer->total_gradient);
}

int
retc_trainer_step(retc_trainer *trainer, size_t n_blocks, uint64_t step, double *loss, const float **gradient) {
    const retc_network *network = trainer->network;
    int status = RETC_OK;
    trainer->n_blocks = n_blocks;
    trainer->step = step;
    trainer->frames_in_batch = 0;
    for (size_t b = 0; b < n_blocks; ++b)
        trainer->frames_in_batch += trainer->block[b].block.n;
    if (trainer->worker[0].tape->fft)
        RETC_TRY(retc_parallel_for(network->layer[0].C, trainer->options.threads, refresh, trainer));
    retc_tape_refresh_maps(trainer->worker[0].tape);
    RETC_TRY(forward(trainer));
    *loss = 0;
    for (size_t b = 0; b < n_blocks; ++b)
        *loss += trainer->block[b].loss / (double)(trainer->frames_in_batch * network->N);
    if (!isfinite(*loss)) {
        status = RETC_FAIL(RETC_ENUMBER, "the loss is not finite at step %llu", (unsigned long long)step);
        goto done;
    }
    RETC_TRY(backward(trainer));
    add_gradients(trainer);
    *gradient = trainer->total_gradient;
done:
    return status;
}
