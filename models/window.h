/* Gradients of rates with respect to the stimulus window, on nothing but the pixels that a cell sees: the last step of a
 * backward pass, from the first convolution's output to the movie, is by far its largest. */
#ifndef RETC_WINDOW_H
#define RETC_WINDOW_H

#include "field.h"
#include "tape.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_window retc_window;

/* For chosen cells (copied), blocks of up to max_n frames on tapes of that size, on `threads` threads.  By Fourier transforms
 * where these pay, unless the reference kernels are asked for.  NULL with a recorded reason. */
retc_window *retc_window_alloc(const retc_network *network, const size_t *cell, size_t cells, size_t max_n, size_t threads);
void retc_window_free(retc_window *window);

/* Pixels that the i-th chosen cell sees (borrowed). */
const retc_patch *retc_window_patch(const retc_window *window, size_t i);

/* out (n,L,h,w), oldest frame first, h x w the patch of chosen cell i: from its gradient at the first convolution's output,
 * laid out as a tape's grad[0], from any frame on.  On thread `slot` < threads. */
void retc_window_gradient(const retc_window *window, size_t slot, size_t i, const float *gradient, size_t n, float *out);

#ifdef __cplusplus
}
#endif

#endif
