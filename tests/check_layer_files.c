/* Every kind of layer made, refused, written and read. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "layer_recipes.h"
#include "model_file.h"
#include "testing.h"

/* ---- building -------------------------------------------------------------------------------------------------------- */

/* Noise works in place, but not on what is added again later. */
START_TEST(noise_leaves_alone_what_is_added_again) {
    static const retc_recipe noisy = {
        "noisy", 2, 3, 3, {CONV(2, 2, 2), PLAIN(NOISE), PLAIN(NOISE), CONV(2, 1, 1), ADD(0), PLAIN(NOISE), DENSE_CONV(1)}};
    retc_network *network = retc_recipe_build(&noisy, 1);
    retc_tape *tape = retc_tape_alloc(network, 8, RETC_TAPE_GRADIENTS, NULL);
    ck_assert(tape->out[1] != tape->out[0] && tape->grad[1] != tape->grad[0]);
    ck_assert(tape->out[2] == tape->out[1] && tape->grad[2] == tape->grad[1]);
    ck_assert(tape->out[5] == tape->out[4] && tape->grad[5] == tape->grad[4]);
    retc_tape_free(tape);
    retc_network_free(network);
}
END_TEST

/* With inputs of variance 1, a linear output has the variance sum w^2: 2 on the average for all forms, as ReLU asks for. */
START_TEST(initial_weights_keep_the_variance) {
    static const retc_piece forms[4] = {CONV(40, 7, 5), {STACKED, 40, 7, 5}, {FACTORISED, 40, 0, 0}, {SEPARABLE, 40, 9, 8}};
    retc_network *network = retc_network_alloc("cnn", 30, 9, 8, 40);
    double sum = 0;
    ck_ok(retc_piece_add(network, &forms[_i]));
    ck_ok(retc_network_init(network, 3));
    const retc_param *weight = &network->param[network->layer[0].weight];
    for (size_t i = weight->offset; i < weight->offset + weight->size; ++i)
        sum += (double)network->value[i] * (double)network->value[i] / 40;
    /* Factors: 40 times a product of two sums of squares of 72 and 30 values, which spread by 0.9 sqrt(1/72 + 1/30) = 0.2, so
     * their mean by 0.03; channels of a chain share what comes before: sums over 40 channels, three times. */
    ck_assert_msg(fabs(sum / 2 - 1) < 0.15, "variance %g, expected 2", sum);
    retc_network_free(network);
}
END_TEST

START_TEST(impossible_layers_are_refused) {
    retc_network *network = retc_network_alloc("cnn", 2, 400, 5, 3);
    ck_ok(retc_network_add_conv(network, 3, 2, 2, 1, 0));
    ck_fails(retc_network_add_pool(network, RETC_LAYER_MAXPOOL, 2, 5), "a pool of 2x5 on a map of 399x4");
    ck_fails(retc_network_add_pool(network, RETC_LAYER_AVGPOOL, 0, 1), "the window must fit");
    ck_fails(retc_network_add_residual(network, 7), "layer 7 is to be added again");
    ck_ok(retc_network_add_conv(network, 4, 1, 1, 1, 0));
    ck_fails(retc_network_add_residual(network, 0), "an output of (3,399,4) cannot be added to one of (4,399,4)");
    ck_fails(retc_network_add_stacked(network, 2, 300, 1, 0), "is a chain of 150, at most 64");
    ck_fails(retc_network_add_stacked(network, 2, 3, 6, 0), "the kernel must fit");
    retc_network_free(network);
}
END_TEST

/* ---- model files ----------------------------------------------------------------------------------------------------- */

static void
write_model(const retc_network *network, const char *path, const char *layers) {
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_network_write(network, file));
    if (layers)
        ck_ok(retc_h5_set_text(file, "/", "layers_json", layers));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

/* Kinds, shapes and values, bit by bit. */
static void
check_same(const retc_network *a, const retc_network *b) {
    ck_assert_uint_eq(a->layers, b->layers);
    for (size_t l = 0; l < a->layers; ++l) {
        const retc_layer *x = &a->layer[l], *y = &b->layer[l];
        ck_assert_int_eq(x->kind, y->kind);
        ck_assert(x->C == y->C && x->h == y->h && x->w == y->w && x->kh == y->kh && x->kw == y->kw && x->skip == y->skip);
        ck_assert(y->form == x->form && y->sources == x->sources);
        const int left[4] = {x->weight, x->bias, x->mean, x->var}, right[4] = {y->weight, y->bias, y->mean, y->var};
        for (int i = 0; i < 4; ++i) {
            ck_assert_int_eq(left[i] < 0, right[i] < 0);
            if (left[i] < 0)
                continue;
            ck_assert_uint_eq(a->param[left[i]].size, b->param[right[i]].size);
            ck_assert_mem_eq(a->value + a->param[left[i]].offset, b->value + b->param[right[i]].offset,
                             a->param[left[i]].size * sizeof(float));
        }
    }
}

START_TEST(model_files_return_the_same_layers) {
    const char *path = retc_test_path("layers.h5");
    retc_network *network = retc_recipe_build(&retc_recipes[_i], 21), *copy = retc_network_copy(network);
    write_model(network, path, NULL);
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    check_same(network, read);
    for (size_t p = 0; p < copy->params; ++p)
        if (copy->param[p].derived)
            memset(copy->value + copy->param[p].offset, 0, copy->param[p].size * sizeof *copy->value);
    retc_network_derive(copy); /* a copy has what it takes */
    ck_assert_mem_eq(copy->value, network->value, copy->values * sizeof *copy->value);
    retc_network_free(read), retc_network_free(copy);
    retc_network_free(network);
}
END_TEST

#define FIRST "{\"name\":\"sequential.0\",\"class\":\"Conv2d\"},"
static const struct {
    const char *entry, *says;
} wrong_entries[] = {
    {"\"class\":\"MaxPool2d\"", "has no \"kernel_size\""},
    {"\"class\":\"MaxPool2d\",\"kernel_size\":[2,-1]", "has no \"kernel_size\""},
    {"\"class\":\"MaxPool2d\",\"kernel_size\":2,\"stride\":1", "windows that overlap"},
    {"\"class\":\"AvgPool2d\",\"kernel_size\":[2,2],\"stride\":[2,2],\"padding\":[0,1]", "reach over the border"},
    {"\"class\":\"AvgPool2d\",\"kernel_size\":9", "the window must fit"},
    {"\"class\":\"Residual\"", "\"skip\" must name a layer before it"},
    {"\"class\":\"Residual\",\"skip\":\"sequential.1\"", "adds the output of \"sequential.1\""},
    {"\"class\":\"FactorisedReadout\"", "sequential.1.channel"},
    {"\"class\":\"SeparableConv2d\"", "sequential.1.space"},
};
enum { WRONG = sizeof wrong_entries / sizeof *wrong_entries };

START_TEST(wrong_layers_in_files_are_named) {
    static const retc_recipe pooled = {"pooled", 2, 6, 5, {CONV(2, 2, 2), POOL(MAX, 2, 2), PLAIN(RELU), DENSE_CONV(2)}};
    const char *path = retc_test_path("wrong.h5");
    retc_network *network = retc_recipe_build(&pooled, 21);
    char layers[300];
    snprintf(layers, sizeof layers, "[" FIRST "{\"name\":\"sequential.1\",%s}]", wrong_entries[_i].entry);
    write_model(network, path, layers);
    retc_network *read = retc_network_open(path);
    ck_assert_ptr_null(read);
    ck_assert_msg(strstr(retc_error_message(), wrong_entries[_i].says), "\"%s\" does not say \"%s\"", retc_error_message(),
                  wrong_entries[_i].says);
    retc_network_free(network);
}
END_TEST

/* Pools as torch describes them: one side, a stride that is the window. */
START_TEST(torch_pools_are_read) {
    static const retc_recipe pooled = {"pooled", 2, 8, 9, {CONV(2, 2, 2), POOL(MAX, 3, 3), PLAIN(RELU), DENSE_CONV(2)}};
    const char *path = retc_test_path("torch.h5");
    retc_network *network = retc_recipe_build(&pooled, 21);
    write_model(network, path,
                "[" FIRST "{\"name\":\"sequential.1\",\"class\":\"MaxPool2d\",\"kernel_size\":3,\"stride\":3,\"padding\":0},"
                "{\"name\":\"sequential.2\",\"class\":\"ReLU\"},{\"name\":\"sequential.3\",\"class\":\"Linear\"}]");
    retc_network *read = retc_network_open(path);
    ck_assert_msg(read != NULL, "%s", retc_error_message());
    check_same(network, read);
    retc_network_free(network), retc_network_free(read);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("layer files");
    TCase *cases = tcase_create("layer files");
    tcase_set_timeout(cases, 120);
    tcase_add_test(cases, noise_leaves_alone_what_is_added_again);
    tcase_add_loop_test(cases, initial_weights_keep_the_variance, 0, 4);
    tcase_add_test(cases, impossible_layers_are_refused);
    tcase_add_loop_test(cases, model_files_return_the_same_layers, 0, RETC_RECIPES);
    tcase_add_loop_test(cases, wrong_layers_in_files_are_named, 0, WRONG);
    tcase_add_test(cases, torch_pools_are_read);
    suite_add_tcase(suite, cases);
    return retc_test_main(suite, NULL);
}
