#include "levels.h"

#include <float.h>
#include <math.h>

#include "parallel.h"

/* Values looked at in one go: what is wrong is searched for only where something is. */
#define PIECE ((size_t)4096)

/* Values that a thread takes at a time. */
#define SHARE ((size_t)1 << 17)

static size_t
smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t
first_not_finite(const float *levels, size_t n) {
    size_t i = 0;
    while (i < n && isfinite(levels[i]))
        ++i;
    return i;
}

size_t
retc_levels_not_finite(const float *levels, size_t n) {
    for (size_t from = 0; from < n; from += PIECE) {
        size_t m = smaller(PIECE, n - from);
        int bad = 0;
        for (size_t i = 0; i < m; ++i)
            bad |= !(fabsf(levels[from + i]) <= FLT_MAX);
        if (bad)
            return from + first_not_finite(levels + from, m);
    }
    return n;
}

/* Within 0 ... 255; not a number is 0. */
static inline float
clamp(float x) {
    return x > 0 ? (x < 255 ? x : 255.0f) : 0.0f;
}

static size_t
to_bytes(const float *levels, size_t n, uint8_t *bytes) {
    for (size_t from = 0; from < n; from += PIECE) {
        size_t m = smaller(PIECE, n - from), i = 0;
        int bad = 0;
        for (i = 0; i < m; ++i) {
            int level = (int)clamp(levels[from + i]);
            bad |= (float)level != levels[from + i];
            bytes[from + i] = (uint8_t)level;
        }
        for (i = 0; bad && (float)bytes[from + i] == levels[from + i];)
            ++i;
        if (bad)
            return from + i;
    }
    return n;
}

typedef struct {
    const float *levels;
    size_t n;
    uint8_t *bytes;
} conversion;

static int
convert_share(void *context, size_t i) {
    const conversion *c = context;
    size_t from = i * SHARE, m = smaller(SHARE, c->n - from);
    return to_bytes(c->levels + from, m, c->bytes + from) == m ? 0 : -1;
}

size_t
retc_levels_to_bytes(const float *levels, size_t n, uint8_t *bytes) {
    conversion c = {levels, n, bytes};
    /* Which value is none is asked for only when there is one. */
    return retc_parallel_for((n + SHARE - 1) / SHARE, 0, convert_share, &c) < 0 ? to_bytes(levels, n, bytes) : n;
}

void
retc_levels_round(const float *levels, size_t n, uint8_t *bytes) {
    for (size_t i = 0; i < n; ++i) {
        float x = clamp(levels[i]);
        int level = (int)x;
        /* Adding 0.5 first would round the largest float below 0.5 up. */
        bytes[i] = (uint8_t)(level + (x - (float)level >= 0.5f));
    }
}
