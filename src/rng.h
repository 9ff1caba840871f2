/* Random numbers: GSL's Mersenne twister, one stream per purpose.
 *
 * A stream is named by (seed, purpose, index), so that what is drawn for block 7 of step 1000 is the same whatever ran
 * before it, on however many threads, and after a resumed run. */
#ifndef RETC_RNG_H
#define RETC_RNG_H

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    RETC_STREAM_STIMULUS = 1,
    RETC_STREAM_CIRCUIT,
    RETC_STREAM_SPIKES,
    RETC_STREAM_WEIGHTS,
    RETC_STREAM_BATCHES,
    RETC_STREAM_NOISE,
    RETC_STREAM_SPLIT,
    RETC_STREAM_SHUFFLE,
    RETC_STREAM_DROPOUT,
    RETC_STREAM_BOOTSTRAP,
    RETC_STREAM_SWEEP,
    RETC_STREAM_BASELINES,
    RETC_STREAM_ATTRIBUTION
} retc_stream;

/* 64 bits that name the stream (seed, stream, index), and 64 bits that follow `x` and look unrelated. */
uint64_t retc_rng_name(uint64_t seed, retc_stream stream, uint64_t index);
uint64_t retc_rng_mix(uint64_t x);

/* A generator of its own for (seed, stream, index); free with gsl_rng_free.  NULL when out of memory. */
gsl_rng *retc_rng_alloc(uint64_t seed, retc_stream stream, uint64_t index);

/* Set an existing generator to the start of a stream. */
void retc_rng_seed(gsl_rng *rng, uint64_t seed, retc_stream stream, uint64_t index);

/* Fisher-Yates shuffle of `order` (n). */
void retc_rng_shuffle(gsl_rng *rng, size_t *order, size_t n);

#ifdef __cplusplus
}
#endif

#endif
