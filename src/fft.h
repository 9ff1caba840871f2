/* What every user of FFTW here shares. */
#ifndef RETC_FFT_H
#define RETC_FFT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The smallest even number of the form 2^a 3^b 5^c 7^d that is at least n: lengths at which FFTW is fast, real transforms
 * included. */
size_t retc_fft_size(size_t n);

#ifdef __cplusplus
}
#endif

#endif
