/* Where a training step keeps what the layers compute.  Internal: not installed.
 *
 * All blocks of a batch are in work at once, since batch norm takes its statistics over all of them; so what is kept per block
 * decides how much memory a fit takes.  Kept are the outputs that cost much to compute; those of batch norm, noise, ReLU and
 * scale are computed again in the backward pass, in memory of the thread at work.  Gradients are kept per block only where a
 * pass stops, which is at every batch norm, and stand where outputs stood that are no longer needed: outputs are laid one on
 * the other, layer by layer, and the gradient at layer l above those of the layers up to l. */
#ifndef RETC_TRAINER_LAYOUT_H
#define RETC_TRAINER_LAYOUT_H

#include "network.h"

/* Rows of a layer: in floats from the beginning of the block's memory or, else, of the worker's. */
typedef struct {
    int in_block;
    size_t at;
} retc_place;

typedef struct {
    retc_place *out, *grad; /* (layers) */
    size_t block, worker;   /* floats of each memory */
} retc_trainer_layout;

/* For rows of time ld apart.  The first `block` floats of a block's memory stay free. */
int retc_trainer_layout_init(retc_trainer_layout *layout, const retc_network *network, size_t ld, size_t block) RETC_USED;
void retc_trainer_layout_clear(retc_trainer_layout *layout);

/* The lowest layer whose output must be computed again for that of layer l to be there; l + 1: none. */
size_t retc_trainer_layout_base(const retc_trainer_layout *layout, size_t l);

#endif
