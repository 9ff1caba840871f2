#include "gather_versions.h"

#if RETC_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

static TARGET inline float
sum_lanes(__m256 v) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

#define NAME(x) x##_avx2
#define VECTOR __m256
#define LANES ((size_t)8)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps((p), (v))
#define BROADCAST(x) _mm256_set1_ps(x)
#define ZERO _mm256_setzero_ps()
#define FMA(a, b, c) _mm256_fmadd_ps((a), (b), (c))
#define FNMA(a, b, c) _mm256_fnmadd_ps((a), (b), (c))
#define FMA1(a, b, c) __builtin_fmaf((a), (b), (c))
#define SQRT(v) _mm256_sqrt_ps(v)
#define SUM(v) sum_lanes(v)
#include "dft_body.h"
#include "gather_body.h"
#include "mapconv_body.h"
#include "normal_body.h"
#include "rows_body.h"
#endif
