/* What a child process may do while it looks at a file, without harm to the caller. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "guard.h"
#include "testing.h"

static int looks; /* in the parent: must stay 0 */

static const char *
file_of(const char *name) {
    const char *path = retc_test_path(name);
    FILE *out = fopen(path, "w");
    ck_assert(out != NULL && fputs("content\n", out) >= 0 && fclose(out) == 0);
    return path;
}

static int
guarded(const char *path, int (*look)(const char *path)) {
    return retc_guard(path, "the library", "make it again", look);
}

static int
fine(const char *path) {
    (void)path;
    ++looks;
    fprintf(stderr, "not to be seen\n");
    return 0;
}

static int
crash(const char *path) {
    (void)path;
    return raise(SIGSEGV);
}

static int
abort_it(const char *path) {
    (void)path;
    abort();
}

static int
run_on(const char *path) {
    volatile size_t i = path != NULL;
    while (i)
        ++i;
    return 0;
}

static int
touch_memory(const char *path) {
    volatile char *block = malloc((size_t)200 << 20);
    for (size_t i = 0; path && block && i < (size_t)200 << 20; i += 4096)
        block[i] = 1;
    return 0;
}

/* More memory than a look may have is refused, not given; who meets that says so. */
static int
take_memory(const char *path) {
    (void)path;
    return calloc(3, (size_t)1 << 30) == NULL;
}

static int
leave(const char *path) {
    (void)path;
    _exit(0);
}

START_TEST(crashes_become_reasons) {
    const char *path = file_of("guarded");
    ck_ok(guarded(path, fine));
    ck_assert_int_eq(looks, 0);
    ck_ok(guarded(path, crash)); /* it passed and has not changed */
    path = file_of("guarded2");
    ck_fails(guarded(path, crash), "guarded2: damaged: the library crashes on it; make it again");
    ck_fails(guarded(path, abort_it), "guarded2: damaged: the library crashes on it");
    ck_fails(guarded(path, leave), "guarded2: damaged: the library crashes on it");
    ck_fails(guarded(path, run_on), "guarded2: damaged: the library comes to no end with it; make it again");
    ck_ok(guarded(retc_test_path("nowhere"), crash)); /* a missing file is told of by who opens it */
}
END_TEST

START_TEST(memory_is_limited) {
#ifdef __SANITIZE_ADDRESS__
    retc_skip("AddressSanitizer reserves more memory than that for itself");
#endif
    ck_fails(guarded(file_of("memory"), take_memory), "memory: damaged: the library takes too much memory for it");
    ck_fails(guarded(file_of("touched"), touch_memory), "touched: damaged: the library takes too much memory for it");
}
END_TEST

/* Who ignores SIGCHLD gets no exit status; the verdict does not need it. */
START_TEST(children_may_be_ignored) {
    signal(SIGCHLD, SIG_IGN);
    ck_ok(guarded(file_of("ignored1"), fine));
    ck_fails(guarded(file_of("ignored2"), crash), "ignored2: damaged");
    signal(SIGCHLD, SIG_DFL);
}
END_TEST

int
main(void) {
    Suite *suite = suite_create("guard");
    TCase *tests = tcase_create("guard");
    tcase_add_test(tests, crashes_become_reasons);
    tcase_add_test(tests, memory_is_limited);
    tcase_add_test(tests, children_may_be_ignored);
    suite_add_tcase(suite, tests);
    return retc_test_main(suite, NULL);
}
