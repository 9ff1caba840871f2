/* The fast versions, one per instruction set; all share the text of gather_body.h. */
#ifndef RETC_GATHER_VERSIONS_H
#define RETC_GATHER_VERSIONS_H

#include <stddef.h>

#if defined __x86_64__ && defined __GNUC__
#define RETC_X86 1
#else
#define RETC_X86 0
#endif

typedef void retc_gather_function(size_t O, size_t J, size_t n, const float *w, size_t ldw, const float *bias, const float *in,
                                  const size_t *offset, float *out, size_t ldo, int accumulate);
typedef void retc_dots_function(size_t O, size_t J, size_t n, const float *g, size_t ldg, const float *in, const size_t *offset,
                                float *dw, size_t ldw);

retc_gather_function retc_gather_avx512, retc_gather_avx2, retc_gather_generic;
retc_dots_function retc_dots_avx512, retc_dots_avx2, retc_dots_generic;

#endif
