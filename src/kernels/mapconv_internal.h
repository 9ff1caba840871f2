/* What the versions of mapconv_body.h work on.  A complex number of theirs is a pair of vectors, real and imaginary parts of as
 * many time steps as the version has lanes; arrays of them have room for the widest. */
#ifndef RETC_MAPCONV_INTERNAL_H
#define RETC_MAPCONV_INTERNAL_H

#include "mapconv.h"

enum { RETC_MAPCONV_LANES = 16 }; /* of the widest version */

/* A transform of N points as passes of small radices (Stockham's order: no permutation). */
enum { RETC_DFT_PASSES = 64 };
typedef struct {
    size_t N, passes, radix[RETC_DFT_PASSES];
    float *twiddle; /* cosine and sine pairs, in the order in which passes take them */
} retc_dft;

struct retc_mapconv {
    retc_conv_shape shape;
    size_t oh, ow, in_ld, out_ld;
    retc_dft along_x, along_y;
    size_t F, ld;  /* frequencies along x, columns of them ld numbers apart */
    size_t pairs;  /* K C, rounded up to full vectors */
    float *weight; /* (F,along_y.N,2,pairs) spectra of w[k][c], real and imaginary parts, as scaled in mapconv_body.h */
};

struct retc_mapconv_work {
    float *lines;      /* (maps,F,ld) complex, after transforms along x */
    float *columns;    /* (C + K,ld) complex */
    float *scratch;    /* (3 max(N)) complex */
    float *taps;       /* (kh,kw) vectors of pairs */
    float *transposed; /* (lanes,2 K rounded up) */
    float *sums;       /* (F,along_y.N,2 C,2 K rounded up) products summed over time; NULL without gradients */
};

static inline size_t
retc_round_up(size_t n, size_t lanes) {
    return (n + lanes - 1) / lanes * lanes;
}

#endif
