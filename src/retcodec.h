/* retcodec: which interneurons make a retinal ganglion cell respond, moment by moment.  This header includes all others.
 *
 * Ownership, once for the whole library: the caller owns what `alloc`, `open`, `create` or `read` gave and passes it to the
 * matching `free` or `close`; plain memory goes to retc_free; a pointer from a getter is borrowed and const; nothing keeps
 * an argument unless its comment says "keeps"; freeing NULL is fine.
 *
 * Letters of dimensions: T frames, H W pixels, L history (frames a model sees), N cells, C channels, U units, K kernel
 * side, F features, A atoms, M modes, R repeats, B blocks.  Arrays are C order, the last index fastest.
 *
 * Argument order: object, inputs (const), sizes, outputs. */
#ifndef RETCODEC_H
#define RETCODEC_H

#include "error.h"
#include "h5.h"
#include "parallel.h"
#include "progress.h"
#include "rng.h"

#endif
