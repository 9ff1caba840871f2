#include "fft.h"

static int
is_smooth(size_t n) {
    static const size_t primes[] = {2, 3, 5, 7};
    for (size_t i = 0; i < sizeof primes / sizeof *primes; ++i)
        while (n % primes[i] == 0)
            n /= primes[i];
    return n == 1;
}

size_t
retc_fft_size(size_t n) {
    if (n < 2)
        return 2;
    size_t size = n + n % 2;
    while (!is_smooth(size))
        size += 2;
    return size;
}
