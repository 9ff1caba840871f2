#include "fixtures.h"

#include <math.h>
#include <stdio.h>

#include "rng.h"

static int
put_part(retc_h5 *file, const char *part, size_t T, size_t H, size_t W, const float *movie, size_t N, const float *counts,
         double dt) {
    int status = RETC_OK;
    char name[64];
    double *time = NULL;
    size_t movie_shape[3] = {T, H, W}, counts_shape[2] = {N, T};
    RETC_TRY(RETC_ALLOC(time, T));
    for (size_t t = 0; t < T; ++t)
        time[t] = (double)t * dt;
    snprintf(name, sizeof name, "/%s/stimulus", part);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 3, movie_shape, movie));
    snprintf(name, sizeof name, "/%s/time", part);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_DOUBLE, 1, &T, time));
    snprintf(name, sizeof name, "/%s/response/binned", part);
    RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 2, counts_shape, counts));
done:
    retc_free(time);
    return status;
}

int
retc_fixture_recording(const char *path, size_t T, size_t H, size_t W, const float *movie, size_t N, const float *counts,
                       size_t R, const float *repeats, size_t stretches, double dt) {
    int status = RETC_OK;
    int64_t *start = NULL;
    retc_h5 *file = retc_h5_create(path, 1);
    if (!file)
        return RETC_EIO;
    RETC_TRY(put_part(file, "train", T, H, W, movie, N, counts, dt));
    RETC_TRY(put_part(file, "test", T, H, W, movie, N, counts, dt));
    for (size_t j = 0; repeats && j < N; ++j) {
        char name[64];
        size_t shape[2] = {R, T};
        snprintf(name, sizeof name, "/test/repeats/cell%02zu", j + 1);
        RETC_TRY(retc_h5_put(file, name, RETC_H5_FLOAT, 2, shape, repeats + j * R * T));
    }
    if (stretches > 1) {
        RETC_TRY(RETC_ALLOC(start, stretches));
        for (size_t i = 0; i < stretches; ++i)
            start[i] = (int64_t)(i * (T / stretches));
        RETC_TRY(retc_h5_put(file, "/train/block_start", RETC_H5_INT64, 1, &stretches, start));
    }
    RETC_TRY(retc_h5_commit(file));
done:
    retc_free(start);
    retc_h5_close(file);
    return status;
}

float *
retc_fixture_movie(uint64_t seed, size_t T, size_t H, size_t W) {
    float *movie = retc_calloc(T * H * W, sizeof *movie);
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_STIMULUS, 0);
    for (size_t i = 0; movie && rng && i < T * H * W; ++i)
        movie[i] = (float)gsl_ran_gaussian(rng, 1);
    gsl_rng_free(rng);
    return movie;
}

static int
add_layers(retc_network *network, double noise) {
    int status = RETC_OK;
    size_t kh = network->H > 2 ? 3 : 1, kw = network->W > 2 ? 2 : 1;
    for (int i = 0; i < 2; ++i) {
        RETC_TRY(retc_network_add_conv(network, 4 + (size_t)i, kh, kw, 1, 0));
        RETC_TRY(retc_network_add_batchnorm(network, 0, i, 1e-3)); /* one of each kind: signed and absolute weights */
        RETC_TRY(retc_network_add_noise(network, noise));
        RETC_TRY(retc_network_add_simple(network, RETC_LAYER_RELU));
    }
    retc_network_skip_module(network);
    RETC_TRY(retc_network_add_conv(network, network->N, 0, 0, 0, 1));
    RETC_TRY(retc_network_add_batchnorm(network, 0, 0, 1e-3));
    RETC_TRY(retc_network_add_simple(network, RETC_LAYER_SOFTPLUS));
    RETC_TRY(retc_network_add_scale(network, 7.5, 0));
    RETC_TRY(retc_network_finish(network));
done:
    return status;
}

retc_network *
retc_fixture_network(uint64_t seed, size_t L, size_t H, size_t W, size_t N, double noise) {
    retc_network *network = retc_network_alloc("cnn", L, H, W, N);
    if (!network || add_layers(network, noise) < 0 || retc_network_init(network, seed) < 0) {
        retc_network_free(network);
        return NULL;
    }
    network->stimulus_mean = 0.1, network->stimulus_std = 1.2, network->frame_interval = 0.02;
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_CIRCUIT, 0);
    for (size_t l = 0; l < network->layers; ++l) {
        const retc_layer *layer = &network->layer[l];
        for (size_t c = 0; layer->kind == RETC_LAYER_BATCHNORM && c < layer->C; ++c) {
            retc_network_values(network, layer->weight)[c] = (float)gsl_ran_flat(rng, 0.5, 1.5) * (c % 3 == 1 ? -1.0f : 1.0f);
            retc_network_values(network, layer->bias)[c] = (float)gsl_ran_gaussian(rng, 0.3);
            retc_network_values(network, layer->mean)[c] = (float)gsl_ran_gaussian(rng, 0.3);
            retc_network_values(network, layer->var)[c] = (float)gsl_ran_flat(rng, 0.5, 2);
        }
        for (size_t c = 0; layer->kind == RETC_LAYER_CONV && layer->bias >= 0 && c < layer->C; ++c)
            retc_network_values(network, layer->bias)[c] = (float)gsl_ran_gaussian(rng, 0.3);
    }
    gsl_rng_free(rng);
    return network;
}

const retc_architecture *
retc_fixture_architecture(size_t channels0, size_t channels1, size_t kernel0, size_t kernel1, double noise) {
    static retc_architecture architecture;
    if (retc_architecture_open("cnn", &architecture) < 0 ||
        retc_architecture_set_conv(&architecture, 0, channels0, kernel0) < 0 ||
        retc_architecture_set_conv(&architecture, 1, channels1, kernel1) < 0 ||
        retc_architecture_set_noise(&architecture, noise) < 0)
        return NULL;
    return &architecture;
}
