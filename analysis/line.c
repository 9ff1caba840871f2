#include "line.h"

int
retc_line_init(retc_line *line, const retc_baseline *baseline, const retc_tape *like) {
    const retc_network *network = like->network;
    size_t units = retc_layer_units(&network->layer[0]), movie = network->H * network->W * like->in_ld;
    int status = RETC_OK;
    *line = (retc_line){0};
    RETC_TRY(RETC_ALLOC(line->delta, units * like->ld));
    if (!retc_baseline_moves(baseline))
        return RETC_OK;
    RETC_TRY(RETC_ALLOC(line->base, units * like->ld));
    RETC_TRY(RETC_ALLOC(line->movie, movie));
    if (baseline->blur > 0)
        RETC_TRY(RETC_ALLOC(line->scratch, movie));
done:
    return status;
}

void
retc_line_clear(retc_line *line) {
    retc_free(line->delta), retc_free(line->base), retc_free(line->movie), retc_free(line->scratch);
    *line = (retc_line){0};
}

/* conv0's output where every sample starts from its own frames. */
static void
convolve_baseline(retc_line *line, const retc_baseline *baseline, retc_tape *tape, const retc_block *block) {
    float *movie = tape->movie;
    if (baseline->blur > 0)
        retc_baseline_blur(baseline, tape, block->n, line->scratch, line->movie);
    tape->movie = line->movie;
    if (!(baseline->blur > 0))
        retc_tape_load(tape, block->beside, block->n);
    retc_tape_convolve(tape, retc_network_values_const(tape->network, tape->network->layer[0].bias), block->n, line->base);
    tape->movie = movie;
}

retc_path_line
retc_line_make(retc_line *line, const retc_baseline *baseline, const float *starts, size_t b, retc_tape *tape,
               const retc_block *block, const size_t *at, size_t n) {
    const retc_layer *conv0 = &tape->network->layer[0];
    const float *bias = retc_network_values_const(tape->network, conv0->bias);
    size_t map = conv0->h * conv0->w, units = retc_layer_units(conv0), ld = tape->ld;
    retc_tape_convolve(tape, NULL, block->n, line->delta);
    if (line->base)
        convolve_baseline(line, baseline, tape, block);
    for (size_t row = 0; row < units; ++row) {
        float *delta = line->delta + row * ld, *base = line->base ? line->base + row * ld : NULL;
        float add = bias ? bias[row / map] : 0, start = baseline->window ? starts[b * units + row] - add : 0;
        for (size_t i = 0; i < n && base; ++i) {
            base[i] = base[at ? at[i] : i];
            delta[i] = delta[at ? at[i] : i] - (base[i] - add);
        }
        for (size_t i = 0; i < n && !base; ++i)
            delta[i] = delta[at ? at[i] : i] - start;
    }
    return (retc_path_line){n, line->delta, line->base ? line->base : starts + b * units, line->base == NULL};
}
