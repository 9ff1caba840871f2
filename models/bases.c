#include "bases.h"

#include <math.h>
#include <string.h>

void
retc_raised_cosines(size_t n, size_t taps, double *basis, size_t *written) {
    *written = n < taps ? n : taps;
    memset(basis, 0, *written * taps * sizeof *basis);
    if (n >= taps) {
        for (size_t k = 0; k < taps; ++k)
            basis[k * taps + k] = 1;
        return;
    }
    double last = n > 1 ? (double)(n - 1) * M_PI_2 : M_PI_2, stretch = last / log((double)taps);
    for (size_t i = 0; i < n; ++i)
        for (size_t k = 0; k < taps; ++k) {
            double phase = stretch * log((double)(k + 1)) - (double)i * M_PI_2;
            basis[i * taps + k] = fabs(phase) < M_PI ? 0.5 * cos(phase) + 0.5 : 0;
        }
}

static double
dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t k = 0; k < n; ++k)
        sum += a[k] * b[k];
    return sum;
}

int
retc_orthonormalise(size_t n, size_t taps, double *basis) {
    for (size_t i = 0; i < n; ++i) {
        double *row = basis + i * taps, before = sqrt(dot(row, row, taps));
        for (int round = 0; round < 2; ++round)
            for (size_t j = 0; j < i; ++j) {
                double share = dot(row, basis + j * taps, taps);
                for (size_t k = 0; k < taps; ++k)
                    row[k] -= share * basis[j * taps + k];
            }
        double norm = sqrt(dot(row, row, taps));
        if (!(norm > 1e-8 * before))
            return RETC_FAIL(RETC_EINVAL, "%zu functions over %zu frames depend on each other; ask for fewer", n, taps);
        for (size_t k = 0; k < taps; ++k)
            row[k] /= norm;
    }
    return RETC_OK;
}
