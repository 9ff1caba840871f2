/* What the benchmarks share: timing, and what the machine can do at most. */
#ifndef RETC_MEASURE_H
#define RETC_MEASURE_H

#include <stddef.h>

/* Least processor time (of all threads) and least wall time of several runs, s.  Other programs add to the second, hardly to
 * the first. */
typedef struct {
    double processor, wall;
} retc_bench_time;

/* At least two runs after a first one that is not counted, and more while they take less than 0.3 s together. */
retc_bench_time retc_bench_least(void (*run)(void *context), void *context);

/* Multiplications and additions per second of one thread, with the instructions of the kernels in use, none of which waits
 * for memory. */
double retc_bench_peak_flops(void);

/* Bytes per second, read and written, of copies between two buffers of `bytes`. */
double retc_bench_copy_rate(size_t bytes);

#endif
