/* The text of the fast kernels.  Whoever includes this defines
 *   VECTOR            the vector type of LANES floats
 *   LOAD(p) STORE(p,v) BROADCAST(x) ZERO FMA(a,b,c)=a*b+c SUM(v)   on it, unaligned addresses
 *   TARGET            a function attribute for the instruction set
 *   FMA1(a,b,c)       the same for one float
 *   NAME(x)           the name of a version
 * gather keeps a tile of 4 output rows by 4 vectors of time in registers: per weight row 4 loads and 4 broadcasts feed 16
 * multiply-adds, so the arithmetic units, not the loads, are the limit.  What is left over at the end of time is done with a
 * tile of fewer vectors, then one of one vector that overlaps the one before, or else one by one; nothing beyond t = n-1 is read
 * or written.  Every output is one sum over j in index order, whatever tile it falls into, so that results do not depend on how
 * time was cut into blocks. */

enum { ROWS = 4, WIDE = 4 };
#define UNROLL _Pragma("GCC unroll 4")

static TARGET inline __attribute__((always_inline)) void
NAME(tile)(size_t rows, size_t vectors, size_t J, const float *w, size_t ldw, const float *bias, const float *in,
           const size_t *offset, float *out, size_t ldo, int accumulate) {
    VECTOR sum[ROWS][WIDE];
    UNROLL for (size_t r = 0; r < rows; ++r) UNROLL for (size_t v = 0; v < vectors; ++v) sum[r][v] =
        accumulate ? LOAD(out + r * ldo + v * LANES)
        : bias     ? BROADCAST(bias[r])
                   : ZERO;
    for (size_t j = 0; j < J; ++j) {
        const float *x = in + offset[j];
        VECTOR value[WIDE];
        UNROLL for (size_t v = 0; v < vectors; ++v) value[v] = LOAD(x + v * LANES);
        UNROLL for (size_t r = 0; r < rows; ++r) {
            VECTOR weight = BROADCAST(w[r * ldw + j]);
            UNROLL for (size_t v = 0; v < vectors; ++v) sum[r][v] = FMA(weight, value[v], sum[r][v]);
        }
    }
    UNROLL for (size_t r = 0; r < rows; ++r) UNROLL for (size_t v = 0; v < vectors; ++v)
        STORE(out + r * ldo + v * LANES, sum[r][v]);
}

/* Up to ROWS rows over all of time.  The constants let the compiler unroll the tile into registers. */
static TARGET inline __attribute__((always_inline)) void
NAME(rows)(size_t rows, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
           const size_t *offset, float *out, size_t ldo, int accumulate) {
    size_t t = 0;
    for (; t + WIDE * LANES <= n; t += WIDE * LANES)
        NAME(tile)(rows, WIDE, J, w, ldw, bias, in + t, offset, out + t, ldo, accumulate);
    size_t left = (n - t) / LANES;
    if (left == 3)
        NAME(tile)(rows, 3, J, w, ldw, bias, in + t, offset, out + t, ldo, accumulate);
    else if (left == 2)
        NAME(tile)(rows, 2, J, w, ldw, bias, in + t, offset, out + t, ldo, accumulate);
    else if (left == 1)
        NAME(tile)(rows, 1, J, w, ldw, bias, in + t, offset, out + t, ldo, accumulate);
    t += left * LANES;
    if (t < n && n >= LANES && !accumulate) {
        t = n - LANES;
        NAME(tile)(rows, 1, J, w, ldw, bias, in + t, offset, out + t, ldo, 0);
        t = n;
    }
    for (; t < n; ++t)
        UNROLL for (size_t r = 0; r < rows; ++r) {
            float sum = accumulate ? out[r * ldo + t] : bias ? bias[r] : 0.0f;
            for (size_t j = 0; j < J; ++j)
                sum = FMA1(w[r * ldw + j], in[offset[j] + t], sum);
            out[r * ldo + t] = sum;
        }
}

TARGET void
NAME(retc_gather)(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
                  const size_t *offset, float *out, size_t ldo, int accumulate) {
    size_t o = 0;
    for (; o + ROWS <= O; o += ROWS)
        NAME(rows)(ROWS, J, n, w + o * ldw, ldw, bias ? bias + o : NULL, in, offset, out + o * ldo, ldo, accumulate);
    if (O - o == 3)
        NAME(rows)(3, J, n, w + o * ldw, ldw, bias ? bias + o : NULL, in, offset, out + o * ldo, ldo, accumulate);
    else if (O - o == 2)
        NAME(rows)(2, J, n, w + o * ldw, ldw, bias ? bias + o : NULL, in, offset, out + o * ldo, ldo, accumulate);
    else if (O - o == 1)
        NAME(rows)(1, J, n, w + o * ldw, ldw, bias ? bias + o : NULL, in, offset, out + o * ldo, ldo, accumulate);
}

/* A tile of rows of g by columns of w, summed over time and places in registers: adding up the lanes of 16 vectors costs more
 * than a hundred steps of time, so it is done once for all places. */
static TARGET inline __attribute__((always_inline)) void
NAME(dots_tile)(size_t rows, size_t columns, size_t n, size_t places, const float *g, size_t ldg, size_t g_step,
                const float *in, size_t in_step, const size_t *offset, float *dw, size_t ldw) {
    VECTOR sum[ROWS][ROWS];
    float rest[ROWS][ROWS];
    size_t whole = n / LANES * LANES;
    UNROLL for (size_t r = 0; r < rows; ++r) UNROLL for (size_t c = 0; c < columns; ++c) {
        sum[r][c] = ZERO;
        rest[r][c] = 0;
    }
    for (size_t p = 0; p < places; ++p) {
        const float *a = g + p * g_step, *b = in + p * in_step;
        for (size_t t = 0; t < whole; t += LANES) {
            VECTOR left[ROWS];
            UNROLL for (size_t r = 0; r < rows; ++r) left[r] = LOAD(a + r * ldg + t);
            UNROLL for (size_t c = 0; c < columns; ++c) {
                VECTOR right = LOAD(b + offset[c] + t);
                UNROLL for (size_t r = 0; r < rows; ++r) sum[r][c] = FMA(left[r], right, sum[r][c]);
            }
        }
        for (size_t t = whole; t < n; ++t)
            UNROLL for (size_t r = 0; r < rows; ++r) UNROLL for (size_t c = 0; c < columns; ++c) rest[r][c] =
                FMA1(a[r * ldg + t], b[offset[c] + t], rest[r][c]);
    }
    UNROLL for (size_t r = 0; r < rows; ++r) UNROLL for (size_t c = 0; c < columns; ++c) dw[r * ldw + c] +=
        SUM(sum[r][c]) + rest[r][c];
}

TARGET void
NAME(retc_dots)(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step, const float *in,
                size_t in_step, const size_t *offset, float *dw, size_t ldw) {
    for (size_t o = 0; o < O; o += ROWS) {
        size_t rows = O - o < ROWS ? O - o : ROWS, j = 0;
        const float *left = g + o * ldg;
        float *to = dw + o * ldw;
        if (rows == ROWS)
            for (; j + ROWS <= J; j += ROWS)
                NAME(dots_tile)(ROWS, ROWS, n, places, left, ldg, g_step, in, in_step, offset + j, to + j, ldw);
        for (; j < J; ++j)
            UNROLL for (size_t r = 0; r < rows; ++r)
                NAME(dots_tile)(1, 1, n, places, left + r * ldg, ldg, g_step, in, in_step, offset + j, to + r * ldw + j, ldw);
    }
}
