/* Element types and the shuffle filter: plain loops that the compiler turns into vector instructions. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "h5_internal.h"

#define CONVERTER(name, source, target, value)                                                                                 \
    static void name(const void *in, void *out, size_t n) {                                                                    \
        const source *from = in;                                                                                               \
        target *to = out;                                                                                                      \
        for (size_t i = 0; i < n; ++i) {                                                                                       \
            source x = from[i];                                                                                                \
            to[i] = (value);                                                                                                   \
        }                                                                                                                      \
    }

CONVERTER(uint8_to_float, uint8_t, float, (float)x)
CONVERTER(uint8_to_double, uint8_t, double, (double)x)
CONVERTER(uint8_to_int64, uint8_t, int64_t, x)
CONVERTER(float_to_double, float, double, (double)x)
CONVERTER(int64_to_float, int64_t, float, (float)x)
CONVERTER(int64_to_double, int64_t, double, (double)x)
/* Not a number is 0.  The comparison with 255 comes last, so that a vector of them needs no branch. */
CONVERTER(float_to_uint8, float, uint8_t, (uint8_t)(int)(x > 0 ? (x < 255 ? x : 255.0f) : 0.0f))
CONVERTER(double_to_uint8, double, uint8_t, (uint8_t)(int)(x > 0 ? (x < 255 ? x : 255.0) : 0.0))
/* Beyond the largest float is infinite, also what would round to it. */
CONVERTER(double_to_float, double, float, x > (double)FLT_MAX ? INFINITY : x < -(double)FLT_MAX ? -INFINITY : (float)x)

#define COPY(name, size)                                                                                                       \
    static void name(const void *in, void *out, size_t n) {                                                                    \
        memcpy(out, in, n *(size));                                                                                            \
    }
COPY(copy1, 1)
COPY(copy4, 4)
COPY(copy8, 8)

retc_h5_converter
retc_h5_find_converter(retc_h5_type from, retc_h5_type to) {
    static const retc_h5_converter table[4][4] = {
        [RETC_H5_FLOAT] = {[RETC_H5_FLOAT] = copy4, [RETC_H5_DOUBLE] = float_to_double, [RETC_H5_UINT8] = float_to_uint8},
        [RETC_H5_DOUBLE] = {[RETC_H5_FLOAT] = double_to_float, [RETC_H5_DOUBLE] = copy8, [RETC_H5_UINT8] = double_to_uint8},
        [RETC_H5_INT64] = {[RETC_H5_FLOAT] = int64_to_float, [RETC_H5_DOUBLE] = int64_to_double, [RETC_H5_INT64] = copy8},
        [RETC_H5_UINT8] = {uint8_to_float, uint8_to_double, uint8_to_int64, copy1},
    };
    return table[from][to];
}

void
retc_h5_shuffle(const unsigned char *in, unsigned char *out, size_t n, size_t size) {
    for (size_t byte = 0; byte < size; ++byte) {
        unsigned char *to = out + byte * n;
        if (size == 4)
            for (size_t i = 0; i < n; ++i)
                to[i] = in[4 * i + byte];
        else
            for (size_t i = 0; i < n; ++i)
                to[i] = in[size * i + byte];
    }
}

void
retc_h5_unshuffle(const unsigned char *in, unsigned char *out, size_t n, size_t size) {
    if (size == 4)
        for (size_t i = 0; i < n; ++i)
            for (size_t byte = 0; byte < 4; ++byte)
                out[4 * i + byte] = in[byte * n + i];
    else
        for (size_t i = 0; i < n; ++i)
            for (size_t byte = 0; byte < size; ++byte)
                out[size * i + byte] = in[byte * n + i];
}
