#include "model.h"

#include <gsl/gsl_randist.h>
#include <stdio.h>
#include <stdlib.h>

#include "fixtures.h"
#include "rng.h"

enum { SIDE2 = SIDE - KERNEL0 - 2 * KERNEL1 + 3 }; /* 16 */

void
retc_bench_check(int status) {
    if (status >= 0)
        return;
    fprintf(stderr, "bench: %s\n", retc_error_message());
    exit(EXIT_FAILURE);
}

void *
retc_bench_room(size_t count, size_t size) {
    void *block = retc_calloc(count, size);
    retc_bench_check(RETC_GOT(block));
    return block;
}

/* Shifts as a fit leaves them: from zero biases every ReLU would have its kink where the path begins, and nowhere else. */
static void
shift_units(retc_network *network) {
    gsl_rng *rng = retc_rng_alloc(1, RETC_STREAM_WEIGHTS, 1);
    retc_bench_check(RETC_GOT(rng));
    for (size_t l = 0; l < network->layers; ++l)
        for (size_t c = 0; network->layer[l].bias != RETC_NO_PARAM && c < network->layer[l].C; ++c)
            retc_network_values(network, network->layer[l].bias)[c] = (float)gsl_ran_gaussian(rng, 0.3);
    gsl_rng_free(rng);
}

retc_network *
retc_bench_network(double noise) {
    size_t position[2 * CELLS];
    retc_network *network = retc_network_alloc("VaryModel", HISTORY, SIDE, SIDE, CELLS);
    retc_bench_check(RETC_GOT(network));
    for (int i = 0; i < 2; ++i) {
        size_t side = i ? KERNEL1 : KERNEL0;
        retc_bench_check(retc_network_add_conv(network, CHANNELS, side, side, 1, 0));
        retc_bench_check(retc_network_add_batchnorm(network, 0, 0, 1e-3));
        if (noise > 0)
            retc_bench_check(retc_network_add_noise(network, noise));
        retc_bench_check(retc_network_add_simple(network, RETC_LAYER_RELU));
    }
    for (size_t j = 0; j < CELLS; ++j)
        position[2 * j] = j % SIDE2, position[2 * j + 1] = 5 * j % SIDE2;
    retc_bench_check(retc_network_add_conv(network, CELLS, KERNEL1, KERNEL1, 0, 0));
    retc_bench_check(retc_network_add_grab(network, position));
    retc_bench_check(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    retc_bench_check(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    retc_bench_check(retc_network_add_scale(network, 10, 0));
    retc_bench_check(retc_network_finish(network));
    retc_bench_check(retc_network_init(network, 1));
    shift_units(network);
    network->lag = LAG, network->stimulus_std = 1, network->frame_interval = 0.01;
    return network;
}

retc_recording *
retc_bench_recording(const char *path, size_t samples) {
    size_t T = HISTORY + LAG - 1 + samples;
    float *movie = retc_fixture_movie(4, T, SIDE, SIDE), *counts = retc_bench_room(CELLS * T, sizeof *counts);
    retc_bench_check(RETC_GOT(movie));
    for (size_t i = 0; i < CELLS * T; ++i)
        counts[i] = (float)(i * 7919 % 11 == 0);
    retc_bench_check(retc_fixture_recording(path, T, SIDE, SIDE, movie, CELLS, counts, 0, NULL, 1, 0.01));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    retc_bench_check(RETC_GOT(recording));
    return recording;
}
