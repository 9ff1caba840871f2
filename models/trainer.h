/* One step of gradient descent on a batch of contiguous blocks of time.
 *
 * Rolling windows overlap in all but one frame; in a block of consecutive response frames the convolution over time shares
 * them.  A batch is several blocks from all over the recording.  Batch norm takes its statistics over the whole batch; every
 * sum over blocks is taken in block order, so that the step does not depend on the number of threads. */
#ifndef RETC_TRAINER_H
#define RETC_TRAINER_H

#include "loss.h"
#include "penalty.h"
#include "recording.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct retc_trainer retc_trainer;

typedef struct {
    size_t blocks;         /* blocks per batch at most */
    size_t block;          /* response frames per block at most */
    size_t threads;        /* 0: all processors */
    uint64_t seed;         /* of the noise layers */
    double frame_interval; /* s: expected count = rate x frame_interval */
    retc_loss loss;
    retc_penalty penalty;
} retc_trainer_options;

/* Keeps `network`, whose running statistics each step updates.  NULL with a recorded reason. */
retc_trainer *retc_trainer_alloc(retc_network *network, const retc_trainer_options *options);
void retc_trainer_free(retc_trainer *trainer);

/* Name block number b of the coming batch: response frames t0 ... t0+n-1 of a part, whose spike counts are read.  The step
 * reads the movie; the recording stays open until then, and nobody else uses it meanwhile. */
int retc_trainer_load(retc_trainer *trainer, retc_recording *recording, retc_part part, size_t b,
                      const retc_block *block) RETC_USED;

/* Forward and backward in training mode over blocks 0 ... n_blocks-1.  `step` names the noise.  The loss, mean over cells and
 * frames, goes to `loss`; `gradient` (borrowed) has one value per parameter: of the loss and the penalties.  RETC_ENUMBER when
 * the loss is not finite. */
int retc_trainer_step(retc_trainer *trainer, size_t n_blocks, uint64_t step, double *loss, const float **gradient) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
