/* How errors of contributions fall with what they cost, as a table that convergence.gp draws; `make convergence` runs both.
 *
 *     convergence TABLE [MODEL]
 *
 * Contributions to surprisal, by trapezia and by secants of 1, 2, 4 ... steps, and by as many secants as every sample needs at
 * several tolerances, against those of 4096 secants.  The model is that of the other benchmarks, or MODEL.  Costs are passes
 * forward or backward through the layers above the first convolution. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contribute.h"
#include "figure_table.h"
#include "model.h"
#include "model_file.h"

enum { SAMPLES = 16, VERY_MANY = 4096, MOST_STEPS = 256, CUTS = 16 };

typedef struct {
    retc_network *network;
    retc_recording *recording;
    retc_target target;
    size_t cuts, cut[CUTS], passes[SAMPLES];
    float *map[CUTS];               /* (SAMPLES,units) */
    double residual, target_change; /* mean |residual|, mean |t(x) - t(x0)| */
} experiment;

static int
keep(void *context, const retc_contribution *b) {
    experiment *e = context;
    memcpy(e->passes + b->sample, b->passes, b->n * sizeof *b->passes);
    for (size_t k = 0; k < e->cuts; ++k)
        for (size_t u = 0, units = retc_layer_units(&e->network->layer[e->cut[k]]); u < units; ++u)
            for (size_t t = 0; t < b->n; ++t)
                e->map[k][(b->sample + t) * units + u] = b->map[k][u * b->map_ld + t];
    for (size_t t = 0; t < b->n; ++t) {
        e->residual += fabs(b->residual[0][t]) / SAMPLES;
        e->target_change += fabs(b->target[t] - b->target_zero[t]) / SAMPLES;
    }
    return RETC_OK;
}

static void
run(experiment *e, retc_path_rule rule, size_t steps, double tolerance) {
    retc_contribute_options options = retc_contribute_default();
    options.rule = rule, options.steps = steps, options.tolerance = tolerance;
    e->residual = e->target_change = 0;
    retc_bench_check(retc_contribute(e->network, e->recording, RETC_TEST, &e->target, &options, keep, e, NULL));
}

static experiment
begin(const char *model, const char *path) {
    experiment e = {.network = model ? retc_network_open(model) : retc_bench_network(0)};
    retc_bench_check(RETC_GOT(e.network));
    retc_recording *other = retc_bench_recording(path, 512);
    retc_bench_check(retc_target_init_surprisal(&e.target, e.network, other, RETC_TRAIN, 0, 0, NULL));
    retc_recording_close(other);
    e.recording = retc_bench_recording(path, SAMPLES);
    e.cuts = retc_contribute_cuts(e.network, RETC_AT_CONVOLUTION, e.cut);
    for (size_t k = 0; k < e.cuts; ++k)
        e.map[k] = retc_bench_room(SAMPLES * retc_layer_units(&e.network->layer[e.cut[k]]), sizeof(float));
    return e;
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

/* A row: mean cost, relative error of the maps of every cut (mean over samples), relative residual. */
static void
print_row(FILE *table, const experiment *e, float *const *truth, double passes) {
    retc_table_number(table, passes);
    for (size_t k = 0; k < e->cuts; ++k) {
        size_t units = retc_layer_units(&e->network->layer[e->cut[k]]);
        double mean = 0;
        for (size_t t = 0; t < SAMPLES; ++t) {
            double difference = 0, norm = 0;
            for (size_t i = t * units; i < (t + 1) * units; ++i) {
                double d = (double)e->map[k][i] - (double)truth[k][i];
                difference += d * d, norm += (double)truth[k][i] * (double)truth[k][i];
            }
            mean += sqrt(difference / norm) / SAMPLES;
        }
        retc_table_number(table, mean);
    }
    retc_table_number(table, e->residual / e->target_change);
    retc_table_end_row(table);
}

static void
print_fixed(FILE *table, experiment *e, float *const *truth, retc_path_rule rule, const char *name) {
    retc_table_block(table, name, "passes error_per_cut residual");
    for (size_t steps = 1; steps <= MOST_STEPS; steps *= 2) {
        run(e, rule, steps, 1);
        print_row(table, e, truth, (double)(2 * steps + 1 + (rule == RETC_TRAPEZIUM)));
    }
}

static void
print_refined(FILE *table, experiment *e, float *const *truth) {
    static const double tolerances[] = {3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4};
    retc_table_block(table, "secants as needed", "passes error_per_cut residual");
    for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; ++i) {
        double passes = 0;
        run(e, RETC_SECANT, 0, tolerances[i]);
        for (size_t t = 0; t < SAMPLES; ++t)
            passes += (double)e->passes[t] / SAMPLES;
        print_row(table, e, truth, passes);
    }
}

int
main(int argc, char **argv) {
    char path[] = "/tmp/retcodec-convergence-XXXXXX";
    int descriptor = argc == 2 || argc == 3 ? mkstemp(path) : -1;
    FILE *table = descriptor < 0 ? NULL : fopen(argv[1], "w");
    if (!table) {
        fprintf(stderr, "usage: convergence TABLE [MODEL]\n");
        return EXIT_FAILURE;
    }
    close(descriptor);
    retc_library_init();
    experiment e = begin(argc > 2 ? argv[2] : NULL, path);
    float *truth[CUTS] = {0};
    run(&e, RETC_SECANT, VERY_MANY, 1);
    for (size_t k = 0; k < e.cuts; ++k) {
        size_t n = SAMPLES * retc_layer_units(&e.network->layer[e.cut[k]]);
        truth[k] = retc_bench_room(n, sizeof(float));
        memcpy(truth[k], e.map[k], n * sizeof(float));
    }
    retc_table_block(table, "figure", "cuts");
    retc_table_number(table, (double)e.cuts);
    retc_table_end_row(table);
    print_fixed(table, &e, truth, RETC_TRAPEZIUM, "trapezia");
    print_fixed(table, &e, truth, RETC_SECANT, "secants");
    print_refined(table, &e, truth);
    for (size_t k = 0; k < e.cuts; ++k)
        retc_free(truth[k]), retc_free(e.map[k]);
    retc_target_clear(&e.target);
    retc_network_free(e.network);
    retc_recording_close(e.recording);
    unlink(path);
    return fclose(table) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
