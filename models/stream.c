#include "stream.h"

#include <math.h>

#include "parallel.h"

typedef struct {
    const retc_stream_task *task;
    retc_tape **tape;  /* (slots) */
    float **frames;    /* (slots) */
    float **beside;    /* (slots), NULL where no movie is read beside */
    retc_block *block; /* (slots) */
    size_t slots;
} stream;

size_t
retc_stream_slots(const retc_stream_options *options) {
    return options->threads ? options->threads : retc_parallel_processors();
}

int
retc_stream_check(const retc_network *network, const retc_recording *recording, int cells) {
    size_t H = retc_recording_height(recording), W = retc_recording_width(recording), N = retc_recording_cells(recording);
    if (H != network->H || W != network->W)
        return RETC_FAIL(RETC_EINVAL, "%s: the movie has %zux%zu pixels, the model was fitted to %zux%zu",
                         retc_recording_path(recording), H, W, network->H, network->W);
    if (cells && N != network->N)
        return RETC_FAIL(RETC_EINVAL,
                         "%s: the recording has %zu cells, the model %zu; choose the model's if it was fitted to some of them",
                         retc_recording_path(recording), N, network->N);
    return RETC_OK;
}

int
retc_stream_read(const retc_network *network, retc_recording *recording, retc_part part, size_t t0, size_t n, float *frames) {
    return retc_recording_stimulus(recording, part, t0 + 1 - network->lag - network->L, n + network->L - 1, frames);
}

int
retc_stream_check_rates(const retc_tape *tape, const retc_block *block) {
    for (size_t j = 0; j < tape->network->N; ++j) {
        const float *rate = retc_tape_rate(tape, j);
        for (size_t t = 0; t < block->n; ++t)
            if (!isfinite(rate[t]))
                return RETC_FAIL(RETC_ENUMBER,
                                 "the model's rate of %s is %g in frame %zu: its parameters are damaged or too large",
                                 tape->network->cell_name[j], (double)rate[t], block->t0 + t);
    }
    return RETC_OK;
}

static int
stream_init(stream *s, const retc_network *network, const retc_stream_options *options, const retc_stream_task *task) {
    int status = RETC_OK;
    *s = (stream){.task = task, .slots = retc_stream_slots(options)};
    RETC_TRY(RETC_ALLOC(s->tape, s->slots));
    RETC_TRY(RETC_ALLOC(s->frames, s->slots));
    RETC_TRY(RETC_ALLOC(s->beside, s->slots));
    RETC_TRY(RETC_ALLOC(s->block, s->slots));
    for (size_t i = 0; i < s->slots; ++i) {
        int flags = options->gradients || options->window_gradients ? RETC_TAPE_GRADIENTS : 0;
        RETC_TRY(RETC_GOT(s->tape[i] = retc_tape_alloc(network, options->block, flags, i ? s->tape[0] : NULL)));
        if (options->window_gradients)
            RETC_TRY(retc_tape_add_window_gradient(s->tape[i]));
        RETC_TRY(RETC_ALLOC(s->frames[i], (options->block + network->L - 1) * network->H * network->W));
        if (options->beside.read)
            RETC_TRY(RETC_ALLOC(s->beside[i], (options->block + network->L - 1) * network->H * network->W));
    }
done:
    return status;
}

static void
stream_free(stream *s) {
    for (size_t i = s->slots; i-- > 0;) { /* the first one last: the others share its transforms */
        if (s->tape)
            retc_tape_free(s->tape[i]);
        if (s->frames)
            retc_free(s->frames[i]);
        if (s->beside)
            retc_free(s->beside[i]);
    }
    retc_free(s->tape);
    retc_free(s->frames);
    retc_free(s->beside);
    retc_free(s->block);
}

/* Both movies of a block. */
static int
fill_slot(stream *s, size_t slot, const retc_network *network, retc_recording *recording, retc_part part,
          const retc_stream_source *beside, retc_block block) {
    int status = RETC_OK;
    block.beside = s->beside[slot];
    s->block[slot] = block;
    RETC_TRY(retc_stream_read(network, recording, part, block.t0, block.n, s->frames[slot]));
    if (beside->read)
        RETC_TRY(
            beside->read(beside->context, block.t0 + 1 - network->lag - network->L, block.n + network->L - 1, s->beside[slot]));
done:
    return status;
}

static int
run_slot(void *context, size_t slot) {
    stream *s = context;
    retc_tape_load(s->tape[slot], s->frames[slot], s->block[slot].n);
    return s->task->work(s->task->context, slot, s->tape[slot], &s->block[slot]);
}

static int
run_filled(stream *s, size_t filled) {
    int status = retc_parallel_for(filled, s->slots, run_slot, s);
    for (size_t i = 0; i < filled && status >= 0 && s->task->consume; ++i)
        status = s->task->consume(s->task->context, i, s->tape[i], &s->block[i]);
    return status;
}

int
retc_stream_run(const retc_network *network, retc_recording *recording, retc_part part, const retc_span *spans, size_t n_spans,
                const retc_stream_options *options, const retc_stream_task *task, const retc_progress *progress) {
    int status = RETC_OK;
    size_t filled = 0, sample = 0, total = 0;
    stream s = {0};
    RETC_TRY(retc_stream_check(network, recording, 0)); /* buffers are made for the network's frames */
    RETC_TRY(stream_init(&s, network, options, task));
    for (size_t i = 0; i < n_spans; ++i)
        total += spans[i].count;
    for (size_t i = 0; i < n_spans; ++i)
        for (size_t at = 0, n; at < spans[i].count; at += n) {
            n = spans[i].count - at < options->block ? spans[i].count - at : options->block;
            RETC_TRY(fill_slot(&s, filled, network, recording, part, &options->beside,
                               (retc_block){.t0 = spans[i].first + at, .n = n, .sample = sample}));
            sample += n;
            if (++filled == s.slots) {
                RETC_TRY(run_filled(&s, filled));
                filled = 0;
                retc_progress_report(progress, sample, total, NULL);
            }
        }
    RETC_TRY(run_filled(&s, filled));
    retc_progress_report(progress, total, total, NULL);
done:
    stream_free(&s);
    return status;
}
