/* What the files that build networks share.  Internal: not installed. */
#ifndef RETC_NETWORK_INTERNAL_H
#define RETC_NETWORK_INTERNAL_H

#include "network.h"
#include "rng.h"

/* A fresh layer with the shape of its input; NULL when out of memory. */
retc_layer *retc_network_append(retc_network *network, retc_layer_kind kind);

/* A convolution without parameters: K channels, kernel kh x kw (0: the whole map). */
int retc_network_append_conv(retc_network *network, size_t K, size_t kh, size_t kw, retc_layer **layer) RETC_USED;

/* Channels of layer l's input. */
size_t retc_network_inputs(const retc_network *network, size_t l);

/* A parameter of `layer`: "<module>.<suffix>", zero values.  Its index, or a negative code. */
int retc_network_append_param(retc_network *network, const retc_layer *layer, const char *suffix, int rank, const size_t *shape,
                              int trainable) RETC_USED;

/* Uniform within +-sqrt(gain / fan_in), gain 3 keeps the variance, gain 6 does when a ReLU follows (He et al. 2015, eq. 10). */
void retc_network_init_param(retc_network *network, int param, double gain, size_t fan_in, gsl_rng *rng);

/* Initial values of what a derived weight comes from. */
void retc_network_init_sources(retc_network *network, const retc_layer *layer, gsl_rng *rng);

#endif
