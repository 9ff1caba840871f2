#include "normal.h"

#include <math.h>

#include "gather_versions.h"
#include "rng.h"

void
retc_normal_seed(retc_normal *normal, uint64_t name) {
    for (size_t lane = 0; lane < RETC_NORMAL_LANES; ++lane)
        for (size_t half = 0; half < 2; ++half) {
            uint64_t bits = retc_rng_mix(name + 2 * lane + half);
            normal->state[2 * half][lane] = (uint32_t)bits;
            normal->state[2 * half + 1][lane] = (uint32_t)(bits >> 32);
        }
}

void
retc_normal_add(retc_normal *normal, float sigma, size_t n, float *x) {
    retc_kernel_rows()->normal(normal, sigma, n, x);
}

static uint32_t
rotated(uint32_t x, int bits) {
    return (x << bits) | (x >> (32 - bits));
}

static uint32_t
next_word(retc_normal *normal, size_t lane) {
    uint32_t *a = &normal->state[0][lane], *b = &normal->state[1][lane], *c = &normal->state[2][lane],
             *d = &normal->state[3][lane];
    uint32_t word = rotated(*a + *d, 7) + *a, shifted = *b << 9;
    *c ^= *a;
    *d ^= *b;
    *b ^= *c;
    *a ^= *d;
    *c ^= shifted;
    *d = rotated(*d, 11);
    return word;
}

void
retc_normal_add_reference(retc_normal *normal, double sigma, size_t n, double *x) {
    enum { LANES = RETC_NORMAL_LANES };
    for (size_t t = 0; t < n; t += 2 * LANES)
        for (size_t lane = 0; lane < LANES; ++lane) {
            uint32_t first = next_word(normal, lane), second = next_word(normal, lane);
            double u = ((first >> 9) + 0.5) / 8388608, quarter = second >> 30;
            double angle = M_PI / 2 * (quarter + (((second >> 7) & 0x7FFFFF) + 0.5) / 8388608 - 0.5);
            double radius = sigma * sqrt(-2 * log(u));
            if (t + lane < n)
                x[t + lane] += radius * cos(angle);
            if (t + LANES + lane < n)
                x[t + LANES + lane] += radius * sin(angle);
        }
}
