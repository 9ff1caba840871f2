/* Running a network forward and backward over blocks of consecutive time, at inference. */
#ifndef RETC_TAPE_H
#define RETC_TAPE_H

#include "fftconv.h"
#include "mapconv.h"
#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Everything one thread needs for a block of up to max_n response frames. */
typedef struct {
    const retc_network *network; /* kept */
    size_t max_n, ld;            /* rows of time are ld floats apart */
    size_t in_ld;                /* of the movie: ld + L - 1, rounded up */
    float *movie;                /* (H,W,in_ld) normalised stimulus, oldest frame first */
    float **out;                 /* per layer (C,h,w,ld); noise shares its input's, unless that is added again */
    float **grad;                /* per layer, NULL without gradients */
    retc_conv *conv;             /* per layer; used by convolutions */
    retc_fftconv *fft;           /* of the first convolution; NULL: the direct form is faster */
    int lent;                    /* the rows above are the caller's */
    retc_fftconv_work *fft_work; /* of this tape */
    retc_mapconv **map;          /* per layer, of later convolutions; NULL: the direct form is faster */
    retc_mapconv_work **map_work;
    int owns_transforms; /* else fft and map are another tape's */
    float *packed;       /* scratch of the convolutions' backward pass */
    size_t *packed_offset;
    float *window_grad; /* (L,H,W,ld), made by retc_tape_add_window_gradient */
} retc_tape;

enum {
    RETC_TAPE_GRADIENTS = 1, /* the backward passes work too */
    RETC_TAPE_NO_MOVIE = 2,  /* only the layers above the first convolution are run: no movie is loaded */
    RETC_TAPE_LENT = 4       /* movie, outputs, gradients and spectra of the movie are the caller's, who sets the pointers */
};

/* NULL with a recorded reason.  A tape beside another (NULL: none), of the same network and max_n, shares the transforms of its
 * weights, and must be freed first. */
retc_tape *retc_tape_alloc(const retc_network *network, size_t max_n, int flags, const retc_tape *beside);
void retc_tape_free(retc_tape *tape);
int retc_tape_add_window_gradient(retc_tape *tape) RETC_USED;

/* Does layer l work in place?  Noise does, but what is added again later must stay as it was. */
int retc_tape_shares_input(const retc_network *network, size_t l);

/* Take over the network's parameters after they changed; also for all tapes beside it, none of which may run meanwhile. */
void retc_tape_refresh(retc_tape *tape);

/* The part of it that concerns convolutions above the first. */
void retc_tape_refresh_maps(retc_tape *tape);

/* Put n + L - 1 raw frames (T,H,W) into the tape, normalised. */
void retc_tape_load(retc_tape *tape, const float *frames, size_t n);

/* Input of layer l: the movie, or the output of layer l - 1. */
float *retc_tape_input(const retc_tape *tape, size_t l);

/* Run layers from ... to-1 on n frames.  Of a convolution that only a grab layer sees (retc_network_grabbed) nothing but the
 * grabbed positions is computed; the rest of its map stays as it was, and that of its gradient stays 0. */
void retc_tape_forward(retc_tape *tape, size_t from, size_t to, size_t n);

/* Compute the whole map of such a convolution, layer l, after its input was; every other layer's is complete. */
void retc_tape_complete(const retc_tape *tape, size_t l, size_t n);

/* The first convolution: out (C,h,w,ld) from the movie, with a bias per channel or without (NULL). */
void retc_tape_convolve(const retc_tape *tape, const float *bias, size_t n, float *out);

/* Convolution l > 0: out (C,h,w,ld) from in, and the gradient gin at its input from g at its output; of one that only a grab
 * layer sees, at the grabbed positions. */
void retc_tape_convolve_maps(const retc_tape *tape, size_t l, const float *in, size_t n, float *out);
void retc_tape_convolve_back(retc_tape *tape, size_t l, const float *g, size_t n, float *gin);

/* Gradients of the weights of layer l, a convolution, added to dw and db (NULL: no bias), after its forward pass. */
void retc_tape_backward_weights(const retc_tape *tape, size_t l, size_t n, float *dw, float *db);

/* Gradient of the weights of layer l, an average, added to dw (C, h w), after its forward pass. */
void retc_tape_backward_average(const retc_tape *tape, size_t l, size_t n, float *dw);

/* Rates in Hz of cell j (n): the output of the last layer. */
const float *retc_tape_rate(const retc_tape *tape, size_t j);

/* Given grad[from], the gradient of a target at the output of layer `from`, fill grad[l] for l = from-1 ... to. */
void retc_tape_backward(retc_tape *tape, size_t from, size_t to, size_t n);

/* The same with every nonlinearity differentiated by its secant between `other`, a tape of the same network, and this one. */
void retc_tape_backward_secant(retc_tape *tape, const retc_tape *other, size_t from, size_t to, size_t n);

/* The part of such a pass that belongs to residual additions: add the gradients of those up to layer `from` that add the output
 * of layer l again to grad[l], which holds what came through layer l + 1. */
void retc_tape_add_skipped(retc_tape *tape, size_t l, size_t from, size_t n);

/* window_grad = d target / d window, from grad[0]: (L,H,W,ld), oldest frame first. */
void retc_tape_backward_window(retc_tape *tape, size_t n);

/* One layer: `out` from `in`; a residual addition also reads the tape's output of the layer that it adds. */
void retc_layer_forward(const retc_tape *tape, size_t l, const float *in, size_t n, float *out);

/* One layer: gradient gin at its input from the gradient g at its output.  With in0 and out0 (another input and its output;
 * else NULL) every nonlinearity is differentiated by its secant (out - out0) / (in - in0) instead of its derivative, and the
 * largest value of a pool by a discrete gradient: g (out - out0), summed, is gin (in - in0).  What residual additions carry
 * past layers is not theirs: see retc_tape_add_skipped. */
void retc_layer_backward(retc_tape *tape, size_t l, const float *in, const float *out, const float *in0, const float *out0,
                         const float *g, size_t n, float *gin);

#ifdef __cplusplus
}
#endif

#endif
