/* What every Check program here shares: one runner, one comparison of arrays, skipping, scratch folders.
 *
 * A test program is: suites of Check cases, and `int main(void) { return retc_test_main(suite_a(), suite_b(), NULL); }`.
 * The runner's last line is "N passed, N failed, N skipped", counted in single test cases. */
#ifndef RETC_TESTING_H
#define RETC_TESTING_H

#include <check.h>
#include <stddef.h>

/* Run all suites (NULL ends the list), print what failed and the closing line; the program's exit status. */
int retc_test_main(Suite *first, ...);

/* Mark the running case as skipped, say why, and leave it. */
#define retc_skip(...)                                                                                                         \
    do {                                                                                                                       \
        retc_test_skip(__VA_ARGS__);                                                                                           \
        return;                                                                                                                \
    } while (0)
void retc_test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 1 when n values agree: |x - expected| <= absolute + relative * max|expected| for each, both finite; else 0 and the worst
 * index with both values goes into a message.  n == 0 is a failure: a comparison of nothing proves nothing. */
int retc_test_close_float(const char *what, const float *x, const float *expected, size_t n, double absolute, double relative);
int retc_test_close_double(const char *what, const double *x, const double *expected, size_t n, double absolute,
                           double relative);
const char *retc_test_message(void);

#define ck_close_float(what, x, expected, n, absolute, relative)                                                               \
    ck_assert_msg(retc_test_close_float((what), (x), (expected), (n), (absolute), (relative)), "%s", retc_test_message())
#define ck_close_double(what, x, expected, n, absolute, relative)                                                              \
    ck_assert_msg(retc_test_close_double((what), (x), (expected), (n), (absolute), (relative)), "%s", retc_test_message())

/* A call that must succeed (prints the recorded reason), and one that must fail with a reason holding `text`. */
#define ck_ok(call) ck_assert_msg((call) >= 0, "%s: %s", #call, retc_error_message())
#define ck_fails(call, text)                                                                                                   \
    do {                                                                                                                       \
        ck_assert_msg((call) < 0, "%s succeeded", #call);                                                                      \
        ck_assert_msg(strstr(retc_error_message(), (text)), "\"%s\" does not say \"%s\"", retc_error_message(), (text));       \
    } while (0)

/* A path in a fresh scratch folder of this process (removed at exit of the runner).  Static buffers, eight in rotation. */
const char *retc_test_path(const char *name);

/* Let tests/h5py/SCRIPT make files in the scratch folder with Debian's python3-h5py: 1 when done, 0 when that is not installed:
 * then skip. */
int retc_test_h5py(const char *script);

/* The same for a script with needs of its own: 0 when it says so by exit status 77. */
int retc_test_python(const char *script);

/* A file of the small goldens that travel with the tests (tests/golden), or NULL. */
const char *retc_test_golden(const char *name);

/* A file of the shared material named by RETC_SHARED (default ../shared beside the source tree), or NULL: then skip. */
const char *retc_test_shared(const char *name);

#endif
