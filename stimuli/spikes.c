#include "spikes.h"

size_t
retc_spikes_disorder(const double *spike, size_t n) {
    for (size_t i = 1; i < n; ++i) {
        if (spike[i] < spike[i - 1])
            return i;
    }
    return n;
}

size_t
retc_spikes_brief(const double *spike, size_t n, double limit) {
    size_t found = 0;
    for (size_t i = 1; i < n; ++i) {
        double interval = spike[i] - spike[i - 1];
        found += limit > 0 ? interval < limit : interval <= 0;
    }
    return found;
}

void
retc_spikes_count(const double *spike, size_t n, const double *onset, size_t frames, double end, float *counts, size_t *before,
                  size_t *after) {
    size_t i = 0;
    while (i < n && spike[i] < onset[0])
        ++i;
    *before = i;
    for (size_t t = 0; t < frames; ++t) {
        double next = t + 1 < frames ? onset[t + 1] : end;
        size_t first = i;
        while (i < n && spike[i] < next)
            ++i;
        counts[t] = (float)(i - first);
    }
    *after = n - i;
}
