/* Normal deviates, many at a time.
 *
 * Sixteen generators xoshiro128++ (Blackman & Vigna 2021, doi 10.1145/3460772) run side by side; two of their words make two
 * deviates by the transformation of Box & Muller (1958):
 *   z0 = sqrt(-2 log u) cos(2 pi v),  z1 = sqrt(-2 log u) sin(2 pi v)
 * with 23 bits for u and 25 for v, hence |z| < 5.8.  Logarithm, sine and cosine are series in float that use nothing but sums,
 * products, quotients and square roots: deviates are the same to the last bit with every instruction set and on every machine.
 */
#ifndef RETC_NORMAL_H
#define RETC_NORMAL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { RETC_NORMAL_LANES = 16 };

typedef struct {
    uint32_t state[4][RETC_NORMAL_LANES];
} retc_normal;

/* Put the generators to the start of the stream of that name (retc_rng_name). */
void retc_normal_seed(retc_normal *normal, uint64_t name);

/* x (n) += sigma times standard normal deviates.  They come in lots of 32; what is left of the last lot is not used again. */
void retc_normal_add(retc_normal *normal, float sigma, size_t n, float *x);

/* The definition, from the same bits, in double with the functions of the C library. */
void retc_normal_add_reference(retc_normal *normal, double sigma, size_t n, double *x);

#ifdef __cplusplus
}
#endif

#endif
