/* The fast versions, one per instruction set; all share the text of gather_body.h. */
#ifndef RETC_GATHER_VERSIONS_H
#define RETC_GATHER_VERSIONS_H

#include <stddef.h>

#include "mapconv.h"
#include "normal.h"

#if defined __x86_64__ && defined __GNUC__
#define RETC_X86 1
#else
#define RETC_X86 0
#endif

typedef void retc_gather_function(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
                                  const size_t *offset, float *out, size_t ldo, int accumulate);
typedef void retc_dots_function(size_t O, size_t J, size_t n, size_t places, const float *g, size_t ldg, size_t g_step,
                                const float *in, size_t in_step, const size_t *offset, float *dw, size_t ldw);

/* rows.h */
typedef struct {
    void (*affine)(const float *x, float scale, float shift, size_t n, float *out);
    void (*relu)(const float *x, size_t n, float *out);
    void (*rectify)(size_t n, float *x);
    void (*relu_backward)(const float *x, const float *g, size_t n, float *gin);
    void (*relu_secant)(const float *x, const float *x0, const float *g, size_t n, float *gin);
    void (*add)(const float *x, size_t n, float *sum);
    void (*step)(const float *g, const float *x, const float *x0, size_t n, float *sum);
    void (*step_trapezium)(const float *g, const float *g0, const float *x, const float *x0, size_t n, float *sum);
    void (*extrapolate)(const float *coarse, size_t n, float *fine, float *square, float *peak);
    void (*normed_backward)(const float *x, float scale, float mean_g, float mean, float slope, size_t n, float *g);
    void (*sums)(const float *x, const float *y, double shift, size_t n, double *a, double *b);
    void (*normal)(retc_normal *normal, float sigma, size_t n, float *x); /* normal.h */
    void (*pool)(size_t K, const double *weight, const size_t *source, const double *x, size_t stride, size_t n, double *out);
    void (*spectra)(size_t K, const float *w, const float *z, size_t n, float *out);
} retc_row_functions;

extern const retc_row_functions retc_rows_avx512, retc_rows_avx2, retc_rows_generic;

/* mapconv.h */
typedef struct {
    void (*set_weights)(retc_mapconv *plan, retc_mapconv_work *work, const float *w);
    void (*forward)(const retc_mapconv *plan, retc_mapconv_work *work, const float *bias, const float *in, size_t n,
                    float *out);
    void (*backward_input)(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, size_t n, float *din,
                           size_t din_ld);
    void (*backward_weights)(const retc_mapconv *plan, retc_mapconv_work *work, const float *g, const float *in, size_t n,
                             float *dw);
} retc_mapconv_functions;

extern const retc_mapconv_functions retc_mapconv_avx512, retc_mapconv_avx2, retc_mapconv_generic;

/* Those of the version in use. */
const retc_row_functions *retc_kernel_rows(void);
const retc_mapconv_functions *retc_kernel_mapconv(void);

retc_gather_function retc_gather_avx512, retc_gather_avx2, retc_gather_generic;
retc_dots_function retc_dots_avx512, retc_dots_avx2, retc_dots_generic;

#endif
