#include "rng.h"

#include "error.h"

/* One step of SplitMix64 (Steele, Lea & Flood 2014, doi 10.1145/2660193.2660195): neighbouring names of streams give
 * unrelated seeds. */
uint64_t
retc_rng_mix(uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

uint64_t
retc_rng_name(uint64_t seed, retc_stream stream, uint64_t index) {
    return retc_rng_mix(retc_rng_mix(retc_rng_mix(seed) ^ (uint64_t)stream) ^ index);
}

void
retc_rng_seed(gsl_rng *rng, uint64_t seed, retc_stream stream, uint64_t index) {
    uint64_t name = retc_rng_name(seed, stream, index);
    /* GSL's Mersenne twister takes 32 bits, and 0 would mean its default seed. */
    uint32_t start = (uint32_t)(name ^ (name >> 32));
    gsl_rng_set(rng, start ? start : 1u);
}

gsl_rng *
retc_rng_alloc(uint64_t seed, retc_stream stream, uint64_t index) {
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    if (rng)
        retc_rng_seed(rng, seed, stream, index);
    else
        RETC_FAIL(RETC_ENOMEM, "out of memory for a random number generator");
    return rng;
}

void
retc_rng_shuffle(gsl_rng *rng, size_t *order, size_t n) {
    gsl_ran_shuffle(rng, order, n, sizeof *order);
}
