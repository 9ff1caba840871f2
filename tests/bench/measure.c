#include "measure.h"

#include <string.h>
#include <time.h>

#include "error.h"
#include "gather.h"
#include "gather_versions.h"

#if RETC_X86
#include <immintrin.h>
#endif

static double
read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double
smaller(double a, double b) {
    return a < b ? a : b;
}

retc_bench_time
retc_bench_least(void (*run)(void *context), void *context) {
    retc_bench_time least = {1e9, 1e9};
    double together = 0;
    run(context);
    for (int i = 0; i < 2 || (together < 0.3 && i < 1000); ++i) {
        double processor = read_clock(CLOCK_PROCESS_CPUTIME_ID), wall = read_clock(CLOCK_MONOTONIC);
        run(context);
        processor = read_clock(CLOCK_PROCESS_CPUTIME_ID) - processor, wall = read_clock(CLOCK_MONOTONIC) - wall;
        least = (retc_bench_time){smaller(least.processor, processor), smaller(least.wall, wall)};
        together += wall;
    }
    return least;
}

/* ---- arithmetic ------------------------------------------------------------------------------------------------------ */

/* Twelve sums side by side hide the latency of an addition; an empty instruction keeps the compiler from seeing through. */
enum { SUMS = 12, ROUNDS = 1 << 20 };
static volatile float one = 1, sink;

#define CHAINS(NAME, TARGET, VECTOR, BROADCAST, FMA, FIRST)                                                                    \
    static TARGET void NAME(void *context) {                                                                                   \
        VECTOR sum[SUMS], factor = BROADCAST(one);                                                                             \
        (void)context;                                                                                                         \
        for (int i = 0; i < SUMS; ++i)                                                                                         \
            sum[i] = BROADCAST((float)i);                                                                                      \
        for (int r = 0; r < ROUNDS; ++r) {                                                                                     \
            _Pragma("GCC unroll 12") for (int i = 0; i < SUMS; ++i) sum[i] = FMA(sum[i], factor, factor);                      \
            __asm__ volatile("" : "+x"(factor));                                                                               \
        }                                                                                                                      \
        for (int i = 0; i < SUMS; ++i)                                                                                         \
            sink = FIRST(sum[i]);                                                                                              \
    }

#if RETC_X86
CHAINS(run_avx512, __attribute__((target("avx512f,fma"))), __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
CHAINS(run_avx2, __attribute__((target("avx2,fma"))), __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)
#define PLUS(a, b, c) _mm_add_ps(_mm_mul_ps(a, b), c)
CHAINS(run_generic, , __m128, _mm_set1_ps, PLUS, _mm_cvtss_f32)
#endif

double
retc_bench_peak_flops(void) {
#if RETC_X86
    static const struct {
        const char *name;
        void (*run)(void *context);
        double lanes;
    } versions[] = {{"avx512", run_avx512, 16}, {"avx2", run_avx2, 8}, {"generic", run_generic, 4}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; ++i)
        if (strcmp(retc_kernel_name(), versions[i].name) == 0)
            return 2 * versions[i].lanes * SUMS * ROUNDS / retc_bench_least(versions[i].run, NULL).processor;
#endif
    return 0;
}

/* ---- memory ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    char *from, *to;
    size_t bytes;
} copy_case;

static void
run_copy(void *context) {
    const copy_case *c = context;
    memcpy(c->to, c->from, c->bytes);
    sink = c->to[c->bytes / 2];
}

double
retc_bench_copy_rate(size_t bytes) {
    copy_case c = {retc_calloc(bytes, 1), retc_calloc(bytes, 1), bytes};
    double rate = 0;
    if (c.from && c.to) {
        memset(c.from, 1, bytes);
        rate = 2 * (double)bytes / retc_bench_least(run_copy, &c).processor;
    }
    retc_free(c.from), retc_free(c.to);
    return rate;
}
