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

size_t
retc_spikes_before(const double *spike, size_t n, double time) {
    size_t first = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (spike[first + half] < time) {
            first += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return first;
}

void
retc_spikes_count(const double *spike, size_t n, const double *onset, const double *end, size_t frames, float *counts) {
    size_t i = frames > 0 ? retc_spikes_before(spike, n, onset[0]) : 0;
    for (size_t t = 0; t < frames; ++t) {
        while (i < n && spike[i] < onset[t])
            ++i;
        size_t first = i;
        while (i < n && spike[i] < end[t])
            ++i;
        counts[t] = (float)(i - first);
    }
}
