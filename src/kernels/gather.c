/* Choice of kernel version at run time, and the plain definitions. */
#include "gather.h"

#include <stdlib.h>
#include <string.h>

#include "gather_versions.h"

/* ---- definitions ----------------------------------------------------------------------------------------------------- */

void
retc_gather_reference(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
                      const size_t *offset, double *out, size_t ldo, int accumulate) {
    for (size_t o = 0; o < O; ++o)
        for (size_t t = 0; t < n; ++t) {
            double sum = accumulate ? out[o * ldo + t] : bias ? (double)bias[o] : 0.0;
            for (size_t j = 0; j < J; ++j)
                sum += (double)w[o * ldw + j] * (double)in[offset[j] + t];
            out[o * ldo + t] = sum;
        }
}

void
retc_dots_reference(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step, const float *in,
                    size_t in_step, const size_t *offset, double *dw, size_t ldw) {
    for (size_t o = 0; o < O; ++o)
        for (size_t j = 0; j < J; ++j)
            for (size_t p = 0; p < places; ++p)
                for (size_t t = 0; t < n; ++t)
                    dw[o * ldw + j] += (double)g[o * ldg + p * g_step + t] * (double)in[offset[j] + p * in_step + t];
}

/* The definitions behind the signatures of the fast versions: sums in double, results in float. */
static void
gather_plain(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in, const size_t *offset,
             float *out, size_t ldo, int accumulate) {
    for (size_t o = 0; o < O; ++o)
        for (size_t t = 0; t < n; ++t) {
            double sum = accumulate ? (double)out[o * ldo + t] : bias ? (double)bias[o] : 0.0;
            for (size_t j = 0; j < J; ++j)
                sum += (double)w[o * ldw + j] * (double)in[offset[j] + t];
            out[o * ldo + t] = (float)sum;
        }
}

static void
dots_plain(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step, const float *in,
           size_t in_step, const size_t *offset, float *dw, size_t ldw) {
    for (size_t o = 0; o < O; ++o)
        for (size_t j = 0; j < J; ++j) {
            double sum = 0;
            for (size_t p = 0; p < places; ++p)
                for (size_t t = 0; t < n; ++t)
                    sum += (double)g[o * ldg + p * g_step + t] * (double)in[offset[j] + p * in_step + t];
            dw[o * ldw + j] += (float)sum;
        }
}

/* ---- choice ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    retc_gather_function *gather;
    retc_dots_function *dots;
    const retc_row_functions *rows;
    const retc_mapconv_functions *mapconv;
} version;

/* Best first. */
static const version versions[] = {
#if RETC_X86
    {"avx512", retc_gather_avx512, retc_dots_avx512, &retc_rows_avx512, &retc_mapconv_avx512},
    {"avx2", retc_gather_avx2, retc_dots_avx2, &retc_rows_avx2, &retc_mapconv_avx2},
#endif
    {"generic", retc_gather_generic, retc_dots_generic, &retc_rows_generic, &retc_mapconv_generic},
    {"reference", gather_plain, dots_plain, &retc_rows_generic, &retc_mapconv_generic},
};

static const version *chosen;

static int
available(const version *v) {
#if RETC_X86
    __builtin_cpu_init();
    if (strcmp(v->name, "avx512") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("fma");
    if (strcmp(v->name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)v;
    return 1;
}

int
retc_kernel_choose(const char *name) {
    for (size_t i = 0; i < sizeof versions / sizeof *versions; ++i)
        if ((!name || strcmp(versions[i].name, name) == 0) && available(&versions[i])) {
            chosen = &versions[i];
            return 0;
        }
    return -1;
}

/* Runs before main, so that no thread ever sees a choice half made.  An unknown RETC_KERNEL means the best. */
__attribute__((constructor)) static void
choose_at_start(void) {
    const char *wanted = getenv("RETC_KERNEL");
    if (!wanted || retc_kernel_choose(wanted) < 0)
        (void)retc_kernel_choose(NULL);
}

const retc_row_functions *
retc_kernel_rows(void) {
    return chosen->rows;
}

const retc_mapconv_functions *
retc_kernel_mapconv(void) {
    return chosen->mapconv;
}

const char *
retc_kernel_name(void) {
    return chosen->name;
}

void
retc_gather(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in, const size_t *offset,
            float *out, size_t ldo, int accumulate) {
    chosen->gather(O, J, n, w, ldw, bias, in, offset, out, ldo, accumulate);
}

void
retc_dots(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step, const float *in,
          size_t in_step, const size_t *offset, float *dw, size_t ldw) {
    chosen->dots(O, J, n, places, g, ldg, g_step, in, in_step, offset, dw, ldw);
}
