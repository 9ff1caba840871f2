/* Checkpoints: layers told from names, and what converted models give, against goldens and plain loops. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_file.h"
#include "reference.h"
#include "rng.h"
#include "tape.h"
#include "testing.h"

/* ---- goldens --------------------------------------------------------------------------------------------------------- */

static const char *const goldens[] = {"tiny.h5", "tiny_wn.h5", "bncnn_tiny.h5", "stacked_tiny.h5", "medium.h5"};
enum { GOLDENS = 5, NAME = 200 };

/* How a golden goes through a file before it is run. */
typedef enum { AS_IT_IS, COLLAPSED, EXACT, TORCH, WAYS } way;

static retc_h5 *
open_golden(const char *file) {
    char name[NAME];
    snprintf(name, sizeof name, "goldens/%s", file);
    const char *path = retc_test_shared(name);
    retc_h5 *golden = path ? retc_h5_open(path) : NULL;
    ck_assert(!path || golden);
    return golden;
}

/* The network of a file, or of what is written from it. */
static retc_network *
convert(retc_h5 *file, way how, const char *path) {
    retc_checkpoint_notes notes;
    retc_network *network = retc_checkpoint_read(file, 0, how == COLLAPSED, &notes);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    if (how != AS_IT_IS) {
        retc_h5 *out = retc_h5_create(path, 1);
        ck_assert_ptr_nonnull(out);
        ck_ok(how == COLLAPSED ? retc_checkpoint_write(network, file, out)
                               : retc_checkpoint_write_exact(network, file, &notes, out));
        if (how == TORCH)
            ck_ok(retc_checkpoint_add_torch(network, out));
        ck_ok(retc_h5_commit(out));
        retc_h5_close(out);
        retc_network_free(network);
        network = retc_network_open(path);
        ck_assert_msg(network != NULL, "%s", retc_error_message());
    }
    retc_checkpoint_notes_clear(&notes);
    return network;
}

/* A golden array against the output of a layer (units,ld), one column per window: |x - g| <= tol max|g|, as the goldens ask. */
static void
compare_layer(retc_h5 *file, const char *name, const retc_tape *tape, size_t l, size_t windows) {
    int rank;
    size_t shape[RETC_H5_MAX_RANK], units = retc_layer_units(&tape->network->layer[l]), total = 1;
    double tol = -1;
    ck_ok(retc_h5_shape(file, name, &rank, shape));
    for (int d = 0; d < rank; ++d)
        total *= shape[d];
    ck_assert_msg(total == units * windows, "%s holds %zu values, %zu expected", name, total, units * windows);
    ck_assert_int_eq(retc_h5_get_number(file, name, "tol", &tol), 1);
    ck_assert(tol > 0 && tol < 1e-3);
    float *expected = retc_calloc(total, sizeof *expected), *x = retc_calloc(total, sizeof *x);
    ck_ok(retc_h5_read(file, name, RETC_H5_FLOAT, NULL, NULL, expected));
    retc_tape_complete(tape, l, windows);
    for (size_t t = 0; t < windows; ++t)
        for (size_t u = 0; u < units; ++u)
            x[t * units + u] = tape->out[l][u * tape->ld + t];
    ck_close_float(name, x, expected, total, 0, tol);
    retc_free(expected), retc_free(x);
}

/* Outputs of all convolutions and of the whole, under /expected or /expected/collapsed. */
static void
compare_activations(retc_h5 *file, const char *group, const retc_tape *tape, size_t windows) {
    char name[NAME];
    size_t cut[64], n = retc_network_cuts(tape->network, cut);
    ck_assert_uint_eq(n, 3);
    for (size_t k = 0; k < n; ++k) {
        snprintf(name, sizeof name, "%s/activations/%s", group,
                 tape->network->layer[cut[k]].dense ? "linear" : tape->network->layer[cut[k]].cut);
        compare_layer(file, name, tape, cut[k], windows);
    }
    snprintf(name, sizeof name, "%s/activations/ganglion", group);
    compare_layer(file, name, tape, tape->network->layers - 1, windows);
}

static void
compare_modules(retc_h5 *file, retc_tape *tape) {
    size_t compared = 0;
    for (size_t l = 0; l < tape->network->layers; ++l) {
        char name[NAME];
        snprintf(name, sizeof name, "/expected/modules_window0/%02d", atoi(tape->network->layer[l].module + 11));
        if (!retc_h5_has(file, name))
            continue;
        compare_layer(file, name, tape, l, 1);
        ++compared;
    }
    ck_assert_uint_eq(compared, 12);
}

/* Every layer's activations for every window, whatever file the model came through. */
START_TEST(goldens_give_their_activations) {
    const char *name = goldens[_i / WAYS];
    retc_h5 *file = open_golden(name);
    if (!file)
        retc_skip("no %s", name);
    size_t movie[3];
    void *frames = NULL;
    retc_network *network = convert(file, _i % WAYS, retc_test_path("converted.h5"));
    ck_ok(retc_h5_read_new(file, "/stimulus", RETC_H5_FLOAT, 3, movie, &frames));
    size_t windows = movie[0] - network->L;
    retc_tape *tape = retc_tape_alloc(network, windows, 0, NULL);
    ck_assert_ptr_nonnull(tape);
    retc_tape_load(tape, frames, windows);
    retc_tape_forward(tape, 0, network->layers, windows);
    compare_activations(file, "/expected", tape, windows);
    if (retc_h5_has(file, "/expected/collapsed/activations"))
        compare_activations(file, "/expected/collapsed", tape, windows);
    if (retc_h5_has(file, "/expected/modules_window0"))
        compare_modules(file, tape);
    retc_tape_free(tape);
    retc_free(frames);
    retc_network_free(network);
    retc_h5_close(file);
}
END_TEST

/* The published architecture gives the outputs that came with it; the goldens ask for 2e-5. */
START_TEST(vary_gives_its_outputs) {
    retc_h5 *file = open_golden("vary_checkpoint.h5");
    if (!file)
        retc_skip("no vary_checkpoint.h5");
    retc_checkpoint_notes notes = {0};
    retc_network *network = convert(file, _i, retc_test_path("converted.h5"));
    ck_ok(retc_checkpoint_check(network, file, &notes));
    ck_assert_uint_eq(notes.windows, 6);
    ck_assert_msg(notes.error <= 2e-5, "off by %g", notes.error);
    retc_network_free(network);
    retc_h5_close(file);
}
END_TEST

/* ---- bit by bit ------------------------------------------------------------------------------------------------------ */

static void
same_dataset(retc_h5 *a, retc_h5 *b, const char *name) {
    int rank;
    size_t shape[RETC_H5_MAX_RANK], n = 1;
    void *left = NULL, *right = NULL;
    const char *stored = retc_h5_stored_type(a, name);
    ck_assert_str_eq(stored, retc_h5_stored_type(b, name));
    retc_h5_type type = stored[0] == 'i' ? RETC_H5_INT64 : RETC_H5_FLOAT;
    ck_ok(retc_h5_shape(a, name, &rank, shape));
    ck_ok(retc_h5_expect(b, name, rank, rank ? shape : NULL, NULL));
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    ck_ok(retc_h5_read_new(a, name, type, rank, shape, &left));
    ck_ok(retc_h5_read_new(b, name, type, rank, shape, &right));
    ck_assert_msg(memcmp(left, right, n * (type == RETC_H5_FLOAT ? 4 : 8)) == 0, "%s differs", name);
    retc_free(left), retc_free(right);
}

static void
same_tensors(retc_h5 *a, retc_h5 *b, int all) {
    char **names, name[NAME];
    size_t n, found;
    char **others;
    ck_ok(retc_h5_members(a, "/state_dict", &names, &n));
    ck_ok(retc_h5_members(b, "/state_dict", &others, &found));
    ck_assert(n > 10 && (!all || n == found));
    for (size_t i = 0; i < n; ++i) {
        snprintf(name, sizeof name, "/state_dict/%s", names[i]);
        same_dataset(a, b, name);
    }
    retc_free(names), retc_free(others);
}

/* Export, model file that keeps tensors, export again: nothing has changed. */
START_TEST(round_trips_are_exact) {
    const char *name = _i < GOLDENS ? goldens[_i] : "vary_checkpoint.h5";
    retc_h5 *file = open_golden(name);
    if (!file)
        retc_skip("no %s", name);
    const char *there = retc_test_path("there.h5"), *back = retc_test_path("back.h5");
    retc_network_free(convert(file, EXACT, there));
    retc_h5 *model = retc_h5_open(there);
    retc_network_free(convert(model, TORCH, back));
    retc_h5 *again = retc_h5_open(back);
    same_tensors(file, model, 1);
    same_tensors(file, again, 0); /* counts of batches may be new */
    same_tensors(model, again, 0);
    if (retc_h5_has(file, "/grab_units/coords"))
        same_dataset(file, again, "/grab_units/coords");
    if (retc_h5_has(file, "/check/input"))
        same_dataset(file, again, "/check/input");
    retc_h5_close(again), retc_h5_close(model), retc_h5_close(file);
}
END_TEST

/* ---- made checkpoints ------------------------------------------------------------------------------------------------ */

typedef enum { END, CONV, STACK, LINEAR, NORM, NOISE, RELU, GRAB, SOFTPLUS, EXP, HOT } step_kind;

/* One step of a model: what is computed, and the number of its module in the names of its tensors. */
typedef struct {
    step_kind kind;
    int number;
} step;

enum { L = 3, H = 9, W = 8, N = 4, MOST = 600, STEPS = 20 };

typedef struct {
    const char *type, *hyps;
    int absolute, per_unit, abs_bias; /* of batch norms */
    step steps[STEPS];
} made;

#define IMAGE "\"img_shape\": [3, 9, 8], \"n_units\": 4"

static const made models[] = {
    /* Batch norm per unit, one position per cell; noise keeps its strength, or does not. */
    {"VaryModel",
     "{" IMAGE ", \"bnorm_d\": 1}",
     1,
     1,
     0,
     {{CONV, 0},
      {NORM, 2},
      {NOISE, 4},
      {RELU, 0},
      {CONV, 6},
      {NORM, 8},
      {RELU, 0},
      {CONV, 12},
      {GRAB, 0},
      {NORM, 14},
      {SOFTPLUS, 0}}},
    /* The same with a dense readout. */
    {"VaryModel",
     "{" IMAGE "}",
     1,
     1,
     0,
     {{STACK, 0},
      {NORM, 2},
      {NOISE, 4},
      {RELU, 0},
      {CONV, 6},
      {NORM, 8},
      {NOISE, 10},
      {RELU, 0},
      {LINEAR, 13},
      {NORM, 14},
      {SOFTPLUS, 0}}},
    /* The oldest form, with and without noise. */
    {"BNCNN",
     "{" IMAGE "}",
     0,
     1,
     0,
     {{CONV, 0},
      {NORM, 2},
      {NOISE, 3},
      {RELU, 0},
      {CONV, 6},
      {NORM, 8},
      {NOISE, 9},
      {RELU, 0},
      {LINEAR, 11},
      {NORM, 12},
      {SOFTPLUS, 0}}},
    {"LinearStackedBNCNN",
     "{" IMAGE "}",
     1,
     1,
     0,
     {{STACK, 0}, {NORM, 2}, {RELU, 0}, {STACK, 6}, {NORM, 8}, {RELU, 0}, {LINEAR, 11}, {NORM, 12}, {SOFTPLUS, 0}}},
    /* Batch norm behind ReLU, per channel and per unit. */
    {"VaryModel",
     "{" IMAGE ", \"bnaftrelu\": true}",
     1,
     0,
     0,
     {{CONV, 0},
      {NOISE, 1},
      {RELU, 0},
      {NORM, 3},
      {CONV, 4},
      {RELU, 0},
      {NORM, 7},
      {CONV, 8},
      {GRAB, 0},
      {NORM, 10},
      {SOFTPLUS, 0}}},
    {"BNCNN",
     "{" IMAGE ", \"bnaftrelu\": true}",
     0,
     1,
     0,
     {{CONV, 0}, {RELU, 0}, {NORM, 4}, {CONV, 6}, {RELU, 0}, {NORM, 10}, {LINEAR, 12}, {NORM, 13}, {SOFTPLUS, 0}}},
    /* Positive shifts, and exp of the output. */
    {"VaryModel",
     "{" IMAGE ", \"abs_bias\": true, \"inference_exp\": true}",
     1,
     0,
     1,
     {{STACK, 0},
      {NORM, 1},
      {NOISE, 2},
      {RELU, 0},
      {CONV, 4},
      {NORM, 5},
      {NOISE, 6},
      {RELU, 0},
      {CONV, 8},
      {GRAB, 0},
      {NORM, 10},
      {SOFTPLUS, 0},
      {EXP, 0}}},
    /* Exponential in place of softplus. */
    {"VaryModel",
     "{" IMAGE ", \"softplus\": false}",
     1,
     0,
     0,
     {{CONV, 0}, {NORM, 1}, {RELU, 0}, {CONV, 4}, {NORM, 5}, {RELU, 0}, {CONV, 8}, {GRAB, 0}, {NORM, 10}, {EXP, 0}}},
    /* Spatial weights. */
    {"RetinotopicModel",
     "{" IMAGE "}",
     1,
     0,
     0,
     {{CONV, 0},
      {NORM, 1},
      {NOISE, 2},
      {RELU, 0},
      {STACK, 4},
      {NORM, 5},
      {NOISE, 6},
      {RELU, 0},
      {CONV, 8},
      {NORM, 9},
      {SOFTPLUS, 0},
      {HOT, 11}}},
};
enum { MODELS = sizeof models / sizeof *models };

/* Maps while a model is written and computed at once: step by step, in double, by definition. */
typedef struct {
    retc_h5 *file;
    gsl_rng *rng;
    const made *model;
    size_t C, h, w, convolutions;
    double x[MOST];
} maps;

/* Random values under a name, stored as floats. */
static float *
put(maps *m, int number, const char *tensor, int rank, const size_t *shape, double mean, double spread) {
    char name[NAME];
    size_t n = 1;
    for (int d = 0; d < rank; ++d)
        n *= shape[d];
    float *values = retc_calloc(n, sizeof *values);
    for (size_t i = 0; i < n; ++i)
        values[i] = (float)(mean + gsl_ran_flat(m->rng, -spread, spread));
    snprintf(name, sizeof name, "/state_dict/sequential.%d.%s", number, tensor);
    ck_ok(retc_h5_put(m->file, name, RETC_H5_FLOAT, rank, shape, values));
    return values;
}

static void
correlate(maps *m, int number, const char *prefix, size_t K, size_t kh, size_t kw, int with_bias) {
    char weight_name[NAME], bias_name[NAME];
    snprintf(weight_name, sizeof weight_name, "%sweight", prefix);
    snprintf(bias_name, sizeof bias_name, "%sbias", prefix);
    float *weight = put(m, number, weight_name, 4, (size_t[]){K, m->C, kh, kw}, 0, 0.6);
    float *bias = with_bias ? put(m, number, bias_name, 1, &K, 0, 0.5) : NULL;
    double y[MOST];
    size_t h = m->h - kh + 1, w = m->w - kw + 1;
    for (size_t k = 0; k < K; ++k)
        for (size_t i = 0; i < h; ++i)
            for (size_t j = 0; j < w; ++j) {
                double sum = bias ? (double)bias[k] : 0;
                for (size_t c = 0; c < m->C; ++c)
                    for (size_t p = 0; p < kh; ++p)
                        for (size_t q = 0; q < kw; ++q)
                            sum += (double)weight[((k * m->C + c) * kh + p) * kw + q] * m->x[(c * m->h + i + p) * m->w + j + q];
                y[(k * h + i) * w + j] = sum;
            }
    m->C = K, m->h = h, m->w = w;
    memcpy(m->x, y, sizeof y);
    retc_free(weight), retc_free(bias);
}

static void
normalise(maps *m, int number, const char *prefix, int absolute, int per_unit, int abs_bias, double eps) {
    static const char *const names[2][2] = {{"weight", "bias"}, {"scale", "shift"}};
    char name[4][NAME];
    size_t area = m->h * m->w, n = per_unit ? m->C * area : m->C;
    snprintf(name[0], NAME, "%srunning_mean", prefix);
    snprintf(name[1], NAME, "%srunning_var", prefix);
    snprintf(name[2], NAME, "%s%s", prefix, names[absolute][0]);
    snprintf(name[3], NAME, "%s%s", prefix, names[absolute][1]);
    float *mean = put(m, number, name[0], 1, &n, 0.1, 0.5), *var = put(m, number, name[1], 1, &n, 1, 0.8);
    float *scale = put(m, number, name[2], 1, &n, 0.2, 1), *shift = put(m, number, name[3], 1, &n, 0, 0.7);
    for (size_t i = 0; i < m->C * area; ++i) {
        size_t f = per_unit ? i : i / area;
        double s = (double)scale[f], b = (double)shift[f];
        m->x[i] =
            (m->x[i] - (double)mean[f]) / sqrt((double)var[f] + eps) * (absolute ? fabs(s) : s) + (abs_bias ? fabs(b) : b);
    }
    if (!absolute) {
        char tracked[NAME];
        snprintf(tracked, sizeof tracked, "/state_dict/sequential.%d.%snum_batches_tracked", number, prefix);
        ck_ok(retc_h5_put(m->file, tracked, RETC_H5_INT64, 0, NULL, &(int64_t){7}));
    }
    retc_free(mean), retc_free(var), retc_free(scale), retc_free(shift);
}

/* A dense readout of all units, or the positions 0 ... N-1 of their channels, in C order, stored or as centres. */
static void
dense(maps *m, int number) {
    size_t n = m->C * m->h * m->w;
    double y[N];
    float *weight = put(m, number, "weight", 2, (size_t[]){N, n}, 0, 0.3);
    for (size_t k = 0; k < N; ++k) {
        y[k] = 0;
        for (size_t i = 0; i < n; ++i)
            y[k] += (double)weight[k * n + i] * m->x[i];
    }
    memcpy(m->x, y, sizeof y);
    m->C = N, m->h = m->w = 1;
    retc_free(weight);
}

static void
grab(maps *m) {
    int64_t coords[2 * N];
    for (size_t c = 0; c < N; ++c) {
        size_t place = (5 * c + 1) % (m->h * m->w);
        coords[2 * c] = (int64_t)(place / m->w), coords[2 * c + 1] = (int64_t)(place % m->w);
        m->x[c] = m->x[c * m->h * m->w + place];
    }
    ck_ok(retc_h5_put(m->file, "/grab_units/coords", RETC_H5_INT64, 2, (size_t[]){N, 2}, coords));
    m->h = m->w = 1;
}

static void
one_hot(maps *m, int number) {
    size_t area = m->h * m->w;
    float *w = put(m, number, "w", 2, (size_t[]){N, area}, 0, 1);
    for (size_t c = 0; c < N; ++c) {
        double least = HUGE_VAL, total = 0, sum = 0;
        for (size_t l = 0; l < area; ++l)
            least = fmin(least, (double)w[c * area + l]);
        for (size_t l = 0; l < area; ++l) {
            total += (double)w[c * area + l] - least;
            sum += ((double)w[c * area + l] - least) * m->x[c * area + l];
        }
        m->x[c] = sum / total;
    }
    m->h = m->w = 1;
    retc_free(w);
}

static void
take(maps *m, const step *s) {
    static const struct { size_t K, kh, kw; } kernels[3] = {{2, 3, 3}, {3, 3, 2}, {N, 2, 3}};
    size_t units = m->C * m->h * m->w, k = s->kind == CONV || s->kind == STACK ? m->convolutions++ : 0;
    if (s->kind == CONV)
        correlate(m, s->number, "", kernels[k].K, kernels[k].kh, kernels[k].kw, k < 2);
    else if (s->kind == STACK) {
        correlate(m, s->number, "convs.0.", 4, 2, 2, 0);
        normalise(m, s->number, "convs.1.", 1, 0, 0, 1e-5);
        correlate(m, s->number, "convs.3.", kernels[k].K, kernels[k].kh - 1, kernels[k].kw - 1, 1);
    } else if (s->kind == LINEAR)
        dense(m, s->number);
    else if (s->kind == NORM)
        normalise(m, s->number, "", m->model->absolute, m->model->per_unit, m->model->abs_bias, 1e-3);
    else if (s->kind == NOISE)
        retc_free(put(m, s->number, "sigma", 1, (size_t[]){1}, 0.05, 0));
    else if (s->kind == GRAB)
        grab(m);
    else if (s->kind == HOT)
        one_hot(m, s->number);
    for (size_t i = 0; i < units; ++i)
        m->x[i] = s->kind == RELU       ? fmax(m->x[i], 0)
                  : s->kind == SOFTPLUS ? log1p(exp(m->x[i]))
                  : s->kind == EXP      ? exp(m->x[i])
                                        : m->x[i];
}

/* Write a model of random tensors without layers_json, and one window with what plain loops make of it. */
static retc_h5 *
make(const made *model, const char *path, uint64_t seed) {
    maps m = {.file = retc_h5_create(path, 1),
              .rng = retc_rng_alloc(seed, RETC_STREAM_WEIGHTS, 0),
              .model = model,
              .C = L,
              .h = H,
              .w = W};
    int64_t cells[N] = {0, 2, 7, 11};
    double norm[2] = {3, 2}, output[N];
    float window[L * H * W];
    ck_assert_ptr_nonnull(m.file);
    ck_ok(retc_h5_set_text(m.file, "/", "model_type", model->type));
    ck_ok(retc_h5_set_text(m.file, "/", "hyps_json", model->hyps));
    ck_ok(retc_h5_put(m.file, "/cells", RETC_H5_INT64, 1, (size_t[]){N}, cells));
    ck_ok(retc_h5_put(m.file, "/norm_stats/mean", RETC_H5_DOUBLE, 0, NULL, &norm[0]));
    ck_ok(retc_h5_put(m.file, "/norm_stats/std", RETC_H5_DOUBLE, 0, NULL, &norm[1]));
    for (size_t i = 0; i < L * H * W; ++i)
        m.x[i] = (double)(window[i] = (float)gsl_ran_gaussian(m.rng, 1));
    for (const step *s = model->steps; s->kind != END; ++s)
        take(&m, s);
    ck_assert(m.C == N && m.h == 1 && m.w == 1);
    memcpy(output, m.x, sizeof output);
    ck_ok(retc_h5_put(m.file, "/check/input", RETC_H5_FLOAT, 4, (size_t[]){1, L, H, W}, window));
    ck_ok(retc_h5_put(m.file, "/check/output", RETC_H5_DOUBLE, 2, (size_t[]){1, N}, output));
    gsl_rng_free(m.rng);
    return m.file;
}

static void
finish(retc_h5 *file) {
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

/* Sums have some 100 terms of order 1 in float (u = 6e-8), and exp of exp may scale that by its value. */
static void
check_output(retc_network *network, retc_h5 *file) {
    retc_checkpoint_notes notes = {0};
    ck_ok(retc_checkpoint_check(network, file, &notes));
    ck_assert_uint_eq(notes.windows, 1);
    ck_assert(notes.largest > 0.01);
    ck_assert_msg(notes.error <= 2e-5 * notes.largest, "off by %g of %g", notes.error, notes.largest);
}

START_TEST(layers_are_told_from_names) {
    const char *path = retc_test_path("made.h5");
    finish(make(&models[_i / WAYS], path, (uint64_t)_i));
    retc_h5 *file = retc_h5_open(path);
    retc_network *network = convert(file, _i % WAYS, retc_test_path("converted.h5"));
    check_output(network, file);
    ck_assert_str_eq(network->cell_name[2], "cell08");
    ck_assert_int_eq(network->cell_row[3], 11);
    retc_network_free(network);
    retc_h5_close(file);
}
END_TEST

typedef struct {
    char name[64][NAME];
    size_t n;
} dataset_list;

static int
list_dataset(void *context, const char *name, int is_dataset) {
    dataset_list *list = context;
    ck_assert(list->n < 64);
    if (is_dataset)
        snprintf(list->name[list->n++], NAME, "%s", name);
    return RETC_OK;
}

static void
copy_datasets(retc_h5 *from, retc_h5 *to) {
    static dataset_list list;
    list.n = 0;
    ck_ok(retc_h5_visit(from, list_dataset, &list));
    for (size_t i = 0; i < list.n; ++i) {
        int rank;
        size_t shape[RETC_H5_MAX_RANK];
        void *values = NULL;
        const char *stored = retc_h5_stored_type(from, list.name[i]);
        retc_h5_type type = strcmp(stored, "f4") == 0 ? RETC_H5_FLOAT : *stored == 'i' ? RETC_H5_INT64 : RETC_H5_DOUBLE;
        ck_ok(retc_h5_shape(from, list.name[i], &rank, shape));
        ck_ok(retc_h5_read_new(from, list.name[i], type, rank, shape, &values));
        ck_ok(retc_h5_put(to, list.name[i], type, rank, shape, values));
        retc_free(values);
    }
}

/* The list that is told is the one the published checkpoint holds. */
START_TEST(vary_without_its_list) {
    retc_h5 *file = open_golden("vary_checkpoint.h5");
    if (!file)
        retc_skip("no vary_checkpoint.h5");
    char *hyps = NULL;
    const char *path = retc_test_path("nolist.h5");
    retc_h5 *out = retc_h5_create(path, 1);
    copy_datasets(file, out);
    ck_ok(retc_h5_get_text(file, "/", "hyps_json", &hyps));
    ck_ok(retc_h5_set_text(out, "/", "hyps_json", hyps));
    ck_ok(retc_h5_set_text(out, "/", "model_type", "VaryModel"));
    finish(out);
    retc_h5 *bare = retc_h5_open(path);
    retc_checkpoint_notes listed, told;
    retc_network *a = retc_checkpoint_read(file, 0, 0, &listed), *b = retc_checkpoint_read(bare, 0, 0, &told);
    ck_assert_msg(a && b, "%s", retc_error_message());
    ck_assert(!listed.inferred && told.inferred && told.n_ignored == 0 && told.stacks == 2);
    ck_assert_uint_eq(a->layers, b->layers);
    for (size_t l = 0; l < a->layers; ++l) {
        ck_assert_int_eq(a->layer[l].kind, b->layer[l].kind);
        ck_assert_str_eq(a->layer[l].module, b->layer[l].module);
    }
    ck_assert_int_eq(memcmp(a->value, b->value, a->values * sizeof *a->value), 0);
    retc_checkpoint_notes_clear(&listed), retc_checkpoint_notes_clear(&told);
    retc_network_free(a), retc_network_free(b), retc_free(hyps);
    retc_h5_close(bare), retc_h5_close(file);
}
END_TEST

/* Centres of 15-11-21b and the positions that the published model uses for them (FORMATS 1 and 4.1), kernels 15, 11, 11. */
START_TEST(positions_come_from_centres) {
    static const int64_t centres[] = {16, 13, 20, 12, 19, 7,  19, 3,  21, 7,  22, 6,  21, 7,  25, 3,  23,
                                      6,  26, 4,  24, 6,  26, 7,  27, 9,  26, 9,  27, 11, 26, 13, 24, 10};
    static const size_t published[] = {0, 0, 2, 0, 1, 0, 1, 0, 3, 0, 4, 0, 3, 0, 7, 0, 5,
                                       0, 8, 0, 6, 0, 8, 0, 9, 0, 8, 0, 9, 0, 8, 0, 6, 0};
    static const char layers[] = "[{\"name\":\"sequential.0\",\"class\":\"Conv2d\"},{\"name\":\"sequential.1\",\"class\":"
                                 "\"Conv2d\"},{\"name\":\"sequential.2\",\"class\":\"Conv2d\"},{\"name\":\"sequential.3\","
                                 "\"class\":\"GrabUnits\"}]";
    enum { CELLS = 17 };
    const char *path = retc_test_path("centres.h5");
    static const size_t shapes[3][4] = {{1, 1, 15, 15}, {1, 1, 11, 11}, {CELLS, 1, 11, 11}};
    int64_t cells[CELLS] = {0};
    double one = 1;
    retc_h5 *file = retc_h5_create(path, 1);
    for (int k = 0; k < 3; ++k) {
        char name[NAME];
        float *zeros = retc_calloc(CELLS * 225, sizeof *zeros);
        snprintf(name, sizeof name, "/state_dict/sequential.%d.weight", k);
        ck_ok(retc_h5_put(file, name, RETC_H5_FLOAT, 4, shapes[k], zeros));
        retc_free(zeros);
    }
    ck_ok(retc_h5_set_text(file, "/", "model_type", "VaryModel"));
    ck_ok(retc_h5_set_text(file, "/", "hyps_json", "{\"img_shape\": [1, 50, 50]}"));
    ck_ok(retc_h5_set_text(file, "/", "layers_json", layers));
    ck_ok(retc_h5_put(file, "/cells", RETC_H5_INT64, 1, (size_t[]){CELLS}, cells));
    ck_ok(retc_h5_put(file, "/centers", RETC_H5_INT64, 2, (size_t[]){CELLS, 2}, centres));
    ck_ok(retc_h5_put(file, "/norm_stats/mean", RETC_H5_DOUBLE, 0, NULL, &one));
    ck_ok(retc_h5_put(file, "/norm_stats/std", RETC_H5_DOUBLE, 0, NULL, &one));
    finish(file);
    file = retc_h5_open(path);
    for (int exact = 0; exact < 2; ++exact) {
        retc_checkpoint_notes notes;
        retc_network *network = retc_checkpoint_read(file, exact, 0, &notes);
        ck_assert_msg(network != NULL, "%s", retc_error_message());
        ck_assert_int_eq(notes.positions, exact ? RETC_POSITIONS_EXACT : RETC_POSITIONS_PUBLISHED);
        for (size_t i = 0; i < 2 * CELLS; ++i) {
            size_t expected = exact ? (size_t)(centres[i] > 17 ? centres[i] - 17 : 0) : published[i];
            ck_assert_uint_eq(network->layer[3].position[i], expected);
        }
        retc_checkpoint_notes_clear(&notes);
        retc_network_free(network);
    }
    retc_h5_close(file);
}
END_TEST

/* ---- what is wrong --------------------------------------------------------------------------------------------------- */

/* Each case changes a made file before it is closed. */
static const struct {
    const char *name; /* dataset to add, or attribute of the root */
    int rank;         /* -1: attribute */
    size_t shape[4];
    const char *text, *says;
} wrongs[] = {
    {"model_type", -1, {0}, "RNNCNN", "layers of a \"RNNCNN\" cannot be told"},
    {"hyps_json", -1, {0}, "{", "attribute \"hyps_json\" is no JSON"},
    {"hyps_json", -1, {0}, "{}", "has no \"img_shape\""},
    {"hyps_json", -1, {0}, "{\"img_shape\": [3, 9, 8], \"bnaftrelu\": true}", "leaves no room for a ReLU before it"},
    {"layers_json", -1, {0}, "[{\"name\":\"sequential.0\",\"class\":\"Conv3d\"}]", "\"Conv3d\", which is not known here"},
    {"layers_json", -1, {0}, "[{\"name\":\"sequential.1\",\"class\":\"Conv2d\"}]", "sequential.1.weight"},
    {"/state_dict/sequential.3.weight", 4, {2, 2, 1, 1}, NULL, "there is no room for a ReLU between"},
    {"/state_dict/sequential.0.running_mean", 1, {2}, NULL, "contradicts the other tensors of sequential.0"},
    {"/state_dict/sequential.9.w", 2, {N, 12}, NULL, "no room for a softplus before the OneHot"},
    {"/state_dict/sequential.11.scale", 1, {N}, NULL, "are of the same kind"},
    {"/state_dict/sequential.999.weight", 4, {1, 1, 1, 1}, NULL, "module numbers below 256"},
};
enum { WRONGS = sizeof wrongs / sizeof *wrongs, VARY = 7, RETINOTOPIC = 8 };

START_TEST(wrong_checkpoints_are_refused) {
    const char *path = retc_test_path("wrong.h5");
    float zeros[64] = {0};
    retc_h5 *file = make(&models[VARY], path, 1);
    if (wrongs[_i].rank < 0)
        ck_ok(retc_h5_set_text(file, "/", wrongs[_i].name, wrongs[_i].text));
    else
        ck_ok(retc_h5_put(file, wrongs[_i].name, RETC_H5_FLOAT, wrongs[_i].rank, wrongs[_i].shape, zeros));
    finish(file);
    ck_assert_ptr_null(retc_network_open(path));
    ck_assert_msg(strstr(retc_error_message(), wrongs[_i].says) && strstr(retc_error_message(), path),
                  "\"%s\" does not say \"%s\"", retc_error_message(), wrongs[_i].says);
}
END_TEST

/* A OneHot whose weights are all equal is 0/0; tensors of no layer are listed. */
START_TEST(equal_weights_are_refused) {
    made model = models[RETINOTOPIC];
    const char *path = retc_test_path("equal.h5");
    float equal[48];
    for (size_t i = 0; i < 48; ++i)
        equal[i] = i < 12 ? (float)i : 0.25f;
    model.steps[11].number = 12;
    retc_h5 *file = make(&model, path, 2);
    ck_ok(retc_h5_put(file, "/state_dict/sequential.11.w", RETC_H5_FLOAT, 2, (size_t[]){N, 12}, equal));
    ck_ok(retc_h5_set_text(file, "/", "layers_json",
                           "[{\"name\":\"sequential.0\",\"class\":\"Conv2d\"},{\"name\":\"sequential.4\",\"class\":"
                           "\"LinearStackedConv2d\"},{\"name\":\"sequential.8\",\"class\":\"Conv2d\"},"
                           "{\"name\":\"sequential.11\",\"class\":\"OneHot\"}]"));
    finish(file);
    ck_assert_ptr_null(retc_network_open(path));
    ck_assert_msg(strstr(retc_error_message(), "cell 1 in \"/state_dict/sequential.11.w\" are all equal: the average is 0/0"),
                  "%s", retc_error_message());
}
END_TEST

START_TEST(unused_tensors_are_listed) {
    const char *path = retc_test_path("unused.h5");
    float zero = 0;
    retc_checkpoint_notes notes;
    retc_h5 *file = make(&models[VARY], path, 3);
    ck_ok(retc_h5_put(file, "/state_dict/recurrent.0.weight", RETC_H5_FLOAT, 1, (size_t[]){1}, &zero));
    ck_ok(retc_h5_put(file, "/state_dict/sequential.5.momentum", RETC_H5_FLOAT, 1, (size_t[]){1}, &zero));
    finish(file);
    file = retc_h5_open(path);
    retc_network *network = retc_checkpoint_read(file, 0, 0, &notes);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(notes.n_ignored, 2);
    ck_assert_str_eq(notes.ignored[0], "recurrent.0.weight");
    ck_assert_str_eq(notes.ignored[1], "sequential.5.momentum");
    retc_checkpoint_notes_clear(&notes);
    retc_network_free(network);
    retc_h5_close(file);
}
END_TEST

/* ---- new layers ------------------------------------------------------------------------------------------------------ */

/* exp and averages backward: the gradient of the first cell by the window, against central differences of the reference in
 * double.  Step 1e-5: its error is some 1e-10, that of the float gradient some 1e-5 of its largest entry. */
START_TEST(averages_and_exp_have_gradients) {
    made model = models[RETINOTOPIC];
    model.hyps = "{" IMAGE ", \"inference_exp\": true}";
    model.steps[12].kind = EXP;
    const char *path = retc_test_path("gradient.h5");
    finish(make(&model, path, 4));
    retc_h5 *file = retc_h5_open(path);
    retc_network *network = retc_network_read(file);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    check_output(network, file);
    enum { SIZE = L * H * W };
    float frames[SIZE];
    double expected[SIZE], x[SIZE], movie[SIZE], rate[N], *value = retc_calloc(network->values, sizeof *value), delta = 1e-5;
    for (size_t i = 0; i < network->values; ++i)
        value[i] = (double)network->value[i];
    network->stimulus_mean = 0, network->stimulus_std = 1;
    ck_ok(retc_h5_read(file, "/check/input", RETC_H5_FLOAT, NULL, NULL, frames));
    for (size_t i = 0; i < SIZE; ++i) {
        double side[2];
        for (int s = 0; s < 2; ++s) {
            for (size_t j = 0; j < SIZE; ++j) /* (L,H,W) to (H,W,L) */
                movie[j % (H * W) * L + j / (H * W)] = (double)frames[j] + (j == i ? (s ? delta : -delta) : 0);
            const double *in = movie;
            double *out = rate;
            ck_ok(retc_reference_forward(network, value, 0, 1, (size_t[]){1}, &in, &out));
            side[s] = rate[0];
        }
        expected[i] = (side[1] - side[0]) / (2 * delta);
    }
    retc_tape *tape = retc_tape_alloc(network, 1, RETC_TAPE_GRADIENTS, NULL);
    ck_ok(retc_tape_add_window_gradient(tape));
    retc_tape_load(tape, frames, 1);
    retc_tape_forward(tape, 0, network->layers, 1);
    for (size_t j = 0; j < N; ++j)
        tape->grad[network->layers - 1][j * tape->ld] = j == 0;
    retc_tape_backward(tape, network->layers - 1, 0, 1);
    retc_tape_backward_window(tape, 1);
    for (size_t i = 0; i < SIZE; ++i)
        x[i] = (double)tape->window_grad[i * tape->ld];
    ck_close_double("gradient", x, expected, SIZE, 0, 1e-4);
    retc_tape_free(tape);
    retc_free(value);
    retc_network_free(network);
    retc_h5_close(file);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("convert");
    TCase *peers = tcase_create("goldens"), *made_up = tcase_create("made");
    tcase_set_timeout(peers, 120);
    tcase_add_loop_test(peers, goldens_give_their_activations, 0, GOLDENS * WAYS);
    tcase_add_loop_test(peers, vary_gives_its_outputs, 0, WAYS);
    tcase_add_loop_test(peers, round_trips_are_exact, 0, GOLDENS + 1);
    tcase_add_test(peers, vary_without_its_list);
    tcase_add_loop_test(made_up, layers_are_told_from_names, 0, MODELS * WAYS);
    tcase_add_test(made_up, positions_come_from_centres);
    tcase_add_loop_test(made_up, wrong_checkpoints_are_refused, 0, WRONGS);
    tcase_add_test(made_up, equal_weights_are_refused);
    tcase_add_test(made_up, unused_tensors_are_listed);
    tcase_add_test(made_up, averages_and_exp_have_gradients);
    suite_add_tcase(suite, peers);
    suite_add_tcase(suite, made_up);
    return retc_test_main(suite, NULL);
}
