#include "gather_versions.h"

#if RETC_X86
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,fma")))
#define NAME(x) x##_avx512
#define VECTOR __m512
#define LANES ((size_t)16)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps((p), (v))
#define BROADCAST(x) _mm512_set1_ps(x)
#define ZERO _mm512_setzero_ps()
#define FMA(a, b, c) _mm512_fmadd_ps((a), (b), (c))
#define FNMA(a, b, c) _mm512_fnmadd_ps((a), (b), (c))
#define FMA1(a, b, c) __builtin_fmaf((a), (b), (c))
#define SQRT(v) _mm512_sqrt_ps(v)
#define SUM(v) _mm512_reduce_add_ps(v)
#include "dft_body.h"
#include "gather_body.h"
#include "mapconv_body.h"
#include "normal_body.h"
#include "rows_body.h"
#endif
