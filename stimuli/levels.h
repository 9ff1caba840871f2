/* Checks and conversions that every frame of a movie goes through: plain loops that the compiler turns into vector
 * instructions. */
#ifndef RETC_LEVELS_H
#define RETC_LEVELS_H

#include <stddef.h>
#include <stdint.h>

/* Index of the first of n values that is not finite; n when all are. */
size_t retc_levels_not_finite(const float *levels, size_t n);

/* Whole grey levels 0 ... 255 as bytes.  Returns the index of the first of n values that is none; n when all are. */
size_t retc_levels_to_bytes(const float *levels, size_t n, uint8_t *bytes);

/* The nearest grey levels as bytes; halves go up, and what lies beyond 0 ... 255 becomes the end that it is nearer to. */
void retc_levels_round(const float *levels, size_t n, uint8_t *bytes);

#endif
