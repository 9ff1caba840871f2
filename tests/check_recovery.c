/* Planted subunits come back from a fit: cells that add up rectified subunits of two types, LN-LN. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "architecture.h"
#include "fit.h"
#include "fixtures.h"
#include "rng.h"
#include "testing.h"

enum { T = 50000, L = 5, SIDE = 7, AREA = SIDE * SIDE, KERNEL = 3, MAP = SIDE - KERNEL + 1, TYPES = 2, N = 2 };
static const double DT = 0.02, HZ = 25;
enum { FILTER = L * KERNEL * KERNEL };

/* Filter of a type of subunits, (L,KERNEL,KERNEL), oldest frame first and of unit norm: fast ON or slow OFF, larger than a
 * pixel. */
static void
plant(size_t type, double *w) {
    double squares = 0;
    for (size_t i = 0; i < FILTER; ++i) {
        double ago = (double)(L - 1 - i / (KERNEL * KERNEL)), y = (double)(i / KERNEL % KERNEL) - 1,
               x = (double)(i % KERNEL) - 1;
        double time = type ? -exp(-(ago - 2) * (ago - 2) / 2) : exp(-ago * ago) - 0.5 * exp(-(ago - 2) * (ago - 2));
        double centre = type ? 0.4 : -0.3;
        w[i] = time * exp(-((x - centre) * (x - centre) + (y + centre) * (y + centre)));
        squares += w[i] * w[i];
    }
    for (size_t i = 0; i < FILTER; ++i)
        w[i] /= sqrt(squares);
}

/* Spikes per frame of cell j: its place in the map decides which subunits it takes. */
static double
planted_count(const float *movie, double w[TYPES][FILTER], size_t t, size_t j) {
    double sum = 0;
    for (size_t type = 0; type < TYPES; ++type)
        for (size_t p = 0; p < MAP * MAP; ++p) {
            double y = (double)(p / MAP) - 1.5 - (double)j, x = (double)(p % MAP) - 2.5 + (double)j, drive = -0.3;
            for (size_t i = 0; i < FILTER; ++i) {
                size_t k = i / (KERNEL * KERNEL), row = p / MAP + i / KERNEL % KERNEL, column = p % MAP + i % KERNEL;
                drive += w[type][i] * (double)movie[(t - L + k) * AREA + row * SIDE + column];
            }
            sum += drive > 0 ? drive * exp(-(x * x + y * y) / 2) : 0;
        }
    return HZ * DT * log1p(exp(sum - 1));
}

static retc_recording *
planted_recording(double w[TYPES][FILTER]) {
    float *movie = retc_fixture_movie(51, T, SIDE, SIDE), *counts = retc_calloc(N * T, sizeof *counts);
    gsl_rng *rng = retc_rng_alloc(52, RETC_STREAM_SPIKES, 0);
    for (size_t type = 0; type < TYPES; ++type)
        plant(type, w[type]);
    for (size_t j = 0; j < N; ++j)
        for (size_t t = L; t < T; ++t)
            counts[j * T + t] = (float)gsl_ran_poisson(rng, planted_count(movie, w, t, j));
    gsl_rng_free(rng);
    const char *path = retc_test_path("subunits.h5");
    ck_ok(retc_fixture_recording(path, T, SIDE, SIDE, movie, N, counts, 0, NULL, 1, DT));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static double
cosine(const float *a, const double *b, size_t n) {
    double aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; ++i)
        aa += (double)a[i] * (double)a[i], bb += b[i] * b[i], ab += (double)a[i] * b[i];
    return ab / sqrt(aa * bb);
}

START_TEST(planted_subunits_are_recovered) {
    double w[TYPES][FILTER];
    retc_recording *recording = planted_recording(w);
    retc_architecture architecture;
    ck_ok(retc_architecture_open("lnln", &architecture));
    architecture.layer[0].channels = TYPES;
    architecture.layer[0].kernel[0] = architecture.layer[0].kernel[1] = KERNEL;
    retc_fit_options options = retc_fit_default();
    options.architecture = &architecture;
    options.history = L, options.epochs = 20, options.output_hz = HZ, options.penalty.l2 = 1e-4;
    retc_network *network = retc_fit_network(recording, &options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    retc_fit_report report;
    ck_ok(retc_fit_run(network, recording, &options, NULL, NULL, &report));
    const float *found = retc_network_values_const(network, network->layer[0].weight);
    for (size_t type = 0; type < TYPES; ++type) { /* batch norm takes any scale, and may turn the sign */
        double best = 0;
        for (size_t channel = 0; channel < TYPES; ++channel)
            best = fmax(best, fabs(cosine(found + channel * FILTER, w[type], FILTER)));
        ck_assert_msg(best > 0.98, "type %zu: %g", type, best);
    }
    retc_fit_report_clear(&report);
    retc_network_free(network);
    retc_architecture_clear(&architecture);
    retc_recording_close(recording);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("recovery");
    TCase *cases = tcase_create("subunits");
    tcase_set_timeout(cases, 300);
    tcase_add_test(cases, planted_subunits_are_recovered);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
