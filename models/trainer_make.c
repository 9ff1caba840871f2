/* The memory of a trainer, and who works in it. */
#include "parallel.h"
#include "trainer_internal.h"

/* A step has some ten parallel loops; below this much work waking threads costs more than they save. */
static const double worth_threads = 1e8;

size_t
retc_trainer_features(const retc_layer *layer) {
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

static size_t
choose_threads(const retc_network *network, const retc_trainer_options *options) {
    size_t threads = options->threads ? options->threads : retc_parallel_chosen();
    if (batch_flops(network, options) < worth_threads)
        threads = 1;
    return threads < options->blocks ? threads : options->blocks;
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

/* Raw frames and, where transforms take it from there, the movie stand where outputs will be that are computed later. */
static int
make_workers(retc_trainer *trainer) {
    int status = RETC_OK;
    const retc_network *network = trainer->network;
    size_t n = trainer->options.block, workers = trainer->options.threads;
    RETC_TRY(RETC_ALLOC(trainer->worker, workers));
    RETC_TRY(RETC_ALLOC(trainer->idle, workers));
    for (size_t i = 0; i < workers; ++i) {
        retc_trainer_worker *w = &trainer->worker[i];
        RETC_TRY(RETC_GOT(
            w->tape = retc_tape_alloc(network, n, RETC_TAPE_GRADIENTS | RETC_TAPE_LENT, i ? trainer->worker[0].tape : NULL)));
        trainer->idle[trainer->n_idle++] = w;
    }
    const retc_tape *tape = trainer->worker[0].tape;
    size_t movie = network->H * network->W * tape->in_ld;
    trainer->movie = tape->fft ? retc_fftconv_input_size(tape->fft) : movie;
    RETC_TRY(retc_trainer_layout_init(&trainer->layout, network, tape->ld, trainer->movie));
    size_t loading = movie + (n + network->L - 1) * network->H * network->W;
    trainer->layout.worker = trainer->layout.worker > loading ? trainer->layout.worker : loading;
    for (size_t i = 0; i < workers; ++i)
        RETC_TRY(RETC_ALLOC(trainer->worker[i].memory, trainer->layout.worker));
done:
    return status;
}

static int
make_blocks(retc_trainer *trainer, size_t widest) {
    int status = RETC_OK;
    const retc_network *network = trainer->network;
    RETC_TRY(RETC_ALLOC(trainer->block, trainer->options.blocks));
    for (size_t b = 0; b < trainer->options.blocks; ++b) {
        retc_trainer_block *block = &trainer->block[b];
        RETC_TRY(RETC_ALLOC(block->memory, trainer->layout.block));
        RETC_TRY(RETC_ALLOC(block->count, trainer->options.block * network->N));
        RETC_TRY(RETC_ALLOC(block->gradient, network->values));
        RETC_TRY(RETC_ALLOC(block->sums, 2 * widest));
    }
done:
    return status;
}

static int
trainer_init(retc_trainer *trainer) {
    const retc_network *network = trainer->network;
    size_t widest = 1;
    int status = RETC_OK;
    RETC_TRY(RETC_ALLOC(trainer->total_gradient, network->values));
    RETC_TRY(RETC_ALLOC(trainer->statistic, network->layers));
    for (size_t l = 0; l < network->layers; ++l)
        if (network->layer[l].kind == RETC_LAYER_BATCHNORM) {
            size_t F = retc_trainer_features(&network->layer[l]);
            widest = F > widest ? F : widest;
            RETC_TRY(RETC_ALLOC(trainer->statistic[l], 2 * F));
        }
    RETC_TRY(RETC_ALLOC(trainer->sums, 2 * widest));
    RETC_TRY(make_workers(trainer));
    RETC_TRY(make_blocks(trainer, widest));
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
    trainer->options.threads = choose_threads(network, options);
    pthread_mutex_init(&trainer->idle_lock, NULL);
    pthread_mutex_init(&trainer->reading, NULL);
    if (trainer_init(trainer) < 0) {
        retc_trainer_free(trainer);
        return NULL;
    }
    return trainer;
}

void
retc_trainer_free(retc_trainer *trainer) {
    if (!trainer)
        return;
    for (size_t i = trainer->options.threads; trainer->worker && i-- > 0;) { /* the first one last: others share its plans */
        retc_tape_free(trainer->worker[i].tape);
        retc_free(trainer->worker[i].memory);
    }
    for (size_t b = 0; trainer->block && b < trainer->options.blocks; ++b) {
        retc_free(trainer->block[b].memory);
        retc_free(trainer->block[b].count);
        retc_free(trainer->block[b].gradient);
        retc_free(trainer->block[b].sums);
    }
    for (size_t l = 0; trainer->statistic && l < trainer->network->layers; ++l)
        retc_free(trainer->statistic[l]);
    retc_trainer_layout_clear(&trainer->layout);
    pthread_mutex_destroy(&trainer->idle_lock);
    pthread_mutex_destroy(&trainer->reading);
    retc_free(trainer->worker);
    retc_free(trainer->idle);
    retc_free(trainer->block);
    retc_free(trainer->statistic);
    retc_free(trainer->sums);
    retc_free(trainer->total_gradient);
    retc_free(trainer);
}

/* ---- at work --------------------------------------------------------------------------------------------------------- */

static float *
rows_of(const retc_trainer *trainer, const retc_trainer_worker *worker, retc_place place) {
    return (place.in_block ? trainer->block[worker->block].memory : worker->memory) + place.at;
}

retc_trainer_worker *
retc_trainer_take(retc_trainer *trainer, size_t b) {
    pthread_mutex_lock(&trainer->idle_lock);
    retc_trainer_worker *worker = trainer->idle[--trainer->n_idle];
    pthread_mutex_unlock(&trainer->idle_lock);
    retc_tape *tape = worker->tape;
    worker->block = b;
    worker->base = 1, worker->last = 0;
    for (size_t l = 0; l < trainer->network->layers; ++l) {
        tape->out[l] = rows_of(trainer, worker, trainer->layout.out[l]);
        tape->grad[l] = rows_of(trainer, worker, trainer->layout.grad[l]);
    }
    tape->movie = trainer->block[b].memory;
    if (tape->fft) {
        retc_fftconv_set_input(tape->fft_work, trainer->block[b].memory);
        tape->movie = worker->memory;
    }
    return worker;
}

void
retc_trainer_give(retc_trainer *trainer, retc_trainer_worker *worker) {
    pthread_mutex_lock(&trainer->idle_lock);
    trainer->idle[trainer->n_idle++] = worker;
    pthread_mutex_unlock(&trainer->idle_lock);
}

int
retc_trainer_load(retc_trainer *trainer, retc_recording *recording, retc_part part, size_t b, const retc_block *block) {
    trainer->block[b].block = *block;
    trainer->block[b].recording = recording;
    trainer->block[b].part = part;
    return retc_recording_counts(recording, part, block->t0, block->n, trainer->block[b].count);
}

int
retc_trainer_read(retc_trainer *trainer, retc_trainer_worker *worker) {
    const retc_trainer_block *b = &trainer->block[worker->block];
    const retc_network *network = trainer->network;
    float *frames = worker->memory + network->H * network->W * worker->tape->in_ld;
    pthread_mutex_lock(&trainer->reading); /* a recording serves one thread at a time; others compute meanwhile */
    int status = retc_stream_read(network, b->recording, b->part, b->block.t0, b->block.n, frames);
    pthread_mutex_unlock(&trainer->reading);
    if (status >= 0)
        retc_tape_load(worker->tape, frames, b->block.n);
    return status;
}
