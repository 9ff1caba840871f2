/* The text of the normal deviates; whoever includes this defines TARGET and NAME as for gather_body.h.  Loops over lanes
 * become one or a few vectors each. */
#include <string.h>

#include "normal.h"

/* One word of each generator. */
static TARGET inline void
NAME(next_words)(uint32_t (*restrict s)[RETC_NORMAL_LANES], uint32_t *restrict word) {
    for (size_t i = 0; i < RETC_NORMAL_LANES; ++i) {
        uint32_t a = s[0][i], b = s[1][i], c = s[2][i], d = s[3][i], sum = a + d;
        word[i] = ((sum << 7) | (sum >> 25)) + a;
        c ^= a;
        d ^= b;
        s[1][i] = b ^ c;
        s[0][i] = a ^ d;
        s[2][i] = c ^ (b << 9);
        s[3][i] = (d << 11) | (d >> 21);
    }
}

/* sqrt(-2 log u), u = (23 bits + 1/2)/2^23.  With u = m 2^e, m from sqrt(1/2) to sqrt(2):
 * log m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...), s = (m - 1)/(m + 1), |s| < 0.172; the term after s^9/9 is below 2^-28. */
static TARGET inline void
NAME(radii)(const uint32_t *restrict word, float *restrict radius) {
    const uint32_t one = 0x3F800000, root = 0x3F3504F3; /* 1 and sqrt(1/2) as bits */
    for (size_t i = 0; i < RETC_NORMAL_LANES; ++i) {
        float u = ((float)(int32_t)(word[i] >> 9) + 0.5f) * 0x1p-23f, m;
        uint32_t bits;
        memcpy(&bits, &u, sizeof bits);
        bits += one - root;
        float e = (float)((int32_t)(bits >> 23) - 127);
        bits = (bits & 0x7FFFFF) + root;
        memcpy(&m, &bits, sizeof m);
        float s = (m - 1) / (m + 1), z = s * s;
        float series = 1 + z * (1.0f / 3 + z * (1.0f / 5 + z * (1.0f / 7 + z * (1.0f / 9))));
        radius[i] = -2 * (e * 0.693147181f + 2 * s * series);
    }
    for (size_t i = 0; i < RETC_NORMAL_LANES; i += LANES) /* the C library's root may set errno, and stays out of vectors */
        STORE(radius + i, SQRT(LOAD(radius + i)));
}

/* Points on the unit circle: two bits say which quarter, 23 the angle p between -pi/4 and pi/4 within it, whose cosine and sine
 * are their Taylor series to p^10/10! and p^9/9!. */
static TARGET inline void
NAME(points)(const uint32_t *restrict word, float *restrict x, float *restrict y) {
    for (size_t i = 0; i < RETC_NORMAL_LANES; ++i) {
        float p = (((float)(int32_t)((word[i] >> 7) & 0x7FFFFF) + 0.5f) * 0x1p-23f - 0.5f) * 1.57079633f, q = p * p;
        float sine = p * (1 - q * (1.0f / 6) * (1 - q * (1.0f / 20) * (1 - q * (1.0f / 42) * (1 - q * (1.0f / 72)))));
        float cosine =
            1 - q * 0.5f * (1 - q * (1.0f / 12) * (1 - q * (1.0f / 30) * (1 - q * (1.0f / 56) * (1 - q * (1.0f / 90)))));
        uint32_t quarter = word[i] >> 30;
        float a = quarter & 1 ? sine : cosine, b = quarter & 1 ? cosine : sine;
        x[i] = (quarter + 1) & 2 ? -a : a;
        y[i] = quarter & 2 ? -b : b;
    }
}

static TARGET void
NAME(retc_normal_add)(retc_normal *normal, float sigma, size_t n, float *restrict x) {
    enum { WIDTH = RETC_NORMAL_LANES };
    uint32_t first[WIDTH], second[WIDTH], state[4][WIDTH];
    float radius[WIDTH], z[2 * WIDTH];
    memcpy(state, normal->state, sizeof state);
    for (size_t t = 0; t < n; t += 2 * WIDTH) {
        NAME(next_words)(state, first);
        NAME(next_words)(state, second);
        NAME(radii)(first, radius);
        NAME(points)(second, z, z + WIDTH);
        for (size_t i = 0; i < WIDTH; ++i) {
            z[i] *= sigma * radius[i];
            z[WIDTH + i] *= sigma * radius[i];
        }
        if (n - t >= 2 * WIDTH)
            for (size_t i = 0; i < 2 * WIDTH; ++i)
                x[t + i] += z[i];
        else
            for (size_t i = 0; i < n - t; ++i)
                x[t + i] += z[i];
    }
    memcpy(normal->state, state, sizeof state);
}
