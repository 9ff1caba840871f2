#include "testing.h"

#include <ftw.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

#ifndef TEST_SRCDIR
#define TEST_SRCDIR "tests"
#endif

/* Check runs each case in a child process: what is skipped is counted in memory that both share. */
static int *skipped;
static char message[512];
static char scratch[64];

void
retc_test_skip(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("skipped: ");
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
    va_end(arguments);
    ++*skipped;
}

static int
remove_entry(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info, (void)type, (void)where;
    return remove(path);
}

int
retc_test_main(Suite *first, ...) {
    retc_library_init();
    skipped = mmap(NULL, sizeof *skipped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (skipped == MAP_FAILED)
        return EXIT_FAILURE;
    snprintf(scratch, sizeof scratch, "/tmp/retcodec-test-XXXXXX");
    if (!mkdtemp(scratch))
        return EXIT_FAILURE;

    SRunner *runner = srunner_create(first);
    va_list suites;
    va_start(suites, first);
    for (Suite *suite; (suite = va_arg(suites, Suite *));)
        srunner_add_suite(runner, suite);
    va_end(suites);
    srunner_run_all(runner, CK_NORMAL);
    int run = srunner_ntests_run(runner), failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    printf("%d passed, %d failed, %d skipped\n", run - failed - *skipped, failed, *skipped);
    return run > 0 && failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Written so that a NaN anywhere fails: a comparison with NaN is false, hence the negation. */
static int
close_enough(const char *what, const void *x, const void *expected, size_t n, double absolute, double relative, int is_float) {
    double largest = 0, worst = -1;
    size_t at = 0;
    for (size_t i = 0; i < n; ++i) {
        double e = is_float ? (double)((const float *)expected)[i] : ((const double *)expected)[i];
        if (fabs(e) > largest)
            largest = fabs(e);
    }
    for (size_t i = 0; i < n; ++i) {
        double e = is_float ? (double)((const float *)expected)[i] : ((const double *)expected)[i];
        double v = is_float ? (double)((const float *)x)[i] : ((const double *)x)[i];
        double difference = isfinite(v) && isfinite(e) ? fabs(v - e) : (double)NAN;
        if (!(difference <= worst)) {
            worst = difference;
            at = i;
        }
        if (isnan(worst))
            break;
    }
    if (n > 0 && worst <= absolute + relative * largest)
        return 1;
    double v = 0, e = 0;
    if (n > 0) {
        v = is_float ? (double)((const float *)x)[at] : ((const double *)x)[at];
        e = is_float ? (double)((const float *)expected)[at] : ((const double *)expected)[at];
    }
    snprintf(message, sizeof message, "%s: %zu values, worst at %zu: %.9g, expected %.9g, difference %.3g, allowed %.3g", what,
             n, at, v, e, worst, absolute + relative * largest);
    return 0;
}

int
retc_test_close_float(const char *what, const float *x, const float *expected, size_t n, double absolute, double relative) {
    return close_enough(what, x, expected, n, absolute, relative, 1);
}

int
retc_test_close_double(const char *what, const double *x, const double *expected, size_t n, double absolute, double relative) {
    return close_enough(what, x, expected, n, absolute, relative, 0);
}

const char *
retc_test_message(void) {
    return message;
}

/* The name of a file that is read and that of one that is written never share a buffer: a name kept for too long must not
 * become that of the shared material. */
typedef struct {
    char buffer[8][512];
    int next;
} rotation;

static char *
rotating_buffer(rotation *r) {
    return r->buffer[r->next++ % 8];
}

const char *
retc_test_path(const char *name) {
    static rotation scratch_paths;
    char *path = rotating_buffer(&scratch_paths);
    snprintf(path, sizeof(char[512]), "%s/%s", scratch, name);
    return path;
}

static const char *
existing(const char *folder, const char *name) {
    static rotation existing_paths;
    char *path = rotating_buffer(&existing_paths);
    snprintf(path, sizeof(char[512]), "%s/%s", folder, name);
    return access(path, R_OK) == 0 ? path : NULL;
}

const char *
retc_test_golden(const char *name) {
    return existing(TEST_SRCDIR "/golden", name);
}

const char *
retc_test_shared(const char *name) {
    const char *folder = getenv("RETC_SHARED");
    return existing(folder && *folder ? folder : TEST_SRCDIR "/../../shared", name);
}

int
retc_test_python(const char *script) {
    char command[1200];
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/h5py/%s' '%s'", TEST_SRCDIR, script, scratch);
    int status = system(command), code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 77 || code == 127)
        return 0;
    ck_assert_msg(code == 0, "%s failed", command);
    return 1;
}

int
retc_test_h5py(const char *script) {
    char command[1200];
    if (system("/usr/bin/python3 -c 'import h5py' >/dev/null 2>&1") != 0)
        return 0;
    snprintf(command, sizeof command, "/usr/bin/python3 '%s/h5py/%s' '%s'", TEST_SRCDIR, script, scratch);
    ck_assert_msg(system(command) == 0, "%s failed", command);
    return 1;
}
