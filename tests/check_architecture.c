/* Networks from tables: presets against what is published of them, tables against what they say, what is wrong with tables,
 * places of readouts, receptive fields, and where networks begin. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "centres.h"
#include "describe.h"
#include "fit.h"
#include "fixtures.h"
#include "model_file.h"
#include "reference.h"
#include "rng.h"
#include "testing.h"

static const char *const presets[] = {"cnn", "ln", "lnln", "mcintosh2016", "bncnn", "stacked-bncnn", "vary", "retinotopic"};
enum { PRESETS = sizeof presets / sizeof *presets };

/* ---- building -------------------------------------------------------------------------------------------------------- */

/* A network of a table for N cells whose receptive fields lie spread over the frame. */
static retc_network *
built(const retc_architecture *architecture, size_t L, size_t H, size_t W, size_t N) {
    retc_network *network = retc_network_alloc(architecture->name, L, H, W, N);
    ck_assert_ptr_nonnull(network);
    ck_ok(RETC_ALLOC(network->centre, 2 * N));
    for (size_t j = 0; j < N; ++j)
        network->centre[2 * j] = (int64_t)((7 * j + 3) % H), network->centre[2 * j + 1] = (int64_t)((5 * j + 2) % W);
    ck_ok(retc_architecture_build(architecture, 10, network));
    return network;
}

static retc_network *
preset(const char *name, size_t L, size_t H, size_t W, size_t N) {
    retc_architecture architecture;
    ck_ok(retc_architecture_open(name, &architecture));
    retc_network *network = built(&architecture, L, H, W, N);
    retc_architecture_clear(&architecture);
    return network;
}

static int
read_table(const char *text, retc_architecture *architecture) {
    FILE *in = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    ck_assert_ptr_nonnull(in);
    int status = retc_architecture_read_stream(in, "mine.ini", architecture);
    fclose(in);
    return status;
}

/* Values as their file has them: derived weights are not stored; the peers store sigma of every noise layer. */
static size_t
stored_values(const retc_network *network) {
    size_t n = 0;
    for (size_t i = 0; i < network->params; ++i)
        n += network->param[i].derived ? 0 : network->param[i].size;
    for (size_t l = 0; l < network->layers; ++l)
        n += network->layer[l].kind == RETC_LAYER_NOISE;
    return n;
}

/* ---- presets as published -------------------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    int rank;
    size_t shape[4];
} tensor;

/* FORMATS 4.1, drop_p = 0, 17 cells */
static const tensor vary_tensors[] = {
    {"sequential.0.convs.0.weight", 4, {8, 40, 3, 3}},
    {"sequential.0.convs.6.weight", 4, {8, 8, 3, 3}},
    {"sequential.0.convs.6.bias", 1, {8}},
    {"sequential.1.running_mean", 1, {8}},
    {"sequential.1.scale", 1, {8}},
    {"sequential.4.convs.0.weight", 4, {8, 8, 3, 3}},
    {"sequential.4.convs.4.bias", 1, {8}},
    {"sequential.5.shift", 1, {8}},
    {"sequential.8.weight", 4, {17, 8, 11, 11}},
    {"sequential.10.running_var", 1, {17}},
};
static const tensor bncnn_tensors[] = {
    {"sequential.0.weight", 4, {8, 40, 15, 15}},
    {"sequential.0.bias", 1, {8}},
    {"sequential.2.weight", 1, {8 * 36 * 36}},
    {"sequential.6.weight", 4, {8, 8, 11, 11}},
    {"sequential.8.running_mean", 1, {8 * 26 * 26}},
    {"sequential.13.weight", 2, {17, 8 * 26 * 26}},
    {"sequential.14.bias", 1, {17}},
};
static const tensor retinotopic_tensors[] = {
    {"sequential.8.weight", 4, {17, 8, 11, 11}},
    {"sequential.8.bias", 1, {17}},
    {"sequential.9.scale", 1, {17}},
};
static const tensor mcintosh_tensors[] = {
    {"sequential.0.weight", 4, {8, 40, 15, 15}},
    {"sequential.3.weight", 4, {8, 8, 11, 11}},
    {"sequential.7.weight", 2, {17, 8 * 26 * 26}},
    {"sequential.7.bias", 1, {17}},
};

/* Values in all: for vary as published (FORMATS 4.1); others by the shapes of their tensors, convolutions + batch norms + noise
 * + readout + batch norm. */
static const struct {
    const char *name;
    const tensor *tensors;
    size_t n, values;
} published[] = {
    {"vary", vary_tensors, sizeof vary_tensors / sizeof *vary_tensors, 25822},
    {"bncnn", bncnn_tensors, sizeof bncnn_tensors / sizeof *bncnn_tensors,
     (72000 + 8 + 7744 + 8) + 4 * (10368 + 5408) + 2 + 17 * 5408 + 4 * 17},
    {"retinotopic", retinotopic_tensors, sizeof retinotopic_tensors / sizeof *retinotopic_tensors, 25822 + 17},
    {"mcintosh2016", mcintosh_tensors, sizeof mcintosh_tensors / sizeof *mcintosh_tensors,
     (72000 + 8 + 7744 + 8) + 2 + 17 * 5408 + 17},
    {"cnn", NULL, 0, (72000 + 8 + 7744 + 8) + 4 * (8 + 8) + 2 + 17 * 5408 + 4 * 17},
    {"stacked-bncnn", NULL, 0, (2880 + 6 * 576 + 8 + 5 * 576 + 8) + 4 * (10368 + 5408) + 2 + 17 * 5408 + 4 * 17},
    {"ln", NULL, 0, 17 * 40 * 2500 + 4 * 17},
    {"lnln", NULL, 0, (36000 + 4) + 4 * 4 + 17 * 4 * 1296 + 4 * 17},
};

START_TEST(presets_are_as_published) {
    retc_network *network = preset(published[_i].name, 40, 50, 50, 17);
    ck_assert_str_eq(network->model_type, published[_i].name);
    ck_assert_uint_eq(stored_values(network), published[_i].values);
    for (size_t i = 0; i < published[_i].n; ++i) {
        const tensor *t = &published[_i].tensors[i];
        const retc_param *param = retc_network_param(network, t->name);
        ck_assert_msg(param && param->rank == t->rank && !memcmp(param->shape, t->shape, (size_t)t->rank * sizeof(size_t)),
                      "%s: %s is missing or of another shape", published[_i].name, t->name);
    }
    retc_network_free(network);
}
END_TEST

/* The same layers as those of the peers' own checkpoint, tensor for tensor. */
START_TEST(vary_is_the_checkpoint) {
    const char *path = retc_test_shared("goldens/vary_checkpoint.h5");
    if (!path)
        retc_skip("no folder of shared files");
    retc_h5 *file = retc_h5_open(path);
    retc_network *peer = retc_network_read(file), *ours = preset("vary", 40, 50, 50, 17);
    retc_layer_description theirs_text[16], ours_text[16];
    ck_assert_ptr_nonnull(peer);
    ck_ok(retc_network_describe_file(peer, file, theirs_text));
    ck_ok(retc_network_describe(ours, ours_text));
    ck_assert_uint_eq(ours->layers, peer->layers + 1); /* the scale to Hz */
    for (size_t l = 0; l < peer->layers; ++l) {
        if (peer->layer[l].kind != RETC_LAYER_NOISE) /* its strength is not in the list of layers */
            ck_assert_str_eq(ours_text[l].what, theirs_text[l].what);
        ck_assert_uint_eq(ours_text[l].fitted, theirs_text[l].fitted);
        ck_assert_uint_eq(ours_text[l].kept, theirs_text[l].kept);
        ck_assert_int_eq((int)ours->layer[l].kind, (int)peer->layer[l].kind);
        ck_assert_uint_eq(retc_layer_units(&ours->layer[l]), retc_layer_units(&peer->layer[l]));
    }
    retc_network_free(peer), retc_network_free(ours);
    retc_h5_close(file);
}
END_TEST

/* Kernels are cut to the movie: any size will do. */
START_TEST(presets_fit_small_movies) {
    static const size_t sizes[][3] = {{1, 1, 1}, {5, 7, 3}, {3, 16, 20}, {2, 26, 25}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
        retc_network *network = preset(presets[_i], sizes[i][0], sizes[i][1], sizes[i][2], 3);
        ck_ok(retc_network_init(network, 3));
        ck_assert_uint_eq(retc_layer_units(&network->layer[network->layers - 1]), 3);
        retc_network_free(network);
    }
}
END_TEST

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

/* Every kind and every key, none at its default. */
static const char everything[] = "[network]\nname = all-kinds\n"
                                 "[layer:first]\nkind = stacked  # chain\nchannels = 4\nkernel = 5x7\nbias = no\n"
                                 "[layer]\nkind = batchnorm\nper-unit = yes\nabsolute = yes\neps = 0.25\n"
                                 "[layer]\nkind = noise\nsigma = 0.125\n"
                                 "[layer:rectified]\nkind = relu\n"
                                 "[layer]\nkind = conv\nchannels = 4\nkernel = 3\n"
                                 "[layer]\nkind = tanh\n"
                                 "[layer:sum]\nkind = residual\nfrom = rectified\n"
                                 "[layer]\nkind = maxpool\nwindow = 2x1\n"
                                 "[layer]\nkind = avgpool\nwindow = 2\n"
                                 "[layer]\nkind = sigmoid\n"
                                 "[layer]\nkind = separable\nchannels = 5\nkernel = 1\nbias = no\n"
                                 "[layer]\nkind = conv\nchannels = cells\nkernel = 1x2\n"
                                 "[layer]\nkind = grab\none-hot = yes\n"
                                 "[layer]\nkind = dense\nchannels = 6\nbias = no\n"
                                 "[layer]\nkind = exp\n"
                                 "[layer]\nkind = factorised\n"
                                 "[layer]\nkind = softplus\n"
                                 "[layer]\nkind = scale\nhz = 12.5\noffset = -0.5\n";

static void
fill(retc_network *network, uint64_t seed) {
    gsl_rng *rng = retc_rng_alloc(seed, RETC_STREAM_WEIGHTS, 77);
    for (size_t i = 0; i < network->params; ++i)
        for (size_t k = 0; k < network->param[i].size; ++k)
            network->value[network->param[i].offset + k] = (float)gsl_ran_flat(rng, 0.2, 0.9);
    gsl_rng_free(rng);
    retc_network_derive(network);
}

/* Rates (N,n) of a movie (H,W,n+L-1) of normal deviates by the reference. */
static double *
rates_of(const retc_network *network, size_t n) {
    size_t length = network->H * network->W * (n + network->L - 1);
    double *value = retc_calloc(network->values, sizeof *value), *movie = retc_calloc(length, sizeof *movie);
    double *rate = retc_calloc(network->N * n, sizeof *rate);
    gsl_rng *rng = retc_rng_alloc(5, RETC_STREAM_WEIGHTS, 1);
    for (size_t i = 0; i < network->values; ++i)
        value[i] = (double)network->value[i];
    for (size_t i = 0; i < length; ++i)
        movie[i] = gsl_ran_flat(rng, -1, 1);
    gsl_rng_free(rng);
    ck_ok(retc_reference_forward(network, value, 0, 1, &n, (const double *const[]){movie}, (double *const[]){rate}));
    retc_free(value), retc_free(movie);
    return rate;
}

/* Through a model file a network of every kind computes what it did, but for the float rounding of what is collapsed: sums of
 * a few hundred products, each within 2^-24. */
START_TEST(every_kind_goes_through_a_file) {
    retc_architecture architecture;
    ck_ok(read_table(everything, &architecture));
    ck_assert_str_eq(architecture.name, "all-kinds");
    retc_network *network = built(&architecture, 3, 19, 17, 3);
    fill(network, 1);
    const char *path = retc_test_path("all.h5");
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_network_write(network, file));
    ck_ok(retc_h5_set_text(file, "/", "kind", "model"));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_network *again = retc_network_open(path);
    ck_assert_msg(again != NULL, "%s", retc_error_message());
    ck_assert_uint_eq(again->layers, network->layers);
    ck_assert_mem_eq(again->centre, network->centre, 2 * network->N * sizeof *network->centre);
    double *before = rates_of(network, 5), *after = rates_of(again, 5);
    ck_close_double("rates", after, before, 3 * 5, 0, 1e-4);
    retc_free(before), retc_free(after);
    retc_network_free(network), retc_network_free(again);
    retc_architecture_clear(&architecture);
}
END_TEST

static void
ck_same_tables(const retc_architecture *a, const retc_architecture *b) {
    ck_assert_str_eq(a->name, b->name);
    ck_assert_uint_eq(a->layers, b->layers);
    for (size_t l = 0; l < a->layers; ++l) {
        const retc_layer_plan *x = &a->layer[l], *y = &b->layer[l];
        ck_assert_uint_eq(x->kind, y->kind);
        ck_assert_str_eq(x->name, y->name);
        ck_assert_str_eq(x->from, y->from);
        ck_assert(x->channels == y->channels && x->kernel[0] == y->kernel[0] && x->kernel[1] == y->kernel[1]);
        ck_assert(x->bias == y->bias && x->per_unit == y->per_unit && x->absolute == y->absolute && x->one_hot == y->one_hot);
        ck_assert(x->eps == y->eps && x->sigma == y->sigma && x->hz == y->hz && x->offset == y->offset);
    }
}

/* What is printed reads as the same table; loop: the presets and the table of everything. */
START_TEST(printed_tables_are_the_same) {
    retc_architecture architecture, again;
    char *text = NULL;
    size_t length = 0;
    if (_i < PRESETS)
        ck_ok(retc_architecture_open(presets[_i], &architecture));
    else
        ck_ok(read_table(everything, &architecture));
    FILE *out = open_memstream(&text, &length);
    retc_architecture_print(out, &architecture);
    fclose(out);
    ck_ok(read_table(text, &again));
    ck_same_tables(&architecture, &again);
    free(text);
    retc_architecture_clear(&architecture), retc_architecture_clear(&again);
}
END_TEST

#define CONV "[layer:a]\nkind = conv\nchannels = 2\nkernel = 3\n"
static const struct {
    const char *table, *line, *reason;
} wrong[] = {
    {"", "mine.ini: ", "holds no [layer]"},
    {"# nothing\n", "mine.ini: ", "holds no [layer]"},
    {"kind = conv\n", "mine.ini:1: ", "before the first [section]"},
    {"[layers]\nkind = conv\n", "mine.ini:1: ", "did you mean layer?"},
    {"[layer]\nkind = covn\n", "mine.ini:2: [layer] kind", "did you mean conv?"},
    {"[layer]\nkind = transformer\n", "mine.ini:2: [layer] kind", "--print-network"},
    {"[layer]\nchannels = 8\n", "mine.ini:2: [layer] channels", "begin with kind = ..."},
    {"[layer]\n[layer]\nkind = relu\n", "mine.ini:2: ", "line 1 has no kind"},
    {"[layer]\nkind = conv\nkernel = 3\n", "mine.ini: ", "the conv layer of line 1 needs \"channels\""},
    {"[layer]\nkind = conv\nchannels = 3\n[layer]\nkind = relu\n", "mine.ini:4: ", "the conv layer of line 1 needs \"kernel\""},
    {"[layer]\nkind = noise\n", "mine.ini: ", "needs \"sigma\""},
    {"[layer]\nkind = relu\nkernel = 3\n", "mine.ini:3: [layer] kernel", "a relu layer has no such key"},
    {"[layer:x]\nkind = conv\nchanels = 3\n", "mine.ini:3: [layer:x] chanels", "did you mean channels?"},
    {"[layer]\nkind = conv\nchannels = 0\n", "mine.ini:3: [layer] channels", "no number of channels"},
    {"[layer]\nkind = conv\nchannels = many\n", "mine.ini:3: [layer] channels", "and not cells"},
    {"[layer]\nkind = conv\nchannels = 5000\n", "mine.ini:3: [layer] channels", "1 ... 4096"},
    {"[layer]\nkind = conv\nkernel = 0\n", "mine.ini:3: [layer] kernel", "no side such as 15 or 15x11"},
    {"[layer]\nkind = conv\nkernel = 3x\n", "mine.ini:3: [layer] kernel", "no side such as 15 or 15x11"},
    {"[layer]\nkind = conv\nkernel = 3x4x5\n", "mine.ini:3: [layer] kernel", "no side such as 15 or 15x11"},
    {"[layer]\nkind = maxpool\nwindow = map\n", "mine.ini:3: [layer] window", "no side such as"},
    {"[layer]\nkind = conv\nbias = true\n", "mine.ini:3: [layer] bias", "neither yes nor no"},
    {"[layer]\nkind = noise\nsigma = loud\n", "mine.ini:3: [layer] sigma", "is no number"},
    {"[layer]\nkind = noise\nsigma = -1\n", "mine.ini:3: [layer] sigma", "outside 0 ... 100"},
    {"[layer]\nkind = noise\nsigma = nan\n", "mine.ini:3: [layer] sigma", "is no number"},
    {"[layer]\nkind = scale\nhz = 0\n", "mine.ini:3: [layer] hz", "outside"},
    {"[layer]\nkind = scale\nhz = median\n", "mine.ini:3: [layer] hz", "and not mean"},
    {"[layer]\nkind = noise\nsigma = 1\nsigma = 2\n", "mine.ini:4: [layer] sigma", "given twice"},
    {"[layer]\nkind = relu\nkind = exp\n", "mine.ini:3: [layer] kind", "given twice"},
    {CONV "[layer]\nkind = residual\nfrom = b\n", "mine.ini:7: [layer] from", "no earlier layer [layer:b]"},
    {"[layer:a]\nkind = residual\nfrom = a\n", "mine.ini:3: [layer:a] from", "no earlier layer"},
    {CONV CONV, "mine.ini:5: ", "the layer of line 1 is called a already"},
    {"[layer:]\nkind = relu\n", "mine.ini:1: ", "a name has 1 to 31 characters"},
    {"[layer:a b]\nkind = relu\n", "mine.ini:1: ", "letters, digits"},
    {CONV "[network]\nname = x\n", "mine.ini:5: ", "should stand once, before the layers"},
    {"[network]\ntitle = x\n" CONV, "mine.ini:2: [network] title", "no such key"},
    {"[layer]\nkind conv\n", "mine.ini:2: ", "neither [section] nor key = value"},
    {"\x01\x02\x03\n", "mine.ini:1: ", "not a text file"},
};

START_TEST(wrong_tables_are_refused) {
    retc_architecture architecture;
    ck_assert_msg(read_table(wrong[_i].table, &architecture) < 0, "table %d was read", _i);
    const char *message = retc_error_message();
    ck_assert_msg(!strncmp(message, wrong[_i].line, strlen(wrong[_i].line)), "\"%s\" does not begin \"%s\"", message,
                  wrong[_i].line);
    ck_assert_msg(strstr(message, wrong[_i].reason) != NULL, "\"%s\" does not say \"%s\"", message, wrong[_i].reason);
    ck_assert_ptr_null(strchr(message, '\n'));
    ck_assert_uint_eq(architecture.layers, 0);
}
END_TEST

#define OUT "[layer]\nkind = dense\n"
static const struct {
    const char *table, *reason;
} misfits[] = {
    {"[layer]\nkind = relu\n" OUT, "mine.ini:1: [layer]: the first layer sees the stimulus"},
    {"[layer:big]\nkind = conv\nchannels = 2\nkernel = 9\n" OUT, "mine.ini:1: [layer:big]: "},
    {"[layer]\nkind = conv\nchannels = 2\nkernel = 3\n", "mine.ini:1: [layer]: the last layer gives (2,4,3) values"},
    {CONV "[layer]\nkind = maxpool\nwindow = 5\n" OUT, "mine.ini:5: [layer]: "},
    {OUT "[layer]\nkind = average\n", "mine.ini:3: [layer]: layer sequential.2 averages a map of one position"},
    {CONV "[layer]\nkind = grab\n" OUT, "mine.ini:5: [layer]: takes one position per cell from maps of 2 channels"},
    {CONV "[layer:b]\nkind = conv\nchannels = 3\nkernel = 2\n[layer]\nkind = residual\nfrom = a\n" OUT,
     "mine.ini:9: [layer]: "},
};

/* What only shows on a movie of 6 x 5 pixels. */
START_TEST(misfits_are_refused) {
    retc_architecture architecture;
    ck_ok(read_table(misfits[_i].table, &architecture));
    retc_network *network = retc_network_alloc("x", 2, 6, 5, 4);
    ck_ok(RETC_ALLOC(network->centre, 8));
    ck_fails(retc_architecture_build(&architecture, 1, network), misfits[_i].reason);
    retc_network_free(network);
    retc_architecture_clear(&architecture);
}
END_TEST

START_TEST(names_are_suggested) {
    retc_architecture architecture;
    ck_fails(retc_architecture_open("bncn", &architecture), "did you mean bncnn?");
    ck_fails(retc_architecture_open("no/such/file", &architecture), "no file of that name");
    ck_fails(retc_architecture_open("/", &architecture), "/: ");
    ck_ok(retc_architecture_open("vary", &architecture));
    retc_network *network = retc_network_alloc("x", 2, 6, 5, 4);
    ck_fails(retc_architecture_build(&architecture, 1, network), "not known where the cells' receptive fields are");
    ck_fails(retc_architecture_set_conv(&architecture, 2, 4, 0), "has no convolution 2");
    retc_network_free(network);
    retc_architecture_clear(&architecture);
    ck_ok(retc_architecture_open("ln", &architecture));
    ck_fails(retc_architecture_set_conv(&architecture, 0, 0, 4), "--kernel0: network ln has no convolution 0");
    ck_fails(retc_architecture_set_noise(&architecture, 1), "no layer of noise");
    retc_architecture_clear(&architecture);
}
END_TEST

/* ---- receptive fields -------------------------------------------------------------------------------------------------- */

/* Which pixels move unit (0,0) of the last map: the first cell's rate, by changing each pixel alone. */
static void
seen_by_trial(const retc_network *network, size_t *lo, size_t *hi) {
    size_t H = network->H, W = network->W, n = 1;
    double *value = retc_calloc(network->values, sizeof *value), *movie = retc_calloc(H * W, sizeof *movie), rest[1], moved[1];
    double *none = rest, *some = moved;
    lo[0] = lo[1] = 1000, hi[0] = hi[1] = 0;
    for (size_t i = 0; i < network->values; ++i)
        value[i] = (double)network->value[i];
    ck_ok(retc_reference_forward(network, value, 0, 1, &n, (const double *const[]){movie}, &none));
    for (size_t p = 0; p < H * W; ++p) {
        size_t at[2] = {p / W, p % W};
        movie[p] = 1;
        ck_ok(retc_reference_forward(network, value, 0, 1, &n, (const double *const[]){movie}, &some));
        movie[p] = 0;
        for (int d = 0; d < 2 && rest[0] != moved[0]; ++d) {
            lo[d] = at[d] < lo[d] ? at[d] : lo[d];
            hi[d] = at[d] > hi[d] ? at[d] : hi[d];
        }
    }
    retc_free(value), retc_free(movie);
}

/* All weights are positive, so that nothing cancels; the cell reads unit (0,0) of the map before, then others. */
START_TEST(fields_are_what_units_see) {
    static const char *const tables[] = {
        CONV "[layer]\nkind = tanh\n[layer]\nkind = avgpool\nwindow = 2x3\n[layer]\nkind = conv\nchannels = cells\nkernel = 2\n"
             "[layer]\nkind = grab\n",
        CONV "[layer:b]\nkind = conv\nchannels = 2\nkernel = 3x5\n[layer]\nkind = residual\nfrom = a\n"
             "[layer]\nkind = conv\nchannels = cells\nkernel = 1\n[layer]\nkind = grab\n",
        ("[layer]\nkind = stacked\nchannels = 2\nkernel = 6x4\n[layer]\nkind = conv\nchannels = cells\nkernel = 3\n"
         "[layer]\nkind = grab\n"),
    };
    retc_architecture architecture;
    retc_field field[8];
    size_t lo[2], hi[2];
    ck_ok(read_table(tables[_i], &architecture));
    retc_network *network = retc_network_alloc("x", 1, 17, 16, 1);
    ck_ok(RETC_ALLOC(network->centre, 2));
    network->centre[0] = 9, network->centre[1] = 8;
    ck_ok(retc_architecture_build(&architecture, 1, network));
    fill(network, 4);
    retc_network_fields(network, field);
    const retc_field *last = &field[network->layers - 1];
    const size_t *position = network->layer[network->layers - 1].position;
    seen_by_trial(network, lo, hi);
    for (int d = 0; d < 2; ++d) {
        ck_assert_uint_eq(hi[d] - lo[d] + 1, retc_field_size(last, d));
        ck_assert_double_eq_tol((double)lo[d], last->lo[d] + (double)position[d] * last->step[d], 1e-12);
        /* No other unit would lie nearer. */
        ck_assert_double_le(fabs((double)(lo[d] + hi[d]) / 2 - (double)network->centre[d]), last->step[d] / 2);
    }
    retc_network_free(network);
    retc_architecture_clear(&architecture);
}
END_TEST

/* Centres of 15-11-21b (FORMATS 1): exact positions are centre - 17 (FORMATS 4.1), inside the map of 16 x 16. */
START_TEST(positions_of_published_centres) {
    static const int64_t centres[] = {16, 13, 20, 12, 19, 7,  19, 3,  21, 7,  22, 6,  21, 7,  25, 3,  23,
                                      6,  26, 4,  24, 6,  26, 7,  27, 9,  26, 9,  27, 11, 26, 13, 24, 10};
    retc_architecture architecture;
    ck_ok(retc_architecture_open("vary", &architecture));
    retc_network *network = retc_network_alloc("vary", 2, 50, 50, 17);
    ck_ok(RETC_ALLOC(network->centre, 34));
    memcpy(network->centre, centres, sizeof centres);
    network->centre[33] = 49; /* beyond the map: its last column */
    ck_ok(retc_architecture_build(&architecture, 1, network));
    for (size_t l = 0; l < network->layers; ++l)
        for (size_t i = 0; network->layer[l].kind == RETC_LAYER_GRAB && i < 33; ++i)
            ck_assert_uint_eq(network->layer[l].position[i], centres[i] > 17 ? (size_t)centres[i] - 17 : 0);
    ck_assert_uint_eq(network->layer[9].position[33], 15);
    retc_network_free(network);
    retc_architecture_clear(&architecture);
}
END_TEST

/* ---- centres ----------------------------------------------------------------------------------------------------------- */

enum { T = 4000, H = 11, W = 13, CELLS = 4 };

/* A recording whose cell j fires with the square of what a spot of Gaussian profile around its place adds up to, two frames
 * ago; the last cell never. */
static retc_recording *
recording_of_spots(const char *path, const int64_t *place) {
    float *movie = retc_fixture_movie(3, T, H, W), *counts = retc_calloc(CELLS * T, sizeof *counts);
    for (size_t j = 0; j + 1 < CELLS; ++j)
        for (size_t t = 2; t < T; ++t) {
            double sum = 0;
            for (size_t p = 0; p < (size_t)H * W; ++p) {
                double dy = (double)(p / W) - (double)place[2 * j], dx = (double)(p % W) - (double)place[2 * j + 1];
                sum += exp(-(dy * dy + dx * dx) / 2) * (double)movie[(t - 2) * H * W + p];
            }
            counts[j * T + t] = (float)floor(fmax(sum, 0) + 0.5);
        }
    ck_ok(retc_fixture_recording(path, T, H, W, movie, CELLS, counts, 0, NULL, 2, 0.01));
    retc_free(movie), retc_free(counts);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static const int64_t places[2 * CELLS] = {2, 3, 8, 10, 0, 12, H / 2, W / 2};

START_TEST(centres_are_found) {
    int64_t centre[2 * CELLS];
    retc_recording *recording = recording_of_spots(retc_test_path("spots.h5"), places);
    ck_ok(retc_centres_estimate(recording, 4, 1, 1, NULL, centre));
    ck_assert_mem_eq(centre, places, sizeof places);

    retc_architecture architecture;
    ck_ok(retc_architecture_open("vary", &architecture));
    ck_ok(retc_architecture_set_conv(&architecture, 0, 2, 3));
    ck_ok(retc_architecture_set_conv(&architecture, 1, 2, 3));
    retc_fit_options options = retc_fit_default();
    options.architecture = &architecture, options.history = 4;
    retc_network *network = retc_fit_network(recording, &options);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    ck_assert_mem_eq(network->centre, places, sizeof places);
    retc_network_free(network);
    retc_architecture_clear(&architecture);
    retc_recording_close(recording);
}
END_TEST

static const struct {
    const char *text, *reason;
} wrong_centres[] = {
    {"1 2\n3 4\n5 6\n", "has 3 receptive fields for 4 cells"},
    {"1 2\n3 4\n5 6\n7 8\n9 10\n", "has 5 receptive fields for 4 cells"},
    {"1 2\n3\n5 6\n7 8\n", ":2: expected two numbers"},
    {"1 2\n3 four\n5 6\n7 8\n", ":2: expected two numbers"},
    {"# row column\n1 2\n\n3 4 5\n", ":4: there is more behind"},
    {"1 2\n11 4\n", ":2: row 11 is outside the frame, 0 ... 10"},
    {"1 -2\n", ":1: column -2 is outside the frame, 0 ... 12"},
};

START_TEST(centres_are_read) {
    int64_t centre[2 * CELLS];
    const int64_t expected[2 * CELLS] = {1, 2, 3, 4, 5, 6, 10, 12};
    const char *path = retc_test_path("centres.txt");
    FILE *out = fopen(path, "w");
    fputs("# row column\n1 2\n 3.4\t3.6\n\n5,6\n10 12", out);
    fclose(out);
    ck_ok(retc_centres_read(path, CELLS, H, W, centre));
    ck_assert_mem_eq(centre, expected, sizeof expected);
    for (size_t i = 0; i < sizeof wrong_centres / sizeof *wrong_centres; ++i) {
        out = fopen(path, "w");
        fputs(wrong_centres[i].text, out);
        fclose(out);
        ck_fails(retc_centres_read(path, CELLS, H, W, centre), wrong_centres[i].reason);
        ck_assert_ptr_nonnull(strstr(retc_error_message(), path));
    }
    ck_fails(retc_centres_read(retc_test_path("none.txt"), CELLS, H, W, centre), "No such file");
}
END_TEST

/* ---- where networks begin ---------------------------------------------------------------------------------------------- */

/* Without weights every cell has its rate, whatever comes between the last bias and the rates: presets, then other ends. */
START_TEST(cells_begin_at_their_rates) {
    static const char *const ends[] = {
        OUT "[layer]\nkind = exp\n[layer]\nkind = scale\n",
        OUT "[layer]\nkind = relu\n",
        OUT "[layer]\nkind = sigmoid\n[layer]\nkind = scale\nhz = 50\n",
        OUT "[layer]\nkind = tanh\n[layer]\nkind = scale\nhz = 40\noffset = 20\n",
        OUT "[layer]\nkind = scale\nhz = 3\noffset = 1\n",
        "[layer]\nkind = factorised\n[layer]\nkind = softplus\n",
        ("[layer]\nkind = stacked\nchannels = cells\nkernel = 3\n[layer]\nkind = batchnorm\nper-unit = yes\n"
         "[layer]\nkind = exp\n[layer]\nkind = grab\n"),
    };
    enum { ENDS = sizeof ends / sizeof *ends };
    ck_assert_int_lt(_i, PRESETS + ENDS);
    static const double rate[3] = {2.385, 7.31, 19.6};
    retc_architecture architecture;
    ck_ok(_i < PRESETS ? retc_architecture_open(presets[_i], &architecture) : read_table(ends[_i - PRESETS], &architecture));
    retc_network *network = built(&architecture, 2, 9, 8, 3);
    retc_network_start_at_rates(network, rate);
    double *begun = rates_of(network, 1);
    ck_close_double("rates", begun, rate, 3, 0, 1e-5); /* floats, through exponentials */
    retc_free(begun);
    retc_network_free(network);
    retc_architecture_clear(&architecture);
}
END_TEST

static Suite *
suite(void) {
    enum { WRONG = sizeof wrong / sizeof *wrong, MISFITS = sizeof misfits / sizeof *misfits };
    Suite *s = suite_create("architecture");
    TCase *known = tcase_create("presets"), *tables = tcase_create("tables"), *places_case = tcase_create("places");
    tcase_add_loop_test(known, presets_are_as_published, 0, sizeof published / sizeof *published);
    tcase_add_test(known, vary_is_the_checkpoint);
    tcase_add_loop_test(known, presets_fit_small_movies, 0, PRESETS);
    tcase_add_test(tables, every_kind_goes_through_a_file);
    tcase_add_loop_test(tables, printed_tables_are_the_same, 0, PRESETS + 1);
    tcase_add_loop_test(tables, wrong_tables_are_refused, 0, WRONG);
    tcase_add_loop_test(tables, misfits_are_refused, 0, MISFITS);
    tcase_add_test(tables, names_are_suggested);
    tcase_add_loop_test(places_case, fields_are_what_units_see, 0, 3);
    tcase_add_test(places_case, positions_of_published_centres);
    tcase_add_test(places_case, centres_are_found);
    tcase_add_test(places_case, centres_are_read);
    tcase_add_loop_test(places_case, cells_begin_at_their_rates, 0, PRESETS + 7);
    tcase_set_timeout(known, 60), tcase_set_timeout(tables, 60), tcase_set_timeout(places_case, 60);
    suite_add_tcase(s, known), suite_add_tcase(s, tables), suite_add_tcase(s, places_case);
    return s;
}

int
main(void) {
    return retc_test_main(suite(), NULL);
}
