/* Modes of a contributions file: planted patterns, layers with nothing in them, the file's layout, and what is refused. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "h5.h"
#include "modes.h"
#include "rng.h"
#include "testing.h"

enum { T = 900, CELLS = 2, PATTERNS = 3 };

/* conv0: three patterns over 8 columns, in turns, with little noise; column 5 is always 0, column 7 always 0.3. */
static const float patterns[PATTERNS][8] = {
    {-0.8f, 0, 0, 0, 0.6f, 0, 0, 0}, {0, -0.6f, 0, 0, 0, 0, 0.8f, 0}, {0, 0, -1, -0.5f, 0, 0, 0, 0}};

static float *
plant(uint64_t seed) {
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_NOISE, 0);
    float *x = retc_calloc(T * 8, sizeof *x);
    for (size_t t = 0; t < T; ++t) {
        size_t which = gsl_rng_uniform_int(rng, 2 * PATTERNS); /* half of the samples hold none */
        double size = 2.5 * (0.9 + 0.1 * gsl_rng_uniform(rng));
        for (size_t f = 0; f < 8; ++f) {
            double value = f == 5 ? 0 : f == 7 ? 0.3 : gsl_ran_gaussian(rng, 0.02);
            if (which < PATTERNS && f != 7)
                value += size * (double)patterns[which][f];
            x[t * 8 + f] = (float)value;
        }
    }
    gsl_rng_free(rng);
    return x;
}

static void
put(retc_h5 *file, const char *name, int rank, size_t rows, size_t columns, const float *data) {
    ck_ok(retc_h5_put(file, name, RETC_H5_FLOAT, rank, (const size_t[]){rows, columns}, data));
}

/* conv0 as above, conv1 of two columns, conv2 all zero. */
static const char *
write_contributions(const char *name, const char *target) {
    const char *path = retc_test_path(name);
    char text[128];
    float *x = plant(4), *two = retc_calloc(T * 2, sizeof *two), *zero = retc_calloc(T * 6, sizeof *zero);
    double *time = retc_calloc(T, sizeof *time);
    for (size_t t = 0; t < T; ++t) {
        time[t] = 0.4 + 0.01 * (double)t;
        two[2 * t] = fminf(x[t * 8], 0);
        two[2 * t + 1] = fmaxf(x[t * 8 + 6], 0);
    }
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    snprintf(text, sizeof text, "/%s_contributions/conv0", target);
    put(file, text, 2, T, 8, x);
    snprintf(text, sizeof text, "/%s_contributions/conv1", target);
    put(file, text, 2, T, 2, two);
    snprintf(text, sizeof text, "/%s_contributions/conv2", target);
    put(file, text, 2, T, 6, zero);
    put(file, "/activations/conv0", 2, T, 8, x);
    put(file, "/metadata/scalar_target_sums", 1, T, 0, x);
    put(file, "/metadata/model_responses_all_cells", 2, T, CELLS, two);
    put(file, "/metadata/actual_responses_all_cells", 2, T, CELLS, zero);
    const int64_t cells[CELLS] = {3, 5}, n = CELLS;
    const size_t length = T, n_cells = CELLS;
    ck_ok(retc_h5_put(file, "/metadata/cells_list", RETC_H5_INT64, 1, &n_cells, cells));
    ck_ok(retc_h5_put(file, "/metadata/n_cells", RETC_H5_INT64, 0, NULL, &n));
    ck_ok(retc_h5_put(file, "/metadata/time", RETC_H5_DOUBLE, 1, &length, time));
    const char *names[CELLS] = {"cell04", "cell06"};
    ck_ok(retc_h5_put_texts(file, "/metadata/cell_names", CELLS, names));
    ck_ok(retc_h5_put_text(file, "/metadata/dataset", "15-10-07"));
    ck_ok(retc_h5_put_text(file, "/metadata/attribution_method", "surprisal_single_target"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_free(x);
    retc_free(two);
    retc_free(zero);
    retc_free(time);
    return path;
}

static void
read_and_fit(const char *path, const retc_modes_options *options, retc_modes *modes) {
    retc_h5 *file = retc_h5_open(path);
    ck_assert_msg(file != NULL, "%s", retc_error_message());
    ck_ok(retc_modes_read(file, modes));
    retc_h5_close(file);
    ck_ok(retc_modes_fit(modes, options, NULL));
}

/* ---- fits ------------------------------------------------------------------------------------------------------------ */

/* Recompute what is reported of a layer from what is stored of it. */
static void
check_report(const retc_modes_layer *layer) {
    double mean = 0, squares = 0, errors = 0, variance = 0, firing = 0;
    size_t n = layer->T * layer->F, M = layer->alive, active = 0;
    for (size_t i = 0; i < n; ++i)
        mean += (double)layer->original[i] / (double)n;
    for (size_t i = 0; i < n; ++i)
        squares += pow((double)layer->original[i] - mean, 2);
    ck_assert_double_eq_tol(layer->mean, mean, 1e-12);
    ck_assert_double_eq_tol(layer->std, sqrt(squares / (double)n), 1e-12);
    for (size_t i = 0; i < n; ++i) { /* reconstruction = codes times dictionary, terms of size 1 */
        double sum = 0, x = (double)layer->original[i] / layer->std;
        for (size_t m = 0; m < layer->alive; ++m)
            sum += (double)layer->codes[i / layer->F * M + m] * (double)layer->dictionary[m * layer->F + i % layer->F];
        ck_assert_double_eq_tol(sum, (double)layer->reconstruction[i], 1e-5);
        ck_assert_double_eq_tol(x, (double)layer->normalized[i], 1e-6 * fabs(x) + 1e-12);
        errors += pow(sum - x, 2) / (double)n;
        variance += pow(x - mean / layer->std, 2) / (double)n;
    }
    ck_assert_double_eq_tol(layer->r2, 1 - errors / (variance + 1e-6), 1e-5);
    for (size_t m = 0; m < layer->alive; ++m) {
        size_t on = 0;
        for (size_t t = 0; t < layer->T; ++t) {
            float z = layer->codes[t * layer->alive + m];
            ck_assert(z == 0 || (double)z >= 0.9 - 1e-7);
            on += z > 0;
        }
        ck_assert_double_eq_tol(layer->activity[layer->atom[m]], (double)on / (double)layer->T, 1e-12);
        ck_assert_uint_gt(on, 0);
        ck_assert(m == 0 || layer->atom[m] > layer->atom[m - 1]);
        active += (double)on > 0.01 * (double)layer->T;
        firing += (double)on;
    }
    ck_assert_uint_eq(layer->active, active);
    ck_assert_double_eq_tol(layer->mean_l0, firing / (double)layer->T, 1e-12);
}

START_TEST(test_fit) {
    const char *path = write_contributions("contributions.h5", "surprisal");
    retc_modes_options options = retc_modes_options_default();
    retc_modes one, three;
    options.threads = 1;
    read_and_fit(path, &options, &one);
    options.threads = 3;
    read_and_fit(path, &options, &three);
    ck_assert_str_eq(one.target, "surprisal");
    ck_assert_uint_eq(one.n_layers, 3);
    ck_assert(retc_modes_converged(&one));
    for (size_t i = 0; i < 2; ++i) {
        const retc_modes_layer *layer = &one.layer[i];
        printf("%s: R2 %.3f, mean L0 %.2f, %zu alive, %zu active\n", layer->name, layer->r2, layer->mean_l0, layer->alive,
               layer->active);
        ck_assert_uint_eq(layer->T, T);
        ck_assert_uint_eq(layer->starts, 1);
        check_report(layer);
        ck_assert_double_ge(layer->r2, 0.92);
        ck_assert_uint_eq(three.layer[i].alive, layer->alive);
        ck_assert_mem_eq(three.layer[i].codes, layer->codes, T * layer->alive * sizeof(float));
        ck_assert_mem_eq(three.layer[i].sae->parameters, layer->sae->parameters, layer->sae->size * sizeof(float));
    }
    /* Nothing but zeros: explained by no mode at all. */
    const retc_modes_layer *layer = &one.layer[2];
    ck_assert(layer->alive == 0 && layer->starts == 0 && layer->r2 == 1 && layer->mean == 0 && layer->std == 1);
    ck_assert_uint_eq(layer->A, 60);
    retc_modes_clear(&one);
    retc_modes_clear(&three);
    ck_assert_ptr_null(one.layer);
}
END_TEST

/* All entries equal: no standard deviation to divide by, but something to explain. */
START_TEST(test_constant_layer) {
    const char *path = retc_test_path("constant.h5");
    float x[40 * 2];
    for (size_t i = 0; i < 40 * 2; ++i)
        x[i] = 0.7f;
    retc_h5 *file = retc_h5_create(path, 1);
    put(file, "/sum_contributions/conv0", 2, 40, 2, x);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_modes_options options = retc_modes_options_default();
    retc_modes modes;
    read_and_fit(path, &options, &modes);
    ck_assert_str_eq(modes.target, "sum");
    const retc_modes_layer *layer = &modes.layer[0];
    ck_assert(layer->std == 1 && layer->normalized[3] == 0.7f);
    ck_assert_uint_gt(layer->alive, 0);
    ck_assert_double_eq_tol((double)layer->reconstruction[3], 0.7, 0.02);
    retc_modes_clear(&modes);
}
END_TEST

/* The published start values, hardly any step and a threshold no code reaches: dead in every start. */
START_TEST(test_dead_fit) {
    const char *path = write_contributions("contributions.h5", "cell");
    retc_modes_options options = retc_modes_options_default();
    options.sae = retc_sae_options_published();
    options.sae.epochs = 1;
    options.threshold = 0.999;
    options.restarts = 2;
    retc_modes modes;
    read_and_fit(path, &options, &modes);
    ck_assert(!retc_modes_converged(&modes));
    ck_assert_uint_eq(modes.layer[0].alive, 0);
    ck_assert_uint_eq(modes.layer[0].starts, 3);
    ck_assert_double_eq_tol(modes.layer[0].r2, 1 - (pow(modes.layer[0].mean / modes.layer[0].std, 2) + 1) / (1 + 1e-6), 1e-5);
    retc_modes_clear(&modes);

    /* The same with calibrated start values lives at once. */
    options.sae.firing = 0.03;
    read_and_fit(path, &options, &modes);
    ck_assert(retc_modes_converged(&modes));
    ck_assert_uint_eq(modes.layer[0].starts, 1);
    retc_modes_clear(&modes);
}
END_TEST

/* ---- file ------------------------------------------------------------------------------------------------------------ */

static void
expect(retc_h5 *file, const char *name, int rank, size_t rows, size_t columns) {
    size_t shape[2] = {0, 0};
    ck_ok(retc_h5_expect(file, name, rank, NULL, shape));
    ck_assert_msg(shape[0] == rows && shape[1] == columns, "%s is (%zu,%zu), expected (%zu,%zu)", name, shape[0], shape[1],
                  rows, columns);
}

static void
check_text(retc_h5 *file, const char *object, const char *attribute, const char *expected) {
    char *text = NULL;
    if (attribute)
        ck_ok(retc_h5_get_text(file, object, attribute, &text));
    else
        ck_ok(retc_h5_read_text(file, object, &text));
    ck_assert_str_eq(text, expected);
    retc_free(text);
}

static void
check_number(retc_h5 *file, const char *object, const char *attribute, double expected) {
    double value = 0;
    ck_assert_int_eq(retc_h5_get_number(file, object, attribute, &value), 1);
    ck_assert_double_eq_tol(value, expected, 1e-6);
}

static void
check_layout(retc_h5 *file, const retc_modes *modes) {
    static const char *const datasets[] = {"original_attributions", "normalized_attributions", "reconstructed_normalized",
                                           "reconstructed_denormalized"};
    for (size_t i = 0; i < 3; ++i) {
        const retc_modes_layer *layer = &modes->layer[i];
        char name[128];
        for (size_t d = 0; d < 4; ++d) {
            snprintf(name, sizeof name, "/conv%zu/%s", i, datasets[d]);
            expect(file, name, 2, T, layer->F);
        }
        snprintf(name, sizeof name, "/conv%zu/codes", i);
        expect(file, name, 2, T, layer->alive);
        snprintf(name, sizeof name, "/conv%zu/dictionary", i);
        expect(file, name, 2, layer->alive, layer->F);
        snprintf(name, sizeof name, "/conv%zu/code_activity", i);
        expect(file, name, 1, 10 * layer->F, 0);
        snprintf(name, sizeof name, "/conv%zu/atom_numbers", i);
        expect(file, name, 1, layer->alive, 0);
        snprintf(name, sizeof name, "/conv%zu/autoencoder/encoder.layers.layer3.weight", i);
        expect(file, name, 2, 10 * layer->F, 16); /* hidden units: no layer here has more columns */
        snprintf(name, sizeof name, "/conv%zu/normalization_stats/std", i);
        ck_ok(retc_h5_expect(file, name, 0, NULL, NULL));
        snprintf(name, sizeof name, "/conv%zu", i);
        check_number(file, name, "r2_score", layer->r2);
        check_number(file, name, "mean_l0", layer->mean_l0);
        check_number(file, name, "n_features", (double)layer->F);
        check_number(file, name, "n_atoms", 10 * (double)layer->F);
        check_number(file, name, "active_atoms", (double)layer->active);
    }
    expect(file, "/target_data/scalar_target_sums", 1, T, 0);
    expect(file, "/target_data/model_responses_all_cells", 2, T, CELLS);
    expect(file, "/target_data/actual_responses_all_cells", 2, T, CELLS);
    expect(file, "/metadata/cells_list", 1, CELLS, 0);
    expect(file, "/metadata/time", 1, T, 0);
    int64_t number = 0;
    ck_ok(retc_h5_read(file, "/metadata/n_timepoints", RETC_H5_INT64, NULL, NULL, &number));
    ck_assert_int_eq(number, T);
    ck_ok(retc_h5_read(file, "/metadata/n_dict_multiplier", RETC_H5_INT64, NULL, NULL, &number));
    ck_assert_int_eq(number, 10);
    ck_ok(retc_h5_read(file, "/metadata/n_cells", RETC_H5_INT64, NULL, NULL, &number));
    ck_assert_int_eq(number, CELLS);
    check_text(file, "/metadata/identifier", NULL, "15-10-07");
    check_text(file, "/metadata", "attribution_method", "surprisal_single_target");
    check_text(file, "/metadata", "target_type", "surprisal");
    check_text(file, "/", "kind", "modes");
    check_number(file, "/", "converged", 1);
    char **names = NULL;
    size_t n = 0;
    ck_ok(retc_h5_read_texts(file, "/metadata/layer_names", &names, &n));
    ck_assert(n == 3 && strcmp(names[2], "conv2") == 0);
    retc_free(names);
    ck_ok(retc_h5_read_texts(file, "/metadata/cell_names", &names, &n));
    ck_assert(n == CELLS && strcmp(names[1], "cell06") == 0);
    retc_free(names);
}

/* The denormalised reconstruction is reconstruction * std; with the published offset the mean is added. */
START_TEST(test_file) {
    const char *path = write_contributions("contributions.h5", "surprisal"), *out = retc_test_path("modes.h5");
    retc_modes_options options = retc_modes_options_default();
    options.sae.epochs = 20;
    retc_modes modes;
    read_and_fit(path, &options, &modes);
    const retc_modes_layer *layer = &modes.layer[0];
    float *found = retc_calloc(T * 8, sizeof *found), *expected = retc_calloc(T * 8, sizeof *expected);
    float *codes = retc_calloc(T * layer->alive, sizeof *codes);
    for (int offset = 0; offset < 2; ++offset) {
        options.published_offset = offset;
        retc_h5 *contributions = retc_h5_open(path), *file = retc_h5_create(out, 1);
        ck_ok(retc_modes_write(&modes, &options, contributions, file));
        ck_ok(retc_h5_commit(file));
        retc_h5_close(file);
        retc_h5_close(contributions);
        file = retc_h5_open(out);
        check_layout(file, &modes);
        ck_ok(retc_h5_read(file, "/conv0/reconstructed_denormalized", RETC_H5_FLOAT, NULL, NULL, found));
        for (size_t i = 0; i < T * 8; ++i)
            expected[i] = (float)((double)layer->reconstruction[i] * layer->std + offset * layer->mean);
        ck_close_float("denormalised", found, expected, T * 8, 0, 1e-6);
        ck_ok(retc_h5_read(file, "/conv0/codes", RETC_H5_FLOAT, NULL, NULL, codes));
        ck_assert_mem_eq(codes, layer->codes, T * layer->alive * sizeof *codes);
        retc_h5_close(file);
    }
    retc_free(found);
    retc_free(expected);
    retc_free(codes);
    retc_modes_clear(&modes);
}
END_TEST

/* A file that holds only the contributions gives modes without the rest. */
START_TEST(test_bare_file) {
    const char *path = retc_test_path("bare.h5");
    float *x = plant(9);
    retc_h5 *file = retc_h5_create(path, 1);
    put(file, "/entropy_contributions/only", 2, T, 8, x);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_modes_options options = retc_modes_options_default();
    options.sae.epochs = 5;
    retc_modes modes;
    read_and_fit(path, &options, &modes);
    retc_h5 *contributions = retc_h5_open(path);
    file = retc_h5_create(retc_test_path("modes.h5"), 1);
    ck_ok(retc_modes_write(&modes, &options, contributions, file));
    ck_assert(retc_h5_has(file, "/only/codes") && !retc_h5_has(file, "/metadata/time") && !retc_h5_has(file, "/target_data"));
    retc_h5_close(file);
    retc_h5_close(contributions);
    retc_modes_clear(&modes);
    retc_free(x);
}
END_TEST

/* ---- refusals -------------------------------------------------------------------------------------------------------- */

START_TEST(test_refusals) {
    static const struct {
        const char *first, *second, *says;
        size_t rows; /* of the second */
        int bad;     /* a value that is not a number in the second */
    } cases[] = {{"/activations/conv0", "/gradients/conv0", "no group", 10, 0},
                 {"/sum_contributions/conv0", "/cell_contributions/conv0", "has both", 10, 0},
                 {"/sum_contributions/conv0", "/sum_contributions/conv1", "is (9,2), expected (10,any)", 9, 0},
                 {"/sum_contributions/conv0", "/sum_contributions/conv1", "is nan at sample 4, column 1", 10, 1},
                 {"/sum_contributions/conv0/deep", "/sum_contributions/conv1", "is not a dataset", 10, 0}};
    const float x[20] = {0};
    float broken[20] = {0};
    broken[9] = NAN;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        const char *path = retc_test_path("refused.h5");
        retc_h5 *file = retc_h5_create(path, 1);
        put(file, cases[i].first, 2, 10, 2, x);
        put(file, cases[i].second, 2, cases[i].rows, 2, cases[i].bad ? broken : x);
        ck_ok(retc_h5_commit(file));
        retc_h5_close(file);
        file = retc_h5_open(path);
        retc_modes modes;
        ck_fails(retc_modes_read(file, &modes), cases[i].says);
        ck_assert_ptr_null(modes.layer);
        retc_h5_close(file);
    }
    retc_h5 *file = retc_h5_create(retc_test_path("refused.h5"), 1);
    put(file, "/sum_contributions/conv0", 2, 0, 2, x);
    retc_modes modes;
    ck_fails(retc_modes_read(file, &modes), "is empty");
    retc_h5_close(file);
}
END_TEST

START_TEST(test_refused_options) {
    const char *path = write_contributions("contributions.h5", "sum");
    retc_h5 *file = retc_h5_open(path);
    retc_modes modes;
    ck_ok(retc_modes_read(file, &modes));
    retc_h5_close(file);
    retc_modes_options options = retc_modes_options_default();
    options.multiplier = 0;
    ck_fails(retc_modes_fit(&modes, &options, NULL), "0 atoms per feature");
    options.multiplier = 10;
    options.threshold = 1;
    ck_fails(retc_modes_fit(&modes, &options, NULL), "layer conv0");
    retc_modes_clear(&modes);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("modes");
    TCase *tcase = tcase_create("fit");
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, test_fit);
    tcase_add_test(tcase, test_constant_layer);
    tcase_add_test(tcase, test_dead_fit);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("file");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, test_file);
    tcase_add_test(tcase, test_bare_file);
    tcase_add_test(tcase, test_refusals);
    tcase_add_test(tcase, test_refused_options);
    suite_add_tcase(suite, tcase);
    return retc_test_main(suite, NULL);
}
