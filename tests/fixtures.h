/* Small recordings and networks that several test programs need. */
#ifndef RETC_FIXTURES_H
#define RETC_FIXTURES_H

#include "architecture.h"
#include "h5.h"
#include "network.h"
#include "recording.h"

/* Write a recording whose train and test part show the same movie (T,H,W): counts (N,T), repeats (N,R,T) or NULL, in
 * `stretches` equal stretches of continuous time (train only; 0 or 1: one).  Frames last dt seconds. */
int retc_fixture_recording(const char *path, size_t T, size_t H, size_t W, const float *movie, size_t N, const float *counts,
                           size_t R, const float *repeats, size_t stretches, double dt) RETC_USED;

/* A movie of normal deviates, (T,H,W); retc_free. */
float *retc_fixture_movie(uint64_t seed, size_t T, size_t H, size_t W);

/* The convolutional model with small maps and random, not initial, parameters everywhere. */
retc_network *retc_fixture_network(uint64_t seed, size_t L, size_t H, size_t W, size_t N, double noise);

/* The preset "cnn" with other channels of its two convolutions, sides of their kernels, and noise; 0 for what the preset has.
 * Borrowed, until the next call. */
const retc_architecture *retc_fixture_architecture(size_t channels0, size_t channels1, size_t kernel0, size_t kernel1,
                                                   double noise);

#endif
