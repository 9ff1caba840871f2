/* Weight files of Keras against plain loops over the weights as they are stored (h5py/make_keras.py). */
#include <stdio.h>
#include <string.h>

#include "keras.h"
#include "tape.h"
#include "testing.h"

enum { NAME = 200 };

/* Files in the layouts of Keras, and what plain loops over their own weights give. */
static const char *const keras_files[] = {"keras2.h5", "functional.h5", "old/weights.h5", "ln.h5"};

START_TEST(keras_files_give_their_outputs) {
    if (!retc_test_h5py("make_keras.py"))
        retc_skip("python3-h5py is not installed");
    char name[NAME];
    snprintf(name, sizeof name, "keras/%s", keras_files[_i]);
    retc_h5 *file = retc_h5_open(retc_test_path(name)), *expected = retc_h5_open(retc_test_path("keras/expected.h5"));
    ck_assert(file && expected && retc_keras_is(file));
    retc_network *network = retc_keras_read(file, NULL);
    ck_assert_msg(network != NULL, "%s", retc_error_message());
    size_t in[4], out[2];
    void *input = NULL, *output = NULL;
    snprintf(name, sizeof name, "/%s/input", keras_files[_i]);
    ck_ok(retc_h5_read_new(expected, name, RETC_H5_FLOAT, 4, in, &input));
    snprintf(name, sizeof name, "/%s/output", keras_files[_i]);
    ck_ok(retc_h5_read_new(expected, name, RETC_H5_DOUBLE, 2, out, &output));
    ck_assert(in[0] == out[0] && out[1] == network->N && in[1] == network->L);
    retc_tape *tape = retc_tape_alloc(network, 1, 0, NULL);
    for (size_t b = 0; b < in[0]; ++b) {
        double rate[16];
        retc_tape_load(tape, (float *)input + b * in[1] * in[2] * in[3], 1);
        retc_tape_forward(tape, 0, network->layers, 1);
        for (size_t j = 0; j < network->N; ++j)
            rate[j] = (double)retc_tape_rate(tape, j)[0];
        ck_close_double(keras_files[_i], rate, (double *)output + b * out[1], network->N, 0, 2e-5);
    }
    retc_tape_free(tape);
    retc_free(input), retc_free(output);
    retc_network_free(network);
    retc_h5_close(file), retc_h5_close(expected);
}
END_TEST

static const struct {
    const char *file, *says;
} keras_wrongs[] = {{"same.h5", "padding must be \"valid\""},
                    {"last.h5", "channels_first"},
                    {"stride.h5", "strides and dilation must be 1"},
                    {"tanh.h5", "activation \"tanh\" is not known here"},
                    {"pool.h5", "MaxPooling2D"},
                    {"nan.h5", "not finite"},
                    {"missing.h5", "its weight \"kernel\" is missing"},
                    {"axis.h5", "its axis must be 1"},
                    {"branch.h5", "only chains of layers can be converted"},
                    {"noinput.h5", "no input shape"},
                    {"weights_only.h5", "architecture.json"}};
enum { KERAS_WRONGS = sizeof keras_wrongs / sizeof *keras_wrongs };

START_TEST(wrong_keras_files_are_refused) {
    if (!retc_test_h5py("make_keras.py"))
        retc_skip("python3-h5py is not installed");
    char name[NAME];
    snprintf(name, sizeof name, "keras/%s", keras_wrongs[_i].file);
    retc_h5 *file = retc_h5_open(retc_test_path(name));
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_null(retc_keras_read(file, NULL));
    ck_assert_msg(strstr(retc_error_message(), keras_wrongs[_i].says) && strstr(retc_error_message(), keras_wrongs[_i].file),
                  "\"%s\" does not say \"%s\"", retc_error_message(), keras_wrongs[_i].says);
    retc_h5_close(file);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("keras");
    TCase *keras = tcase_create("keras");
    tcase_set_timeout(keras, 60);
    tcase_add_loop_test(keras, keras_files_give_their_outputs, 0, 4);
    tcase_add_loop_test(keras, wrong_keras_files_are_refused, 0, KERAS_WRONGS);
    suite_add_tcase(suite, keras);
    return retc_test_main(suite, NULL);
}
