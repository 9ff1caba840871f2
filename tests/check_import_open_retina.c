/* Arrays of NumPy, and the import of open-retina sessions: files made by h5py and NumPy (tests/h5py/make_open_retina.py), and
 * files made here byte by byte. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "import_open_retina.h"
#include "npy.h"
#include "recording.h"
#include "testing.h"

/* ---- arrays of NumPy ------------------------------------------------------------------------------------------------- */

/* A file of version `version` with this header and data. */
static const char *
npy_file(const char *name, int version, const char *header, const void *data, size_t bytes) {
    const char *path = retc_test_path(name);
    FILE *file = fopen(path, "wb");
    size_t n = strlen(header);
    const unsigned char length[4] = {(unsigned char)(n & 255), (unsigned char)(n >> 8), 0, 0};
    ck_assert_ptr_nonnull(file);
    fprintf(file, "\x93NUMPY%c%c", version, 0);
    fwrite(length, 1, version == 1 ? 2 : 4, file);
    fwrite(header, 1, n, file);
    fwrite(data, 1, bytes, file);
    ck_assert_int_eq(fclose(file), 0);
    return path;
}

#define HEADER(type, shape) "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }  \n"

static const struct {
    int version;
    const char *header;
    unsigned char data[16];
    size_t bytes;
    float expected[2];
} arrays[] = {
    {1, HEADER("|u1", "(2,)"), {7, 255}, 2, {7, 255}},
    {2, HEADER("|i1", "(2, 1)"), {7, 255}, 2, {7, -1}},
    {3, HEADER("<u2", "(1, 2)"), {1, 2, 255, 255}, 4, {513, 65535}},
    {1, HEADER("<i2", "(2,)"), {1, 2, 255, 255}, 4, {513, -1}},
    {1, HEADER("<i4", "(2,)"), {5, 0, 0, 0, 254, 255, 255, 255}, 8, {5, -2}},
    {1, HEADER("<f4", "(2,)"), {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1}, 8, {1, -10}},
    {1, HEADER("<f8", "(2,)"), {[6] = 0xf0, [7] = 0x3f, [14] = 0x24, [15] = 0xc0}, 16, {1, -10}},
    {1, HEADER("|b1", "(2,)"), {0, 1}, 2, {0, 1}},
};

START_TEST(test_arrays) {
    retc_npy *npy =
        retc_npy_open(npy_file("array.npy", arrays[_i].version, arrays[_i].header, arrays[_i].data, arrays[_i].bytes));
    float x[2];
    ck_assert_msg(npy != NULL, "%s", retc_error_message());
    ck_ok(retc_npy_read(npy, 0, 2, x));
    ck_close_float("array", x, arrays[_i].expected, 2, 0, 0);
    ck_ok(retc_npy_read(npy, 1, 1, x));
    ck_close_float("second", x, arrays[_i].expected + 1, 1, 0, 0);
    ck_fails(retc_npy_read(npy, 1, 2, x), "elements up to 3 are asked for, it has 2");
    ck_assert_int_eq(retc_npy_is_bytes(npy), _i == 0);
    retc_npy_close(npy);
}
END_TEST

static const struct {
    const char *header, *says;
    size_t bytes;
} no_arrays[] = {
    {HEADER("|u1", "(2,)"), "holds 3 bytes of data, 2 elements of 1 bytes were expected", 3},
    {HEADER("|u1", "(2,)"), "holds 1 bytes of data", 1},
    {HEADER(">f4", "(1,)"), "elements of type >f4 are not read", 4},
    {HEADER("|O", "(1,)"), "elements of type |O are not read", 4},
    {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "are no plain numbers", 4},
    {"{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", "is in Fortran order", 1},
    {"{'descr': '|u1', 'shape': (1,), }", "no shape or order", 1},
    {HEADER("|u1", "(-2,)"), "its shape", 2},
    {HEADER("|u1", "(1, 1, 1, 1, 1, 1, 1)"), "its shape", 1},
    {HEADER("<f8", "(4294967296, 4294967296)"), "its shape", 8},
};

START_TEST(test_no_arrays) {
    static const char data[16] = "";
    const char *path = npy_file("wrong.npy", 1, no_arrays[_i].header, data, no_arrays[_i].bytes);
    ck_assert_ptr_null(retc_npy_open(path));
    ck_assert_msg(strstr(retc_error_message(), no_arrays[_i].says) != NULL, "%s", retc_error_message());
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "wrong.npy: "));
}
END_TEST

START_TEST(test_no_npy_files) {
    ck_assert_ptr_null(retc_npy_open(retc_test_path("nothing.npy")));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "nothing.npy: No such file"));
    FILE *file = fopen(retc_test_path("text.npy"), "w");
    fputs("just some text", file);
    fclose(file);
    ck_assert_ptr_null(retc_npy_open(retc_test_path("text.npy")));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "text.npy: is no NumPy array"));
    ck_assert_ptr_null(retc_npy_open(npy_file("version.npy", 9, HEADER("|u1", "(1,)"), "", 1)));
    ck_assert_ptr_nonnull(strstr(retc_error_message(), "its version"));
}
END_TEST

/* ---- sessions -------------------------------------------------------------------------------------------------------- */

static retc_import_open_retina_options
defaults(const char *path) {
    return (retc_import_open_retina_options){
        .path = path, .test_fraction = 0.1, .responses = "auto", .channel = "mean", .frame_rate = 4};
}

static retc_recording *
import(const retc_import_open_retina_options *options, char **text) {
    const char *path = retc_test_path("imported.h5");
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    ck_ok(retc_import_open_retina(options, path, 1, NULL, &writer, &report));
    ck_ok(retc_h5_commit(retc_recording_writer_file(writer)));
    retc_recording_writer_free(writer);
    *text = retc_import_report_text(&report);
    retc_import_report_free(&report);
    retc_recording *recording = retc_recording_open(path, 0);
    ck_assert_msg(recording != NULL, "%s", retc_error_message());
    return recording;
}

static void
refuses(const retc_import_open_retina_options *options, const char *says) {
    retc_recording_writer *writer = NULL;
    retc_import_report report = {0};
    ck_fails(retc_import_open_retina(options, retc_test_path("refused.h5"), 1, NULL, &writer, &report), says);
    ck_assert_ptr_null(writer);
    retc_import_report_free(&report);
}

START_TEST(test_folder) {
    if (!retc_test_h5py("make_open_retina.py"))
        retc_skip("python3-h5py is not installed");
    char folder[512];
    snprintf(folder, sizeof folder, "%s", retc_test_path("sessions"));
    retc_import_open_retina_options options = defaults(folder);
    options.test = "probe";
    char *text;
    retc_recording *r = import(&options, &text);
    float x[3 * 7];
    /* one.hdf5 before two.h5; the film before the noise. */
    ck_assert_uint_eq(retc_recording_cells(r), 3);
    ck_assert_str_eq(retc_recording_cell_name(r, 0), "one_cell01");
    ck_assert_str_eq(retc_recording_cell_name(r, 2), "two_cell02");
    ck_assert_uint_eq(retc_recording_frames(r, RETC_TRAIN), 7);
    ck_assert_double_eq(retc_recording_frame_interval(r), 0.25);
    ck_ok(retc_recording_counts(r, RETC_TRAIN, 0, 7, x));
    ck_close_float("one", x, ((const float[7]){0, 1, 2, 0, 1, 2, 3}), 7, 0, 0);
    ck_close_float("two, 1", x + 7, ((const float[7]){0, 1, 2, 0, 1, 2, 3}), 7, 0, 0);
    ck_close_float("two, 2", x + 14, ((const float[7]){10, 11, 12, 1, 2, 3, 4}), 7, 0, 0);
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(r, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(spans[1].first, 3);
    retc_free(spans);
    ck_assert_uint_eq(retc_recording_repeats(r), 2);
    ck_ok(retc_recording_repeat_counts(r, 1, x));
    ck_close_float("repeats", x, ((const float[4]){2, 3, 4, 3}), 4, 0, 0);
    /* The mean of channels 0 and 2 brighter. */
    ck_ok(retc_recording_stimulus(r, RETC_TRAIN, 2, 2, x));
    ck_close_float("film", x, ((const float[6]){21, 22, 23, 24, 25, 26}), 6, 0, 0);
    ck_close_float("noise", x + 6, ((const float[6]){101, 102, 103, 104, 105, 106}), 6, 0, 0);
    ck_assert_ptr_nonnull(strstr(text, "responses: taken as counts per frame, as all are whole numbers\n"));
    ck_assert_ptr_nonnull(strstr(text, "channels: the mean of 2\n"));
    retc_free(text);
    retc_recording_close(r);

    options.channel = "1";
    options.responses = "rates";
    r = import(&options, &text);
    ck_ok(retc_recording_stimulus(r, RETC_TEST, 1, 1, x));
    ck_close_float("probe", x, ((const float[6]){212, 213, 214, 215, 216, 217}), 6, 0, 0);
    ck_ok(retc_recording_counts(r, RETC_TRAIN, 0, 7, x));
    ck_close_float("counts of rates", x + 14, ((const float[7]){2.5f, 2.75f, 3, .25f, .5f, .75f, 1}), 7, 0, 0);
    ck_assert_ptr_nonnull(strstr(text, "responses: taken as rates in spikes/s, as asked\n"));
    ck_assert_ptr_nonnull(strstr(text, "warning: all rates are whole numbers: are they counts?\n"));
    retc_free(text);
    retc_recording_close(r);
    options.channel = "2";
    refuses(&options, "--channel: \"2\" is neither \"mean\" nor a channel from 0 to 1");
    options.channel = "mean";
    options.test = "probe,flash";
    refuses(&options, "--test: there is no responses_flash");
}
END_TEST

static retc_h5 *
session_file(const char *name, size_t cells, size_t frames, const float *responses) {
    const size_t shape[2] = {cells, frames};
    retc_h5 *file = retc_h5_create(retc_test_path(name), 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_put(file, "responses_noise", RETC_H5_FLOAT, 2, shape, responses));
    return file;
}

static void
commit(retc_h5 *file) {
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
}

/* Five frames of one channel and one pixel; the file says how fast they were shown, and where a pause was. */
START_TEST(test_single_session) {
    static const float responses[10] = {0, 1.5f, 0, 2, 4, 1, 0, 0, 0.25f, 1}, movie[5] = {1, 2, 3, 4, 5.5f};
    static const int64_t block[2] = {0, 3};
    const size_t shape[4] = {1, 5, 1, 1}, two[1] = {2};
    const double interval = 0.5;
    retc_h5 *file = session_file("single.h5", 2, 5, responses);
    ck_ok(retc_h5_put(file, "stimulus_noise", RETC_H5_FLOAT, 4, shape, movie));
    ck_ok(retc_h5_put(file, "session_info/frame_interval", RETC_H5_DOUBLE, 0, NULL, &interval));
    ck_ok(retc_h5_put(file, "session_info/noise_block_start", RETC_H5_INT64, 1, two, block));
    ck_ok(retc_h5_put_texts(file, "session_info/cell_names", 2, (const char *const[2]){"left", "right"}));
    commit(file);
    char path[512];
    snprintf(path, sizeof path, "%s", retc_test_path("single.h5"));
    retc_import_open_retina_options options = defaults(path);
    options.frame_rate = 0;
    options.test_fraction = 0.2;
    char *text;
    retc_recording *r = import(&options, &text);
    float x[8];
    ck_assert_str_eq(retc_recording_cell_name(r, 1), "right");
    ck_assert_double_eq(retc_recording_frame_interval(r), 0.5);
    ck_ok(retc_recording_counts(r, RETC_TRAIN, 0, 4, x));
    ck_close_float("rates to counts", x, ((const float[8]){0, .75f, 0, 1, .5f, 0, 0, .125f}), 8, 0, 0);
    ck_ok(retc_recording_stimulus(r, RETC_TEST, 0, 1, x));
    ck_assert_double_eq((double)x[0], 5.5);
    retc_span *spans = NULL;
    size_t n = 0;
    ck_ok(retc_recording_spans(r, RETC_TRAIN, 1, 0, &spans, &n));
    ck_assert_uint_eq(n, 2);
    retc_free(spans);
    ck_assert_ptr_nonnull(strstr(text, "as some are no whole numbers\n"));
    ck_assert_ptr_nonnull(strstr(text, "times: 2 frames a second, as the file says\n"));
    retc_free(text);
    retc_recording_close(r);
    options.responses = "counts";
    r = import(&options, &text);
    ck_assert_ptr_nonnull(strstr(text, "counts are no whole numbers: are they rates?"));
    retc_free(text);
    retc_recording_close(r);
}
END_TEST

START_TEST(test_refuses) {
    static const float responses[10] = {1, 0, 1, 0, 1, 1, 0, 1, 0, 1};
    const size_t four[4] = {1, 4, 1, 1}, five[4] = {1, 5, 1, 1};
    char folder[512], single[512];
    snprintf(folder, sizeof folder, "%s", retc_test_path("wrong"));
    snprintf(single, sizeof single, "%s", retc_test_path("wrong/c.h5"));
    ck_assert_int_eq(mkdir(folder, 0777), 0);
    retc_import_open_retina_options options = defaults(folder);
    refuses(&options, "wrong: no session file (.h5, .hdf5) is in this folder");
    options.path = retc_test_path("nothing.h5");
    refuses(&options, "nothing.h5: No such file or directory");

    options.path = folder;
    commit(session_file("wrong/a.h5", 2, 5, responses));
    refuses(&options, "a.h5: the movie of \"noise\" is neither here (stimulus_noise) nor in");
    retc_h5 *file = session_file("wrong/a.h5", 2, 5, responses);
    ck_ok(retc_h5_put(file, "stimulus_noise", RETC_H5_FLOAT, 4, four, responses));
    commit(file);
    refuses(&options, "a.h5: the movie of \"noise\" has 4 frames, its responses have 5: expected as many");
    file = session_file("wrong/a.h5", 2, 5, responses);
    ck_ok(retc_h5_put(file, "stimulus_noise", RETC_H5_FLOAT, 3, five, responses));
    commit(file);
    refuses(&options, "a.h5: dataset \"stimulus_noise\" is (1,5,1), expected (any,any,any,any)");
    file = session_file("wrong/a.h5", 2, 5, responses);
    ck_ok(retc_h5_put(file, "stimulus_noise", RETC_H5_FLOAT, 4, five, responses));
    commit(file);
    options.frame_rate = 0;
    refuses(&options, "a.h5: does not say how many frames a second were shown: give --frame-rate");
    options.frame_rate = 10;
    commit(session_file("wrong/b.h5", 1, 4, responses));
    refuses(&options, "b.h5: dataset \"responses_noise\" is (1,4), expected (any,5)");
    file = retc_h5_create(retc_test_path("wrong/b.h5"), 1);
    ck_ok(retc_h5_put(file, "responses_other", RETC_H5_FLOAT, 2, (const size_t[2]){1, 5}, responses));
    commit(file);
    refuses(&options, "b.h5: lacks \"responses_noise\", which");
    options.path = single;
    file = retc_h5_create(single, 1);
    ck_ok(retc_h5_put_text(file, "x", "y"));
    commit(file);
    refuses(&options, "c.h5: has no dataset responses_<stimulus>: is it an open-retina session?");
    file = session_file("wrong/c.h5", 2, 5, ((const float[10]){1, -2}));
    ck_ok(retc_h5_put(file, "stimulus_noise", RETC_H5_FLOAT, 4, five, responses));
    commit(file);
    refuses(&options, "cell \"cell01\" has -2 in frame 1: expected a spike count");
}
END_TEST

static Suite *
open_retina_suite(void) {
    Suite *suite = suite_create("open-retina");
    TCase *numpy = tcase_create("numpy"), *sessions = tcase_create("sessions");
    tcase_add_loop_test(numpy, test_arrays, 0, sizeof arrays / sizeof *arrays);
    tcase_add_loop_test(numpy, test_no_arrays, 0, sizeof no_arrays / sizeof *no_arrays);
    tcase_add_test(numpy, test_no_npy_files);
    tcase_add_test(sessions, test_folder);
    tcase_add_test(sessions, test_single_session);
    tcase_add_test(sessions, test_refuses);
    tcase_set_timeout(sessions, 60);
    suite_add_tcase(suite, numpy);
    suite_add_tcase(suite, sessions);
    return suite;
}

int
main(void) {
    return retc_test_main(open_retina_suite(), NULL);
}
