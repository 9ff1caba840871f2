#include "frame_clock.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>

size_t
retc_clock_disorder(const double *onset, size_t n) {
    for (size_t i = 0; i < n; ++i) {
        if (!isfinite(onset[i]) || (i > 0 && !(onset[i] > onset[i - 1])))
            return i;
    }
    return n;
}

int
retc_clock_median_interval(const double *onset, size_t n, double *median) {
    int status = RETC_OK;
    double *interval = NULL;
    if (n < 2)
        return RETC_FAIL(RETC_EINVAL, "%zu frame times give no frame interval: at least 2 are needed", n);
    RETC_TRY(RETC_ALLOC(interval, n - 1));
    for (size_t i = 0; i + 1 < n; ++i)
        interval[i] = onset[i + 1] - onset[i];
    gsl_sort(interval, 1, n - 1);
    *median = gsl_stats_median_from_sorted_data(interval, 1, n - 1);

done:
    retc_free(interval);
    return status;
}

size_t
retc_clock_irregular(const double *onset, size_t n, double median, double tolerance, size_t *where, size_t room) {
    size_t found = 0;
    for (size_t i = 0; i + 1 < n; ++i) {
        if (fabs(onset[i + 1] - onset[i] - median) <= tolerance * median)
            continue;
        if (found < room)
            where[found] = i;
        ++found;
    }
    return found;
}

size_t
retc_clock_block_disorder(const int64_t *start, size_t blocks, size_t frames) {
    for (size_t b = 0; b < blocks; ++b) {
        if (b == 0 ? start[0] != 0 || frames == 0 : start[b] <= start[b - 1] || (uint64_t)start[b] >= frames)
            return b;
    }
    return blocks;
}
