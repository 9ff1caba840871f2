/* The model of the size that the method's authors published, and noise for it: what the benchmarks share. */
#ifndef RETC_BENCH_MODEL_H
#define RETC_BENCH_MODEL_H

#include "network.h"
#include "recording.h"

/* Movies of 50 x 50 pixels, history 40; 8 channels of 15 x 15, 8 of 11 x 11, a readout of 11 x 11 with one position for each of
 * 17 cells. */
enum { SIDE = 50, HISTORY = 40, KERNEL0 = 15, KERNEL1 = 11, CHANNELS = 8, CELLS = 17, LAG = 1 };

/* End the program with the recorded reason if `status` is an error. */
void retc_bench_check(int status);

/* Zeroed memory, or the end of the program; retc_free. */
void *retc_bench_room(size_t count, size_t size);

/* The model with random weights; batch norm, noise of `noise` unless that is 0. */
retc_network *retc_bench_network(double noise);

/* Write a recording of noise that gives the model `samples` response frames in both parts, and open it. */
retc_recording *retc_bench_recording(const char *path, size_t samples);

#endif
