/* Training and validation samples.  Neighbouring windows share most frames, so validation takes contiguous pieces, and the
 * training samples whose windows reach into a piece are left out. */
#ifndef RETC_SPLIT_H
#define RETC_SPLIT_H

#include <stdint.h>

#include "recording.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    retc_span *train, *validation; /* disjoint, in order */
    size_t n_train, n_validation;  /* spans */
    size_t train_frames, validation_frames;
} retc_split;

/* Cut `pieces` pieces, together `fraction` of all response frames, one at a random place (from `seed`) in each of `pieces`
 * equal shares of the recording; no training frame lies within `gap` frames of a validation frame of its stretch.
 * fraction 0: everything trains.  Fails when nothing is left to train. */
int retc_split_make(const retc_span *spans, size_t n_spans, double fraction, size_t pieces, size_t gap, uint64_t seed,
                    retc_split *split) RETC_USED;

/* Fold number `fold` of `folds`: the recording is cut into `pieces` shares and each share into `folds` pieces, of which every
 * fold holds out one, chosen by `seed`.  Over all folds each response frame is held out exactly once; in each, as above, no
 * training frame lies within `gap` frames of one that is held out.  Fails when that leaves nothing to train, or when there are
 * fewer frames than pieces. */
int retc_split_fold(const retc_span *spans, size_t n_spans, size_t folds, size_t fold, size_t pieces, size_t gap, uint64_t seed,
                    retc_split *split) RETC_USED;
void retc_split_clear(retc_split *split);

/* Cut spans into blocks of up to `block` frames; `phase` < block shortens the first block of every span, so that block borders
 * differ between epochs.  *blocks (retc_free). */
int retc_split_blocks(const retc_span *spans, size_t n_spans, size_t block, size_t phase, retc_block **blocks,
                      size_t *n) RETC_USED;

#ifdef __cplusplus
}
#endif

#endif
