/* How files were made: digests against published vectors, the record in HDF5 and in text, and "is it up to date". */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "provenance.h"
#include "testing.h"

static void
write_text(const char *path, const char *text) {
    FILE *out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    ck_assert_int_eq(fclose(out), 0);
}

/* FIPS 180-2, appendix B: "abc", the 448-bit message, and one million letters a. */
START_TEST(test_digest) {
    const char *path = retc_test_path("digest");
    char digest[65];
    write_text(path, "abc");
    ck_ok(retc_digest_file(path, digest));
    ck_assert_str_eq(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    write_text(path, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
    ck_ok(retc_digest_file(path, digest));
    ck_assert_str_eq(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    FILE *out = fopen(path, "wb");
    for (size_t i = 0; i < 1000000; ++i)
        fputc('a', out);
    fclose(out);
    ck_ok(retc_digest_file(path, digest));
    ck_assert_str_eq(digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

/* The empty message, and two megabytes: more than one block of reading. */
START_TEST(test_digest_of_sizes) {
    const char *path = retc_test_path("digest");
    char digest[65];
    write_text(path, "");
    ck_ok(retc_digest_file(path, digest));
    ck_assert_str_eq(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /* head -c 2097152 /dev/zero | sha256sum */
    ck_assert_int_eq(truncate(path, 2097152), 0);
    ck_ok(retc_digest_file(path, digest));
    ck_assert_str_eq(digest, "5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee");
}
END_TEST

START_TEST(test_digest_fails) {
    char digest[65];
    ck_fails(retc_digest_file(retc_test_path("nothing here"), digest), "nothing here: No such file or directory");
    ck_fails(retc_digest_file("/", digest), "/: Is a directory");
}
END_TEST

START_TEST(test_versions) {
    ck_assert(!strncmp(retc_version(), "retcodec ", 9));
    static const char *const names[] = {"HDF5 1.", "GSL ", "FFTW 3.", "Nettle ", "Jansson "};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        ck_assert_ptr_nonnull(strstr(retc_library_versions(), names[i]));
}
END_TEST

typedef struct {
    const char *input, *second; /* names of files, NULL for none */
    const char *options;
} making;

static retc_provenance *
describe(making how) {
    retc_provenance *provenance = retc_provenance_alloc("retcodec fit a.h5", how.options, 7);
    ck_assert_ptr_nonnull(provenance);
    if (how.input)
        ck_ok(retc_provenance_add_input(provenance, how.input));
    if (how.second)
        ck_ok(retc_provenance_add_input(provenance, how.second));
    return provenance;
}

static void
make_hdf5(const char *path, making how) {
    retc_provenance *provenance = describe(how);
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_provenance_write(provenance, file));
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    retc_provenance_free(provenance);
}

static void
make_text(const char *path, making how) {
    retc_provenance *provenance = describe(how);
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    ck_ok(retc_provenance_print(provenance, out));
    fputs("# not a key\n1 2 3\n# options: in the data, not in the head\n", out);
    ck_assert_int_eq(fclose(out), 0);
    retc_provenance_free(provenance);
}

static int
is_current(const char *path, making how) {
    retc_provenance *provenance = describe(how);
    int current = retc_provenance_is_current(provenance, path);
    retc_provenance_free(provenance);
    return current;
}

/* The same checks on both kinds of file. */
static void (*const make[])(const char *path, making how) = {make_hdf5, make_text};

START_TEST(test_current) {
    const char *a = retc_test_path("a"), *b = retc_test_path("b"), *moved = retc_test_path("moved"),
               *path = retc_test_path("out");
    write_text(a, "content of a");
    write_text(b, "content of b");
    make[_i](path, (making){a, b, "epochs=20"});
    ck_assert(is_current(path, (making){a, b, "epochs=20"}));
    ck_assert(!is_current(path, (making){a, b, "epochs=21"}));
    ck_assert(!is_current(path, (making){b, a, "epochs=20"}));
    ck_assert(!is_current(path, (making){a, NULL, "epochs=20"}));
    ck_assert(!is_current(path, (making){NULL, NULL, "epochs=20"}));
    ck_assert_int_eq(rename(a, moved), 0); /* contents matter, names do not */
    ck_assert(is_current(path, (making){moved, b, "epochs=20"}));
    write_text(moved, "content of A");
    ck_assert(!is_current(path, (making){moved, b, "epochs=20"}));
}
END_TEST

START_TEST(test_current_without_inputs) {
    const char *a = retc_test_path("a"), *path = retc_test_path("out");
    write_text(a, "content of a");
    make[_i](path, (making){NULL, NULL, "epochs=20"});
    ck_assert(is_current(path, (making){NULL, NULL, "epochs=20"}));
    ck_assert(!is_current(path, (making){a, NULL, "epochs=20"}));
}
END_TEST

/* Files that say nothing of how they were made, or of another version, are never current. */
START_TEST(test_never_current) {
    const making how = {NULL, NULL, "epochs=20"};
    const char *path = retc_test_path("other");
    ck_assert(!is_current(retc_test_path("missing"), how));
    write_text(path, "");
    ck_assert(!is_current(path, how));
    write_text(path, "# retcodec_version: 0.0.0\n# options: epochs=20\n");
    ck_assert(!is_current(path, how));
    write_text(path, "\x89HDF\r\n\x1a\nand no more");
    ck_assert(!is_current(path, how));
    retc_h5 *file = retc_h5_create(path, 1);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_commit(file));
    retc_h5_close(file);
    ck_assert(!is_current(path, how));
    ck_assert(!retc_provenance_is_current(NULL, path));
}
END_TEST

/* SOURCE_DATE_EPOCH 86400 is the second day of 1970. */
START_TEST(test_attributes) {
    const char *a = retc_test_path("a"), *path = retc_test_path("out.h5");
    char expected[512], *text = NULL;
    double seed = 0;
    write_text(a, "abc");
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    make_hdf5(path, (making){a, NULL, "epochs=20"});
    retc_h5 *file = retc_h5_open(path);
    ck_assert_ptr_nonnull(file);
    ck_ok(retc_h5_get_text(file, "/", "created", &text));
    ck_assert_str_eq(text, "1970-01-02T00:00:00Z");
    retc_free(text);
    ck_ok(retc_h5_get_text(file, "/", "inputs", &text));
    snprintf(expected, sizeof expected, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  %s", a);
    ck_assert_str_eq(text, expected);
    retc_free(text);
    ck_ok(retc_h5_get_text(file, "/", "command_line", &text));
    ck_assert_str_eq(text, "retcodec fit a.h5");
    retc_free(text);
    ck_ok(retc_h5_get_text(file, "/", "library_versions", &text));
    ck_assert_str_eq(text, retc_library_versions());
    retc_free(text);
    ck_assert_int_eq(retc_h5_get_number(file, "/", "seed", &seed), 1);
    ck_assert(seed == 7);
    retc_h5_close(file);
}
END_TEST

START_TEST(test_text_head) {
    const char *a = retc_test_path("a"), *path = retc_test_path("out.txt");
    char head[2048] = "", expected[512];
    write_text(a, "abc");
    setenv("SOURCE_DATE_EPOCH", "86400", 1);
    make_text(path, (making){a, NULL, "epochs=20"});
    FILE *in = fopen(path, "r");
    ck_assert(fread(head, 1, sizeof head - 1, in) > 0);
    fclose(in);
    snprintf(
        expected, sizeof expected,
        "# command_line: retcodec fit a.h5\n# options: epochs=20\n# seed: 7\n"
        "# inputs: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  %s\n# created: 1970-01-02T00:00:00Z\n",
        a);
    ck_assert_msg(strstr(head, expected), "%s", head);
}
END_TEST

START_TEST(test_write_fails) {
    retc_provenance *provenance = describe((making){NULL, NULL, "epochs=20"});
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    setvbuf(full, NULL, _IONBF, 0);
    ck_fails(retc_provenance_print(provenance, full), "cannot write: No space left on device");
    fclose(full);
    ck_fails(retc_provenance_add_input(provenance, retc_test_path("missing")), "missing: No such file or directory");
    retc_provenance_free(provenance);
}
END_TEST

/* Nothing is recorded where nothing is asked for. */
START_TEST(test_none) {
    const char *path = retc_test_path("none.h5");
    size_t n = 1;
    retc_h5 *file = retc_h5_create(path, 1);
    ck_ok(retc_provenance_add_input(NULL, retc_test_path("missing")));
    ck_ok(retc_provenance_write(NULL, file));
    ck_ok(retc_provenance_print(NULL, stdout));
    ck_ok(retc_h5_attribute_count(file, "/", &n));
    ck_assert_uint_eq(n, 0);
    retc_h5_close(file);
    retc_provenance_free(NULL);
}
END_TEST

static Suite *
provenance_suite(void) {
    Suite *suite = suite_create("provenance");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_digest);
    tcase_add_test(tcase, test_digest_of_sizes);
    tcase_add_test(tcase, test_digest_fails);
    tcase_add_test(tcase, test_versions);
    tcase_add_loop_test(tcase, test_current, 0, 2);
    tcase_add_loop_test(tcase, test_current_without_inputs, 0, 2);
    tcase_add_test(tcase, test_never_current);
    tcase_add_test(tcase, test_attributes);
    tcase_add_test(tcase, test_text_head);
    tcase_add_test(tcase, test_write_fails);
    tcase_add_test(tcase, test_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void) {
    return retc_test_main(provenance_suite(), NULL);
}
