/* Stacked linear convolutions: a large kernel trained as a chain of small ones without nonlinearity between them
 * (LinearStackedConv2d of torch-deep-retina), and the one convolution that equals the chain exactly.
 *
 * With the kernel W (K,C,h,w) and bias b so far, and the next convolution S (O,K,p,q) with bias s, all cross-correlations
 * without padding: W'[o,c,i+m,j+n] += sum_k S[o,k,m,n] W[k,c,i,j]          (O,C,h+p-1,w+q-1) b'[o] = s[o] + sum_{k,m,n}
 * S[o,k,m,n] b[k] A batch norm between two of them scales and shifts the channels it gets, which is folded in the same way. */
#ifndef RETC_STACKED_H
#define RETC_STACKED_H

#include "h5.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    size_t K, C, h, w; /* output and input channels, rows and columns of the kernel */
    double *weight;    /* (K,C,h,w) */
    double *bias;      /* (K) */
} retc_kernel;

/* 1 when the file holds convolutions /state_dict/<module>.convs.<j>.weight, else 0. */
int retc_stacked_is_there(retc_h5 *file, const char *module);

/* The chain of `module` where it is one of nothing but kernels, with a bias in the last of them at most: how many, their shapes
 * (links,4) and numbers (retc_free), and whether there is that bias.  None, `links` 0, where it holds more: it can only be
 * collapsed. */
int retc_stacked_links(retc_h5 *file, const char *module, size_t *links, size_t **shape, size_t **number,
                       int *with_bias) RETC_USED;

/* The whole chain of `module` as one kernel, in double; batch norms inside use `eps`.  Fails when a tensor is missing, has
 * another shape than its neighbours ask for, or is not finite: the reason names it.  Clear it with retc_kernel_clear. */
int retc_stacked_collapse(retc_h5 *file, const char *module, double eps, retc_kernel *kernel) RETC_USED;
void retc_kernel_clear(retc_kernel *kernel);

#ifdef __cplusplus
}
#endif

#endif
