#include "tape.h"

#include <string.h>

#include "gather.h"
#include "rows.h"

enum { LANES = 16 }; /* rows of time begin on full vectors */

static size_t
round_up(size_t n) {
    return (n + LANES - 1) / LANES * LANES;
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

int
retc_tape_shares_input(const retc_network *network, size_t l) {
    return network->layer[l].kind == RETC_LAYER_NOISE && !retc_network_is_added_again(network, l - 1);
}

static int
alloc_rows(retc_tape *tape, size_t l, int gradients) {
    const retc_network *network = tape->network;
    size_t n = retc_layer_units(&network->layer[l]) * tape->ld;
    int status = RETC_OK;
    if (retc_tape_shares_input(network, l)) {
        tape->out[l] = tape->out[l - 1];
        if (gradients)
            tape->grad[l] = tape->grad[l - 1];
        return RETC_OK;
    }
    RETC_TRY(RETC_ALLOC(tape->out[l], n));
    if (gradients)
        RETC_TRY(RETC_ALLOC(tape->grad[l], n));
done:
    return status;
}

static int
alloc_layer(retc_tape *tape, size_t l, int gradients, size_t *packed, size_t *packed_offset) {
    const retc_network *network = tape->network;
    const retc_layer *layer = &network->layer[l];
    int status = RETC_OK;
    if (!tape->lent)
        RETC_TRY(alloc_rows(tape, l, gradients));
    if (layer->kind == RETC_LAYER_CONV) {
        const retc_layer *before = l ? layer - 1 : NULL;
        retc_conv_shape shape = {before ? before->C : network->L,
                                 before ? before->h : network->H,
                                 before ? before->w : network->W,
                                 layer->C,
                                 layer->kh,
                                 layer->kw,
                                 before == NULL};
        RETC_TRY(retc_conv_init(&tape->conv[l], &shape, before ? tape->ld : tape->in_ld, tape->ld));
        size_t weights = shape.K * shape.C * shape.kh * shape.kw, taps = shape.K * shape.kh * shape.kw;
        *packed = weights > *packed ? weights : *packed;
        *packed_offset = taps > *packed_offset ? taps : *packed_offset;
    }
done:
    return status;
}

/* Transforms of the first convolution, which only tapes with a movie run. */
static int
alloc_movie_transforms(retc_tape *tape, int with_movie, const retc_tape *beside) {
    int status = RETC_OK;
    if (!with_movie || tape->network->layer[0].kind != RETC_LAYER_CONV || !retc_fftconv_pays(&tape->conv[0].shape, tape->max_n))
        return RETC_OK;
    tape->fft = beside ? beside->fft : retc_fftconv_alloc(&tape->conv[0].shape, tape->in_ld, tape->ld, tape->max_n);
    RETC_TRY(RETC_GOT(tape->fft));
    tape->fft_work = tape->lent ? retc_fftconv_work_alloc_bare(tape->fft) : retc_fftconv_work_alloc(tape->fft);
    RETC_TRY(RETC_GOT(tape->fft_work));
done:
    return status;
}

/* Of convolution l > 0; where single positions are read, the direct form is best. */
static int
alloc_map_transforms(retc_tape *tape, size_t l, const retc_tape *beside) {
    const retc_conv *conv = &tape->conv[l];
    int status = RETC_OK;
    if (tape->network->layer[l].kind != RETC_LAYER_CONV || retc_network_grabbed(tape->network, l) ||
        !retc_mapconv_pays(&conv->shape))
        return RETC_OK;
    tape->map[l] = beside ? beside->map[l] : retc_mapconv_alloc(&conv->shape, conv->in_ld, conv->out_ld);
    RETC_TRY(RETC_GOT(tape->map[l]));
    RETC_TRY(RETC_GOT(tape->map_work[l] = retc_mapconv_work_alloc(tape->map[l], tape->grad != NULL)));
done:
    return status;
}

/* Transforms for convolutions where they pay; who asks for the reference kernels gets none. */
static int
alloc_transforms(retc_tape *tape, int with_movie, const retc_tape *beside) {
    int status = RETC_OK;
    tape->owns_transforms = !beside;
    RETC_TRY(RETC_ALLOC(tape->map, tape->network->layers));
    RETC_TRY(RETC_ALLOC(tape->map_work, tape->network->layers));
    if (!strcmp(retc_kernel_name(), "reference"))
        return RETC_OK;
    RETC_TRY(alloc_movie_transforms(tape, with_movie, beside));
    for (size_t l = 1; l < tape->network->layers; ++l)
        RETC_TRY(alloc_map_transforms(tape, l, beside));
    if (tape->owns_transforms)
        retc_tape_refresh(tape);
done:
    return status;
}

retc_tape *
retc_tape_alloc(const retc_network *network, size_t max_n, int flags, const retc_tape *beside) {
    int status = RETC_OK, gradients = flags & RETC_TAPE_GRADIENTS, movie = !(flags & RETC_TAPE_NO_MOVIE);
    size_t packed = 0, packed_offset = 0;
    retc_tape *tape = retc_calloc(1, sizeof *tape);
    if (!tape)
        return NULL;
    tape->network = network;
    tape->max_n = max_n;
    tape->ld = round_up(max_n);
    tape->in_ld = round_up(tape->ld + network->L - 1);
    tape->lent = (flags & RETC_TAPE_LENT) != 0;
    if (movie && !tape->lent)
        RETC_TRY(RETC_ALLOC(tape->movie, network->H * network->W * tape->in_ld));
    RETC_TRY(RETC_ALLOC(tape->out, network->layers));
    RETC_TRY(RETC_ALLOC(tape->conv, network->layers));
    if (gradients)
        RETC_TRY(RETC_ALLOC(tape->grad, network->layers));
    for (size_t l = 0; l < network->layers; ++l)
        RETC_TRY(alloc_layer(tape, l, gradients, &packed, &packed_offset));
    RETC_TRY(alloc_transforms(tape, movie, beside));
    if (gradients) {
        RETC_TRY(RETC_ALLOC(tape->packed, packed));
        RETC_TRY(RETC_ALLOC(tape->packed_offset, packed_offset));
    }
done:
    if (status < 0) {
        retc_tape_free(tape);
        return NULL;
    }
    return tape;
}

int
retc_tape_add_window_gradient(retc_tape *tape) {
    const retc_network *network = tape->network;
    return RETC_ALLOC(tape->window_grad, network->L * network->H * network->W * tape->ld);
}

static void
free_transforms(retc_tape *tape) {
    retc_fftconv_work_free(tape->fft_work);
    if (tape->owns_transforms)
        retc_fftconv_free(tape->fft);
    for (size_t l = 0; tape->map_work && l < tape->network->layers; ++l) {
        retc_mapconv_work_free(tape->map_work[l]);
        if (tape->owns_transforms)
            retc_mapconv_free(tape->map[l]);
    }
    retc_free(tape->map);
    retc_free(tape->map_work);
}

void
retc_tape_free(retc_tape *tape) {
    if (!tape)
        return;
    for (size_t l = 0; l < tape->network->layers; ++l) {
        int shared = tape->lent || retc_tape_shares_input(tape->network, l);
        if (tape->out && !shared)
            retc_free(tape->out[l]);
        if (tape->grad && !shared)
            retc_free(tape->grad[l]);
        if (tape->conv)
            retc_conv_free(&tape->conv[l]);
    }
    free_transforms(tape);
    if (!tape->lent)
        retc_free(tape->movie);
    retc_free(tape->out);
    retc_free(tape->grad);
    retc_free(tape->conv);
    retc_free(tape->packed);
    retc_free(tape->packed_offset);
    retc_free(tape->window_grad);
    retc_free(tape);
}

void
retc_tape_refresh_maps(retc_tape *tape) {
    const retc_network *network = tape->network;
    for (size_t l = 1; l < network->layers; ++l)
        if (tape->map[l])
            retc_mapconv_set_weights(tape->map[l], tape->map_work[l],
                                     retc_network_values_const(network, network->layer[l].weight));
}

void
retc_tape_refresh(retc_tape *tape) {
    const retc_network *network = tape->network;
    if (tape->fft)
        retc_fftconv_set_weights(tape->fft, tape->fft_work, retc_network_values_const(network, network->layer[0].weight));
    retc_tape_refresh_maps(tape);
}

void
retc_tape_load(retc_tape *tape, const float *frames, size_t n) {
    const retc_network *network = tape->network;
    size_t pixels = network->H * network->W, count = n + network->L - 1;
    /* As the peers normalise: in float, from float mean and float standard deviation. */
    float mean = (float)network->stimulus_mean, std = (float)network->stimulus_std;
    for (size_t p = 0; p < pixels; ++p)
        for (size_t t = 0; t < count; ++t)
            tape->movie[p * tape->in_ld + t] = (frames[t * pixels + p] - mean) / std;
}

float *
retc_tape_input(const retc_tape *tape, size_t l) {
    return l ? tape->out[l - 1] : tape->movie;
}

const float *
retc_tape_rate(const retc_tape *tape, size_t j) {
    return tape->out[tape->network->layers - 1] + j * tape->ld;
}

/* ---- forward --------------------------------------------------------------------------------------------------------- */

void
retc_tape_convolve(const retc_tape *tape, const float *bias, size_t n, float *out) {
    const float *w = retc_network_values_const(tape->network, tape->network->layer[0].weight);
    if (tape->fft)
        retc_fftconv_forward(tape->fft, tape->fft_work, bias, tape->movie, n, out);
    else
        retc_conv_forward(&tape->conv[0], w, bias, tape->movie, n, out);
}

void
retc_tape_convolve_maps(const retc_tape *tape, size_t l, const float *in, size_t n, float *out) {
    const retc_layer *layer = &tape->network->layer[l];
    const float *w = retc_network_values_const(tape->network, layer->weight);
    const float *bias = retc_network_values_const(tape->network, layer->bias);
    const size_t *position = retc_network_grabbed(tape->network, l);
    if (position)
        retc_conv_forward_at(&tape->conv[l], position, w, bias, in, n, out);
    else if (tape->map[l])
        retc_mapconv_forward(tape->map[l], tape->map_work[l], bias, in, n, out);
    else
        retc_conv_forward(&tape->conv[l], w, bias, in, n, out);
}

void
retc_tape_forward(retc_tape *tape, size_t from, size_t to, size_t n) {
    for (size_t l = from; l < to; ++l)
        retc_layer_forward(tape, l, retc_tape_input(tape, l), n, tape->out[l]);
}

void
retc_tape_complete(const retc_tape *tape, size_t l, size_t n) {
    const retc_layer *layer = &tape->network->layer[l];
    if (retc_network_grabbed(tape->network, l))
        retc_conv_forward(&tape->conv[l], retc_network_values_const(tape->network, layer->weight),
                          retc_network_values_const(tape->network, layer->bias), retc_tape_input(tape, l), n, tape->out[l]);
}

/* ---- backward -------------------------------------------------------------------------------------------------------- */

void
retc_tape_add_skipped(retc_tape *tape, size_t l, size_t from, size_t n) {
    const retc_network *network = tape->network;
    for (size_t i = l + 1; i <= from; ++i) {
        const retc_layer *layer = &network->layer[i];
        if (layer->kind != RETC_LAYER_ADD || layer->skip != l)
            continue;
        for (size_t row = 0; row < retc_layer_units(layer); ++row)
            retc_row_add(tape->grad[i] + row * tape->ld, n, tape->grad[l] + retc_layer_middle(network, layer, row) * tape->ld);
    }
}

static void
backward(retc_tape *tape, const retc_tape *other, size_t from, size_t to, size_t n) {
    for (size_t l = from; l > to; --l) {
        retc_layer_backward(tape, l, tape->out[l - 1], tape->out[l], other ? other->out[l - 1] : NULL,
                            other ? other->out[l] : NULL, tape->grad[l], n, tape->grad[l - 1]);
        retc_tape_add_skipped(tape, l - 1, from, n);
    }
}

void
retc_tape_backward(retc_tape *tape, size_t from, size_t to, size_t n) {
    backward(tape, NULL, from, to, n);
}

void
retc_tape_backward_secant(retc_tape *tape, const retc_tape *other, size_t from, size_t to, size_t n) {
    backward(tape, other, from, to, n);
}

void
retc_tape_convolve_back(retc_tape *tape, size_t l, const float *g, size_t n, float *gin) {
    const float *w = retc_network_values_const(tape->network, tape->network->layer[l].weight);
    const size_t *position = retc_network_grabbed(tape->network, l);
    if (position)
        retc_conv_backward_input_at(&tape->conv[l], position, w, g, n, gin, tape->ld);
    else if (tape->map[l])
        retc_mapconv_backward_input(tape->map[l], tape->map_work[l], g, n, gin, tape->ld);
    else
        retc_conv_backward_input(&tape->conv[l], w, g, n, gin, tape->ld, tape->packed, tape->packed_offset);
}

void
retc_tape_backward_weights(const retc_tape *tape, size_t l, size_t n, float *dw, float *db) {
    const retc_conv *conv = &tape->conv[l];
    if (l == 0 && tape->fft) {
        retc_fftconv_backward_weights(tape->fft, tape->fft_work, tape->grad[0], n, dw);
        retc_conv_backward_bias(conv, tape->grad[0], n, db);
    } else if (retc_network_grabbed(tape->network, l)) {
        retc_conv_backward_weights_at(conv, retc_network_grabbed(tape->network, l), tape->grad[l], retc_tape_input(tape, l), n,
                                      dw, db);
    } else if (tape->map[l]) {
        retc_mapconv_backward_weights(tape->map[l], tape->map_work[l], tape->grad[l], retc_tape_input(tape, l), n, dw);
        retc_conv_backward_bias(conv, tape->grad[l], n, db);
    } else {
        retc_conv_backward_weights(conv, tape->grad[l], retc_tape_input(tape, l), n, dw, db);
    }
}

void
retc_tape_backward_window(retc_tape *tape, size_t n) {
    const retc_layer *layer = &tape->network->layer[0];
    retc_conv_backward_input(&tape->conv[0], retc_network_values_const(tape->network, layer->weight), tape->grad[0], n,
                             tape->window_grad, tape->ld, tape->packed, tape->packed_offset);
}
