/* Shared by the files irf*.c: what one thread keeps of one chosen cell, for a block of samples. */
#ifndef RETC_IRF_INTERNAL_H
#define RETC_IRF_INTERNAL_H

#include "irf.h"
#include "window.h"

/* Room for the terms of a block. */
typedef struct {
    float *u, *s, *v;
    double *mean, *error;
} retc_irf_terms_room;

typedef struct {
    retc_irf_cell seen; /* what the receiver gets */
    size_t L, size;     /* frames; L h w */
    float *irf, *ig, *rate, *sum, *ig_sum, *scratch;
    retc_irf_terms_room terms, ig_terms;
    double *gain;
    retc_irf_shape *shape;
    retc_separator *separator;
    retc_irf_place place;
    double all; /* L H W */
} retc_irf_store;

/* For chosen cell i and blocks of up to `block` samples; clear it whatever happens. */
int retc_irf_store_init(retc_irf_store *store, const retc_network *network, const retc_window *window, size_t i,
                        const retc_irf_options *options, size_t block);
void retc_irf_store_clear(retc_irf_store *store);

/* Begin a block; describe samples first ... first+n-1, whose IRFs are there; separate their mean gradients, which are in `ig`;
 * count in integrated IRFs, when these are there instead. */
void retc_irf_store_begin(retc_irf_store *store);
int retc_irf_store_describe(retc_irf_store *store, size_t first, size_t n);
int retc_irf_store_separate_ig(retc_irf_store *store, size_t first, size_t n);
void retc_irf_store_add_ig(retc_irf_store *store, size_t first, size_t n);

#endif
