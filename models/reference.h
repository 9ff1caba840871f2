/* What a network computes: plain loops in double, every layer by its definition.  Fast code is held to it; it stays for ever.
 */
#ifndef RETC_REFERENCE_H
#define RETC_REFERENCE_H

#include "network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Rates of a batch of B blocks: movie[b] (H,W,n[b]+L-1) normalised, rate[b] (N,n[b]) Hz, with parameters `value` (as
 * network->value, in double).  `training`: batch norm by the statistics of the batch, else by its running ones; noise layers
 * add nothing in either case.  Derived weights are not read but formed anew from what they come from. */
int retc_reference_forward(const retc_network *network, const double *value, int training, size_t B, const size_t *n,
                           const double *const *movie, double *const *rate) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
