/* For any processor: four lanes by the compiler's own vector type. */
#include <math.h>
#include <string.h>

#include "gather_versions.h"

typedef float vector4 __attribute__((vector_size(16)));

static inline vector4
load4(const float *p) {
    vector4 v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void
store4(float *p, vector4 v) {
    memcpy(p, &v, sizeof v);
}

static inline vector4
sqrt4(vector4 v) {
    return (vector4){sqrtf(v[0]), sqrtf(v[1]), sqrtf(v[2]), sqrtf(v[3])};
}

#define TARGET
#define NAME(x) x##_generic
#define VECTOR vector4
#define LANES ((size_t)4)
#define LOAD(p) load4(p)
#define STORE(p, v) store4((p), (v))
#define BROADCAST(x) ((vector4){(x), (x), (x), (x)})
#define ZERO ((vector4){0, 0, 0, 0})
#define FMA(a, b, c) ((a) * (b) + (c))
#define FNMA(a, b, c) ((c) - (a) * (b))
#define FMA1(a, b, c) ((a) * (b) + (c))
#define SQRT(v) sqrt4(v)
#define SUM(v) (((v)[0] + (v)[2]) + ((v)[1] + (v)[3]))
#include "dft_body.h"
#include "gather_body.h"
#include "mapconv_body.h"
#include "normal_body.h"
#include "rows_body.h"
