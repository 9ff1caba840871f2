#include "published.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixtures.h"
#include "testing.h"

const published_case published_cases[PUBLISHED_CASES] = {
    {"tiny.h5", 0}, {"tiny_wn.h5", 0}, {"bncnn_tiny.h5", 1}, {"medium.h5", 0}};

/* ---- opening --------------------------------------------------------------------------------------------------------- */

static void
weight_shape(const published *g, const char *module, size_t shape[4]) {
    char name[64];
    int rank;
    size_t found[RETC_H5_MAX_RANK];
    snprintf(name, sizeof name, "/state_dict/%s.weight", module);
    ck_ok(retc_h5_shape(g->file, name, &rank, found));
    memcpy(shape, found, 4 * sizeof *shape);
}

/* 0 conv, 1 |batch norm|, 2 noise, 3 ReLU, 4-7 again, 8 conv, 9 |batch norm|, 10 softplus, 11 one position per cell. */
static void
add_retinotopic(published *g) {
    void *position = NULL;
    size_t shape[4];
    static const char *convolutions[3] = {"sequential.0", "sequential.4", "sequential.8"};
    for (int i = 0; i < 3; ++i) {
        weight_shape(g, convolutions[i], shape);
        ck_ok(retc_network_add_conv(g->network, shape[0], shape[2], shape[3], 1, 0));
        ck_ok(retc_network_add_batchnorm(g->network, 0, 1, 1e-3));
        if (i < 2) {
            ck_ok(retc_network_add_noise(g->network, 0));
            ck_ok(retc_network_add_simple(g->network, RETC_LAYER_RELU));
        }
    }
    ck_ok(retc_network_add_simple(g->network, RETC_LAYER_SOFTPLUS));
    ck_ok(retc_h5_read_new(g->file, "/onehot", RETC_H5_INT64, 2, shape, &position));
    ck_ok(retc_network_add_grab(g->network, position));
    retc_free(position);
}

/* 0 conv, 2 batch norm per unit, 4 noise, 5 ReLU, 6 conv, 8, 10, 11 again, 13 linear, 14 batch norm, 15 softplus. */
static void
add_flat(published *g) {
    size_t shape[4];
    static const char *convolutions[2] = {"sequential.0", "sequential.6"};
    for (int i = 0; i < 2; ++i) {
        weight_shape(g, convolutions[i], shape);
        ck_ok(retc_network_add_conv(g->network, shape[0], shape[2], shape[3], 1, 0));
        retc_network_skip_module(g->network);
        ck_ok(retc_network_add_batchnorm(g->network, 1, 0, 1e-3));
        retc_network_skip_module(g->network);
        ck_ok(retc_network_add_noise(g->network, 0));
        ck_ok(retc_network_add_simple(g->network, RETC_LAYER_RELU));
    }
    retc_network_skip_module(g->network);
    weight_shape(g, "sequential.13", shape);
    ck_ok(retc_network_add_conv(g->network, shape[0], 0, 0, 0, 1));
    ck_ok(retc_network_add_batchnorm(g->network, 1, 0, 1e-3));
    ck_ok(retc_network_add_simple(g->network, RETC_LAYER_SOFTPLUS));
}

static void
read_parameters(published *g) {
    for (size_t i = 0; i < g->network->params; ++i) {
        const retc_param *param = &g->network->param[i];
        char name[96];
        snprintf(name, sizeof name, "/state_dict/%s", param->name);
        ck_ok(retc_h5_expect(g->file, name, param->rank, param->shape, NULL));
        ck_ok(retc_h5_read(g->file, name, RETC_H5_FLOAT, NULL, NULL, g->network->value + param->offset));
    }
}

int
published_open(const published_case *c, published *g) {
    char shared[64];
    snprintf(shared, sizeof shared, "goldens/%s", c->file);
    const char *path = retc_test_golden(c->file) ? retc_test_golden(c->file) : retc_test_shared(shared);
    *g = (published){0};
    if (!path)
        return 0;
    g->file = retc_h5_open(path);
    ck_assert_ptr_nonnull(g->file);
    size_t movie[3], window[4], U;
    void *frames = NULL;
    ck_ok(retc_h5_read_new(g->file, "/stimulus", RETC_H5_FLOAT, 3, movie, &frames));
    ck_ok(retc_h5_expect(g->file, "/cells", 1, NULL, &U));
    weight_shape(g, "sequential.0", window);
    g->T = movie[0];
    g->windows = movie[0] - window[1];
    g->network = retc_network_alloc("golden", window[1], movie[1], movie[2], U);
    ck_assert_ptr_nonnull(g->network);
    if (c->flat)
        add_flat(g);
    else
        add_retinotopic(g);
    ck_ok(retc_network_finish(g->network));
    read_parameters(g);
    ck_ok(retc_h5_read(g->file, "/norm_stats/mean", RETC_H5_DOUBLE, NULL, NULL, &g->network->stimulus_mean));
    ck_ok(retc_h5_read(g->file, "/norm_stats/std", RETC_H5_DOUBLE, NULL, NULL, &g->network->stimulus_std));
    void *margin = NULL;
    ck_ok(retc_h5_read_new(g->file, "/expected/relu_margin", RETC_H5_DOUBLE, 1, NULL, &margin));
    g->margin = margin;
    const char *recording = retc_test_path("golden-recording.h5");
    float *counts = retc_calloc(U * g->T, sizeof *counts);
    ck_ok(retc_fixture_recording(recording, g->T, movie[1], movie[2], frames, U, counts, 0, NULL, 1, 0.01));
    g->recording = retc_recording_open(recording, 0);
    ck_assert_msg(g->recording != NULL, "%s", retc_error_message());
    retc_free(frames);
    retc_free(counts);
    return 1;
}

void
published_close(published *g) {
    retc_recording_close(g->recording);
    retc_network_free(g->network);
    retc_h5_close(g->file);
    retc_free(g->margin);
}

/* ---- comparing ------------------------------------------------------------------------------------------------------- */

void
published_compare(const published *g, const char *name, const float *x, size_t n, size_t windows, const int64_t *window) {
    int rank;
    size_t shape[RETC_H5_MAX_RANK], total = 1;
    double tol = -1, largest = 0;
    ck_ok(retc_h5_shape(g->file, name, &rank, shape));
    for (int d = 0; d < rank; ++d)
        total *= shape[d];
    ck_assert_msg(total == n * windows && total > 0, "%s holds %zu values, %zu are compared", name, total, n * windows);
    ck_assert_int_eq(retc_h5_get_number(g->file, name, "tol", &tol), 1);
    float *expected = retc_calloc(total, sizeof *expected);
    ck_ok(retc_h5_read(g->file, name, RETC_H5_FLOAT, NULL, NULL, expected));
    for (size_t i = 0; i < total; ++i)
        largest = fmax(largest, fabs((double)expected[i]));
    for (size_t w = 0; w < windows; ++w) {
        double worst = 0, difference = 0, norm = 0;
        for (size_t i = w * n; i < (w + 1) * n; ++i) {
            double d = fabs((double)x[i] - (double)expected[i]);
            ck_assert_msg(isfinite(d), "%s: value %zu is not finite", name, i);
            worst = fmax(worst, d);
            difference += d * d;
            norm += (double)expected[i] * (double)expected[i];
        }
        int undecided = g->margin[window ? (size_t)window[w] : w] < 1e-5;
        if (undecided)
            ck_assert_msg(sqrt(difference) <= 5e-3 * sqrt(norm) + tol * largest * sqrt((double)n),
                          "%s: window %zu misses by %g of %g", name, w, sqrt(difference), sqrt(norm));
        else
            ck_assert_msg(worst <= (largest > 0 ? tol * largest : 1e-6), "%s: window %zu misses by %g, allowed %g", name, w,
                          worst, tol * largest);
    }
    retc_free(expected);
}
